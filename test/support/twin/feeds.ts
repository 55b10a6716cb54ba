import type { Round } from "../../../src/model/state.ts";
import { type Scene, type Script, WAD } from "./scene.ts";

/** Round ids have 80 bits, the highest 16 of them the phase. */
const LAST_ROUND = 2n ** 80n - 1n;
const PHASES = 2n ** 16n;
const SECOND_PHASE = 2n << 64n;
const DAY = 86_400n;

/** A new round near the last price, or with a jump. */
export function* tick(scene: Scene): Script {
  scene.wait(1 + scene.integer(scene.chance(0.8) ? 90 : 3_000));
  const size = scene.pick([500, 2_000, 5_000, 15_000]);
  yield scene.publish(scene.moved(scene.integer(2 * size) - size));
}

/** A crash, a spike or a slow gap. */
export function* jump(scene: Scene): Script {
  scene.wait(20 + scene.integer(900));
  yield scene.publish(
    scene.moved(
      scene.chance(0.5) ? 30_000 + scene.integer(250_000) : -30_000 - scene.integer(200_000),
    ),
  );
  if (scene.chance(0.5)) yield scene.call(scene.keeper(), "volatilityOracle", "poke", {});
}

/** Rounds faster than anybody folds them. */
export function* burst(scene: Scene): Script {
  for (let left = 3 + scene.integer(6); left > 0; left -= 1) {
    scene.wait(1 + scene.integer(90));
    yield scene.publish(scene.moved(scene.integer(60_001) - 30_000));
  }
  yield scene.call(scene.keeper(), "volatilityOracle", scene.pick(["sync", "poke"]), {});
}

/** Time passes at one price, with a round and a poke in every part of it. */
export function* calm(scene: Scene, seconds: bigint, every = 1_800n): Script {
  for (let left = seconds; left > 0n; left -= every) {
    scene.wait(left < every ? left : every);
    yield scene.publish(scene.price);
    yield scene.call(scene.keeper(), "rebalancer", "poke", {});
  }
}

/** Goes to the second at which a clock of the protocol runs out, or one before or after it. */
export function* onTheSecond(scene: Scene): Script {
  const { hot, cold, oracle, locks, orders, config } = scene.state;
  const { distress, settlement, parameters } = cold;
  const ends = [
    hot.recoverySince + 1_800n,
    hot.stateSince + DAY,
    hot.outsideSince + 600n,
    hot.pausedUntil,
    distress.lowSince + 600n,
    distress.bankruptAt + 600n,
    cold.insuranceUsedAt + DAY,
    parameters.changedAt + DAY,
    parameters.pausedAt + 10n * DAY,
    settlement.deadSince + DAY,
    settlement.settledAt + 7n * DAY,
    oracle.sampledAt + 60n,
    oracle.newerTimestamp + config.twapWindowSeconds,
    ...[...locks.values()].map(({ unlockAt }) => unlockAt),
    ...[...orders.values()].map(({ expiresAt }) => expiresAt),
  ].filter((end) => end > scene.at + 1n);
  const near = ends.toSorted((a, b) => (a < b ? -1 : 1)).slice(0, 4);
  if (near.length === 0) return;
  scene.at = scene.pick(near) - 1n + BigInt(scene.integer(3));
  yield scene.publish(scene.price);
  yield scene.margin(scene.keeper(), "sync", {});
  scene.wait(scene.integer(2));
  yield scene.call(scene.keeper(), "rebalancer", "poke", {});
}

/** Rounds and pokes until the volatility oracle has looked at all of them. */
export function* revive(scene: Scene): Script {
  scene.wait(61);
  yield scene.publish(scene.price);
  for (let turn = 0; turn < 5; turn += 1) {
    yield scene.call(scene.keeper(), "volatilityOracle", "poke", {});
    if (scene.state.oracle.roundId === scene.state.feed.latestRoundId) return;
  }
}

