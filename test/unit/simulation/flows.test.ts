import { expect } from "chai";
import {
  FLOW_NAMES,
  generateIntents,
  skewTargets,
  TRADER_COUNT,
} from "../../../src/simulation/flows.ts";
import { loadScenario } from "../../../src/simulation/loadScenario.ts";
import { createRandom } from "../../../src/simulation/random.ts";
import { expectNear } from "../../support/expectNear.ts";

const PARAMETERS = { initialEquityQuote: 10_000_000, targetBaseWeight: 0.5 };
const scenario = loadScenario("black-thursday-2020-03");

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
    const calm = skewTargets("momentum", flat, 300, createRandom(1, "x"));
    const fall = skewTargets("momentum", falling, 300, createRandom(1, "x"));
    expectNear((fall[99] as number) - (calm[99] as number), -0.45, 0.01);
  });

  it("of the crowd are long until a drawdown of 15 % and gone at 30 %", () => {
    const path = [100, 86, 77.5, 69];
    const targets = skewTargets("crowded", path, 300, createRandom(1, "x"));
    const noise = skewTargets("noise", path, 300, createRandom(1, "x")).map((value) => 0.2 * value);
    const expected = [0.45, 0.45, 0.225, 0];
    targets.forEach((target, i) => {
      expectNear(target - (noise[i] as number), expected[i] as number, 1e-9);
    });
  });
});
