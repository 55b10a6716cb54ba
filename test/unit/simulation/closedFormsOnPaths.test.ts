import { readFileSync } from "node:fs";
import { expect } from "chai";
import { network } from "hardhat";
import {
  constantLeverageRatio,
  kellyFraction,
  kellyGrowth,
  lpGreeks,
  noTradeHalfBand,
} from "../../../src/simulation/closedForms.ts";
import { SECONDS_PER_YEAR } from "../../../src/simulation/paths/pricePath.ts";
import { geometricBrownianMotion } from "../../../src/simulation/paths/processes.ts";
import { ewmaDecay, ewmaVariance, lognormalTail } from "../../../src/simulation/priceStatistics.ts";
import { toNumber, WAD } from "../../../src/units.ts";
import { expectNear } from "../../support/expectNear.ts";
import { estimate, estimateVariance, expectWithinFourErrors } from "../../support/statistics.ts";
import { frame, logReturns, wad, years } from "./paths/fixture.ts";

const { ethers } = await network.create();

const deep = process.env.BALLAST_DEEP === "1";
const SCALE = deep ? 16 : 1;

/** The volatility oracle's shortest spacing and its faster time constant, seconds. */
const SPACING = 60;
const TAU = 21_600;

/** An 18-decimal number next to a double. */
const nearestWad = (value: number) => BigInt(Math.round(value * 1e15)) * 1_000n;

describe("the volatility oracle's average", () => {
  const decay = ewmaDecay(SPACING, TAU);
  const dt = SPACING / SECONDS_PER_YEAR;

  it("goes to r^2 / dt as a power of its decay on returns of constant size", () => {
    const size = 0.002;
    let variance = 0.04;
    for (let n = 1; n <= 2_000; n++) {
      variance = ewmaVariance(variance, n % 2 === 0 ? size : -size, decay, dt);
      const limit = size ** 2 / dt;
      expectNear(variance, limit + decay ** n * (0.04 - limit), 1e-10 * limit);
    }
  });

  it("averages to sigma^2 on a geometric Brownian motion, and scatters by (1 - a) / (1 + a) of twice its square", () => {
    const sigma = 0.8;
    // Five time constants forget all but 0.7 % of the start, which is the mean already.
    const shape = frame({ steps: (5 * TAU) / SPACING, stepSeconds: SPACING });
    const values = Array.from({ length: 400 * SCALE }, (_, seed) => {
      const returns = logReturns(geometricBrownianMotion({ ...shape, seed }, { sigma, drift: 0 }));
      return returns.reduce((v, value) => ewmaVariance(v, value, decay, dt), sigma ** 2);
    });
    expectWithinFourErrors(estimate(values), sigma ** 2, 0.01, "variance");
    const scatter = (2 * sigma ** 4 * (1 - decay)) / (1 + decay);
    expectWithinFourErrors(estimateVariance(values, sigma ** 2), scatter, 0.1, "scatter");
  });

  it("is what the contract computes on the same path", async () => {
    const math = await ethers.deployContract("VolatilityMathHarness");
    const shape = frame({ steps: 200, stepSeconds: SPACING, seed: 4 });
    const path = geometricBrownianMotion(shape, { sigma: 1.2, drift: 0 });
    let last = path.open;
    let onChain = wad("0.36");
    let variance = 0.36;
    for (const { close } of path.bars()) {
      const square = await math.squaredReturnWad(close, last);
      onChain = await math.updatedVarianceWad(onChain, square, SPACING, TAU);
      const logReturn = Math.log(toNumber(close, 18) / toNumber(last, 18));
      variance = ewmaVariance(variance, logReturn, decay, dt);
      last = close;
    }
    expect(Math.abs(variance - 0.36)).to.be.greaterThan(0.1);
    // A unit of 1e-18 in a squared return is 5e-13 of a variance per year.
    expectNear(toNumber(onChain, 18), variance, 1e-10);
  });
});

describe("the rebalancing band", () => {
  it("is the band of the reference in which no hedge is worth its cost", async () => {
    const { entries } = JSON.parse(
      readFileSync(new URL("../../vectors/closed_form.json", import.meta.url), "utf8"),
    ) as {
      entries: { whalley_wilmott_band: { vectors: readonly Readonly<Record<string, string>>[] } };
    };
    const math = await ethers.deployContract("RebalanceMathHarness");
    const { vectors } = entries.whalley_wilmott_band;
    expect(vectors).to.have.lengthOf(3);
    for (const vector of vectors) {
      const get = (field: string) => Number(vector[field]);
      const [price, cost, riskAversion] = [
        get("S"),
        get("cost_one_way"),
        get("risk_aversion_per_usd"),
      ];
      const { gamma } = lpGreeks(get("L"), price);
      // rho_a = 20 / E, and nu^2 = Gamma^2 sigma^2 P^2 counts in units of (E / P)^2.
      const equity = 20 / riskAversion;
      for (const sigma of [0.4, 0.8]) {
        const relative = (gamma * sigma * price * (price / equity)) ** 2;
        const band = await math.outerBand(
          nearestWad(relative),
          nearestWad(equity),
          nearestWad(price),
          nearestWad(sigma),
          Math.round(cost * 1e6),
          WAD / 5n,
        );
        // nu^2 has 18 decimals, of which the rounding above takes three: the cube root's share of a relative 5e-16 / nu^2.
        const half = toNumber(band, 18);
        const rounding = 1e-15 / relative;
        expectNear(half, get("half_band_eth"), half * (rounding + 1e-9));
        expectNear(
          noTradeHalfBand(price, gamma, cost, riskAversion),
          half,
          half * (rounding + 1e-9),
        );
        expect(rounding).to.be.lessThan(1e-4);
      }
    }
  });
});

