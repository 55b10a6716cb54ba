import { expect } from "chai";
import {
  deterministicArbitrage,
  poissonArbitrageRate,
  poissonTradeProbability,
} from "../../../src/simulation/closedForms.ts";
import { feedPrice } from "../../../src/simulation/paths/pricePath.ts";
import { createRandom } from "../../../src/simulation/random.ts";
import { expectNear } from "../../support/expectNear.ts";
import { type Estimate, estimate, expectWithinFourErrors } from "../../support/statistics.ts";
import { arbitrageAt, poolAt, valueAt } from "./arbitrageFixture.ts";

const deep = process.env.BALLAST_DEEP === "1";
const SCALE = deep ? 16 : 1;
const START = 2_000;
/** Prices wander off; a new pool begins after this many trades. */
const TRADES_PER_POOL = 25;

/** Fee of a pool in millionths, and its one-sided logarithm. */
const feeOf = (ppm: number) => ({ swapFee: BigInt(ppm), gamma: -Math.log(1 - ppm / 1e6) });

/**
 * Arbitrage of the integer pool along a price whose logarithm has no drift, with blocks at exponential times.
 *
 * @returns the number of blocks from one trade to the next, and each trade's profit as a fraction of the position
 */
function poissonBlocks(sigma: number, blockRate: number, swapFee: bigint, trades: number) {
  const random = createRandom(11, `${sigma} ${blockRate} ${swapFee}`);
  const blocks: number[] = [];
  const profits: number[] = [];
  while (blocks.length < trades) {
    let pool = poolAt(START, swapFee);
    let logarithm = 0;
    let waited = 0;
    // The first trade starts from the middle of the band, the others from near its edge as in the long run.
    for (let trade = 0; trade <= TRADES_PER_POOL; ) {
      const elapsed = -Math.log(1 - random.uniform()) / blockRate;
      logarithm += sigma * Math.sqrt(elapsed) * random.normal();
      waited++;
      const price = START * Math.exp(logarithm);
      const { pool: after, profit, traded } = arbitrageAt(pool, feedPrice(price));
      if (!traded) continue;
      if (trade > 0) {
        blocks.push(waited);
        profits.push(profit / valueAt(pool, price));
      }
      pool = after;
      waited = 0;
      trade++;
    }
  }
  return { blocks: estimate(blocks), profits: estimate(profits) };
}

/**
 * Mean number of blocks between trades of a pool that keeps its fees. A trade that overshoots the band by y leaves spot inside its edge
 * by e = ln(1 + (exp(gamma) - 1) (1 - exp(-y / 2))), the fee's share of the reserve. The overshoot is exponential with rate
 * eta = sqrt(2 lambda) / sigma, and from gamma - e the next trade takes 1 + eta gamma + eta^2 (gamma e - e^2 / 2) blocks.
 */
function compoundedBlocks(sigma: number, blockRate: number, gamma: number): number {
  const eta = Math.sqrt(2 * blockRate) / sigma;
  const points = 20_000;
  let sum = 0;
  for (let i = 0; i < points; i++) {
    const overshoot = -Math.log((i + 0.5) / points) / eta;
    const inside = Math.log1p(Math.expm1(gamma) * -Math.expm1(-overshoot / 2));
    sum += gamma * inside - inside ** 2 / 2;
  }
  return 1 + eta * gamma + (eta ** 2 * sum) / points;
}

describe("arbitrage with a fee at Poisson blocks", () => {
  // Volatility per square root of a day and blocks per day; the first two and the last with the figures of the reference.
  const cases = [
    [0.05, 7_200, 500],
    [0.05, 144, 2_996],
    [0.05, 7_200, 3_000],
    [0.1, 720, 10_000],
    [1, 10, 95_163],
  ] as const;
  for (const [sigma, blockRate, ppm] of cases) {
    describe(`sigma ${sigma}, ${blockRate} blocks and a fee of ${ppm} ppm`, () => {
      const { swapFee, gamma } = feeOf(ppm);
      const probability = poissonTradeProbability(sigma, blockRate, gamma);
      let blocks: Estimate;
      let profits: Estimate;

      before(() => {
        ({ blocks, profits } = poissonBlocks(sigma, blockRate, swapFee, 8_000 * SCALE));
      });

      it("waits for a trade as long as the pool that keeps its fees should", () => {
        expectWithinFourErrors(blocks, compoundedBlocks(sigma, blockRate, gamma), 0.03, "blocks");
      });

      it("trades with the probability 1 / (1 + sqrt(2 lambda) gamma / sigma), less at most f / 2 of it", () => {
        const fee = ppm / 1e6;
        const exact = 1 / compoundedBlocks(sigma, blockRate, gamma);
        expect(exact / probability).to.be.within(1 - fee / (2 * (1 - fee)), 1);
        const simulated = 1 / blocks.mean;
        const error = blocks.error / blocks.mean ** 2;
        const bias = (probability * fee) / (2 * (1 - fee));
        expect(simulated).to.be.within(probability - bias - 4 * error, probability + 4 * error);
      });

      it("earns per trade what the closed form says", () => {
        const inQuote = poissonArbitrageRate(sigma, blockRate, gamma) / (blockRate * probability);
        const expected = (inQuote * Math.exp(gamma / 2)) / Math.cosh(gamma / 2);
        expectWithinFourErrors(profits, expected, 0.05, "profit");
      });
    });
  }
});

describe("arbitrage with a fee at blocks of constant length", () => {
  for (const [perBlock, ppm] of [
    [0.000589, 1_000],
    [0.000589, 500],
    [0.0018634, 3_000],
  ] as const) {
    it(`earns what the asymptotic formula says at ${perBlock} per block and a fee of ${ppm} ppm`, () => {
      const { swapFee, gamma } = feeOf(ppm);
      const random = createRandom(5, `${perBlock} ${ppm}`);
      const burnIn = 50;
      const length = 400;
      const chains = Array.from({ length: 150 * SCALE }, () => {
        let pool = poolAt(START, swapFee);
        let logarithm = 0;
        let sum = 0;
        for (let block = 0; block < burnIn + length; block++) {
          logarithm += perBlock * random.normal();
          const price = START * Math.exp(logarithm);
          const { pool: after, profit } = arbitrageAt(pool, feedPrice(price));
          if (block >= burnIn) sum += profit / valueAt(pool, price);
          pool = after;
        }
        return (4 * sum) / length;
      });
      const expected = deterministicArbitrage(perBlock, gamma);
      const { mean, error } = estimate(chains);
      // The formula itself is within 1.1 % of simulations, and the fees that stay in the pool take at most f / 2.
      expectNear(mean, expected, 4 * error + 0.011 * expected + (ppm / 2e6) * expected);
      expect(error).to.be.at.most(0.02 * expected);
      // Taking the one-sided fee for the whole width would be off by far more.
      expect(deterministicArbitrage(perBlock, gamma / 2) - mean).to.be.greaterThan(8 * error);
    });
  }
});
