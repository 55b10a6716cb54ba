import { expect } from "chai";
import fc from "fast-check";
import { network } from "hardhat";
import {
  abs,
  div,
  fromWad,
  max,
  min,
  mul,
  ONE,
  type Real,
  real,
} from "../../support/highPrecision.ts";
import { decay, HALF_LIFE, logPrice } from "../../support/poolOracleReference.ts";

const { ethers } = await network.create();
const math = await ethers.deployContract("PoolOracleMathHarness");

const DEEP = process.env.BALLAST_DEEP === "1";
const RUNS = DEEP ? 20_000 : 300;
const SEED = 0xba11a57;

const Q64 = 2n ** 64n;
const MAX_RESERVE = 2n ** 112n - 1n;
const MAX_ELAPSED = 2n ** 31n - 1n;
const MAX_VARIANCE = Q64 - 1n;
/** (1 - 2^(-1 / 1800)) 2^43 = 3.38656e9: what a move weighs one second after the touch before. */
const LARGEST_WEIGHT = 3_386_560_000n;

/** The table of `PoolHistory`, read without it. */
function decode(word: bigint) {
  return {
    cumulative: BigInt.asIntN(88, word >> 168n),
    log: BigInt.asIntN(56, word >> 112n),
    weight: BigInt.asUintN(32, word >> 80n),
    variance: BigInt.asUintN(64, word >> 16n),
    fee: BigInt.asUintN(16, word),
  };
}
type Parts = ReturnType<typeof decode>;

function encode({ cumulative, log, weight, variance, fee }: Parts): bigint {
  return (
    (BigInt.asUintN(88, cumulative) << 168n) |
    (BigInt.asUintN(56, log) << 112n) |
    (weight << 80n) |
    (variance << 16n) |
    fee
  );
}

/** A stored log price, 14 decimals, as a real. */
const fromLog = (log: bigint): Real => log * 10n ** 26n;
/** A ratio with 64 bits of fraction as a real. */
const fromQ64 = (x: bigint): Real => real(x, Q64);

const reserve = fc
  .tuple(fc.integer({ min: 1, max: 112 }), fc.bigInt(0n, MAX_RESERVE))
  .map(([bits, noise]) => max(1n, noise >> BigInt(112 - bits)));
const elapsed = fc
  .tuple(fc.integer({ min: 1, max: 31 }), fc.bigInt(1n, MAX_ELAPSED))
  .map(([bits, noise]) => max(1n, noise >> BigInt(31 - bits)));
const variance = fc
  .tuple(fc.integer({ min: 0, max: 64 }), fc.bigInt(0n, MAX_VARIANCE))
  .map(([bits, noise]) => noise >> BigInt(64 - bits));

/** What a touch leaves behind: any past, but a price and a weight that touches can leave. */
const past = fc
  .record({
    reserves: fc.tuple(reserve, reserve),
    gap: elapsed,
    variance,
    cumulative: fc.bigInt(-(2n ** 84n), 2n ** 84n),
  })
  .map(({ reserves, gap, ...rest }) => ({
    ...rest,
    fee: 0n,
    log: (logPrice(...reserves) * 10n ** 14n) / ONE,
    weight: ((ONE - decay(gap)) << 43n) / ONE / gap,
  }));

/** Largest distance seen, for the sentences that state one. */
function gauge() {
  let largest = 0n;
  return {
    see: (distance: Real) => {
      largest = max(largest, abs(distance));
    },
    expectAtMost: (bound: Real) =>
      expect(largest <= bound, `${largest} x 1e-40, allowed ${bound} x 1e-40`).to.equal(true),
  };
}

