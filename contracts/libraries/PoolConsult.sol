// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

import {IConstantProductPool} from "../interfaces/IConstantProductPool.sol";
import {PoolOracleMath} from "./PoolOracleMath.sol";

/// @title Average price and volatility of a pool, for other contracts
/// @notice Keep a snapshot, take another one later: the two give the geometric mean price and the realized volatility between them.
/// Prices are token1 per token0, logarithms natural.
///
/// @dev With d = 2^(-window / 30 minutes), and the pool's variance rate V a mean over all its past in which a second weighs k dt at the
/// end and half as much 30 minutes earlier (`PoolOracleMath`), let q(s) be the squared log return per second at s:
///
///     V(to) = integral of k q(s) 2^(-(to - s) / 30 min) ds up to `to`
///           = d V(from) + the same integral from `from` to `to`
///
/// The weights k 2^(..) ds of the window sum to 1 - d. Its own weighted mean is therefore (V(to) - d V(from)) / (1 - d), in which a
/// second still weighs half as much as one 30 minutes later: after some hours, what the first half of a window brought is forgotten.
///
/// Warnings, for whoever lets money depend on the result:
///
/// - Only prices at the end of a block count, each until the end of the next block that touched the pool. What moved within a block is
///   not seen, nor is the block of the second snapshot. A pool that nobody touches repeats its last price and calls that calm.
/// - A move is spread over the time since the touch before it, and counts in the window in which it becomes known. Call `sync` on the
///   pool before the first snapshot to have every gap begin in the window; otherwise the quiet before the window makes its first move
///   look smaller.
/// - Anyone can move the price, and the weight of the end of a block does not depend on how deep the pool is. A price that is off by the
///   factor e^u for h seconds moves the mean logarithm by u h / window. Where y is the value of one reserve, each block in which
///   others can trade against it costs y (e^(u / 4) - e^(-u / 4))^2, some y u^2 / 4, and the trades there and back pay the pool's
///   fee on y u / 2 each. Who makes blocks in a row pays only the fee, and who owns the liquidity gets that back. So let the window
///   be long and bound the distance to another source.
/// - Volatility is cheap to raise: a move by u and back in the next block adds up to 2 u^2 x ln 2 / 1800 s to the rate. With u = 1 %
///   that alone is 156 % a year. Nobody can lower it but by trading against the moves of others in their own block.
library PoolConsult {
    /// @notice What `IConstantProductPool.observe` said at one moment; one storage slot.
    /// @dev The sum stays below 77.7e18 x 2^32 s, which needs 100 bits; the pool keeps its variance rate in 64.
    /// @param cumulativeLogPriceWad Sum of log price x seconds, 1e18.
    /// @param varianceRateWad Mean squared log return per second, 1e18.
    /// @param timestamp Unix seconds; 0 in a snapshot that was never taken.
    struct Snapshot {
        int128 cumulativeLogPriceWad;
        uint64 varianceRateWad;
        uint64 timestamp;
    }

    /// @notice The pool has had no deposit: its history begins with the first one.
    error PoolConsult_NoLiquidity(address pool);

    /// @notice The first snapshot was never taken, or not before the second one.
    error PoolConsult_InvalidWindow(uint256 fromTimestamp, uint256 toTimestamp);

    /// @dev ln 10, 1e18.
    int256 private constant LN_10_WAD = 2_302585092994045684;
    uint256 private constant YEAR = 365 days;

    /// @notice What the pool knows of its past now. Reverts while the pool is locked.
    function snapshot(IConstantProductPool pool) internal view returns (Snapshot memory) {
        // Strangers can give an empty pool prices, which the first deposit throws away. The supply never returns to 0.
        if (IERC20(address(pool)).totalSupply() == 0) revert PoolConsult_NoLiquidity(address(pool));
        (int256 cumulativeLogPriceWad, , uint256 varianceRateWad, uint256 timestamp) = pool.observe();
        return Snapshot(int128(cumulativeLogPriceWad), uint64(varianceRateWad), uint64(timestamp));
    }

    /// @notice Mean of the log price between two snapshots of the same pool, 1e18, rounded toward zero; in token units.
    function meanLogPriceWad(Snapshot memory from, Snapshot memory to) internal pure returns (int256) {
        uint256 window = _window(from, to);
        return (int256(to.cumulativeLogPriceWad) - from.cumulativeLogPriceWad) / int256(window);
    }

    /// @notice Geometric mean price between two snapshots of the same pool: whole token1 per whole token0, 1e18, rounded down.
    /// @dev The decimals enter before the exponential, so that a small ratio of token units costs no digits. Never overflows: with at
    /// most 18 decimals the logarithm stays below 119.1. The price of token1 is the reciprocal.
    /// @param decimals0 Decimals of token0, at most 18. Twice 0 gives the ratio of token units.
    /// @param decimals1 Decimals of token1, at most 18.
    function geometricMeanPriceWad(
        Snapshot memory from,
        Snapshot memory to,
        uint8 decimals0,
        uint8 decimals1
    ) internal pure returns (uint256) {
        int256 scaleWad = (int256(uint256(decimals0)) - int256(uint256(decimals1))) * LN_10_WAD;
        return uint256(FixedPointMathLib.expWad(meanLogPriceWad(from, to) + scaleWad));
    }

    /// @notice Realized volatility between two snapshots of the same pool, 1e18 per square root of a year of 365 days, rounded down.
    /// @dev Decaying at once and decaying touch by touch round differently: a calm window may show up to 0.12 % of the volatility that
    /// the first snapshot held. Where rounding leaves less than nothing, the result is 0.
    function realizedVolatilityWad(Snapshot memory from, Snapshot memory to) internal pure returns (uint256) {
        uint256 decay = PoolOracleMath.decayOf(_window(from, to));
        // Nothing overflows: rates are below 2^64, 1 - d is at least 2^-12, a year of seconds has 25 bits.
        unchecked {
            uint256 sum = uint256(to.varianceRateWad) << 64;
            uint256 carried = from.varianceRateWad * decay;
            if (sum <= carried) return 0;
            uint256 rateWad = (sum - carried) / ((1 << 64) - decay);
            return FixedPointMathLib.sqrt(rateWad * YEAR * 1e18);
        }
    }

    function _window(Snapshot memory from, Snapshot memory to) private pure returns (uint256) {
        if (from.timestamp == 0 || from.timestamp >= to.timestamp)
            revert PoolConsult_InvalidWindow(from.timestamp, to.timestamp);
        unchecked {
            return to.timestamp - from.timestamp;
        }
    }
}
