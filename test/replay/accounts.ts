import { retained } from "./clock.ts";
import { abs, ceilDiv, DAY, floorDiv, max, min, oppositeSigns, WAD } from "./numbers.ts";
import {
  type Account,
  add,
  type Checkpoint,
  type State,
  skewOf,
  valueCeil,
  valueFloor,
} from "./state.ts";

/** An account brought up to the state's funding index and deleveragings. */
export interface Live {
  size: bigint;
  readonly long: boolean;
  entryNotional: bigint;
  collateral: bigint;
  /** Funding and deleveraging since the last touch, to LPs. */
  owed: bigint;
  /** Its part of C_L or C_S. */
  backing: bigint;
  openedAt: bigint;
  newClaim: bigint;
}

const WHOLE = 10n ** 36n;
const NOTHING: Account = {
  size: 0n,
  entryNotional: 0n,
  collateral: 0n,
  fundingIndexWad: 0n,
  openedAt: 0n,
  epoch: 0n,
};

/** The account as it was last touched. */
export const accountOf = (s: State, who: string): Account => s.accounts.get(who) ?? { ...NOTHING };

const historyOf = (s: State, long: boolean): Checkpoint[] =>
  long ? s.checkpoints.long : s.checkpoints.short;
export const epochOf = (s: State, long: boolean): bigint => BigInt(historyOf(s, long).length);

/** M in an epoch, and X there once the funding index is at `index`. */
function since(
  s: State,
  long: boolean,
  epoch: bigint,
  index: bigint,
): { scale: bigint; cash: bigint } {
  const sign = long ? -1n : 1n;
  const start = historyOf(s, long)[Number(epoch) - 1];
  if (start === undefined) return { scale: WHOLE, cash: sign * WHOLE * index };
  const funding = start.scale * (index - start.fundingIndexWad);
  return { scale: start.scale, cash: start.cash + sign * funding };
}

/** Records another deleveraging of a side by a fraction (1e18) at a price. */
export function addCheckpoint(s: State, long: boolean, fraction: bigint, price: bigint): void {
  const { scale, cash } = since(s, long, epochOf(s, long), s.fundingIndexWad);
  const left = (scale * (WAD - fraction)) / WAD;
  const paid = (scale - left) * price;
  historyOf(s, long).push({
    scale: left,
    cash: long ? cash + paid : cash - paid,
    fundingIndexWad: s.fundingIndexWad,
  });
}

/** An account up to date. */
export function load(s: State, who: string): Live {
  const { size, entryNotional, collateral, fundingIndexWad, openedAt, epoch } = accountOf(s, who);
  const long = size > 0n;
  const a = {
    size,
    long,
    entryNotional,
    collateral,
    openedAt,
    owed: 0n,
    backing: 0n,
    newClaim: 0n,
  };
  if (size === 0n) return a;
  a.backing = min(collateral, entryNotional);
  const signed = size * s.baseScale;
  if (epoch === epochOf(s, long)) {
    // what is due is rounded up
    a.owed = ceilDiv(signed * (s.fundingIndexWad - fundingIndexWad), WAD * s.quoteScale);
    return a;
  }
  const then = since(s, long, epoch, fundingIndexWad);
  const now = since(s, long, epochOf(s, long), s.fundingIndexWad);
  // s (X - X0) / M0, rounded down; an exact negative amount counts one more
  const paid = now.cash - then.cash;
  const whole = (abs(signed) * abs(paid)) / then.scale;
  const cash = floorDiv(paid < 0n ? -whole - 1n : whole, WAD * s.quoteScale);
  const left = (amount: bigint) => (amount * now.scale) / then.scale;
  const closedEntry = entryNotional - left(entryNotional);
  a.owed = long ? closedEntry - cash : -closedEntry - cash;
  a.entryNotional = left(entryNotional);
  a.size = long ? left(size) : -left(-size);
  a.backing = left(a.backing);
  return a;
}

/** Stores an account whose debts are settled. */
export function store(s: State, who: string, a: Live): void {
  s.accounts.set(who, {
    size: a.size,
    entryNotional: a.entryNotional,
    collateral: a.collateral,
    fundingIndexWad: s.fundingIndexWad,
    openedAt: a.openedAt,
    epoch: a.size === 0n ? 0n : epochOf(s, a.size > 0n),
  });
  add(s.claims, who, a.newClaim);
}

/** Changes an account's margin and what it adds to its side's collateral. */
export function setCollateral(s: State, who: string, collateral: bigint): void {
  const account = accountOf(s, who);
  const before = min(account.collateral, account.entryNotional);
  s.accounts.set(who, { ...account, collateral });
  if (account.size === 0n) return;
  const long = account.size > 0n;
  let delta = min(collateral, account.entryNotional) - before;
  if (account.epoch !== epochOf(s, long)) {
    const then = since(s, long, account.epoch, 0n).scale;
    const now = since(s, long, epochOf(s, long), 0n).scale;
    delta = ceilDiv(delta * now, then); // toward more collateral in the aggregate
  }
  if (long) s.ledgers.longCollateral += delta;
  else s.ledgers.shortCollateral += delta;
}

