/**
 * Equity, exposure and required capital of the margin pool: the exact twin of `contracts/libraries/SolvencyMath.sol`.
 *
 * Everything is 18-decimal: quote and base in whole tokens x 1e18, prices quote per base, ratios 1e18. Formulas: docs/mathematics.md,
 * "Equity and exposure". The domain is Solidity's: amounts below 2^127, prices above 0 and below 2^120. Beyond it Solidity may wrap
 * around at 256 bits where a bigint does not.
 */
import { checkedDiv, clamp, MAX_UINT256, max, min, mulWad, WAD } from "./fixedPoint.ts";
import { rememberLast, rememberLastPair } from "./memo.ts";
import { divCeil, divFloor, magnitude } from "./signedWadMath.ts";
import { dayDeviationWad } from "./volatilityMath.ts";

export { WAD } from "./fixedPoint.ts";

/** The margin pool's aggregates, scaled to 18 decimals. */
export interface Book {
  /** b */
  inventoryBase: bigint;
  /** q */
  inventoryQuote: bigint;
  /** OI_L, base */
  longOpenInterest: bigint;
  /** OI_S, base */
  shortOpenInterest: bigint;
  /** N_L */
  longEntryNotional: bigint;
  /** N_S */
  shortEntryNotional: bigint;
  /** C_L */
  longCollateral: bigint;
  /** C_S */
  shortCollateral: bigint;
  /** A_L */
  longAccrual: bigint;
  /** A_S */
  shortAccrual: bigint;
  /** J */
  skewPremium: bigint;
  /** S */
  pendingIncome: bigint;
  /** Z */
  unpaidClaims: bigint;
}

/** Amounts are below it. */
export const MAXIMUM_AMOUNT = 1n << 127n;

/** Prices are below it. */
export const MAXIMUM_PRICE = 1n << 120n;

/** kappa: the part of a side's collateral that counts against its losses. */
export const COLLATERAL_HAIRCUT_WAD = 900_000_000_000_000_000n;

/** b* never asks for more base than 98 % of what the pool owns could buy. */
export const MAXIMUM_BASE_SHARE_WAD = 980_000_000_000_000_000n;

/** R is computed for price gaps of six standard deviations of a day, ... */
export const GAP_DEVIATIONS_WAD = 6n * WAD;

/** ... at least 20 % ... */
export const GAP_MINIMUM_WAD = 200_000_000_000_000_000n;

/** ... and at most 50 %. */
export const GAP_MAXIMUM_WAD = 500_000_000_000_000_000n;

/** Losses that netting inside a side hides: 4 % of gross open interest. */
export const GROSS_CHARGE_WAD = 40_000_000_000_000_000n;

/** Exposure is judged by a shock of 2.82 standard deviations of a day, ... */
export const SHOCK_DEVIATIONS_WAD = 2_820_000_000_000_000_000n;

/** ... at least 20 %. */
export const SHOCK_MINIMUM_WAD = 200_000_000_000_000_000n;

/** A pool whose exposure a shock would make pay for with more than 5 % of equity is Guarded, ... */
export const GUARDED_SHOCK_WAD = 50_000_000_000_000_000n;

/** ... until it is 4 %. */
export const UNGUARDED_SHOCK_WAD = 40_000_000_000_000_000n;

/** 100 % in the unit of fees and costs. */
export const PPM = 1_000_000n;

/** Below one whole quote token equity counts as one wherever something is divided by or scaled with it. */
export const EQUITY_FLOOR = WAD;

/** x 1e18 / 25 is 4 % of x: two roundings up in a row are one, since 4 % is one part of a whole number. */
const GROSS_DIVISOR = (WAD * WAD) / GROSS_CHARGE_WAD;

/**
 * K = OI_L - OI_S, base.
 */
export function skew(book: Book): bigint {
  return book.longOpenInterest - book.shortOpenInterest;
}

/**
 * U(p) = OI_L p - N_L + N_S - OI_S p: what traders have gained, quote. Rounded up, against LPs.
 */
export function traderProfitUp(book: Book, price: bigint): bigint {
  return divCeil(skew(book) * price, WAD) - book.longEntryNotional + book.shortEntryNotional;
}

/**
 * E = q + b P - U(P) + A_L + A_S - Z, quote, rounded down.
 */
export function equity(book: Book, price: bigint): bigint {
  return (
    book.inventoryQuote +
    book.longEntryNotional -
    book.shortEntryNotional +
    book.longAccrual +
    book.shortAccrual -
    book.unpaidClaims +
    divFloor((book.inventoryBase - skew(book)) * price, WAD)
  );
}

/**
 * h(p): equity that counts a side's losses only up to the collateral behind them, quote. Concave in p. Rounded down.
 */
export function prudentEquity(book: Book, price: bigint): bigint {
  const h = prudentOf(book);
  return h.cash + divFloor(valueAt(h, price, true, true), WAD);
}

