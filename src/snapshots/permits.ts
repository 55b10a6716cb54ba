import { type BytesLike, getBytes, MaxUint256, type Signature } from "ethers";
import { DEADLINE } from "../bench/conditions.ts";
import type { Deployed, GasChain } from "../bench/gasChain.ts";

const TYPES = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};
const CHAIN_ID = 31_337n;

/** An ERC-2612 permit of the user for any amount of a pool's LP tokens. */
export interface Permit {
  readonly deadline: bigint;
  readonly signature: Signature;
}

/**
 * Signs a permit. A zero byte of call data costs 12 gas less than another and a signature, which depends on the pool's
 * address and so on its code, has one now and then: the deadline is the first with a signature that has none, and the
 * transaction costs the same whatever the code.
 *
 * @param pool whose LP tokens may be spent
 * @param spender who may spend them
 */
export async function signPermit(
  chain: GasChain,
  pool: Deployed,
  spender: string,
): Promise<Permit> {
  const [name] = await chain.read(pool, "name");
  const [nonce] = await chain.read(pool, "nonces", [chain.user]);
  const domain = { name, version: "1", chainId: CHAIN_ID, verifyingContract: pool.address };
  const message = { owner: chain.user, spender, value: MaxUint256, nonce };
  for (let deadline = DEADLINE + 1n; ; deadline++) {
    const signature = await chain.sign(domain, TYPES, { ...message, deadline });
    if (hasNoZeroByte(signature.r) && hasNoZeroByte(signature.s)) return { deadline, signature };
  }
}

function hasNoZeroByte(bytes: BytesLike): boolean {
  return !getBytes(bytes).includes(0);
}
