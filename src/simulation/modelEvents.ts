import type { Address } from "../model/calls.ts";
import type { ModelEvent } from "../model/events.ts";
import { type ProtocolEvent, RISK_STATES, type RiskState } from "./events.ts";
import type { ModelActors } from "./modelActors.ts";

/** A log of the model as an event of the simulation; undefined for those nobody reads. */
export function eventOf(
  event: ModelEvent,
  baseIsToken0: boolean,
  actors: ModelActors,
): ProtocolEvent | undefined {
  if (event.from === "pool") return poolEvent(event, baseIsToken0);
  if (event.from === "marginPool") return marginEvent(event, actors);
  if (event.from === "rebalancer" && event.name === "Rebalanced") {
    const { keeper, baseDelta, quoteDelta, cost } = event.args;
    const number = actors.numberOf("keeper", keeper);
    return { kind: "Rebalanced", keeper: number, baseDelta, quoteDelta, cost };
  }
  return undefined;
}

function poolEvent(
  event: Extract<ModelEvent, { from: "pool" }>,
  baseIsToken0: boolean,
): ProtocolEvent | undefined {
  if (event.name === "Swap") {
    const { amount0In, amount1In, amount0Out, amount1Out } = event.args;
    return baseIsToken0
      ? {
          kind: "Swap",
          baseIn: amount0In,
          quoteIn: amount1In,
          baseOut: amount0Out,
          quoteOut: amount1Out,
        }
      : {
          kind: "Swap",
          baseIn: amount1In,
          quoteIn: amount0In,
          baseOut: amount1Out,
          quoteOut: amount0Out,
        };
  }
  if (event.name === "Mint" || event.name === "Burn") {
    const { amount0, amount1 } = event.args;
    return {
      kind: event.name === "Mint" ? "LiquidityAdded" : "LiquidityRemoved",
      base: baseIsToken0 ? amount0 : amount1,
      quote: baseIsToken0 ? amount1 : amount0,
    };
  }
  return undefined;
}

function marginEvent(
  event: Extract<ModelEvent, { from: "marginPool" }>,
  actors: ModelActors,
): ProtocolEvent | undefined {
  const trader = (account: Address): number => actors.numberOf("trader", account);
  const keeper = (account: Address): number => actors.numberOf("keeper", account);
  const lp = (account: Address): number => actors.numberOf("lp", account);
  const state = (value: number): RiskState => RISK_STATES[value] as RiskState;
  switch (event.name) {
    case "OrderExecuted": {
      const { args } = event;
      const { filled } = args;
      return {
        kind: "OrderExecuted",
        trader: trader(args.account),
        keeper: keeper(args.executor),
        sizeDelta: filled.sizeDelta,
        fillPrice: filled.fillPriceWad,
        realizedProfit: filled.realizedProfit,
        fundingPaid: filled.fundingPaid,
        premium: filled.premium,
        takerFee: filled.takerFee,
        hedgeCharge: filled.hedgeCharge,
        remaining: args.remainingSizeDelta,
        size: args.size,
        entryNotional: args.entryNotional,
        collateral: args.collateral,
        indexPrice: args.indexPriceWad,
      };
    }
    case "OrderFailed": {
      const { account, executor, reason } = event.args;
      return {
        kind: "OrderFailed",
        trader: trader(account),
        keeper: keeper(executor),
        reason: reason.name,
      };
    }
    case "OrderExpired": {
      const { account, executor } = event.args;
      return { kind: "OrderExpired", trader: trader(account), keeper: keeper(executor) };
    }
    case "OrderCanceled":
      return { kind: "OrderCanceled", trader: trader(event.args.account) };
    case "Liquidated": {
      const { account, liquidator, liquidation } = event.args;
      return {
        kind: "Liquidated",
        trader: trader(account),
        liquidator: actors.numberOf("liquidator", liquidator),
        closed: liquidation.closed,
        size: liquidation.size,
        entryNotional: liquidation.entryNotional,
        collateral: liquidation.collateral,
        indexPrice: liquidation.indexPriceWad,
        equity: liquidation.equity,
        penalty: liquidation.penalty,
        keeperReward: liquidation.keeperReward,
        badDebt: liquidation.badDebt,
        paidByInsurance: liquidation.paidByInsurance,
      };
    }
    case "Deposit":
    case "Withdraw": {
      const { owner, assets, shares } = event.args;
      return {
        kind: event.name === "Deposit" ? "SharesDeposited" : "SharesRedeemed",
        lp: lp(owner),
        assets,
        shares,
      };
    }
    case "RiskStateChanged": {
      const { before, afterwards, solvencyRatioWad } = event.args;
      return {
        kind: "RiskStateChanged",
        before: state(before),
        afterwards: state(afterwards),
        solvencyRatio: solvencyRatioWad,
      };
    }
    case "Deleveraged": {
      const { args } = event;
      return {
        kind: "Deleveraged",
        keeper: keeper(args.caller),
        long: args.long,
        epoch: args.epoch,
        fraction: args.fractionWad,
        indexPrice: args.indexPriceWad,
        solvencyRatioBefore: args.solvencyRatioBeforeWad,
        solvencyRatioAfter: args.solvencyRatioAfterWad,
      };
    }
    case "DeadFeedReported":
      return { kind: "DeadFeedReported", deadAt: Number(event.args.deadAt) };
    case "SettlementStarted":
      return { kind: "SettlementStarted", price: event.args.priceWad };
    case "AccountSettled": {
      const { account, size, gain, claimed, badDebt, collateral } = event.args;
      return {
        kind: "AccountSettled",
        trader: trader(account),
        size,
        gain,
        claimed,
        badDebt,
        collateral,
      };
    }
    case "SettlementFinalized": {
      const { claimsTotal, valueTotal, basePot, quotePot } = event.args;
      return { kind: "SettlementFinalized", claimsTotal, valueTotal, basePot, quotePot };
    }
    case "RedeemedInKind": {
      const { owner, shares, baseAmount, quoteAmount } = event.args;
      return { kind: "RedeemedInKind", lp: lp(owner), shares, baseAmount, quoteAmount };
    }
    case "CreditPaid":
    case "ClaimPaid": {
      const { account, amount } = event.args;
      return { kind: event.name, ...actors.find(account), amount };
    }
    case "ClaimPaidInKind": {
      const { account, claim, baseAmount, quoteAmount } = event.args;
      return { kind: "ClaimPaidInKind", trader: trader(account), claim, baseAmount, quoteAmount };
    }
    default:
      return undefined;
  }
}