/** h(p) taken apart: it is `cash` and what `valueAt` says of p. */
interface Prudent {
  /** 1e18; gains that funding has yet to bring are not in it. */
  readonly cash: bigint;
  /** b - K */
  readonly exposure: bigint;
  readonly long: bigint;
  readonly short: bigint;
  /** Value of all longs below which they have lost more than what backs them, 1e36. */
  readonly longLimit: bigint;
  /** Value of all shorts above which they have, 1e36. */
  readonly shortLimit: bigint;
}

function prudentOf(book: Book): Prudent {
  const { longEntryNotional, shortEntryNotional } = book;
  return {
    cash:
      book.inventoryQuote +
      longEntryNotional -
      shortEntryNotional +
      min(book.longAccrual, 0n) +
      min(book.shortAccrual, 0n) -
      book.unpaidClaims,
    exposure: book.inventoryBase - skew(book),
    long: book.longOpenInterest,
    short: book.shortOpenInterest,
    longLimit: longEntryNotional * WAD - book.longCollateral * COLLATERAL_HAIRCUT_WAD,
    shortLimit: shortEntryNotional * WAD + book.shortCollateral * COLLATERAL_HAIRCUT_WAD,
  };
}

/** The exposure at a price less the losses that nothing backs, 1e36. For the last two arguments see `unbackedAt`. */
function valueAt(h: Prudent, price: bigint, longsMayLack: boolean, shortsMayLack: boolean): bigint {
  return h.exposure * price - unbackedAt(h, price, longsMayLack, shortsMayLack);
}

/**
 * Losses beyond what backs them, 1e36.
 *
 * @param longsMayLack whether longs may have any; saves a product where it is known that they have not
 * @param shortsMayLack the same of shorts
 */
function unbackedAt(
  h: Prudent,
  price: bigint,
  longsMayLack: boolean,
  shortsMayLack: boolean,
): bigint {
  const longs = longsMayLack ? max(h.longLimit - h.long * price, 0n) : 0n;
  return shortsMayLack ? longs + max(h.short * price - h.shortLimit, 0n) : longs;
}

/**
 * E_bid = min(h(P-), h(P+)), quote, rounded down: the worst case inside the price band, because h is concave.
 *
 * @param lower P-
 * @param upper P+
 */
export function equityBid(book: Book, lower: bigint, upper: bigint): bigint {
  return bidOf(prudentOf(book), lower, upper, true, true);
}

function bidOf(
  h: Prudent,
  lower: bigint,
  upper: bigint,
  longsMayLack: boolean,
  shortsMayLack: boolean,
): bigint {
  const worst = min(
    valueAt(h, lower, longsMayLack, shortsMayLack),
    valueAt(h, upper, longsMayLack, shortsMayLack),
  );
  return h.cash + divFloor(worst, WAD);
}

/**
 * E_ask: the best case at either end of the band, income on its way included, quote. Rounded up.
 *
 * @param lower P-
 * @param upper P+
 */
export function equityAsk(book: Book, lower: bigint, upper: bigint): bigint {
  const exposure = book.inventoryBase - skew(book);
  return (
    divCeil(exposure * (exposure > 0n ? upper : lower), WAD) +
    book.inventoryQuote +
    book.longEntryNotional -
    book.shortEntryNotional +
    max(book.longAccrual, 0n) +
    max(book.shortAccrual, 0n) +
    book.skewPremium +
    book.pendingIncome -
    book.unpaidClaims
  );
}

/**
 * max(E, 1 quote).
 *
 * @example
 * scalingEquity(-1n); // 1000000000000000000n
 */
export function scalingEquity(equity_: bigint): bigint {
  return max(equity_, EQUITY_FLOOR);
}

/**
 * K + w E / P, toward zero: the base that would hold the wanted risk, whether or not it can be held.
 *
 * @param weight w, at most 1e18
 * @throws {Revert} Panic 0x12 when `price` is 0
 * @example
 * wantedInventory(-WAD, 200n * WAD, 1_000n * WAD, WAD / 2n); // 1500000000000000000n
 */
export function wantedInventory(
  skew_: bigint,
  price: bigint,
  equity_: bigint,
  weight: bigint,
): bigint {
  return skew_ + checkedDiv(weight * scalingEquity(equity_), price);
}

/**
 * q + b P, quote, rounded down, not below zero.
 */
export function holdingsDown(book: Book, price: bigint): bigint {
  return max(book.inventoryQuote + (book.inventoryBase * price) / WAD, 0n);
}

/**
 * 0.98 (q + b P) / P, rounded down: the base that could be held.
 *
 * @throws {Revert} Panic 0x12 when `price` is 0
 */
export function possibleInventory(book: Book, price: bigint): bigint {
  return checkedDiv(MAXIMUM_BASE_SHARE_WAD * holdingsDown(book, price), price);
}

/**
 * b* = clamp(K + w E / P, 0, 0.98 (q + b P) / P), base, for a skew K that need not be the book's.
 *
 * @param weight w, at most 1e18
 * @throws {Revert} Panic 0x12 when `price` is 0
 */
