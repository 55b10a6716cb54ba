// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {SolvencyMath} from "../libraries/SolvencyMath.sol";

/// @title Storage of the margin pool: the hot slots, packed by hand, and the working copy an action has of them
/// @dev Nothing outside this file knows where a value lies in slots 0 to 9. All of them are read once when an action opens
/// and written once when it closes; a write that changes nothing costs 100 gas. Which value shares a slot with which follows
/// from their widths alone.
library MarginStorage {
    using SafeCastLib for uint256;
    using SafeCastLib for int256;

    /// @dev Hot words, from their lowest bit. Amounts are token units: base 112 bits, as in the constant-product pool, quote
    /// 96. Times are unix seconds in 32 bits, room until 2106. The first four change whenever time passes, the next five only
    /// with trades and states, so that LPs come and go without writing them.
    struct Storage {
        // slot 0: funding index (112, signed; quote per base, 1e18), rate (64, signed; per year, 1e18), last sync (32), low
        // bits of the feed round of the last sync (32)
        uint256 clock;
        uint256 quote; // slot 1: q (96), all quote that belongs to somebody (96), low half of skewScale_mm (64; base, 1e18)
        uint256 accrual; // slot 2: A_L (96, signed), A_S (96, signed), high half of skewScale_mm (64)
        uint256 income; // slot 3: J (96), S (96), end of the guardian's pause (32)
        uint256 longs; // slot 4: OI_L (112), b (112), outsideSince (32)
        uint256 shorts; // slot 5: OI_S (112), K_ref (112, signed), stateSince (32)
        // slot 6: N_L (96), N_S (96), recoverySince (32), state by solvency ratio (8), state of the recovery (8), flags (16)
        uint256 entryNotional;
        uint256 collateral; // slot 7: C_L (96), C_S (96), deleveragings of longs (16), of shorts (16)
        uint256 insurance; // slot 8: I (96), part of K older than this round (112, signed)
        uint256 band; // slot 9: h_out (104; base, 1e18), x_ema (104; base, 1e18), eps (24), phi (24; 1e6 = 100 %)
        uint256 parameters; // slot 10, see MarginParameters
        // cold from here on
        uint256 unpaidClaims; // slot 11: Z, in use while a flag says so
        uint128 badDebt; // slot 12, 16 + 12 + 4 = 32 bytes: total since deployment, quote token units
        uint96 insuranceUsed; // paid lately, fading over a day, quote token units
        uint32 insuranceUsedAt; // unix seconds
        HedgeCost hedgeCost; // slot 13
        Distress distress; // slot 14
        Settlement settlement; // slots 15 to 19
        mapping(address => Position) positions;
        mapping(address => uint256) claims; // unpaid profit, quote token units
        mapping(address => IMarginPool.Order) orders;
        mapping(address => uint256) credits; // quote token units
        mapping(address => ShareLock) locks;
        mapping(bool long => mapping(uint256 epoch => Checkpoint)) checkpoints;
    }

    /// @dev 16 + 16, 12 + 14 + 4 + 2 = 32 bytes.
    struct Position {
        uint256 size; // size (signed) | entry notional, token units
        uint256 margin; // collateral | funding index when last touched (1e18, signed) | openedAt | epoch
    }

    /// @dev 14 + 14 + 4 = 32 bytes. Sums of what rebalancing cost and moved, fading with a day's time constant.
    struct HedgeCost {
        uint112 cost; // oracle value given up, quote token units
        uint112 notional; // hedged, quote token units
        uint32 updatedAt; // unix seconds
    }

    /// @dev 5 + 5 + 1 = 11 bytes. In use while the solvency ratio is below one, or was at the last sync.
    struct Distress {
        uint40 lowSince; // publication of the round on which SR was first seen below 1, unix seconds
        uint40 bankruptAt; // publication of the last counted round with E_bid <= 0, unix seconds
        uint8 bankruptRounds;
    }

    /// @dev 16 + 5 + 5 + 5 = 31, 16 + 16, 16 + 16, 16 + 16, 16 bytes. See IMarginPool.Settlement.
    struct Settlement {
        uint128 priceWad;
        uint40 settledAt;
        uint40 finalizedAt;
        uint40 deadSince; // first report of a dead feed, unix seconds
        uint128 claimsTotal;
        uint128 valueTotal;
        uint128 basePot;
        uint128 quotePot;
        uint128 lateReserve;
        uint128 lateCash;
        uint256 shareSupply;
    }

    /// @dev 16 + 14 = 30, 32 bytes. A side after one of its deleveragings.
    struct Checkpoint {
        uint128 scale; // M, what is left of a position that was there from the beginning, 1e36
        int112 fundingIndexWad; // when it happened
        int256 cash; // X, paid until then to one base that was there from the beginning, 1e36 x 1e18, signed
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
        IMarginPool.Ledgers ledgers; // token units
        uint256 accountedQuote;
        uint256 pausedUntil; // unix seconds
        int256 fundingIndexWad;
        int256 fundingRateWad;
        uint256 lastSyncAt;
        uint256 longEpoch;
        uint256 shortEpoch;
        uint256 maintenanceSkewScaleWad;
        uint256 outsideSince;
        uint256 stateSince;
        uint256 recoverySince;
        IMarginPool.RiskState ratioState;
        IMarginPool.RiskState recoveryState;
        bool outsideLong; // sign of D when it was first seen outside
        bool episodeOpen;
        bool exposureGuarded;
        bool distressed; // `distress` is in use
        bool claimed; // slot 11 is in use
        bool overdue; // Deleveraging because ReduceOnly lasted for a day
        int256 skewReference;
        int256 rebateableSkew;
        uint256 roundMark;
        uint256 outerBandWad;
        uint256 depthBaseWad;
        uint256 unwindCostPpm;
        uint256 hedgeRatePpm;
        // derived, 18 decimals
        SolvencyMath.Book book;
        int256 price;
        int256 equity;
        int256 equityBid;
        int256 targetInventory;
        int256 netExposure;
        int256 required;
        uint256 solvencyRatioWad;
        IMarginPool.RiskState state;
        IMarginPool.RiskState stateBefore; // as stored
        Distress distress; // once it was needed
        bool distressLoaded;
        // what time moved, for the event
        uint256 premiumEarned;
        uint256 incomeEarned;
        bool advanced;
    }

    /// One bit less than there is room for, so that skews fit too.
    uint256 private constant MAXIMUM_BASE = uint112(type(int112).max);
    uint256 internal constant MAXIMUM_QUOTE = type(uint96).max;

    uint256 private constant OUTSIDE_LONG = 1;
    uint256 private constant EPISODE_OPEN = 2;
    uint256 private constant EXPOSURE_GUARDED = 4;
    uint256 private constant DISTRESSED = 8;
    uint256 private constant OVERDUE = 16;
    uint256 private constant CLAIMED = 32;

    // -------------------------------------------------------------------- load

    /// @notice Fills the working copy from the hot slots.
    function load(Storage storage self, Context memory ctx) internal view {
        IMarginPool.Ledgers memory ledgers = ctx.ledgers;
        uint256 word = self.clock;
        ctx.fundingIndexWad = int112(uint112(word));
        ctx.fundingRateWad = int64(uint64(word >> 112));
        ctx.lastSyncAt = uint32(word >> 176);
        ctx.roundMark = uint32(word >> 208);
        word = self.quote;
        ledgers.inventoryQuote = uint96(word);
        ctx.accountedQuote = uint96(word >> 96);
        uint256 scale = word >> 192;
        word = self.accrual;
        ledgers.longAccrual = int96(uint96(word));
        ledgers.shortAccrual = int96(uint96(word >> 96));
        ctx.maintenanceSkewScaleWad = ((word >> 192) << 64) | scale;
        word = self.income;
        ledgers.skewPremium = uint96(word);
        ledgers.pendingIncome = uint96(word >> 96);
        ctx.pausedUntil = uint32(word >> 192);
        word = self.longs;
        ledgers.longOpenInterest = uint112(word);
        ledgers.inventoryBase = uint112(word >> 112);
        ctx.outsideSince = word >> 224;
        word = self.shorts;
        ledgers.shortOpenInterest = uint112(word);
        ctx.skewReference = int112(uint112(word >> 112));
        ctx.stateSince = word >> 224;
        word = self.entryNotional;
        ledgers.longEntryNotional = uint96(word);
        ledgers.shortEntryNotional = uint96(word >> 96);
        _loadStates(ctx, word);
        word = self.collateral;
        ledgers.longCollateral = uint96(word);
        ledgers.shortCollateral = uint96(word >> 96);
        ctx.longEpoch = uint16(word >> 192);
        ctx.shortEpoch = uint16(word >> 208);
        word = self.insurance;
        ledgers.insuranceFund = uint96(word);
        ctx.rebateableSkew = int112(uint112(word >> 96));
        if (ctx.claimed) ledgers.unpaidClaims = self.unpaidClaims;
        word = self.band;
        ctx.outerBandWad = uint104(word);
        ctx.depthBaseWad = uint104(word >> 104);
        ctx.unwindCostPpm = uint24(word >> 208);
        ctx.hedgeRatePpm = word >> 232;
    }

    function _loadStates(Context memory ctx, uint256 word) private pure {
        ctx.recoverySince = uint32(word >> 192);
        ctx.ratioState = IMarginPool.RiskState(uint8(word >> 224));
        ctx.recoveryState = IMarginPool.RiskState(uint8(word >> 232));
        uint256 flags = word >> 240;
        ctx.outsideLong = flags & OUTSIDE_LONG != 0;
        ctx.episodeOpen = flags & EPISODE_OPEN != 0;
        ctx.exposureGuarded = flags & EXPOSURE_GUARDED != 0;
        ctx.distressed = flags & DISTRESSED != 0;
        ctx.overdue = flags & OVERDUE != 0;
        ctx.claimed = flags & CLAIMED != 0;
    }

    /// @notice The state by solvency ratio as of the last sync, and what its clock counts from.
    function loadRatioState(
        Storage storage self
    ) internal view returns (IMarginPool.RiskState state, uint256 since, uint256 recoverySince) {
        uint256 word = self.entryNotional;
        return (IMarginPool.RiskState(uint8(word >> 224)), self.shorts >> 224, uint32(word >> 192));
    }

    function isSettled(Storage storage self) internal view returns (bool) {
        return uint8(self.entryNotional >> 224) == uint8(IMarginPool.RiskState.Settled);
    }

    /// @notice Deleveragings of a side so far.
    function epochOf(Storage storage self, bool long) internal view returns (uint256) {
        return uint16(self.collateral >> (long ? 192 : 208));
    }

    function loadFunding(
        Storage storage self
    ) internal view returns (int256 indexWad, int256 rateWad, uint256 lastSyncAt) {
        uint256 word = self.clock;
        return (int112(uint112(word)), int64(uint64(word >> 112)), uint32(word >> 176));
    }

    function loadSkewReference(Storage storage self) internal view returns (int256) {
        return int112(uint112(self.shorts >> 112));
    }

    function loadAccounted(Storage storage self) internal view returns (uint256) {
        return uint96(self.quote >> 96);
    }

    function loadInventoryBase(Storage storage self) internal view returns (uint256) {
        return uint112(self.longs >> 112);
    }

    function loadInventoryQuote(Storage storage self) internal view returns (uint256) {
        return uint96(self.quote);
    }

    function loadPausedUntil(Storage storage self) internal view returns (uint256) {
        return uint32(self.income >> 192);
    }

    function loadHedgeRatePpm(Storage storage self) internal view returns (uint256) {
        return self.band >> 232;
    }

    // ------------------------------------------------------------------- store

    /// @notice Writes the working copy back. What has outgrown its place reverts.
    function store(Storage storage self, Context memory ctx) internal {
        IMarginPool.Ledgers memory ledgers = ctx.ledgers;
        uint256 all = ledgers.inventoryBase | ledgers.longOpenInterest | ledgers.shortOpenInterest;
        if (all > MAXIMUM_BASE) revert IMarginPool.MarginPool_LedgerOutOfBounds(all, MAXIMUM_BASE);
        all =
            ledgers.inventoryQuote |
            ctx.accountedQuote |
            ledgers.longEntryNotional |
            ledgers.shortEntryNotional;
        all |= ledgers.longCollateral | ledgers.shortCollateral | ledgers.skewPremium | ledgers.pendingIncome;
        all |= ledgers.insuranceFund | ledgers.unpaidClaims;
        if (all > MAXIMUM_QUOTE) revert IMarginPool.MarginPool_LedgerOutOfBounds(all, MAXIMUM_QUOTE);

        uint256 scale = ctx.maintenanceSkewScaleWad;
        self.clock =
            _bits112(ctx.fundingIndexWad) |
            (uint256(uint64(int64(ctx.fundingRateWad))) << 112) |
            (ctx.lastSyncAt << 176) |
            (ctx.roundMark << 208);
        self.quote = ledgers.inventoryQuote | (ctx.accountedQuote << 96) | (scale << 192);
        self.accrual =
            _bits96(ledgers.longAccrual) |
            (_bits96(ledgers.shortAccrual) << 96) |
            ((scale >> 64) << 192);
        self.income = ledgers.skewPremium | (ledgers.pendingIncome << 96) | (ctx.pausedUntil << 192);
        self.longs = ledgers.longOpenInterest | (ledgers.inventoryBase << 112) | (ctx.outsideSince << 224);
        self.shorts =
            ledgers.shortOpenInterest |
            (_bits112(ctx.skewReference) << 112) |
            (ctx.stateSince << 224);
        if (ctx.claimed || ledgers.unpaidClaims != 0) {
            self.unpaidClaims = ledgers.unpaidClaims;
            ctx.claimed = ledgers.unpaidClaims != 0;
        }
        self.entryNotional =
            ledgers.longEntryNotional |
            (ledgers.shortEntryNotional << 96) |
            _packedStates(ctx);
        self.collateral =
            ledgers.longCollateral |
            (ledgers.shortCollateral << 96) |
            (ctx.longEpoch << 192) |
            (ctx.shortEpoch << 208);
        self.insurance = ledgers.insuranceFund | (_bits112(ctx.rebateableSkew) << 96);
    }

    function _packedStates(Context memory ctx) private pure returns (uint256) {
        uint256 flags =
            (ctx.outsideLong ? OUTSIDE_LONG : 0) |
                (ctx.episodeOpen ? EPISODE_OPEN : 0) |
                (ctx.exposureGuarded ? EXPOSURE_GUARDED : 0) |
                (ctx.distressed ? DISTRESSED : 0) |
                (ctx.overdue ? OVERDUE : 0) |
                (ctx.claimed ? CLAIMED : 0);
        return
            (ctx.recoverySince << 192) |
            (uint256(ctx.ratioState) << 224) |
            (uint256(ctx.recoveryState) << 232) |
            (flags << 240);
    }

    /// @notice Starts the clock of a new pool.
    function startClock(Storage storage self) internal {
        self.clock = block.timestamp << 176;
    }

    /// @dev Tokens so cheap that their amounts pass 2^104 / 1e18 get the widest band and depth there is room for.
    function storeBand(
        Storage storage self,
        uint256 outerBandWad,
        uint256 depthBaseWad,
        uint256 unwindCostPpm,
        uint256 hedgeRatePpm
    ) internal {
        self.band =
            _capped(outerBandWad, type(uint104).max) |
            (_capped(depthBaseWad, type(uint104).max) << 104) |
            (_capped(unwindCostPpm, type(uint24).max) << 208) |
            (_capped(hedgeRatePpm, type(uint24).max) << 232);
    }

    // What changes where no action is open.

    /// @notice Changes the collateral behind one side.
    function addCollateral(Storage storage self, bool long, int256 delta) internal {
        uint256 word = self.collateral;
        uint256 shift = long ? 0 : 96;
        uint256 next = _added(uint96(word >> shift), delta);
        self.collateral = (word & ~(MAXIMUM_QUOTE << shift)) | (next << shift);
    }

    /// @notice Changes what all quote ledgers are together.
    function addAccounted(Storage storage self, int256 delta) internal {
        uint256 word = self.quote;
        uint256 next = _added(uint96(word >> 96), delta);
        self.quote = (word & ~(MAXIMUM_QUOTE << 96)) | (next << 96);
    }

    function setPausedUntil(Storage storage self, uint256 until) internal {
        self.income = (self.income & ~(uint256(type(uint32).max) << 192)) | (until << 192);
    }

    /// @notice Adds to the insurance fund.
    function addInsurance(Storage storage self, uint256 amount) internal returns (uint256 insuranceFund) {
        uint256 word = self.insurance;
        insuranceFund = _added(uint96(word), int256(amount));
        self.insurance = ((word >> 96) << 96) | insuranceFund;
    }

    function _added(uint256 ledger, int256 delta) private pure returns (uint256 next) {
        next = uint256(int256(ledger) + delta);
        if (next > MAXIMUM_QUOTE) revert IMarginPool.MarginPool_LedgerOutOfBounds(next, MAXIMUM_QUOTE);
    }

    // ------------------------------------------------------------------- views

    function loadAccount(
        Storage storage self,
        address account
    ) internal view returns (IMarginPool.Account memory a) {
        (a.size, a.entryNotional, a.collateral, a.fundingIndexWad, a.openedAt, a.epoch) = loadPosition(
            self.positions[account]
        );
        a.unpaidClaim = self.claims[account];
    }

    function loadSettlement(Storage storage self) internal view returns (IMarginPool.Settlement memory) {
        Settlement memory s = self.settlement;
        return
            IMarginPool.Settlement(
                s.priceWad,
                s.settledAt,
                s.finalizedAt,
                s.claimsTotal,
                s.valueTotal,
                s.basePot,
                s.quotePot,
                s.shareSupply,
                s.lateReserve,
                s.lateCash
            );
    }

    // --------------------------------------------------------------- positions

    /// @dev Unpacks a position: size, entry notional, collateral, funding index, openedAt, epoch.
    function loadPosition(
        Position storage self
    )
        internal
        view
        returns (
            int256 size,
            uint256 entryNotional,
            uint256 collateral,
            int256 fundingIndexWad,
            uint256 openedAt,
            uint256 epoch
        )
    {
        uint256 word = self.size;
        (size, entryNotional) = (int128(uint128(word)), word >> 128);
        word = self.margin;
        collateral = uint96(word);
        fundingIndexWad = int112(uint112(word >> 96));
        openedAt = uint32(word >> 208);
        epoch = word >> 240;
    }

    function storePosition(
        Position storage self,
        int256 size,
        uint256 entryNotional,
        uint256 collateral,
        int256 fundingIndexWad,
        uint256 openedAt,
        uint256 epoch
    ) internal {
        self.size = uint256(uint128(size.toInt128())) | (uint256(entryNotional.toUint128()) << 128);
        self.margin =
            uint256(collateral.toUint96()) |
            (uint256(uint112(fundingIndexWad.toInt112())) << 96) |
            (openedAt << 208) |
            (epoch << 240);
    }

    /// @dev Changes a position's collateral and nothing else.
    function storeMargin(Position storage self, uint256 collateral) internal {
        self.margin = ((self.margin >> 96) << 96) | collateral.toUint96();
    }

    // ----------------------------------------------------------------- helpers

    function _bits112(int256 value) private pure returns (uint256) {
        return uint112(value.toInt112());
    }

    function _bits96(int256 value) private pure returns (uint256) {
        return uint96(value.toInt96());
    }

    function _capped(uint256 value, uint256 maximum) private pure returns (uint256) {
        return value < maximum ? value : maximum;
    }
}
