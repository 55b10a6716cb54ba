// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ConstantProductMath} from "../libraries/ConstantProductMath.sol";

/// @title External face of ConstantProductMath for tests
/// @notice Each function calls its namesake of the library.
contract ConstantProductMathHarness {
    function amountOutDown(
        uint256 amountIn,
        uint256 reserveIn,
        uint256 reserveOut,
        uint256 swapFee
    ) external pure returns (uint256) {
        return ConstantProductMath.amountOutDown(amountIn, reserveIn, reserveOut, swapFee);
    }

    function amountInUp(
        uint256 amountOut,
        uint256 reserveIn,
        uint256 reserveOut,
        uint256 swapFee
    ) external pure returns (uint256) {
        return ConstantProductMath.amountInUp(amountOut, reserveIn, reserveOut, swapFee);
    }

    function quoteDown(uint256 amountA, uint256 reserveA, uint256 reserveB) external pure returns (uint256) {
        return ConstantProductMath.quoteDown(amountA, reserveA, reserveB);
    }

    function optimalAmounts(
        uint256 amount0Desired,
        uint256 amount1Desired,
        uint256 reserve0,
        uint256 reserve1
    ) external pure returns (uint256 amount0, uint256 amount1) {
        return ConstantProductMath.optimalAmounts(amount0Desired, amount1Desired, reserve0, reserve1);
    }

    function initialLiquidityDown(uint256 amount0, uint256 amount1) external pure returns (uint256) {
        return ConstantProductMath.initialLiquidityDown(amount0, amount1);
    }

    function liquidityDown(
        uint256 amount0,
        uint256 amount1,
        uint256 reserve0,
        uint256 reserve1,
        uint256 totalSupply
    ) external pure returns (uint256) {
        return ConstantProductMath.liquidityDown(amount0, amount1, reserve0, reserve1, totalSupply);
    }

    function withdrawalDown(
        uint256 liquidity,
        uint256 holdings,
        uint256 totalSupply
    ) external pure returns (uint256) {
        return ConstantProductMath.withdrawalDown(liquidity, holdings, totalSupply);
    }

    function protocolFeeLiquidityDown(
        uint256 reserve0,
        uint256 reserve1,
        uint256 kLast,
        uint256 totalSupply
    ) external pure returns (uint256) {
        return ConstantProductMath.protocolFeeLiquidityDown(reserve0, reserve1, kLast, totalSupply);
    }

    function isSamePrice(uint256 x0, uint256 x1, uint256 y0, uint256 y1) external pure returns (bool) {
        return ConstantProductMath.isSamePrice(x0, x1, y0, y1);
    }

    function invariantHolds(
        uint256 balance0,
        uint256 balance1,
        uint256 amount0In,
        uint256 amount1In,
        uint256 reserve0,
        uint256 reserve1,
        uint256 swapFee
    ) external pure returns (bool) {
        return
            ConstantProductMath.invariantHolds(
                balance0,
                balance1,
                amount0In,
                amount1In,
                reserve0,
                reserve1,
                swapFee
            );
    }
}
