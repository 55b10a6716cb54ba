import { accrue, targetRateWad } from "../math/fundingMath.ts";
import { revert } from "../math/revert.ts";
import {
  INCOME_TIME_CONSTANT,
  maintenanceSkewScale,
  referenceAfter,
  skewCap,
  skewScale as skewScaleAt,
} from "../math/skewMath.ts";
import {
  type Book,
  equity as equityAt,
  holdingsDown,
  MAXIMUM_AMOUNT,
  MAXIMUM_BASE_SHARE_WAD,
  scalingEquity,
  skew as skewOfBook,
  solvencyOf,
  solvencyRatioWad,
  wantedInventory,
} from "../math/solvencyMath.ts";
import { decayWeightWad, FLOOR_WAD } from "../math/volatilityMath.ts";
import type { Address } from "./calls.ts";
import { baseToWad, Context, storeContext, unitsDown, wadToBase } from "./marginContext.ts";
import { follow, shockLossOf, worse } from "./riskStates.ts";
import { type Ledgers, RiskState } from "./state.ts";
import {
  distanceFromAverage,
  type Market,
  preview as previewMarket,
  sync as syncMarket,
} from "./volatilityOracle.ts";
import type { World } from "./world.ts";

// The twin of MarginState.sol: the two steps around every action, `open` (load, bring up to now, judge) and `close` (judge, store).

const WAD = 10n ** 18n;
const UINT32_MASK = 2n ** 32n - 1n;
const MAXIMUM_UINT128 = 2n ** 128n - 1n;

/**
 * Loads, brings everything up to now and derives solvency.
 *
 * @throws Revert while the price is bad and once the pool is settled
 */
export function open(world: World): Context {
  requireAlive(world);
  const ctx = openAt(world, syncMarket(world));
  if (ctx.state === RiskState.Settled) {
    revert("MarginPool_IsSettled", ctx.market.priceWad, world.now);
  }
  return ctx;
}

/** `open` and `close` with nothing in between. This is how a bankrupt pool settles. */
export function sync(world: World, caller: Address): Context {
  requireAlive(world);
  const ctx = openAt(world, syncMarket(world));
  closeRefreshed(world, ctx, caller);
  return ctx;
}

/** The same without storing anything anywhere. A settled pool shows its frozen price. */
export function preview(world: World): Context {
  if (world.cold.settlement.settledAt !== 0n) return frozen(world);
  const ctx = openAt(world, previewMarket(world));
  trackBand(world, ctx);
  return ctx;
}

/** @throws Revert MarginPool_IsSettled */
export function requireAlive(world: World): void {
  if (world.hot.ratioState === RiskState.Settled) {
    const { priceWad, settledAt } = world.cold.settlement;
    revert("MarginPool_IsSettled", priceWad, settledAt);
  }
}

/** Loads and brings up to now at a market the caller has read. */
export function openAt(world: World, market: Market): Context {
  const ctx = new Context(world.config, world.hot, market);
  const last = world.lastContext;
  const { ledgers } = world.hot;
  const sameMoment = last !== undefined && holds(world, last, market);
  if (last !== undefined && sameMoment && sameButCollateral(last.ledgers, ledgers)) {
    copyBook(last.book, ctx.book);
    copyDerived(last, ctx);
    advance(world, ctx);
    if (last.ledgers !== ledgers) refreshCollateral(ctx);
  } else {
    if (last !== undefined && last.ledgers === ledgers) copyBook(last.book, ctx.book);
    else scale(ctx);
    advance(world, ctx);
    derive(ctx);
  }
  follow(world, ctx);
  return ctx;
}

/** Whether ledgers are equal but for the collateral behind positions, as a deposit of margin leaves them. */
function sameButCollateral(a: Readonly<Ledgers>, b: Readonly<Ledgers>): boolean {
  return (
    a === b ||
    (a.inventoryBase === b.inventoryBase &&
      a.inventoryQuote === b.inventoryQuote &&
      a.longOpenInterest === b.longOpenInterest &&
      a.shortOpenInterest === b.shortOpenInterest &&
      a.longEntryNotional === b.longEntryNotional &&
      a.shortEntryNotional === b.shortEntryNotional &&
      a.longAccrual === b.longAccrual &&
      a.shortAccrual === b.shortAccrual &&
      a.skewPremium === b.skewPremium &&
      a.pendingIncome === b.pendingIncome &&
      a.unpaidClaims === b.unpaidClaims)
  );
}

