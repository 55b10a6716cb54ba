import { mulWadCeil, mulWadFloor } from "../math/signedWadMath.ts";
import {
  GUARDED_SHOCK_WAD,
  scalingEquity,
  shockWad,
  UNGUARDED_SHOCK_WAD,
} from "../math/solvencyMath.ts";
import { type Context, NO_DISTRESS } from "./marginContext.ts";
import { RiskState } from "./state.ts";
import type { World } from "./world.ts";

// The twin of RiskStates.sol: worse at once, better only after having been better for a while.

export const NORMAL_RATIO_WAD = 1_500000000000000000n;
const GUARDED_RATIO_WAD = 1_250000000000000000n;
const REDUCE_ONLY_RATIO_WAD = 1_000000000000000000n;
const HYSTERESIS_WAD = 100000000000000000n;
const NORMAL_AGAIN_WAD = NORMAL_RATIO_WAD + HYSTERESIS_WAD;
const GUARDED_AGAIN_WAD = GUARDED_RATIO_WAD + HYSTERESIS_WAD;
const RECOVERY_PERIOD = 1_800n;
const DELEVERAGED_RATIO_WAD = 1_050000000000000000n;
const REDUCE_ONLY_PERIOD = 86_400n;
const ROUND_SPACING = 600n;
const BANKRUPT_ROUNDS = 3n;
const UINT40_MASK = 2n ** 40n - 1n;

/**
 * Moves the state to what solvency ratio, exposure and time say. The look that enters a state leaves the beginning of a recovery to the
 * next one, so actions must look as often as the contracts do.
 */
export function follow(world: World, ctx: Context): void {
  followRatio(world, ctx);
  followRounds(world, ctx);
  followExposure(ctx);
  ctx.state = worse(ctx);
}

/** The worse of the two latches. */
export function worse(ctx: Context): RiskState {
  return ctx.exposureGuarded && ctx.ratioState === RiskState.Normal
    ? RiskState.Guarded
    : ctx.ratioState;
}

/** What a solvency ratio allows. */
function stateAt(ratioWad: bigint): RiskState {
  if (ratioWad >= NORMAL_RATIO_WAD) return RiskState.Normal;
  if (ratioWad >= GUARDED_RATIO_WAD) return RiskState.Guarded;
  return RiskState.ReduceOnly;
}

/** What it allows to whom it allowed less before: the same at thresholds that are a margin higher. */
function stateReached(ratioWad: bigint): RiskState {
  if (ratioWad >= NORMAL_AGAIN_WAD) return RiskState.Normal;
  if (ratioWad >= GUARDED_AGAIN_WAD) return RiskState.Guarded;
  return RiskState.ReduceOnly;
}

/** Solvency ratio at which deleveraging stops, 1e18. */
export function deleverageGoalWad(ctx: Context): bigint {
  return ctx.overdue ? GUARDED_RATIO_WAD : DELEVERAGED_RATIO_WAD;
}

function followRatio(world: World, ctx: Context): void {
  const ratio = ctx.solvencyRatioWad;
  const worst = stateAt(ratio);
  if (worst > ctx.ratioState) {
    enter(world, ctx, worst);
    return;
  }
  if (ctx.ratioState === RiskState.ReduceOnly && world.now >= ctx.stateSince + REDUCE_ONLY_PERIOD) {
    enter(world, ctx, RiskState.Deleveraging);
    ctx.overdue = true;
  }
  if (ctx.ratioState === RiskState.Deleveraging) {
    if (ratio < deleverageGoalWad(ctx)) return;
    enter(world, ctx, ctx.overdue ? RiskState.Guarded : RiskState.ReduceOnly);
    return;
  }
  const reached = stateReached(ratio);
  if (reached >= ctx.ratioState) {
    if (ctx.recoverySince !== 0n) {
      ctx.recoverySince = 0n;
      ctx.advanced = true;
    }
  } else if (ctx.recoverySince === 0n) {
    ctx.recoverySince = world.now;
    ctx.recoveryState = reached;
    ctx.advanced = true;
  } else {
    if (reached > ctx.recoveryState) ctx.recoveryState = reached;
    if (world.now >= ctx.recoverySince + RECOVERY_PERIOD) enter(world, ctx, ctx.recoveryState);
  }
}

function enter(world: World, ctx: Context, state: RiskState): void {
  ctx.ratioState = state;
  ctx.stateSince = world.now;
  ctx.recoverySince = 0n;
  ctx.overdue = false;
}

/** SR < 1 on two rounds at least ten minutes apart: Deleveraging. E_bid <= 0 on three such rounds: Settled. */
function followRounds(world: World, ctx: Context): void {
  const low = ctx.solvencyRatioWad < REDUCE_ONLY_RATIO_WAD;
  if (!low && !ctx.distressed) return;
  let { lowSince, bankruptAt, bankruptRounds } =
    ctx.distressed && !ctx.distressLoaded ? world.cold.distress : ctx.distress;
  ctx.distressLoaded = true;
  ctx.distressed = low;
  if (!low) {
    ctx.advanced = true;
    ctx.distress = NO_DISTRESS;
    return;
  }
  const publishedAt = ctx.market.updatedAt & UINT40_MASK;
  if (lowSince === 0n) lowSince = publishedAt;
  if (publishedAt >= lowSince + ROUND_SPACING && ctx.ratioState < RiskState.Deleveraging) {
    enter(world, ctx, RiskState.Deleveraging);
  }
  if (ctx.equityBid > 0n) {
    bankruptRounds = 0n;
  } else if (bankruptRounds === 0n || publishedAt >= bankruptAt + ROUND_SPACING) {
    bankruptAt = publishedAt;
    bankruptRounds += 1n;
    if (bankruptRounds >= BANKRUPT_ROUNDS) enter(world, ctx, RiskState.Settled);
  }
  ctx.distress = { lowSince, bankruptAt, bankruptRounds };
}

function followExposure(ctx: Context): void {
  const limit = ctx.exposureGuarded ? UNGUARDED_SHOCK_WAD : GUARDED_SHOCK_WAD;
  ctx.exposureGuarded = ctx.shockLoss > mulWadFloor(limit, scalingEquity(ctx.equity));
}

/** |D| P shock: what a shock to the exposure would cost, quote, 18 decimals, rounded up. */
export function shockLossOf(ctx: Context): bigint {
  const size = ctx.netExposure < 0n ? -ctx.netExposure : ctx.netExposure;
  return mulWadCeil(mulWadCeil(size, ctx.price), shockWad(ctx.market.volatilityWad));
}
