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
import {MarginParameters} from "./MarginParameters.sol";
import {MarginState} from "./MarginState.sol";
import {MarginStorage} from "./MarginStorage.sol";
import {RiskStates} from "./RiskStates.sol";

/// @title One fill: how much, at what price, within which limits, and what it does to account and ledgers
/// @notice Works on a context and an account in memory; whoever calls stores them or throws them away.
/// @dev The unchecked arithmetic is on amounts below 2^127 at 18 decimals (`request` and `MarginState.refresh` see to it),
/// prices below 2^100 and ratios below 2^64: sums and products of two stay far below 2^255. Ledgers move in MarginLedger,
/// with checks.
library OrderFill {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;
    using SafeCastLib for int256;
    using SignedWadMath for int256;
    using MarginState for MarginStorage.Context;

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
    /// While Guarded, a trade that raises |K| needs 1.25 x initial margin.
    uint256 internal constant GUARDED_MARGIN_WAD = 1.25e18;
    /// Skew that can be hedged: base for 90 % of what is left after paying traders.
    int256 internal constant AFFORDABLE_WAD = 0.9e18;
    /// A part of an order is worth a fill and its fee from 1 % of equity on, what the speed limit frees in a minute, and
    /// from 500 quote on, where the fee is 10 bp; in tiny pools from all that the limit ever leaves room for.
    int256 internal constant SMALLEST_PART_WAD = 0.01e18;
    int256 internal constant SMALLEST_PART_QUOTE = 500e18;

    /// @notice Fills what can be filled of `o`, in `ctx` and `a`. `failure` is the error for which the order is to be
    /// removed; what waiting can cure (speed limit, volatility behind) reverts instead and leaves the order queued.
    function compute(
        MarginStorage.Storage storage self,
        MarginStorage.Context memory ctx,
        MarginParameters.Values memory parameters,
        address account,
        MarginAccount.Account memory a,
        IMarginPool.Order memory o
    ) internal view returns (IMarginPool.Fill memory fill, bytes memory failure) {
        Draft memory d;
        failure = _size(ctx, a, o, d);
        if (failure.length != 0) return (fill, failure);
        if (d.opens) {
            ctx.requireNotPaused();
            if (d.raisesSkew) ctx.requireNearAverage();
        }
        MarginAccount.Account memory before = MarginAccount.copy(a);
        _price(ctx, parameters, d, fill);
        bool acceptable =
            d.sizeDelta > 0
                ? fill.fillPriceWad <= o.acceptablePriceWad
                : fill.fillPriceWad >= o.acceptablePriceWad;
        if (!acceptable) return (fill, _priceNotAcceptable(fill.fillPriceWad, o.acceptablePriceWad));
        failure = _limits(ctx, parameters, before, d);
        if (failure.length != 0) return (fill, failure);

        _updatePosition(ctx, a, d, fill);
        failure = _settleCash(ctx, parameters, account, a, d, fill);
        if (failure.length != 0) return (fill, failure);
        MarginLedger.moveAccount(ctx.ledgers, before, a);
        ctx.refresh();
        RiskStates.follow(self, ctx);
        failure = _afterwards(ctx, parameters, account, a, d);
    }

    /// @dev How much fills: no more than the position for a reducing order, no more than the speed limit lets through.
    function _size(
        MarginStorage.Context memory ctx,
        MarginAccount.Account memory a,
        IMarginPool.Order memory o,
        Draft memory d
    ) private pure returns (bytes memory failure) {
        unchecked {
            int256 wanted = o.sizeDelta;
            if (o.reduceOnly) {
                if (!wanted.oppositeSigns(a.size)) {
                    return
                        abi.encodeWithSelector(
                            IMarginPool.MarginPool_NothingToReduce.selector,
                            wanted,
                            a.size
                        );
                }
                if (wanted.magnitude() > a.size.magnitude()) wanted = -a.size;
            }
            int256 bs = ctx.config.baseScale;
            d.skewBefore = MarginState.skewOf(ctx.ledgers);
            if (SkewMath.builds(d.skewBefore, d.skewBefore + wanted) && !ctx.market.caughtUp) {
                revert IMarginPool.MarginPool_VolatilityBehind(ctx.market.roundId);
            }
            (int256 allowed, int256 limit) = SkewMath.speedLimited(
                d.skewBefore * bs,
                wanted * bs,
                ctx.skewReference * bs,
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
            d.opens = sizeAfter.oppositeSigns(a.size) || sizeAfter.magnitude() > a.size.magnitude();
            d.stateBefore = ctx.state;
        }
    }

    /// @dev Least part of an order that is filled while more of it waits, quote, 18 decimals.
    function _smallestPart(int256 equity) private pure returns (int256) {
        unchecked {
            int256 scaling = SolvencyMath.scalingEquity(equity);
            return
                SMALLEST_PART_WAD.mulWadFloor(scaling).max(SMALLEST_PART_QUOTE).min(
                    SkewMath.SPEED_LIMIT_WAD.mulWadFloor(scaling)
                );
        }
    }

    /// @dev Premium, fee and hedge charge, and the price they make together with P- or P+.
    function _price(
        MarginStorage.Context memory ctx,
        MarginParameters.Values memory parameters,
        Draft memory d,
        IMarginPool.Fill memory fill
    ) private pure {
        unchecked {
            bool buys = d.sizeDelta > 0;
            d.sidePriceWad = buys ? ctx.market.upperPriceWad : ctx.market.lowerPriceWad;
            d.notional = MarginAccount.notionalUp(ctx.config, d.sizeDelta, d.sidePriceWad);
            _premium(ctx, d);
            fill.sizeDelta = d.sizeDelta;
            fill.premium = int256(d.premiumPaid) - int256(d.rebate);
            uint256 feePpm =
                d.stateBefore == IMarginPool.RiskState.Normal
                    ? parameters.takerFeePpm
                    : 2 * parameters.takerFeePpm;
            fill.takerFee = d.notional.fullMulDivUp(feePpm, PPM);
            int256 exposureAfter = ctx.book.inventoryBase - ctx.targetAt(d.skewAfter * ctx.config.baseScale);
            uint256 charge = SkewMath.hedgeChargeUp(
                ctx.netExposure,
                exposureAfter,
                int256(RebalanceMath.innerBand(ctx.outerBandWad)),
                ctx.price,
                ctx.hedgeRatePpm
            );
            fill.hedgeCharge = charge.divUp(uint256(ctx.config.quoteScale));

            int256 costs = fill.premium + int256(fill.takerFee + fill.hedgeCharge);
            int256 size = d.sizeDelta.magnitude() * ctx.config.baseScale;
            // Rounded against the trader, then floored at zero: costs above a sale's value leave nothing.
            int256 perUnit = (costs * ctx.config.quoteScale * WAD).divCeil(size);
            int256 side = int256(d.sidePriceWad);
            fill.fillPriceWad = uint256((buys ? side + perUnit : side - perUnit).max(0));
        }
    }

    /// @dev The premium ledger's answer in token units: what a trader pays rounded up, all else down.
    function _premium(MarginStorage.Context memory ctx, Draft memory d) private pure {
        unchecked {
            (int256 bs, uint256 qs) = (ctx.config.baseScale, uint256(ctx.config.quoteScale));
            SkewMath.Premium memory p = SkewMath.premium(
                ctx.ledgers.skewPremium * qs,
                d.skewBefore * bs,
                d.skewAfter * bs,
                ctx.rebateableSkew * bs,
                ctx.market.priceWad,
                ctx.skewScale(),
                SkewMath.leastSkewScale(SolvencyMath.scalingEquity(ctx.equity), ctx.price)
            );
            d.premiumPaid = p.paid.divUp(qs);
            d.premiumBooked = p.booked / qs;
            d.premiumKept = p.kept / qs;
            d.rebate = p.rebate / qs;
        }
    }

    /// @dev What the pool can bear, checked for the part of a trade that raises the account's own size. A close that
    /// raises |K| is bound by the speed limit alone: nobody is locked into a position.
    function _limits(
        MarginStorage.Context memory ctx,
        MarginParameters.Values memory parameters,
        MarginAccount.Account memory before,
        Draft memory d
    ) private pure returns (bytes memory) {
        unchecked {
            if (!d.opens) return "";
            if (ctx.equityBid <= 0) {
                return abi.encodeWithSelector(IMarginPool.MarginPool_Insolvent.selector, ctx.equityBid);
            }
            if (d.stateBefore >= IMarginPool.RiskState.ReduceOnly && d.raisesSkew) {
                return
                    abi.encodeWithSelector(IMarginPool.MarginPool_ReduceOnly.selector, ctx.solvencyRatioWad);
            }
            if (d.raisesSkew) {
                int256 ownShare = (ctx.config.weightWad.mulWadFloor(ctx.equityBid) * WAD) / ctx.price;
                int256 spendable =
                    SolvencyMath.holdingsDown(ctx.book, ctx.price) -
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
            int256 opened = before.size.oppositeSigns(sizeAfter) ? sizeAfter : d.sizeDelta;
            int256 side =
                (opened > 0 ? ctx.book.longOpenInterest : ctx.book.shortOpenInterest) +
                    opened.magnitude() * ctx.config.baseScale;
            int256 maximum =
                (int256(parameters.openInterestLimitWad).mulWadFloor(ctx.equity) * WAD) / ctx.price;
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
    }

    /// @dev Size, entry notional and realized profit. Openings book at the side price, rounded against the account.
    function _updatePosition(
        MarginStorage.Context memory ctx,
        MarginAccount.Account memory a,
        Draft memory d,
        IMarginPool.Fill memory fill
    ) private view {
        unchecked {
            fill.fundingPaid = MarginLedger.settleOwed(ctx.ledgers, a);
            int256 size = a.size;
            int256 opened = d.sizeDelta;
            if (d.sizeDelta.oppositeSigns(size)) {
                int256 closed = d.sizeDelta.magnitude() < size.magnitude() ? -d.sizeDelta : size;
                uint256 entry = MarginAccount.entryOf(a, closed);
                fill.realizedProfit = MarginAccount.profitDown(ctx.config, closed, entry, d.sidePriceWad);
                a.entryNotional -= entry;
                opened = d.sizeDelta + closed;
                size -= closed;
            }
            if (opened != 0) {
                // Against the account: a long's entry is rounded up, a short's down.
                uint256 notional =
                    opened > 0
                        ? MarginAccount.notionalUp(ctx.config, opened, d.sidePriceWad)
                        : uint256(MarginAccount.valueDown(ctx.config, -opened, d.sidePriceWad));
                a.entryNotional += notional;
                a.openedAt = block.timestamp;
            }
            a.size = size + opened;
            if (a.size == 0) a.openedAt = 0;
            d.gain = fill.realizedProfit - fill.fundingPaid;
        }
    }

    /// @dev Cash: profit and funding with LPs, premium with J, fee with S and insurance, hedge charge with S.
    function _settleCash(
        MarginStorage.Context memory ctx,
        MarginParameters.Values memory parameters,
        address account,
        MarginAccount.Account memory a,
        Draft memory d,
        IMarginPool.Fill memory fill
    ) private pure returns (bytes memory) {
        unchecked {
            IMarginPool.Ledgers memory ledgers = ctx.ledgers;
            if (d.gain > 0) MarginLedger.payTrader(ledgers, a, uint256(d.gain));
            int256 loss = (-d.gain).max(0);
            int256 costs = fill.premium + int256(fill.takerFee + fill.hedgeCharge);
            int256 cash = int256(a.collateral) - loss - costs;
            if (cash < 0) {
                return
                    abi.encodeWithSelector(
                        IMarginPool.MarginPool_InsufficientMargin.selector,
                        account,
                        cash,
                        0
                    );
            }
            MarginLedger.movePremium(
                ctx,
                d.skewAfter,
                d.premiumKept,
                d.rebate,
                d.premiumBooked,
                d.premiumPaid
            );
            MarginLedger.bookFee(ledgers, fill.takerFee, parameters.insuranceShareBps);
            ledgers.pendingIncome += fill.hedgeCharge;
            ledgers.inventoryQuote += uint256(loss);
            a.collateral = uint256(cash);
            return "";
        }
    }

    /// @dev Margin and risk state once the trade is booked.
    function _afterwards(
        MarginStorage.Context memory ctx,
        MarginParameters.Values memory parameters,
        address account,
        MarginAccount.Account memory a,
        Draft memory d
    ) private pure returns (bytes memory) {
        unchecked {
            int256 equity = MarginAccount.equityOf(ctx, a);
            uint256 needed;
            if (d.opens) {
                (, needed) = MarginAccount.initialMargin(ctx, parameters, a.size);
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
