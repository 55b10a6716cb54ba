import {
  checkedSub,
  divWad,
  fullMulDiv,
  fullMulDivUp,
  max,
  min,
  toUint128,
  zeroFloorSub,
} from "../math/fixedPoint.ts";
import { revert } from "../math/revert.ts";
import type { Address, Calls } from "./calls.ts";
import { liveness } from "./guardedFeed.ts";
import type { Account } from "./marginAccount.ts";
import * as accounts from "./marginAccount.ts";
import { addAccounted, Context, loadPosition, storeContext } from "./marginContext.ts";
import * as ledger from "./marginLedger.ts";
import { close, freeze, frozen, open, refresh, requireAlive, skewOf } from "./marginState.ts";
import { executionFee } from "./orderLogic.ts";
import { deleverageGoalWad, worse } from "./riskStates.ts";
import { type Ledgers, type ProtocolConfig, RiskState, type Settlement } from "./state.ts";
import { isGood, lastGood, type Market } from "./volatilityOracle.ts";
import type { World } from "./world.ts";

// The twin of SettlementLogic.sol: deleveraging and the end. How a deleveraging reaches each position is marginAccount.ts's.

const WAD = 10n ** 18n;
const BISECTION_STEPS = 10;
const MAXIMUM_FRACTION_WAD = 990000000000000000n;
/** Below this M has too few digits left. */
const MINIMUM_SCALE = 10n ** 18n;
const LEAST_GAIN_WAD = 10n ** 15n;
const DEAD_FEED_PERIOD = 86_400n;
const SETTLEMENT_PERIOD = 604_800n;
const MAXIMUM_EPOCH = 65_535n;

/** Nothing here looks at the market of a payment. */
const NO_MARKET: Market = {
  priceWad: 0n,
  lowerPriceWad: 0n,
  upperPriceWad: 0n,
  volatilityWad: 0n,
  maintenanceVolatilityWad: 0n,
  updatedAt: 0n,
  roundId: 0n,
  caughtUp: false,
};

/** Token units of both tokens. */
export interface Amounts {
  readonly baseAmount: bigint;
  readonly quoteAmount: bigint;
}

/**
 * Closes a part of every position of the side that makes the exposure.
 *
 * @returns the fraction closed, 1e18
 * @throws {Revert} MarginPool_NotDeleveraging, MarginPool_NothingToDeleverage, MarginPool_DeleveragingExhausted, and what `open` and
 * `close` throw
 */
export function autoDeleverage(world: World, caller: Address): bigint {
  const ctx = open(world);
  if (ctx.state !== RiskState.Deleveraging) {
    revert("MarginPool_NotDeleveraging", ctx.state, ctx.solvencyRatioWad);
  }
  const { book } = ctx;
  const exposure = book.inventoryBase - (book.longOpenInterest - book.shortOpenInterest);
  const long = exposure < 0n;
  const openInterest = long ? book.longOpenInterest : book.shortOpenInterest;
  const ratioBefore = ctx.solvencyRatioWad;
  const skewBefore = skewOf(ctx.ledgers);
  if (exposure === 0n || openInterest === 0n)
    nothingToDeleverage(ctx, exposure, openInterest, ratioBefore);
  // Not beyond b = K, where closing more would no longer shrink the exposure.
  const most = min(divWad(long ? -exposure : exposure, openInterest), MAXIMUM_FRACTION_WAD);
  const goal = deleverageGoalWad(ctx);
  const fractionWad = leastFraction(ctx, long, most, goal);
  if (ctx.solvencyRatioWad < min(goal, ratioBefore + LEAST_GAIN_WAD)) {
    nothingToDeleverage(ctx, exposure, openInterest, ratioBefore);
  }
  const epoch = checkpoint(world, ctx, long, fractionWad);
  ledger.dropPremium(ctx, skewBefore);
  close(world, ctx, caller);
  world.emit("marginPool", "Deleveraged", {
    caller,
    long,
    epoch,
    fractionWad,
    indexPriceWad: ctx.market.priceWad,
    roundId: ctx.market.roundId,
    solvencyRatioBeforeWad: ratioBefore,
    solvencyRatioAfterWad: ctx.solvencyRatioWad,
  });
  return fractionWad;
}

