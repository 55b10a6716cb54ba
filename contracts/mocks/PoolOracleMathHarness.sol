// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PoolHistory, PoolHistoryLibrary} from "../libraries/PoolHistory.sol";
import {PoolOracleMath} from "../libraries/PoolOracleMath.sol";

/// @title External face of PoolOracleMath and PoolHistory for tests
/// @notice Each function calls its namesake of the libraries; histories go in and out as the words that a pool stores.
contract PoolOracleMathHarness {
    function touched(
        uint256 history,
        uint256 reserve0,
        uint256 reserve1,
        uint256 elapsed
    ) external pure returns (uint256) {
        return
            PoolHistory.unwrap(
                PoolOracleMath.touched(PoolHistory.wrap(history), reserve0, reserve1, elapsed)
            );
    }

    function approximateLogPrice(uint256 reserve0, uint256 reserve1) external pure returns (int256) {
        return PoolOracleMath.approximateLogPrice(reserve0, reserve1);
    }

    function decayOf(uint256 elapsed) external pure returns (uint256) {
        return PoolOracleMath.decayOf(elapsed);
    }

    /// @notice decayOf(first), decayOf(first + step), and so on.
    function decaysOf(
        uint256 first,
        uint256 step,
        uint256 count
    ) external pure returns (uint256[] memory decays) {
        decays = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) decays[i] = PoolOracleMath.decayOf(first + step * i);
    }

    function swapFeeDown(
        uint256 varianceRateWad,
        uint256 minSwapFee,
        uint256 maxSwapFee,
        uint256 volatilityFeeMultiplierWad
    ) external pure returns (uint256) {
        return
            PoolOracleMath.swapFeeDown(varianceRateWad, minSwapFee, maxSwapFee, volatilityFeeMultiplierWad);
    }

    function pack(
        int256 cumulativeLogPrice,
        int256 logPrice,
        uint256 returnWeight,
        uint256 varianceRateWad,
        uint256 swapFee
    ) external pure returns (uint256) {
        return
            PoolHistory.unwrap(
                PoolHistoryLibrary
                    .pack(cumulativeLogPrice, logPrice, returnWeight, varianceRateWad)
                    .withSwapFee(swapFee)
            );
    }

    function unpack(
        uint256 history
    )
        external
        pure
        returns (
            int256 cumulativeLogPrice,
            int256 logPrice,
            uint256 returnWeight,
            uint256 varianceRateWad,
            uint256 swapFee
        )
    {
        PoolHistory parts = PoolHistory.wrap(history);
        return (
            parts.cumulativeLogPrice(),
            parts.logPrice(),
            parts.returnWeight(),
            parts.varianceRateWad(),
            parts.swapFee()
        );
    }
}
