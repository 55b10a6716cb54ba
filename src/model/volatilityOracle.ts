import { abs, lnWad } from "../math/fixedPoint.ts";
import { rememberLast } from "../math/memo.ts";
import { meanLogPriceWad } from "../math/poolConsult.ts";
import { revert } from "../math/revert.ts";
import {
  CEILING_WAD,
  deviationWad,
  FAST_TIME_CONSTANT,
  FLOOR_WAD,
  maintenanceVolatilityWad,
  SLOW_TIME_CONSTANT,
  squaredReturnWad,
  updatedVarianceWad,
  volatilityWad,
} from "../math/volatilityMath.ts";
import { observe } from "./constantProductPool.ts";
import { latestRoundData } from "./feed.ts";
import {
  band,
  isGood as isPriceGood,
  type Latest,
  lastRound,
  latest,
  latestPrice,
  type PastRound,
  requireGood,
  roundAt,
} from "./guardedFeed.ts";
import type { OracleRecord } from "./state.ts";
import type { World } from "./world.ts";

const WAD = 10n ** 18n;
const MAX_UINT256 = 2n ** 256n - 1n;
const MAXIMUM_ROUNDS_PER_POKE = 128n;
const MAXIMUM_ROUNDS_PER_SYNC = 2n;
/** Least time between two samples, seconds. */
const MINIMUM_SPACING = 60n;
const PHASE_SHIFT = 64n;
const MINIMUM_TWAP_WINDOW = 600n;
const MAXIMUM_TWAP_WINDOW = 86_400n;
const MINIMUM_ALLOWED_WAD = (3n * WAD) / 100n;
const ALLOWED_DEVIATIONS = 4n;

/** Price and volatility as every action of one transaction sees them. See `IVolatilityOracle.Market`. */
export interface Market {
  readonly priceWad: bigint;
  readonly lowerPriceWad: bigint;
  readonly upperPriceWad: bigint;
  readonly volatilityWad: bigint;
  readonly maintenanceVolatilityWad: bigint;
  readonly updatedAt: bigint;
  readonly roundId: bigint;
  readonly caughtUp: boolean;
}

/** A price, quote per base, 1e18, and its publication time, unix seconds. */
export interface DatedPrice {
  readonly priceWad: bigint;
  readonly updatedAt: bigint;
}

/** What the oracle keeps before its constructor ran. */
export const EMPTY_ORACLE: OracleRecord = {
  roundId: 0n,
  sampledAt: 0n,
  volatilityWad: 0n,
  maintenanceVolatilityWad: 0n,
  samplePriceWad: 0n,
  slowVarianceWad: 0n,
  fastVarianceWad: 0n,
  averageLogPriceWad: 0n,
  averageFrom: 0n,
  newerCumulativeLogPriceWad: 0n,
  newerVarianceRateWad: 0n,
  newerTimestamp: 0n,
};

/**
 * The constructor: checks the settings, starts the estimate at the latest round and takes the first snapshot of the pool.
 *
 * @param initialVolatilityWad sigma before the first sample, 1e18 per square root of a year
 * @throws {Revert} VolatilityOracle_InitialVolatilityOutOfBounds, VolatilityOracle_TwapWindowOutOfBounds, and the price's errors
 */
export function deployVolatilityOracle(world: World, initialVolatilityWad: bigint): void {
  if (initialVolatilityWad < FLOOR_WAD || initialVolatilityWad > CEILING_WAD) {
    revert(
      "VolatilityOracle_InitialVolatilityOutOfBounds",
      initialVolatilityWad,
      FLOOR_WAD,
      CEILING_WAD,
    );
  }
  const window = world.config.twapWindowSeconds;
  if (window < MINIMUM_TWAP_WINDOW || window > MAXIMUM_TWAP_WINDOW) {
    revert(
      "VolatilityOracle_TwapWindowOutOfBounds",
      window,
      MINIMUM_TWAP_WINDOW,
      MAXIMUM_TWAP_WINDOW,
    );
  }
  const { priceWad, updatedAt, roundId } = latestPrice(world);
  const varianceWad = (initialVolatilityWad * initialVolatilityWad) / WAD;
  world.oracle = {
    ...EMPTY_ORACLE,
    roundId,
    sampledAt: updatedAt,
    volatilityWad: initialVolatilityWad,
    maintenanceVolatilityWad: initialVolatilityWad,
    samplePriceWad: priceWad,
    slowVarianceWad: varianceWad,
    fastVarianceWad: varianceWad,
  };
  takeSnapshot(world);
}

/**
 * Reads the price, folds at most two rounds and returns what everything downstream computes with.
 *
 * @throws {Revert} what `requireGood` throws, VolatilityOracle_RoundRegressed
 */
export function sync(world: World): Market {
  const known = knownMarket(world);
  if (known !== undefined) return known;
  const price = current(world);
  if (price.roundId !== world.oracle.roundId) advance(world, price, MAXIMUM_ROUNDS_PER_SYNC);
  return keptMarket(world, price);
}

/**
 * What `sync` would return now, without storing it.
 *
 * @throws {Revert} what `sync` throws
 */