/** Whether what was derived from the same ledgers when the margin pool was last stored is what would be derived now. */
function holds(world: World, last: Context, market: Market): boolean {
  return (
    last.unwindCostPpm === world.hot.unwindCostPpm &&
    last.lastSyncAt === world.now &&
    last.market.priceWad === market.priceWad &&
    last.market.volatilityWad === market.volatilityWad
  );
}

function copyBook(from: Book, to: Book): void {
  to.inventoryBase = from.inventoryBase;
  to.inventoryQuote = from.inventoryQuote;
  to.longOpenInterest = from.longOpenInterest;
  to.shortOpenInterest = from.shortOpenInterest;
  to.longEntryNotional = from.longEntryNotional;
  to.shortEntryNotional = from.shortEntryNotional;
  to.longCollateral = from.longCollateral;
  to.shortCollateral = from.shortCollateral;
  to.longAccrual = from.longAccrual;
  to.shortAccrual = from.shortAccrual;
  to.skewPremium = from.skewPremium;
  to.pendingIncome = from.pendingIncome;
  to.unpaidClaims = from.unpaidClaims;
}

function copyDerived(from: Context, to: Context): void {
  to.equity = from.equity;
  to.equityBid = from.equityBid;
  to.ownInventory = from.ownInventory;
  to.possibleValue = from.possibleValue;
  to.targetInventory = from.targetInventory;
  to.netExposure = from.netExposure;
  to.shockLoss = from.shockLoss;
  to.required = from.required;
  to.solvencyRatioWad = from.solvencyRatioWad;
  if (to.depthBaseWad === from.depthBaseWad) {
    to.skewScaleEquity = from.skewScaleEquity;
    to.skewScale = from.skewScale;
  }
}

/** The working copy at one price, without time: for a settled pool, and for views while the price is bad. */
export function stillAt(world: World, priceWad: bigint): Context {
  const ctx = new Context(world.config, world.hot, {
    priceWad,
    lowerPriceWad: priceWad,
    upperPriceWad: priceWad,
    volatilityWad: FLOOR_WAD,
    maintenanceVolatilityWad: FLOOR_WAD,
    updatedAt: 0n,
    roundId: 0n,
    caughtUp: false,
  });
  refresh(ctx);
  ctx.state = ctx.ratioState;
  return ctx;
}

/** The working copy of a settled pool. */
export function frozen(world: World): Context {
  return stillAt(world, world.cold.settlement.priceWad);
}

/** Derives, follows state and exposure, and stores. */
export function close(world: World, ctx: Context, caller: Address): void {
  refresh(ctx);
  follow(world, ctx);
  closeRefreshed(world, ctx, caller);
}

/** The same for an action that has refreshed and followed after its last movement. */
export function closeRefreshed(world: World, ctx: Context, caller: Address): void {
  trackBand(world, ctx);
  storeContext(world, ctx);
  world.lastContext = ctx;
  if (ctx.distressLoaded) world.cold = { ...world.cold, distress: ctx.distress };
  if (ctx.advanced) {
    world.emit("marginPool", "Synced", {
      indexPriceWad: ctx.market.priceWad,
      roundId: ctx.market.roundId,
      premiumEarned: ctx.premiumEarned,
      incomeEarned: ctx.incomeEarned,
    });
  }
  if (ctx.state !== ctx.stateBefore) {
    world.emit("marginPool", "RiskStateChanged", {
      before: ctx.stateBefore,
      afterwards: ctx.state,
      solvencyRatioWad: ctx.solvencyRatioWad,
    });
    if (ctx.state === RiskState.Settled) freeze(world, ctx.market.priceWad, caller);
  }
}

/** Freezes the price for good. The state itself is the caller's to store. */
export function freeze(world: World, priceWad: bigint, caller: Address): void {
  world.cold = {
    ...world.cold,
    settlement: { ...world.cold.settlement, priceWad, settledAt: world.now },
  };
  world.emit("marginPool", "SettlementStarted", { caller, priceWad });
}

