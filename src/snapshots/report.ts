import Table from "cli-table3";
import { grouped } from "../bench/expectations.ts";
import type { Difference } from "./figures.ts";
import type { SnapshotName } from "./files.ts";

/** What somebody does who wants drift to become the standard. */
export const ACCEPT =
  "If this is meant to be, accept it with `npm run snapshot` and commit the files.";

const NOUNS: Readonly<Record<SnapshotName, { title: string; row: string }>> = {
  gas: { title: "gas of operations", row: "operation" },
  size: { title: "bytes of contracts", row: "code" },
};

/** What differs from `snapshots/NAME.json`, in one line or as a table with a title. */
export function driftReport(name: SnapshotName, found: readonly Difference[]): string {
  const { title: content, row } = NOUNS[name];
  const title = `snapshots/${name}.json, ${content}`;
  return found.length === 0
    ? `${title}: as committed`
    : `${title}: ${found.length} differ from what is committed\n${differenceTable(found, row)}`;
}

/** The table for a terminal, in which rows of one group stand together. */
function differenceTable(rows: readonly Difference[], row: string): string {
  const table = new Table({
    head: ["contract", row, "committed", "measured", "difference"],
    colAligns: ["left", "left", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  let above: string | undefined;
  for (const { group, name, committed, measured } of rows) {
    table.push([
      group === above ? "" : group,
      name,
      committed === undefined ? "" : grouped(committed),
      measured === undefined ? "" : grouped(measured),
      change(committed, measured),
    ]);
    above = group;
  }
  return table.toString();
}

function change(committed: number | undefined, measured: number | undefined): string {
  if (committed === undefined) return "new";
  if (measured === undefined) return "gone";
  const difference = measured - committed;
  return `${difference > 0 ? "+" : ""}${grouped(difference)}`;
}
