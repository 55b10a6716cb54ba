/**
 * Funding: longs pay shorts (or the reverse) and the pool, in proportion to the skew. The exact twin of
 * `contracts/libraries/FundingMath.sol`.
 *
 * Rates are per year of 365 days, 1e18, signed; positive: longs pay. Times are seconds. Formulas: docs/mathematics.md, "Funding".
 * Solidity wraps around at 256 bits where a bigint does not: skews below 2^127, rates below 2^100 and times below 2^64 are far from it.
 */
import { checkedDiv, max, min, WAD } from "./fixedPoint.ts";
import { decayWeightWad, YEAR } from "./volatilityMath.ts";

export { WAD } from "./fixedPoint.ts";

/** 90 % a year. */
export const MAXIMUM_RATE_WAD = 900_000_000_000_000_000n;

/** The rate covers 1 - 1/e of its way to the target in 3 hours. */
export const TIME_CONSTANT = 10_800n;

/**
 * 90 % a year x clamp(K / K_cap, -1, 1), toward zero.
 *
 * @param skew K in base, 1e18
 * @param skewCap K_cap in base, 1e18
 * @throws {Revert} Panic 0x12 when `skewCap` is 0
 * @example
 * targetRateWad(-WAD, 2n * WAD); // -450000000000000000n
 */
export function targetRateWad(skew: bigint, skewCap: bigint): bigint {
  const share = min(max(checkedDiv(skew * WAD, skewCap), -WAD), WAD);
  return (MAXIMUM_RATE_WAD * share) / WAD;
}

/**
 * Exact integral of the rate over `elapsed` seconds, while the target stands still:
 * target dt + (rate - target) tau (1 - exp(-dt / tau)), toward zero.
 *
 * @returns the fraction of notional due, 1e18, and the rate at the end
 * @example
 * accrue(0n, MAXIMUM_RATE_WAD, 10_800n); // [113387498991197n, 568908502945701912n]
 */
export function accrue(
  rateWad: bigint,
  targetWad: bigint,
  elapsed: bigint,
): [accrualWad: bigint, nextRateWad: bigint] {
  const covered = decayWeightWad(elapsed, TIME_CONSTANT);
  const gap = rateWad - targetWad;
  const accrualWad = (targetWad * elapsed + (gap * covered * TIME_CONSTANT) / WAD) / YEAR;
  return [accrualWad, targetWad + (gap * (WAD - covered)) / WAD];
}
