import { expect } from "chai";
import { network } from "hardhat";
import {
  cbrt,
  div,
  exp,
  expectBelow,
  expectWithin,
  fromWad,
  ln,
  min,
  mul,
  ONE,
  real,
  sqrt,
  WAD,
  YEAR,
} from "../../support/highPrecision.ts";

const { ethers } = await network.create();
const math = await ethers.deployContract("RebalanceMathHarness");
const solvency = await ethers.deployContract("SolvencyMathHarness");

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
    /** E / P. */
    const equityInBase = (equity: bigint, price: bigint) => div(fromWad(equity), fromWad(price));
    /** E / P x cbrt(3 eps nu^2 / (2 rho sigma^2)) with rho = 20 and nu^2 as (share of equity)^2. */
    const uncapped = (nu2: bigint, equity: bigint, price: bigint, sigma: bigint, ppm: bigint) =>
      mul(
        equityInBase(equity, price),
        cbrt(
          div(
            mul(3n * real(ppm, 1_000_000n), fromWad(nu2)),
            mul(40n * fromWad(sigma), fromWad(sigma)),
          ),
        ),
      );
    /** |D| P shock = 2.5 % of E. */
    const cap = (equity: bigint, price: bigint, shock: bigint) =>
      div(mul(real(25n, 1_000n), fromWad(equity)), mul(fromWad(price), fromWad(shock)));

    const shock = WAD / 5n;
    for (const [nu2, sigma, ppm] of [
      [523_456_789_012_345_678n, 612_345_678_901_234_567n, 7_501n],
      [9_125_000_000_000_000n, 3n * WAD, 2_499n],
      [98_765_432_109_876n, 400_000_000_000_000_000n, 105_000n],
      [7_654_321_098_765n, WAD, 1_234n],
    ] as const) {
      it(`opens where the cube root says for nu^2 = ${nu2}, sigma ${sigma} and ${ppm} ppm`, async () => {
        const exact = uncapped(nu2, EQUITY, PRICE, sigma, ppm);
        expect(exact < cap(EQUITY, PRICE, shock)).to.equal(true);
        const actual = await math.outerBand(nu2, EQUITY, PRICE, sigma, ppm, shock);
        // A unit of the cube's last place and the rounding of sigma^2 (relative 1e-18 / 0.16), of which the cube root
        // takes a third; two units of the share's last place.
        const share = div(exact, equityInBase(EQUITY, PRICE));
        const cube = mul(share, share, share);
        const relative =
          div(ONE / WAD, cube) / 3n + real(7n, 3n * WAD) + div(2n * (ONE / WAD), share);
        expectWithin(actual, exact, 1n, relative);
      });
    }

    for (const [equity, price, sigmaShock] of [
      [EQUITY, PRICE, 200_000_000_000_000_000n],
      [WAD, PRICE, 442_345_678_901_234_567n],
      [10n ** 28n + 1n, 1_000_000_000_007n, 312_345_678_901_234_567n],
    ] as const) {
      it(`stops where a shock of ${sigmaShock} costs 2.5 % of ${equity} at the price ${price}`, async () => {
        const exact = cap(equity, price, sigmaShock);
        const nu2 = 10n ** 22n;
        expect(uncapped(nu2, equity, price, WAD, 7_500n) > exact).to.equal(true);
        const actual = await math.outerBand(nu2, equity, price, WAD, 7_500n, sigmaShock);
        // One unit in the last place of the share 2.5 % / shock, and one of base.
        expectBelow(actual, exact, 1n, div(fromWad(sigmaShock), real(25n, 1_000n)) / WAD);
        const cost = mul(fromWad(actual), fromWad(price), fromWad(sigmaShock));
        expect(cost <= mul(real(25n, 1_000n), fromWad(equity))).to.equal(true);
      });
    }

    it("stops at 625 base for 10 M at 2,000 and the least shock, and closes at half of it", async () => {
      const outer = await math.outerBand(
        100n * WAD,
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

    it("costs 75 bp and stops at 6,250 and at 4,234 base in the worked example of the mathematics", async () => {
      const cost = await math.unwindCostPpm(3_000n);
      expect(cost).to.equal(7_500n);
      const stop = async (sigma: bigint) => {
        const [equity, price] = [10_000_000n * WAD, 200n * WAD];
        const shockNow = await solvency.shockWad(sigma);
        return math.outerBand(100n * WAD, equity, price, sigma, cost, shockNow);
      };
      expect(await stop((6n * WAD) / 10n)).to.equal(6_250n * WAD);
      // 2.82 x 200 % x sqrt(1 day) is 29.5 %, and 2.5 % of 50,000 base is 1,250.
      const shockExact = mul(real(564n, 100n), sqrt(real(1n, 365n)));
      const exact = div(real(1_250n), shockExact);
      const actual = await stop(2n * WAD);
      // Relative, in 1e-18: a unit of 1 / 365 under the root 183, of the root 20, of sigma times the root 10, of the
      // shock 4, of the share of equity 12.
      expectWithin(actual, exact, 1n, real(183n + 20n + 10n + 4n + 12n, WAD));
      expect(actual / WAD).to.equal(4_234n);
      expect(exact / (ONE / 1_000n)).to.be.within(4_234_000n, 4_234_499n);
    });

    it("is eight times as wide for 512 times the target's variance", async () => {
      const band = (nu2: bigint) =>
        math.outerBand(nu2, 10_000_000n * WAD, 2_000n * WAD, WAD, 8_000n, WAD / 5n);
      // Multiples of 5,000, so that 3 x 0.8 % x nu^2 / 40 has no more than eighteen decimals.
      const nu2 = 3_255_208_333_335_000n;
      // A unit in the last place of a share is 5,000 of base.
      expectWithin(await band(512n * nu2), 8n * fromWad(await band(nu2)), 9n * 5_000n);
      // 3 x 0.8 % x 0.36 / 40 = 0.06^3, and 6 % of 5,000 base are 300.
      expectWithin(await band((36n * WAD) / 100n), real(300n), 5_000n);
    });

    it("is a share of equity: twice as wide for twice the equity, half as wide at twice the price", async () => {
      const band = (equity: bigint, price: bigint) =>
        math.outerBand(WAD / 10n, equity, price, WAD, 7_500n, WAD / 5n);
      const once = await band(EQUITY, PRICE);
      expectWithin(await band(2n * EQUITY, PRICE), 2n * fromWad(once), 2n);
      expectWithin(await band(EQUITY, 2n * PRICE), fromWad(once) / 2n, 2n);
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

    /** (0.5 %)^2 a day. */
    const FLOOR = 9_125_000_000_000_000n;

    for (const [variance, move, elapsed] of [
      [912_345_678_901_234_567n, 2_123_456_789_012_345n, 613n],
      [912_345_678_901_234_567n, 0n, 86_413n],
      [512_345_678_901_234_567n, 51_234_567_890_123_456n, 200_003n],
      [23_456_789_012_345_678_901n, 9_876_543_210_987_654_321n, 2_592_000n],
    ] as const) {
      it(`averages a move of ${move} over ${elapsed} s with a time constant of one day`, async () => {
        const { exact, sample } = average(variance, move, elapsed);
        expect(exact < doubled(variance, elapsed) && exact > fromWad(FLOOR)).to.equal(true);
        // Two units of the weight times what it weighs; the move's square rounds by one unit, times year / elapsed.
        const units = 4n + (2n * (fromWad(variance) + sample)) / ONE + YEAR / elapsed;
        expectWithin(await math.updatedTargetVarianceWad(variance, move, elapsed), exact, units);
      });
    }

    for (const [variance, move, elapsed] of [
      [12_345_678_901_234_567n, 512_345_678_901_234_567n, 1n],
      [12_345_678_901_234_567n, 512_345_678_901_234_567n, 3_607n],
      [51_234_567_890_123_456n, 9_876_543_210_987_654_321n, 172_801n],
    ] as const) {
      it(`at most doubles a day: from ${variance} over ${elapsed} s`, async () => {
        const exact = doubled(variance, elapsed);
        expect(average(variance, move, elapsed).exact > exact).to.equal(true);
        const actual = await math.updatedTargetVarianceWad(variance, move, elapsed);
        expectWithin(actual, exact, 2n, real(5n, WAD));
      });
    }

    it("doubles in exactly one day, and not faster in many steps than in one", async () => {
      const start = 12_345_678_901_234_567n;
      const move = 10n * WAD;
      const whole = await math.updatedTargetVarianceWad(start, move, DAY);
      expectWithin(whole, 2n * fromWad(start), 2n, real(5n, WAD));
      let steps = start;
      for (let n = 0; n < 24; n += 1) {
        steps = await math.updatedTargetVarianceWad(steps, move, 3_600n);
      }
      // Each of the 24 factors may be a unit of 1e-18 too large.
      expect(steps <= whole + (24n * 2n * start) / WAD + 24n).to.equal(true);
    });

    it("never falls below the square of 0.5 % a day, however long the target stands still", async () => {
      expect(await math.targetVarianceOf(WAD / 200n)).to.equal(FLOOR);
      for (const [variance, elapsed] of [
        [FLOOR + 1n, DAY],
        [WAD, 60n * DAY],
        [FLOOR, 1n],
        [FLOOR, 10_000n * DAY],
        [0n, 1n],
      ] as const) {
        expect(await math.updatedTargetVarianceWad(variance, 0n, elapsed)).to.equal(FLOOR);
      }
      // An average only a little above stays what it is: 5 days from 1.4 are 0.00943.
      const { exact } = average((14n * WAD) / 10n, 0n, 5n * DAY);
      expect(exact > fromWad(FLOOR) && exact < real(95n, 10_000n)).to.equal(true);
      expectWithin(await math.updatedTargetVarianceWad((14n * WAD) / 10n, 0n, 5n * DAY), exact, 5n);
    });

    it("does not close the band for good when a target that stood still for 60 days moves again", async () => {
      const band = (variance: bigint) =>
        math.outerBand(
          variance,
          10_000_000n * WAD,
          2_000n * WAD,
          (6n * WAD) / 10n,
          7_500n,
          WAD / 5n,
        );
      const usual = await math.targetVarianceOf(WAD / 20n);
      let variance = usual;
      for (let day = 0; day < 60; day += 1) {
        variance = await math.updatedTargetVarianceWad(variance, 0n, DAY);
      }
      // cbrt(3 x 75 bp x 0.009125 / (40 x 0.36)) = 2.425 % of 5,000 base.
      const exact = 5_000n * cbrt(div(mul(real(225n, 10_000n), fromWad(FLOOR)), real(144n, 10n)));
      expectWithin(await band(variance), exact, 1n, real(1n, 10n ** 12n));
      expect(await band(variance)).to.be.greaterThan(121n * WAD);

      // 5 % a day, as before: doubled on six days, then averaged.
      let expected = fromWad(FLOOR);
      const kept = exp(-ONE);
      for (let day = 0; day < 9; day += 1) {
        variance = await math.updatedTargetVarianceWad(variance, WAD / 20n, DAY);
        expected = min(2n * expected, mul(kept, expected) + mul(ONE - kept, fromWad(usual)));
      }
      // A few units a day, doubled on each of the days before.
      expectWithin(variance, expected, 5n * 2n ** 9n);
      expect(await band(variance)).to.be.greaterThan(((await band(usual)) * 99n) / 100n);
    });

    it("counts a move beyond ten times equity as one of ten", async () => {
      const averaged = (move: bigint) => math.updatedTargetVarianceWad(WAD, move, 30n * DAY);
      const most = await averaged(10n * WAD);
      // 100 x 365 / 30, within the rounding of a weight of 1 - exp(-30).
      const { exact } = average(WAD, 10n * WAD, 30n * DAY);
      expectWithin(most, exact, 4n + (2n * 1_218n * ONE) / ONE);
      expect(await averaged(10n * WAD - 1_000n)).to.be.lessThan(most);
      for (const move of [10n * WAD + 1_000n, 11n * WAD, 2n ** 128n, 2n ** 256n - 1n]) {
        expect(await averaged(move)).to.equal(most);
      }
    });

    it("is 365 times the square of what the target moves in a day", async () => {
      for (const daily of [51_234_567_890_123_456n, 5_000_000_000_000_001n, WAD]) {
        const exact = 365n * mul(fromWad(daily), fromWad(daily));
        expectBelow(await math.targetVarianceOf(daily), exact, 365n);
      }
      expect(await math.targetVarianceOf(WAD / 20n)).to.equal((9_125n * WAD) / 10_000n);
      expect(await math.targetVarianceOf(WAD)).to.equal(365n * WAD);
    });
  });

  describe("rate of the hedge charge", () => {
    it("is cost over notional, rounded down to a millionth", async () => {
      for (const [cost, notional] of [
        [1_234_567_891n, 654_321_987_654n],
        [2n ** 150n + 1n, 2n ** 158n + 12_345n],
        [4_999n, 1_000_000n],
        [1_001n, 1_000_000n],
      ] as const) {
        for (const prior of [1n, notional / 3n, 7n * notional]) {
          const exact = (cost * 1_000_000n + 3_750n * prior) / (notional + prior);
          expect(exact > 1_000n && exact < 5_000n).to.equal(true);
          expect(await math.hedgeRatePpm(cost, notional, 7_500n, prior)).to.equal(exact);
        }
      }
    });

    it("stays within 10 and 50 bp", async () => {
      for (const [cost, expected] of [
        [0n, 1_000n],
        [999n, 1_000n],
        [1_000n, 1_000n],
        [5_001n, 5_000n],
        [10n ** 30n, 5_000n],
      ] as const) {
        expect(await math.hedgeRatePpm(cost * 10n ** 9n, 10n ** 15n, 2n, 1n)).to.equal(expected);
      }
    });

    it("is half a round trip, within the limits, where nothing was traded", async () => {
      expect(await math.hedgeRatePpm(0n, 0n, 7_500n, 1n)).to.equal(3_750n);
      expect(await math.hedgeRatePpm(0n, 0n, 1_250n, 1_003n)).to.equal(1_000n);
      expect(await math.hedgeRatePpm(0n, 0n, 25_000n, 1_003n)).to.equal(5_000n);
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