function nothingToDeleverage(
  ctx: Context,
  exposure: bigint,
  openInterest: bigint,
  ratioWad: bigint,
): never {
  const { baseScale } = ctx.config;
  revert(
    "MarginPool_NothingToDeleverage",
    exposure / baseScale,
    openInterest / baseScale,
    ratioWad,
  );
}

/** Least fraction that reaches the goal, or `most` where nothing does. Leaves it applied to the context. */
function leastFraction(ctx: Context, long: boolean, most: bigint, goal: bigint): bigint {
  const before: Ledgers = { ...ctx.ledgers };
  let high = most;
  applyFraction(ctx, before, long, high);
  if (ctx.solvencyRatioWad < goal) return high;
  let low = 0n;
  for (let step = 0; step < BISECTION_STEPS; step++) {
    const middle = (low + high) / 2n;
    applyFraction(ctx, before, long, middle);
    if (ctx.solvencyRatioWad < goal) low = middle;
    else high = middle;
  }
  applyFraction(ctx, before, long, high);
  return high;
}

/**
 * Sets the ledgers to what `before` becomes when `fraction` of a side is closed at the index price. What that realizes waits in the
 * side's accrual until its accounts are touched. Aggregates are rounded up, positions down.
 */
function applyFraction(ctx: Context, before: Ledgers, long: boolean, fraction: bigint): void {
  const { ledgers, config, market } = ctx;
  const left = WAD - fraction;
  if (long) {
    ledgers.longOpenInterest = fullMulDivUp(before.longOpenInterest, left, WAD);
    ledgers.longEntryNotional = fullMulDivUp(before.longEntryNotional, left, WAD);
    ledgers.longCollateral = fullMulDivUp(before.longCollateral, left, WAD);
    const closed = before.longOpenInterest - ledgers.longOpenInterest;
    const entry = before.longEntryNotional - ledgers.longEntryNotional;
    const profit = accounts.notionalUp(config, closed, market.priceWad) - entry;
    ledgers.longAccrual = before.longAccrual - profit;
  } else {
    ledgers.shortOpenInterest = fullMulDivUp(before.shortOpenInterest, left, WAD);
    ledgers.shortEntryNotional = fullMulDivUp(before.shortEntryNotional, left, WAD);
    ledgers.shortCollateral = fullMulDivUp(before.shortCollateral, left, WAD);
    const closed = before.shortOpenInterest - ledgers.shortOpenInterest;
    const entry = before.shortEntryNotional - ledgers.shortEntryNotional;
    const profit = entry - accounts.valueDown(config, closed, market.priceWad);
    ledgers.shortAccrual = before.shortAccrual - profit;
  }
  refresh(ctx);
}

/** Records M, X and F of the side. */
function checkpoint(world: World, ctx: Context, long: boolean, fraction: bigint): bigint {
  const next = accounts.nextCheckpoint(world, ctx, long, fraction);
  const epoch = (long ? ctx.longEpoch : ctx.shortEpoch) + 1n;
  if (next.scale < MINIMUM_SCALE || epoch > MAXIMUM_EPOCH) {
    revert("MarginPool_DeleveragingExhausted", epoch, next.scale, MINIMUM_SCALE);
  }
  (long ? world.longCheckpoints : world.shortCheckpoints).set(epoch, next);
  if (long) ctx.longEpoch = epoch;
  else ctx.shortEpoch = epoch;
  return epoch;
}

/**
 * Reports a dead feed, or settles at the last good price once it has been dead for a day.
 *
 * @returns false when this call was the report that starts the clock
 * @throws {Revert} MarginPool_IsSettled, MarginPool_FeedAlive, MarginPool_FeedNotDead
 */
