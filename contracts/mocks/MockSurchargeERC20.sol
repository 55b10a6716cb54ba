// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MockERC20} from "./MockERC20.sol";

/// @title Token that takes a fee from the sender, on top of what it delivers
/// @notice The receiver gets all of it, the sender pays more.
contract MockSurchargeERC20 is MockERC20 {
    /// @notice Part of a transfer that is destroyed besides, at the sender's cost, 1e6 = 100 %.
    uint256 public surcharge;

    constructor(
        string memory name_,
        string memory symbol_,
        uint8 decimals_
    ) MockERC20(name_, symbol_, decimals_) {}

    /// @notice Changes the surcharge; open to everyone.
    function setSurcharge(uint256 surcharge_) external {
        surcharge = surcharge_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0) && to != address(0))
            super._update(from, address(0), (amount * surcharge) / 1e6);
    }
}
