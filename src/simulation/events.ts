import type { BaseUnits, QuoteUnits, Wad } from "../units.ts";
import type { ActorRole } from "./actions.ts";

/** Order of `IMarginPool.RiskState`. */
export const RISK_STATES = ["Normal", "Guarded", "ReduceOnly", "Deleveraging", "Settled"] as const;
export type RiskState = (typeof RISK_STATES)[number];

/**
 * What happened, in the order it happened, of one transaction. Each is the contracts' event of the same name with the
 * arguments that agents and metrics read; actors by their numbers, -1 for an address that is none of them.
 */
export type ProtocolEvent =
  /** @see IMarginPool.OrderExecuted; `sizeDelta` to `realizedProfit` are the fill's. */
  | {
      readonly kind: "OrderExecuted";
      readonly trader: number;
      readonly keeper: number;
      readonly sizeDelta: BaseUnits;
      readonly fillPrice: Wad;
      readonly realizedProfit: QuoteUnits;
      readonly fundingPaid: QuoteUnits;
      /** Negative: a rebate received. */
      readonly premium: QuoteUnits;
      readonly takerFee: QuoteUnits;
      readonly hedgeCharge: QuoteUnits;
      readonly remaining: BaseUnits;
      readonly size: BaseUnits;
      readonly entryNotional: QuoteUnits;
      readonly collateral: QuoteUnits;
      readonly indexPrice: Wad;
    }
  /** `reason`: name of the error for which the order was removed. */
  | {
      readonly kind: "OrderFailed";
      readonly trader: number;
      readonly keeper: number;
      readonly reason: string;
    }
  | { readonly kind: "OrderExpired"; readonly trader: number; readonly keeper: number }
  | { readonly kind: "OrderCanceled"; readonly trader: number }
  /** A liquidation closes no more than it must: the rest can be liquidated again. */
  | {
      readonly kind: "Liquidated";
      readonly trader: number;
      readonly liquidator: number;
      readonly closed: BaseUnits;
      readonly size: BaseUnits;
      readonly entryNotional: QuoteUnits;
      readonly collateral: QuoteUnits;
      readonly indexPrice: Wad;
      readonly equity: QuoteUnits;
      readonly penalty: QuoteUnits;
      readonly keeperReward: QuoteUnits;
      readonly badDebt: QuoteUnits;
      readonly paidByInsurance: QuoteUnits;
    }
  | {
      readonly kind: "Rebalanced";
      readonly keeper: number;
      readonly baseDelta: BaseUnits;
      readonly quoteDelta: QuoteUnits;
      readonly cost: QuoteUnits;
    }
  /** Of the constant-product pool, also inside a rebalance. */
  | {
      readonly kind: "Swap";
      readonly baseIn: BaseUnits;
      readonly quoteIn: QuoteUnits;
      readonly baseOut: BaseUnits;
      readonly quoteOut: QuoteUnits;
    }
  /** The constant-product pool's Mint and Burn. */
  | {
      readonly kind: "LiquidityAdded" | "LiquidityRemoved";
      readonly base: BaseUnits;
      readonly quote: QuoteUnits;
    }
  /** ERC-4626 Deposit and Withdraw. */
  | {
      readonly kind: "SharesDeposited" | "SharesRedeemed";
      readonly lp: number;
      readonly assets: QuoteUnits;
      readonly shares: bigint;
    }
  | {
      readonly kind: "RiskStateChanged";
      readonly before: RiskState;
      readonly afterwards: RiskState;
      readonly solvencyRatio: Wad;
    }
  | {
      readonly kind: "Deleveraged";
      readonly keeper: number;
      readonly long: boolean;
      readonly epoch: bigint;
      readonly fraction: Wad;
      readonly indexPrice: Wad;
      readonly solvencyRatioBefore: Wad;
      readonly solvencyRatioAfter: Wad;
    }
  | { readonly kind: "DeadFeedReported"; readonly deadAt: number }
  | { readonly kind: "SettlementStarted"; readonly price: Wad }
  | {
      readonly kind: "AccountSettled";
      readonly trader: number;
      readonly size: BaseUnits;
      readonly gain: QuoteUnits;
      readonly claimed: QuoteUnits;
      readonly badDebt: QuoteUnits;
      readonly collateral: QuoteUnits;
    }
  | {
      readonly kind: "SettlementFinalized";
      readonly claimsTotal: QuoteUnits;
      readonly valueTotal: QuoteUnits;
      readonly basePot: BaseUnits;
      readonly quotePot: QuoteUnits;
    }
  | {
      readonly kind: "RedeemedInKind";
      readonly lp: number;
      readonly shares: bigint;
      readonly baseAmount: BaseUnits;
      readonly quoteAmount: QuoteUnits;
    }
  /** A credit or (traders) a claim was paid in quote. */
  | {
      readonly kind: "CreditPaid" | "ClaimPaid";
      readonly role: ActorRole | undefined;
      readonly actor: number;
      readonly amount: QuoteUnits;
    }
  | {
      readonly kind: "ClaimPaidInKind";
      readonly trader: number;
      readonly claim: QuoteUnits;
      readonly baseAmount: BaseUnits;
      readonly quoteAmount: QuoteUnits;
    };
