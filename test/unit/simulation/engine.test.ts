import { expect } from "chai";
import { DEFAULT_SETTINGS } from "../../../deploy/deployProtocol.ts";
import type { Agent } from "../../../src/simulation/agents/agent.ts";
import {
  createPopulation,
  type Population,
  type PopulationOptions,
} from "../../../src/simulation/agents/population.ts";
import {
  type Action,
  type BackendFactory,
  type ProtocolEvent,
  ViewRefused,
} from "../../../src/simulation/backend.ts";
import { simulate } from "../../../src/simulation/command.ts";
import { keeperCallsPerStep, type RunOptions, run } from "../../../src/simulation/engine.ts";
import { createEvmBackend } from "../../../src/simulation/evmBackend.ts";
import { loadScenario, marketOf } from "../../../src/simulation/loadScenario.ts";
import type { StepRecord } from "../../../src/simulation/metrics/runMetrics.ts";
import { withForesight } from "../../../src/simulation/paths/foresight.ts";
import { EVERY_STEP } from "../../../src/simulation/paths/oracleFeed.ts";
import { type PricePath, pathOfScenario } from "../../../src/simulation/paths/pricePath.ts";
import { toJson } from "../../../src/simulation/results.ts";
import { sliceScenario } from "../../../src/simulation/scenario.ts";
import { WAD } from "../../../src/units.ts";
import { PRICE } from "../../support/agentView.ts";
import { BULL_ACCOUNT, bullish, pathOf } from "../../support/smallPaths.ts";

const scenario = loadScenario("black-thursday-2020-03");

function populationOf(path: PricePath, options: Partial<PopulationOptions> = {}): Population {
  const { lpEquity, targetBaseWeight } = DEFAULT_SETTINGS;
  const fixed = { flow: "noise", seed: 1, initialEquity: lpEquity, targetBaseWeight } as const;
  return createPopulation(path, { ...fixed, ...options });
}

/** A run on the contracts, and everything that happened in it with its time. */
async function runOn(path: PricePath, options: Partial<RunOptions> = {}) {
  const events: (ProtocolEvent & { at: number })[] = [];
  const actions: (Action & { at: number; ok: boolean })[] = [];
  const createBackend: BackendFactory = async (setup) => {
    const backend = await createEvmBackend(setup);
    return {
      ...backend,
      mine: async (at, asked) => {
        const results = await backend.mine(at, asked);
        for (const result of results) {
          actions.push({ ...result.action, at, ok: result.ok });
          for (const event of result.events) events.push({ ...event, at });
        }
        return results;
      },
    };
  };
  const result = await run({
    path,
    policy: "rebalance",
    seed: 1,
    population: populationOf(path),
    targetBaseWeight: DEFAULT_SETTINGS.targetBaseWeight,
    createBackend,
    keepSeries: true,
    ...options,
  });
  return { result, events, actions };
}

const countOf = (events: readonly ProtocolEvent[], kind: ProtocolEvent["kind"]) =>
  events.filter((event) => event.kind === kind).length;

describe("Foresight over a path", () => {
  it("gives every bar with those after it, up to the end", () => {
    const path = pathOf(300, [1, 2, 3, 4]);
    const seen = [...withForesight(path.bars(), 2)].map(() => 0);
    expect(seen).to.have.length(4);
    const closes: bigint[][] = [];
    for (const { bar, next } of withForesight(path.bars(), 2))
      closes.push([bar, ...next].map(({ close }) => close / PRICE));
    expect(closes).to.deep.equal([[1n, 2n, 3n], [2n, 3n, 4n], [3n, 4n], [4n]]);
  });

  it("is nothing where nobody looks ahead", () => {
    for (const { next } of withForesight(pathOf(300, [1, 2]).bars(), 0))
      expect(next).to.deep.equal([]);
  });
});

