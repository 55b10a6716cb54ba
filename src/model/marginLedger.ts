import { panic, revert } from "../math/revert.ts";
import { premiumKeptDown, retained } from "../math/skewMath.ts";
import type { Account } from "./marginAccount.ts";
import { type Context, MAXIMUM_QUOTE, unsigned } from "./marginContext.ts";
import { skewOf } from "./marginState.ts";
import type { Ledgers } from "./state.ts";
import type { World } from "./world.ts";

// The twin of MarginLedger.sol: movements between the ledgers, token units. What leaves one enters another.

const BPS = 10_000n;
/** Insurance pays at most half of itself in this time, seconds. */
const INSURANCE_PERIOD = 86_400n;
const MAXIMUM_UINT128 = 2n ** 128n - 1n;
const MAXIMUM_UINT256 = 2n ** 256n - 1n;

/** Quote has come in from outside. */
export function received(ctx: Context, amount: bigint): void {
  ctx.accountedQuote += amount;
  if (ctx.accountedQuote > MAXIMUM_UINT256) panic(0x11n);
}

/** Quote goes out. */
export function paid(ctx: Context, amount: bigint): void {
  ctx.accountedQuote = unsigned(ctx.accountedQuote - amount);
}

/** Replaces an account's part of the aggregates: sizes, entry notionals and the collateral behind them. Sets `next.backing`. */
export function moveAccount(ledgers: Ledgers, before: Account, next: Account): void {
  if (before.size > 0n) {
    ledgers.longOpenInterest = unsigned(ledgers.longOpenInterest - before.size);
    ledgers.longEntryNotional = unsigned(ledgers.longEntryNotional - before.entryNotional);
    ledgers.longCollateral = unsigned(ledgers.longCollateral - before.backing);
  } else if (before.size < 0n) {
    ledgers.shortOpenInterest = unsigned(ledgers.shortOpenInterest + before.size);
    ledgers.shortEntryNotional = unsigned(ledgers.shortEntryNotional - before.entryNotional);
    ledgers.shortCollateral = unsigned(ledgers.shortCollateral - before.backing);
  }
  const { size, collateral, entryNotional } = next;
  next.backing = size === 0n ? 0n : collateral < entryNotional ? collateral : entryNotional;
  if (size > 0n) {
    ledgers.longOpenInterest += size;
    ledgers.longEntryNotional += entryNotional;
    ledgers.longCollateral += next.backing;
  } else if (size < 0n) {
    ledgers.shortOpenInterest -= size;
    ledgers.shortEntryNotional += entryNotional;
    ledgers.shortCollateral += next.backing;
  }
  // What rounding left in an empty side's accrual belongs to nobody but LPs.
  if (ledgers.longOpenInterest === 0n) ledgers.longAccrual = 0n;
  if (ledgers.shortOpenInterest === 0n) ledgers.shortAccrual = 0n;
}

/** Marks what an account owed as settled: it leaves the side's accrual. */
export function settleOwed(ledgers: Ledgers, a: Account): bigint {
  const { owed } = a;
  if (a.long) ledgers.longAccrual -= owed;
  else ledgers.shortAccrual -= owed;
  a.owed = 0n;
  return owed;
}

/** The collateral of an account changed and nothing else of it. */
export function moveBacking(ledgers: Ledgers, size: bigint, delta: bigint): void {
  // A signed sum in the contract: what would be negative is a number too large to store.
  if (size > 0n) ledgers.longCollateral = BigInt.asUintN(256, ledgers.longCollateral + delta);
  else ledgers.shortCollateral = BigInt.asUintN(256, ledgers.shortCollateral + delta);
}

/** LPs pay an account's gain from q. What q lacks (older claims come first) becomes a claim. */
export function payTrader(ledgers: Ledgers, a: Account, gain: bigint): void {
  const { inventoryQuote, unpaidClaims } = ledgers;
  const available = inventoryQuote > unpaidClaims ? inventoryQuote - unpaidClaims : 0n;
  const fromInventory = gain < available ? gain : available;
  ledgers.inventoryQuote = inventoryQuote - fromInventory;
  a.collateral += fromInventory;
  addClaim(ledgers, a, gain - fromInventory);
}

/** An account's gain that is not paid yet. */
export function addClaim(ledgers: Ledgers, a: Account, amount: bigint): void {
  ledgers.unpaidClaims += amount;
  a.newClaim += amount;
}

/** An account's loss goes to LPs. */
export function collectLoss(ledgers: Ledgers, a: Account, loss: bigint): void {
  a.collateral = unsigned(a.collateral - loss);
  ledgers.inventoryQuote += loss;
}

/** A fee or penalty: insurance keeps its share (rounded down), the rest goes to LPs through S. */
export function bookFee(ledgers: Ledgers, fee: bigint, insuranceShareBps: bigint): void {
  const insured = (fee * insuranceShareBps) / BPS;
  ledgers.insuranceFund += insured;
  ledgers.pendingIncome += fee - insured;
}

/**
 * The skew moved to K': J keeps `kept`, gives `rebate` to a trader and the rest to S, and takes `booked` of what a trader paid, S the
 * difference.
 */
export function movePremium(
  ctx: Context,
  skewAfter: bigint,
  kept: bigint,
  rebate: bigint,
  booked: bigint,
  paidByTrader: bigint,
): void {
  const { ledgers } = ctx;
  const lost = ledgers.skewPremium - kept;
  ledgers.skewPremium = kept + booked;
  ledgers.pendingIncome += lost - rebate + paidByTrader - booked;
  ctx.skewReference = retained(ctx.skewReference, skewAfter);
  ctx.rebateableSkew = retained(ctx.rebateableSkew, skewAfter);
}

/** The same for skew that fell without a trade: nobody is paid. */
export function dropPremium(ctx: Context, skewBefore: bigint): void {
  const skewAfter = skewOf(ctx.ledgers);
  const kept = premiumKeptDown(ctx.ledgers.skewPremium, skewBefore, skewAfter);
  movePremium(ctx, skewAfter, kept, 0n, 0n, 0n);
}

/**
 * Bad debt: insurance pays LPs what a trader could not, at most half of the fund per day.
 *
 * @returns what insurance covered
 */
export function coverBadDebt(world: World, ledgers: Ledgers, shortfall: bigint): bigint {
  const { cold } = world;
  if (shortfall > MAXIMUM_UINT128) revert("Overflow");
  const since = world.now - cold.insuranceUsedAt;
  const faded = since < INSURANCE_PERIOD ? since : INSURANCE_PERIOD;
  const used = cold.insuranceUsed - (cold.insuranceUsed * faded) / INSURANCE_PERIOD;
  const half = (ledgers.insuranceFund + used) / 2n;
  const allowance = half > used ? half - used : 0n;
  const covered = shortfall < allowance ? shortfall : allowance;
  if (used + covered > MAXIMUM_QUOTE) revert("Overflow");
  world.cold = {
    ...cold,
    badDebt: cold.badDebt + shortfall,
    insuranceUsed: used + covered,
    insuranceUsedAt: world.now,
  };
  ledgers.insuranceFund -= covered;
  ledgers.inventoryQuote += covered;
  return covered;
}
