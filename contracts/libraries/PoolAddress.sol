// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Addresses of pools
/// @notice A pool's address follows from its factory, the factory's `poolInitCodeHash` and the two tokens, so finding it costs no call.
library PoolAddress {
    /// @notice Address of the pool of two tokens in any order, created or not.
    /// @param factory The factory.
    /// @param initCodeHash Its `poolInitCodeHash()`.
    function poolOf(
        address factory,
        bytes32 initCodeHash,
        address tokenA,
        address tokenB
    ) internal pure returns (address) {
        (address token0, address token1) = tokenA < tokenB ? (tokenA, tokenB) : (tokenB, tokenA);
        bytes32 salt = keccak256(abi.encodePacked(token0, token1));
        bytes32 digest = keccak256(abi.encodePacked(bytes1(0xff), factory, salt, initCodeHash));
        return address(uint160(uint256(digest)));
    }
}
