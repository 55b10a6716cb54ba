import Table from "cli-table3";
import { grouped, type JudgedRow, TOLERANCE } from "./expectations.ts";
import { BALLAST } from "./rows.ts";

/** The table for a terminal; each row's gas also as a multiple of ours for the same operation. */
export function gasTable(rows: readonly JudgedRow[]): string {
  const table = new Table({
    head: ["operation", "system", "gas", "of ballast", "should be"],
    colAligns: ["left", "left", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  let above: string | undefined;
  for (const { operation, system, gas, expected, target } of rows) {
    const ours = rows.find((row) => row.operation === operation && row.system === BALLAST);
    table.push([
      operation === above ? "" : operation,
      system,
      grouped(gas),
      ours === undefined ? "" : (gas / ours.gas).toFixed(2),
      shouldBe(expected, target),
    ]);
    above = operation;
  }
  return table.toString();
}

function shouldBe(expected: number | undefined, target: number | undefined): string {
  if (expected !== undefined) return `${grouped(expected)} ± ${TOLERANCE}`;
  return target === undefined ? "" : `at most ${grouped(target)}`;
}
