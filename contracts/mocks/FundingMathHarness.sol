// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FundingMath} from "../libraries/FundingMath.sol";

/// @title External face of FundingMath for tests
/// @notice Each function calls its namesake of the library.
contract FundingMathHarness {
    function targetRateWad(int256 skew, int256 skewCap) external pure returns (int256) {
        return FundingMath.targetRateWad(skew, skewCap);
    }

    function accrue(
        int256 rateWad,
        int256 targetWad,
        uint256 elapsed
    ) external pure returns (int256 accrualWad, int256 nextRateWad) {
        return FundingMath.accrue(rateWad, targetWad, elapsed);
    }
}
