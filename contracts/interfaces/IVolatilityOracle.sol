// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IConstantProductPool} from "./IConstantProductPool.sol";
import {IPriceOracle} from "./IPriceOracle.sol";

/// @title Realized volatility, measured on chain from the price feed's rounds, and the pool's average price to compare with
/// @notice Two exponentially weighted variance rates (half a day and a month, roughly); the larger one counts.
/// @dev The samples are a function of the feed alone: who calls, when and how often changes nothing. The next sample is the first usable
/// round at least 60 s after the last sample. A round is usable when its answer is complete and within the bounds, and when it is not
/// dated after the round that followed it: such a time lies in the future, and waiting for it would stop the measurement. The round
/// that followed is the next id; where the feed has none, the latest round stands in for it.
///
/// Assumption: the feed does not date a round before one that was already good. Where it does, who folded the older round while it was
/// the latest keeps it, and who comes later leaves it out; nothing worse happens.
interface IVolatilityOracle {
    /// @notice How a volatility oracle is deployed.
    /// @param priceOracle guarded price; it must be good at deployment
    /// @param pool constant-product pool of base and quote; it may be empty
    /// @param base base token, which the price is of
    /// @param quote quote token, which the price is in
    /// @param initialVolatilityWad sigma before the first sample, 1e18 per square root of a year; 0.4e18..3e18
    /// @param twapWindowSeconds least age of the pool's average; 10 minutes..1 day, default 30 minutes
    struct Settings {
        IPriceOracle priceOracle;
        IConstantProductPool pool;
        address base;
        address quote;
        uint256 initialVolatilityWad;
        uint256 twapWindowSeconds;
    }

    /// @notice Price and volatility as every action of one transaction sees them.
    /// @param priceWad P, quote per base, 1e18
    /// @param lowerPriceWad P (1 - delta)
    /// @param upperPriceWad P (1 + delta)
    /// @param volatilityWad sigma, per square root of a year of 365 days, 1e18
    /// @param maintenanceVolatilityWad sigma_mm, the same but rising slowly
    /// @param updatedAt publication time of the price, unix seconds
    /// @param roundId the feed's round id
    /// @param caughtUp false while rounds are waiting to be folded by `poke`
    struct Market {
        uint256 priceWad;
        uint256 lowerPriceWad;
        uint256 upperPriceWad;
        uint256 volatilityWad;
        uint256 maintenanceVolatilityWad;
        uint256 updatedAt;
        uint80 roundId;
        bool caughtUp;
    }

    /// @notice A sample entered the estimate. With several folded at once there is one event, with the last one's state.
    /// @param roundId the sampled round, or the last one looked at where several were folded at once
    /// @param priceWad price of the sample, 1e18
    /// @param sampledAt publication time of the sample, unix seconds
    /// @param volatilityWad sigma after it, 1e18
    /// @param maintenanceVolatilityWad sigma_mm after it, 1e18
    event VolatilitySampled(
        uint80 indexed roundId,
        uint256 priceWad,
        uint256 sampledAt,
        uint256 volatilityWad,
        uint256 maintenanceVolatilityWad
    );
    /// @notice The feed moved to another phase (a new aggregator); sampling restarts at its latest round.
    event SamplingRestarted(uint80 indexed roundId, uint256 priceWad, uint256 sampledAt);
    /// @notice A snapshot of the pool was taken, and the one before it became the start of the average.
    /// @param cumulativeLogPriceWad sum of the pool's log price x seconds, as `observe` gives it
    /// @param takenAt unix seconds
    event PoolSnapshotTaken(int256 cumulativeLogPriceWad, uint256 takenAt);

    /// @notice The starting volatility lies outside the floor and the ceiling.
    error VolatilityOracle_InitialVolatilityOutOfBounds(
        uint256 volatilityWad,
        uint256 floorWad,
        uint256 ceilingWad
    );
    /// @notice The window of the pool's average is outside 10 minutes..1 day.
    error VolatilityOracle_TwapWindowOutOfBounds(uint256 windowSeconds, uint256 minimum, uint256 maximum);
    /// @notice The pool trades other tokens.
    error VolatilityOracle_PoolMismatch(address pool, address base, address quote);
    /// @notice The feed went back to an older round: the price is bad until it moves on.
    error VolatilityOracle_RoundRegressed(uint80 roundId, uint80 lastRoundId);

