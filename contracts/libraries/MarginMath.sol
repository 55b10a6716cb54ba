// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {VolatilityMath} from "./VolatilityMath.sol";

/// @title Margin ratios and the liquidation penalty
/// @notice Ratios of notional, 1e18. Sizes are magnitudes in base, scaled to 18 decimals.
library MarginMath {
    using FixedPointMathLib for uint256;

    uint256 internal constant WAD = 1e18;
    uint256 internal constant RESTORED_FLOOR_WAD = 0.04e18;
    uint256 internal constant MAINTENANCE_FLOOR_WAD = 0.01e18;
    uint256 internal constant LIQUIDATION_PART_WAD = 0.005e18;
    /// Four standard deviations over half an hour: the time a liquidation may take.
    uint256 internal constant DEVIATIONS = 4;
    uint256 internal constant WITHDRAWAL_FLOOR_WAD = 0.1e18;
    uint256 internal constant PENALTY_MINIMUM_WAD = 0.002e18;
    uint256 internal constant PENALTY_RANGE_WAD = 0.006e18;

    /// @notice 4 sigma sqrt(h_m).
    function riskTermWad(uint256 sigmaWad) internal pure returns (uint256) {
        unchecked {
            return DEVIATIONS * VolatilityMath.halfHourDeviationWad(sigmaWad);
        }
    }

    /// @notice MMR = max(1 %, 0.5 % + size / (2 skewScale) + 4 sigma sqrt(h_m)), rounded up.
    /// size / (2 skewScale) is what closing the position alone would move the skew premium.
    function maintenanceRatioWad(
        uint256 size,
        uint256 skewScale,
        uint256 sigmaWad
    ) internal pure returns (uint256) {
        unchecked {
            return
                (LIQUIDATION_PART_WAD + size.fullMulDivUp(WAD, 2 * skewScale) + riskTermWad(sigmaWad)).max(
                    MAINTENANCE_FLOOR_WAD
                );
        }
    }

    /// @notice IMR = max(floor, MMR + 4 sigma sqrt(h_m)), all at the volatility of now.
    /// @param floorWad 4 % unless the owner has raised it
    function initialRatioWad(
        uint256 size,
        uint256 skewScale,
        uint256 sigmaWad,
        uint256 floorWad
    ) internal pure returns (uint256) {
        unchecked {
            return (maintenanceRatioWad(size, skewScale, sigmaWad) + riskTermWad(sigmaWad)).max(floorWad);
        }
    }

    /// @notice What a withdrawal must leave: max(2 IMR, 10 %).
    function withdrawalRatioWad(uint256 initialRatio) internal pure returns (uint256) {
        return (2 * initialRatio).max(WITHDRAWAL_FLOOR_WAD);
    }

    /// @notice IMR_liq = max(4 %, MMR + 4 sigma_mm sqrt(h_m)): the margin a partial liquidation restores.
    function restoredRatioWad(uint256 maintenanceRatio, uint256 sigmaWad) internal pure returns (uint256) {
        return (maintenanceRatio + riskTermWad(sigmaWad)).max(RESTORED_FLOOR_WAD);
    }

    /// @notice What a liquidation closes and takes. With rate = 0.2 % + 0.6 % (1 - e / (MMR n)) it closes
    /// z = (IMR_liq n - e) / (IMR_liq - rate), which leaves e - rate z = IMR_liq (n - z). All of it is closed when z
    /// reaches n, when less than `dust` would remain, when half of the maintenance margin is gone, or when the penalty
    /// would take everything that is left.
    /// @param equity e, not negative and below MMR n
    /// @param notional n
    /// @param dust least notional worth keeping open
    /// @return closed z, or n
    /// @return penalty rate x closed, at most e
    function liquidation(
        uint256 equity,
        uint256 notional,
        uint256 maintenanceRatio,
        uint256 restoredRatio,
        uint256 dust
    ) internal pure returns (uint256 closed, uint256 penalty) {
        uint256 maintenance = notional.mulWadUp(maintenanceRatio);
        uint256 rate =
            PENALTY_MINIMUM_WAD +
                PENALTY_RANGE_WAD -
                PENALTY_RANGE_WAD.fullMulDiv(equity.min(maintenance), maintenance);
        penalty = notional.mulWad(rate);
        if (penalty >= equity) return (notional, equity);
        // IMR_liq is at least 4 %, the rate at most 0.8 %
        closed = (notional.mulWadUp(restoredRatio) - equity).divWadUp(restoredRatio - rate);
        if (2 * equity < maintenance || closed + dust > notional) return (notional, penalty);
        penalty = closed.mulWad(rate);
    }
}
