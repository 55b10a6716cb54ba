// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

/// @title Perpetuals margin pool: the counterparty of leveraged positions that keeps itself solvent
/// @notice LPs own an inventory of base and quote (an ERC-4626 vault in quote). Traders hold one signed position per
/// account against it. Orders take two steps, so that nobody trades on a price already known.
/// @dev Amounts are token units unless a name says `Wad` (1e18). Position sizes are base token units, signed: longs
/// positive. Assumptions on tokens: no fee on transfer, no rebasing, at most 18 decimals; a transfer that delivers less
/// than asked reverts.
interface IMarginPool is IERC4626 {
    /// @notice What the solvency ratio and the exposure allow.
    /// Normal: everything. Guarded: double taker fee, more margin for trades that raise the skew. ReduceOnly: only
    /// trades that lower the skew or the account's own size. Deleveraging: as ReduceOnly, and anyone may call
    /// `autoDeleverage`. Settled: the price is frozen for good, accounts are closed and everybody is paid out.
    enum RiskState {
        Normal,
        Guarded,
        ReduceOnly,
        Deleveraging,
        Settled
    }

    /// @notice One trader account as stored. Two storage slots and the claim's.
    /// @param size position, base token units, signed; as of `epoch`
    /// @param entryNotional sum of size x entry price, quote token units; as of `epoch`
    /// @param collateral margin, quote token units
    /// @param fundingIndexWad funding index when the position was last touched, quote per base, 1e18
    /// @param unpaidClaim realized profit the pool could not pay in quote yet, quote token units
    /// @param openedAt when the position was last increased, unix seconds
    /// @param epoch deleveragings of the position's side when it was last touched; later ones show in `position`
    struct Account {
        int256 size;
        uint256 entryNotional;
        uint256 collateral;
        int256 fundingIndexWad;
        uint256 unpaidClaim;
        uint256 openedAt;
        uint256 epoch;
    }

    /// @notice A queued order. Two storage slots.
    /// @param sizeDelta what is still to be filled, base token units, signed: buys positive
    /// @param acceptablePriceWad worst fill price, all costs included, quote per base, 1e18
    /// @param requestedAt unix seconds
    /// @param expiresAt unix seconds
    /// @param roundId feed round at the request; only a later one fills
    /// @param reservedMargin collateral that cannot be withdrawn while the order waits, quote token units
    /// @param reduceOnly the order was no larger than the opposite position when it was requested
    struct Order {
        int128 sizeDelta;
        uint128 acceptablePriceWad;
        uint40 requestedAt;
        uint40 expiresAt;
        uint80 roundId;
        uint88 reservedMargin;
        bool reduceOnly;
    }

    /// @notice A position at the current price.
    struct PositionView {
        int256 size;
        uint256 entryNotional;
        uint256 collateral;
        int256 unrealizedProfit;
        int256 fundingOwed;
        int256 equity;
        uint256 maintenanceMargin;
        uint256 initialMargin;
        bool liquidatable;
    }

    /// @notice The pool's solvency at a glance. Amounts in token units, signed where they can be negative.
    struct PoolState {
        int256 equity;
        int256 equityBid;
        int256 equityAsk;
        int256 skew;
        int256 netExposureBase;
        uint256 targetInventoryBase;
        uint256 requiredEquity;
        uint256 solvencyRatioWad;
        RiskState riskState;
    }

    /// @notice What the rebalancer and integrators compute with: price, solvency and band of one moment.
    /// Values are 18-decimal (`Wad`: whole tokens x 1e18).
    struct Snapshot {
        uint256 indexPriceWad;
        uint256 volatilityWad;
        uint80 roundId;
        bool caughtUp;
        int256 equityWad;
        int256 equityBidWad;
        int256 inventoryBaseWad;
        int256 availableQuoteWad;
        int256 skewWad;
        int256 targetInventoryBaseWad;
        int256 netExposureWad;
        uint256 requiredCapitalWad;
        uint256 solvencyRatioWad;
        RiskState riskState;
        uint256 outerBandWad;
        uint256 depthBaseWad;
        uint256 unwindCostPpm;
        uint256 outsideSince;
        bool episodeOpen;
        uint256 hedgeRatePpm;
    }

