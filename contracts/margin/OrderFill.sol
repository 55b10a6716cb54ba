// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {RebalanceMath} from "../libraries/RebalanceMath.sol";
import {SignedWadMath} from "../libraries/SignedWadMath.sol";
import {SkewMath} from "../libraries/SkewMath.sol";
import {SolvencyMath} from "../libraries/SolvencyMath.sol";
import {MarginAccount} from "./MarginAccount.sol";
import {MarginLedger} from "./MarginLedger.sol";
import {MarginState} from "./MarginState.sol";

/// @title One fill: how much, at what price, within which limits, and what it does to account and ledgers
/// @notice Works on a context and an account in memory; whoever calls stores them or throws them away.
library OrderFill {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;
    using SafeCastLib for int256;
    using SignedWadMath for int256;
    using MarginState for MarginState.Context;

    /// @dev One fill while it is being computed. Token units unless the name says otherwise.
    struct Draft {
        int256 sizeDelta;
        int256 skewBefore;
        int256 skewAfter;
        bool raisesSkew; // or builds it on the other side of zero
        bool opens; // part of it raises the account's own size
        uint256 sidePriceWad; // P+ for buys, P- for sells
        uint256 notional; // |sizeDelta| at the side price
        uint256 premiumPaid;
        uint256 premiumBooked; // into J
        uint256 premiumKept; // of J
        uint256 rebate;
        int256 gain; // realized profit less funding owed
        IMarginPool.RiskState stateBefore;
    }

    int256 internal constant WAD = 1e18;
    uint256 internal constant PPM = 1e6;
    /// Taker fee: 5 bp of notional, doubled while Guarded.
    uint256 internal constant TAKER_FEE_PPM = 500;
    /// While Guarded, a trade that raises |K| needs 1.25 x initial margin.
    uint256 internal constant GUARDED_MARGIN_WAD = 1.25e18;
    /// Open interest of a side: at most 60 % of equity.
    int256 internal constant OPEN_INTEREST_LIMIT_WAD = 0.6e18;
    /// Skew that can be hedged: base for 90 % of what is left after paying traders.
    int256 internal constant AFFORDABLE_WAD = 0.9e18;
    /// A part of an order is worth a fill and its fee from 1 % of equity on, what the speed limit frees in a minute, and
    /// from 500 quote on, where the fee is 10 bp; in tiny pools from all that the limit ever leaves room for.
    int256 internal constant SMALLEST_PART_WAD = 0.01e18;
    int256 internal constant SMALLEST_PART_QUOTE = 500e18;

    /// @notice Fills what can be filled of `o`, in `ctx` and `a`. `failure` is the error for which the order is to be
    /// removed; what waiting can cure (speed limit, volatility behind) reverts instead and leaves the order queued.
    function compute(
        MarginState.Context memory ctx,
        address account,
        IMarginPool.Account memory a,
        IMarginPool.Order memory o
    ) internal view returns (IMarginPool.Fill memory fill, bytes memory failure) {
        Draft memory d;
        failure = _size(ctx, a, o, d);
        if (failure.length != 0) return (fill, failure);
        IMarginPool.Account memory before = MarginAccount.copy(a);
        _price(ctx, d, fill);
        bool acceptable =
            d.sizeDelta > 0
                ? fill.fillPriceWad <= o.acceptablePriceWad
                : fill.fillPriceWad >= o.acceptablePriceWad;
        if (!acceptable) return (fill, _priceNotAcceptable(fill.fillPriceWad, o.acceptablePriceWad));
        failure = _limits(ctx, before, d);
        if (failure.length != 0) return (fill, failure);

        _updatePosition(ctx, a, d, fill);
        failure = _settleCash(ctx, account, a, d, fill);
        if (failure.length != 0) return (fill, failure);
        MarginLedger.setAccount(ctx.ledgers, before, a);
        ctx.refresh();
        failure = _afterwards(ctx, account, a, d);
    }

    /// @dev How much fills: no more than the position for a reducing order, no more than the speed limit lets through.
    function _size(
        MarginState.Context memory ctx,
        IMarginPool.Account memory a,
        IMarginPool.Order memory o,
        Draft memory d
    ) private pure returns (bytes memory failure) {
        int256 wanted = o.sizeDelta;
        if (o.reduceOnly) {
            if (!wanted.oppositeSigns(a.size)) {
                return
                    abi.encodeWithSelector(IMarginPool.MarginPool_NothingToReduce.selector, wanted, a.size);
            }
            if (wanted.magnitude() > int256(a.size).magnitude()) wanted = -int256(a.size);
        }
        int256 bs = ctx.config.baseScale;
        d.skewBefore = MarginState.skewOf(ctx.ledgers);
        if (SkewMath.builds(d.skewBefore, d.skewBefore + wanted) && !ctx.market.caughtUp) {
            revert IMarginPool.MarginPool_VolatilityBehind(ctx.market.roundId);
        }
        (int256 allowed, int256 limit) = SkewMath.speedLimited(
            d.skewBefore * bs,
            wanted * bs,
            int256(ctx.exposure.skewReference) * bs,
            SolvencyMath.scalingEquity(ctx.equity),
            ctx.price
        );
        d.sizeDelta = allowed / bs; // toward zero: never beyond the limit
        int256 least = (_smallestPart(ctx.equity) * WAD) / ctx.price;
        if (allowed != wanted * bs && (d.sizeDelta == 0 || allowed.magnitude() < least)) {
            revert IMarginPool.MarginPool_SkewSpeedLimit(d.skewBefore + wanted, uint256(limit / bs));
        }
        d.skewAfter = d.skewBefore + d.sizeDelta;
        d.raisesSkew = SkewMath.builds(d.skewBefore, d.skewAfter);
        int256 sizeAfter = a.size + d.sizeDelta;
        d.opens = sizeAfter.oppositeSigns(a.size) || sizeAfter.magnitude() > int256(a.size).magnitude();
        d.stateBefore = ctx.state;
    }

    /// @dev Least part of an order that is filled while more of it waits, quote, 18 decimals.
    function _smallestPart(int256 equity) private pure returns (int256) {
        int256 scaling = SolvencyMath.scalingEquity(equity);
        return
            SMALLEST_PART_WAD.mulWadFloor(scaling).max(SMALLEST_PART_QUOTE).min(
                SkewMath.SPEED_LIMIT_WAD.mulWadFloor(scaling)
            );
    }

    /// @dev Premium, fee and hedge charge, and the price they make together with P- or P+.
    function _price(
        MarginState.Context memory ctx,
        Draft memory d,
        IMarginPool.Fill memory fill
    ) private pure {
        bool buys = d.sizeDelta > 0;
        d.sidePriceWad = buys ? ctx.market.upperPriceWad : ctx.market.lowerPriceWad;
        d.notional = MarginAccount.notionalUp(ctx.config, d.sizeDelta, d.sidePriceWad);
        _premium(ctx, d);
        fill.sizeDelta = d.sizeDelta;
        fill.premium = int256(d.premiumPaid) - int256(d.rebate);
        uint256 feePpm = d.stateBefore == IMarginPool.RiskState.Normal ? TAKER_FEE_PPM : 2 * TAKER_FEE_PPM;
        fill.takerFee = d.notional.fullMulDivUp(feePpm, PPM);
        int256 exposureAfter = ctx.book.inventoryBase - ctx.targetAt(d.skewAfter * ctx.config.baseScale);
        uint256 charge = SkewMath.hedgeChargeUp(
            ctx.netExposure,
            exposureAfter,
            int256(RebalanceMath.innerBand(ctx.band.outerBandWad)),
            ctx.price,
            ctx.band.hedgeRatePpm
        );
        fill.hedgeCharge = charge.divUp(uint256(ctx.config.quoteScale));

        int256 costs = fill.premium + int256(fill.takerFee + fill.hedgeCharge);
        int256 size = d.sizeDelta.magnitude() * ctx.config.baseScale;
        // Rounded against the trader, then floored at zero: costs above a sale's value leave nothing.
        int256 perUnit = (costs * ctx.config.quoteScale * WAD).divCeil(size);
        int256 side = int256(d.sidePriceWad);
        fill.fillPriceWad = uint256((buys ? side + perUnit : side - perUnit).max(0));
    }

    /// @dev The premium ledger's answer in token units: what a trader pays rounded up, all else down.
    function _premium(MarginState.Context memory ctx, Draft memory d) private pure {
        (int256 bs, uint256 qs) = (ctx.config.baseScale, uint256(ctx.config.quoteScale));
        SkewMath.Premium memory p = SkewMath.premium(
            uint256(ctx.ledgers.skewPremium) * qs,
            d.skewBefore * bs,
            d.skewAfter * bs,
            int256(ctx.round.rebateableSkew) * bs,
            ctx.market.priceWad,
            ctx.skewScale(),
            SkewMath.leastSkewScale(SolvencyMath.scalingEquity(ctx.equity), ctx.price)
        );
        d.premiumPaid = p.paid.divUp(qs);
        d.premiumBooked = p.booked / qs;
        d.premiumKept = p.kept / qs;
        d.rebate = p.rebate / qs;
    }

    /// @dev What the pool can bear, checked for the part of a trade that raises the account's own size. A close that
    /// raises |K| is bound by the speed limit alone: nobody is locked into a position.
    function _limits(
        MarginState.Context memory ctx,
        IMarginPool.Account memory before,
        Draft memory d
    ) private pure returns (bytes memory) {
        if (!d.opens) return "";
        if (ctx.equityBid <= 0) {
            return abi.encodeWithSelector(IMarginPool.MarginPool_Insolvent.selector, ctx.equityBid);
        }
        if (d.stateBefore == IMarginPool.RiskState.ReduceOnly && d.raisesSkew) {
            return abi.encodeWithSelector(IMarginPool.MarginPool_ReduceOnly.selector, ctx.solvencyRatioWad);
        }
        if (d.raisesSkew) {
            int256 ownShare = (ctx.config.weightWad.mulWadFloor(ctx.equityBid) * WAD) / ctx.price;
            int256 spendable =
                ctx.book.inventoryQuote +
                    ctx.book.inventoryBase.mulWadFloor(ctx.price) -
                    SolvencyMath.traderProfitUp(ctx.book, ctx.price).max(0);
            int256 most = (AFFORDABLE_WAD.mulWadFloor(spendable) * WAD) / ctx.price - ownShare;
            int256 skewAfter = d.skewAfter * ctx.config.baseScale;
            if (skewAfter < -ownShare || skewAfter > most) {
                int256 bs = ctx.config.baseScale;
                return
                    abi.encodeWithSelector(
                        IMarginPool.MarginPool_SkewNotAffordable.selector,
                        d.skewAfter,
                        -ownShare / bs,
                        most / bs
                    );
            }
        }
        int256 sizeAfter = before.size + d.sizeDelta;
        int256 opened = int256(before.size).oppositeSigns(sizeAfter) ? sizeAfter : d.sizeDelta;
        int256 side =
            (opened > 0 ? ctx.book.longOpenInterest : ctx.book.shortOpenInterest) +
                opened.magnitude() * ctx.config.baseScale;
        int256 maximum = (OPEN_INTEREST_LIMIT_WAD.mulWadFloor(ctx.equity) * WAD) / ctx.price;
        if (side > maximum) {
            int256 bs = ctx.config.baseScale;
            return
                abi.encodeWithSelector(
                    IMarginPool.MarginPool_OpenInterestLimit.selector,
                    side / bs,
                    maximum / bs
                );
        }
        return "";
    }

    /// @dev Size, entry notional and realized profit. Openings book at the side price, rounded against the account.
    function _updatePosition(
        MarginState.Context memory ctx,
        IMarginPool.Account memory a,
        Draft memory d,
        IMarginPool.Fill memory fill
    ) private view {
        fill.fundingPaid = MarginAccount.fundingOwedUp(ctx, a);
        MarginLedger.settleFunding(ctx, a, fill.fundingPaid);
        int256 size = a.size;
        int256 opened = d.sizeDelta;
        if (d.sizeDelta.oppositeSigns(size)) {
            int256 closed = d.sizeDelta.magnitude() < size.magnitude() ? -d.sizeDelta : size;
            uint256 entry =
                size > 0
                    ? uint256(a.entryNotional).fullMulDivUp(uint256(closed), uint256(size))
                    : uint256(a.entryNotional).fullMulDiv(uint256(-closed), uint256(-size));
            fill.realizedProfit = MarginAccount.profitDown(ctx.config, closed, entry, d.sidePriceWad);
            a.entryNotional -= uint128(entry); // at most the whole
            opened = d.sizeDelta + closed;
            size -= closed;
        }
        if (opened != 0) {
            // Against the account: a long's entry is rounded up, a short's down.
            uint256 notional =
                opened > 0
                    ? MarginAccount.notionalUp(ctx.config, opened, d.sidePriceWad)
                    : uint256(MarginAccount.valueDown(ctx.config, -opened, d.sidePriceWad));
            a.entryNotional += notional.toUint128();
            a.openedAt = uint40(block.timestamp);
        }
        a.size = (size + opened).toInt128();
        d.gain = fill.realizedProfit - fill.fundingPaid;
    }

    /// @dev Cash: profit and funding with LPs, premium with J, fee with S and insurance, hedge charge with S.
    function _settleCash(
        MarginState.Context memory ctx,
        address account,
        IMarginPool.Account memory a,
        Draft memory d,
        IMarginPool.Fill memory fill
    ) private pure returns (bytes memory) {
        IMarginPool.Ledgers memory ledgers = ctx.ledgers;
        if (d.gain > 0) MarginLedger.payTrader(ledgers, a, uint256(d.gain));
        int256 loss = (-d.gain).max(0);
        int256 costs = fill.premium + int256(fill.takerFee + fill.hedgeCharge);
        int256 cash = int256(uint256(a.collateral)) - loss - costs;
        if (cash < 0) {
            return
                abi.encodeWithSelector(IMarginPool.MarginPool_InsufficientMargin.selector, account, cash, 0);
        }
        MarginLedger.movePremium(ctx, d.skewAfter, d.premiumKept, d.rebate, d.premiumBooked, d.premiumPaid);
        MarginLedger.bookFee(ledgers, fill.takerFee);
        ledgers.pendingIncome += fill.hedgeCharge.toUint128();
        ledgers.inventoryQuote += uint256(loss).toUint128();
        a.collateral = uint256(cash).toUint128();
        return "";
    }

    /// @dev Margin and risk state once the trade is booked.
    function _afterwards(
        MarginState.Context memory ctx,
        address account,
        IMarginPool.Account memory a,
        Draft memory d
    ) private pure returns (bytes memory) {
        int256 equity = MarginAccount.equityOf(ctx, a);
        uint256 needed;
        if (d.opens) {
            (, needed) = MarginAccount.initialMargin(ctx, a.size);
            if (d.raisesSkew && d.stateBefore != IMarginPool.RiskState.Normal) {
                needed = needed.mulWadUp(GUARDED_MARGIN_WAD);
            }
            if (ctx.state > d.stateBefore) {
                return
                    abi.encodeWithSelector(
                        IMarginPool.MarginPool_StateWorse.selector,
                        d.stateBefore,
                        ctx.state,
                        ctx.solvencyRatioWad
                    );
            }
        }
        if (equity < int256(needed)) {
            return
                abi.encodeWithSelector(
                    IMarginPool.MarginPool_InsufficientMargin.selector,
                    account,
                    equity,
                    needed
                );
        }
        return "";
    }

    function _priceNotAcceptable(
        uint256 fillPriceWad,
        uint256 acceptablePriceWad
    ) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IMarginPool.MarginPool_PriceNotAcceptable.selector,
                fillPriceWad,
                acceptablePriceWad
            );
    }
}
