import {
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { BadInputError, causeInOneLine } from "./errors.ts";

/**
 * Makes sure a file can be written before hours are spent on its content. Leaves nothing behind.
 *
 * @param option the command line option that named the path, for the message
 * @throws BadInputError when something else than a file stands there, its folder does not exist, or nothing can be
 * written there
 */
export function assertWritable(path: string, option: string): void {
  const fault = writeFault(path);
  if (fault !== undefined) throw new BadInputError(`${option} ${path} cannot be written: ${fault}`);
}

function writeFault(path: string): string | undefined {
  try {
    const folder = statSync(dirname(path), { throwIfNoEntry: false });
    if (folder === undefined) return `folder ${dirname(path)} does not exist`;
    if (!folder.isDirectory()) return `${dirname(path)} is not a folder`;
    const target = resolveLinks(path);
    const existing = statSync(target, { throwIfNoEntry: false });
    if (existing?.isDirectory() === true) return "it is a folder";
    if (existing?.isFile() === false) return "it is not a regular file";
    const probe = temporaryName(target);
    try {
      writeFileSync(probe, "", { flag: "wx" });
    } finally {
      rmSync(probe, { force: true });
    }
    return undefined;
  } catch (thrown) {
    return causeWithoutPath(thrown);
  }
}

/**
 * Makes sure that no file overwrites another, whatever the paths look like.
 *
 * @param files each with the command line option that named it, for the message; their folders exist
 * @throws BadInputError naming the two options
 */
export function assertDistinct(files: readonly (readonly [option: string, path: string])[]): void {
  const seen = new Map<string, string>();
  for (const [option, path] of files) {
    const target = resolveLinks(path);
    const other = seen.get(target);
    if (other !== undefined)
      throw new BadInputError(`${other} and ${option} name the same file, ${path}`);
    seen.set(target, option);
  }
}

/** Creates the folder that reports go to by default. */
export function ensureFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (thrown) {
    throw new BadInputError(`folder ${path} cannot be created: ${causeWithoutPath(thrown)}`);
  }
}

/** Writes a file that is either complete or not there: beside its place first, then moved. Links stay links. */
export function writeAtomically(path: string, content: string): void {
  let temporary: string | undefined;
  try {
    const target = resolveLinks(path);
    temporary = temporaryName(target);
    writeFileSync(temporary, content);
    renameSync(temporary, target);
  } catch (thrown) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    throw new Error(`${path} cannot be written: ${causeWithoutPath(thrown)}`, { cause: thrown });
  }
}

/** Where `path` leads once all links are followed; its last part need not exist yet. */
function resolveLinks(path: string): string {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return realpathSync(path);
  const place = join(realpathSync(dirname(path)), basename(path));
  const link = lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return link ? resolveLinks(resolve(dirname(place), readlinkSync(place))) : place;
}

/** The cause of a failed file operation without the file that it names: users know theirs, not the temporary one. */
function causeWithoutPath(thrown: unknown): string {
  return causeInOneLine(thrown).replace(/, \w+ '.*$/, "");
}

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
}