/** Time passes: funding accrues, income is earned, references follow; a new round makes all skew old. */
function advance(world: World, ctx: Context): void {
  ctx.stateBefore = worse(ctx);
  const mark = ctx.market.roundId & UINT32_MASK;
  if (mark !== ctx.roundMark) {
    ctx.roundMark = mark;
    ctx.rebateableSkew = skewOf(ctx.ledgers);
    ctx.advanced = true;
  }
  const elapsed = world.now - ctx.lastSyncAt;
  if (elapsed === 0n) return;
  ctx.advanced = true;
  ctx.lastSyncAt = world.now;
  ctx.equity = equityAt(ctx.book, ctx.price);
  const equity = scalingEquity(ctx.equity);
  const skew = skewOfBook(ctx.book);
  accrueFunding(ctx, skew, skewCap(equity, ctx.price), elapsed);
  earnIncome(ctx, elapsed);
  const { config } = ctx;
  const reference = baseToWad(config, ctx.skewReference);
  ctx.skewReference = wadToBase(
    config,
    referenceAfter(reference, skew, equity, ctx.price, elapsed),
  );
  const next = maintenanceSkewScale(ctx.maintenanceSkewScaleWad, skewScale(ctx), elapsed);
  ctx.maintenanceSkewScaleWad = next > MAXIMUM_UINT128 ? MAXIMUM_UINT128 : next;
}

/** Longs pay dF per base, shorts receive it, the pool receives K dF through the sides' accruals; each rounded down. */
function accrueFunding(ctx: Context, skew: bigint, cap: bigint, elapsed: bigint): void {
  const [accrualWad, nextRateWad] = accrue(ctx.fundingRateWad, targetRateWad(skew, cap), elapsed);
  const perBase = (accrualWad * ctx.price) / WAD;
  ctx.fundingRateWad = nextRateWad;
  ctx.fundingIndexWad += perBase;
  const { ledgers, book } = ctx;
  const { quoteScale } = ctx.config;
  ledgers.longAccrual += unitsDown(book.longOpenInterest * perBase, quoteScale);
  ledgers.shortAccrual += unitsDown(-book.shortOpenInterest * perBase, quoteScale);
  book.longAccrual = ledgers.longAccrual * quoteScale;
  book.shortAccrual = ledgers.shortAccrual * quoteScale;
}

/** J and S flow into q with time constant T_k. */
function earnIncome(ctx: Context, elapsed: bigint): void {
  const { ledgers, book } = ctx;
  const { quoteScale } = ctx.config;
  const weight = decayWeightWad(elapsed, INCOME_TIME_CONSTANT);
  const premium = (ledgers.skewPremium * weight) / WAD;
  const income = (ledgers.pendingIncome * weight) / WAD;
  ledgers.skewPremium -= premium;
  ledgers.pendingIncome -= income;
  ledgers.inventoryQuote += premium + income;
  ctx.premiumEarned = premium;
  ctx.incomeEarned = income;
  book.skewPremium = ledgers.skewPremium * quoteScale;
  book.pendingIncome = ledgers.pendingIncome * quoteScale;
  book.inventoryQuote = ledgers.inventoryQuote * quoteScale;
}

/** What must not leave a worse state than it found reverts when it did. */
export function requireNotWorse(ctx: Context, before: RiskState): void {
  if (ctx.state > before) {
    revert("MarginPool_StateWorse", before, ctx.state, ctx.solvencyRatioWad);
  }
}

/** @throws Revert MarginPool_Paused */
export function requireNotPaused(world: World, ctx: Context): void {
  if (world.now < ctx.pausedUntil) revert("MarginPool_Paused", ctx.pausedUntil);
}

/** Skew that rises and shares that change hands want the pool's average price near the index. */
export function requireNearAverage(world: World, ctx: Context): void {
  const { priceWad, volatilityWad } = ctx.market;
  const { distanceWad, allowedWad } = distanceFromAverage(world, priceWad, volatilityWad);
  if (distanceWad > allowedWad) {
    revert("MarginPool_PriceFarFromAverage", priceWad, distanceWad, allowedWad);
  }
}

/** Derives book, equity, exposure and required capital from the ledgers. */
export function refresh(ctx: Context): void {
  scale(ctx);
  derive(ctx);
}

