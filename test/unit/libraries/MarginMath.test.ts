import { expect } from "chai";
import fc from "fast-check";
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

const PROPERTY_RUNS = process.env.BALLAST_DEEP === "1" ? 2_000 : 60;
const SEED = 0xba11a57;

/** 4 sigma sqrt(30 minutes). */
const riskTerm = (sigma: bigint): Real => mul(4n * fromWad(sigma), sqrt(real(1_800n, YEAR)));
const maintenanceRatio = (size: bigint, scale: bigint, sigma: bigint): Real =>
  max(real(1n, 100n), real(5n, 1_000n) + div(fromWad(size), 2n * fromWad(scale)) + riskTerm(sigma));
const initialRatio = (size: bigint, scale: bigint, sigma: bigint, floor: bigint): Real =>
  max(fromWad(floor), maintenanceRatio(size, scale, sigma) + riskTerm(sigma));
const restoredRatio = (maintenance: bigint, sigma: bigint): Real =>
  max(real(4n, 100n), fromWad(maintenance) + riskTerm(sigma));

/** The initial margin's floor of a new pool. */
const FLOOR = WAD / 25n;

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
      for (const floor of [FLOOR, (7n * WAD) / 100n, 123_456_789_012_345_678n]) {
        expectWithin(
          await math.initialRatioWad(size, scale, sigma, floor),
          initialRatio(size, scale, sigma, floor),
          2n * riskUnits(sigma),
        );
      }
      for (const maintenance of [WAD / 100n, 23_456_789_012_345_678n]) {
        expectWithin(
          await math.restoredRatioWad(maintenance, sigma),
          restoredRatio(maintenance, sigma),
          riskUnits(sigma),
        );
      }
    });
  }

  it("rounds the size's part up, against the trader", async () => {
    const scale = 98_765_432_109_876_543_210_987n;
    const without = await math.maintenanceRatioWad(0n, scale, WAD);
    expect(await math.maintenanceRatioWad(1n, scale, WAD)).to.equal(without + 1n);
    expect(await math.maintenanceRatioWad(2n, 1n, WAD)).to.equal(without + WAD);
  });

  it("has floors of 1 % and 4 %, the initial margin's where the owner has set it", async () => {
    expect(await math.maintenanceRatioWad(0n, WAD, 0n)).to.equal(WAD / 100n);
    expect(await math.maintenanceRatioWad(WAD, 100n * WAD, 0n)).to.equal(WAD / 100n);
    expect(await math.maintenanceRatioWad(WAD + 200n, 100n * WAD, 0n)).to.equal(WAD / 100n + 1n);
    for (const floor of [FLOOR, WAD / 20n, WAD / 5n]) {
      // 0.5 % and half the size per scale reach the floor here
      const reached = 2n * 100n * (floor - WAD / 200n);
      expect(await math.initialRatioWad(0n, WAD, 0n, floor)).to.equal(floor);
      expect(await math.initialRatioWad(reached, 100n * WAD, 0n, floor)).to.equal(floor);
      expect(await math.initialRatioWad(reached + 200n, 100n * WAD, 0n, floor)).to.equal(
        floor + 1n,
      );
    }
    expect(await math.restoredRatioWad(WAD / 100n, 0n)).to.equal(WAD / 25n);
    expect(await math.restoredRatioWad(WAD / 25n, 0n)).to.equal(WAD / 25n);
    expect(await math.restoredRatioWad(WAD / 25n + 1n, 0n)).to.equal(WAD / 25n + 1n);
  });

  for (const [sigma, leverage] of [
    [60n, 24n],
    [80n, 19n],
    [200n, 8n],
  ] as const) {
    it(`allows ${leverage}x at sigma ${sigma} %, to the nearest whole number`, async () => {
      const ratio = await math.initialRatioWad(0n, WAD, (sigma * WAD) / 100n, FLOOR);
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

  describe("liquidation", () => {
    const MMR = 23_456_789_012_345_679n;
    const RESTORED = 45_678_901_234_567_891n;
    const NOTIONAL = 1_234_567_890_123_456_789_012n;
    const DUST = 5_000_000_000_000_000_003n;
    const MAINTENANCE = (NOTIONAL * MMR) / WAD + 1n;

    /** 0.2 % + 0.6 % (1 - e / (MMR n)), and what the specification closes and takes with it. */
    function exact(e: bigint, n: bigint, mmr: bigint, restored: bigint, dust: bigint) {
      const [left, whole, target] = [fromWad(e), fromWad(n), fromWad(restored)];
      const maintenance = mul(fromWad(mmr), whole);
      const rate = real(2n, 1_000n) + mul(real(6n, 1_000n), ONE - div(left, maintenance));
      const closed = div(mul(target, whole) - left, target - rate);
      const full =
        closed >= whole ||
        whole - closed < fromWad(dust) ||
        2n * left < maintenance ||
        mul(rate, whole) >= left;
      return full
        ? { rate, closed: whole, penalty: min(mul(rate, whole), left), full }
        : { rate, closed, penalty: mul(rate, closed), full };
    }
    /** The rate is a unit off; that, times the notional in whole tokens and over the 3 % that restored - rate is. */
    const units = (n: bigint) => 4n + (40n * n) / WAD;

    for (const equity of [
      MAINTENANCE - 1n,
      (MAINTENANCE * 999n) / 1_000n,
      (MAINTENANCE * 3n) / 4n,
      MAINTENANCE / 2n + 1n,
    ]) {
      it(`of part of a position restores IMR_liq exactly: equity ${equity} of ${MAINTENANCE}`, async () => {
        const [closed, penalty] = await math.liquidation(equity, NOTIONAL, MMR, RESTORED, DUST);
        const e = exact(equity, NOTIONAL, MMR, RESTORED, DUST);
        expect(e.full).to.equal(false);
        expect(closed < NOTIONAL && closed > 0n).to.equal(true);
        expectWithin(closed, e.closed, units(NOTIONAL));
        expectWithin(penalty, e.penalty, units(NOTIONAL));
        const left = equity - penalty;
        const needed = mul(fromWad(RESTORED), fromWad(NOTIONAL - closed));
        expectWithin(left, needed, units(NOTIONAL) / 10n + 4n);
        expect(fromWad(left) >= needed, "never less than it restores").to.equal(true);
      });
    }

    it("closes everything below half of the maintenance margin, and part of it at the half", async () => {
      const half = (MAINTENANCE + 1n) / 2n;
      const [part] = await math.liquidation(half, NOTIONAL, MMR, RESTORED, DUST);
      expect(part < NOTIONAL).to.equal(true);
      const [closed, penalty] = await math.liquidation(half - 1n, NOTIONAL, MMR, RESTORED, DUST);
      expect(closed).to.equal(NOTIONAL);
      // 0.5 % at the half
      expectWithin(penalty, mul(real(5n, 1_000n), fromWad(NOTIONAL)), units(NOTIONAL));
    });

    it("closes everything when less than the dust would stay, and part of it when just that stays", async () => {
      const equity = (MAINTENANCE * 4n) / 5n;
      const [closed] = await math.liquidation(equity, NOTIONAL, MMR, RESTORED, 0n);
      const stays = NOTIONAL - closed;
      const [just] = await math.liquidation(equity, NOTIONAL, MMR, RESTORED, stays);
      expect(just).to.equal(closed);
      const [all, penalty] = await math.liquidation(equity, NOTIONAL, MMR, RESTORED, stays + 1n);
      expect(all).to.equal(NOTIONAL);
      const { rate } = exact(equity, NOTIONAL, MMR, RESTORED, 0n);
      expectWithin(penalty, mul(rate, fromWad(NOTIONAL)), units(NOTIONAL));
    });

    it("closes everything when the part that would restore the margin is all of it", async () => {
      // MMR 1 %, half of it left: the rate of 0.5 % on all of it leaves nothing to restore anything with
      const [mmr, notional] = [WAD / 100n, 1_000n * WAD];
      const [closed, penalty] = await math.liquidation(5n * WAD, notional, mmr, WAD / 25n, 0n);
      expect([closed, penalty]).to.deep.equal([notional, 5n * WAD]);
    });

    it("takes what is left, and closes everything, when the penalty would be more", async () => {
      const rest = NOTIONAL / 250n; // 0.4 %, at a rate above 0.69 %
      for (const equity of [0n, 1n, rest]) {
        const [closed, penalty] = await math.liquidation(equity, NOTIONAL, MMR, RESTORED, DUST);
        expect([closed, penalty]).to.deep.equal([NOTIONAL, equity]);
      }
    });

    it("never takes more than the equity, closes no more than there is and never leaves less than it promises", async () => {
      const wide = (bits: number) => fc.bigInt({ min: 1n, max: (1n << BigInt(bits)) - 1n });
      await fc.assert(
        fc.asyncProperty(
          wide(110),
          fc.bigInt({ min: 0n, max: WAD }),
          fc.bigInt({ min: WAD / 100n, max: WAD / 2n }),
          fc.bigInt({ min: 0n, max: WAD / 2n }),
          wide(70),
          async (notional, share, mmr, above, dust) => {
            const restored = mmr + above > WAD / 25n ? mmr + above : WAD / 25n;
            const maintenance = (notional * mmr) / WAD;
            const equity = (maintenance * share) / WAD;
            const [closed, penalty] = await math.liquidation(equity, notional, mmr, restored, dust);
            expect(penalty <= equity, "I17: takes more than there is").to.equal(true);
            expect(closed <= notional, "I17: closes more than there is").to.equal(true);
            const stays = notional - closed;
            if (stays === 0n) return;
            expect(stays >= dust, "leaves dust").to.equal(true);
            expect(2n * equity >= maintenance - 1n, "keeps what is too far gone").to.equal(true);
            const needed = mul(fromWad(restored), fromWad(stays));
            expect(fromWad(equity - penalty) >= needed, "I17: restores too little").to.equal(true);
            const e = exact(equity, notional, mmr, restored, dust);
            expectWithin(closed, e.closed, units(notional), ONE / 10n ** 15n);
          },
        ),
        { numRuns: PROPERTY_RUNS, seed: SEED },
      );
    });

    it("takes the rate of the schedule: 0.2 % at the maintenance margin, 0.8 % at nothing", async () => {
      // all closed, by a dust as large as the position
      for (const equity of [MAINTENANCE - 1n, (MAINTENANCE * 9n) / 10n, MAINTENANCE / 2n]) {
        const [, penalty] = await math.liquidation(equity, NOTIONAL, MMR, RESTORED, NOTIONAL);
        const { rate } = exact(equity, NOTIONAL, MMR, RESTORED, NOTIONAL);
        expectWithin(penalty, mul(rate, fromWad(NOTIONAL)), units(NOTIONAL));
      }
      const [, least] = await math.liquidation(
        10n * WAD - 1n,
        1_000n * WAD,
        WAD / 100n,
        WAD / 25n,
        1_000n * WAD,
      );
      expectWithin(least, real(2n), 2_000n);
    });
  });
});