export function preview(world: World): Market {
  const known = knownMarket(world);
  if (known !== undefined) return known;
  const price = current(world);
  const { oracle } = world;
  return price.roundId === oracle.roundId
    ? keptMarket(world, price)
    : marketOf(world, price, folded(world, oracle, price, MAXIMUM_ROUNDS_PER_SYNC));
}

/** The market of the same round and estimate as last time, while the round is not too old and no other waits to be folded. */
function knownMarket(world: World): Market | undefined {
  const { lastMarket, now, config } = world;
  if (lastMarket === undefined || config.hasSequencer) return undefined;
  const { round, oracle, market } = lastMarket;
  const same =
    market.caughtUp &&
    oracle === world.oracle &&
    market.roundId === world.feed.latestRoundId &&
    round === latestRoundData(world, "feed") &&
    now - market.updatedAt <= config.maximumAgeSeconds;
  return same ? market : undefined;
}

function keptMarket(world: World, price: Latest): Market {
  const { oracle } = world;
  const market = marketOf(world, price, oracle);
  world.lastMarket = { round: latestRoundData(world, "feed"), oracle, market };
  return market;
}

/**
 * Folds missed rounds, oldest first, and takes a snapshot of the pool when the last one is at least a window old.
 *
 * @returns how many rounds were looked at
 * @throws {Revert} what `sync` throws
 */
export function poke(world: World): bigint {
  const price = current(world);
  const from = world.oracle.roundId;
  let count = 0n;
  if (price.roundId !== from) {
    advance(world, price, MAXIMUM_ROUNDS_PER_POKE);
    const to = world.oracle.roundId;
    count = to >> PHASE_SHIFT === from >> PHASE_SHIFT ? to - from : 1n;
  }
  takeSnapshot(world);
  return count;
}

/** Whether the price is good and its round not below one seen before: whether `sync` would answer. */
export function isGood(world: World): boolean {
  return isPriceGood(world) && !isRegressed(world.feed.latestRoundId, world.oracle.roundId);
}

/** Price and publication time of the last sample. */
export function lastSample(world: World): { priceWad: bigint; sampledAt: bigint } {
  return { priceWad: world.oracle.samplePriceWad, sampledAt: world.oracle.sampledAt };
}

/**
 * The last price that was good: the latest round's while nothing but its age or the sequencer is wrong with it, otherwise that of the
 * last round looked at, and where the feed does not answer the last sample's.
 */
export function lastGood(world: World): DatedPrice {
  const seen = world.oracle.roundId;
  const last = lastRound(world);
  if (last.usable && !isRegressed(last.roundId, seen)) {
    return { priceWad: last.priceWad, updatedAt: last.updatedAt };
  }
  const { usable, priceWad, updatedAt } = roundAt(world, seen);
  if (usable && updatedAt <= world.now) return { priceWad, updatedAt };
  return { priceWad: world.oracle.samplePriceWad, updatedAt: world.oracle.sampledAt };
}

/**
 * How far a price is from the pool's average, |ln(TWAP / P)|, and how far it may be: max(3 %, 4 sigma sqrt(time since the older
 * snapshot)). Both 1e18; without two snapshots 0 and 2^256 - 1.
 *
 * @param priceWad P, quote per base, 1e18, above 0
 * @param sigmaWad sigma, 1e18 per square root of a year
 */
export function distanceFromAverage(
  world: World,
  priceWad: bigint,
  sigmaWad: bigint,
): { distanceWad: bigint; allowedWad: bigint } {
  const { averageFrom, averageLogPriceWad } = world.oracle;
  if (averageFrom === 0n) return { distanceWad: 0n, allowedWad: MAX_UINT256 };
  const distanceWad = abs(averageLogPriceWad - rememberedLog(priceWad));
  let allowedWad = MINIMUM_ALLOWED_WAD;
  if (distanceWad > MINIMUM_ALLOWED_WAD) {
    const spreadWad = ALLOWED_DEVIATIONS * deviationWad(sigmaWad, world.now - averageFrom);
    if (spreadWad > allowedWad) allowedWad = spreadWad;
  }
  return { distanceWad, allowedWad };
}

const rememberedLog = rememberLast(lnWad);

/** When the two snapshots of the pool were taken, unix seconds; 0 for one that was not. */
export function snapshotTimes(world: World): { olderAt: bigint; newerAt: bigint } {
  return { olderAt: world.oracle.averageFrom, newerAt: world.oracle.newerTimestamp };
}

/** The guarded price, or its error. */
function current(world: World): Latest {
  const price = latest(world);
  if (!price.good) requireGood(world);
  return price;
}

/** Folds, stores and tells. The latest round is not the last one looked at. */
function advance(world: World, price: Latest, maximumRounds: bigint): void {
  const before = world.oracle;
  const after = folded(world, before, price, maximumRounds);
  world.oracle = after;
  const { roundId, samplePriceWad, sampledAt } = after;
  if (roundId >> PHASE_SHIFT !== before.roundId >> PHASE_SHIFT) {
    const args = { roundId, priceWad: samplePriceWad, sampledAt };
    world.emit("volatilityOracle", "SamplingRestarted", args);
  } else if (sampledAt !== before.sampledAt) {
    world.emit("volatilityOracle", "VolatilitySampled", {
      roundId,
      priceWad: samplePriceWad,
      sampledAt,
      volatilityWad: after.volatilityWad,
      maintenanceVolatilityWad: after.maintenanceVolatilityWad,
    });
  }
}

