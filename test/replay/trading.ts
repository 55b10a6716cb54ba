import {
  bookFee,
  entryOf,
  equityOf,
  type Live,
  load,
  marginAt,
  moveAccount,
  movePremium,
  payGain,
  premiumKept,
  profitAt,
  setCollateral,
  settleOwed,
  store,
} from "./accounts.ts";
import { follow, retained } from "./clock.ts";
import { abs, ceilDiv, max, min, mulCeil, oppositeSigns, PPM, WAD } from "./numbers.ts";
import {
  initialRatio,
  leastSkewScale,
  maintenanceRatioNow,
  priceBand,
  skewScale,
  solvencyOf,
  targetInventory,
  tenthOfEquity,
} from "./solvency.ts";
import {
  executionFee,
  NORMAL,
  type Order,
  parametersAt,
  type State,
  skewOf,
  valueCeil,
  valueFloor,
} from "./state.ts";

/** By the names of `IMarginPool.Fill`, and what of the order stays queued. */
export interface Filled {
  sizeDelta: bigint;
  fillPriceWad: bigint;
  realizedProfit: bigint;
  fundingPaid: bigint;
  premium: bigint;
  takerFee: bigint;
  hedgeCharge: bigint;
  remaining: bigint;
}

interface Premium {
  paid: bigint;
  booked: bigint;
  kept: bigint;
  rebate: bigint;
}

/** What filling an order in the state does, all of it. The order leaves the queue, or its rest goes back into it. */
export function fillOrder(s: State, who: string, order: Order): Filled {
  const a = load(s, who);
  const before = { ...a };
  const skewBefore = skewOf(s);
  const sizeDelta = sizeOfFill(s, a, order);
  const parameters = parametersAt(s);
  const [takerFeePpm, , , insuranceBps] = parameters;

  // costs
  const [lower, upper] = priceBand(s);
  const side = sizeDelta > 0n ? upper : lower;
  const premium = premiumOf(s, skewBefore, skewBefore + sizeDelta);
  const feePpm = s.state === NORMAL ? takerFeePpm : 2n * takerFeePpm;
  const takerFee = ceilDiv(valueCeil(s, sizeDelta, side) * feePpm, PPM);
  const hedgeCharge = hedgeChargeOf(s, skewBefore + sizeDelta);
  const costs = premium.paid - premium.rebate + takerFee + hedgeCharge;
  const perUnit = ceilDiv(costs * s.quoteScale * WAD, abs(sizeDelta) * s.baseScale);

  // position
  const fundingPaid = settleOwed(s, a);
  const realizedProfit = changePosition(s, a, sizeDelta, side);

  // cash
  const gain = realizedProfit - fundingPaid;
  if (gain > 0n) payGain(s, a, gain);
  else s.ledgers.inventoryQuote -= gain;
  a.collateral += min(gain, 0n) - costs;
  moveAccount(s, before, a);
  movePremium(s, premium.kept, premium.rebate, premium.booked, premium.paid);
  bookFee(s, takerFee, insuranceBps);
  s.ledgers.pendingIncome += hedgeCharge;
  follow(s, solvencyOf(s));

  const remaining = requeue(s, who, a, order, sizeDelta);
  store(s, who, a);
  return {
    sizeDelta,
    fillPriceWad: max(sizeDelta > 0n ? side + perUnit : side - perUnit, 0n),
    realizedProfit,
    fundingPaid,
    premium: premium.paid - premium.rebate,
    takerFee,
    hedgeCharge,
    remaining,
  };
}

/** No more than the position where the order only reduces, no more than the skew's speed limit lets through. */
function sizeOfFill(s: State, a: Live, order: Order): bigint {
  let wanted = order.sizeDelta;
  if (order.reduceOnly && abs(wanted) > abs(a.size)) wanted = -a.size;
  const skew = skewOf(s);
  const after = skew + wanted;
  const builds = oppositeSigns(skew, after) || abs(after) > abs(skew);
  const reference = oppositeSigns(after, s.skewReference) ? 0n : abs(s.skewReference);
  const limit = reference * s.baseScale + tenthOfEquity(s, s.equityAtOpen);
  if (!builds || abs(after) * s.baseScale <= limit) return wanted;
  return ((after < 0n ? -limit : limit) - skew * s.baseScale) / s.baseScale;
}

/** c = P / (2 scale) times a difference of squares (base^2, 1e36), rounded down. */
const atScale = (s: State, squares: bigint, scale: bigint): bigint =>
  (squares * s.market.price) / (2n * scale) / WAD;

