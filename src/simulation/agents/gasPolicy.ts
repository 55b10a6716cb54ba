import { toNumberFast, WAD_DECIMALS, type Wad } from "../../units.ts";

/**
 * Gas of the transactions that bots pay for, as committed in `snapshots/gas.json`: executing an order that opens a first
 * position, liquidating in part, rebalancing, poking after a new round, deleveraging, settling an account.
 */
export const GAS_USED = {
  executeOrder: 191_487,
  liquidate: 160_586,
  rebalance: 248_128,
  poke: 199_244,
  autoDeleverage: 247_701,
  settleAccount: 140_862,
} as const;
export type PaidAction = keyof typeof GAS_USED;

const GWEI_PER_ETHER = 1e9;

/** What a transaction costs, in whole quote tokens where the base token is ether. */
export function gasCost(action: PaidAction, gasPriceGwei: number, price: Wad): number {
  return (GAS_USED[action] * gasPriceGwei * toNumberFast(price, WAD_DECIMALS)) / GWEI_PER_ETHER;
}

/**
 * Whether a bot acts.
 *
 * @param reward what the protocol is expected to credit, whole quote tokens
 * @param cost of the transaction, whole quote tokens
 */
export type GasPolicy = (reward: number, cost: number) => boolean;

/** Acts whatever it costs: somebody with an interest in the pool keeps it. */
export const actAlways: GasPolicy = () => true;

/** Acts where the credit pays for the gas. Nothing is credited for a rebalance, so none is made. */
export const actForProfit: GasPolicy = (reward, cost) => reward > cost;
