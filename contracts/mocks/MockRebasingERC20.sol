// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MockERC20} from "./MockERC20.sol";

/// @title Token whose balances all grow or shrink together
/// @notice Holders own shares; a balance is what the shares are worth, rounded down, so a transfer may deliver a unit less than it says.
contract MockRebasingERC20 is MockERC20 {
    /// @notice Token units per share, 1e18.
    uint256 public indexWad = 1e18;

    constructor(
        string memory name_,
        string memory symbol_,
        uint8 decimals_
    ) MockERC20(name_, symbol_, decimals_) {}

    /// @notice Changes everyone's balance at once; open to everyone.
    function setIndex(uint256 indexWad_) external {
        indexWad = indexWad_;
    }

    function balanceOf(address account) public view override returns (uint256) {
        return (super.balanceOf(account) * indexWad) / 1e18;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, (amount * 1e18) / indexWad);
    }
}
