/**
 * The margin pool's formulas written down a second time, from the mechanism's text alone, in decimal fixed point with
 * 36 places: far finer than the contracts' 18, so that a difference shows their rounding and nothing else.
 * Money in whole quote, sizes in whole base, time in seconds, rates per year of 365 days.
 */

/** A real number x 1e36. */
export type Real = bigint;

export const ONE: Real = 10n ** 36n;
const YEAR = 365n * 86_400n;

/** Reads a decimal: real("0.9"). */
export function real(text: string): Real {
  const [whole, fraction = ""] = text.split(".");
  const sign = whole!.startsWith("-") ? -1n : 1n;
  return BigInt(whole!) * ONE + sign * BigInt(fraction.padEnd(36, "0").slice(0, 36));
}

export const mul = (a: Real, b: Real): Real => (a * b) / ONE;
export const div = (a: Real, b: Real): Real => (a * ONE) / b;
export const abs = (a: Real): Real => (a < 0n ? -a : a);
export const min = (...all: Real[]): Real => all.reduce((a, b) => (a < b ? a : b));
export const max = (...all: Real[]): Real => all.reduce((a, b) => (a > b ? a : b));
export const clamp = (a: Real, low: Real, high: Real): Real => min(max(a, low), high);

/** Square root by bisection of the integer a x 1e36. */
export function sqrt(a: Real): Real {
  const square = a * ONE;
  let root = 0n;
  for (let step = 1n << 160n; step > 0n; step >>= 1n) {
    if ((root + step) * (root + step) <= square) root += step;
  }
  return root;
}

/** exp(-a) for a >= 0: the series at a / 2^20, squared twenty times over. */
export function expMinus(a: Real): Real {
  if (a > 200n * ONE) return 0n;
  const guard = 10n ** 24n; // the squarings lose digits
  const unit = ONE * guard;
  const small = (a * guard) >> 20n;
  let [term, sum] = [unit, unit];
  for (let n = 1n; term !== 0n; n += 1n) {
    term = (-term * small) / (unit * n);
    sum += term;
  }
  for (let squaring = 0; squaring < 20; squaring += 1) sum = (sum * sum) / unit;
  return sum / guard;
}

/** Share of a ledger or of a gap that is left after `seconds` with time constant `tau`. */
export const decay = (seconds: bigint, tau: bigint): Real => expMinus((seconds * ONE) / tau);

/** b, q, OI, N, C, A per side, J, S, Z. */
export interface Book {
  base: Real;
  quote: Real;
  longSize: Real;
  shortSize: Real;
  longEntry: Real;
  shortEntry: Real;
  longCollateral: Real;
  shortCollateral: Real;
  longAccrual: Real;
  shortAccrual: Real;
  premium: Real;
  income: Real;
  claims: Real;
}

/** Everything the formulas read that is not a ledger. `hedgeRate` is phi, `band` delta, `weight` w. */
export interface Market {
  price: Real;
  band: Real;
  volatility: Real;
  depth: Real;
  unwindCost: Real;
  outerBand: Real;
  hedgeRate: Real;
  weight: Real;
}

export const skew = (book: Book): Real => book.longSize - book.shortSize;
export const lower = (m: Market): Real => mul(m.price, ONE - m.band);
export const upper = (m: Market): Real => mul(m.price, ONE + m.band);

/** What all traders have gained at p. */
export const traderProfit = (book: Book, p: Real): Real =>
  mul(book.longSize, p) - book.longEntry + (book.shortEntry - mul(book.shortSize, p));

/** E: what LPs own less what traders have gained and are still owed. */
export const equity = (book: Book, p: Real): Real =>
  book.quote +
  mul(book.base, p) -
  traderProfit(book, p) +
  book.longAccrual +
  book.shortAccrual -
  book.claims;

/** h: a side's loss counts up to 90 % of its collateral, its accrual only when the pool owes it. */
export function prudentEquity(book: Book, p: Real): Real {
  const longLoss = book.longEntry - mul(book.longSize, p);
  const shortLoss = mul(book.shortSize, p) - book.shortEntry;
  const counted = (loss: Real, collateral: Real) => min(loss, mul(real("0.9"), collateral));
  return (
    book.quote +
    mul(book.base, p) +
    counted(longLoss, book.longCollateral) +
    counted(shortLoss, book.shortCollateral) +
    min(book.longAccrual, 0n) +
    min(book.shortAccrual, 0n) -
    book.claims
  );
}

export const equityBid = (book: Book, m: Market): Real =>
  min(prudentEquity(book, lower(m)), prudentEquity(book, upper(m)));

export function equityAsk(book: Book, m: Market): Real {
  const at = (p: Real) => book.quote + mul(book.base, p) - traderProfit(book, p);
  const coming =
    max(book.longAccrual, 0n) + max(book.shortAccrual, 0n) + book.premium + book.income;
  return max(at(lower(m)), at(upper(m))) + coming - book.claims;
}

/** sigma sqrt(seconds). */
export const deviation = (sigma: Real, seconds: bigint): Real =>
  mul(sigma, sqrt((seconds * ONE) / YEAR));

