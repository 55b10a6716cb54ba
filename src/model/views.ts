import { zeroFloorSub } from "../math/fixedPoint.ts";
import type { Address, Parameters } from "./calls.ts";
import { loadPosition } from "./marginContext.ts";
import { show } from "./marginParameters.ts";
import * as orders from "./orderLogic.ts";
import type { Ledgers, Order, Position, ProtocolState, RiskState, Settlement } from "./state.ts";
import { World } from "./world.ts";

// What can be read without changing anything, under the names of the contracts' interfaces. Views answer as of `world.now` and throw a
// Revert where the contract's view reverts.

export {
  getAmountIn,
  getAmountOut,
  getReserves,
  observe,
  swapFee,
} from "./constantProductPool.ts";
export { isGood as isPriceGood, latestPrice } from "./guardedFeed.ts";
export { balanceOf as liquidityOf } from "./liquidityToken.ts";
export {
  convertToAssets,
  convertToShares,
  maxDeposit,
  maxMint,
  maxRedeem,
  maxWithdraw,
  previewDeposit,
  previewMint,
  previewRedeem,
  previewWithdraw,
  shareLock,
  totalAssets,
} from "./marginShares.ts";
export { previewOrder } from "./orderLogic.ts";
export { bandState, previewRebalance } from "./rebalancer.ts";
export {
  viewPool as poolState,
  viewPosition as position,
  viewSnapshot as snapshot,
} from "./riskLogic.ts";
export { allowance, balanceOf } from "./token.ts";
export { preview as market } from "./volatilityOracle.ts";

/** An account as stored, token units. See `IMarginPool.Account`. */
export interface MarginAccount extends Position {
  readonly unpaidClaim: bigint;
}

const NO_ORDER: Order = {
  sizeDelta: 0n,
  acceptablePriceWad: 0n,
  requestedAt: 0n,
  expiresAt: 0n,
  roundId: 0n,
  reservedMargin: 0n,
  reduceOnly: false,
};

/**
 * Looks at a protocol as it would be in a block at `at`, if nothing happened until then.
 *
 * @param protocol a world, which stays as it is, or a state
 * @param at unix seconds
 * @param view what to read
 * @returns what the view says
 */
export function viewAt<T>(
  protocol: World | ProtocolState,
  at: bigint,
  view: (world: World) => T,
): T {
  const world = protocol instanceof World ? protocol : new World(protocol);
  const { now } = world;
  world.now = at;
  try {
    return view(world);
  } finally {
    world.now = now;
  }
}

/** All ledgers as of the last sync, token units; `custodyQuote` is what traders own beside the positions' collateral, and credits. */
export function ledgers(world: World): Readonly<Ledgers> & { readonly custodyQuote: bigint } {
  const { ledgers: all, accountedQuote } = world.hot;
  const others =
    all.inventoryQuote +
    all.longCollateral +
    all.shortCollateral +
    all.skewPremium +
    all.pendingIncome +
    all.insuranceFund;
  return { ...all, custodyQuote: zeroFloorSub(accountedQuote, others) };
}

/** Funding index (quote per base) and rate (per year) as of the last sync, both 1e18. */
export function funding(world: World): {
  readonly indexWad: bigint;
  readonly rateWad: bigint;
  readonly lastSyncAt: bigint;
} {
  const { fundingIndexWad, fundingRateWad, lastSyncAt } = world.hot;
  return { indexWad: fundingIndexWad, rateWad: fundingRateWad, lastSyncAt };
}

/** K_ref, from which the speed limit counts, base token units. */
export function skewReference(world: World): bigint {
  return world.hot.skewReference;
}

/** Bad debt since the deployment, quote token units. */
export function badDebt(world: World): bigint {
  return world.cold.badDebt;
}

/** The state by solvency ratio as of the last sync, and what its clock counts from, unix seconds. */
export function riskClock(world: World): {
  readonly state: RiskState;
  readonly since: bigint;
  readonly recoverySince: bigint;
} {
  const { ratioState, stateSince, recoverySince } = world.hot;
  return { state: ratioState, since: stateSince, recoverySince };
}

/** How the pool was settled; zeros while it was not. */
export function settlement(world: World): Omit<Settlement, "deadSince"> {
  const { deadSince: _, ...shown } = world.cold.settlement;
  return shown;
}

/** An account as stored; `position` is the one brought up to now. */
export function marginAccount(world: World, account: Address): MarginAccount {
  return { ...loadPosition(world, account), unpaidClaim: world.claims.get(account) ?? 0n };
}

/** An account's queued order; zeros where there is none. */
export function order(world: World, account: Address): Order {
  return world.orders.get(account) ?? NO_ORDER;
}

/** What a keeper has earned and not claimed, quote token units. */
export function creditedOf(world: World, account: Address): bigint {
  return world.credits.get(account) ?? 0n;
}

/** Reserved for an order's executor, quote token units. */
export function executionFee(world: World): bigint {
  return orders.executionFee(world.config);
}

/** The owner's parameters now, those they lead to, and the end of the guardian's pause, unix seconds. */
export function parameters(world: World): {
  readonly current: Parameters;
  readonly next: Parameters;
  readonly pausedUntil: bigint;
} {
  const { pausedUntil } = world.hot;
  return { ...show(world.cold.parameters, world.now), pausedUntil };
}
