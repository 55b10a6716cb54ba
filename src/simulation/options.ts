import { Command } from "commander";
import { fileOption, parseArguments } from "../cli.ts";
import { BACKEND_NAMES, type BackendName } from "./backends.ts";
import { POLICY_NAMES, type PolicyName } from "./engine.ts";
import { BadInputError, quoted } from "./errors.ts";
import { FLOW_NAMES, type FlowName } from "./flows/skewTarget.ts";
import type { OracleSettings } from "./paths/oracleFeed.ts";
import { feedText, parseFeed } from "./paths/parseFeed.ts";
import { MAXIMUM_STEP_SECONDS, MINIMUM_STEP_SECONDS } from "./scenario.ts";

/** What one invocation is asked to do. */
export interface SimulateOptions {
  readonly scenario: string;
  readonly policy: PolicyName | "both";
  readonly flow: FlowName;
  readonly seed: number;
  readonly backend: BackendName;
  /** Seconds per step; the path's own when undefined. */
  readonly step: number | undefined;
  /** Which price rounds there are; one at every step when undefined. */
  readonly oracle: OracleSettings | undefined;
  /** Where the JSON document goes; none when undefined. */
  readonly json: string | undefined;
  /** Where the report goes; `reports/<scenario>.html` when undefined. */
  readonly report: string | undefined;
  readonly quiet: boolean;
}

/** What `npm start` runs. */
export const DEFAULT_OPTIONS: SimulateOptions = {
  scenario: "black-thursday-2020-03",
  policy: "both",
  flow: "momentum",
  seed: 1,
  backend: "evm",
  step: undefined,
  oracle: undefined,
  json: undefined,
  report: undefined,
  quiet: false,
};

const POLICIES = [...POLICY_NAMES, "both"] as const;
/** Policies that the interface promises and this version does not have. */
const POLICIES_TO_COME = ["daily", "threshold", "zero-band", "all"];

/**
 * Reads the command line of `npm run simulate`.
 *
 * @param args arguments without the interpreter and the script
 * @returns undefined when the help text was asked for, and printed
 * @throws BadInputError with one line naming the option and what it may be
 */
export function parseOptions(args: readonly string[]): SimulateOptions | undefined {
  const command = new Command("simulate")
    .description(
      "Replays a market path on the protocol's contracts and compares the LPs' result with their benchmark.",
    )
    .option(
      "--scenario <name|file|process>",
      "scenario by name, a .json or .csv file, or a process such as gbm:sigma=0.8,days=2,step=300",
      DEFAULT_OPTIONS.scenario,
    )
    .option("--policy <policy>", `what keepers do: ${POLICIES.join(", ")}`, DEFAULT_OPTIONS.policy)
    .option(
      "--backend <backend>",
      `what runs the protocol: ${BACKEND_NAMES.join(", ")}`,
      DEFAULT_OPTIONS.backend,
    )
    .option("--flow <flow>", `the crowd: ${FLOW_NAMES.join(", ")}`, DEFAULT_OPTIONS.flow)
    .option("--step <seconds>", "finer steps within each bar, such as 12 (default: the bars)")
    .option(
      "--feed <settings>",
      "price feed, such as heartbeat=3600,deviation=0.005,lag=24,outage=3600/7200 (default: every step)",
    )
    .option("--seed <integer>", "seed of all that is random", String(DEFAULT_OPTIONS.seed))
    .option("--json <file>", "write the figures as JSON")
    .option("--report <file>", "write the report there (default: reports/<scenario>.html)")
    .option("--quiet", "no progress", false);
  const raw = parseArguments(command, args);
  if (raw === undefined) return undefined;
  const text = (name: string): string => String(raw[name] ?? "");
  return {
    scenario: text("scenario"),
    policy: choice("policy", text("policy"), POLICIES),
    backend: choice("backend", text("backend"), BACKEND_NAMES),
    flow: choice("flow", text("flow"), FLOW_NAMES),
    seed: readSeed(text("seed")),
    step: raw.step === undefined ? undefined : readStep(text("step")),
    oracle: raw.feed === undefined ? undefined : readFeed(text("feed")),
    json: fileOption(raw, "json"),
    report: fileOption(raw, "report"),
    quiet: raw.quiet === true,
  };
}

/** The command that gives the same result. */
export function commandLine(options: SimulateOptions): string {
  const { scenario, policy, flow, seed, step, oracle } = options;
  const quoted = /^[\w./:=,-]+$/.test(scenario) ? scenario : JSON.stringify(scenario);
  return [
    `npm run simulate -- --scenario ${quoted} --policy ${policy} --flow ${flow} --seed ${seed}`,
    ...(step === undefined ? [] : [`--step ${step}`]),
    ...(oracle === undefined ? [] : [`--feed ${feedText(oracle)}`]),
  ].join(" ");
}

function choice<T extends string>(
  name: "policy" | "backend" | "flow",
  value: string,
  allowed: readonly T[],
): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  const available = `available: ${allowed.join(", ")}`;
  if (name === "policy" && POLICIES_TO_COME.includes(value))
    throw new BadInputError(`--${name} ${value} is not available yet; ${available}`);
  throw new BadInputError(`--${name} ${quoted(value)} is unknown; ${available}`);
}

function readStep(text: string): number {
  const step = Number(text);
  if (!/^\d+$/.test(text) || step < MINIMUM_STEP_SECONDS || step > MAXIMUM_STEP_SECONDS) {
    throw new BadInputError(
      `--step ${quoted(text)} is not a whole number of seconds from ${MINIMUM_STEP_SECONDS} to ${MAXIMUM_STEP_SECONDS}`,
    );
  }
  return step;
}

function readFeed(text: string): OracleSettings {
  if (text.trim() === "")
    throw new BadInputError("--feed needs settings such as heartbeat=3600,deviation=0.005");
  return parseFeed(text);
}

function readSeed(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed)) {
    throw new BadInputError(
      `--seed ${quoted(text)} is not a whole number between 0 and ${Number.MAX_SAFE_INTEGER}`,
    );
  }
  return seed;
}
