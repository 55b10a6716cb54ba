import Table from "cli-table3";
import { comparisonRows, POLICY_TITLES, type SimulationResult } from "./results.ts";

/** The summary table for a terminal: runs side by side, amounts in whole quote tokens. */
export function summaryTable(result: SimulationResult): string {
  const { runs } = result;
  const table = new Table({
    head: ["", ...runs.map(({ policy }) => POLICY_TITLES[policy])],
    colAligns: ["left", ...runs.map((): "right" => "right")],
    style: { head: [], border: [], compact: true },
  });
  for (const { label, values } of comparisonRows(runs)) table.push([label, ...values]);
  return table.toString();
}
