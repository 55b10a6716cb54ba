import { dirname, join } from "node:path";
import { runCommand } from "../cli.ts";
import { DEFAULT_SETTINGS } from "../deploymentSettings.ts";
import { createPopulation, type PopulationOptions } from "./agents/population.ts";
import type { BackendFactory, BackendSetup } from "./backend.ts";
import { loadBackend } from "./backends.ts";
import { type PolicyName, type RunResult, run } from "./engine.ts";
import { assertDistinct, assertWritable, ensureFolder, writeAtomically } from "./files.ts";
import { loadMarket, type Market, scenarioPath } from "./loadScenario.ts";
import { commandLine, parseOptions, type SimulateOptions } from "./options.ts";
import { isSyntheticPath } from "./paths/parsePath.ts";
import type { PricePath } from "./paths/pricePath.ts";
import { refine } from "./paths/refine.ts";
import { createProgress } from "./progress.ts";
import { reportHtml } from "./report.ts";
import { comparisonSentence, POLICY_TITLES, type SimulationResult, toJson } from "./results.ts";
import { summaryTable } from "./table.ts";

const REPORT_FOLDER = "reports";

/** What is simulated; agents and settings beyond the default ones are for callers of `simulate` only. */
export type SimulationOptions = Pick<SimulateOptions, "policy" | "flow" | "seed" | "backend"> & {
  readonly oracle?: SimulateOptions["oracle"];
  readonly agents?: Pick<
    PopulationOptions,
    "keepers" | "liquidators" | "liquidityProviders" | "depthShock"
  >;
  readonly settings?: BackendSetup["settings"];
};

/** Longer series are thinned to this many records, so that reports stay readable and memory flat. */
export const MAXIMUM_RECORDS = 10_000;

/** Both policies on one path and one list of intents. */
export async function simulate(
  market: Market,
  options: SimulationOptions,
  createBackend: BackendFactory,
  onStep: (done: number, policy: PolicyName) => void = () => {},
): Promise<SimulationResult> {
  const { flow, seed, backend, oracle } = options;
  const { path } = market;
  const policies: PolicyName[] =
    options.policy === "both" ? ["rebalance", "none"] : [options.policy];
  const { targetBaseWeight, lpEquity } = { ...DEFAULT_SETTINGS, ...options.settings };
  const runs: RunResult[] = [];
  for (const [index, policy] of policies.entries()) {
    const population = createPopulation(path, {
      ...options.agents,
      flow,
      seed,
      initialEquity: lpEquity,
      targetBaseWeight,
    });
    runs.push(
      await run({
        path,
        policy,
        population,
        targetBaseWeight,
        createBackend,
        seed,
        keepSeries: true,
        recordEvery: Math.ceil(path.steps / MAXIMUM_RECORDS),
        onStep: (done) => onStep(index * path.steps + done, policy),
        ...(oracle === undefined ? {} : { oracle }),
        ...(options.settings === undefined ? {} : { settings: options.settings }),
      }),
    );
  }
  return { market, flow, seed, backend, oracle, intents: runs[0]?.intents ?? 0, runs };
}

/**
 * Runs the command and sets the process's exit code: 0 done, 1 failed (cause on stderr), 2 bad input (one line on
 * stderr, nothing run, nothing written).
 *
 * @param args arguments without the interpreter and the script
 * @param load makes the backend that `--backend` names
 */
export async function main(
  args: readonly string[],
  load: typeof loadBackend = loadBackend,
): Promise<void> {
  await runCommand(async () => {
    const options = parseOptions(args);
    if (options !== undefined) await execute(options, load);
  });
}

async function execute(options: SimulateOptions, load: typeof loadBackend): Promise<void> {
  const market = marketFor(options);
  const reportPath = options.report ?? join(REPORT_FOLDER, reportName(market.path));
  if (options.report === undefined) ensureFolder(dirname(reportPath));
  const outputs = [
    ...(options.json === undefined ? [] : [["--json", options.json] as const]),
    ["--report", reportPath] as const,
  ];
  for (const [option, path] of outputs) assertWritable(path, option);
  assertDistinct([
    ...(isSyntheticPath(options.scenario)
      ? []
      : [["--scenario", scenarioPath(options.scenario)] as const]),
    ...outputs,
  ]);

  // Only once the input is known to be good.
  const createBackend = await load(options.backend);
  const policies = options.policy === "both" ? 2 : 1;
  const progress = createProgress(market.path.steps * policies, options.quiet);
  let result: SimulationResult;
  try {
    result = await simulate(market, options, createBackend, (done, policy) =>
      progress.update(done, POLICY_TITLES[policy]),
    );
  } finally {
    progress.stop();
  }

  const html = reportHtml(result, commandLine(options));
  if (options.json !== undefined) writeAtomically(options.json, toJson(result));
  writeAtomically(reportPath, html);
  process.stdout.write(`${summaryText(result, reportPath)}\n`);
}

/** The market that was asked for, in the steps that were asked for. */
function marketFor({ scenario, seed, step }: SimulateOptions): Market {
  const market = loadMarket(scenario, seed);
  return step === undefined ? market : { ...market, path: refine(market.path, seed, step) };
}

/** The name of a synthetic path has signs that file names should not have. */
function reportName({ name }: PricePath): string {
  return `${name.replace(/[^\w.-]+/g, "-")}.html`;
}

function summaryText(result: SimulationResult, reportPath: string): string {
  const { market, flow, seed, intents, runs } = result;
  const { name, steps, stepSeconds } = market.path;
  const accepted = runs
    .map(({ policy, orders }) => `${orders.accepted} accepted ${POLICY_TITLES[policy]}`)
    .join(", ");
  return [
    `${name}: ${market.title}. ${steps} bars of ${stepSeconds} s, flow ${flow}, seed ${seed}.`,
    `${intents} order intents, the same for every run: ${accepted}. Amounts in quote tokens.`,
    summaryTable(result),
    `Report: ${reportPath}`,
    comparisonSentence(runs) ?? "",
  ]
    .filter((line) => line !== "")
    .join("\n");
}
