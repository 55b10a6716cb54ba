// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {FundingMath} from "../libraries/FundingMath.sol";
import {RebalanceMath} from "../libraries/RebalanceMath.sol";
import {SignedWadMath} from "../libraries/SignedWadMath.sol";
import {SkewMath} from "../libraries/SkewMath.sol";
import {SolvencyMath} from "../libraries/SolvencyMath.sol";
import {VolatilityMath} from "../libraries/VolatilityMath.sol";
import {MarginStorage} from "./MarginStorage.sol";
import {RiskStates} from "./RiskStates.sol";

/// @title The two steps around every action: `open` (load, bring up to now, judge) and `close` (judge, store)
/// @dev Between the two an action works on one `Context` in memory and calls `refresh` after it has moved something. The
/// caller allocates it and hands it down: a returned struct would be allocated again at every level.
library MarginState {
    using SafeCastLib for uint256;
    using SignedWadMath for int256;
    using MarginStorage for MarginStorage.Storage;

    int256 internal constant WAD = 1e18;

    /// @notice Loads, brings everything up to now and derives solvency. Reverts while the price is bad and once the pool
    /// is settled.
    function open(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        MarginStorage.Context memory ctx
    ) internal {
        requireAlive(self);
        openAt(self, config, config.volatilityOracle.sync(), ctx);
        // The third bankrupt round: only `sync` may go on, and settle.
        if (ctx.state == IMarginPool.RiskState.Settled) {
            revert IMarginPool.MarginPool_IsSettled(ctx.market.priceWad, block.timestamp);
        }
    }

    /// @notice `open` and `close` with nothing in between. This is how a bankrupt pool settles.
    function sync(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        MarginStorage.Context memory ctx
    ) internal {
        requireAlive(self);
        openAt(self, config, config.volatilityOracle.sync(), ctx);
        closeRefreshed(self, ctx);
    }

    /// @notice The same without storing anything anywhere. A settled pool shows its frozen price.
    function preview(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        MarginStorage.Context memory ctx
    ) internal view {
        if (self.settlement.settledAt != 0) frozen(self, config, ctx);
        else {
            openAt(self, config, config.volatilityOracle.preview(), ctx);
            _trackBand(ctx);
        }
    }

    function requireAlive(MarginStorage.Storage storage self) internal view {
        // The state and not `settlement`, since its slot is read in any case.
        if (self.isSettled()) {
            revert IMarginPool.MarginPool_IsSettled(self.settlement.priceWad, self.settlement.settledAt);
        }
    }

    /// @notice Loads and brings up to now at a market the caller has read.
    function openAt(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        IVolatilityOracle.Market memory market,
        MarginStorage.Context memory ctx
    ) internal view {
        _load(self, config, market, ctx);
        _scale(ctx);
        _advance(ctx);
        _derive(ctx);
        RiskStates.follow(self, ctx);
    }

    /// @notice The working copy at one price, without time: for a settled pool, and for views while the price is bad.
    function stillAt(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        uint256 priceWad,
        MarginStorage.Context memory ctx
    ) internal view {
        IVolatilityOracle.Market memory market;
        (market.priceWad, market.lowerPriceWad, market.upperPriceWad) = (priceWad, priceWad, priceWad);
        // Enters required capital and margins only, which nobody reads from here.
        market.volatilityWad = VolatilityMath.FLOOR_WAD;
        market.maintenanceVolatilityWad = VolatilityMath.FLOOR_WAD;
        _load(self, config, market, ctx);
        refresh(ctx);
        ctx.state = ctx.ratioState;
    }

    /// @notice The working copy of a settled pool.
    function frozen(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        MarginStorage.Context memory ctx
    ) internal view {
        stillAt(self, config, self.settlement.priceWad, ctx);
    }

    function _load(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        IVolatilityOracle.Market memory market,
        MarginStorage.Context memory ctx
    ) private view {
        ctx.config = config;
        ctx.market = market;
        ctx.price = int256(market.priceWad);
        self.load(ctx);
    }

    /// @notice Derives, follows state and exposure, and stores.
    function close(MarginStorage.Storage storage self, MarginStorage.Context memory ctx) internal {
        refresh(ctx);
        RiskStates.follow(self, ctx);
        closeRefreshed(self, ctx);
    }

    /// @notice The same for an action that has refreshed and followed after its last movement.
    function closeRefreshed(MarginStorage.Storage storage self, MarginStorage.Context memory ctx) internal {
        _trackBand(ctx);
        self.store(ctx);
        if (ctx.distressLoaded) self.distress = ctx.distress;
        if (ctx.advanced) {
            emit IMarginPool.Synced(
                ctx.market.priceWad,
                ctx.market.roundId,
                ctx.premiumEarned,
                ctx.incomeEarned
            );
        }
        if (ctx.state != ctx.stateBefore) {
            emit IMarginPool.RiskStateChanged(ctx.stateBefore, ctx.state, ctx.solvencyRatioWad);
            if (ctx.state == IMarginPool.RiskState.Settled) freeze(self, ctx.market.priceWad);
        }
    }

    /// @notice Freezes the price for good. The state itself is the caller's to store.
    function freeze(MarginStorage.Storage storage self, uint256 priceWad) internal {
        self.settlement.priceWad = priceWad.toUint128();
        self.settlement.settledAt = uint40(block.timestamp);
        emit IMarginPool.SettlementStarted(msg.sender, priceWad);
    }

    // ----------------------------------------------------------------- advance

    /// @dev Time passes: funding accrues, income is earned, references follow; a new round makes all skew old. Ledgers and
    /// book move together.
    function _advance(MarginStorage.Context memory ctx) private view {
        unchecked {
            ctx.stateBefore = RiskStates.worse(ctx);
            uint256 mark = uint32(ctx.market.roundId);
            if (mark != ctx.roundMark) {
                ctx.roundMark = mark;
                ctx.rebateableSkew = skewOf(ctx.ledgers);
                ctx.advanced = true;
            }
            uint256 elapsed = block.timestamp - ctx.lastSyncAt;
            if (elapsed == 0) return;
            ctx.advanced = true;
            ctx.lastSyncAt = block.timestamp;
            ctx.equity = SolvencyMath.equity(ctx.book, ctx.price);
            int256 equity = SolvencyMath.scalingEquity(ctx.equity);
            int256 skew = SolvencyMath.skew(ctx.book);
            _accrueFunding(ctx, skew, SkewMath.skewCap(equity, ctx.price), elapsed);
            _earnIncome(ctx, elapsed);
            ctx.skewReference =
                SkewMath.referenceAfter(
                    ctx.skewReference * ctx.config.baseScale,
                    skew,
                    equity,
                    ctx.price,
                    elapsed
                ) / ctx.config.baseScale;
            uint256 scale = SkewMath.maintenanceSkewScale(
                ctx.maintenanceSkewScaleWad,
                skewScale(ctx),
                elapsed
            );
            ctx.maintenanceSkewScaleWad = scale > type(uint128).max ? type(uint128).max : scale;
        }
    }

    /// @dev Longs pay dF per base, shorts receive it, the pool receives K dF through the sides' accruals. Each side is
    /// rounded down, against LPs' equity, so that equity never counts what an account will not pay.
    function _accrueFunding(
        MarginStorage.Context memory ctx,
        int256 skew,
        int256 skewCap,
        uint256 elapsed
    ) private pure {
        unchecked {
            (int256 accrualWad, int256 rateWad) = FundingMath.accrue(
                ctx.fundingRateWad,
                FundingMath.targetRateWad(skew, skewCap),
                elapsed
            );
            int256 perBase = (accrualWad * ctx.price) / WAD;
            ctx.fundingRateWad = rateWad;
            ctx.fundingIndexWad += perBase;
            int256 qs = ctx.config.quoteScale;
            SolvencyMath.Book memory book = ctx.book;
            int256 accrual =
                ctx.ledgers.longAccrual + book.longOpenInterest.mulWadFloor(perBase).divFloor(qs);
            (ctx.ledgers.longAccrual, book.longAccrual) = (accrual, accrual * qs);
            accrual = ctx.ledgers.shortAccrual + book.shortOpenInterest.mulWadFloor(-perBase).divFloor(qs);
            (ctx.ledgers.shortAccrual, book.shortAccrual) = (accrual, accrual * qs);
        }
    }

    /// @dev J and S flow into q with time constant T_k.
    function _earnIncome(MarginStorage.Context memory ctx, uint256 elapsed) private pure {
        IMarginPool.Ledgers memory ledgers = ctx.ledgers;
        uint256 weight = VolatilityMath.decayWeightWad(elapsed, SkewMath.INCOME_TIME_CONSTANT);
        // weight <= 1e18: never more than the ledgers hold, and these are below 2^128
        unchecked {
            uint256 premium = (ledgers.skewPremium * weight) / uint256(WAD);
            uint256 income = (ledgers.pendingIncome * weight) / uint256(WAD);
            ledgers.skewPremium -= premium;
            ledgers.pendingIncome -= income;
            ledgers.inventoryQuote += premium + income;
            (ctx.premiumEarned, ctx.incomeEarned) = (premium, income);
            int256 qs = ctx.config.quoteScale;
            ctx.book.skewPremium = int256(ledgers.skewPremium) * qs;
            ctx.book.pendingIncome = int256(ledgers.pendingIncome) * qs;
            ctx.book.inventoryQuote = int256(ledgers.inventoryQuote) * qs;
        }
    }

    /// @notice What must not leave a worse state than it found reverts when it did.
    function requireNotWorse(MarginStorage.Context memory ctx, IMarginPool.RiskState before) internal pure {
        if (ctx.state > before) {
            revert IMarginPool.MarginPool_StateWorse(before, ctx.state, ctx.solvencyRatioWad);
        }
    }

    function requireNotPaused(MarginStorage.Context memory ctx) internal view {
        if (block.timestamp < ctx.pausedUntil) revert IMarginPool.MarginPool_Paused(ctx.pausedUntil);
    }

    /// @notice Skew that rises and shares that change hands want the pool's average price near the index.
    function requireNearAverage(MarginStorage.Context memory ctx) internal view {
        (uint256 distance, uint256 allowed) = distanceFromAverage(ctx);
        if (distance > allowed) {
            revert IMarginPool.MarginPool_PriceFarFromAverage(ctx.market.priceWad, distance, allowed);
        }
    }

    /// @notice |ln(TWAP / P)| and how large it may be, 1e18.
    function distanceFromAverage(
        MarginStorage.Context memory ctx
    ) internal view returns (uint256 distanceWad, uint256 allowedWad) {
        return ctx.config.volatilityOracle.distanceFromAverage(ctx.market.priceWad, ctx.market.volatilityWad);
    }

    // ------------------------------------------------------------------ derive

    /// @notice Derives book, equity, exposure and required capital from the ledgers.
    function refresh(MarginStorage.Context memory ctx) internal pure {
        _scale(ctx);
        _derive(ctx);
    }

    function _derive(MarginStorage.Context memory ctx) private pure {
        SolvencyMath.Book memory book = ctx.book;
        int256 price = ctx.price;
        ctx.equity = SolvencyMath.equity(book, price);
        ctx.equityBid = SolvencyMath.equityBid(
            book,
            int256(ctx.market.lowerPriceWad),
            int256(ctx.market.upperPriceWad)
        );
        ctx.targetInventory = targetAt(ctx, SolvencyMath.skew(book));
        ctx.required = SolvencyMath.requiredCapital(book, price, ctx.market.volatilityWad, ctx.unwindCostPpm);
        unchecked {
            ctx.netExposure = book.inventoryBase - ctx.targetInventory; // both below 2^127
        }
        ctx.solvencyRatioWad = SolvencyMath.solvencyRatioWad(ctx.equityBid, ctx.required);
    }

    /// @dev Token units to 18 decimals. Ledgers are sums of a few amounts below 2^128 and scales at most 1e18, so nothing
    /// wraps before the one check of all of them; what an LP offers beyond that may wrap here, and `store` refuses it.
    function _scale(MarginStorage.Context memory ctx) private pure {
        SolvencyMath.Book memory book = ctx.book;
        IMarginPool.Ledgers memory ledgers = ctx.ledgers;
        (int256 bs, int256 qs) = (ctx.config.baseScale, ctx.config.quoteScale);
        int256 all;
        unchecked {
            all = book.inventoryBase = int256(ledgers.inventoryBase) * bs;
            all |= book.inventoryQuote = int256(ledgers.inventoryQuote) * qs;
            all |= book.longOpenInterest = int256(ledgers.longOpenInterest) * bs;
            all |= book.shortOpenInterest = int256(ledgers.shortOpenInterest) * bs;
            all |= book.longEntryNotional = int256(ledgers.longEntryNotional) * qs;
            all |= book.shortEntryNotional = int256(ledgers.shortEntryNotional) * qs;
            all |= book.longCollateral = int256(ledgers.longCollateral) * qs;
            all |= book.shortCollateral = int256(ledgers.shortCollateral) * qs;
            all |= book.skewPremium = int256(ledgers.skewPremium) * qs;
            all |= book.pendingIncome = int256(ledgers.pendingIncome) * qs;
            all |= book.unpaidClaims = int256(ledgers.unpaidClaims) * qs;
            book.longAccrual = ledgers.longAccrual * qs;
            book.shortAccrual = ledgers.shortAccrual * qs;
            all |= book.longAccrual.magnitude() | book.shortAccrual.magnitude();
        }
        if (uint256(all) >= SolvencyMath.MAXIMUM_AMOUNT) {
            revert IMarginPool.MarginPool_AmountOutOfBounds(uint256(all), SolvencyMath.MAXIMUM_AMOUNT);
        }
    }

    /// @notice b* if the skew were `skew`, all else as it is.
    function targetAt(MarginStorage.Context memory ctx, int256 skew) internal pure returns (int256) {
        unchecked {
            return SolvencyMath.targetInventory(ctx.book, skew, ctx.price, ctx.equity, ctx.config.weightWad);
        }
    }

    /// @notice skewScale at the volatility of now and the cached depth, base, 18 decimals.
    function skewScale(MarginStorage.Context memory ctx) internal pure returns (uint256) {
        return
            SkewMath.skewScale(
                SolvencyMath.scalingEquity(ctx.equity),
                ctx.price,
                ctx.market.volatilityWad,
                ctx.depthBaseWad
            );
    }

    /// @dev An episode opens when |D| > h_out in a block after the one in which that was first seen, and closes at
    /// |D| <= h_in or when D changes sign.
    function _trackBand(MarginStorage.Context memory ctx) private view {
        unchecked {
            uint256 size = uint256(ctx.netExposure.magnitude());
            bool isLong = ctx.netExposure > 0;
            bool sameSide = ctx.outsideSince != 0 && ctx.outsideLong == isLong;
            if (ctx.episodeOpen && sameSide && size > RebalanceMath.innerBand(ctx.outerBandWad)) return;
            if (size <= ctx.outerBandWad) {
                (ctx.outsideSince, ctx.episodeOpen) = (0, false);
            } else if (!sameSide || ctx.episodeOpen) {
                (ctx.outsideSince, ctx.outsideLong, ctx.episodeOpen) = (block.timestamp, isLong, false);
            } else {
                ctx.episodeOpen = block.timestamp > ctx.outsideSince;
            }
        }
    }

    /// @notice K, base token units.
    function skewOf(IMarginPool.Ledgers memory ledgers) internal pure returns (int256) {
        unchecked {
            return int256(ledgers.longOpenInterest) - int256(ledgers.shortOpenInterest); // both below 2^129
        }
    }

    /// @notice What everybody outside computes with.
    function snapshot(
        MarginStorage.Context memory ctx
    ) internal pure returns (IMarginPool.Snapshot memory s) {
        s.indexPriceWad = ctx.market.priceWad;
        s.volatilityWad = ctx.market.volatilityWad;
        s.roundId = ctx.market.roundId;
        s.caughtUp = ctx.market.caughtUp;
        s.equityWad = ctx.equity;
        s.equityBidWad = ctx.equityBid;
        s.inventoryBaseWad = ctx.book.inventoryBase;
        s.availableQuoteWad = (ctx.book.inventoryQuote - ctx.book.unpaidClaims).max(0);
        s.skewWad = SolvencyMath.skew(ctx.book);
        s.targetInventoryBaseWad = ctx.targetInventory;
        s.netExposureWad = ctx.netExposure;
        s.requiredCapitalWad = uint256(ctx.required);
        s.solvencyRatioWad = ctx.solvencyRatioWad;
        s.riskState = ctx.state;
        s.outerBandWad = ctx.outerBandWad;
        s.depthBaseWad = ctx.depthBaseWad;
        s.unwindCostPpm = ctx.unwindCostPpm;
        s.outsideSince = ctx.outsideSince;
        s.episodeOpen = ctx.episodeOpen;
        s.hedgeRatePpm = ctx.hedgeRatePpm;
    }
}
