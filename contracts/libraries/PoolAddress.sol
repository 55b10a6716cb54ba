// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Addresses of pools
/// @notice A pool's address follows from its factory, the factory's `poolInitCodeHash` and the two tokens, so finding it costs no call.
library PoolAddress {
    /// @notice Address of the pool of two tokens in any order, created or not.
    /// @dev The same in plain Solidity, for 370 gas more:
    ///     bytes32 salt = keccak256(abi.encodePacked(token0, token1));
    ///     bytes32 digest = keccak256(abi.encodePacked(bytes1(0xff), factory, salt, initCodeHash));
    ///     return address(uint160(uint256(digest)));
    /// All in scratch space: each word covers the zero bytes beside the address written before it. The last reaches over the upper 21
    /// bytes of the free memory pointer, which are zero before and after. The upper bits of the result are cleared: callers put it into
    /// call data by assembly. The arguments must have none to clear, as decoded arguments and immutables have not.
    /// @param factory The factory.
    /// @param initCodeHash Its `poolInitCodeHash()`.
    function poolOf(
        address factory,
        bytes32 initCodeHash,
        address tokenA,
        address tokenB
    ) internal pure returns (address pool) {
        assembly ("memory-safe") {
            if gt(tokenA, tokenB) {
                let token0 := tokenB
                tokenB := tokenA
                tokenA := token0
            }
            mstore(0x14, tokenB)
            mstore(0x00, tokenA)
            let salt := keccak256(0x0c, 0x28)
            mstore8(0x00, 0xff)
            mstore(0x01, shl(96, factory))
            mstore(0x15, salt)
            mstore(0x35, initCodeHash)
            pool := shr(96, shl(96, keccak256(0x00, 0x55)))
            mstore(0x35, 0) // The free memory pointer is whole again.
        }
    }
}
