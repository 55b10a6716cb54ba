import { absolute, toNumber, WAD, type Wad } from "../units.ts";
import type {
  AccountView,
  Action,
  ActionResult,
  ProtocolBackend,
  SolvencyView,
} from "./backend.ts";
import type { Intent } from "./flows.ts";
import { estimateRisk } from "./riskEstimate.ts";

/** What became of the intents of one run. Every intent ends in exactly one of the first five. */
export interface OrderCounts {
  /** Filled, at least in part. */
  accepted: number;
  /** The fill would have cost more than the trader was willing to pay. */
  declined: number;
  /** Refused for another reason, at the request or at the fill. */
  failed: number;
  /** Not filled before its deadline, or still waiting at the end. */
  expired: number;
  /** The account still had an earlier order waiting. */
  busy: number;
  /** Of the accepted ones: those of which only a part was filled. */
  partlyFilled: number;
  /** Of the failed ones: how many each error refused. */
  reasons: Map<string, number>;
}

interface PendingOrder {
  filled: boolean;
}

/** Traders never accept a fill further from index than this, whatever they would pay. */
const MAXIMUM_SLIPPAGE_BPS = 200;
/** What would be left of a position below this (whole quote tokens) is closed as well. */
const MINIMUM_POSITION_QUOTE = 5_000;
/** Traders keep this distance to the initial margin. */
const LEVERAGE_SAFETY = 0.95;
const ORDER_LIFETIME_SECONDS = 600;
const PPM = 1_000_000n;

/** Price tolerance errors: the trader's own choice, not a refusal of the protocol. */
const DECLINED = "MarginPool_PriceNotAcceptable";

/** Turns intents into margin and orders for the accounts of one run, and follows what becomes of them. */
export class Traders {
  readonly counts: OrderCounts = {
    accepted: 0,
    declined: 0,
    failed: 0,
    expired: 0,
    busy: 0,
    partlyFilled: 0,
    reasons: new Map(),
  };
  readonly #backend: ProtocolBackend;
  readonly #accounts = new Map<number, AccountView>();
  readonly #pending = new Map<number, PendingOrder>();

  constructor(backend: ProtocolBackend) {
    this.#backend = backend;
  }

