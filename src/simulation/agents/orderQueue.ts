import type { ActionResult } from "../backend.ts";

/** Orders that wait to be filled, first come first. */
export class OrderQueue {
  /** Per trader: how many rounds had been published when the order was requested, or last filled in part. */
  readonly #roundsBefore = new Map<number, number>();

  /** Number of waiting orders. */
  get length(): number {
    return this.#roundsBefore.size;
  }

  has(trader: number): boolean {
    return this.#roundsBefore.has(trader);
  }

  /** Traders whose order waits and could be filled: at least one of `rounds` rounds came after the request. */
  ready(rounds: number): number[] {
    const traders: number[] = [];
    for (const [trader, before] of this.#roundsBefore) if (before < rounds) traders.push(trader);
    return traders;
  }

  /** @param rounds published so far, those of the block included */
  observe(results: readonly ActionResult[], rounds: number): void {
    for (const { action, ok, events } of results) {
      if (action.kind === "requestOrder" && ok) this.#roundsBefore.set(action.trader, rounds);
      for (const event of events) {
        switch (event.kind) {
          case "OrderExecuted":
            if (event.remaining === 0n) this.#roundsBefore.delete(event.trader);
            else this.#roundsBefore.set(event.trader, rounds);
            break;
          case "OrderFailed":
          case "OrderExpired":
          case "OrderCanceled":
          case "AccountSettled":
            this.#roundsBefore.delete(event.trader);
            break;
        }
      }
    }
  }
}
