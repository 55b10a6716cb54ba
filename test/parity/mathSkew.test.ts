import fc from "fast-check";
import * as rebalance from "../../src/math/rebalanceMath.ts";
import * as skewMath from "../../src/math/skewMath.ts";
import {
  amount,
  describeParity,
  int,
  positive,
  price,
  seconds,
  share,
  sigma,
  uint,
  WAD,
  word,
} from "./mathParity.ts";

const skew = fc.oneof(int(2n ** 127n), int(3n));
const equity = fc.oneof(positive(2n ** 127n), fc.bigInt(WAD, 10n ** 28n));
/** Two skews: any, or near each other on either side of zero. */
const skews = fc.oneof(
  fc.tuple(skew, skew),
  fc
    .tuple(int(2n ** 100n), fc.bigInt(-1_500n, 1_500n))
    .map(([x, permille]) => [x, (x * permille) / 1_000n] as const),
);
const scale = fc.oneof(positive(2n ** 127n), uint(2n ** 192n));
const elapsed = fc.oneof(seconds, uint(2n ** 64n));

await describeParity("SkewMathHarness", skewMath, {
  skewCap: { args: fc.tuple(equity, price), errors: ["Panic"] },
  skewScale: {
    args: fc.oneof(
      fc.tuple(equity, price, fc.oneof(sigma, uint(10n ** 10n)), amount),
      fc.tuple(
        fc.bigInt(10n ** 24n, 10n ** 26n),
        fc.bigInt(100n * WAD, 3_000n * WAD),
        fc.bigInt((4n * WAD) / 10n, 3n * WAD),
        fc.bigInt(10n ** 21n, 10n ** 24n),
      ),
    ),
    errors: ["Panic"],
    times: 3,
  },
  maintenanceSkewScale: {
    args: fc.tuple(fc.oneof(scale, word), fc.oneof(scale, word), fc.oneof(seconds, word)),
    errors: ["MulWadFailed"],
  },
  leastSkewScale: { args: fc.tuple(equity, price), errors: ["Panic"] },
  premium: {
    args: fc
      .tuple(
        fc.oneof(amount, uint(2n ** 96n)),
        fc.oneof(
          fc.tuple(skews, skew),
          fc
            .tuple(skews, fc.bigInt(-200n, 1_200n))
            .map(
              ([[before, after], permille]) =>
                [[before, after], (before * permille) / 1_000n] as const,
            ),
        ),
        price,
        scale,
        scale,
      )
      .map(([ledger, [[before, after], rebateable], p, s, least]) => [
        ledger,
        before,
        after,
        rebateable,
        p,
        s,
        least,
      ]),
    errors: ["FullMulDivFailed"],
    times: 8,
  },
  premiumKeptDown: {
    args: fc.tuple(fc.oneof(amount, word), skews).map(([ledger, pair]) => [ledger, ...pair]),
    times: 2,
  },
  referenceAfter: {
    args: fc.tuple(skew, skew, equity, price, elapsed),
    errors: ["Panic"],
    times: 2,
  },
  retained: { args: skews },
  speedLimited: {
    args: fc.oneof(
      fc.tuple(skew, skew, skew, equity, price),
      fc
        .tuple(skews, fc.bigInt(-1_500n, 1_500n), uint(100n), positive(10n ** 24n))
        .map(([[before, after], permille, times, p]) => {
          const reference = (before * permille) / 1_000n;
          const magnitude = before < 0n ? -before : before;
          return [
            before,
            after - before,
            reference,
            (magnitude * p * times) / WAD + 1n,
            p,
          ] as const;
        })
        .filter(([, , , e]) => e < 2n ** 127n),
    ),
    errors: ["Panic"],
    times: 4,
  },
  builds: { args: skews },
  hedgeChargeUp: {
    args: fc
      .tuple(skews, amount, price, uint(2n ** 20n), fc.boolean())
      .map(([[before, after], inner, p, rate, tight]) => [
        before,
        after,
        tight ? inner % ((before < 0n ? -before : before) + 1n) : inner,
        p,
        rate,
      ]),
    times: 2,
  },
});

const DAY = 86_400n;
const fee = fc.oneof(fc.bigInt(0n, 50_000n), word);
const variance = fc.oneof(fc.bigInt(0n, 10n * WAD), uint(2n ** 128n));

await describeParity("RebalanceMathHarness", rebalance, {
  maximumChunkPpm: { args: fc.tuple(fee) },
  unwindCostPpm: { args: fc.tuple(fee), errors: ["Panic"] },
  outerBand: {
    args: fc.oneof(
      fc.tuple(word, word, word, word, word, word),
      fc.tuple(
        fc.bigInt(0n, 10n * WAD),
        fc.bigInt(WAD, 10n ** 28n),
        positive(2n ** 100n),
        fc.bigInt(0n, 3n * WAD),
        fc.bigInt(0n, 105_000n),
        share,
      ),
    ),
    errors: ["DivWadFailed", "FullMulDivFailed", "MulWadFailed", "Panic"],
    times: 6,
  },
  innerBand: { args: fc.tuple(word) },
  updatedTargetVarianceWad: {
    args: fc.oneof(
      fc.tuple(variance, fc.oneof(share, word), fc.oneof(seconds, word)),
      // Where doubling binds although the time that counts has run out.
      fc.tuple(uint(100n), fc.bigInt(WAD, 20n * WAD), fc.bigInt(60n * DAY, 70n * DAY)),
    ),
    times: 3,
  },
  targetVarianceOf: {
    args: fc.tuple(fc.oneof(share, word)),
    errors: ["MulWadFailed"],
  },
  hedgeRatePpm: {
    args: fc.oneof(
      fc.tuple(word, word, word, word),
      fc
        .tuple(uint(2n ** 100n), fc.bigInt(0n, 10_000n), fee, uint(2n ** 90n))
        .map(([notional, ppm, cost, prior]) => [
          (notional * ppm) / 10n ** 6n,
          notional,
          cost,
          prior,
        ]),
    ),
    errors: ["Panic"],
    times: 3,
  },
  updatedDepth: {
    args: fc.tuple(fc.oneof(amount, word), fc.oneof(amount, word), fc.oneof(seconds, word)),
    errors: ["MulWadFailed"],
  },
  toleranceWad: { args: fc.tuple(fee, fc.oneof(seconds, word)), errors: ["Panic"] },
  remarkedReserves: {
    args: fc.oneof(
      fc.tuple(word, word, word),
      fc.tuple(uint(2n ** 112n), uint(2n ** 112n), positive(2n ** 120n)),
    ),
    errors: ["DivWadFailed", "MulWadFailed"],
    times: 4,
  },
});
