import type { RunResult } from "./classify.ts";

/** What a worker is asked to do: build, then run tests, in the folder that it is started in. */
export interface WorkOrder {
  /** Test files, from the folder. */
  readonly files: readonly string[];
  readonly grep: string | undefined;
  /** Contract files to build; undefined builds all. */
  readonly sources: readonly string[] | undefined;
}

/** What a worker answers, once. */
export interface WorkReport {
  readonly result: RunResult;
  /** Contract files whose artifacts the tests read. */
  readonly sources: readonly string[];
}
