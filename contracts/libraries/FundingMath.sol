// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SignedWadMath} from "./SignedWadMath.sol";
import {VolatilityMath} from "./VolatilityMath.sol";

/// @title Funding: longs pay shorts (or the reverse) and the pool, in proportion to the skew
/// @notice Rates are per year of 365 days, 1e18, signed; positive: longs pay.
library FundingMath {
    using SignedWadMath for int256;

    int256 internal constant WAD = 1e18;
    int256 internal constant MAXIMUM_RATE_WAD = 0.9e18;
    /// The rate covers 1 - 1/e of its way to the target in this time.
    uint256 internal constant TIME_CONSTANT = 3 hours;

    /// @notice 90 % a year x clamp(K / K_cap, -1, 1).
    function targetRateWad(int256 skew, int256 skewCap) internal pure returns (int256) {
        unchecked {
            int256 share = ((skew * WAD) / skewCap).max(-WAD).min(WAD);
            return (MAXIMUM_RATE_WAD * share) / WAD;
        }
    }

    /// @notice Exact integral of the rate over `elapsed`, while the target stands still:
    /// target dt + (rate - target) tau (1 - exp(-dt / tau)).
    /// @return accrualWad fraction of notional due, 1e18
    /// @return nextRateWad rate at the end
    function accrue(
        int256 rateWad,
        int256 targetWad,
        uint256 elapsed
    ) internal pure returns (int256 accrualWad, int256 nextRateWad) {
        unchecked {
            int256 covered = int256(VolatilityMath.decayWeightWad(elapsed, TIME_CONSTANT));
            int256 gap = rateWad - targetWad;
            int256 year = int256(VolatilityMath.YEAR);
            accrualWad = (targetWad * int256(elapsed) + (gap * covered * int256(TIME_CONSTANT)) / WAD) / year;
            nextRateWad = targetWad + (gap * (WAD - covered)) / WAD;
        }
    }
}
