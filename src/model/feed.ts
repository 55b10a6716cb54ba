import { ARITHMETIC_PANIC, panic } from "../math/revert.ts";
import type { Address, Calls } from "./calls.ts";
import type { FeedState, Round } from "./state.ts";
import type { World } from "./world.ts";

/** The two mock feeds: of the price, and of the sequencer's uptime. */
export type FeedName = "feed" | "sequencerFeed";

const FIRST_ROUND_ID = (1n << 64n) | 1n;
const MAX_ROUND_ID = 2n ** 80n - 1n;

/**
 * A feed as its constructor leaves it: round 1 of phase 1.
 *
 * @param answer first answer, in the feed's decimals
 * @param now `block.timestamp`, unix seconds
 */
export function createFeed(answer: bigint, now: bigint): FeedState {
  const round = { answer, startedAt: now, updatedAt: now, answeredInRound: FIRST_ROUND_ID };
  return { latestRoundId: FIRST_ROUND_ID, rounds: new Map([[FIRST_ROUND_ID, round]]) };
}

/** `latestRoundData`, the id aside: it is `world[feed].latestRoundId`. */
export function latestRoundData(world: World, feed: FeedName): Round {
  return world[feed].latestRound as Round;
}

/** `getRoundData`, the id aside; undefined where the contract reverts with UnknownRound. */
export function getRoundData(world: World, feed: FeedName, roundId: bigint): Round | undefined {
  return world[feed].rounds.get(roundId);
}

/**
 * Starts and completes the round after the latest one, now.
 *
 * @throws {Revert} Panic(0x11) after the last of all ids
 */
export function setPrice(
  world: World,
  feed: FeedName,
  { answer }: Calls["feed"]["setPrice"],
): void {
  const { now } = world;
  const { latestRoundId } = world[feed];
  if (latestRoundId === MAX_ROUND_ID) panic(ARITHMETIC_PANIC);
  const roundId = latestRoundId + 1n;
  write(world, feed, roundId, answer, now, now, roundId);
}

/** Writes any round, known or not, and makes it the latest. */
export function setRound(
  world: World,
  feed: FeedName,
  { roundId, answer, startedAt, updatedAt, answeredInRound }: Calls["feed"]["setRound"],
): void {
  write(world, feed, roundId, answer, startedAt, updatedAt, answeredInRound);
}

/** The calls of one mock feed: `(world, caller, args)`. */
export function feedEntryPoints(feed: FeedName) {
  return {
    setPrice: (world: World, _caller: Address, args: Calls["feed"]["setPrice"]) =>
      setPrice(world, feed, args),
    setRound: (world: World, _caller: Address, args: Calls["feed"]["setRound"]) =>
      setRound(world, feed, args),
  };
}

function write(
  world: World,
  feed: FeedName,
  roundId: bigint,
  answer: bigint,
  startedAt: bigint,
  updatedAt: bigint,
  answeredInRound: bigint,
): void {
  const book = world[feed];
  const round = { answer, startedAt, updatedAt, answeredInRound };
  book.rounds.set(roundId, round);
  book.latestRoundId = roundId;
  book.latestRound = round;
  world.emit(feed, "RoundSet", { roundId, answer, startedAt, updatedAt, answeredInRound });
}
