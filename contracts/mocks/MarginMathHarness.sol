// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MarginMath} from "../libraries/MarginMath.sol";

/// @title External face of MarginMath for tests
/// @notice Each function calls its namesake of the library.
contract MarginMathHarness {
    function riskTermWad(uint256 sigmaWad) external pure returns (uint256) {
        return MarginMath.riskTermWad(sigmaWad);
    }

    function maintenanceRatioWad(
        uint256 size,
        uint256 skewScale,
        uint256 sigmaWad
    ) external pure returns (uint256) {
        return MarginMath.maintenanceRatioWad(size, skewScale, sigmaWad);
    }

    function initialRatioWad(
        uint256 size,
        uint256 skewScale,
        uint256 sigmaWad,
        uint256 floorWad
    ) external pure returns (uint256) {
        return MarginMath.initialRatioWad(size, skewScale, sigmaWad, floorWad);
    }

    function withdrawalRatioWad(uint256 initialRatio) external pure returns (uint256) {
        return MarginMath.withdrawalRatioWad(initialRatio);
    }

    function restoredRatioWad(uint256 maintenanceRatio, uint256 sigmaWad) external pure returns (uint256) {
        return MarginMath.restoredRatioWad(maintenanceRatio, sigmaWad);
    }

    function liquidation(
        uint256 equity,
        uint256 notional,
        uint256 maintenanceRatio,
        uint256 restoredRatio,
        uint256 dust
    ) external pure returns (uint256 closed, uint256 penalty) {
        return MarginMath.liquidation(equity, notional, maintenanceRatio, restoredRatio, dust);
    }
}
