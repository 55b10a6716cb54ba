import { fullMulDiv, fullMulDivUp, mulWad, mulWadUp } from "../math/fixedPoint.ts";
import { initialRatioWad, maintenanceRatioWad as maintenanceRatioAt } from "../math/marginMath.ts";
import { revert } from "../math/revert.ts";
import { divFloor } from "../math/signedWadMath.ts";
import type { Address } from "./calls.ts";
import {
  baseToWad,
  type Context,
  checkpointOf,
  loadPosition,
  MAXIMUM_QUOTE,
  storePosition,
  unitsDown,
  unitsUp,
} from "./marginContext.ts";
import type { Values } from "./marginParameters.ts";
import { skewScale } from "./marginState.ts";
import type { Checkpoint, Position, ProtocolConfig } from "./state.ts";
import type { World } from "./world.ts";

// The twin of MarginAccount.sol: one trader's account in token units, rounded against it. How funding and deleveraging reach a position
// in O(1) is said there.

const WAD = 10n ** 18n;
/** M of a side that was never deleveraged. */
const WHOLE = 10n ** 36n;
const UINT256 = 256;

/** An account in memory, brought up to now. */
export interface Account {
  size: bigint;
  /** Side of the stored position; a deleveraging may have left nothing of it. */
  long: boolean;
  entryNotional: bigint;
  collateral: bigint;
  /** Funding and deleveraging since the last touch, to LPs; negative: from them. */
  owed: bigint;
  /** Its part of C_L or C_S. */
  backing: bigint;
  openedAt: bigint;
  /** Gain that q could not pay, recorded when the account is stored. */
  newClaim: bigint;
}

/** Reads an account and brings it up to the context's funding index and epochs. */
export function load(world: World, ctx: Context, account: Address): Account {
  const stored = loadPosition(world, account);
  const { size, entryNotional, collateral, openedAt } = stored;
  const long = size > 0n;
  const a: Account = {
    size,
    long,
    entryNotional,
    collateral,
    owed: 0n,
    backing: 0n,
    openedAt,
    newClaim: 0n,
  };
  if (size === 0n) return a;
  a.backing = collateral < entryNotional ? collateral : entryNotional;
  if (stored.epoch === (long ? ctx.longEpoch : ctx.shortEpoch)) {
    a.owed = fundingUp(ctx.config, size, ctx.fundingIndexWad - stored.fundingIndexWad);
  } else {
    catchUp(world, ctx, a, stored);
  }
  return a;
}

/** Writes an account whose `owed` has been settled. */
export function store(world: World, ctx: Context, account: Address, a: Account): void {
  storePosition(world, account, {
    size: a.size,
    entryNotional: a.entryNotional,
    collateral: a.collateral,
    fundingIndexWad: ctx.fundingIndexWad,
    openedAt: a.openedAt,
    epoch: a.size === 0n ? 0n : a.size > 0n ? ctx.longEpoch : ctx.shortEpoch,
  });
  if (a.newClaim !== 0n) {
    const unpaidClaim = (world.claims.get(account) ?? 0n) + a.newClaim;
    world.claims.set(account, unpaidClaim);
    world.emit("marginPool", "ClaimRecorded", { account, amount: a.newClaim, unpaidClaim });
  }
}

export function copy(a: Account): Account {
  return {
    size: a.size,
    long: a.long,
    entryNotional: a.entryNotional,
    collateral: a.collateral,
    owed: a.owed,
    backing: a.backing,
    openedAt: a.openedAt,
    newClaim: a.newClaim,
  };
}

/** Deleveraged since the last touch: what is left, and what was realized. Size and entry are rounded toward zero. */
function catchUp(world: World, ctx: Context, a: Account, stored: Position): void {
  const { long } = a;
  const { quoteScale } = ctx.config;
  const from = since(world, long, stored.epoch, stored.fundingIndexWad);
  const now = since(world, long, long ? ctx.longEpoch : ctx.shortEpoch, ctx.fundingIndexWad);
  const magnitude = long ? a.size : -a.size;
  const difference = now.cash - from.cash;
  const negative = difference < 0n;
  const whole = fullMulDiv(
    baseToWad(ctx.config, magnitude),
    negative ? -difference : difference,
    from.scale,
  );
  const paid = divFloor(negative ? -whole - 1n : whole, WAD * quoteScale);

  const entryLeft = fullMulDiv(a.entryNotional, now.scale, from.scale);
  const entryClosed = a.entryNotional - entryLeft;
  a.owed = -(long ? paid - entryClosed : paid + entryClosed);
  a.entryNotional = entryLeft;
  const left = fullMulDiv(magnitude, now.scale, from.scale);
  a.size = long ? left : -left;
  a.backing = fullMulDiv(a.backing, now.scale, from.scale);
}

/** M in an epoch and X there at a funding index. */
function since(
  world: World,
  long: boolean,
  epoch: bigint,
  indexWad: bigint,
): { readonly scale: bigint; readonly cash: bigint } {
  if (epoch === 0n) return { scale: WHOLE, cash: WHOLE * (long ? -indexWad : indexWad) };
  const { scale, fundingIndexWad, cash } = checkpointOf(world, long, epoch);
  const funding = scale * (indexWad - fundingIndexWad);
  return { scale, cash: long ? cash - funding : cash + funding };
}

