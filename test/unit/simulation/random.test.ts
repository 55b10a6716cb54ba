import { expect } from "chai";
import { createRandom } from "../../../src/simulation/random.ts";
import { expectNear } from "../../support/expectNear.ts";

const SAMPLES = 20_000;

function moments(draw: () => number): { mean: number; variance: number } {
  const values = Array.from({ length: SAMPLES }, draw);
  const mean = values.reduce((sum, value) => sum + value, 0) / SAMPLES;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / SAMPLES;
  return { mean, variance };
}

describe("seeded random numbers", () => {
  it("repeat with the seed and differ between seeds and streams", () => {
    const draws = (seed: number, stream: string) => {
      const random = createRandom(seed, stream);
      return Array.from({ length: 8 }, () => random.uniform());
    };
    expect(draws(7, "a")).to.deep.equal(draws(7, "a"));
    expect(draws(7, "a")).not.to.deep.equal(draws(8, "a"));
    expect(draws(7, "a")).not.to.deep.equal(draws(7, "b"));
  });

  it("are uniform in [0, 1)", () => {
    const random = createRandom(1, "uniform");
    const { mean, variance } = moments(() => {
      const value = random.uniform();
      expect(value).to.be.within(0, 1 - 2 ** -32);
      return value;
    });
    expectNear(mean, 1 / 2, 0.01);
    expectNear(variance, 1 / 12, 0.003);
  });

  it("are normal with mean 0 and variance 1", () => {
    const random = createRandom(2, "normal");
    const { mean, variance } = moments(() => random.normal());
    expectNear(mean, 0, 0.03);
    expectNear(variance, 1, 0.05);
  });

  it("are Poisson with equal mean and variance, small and large", () => {
    for (const expected of [0.3, 4, 100]) {
      const random = createRandom(3, "poisson");
      const { mean, variance } = moments(() => random.poisson(expected));
      expectNear(mean / expected, 1, 0.05, `mean of ${expected}`);
      expectNear(variance / expected, 1, 0.06, `variance of ${expected}`);
    }
    expect(createRandom(3, "poisson").poisson(0)).to.equal(0);
  });

  it("cover the integers below a bound", () => {
    const random = createRandom(4, "integer");
    const seen = new Set(Array.from({ length: 500 }, () => random.integer(6)));
    expect([...seen].sort()).to.deep.equal([0, 1, 2, 3, 4, 5]);
  });
});