    /// @notice How a fill comes about, for previews and events. Quote token units but for size and price.
    /// @param sizeDelta filled, base token units, signed
    /// @param fillPriceWad price with all costs per unit, 1e18
    /// @param realizedProfit of the part that closed a position
    /// @param fundingPaid by the account at this touch, negative when received
    /// @param premium skew premium paid, negative: rebate received
    /// @param takerFee fee
    /// @param hedgeCharge what the trade adds to the pool's cost of rebalancing
    struct Fill {
        int256 sizeDelta;
        uint256 fillPriceWad;
        int256 realizedProfit;
        int256 fundingPaid;
        int256 premium;
        uint256 takerFee;
        uint256 hedgeCharge;
    }

    /// @notice One liquidation.
    /// @param closed part of the position that was closed, base token units, signed like it
    /// @param size what is left, and with it entry notional and collateral
    /// @param indexPriceWad price it was closed at, 1e18
    /// @param roundId round of that price
    /// @param equity of the account before
    /// @param penalty taken from the collateral: first the keeper's reward, then insurance and LPs
    /// @param badDebt what the account could not pay
    /// @param paidByInsurance of it
    struct Liquidation {
        int256 closed;
        int256 size;
        uint256 entryNotional;
        uint256 collateral;
        uint256 indexPriceWad;
        uint80 roundId;
        int256 equity;
        uint256 penalty;
        uint256 keeperReward;
        uint256 badDebt;
        uint256 paidByInsurance;
    }

    /// @notice Every ledger of the pool, token units.
    /// @param custodyQuote quote that is neither LPs' nor insurance's nor behind a position: free margin, escrowed
    /// execution fees and what `creditedOf` says
    struct Ledgers {
        uint256 inventoryBase;
        uint256 inventoryQuote;
        uint256 longOpenInterest;
        uint256 shortOpenInterest;
        uint256 longEntryNotional;
        uint256 shortEntryNotional;
        uint256 longCollateral;
        uint256 shortCollateral;
        int256 longAccrual;
        int256 shortAccrual;
        uint256 skewPremium;
        uint256 pendingIncome;
        uint256 insuranceFund;
        uint256 unpaidClaims;
        uint256 custodyQuote;
    }

    /// @notice What the owner may set, within bounds, by at most a tenth at a time and once a day; every change takes
    /// effect little by little over a day.
    /// @param takerFeePpm taker fee, 1e6 = 100 %
    /// @param openInterestLimitBps open interest of a side as a share of equity, 1e4 = 100 %
    /// @param initialMarginFloorBps least initial margin ratio, 1e4 = 100 %
    /// @param insuranceShareBps part of taker fees that insurance keeps, 1e4 = 100 %
    struct Parameters {
        uint256 takerFeePpm;
        uint256 openInterestLimitBps;
        uint256 initialMarginFloorBps;
        uint256 insuranceShareBps;
    }

    /// @notice The end of a pool: frozen price and what is to be paid out of what.
    /// @param priceWad frozen index price, 1e18
    /// @param settledAt unix seconds; 0 while the pool lives
    /// @param finalizedAt unix seconds; 0 before `finalizeSettlement`
    /// @param claimsTotal what all claims together were counted as, quote token units
    /// @param valueTotal value of the two pots at the frozen price, quote token units
    /// @param basePot base held for claims and LPs when it was finalized, token units
    /// @param quotePot quote held for claims and LPs when it was finalized, token units
    /// @param shareSupply LP shares when it was finalized
    /// @param lateReserve part of `claimsTotal` kept for accounts that were not settled in time, quote token units
    /// @param lateCash losses collected from such accounts since, quote token units
    struct Settlement {
        uint256 priceWad;
        uint256 settledAt;
        uint256 finalizedAt;
        uint256 claimsTotal;
        uint256 valueTotal;
        uint256 basePot;
        uint256 quotePot;
        uint256 shareSupply;
        uint256 lateReserve;
        uint256 lateCash;
    }

