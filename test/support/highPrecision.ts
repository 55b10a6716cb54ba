import { expect } from "chai";

/**
 * Real numbers with 40 decimals, for checking what the contracts compute with 18. A real x is held as the bigint
 * x * 10^40. The functions use other methods than the contracts (series and integer Newton steps instead of rational
 * approximations), with ten guard digits, so that an error in one is not an error in the other.
 */

/** x * 10^40. */
export type Real = bigint;

const DECIMALS = 40n;
/** Digits carried beyond the forty while a series is summed. */
const GUARD = 10n ** 10n;

/** 1 as a real. */
export const ONE: Real = 10n ** DECIMALS;
/** Seconds of a year of 365 days. */
export const YEAR = 31_536_000n;
/** 1e18, the contracts' unit. */
export const WAD = 10n ** 18n;

const WAD_TO_REAL = ONE / WAD;
const FINE = ONE * GUARD;

/**
 * Integer or quotient as a real, toward minus infinity.
 *
 * @example
 * real(1n, 8n) === 125n * 10n ** 37n
 */
export function real(numerator: bigint, denominator = 1n): Real {
  return floorDiv(numerator * ONE, denominator);
}

/** A contract's 18-decimal number as a real, exactly. */
export function fromWad(wad: bigint): Real {
  return wad * WAD_TO_REAL;
}

/** Largest 18-decimal number that is not above `x`. */
export function floorWad(x: Real): bigint {
  return floorDiv(x, WAD_TO_REAL);
}

/** Smallest 18-decimal number that is not below `x`. */
export function ceilWad(x: Real): bigint {
  return -floorDiv(-x, WAD_TO_REAL);
}

/** Product of two reals or more, each step toward minus infinity. */
export function mul(...factors: [Real, ...Real[]]): Real {
  return factors.reduce((product, factor) => floorDiv(product * factor, ONE));
}

/** Quotient of two reals, toward minus infinity. */
export function div(x: Real, y: Real): Real {
  return floorDiv(x * ONE, y);
}

/** Distance from zero. */
export function abs(x: bigint): bigint {
  return x < 0n ? -x : x;
}

/** The least of some numbers. */
export function min(...values: [bigint, ...bigint[]]): bigint {
  return values.reduce((least, value) => (value < least ? value : least));
}

/** The greatest of some numbers. */
export function max(...values: [bigint, ...bigint[]]): bigint {
  return values.reduce((most, value) => (value > most ? value : most));
}

/** Square root, toward zero. */
export function sqrt(x: Real): Real {
  return integerRoot(x * ONE, 2n);
}

/** Cube root, toward zero. */
export function cbrt(x: Real): Real {
  return integerRoot(x * ONE * ONE, 3n);
}

/** e^x. The argument is halved until the Taylor series is short, then the result is squared back. */
export function exp(x: Real): Real {
  if (x < 0n) return floorDiv(ONE * ONE, exp(-x));
  // Squaring k times multiplies the relative error by 2^k; 2^20 leaves four of the ten guard digits.
  const halvings = 20n;
  const step = (x * GUARD) >> halvings;
  let term = FINE;
  let sum = FINE;
  for (let n = 1n; term > 0n; n += 1n) {
    term = (term * step) / (FINE * n);
    sum += term;
  }
  for (let n = 0n; n < halvings; n += 1n) sum = (sum * sum) / FINE;
  return sum / GUARD;
}

/** Natural logarithm of a positive number: powers of two taken out, the rest by 2 atanh((x - 1) / (x + 1)). */
export function ln(x: Real): Real {
  if (x <= 0n) throw new RangeError(`no logarithm of ${x}`);
  let mantissa = x * GUARD;
  let doublings = 0n;
  for (; mantissa > (FINE * 4n) / 3n; doublings += 1n) mantissa /= 2n;
  for (; mantissa < (FINE * 2n) / 3n; doublings -= 1n) mantissa *= 2n;
  const two = doublings * twiceArtanh(FINE / 3n);
  return (twiceArtanh(((mantissa - FINE) * FINE) / (mantissa + FINE)) + two) / GUARD;
}

/** 2 (z + z^3 / 3 + z^5 / 5 + ...), with the guard digits; ln 2 at z = 1/3. */
function twiceArtanh(z: bigint): bigint {
  const square = (z * z) / FINE;
  let power = z;
  let sum = 0n;
  for (let n = 1n; power !== 0n; n += 2n) {
    sum += power / n;
    power = (power * square) / FINE;
  }
  return 2n * sum;
}

/** Largest r with r^degree <= value: Newton from above. */
function integerRoot(value: bigint, degree: bigint): bigint {
  if (value < 0n) throw new RangeError(`no root of ${value}`);
  if (value === 0n) return 0n;
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / Number(degree)));
  for (;;) {
    const next = ((degree - 1n) * root + value / root ** (degree - 1n)) / degree;
    if (next >= root) return root;
    root = next;
  }
}

/** Quotient toward minus infinity, for divisors of either sign. */
function floorDiv(x: bigint, y: bigint): bigint {
  const quotient = x / y;
  return quotient * y !== x && x < 0n !== y < 0n ? quotient - 1n : quotient;
}

/**
 * Says what is wrong when a contract's 18-decimal number is farther from the exact one than the tolerance.
 *
 * @param actual what the contract returned, 18 decimals
 * @param exact what it should be
 * @param units allowed distance in the contract's last place
 * @param relative allowed distance as a fraction of the exact number, on top
 * @throws Error with both numbers and the distance
 */
export function expectWithin(
  actual: bigint,
  exact: Real,
  units: bigint,
  relative: Real = 0n,
): void {
  const distance = abs(fromWad(actual) - exact);
  const allowed = units * WAD_TO_REAL + mul(abs(exact), relative);
  if (distance <= allowed) return;
  expect.fail(
    `${actual} x 1e-18 is ${distance} x 1e-40 from ${exact} x 1e-40, allowed ${allowed} x 1e-40`,
  );
}

/** Like `expectWithin`, and the number must not be above the exact one: a result rounded down. */
export function expectBelow(actual: bigint, exact: Real, units: bigint, relative: Real = 0n): void {
  expectWithin(actual, exact, units, relative);
  if (fromWad(actual) > exact) expect.fail(`${actual} is above ${exact} x 1e-40`);
}

/** Like `expectWithin`, and the number must not be below the exact one: a result rounded up. */
export function expectAbove(actual: bigint, exact: Real, units: bigint, relative: Real = 0n): void {
  expectWithin(actual, exact, units, relative);
  if (fromWad(actual) < exact) expect.fail(`${actual} is below ${exact} x 1e-40`);
}
