import type { Calls } from "../../../src/model/calls.ts";

type AllCalls = { readonly [C in keyof Calls]: { readonly [M in keyof Calls[C]]: true } };

const TOKEN = { transfer: true, approve: true, transferFrom: true } as const;

/** Complete by its type: a call that is added to the model must be added here, and then played. */
const CALLS: AllCalls = {
  feed: { setPrice: true, setRound: true },
  sequencerFeed: { setPrice: true, setRound: true },
  base: { ...TOKEN, mint: true },
  quote: { ...TOKEN, mint: true },
  factory: { setFeeTo: true, setFeeToSetter: true },
  pool: {
    ...TOKEN,
    swapExactInput: true,
    swapExactOutput: true,
    swapPrefunded: true,
    addLiquidity: true,
    removeLiquidity: true,
    swap: true,
    mint: true,
    burn: true,
    skim: true,
    sync: true,
  },
  volatilityOracle: { poke: true, sync: true },
  marginPool: {
    ...TOKEN,
    bootstrap: true,
    deposit: true,
    mint: true,
    withdraw: true,
    redeem: true,
    depositMargin: true,
    withdrawMargin: true,
    requestOrder: true,
    executeOrder: true,
    cancelOrder: true,
    claim: true,
    liquidate: true,
    skim: true,
    autoDeleverage: true,
    settle: true,
    settleAccount: true,
    finalizeSettlement: true,
    redeemInKind: true,
    sync: true,
    tradeWithPool: true,
    cacheBand: true,
    pauseNewRisk: true,
    unpauseNewRisk: true,
    setGuardian: true,
    setParameters: true,
    transferOwnership: true,
    acceptOwnership: true,
    renounceOwnership: true,
  },
  rebalancer: { rebalance: true, poke: true },
};

/** Every call of the model as `contract.function`. */
export const CALL_NAMES: readonly string[] = Object.entries(CALLS).flatMap(
  ([contract, functions]) => Object.keys(functions).map((name) => `${contract}.${name}`),
);

/** Calls that accept anything from anybody. */
export const INFALLIBLE: readonly string[] = [
  "feed.setRound",
  "sequencerFeed.setRound",
  "pool.approve",
];
