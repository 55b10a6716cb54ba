// Random rounds of the two feeds, good and faulty, and whoever reads them.
import * as guardedFeed from "../../src/model/guardedFeed.ts";
import * as oracle from "../../src/model/volatilityOracle.ts";
import type { Call, ModelTwins, View } from "../support/modelTwins.ts";

const MAX_ROUND_ID = 2n ** 80n - 1n;
const PHASE = 1n << 64n;

/** A few calls that belong together, without the times between them. */
export function oracleCalls(twins: ModelTwins): Call[] {
  const from = twins.address("alice");
  const { feed, oracle: estimate } = twins.world;
  const latest = feed.latestRoundId;
  const next = latest + 1n;
  const round = (roundId: bigint, changes: Partial<Changes> = {}): Call => ({
    from,
    to: "feed",
    method: "setRound",
    args: {
      roundId: idOf(roundId),
      answer: changes.answer ?? nextAnswer(twins),
      startedAt: twins.now,
      updatedAt: changes.updatedAt ?? twins.now,
      answeredInRound: idOf(changes.answeredInRound ?? roundId),
    },
  });
  const read = (): Call =>
    twins.chance(50)
      ? { from, to: "volatilityOracle", method: "sync", args: {} }
      : { from, to: "volatilityOracle", method: "poke", args: {} };
  const price = (): Call => ({
    from,
    to: "feed",
    method: "setPrice",
    args: { answer: nextAnswer(twins) },
  });
  const good = estimate.roundId >= latest ? estimate.roundId + 1n : next;

  switch (twins.random.integer(22)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return [price(), read()];
    case 4:
      return [price(), ...(twins.chance(50) ? [price()] : []), price()];
    case 5:
    case 6:
      return [read()];
    case 7: // late, unfinished, or from the future
      return [
        round(next, {
          updatedAt: twins.oneOf(
            0n,
            twins.now - 30n,
            twins.now - 400n,
            twins.now + 20n,
            2n ** 255n,
          ),
        }),
        read(),
      ];
    case 8: // carries another round's answer
      return [round(next, { answeredInRound: twins.oneOf(latest, 0n, next + 1n) }), read()];
    case 9: {
      const { lowerAnswer, upperAnswer } = twins.world.config;
      const answer = twins.oneOf(
        ...([lowerAnswer, lowerAnswer - 1n, upperAnswer, upperAnswer + 1n] as const),
        ...([0n, -1n, -lowerAnswer, 2n ** 255n - 1n, -(2n ** 255n)] as const),
      );
      return [round(next, { answer }), read(), ...(twins.chance(50) ? [price(), read()] : [])];
    }
    case 10: // an older round, or the same one again
      return [
        round(twins.oneOf(latest, latest - 1n, estimate.roundId - 3n, estimate.roundId), {}),
        read(),
        ...(twins.chance(50) ? [round(good), read()] : []),
      ];
    case 11: // ids that the feed left out
      return [round(next + BigInt(twins.random.integer(6))), read()];
    case 12:
      return [...Array.from({ length: twins.random.integer(7) }, price), read()];
    case 13: {
      // Another aggregator, and sometimes an older one again.
      const phase = (estimate.roundId >> 64n) + twins.oneOf(1n, 1n, 1n, 2n, -1n);
      return [round(phase * PHASE + BigInt(twins.random.integer(5)), {}), read()];
    }
    case 14: {
      const answer = nextAnswer(twins);
      return [
        // Dated into the future, so that nobody takes it for good; then the ids are at their end.
        round(MAX_ROUND_ID, { updatedAt: twins.now + 10n ** 9n }),
        { from, to: "feed", method: "setPrice", args: { answer } },
        round(good),
      ];
    }
    case 15: // a round dated after its successor
      return [
        round(next, { updatedAt: twins.now + twins.oneOf(0n, 65n, 500n) }),
        round(next + 1n),
        ...(twins.chance(50) ? [round(next + 2n)] : []),
        read(),
      ];
    case 16: // answers, but not those of a price oracle
      return [round(next + 1n), round(next, { updatedAt: 0n }), round(next + 2n), read()];
    case 17:
    case 18:
      return [trade(twins), ...(twins.chance(50) ? [read()] : [])];
    default:
      return sequencerCalls(twins);
  }
}

