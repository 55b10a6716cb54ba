import type { ActionResult } from "../backend.ts";

/** What became of the intents of one run. Every intent ends in exactly one of the first five. */
export interface OrderCounts {
  /** Filled, at least in part. */
  readonly accepted: number;
  /** The fill would have cost more than the trader was willing to pay. */
  readonly declined: number;
  /** Refused for another reason, at the request or at the fill. */
  readonly failed: number;
  /** Not filled before its deadline, or still waiting at the end. */
  readonly expired: number;
  /** The account still had an earlier order waiting. */
  readonly busy: number;
  /** Of the accepted ones: those of which only a part was filled. */
  readonly partlyFilled: number;
  /** Of the failed ones: how many each error refused. */
  readonly reasons: ReadonlyMap<string, number>;
}

/** Price tolerance errors: the trader's own choice, not a refusal of the protocol. */
const DECLINED = "MarginPool_PriceNotAcceptable";

/** Follows the orders of accounts below a number, and counts. */
export class OrderCounter {
  readonly #accounts: number;
  /** Waiting orders, and whether a part of each was filled. */
  readonly #pending = new Map<number, boolean>();
  readonly #reasons = new Map<string, number>();
  #accepted = 0;
  #declined = 0;
  #failed = 0;
  #expired = 0;
  #busy = 0;
  #partlyFilled = 0;

  constructor(accounts: number) {
    this.#accounts = accounts;
  }

  /** Whether the trader's last order still waits. */
  waits(trader: number): boolean {
    return this.#pending.has(trader);
  }

  /** An intent met an order that still waits. */
  busy(): void {
    this.#busy++;
  }

  /** An intent was refused before an order came of it, or with it. */
  refused(reason: string): void {
    if (reason === DECLINED) this.#declined++;
    else {
      this.#failed++;
      this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
    }
  }

  observe(results: readonly ActionResult[]): void {
    for (const { action, ok, error, events } of results) {
      if (action.kind === "requestOrder" && action.trader < this.#accounts) {
        if (ok) this.#pending.set(action.trader, false);
        else this.refused(error ?? "unknown");
      }
      for (const event of events) {
        switch (event.kind) {
          case "OrderExecuted":
            this.#filled(event.trader, event.remaining);
            break;
          case "OrderFailed":
            this.#removed(event.trader, event.reason);
            break;
          case "OrderExpired":
          case "OrderCanceled":
          case "AccountSettled":
            this.#removed(event.trader, undefined);
            break;
        }
      }
    }
  }

  /** The counts if the run ended now: orders still waiting count as expired. */
  counts(): OrderCounts {
    const filled = [...this.#pending.values()].filter(Boolean).length;
    return {
      accepted: this.#accepted,
      declined: this.#declined,
      failed: this.#failed,
      expired: this.#expired + this.#pending.size - filled,
      busy: this.#busy,
      partlyFilled: this.#partlyFilled + filled,
      reasons: this.#reasons,
    };
  }

  #filled(trader: number, remaining: bigint): void {
    const filledBefore = this.#pending.get(trader);
    if (filledBefore === undefined) return;
    if (!filledBefore) this.#accepted++;
    if (remaining === 0n) this.#pending.delete(trader);
    else this.#pending.set(trader, true);
  }

  /** An order left the queue without (further) fill; no reason means that its time was up. */
  #removed(trader: number, reason: string | undefined): void {
    const filled = this.#pending.get(trader);
    if (filled === undefined) return;
    this.#pending.delete(trader);
    if (filled) this.#partlyFilled++;
    else if (reason === undefined) this.#expired++;
    else this.refused(reason);
  }
}
