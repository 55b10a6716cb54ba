import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { parseArguments, runCommand } from "../cli.ts";
import { writeAtomically } from "../simulation/files.ts";

/**
 * Writes docs/access.md and sets the process's exit code: 0 done, 1 failed, 2 bad input (one line on stderr).
 *
 * @param args arguments without the interpreter and the script
 */
export async function main(args: readonly string[]): Promise<void> {
  await runCommand(async () => {
    const command = new Command("access").description(
      "Writes docs/access.md: who may call which function.",
    );
    if (parseArguments(command, args) === undefined) return;
    const { buildContracts } = await import("../simulation/evmBackend.ts");
    await buildContracts();
    const { ACCESS_DOCUMENT, accessDocument } = await import("./document.ts");
    const file = fileURLToPath(new URL(`../../${ACCESS_DOCUMENT}`, import.meta.url));
    writeAtomically(file, await accessDocument());
    process.stdout.write(`${ACCESS_DOCUMENT} written\n`);
  });
}
