import { expect } from "chai";
import fc from "fast-check";
import {
  formatDecimal,
  formatHuman,
  formatPercent,
  parseDecimal,
  rescale,
  squareRootDown,
  toNumber,
  toNumberFast,
  WAD,
} from "../../../src/units.ts";

describe("units", () => {
  it("reads decimal strings exactly", () => {
    expect(parseDecimal("1.5", 6)).to.equal(1_500_000n);
    expect(parseDecimal("-0.000001", 6)).to.equal(-1n);
    expect(parseDecimal("107.82", 18)).to.equal(107_820_000_000_000_000_000n);
    expect(parseDecimal("7.", 2)).to.equal(700n);
    expect(parseDecimal("1.500000", 1)).to.equal(15n);
  });

  it("throws instead of rounding excess decimals", () => {
    expect(() => parseDecimal("0.1234567", 6)).to.throw(RangeError, "more than 6 decimals");
  });

  it("refuses what is not plain decimal notation", () => {
    for (const text of [
      "",
      "abc",
      "1e5",
      "1,000",
      ".5",
      "0x10",
      "1.2.3",
      " 1",
      "NaN",
      "Infinity",
    ]) {
      expect(() => parseDecimal(text, 6), text).to.throw(RangeError, "not a decimal number");
    }
  });

  it("writes what it reads", () => {
    for (const text of ["0", "1.5", "-1.5", "0.000001", "-0.000001", "123456789.123456"]) {
      expect(formatDecimal(parseDecimal(text, 6), 6)).to.equal(text);
    }
  });

  it("rounds half away from zero for people", () => {
    expect(formatHuman(1_234_567_890n, 6, 2)).to.equal("1,234.57");
    expect(formatHuman(-1_500_000n, 6, 0)).to.equal("-2");
    expect(formatHuman(-400_000n, 6, 0)).to.equal("0");
    expect(formatHuman(999_999_999_999n, 6, 2)).to.equal("1,000,000.00");
    expect(formatPercent(WAD / 20n, 2)).to.equal("5.00 %");
  });

  it("gives the double nearest to the decimal, by whichever way", () => {
    const exact = (value: bigint, decimals: number) => Number(formatDecimal(value, decimals));
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n }),
        fc.integer({ min: 0, max: 127 }),
        fc.constantFrom(0, 6, 8, 18),
        fc.boolean(),
        (value, shift, decimals, feed) => {
          const amount = (value >> BigInt(shift)) * (feed ? 10n ** 10n : 1n);
          expect(toNumber(amount, decimals)).to.equal(exact(amount, decimals));
          const error = Math.abs(toNumberFast(amount, decimals) - exact(amount, decimals));
          expect(error).to.be.at.most(Math.abs(exact(amount, decimals)) * 2 ** -51);
        },
      ),
      { numRuns: 2_000, seed: 20_200_312 },
    );
  });

  it("rescales toward zero", () => {
    expect(rescale(-15n, 1, 0)).to.equal(-1n);
    expect(rescale(15n, 0, 3)).to.equal(15_000n);
  });

  it("takes square roots rounded down", () => {
    for (const root of [0n, 1n, 2n, 3n, 10n ** 9n + 7n, 2n ** 112n - 1n]) {
      expect(squareRootDown(root * root)).to.equal(root);
      if (root > 1n) expect(squareRootDown(root * root - 1n)).to.equal(root - 1n);
      if (root > 0n) expect(squareRootDown(root * root + 1n)).to.equal(root);
    }
    expect(() => squareRootDown(-1n)).to.throw(RangeError);
  });
});
