import { expect } from "chai";

/** Mean of a sample and the standard error of it. */
export interface Estimate {
  readonly mean: number;
  readonly error: number;
}

/** Mean and standard error of independent values. */
export function estimate(values: readonly number[]): Estimate {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}

/** The variance around a known mean, as the mean of the squared distances. */
export function estimateVariance(values: readonly number[], mean: number): Estimate {
  return estimate(values.map((value) => (value - mean) ** 2));
}

/**
 * Asserts that a sample agrees with its expectation within four standard errors, and that the error is small enough for
 * that to say something.
 *
 * @param precision largest standard error that is worth calling a test, in units of the expectation
 */
export function expectWithinFourErrors(
  { mean, error }: Estimate,
  expected: number,
  precision: number,
  what: string,
): void {
  const text = `${what}: ${mean} +- ${error} against ${expected}`;
  expect(error, `${text}: too few paths`).to.be.at.most(precision * Math.abs(expected));
  expect(Math.abs(mean - expected), text).to.be.at.most(4 * error);
}
