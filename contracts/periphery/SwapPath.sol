// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Tokens and amounts along a path
/// @notice Arrays without the compiler's checks of every index, for the loop that every swap runs: a caller stays below the length.
library SwapPath {
    /// @notice The token with this index, which must be below the path's length.
    /// @dev The same in plain Solidity, for 80 gas more: `return path[index]`. That also refuses addresses with dirty upper bits,
    /// this drops them.
    function tokenAt(address[] calldata path, uint256 index) internal pure returns (address token) {
        assembly ("memory-safe") {
            token := shr(96, shl(96, calldataload(add(path.offset, shl(5, index)))))
        }
    }

    /// @notice An array of amounts, for `set` to fill all of it and for `returnToCaller`.
    /// @dev The same in plain Solidity, for 220 gas more: `return new uint256[](length)`. The word in front of the array is the offset
    /// that ABI encoding puts there.
    function newAmounts(uint256 length) internal pure returns (uint256[] memory amounts) {
        assembly ("memory-safe") {
            let encoded := mload(0x40)
            mstore(encoded, 0x20)
            amounts := add(encoded, 0x20)
            mstore(amounts, length)
            mstore(0x40, add(amounts, shl(5, add(length, 1))))
        }
    }

    /// @notice Sets the amount with this index, which must be below the array's length.
    /// @dev The same in plain Solidity, for 50 gas more: `amounts[index] = amount`.
    function set(uint256[] memory amounts, uint256 index, uint256 amount) internal pure {
        assembly ("memory-safe") {
            mstore(add(amounts, shl(5, add(index, 1))), amount)
        }
    }

    /// @notice Ends the whole call and returns amounts that `newAmounts` made: where they are, they are encoded already.
    /// @dev The same in plain Solidity, for 350 gas more: `return amounts` in the external function.
    function returnToCaller(uint256[] memory amounts) internal pure {
        assembly ("memory-safe") {
            return(sub(amounts, 0x20), shl(5, add(mload(amounts), 2)))
        }
    }
}
