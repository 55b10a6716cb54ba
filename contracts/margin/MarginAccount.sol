// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {MarginMath} from "../libraries/MarginMath.sol";
import {SignedWadMath} from "../libraries/SignedWadMath.sol";
import {MarginParameters} from "./MarginParameters.sol";
import {MarginState} from "./MarginState.sol";
import {MarginStorage} from "./MarginStorage.sol";

/// @title One trader's account: what it holds, what it is owed, its value and its margins
/// @notice Token units, rounded against the account.
///
/// @dev Funding and deleveraging reach a position in O(1). The funding index F sums dF per base. A deleveraging of a side
/// closes the same fraction phi of all its positions; what it leaves is kept in a checkpoint per side and epoch:
///
///     M   what is left of one base that was there from the beginning:  M <- M (1 - phi)
///     X   cash such a base was paid: for longs X <- X - M dF + M phi P, for shorts X <- X + M dF - M phi P; kept at the
///         scale of M times that of a price, so that nothing is rounded
///     F   when it happened
///
/// With M0, X0 taken when the position was last touched, it has since been paid size (X - X0) / M0, and size and entry
/// notional n have shrunk by M / M0. What that closed realizes is the cash less (longs) or plus (shorts) n (1 - M / M0).
library MarginAccount {
    using FixedPointMathLib for uint256;
    using SignedWadMath for int256;
    using MarginStorage for MarginStorage.Position;
    using MarginStorage for MarginStorage.Storage;

    int256 internal constant WAD = 1e18;
    /// M of a side that was never deleveraged. Small fractions of it keep their digits.
    uint256 internal constant WHOLE = 1e36;

    /// @notice An account in memory, brought up to now.
    struct Account {
        int256 size; // signed
        bool long; // side of the stored position; a deleveraging may have left nothing of it
        uint256 entryNotional;
        uint256 collateral;
        int256 owed; // funding and deleveraging since the last touch, to LPs; negative: from them
        uint256 backing; // its part of C_L or C_S
        uint256 openedAt; // unix seconds
        uint256 newClaim; // gain that q could not pay, recorded when the account is stored
    }

    // -------------------------------------------------------------- load, store

    /// @notice Reads an account and brings it up to the context's funding index and epochs.
    function load(
        MarginStorage.Storage storage self,
        MarginStorage.Context memory ctx,
        address account
    ) internal view returns (Account memory a) {
        int256 indexWad;
        uint256 epoch;
        (a.size, a.entryNotional, a.collateral, indexWad, a.openedAt, epoch) = self
            .positions[account]
            .loadPosition();
        if (a.size == 0) return a;
        a.long = a.size > 0;
        a.backing = a.collateral.min(a.entryNotional);
        if (epoch == (a.size > 0 ? ctx.longEpoch : ctx.shortEpoch)) {
            a.owed = fundingUp(ctx.config, a.size, ctx.fundingIndexWad - indexWad);
        } else {
            _catchUp(self, ctx, a, indexWad, epoch);
        }
    }

    /// @notice Writes an account whose `owed` has been settled.
    function store(
        MarginStorage.Storage storage self,
        MarginStorage.Context memory ctx,
        address account,
        Account memory a
    ) internal {
        self.positions[account].storePosition(
            a.size,
            a.entryNotional,
            a.collateral,
            ctx.fundingIndexWad,
            a.openedAt,
            a.size == 0
                ? 0
                : a.size > 0
                    ? ctx.longEpoch
                    : ctx.shortEpoch
        );
        if (a.newClaim != 0) {
            uint256 claim = self.claims[account] + a.newClaim;
            self.claims[account] = claim;
            emit IMarginPool.ClaimRecorded(account, a.newClaim, claim);
        }
    }

    function copy(Account memory a) internal pure returns (Account memory) {
        return
            Account(a.size, a.long, a.entryNotional, a.collateral, a.owed, a.backing, a.openedAt, a.newClaim);
    }

    /// @dev Deleveraged since the last touch: what is left, and what was realized. Size and entry are rounded toward zero,
    /// so that the sums of positions never pass the aggregates.
    function _catchUp(
        MarginStorage.Storage storage self,
        MarginStorage.Context memory ctx,
        Account memory a,
        int256 indexWad,
        uint256 epoch
    ) private view {
        bool long = a.long;
        (uint256 scale, int256 cash) = _since(self, long, epoch, indexWad);
        (uint256 scaleNow, int256 cashNow) = _since(
            self,
            long,
            long ? ctx.longEpoch : ctx.shortEpoch,
            ctx.fundingIndexWad
        );
        // size (X - X0) / M0, in quote token units, rounded down
        uint256 size = uint256(a.size.magnitude() * ctx.config.baseScale);
        int256 paid = cashNow - cash;
        int256 whole = int256(size.fullMulDiv(uint256(paid.magnitude()), scale));
        paid = (paid < 0 ? -whole - 1 : whole).divFloor(WAD * ctx.config.quoteScale);

        uint256 entryLeft = a.entryNotional.fullMulDiv(scaleNow, scale);
        int256 entryClosed = int256(a.entryNotional - entryLeft);
        a.owed = -(long ? paid - entryClosed : paid + entryClosed);
        a.entryNotional = entryLeft;
        int256 left = int256(uint256(a.size.magnitude()).fullMulDiv(scaleNow, scale));
        a.size = long ? left : -left;
        a.backing = a.backing.fullMulDiv(scaleNow, scale);
    }

    /// @dev M in an epoch and X there at a funding index.
    function _since(
        MarginStorage.Storage storage self,
        bool long,
        uint256 epoch,
        int256 indexWad
    ) private view returns (uint256 scale, int256 cash) {
        if (epoch == 0) return (WHOLE, int256(WHOLE) * (long ? -indexWad : indexWad));
        MarginStorage.Checkpoint memory c = self.checkpoints[long][epoch];
        scale = c.scale;
        int256 funding = int256(scale) * (indexWad - c.fundingIndexWad); // 120 bits and 113
        cash = long ? c.cash - funding : c.cash + funding;
    }

    /// @notice The state of a side after another deleveraging by `fractionWad` at `price`.
    function nextCheckpoint(
        MarginStorage.Storage storage self,
        MarginStorage.Context memory ctx,
        bool long,
        uint256 fractionWad
    ) internal view returns (MarginStorage.Checkpoint memory c) {
        (uint256 scale, int256 cash) = _since(
            self,
            long,
            long ? ctx.longEpoch : ctx.shortEpoch,
            ctx.fundingIndexWad
        );
        uint256 left = scale.mulWad(uint256(WAD) - fractionWad);
        int256 closed = int256(scale - left) * ctx.price; // 120 bits and 100
        c.scale = uint128(left); // at most 1e36
        c.fundingIndexWad = int112(ctx.fundingIndexWad); // as stored in slot 7
        c.cash = long ? cash + closed : cash - closed;
    }

    /// @notice Changes a position's collateral and nothing else of it.
    /// @return size of the position
    /// @return backingDelta what that changes in its side's collateral aggregate: an account counts with what it could
    /// lose on a long, no more than it has, and scaled as the aggregate was by deleveragings since the last touch. Margin
    /// beyond that backs nobody's losses.
    function setCollateral(
        MarginStorage.Storage storage self,
        address account,
        uint256 collateral
    ) internal returns (int256 size, int256 backingDelta) {
        MarginStorage.Position storage position = self.positions[account];
        uint256 entryNotional;
        uint256 before;
        uint256 epoch;
        (size, entryNotional, before, , , epoch) = position.loadPosition();
        position.storeMargin(collateral);
        if (size == 0) return (0, 0);
        (before, collateral) = (before.min(entryNotional), collateral.min(entryNotional));
        bool long = size > 0;
        uint256 epochNow = self.epochOf(long);
        if (epoch != epochNow) {
            (uint256 scale, ) = _since(self, long, epoch, 0);
            (uint256 scaleNow, ) = _since(self, long, epochNow, 0);
            // Rounded up: the aggregate stays at least the sum of its exact parts, each of which leaves rounded down.
            if (collateral >= before)
                return (size, int256((collateral - before).fullMulDivUp(scaleNow, scale)));
            return (size, -int256((before - collateral).fullMulDiv(scaleNow, scale)));
        }
        backingDelta = int256(collateral) - int256(before);
    }

    // -------------------------------------------------------------------- value

    /// @notice size x price in quote token units, toward minus infinity; signed like `size`.
    /// @dev Sizes are below 2^127 when scaled, prices below 2^120.
    function valueDown(
        MarginStorage.Config memory config,
        int256 size,
        uint256 priceWad
    ) internal pure returns (int256) {
        unchecked {
            return (size * config.baseScale * int256(priceWad)).divFloor(WAD * config.quoteScale);
        }
    }

    /// @notice |size| x price in quote token units, rounded up.
    function notionalUp(
        MarginStorage.Config memory config,
        int256 size,
        uint256 priceWad
    ) internal pure returns (uint256) {
        unchecked {
            return uint256(-valueDown(config, -size.magnitude(), priceWad));
        }
    }

    /// @notice Profit at `price` of `size` with `entryNotional`, rounded down.
    function profitDown(
        MarginStorage.Config memory config,
        int256 size,
        uint256 entryNotional,
        uint256 priceWad
    ) internal pure returns (int256) {
        unchecked {
            int256 value = valueDown(config, size, priceWad);
            return size < 0 ? value + int256(entryNotional) : value - int256(entryNotional);
        }
    }

    /// @notice The part of the entry notional that belongs to the part `closed` of a position, rounded against it.
    /// @param closed signed like the position, no larger
    function entryOf(Account memory a, int256 closed) internal pure returns (uint256) {
        return
            a.size > 0
                ? a.entryNotional.fullMulDivUp(uint256(closed), uint256(a.size))
                : a.entryNotional.fullMulDiv(uint256(-closed), uint256(-a.size));
    }

    /// @notice Funding due for `size` when the index moved by `perBaseWad`, rounded up. Negative: received.
    function fundingUp(
        MarginStorage.Config memory config,
        int256 size,
        int256 perBaseWad
    ) internal pure returns (int256) {
        unchecked {
            return (size * config.baseScale * perBaseWad).divCeil(WAD * config.quoteScale);
        }
    }

    /// @notice Collateral less what is owed plus profit at the index price; unpaid claims do not count.
    function equityOf(MarginStorage.Context memory ctx, Account memory a) internal pure returns (int256) {
        unchecked {
            return
                int256(a.collateral) -
                a.owed +
                profitDown(ctx.config, a.size, a.entryNotional, ctx.market.priceWad);
        }
    }

    // ------------------------------------------------------------------ margins

    /// @notice Initial margin of a position of `size` at the index price.
    /// @return ratioWad IMR
    /// @return margin quote token units
    function initialMargin(
        MarginStorage.Context memory ctx,
        MarginParameters.Values memory parameters,
        int256 size
    ) internal pure returns (uint256 ratioWad, uint256 margin) {
        unchecked {
            ratioWad = MarginMath.initialRatioWad(
                uint256(size.magnitude() * ctx.config.baseScale),
                MarginState.skewScale(ctx),
                ctx.market.volatilityWad,
                parameters.initialMarginFloorWad
            );
            margin = notionalUp(ctx.config, size, ctx.market.priceWad).mulWadUp(ratioWad);
        }
    }

    /// @notice MMR at the rate-limited volatility and scale, 1e18.
    function maintenanceRatioWad(
        MarginStorage.Context memory ctx,
        int256 size
    ) internal pure returns (uint256) {
        unchecked {
            return
                MarginMath.maintenanceRatioWad(
                    uint256(size.magnitude() * ctx.config.baseScale),
                    ctx.maintenanceSkewScaleWad,
                    ctx.market.maintenanceVolatilityWad
                );
        }
    }

    /// @notice MMR x notional at the index price, quote token units.
    function maintenanceMargin(
        MarginStorage.Context memory ctx,
        int256 size
    ) internal pure returns (uint256) {
        return notionalUp(ctx.config, size, ctx.market.priceWad).mulWadUp(maintenanceRatioWad(ctx, size));
    }
}
