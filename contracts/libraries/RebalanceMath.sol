// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {VolatilityMath} from "./VolatilityMath.sol";

/// @title When and how much to rebalance
/// @notice 18-decimal values unless a name says otherwise; fees and costs in parts per million (1e6 = 100 %).
library RebalanceMath {
    using FixedPointMathLib for uint256;

    uint256 internal constant WAD = 1e18;
    uint256 internal constant PPM = 1e6;
    /// rho: price of variance, per equity.
    uint256 internal constant RISK_AVERSION = 20;
    /// The outer edge is never so wide that a shock costs more than 2.5 % of equity.
    uint256 internal constant BAND_CAP_WAD = 0.025e18;
    uint256 internal constant TARGET_TIME_CONSTANT = 1 days;
    uint256 internal constant DEPTH_TIME_CONSTANT = 24 hours;
    /// A chunk is at most 0.5 % of the pool's depth, in parts per million.
    uint256 internal constant MAXIMUM_CHUNK_PPM = 5_000;
    /// Tolerance of the minimum output: 10 bp at first, pool fee + 10 bp after ten minutes.
    uint256 internal constant TOLERANCE_WAD = 0.001e18;
    uint256 internal constant TOLERANCE_RAMP = 10 minutes;
    /// What the target is taken to move in a day at least, and in one sample at most, as a share of equity.
    uint256 internal constant MINIMUM_DAILY_MOVE_WAD = 0.005e18;
    uint256 internal constant MAXIMUM_MOVE_WAD = 10e18;
    /// phi: a day's average of what hedging cost, within 10..50 bp.
    uint256 internal constant HEDGE_TIME_CONSTANT = 1 days;
    uint256 internal constant HEDGE_MINIMUM_PPM = 1_000;
    uint256 internal constant HEDGE_MAXIMUM_PPM = 5_000;
    /// Notional of the prior: 1 % of equity.
    int256 internal constant HEDGE_PRIOR_WAD = 0.01e18;
    int256 internal constant LN_2_WAD = 693_147_180_559_945_309;

    /// @notice q_max / x = min(f / 2, 0.5 %): the largest chunk as a share of the pool's base. At q <= f x a sandwich
    /// of the chunk loses money; half of it leaves room for attackers who earn part of the fee back.
    function maximumChunkPpm(uint256 swapFeePpm) internal pure returns (uint256) {
        return (swapFeePpm / 2).min(MAXIMUM_CHUNK_PPM);
    }

    /// @notice eps = 2 f + q_max / x: what a round trip through the pool costs at the margin.
    function unwindCostPpm(uint256 swapFeePpm) internal pure returns (uint256) {
        return 2 * swapFeePpm + maximumChunkPpm(swapFeePpm);
    }

    /// @notice h_out = E / P x min(cbrt(3 eps nu^2 / (2 rho sigma^2)), cap), the cap being where a shock costs 2.5 % of E.
    /// With nu^2 as a share of (E / P)^2 this is cbrt(3 eps nu^2 / (2 rho_a sigma^2 P)), rho_a = rho / E, in base.
    /// @param targetVarianceWad nu^2, (share of equity)^2 per year
    /// @param equity E, at least one quote token
    /// @param shockWad max(2.82 sigma sqrt(1 day), 20 %)
    function outerBand(
        uint256 targetVarianceWad,
        uint256 equity,
        uint256 price,
        uint256 sigmaWad,
        uint256 unwindCostPpm_,
        uint256 shockWad
    ) internal pure returns (uint256) {
        uint256 variance = sigmaWad.mulWad(sigmaWad);
        uint256 cube = (3 * unwindCostPpm_ * targetVarianceWad).fullMulDiv(
            WAD,
            2 * RISK_AVERSION * PPM * variance
        );
        uint256 share = cube.cbrtWad().min(BAND_CAP_WAD.divWad(shockWad));
        return equity.fullMulDiv(share, price);
    }

    /// @notice h_in = h_out / 2.
    function innerBand(uint256 outerBand_) internal pure returns (uint256) {
        return outerBand_ / 2;
    }

    /// @notice nu^2 after a move of the target: EWMA with tau = 1 day, at most doubling a day, never below the square
    /// of 0.5 % a day. Without that floor a target that once stood still would leave the band closed for good.
    /// @param varianceWad (share of equity)^2 per year
    /// @param moveWad |b* - b*_last| P / E
    /// @param elapsed at least 1 second
    function updatedTargetVarianceWad(
        uint256 varianceWad,
        uint256 moveWad,
        uint256 elapsed
    ) internal pure returns (uint256) {
        uint256 move = moveWad.min(MAXIMUM_MOVE_WAD);
        uint256 updated = VolatilityMath.updatedVarianceWad(
            varianceWad,
            move.mulWad(move),
            elapsed,
            TARGET_TIME_CONSTANT
        );
        uint256 doubling = uint256(
            FixedPointMathLib.expWad((LN_2_WAD * int256(elapsed.min(64 days))) / int256(1 days))
        );
        return updated.min(varianceWad.mulWad(doubling)).max(targetVarianceOf(MINIMUM_DAILY_MOVE_WAD));
    }

    /// @notice nu^2 of a target that moves `dailyWad` of equity per square root of a day.
    function targetVarianceOf(uint256 dailyWad) internal pure returns (uint256) {
        return dailyWad.mulWad(dailyWad) * (VolatilityMath.YEAR / 1 days);
    }

    /// @notice phi: cost / notional of what was hedged lately, together with `prior` of notional hedged at eps / 2, within
    /// 10..50 bp. Without the prior one chunk of any size would decide phi after a quiet time.
    /// @param prior at least 1, in the units of `notional`
    function hedgeRatePpm(
        uint256 cost,
        uint256 notional,
        uint256 unwindCostPpm_,
        uint256 prior
    ) internal pure returns (uint256) {
        uint256 expected = (unwindCostPpm_ * prior) / 2;
        return ((cost * PPM + expected) / (notional + prior)).clamp(HEDGE_MINIMUM_PPM, HEDGE_MAXIMUM_PPM);
    }

    /// @notice x_ema: falls with the depth at once, rises by a 24 h average.
    function updatedDepth(uint256 depthEma, uint256 depth, uint256 elapsed) internal pure returns (uint256) {
        if (depth <= depthEma) return depth;
        return
            depthEma + (depth - depthEma).mulWad(VolatilityMath.decayWeightWad(elapsed, DEPTH_TIME_CONSTANT));
    }

    /// @notice eps(t): 10 bp, growing to f + 10 bp over ten minutes of eligibility. 1e18.
    function toleranceWad(uint256 swapFeePpm, uint256 eligibleFor) internal pure returns (uint256) {
        uint256 feeWad = swapFeePpm * (WAD / PPM);
        return TOLERANCE_WAD + (feeWad * eligibleFor.min(TOLERANCE_RAMP)) / TOLERANCE_RAMP;
    }

    /// @notice The pool re-marked to the oracle at constant k: sqrt(k / P) and sqrt(k P). Nobody can move k by trading
    /// but upward, so these reserves cannot be manipulated as live ones can.
    function remarkedReserves(
        uint256 reserveBase,
        uint256 reserveQuote,
        uint256 price
    ) internal pure returns (uint256 markedBase, uint256 markedQuote) {
        uint256 rootK = FixedPointMathLib.mulSqrt(reserveBase, reserveQuote);
        uint256 rootPrice = price.sqrtWad();
        markedBase = rootK.divWad(rootPrice);
        markedQuote = rootK.mulWad(rootPrice);
    }
}
