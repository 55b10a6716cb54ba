import { fullMulDivUp, mulWad, mulWadUp } from "../math/fixedPoint.ts";
import {
  liquidation as planLiquidation,
  restoredRatioWad,
  withdrawalRatioWad,
} from "../math/marginMath.ts";
import { HEDGE_PRIOR_WAD, HEDGE_TIME_CONSTANT, hedgeRatePpm } from "../math/rebalanceMath.ts";
import { panic, revert } from "../math/revert.ts";
import { divCeil, divFloor, mulWadFloor } from "../math/signedWadMath.ts";
import { equityAsk, scalingEquity } from "../math/solvencyMath.ts";
import { decayWeightWad } from "../math/volatilityMath.ts";
import type { Address, Calls } from "./calls.ts";
import type { Account } from "./marginAccount.ts";
import * as accounts from "./marginAccount.ts";
import { addAccounted, type Context, loadPosition, storeBand } from "./marginContext.ts";
import * as ledger from "./marginLedger.ts";
import { load as loadParameters, type Values } from "./marginParameters.ts";
import {
  close,
  open,
  preview,
  requireNotWorse,
  type Snapshot,
  skewOf,
  snapshotOf,
  sync as syncState,
} from "./marginState.ts";
import { NORMAL_RATIO_WAD } from "./riskStates.ts";
import type { RiskState } from "./state.ts";
import type { World } from "./world.ts";

// The twin of RiskLogic.sol: liquidation, margin withdrawal, and the pool as a whole.

const WAD = 10n ** 18n;
const KEEPER_CAP_QUOTE = 50n;
const INSURANCE_SHARE_BPS = 7_000n;
const DUST_QUOTE = 500n;
const MAXIMUM_UINT112 = 2n ** 112n - 1n;
const MAXIMUM_INT255 = 2n ** 255n;

/** One liquidation. See `IMarginPool.Liquidation`; token units. */
export interface Liquidation {
  closed: bigint;
  size: bigint;
  entryNotional: bigint;
  collateral: bigint;
  indexPriceWad: bigint;
  roundId: bigint;
  equity: bigint;
  penalty: bigint;
  keeperReward: bigint;
  badDebt: bigint;
  paidByInsurance: bigint;
}

/** Closes as much of an account below its maintenance margin as restores it, or all of it. `IMarginPool.liquidate`. */
export function liquidate(
  world: World,
  caller: Address,
  { account }: Calls["marginPool"]["liquidate"],
): void {
  const ctx = open(world);
  const a = accounts.load(world, ctx, account);
  if (a.size === 0n) revert("MarginPool_NoPosition", account);
  if (a.openedAt === world.now) revert("MarginPool_OpenedThisBlock", account, a.openedAt);
  const { liquidation, closed } = plan(ctx, account, a);
  closePart(world, ctx, caller, account, a, liquidation, closed);
  close(world, ctx, caller);
  world.emit("marginPool", "Liquidated", {
    account,
    liquidator: caller,
    liquidation: { ...liquidation },
  });
}