describe("PoolOracleMath", () => {
  describe("the decay 2^(-elapsed / 30 minutes)", () => {
    /** Contract and exact value at every `step`-th second from `first` on. */
    async function decays(first: bigint, step: bigint, count: bigint) {
      const values = await math.decaysOf(first, step, count);
      return values.map((value, i) => ({ value, exact: decay(first + step * BigInt(i)) }));
    }

    it("is within 3.1e-7 of itself, and its complement within 1.3e-6, at each second of the first half-life", async () => {
      const [relative, complement] = [gauge(), gauge()];
      for (const { value, exact } of await decays(1n, 1n, HALF_LIFE)) {
        relative.see(div(fromQ64(value) - exact, exact));
        complement.see(div(fromQ64(value) - exact, ONE - exact));
      }
      relative.expectAtMost(real(31n, 10n ** 8n));
      complement.expectAtMost(real(13n, 10n ** 7n));
    });

    it("stays so over 200 half-lives, but for one unit of 2^-64, and never rises or exceeds 1", async () => {
      const step = DEEP ? 7n : 71n;
      const chunk = 1_800n;
      const [beyond, complement, rise] = [gauge(), gauge(), gauge()];
      let last = Q64;
      for (let first = 0n; first <= 200n * HALF_LIFE; first += step * chunk) {
        for (const { value, exact } of await decays(first, step, chunk)) {
          const distance = abs(fromQ64(value) - exact);
          beyond.see(max(0n, distance - mul(exact, real(31n, 10n ** 8n)) - fromQ64(1n)));
          if (exact < ONE) complement.see(div(distance, ONE - exact));
          rise.see(max(0n, value - last));
          last = value;
        }
      }
      beyond.expectAtMost(1n);
      complement.expectAtMost(real(13n, 10n ** 7n));
      rise.expectAtMost(0n);
    });

    it("is exact at multiples of 30 minutes, and 0 from the 65th on", async () => {
      const values = await math.decaysOf(0n, HALF_LIFE, 201n);
      values.forEach((value, n) => {
        expect(value).to.equal(Q64 >> BigInt(n));
      });
      expect(await math.decaysOf(2n ** 32n - 1n, 1n, 1n)).to.deep.equal([0n]);
    });
  });

  describe("the log price", () => {
    const polynomial = real(15n, 10n ** 13n);

    async function error(reserve0: bigint, reserve1: bigint): Promise<Real> {
      const log = await math.approximateLogPrice(reserve0, reserve1);
      return abs(fromLog(log) - logPrice(reserve0, reserve1));
    }

    it("is within 1.5e-12 of the exact logarithm for all ratios from 2^-96 to 2^112", async () => {
      const largest = gauge();
      const pairs = fc.tuple(reserve, reserve).filter(([x, y]) => y << 96n >= x);
      await fc.assert(
        fc.asyncProperty(pairs, async ([x, y]) => largest.see(await error(x, y))),
        { numRuns: RUNS, seed: SEED },
      );
      for (const x of [1n, 777_777n, MAX_RESERVE]) largest.see(await error(x, x));
      for (const bits of [1n, 57n, 111n]) {
        // Where the mantissa is all but 2, and where it is 1 again.
        for (const y of [2n ** bits - 1n, 2n ** bits, 2n ** bits + 1n])
          largest.see(await error(1n, y));
      }
      largest.expectAtMost(polynomial);
    });

    it("errs by no more than that and the 143 bits of fraction of the ratio on all reserves there are", async () => {
      const beyond = gauge();
      await fc.assert(
        fc.asyncProperty(reserve, reserve, async (x, y) => {
          beyond.see(max(0n, (await error(x, y)) - polynomial - real(x, y) / (2n ** 143n - x)));
        }),
        { numRuns: RUNS, seed: SEED },
      );
      beyond.expectAtMost(1n);
    });

    it("errs by at most 4.7e-10, at the reserve of token0 near 2^112 whose quotient loses most", async () => {
      // 2^143 / x is just below 2^31 + 1 and is cut to 2^31: the ratio loses 1 part in 2^31.
      const worst = 2n ** 143n / (2n ** 31n + 1n) + 1n;
      const lost = await error(worst, 1n);
      expect(lost >= real(46n, 10n ** 11n) && lost <= real(47n, 10n ** 11n)).to.equal(true);
      for (const [x, y] of [
        [MAX_RESERVE, 1n],
        [1n, MAX_RESERVE],
        [1n, worst],
      ] as const) {
        expect((await error(x, y)) <= polynomial).to.equal(true);
      }
    });

    it("never falls as token1's reserve grows, and moves by 1e-12 for one unit in 1e12", async () => {
      await fc.assert(
        fc.asyncProperty(reserve, reserve, reserve, async (x, y, more) => {
          const log = await math.approximateLogPrice(x, y);
          for (const larger of [min(y + 1n, MAX_RESERVE), min(y + more, MAX_RESERVE)]) {
            expect(await math.approximateLogPrice(x, larger)).to.be.at.least(log);
          }
        }),
        { numRuns: RUNS / 2, seed: SEED },
      );
      const x = 3n * 10n ** 12n;
      const [log, next] = [
        await math.approximateLogPrice(x, x),
        await math.approximateLogPrice(x, x + 3n),
      ];
      expect(next - log).to.be.within(99n, 101n);
    });
  });

  describe("a touch", () => {
    it("adds the move and decays as defined: variance within 3.2e-7, weight within 1.3e-6, the sum of log prices exactly", async () => {
      await fc.assert(
        fc.asyncProperty(past, reserve, reserve, elapsed, async (before, x, y, seconds) => {
          const after = decode(await math.touched(encode(before), x, y, seconds));
          expect(after.log).to.equal(await math.approximateLogPrice(x, y));
          expect(after.cumulative).to.equal(before.cumulative + after.log * seconds);
          expect(after.fee).to.equal(0n);

          const move = fromLog(after.log - before.log);
          const square = mul(move, move, real(before.weight, 2n ** 43n));
          const variance = mul(fromWad(before.variance) + square, decay(seconds));
          const exact = min(variance, fromWad(MAX_VARIANCE));
          // Two roundings down of 1e-18, and the decay's own error.
          const allowed = mul(exact, real(32n, 10n ** 8n)) + fromWad(2n);
          expect(abs(fromWad(after.variance) - exact) <= allowed, "variance").to.equal(true);

          const weight = (ONE - decay(seconds)) / seconds;
          const weightError = abs(real(after.weight, 2n ** 43n) - weight);
          expect(
            weightError <= mul(weight, real(13n, 10n ** 7n)) + real(1n, 2n ** 43n) + 1n,
            "weight",
          ).to.equal(true);
        }),
        { numRuns: RUNS, seed: SEED },
      );
    });

    it("that moves nothing changes nothing: two are one unless the variance is cut, within 7e-7 and two units", async () => {
      await fc.assert(
        fc.asyncProperty(past, reserve, reserve, elapsed, elapsed, async (before, x, y, a, b) => {
          const [first, second] = a + b > MAX_ELAPSED ? [a / 2n + 1n, b / 2n + 1n] : [a, b];
          const between = await math.touched(encode(before), x, y, first);
          const twice = decode(await math.touched(between, x, y, second));
          fc.pre(decode(between).variance < MAX_VARIANCE);
          const once = decode(await math.touched(encode(before), x, y, first + second));
          expect(twice.log).to.equal(once.log);
          expect(twice.cumulative).to.equal(once.cumulative);
          const distance = abs(fromWad(twice.variance) - fromWad(once.variance));
          expect(
            distance <= mul(fromWad(once.variance), real(7n, 10n ** 7n)) + fromWad(2n),
          ).to.equal(true);
        }),
        { numRuns: RUNS, seed: SEED },
      );
    });

    it("gives the next move the more weight the shorter the gap before it", async () => {
      let last = LARGEST_WEIGHT;
      for (let gap = 1n; gap <= MAX_ELAPSED; gap = (gap * 5n) / 4n + 1n) {
        const { weight } = decode(await math.touched(0n, 3n, 5n, gap));
        expect(weight <= last && weight > 0n, `${weight} after ${gap} s`).to.equal(true);
        last = weight;
      }
    });

    it("of a pool that has had no price yet records none, and counts the first price as no move", async () => {
      for (const [x, y] of [
        [0n, 0n],
        [0n, 777n],
        [777n, 0n],
      ] as const) {
        const after = decode(await math.touched(500n, x, y, 12n));
        expect(after).to.deep.include({ cumulative: 0n, log: 0n, variance: 0n });
      }
      const first = decode(await math.touched(500n, 1n, 777_777n, 12n));
      expect(first.log).to.equal(await math.approximateLogPrice(1n, 777_777n));
      expect(first).to.deep.include({ cumulative: first.log * 12n, variance: 0n, fee: 0n });
    });

    it("of a pool whose price has ceased to exist repeats the last one", async () => {
      const before = decode(await math.touched(0n, 777n, 555_555n, 12n));
      for (const [x, y] of [
        [0n, 5n],
        [5n, 0n],
        [0n, 0n],
      ] as const) {
        const after = decode(await math.touched(encode(before), x, y, 100n));
        expect(after.log).to.equal(before.log);
        expect(after.variance).to.equal(0n);
        expect(after.cumulative).to.equal(before.log * 112n);
      }
    });
  });

  describe("at the limits", () => {
    const [lowest, highest] = [
      [MAX_RESERVE, 1n],
      [1n, MAX_RESERVE],
    ] as const;

    it("the variance rate stops at 2^64 - 1 and comes down again with the half-life", async () => {
      let word = await math.touched(0n, ...lowest, 1n);
      for (let second = 0; second < 3; second += 1) {
        word = await math.touched(word, ...(second % 2 === 0 ? highest : lowest), 1n);
      }
      expect(decode(word).variance).to.equal(MAX_VARIANCE);
      expect(decode(word).weight).to.be.at.most(LARGEST_WEIGHT);
      const later = decode(await math.touched(word, ...highest, 10n * HALF_LIFE));
      expect(later.variance).to.equal(MAX_VARIANCE >> 10n);
    });

    for (const [name, reserves, sign] of [
      ["lowest", lowest, -1n],
      ["highest", highest, 1n],
    ] as const) {
      it(`the ${name} price for 2 x 2^31 seconds stays within the 88 bits of its sum`, async () => {
        const once = await math.touched(0n, ...reserves, MAX_ELAPSED);
        const twice = decode(await math.touched(once, ...reserves, MAX_ELAPSED));
        const { log } = decode(once);
        expect(log * sign).to.be.greaterThan(77n * 10n ** 14n);
        expect(twice.cumulative).to.equal(2n * MAX_ELAPSED * log);
        expect(abs(twice.cumulative)).to.be.lessThan(2n ** 85n);
        expect(twice).to.deep.include({ log, variance: 0n, fee: 0n });
      });
    }

    it("packing keeps the smallest and the largest value of every part apart", async () => {
      const ends = [
        [-(2n ** 87n), -1n, 0n, 2n ** 87n - 1n],
        [-(2n ** 55n), -1n, 0n, 2n ** 55n - 1n],
        [0n, 2n ** 32n - 1n],
        [0n, 2n ** 64n - 1n],
        [0n, 2n ** 16n - 1n],
      ] as const;
      for (const cumulative of ends[0]) {
        for (const log of ends[1]) {
          for (const weight of ends[2]) {
            for (const variance of ends[3]) {
              for (const fee of ends[4]) {
                const parts = { cumulative, log, weight, variance, fee };
                const word = await math.pack(cumulative, log, weight, variance, fee);
                expect(word).to.equal(encode(parts));
                expect(await math.unpack(word)).to.deep.equal(Object.values(parts));
              }
            }
          }
        }
      }
    });
  });

  describe("the fee", () => {
    const MULTIPLIER = 173n * 10n ** 17n;

    it("is 2964 millionths at a volatility of 80 %, 5 bp and 17.3 square-root seconds", async () => {
      const rate = (64n * 10n ** 16n) / 31_536_000n;
      expect(await math.swapFeeDown(rate, 500n, 10_000n, MULTIPLIER)).to.equal(2_964n);
    });

    it("is the lower bound in calm and the upper bound from the rate on that reaches it", async () => {
      const fee = (rate: bigint) => math.swapFeeDown(rate, 500n, 10_000n, MULTIPLIER);
      expect(await fee(0n)).to.equal(500n);
      // (9500e-6 / 17.3)^2 = 3.0154e-7
      expect(await fee(301_500_000_000n)).to.equal(9_999n);
      expect(await fee(301_600_000_000n)).to.equal(10_000n);
      expect(await fee(MAX_VARIANCE)).to.equal(10_000n);
      expect(await math.swapFeeDown(MAX_VARIANCE, 0n, 50_000n, 100n * 10n ** 18n)).to.equal(
        50_000n,
      );
      expect(await math.swapFeeDown(MAX_VARIANCE, 300n, 50_000n, 0n)).to.equal(300n);
    });

    it("is the least whole number of millionths that leaves less than one to the formula, and never falls as the rate rises", async () => {
      const bounds = fc.tuple(fc.bigInt(0n, 10_000n), fc.bigInt(0n, 40_000n));
      const multiplier = fc.bigInt(0n, 100n * 10n ** 18n);
      await fc.assert(
        fc.asyncProperty(variance, variance, bounds, multiplier, async (a, b, [least, span], m) => {
          const [low, high] = [min(a, b), max(a, b)];
          const most = least + span;
          const [fee, larger] = await Promise.all(
            [low, high].map((rate) => math.swapFeeDown(rate, least, most, m)),
          );
          expect(fee! <= larger!, "monotone").to.equal(true);
          expect(fee! >= least && larger! <= most, "within bounds").to.equal(true);
          // (fee - least) 1e-6 <= m sqrt(rate) < (fee - least + 1) 1e-6 plus m 1e-18 for the root's rounding
          const excess = (fee! - least) * 10n ** 30n;
          expect(excess ** 2n <= m ** 2n * low * 10n ** 18n, "not above").to.equal(true);
          if (fee! < most) {
            const next = excess + 10n ** 30n + m;
            expect(next ** 2n > m ** 2n * low * 10n ** 18n, "not a unit below").to.equal(true);
          }
        }),
        { numRuns: RUNS, seed: SEED },
      );
    });
  });
});
