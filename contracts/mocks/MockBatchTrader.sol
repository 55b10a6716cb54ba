// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A trader that is a contract and does several things in one transaction
/// @notice Makes calls in turn and reverts with the reason of the first that fails. Anybody may use it: for tests only.
contract MockBatchTrader {
    struct Call {
        address target;
        bytes data;
    }

    function run(Call[] calldata calls) external {
        for (uint256 i; i < calls.length; ++i) {
            (bool done, bytes memory result) = calls[i].target.call(calls[i].data);
            if (!done) {
                assembly ("memory-safe") {
                    revert(add(result, 0x20), mload(result))
                }
            }
        }
    }
}
