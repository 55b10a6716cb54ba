/** Why a test failed; only an assertion says that the test noticed something. */
export type FailureKind = "assertion" | "revert" | "timeout" | "crash";

/** A test that failed. */
export interface Failure {
  readonly kind: FailureKind;
  /** Full title of the test. */
  readonly test: string;
  /** First line of what was thrown. */
  readonly message: string;
}

/** What the tests of one run said. */
export interface TestRun {
  readonly passed: number;
  readonly failures: readonly Failure[];
}

/** A run of tests that came to an end, or why it did not. */
export type RunResult =
  | { readonly kind: "ran"; readonly run: TestRun }
  | { readonly kind: "not built"; readonly message: string }
  | { readonly kind: "stopped"; readonly message: string };

const TIMEOUT_CODE = "ERR_MOCHA_TIMEOUT";
/** Causes are followed this far: property-based tests wrap what their property threw. */
const MAXIMUM_CAUSES = 8;
/** How the in-process chain and ethers say that a call reverted. */
const REVERT = /\breverted\b|\brevert\b|CALL_EXCEPTION|VM Exception/i;
/** Reasons of a failed Solidity test that are no sentence of `require` and no failed `assert`. */
const SOLIDITY_REVERT = /^(?:EvmError|custom error|panic: (?!assertion)|call reverted|revert$)/i;

/**
 * Why a mocha test failed.
 *
 * @param thrown what it threw
 */
export function failureKind(thrown: unknown): FailureKind {
  const causes = causesOf(thrown);
  const has = (test: (cause: Cause) => boolean) => causes.some(test);
  if (has(({ code }) => code === TIMEOUT_CODE)) return "timeout";
  if (has(({ name, code }) => name === "AssertionError" || code === "ERR_ASSERTION"))
    return "assertion";
  return has(({ message, code }) => REVERT.test(`${code} ${message}`)) ? "revert" : "crash";
}

/**
 * Why a Solidity test failed. `require(condition, "sentence")` and `assert` are its assertions.
 *
 * @param test name of the function
 * @param reason as the test runner gives it
 */
export function solidityFailureKind(test: string, reason: string | undefined): FailureKind {
  if (/^setUp\b/.test(test)) return "crash";
  return reason === undefined || reason === "" || SOLIDITY_REVERT.test(reason)
    ? "revert"
    : "assertion";
}

interface Cause {
  readonly name: unknown;
  readonly code: unknown;
  readonly message: string;
}

function causesOf(thrown: unknown): Cause[] {
  const causes: Cause[] = [];
  let next = thrown;
  while (typeof next === "object" && next !== null && causes.length < MAXIMUM_CAUSES) {
    const { name, code, message, cause } = next as Record<string, unknown>;
    causes.push({ name, code, message: String(message ?? "") });
    next = cause;
  }
  return causes;
}

/** What a run of a mutant's tests says about the mutant. */
export function verdictOf(result: RunResult): {
  verdict: "killed" | "reverted" | "survived" | "invalid";
  by: string;
} {
  if (result.kind === "not built")
    return { verdict: "invalid", by: `does not compile: ${result.message}` };
  if (result.kind === "stopped") return { verdict: "invalid", by: result.message };
  const { passed, failures } = result.run;
  const first = (kind: FailureKind) => failures.find((failure) => failure.kind === kind);
  const killer = first("assertion");
  if (killer !== undefined) return { verdict: "killed", by: killer.test };
  const reverted = first("revert");
  if (reverted !== undefined)
    return { verdict: "reverted", by: `${reverted.test}: ${reverted.message}` };
  const broken = failures[0];
  if (broken !== undefined)
    return { verdict: "invalid", by: `${broken.kind}: ${broken.test}: ${broken.message}` };
  return passed === 0 ? { verdict: "invalid", by: "no test ran" } : { verdict: "survived", by: "" };
}

/**
 * Why the tests cannot judge mutants, undefined when they can: run on the tree as it is, some pass and none fails.
 */
export function baselineFault(result: RunResult): string | undefined {
  if (result.kind === "not built") return `the contracts do not compile: ${result.message}`;
  if (result.kind === "stopped") return result.message;
  const { passed, failures } = result.run;
  const [failure] = failures;
  if (failure !== undefined)
    return `"${failure.test}" fails without any mutant: ${failure.message}`;
  return passed === 0 ? "no test runs" : undefined;
}
