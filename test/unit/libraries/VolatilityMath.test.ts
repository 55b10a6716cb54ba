import { expect } from "chai";
import { network } from "hardhat";
import {
  div,
  exp,
  expectWithin,
  floorWad,
  fromWad,
  ln,
  max,
  min,
  mul,
  ONE,
  real,
  sqrt,
  WAD,
  YEAR,
} from "../../support/highPrecision.ts";

const { ethers } = await network.create();
const math = await ethers.deployContract("VolatilityMathHarness");

const FAST = 21_600n;
const SLOW = 1_399_680n;
const CAP = real(1n, 16n);
const LARGEST_PRICE = 2n ** 128n - 1n;

/** exp(-dt / tau). */
const decay = (elapsed: bigint, tau: bigint) => exp(-real(elapsed, tau));

describe("VolatilityMath", () => {
  describe("squared return", () => {
    // The ratio and the logarithm are each wrong by at most one unit, and below 25 % the ratio is at least 0.77:
    // 2 * 0.25 * (1 + 1 / 0.77) + 1 for the square's own rounding is below 3 units.
    const pairs: [bigint, bigint][] = [
      [1_946_127_354_901_283_774n, 1_952_300_000_000_000_001n],
      [1_952_300_000_000_000_001n, 1_946_127_354_901_283_774n],
      [133_337n * WAD, 107_777n * WAD],
      [777_777n, 888_887n],
      [1_000_000_007n * WAD, 1_000_000_009n * WAD],
      [LARGEST_PRICE, LARGEST_PRICE - 10n ** 35n],
    ];
    for (const [price, last] of pairs) {
      it(`is the squared logarithm within three units from ${last} to ${price}`, async () => {
        const logReturn = ln(real(price, last));
        const square = mul(logReturn, logReturn);
        expect(square < CAP).to.equal(true);
        expectWithin(await math.squaredReturnWad(price, last), square, 3n);
      });
    }

    it("is zero where the price stands", async () => {
      for (const price of [1n, 777n * WAD + 13n, LARGEST_PRICE]) {
        expect(await math.squaredReturnWad(price, price)).to.equal(0n);
      }
    });

    it("stops at the square of 25 %, at which the logarithm is just reached", async () => {
      const last = 1_234_567_890_123_456_789_012n;
      const rise = floorWad(mul(fromWad(last), exp(real(1n, 4n))));
      expect(await math.squaredReturnWad(rise + 2_000n, last)).to.equal(WAD / 16n);
      expect(await math.squaredReturnWad(rise - 10_000n, last)).to.be.lessThan(WAD / 16n);
    });

    it("stops at the square of 25 % for every larger move, up to the largest there are", async () => {
      const moves: [bigint, bigint][] = [
        [2n, 1n],
        [1n, 2n],
        [LARGEST_PRICE, 1n],
        [1n, LARGEST_PRICE],
        [12_885n * WAD, 19_461n * WAD],
      ];
      for (const [price, last] of moves) {
        expect(await math.squaredReturnWad(price, last)).to.equal(WAD / 16n);
      }
    });
  });

  describe("decay", () => {
    for (const [elapsed, tau] of [
      [1n, FAST],
      [61n, FAST],
      [3_607n, FAST],
      [86_413n, FAST],
      [1n, SLOW],
      [61n, SLOW],
      [1_000_003n, SLOW],
      [99n * SLOW, SLOW],
    ] as const) {
      it(`covers 1 - exp(-dt / tau) within two units after ${elapsed} s of ${tau} s`, async () => {
        expectWithin(await math.decayWeightWad(elapsed, tau), ONE - decay(elapsed, tau), 2n);
      });
    }

    it("covers nothing at once and everything after a hundred time constants", async () => {
      expect(await math.decayWeightWad(0n, FAST)).to.equal(0n);
      for (const elapsed of [100n * FAST, 100n * FAST + 1n, 2n ** 64n]) {
        expect(await math.decayWeightWad(elapsed, FAST)).to.equal(WAD);
      }
    });

    it("forgets 6 % a day at the slow time constant, as lambda = 0.94 does", async () => {
      const forgotten = await math.decayWeightWad(86_400n, SLOW);
      expectWithin(forgotten, real(6n, 100n), 0n, real(25n, 10_000n));
    });
  });

  describe("variance", () => {
    /** exp(-dt/tau) v + (1 - exp(-dt/tau)) r^2 / dt per year. */
    const updated = (variance: bigint, square: bigint, elapsed: bigint, tau: bigint) => {
      const kept = decay(elapsed, tau);
      const sample = (fromWad(square) * YEAR) / elapsed;
      return { exact: mul(kept, fromWad(variance)) + mul(ONE - kept, sample), sample };
    };

    for (const [variance, square, elapsed, tau] of [
      [357_914_000_000_000_017n, 12_345_678_901_234n, 61n, FAST],
      [357_914_000_000_000_017n, 12_345_678_901_234n, 61n, SLOW],
      [9n * WAD, 0n, 3_599n, FAST],
      [0n, 62_500_000_000_000_000n, 60n, SLOW],
      [1_777_777_777_777_777_777n, 62_500_000_000_000_000n, 60n, FAST],
      [31_003_000_000_000_000_000_003n, 1n, 86_411n, FAST],
      [412_345_678_901_234_567n, 9_876_543_210_987n, 40n * 86_400n, SLOW],
    ] as const) {
      it(`is the exponential average of ${variance} and ${square} over ${elapsed} s of ${tau} s`, async () => {
        const { exact, sample } = updated(variance, square, elapsed, tau);
        // Two units in the weight, times what it weighs, and one for each of three roundings.
        const units = 3n + (2n * (fromWad(variance) + sample)) / ONE + 2n;
        expectWithin(await math.updatedVarianceWad(variance, square, elapsed, tau), exact, units);
      });
    }

    it("follows RiskMetrics' daily recursion with lambda = 0.94 within half a percent", async () => {
      let daily = real(4n, 10_000n);
      let variance = (4n * WAD * 365n) / 10_000n;
      for (const perMille of [10n, 5n, -100n, 0n, -1n, 37n, -63n]) {
        daily = mul(real(94n, 100n), daily) + mul(real(6n, 100n), real(perMille ** 2n, 10n ** 6n));
        const square = (perMille ** 2n * WAD) / 10n ** 6n;
        variance = await math.updatedVarianceWad(variance, square, 86_400n, SLOW);
        expectWithin(variance, daily * 365n, 0n, real(5n, 1_000n));
      }
    });

    it("stays where it is when every sample says the same", async () => {
      const square = 12_345_000_000_000n;
      const steady = (square * YEAR) / 300n;
      let variance = steady;
      for (let n = 0; n < 5; n += 1) {
        variance = await math.updatedVarianceWad(variance, square, 300n, FAST);
      }
      expectWithin(variance, fromWad(steady), 10n);
    });
  });

  describe("volatility", () => {
    it("is the root of the larger variance, within floor and ceiling", async () => {
      const [low, high] = [273_000_000_000_000_001n, 1_771_561_000_000_000_007n];
      const root = floorWad(sqrt(fromWad(high)));
      expect(await math.volatilityWad(low, high)).to.equal(root);
      expect(await math.volatilityWad(high, low)).to.equal(root);
    });

    it("is never below 40 % nor above 300 %", async () => {
      const [floor, ceiling] = [(4n * WAD) / 10n, 3n * WAD];
      expect(await math.volatilityWad(0n, 0n)).to.equal(floor);
      expect(await math.volatilityWad((16n * WAD) / 100n, 0n)).to.equal(floor);
      expect(await math.volatilityWad(0n, (16n * WAD) / 100n + 10n)).to.be.greaterThan(floor);
      expect(await math.volatilityWad(9n * WAD - 10n, 0n)).to.be.lessThan(ceiling);
      expect(await math.volatilityWad(9n * WAD, 0n)).to.equal(ceiling);
      expect(await math.volatilityWad(2n ** 96n - 1n, 0n)).to.equal(ceiling);
    });
  });

  describe("maintenance volatility", () => {
    const maintenance = 612_345_678_901_234_567n;

    it("falls at once", async () => {
      for (const elapsed of [0n, 1n, 10_000n]) {
        const sigma = maintenance - 1n;
        expect(await math.maintenanceVolatilityWad(maintenance, sigma, elapsed)).to.equal(sigma);
      }
    });

    for (const elapsed of [0n, 1n, 60n, 599n, 600n, 601n, 3_600n, 10n ** 9n]) {
      it(`rises by 10 % an hour for at most 10 minutes after ${elapsed} s`, async () => {
        const counted = min(elapsed, 600n);
        const limit = mul(fromWad(maintenance), ONE + real(counted, 36_000n));
        const reached = await math.maintenanceVolatilityWad(maintenance, 3n * WAD, elapsed);
        expectWithin(reached, limit, 2n);
        expect(fromWad(reached) <= limit).to.equal(true);
      });
    }

    it("stops at sigma on the way up", async () => {
      const sigma = maintenance + 1n;
      expect(await math.maintenanceVolatilityWad(maintenance, sigma, 60n)).to.equal(sigma);
    });

    it("rises by at most exp(10 %) in an hour, whatever the spacing of the samples", async () => {
      for (const spacing of [60n, 97n, 600n]) {
        let value = maintenance;
        for (let elapsed = 0n; elapsed + spacing <= 3_600n; elapsed += spacing) {
          value = await math.maintenanceVolatilityWad(value, 3n * WAD, spacing);
        }
        expect(fromWad(value) < mul(fromWad(maintenance), exp(real(1n, 10n)))).to.equal(true);
        expect(fromWad(value) > mul(fromWad(maintenance), real(109n, 100n))).to.equal(true);
      }
    });
  });

  describe("deviation over a horizon", () => {
    for (const [sigma, horizon] of [
      [WAD, 1n],
      [612_345_678_901_234_567n, 1_800n],
      [400_000_000_000_000_000n, 86_400n],
      [3n * WAD, 300n],
      [1_234_567_890_123_456_789n, YEAR],
    ] as const) {
      it(`is sigma sqrt(time) at sigma ${sigma} over ${horizon} s`, async () => {
        const root = sqrt(real(horizon, YEAR));
        // Rounding the horizon by 1e-18 moves its root by at most 0.5e-18 / root; twice that, and two roundings.
        const units = 2n + mul(fromWad(sigma), div(ONE, root)) / ONE;
        const actual = await math.deviationWad(sigma, horizon);
        expectWithin(actual, mul(fromWad(sigma), root), max(units, 2n));
        expect(fromWad(actual) <= mul(fromWad(sigma), root)).to.equal(true);
      });
    }

    it("is known for a day and for half an hour, rounded down in the last place", async () => {
      for (const [constant, horizon] of [
        [await math.DAY_DEVIATION_WAD(), 86_400n],
        [await math.HALF_HOUR_DEVIATION_WAD(), 1_800n],
      ] as const) {
        expect(constant).to.equal(floorWad(sqrt(real(horizon, YEAR))));
        // And so by less than 1e-16 from what is computed for a horizon that varies.
        const computed = await math.deviationWad(WAD, horizon);
        expectWithin(computed, fromWad(constant), 100n);
      }
    });

    it("is nothing over no time", async () => {
      expect(await math.deviationWad(3n * WAD, 0n)).to.equal(0n);
    });
  });
});
