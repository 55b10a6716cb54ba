import { expect } from "chai";
import { simulate } from "../../src/simulation/command.ts";
import type { RunResult } from "../../src/simulation/engine.ts";
import { createEvmBackend } from "../../src/simulation/evmBackend.ts";
import { loadScenario, marketOf } from "../../src/simulation/loadScenario.ts";
import { comparisonSentence, type SimulationResult, toJson } from "../../src/simulation/results.ts";
import { sliceScenario } from "../../src/simulation/scenario.ts";
import { type Aftermath, expectOrderlyEnd, withAftermath } from "../support/aftermath.ts";

const OPTIONS = { policy: "both", flow: "momentum", seed: 1, backend: "evm" } as const;
const scenario = loadScenario("black-thursday-2020-03");

describe("Black Thursday, the fall of 12 and 13 March 2020", () => {
  let result: SimulationResult;
  let rebalanced: RunResult;
  let unhedged: RunResult;
  /** Of both runs: replayed from the event log before and after everybody left. */
  const aftermaths: Aftermath[] = [];

  before(async () => {
    const crash = process.env.BALLAST_DEEP === "1" ? scenario : sliceScenario(scenario, 110, 330);
    const backend = withAftermath((aftermath) => aftermaths.push(aftermath));
    result = await simulate(marketOf(crash), OPTIONS, backend);
    [rebalanced, unhedged] = result.runs as [RunResult, RunResult];
  });

  it("runs both policies from the same start over the same prices", () => {
    expect(rebalanced.policy).to.equal("rebalance");
    expect(unhedged.policy).to.equal("none");
    expect(rebalanced.summary.initialEquity).to.equal(unhedged.summary.initialEquity);
    expect(rebalanced.summary.finalBenchmark).to.equal(unhedged.summary.finalBenchmark);
    const prices = (run: RunResult) => run.series.map(({ price }) => price);
    const closes = Array.from(result.market.path.bars(), ({ close }) => close);
    expect(prices(rebalanced)).to.deep.equal(closes);
    expect(prices(unhedged)).to.deep.equal(closes);
  });

  it("accounts for every intent in both runs", () => {
    expect(result.intents).to.be.greaterThan(200);
    for (const { orders, policy } of result.runs) {
      const { accepted, declined, failed, expired, busy } = orders;
      expect(accepted + declined + failed + expired + busy, policy).to.equal(result.intents);
      expect(accepted, policy).to.be.greaterThan(100);
    }
  });

  it("draws down further without rebalancing", () => {
    expect(unhedged.summary.rebalances).to.equal(0);
    expect(rebalanced.summary.rebalances).to.be.greaterThan(10);
    expect(unhedged.summary.maxDrawdown > rebalanced.summary.maxDrawdown).to.equal(true);
    expect(comparisonSentence(result.runs)).to.match(/without rebalancing drew down further/);
  });

  it("keeps the pool solvent and its exposure near the band", () => {
    expect(rebalanced.summary.insolventSteps).to.equal(0);
    expect(rebalanced.keeperErrors.size).to.equal(0);
    const outside = rebalanced.series.filter(({ netExposureBase, outerBand }) => {
      const magnitude = netExposureBase < 0n ? -netExposureBase : netExposureBase;
      return magnitude > outerBand;
    });
    expect(outside.length).to.be.lessThan(rebalanced.series.length / 4);
  });

  it("restores the pool's spot price to the fee band at every price round", () => {
    for (const { reserveBase, reserveQuote, price } of unhedged.series) {
      const spotPpm = (reserveQuote * 10n ** 36n) / (reserveBase * price);
      expect(Number(spotPpm) / 1e6).to.be.within(0.9969, 1.0031);
    }
  });

  it("gives every ledger, account and state from the event log alone, and lets everybody leave", () => {
    expect(aftermaths.length).to.equal(2);
    for (const aftermath of aftermaths) expectOrderlyEnd(aftermath);
  });

  it("gives the same figures for the same seed and others for another", async () => {
    const short = sliceScenario(scenario, 125, 145);
    const figures = async (seed: number) =>
      toJson(await simulate(marketOf(short), { ...OPTIONS, seed }, createEvmBackend));
    const first = await figures(1);
    expect(await figures(1)).to.equal(first);
    expect(await figures(2)).not.to.equal(first);
  });
});
