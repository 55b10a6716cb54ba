/**
 * Average price and volatility of a pool between two snapshots: the exact twin of the arithmetic of `contracts/libraries/PoolConsult.sol`.
 * Its `snapshot` reads a pool and has no twin here.
 *
 * Prices are token1 per token0, logarithms natural. Formulas: docs/mathematics.md, "Constant-product pool". The domain is what a pool can
 * say: sums within 128 bits, rates and times within 64. Beyond it Solidity may cut bits where a bigint does not.
 */
import { expWad, sqrt, WAD } from "./fixedPoint.ts";
import { decayOf } from "./poolOracleMath.ts";
import { revert } from "./revert.ts";
import { YEAR } from "./volatilityMath.ts";

/** What a pool's `observe` said at one moment. */
export interface Snapshot {
  /** Sum of log price x seconds, 1e18. */
  cumulativeLogPriceWad: bigint;
  /** Mean squared log return per second, 1e18. */
  varianceRateWad: bigint;
  /** Unix seconds; 0 in a snapshot that was never taken. */
  timestamp: bigint;
}

/** ln 10, 1e18. */
const LN_10_WAD = 2_302_585_092_994_045_684n;
const Q64 = 1n << 64n;
const YEAR_WAD = YEAR * WAD;

/**
 * Mean of the log price between two snapshots of the same pool, 1e18, rounded toward zero; in token units.
 *
 * @throws {Revert} PoolConsult_InvalidWindow when `from` was never taken or not before `to`
 */
export function meanLogPriceWad(from: Snapshot, to: Snapshot): bigint {
  const window = windowOf(from, to);
  return (to.cumulativeLogPriceWad - from.cumulativeLogPriceWad) / window;
}

/**
 * Geometric mean price between two snapshots of the same pool: whole token1 per whole token0, 1e18, rounded down.
 *
 * @param decimals0 decimals of token0, at most 18; twice 0 gives the ratio of token units
 * @param decimals1 decimals of token1, at most 18
 * @throws {Revert} PoolConsult_InvalidWindow when `from` was never taken or not before `to`
 */
export function geometricMeanPriceWad(
  from: Snapshot,
  to: Snapshot,
  decimals0: bigint,
  decimals1: bigint,
): bigint {
  const scaleWad = (decimals0 - decimals1) * LN_10_WAD;
  return expWad(meanLogPriceWad(from, to) + scaleWad);
}

/**
 * Realized volatility between two snapshots of the same pool, 1e18 per square root of a year of 365 days, rounded down.
 *
 * @throws {Revert} PoolConsult_InvalidWindow when `from` was never taken or not before `to`
 */
export function realizedVolatilityWad(from: Snapshot, to: Snapshot): bigint {
  const decay = decayOf(windowOf(from, to));
  const sum = to.varianceRateWad << 64n;
  const carried = from.varianceRateWad * decay;
  if (sum <= carried) return 0n;
  return sqrt(((sum - carried) / (Q64 - decay)) * YEAR_WAD);
}

function windowOf(from: Snapshot, to: Snapshot): bigint {
  if (from.timestamp === 0n || from.timestamp >= to.timestamp) {
    revert("PoolConsult_InvalidWindow", from.timestamp, to.timestamp);
  }
  return to.timestamp - from.timestamp;
}