/** One thing a feed should not do; others meet it before it recovers. */
export function* fault(scene: Scene): Script {
  const { latestRoundId, rounds } = scene.state.feed;
  const { config } = scene.state;
  const answer = scene.price / config.feedScale;
  const set = (roundId: bigint, changes: Partial<Round> = {}) =>
    scene.call(scene.keeper(), "feed", "setRound", {
      roundId,
      answer,
      startedAt: scene.at,
      updatedAt: scene.at,
      answeredInRound: roundId,
      ...changes,
    });
  scene.wait(1 + scene.integer(70));
  const next = latestRoundId + 1n;
  const kind = scene.integer(16);
  if (kind === 0) yield set(next, { answer: 0n });
  else if (kind === 1) yield set(next, { answer: -scene.pick([1n, answer, 2n ** 255n]) });
  else if (kind === 2) yield set(next, { answeredInRound: next - 1n });
  else if (kind === 3) yield set(next, { updatedAt: 0n });
  else if (kind === 4) yield set(next, { updatedAt: scene.at + 1n + BigInt(scene.integer(5_000)) });
  else if (kind === 5)
    yield set(latestRoundId > 3n ? latestRoundId - BigInt(scene.integer(3)) - 1n : 0n);
  else if (kind === 6)
    yield set(((((latestRoundId >> 64n) + 1n) % PHASES) << 64n) + BigInt(scene.integer(3)));
  else if (kind === 7) yield set(next, { answer: config.lowerAnswer - BigInt(scene.integer(2)) });
  else if (kind === 8) yield set(next, { answer: config.upperAnswer + BigInt(scene.integer(2)) });
  else if (kind === 9) scene.wait(config.maximumAgeSeconds + BigInt(scene.integer(3)) - 1n);
  else if (kind === 10)
    yield set(next + 2n); // ids with holes
  else if (kind === 11) yield set(next, { updatedAt: scene.at - BigInt(scene.integer(300)) });
  else if (kind === 12)
    yield set(latestRoundId, { answer: (answer * 101n) / 100n }); // the same id again
  else if (kind === 13) {
    // a round that said it came from the future, passed over by the next one
    yield set(next, { updatedAt: scene.at + 1_000n });
    scene.wait(30);
    yield set(next + 1n);
  } else if (kind === 14) yield set(next, { answer: scene.pick([2n ** 255n - 1n, 2n ** 128n]) });
  else if (scene.chance(0.05)) yield set(LAST_ROUND);
  else yield set(1n + BigInt(scene.integer(5)));
  for (let turn = scene.integer(3); turn > 0; turn -= 1) {
    yield scene.pick([
      () => scene.call(scene.keeper(), "rebalancer", "poke", {}),
      () => scene.margin(scene.keeper(), "sync", {}),
      () => scene.call(scene.keeper(), "volatilityOracle", "poke", {}),
      () => scene.call(scene.keeper(), "volatilityOracle", "sync", {}),
      () =>
        scene.margin(scene.someone("lps"), "deposit", {
          assets: scene.quote(10),
          receiver: scene.anywhere(),
        }),
      () => scene.margin(scene.keeper(), "settle", {}),
    ])();
  }
  if (scene.chance(0.8))
    yield* mend(scene, rounds.get(latestRoundId) !== undefined ? next : latestRoundId);
}

/** Feeds as they should be: the sequencer up for long enough, a round of now. */
export function* repair(scene: Scene): Script {
  const { sequencerFeed, config, feed } = scene.state;
  const round = sequencerFeed.rounds.get(sequencerFeed.latestRoundId);
  const upAt = scene.at - config.sequencerGraceSeconds;
  if (
    config.hasSequencer &&
    (round?.answer !== 0n || round.startedAt === 0n || round.startedAt > upAt)
  ) {
    yield scene.call(scene.keeper(), "sequencerFeed", "setRound", {
      roundId: sequencerFeed.latestRoundId,
      answer: 0n,
      startedAt: upAt,
      updatedAt: upAt,
      answeredInRound: sequencerFeed.latestRoundId,
    });
  }
  yield* mend(scene, feed.latestRoundId);
}

/** Back to a good price: above the ids seen if they went back, in a new phase if there is no other way. */
function* mend(scene: Scene, next: bigint): Script {
  scene.wait(61 + scene.integer(60));
  const { oracle, config, feed } = scene.state;
  const highest = [next, oracle.roundId, feed.latestRoundId].reduce((a, b) => (a > b ? a : b));
  const phase = highest < LAST_ROUND ? highest + 1n : SECOND_PHASE;
  yield scene.call(scene.keeper(), "feed", "setRound", {
    roundId: phase,
    answer: scene.price / config.feedScale,
    startedAt: scene.at,
    updatedAt: scene.at,
    answeredInRound: phase,
  });
  yield scene.call(scene.keeper(), "volatilityOracle", "poke", {});
}

/** The sequencer goes down and comes back, or its feed fails. */
export function* sequencer(scene: Scene): Script {
  if (!scene.state.config.hasSequencer) return;
  const { latestRoundId } = scene.state.sequencerFeed;
  const set = (answer: bigint, startedAt: bigint) =>
    scene.call(scene.keeper(), "sequencerFeed", "setRound", {
      roundId: latestRoundId + 1n,
      answer,
      startedAt,
      updatedAt: scene.at,
      answeredInRound: latestRoundId + 1n,
    });
  const kind = scene.integer(4);
  if (kind === 0) yield set(0n, 0n);
  else if (kind === 1) yield set(0n, scene.at + 100n);
  else if (kind === 2)
    yield scene.call(scene.keeper(), "sequencerFeed", "setPrice", { answer: 1n });
  else yield set(1n, scene.at - BigInt(scene.integer(100)));
  scene.pause();
  yield scene.margin(scene.keeper(), scene.pick(["sync", "settle"]), {});
  scene.wait(scene.integer(600));
  yield set(0n, scene.at);
  const grace = scene.state.config.sequencerGraceSeconds;
  scene.wait(scene.pick([grace - 1n, grace, grace + 5n]));
  yield scene.publish(scene.price);
  yield scene.margin(scene.keeper(), "sync", {});
  if (
    scene.state.sequencerFeed.rounds.get(scene.state.sequencerFeed.latestRoundId)!.startedAt +
      grace >
    scene.at
  ) {
    scene.wait(2);
    yield scene.margin(scene.keeper(), "sync", {});
  }
}

/** The price at which so many whole quote of profit would be lost by a size, 1e18; signed like the size. */
export function moveAgainst(scene: Scene, size: bigint, lossQuote: bigint): bigint {
  const { quoteScale, baseScale } = scene.state.config;
  return (lossQuote * quoteScale * WAD) / (size * baseScale);
}
