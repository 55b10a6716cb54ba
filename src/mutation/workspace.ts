import { type ChildProcess, fork } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { causeInOneLine } from "../simulation/errors.ts";
import type { RunResult } from "./classify.ts";
import type { WorkOrder, WorkReport } from "./protocol.ts";

/** Not copied: what is linked, what no test of contracts reads, and what would only be large. */
const LEFT_OUT = new Set([
  "node_modules",
  ".git",
  "reports",
  "coverage",
  "typechain-types",
  "artifacts",
  "cache",
]);
/** What a build leaves behind. */
const BUILT = ["artifacts", "cache"];
const CACHE_FILE = join("cache", "compile-cache.json");
/** How much of a worker's output is kept, for the message should it die. */
const OUTPUT_LENGTH = 4_000;

/** Nothing was compiled, so the tests ran without the mutant. */
const UNUSED: RunResult = {
  kind: "stopped",
  message: "the tests use no contract that the mutant changes",
};

/**
 * A private copy of the repository in a temporary folder. Mutants exist nowhere else: whenever the process dies, the
 * user's tree is as it was.
 */
export class Workspace {
  readonly #folder: string;
  readonly #tree: string;
  readonly #pristine: string;
  #worker: ChildProcess | undefined;

  /**
   * Copies the tree, with what was built of it: a build of the copy then compiles what changed only.
   *
   * @param root of the repository
   */
  constructor(root: string) {
    // Without links in it: the compiler's cache knows files by their real path.
    this.#folder = mkdtempSync(join(realpathSync(tmpdir()), "ballast-mutants-"));
    this.#tree = join(this.#folder, "tree");
    this.#pristine = join(this.#folder, "pristine");
    for (const name of readdirSync(root))
      if (!LEFT_OUT.has(name) && !name.startsWith(".env"))
        cpSync(join(root, name), join(this.#tree, name), { recursive: true });
    symlinkSync(realpathSync(join(root, "node_modules")), join(this.#tree, "node_modules"), "dir");
    copyBuild(root, this.#tree);
    // Elsewhere the cache would not be found to fit.
    const moved = this.#built().replaceAll(`"${realpathSync(root)}/`, `"${this.#tree}/`);
    if (moved !== "") writeFileSync(join(this.#tree, CACHE_FILE), moved);
  }

  /** Remembers what is built now as that of the tree without mutants. */
  keepBuild(): void {
    copyBuild(this.#tree, this.#pristine);
  }

  /**
   * Runs tests with files replaced, and puts everything back.
   *
   * @param files contents by path
   * @param limitSeconds after which the run is given up
   */
  async runMutated(
    files: ReadonlyMap<string, string>,
    order: WorkOrder,
    limitSeconds: number,
  ): Promise<WorkReport> {
    const originals = new Map(
      [...files.keys()].map((path) => [path, readFileSync(join(this.#tree, path), "utf8")]),
    );
    const built = this.#built();
    try {
      for (const [path, content] of files) writeFileSync(join(this.#tree, path), content);
      const report = await this.run(order, limitSeconds);
      const judged = report.result.kind !== "ran" || this.#built() !== built;
      return judged ? report : { ...report, result: UNUSED };
    } finally {
      for (const [path, content] of originals) writeFileSync(join(this.#tree, path), content);
      copyBuild(this.#pristine, this.#tree);
    }
  }

  /**
   * Builds and runs tests on the copy as it is, in a process of its own.
   *
   * @param limitSeconds after which the run is given up
   */
  async run(order: WorkOrder, limitSeconds: number): Promise<WorkReport> {
    const worker = fork(join(this.#tree, "src", "mutation", "worker.ts"), [], {
      cwd: this.#tree,
      execArgv: [],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: workerEnvironment(),
    });
    this.#worker = worker;
    let output = "";
    const keep = (chunk: Buffer) => {
      output = (output + String(chunk)).slice(-OUTPUT_LENGTH);
    };
    worker.stdout?.on("data", keep);
    worker.stderr?.on("data", keep);
    const stopped = (message: string): WorkReport => ({
      result: { kind: "stopped", message },
      sources: [],
    });
    try {
      return await new Promise<WorkReport>((resolve) => {
        let report: WorkReport | undefined;
        const timer = setTimeout(() => {
          report = stopped(`gave up after ${limitSeconds} s`);
          worker.kill("SIGKILL");
        }, limitSeconds * 1000);
        worker.once("message", (message: WorkReport) => {
          report ??= message;
        });
        worker.once("error", (error) => resolve(stopped(causeInOneLine(error))));
        worker.once("close", () => {
          clearTimeout(timer);
          resolve(
            withCompilerError(report, output) ?? stopped(`the run died: ${lastLine(output)}`),
          );
        });
        worker.send(order);
      });
    } finally {
      this.#worker = undefined;
    }
  }

  /** Changes whenever anything was compiled. */
  #built(): string {
    const cache = join(this.#tree, CACHE_FILE);
    return existsSync(cache) ? readFileSync(cache, "utf8") : "";
  }

  /** Removes the copy and ends what runs in it. */
  remove(): void {
    this.#worker?.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Replaces what is built at `to` by what is built at `from`. */
function copyBuild(from: string, to: string): void {
  for (const name of BUILT) {
    rmSync(join(to, name), { recursive: true, force: true });
    if (existsSync(join(from, name)))
      cpSync(join(from, name), join(to, name), { recursive: true, preserveTimestamps: true });
  }
}

/** Nothing that a Hardhat around this process has set for itself, and no types: nobody reads them in the copy. */
function workerEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => name !== "NODE_OPTIONS" && !/^(?:HARDHAT|MOCHA)_/.test(name),
  );
  return { ...Object.fromEntries(kept), HARDHAT_NO_TYPECHAIN: "true" };
}

/** Hardhat prints the compiler's errors and throws a sentence that names none of them. */
function withCompilerError(report: WorkReport | undefined, output: string): WorkReport | undefined {
  if (report?.result.kind !== "not built") return report;
  const error = output.split("\n").find((line) => /^\s*\w*Error\b/.test(line));
  return error === undefined
    ? report
    : { ...report, result: { kind: "not built", message: error.trim() } };
}

function lastLine(output: string): string {
  return output.trim().split("\n").at(-1) ?? "";
}
