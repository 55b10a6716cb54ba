import type { Address, Action as Call } from "../model/calls.ts";
import type { ProtocolConfig } from "../model/state.ts";
import { rescale, WAD_DECIMALS } from "../units.ts";
import type { Action } from "./actions.ts";
import { FEED_OPERATOR, type ModelActors } from "./modelActors.ts";

export const MAX_UINT256 = 2n ** 256n - 1n;
const NO_ARGUMENTS = {};

/** The call that an action is, in a block at `at` (unix seconds). */
export function callOf(
  action: Action,
  at: bigint,
  config: ProtocolConfig,
  feedDecimals: number,
  actors: ModelActors,
): Call {
  const marginPool = { at, to: "marginPool" } as const;
  const keeper = (number: number | undefined): Address => actors.address("keeper", number ?? 0);
  switch (action.kind) {
    case "publishPrice": {
      const answer = rescale(action.price, WAD_DECIMALS, feedDecimals);
      return { at, from: FEED_OPERATOR, to: "feed", method: "setPrice", args: { answer } };
    }
    case "swap": {
      const from = actors.address("arbitrageur", action.arbitrageur ?? 0);
      const args = {
        tokenIn: action.sellBase ? config.addresses.base : config.addresses.quote,
        amountIn: action.amountIn,
        minAmountOut: 1n,
        to: from,
        deadline: MAX_UINT256,
      };
      return { at, from, to: "pool", method: "swapExactInput", args };
    }
    case "addLiquidity": {
      const from = actors.address("provider", action.provider);
      const { amountBase, amountQuote } = action;
      const args = {
        amount0Desired: config.baseIsToken0 ? amountBase : amountQuote,
        amount1Desired: config.baseIsToken0 ? amountQuote : amountBase,
        amount0Min: 0n,
        amount1Min: 0n,
        to: from,
        deadline: MAX_UINT256,
      };
      return { at, from, to: "pool", method: "addLiquidity", args };
    }
    case "removeLiquidity": {
      const from = actors.address("provider", action.provider);
      const { liquidity } = action;
      const args = { liquidity, amount0Min: 0n, amount1Min: 0n, to: from, deadline: MAX_UINT256 };
      return { at, from, to: "pool", method: "removeLiquidity", args };
    }
    case "depositShares": {
      const from = actors.address("lp", action.lp);
      const args = { assets: action.assets, receiver: from };
      return { ...marginPool, from, method: "deposit", args };
    }
    case "redeemShares": {
      const from = actors.address("lp", action.lp);
      const args = { shares: action.shares, receiver: from, owner: from };
      return { ...marginPool, from, method: "redeem", args };
    }
    case "redeemInKind": {
      const from = actors.address("lp", action.lp);
      const args = { shares: action.shares, receiver: from };
      return { ...marginPool, from, method: "redeemInKind", args };
    }
    case "depositMargin":
    case "withdrawMargin": {
      const from = actors.address("trader", action.trader);
      return { ...marginPool, from, method: action.kind, args: { amount: action.amount } };
    }
    case "requestOrder": {
      const from = actors.address("trader", action.trader);
      const args = {
        sizeDelta: action.sizeDelta,
        acceptablePriceWad: action.acceptablePrice,
        expiresAt: BigInt(action.expiresAt),
      };
      return { ...marginPool, from, method: "requestOrder", args };
    }
    case "cancelOrder": {
      const from = actors.address("trader", action.trader);
      return { ...marginPool, from, method: "cancelOrder", args: NO_ARGUMENTS };
    }
    case "executeOrder":
    case "settleAccount": {
      const account = actors.address("trader", action.trader);
      return { ...marginPool, from: keeper(action.keeper), method: action.kind, args: { account } };
    }
    case "liquidate": {
      const from = actors.address("liquidator", action.liquidator ?? 0);
      const account = actors.address("trader", action.trader);
      return { ...marginPool, from, method: "liquidate", args: { account } };
    }
    case "rebalance":
    case "poke":
      return {
        at,
        from: keeper(action.keeper),
        to: "rebalancer",
        method: action.kind,
        args: NO_ARGUMENTS,
      };
    case "autoDeleverage":
    case "settle":
    case "finalizeSettlement":
      return {
        ...marginPool,
        from: keeper(action.keeper),
        method: action.kind,
        args: NO_ARGUMENTS,
      };
    case "claim": {
      const from = actors.address(action.role, action.actor);
      return { ...marginPool, from, method: "claim", args: NO_ARGUMENTS };
    }
  }
}

/** Tokens and allowances of every actor: wallets of simulated actors never run dry. */
export function walletCalls(
  at: bigint,
  config: ProtocolConfig,
  actors: ModelActors,
  wholeTokens: bigint,
): Call[] {
  const { pool, marginPool } = config.addresses;
  const fund = (from: Address, spender: Address, tokens: readonly ("base" | "quote")[]): Call[] =>
    tokens.flatMap((to): Call[] => {
      const decimals = to === "base" ? config.baseDecimals : config.quoteDecimals;
      const amount = wholeTokens * 10n ** BigInt(decimals);
      return [
        { at, from, to, method: "mint", args: { to: from, amount } },
        { at, from, to, method: "approve", args: { spender, value: MAX_UINT256 } },
      ];
    });
  return [
    ...actors.of("arbitrageur").flatMap((who) => fund(who, pool, ["base", "quote"])),
    ...actors.of("provider").flatMap((who) => fund(who, pool, ["base", "quote"])),
    ...actors.of("lp").flatMap((who) => fund(who, marginPool, ["quote"])),
    ...actors.of("trader").flatMap((who) => fund(who, marginPool, ["quote"])),
  ];
}
