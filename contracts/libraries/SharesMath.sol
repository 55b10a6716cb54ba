// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SignedWadMath} from "./SignedWadMath.sol";
import {SolvencyMath} from "./SolvencyMath.sol";

/// @title LP shares: conversion, entry and exit fee, and how much may enter or leave
/// @notice Shares and assets are token units where nothing else is said; limits are 18-decimal quote.
library SharesMath {
    using FixedPointMathLib for uint256;
    using SignedWadMath for int256;

    uint256 internal constant UNIT = 1e18;
    int256 internal constant WAD = 1e18;
    /// Virtual shares that stand beside one unit of virtual assets: 10 ** 6 a unit, so that the first depositor cannot
    /// make a later deposit round to nothing.
    uint256 internal constant VIRTUAL_SHARES = 1e6;
    uint8 internal constant DECIMALS_OFFSET = 6;
    int256 private constant SHOCK_LIMIT_WAD = SolvencyMath.GUARDED_SHOCK_WAD;

    /// @notice Shares for assets that are worth `equity` with `supply` shares, rounded down.
    function toSharesDown(uint256 assets, uint256 supply, uint256 equity) internal pure returns (uint256) {
        return assets.fullMulDiv(supply + VIRTUAL_SHARES, equity + 1);
    }

    /// @notice The same, rounded up.
    function toSharesUp(uint256 assets, uint256 supply, uint256 equity) internal pure returns (uint256) {
        return assets.fullMulDivUp(supply + VIRTUAL_SHARES, equity + 1);
    }

    /// @notice Assets for shares, rounded down.
    function toAssetsDown(uint256 shares, uint256 supply, uint256 equity) internal pure returns (uint256) {
        return shares.fullMulDiv(equity + 1, supply + VIRTUAL_SHARES);
    }

    /// @notice The same, rounded up.
    function toAssetsUp(uint256 shares, uint256 supply, uint256 equity) internal pure returns (uint256) {
        return shares.fullMulDivUp(equity + 1, supply + VIRTUAL_SHARES);
    }

    /// @notice What is left of `gross` after the fee, rounded down.
    function netDown(uint256 gross, uint256 feeWad) internal pure returns (uint256) {
        return gross - gross.mulWadUp(feeWad);
    }

    /// @notice The least gross amount that leaves `net` after the fee.
    function grossUp(uint256 net, uint256 feeWad) internal pure returns (uint256) {
        return net.fullMulDivUp(UNIT, UNIT - feeWad);
    }

    /// @notice What may leave before the shock to the exposure costs more than 5 % of the equity that stays. Leaving
    /// lowers b* (by w x / P, or by 0.98 x / P where holdings bind it), so D = b - b* rises; each bound is linear in x.
    /// @param inventory b
    /// @param wanted K + w E / P, before clamping
    /// @param possible 0.98 (q + b P) / P
    function maximumExit(
        int256 inventory,
        int256 wanted,
        int256 possible,
        int256 equity,
        int256 price,
        int256 weight,
        int256 shock
    ) internal pure returns (int256) {
        // Below target the distance does not grow, but the equity it is measured by falls.
        int256 most = _room(wanted.max(0).min(possible) - inventory, 0, equity, price, shock);
        int256 slope = wanted > 0 ? weight : int256(0);
        most = _room(inventory - wanted.max(0), slope, equity, price, shock).min(most);
        slope = SolvencyMath.MAXIMUM_BASE_SHARE_WAD;
        return _room(inventory - possible, slope, equity, price, shock).min(most).max(0);
    }

    /// @dev Largest x with (distance P + slope x) shock <= 5 % (equity - x).
    function _room(
        int256 distance,
        int256 slope,
        int256 equity,
        int256 price,
        int256 shock
    ) private pure returns (int256) {
        int256 slack = _slack(distance, equity, price, shock);
        return (slack * WAD).divFloor(slope.mulWadCeil(shock) + SHOCK_LIMIT_WAD);
    }

    /// @notice What may enter before the shock to the exposure costs more than 5 % of equity. Entering raises b* by
    /// w x / P, so D falls. The largest number where no amount is too much.
    function maximumEntry(
        int256 inventory,
        int256 wanted,
        int256 equity,
        int256 price,
        int256 weight,
        int256 shock
    ) internal pure returns (int256) {
        int256 slope = weight.mulWadCeil(shock) - SHOCK_LIMIT_WAD;
        if (slope <= 0) return type(int256).max;
        int256 slack = _slack(wanted - inventory, equity, price, shock);
        return (slack * WAD).divFloor(slope).max(0);
    }

    /// @dev 5 % of equity - distance P shock, less what rounding b* and its value may add to the left side of the rule:
    /// two units of base in b* and a few of quote.
    function _slack(
        int256 distance,
        int256 equity,
        int256 price,
        int256 shock
    ) private pure returns (int256) {
        int256 rounding = 2 * price.divCeil(WAD) + 8;
        return SHOCK_LIMIT_WAD.mulWadFloor(equity) - distance.mulWadCeil(price).mulWadCeil(shock) - rounding;
    }
}
