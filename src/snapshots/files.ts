import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { BadInputError } from "../simulation/errors.ts";
import { ensureFolder, writeAtomically } from "../simulation/files.ts";
import type { Snapshot } from "./figures.ts";

/** Where the committed snapshots are. */
export const SNAPSHOT_FOLDER = fileURLToPath(new URL("../../snapshots/", import.meta.url));

/** What is kept, each in a file `NAME.json`. */
export const SNAPSHOTS = ["gas", "size"] as const;
export type SnapshotName = (typeof SNAPSHOTS)[number];

const SNAPSHOT = z.record(z.string(), z.record(z.string(), z.int().nonnegative()));

/**
 * Reads a snapshot; one that was never written is empty.
 *
 * @throws BadInputError when the file holds something else
 */
export function readSnapshot(folder: string, name: SnapshotName): Snapshot {
  const path = join(folder, `${name}.json`);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return {};
  try {
    return SNAPSHOT.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new BadInputError(
      `${path} is no snapshot: npm run snapshot writes a new one once it is removed`,
      {
        cause,
      },
    );
  }
}

/** Writes a snapshot; the file is either complete or as it was. */
export function writeSnapshot(folder: string, name: SnapshotName, snapshot: Snapshot): void {
  ensureFolder(folder);
  writeAtomically(join(folder, `${name}.json`), `${JSON.stringify(snapshot, null, 2)}\n`);
}
