import { expect } from "chai";
import { BadInputError } from "../../../../src/simulation/errors.ts";
import { loadScenario, scenarioNames } from "../../../../src/simulation/loadScenario.ts";
import {
  type Bar,
  type PricePath,
  pathOfScenario,
  priceNumber,
} from "../../../../src/simulation/paths/pricePath.ts";
import { geometricBrownianMotion } from "../../../../src/simulation/paths/processes.ts";
import { refine } from "../../../../src/simulation/paths/refine.ts";
import { parkinsonVariance } from "../../../../src/simulation/priceStatistics.ts";
import { sliceScenario } from "../../../../src/simulation/scenario.ts";
import { estimate, expectWithinFourErrors } from "../../../support/statistics.ts";
import { frame, logReturns, wad } from "./fixture.ts";

const crash = loadScenario("black-thursday-2020-03");

/** A path of the given bars, five minutes each, that opens at 100. */
function pathOf(bars: readonly Bar[]): PricePath {
  return {
    name: "by hand",
    startsAt: 0,
    stepSeconds: 300,
    open: wad("100"),
    steps: bars.length,
    bars: () => bars,
  };
}

const closes = (path: PricePath) => Array.from(path.bars(), ({ close }) => close);
const sumOfSquares = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value ** 2, 0);

describe("finer steps within bars", () => {
  for (const name of scenarioNames()) {
    it(`end on each close of ${name} and stay within its highs and lows`, () => {
      const scenario = loadScenario(name);
      const path = refine(pathOfScenario(scenario), 3);
      const parts = scenario.stepSeconds / 12;
      expect(path.steps).to.equal(scenario.close.length * parts);
      let step = 0;
      let touching = 0;
      for (const { close } of path.bars()) {
        const bar = Math.floor(step / parts);
        const [low, high] = [scenario.low?.[bar] ?? 0n, scenario.high?.[bar] ?? 0n];
        if (close < low || close > high) expect.fail(`step ${step}: ${close} outside its bar`);
        if (close === low || close === high) touching++;
        step++;
        if (step % parts === 0) expect(close).to.equal(scenario.close[bar]);
      }
      expect(step).to.equal(path.steps);
      // The bounds are met, and are not where the path lives.
      expect(touching).to.be.within(path.steps / 1_000, path.steps / 4);
    });
  }

  it("have prices of eight decimals and the bar's gas price", () => {
    const path = refine(pathOf([{ close: wad("101"), gasPriceGwei: 7 }, { close: wad("99") }]), 1);
    const bars = [...path.bars()];
    for (const { close } of bars) expect(close % 10n ** 10n).to.equal(0n);
    expect(bars.map(({ gasPriceGwei }) => gasPriceGwei)).to.deep.equal([
      ...Array.from({ length: 25 }, () => 7),
      ...Array.from({ length: 25 }, () => undefined),
    ]);
  });

  it("repeat with the seed and differ between seeds", () => {
    const path = pathOfScenario(crash);
    expect(closes(refine(path, 5))).to.deep.equal(closes(refine(path, 5)));
    expect(closes(refine(path, 5))).not.to.deep.equal(closes(refine(path, 6)));
  });

  it("depend on their bar alone, not on how the bars before it went", () => {
    const last = { close: wad("100.5"), high: wad("101"), low: wad("99.5") };
    const calm = refine(pathOf([{ close: wad("100") }, last]), 1);
    const wild = refine(pathOf([{ close: wad("100"), high: wad("150"), low: wad("60") }, last]), 1);
    expect(closes(calm).slice(0, 25)).not.to.deep.equal(closes(wild).slice(0, 25));
    expect(closes(calm).slice(25)).to.deep.equal(closes(wild).slice(25));
  });

  it("differ between bars that are alike", () => {
    const bar = { close: wad("100"), high: wad("101"), low: wad("99") };
    const steps = closes(refine(pathOf([bar, bar]), 1));
    expect(steps.slice(0, 25)).not.to.deep.equal(steps.slice(25));
  });

  it("are produced only as far as they are read", () => {
    const endless = geometricBrownianMotion(frame({ steps: 10 ** 12, stepSeconds: 300 }), {
      sigma: 0.8,
      drift: 0,
    });
    const bars = refine(endless, 1).bars()[Symbol.iterator]();
    for (let step = 0; step < 1_000; step++) expect(bars.next().done).to.equal(false);
  });

  it("have the variance of the bars' ranges, less what clipping takes", () => {
    for (const name of scenarioNames()) {
      const scenario = loadScenario(name);
      const variation = sumOfSquares(logReturns(refine(pathOfScenario(scenario), 1)));
      let ranges = 0;
      for (const { high = 0n, low = 0n } of pathOfScenario(scenario).bars()) {
        ranges += parkinsonVariance({ high: priceNumber(high), low: priceNumber(low) });
      }
      // Measured: 0.82 to 0.97.
      expect(variation / ranges, name).to.be.within(0.8, 1);
    }
  });

  it("have on average the variance of a path that is known by its closes alone", () => {
    const sigma = 0.8;
    const shape = frame({ steps: 5_000, stepSeconds: 300 });
    const path = geometricBrownianMotion(shape, { sigma, drift: 0 });
    const returns = logReturns(refine(path, 2));
    // The squared return stands for the variance: 24 of 25 parts of it as the bridge's own, and the last as its drift.
    const perBar = Array.from({ length: shape.steps }, (_, i) =>
      sumOfSquares(returns.slice(25 * i, 25 * i + 25)),
    );
    expectWithinFourErrors(
      estimate(perBar),
      (sigma ** 2 * 300) / (365 * 86_400),
      0.03,
      "variance of a bar",
    );
  });

  it("stand still in a bar that is not known to move", () => {
    expect(new Set(closes(refine(pathOf([{ close: wad("100") }]), 1)))).to.deep.equal(
      new Set([wad("100")]),
    );
  });

  it("move to a bar that lies apart from the close before it", () => {
    const bar = { close: wad("90"), high: wad("91"), low: wad("89") };
    for (const close of closes(refine(pathOf([bar]), 1))) {
      expect(close >= bar.low && close <= bar.high).to.equal(true);
    }
  });

  it("must divide the bar", () => {
    const path = pathOfScenario(sliceScenario(crash, 0, 2));
    for (const step of [7, 600, 0, -12]) {
      expect(() => refine(path, 1, step)).to.throw(
        BadInputError,
        `bars of 300 s cannot be divided into steps of ${step} s`,
      );
    }
    expect(closes(refine(path, 1, 300))).to.deep.equal(crash.close.slice(0, 2));
  });
});
