import { absolute, type BaseUnits, type QuoteUnits, WAD, type Wad } from "../../units.ts";
import type { LedgersView, ProtocolEvent, SolvencyView } from "../backend.ts";
import { type Decimals, valuation } from "./pool.ts";

/** Volume, cost of fills and use of the margin pool's equity. */
export class TradingMetrics {
  readonly #value: (base: BaseUnits, price: Wad) => QuoteUnits;
  #volume = 0n;
  #fillCost = 0n;
  #openInterest = 0n;
  #equity = 0n;
  #steps = 0n;
  #liquidations = 0;
  #deleverages = 0;
  #rebalances = 0;
  #rebalanceCost = 0n;

  constructor(decimals: Decimals) {
    this.#value = valuation(decimals);
  }

  /** Chunks traded and oracle value given up so far. */
  get rebalances(): number {
    return this.#rebalances;
  }

  get rebalanceCost(): QuoteUnits {
    return this.#rebalanceCost;
  }

  event(event: ProtocolEvent): void {
    switch (event.kind) {
      case "OrderExecuted":
        this.#volume += this.#value(absolute(event.sizeDelta), event.indexPrice);
        this.#fillCost += this.#value(event.sizeDelta, event.fillPrice - event.indexPrice);
        break;
      case "Liquidated":
        this.#liquidations++;
        break;
      case "Deleveraged":
        this.#deleverages++;
        break;
      case "Rebalanced":
        this.#rebalances++;
        this.#rebalanceCost += event.cost;
        break;
    }
  }

  /** A step is over. */
  endStep(solvency: SolvencyView, ledgers: LedgersView): void {
    this.#openInterest += this.#value(
      ledgers.longOpenInterest + ledgers.shortOpenInterest,
      solvency.indexPrice,
    );
    this.#equity += solvency.equity;
    this.#steps++;
  }

  summary() {
    const meanEquity = this.#steps === 0n ? 0n : this.#equity / this.#steps;
    return {
      rebalances: this.#rebalances,
      rebalanceCost: this.#rebalanceCost,
      liquidations: this.#liquidations,
      deleverages: this.#deleverages,
      volume: this.#volume as QuoteUnits,
      priceImpact: ratio(this.#fillCost, this.#volume),
      turnover: ratio(this.#volume, meanEquity),
      openInterestToEquity: ratio(this.#openInterest, this.#equity),
    };
  }
}

/** 0 where there is nothing to compare with. */
function ratio(part: bigint, whole: bigint): Wad {
  return whole <= 0n ? 0n : (part * WAD) / whole;
}
