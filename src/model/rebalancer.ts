import { amountInUp, amountOutDown } from "../math/constantProductMath.ts";
import { dist, fullMulDiv, min, mulWad, mulWadUp, toUint128 } from "../math/fixedPoint.ts";
import {
  innerBand,
  MINIMUM_DAILY_MOVE_WAD,
  maximumChunkPpm,
  outerBand,
  remarkedReserves,
  targetVarianceOf,
  toleranceWad,
  unwindCostPpm,
  updatedDepth,
  updatedTargetVarianceWad,
} from "../math/rebalanceMath.ts";
import { revert } from "../math/revert.ts";
import { scalingEquity, shockWad } from "../math/solvencyMath.ts";
import type { Address } from "./calls.ts";
import { getReserves, swapFee } from "./constantProductPool.ts";
import { cacheBand, tradeWithPool } from "./marginPool.ts";
import type { Snapshot } from "./marginState.ts";
import { sync as syncMarginPool, viewSnapshot } from "./riskLogic.ts";
import { type RebalancerRecord, RiskState } from "./state.ts";
import { poke as pokeOracle } from "./volatilityOracle.ts";
import type { World } from "./world.ts";

// The twin of Rebalancer.sol: when and how much of the inventory is traded, and what the band is measured by.

const WAD = 10n ** 18n;
const PPM = 1_000_000n;

/** Order of `IRebalancer.Reason`. */
export const Reason = {
  Due: 0,
  InsideBand: 1,
  NotYetEligible: 2,
  AlreadyThisBlock: 3,
  PoolTooShallow: 4,
  InsufficientInventory: 5,
  Insolvent: 6,
} as const;
export type Reason = (typeof Reason)[keyof typeof Reason];

/** The next rebalance, token units. See `IRebalancer.Plan`. */
export interface Plan {
  readonly reason: Reason;
  readonly sellBase: boolean;
  readonly netExposureBase: bigint;
  readonly targetInventoryBase: bigint;
  readonly innerBand: bigint;
  readonly outerBand: bigint;
  readonly amountBase: bigint;
  readonly quoteLimit: bigint;
  readonly toleranceWad: bigint;
  readonly outsideSince: bigint;
  readonly episodeOpen: boolean;
}

type Chunk = Pick<Plan, "reason" | "amountBase" | "quoteLimit" | "toleranceWad">;

/** What the rebalancer keeps before its constructor ran. */
export const EMPTY_REBALANCER: RebalancerRecord = {
  lastTargetWad: 0n,
  lastRoundId: 0n,
  lastSampledAt: 0n,
  targetVarianceWad: 0n,
  lastTradeAt: 0n,
  lastDepthWad: 0n,
};

/**
 * The constructor.
 *
 * @param initialTargetVolatilityWad what the target moves in a day before it was measured, share of equity, 1e18
 * @throws {Revert} Rebalancer_InitialTargetVolatilityOutOfBounds
 */
export function deployRebalancer(world: World, initialTargetVolatilityWad: bigint): void {
  if (initialTargetVolatilityWad < MINIMUM_DAILY_MOVE_WAD || initialTargetVolatilityWad > WAD) {
    revert(
      "Rebalancer_InitialTargetVolatilityOutOfBounds",
      initialTargetVolatilityWad,
      MINIMUM_DAILY_MOVE_WAD,
      WAD,
    );
  }
  world.rebalancer = {
    ...EMPTY_REBALANCER,
    targetVarianceWad: toUint128(targetVarianceOf(initialTargetVolatilityWad)),
  };
}

/**
 * Trades one chunk toward the target.
 *
 * @returns what was done
 * @throws {Revert} Rebalancer_NotDue, Rebalancer_ExposureNotReduced, and what `sync` and `tradeWithPool` throw
 */
