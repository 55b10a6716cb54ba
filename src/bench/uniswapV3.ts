import { ZeroAddress } from "ethers";
import { AMOUNT_IN, DEADLINE, RESERVE_IN, RESERVE_OUT, SWAP_FEE } from "./conditions.ts";
import { call, type GasChain } from "./gasChain.ts";
import { published, requireInitCodeHash } from "./publishedCode.ts";
import { type GasRow, UNISWAP_V3_ROUTER } from "./rows.ts";
import { warmUp } from "./swaps.ts";
import { approve, type Tokens } from "./tokens.ts";

const CORE = "@uniswap/v3-core/artifacts/contracts";
const PERIPHERY = "@uniswap/v3-periphery/artifacts/contracts";
const POOL_INIT_CODE_HASH = "0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54";

/** The widest range of ticks that the spacing of 0.3 % pools allows: liquidity everywhere, as in a V2 pair. */
const FULL_RANGE = [-887_220, 887_220];
/** floor(sqrt(2) * 2^96), the square root of the price of the first reserves. */
const SQRT_PRICE_X96 = 112_045_541_949_572_279_837_463_876_454n;

/** A swap in a full-range pool of Uniswap V3 through its published router. */
export async function measureUniswapV3(chain: GasChain, tokens: Tokens): Promise<GasRow[]> {
  const poolCode = published(`${CORE}/UniswapV3Pool.sol/UniswapV3Pool.json`);
  requireInitCodeHash(poolCode, "UniswapV3Pool", POOL_INIT_CODE_HASH);
  const factory = await chain.deploy(
    published(`${CORE}/UniswapV3Factory.sol/UniswapV3Factory.json`),
  );
  const weth = await chain.deploy(published("@uniswap/v2-periphery/build/WETH9.json"));
  const router = await chain.deploy(
    published(`${PERIPHERY}/SwapRouter.sol/SwapRouter.json`),
    factory.address,
    weth.address,
  );
  const positions = await chain.deploy(
    published(`${PERIPHERY}/NonfungiblePositionManager.sol/NonfungiblePositionManager.json`),
    factory.address,
    weth.address,
    ZeroAddress,
  );
  for (const spender of [router, positions]) await approve(chain, spender, ...tokens);

  const [first, second] = [tokens[0].address, tokens[1].address];
  const poolKey = [first, second, SWAP_FEE];
  const amounts = [RESERVE_IN, RESERVE_OUT, 0n, 0n];
  await chain.send(
    call(positions, "createAndInitializePoolIfNecessary", [...poolKey, SQRT_PRICE_X96]),
  );
  await chain.send(
    call(positions, "mint", [[...poolKey, ...FULL_RANGE, ...amounts, chain.user, DEADLINE]]),
  );
  const swap = (firstForSecond: boolean) => {
    const [tokenIn, tokenOut] = firstForSecond ? [first, second] : [second, first];
    return call(router, "exactInputSingle", [
      [tokenIn, tokenOut, SWAP_FEE, chain.user, DEADLINE, AMOUNT_IN, 0n, 0n],
    ]);
  };
  await warmUp(chain, swap);
  const gas = await chain.measure(swap(true));
  return [{ operation: "swap exact in, first in block", system: UNISWAP_V3_ROUTER, gas }];
}
