// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Wrapped ether
/// @notice What the router needs of WETH9: one wei of the token for one wei of ether and back. Transfers are plain ERC-20.
interface IWETH9 {
    /// @notice Gives the caller as many tokens as ether was sent along, in wei.
    function deposit() external payable;

    /// @notice Destroys `amount` of the caller's tokens and sends the caller as much ether, in wei.
    function withdraw(uint256 amount) external;
}
