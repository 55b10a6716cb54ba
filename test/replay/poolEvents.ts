import type { Result } from "ethers";
import { setCollateral } from "./accounts.ts";
import { close } from "./clock.ts";
import { deleverage, type Liquidated, liquidate, tradeInventory } from "./risk.ts";
import * as settlement from "./settlement.ts";
import * as shares from "./shares.ts";
import type { Solvency } from "./solvency.ts";
import { add, executionFee, type Parameters, parametersAt, type State } from "./state.ts";
import { fillOrder, queueOrder, reservedMargin } from "./trading.ts";

/** What an action's event needs from the replay it is part of. */
export interface Journal {
  readonly state: State;
  readonly differences: string[];
  readonly balances: { readonly base: bigint; readonly quote: bigint };
  readonly liquidations: ReplayedLiquidation[];
  readonly at: bigint;
  readonly settling: string | undefined;
  readonly syncPending: boolean;
  exposures: readonly bigint[];
  pausedUntil: bigint;
  /** Opens an action at its block's time and market. */
  open(): Solvency;
  /** A call that only brings the pool up to date. */
  sync(): Solvency;
  /** The same where a `Synced` waits for it. */
  flush(): void;
  /** Compares what was computed with what was logged. */
  same(what: string, own: bigint | string | boolean, logged: unknown): void;
}

/** A liquidation with the insurance fund before it. */
export type ReplayedLiquidation = Liquidated & { readonly fundBefore: bigint };

export type PoolEvents = Readonly<Record<string, (args: Result) => void>>;

const PAUSE = 72n * 3_600n;

/** What each event of the margin pool stands for. */
export const poolEvents = (j: Journal): PoolEvents => ({
  PoolTraded: (args) => {
    // The rebalancer syncs first, whether or not that moved anything.
    const before = j.sync();
    j.open();
    tradeInventory(j.state, args.baseDelta, args.quoteDelta);
    const after = close(j.state);
    j.exposures = [before.netExposure, after.netExposure];
    j.same("PoolTraded.indexPriceWad", j.state.market.price, args.indexPriceWad);
    j.same("PoolTraded.hedgeRatePpm", j.state.hedgeRatePpm, args.hedgeRatePpm);
  },

  // LPs
  Bootstrapped: (args) => {
    j.open();
    const minted = shares.bootstrap(j.state, args.baseAmount, args.quoteAmount);
    close(j.state);
    j.same("Bootstrapped.shares", minted, args.shares);
    mint(j, args.lp, minted);
  },
  Deposit: (args) => {
    j.open();
    j.same("Deposit", shares.enter(j.state, args.assets, args.shares), "");
    close(j.state);
    mint(j, args.owner, args.shares);
  },
  Withdraw: (args) => {
    j.open();
    j.same("Withdraw", shares.leave(j.state, args.assets, args.shares), "");
    close(j.state);
    j.state.shareSupply -= args.shares;
  },

  // traders
  MarginDeposited: (args) => {
    changeMargin(j, "MarginDeposited", args, args.amount);
  },
  MarginWithdrawn: (args) => {
    const open = (j.state.accounts.get(args.account)?.size ?? 0n) !== 0n;
    if (open) j.open();
    changeMargin(j, "MarginWithdrawn", args, 0n - args.amount);
    if (open) close(j.state);
  },
  OrderRequested: (args) => {
    j.open();
    const { account, sizeDelta, expiresAt, roundId, reduceOnly } = args;
    const acceptablePriceWad =
      args.acceptablePriceWad < 2n ** 128n ? args.acceptablePriceWad : 2n ** 128n - 1n;
    const reserved = reservedMargin(j.state, account, sizeDelta);
    j.same("OrderRequested.reduceOnly", reserved.reduceOnly, reduceOnly);
    j.same("OrderRequested.reservedMargin", reserved.amount, args.reservedMargin);
    j.same("OrderRequested.roundId", j.state.market.roundId, roundId);
    queueOrder(j.state, account, {
      sizeDelta,
      acceptablePriceWad,
      expiresAt,
      roundId,
      reservedMargin: reserved.amount,
      reduceOnly,
    });
    close(j.state);
  },
  OrderExecuted: (args) => executed(j, args),
  OrderCanceled: (args) => {
    const { account } = args;
    if (account === j.settling) return;
    j.state.orders.delete(account);
    const { collateral } = j.state.accounts.get(account) ?? { collateral: 0n };
    setCollateral(j.state, account, collateral + executionFee(j.state));
  },
  OrderExpired: (args) => removed(j, args),
  OrderFailed: (args) => removed(j, args),
  Liquidated: (args) => {
    j.open();
    const fundBefore = j.state.ledgers.insuranceFund;
    const own = liquidate(j.state, args.account, args.liquidator);
    close(j.state);
    j.liquidations.push({ ...own, fundBefore });
    for (const [field, value] of Object.entries(own)) {
      j.same(`Liquidated.${field}`, value, args.liquidation[field]);
    }
  },
  Deleveraged: (args) => {
    j.open();
    const own = deleverage(j.state);
    const { ratio } = close(j.state);
    for (const [field, value] of Object.entries(own)) {
      j.same(`Deleveraged.${field}`, value, args[field]);
    }
    j.same("Deleveraged.solvencyRatioAfterWad", ratio, args.solvencyRatioAfterWad);
  },

  // payouts
  ClaimPaid: (args) => {
    j.same("ClaimPaid.amount", settlement.payClaim(j.state, args.account), args.amount);
    j.same("ClaimPaid.unpaidClaim", j.state.claims.get(args.account) ?? 0n, args.unpaidClaim);
  },
  CreditPaid: (args) => {
    j.same("CreditPaid", j.state.credits.get(args.account) ?? 0n, args.amount);
    j.state.credits.delete(args.account);
    j.state.accountedQuote -= args.amount;
  },
  InsuranceSkimmed: (args) => {
    const extra = j.balances.quote - j.state.accountedQuote;
    j.same("InsuranceSkimmed.amount", extra, args.amount);
    j.state.accountedQuote += extra;
    j.state.ledgers.insuranceFund += extra;
    const { insuranceFund } = j.state.ledgers;
    j.same("InsuranceSkimmed.insuranceFund", insuranceFund, args.insuranceFund);
  },

  // the end
  SettlementStarted: (args) => {
    if (!j.syncPending) {
      j.state.at = j.at;
      settlement.settleDead(j.state);
    } else {
      j.flush();
    }
    settlement.freeze(j.state, args.priceWad);
  },
  AccountSettled: (args) => {
    j.state.at = j.at;
    const own = settlement.settleAccount(j.state, args.account);
    for (const [field, value] of Object.entries(own)) {
      j.same(`AccountSettled.${field}`, value, args[field]);
    }
  },
  SettlementFinalized: (args) => {
    j.state.at = j.at;
    settlement.finalizeSettlement(j.state);
    for (const field of [
      "claimsTotal",
      "valueTotal",
      "basePot",
      "quotePot",
      "shareSupply",
      "lateReserve",
    ] as const) {
      j.same(`SettlementFinalized.${field}`, j.state.settlement[field], args[field]);
    }
  },
  ClaimPaidInKind: (args) => {
    const own = settlement.payClaimInKind(j.state, args.account);
    j.same("ClaimPaidInKind.claim", own.claim, args.claim);
    j.same("ClaimPaidInKind.baseAmount", own.base, args.baseAmount);
    j.same("ClaimPaidInKind.quoteAmount", own.quote, args.quoteAmount);
  },
  RedeemedInKind: (args) => {
    const own = settlement.redeemInKind(j.state, args.shares);
    j.state.shareSupply -= args.shares;
    j.same("RedeemedInKind.baseAmount", own.base, args.baseAmount);
    j.same("RedeemedInKind.quoteAmount", own.quote, args.quoteAmount);
  },

  // roles
  ParametersChanged: (args) => {
    j.state.at = j.at;
    const from = parametersAt(j.state);
    j.same("ParametersChanged.before", from.join(), [...args.before].join());
    const to = [...args.next] as unknown as Parameters;
    j.state.parameters = { from, to, reachedAt: args.reachedAt };
  },
  NewRiskPaused: (args) => {
    j.pausedUntil = j.at + PAUSE;
    j.same("NewRiskPaused.until", j.pausedUntil, args.until);
  },
  NewRiskUnpaused: () => {
    j.pausedUntil = 0n;
  },
});

