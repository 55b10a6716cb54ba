import { toNumber } from "../../units.ts";
import type { Action } from "../backend.ts";
import type { Random } from "../random.ts";
import { type Agent, type AgentView, NO_ACTIONS, type Stage } from "./agent.ts";
import { actAlways, type GasPolicy, gasCost } from "./gasPolicy.ts";

/**
 * Fills waiting orders for their execution fee, first come first. Of several keepers a random one is first to each
 * order; the others see that it is taken.
 */
export class Executors implements Agent {
  readonly stages: readonly Stage[] = ["fill"];
  readonly #policies: readonly GasPolicy[];
  readonly #random: Random;

  /** @param policies one per keeper, by number */
  constructor(random: Random, policies: readonly GasPolicy[] = [actAlways]) {
    this.#policies = policies;
    this.#random = random;
  }

  act(view: AgentView): readonly Action[] {
    const { backend, gasPriceGwei, price, orders, rounds, priceGood } = view;
    if (orders.length === 0 || !priceGood) return NO_ACTIONS;
    const fee = toNumber(backend.executionFee, backend.quoteDecimals);
    const cost = gasCost("executeOrder", gasPriceGwei, price);
    const willing = [...this.#policies.keys()].filter((keeper) =>
      (this.#policies[keeper] as GasPolicy)(fee, cost),
    );
    if (willing.length === 0) return NO_ACTIONS;
    return orders.ready(rounds).map((trader) => ({
      kind: "executeOrder",
      trader,
      keeper: pick(willing, this.#random),
    }));
  }
}

/** One of several at random; the only one for nothing. */
export function pick(numbers: readonly number[], random: Random): number {
  return numbers[numbers.length === 1 ? 0 : random.integer(numbers.length)] as number;
}