export function targetInventory(
  book: Book,
  skew_: bigint,
  price: bigint,
  equity_: bigint,
  weight: bigint,
): bigint {
  const wanted = max(wantedInventory(skew_, price, equity_, weight), 0n);
  return min(wanted, possibleInventory(book, price));
}

/**
 * m = clamp(6 sigma sqrt(1 day), 20 %, 50 %), 1e18.
 *
 * @example
 * gapWad(WAD); // 314054353554128220n
 */
export function gapWad(sigmaWad: bigint): bigint {
  return rememberedGap(sigmaWad);
}

const rememberedGap = rememberLast((sigmaWad) =>
  clamp(mulWad(GAP_DEVIATIONS_WAD, dayDeviationWad(sigmaWad)), GAP_MINIMUM_WAD, GAP_MAXIMUM_WAD),
);

/**
 * max(2.82 sigma sqrt(1 day), 20 %), 1e18.
 *
 * @example
 * shockWad(2n * WAD); // 295211092340880526n
 */
export function shockWad(sigmaWad: bigint): bigint {
  return rememberedShock(sigmaWad);
}

const rememberedShock = rememberLast((sigmaWad) =>
  max(mulWad(SHOCK_DEVIATIONS_WAD, dayDeviationWad(sigmaWad)), SHOCK_MINIMUM_WAD),
);

/**
 * R = max(0, h(P) - h(P (1 - m)), h(P) - h(P (1 + m))) + 4 % (OI_L + OI_S) P + eps |b - K| P, quote. Rounded up.
 *
 * @param unwindCostPpm eps, 1e6 = 100 %
 */
export function requiredCapital(
  book: Book,
  price: bigint,
  sigmaWad: bigint,
  unwindCostPpm: bigint,
): bigint {
  const h = prudentOf(book);
  return requiredOf(h, price, h.exposure * price, sigmaWad, unwindCostPpm, true, true);
}

/**
 * E, E_bid and R together: much of what they compute is the same, and a side that is backed all over the price band is so beyond its
 * better end too.
 *
 * @param lower P-, at most P
 * @param upper P+, at least P
 * @returns `equity`, `equityBid` and `requiredCapital`
 */
export function solvencyOf(
  book: Book,
  price: bigint,
  lower: bigint,
  upper: bigint,
  sigmaWad: bigint,
  unwindCostPpm: bigint,
): { equity: bigint; equityBid: bigint; required: bigint } {
  const h = prudentOf(book);
  const longsMayLack = h.long * lower < h.longLimit;
  const shortsMayLack = h.short * upper > h.shortLimit;
  const exposed = h.exposure * price;
  return {
    equity:
      h.cash + max(book.longAccrual, 0n) + max(book.shortAccrual, 0n) + divFloor(exposed, WAD),
    equityBid: bidOf(h, lower, upper, longsMayLack, shortsMayLack),
    required: requiredOf(h, price, exposed, sigmaWad, unwindCostPpm, longsMayLack, shortsMayLack),
  };
}

/** P (1 - m) rounded down and P (1 + m) rounded up. */
const gapsOf = rememberLastPair((price, gap) => ({
  lower: (price * (WAD - gap)) / WAD,
  upper: divCeil(price * (WAD + gap), WAD),
}));

/**
 * R
 *
 * @param exposed (b - K) P, 1e36
 * @param longsMayLack whether longs may lack at P or above
 * @param shortsMayLack whether shorts may lack at P or below
 */
function requiredOf(
  h: Prudent,
  price: bigint,
  exposed: bigint,
  sigmaWad: bigint,
  unwindCostPpm: bigint,
  longsMayLack: boolean,
  shortsMayLack: boolean,
): bigint {
  const gap = gapsOf(price, gapWad(sigmaWad));
  const worst = min(
    valueAt(h, gap.lower, true, shortsMayLack),
    valueAt(h, gap.upper, longsMayLack, true),
  );
  const now = exposed - unbackedAt(h, price, longsMayLack, shortsMayLack);
  const loss = worst < now ? divFloor(now, WAD) - divFloor(worst, WAD) : 0n;
  const gross = (h.long + h.short) * price;
  const delta = divCeil(magnitude(exposed), WAD);
  return loss + divCeil(gross, GROSS_DIVISOR) + divCeil(delta * unwindCostPpm, PPM);
}

/**
 * SR = E_bid / R, 1e18, rounded down; the largest number when nothing is required of a pool that owes nothing, as an empty one;
 * otherwise 0 when E_bid is not positive.
 *
 * @example
 * solvencyRatioWad(3n, 2n); // 1500000000000000000n
 * solvencyRatioWad(-1n, 0n); // 0n
 */
export function solvencyRatioWad(equityBid_: bigint, required: bigint): bigint {
  if (required === 0n && equityBid_ >= 0n) return MAX_UINT256;
  if (equityBid_ <= 0n) return 0n;
  return (equityBid_ * WAD) / required;
}
