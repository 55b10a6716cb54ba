import type { Action, ActionResult } from "../backend.ts";
import { type Agent, type AgentView, NO_ACTIONS, type Stage } from "./agent.ts";

/**
 * Sees to the end of a pool: reports a dead feed and settles a day later; once the pool is settled, closes every account
 * that is still open and finalizes the settlement.
 */
export class Settler implements Agent {
  readonly stages: readonly Stage[] = ["liquidation"];
  readonly actsAfterSettlement = true;
  #deadAt: number | undefined;
  #finalized = false;

  act(view: AgentView): readonly Action[] {
    if (view.solvency.riskState === "Settled") return this.#close(view);
    if (view.priceGood) this.#deadAt = undefined;
    else if (this.#deadAt === undefined || view.at >= this.#deadAt) return [{ kind: "settle" }];
    return NO_ACTIONS;
  }

  observe(results: readonly ActionResult[]): void {
    for (const { events } of results)
      for (const event of events) {
        if (event.kind === "DeadFeedReported") this.#deadAt = event.deadAt;
        if (event.kind === "SettlementFinalized") this.#finalized = true;
      }
  }

  #close({ accounts }: AgentView): readonly Action[] {
    if (this.#finalized) return NO_ACTIONS;
    const closings = [...accounts.open()].map(
      ({ trader }): Action => ({ kind: "settleAccount", trader }),
    );
    return [...closings, { kind: "finalizeSettlement" }];
  }
}
