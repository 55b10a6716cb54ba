import type { HardhatEthers } from "@nomicfoundation/hardhat-ethers/types";
import { type BaseContract, Contract, ZeroAddress } from "ethers";
import type {
  ConstantProductPool,
  MockERC20,
  PoolFactory,
} from "../../../typechain-types/index.ts";

/** Later than any test block. */
export const FAR_DEADLINE = 10n ** 12n;
export const MAX_RESERVE = 2n ** 112n - 1n;
/** Owner of the liquidity locked by the first deposit, as in Uniswap V2. */
export const LOCK = ZeroAddress;

/** For matching: errors of libraries, which are not in the pool's interface. */
export const libraryErrors = new Contract(ZeroAddress, [
  "error TransferFailed()",
  "error TransferFromFailed()",
  "error MulDivFailed()",
]);

/** Un-round reserves, so that no two units coincide: 1234.56... of an 18-decimal and 2345678.9... of a 6-decimal token. */
export const BASE_RESERVE = 1_234_567_890_123_456_789_012n;
export const QUOTE_RESERVE = 2_345_678_901_234n;

/** Upper bound of the fee and what it rises by with volatility; the defaults leave it fixed. */
export interface VariableFee {
  /** 1e6 = 100 %. */
  maxSwapFee?: bigint;
  /** Square-root seconds, 1e18. */
  volatilityFeeMultiplierWad?: bigint;
}

/** Deploys a factory with a fee of at least `swapFee` (1e6 = 100 %); the first signer may set `feeTo`. */
export async function deployFactory(
  ethers: HardhatEthers,
  swapFee: bigint,
  { maxSwapFee = swapFee, volatilityFeeMultiplierWad = 0n }: VariableFee = {},
): Promise<PoolFactory> {
  const [deployer] = await ethers.getSigners();
  return ethers.deployContract("PoolFactory", [
    deployer!.address,
    swapFee,
    maxSwapFee,
    volatilityFeeMultiplierWad,
  ]);
}

/** Creates the pool of two tokens and returns it with the tokens in the pool's order. */
export async function createPool<T extends BaseContract, U extends BaseContract>(
  ethers: HardhatEthers,
  factory: PoolFactory,
  tokenA: T,
  tokenB: U,
): Promise<{ pool: ConstantProductPool; poolAddress: string; token0: T | U; token1: T | U }> {
  const [addressA, addressB] = [await tokenA.getAddress(), await tokenB.getAddress()];
  await factory.createPair(addressA, addressB);
  const poolAddress = await factory.getPair(addressA, addressB);
  const pool = await ethers.getContractAt("ConstantProductPool", poolAddress);
  const [token0, token1] =
    BigInt(addressA) < BigInt(addressB) ? [tokenA, tokenB] : [tokenB, tokenA];
  return { pool, poolAddress, token0, token1 };
}

/** Mints plenty of a token to accounts and approves the pool for all of it. */
export async function fund(
  ethers: HardhatEthers,
  token: MockERC20,
  spender: string,
  amount = 10n ** 30n,
): Promise<void> {
  for (const signer of (await ethers.getSigners()).slice(0, 3)) {
    await token.mint(signer.address, amount);
    await token.connect(signer).approve(spender, 2n ** 256n - 1n);
  }
}

/** A pool of an 18-decimal base and a 6-decimal quote token, funded users, and the un-round reserves unless `empty`. */
export async function deployPool(
  ethers: HardhatEthers,
  {
    swapFee = 3000n,
    empty = false,
    ...variable
  }: { swapFee?: bigint; empty?: boolean } & VariableFee = {},
) {
  const [deployer, alice, bob] = await ethers.getSigners();
  const factory = await deployFactory(ethers, swapFee, variable);
  const base = await ethers.deployContract("MockERC20", ["Base", "BASE", 18n]);
  const quote = await ethers.deployContract("MockERC20", ["Quote", "QUOTE", 6n]);
  const { pool, poolAddress, token0, token1 } = await createPool(ethers, factory, base, quote);
  await fund(ethers, base, poolAddress);
  await fund(ethers, quote, poolAddress);
  const [reserve0, reserve1] =
    token0 === base ? [BASE_RESERVE, QUOTE_RESERVE] : [QUOTE_RESERVE, BASE_RESERVE];
  if (!empty) {
    await pool.addLiquidity(reserve0, reserve1, 0n, 0n, deployer!.address, FAR_DEADLINE);
  }
  return {
    factory,
    pool,
    poolAddress,
    base,
    quote,
    token0,
    token1,
    reserve0,
    reserve1,
    deployer: deployer!,
    alice: alice!,
    bob: bob!,
  };
}

/** Reserves as a pair of bigints. */
export async function reservesOf(pool: ConstantProductPool): Promise<[bigint, bigint]> {
  const [reserve0, reserve1] = await pool.getReserves();
  return [reserve0, reserve1];
}

/** Integer square root, rounded down, bit by bit: independent of the library under test. */
export function sqrtDown(value: bigint): bigint {
  let root = 0n;
  for (let step = 1n << 255n; step > 0n; step >>= 1n) {
    if ((root + step) ** 2n <= value) root += step;
  }
  return root;
}

/** Uniswap V2's formulas with 997/1000, written down independently of the project's library. */
export const v2AmountOut = (a: bigint, x: bigint, y: bigint): bigint =>
  (a * 997n * y) / (x * 1000n + a * 997n);
export const v2AmountIn = (b: bigint, x: bigint, y: bigint): bigint =>
  (x * b * 1000n) / ((y - b) * 997n) + 1n;
