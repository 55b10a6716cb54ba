import { BadInputError } from "../simulation/errors.ts";
import { baselineFault, verdictOf } from "./classify.ts";
import { describeTests, type Mutant, type TestSelection, type Trial } from "./mutant.ts";
import { Workspace } from "./workspace.ts";

/** A build from nothing takes minutes. */
const BASELINE_LIMIT_SECONDS = 1_800;
/** What a mutant may take: a build of everything that depends on it, and its tests many times over. */
const BUILD_LIMIT_SECONDS = 600;
const SLOWDOWN = 10;

/** Told while a campaign runs. */
export interface CampaignListener {
  baseline(tests: TestSelection, passed: number, seconds: number): void;
  trial(trial: Trial, done: number, total: number): void;
}

/** What a selection of tests needs and takes on the tree without mutants. */
interface Baseline {
  readonly sources: readonly string[];
  readonly seconds: number;
}

/**
 * Tries mutants one after the other in a private copy of the repository.
 *
 * @param root of the repository, which is only read
 * @param signal removes the copy at once, for a process that is about to end
 * @returns a trial per mutant, in their order
 * @throws Error when tests fail without a mutant
 * @throws BadInputError when a selection of tests is empty
 */
export async function runCampaign(
  root: string,
  mutants: readonly Mutant[],
  listener: CampaignListener,
  signal?: AbortSignal,
): Promise<Trial[]> {
  const workspace = new Workspace(root);
  signal?.addEventListener("abort", () => workspace.remove(), { once: true });
  try {
    const baselines = await runBaselines(workspace, mutants, listener);
    workspace.keepBuild();
    const trials: Trial[] = [];
    for (const mutant of mutants) {
      const { files, grep } = mutant.tests;
      const { sources, seconds } = baselines.get(describeTests(mutant.tests)) as Baseline;
      const start = performance.now();
      const { result } = await workspace.runMutated(
        mutant.files,
        { files, grep, sources },
        Math.ceil(BUILD_LIMIT_SECONDS + SLOWDOWN * seconds),
      );
      const trial = { mutant, outcome: { ...verdictOf(result), seconds: secondsSince(start) } };
      trials.push(trial);
      listener.trial(trial, trials.length, mutants.length);
    }
    return trials;
  } finally {
    workspace.remove();
  }
}

/** Runs every selection of tests once without a mutant. */
async function runBaselines(
  workspace: Workspace,
  mutants: readonly Mutant[],
  listener: CampaignListener,
): Promise<Map<string, Baseline>> {
  const baselines = new Map<string, Baseline>();
  for (const { tests } of mutants) {
    const name = describeTests(tests);
    if (baselines.has(name)) continue;
    const start = performance.now();
    const order = { files: tests.files, grep: tests.grep, sources: undefined };
    const { result, sources } = await workspace.run(order, BASELINE_LIMIT_SECONDS);
    const fault = baselineFault(result);
    if (fault !== undefined) {
      const message = `${name} cannot judge mutants: ${fault}`;
      throw result.kind === "ran" && result.run.failures.length === 0
        ? new BadInputError(message)
        : new Error(message);
    }
    const seconds = secondsSince(start);
    baselines.set(name, { sources, seconds });
    listener.baseline(tests, result.kind === "ran" ? result.run.passed : 0, seconds);
  }
  return baselines;
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
