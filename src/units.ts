/**
 * Human numbers <-> token units, exactly. Amounts are `bigint` everywhere; a decimal string is the only other form
 * they take, and nothing is rounded without being asked to.
 */

/** A ratio, rate or price scaled by 1e18. */
export type Wad = bigint & { readonly __unit?: "wad" };
/** An amount of the base token in its own units (18 decimals in the simulation). */
export type BaseUnits = bigint & { readonly __unit?: "base" };
/** An amount of the quote token in its own units (6 decimals in the simulation). */
export type QuoteUnits = bigint & { readonly __unit?: "quote" };

/** 1.0 as a `Wad`. */
export const WAD = 10n ** 18n;
/** Decimals of a `Wad`. */
export const WAD_DECIMALS = 18;

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
  return Number(formatDecimal(value, decimals));
}

/** |value|. */
export function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** Moves a scaled integer to other decimals, truncating toward zero. */
export function rescale(value: bigint, fromDecimals: number, toDecimals: number): bigint {
  return toDecimals >= fromDecimals
    ? value * 10n ** BigInt(toDecimals - fromDecimals)
    : value / 10n ** BigInt(fromDecimals - toDecimals);
}

/**
 * Integer square root, rounded down (Newton's method).
 *
 * @throws RangeError for negative values
 */
export function squareRootDown(value: bigint): bigint {
  if (value < 0n) throw new RangeError(`square root of a negative number: ${value}`);
  if (value < 2n) return value;
  let estimate = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (estimate + value / estimate) >> 1n;
    if (next >= estimate) return estimate;
    estimate = next;
  }
}
