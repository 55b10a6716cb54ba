/**
 * What a pool remembers of its prices, and the fee that follows from it: the exact twin of `contracts/libraries/PoolOracleMath.sol`.
 *
 * A price is token1 units per token0 unit; times are seconds. Formulas: docs/mathematics.md, "Constant-product pool". The domain is
 * Solidity's: reserves below 2^112, times below 2^32, variance rates below 2^64, multipliers at most 100e18. Beyond it Solidity may cut
 * bits where a bigint does not.
 */
import { log2, min, rawDiv, sqrt, WAD } from "./fixedPoint.ts";
import { remember, rememberLastPair } from "./memo.ts";

/**
 * What a pool remembers of its prices. The pool packs it into one word (`PoolHistory.sol`) whose parts are as wide as the largest value
 * each can reach, so that packing never loses a digit.
 */
export interface PoolHistory {
  /** Sum of log price x seconds since the first deposit, 1e14, signed: 88 bits. */
  cumulativeLogPrice: bigint;
  /** Natural logarithm of the price that stood before the last touch, 1e14, signed: 56 bits. */
  logPrice: bigint;
  /** Weight of the move since then, 1 per second, 2^43; 0: the first price is to come. 32 bits. */
  returnWeight: bigint;
  /** Mean squared log return per second, 1e18: 64 bits. */
  varianceRateWad: bigint;
  /** Fee of swaps in the block of the last touch, 1e6 = 100 %: 16 bits. */
  swapFee: bigint;
}

/** The weight of a second halves in this many seconds. */
export const HALF_LIFE = 1_800n;

/** From the 14 decimals of a stored log price to 18. */
export const LOG_PRICE_SCALE = 10_000n;

const Q64 = 1n << 64n;
const MAX_UINT64 = Q64 - 1n;
const SQRT_2_Q127 = 240615969168004511545033772477625056927n;
/** ln(2) / 2, 1e14 2^32. */
const HALF_LN_2 = 148852223590978603574781n;
const RETURN_SCALE = 10n ** 10n;
const FEE_SCALE = 10n ** 30n;

/**
 * The history of a pool that has had no price yet.
 *
 * @param swapFee 1e6 = 100 %
 */
export function begun(swapFee: bigint): PoolHistory {
  return { cumulativeLogPrice: 0n, logPrice: 0n, returnWeight: 0n, varianceRateWad: 0n, swapFee };
}

/**
 * The history after the first touch in a new block; its fee is left 0 for `swapFeeDown` to find.
 *
 * @param history history after the last touch
 * @param reserve0 reserve of token0 since the last touch, below 2^112
 * @param reserve1 reserve of token1 since the last touch, below 2^112
 * @param elapsed seconds since the last touch, above 0 and below 2^32
 * @example
 * touched(begun(500n), 1n, 2_000n, 1_800n).cumulativeLogPrice; // 1_800n * 760090245954325n
 */
export function touched(
  history: PoolHistory,
  reserve0: bigint,
  reserve1: bigint,
  elapsed: bigint,
): PoolHistory {
  // While one side is empty there is no price, and the last one stands in for it.
  const priced = reserve0 !== 0n && reserve1 !== 0n;
  const logPrice = priced ? approximateLogPrice(reserve0, reserve1) : history.logPrice;
  const logReturn = logPrice - history.logPrice;
  const decay = decayOf(elapsed);
  const square = (logReturn * logReturn * history.returnWeight) >> 43n;
  const variance = history.varianceRateWad + square / RETURN_SCALE;
  return {
    cumulativeLogPrice: history.cumulativeLogPrice + logPrice * elapsed,
    logPrice,
    returnWeight: rawDiv(Q64 - decay, elapsed) >> 21n,
    varianceRateWad: min((variance * decay) >> 64n, MAX_UINT64),
    swapFee: 0n,
  };
}

/**
 * ln(reserve1 / reserve0), 1e14. Both reserves above 0 and below 2^112. Off by at most 1.5e-12, plus 2^-31 for the smallest ratios.
 *
 * @example
 * approximateLogPrice(1n, 2_000n); // 760090245954325n
 */
export function approximateLogPrice(reserve0: bigint, reserve1: bigint): bigint {
  return rememberedLogPrice(reserve0, reserve1);
}

const rememberedLogPrice = rememberLastPair((reserve0, reserve1) => {
  const ratio = (reserve1 << 143n) / reserve0;
  const exponent = log2(ratio);
  const mantissa = (ratio << (255n - exponent)) >> 128n;
  const s = ((mantissa - SQRT_2_Q127) << 96n) / (mantissa + SQRT_2_Q127);
  const z = (s * s) >> 96n;
  let p = 122557110997111911075375n + ((101431489981424028420221n * z) >> 96n);
  p = 171800343995271104487929n + ((p * z) >> 96n);
  p = 286331146971338656569455n + ((p * z) >> 96n);
  p = 858993459203590385423189n + ((p * z) >> 96n);
  return (((s * p) >> 96n) + (2n * exponent - 285n) * HALF_LN_2) >> 32n;
});

/**
 * d(elapsed) = 2^(-elapsed / 30 minutes), 2^64 = 1. Off by at most 3.1e-7 of itself.
 *
 * @example
 * decayOf(1_800n); // 2n ** 63n
 */
export function decayOf(elapsed: bigint): bigint {
  return rememberedDecay(elapsed, HALF_LIFE);
}

const rememberedDecay = remember((elapsed, halfLife) => {
  const x = ((elapsed % halfLife) << 64n) / halfLife;
  let q = 152702480050595900n - ((17491766166928301n * x) >> 64n);
  q = 867928045855277739n - ((q * x) >> 64n);
  q = 3562920029076993990n - ((q * x) >> 64n);
  return (Q64 - (x >> 1n) - ((((x * (Q64 - x)) >> 64n) * q) >> 64n)) >> (elapsed / halfLife);
});

/**
 * Fee at a variance rate: the lower bound plus the multiplier times its root, at most the upper bound; 1e6 = 100 %. Rounded down.
 *
 * @param varianceRateWad per second, 1e18, below 2^64
 * @param minSwapFee 1e6 = 100 %
 * @param maxSwapFee 1e6 = 100 %
 * @param volatilityFeeMultiplierWad in square-root seconds, 1e18, at most 100e18
 * @example
 * swapFeeDown(20_300_000_000n, 500n, 50_000n, 17_300_000_000_000_000_000n); // 2964n
 */
export function swapFeeDown(
  varianceRateWad: bigint,
  minSwapFee: bigint,
  maxSwapFee: bigint,
  volatilityFeeMultiplierWad: bigint,
): bigint {
  const rootWad = sqrt(varianceRateWad * WAD);
  return min(minSwapFee + (rootWad * volatilityFeeMultiplierWad) / FEE_SCALE, maxSwapFee);
}
