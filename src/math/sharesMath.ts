/**
 * LP shares: conversion, entry and exit fee, and how much may enter or leave. The exact twin of `contracts/libraries/SharesMath.sol`.
 *
 * Shares and assets are token units where nothing else is said; limits are 18-decimal quote. Formulas: docs/mathematics.md, "LP shares".
 * The limits' domain is Solidity's: amounts below 2^127, prices above 0 and below 2^120, weights and shocks at most 1e18. Within it
 * nothing needs more than 256 bits; beyond it Solidity may revert or wrap around where a bigint does not.
 */
import {
  checkedAdd,
  checkedSub,
  fullMulDiv,
  fullMulDivUp,
  max,
  min,
  mulWadUp,
  WAD,
} from "./fixedPoint.ts";
import { divCeil, divFloor, mulWadCeil, mulWadFloor } from "./signedWadMath.ts";
import { GUARDED_SHOCK_WAD, MAXIMUM_BASE_SHARE_WAD } from "./solvencyMath.ts";

export { WAD, WAD as UNIT } from "./fixedPoint.ts";

/** Virtual shares that stand beside one unit of virtual assets, so that the first depositor cannot make a later deposit round to nothing. */
export const VIRTUAL_SHARES = 1_000_000n;

/** Digits that shares have more than assets. */
export const DECIMALS_OFFSET = 6n;

const MAX_INT256 = (1n << 255n) - 1n;

/**
 * Shares for assets that are worth `equity` with `supply` shares, rounded down.
 *
 * @throws {Revert} Panic 0x11 or FullMulDivFailed where 256 bits do not suffice
 * @example
 * toSharesDown(5n, 0n, 0n); // 5000000n
 */
export function toSharesDown(assets: bigint, supply: bigint, equity: bigint): bigint {
  return fullMulDiv(assets, checkedAdd(supply, VIRTUAL_SHARES), checkedAdd(equity, 1n));
}

/**
 * Shares for assets, rounded up.
 *
 * @throws {Revert} Panic 0x11 or FullMulDivFailed where 256 bits do not suffice
 * @example
 * toSharesUp(5n, 0n, 2n); // 1666667n
 */
export function toSharesUp(assets: bigint, supply: bigint, equity: bigint): bigint {
  return fullMulDivUp(assets, checkedAdd(supply, VIRTUAL_SHARES), checkedAdd(equity, 1n));
}

/**
 * Assets for shares, rounded down.
 *
 * @throws {Revert} Panic 0x11 or FullMulDivFailed where 256 bits do not suffice
 * @example
 * toAssetsDown(1_666_667n, 0n, 2n); // 5n
 */
export function toAssetsDown(shares: bigint, supply: bigint, equity: bigint): bigint {
  return fullMulDiv(shares, checkedAdd(equity, 1n), checkedAdd(supply, VIRTUAL_SHARES));
}

/**
 * Assets for shares, rounded up.
 *
 * @throws {Revert} Panic 0x11 or FullMulDivFailed where 256 bits do not suffice
 * @example
 * toAssetsUp(1_666_667n, 0n, 2n); // 6n
 */
export function toAssetsUp(shares: bigint, supply: bigint, equity: bigint): bigint {
  return fullMulDivUp(shares, checkedAdd(equity, 1n), checkedAdd(supply, VIRTUAL_SHARES));
}

/**
 * What is left of `gross` after the fee, rounded down.
 *
 * @throws {Revert} MulWadFailed when a product has more than 256 bits; Panic 0x11 for fees above 100 %
 * @example
 * netDown(1_001n, WAD / 1_000n); // 999n
 */
export function netDown(gross: bigint, feeWad: bigint): bigint {
  return checkedSub(gross, mulWadUp(gross, feeWad));
}

/**
 * The least gross amount that leaves `net` after the fee.
 *
 * @throws {Revert} Panic 0x11 for fees above 100 %; FullMulDivFailed for 100 % or when the result has more than 256 bits
 * @example
 * grossUp(999n, WAD / 1_000n); // 1000n
 */
export function grossUp(net: bigint, feeWad: bigint): bigint {
  return fullMulDivUp(net, WAD, checkedSub(WAD, feeWad));
}

/**
 * What may leave before the shock to the exposure costs more than 5 % of the equity that stays, rounded down, not below 0.
 *
 * @param inventory b
 * @param wanted K + w E / P, before clamping
 * @param possible 0.98 (q + b P) / P
 * @param equity E
 * @param weight w, 1e18
 * @param shock s, 1e18
 */
export function maximumExit(
  inventory: bigint,
  wanted: bigint,
  possible: bigint,
  equity: bigint,
  price: bigint,
  weight: bigint,
  shock: bigint,
): bigint {
  const wantedUp = max(wanted, 0n);
  // Below target the distance does not grow, but the equity it is measured by falls.
  const below = room(min(wantedUp, possible) - inventory, 0n, equity, price, shock);
  const slope = wanted > 0n ? weight : 0n;
  const above = room(inventory - wantedUp, slope, equity, price, shock);
  const bound = room(inventory - possible, MAXIMUM_BASE_SHARE_WAD, equity, price, shock);
  return max(min(bound, min(above, below)), 0n);
}

/** Largest x with (distance P + slope x) shock <= 5 % (equity - x). */
function room(
  distance: bigint,
  slope: bigint,
  equity: bigint,
  price: bigint,
  shock: bigint,
): bigint {
  const slack = slackOf(distance, equity, price, shock);
  return divFloor(slack * WAD, mulWadCeil(slope, shock) + GUARDED_SHOCK_WAD);
}

/**
 * What may enter before the shock to the exposure costs more than 5 % of equity, rounded down, not below 0. The largest `int256` where
 * no amount is too much.
 *
 * @param inventory b
 * @param wanted K + w E / P, before clamping
 * @param equity E
 * @param weight w, 1e18
 * @param shock s, 1e18
 */
export function maximumEntry(
  inventory: bigint,
  wanted: bigint,
  equity: bigint,
  price: bigint,
  weight: bigint,
  shock: bigint,
): bigint {
  const slope = mulWadCeil(weight, shock) - GUARDED_SHOCK_WAD;
  if (slope <= 0n) return MAX_INT256;
  const slack = slackOf(wanted - inventory, equity, price, shock);
  return max(divFloor(slack * WAD, slope), 0n);
}

/** 5 % of equity - distance P shock, less what rounding b* and its value may add: two units of base in b* and a few of quote. */
function slackOf(distance: bigint, equity: bigint, price: bigint, shock: bigint): bigint {
  const rounding = 2n * divCeil(price, WAD) + 8n;
  const cost = mulWadCeil(mulWadCeil(distance, price), shock);
  return mulWadFloor(GUARDED_SHOCK_WAD, equity) - cost - rounding;
}
