// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IUniswapV2Pair} from "@uniswap/v2-core/contracts/interfaces/IUniswapV2Pair.sol";

/// @title The least that can stand between a user and a Uniswap V2 pair
/// @notice Pays the pair from the caller's allowance and swaps, with amounts computed off chain: what a V2 swap costs without a router.
contract MinimalV2Caller {
    /// @notice Sends `amountIn` of `tokenIn` from the caller to `pair` and has the outputs sent to the caller. Amounts are token units.
    /// @dev Checks nothing, not even what the token returns: the pair measures what it was paid.
    /// @param pair A Uniswap V2 pair, or a Ballast pool, which has the same `swap`.
    function swap(
        IUniswapV2Pair pair,
        IERC20 tokenIn,
        uint256 amountIn,
        uint256 amount0Out,
        uint256 amount1Out
    ) external {
        tokenIn.transferFrom(msg.sender, address(pair), amountIn);
        pair.swap(amount0Out, amount1Out, msg.sender, "");
    }
}
