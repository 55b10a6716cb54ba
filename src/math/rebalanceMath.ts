/**
 * When and how much to rebalance: the exact twin of `contracts/libraries/RebalanceMath.sol`.
 *
 * 18-decimal values unless a name says otherwise; fees and costs in parts per million (1e6 = 100 %), times in seconds. Formulas:
 * docs/mathematics.md, "Rebalancing". Functions take any `uint256`, variances below 2^128.
 */
import {
  cbrtWad,
  checkedAdd,
  checkedDiv,
  checkedMul,
  clamp,
  divWad,
  expWad,
  fullMulDiv,
  max,
  min,
  mulSqrt,
  mulWad,
  sqrtWad,
  WAD,
} from "./fixedPoint.ts";
import { rememberLast, rememberLastPair } from "./memo.ts";
import { decayWeightWad, updatedVarianceWad, YEAR } from "./volatilityMath.ts";

export { WAD } from "./fixedPoint.ts";

/** 100 % in the unit of fees and costs. */
export const PPM = 1_000_000n;

/** rho: price of variance, per equity. */
export const RISK_AVERSION = 20n;

/** The outer edge is never so wide that a shock costs more than 2.5 % of equity. */
export const BAND_CAP_WAD = 25_000_000_000_000_000n;

/** nu^2 is an average over a day. */
export const TARGET_TIME_CONSTANT = 86_400n;

/** x_ema rises over a day. */
export const DEPTH_TIME_CONSTANT = 86_400n;

/** A chunk is at most 0.5 % of the pool's depth. */
export const MAXIMUM_CHUNK_PPM = 5_000n;

/** Tolerance of the minimum output: 10 bp at first, ... */
export const TOLERANCE_WAD = 1_000_000_000_000_000n;

/** ... pool fee + 10 bp after ten minutes. */
export const TOLERANCE_RAMP = 600n;

/** What the target is taken to move in a day at least, as a share of equity. */
export const MINIMUM_DAILY_MOVE_WAD = 5_000_000_000_000_000n;

/** What the target is taken to move in one sample at most, as a share of equity. */
export const MAXIMUM_MOVE_WAD = 10n * WAD;

/** phi is a day's average of what hedging cost, ... */
export const HEDGE_TIME_CONSTANT = 86_400n;

/** ... at least 10 bp ... */
export const HEDGE_MINIMUM_PPM = 1_000n;

/** ... and at most 50 bp. */
export const HEDGE_MAXIMUM_PPM = 5_000n;

/** Notional of the prior: 1 % of equity. */
export const HEDGE_PRIOR_WAD = 10_000_000_000_000_000n;

/** ln 2. */
export const LN_2_WAD = 693_147_180_559_945_309n;

const DAY = 86_400n;
const DOUBLING_MAXIMUM_ELAPSED = 64n * DAY;
const DAYS_PER_YEAR = YEAR / DAY;
const WAD_PER_PPM = WAD / PPM;
const BAND_DIVISOR = 2n * RISK_AVERSION * PPM;

/**
 * q_max / x = min(f / 2, 0.5 %): the largest chunk as a share of the pool's base, in parts per million, rounded down.
 *
 * @example
 * maximumChunkPpm(3_000n); // 1500n
 */
export function maximumChunkPpm(swapFeePpm: bigint): bigint {
  return min(swapFeePpm / 2n, MAXIMUM_CHUNK_PPM);
}

/**
 * eps = 2 f + q_max / x: what a round trip through the pool costs at the margin, in parts per million.
 *
 * @throws {Revert} Panic 0x11 where 256 bits do not suffice
 * @example
 * unwindCostPpm(3_000n); // 7500n
 */
export function unwindCostPpm(swapFeePpm: bigint): bigint {
  return checkedAdd(checkedMul(2n, swapFeePpm), maximumChunkPpm(swapFeePpm));
}

/**
 * h_out = E / P x min(cbrt(3 eps nu^2 / (2 rho sigma^2)), cap), base, rounded down; the cap is where a shock costs 2.5 % of E.
 *
 * @param targetVarianceWad nu^2, (share of equity)^2 per year
 * @param equity E, at least one quote token
 * @param unwindCostPpm_ eps
 * @param shockWad_ max(2.82 sigma sqrt(1 day), 20 %)
 * @throws {Revert} DivWadFailed when the shock is 0, FullMulDivFailed when the price or sigma^2 is 0; these, MulWadFailed or
 * Panic 0x11 where 256 bits do not suffice
 * @example
 * outerBand(WAD, 10_000_000n * WAD, 200n * WAD, (6n * WAD) / 10n, 7_500n, WAD / 5n); // 5801986042015973600000n
 */
export function outerBand(
  targetVarianceWad: bigint,
  equity: bigint,
  price: bigint,
  sigmaWad: bigint,
  unwindCostPpm_: bigint,
  shockWad_: bigint,
): bigint {
  const variance = mulWad(sigmaWad, sigmaWad);
  const cube = fullMulDiv(
    checkedMul(checkedMul(3n, unwindCostPpm_), targetVarianceWad),
    WAD,
    checkedMul(BAND_DIVISOR, variance),
  );
  const share = min(cbrtWad(cube), divWad(BAND_CAP_WAD, shockWad_));
  return fullMulDiv(equity, share, price);
}

