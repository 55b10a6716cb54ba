import type { Result } from "ethers";
import { type Measurements, unmeasured } from "../replay/band.ts";
import { bandEvents } from "../replay/bandEvents.ts";
import { finish, open } from "../replay/clock.ts";
import type { ReplayLog } from "../replay/logs.ts";
import { abs, WAD } from "../replay/numbers.ts";
import {
  type Journal,
  type PoolEvents,
  poolEvents,
  type ReplayedLiquidation,
} from "../replay/poolEvents.ts";
import type { Solvency } from "../replay/solvency.ts";
import { add, emptyState, type Market, type ReplaySettings, type State } from "../replay/state.ts";

const NOBODY = `0x${"0".repeat(40)}`;
/** Events of the margin pool that move nothing the replay follows. */
const UNREPLAYED = new Set([
  "Approval",
  "DeadFeedReported",
  "GuardianChanged",
  "OwnershipTransferStarted",
  "OwnershipTransferred",
]);

/** What a `Synced` said that the next action has to account for. */
interface PendingSync {
  readonly price: bigint;
  readonly roundId: bigint;
  readonly premiumEarned: bigint;
  readonly incomeEarned: bigint;
}

/**
 * Recomputes the margin pool from its event log: ledgers, funding, accounts, equity, required capital, risk states, band,
 * shares. It knows the logs with their times and the settings of the deployment, nothing else, and shares no code with the
 * contracts' models. What a log says and the replay can compute as well is compared; the replay goes on with its own.
 *
 * The log leaves two inputs to others' logs: the publication time of a round (the feed's own log), which the risk state's
 * clock counts with, and the reserves of the constant-product pool (its `Sync`), since `BandCached` cuts band and depth
 * to base token units.
 *
 * @example
 * const replay = new EventReplay(settings, marginPoolAddress);
 * replay.apply(logs);
 * replay.differences // []
 */
export class EventReplay implements Journal {
  readonly state: State;
  readonly measurements: Measurements;
  /** Everything the log said that the replay computed otherwise. */
  readonly differences: string[] = [];
  /** Actions replayed, by event. */
  readonly actions = new Map<string, number>();
  /** Calls that brought the pool up to date. */
  syncs = 0;
  pausedUntil = 0n;
  /** Time of the transaction that is being replayed, unix seconds. */
  at = 0n;
  /** D before and after the last trade of inventory, 18 decimals. */
  exposures: readonly bigint[] = [];
  /** Whose position this transaction settles. */
  settling: string | undefined;
  readonly liquidations: ReplayedLiquidation[] = [];
  /** What the margin pool holds, by its tokens' logs. */
  readonly balances = { base: 0n, quote: 0n };
  readonly #pool: string;
  readonly #publishedAt = new Map<bigint, bigint>();
  #sigma: bigint;
  #sigmaMm: bigint;
  #pending: PendingSync | undefined;
  #stateLog: string[] = [];
  #claimLog: [who: string, unpaid: bigint][] = [];

  constructor(settings: ReplaySettings, marginPool: string) {
    this.state = emptyState(settings);
    this.measurements = unmeasured(settings.initialTargetVolatilityWad);
    this.#pool = marginPool;
    this.#sigma = settings.initialVolatilityWad;
    this.#sigmaMm = settings.initialVolatilityWad;
  }

  /** Replays logs that follow those before, whole transactions at a time. */
  apply(logs: readonly ReplayLog[]): void {
    for (let start = 0, end = 0; start < logs.length; start = end) {
      const { transaction } = logs[start]!;
      while (end < logs.length && logs[end]!.transaction === transaction) end += 1;
      this.#transaction(logs.slice(start, end));
    }
  }

  #transaction(logs: readonly ReplayLog[]): void {
    this.at = logs[0]!.at;
    this.state.stateChanges = [];
    this.#stateLog = [];
    for (const [index, log] of logs.entries()) {
      // An account's order is canceled by its own settlement, a few logs before that is told.
      const settled = logs.slice(index).find(({ name }) => name === "AccountSettled");
      this.settling = settled === undefined ? undefined : String(settled.args.account);
      this.#log(log);
    }
    this.flush();
    this.same("RiskStateChanged", this.state.stateChanges.join("; "), this.#stateLog.join("; "));
    const owned = this.state.accountedQuote;
    if (this.balances.quote < owned) {
      this.differences.push(`ledgers of ${owned} quote, a balance of ${this.balances.quote}`);
    }
  }