    /// @notice The guarded price this oracle samples.
    function priceOracle() external view returns (address);

    /// @notice The pool whose average the price is compared with.
    function pool() external view returns (address);

    /// @notice Least time in seconds between two snapshots of the pool, and so the least window of its average.
    function twapWindowSeconds() external view returns (uint256);

    /// @notice Reads the price, folds at most two rounds and returns what everything downstream computes with.
    /// Reverts with the price oracle's error while the price is bad, and with `RoundRegressed`.
    function sync() external returns (Market memory market);

    /// @notice What `sync` would return now, without storing it.
    function preview() external view returns (Market memory market);

    /// @notice Folds missed rounds, oldest first, up to `MAXIMUM_ROUNDS_PER_POKE`, and takes a snapshot of the pool when the last one is
    /// at least a window old. A pool that is empty or locked is left for another time. Reverts while the price is bad, as `sync` does.
    /// @return folded how many rounds were looked at
    function poke() external returns (uint256 folded);

    /// @notice Rounds one `poke` folds at most, so that it always fits into a block.
    function MAXIMUM_ROUNDS_PER_POKE() external view returns (uint256);

    /// @notice Whether the price is good and its round not below one seen before: whether `sync` would answer. Never reverts.
    function isGood() external view returns (bool);

    /// @notice Price and publication time of the last sample, to compute with while the live price is bad. Never reverts.
    /// @return priceWad quote per base, 1e18
    /// @return sampledAt unix seconds
    function lastSample() external view returns (uint256 priceWad, uint256 sampledAt);

    /// @notice The last price that was good: the latest round's while nothing but its age or the sequencer is wrong with it,
    /// otherwise that of the last round looked at, and where the feed does not answer the last sample's. Never reverts.
    /// @return priceWad quote per base, 1e18
    /// @return updatedAt publication time, unix seconds
    function lastGood() external view returns (uint256 priceWad, uint256 updatedAt);

    /// @notice How far a price is from the pool's average, and how far it may be.
    /// @dev distance = |ln(TWAP / P)|, TWAP the geometric mean of the pool's price between the last two snapshots, which are at
    /// least a window apart. allowed = max(3 %, 4 sigma sqrt(time since the older one)), so that an average nobody has renewed
    /// for long allows more; 3 % where that is enough, without the rest being computed. `poke` renews it. Never reverts.
    /// @param priceWad P, quote per base, 1e18, above 0
    /// @param volatilityWad sigma, 1e18 per square root of a year
    /// @return distanceWad |ln(TWAP / P)|, 1e18
    /// @return allowedWad largest distance that is in order, 1e18; 2^256 - 1 (and a distance of 0) without two snapshots
    function distanceFromAverage(
        uint256 priceWad,
        uint256 volatilityWad
    ) external view returns (uint256 distanceWad, uint256 allowedWad);

    /// @notice When the two snapshots of the pool were taken, unix seconds; 0 for one that was not.
    function snapshotTimes() external view returns (uint256 olderAt, uint256 newerAt);

    /// @notice sigma as of the last folded round, 1e18 per square root of a year.
    /// Warning: lags the feed until somebody calls `sync` or `poke`.
    function realizedVolatilityWad() external view returns (uint256);

    /// @notice sigma_mm as of the last folded round: falls with sigma at once, rises by at most 10 % per hour.
    /// Warning: lags the feed until somebody calls `sync` or `poke`.
    function maintenanceVolatilityWad() external view returns (uint256);

    /// @notice The estimate's state.
    /// @return fastVarianceWad variance per year with tau = 6 h, 1e18
    /// @return slowVarianceWad variance per year with tau = 16.2 days, 1e18
    /// @return lastPriceWad price of the last sample
    /// @return lastSampledAt time of the last sample, unix seconds
    /// @return lastRoundId last round looked at
    function samples()
        external
        view
        returns (
            uint256 fastVarianceWad,
            uint256 slowVarianceWad,
            uint256 lastPriceWad,
            uint256 lastSampledAt,
            uint80 lastRoundId
        );
}