export function rebalance(world: World, caller: Address): Plan {
  const self = world.config.addresses.rebalancer;
  const { baseScale, quoteScale } = world.config;
  const s = syncMarginPool(world, self);
  const plan = planOf(world, s);
  if (plan.reason !== Reason.Due) {
    const { reason, netExposureBase, outerBand: outer, outsideSince } = plan;
    revert("Rebalancer_NotDue", reason, netExposureBase, outer, outsideSince);
  }
  world.rebalancer = { ...world.rebalancer, lastTradeAt: world.now };
  const { sellBase, amountBase, quoteLimit, netExposureBase } = plan;
  const trade = tradeWithPool(world, self, { sellBase, amountBase, quoteLimit });
  const next = trade.snapshotAfter;
  const exposureAfter = next.netExposureWad / baseScale;
  if (!isNearer(next.netExposureWad, s.netExposureWad)) {
    revert("Rebalancer_ExposureNotReduced", netExposureBase, exposureAfter);
  }
  const oracleValue = mulWad(amountBase * baseScale, s.indexPriceWad) / quoteScale;
  const { quoteAmount } = trade;
  world.emit("rebalancer", "Rebalanced", {
    keeper: caller,
    baseDelta: sellBase ? -amountBase : amountBase,
    quoteDelta: sellBase ? quoteAmount : -quoteAmount,
    indexPriceWad: s.indexPriceWad,
    cost: sellBase ? oracleValue - quoteAmount : quoteAmount - oracleValue,
    exposureBefore: netExposureBase,
    exposureAfter,
  });
  measure(world, next);
  return plan;
}

/** Folds missed rounds and, once per round, measures the band. @throws {Revert} what `sync` throws */
export function poke(world: World): void {
  pokeOracle(world);
  measure(world, syncMarginPool(world, world.config.addresses.rebalancer));
}

/** What `rebalance` would do now. @throws {Revert} the price's errors */
export function previewRebalance(world: World): Plan {
  return planOf(world, viewSnapshot(world));
}

/** State of the band's measurement: b* in base token units, nu^2 as (share of equity)^2 per year, 1e18, unix seconds. */
export function bandState(world: World): {
  readonly targetVarianceWad: bigint;
  readonly lastTargetBase: bigint;
  readonly lastSampledAt: bigint;
  readonly lastRoundId: bigint;
} {
  const { targetVarianceWad, lastTargetWad, lastSampledAt, lastRoundId } = world.rebalancer;
  const lastTargetBase = lastTargetWad / world.config.baseScale;
  return { targetVarianceWad, lastTargetBase, lastSampledAt, lastRoundId };
}

/** Closer to the target than before, and not beyond it. */
function isNearer(after: bigint, before: bigint): boolean {
  return before > 0n ? after >= 0n && after < before : after <= 0n && after > before;
}

function planOf(world: World, s: Snapshot): Plan {
  const { baseScale } = world.config;
  const { reason, amountBase, quoteLimit, toleranceWad: tolerance } = chunkOf(world, s);
  return {
    reason,
    sellBase: s.netExposureWad > 0n,
    netExposureBase: s.netExposureWad / baseScale,
    targetInventoryBase: s.targetInventoryBaseWad / baseScale,
    innerBand: innerBand(s.outerBandWad) / baseScale,
    outerBand: s.outerBandWad / baseScale,
    amountBase,
    quoteLimit,
    toleranceWad: tolerance,
    outsideSince: s.outsideSince,
    episodeOpen: s.episodeOpen,
  };
}

function noChunk(reason: Reason): Chunk {
  return { reason, amountBase: 0n, quoteLimit: 0n, toleranceWad: 0n };
}

/** Size and limit of the next chunk, or why there is none. */
function chunkOf(world: World, s: Snapshot): Chunk {
  if (s.equityBidWad <= 0n) return noChunk(Reason.Insolvent);
  if (s.outsideSince === 0n) return noChunk(Reason.InsideBand);
  if (!s.episodeOpen) return noChunk(Reason.NotYetEligible);
  if (world.rebalancer.lastTradeAt === world.now) return noChunk(Reason.AlreadyThisBlock);

  const { baseScale, quoteScale } = world.config;
  const fee = swapFee(world);
  const { reserveBaseWad, markedBaseWad, markedQuoteWad } = reservesAt(world, s.indexPriceWad);
  const sellBase = s.netExposureWad > 0n;
  const excess = (sellBase ? s.netExposureWad : -s.netExposureWad) - innerBand(s.outerBandWad);
  const depth = min(min(markedBaseWad, reserveBaseWad), s.depthBaseWad);
  const amountBase = min(excess, (depth * maximumChunkPpm(fee)) / PPM) / baseScale;
  if (amountBase === 0n) return noChunk(Reason.PoolTooShallow);

  const tolerance = toleranceWad(fee, world.now - s.outsideSince);
  const markedBase = markedBaseWad / baseScale;
  const markedQuote = markedQuoteWad / quoteScale;
  if (sellBase) {
    const out = amountOutDown(amountBase, markedBase, markedQuote, fee);
    const quoteLimit = mulWadUp(out, WAD - tolerance);
    const short = amountBase * baseScale > s.inventoryBaseWad;
    const reason = short ? Reason.InsufficientInventory : Reason.Due;
    return { reason, amountBase, quoteLimit, toleranceWad: tolerance };
  }
  const cost = amountInUp(amountBase, markedQuote, markedBase, fee);
  const quoteLimit = mulWad(cost, WAD + tolerance);
  const short = quoteLimit * quoteScale > s.availableQuoteWad;
  const reason = short ? Reason.InsufficientInventory : Reason.Due;
  return { reason, amountBase, quoteLimit, toleranceWad: tolerance };
}

