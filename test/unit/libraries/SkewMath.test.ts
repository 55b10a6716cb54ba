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

const DEEP = process.env.BALLAST_DEEP === "1";
const PROPERTY_RUNS = DEEP ? 5_000 : 100;
const WALKS = DEEP ? 10_000 : 1_500;
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

    for (const elapsed of [0n, 1n, 59n, 599n, 600n]) {
      it(`falls by 10 % an hour in ${elapsed} s`, async () => {
        const exact = mul(fromWad(scale), ONE - real(elapsed, 36_000n));
        // A unit of the fall, times the scale, rounds either way.
        expectWithin(await math.maintenanceSkewScale(scale, 1n, elapsed), exact, 2n + scale / WAD);
      });
    }

    it("falls by no more than in ten minutes however long nothing was updated", async () => {
      const most = await math.maintenanceSkewScale(scale, 1n, 600n);
      expect(await math.maintenanceSkewScale(scale, 1n, 599n)).to.be.greaterThan(most);
      for (const elapsed of [601n, 3_600n, 36_000n, 10n ** 12n, 2n ** 256n - 1n]) {
        expect(await math.maintenanceSkewScale(scale, 1n, elapsed)).to.equal(most);
      }
    });

    it("falls to the current one and no further", async () => {
      const near = scale - scale / 60n + 1_000_000n;
      expect(await math.maintenanceSkewScale(scale, scale - 1n, 600n)).to.equal(scale - 1n);
      expect(await math.maintenanceSkewScale(scale, near, 600n)).to.equal(near);
      expect(await math.maintenanceSkewScale(near, near, 600n)).to.equal(near);
    });
  });

  describe("least skew scale", () => {
    it("is twenty times the cap of the skew, where one more base costs 5 % of the price", async () => {
      for (const [equity, price] of [
        [EQUITY, PRICE],
        [WAD, PRICE],
        [10n ** 30n + 7n, 777_777n],
      ] as const) {
        const exact = div(baseShare(real(1n, 2n), equity, price), real(5n, 100n));
        expectBelow(await math.leastSkewScale(equity, price), exact, 20n);
      }
      expect(await math.leastSkewScale(10_000_000n * WAD, 2_000n * WAD)).to.equal(50_000n * WAD);
    });

    it("is what the skew scale falls to without depth", async () => {
      const least = await math.leastSkewScale(EQUITY, PRICE);
      expect(await math.skewScale(EQUITY, PRICE, WAD, 0n)).to.equal(least);
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

    /** skewScale at c_max, half of the other. */
    const leastScale = 49_876_543_210_987_654_321_012n;
    const steepest = div(fromWad(PRICE), 2n * fromWad(leastScale));

    /**
     * The specification: raise at max(c, min(j, c_max)), lower at min(c, j) for skew older than this round, across
     * zero both.
     */
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
      const paid = mul(crosses ? slope : max(slope, min(j, steepest)), raised);
      return { paid, kept, rebate };
    }

    for (const [name, share, before, after, old] of [
      ["the first skew", 0n, 0n, some, 0n],
      ["the first short skew", 0n, 0n, -some, 0n],
      ["more skew, at c above j", 612_345n, some, much, some],
      ["more skew, at j above c", 1_712_345n, some, much, some],
      ["more skew, at c_max above c and below j", 2_712_345n, some, much, some],
      ["more short skew", 612_345n, -little, -much, -little],
      ["more short skew, at c_max", 987_654_321n, -little, -much, -little],
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
        const actual = await math.premium(ledger, before, after, old, PRICE, scale, leastScale);
        expectBelow(actual.booked, exact.paid + noise, 1n);
        expectBelow(actual.kept, exact.kept + noise, 1n);
        expectBelow(actual.rebate, exact.rebate + noise, 1n);
        // The trader pays a unit more than J books, and nothing for a step that raises nothing.
        expect(actual.paid).to.equal(exact.paid === 0n ? 0n : actual.booked + 1n);
        expectAbove(actual.paid, exact.paid - noise, 1n);
        expect(await math.premiumKeptDown(ledger, before, after)).to.equal(actual.kept);
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
          50_000n * WAD,
        );
      const paid = (quote: bigint) => [quote * WAD + 1n, quote * WAD];
      const back = (kept: bigint, rebate: bigint) => [0n, 0n, kept * WAD, rebate * WAD];
      expect(await at(0n, 0n, 1_000n, 0n)).to.deep.equal([...paid(2_000n), 0n, 0n]);
      expect(await at(2_000n, 1_000n, 0n, 1_000n)).to.deep.equal(back(0n, 2_000n));
      expect(await at(2_000n, 1_000n, 500n, 1_000n)).to.deep.equal(back(500n, 1_500n));
      // Half of the ledger has reached LPs meanwhile: half comes back. None in the round that added the skew.
      expect(await at(1_000n, 1_000n, 0n, 1_000n)).to.deep.equal(back(0n, 1_000n));
      expect(await at(2_000n, 1_000n, 0n, 0n)).to.deep.equal(back(0n, 0n));
      expect(await at(2_000n, 1_000n, -500n, 1_000n)).to.deep.equal([
        ...paid(500n),
        0n,
        2_000n * WAD,
      ]);
      // Ten times j is c_max: 20 instead of 2 millionths of 1,000^2, and never more.
      expect(await at(500n, 500n, 1_000n, 0n)).to.deep.equal([...paid(1_500n), 500n * WAD, 0n]);
      expect(await at(5_000n, 500n, 1_000n, 0n)).to.deep.equal([
        ...paid(15_000n),
        5_000n * WAD,
        0n,
      ]);
      expect(await at(50_000n, 500n, 1_000n, 0n)).to.deep.equal([
        ...paid(15_000n),
        50_000n * WAD,
        0n,
      ]);
    });

    it("is 2,000, 10 bp, for 10,000 long in the worked example of the mathematics", async () => {
      const [equity, price, sigma] = [10_000_000n * WAD, 200n * WAD, (8n * WAD) / 10n];
      expect(await math.skewCap(equity, price)).to.equal(25_000n * WAD);
      // By risk alone: 365 E / (5 sigma^2 P) = 5.70 M.
      const byRisk = await math.skewScale(equity, price, sigma, 10n ** 30n);
      expect(byRisk / (10_000n * WAD)).to.equal(570n);
      const scaleNow = await math.skewScale(equity, price, sigma, 100_000n * WAD);
      expect(scaleNow).to.equal(5_000_000n * WAD);
      expect(div(fromWad(price), 2n * fromWad(scaleNow))).to.equal(real(2n, 100_000n));
      const least = await math.leastSkewScale(equity, price);
      const size = 10_000n * WAD;
      const { booked, paid } = await math.premium(0n, 0n, size, 0n, price, scaleNow, least);
      expect([paid, booked]).to.deep.equal([2_000n * WAD + 1n, 2_000n * WAD]);
      expect((booked * 1_000n) / (size / WAD)).to.equal(price);
    });

    /** c (K'^2 - K^2) for what a step adds to |K|, rounded down: 0 where it adds nothing. */
    function atSlope(before: bigint, after: bigint, price: bigint, at: bigint): bigint {
      const from = before * after < 0n ? 0n : before;
      const squares = max(0n, after * after - from * from);
      return (squares * price) / (2n * at * WAD);
    }
    const ceilTo = (unit: bigint, value: bigint) => ((value + unit - 1n) / unit) * unit;
    const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);

    describe("dust skew", () => {
      const [price, at, least] = [2_000n * WAD, 500_000n * WAD, 50_000n * WAD];
      const size = 1_000n * WAD;

      it("of one unit keeps nothing of a full ledger, and building the skew again costs 2,000 again", async () => {
        const down = await math.premium(2_000n * WAD, size, 1n, size, price, at, least);
        expect(down.kept).to.equal(0n);
        // All but c x (one unit)^2, which rounds to the last unit of 2,000.
        expect(down.rebate).to.equal(2_000n * WAD - 1n);
        const up = await math.premium(down.kept, 1n, size, 1n, price, at, least);
        expect([up.paid, up.booked]).to.deep.equal([2_000n * WAD, 2_000n * WAD - 1n]);
      });

      for (const unit of [1n, 10n ** 12n]) {
        it(`never makes the next step dearer than c, in a ledger of ${unit === 1n ? 18 : 6} decimals`, async () => {
          for (const dust of [
            1n,
            2n,
            7n,
            999n,
            10n ** 6n + 1n,
            10n ** 9n,
            10n ** 12n,
            10n ** 15n,
          ]) {
            for (const side of [1n, -1n]) {
              const path = [0n, size, dust, size, -dust, -size].map((skew) => side * skew);
              const steps = await math.walk(0n, path, price, at, least, unit);
              for (const [index, { paid }] of steps.entries()) {
                const exact = atSlope(path[index]!, path[index + 1]!, price, at);
                expect(paid).to.equal(exact === 0n && index === 1 ? 0n : ceilTo(unit, exact + 1n));
              }
            }
          }
        });
      }

      it("with a millionth of quote at 0.001 base costs c_max and not a million", async () => {
        // j = 1: without a bound 1,000 base would cost a million, at c_max 0.02 x 1,000^2.
        const dust = 10n ** 15n;
        const { booked } = await math.premium(10n ** 12n, dust, size, dust, price, at, least);
        expectBelow(booked, mul(real(2n, 100n), square(size) - square(dust)), 1n);
        const slopeMost = atSlope(dust, size, price, least);
        expect(booked).to.equal(slopeMost);
        for (const ledger of [10n ** 15n, 10n ** 24n, 10n ** 30n]) {
          const dearest = await math.premium(ledger, dust, -size - dust, dust, price, at, least);
          expect(dearest.booked).to.equal(atSlope(dust, -size - dust, price, at));
          const same = await math.premium(ledger, 1n, size, 1n, price, at, least);
          expect(same.booked).to.equal(atSlope(1n, size, price, least));
        }
      });

      it("leaves no millionth of quote at 0.001 base in a ledger of six decimals", async () => {
        const [, down, up] = await math.walk(
          0n,
          [0n, size, 10n ** 15n, size],
          price,
          at,
          least,
          10n ** 12n,
        );
        expect(down!.kept).to.equal(0n);
        expect(up!.paid).to.equal(2_000n * WAD);
      });
    });

    describe("walks at one price and slope", () => {
      /** Skews of every size, dust among them. */
      const skews = fc.oneof(
        fc.bigInt(-(10n ** 22n), 10n ** 22n),
        fc.bigInt(-(10n ** 16n), 10n ** 16n),
        fc.bigInt(-1_000n, 1_000n),
      );
      const market = fc.record({
        price: fc.bigInt(10n ** 14n, 10n ** 23n),
        least: fc.bigInt(10n ** 19n, 10n ** 24n),
        /** skewScale per least one, thousandths. */
        wider: fc.oneof(fc.constant(1_000n), fc.bigInt(1_000n, 100_000n)),
        unit: fc.constantFrom(1n, 10n ** 12n),
      });
      const scaleOf = ({ least, wider }: { least: bigint; wider: bigint }) =>
        (least * wider) / 1_000n;
      const settings = { numRuns: WALKS, seed: SEED };

      it("never profit the participants together, nor draw more from J than went in", async () => {
        const path = fc.array(skews, { minLength: 1, maxLength: 12 });
        // J to start with in thousandths of c K^2, and anything on top, as dust skew may leave it.
        const ledgers = fc.tuple(fc.bigInt(0n, 5_000n), fc.bigInt(0n, 10n ** 14n));
        let returned = 0;
        await fc.assert(
          fc.asyncProperty(
            market,
            skews,
            path,
            ledgers,
            async (m, start, middle, [share, more]) => {
              const at = scaleOf(m);
              const filled = (atSlope(0n, start, m.price, at) * share) / 1_000n + more;
              const held = start === 0n ? 0n : (filled / m.unit) * m.unit;
              const steps = await math.walk(
                held,
                [start, ...middle, start],
                m.price,
                at,
                m.least,
                m.unit,
              );
              const paid = sum(steps.map((step) => step.paid));
              const rebates = sum(steps.map((step) => step.rebate));
              expect(paid >= rebates, `gained ${rebates - paid}`).to.equal(true);
              expect(rebates <= held + sum(steps.map((step) => step.booked))).to.equal(true);
              if (rebates > 0n) returned += 1;

              let ledger = held;
              for (const step of steps) {
                // What J loses pays the rebate, and no more is booked than was paid.
                expect(step.kept + step.rebate <= ledger).to.equal(true);
                expect(step.booked <= step.paid).to.equal(true);
                ledger = step.kept + step.booked;
              }
            },
          ),
          settings,
        );
        expect(returned).to.be.greaterThan(WALKS / 2);
      });

      it("cost c per step up exactly, and nothing but dust in all, from no skew back to none", async () => {
        const path = fc.array(skews, { minLength: 1, maxLength: 16 });
        await fc.assert(
          fc.asyncProperty(market, path, async (m, middle) => {
            const at = scaleOf(m);
            const walked = [0n, ...middle, 0n];
            const steps = await math.walk(0n, walked, m.price, at, m.least, m.unit);
            for (const [index, { paid }] of steps.entries()) {
              const [before, after] = [walked[index]!, walked[index + 1]!];
              const raises = before * after < 0n || abs(after) > abs(before);
              const exact = atSlope(before, after, m.price, at);
              expect(paid).to.equal(raises ? ceilTo(m.unit, exact + 1n) : 0n);
            }
            const cost = sum(steps.map(({ paid, rebate }) => paid - rebate));
            // A step across zero is two. Each may lose a unit of the ledger in J, pay one and be paid one too few.
            const allowed = 2n * BigInt(steps.length) * 3n * (m.unit + 1n);
            expect(cost >= 0n && cost <= allowed, `${cost} of ${allowed}`).to.equal(true);
            expect(steps.at(-1)!.kept + steps.at(-1)!.booked).to.equal(0n);
          }),
          settings,
        );
      });

      /** Distinct magnitudes in rising order. */
      const ladders = fc
        .uniqueArray(fc.bigInt(10n ** 18n, 10n ** 22n), { minLength: 3, maxLength: 10 })
        .map((rungs) => rungs.sort((a, b) => (a < b ? -1 : 1)));

      it("pay no less for skew in slices than in one step, at c and at j above it", async () => {
        await fc.assert(
          fc.asyncProperty(market, ladders, fc.bigInt(0n, 200_000n), async (m, rungs, share) => {
            const at = scaleOf(m);
            const [first, last] = [rungs[0]!, rungs.at(-1)!];
            const paidFor = async (held: bigint, path: bigint[]) =>
              sum((await math.walk(held, path, m.price, at, m.least, m.unit)).map((s) => s.paid));

            // From no skew: never less, to the unit.
            const fresh = await paidFor(0n, [0n, ...rungs]);
            expect(fresh >= (await paidFor(0n, [0n, last]))).to.equal(true);

            // From skew that holds any J: what a slice rounds off J lowers j by a unit per K^2 of then.
            const filled = (atSlope(0n, first, m.price, at) * share) / 1_000n;
            const held = (filled / m.unit) * m.unit;
            const sliced = await paidFor(held, rungs);
            const whole = await paidFor(held, [first, last]);
            const dust = sum(rungs.slice(1).map((rung) => (last * last) / (rung * rung) + 1n));
            expect(sliced >= whole - dust * m.unit, `${whole - sliced} less`).to.equal(true);
            expect(sliced >= atSlope(first, last, m.price, at)).to.equal(true);
          }),
          settings,
        );
      });

      it("get back no more for skew in slices than in one step", async () => {
        await fc.assert(
          fc.asyncProperty(market, ladders, fc.bigInt(0n, 5_000n), async (m, rungs, share) => {
            const at = scaleOf(m);
            const down = [...rungs].reverse();
            const filled = (atSlope(0n, down[0]!, m.price, at) * share) / 1_000n;
            const held = (filled / m.unit) * m.unit;
            for (const end of [down.at(-1)!, 0n, -down[0]!]) {
              const backFor = async (path: bigint[]) =>
                sum(
                  (await math.walk(held, path, m.price, at, m.least, m.unit)).map((s) => s.rebate),
                );
              const sliced = await backFor([...down.slice(0, -1), end]);
              expect(sliced <= (await backFor([down[0]!, end]))).to.equal(true);
            }
          }),
          settings,
        );
      });

      it("may pass zero in one step or rest there, to the same effect", async () => {
        await fc.assert(
          fc.asyncProperty(market, skews, skews, fc.bigInt(0n, 5_000n), async (m, a, b, share) => {
            fc.pre(a * b < 0n);
            const at = scaleOf(m);
            const filled = (atSlope(0n, a, m.price, at) * share) / 1_000n;
            const held = (filled / m.unit) * m.unit;
            const [across] = await math.walk(held, [a, b], m.price, at, m.least, m.unit);
            const [off, on] = await math.walk(held, [a, 0n, b], m.price, at, m.least, m.unit);
            expect([across!.paid, across!.booked, across!.kept, across!.rebate]).to.deep.equal([
              on!.paid,
              on!.booked,
              off!.kept,
              off!.rebate,
            ]);
          }),
          { ...settings, numRuns: WALKS / 5 },
        );
      });
    });

    it("pays back no more than the ledger loses, wherever the skew goes and whatever of it is new", async () => {
      const skews = fc.bigInt(-(10n ** 22n), 10n ** 22n);
      const ledgers = fc.bigInt(0n, 10n ** 24n);
      await fc.assert(
        fc.asyncProperty(ledgers, skews, skews, skews, async (ledger, before, after, old) => {
          const p = await math.premium(ledger, before, after, old, PRICE, scale, leastScale);
          expect(p.kept + p.rebate).to.be.at.most(ledger);
          const all = await math.premium(ledger, before, after, before, PRICE, scale, leastScale);
          expect(p.rebate).to.be.at.most(all.rebate);
        }),
        { numRuns: PROPERTY_RUNS, seed: SEED },
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
        "cuts a trade from 900 to -900 at one step below zero",
        [900n, -1_800n, 200n],
        [-1_400, 500],
      ],
      ["cuts a trade from -900 to 900 the same way", [-900n, 1_800n, -200n], [1_400, 500]],
      ["cuts it although the old skew was all settled", [900n, -1_800n, 900n], [-1_400, 500]],
      ["lets a trade across zero end at the limit", [900n, -1_400n, 900n], [-1_400, 500]],
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

    it("binds what builds skew: more of it, or any on the other side", async () => {
      for (const [before, after, builds] of [
        [0n, 1n, true],
        [0n, -1n, true],
        [5n, 6n, true],
        [-5n, -6n, true],
        [900n, -900n, true],
        [-900n, 1n, true],
        [900n, -1n, true],
        [5n, 5n, false],
        [6n, 5n, false],
        [-6n, -5n, false],
        [5n, 0n, false],
        [-5n, 0n, false],
        [0n, 0n, false],
      ] as const) {
        expect(await math.builds(before, after), `${before} to ${after}`).to.equal(builds);
      }
    });

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
          const crosses = skew * end < 0n;
          // Old skew beyond the limit may stay where it is, on its own side of zero.
          expect(reached <= (crosses ? limit : max(abs(skew), limit))).to.equal(true);
          if (allowed === delta) return;
          // What was cut off would have gone beyond the limit and built skew.
          expect(abs(end) > limit && (crosses || abs(end) > abs(skew))).to.equal(true);
          const stuck = allowed === 0n && !crosses && abs(skew) >= limit;
          expect(stuck || reached === limit).to.equal(true);
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
