import type { Wad } from "../../units.ts";
import type {
  Action,
  ActionResult,
  Eventual,
  PoolView,
  ProtocolBackend,
  RebalancePlan,
  SolvencyView,
} from "../backend.ts";
import type { Bar } from "../paths/pricePath.ts";
import type { Accounts } from "./accounts.ts";
import type { OrderQueue } from "./orderQueue.ts";

/**
 * Blocks of one step, in order: `round` at the step's price, `request` a second later, `fill` where orders may be filled,
 * `liquidation`, then blocks of `keeper` calls 12 s apart while a rebalance is due.
 */
export const STAGES = ["round", "request", "fill", "liquidation", "keeper"] as const;
export type Stage = (typeof STAGES)[number];

/** What an agent can know when it decides on its actions for the next block. One object, updated in place. */
export interface AgentView {
  readonly backend: ProtocolBackend;
  /** Number of the step, from 0, its bar, and up to the run's foresight of bars after it. */
  readonly step: number;
  readonly bar: Bar;
  readonly next: readonly Bar[];
  /** Seconds per step. */
  readonly stepSeconds: number;
  /** Unix seconds of the step, and of the block that the actions will run in. */
  readonly time: number;
  readonly at: number;
  /** True price outside; the feed's may differ. */
  readonly price: Wad;
  /** Rounds that the feed has published so far, counted with those of the block being made. */
  readonly rounds: number;
  readonly gasPriceGwei: number;
  /** Whether the margin pool found its price good when it was last looked at. `solvency` is of the last good time. */
  readonly priceGood: boolean;
  readonly solvency: SolvencyView;
  /** The constant-product pool as it will be when an action added now runs: after the swaps before it in the block. */
  readonly pool: PoolView;
  readonly accounts: Accounts;
  readonly orders: OrderQueue;
  /** In keeper blocks: what a rebalance in this block would do. */
  readonly plan: RebalancePlan | undefined;
}

/** Somebody who acts on the protocol. Agents act in the order in which they were given to the engine. */
export interface Agent {
  /** Blocks in which the agent may act. */
  readonly stages: readonly Stage[];
  /** Whether the agent still has something to do once the pool is settled. */
  readonly actsAfterSettlement?: boolean;
  /** The agent's actions for the block that is being made. */
  act(view: AgentView): Eventual<readonly Action[]>;
  /** What became of every action of a block, the agent's own and others'. */
  observe?(results: readonly ActionResult[], view: AgentView): void;
}

/** A keeper who calls `rebalance`. */
export interface Keeper extends Agent {
  /** Whether a call is on its way: keeper blocks go on until it has arrived. */
  readonly calling: boolean;
  /** Whether the keeper has given up until the next step. */
  readonly resting: boolean;
}

export const NO_ACTIONS: readonly Action[] = [];