/** The pool's base, and the pool re-marked to the oracle, 18 decimals. */
function reservesAt(
  world: World,
  indexPriceWad: bigint,
): {
  readonly reserveBaseWad: bigint;
  readonly markedBaseWad: bigint;
  readonly markedQuoteWad: bigint;
} {
  const { baseIsToken0, baseScale, quoteScale } = world.config;
  const { reserve0, reserve1 } = getReserves(world);
  const reserveBaseWad = (baseIsToken0 ? reserve0 : reserve1) * baseScale;
  const reserveQuoteWad = (baseIsToken0 ? reserve1 : reserve0) * quoteScale;
  const [markedBaseWad, markedQuoteWad] = remarkedReserves(
    reserveBaseWad,
    reserveQuoteWad,
    indexPriceWad,
  );
  return { reserveBaseWad, markedBaseWad, markedQuoteWad };
}

/** Once per round: variance rate of the target, depth and cost of the pool, and the band they make. */
function measure(world: World, s: Snapshot): void {
  if (s.riskState === RiskState.Settled) return;
  const before = world.rebalancer;
  const elapsed = world.now - before.lastSampledAt;
  // Before the first liquidity there is nothing to measure, and nothing may stand for the first sample.
  if (s.roundId === before.lastRoundId || elapsed === 0n || world.shares.totalSupply === 0n) return;
  const equity = scalingEquity(s.equityWad);
  let variance = before.targetVarianceWad;
  if (before.lastRoundId !== 0n) {
    const move = dist(s.targetInventoryBaseWad, before.lastTargetWad);
    const share = fullMulDiv(move, s.indexPriceWad, equity);
    variance = updatedTargetVarianceWad(variance, share, elapsed);
  }
  const { markedBaseWad } = reservesAt(world, s.indexPriceWad);
  world.rebalancer = {
    lastTargetWad: toUint128(s.targetInventoryBaseWad),
    lastRoundId: s.roundId,
    lastSampledAt: world.now,
    targetVarianceWad: toUint128(variance),
    lastTradeAt: before.lastTradeAt,
    lastDepthWad: markedBaseWad,
  };
  const depth = depthAfter(s.depthBaseWad, markedBaseWad, before.lastDepthWad, elapsed);
  const cost = unwindCostPpm(swapFee(world));
  const outer = outerBand(
    variance,
    equity,
    s.indexPriceWad,
    s.volatilityWad,
    cost,
    shockWad(s.volatilityWad),
  );
  const { baseScale, addresses } = world.config;
  world.emit("rebalancer", "BandUpdated", {
    outerBand: outer / baseScale,
    targetVarianceWad: variance,
    depthBase: depth / baseScale,
    unwindCostPpm: cost,
  });
  const band = { outerBandWad: outer, depthBaseWad: depth, unwindCostPpm: cost };
  cacheBand(world, addresses.rebalancer, band);
  syncMarginPool(world, addresses.rebalancer); // the exposure is now judged by the new band
}

/** x_ema after this sample. Depth counts once it has stood in two samples in a row. */
function depthAfter(average: bigint, depth: bigint, last: bigint, elapsed: bigint): bigint {
  return last === 0n ? depth : updatedDepth(average, min(depth, last), elapsed);
}
