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

    /// sqrt(1 day / 1 year) = sqrt(1 / 365) = 0.05234239225902137035..., down. sigma times this is sigma sqrt(1 day).
    uint256 internal constant DAY_DEVIATION_WAD = 0.05234239225902137e18;
    /// sqrt(30 minutes / 1 year) = sqrt(1,800 / 31,536,000) = 0.007554973565193742..., down.
    uint256 internal constant HALF_HOUR_DEVIATION_WAD = 0.007554973565193742e18;

    /// sigma_mm rises by at most 10 % per hour, and a gap between samples counts for at most 10 minutes.
    uint256 internal constant MAINTENANCE_RISE_PER_HOUR_WAD = 0.1e18;
    uint256 internal constant MAINTENANCE_MAXIMUM_ELAPSED = 10 minutes;

    /// @notice r^2 = min(ln(price / lastPrice)^2, (25 %)^2), 1e18. Both prices above 0 and below 2^128.
    function squaredReturnWad(uint256 priceWad, uint256 lastPriceWad) internal pure returns (uint256) {
        // 128 bits and 60; the logarithm of a ratio of 188 bits is below 90e18, whose square has 134.
        unchecked {
            int256 logReturn = FixedPointMathLib.lnWad(
                int256(FixedPointMathLib.rawDiv(priceWad * WAD, lastPriceWad).max(1))
            );
            return (uint256(logReturn * logReturn) / WAD).min(MAXIMUM_SQUARED_RETURN_WAD);
        }
    }

    /// @notice 1 - exp(-dt / tau), 1e18: the weight of what happened during `elapsed`. tau is above 0 and below 2^64 seconds.
    function decayWeightWad(uint256 elapsed, uint256 timeConstant) internal pure returns (uint256) {
        // 64 bits, 7 and 60; an exponential of what is not above 0 is at most 1.
        unchecked {
            uint256 exponentWad = FixedPointMathLib.rawDiv(
                elapsed.min(100 * timeConstant) * WAD,
                timeConstant
            );
            return WAD - uint256(FixedPointMathLib.expWad(-int256(exponentWad)));
        }
    }

    /// @notice v <- exp(-dt/tau) v + (1 - exp(-dt/tau)) r^2 / dt. `elapsed` is at least 1 second, v and r^2 are below 2^128.
    function updatedVarianceWad(
        uint256 varianceWad,
        uint256 squaredReturn,
        uint256 elapsed,
        uint256 timeConstant
    ) internal pure returns (uint256) {
        // A weight is at most 1e18, which has 60 bits; a year of seconds has 25.
        unchecked {
            uint256 weight = decayWeightWad(elapsed, timeConstant);
            uint256 sampleVariance = FixedPointMathLib.rawDiv(squaredReturn * YEAR, elapsed);
            return (varianceWad * (WAD - weight)) / WAD + (sampleVariance * weight) / WAD;
        }
    }

    /// @notice sigma = clamp(sqrt(max(v_fast, v_slow)), 40 %, 300 %).
    function volatilityWad(uint256 fastVarianceWad, uint256 slowVarianceWad) internal pure returns (uint256) {
        return fastVarianceWad.max(slowVarianceWad).sqrtWad().clamp(FLOOR_WAD, CEILING_WAD);
    }

    /// @notice sigma_mm follows sigma down at once and up by at most 10 % per hour. It is below 2^128.
    function maintenanceVolatilityWad(
        uint256 maintenanceWad,
        uint256 sigmaWad,
        uint256 elapsed
    ) internal pure returns (uint256) {
        unchecked {
            uint256 counted = elapsed.min(MAINTENANCE_MAXIMUM_ELAPSED);
            uint256 riseWad = (MAINTENANCE_RISE_PER_HOUR_WAD * counted) / 1 hours; // below 2 %
            return sigmaWad.min(maintenanceWad + (maintenanceWad * riseWad) / WAD);
        }
    }

    /// @notice sigma sqrt(1 day), 1e18. sigma is below 2^128.
    function dayDeviationWad(uint256 sigmaWad) internal pure returns (uint256) {
        unchecked {
            return (sigmaWad * DAY_DEVIATION_WAD) / WAD;
        }
    }

    /// @notice sigma sqrt(30 minutes), 1e18. sigma is below 2^128.
    function halfHourDeviationWad(uint256 sigmaWad) internal pure returns (uint256) {
        unchecked {
            return (sigmaWad * HALF_HOUR_DEVIATION_WAD) / WAD;
        }
    }

    /// @notice sigma sqrt(horizon): standard deviation of the log price over `horizon` seconds, 1e18.
    function deviationWad(uint256 sigmaWad, uint256 horizon) internal pure returns (uint256) {
        return sigmaWad.mulWad(((horizon * WAD) / YEAR).sqrtWad());
    }
}
