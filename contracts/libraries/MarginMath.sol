// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {VolatilityMath} from "./VolatilityMath.sol";

/// @title Margin ratios and the liquidation penalty
/// @notice Ratios of notional, 1e18. Sizes are magnitudes in base, scaled to 18 decimals.
library MarginMath {
    using FixedPointMathLib for uint256;

    uint256 internal constant WAD = 1e18;
    uint256 internal constant INITIAL_FLOOR_WAD = 0.04e18;
    uint256 internal constant MAINTENANCE_FLOOR_WAD = 0.01e18;
    uint256 internal constant LIQUIDATION_PART_WAD = 0.005e18;
    /// Four standard deviations over half an hour: the time a liquidation may take.
    uint256 internal constant DEVIATIONS = 4;
    uint256 internal constant HORIZON = 30 minutes;
    uint256 internal constant WITHDRAWAL_FLOOR_WAD = 0.1e18;
    uint256 internal constant PENALTY_MINIMUM_WAD = 0.002e18;
    uint256 internal constant PENALTY_RANGE_WAD = 0.006e18;

    /// @notice 4 sigma sqrt(h_m).
    function riskTermWad(uint256 sigmaWad) internal pure returns (uint256) {
        return DEVIATIONS * VolatilityMath.deviationWad(sigmaWad, HORIZON);
    }

    /// @notice MMR = max(1 %, 0.5 % + size / (2 skewScale) + 4 sigma sqrt(h_m)), rounded up.
    /// size / (2 skewScale) is what closing the position alone would move the skew premium.
    function maintenanceRatioWad(
        uint256 size,
        uint256 skewScale,
        uint256 sigmaWad
    ) internal pure returns (uint256) {
        return
            (LIQUIDATION_PART_WAD + size.fullMulDivUp(WAD, 2 * skewScale) + riskTermWad(sigmaWad)).max(
                MAINTENANCE_FLOOR_WAD
            );
    }

    /// @notice IMR = max(4 %, MMR + 4 sigma sqrt(h_m)), all at the volatility of now.
    function initialRatioWad(
        uint256 size,
        uint256 skewScale,
        uint256 sigmaWad
    ) internal pure returns (uint256) {
        return
            (maintenanceRatioWad(size, skewScale, sigmaWad) + riskTermWad(sigmaWad)).max(INITIAL_FLOOR_WAD);
    }

    /// @notice What a withdrawal must leave: max(2 IMR, 10 %).
    function withdrawalRatioWad(uint256 initialRatio) internal pure returns (uint256) {
        return (2 * initialRatio).max(WITHDRAWAL_FLOOR_WAD);
    }

    /// @notice 0.2 % + 0.6 % (1 - e / (MMR n)) of notional, at most the equity that is left.
    /// @param equity of the account, not negative and below `maintenanceMargin`
    function penalty(
        uint256 equity,
        uint256 maintenanceMargin,
        uint256 notional
    ) internal pure returns (uint256) {
        uint256 rateWad =
            PENALTY_MINIMUM_WAD +
                PENALTY_RANGE_WAD -
                PENALTY_RANGE_WAD.fullMulDiv(equity.min(maintenanceMargin), maintenanceMargin);
        return notional.mulWad(rateWad).min(equity);
    }
}
