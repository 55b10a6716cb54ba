// GuardedFeed and PriceOracle: the feed's rounds and the checks that they must pass.
import { revert } from "../math/revert.ts";
import { type Address, ZERO_ADDRESS } from "./calls.ts";
import { getRoundData, latestRoundData } from "./feed.ts";
import type { ProtocolConfig } from "./state.ts";
import type { World } from "./world.ts";

const WAD = 10n ** 18n;
const MAXIMUM_PRICE_BAND_WAD = WAD / 100n;
const MAXIMUM_LP_PRICE_BAND_WAD = WAD / 20n;
const MINIMUM_SECONDS = 60n;
const MAXIMUM_SECONDS = 90_000n;
/** How late a heartbeat may be before the price counts as stale, seconds. */
const GRACE = 300n;
/** How far an answer may ever be from the first one, up or down. */
const ANSWER_RANGE = 1_000n;
const MAXIMUM_PRICE_WAD = 10n ** 30n;
const MINIMUM_FEED_DECIMALS = 6n;
const MAXIMUM_FEED_DECIMALS = 18n;

/** The latest round. `priceWad` (quote per base, 1e18) means nothing where the round is not good. */
export interface Latest {
  readonly good: boolean;
  readonly priceWad: bigint;
  /** Publication time, unix seconds. */
  readonly updatedAt: bigint;
  readonly roundId: bigint;
}

/** A past round: `updatedAt` is 0 where the feed has none, `usable` does not look at the time. */
export interface PastRound {
  readonly usable: boolean;
  readonly priceWad: bigint;
  readonly updatedAt: bigint;
}

/** How a price oracle is deployed. See `IPriceOracle.Settings`. */
export interface PriceOracleSettings {
  readonly heartbeatSeconds: bigint;
  readonly priceBandWad: bigint;
  readonly deviationThresholdWad: bigint;
  /** ZERO_ADDRESS for none. */
  readonly sequencerFeed: Address;
  readonly sequencerGraceSeconds: bigint;
}

/** What a price oracle fixes at its deployment. */
export type Guard = Pick<
  ProtocolConfig,
  | "feedScale"
  | "lowerAnswer"
  | "upperAnswer"
  | "priceBandWad"
  | "lpPriceBandWad"
  | "maximumAgeSeconds"
  | "hasSequencer"
  | "sequencerGraceSeconds"
>;

const NO_ROUND: PastRound = { usable: false, priceWad: 0n, updatedAt: 0n };

/**
 * What the constructor of PriceOracle makes of its settings, except that it also wants the price to be good: see `requireGood`.
 *
 * @param feedDecimals decimals of the price feed
 * @param answer the feed's latest answer, from which the bounds come
 * @throws {Revert} PriceBandOutOfBounds, LpPriceBandOutOfBounds, HeartbeatOutOfBounds, SequencerGraceOutOfBounds,
 * FeedDecimalsOutOfBounds, InitialAnswerOutOfBounds, each named PriceOracle_...
 */
