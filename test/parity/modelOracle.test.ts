import { expect } from "chai";
import { ModelTwins } from "../support/modelTwins.ts";
import type { TwinSettings } from "../support/twin/deployment.ts";
import { manyRounds, oracleCalls, oracleViews } from "./oracleCalls.ts";

const deep = process.env.BALLAST_DEEP === "1";
const SEEDS = deep ? 15 : 1;
const ROUNDS = deep ? 400 : 150;

/** When more rounds come than one poke folds. */
const MANY = 100;

const SETTINGS: TwinSettings[] = [
  {
    name: "18 and 6 decimals, a patient feed",
    overrides: { lpEquity: 0n, heartbeatSeconds: 86_400n, initialPrice: 1_946_127354910000000000n },
    baseIsToken0: true,
    hasSequencer: false,
  },
  {
    name: "8 and 18 decimals, a feed of 18 decimals, a sequencer",
    overrides: {
      lpEquity: 0n,
      baseDecimals: 8,
      quoteDecimals: 18,
      feedDecimals: 18,
      priceBand: 7_300_000_000_000_000n,
      heartbeatSeconds: 3_600n,
      twapWindowSeconds: 1_807n,
      sequencerGraceSeconds: 1_000n,
    },
    baseIsToken0: false,
    hasSequencer: true,
  },
  {
    name: "an empty pool, a feed of 6 decimals, a sequencer",
    overrides: {
      lpEquity: 0n,
      poolQuoteDepth: 0n,
      feedDecimals: 6,
      heartbeatSeconds: 60n,
      initialVolatility: 2_900000000000000000n,
    },
    baseIsToken0: false,
    hasSequencer: true,
  },
];

/** Often too short for another sample, sometimes long enough for a snapshot or for the price to be stale. */
function pause(twins: ModelTwins): bigint {
  if (twins.chance(25)) return 0n;
  const longest = twins.oneOf(20, 90, 90, 700, twins.chance(10) ? 100_000 : 2_000);
  return BigInt(1 + twins.random.integer(longest));
}

describe("the model of the oracles", () => {
  const counts = new Map<string, number>();

  const cases = SETTINGS.flatMap((settings) =>
    Array.from({ length: SEEDS }, (_, seed) => [settings, seed] as const),
  );
  for (const [settings, seed] of cases) {
    it(`does what the contracts do: ${settings.name}, seed ${seed}`, async () => {
      const twins = await ModelTwins.deploy(settings, seed, counts);
      const { priceOracle } = twins.deployment.protocol;
      const views = { address: await priceOracle.getAddress(), interface: priceOracle.interface };
      for (let round = 0; round < ROUNDS; round++) {
        const calls =
          round === MANY && !settings.hasSequencer ? manyRounds(twins, 140) : oracleCalls(twins);
        for (const call of calls) await twins.run(call, pause(twins));
        if (round % 3 === 0) await twins.look(oracleViews(twins, views));
      }
      await twins.close();
    });
  }

  it("has seen every fault of a feed, and every event", () => {
    const missing = EXPECTED.filter((what) => !counts.has(what));
    expect(missing, "never seen").to.deep.equal([]);
  });
});

/** What even a quick run must meet. */
const EXPECTED = [
  ...["feed.setPrice ok", "feed.setPrice Panic", "feed.setRound ok", "sequencerFeed.setRound ok"],
  ...["SamplingRestarted", "VolatilitySampled", "PoolSnapshotTaken"].map(
    (event) => `volatilityOracle: ${event}`,
  ),
  ...["RoundIncomplete", "PriceNotPositive", "PriceOutOfBounds", "PriceStale"].flatMap((error) => [
    `volatilityOracle.poke PriceOracle_${error}`,
    `volatilityOracle.sync PriceOracle_${error}`,
  ]),
  ...["SequencerDown", "SequencerInGrace", "SequencerRoundInvalid"].map(
    (error) => `volatilityOracle.poke PriceOracle_${error}`,
  ),
  "volatilityOracle.poke ok",
  "volatilityOracle.sync ok",
  "volatilityOracle.poke VolatilityOracle_RoundRegressed",
  "volatilityOracle.sync VolatilityOracle_RoundRegressed",
];
