import { abs, ceilDiv, floorDiv, WAD } from "./numbers.ts";

/** What a deployment is made of; nothing else is known besides the logs. */
export interface ReplaySettings {
  readonly baseDecimals: number;
  readonly quoteDecimals: number;
  /** w, 1e18. */
  readonly targetBaseWeightWad: bigint;
  /** delta, 1e18. */
  readonly priceBandWad: bigint;
  /** delta_LP, 1e18. */
  readonly lpPriceBandWad: bigint;
  /** sigma before the first sample, 1e18. */
  readonly initialVolatilityWad: bigint;
  /** Daily move of the target before it was measured, share of equity, 1e18. */
  readonly initialTargetVolatilityWad: bigint;
  /** Whether base is token0 of the constant-product pool. */
  readonly baseIsToken0: boolean;
}

/** Order of `IMarginPool.RiskState`. */
export const NORMAL = 0;
export const GUARDED = 1;
export const REDUCE_ONLY = 2;
export const DELEVERAGING = 3;
export const SETTLED = 4;

/** Token units, by the names of `IMarginPool.Ledgers`; custody is what `accountedQuote` leaves. */
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

/** Price and volatility of one moment, 1e18. */
export interface Market {
  price: bigint;
  sigma: bigint;
  sigmaMm: bigint;
  roundId: bigint;
  /** Publication of the round, unix seconds. */
  updatedAt: bigint;
}

/** An account as it was last touched. */
export interface Account {
  size: bigint;
  entryNotional: bigint;
  collateral: bigint;
  fundingIndexWad: bigint;
  openedAt: bigint;
  epoch: bigint;
}

export interface Order {
  sizeDelta: bigint;
  acceptablePriceWad: bigint;
  requestedAt: bigint;
  expiresAt: bigint;
  roundId: bigint;
  reservedMargin: bigint;
  reduceOnly: boolean;
}

/** A side after one of its deleveragings: M (1e36), X (1e36 x 1e18) and the funding index. */
export interface Checkpoint {
  scale: bigint;
  cash: bigint;
  fundingIndexWad: bigint;
}

/** Parameters in the order of `IMarginPool.Parameters`. */
export type Parameters = readonly [
  takerFeePpm: bigint,
  openInterestLimitBps: bigint,
  initialMarginFloorBps: bigint,
  insuranceShareBps: bigint,
];

/** Everything the replay knows. Times are unix seconds. */
export interface State {
  readonly settings: ReplaySettings;
  /** 10^(18 - decimals). */
  readonly baseScale: bigint;
  readonly quoteScale: bigint;
  /** Time of the block that is being replayed. */
  at: bigint;
  market: Market;
  ledgers: Ledgers;
  /** All quote that belongs to somebody. */
  accountedQuote: bigint;
  fundingIndexWad: bigint;
  fundingRateWad: bigint;
  lastSyncAt: bigint;
  lastSyncRound: bigint;
  skewReference: bigint;
  rebateableSkew: bigint;
  maintenanceSkewScaleWad: bigint;
  // risk state
  state: number;
  ratioState: number;
  recoveryState: number;
  stateSince: bigint;
  recoverySince: bigint;
  overdue: boolean;
  exposureGuarded: boolean;
  lowSince: bigint;
  bankruptAt: bigint;
  bankruptRounds: bigint;
  // band
  outsideSince: bigint;
  outsideLong: boolean;
  episodeOpen: boolean;
  outerBandWad: bigint;
  depthBaseWad: bigint;
  unwindCostPpm: bigint;
  hedgeRatePpm: bigint;
  hedge: { cost: bigint; notional: bigint; updatedAt: bigint };
  // losses
  badDebt: bigint;
  insuranceUsed: bigint;
  insuranceUsedAt: bigint;
  // the end
  settlement: Settlement;
  // parameters
  parameters: { from: Parameters; to: Parameters; reachedAt: bigint };
  // everybody
  readonly accounts: Map<string, Account>;
  readonly claims: Map<string, bigint>;
  readonly credits: Map<string, bigint>;
  readonly orders: Map<string, Order>;
  readonly locks: Map<string, { lockedShares: bigint; unlockAt: bigint }>;
  readonly shares: Map<string, bigint>;
  shareSupply: bigint;
  /** Deleveragings of longs and of shorts; the one of epoch 1 first. */
  readonly checkpoints: { readonly long: Checkpoint[]; readonly short: Checkpoint[] };
  /** What `advance` moved in this action, for the comparison with the log. */
  premiumEarned: bigint;
  incomeEarned: bigint;
  /** Equity at the price of this action when it opened, 18 decimals: what the action's own formulas scale with. */
  equityAtOpen: bigint;
  /** Equity before this action's time passed: only the references that follow use it. */
  stateBefore: number;
  /** Changes of the risk state in this transaction: before, afterwards, solvency ratio. */
  stateChanges: string[];
}

