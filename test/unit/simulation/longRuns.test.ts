import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { DEFAULT_SETTINGS } from "../../../src/deploymentSettings.ts";
import { setPrice, setRound } from "../../../src/model/feed.ts";
import { poke } from "../../../src/model/volatilityOracle.ts";
import { createPopulation } from "../../../src/simulation/agents/population.ts";
import { MAXIMUM_RECORDS, simulate } from "../../../src/simulation/command.ts";
import { run } from "../../../src/simulation/engine.ts";
import { loadMarket } from "../../../src/simulation/loadScenario.ts";
import { createModelBackend, type ModelBackend } from "../../../src/simulation/modelBackend.ts";
import { toJson } from "../../../src/simulation/results.ts";

const OPTIONS = { policy: "none", flow: "noise", seed: 1, backend: "model" } as const;

/** Steps after which memory is looked at. */
const LATE = process.env.BALLAST_DEEP === "1" ? 200_000 : 20_000;

/** Runs a path of so many steps on the model; `onStep` sees the model's world. */
async function runOnModel(steps: number, onStep: (done: number, model: ModelBackend) => void) {
  const { path } = loadMarket(`gbm:sigma=0.6,step=300,days=${steps / 288}`, 1);
  const { targetBaseWeight, lpEquity: initialEquity } = DEFAULT_SETTINGS;
  let model: ModelBackend;
  return run({
    path,
    policy: "rebalance",
    seed: 1,
    population: createPopulation(path, {
      flow: "momentum",
      seed: 1,
      initialEquity,
      targetBaseWeight,
    }),
    targetBaseWeight,
    createBackend: async (setup) => {
      model = await createModelBackend(setup);
      return model;
    },
    recordEvery: 1_000,
    keepSeries: true,
    onStep: (done) => onStep(done, model),
  });
}

/** Entries of all the maps that a world keeps. */
function entriesOf({ world }: ModelBackend): Record<string, number> {
  const { feed, base, quote, liquidityToken, shares, ...state } = world.state();
  const { positions, claims, orders, credits, locks, longCheckpoints, shortCheckpoints } = state;
  return {
    rounds: feed.rounds.size,
    balances: [base, quote, liquidityToken, shares].reduce((n, t) => n + t.balances.size, 0),
    allowances: [base, quote, liquidityToken, shares].reduce((n, t) => n + t.allowances.size, 0),
    accounts: positions.size + claims.size + orders.size + credits.size + locks.size,
    checkpoints: longCheckpoints.size + shortCheckpoints.size,
  };
}

describe("Long runs", () => {
  it("leave nothing behind in the model that grows with the number of steps", async () => {
    const seen: Record<string, number>[] = [];
    await runOnModel(1_152, (done, model) => {
      if (done === 288 || done === 1_152) seen.push(entriesOf(model));
    });
    const [early, late] = seen as [Record<string, number>, Record<string, number>];
    expect(early.rounds).to.be.within(1, 3);
    expect(late.rounds).to.be.within(1, 3);
    expect(late.checkpoints).to.equal(0);
    expect(late.allowances).to.equal(early.allowances);
    // 40 traders, each with a position, an order, a claim, a credit; keepers and the pool.
    expect(late.accounts).to.be.lessThan(200);
    expect(late.balances).to.be.lessThan(100);
  });

  it("forget rounds up to the one that the oracle has seen, and none across phases", async () => {
    const { world } = await createModelBackend({
      startsAt: 1_767_225_600,
      initialPrice: 2_000n * 10n ** 18n,
      traderCount: 1,
    });
    const seen = world.oracle.roundId;
    const answer = 2_000n * 10n ** 8n;
    const numbers = () => [...world.state().feed.rounds.keys()].map((id) => id - seen);
    const publish = () =>
      world.transaction(world.now + 60n, () => setPrice(world, "feed", { answer }));
    for (let i = 0; i < 3; i++) publish();
    world.forgetOldRounds();
    expect(numbers(), "nobody has looked at the new ones").to.deep.equal([0n, 1n, 2n, 3n]);
    world.transaction(world.now + 60n, () => poke(world));
    world.forgetOldRounds();
    expect(numbers()).to.deep.equal([3n]);

    const updatedAt = world.now + 60n;
    const roundId = ((seen >> 64n) + 1n) << 64n;
    const round = { roundId, answer, startedAt: updatedAt, updatedAt, answeredInRound: roundId };
    world.transaction(updatedAt, () => setRound(world, "feed", round));
    world.transaction(updatedAt, () => poke(world));
    world.forgetOldRounds();
    expect(numbers()).to.deep.equal([3n, roundId - seen]);
  });

  it("keep every n-th record and the last", async () => {
    const result = await runOnModel(2_592, () => {});
    const { path } = loadMarket("gbm:sigma=0.6,step=300,days=9", 1);
    expect(result.series.map(({ time }) => (time - path.startsAt) / 300)).to.deep.equal([
      1_000, 2_000, 2_592,
    ]);
  });

  it("have every record in the document up to ten thousand, and evenly spaced ones beyond", async function () {
    this.timeout(60_000);
    const stepsOf = async (steps: number) => {
      const market = loadMarket(`gbm:sigma=0.6,step=12,days=${(steps * 12) / 86_400}`, 1);
      const document = JSON.parse(toJson(await simulate(market, OPTIONS, createModelBackend)));
      expect(document.steps).to.equal(steps);
      return document.runs.none.series.map(
        ({ time }: { time: string }) => (Date.parse(time) / 1_000 - market.path.startsAt) / 12,
      ) as number[];
    };
    expect(await stepsOf(720)).to.have.length(720);
    const thinned = await stepsOf(10_080);
    expect(thinned.length).to.equal(5_040);
    expect(thinned.length).to.be.at.most(MAXIMUM_RECORDS);
    expect(thinned.slice(0, 3)).to.deep.equal([2, 4, 6]);
    expect(thinned.at(-1)).to.equal(10_080);
  });

  it(`take no more memory after ${LATE} steps than after ${LATE / 10}`, async () => {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const used: number[] = [];
    await runOnModel(LATE + 160, (done) => {
      if (done !== LATE / 10 && done !== LATE) return;
      collect();
      used.push(process.memoryUsage().heapUsed);
    });
    const [early, late] = used as [number, number];
    expect((late - early) / 2 ** 20, "MiB").to.be.lessThan(4);
  });
});
