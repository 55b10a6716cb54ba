// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

/// @title Exponentially weighted variance of irregular samples
/// @notice Variances are per year of 365 days, 1e18; volatilities per square root of a year, 1e18.
library VolatilityMath {
    using FixedPointMathLib for uint256;

    uint256 internal constant WAD = 1e18;
    uint256 internal constant YEAR = 365 days;

    /// Weight of a sample falls to 1/e in this time. 16.2 days is RiskMetrics' lambda = 0.94 per day:
    /// -1 / ln(0.94) = 16.16 days.
    uint256 internal constant FAST_TIME_CONSTANT = 6 hours;
    uint256 internal constant SLOW_TIME_CONSTANT = 1_399_680; // 16.2 days

    /// (25 %)^2: one sample never says more than a move of a quarter.
    uint256 internal constant MAXIMUM_SQUARED_RETURN_WAD = 0.0625e18;
    uint256 internal constant FLOOR_WAD = 0.4e18;
    uint256 internal constant CEILING_WAD = 3e18;

    /// sigma_mm rises by at most 10 % per hour, and a gap between samples counts for at most 10 minutes.
    uint256 internal constant MAINTENANCE_RISE_PER_HOUR_WAD = 0.1e18;
    uint256 internal constant MAINTENANCE_MAXIMUM_ELAPSED = 10 minutes;

    /// @notice r^2 = min(ln(price / lastPrice)^2, (25 %)^2), 1e18.
    function squaredReturnWad(uint256 priceWad, uint256 lastPriceWad) internal pure returns (uint256) {
        int256 logReturn = FixedPointMathLib.lnWad(int256(priceWad.fullMulDiv(WAD, lastPriceWad).max(1)));
        uint256 magnitude = FixedPointMathLib.abs(logReturn).min(WAD);
        return magnitude.mulWad(magnitude).min(MAXIMUM_SQUARED_RETURN_WAD);
    }

    /// @notice 1 - exp(-dt / tau), 1e18: the weight of what happened during `elapsed`.
    function decayWeightWad(uint256 elapsed, uint256 timeConstant) internal pure returns (uint256) {
        return
            WAD -
            uint256(
                FixedPointMathLib.expWad(-int256((elapsed.min(100 * timeConstant) * WAD) / timeConstant))
            );
    }

    /// @notice v <- exp(-dt/tau) v + (1 - exp(-dt/tau)) r^2 / dt. `elapsed` is at least 1 second.
    function updatedVarianceWad(
        uint256 varianceWad,
        uint256 squaredReturn,
        uint256 elapsed,
        uint256 timeConstant
    ) internal pure returns (uint256) {
        uint256 weight = decayWeightWad(elapsed, timeConstant);
        uint256 sampleVariance = (squaredReturn * YEAR) / elapsed;
        return varianceWad.mulWad(WAD - weight) + sampleVariance.mulWad(weight);
    }

    /// @notice sigma = clamp(sqrt(max(v_fast, v_slow)), 40 %, 300 %).
    function volatilityWad(uint256 fastVarianceWad, uint256 slowVarianceWad) internal pure returns (uint256) {
        return fastVarianceWad.max(slowVarianceWad).sqrtWad().clamp(FLOOR_WAD, CEILING_WAD);
    }

    /// @notice sigma_mm follows sigma down at once and up by at most 10 % per hour.
    function maintenanceVolatilityWad(
        uint256 maintenanceWad,
        uint256 sigmaWad,
        uint256 elapsed
    ) internal pure returns (uint256) {
        uint256 counted = elapsed.min(MAINTENANCE_MAXIMUM_ELAPSED);
        uint256 limit =
            maintenanceWad + maintenanceWad.mulWad((MAINTENANCE_RISE_PER_HOUR_WAD * counted) / 1 hours);
        return sigmaWad.min(limit);
    }

    /// @notice sigma sqrt(horizon): standard deviation of the log price over `horizon` seconds, 1e18.
    function deviationWad(uint256 sigmaWad, uint256 horizon) internal pure returns (uint256) {
        return sigmaWad.mulWad(((horizon * WAD) / YEAR).sqrtWad());
    }
}