describe("constant leverage along a path", () => {
  const sigma = 0.8;
  const shape = frame({ steps: 2_000, stepSeconds: 600 });
  const variance = sigma ** 2 * years(shape);

  for (const leverage of [2, -1, 0.5, 3]) {
    it(`of ${leverage}, rebalanced at every step, ends at (S_T / S_0)^b exp(-(b^2 - b) / 2 times the variance)`, () => {
      const errors: number[] = [];
      const ends: number[] = [];
      for (let seed = 0; seed < 300 * SCALE; seed++) {
        const returns = logReturns(
          geometricBrownianMotion({ ...shape, seed }, { sigma, drift: 0 }),
        );
        const end = returns.reduce(
          (value, change) => value * (1 + leverage * Math.expm1(change)),
          1,
        );
        const ratio = Math.exp(returns.reduce((sum, value) => sum + value, 0));
        errors.push(Math.log(end / constantLeverageRatio(leverage, ratio, variance)));
        ends.push(end);
      }
      // What is left is (b^2 - b) / 2 times realized less integrated variance, which scatters by 2 variance^2 / steps.
      const scatter = ((leverage ** 2 - leverage) / 2) ** 2 * ((2 * variance ** 2) / shape.steps);
      const { mean, error } = estimate(errors);
      // Third and fourth moments of a step add at most |b|^4 sigma^4 dt T.
      const bias = (leverage ** 4 * variance ** 2) / shape.steps;
      expect(Math.abs(mean), `${mean}`).to.be.at.most(4 * error + bias);
      expect(error).to.be.at.most(1e-3);
      expectWithinFourErrors(estimateVariance(errors, 0), scatter, 0.12, "scatter");
      // A self-financing portfolio of a martingale is one.
      expectWithinFourErrors(estimate(ends), 1, 0.05, "expectation");
    });
  }

  it("grows as the formula of the growth-optimal share says, and fastest at it", () => {
    const drift = 1.5;
    const best = kellyFraction(drift, 0, sigma);
    const growth = (share: number) => {
      const rates = Array.from({ length: 400 * SCALE }, (_, seed) => {
        const returns = logReturns(geometricBrownianMotion({ ...shape, seed }, { sigma, drift }));
        // The share of the noise that the price itself has is taken out: it averages to nothing.
        const trend = (drift - sigma ** 2 / 2) * (years(shape) / shape.steps);
        return returns.reduce(
          (sum, change) => sum + Math.log1p(share * Math.expm1(change)) - share * (change - trend),
          0,
        );
      });
      return estimate(rates.map((value) => value / years(shape)));
    };
    const rates = [best / 2, best, 2 * best].map((share) => {
      const { mean, error } = growth(share);
      const bias = (share * sigma) ** 4 * (years(shape) / shape.steps);
      expectNear(mean, kellyGrowth(share, drift, 0, sigma), 4 * error + bias, `share ${share}`);
      expect(error + bias).to.be.at.most(0.03);
      return mean;
    });
    const [half = 0, full = 0, twice = 0] = rates;
    expect(full - Math.max(half, twice)).to.be.greaterThan(0.4);
  });
});

describe("the tail of a day's loss", () => {
  it("lies beyond the value at risk as often, and as far, as the closed form says", () => {
    const [sigma, confidence] = [0.8, 0.99];
    const day = frame({ steps: 60_000 * SCALE, stepSeconds: 86_400 / 96 });
    const deviation = sigma * Math.sqrt(day.stepSeconds / SECONDS_PER_YEAR);
    const { valueAtRisk, expectedShortfall } = lognormalTail(confidence, deviation);
    const losses = logReturns(geometricBrownianMotion(day, { sigma, drift: 0 })).map(
      (value) => -Math.expm1(value),
    );
    const beyond = losses.filter((loss) => loss > valueAtRisk);
    const exceeded = losses.map((loss) => (loss > valueAtRisk ? 1 : 0));
    expectWithinFourErrors(estimate(exceeded), 1 - confidence, 0.05, "exceeded");
    expectWithinFourErrors(estimate(beyond), expectedShortfall, 0.02, "shortfall");
  });
});
