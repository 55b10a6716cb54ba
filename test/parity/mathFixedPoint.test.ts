import fc from "fast-check";
import * as twin from "../../src/math/fixedPoint.ts";
import { describeParity, int, uint, WAD, word } from "./mathParity.ts";

const MAX = 2n ** 256n - 1n;

/** Also pairs whose product is at the edge of 256 bits. */
const factors = fc.oneof(
  fc.tuple(word, word),
  fc.tuple(uint(2n ** 128n), uint(2n ** 128n)),
  fc
    .tuple(word, fc.bigInt(-1n, 1n))
    .map(([x, nudge]) => [x, x === 0n ? MAX : MAX / x + nudge] as const)
    .filter(([, y]) => y >= 0n && y <= MAX),
);

/** Also divisors at the edge of what leaves 256 bits of the quotient. */
const fullQuotients = fc.oneof(
  fc.tuple(word, word, word),
  fc.tuple(factors, word).map(([[x, y], d]) => [x, y, d] as const),
  fc
    .tuple(word, word, fc.bigInt(-1n, 1n))
    .map(([x, y, nudge]) => [x, y, ((x * y) >> 256n) + nudge] as const)
    .filter(([, , d]) => d >= 0n && d <= MAX),
);

/** Also numbers around the largest whose product with `scale` has 256 bits. */
const near = (scale: bigint) =>
  fc
    .oneof(
      word,
      fc.bigInt(-3n, 3n).map((nudge) => MAX / scale + nudge),
    )
    .filter((x) => x <= MAX);

/** Also squares and cubes of wads, and their neighbors. */
const around = (power: bigint, scale: bigint) =>
  fc.oneof(
    near(scale),
    word,
    fc
      .tuple(uint(2n ** 128n), fc.bigInt(-1n, 1n))
      .map(([root, nudge]) => root ** power / scale + nudge)
      .filter((x) => x >= 0n && x <= MAX),
  );

/** Any `int256`, also its least. */
const signed = fc.oneof(int(2n ** 255n), fc.constant(-(2n ** 255n)));

/** Numbers around every bound of a type. */
const aroundBounds = fc.oneof(
  signed,
  fc
    .tuple(
      fc.constantFrom(31n, 32n, 39n, 40n, 95n, 96n, 111n, 112n, 127n, 128n),
      fc.bigInt(-2n, 2n),
    )
    .map(([bits, nudge]) => 2n ** bits + nudge),
);
const unsignedCast = {
  args: fc.tuple(aroundBounds.map((x) => (x < 0n ? ~x : x))),
  errors: ["Overflow"],
};
const signedCast = {
  args: fc.tuple(fc.tuple(aroundBounds, fc.boolean()).map(([x, flip]) => (flip ? -x - 1n : x))),
  errors: ["Overflow"],
};

await describeParity("FixedPointHarness", twin, {
  fullMulDiv: { args: fullQuotients, errors: ["FullMulDivFailed"], times: 3 },
  fullMulDivUp: { args: fullQuotients, errors: ["FullMulDivFailed"], times: 3 },
  mulDiv: {
    args: fc.tuple(factors, word).map(([[x, y], d]) => [x, y, d]),
    errors: ["MulDivFailed"],
  },
  mulWad: { args: factors, errors: ["MulWadFailed"] },
  mulWadUp: { args: factors, errors: ["MulWadFailed"] },
  divWad: { args: fc.tuple(near(WAD), word), errors: ["DivWadFailed"] },
  divWadUp: { args: fc.tuple(near(WAD), word), errors: ["DivWadFailed"] },
  divUp: { args: fc.tuple(word, word), errors: ["DivFailed"] },
  rawDiv: { args: fc.tuple(word, word) },
  checkedAdd: {
    args: fc
      .oneof(
        fc.tuple(word, word),
        fc
          .tuple(word, fc.bigInt(0n, 1n))
          .map(([x, nudge]) => [x, nudge > x ? 0n : MAX - x + nudge]),
      )
      .filter(([, y]) => (y as bigint) <= MAX),
    errors: ["Panic"],
  },
  checkedSub: { args: fc.tuple(word, word), errors: ["Panic"] },
  checkedMul: { args: factors, errors: ["Panic"] },
  // The least number by -1 is Solidity's other panic; no caller gets there.
  checkedDiv: { args: fc.tuple(int(2n ** 255n), int(2n ** 255n)), errors: ["Panic"] },
  zeroFloorSub: { args: fc.tuple(word, word) },
  dist: { args: fc.tuple(word, word) },
  clamp: { args: fc.tuple(word, word, word) },
  min: { args: fc.tuple(word, word) },
  max: { args: fc.tuple(word, word) },
  abs: { args: fc.tuple(signed) },
  toUint32: unsignedCast,
  toUint40: unsignedCast,
  toUint96: unsignedCast,
  toUint112: unsignedCast,
  toUint128: unsignedCast,
  toInt96: signedCast,
  toInt112: signedCast,
  toInt128: signedCast,
  sqrt: { args: fc.tuple(around(2n, 1n)), times: 15 },
  sqrtWad: { args: fc.tuple(around(2n, WAD)), times: 15 },
  cbrtWad: { args: fc.tuple(around(3n, WAD * WAD)), times: 15 },
  mulSqrt: { args: factors, times: 8 },
  log2: {
    args: fc.tuple(
      fc.oneof(
        word,
        fc
          .tuple(fc.bigInt(0n, 255n), fc.bigInt(-1n, 1n))
          .map(([bits, nudge]) => 2n ** bits + nudge),
      ),
    ),
    times: 4,
  },
  lnWad: {
    args: fc.tuple(
      fc.oneof(
        { weight: 4, arbitrary: uint(2n ** 255n) },
        { weight: 3, arbitrary: fc.bigInt(WAD / 2n, 2n * WAD) },
        { weight: 1, arbitrary: fc.bigInt(WAD - 1_000n, WAD + 1_000n) },
        { weight: 1, arbitrary: signed },
      ),
    ),
    errors: ["LnWadUndefined"],
    times: 15,
  },
  expWad: {
    args: fc.tuple(
      fc.oneof(
        { weight: 4, arbitrary: fc.bigInt(-42n * WAD, 136n * WAD) },
        { weight: 4, arbitrary: fc.bigInt(-WAD, WAD) },
        { weight: 1, arbitrary: fc.bigInt(-3n, 3n).map((n) => n - 41446531673892822313n) },
        { weight: 1, arbitrary: fc.bigInt(-3n, 3n).map((n) => n + 135305999368893231589n) },
        { weight: 2, arbitrary: signed },
      ),
    ),
    errors: ["ExpOverflow"],
    times: 15,
  },
});
