import type { PoolHistory } from "../math/poolOracleMath.ts";
import type { Address } from "./calls.ts";

/** Order of `IMarginPool.RiskState`. */
export const RiskState = {
  Normal: 0,
  Guarded: 1,
  ReduceOnly: 2,
  Deleveraging: 3,
  Settled: 4,
} as const;
export type RiskState = (typeof RiskState)[keyof typeof RiskState];

/** What a deployment fixes for good: addresses, decimals and every immutable. Times in seconds, fees 1e6 = 100 %. */
export interface ProtocolConfig {
  readonly addresses: {
    readonly base: Address;
    readonly quote: Address;
    readonly feed: Address;
    readonly sequencerFeed: Address;
    readonly factory: Address;
    readonly pool: Address;
    readonly volatilityOracle: Address;
    readonly marginPool: Address;
    readonly rebalancer: Address;
  };
  readonly baseDecimals: number;
  readonly quoteDecimals: number;
  /** 10 ** (18 - decimals). */
  readonly baseScale: bigint;
  readonly quoteScale: bigint;
  readonly baseIsToken0: boolean;
  // the pool's, from its factory
  readonly minSwapFee: bigint;
  readonly maxSwapFee: bigint;
  readonly volatilityFeeMultiplierWad: bigint;
  // the guarded feed's
  readonly feedScale: bigint;
  readonly lowerAnswer: bigint;
  readonly upperAnswer: bigint;
  readonly priceBandWad: bigint;
  readonly lpPriceBandWad: bigint;
  readonly maximumAgeSeconds: bigint;
  readonly hasSequencer: boolean;
  readonly sequencerGraceSeconds: bigint;
  readonly twapWindowSeconds: bigint;
  /** (decimals of base - decimals of quote) ln 10, 1e18. */
  readonly logScaleWad: bigint;
  // the margin pool's
  readonly weightWad: bigint;
}

/** One round of a mock feed. */
export interface Round {
  readonly answer: bigint;
  readonly startedAt: bigint;
  readonly updatedAt: bigint;
  readonly answeredInRound: bigint;
}

/** What a token keeps beside balances and allowances. */
export interface TokenState {
  readonly totalSupply: bigint;
  readonly balances: ReadonlyMap<Address, bigint>;
  /** By `allowanceKey(owner, spender)`. */
  readonly allowances: ReadonlyMap<string, bigint>;
}

export interface FeedState {
  readonly latestRoundId: bigint;
  readonly rounds: ReadonlyMap<bigint, Round>;
}

export interface FactoryRecord {
  readonly feeTo: Address;
  readonly feeToSetter: Address;
}

/** The constant-product pool, its LP token aside. */
export interface PoolRecord {
  readonly reserve0: bigint;
  readonly reserve1: bigint;
  readonly touchedAt: bigint;
  readonly isKLastInUse: boolean;
  readonly kLast: bigint;
  readonly history: PoolHistory;
}

/** See the storage of VolatilityOracle. */
export interface OracleRecord {
  readonly roundId: bigint;
  readonly sampledAt: bigint;
  readonly volatilityWad: bigint;
  readonly maintenanceVolatilityWad: bigint;
  readonly samplePriceWad: bigint;
  readonly slowVarianceWad: bigint;
  readonly fastVarianceWad: bigint;
  readonly averageLogPriceWad: bigint;
  readonly averageFrom: bigint;
  readonly newerCumulativeLogPriceWad: bigint;
  readonly newerVarianceRateWad: bigint;
  readonly newerTimestamp: bigint;
}

/** Slots 11 to 19 of the margin pool, and its parameters: what an action seldom changes. */
export interface ColdRecord {
  readonly badDebt: bigint;
  readonly insuranceUsed: bigint;
  readonly insuranceUsedAt: bigint;
  readonly hedgeCost: bigint;
  readonly hedgeNotional: bigint;
  readonly hedgeUpdatedAt: bigint;
  readonly distress: Distress;
  readonly settlement: Settlement;
  readonly parameters: ParametersRecord;
}

export interface Distress {
  readonly lowSince: bigint;
  readonly bankruptAt: bigint;
  readonly bankruptRounds: bigint;
}

export interface Settlement {
  readonly priceWad: bigint;
  readonly settledAt: bigint;
  readonly finalizedAt: bigint;
  readonly deadSince: bigint;
  readonly claimsTotal: bigint;
  readonly valueTotal: bigint;
  readonly basePot: bigint;
  readonly quotePot: bigint;
  readonly lateReserve: bigint;
  readonly lateCash: bigint;
  readonly shareSupply: bigint;
}

