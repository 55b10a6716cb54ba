// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {SignedWadMath} from "../libraries/SignedWadMath.sol";
import {MarginAccount} from "./MarginAccount.sol";
import {MarginLedger} from "./MarginLedger.sol";
import {MarginState} from "./MarginState.sol";
import {MarginStorage} from "./MarginStorage.sol";
import {OrderLogic} from "./OrderLogic.sol";
import {RiskStates} from "./RiskStates.sol";

/// @title The last two lines of defense: deleveraging and settlement
/// @notice Linked into MarginPool and run on its storage. How a deleveraging reaches each position is MarginAccount's.
library SettlementLogic {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;
    using SignedWadMath for int256;
    using MarginState for MarginStorage.Storage;
    using MarginState for MarginStorage.Context;
    using MarginStorage for MarginStorage.Storage;

    uint256 private constant UNIT = 1e18;
    /// Steps of the search for the least fraction: it is found to a thousandth.
    uint256 internal constant BISECTION_STEPS = 10;
    /// One deleveraging leaves at least a hundredth, so that M never reaches zero.
    uint256 internal constant MAXIMUM_FRACTION_WAD = 0.99e18;
    /// Below this M has too few digits left: the side cannot be deleveraged any more.
    uint256 internal constant MINIMUM_SCALE = 1e18;
    /// Closing more of a side that no longer helps would only use up M.
    uint256 internal constant LEAST_GAIN_WAD = 0.001e18;
    uint256 internal constant DEAD_FEED_PERIOD = 24 hours;
    uint256 internal constant SETTLEMENT_PERIOD = 7 days;

    // ------------------------------------------------------------ deleveraging

    /// @notice See IMarginPool.autoDeleverage.
    function deleverage(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config
    ) external returns (uint256 fractionWad) {
        MarginStorage.Context memory ctx;
        self.open(config, ctx);
        if (ctx.state != IMarginPool.RiskState.Deleveraging) {
            revert IMarginPool.MarginPool_NotDeleveraging(ctx.state, ctx.solvencyRatioWad);
        }
        int256 exposure = ctx.book.inventoryBase - (ctx.book.longOpenInterest - ctx.book.shortOpenInterest);
        bool long = exposure < 0;
        int256 open = long ? ctx.book.longOpenInterest : ctx.book.shortOpenInterest;
        uint256 ratioBefore = ctx.solvencyRatioWad;
        int256 skewBefore = MarginState.skewOf(ctx.ledgers);
        if (exposure == 0 || open == 0) {
            revert IMarginPool.MarginPool_NothingToDeleverage(
                exposure / config.baseScale,
                open / config.baseScale,
                ratioBefore
            );
        }
        // Not beyond b = K, where closing more would no longer shrink the exposure.
        uint256 most = uint256(exposure.magnitude()).divWad(uint256(open)).min(MAXIMUM_FRACTION_WAD);
        uint256 goal = RiskStates.deleverageGoalWad(ctx);
        fractionWad = _leastFraction(ctx, long, most, goal);
        if (ctx.solvencyRatioWad < goal.min(ratioBefore + LEAST_GAIN_WAD)) {
            revert IMarginPool.MarginPool_NothingToDeleverage(
                exposure / config.baseScale,
                open / config.baseScale,
                ratioBefore
            );
        }
        uint256 epoch = _checkpoint(self, ctx, long, fractionWad);
        MarginLedger.dropPremium(ctx, skewBefore);
        self.close(ctx);
        emit IMarginPool.Deleveraged(
            msg.sender,
            long,
            epoch,
            fractionWad,
            ctx.market.priceWad,
            ctx.market.roundId,
            ratioBefore,
            ctx.solvencyRatioWad
        );
    }

    /// @dev Least fraction that reaches the goal, or `most` where nothing does. Leaves it applied to the context.
    function _leastFraction(
        MarginStorage.Context memory ctx,
        bool long,
        uint256 most,
        uint256 goal
    ) private pure returns (uint256 high) {
        IMarginPool.Ledgers memory before = _copy(ctx.ledgers);
        high = most;
        _apply(ctx, before, long, high);
        if (ctx.solvencyRatioWad < goal) return high;
        uint256 low;
        for (uint256 step; step < BISECTION_STEPS; ++step) {
            uint256 middle = (low + high) / 2;
            _apply(ctx, before, long, middle);
            if (ctx.solvencyRatioWad < goal) low = middle;
            else high = middle;
        }
        _apply(ctx, before, long, high);
    }

    /// @dev Sets the ledgers to what `before` becomes when `fraction` of a side is closed at the index price. What that
    /// realizes waits in the side's accrual until its accounts are touched. Aggregates are rounded up, positions down.
    function _apply(
        MarginStorage.Context memory ctx,
        IMarginPool.Ledgers memory before,
        bool long,
        uint256 fraction
    ) private pure {
        IMarginPool.Ledgers memory ledgers = ctx.ledgers;
        uint256 left = UNIT - fraction;
        int256 profit;
        if (long) {
            ledgers.longOpenInterest = before.longOpenInterest.fullMulDivUp(left, UNIT);
            ledgers.longEntryNotional = before.longEntryNotional.fullMulDivUp(left, UNIT);
            ledgers.longCollateral = before.longCollateral.fullMulDivUp(left, UNIT);
            uint256 closed = before.longOpenInterest - ledgers.longOpenInterest;
            uint256 entry = before.longEntryNotional - ledgers.longEntryNotional;
            profit =
                int256(MarginAccount.notionalUp(ctx.config, int256(closed), ctx.market.priceWad)) -
                int256(entry);
            ledgers.longAccrual = before.longAccrual - profit;
        } else {
            ledgers.shortOpenInterest = before.shortOpenInterest.fullMulDivUp(left, UNIT);
            ledgers.shortEntryNotional = before.shortEntryNotional.fullMulDivUp(left, UNIT);
            ledgers.shortCollateral = before.shortCollateral.fullMulDivUp(left, UNIT);
            uint256 closed = before.shortOpenInterest - ledgers.shortOpenInterest;
            uint256 entry = before.shortEntryNotional - ledgers.shortEntryNotional;
            profit = int256(entry) - MarginAccount.valueDown(ctx.config, int256(closed), ctx.market.priceWad);
            ledgers.shortAccrual = before.shortAccrual - profit;
        }
        ctx.refresh();
    }

    /// @dev Records M, X and F of the side.
    function _checkpoint(
        MarginStorage.Storage storage self,
        MarginStorage.Context memory ctx,
        bool long,
        uint256 fraction
    ) private returns (uint256 epoch) {
        MarginStorage.Checkpoint memory c = MarginAccount.nextCheckpoint(self, ctx, long, fraction);
        epoch = (long ? ctx.longEpoch : ctx.shortEpoch) + 1;
        if (c.scale < MINIMUM_SCALE || epoch > type(uint16).max) {
            revert IMarginPool.MarginPool_DeleveragingExhausted(epoch, c.scale, MINIMUM_SCALE);
        }
        self.checkpoints[long][epoch] = c;
        if (long) ctx.longEpoch = epoch;
        else ctx.shortEpoch = epoch;
    }

    function _copy(IMarginPool.Ledgers memory ledgers) private pure returns (IMarginPool.Ledgers memory c) {
        c.longOpenInterest = ledgers.longOpenInterest;
        c.shortOpenInterest = ledgers.shortOpenInterest;
        c.longEntryNotional = ledgers.longEntryNotional;
        c.shortEntryNotional = ledgers.shortEntryNotional;
        c.longCollateral = ledgers.longCollateral;
        c.shortCollateral = ledgers.shortCollateral;
        c.longAccrual = ledgers.longAccrual;
        c.shortAccrual = ledgers.shortAccrual;
    }

    // -------------------------------------------------------------- settlement

    /// @notice See IMarginPool.settle.
    /// @return settled false when this call was the report that starts the clock
    function settle(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        IPriceOracle priceOracle
    ) external returns (bool settled) {
        self.requireAlive();
        if (config.volatilityOracle.isGood()) revert IMarginPool.MarginPool_FeedAlive();
        // Rounds go on behind a dead sequencer feed, or with ids that were used before; neither makes a price.
        (bool sequencerUp, uint256 countedFrom, uint256 lastRoundAt) = priceOracle.liveness();
        (uint256 priceWad, uint256 lastGoodAt) = config.volatilityOracle.lastGood();
        MarginStorage.Context memory ctx;
        self.load(ctx);
        uint256 since = self.settlement.deadSince;
        if (since == 0 || ctx.lastSyncAt > since || lastGoodAt.min(lastRoundAt) > since) {
            self.settlement.deadSince = uint40(block.timestamp);
            emit IMarginPool.DeadFeedReported(msg.sender, block.timestamp + DEAD_FEED_PERIOD);
            return false;
        }
        uint256 deadAt = since.max(countedFrom) + DEAD_FEED_PERIOD;
        if (!sequencerUp || block.timestamp < deadAt) {
            revert IMarginPool.MarginPool_FeedNotDead(sequencerUp, deadAt);
        }
        IMarginPool.RiskState before = RiskStates.worse(ctx);
        ctx.ratioState = IMarginPool.RiskState.Settled;
        ctx.stateSince = block.timestamp;
        self.store(ctx);
        emit IMarginPool.RiskStateChanged(before, ctx.ratioState, 0);
        self.freeze(priceWad);
        return true;
    }

    /// @notice See IMarginPool.settleAccount.
    function settleAccount(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        address account
    ) external {
        MarginStorage.Context memory ctx;
        _openSettled(self, config, ctx);
        MarginAccount.Account memory a = MarginAccount.load(self, ctx, account);
        // As stored: deleveraging may have left nothing of a position that is still to be closed.
        (int256 stored, , , , , ) = MarginStorage.loadPosition(self.positions[account]);
        if (stored == 0) revert IMarginPool.MarginPool_NoPosition(account);
        MarginAccount.Account memory before = MarginAccount.copy(a);
        int256 owed = MarginLedger.settleOwed(ctx.ledgers, a);
        int256 gain = MarginAccount.profitDown(config, a.size, a.entryNotional, ctx.market.priceWad) - owed;
        (a.size, a.entryNotional, a.openedAt) = (0, 0, 0);
        uint256 shortfall;
        if (gain > 0) {
            _recordGain(self, ctx.ledgers, account, a, uint256(gain));
        } else {
            uint256 loss = uint256(-gain).min(a.collateral);
            shortfall = uint256(-gain) - loss;
            MarginLedger.collectLoss(ctx.ledgers, a, loss);
            if (self.settlement.finalizedAt != 0) self.settlement.lateCash += loss.toUint128();
            self.badDebt += shortfall.toUint128();
        }
        if (self.orders[account].requestedAt != 0) {
            a.collateral += OrderLogic.executionFee(config);
            emit IMarginPool.OrderCanceled(account, self.orders[account].sizeDelta);
            delete self.orders[account];
        }
        MarginLedger.moveAccount(ctx.ledgers, before, a);
        self.store(ctx);
        MarginAccount.store(self, ctx, account, a);
        emit IMarginPool.AccountSettled(
            account,
            msg.sender,
            before.size,
            ctx.market.priceWad,
            gain,
            a.newClaim,
            shortfall,
            a.collateral
        );
    }

    /// @dev In time a gain becomes a claim. Later it is paid from what late losers lost, then becomes a claim as far as
    /// something was kept for it: the gains of its side less the losses. Until the losers of the side are settled that may
    /// not be enough, and only the account itself may do with less.
    function _recordGain(
        MarginStorage.Storage storage self,
        IMarginPool.Ledgers memory ledgers,
        address account,
        MarginAccount.Account memory a,
        uint256 gain
    ) private {
        if (self.settlement.finalizedAt != 0) {
            uint256 kept = uint256(self.settlement.lateCash) + self.settlement.lateReserve;
            if (gain > kept && msg.sender != account) {
                revert IMarginPool.MarginPool_LateGainNotCovered(account, gain, kept);
            }
            uint256 cash = gain.min(self.settlement.lateCash);
            self.settlement.lateCash -= uint128(cash);
            ledgers.inventoryQuote -= cash;
            a.collateral += cash;
            gain = (gain - cash).min(self.settlement.lateReserve);
            self.settlement.lateReserve -= uint128(gain);
        }
        MarginLedger.addClaim(ledgers, a, gain);
    }

    /// @dev Whether no position is left: deleveraging rounds the aggregates up, so up to one quote does not count.
    function _allSettled(
        MarginStorage.Config memory config,
        IMarginPool.Ledgers memory ledgers,
        uint256 priceWad
    ) private pure returns (bool) {
        int256 open = int256(ledgers.longOpenInterest + ledgers.shortOpenInterest);
        uint256 left =
            MarginAccount.notionalUp(config, open, priceWad) +
                ledgers.longEntryNotional +
                ledgers.shortEntryNotional;
        return left * uint256(config.quoteScale) <= UNIT;
    }

    /// @notice See IMarginPool.finalizeSettlement.
    /// @param supply of shares
    function finalize(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        uint256 supply
    ) external {
        MarginStorage.Context memory ctx;
        _openSettled(self, config, ctx);
        MarginStorage.Settlement memory s = self.settlement;
        if (s.finalizedAt != 0) revert IMarginPool.MarginPool_AlreadyFinalized(s.finalizedAt);
        IMarginPool.Ledgers memory ledgers = ctx.ledgers;
        if (block.timestamp < s.settledAt + SETTLEMENT_PERIOD && !_allSettled(config, ledgers, s.priceWad)) {
            revert IMarginPool.MarginPool_SettlementRunning(s.settledAt + SETTLEMENT_PERIOD);
        }

        int256 price = int256(ctx.market.priceWad);
        int256 longs =
            MarginAccount.profitDown(
                config,
                int256(ledgers.longOpenInterest),
                ledgers.longEntryNotional,
                uint256(price)
            ) +
                1 -
                ledgers.longAccrual;
        int256 shorts =
            MarginAccount.profitDown(
                config,
                -int256(ledgers.shortOpenInterest),
                ledgers.shortEntryNotional,
                uint256(price)
            ) +
                1 -
                ledgers.shortAccrual;
        uint256 late =
            (ledgers.longOpenInterest == 0 ? 0 : uint256(longs.max(0))) +
                (ledgers.shortOpenInterest == 0 ? 0 : uint256(shorts.max(0)));
        ledgers.inventoryQuote += ledgers.insuranceFund + ledgers.skewPremium + ledgers.pendingIncome;
        (ledgers.insuranceFund, ledgers.skewPremium, ledgers.pendingIncome) = (0, 0, 0);
        s.finalizedAt = uint40(block.timestamp);
        s.lateReserve = late.toUint128();
        s.claimsTotal = (ledgers.unpaidClaims + late).toUint128();
        s.basePot = ledgers.inventoryBase.toUint128();
        s.quotePot = ledgers.inventoryQuote.toUint128();
        s.valueTotal = (ledgers.inventoryQuote +
            uint256(MarginAccount.valueDown(config, int256(ledgers.inventoryBase), uint256(price))))
            .toUint128();
        s.shareSupply = supply;
        self.settlement = s;
        self.store(ctx);
        emit IMarginPool.SettlementFinalized(
            msg.sender,
            s.claimsTotal,
            s.valueTotal,
            s.basePot,
            s.quotePot,
            supply,
            late
        );
    }

    /// @notice See IMarginPool.claim. The transfers are the caller's.
    /// @return quoteAmount credit, and the account's claim as far as q reaches or as the settlement pays it
    /// @return baseAmount of a claim that the settlement pays
    function claim(
        MarginStorage.Storage storage self,
        address account
    ) external returns (uint256 quoteAmount, uint256 baseAmount) {
        uint256 credit = self.credits[account];
        uint256 owed = self.claims[account];
        if (credit != 0) {
            delete self.credits[account];
            self.addAccounted(-int256(credit));
            emit IMarginPool.CreditPaid(account, credit);
        }
        if (owed != 0) {
            if (self.settlement.finalizedAt != 0) {
                (baseAmount, quoteAmount) = _paySettledClaim(self, account, owed);
            } else if (self.settlement.settledAt == 0) {
                quoteAmount = _payClaim(self, account, owed);
            }
        }
        quoteAmount += credit;
        if (quoteAmount + baseAmount == 0) revert IMarginPool.MarginPool_NothingToClaim(account);
    }

    /// @dev Pays as much of a claim as there is quote.
    function _payClaim(
        MarginStorage.Storage storage self,
        address account,
        uint256 owed
    ) private returns (uint256 amount) {
        amount = owed.min(self.loadInventoryQuote());
        if (amount == 0) return 0;
        self.claims[account] = owed - amount;
        _payOut(self, 0, amount, amount);
        emit IMarginPool.ClaimPaid(account, amount, owed - amount);
    }

    /// @dev In kind: claim / max(value, claims) of both pots.
    function _paySettledClaim(
        MarginStorage.Storage storage self,
        address account,
        uint256 owed
    ) private returns (uint256 baseAmount, uint256 quoteAmount) {
        MarginStorage.Settlement memory s = self.settlement;
        uint256 whole = uint256(s.valueTotal).max(s.claimsTotal);
        baseAmount = uint256(s.basePot).fullMulDiv(owed, whole);
        quoteAmount = uint256(s.quotePot).fullMulDiv(owed, whole);
        delete self.claims[account];
        _payOut(self, baseAmount, quoteAmount, owed);
        emit IMarginPool.ClaimPaidInKind(account, owed, baseAmount, quoteAmount);
    }

    /// @notice What `shares` of a finalized settlement get: their part of what claims leave of both pots.
    function redeemInKind(
        MarginStorage.Storage storage self,
        uint256 shares
    ) external returns (uint256 baseAmount, uint256 quoteAmount) {
        MarginStorage.Settlement memory s = self.settlement;
        if (s.finalizedAt == 0) revert IMarginPool.MarginPool_NotFinalized(s.settledAt);
        if (s.valueTotal > s.claimsTotal) {
            uint256 left = s.valueTotal - s.claimsTotal;
            baseAmount = uint256(s.basePot).fullMulDiv(left, s.valueTotal).fullMulDiv(shares, s.shareSupply);
            quoteAmount = uint256(s.quotePot).fullMulDiv(left, s.valueTotal).fullMulDiv(
                shares,
                s.shareSupply
            );
        }
        _payOut(self, baseAmount, quoteAmount, 0);
    }

    /// @dev Takes a payment out of the inventory, and the claim it was for.
    function _payOut(
        MarginStorage.Storage storage self,
        uint256 baseAmount,
        uint256 quoteAmount,
        uint256 claimed
    ) private {
        MarginStorage.Context memory ctx;
        self.load(ctx);
        ctx.ledgers.inventoryBase -= baseAmount;
        ctx.ledgers.inventoryQuote -= quoteAmount;
        ctx.ledgers.unpaidClaims -= claimed;
        MarginLedger.paid(ctx, quoteAmount);
        self.store(ctx);
    }

    function _openSettled(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        MarginStorage.Context memory ctx
    ) private view {
        if (self.settlement.settledAt == 0) revert IMarginPool.MarginPool_NotSettled();
        self.frozen(config, ctx);
    }
}