/** How much is closed (signed like the position), at what penalty. */
function plan(
  ctx: Context,
  account: Address,
  a: Account,
): { readonly liquidation: Liquidation; readonly closed: bigint } {
  const { config, market } = ctx;
  const notional = accounts.notionalUp(config, a.size, market.priceWad);
  const ratio = accounts.maintenanceRatioWad(ctx, a.size);
  const maintenance = mulWadUp(notional, ratio);
  const equity = accounts.equityOf(ctx, a);
  if (equity >= maintenance) revert("MarginPool_NotLiquidatable", account, equity, maintenance);
  const unit = WAD / config.quoteScale;
  const [part, penalty] = planLiquidation(
    equity > 0n ? equity : 0n,
    notional,
    ratio,
    restoredRatioWad(ratio, market.maintenanceVolatilityWad),
    DUST_QUOTE * unit,
  );
  const liquidation: Liquidation = {
    closed: 0n,
    size: 0n,
    entryNotional: 0n,
    collateral: 0n,
    indexPriceWad: market.priceWad,
    roundId: market.roundId,
    equity,
    penalty,
    keeperReward: 0n,
    badDebt: 0n,
    paidByInsurance: 0n,
  };
  if (part >= notional) return { liquidation, closed: a.size };
  const size = a.size < 0n ? -a.size : a.size;
  const least = fullMulDivUp(size, part, notional);
  const closed = a.size < 0n ? -least : least;
  // What is owed must be paid now, in cash; where that takes the profit of the rest too, nothing is left open.
  const cash = a.collateral - a.owed + profitOf(ctx, a, closed);
  if (cash >= liquidation.penalty) return { liquidation, closed };
  const whole = fullMulDivUp(liquidation.penalty, notional, part);
  const most = BigInt.asUintN(256, equity);
  liquidation.penalty = whole < most ? whole : most;
  return { liquidation, closed: a.size };
}

/** Profit of a part of the position at the index price, rounded down. */
function profitOf(ctx: Context, a: Account, closed: bigint): bigint {
  return accounts.profitDown(ctx.config, closed, accounts.entryOf(a, closed), ctx.market.priceWad);
}

/** Closes at the index price, free of fees and premium. What the trader cannot pay is bad debt. */
function closePart(
  world: World,
  ctx: Context,
  caller: Address,
  account: Address,
  a: Account,
  liquidation: Liquidation,
  closed: bigint,
): void {
  const { ledgers } = ctx;
  const before = accounts.copy(a);
  const gain = profitOf(ctx, a, closed) - ledger.settleOwed(ledgers, a);
  if (closed === a.size && liquidation.equity < 0n) liquidation.badDebt = -liquidation.equity;
  a.entryNotional -= accounts.entryOf(before, closed);
  a.size -= closed;
  if (a.size === 0n) a.openedAt = 0n;
  if (gain > 0n) ledger.payTrader(ledgers, a, gain);
  else ledger.collectLoss(ledgers, a, unsignedDifference(-gain, liquidation.badDebt));

  if (liquidation.penalty > a.collateral) liquidation.penalty = a.collateral;
  const cap = KEEPER_CAP_QUOTE * (WAD / ctx.config.quoteScale);
  liquidation.keeperReward = liquidation.penalty < cap ? liquidation.penalty : cap;
  a.collateral -= liquidation.penalty;
  ledger.bookFee(ledgers, liquidation.penalty - liquidation.keeperReward, INSURANCE_SHARE_BPS);
  if (liquidation.keeperReward !== 0n) {
    world.credits.set(caller, (world.credits.get(caller) ?? 0n) + liquidation.keeperReward);
  }

  const skewBefore = skewOf(ledgers);
  ledger.moveAccount(ledgers, before, a);
  ledger.dropPremium(ctx, skewBefore);
  if (liquidation.badDebt !== 0n) {
    liquidation.paidByInsurance = ledger.coverBadDebt(world, ledgers, liquidation.badDebt);
  }
  accounts.store(world, ctx, account, a);
  liquidation.closed = closed;
  liquidation.size = a.size;
  liquidation.entryNotional = a.entryNotional;
  liquidation.collateral = a.collateral;
}

function unsignedDifference(a: bigint, b: bigint): bigint {
  return a < b ? panic(0x11n) : a - b;
}

/**
 * Takes margin out, the transfer aside, which is the caller's. `IMarginPool.withdrawMargin`.
 */
