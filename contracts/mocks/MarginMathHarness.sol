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
        uint256 sigmaWad
    ) external pure returns (uint256) {
        return MarginMath.initialRatioWad(size, skewScale, sigmaWad);
    }

    function withdrawalRatioWad(uint256 initialRatio) external pure returns (uint256) {
        return MarginMath.withdrawalRatioWad(initialRatio);
    }

    function penalty(
        uint256 equity,
        uint256 maintenanceMargin,
        uint256 notional
    ) external pure returns (uint256) {
        return MarginMath.penalty(equity, maintenanceMargin, notional);
    }
}
