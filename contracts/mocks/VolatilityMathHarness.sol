// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VolatilityMath} from "../libraries/VolatilityMath.sol";

/// @title External face of VolatilityMath for tests
/// @notice Each function calls its namesake of the library.
contract VolatilityMathHarness {
    uint256 public constant DAY_DEVIATION_WAD = VolatilityMath.DAY_DEVIATION_WAD;
    uint256 public constant HALF_HOUR_DEVIATION_WAD = VolatilityMath.HALF_HOUR_DEVIATION_WAD;

    function squaredReturnWad(uint256 priceWad, uint256 lastPriceWad) external pure returns (uint256) {
        return VolatilityMath.squaredReturnWad(priceWad, lastPriceWad);
    }

    function decayWeightWad(uint256 elapsed, uint256 timeConstant) external pure returns (uint256) {
        return VolatilityMath.decayWeightWad(elapsed, timeConstant);
    }

    function updatedVarianceWad(
        uint256 varianceWad,
        uint256 squaredReturn,
        uint256 elapsed,
        uint256 timeConstant
    ) external pure returns (uint256) {
        return VolatilityMath.updatedVarianceWad(varianceWad, squaredReturn, elapsed, timeConstant);
    }

    function volatilityWad(uint256 fastVarianceWad, uint256 slowVarianceWad) external pure returns (uint256) {
        return VolatilityMath.volatilityWad(fastVarianceWad, slowVarianceWad);
    }

    function maintenanceVolatilityWad(
        uint256 maintenanceWad,
        uint256 sigmaWad,
        uint256 elapsed
    ) external pure returns (uint256) {
        return VolatilityMath.maintenanceVolatilityWad(maintenanceWad, sigmaWad, elapsed);
    }

    function dayDeviationWad(uint256 sigmaWad) external pure returns (uint256) {
        return VolatilityMath.dayDeviationWad(sigmaWad);
    }

    function halfHourDeviationWad(uint256 sigmaWad) external pure returns (uint256) {
        return VolatilityMath.halfHourDeviationWad(sigmaWad);
    }

    function deviationWad(uint256 sigmaWad, uint256 horizon) external pure returns (uint256) {
        return VolatilityMath.deviationWad(sigmaWad, horizon);
    }
}
