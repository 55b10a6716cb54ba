// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Realized volatility, measured on chain from the price feed's rounds
/// @notice Two exponentially weighted variance rates (half a day and a month, roughly); the larger one counts.
/// @dev The samples are a function of the feed alone: who calls, when and how often changes nothing.
interface IVolatilityOracle {
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

    /// @notice A sample entered the estimate.
    event VolatilitySampled(
        uint80 indexed roundId,
        uint256 priceWad,
        uint256 sampledAt,
        uint256 fastVarianceWad,
        uint256 slowVarianceWad,
        uint256 maintenanceVolatilityWad
    );
    /// @notice The feed moved to another phase (a new aggregator); sampling restarts at its latest round.
    event SamplingRestarted(uint80 indexed roundId, uint256 priceWad, uint256 sampledAt);

    /// @notice The starting volatility lies outside the floor and the ceiling.
    error VolatilityOracle_InitialVolatilityOutOfBounds(
        uint256 volatilityWad,
        uint256 floorWad,
        uint256 ceilingWad
    );

    /// @notice The feed went back to an older round: the price is bad until it moves on.
    error VolatilityOracle_RoundRegressed(uint80 roundId, uint80 lastRoundId);

    /// @notice The guarded price this oracle samples.
    function priceOracle() external view returns (address);

    /// @notice Reads the price, folds at most two rounds and returns what everything downstream computes with.
    /// Reverts with the price oracle's error while the price is bad, and with `RoundRegressed`.
    function sync() external returns (Market memory market);

    /// @notice What `sync` would return now, without storing it.
    function preview() external view returns (Market memory market);

    /// @notice Folds missed rounds, oldest first, up to `MAXIMUM_ROUNDS_PER_POKE`.
    /// @return folded how many rounds were looked at
    function poke() external returns (uint256 folded);

    /// @notice Rounds one `poke` folds at most, so that it always fits into a block.
    function MAXIMUM_ROUNDS_PER_POKE() external view returns (uint256);

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