/** The estimate after up to `maximumRounds` rounds after the last one, oldest first. */
function folded(
  world: World,
  before: OracleRecord,
  price: Latest,
  maximumRounds: bigint,
): OracleRecord {
  const { roundId, updatedAt } = price;
  let id = before.roundId;
  if (roundId >> PHASE_SHIFT !== id >> PHASE_SHIFT) {
    // A new aggregator numbers its rounds anew: the return across the change is not a price move.
    return { ...before, roundId, sampledAt: updatedAt, samplePriceWad: price.priceWad };
  }
  if (roundId < id) revert("VolatilityOracle_RoundRegressed", roundId, id);
  const last = id + maximumRounds < roundId ? id + maximumRounds : roundId;
  let after = before;
  let fetched: PastRound | undefined;
  while (id !== last) {
    id += 1n;
    const round: PastRound =
      id === roundId
        ? { usable: true, priceWad: price.priceWad, updatedAt }
        : (fetched ?? roundAt(world, id));
    fetched = undefined;
    const time = round.updatedAt;
    if (!round.usable || time < after.sampledAt + MINIMUM_SPACING || time > updatedAt) continue;
    // A round dated after the one that followed it lay in the future. The latest one's successor is to come.
    if (id + 1n < roundId) {
      fetched = roundAt(world, id + 1n);
      if (fetched.updatedAt !== 0n && time > fetched.updatedAt) continue;
    }
    after = sampled(after, round.priceWad, time);
  }
  return { ...after, roundId: id };
}

/** The estimate after one more sample, at least `MINIMUM_SPACING` after the last one. */
function sampled(before: OracleRecord, priceWad: bigint, time: bigint): OracleRecord {
  const elapsed = time - before.sampledAt;
  const squaredReturn = squaredReturnWad(priceWad, before.samplePriceWad);
  const fastVarianceWad = updatedVarianceWad(
    before.fastVarianceWad,
    squaredReturn,
    elapsed,
    FAST_TIME_CONSTANT,
  );
  const slowVarianceWad = updatedVarianceWad(
    before.slowVarianceWad,
    squaredReturn,
    elapsed,
    SLOW_TIME_CONSTANT,
  );
  const sigmaWad = volatilityWad(fastVarianceWad, slowVarianceWad);
  return {
    ...before,
    sampledAt: time,
    volatilityWad: sigmaWad,
    maintenanceVolatilityWad: maintenanceVolatilityWad(
      before.maintenanceVolatilityWad,
      sigmaWad,
      elapsed,
    ),
    samplePriceWad: priceWad,
    slowVarianceWad,
    fastVarianceWad,
  };
}

/** Takes a snapshot of the pool when the last one is at least a window old. An empty pool has no price. */
function takeSnapshot(world: World): void {
  const { oracle, config, now } = world;
  const newerAt = oracle.newerTimestamp;
  if (newerAt !== 0n && now - newerAt < config.twapWindowSeconds) return;
  if (world.liquidityToken.totalSupply === 0n) return;
  const { cumulativeLogPriceWad, varianceRateWad, timestamp } = observe(world);
  let { averageLogPriceWad, averageFrom } = oracle;
  if (newerAt !== 0n) {
    const meanWad = meanLogPriceWad(
      {
        cumulativeLogPriceWad: oracle.newerCumulativeLogPriceWad,
        varianceRateWad: oracle.newerVarianceRateWad,
        timestamp: newerAt,
      },
      { cumulativeLogPriceWad, varianceRateWad, timestamp },
    );
    averageLogPriceWad = (config.baseIsToken0 ? meanWad : -meanWad) + config.logScaleWad;
    averageFrom = newerAt;
  }
  world.oracle = {
    ...oracle,
    averageLogPriceWad,
    averageFrom,
    newerCumulativeLogPriceWad: cumulativeLogPriceWad,
    newerVarianceRateWad: varianceRateWad,
    newerTimestamp: timestamp,
  };
  world.emit("volatilityOracle", "PoolSnapshotTaken", {
    cumulativeLogPriceWad,
    takenAt: timestamp,
  });
}

function isRegressed(roundId: bigint, lastRoundId: bigint): boolean {
  return roundId < lastRoundId && roundId >> PHASE_SHIFT === lastRoundId >> PHASE_SHIFT;
}

function marketOf(world: World, price: Latest, oracle: OracleRecord): Market {
  const { priceWad, updatedAt, roundId } = price;
  const { lowerWad, upperWad } = band(world, priceWad);
  return {
    priceWad,
    lowerPriceWad: lowerWad,
    upperPriceWad: upperWad,
    volatilityWad: oracle.volatilityWad,
    maintenanceVolatilityWad: oracle.maintenanceVolatilityWad,
    updatedAt,
    roundId,
    caughtUp: oracle.roundId === roundId,
  };
}
