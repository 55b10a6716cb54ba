import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { type ContractTransactionResponse, ZeroAddress } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import type {
  ConstantProductPool,
  MockERC20,
  MockFlashSwapCallee,
} from "../../../typechain-types/index.ts";
import {
  BASE_RESERVE,
  createPool,
  FAR_DEADLINE,
  fund,
  QUOTE_RESERVE,
  reservesOf,
} from "./poolFixture.ts";

/** Enough for every operation; given, so that nothing is simulated before it is mined. */
export const GAS = { gasLimit: 1_000_000n };
/** Reads the state after what waits for the next block. */
export const PENDING = { blockTag: "pending" } as const;

/** A pool whose fee follows volatility, and who acts on it. */
export interface VolatilePool {
  readonly connection: NetworkConnection;
  readonly pool: ConstantProductPool;
  readonly poolAddress: string;
  readonly token0: MockERC20;
  readonly token1: MockERC20;
  readonly base: MockERC20;
  readonly quote: MockERC20;
  readonly deployer: HardhatEthersSigner;
  readonly alice: HardhatEthersSigner;
  readonly bob: HardhatEthersSigner;
}

/**
 * A pool of an 18-decimal base and a 6-decimal quote token with un-round reserves and funded users; unless told otherwise
 * with the fee proposed for a volatile pair: 5 bp, 100 bp, 17.3 square-root seconds.
 */
export async function deployVolatilePool(
  connection: NetworkConnection,
  {
    minSwapFee = 500n,
    maxSwapFee = 10_000n,
    multiplierWad = 173n * 10n ** 17n,
    quoteReserve = QUOTE_RESERVE,
  } = {},
): Promise<VolatilePool> {
  const { ethers } = connection;
  const [deployer, alice, bob] = await ethers.getSigners();
  const factory = await ethers.deployContract("PoolFactory", [
    deployer!.address,
    minSwapFee,
    maxSwapFee,
    multiplierWad,
  ]);
  const base = await ethers.deployContract("MockERC20", ["Base", "BASE", 18n]);
  const quote = await ethers.deployContract("MockERC20", ["Quote", "QUOTE", 6n]);
  const created = await createPool(ethers, factory, base, quote);
  const { pool, poolAddress } = created;
  for (const token of [base, quote]) await fund(ethers, token, poolAddress);
  const [reserve0, reserve1] =
    created.token0 === base ? [BASE_RESERVE, quoteReserve] : [quoteReserve, BASE_RESERVE];
  await pool.addLiquidity(reserve0, reserve1, 0n, 0n, deployer!, FAR_DEADLINE);
  const users = { deployer: deployer!, alice: alice!, bob: bob! };
  return { connection, ...created, base, quote, ...users };
}

/** Something a user does; whatever it sends waits for the block. */
export type Operation = () => Promise<
  ContractTransactionResponse | readonly ContractTransactionResponse[]
>;

/** Time of the last block. */
export async function now({ connection }: Pick<VolatilePool, "connection">): Promise<bigint> {
  return BigInt(await connection.networkHelpers.time.latest());
}

/**
 * Mines one block at a given second with these operations in this order. Each sees, by `PENDING`, what those before it
 * did.
 *
 * @throws Error if one of them reverts
 */
export async function inBlock(
  { connection }: Pick<VolatilePool, "connection">,
  at: bigint,
  ...operations: readonly Operation[]
): Promise<void> {
  const { ethers, networkHelpers, provider } = connection;
  await networkHelpers.time.setNextBlockTimestamp(at);
  await provider.request({ method: "evm_setAutomine", params: [false] });
  try {
    const sent: ContractTransactionResponse[] = [];
    for (const operation of operations) sent.push(...[await operation()].flat());
    await networkHelpers.mine();
    for (const { hash } of sent) {
      const receipt = await ethers.provider.getTransactionReceipt(hash);
      if (receipt?.status !== 1) throw new Error(`operation ${hash} failed`);
    }
  } finally {
    await provider.request({ method: "evm_setAutomine", params: [true] });
  }
}

/** Input that takes the ratio out / in to `target`, fee (1e6 = 100 %) included: (x + a) (x + (1 - f) a) = x y / target. */
export function inputTo(target: number, x: number, y: number, fee: number): number {
  const kept = 1 - fee / 1e6;
  const [a, b, c] = [kept, (1 + kept) * x, x * x - (x * y) / target];
  return (2 * -c) / (b + Math.sqrt(b * b - 4 * a * c));
}

