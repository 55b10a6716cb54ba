// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";

/// @title PriceOracle
/// @notice See IPriceOracle.
contract PriceOracle is IPriceOracle {
    using FixedPointMathLib for uint256;

    uint256 private constant WAD = 1e18;
    uint256 private constant MAXIMUM_PRICE_BAND_WAD = 0.01e18;
    uint256 private constant MAXIMUM_LP_PRICE_BAND_WAD = 0.05e18;
    uint256 private constant MINIMUM_HEARTBEAT = 1 minutes;
    uint256 private constant MAXIMUM_HEARTBEAT = 25 hours;
    /// How late a heartbeat may be before the price counts as stale: one slow block of a congested chain.
    uint256 private constant GRACE = 5 minutes;
    /// Above this an answer is nonsense, and downstream products could overflow: 1e18 quote per base.
    uint256 private constant MAXIMUM_PRICE_WAD = 1e36;
    uint8 private constant MINIMUM_FEED_DECIMALS = 6;
    uint8 private constant MAXIMUM_FEED_DECIMALS = 18;

    AggregatorV3Interface private immutable FEED;
    uint256 private immutable FEED_SCALE;
    uint256 private immutable PRICE_BAND_WAD;
    uint256 private immutable LP_PRICE_BAND_WAD;
    uint256 private immutable MAXIMUM_AGE;

    /// @param feed_ Chainlink-style feed, quote per base
    /// @param heartbeatSeconds the feed's promise: at least one round in this time
    /// @param priceBandWad_ delta, 1e18
    /// @param deviationThresholdWad price move at which the feed publishes before its heartbeat, 1e18
    constructor(
        AggregatorV3Interface feed_,
        uint256 heartbeatSeconds,
        uint256 priceBandWad_,
        uint256 deviationThresholdWad
    ) {
        if (priceBandWad_ > MAXIMUM_PRICE_BAND_WAD) {
            revert PriceOracle_PriceBandOutOfBounds(priceBandWad_, MAXIMUM_PRICE_BAND_WAD);
        }
        uint256 lpPriceBandWad_ = priceBandWad_.max(deviationThresholdWad);
        if (lpPriceBandWad_ > MAXIMUM_LP_PRICE_BAND_WAD) {
            revert PriceOracle_LpPriceBandOutOfBounds(
                lpPriceBandWad_,
                priceBandWad_,
                MAXIMUM_LP_PRICE_BAND_WAD
            );
        }
        if (heartbeatSeconds < MINIMUM_HEARTBEAT || heartbeatSeconds > MAXIMUM_HEARTBEAT) {
            revert PriceOracle_HeartbeatOutOfBounds(heartbeatSeconds, MINIMUM_HEARTBEAT, MAXIMUM_HEARTBEAT);
        }
        uint8 feedDecimals = feed_.decimals();
        if (feedDecimals < MINIMUM_FEED_DECIMALS || feedDecimals > MAXIMUM_FEED_DECIMALS) {
            revert PriceOracle_FeedDecimalsOutOfBounds(
                feedDecimals,
                MINIMUM_FEED_DECIMALS,
                MAXIMUM_FEED_DECIMALS
            );
        }
        FEED = feed_;
        FEED_SCALE = 10 ** (MAXIMUM_FEED_DECIMALS - feedDecimals);
        PRICE_BAND_WAD = priceBandWad_;
        LP_PRICE_BAND_WAD = lpPriceBandWad_;
        MAXIMUM_AGE = heartbeatSeconds + GRACE;
    }

    /// @inheritdoc IPriceOracle
    function feed() external view returns (address) {
        return address(FEED);
    }

    /// @inheritdoc IPriceOracle
    function priceBandWad() external view returns (uint256) {
        return PRICE_BAND_WAD;
    }

    /// @inheritdoc IPriceOracle
    function lpPriceBandWad() external view returns (uint256) {
        return LP_PRICE_BAND_WAD;
    }

    /// @inheritdoc IPriceOracle
    function maximumAgeSeconds() external view returns (uint256) {
        return MAXIMUM_AGE;
    }

    /// @inheritdoc IPriceOracle
    function latestPrice()
        public
        view
        returns (uint256 priceWad, uint256 lowerWad, uint256 upperWad, uint256 updatedAt, uint80 roundId)
    {
        int256 answer;
        uint80 answeredInRound;
        (roundId, answer, , updatedAt, answeredInRound) = FEED.latestRoundData();
        if (updatedAt == 0 || updatedAt > block.timestamp || answeredInRound < roundId) {
            revert PriceOracle_RoundIncomplete(roundId, answeredInRound, updatedAt);
        }
        if (answer <= 0) revert PriceOracle_PriceNotPositive(roundId, answer);
        if (uint256(answer) > MAXIMUM_PRICE_WAD / FEED_SCALE) {
            revert PriceOracle_PriceTooLarge(roundId, answer, int256(MAXIMUM_PRICE_WAD / FEED_SCALE));
        }
        if (block.timestamp - updatedAt > MAXIMUM_AGE)
            revert PriceOracle_PriceStale(roundId, updatedAt, MAXIMUM_AGE);

        priceWad = uint256(answer) * FEED_SCALE;
        lowerWad = priceWad.mulWad(WAD - PRICE_BAND_WAD);
        upperWad = priceWad.mulWadUp(WAD + PRICE_BAND_WAD);
    }

    /// @inheritdoc IPriceOracle
    function isGood() external view returns (bool) {
        try this.latestPrice() returns (uint256, uint256, uint256, uint256, uint80) {
            return true;
        } catch {
            return false;
        }
    }

    /// @inheritdoc IPriceOracle
    function roundAt(uint80 roundId) external view returns (bool valid, Round memory round) {
        try FEED.getRoundData(roundId) returns (
            uint80 id,
            int256 answer,
            uint256,
            uint256 updatedAt,
            uint80 answeredInRound
        ) {
            valid =
                id == roundId &&
                answer > 0 &&
                updatedAt != 0 &&
                updatedAt <= block.timestamp &&
                answeredInRound >= roundId &&
                uint256(answer) <= MAXIMUM_PRICE_WAD / FEED_SCALE;
            if (valid) round = Round(uint256(answer) * FEED_SCALE, updatedAt, roundId);
        } catch {
            // The feed has no such round (aggregators skip ids): not an error, only no sample.
        }
    }
}
