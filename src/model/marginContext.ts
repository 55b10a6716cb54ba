import { panic, revert } from "../math/revert.ts";
import type { Book } from "../math/solvencyMath.ts";
import type { Address } from "./calls.ts";
import type {
  Checkpoint,
  Distress,
  HotRecord,
  Ledgers,
  Position,
  ProtocolConfig,
  RiskState,
} from "./state.ts";
import type { Market } from "./volatilityOracle.ts";
import type { World } from "./world.ts";

const WAD = 10n ** 18n;
const MAXIMUM_BASE = 2n ** 111n - 1n;
/** Quote ledgers have 96 bits. */
export const MAXIMUM_QUOTE = 2n ** 96n - 1n;
const INT256_END = 2n ** 255n;
const MAXIMUM_UINT104 = 2n ** 104n - 1n;
const MAXIMUM_UINT24 = 2n ** 24n - 1n;
const MAXIMUM_INT112 = 2n ** 111n - 1n;
const MAXIMUM_INT96 = 2n ** 95n - 1n;
const MAXIMUM_INT128 = 2n ** 127n - 1n;
const MAXIMUM_UINT128 = 2n ** 128n - 1n;

/** Base token units at 18 decimals. Most bases have these already, and a product by one costs as much as any other. */
export function baseToWad(config: ProtocolConfig, amount: bigint): bigint {
  const { baseScale } = config;
  return baseScale === 1n ? amount : amount * baseScale;
}

/** 18-decimal base in token units, toward zero. */
export function wadToBase(config: ProtocolConfig, amountWad: bigint): bigint {
  const { baseScale } = config;
  return baseScale === 1n ? amountWad : amountWad / baseScale;
}

/**
 * Base x price, both 18 decimals, in quote token units, toward minus infinity. Two short divisions are faster than a long one.
 */
export function unitsDown(value: bigint, quoteScale: bigint): bigint {
  return value < 0n ? (value + 1n) / WAD / quoteScale - 1n : value / WAD / quoteScale;
}

/** The same toward plus infinity. */
export function unitsUp(value: bigint, quoteScale: bigint): bigint {
  return value > 0n ? (value - 1n) / WAD / quoteScale + 1n : value / WAD / quoteScale;
}

/** An empty account. */
export const NO_POSITION: Position = {
  size: 0n,
  entryNotional: 0n,
  collateral: 0n,
  fundingIndexWad: 0n,
  openedAt: 0n,
  epoch: 0n,
};

/**
 * One action's working copy of the margin pool: stored values, market, and what follows from them. The twin of
 * `MarginStorage.Context`; `load` and `store` are the constructor and `storeContext`.
 */
export class Context {
  readonly config: ProtocolConfig;
  market: Market;
  ledgers: Ledgers;
  accountedQuote: bigint;
  pausedUntil: bigint;
  fundingIndexWad: bigint;
  fundingRateWad: bigint;
  lastSyncAt: bigint;
  longEpoch: bigint;
  shortEpoch: bigint;
  maintenanceSkewScaleWad: bigint;
  outsideSince: bigint;
  stateSince: bigint;
  recoverySince: bigint;
  ratioState: RiskState;
  recoveryState: RiskState;
  outsideLong: boolean;
  episodeOpen: boolean;
  exposureGuarded: boolean;
  distressed: boolean;
  claimed: boolean;
  overdue: boolean;
  skewReference: bigint;
  rebateableSkew: bigint;
  roundMark: bigint;
  outerBandWad: bigint;
  depthBaseWad: bigint;
  unwindCostPpm: bigint;
  hedgeRatePpm: bigint;
  // derived, 18 decimals
  book: Book;
  price: bigint;
  equity = 0n;
  equityBid = 0n;
  /** w E / P: the base that LPs want without any skew. */
  ownInventory = 0n;
  /** 0.98 (q + b P), 1e36: over P it is the base that could be held. */
  possibleValue = 0n;
  targetInventory = 0n;
  netExposure = 0n;
  /** What a shock to the net exposure would cost. */
  shockLoss = 0n;
  required = 0n;
  solvencyRatioWad = 0n;
  state: RiskState = 0;
  stateBefore: RiskState = 0;
  distress: Distress = NO_DISTRESS;
  distressLoaded = false;
  premiumEarned = 0n;
  incomeEarned = 0n;
  advanced = false;
  // of `skewScale`, whose other arguments never change within an action
  skewScaleEquity = -1n;
  skewScale = 0n;