export function settle(world: World, caller: Address): boolean {
  requireAlive(world);
  if (isGood(world)) revert("MarginPool_FeedAlive");
  const { sequencerUp, countedFrom, lastRoundAt } = liveness(world);
  const { priceWad, updatedAt: lastGoodAt } = lastGood(world);
  const ctx = new Context(world.config, world.hot, NO_MARKET);
  const since = world.cold.settlement.deadSince;
  if (since === 0n || ctx.lastSyncAt > since || min(lastGoodAt, lastRoundAt) > since) {
    changeSettlement(world, { deadSince: world.now });
    world.emit("marginPool", "DeadFeedReported", { caller, deadAt: world.now + DEAD_FEED_PERIOD });
    return false;
  }
  const deadAt = max(since, countedFrom) + DEAD_FEED_PERIOD;
  if (!sequencerUp || world.now < deadAt) revert("MarginPool_FeedNotDead", sequencerUp, deadAt);
  const before = worse(ctx);
  ctx.ratioState = RiskState.Settled;
  ctx.stateSince = world.now;
  storeContext(world, ctx);
  world.emit("marginPool", "RiskStateChanged", {
    before,
    afterwards: ctx.ratioState,
    solvencyRatioWad: 0n,
  });
  freeze(world, priceWad, caller);
  return true;
}

/**
 * Closes an account of a settled pool at the frozen price.
 *
 * @throws {Revert} MarginPool_NotSettled, MarginPool_NoPosition, MarginPool_LateGainNotCovered
 */
export function settleAccount(
  world: World,
  caller: Address,
  { account }: Calls["marginPool"]["settleAccount"],
): void {
  const ctx = openSettled(world);
  const { ledgers, market, config } = ctx;
  const a = accounts.load(world, ctx, account);
  // As stored: deleveraging may have left nothing of a position that is still to be closed.
  if (loadPosition(world, account).size === 0n) revert("MarginPool_NoPosition", account);
  const before = accounts.copy(a);
  const owed = ledger.settleOwed(ledgers, a);
  const gain = accounts.profitDown(config, a.size, a.entryNotional, market.priceWad) - owed;
  a.size = 0n;
  a.entryNotional = 0n;
  a.openedAt = 0n;
  let shortfall = 0n;
  if (gain > 0n) {
    recordGain(world, caller, ledgers, account, a, gain);
  } else {
    const loss = min(-gain, a.collateral);
    shortfall = -gain - loss;
    ledger.collectLoss(ledgers, a, loss);
    const { finalizedAt, lateCash } = world.cold.settlement;
    if (finalizedAt !== 0n) changeSettlement(world, { lateCash: toUint128(lateCash + loss) });
    world.cold = { ...world.cold, badDebt: world.cold.badDebt + toUint128(shortfall) };
  }
  const order = world.orders.get(account);
  if (order !== undefined) {
    a.collateral += executionFee(config);
    world.emit("marginPool", "OrderCanceled", { account, sizeDelta: order.sizeDelta });
    world.orders.delete(account);
  }
  ledger.moveAccount(ledgers, before, a);
  storeContext(world, ctx);
  accounts.store(world, ctx, account, a);
  world.emit("marginPool", "AccountSettled", {
    account,
    caller,
    size: before.size,
    priceWad: market.priceWad,
    gain,
    claimed: a.newClaim,
    badDebt: shortfall,
    collateral: a.collateral,
  });
}

/**
 * In time a gain becomes a claim. Later it is paid from what late losers lost, then becomes a claim as far as something was kept for
 * it; only the account itself may do with less.
 */
