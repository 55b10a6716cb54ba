import { fileURLToPath } from "node:url";
import { runCommand } from "../cli.ts";
import { assertWritable, writeAtomically } from "../simulation/files.ts";
import { type CampaignListener, runCampaign } from "./campaign.ts";
import { generateMutants } from "./generate.ts";
import { describeTests, type Mutant, type Trial } from "./mutant.ts";
import { type MutateOptions, parseOptions } from "./options.ts";
import { countsLine, countsOf, killRate, trialsJson, trialTable } from "./report.ts";
import { assertTestFiles, readSource, readStoredMutants } from "./stored.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Runs the command and sets the process's exit code: 0 every stored mutant was killed, or enough of the generated ones
 * noticed; 1 too few were, or tests fail without a mutant; 2 bad input (one line on stderr).
 *
 * @param args arguments without the interpreter and the script
 */
export async function main(args: readonly string[]): Promise<void> {
  await runCommand(async () => {
    const options = parseOptions(args);
    if (options !== undefined) await execute(options);
  });
}

async function execute(options: MutateOptions): Promise<void> {
  const { json, generate } = options;
  if (json !== undefined) assertWritable(json, "--json");
  const mutants = mutantsOf(options);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => {
      stop.abort();
      process.exit(1);
    });
  const trials = await runCampaign(ROOT, mutants, progress, stop.signal);
  if (json !== undefined) writeAtomically(json, trialsJson(trials));
  process.stdout.write(`${trialTable(trials)}\n${countsLine(trials)}\n`);
  const fault = generate === undefined ? storedFault(trials) : rateFault(trials, generate.atLeast);
  if (fault === undefined) return;
  process.stderr.write(`${fault}\n`);
  process.exitCode = 1;
}

function mutantsOf({ generate, only }: MutateOptions): Mutant[] {
  if (generate === undefined) return readStoredMutants(ROOT, only);
  const { path, tests, maximum, seed } = generate;
  readSource(ROOT, path, "--generate");
  assertTestFiles(ROOT, tests, "--tests");
  return generateMutants(ROOT, path, tests, maximum, seed);
}

/** Why the stored mutants fail the command: an unexpected revert is not what their tests promise. */
function storedFault(trials: readonly Trial[]): string | undefined {
  const left = trials.filter(({ outcome }) => outcome.verdict !== "killed");
  if (left.length === 0) return undefined;
  return `not killed: ${left.map(({ mutant }) => mutant.id).join(", ")}`;
}

function rateFault(trials: readonly Trial[], atLeast: number): string | undefined {
  const rate = killRate(countsOf(trials));
  if (rate === undefined) return "no valid mutant was made";
  process.stdout.write(`${rate.toFixed(1)} % noticed, ${atLeast} % wanted\n`);
  return rate >= atLeast ? undefined : "too few mutants were noticed";
}

/** On stderr: one line when tests have run without a mutant, and one per mutant. */
const progress: CampaignListener = {
  baseline: (tests, passed, seconds) =>
    void process.stderr.write(
      `${passed} tests pass without a mutant in ${seconds.toFixed(1)} s: ${describeTests(tests)}\n`,
    ),
  trial: ({ mutant, outcome }, done, total) =>
    void process.stderr.write(
      `${done}/${total} ${outcome.verdict} in ${outcome.seconds.toFixed(1)} s: ${mutant.id}\n`,
    ),
};
