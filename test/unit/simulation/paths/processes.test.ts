import { expect } from "chai";
import { type PricePath, priceNumber } from "../../../../src/simulation/paths/pricePath.ts";
import {
  gaps,
  geometricBrownianMotion,
  heston,
  mertonJumps,
  type PathFrame,
} from "../../../../src/simulation/paths/processes.ts";
import {
  diffusionMoments,
  jumpMoments,
  type Moments,
  stochasticVolatilityMoments,
  touchProbability,
} from "../../../../src/simulation/priceStatistics.ts";
import { formatDecimal } from "../../../../src/units.ts";
import { expectNear } from "../../../support/expectNear.ts";
import { estimate, estimateVariance, expectWithinFourErrors } from "../../../support/statistics.ts";
import { frame, logReturns, prices, totalRatio, wad, years } from "./fixture.ts";

const deep = process.env.BALLAST_DEEP === "1";
/** How many times as many paths. */
const SCALE = deep ? 16 : 1;

const DIFFUSION = { sigma: 0.8, drift: 0.5 };
const JUMPS = { ...DIFFUSION, intensity: 60, jumpMean: -0.05, jumpDeviation: 0.08 };
const VOLATILE = { ...DIFFUSION, reversion: 20, volOfVol: 4, correlation: -0.6 };

const processes: Record<string, (frame: PathFrame) => PricePath> = {
  "geometric Brownian motion": (shape) => geometricBrownianMotion(shape, DIFFUSION),
  "Merton's jumps": (shape) => mertonJumps(shape, JUMPS),
  "Heston's volatility": (shape) => heston(shape, VOLATILE),
  gaps: (shape) => gaps(shape, { ...DIFFUSION, gaps: new Map([[5, -0.35]]) }),
};

/** Total log returns of many paths that differ in the seed alone. */
function totals(count: number, path: (seed: number) => PricePath): number[] {
  return Array.from({ length: count }, (_, seed) => Math.log(totalRatio(path(seed))));
}

function expectMoments(values: readonly number[], { mean, variance }: Moments): void {
  // A mean is known no better than its deviation allows.
  const spread = Math.sqrt(variance) / Math.abs(mean);
  expectWithinFourErrors(estimate(values), mean, 0.05 * Math.max(1, spread), "mean");
  expectWithinFourErrors(estimateVariance(values, mean), variance, 0.1, "variance");
}

