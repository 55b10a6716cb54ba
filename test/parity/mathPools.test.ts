import fc from "fast-check";
import * as consult from "../../src/math/poolConsult.ts";
import * as oracle from "../../src/math/poolOracleMath.ts";
import { describeParity, int, positive, seconds, uint, WAD } from "./mathParity.ts";

const reserve = positive(2n ** 112n);
/** Of a ratio within 2^+-111. */
const logPrice = int(7_695n * 10n ** 12n);
const rate = fc.oneof(uint(2n ** 64n), fc.bigInt(0n, 10n ** 11n));

const history: fc.Arbitrary<oracle.PoolHistory> = fc.record({
  cumulativeLogPrice: int(2n ** 85n),
  logPrice,
  returnWeight: uint(2n ** 32n),
  varianceRateWad: rate,
  swapFee: uint(2n ** 16n),
});

/** The widths of a packed history, from the highest bit. */
const WIDTHS = [88, 56, 32, 64, 16] as const;
const SIGNED_PARTS = 2;

function packed(parts: oracle.PoolHistory): bigint {
  const values = [
    parts.cumulativeLogPrice,
    parts.logPrice,
    parts.returnWeight,
    parts.varianceRateWad,
    parts.swapFee,
  ];
  return values.reduce((word, value, i) => {
    const width = WIDTHS[i]!;
    return (word << BigInt(width)) | BigInt.asUintN(width, value);
  }, 0n);
}

function unpacked(word: unknown): oracle.PoolHistory {
  let rest = word as bigint;
  const values = WIDTHS.map((_, i) => WIDTHS.length - 1 - i).map((i) => {
    const width = WIDTHS[i]!;
    const value = i < SIGNED_PARTS ? BigInt.asIntN(width, rest) : BigInt.asUintN(width, rest);
    rest >>= BigInt(width);
    return value;
  });
  const [swapFee, varianceRateWad, returnWeight, logPrice, cumulativeLogPrice] = values;
  return {
    cumulativeLogPrice: cumulativeLogPrice!,
    logPrice: logPrice!,
    returnWeight: returnWeight!,
    varianceRateWad: varianceRateWad!,
    swapFee: swapFee!,
  };
}

await describeParity(
  "PoolOracleMathHarness",
  { ...oracle, begun: undefined },
  {
    touched: {
      args: fc.oneof(
        fc.tuple(history, uint(2n ** 112n), uint(2n ** 112n), positive(2n ** 32n)),
        // A price near the last one, soon after it.
        fc
          .tuple(
            history,
            fc.bigInt(10n ** 18n, 10n ** 30n),
            fc.bigInt(900n, 1_100n),
            fc.bigInt(1n, 4_000n),
          )
          .map(([before, x, permille, elapsed]) => {
            const last = oracle.approximateLogPrice(x, x);
            return [{ ...before, logPrice: last }, x, (x * permille) / 1_000n, elapsed] as const;
          }),
      ),
      sent: ([before, ...rest]) => [packed(before as oracle.PoolHistory), ...rest],
      received: unpacked,
      times: 6,
    },
    approximateLogPrice: { args: fc.tuple(reserve, reserve), times: 6 },
    decayOf: { args: fc.tuple(fc.oneof(seconds, uint(2n ** 64n))), times: 4 },
    swapFeeDown: {
      args: fc.tuple(rate, uint(2n ** 32n), uint(2n ** 32n), fc.bigInt(0n, 100n * WAD)),
      times: 2,
    },
  },
);

const time = fc.oneof(uint(2n ** 64n), fc.bigInt(1_700_000_000n, 1_700_010_000n));
const snapshot: fc.Arbitrary<consult.Snapshot> = fc.record({
  cumulativeLogPriceWad: fc.oneof(int(2n ** 127n), int(2n ** 100n)),
  varianceRateWad: rate,
  timestamp: time,
});
/** Two snapshots, mostly in order, with the same pool's sums. */
const window = fc.oneof(
  fc.tuple(snapshot, snapshot),
  fc
    .tuple(snapshot, logPrice, fc.oneof(fc.bigInt(1n, 100_000n), positive(2n ** 32n)), rate)
    .map(([from, mean, length, varianceRateWad]) => {
      const cumulativeLogPriceWad = from.cumulativeLogPriceWad / 2n + mean * 10_000n * length;
      const first = { ...from, cumulativeLogPriceWad: from.cumulativeLogPriceWad / 2n };
      return [
        first,
        { cumulativeLogPriceWad, varianceRateWad, timestamp: from.timestamp + length },
      ] as const;
    })
    .filter(([, to]) => to.timestamp < 2n ** 64n),
);
const decimals = fc.bigInt(0n, 18n);

await describeParity("PoolConsultHarness", consult, {
  meanLogPriceWad: { args: window, errors: ["PoolConsult_InvalidWindow"], times: 2 },
  geometricMeanPriceWad: {
    args: fc.tuple(window, decimals, decimals).map(([[from, to], a, b]) => [from, to, a, b]),
    errors: ["ExpOverflow", "PoolConsult_InvalidWindow"],
    times: 3,
  },
  realizedVolatilityWad: { args: window, errors: ["PoolConsult_InvalidWindow"], times: 4 },
});