function executed(j: Journal, args: Result): void {
  const { account, executor, filled } = args;
  j.open();
  const order = j.state.orders.get(account);
  if (order === undefined) {
    j.differences.push(`OrderExecuted for ${account}, which has no order`);
    return;
  }
  const { remaining, ...own } = fillOrder(j.state, account, order);
  add(j.state.credits, executor, executionFee(j.state));
  close(j.state);
  for (const [field, value] of Object.entries(own)) {
    j.same(`OrderExecuted.filled.${field}`, value, filled[field]);
  }
  j.same("OrderExecuted.remainingSizeDelta", remaining, args.remainingSizeDelta);
  const after = j.state.accounts.get(account)!;
  for (const field of ["size", "entryNotional", "collateral"] as const) {
    j.same(`OrderExecuted.${field}`, after[field], args[field]);
  }
  j.same("OrderExecuted.indexPriceWad", j.state.market.price, args.indexPriceWad);
  j.same("OrderExecuted.roundId", j.state.market.roundId, args.roundId);
}

function removed(j: Journal, { account, executor }: Result): void {
  j.open();
  j.state.orders.delete(account);
  add(j.state.credits, executor, executionFee(j.state));
  close(j.state);
}

function changeMargin(
  j: Journal,
  event: string,
  { account, collateral }: Result,
  delta: bigint,
): void {
  const before = j.state.accounts.get(account)?.collateral ?? 0n;
  setCollateral(j.state, account, before + delta);
  j.state.accountedQuote += delta;
  j.same(`${event}.collateral`, before + delta, collateral);
}

function mint(j: Journal, who: string, amount: bigint): void {
  j.state.shareSupply += amount;
  shares.lock(j.state, who, amount);
}
