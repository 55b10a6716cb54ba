// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

/// @title Arithmetic of a constant-product pool
/// @notice Quotes, liquidity and the invariant check, over raw token units and fees in millionths (1e6 = 100 %).
/// @dev Pure; `src/math/constantProductMath.ts` is its exact twin. With the fee 3000 every result equals Uniswap V2's to the unit.
///
/// A swap of `a` in, with the fee part f of it held back, moves the reserves (x, y) along x y = k:
///
///     y - out = x y / (x + (1 - f) a)      so      out = y (1 - f) a / (x + (1 - f) a)
///
/// The held-back part f a stays in the reserves afterwards, so k grows. Worked example, f = 0.3 %, x = 5e18, y = 10e18, a = 1e18:
/// out = 10e18 * 0.997e18 / (5e18 + 0.997e18) = 1.662497915624478906e18.
///
/// Warning: amounts and reserves must be at most 2^112 - 1, supplies at most 2^144 - 1 and fees below 1e6. Within that no step overflows;
/// only where a function says so is it checked.
library ConstantProductMath {
    /// @notice Something that must not be zero is zero.
    error ConstantProductMath_ZeroAmount();

    /// @notice A reserve is zero, so there is no price.
    error ConstantProductMath_ZeroReserve(uint256 reserveIn, uint256 reserveOut);

    /// @notice The whole output reserve, or more, was asked for.
    error ConstantProductMath_OutputExceedsReserve(uint256 amountOut, uint256 reserveOut);

    /// @notice The first deposit is worth no more liquidity than what gets locked.
    error ConstantProductMath_InitialLiquidityTooLow(uint256 rootOfProduct, uint256 minimumLiquidity);

    /// @notice 100 % in the unit of fees.
    uint256 internal constant FEE_DENOMINATOR = 1e6;

    /// @notice Liquidity locked for good at the first deposit, in LP token units.
    /// @dev It bounds what a first depositor gains from inflating the share price: donating D lifts a unit's price by at most D / 1000.
    uint256 internal constant MINIMUM_LIQUIDITY = 1000;

    /// @notice Output of a swap of exactly `amountIn`, in token units, rounded down: the pool keeps the fraction.
    /// @param amountIn Input, fee included.
    /// @param reserveIn Reserve of the input token before the swap.
    /// @param reserveOut Reserve of the output token before the swap.
    /// @param swapFee Fee on the input, 1e6 = 100 %.
    function amountOutDown(
        uint256 amountIn,
        uint256 reserveIn,
        uint256 reserveOut,
        uint256 swapFee
    ) internal pure returns (uint256) {
        unchecked {
            if (reserveIn * reserveOut == 0) revert ConstantProductMath_ZeroReserve(reserveIn, reserveOut);
            uint256 scaledInAfterFee = amountIn * (FEE_DENOMINATOR - swapFee);
            return
                FixedPointMathLib.rawDiv(
                    scaledInAfterFee * reserveOut,
                    reserveIn * FEE_DENOMINATOR + scaledInAfterFee
                );
        }
    }

    /// @notice Input that buys exactly `amountOut`, in token units, rounded up: the pool receives the fraction.
    /// @dev One more than the floor, also when the division leaves no rest, as Uniswap V2 does: at most one unit above the ceiling.
    /// @param amountOut Output wanted, below `reserveOut`.
    /// @param reserveIn Reserve of the input token before the swap.
    /// @param reserveOut Reserve of the output token before the swap.
    /// @param swapFee Fee on the input, 1e6 = 100 %.
    function amountInUp(
        uint256 amountOut,
        uint256 reserveIn,
        uint256 reserveOut,
        uint256 swapFee
    ) internal pure returns (uint256) {
        if (amountOut == 0) revert ConstantProductMath_ZeroAmount();
        if (reserveIn == 0) revert ConstantProductMath_ZeroReserve(reserveIn, reserveOut);
        if (amountOut >= reserveOut) revert ConstantProductMath_OutputExceedsReserve(amountOut, reserveOut);
        unchecked {
            uint256 scaledIn = reserveIn * amountOut * FEE_DENOMINATOR;
            return
                FixedPointMathLib.rawDiv(scaledIn, (reserveOut - amountOut) * (FEE_DENOMINATOR - swapFee)) +
                1;
        }
    }

    /// @notice Amount of B worth `amountA` at the ratio of the reserves, without fee or impact, rounded down.
    /// @dev Takes any numbers; reverts if the result needs more than 256 bits.
    /// @param amountA Amount of token A.
    /// @param reserveA Reserve of token A.
    /// @param reserveB Reserve of token B.
    function quoteDown(uint256 amountA, uint256 reserveA, uint256 reserveB) internal pure returns (uint256) {
        if (amountA == 0) revert ConstantProductMath_ZeroAmount();
        if (reserveA == 0 || reserveB == 0) revert ConstantProductMath_ZeroReserve(reserveA, reserveB);
        return FixedPointMathLib.fullMulDiv(amountA, reserveB, reserveA);
    }

    /// @notice The largest deposit in the ratio of the reserves that exceeds neither desired amount.
    /// @dev Rounding down costs the depositor at most what one unit of the other token buys; never more than desired is taken.
    function optimalAmounts(
        uint256 amount0Desired,
        uint256 amount1Desired,
        uint256 reserve0,
        uint256 reserve1
    ) internal pure returns (uint256 amount0, uint256 amount1) {
        unchecked {
            (uint256 cross0, uint256 cross1) = (amount0Desired * reserve1, amount1Desired * reserve0);
            (amount0, amount1) = (amount0Desired, amount1Desired);
            // The same as cross0 / reserve0 <= amount1Desired, without the division.
            if (cross0 < cross1 + reserve0) amount1 = FixedPointMathLib.rawDiv(cross0, reserve0);
            else amount0 = FixedPointMathLib.rawDiv(cross1, reserve1);
        }
    }

    /// @notice LP tokens of the first depositor: sqrt(amount0 amount1) - 1000, rounded down against the depositor.
    function initialLiquidityDown(uint256 amount0, uint256 amount1) internal pure returns (uint256) {
        uint256 rootOfProduct = Math.sqrt(amount0 * amount1);
        if (rootOfProduct <= MINIMUM_LIQUIDITY) {
            revert ConstantProductMath_InitialLiquidityTooLow(rootOfProduct, MINIMUM_LIQUIDITY);
        }
        return rootOfProduct - MINIMUM_LIQUIDITY;
    }

    /// @notice LP tokens of a later depositor: the smaller of the two shares, rounded down against the depositor.
    /// @param amount0 Deposit of token0; what exceeds the ratio of the reserves is a gift to all holders.
    /// @param amount1 Deposit of token1.
    /// @param reserve0 Reserve of token0 before the deposit.
    /// @param reserve1 Reserve of token1 before the deposit.
    /// @param totalSupply LP token units before the deposit.
    function liquidityDown(
        uint256 amount0,
        uint256 amount1,
        uint256 reserve0,
        uint256 reserve1,
        uint256 totalSupply
    ) internal pure returns (uint256 liquidity) {
        unchecked {
            liquidity = FixedPointMathLib.rawDiv(amount0 * totalSupply, reserve0);
            uint256 liquidity1 = FixedPointMathLib.rawDiv(amount1 * totalSupply, reserve1);
            if (liquidity1 < liquidity) liquidity = liquidity1;
        }
    }

    /// @notice Token units that `liquidity` of `totalSupply` LP tokens redeem from `holdings`, rounded down against the leaver.
    /// @dev Takes any numbers; reverts if the product needs more than 256 bits or the supply is 0.
    function withdrawalDown(
        uint256 liquidity,
        uint256 holdings,
        uint256 totalSupply
    ) internal pure returns (uint256) {
        return FixedPointMathLib.mulDiv(liquidity, holdings, totalSupply);
    }

    /// @notice LP tokens that give the protocol one sixth of the growth of sqrt(k), rounded down in favor of the LPs.
    /// @dev m new tokens own m / (S + m) of sqrt(k). Setting that to (root - rootLast) / (6 root) gives
    /// m = S (root - rootLast) / (5 root + rootLast). Example: S = 100, rootLast = 10, root = 16: m = 600 / 90 = 6.
    /// @param reserve0 Reserve of token0 now.
    /// @param reserve1 Reserve of token1 now.
    /// @param kLast Product of the reserves after the last change of liquidity; 0 when the switch was off.
    /// @param totalSupply LP token units now.
    function protocolFeeLiquidityDown(
        uint256 reserve0,
        uint256 reserve1,
        uint256 kLast,
        uint256 totalSupply
    ) internal pure returns (uint256) {
        if (kLast == 0) return 0;
        uint256 root = Math.sqrt(reserve0 * reserve1);
        uint256 rootLast = Math.sqrt(kLast);
        if (root <= rootLast) return 0;
        return (totalSupply * (root - rootLast)) / (root * 5 + rootLast);
    }

    /// @notice Whether two pairs of reserves have the same price, to less than one part in 1e9. Never if one price does not exist.
    /// @dev What a deposit or withdrawal in the ratio of the reserves may shift by rounding.
    function isSamePrice(uint256 x0, uint256 x1, uint256 y0, uint256 y1) internal pure returns (bool) {
        unchecked {
            (uint256 a, uint256 b) = (x0 * y1, x1 * y0);
            return FixedPointMathLib.dist(a, b) < a / 1e9;
        }
    }

    /// @notice Whether balances after a swap, less the fee on what came in, still span at least the product of the reserves before it.
    /// @dev Both sides are scaled by 1e12 and compared in 512 bits: at full reserves they reach 2^264. The fee constant is that of the
    /// quotes, so `amountOutDown` is exactly the largest output that passes.
    /// @param balance0 token0 units held after the swap, at least `amount0In`.
    /// @param balance1 token1 units held after the swap, at least `amount1In`.
    /// @param amount0In token0 units that came in.
    /// @param amount1In token1 units that came in.
    /// @param reserve0 Reserve of token0 before the swap.
    /// @param reserve1 Reserve of token1 before the swap.
    /// @param swapFee Fee on the input, 1e6 = 100 %.
    function invariantHolds(
        uint256 balance0,
        uint256 balance1,
        uint256 amount0In,
        uint256 amount1In,
        uint256 reserve0,
        uint256 reserve1,
        uint256 swapFee
    ) internal pure returns (bool) {
        uint256 highAfter;
        uint256 lowAfter;
        uint256 highBefore;
        uint256 lowBefore;
        unchecked {
            (highAfter, lowAfter) = Math.mul512(
                balance0 * FEE_DENOMINATOR - amount0In * swapFee,
                balance1 * FEE_DENOMINATOR - amount1In * swapFee
            );
            (highBefore, lowBefore) = Math.mul512(reserve0 * reserve1, FEE_DENOMINATOR * FEE_DENOMINATOR);
        }
        return highAfter > highBefore || (highAfter == highBefore && lowAfter >= lowBefore);
    }
}
