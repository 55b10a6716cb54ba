// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";

/// @title Price feed for tests and local chains
/// @notice Keeps every round. Ids begin like those of a proxy feed in phase 1: `(1 << 64) | 1`. Anyone may write.
contract MockPriceFeed is AggregatorV3Interface {
    /// @notice The feed has no round with this id.
    error MockPriceFeed_UnknownRound(uint80 roundId);

    /// @notice A round was written and is now the latest.
    event RoundSet(
        uint80 indexed roundId,
        int256 answer,
        uint256 startedAt,
        uint256 updatedAt,
        uint80 answeredInRound
    );

    struct Round {
        int256 answer;
        uint256 startedAt;
        uint256 updatedAt;
        uint80 answeredInRound;
        bool exists;
    }

    /// @inheritdoc AggregatorV3Interface
    uint8 public immutable override decimals;

    /// @inheritdoc AggregatorV3Interface
    uint256 public constant override version = 1;

    /// @inheritdoc AggregatorV3Interface
    string public override description;

    /// @notice Id of the round that `latestRoundData` returns.
    uint80 public latestRoundId;

    mapping(uint80 roundId => Round) private _rounds;

    constructor(uint8 decimals_, string memory description_, int256 initialAnswer) {
        decimals = decimals_;
        description = description_;
        uint80 firstRoundId = (uint80(1) << 64) | 1;
        _write(firstRoundId, initialAnswer, block.timestamp, block.timestamp, firstRoundId);
    }

    /// @notice Starts and completes the round after the latest one, now.
    /// @param answer Price, scaled by `10 ** decimals()`; any value, also zero or negative.
    function setPrice(int256 answer) external {
        uint80 roundId = latestRoundId + 1;
        _write(roundId, answer, block.timestamp, block.timestamp, roundId);
    }

    /// @notice Writes any round, known or not, and makes it the latest. Nothing is checked, so that faulty feeds can be played.
    function setRound(
        uint80 roundId,
        int256 answer,
        uint256 startedAt,
        uint256 updatedAt,
        uint80 answeredInRound
    ) external {
        _write(roundId, answer, startedAt, updatedAt, answeredInRound);
    }

    /// @inheritdoc AggregatorV3Interface
    function getRoundData(
        uint80 roundId
    ) public view override returns (uint80, int256, uint256, uint256, uint80) {
        Round storage round = _rounds[roundId];
        if (!round.exists) revert MockPriceFeed_UnknownRound(roundId);
        return (roundId, round.answer, round.startedAt, round.updatedAt, round.answeredInRound);
    }

    /// @inheritdoc AggregatorV3Interface
    function latestRoundData() external view override returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(latestRoundId);
    }

    function _write(
        uint80 roundId,
        int256 answer,
        uint256 startedAt,
        uint256 updatedAt,
        uint80 answeredInRound
    ) private {
        _rounds[roundId] = Round(answer, startedAt, updatedAt, answeredInRound, true);
        latestRoundId = roundId;
        emit RoundSet(roundId, answer, startedAt, updatedAt, answeredInRound);
    }
}