    event Bootstrapped(
        address indexed lp,
        uint256 baseAmount,
        uint256 quoteAmount,
        uint256 shares,
        uint256 indexPriceWad
    );
    event MarginDeposited(address indexed account, uint256 amount, uint256 collateral);
    event MarginWithdrawn(address indexed account, uint256 amount, uint256 collateral);
    event OrderRequested(
        address indexed account,
        int256 sizeDelta,
        uint256 acceptablePriceWad,
        uint256 expiresAt,
        uint80 roundId,
        uint256 reservedMargin,
        bool reduceOnly
    );
    event OrderExecuted(
        address indexed account,
        address indexed executor,
        Fill filled,
        int256 remainingSizeDelta,
        int256 size,
        uint256 entryNotional,
        uint256 collateral,
        uint256 indexPriceWad,
        uint80 roundId
    );
    event OrderCanceled(address indexed account, int256 sizeDelta);
    event OrderExpired(
        address indexed account,
        address indexed executor,
        int256 sizeDelta,
        uint256 expiresAt
    );
    /// @param reason ABI-encoded custom error of this interface
    event OrderFailed(address indexed account, address indexed executor, int256 sizeDelta, bytes reason);
    event Liquidated(address indexed account, address indexed liquidator, Liquidation liquidation);
    event ClaimRecorded(address indexed account, uint256 amount, uint256 unpaidClaim);
    event ClaimPaidInKind(address indexed account, uint256 claim, uint256 baseAmount, uint256 quoteAmount);
    event RiskStateChanged(RiskState before, RiskState afterwards, uint256 solvencyRatioWad);
    event Deleveraged(
        address indexed caller,
        bool indexed long,
        uint256 epoch,
        uint256 fractionWad,
        uint256 indexPriceWad,
        uint80 roundId,
        uint256 solvencyRatioBeforeWad,
        uint256 solvencyRatioAfterWad
    );
    event DeadFeedReported(address indexed caller, uint256 deadAt);
    event SettlementStarted(address indexed caller, uint256 priceWad);
    event AccountSettled(
        address indexed account,
        address indexed caller,
        int256 size,
        uint256 priceWad,
        int256 gain,
        uint256 claimed,
        uint256 badDebt,
        uint256 collateral
    );
    event SettlementFinalized(
        address indexed caller,
        uint256 claimsTotal,
        uint256 valueTotal,
        uint256 basePot,
        uint256 quotePot,
        uint256 shareSupply,
        uint256 lateReserve
    );
    event RedeemedInKind(
        address indexed owner,
        address indexed receiver,
        uint256 shares,
        uint256 baseAmount,
        uint256 quoteAmount
    );
    event ParametersChanged(Parameters before, Parameters next, uint256 reachedAt);
    event GuardianChanged(address indexed before, address indexed next);
    event NewRiskPaused(address indexed caller, uint256 until);
    event NewRiskUnpaused(address indexed caller);
    event ClaimPaid(address indexed account, uint256 amount, uint256 unpaidClaim);
    event CreditPaid(address indexed account, uint256 amount);
    event InsuranceSkimmed(address indexed caller, uint256 amount, uint256 insuranceFund);
    event Synced(uint256 indexPriceWad, uint80 roundId, uint256 premiumEarned, uint256 incomeEarned);
    event PoolTraded(int256 baseDelta, int256 quoteDelta, uint256 indexPriceWad, uint256 hedgeRatePpm);
    event BandCached(uint256 outerBand, uint256 depthBase, uint256 unwindCostPpm, uint256 hedgeRatePpm);