/** `refresh` after nothing but the collateral behind positions has changed. */
export function refreshCollateral(ctx: Context): void {
  const { book, ledgers } = ctx;
  const { quoteScale } = ctx.config;
  book.longCollateral = ledgers.longCollateral * quoteScale;
  book.shortCollateral = ledgers.shortCollateral * quoteScale;
  if (book.longCollateral >= MAXIMUM_AMOUNT || book.shortCollateral >= MAXIMUM_AMOUNT) {
    revert("MarginPool_AmountOutOfBounds", allOf(book), MAXIMUM_AMOUNT);
  }
  judge(ctx);
}

function derive(ctx: Context): void {
  judge(ctx);
  const { book, price } = ctx;
  // b* in two parts that do not depend on the skew, which fills try others of.
  ctx.ownInventory = wantedInventory(0n, price, ctx.equity, ctx.config.weightWad);
  ctx.possibleValue = MAXIMUM_BASE_SHARE_WAD * holdingsDown(book, price);
  ctx.targetInventory = targetAt(ctx, skewOfBook(book));
  ctx.netExposure = book.inventoryBase - ctx.targetInventory;
  ctx.shockLoss = shockLossOf(ctx);
}

/** Equity, also at its worst, required capital and their ratio. */
function judge(ctx: Context): void {
  const { market } = ctx;
  const { equity, equityBid, required } = solvencyOf(
    ctx.book,
    ctx.price,
    market.lowerPriceWad,
    market.upperPriceWad,
    market.volatilityWad,
    ctx.unwindCostPpm,
  );
  ctx.equity = equity;
  ctx.equityBid = equityBid;
  ctx.required = required;
  ctx.solvencyRatioWad = solvencyRatioWad(equityBid, required);
}

/** Token units to 18 decimals. */
function scale(ctx: Context): void {
  const { book, ledgers } = ctx;
  const { config } = ctx;
  const { quoteScale } = config;
  book.inventoryBase = baseToWad(config, ledgers.inventoryBase);
  book.inventoryQuote = ledgers.inventoryQuote * quoteScale;
  book.longOpenInterest = baseToWad(config, ledgers.longOpenInterest);
  book.shortOpenInterest = baseToWad(config, ledgers.shortOpenInterest);
  book.longEntryNotional = ledgers.longEntryNotional * quoteScale;
  book.shortEntryNotional = ledgers.shortEntryNotional * quoteScale;
  book.longCollateral = ledgers.longCollateral * quoteScale;
  book.shortCollateral = ledgers.shortCollateral * quoteScale;
  book.skewPremium = ledgers.skewPremium * quoteScale;
  book.pendingIncome = ledgers.pendingIncome * quoteScale;
  book.unpaidClaims = ledgers.unpaidClaims * quoteScale;
  book.longAccrual = ledgers.longAccrual * quoteScale;
  book.shortAccrual = ledgers.shortAccrual * quoteScale;
  // The bound is a power of two: some amount reaches it just where all of them together do.
  if (
    book.inventoryBase >= MAXIMUM_AMOUNT ||
    book.inventoryQuote >= MAXIMUM_AMOUNT ||
    book.longOpenInterest >= MAXIMUM_AMOUNT ||
    book.shortOpenInterest >= MAXIMUM_AMOUNT ||
    book.longEntryNotional >= MAXIMUM_AMOUNT ||
    book.shortEntryNotional >= MAXIMUM_AMOUNT ||
    book.longCollateral >= MAXIMUM_AMOUNT ||
    book.shortCollateral >= MAXIMUM_AMOUNT ||
    book.skewPremium >= MAXIMUM_AMOUNT ||
    book.pendingIncome >= MAXIMUM_AMOUNT ||
    book.unpaidClaims >= MAXIMUM_AMOUNT ||
    magnitude(book.longAccrual) >= MAXIMUM_AMOUNT ||
    magnitude(book.shortAccrual) >= MAXIMUM_AMOUNT
  ) {
    // The contract's words wrap at 256 bits. What passes then is still too large to be stored.
    const all = BigInt.asUintN(256, allOf(book));
    if (all >= MAXIMUM_AMOUNT) revert("MarginPool_AmountOutOfBounds", all, MAXIMUM_AMOUNT);
  }
}

