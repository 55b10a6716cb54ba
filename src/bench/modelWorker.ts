import { parentPort, workerData } from "node:worker_threads";
import { timeModel } from "./modelBench.ts";

// The thread of `benchModel` in which the model runs.
parentPort?.postMessage(await timeModel(workerData));
