import { toNumber, toNumberFast, WAD_DECIMALS } from "../units.ts";
import type { SolvencyView } from "./backend.ts";

/**
 * What a bot knows of the margin rules: upper bounds of the margin ratios from published parameters. Estimates only
 * decide how much margin a trader brings and which positions a liquidator looks at; the protocol decides the rest.
 */
export interface RiskEstimate {
  /** Bound of the initial margin ratio for a position of `notional` (whole quote tokens). */
  initialMarginRatio(notional: number): number;
  /** Bound of the maintenance margin ratio for a position of `notional` (whole quote tokens). */
  maintenanceMarginRatio(notional: number): number;
}

const INITIAL_FLOOR = 0.04;
const MAINTENANCE_FLOOR = 0.01;
const LIQUIDATION_COST = 0.005;
const VOLATILITY_MULTIPLE = 4;
/** Half an hour, in years of 365 days. */
const HORIZON_YEARS = 0.5 / (365 * 24);
/** The skew premium's scale is at least this many times E/P: K_cap / p_max = 0.5 / 5 %. */
const MINIMUM_SKEW_SCALE = 10;
const GUARDED_FACTOR = 1.25;
const MINIMUM_EQUITY = 1;

/** Makes the bounds for the pool's state as last seen. */
export function estimateRisk(solvency: SolvencyView, quoteDecimals: number): RiskEstimate {
  const move =
    VOLATILITY_MULTIPLE *
    toNumberFast(solvency.volatility, WAD_DECIMALS) *
    Math.sqrt(HORIZON_YEARS);
  const equity = Math.max(MINIMUM_EQUITY, toNumber(solvency.equity, quoteDecimals));
  const guard = solvency.riskState === "Normal" ? 1 : GUARDED_FACTOR;
  const maintenance = (notional: number): number =>
    Math.max(
      MAINTENANCE_FLOOR,
      LIQUIDATION_COST + notional / (2 * MINIMUM_SKEW_SCALE * equity) + move,
    );
  return {
    maintenanceMarginRatio: maintenance,
    initialMarginRatio: (notional) => guard * Math.max(INITIAL_FLOOR, maintenance(notional) + move),
  };
}
