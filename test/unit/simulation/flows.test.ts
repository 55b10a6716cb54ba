import { expect } from "chai";
import { type Intent, OrderFlow } from "../../../src/simulation/flows/orderFlow.ts";
import { TRADER_COUNT } from "../../../src/simulation/flows/shadowBook.ts";
import {
  createSkewTarget,
  FLOW_NAMES,
  type FlowName,
} from "../../../src/simulation/flows/skewTarget.ts";
import { loadScenario } from "../../../src/simulation/loadScenario.ts";
import { createRandom } from "../../../src/simulation/random.ts";
import type { Scenario } from "../../../src/simulation/scenario.ts";
import { toNumber, WAD_DECIMALS } from "../../../src/units.ts";
import { expectNear } from "../../support/expectNear.ts";

const PARAMETERS = { initialEquityQuote: 10_000_000, targetBaseWeight: 0.5 };
const scenario = loadScenario("black-thursday-2020-03");

function generateIntents(
  { open, close, stepSeconds }: Scenario,
  flow: FlowName,
  seed: number,
  parameters: typeof PARAMETERS,
): (Intent & { step: number })[] {
  const start = { open: toNumber(open, WAD_DECIMALS), stepSeconds };
  const crowd = new OrderFlow(flow, seed, start, parameters);
  return close.flatMap((price, step) =>
    crowd.next(toNumber(price, WAD_DECIMALS)).map((intent) => ({ step, ...intent })),
  );
}

/** The targets of a flow at each price, opening price first. */
function skewTargets(flow: FlowName, prices: readonly number[]): number[] {
  const target = createSkewTarget(flow, 300, createRandom(1, "x"));
  return prices.map(target);
}

describe("order flow", () => {
  for (const flow of FLOW_NAMES) {
    it(`is the same list for the same seed and another for another (${flow})`, () => {
      const first = generateIntents(scenario, flow, 1, PARAMETERS);
      expect(generateIntents(scenario, flow, 1, PARAMETERS)).to.deep.equal(first);
      expect(generateIntents(scenario, flow, 2, PARAMETERS)).not.to.deep.equal(first);
    });

    it(`gives each trader at most one order a step, within the model's bounds (${flow})`, () => {
      const intents = generateIntents(scenario, flow, 3, PARAMETERS);
      expect(intents.length).to.be.greaterThan(300);
      expect(new Set(intents.map(({ step, trader }) => `${step}/${trader}`)).size).to.equal(
        intents.length,
      );
      for (const { step, trader, notionalQuote, leverage, reservationCostBps } of intents) {
        expect(step).to.be.within(0, scenario.close.length - 1);
        expect(trader).to.be.within(0, TRADER_COUNT - 1);
        expect(Number.isInteger(notionalQuote)).to.equal(true);
        expect(Math.abs(notionalQuote)).to.be.within(5_000, 1_000_000);
        expect(leverage).to.be.oneOf([2, 3, 5, 8, 12, 20]);
        expect(reservationCostBps).to.be.at.least(0);
      }
    });
  }

  it("is the flow that the figures of the README come from", () => {
    expect(generateIntents(scenario, "momentum", 1, PARAMETERS)).to.have.length(1_136);
  });

  it("does not depend on how long the path goes on", () => {
    const short = { ...scenario, close: scenario.close.slice(0, 200) };
    const all = generateIntents(scenario, "crowded", 4, PARAMETERS);
    expect(generateIntents(short, "crowded", 4, PARAMETERS)).to.deep.equal(
      all.filter(({ step }) => step < 200),
    );
  });

  it("scales with the pool's equity", () => {
    const small = generateIntents(scenario, "noise", 1, {
      ...PARAMETERS,
      initialEquityQuote: 1_000_000,
    });
    const volume = small.reduce((sum, { notionalQuote }) => sum + Math.abs(notionalQuote), 0);
    expect(volume / 1_000_000 / 2).to.be.within(1, 4);
  });

  it("accepts a cost of 40 bp with probability 1/e", () => {
    const intents = generateIntents(loadScenario("calm-2024-02"), "noise", 5, PARAMETERS);
    const share =
      intents.filter(({ reservationCostBps }) => reservationCostBps >= 40).length / intents.length;
    expectNear(share, Math.exp(-1), 0.05);
  });
});

describe("skew targets", () => {
  const flat = Array.from({ length: 100 }, () => 100);

  it("of momentum follow a fall to the short side", () => {
    const falling = flat.map((price, i) => price * 0.995 ** i);
    const calm = skewTargets("momentum", flat);
    const fall = skewTargets("momentum", falling);
    expectNear((fall[99] as number) - (calm[99] as number), -0.45, 0.01);
  });

  it("of contrarians are those of momentum the other way round, but for the noise", () => {
    const rising = flat.map((price, i) => price * 1.001 ** i);
    const [momentum, contrarian, noise] = (["momentum", "contrarian", "noise"] as const).map(
      (flow) => skewTargets(flow, rising),
    );
    rising.forEach((_, i) => {
      expectNear(momentum![i]! + contrarian![i]!, 0.5 * noise![i]!, 1e-9);
    });
    expectNear(
      momentum![99]! - 0.25 * noise![99]!,
      0.45 * Math.tanh((1.001 ** 48 - 1) / 0.04),
      1e-9,
    );
  });

  it("of the crowd beside an adversary are half the noise", () => {
    const noise = skewTargets("noise", flat);
    expect(skewTargets("adversary", flat)).to.deep.equal(noise.map((value) => 0.5 * value));
  });

  it("of the crowd are long until a drawdown of 15 % and gone at 30 %", () => {
    const path = [100, 86, 77.5, 69];
    const targets = skewTargets("crowded", path);
    const noise = skewTargets("noise", path).map((value) => 0.2 * value);
    const expected = [0.45, 0.45, 0.225, 0];
    targets.forEach((target, i) => {
      expectNear(target - (noise[i] as number), expected[i] as number, 1e-9);
    });
  });
});
