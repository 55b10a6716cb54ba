import { expect } from "chai";
import { loadScenario } from "../../../../src/simulation/loadScenario.ts";
import { GAS_OF_MARCH_2020, gasPath } from "../../../../src/simulation/paths/gasPath.ts";
import { type PricePath, pathOfScenario } from "../../../../src/simulation/paths/pricePath.ts";
import { geometricBrownianMotion } from "../../../../src/simulation/paths/processes.ts";
import { refine } from "../../../../src/simulation/paths/refine.ts";
import { estimate } from "../../../support/statistics.ts";
import { frame } from "./fixture.ts";

const crash = loadScenario("black-thursday-2020-03");
const gas = (path: PricePath) => Array.from(path.bars(), ({ gasPriceGwei }) => gasPriceGwei ?? 0);
const calm = (steps: number, stepSeconds = 300) =>
  geometricBrownianMotion(frame({ steps, stepSeconds }), { sigma: 0.5, drift: 0 });

/** Median, deviation and autocorrelation of the logarithms of gas prices. */
function measure(values: readonly number[], lag: number) {
  const logarithms = values.map(Math.log);
  const { mean } = estimate(logarithms);
  const variance = estimate(logarithms.map((value) => (value - mean) ** 2)).mean;
  const products = logarithms
    .slice(lag)
    .map((value, i) => (value - mean) * ((logarithms[i] as number) - mean));
  const covariance = products.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    median: values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number,
    deviation: Math.sqrt(variance),
    correlation: covariance / variance,
  };
}

describe("gas prices along a path", () => {
  it("are the path's own as far as they go", () => {
    const own = crash.gasPriceGwei?.values ?? [];
    const all = gas(gasPath(pathOfScenario(crash), 1));
    // Ten minutes a figure, five a bar; the figures cover the first of two days.
    expect(all.slice(0, 288)).to.deep.equal(own.flatMap((value) => [value, value]));
    const known = [...pathOfScenario(crash).bars()].filter((bar) => bar.gasPriceGwei !== undefined);
    expect(known).to.have.lengthOf(288);
  });

  it("go on from the last figure and come back to the median", () => {
    const all = gas(gasPath(pathOfScenario(crash), 1));
    expect(all).to.have.lengthOf(576);
    const [last, next] = [all[287] as number, all[288] as number];
    // One step of five minutes deviates by 9 %.
    expect(Math.abs(Math.log(next / last))).to.be.within(1e-6, 0.5);
    const late = Array.from({ length: 300 }, (_, seed) =>
      Math.log(gas(gasPath(pathOfScenario(crash), seed)).at(-1) as number),
    );
    const { mean, error } = estimate(late);
    // A day is six half-lives.
    const expected = Math.log(35) + Math.log(last / 35) / 64;
    expect(Math.abs(mean - expected)).to.be.at.most(4 * error);
    expect(error).to.be.at.most(0.06);
  });

  it("leave prices and bars as they are", () => {
    const plain = [...pathOfScenario(crash).bars()];
    const priced = [...gasPath(pathOfScenario(crash), 1).bars()];
    for (const [i, { gasPriceGwei: _, ...bar }] of priced.entries()) {
      const { gasPriceGwei: __, ...expected } = plain[i] ?? { close: 0n };
      expect(bar).to.deep.equal(expected);
    }
  });

  it("revert to the median with the deviation and half-life that were asked for", () => {
    const settings = { medianGwei: 20, logDeviation: 0.4, halfLifeSeconds: 3_600 };
    for (const [steps, stepSeconds] of [
      [200_000, 300],
      [100_000, 3_600],
    ] as const) {
      const values = gas(gasPath(calm(steps, stepSeconds), 1, settings));
      const { median, deviation, correlation } = measure(values, 3_600 / stepSeconds);
      expect(median).to.be.within(19.5, 20.5);
      expect(deviation).to.be.within(0.39, 0.41);
      expect(correlation).to.be.within(0.48, 0.52);
    }
  });

  it("are by default as they were measured in March 2020", () => {
    const { logDeviation, medianGwei, halfLifeSeconds } = GAS_OF_MARCH_2020;
    const values = [...(crash.gasPriceGwei?.values ?? [])];
    const { deviation, correlation } = measure(values, halfLifeSeconds / 600);
    expect(deviation).to.be.within(logDeviation - 0.01, logDeviation + 0.01);
    expect(correlation).to.be.within(0.49, 0.51);
    expect(measure(values.slice(0, 48), 1).median).to.equal(medianGwei);
  });

  it("repeat with the seed and differ between seeds", () => {
    expect(gas(gasPath(calm(50), 1))).to.deep.equal(gas(gasPath(calm(50), 1)));
    expect(gas(gasPath(calm(50), 1))).not.to.deep.equal(gas(gasPath(calm(50), 2)));
  });

  it("follow finer steps", () => {
    const fine = gas(gasPath(refine(pathOfScenario(crash), 1), 1));
    expect(fine).to.have.lengthOf(576 * 25);
    expect(new Set(fine.slice(0, 50))).to.deep.equal(new Set([30]));
  });

  it("survive a figure of zero", () => {
    const path = { ...calm(2), bars: () => [{ close: 1n, gasPriceGwei: 0 }, { close: 1n }] };
    const [first, second] = gas(gasPath(path, 1));
    expect(first).to.equal(0);
    expect(second).to.be.greaterThan(0);
  });
});
