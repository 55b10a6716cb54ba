import { Command } from "commander";
import { fileOption, parseArguments, type RawOptions } from "../cli.ts";
import { BadInputError, quoted } from "../simulation/errors.ts";
import type { TestSelection } from "./mutant.ts";

const DEFAULT_MAXIMUM = 40;
const DEFAULT_SEED = 1;
const DEFAULT_AT_LEAST = 90;

/** Mutants that the operators make of one file. */
export interface GenerateOptions {
  readonly path: string;
  readonly tests: TestSelection;
  readonly maximum: number;
  readonly seed: number;
  /** Percent of the valid mutants that must be noticed. */
  readonly atLeast: number;
}

/** What one invocation is asked to do. */
export interface MutateOptions {
  /** undefined: the stored mutants are tried. */
  readonly generate: GenerateOptions | undefined;
  /** Part of the name of the stored mutants to try; empty for all. */
  readonly only: string;
  /** Where the JSON document goes; none when undefined. */
  readonly json: string | undefined;
}

/**
 * Reads the command line of `npm run mutate`.
 *
 * @param args arguments without the interpreter and the script
 * @returns undefined when the help text was asked for, and printed
 * @throws BadInputError with one line naming the option and what it may be
 */
export function parseOptions(args: readonly string[]): MutateOptions | undefined {
  const command = new Command("mutate")
    .description(
      "Plants small faults in a private copy of the contracts and checks that tests notice them.",
    )
    .option("--only <text>", "of the stored mutants, those whose name contains the text")
    .option("--generate <file>", "mutants of this contract instead of the stored ones")
    .option("--tests <files>", "with --generate: the tests that must notice them, comma-separated")
    .option("--grep <pattern>", "with --generate: only the tests with such names")
    .option("--max <count>", `with --generate: how many at most (default: ${DEFAULT_MAXIMUM})`)
    .option("--seed <integer>", `with --generate: which of them (default: ${DEFAULT_SEED})`)
    .option(
      "--at-least <percent>",
      `with --generate: share that must be noticed (default: ${DEFAULT_AT_LEAST})`,
    )
    .option("--json <file>", "write the results as JSON");
  const raw = parseArguments(command, args);
  if (raw === undefined) return undefined;
  const json = fileOption(raw, "json");
  if (raw.generate === undefined) {
    const stray = ["tests", "grep", "max", "seed", "atLeast"].find((name) => name in raw);
    if (stray !== undefined)
      throw new BadInputError(`--${stray === "atLeast" ? "at-least" : stray} needs --generate`);
    return { generate: undefined, only: String(raw.only ?? ""), json };
  }
  if (raw.only !== undefined) throw new BadInputError("--only and --generate exclude each other");
  return { generate: generateOptions(raw), only: "", json };
}

function generateOptions(raw: RawOptions): GenerateOptions {
  const path = String(fileOption(raw, "generate")).replace(/^\.\//, "");
  if (!/^contracts\/(?!.*\.\.).+\.sol$/.test(path))
    throw new BadInputError(`--generate ${quoted(path)} is no file contracts/**/*.sol`);
  const files = String(fileOption(raw, "tests") ?? "")
    .split(",")
    .map((file) => file.trim().replace(/^\.\//, ""))
    .filter((file) => file !== "");
  if (files.length === 0) throw new BadInputError("--generate needs --tests FILE[,FILE...]");
  return {
    path,
    tests: { files, grep: raw.grep === undefined ? undefined : String(raw.grep) },
    maximum: integer(raw, "max", DEFAULT_MAXIMUM, 1, 100_000),
    seed: integer(raw, "seed", DEFAULT_SEED, 0, Number.MAX_SAFE_INTEGER),
    atLeast: integer(raw, "at-least", DEFAULT_AT_LEAST, 0, 100),
  };
}

function integer(
  raw: RawOptions,
  name: string,
  fallback: number,
  least: number,
  most: number,
): number {
  const text = raw[name === "at-least" ? "atLeast" : name];
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(String(text)) || value < least || value > most)
    throw new BadInputError(
      `--${name} ${quoted(String(text))} is not a whole number between ${least} and ${most}`,
    );
  return value;
}