function recordGain(
  world: World,
  caller: Address,
  ledgers: Ledgers,
  account: Address,
  a: Account,
  gain: bigint,
): void {
  const { finalizedAt, lateCash, lateReserve } = world.cold.settlement;
  if (finalizedAt === 0n) {
    ledger.addClaim(ledgers, a, gain);
    return;
  }
  const kept = lateCash + lateReserve;
  if (gain > kept && caller !== account) {
    revert("MarginPool_LateGainNotCovered", account, gain, kept);
  }
  const cash = min(gain, lateCash);
  ledgers.inventoryQuote = checkedSub(ledgers.inventoryQuote, cash);
  a.collateral += cash;
  const claimed = min(gain - cash, lateReserve);
  changeSettlement(world, { lateCash: lateCash - cash, lateReserve: lateReserve - claimed });
  ledger.addClaim(ledgers, a, claimed);
}

/** Whether no position is left: deleveraging rounds the aggregates up, so up to one quote does not count. */
function allSettled(config: ProtocolConfig, ledgers: Ledgers, priceWad: bigint): boolean {
  const openInterest = ledgers.longOpenInterest + ledgers.shortOpenInterest;
  const left =
    accounts.notionalUp(config, openInterest, priceWad) +
    ledgers.longEntryNotional +
    ledgers.shortEntryNotional;
  return left * config.quoteScale <= WAD;
}

/**
 * Divides what a settled pool has, once everybody is settled or a week has passed.
 *
 * @throws {Revert} MarginPool_NotSettled, MarginPool_AlreadyFinalized, MarginPool_SettlementRunning, MarginPool_LedgerOutOfBounds
 */
export function finalizeSettlement(world: World, caller: Address): void {
  const ctx = openSettled(world);
  const { settledAt, finalizedAt, priceWad } = world.cold.settlement;
  if (finalizedAt !== 0n) revert("MarginPool_AlreadyFinalized", finalizedAt);
  const { ledgers, config } = ctx;
  const endsAt = settledAt + SETTLEMENT_PERIOD;
  if (world.now < endsAt && !allSettled(config, ledgers, priceWad)) {
    revert("MarginPool_SettlementRunning", endsAt);
  }
  const late = lateGains(ctx);
  ledgers.inventoryQuote += ledgers.insuranceFund + ledgers.skewPremium + ledgers.pendingIncome;
  ledgers.insuranceFund = 0n;
  ledgers.skewPremium = 0n;
  ledgers.pendingIncome = 0n;
  const lateReserve = toUint128(late);
  const claimsTotal = toUint128(ledgers.unpaidClaims + late);
  const basePot = ledgers.inventoryBase;
  const quotePot = toUint128(ledgers.inventoryQuote);
  const valueTotal = toUint128(quotePot + accounts.valueDown(config, basePot, priceWad));
  const shareSupply = world.shares.totalSupply;
  changeSettlement(world, {
    finalizedAt: world.now,
    lateReserve,
    claimsTotal,
    basePot,
    quotePot,
    valueTotal,
    shareSupply,
  });
  storeContext(world, ctx);
  world.emit("marginPool", "SettlementFinalized", {
    caller,
    claimsTotal,
    valueTotal,
    basePot,
    quotePot,
    shareSupply,
    lateReserve,
  });
}

/** What the positions that are still open have gained, side by side, each rounded up and not below zero. */
function lateGains({ config, market, ledgers }: Context): bigint {
  const { longOpenInterest, shortOpenInterest } = ledgers;
  const profit = (size: bigint, entry: bigint) =>
    accounts.profitDown(config, size, entry, market.priceWad) + 1n;
  const longs = profit(longOpenInterest, ledgers.longEntryNotional) - ledgers.longAccrual;
  const shorts = profit(-shortOpenInterest, ledgers.shortEntryNotional) - ledgers.shortAccrual;
  return (
    (longOpenInterest === 0n ? 0n : max(longs, 0n)) +
    (shortOpenInterest === 0n ? 0n : max(shorts, 0n))
  );
}

/**
 * Takes the caller's credit, and its claim as far as q reaches or as the settlement pays it, out of the ledgers. The transfers are
 * marginPool.ts's.
 *
 * @throws {Revert} MarginPool_NothingToClaim
 */
