import { expect } from "chai";
import { network } from "hardhat";
import { ceilWad, floorWad, fromWad, mul, WAD } from "../../support/highPrecision.ts";

const { ethers } = await network.create();
const math = await ethers.deployContract("SignedWadMathHarness");

const LARGEST = 2n ** 127n - 1n;
const NUMBERS = [
  0n,
  1n,
  -1n,
  WAD,
  -WAD,
  1_234_567_890_123_456_789n,
  -987_654_321_098_765_432_109n,
  LARGEST,
  -LARGEST,
];
const DIVISORS = [1n, 7n, WAD, 1_234_567_890_123_456_789n, LARGEST];

/** Quotient toward minus infinity for a positive divisor, from the remainder's sign. */
function floorOf(x: bigint, d: bigint): bigint {
  return (x - (((x % d) + d) % d)) / d;
}

describe("SignedWadMath", () => {
  it("rounds products toward minus infinity and toward plus infinity, up to the largest operands", async () => {
    for (const x of NUMBERS) {
      for (const y of NUMBERS) {
        // 36 decimals fit into forty: the yardstick is exact.
        const exact = mul(fromWad(x), fromWad(y));
        expect(await math.mulWadFloor(x, y), `${x} * ${y}`).to.equal(floorWad(exact));
        expect(await math.mulWadCeil(x, y), `${x} * ${y}`).to.equal(ceilWad(exact));
      }
    }
  });

  it("rounds quotients toward minus infinity and toward plus infinity", async () => {
    for (const x of NUMBERS) {
      for (const d of DIVISORS) {
        expect(await math.divFloor(x, d), `${x} / ${d}`).to.equal(floorOf(x, d));
        expect(await math.divCeil(x, d), `${x} / ${d}`).to.equal(-floorOf(-x, d));
      }
    }
  });

  it("is exact up to the bounds it states: an amount below 2^127 times anything below 2^128", async () => {
    const widest = 2n ** 128n - 1n;
    for (const x of [LARGEST, LARGEST - 1n, -LARGEST]) {
      for (const y of [widest, -widest, widest - 12_345_678_901n]) {
        expect(await math.mulWadFloor(x, y), `${x} * ${y}`).to.equal(floorOf(x * y, WAD));
        expect(await math.mulWadCeil(y, x), `${y} * ${x}`).to.equal(-floorOf(-x * y, WAD));
      }
    }
    const most = 2n ** 255n - 1n;
    for (const x of [most, -most]) {
      for (const d of DIVISORS) {
        expect(await math.divFloor(x, d), `${x} / ${d}`).to.equal(floorOf(x, d));
        expect(await math.divCeil(x, d), `${x} / ${d}`).to.equal(-floorOf(-x, d));
      }
    }
  });

  it("orders numbers and takes magnitudes", async () => {
    expect(await math.min(-3n, 2n)).to.equal(-3n);
    expect(await math.min(2n, -3n)).to.equal(-3n);
    expect(await math.max(-3n, 2n)).to.equal(2n);
    expect(await math.max(2n, -3n)).to.equal(2n);
    expect(await math.magnitude(-LARGEST)).to.equal(LARGEST);
    expect(await math.magnitude(LARGEST)).to.equal(LARGEST);
    expect(await math.magnitude(0n)).to.equal(0n);
  });

  it("finds opposite signs only where neither number is zero", async () => {
    const opposite: [bigint, bigint][] = [
      [1n, -1n],
      [-LARGEST, 3n],
    ];
    const same: [bigint, bigint][] = [
      [1n, 1n],
      [-1n, -2n],
      [0n, 1n],
      [0n, -1n],
      [-1n, 0n],
      [0n, 0n],
    ];
    for (const [x, y] of opposite) expect(await math.oppositeSigns(x, y)).to.equal(true);
    for (const [x, y] of same) expect(await math.oppositeSigns(x, y)).to.equal(false);
  });
});
