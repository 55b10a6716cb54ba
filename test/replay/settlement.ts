import { load, moveAccount, profitAt, settleOwed, store } from "./accounts.ts";
import { max, min, WAD } from "./numbers.ts";
import { add, executionFee, SETTLED, type State, valueFloor } from "./state.ts";

/** Freezes the price for good. */
export function freeze(s: State, price: bigint): void {
  s.settlement.priceWad = price;
  s.settlement.settledAt = s.at;
  // views of a settled pool read the frozen price and the least volatility
  s.market = { ...s.market, price, sigma: (4n * WAD) / 10n, sigmaMm: (4n * WAD) / 10n };
}

/** The end of a pool whose feed died: nothing accrues any more. */
export function settleDead(s: State): void {
  s.stateChanges.push(`${s.ratioState} to ${SETTLED} at 0`);
  [s.ratioState, s.state, s.stateBefore] = [SETTLED, SETTLED, SETTLED];
  s.stateSince = s.at;
}

/** By the names of `AccountSettled`. */
export interface AccountSettled {
  size: bigint;
  gain: bigint;
  claimed: bigint;
  badDebt: bigint;
  collateral: bigint;
}

/** Closes an account at the frozen price; its order ends with it. */
export function settleAccount(s: State, who: string): AccountSettled {
  const { settlement, ledgers: l } = s;
  const late = settlement.finalizedAt !== 0n;
  const a = load(s, who);
  const before = { ...a };
  const owed = settleOwed(s, a);
  const gain = profitAt(s, a.size, a.entryNotional, settlement.priceWad) - owed;
  [a.size, a.entryNotional, a.openedAt] = [0n, 0n, 0n];
  let badDebt = 0n;
  if (gain > 0n) {
    // late gains are paid from what late losers lost, then claimed as far as something was kept
    const cash = late ? min(gain, settlement.lateCash) : 0n;
    const claimed = late ? min(gain - cash, settlement.lateReserve) : gain;
    settlement.lateCash -= cash;
    if (late) settlement.lateReserve -= claimed;
    l.inventoryQuote -= cash;
    a.collateral += cash;
    l.unpaidClaims += claimed;
    a.newClaim = claimed;
  } else {
    const loss = min(-gain, a.collateral);
    badDebt = -gain - loss;
    a.collateral -= loss;
    l.inventoryQuote += loss;
    if (late) settlement.lateCash += loss;
    s.badDebt += badDebt;
  }
  if (s.orders.delete(who)) a.collateral += executionFee(s);
  moveAccount(s, before, a);
  store(s, who, a);
  return { size: before.size, gain, claimed: a.newClaim, badDebt, collateral: a.collateral };
}

/** Fixes what claims and shares are paid. */
export function finalizeSettlement(s: State): void {
  const { settlement, ledgers: l } = s;
  const { priceWad: price } = settlement;
  // what is due to a side's accounts together, at most: rounded up
  const longs = profitAt(s, l.longOpenInterest, l.longEntryNotional, price) + 1n - l.longAccrual;
  const shorts =
    profitAt(s, -l.shortOpenInterest, l.shortEntryNotional, price) + 1n - l.shortAccrual;
  const late =
    (l.longOpenInterest === 0n ? 0n : max(longs, 0n)) +
    (l.shortOpenInterest === 0n ? 0n : max(shorts, 0n));
  l.inventoryQuote += l.insuranceFund + l.skewPremium + l.pendingIncome;
  [l.insuranceFund, l.skewPremium, l.pendingIncome] = [0n, 0n, 0n];
  settlement.finalizedAt = s.at;
  settlement.lateReserve = late;
  settlement.claimsTotal = l.unpaidClaims + late;
  settlement.basePot = l.inventoryBase;
  settlement.quotePot = l.inventoryQuote;
  settlement.valueTotal = l.inventoryQuote + valueFloor(s, l.inventoryBase, price);
  settlement.shareSupply = s.shareSupply;
}

/** A payment out of the inventory, and the claim it was for. */
function payOut(s: State, base: bigint, quote: bigint, claimed: bigint): void {
  s.ledgers.inventoryBase -= base;
  s.ledgers.inventoryQuote -= quote;
  s.ledgers.unpaidClaims -= claimed;
  s.accountedQuote -= quote;
}

/** As much of a claim as there is quote. */
export function payClaim(s: State, who: string): bigint {
  const amount = min(s.claims.get(who) ?? 0n, s.ledgers.inventoryQuote);
  add(s.claims, who, -amount);
  payOut(s, 0n, amount, amount);
  return amount;
}

/** claim / max(value, claims) of both pots. */
export function payClaimInKind(
  s: State,
  who: string,
): { claim: bigint; base: bigint; quote: bigint } {
  const { valueTotal, claimsTotal, basePot, quotePot } = s.settlement;
  const claim = s.claims.get(who) ?? 0n;
  const whole = max(valueTotal, claimsTotal);
  const paid = { claim, base: (basePot * claim) / whole, quote: (quotePot * claim) / whole };
  s.claims.delete(who);
  payOut(s, paid.base, paid.quote, claim);
  return paid;
}

/** The shares' part of what claims leave of both pots. */
export function redeemInKind(s: State, shares: bigint): { base: bigint; quote: bigint } {
  const { valueTotal, claimsTotal, basePot, quotePot, shareSupply } = s.settlement;
  const part = (pot: bigint) =>
    valueTotal <= claimsTotal
      ? 0n
      : (((pot * (valueTotal - claimsTotal)) / valueTotal) * shares) / shareSupply;
  const paid = { base: part(basePot), quote: part(quotePot) };
  payOut(s, paid.base, paid.quote, 0n);
  return paid;
}