  /** Fills the working copy from the hot slots. */
  constructor(config: ProtocolConfig, hot: HotRecord, market: Market) {
    this.config = config;
    this.market = market;
    this.price = market.priceWad;
    const ledgers = hot.ledgers;
    this.ledgers = {
      inventoryBase: ledgers.inventoryBase,
      inventoryQuote: ledgers.inventoryQuote,
      longOpenInterest: ledgers.longOpenInterest,
      shortOpenInterest: ledgers.shortOpenInterest,
      longEntryNotional: ledgers.longEntryNotional,
      shortEntryNotional: ledgers.shortEntryNotional,
      longCollateral: ledgers.longCollateral,
      shortCollateral: ledgers.shortCollateral,
      longAccrual: ledgers.longAccrual,
      shortAccrual: ledgers.shortAccrual,
      skewPremium: ledgers.skewPremium,
      pendingIncome: ledgers.pendingIncome,
      insuranceFund: ledgers.insuranceFund,
      unpaidClaims: ledgers.unpaidClaims,
    };
    this.accountedQuote = hot.accountedQuote;
    this.pausedUntil = hot.pausedUntil;
    this.fundingIndexWad = hot.fundingIndexWad;
    this.fundingRateWad = hot.fundingRateWad;
    this.lastSyncAt = hot.lastSyncAt;
    this.longEpoch = hot.longEpoch;
    this.shortEpoch = hot.shortEpoch;
    this.maintenanceSkewScaleWad = hot.maintenanceSkewScaleWad;
    this.outsideSince = hot.outsideSince;
    this.stateSince = hot.stateSince;
    this.recoverySince = hot.recoverySince;
    this.ratioState = hot.ratioState;
    this.recoveryState = hot.recoveryState;
    this.outsideLong = hot.outsideLong;
    this.episodeOpen = hot.episodeOpen;
    this.exposureGuarded = hot.exposureGuarded;
    this.distressed = hot.distressed;
    this.claimed = hot.claimed;
    this.overdue = hot.overdue;
    this.skewReference = hot.skewReference;
    this.rebateableSkew = hot.rebateableSkew;
    this.roundMark = hot.roundMark;
    this.outerBandWad = hot.outerBandWad;
    this.depthBaseWad = hot.depthBaseWad;
    this.unwindCostPpm = hot.unwindCostPpm;
    this.hedgeRatePpm = hot.hedgeRatePpm;
    this.book = {
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
      unpaidClaims: 0n,
    };
  }
}

export const NO_DISTRESS: Distress = { lowSince: 0n, bankruptAt: 0n, bankruptRounds: 0n };

/**
 * Writes the working copy back, the band aside, which has its own slot. `MarginStorage.store`.
 *
 * @throws Revert MarginPool_LedgerOutOfBounds for what has outgrown its place
 */
export function storeContext(world: World, ctx: Context): void {
  const { ledgers } = ctx;
  // Both bounds are all ones: some amount passes one just where all of them together do.
  if (
    ledgers.inventoryBase > MAXIMUM_BASE ||
    ledgers.longOpenInterest > MAXIMUM_BASE ||
    ledgers.shortOpenInterest > MAXIMUM_BASE
  ) {
    const all = ledgers.inventoryBase | ledgers.longOpenInterest | ledgers.shortOpenInterest;
    revert("MarginPool_LedgerOutOfBounds", all, MAXIMUM_BASE);
  }
  if (
    ledgers.inventoryQuote > MAXIMUM_QUOTE ||
    ctx.accountedQuote > MAXIMUM_QUOTE ||
    ledgers.longEntryNotional > MAXIMUM_QUOTE ||
    ledgers.shortEntryNotional > MAXIMUM_QUOTE ||
    ledgers.longCollateral > MAXIMUM_QUOTE ||
    ledgers.shortCollateral > MAXIMUM_QUOTE ||
    ledgers.skewPremium > MAXIMUM_QUOTE ||
    ledgers.pendingIncome > MAXIMUM_QUOTE ||
    ledgers.insuranceFund > MAXIMUM_QUOTE ||
    ledgers.unpaidClaims > MAXIMUM_QUOTE
  ) {
    const all =
      ledgers.inventoryQuote |
      ctx.accountedQuote |
      ledgers.longEntryNotional |
      ledgers.shortEntryNotional |
      ledgers.longCollateral |
      ledgers.shortCollateral |
      ledgers.skewPremium |
      ledgers.pendingIncome |
      ledgers.insuranceFund |
      ledgers.unpaidClaims;
    revert("MarginPool_LedgerOutOfBounds", all, MAXIMUM_QUOTE);
  }
  requireInt(ctx.fundingIndexWad, MAXIMUM_INT112);
  requireInt(ledgers.longAccrual, MAXIMUM_INT96);
  requireInt(ledgers.shortAccrual, MAXIMUM_INT96);
  requireInt(ctx.skewReference, MAXIMUM_INT112);
  requireInt(ctx.rebateableSkew, MAXIMUM_INT112);
  if (ctx.claimed || ledgers.unpaidClaims !== 0n) ctx.claimed = ledgers.unpaidClaims !== 0n;
  const { hot } = world;
  world.hot = {
    ledgers,
    accountedQuote: ctx.accountedQuote,
    fundingIndexWad: ctx.fundingIndexWad,
    fundingRateWad: ctx.fundingRateWad,
    lastSyncAt: ctx.lastSyncAt,
    roundMark: ctx.roundMark,
    maintenanceSkewScaleWad: ctx.maintenanceSkewScaleWad,
    pausedUntil: ctx.pausedUntil,
    outsideSince: ctx.outsideSince,
    skewReference: ctx.skewReference,
    stateSince: ctx.stateSince,
    recoverySince: ctx.recoverySince,
    ratioState: ctx.ratioState,
    recoveryState: ctx.recoveryState,
    outsideLong: ctx.outsideLong,
    episodeOpen: ctx.episodeOpen,
    exposureGuarded: ctx.exposureGuarded,
    distressed: ctx.distressed,
    overdue: ctx.overdue,
    claimed: ctx.claimed,
    longEpoch: ctx.longEpoch,
    shortEpoch: ctx.shortEpoch,
    rebateableSkew: ctx.rebateableSkew,
    outerBandWad: hot.outerBandWad,
    depthBaseWad: hot.depthBaseWad,
    unwindCostPpm: hot.unwindCostPpm,
    hedgeRatePpm: hot.hedgeRatePpm,
  };
}

