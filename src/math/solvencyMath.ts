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
  return (
    prudentCash(book) +
    divFloor(
      prudentValue(
        book,
        price,
        longEntryOf(book),
        longBackingOf(book),
        shortEntryOf(book),
        shortBackingOf(book),
      ),
      WAD,
    )
  );
}

/** The part of h(p) that no price moves, 1e18. */
function prudentCash(book: Book): bigint {
  return (
    book.inventoryQuote + min(book.longAccrual, 0n) + min(book.shortAccrual, 0n) - book.unpaidClaims
  );
}

const longEntryOf = (book: Book): bigint => book.longEntryNotional * WAD;
const shortEntryOf = (book: Book): bigint => book.shortEntryNotional * WAD;
const longBackingOf = (book: Book): bigint => book.longCollateral * COLLATERAL_HAIRCUT_WAD;
const shortBackingOf = (book: Book): bigint => book.shortCollateral * COLLATERAL_HAIRCUT_WAD;

/** The rest of h(p), 1e36: inventory and the losses of both sides as far as they are backed. */
function prudentValue(
  book: Book,
  price: bigint,
  longEntry: bigint,
  longBacking: bigint,
  shortEntry: bigint,
  shortBacking: bigint,
): bigint {
  return (
    book.inventoryBase * price +
    min(longEntry - book.longOpenInterest * price, longBacking) +
    min(book.shortOpenInterest * price - shortEntry, shortBacking)
  );
}

/**
 * E_bid = min(h(P-), h(P+)), quote, rounded down: the worst case inside the price band, because h is concave.
 *
 * @param lower P-
 * @param upper P+
 */
export function equityBid(book: Book, lower: bigint, upper: bigint): bigint {
  return bidOf(
    book,
    lower,
    upper,
    longEntryOf(book),
    longBackingOf(book),
    shortEntryOf(book),
    shortBackingOf(book),
  );
}

function bidOf(
  book: Book,
  lower: bigint,
  upper: bigint,
  a: bigint,
  b: bigint,
  c: bigint,
  d: bigint,
): bigint {
  const worst = min(prudentValue(book, lower, a, b, c, d), prudentValue(book, upper, a, b, c, d));
  return prudentCash(book) + divFloor(worst, WAD);
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
  return requiredOf(
    book,
    price,
    sigmaWad,
    unwindCostPpm,
    longEntryOf(book),
    longBackingOf(book),
    shortEntryOf(book),
    shortBackingOf(book),
  );
}

/**
 * E_bid and R together: half of what they compute is the same.
 *
 * @returns `equityBid` and `requiredCapital`
 */
export function equityBidAndRequired(
  book: Book,
  price: bigint,
  lower: bigint,
  upper: bigint,
  sigmaWad: bigint,
  unwindCostPpm: bigint,
): [equityBid: bigint, required: bigint] {
  const a = longEntryOf(book);
  const b = longBackingOf(book);
  const c = shortEntryOf(book);
  const d = shortBackingOf(book);
  return [
    bidOf(book, lower, upper, a, b, c, d),
    requiredOf(book, price, sigmaWad, unwindCostPpm, a, b, c, d),
  ];
}

/** P (1 - m) rounded down and P (1 + m) rounded up. */
const gapsOf = rememberLastPair((price, gap) => ({
  lower: (price * (WAD - gap)) / WAD,
  upper: divCeil(price * (WAD + gap), WAD),
}));

function requiredOf(
  book: Book,
  price: bigint,
  sigmaWad: bigint,
  unwindCostPpm: bigint,
  a: bigint,
  b: bigint,
  c: bigint,
  d: bigint,
): bigint {
  const gap = gapsOf(price, gapWad(sigmaWad));
  const worst = min(
    prudentValue(book, gap.lower, a, b, c, d),
    prudentValue(book, gap.upper, a, b, c, d),
  );
  const now = prudentValue(book, price, a, b, c, d);
  const loss = worst < now ? divFloor(now, WAD) - divFloor(worst, WAD) : 0n;
  const gross = (book.longOpenInterest + book.shortOpenInterest) * price;
  const delta = divCeil(magnitude(book.inventoryBase - skew(book)) * price, WAD);
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
