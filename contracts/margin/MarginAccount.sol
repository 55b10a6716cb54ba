// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {MarginMath} from "../libraries/MarginMath.sol";
import {SignedWadMath} from "../libraries/SignedWadMath.sol";
import {MarginState} from "./MarginState.sol";

/// @title One trader's account: value, funding, equity and margins
/// @notice Token units, rounded against the account.
library MarginAccount {
    using FixedPointMathLib for uint256;
    using SignedWadMath for int256;
    using MarginState for MarginState.Context;

    /// @notice size x price in quote token units, toward minus infinity; signed like `size`.
    function valueDown(
        MarginState.Config memory config,
        int256 size,
        uint256 priceWad
    ) internal pure returns (int256) {
        return (size * config.baseScale).mulWadFloor(int256(priceWad)).divFloor(config.quoteScale);
    }

    /// @notice |size| x price in quote token units, rounded up.
    function notionalUp(
        MarginState.Config memory config,
        int256 size,
        uint256 priceWad
    ) internal pure returns (uint256) {
        return uint256(-valueDown(config, -size.magnitude(), priceWad));
    }

    /// @notice Profit at `price` of `size` with `entryNotional`, rounded down.
    function profitDown(
        MarginState.Config memory config,
        int256 size,
        uint256 entryNotional,
        uint256 priceWad
    ) internal pure returns (int256) {
        int256 value = valueDown(config, size, priceWad);
        return size < 0 ? value + int256(entryNotional) : value - int256(entryNotional);
    }

    /// @notice Funding an account owes since its last touch, rounded up. Negative: receives.
    function fundingOwedUp(
        MarginState.Context memory ctx,
        IMarginPool.Account memory a
    ) internal pure returns (int256) {
        int256 perBase = ctx.clock.fundingIndexWad - a.fundingIndexWad;
        return (int256(a.size) * ctx.config.baseScale).mulWadCeil(perBase).divCeil(ctx.config.quoteScale);
    }

    /// @notice Collateral less funding owed plus profit at the index price; unpaid claims do not count.
    function equityOf(
        MarginState.Context memory ctx,
        IMarginPool.Account memory a
    ) internal pure returns (int256) {
        return
            int256(uint256(a.collateral)) -
            fundingOwedUp(ctx, a) +
            profitDown(ctx.config, a.size, a.entryNotional, ctx.market.priceWad);
    }

    /// @notice Initial margin of a position of `size` at the index price.
    /// @return ratioWad IMR
    /// @return margin quote token units
    function initialMargin(
        MarginState.Context memory ctx,
        int256 size
    ) internal pure returns (uint256 ratioWad, uint256 margin) {
        uint256 scaled = uint256(size.magnitude() * ctx.config.baseScale);
        ratioWad = MarginMath.initialRatioWad(scaled, ctx.skewScale(), ctx.market.volatilityWad);
        margin = notionalUp(ctx.config, size, ctx.market.priceWad).mulWadUp(ratioWad);
    }

    /// @notice MMR x notional at the index price, quote token units.
    function maintenanceMargin(MarginState.Context memory ctx, int256 size) internal pure returns (uint256) {
        uint256 ratioWad = MarginMath.maintenanceRatioWad(
            uint256(size.magnitude() * ctx.config.baseScale),
            ctx.marks.maintenanceSkewScaleWad,
            ctx.market.maintenanceVolatilityWad
        );
        return notionalUp(ctx.config, size, ctx.market.priceWad).mulWadUp(ratioWad);
    }

    /// @notice The part of an account's margin that stands behind its position as far as LPs count it: what it could
    /// lose on a long, and no more than it has. Margin beyond that backs nobody else's losses.
    function backing(IMarginPool.Account memory a) internal pure returns (uint128) {
        return a.collateral < a.entryNotional ? a.collateral : a.entryNotional;
    }

    function copy(IMarginPool.Account memory a) internal pure returns (IMarginPool.Account memory) {
        return
            IMarginPool.Account(
                a.size,
                a.entryNotional,
                a.collateral,
                a.fundingIndexWad,
                a.unpaidClaim,
                a.openedAt
            );
    }
}
