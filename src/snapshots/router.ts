import {
  AMOUNT_IN,
  DEADLINE,
  DEPOSIT_LIMIT_OUT,
  MAX_UINT256,
  RESERVE_IN,
  RESERVE_OUT,
} from "../bench/conditions.ts";
import { type Call, call, compiled, type Deployed, type GasChain } from "../bench/gasChain.ts";
import { deployPools, FIXED_FEE } from "../bench/pools.ts";
import { published } from "../bench/publishedCode.ts";
import { warmUp } from "../bench/swaps.ts";
import { approve, type Tokens } from "../bench/tokens.ts";
import type { Row } from "./figures.ts";
import { signPermit } from "./permits.ts";
import { inBlock } from "./poolSwaps.ts";

/** A router and the pools it knows: of token0 and token1, of token1 and token2, of token1 and ether. */
interface Setting {
  readonly router: Deployed;
  readonly weth: Deployed;
  readonly pool: Deployed;
  readonly etherPool: Deployed;
}

/** Swaps along paths of one and two pools that were swapped before. */
export async function measureRouterSwaps(chain: GasChain, tokens: Tokens): Promise<Row[]> {
  const { router, weth } = await deployRouter(chain, tokens);
  const [token0, token1, token2] = tokens.map(({ address }) => address);
  const rest = [chain.user, DEADLINE];
  const twoTokens = [token0, token1];
  const threeTokens = [token0, token1, token2];
  const fromEther = [weth.address, token1];
  const toEther = [token1, weth.address];
  const swap = (method: string, ...args: readonly unknown[]): Call =>
    call(router, method, [...args, ...rest]);
  const withEther = (method: string, ...args: readonly unknown[]): Call => ({
    ...swap(method, ...args),
    value: AMOUNT_IN,
  });
  const sell = (path: readonly unknown[]) => swap("swapExactTokensForTokens", AMOUNT_IN, 0n, path);
  const buy = (path: readonly unknown[]) =>
    swap("swapTokensForExactTokens", AMOUNT_IN, MAX_UINT256, path);

  await warmUp(chain, (there) => sell(there ? threeTokens : threeTokens.toReversed()));
  await warmUp(chain, (there) => sell(there ? fromEther : toEther));
  const measured: [name: string, Call][] = [
    ["swapExactTokensForTokens, one pool", sell(twoTokens)],
    ["swapExactTokensForTokens, two pools", sell(threeTokens)],
    ["swapTokensForExactTokens, one pool", buy(twoTokens)],
    ["swapTokensForExactTokens, two pools", buy(threeTokens)],
    ["swapExactETHForTokens", withEther("swapExactETHForTokens", 0n, fromEther)],
    [
      "swapETHForExactTokens with a refund",
      withEther("swapETHForExactTokens", AMOUNT_IN, fromEther),
    ],
    ["swapExactTokensForETH", swap("swapExactTokensForETH", AMOUNT_IN, 0n, toEther)],
    ["swapTokensForExactETH", swap("swapTokensForExactETH", AMOUNT_IN, MAX_UINT256, toEther)],
    [
      "swapExactTokensForTokensSupportingFeeOnTransferTokens, two pools",
      swap("swapExactTokensForTokensSupportingFeeOnTransferTokens", AMOUNT_IN, 0n, threeTokens),
    ],
    [
      "swapExactETHForTokensSupportingFeeOnTransferTokens",
      withEther("swapExactETHForTokensSupportingFeeOnTransferTokens", 0n, fromEther),
    ],
    [
      "swapExactTokensForETHSupportingFeeOnTransferTokens",
      swap("swapExactTokensForETHSupportingFeeOnTransferTokens", AMOUNT_IN, 0n, toEther),
    ],
  ];
  const rows: Row[] = [];
  for (const [name, made] of measured) rows.push(...(await inBlock(chain, name, () => made)));
  return rows;
}

/** Deposits and withdrawals, also by a permit. */
export async function measureRouterLiquidity(chain: GasChain, tokens: Tokens): Promise<Row[]> {
  const { user } = chain;
  const { router, pool, etherPool } = await deployRouter(chain, tokens);
  const [token0, token1, token2] = tokens.map(({ address }) => address);
  const rest = [0n, 0n, user, DEADLINE];
  const addTokens = [token0, token1, AMOUNT_IN, DEPOSIT_LIMIT_OUT, ...rest];
  const createTokens = [token0, token2, RESERVE_IN, RESERVE_OUT, ...rest];
  const tokensOut = [token0, token1, AMOUNT_IN, ...rest];
  const etherOut = [token1, AMOUNT_IN, ...rest];
  const measure = (method: string, args: readonly unknown[]) =>
    chain.measure(call(router, method, args));
  const byPermit = async (method: string, of: Deployed, args: readonly unknown[]) => {
    const { deadline, signature } = await signPermit(chain, of, router.address);
    const { v, r, s } = signature;
    return measure(method, [...args.slice(0, -1), deadline, true, v, r, s]);
  };

  const addEther = (token: unknown, amount: bigint) =>
    chain.measure({
      ...call(router, "addLiquidityETH", [token, amount, ...rest]),
      value: AMOUNT_IN,
    });

  return [
    ["addLiquidity, creates the pool", await measure("addLiquidity", createTokens)],
    ["addLiquidity", await measure("addLiquidity", addTokens)],
    ["addLiquidityETH, creates the pool", await addEther(token2, AMOUNT_IN)],
    ["addLiquidityETH", await addEther(token1, DEPOSIT_LIMIT_OUT)],
    // Permits come first, while allowances are still zero.
    ["removeLiquidityWithPermit", await byPermit("removeLiquidityWithPermit", pool, tokensOut)],
    [
      "removeLiquidityETHWithPermit",
      await byPermit("removeLiquidityETHWithPermit", etherPool, etherOut),
    ],
    [
      "removeLiquidityETHWithPermitSupportingFeeOnTransferTokens, permitted before",
      await byPermit(
        "removeLiquidityETHWithPermitSupportingFeeOnTransferTokens",
        etherPool,
        etherOut,
      ),
    ],
    ["removeLiquidity", await measure("removeLiquidity", tokensOut)],
    ["removeLiquidityETH", await measure("removeLiquidityETH", etherOut)],
    [
      "removeLiquidityETHSupportingFeeOnTransferTokens",
      await measure("removeLiquidityETHSupportingFeeOnTransferTokens", etherOut),
    ],
  ];
}

/** A router that may take any amount of the tokens from the user, and pools with liquidity. */
async function deployRouter(chain: GasChain, tokens: Tokens): Promise<Setting> {
  const { factory, pool } = await deployPools(chain, tokens, FIXED_FEE);
  const weth = await chain.deploy(published("@uniswap/v2-periphery/build/WETH9.json"));
  const router = await chain.deploy(await compiled("Router"), factory.address, weth.address);
  const [, token1] = tokens;
  await approve(chain, router, ...tokens, weth);
  await chain.send(
    { ...call(weth, "deposit", []), value: 100n * AMOUNT_IN },
    call(factory, "createPair", [token1.address, weth.address]),
  );
  const [address] = await chain.read(factory, "getPair", [token1.address, weth.address]);
  const etherPool = { address: String(address), interface: pool.interface };
  const first = [token1.address, RESERVE_OUT, 0n, 0n, chain.user, DEADLINE];
  await chain.send({ ...call(router, "addLiquidityETH", first), value: RESERVE_IN });
  return { router, weth, pool, etherPool };
}
