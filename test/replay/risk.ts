import {
  addCheckpoint,
  bookFee,
  coverBadDebt,
  entryOf,
  epochOf,
  equityOf,
  load,
  marginAt,
  moveAccount,
  movePremium,
  payGain,
  premiumKept,
  profitAt,
  settleOwed,
  store,
} from "./accounts.ts";
import { deleveragingGoal } from "./clock.ts";
import {
  abs,
  ceilDiv,
  clamp,
  DAY,
  fadedShare,
  max,
  min,
  mulCeil,
  mulFloor,
  PPM,
  WAD,
} from "./numbers.ts";
import { atLeastOne, maintenanceRatioNow, riskTerm, solvencyOf } from "./solvency.ts";
import { add, type State, skewOf, valueCeil, valueFloor } from "./state.ts";

/** By the names of `IMarginPool.Liquidation`. */
export interface Liquidated {
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

const SMALLEST_PENALTY = (2n * WAD) / 1_000n;
const PENALTY_RANGE = (6n * WAD) / 1_000n;

/** Closes as much of an account as restores its margin, or all of it. */
export function liquidate(s: State, who: string, keeper: string): Liquidated {
  const { price, roundId } = s.market;
  const l = s.ledgers;
  const unit = WAD / s.quoteScale;
  const a = load(s, who);
  const before = { ...a };
  const equity = equityOf(s, a);
  const planned = planLiquidation(s, who, max(equity, 0n));
  const { closed } = planned;

  const entry = entryOf(a, closed);
  const gain = profitAt(s, closed, entry, price) - settleOwed(s, a);
  const badDebt = closed === a.size ? max(-equity, 0n) : 0n;
  a.entryNotional -= entry;
  a.size -= closed;
  if (a.size === 0n) a.openedAt = 0n;
  if (gain > 0n) {
    payGain(s, a, gain);
  } else {
    a.collateral -= -gain - badDebt;
    l.inventoryQuote += -gain - badDebt;
  }
  const penalty = min(planned.penalty, a.collateral);
  const keeperReward = min(penalty, 50n * unit);
  a.collateral -= penalty;
  bookFee(s, penalty - keeperReward, 7_000n);
  add(s.credits, keeper, keeperReward);

  const skewBefore = skewOf(s);
  moveAccount(s, before, a);
  movePremium(s, premiumKept(l.skewPremium, skewBefore, skewOf(s)), 0n, 0n, 0n);
  const paidByInsurance = badDebt === 0n ? 0n : coverBadDebt(s, badDebt);
  store(s, who, a);
  return {
    closed,
    size: a.size,
    entryNotional: a.entryNotional,
    collateral: a.collateral,
    indexPriceWad: price,
    roundId,
    equity,
    penalty,
    keeperReward,
    badDebt,
    paidByInsurance,
  };
}

/** z = (IMR_liq n - e) / (IMR_liq - rate) of the notional n, in base; everything where that is not enough or not worth it. */
function planLiquidation(s: State, who: string, e: bigint): { closed: bigint; penalty: bigint } {
  const a = load(s, who);
  const { price, sigmaMm } = s.market;
  const n = valueCeil(s, a.size, price);
  const ratio = maintenanceRatioNow(s, a.size);
  const maintenance = marginAt(s, a.size, ratio);
  const restored = max(ratio + riskTerm(sigmaMm), WAD / 25n);
  const rate =
    SMALLEST_PENALTY + PENALTY_RANGE - (PENALTY_RANGE * min(e, maintenance)) / maintenance;
  const onAll = mulFloor(n, rate);
  if (onAll >= e) return { closed: a.size, penalty: e };
  const z = ceilDiv((mulCeil(n, restored) - e) * WAD, restored - rate);
  const dust = 500n * (WAD / s.quoteScale);
  if (2n * e < maintenance || z + dust > n) return { closed: a.size, penalty: onAll };
  const penalty = mulFloor(z, rate);
  const least = ceilDiv(abs(a.size) * z, n);
  const closed = a.size < 0n ? -least : least;
  // what is owed is paid now, in cash, or nothing stays open; then the same rate is taken on all of it
  const profit = profitAt(s, closed, entryOf(a, closed), price);
  if (a.collateral - a.owed + profit >= penalty) return { closed, penalty };
  return { closed: a.size, penalty: min(ceilDiv(penalty * n, z), e) };
}

/** By the names of `Deleveraged`. */
export interface Deleveraged {
  long: boolean;
  epoch: bigint;
  fractionWad: bigint;
  solvencyRatioBeforeWad: bigint;
}

/** Closes the least fraction of the side whose closing shrinks |b - K| that ends the state: ten bisections. */
export function deleverage(s: State): Deleveraged {
  const before = { ...s.ledgers };
  const exposure = (before.inventoryBase - skewOf(s)) * s.baseScale;
  const long = exposure < 0n;
  const open = (long ? before.longOpenInterest : before.shortOpenInterest) * s.baseScale;
  const ratioBefore = solvencyOf(s).ratio;
  const goal = deleveragingGoal(s);
  const skewBefore = skewOf(s);
  const reaches = (fraction: bigint): boolean => {
    s.ledgers = { ...before };
    closeFraction(s, long, fraction);
    return solvencyOf(s).ratio >= goal;
  };
  // at most to b = K, and a hundredth stays
  let high = min((abs(exposure) * WAD) / open, (99n * WAD) / 100n);
  let low = 0n;
  for (let step = 0; step < 10 && (step > 0 || reaches(high)); step += 1) {
    const middle = (low + high) / 2n;
    if (reaches(middle)) high = middle;
    else low = middle;
  }
  reaches(high);
  addCheckpoint(s, long, high, s.market.price);
  movePremium(s, premiumKept(s.ledgers.skewPremium, skewBefore, skewOf(s)), 0n, 0n, 0n);
  return {
    long,
    epoch: epochOf(s, long),
    fractionWad: high,
    solvencyRatioBeforeWad: ratioBefore,
  };
}

/** Scales a side's aggregates, rounded up; what that realizes waits in its accrual. */
function closeFraction(s: State, long: boolean, fraction: bigint): void {
  const l = s.ledgers;
  const { price } = s.market;
  const left = (amount: bigint) => ceilDiv(amount * (WAD - fraction), WAD);
  const side = long ? "long" : "short";
  const size = l[`${side}OpenInterest`];
  const entry = l[`${side}EntryNotional`];
  l[`${side}OpenInterest`] = left(size);
  l[`${side}EntryNotional`] = left(entry);
  l[`${side}Collateral`] = left(l[`${side}Collateral`]);
  const closed = size - left(size);
  const released = entry - left(entry);
  l[`${side}Accrual`] -= long
    ? valueCeil(s, closed, price) - released
    : released - valueFloor(s, closed, price);
}

/** A trade of inventory with the constant-product pool, and what it teaches about the cost of hedging. */
export function tradeInventory(s: State, baseDelta: bigint, quoteDelta: bigint): void {
  const { price } = s.market;
  const { hedge } = s;
  s.ledgers.inventoryBase += baseDelta;
  s.ledgers.inventoryQuote += quoteDelta;
  s.accountedQuote += quoteDelta;
  const faded = fadedShare(s.at - hedge.updatedAt, DAY);
  const given = max(-valueFloor(s, baseDelta, price) - quoteDelta, 0n);
  const cost = given + hedge.cost - mulFloor(hedge.cost, faded);
  const notional =
    valueCeil(s, baseDelta, price) + hedge.notional - mulFloor(hedge.notional, faded);
  s.hedge = { cost, notional, updatedAt: s.at };
  // beside 1 % of equity hedged at half of a round trip
  const prior = max(mulFloor(WAD / 100n, atLeastOne(s.equityAtOpen)) / s.quoteScale, 1n);
  const expected = (s.unwindCostPpm * prior) / 2n;
  s.hedgeRatePpm = clamp((cost * PPM + expected) / (notional + prior), 1_000n, 5_000n);
}
