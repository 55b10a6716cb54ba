import type { ContractError } from "../math/revert.ts";
import type { Address, Parameters } from "./calls.ts";
import type { Fill } from "./orderFill.ts";
import type { Liquidation } from "./riskLogic.ts";
import type { RiskState } from "./state.ts";

interface TokenEvents {
  Approval: { readonly owner: Address; readonly spender: Address; readonly value: bigint };
  Transfer: { readonly from: Address; readonly to: Address; readonly value: bigint };
}

interface FeedEvents {
  RoundSet: {
    readonly roundId: bigint;
    readonly answer: bigint;
    readonly startedAt: bigint;
    readonly updatedAt: bigint;
    readonly answeredInRound: bigint;
  };
}

/** Every event by contract and name, with the arguments' names as in the contracts' interfaces. */
export interface Events {
  feed: FeedEvents;
  sequencerFeed: FeedEvents;
  base: TokenEvents;
  quote: TokenEvents;
  factory: {
    FeeToSet: { readonly feeTo: Address };
    FeeToSetterSet: { readonly feeToSetter: Address };
  };
  /** Its LP token calls an amount what other tokens call a value. */
  pool: {
    Approval: { readonly owner: Address; readonly spender: Address; readonly amount: bigint };
    Burn: {
      readonly sender: Address;
      readonly amount0: bigint;
      readonly amount1: bigint;
      readonly to: Address;
    };
    Mint: { readonly sender: Address; readonly amount0: bigint; readonly amount1: bigint };
    Swap: {
      readonly sender: Address;
      readonly amount0In: bigint;
      readonly amount1In: bigint;
      readonly amount0Out: bigint;
      readonly amount1Out: bigint;
      readonly to: Address;
    };
    Sync: { readonly reserve0: bigint; readonly reserve1: bigint };
    Transfer: { readonly from: Address; readonly to: Address; readonly amount: bigint };
  };
  volatilityOracle: {
    PoolSnapshotTaken: { readonly cumulativeLogPriceWad: bigint; readonly takenAt: bigint };
    SamplingRestarted: {
      readonly roundId: bigint;
      readonly priceWad: bigint;
      readonly sampledAt: bigint;
    };
    VolatilitySampled: {
      readonly roundId: bigint;
      readonly priceWad: bigint;
      readonly sampledAt: bigint;
      readonly volatilityWad: bigint;
      readonly maintenanceVolatilityWad: bigint;
    };
  };
  marginPool: {
    AccountSettled: {
      readonly account: Address;
      readonly caller: Address;
      readonly size: bigint;
      readonly priceWad: bigint;
      readonly gain: bigint;
      readonly claimed: bigint;
      readonly badDebt: bigint;
      readonly collateral: bigint;
    };
    BandCached: {
      readonly outerBand: bigint;
      readonly depthBase: bigint;
      readonly unwindCostPpm: bigint;
      readonly hedgeRatePpm: bigint;
    };
    Bootstrapped: {
      readonly lp: Address;
      readonly baseAmount: bigint;
      readonly quoteAmount: bigint;
      readonly shares: bigint;
      readonly indexPriceWad: bigint;
    };
    ClaimPaid: { readonly account: Address; readonly amount: bigint; readonly unpaidClaim: bigint };
    ClaimPaidInKind: {
      readonly account: Address;
      readonly claim: bigint;
      readonly baseAmount: bigint;
      readonly quoteAmount: bigint;
    };
    ClaimRecorded: {
      readonly account: Address;
      readonly amount: bigint;
      readonly unpaidClaim: bigint;
    };
    CreditPaid: { readonly account: Address; readonly amount: bigint };
    DeadFeedReported: { readonly caller: Address; readonly deadAt: bigint };
    Deleveraged: {
      readonly caller: Address;
      readonly long: boolean;
      readonly epoch: bigint;
      readonly fractionWad: bigint;
      readonly indexPriceWad: bigint;
      readonly roundId: bigint;
      readonly solvencyRatioBeforeWad: bigint;
      readonly solvencyRatioAfterWad: bigint;
    };
    Deposit: {
      readonly sender: Address;
      readonly owner: Address;
      readonly assets: bigint;
      readonly shares: bigint;
    };
    GuardianChanged: { readonly before: Address; readonly next: Address };
    InsuranceSkimmed: {
      readonly caller: Address;
      readonly amount: bigint;
      readonly insuranceFund: bigint;
    };
    Liquidated: {
      readonly account: Address;
      readonly liquidator: Address;
      readonly liquidation: Liquidation;
    };
    MarginDeposited: {
      readonly account: Address;
      readonly amount: bigint;
      readonly collateral: bigint;
    };
    MarginWithdrawn: {
      readonly account: Address;
      readonly amount: bigint;
      readonly collateral: bigint;
    };
    NewRiskPaused: { readonly caller: Address; readonly until: bigint };
    NewRiskUnpaused: { readonly caller: Address };
    OrderCanceled: { readonly account: Address; readonly sizeDelta: bigint };
    OrderExecuted: {
      readonly account: Address;
      readonly executor: Address;
      readonly filled: Fill;
      readonly remainingSizeDelta: bigint;
      readonly size: bigint;
      readonly entryNotional: bigint;
      readonly collateral: bigint;
      readonly indexPriceWad: bigint;
      readonly roundId: bigint;
    };
    OrderExpired: {
      readonly account: Address;
      readonly executor: Address;
      readonly sizeDelta: bigint;
      readonly expiresAt: bigint;
    };
    OrderFailed: {
      readonly account: Address;
      readonly executor: Address;
      readonly sizeDelta: bigint;
      readonly reason: ContractError;
    };
    OrderRequested: {
      readonly account: Address;
      readonly sizeDelta: bigint;
      readonly acceptablePriceWad: bigint;
      readonly expiresAt: bigint;
      readonly roundId: bigint;
      readonly reservedMargin: bigint;
      readonly reduceOnly: boolean;
    };
    OwnershipTransferStarted: { readonly previousOwner: Address; readonly newOwner: Address };
    OwnershipTransferred: { readonly previousOwner: Address; readonly newOwner: Address };
    ParametersChanged: {
      readonly before: Parameters;
      readonly next: Parameters;
      readonly reachedAt: bigint;
    };
    PoolTraded: {
      readonly baseDelta: bigint;
      readonly quoteDelta: bigint;
      readonly indexPriceWad: bigint;
      readonly hedgeRatePpm: bigint;
    };
    RedeemedInKind: {
      readonly owner: Address;
      readonly receiver: Address;
      readonly shares: bigint;
      readonly baseAmount: bigint;
      readonly quoteAmount: bigint;
    };
    RiskStateChanged: {
      readonly before: RiskState;
      readonly afterwards: RiskState;
      readonly solvencyRatioWad: bigint;
    };
    SettlementFinalized: {
      readonly caller: Address;
      readonly claimsTotal: bigint;
      readonly valueTotal: bigint;
      readonly basePot: bigint;
      readonly quotePot: bigint;
      readonly shareSupply: bigint;
      readonly lateReserve: bigint;
    };
    SettlementStarted: { readonly caller: Address; readonly priceWad: bigint };
    Synced: {
      readonly indexPriceWad: bigint;
      readonly roundId: bigint;
      readonly premiumEarned: bigint;
      readonly incomeEarned: bigint;
    };
    Withdraw: {
      readonly sender: Address;
      readonly receiver: Address;
      readonly owner: Address;
      readonly assets: bigint;
      readonly shares: bigint;
    };
  } & TokenEvents;
  rebalancer: {
    BandUpdated: {
      readonly outerBand: bigint;
      readonly targetVarianceWad: bigint;
      readonly depthBase: bigint;
      readonly unwindCostPpm: bigint;
    };
    Rebalanced: {
      readonly keeper: Address;
      readonly baseDelta: bigint;
      readonly quoteDelta: bigint;
      readonly indexPriceWad: bigint;
      readonly cost: bigint;
      readonly exposureBefore: bigint;
      readonly exposureAfter: bigint;
    };
  };
}

/** A log of a contract: the event's name and its arguments by name, structs as objects. */
export type ModelEvent = {
  [C in keyof Events]: {
    [N in keyof Events[C]]: {
      readonly from: C;
      readonly name: N;
      readonly args: Events[C][N];
    };
  }[keyof Events[C]];
}[keyof Events];