/** More rounds than one poke folds. */
export function manyRounds(twins: ModelTwins, count: number): Call[] {
  const from = twins.address("alice");
  const rounds = Array.from(
    { length: count },
    (): Call => ({ from, to: "feed", method: "setPrice", args: { answer: nextAnswer(twins) } }),
  );
  const read = (method: "poke" | "sync"): Call => ({
    from,
    to: "volatilityOracle",
    method,
    args: {},
  });
  return [...rounds, read("sync"), read("poke"), read("poke"), read("poke")];
}

/** What the contracts say about the price. */
export function oracleViews(twins: ModelTwins, priceOracle: View["of"]): View[] {
  const { volatilityOracle: of } = twins.deployment.contracts;
  const { samplePriceWad, volatilityWad } = twins.world.oracle;
  const priceWad = (samplePriceWad * BigInt(900 + twins.random.integer(200))) / 1_000n;
  const view = (name: keyof typeof oracle & string, inModel: View["inModel"]): View => ({
    of,
    name,
    args: [],
    inModel,
  });
  return [
    view("preview", oracle.preview),
    view("isGood", oracle.isGood),
    view("lastGood", oracle.lastGood),
    view("lastSample", oracle.lastSample),
    view("snapshotTimes", oracle.snapshotTimes),
    {
      of,
      name: "distanceFromAverage",
      args: [priceWad, volatilityWad],
      inModel: (world) => oracle.distanceFromAverage(world, priceWad, volatilityWad),
    },
    { of: priceOracle, name: "latestPrice", args: [], inModel: guardedFeed.latestPrice },
    { of: priceOracle, name: "isGood", args: [], inModel: guardedFeed.isGood },
    { of: priceOracle, name: "liveness", args: [], inModel: guardedFeed.liveness },
  ];
}

interface Changes {
  answer: bigint;
  updatedAt: bigint;
  answeredInRound: bigint;
}

/** The nearest number that an id can be. */
function idOf(value: bigint): bigint {
  if (value < 0n) return 0n;
  return value > MAX_ROUND_ID ? MAX_ROUND_ID : value;
}

/** Near the last sample, so that prices wander; a jump now and then, sometimes beyond a quarter. */
function nextAnswer(twins: ModelTwins): bigint {
  const { config, oracle: estimate } = twins.world;
  const last = estimate.samplePriceWad / config.feedScale;
  const span = twins.chance(85) ? 10_000 : 400_000;
  const answer = last + (last * BigInt(twins.random.integer(2 * span) - span)) / 1_000_000n;
  return answer > 0n ? answer : 1n;
}

function trade(twins: ModelTwins): Call {
  const { pool, config } = twins.world;
  const token = twins.oneOf("base", "quote");
  const reserve = (token === "base") === config.baseIsToken0 ? pool.reserve0 : pool.reserve1;
  const to = twins.address("alice");
  return {
    from: to,
    to: "pool",
    method: "swapExactInput",
    args: {
      tokenIn: twins.address(token),
      amountIn: reserve / BigInt(20 + twins.random.integer(1_000)),
      minAmountOut: 0n,
      to,
      deadline: twins.now + 10n ** 10n,
    },
  };
}

/** The sequencer goes down, comes back, or tells nonsense; half the time it is soon up for long enough. */
function sequencerCalls(twins: ModelTwins): Call[] {
  if (!twins.world.config.hasSequencer) return [trade(twins)];
  const from = twins.address("alice");
  const set = (answer: bigint, startedAt: bigint): Call => ({
    from,
    to: "sequencerFeed",
    method: "setRound",
    args: {
      roundId: twins.world.sequencerFeed.latestRoundId + 1n,
      answer,
      startedAt,
      updatedAt: twins.now,
      answeredInRound: 0n,
    },
  });
  const { sequencerGraceSeconds: grace } = twins.world.config;
  const up = set(0n, twins.now - grace - 1n);
  const read: Call = { from, to: "volatilityOracle", method: "poke", args: {} };
  const trouble = twins.oneOf(
    set(1n, twins.now - 10n),
    set(-1n, twins.now),
    set(0n, 0n),
    set(0n, twins.now + 90n),
    set(0n, twins.now - grace + twins.oneOf(0n, 3n)),
    up,
  );
  return [trouble, read, ...(twins.chance(60) ? [up, read] : [])];
}
