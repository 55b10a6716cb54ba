// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";

/// @title A feed and the checks that its rounds must pass
/// @notice PriceOracle is its public face. VolatilityOracle, through which every action goes, inherits it too and reads the feed
/// itself: that saves a call to another contract, some 3,400 gas.
/// @dev No function here reverts on what a feed does except `_requireGood` and `_revertBad`.
abstract contract GuardedFeed {
    uint256 internal constant WAD = 1e18;
    uint256 private constant ROUND_BYTES = 160;
    uint256 private constant ROUND_ID_BITS = 80;

    address internal immutable FEED;
    uint256 internal immutable FEED_SCALE;
    uint256 internal immutable LOWER_ANSWER;
    uint256 internal immutable UPPER_ANSWER;
    uint256 internal immutable PRICE_BAND_WAD;
    uint256 internal immutable MAXIMUM_AGE;
    address internal immutable SEQUENCER_FEED;
    uint256 internal immutable SEQUENCER_GRACE;

    /// @param guard_ bounds that PriceOracle has checked
    constructor(IPriceOracle.Guard memory guard_) {
        FEED = guard_.feed;
        FEED_SCALE = guard_.feedScale;
        LOWER_ANSWER = guard_.lowerAnswer;
        UPPER_ANSWER = guard_.upperAnswer;
        PRICE_BAND_WAD = guard_.priceBandWad;
        MAXIMUM_AGE = guard_.maximumAgeSeconds;
        SEQUENCER_FEED = guard_.sequencerFeed;
        SEQUENCER_GRACE = guard_.sequencerGraceSeconds;
    }

    /// @dev The latest round and whether it passes every check. The price means nothing where it is not good.
    function _latest()
        internal
        view
        returns (bool good, uint256 priceWad, uint256 updatedAt, uint256 roundId)
    {
        bool answered;
        uint256 answer;
        uint256 answeredInRound;
        (answered, roundId, answer, , updatedAt, answeredInRound) = _latestRoundOf(FEED);
        // One comparison each refuses what is below and above: an answer below the lower bound, negative or zero, wraps to more
        // than any span, and so does the age of a round from the future. A round without a time is as old as unix time.
        unchecked {
            good =
                answered &&
                answeredInRound >= roundId &&
                answer - LOWER_ANSWER <= UPPER_ANSWER - LOWER_ANSWER &&
                block.timestamp - updatedAt <= MAXIMUM_AGE;
            // A good answer is at most 1e30 at 18 decimals.
            priceWad = answer * FEED_SCALE;
        }
        if (good && SEQUENCER_FEED != address(0)) {
            (bool up, uint256 countedFrom) = _sequencer();
            good = up && countedFrom != 0 && block.timestamp >= countedFrom;
        }
    }

    /// @dev The latest round and whether it passes every check but its age and the sequencer's.
    function _lastRound()
        internal
        view
        returns (bool usable, uint256 priceWad, uint256 updatedAt, uint256 roundId)
    {
        bool answered;
        uint256 answer;
        uint256 answeredInRound;
        (answered, roundId, answer, , updatedAt, answeredInRound) = _latestRoundOf(FEED);
        usable =
            answered &&
            updatedAt != 0 &&
            updatedAt <= block.timestamp &&
            answeredInRound >= roundId &&
            answer >= LOWER_ANSWER &&
            answer <= UPPER_ANSWER;
        unchecked {
            priceWad = answer * FEED_SCALE; // as in `_latest`
        }
    }

    /// @dev P (1 -+ delta): lower rounded down, upper rounded up. Both are the same whole number away from P.
    function _band(uint256 priceWad) internal view returns (uint256 lowerWad, uint256 upperWad) {
        // At most 1e30 x 1e16; delta is below 1, so the lower end is above 0 or 0.
        unchecked {
            uint256 width = (priceWad * PRICE_BAND_WAD + (WAD - 1)) / WAD;
            return (priceWad - width, priceWad + width);
        }
    }

    /// @dev A past round. `updatedAt` is 0 where the feed has no such round or never finished it; `usable` does not look at
    /// the time, which only its neighbors can judge.
    function _roundAt(
        uint256 roundId
    ) internal view returns (bool usable, uint256 priceWad, uint256 updatedAt) {
        (bool answered, uint256 id, uint256 answer, , uint256 time, uint256 answeredInRound) = _readRound(
            FEED,
            uint32(AggregatorV3Interface.getRoundData.selector),
            roundId,
            36
        );
        if (!answered || id != roundId) return (false, 0, 0);
        unchecked {
            // As in `_latest`.
            usable =
                time != 0 &&
                answeredInRound >= roundId &&
                answer - LOWER_ANSWER <= UPPER_ANSWER - LOWER_ANSWER;
            return (usable, answer * FEED_SCALE, time);
        }
    }

    /// @dev Whether the sequencer feed does not say "down", and the end of the grace: 0 while it is down or without a valid answer.
    function _sequencer() internal view returns (bool up, uint256 countedFrom) {
        (bool answered, , uint256 status, uint256 startedAt, , ) = _latestRoundOf(SEQUENCER_FEED);
        if (!answered || startedAt == 0 || startedAt > block.timestamp) return (true, 0);
        if (status != 0) return (false, 0);
        // A time that has passed and a grace of at most 25 hours.
        unchecked {
            return (true, startedAt + SEQUENCER_GRACE);
        }
    }

    /// @dev Reverts with the reason why `_latest` is not good. Reads everything again: what a failing call costs does not matter.
    function _revertBad() internal view {
        _requireGood();
        // Only a feed that ran out of gas a moment ago gets here.
        revert IPriceOracle.PriceOracle_FeedUnavailable(FEED);
    }

    /// @dev Reverts with the first check that the latest round fails, those of the sequencer first.
    function _requireGood() internal view {
        if (SEQUENCER_FEED != address(0)) _requireSequencer();
        (
            bool answered,
            uint256 id,
            uint256 answer,
            ,
            uint256 updatedAt,
            uint256 answeredInRound
        ) = _latestRoundOf(FEED);
        if (!answered) revert IPriceOracle.PriceOracle_FeedUnavailable(FEED);
        uint80 roundId = uint80(id);
        if (updatedAt == 0 || updatedAt > block.timestamp || answeredInRound < roundId) {
            revert IPriceOracle.PriceOracle_RoundIncomplete(roundId, uint80(answeredInRound), updatedAt);
        }
        if (int256(answer) <= 0) revert IPriceOracle.PriceOracle_PriceNotPositive(roundId, int256(answer));
        if (answer < LOWER_ANSWER || answer > UPPER_ANSWER) {
            revert IPriceOracle.PriceOracle_PriceOutOfBounds(
                roundId,
                int256(answer),
                int256(LOWER_ANSWER),
                int256(UPPER_ANSWER)
            );
        }
        if (block.timestamp - updatedAt > MAXIMUM_AGE) {
            revert IPriceOracle.PriceOracle_PriceStale(roundId, updatedAt, MAXIMUM_AGE);
        }
    }

    function _requireSequencer() private view {
        (bool answered, uint256 roundId, uint256 status, uint256 startedAt, , ) = _latestRoundOf(
            SEQUENCER_FEED
        );
        if (!answered) revert IPriceOracle.PriceOracle_FeedUnavailable(SEQUENCER_FEED);
        if (startedAt == 0 || startedAt > block.timestamp) {
            revert IPriceOracle.PriceOracle_SequencerRoundInvalid(uint80(roundId), startedAt);
        }
        if (status != 0) revert IPriceOracle.PriceOracle_SequencerDown(int256(status), startedAt);
        if (block.timestamp - startedAt < SEQUENCER_GRACE) {
            revert IPriceOracle.PriceOracle_SequencerInGrace(startedAt, SEQUENCER_GRACE);
        }
    }

    function _latestRoundOf(
        address feed_
    )
        internal
        view
        returns (
            bool answered,
            uint256 roundId,
            uint256 answer,
            uint256 startedAt,
            uint256 updatedAt,
            uint256 answeredInRound
        )
    {
        return _readRound(feed_, uint32(AggregatorV3Interface.latestRoundData.selector), 0, 4);
    }

    /// @dev What `feed_.latestRoundData()` or `feed_.getRoundData(argument)` returns; `answered` is false where the feed
    /// reverts, has no code, returns less than five words, or ids that are none. In Solidity:
    ///
    ///     try feed_.getRoundData(argument) returns (...) { answered = true; } catch {}
    ///
    /// which reverts after all where the feed has no code or returns too little. `callBytes` is the selector's 4, or 36 with the
    /// argument.
    function _readRound(
        address feed_,
        uint256 selector,
        uint256 argument,
        uint256 callBytes
    )
        private
        view
        returns (
            bool answered,
            uint256 roundId,
            uint256 answer,
            uint256 startedAt,
            uint256 updatedAt,
            uint256 answeredInRound
        )
    {
        assembly ("memory-safe") {
            // Selector and argument in the scratch space, the answer above the free memory.
            mstore(0x00, shl(224, selector))
            mstore(0x04, argument)
            let result := mload(0x40)
            answered := staticcall(gas(), feed_, 0x00, callBytes, result, ROUND_BYTES)
            roundId := mload(result)
            answer := mload(add(result, 0x20))
            startedAt := mload(add(result, 0x40))
            updatedAt := mload(add(result, 0x60))
            answeredInRound := mload(add(result, 0x80))
            answered := and(
                and(answered, gt(returndatasize(), sub(ROUND_BYTES, 1))),
                iszero(shr(ROUND_ID_BITS, or(roundId, answeredInRound)))
            )
        }
    }
}
