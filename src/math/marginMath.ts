/**
 * Margin ratios and the liquidation penalty: the exact twin of `contracts/libraries/MarginMath.sol`.
 *
 * Ratios of notional and volatilities are 1e18, sizes are magnitudes in base and money is quote, scaled to 18 decimals. Formulas:
 * docs/mathematics.md, "Orders" and "Liquidation". Where Solidity is unchecked, ratios below 2^255 and volatilities below 2^128 are its
 * domain; beyond it it may wrap around at 256 bits where a bigint does not.
 */
import {
  checkedAdd,
  checkedMul,
  checkedSub,
  divWadUp,
  fullMulDiv,
  fullMulDivUp,
  max,
  min,
  mulWad,
  mulWadUp,
  WAD,
} from "./fixedPoint.ts";
import { halfHourDeviationWad } from "./volatilityMath.ts";

export { WAD } from "./fixedPoint.ts";

/** 4 %: the least margin ratio that a partial liquidation restores. */
export const RESTORED_FLOOR_WAD = 40_000_000_000_000_000n;

/** 1 %: the least maintenance margin ratio. */
export const MAINTENANCE_FLOOR_WAD = 10_000_000_000_000_000n;

/** 0.5 %: the part of the maintenance margin ratio for the cost of a liquidation. */
export const LIQUIDATION_PART_WAD = 5_000_000_000_000_000n;

/** Standard deviations over half an hour that a margin covers. */
export const DEVIATIONS = 4n;

/** 10 %: the least margin ratio after a withdrawal. */
export const WITHDRAWAL_FLOOR_WAD = 100_000_000_000_000_000n;

/** 0.2 %: the least penalty rate. */
export const PENALTY_MINIMUM_WAD = 2_000_000_000_000_000n;

/** 0.6 %: what the penalty rate grows by until the margin is gone. */
export const PENALTY_RANGE_WAD = 6_000_000_000_000_000n;

const PENALTY_MAXIMUM_WAD = PENALTY_MINIMUM_WAD + PENALTY_RANGE_WAD;

/**
 * 4 sigma sqrt(h_m), 1e18: four standard deviations over half an hour.
 *
 * @example
 * riskTermWad(WAD); // 30219894260774968n
 */
export function riskTermWad(sigmaWad: bigint): bigint {
  return DEVIATIONS * halfHourDeviationWad(sigmaWad);
}

/**
 * MMR = max(1 %, 0.5 % + size / (2 skewScale) + 4 sigma sqrt(h_m)), rounded up.
 *
 * @throws {Revert} FullMulDivFailed when `skewScale` is 0 or the ratio has more than 256 bits
 * @example
 * maintenanceRatioWad(0n, WAD, WAD); // 35219894260774968n
 */
export function maintenanceRatioWad(size: bigint, skewScale: bigint, sigmaWad: bigint): bigint {
  const closing = fullMulDivUp(size, WAD, 2n * skewScale);
  return max(LIQUIDATION_PART_WAD + closing + riskTermWad(sigmaWad), MAINTENANCE_FLOOR_WAD);
}

/**
 * IMR = max(floor, MMR + 4 sigma sqrt(h_m)), rounded up.
 *
 * @param floorWad 4 % unless the owner has raised it
 * @throws {Revert} FullMulDivFailed as `maintenanceRatioWad`
 * @example
 * initialRatioWad(0n, WAD, WAD, RESTORED_FLOOR_WAD); // 65439788521549936n
 */
export function initialRatioWad(
  size: bigint,
  skewScale: bigint,
  sigmaWad: bigint,
  floorWad: bigint,
): bigint {
  return max(maintenanceRatioWad(size, skewScale, sigmaWad) + riskTermWad(sigmaWad), floorWad);
}

/**
 * What a withdrawal must leave: max(2 IMR, 10 %), 1e18.
 *
 * @throws {Revert} Panic 0x11 when the ratio has more than 256 bits
 * @example
 * withdrawalRatioWad(RESTORED_FLOOR_WAD); // 100000000000000000n
 */
export function withdrawalRatioWad(initialRatio: bigint): bigint {
  return max(checkedMul(2n, initialRatio), WITHDRAWAL_FLOOR_WAD);
}

/**
 * IMR_liq = max(4 %, MMR + 4 sigma_mm sqrt(h_m)): the margin ratio a partial liquidation restores.
 *
 * @throws {Revert} Panic 0x11 when the ratio has more than 256 bits
 * @example
 * restoredRatioWad(MAINTENANCE_FLOOR_WAD, WAD); // 40219894260774968n
 */
export function restoredRatioWad(maintenanceRatio: bigint, sigmaWad: bigint): bigint {
  return max(checkedAdd(maintenanceRatio, riskTermWad(sigmaWad)), RESTORED_FLOOR_WAD);
}

/**
 * What a liquidation closes and takes. With rate = 0.2 % + 0.6 % (1 - e / (MMR n)) it closes z = (IMR_liq n - e) / (IMR_liq - rate),
 * rounded up, or everything where little would be left. The penalty is rounded down.
 *
 * @param equity e in quote, not negative and below MMR n
 * @param notional n in quote
 * @param maintenanceRatio MMR, 1e18
 * @param restoredRatio IMR_liq, 1e18
 * @param dust least notional worth keeping open
 * @returns the notional to close, or `notional`, and the penalty, at most `equity`
 * @throws {Revert} FullMulDivFailed when MMR n is 0; MulWadFailed, DivWadFailed or Panic 0x11 where 256 bits do not suffice
 * @example
 * liquidation(1_500n * WAD, 100_000n * WAD, WAD / 50n, WAD / 25n, 0n)[0]; // 68493150684931506849316n
 */
export function liquidation(
  equity: bigint,
  notional: bigint,
  maintenanceRatio: bigint,
  restoredRatio: bigint,
  dust: bigint,
): [closed: bigint, penalty: bigint] {
  const maintenance = mulWadUp(notional, maintenanceRatio);
  const spared = fullMulDiv(PENALTY_RANGE_WAD, min(equity, maintenance), maintenance);
  const rate = PENALTY_MAXIMUM_WAD - spared;
  const penalty = mulWad(notional, rate);
  if (penalty >= equity) return [notional, equity];
  const missing = checkedSub(mulWadUp(notional, restoredRatio), equity);
  const closed = divWadUp(missing, checkedSub(restoredRatio, rate));
  if (checkedMul(2n, equity) < maintenance || checkedAdd(closed, dust) > notional) {
    return [notional, penalty];
  }
  return [closed, mulWad(closed, rate)];
}
