/** An account or contract. Any distinct strings do; whoever compares with a chain uses checksummed addresses. */
export type Address = string;

/** The zero address: shares come from it and go to it. */
export const ZERO_ADDRESS: Address = "0x0000000000000000000000000000000000000000";

type None = Readonly<Record<never, never>>;

interface TokenCalls {
  transfer: { readonly to: Address; readonly value: bigint };
  approve: { readonly spender: Address; readonly value: bigint };
  transferFrom: { readonly from: Address; readonly to: Address; readonly value: bigint };
}

interface MintableCalls extends TokenCalls {
  mint: { readonly to: Address; readonly amount: bigint };
}

interface FeedCalls {
  setPrice: { readonly answer: bigint };
  setRound: {
    readonly roundId: bigint;
    readonly answer: bigint;
    readonly startedAt: bigint;
    readonly updatedAt: bigint;
    readonly answeredInRound: bigint;
  };
}

/** What the owner of a margin pool may set. See `IMarginPool.Parameters`. */
export interface Parameters {
  readonly takerFeePpm: bigint;
  readonly openInterestLimitBps: bigint;
  readonly initialMarginFloorBps: bigint;
  readonly insuranceShareBps: bigint;
}

/**
 * Every call that changes state, by contract and function, with the arguments' names as in the contracts' interfaces. Amounts are token
 * units, times unix seconds.
 */
export interface Calls {
  feed: FeedCalls;
  sequencerFeed: FeedCalls;
  base: MintableCalls;
  quote: MintableCalls;
  factory: {
    setFeeTo: { readonly newFeeTo: Address };
    setFeeToSetter: { readonly newFeeToSetter: Address };
  };
  pool: {
    swapExactInput: {
      readonly tokenIn: Address;
      readonly amountIn: bigint;
      readonly minAmountOut: bigint;
      readonly to: Address;
      readonly deadline: bigint;
    };
    swapExactOutput: {
      readonly tokenIn: Address;
      readonly amountOut: bigint;
      readonly maxAmountIn: bigint;
      readonly to: Address;
      readonly deadline: bigint;
    };
    swapPrefunded: {
      readonly tokenIn: Address;
      readonly minAmountOut: bigint;
      readonly to: Address;
    };
    addLiquidity: {
      readonly amount0Desired: bigint;
      readonly amount1Desired: bigint;
      readonly amount0Min: bigint;
      readonly amount1Min: bigint;
      readonly to: Address;
      readonly deadline: bigint;
    };
    removeLiquidity: {
      readonly liquidity: bigint;
      readonly amount0Min: bigint;
      readonly amount1Min: bigint;
      readonly to: Address;
      readonly deadline: bigint;
    };
    /** Without a callback: the model knows no code but the protocol's. */
    swap: { readonly amount0Out: bigint; readonly amount1Out: bigint; readonly to: Address };
    mint: { readonly to: Address };
    burn: { readonly to: Address };
    skim: { readonly to: Address };
    sync: None;
  } & TokenCalls;
  volatilityOracle: { poke: None; sync: None };
  marginPool: {
    bootstrap: { readonly baseAmount: bigint; readonly quoteAmount: bigint };
    deposit: { readonly assets: bigint; readonly receiver: Address };
    mint: { readonly shares: bigint; readonly receiver: Address };
    withdraw: { readonly assets: bigint; readonly receiver: Address; readonly owner: Address };
    redeem: { readonly shares: bigint; readonly receiver: Address; readonly owner: Address };
    depositMargin: { readonly amount: bigint };
    withdrawMargin: { readonly amount: bigint };
    requestOrder: {
      readonly sizeDelta: bigint;
      readonly acceptablePriceWad: bigint;
      readonly expiresAt: bigint;
    };
    executeOrder: { readonly account: Address };
    cancelOrder: None;
    liquidate: { readonly account: Address };
    claim: None;
    skim: None;
    autoDeleverage: None;
    settle: None;
    settleAccount: { readonly account: Address };
    finalizeSettlement: None;
    redeemInKind: { readonly shares: bigint; readonly receiver: Address };
    sync: None;
    tradeWithPool: {
      readonly sellBase: boolean;
      readonly amountBase: bigint;
      readonly quoteLimit: bigint;
    };
    cacheBand: {
      readonly outerBandWad: bigint;
      readonly depthBaseWad: bigint;
      readonly unwindCostPpm: bigint;
    };
    pauseNewRisk: None;
    unpauseNewRisk: None;
    setGuardian: { readonly next: Address };
    setParameters: { readonly next: Parameters };
    transferOwnership: { readonly newOwner: Address };
    acceptOwnership: None;
    renounceOwnership: None;
  } & TokenCalls;
  rebalancer: { rebalance: None; poke: None };
}

export type ContractName = keyof Calls;

/** One call of `from`, alone in its transaction, in a block at `at` (unix seconds, never before the last one's). */
export type Action = {
  [C in ContractName]: {
    [M in keyof Calls[C]]: {
      readonly at: bigint;
      readonly from: Address;
      readonly to: C;
      readonly method: M;
      readonly args: Calls[C][M];
    };
  }[keyof Calls[C]];
}[ContractName];
