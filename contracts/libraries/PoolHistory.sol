// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What a pool remembers of its prices, in one word. From the highest bit, with the largest value each part can reach:
///
/// | bits | part | unit | largest |
/// |---:|---|---|---|
/// | 88, signed | sum of log price x seconds since the first deposit | 1e14 | 77.7 x 2^32 s, 85 bits |
/// | 56, signed | natural log of the price that stood before the last touch | 1e14 | 77.7, 54 bits |
/// | 32 | weight of the move since then; 0: the first price is to come | 1 per second, 2^43 | ln 2 / 1800 s, 32 bits |
/// | 64 | variance rate | 1 per second, 1e18 | 18.4, larger values are cut |
/// | 16 | fee of swaps in the block of the last touch | 1e6 = 100 % | 50,000 |
///
/// `PoolOracleMath` says what they mean.
type PoolHistory is uint256;

using PoolHistoryLibrary for PoolHistory global;

/// @title Access to the parts of `PoolHistory`
library PoolHistoryLibrary {
    /// @notice The history of a pool that has had no price yet.
    function begun(uint256 swapFee_) internal pure returns (PoolHistory) {
        return PoolHistory.wrap(swapFee_);
    }

    /// @dev Every argument must fit its width. The fee is left 0.
    function pack(
        int256 cumulativeLogPrice_,
        int256 logPrice_,
        uint256 returnWeight_,
        uint256 varianceRateWad_
    ) internal pure returns (PoolHistory) {
        return
            PoolHistory.wrap(
                (uint256(cumulativeLogPrice_) << 168) |
                    ((uint256(logPrice_) << 200) >> 88) |
                    (returnWeight_ << 80) |
                    (varianceRateWad_ << 16)
            );
    }

    /// @dev The fee must be 0 so far.
    function withSwapFee(PoolHistory self, uint256 swapFee_) internal pure returns (PoolHistory) {
        return PoolHistory.wrap(PoolHistory.unwrap(self) | swapFee_);
    }

    function cumulativeLogPrice(PoolHistory self) internal pure returns (int256) {
        return int256(PoolHistory.unwrap(self)) >> 168;
    }

    function logPrice(PoolHistory self) internal pure returns (int256) {
        return int256(PoolHistory.unwrap(self) << 88) >> 200;
    }

    function returnWeight(PoolHistory self) internal pure returns (uint256) {
        return uint32(PoolHistory.unwrap(self) >> 80);
    }

    function varianceRateWad(PoolHistory self) internal pure returns (uint256) {
        return uint64(PoolHistory.unwrap(self) >> 16);
    }

    function swapFee(PoolHistory self) internal pure returns (uint256) {
        return uint16(PoolHistory.unwrap(self));
    }
}
