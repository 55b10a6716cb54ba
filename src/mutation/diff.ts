import { BadInputError } from "../simulation/errors.ts";

/** One block of a unified diff: lines as they are found, and as they become. */
interface Hunk {
  /** Line of the first line found, counted from 1. */
  readonly start: number;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** What a unified diff does to one file. */
export interface FilePatch {
  readonly path: string;
  readonly hunks: readonly Hunk[];
}

const HUNK = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@/;

/**
 * Reads a unified diff that changes existing files, as `git diff` writes it.
 *
 * @param text lines before the first `--- ` are not looked at
 * @param name of the diff, for messages
 * @throws BadInputError when it is no such diff
 */
export function parseDiff(text: string, name: string): FilePatch[] {
  const lines = text.split("\n");
  const refuse = (index: number, fault: string): never => {
    throw new BadInputError(`${name}, line ${index + 1}: ${fault}`);
  };
  const patches: { path: string; hunks: Hunk[] }[] = [];
  let index = lines.findIndex((line) => line.startsWith("--- "));
  if (index < 0) throw new BadInputError(`${name} holds no diff: a line "--- a/PATH" is missing`);
  while (index < lines.length) {
    const line = lines[index] ?? "";
    if (line.startsWith("--- ")) {
      const path = /^\+\+\+ b\/(\S+)/.exec(lines[index + 1] ?? "")?.[1];
      if (path === undefined) return refuse(index + 1, 'expected "+++ b/PATH"');
      patches.push({ path, hunks: [] });
      index += 2;
    } else if (line.startsWith("@@ ")) {
      const found = HUNK.exec(line);
      if (found === null) return refuse(index, "malformed hunk header");
      const [, start, removed = "1", added = "1"] = found;
      const hunk: Hunk & { before: string[]; after: string[] } = {
        start: Number(start),
        before: [],
        after: [],
      };
      const [wanted, becoming] = [Number(removed), Number(added)];
      for (index++; hunk.before.length < wanted || hunk.after.length < becoming; index++) {
        const content = lines[index];
        if (content === undefined) return refuse(index - 1, "the last hunk is incomplete");
        // Editors strip the blank of an empty context line.
        const mark = content === "" ? " " : content[0];
        if (mark !== " " && mark !== "-" && mark !== "+" && mark !== "\\")
          return refuse(index, "expected a line that begins with a blank, - or +");
        if (mark === " " || mark === "-") hunk.before.push(content.slice(1));
        if (mark === " " || mark === "+") hunk.after.push(content.slice(1));
      }
      patches.at(-1)?.hunks.push(hunk);
    } else index++;
  }
  const empty = patches.find(({ hunks }) => hunks.length === 0);
  if (empty !== undefined) throw new BadInputError(`${name} changes nothing in ${empty.path}`);
  return patches;
}

/**
 * Applies a patch to a file's content. A block is found wherever its lines stand, nearest to where the diff says, so that
 * changes elsewhere in the file do no harm. Nor does another indentation.
 *
 * @param name of the diff, for messages
 * @throws BadInputError naming diff, file and line when a block is not found
 */
export function applyPatch(content: string, { path, hunks }: FilePatch, name: string): string {
  const lines = content.split("\n");
  let shift = 0;
  let from = 0;
  for (const { start, before, after } of hunks) {
    const at = nearest(lines, before, start - 1 + shift, from);
    if (at === undefined)
      throw new BadInputError(
        `${name} no longer applies: ${path} has no such lines near ${start}; make the diff anew`,
      );
    lines.splice(at, before.length, ...after);
    shift = at - (start - 1) + after.length - before.length;
    from = at + after.length;
  }
  return lines.join("\n");
}

/** Index at which the block stands, at least `from` and as close to `expected` as any. */
function nearest(
  lines: readonly string[],
  block: readonly string[],
  expected: number,
  from: number,
): number | undefined {
  let best: number | undefined;
  for (let at = from; at + block.length <= lines.length; at++) {
    if (!block.every((line, offset) => lines[at + offset]?.trim() === line.trim())) continue;
    if (best === undefined || Math.abs(at - expected) < Math.abs(best - expected)) best = at;
  }
  return best;
}
