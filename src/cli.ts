import { type Command, CommanderError } from "commander";
import { BadInputError, causeInOneLine, printable } from "./simulation/errors.ts";

const EXIT_FAILURE = 1;
const EXIT_BAD_INPUT = 2;

/** Option values by name, as commander hands them over. */
export type RawOptions = Readonly<Record<string, string | boolean | undefined>>;

/**
 * Reads a command line.
 *
 * @param command with its options; excess arguments are refused here
 * @param args arguments without the interpreter and the script
 * @returns undefined when the help text was asked for, and printed
 * @throws BadInputError with one line naming the option at fault
 */
export function parseArguments(command: Command, args: readonly string[]): RawOptions | undefined {
  command
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  try {
    command.parse(args, { from: "user" });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return undefined;
    const fault = thrown.message.replace(/^error: |\.$/g, "").replaceAll("\n", " ");
    throw new BadInputError(`${fault}; see --help`);
  }
  return command.opts<RawOptions>();
}

/**
 * The file that an option names, undefined when the option is absent.
 *
 * @throws BadInputError for a blank name
 */
export function fileOption(options: RawOptions, name: string): string | undefined {
  const path = options[name];
  if (path === undefined) return undefined;
  if (String(path).trim() === "") throw new BadInputError(`--${name} needs a file name`);
  return String(path);
}

/** Runs a command; what it throws becomes one line on stderr and the exit code: 1 failed, 2 bad input. */
export async function runCommand(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (thrown) {
    const badInput = thrown instanceof BadInputError;
    process.stderr.write(`${printable(badInput ? thrown.message : causeInOneLine(thrown))}\n`);
    process.exitCode = badInput ? EXIT_BAD_INPUT : EXIT_FAILURE;
  }
}