// ----------------------------------------------------------------------- value

/** Profit of a size with an entry notional at a price, rounded down. */
export function profitAt(s: State, size: bigint, entry: bigint, price: bigint): bigint {
  const value = valueFloor(s, size, price);
  return size < 0n ? value + entry : value - entry;
}

/** Entry notional of the closed part, against the account. */
export const entryOf = (a: Live, closed: bigint): bigint =>
  a.size > 0n ? ceilDiv(a.entryNotional * closed, a.size) : (a.entryNotional * -closed) / -a.size;

export const equityOf = (s: State, a: Live): bigint =>
  a.collateral - a.owed + profitAt(s, a.size, a.entryNotional, s.market.price);

/** A ratio (1e18) of the notional at the index price, rounded up. */
export const marginAt = (s: State, size: bigint, ratio: bigint): bigint =>
  ceilDiv(valueCeil(s, size, s.market.price) * ratio, WAD);

// --------------------------------------------------------------------- ledgers

/** Replaces an account's part of the aggregates. */
export function moveAccount(s: State, before: Live, next: Live): void {
  const l = s.ledgers;
  next.backing = next.size === 0n ? 0n : min(next.collateral, next.entryNotional);
  for (const [a, sign] of [
    [before, -1n],
    [next, 1n],
  ] as const) {
    if (a.size > 0n) {
      l.longOpenInterest += sign * a.size;
      l.longEntryNotional += sign * a.entryNotional;
      l.longCollateral += sign * a.backing;
    } else if (a.size < 0n) {
      l.shortOpenInterest -= sign * a.size;
      l.shortEntryNotional += sign * a.entryNotional;
      l.shortCollateral += sign * a.backing;
    }
  }
  // what rounding left in an empty side's accrual is LPs'
  if (l.longOpenInterest === 0n) l.longAccrual = 0n;
  if (l.shortOpenInterest === 0n) l.shortAccrual = 0n;
}

/** Takes what an account owes out of its side's accrual; the cash moves with its profit. */
export function settleOwed(s: State, a: Live): bigint {
  const { owed } = a;
  if (a.long) s.ledgers.longAccrual -= owed;
  else s.ledgers.shortAccrual -= owed;
  a.owed = 0n;
  return owed;
}

/** LPs pay a gain; what q less older claims does not hold becomes a claim. */
export function payGain(s: State, a: Live, gain: bigint): void {
  const l = s.ledgers;
  const cash = min(gain, max(l.inventoryQuote - l.unpaidClaims, 0n));
  l.inventoryQuote -= cash;
  a.collateral += cash;
  l.unpaidClaims += gain - cash;
  a.newClaim += gain - cash;
}

/** Insurance keeps its share of a fee, rounded down; the rest is income. */
export function bookFee(s: State, fee: bigint, insuranceBps: bigint): void {
  const insured = (fee * insuranceBps) / 10_000n;
  s.ledgers.insuranceFund += insured;
  s.ledgers.pendingIncome += fee - insured;
}

/** J (K'/K)^2 where |K| falls, nothing beyond zero, J otherwise. */
export function premiumKept(ledger: bigint, before: bigint, after: bigint): bigint {
  if (oppositeSigns(before, after)) return 0n;
  if (abs(after) >= abs(before)) return ledger;
  return (ledger * after * after) / (before * before);
}

/** The skew moved: references fall with it, J keeps `kept` and gains `booked`, S takes what nobody else got. */
export function movePremium(
  s: State,
  kept: bigint,
  rebate: bigint,
  booked: bigint,
  paid: bigint,
): void {
  const lost = s.ledgers.skewPremium - kept;
  s.ledgers.skewPremium = kept + booked;
  s.ledgers.pendingIncome += lost - rebate + paid - booked;
  s.skewReference = retained(s.skewReference, skewOf(s));
  s.rebateableSkew = retained(s.rebateableSkew, skewOf(s));
}

/** Insurance pays at most half of itself; what it paid lately counts against that and fades over a day. */
export function coverBadDebt(s: State, shortfall: bigint): bigint {
  s.badDebt += shortfall;
  const faded = min(s.at - s.insuranceUsedAt, DAY);
  const used = s.insuranceUsed - (s.insuranceUsed * faded) / DAY;
  const allowance = max((s.ledgers.insuranceFund + used) / 2n - used, 0n);
  const covered = min(shortfall, allowance);
  [s.insuranceUsed, s.insuranceUsedAt] = [used + covered, s.at];
  s.ledgers.insuranceFund -= covered;
  s.ledgers.inventoryQuote += covered;
  return covered;
}
