import type { Result } from "ethers";
import { setCollateral } from "../replay/accounts.ts";
import {
  cacheBand,
  type Measured,
  type Measurements,
  measure,
  unmeasured,
} from "../replay/band.ts";
import { close, finish, open } from "../replay/clock.ts";
import type { ReplayLog } from "../replay/logs.ts";
import { abs, PPM, WAD } from "../replay/numbers.ts";
import { deleverage, liquidate, tradeInventory } from "../replay/risk.ts";
import * as settlement from "../replay/settlement.ts";
import * as shares from "../replay/shares.ts";
import { type Solvency, solvencyOf } from "../replay/solvency.ts";
import {
  add,
  emptyState,
  executionFee,
  type Market,
  type Parameters,
  parametersAt,
  type ReplaySettings,
  type State,
  valueFloor,
} from "../replay/state.ts";
import { fillOrder, queueOrder, reservedMargin } from "../replay/trading.ts";

const NOBODY = `0x${"0".repeat(40)}`;
const PAUSE = 72n * 3_600n;

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
export class EventReplay {
  readonly state: State;
  readonly measurements: Measurements;
  /** Everything the log said that the replay computed otherwise. */
  readonly differences: string[] = [];
  /** Actions replayed, by event. */
  readonly actions = new Map<string, number>();
  /** Calls that brought the pool up to date. */
  syncs = 0;
  pausedUntil = 0n;
  /** What the margin pool holds, by its tokens' logs. */
  readonly balances = { base: 0n, quote: 0n };
  readonly #pool: string;
  readonly #publishedAt = new Map<bigint, bigint>();
  #sigma: bigint;
  #sigmaMm: bigint;
  #pending: PendingSync | undefined;
  #measured: Measured | undefined;
  #started = false;
  #at = 0n;
  #exposures: bigint[] = [];
  #stateLog: string[] = [];
  #claimLog: [who: string, unpaid: bigint][] = [];
  #settling: string | undefined;

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
    this.#at = logs[0]!.at;
    this.state.stateChanges = [];
    this.#stateLog = [];
    for (const [index, log] of logs.entries()) {
      // An account's order is canceled by its own settlement, a few logs before that is told.
      const settled = logs.slice(index).find(({ name }) => name === "AccountSettled");
      this.#settling = settled === undefined ? undefined : String(settled.args.account);
      this.#log(log);
    }
    this.#flush();
    this.#same("RiskStateChanged", this.state.stateChanges.join("; "), this.#stateLog.join("; "));
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
        if (name === "BandUpdated") this.#measure(args);
        if (name === "Rebalanced") this.#rebalanced(args);
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
    if (action === undefined) return;
    this.actions.set(name, (this.actions.get(name) ?? 0) + 1);
    action(args);
    // told in the middle of an action, before the event that says which
    if (["ClaimRecorded", "Synced", "RiskStateChanged"].includes(name)) return;
    for (const [who, unpaid] of this.#claimLog) {
      this.#same(`ClaimRecorded.unpaidClaim of ${who}`, this.state.claims.get(who) ?? 0n, unpaid);
    }
    this.#claimLog = [];
  }

  /** What each event of the margin pool stands for. */
  readonly #handlers: Readonly<Record<string, (args: Result) => void>> = {
    Synced: (args) => {
      this.#flush();
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
    BandCached: (args) => this.#cacheBand(args),
    PoolTraded: (args) => {
      // The rebalancer syncs first, whether or not that moved anything.
      const before = this.#sync();
      this.#open();
      tradeInventory(this.state, args.baseDelta, args.quoteDelta);
      const after = close(this.state);
      this.#exposures = [before.netExposure, after.netExposure];
      this.#same("PoolTraded.indexPriceWad", this.state.market.price, args.indexPriceWad);
      this.#same("PoolTraded.hedgeRatePpm", this.state.hedgeRatePpm, args.hedgeRatePpm);
    },

    // LPs
    Bootstrapped: (args) => {
      this.#open();
      const minted = shares.bootstrap(this.state, args.baseAmount, args.quoteAmount);
      close(this.state);
      this.#same("Bootstrapped.shares", minted, args.shares);
      this.#mint(args.lp, minted);
    },
    Deposit: (args) => {
      this.#open();
      this.#same("Deposit", shares.enter(this.state, args.assets, args.shares), "");
      close(this.state);
      this.#mint(args.owner, args.shares);
    },
    Withdraw: (args) => {
      this.#open();
      this.#same("Withdraw", shares.leave(this.state, args.assets, args.shares), "");
      close(this.state);
      this.state.shareSupply -= args.shares;
    },

    // traders
    MarginDeposited: (args) => {
      this.#changeMargin("MarginDeposited", args, args.amount);
    },
    MarginWithdrawn: (args) => {
      const open = (this.state.accounts.get(args.account)?.size ?? 0n) !== 0n;
      if (open) this.#open();
      this.#changeMargin("MarginWithdrawn", args, 0n - args.amount);
      if (open) close(this.state);
    },
    OrderRequested: (args) => {
      this.#open();
      const { account, sizeDelta, expiresAt, roundId, reduceOnly } = args;
      const acceptablePriceWad =
        args.acceptablePriceWad < 2n ** 128n ? args.acceptablePriceWad : 2n ** 128n - 1n;
      const reserved = reservedMargin(this.state, account, sizeDelta);
      this.#same("OrderRequested.reduceOnly", reserved.reduceOnly, reduceOnly);
      this.#same("OrderRequested.reservedMargin", reserved.amount, args.reservedMargin);
      this.#same("OrderRequested.roundId", this.state.market.roundId, roundId);
      queueOrder(this.state, account, {
        sizeDelta,
        acceptablePriceWad,
        expiresAt,
        roundId,
        reservedMargin: reserved.amount,
        reduceOnly,
      });
      close(this.state);
    },
    OrderExecuted: (args) => this.#executed(args),
    OrderCanceled: (args) => {
      const { account } = args;
      if (account === this.#settling) return;
      this.state.orders.delete(account);
      const { collateral } = this.state.accounts.get(account) ?? { collateral: 0n };
      setCollateral(this.state, account, collateral + executionFee(this.state));
    },
    OrderExpired: (args) => this.#removed(args),
    OrderFailed: (args) => this.#removed(args),
    Liquidated: (args) => {
      this.#open();
      const own = liquidate(this.state, args.account, args.liquidator);
      close(this.state);
      for (const [field, value] of Object.entries(own)) {
        this.#same(`Liquidated.${field}`, value, args.liquidation[field]);
      }
    },
    Deleveraged: (args) => {
      this.#open();
      const own = deleverage(this.state);
      const { ratio } = close(this.state);
      for (const [field, value] of Object.entries(own)) {
        this.#same(`Deleveraged.${field}`, value, args[field]);
      }
      this.#same("Deleveraged.solvencyRatioAfterWad", ratio, args.solvencyRatioAfterWad);
    },

    // payouts
    ClaimRecorded: (args) => {
      this.#claimLog.push([args.account, args.unpaidClaim]);
    },
    ClaimPaid: (args) => {
      this.#same("ClaimPaid.amount", settlement.payClaim(this.state, args.account), args.amount);
      this.#same(
        "ClaimPaid.unpaidClaim",
        this.state.claims.get(args.account) ?? 0n,
        args.unpaidClaim,
      );
    },
    CreditPaid: (args) => {
      this.#same("CreditPaid", this.state.credits.get(args.account) ?? 0n, args.amount);
      this.state.credits.delete(args.account);
      this.state.accountedQuote -= args.amount;
    },
    InsuranceSkimmed: (args) => {
      const extra = this.balances.quote - this.state.accountedQuote;
      this.#same("InsuranceSkimmed.amount", extra, args.amount);
      this.state.accountedQuote += extra;
      this.state.ledgers.insuranceFund += extra;
      const { insuranceFund } = this.state.ledgers;
      this.#same("InsuranceSkimmed.insuranceFund", insuranceFund, args.insuranceFund);
    },

    // the end
    SettlementStarted: (args) => {
      if (this.#pending === undefined) {
        this.state.at = this.#at;
        settlement.settleDead(this.state);
      } else {
        this.#flush();
      }
      settlement.freeze(this.state, args.priceWad);
    },
    AccountSettled: (args) => {
      this.state.at = this.#at;
      const own = settlement.settleAccount(this.state, args.account);
      for (const [field, value] of Object.entries(own)) {
        this.#same(`AccountSettled.${field}`, value, args[field]);
      }
    },
    SettlementFinalized: (args) => {
      this.state.at = this.#at;
      settlement.finalizeSettlement(this.state);
      for (const field of [
        "claimsTotal",
        "valueTotal",
        "basePot",
        "quotePot",
        "shareSupply",
        "lateReserve",
      ] as const) {
        this.#same(`SettlementFinalized.${field}`, this.state.settlement[field], args[field]);
      }
    },
    ClaimPaidInKind: (args) => {
      const own = settlement.payClaimInKind(this.state, args.account);
      this.#same("ClaimPaidInKind.claim", own.claim, args.claim);
      this.#same("ClaimPaidInKind.baseAmount", own.base, args.baseAmount);
      this.#same("ClaimPaidInKind.quoteAmount", own.quote, args.quoteAmount);
    },
    RedeemedInKind: (args) => {
      const own = settlement.redeemInKind(this.state, args.shares);
      this.state.shareSupply -= args.shares;
      this.#same("RedeemedInKind.baseAmount", own.base, args.baseAmount);
      this.#same("RedeemedInKind.quoteAmount", own.quote, args.quoteAmount);
    },

    // roles
    ParametersChanged: (args) => {
      this.state.at = this.#at;
      const from = parametersAt(this.state);
      this.#same("ParametersChanged.before", from.join(), [...args.before].join());
      const to = [...args.next] as unknown as Parameters;
      this.state.parameters = { from, to, reachedAt: args.reachedAt };
    },
    NewRiskPaused: (args) => {
      this.pausedUntil = this.#at + PAUSE;
      this.#same("NewRiskPaused.until", this.pausedUntil, args.until);
    },
    NewRiskUnpaused: () => {
      this.pausedUntil = 0n;
    },
  };

  // ------------------------------------------------------------------- actions

  #executed(args: Result): void {
    const { account, executor, filled } = args;
    this.#open();
    const order = this.state.orders.get(account);
    if (order === undefined) {
      this.differences.push(`OrderExecuted for ${account}, which has no order`);
      return;
    }
    const { remaining, ...own } = fillOrder(this.state, account, order);
    add(this.state.credits, executor, executionFee(this.state));
    close(this.state);
    for (const [field, value] of Object.entries(own)) {
      this.#same(`OrderExecuted.filled.${field}`, value, filled[field]);
    }
    this.#same("OrderExecuted.remainingSizeDelta", remaining, args.remainingSizeDelta);
    const after = this.state.accounts.get(account)!;
    for (const field of ["size", "entryNotional", "collateral"] as const) {
      this.#same(`OrderExecuted.${field}`, after[field], args[field]);
    }
    this.#same("OrderExecuted.indexPriceWad", this.state.market.price, args.indexPriceWad);
    this.#same("OrderExecuted.roundId", this.state.market.roundId, args.roundId);
  }

  #removed({ account, executor }: Result): void {
    this.#open();
    this.state.orders.delete(account);
    add(this.state.credits, executor, executionFee(this.state));
    close(this.state);
  }

  #changeMargin(event: string, { account, collateral }: Result, delta: bigint): void {
    const before = this.state.accounts.get(account)?.collateral ?? 0n;
    setCollateral(this.state, account, before + delta);
    this.state.accountedQuote += delta;
    this.#same(`${event}.collateral`, before + delta, collateral);
  }

  #mint(who: string, amount: bigint): void {
    this.state.shareSupply += amount;
    shares.lock(this.state, who, amount);
  }

  #transfer(token: "base" | "quote", { from, to, value }: Result): void {
    if (from === this.#pool) this.balances[token] -= value;
    if (to === this.#pool) this.balances[token] += value;
  }

  // ---------------------------------------------------------------------- band

  /** `BandUpdated`: target, depth and band after the sync or the trade before it. */
  #measure(args: Result): void {
    this.#flush();
    const { state } = this;
    const solvency = solvencyOf(state);
    this.#measured = measure(this.measurements, state, solvency, args.unwindCostPpm);
    const { outerBandWad, depthBaseWad, varianceWad } = this.#measured;
    this.#same("BandUpdated.outerBand", outerBandWad / state.baseScale, args.outerBand);
    this.#same("BandUpdated.depthBase", depthBaseWad / state.baseScale, args.depthBase);
    this.#near("BandUpdated.targetVarianceWad", varianceWad, args.targetVarianceWad);
  }

  #cacheBand(args: Result): void {
    const { state } = this;
    if (!this.#started) {
      // the constructor: nothing is measured, phi is one way of the round trip
      this.#started = true;
      state.lastSyncAt = this.#at;
      cacheBand(state, { outerBandWad: 0n, depthBaseWad: 0n }, args.unwindCostPpm);
      state.hedgeRatePpm = args.hedgeRatePpm;
      return;
    }
    if (this.#measured === undefined) {
      this.differences.push("BandCached without BandUpdated");
      return;
    }
    cacheBand(state, this.#measured, args.unwindCostPpm);
    this.#measured = undefined;
    this.#same("BandCached.hedgeRatePpm", state.hedgeRatePpm, args.hedgeRatePpm);
    this.#sync(); // the rebalancer lets the pool judge by the new band
  }

  /** `Rebalanced` repeats what the two calls inside it left. */
  #rebalanced(args: Result): void {
    const { state } = this;
    const [before = 0n, after = 0n] = this.#exposures;
    this.#same("Rebalanced.exposureBefore", before / state.baseScale, args.exposureBefore);
    this.#same("Rebalanced.exposureAfter", after / state.baseScale, args.exposureAfter);
    const [base, quote]: [bigint, bigint] = [args.baseDelta, args.quoteDelta];
    const value = valueFloor(state, abs(base), args.indexPriceWad);
    const cost = base < 0n ? value - quote : -quote - value;
    this.#same("Rebalanced.cost", cost, args.cost);
  }

  // ---------------------------------------------------------------------- time

  /** A `Synced` that no other event followed was a call of its own. */
  #flush(): void {
    if (this.#pending !== undefined) this.#sync();
  }

  #sync(): Solvency {
    const solvency = this.#open();
    finish(this.state, solvency);
    return solvency;
  }

  /** Opens an action at the market that its `Synced` told, or at the last one within a block. */
  #open(): Solvency {
    const { state } = this;
    const pending = this.#pending;
    this.#pending = undefined;
    const { skewPremium, pendingIncome } = state.ledgers;
    if (pending === undefined && state.lastSyncAt !== this.#at) {
      this.differences.push(`time passed until ${this.#at} without Synced`);
    }
    this.syncs += 1;
    const solvency = open(state, this.#at, this.#market(pending));
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
      this.#same(`Synced.${event}`, state[event], logged);
    }
    state.ledgers[ledger] -= difference;
    state.ledgers.inventoryQuote += difference;
  }

  // ---------------------------------------------------------------- comparison

  #same(what: string, own: bigint | string | boolean, logged: unknown): void {
    if (own !== logged) this.differences.push(`${what} at ${this.#at}: ${own}, logged ${logged}`);
  }

  /** Within a millionth of a millionth. */
  #near(what: string, own: bigint, logged: bigint): void {
    if (abs(own - logged) * PPM * PPM > abs(own) + PPM * PPM) this.#same(what, own, logged);
  }
}