/** Every bit that some amount has. */
function allOf(book: Book): bigint {
  const { longAccrual, shortAccrual, ...amounts } = book;
  return Object.values(amounts).reduce(
    (all: bigint, amount: bigint) => all | amount,
    magnitude(longAccrual) | magnitude(shortAccrual),
  );
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** b* if the skew were `skew`, all else as it is. 18 decimals. */
export function targetAt(ctx: Context, skew: bigint): bigint {
  const wanted = skew + ctx.ownInventory;
  if (wanted <= 0n) return 0n;
  // A product costs less than the division that it mostly saves.
  return wanted * ctx.price <= ctx.possibleValue ? wanted : ctx.possibleValue / ctx.price;
}

/** skewScale at the volatility of now and the cached depth, base, 18 decimals. */
export function skewScale(ctx: Context): bigint {
  if (ctx.equity !== ctx.skewScaleEquity) {
    ctx.skewScaleEquity = ctx.equity;
    ctx.skewScale = skewScaleAt(
      scalingEquity(ctx.equity),
      ctx.price,
      ctx.market.volatilityWad,
      ctx.depthBaseWad,
    );
  }
  return ctx.skewScale;
}

/**
 * An episode opens when |D| > h_out in a block after the one in which that was first seen, and closes at |D| <= h_in or when D changes
 * sign.
 */
function trackBand(world: World, ctx: Context): void {
  const size = magnitude(ctx.netExposure);
  const isLong = ctx.netExposure > 0n;
  const sameSide = ctx.outsideSince !== 0n && ctx.outsideLong === isLong;
  if (ctx.episodeOpen && sameSide && size > ctx.outerBandWad / 2n) return;
  if (size <= ctx.outerBandWad) {
    ctx.outsideSince = 0n;
    ctx.episodeOpen = false;
  } else if (!sameSide || ctx.episodeOpen) {
    ctx.outsideSince = world.now;
    ctx.outsideLong = isLong;
    ctx.episodeOpen = false;
  } else {
    ctx.episodeOpen = world.now > ctx.outsideSince;
  }
}

/** K, base token units. */
export function skewOf(ledgers: Ledgers): bigint {
  return ledgers.longOpenInterest - ledgers.shortOpenInterest;
}

/** What everybody outside computes with. See `IMarginPool.Snapshot`; 18 decimals. */
export interface Snapshot {
  readonly indexPriceWad: bigint;
  readonly volatilityWad: bigint;
  readonly roundId: bigint;
  readonly caughtUp: boolean;
  readonly equityWad: bigint;
  readonly equityBidWad: bigint;
  readonly inventoryBaseWad: bigint;
  readonly availableQuoteWad: bigint;
  readonly skewWad: bigint;
  readonly targetInventoryBaseWad: bigint;
  readonly netExposureWad: bigint;
  readonly requiredCapitalWad: bigint;
  readonly solvencyRatioWad: bigint;
  readonly riskState: RiskState;
  readonly outerBandWad: bigint;
  readonly depthBaseWad: bigint;
  readonly unwindCostPpm: bigint;
  readonly outsideSince: bigint;
  readonly episodeOpen: boolean;
  readonly hedgeRatePpm: bigint;
}

export function snapshotOf(ctx: Context): Snapshot {
  const available = ctx.book.inventoryQuote - ctx.book.unpaidClaims;
  return {
    indexPriceWad: ctx.market.priceWad,
    volatilityWad: ctx.market.volatilityWad,
    roundId: ctx.market.roundId,
    caughtUp: ctx.market.caughtUp,
    equityWad: ctx.equity,
    equityBidWad: ctx.equityBid,
    inventoryBaseWad: ctx.book.inventoryBase,
    availableQuoteWad: available > 0n ? available : 0n,
    skewWad: skewOfBook(ctx.book),
    targetInventoryBaseWad: ctx.targetInventory,
    netExposureWad: ctx.netExposure,
    requiredCapitalWad: ctx.required,
    solvencyRatioWad: ctx.solvencyRatioWad,
    riskState: ctx.state,
    outerBandWad: ctx.outerBandWad,
    depthBaseWad: ctx.depthBaseWad,
    unwindCostPpm: ctx.unwindCostPpm,
    outsideSince: ctx.outsideSince,
    episodeOpen: ctx.episodeOpen,
    hedgeRatePpm: ctx.hedgeRatePpm,
  };
}
