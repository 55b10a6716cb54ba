/**
 * Human numbers <-> token units, exactly. Amounts are `bigint` everywhere; a decimal string is the only other form
 * they take, and nothing is rounded without being asked to.
 */

import { sqrt } from "./math/fixedPoint.ts";

export { WAD } from "./math/fixedPoint.ts";

/** A ratio, rate or price scaled by 1e18. */
export type Wad = bigint & { readonly __unit?: "wad" };
/** An amount of the base token in its own units (18 decimals in the simulation). */
export type BaseUnits = bigint & { readonly __unit?: "base" };
/** An amount of the quote token in its own units (6 decimals in the simulation). */
export type QuoteUnits = bigint & { readonly __unit?: "quote" };

/** Decimals of a `Wad`. */
export const WAD_DECIMALS = 18;

/** Powers of ten that a double holds exactly. */
const POWERS_OF_TEN = [
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18, 1e19, 1e20, 1e21, 1e22,
] as const;
const EXACT_DOUBLE = 2n ** 53n;
const FEED_ZEROS = 10;
const FEED_TAIL = 10n ** 10n;

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?$/;

/**
 * Reads a decimal string as an integer scaled by `10 ** decimals`.
 *
 * @param text plain decimal notation, e.g. `-12.5`; no exponent, no separators
 * @param decimals digits after the point that the result keeps
 * @throws RangeError when the text is no decimal number or has more digits than `decimals`
 * @example parseDecimal("1.5", 6) // 1500000n
 */
export function parseDecimal(text: string, decimals: number): bigint {
  const match = DECIMAL.exec(text);
  if (match === null) throw new RangeError(`"${text}" is not a decimal number`);
  const fraction = (match[3] ?? "").replace(/0+$/, "");
  if (fraction.length > decimals)
    throw new RangeError(`"${text}" has more than ${decimals} decimals`);
  const magnitude = BigInt((match[2] ?? "0") + fraction.padEnd(decimals, "0"));
  return match[1] === "-" ? -magnitude : magnitude;
}

/**
 * Writes an integer scaled by `10 ** decimals` as a decimal string without trailing zeros.
 *
 * @param value the scaled integer
 * @param decimals digits after the point that `value` has
 * @example formatDecimal(1500000n, 6) // "1.5"
 */
export function formatDecimal(value: bigint, decimals: number): string {
  const sign = value < 0n ? "-" : "";
  const digits = absolute(value)
    .toString()
    .padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return fraction === "" ? sign + whole : `${sign}${whole}.${fraction}`;
}

/**
 * Writes an amount for people: rounded half away from zero to `fractionDigits`, thousands separated by commas.
 *
 * @example formatHuman(1234567890n, 6, 2) // "1,234.57"
 */
export function formatHuman(value: bigint, decimals: number, fractionDigits: number): string {
  const shown = Math.min(fractionDigits, decimals);
  const divisor = 10n ** BigInt(decimals - shown);
  const magnitude = (absolute(value) + divisor / 2n) / divisor;
  const digits = magnitude.toString().padStart(shown + 1, "0");
  const whole = digits.slice(0, digits.length - shown).replace(/\B(?=(\d{3})+$)/g, ",");
  const sign = value < 0n && magnitude !== 0n ? "-" : "";
  const fraction = digits.slice(digits.length - shown).padEnd(fractionDigits, "0");
  return sign + (fractionDigits === 0 ? whole : `${whole}.${fraction}`);
}

/**
 * Writes a `Wad` ratio as a percentage for people.
 *
 * @example formatPercent(WAD / 20n, 2) // "5.00 %"
 */
export function formatPercent(ratio: Wad, fractionDigits: number): string {
  return `${formatHuman(ratio * 100n, WAD_DECIMALS, fractionDigits)} %`;
}

/** The nearest double, for charts and for agents' estimates; never for amounts that reach the protocol. */
export function toNumber(value: bigint, decimals: number): number {
  if (value < EXACT_DOUBLE && value > -EXACT_DOUBLE && decimals < POWERS_OF_TEN.length) {
    // Both operands are exact: the division rounds once.
    return Number(value) / (POWERS_OF_TEN[decimals] as number);
  }
  if (decimals > FEED_ZEROS) {
    const short = value / FEED_TAIL; // prices end in zeros after the feed's 8 decimals
    if (short * FEED_TAIL === value) return toNumber(short, decimals - FEED_ZEROS);
  }
  return Number(formatDecimal(value, decimals));
}

/**
 * A double within two roundings of the exact value, fast for any amount: for estimates made at every step.
 *
 * @param decimals 0 to 22
 */
export function toNumberFast(value: bigint, decimals: number): number {
  return Number(value) / (POWERS_OF_TEN[decimals] as number);
}

/** |value|. */
export function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}

const KNOWN_POWERS = Array.from({ length: 37 }, (_, exponent) => 10n ** BigInt(exponent));

/** 10 ** exponent, exactly. */
export function powerOfTen(exponent: number): bigint {
  return KNOWN_POWERS[exponent] ?? 10n ** BigInt(exponent);
}

/** Moves a scaled integer to other decimals, truncating toward zero. */
export function rescale(value: bigint, fromDecimals: number, toDecimals: number): bigint {
  return toDecimals >= fromDecimals
    ? value * powerOfTen(toDecimals - fromDecimals)
    : value / powerOfTen(fromDecimals - toDecimals);
}

/**
 * Integer square root, rounded down.
 *
 * @throws RangeError for negative values
 * @example squareRootDown(99n) // 9n
 */
export function squareRootDown(value: bigint): bigint {
  if (value < 0n) throw new RangeError(`square root of a negative number: ${value}`);
  return sqrt(value);
}
