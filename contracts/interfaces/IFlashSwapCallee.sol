// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Receiver of a flash swap
/// @notice Implemented by contracts that take tokens from a pool first and pay for them before the call ends.
interface IFlashSwapCallee {
    /// @notice Called by the pool after it has sent the output, when `swap` was given non-empty data.
    /// @dev The name is Uniswap V2's, so that its flash borrowers work here unchanged. The pool is locked during the call: its
    /// reserves and quotes cannot be read and none of its functions that change state can be entered.
    /// Warning: check that the caller is a pool of the factory; anyone can call this.
    /// @param sender Caller of `swap`.
    /// @param amount0 token0 units sent out by the pool.
    /// @param amount1 token1 units sent out by the pool.
    /// @param data The bytes that were given to `swap`.
    function uniswapV2Call(address sender, uint256 amount0, uint256 amount1, bytes calldata data) external;
}
