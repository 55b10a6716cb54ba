// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {PoolHistory, PoolHistoryLibrary} from "./PoolHistory.sol";

/// @title What a pool remembers of its prices, and the fee that follows from it
/// @notice A price is token1 units per token0 unit. Only prices at the end of a block count, from then to the next block in which the
/// pool is touched: what exists only within a block leaves no trace.
/// @dev The first touch in a new block, `elapsed` seconds after the last one, finds the log price L that has stood since. With
/// d(t) = 2^(-t / 30 minutes):
///
///     r          = L - last log price              the move made in the block of the last touch
///     variance   <- (variance + weight r^2) d(elapsed)
///     weight     <- (1 - d(elapsed)) / elapsed     for the move made in this block
///     cumulative <- cumulative + L elapsed
///
/// The weight spreads a move evenly over the gap before it. So the variance rate is the mean of r^2 / gap over all past seconds, each
/// weighing half as much as one 30 minutes later; the seconds since the last touch count as calm until the next touch knows better.
/// A touch that moves nothing changes nothing, since two decays in a row are one.
library PoolOracleMath {
    /// @notice The weight of a second halves in this many seconds.
    uint256 internal constant HALF_LIFE = 30 minutes;

    /// @notice From the 14 decimals of a stored log price to 18.
    int256 internal constant LOG_PRICE_SCALE = 1e4;

    uint256 private constant Q64 = 1 << 64;
    int256 private constant SQRT_2_Q127 = 240615969168004511545033772477625056927;
    /// @dev ln(2) / 2, 1e14 2^32.
    int256 private constant HALF_LN_2 = 148852223590978603574781;

    /// @notice The history after the first touch in a new block; its fee is left 0 for `swapFeeDown` to find.
    /// @param history History after the last touch.
    /// @param reserve0 Reserve of token0 since the last touch, below 2^112.
    /// @param reserve1 Reserve of token1 since the last touch, below 2^112.
    /// @param elapsed Seconds since the last touch, above 0 and below 2^32.
    function touched(
        PoolHistory history,
        uint256 reserve0,
        uint256 reserve1,
        uint256 elapsed
    ) internal pure returns (PoolHistory) {
        // No step can overflow: the widths are in `PoolHistory`; a squared return of at most (155.4e14)^2 needs 108 bits.
        unchecked {
            int256 lastLogPrice = history.logPrice();
            uint256 weight = history.returnWeight();
            // While one side is empty there is no price, and the last one stands in for it.
            bool priced = reserve0 * reserve1 != 0;
            int256 logPrice = priced ? approximateLogPrice(reserve0, reserve1) : lastLogPrice;
            uint256 logReturn = uint256(logPrice - lastLogPrice);
            uint256 decay = decayOf(elapsed);
            uint256 variance = history.varianceRateWad() + ((logReturn * logReturn * weight) >> 43) / 1e10;
            variance = FixedPointMathLib.min((variance * decay) >> 64, type(uint64).max);
            weight = FixedPointMathLib.rawDiv(Q64 - decay, elapsed) >> 21;
            int256 cumulative = history.cumulativeLogPrice() + logPrice * int256(elapsed);
            return PoolHistoryLibrary.pack(cumulative, logPrice, weight, variance);
        }
    }

    /// @notice ln(reserve1 / reserve0), 1e14. Both reserves above 0 and below 2^112.
    /// @dev With the ratio as m 2^e, m in [1, 2), and s = (m - sqrt 2) / (m + sqrt 2), so |s| < 0.172:
    ///
    ///     ln(m 2^e) = (e + 1/2) ln 2 + 2 artanh(s),      2 artanh(s) = s p(s^2)
    ///
    /// with a quartic p that interpolates at Chebyshev's nodes. The error is at most 1.5e-12 either way, plus 2^-31 for the smallest ratios, which are
    /// taken with 143 bits of fraction. A general logarithm would cost 200 gas more.
    function approximateLogPrice(uint256 reserve0, uint256 reserve1) internal pure returns (int256) {
        unchecked {
            uint256 ratio = FixedPointMathLib.rawDiv(reserve1 << 143, reserve0);
            uint256 exponent = FixedPointMathLib.log2(ratio);
            int256 mantissa = int256((ratio << (255 - exponent)) >> 128);
            int256 s = FixedPointMathLib.rawSDiv((mantissa - SQRT_2_Q127) << 96, mantissa + SQRT_2_Q127);
            int256 z = (s * s) >> 96;
            // Coefficients of p and ln 2 are scaled by 1e14 2^32.
            int256 p = 122557110997111911075375 + ((101431489981424028420221 * z) >> 96);
            p = 171800343995271104487929 + ((p * z) >> 96);
            p = 286331146971338656569455 + ((p * z) >> 96);
            p = 858993459203590385423189 + ((p * z) >> 96);
            // 143 binary digits of the ratio are its fraction: e + 1/2 = (2 exponent - 285) / 2.
            return (((s * p) >> 96) + (2 * int256(exponent) - 285) * HALF_LN_2) >> 32;
        }
    }

    /// @notice d(elapsed) = 2^(-elapsed / 30 minutes), 2^64 = 1.
    /// @dev Whole half-lives are a shift. For the rest x in [0, 1): 2^-x = 1 - x / 2 - x (1 - x) q(x) with a cubic q that interpolates at
    /// Chebyshev's nodes, so both ends are exact. The relative error of 2^-x is at most 3.1e-7, of 1 - 2^-x at most 1.3e-6.
    function decayOf(uint256 elapsed) internal pure returns (uint256) {
        unchecked {
            uint256 x = ((elapsed % HALF_LIFE) << 64) / HALF_LIFE;
            // Each product is below 2^128, each difference above 0.
            uint256 q = 152702480050595900 - ((17491766166928301 * x) >> 64);
            q = 867928045855277739 - ((q * x) >> 64);
            q = 3562920029076993990 - ((q * x) >> 64);
            return (Q64 - (x >> 1) - ((((x * (Q64 - x)) >> 64) * q) >> 64)) >> (elapsed / HALF_LIFE);
        }
    }

    /// @notice Fee at a variance rate: the lower bound plus the multiplier times its root, at most the upper bound; 1e6 = 100 %.
    /// @dev Example: sigma 80 % a year is a variance rate of 0.64 / 31,536,000 = 2.03e-8 a second; with 5 bp and 17.3 square-root seconds
    /// the fee is 0.0005 + 17.3 x 0.0001425 = 0.002964, so 2964.
    /// @param varianceRateWad Per second, 1e18, below 2^64.
    /// @param minSwapFee 1e6 = 100 %.
    /// @param maxSwapFee 1e6 = 100 %.
    /// @param volatilityFeeMultiplierWad In square-root seconds, 1e18, at most 100e18.
    function swapFeeDown(
        uint256 varianceRateWad,
        uint256 minSwapFee,
        uint256 maxSwapFee,
        uint256 volatilityFeeMultiplierWad
    ) internal pure returns (uint256) {
        // The root is below 4.3e18.
        unchecked {
            uint256 rootWad = FixedPointMathLib.sqrt(varianceRateWad * 1e18);
            return
                FixedPointMathLib.min(minSwapFee + (rootWad * volatilityFeeMultiplierWad) / 1e30, maxSwapFee);
        }
    }
}
