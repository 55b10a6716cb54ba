// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MockERC20} from "./MockERC20.sol";

/// @title Token that destroys a part of every transfer, and whose balances anyone can shrink
/// @notice For tests of pools that must not trust what a token claims to have moved.
contract MockFeeOnTransferERC20 is MockERC20 {
    /// @notice Part of a transfer that is destroyed, 1e6 = 100 %.
    uint256 public transferTax;

    constructor(
        string memory name_,
        string memory symbol_,
        uint8 decimals_,
        uint256 transferTax_
    ) MockERC20(name_, symbol_, decimals_) {
        transferTax = transferTax_;
    }

    /// @notice Changes the tax; open to everyone.
    function setTransferTax(uint256 transferTax_) external {
        transferTax = transferTax_;
    }

    /// @notice Destroys `amount` of anyone's balance, as a negative rebase would.
    function shrink(address account, uint256 amount) external {
        _burn(account, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0) && to != address(0))
            super._update(to, address(0), (amount * transferTax) / 1e6);
    }
}
