import { arbitrageTrade } from "../arbitrage.ts";
import type { Action } from "../backend.ts";
import { type Agent, type AgentView, NO_ACTIONS, type Stage } from "./agent.ts";

/** Brings the constant-product pool back to the fee band around the true price whenever that earns anything. */
export class Arbitrageur implements Agent {
  readonly stages: readonly Stage[] = ["round", "keeper"];
  readonly actsAfterSettlement = true;

  act(view: AgentView): readonly Action[] {
    const { pool, price, backend } = view;
    const trade = arbitrageTrade(pool, price, backend.baseDecimals, backend.quoteDecimals);
    if (trade === undefined) return NO_ACTIONS;
    const { sellBase, amountIn } = trade;
    return [{ kind: "swap", sellBase, amountIn }];
  }
}
