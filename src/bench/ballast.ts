import { AMOUNT_IN, DEADLINE, DEPOSIT_LIMIT_OUT } from "./conditions.ts";
import { call, compiled, type Deployed, type GasChain } from "./gasChain.ts";
import { deployPools, FIXED_FEE, type Pools, VARIABLE_FEE } from "./pools.ts";
import { published } from "./publishedCode.ts";
import { BALLAST, BALLAST_ROUTER, BALLAST_VARIABLE_FEE, type GasRow } from "./rows.ts";
import { firstAndLater, measureMinimalCaller, warmUp } from "./swaps.ts";
import { approve, type Tokens } from "./tokens.ts";

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
