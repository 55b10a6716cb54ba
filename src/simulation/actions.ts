import type { BaseUnits, QuoteUnits, Wad } from "../units.ts";

/**
 * Who can act. Actors are numbered from 0 within their role. Liquidity provider 0 of the margin pool ("lp") and of the
 * constant-product pool ("provider") is the same account, the deployer: all first liquidity is its own. All others
 * begin with a wallet that never runs dry and nothing in the protocol.
 */
export const ACTOR_ROLES = [
  "trader",
  "keeper",
  "liquidator",
  "arbitrageur",
  "lp",
  "provider",
] as const;
export type ActorRole = (typeof ACTOR_ROLES)[number];

/**
 * What agents can do. Each action is one transaction of one call. Where an actor's number may be left out it is 0.
 *
 * - `publishPrice`: the feed's operator completes a round now; the price is cut to the feed's decimals
 * - `swap`: sells exactly `amountIn` to the constant-product pool, base when `sellBase`, at any price
 * - `addLiquidity`: at most these amounts, in the ratio of the reserves
 * - `depositShares`, `redeemShares`: ERC-4626 `deposit` and `redeem`, for oneself
 * - `claim`: pays the actor's credit and, for traders, unpaid profit
 */
export type Action =
  | { readonly kind: "publishPrice"; readonly price: Wad }
  | {
      readonly kind: "swap";
      readonly sellBase: boolean;
      readonly amountIn: bigint;
      readonly arbitrageur?: number;
    }
  | {
      readonly kind: "addLiquidity";
      readonly provider: number;
      readonly amountBase: BaseUnits;
      readonly amountQuote: QuoteUnits;
    }
  | { readonly kind: "removeLiquidity"; readonly provider: number; readonly liquidity: bigint }
  | { readonly kind: "depositShares"; readonly lp: number; readonly assets: QuoteUnits }
  | { readonly kind: "redeemShares"; readonly lp: number; readonly shares: bigint }
  | { readonly kind: "redeemInKind"; readonly lp: number; readonly shares: bigint }
  | { readonly kind: "depositMargin"; readonly trader: number; readonly amount: QuoteUnits }
  | { readonly kind: "withdrawMargin"; readonly trader: number; readonly amount: QuoteUnits }
  | {
      readonly kind: "requestOrder";
      readonly trader: number;
      readonly sizeDelta: BaseUnits;
      readonly acceptablePrice: Wad;
      readonly expiresAt: number;
    }
  | { readonly kind: "cancelOrder"; readonly trader: number }
  | { readonly kind: "executeOrder"; readonly trader: number; readonly keeper?: number }
  | { readonly kind: "liquidate"; readonly trader: number; readonly liquidator?: number }
  | { readonly kind: "rebalance"; readonly keeper?: number }
  | { readonly kind: "poke"; readonly keeper?: number }
  | { readonly kind: "autoDeleverage"; readonly keeper?: number }
  | { readonly kind: "settle"; readonly keeper?: number }
  | { readonly kind: "settleAccount"; readonly trader: number; readonly keeper?: number }
  | { readonly kind: "finalizeSettlement"; readonly keeper?: number }
  | { readonly kind: "claim"; readonly role: ActorRole; readonly actor: number };

export type ActionKind = Action["kind"];
