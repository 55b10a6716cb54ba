import { Presets, SingleBar } from "cli-progress";

/** Shows how far a simulation is. */
export interface Progress {
  update(done: number, label: string): void;
  stop(): void;
}

const PLAIN_LINES = 10;

/**
 * Progress on stderr: a bar on a terminal, a line every 10 % elsewhere, nothing when quiet.
 *
 * @param total number of steps of all runs together
 */
export function createProgress(total: number, quiet: boolean): Progress {
  if (quiet) return { update: () => {}, stop: () => {} };
  if (!process.stderr.isTTY) return plainProgress(total);
  const bar = new SingleBar(
    {
      format: "{bar} {percentage} %  {value}/{total} steps  {label}  {eta_formatted} left",
      stream: process.stderr,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0, { label: "deploying" });
  return { update: (done, label) => bar.update(done, { label }), stop: () => bar.stop() };
}

function plainProgress(total: number): Progress {
  let shown = 0;
  return {
    update: (done, label) => {
      const tenth = Math.floor((done * PLAIN_LINES) / total);
      if (tenth <= shown) return;
      shown = tenth;
      process.stderr.write(`${tenth * (100 / PLAIN_LINES)} %  ${done}/${total} steps  ${label}\n`);
    },
    stop: () => {},
  };
}
