// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {MarginMath} from "../libraries/MarginMath.sol";
import {RebalanceMath} from "../libraries/RebalanceMath.sol";
import {SignedWadMath} from "../libraries/SignedWadMath.sol";
import {SkewMath} from "../libraries/SkewMath.sol";
import {SolvencyMath} from "../libraries/SolvencyMath.sol";
import {VolatilityMath} from "../libraries/VolatilityMath.sol";
import {MarginAccount} from "./MarginAccount.sol";
import {MarginLedger} from "./MarginLedger.sol";
import {MarginState} from "./MarginState.sol";

/// @title Liquidation, margin withdrawal, and the pool as a whole
/// @notice Linked into MarginPool and run on its storage.
library RiskLogic {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;
    using SafeCastLib for int256;
    using SignedWadMath for int256;
    using MarginState for MarginState.Storage;
    using MarginState for MarginState.Context;

    uint256 internal constant PPM = 1e6;
    /// The liquidator gets the first part of the penalty, at most 50 quote.
    uint256 internal constant KEEPER_CAP_QUOTE = 50;
    /// Of the rest, 70 % goes to insurance.
    uint256 internal constant INSURANCE_SHARE_PPM = 700_000;

    /// @notice See IMarginPool.liquidate.
    function liquidate(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        address account
    ) external {
        IMarginPool.Account memory a = self.accounts[account];
        if (a.size == 0) revert IMarginPool.MarginPool_NoPosition(account);
        if (a.openedAt == block.timestamp) {
            revert IMarginPool.MarginPool_OpenedThisBlock(account, a.openedAt);
        }
        MarginState.Context memory ctx = self.open(config);
        int256 equity = MarginAccount.equityOf(ctx, a);
        uint256 maintenance = MarginAccount.maintenanceMargin(ctx, a.size);
        if (equity >= int256(maintenance)) {
            revert IMarginPool.MarginPool_NotLiquidatable(account, equity, maintenance);
        }

        uint256 penalty = MarginMath.penalty(
            uint256(equity.max(0)),
            maintenance,
            MarginAccount.notionalUp(config, a.size, ctx.market.priceWad)
        );
        uint256 reward = penalty.min(KEEPER_CAP_QUOTE * uint256(MarginState.WAD / config.quoteScale));
        uint256 shortfall = uint256((-equity).max(0));
        uint256 covered = _closePosition(self, ctx, account, a, penalty, reward, shortfall);
        self.close(ctx);
        emit IMarginPool.Liquidated(
            account,
            msg.sender,
            a.size,
            ctx.market.priceWad,
            equity,
            penalty,
            reward,
            shortfall,
            covered
        );
    }

    /// @dev Closes at the index price, free of fees and premium. What the trader cannot pay is bad debt.
    function _closePosition(
        MarginState.Storage storage self,
        MarginState.Context memory ctx,
        address account,
        IMarginPool.Account memory before,
        uint256 penalty,
        uint256 reward,
        uint256 shortfall
    ) private returns (uint256 covered) {
        IMarginPool.Ledgers memory ledgers = ctx.ledgers;
        IMarginPool.Account memory a = IMarginPool.Account({
            size: 0,
            entryNotional: 0,
            collateral: before.collateral,
            fundingIndexWad: before.fundingIndexWad,
            unpaidClaim: before.unpaidClaim,
            openedAt: 0
        });
        int256 funding = MarginAccount.fundingOwedUp(ctx, before);
        MarginLedger.settleFunding(ctx, before, funding);
        int256 gain =
            MarginAccount.profitDown(ctx.config, before.size, before.entryNotional, ctx.market.priceWad) -
                funding;
        if (gain > 0) MarginLedger.payTrader(ledgers, a, uint256(gain));
        else MarginLedger.collectLoss(ledgers, a, uint256(-gain) - shortfall);
        // A gain that q could not pay leaves less cash than equity: the penalty never takes more than there is.
        if (penalty > a.collateral) (penalty, reward) = (a.collateral, reward.min(a.collateral));
        _bookPenalty(self, ledgers, a, penalty, reward);

        int256 skewBefore = MarginState.skewOf(ledgers);
        MarginLedger.setAccount(ledgers, before, a);
        int256 skewAfter = MarginState.skewOf(ledgers);
        uint256 kept = SkewMath.premiumKeptDown(ledgers.skewPremium, skewBefore, skewAfter);
        MarginLedger.movePremium(ctx, skewAfter, kept, 0, 0, 0);
        if (shortfall != 0) {
            MarginState.Losses memory losses = self.losses;
            covered = MarginLedger.coverBadDebt(ledgers, losses, shortfall, block.timestamp);
            self.losses = losses;
        }
        self.accounts[account] = a;
    }

    /// @dev Keeper first, then 70 % insurance, the rest to LPs through S.
    function _bookPenalty(
        MarginState.Storage storage self,
        IMarginPool.Ledgers memory ledgers,
        IMarginPool.Account memory a,
        uint256 penalty,
        uint256 reward
    ) private {
        uint128 insured = (((penalty - reward) * INSURANCE_SHARE_PPM) / PPM).toUint128();
        a.collateral -= penalty.toUint128();
        ledgers.credited += reward.toUint128();
        ledgers.insuranceFund += insured;
        ledgers.pendingIncome += (penalty - reward).toUint128() - insured;
        self.credits[msg.sender] += reward;
    }

    /// @notice See IMarginPool.withdrawMargin. The transfer is the caller's.
    function withdrawMargin(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        address account,
        uint256 amount
    ) external {
        IMarginPool.Account memory before = self.accounts[account];
        IMarginPool.Account memory a = self.accounts[account];
        uint256 available = uint256(a.collateral).zeroFloorSub(self.orders[account].reservedMargin);
        if (amount > available) {
            revert IMarginPool.MarginPool_InsufficientFreeMargin(account, amount, available);
        }
        a.collateral -= uint128(amount); // at most the collateral
        if (a.size == 0) {
            IMarginPool.Ledgers memory ledgers = self.ledgers;
            MarginLedger.setAccount(ledgers, before, a);
            self.ledgers = ledgers;
        } else {
            MarginState.Context memory ctx = self.open(config);
            _requireWithdrawable(ctx, account, a);
            MarginLedger.setAccount(ctx.ledgers, before, a);
            self.close(ctx);
        }
        self.accounts[account] = a;
        emit IMarginPool.MarginWithdrawn(account, amount, a.collateral);
    }

    /// @dev max(2 IMR, 10 %) of notional stays, in equity and in cash: profit that is not realized does not count.
    function _requireWithdrawable(
        MarginState.Context memory ctx,
        address account,
        IMarginPool.Account memory a
    ) private pure {
        (uint256 initialRatio, ) = MarginAccount.initialMargin(ctx, a.size);
        uint256 needed = MarginAccount.notionalUp(ctx.config, a.size, ctx.market.priceWad).mulWadUp(
            MarginMath.withdrawalRatioWad(initialRatio)
        );
        int256 counted = MarginAccount.equityOf(ctx, a).min(int256(uint256(a.collateral)));
        if (counted < int256(needed)) {
            revert IMarginPool.MarginPool_InsufficientMargin(account, counted, needed);
        }
    }

    // ---------------------------------------------------------------- the pool

    /// @notice See IMarginPool.sync.
    function sync(
        MarginState.Storage storage self,
        MarginState.Config memory config
    ) external returns (IMarginPool.Snapshot memory) {
        MarginState.Context memory ctx = self.open(config);
        self.close(ctx);
        return ctx.snapshot();
    }

    /// @notice Books a trade of inventory with the constant-product pool and says what it left behind.
    /// @param baseDelta change of b, token units
    /// @param quoteDelta change of q, token units
    function moveInventory(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        int256 baseDelta,
        int256 quoteDelta
    ) external returns (IMarginPool.Snapshot memory) {
        MarginState.Context memory ctx = self.open(config);
        ctx.ledgers.inventoryBase = uint256(int256(uint256(ctx.ledgers.inventoryBase)) + baseDelta)
            .toUint128();
        ctx.ledgers.inventoryQuote = uint256(int256(uint256(ctx.ledgers.inventoryQuote)) + quoteDelta)
            .toUint128();
        _learnHedgeRate(self, ctx, baseDelta, quoteDelta);
        self.close(ctx);
        emit IMarginPool.PoolTraded(baseDelta, quoteDelta);
        return ctx.snapshot();
    }

    /// @dev phi: oracle value given up per quote hedged, averaged over a day by notional.
    function _learnHedgeRate(
        MarginState.Storage storage self,
        MarginState.Context memory ctx,
        int256 baseDelta,
        int256 quoteDelta
    ) private {
        MarginState.HedgeCost memory hedge = self.hedgeCost;
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
        self.band.hedgeRatePpm = RebalanceMath
            .hedgeRatePpm(
                hedge.cost,
                hedge.notional,
                ctx.band.unwindCostPpm,
                uint256(prior / ctx.config.quoteScale).max(1)
            )
            .toUint32();
    }

    /// @notice See IMarginPool.snapshot.
    function viewSnapshot(
        MarginState.Storage storage self,
        MarginState.Config memory config
    ) external view returns (IMarginPool.Snapshot memory) {
        return self.preview(config).snapshot();
    }

    /// @notice See IMarginPool.poolState.
    function viewPool(
        MarginState.Storage storage self,
        MarginState.Config memory config
    ) external view returns (IMarginPool.PoolState memory s) {
        MarginState.Context memory ctx = self.preview(config);
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
        MarginState.Storage storage self,
        MarginState.Config memory config,
        address account
    ) external view returns (IMarginPool.PositionView memory v) {
        MarginState.Context memory ctx = self.preview(config);
        IMarginPool.Account memory a = self.accounts[account];
        v.size = a.size;
        v.entryNotional = a.entryNotional;
        v.collateral = a.collateral;
        v.unrealizedProfit = MarginAccount.profitDown(config, a.size, a.entryNotional, ctx.market.priceWad);
        v.fundingOwed = MarginAccount.fundingOwedUp(ctx, a);
        v.equity = MarginAccount.equityOf(ctx, a);
        v.maintenanceMargin = MarginAccount.maintenanceMargin(ctx, a.size);
        (, v.initialMargin) = MarginAccount.initialMargin(ctx, a.size);
        v.liquidatable = a.size != 0 && v.equity < int256(v.maintenanceMargin);
    }
}
