// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MockERC20} from "./MockERC20.sol";

/// @title Token that calls out on every transfer, as an ERC-777 token would
/// @notice Makes one prepared call during a transfer, before or after the balances change, and records how it ended.
contract MockHookERC20 is MockERC20 {
    address private _target;
    bytes private _data;
    bool private _beforeUpdate;
    /// @notice Whether the prepared call was made, whether it succeeded, and what it returned.
    bool public called;
    bool public succeeded;
    bytes public result;

    constructor(
        string memory name_,
        string memory symbol_,
        uint8 decimals_
    ) MockERC20(name_, symbol_, decimals_) {}

    /// @notice Prepares one call for the next transfer.
    function arm(address target, bytes calldata data, bool beforeUpdate) external {
        (_target, _data, _beforeUpdate, called, succeeded, result) = (
            target,
            data,
            beforeUpdate,
            false,
            false,
            ""
        );
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (_beforeUpdate) _callOut();
        super._update(from, to, amount);
        if (!_beforeUpdate) _callOut();
    }

    function _callOut() private {
        if (_target == address(0) || called) return;
        called = true;
        (succeeded, result) = _target.call(_data);
    }
}
