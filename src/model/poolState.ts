// What a pool keeps, and how the first touch in a block records the price that stood until then.
import { begun, type PoolHistory, swapFeeDown, touched } from "../math/poolOracleMath.ts";
import type { PoolRecord } from "./state.ts";
import type { World } from "./world.ts";

/** Times of touches are kept modulo 2^31 seconds. */
const TIME_MASK = (1n << 31n) - 1n;

/** A pool as its constructor leaves it. */
export const EMPTY_POOL: PoolRecord = {
  reserve0: 0n,
  reserve1: 0n,
  touchedAt: 0n,
  isKLastInUse: false,
  kLast: 0n,
  history: begun(0n),
};

/** Now, as a touch stores it: unix seconds modulo 2^31. */
export function touchTime(world: World): bigint {
  return world.now & TIME_MASK;
}

/** Seconds since the last touch; wraps after 68 years. */
export function elapsedSince(world: World, touchedAt: bigint): bigint {
  return (world.now - touchedAt) & TIME_MASK;
}

/**
 * The history as a touch now leaves it, with the fee of this block. The first touch in a block records the price that stood until
 * then; the caller stores the result, together with the reserves that follow.
 */
export function historyNow(world: World): PoolHistory {
  const { reserve0, reserve1, touchedAt, history } = world.pool;
  const elapsed = elapsedSince(world, touchedAt);
  if (elapsed === 0n) return history;
  const { cumulativeLogPrice, logPrice, returnWeight, varianceRateWad } = touched(
    history,
    reserve0,
    reserve1,
    elapsed,
  );
  const { minSwapFee, maxSwapFee, volatilityFeeMultiplierWad } = world.config;
  const swapFee =
    minSwapFee === maxSwapFee
      ? minSwapFee
      : swapFeeDown(varianceRateWad, minSwapFee, maxSwapFee, volatilityFeeMultiplierWad);
  return { cumulativeLogPrice, logPrice, returnWeight, varianceRateWad, swapFee };
}
