// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IConstantProductPool} from "../interfaces/IConstantProductPool.sol";
import {IFlashSwapCallee} from "../interfaces/IFlashSwapCallee.sol";

/// @title The least that can stand between a user and a pool that must be paid before it is called
/// @notice Pays the pool from the caller's allowance, with amounts computed off chain, and has everything sent to the caller.
/// @dev Checks nothing. Belongs to one pool, so that no call data hold its address: an address follows from the pool's code, and each
/// of its zero bytes costs 12 gas less.
contract MinimalPoolCaller is IFlashSwapCallee {
    IConstantProductPool private immutable _pool;
    IERC20 private immutable _token0;
    IERC20 private immutable _token1;

    constructor(IConstantProductPool pool) {
        _pool = pool;
        (_token0, _token1) = (IERC20(pool.token0()), IERC20(pool.token1()));
    }

    /// @notice Sells `amount0In` of token0 by `swapPrefunded`.
    function swapPrefunded(uint256 amount0In) external {
        _token0.transferFrom(msg.sender, address(_pool), amount0In);
        _pool.swapPrefunded(address(_token0), 0, msg.sender);
    }

    /// @notice Sells `amount0In` of token0 for `amount1Out` of token1 by the V2 `swap`.
    function swap(uint256 amount0In, uint256 amount1Out) external {
        _token0.transferFrom(msg.sender, address(_pool), amount0In);
        _pool.swap(0, amount1Out, msg.sender, "");
    }

    /// @notice Borrows `amount1Out` of token1 and pays for it with `amount0In` of token0 in the callback, both its own.
    function flashSwap(uint256 amount0In, uint256 amount1Out) external {
        _pool.swap(0, amount1Out, address(this), abi.encode(amount0In));
    }

    /// @notice Adds both amounts by `mint`.
    function mint(uint256 amount0, uint256 amount1) external {
        _token0.transferFrom(msg.sender, address(_pool), amount0);
        _token1.transferFrom(msg.sender, address(_pool), amount1);
        _pool.mint(msg.sender);
    }

    /// @notice Removes `liquidity` by `burn`.
    function burn(uint256 liquidity) external {
        IERC20(address(_pool)).transferFrom(msg.sender, address(_pool), liquidity);
        _pool.burn(msg.sender);
    }

    /// @inheritdoc IFlashSwapCallee
    function uniswapV2Call(address, uint256, uint256, bytes calldata data) external override {
        _token0.transfer(msg.sender, abi.decode(data, (uint256)));
    }
}
