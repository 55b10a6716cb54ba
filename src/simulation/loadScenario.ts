import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BadInputError, causeInOneLine, quoted } from "./errors.ts";
import { isSyntheticPath, PROCESS_NAMES, parsePath } from "./paths/parsePath.ts";
import { type PricePath, pathOfScenario } from "./paths/pricePath.ts";
import type { Scenario } from "./scenario.ts";
import { parseCsvScenario } from "./scenarioCsv.ts";
import { parseJsonScenario } from "./scenarioJson.ts";

/** Folder of the scenarios that come with the project. */
export const SCENARIO_FOLDER = fileURLToPath(new URL("../../scenarios/", import.meta.url));

/** Names of the scenarios in `scenarios/`, sorted. */
export function scenarioNames(): string[] {
  return readdirSync(SCENARIO_FOLDER)
    .filter((file) => file.endsWith(".json"))
    .map((file) => basename(file, ".json"))
    .sort();
}

/** The file of a scenario given by name or path. */
export function scenarioPath(nameOrPath: string): string {
  return scenarioNames().includes(nameOrPath)
    ? join(SCENARIO_FOLDER, `${nameOrPath}.json`)
    : nameOrPath;
}

/**
 * Loads a scenario by name, or from the user's own JSON or CSV file.
 *
 * @param nameOrPath a name of `scenarioNames()`, or a path that ends in `.json` or `.csv`
 * @throws BadInputError with one line: what is wrong, where (field, or row and column) and what is allowed
 */
export function loadScenario(nameOrPath: string): Scenario {
  const path = scenarioPath(nameOrPath);
  const extension = extname(path).toLowerCase();
  if (extension === ".json") return parseJsonScenario(readText(path), nameOrPath);
  if (extension === ".csv") {
    return parseCsvScenario(readText(path), nameOrPath, basename(path, extname(path)));
  }
  throw new BadInputError(
    `unknown scenario ${quoted(nameOrPath)}; available: ${scenarioNames().join(", ")}, a path ending in .json or .csv, or a process (${PROCESS_NAMES.join(", ")}) such as gbm:sigma=0.8,days=2,step=300`,
  );
}

/** A price path and what people are told about it. */
export interface Market {
  readonly path: PricePath;
  readonly title: string;
  /** Where the prices come from. */
  readonly source: string;
}

/** The market of a scenario. */
export function marketOf(scenario: Scenario): Market {
  const { title, source } = scenario;
  return { path: pathOfScenario(scenario), title, source };
}

/**
 * The market of a scenario, of the user's own file or of a process.
 *
 * @param text what `loadScenario` or `parsePath` read
 * @param seed of a process; scenarios have none
 * @throws BadInputError with one line: what is wrong, where and what is allowed
 */
export function loadMarket(text: string, seed: number): Market {
  if (!isSyntheticPath(text)) return marketOf(loadScenario(text));
  const path = parsePath(text, seed);
  return { path, title: "Synthetic prices", source: `process ${path.name}, seed ${seed}` };
}

function readText(path: string): string {
  if (!existsSync(path)) throw new BadInputError(`scenario file ${path} does not exist`);
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    throw new BadInputError(`scenario file ${path} cannot be read: ${causeInOneLine(thrown)}`);
  }
}
