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

/// @title Orders: request, execute, cancel
/// @notice Linked into MarginPool and run on its storage.
library OrderLogic {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;
    using SafeCastLib for int256;
    using SignedWadMath for int256;
    using MarginState for MarginState.Storage;
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
    uint256 internal constant DELAY = 4 seconds;
    uint256 internal constant MAXIMUM_LIFETIME = 10 minutes;
    /// Taker fee: 5 bp of notional, doubled while Guarded.
    uint256 internal constant TAKER_FEE_PPM = 500;
    /// While Guarded, a trade that raises |K| needs 1.25 x initial margin.
    uint256 internal constant GUARDED_MARGIN_WAD = 1.25e18;
    /// Open interest of a side: at most 60 % of equity.
    int256 internal constant OPEN_INTEREST_LIMIT_WAD = 0.6e18;
    /// Skew that can be hedged: base for 90 % of what is left after paying traders.
    int256 internal constant AFFORDABLE_WAD = 0.9e18;
    /// A part of an order is worth a fill, and its fee, from 1 % of equity on: what the speed limit frees in a minute.
    int256 internal constant SMALLEST_PART_WAD = 0.01e18;

    // ------------------------------------------------------------- entry points

    /// @notice See IMarginPool.requestOrder.
    function request(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        address account,
        int256 sizeDelta,
        uint256 acceptablePriceWad,
        uint40 expiresAt
    ) external {
        if (sizeDelta == 0) revert IMarginPool.MarginPool_ZeroAmount();
        if (self.orders[account].requestedAt != 0) {
            revert IMarginPool.MarginPool_OrderPending(account, self.orders[account].expiresAt);
        }
        uint256 earliest = block.timestamp + DELAY;
        uint256 latest = block.timestamp + MAXIMUM_LIFETIME;
        if (expiresAt < earliest || expiresAt > latest) {
            revert IMarginPool.MarginPool_ExpiryOutOfBounds(expiresAt, earliest, latest);
        }
        MarginState.Context memory ctx = self.open(config);
        IMarginPool.Account memory a = self.accounts[account];
        int256 sizeAfter = a.size + sizeDelta;
        bool reduceOnly =
            sizeDelta.oppositeSigns(a.size) && sizeDelta.magnitude() <= int256(a.size).magnitude();

        if (!_escrow(ctx, a)) {
            revert IMarginPool.MarginPool_InsufficientFreeMargin(account, executionFee(config), a.collateral);
        }
        // An account below maintenance is liquidation's: it could otherwise pay its last margin away in fees.
        uint256 needed = MarginAccount.maintenanceMargin(ctx, a.size);
        if (!reduceOnly) (, needed) = MarginAccount.initialMargin(ctx, sizeAfter);
        int256 equity = MarginAccount.equityOf(ctx, a);
        if (equity < int256(needed)) {
            revert IMarginPool.MarginPool_InsufficientMargin(account, equity, needed);
        }
        // Profit that is not realized may carry what collateral does not.
        uint256 reserved = reduceOnly ? 0 : needed.min(a.collateral).min(type(uint88).max);
        self.accounts[account] = a;
        self.orders[account] = IMarginPool.Order({
            sizeDelta: sizeDelta.toInt128(),
            acceptablePriceWad: acceptablePriceWad.min(type(uint128).max).toUint128(),
            requestedAt: uint40(block.timestamp),
            expiresAt: expiresAt,
            roundId: ctx.market.roundId,
            reservedMargin: uint88(reserved),
            reduceOnly: reduceOnly
        });
        self.close(ctx);
        emit IMarginPool.OrderRequested(
            account,
            sizeDelta,
            acceptablePriceWad,
            expiresAt,
            ctx.market.roundId,
            reserved,
            reduceOnly
        );
    }

    /// @notice See IMarginPool.executeOrder.
    function execute(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        address account
    ) external {
        IMarginPool.Order memory o = self.orders[account];
        if (o.requestedAt == 0) revert IMarginPool.MarginPool_NoOrder(account);
        MarginState.Context memory ctx = self.open(config);
        if (block.timestamp > o.expiresAt) {
            _remove(self, config, account);
            self.close(ctx);
            emit IMarginPool.OrderExpired(account, msg.sender, o.sizeDelta, o.expiresAt);
            return;
        }
        _requireExecutable(ctx, account, o);
        IMarginPool.Account memory a = self.accounts[account];
        (IMarginPool.Fill memory fill, bytes memory failure) = _fill(ctx, account, a, o);
        if (failure.length != 0) {
            // The fill was computed on this copy; start again from what is stored.
            ctx = self.openAt(config, ctx.market);
            _remove(self, config, account);
            self.close(ctx);
            emit IMarginPool.OrderFailed(account, msg.sender, o.sizeDelta, failure);
            return;
        }
        _remove(self, config, account);
        int256 remaining = _remaining(o, a, fill.sizeDelta);
        // The rest waits for another round and pays for another execution; without that margin it lapses.
        if (remaining != 0 && _escrow(ctx, a)) {
            o.sizeDelta = int128(remaining); // part of an int128
            o.requestedAt = uint40(block.timestamp);
            o.roundId = ctx.market.roundId;
            self.orders[account] = o;
        } else {
            remaining = 0;
        }
        self.accounts[account] = a;
        self.close(ctx);
        emit IMarginPool.OrderExecuted(
            account,
            msg.sender,
            fill,
            remaining,
            a.size,
            a.entryNotional,
            a.collateral,
            ctx.market.priceWad,
            ctx.market.roundId
        );
    }

    /// @notice See IMarginPool.cancelOrder. Needs no price.
    function cancel(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        address account
    ) external {
        IMarginPool.Order memory o = self.orders[account];
        if (o.requestedAt == 0) revert IMarginPool.MarginPool_NoOrder(account);
        if (block.timestamp >= o.requestedAt + DELAY && block.timestamp <= o.expiresAt) {
            revert IMarginPool.MarginPool_OrderNotCancelable(account, o.requestedAt + DELAY, o.expiresAt);
        }
        delete self.orders[account];
        IMarginPool.Ledgers memory ledgers = self.ledgers;
        IMarginPool.Account memory a = self.accounts[account];
        IMarginPool.Account memory refunded = MarginAccount.copy(a);
        uint128 fee = executionFee(config).toUint128();
        ledgers.credited -= fee;
        refunded.collateral += fee;
        MarginLedger.setAccount(ledgers, a, refunded);
        self.accounts[account] = refunded;
        self.ledgers = ledgers;
        emit IMarginPool.OrderCanceled(account, o.sizeDelta);
    }

    /// @notice See IMarginPool.previewOrder.
    function previewOrder(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        address account
    ) external view returns (IMarginPool.Fill memory filled, bytes memory failure) {
        IMarginPool.Order memory o = self.orders[account];
        if (o.requestedAt == 0) revert IMarginPool.MarginPool_NoOrder(account);
        if (block.timestamp > o.expiresAt) {
            failure = abi.encodeWithSelector(
                IMarginPool.MarginPool_OrderPastExpiry.selector,
                account,
                o.expiresAt
            );
            return (filled, failure);
        }
        MarginState.Context memory ctx = self.preview(config);
        _requireExecutable(ctx, account, o);
        (filled, failure) = _fill(ctx, account, self.accounts[account], o);
        if (failure.length != 0) delete filled;
    }

    /// @notice 0.5 quote.
    function executionFee(MarginState.Config memory config) internal pure returns (uint256) {
        return uint256(WAD / config.quoteScale / 2);
    }

    // -------------------------------------------------------------------- fill

    /// @dev Works on `ctx` and `a` in memory. `failure` is the error for which the order is to be removed; what
    /// waiting can cure (speed limit, volatility behind) reverts instead and leaves the order queued.
    function _fill(
        MarginState.Context memory ctx,
        address account,
        IMarginPool.Account memory a,
        IMarginPool.Order memory o
    ) private view returns (IMarginPool.Fill memory fill, bytes memory failure) {
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
        int256 least =
            (SMALLEST_PART_WAD.mulWadFloor(SolvencyMath.scalingEquity(ctx.equity)) * WAD) / ctx.price;
        if (allowed != wanted * bs && (d.sizeDelta == 0 || allowed.magnitude() < least)) {
            revert IMarginPool.MarginPool_SkewSpeedLimit(d.skewBefore + wanted, uint256(limit / bs));
        }
        d.skewAfter = d.skewBefore + d.sizeDelta;
        d.raisesSkew = SkewMath.builds(d.skewBefore, d.skewAfter);
        int256 sizeAfter = a.size + d.sizeDelta;
        d.opens = sizeAfter.oppositeSigns(a.size) || sizeAfter.magnitude() > int256(a.size).magnitude();
        d.stateBefore = ctx.state;
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

    // ----------------------------------------------------------------- helpers

    function _requireExecutable(
        MarginState.Context memory ctx,
        address account,
        IMarginPool.Order memory o
    ) private pure {
        uint256 executableAt = o.requestedAt + DELAY;
        if (ctx.market.roundId <= o.roundId || ctx.market.updatedAt < executableAt) {
            revert IMarginPool.MarginPool_OrderTooEarly(account, ctx.market.roundId, o.roundId, executableAt);
        }
    }

    /// @dev What of the order stays queued: nothing once a reducing order has closed the position.
    function _remaining(
        IMarginPool.Order memory o,
        IMarginPool.Account memory a,
        int256 filled
    ) private pure returns (int256) {
        return o.reduceOnly && a.size == 0 ? int256(0) : o.sizeDelta - filled;
    }

    /// @dev Takes the order out of the queue and credits the executor its fee.
    function _remove(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        address account
    ) private {
        delete self.orders[account];
        self.credits[msg.sender] += executionFee(config);
    }

    /// @dev Moves an execution fee from the collateral into `credited`, where it stays whoever it ends up with.
    /// @return escrowed false, and nothing moved, when the collateral is smaller
    function _escrow(
        MarginState.Context memory ctx,
        IMarginPool.Account memory a
    ) private pure returns (bool escrowed) {
        uint128 fee = executionFee(ctx.config).toUint128();
        if (a.collateral < fee) return false;
        IMarginPool.Account memory before = MarginAccount.copy(a);
        a.collateral -= fee;
        MarginLedger.setAccount(ctx.ledgers, before, a);
        ctx.ledgers.credited += fee;
        return true;
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
