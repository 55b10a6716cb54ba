// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SharesMath} from "../libraries/SharesMath.sol";

/// @title External face of SharesMath for tests
/// @notice Each function calls its namesake of the library.
contract SharesMathHarness {
    function toSharesDown(uint256 assets, uint256 supply, uint256 equity) external pure returns (uint256) {
        return SharesMath.toSharesDown(assets, supply, equity);
    }

    function toSharesUp(uint256 assets, uint256 supply, uint256 equity) external pure returns (uint256) {
        return SharesMath.toSharesUp(assets, supply, equity);
    }

    function toAssetsDown(uint256 shares, uint256 supply, uint256 equity) external pure returns (uint256) {
        return SharesMath.toAssetsDown(shares, supply, equity);
    }

    function toAssetsUp(uint256 shares, uint256 supply, uint256 equity) external pure returns (uint256) {
        return SharesMath.toAssetsUp(shares, supply, equity);
    }

    function netDown(uint256 gross, uint256 feeWad) external pure returns (uint256) {
        return SharesMath.netDown(gross, feeWad);
    }

    function grossUp(uint256 net, uint256 feeWad) external pure returns (uint256) {
        return SharesMath.grossUp(net, feeWad);
    }

    function maximumExit(
        int256 inventory,
        int256 wanted,
        int256 possible,
        int256 equity,
        int256 price,
        int256 weight,
        int256 shock
    ) external pure returns (int256) {
        return SharesMath.maximumExit(inventory, wanted, possible, equity, price, weight, shock);
    }

    function maximumEntry(
        int256 inventory,
        int256 wanted,
        int256 equity,
        int256 price,
        int256 weight,
        int256 shock
    ) external pure returns (int256) {
        return SharesMath.maximumEntry(inventory, wanted, equity, price, weight, shock);
    }
}
