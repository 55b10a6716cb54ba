import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { BadInputError } from "../simulation/errors.ts";
import { applyPatch, parseDiff } from "./diff.ts";
import type { Mutant, TestSelection } from "./mutant.ts";

/** Where the stored mutants are, from the repository's root. */
export const MUTANT_FOLDER = "test/mutants";

const FIELDS = ["mutant", "tests", "grep"];

/**
 * Reads the stored mutants, applied to the tree as it is.
 *
 * A file begins with a header, one field a line, and then holds a unified diff against `contracts/`:
 *
 *     mutant: The pool gives the rounding of a sale to the trader.
 *     tests: test/unit/pool/ConstantProductPool.test.ts
 *     grep: rounds
 *
 * `tests` may name several files, separated by commas; `grep` is optional.
 *
 * @param root of the repository
 * @param only keeps the mutants whose name contains it
 * @throws BadInputError naming the file, when one is malformed or no longer applies, or when none is left
 */
export function readStoredMutants(root: string, only = ""): Mutant[] {
  const folder = join(root, MUTANT_FOLDER);
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".diff"))
    .sort();
  const chosen = names.filter((name) => name.includes(only));
  if (chosen.length === 0)
    throw new BadInputError(
      `no stored mutant has ${JSON.stringify(only)} in its name; there are ${names.join(", ")}`,
    );
  return chosen.map((name) =>
    readStoredMutant(root, `${MUTANT_FOLDER}/${name}`, readFileSync(join(folder, name), "utf8")),
  );
}

/**
 * A stored mutant from its text.
 *
 * @param root of the tree that it is applied to
 * @param name of the file, for messages
 * @throws BadInputError naming the file, when it is malformed or does not apply
 */
export function readStoredMutant(root: string, name: string, text: string): Mutant {
  const header = text.slice(0, text.search(/^--- /m));
  const fields = new Map<string, string>();
  for (const line of header.split("\n")) {
    if (line.trim() === "") continue;
    const [, field = "", value = ""] = /^(\w+): *(.*?) *$/.exec(line) ?? [];
    if (!FIELDS.includes(field) || value === "")
      throw new BadInputError(
        `${name}: "${line}" is no header line; allowed: ${FIELDS.join(", ")}, each with a value`,
      );
    if (fields.has(field)) throw new BadInputError(`${name} has two lines "${field}:"`);
    fields.set(field, value);
  }
  const required = (field: string): string => {
    const value = fields.get(field);
    if (value === undefined) throw new BadInputError(`${name} has no line "${field}: ..."`);
    return value;
  };
  const title = required("mutant");
  const tests: TestSelection = {
    files: required("tests").split(/ *, */),
    grep: fields.get("grep"),
  };
  assertTestFiles(root, tests, name);

  const files = new Map<string, string>();
  for (const patch of parseDiff(text, name)) {
    const { path } = patch;
    if (!/^contracts\/(?!.*\.\.).+\.sol$/.test(path))
      throw new BadInputError(`${name} changes ${path}: only contracts/**/*.sol may be mutated`);
    const content = files.get(path) ?? readSource(root, path, `${name} no longer applies`);
    files.set(path, applyPatch(content, patch, name));
  }
  return { id: name.replace(/^.*\/|\.diff$/g, ""), title, tests, files };
}

/**
 * Makes sure that the tests exist and that something can run them.
 *
 * @param owner what names them, for the message
 * @throws BadInputError naming the file
 */
export function assertTestFiles(root: string, { files }: TestSelection, owner: string): void {
  for (const file of files) {
    if (!/^test\/(?!.*\.\.).+\.(test\.ts|t\.sol)$/.test(file))
      throw new BadInputError(`${owner}: ${file} is no test file, test/**/*.test.ts or *.t.sol`);
    if (statSync(join(root, file), { throwIfNoEntry: false })?.isFile() !== true)
      throw new BadInputError(`${owner}: ${file} does not exist`);
  }
}

/**
 * The content of a contract's file.
 *
 * @param fault begins the message
 * @throws BadInputError when there is no such file
 */
export function readSource(root: string, path: string, fault: string): string {
  const file = join(root, path);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
    throw new BadInputError(`${fault}: there is no file ${path}`);
  return readFileSync(file, "utf8");
}
