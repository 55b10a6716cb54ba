import { toNumberFast } from "../../units.ts";
import {
  type AccountView,
  type ActionResult,
  andThen,
  answered,
  type Eventual,
  type ProtocolBackend,
} from "../backend.ts";

/** An account with a position, and the same figures in whole tokens for estimates. */
export interface OpenAccount extends AccountView {
  readonly trader: number;
  /** Unix seconds when the position last changed and settled what funding it owed. */
  readonly changedAt: number;
  readonly sizeTokens: number;
  readonly entryTokens: number;
  readonly collateralTokens: number;
}

/** Every trader's account as last seen, read again when something happened to it. */
export class Accounts {
  readonly #backend: ProtocolBackend;
  readonly #accounts = new Map<number, OpenAccount>();
  readonly #open = new Map<number, OpenAccount>();
  /** Once a side was deleveraged the stored account no longer tells the position. */
  #deleveraged = false;

  constructor(backend: ProtocolBackend) {
    this.#backend = backend;
  }

  /** An account as last seen, empty where nothing ever happened. */
  get(trader: number): AccountView {
    return this.#accounts.get(trader) ?? EMPTY;
  }

  /** Accounts with a position. */
  open(): Iterable<OpenAccount> {
    return this.#open.values();
  }

  /** Whether the trader holds a position. */
  has(trader: number): boolean {
    return this.#open.has(trader);
  }

  /**
   * Reads again whatever a block touched.
   *
   * @param time unix seconds of the block
   */
  observe(results: readonly ActionResult[], time: number): Eventual<void> {
    /** By trader: whether the position changed. */
    const touched = new Map<number, boolean>();
    const touch = (trader: number, changed: boolean) =>
      touched.set(trader, changed || touched.get(trader) === true);
    for (const { action, events } of results) {
      if (action.kind === "requestOrder") touch(action.trader, false);
      for (const event of events) {
        switch (event.kind) {
          case "OrderExecuted":
          case "Liquidated":
          case "AccountSettled":
            touch(event.trader, true);
            break;
          case "OrderFailed":
          case "OrderExpired":
          case "OrderCanceled":
            touch(event.trader, false);
            break;
          case "Deleveraged":
            this.#deleveraged = true;
            for (const trader of this.#open.keys()) touch(trader, false);
            break;
        }
      }
    }
    let done: Eventual<void> | undefined;
    for (const [trader, changed] of touched) {
      const changedAt = changed ? time : (this.#accounts.get(trader)?.changedAt ?? time);
      done = andThen(done, () =>
        andThen(this.#read(trader), (account) => this.#set(trader, account, changedAt)),
      );
    }
    return done;
  }

  #read(trader: number): Eventual<AccountView> {
    return andThen(this.#backend.account(trader), (stored) => {
      if (!this.#deleveraged || stored.size === 0n) return stored;
      const position = answered(() => this.#backend.position(trader));
      return andThen(position, (seen) => seen ?? stored);
    });
  }

  #set(trader: number, account: AccountView, changedAt: number): void {
    const { baseDecimals, quoteDecimals } = this.#backend;
    const seen: OpenAccount = {
      trader,
      changedAt,
      size: account.size,
      entryNotional: account.entryNotional,
      collateral: account.collateral,
      sizeTokens: toNumberFast(account.size, baseDecimals),
      entryTokens: toNumberFast(account.entryNotional, quoteDecimals),
      collateralTokens: toNumberFast(account.collateral, quoteDecimals),
    };
    this.#accounts.set(trader, seen);
    if (account.size === 0n) this.#open.delete(trader);
    else this.#open.set(trader, seen);
  }
}

const EMPTY: AccountView = { size: 0n, entryNotional: 0n, collateral: 0n };