/** The state of a side after another deleveraging by `fractionWad` at the context's price. */
export function nextCheckpoint(
  world: World,
  ctx: Context,
  long: boolean,
  fractionWad: bigint,
): Checkpoint {
  const epoch = long ? ctx.longEpoch : ctx.shortEpoch;
  const { scale, cash } = since(world, long, epoch, ctx.fundingIndexWad);
  const left = mulWad(scale, WAD - fractionWad);
  const closed = (scale - left) * ctx.price;
  return {
    scale: left,
    fundingIndexWad: ctx.fundingIndexWad,
    cash: long ? cash + closed : cash - closed,
  };
}

/**
 * Changes a position's collateral and nothing else of it.
 *
 * @returns the position's size, and what the change means for its side's collateral aggregate
 */
export function setCollateral(
  world: World,
  account: Address,
  collateral: bigint,
): { readonly size: bigint; readonly backingDelta: bigint } {
  const stored = loadPosition(world, account);
  if (collateral > MAXIMUM_QUOTE) revert("Overflow");
  const { size, entryNotional, epoch } = stored;
  world.positions.set(account, {
    size,
    entryNotional,
    collateral,
    fundingIndexWad: stored.fundingIndexWad,
    openedAt: stored.openedAt,
    epoch,
  });
  if (size === 0n) return { size, backingDelta: 0n };
  const before = stored.collateral < entryNotional ? stored.collateral : entryNotional;
  const after = collateral < entryNotional ? collateral : entryNotional;
  const long = size > 0n;
  const epochNow = long ? world.hot.longEpoch : world.hot.shortEpoch;
  if (epoch === epochNow) return { size, backingDelta: after - before };
  const { scale } = since(world, long, epoch, 0n);
  const { scale: scaleNow } = since(world, long, epochNow, 0n);
  // Rounded up: the aggregate stays at least the sum of its exact parts, each of which leaves rounded down.
  const backingDelta =
    after >= before
      ? fullMulDivUp(after - before, scaleNow, scale)
      : -fullMulDiv(before - after, scaleNow, scale);
  return { size, backingDelta };
}

/** size x price in quote token units, toward minus infinity; signed like `size`. */
export function valueDown(config: ProtocolConfig, size: bigint, priceWad: bigint): bigint {
  return unitsDown(baseToWad(config, size) * priceWad, config.quoteScale);
}

/** |size| x price in quote token units, rounded up. */
export function notionalUp(config: ProtocolConfig, size: bigint, priceWad: bigint): bigint {
  const value = baseToWad(config, size < 0n ? -size : size) * priceWad;
  return unitsUp(value, config.quoteScale);
}

/** Profit at `price` of `size` with `entryNotional`, quote token units, rounded down. */
export function profitDown(
  config: ProtocolConfig,
  size: bigint,
  entryNotional: bigint,
  priceWad: bigint,
): bigint {
  const value = valueDown(config, size, priceWad);
  return size < 0n ? value + entryNotional : value - entryNotional;
}

/** The part of the entry notional that belongs to the part `closed` (signed like the position), rounded against it. */
export function entryOf(a: Account, closed: bigint): bigint {
  return a.size > 0n
    ? fullMulDivUp(a.entryNotional, BigInt.asUintN(UINT256, closed), a.size)
    : fullMulDiv(a.entryNotional, BigInt.asUintN(UINT256, -closed), -a.size);
}

/** Funding due for `size` when the index moved by `perBaseWad`, rounded up. Negative: received. */
export function fundingUp(config: ProtocolConfig, size: bigint, perBaseWad: bigint): bigint {
  if (perBaseWad === 0n) return 0n;
  return unitsUp(baseToWad(config, size) * perBaseWad, config.quoteScale);
}

/** Collateral less what is owed plus profit at the index price; unpaid claims do not count. */
export function equityOf(ctx: Context, a: Account): bigint {
  return (
    a.collateral - a.owed + profitDown(ctx.config, a.size, a.entryNotional, ctx.market.priceWad)
  );
}

/** Initial margin of a position of `size` at the index price: IMR (1e18) and quote token units. */
export function initialMargin(
  ctx: Context,
  parameters: Values,
  size: bigint,
): { readonly ratioWad: bigint; readonly margin: bigint } {
  const ratioWad = initialRatioWad(
    baseToWad(ctx.config, size < 0n ? -size : size),
    skewScale(ctx),
    ctx.market.volatilityWad,
    parameters.initialMarginFloorWad,
  );
  return {
    ratioWad,
    margin: mulWadUp(notionalUp(ctx.config, size, ctx.market.priceWad), ratioWad),
  };
}

/** MMR at the rate-limited volatility and scale, 1e18. */
export function maintenanceRatioWad(ctx: Context, size: bigint): bigint {
  return maintenanceRatioAt(
    baseToWad(ctx.config, size < 0n ? -size : size),
    ctx.maintenanceSkewScaleWad,
    ctx.market.maintenanceVolatilityWad,
  );
}

/** MMR x notional at the index price, quote token units, rounded up. */
export function maintenanceMargin(ctx: Context, size: bigint): bigint {
  return mulWadUp(
    notionalUp(ctx.config, size, ctx.market.priceWad),
    maintenanceRatioWad(ctx, size),
  );
}
