import Table from "cli-table3";
import { Command } from "commander";
import { fileOption, parseArguments, runCommand } from "../cli.ts";
import { assertWritable, writeAtomically } from "../simulation/files.ts";
import { grouped } from "./expectations.ts";
import { benchModel, type ModelBench } from "./modelBench.ts";

const SCENARIO = "black-thursday-2020-03";
const FLOW = "momentum";
const SEED = 1;
/** What the model is meant to reach on an idle machine: as many times the contracts' speed, and so many steps a second on one core. */
const LEAST_RATIO = 300;
const LEAST_STEPS_PER_SECOND = 10_000;

/**
 * Runs the command and sets the process's exit code: 0 done, 1 something failed (the cause on stderr), 2 bad input (one
 * line on stderr, nothing measured, nothing written). How fast a machine is today is a figure, not a failure.
 *
 * @param args arguments without the interpreter and the script
 */
export async function main(args: readonly string[]): Promise<void> {
  await runCommand(async () => {
    const command = new Command("bench:model")
      .description("Times the model of the protocol beside its contracts, on the same run.")
      .option("--json <file>", "write the figures as JSON");
    const options = parseArguments(command, args);
    if (options !== undefined) await execute(fileOption(options, "json"));
  });
}

/** The document that `--json` writes. */
export function toJson(bench: ModelBench): string {
  const { ratio, model, evm, actions } = bench;
  return `${JSON.stringify({ scenario: SCENARIO, flow: FLOW, seed: SEED, actions, ratio, model, evm }, null, 2)}\n`;
}

/** One line for each target that was missed. */
export function misses({ ratio, model }: ModelBench): string[] {
  return [
    ...(ratio < LEAST_RATIO
      ? [`the model is ${ratio.toFixed(0)} times as fast as the contracts, below ${LEAST_RATIO}`]
      : []),
    ...(model.stepsPerSecond < LEAST_STEPS_PER_SECOND
      ? [
          `the model makes ${grouped(Math.round(model.stepsPerSecond))} steps a second, below ${grouped(LEAST_STEPS_PER_SECOND)}`,
        ]
      : []),
  ];
}

async function execute(json: string | undefined): Promise<void> {
  if (json !== undefined) assertWritable(json, "--json");
  const bench = await benchModel({ scenario: SCENARIO, flow: FLOW, seed: SEED }, (backend) =>
    process.stderr.write(`${SCENARIO}, ${FLOW}, seed ${SEED}, on the ${backend} backend\n`),
  );
  if (json !== undefined) writeAtomically(json, toJson(bench));
  process.stdout.write(`${tableOf(bench)}\n`);
  for (const line of misses(bench)) process.stdout.write(`${line}\n`);
}

function tableOf({ ratio, model, evm, actions }: ModelBench): string {
  const table = new Table({
    head: ["backend", "steps a second", "steps timed", "seconds"],
    colAligns: ["left", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const [name, { stepsPerSecond, steps, seconds }] of [
    ["evm", evm],
    ["model", model],
  ] as const) {
    table.push([name, grouped(Math.round(stepsPerSecond)), grouped(steps), seconds.toFixed(1)]);
  }
  return `${table.toString()}\nThe model is ${ratio.toFixed(0)} times as fast; ${grouped(actions)} actions a run on both.`;
}
