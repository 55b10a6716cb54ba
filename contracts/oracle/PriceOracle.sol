// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {GuardedFeed} from "./GuardedFeed.sol";

/// @title PriceOracle
/// @notice See IPriceOracle.
contract PriceOracle is IPriceOracle, GuardedFeed {
    uint256 private constant MAXIMUM_PRICE_BAND_WAD = 0.01e18;
    uint256 private constant MAXIMUM_LP_PRICE_BAND_WAD = 0.05e18;
    uint256 private constant MINIMUM_SECONDS = 1 minutes;
    uint256 private constant MAXIMUM_SECONDS = 25 hours;
    /// How late a heartbeat may be before the price counts as stale: one slow block of a congested chain.
    uint256 private constant GRACE = 5 minutes;
    /// How far an answer may ever be from the first one, up or down.
    uint256 private constant ANSWER_RANGE = 1_000;
    /// No upper bound is above this, so that downstream products have room: 1e12 quote per base.
    uint256 private constant MAXIMUM_PRICE_WAD = 1e30;
    uint8 private constant MINIMUM_FEED_DECIMALS = 6;
    uint8 private constant MAXIMUM_FEED_DECIMALS = 18;

    uint256 private immutable LP_PRICE_BAND_WAD;

    constructor(Settings memory settings) GuardedFeed(_guardOf(settings)) {
        LP_PRICE_BAND_WAD = FixedPointMathLib.max(settings.priceBandWad, settings.deviationThresholdWad);
        // The bounds are worth what the answer is that they come from.
        _requireGood();
    }

    /// @inheritdoc IPriceOracle
    function feed() external view returns (address) {
        return FEED;
    }

    /// @inheritdoc IPriceOracle
    function sequencerFeed() external view returns (address) {
        return SEQUENCER_FEED;
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
    function answerBounds() external view returns (uint256 lowerWad, uint256 upperWad) {
        return (LOWER_ANSWER * FEED_SCALE, UPPER_ANSWER * FEED_SCALE);
    }

    /// @inheritdoc IPriceOracle
    function guard() external view returns (Guard memory) {
        return
            Guard({
                feed: FEED,
                feedScale: FEED_SCALE,
                lowerAnswer: LOWER_ANSWER,
                upperAnswer: UPPER_ANSWER,
                priceBandWad: PRICE_BAND_WAD,
                maximumAgeSeconds: MAXIMUM_AGE,
                sequencerFeed: SEQUENCER_FEED,
                sequencerGraceSeconds: SEQUENCER_GRACE
            });
    }

    /// @inheritdoc IPriceOracle
    function latestPrice()
        external
        view
        returns (uint256 priceWad, uint256 lowerWad, uint256 upperWad, uint256 updatedAt, uint80 roundId)
    {
        bool good;
        uint256 id;
        (good, priceWad, updatedAt, id) = _latest();
        if (!good) _revertBad();
        (lowerWad, upperWad) = _band(priceWad);
        roundId = uint80(id);
    }

    /// @inheritdoc IPriceOracle
    function isGood() external view returns (bool good) {
        (good, , , ) = _latest();
    }

    /// @inheritdoc IPriceOracle
    function liveness() external view returns (bool sequencerUp, uint256 countedFrom, uint256 lastRoundAt) {
        sequencerUp = true;
        if (SEQUENCER_FEED != address(0)) {
            (sequencerUp, countedFrom) = _sequencer();
            if (sequencerUp && countedFrom == 0) return (true, 0, 0);
        }
        (bool usable, , uint256 updatedAt, ) = _lastRound();
        if (usable) lastRoundAt = updatedAt;
    }

    /// @inheritdoc IPriceOracle
    function roundAt(uint80 roundId) external view returns (bool valid, Round memory round) {
        (bool usable, uint256 priceWad, uint256 updatedAt) = _roundAt(roundId);
        valid = usable && updatedAt <= block.timestamp;
        if (valid) round = Round(priceWad, updatedAt, roundId);
    }

    /// @dev Checks the settings and fixes the bounds of the answer.
    function _guardOf(Settings memory s) private view returns (Guard memory) {
        _requireBands(s.priceBandWad, s.deviationThresholdWad);
        if (s.heartbeatSeconds < MINIMUM_SECONDS || s.heartbeatSeconds > MAXIMUM_SECONDS) {
            revert PriceOracle_HeartbeatOutOfBounds(s.heartbeatSeconds, MINIMUM_SECONDS, MAXIMUM_SECONDS);
        }
        bool sequenced = s.sequencerFeed != address(0);
        if (
            sequenced &&
            (s.sequencerGraceSeconds < MINIMUM_SECONDS || s.sequencerGraceSeconds > MAXIMUM_SECONDS)
        ) {
            revert PriceOracle_SequencerGraceOutOfBounds(
                s.sequencerGraceSeconds,
                MINIMUM_SECONDS,
                MAXIMUM_SECONDS
            );
        }
        uint8 decimals = AggregatorV3Interface(s.feed).decimals();
        if (decimals < MINIMUM_FEED_DECIMALS || decimals > MAXIMUM_FEED_DECIMALS) {
            revert PriceOracle_FeedDecimalsOutOfBounds(
                decimals,
                MINIMUM_FEED_DECIMALS,
                MAXIMUM_FEED_DECIMALS
            );
        }
        uint256 scale = 10 ** (MAXIMUM_FEED_DECIMALS - decimals);
        uint256 answer = _initialAnswer(s.feed, MAXIMUM_PRICE_WAD / scale / ANSWER_RANGE);
        return
            Guard({
                feed: s.feed,
                feedScale: scale,
                lowerAnswer: answer / ANSWER_RANGE,
                upperAnswer: answer * ANSWER_RANGE,
                priceBandWad: s.priceBandWad,
                maximumAgeSeconds: s.heartbeatSeconds + GRACE,
                sequencerFeed: s.sequencerFeed,
                sequencerGraceSeconds: sequenced ? s.sequencerGraceSeconds : 0
            });
    }

    function _requireBands(uint256 priceBandWad_, uint256 deviationThresholdWad) private pure {
        if (priceBandWad_ > MAXIMUM_PRICE_BAND_WAD) {
            revert PriceOracle_PriceBandOutOfBounds(priceBandWad_, MAXIMUM_PRICE_BAND_WAD);
        }
        if (deviationThresholdWad > MAXIMUM_LP_PRICE_BAND_WAD) {
            revert PriceOracle_LpPriceBandOutOfBounds(
                deviationThresholdWad,
                priceBandWad_,
                MAXIMUM_LP_PRICE_BAND_WAD
            );
        }
    }

    function _initialAnswer(address feed_, uint256 maximum) private view returns (uint256) {
        (, int256 answer, , , ) = AggregatorV3Interface(feed_).latestRoundData();
        if (answer < int256(ANSWER_RANGE) || answer > int256(maximum)) {
            revert PriceOracle_InitialAnswerOutOfBounds(answer, int256(ANSWER_RANGE), int256(maximum));
        }
        return uint256(answer);
    }
}
