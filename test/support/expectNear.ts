import { expect } from "chai";

/** Asserts |actual - expected| <= tolerance for doubles; Hardhat's matchers make chai's `closeTo` one for integers. */
export function expectNear(actual: number, expected: number, tolerance: number, what = ""): void {
  expect(Math.abs(actual - expected), `${what} ${actual} against ${expected}`).to.be.at.most(
    tolerance,
  );
}
