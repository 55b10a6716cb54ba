// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {MarginMath} from "../libraries/MarginMath.sol";
import {RebalanceMath} from "../libraries/RebalanceMath.sol";
import {SignedWadMath} from "../libraries/SignedWadMath.sol";
import {SolvencyMath} from "../libraries/SolvencyMath.sol";
import {VolatilityMath} from "../libraries/VolatilityMath.sol";
import {MarginAccount} from "./MarginAccount.sol";
import {MarginLedger} from "./MarginLedger.sol";
import {MarginParameters} from "./MarginParameters.sol";
import {MarginState} from "./MarginState.sol";
import {MarginStorage} from "./MarginStorage.sol";
import {RiskStates} from "./RiskStates.sol";

/// @title Liquidation, margin withdrawal, and the pool as a whole
/// @notice Linked into MarginPool and run on its storage.
library RiskLogic {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;
    using SignedWadMath for int256;
    using MarginState for MarginStorage.Storage;
    using MarginState for MarginStorage.Context;
    using MarginStorage for MarginStorage.Storage;

    int256 private constant WAD = 1e18;
    /// The liquidator gets the first part of the penalty, at most 50 quote.
    uint256 internal constant KEEPER_CAP_QUOTE = 50;
    /// Of the rest, 70 % goes to insurance.
    uint256 internal constant INSURANCE_SHARE_BPS = 7_000;
    /// A partial liquidation leaves at least so much notional.
    uint256 internal constant DUST_QUOTE = 500;

    // -------------------------------------------------------------- liquidation

    /// @notice See IMarginPool.liquidate.
    function liquidate(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        address account
    ) external {
        MarginStorage.Context memory ctx;
        self.open(config, ctx);
        MarginAccount.Account memory a = MarginAccount.load(self, ctx, account);
        if (a.size == 0) revert IMarginPool.MarginPool_NoPosition(account);
        if (a.openedAt == block.timestamp) {
            revert IMarginPool.MarginPool_OpenedThisBlock(account, a.openedAt);
        }
        IMarginPool.Liquidation memory liquidation;
        int256 closed = _plan(ctx, account, a, liquidation);
        _closePart(self, ctx, account, a, liquidation, closed);
        self.close(ctx);
        emit IMarginPool.Liquidated(account, msg.sender, liquidation);
    }

    /// @dev How much is closed, at what penalty.
    /// @return closed signed like the position
    function _plan(
        MarginStorage.Context memory ctx,
        address account,
        MarginAccount.Account memory a,
        IMarginPool.Liquidation memory liquidation
    ) private pure returns (int256 closed) {
        uint256 notional = MarginAccount.notionalUp(ctx.config, a.size, ctx.market.priceWad);
        uint256 ratio = MarginAccount.maintenanceRatioWad(ctx, a.size);
        uint256 maintenance = notional.mulWadUp(ratio);
        int256 equity = MarginAccount.equityOf(ctx, a);
        if (equity >= int256(maintenance)) {
            revert IMarginPool.MarginPool_NotLiquidatable(account, equity, maintenance);
        }
        uint256 unit = uint256(WAD / ctx.config.quoteScale);
        uint256 part;
        (part, liquidation.penalty) = MarginMath.liquidation(
            uint256(equity.max(0)),
            notional,
            ratio,
            MarginMath.restoredRatioWad(ratio, ctx.market.maintenanceVolatilityWad),
            DUST_QUOTE * unit
        );
        liquidation.indexPriceWad = ctx.market.priceWad;
        liquidation.roundId = ctx.market.roundId;
        liquidation.equity = equity;
        closed = a.size;
        if (part < notional) {
            uint256 size = uint256(a.size.magnitude());
            int256 least = int256(size.fullMulDivUp(part, notional));
            least = a.size < 0 ? -least : least;
            // What is owed must be paid now, in cash; where that takes the profit of the rest too, nothing is left open.
            int256 cash = int256(a.collateral) - a.owed + _profitOf(ctx, a, least);
            if (cash >= int256(liquidation.penalty)) return least;
            // The same rate on all of it.
            liquidation.penalty = liquidation.penalty.fullMulDivUp(notional, part).min(uint256(equity));
        }
    }

    /// @dev Profit of a part of the position at the index price, rounded down.
    function _profitOf(
        MarginStorage.Context memory ctx,
        MarginAccount.Account memory a,
        int256 closed
    ) private pure returns (int256) {
        return
            MarginAccount.profitDown(
                ctx.config,
                closed,
                MarginAccount.entryOf(a, closed),
                ctx.market.priceWad
            );
    }

    /// @dev Closes at the index price, free of fees and premium. What the trader cannot pay is bad debt.
    function _closePart(
        MarginStorage.Storage storage self,
        MarginStorage.Context memory ctx,
        address account,
        MarginAccount.Account memory a,
        IMarginPool.Liquidation memory liquidation,
        int256 closed
    ) private {
        IMarginPool.Ledgers memory ledgers = ctx.ledgers;
        MarginAccount.Account memory before = MarginAccount.copy(a);
        int256 gain = _profitOf(ctx, a, closed) - MarginLedger.settleOwed(ledgers, a);
        if (closed == a.size) liquidation.badDebt = uint256((-liquidation.equity).max(0));
        a.entryNotional -= MarginAccount.entryOf(before, closed);
        a.size -= closed;
        if (a.size == 0) a.openedAt = 0;
        if (gain > 0) MarginLedger.payTrader(ledgers, a, uint256(gain));
        else MarginLedger.collectLoss(ledgers, a, uint256(-gain) - liquidation.badDebt);

        // A gain that q could not pay leaves less cash than equity: the penalty never takes more than there is.
        liquidation.penalty = liquidation.penalty.min(a.collateral);
        liquidation.keeperReward = liquidation.penalty.min(
            KEEPER_CAP_QUOTE * uint256(WAD / ctx.config.quoteScale)
        );
        a.collateral -= liquidation.penalty;
        MarginLedger.bookFee(ledgers, liquidation.penalty - liquidation.keeperReward, INSURANCE_SHARE_BPS);
        if (liquidation.keeperReward != 0) self.credits[msg.sender] += liquidation.keeperReward;

        int256 skewBefore = MarginState.skewOf(ledgers);
        MarginLedger.moveAccount(ledgers, before, a);
        MarginLedger.dropPremium(ctx, skewBefore);
        if (liquidation.badDebt != 0)
            liquidation.paidByInsurance = MarginLedger.coverBadDebt(self, ledgers, liquidation.badDebt);
        MarginAccount.store(self, ctx, account, a);
        (liquidation.closed, liquidation.size, liquidation.entryNotional, liquidation.collateral) = (
            closed,
            a.size,
            a.entryNotional,
            a.collateral
        );
    }

    // -------------------------------------------------------------- withdrawal

    /// @notice See IMarginPool.withdrawMargin. The transfer is the caller's.
    function withdrawMargin(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        address account,
        uint256 amount
    ) external {
        (int256 size, , uint256 collateral, , , ) = MarginStorage.loadPosition(self.positions[account]);
        uint256 available = collateral.zeroFloorSub(self.orders[account].reservedMargin);
        if (amount > available) {
            revert IMarginPool.MarginPool_InsufficientFreeMargin(account, amount, available);
        }
        collateral -= amount;
        if (size == 0) {
            MarginAccount.setCollateral(self, account, collateral);
            self.addAccounted(-int256(amount));
        } else {
            MarginStorage.Context memory ctx;
            self.open(config, ctx);
            MarginAccount.Account memory a = MarginAccount.load(self, ctx, account);
            a.collateral = collateral;
            _requireWithdrawable(ctx, MarginParameters.load(self.parameters), account, a);
            (IMarginPool.RiskState stateBefore, uint256 ratioBefore) = (ctx.state, ctx.solvencyRatioWad);
            int256 delta;
            (size, delta) = MarginAccount.setCollateral(self, account, collateral);
            MarginLedger.moveBacking(ctx.ledgers, size, delta);
            MarginLedger.paid(ctx, amount);
            self.close(ctx);
            ctx.requireNotWorse(stateBefore);
            _requireNotShort(ctx, ratioBefore);
        }
        emit IMarginPool.MarginWithdrawn(account, amount, collateral);
    }

    /// @dev Margin behind positions counts in the solvency ratio. Where that is below Normal's it stays: margin that came for
    /// a moment would otherwise end a deleveraging or let LPs out.
    function _requireNotShort(MarginStorage.Context memory ctx, uint256 ratioBefore) private pure {
        uint256 ratio = ctx.solvencyRatioWad;
        if (ratio < ratioBefore && ratio < RiskStates.NORMAL_RATIO_WAD) {
            revert IMarginPool.MarginPool_SolvencyLowered(ratioBefore, ratio);
        }
    }

    /// @dev max(2 IMR, 10 %) of notional stays, in equity and in cash: profit that is not realized does not count.
    function _requireWithdrawable(
        MarginStorage.Context memory ctx,
        MarginParameters.Values memory parameters,
        address account,
        MarginAccount.Account memory a
    ) private pure {
        (uint256 initialRatio, ) = MarginAccount.initialMargin(ctx, parameters, a.size);
        uint256 needed = MarginAccount.notionalUp(ctx.config, a.size, ctx.market.priceWad).mulWadUp(
            MarginMath.withdrawalRatioWad(initialRatio)
        );
        int256 cash = int256(a.collateral) - a.owed.max(0);
        int256 counted = MarginAccount.equityOf(ctx, a).min(cash);
        if (counted < int256(needed)) {
            revert IMarginPool.MarginPool_InsufficientMargin(account, counted, needed);
        }
    }

    // ---------------------------------------------------------------- the pool

    /// @notice See IMarginPool.sync.
    function sync(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config
    ) external returns (IMarginPool.Snapshot memory) {
        MarginStorage.Context memory ctx;
        MarginState.sync(self, config, ctx);
        return ctx.snapshot();
    }

    /// @notice Books a trade of inventory with the constant-product pool and says what it left behind.
    /// @param baseDelta change of b, token units
    /// @param quoteDelta change of q, token units
    function moveInventory(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        int256 baseDelta,
        int256 quoteDelta
    ) external returns (IMarginPool.Snapshot memory) {
        MarginStorage.Context memory ctx;
        self.open(config, ctx);
        ctx.ledgers.inventoryBase = _plus(ctx.ledgers.inventoryBase, baseDelta);
        ctx.ledgers.inventoryQuote = _plus(ctx.ledgers.inventoryQuote, quoteDelta);
        if (quoteDelta > 0) MarginLedger.received(ctx, uint256(quoteDelta));
        else MarginLedger.paid(ctx, uint256(-quoteDelta));
        _learnHedgeRate(self, ctx, baseDelta, quoteDelta);
        self.close(ctx);
        emit IMarginPool.PoolTraded(baseDelta, quoteDelta, ctx.market.priceWad, ctx.hedgeRatePpm);
        return ctx.snapshot();
    }

    function _plus(uint256 ledger, int256 delta) private pure returns (uint256) {
        if (delta < 0 && ledger < uint256(-delta)) {
            revert IMarginPool.MarginPool_InventoryShort(ledger, uint256(-delta));
        }
        return uint256(int256(ledger) + delta);
    }

    /// @dev phi: oracle value given up per quote hedged, averaged over a day by notional.
    function _learnHedgeRate(
        MarginStorage.Storage storage self,
        MarginStorage.Context memory ctx,
        int256 baseDelta,
        int256 quoteDelta
    ) private {
        MarginStorage.HedgeCost memory hedge = self.hedgeCost;
        uint256 faded = VolatilityMath.decayWeightWad(
            block.timestamp - hedge.updatedAt,
            RebalanceMath.HEDGE_TIME_CONSTANT
        );
        int256 given = -MarginAccount.valueDown(ctx.config, baseDelta, ctx.market.priceWad) - quoteDelta;
        uint256 notional = MarginAccount.notionalUp(ctx.config, baseDelta, ctx.market.priceWad);
        hedge.cost = (uint256(given.max(0)) + hedge.cost - uint256(hedge.cost).mulWad(faded)).toUint112();
        hedge.notional = (notional + hedge.notional - uint256(hedge.notional).mulWad(faded)).toUint112();
        hedge.updatedAt = block.timestamp.toUint32();
        self.hedgeCost = hedge;
        int256 prior = RebalanceMath.HEDGE_PRIOR_WAD.mulWadFloor(SolvencyMath.scalingEquity(ctx.equity));
        ctx.hedgeRatePpm = RebalanceMath.hedgeRatePpm(
            hedge.cost,
            hedge.notional,
            ctx.unwindCostPpm,
            uint256(prior / ctx.config.quoteScale).max(1)
        );
        self.storeBand(ctx.outerBandWad, ctx.depthBaseWad, ctx.unwindCostPpm, ctx.hedgeRatePpm);
    }

    // ------------------------------------------------------------------- views

    /// @notice See IMarginPool.snapshot.
    function viewSnapshot(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config
    ) external view returns (IMarginPool.Snapshot memory) {
        MarginStorage.Context memory ctx;
        self.preview(config, ctx);
        return ctx.snapshot();
    }

    /// @notice See IMarginPool.poolState.
    function viewPool(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config
    ) external view returns (IMarginPool.PoolState memory s) {
        MarginStorage.Context memory ctx;
        self.preview(config, ctx);
        s.equity = ctx.equity.divFloor(config.quoteScale);
        s.equityBid = ctx.equityBid.divFloor(config.quoteScale);
        s.equityAsk = SolvencyMath
            .equityAsk(ctx.book, int256(ctx.market.lowerPriceWad), int256(ctx.market.upperPriceWad))
            .divCeil(config.quoteScale);
        s.skew = MarginState.skewOf(ctx.ledgers);
        s.netExposureBase = ctx.netExposure / config.baseScale;
        s.targetInventoryBase = uint256(ctx.targetInventory / config.baseScale);
        s.requiredEquity = uint256(ctx.required.divCeil(config.quoteScale));
        s.solvencyRatioWad = ctx.solvencyRatioWad;
        s.riskState = ctx.state;
    }

    /// @notice See IMarginPool.position.
    function viewPosition(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        address account
    ) external view returns (IMarginPool.PositionView memory v) {
        MarginStorage.Context memory ctx;
        self.preview(config, ctx);
        MarginAccount.Account memory a = MarginAccount.load(self, ctx, account);
        v.size = a.size;
        v.entryNotional = a.entryNotional;
        v.collateral = a.collateral;
        v.unrealizedProfit = MarginAccount.profitDown(config, a.size, a.entryNotional, ctx.market.priceWad);
        v.fundingOwed = a.owed;
        v.equity = MarginAccount.equityOf(ctx, a);
        v.maintenanceMargin = MarginAccount.maintenanceMargin(ctx, a.size);
        (, v.initialMargin) = MarginAccount.initialMargin(
            ctx,
            MarginParameters.load(self.parameters),
            a.size
        );
        v.liquidatable = a.size != 0 && v.equity < int256(v.maintenanceMargin);
    }
}
