import { expect } from "chai";
import fc from "fast-check";
import { network } from "hardhat";
import {
  abs,
  div,
  expectAbove,
  expectBelow,
  expectWithin,
  floorWad,
  fromWad,
  max,
  min,
  mul,
  ONE,
  type Real,
  real,
  WAD,
} from "../../support/highPrecision.ts";

const { ethers } = await network.create();
const math = await ethers.deployContract("SkewMathHarness");

const PROPERTY_RUNS = process.env.BALLAST_DEEP === "1" ? 5_000 : 100;
const SEED = 0xba11a57;
const PRICE = 1_946_127_354_901_283_774_013n;
const EQUITY = 9_876_543_210_987_654_321_098_769n;

/** A share of equity, as base at the price. */
const baseShare = (share: Real, equity = EQUITY, price = PRICE): Real =>
  div(mul(share, fromWad(equity)), fromWad(price));

describe("SkewMath", () => {
  describe("cap of the skew", () => {
    it("is half of equity in base, rounded down", async () => {
      for (const [equity, price] of [
        [EQUITY, PRICE],
        [WAD, PRICE],
        [10n ** 30n + 7n, 777_777n],
      ] as const) {
        const exact = baseShare(real(1n, 2n), equity, price);
        expectBelow(await math.skewCap(equity, price), exact, 1n);
      }
      expect(await math.skewCap(10_000_000n * WAD, 2_000n * WAD)).to.equal(2_500n * WAD);
    });

    it("is never zero, so that it can be divided by", async () => {
      expect(await math.skewCap(WAD, 10n ** 40n)).to.equal(1n);
    });
  });

  describe("skew scale", () => {
    /** max(K_cap / p_max, min(1 / ((rho_s / E) sigma^2 P T_k), m_x x_ema)). */
    const parts = (equity: bigint, price: bigint, sigma: bigint, depth: bigint) => ({
      least: div(baseShare(real(1n, 2n), equity, price), real(5n, 100n)),
      byRisk: div(365n * fromWad(equity), 5n * mul(fromWad(sigma), fromWad(sigma), fromWad(price))),
      byDepth: 50n * fromWad(depth),
    });
    const cases: ["least" | "byRisk" | "byDepth", bigint, bigint][] = [
      ["byRisk", 612_345_678_901_234_567n, 98_765_432_109_876_543_210_987n],
      ["byDepth", 612_345_678_901_234_567n, 10_276_543_210_987_654_321_098n],
      ["least", 612_345_678_901_234_567n, 276_543_210_987_654_321_098n],
      ["least", 3n * WAD, 98_765_432_109_876_543_210_987n],
      ["least", 400_000_000_000_000_000n, 0n],
    ];
    for (const [binding, sigma, depth] of cases) {
      it(`is the part "${binding}" at sigma ${sigma} and a depth of ${depth}`, async () => {
        const exact = parts(EQUITY, PRICE, sigma, depth);
        const scale = max(exact.least, min(exact.byRisk, exact.byDepth));
        expect(scale).to.equal(exact[binding]);
        // K_cap is down by a unit, times 20; sigma^2 by a unit of at least 0.16: relative 6.25e-18.
        expectWithin(await math.skewScale(EQUITY, PRICE, sigma, depth), scale, 22n, real(7n, WAD));
      });
    }

    it("is fifty depths of 10,000 for 10 M of equity at 2,000 and sigma 60 %", async () => {
      const scale = (depth: bigint) =>
        math.skewScale(10_000_000n * WAD, 2_000n * WAD, (6n * WAD) / 10n, depth * WAD);
      expect(await scale(10_000n)).to.equal(500_000n * WAD);
      expect(await scale(1_000n)).to.equal(50_000n * WAD);
      expect(await scale(999n)).to.equal(50_000n * WAD);
      expectBelow(await scale(10n ** 9n), real(9_125_000n, 9n), 2n);
    });

    it("charges at most 5 % of the price for one more base at the cap", async () => {
      for (const depth of [0n, 10n ** 22n]) {
        const [cap, scale] = [
          await math.skewCap(EQUITY, PRICE),
          await math.skewScale(EQUITY, PRICE, 3n * WAD, depth),
        ];
        // dPremium/dK = P K / skewScale.
        expect(div(fromWad(cap), fromWad(scale)) <= real(5n, 100n)).to.equal(true);
      }
    });
  });

  describe("maintenance skew scale", () => {
    const scale = 98_765_432_109_876_543_210_987n;

    it("rises at once", async () => {
      expect(await math.maintenanceSkewScale(scale, scale + 1n, 0n)).to.equal(scale + 1n);
      expect(await math.maintenanceSkewScale(scale, 10n * scale, 1n)).to.equal(10n * scale);
    });

    for (const elapsed of [0n, 1n, 613n, 3_600n, 7_201n, 36_000n - 1n]) {
      it(`falls by 10 % an hour in ${elapsed} s`, async () => {
        const exact = mul(fromWad(scale), ONE - real(elapsed, 36_000n));
        // A unit of the fall, times the scale, rounds either way.
        expectWithin(await math.maintenanceSkewScale(scale, 1n, elapsed), exact, 2n + scale / WAD);
      });
    }

    it("falls to the current one and no further", async () => {
      expect(await math.maintenanceSkewScale(scale, scale - 1n, 3_600n)).to.equal(scale - 1n);
      for (const elapsed of [36_000n, 36_001n, 10n ** 12n]) {
        expect(await math.maintenanceSkewScale(scale, 7n, elapsed)).to.equal(7n);
      }
    });
  });

  describe("premium", () => {
    const scale = 98_765_432_109_876_543_210_987n;
    /** c = P / (2 skewScale). */
    const slope = div(fromWad(PRICE), 2n * fromWad(scale));
    const square = (skew: bigint): Real => mul(fromWad(skew), fromWad(skew));
    /** K, J = c K^2 times `millionths`. */
    const ledgerAt = (skew: bigint, millionths: bigint) =>
      floorWad(mul(slope, square(skew), real(millionths, 1_000_000n)));
    const [little, some, much] = [
      77_777_777_777_777_777_777n,
      345_678_901_234_567_890_123n,
      2_345_678_901_234_567_890_123n,
    ];
    /** What the yardstick itself loses: a unit of 1e-40 in a square or a slope, times the other. */
    const noise = real(1n, 10n ** 30n);

    /** The specification: raise at max(c, j), lower at min(c, j) for skew older than this round, across zero both. */
    function exactPremium(ledger: bigint, before: bigint, after: bigint, old: bigint) {
      const j = before === 0n ? 0n : div(fromWad(ledger), square(before));
      const crosses = before * after < 0n;
      const low = crosses ? 0n : after;
      const start = crosses ? 0n : before;
      const lowers = abs(low) < abs(before);
      const supported = before * old < 0n ? 0n : min(abs(old), abs(before));
      const kept = lowers ? mul(j, square(low)) : fromWad(ledger);
      const rebate = lowers ? mul(min(slope, j), max(0n, square(supported) - square(low))) : 0n;
      const raised = max(0n, square(after) - square(start));
      const paid = mul(crosses ? slope : max(slope, j), raised);
      return { paid, kept, rebate };
    }

    for (const [name, share, before, after, old] of [
      ["the first skew", 0n, 0n, some, 0n],
      ["the first short skew", 0n, 0n, -some, 0n],
      ["more skew, at c above j", 612_345n, some, much, some],
      ["more skew, at j above c", 1_712_345n, some, much, some],
      ["more short skew", 612_345n, -little, -much, -little],
      ["less skew, at j below c", 612_345n, much, some, much],
      ["less skew, at c below j", 1_712_345n, much, some, much],
      ["less short skew", 612_345n, -much, -little, -much],
      ["less skew, part of it from this round", 912_345n, much, little, some],
      ["less skew, all of what goes from this round", 912_345n, much, some, little],
      ["less skew that is all from this round", 912_345n, much, some, 0n],
      ["less skew with an older reference on the other side", 912_345n, much, some, -much],
      ["no skew any more", 1_312_345n, some, 0n, some],
      ["skew on the other side", 712_345n, much, -some, much],
      ["short skew turned long, part of it from this round", 1_212_345n, -some, much, -little],
      ["the same skew", 812_345n, some, some, some],
    ] as const) {
      it(`is that of the specification for ${name}`, async () => {
        const ledger = ledgerAt(before, share);
        const exact = exactPremium(ledger, before, after, old);
        const actual = await math.premium(ledger, before, after, old, PRICE, scale);
        expectAbove(actual.paid, exact.paid - noise, 3n);
        expectAbove(actual.kept, exact.kept - noise, 2n);
        expectBelow(actual.rebate, exact.rebate + noise, 3n);
        expect(await math.premiumKeptUp(ledger, before, after)).to.equal(actual.kept);
      });
    }

    it("costs 2,000 for a skew of 1,000 at 2,000 with a scale of 500,000, and gives it all back later", async () => {
      const at = (ledger: bigint, before: bigint, after: bigint, old: bigint) =>
        math.premium(
          ledger * WAD,
          before * WAD,
          after * WAD,
          old * WAD,
          2_000n * WAD,
          500_000n * WAD,
        );
      expect(await at(0n, 0n, 1_000n, 0n)).to.deep.equal([2_000n * WAD, 0n, 0n]);
      expect(await at(2_000n, 1_000n, 0n, 1_000n)).to.deep.equal([0n, 0n, 2_000n * WAD]);
      expect(await at(2_000n, 1_000n, 500n, 1_000n)).to.deep.equal([0n, 500n * WAD, 1_500n * WAD]);
      // Half of the ledger has reached LPs meanwhile: half comes back. None in the round that added the skew.
      expect(await at(1_000n, 1_000n, 0n, 1_000n)).to.deep.equal([0n, 0n, 1_000n * WAD]);
      expect(await at(2_000n, 1_000n, 0n, 0n)).to.deep.equal([0n, 0n, 0n]);
      expect(await at(2_000n, 1_000n, -500n, 1_000n)).to.deep.equal([500n * WAD, 0n, 2_000n * WAD]);
    });

    it("pays back no more than the ledger loses, wherever the skew goes", async () => {
      const skews = fc.bigInt(-(10n ** 22n), 10n ** 22n);
      const ledgers = fc.bigInt(0n, 10n ** 24n);
      await fc.assert(
        fc.asyncProperty(ledgers, skews, skews, skews, async (ledger, before, after, old) => {
          const { kept, rebate } = await math.premium(ledger, before, after, old, PRICE, scale);
          expect(kept + rebate).to.be.at.most(ledger);
        }),
        { numRuns: PROPERTY_RUNS, seed: SEED },
      );
    });

    it("never profits those who walk the skew back to where it was, at one price", async () => {
      const steps = fc.array(fc.bigInt(-(10n ** 21n), 10n ** 21n), { minLength: 1, maxLength: 5 });
      const starts = fc.bigInt(-(10n ** 21n), 10n ** 21n);
      const shares = fc.bigInt(0n, 3_000_000n);
      await fc.assert(
        fc.asyncProperty(starts, shares, steps, async (start, share, path) => {
          let [skew, ledger, cost] = [start, ledgerAt(start, share), 0n];
          for (const next of [...path, start]) {
            const { paid, kept, rebate } = await math.premium(
              ledger,
              skew,
              next,
              skew,
              PRICE,
              scale,
            );
            cost += paid - rebate;
            ledger = kept + paid;
            skew = next;
          }
          expect(cost >= 0n, `gained ${-cost}`).to.equal(true);
        }),
        { numRuns: PROPERTY_RUNS / 2, seed: SEED },
      );
    });
  });

  describe("reference", () => {
    const rise = (elapsed: bigint) => (baseShare(real(1n, 10n)) * elapsed) / 600n;
    const [small, large] = [77_777_777_777_777_777_777n, 10n ** 24n + 13n];

    for (const elapsed of [1n, 59n, 600n, 3_607n]) {
      it(`rises by 10 % of equity per ten minutes in ${elapsed} s, on either side`, async () => {
        const exact = fromWad(small) + rise(elapsed);
        const reference = await math.referenceAfter(small, large, EQUITY, PRICE, elapsed);
        expectBelow(reference, exact, 2n + elapsed / 600n);
        expect(await math.referenceAfter(-small, -large, EQUITY, PRICE, elapsed)).to.equal(
          -reference,
        );
      });
    }

    it("stops at the skew", async () => {
      for (const sign of [1n, -1n]) {
        const skew = sign * (small + 1n);
        expect(await math.referenceAfter(sign * small, skew, EQUITY, PRICE, 600n)).to.equal(skew);
        expect(await math.referenceAfter(0n, skew, EQUITY, PRICE, 10n ** 9n)).to.equal(skew);
      }
    });

    it("does not rise in no time", async () => {
      expect(await math.referenceAfter(small, large, EQUITY, PRICE, 0n)).to.equal(small);
      expect(await math.referenceAfter(0n, large, EQUITY, PRICE, 0n)).to.equal(0n);
    });

    it("falls with the skew at once", async () => {
      for (const elapsed of [0n, 1n, 10n ** 6n]) {
        expect(await math.referenceAfter(large, small, EQUITY, PRICE, elapsed)).to.equal(small);
        expect(await math.referenceAfter(-large, -small, EQUITY, PRICE, elapsed)).to.equal(-small);
        expect(await math.referenceAfter(large, 0n, EQUITY, PRICE, elapsed)).to.equal(0n);
      }
    });

    it("starts from zero on the other side after a change of sign", async () => {
      expect(await math.referenceAfter(large, -large, EQUITY, PRICE, 0n)).to.equal(0n);
      const fresh = await math.referenceAfter(0n, -large, EQUITY, PRICE, 61n);
      expect(await math.referenceAfter(large, -large, EQUITY, PRICE, 61n)).to.equal(fresh);
      expectWithin(fresh, -rise(61n), 2n);
    });

    it("is the same in one step or many, within a unit or two a step", async () => {
      const whole = await math.referenceAfter(small, large, EQUITY, PRICE, 600n);
      let reference = small;
      for (let n = 0; n < 20; n += 1) {
        reference = await math.referenceAfter(reference, large, EQUITY, PRICE, 30n);
      }
      expect(whole - reference).to.be.within(-1n, 20n);
    });

    it("keeps what a skew still supports of it", async () => {
      const kept: [bigint, bigint, bigint][] = [
        [small, large, small],
        [large, small, small],
        [-small, -large, -small],
        [-large, -small, -small],
        [small, -large, 0n],
        [-small, large, 0n],
        [0n, large, 0n],
        [large, 0n, 0n],
        [-large, 0n, 0n],
        [small, small, small],
      ];
      for (const [reference, skew, expected] of kept) {
        expect(await math.retained(reference, skew), `${reference} at ${skew}`).to.equal(expected);
      }
    });
  });

  describe("speed limit", () => {
    /** 10 % of 10 M at 2,000. */
    const step = 500n * WAD;
    const limited = async (skew: bigint, delta: bigint, reference: bigint) => {
      const [allowed, limit] = await math.speedLimited(
        skew * WAD,
        delta * WAD,
        reference * WAD,
        10_000_000n * WAD,
        2_000n * WAD,
      );
      return [allowed, limit].map((value) => Number(value / WAD));
    };

    // Skew, trade, reference; part that passes and limit. The step is 500.
    const cases: [string, [bigint, bigint, bigint], [number, number]][] = [
      ["lets a trade inside the step pass", [0n, 499n, 0n], [499, 500]],
      ["lets a trade that just reaches the limit pass", [300n, 400n, 200n], [400, 700]],
      ["cuts a trade at the limit", [300n, 401n, 200n], [400, 700]],
      ["cuts a short trade at the limit below zero", [-300n, -900n, -200n], [-400, 700]],
      ["lets nothing pass at the limit", [700n, 1n, 200n], [0, 700]],
      ["lets nothing pass beyond the limit", [900n, 50n, 200n], [0, 700]],
      ["lets nothing short pass beyond the limit", [-900n, -50n, -200n], [0, 700]],
      ["never limits a trade that lowers the skew", [900n, -850n, 200n], [-850, 700]],
      ["never limits a trade that lowers the skew from below", [-900n, 900n, -200n], [900, 700]],
      [
        "lets a trade across zero pass that ends no farther out",
        [900n, -1_800n, 200n],
        [-1_800, 500],
      ],
      [
        "cuts a trade across zero at one step on the other side",
        [300n, -1_400n, 300n],
        [-800, 500],
      ],
      ["cuts it the same way from below", [-300n, 1_400n, -300n], [800, 500]],
      ["lets a trade across zero pass within one step", [300n, -799n, 300n], [-799, 500]],
      ["gives a reference on the other side no weight", [200n, 900n, -400n], [300, 500]],
    ];
    for (const [name, [skew, delta, reference], expected] of cases) {
      it(`${name}: ${delta} at skew ${skew}, reference ${reference}`, async () => {
        expect(await limited(skew, delta, reference)).to.deep.equal(expected);
      });
    }

    it("is 10 % of equity above the reference, rounded down", async () => {
      const reference = -77_777_777_777_777_777_777n;
      const [, limit] = await math.speedLimited(-1n, -1n, reference, EQUITY, PRICE);
      expectBelow(limit, fromWad(-reference) + baseShare(real(1n, 10n)), 1n);
    });

    it("lets through the largest part that ends within the limit, in the trade's direction", async () => {
      const sizes = fc.bigInt(-2_000n * WAD, 2_000n * WAD);
      await fc.assert(
        fc.asyncProperty(sizes, sizes, sizes, async (skew, delta, reference) => {
          const [allowed, limit] = await math.speedLimited(
            skew,
            delta,
            reference,
            10_000_000n * WAD,
            2_000n * WAD,
          );
          const end = skew + delta;
          const sameSide = end * reference >= 0n;
          expect(limit).to.equal(step + (sameSide ? abs(reference) : 0n));
          // Between nothing and all of the trade.
          expect(allowed * delta >= 0n && abs(allowed) <= abs(delta)).to.equal(true);
          const reached = abs(skew + allowed);
          expect(reached <= max(abs(skew), limit)).to.equal(true);
          if (allowed === delta) return;
          // What was cut off would have gone beyond the limit and raised the skew.
          expect(abs(end) > max(abs(skew), limit)).to.equal(true);
          expect(allowed === 0n ? abs(skew) >= limit : reached === limit).to.equal(true);
        }),
        { numRuns: PROPERTY_RUNS, seed: SEED },
      );
    });
  });

  describe("hedge charge", () => {
    /** phi P (max(0, |D'| - h) - max(0, |D| - h)), not below 0; all of phi P max(0, |D'| - h) on a change of sign. */
    const exactCharge = (before: bigint, after: bigint, band: bigint, ppm: bigint): Real => {
      const beyond = (exposure: bigint) => max(0n, abs(exposure) - band);
      const excess = before * after < 0n ? beyond(after) : max(0n, beyond(after) - beyond(before));
      return mul(fromWad(excess), fromWad(PRICE), real(ppm, 1_000_000n));
    };
    const band = 123_456_789_012_345_678_901n;
    const [near, far, out] = [band - 7n, 2n * band + 3n, 5n * band + 11n];

    for (const [before, after] of [
      [0n, near],
      [0n, far],
      [near, far],
      [far, out],
      [-far, -out],
      [out, far],
      [far, near],
      [far, -out],
      [-far, out],
      [out, -far],
      [out, -near],
      [0n, -far],
      [far, 0n],
      [far, far],
    ] as const) {
      it(`is what hedging costs more from exposure ${before} to ${after}, rounded up`, async () => {
        for (const ppm of [1_000n, 2_377n, 5_000n]) {
          const charge = await math.hedgeChargeUp(before, after, band, PRICE, ppm);
          expectAbove(charge, exactCharge(before, after, band, ppm), 2n);
        }
      });
    }

    it("is 30 bp of what goes beyond the inner band", async () => {
      const charge = (before: bigint, after: bigint) =>
        math.hedgeChargeUp(before * WAD, after * WAD, 300n * WAD, 2_000n * WAD, 3_000n);
      expect(await charge(200n, 400n)).to.equal(600n * WAD);
      expect(await charge(400n, 500n)).to.equal(600n * WAD);
      expect(await charge(500n, 400n)).to.equal(0n);
      expect(await charge(-500n, 400n)).to.equal(600n * WAD);
    });

    it("costs the same in two parts as at once, whether or not they meet at zero", async () => {
      const charge = (before: bigint, after: bigint) =>
        math.hedgeChargeUp(before * WAD, after * WAD, 300n * WAD, 2_000n * WAD, 3_000n);
      for (const middle of [350n, 400n, 777n]) {
        expect((await charge(0n, middle)) + (await charge(middle, 900n))).to.equal(
          await charge(0n, 900n),
        );
      }
      expect((await charge(-900n, 0n)) + (await charge(0n, 700n))).to.equal(
        await charge(-900n, 700n),
      );
    });

    it("is nothing inside the band and nothing without a rate", async () => {
      expect(await math.hedgeChargeUp(0n, band, band, PRICE, 5_000n)).to.equal(0n);
      expect(await math.hedgeChargeUp(-band, band, band, PRICE, 5_000n)).to.equal(0n);
      expect(await math.hedgeChargeUp(0n, out, band, PRICE, 0n)).to.equal(0n);
      expect(await math.hedgeChargeUp(0n, band + 1n, band, PRICE, 1n)).to.equal(1n);
    });
  });
});
