import { divUp, fullMulDivUp, mulWadUp } from "../math/fixedPoint.ts";
import { innerBand } from "../math/rebalanceMath.ts";
import { type ContractError, revert } from "../math/revert.ts";
import { divCeil, mulWadFloor, oppositeSigns } from "../math/signedWadMath.ts";
import {
  builds,
  hedgeChargeUp,
  leastSkewScale,
  premium as premiumOf,
  SPEED_LIMIT_WAD,
  speedLimited,
} from "../math/skewMath.ts";
import { holdingsDown, scalingEquity, traderProfitUp } from "../math/solvencyMath.ts";
import type { Address } from "./calls.ts";
import type { Account } from "./marginAccount.ts";
import * as accounts from "./marginAccount.ts";
import { baseToWad, type Context, wadToBase } from "./marginContext.ts";
import * as ledger from "./marginLedger.ts";
import type { Values } from "./marginParameters.ts";
import {
  refresh,
  requireNearAverage,
  requireNotPaused,
  skewOf,
  skewScale,
  targetAt,
} from "./marginState.ts";
import { follow } from "./riskStates.ts";
import { type Order, RiskState } from "./state.ts";
import type { World } from "./world.ts";

// The twin of OrderFill.sol: one fill, how much, at what price, within which limits, and what it does to account and ledgers.

const WAD = 10n ** 18n;
const PPM = 1_000_000n;
const GUARDED_MARGIN_WAD = 1_250000000000000000n;
const AFFORDABLE_WAD = 900000000000000000n;
const SMALLEST_PART_WAD = 10000000000000000n;
const SMALLEST_PART_QUOTE = 500_000000000000000000n;

/** How a fill comes about. See `IMarginPool.Fill`; quote token units but for size and price. */
export interface Fill {
  sizeDelta: bigint;
  fillPriceWad: bigint;
  realizedProfit: bigint;
  fundingPaid: bigint;
  premium: bigint;
  takerFee: bigint;
  hedgeCharge: bigint;
}

/** A fill of nothing. */
export function noFill(): Fill {
  return {
    sizeDelta: 0n,
    fillPriceWad: 0n,
    realizedProfit: 0n,
    fundingPaid: 0n,
    premium: 0n,
    takerFee: 0n,
    hedgeCharge: 0n,
  };
}

/** One fill while it is being computed, token units unless the name says otherwise. */
interface Draft {
  sizeDelta: bigint;
  skewBefore: bigint;
  skewAfter: bigint;
  raisesSkew: boolean;
  opens: boolean;
  sidePriceWad: bigint;
  notional: bigint;
  premiumPaid: bigint;
  premiumBooked: bigint;
  premiumKept: bigint;
  rebate: bigint;
  gain: bigint;
  stateBefore: RiskState;
}

type Failure = ContractError | undefined;

/** What came of an order. `moved` says whether context and account are no longer as they were. */
export interface Computed {
  readonly fill: Fill;
  readonly failure: Failure;
  readonly moved: boolean;
}

/**
 * Fills what can be filled of `o`, in `ctx` and `a`.
 *
 * @returns the fill, or the error for which the order is to be removed
 * @throws Revert for what waiting can cure (speed limit, volatility behind, pause): the order stays queued
 */
export function compute(
  world: World,
  ctx: Context,
  parameters: Values,
  account: Address,
  a: Account,
  o: Order,
): Computed {
  const fill = noFill();
  const d = newDraft(ctx.state);
  let failure = size(ctx, a, o, d);
  if (failure !== undefined) return { fill, failure, moved: false };
  if (d.opens) {
    requireNotPaused(world, ctx);
    if (d.raisesSkew) requireNearAverage(world, ctx);
  }
  const before = accounts.copy(a);
  price(ctx, parameters, d, fill);
  const acceptable =
    d.sizeDelta > 0n
      ? fill.fillPriceWad <= o.acceptablePriceWad
      : fill.fillPriceWad >= o.acceptablePriceWad;
  if (!acceptable) {
    failure = failed("MarginPool_PriceNotAcceptable", fill.fillPriceWad, o.acceptablePriceWad);
    return { fill, failure, moved: false };
  }
  failure = limits(ctx, parameters, before, d);
  if (failure !== undefined) return { fill, failure, moved: false };

  updatePosition(world, ctx, a, d, fill);
  failure = settleCash(ctx, parameters, account, a, d, fill);
  if (failure !== undefined) return { fill, failure, moved: true };
  ledger.moveAccount(ctx.ledgers, before, a);
  refresh(ctx);
  follow(world, ctx);
  return { fill, failure: afterwards(ctx, parameters, account, a, d), moved: true };
}

function newDraft(stateBefore: RiskState): Draft {
  return {
    sizeDelta: 0n,
    skewBefore: 0n,
    skewAfter: 0n,
    raisesSkew: false,
    opens: false,
    sidePriceWad: 0n,
    notional: 0n,
    premiumPaid: 0n,
    premiumBooked: 0n,
    premiumKept: 0n,
    rebate: 0n,
    gain: 0n,
    stateBefore,
  };
}

