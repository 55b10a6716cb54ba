import type { Interface } from "ethers";
import { rescale, WAD_DECIMALS } from "../units.ts";
import type { Action } from "./actions.ts";
import type { EvmActors } from "./evmActors.ts";
import type { ChainTransaction } from "./evmChain.ts";

/** A contract of the deployment, as far as encoding and decoding need it. */
export interface Callable {
  readonly address: string;
  readonly interface: Interface;
}

/** The contracts that actions call and events come from. */
export interface EvmContracts {
  readonly base: Callable;
  readonly quote: Callable;
  readonly feed: Callable;
  readonly pool: Callable;
  readonly priceOracle: Callable;
  readonly volatilityOracle: Callable;
  readonly marginPool: Callable;
  readonly rebalancer: Callable;
  readonly baseIsToken0: boolean;
  readonly baseDecimals: number;
  readonly quoteDecimals: number;
  readonly feedDecimals: number;
}

export const MAX_UINT256 = 2n ** 256n - 1n;

/** One call as a transaction of `from`. */
export function send(
  from: string,
  to: Callable,
  method: string,
  args: readonly unknown[],
): ChainTransaction {
  return { from, to: to.address, data: to.interface.encodeFunctionData(method, args) };
}

/** The transaction that an action is. */
export function transactionOf(
  action: Action,
  contracts: EvmContracts,
  actors: EvmActors,
): ChainTransaction {
  const { base, quote, feed, pool, marginPool, rebalancer, baseIsToken0 } = contracts;
  switch (action.kind) {
    case "publishPrice":
      return send(actors.feedOperator, feed, "setPrice", [
        rescale(action.price, WAD_DECIMALS, contracts.feedDecimals),
      ]);
    case "swap": {
      const who = actors.address("arbitrageur", action.arbitrageur ?? 0);
      const tokenIn = action.sellBase ? base.address : quote.address;
      return send(who, pool, "swapExactInput", [tokenIn, action.amountIn, 1n, who, MAX_UINT256]);
    }
    case "addLiquidity": {
      const who = actors.address("provider", action.provider);
      const { amountBase, amountQuote } = action;
      const amounts = baseIsToken0 ? [amountBase, amountQuote] : [amountQuote, amountBase];
      return send(who, pool, "addLiquidity", [...amounts, 0n, 0n, who, MAX_UINT256]);
    }
    case "removeLiquidity": {
      const who = actors.address("provider", action.provider);
      return send(who, pool, "removeLiquidity", [action.liquidity, 0n, 0n, who, MAX_UINT256]);
    }
    case "depositShares": {
      const who = actors.address("lp", action.lp);
      return send(who, marginPool, "deposit", [action.assets, who]);
    }
    case "redeemShares": {
      const who = actors.address("lp", action.lp);
      return send(who, marginPool, "redeem", [action.shares, who, who]);
    }
    case "redeemInKind": {
      const who = actors.address("lp", action.lp);
      return send(who, marginPool, "redeemInKind", [action.shares, who]);
    }
    case "depositMargin":
    case "withdrawMargin":
      return send(actors.address("trader", action.trader), marginPool, action.kind, [
        action.amount,
      ]);
    case "requestOrder":
      return send(actors.address("trader", action.trader), marginPool, "requestOrder", [
        action.sizeDelta,
        action.acceptablePrice,
        action.expiresAt,
      ]);
    case "cancelOrder":
      return send(actors.address("trader", action.trader), marginPool, "cancelOrder", []);
    case "executeOrder":
    case "settleAccount":
      return send(actors.address("keeper", action.keeper ?? 0), marginPool, action.kind, [
        actors.address("trader", action.trader),
      ]);
    case "liquidate":
      return send(actors.address("liquidator", action.liquidator ?? 0), marginPool, "liquidate", [
        actors.address("trader", action.trader),
      ]);
    case "rebalance":
    case "poke":
      return send(actors.address("keeper", action.keeper ?? 0), rebalancer, action.kind, []);
    case "autoDeleverage":
    case "settle":
    case "finalizeSettlement":
      return send(actors.address("keeper", action.keeper ?? 0), marginPool, action.kind, []);
    case "claim":
      return send(actors.address(action.role, action.actor), marginPool, "claim", []);
  }
}

/** Tokens and allowances of every actor but the deployer's tokens, which it needs as well. */
export function walletTransactions(
  contracts: EvmContracts,
  actors: EvmActors,
  wholeTokens: bigint,
): ChainTransaction[] {
  const { base, quote, pool, marginPool } = contracts;
  const fund = (who: string, spender: Callable, tokens: readonly Callable[]) =>
    tokens.flatMap((token) => {
      const decimals = token === base ? contracts.baseDecimals : contracts.quoteDecimals;
      return [
        send(who, token, "mint", [who, wholeTokens * 10n ** BigInt(decimals)]),
        send(who, token, "approve", [spender.address, MAX_UINT256]),
      ];
    });
  return [
    ...actors.of("arbitrageur").flatMap((who) => fund(who, pool, [base, quote])),
    ...actors.of("provider").flatMap((who) => fund(who, pool, [base, quote])),
    ...actors.of("lp").flatMap((who) => fund(who, marginPool, [quote])),
    ...actors.of("trader").flatMap((who) => fund(who, marginPool, [quote])),
  ];
}
