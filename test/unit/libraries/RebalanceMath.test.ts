import { expect } from "chai";
import { network } from "hardhat";
import {
  cbrt,
  div,
  exp,
  expectWithin,
  fromWad,
  ln,
  mul,
  ONE,
  real,
  sqrt,
  WAD,
  YEAR,
} from "../../support/highPrecision.ts";

const { ethers } = await network.create();
const math = await ethers.deployContract("RebalanceMathHarness");

const DAY = 86_400n;
const PRICE = 1_946_127_354_901_283_774_013n;
const EQUITY = 9_876_543_210_987_654_321_098_769n;

describe("RebalanceMath", () => {
  describe("cost of getting flat", () => {
    it("is 2.5 fees, of which half a fee is the chunk, at 30 bp", async () => {
      expect(await math.maximumChunkPpm(3_000n)).to.equal(1_500n);
      expect(await math.unwindCostPpm(3_000n)).to.equal(7_500n);
    });

    it("rounds half a millionth down", async () => {
      expect(await math.maximumChunkPpm(4_321n)).to.equal(2_160n);
      expect(await math.unwindCostPpm(4_321n)).to.equal(10_802n);
    });

    it("never allows chunks of more than 0.5 % of the depth", async () => {
      expect(await math.maximumChunkPpm(9_999n)).to.equal(4_999n);
      expect(await math.maximumChunkPpm(10_000n)).to.equal(5_000n);
      expect(await math.maximumChunkPpm(50_000n)).to.equal(5_000n);
      expect(await math.unwindCostPpm(50_000n)).to.equal(105_000n);
    });

    it("is nothing without a fee", async () => {
      expect(await math.maximumChunkPpm(0n)).to.equal(0n);
      expect(await math.unwindCostPpm(0n)).to.equal(0n);
    });
  });

  describe("bands", () => {
    /** cbrt(3 eps nu^2 / (2 rho_a sigma^2 P)) with rho_a = 20 / E. */
    const uncapped = (nu2: bigint, equity: bigint, price: bigint, sigma: bigint, ppm: bigint) =>
      cbrt(
        div(
          mul(3n * real(ppm, 1_000_000n), fromWad(nu2), fromWad(equity)),
          mul(40n * fromWad(sigma), fromWad(sigma), fromWad(price)),
        ),
      );
    /** |D| P shock = 2.5 % of E. */
    const cap = (equity: bigint, price: bigint, shock: bigint) =>
      div(mul(real(25n, 1_000n), fromWad(equity)), mul(fromWad(price), fromWad(shock)));

    const shock = WAD / 5n;
    for (const [nu2, sigma, ppm] of [
      [123_456_789_012_345_678_901_234n, 612_345_678_901_234_567n, 7_501n],
      [1_234_567_890_123_456_789n, 3n * WAD, 2_499n],
      [987_654_321n, 400_000_000_000_000_000n, 105_000n],
      [1n, WAD, 1n],
    ] as const) {
      it(`opens where the cube root says for nu^2 = ${nu2}, sigma ${sigma} and ${ppm} ppm`, async () => {
        const exact = uncapped(nu2, EQUITY, PRICE, sigma, ppm);
        expect(exact < cap(EQUITY, PRICE, shock)).to.equal(true);
        const actual = await math.outerBand(nu2, EQUITY, PRICE, sigma, ppm, shock);
        // Two units of the cube's last place and the rounding of sigma^2 (relative 1e-18 / 0.16): a cube root's
        // relative error is a third of its argument's.
        const cube = mul(exact, exact, exact);
        const relative = div(3n * (ONE / WAD), cube) / 3n + real(7n, 3n * WAD);
        expectWithin(actual, exact, 2n, relative);
      });
    }

    for (const [equity, price, sigmaShock] of [
      [EQUITY, PRICE, 200_000_000_000_000_000n],
      [WAD, PRICE, 442_345_678_901_234_567n],
      [10n ** 28n + 1n, 1_000_000_000_007n, 312_345_678_901_234_567n],
    ] as const) {
      it(`stops where a shock of ${sigmaShock} costs 2.5 % of ${equity} at the price ${price}`, async () => {
        const exact = cap(equity, price, sigmaShock);
        const nu2 = 10n ** 54n;
        expect(uncapped(nu2, equity, price, WAD, 7_500n) > exact).to.equal(true);
        const actual = await math.outerBand(nu2, equity, price, WAD, 7_500n, sigmaShock);
        // One unit of quote divided by the price, and one of base.
        expectWithin(actual, exact, 1n + WAD / price + 1n);
        const cost = mul(fromWad(actual), fromWad(price), fromWad(sigmaShock));
        expect(cost <= mul(real(25n, 1_000n), fromWad(equity))).to.equal(true);
      });
    }

    it("stops at 625 base for 10 M at 2,000 and the least shock, and closes at half of it", async () => {
      const outer = await math.outerBand(
        10n ** 30n,
        10_000_000n * WAD,
        2_000n * WAD,
        WAD,
        7_500n,
        WAD / 5n,
      );
      expect(outer).to.equal(625n * WAD);
      expect(await math.innerBand(outer)).to.equal((625n * WAD) / 2n);
      expect(await math.innerBand(7n)).to.equal(3n);
    });

    it("is eight times as wide for 512 times the target's variance", async () => {
      const band = (nu2: bigint) =>
        math.outerBand(nu2, 10_000_000n * WAD, 2_000n * WAD, WAD, 8_000n, WAD / 5n);
      expectWithin(await band(512n * WAD), 8n * fromWad(await band(WAD)), 10n);
      // 3 x 0.8 % x 1000/3 x 10^7 / (2 x 20 x 2,000) = 1,000.
      expectWithin(await band((1_000n * WAD) / 3n), real(10n), 2n);
    });

    it("has no width where the target stands still or trading is free", async () => {
      expect(await math.outerBand(0n, EQUITY, PRICE, WAD, 7_500n, shock)).to.equal(0n);
      expect(await math.outerBand(WAD, EQUITY, PRICE, WAD, 0n, shock)).to.equal(0n);
    });
  });

  describe("variance of the target", () => {
    const average = (variance: bigint, move: bigint, elapsed: bigint) => {
      const kept = exp(-real(elapsed, DAY));
      const sample = (mul(fromWad(move), fromWad(move)) * YEAR) / elapsed;
      return { exact: mul(kept, fromWad(variance)) + mul(ONE - kept, sample), sample };
    };
    const doubled = (variance: bigint, elapsed: bigint) =>
      mul(fromWad(variance), exp(mul(ln(real(2n)), real(elapsed, DAY))));

    for (const [variance, move, elapsed] of [
      [123_456_789_012_345_678_901_234n, 1_234_567_890_123_456_789n, 613n],
      [123_456_789_012_345_678_901_234n, 0n, 86_413n],
      [987_654_321_098_765_432_109n, 2_345_678_901_234_567_890n, 200_003n],
    ] as const) {
      it(`averages a move of ${move} over ${elapsed} s with a time constant of one day`, async () => {
        const { exact, sample } = average(variance, move, elapsed);
        expect(exact < doubled(variance, elapsed)).to.equal(true);
        // Two units of the weight times what it weighs; the move's square rounds by one unit, times year / elapsed.
        const units = 4n + (2n * (fromWad(variance) + sample)) / ONE + YEAR / elapsed;
        expectWithin(await math.updatedTargetVarianceWad(variance, move, elapsed), exact, units);
      });
    }

    for (const [variance, move, elapsed] of [
      [123_456_789_012_345_678_901_234n, 1_234_567_890_123_456_789_012n, 1n],
      [123_456_789_012_345_678_901_234n, 1_234_567_890_123_456_789_012n, 3_607n],
      [7_777_777n, 10n ** 22n, 172_801n],
    ] as const) {
      it(`at most doubles a day: from ${variance} over ${elapsed} s`, async () => {
        const exact = doubled(variance, elapsed);
        expect(average(variance, move, elapsed).exact > exact).to.equal(true);
        const actual = await math.updatedTargetVarianceWad(variance, move, elapsed);
        expectWithin(actual, exact, 2n, real(5n, WAD));
      });
    }

    it("doubles in exactly one day, and not faster in many steps than in one", async () => {
      const start = 123_456_789_012_345_678_901_234n;
      const move = 10n ** 24n;
      const whole = await math.updatedTargetVarianceWad(start, move, DAY);
      expectWithin(whole, 2n * fromWad(start), 2n, real(5n, WAD));
      let steps = start;
      for (let n = 0; n < 24; n += 1) {
        steps = await math.updatedTargetVarianceWad(steps, move, 3_600n);
      }
      expect(steps <= whole + (200n * start) / WAD).to.equal(true);
    });

    it("starts from a daily share of equity", async () => {
      const daily = 51_234_567_890_123_456n;
      const perDay = div(mul(fromWad(EQUITY), fromWad(daily)), fromWad(PRICE));
      const actual = await math.initialTargetVarianceWad(EQUITY, PRICE, daily);
      // A unit in the base a day moves its square by twice the base, and everything is times 365.
      const units = 365n * (2n + 4n * (perDay / ONE + 1n));
      expectWithin(actual, 365n * mul(perDay, perDay), units);
      expect(
        await math.initialTargetVarianceWad(10_000_000n * WAD, 2_000n * WAD, WAD / 20n),
      ).to.equal(62_500n * 365n * WAD);
    });
  });

  describe("cached depth", () => {
    const cached = 10_276_543_210_987_654_321_098n;

    it("falls with the depth at once", async () => {
      for (const depth of [0n, 1n, cached - 1n, cached]) {
        expect(await math.updatedDepth(cached, depth, 1n)).to.equal(depth);
      }
    });

    for (const elapsed of [0n, 1n, 3_607n, DAY, 100n * DAY]) {
      it(`covers 1 - exp(-dt / 24 h) of a rise in ${elapsed} s`, async () => {
        const depth = 3n * cached + 17n;
        const share = ONE - exp(-real(elapsed, DAY));
        const exact = fromWad(cached) + mul(share, fromWad(depth - cached));
        const units = 1n + (2n * (depth - cached)) / WAD + 1n;
        const actual = await math.updatedDepth(cached, depth, elapsed);
        expectWithin(actual, exact, units);
        expect(actual <= depth).to.equal(true);
      });
    }
  });

  describe("tolerance of the minimum output", () => {
    it("is 10 bp at first and a fee more after ten minutes, whatever comes later", async () => {
      for (const fee of [0n, 3_000n, 4_321n, 50_000n]) {
        expect(await math.toleranceWad(fee, 0n)).to.equal(WAD / 1_000n);
        const full = (fee + 1_000n) * 10n ** 12n;
        for (const eligible of [600n, 601n, 2n ** 64n]) {
          expect(await math.toleranceWad(fee, eligible)).to.equal(full);
        }
        expect(await math.toleranceWad(fee, 599n)).to.equal(
          WAD / 1_000n + (fee * 10n ** 12n * 599n) / 600n,
        );
      }
    });
  });

  describe("re-marked reserves", () => {
    for (const [x, y, price] of [
      [10_276_543_210_987_654_321_098n, 19_876_543_210_987_654_321_098_765n, PRICE],
      [5n * WAD + 3n, 2n ** 112n - 1n, 123_456_789n],
      [2n ** 112n - 1n, 2n ** 112n - 1n, 987_654n * WAD + 321n],
      [1_000_003n, 7_777_777n, WAD + 1n],
    ] as const) {
      it(`are sqrt(k / P) and sqrt(k P) for ${x} and ${y} at ${price}`, async () => {
        const rootK = sqrt(mul(fromWad(x), fromWad(y)));
        const rootPrice = sqrt(fromWad(price));
        const [base, quote] = await math.remarkedReserves(x, y, price);
        // Both roots round by at most one unit: relative 1e-18 / root each.
        const relative = 2n * (div(ONE / WAD, rootK) + div(ONE / WAD, rootPrice));
        expectWithin(base, div(rootK, rootPrice), 1n, relative);
        expectWithin(quote, mul(rootK, rootPrice), 1n, relative);
      });
    }

    it("leave reserves at the oracle's price as they are", async () => {
      const [base, quote] = [10_000n * WAD, 20_000_000n * WAD];
      const marked = await math.remarkedReserves(base, quote, 2_000n * WAD);
      expectWithin(marked[0], fromWad(base), 1n, real(1n, WAD));
      expectWithin(marked[1], fromWad(quote), 1n, real(1n, WAD));
    });

    it("do not depend on where along the curve the reserves stand", async () => {
      const [base, quote] = [10_000n * WAD, 20_000_000n * WAD];
      const marked = await math.remarkedReserves(base, quote, PRICE);
      for (const factor of [2n, 5n, 100n]) {
        expect(await math.remarkedReserves(base * factor, quote / factor, PRICE)).to.deep.equal(
          marked,
        );
      }
    });
  });
});
