import { toNumber, toNumberFast, WAD_DECIMALS, type Wad } from "../../units.ts";
import type { Action, Eventual } from "../backend.ts";
import type { Bar } from "../paths/pricePath.ts";
import { type Agent, type AgentView, NO_ACTIONS, type Stage } from "./agent.ts";

/** Time ahead that the adversary knows, in seconds, and the move over it that makes it act. */
export const FORESIGHT_SECONDS = 300;
const FORESEEN_MOVE = 0.04;
/** The move in the next step alone that makes it act. */
const FORESEEN_STEP = 0.05;
/** Each leg of the matched pair, in units of LP equity: what the speed limit lets through at once. */
const LEG_SHARE = 0.1;
/** Limits on skew that the protocol publishes, and how close the adversary goes. */
const AFFORDABLE = 0.9;
const OPEN_INTEREST_LIMIT = 0.6;
const CLOSENESS = 0.98;
/** Margin per notional: far from any liquidation. */
const MARGIN_RATIO = 0.5;
/** Part of the foreseen move that it keeps for itself. */
const LEAST_GAIN = 0.005;
const ORDER_LIFETIME_SECONDS = 600;
/** Orders below this share of equity are not worth their fee. */
const DUST_SHARE = 0.0005;

/** Accounts that an adversary trades from. */
export const ADVERSARY_ACCOUNTS = 3;

/** How many bars ahead the adversary looks on a path of this step. */
export function foresightBars(stepSeconds: number): number {
  return Math.max(1, Math.round(FORESIGHT_SECONDS / stepSeconds));
}

/**
 * The foreseen move that the adversary acts on: over five minutes above 4 %, or over one step above 5 %.
 *
 * @param next bars after this one, at least `ahead` unless the path ends
 * @returns the return, signed; 0 when nothing is worth it
 */
export function foreseenMove(price: Wad, next: readonly Bar[], ahead: number): number {
  const now = toNumberFast(price, WAD_DECIMALS);
  const move = (bar: Bar | undefined) =>
    bar === undefined ? 0 : toNumberFast(bar.close, WAD_DECIMALS) / now - 1;
  const step = move(next[0]);
  const later = move(next[Math.min(ahead, next.length) - 1]);
  if (Math.abs(later) > FORESEEN_MOVE && Math.abs(later) >= Math.abs(step)) return later;
  return Math.abs(step) > FORESEEN_STEP ? step : 0;
}

/**
 * Informed flow: before a move that it foresees it takes all the skew that the limits allow, from one account by opening
 * and from a matched long and short, opened at leisure, by closing the leg that would lose. Afterwards it closes the one
 * and restores the other.
 */
export class Adversary implements Agent {
  readonly stages: readonly Stage[] = ["request"];
  readonly #outright: number;
  readonly #long: number;
  readonly #short: number;
  readonly #targetBaseWeight: number;

  /**
   * @param firstAccount number of the first of its three accounts
   * @param targetBaseWeight w, share of LP equity held in base
   */
  constructor(firstAccount: number, targetBaseWeight: number) {
    this.#outright = firstAccount;
    this.#long = firstAccount + 1;
    this.#short = firstAccount + 2;
    this.#targetBaseWeight = targetBaseWeight;
  }

  act(view: AgentView): Eventual<readonly Action[]> {
    if (!view.priceGood) return NO_ACTIONS;
    const move = foreseenMove(view.price, view.next, foresightBars(view.stepSeconds));
    return move === 0 ? this.#wait(view) : this.#strike(view, move);
  }

  async #strike(view: AgentView, move: number): Promise<Action[]> {
    const side = Math.sign(move);
    const losing = side > 0 ? this.#short : this.#long;
    const allowed = await this.#allowedSkew(view, side);
    const taken = this.#size(view, this.#outright);
    const limit = toNumber(view.price, WAD_DECIMALS) * (1 + move - side * LEAST_GAIN);
    const closed = side * taken < 0 ? -taken : 0;
    return [
      ...this.#order(view, losing, -this.#size(view, losing), limit),
      ...this.#order(view, this.#outright, closed + side * allowed, limit),
    ];
  }

  /** Nothing is foreseen: profit is taken, and the pair made whole again. */
  #wait(view: AgentView): Action[] {
    const leg = (LEG_SHARE * this.#equity(view)) / toNumber(view.price, WAD_DECIMALS);
    return [
      ...this.#order(view, this.#outright, -this.#size(view, this.#outright)),
      ...this.#order(view, this.#long, leg - this.#size(view, this.#long)),
      ...this.#order(view, this.#short, -leg - this.#size(view, this.#short)),
    ];
  }

  /** Base that one side may still take on by what can be hedged and by open interest; the speed limit cuts the rest. */
  async #allowedSkew(view: AgentView, side: number): Promise<number> {
    const { backend, solvency } = view;
    const base = (amount: bigint) => toNumber(amount, backend.baseDecimals);
    const quote = (amount: bigint) => toNumber(amount, backend.quoteDecimals);
    const ledgers = await backend.ledgers();
    const price = toNumber(solvency.indexPrice, WAD_DECIMALS);
    const equity = this.#equity(view);
    const ownShare = (this.#targetBaseWeight * quote(solvency.equityBid)) / price;
    const holdings = quote(ledgers.inventoryQuote) + base(ledgers.inventoryBase) * price;
    const spendable = holdings - Math.max(0, holdings - equity);
    const most = side > 0 ? (AFFORDABLE * spendable) / price - ownShare : ownShare;
    const skewRoom = most - side * base(solvency.skew);
    const open = side > 0 ? ledgers.longOpenInterest : ledgers.shortOpenInterest;
    const openRoom = (OPEN_INTEREST_LIMIT * equity) / price - base(open);
    return Math.max(0, CLOSENESS * Math.min(skewRoom, openRoom));
  }

  /** An order of `delta` base and the margin for what it leads to. Without a limit any price is good. */
  #order(view: AgentView, trader: number, delta: number, limit?: number): Action[] {
    const { backend, price, orders, at } = view;
    const index = toNumber(price, WAD_DECIMALS);
    if (orders.has(trader) || Math.abs(delta) * index < DUST_SHARE * this.#equity(view)) return [];
    const account = view.accounts.get(trader);
    const sizeAfter = toNumber(account.size, backend.baseDecimals) + delta;
    const margin = Math.ceil(Math.abs(sizeAfter) * index * MARGIN_RATIO);
    const wanted = BigInt(margin) * 10n ** BigInt(backend.quoteDecimals) + backend.executionFee;
    const missing = wanted - account.collateral;
    const acceptable = limit ?? (delta > 0 ? 2 * index : 0);
    return [
      ...(missing > 0n ? [{ kind: "depositMargin", trader, amount: missing } as const] : []),
      {
        kind: "requestOrder",
        trader,
        sizeDelta: sizeAfter === 0 ? -account.size : fromNumber(delta, backend.baseDecimals),
        acceptablePrice: fromNumber(acceptable, WAD_DECIMALS),
        expiresAt: at + ORDER_LIFETIME_SECONDS,
      },
    ];
  }

  #size(view: AgentView, trader: number): number {
    return toNumber(view.accounts.get(trader).size, view.backend.baseDecimals);
  }

  #equity({ solvency, backend }: AgentView): number {
    return Math.max(1, toNumber(solvency.equity, backend.quoteDecimals));
  }
}

/** Cut to eight decimals: an agent's wish needs no more. */
function fromNumber(value: number, decimals: number): bigint {
  return BigInt(Math.trunc(value * 1e8)) * 10n ** BigInt(decimals - 8);
}
