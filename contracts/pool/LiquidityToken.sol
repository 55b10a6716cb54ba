// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "solady/src/tokens/ERC20.sol";

/// @title LiquidityToken
/// @notice The share of a pool's LPs: ERC-20 with ERC-2612 permits, 18 decimals.
abstract contract LiquidityToken is ERC20 {
    /// @inheritdoc ERC20
    function name() public pure override returns (string memory) {
        return "Ballast LP";
    }

    /// @inheritdoc ERC20
    function symbol() public pure override returns (string memory) {
        return "BLP-LP";
    }

    function _constantNameHash() internal pure override returns (bytes32) {
        return keccak256("Ballast LP");
    }

    /// @dev Nobody gets an allowance that the owner did not give.
    function _givePermit2InfiniteAllowance() internal pure override returns (bool) {
        return false;
    }
}
