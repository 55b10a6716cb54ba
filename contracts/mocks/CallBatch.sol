// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Many reading calls in one
/// @notice Lets a test ask a contract hundreds of questions at once, the ones that revert included.
contract CallBatch {
    /// @param ok Whether the call returned.
    /// @param data What it returned or reverted with.
    struct Answer {
        bool ok;
        bytes data;
    }

    /// @notice Answers of `target` to `calls`, in their order.
    function ask(address target, bytes[] calldata calls) external view returns (Answer[] memory answers) {
        answers = new Answer[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            (answers[i].ok, answers[i].data) = target.staticcall(calls[i]);
        }
    }
}
