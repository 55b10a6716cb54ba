import { performance } from "node:perf_hooks";
import { Worker } from "node:worker_threads";
import { DEFAULT_SETTINGS } from "../deploymentSettings.ts";
import { createPopulation } from "../simulation/agents/population.ts";
import type { BackendFactory } from "../simulation/backend.ts";
import { loadBackend } from "../simulation/backends.ts";
import { run } from "../simulation/engine.ts";
import type { FlowName } from "../simulation/flows/skewTarget.ts";
import { loadScenario } from "../simulation/loadScenario.ts";
import { pathOfScenario } from "../simulation/paths/pricePath.ts";

/** What is run: rebalancing keepers and all default agents on a scenario. */
export interface BenchRun {
  readonly scenario: string;
  readonly flow: FlowName;
  readonly seed: number;
}

/** One backend's work. A step is one bar of the scenario with all agents' actions. */
export interface Timed {
  /** Steps that were timed; the deployment and the runs that warm up are not. */
  readonly steps: number;
  readonly seconds: number;
  /** Of one run. */
  readonly actions: number;
}

/** One backend's speed. */
export interface Speed {
  readonly stepsPerSecond: number;
  readonly steps: number;
  readonly seconds: number;
}

/** Both backends on one run. */
export interface ModelBench {
  readonly ratio: number;
  readonly model: Speed;
  readonly evm: Speed;
  /** Actions of one run: the same on both, or they did not do the same work. */
  readonly actions: number;
}

/** Runs in which the compiler gets to know the model: after fewer it is still at work. */
const WARM_UP_RUNS = 50;
/** One run of the model is over too soon to be timed: it runs again and again for so long. */
const LEAST_SECONDS = 5;
/** Room for the model's short-lived numbers, so that collecting them is seldom. */
const YOUNG_GENERATION_MB = 256;

/**
 * Times the same run on both backends, one after the other, each in a thread of its own: what the compiler learned of one
 * does not slow the other.
 *
 * @param onRun called before each backend's turn
 * @throws Error when the backends saw different numbers of actions
 */
export async function benchModel(
  bench: BenchRun,
  onRun: (backend: "evm" | "model") => void = () => {},
): Promise<ModelBench> {
  onRun("evm");
  const evm = await timedRun(bench, await loadBackend("evm"));
  onRun("model");
  const model = await inThread(bench);
  const { actions } = evm;
  if (model.actions !== actions) {
    throw new Error(`the model ran ${model.actions} actions, the contracts ${actions}`);
  }
  const speeds = { model: speedOf(model), evm: speedOf(evm) };
  return { ratio: speeds.model.stepsPerSecond / speeds.evm.stepsPerSecond, ...speeds, actions };
}

/** The model's turn: runs to warm up, then runs for some seconds. */
export async function timeModel(bench: BenchRun): Promise<Timed> {
  const createBackend = await loadBackend("model");
  for (let i = 0; i < WARM_UP_RUNS; i++) await timedRun(bench, createBackend);
  let { steps, seconds, actions } = await timedRun(bench, createBackend);
  while (seconds < LEAST_SECONDS) {
    const again = await timedRun(bench, createBackend);
    steps += again.steps;
    seconds += again.seconds;
    actions = again.actions;
  }
  return { steps, seconds, actions };
}

function inThread(bench: BenchRun): Promise<Timed> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./modelWorker.ts", import.meta.url), {
      workerData: bench,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the model's thread ended with ${code}`)));
  });
}

/** One run, timed from the moment the protocol is deployed. */
async function timedRun(
  { scenario, flow, seed }: BenchRun,
  createBackend: BackendFactory,
): Promise<Timed> {
  const path = pathOfScenario(loadScenario(scenario));
  const { targetBaseWeight, lpEquity: initialEquity } = DEFAULT_SETTINGS;
  let startedAt = 0;
  const { actions } = await run({
    path,
    policy: "rebalance",
    seed,
    population: createPopulation(path, { flow, seed, initialEquity, targetBaseWeight }),
    targetBaseWeight,
    createBackend: async (setup) => {
      const backend = await createBackend(setup);
      startedAt = performance.now();
      return backend;
    },
  });
  return { steps: path.steps, seconds: (performance.now() - startedAt) / 1_000, actions };
}

function speedOf({ steps, seconds }: Timed): Speed {
  return { stepsPerSecond: steps / seconds, steps, seconds };
}