/** By the names of `IMarginPool.Settlement`, with the first report of a dead feed. */
export interface Settlement {
  priceWad: bigint;
  settledAt: bigint;
  finalizedAt: bigint;
  claimsTotal: bigint;
  valueTotal: bigint;
  basePot: bigint;
  quotePot: bigint;
  shareSupply: bigint;
  lateReserve: bigint;
  lateCash: bigint;
}

const DEFAULTS: Parameters = [500n, 6_000n, 400n, 1_000n];

/** A pool before its first log. */
export function emptyState(settings: ReplaySettings): State {
  const sigma = settings.initialVolatilityWad;
  return {
    settings,
    baseScale: 10n ** BigInt(18 - settings.baseDecimals),
    quoteScale: 10n ** BigInt(18 - settings.quoteDecimals),
    at: 0n,
    market: { price: 0n, sigma, sigmaMm: sigma, roundId: 0n, updatedAt: 0n },
    ledgers: {
      inventoryBase: 0n,
      inventoryQuote: 0n,
      longOpenInterest: 0n,
      shortOpenInterest: 0n,
      longEntryNotional: 0n,
      shortEntryNotional: 0n,
      longCollateral: 0n,
      shortCollateral: 0n,
      longAccrual: 0n,
      shortAccrual: 0n,
      skewPremium: 0n,
      pendingIncome: 0n,
      insuranceFund: 0n,
      unpaidClaims: 0n,
    },
    accountedQuote: 0n,
    fundingIndexWad: 0n,
    fundingRateWad: 0n,
    lastSyncAt: 0n,
    lastSyncRound: 0n,
    skewReference: 0n,
    rebateableSkew: 0n,
    maintenanceSkewScaleWad: 0n,
    state: NORMAL,
    ratioState: NORMAL,
    recoveryState: NORMAL,
    stateSince: 0n,
    recoverySince: 0n,
    overdue: false,
    exposureGuarded: false,
    lowSince: 0n,
    bankruptAt: 0n,
    bankruptRounds: 0n,
    outsideSince: 0n,
    outsideLong: false,
    episodeOpen: false,
    outerBandWad: 0n,
    depthBaseWad: 0n,
    unwindCostPpm: 0n,
    hedgeRatePpm: 0n,
    hedge: { cost: 0n, notional: 0n, updatedAt: 0n },
    badDebt: 0n,
    insuranceUsed: 0n,
    insuranceUsedAt: 0n,
    settlement: {
      priceWad: 0n,
      settledAt: 0n,
      finalizedAt: 0n,
      claimsTotal: 0n,
      valueTotal: 0n,
      basePot: 0n,
      quotePot: 0n,
      shareSupply: 0n,
      lateReserve: 0n,
      lateCash: 0n,
    },
    parameters: { from: DEFAULTS, to: DEFAULTS, reachedAt: 0n },
    accounts: new Map(),
    claims: new Map(),
    credits: new Map(),
    orders: new Map(),
    locks: new Map(),
    shares: new Map(),
    shareSupply: 0n,
    checkpoints: { long: [], short: [] },
    premiumEarned: 0n,
    incomeEarned: 0n,
    equityAtOpen: 0n,
    stateBefore: NORMAL,
    stateChanges: [],
  };
}

/** A copy whose clock can run on; accounts, orders and shares are shared. */
export const copyOf = (s: State): State => ({
  ...s,
  market: { ...s.market },
  ledgers: { ...s.ledgers },
  stateChanges: [],
});

export const skewOf = (s: State): bigint =>
  s.ledgers.longOpenInterest - s.ledgers.shortOpenInterest;

/** size x price in quote units toward minus infinity; signed like `size`. */
export const valueFloor = (s: State, size: bigint, price: bigint): bigint =>
  floorDiv(size * s.baseScale * price, WAD * s.quoteScale);

/** |size| x price in quote units, rounded up. */
export const valueCeil = (s: State, size: bigint, price: bigint): bigint =>
  ceilDiv(abs(size) * s.baseScale * price, WAD * s.quoteScale);

/** Half a quote token, escrowed with each order. */
export const executionFee = (s: State): bigint => WAD / s.quoteScale / 2n;

/** Adds to a map of amounts. */
export function add(amounts: Map<string, bigint>, key: string, amount: bigint): void {
  const sum = (amounts.get(key) ?? 0n) + amount;
  if (sum === 0n) amounts.delete(key);
  else amounts.set(key, sum);
}

/** Parameters at an instant: a day's straight line from the last setting to the next. */
export function parametersAt(s: State): Parameters {
  const { from, to, reachedAt } = s.parameters;
  const elapsed = s.at - (reachedAt - 86_400n);
  if (elapsed >= 86_400n) return to;
  const [a, b, c, d] = from.map((start, i) => start + ((to[i]! - start) * elapsed) / 86_400n);
  return [a!, b!, c!, d!];
}
