// The factory of one pool, which it made before the model begins.
import { revert } from "../math/revert.ts";
import { type Address, type Calls, ZERO_ADDRESS } from "./calls.ts";
import type { FactoryRecord, ProtocolConfig } from "./state.ts";
import type { World } from "./world.ts";

const MIN_SWAP_FEE_LIMIT = 10_000n;
const MAX_SWAP_FEE_LIMIT = 50_000n;
const VOLATILITY_FEE_MULTIPLIER_LIMIT_WAD = 100n * 10n ** 18n;

/** What every pool of a factory takes from it. Fees 1e6 = 100 %, the multiplier in square-root seconds, 1e18. */
export type FeeRule = Pick<
  ProtocolConfig,
  "minSwapFee" | "maxSwapFee" | "volatilityFeeMultiplierWad"
>;

/**
 * The constructor.
 *
 * @throws {Revert} PoolFactory_SwapFeeOutOfBounds, PoolFactory_VolatilityFeeMultiplierTooHigh
 */
export function createFactory(
  feeToSetter: Address,
  { minSwapFee, maxSwapFee, volatilityFeeMultiplierWad }: FeeRule,
): FactoryRecord {
  if (
    minSwapFee > maxSwapFee ||
    minSwapFee > MIN_SWAP_FEE_LIMIT ||
    maxSwapFee > MAX_SWAP_FEE_LIMIT
  ) {
    revert(
      "PoolFactory_SwapFeeOutOfBounds",
      minSwapFee,
      maxSwapFee,
      MIN_SWAP_FEE_LIMIT,
      MAX_SWAP_FEE_LIMIT,
    );
  }
  if (volatilityFeeMultiplierWad > VOLATILITY_FEE_MULTIPLIER_LIMIT_WAD) {
    revert(
      "PoolFactory_VolatilityFeeMultiplierTooHigh",
      volatilityFeeMultiplierWad,
      VOLATILITY_FEE_MULTIPLIER_LIMIT_WAD,
    );
  }
  return { feeTo: ZERO_ADDRESS, feeToSetter };
}

/**
 * Sends the protocol's share of fees to `newFeeTo`; ZERO_ADDRESS turns it off.
 *
 * @throws {Revert} PoolFactory_NotFeeToSetter
 */
export function setFeeTo(
  world: World,
  caller: Address,
  { newFeeTo }: Calls["factory"]["setFeeTo"],
): void {
  requireFeeToSetter(world, caller);
  world.factory = { feeTo: newFeeTo, feeToSetter: world.factory.feeToSetter };
  world.emit("factory", "FeeToSet", { feeTo: newFeeTo });
}

/**
 * Hands the right to set `feeTo` on.
 *
 * @throws {Revert} PoolFactory_NotFeeToSetter
 */
export function setFeeToSetter(
  world: World,
  caller: Address,
  { newFeeToSetter }: Calls["factory"]["setFeeToSetter"],
): void {
  requireFeeToSetter(world, caller);
  world.factory = { feeTo: world.factory.feeTo, feeToSetter: newFeeToSetter };
  world.emit("factory", "FeeToSetterSet", { feeToSetter: newFeeToSetter });
}

function requireFeeToSetter(world: World, caller: Address): void {
  const { feeToSetter } = world.factory;
  if (caller !== feeToSetter) revert("PoolFactory_NotFeeToSetter", caller, feeToSetter);
}
