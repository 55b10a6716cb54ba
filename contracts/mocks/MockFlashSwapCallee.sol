// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IConstantProductPool} from "../interfaces/IConstantProductPool.sol";
import {IFlashSwapCallee} from "../interfaces/IFlashSwapCallee.sol";

/// @title Flash borrower for tests
/// @notice Takes from a pool, makes one prepared call inside the callback, and pays back what it was told to.
contract MockFlashSwapCallee is IFlashSwapCallee {
    /// @notice What the pool said in the callback.
    event Called(address caller, address sender, uint256 amount0, uint256 amount1);

    uint256 private _repay0;
    uint256 private _repay1;
    address private _target;
    bytes private _data;
    /// @notice How the prepared call ended.
    bool public succeeded;
    bytes public result;

    /// @notice Prepares the callback: a call to make (none if `target` is zero) and the amounts to pay.
    function arm(uint256 repay0, uint256 repay1, address target, bytes calldata data) external {
        (_repay0, _repay1, _target, _data, succeeded, result) = (repay0, repay1, target, data, false, "");
    }

    /// @notice Starts a flash swap to this contract.
    function borrow(IConstantProductPool pool, uint256 amount0Out, uint256 amount1Out) external {
        pool.swap(amount0Out, amount1Out, address(this), "flash");
    }

    /// @inheritdoc IFlashSwapCallee
    function uniswapV2Call(
        address sender,
        uint256 amount0,
        uint256 amount1,
        bytes calldata
    ) external override {
        IConstantProductPool pool = IConstantProductPool(msg.sender);
        emit Called(msg.sender, sender, amount0, amount1);
        if (_target != address(0)) (succeeded, result) = _target.call(_data);
        if (_repay0 != 0) IERC20(pool.token0()).transfer(msg.sender, _repay0);
        if (_repay1 != 0) IERC20(pool.token1()).transfer(msg.sender, _repay1);
    }
}
