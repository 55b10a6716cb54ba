import type { HardhatEthers, HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { published } from "../../../src/bench/publishedCode.ts";
import type {
  ConstantProductPool,
  MockERC20,
  PoolFactory,
} from "../../../typechain-types/index.ts";

export const MAX_UINT256 = 2n ** 256n - 1n;
/** Later than any test block. */
export const FAR_DEADLINE = 10n ** 12n;

/** How a factory sets the fee of its pools, 1e6 = 100 %. */
export interface FeeRule {
  readonly min: bigint;
  readonly max: bigint;
  readonly multiplierWad: bigint;
}

export const FIXED_FEE: FeeRule = { min: 3_000n, max: 3_000n, multiplierWad: 0n };
export const VARIABLE_FEE: FeeRule = {
  min: 500n,
  max: 10_000n,
  multiplierWad: 17_300_000_000_000_000_000n,
};

/** The tokens have 18, 6, 8 and 18 decimals; WETH is the published one, seen as a token. */
export const TOKENS = ["a", "b", "c", "d", "weth"] as const;
export type TokenName = (typeof TOKENS)[number];

/** Un-round reserves of the pools, in the order of their names: no two units coincide. */
const RESERVES: readonly (readonly [TokenName, TokenName, bigint, bigint])[] = [
  ["a", "b", 1_234_567_890_123_456_789_012n, 2_345_678_901_234n],
  ["b", "c", 3_456_789_012_347n, 987_654_321_098_761n],
  ["c", "d", 765_432_109_876_543n, 8_765_432_109_876_543_210_987n],
  ["a", "weth", 4_321_098_765_432_109_876_543n, 319_765_432_109_876_543_211n],
  ["weth", "b", 271_828_182_845_904_523_537n, 814_159_265_359n],
];

export type Fixture = Awaited<ReturnType<typeof deployRouter>>;

/**
 * A router, its pools a-b-c-d and a-weth-b, and two users with plenty of every token, approved for the router. The owner
 * holds the liquidity and may set `feeTo`.
 */
export async function deployRouter(ethers: HardhatEthers, fee: FeeRule = FIXED_FEE) {
  const [owner, alice, bob] = (await ethers.getSigners()) as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  const factory = await ethers.deployContract("PoolFactory", [
    owner.address,
    fee.min,
    fee.max,
    fee.multiplierWad,
  ]);
  const wethAddress = await deployWeth(ethers);
  const router = await ethers.deployContract("Router", [factory, wethAddress]);
  const token = (name: string, decimals: bigint) =>
    ethers.deployContract("MockERC20", [`Token ${name}`, name, decimals]);
  const tokens: Record<TokenName, MockERC20> = {
    a: await token("A", 18n),
    b: await token("B", 6n),
    c: await token("C", 8n),
    d: await token("D", 18n),
    weth: await ethers.getContractAt("MockERC20", wethAddress),
  };
  const setup = {
    factory,
    router,
    routerAddress: await router.getAddress(),
    tokens,
    weth: await ethers.getContractAt("IWETH9", wethAddress),
    wethAddress,
    owner,
    alice,
    bob,
  };
  for (const user of [owner, alice, bob]) {
    // Fixtures run one after the other on the same accounts.
    await ethers.provider.send("hardhat_setBalance", [user.address, "0x21e19e0c9bab2400000"]);
    await setup.weth.connect(user).deposit({ value: 1_000n * 10n ** 18n });
    for (const name of TOKENS) {
      if (name !== "weth") await tokens[name].mint(user, 10n ** 30n);
      await tokens[name].connect(user).approve(router, MAX_UINT256);
    }
  }
  for (const [nameA, nameB, amountA, amountB] of RESERVES) {
    await seedPool(ethers, setup, tokens[nameA], tokens[nameB], amountA, amountB);
  }
  return setup;
}

/** Creates the pool of two tokens of the owner's and gives it its first reserves, without the router. */
export async function seedPool(
  ethers: HardhatEthers,
  { factory, owner }: { factory: PoolFactory; owner: HardhatEthersSigner },
  tokenA: MockERC20,
  tokenB: MockERC20,
  amountA: bigint,
  amountB: bigint,
): Promise<ConstantProductPool> {
  await factory.createPair(tokenA, tokenB);
  const pool = await ethers.getContractAt(
    "ConstantProductPool",
    await factory.getPair(tokenA, tokenB),
  );
  await tokenA.connect(owner).transfer(pool, amountA);
  await tokenB.connect(owner).transfer(pool, amountB);
  await pool.mint(owner);
  return pool;
}

async function deployWeth(ethers: HardhatEthers): Promise<string> {
  const [deployer] = await ethers.getSigners();
  const { interface: abi, bytecode } = published("@uniswap/v2-periphery/build/WETH9.json");
  const weth = await new ethers.ContractFactory(abi, bytecode, deployer).deploy();
  return weth.getAddress();
}

/** The pool of two tokens. */
export async function poolOf(
  ethers: HardhatEthers,
  { factory, tokens }: Fixture,
  nameA: TokenName,
  nameB: TokenName,
): Promise<ConstantProductPool> {
  const address = await factory.getPair(tokens[nameA], tokens[nameB]);
  return ethers.getContractAt("ConstantProductPool", address);
}

/** Addresses of a path. */
export async function pathOf({ tokens }: Fixture, names: readonly TokenName[]): Promise<string[]> {
  return Promise.all(names.map((name) => tokens[name].getAddress()));
}

/** What the pools themselves quote along a path, hop by hop, in the block to come. */
export async function quoteOut(
  ethers: HardhatEthers,
  setup: Fixture,
  names: readonly TokenName[],
  amountIn: bigint,
): Promise<bigint[]> {
  const amounts = [amountIn];
  for (let i = 0; i + 1 < names.length; i++) {
    const pool = await poolOf(ethers, setup, names[i]!, names[i + 1]!);
    amounts.push(await pool.getAmountOut(setup.tokens[names[i]!], amounts[i]!, PENDING));
  }
  return amounts;
}

/** What the pools themselves quote along a path, last hop first, in the block to come. */
export async function quoteIn(
  ethers: HardhatEthers,
  setup: Fixture,
  names: readonly TokenName[],
  amountOut: bigint,
): Promise<bigint[]> {
  const amounts = [amountOut];
  for (let i = names.length - 1; i > 0; i--) {
    const pool = await poolOf(ethers, setup, names[i - 1]!, names[i]!);
    amounts.unshift(await pool.getAmountIn(setup.tokens[names[i - 1]!], amounts[0]!, PENDING));
  }
  return amounts;
}

/** Calls see the time of the next block: a variable fee depends on it. */
export const PENDING = { blockTag: "pending" } as const;

/** The router holds no token, no LP token and no ether, and has approved no pool. */
export async function expectNothingHeld(
  ethers: HardhatEthers,
  { router, routerAddress, factory, tokens }: Fixture,
): Promise<void> {
  expect(await ethers.provider.getBalance(router), "ether in the router").to.equal(0n);
  for (const name of TOKENS) {
    expect(await tokens[name].balanceOf(router), `${name} in the router`).to.equal(0n);
  }
  const count = await factory.allPairsLength();
  for (let i = 0n; i < count; i += 1n) {
    const address = await factory.allPairs(i);
    const pool = await ethers.getContractAt("ConstantProductPool", address);
    expect(await pool.balanceOf(router), "LP tokens in the router").to.equal(0n);
    for (const name of TOKENS) {
      const allowance = await tokens[name].allowance(routerAddress, address);
      expect(allowance, `${name} approved by the router`).to.equal(0n);
    }
  }
}

/** Balances of an account, by token, and its ether. */
export async function balancesOf(
  ethers: HardhatEthers,
  { tokens }: Fixture,
  account: { getAddress(): Promise<string> },
): Promise<Record<TokenName | "ether", bigint>> {
  const address = await account.getAddress();
  const entries = await Promise.all(
    TOKENS.map(async (name) => [name, await tokens[name].balanceOf(address)] as const),
  );
  return {
    ...(Object.fromEntries(entries) as Record<TokenName, bigint>),
    ether: await ethers.provider.getBalance(address),
  };
}

/** Moves prices over half an hour, so that a variable fee leaves its lower bound. */
export async function stirPrices(
  setup: Fixture,
  increaseTime: (seconds: number) => Promise<unknown>,
): Promise<void> {
  const { router, owner } = setup;
  for (let step = 0; step < 12; step++) {
    for (const [nameA, nameB, amountA, amountB] of RESERVES) {
      const forth = step % 2 === 0;
      const path = await pathOf(setup, forth ? [nameA, nameB] : [nameB, nameA]);
      const amount = (forth ? amountA : amountB) / (700n + BigInt(step));
      await router.connect(owner).swapExactTokensForTokens(amount, 0n, path, owner, FAR_DEADLINE);
    }
    await increaseTime(137);
  }
}
