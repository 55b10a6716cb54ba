/**
 * Whole-number arithmetic of the replay: 18-decimal values with the rounding in the name, roots, and the exponential by
 * its series. Nothing here comes from the contracts or from their models.
 */

/** 1e18. */
export const WAD = 10n ** 18n;
export const PPM = 1_000_000n;
export const DAY = 86_400n;
export const HOUR = 3_600n;
export const MINUTE = 60n;
/** Seconds of a year of 365 days. */
export const YEAR = 365n * DAY;

export const abs = (x: bigint): bigint => (x < 0n ? -x : x);
export const min = (x: bigint, y: bigint): bigint => (x < y ? x : y);
export const max = (x: bigint, y: bigint): bigint => (x > y ? x : y);
export const clamp = (x: bigint, low: bigint, high: bigint): bigint => min(max(x, low), high);
/** Zero is on no side. */
export const oppositeSigns = (x: bigint, y: bigint): boolean =>
  (x < 0n && y > 0n) || (x > 0n && y < 0n);

/** x / d toward minus infinity; d > 0. */
export function floorDiv(x: bigint, d: bigint): bigint {
  return x % d < 0n ? x / d - 1n : x / d;
}

/** x / d toward plus infinity; d > 0. */
export function ceilDiv(x: bigint, d: bigint): bigint {
  return x % d > 0n ? x / d + 1n : x / d;
}

/** x y / 1e18 toward minus infinity. */
export const mulFloor = (x: bigint, y: bigint): bigint => floorDiv(x * y, WAD);
/** x y / 1e18 toward plus infinity. */
export const mulCeil = (x: bigint, y: bigint): bigint => ceilDiv(x * y, WAD);

/** Largest r with r^degree <= x, bit by bit. */
export function rootFloor(x: bigint, degree: bigint): bigint {
  const bits = BigInt(x.toString(2).length);
  let root = 0n;
  for (let bit = 1n << (bits / degree + 1n); bit > 0n; bit >>= 1n) {
    if ((root + bit) ** degree <= x) root += bit;
  }
  return root;
}

const FINE = 10n ** 54n;
const HALVINGS = 16n;

/** e^-x for an 18-decimal x that is not negative, rounded down to 18 decimals. */
export function expMinusFloor(x: bigint): bigint {
  // Taylor's series at x / 2^16, squared sixteen times over: 54 decimals leave more than thirty exact ones.
  const small = (x * (FINE / WAD)) >> HALVINGS;
  let term = FINE;
  let sum = FINE;
  for (let n = 1n; term !== 0n; n += 1n) {
    term = (-term * small) / (FINE * n);
    sum += term;
  }
  for (let n = 0n; n < HALVINGS; n += 1n) sum = (sum * sum) / FINE;
  return sum / (FINE / WAD);
}

/** 1 - exp(-elapsed / timeConstant), 1e18: the share of a ledger or a gap that `elapsed` seconds take away. */
export function fadedShare(elapsed: bigint, timeConstant: bigint): bigint {
  // After a hundred time constants nothing is left in any case.
  return WAD - expMinusFloor((min(elapsed, 100n * timeConstant) * WAD) / timeConstant);
}
