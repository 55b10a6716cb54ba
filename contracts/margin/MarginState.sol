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

/// @title Storage of the margin pool and the two steps around every action: `open` (load, sync) and `close` (store)
/// @dev Between the two an action works on one `Context` in memory. Nothing outside this file reads or writes the
/// shared slots.
library MarginState {
    using SafeCastLib for uint256;
    using SafeCastLib for int256;
    using SignedWadMath for int256;

    /// @dev Hot slots first. Slot numbers count from where the struct lies.
    struct Storage {
        // slots 0..7, 16 + 16 bytes each:
        // b | q, OI_L | OI_S, N_L | N_S, C_L | C_S, A_L | A_S, J | S, I | Z, free collateral | credited
        IMarginPool.Ledgers ledgers;
        Clock clock; // slot 8
        Exposure exposure; // slot 9
        BandCache band; // slots 10 and 11
        Round round; // slot 12
        Marks marks; // slot 13
        Losses losses; // slot 14
        HedgeCost hedgeCost; // slot 15
        mapping(address => IMarginPool.Account) accounts;
        mapping(address => IMarginPool.Order) orders;
        mapping(address => uint256) credits; // quote token units
        mapping(address => ShareLock) locks;
    }

    /// @dev 16 + 8 + 5 = 29 bytes.
    struct Clock {
        int128 fundingIndexWad; // quote per base, 1e18
        int64 fundingRateWad; // per year, at most 0.9e18 either way
        uint40 lastSyncAt; // unix seconds
    }

    /// @dev 16 + 5 + 1 + 1 = 23 bytes.
    struct Exposure {
        int128 skewReference; // K_ref, base token units
        uint40 outsideSince; // first sight of |D| > h_out, unix seconds; 0 inside
        bool outsideLong; // sign of D then
        bool episodeOpen;
    }

    /// @dev 16 + 16, 4 + 4 bytes. What orders read instead of measuring.
    struct BandCache {
        uint128 outerBandWad; // h_out, base
        uint128 depthBaseWad; // x_ema, base
        uint32 unwindCostPpm; // eps, 1e6 = 100 %
        uint32 hedgeRatePpm; // phi, 1e6 = 100 %
    }

    /// @dev 10 + 16 = 26 bytes.
    struct Round {
        uint80 roundId; // feed round of the last sync
        int128 rebateableSkew; // part of K that is older than this round, base token units
    }

    /// @dev 16 + 16 bytes.
    struct Marks {
        uint128 lastPriceWad; // last good price
        uint128 maintenanceSkewScaleWad; // skewScale_mm, base
    }

    /// @dev 16 + 11 + 5 = 32 bytes.
    struct Losses {
        uint128 badDebt; // total since deployment, quote token units
        uint88 insuranceUsed; // paid lately, fading over a day, quote token units
        uint40 insuranceUsedAt; // unix seconds
    }

    /// @dev 14 + 14 + 4 = 32 bytes. Sums of what rebalancing cost and moved, fading with a day's time constant.
    struct HedgeCost {
        uint112 cost; // oracle value given up, quote token units
        uint112 notional; // hedged, quote token units
        uint32 updatedAt; // unix seconds
    }

    struct ShareLock {
        uint128 lockedShares;
        uint40 unlockAt;
    }

    /// @dev The pool's immutables, handed to the linked libraries.
    struct Config {
        IVolatilityOracle volatilityOracle;
        int256 baseScale; // 10 ** (18 - decimals)
        int256 quoteScale;
        int256 weightWad; // w
        uint256 lpBandWad; // delta_LP
    }

    /// @dev One action's working copy: stored values, market, and what follows from them.
    struct Context {
        Config config;
        IVolatilityOracle.Market market;
        IMarginPool.Ledgers ledgers;
        Clock clock;
        Exposure exposure;
        BandCache band;
        Round round;
        Marks marks;
        // derived by `refresh`, 18 decimals
        SolvencyMath.Book book;
        int256 price;
        int256 equity;
        int256 equityBid;
        int256 targetInventory;
        int256 netExposure;
        int256 required;
        uint256 solvencyRatioWad;
        IMarginPool.RiskState state;
        // what `advance` moved, for the event
        uint256 premiumEarned;
        uint256 incomeEarned;
        bool advanced;
    }

    int256 internal constant WAD = 1e18;
    uint256 internal constant NORMAL_RATIO_WAD = 1.5e18;
    uint256 internal constant GUARDED_RATIO_WAD = 1.25e18;

    /// @notice Loads, brings everything up to now and derives solvency. Reverts while the price is bad.
    function open(Storage storage self, Config memory config) internal returns (Context memory ctx) {
        return openAt(self, config, config.volatilityOracle.sync());
    }

    /// @notice The same without storing anything anywhere.
    function preview(Storage storage self, Config memory config) internal view returns (Context memory ctx) {
        return openAt(self, config, config.volatilityOracle.preview());
    }

    /// @notice Derives, follows the exposure across the band, and stores.
    function close(Storage storage self, Context memory ctx) internal {
        refresh(ctx);
        _trackBand(ctx);
        self.ledgers = ctx.ledgers;
        self.clock = ctx.clock;
        self.exposure = ctx.exposure;
        self.round = ctx.round;
        self.marks = ctx.marks;
        if (ctx.advanced) {
            emit IMarginPool.Synced(
                ctx.market.priceWad,
                ctx.market.roundId,
                ctx.clock.fundingIndexWad,
                ctx.clock.fundingRateWad,
                ctx.premiumEarned,
                ctx.incomeEarned
            );
        }
    }

    /// @notice The same with a market the caller read before.
    function openAt(
        Storage storage self,
        Config memory config,
        IVolatilityOracle.Market memory market
    ) internal view returns (Context memory ctx) {
        ctx.config = config;
        ctx.market = market;
        ctx.price = int256(market.priceWad);
        ctx.ledgers = self.ledgers;
        ctx.clock = self.clock;
        ctx.exposure = self.exposure;
        ctx.band = self.band;
        ctx.round = self.round;
        ctx.marks = self.marks;
        refresh(ctx);
        _advance(ctx);
        _trackBand(ctx);
    }

    /// @dev Time passes: funding accrues, income is earned, references follow; a new round makes all skew old.
    function _advance(Context memory ctx) private view {
        if (ctx.market.roundId != ctx.round.roundId) {
            ctx.round.roundId = ctx.market.roundId;
            ctx.round.rebateableSkew = skewOf(ctx.ledgers).toInt128();
            ctx.advanced = true;
        }
        ctx.marks.lastPriceWad = ctx.market.priceWad.toUint128();
        uint256 elapsed = block.timestamp - ctx.clock.lastSyncAt;
        if (elapsed == 0) return;
        ctx.advanced = true;
        ctx.clock.lastSyncAt = uint40(block.timestamp);
        int256 equity = SolvencyMath.scalingEquity(ctx.equity);
        int256 skew = SolvencyMath.skew(ctx.book);
        _accrueFunding(ctx, skew, SkewMath.skewCap(equity, ctx.price), elapsed);
        _earnIncome(ctx, elapsed);
        ctx.exposure.skewReference = (SkewMath.referenceAfter(
            int256(ctx.exposure.skewReference) * ctx.config.baseScale,
            skew,
            equity,
            ctx.price,
            elapsed
        ) / ctx.config.baseScale).toInt128();
        uint256 scale = SkewMath.maintenanceSkewScale(
            ctx.marks.maintenanceSkewScaleWad,
            skewScale(ctx),
            elapsed
        );
        ctx.marks.maintenanceSkewScaleWad = scale > type(uint128).max ? type(uint128).max : uint128(scale);
        refresh(ctx);
    }

    /// @dev Longs pay dF per base, shorts receive it, the pool receives K dF through the sides' accruals. Each side is
    /// rounded down, against LPs' equity, so that equity never counts what an account will not pay.
    function _accrueFunding(Context memory ctx, int256 skew, int256 skewCap, uint256 elapsed) private pure {
        (int256 accrualWad, int256 rateWad) = FundingMath.accrue(
            ctx.clock.fundingRateWad,
            FundingMath.targetRateWad(skew, skewCap),
            elapsed
        );
        int256 perBase = (accrualWad * ctx.price) / WAD;
        ctx.clock.fundingRateWad = int64(rateWad);
        ctx.clock.fundingIndexWad = (ctx.clock.fundingIndexWad + perBase).toInt128();
        ctx.ledgers.longAccrual += ctx
            .book
            .longOpenInterest
            .mulWadFloor(perBase)
            .divFloor(ctx.config.quoteScale)
            .toInt128();
        ctx.ledgers.shortAccrual += ctx
            .book
            .shortOpenInterest
            .mulWadFloor(-perBase)
            .divFloor(ctx.config.quoteScale)
            .toInt128();
    }

    /// @dev J and S flow into q with time constant T_k.
    function _earnIncome(Context memory ctx, uint256 elapsed) private pure {
        uint256 weight = VolatilityMath.decayWeightWad(elapsed, SkewMath.INCOME_TIME_CONSTANT);
        ctx.premiumEarned = (ctx.ledgers.skewPremium * weight) / uint256(WAD);
        ctx.incomeEarned = (ctx.ledgers.pendingIncome * weight) / uint256(WAD);
        ctx.ledgers.skewPremium -= uint128(ctx.premiumEarned); // weight <= 1e18: never more than the ledger holds
        ctx.ledgers.pendingIncome -= uint128(ctx.incomeEarned);
        ctx.ledgers.inventoryQuote += (ctx.premiumEarned + ctx.incomeEarned).toUint128();
    }

    /// @notice Derives book, equity, exposure, required capital and risk state from the ledgers.
    function refresh(Context memory ctx) internal pure {
        SolvencyMath.Book memory book = ctx.book;
        IMarginPool.Ledgers memory ledgers = ctx.ledgers;
        (int256 bs, int256 qs) = (ctx.config.baseScale, ctx.config.quoteScale);
        book.inventoryBase = int256(uint256(ledgers.inventoryBase)) * bs;
        book.inventoryQuote = int256(uint256(ledgers.inventoryQuote)) * qs;
        book.longOpenInterest = int256(uint256(ledgers.longOpenInterest)) * bs;
        book.shortOpenInterest = int256(uint256(ledgers.shortOpenInterest)) * bs;
        book.longEntryNotional = int256(uint256(ledgers.longEntryNotional)) * qs;
        book.shortEntryNotional = int256(uint256(ledgers.shortEntryNotional)) * qs;
        book.longCollateral = int256(uint256(ledgers.longCollateral)) * qs;
        book.shortCollateral = int256(uint256(ledgers.shortCollateral)) * qs;
        book.longAccrual = int256(ledgers.longAccrual) * qs;
        book.shortAccrual = int256(ledgers.shortAccrual) * qs;
        book.skewPremium = int256(uint256(ledgers.skewPremium)) * qs;
        book.pendingIncome = int256(uint256(ledgers.pendingIncome)) * qs;
        book.unpaidClaims = int256(uint256(ledgers.unpaidClaims)) * qs;

        int256 price = ctx.price;
        ctx.equity = SolvencyMath.equity(book, price);
        ctx.equityBid = SolvencyMath.equityBid(
            book,
            int256(ctx.market.lowerPriceWad),
            int256(ctx.market.upperPriceWad)
        );
        ctx.targetInventory = targetAt(ctx, SolvencyMath.skew(book));
        ctx.netExposure = book.inventoryBase - ctx.targetInventory;
        ctx.required = SolvencyMath.requiredCapital(
            book,
            price,
            ctx.market.volatilityWad,
            ctx.band.unwindCostPpm
        );
        ctx.solvencyRatioWad = SolvencyMath.solvencyRatioWad(ctx.equityBid, ctx.required);
        ctx.state = _riskState(ctx);
    }

    /// @notice b* if the skew were `skew`, all else as it is.
    function targetAt(Context memory ctx, int256 skew) internal pure returns (int256) {
        return SolvencyMath.targetInventory(ctx.book, skew, ctx.price, ctx.equity, ctx.config.weightWad);
    }

    /// @notice skewScale at the volatility of now and the cached depth, base, 18 decimals.
    function skewScale(Context memory ctx) internal pure returns (uint256) {
        return
            SkewMath.skewScale(
                SolvencyMath.scalingEquity(ctx.equity),
                ctx.price,
                ctx.market.volatilityWad,
                ctx.band.depthBaseWad
            );
    }

    /// @notice |D| P shock: what a shock to the exposure would cost, quote, 18 decimals.
    function shockLoss(Context memory ctx) internal pure returns (int256) {
        return
            ctx.netExposure.magnitude().mulWadCeil(ctx.price).mulWadCeil(
                int256(SolvencyMath.shockWad(ctx.market.volatilityWad))
            );
    }

    function _riskState(Context memory ctx) private pure returns (IMarginPool.RiskState) {
        if (ctx.solvencyRatioWad < GUARDED_RATIO_WAD) return IMarginPool.RiskState.ReduceOnly;
        if (
            ctx.solvencyRatioWad < NORMAL_RATIO_WAD ||
            shockLoss(ctx) >
                SolvencyMath.GUARDED_SHOCK_WAD.mulWadFloor(SolvencyMath.scalingEquity(ctx.equity))
        ) return IMarginPool.RiskState.Guarded;
        return IMarginPool.RiskState.Normal;
    }

    /// @dev An episode opens when |D| > h_out in a block after the one in which that was first seen, and closes at
    /// |D| <= h_in or when D changes sign.
    function _trackBand(Context memory ctx) private view {
        Exposure memory e = ctx.exposure;
        int256 size = ctx.netExposure.magnitude();
        bool isLong = ctx.netExposure > 0;
        int256 outer = int256(uint256(ctx.band.outerBandWad));
        int256 inner = int256(RebalanceMath.innerBand(ctx.band.outerBandWad));
        bool sameSide = e.outsideSince != 0 && e.outsideLong == isLong;
        if (e.episodeOpen && sameSide && size > inner) return;
        if (size <= outer) {
            (e.outsideSince, e.episodeOpen) = (0, false);
        } else if (!sameSide || e.episodeOpen) {
            (e.outsideSince, e.outsideLong, e.episodeOpen) = (uint40(block.timestamp), isLong, false);
        } else {
            e.episodeOpen = block.timestamp > e.outsideSince;
        }
    }

    /// @notice K, base token units.
    function skewOf(IMarginPool.Ledgers memory ledgers) internal pure returns (int256) {
        return int256(uint256(ledgers.longOpenInterest)) - int256(uint256(ledgers.shortOpenInterest));
    }

    /// @notice What everybody outside computes with.
    function snapshot(Context memory ctx) internal pure returns (IMarginPool.Snapshot memory s) {
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
        s.outerBandWad = ctx.band.outerBandWad;
        s.depthBaseWad = ctx.band.depthBaseWad;
        s.unwindCostPpm = ctx.band.unwindCostPpm;
        s.outsideSince = ctx.exposure.outsideSince;
        s.episodeOpen = ctx.exposure.episodeOpen;
        s.hedgeRatePpm = ctx.band.hedgeRatePpm;
    }
}
