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
    /// trades that lower the skew or the account's own size.
    enum RiskState {
        Normal,
        Guarded,
        ReduceOnly
    }

    /// @notice One trader account. Three storage slots.
    /// @param size position, base token units, signed
    /// @param entryNotional sum of size x entry price, quote token units
    /// @param collateral margin, quote token units
    /// @param fundingIndexWad funding index when the account was last touched, quote per base, 1e18
    /// @param unpaidClaim realized profit the pool could not pay in quote yet, quote token units
    /// @param openedAt when the position was last increased, unix seconds
    struct Account {
        int128 size;
        uint128 entryNotional;
        uint128 collateral;
        int128 fundingIndexWad;
        uint128 unpaidClaim;
        uint40 openedAt;
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

    /// @notice Every ledger of the pool, token units.
    struct Ledgers {
        uint128 inventoryBase;
        uint128 inventoryQuote;
        uint128 longOpenInterest;
        uint128 shortOpenInterest;
        uint128 longEntryNotional;
        uint128 shortEntryNotional;
        uint128 longCollateral;
        uint128 shortCollateral;
        int128 longAccrual;
        int128 shortAccrual;
        uint128 skewPremium;
        uint128 pendingIncome;
        uint128 insuranceFund;
        uint128 unpaidClaims;
        uint128 freeCollateral;
        uint128 credited;
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
    event Liquidated(
        address indexed account,
        address indexed liquidator,
        int256 size,
        uint256 indexPriceWad,
        int256 equity,
        uint256 penalty,
        uint256 keeperReward,
        uint256 badDebt,
        uint256 paidByInsurance
    );
    event ClaimPaid(address indexed account, uint256 amount, uint256 unpaidClaim);
    event CreditPaid(address indexed account, uint256 amount);
    event InsuranceSkimmed(address indexed caller, uint256 amount, uint256 insuranceFund);
    event Synced(
        uint256 indexPriceWad,
        uint80 roundId,
        int256 fundingIndexWad,
        int256 fundingRateWad,
        uint256 premiumEarned,
        uint256 incomeEarned
    );
    event PoolTraded(int256 baseDelta, int256 quoteDelta);
    event BandCached(uint256 outerBand, uint256 depthBase, uint256 unwindCostPpm);

    error MarginPool_WeightOutOfBounds(uint256 targetBaseWeightWad, uint256 maximumWad);
    error MarginPool_TokenDecimalsOutOfBounds(address token, uint8 decimals, uint8 maximum);
    error MarginPool_AlreadyBootstrapped(uint256 totalSupply);
    error MarginPool_NotBootstrapped();
    error MarginPool_BootstrapTooSmall(uint256 equity, uint256 minimum);
    error MarginPool_OnlyRebalancer(address caller, address rebalancer);
    error MarginPool_ZeroAmount();
    error MarginPool_TransferShortfall(address token, uint256 received, uint256 expected);
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

    /// @notice Closes an account whose equity is below its maintenance margin. Anyone may call.
    function liquidate(address account) external;

    /// @notice Pays what the caller was credited (fees, penalties) and, as far as quote allows, unpaid profit.
    /// @return amount quote token units
    function claim() external returns (uint256 amount);

    /// @notice Moves quote that was sent here without a call into the insurance fund.
    /// @return amount quote token units
    function skim() external returns (uint256 amount);

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

    /// @notice What `claim` would pay from fees and penalties, quote token units.
    function creditedOf(address account) external view returns (uint256);
}