export function withdrawMargin(world: World, account: Address, amount: bigint): void {
  const stored = loadPosition(world, account);
  const reserved = world.orders.get(account)?.reservedMargin ?? 0n;
  const available = stored.collateral > reserved ? stored.collateral - reserved : 0n;
  if (amount > available) {
    revert("MarginPool_InsufficientFreeMargin", account, amount, available);
  }
  const collateral = stored.collateral - amount;
  if (stored.size === 0n) {
    accounts.setCollateral(world, account, collateral);
    addAccounted(world, -amount);
  } else {
    const ctx = open(world);
    const a = accounts.load(world, ctx, account);
    a.collateral = collateral;
    requireWithdrawable(ctx, loadParameters(world), account, a);
    const stateBefore: RiskState = ctx.state;
    const ratioBefore = ctx.solvencyRatioWad;
    const { size, backingDelta } = accounts.setCollateral(world, account, collateral);
    ledger.moveBacking(ctx.ledgers, size, backingDelta);
    ledger.paid(ctx, amount);
    close(world, ctx, account);
    requireNotWorse(ctx, stateBefore);
    requireNotShort(ctx, ratioBefore);
  }
  world.emit("marginPool", "MarginWithdrawn", { account, amount, collateral });
}

/** Margin behind positions counts in the solvency ratio. Where that is below Normal's it stays. */
function requireNotShort(ctx: Context, ratioBefore: bigint): void {
  const ratio = ctx.solvencyRatioWad;
  if (ratio < ratioBefore && ratio < NORMAL_RATIO_WAD) {
    revert("MarginPool_SolvencyLowered", ratioBefore, ratio);
  }
}

/** max(2 IMR, 10 %) of notional stays, in equity and in cash: profit that is not realized does not count. */
function requireWithdrawable(ctx: Context, parameters: Values, account: Address, a: Account): void {
  const { ratioWad } = accounts.initialMargin(ctx, parameters, a.size);
  const needed = mulWadUp(
    accounts.notionalUp(ctx.config, a.size, ctx.market.priceWad),
    withdrawalRatioWad(ratioWad),
  );
  const cash = a.collateral - (a.owed > 0n ? a.owed : 0n);
  const equity = accounts.equityOf(ctx, a);
  const counted = equity < cash ? equity : cash;
  if (counted < needed) revert("MarginPool_InsufficientMargin", account, counted, needed);
}

/** Price, volatility, funding and income brought up to now. `IMarginPool.sync`. */
export function sync(world: World, caller: Address): Snapshot {
  return snapshotOf(syncState(world, caller));
}

/** Books a trade of inventory with the constant-product pool, token units, and says what it left behind. */
export function moveInventory(
  world: World,
  caller: Address,
  baseDelta: bigint,
  quoteDelta: bigint,
): Snapshot {
  const ctx = open(world);
  ctx.ledgers.inventoryBase = plus(ctx.ledgers.inventoryBase, baseDelta);
  ctx.ledgers.inventoryQuote = plus(ctx.ledgers.inventoryQuote, quoteDelta);
  if (quoteDelta > 0n) ledger.received(ctx, quoteDelta);
  else ledger.paid(ctx, -quoteDelta);
  learnHedgeRate(world, ctx, baseDelta, quoteDelta);
  close(world, ctx, caller);
  world.emit("marginPool", "PoolTraded", {
    baseDelta,
    quoteDelta,
    indexPriceWad: ctx.market.priceWad,
    hedgeRatePpm: ctx.hedgeRatePpm,
  });
  return snapshotOf(ctx);
}

function plus(amount: bigint, delta: bigint): bigint {
  if (delta < 0n && amount < -delta) revert("MarginPool_InventoryShort", amount, -delta);
  const sum = amount + delta;
  return sum >= MAXIMUM_INT255 ? panic(0x11n) : sum;
}

