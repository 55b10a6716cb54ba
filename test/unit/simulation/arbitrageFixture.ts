import { afterTrade, arbitrageTrade } from "../../../src/simulation/arbitrage.ts";
import type { PoolView } from "../../../src/simulation/backend.ts";
import { feedPrice } from "../../../src/simulation/paths/pricePath.ts";
import { toNumber, WAD } from "../../../src/units.ts";

const DECIMALS = 18;

/** What an arbitrage left, and what it earned at the outside price. */
export interface Arbitrage {
  readonly pool: PoolView;
  /** Value of what left the pool less value of what came in, in whole quote tokens; 0 without a trade. */
  readonly profit: number;
  readonly traded: boolean;
}

/** A pool of two 18-decimal tokens with 20 M quote per side at a price. */
export function poolAt(price: number, swapFee: bigint): PoolView {
  const reserveQuote = 20_000_000n * WAD;
  return { reserveBase: (reserveQuote * WAD) / feedPrice(price), reserveQuote, swapFee };
}

/** The arbitrageur's best trade against an outside price, by the integer mathematics of the pool. */
export function arbitrageAt(pool: PoolView, price: bigint): Arbitrage {
  const trade = arbitrageTrade(pool, price, DECIMALS, DECIMALS);
  if (trade === undefined) return { pool, profit: 0, traded: false };
  const after = afterTrade(pool, trade);
  const atPrice = (view: PoolView) => (view.reserveBase * price) / WAD + view.reserveQuote;
  return {
    pool: after,
    profit: toNumber(atPrice(pool) - atPrice(after), DECIMALS),
    traded: true,
  };
}

/** Value of a position that owns the whole pool if it stood at the outside price: 2 sqrt(k P), in whole quote tokens. */
export function valueAt({ reserveBase, reserveQuote }: PoolView, price: number): number {
  return 2 * Math.sqrt(toNumber(reserveBase, DECIMALS) * toNumber(reserveQuote, DECIMALS) * price);
}