  #log({ source, name, args }: ReplayLog): void {
    switch (source) {
      case "feed":
        if (name === "RoundSet") this.#publishedAt.set(args.roundId, args.updatedAt);
        return;
      case "volatilityOracle":
        if (name === "VolatilitySampled") {
          [this.#sigma, this.#sigmaMm] = [args.volatilityWad, args.maintenanceVolatilityWad];
        }
        return;
      case "pool":
        if (name === "Sync") {
          const [first, second]: [bigint, bigint] = [args.reserve0, args.reserve1];
          const { baseIsToken0 } = this.state.settings;
          this.measurements.reserves = baseIsToken0 ? [first, second] : [second, first];
        }
        return;
      case "base":
      case "quote":
        if (name === "Transfer") this.#transfer(source, args);
        return;
      case "rebalancer":
        this.#band.rebalancer[name]?.(args);
        return;
      case "marginPool":
        this.#poolLog(name, args);
    }
  }

  #poolLog(name: string, args: Result): void {
    if (name === "Transfer") {
      for (const [who, amount] of [
        [String(args.from), -args.value],
        [String(args.to), args.value],
      ] as const) {
        if (who !== NOBODY) add(this.state.shares, who, amount);
      }
      return;
    }
    const action = this.#handlers[name];
    if (action === undefined) {
      if (!UNREPLAYED.has(name)) this.differences.push(`${name}, which the replay does not know`);
      return;
    }
    this.actions.set(name, (this.actions.get(name) ?? 0) + 1);
    action(args);
    // told in the middle of an action, before the event that says which
    if (["ClaimRecorded", "Synced", "RiskStateChanged"].includes(name)) return;
    for (const [who, unpaid] of this.#claimLog) {
      this.same(`ClaimRecorded.unpaidClaim of ${who}`, this.state.claims.get(who) ?? 0n, unpaid);
    }
    this.#claimLog = [];
  }

  readonly #band = bandEvents(this);

  /** Logs that open or interrupt an action; all others are `poolEvents`. */
  readonly #handlers: PoolEvents = {
    ...poolEvents(this),
    ...this.#band.marginPool,
    Synced: (args) => {
      this.flush();
      this.#pending = {
        price: args.indexPriceWad,
        roundId: args.roundId,
        premiumEarned: args.premiumEarned,
        incomeEarned: args.incomeEarned,
      };
    },
    RiskStateChanged: (args) => {
      this.#stateLog.push(`${args.before} to ${args.afterwards} at ${args.solvencyRatioWad}`);
    },
    ClaimRecorded: (args) => {
      this.#claimLog.push([args.account, args.unpaidClaim]);
    },
  };

  #transfer(token: "base" | "quote", { from, to, value }: Result): void {
    if (from === this.#pool) this.balances[token] -= value;
    if (to === this.#pool) this.balances[token] += value;
  }

  // ---------------------------------------------------------------------- time

  /** A `Synced` that no other event followed was a call of its own. */
  flush(): void {
    if (this.#pending !== undefined) this.sync();
  }

  sync(): Solvency {
    const solvency = this.open();
    finish(this.state, solvency);
    return solvency;
  }

  /** Opens an action at the market that its `Synced` told, or at the last one within a block. */
  open(): Solvency {
    const { state } = this;
    const pending = this.#pending;
    this.#pending = undefined;
    const { skewPremium, pendingIncome } = state.ledgers;
    if (pending === undefined && state.lastSyncAt !== this.at) {
      this.differences.push(`time passed until ${this.at} without Synced`);
    }
    this.syncs += 1;
    const solvency = open(state, this.at, this.#market(pending));
    if (pending !== undefined) {
      this.#earned("premiumEarned", "skewPremium", skewPremium, pending.premiumEarned);
      this.#earned("incomeEarned", "pendingIncome", pendingIncome, pending.incomeEarned);
    }
    return solvency;
  }

  #market(pending: PendingSync | undefined): Market {
    const { price, roundId } = pending ?? this.state.market;
    const updatedAt = this.#publishedAt.get(roundId);
    if (updatedAt === undefined) this.differences.push(`round ${roundId} was never published`);
    return {
      price,
      roundId,
      updatedAt: updatedAt ?? 0n,
      sigma: this.#sigma,
      sigmaMm: this.#sigmaMm,
    };
  }

  /**
   * Compares a stream with the log. The contracts' exponential is within one unit of its 18th digit, which shows in ledgers
   * of 10^18 units and more only; the log's figure counts then.
   */
  #earned(
    event: "premiumEarned" | "incomeEarned",
    ledger: "skewPremium" | "pendingIncome",
    before: bigint,
    logged: bigint,
  ): void {
    const { state } = this;
    const difference = logged - state[event];
    if (difference === 0n) return;
    if (before < WAD || abs(difference) > before / WAD + 1n) {
      this.same(`Synced.${event}`, state[event], logged);
    }
    state.ledgers[ledger] -= difference;
    state.ledgers.inventoryQuote += difference;
  }

  /** Whether a `Synced` still waits for the event it belongs to. */
  get syncPending(): boolean {
    return this.#pending !== undefined;
  }

  // ---------------------------------------------------------------- comparison

  same(what: string, own: bigint | string | boolean, logged: unknown): void {
    if (own !== logged) this.differences.push(`${what} at ${this.at}: ${own}, logged ${logged}`);
  }
}
