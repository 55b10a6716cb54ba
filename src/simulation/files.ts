import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BadInputError, causeInOneLine } from "./errors.ts";

/**
 * Makes sure a file can be written before hours are spent on its content. Leaves nothing behind.
 *
 * @param option the command line option that named the path, for the message
 * @throws BadInputError when the path is a folder, its folder does not exist, or nothing can be written there
 */
export function assertWritable(path: string, option: string): void {
  const refuse = (reason: string): never => {
    throw new BadInputError(`${option} ${path} cannot be written: ${reason}`);
  };
  const folder = statSync(dirname(path), { throwIfNoEntry: false });
  if (folder === undefined) refuse(`folder ${dirname(path)} does not exist`);
  if (folder?.isDirectory() !== true) refuse(`${dirname(path)} is not a folder`);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) refuse("it is a folder");
  const probe = temporaryName(path);
  try {
    writeFileSync(probe, "", { flag: "wx" });
  } catch (thrown) {
    refuse(causeInOneLine(thrown));
  } finally {
    rmSync(probe, { force: true });
  }
}

/** Creates the folder that reports go to by default. */
export function ensureFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (thrown) {
    throw new BadInputError(`folder ${path} cannot be created: ${causeInOneLine(thrown)}`);
  }
}

/** Writes a file that is either complete or not there: beside its place first, then moved. */
export function writeAtomically(path: string, content: string): void {
  const temporary = temporaryName(path);
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, path);
  } catch (thrown) {
    rmSync(temporary, { force: true });
    throw thrown;
  }
}

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
}
