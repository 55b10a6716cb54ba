import { amountInUp, amountOutDown } from "../../math/constantProductMath.ts";
import type { Action, ActionResult, PoolView, RebalancePlan } from "../backend.ts";
import { type AgentView, type Keeper, NO_ACTIONS, type Stage } from "./agent.ts";
import { actAlways, type GasPolicy, gasCost } from "./gasPolicy.ts";

/** Seconds between two keeper blocks. */
export const KEEPER_BLOCK_SPACING = 12;
/** This version of the protocol credits nothing for a rebalance. */
const REBALANCE_REWARD = 0;

export interface KeeperOptions {
  /** Blocks between the decision and the block that the call runs in; 0: the next block. */
  readonly latencyBlocks?: number;
  readonly gasPolicy?: GasPolicy;
}

/**
 * Calls `rebalance()` when a chunk is due and would fill. With latency the call arrives blocks later, whatever has
 * happened since. A keeper that was refused does not pay for the same refusal again before the next price.
 */
export class RebalanceKeeper implements Keeper {
  readonly stages: readonly Stage[] = ["keeper"];
  readonly #number: number;
  readonly #latencySeconds: number;
  readonly #policy: GasPolicy;
  #arrivesAt: number | undefined;
  #refusedInStep = -1;
  #step = 0;

  constructor(number: number, options: KeeperOptions = {}) {
    this.#number = number;
    this.#latencySeconds = (options.latencyBlocks ?? 0) * KEEPER_BLOCK_SPACING;
    this.#policy = options.gasPolicy ?? actAlways;
  }

  get calling(): boolean {
    return this.#arrivesAt !== undefined;
  }

  get resting(): boolean {
    return this.#refusedInStep === this.#step;
  }

  act(view: AgentView): readonly Action[] {
    this.#step = view.step;
    if (this.#arrivesAt === undefined && !this.resting && this.#wants(view))
      this.#arrivesAt = view.at + this.#latencySeconds;
    if (this.#arrivesAt === undefined || view.at < this.#arrivesAt) return NO_ACTIONS;
    this.#arrivesAt = undefined;
    return [{ kind: "rebalance", keeper: this.#number }];
  }

  observe(results: readonly ActionResult[], view: AgentView): void {
    for (const { action, ok } of results) {
      if (!ok && action.kind === "rebalance" && (action.keeper ?? 0) === this.#number)
        this.#refusedInStep = view.step;
    }
  }

  #wants({ plan, pool, gasPriceGwei, price }: AgentView): boolean {
    return (
      plan?.reason === "Due" &&
      chunkFills(plan, pool) &&
      this.#policy(REBALANCE_REWARD, gasCost("rebalance", gasPriceGwei, price))
    );
  }
}

/** Whether the chunk meets its limit in this pool: keepers simulate before they pay for gas. */
export function chunkFills(plan: RebalancePlan, pool: PoolView): boolean {
  const { amountBase, quoteLimit, sellBase } = plan;
  const { reserveBase, reserveQuote, swapFee } = pool;
  if (amountBase === 0n || amountBase >= reserveBase) return false;
  return sellBase
    ? amountOutDown(amountBase, reserveBase, reserveQuote, swapFee) >= quoteLimit
    : amountInUp(amountBase, reserveQuote, reserveBase, swapFee) <= quoteLimit;
}
