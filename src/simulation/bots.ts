import { amountInUp, amountOutDown } from "../math/constantProductMath.ts";
import { absolute, toNumber, WAD, type Wad } from "../units.ts";
import { afterTrade, arbitrageTrade } from "./arbitrage.ts";
import type { Action, PoolView, ProtocolBackend, RebalancePlan, SolvencyView } from "./backend.ts";
import { estimateRisk } from "./riskEstimate.ts";
import type { Traders } from "./traders.ts";

/** What the estimate leaves out (funding, rounding), as a share of notional. */
const LIQUIDATION_MARGIN_OF_DOUBT = 0.02;

/** The arbitrageur's trade for the pool as it stands, and the pool after it. */
export function arbitrage(
  backend: ProtocolBackend,
  pool: PoolView,
  price: Wad,
): { actions: Action[]; after: PoolView } {
  const trade = arbitrageTrade(pool, price, backend.baseDecimals, backend.quoteDecimals);
  return trade === undefined
    ? { actions: [], after: pool }
    : { actions: [{ kind: "swap", ...trade }], after: afterTrade(pool, trade) };
}

/** Liquidations that are due: positions that could be are looked at, those that are get liquidated. */
export async function liquidations(
  backend: ProtocolBackend,
  traders: Traders,
  price: Wad,
  solvency: SolvencyView,
): Promise<Action[]> {
  const risk = estimateRisk(solvency, backend.quoteDecimals);
  const actions: Action[] = [];
  for (const [trader, { size, entryNotional, collateral }] of traders.openAccounts()) {
    const notional = toNumber((absolute(size) * price) / WAD, backend.baseDecimals);
    const entry = toNumber(entryNotional, backend.quoteDecimals);
    const profit = size > 0n ? notional - entry : entry - notional;
    const equity = toNumber(collateral, backend.quoteDecimals) + profit;
    if (equity > notional * (risk.maintenanceMarginRatio(notional) + LIQUIDATION_MARGIN_OF_DOUBT))
      continue;
    if ((await backend.position(trader)).liquidatable) actions.push({ kind: "liquidate", trader });
  }
  return actions;
}

/**
 * Whether the chunk a keeper would call for meets its limit in this pool: keepers simulate before they pay for gas.
 */
export function chunkFills(plan: RebalancePlan, pool: PoolView): boolean {
  const { amountBase, quoteLimit, sellBase } = plan;
  const { reserveBase, reserveQuote, swapFee } = pool;
  if (amountBase === 0n || amountBase >= reserveBase) return false;
  return sellBase
    ? amountOutDown(amountBase, reserveBase, reserveQuote, swapFee) >= quoteLimit
    : amountInUp(amountBase, reserveQuote, reserveBase, swapFee) <= quoteLimit;
}