/** How much fills: no more than the position for a reducing order, no more than the speed limit lets through. */
function size(ctx: Context, a: Account, o: Order, d: Draft): Failure {
  let wanted = o.sizeDelta;
  if (o.reduceOnly) {
    if (!oppositeSigns(wanted, a.size)) return failed("MarginPool_NothingToReduce", wanted, a.size);
    if (magnitude(wanted) > magnitude(a.size)) wanted = -a.size;
  }
  const { config } = ctx;
  d.skewBefore = skewOf(ctx.ledgers);
  if (builds(d.skewBefore, d.skewBefore + wanted) && !ctx.market.caughtUp) {
    revert("MarginPool_VolatilityBehind", ctx.market.roundId);
  }
  const [allowed, limit] = speedLimited(
    baseToWad(config, d.skewBefore),
    baseToWad(config, wanted),
    baseToWad(config, ctx.skewReference),
    scalingEquity(ctx.equity),
    ctx.price,
  );
  d.sizeDelta = wadToBase(config, allowed);
  if (allowed !== baseToWad(config, wanted)) {
    const least = (smallestPart(ctx.equity) * WAD) / ctx.price;
    if (d.sizeDelta === 0n || magnitude(allowed) < least) {
      revert("MarginPool_SkewSpeedLimit", d.skewBefore + wanted, wadToBase(config, limit));
    }
  }
  d.skewAfter = d.skewBefore + d.sizeDelta;
  d.raisesSkew = builds(d.skewBefore, d.skewAfter);
  const sizeAfter = a.size + d.sizeDelta;
  d.opens = oppositeSigns(sizeAfter, a.size) || magnitude(sizeAfter) > magnitude(a.size);
  return undefined;
}

/** Least part of an order that is filled while more of it waits, quote, 18 decimals. */
function smallestPart(equity: bigint): bigint {
  const scaling = scalingEquity(equity);
  const part = mulWadFloor(SMALLEST_PART_WAD, scaling);
  const room = mulWadFloor(SPEED_LIMIT_WAD, scaling);
  const least = part > SMALLEST_PART_QUOTE ? part : SMALLEST_PART_QUOTE;
  return least < room ? least : room;
}

/** Premium, fee and hedge charge, and the price they make together with P- or P+. */
function price(ctx: Context, parameters: Values, d: Draft, fill: Fill): void {
  const { config, market } = ctx;
  const buys = d.sizeDelta > 0n;
  d.sidePriceWad = buys ? market.upperPriceWad : market.lowerPriceWad;
  d.notional = accounts.notionalUp(config, d.sizeDelta, d.sidePriceWad);
  premium(ctx, d);
  fill.sizeDelta = d.sizeDelta;
  fill.premium = d.premiumPaid - d.rebate;
  const feePpm =
    d.stateBefore === RiskState.Normal ? parameters.takerFeePpm : 2n * parameters.takerFeePpm;
  fill.takerFee = fullMulDivUp(d.notional, feePpm, PPM);
  const exposureAfter = ctx.book.inventoryBase - targetAt(ctx, baseToWad(config, d.skewAfter));
  const charge = hedgeChargeUp(
    ctx.netExposure,
    exposureAfter,
    innerBand(ctx.outerBandWad),
    ctx.price,
    ctx.hedgeRatePpm,
  );
  fill.hedgeCharge = divUp(charge, config.quoteScale);

  const costs = fill.premium + fill.takerFee + fill.hedgeCharge;
  const perUnit = divCeil(
    costs * config.quoteScale * WAD,
    baseToWad(config, magnitude(d.sizeDelta)),
  );
  const fillPrice = buys ? d.sidePriceWad + perUnit : d.sidePriceWad - perUnit;
  fill.fillPriceWad = fillPrice > 0n ? fillPrice : 0n;
}

/** The premium ledger's answer in token units: what a trader pays rounded up, all else down. */
function premium(ctx: Context, d: Draft): void {
  const { config } = ctx;
  const { quoteScale } = config;
  const p = premiumOf(
    ctx.ledgers.skewPremium * quoteScale,
    baseToWad(config, d.skewBefore),
    baseToWad(config, d.skewAfter),
    baseToWad(config, ctx.rebateableSkew),
    ctx.market.priceWad,
    skewScale(ctx),
    leastSkewScale(scalingEquity(ctx.equity), ctx.price),
  );
  d.premiumPaid = divUp(p.paid, quoteScale);
  d.premiumBooked = p.booked / quoteScale;
  d.premiumKept = p.kept / quoteScale;
  d.rebate = p.rebate / quoteScale;
}

