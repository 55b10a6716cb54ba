import { expect } from "chai";
import { DEFAULT_SETTINGS } from "../../src/deploymentSettings.ts";
import {
  createPopulation,
  type PopulationOptions,
} from "../../src/simulation/agents/population.ts";
import type { BackendFactory } from "../../src/simulation/backend.ts";
import { simulate } from "../../src/simulation/command.ts";
import { compareBackends } from "../../src/simulation/comparedBackend.ts";
import { type RunOptions, run } from "../../src/simulation/engine.ts";
import { createEvmBackend } from "../../src/simulation/evmBackend.ts";
import { FLOW_NAMES } from "../../src/simulation/flows/skewTarget.ts";
import { loadMarket, loadScenario, marketOf } from "../../src/simulation/loadScenario.ts";
import { createModelBackend } from "../../src/simulation/modelBackend.ts";
import { EVERY_STEP } from "../../src/simulation/paths/oracleFeed.ts";
import { type PricePath, pathOfScenario } from "../../src/simulation/paths/pricePath.ts";
import { refine } from "../../src/simulation/paths/refine.ts";
import { sliceScenario } from "../../src/simulation/scenario.ts";
import { WAD } from "../../src/units.ts";
import { BULL_ACCOUNT, bullish, pathOf } from "../support/smallPaths.ts";

const deep = process.env.BALLAST_DEEP === "1";
const scenario = loadScenario("black-thursday-2020-03");
const create = compareBackends(createEvmBackend, createModelBackend, ["evm", "model"]);

/** Everybody that a run can have. */
const EVERYBODY = {
  keepers: [{ latencyBlocks: 1 }, { latencyBlocks: 1 }],
  liquidators: [() => true, () => true],
  liquidityProviders: {
    count: 3,
    entriesPerDay: 200,
    meanStayDays: 0.01,
    meanDepositQuote: 100_000,
  },
  depthShock: { drawdown: 0.05, share: 0.5, absenceSeconds: 900 },
} as const;

/** Runs contracts and model side by side: a difference throws. Gives how often each action and each event happened. */
async function runOnBoth(
  path: PricePath,
  options: Partial<RunOptions> = {},
  crowd: Partial<PopulationOptions> = {},
) {
  const { lpEquity: initialEquity, targetBaseWeight } = DEFAULT_SETTINGS;
  const counts = new Map<string, number>();
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  const createBackend: BackendFactory = async (setup) => {
    const backend = await create(setup);
    return {
      ...backend,
      mine: async (at, actions) => {
        const results = await backend.mine(at, actions);
        for (const { action, error, events } of results) {
          count(error === undefined ? action.kind : `${action.kind} ${error}`);
          for (const { kind } of events) count(kind);
        }
        return results;
      },
    };
  };
  const result = await run({
    path,
    policy: "rebalance",
    seed: 1,
    population: createPopulation(path, {
      flow: "noise",
      seed: 1,
      initialEquity,
      targetBaseWeight,
      ...crowd,
    }),
    targetBaseWeight,
    createBackend,
    keepSeries: true,
    ...options,
  });
  return { result, counts };
}

function expectAll(counts: ReadonlyMap<string, number>, ...kinds: string[]) {
  for (const kind of kinds) expect(counts.get(kind) ?? 0, kind).to.be.greaterThan(0);
}

describe("The model beside the contracts, the same to the unit", () => {
  const crash = pathOfScenario(sliceScenario(scenario, 317, 329));

  for (const flow of FLOW_NAMES) {
    it(`with ${flow} flow, LPs who come and go, a depth shock and two keepers who compete`, async () => {
      const { counts } = await runOnBoth(crash, {}, { ...EVERYBODY, flow });
      expectAll(counts, "OrderExecuted", "Swap", "Rebalanced", "SharesDeposited", "SharesRedeemed");
      expectAll(counts, "LiquidityRemoved", "LiquidityAdded");
    });
  }

  it("on a feed that is late, silent below a deviation and out for a while", async () => {
    const oracle = {
      heartbeatSeconds: 600,
      deviation: WAD / 100n,
      lagSeconds: 60,
      outages: [{ from: 1_800, to: 6_600 }],
    };
    const path = pathOfScenario(sliceScenario(scenario, 100, 126));
    const { counts } = await runOnBoth(path, { oracle }, { flow: "momentum" });
    expect(counts.get("publishPrice")).to.be.within(4, 20);
    expectAll(counts, "OrderExecuted", "poke PriceOracle_PriceStale");
  });

  it("in steps of 12 s", async () => {
    const path = refine(pathOfScenario(sliceScenario(scenario, 318, 320)), 1);
    expect(path.steps).to.equal(50);
    const { counts } = await runOnBoth(path, {}, { ...EVERYBODY, flow: "crowded" });
    expectAll(counts, "OrderExecuted", "SharesDeposited");
    expect(counts.get("publishPrice")).to.equal(50);
  });

  it("where the price falls by 60 % at once and leaves bad debt", async () => {
    const { path } = loadMarket("gap:sigma=1.5,days=0.125,step=300,size=-0.6,at=26", 1);
    const { result, counts } = await runOnBoth(path, {}, { flow: "crowded" });
    expectAll(counts, "OrderExecuted", "Liquidated");
    expect(result.summary.badDebt > 0n).to.equal(true);
  });

  it("through deleveraging and settlement", async () => {
    const path = pathOf(900, [1, 1, 1, 1, 1, 1, 1, 2.2, 7, 7, 7, 7, 25, 25, 25, 26, 27]);
    const targetBaseWeight = WAD / 100n;
    const { lpEquity: initialEquity } = DEFAULT_SETTINGS;
    const population = createPopulation(path, {
      flow: "noise",
      seed: 1,
      initialEquity,
      targetBaseWeight,
    });
    const { counts } = await runOnBoth(path, {
      policy: "none",
      population: {
        ...population,
        agents: [...population.agents, bullish(BULL_ACCOUNT, 7)],
        actors: { ...population.actors, traderCount: BULL_ACCOUNT + 1 },
      },
      targetBaseWeight,
      settings: { targetBaseWeight, initialVolatility: 3n * WAD },
    });
    expectAll(counts, "Deleveraged", "SettlementStarted", "AccountSettled", "SettlementFinalized");
  });

  it("through the death of the feed and the LPs' way out in kind", async () => {
    const path = pathOf(3_600, Array(30).fill(1));
    const oracle = { ...EVERY_STEP, outages: [{ from: 3 * 3_600, to: 31 * 3_600 }] };
    const liquidityProviders = {
      count: 3,
      entriesPerDay: 50,
      meanStayDays: 10,
      meanDepositQuote: 100_000,
    };
    const { counts } = await runOnBoth(path, { oracle }, { liquidityProviders });
    expectAll(counts, "DeadFeedReported", "SettlementStarted", "SettlementFinalized");
    expectAll(counts, "SharesDeposited", "RedeemedInKind");
  });

  for (const name of deep ? ["black-thursday-2020-03", "yen-carry-2024-08"] : [])
    for (const flow of ["noise", "momentum"] as const)
      it(`over the whole of ${name} with ${flow} flow`, async () => {
        const options = { policy: "both", flow, seed: 1, backend: "both" } as const;
        const { runs } = await simulate(marketOf(loadScenario(name)), options, create);
        for (const { orders } of runs) expect(orders.accepted).to.be.greaterThan(100);
      });
});
