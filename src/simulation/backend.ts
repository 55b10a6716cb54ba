import type { BaseUnits, QuoteUnits, Wad } from "../units.ts";

/** Order of `IMarginPool.RiskState`. */
export const RISK_STATES = ["Normal", "Guarded", "ReduceOnly", "Deleveraging", "Settled"] as const;
export type RiskState = (typeof RISK_STATES)[number];

/** Order of `IRebalancer.Reason`. */
export const REBALANCE_REASONS = [
  "Due",
  "InsideBand",
  "NotYetEligible",
  "AlreadyThisBlock",
  "PoolTooShallow",
  "InsufficientInventory",
  "Insolvent",
] as const;
export type RebalanceReason = (typeof REBALANCE_REASONS)[number];

/** What agents can do. Who acts follows from the kind: the feed, the arbitrageur, one of the traders, a keeper. */
export type Action =
  | { readonly kind: "publishPrice"; readonly price: Wad }
  | { readonly kind: "swap"; readonly sellBase: boolean; readonly amountIn: bigint }
  | { readonly kind: "depositMargin"; readonly trader: number; readonly amount: QuoteUnits }
  | { readonly kind: "withdrawMargin"; readonly trader: number; readonly amount: QuoteUnits }
  | {
      readonly kind: "requestOrder";
      readonly trader: number;
      readonly sizeDelta: BaseUnits;
      readonly acceptablePrice: Wad;
      readonly expiresAt: number;
    }
  | { readonly kind: "executeOrder"; readonly trader: number }
  | { readonly kind: "liquidate"; readonly trader: number }
  | { readonly kind: "rebalance" }
  | { readonly kind: "poke" };

/** What happened, in the order it happened. */
export type ProtocolEvent =
  | {
      readonly kind: "OrderExecuted";
      readonly trader: number;
      readonly sizeDelta: BaseUnits;
      readonly remaining: BaseUnits;
    }
  | { readonly kind: "OrderFailed"; readonly trader: number; readonly reason: string }
  | { readonly kind: "OrderExpired"; readonly trader: number }
  /** A liquidation closes no more than it must: the rest can be liquidated again. */
  | { readonly kind: "Liquidated"; readonly trader: number; readonly badDebt: QuoteUnits }
  | { readonly kind: "Rebalanced"; readonly baseDelta: BaseUnits; readonly cost: QuoteUnits }
  | {
      readonly kind: "Swap";
      readonly baseIn: BaseUnits;
      readonly quoteIn: QuoteUnits;
      readonly baseOut: BaseUnits;
      readonly quoteOut: QuoteUnits;
    };

/** Outcome of one action. `error` names the cause when it was refused as a whole. */
export interface ActionResult {
  readonly action: Action;
  readonly ok: boolean;
  readonly error?: string;
  readonly events: readonly ProtocolEvent[];
}

/** Reserves of the constant-product pool and its fee (1e6 = 100 %). */
export interface PoolView {
  readonly reserveBase: BaseUnits;
  readonly reserveQuote: QuoteUnits;
  readonly swapFee: bigint;
}

/** Solvency and exposure of the margin pool. */
export interface SolvencyView {
  readonly equity: QuoteUnits;
  readonly equityBid: QuoteUnits;
  readonly skew: BaseUnits;
  readonly netExposureBase: BaseUnits;
  readonly outerBand: BaseUnits;
  readonly solvencyRatio: Wad;
  readonly volatility: Wad;
  readonly riskState: RiskState;
}

/** A trader's account as stored. */
export interface AccountView {
  readonly size: BaseUnits;
  readonly entryNotional: QuoteUnits;
  readonly collateral: QuoteUnits;
}

/** A trader's position at the current price. */
export interface PositionView {
  readonly equity: QuoteUnits;
  readonly liquidatable: boolean;
}

/** What the rebalancer would do. */
export interface RebalancePlan {
  readonly reason: RebalanceReason;
  readonly sellBase: boolean;
  readonly amountBase: BaseUnits;
  readonly quoteLimit: QuoteUnits;
  readonly innerBand: BaseUnits;
  readonly outerBand: BaseUnits;
}

/**
 * The protocol as agents see it. Agents cannot tell what is behind it: contracts on a chain, or a model of them.
 * Amounts are token units. Views describe the moment of the last block.
 */
export interface ProtocolBackend {
  readonly baseDecimals: number;
  readonly quoteDecimals: number;
  /** Escrowed with each order. */
  readonly executionFee: QuoteUnits;
  /**
   * Closes a block at `timestamp` in which `actions` run in the given order.
   *
   * @param timestamp unix seconds, later than the block before
   * @returns one result per action
   */
  mine(timestamp: number, actions: readonly Action[]): Promise<ActionResult[]>;
  pool(): Promise<PoolView>;
  solvency(): Promise<SolvencyView>;
  /** Losses of traders beyond their margin since the start. */
  badDebt(): Promise<QuoteUnits>;
  account(trader: number): Promise<AccountView>;
  position(trader: number): Promise<PositionView>;
  /** What `rebalance()` would do in a block at `timestamp` (unix seconds). */
  planRebalance(timestamp: number): Promise<RebalancePlan>;
  /** Frees what the backend holds. */
  close(): Promise<void>;
}

/** How a simulation starts. The same for every run of a comparison. */
export interface BackendSetup {
  /** Unix seconds of the path's first opening price: the first block stands there. */
  readonly startsAt: number;
  readonly initialPrice: Wad;
  readonly traderCount: number;
}

/** Makes a fresh protocol with its own time and state. */
export type BackendFactory = (setup: BackendSetup) => Promise<ProtocolBackend>;