    error MarginPool_WeightOutOfBounds(uint256 targetBaseWeightWad, uint256 maximumWad);
    error MarginPool_TokenDecimalsOutOfBounds(address token, uint8 decimals, uint8 maximum);
    error MarginPool_AlreadyBootstrapped(uint256 totalSupply);
    error MarginPool_NotBootstrapped();
    error MarginPool_BootstrapTooSmall(uint256 equity, uint256 minimum);
    error MarginPool_OnlyRebalancer(address caller, address rebalancer);
    error MarginPool_ZeroAmount();
    /// @notice A transfer delivered less than asked: the balance would not cover the ledgers.
    error MarginPool_NotCovered(address token, uint256 balance, uint256 ledgersTotal);
    error MarginPool_SharesLocked(address account, uint256 requested, uint256 unlocked, uint256 unlockAt);
    error MarginPool_VolatilityBehind(uint80 roundId);
    error MarginPool_Insolvent(int256 equity);
    error MarginPool_StateWorse(RiskState before, RiskState afterwards, uint256 solvencyRatioWad);
    error MarginPool_InsufficientFreeMargin(address account, uint256 requested, uint256 available);
    error MarginPool_InsufficientMargin(address account, int256 equity, uint256 required);
    error MarginPool_OrderPending(address account, uint256 expiresAt);
    error MarginPool_NoOrder(address account);
    error MarginPool_ExpiryOutOfBounds(uint256 expiresAt, uint256 minimum, uint256 maximum);
    error MarginPool_OrderNotCancelable(address account, uint256 executableAt, uint256 expiresAt);
    error MarginPool_OrderTooEarly(
        address account,
        uint80 roundId,
        uint80 requestRoundId,
        uint256 executableAt
    );
    error MarginPool_OrderPastExpiry(address account, uint256 expiresAt);
    error MarginPool_SkewSpeedLimit(int256 skewAfter, uint256 limit);
    error MarginPool_SkewNotAffordable(int256 skewAfter, int256 minimum, int256 maximum);
    error MarginPool_OpenInterestLimit(uint256 openInterest, uint256 maximum);
    error MarginPool_ReduceOnly(uint256 solvencyRatioWad);
    error MarginPool_PriceNotAcceptable(uint256 fillPriceWad, uint256 acceptablePriceWad);
    error MarginPool_NothingToReduce(int256 sizeDelta, int256 size);
    error MarginPool_NoPosition(address account);
    error MarginPool_OpenedThisBlock(address account, uint256 openedAt);
    error MarginPool_NotLiquidatable(address account, int256 equity, uint256 maintenanceMargin);
    error MarginPool_NothingToClaim(address account);
    error MarginPool_PoolAmountMismatch(uint256 actual, uint256 expected);
    error MarginPool_InventoryShort(uint256 available, uint256 needed);
    /// @param bits of all ledgers of one token together
    error MarginPool_LedgerOutOfBounds(uint256 bits, uint256 maximum);
    error MarginPool_AmountOutOfBounds(uint256 bits, uint256 bound);
    error MarginPool_SolvencyLowered(uint256 solvencyRatioBeforeWad, uint256 solvencyRatioAfterWad);
    error MarginPool_MarginAddedInTransaction(address account, uint256 amount);
    error MarginPool_PriceFarFromAverage(uint256 indexPriceWad, uint256 distanceWad, uint256 allowedWad);
    error MarginPool_IsSettled(uint256 priceWad, uint256 settledAt);
    error MarginPool_NotSettled();
    error MarginPool_NotFinalized(uint256 settledAt);
    error MarginPool_AlreadyFinalized(uint256 finalizedAt);
    error MarginPool_SettlementRunning(uint256 endsAt);
    error MarginPool_LateGainNotCovered(address account, uint256 gain, uint256 kept);
    error MarginPool_FeedAlive();
    error MarginPool_FeedNotDead(bool sequencerUp, uint256 deadAt);
    error MarginPool_NotDeleveraging(RiskState state, uint256 solvencyRatioWad);
    error MarginPool_NothingToDeleverage(int256 exposureBase, int256 openInterest, uint256 solvencyRatioWad);
    error MarginPool_DeleveragingExhausted(uint256 epoch, uint256 scale, uint256 minimum);
    error MarginPool_Paused(uint256 until);
    error MarginPool_NotPaused(uint256 until);
    error MarginPool_PauseTooSoon(uint256 timestamp, uint256 earliest);
    error MarginPool_OnlyGuardian(address caller, address guardian);
    /// @param parameter number of the parameter in `Parameters`, from 0
    error MarginPool_ParameterOutOfBounds(uint256 parameter, uint256 value, uint256 minimum, uint256 maximum);
    error MarginPool_ParametersTooSoon(uint256 timestamp, uint256 earliest);