export function guardOf(
  settings: PriceOracleSettings,
  feedDecimals: bigint,
  answer: bigint,
): Guard {
  const { heartbeatSeconds, priceBandWad, deviationThresholdWad, sequencerGraceSeconds } = settings;
  if (priceBandWad > MAXIMUM_PRICE_BAND_WAD) {
    revert("PriceOracle_PriceBandOutOfBounds", priceBandWad, MAXIMUM_PRICE_BAND_WAD);
  }
  if (deviationThresholdWad > MAXIMUM_LP_PRICE_BAND_WAD) {
    revert(
      "PriceOracle_LpPriceBandOutOfBounds",
      deviationThresholdWad,
      priceBandWad,
      MAXIMUM_LP_PRICE_BAND_WAD,
    );
  }
  requireSeconds("PriceOracle_HeartbeatOutOfBounds", heartbeatSeconds);
  const hasSequencer = settings.sequencerFeed !== ZERO_ADDRESS;
  if (hasSequencer) {
    requireSeconds("PriceOracle_SequencerGraceOutOfBounds", sequencerGraceSeconds);
  }
  if (feedDecimals < MINIMUM_FEED_DECIMALS || feedDecimals > MAXIMUM_FEED_DECIMALS) {
    revert(
      "PriceOracle_FeedDecimalsOutOfBounds",
      feedDecimals,
      MINIMUM_FEED_DECIMALS,
      MAXIMUM_FEED_DECIMALS,
    );
  }
  const feedScale = 10n ** (MAXIMUM_FEED_DECIMALS - feedDecimals);
  const maximum = MAXIMUM_PRICE_WAD / feedScale / ANSWER_RANGE;
  if (answer < ANSWER_RANGE || answer > maximum) {
    revert("PriceOracle_InitialAnswerOutOfBounds", answer, ANSWER_RANGE, maximum);
  }
  return {
    feedScale,
    lowerAnswer: answer / ANSWER_RANGE,
    upperAnswer: answer * ANSWER_RANGE,
    priceBandWad,
    lpPriceBandWad: priceBandWad > deviationThresholdWad ? priceBandWad : deviationThresholdWad,
    maximumAgeSeconds: heartbeatSeconds + GRACE,
    hasSequencer,
    sequencerGraceSeconds: hasSequencer ? sequencerGraceSeconds : 0n,
  };
}

/** The latest round and whether it passes every check. */
export function latest(world: World): Latest {
  const { config, now } = world;
  const { latestRoundId: roundId } = world.feed;
  const { answer, updatedAt, answeredInRound } = latestRoundData(world, "feed");
  let good =
    answeredInRound >= roundId &&
    isWithinBounds(config, answer) &&
    updatedAt <= now &&
    now - updatedAt <= config.maximumAgeSeconds;
  if (good && config.hasSequencer) {
    const { up, countedFrom } = sequencer(world);
    good = up && countedFrom !== 0n && now >= countedFrom;
  }
  return { good, priceWad: answer * config.feedScale, updatedAt, roundId };
}

/** The latest round and whether it passes every check but its age and the sequencer's. */
export function lastRound(world: World): PastRound & { readonly roundId: bigint } {
  const { config, now } = world;
  const { latestRoundId: roundId } = world.feed;
  const { answer, updatedAt, answeredInRound } = latestRoundData(world, "feed");
  const usable =
    updatedAt !== 0n &&
    updatedAt <= now &&
    answeredInRound >= roundId &&
    isWithinBounds(config, answer);
  return { usable, priceWad: answer * config.feedScale, updatedAt, roundId };
}

/** P (1 -+ delta), 1e18: the lower end rounded down, the upper up; both are the same whole number away from P. */
export function band(world: World, priceWad: bigint): { lowerWad: bigint; upperWad: bigint } {
  const width = (priceWad * world.config.priceBandWad + (WAD - 1n)) / WAD;
  return { lowerWad: priceWad - width, upperWad: priceWad + width };
}

/** A past round of the feed. */
export function roundAt(world: World, roundId: bigint): PastRound {
  const round = getRoundData(world, "feed", roundId);
  if (round === undefined) return NO_ROUND;
  const { answer, updatedAt, answeredInRound } = round;
  return {
    usable: updatedAt !== 0n && answeredInRound >= roundId && isWithinBounds(world.config, answer),
    priceWad: answer * world.config.feedScale,
    updatedAt,
  };
}

/** Whether the sequencer feed does not say "down", and the end of the grace, unix seconds: 0 while it is down or has no valid answer. */
export function sequencer(world: World): { up: boolean; countedFrom: bigint } {
  const { answer, startedAt } = latestRoundData(world, "sequencerFeed");
  if (startedAt === 0n || startedAt > world.now) return { up: true, countedFrom: 0n };
  if (answer !== 0n) return { up: false, countedFrom: 0n };
  return { up: true, countedFrom: startedAt + world.config.sequencerGraceSeconds };
}