  /** Accounts with a position, as last seen. */
  openAccounts(): [trader: number, account: AccountView][] {
    return [...this.#accounts].filter(([, account]) => account.size !== 0n);
  }

  /** Traders with a queued order, first come first. */
  waiting(): number[] {
    return [...this.#pending.keys()];
  }

  /**
   * The transactions with which traders follow their intents at `price`.
   *
   * @param timestamp unix seconds of the block they will run in
   */
  async requests(
    intents: readonly Intent[],
    price: Wad,
    timestamp: number,
    solvency: SolvencyView,
  ): Promise<Action[]> {
    const actions: Action[] = [];
    for (const intent of intents) {
      if (this.#pending.has(intent.trader)) {
        this.counts.busy++;
        continue;
      }
      actions.push(...(await this.#request(intent, price, timestamp, solvency)));
    }
    return actions;
  }

  /** Learns from the results of a block, and reads again the accounts that changed. */
  async observe(results: readonly ActionResult[]): Promise<void> {
    const touched = new Set<number>();
    for (const { action, ok, error, events } of results) {
      if (action.kind === "requestOrder") {
        touched.add(action.trader);
        if (ok) this.#pending.set(action.trader, { filled: false });
        else this.#refused(error ?? "unknown");
      }
      for (const event of events) {
        switch (event.kind) {
          case "OrderExecuted":
            touched.add(event.trader);
            this.#filled(event.trader, event.remaining);
            break;
          case "OrderFailed":
            touched.add(event.trader);
            this.#removed(event.trader, event.reason);
            break;
          case "OrderExpired":
            touched.add(event.trader);
            this.#removed(event.trader, undefined);
            break;
          case "Liquidated":
            touched.add(event.trader);
            break;
        }
      }
    }
    for (const trader of touched) this.#accounts.set(trader, await this.#backend.account(trader));
  }

  /** Closes the books: orders still waiting count as expired. */
  finish(): void {
    for (const trader of this.waiting()) this.#removed(trader, undefined);
  }

  async #request(
    intent: Intent,
    price: Wad,
    timestamp: number,
    solvency: SolvencyView,
  ): Promise<Action[]> {
    const { trader, leverage, notionalQuote } = intent;
    const account = this.#accounts.get(trader) ?? { size: 0n, entryNotional: 0n, collateral: 0n };
    const sizeDelta = this.#sizeDelta(notionalQuote, account.size, price);
    const slippageBps = Math.min(MAXIMUM_SLIPPAGE_BPS, intent.reservationCostBps);
    const slippagePpm = BigInt(Math.floor(slippageBps * 100));
    const acceptablePrice =
      (price * (sizeDelta > 0n ? PPM + slippagePpm : PPM - slippagePpm)) / PPM;

    const sizeAfter = account.size + sizeDelta;
    const opened =
      account.size * sizeDelta < 0n
        ? max(0n, absolute(sizeDelta) - absolute(account.size))
        : absolute(sizeDelta);
    const risk = estimateRisk(solvency, this.#backend.quoteDecimals);
    const openedNotional = this.#notional(opened, price);
    const totalNotional = this.#notional(absolute(sizeAfter), price);
    const ratio = risk.initialMarginRatio(totalNotional) / LEVERAGE_SAFETY;
    const allowance = this.#notional(absolute(sizeDelta), price) * (slippageBps / 10_000);
    const wanted = openedNotional * Math.max(ratio, 1 / leverage) + allowance;
    const fee = this.#backend.executionFee;

    let deposit: bigint;
    if (account.size === 0n) {
      deposit = this.#quote(wanted) + fee - account.collateral;
    } else if (opened === 0n) {
      deposit = fee;
    } else {
      // The protocol wants the margin in cash: profit that is not realized does not count.
      const equity = min((await this.#backend.position(trader)).equity, account.collateral);
      const needed = this.#quote(totalNotional * ratio + allowance);
      const added = account.size * sizeDelta > 0n ? this.#quote(wanted) : 0n;
      deposit = max(added, needed - equity) + fee;
    }
    const actions: Action[] = [];
    if (deposit > 0n) actions.push({ kind: "depositMargin", trader, amount: deposit });
    if (deposit < 0n) actions.push({ kind: "withdrawMargin", trader, amount: -deposit });
    const expiresAt = timestamp + ORDER_LIFETIME_SECONDS;
    actions.push({ kind: "requestOrder", trader, sizeDelta, acceptablePrice, expiresAt });
    return actions;
  }

  /** The order's size in base token units; a remainder too small to keep is closed with it. */
  #sizeDelta(notionalQuote: number, size: bigint, price: Wad): bigint {
    const sizeDelta =
      (BigInt(notionalQuote) * 10n ** BigInt(this.#backend.baseDecimals) * WAD) / price;
    const closes = size * sizeDelta < 0n;
    return closes && this.#notional(absolute(size + sizeDelta), price) < MINIMUM_POSITION_QUOTE
      ? -size
      : sizeDelta;
  }

  #notional(size: bigint, price: Wad): number {
    return toNumber((size * price) / WAD, this.#backend.baseDecimals);
  }

  #quote(wholeTokens: number): bigint {
    return BigInt(Math.ceil(wholeTokens)) * 10n ** BigInt(this.#backend.quoteDecimals);
  }

  #filled(trader: number, remaining: bigint): void {
    const order = this.#pending.get(trader);
    if (order === undefined) return;
    if (!order.filled) this.counts.accepted++;
    order.filled = true;
    if (remaining === 0n) this.#pending.delete(trader);
  }

  /** An order left the queue without (further) fill; no reason means that its time was up. */
  #removed(trader: number, reason: string | undefined): void {
    const order = this.#pending.get(trader);
    if (order === undefined) return;
    this.#pending.delete(trader);
    if (order.filled) this.counts.partlyFilled++;
    else if (reason === undefined) this.counts.expired++;
    else this.#refused(reason);
  }

  #refused(reason: string): void {
    if (reason === DECLINED) this.counts.declined++;
    else {
      this.counts.failed++;
      this.counts.reasons.set(reason, (this.counts.reasons.get(reason) ?? 0) + 1);
    }
  }
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
