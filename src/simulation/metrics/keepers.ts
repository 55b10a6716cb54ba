import type { QuoteUnits, Wad } from "../../units.ts";
import { GAS_USED, gasCost, type PaidAction } from "../agents/gasPolicy.ts";
import type { ActionResult } from "../backend.ts";

const PAID_ACTIONS: ReadonlySet<string> = new Set(Object.keys(GAS_USED));

/** What keepers and liquidators were credited, and what their transactions cost, refused ones included. */
export class KeeperMetrics {
  readonly #executionFee: QuoteUnits;
  readonly #quoteDecimals: number;
  #rewards = 0n;
  /** Whole quote tokens. */
  #gasCost = 0;

  /** @param executionFee credited to whoever removes an order from the queue */
  constructor(executionFee: QuoteUnits, quoteDecimals: number) {
    this.#executionFee = executionFee;
    this.#quoteDecimals = quoteDecimals;
  }

  /** @param price of the base token, taken for ether */
  result({ action, events }: ActionResult, gasPriceGwei: number, price: Wad): void {
    if (PAID_ACTIONS.has(action.kind))
      this.#gasCost += gasCost(action.kind as PaidAction, gasPriceGwei, price);
    for (const event of events) {
      switch (event.kind) {
        case "OrderExecuted":
        case "OrderFailed":
        case "OrderExpired":
          this.#rewards += this.#executionFee;
          break;
        case "Liquidated":
          this.#rewards += event.keeperReward;
          break;
      }
    }
  }

  summary() {
    const cost = BigInt(Math.round(this.#gasCost * 10 ** this.#quoteDecimals));
    return {
      keeperRewards: this.#rewards as QuoteUnits,
      keeperGasCost: cost as QuoteUnits,
      keeperProfit: (this.#rewards - cost) as QuoteUnits,
    };
  }
}
