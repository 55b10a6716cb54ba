import { amountOutDown, FEE_DENOMINATOR } from "../math/constantProductMath.ts";
import { powerOfTen, squareRootDown, WAD, type Wad } from "../units.ts";
import type { PoolView } from "./backend.ts";

/** A swap of exactly `amountIn`: base into the pool when `sellBase`, quote otherwise. Token units. */
export interface ArbitrageTrade {
  readonly sellBase: boolean;
  readonly amountIn: bigint;
}

/**
 * The trade that earns an arbitrageur most against an outside market at `price`. With fee f the marginal price of a
 * purchase is (y/x)/(1-f) and of a sale (y/x)(1-f); trading stops where it equals the outside price, which leaves the
 * spot price y/x at the near edge of P(1-f)..P/(1-f).
 *
 * With gamma = 1 - f and k = x y before the trade, the quote reserve less fees after a purchase is sqrt(gamma k P) and
 * the base reserve less fees after a sale sqrt(gamma k / P).
 *
 * @param pool reserves in token units
 * @param price outside price, quote per base in whole tokens
 * @returns undefined inside the band, or where the gain would be less than a token unit
 */
export function arbitrageTrade(
  pool: PoolView,
  price: Wad,
  baseDecimals: number,
  quoteDecimals: number,
): ArbitrageTrade | undefined {
  const { reserveBase: x, reserveQuote: y, swapFee } = pool;
  const gamma = FEE_DENOMINATOR - swapFee;
  // Quote units per base unit = numerator / denominator.
  const numerator = price * powerOfTen(quoteDecimals);
  const denominator = WAD * powerOfTen(baseDecimals);
  if (clearlyInside(x, y, Number(gamma) / 1e6, Number(numerator) / Number(denominator)))
    return undefined;

  const kAfterFee = x * y * gamma;
  const quoteSquared = (kAfterFee * numerator) / (denominator * FEE_DENOMINATOR);
  if (quoteSquared > y * y) {
    const quoteAfter = squareRootDown(quoteSquared);
    return gainful(
      { sellBase: false, amountIn: ((quoteAfter - y) * FEE_DENOMINATOR) / gamma },
      pool,
    );
  }
  const baseSquared = (kAfterFee * denominator) / (numerator * FEE_DENOMINATOR);
  if (baseSquared > x * x) {
    const baseAfter = squareRootDown(baseSquared);
    return gainful({ sellBase: true, amountIn: ((baseAfter - x) * FEE_DENOMINATOR) / gamma }, pool);
  }
  return undefined;
}

/** Far more than doubles err, far less than any fee. */
const ROUNDING = 1e-9;

/** Whether doubles are enough to see that nothing is to be gained: true of most steps of a fine path. */
function clearlyInside(x: bigint, y: bigint, gamma: number, price: number): boolean {
  const ratio = Number(y) / Number(x) / price;
  return ratio > gamma * (1 + ROUNDING) && ratio * gamma < 1 - ROUNDING;
}

/** The pool after a trade. */
export function afterTrade(pool: PoolView, trade: ArbitrageTrade): PoolView {
  const { reserveBase, reserveQuote, swapFee } = pool;
  if (trade.sellBase) {
    const out = amountOutDown(trade.amountIn, reserveBase, reserveQuote, swapFee);
    return { reserveBase: reserveBase + trade.amountIn, reserveQuote: reserveQuote - out, swapFee };
  }
  const out = amountOutDown(trade.amountIn, reserveQuote, reserveBase, swapFee);
  return { reserveBase: reserveBase - out, reserveQuote: reserveQuote + trade.amountIn, swapFee };
}

function gainful(trade: ArbitrageTrade, pool: PoolView): ArbitrageTrade | undefined {
  if (trade.amountIn === 0n) return undefined;
  const { reserveBase, reserveQuote, swapFee } = pool;
  const out = trade.sellBase
    ? amountOutDown(trade.amountIn, reserveBase, reserveQuote, swapFee)
    : amountOutDown(trade.amountIn, reserveQuote, reserveBase, swapFee);
  return out === 0n ? undefined : trade;
}
