import { getAddress, type Result } from "ethers";
import { type ProtocolEvent, RISK_STATES } from "./events.ts";
import type { EvmContracts } from "./evmActions.ts";
import type { EvmActors } from "./evmActors.ts";
import type { ChainLog } from "./evmChain.ts";

/** The name of a custom error of any of the contracts. */
export function nameOfError(data: string, contracts: EvmContracts): string {
  const { marginPool, rebalancer, pool, priceOracle, volatilityOracle, quote } = contracts;
  return (
    [marginPool, rebalancer, pool, priceOracle, volatilityOracle, quote]
      .map((contract) => contract.interface.parseError(data)?.name)
      .find(Boolean) ?? `unknown error ${data.slice(0, 10)}`
  );
}

/** A log as an event of the simulation; undefined for those nobody reads. */
export function eventOf(
  log: ChainLog,
  contracts: EvmContracts,
  actors: EvmActors,
): ProtocolEvent | undefined {
  const { marginPool, rebalancer, pool } = contracts;
  const contract = [marginPool, rebalancer, pool].find(
    ({ address }) => getAddress(log.address) === address,
  );
  const event = contract?.interface.parseLog({ topics: [...log.topics], data: log.data });
  if (event === null || event === undefined) return undefined;
  return contract === pool
    ? poolEvent(event.name, event.args, contracts.baseIsToken0)
    : marginEvent(event.name, event.args, contracts, actors);
}

function poolEvent(name: string, args: Result, baseIsToken0: boolean): ProtocolEvent | undefined {
  const [base, quote] = baseIsToken0 ? ["0", "1"] : ["1", "0"];
  if (name === "Swap")
    return {
      kind: "Swap",
      baseIn: args[`amount${base}In`],
      quoteIn: args[`amount${quote}In`],
      baseOut: args[`amount${base}Out`],
      quoteOut: args[`amount${quote}Out`],
    };
  if (name === "Mint" || name === "Burn")
    return {
      kind: name === "Mint" ? "LiquidityAdded" : "LiquidityRemoved",
      base: args[`amount${base}`],
      quote: args[`amount${quote}`],
    };
  return undefined;
}

function marginEvent(
  name: string,
  args: Result,
  contracts: EvmContracts,
  actors: EvmActors,
): ProtocolEvent | undefined {
  const trader = (): number => actors.numberOf("trader", args.account);
  const keeper = (address: unknown): number => actors.numberOf("keeper", address);
  const state = (value: bigint) => RISK_STATES[Number(value)] ?? "Normal";
  switch (name) {
    case "OrderExecuted": {
      const { filled } = args;
      return {
        kind: name,
        trader: trader(),
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
    case "OrderFailed":
      return {
        kind: name,
        trader: trader(),
        keeper: keeper(args.executor),
        reason: nameOfError(args.reason, contracts),
      };
    case "OrderExpired":
      return { kind: name, trader: trader(), keeper: keeper(args.executor) };
    case "OrderCanceled":
      return { kind: name, trader: trader() };
    case "Liquidated": {
      const { liquidation } = args;
      return {
        kind: name,
        trader: trader(),
        liquidator: actors.numberOf("liquidator", args.liquidator),
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
    case "Rebalanced":
      return {
        kind: name,
        keeper: keeper(args.keeper),
        baseDelta: args.baseDelta,
        quoteDelta: args.quoteDelta,
        cost: args.cost,
      };
    case "Deposit":
    case "Withdraw":
      return {
        kind: name === "Deposit" ? "SharesDeposited" : "SharesRedeemed",
        lp: actors.numberOf("lp", args.owner),
        assets: args.assets,
        shares: args.shares,
      };
    case "RiskStateChanged":
      return {
        kind: name,
        before: state(args.before),
        afterwards: state(args.afterwards),
        solvencyRatio: args.solvencyRatioWad,
      };
    case "Deleveraged":
      return {
        kind: name,
        keeper: keeper(args.caller),
        long: args.long,
        epoch: args.epoch,
        fraction: args.fractionWad,
        indexPrice: args.indexPriceWad,
        solvencyRatioBefore: args.solvencyRatioBeforeWad,
        solvencyRatioAfter: args.solvencyRatioAfterWad,
      };
    case "DeadFeedReported":
      return { kind: name, deadAt: Number(args.deadAt) };
    case "SettlementStarted":
      return { kind: name, price: args.priceWad };
    case "AccountSettled":
      return {
        kind: name,
        trader: trader(),
        size: args.size,
        gain: args.gain,
        claimed: args.claimed,
        badDebt: args.badDebt,
        collateral: args.collateral,
      };
    case "SettlementFinalized":
      return {
        kind: name,
        claimsTotal: args.claimsTotal,
        valueTotal: args.valueTotal,
        basePot: args.basePot,
        quotePot: args.quotePot,
      };
    case "RedeemedInKind":
      return {
        kind: name,
        lp: actors.numberOf("lp", args.owner),
        shares: args.shares,
        baseAmount: args.baseAmount,
        quoteAmount: args.quoteAmount,
      };
    case "CreditPaid":
    case "ClaimPaid":
      return { kind: name, ...actors.find(args.account), amount: args.amount };
    case "ClaimPaidInKind":
      return {
        kind: name,
        trader: trader(),
        claim: args.claim,
        baseAmount: args.baseAmount,
        quoteAmount: args.quoteAmount,
      };
    default:
      return undefined;
  }
}
