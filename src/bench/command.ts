import { Command } from "commander";
import { fileOption, parseArguments, runCommand } from "../cli.ts";
import { assertWritable, writeAtomically } from "../simulation/files.ts";
import { type JudgedRow, misses } from "./expectations.ts";
import { gasTable } from "./gasTable.ts";

const INTRODUCTION =
  "Gas of whole transactions, under the same conditions for all: pools of 1,000,000 : 2,000,000, a fee of 0.3 %, 1,234.57 in.";

/**
 * Runs the command and sets the process's exit code: 0 done, 1 a row misses its figure or something failed (each cause
 * one line on stderr), 2 bad input (one line on stderr, nothing measured, nothing written).
 *
 * @param args arguments without the interpreter and the script
 */
export async function main(args: readonly string[]): Promise<void> {
  await runCommand(async () => {
    const command = new Command("bench:gas")
      .description("Measures what the pool's operations cost in gas, beside Uniswap V2 and V3.")
      .option("--json <file>", "write the figures as JSON");
    const options = parseArguments(command, args);
    if (options !== undefined) await execute(fileOption(options, "json"));
  });
}

/** The document that `--json` writes. */
export function toJson(rows: readonly JudgedRow[]): string {
  return `${JSON.stringify({ rows }, null, 2)}\n`;
}

async function execute(json: string | undefined): Promise<void> {
  if (json !== undefined) assertWritable(json, "--json");

  // Hardhat takes a second to load: only once the input is known to be good.
  const { buildContracts } = await import("../simulation/evmBackend.ts");
  await buildContracts();
  const { measureGas } = await import("./gasBench.ts");
  const rows = await measureGas();

  if (json !== undefined) writeAtomically(json, toJson(rows));
  process.stdout.write(`${INTRODUCTION}\n${gasTable(rows)}\n`);
  const missed = misses(rows);
  for (const line of missed) process.stderr.write(`${line}\n`);
  if (missed.length > 0) process.exitCode = 1;
}