/** What the pool can bear, checked for the part of a trade that raises the account's own size. */
function limits(ctx: Context, parameters: Values, before: Account, d: Draft): Failure {
  if (!d.opens) return undefined;
  if (ctx.equityBid <= 0n) return failed("MarginPool_Insolvent", ctx.equityBid);
  if (d.stateBefore >= RiskState.ReduceOnly && d.raisesSkew) {
    return failed("MarginPool_ReduceOnly", ctx.solvencyRatioWad);
  }
  const { config } = ctx;
  const { weightWad } = config;
  if (d.raisesSkew) {
    const ownShare = (mulWadFloor(weightWad, ctx.equityBid) * WAD) / ctx.price;
    const profit = traderProfitUp(ctx.book, ctx.price);
    const spendable = holdingsDown(ctx.book, ctx.price) - (profit > 0n ? profit : 0n);
    const most = (mulWadFloor(AFFORDABLE_WAD, spendable) * WAD) / ctx.price - ownShare;
    const skewAfter = baseToWad(config, d.skewAfter);
    if (skewAfter < -ownShare || skewAfter > most) {
      return failed(
        "MarginPool_SkewNotAffordable",
        d.skewAfter,
        wadToBase(config, -ownShare),
        wadToBase(config, most),
      );
    }
  }
  const sizeAfter = before.size + d.sizeDelta;
  const opened = oppositeSigns(before.size, sizeAfter) ? sizeAfter : d.sizeDelta;
  const side =
    (opened > 0n ? ctx.book.longOpenInterest : ctx.book.shortOpenInterest) +
    baseToWad(config, magnitude(opened));
  const maximum = (mulWadFloor(parameters.openInterestLimitWad, ctx.equity) * WAD) / ctx.price;
  if (side > maximum) {
    return failed(
      "MarginPool_OpenInterestLimit",
      wadToBase(config, side),
      BigInt.asUintN(256, wadToBase(config, maximum)),
    );
  }
  return undefined;
}

/** Size, entry notional and realized profit. Openings book at the side price, rounded against the account. */
function updatePosition(world: World, ctx: Context, a: Account, d: Draft, fill: Fill): void {
  fill.fundingPaid = ledger.settleOwed(ctx.ledgers, a);
  let held = a.size;
  let opened = d.sizeDelta;
  if (oppositeSigns(d.sizeDelta, held)) {
    const closed = magnitude(d.sizeDelta) < magnitude(held) ? -d.sizeDelta : held;
    const entry = accounts.entryOf(a, closed);
    fill.realizedProfit = accounts.profitDown(ctx.config, closed, entry, d.sidePriceWad);
    a.entryNotional -= entry;
    opened = d.sizeDelta + closed;
    held -= closed;
  }
  if (opened !== 0n) {
    a.entryNotional +=
      opened > 0n
        ? accounts.notionalUp(ctx.config, opened, d.sidePriceWad)
        : accounts.valueDown(ctx.config, -opened, d.sidePriceWad);
    a.openedAt = world.now;
  }
  a.size = held + opened;
  if (a.size === 0n) a.openedAt = 0n;
  d.gain = fill.realizedProfit - fill.fundingPaid;
}

/** Cash: profit and funding with LPs, premium with J, fee with S and insurance, hedge charge with S. */
function settleCash(
  ctx: Context,
  parameters: Values,
  account: Address,
  a: Account,
  d: Draft,
  fill: Fill,
): Failure {
  const { ledgers } = ctx;
  if (d.gain > 0n) ledger.payTrader(ledgers, a, d.gain);
  const loss = d.gain < 0n ? -d.gain : 0n;
  const cash = a.collateral - loss - (fill.premium + fill.takerFee + fill.hedgeCharge);
  if (cash < 0n) return failed("MarginPool_InsufficientMargin", account, cash, 0n);
  ledger.movePremium(ctx, d.skewAfter, d.premiumKept, d.rebate, d.premiumBooked, d.premiumPaid);
  ledger.bookFee(ledgers, fill.takerFee, parameters.insuranceShareBps);
  ledgers.pendingIncome += fill.hedgeCharge;
  ledgers.inventoryQuote += loss;
  a.collateral = cash;
  return undefined;
}

/** Margin and risk state once the trade is booked. */
function afterwards(
  ctx: Context,
  parameters: Values,
  account: Address,
  a: Account,
  d: Draft,
): Failure {
  const equity = accounts.equityOf(ctx, a);
  let needed = 0n;
  if (d.opens) {
    needed = accounts.initialMargin(ctx, parameters, a.size).margin;
    if (d.raisesSkew && d.stateBefore !== RiskState.Normal) {
      needed = mulWadUp(needed, GUARDED_MARGIN_WAD);
    }
    if (ctx.state > d.stateBefore) {
      return failed("MarginPool_StateWorse", d.stateBefore, ctx.state, ctx.solvencyRatioWad);
    }
  }
  return equity < needed
    ? failed("MarginPool_InsufficientMargin", account, equity, needed)
    : undefined;
}

function failed(name: string, ...args: ContractError["args"]): ContractError {
  return { name, args };
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
