// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RebalanceMath} from "../libraries/RebalanceMath.sol";

/// @title External face of RebalanceMath for tests
/// @notice Each function calls its namesake of the library.
contract RebalanceMathHarness {
    function maximumChunkPpm(uint256 swapFeePpm) external pure returns (uint256) {
        return RebalanceMath.maximumChunkPpm(swapFeePpm);
    }

    function unwindCostPpm(uint256 swapFeePpm) external pure returns (uint256) {
        return RebalanceMath.unwindCostPpm(swapFeePpm);
    }

    function outerBand(
        uint256 targetVarianceWad,
        uint256 equity,
        uint256 price,
        uint256 sigmaWad,
        uint256 unwindCostPpm_,
        uint256 shockWad
    ) external pure returns (uint256) {
        return RebalanceMath.outerBand(targetVarianceWad, equity, price, sigmaWad, unwindCostPpm_, shockWad);
    }

    function innerBand(uint256 outerBand_) external pure returns (uint256) {
        return RebalanceMath.innerBand(outerBand_);
    }

    function updatedTargetVarianceWad(
        uint256 varianceWad,
        uint256 move,
        uint256 elapsed
    ) external pure returns (uint256) {
        return RebalanceMath.updatedTargetVarianceWad(varianceWad, move, elapsed);
    }

    function targetVarianceOf(uint256 dailyWad) external pure returns (uint256) {
        return RebalanceMath.targetVarianceOf(dailyWad);
    }

    function hedgeRatePpm(
        uint256 cost,
        uint256 notional,
        uint256 unwindCost,
        uint256 prior
    ) external pure returns (uint256) {
        return RebalanceMath.hedgeRatePpm(cost, notional, unwindCost, prior);
    }

    function updatedDepth(uint256 depthEma, uint256 depth, uint256 elapsed) external pure returns (uint256) {
        return RebalanceMath.updatedDepth(depthEma, depth, elapsed);
    }

    function toleranceWad(uint256 swapFeePpm, uint256 eligibleFor) external pure returns (uint256) {
        return RebalanceMath.toleranceWad(swapFeePpm, eligibleFor);
    }

    function remarkedReserves(
        uint256 reserveBase,
        uint256 reserveQuote,
        uint256 price
    ) external pure returns (uint256 markedBase, uint256 markedQuote) {
        return RebalanceMath.remarkedReserves(reserveBase, reserveQuote, price);
    }
}
