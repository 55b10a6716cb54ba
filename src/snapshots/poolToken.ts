import { AMOUNT_IN, MAX_UINT256 } from "../bench/conditions.ts";
import { call, type GasChain } from "../bench/gasChain.ts";
import { deployPools, FIXED_FEE } from "../bench/pools.ts";
import type { Tokens } from "../bench/tokens.ts";
import type { Row } from "./figures.ts";
import { signPermit } from "./permits.ts";

/** The pool as its own LP token. */
export async function measurePoolToken(chain: GasChain, tokens: Tokens): Promise<Row[]> {
  const { user, other } = chain;
  const { pool } = await deployPools(chain, tokens, FIXED_FEE);
  const approve = (amount: bigint) => chain.measure(call(pool, "approve", [other, amount]));
  const transfer = () => chain.measure(call(pool, "transfer", [other, AMOUNT_IN]));
  const transferFrom = () =>
    chain.measure({ ...call(pool, "transferFrom", [user, other, AMOUNT_IN]), from: other });
  const permit = async () => {
    const { deadline, signature } = await signPermit(chain, pool, other);
    const { v, r, s } = signature;
    return chain.measure(call(pool, "permit", [user, other, MAX_UINT256, deadline, v, r, s]));
  };
  return [
    ["permit, first of the owner", await permit()],
    ["permit", await permit()],
    ["transfer to a new holder", await transfer()],
    ["transfer", await transfer()],
    ["transferFrom, infinite allowance", await transferFrom()],
    ["approve, changed", await approve(100n * AMOUNT_IN)],
    ["transferFrom", await transferFrom()],
    ["approve, revoked", await approve(0n)],
    ["approve", await approve(MAX_UINT256)],
  ];
}
