// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Guarded index price: a Chainlink-style feed, checked at every read
/// @notice The constant-product pool is never an input of this price.
/// @dev Assumptions on the feeds: they answer the five functions of AggregatorV3Interface, their decimals never change,
/// and a round, once published, keeps its answer. What they answer is checked here; a price that fails a check is
/// "bad" and everything that adds risk or moves inventory stops until the feed recovers.
interface IPriceOracle {
    /// @notice How a price oracle is deployed.
    /// @param feed Chainlink-style feed, quote per base, 6 to 18 decimals; its latest round must be good
    /// @param heartbeatSeconds the feed's promise: at least one round in this time; 1 minute..25 hours
    /// @param priceBandWad delta, 1e18; 0..1 %
    /// @param deviationThresholdWad price move at which the feed publishes before its heartbeat, 1e18; 0..5 %
    /// @param sequencerFeed L2 sequencer uptime feed; the zero address where there is no sequencer
    /// @param sequencerGraceSeconds how long the sequencer must have been up again; 1 minute..25 hours, default 1 hour;
    /// ignored without a sequencer feed
    struct Settings {
        address feed;
        uint256 heartbeatSeconds;
        uint256 priceBandWad;
        uint256 deviationThresholdWad;
        address sequencerFeed;
        uint256 sequencerGraceSeconds;
    }

    /// @notice Everything that decides whether a round is good, fixed at deployment.
    /// @param feed Chainlink-style feed, quote per base
    /// @param feedScale what an answer is multiplied by to have 18 decimals
    /// @param lowerAnswer least answer that counts, in the feed's units
    /// @param upperAnswer largest answer that counts, in the feed's units
    /// @param priceBandWad delta, 1e18
    /// @param maximumAgeSeconds age above which a round is stale
    /// @param sequencerFeed L2 sequencer uptime feed, or the zero address
    /// @param sequencerGraceSeconds how long the sequencer must have been up again; 0 without a sequencer feed
    struct Guard {
        address feed;
        uint256 feedScale;
        uint256 lowerAnswer;
        uint256 upperAnswer;
        uint256 priceBandWad;
        uint256 maximumAgeSeconds;
        address sequencerFeed;
        uint256 sequencerGraceSeconds;
    }

    /// @notice One published round of the feed, scaled to 18 decimals.
    /// @param priceWad quote per base in whole tokens, 1e18
    /// @param updatedAt when the round was published, unix seconds
    /// @param roundId the feed's own id (phase << 64 | round)
    struct Round {
        uint256 priceWad;
        uint256 updatedAt;
        uint80 roundId;
    }

    // ------------------------------------------------------------------------------------------------------------ at deployment

    /// @notice The price band is outside 0..1 %.
    error PriceOracle_PriceBandOutOfBounds(uint256 priceBandWad, uint256 maximumWad);
    /// @notice The deviation threshold is above 5 %, and with it the LP price band.
    error PriceOracle_LpPriceBandOutOfBounds(uint256 lpPriceBandWad, uint256 minimumWad, uint256 maximumWad);
    /// @notice The heartbeat is outside 1 minute..25 hours.
    error PriceOracle_HeartbeatOutOfBounds(uint256 heartbeatSeconds, uint256 minimum, uint256 maximum);
    /// @notice The sequencer's grace is outside 1 minute..25 hours.
    error PriceOracle_SequencerGraceOutOfBounds(uint256 graceSeconds, uint256 minimum, uint256 maximum);
    /// @notice The feed's decimals are outside 6..18.
    error PriceOracle_FeedDecimalsOutOfBounds(uint8 decimals, uint8 minimum, uint8 maximum);
    /// @notice A thousandth of the feed's answer at deployment is less than one unit of the feed, or a thousand times the
    /// answer is more than 1e12 quote per base.
    error PriceOracle_InitialAnswerOutOfBounds(int256 answer, int256 minimum, int256 maximum);

    // ---------------------------------------------------------------------------------------------------------- while it is bad

