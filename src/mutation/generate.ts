import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { createRandom } from "../simulation/random.ts";
import type { Mutant, TestSelection } from "./mutant.ts";
import { type Edit, editsAt } from "./operators.ts";
import { placesOf } from "./structure.ts";
import { lineOf, tokenize } from "./tokens.ts";

const SHOWN_LENGTH = 60;

/** A generated fault: the edit, and what is said about it. */
export interface Generated extends Edit {
  readonly line: number;
  readonly title: string;
}

/**
 * Every fault that the operators can plant in a file, in the order of the source. Comments, strings, imports, assembly,
 * types and declarations are left alone.
 *
 * @param functions names of functions that the file may call: roundings are exchanged between these only
 */
export function generateEdits(source: string, functions: ReadonlySet<string>): Generated[] {
  const tokens = tokenize(source);
  const places = placesOf(tokens);
  return tokens.flatMap((token, index) => {
    const place = places[index];
    if (place === undefined) return [];
    const edits = editsAt({ source, tokens, index, token, place, functions });
    return edits.map((edit) => ({
      ...edit,
      line: lineOf(source, edit.start),
      title: sentence(place.within, edit, source.slice(edit.start, edit.end)),
    }));
  });
}

function sentence(within: string | undefined, edit: Edit, before: string): string {
  const shown = (text: string) => {
    const flat = text.replace(/\s+/g, " ");
    return flat.length > SHOWN_LENGTH ? `${flat.slice(0, SHOWN_LENGTH)}...` : flat;
  };
  const where = within === undefined ? "" : `${within}: `;
  const { operator, replacement } = edit;
  return replacement === "" || operator === "statement"
    ? `${where}without ${shown(before)}`
    : `${where}${shown(before)} becomes ${shown(replacement)}`;
}

/**
 * Mutants of one file.
 *
 * @param root of the repository
 * @param path of the file from there
 * @param maximum how many at most; a random choice of them when there are more
 * @param seed of that choice: the same seed gives the same mutants
 */
export function generateMutants(
  root: string,
  path: string,
  tests: TestSelection,
  maximum: number,
  seed: number,
): Mutant[] {
  const source = readFileSync(join(root, path), "utf8");
  const edits = sample(generateEdits(source, callableFunctions(root, path)), maximum, seed);
  return edits.map(({ operator, start, end, replacement, line, title }) => {
    const column = start - source.lastIndexOf("\n", start - 1);
    return {
      id: `${basename(path, ".sol")}:${line}:${column} ${operator}`,
      title,
      tests,
      files: new Map([[path, source.slice(0, start) + replacement + source.slice(end)]]),
    };
  });
}

/** A choice without repetition, in the order of the source. */
function sample(edits: readonly Generated[], maximum: number, seed: number): Generated[] {
  const random = createRandom(seed, "mutants");
  const left = [...edits];
  while (left.length > maximum) left.splice(random.integer(left.length), 1);
  return left;
}

/** Names of the functions that a file and what it imports define. */
function callableFunctions(root: string, path: string): ReadonlySet<string> {
  const file = join(root, path);
  const source = readFileSync(file, "utf8");
  const require = createRequire(join(root, "package.json"));
  const imports = [...source.matchAll(/^import\s[^"']*["']([^"']+)["']/gm)].map(
    ([, target = ""]) =>
      target.startsWith(".") ? join(dirname(file), target) : require.resolve(target),
  );
  const sources = [source, ...imports.map((imported) => readFileSync(imported, "utf8"))];
  return new Set(
    sources.flatMap((text) =>
      [...text.matchAll(/\bfunction\s+(\w+)/g)].map(([, name = ""]) => name),
    ),
  );
}