/**
 * Reverts with the first check that the latest round fails, those of the sequencer first.
 *
 * @throws {Revert} SequencerRoundInvalid, SequencerDown, SequencerInGrace, RoundIncomplete, PriceNotPositive, PriceOutOfBounds,
 * PriceStale, each named PriceOracle_...
 */
export function requireGood(world: World): void {
  const { config, now } = world;
  if (config.hasSequencer) requireSequencer(world);
  const { latestRoundId: roundId } = world.feed;
  const { answer, updatedAt, answeredInRound } = latestRoundData(world, "feed");
  if (updatedAt === 0n || updatedAt > now || answeredInRound < roundId) {
    revert("PriceOracle_RoundIncomplete", roundId, answeredInRound, updatedAt);
  }
  if (answer <= 0n) revert("PriceOracle_PriceNotPositive", roundId, answer);
  if (!isWithinBounds(config, answer)) {
    const { lowerAnswer, upperAnswer } = config;
    revert("PriceOracle_PriceOutOfBounds", roundId, answer, lowerAnswer, upperAnswer);
  }
  if (now - updatedAt > config.maximumAgeSeconds) {
    revert("PriceOracle_PriceStale", roundId, updatedAt, config.maximumAgeSeconds);
  }
}

/**
 * `PriceOracle.latestPrice`.
 *
 * @throws {Revert} what `requireGood` throws
 */
export function latestPrice(world: World): {
  priceWad: bigint;
  lowerWad: bigint;
  upperWad: bigint;
  updatedAt: bigint;
  roundId: bigint;
} {
  const { good, priceWad, updatedAt, roundId } = latest(world);
  if (!good) requireGood(world);
  return { priceWad, ...band(world, priceWad), updatedAt, roundId };
}

/** `PriceOracle.isGood`: whether `latestPrice` would answer. */
export function isGood(world: World): boolean {
  return latest(world).good;
}

/**
 * `PriceOracle.liveness`: whether the sequencer is not down, from when on its silence counts, and the time of the last round that
 * nothing but its age may be wrong with (0: none). Unix seconds.
 */
export function liveness(world: World): {
  sequencerUp: boolean;
  countedFrom: bigint;
  lastRoundAt: bigint;
} {
  let [sequencerUp, countedFrom] = [true, 0n];
  if (world.config.hasSequencer) {
    ({ up: sequencerUp, countedFrom } = sequencer(world));
    if (sequencerUp && countedFrom === 0n) return { sequencerUp, countedFrom, lastRoundAt: 0n };
  }
  const { usable, updatedAt } = lastRound(world);
  return { sequencerUp, countedFrom, lastRoundAt: usable ? updatedAt : 0n };
}

function requireSequencer(world: World): void {
  const { now } = world;
  const { sequencerGraceSeconds } = world.config;
  const { answer, startedAt } = latestRoundData(world, "sequencerFeed");
  if (startedAt === 0n || startedAt > now) {
    revert("PriceOracle_SequencerRoundInvalid", world.sequencerFeed.latestRoundId, startedAt);
  }
  if (answer !== 0n) revert("PriceOracle_SequencerDown", answer, startedAt);
  if (now - startedAt < sequencerGraceSeconds) {
    revert("PriceOracle_SequencerInGrace", startedAt, sequencerGraceSeconds);
  }
}

function isWithinBounds({ lowerAnswer, upperAnswer }: ProtocolConfig, answer: bigint): boolean {
  return answer >= lowerAnswer && answer <= upperAnswer;
}

function requireSeconds(error: string, seconds: bigint): void {
  if (seconds < MINIMUM_SECONDS || seconds > MAXIMUM_SECONDS) {
    revert(error, seconds, MINIMUM_SECONDS, MAXIMUM_SECONDS);
  }
}
