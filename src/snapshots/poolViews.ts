import { getBytes } from "ethers";
import { AMOUNT_IN, DEADLINE } from "../bench/conditions.ts";
import { type Call, call, type GasChain } from "../bench/gasChain.ts";
import { deployPools, type FeeRule } from "../bench/pools.ts";
import { warmUp } from "../bench/swaps.ts";
import type { Tokens } from "../bench/tokens.ts";
import type { Row } from "./figures.ts";

/** What a transaction costs that does nothing, and the bytes of its call data. */
const TRANSACTION_GAS = 21_000;
const ZERO_BYTE_GAS = 4;
const OTHER_BYTE_GAS = 16;

/**
 * Execution of the views that contracts call, in a pool that was swapped before: a transaction's gas less what it costs
 * to begin. A contract pays 2,600 more for its first call of the pool.
 */
export async function measurePoolViews(
  chain: GasChain,
  tokens: Tokens,
  fee: FeeRule,
): Promise<Row[]> {
  const { pool } = await deployPools(chain, tokens, fee);
  const [token0, token1] = tokens.map(({ address }) => address);
  const swap = (there: boolean): Call =>
    call(pool, "swapExactInput", [there ? token0 : token1, AMOUNT_IN, 0n, chain.user, DEADLINE]);
  await warmUp(chain, swap);

  const rows: Row[] = [];
  for (const [method, args] of [
    ["getAmountOut", [token0, AMOUNT_IN]],
    ["getAmountIn", [token0, AMOUNT_IN]],
    ["swapFee", []],
    ["observe", []],
    ["getReserves", []],
  ] as const) {
    const view = call(pool, method, args);
    const first = (await chain.measure(view)) - beginning(view);
    const later = (await chain.measure(swap(true), view)) - beginning(view);
    rows.push([`${method}, first in block`, first], [`${method}, later in block`, later]);
  }
  return rows;
}

/** Gas of a transaction before its first instruction. */
function beginning({ data }: Call): number {
  const bytes = getBytes(data);
  const zeros = bytes.filter((byte) => byte === 0).length;
  return TRANSACTION_GAS + ZERO_BYTE_GAS * zeros + OTHER_BYTE_GAS * (bytes.length - zeros);
}
