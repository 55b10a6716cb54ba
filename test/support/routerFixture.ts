// The same tokens, liquidity and accounts on Uniswap V2 and on the project's pools, both under Uniswap V2's published router, and
// once more on the project's pools under its own router.
import type { HardhatEthers } from "@nomicfoundation/hardhat-ethers/types";
import { MaxUint256, Signature, TypedDataEncoder } from "ethers";
import type { ConstantProductPool } from "../../typechain-types/index.ts";
import { FAR_DEADLINE } from "../unit/pool/poolFixture.ts";
import {
  deployBallast,
  deployBallastRouter,
  deployCode,
  deployUniswapV2,
  type Exchange,
  wethCode,
} from "./uniswapV2.ts";

const E18 = 10n ** 18n;

/** With 18, 6, 0, 18 and 18 decimals; of every transfer of `taxed`, 1 % is destroyed. */
export type TokenName = "base" | "quote" | "whole" | "taxed" | "weth";
export const TAX_PPM = 10_000n;

/** Un-round liquidity of the pairs that exist before a test, in token units. */
const LIQUIDITY: [TokenName, bigint, TokenName, bigint][] = [
  ["base", 1_234n * E18 + 5_678_901n, "quote", 2_345_678_901_234n],
  ["quote", 3_456_789_012_345n, "whole", 45_678_901n],
  ["base", 4_321n * E18 + 98_765n, "weth", 1_987n * E18 + 123n],
  ["taxed", 7_654n * E18 + 321n, "weth", 876n * E18 + 54_321n],
];

/** What a call returned, what it moved, and the pairs afterwards. */
export interface Effects {
  returned: bigint[];
  /** Changes of balances of alice (sender), bob (recipient) and the router, by owner and token; zeros are left out. */
  moved: Record<string, bigint>;
  pairs: bigint[][];
}

/** Deploys everything; alice has plenty of every token and all the liquidity. */
export async function deployRouters(ethers: HardhatEthers) {
  const [, alice, bob] = await ethers.getSigners();
  const mock = (name: string, decimals: bigint) =>
    ethers.deployContract("MockERC20", [name, name, decimals]);
  const mocks = {
    base: await mock("base", 18n),
    quote: await mock("quote", 6n),
    whole: await mock("whole", 0n),
    taxed: await ethers.deployContract("MockFeeOnTransferERC20", ["taxed", "TAX", 18n, TAX_PPM]),
  };
  const wethAddress = await (await deployCode(ethers, wethCode)).getAddress();
  const tokens = { ...mocks, weth: await ethers.getContractAt("MockERC20", wethAddress) };
  const address = { base: "", quote: "", whole: "", taxed: "", weth: "" };
  for (const [name, token] of Object.entries(tokens))
    address[name as TokenName] = await token.getAddress();
  const uniswap = await deployUniswapV2(ethers, wethAddress);
  const ballast = await deployBallast(ethers, wethAddress);
  const ownRouter = await deployBallastRouter(ethers, wethAddress);

  for (const token of Object.values(mocks)) await token.mint(alice!, 10n ** 30n);
  for (const { router } of [uniswap, ballast, ownRouter]) {
    for (const token of Object.values(tokens))
      await token.connect(alice!).approve(router, MaxUint256);
    for (const [a, amountA, b, amountB] of LIQUIDITY) {
      const [name, tokenB, desired, value] =
        b === "weth"
          ? ["addLiquidityETH", [], [amountA], amountB]
          : ["addLiquidity", [address[b]], [amountA, amountB], 0n];
      const args = [address[a], ...tokenB, ...desired, 0n, 0n, alice!.address, FAR_DEADLINE];
      await router.connect(alice!).getFunction(name)(...args, { value });
    }
  }

  async function pairsOf({ factory }: Exchange): Promise<ConstantProductPool[]> {
    const count = Number(await factory.allPairsLength());
    const addresses = Array.from({ length: count }, (_, i) => factory.allPairs(i));
    return Promise.all(
      addresses.map(async (pair) => ethers.getContractAt("ConstantProductPool", await pair)),
    );
  }

  async function balances(exchange: Exchange): Promise<Map<string, bigint>> {
    const { router } = exchange;
    const pairs = Object.entries(await pairsOf(exchange)).map(([i, pair]) => [`LP ${i}`, pair]);
    const all = [...Object.entries(tokens), ...pairs] as [string, (typeof tokens)["base"]][];
    const owners = Object.entries({ alice: alice!, bob: bob!, router });
    const entries = owners.flatMap(([owner, who]) => [
      ...all.map(
        async ([name, token]) => [`${owner} ${name}`, await token.balanceOf(who)] as const,
      ),
      // alice pays for gas too
      ...(who === alice
        ? []
        : [(async () => [`${owner} ether`, await ethers.provider.getBalance(who)] as const)()]),
    ]);
    return new Map(await Promise.all(entries));
  }

  /** Calls the router as alice. */
  async function act(
    exchange: Exchange,
    name: string,
    args: unknown[],
    value = 0n,
  ): Promise<Effects> {
    const before = await balances(exchange);
    const method = exchange.router.connect(alice!).getFunction(name);
    const returned: unknown = await method.staticCall(...args, { value });
    await method(...args, { value });
    const moved: Record<string, bigint> = {};
    for (const [key, balance] of await balances(exchange)) {
      const change = balance - (before.get(key) ?? 0n);
      if (change !== 0n) moved[key] = change;
    }
    const pairs: bigint[][] = [];
    for (const pair of await pairsOf(exchange)) {
      const [reserve0, reserve1] = await pair.getReserves();
      pairs.push([reserve0, reserve1, await pair.totalSupply()]);
    }
    const list = typeof returned === "bigint" ? [returned] : ((returned ?? []) as bigint[]);
    return { returned: [...list].flat(), moved, pairs };
  }

  /** The last arguments of a removal: alice's approval of the router by an ERC-2612 signature. */
  async function permit({ router }: Exchange, pair: ConstantProductPool, value: bigint) {
    const domain = {
      name: await pair.name(),
      version: "1",
      chainId: (await ethers.provider.getNetwork()).chainId,
      verifyingContract: await pair.getAddress(),
    };
    if (TypedDataEncoder.hashDomain(domain) !== (await pair.DOMAIN_SEPARATOR()))
      throw new Error("the pair signs for another domain");
    const types = {
      Permit: [
        { name: "owner", type: "address" },
        { name: "spender", type: "address" },
        { name: "value", type: "uint256" },
        { name: "nonce", type: "uint256" },
        { name: "deadline", type: "uint256" },
      ],
    };
    const message = {
      owner: alice!.address,
      spender: await router.getAddress(),
      value,
      nonce: await pair.nonces(alice!),
      deadline: FAR_DEADLINE,
    };
    const { v, r, s } = Signature.from(await alice!.signTypedData(domain, types, message));
    return [value === MaxUint256, v, r, s];
  }

  return {
    uniswap,
    ballast,
    ownRouter,
    tokens,
    address,
    pairsOf,
    act,
    permit,
    alice: alice!,
    bob: bob!,
  };
}

export type Routers = Awaited<ReturnType<typeof deployRouters>>;
