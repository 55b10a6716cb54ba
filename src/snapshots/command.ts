import { Command } from "commander";
import { parseArguments, runCommand } from "../cli.ts";
import { differences } from "./figures.ts";
import { readSnapshot, SNAPSHOT_FOLDER, SNAPSHOTS, writeSnapshot } from "./files.ts";
import { ACCEPT, driftReport } from "./report.ts";

/**
 * Runs the command and sets the process's exit code: 0 done, 1 the figures drifted from the committed ones and `--check`
 * was given, or something failed (one line on stderr), 2 bad input (one line on stderr, nothing measured or written).
 *
 * @param args arguments without the interpreter and the script
 */
export async function main(args: readonly string[]): Promise<void> {
  await runCommand(async () => {
    const command = new Command("snapshot")
      .description("Measures gas and bytecode size and writes them to snapshots/.")
      .option("--check", "write nothing, fail when a figure is not the committed one");
    const options = parseArguments(command, args);
    if (options !== undefined) await execute(options.check === true);
  });
}

async function execute(check: boolean): Promise<void> {
  // Hardhat takes a second to load: only once the input is known to be good.
  const { buildContracts } = await import("../simulation/evmBackend.ts");
  await buildContracts();
  const { measureGasSnapshot } = await import("./gas.ts");
  const { measureSizes } = await import("./sizes.ts");
  const measured = { gas: await measureGasSnapshot(), size: await measureSizes() };

  let drifted = false;
  for (const name of SNAPSHOTS) {
    const found = differences(readSnapshot(SNAPSHOT_FOLDER, name), measured[name]);
    drifted ||= found.length > 0;
    process.stdout.write(`${driftReport(name, found)}\n`);
  }
  if (!check) for (const name of SNAPSHOTS) writeSnapshot(SNAPSHOT_FOLDER, name, measured[name]);
  else if (drifted) {
    process.stderr.write(`${ACCEPT}\n`);
    process.exitCode = 1;
  }
}
