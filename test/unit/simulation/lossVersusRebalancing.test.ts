import { readFileSync } from "node:fs";
import { expect } from "chai";
import { amountOutDown } from "../../../src/math/constantProductMath.ts";
import { afterTrade, arbitrageTrade } from "../../../src/simulation/arbitrage.ts";
import {
  expectedLossVersusRebalancing,
  lelandNumber,
  lossVersusRebalancingRate,
  lpGreeks,
  oppositeStreams,
} from "../../../src/simulation/closedForms.ts";
import { priceNumber, SECONDS_PER_YEAR } from "../../../src/simulation/paths/pricePath.ts";
import { geometricBrownianMotion } from "../../../src/simulation/paths/processes.ts";
import { createRandom } from "../../../src/simulation/random.ts";
import { parseDecimal, WAD } from "../../../src/units.ts";
import { expectNear } from "../../support/expectNear.ts";
import { abs, div, fromWad, ONE, type Real, real, sqrt } from "../../support/highPrecision.ts";
import { estimate, expectWithinFourErrors } from "../../support/statistics.ts";
import { arbitrageAt, poolAt, valueAt } from "./arbitrageFixture.ts";
import { frame } from "./paths/fixture.ts";

const deep = process.env.BALLAST_DEEP === "1";
const SCALE = deep ? 16 : 1;

interface Vectors {
  readonly impermanent_loss: { readonly vectors: readonly { r: string; il: string }[] };
  readonly lvr_expected_cumulative: {
    readonly vectors: readonly { sigma: string; T_years: string }[];
  };
}
const { entries } = JSON.parse(
  readFileSync(new URL("../../vectors/closed_form.json", import.meta.url), "utf8"),
) as { entries: Vectors };

describe("impermanent loss of the integer pool", () => {
  const START = 2_000n * WAD;
  const RESERVE = 10n ** 30n;
  const open = { reserveBase: RESERVE, reserveQuote: 2_000n * RESERVE, swapFee: 0n };

  /** 2 sqrt(r) / (1 + r) - 1, to 40 digits. */
  const exact = (ratio: Real) => div(2n * sqrt(ratio), ONE + ratio) - ONE;

  /** Loss of a pool arbitraged to each price in turn, as a fraction of holding. */
  function simulated(prices: readonly bigint[]): Real {
    let pool = open;
    for (const price of prices) {
      const trade = arbitrageTrade(pool, price, 18, 18);
      if (trade !== undefined) pool = { ...afterTrade(pool, trade), swapFee: 0n };
    }
    const last = prices.at(-1) ?? START;
    const value = pool.reserveBase * last + pool.reserveQuote * WAD;
    const held = open.reserveBase * last + open.reserveQuote * WAD;
    return real(value, held) - ONE;
  }

  for (const { r, il } of entries.impermanent_loss.vectors) {
    it(`is ${il} at ${r} times the price, to 28 digits`, () => {
      const ratio = parseDecimal(r, 18);
      expect(abs(exact(fromWad(ratio)) - parseDecimal(il, 40)) <= ONE / 10n ** 28n).to.equal(true);
      // An arbitrage is wrong by at most a few of 1e30 units, and what it earns least of all at its best amount.
      const loss = simulated([(START * ratio) / WAD]);
      expect(abs(loss - exact(fromWad(ratio))) <= ONE / 10n ** 28n, `${loss}`).to.equal(true);
    });
  }

  it("depends on the last price alone, whatever the way there", () => {
    const random = createRandom(1, "walk");
    for (let walk = 0; walk < 20; walk++) {
      const prices = Array.from(
        { length: 50 },
        () => (START * BigInt(1 + random.integer(40_000))) / 10_000n,
      );
      const ratio = real(prices.at(-1) ?? 0n, START);
      // Each of fifty trades leaves less than some units in the pool, which may be small on one side at the time.
      const distance = abs(simulated(prices) - exact(ratio));
      expect(distance <= ONE / 10n ** 24n, `walk ${walk}: ${distance}`).to.equal(true);
    }
  });
});

