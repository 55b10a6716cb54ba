import type { DeploymentSettings } from "../../deploy/deployProtocol.ts";
import type { BaseUnits, QuoteUnits, Wad } from "../units.ts";
import type { Action, ActorRole } from "./actions.ts";
import type { ProtocolEvent, RiskState } from "./events.ts";

export type { Action, ActionKind, ActorRole } from "./actions.ts";
export { ACTOR_ROLES } from "./actions.ts";
export type { ProtocolEvent, RiskState } from "./events.ts";
export { RISK_STATES } from "./events.ts";

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

/** Outcome of one action. `error` names the contract's error when it was refused as a whole; `events` is empty then. */
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

/** Solvency and exposure of the margin pool. After settlement: at the frozen price. */
export interface SolvencyView {
  readonly equity: QuoteUnits;
  readonly equityBid: QuoteUnits;
  readonly equityAsk: QuoteUnits;
  readonly requiredEquity: QuoteUnits;
  /** b, what LPs own of base: as stored, rounded to token units. */
  readonly inventoryBase: BaseUnits;
  readonly skew: BaseUnits;
  readonly targetInventoryBase: BaseUnits;
  readonly netExposureBase: BaseUnits;
  readonly outerBand: BaseUnits;
  /** Whether the exposure is outside the band, or on its way back to the inner edge. */
  readonly outside: boolean;
  readonly solvencyRatio: Wad;
  readonly volatility: Wad;
  readonly indexPrice: Wad;
  /** phi, cost of hedging: 1e6 = 100 %. */
  readonly hedgeRatePpm: bigint;
  readonly riskState: RiskState;
}

/** A trader's account as stored. */
export interface AccountView {
  readonly size: BaseUnits;
  readonly entryNotional: QuoteUnits;
  readonly collateral: QuoteUnits;
}

/** A trader's position at the current price. Unlike the stored account it has felt every deleveraging. */
export interface PositionView extends AccountView {
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

/** The margin pool's ledgers as stored, that is as of the last sync, and its funding index. */
export interface LedgersView {
  readonly inventoryBase: BaseUnits;
  readonly inventoryQuote: QuoteUnits;
  readonly longOpenInterest: BaseUnits;
  readonly shortOpenInterest: BaseUnits;
  readonly skewPremium: QuoteUnits;
  readonly pendingIncome: QuoteUnits;
  readonly insuranceFund: QuoteUnits;
  readonly unpaidClaims: QuoteUnits;
  /** Quote per base that a long has paid since the start, 1e18, signed. */
  readonly fundingIndex: bigint;
}

/** What a liquidity provider of the margin pool holds and may do now. */
export interface SharesView {
  readonly shares: bigint;
  readonly totalShares: bigint;
  /** Shares that may be redeemed now: 0 while the price is bad. */
  readonly maxRedeem: bigint;
  /** Quote that may be deposited now, by anyone: 0 while the price is bad. */
  readonly maxDeposit: QuoteUnits;
}

/** What a liquidity provider of the constant-product pool holds. */
export interface LiquidityView {
  readonly liquidity: bigint;
  readonly totalLiquidity: bigint;
}

/** The end of a margin pool: all zero while it lives. Times in unix seconds. */
export interface SettlementView {
  readonly price: Wad;
  readonly settledAt: number;
  readonly finalizedAt: number;
}

/** A view that the protocol refused to give, almost always because the price is bad. */
export class ViewRefused extends Error {
  /** Name of the contract's error. */
  readonly error: string;

  constructor(view: string, error: string) {
    super(`${view} was refused: ${error}`);
    this.error = error;
  }
}

/** An answer that is there at once, as a model's, or later, as a chain's. */
export type Eventual<T> = T | Promise<T>;

/** What `next` makes of an answer: at once where the answer is there. Awaiting those costs a run on the model a tenth of its speed. */
export function andThen<T, R>(answer: Eventual<T>, next: (value: T) => Eventual<R>): Eventual<R> {
  return answer instanceof Promise ? answer.then(next) : next(answer);
}

/** The answer of a view, or of somebody who relies on one; undefined where a view was refused. */
export function answered<T>(ask: () => Eventual<T>): Eventual<T | undefined> {
  try {
    const answer = ask();
    return answer instanceof Promise ? answer.catch(nothingIfRefused) : answer;
  } catch (thrown) {
    return nothingIfRefused(thrown);
  }
}

function nothingIfRefused(thrown: unknown): undefined {
  if (!(thrown instanceof ViewRefused)) throw thrown;
}

/**
 * The protocol as agents see it. Agents cannot tell what is behind it: contracts on a chain, or a model of them.
 * Amounts are token units. Views describe the moment of the last block: between two blocks a view gives the same
 * answer, so that it may be computed once and kept.
 *
 * `solvency`, `position` and `planRebalance` throw `ViewRefused` while the price is bad; no other view does.
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
  mine(timestamp: number, actions: readonly Action[]): Eventual<ActionResult[]>;
  pool(): Eventual<PoolView>;
  solvency(): Eventual<SolvencyView>;
  ledgers(): Eventual<LedgersView>;
  settlement(): Eventual<SettlementView>;
  /** Losses of traders beyond their margin since the start. */
  badDebt(): Eventual<QuoteUnits>;
  account(trader: number): Eventual<AccountView>;
  position(trader: number): Eventual<PositionView>;
  shares(lp: number): Eventual<SharesView>;
  liquidity(provider: number): Eventual<LiquidityView>;
  /** What `claim` would pay this actor from fees and penalties. */
  credit(role: ActorRole, actor: number): Eventual<QuoteUnits>;
  /** What `rebalance()` would do in a block at `timestamp` (unix seconds). */
  planRebalance(timestamp: number): Eventual<RebalancePlan>;
  /** Frees what the backend holds. */
  close(): Promise<void>;
}

/** How a simulation starts. The same for every run of a comparison. */
export interface BackendSetup {
  /** Unix seconds of the path's first opening price: the first block stands there. */
  readonly startsAt: number;
  readonly initialPrice: Wad;
  readonly traderCount: number;
  /** Actors of the other roles, numbered from 0; one of each unless given. */
  readonly actorCounts?: Partial<Record<Exclude<ActorRole, "trader">, number>>;
  /** Settings of the deployment other than the default; `initialPrice` is the one above. */
  readonly settings?: Omit<Partial<DeploymentSettings>, "initialPrice" | "sequencerFeed">;
}

/** Makes a fresh protocol with its own time and state. */
export type BackendFactory = (setup: BackendSetup) => Promise<ProtocolBackend>;