/** In the order of `IMarginPool.Parameters`: taker fee (ppm), open interest limit, initial margin floor, insurance share (bps). */
export type ParameterValues = readonly [bigint, bigint, bigint, bigint];

export interface ParametersRecord {
  readonly next: ParameterValues;
  readonly before: ParameterValues;
  readonly changedAt: bigint;
  readonly pausedAt: bigint;
}

/** All ledgers, token units. See `IMarginPool.Ledgers`. */
export interface Ledgers {
  inventoryBase: bigint;
  inventoryQuote: bigint;
  longOpenInterest: bigint;
  shortOpenInterest: bigint;
  longEntryNotional: bigint;
  shortEntryNotional: bigint;
  longCollateral: bigint;
  shortCollateral: bigint;
  longAccrual: bigint;
  shortAccrual: bigint;
  skewPremium: bigint;
  pendingIncome: bigint;
  insuranceFund: bigint;
  unpaidClaims: bigint;
}

/** The hot slots 0 to 9 of the margin pool. */
export interface HotRecord {
  readonly ledgers: Readonly<Ledgers>;
  readonly accountedQuote: bigint;
  readonly fundingIndexWad: bigint;
  readonly fundingRateWad: bigint;
  readonly lastSyncAt: bigint;
  readonly roundMark: bigint;
  readonly maintenanceSkewScaleWad: bigint;
  readonly pausedUntil: bigint;
  readonly outsideSince: bigint;
  readonly skewReference: bigint;
  readonly stateSince: bigint;
  readonly recoverySince: bigint;
  readonly ratioState: RiskState;
  readonly recoveryState: RiskState;
  readonly outsideLong: boolean;
  readonly episodeOpen: boolean;
  readonly exposureGuarded: boolean;
  readonly distressed: boolean;
  readonly overdue: boolean;
  readonly claimed: boolean;
  readonly longEpoch: bigint;
  readonly shortEpoch: bigint;
  readonly rebateableSkew: bigint;
  readonly outerBandWad: bigint;
  readonly depthBaseWad: bigint;
  readonly unwindCostPpm: bigint;
  readonly hedgeRatePpm: bigint;
}

/** An account as stored. See `IMarginPool.Account`; the unpaid claim is kept in `claims`. */
export interface Position {
  readonly size: bigint;
  readonly entryNotional: bigint;
  readonly collateral: bigint;
  readonly fundingIndexWad: bigint;
  readonly openedAt: bigint;
  readonly epoch: bigint;
}

/** See `IMarginPool.Order`. */
export interface Order {
  readonly sizeDelta: bigint;
  readonly acceptablePriceWad: bigint;
  readonly requestedAt: bigint;
  readonly expiresAt: bigint;
  readonly roundId: bigint;
  readonly reservedMargin: bigint;
  readonly reduceOnly: boolean;
}

export interface ShareLock {
  readonly lockedShares: bigint;
  readonly unlockAt: bigint;
}

/** A side after one of its deleveragings. See MarginStorage.Checkpoint. */
export interface Checkpoint {
  readonly scale: bigint;
  readonly fundingIndexWad: bigint;
  readonly cash: bigint;
}

export interface RolesRecord {
  readonly owner: Address;
  readonly pendingOwner: Address;
  readonly guardian: Address;
}

export interface RebalancerRecord {
  readonly lastTargetWad: bigint;
  readonly lastRoundId: bigint;
  readonly lastSampledAt: bigint;
  readonly targetVarianceWad: bigint;
  readonly lastTradeAt: bigint;
  readonly lastDepthWad: bigint;
}

/** Everything the protocol's contracts keep, and the tokens and feeds they use. Plain data; never changed in place. */
export interface ProtocolState {
  readonly config: ProtocolConfig;
  /** Time of the last block, unix seconds. */
  readonly now: bigint;
  readonly feed: FeedState;
  readonly sequencerFeed: FeedState;
  readonly base: TokenState;
  readonly quote: TokenState;
  readonly factory: FactoryRecord;
  readonly pool: PoolRecord;
  readonly liquidityToken: TokenState;
  readonly oracle: OracleRecord;
  readonly hot: HotRecord;
  readonly cold: ColdRecord;
  readonly roles: RolesRecord;
  readonly shares: TokenState;
  readonly positions: ReadonlyMap<Address, Position>;
  readonly claims: ReadonlyMap<Address, bigint>;
  readonly orders: ReadonlyMap<Address, Order>;
  readonly credits: ReadonlyMap<Address, bigint>;
  readonly locks: ReadonlyMap<Address, ShareLock>;
  readonly longCheckpoints: ReadonlyMap<bigint, Checkpoint>;
  readonly shortCheckpoints: ReadonlyMap<bigint, Checkpoint>;
  readonly rebalancer: RebalancerRecord;
}
