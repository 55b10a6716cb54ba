// Random amounts of two tokens.
import fc from "fast-check";

export interface Amounts {
  in0?: bigint;
  in1?: bigint;
  out0?: bigint;
  out1?: bigint;
}

/** 100 %. */
export const ALL = 10n ** 18n;
/** One unit more than a reserve can hold. */
export const OVER_THE_LIMIT = 2n ** 112n;

/** An amount of so many bits. */
const ofBits = (bits: number, noise: bigint): bigint =>
  2n ** BigInt(bits) + (noise % 2n ** BigInt(bits));

const bits = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 20, max: 105 }) },
  { weight: 1, arbitrary: fc.nat(111) },
);
const noise = fc.bigInt(0n, OVER_THE_LIMIT - 1n);
/** A little more than the product of reserves of a thousand units, which the first deposit must exceed. */
const LEAST_BITS_OF_PRODUCT = 22;

/** First deposits: from nothing to one unit above 112 bits of either token, every order of magnitude as likely as any other. */
export const deposit: fc.Arbitrary<[bigint, bigint]> = fc.oneof(
  {
    weight: 15,
    arbitrary: fc
      .tuple(bits, noise, bits, noise)
      .map(([bits0, noise0, bits1, noise1]): [bigint, bigint] => [
        ofBits(bits0, noise0),
        ofBits(Math.max(bits1, LEAST_BITS_OF_PRODUCT - bits0), noise1),
      ]),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.bigInt(0n, 4096n), fc.bigInt(0n, 4096n)),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(noise, fc.constantFrom(1n, 1n, 1n, 0n), fc.boolean())
      .map(([amount, off, first]): [bigint, bigint] =>
        first ? [OVER_THE_LIMIT - off, amount] : [amount, OVER_THE_LIMIT - off],
      ),
  },
);

/** From everything down to a millionth of a millionth. */
export const share = fc
  .tuple(fc.oneof(fc.nat(8), fc.nat(40)), fc.bigInt(0n, ALL))
  .map(([halvings, noise]) => (ALL >> BigInt(halvings)) - (noise >> BigInt(halvings + 1)));
export const few = fc.oneof({ weight: 3, arbitrary: fc.constant(0n) }, fc.bigInt(1n, 1000n));
/** Mostly the limit of what is allowed, sometimes a unit to either side. */
export const edge = fc.constantFrom(0n, 0n, 0n, 0n, -1n, 1n);
export const side = fc.nat(1);

/** The same amounts with the tokens exchanged when `side` is 1. */
export const turned = (which: number, { in0, in1, out0, out1 }: Amounts): Amounts =>
  Object.fromEntries(
    Object.entries(
      which === 0 ? { in0, in1, out0, out1 } : { in0: in1, in1: in0, out0: out1, out1: out0 },
    ).filter(([, amount]) => amount !== undefined && amount !== 0n),
  );