    // ------------------------------------------------------------------ LPs

    /// @notice First liquidity, in kind, while no shares exist; anyone may give it, at least 1,000 quote worth. Later
    /// liquidity is quote only, and none can come before.
    /// @param baseAmount base token units
    /// @param quoteAmount quote token units
    /// @return shares minted to the caller at the index price, locked like any new shares
    function bootstrap(uint256 baseAmount, uint256 quoteAmount) external returns (uint256 shares);

    /// @notice Shares that cannot move yet, and until when.
    function shareLock(address account) external view returns (uint256 lockedShares, uint256 unlockAt);

    // -------------------------------------------------------------- traders

    /// @notice Adds quote to the caller's margin. Works at any price, good or bad.
    function depositMargin(uint256 amount) external;

    /// @notice Takes margin out. With a position, max(2 x initial margin ratio, 10 %) of its notional must stay, and
    /// profit that is not realized does not count. Without one, no price is needed.
    function withdrawMargin(uint256 amount) external;

    /// @notice Queues an order of the caller. It fills at a price published after the request and the delay.
    /// @param sizeDelta base token units, signed: buys positive. No larger than the opposite position: it will only
    /// ever reduce
    /// @param acceptablePriceWad worst fill price, all costs included
    /// @param expiresAt unix seconds, at most 10 minutes ahead
    function requestOrder(int256 sizeDelta, uint256 acceptablePriceWad, uint40 expiresAt) external;

    /// @notice Fills, in part where the skew's speed limit binds, or removes an order that expired or fails its own
    /// checks. The executor who removes it from the queue is credited the execution fee.
    function executeOrder(address account) external;

    /// @notice Withdraws the caller's order before the delay has passed or after it expired.
    function cancelOrder() external;

    /// @notice Closes as much of an account below its maintenance margin as restores it, or all of it. Anyone may call.
    function liquidate(address account) external;

    /// @notice Pays what the caller was credited (fees, penalties) and, as far as quote allows, unpaid profit. A claim on a
    /// finalized settlement is paid in kind, in base and quote as the pool holds them.
    /// @return amount quote token units
    function claim() external returns (uint256 amount);

    /// @notice Moves quote that was sent here without a call into the insurance fund.
    /// @return amount quote token units
    function skim() external returns (uint256 amount);

    /// @notice While Deleveraging: closes one fraction of every position on the side whose closing shrinks |b - K|, at the
    /// index price and free of fees, no more than it takes to leave the state. Anyone may call.
    /// @return fractionWad closed, 1e18
    function autoDeleverage() external returns (uint256 fractionWad);

    // ----------------------------------------------------------- settlement

    /// @notice Settles a pool whose price has been bad for a day, sequencer downtime not counted: the first call reports
    /// it, another one a day later settles unless the price was good in between. A bankrupt pool settles by `sync`.
    /// @return settled false when this call was the report
    function settle() external returns (bool settled);

    /// @notice Closes an account of a settled pool at the frozen price. Losses go to LPs, gains become a claim; what is
    /// left of the margin can be withdrawn.
    function settleAccount(address account) external;

    /// @notice After a week, or once all accounts are settled: fixes what claims and shares are paid.
    function finalizeSettlement() external;

    /// @notice Pays shares of the caller in kind, once the settlement is final.
    function redeemInKind(
        uint256 shares,
        address receiver
    ) external returns (uint256 baseAmount, uint256 quoteAmount);

    // -------------------------------------------------------------- guardian

    /// @notice Stops orders that open and LP entry for 72 hours, at most once in ten days. Guardian or owner.
    function pauseNewRisk() external;

    /// @notice Ends the pause. Guardian or owner.
    function unpauseNewRisk() external;

