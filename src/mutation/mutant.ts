/** The tests that must notice a mutant. */
export interface TestSelection {
  /** Paths from the repository's root: `.test.ts` for mocha, `.t.sol` for Solidity tests. */
  readonly files: readonly string[];
  /** Part of, or regular expression for, the names of the tests; all of them when undefined. */
  readonly grep: string | undefined;
}

/** A small fault planted in one or more contracts, and the tests that must notice it. */
export interface Mutant {
  /** Short and unique: the file's name for stored mutants, the place for generated ones. */
  readonly id: string;
  /** What the fault does, in one sentence. */
  readonly title: string;
  readonly tests: TestSelection;
  /** Whole contents of the files that the fault changes, by path from the repository's root. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * What became of a mutant.
 *
 * - `killed`: a test failed by an assertion.
 * - `reverted`: no assertion failed, but the body of a test met a revert that it did not expect.
 * - `survived`: every test passed.
 * - `invalid`: nothing was learned. It does not compile, a test could not be prepared or loaded, or the time ran out.
 */
export type Verdict = "killed" | "reverted" | "survived" | "invalid";

/** A mutant's verdict and where it came from. */
export interface Outcome {
  readonly verdict: Verdict;
  /** The test that failed, or why nothing was learned; empty for a survivor. */
  readonly by: string;
  readonly seconds: number;
}

/** A mutant that has been tried. */
export interface Trial {
  readonly mutant: Mutant;
  readonly outcome: Outcome;
}

/** The selection in a few words, for tables and messages. */
export function describeTests({ files, grep }: TestSelection): string {
  return files.join(", ") + (grep === undefined ? "" : ` (${grep})`);
}