/**
 * h_in = h_out / 2, rounded down.
 *
 * @example
 * innerBand(5n); // 2n
 */
export function innerBand(outerBand_: bigint): bigint {
  return outerBand_ / 2n;
}

/**
 * nu^2 after a move of the target: EWMA with tau = 1 day, at most doubling a day, never below the square of 0.5 % a day.
 *
 * @param varianceWad (share of equity)^2 per year
 * @param moveWad |b* - b*_last| P / E
 * @param elapsed at least 1 second
 * @example
 * updatedTargetVarianceWad(WAD, 0n, 86_400n); // 367879441171442321n
 */
export function updatedTargetVarianceWad(
  varianceWad: bigint,
  moveWad: bigint,
  elapsed: bigint,
): bigint {
  const move = min(moveWad, MAXIMUM_MOVE_WAD);
  const squared = mulWad(move, move);
  const updated = updatedVarianceWad(varianceWad, squared, elapsed, TARGET_TIME_CONSTANT);
  return max(min(updated, mulWad(varianceWad, rememberedDoubling(elapsed))), LEAST_TARGET_VARIANCE);
}

/** 2^(elapsed / 1 day), 1e18, up to 64 days. */
const rememberedDoubling = rememberLast((elapsed) =>
  expWad((LN_2_WAD * min(elapsed, DOUBLING_MAXIMUM_ELAPSED)) / DAY),
);

/**
 * nu^2 of a target that moves `dailyWad` of equity per square root of a day.
 *
 * @throws {Revert} MulWadFailed or Panic 0x11 where 256 bits do not suffice
 * @example
 * targetVarianceOf(MINIMUM_DAILY_MOVE_WAD); // 9125000000000000n
 */
export function targetVarianceOf(dailyWad: bigint): bigint {
  return checkedMul(mulWad(dailyWad, dailyWad), DAYS_PER_YEAR);
}

const LEAST_TARGET_VARIANCE = targetVarianceOf(MINIMUM_DAILY_MOVE_WAD);

/**
 * phi: cost / notional of what was hedged lately, together with `prior` of notional hedged at eps / 2, within 10..50 bp, in parts per
 * million, rounded down.
 *
 * @param prior at least 1, in the units of `notional`
 * @throws {Revert} Panic 0x11 where 256 bits do not suffice, Panic 0x12 when there is no notional
 * @example
 * hedgeRatePpm(2n, 1_000n, 7_500n, 1_000n); // 2875n
 */
export function hedgeRatePpm(
  cost: bigint,
  notional: bigint,
  unwindCostPpm_: bigint,
  prior: bigint,
): bigint {
  const expected = checkedMul(unwindCostPpm_, prior) / 2n;
  const total = checkedAdd(checkedMul(cost, PPM), expected);
  return clamp(
    checkedDiv(total, checkedAdd(notional, prior)),
    HEDGE_MINIMUM_PPM,
    HEDGE_MAXIMUM_PPM,
  );
}

/**
 * x_ema, base: falls with the depth at once, rises by a 24 h average, rounded down.
 *
 * @throws {Revert} MulWadFailed where 256 bits do not suffice
 * @example
 * updatedDepth(0n, WAD, 86_400n); // 632120558828557679n
 */
export function updatedDepth(depthEma: bigint, depth: bigint, elapsed: bigint): bigint {
  if (depth <= depthEma) return depth;
  return depthEma + mulWad(depth - depthEma, decayWeightWad(elapsed, DEPTH_TIME_CONSTANT));
}

/**
 * eps(t): 10 bp, growing to f + 10 bp over ten minutes of eligibility, 1e18, rounded down.
 *
 * @param eligibleFor seconds
 * @throws {Revert} Panic 0x11 where 256 bits do not suffice
 * @example
 * toleranceWad(3_000n, 300n); // 2500000000000000n
 */
export function toleranceWad(swapFeePpm: bigint, eligibleFor: bigint): bigint {
  const feeWad = checkedMul(swapFeePpm, WAD_PER_PPM);
  return TOLERANCE_WAD + checkedMul(feeWad, min(eligibleFor, TOLERANCE_RAMP)) / TOLERANCE_RAMP;
}

/**
 * The pool re-marked to the oracle at constant k: sqrt(k / P) and sqrt(k P), rounded down.
 *
 * @throws {Revert} DivWadFailed when the price is 0; it or MulWadFailed where 256 bits do not suffice
 * @example
 * remarkedReserves(2n * WAD, 18n * WAD, 4n * WAD); // [3000000000000000000n, 12000000000000000000n]
 */
export function remarkedReserves(
  reserveBase: bigint,
  reserveQuote: bigint,
  price: bigint,
): [markedBase: bigint, markedQuote: bigint] {
  const rootK = rememberedRootK(reserveBase, reserveQuote);
  const rootPrice = rememberedRootPrice(price);
  return [divWad(rootK, rootPrice), mulWad(rootK, rootPrice)];
}

const rememberedRootK = rememberLastPair(mulSqrt);
const rememberedRootPrice = rememberLast(sqrtWad);