    /// @notice Only the owner.
    function setGuardian(address next) external;

    /// @notice Starts the way to new parameters; see `Parameters`. Only the owner.
    function setParameters(Parameters calldata next) external;

    /// @notice Price, volatility, funding and income brought up to now.
    function sync() external returns (Snapshot memory);

    // ----------------------------------------------------------- rebalancer

    /// @notice Trades inventory with the constant-product pool. Only the rebalancer.
    /// @param sellBase direction
    /// @param amountBase base sold or bought, token units
    /// @param quoteLimit least quote received or most quote paid
    /// @return quoteAmount quote received or paid, token units
    /// @return snapshotAfter the pool's state after the trade
    function tradeWithPool(
        bool sellBase,
        uint256 amountBase,
        uint256 quoteLimit
    ) external returns (uint256 quoteAmount, Snapshot memory snapshotAfter);

    /// @notice Stores the measured band for orders to read. Only the rebalancer.
    function cacheBand(uint256 outerBandWad, uint256 depthBaseWad, uint256 unwindCostPpm) external;

    // ---------------------------------------------------------------- views

    /// @notice The quote token; the same as `asset()`.
    function quote() external view returns (address);

    /// @notice The base token.
    function base() external view returns (address);

    /// @notice The constant-product pool inventory is traded with.
    function pool() external view returns (address);

    /// @notice The volatility oracle (and, through it, the price oracle).
    function volatilityOracle() external view returns (address);

    /// @notice The only address that may trade inventory.
    function rebalancer() external view returns (address);

    /// @notice w, share of equity LPs want held in base, 1e18.
    function targetBaseWeightWad() external view returns (uint256);

    /// @notice Escrowed with each order, quote token units.
    function executionFee() external view returns (uint256);

    /// @notice Solvency now. Reverts while the price is bad.
    function poolState() external view returns (PoolState memory);

    /// @notice What `sync` would return now. Reverts while the price is bad.
    function snapshot() external view returns (Snapshot memory);

    /// @notice All ledgers as stored. Warning: funding and income since the last sync are not in them.
    function ledgers() external view returns (Ledgers memory);

    /// @notice Funding as stored: index (quote per base, 1e18), rate per year (1e18), last sync (unix seconds).
    function funding() external view returns (int256 indexWad, int256 rateWad, uint256 lastSyncAt);

    /// @notice K_ref, base token units: the skew that the speed limit counts from, as of the last sync.
    function skewReference() external view returns (int256);

    /// @notice Losses of traders beyond their margin since deployment, quote token units.
    function badDebt() external view returns (uint256);

    /// @notice A position at the current price. Reverts while the price is bad.
    function position(address account) external view returns (PositionView memory);

    /// @notice The account as stored. Never reverts.
    function marginAccount(address account) external view returns (Account memory);

    /// @notice The account's queued order; `requestedAt` is 0 when there is none. Never reverts.
    function order(address account) external view returns (Order memory);

    /// @notice What executing the account's order would do now.
    /// @return filled the fill, zero where nothing would fill
    /// @return failure the ABI-encoded custom error for which the order would be removed, empty when it fills
    function previewOrder(address account) external view returns (Fill memory filled, bytes memory failure);

    /// @notice Who may pause new risk.
    function guardian() external view returns (address);

    /// @notice Parameters now and those they lead to, and the end of the guardian's pause (unix seconds).
    function parameters()
        external
        view
        returns (Parameters memory current, Parameters memory next, uint256 pausedUntil);

    /// @notice State as of the last sync and what its clock counts from.
    /// @return state by solvency ratio, without the exposure's latch
    /// @return since unix seconds
    /// @return recoverySince first of the syncs in which a better state was allowed, unix seconds; 0 when none
    function riskClock() external view returns (RiskState state, uint256 since, uint256 recoverySince);

    /// @notice The end of the pool; all zero while it lives.
    function settlement() external view returns (Settlement memory);

    /// @notice What `claim` would pay from fees and penalties, quote token units.
    function creditedOf(address account) external view returns (uint256);
}
