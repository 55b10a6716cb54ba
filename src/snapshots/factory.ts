import { ZeroAddress } from "ethers";
import { call, type GasChain } from "../bench/gasChain.ts";
import { deployFactory, FIXED_FEE } from "../bench/pools.ts";
import type { Tokens } from "../bench/tokens.ts";
import type { Row } from "./figures.ts";

/** Everything that changes a factory. */
export async function measureFactory(
  chain: GasChain,
  [token0, token1, token2]: Tokens,
): Promise<Row[]> {
  const factory = await deployFactory(chain, FIXED_FEE);
  const measure = (method: string, ...args: readonly string[]) =>
    chain.measure(call(factory, method, args));
  return [
    [
      "createPair, first of the factory",
      await measure("createPair", token0.address, token1.address),
    ],
    ["createPair", await measure("createPair", token1.address, token2.address)],
    ["createPair, tokens in reverse", await measure("createPair", token2.address, token0.address)],
    ["setFeeTo, on", await measure("setFeeTo", chain.other)],
    ["setFeeTo, changed", await measure("setFeeTo", chain.user)],
    ["setFeeTo, off", await measure("setFeeTo", ZeroAddress)],
    ["setFeeToSetter", await measure("setFeeToSetter", chain.other)],
  ];
}
