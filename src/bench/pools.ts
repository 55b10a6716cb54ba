import { DEADLINE, RESERVE_IN, RESERVE_OUT, SWAP_FEE } from "./conditions.ts";
import { call, compiled, type Deployed, type GasChain } from "./gasChain.ts";
import { approve, type Tokens } from "./tokens.ts";

/** How a factory sets the fee of its pools. */
export interface FeeRule {
  readonly min: bigint;
  readonly max: bigint;
  readonly multiplierWad: bigint;
}

/** The fee of the peers. */
export const FIXED_FEE: FeeRule = { min: SWAP_FEE, max: SWAP_FEE, multiplierWad: 0n };
/** A fee that follows volatility, 0.05 % to 1 %: the pool computes it at the first touch of a block. */
export const VARIABLE_FEE: FeeRule = {
  min: 500n,
  max: 10_000n,
  multiplierWad: 17_300_000_000_000_000_000n,
};

/** Two pools in a row, the first of which measurements are about. */
export interface Pools {
  readonly factory: Deployed;
  readonly pool: Deployed;
  readonly next: Deployed;
  /** Gas of creating the second pool of the factory. */
  readonly createGas: number;
}

/** Creates the pools of the first two and the last two tokens and gives both their first liquidity. */
export async function deployPools(chain: GasChain, tokens: Tokens, fee: FeeRule): Promise<Pools> {
  const pools = await createPools(chain, tokens, fee);
  const seed = async (pool: Deployed, amount0: bigint, amount1: bigint): Promise<void> => {
    await approve(chain, pool, ...tokens);
    await chain.send(call(pool, "addLiquidity", [amount0, amount1, 0n, 0n, chain.user, DEADLINE]));
  };
  await seed(pools.pool, RESERVE_IN, RESERVE_OUT);
  await seed(pools.next, RESERVE_OUT, RESERVE_IN);
  return pools;
}

/** Creates the pools of the first two and the last two tokens, empty. */
export async function createPools(chain: GasChain, tokens: Tokens, fee: FeeRule): Promise<Pools> {
  const factory = await deployFactory(chain, fee);
  const poolCode = await compiled("ConstantProductPool");
  const [first, second, third] = tokens;
  const create = (tokenA: Deployed, tokenB: Deployed) =>
    chain.measure(call(factory, "createPair", [tokenA.address, tokenB.address]));
  const poolOf = async (tokenA: Deployed, tokenB: Deployed): Promise<Deployed> => {
    const [address] = await chain.read(factory, "getPair", [tokenA.address, tokenB.address]);
    return { address: String(address), interface: poolCode.interface };
  };

  await create(first, second);
  const createGas = await create(second, third);
  const [pool, next] = [await poolOf(first, second), await poolOf(second, third)];
  return { factory, pool, next, createGas };
}

/** Deploys a factory that the user may change. */
export async function deployFactory(chain: GasChain, fee: FeeRule): Promise<Deployed> {
  const { min, max, multiplierWad } = fee;
  return chain.deploy(await compiled("PoolFactory"), chain.user, min, max, multiplierWad);
}