/** The premium ledger's answer, leg by leg: toward zero first, then away from it. Payments are rounded up. */
function premiumOf(s: State, skewBefore: bigint, skewAfter: bigint): Premium {
  const [before, after] = [skewBefore * s.baseScale, skewAfter * s.baseScale];
  const ledger = s.ledgers.skewPremium * s.quoteScale;
  const scale = skewScale(s, s.equityAtOpen);
  const crosses = oppositeSigns(before, after);
  const bottom = crosses ? 0n : min(abs(before), abs(after));
  const p = { paid: 0n, booked: 0n, kept: premiumKept(ledger, before, after), rebate: 0n };

  // down to `bottom`: only skew that is older than this round is paid back
  const old = abs(retained(s.rebateableSkew * s.baseScale, before));
  if (bottom < abs(before) && old > bottom) {
    const squares = old * old - bottom * bottom;
    p.rebate = min((ledger * squares) / (before * before), atScale(s, squares, scale));
  }
  // up from there
  const from = crosses ? 0n : abs(before);
  if (abs(after) > from) {
    const squares = after * after - from * from;
    p.booked = atScale(s, squares, scale);
    if (from !== 0n) {
      const most = atScale(s, squares, leastSkewScale(s, s.equityAtOpen));
      p.booked = max(p.booked, min((ledger * squares) / (from * from), most));
    }
    p.paid = p.booked + 1n;
  }
  return {
    paid: ceilDiv(p.paid, s.quoteScale),
    booked: p.booked / s.quoteScale,
    kept: p.kept / s.quoteScale,
    rebate: p.rebate / s.quoteScale,
  };
}

/** phi P times what the trade adds to the exposure outside the inner band; all of it on a change of sign. */
function hedgeChargeOf(s: State, skewAfter: bigint): bigint {
  const inner = s.outerBandWad / 2n;
  const { netExposure: before } = solvencyOf(s);
  const target = targetInventory(s, skewAfter * s.baseScale, s.equityAtOpen);
  const after = s.ledgers.inventoryBase * s.baseScale - target;
  let excess = max(abs(after) - inner, 0n);
  if (!oppositeSigns(before, after)) excess = max(excess - max(abs(before) - inner, 0n), 0n);
  const charge = ceilDiv(mulCeil(excess, s.market.price) * s.hedgeRatePpm, PPM);
  return ceilDiv(charge, s.quoteScale);
}

/** Closes first, then opens at the side price; returns the realized profit. */
function changePosition(s: State, a: Live, sizeDelta: bigint, side: bigint): bigint {
  let [profit, opened] = [0n, sizeDelta];
  if (oppositeSigns(sizeDelta, a.size)) {
    const closed = abs(sizeDelta) < abs(a.size) ? -sizeDelta : a.size;
    const entry = entryOf(a, closed);
    profit = profitAt(s, closed, entry, side);
    a.entryNotional -= entry;
    a.size -= closed;
    opened += closed;
  }
  if (opened !== 0n) {
    // a long's entry is rounded up, a short's down
    a.entryNotional += opened > 0n ? valueCeil(s, opened, side) : valueFloor(s, -opened, side);
    a.openedAt = s.at;
  }
  a.size += opened;
  if (a.size === 0n) a.openedAt = 0n;
  return profit;
}

/** What a speed limit left waits for another round and pays for another execution, where there is margin for it. */
function requeue(s: State, who: string, a: Live, order: Order, filled: bigint): bigint {
  s.orders.delete(who);
  const rest = order.reduceOnly && a.size === 0n ? 0n : order.sizeDelta - filled;
  if (rest === 0n) return 0n;
  const fee = executionFee(s);
  const maintenance = marginAt(s, a.size, maintenanceRatioNow(s, a.size));
  if (a.collateral < fee || equityOf(s, a) - fee < maintenance) return 0n;
  const before = { ...a };
  a.collateral -= fee;
  moveAccount(s, before, a);
  const { roundId } = s.market;
  s.orders.set(who, { ...order, sizeDelta: rest, requestedAt: s.at, roundId });
  return rest;
}

/** A new order: the execution fee leaves the margin. */
export function queueOrder(s: State, who: string, order: Omit<Order, "requestedAt">): void {
  setCollateral(s, who, (s.accounts.get(who)?.collateral ?? 0n) - executionFee(s));
  s.orders.set(who, { ...order, requestedAt: s.at });
}

/** What an order sets aside: the initial margin of what it leads to, unless it only reduces. */
export function reservedMargin(
  s: State,
  who: string,
  sizeDelta: bigint,
): { amount: bigint; reduceOnly: boolean } {
  const a = load(s, who);
  const reduceOnly = oppositeSigns(sizeDelta, a.size) && abs(sizeDelta) <= abs(a.size);
  if (reduceOnly) return { amount: 0n, reduceOnly };
  const after = a.size + sizeDelta;
  const [, , floorBps] = parametersAt(s);
  const initial = marginAt(s, after, initialRatio(s, after, s.equityAtOpen, floorBps));
  const needed = max(initial, marginAt(s, a.size, maintenanceRatioNow(s, a.size)));
  const free = a.collateral - executionFee(s);
  return { amount: min(min(needed, free), 2n ** 88n - 1n), reduceOnly };
}