describe("The engine", () => {
  it("makes 25 keeper calls in a bar of five minutes, and one in a step of 12 s", () => {
    expect([3_600, 300, 60, 12].map(keeperCallsPerStep)).to.deep.equal([25, 25, 5, 1]);
  });

  it("runs steps of 12 s, hands on records and keeps none unless asked to", async () => {
    const records: StepRecord[] = [];
    const path = pathOf(12, [1, 1.002, 1.004, 1.01, 1.012]);
    const { result, events } = await runOn(path, {
      keepSeries: false,
      onRecord: (record) => records.push(record),
    });
    expect(result.series).to.deep.equal([]);
    expect(records.map(({ time }) => time - path.startsAt)).to.deep.equal([12, 24, 36, 48, 60]);
    expect(countOf(events, "Swap")).to.be.greaterThan(0);
  });

  it("lets an agent who is refused a view do nothing in that block, and fails with any other", async () => {
    const path = pathOf(60, [1]);
    const failing = (error: Error): Population => {
      const population = populationOf(path);
      const agent: Agent = { stages: ["request"], act: () => Promise.reject(error) };
      return { ...population, agents: [agent, ...population.agents] };
    };
    const refused = failing(new ViewRefused("position", "PriceOracle_PriceStale"));
    expect((await runOn(path, { population: refused })).result.series).to.have.length(1);
    const thrown = await runOn(path, { population: failing(new Error("broken agent")) }).catch(
      (error: unknown) => error,
    );
    expect(String(thrown)).to.equal("Error: broken agent");
  });

  it("brings everybody together, the same each time", async () => {
    const crash = sliceScenario(scenario, 317, 331);
    const options = {
      policy: "rebalance",
      flow: "adversary",
      seed: 1,
      backend: "evm",
      agents: {
        keepers: [{ latencyBlocks: 1 }, { latencyBlocks: 1 }],
        liquidators: [() => true, () => true],
        liquidityProviders: {
          count: 3,
          entriesPerDay: 200,
          meanStayDays: 0.01,
          meanDepositQuote: 100_000,
        },
        depthShock: { drawdown: 0.05, share: 0.5, absenceSeconds: 900 },
      },
    } as const;
    const kinds = new Map<string, number>();
    const counting: BackendFactory = async (setup) => {
      const backend = await createEvmBackend(setup);
      return {
        ...backend,
        mine: async (at, actions) => {
          const results = await backend.mine(at, actions);
          for (const { action, events } of results) {
            const actor = action.kind === "rebalance" ? ` ${action.keeper}` : "";
            for (const name of [`${action.kind}${actor}`, ...events.map(({ kind }) => kind)])
              kinds.set(name, (kinds.get(name) ?? 0) + 1);
          }
          return results;
        },
      };
    };
    const result = await simulate(marketOf(crash), options, counting);
    for (const name of [
      "SharesDeposited",
      "SharesRedeemed",
      "LiquidityAdded",
      "LiquidityRemoved",
      "Rebalanced",
      "rebalance 0",
      "rebalance 1",
    ])
      expect(kinds.get(name) ?? 0, name).to.be.greaterThan(0);
    const [only] = result.runs;
    expect(only!.keeperErrors.size, "the second keeper comes too late").to.be.greaterThan(0);
    const { accepted, declined, failed, expired, busy } = only!.orders;
    expect(accepted + declined + failed + expired + busy).to.equal(only!.intents);
    expect(only!.summary.lpFees > 0n).to.equal(true);

    const again = await simulate(marketOf(crash), options, createEvmBackend);
    expect(toJson(again)).to.equal(toJson(result));
  });

  it("lets an adversary take more from the pool than the same crowd without it", async () => {
    const crash = pathOfScenario(sliceScenario(scenario, 124, 138));
    const full = populationOf(crash, { flow: "adversary" });
    const harmless = {
      ...full,
      agents: full.agents.filter((agent) => agent.constructor.name !== "Adversary"),
    };
    const final = async (population: Population) => {
      const { result } = await runOn(crash, { population });
      return result.summary.finalEquity;
    };
    const [lost, kept] = [await final(full), await final(harmless)];
    expect(Number(kept - lost) / 1e6).to.be.greaterThan(10_000);
  });

  it("survives deleveraging and bankruptcy, and goes on with frozen figures", async () => {
    const path = pathOf(900, [1, 1, 1, 1, 1, 1, 1, 2.2, 7, 7, 7, 7, 25, 25, 25, 26, 27, 28, 29]);
    const weight = WAD / 100n;
    const population = populationOf(path, { targetBaseWeight: weight });
    const bull = BULL_ACCOUNT;
    const { result, events, actions } = await runOn(path, {
      policy: "none",
      population: {
        ...population,
        agents: [...population.agents, bullish(bull, 7)],
        actors: { ...population.actors, traderCount: bull + 1 },
      },
      targetBaseWeight: weight,
      settings: { targetBaseWeight: weight, initialVolatility: 3n * WAD },
    });
    const { summary, series, orders, intents } = result;
    expect(summary.deleverages).to.be.greaterThan(0);
    expect(countOf(events, "Deleveraged")).to.equal(summary.deleverages);
    expect(countOf(events, "SettlementStarted")).to.equal(1);
    expect(countOf(events, "AccountSettled")).to.be.greaterThan(0);
    expect(countOf(events, "SettlementFinalized")).to.equal(1);

    const settledAt = events.find(({ kind }) => kind === "SettlementStarted")!.at;
    const settled = series.filter(({ time }) => time >= settledAt);
    expect(settled.length).to.be.greaterThan(3);
    expect(new Set(settled.map(({ riskState }) => riskState))).to.deep.equal(new Set(["Settled"]));
    const last = series.at(-1)!;
    for (const record of settled.slice(1)) {
      expect(record.equity, "equity").to.equal(last.equity);
      expect(record.benchmark, "benchmark").to.equal(last.benchmark);
    }
    expect(last.reserveQuote > settled[0]!.reserveQuote, "arbitrage goes on").to.equal(true);
    const late = actions.filter(
      ({ kind, at }) => at > settledAt + 1_000 && kind !== "publishPrice" && kind !== "swap",
    );
    expect(late, "nobody acts on a settled pool").to.deep.equal([]);
    const { accepted, declined, failed, expired, busy } = orders;
    expect(accepted + declined + failed + expired + busy).to.equal(intents);
    expect(orders.reasons.get("the pool is settled") ?? 0).to.be.greaterThan(0);
    expect(summary.secondsOutsideNormal).to.be.greaterThan(900 * settled.length - 1);
  });

  it("settles a pool whose feed died for a day", async () => {
    const path = pathOf(3_600, Array(30).fill(1));
    const { result, events, actions } = await runOn(path, {
      oracle: { ...EVERY_STEP, outages: [{ from: 3 * 3_600, to: 31 * 3_600 }] },
    });
    const [reported] = events.filter(({ kind }) => kind === "DeadFeedReported");
    const [started] = events.filter(({ kind }) => kind === "SettlementStarted");
    expect(started!.at - reported!.at).to.be.within(86_400, 90_000);
    expect(countOf(events, "SettlementFinalized")).to.equal(1);
    expect(result.series.at(-1)!.riskState).to.equal("Settled");
    const refusedPokes = actions.filter(({ kind, ok }) => kind === "poke" && !ok);
    expect(refusedPokes.length, "pokes at a bad price").to.be.greaterThan(20);
    expect(result.orders.reasons.get("no good price") ?? 0).to.be.greaterThan(0);
  });

  it("fills orders on the feed's own next round where no second one is made", async () => {
    const path = pathOf(120, Array(10).fill(1));
    const { result, events, actions } = await runOn(path, {
      oracle: { ...EVERY_STEP, heartbeatSeconds: 240 },
    });
    const rounds = actions.filter(({ kind }) => kind === "publishPrice").map(({ at }) => at);
    expect(rounds.map((at) => at - path.startsAt)).to.deep.equal([240, 480, 720, 960, 1_200]);
    expect(result.orders.accepted).to.be.greaterThan(0);
    for (const filled of events.filter(({ kind }) => kind === "OrderExecuted"))
      expect(rounds, "filled six seconds after a round").to.include(filled.at - 6);
    const executions = actions.filter(({ kind }) => kind === "executeOrder");
    expect(executions.every(({ ok }) => ok)).to.equal(true);
  });
});