export const gap = (sigma: Real): Real =>
  clamp(6n * deviation(sigma, 86_400n), real("0.2"), real("0.5"));
export const shock = (sigma: Real): Real =>
  max(mul(real("2.82"), deviation(sigma, 86_400n)), real("0.2"));

/** R: the worse gap, 4 % of gross open interest, the cost of getting flat. */
export function requiredCapital(book: Book, m: Market): Real {
  const [here, g] = [prudentEquity(book, m.price), gap(m.volatility)];
  const fall = here - prudentEquity(book, mul(m.price, ONE - g));
  const rise = here - prudentEquity(book, mul(m.price, ONE + g));
  const gross = mul(real("0.04"), mul(book.longSize + book.shortSize, m.price));
  const exit = mul(m.unwindCost, mul(abs(book.base - skew(book)), m.price));
  return max(0n, fall, rise) + gross + exit;
}

export const solvencyRatio = (book: Book, m: Market): Real =>
  div(equityBid(book, m), requiredCapital(book, m));

/** max(E, 1 quote). */
export const scalingEquity = (book: Book, m: Market): Real => max(equity(book, m.price), ONE);

/** b* for the book, or for another skew with all else equal. */
export function targetInventory(book: Book, m: Market, k: Real = skew(book)): Real {
  const wanted = k + div(mul(m.weight, scalingEquity(book, m)), m.price);
  const holdings = book.quote + mul(book.base, m.price);
  return clamp(wanted, 0n, div(mul(real("0.98"), holdings), m.price));
}

export const exposure = (book: Book, m: Market, k: Real = skew(book)): Real =>
  book.base - targetInventory(book, m, k);

/**
 * Normal 0, Guarded 1, ReduceOnly 2, as a pool that was Normal before gets there.
 *
 * @param latched it was Guarded because of its exposure: that ends at 4 % of equity, not at 5 %
 */
export function riskState(book: Book, m: Market, latched = false): bigint {
  const ratio = solvencyRatio(book, m);
  if (ratio < real("1.25")) return 2n;
  const shocked = mul(mul(abs(exposure(book, m)), m.price), shock(m.volatility));
  const tooMuch = shocked > mul(real(latched ? "0.04" : "0.05"), scalingEquity(book, m));
  return ratio < real("1.5") || tooMuch ? 1n : 0n;
}

export const skewCap = (book: Book, m: Market): Real => div(scalingEquity(book, m) / 2n, m.price);

/** max(K_cap / 5 %, min(E / (5 sigma^2 P T_k), 50 x_ema)), T_k = 1 / 365 year. */
export function skewScale(book: Book, m: Market): Real {
  const variance = mul(m.volatility, m.volatility);
  const byRisk = div((scalingEquity(book, m) * 365n) / 5n, mul(variance, m.price));
  return max(20n * skewCap(book, m), min(byRisk, 50n * m.depth));
}

/**
 * What a change of the skew does to J, leg by leg: toward zero first, then away from it.
 *
 * @param perSquare c
 * @param largest c at the steepest scale: what dust in J may raise the price of the next step to
 */
export function premium(
  ledger: Real,
  before: Real,
  after: Real,
  olderThanRound: Real,
  perSquare: Real,
  largest: Real,
): { paid: Real; rebate: Real; kept: Real } {
  const crosses = (before > 0n && after < 0n) || (before < 0n && after > 0n);
  const [from, to] = [abs(before), abs(after)];
  const rate = from === 0n ? 0n : div(ledger, mul(from, from));
  const bottom = crosses ? 0n : min(from, to);
  const kept = from === 0n ? ledger : mul(rate, mul(bottom, bottom));
  const top = min(abs(olderThanRound), from);
  const rebate = top > bottom ? mul(min(rate, perSquare), mul(top, top) - mul(bottom, bottom)) : 0n;
  const start = crosses ? 0n : from;
  const up = start === 0n ? perSquare : max(min(rate, largest), perSquare);
  const paid = to > start ? mul(up, mul(to, to) - mul(start, start)) : 0n;
  return { paid, rebate, kept };
}

/** phi P times how much further outside the inner band the exposure gets; all of it on a change of sign. */
export function hedgeCharge(before: Real, after: Real, m: Market): Real {
  const outside = (d: Real) => max(0n, abs(d) - m.outerBand / 2n);
  const flips = (before > 0n && after < 0n) || (before < 0n && after > 0n);
  return mul(mul(m.hedgeRate, m.price), max(0n, outside(after) - (flips ? 0n : outside(before))));
}

/** All that a fill moves besides profit and funding. */
export interface Costs {
  side: Real;
  notional: Real;
  paid: Real;
  rebate: Real;
  kept: Real;
  fee: Real;
  hedge: Real;
  fillPrice: Real;
}

