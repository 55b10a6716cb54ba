import { artifacts } from "hardhat";
import {
  AMOUNT_IN,
  DEADLINE,
  DEPOSIT_LIMIT_OUT,
  RESERVE_IN,
  RESERVE_OUT,
  SWAP_FEE,
} from "./conditions.ts";
import { call, compiled, type Deployed, type GasChain } from "./gasChain.ts";
import { published } from "./publishedCode.ts";
import { BALLAST, BALLAST_ROUTER, BALLAST_VARIABLE_FEE, type GasRow } from "./rows.ts";
import { firstAndLater, measureMinimalCaller, warmUp } from "./swaps.ts";
import { approve, type Tokens } from "./tokens.ts";

/** How a factory sets the fee of its pools. */
interface FeeRule {
  readonly min: bigint;
  readonly max: bigint;
  readonly multiplierWad: bigint;
}

/** The fee of the peers. */
const FIXED_FEE: FeeRule = { min: SWAP_FEE, max: SWAP_FEE, multiplierWad: 0n };
/** A fee that follows volatility, 0.05 % to 1 %: the pool computes it at the first touch of a block. */
const VARIABLE_FEE: FeeRule = {
  min: 500n,
  max: 10_000n,
  multiplierWad: 17_300_000_000_000_000_000n,
};

/** Two pools in a row, the first of which the rows are about. */
interface Pools {
  readonly factory: Deployed;
  readonly pool: Deployed;
  readonly next: Deployed;
  /** Gas of creating the second pool of the factory. */
  readonly createGas: number;
}

/** Ballast's pools with a fixed fee: every operation. */
export async function measureBallast(chain: GasChain, tokens: Tokens): Promise<GasRow[]> {
  const { user } = chain;
  const pools = await deployPools(chain, tokens, FIXED_FEE);
  const swaps = await measureSwaps(chain, tokens, pools, BALLAST);
  const { pool, createGas } = pools;
  const added = await chain.measure(
    call(pool, "addLiquidity", [AMOUNT_IN, DEPOSIT_LIMIT_OUT, 0n, 0n, user, DEADLINE]),
  );
  const removed = await chain.measure(
    call(pool, "removeLiquidity", [AMOUNT_IN, 0n, 0n, user, DEADLINE]),
  );
  return [
    ...swaps,
    ...(await measureRouter(chain, tokens, pools)),
    { operation: "add liquidity", system: BALLAST, gas: added },
    { operation: "remove liquidity", system: BALLAST, gas: removed },
    { operation: "create pool", system: BALLAST, gas: createGas },
  ];
}

/** The swaps of Ballast's pools with a fee that follows volatility. */
export async function measureBallastVariableFee(
  chain: GasChain,
  tokens: Tokens,
): Promise<GasRow[]> {
  const pools = await deployPools(chain, tokens, VARIABLE_FEE);
  return measureSwaps(chain, tokens, pools, BALLAST_VARIABLE_FEE);
}

async function deployPools(chain: GasChain, tokens: Tokens, fee: FeeRule): Promise<Pools> {
  const factory = await chain.deploy(
    await compiled("PoolFactory"),
    chain.user,
    fee.min,
    fee.max,
    fee.multiplierWad,
  );
  const poolCode = await compiled("ConstantProductPool");
  const [first, second, third] = tokens;
  const create = (tokenA: Deployed, tokenB: Deployed) =>
    chain.measure(call(factory, "createPair", [tokenA.address, tokenB.address]));
  const poolOf = async (tokenA: Deployed, tokenB: Deployed): Promise<Deployed> => {
    const [address] = await chain.read(factory, "getPair", [tokenA.address, tokenB.address]);
    return { address: String(address), interface: poolCode.interface };
  };
  const seed = async (pool: Deployed, amount0: bigint, amount1: bigint): Promise<void> => {
    await approve(chain, pool, ...tokens);
    await chain.send(call(pool, "addLiquidity", [amount0, amount1, 0n, 0n, chain.user, DEADLINE]));
  };

  await create(first, second);
  const createGas = await create(second, third);
  const [pool, next] = [await poolOf(first, second), await poolOf(second, third)];
  await seed(pool, RESERVE_IN, RESERVE_OUT);
  await seed(next, RESERVE_OUT, RESERVE_IN);
  return { factory, pool, next, createGas };
}

async function measureSwaps(
  chain: GasChain,
  tokens: Tokens,
  { pool, next }: Pools,
  system: string,
): Promise<GasRow[]> {
  const { user } = chain;
  const [first, second, third] = tokens.map(({ address }) => address);
  const swapIn = (at: Deployed, tokenIn: unknown) =>
    call(at, "swapExactInput", [tokenIn, AMOUNT_IN, 0n, user, DEADLINE]);
  const swap = (firstForSecond: boolean) => swapIn(pool, firstForSecond ? first : second);
  await warmUp(chain, swap);
  await warmUp(chain, (there) => swapIn(next, there ? second : third));

  const quote = async (): Promise<bigint> =>
    (await chain.read(pool, "getAmountOut", [first, AMOUNT_IN]))[0];
  const single = await firstAndLater(chain, swap);
  const exactOut = await chain.measure(
    call(pool, "swapExactOutput", [first, await quote(), 2n * AMOUNT_IN, user, DEADLINE]),
  );
  const caller = await chain.deploy(await compiled("MinimalV2Caller"));
  await approve(chain, caller, tokens[0]);
  const minimal = await measureMinimalCaller(chain, system, caller, pool, tokens, quote);
  const twoHops = await chain.measure(
    call(pool, "swapExactInputAcrossTwoPools", [first, third, AMOUNT_IN, 0n, user, DEADLINE]),
  );
  return [
    { operation: "swap exact in, first in block", system, gas: single.first },
    { operation: "swap exact in, later in block", system, gas: single.later },
    { operation: "swap exact out, first in block", system, gas: exactOut },
    ...minimal,
    { operation: "swap exact in, two hops", system, gas: twoHops },
  ];
}

/** The router in front of the pools, which were swapped before. */
async function measureRouter(
  chain: GasChain,
  tokens: Tokens,
  { factory }: Pools,
): Promise<GasRow[]> {
  if (!(await artifacts.artifactExists("Router"))) return [];
  const weth = await chain.deploy(published("@uniswap/v2-periphery/build/WETH9.json"));
  const router = await chain.deploy(await compiled("Router"), factory.address, weth.address);
  await approve(chain, router, ...tokens);
  const path = tokens.map(({ address }) => address);
  const swapAlong = (hops: readonly string[]) =>
    call(router, "swapExactTokensForTokens", [AMOUNT_IN, 0n, hops, chain.user, DEADLINE]);
  const single = await firstAndLater(chain, () => swapAlong(path.slice(0, 2)));
  const twoHops = await chain.measure(swapAlong(path));
  return [
    { operation: "swap exact in, first in block", system: BALLAST_ROUTER, gas: single.first },
    { operation: "swap exact in, later in block", system: BALLAST_ROUTER, gas: single.later },
    { operation: "swap exact in, two hops", system: BALLAST_ROUTER, gas: twoHops },
  ];
}
