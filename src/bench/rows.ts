/** Everything that is measured, in the order of the table. */
export const OPERATIONS = [
  "swap exact in, first in block",
  "swap exact in, later in block",
  "swap exact out, first in block",
  "V2 swap by minimal caller, first in block",
  "V2 swap by minimal caller, later in block",
  "swap exact in, two hops",
  "add liquidity",
  "remove liquidity",
  "create pool",
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** One measurement. */
export interface GasRow {
  /** What was done; rows of the same operation compare. */
  readonly operation: Operation;
  /** Whose contracts did it. */
  readonly system: string;
  /** Gas used by the whole transaction. */
  readonly gas: number;
}

export const BALLAST = "ballast";
export const BALLAST_VARIABLE_FEE = "ballast, variable fee";
/** Through the router; the rows of `BALLAST` call the pool itself. */
export const BALLAST_ROUTER = "ballast, Router";
export const FLOOR = "floor";
/** Pairs without the router in front of them. */
export const UNISWAP_V2 = "uniswap v2";
export const UNISWAP_V2_ROUTER = "uniswap v2, Router02";
export const UNISWAP_V3_ROUTER = "uniswap v3, SwapRouter";