export function claim(world: World, account: Address): Amounts {
  const credit = world.credits.get(account) ?? 0n;
  const owed = world.claims.get(account) ?? 0n;
  if (credit !== 0n) {
    world.credits.delete(account);
    addAccounted(world, -credit);
    world.emit("marginPool", "CreditPaid", { account, amount: credit });
  }
  const { baseAmount, quoteAmount } = owed === 0n ? NO_AMOUNTS : payClaim(world, account, owed);
  if (quoteAmount + credit + baseAmount === 0n) revert("MarginPool_NothingToClaim", account);
  return { baseAmount, quoteAmount: quoteAmount + credit };
}

const NO_AMOUNTS: Amounts = { baseAmount: 0n, quoteAmount: 0n };

function payClaim(world: World, account: Address, owed: bigint): Amounts {
  const { settledAt, finalizedAt } = world.cold.settlement;
  if (finalizedAt !== 0n) return paySettledClaim(world, account, owed);
  if (settledAt !== 0n) return NO_AMOUNTS;
  const amount = min(owed, world.hot.ledgers.inventoryQuote);
  if (amount === 0n) return NO_AMOUNTS;
  const unpaidClaim = owed - amount;
  if (unpaidClaim === 0n) world.claims.delete(account);
  else world.claims.set(account, unpaidClaim);
  payOut(world, 0n, amount, amount);
  world.emit("marginPool", "ClaimPaid", { account, amount, unpaidClaim });
  return { baseAmount: 0n, quoteAmount: amount };
}

/** In kind: claim / max(value, claims) of both pots. */
function paySettledClaim(world: World, account: Address, owed: bigint): Amounts {
  const { valueTotal, claimsTotal, basePot, quotePot } = world.cold.settlement;
  const whole = max(valueTotal, claimsTotal);
  const baseAmount = fullMulDiv(basePot, owed, whole);
  const quoteAmount = fullMulDiv(quotePot, owed, whole);
  world.claims.delete(account);
  payOut(world, baseAmount, quoteAmount, owed);
  world.emit("marginPool", "ClaimPaidInKind", { account, claim: owed, baseAmount, quoteAmount });
  return { baseAmount, quoteAmount };
}

/**
 * Takes what `shares` of a finalized settlement get out of the ledgers: their part of what claims leave of both pots, token units
 * rounded down.
 *
 * @throws {Revert} MarginPool_NotFinalized, FullMulDivFailed, Panic 0x11
 */
export function redeemInKind(world: World, shares: bigint): Amounts {
  const s = world.cold.settlement;
  if (s.finalizedAt === 0n) revert("MarginPool_NotFinalized", s.settledAt);
  const left = zeroFloorSub(s.valueTotal, s.claimsTotal);
  const part = (pot: bigint) =>
    left === 0n ? 0n : fullMulDiv(fullMulDiv(pot, left, s.valueTotal), shares, s.shareSupply);
  const amounts = { baseAmount: part(s.basePot), quoteAmount: part(s.quotePot) };
  payOut(world, amounts.baseAmount, amounts.quoteAmount, 0n);
  return amounts;
}

/** Takes a payment out of the inventory, and the claim it was for. */
function payOut(world: World, baseAmount: bigint, quoteAmount: bigint, claimed: bigint): void {
  const ctx = new Context(world.config, world.hot, NO_MARKET);
  const { ledgers } = ctx;
  ledgers.inventoryBase = checkedSub(ledgers.inventoryBase, baseAmount);
  ledgers.inventoryQuote = checkedSub(ledgers.inventoryQuote, quoteAmount);
  ledgers.unpaidClaims = checkedSub(ledgers.unpaidClaims, claimed);
  ledger.paid(ctx, quoteAmount);
  storeContext(world, ctx);
}

function openSettled(world: World): Context {
  if (world.cold.settlement.settledAt === 0n) revert("MarginPool_NotSettled");
  return frozen(world);
}

function changeSettlement(world: World, change: Partial<Settlement>): void {
  world.cold = { ...world.cold, settlement: { ...world.cold.settlement, ...change } };
}