/** Trades the pool to a ratio reserve1 / reserve0, by whichever side it takes; nothing if it is all but there. */
export function moveTo({ pool, token0, token1 }: VolatilePool, by: HardhatEthersSigner) {
  return (target: number): Operation =>
    async () => {
      const [reserve0, reserve1] = (await pool.getReserves(PENDING)).slice(0, 2).map(Number);
      const fee = Number(await pool.swapFee(PENDING));
      const down = target < reserve1! / reserve0!;
      const [x, y] = down ? [reserve0!, reserve1!] : [reserve1!, reserve0!];
      const amount = inputTo(down ? target : 1 / target, x, y, fee);
      if (amount < 1e-11 * x) return [];
      const tokenIn = down ? token0 : token1;
      return pool
        .connect(by)
        .swapExactInput(tokenIn, BigInt(Math.round(amount)), 0n, by, FAR_DEADLINE, GAS);
    };
}

/** Ratio of the reserves as a double. */
export async function ratio({ pool }: VolatilePool): Promise<number> {
  const [reserve0, reserve1] = await reservesOf(pool);
  return Number(reserve1) / Number(reserve0);
}

/** Records the price that stands. */
export const touch =
  ({ pool }: VolatilePool): Operation =>
  () =>
    pool.sync(GAS);

/** What alice, an LP, can do to a pool within a block, in un-round amounts. The borrower must hold token0. */
export function actions(
  f: VolatilePool & { readonly borrower: MockFlashSwapCallee },
  random: (below: number) => number,
): Record<string, Operation> {
  const { pool, poolAddress, token0, token1, alice, borrower } = f;
  const asAlice = pool.connect(alice);
  const reserves = async () => (await pool.getReserves(PENDING)).slice(0, 2) as [bigint, bigint];
  const part = (amount: bigint, most: number) => (amount * BigInt(1 + random(most))) / 10n ** 6n;
  const swap = (tokenIn: typeof token0, amountIn: bigint) =>
    asAlice.swapExactInput(tokenIn, amountIn, 0n, alice, FAR_DEADLINE, GAS);
  const send = async (amount0: bigint, amount1: bigint) => [
    await token0.connect(alice).transfer(poolAddress, amount0, GAS),
    await token1.connect(alice).transfer(poolAddress, amount1, GAS),
  ];
  return {
    sync: touch(f),
    skim: () => asAlice.skim(alice, GAS),
    "sell a speck of token0": async () => swap(token0, (await reserves())[0] / 10n ** 9n),
    "sell a speck of token1": async () => swap(token1, (await reserves())[1] / 10n ** 9n),
    "give a speck": async () => {
      const [reserve0, reserve1] = await reserves();
      return [...(await send(reserve0 / 10n ** 10n, reserve1 / 10n ** 10n)), await pool.sync(GAS)];
    },
    "add liquidity": async () => {
      const [reserve0, reserve1] = await reserves();
      const amount0 = part(reserve0, 1_000_000);
      return asAlice.addLiquidity(amount0, 2n * reserve1, 0n, 0n, alice, FAR_DEADLINE, GAS);
    },
    "remove liquidity": async () => {
      const amount = part(await pool.balanceOf(alice, PENDING), 900_000);
      return asAlice.removeLiquidity(amount, 0n, 0n, alice, FAR_DEADLINE, GAS);
    },
    "mint as in V2": async () => {
      const [reserve0, reserve1] = await reserves();
      const amount0 = part(reserve0, 500_000);
      return [
        ...(await send(amount0, (amount0 * reserve1) / reserve0)),
        await pool.mint(alice, GAS),
      ];
    },
    "burn as in V2": async () => {
      const amount = part(await pool.balanceOf(alice, PENDING), 500_000);
      return [await asAlice.transfer(poolAddress, amount, GAS), await pool.burn(alice, GAS)];
    },
    "borrow a millionth and return it": async () => {
      const amount = (await reserves())[0] / 10n ** 6n;
      const due = (amount * 106n) / 100n;
      return [
        await borrower.arm(due, 0n, ZeroAddress, "0x", GAS),
        await borrower.borrow(pool, amount, 0n, GAS),
      ];
    },
    "buy and sell back": async () => {
      const [reserve0, reserve1] = (await reserves()).map(Number);
      const back = moveTo(f, alice)(reserve1! / reserve0!);
      return [await swap(token0, part(BigInt(reserve0!), 900_000)), ...[await back()].flat()];
    },
  };
}
