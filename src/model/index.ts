/**
 * An exact model of the protocol's contracts: equal state, events, return values and errors to the wei after every call, without a
 * chain. `genesis` makes the state that a deployment leaves behind, `step` (pure) or `apply` (in place) run calls on it, `views` read
 * it. What a call reverts with is a value, not an exception.
 *
 * @module
 * @example
 * genesis(DEFAULT_SETTINGS, deploymentSchedule(1_700_000_000n)).shares.totalSupply; // 10000000000000000000n
 * views.market(new World(genesis(DEFAULT_SETTINGS, deploymentSchedule(1_700_000_000n)))).priceWad; // 2000000000000000000000n
 * step(genesis(DEFAULT_SETTINGS, deploymentSchedule(1_700_000_000n)), { at: 1_700_000_060n, from: "anyone", to: "marginPool", method: "skim", args: {} })[1].ok; // true
 * step(genesis(DEFAULT_SETTINGS, deploymentSchedule(1_700_000_000n)), { at: 1_700_000_060n, from: "anyone", to: "marginPool", method: "settle", args: {} })[1].error; // { name: "MarginPool_FeedAlive", args: [] }
 */
export {
  type DeploymentSchedule,
  type DeploymentStep,
  deploymentSchedule,
  deploymentSteps,
} from "../deploymentSchedule.ts";
export { DEFAULT_SETTINGS, type DeploymentSettings } from "../deploymentSettings.ts";
export { type AbiValue, type ContractError, Revert } from "../math/revert.ts";
export {
  type Action,
  type Address,
  type Calls,
  type ContractName,
  type Parameters,
  ZERO_ADDRESS,
} from "./calls.ts";
export type { Events, ModelEvent } from "./events.ts";
export { createFeed } from "./feed.ts";
export { type GenesisAddresses, genesis, SYMBOLIC_ADDRESSES } from "./genesis.ts";
export { type Plan, Reason } from "./rebalancer.ts";
export * from "./state.ts";
export { apply, type Outcome, step } from "./step.ts";
export { allowanceKey } from "./token.ts";
export * as views from "./views.ts";
export { World } from "./world.ts";
