/**
 * Exponentially weighted variance of irregular samples: the exact twin of `contracts/libraries/VolatilityMath.sol`.
 *
 * Variances are per year of 365 days, volatilities per square root of a year, both 1e18; times are seconds. Formulas:
 * docs/mathematics.md, "Price and volatility". The domain is Solidity's: prices, variances and volatilities below 2^128, time constants
 * below 2^64. Beyond it Solidity may wrap around at 256 bits where a bigint does not.
 */
import {
  checkedMul,
  clamp,
  expWad,
  lnWad,
  max,
  min,
  mulWad,
  rawDiv,
  sqrtWad,
  WAD,
} from "./fixedPoint.ts";
import { remember } from "./memo.ts";

export { WAD } from "./fixedPoint.ts";

/** Seconds of 365 days. */
export const YEAR = 31_536_000n;

/** The weight of a sample falls to 1/e in 6 hours. */
export const FAST_TIME_CONSTANT = 21_600n;

/** The weight of a sample falls to 1/e in 16.2 days. */
export const SLOW_TIME_CONSTANT = 1_399_680n;

/** (25 %)^2: one sample never says more than a move of a quarter. */
export const MAXIMUM_SQUARED_RETURN_WAD = 62_500_000_000_000_000n;

/** 40 %. */
export const FLOOR_WAD = 400_000_000_000_000_000n;

/** 300 %. */
export const CEILING_WAD = 3n * WAD;

/** sqrt(1 day / 1 year), rounded down. */
export const DAY_DEVIATION_WAD = 52_342_392_259_021_370n;

/** sqrt(30 minutes / 1 year), rounded down. */
export const HALF_HOUR_DEVIATION_WAD = 7_554_973_565_193_742n;

/** sigma_mm rises by at most 10 % per hour. */
export const MAINTENANCE_RISE_PER_HOUR_WAD = 100_000_000_000_000_000n;

/** A gap between samples counts for at most 10 minutes. */
export const MAINTENANCE_MAXIMUM_ELAPSED = 600n;

const HOUR = 3_600n;

/**
 * r^2 = min(ln(price / lastPrice)^2, (25 %)^2), 1e18. Both prices above 0.
 *
 * @example
 * squaredReturnWad(101n * WAD, 100n * WAD); // 99009084087508n
 */
export function squaredReturnWad(priceWad: bigint, lastPriceWad: bigint): bigint {
  const logReturn = lnWad(max(rawDiv(priceWad * WAD, lastPriceWad), 1n));
  return min((logReturn * logReturn) / WAD, MAXIMUM_SQUARED_RETURN_WAD);
}

/**
 * 1 - exp(-dt / tau), 1e18: the weight of what happened during `elapsed`.
 *
 * @param elapsed dt in seconds
 * @param timeConstant tau in seconds, above 0
 * @example
 * decayWeightWad(3_600n, FAST_TIME_CONSTANT); // 153518275109385926n
 */
export function decayWeightWad(elapsed: bigint, timeConstant: bigint): bigint {
  return rememberedDecayWeight(elapsed, timeConstant);
}

const rememberedDecayWeight = remember((elapsed, timeConstant) => {
  const exponent = rawDiv(min(elapsed, 100n * timeConstant) * WAD, timeConstant);
  return WAD - expWad(-exponent);
});

/**
 * v <- exp(-dt/tau) v + (1 - exp(-dt/tau)) r^2 / dt, both parts rounded down.
 *
 * @param varianceWad v, per year
 * @param squaredReturn r^2, 1e18
 * @param elapsed dt, at least 1 second
 * @param timeConstant tau in seconds, above 0
 */
export function updatedVarianceWad(
  varianceWad: bigint,
  squaredReturn: bigint,
  elapsed: bigint,
  timeConstant: bigint,
): bigint {
  const weight = decayWeightWad(elapsed, timeConstant);
  const sampleVariance = rawDiv(squaredReturn * YEAR, elapsed);
  return (varianceWad * (WAD - weight)) / WAD + (sampleVariance * weight) / WAD;
}

/**
 * sigma = clamp(sqrt(max(v_fast, v_slow)), 40 %, 300 %), rounded down.
 *
 * @example
 * volatilityWad(WAD / 4n, WAD); // 1000000000000000000n
 */
export function volatilityWad(fastVarianceWad: bigint, slowVarianceWad: bigint): bigint {
  return clamp(sqrtWad(max(fastVarianceWad, slowVarianceWad)), FLOOR_WAD, CEILING_WAD);
}

/**
 * sigma_mm follows sigma down at once and up by at most 10 % per hour, 10 minutes at a time.
 *
 * @example
 * maintenanceVolatilityWad(WAD, 2n * WAD, 360n); // 1010000000000000000n
 */
export function maintenanceVolatilityWad(
  maintenanceWad: bigint,
  sigmaWad: bigint,
  elapsed: bigint,
): bigint {
  const counted = min(elapsed, MAINTENANCE_MAXIMUM_ELAPSED);
  const riseWad = (MAINTENANCE_RISE_PER_HOUR_WAD * counted) / HOUR;
  return min(sigmaWad, maintenanceWad + (maintenanceWad * riseWad) / WAD);
}

/**
 * sigma sqrt(1 day), 1e18, rounded down.
 *
 * @example
 * dayDeviationWad(WAD); // 52342392259021370n
 */
export function dayDeviationWad(sigmaWad: bigint): bigint {
  return (sigmaWad * DAY_DEVIATION_WAD) / WAD;
}

/**
 * sigma sqrt(30 minutes), 1e18, rounded down.
 *
 * @example
 * halfHourDeviationWad(WAD); // 7554973565193742n
 */
export function halfHourDeviationWad(sigmaWad: bigint): bigint {
  return (sigmaWad * HALF_HOUR_DEVIATION_WAD) / WAD;
}

/**
 * sigma sqrt(horizon), 1e18, rounded down: standard deviation of the log price.
 *
 * @param horizon seconds
 * @throws {Revert} Panic 0x11 or MulWadFailed where a product has more than 256 bits
 * @example
 * deviationWad(WAD, YEAR); // 1000000000000000000n
 */
export function deviationWad(sigmaWad: bigint, horizon: bigint): bigint {
  return mulWad(sigmaWad, sqrtWad(checkedMul(horizon, WAD) / YEAR));
}
