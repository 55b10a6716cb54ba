import { expect } from "chai";
import { network } from "hardhat";
import {
  div,
  exp,
  expectWithin,
  fromWad,
  mul,
  ONE,
  type Real,
  real,
  WAD,
  YEAR,
} from "../../support/highPrecision.ts";

const { ethers } = await network.create();
const math = await ethers.deployContract("FundingMathHarness");

const TAU = 10_800n;
const MAXIMUM = (9n * WAD) / 10n;

/** target dt + (rate - target) tau (1 - exp(-dt / tau)), per year, and the rate at the end. */
function exactAccrual(
  rate: bigint,
  target: bigint,
  elapsed: bigint,
): { accrual: Real; rate: Real } {
  const kept = exp(-real(elapsed, TAU));
  const gap = fromWad(rate - target);
  return {
    accrual: (fromWad(target) * elapsed + mul(gap, ONE - kept) * TAU) / YEAR,
    rate: fromWad(target) + mul(gap, kept),
  };
}

describe("FundingMath", () => {
  describe("target rate", () => {
    const cap = 2_345_678_901_234_567_890_123n;

    it("is 90 % a year times the skew's share of its cap", async () => {
      for (const skew of [1n, 777_777_777_777_777_777_777n, -1_234_567_890_123_456_789_012n]) {
        const exact = mul(fromWad(MAXIMUM), div(fromWad(skew), fromWad(cap)));
        expectWithin(await math.targetRateWad(skew, cap), exact, 2n);
      }
    });

    it("is zero without skew", async () => {
      expect(await math.targetRateWad(0n, cap)).to.equal(0n);
      expect(await math.targetRateWad(0n, 1n)).to.equal(0n);
    });

    it("stops at 90 % a year on either side, at the cap and far beyond it", async () => {
      for (const skew of [cap, cap + 1n, 10n ** 40n]) {
        expect(await math.targetRateWad(skew, cap)).to.equal(MAXIMUM);
        expect(await math.targetRateWad(-skew, cap)).to.equal(-MAXIMUM);
      }
      expect(await math.targetRateWad(cap - cap / 1_000n, cap)).to.be.lessThan(MAXIMUM);
    });

    it("is 45 % a year at half the cap", async () => {
      expect(await math.targetRateWad(500n * WAD, 1_000n * WAD)).to.equal((45n * WAD) / 100n);
    });
  });

  describe("accrual", () => {
    const cases: [bigint, bigint, bigint][] = [
      [0n, MAXIMUM, 3_607n],
      [312_345_678_901_234_567n, -543_210_987_654_321_098n, 77n],
      [-MAXIMUM, MAXIMUM, 10_800n],
      [MAXIMUM, 123_456_789_012_345_678n, 1n],
      [-1n, 1n, 86_413n],
      [812_345_678_901_234_567n, 0n, 1_000_003n],
      [-MAXIMUM, MAXIMUM, 10n * YEAR],
    ];
    for (const [rate, target, elapsed] of cases) {
      it(`is the exact integral within two units from ${rate} toward ${target} over ${elapsed} s`, async () => {
        const exact = exactAccrual(rate, target, elapsed);
        const [accrual, next] = await math.accrue(rate, target, elapsed);
        // The weight is wrong by at most two units of 1e-18; tau / year scales that to nothing. Two divisions round.
        expectWithin(accrual, exact.accrual, 2n);
        // The gap is at most 180 %: twice two units of the weight, and one rounding.
        expectWithin(next, exact.rate, 5n);
      });
    }

    it("is nothing over no time, and the rate stays", async () => {
      expect(await math.accrue(312_345_678_901_234_567n, -MAXIMUM, 0n)).to.deep.equal([
        0n,
        312_345_678_901_234_567n,
      ]);
    });

    it("is the same with both signs turned", async () => {
      for (const [rate, target, elapsed] of cases) {
        const [accrual, next] = await math.accrue(rate, target, elapsed);
        expect(await math.accrue(-rate, -target, elapsed)).to.deep.equal([-accrual, -next]);
      }
    });

    it("lets the rate fade toward a zero target, which costs at most rate times three hours", async () => {
      const rate = 812_345_678_901_234_567n;
      const [accrual, next] = await math.accrue(rate, 0n, 100n * TAU);
      expect(next).to.equal(0n);
      expectWithin(accrual, (fromWad(rate) * TAU) / YEAR, 1n);
      expect(await math.accrue(0n, 0n, 86_400n)).to.deep.equal([0n, 0n]);
    });

    it("covers 1 - 1/e of the way to the target in three hours", async () => {
      const [, next] = await math.accrue(0n, MAXIMUM, TAU);
      expectWithin(next, mul(fromWad(MAXIMUM), ONE - exp(-ONE)), 3n);
    });

    for (const pieces of [
      [1n, 9_999n],
      [3_333n, 3_333n, 3_334n],
      Array<bigint>(40).fill(250n),
      [13n, 1_711n, 0n, 59n, 4_217n, 4_000n],
    ]) {
      it(`is the same over 10,000 s in ${pieces.length} parts, the first ${pieces[0]} s, within two units a part`, async () => {
        const [start, target] = [-312_345_678_901_234_567n, 743_210_987_654_321_098n];
        const [whole, wholeRate] = await math.accrue(start, target, 10_000n);
        let [sum, rate] = [0n, start];
        for (const piece of pieces) {
          const [accrual, next] = await math.accrue(rate, target, piece);
          sum += accrual;
          rate = next;
        }
        // A part is wrong by at most two units; an error of a few units in the rate between them, times
        // tau / year = 0.0003, is below another.
        expectWithin(sum, fromWad(whole), 2n * BigInt(pieces.length) + 3n);
        expectWithin(rate, fromWad(wholeRate), 5n * BigInt(pieces.length) + 5n);
      });
    }
  });
});