function requireInt(value: bigint, maximum: bigint): void {
  if (value > maximum || value < -maximum - 1n) revert("Overflow");
}

/** Stores the band; what is too wide for its place is cut to the widest there is room for. */
export function storeBand(
  world: World,
  outerBandWad: bigint,
  depthBaseWad: bigint,
  unwindCostPpm: bigint,
  hedgeRatePpm: bigint,
): void {
  world.hot = {
    ...world.hot,
    outerBandWad: capped(outerBandWad, MAXIMUM_UINT104),
    depthBaseWad: capped(depthBaseWad, MAXIMUM_UINT104),
    unwindCostPpm: capped(unwindCostPpm, MAXIMUM_UINT24),
    hedgeRatePpm: capped(hedgeRatePpm, MAXIMUM_UINT24),
  };
}

function capped(value: bigint, maximum: bigint): bigint {
  return value < maximum ? value : maximum;
}

// What changes where no action is open.

/** Changes the collateral behind one side. */
export function addCollateral(world: World, long: boolean, delta: bigint): void {
  const { ledgers } = world.hot;
  world.hot = {
    ...world.hot,
    ledgers: long
      ? { ...ledgers, longCollateral: added(ledgers.longCollateral, delta) }
      : { ...ledgers, shortCollateral: added(ledgers.shortCollateral, delta) },
  };
}

/** Changes what all quote ledgers are together. */
export function addAccounted(world: World, delta: bigint): void {
  world.hot = { ...world.hot, accountedQuote: added(world.hot.accountedQuote, delta) };
}

/** Adds to the insurance fund, token units. */
export function addInsurance(world: World, amount: bigint): bigint {
  const { ledgers } = world.hot;
  const insuranceFund = added(ledgers.insuranceFund, amount);
  world.hot = { ...world.hot, ledgers: { ...ledgers, insuranceFund } };
  return insuranceFund;
}

export function setPausedUntil(world: World, pausedUntil: bigint): void {
  world.hot = { ...world.hot, pausedUntil };
}

function added(ledger: bigint, delta: bigint): bigint {
  const next = ledger + delta;
  if (next >= INT256_END) panic(0x11n);
  // Below zero the contract sees what a negative number is in 256 bits.
  if (next < 0n) revert("MarginPool_LedgerOutOfBounds", BigInt.asUintN(256, next), MAXIMUM_QUOTE);
  if (next > MAXIMUM_QUOTE) revert("MarginPool_LedgerOutOfBounds", next, MAXIMUM_QUOTE);
  return next;
}

// Positions.

export function loadPosition(world: World, account: Address): Position {
  return world.positions.get(account) ?? NO_POSITION;
}

/** @throws Revert Overflow for what does not fit its place */
export function storePosition(world: World, account: Address, position: Position): void {
  requireInt(position.size, MAXIMUM_INT128);
  if (position.entryNotional > MAXIMUM_UINT128) revert("Overflow");
  if (position.collateral > MAXIMUM_QUOTE) revert("Overflow");
  requireInt(position.fundingIndexWad, MAXIMUM_INT112);
  world.positions.set(account, position);
}

export function checkpointOf(world: World, long: boolean, epoch: bigint): Checkpoint {
  const found = (long ? world.longCheckpoints : world.shortCheckpoints).get(epoch);
  return found ?? { scale: 0n, fundingIndexWad: 0n, cash: 0n };
}

/** `value` where Solidity's checked arithmetic keeps it an uint256; Panic(0x11) where it would be negative. */
export function unsigned(value: bigint): bigint {
  return value < 0n ? panic(0x11n) : value;
}
