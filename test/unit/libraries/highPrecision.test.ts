import { readFileSync } from "node:fs";
import { expect } from "chai";
import {
  abs,
  cbrt,
  ceilWad,
  div,
  exp,
  expectAbove,
  expectBelow,
  expectWithin,
  floorWad,
  fromWad,
  ln,
  mul,
  ONE,
  real,
  sqrt,
} from "../../support/highPrecision.ts";

const { groups } = JSON.parse(
  readFileSync(new URL("../../vectors/fixed_point.json", import.meta.url), "utf8"),
) as { groups: Record<string, { cases: { x: string; true: string; true_floor: string }[] }> };

/** Last places of the forty that the yardstick may be wrong in, relative to the size of the number. */
const SLACK = 10n ** 4n;

/** Decimal text, in units of 1e-18, as a real: "1.25" is 1.25e-18. */
function fromText(text: string): bigint {
  const [whole, fraction = ""] = text.split(".");
  const digits = fraction.slice(0, 22).padEnd(22, "0");
  return BigInt(`${whole}${digits}`);
}

/** Cases of one group whose true value is given with its fraction. */
function casesOf(group: string) {
  return groups[group]!.cases.filter((entry) => entry.true.includes("."));
}

describe("high-precision yardstick", () => {
  for (const group of ["expWad_solady", "exp_prb"]) {
    it(`gives the true values of the exponential that ${group} lists`, () => {
      for (const { x, true: truth } of casesOf(group)) {
        const expected = fromText(truth);
        // Beyond 22 decimals of the listed value there is nothing to compare with.
        const allowed = (abs(expected) * SLACK) / ONE + SLACK + abs(expected) / 10n ** 38n;
        expect(abs(exp(fromWad(BigInt(x))) - expected) <= allowed, `exp(${x})`).to.equal(true);
      }
    });
  }

  for (const group of ["lnWad_solady", "ln_prb"]) {
    it(`gives the true values of the logarithm that ${group} lists`, () => {
      for (const { x, true: truth } of casesOf(group)) {
        const expected = fromText(truth);
        expect(abs(ln(fromWad(BigInt(x))) - expected) <= SLACK, `ln(${x})`).to.equal(true);
      }
    });
  }

  it("gives the true square roots", () => {
    for (const { x, true_floor: truth } of groups.sqrtWad_solady!.cases) {
      expect(floorWad(sqrt(fromWad(BigInt(x))))).to.equal(BigInt(truth));
    }
  });

  it("gives the largest root that does not exceed the number", () => {
    for (const x of [0n, 1n, real(2n), real(27n), real(10n, 7n), real(123_456_789n, 1_000n)]) {
      const [square, cube] = [sqrt(x), cbrt(x)];
      expect(square ** 2n <= x * ONE && (square + 1n) ** 2n > x * ONE).to.equal(true);
      expect(cube ** 3n <= x * ONE ** 2n && (cube + 1n) ** 3n > x * ONE ** 2n).to.equal(true);
    }
    expect(cbrt(real(27n))).to.equal(real(3n));
  });

  it("takes the exponential back by the logarithm", () => {
    for (const x of [real(1n, 3n), real(-17n, 4n), real(29n, 2n)]) {
      expect(abs(ln(exp(x)) - x) <= (SLACK * exp(abs(x))) / ONE + SLACK).to.equal(true);
    }
  });

  it("rounds toward minus infinity, or plus where the name says so", () => {
    expect(real(-1n, 3n) + real(1n, 3n)).to.equal(-1n);
    expect(mul(real(-1n, 3n), 1n)).to.equal(-1n);
    expect(div(-1n, real(3n))).to.equal(-1n);
    expect([floorWad(-1n), ceilWad(-1n), floorWad(1n), ceilWad(1n)]).to.deep.equal([
      -1n,
      0n,
      0n,
      1n,
    ]);
  });

  it("rejects a number one unit beyond the tolerance", () => {
    expectWithin(103n, fromWad(100n), 3n);
    expect(() => expectWithin(104n, fromWad(100n), 3n)).to.throw("104 x 1e-18 is");
    expectWithin(104n, fromWad(100n), 3n, real(1n, 100n));
    expect(() => expectWithin(96n, fromWad(100n), 3n)).to.throw("96 x 1e-18 is");
  });

  it("rejects a number on the wrong side, however near", () => {
    expectBelow(100n, fromWad(100n) + 1n, 1n);
    expectAbove(100n, fromWad(100n) - 1n, 1n);
    expect(() => expectBelow(100n, fromWad(100n) - 1n, 1n)).to.throw("100 is above");
    expect(() => expectAbove(100n, fromWad(100n) + 1n, 1n)).to.throw("100 is below");
    expect(() => expectBelow(98n, fromWad(100n), 1n)).to.throw("98 x 1e-18 is");
  });

  it("refuses logarithms and roots that are not real", () => {
    expect(() => ln(0n)).to.throw(RangeError);
    expect(() => sqrt(-1n)).to.throw(RangeError);
  });
});
