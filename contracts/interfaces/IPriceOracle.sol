// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Guarded index price: a Chainlink-style feed, checked at every read
/// @notice The constant-product pool is never an input of this price.
/// @dev Assumptions on the feed: it answers the five functions of AggregatorV3Interface, its decimals never change,
/// and a round, once published, keeps its answer. What it answers is checked here; a price that fails a check is
/// "bad" and everything that adds risk or moves inventory stops until the feed recovers.
interface IPriceOracle {
    /// @notice One published round of the feed, scaled to 18 decimals.
    /// @param priceWad quote per base in whole tokens, 1e18
    /// @param updatedAt when the round was published, unix seconds
    /// @param roundId the feed's own id (phase << 64 | round)
    struct Round {
        uint256 priceWad;
        uint256 updatedAt;
        uint80 roundId;
    }

    /// @notice The price band is outside 0..1 %.
    error PriceOracle_PriceBandOutOfBounds(uint256 priceBandWad, uint256 maximumWad);
    /// @notice The LP price band is below the price band or above 5 %.
    error PriceOracle_LpPriceBandOutOfBounds(uint256 lpPriceBandWad, uint256 minimumWad, uint256 maximumWad);
    /// @notice The heartbeat is outside 1 minute..25 hours.
    error PriceOracle_HeartbeatOutOfBounds(uint256 heartbeatSeconds, uint256 minimum, uint256 maximum);
    /// @notice The feed's decimals are outside 6..18.
    error PriceOracle_FeedDecimalsOutOfBounds(uint8 decimals, uint8 minimum, uint8 maximum);
    /// @notice The feed answered zero or less.
    error PriceOracle_PriceNotPositive(uint80 roundId, int256 answer);
    /// @notice The feed answered more than 1e18 quote per base.
    error PriceOracle_PriceTooLarge(uint80 roundId, int256 answer, int256 maximum);
    /// @notice The round was never finished, carries an older round's answer, or claims to come from the future.
    error PriceOracle_RoundIncomplete(uint80 roundId, uint80 answeredInRound, uint256 updatedAt);
    /// @notice The last round is older than heartbeat and grace together allow.
    error PriceOracle_PriceStale(uint80 roundId, uint256 updatedAt, uint256 maximumAgeSeconds);

    /// @notice The feed that is read.
    function feed() external view returns (address);

    /// @notice Half-width delta of the price band, a ratio in 1e18: lower and upper are P (1 -+ delta).
    function priceBandWad() external view returns (uint256);

    /// @notice Half-width of the band LP shares are priced with: max(delta, the feed's deviation threshold), 1e18.
    function lpPriceBandWad() external view returns (uint256);

    /// @notice Age in seconds (heartbeat and grace) above which the last round is stale.
    function maximumAgeSeconds() external view returns (uint256);

    /// @notice The guarded price. Reverts with a named error while it is bad.
    /// @return priceWad P, quote per base, 1e18
    /// @return lowerWad P (1 - delta), rounded down
    /// @return upperWad P (1 + delta), rounded up
    /// @return updatedAt publication time of the round, unix seconds
    /// @return roundId the feed's round id
    function latestPrice()
        external
        view
        returns (uint256 priceWad, uint256 lowerWad, uint256 upperWad, uint256 updatedAt, uint80 roundId);

    /// @notice Whether the price is good now. Never reverts.
    function isGood() external view returns (bool);

    /// @notice A past round, for the volatility estimate.
    /// @return valid false where the feed has no such round or its answer is not usable; does not revert on a feed with the promised interface
    function roundAt(uint80 roundId) external view returns (bool valid, Round memory round);
}
