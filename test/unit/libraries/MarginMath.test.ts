import { expect } from "chai";
import { network } from "hardhat";
import {
  div,
  expectWithin,
  fromWad,
  max,
  min,
  mul,
  ONE,
  type Real,
  real,
  sqrt,
  WAD,
  YEAR,
} from "../../support/highPrecision.ts";

const { ethers } = await network.create();
const math = await ethers.deployContract("MarginMathHarness");

/** 4 sigma sqrt(30 minutes). */
const riskTerm = (sigma: bigint): Real => mul(4n * fromWad(sigma), sqrt(real(1_800n, YEAR)));
const maintenanceRatio = (size: bigint, scale: bigint, sigma: bigint): Real =>
  max(real(1n, 100n), real(5n, 1_000n) + div(fromWad(size), 2n * fromWad(scale)) + riskTerm(sigma));
const initialRatio = (size: bigint, scale: bigint, sigma: bigint): Real =>
  max(real(4n, 100n), maintenanceRatio(size, scale, sigma) + riskTerm(sigma));

/**
 * Rounding 1,800 s / year to 18 decimals moves its root by up to 0.5e-18 / 0.00756 = 67e-18; times 4 sigma, and the
 * roundings of root, product and quotient.
 */
const riskUnits = (sigma: bigint) => 8n + (4n * 67n * sigma) / WAD;

const POSITIONS: [bigint, bigint, bigint][] = [
  [1_234_567_890_123_456_789n, 98_765_432_109_876_543_210_987n, 612_345_678_901_234_567n],
  [777_777_777_777_777_777_777n, 33_333_333_333_333_333_333_333n, 400_000_000_000_000_000n],
  [1n, 1n, 3n * WAD],
  [0n, 1n, 400_000_000_000_000_000n],
  [10n ** 27n + 1n, 10n ** 24n + 7n, 1_777_777_777_777_777_777n],
];

describe("MarginMath", () => {
  for (const [size, scale, sigma] of POSITIONS) {
    it(`asks what the specification does for size ${size}, skew scale ${scale}, sigma ${sigma}`, async () => {
      expectWithin(await math.riskTermWad(sigma), riskTerm(sigma), riskUnits(sigma));
      expectWithin(
        await math.maintenanceRatioWad(size, scale, sigma),
        maintenanceRatio(size, scale, sigma),
        riskUnits(sigma),
      );
      expectWithin(
        await math.initialRatioWad(size, scale, sigma),
        initialRatio(size, scale, sigma),
        2n * riskUnits(sigma),
      );
    });
  }

  it("rounds the size's part up, against the trader", async () => {
    const scale = 98_765_432_109_876_543_210_987n;
    const without = await math.maintenanceRatioWad(0n, scale, WAD);
    expect(await math.maintenanceRatioWad(1n, scale, WAD)).to.equal(without + 1n);
    expect(await math.maintenanceRatioWad(2n, 1n, WAD)).to.equal(without + WAD);
  });

  it("has floors of 1 % and 4 %", async () => {
    expect(await math.maintenanceRatioWad(0n, WAD, 0n)).to.equal(WAD / 100n);
    expect(await math.maintenanceRatioWad(WAD, 100n * WAD, 0n)).to.equal(WAD / 100n);
    expect(await math.maintenanceRatioWad(WAD + 200n, 100n * WAD, 0n)).to.equal(WAD / 100n + 1n);
    expect(await math.initialRatioWad(0n, WAD, 0n)).to.equal((4n * WAD) / 100n);
    expect(await math.initialRatioWad(7n * WAD, 100n * WAD, 0n)).to.equal((4n * WAD) / 100n);
    expect(await math.initialRatioWad(7n * WAD + 200n, 100n * WAD, 0n)).to.equal(
      (4n * WAD) / 100n + 1n,
    );
  });

  for (const [sigma, leverage] of [
    [60n, 24n],
    [80n, 19n],
    [200n, 8n],
  ] as const) {
    it(`allows ${leverage}x at sigma ${sigma} %, to the nearest whole number`, async () => {
      const ratio = await math.initialRatioWad(0n, WAD, (sigma * WAD) / 100n);
      const nearest = (10n * WAD * 2n) / ratio;
      expect((nearest + 10n) / 20n).to.equal(leverage);
    });
  }

  it("leaves at least twice the initial ratio and at least 10 % after a withdrawal", async () => {
    expect(await math.withdrawalRatioWad((4n * WAD) / 100n)).to.equal(WAD / 10n);
    expect(await math.withdrawalRatioWad((5n * WAD) / 100n)).to.equal(WAD / 10n);
    expect(await math.withdrawalRatioWad((5n * WAD) / 100n + 1n)).to.equal(WAD / 10n + 2n);
    expect(await math.withdrawalRatioWad(333_333_333_333_333_333n)).to.equal(
      666_666_666_666_666_666n,
    );
  });

  describe("liquidation penalty", () => {
    const notional = 1_234_567_890_123_456_789_012n;
    const margin = 23_456_789_012_345_678_901n;

    for (const equity of [
      margin,
      margin - 1n,
      margin / 2n + 3n,
      margin / 3n,
      (margin * 9n) / 10n,
    ]) {
      it(`is 0.2 % and up to 0.6 % more of notional with ${equity} of ${margin} left`, async () => {
        const missing = ONE - div(fromWad(equity), fromWad(margin));
        const rate = real(2n, 1_000n) + mul(real(6n, 1_000n), missing);
        const exact = min(mul(fromWad(notional), rate), fromWad(equity));
        // The rate is wrong by at most one unit, times the notional in whole tokens, and one rounding.
        expectWithin(await math.penalty(equity, margin, notional), exact, 2n + notional / WAD);
      });
    }

    it("is 0.2 % at the maintenance margin and above it", async () => {
      expect(await math.penalty(10n * WAD, 10n * WAD, 1_000n * WAD)).to.equal(2n * WAD);
      expect(await math.penalty(11n * WAD, 10n * WAD, 1_000n * WAD)).to.equal(2n * WAD);
    });

    it("is 0.5 % with half of the maintenance margin left", async () => {
      expect(await math.penalty(5n * WAD, 10n * WAD, 1_000n * WAD)).to.equal(5n * WAD);
    });

    it("never takes more than the equity that is left", async () => {
      expect(await math.penalty(0n, margin, notional)).to.equal(0n);
      expect(await math.penalty(1n, margin, notional)).to.equal(1n);
      expect(await math.penalty(3n * WAD, 10n * WAD, 1_000n * WAD)).to.equal(3n * WAD);
    });
  });
});