describe("loss-versus-rebalancing of the integer pool without a fee", () => {
  /** Losses and final values of pools arbitraged at each step of many martingales, as fractions of the first value. */
  function simulate(sigma: number, years: number, steps: number, paths: number) {
    const shape = frame({ steps, stepSeconds: (years * SECONDS_PER_YEAR) / steps });
    const losses: number[] = [];
    const values: number[] = [];
    for (let seed = 0; seed < paths; seed++) {
      let pool = poolAt(2_000, 0n);
      const first = valueAt(pool, 2_000);
      let loss = 0;
      let last = 2_000;
      for (const { close } of geometricBrownianMotion(
        { ...shape, seed },
        { sigma, drift: 0 },
      ).bars()) {
        const { pool: after, profit } = arbitrageAt(pool, close);
        pool = after;
        loss += profit;
        last = priceNumber(close);
      }
      losses.push(loss / first);
      values.push(valueAt(pool, last) / first);
    }
    return { loss: estimate(losses), value: estimate(values) };
  }

  const fresh = [
    { sigma: "0.8", T_years: "0.25" },
    { sigma: "2", T_years: "0.1" },
  ];
  for (const { sigma, T_years } of [...entries.lvr_expected_cumulative.vectors, ...fresh]) {
    // One arbitrage at the end is as good as any number: the expectation is exact at each.
    for (const [steps, paths] of [
      [1, 3_000],
      [7, 1_500],
      [120, 150],
    ] as const) {
      it(`is expected to be 1 - exp(-sigma^2 T / 8) at sigma ${sigma} over ${Number(T_years).toFixed(2)} years in ${steps} steps`, () => {
        const { loss, value } = simulate(Number(sigma), Number(T_years), steps, paths * SCALE);
        const expected = expectedLossVersusRebalancing(Number(sigma), Number(T_years));
        expectWithinFourErrors(loss, expected, 0.05, "loss");
        expectWithinFourErrors(value, 1 - expected, 0.05, "value");
      });
    }
  }
});

describe("hedging a position", () => {
  it("costs Leland's share of loss-versus-rebalancing on top, with proportional costs", () => {
    const [sigma, cost, price, liquidity] = [0.8, 0.003, 2_000, 1_000];
    for (const perYear of [365, 8_760]) {
      const random = createRandom(3, `hedge ${perYear}`);
      const deviation = sigma / Math.sqrt(perYear);
      const { value, delta } = lpGreeks(liquidity, price);
      const costs = Array.from({ length: 20_000 * SCALE }, () => {
        const next = price * Math.exp(deviation * random.normal() - deviation ** 2 / 2);
        return cost * next * Math.abs(lpGreeks(liquidity, next).delta - delta);
      });
      const perInterval = (lossVersusRebalancingRate(sigma) * value) / perYear;
      const expected = lelandNumber(sigma, cost, 1 / perYear) * perInterval;
      // The formula takes gamma as constant within an interval: wrong by about the interval's variance, 0.2 % at a day.
      const { mean, error } = estimate(costs);
      expectNear(mean, expected, 4 * error + deviation ** 2 * expected);
      expect(error).to.be.at.most(0.01 * expected);
    }
  });
});

describe("two opposite streams into the integer pool", () => {
  it("end where the closed form says, the closer the finer they are sliced, with the error of second order", () => {
    const [base, quote, inBase, inQuote] = [1_000n, 2_000_000n, 100n, 100_000n];
    const exact = oppositeStreams(Number(base), Number(quote), Number(inBase), Number(inQuote));
    const sliced = (slices: bigint) => {
      let [x, y] = [base * WAD, quote * WAD];
      const sellBase = (amount: bigint) => {
        const out = amountOutDown(amount, x, y, 0n);
        [x, y] = [x + amount, y - out];
      };
      const sellQuote = (amount: bigint) => {
        const out = amountOutDown(amount, y, x, 0n);
        [x, y] = [x - out, y + amount];
      };
      for (let slice = 0n; slice < slices; slice++) {
        sellBase((inBase * WAD) / slices / 2n);
        sellQuote((inQuote * WAD) / slices);
        sellBase((inBase * WAD) / slices / 2n);
      }
      return Number(x) / 1e18 - exact.endBase;
    };
    const [coarse, fine] = [sliced(10n), sliced(20n)];
    expect(Math.abs(fine)).to.be.within(1e-7, 1e-2);
    expect(coarse / fine).to.be.within(3.9, 4.1);
    expectNear(sliced(2_000n), 0, 1e-6);
  });
});
