// Runs in a process of its own, in a private copy of the repository: builds, runs tests once, reports, ends.
import hre, { artifacts } from "hardhat";
import type { Suite } from "mocha";
import { causeInOneLine } from "../simulation/errors.ts";
import {
  type Failure,
  failureKind,
  type RunResult,
  solidityFailureKind,
  type TestRun,
} from "./classify.ts";
import type { WorkOrder, WorkReport } from "./protocol.ts";

/** What is used of mocha's runner; a failed hook is announced like a failed test. */
interface Runner {
  on(event: "pass", listener: () => void): void;
  on(event: "fail", listener: (failed: Failed, thrown: unknown) => void): void;
  abort(): void;
}

interface Failed {
  readonly type?: string;
  readonly title: string;
  readonly parent?: Suite;
  fullTitle(): string;
}

/** What is used of the result of Hardhat's task for Solidity tests. */
interface SolidityResult {
  readonly value?: { readonly suiteResults: readonly SoliditySuite[] };
  readonly error?: { readonly suiteResults: readonly SoliditySuite[] };
}

interface SoliditySuite {
  readonly id: { readonly name: string };
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly reason: string | undefined;
  }[];
}

process.once("message", (order: WorkOrder) => {
  void work(order).then((report) => process.send?.(report, () => process.exit(0)));
});

// Nobody is left to report to.
process.once("disconnect", () => process.exit(1));

async function work(order: WorkOrder): Promise<WorkReport> {
  const sources = new Set<string>();
  const read = artifacts.readArtifact.bind(artifacts);
  artifacts.readArtifact = async (name) => {
    const artifact = await read(name);
    // What comes from packages changes with no mutant.
    if (/^(?:contracts|test)\//.test(artifact.sourceName)) sources.add(artifact.sourceName);
    return artifact;
  };
  const result = (await build(order)) ?? (await test(order));
  return { result, sources: [...sources] };
}

async function build({ sources, files }: WorkOrder): Promise<RunResult | undefined> {
  const roots = sources === undefined ? [] : [...sources, ...files.filter(isSolidity)];
  if (sources !== undefined && roots.length === 0) return undefined;
  try {
    await hre.tasks.getTask("build").run({ quiet: true, files: roots });
    return undefined;
  } catch (thrown) {
    return { kind: "not built", message: causeInOneLine(thrown) };
  }
}

async function test({ files, grep }: WorkOrder): Promise<RunResult> {
  const filter = { noCompile: true, ...(grep === undefined ? {} : { grep }) };
  const run: TestRun & { passed: number; failures: Failure[] } = { passed: 0, failures: [] };
  const [solidity, mocha] = [files.filter(isSolidity), files.filter((file) => !isSolidity(file))];
  try {
    if (mocha.length > 0) {
      // The reporter lives in this process, and the first assertion that fails ends the run.
      Object.assign(hre.config.test.mocha, { parallel: false, reporter: reporterFor(run) });
      await hre.tasks.getTask(["test", "mocha"]).run({ ...filter, testFiles: mocha });
    }
    if (solidity.length > 0 && !run.failures.some(({ kind }) => kind === "assertion")) {
      const task = hre.tasks.getTask(["test", "solidity"]);
      addSolidity(run, await task.run({ ...filter, testFiles: solidity }));
    }
    return { kind: "ran", run };
  } catch (thrown) {
    return { kind: "stopped", message: `the tests cannot be loaded: ${causeInOneLine(thrown)}` };
  }
}

function reporterFor(run: TestRun & { passed: number; failures: Failure[] }) {
  return class {
    constructor(runner: Runner) {
      runner.on("pass", () => {
        run.passed++;
      });
      runner.on("fail", (failed, thrown) => {
        // What prepares a test judges nothing, whatever it throws.
        const prepares = failed.type === "hook" && failed.title.includes('"before ');
        const kind = prepares ? "crash" : failureKind(thrown);
        run.failures.push({ kind, test: failed.fullTitle(), message: causeInOneLine(thrown) });
        if (kind === "assertion") runner.abort();
      });
    }
  };
}

function addSolidity(
  run: TestRun & { passed: number; failures: Failure[] },
  outcome: SolidityResult,
): void {
  const suites = (outcome.value ?? outcome.error)?.suiteResults ?? [];
  for (const { id, testResults } of suites)
    for (const { name, status, reason } of testResults) {
      if (status === "Success") run.passed++;
      if (status !== "Failure") continue;
      const kind = solidityFailureKind(name, reason);
      run.failures.push({ kind, test: `${id.name} ${name}`, message: reason ?? "no reason" });
    }
}

function isSolidity(file: string): boolean {
  return file.endsWith(".sol");
}
