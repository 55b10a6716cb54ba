import { dirname, join } from "node:path";
import { DEFAULT_SETTINGS } from "../../deploy/deployProtocol.ts";
import { runCommand } from "../cli.ts";
import { toNumber, WAD_DECIMALS } from "../units.ts";
import type { BackendFactory } from "./backend.ts";
import { type PolicyName, type RunResult, run } from "./engine.ts";
import { assertDistinct, assertWritable, ensureFolder, writeAtomically } from "./files.ts";
import { generateIntents } from "./flows.ts";
import { loadScenario, scenarioPath } from "./loadScenario.ts";
import { commandLine, parseOptions, type SimulateOptions } from "./options.ts";
import { createProgress } from "./progress.ts";
import { reportHtml } from "./report.ts";
import { comparisonSentence, POLICY_TITLES, type SimulationResult, toJson } from "./results.ts";
import type { Scenario } from "./scenario.ts";
import { summaryTable } from "./table.ts";

const REPORT_FOLDER = "reports";

/** Both policies on one path and one list of intents. */
export async function simulate(
  scenario: Scenario,
  options: Pick<SimulateOptions, "policy" | "flow" | "seed" | "backend">,
  createBackend: BackendFactory,
  onStep: (done: number, policy: PolicyName) => void = () => {},
): Promise<SimulationResult> {
  const { flow, seed, backend } = options;
  const policies: PolicyName[] =
    options.policy === "both" ? ["rebalance", "none"] : [options.policy];
  const { targetBaseWeight, lpEquity } = DEFAULT_SETTINGS;
  const intents = generateIntents(scenario, flow, seed, {
    initialEquityQuote: toNumber(lpEquity, WAD_DECIMALS),
    targetBaseWeight: toNumber(targetBaseWeight, WAD_DECIMALS),
  });
  const runs: RunResult[] = [];
  for (const [index, policy] of policies.entries()) {
    const before = index * scenario.close.length;
    runs.push(
      await run({
        scenario,
        intents,
        policy,
        targetBaseWeight,
        createBackend,
        onStep: (done) => onStep(before + done, policy),
      }),
    );
  }
  return { scenario, flow, seed, backend, intents: intents.length, runs };
}

/**
 * Runs the command and sets the process's exit code: 0 done, 1 failed (cause on stderr), 2 bad input (one line on
 * stderr, nothing run, nothing written).
 *
 * @param args arguments without the interpreter and the script
 */
export async function main(args: readonly string[]): Promise<void> {
  await runCommand(async () => {
    const options = parseOptions(args);
    if (options !== undefined) await execute(options);
  });
}

async function execute(options: SimulateOptions): Promise<void> {
  const scenario = loadScenario(options.scenario);
  const reportPath = options.report ?? join(REPORT_FOLDER, `${scenario.name}.html`);
  if (options.report === undefined) ensureFolder(dirname(reportPath));
  const outputs = [
    ...(options.json === undefined ? [] : [["--json", options.json] as const]),
    ["--report", reportPath] as const,
  ];
  for (const [option, path] of outputs) assertWritable(path, option);
  assertDistinct([["--scenario", scenarioPath(options.scenario)], ...outputs]);

  // Hardhat takes a second to load: only once the input is known to be good.
  const { buildContracts, createEvmBackend } = await import("./evmBackend.ts");
  await buildContracts();
  const policies = options.policy === "both" ? 2 : 1;
  const progress = createProgress(scenario.close.length * policies, options.quiet);
  let result: SimulationResult;
  try {
    result = await simulate(scenario, options, createEvmBackend, (done, policy) =>
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

function summaryText(result: SimulationResult, reportPath: string): string {
  const { scenario, flow, seed, intents, runs } = result;
  const accepted = runs
    .map(({ policy, orders }) => `${orders.accepted} accepted ${POLICY_TITLES[policy]}`)
    .join(", ");
  return [
    `${scenario.name}: ${scenario.title}. ${scenario.close.length} bars of ${scenario.stepSeconds} s, flow ${flow}, seed ${seed}.`,
    `${intents} order intents, the same for every run: ${accepted}. Amounts in quote tokens.`,
    summaryTable(result),
    `Report: ${reportPath}`,
    comparisonSentence(runs) ?? "",
  ]
    .filter((line) => line !== "")
    .join("\n");
}