    /// @notice The feed reverts, is gone, or does not answer what a feed answers.
    error PriceOracle_FeedUnavailable(address feed);
    /// @notice The round was never finished, carries an older round's answer, or claims to come from the future.
    error PriceOracle_RoundIncomplete(uint80 roundId, uint80 answeredInRound, uint256 updatedAt);
    /// @notice The feed answered zero or less.
    error PriceOracle_PriceNotPositive(uint80 roundId, int256 answer);
    /// @notice The feed answered less than a thousandth or more than a thousand times what it did at deployment.
    error PriceOracle_PriceOutOfBounds(uint80 roundId, int256 answer, int256 lower, int256 upper);
    /// @notice The last round is older than heartbeat and grace together allow.
    error PriceOracle_PriceStale(uint80 roundId, uint256 updatedAt, uint256 maximumAgeSeconds);
    /// @notice The sequencer feed says anything but "up" (0).
    error PriceOracle_SequencerDown(int256 status, uint256 downSince);
    /// @notice The sequencer is up again, but the grace is not over: users cannot have reacted yet.
    error PriceOracle_SequencerInGrace(uint256 upSince, uint256 graceSeconds);
    /// @notice The sequencer feed has no status yet, or one from the future.
    error PriceOracle_SequencerRoundInvalid(uint80 roundId, uint256 startedAt);

    /// @notice The feed that is read.
    function feed() external view returns (address);

    /// @notice The L2 sequencer uptime feed that must say "up"; the zero address where none is asked.
    function sequencerFeed() external view returns (address);

    /// @notice Half-width delta of the price band, a ratio in 1e18: lower and upper are P (1 -+ delta).
    function priceBandWad() external view returns (uint256);

    /// @notice Half-width of the band LP shares are priced with: max(delta, the feed's deviation threshold), 1e18.
    function lpPriceBandWad() external view returns (uint256);

    /// @notice Age in seconds (heartbeat and grace) above which the last round is stale.
    function maximumAgeSeconds() external view returns (uint256);

    /// @notice Prices between which an answer counts, both included, 1e18: a thousandth of and a thousand times the answer at
    /// deployment, the lower rounded down to the feed's units.
    function answerBounds() external view returns (uint256 lowerWad, uint256 upperWad);

    /// @notice All checks in numbers, for contracts that read the feed themselves.
    function guard() external view returns (Guard memory);

    /// @notice The guarded price. Reverts with a named error while it is bad.
    /// @return priceWad P, quote per base, 1e18, at most 1e30
    /// @return lowerWad P (1 - delta), rounded down
    /// @return upperWad P (1 + delta), rounded up
    /// @return updatedAt publication time of the round, unix seconds
    /// @return roundId the feed's round id
    function latestPrice()
        external
        view
        returns (uint256 priceWad, uint256 lowerWad, uint256 upperWad, uint256 updatedAt, uint80 roundId);

    /// @notice Whether `latestPrice` answers now. Never reverts.
    /// Warning: looks at the latest round alone and does not know which rounds came before. Whether the feed went back to an older
    /// round, only IVolatilityOracle.isGood can tell.
    function isGood() external view returns (bool);

    /// @notice Signs of life, to tell a dead feed from a sequencer that was down. Never reverts.
    /// @dev A feed that does not answer has no usable round. A sequencer feed that does not answer cannot say "down"; it makes every
    /// price bad, so then there is no usable round either. Not even a caller who hands over too little gas can make a
    /// living feed look dead to a contract that goes on to spend more than 1/63 of what the feed costs.
    /// @return sequencerUp false while the sequencer feed says "down"
    /// @return countedFrom when the sequencer's grace ended or will end, unix seconds; 0 without a sequencer feed, without its
    /// answer, and while it is down
    /// @return lastRoundAt publication time of the feed's latest round, however old, if it passes every other check; else 0
    function liveness() external view returns (bool sequencerUp, uint256 countedFrom, uint256 lastRoundAt);

    /// @notice A past round.
    /// @return valid false where the feed has no such round or its answer is not usable. Never reverts.
    /// @return round the round; zeros where it is not valid
    function roundAt(uint80 roundId) external view returns (bool valid, Round memory round);
}
