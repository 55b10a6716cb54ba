// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Price feed with numbered rounds
/// @notice The five read functions that Chainlink feeds and their many lookalikes expose.
/// @dev A round id of a proxy feed is `(phase << 64) | roundOfPhase`: it grows, but jumps when the phase changes.
/// Assumptions for every reader: `answer` may be stale, zero or negative, and `updatedAt` may be zero for a round that is not finished.
interface AggregatorV3Interface {
    /// @notice Number of decimals of `answer`.
    function decimals() external view returns (uint8);

    /// @notice What the feed measures, e.g. "ETH / USD".
    function description() external view returns (string memory);

    /// @notice Version of the aggregator's implementation.
    function version() external view returns (uint256);

    /// @notice Data of one round; reverts when the feed does not know the round.
    /// @param roundId The round asked for.
    /// @return roundId_ The same round.
    /// @return answer Price, scaled by `10 ** decimals()`.
    /// @return startedAt Unix seconds at which the round began.
    /// @return updatedAt Unix seconds at which `answer` was published, 0 while the round is incomplete.
    /// @return answeredInRound Round in which `answer` was computed; below `roundId_` when it was carried over.
    function getRoundData(
        uint80 roundId
    )
        external
        view
        returns (
            uint80 roundId_,
            int256 answer,
            uint256 startedAt,
            uint256 updatedAt,
            uint80 answeredInRound
        );

    /// @notice Data of the latest round, same fields as `getRoundData`.
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}