/** phi: oracle value given up per quote hedged, averaged over a day by notional. */
function learnHedgeRate(world: World, ctx: Context, baseDelta: bigint, quoteDelta: bigint): void {
  const { cold } = world;
  const faded = decayWeightWad(world.now - cold.hedgeUpdatedAt, HEDGE_TIME_CONSTANT);
  const { priceWad } = ctx.market;
  const given = -accounts.valueDown(ctx.config, baseDelta, priceWad) - quoteDelta;
  const notional = accounts.notionalUp(ctx.config, baseDelta, priceWad);
  const hedgeCost = (given > 0n ? given : 0n) + cold.hedgeCost - mulWad(cold.hedgeCost, faded);
  const hedgeNotional = notional + cold.hedgeNotional - mulWad(cold.hedgeNotional, faded);
  if (hedgeCost > MAXIMUM_UINT112 || hedgeNotional > MAXIMUM_UINT112) revert("Overflow");
  world.cold = { ...cold, hedgeCost, hedgeNotional, hedgeUpdatedAt: world.now };
  const prior = mulWadFloor(HEDGE_PRIOR_WAD, scalingEquity(ctx.equity)) / ctx.config.quoteScale;
  ctx.hedgeRatePpm = hedgeRatePpm(
    hedgeCost,
    hedgeNotional,
    ctx.unwindCostPpm,
    prior > 1n ? prior : 1n,
  );
  storeBand(world, ctx.outerBandWad, ctx.depthBaseWad, ctx.unwindCostPpm, ctx.hedgeRatePpm);
}

/** What `sync` would return now. `IMarginPool.snapshot`. */
export function viewSnapshot(world: World): Snapshot {
  return snapshotOf(preview(world));
}

/** The pool's solvency at a glance, token units. See `IMarginPool.PoolState`. */
export interface PoolState {
  readonly equity: bigint;
  readonly equityBid: bigint;
  readonly equityAsk: bigint;
  readonly skew: bigint;
  readonly netExposureBase: bigint;
  readonly targetInventoryBase: bigint;
  readonly requiredEquity: bigint;
  readonly solvencyRatioWad: bigint;
  readonly riskState: RiskState;
}

/** `IMarginPool.poolState`. */
export function viewPool(world: World): PoolState {
  return poolStateOf(preview(world));
}

/** The same of a context that is at hand. */
export function poolStateOf(ctx: Context): PoolState {
  const { baseScale, quoteScale } = ctx.config;
  const { lowerPriceWad, upperPriceWad } = ctx.market;
  return {
    equity: divFloor(ctx.equity, quoteScale),
    equityBid: divFloor(ctx.equityBid, quoteScale),
    equityAsk: divCeil(equityAsk(ctx.book, lowerPriceWad, upperPriceWad), quoteScale),
    skew: skewOf(ctx.ledgers),
    netExposureBase: ctx.netExposure / baseScale,
    targetInventoryBase: ctx.targetInventory / baseScale,
    requiredEquity: divCeil(ctx.required, quoteScale),
    solvencyRatioWad: ctx.solvencyRatioWad,
    riskState: ctx.state,
  };
}

/** A position at the current price. See `IMarginPool.PositionView`. */
export interface PositionView {
  readonly size: bigint;
  readonly entryNotional: bigint;
  readonly collateral: bigint;
  readonly unrealizedProfit: bigint;
  readonly fundingOwed: bigint;
  readonly equity: bigint;
  readonly maintenanceMargin: bigint;
  readonly initialMargin: bigint;
  readonly liquidatable: boolean;
}

/** `IMarginPool.position`. */
export function viewPosition(world: World, account: Address): PositionView {
  const ctx = preview(world);
  const a = accounts.load(world, ctx, account);
  const equity = accounts.equityOf(ctx, a);
  const maintenanceMargin = accounts.maintenanceMargin(ctx, a.size);
  return {
    size: a.size,
    entryNotional: a.entryNotional,
    collateral: a.collateral,
    unrealizedProfit: accounts.profitDown(ctx.config, a.size, a.entryNotional, ctx.market.priceWad),
    fundingOwed: a.owed,
    equity,
    maintenanceMargin,
    initialMargin: accounts.initialMargin(ctx, loadParameters(world), a.size).margin,
    liquidatable: a.size !== 0n && equity < maintenanceMargin,
  };
}
