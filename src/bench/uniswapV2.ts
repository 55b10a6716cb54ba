import { amountOutDown } from "../math/constantProductMath.ts";
import {
  AMOUNT_IN,
  DEADLINE,
  DEPOSIT_LIMIT_OUT,
  RESERVE_IN,
  RESERVE_OUT,
  SWAP_FEE,
} from "./conditions.ts";
import { call, compiled, type Deployed, type GasChain } from "./gasChain.ts";
import { published, requireInitCodeHash } from "./publishedCode.ts";
import { type GasRow, UNISWAP_V2, UNISWAP_V2_ROUTER } from "./rows.ts";
import { firstAndLater, measureMinimalCaller, warmUp } from "./swaps.ts";
import { approve, type Tokens } from "./tokens.ts";

const PAIR_INIT_CODE_HASH = "0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f";

/** Uniswap V2's published factory, pairs and router, and its pairs through a minimal caller. */
export async function measureUniswapV2(chain: GasChain, tokens: Tokens): Promise<GasRow[]> {
  const { user } = chain;
  const pairCode = published("@uniswap/v2-core/build/UniswapV2Pair.json");
  requireInitCodeHash(pairCode, "UniswapV2Pair", PAIR_INIT_CODE_HASH);
  const weth = await chain.deploy(published("@uniswap/v2-periphery/build/WETH9.json"));
  const factory = await chain.deploy(
    published("@uniswap/v2-core/build/UniswapV2Factory.json"),
    user,
  );
  const router = await chain.deploy(
    published("@uniswap/v2-periphery/build/UniswapV2Router02.json"),
    factory.address,
    weth.address,
  );
  const caller = await chain.deploy(await compiled("MinimalV2Caller"));
  for (const spender of [router, caller]) await approve(chain, spender, ...tokens);

  const [first, second, third] = tokens.map(({ address }) => address);
  const add = (tokenA: unknown, tokenB: unknown, amountA: bigint, amountB: bigint) =>
    call(router, "addLiquidity", [tokenA, tokenB, amountA, amountB, 0n, 0n, user, DEADLINE]);
  const swapAlong = (path: readonly unknown[]) =>
    call(router, "swapExactTokensForTokens", [AMOUNT_IN, 0n, path, user, DEADLINE]);
  const swap = (firstForSecond: boolean) =>
    swapAlong(firstForSecond ? [first, second] : [second, first]);

  await chain.send(call(factory, "createPair", [first, second]));
  const create = await chain.measure(call(factory, "createPair", [second, third]));
  await chain.send(
    add(first, second, RESERVE_IN, RESERVE_OUT),
    add(second, third, RESERVE_OUT, RESERVE_IN),
  );
  const [address] = await chain.read(factory, "getPair", [first, second]);
  const pair: Deployed = { address: String(address), interface: pairCode.interface };
  await approve(chain, router, pair);
  await warmUp(chain, swap);
  await warmUp(chain, (there) =>
    swapAlong(there ? [first, second, third] : [third, second, first]),
  );

  const quote = async (): Promise<bigint> => {
    const [reserve0, reserve1] = await chain.read(pair, "getReserves");
    return amountOutDown(AMOUNT_IN, reserve0, reserve1, SWAP_FEE);
  };
  const single = await firstAndLater(chain, swap);
  const minimal = await measureMinimalCaller(chain, UNISWAP_V2, caller, pair, tokens, quote);
  const twoHops = await chain.measure(swapAlong([first, second, third]));
  const added = await chain.measure(add(first, second, AMOUNT_IN, DEPOSIT_LIMIT_OUT));
  const removed = await chain.measure(
    call(router, "removeLiquidity", [first, second, AMOUNT_IN, 0n, 0n, user, DEADLINE]),
  );
  const system = UNISWAP_V2_ROUTER;
  return [
    { operation: "swap exact in, first in block", system, gas: single.first },
    { operation: "swap exact in, later in block", system, gas: single.later },
    ...minimal,
    { operation: "swap exact in, two hops", system, gas: twoHops },
    { operation: "add liquidity", system, gas: added },
    { operation: "remove liquidity", system, gas: removed },
    { operation: "create pool", system: UNISWAP_V2, gas: create },
  ];
}
