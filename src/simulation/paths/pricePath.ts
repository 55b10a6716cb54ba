import type { Wad } from "../../units.ts";
import {
  gasPriceAt,
  MAXIMUM_PRICE,
  MINIMUM_PRICE,
  PRICE_DECIMALS,
  type Scenario,
} from "../scenario.ts";

/** One step of a price path. */
export interface Bar {
  /** Price at the end of the bar. */
  readonly close: Wad;
  /** Highest and lowest price of the bar, where known. */
  readonly high?: Wad;
  readonly low?: Wad;
  /** Gas price during the bar, where known. */
  readonly gasPriceGwei?: number;
}

/** Prices over time, produced as they are asked for: a path takes the same memory whatever its length. */
export interface PricePath {
  readonly name: string;
  /** Unix seconds at which the first bar opens. */
  readonly startsAt: number;
  /** Length of a bar in seconds. */
  readonly stepSeconds: number;
  /** Price at `startsAt`, quote per base in whole tokens. */
  readonly open: Wad;
  /** Number of bars. */
  readonly steps: number;
  /** The bars from the first on; every call starts anew and gives the same. */
  bars(): Iterable<Bar>;
}

/** A year as volatilities count it. */
export const SECONDS_PER_YEAR = 365 * 86_400;

/** One unit of the feed's last decimal. */
const PRICE_UNIT = 10n ** BigInt(18 - PRICE_DECIMALS);
const UNITS_PER_TOKEN = 10 ** PRICE_DECIMALS;
const LOWEST = priceNumber(MINIMUM_PRICE);
const HIGHEST = priceNumber(MAXIMUM_PRICE);

/**
 * A price as a double. Prices have eight decimals and at most 15 digits: the result is the nearest double, and two
 * prices never share one.
 */
export function priceNumber(price: Wad): number {
  return Number(price / PRICE_UNIT) / UNITS_PER_TOKEN;
}

/** A price from a process, cut to the feed's eight decimals; beyond the limits of scenarios it stops at the limit. */
export function feedPrice(price: number): Wad {
  const within = Math.min(HIGHEST, Math.max(LOWEST, price));
  return BigInt(Math.floor(within * UNITS_PER_TOKEN)) * PRICE_UNIT;
}

/** The bars of a scenario, with its gas prices as far as they go. */
export function pathOfScenario(scenario: Scenario): PricePath {
  const { name, startsAt, stepSeconds, open, close, high, low } = scenario;
  return {
    name,
    startsAt,
    stepSeconds,
    open,
    steps: close.length,
    *bars() {
      for (const [index, price] of close.entries()) {
        const top = high?.[index];
        const bottom = low?.[index];
        const gasPriceGwei = gasPriceAt(scenario, index);
        yield {
          close: price,
          ...(top === undefined ? {} : { high: top }),
          ...(bottom === undefined ? {} : { low: bottom }),
          ...(gasPriceGwei === undefined ? {} : { gasPriceGwei }),
        };
      }
    },
  };
}
