import { basename } from "node:path";
import Table from "cli-table3";
import { describeTests, type Trial, type Verdict } from "./mutant.ts";

const VERDICTS: readonly Verdict[] = ["killed", "reverted", "survived", "invalid"];
/** The tests are shown by file name: a path would be cut. */
const COLUMN_WIDTHS = [50, 36, 10, 50, 9];

/** How many mutants met which end. */
export type Counts = Readonly<Record<Verdict, number>>;

/** Counts trials by verdict. */
export function countsOf(trials: readonly Trial[]): Counts {
  const count = (verdict: Verdict) =>
    trials.filter(({ outcome }) => outcome.verdict === verdict).length;
  return {
    killed: count("killed"),
    reverted: count("reverted"),
    survived: count("survived"),
    invalid: count("invalid"),
  };
}

/**
 * Share of the mutants that the tests noticed, by an assertion or by a revert that no test expected, in percent. Invalid
 * ones say nothing and do not count.
 *
 * @returns undefined when nothing counts
 */
export function killRate({ killed, reverted, survived }: Counts): number | undefined {
  const valid = killed + reverted + survived;
  return valid === 0 ? undefined : (100 * (killed + reverted)) / valid;
}

/** The trials as a table for a terminal. */
export function trialTable(trials: readonly Trial[]): string {
  const table = new Table({
    head: ["mutant", "tests", "result", "killed by, or why not", "seconds"],
    colWidths: COLUMN_WIDTHS,
    colAligns: ["left", "left", "left", "left", "right"],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  for (const { mutant, outcome } of trials)
    table.push([
      `${mutant.id}: ${mutant.title}`,
      describeTests({ ...mutant.tests, files: mutant.tests.files.map((file) => basename(file)) }),
      outcome.verdict,
      outcome.by,
      outcome.seconds.toFixed(1),
    ]);
  return table.toString();
}

/** Counts in one line, such as "12 mutants: 10 killed, 1 survived, 1 invalid". */
export function countsLine(trials: readonly Trial[]): string {
  const counts = countsOf(trials);
  const parts = VERDICTS.filter((verdict) => counts[verdict] > 0).map(
    (verdict) => `${counts[verdict]} ${verdict}`,
  );
  return `${trials.length} mutants: ${parts.join(", ")}`;
}

/** The trials as a JSON document. */
export function trialsJson(trials: readonly Trial[]): string {
  const document = {
    counts: countsOf(trials),
    killRatePercent: killRate(countsOf(trials)) ?? null,
    mutants: trials.map(({ mutant: { id, title, tests }, outcome }) => ({
      id,
      title,
      tests: tests.files,
      grep: tests.grep ?? null,
      result: outcome.verdict,
      by: outcome.by,
      seconds: Math.round(outcome.seconds * 10) / 10,
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