/** Costs of a fill of `size` (signed) on a book that is up to date, in a risk state. */
export function fillCosts(
  book: Book,
  m: Market,
  size: Real,
  olderThanRound: Real,
  state: bigint,
): Costs {
  const side = size > 0n ? upper(m) : lower(m);
  const notional = mul(abs(size), side);
  const after = skew(book) + size;
  const perSquare = div(m.price, 2n * skewScale(book, m));
  const largest = div(m.price, 40n * skewCap(book, m));
  const { paid, rebate, kept } = premium(
    book.premium,
    skew(book),
    after,
    olderThanRound,
    perSquare,
    largest,
  );
  const fee = mul(real(state === 0n ? "0.0005" : "0.001"), notional);
  const hedge = hedgeCharge(exposure(book, m), exposure(book, m, after), m);
  const perUnit = div(paid - rebate + fee + hedge, abs(size));
  const fillPrice = size > 0n ? side + perUnit : max(0n, side - perUnit);
  return { side, notional, paid, rebate, kept, fee, hedge, fillPrice };
}

/** Largest |K| a trade that raises it may end at: |K_ref| + 10 % of equity. */
export const speedLimit = (book: Book, m: Market, reference: Real): Real =>
  abs(reference) + div(scalingEquity(book, m) / 10n, m.price);

/** K_ref after `seconds` at a skew that stood still. */
export function skewReference(book: Book, m: Market, start: Real, seconds: bigint): Real {
  const k = skew(book);
  const kept = (k > 0n && start < 0n) || (k < 0n && start > 0n) ? 0n : abs(start);
  const rise = (div(scalingEquity(book, m) / 10n, m.price) * seconds) / 600n;
  return (k < 0n ? -1n : 1n) * min(abs(k), kept + rise);
}

/** The rate a skew leads to, at most 90 % a year. */
export const fundingTarget = (book: Book, m: Market): Real =>
  mul(real("0.9"), clamp(div(skew(book), skewCap(book, m)), -ONE, ONE));

/** The rate relaxes to its target in 3 h; `accrued` is its integral, quote per quote of notional. */
export function fundingAccrual(
  rate: Real,
  target: Real,
  seconds: bigint,
): { accrued: Real; rate: Real } {
  const left = decay(seconds, 10_800n);
  const next = mul(rate, left) + mul(target, ONE - left);
  // dr/dt = (target - r) / tau, so the integral of r is target dt - tau (r_end - r_start)
  const accrued = (target * seconds - (next - rate) * 10_800n) / YEAR;
  return { accrued, rate: next };
}

/** Funding per side and income, over `seconds` at one price. */
export function advance(
  book: Book,
  m: Market,
  rate: Real,
  seconds: bigint,
): { book: Book; rate: Real; perBase: Real } {
  const funding = fundingAccrual(rate, fundingTarget(book, m), seconds);
  const perBase = mul(funding.accrued, m.price);
  const left = decay(seconds, 86_400n);
  const [premiumLeft, incomeLeft] = [mul(book.premium, left), mul(book.income, left)];
  return {
    book: {
      ...book,
      longAccrual: book.longAccrual + mul(book.longSize, perBase),
      shortAccrual: book.shortAccrual - mul(book.shortSize, perBase),
      premium: premiumLeft,
      income: incomeLeft,
      quote: book.quote + (book.premium - premiumLeft) + (book.income - incomeLeft),
    },
    rate: funding.rate,
    perBase,
  };
}

/** MMR = max(1 %, 0.5 % + n / (2 P skewScale) + 4 sigma sqrt(half an hour)). */
export const maintenanceRatio = (size: Real, scale: Real, sigma: Real): Real =>
  max(real("0.01"), real("0.005") + div(abs(size), 2n * scale) + 4n * deviation(sigma, 1_800n));

/** IMR = max(4 %, MMR + 4 sigma sqrt(half an hour)). */
export const initialRatio = (size: Real, scale: Real, sigma: Real): Real =>
  max(real("0.04"), maintenanceRatio(size, scale, sigma) + 4n * deviation(sigma, 1_800n));

/** IMR_liq = max(4 %, MMR + 4 sigma_mm sqrt(half an hour)): what a partial liquidation restores. */
export const restoredRatio = (maintenance: Real, sigma: Real): Real =>
  max(real("0.04"), maintenance + 4n * deviation(sigma, 1_800n));

/** Least notional that a partial liquidation leaves open, quote. */
export const LIQUIDATION_DUST = 500n * ONE;

/**
 * What a liquidation closes, as notional, and takes: z = (IMR_liq n - e) / (IMR_liq - rate) at the rate
 * 0.2 % + 0.6 % (1 - e / (MMR n)); all of it where z reaches n, dust would stay, less than half of the maintenance
 * margin is left or the penalty would take everything.
 */
export function liquidation(
  e: Real,
  notional: Real,
  maintenanceRatio_: Real,
  restored: Real,
): { closed: Real; penalty: Real } {
  const left = max(e, 0n);
  const maintenance = mul(maintenanceRatio_, notional);
  const rate = real("0.002") + mul(real("0.006"), ONE - div(left, maintenance));
  const whole = { closed: notional, penalty: min(mul(rate, notional), left) };
  if (mul(rate, notional) >= left || 2n * left < maintenance) return whole;
  const closed = div(mul(restored, notional) - left, restored - rate);
  if (closed >= notional || notional - closed < LIQUIDATION_DUST) return whole;
  return { closed, penalty: mul(rate, closed) };
}
