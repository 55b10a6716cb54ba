import type { Action } from "../backend.ts";
import { type Agent, type AgentView, NO_ACTIONS, type Stage } from "./agent.ts";

/** Calls `autoDeleverage` in every step that finds the pool in that state. */
export class Deleverager implements Agent {
  readonly stages: readonly Stage[] = ["liquidation"];

  act({ solvency, priceGood }: AgentView): readonly Action[] {
    return priceGood && solvency.riskState === "Deleveraging"
      ? [{ kind: "autoDeleverage" }]
      : NO_ACTIONS;
  }
}