describe("synthetic price paths", () => {
  for (const [name, path] of Object.entries(processes)) {
    describe(`of ${name}`, () => {
      it("repeat with the seed, also when read twice, and differ between seeds", () => {
        const first = path(frame({ seed: 7 }));
        expect(prices(first)).to.deep.equal(prices(first));
        expect(prices(first)).to.deep.equal(prices(path(frame({ seed: 7 }))));
        expect(prices(first)).not.to.deep.equal(prices(path(frame({ seed: 8 }))));
      });

      it("begin alike whatever their length, and are produced only as far as they are read", () => {
        const endless = path(frame({ steps: 10 ** 12 }))
          .bars()
          [Symbol.iterator]();
        for (const bar of path(frame({ steps: 50 })).bars()) {
          expect(endless.next().value).to.deep.equal(bar);
        }
      });

      it("have as many bars as they say, and prices of eight decimals", () => {
        const bars = [...path(frame({ steps: 50 })).bars()];
        expect(bars).to.have.lengthOf(50);
        for (const { close } of bars) expect(close % 10n ** 10n).to.equal(0n);
      });
    });
  }

  it("are the same on every machine", () => {
    const ends = Object.values(processes).map((path) => {
      const bars = [...path(frame({ steps: 1_000, stepSeconds: 300 })).bars()];
      return formatDecimal(bars.at(-1)?.close ?? 0n, 18);
    });
    expect(ends).to.deep.equal([
      "1896.93059954",
      "1986.16165774",
      "1925.21332173",
      "1234.36597236",
    ]);
  });

  it("stop at the limits of scenarios", () => {
    const wild = { sigma: 5, drift: 0 };
    const range = { steps: 5_000, stepSeconds: 3_600 };
    const low = prices(geometricBrownianMotion(frame({ ...range, open: wad("0.011") }), wild));
    const high = prices(
      geometricBrownianMotion(frame({ ...range, open: wad("9999999") }), { ...wild, drift: 12.5 }),
    );
    expect(Math.min(...low)).to.equal(0.01);
    expect(Math.max(...high)).to.equal(10_000_000);
  });

  describe("of geometric Brownian motion", () => {
    it("have the mean and variance of the closed form at any step length", () => {
      for (const [steps, stepSeconds] of [
        [1, 30 * 86_400],
        [30, 86_400],
        [720, 3_600],
      ] as const) {
        const shape = frame({ steps, stepSeconds });
        const path = (seed: number) => geometricBrownianMotion({ ...shape, seed }, DIFFUSION);
        const { sigma, drift } = DIFFUSION;
        expectMoments(totals(1_000 * SCALE, path), diffusionMoments(sigma, drift, years(shape)));
      }
    });

    it("have steps that do not depend on each other", () => {
      const shape = frame({ steps: 20_000 * SCALE, stepSeconds: 12 });
      const { mean, variance } = diffusionMoments(0.8, 0, years({ ...shape, steps: 1 }));
      const returns = logReturns(geometricBrownianMotion(shape, { sigma: 0.8, drift: 0 }));
      for (const lag of [1, 2, 25]) {
        const products = returns
          .slice(lag)
          .map((value, i) => ((value - mean) * ((returns[i] as number) - mean)) / variance);
        const { mean: correlation, error } = estimate(products);
        expect(Math.abs(correlation), `lag ${lag}: ${correlation}`).to.be.at.most(4 * error);
        expect(error).to.be.at.most(0.01);
      }
    });

    it("touch a barrier as often as the closed form says of a price looked at every step", () => {
      const shape = frame({ steps: 288, stepSeconds: 300 });
      const settings = { price: 2_000, barrier: 1_900, sigma: 0.8, drift: 0, years: years(shape) };
      const interval = years({ ...shape, steps: 1 });
      const touched = Array.from({ length: 3_000 * SCALE }, (_, seed) => {
        for (const { close } of geometricBrownianMotion({ ...shape, seed }, settings).bars()) {
          if (priceNumber(close) <= settings.barrier) return 1;
        }
        return 0;
      });
      // The correction for discrete looks is of higher order than the step's deviation: 0.1 % of the probability here.
      expectWithinFourErrors(
        estimate(touched),
        touchProbability(settings, interval),
        0.05,
        "touched",
      );
    });
  });

  describe("of Merton's jumps", () => {
    it("have the mean and variance of the closed form, and a drift that makes up for the jumps", () => {
      for (const [steps, stepSeconds] of [
        [1, 30 * 86_400],
        [240, 3 * 3_600],
      ] as const) {
        const shape = frame({ steps, stepSeconds });
        const jumps = {
          intensity: JUMPS.intensity,
          mean: JUMPS.jumpMean,
          deviation: JUMPS.jumpDeviation,
        };
        const values = totals(2_000 * SCALE, (seed) => mertonJumps({ ...shape, seed }, JUMPS));
        expectMoments(values, jumpMoments(JUMPS.sigma, JUMPS.drift, jumps, years(shape)));
        expectWithinFourErrors(
          estimate(values.map(Math.exp)),
          Math.exp(JUMPS.drift * years(shape)),
          0.02,
          "expected price",
        );
      }
    });

    it("have fatter tails than the diffusion", () => {
      const shape = frame({ steps: 20_000, stepSeconds: 3_600 });
      const returns = logReturns(mertonJumps(shape, JUMPS));
      const { mean: variance } = estimateVariance(returns, estimate(returns).mean);
      const kurtosis = estimate(returns.map((value) => value ** 4)).mean / variance ** 2;
      expect(kurtosis).to.be.greaterThan(10);
    });
  });

  describe("of Heston's volatility", () => {
    // The second breaks Feller's condition, 2 reversion sigma^2 > volOfVol^2: its variance often is next to zero.
    const cases = [
      { ...VOLATILE, volOfVol: 2, correlation: 0.4 },
      { ...VOLATILE, volOfVol: 8, correlation: -0.6 },
    ];
    for (const settings of cases) {
      it(`have the moments of the closed form with a volatility of variance of ${settings.volOfVol}`, () => {
        const shape = frame({ steps: 480, stepSeconds: 3 * 3_600 });
        const { integratedVariance, logReturn } = stochasticVolatilityMoments(
          settings,
          years(shape),
        );
        const realized: number[] = [];
        const values = Array.from({ length: 1_200 * SCALE }, (_, seed) => {
          const returns = logReturns(heston({ ...shape, seed }, settings));
          realized.push(returns.reduce((sum, value) => sum + value ** 2, 0));
          return returns.reduce((sum, value) => sum + value, 0);
        });
        expectMoments(values, logReturn);
        expectWithinFourErrors(
          estimate(realized),
          integratedVariance.mean,
          0.03,
          "integrated variance",
        );
        // Squared returns of a known variance h scatter by 2 h^2 around it: per step, twice the mean square of v dt.
        const { sigma, reversion, volOfVol } = settings;
        const dt = years({ ...shape, steps: 1 });
        const meanSquare = sigma ** 4 + (sigma * volOfVol) ** 2 / (2 * reversion);
        const noise = 2 * shape.steps * meanSquare * dt ** 2;
        expectWithinFourErrors(
          estimateVariance(realized, integratedVariance.mean),
          integratedVariance.variance + noise,
          0.15,
          "variance of the integrated variance",
        );
      });
    }

    it("have the right variance of variance also when a step forgets most of it and often ends at zero", () => {
      // Steps of a day at 1.4 times the speed of return. With v and v' a step apart and Var v = l xi^2 / (2 k):
      // E r^2 = l dt, E r^4 = 3 dt^2 E ((v + v') / 2)^2 = 3 dt^2 (l^2 + Var v (1 + exp(-k dt)) / 2), but for the mean of r.
      const settings = { sigma: 0.8, drift: 0, reversion: 500, volOfVol: 50, correlation: 0 };
      const shape = frame({ steps: 110, stepSeconds: 86_400 });
      const dt = years({ ...shape, steps: 1 });
      const level = settings.sigma ** 2;
      const variance = (level * settings.volOfVol ** 2) / (2 * settings.reversion);
      const square = level ** 2 + (variance * (1 + Math.exp(-settings.reversion * dt))) / 2;
      const paths = Array.from({ length: 10_000 * SCALE }, (_, seed) =>
        // Ten steps forget where the variance started.
        logReturns(heston({ ...shape, seed }, settings)).slice(10),
      );
      const moment = (power: number) =>
        estimate(paths.map((returns) => estimate(returns.map((r) => r ** power)).mean));
      expectWithinFourErrors(moment(2), level * dt, 0.01, "second moment");
      expectWithinFourErrors(moment(4), 3 * dt ** 2 * square, 0.02, "fourth moment");
    });

    it("leave the price a martingale but for the drift", () => {
      const shape = frame({ steps: 120, stepSeconds: 6 * 3_600 });
      const values = totals(2_000 * SCALE, (seed) => heston({ ...shape, seed }, VOLATILE));
      const expected = Math.exp(VOLATILE.drift * years(shape));
      expectWithinFourErrors(estimate(values.map(Math.exp)), expected, 0.02, "expected price");
    });

    it("have volatility that comes in clusters", () => {
      // Var(v) exp(-k t) / (3 E v^2 - (E v)^2), 0.15 after a day with these figures.
      const shape = frame({ steps: 200_000, stepSeconds: 3_600 });
      const squares = logReturns(heston(shape, VOLATILE)).map((value) => value ** 2);
      const { mean } = estimate(squares);
      const variance = estimateVariance(squares, mean).mean;
      const products = squares
        .slice(24)
        .map((value, i) => (value - mean) * ((squares[i] as number) - mean));
      expect(estimate(products).mean / variance).to.be.greaterThan(0.1);
    });
  });

  describe("with gaps", () => {
    it("move by exactly the gap in its step, and as without it before and after", () => {
      for (const size of [-0.1, -0.2, -0.35, -0.5, 0.35]) {
        const shape = frame({ steps: 20, stepSeconds: 12 });
        const all = prices(gaps(shape, { ...DIFFUSION, gaps: new Map([[12, size]]) }));
        const plain = prices(geometricBrownianMotion(shape, DIFFUSION));
        expect(all.slice(0, 13)).to.deep.equal(plain.slice(0, 13));
        expectNear((all[13] as number) / (all[12] as number), 1 + size, 1e-11);
        for (let i = 14; i < all.length; i++) {
          const ratio = (all[i] as number) / (all[i - 1] as number);
          expectNear(ratio, (plain[i] as number) / (plain[i - 1] as number), 1e-10);
        }
      }
    });
  });
});
