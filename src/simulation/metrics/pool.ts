import { FEE_DENOMINATOR } from "../../math/constantProductMath.ts";
import { type BaseUnits, type QuoteUnits, squareRootDown, WAD, type Wad } from "../../units.ts";
import type { PoolView, ProtocolEvent } from "../backend.ts";

/** Decimals of the two tokens. */
export interface Decimals {
  readonly base: number;
  readonly quote: number;
}

/** Value of base at a price, quote token units, toward zero. */
export function valuation(decimals: Decimals): (base: BaseUnits, price: Wad) => QuoteUnits {
  const numerator = 10n ** BigInt(decimals.quote);
  const denominator = WAD * 10n ** BigInt(decimals.base);
  return (base, price) => (base * price * numerator) / denominator;
}

/** The constant-product pool from its LPs' point of view, swaps valued at the price outside. */
export class PoolMetrics {
  readonly #initial: PoolView;
  readonly #decimals: Decimals;
  readonly #value: (base: BaseUnits, price: Wad) => QuoteUnits;
  #lossVersusRebalancing = 0n;
  #swapFees = 0n;

  constructor(initial: PoolView, decimals: Decimals) {
    this.#initial = initial;
    this.#decimals = decimals;
    this.#value = valuation(decimals);
  }

  /** @param swapFee of the block, 1e6 = 100 % */
  event(event: ProtocolEvent, price: Wad, swapFee: bigint): void {
    if (event.kind !== "Swap") return;
    const valueIn = this.#value(event.baseIn, price) + event.quoteIn;
    const fee = (valueIn * swapFee) / FEE_DENOMINATOR;
    this.#swapFees += fee;
    this.#lossVersusRebalancing +=
      this.#value(event.baseOut, price) + event.quoteOut - valueIn + fee;
  }

  /** @param pool at the end, with the price outside */
  summary(pool: PoolView, price: Wad) {
    return {
      divergenceLoss: this.#divergenceLoss(pool, price),
      lossVersusRebalancing: this.#lossVersusRebalancing as QuoteUnits,
      swapFees: this.#swapFees as QuoteUnits,
      ...poolGreeks(pool, price, this.#decimals),
    };
  }

  #divergenceLoss({ reserveBase: x, reserveQuote: y }: PoolView, price: Wad): Wad {
    const { reserveBase: x0, reserveQuote: y0 } = this.#initial;
    const value = this.#value(x, price) + y;
    const held = this.#value(x0, price) + y0;
    const shrink = squareRootDown((x0 * y0 * WAD * WAD) / (x * y));
    return (value * shrink) / held - WAD;
  }
}

/**
 * Greeks of all liquidity of a constant-product pool at a price P: value 2 sqrt(k P), delta sqrt(k / P), gamma
 * -delta / (2 P).
 *
 * @returns value in quote token units, delta in base token units (both rounded down), gamma in whole base tokens per unit
 * of price, 1e18 (toward zero)
 */
export function poolGreeks(
  { reserveBase, reserveQuote }: PoolView,
  price: Wad,
  decimals: Decimals,
): { poolLpValue: QuoteUnits; poolLpDelta: BaseUnits; poolLpGamma: Wad } {
  const k = reserveBase * reserveQuote;
  // Quote units per base unit = numerator / denominator.
  const numerator = price * 10n ** BigInt(decimals.quote);
  const denominator = WAD * 10n ** BigInt(decimals.base);
  const delta = squareRootDown((k * denominator) / numerator);
  const deltaWad = (delta * WAD) / 10n ** BigInt(decimals.base);
  return {
    poolLpValue: squareRootDown((4n * k * numerator) / denominator),
    poolLpDelta: delta,
    poolLpGamma: -(deltaWad * WAD) / (2n * price),
  };
}
