import type { HardhatEthers } from "@nomicfoundation/hardhat-ethers/types";
import type { MockERC20 } from "../../../typechain-types/index.ts";
import {
  createPool,
  deployFactory,
  FAR_DEADLINE,
  fund,
  libraryErrors,
  MAX_RESERVE,
  reservesOf,
} from "./poolFixture.ts";

/** Both reserves of the pool under test. */
export const RESERVE = 1_234_567_890_123n;
/** What an operation moves; small enough that one operation leaves every token enough. */
export const AMOUNT = 1_000_000_003n;

/**
 * A pool of an unusual and of a plain token, with liquidity of two holders, and a pool of the plain with a third token. The
 * liquidity comes in by Uniswap V2's functions, which measure what arrived.
 */
export async function poolWith<T extends MockERC20>(ethers: HardhatEthers, unusual: T) {
  const [deployer, alice, bob] = await ethers.getSigners();
  const factory = await deployFactory(ethers, 3000n);
  const plain = await ethers.deployContract("MockERC20", ["Plain", "PLAIN", 6n]);
  const third = await ethers.deployContract("MockERC20", ["Third", "THIRD", 18n]);
  const { pool, poolAddress } = await createPool(ethers, factory, unusual, plain);
  const { pool: nextPool } = await createPool(ethers, factory, plain, third);
  for (const token of [unusual, plain, third]) {
    await fund(ethers, token, poolAddress);
    await fund(ethers, token, nextPool.target as string);
  }
  for (const holder of [deployer!, alice!]) {
    for (const [target, tokens] of [
      [pool, [unusual, plain]],
      [nextPool, [plain, third]],
    ] as const) {
      for (const token of tokens) await token.transfer(target, RESERVE / 2n);
      await target.mint(holder);
    }
  }
  const isToken0 = (await pool.token0()) === unusual.target;
  return {
    ...{ ethers, factory, pool, poolAddress, nextPool, unusual, plain, third, isToken0 },
    ...{ deployer: deployer!, alice: alice!, bob: bob! },
  };
}

export type UnusualPool = Awaited<ReturnType<typeof poolWith<MockERC20>>>;

/** What happens in one call of the pool, and what has to be sent to it before. */
interface Step {
  readonly pay?: (setup: UnusualPool) => Promise<unknown>;
  readonly run: (setup: UnusualPool) => Promise<unknown>;
}

const payUnusual = ({ pool, unusual, bob }: UnusualPool) =>
  unusual.connect(bob).transfer(pool, AMOUNT);
const payPlain = ({ pool, plain, bob }: UnusualPool) => plain.connect(bob).transfer(pool, AMOUNT);

/** Buys by Uniswap V2's `swap` as much as the pool quotes for what has arrived. */
async function swapLikeV2({ pool, isToken0, bob, ...tokens }: UnusualPool, paysUnusual: boolean) {
  const tokenIn = paysUnusual ? tokens.unusual : tokens.plain;
  const [reserve0, reserve1] = await reservesOf(pool);
  const reserveIn = paysUnusual === isToken0 ? reserve0 : reserve1;
  const balance = await tokenIn.balanceOf(pool).catch(() => reserveIn + AMOUNT);
  const arrived = balance > reserveIn ? balance - reserveIn : 0n;
  const out = arrived > MAX_RESERVE - reserveIn ? 1n : await pool.getAmountOut(tokenIn, arrived);
  const amount = out === 0n ? 1n : out;
  const outIs0 = paysUnusual !== isToken0;
  return pool.connect(bob).swap(outIs0 ? amount : 0n, outIs0 ? 0n : amount, bob, "0x");
}

/** Every way to move tokens through the pool. "in": the unusual token is paid; "out": it is bought. All results go to bob. */
export const OPERATIONS = {
  "swapExactInput in": {
    run: ({ pool, unusual, bob }) =>
      pool.connect(bob).swapExactInput(unusual, AMOUNT, 0n, bob, FAR_DEADLINE),
  },
  "swapExactInput out": {
    run: ({ pool, plain, bob }) =>
      pool.connect(bob).swapExactInput(plain, AMOUNT, 0n, bob, FAR_DEADLINE),
  },
  "swapExactOutput in": {
    run: ({ pool, unusual, bob }) =>
      pool.connect(bob).swapExactOutput(unusual, AMOUNT, MAX_RESERVE, bob, FAR_DEADLINE),
  },
  "swapExactOutput out": {
    run: ({ pool, plain, bob }) =>
      pool.connect(bob).swapExactOutput(plain, AMOUNT, MAX_RESERVE, bob, FAR_DEADLINE),
  },
  "two pools in": {
    run: ({ pool, unusual, third, bob }) =>
      pool.connect(bob).swapExactInputAcrossTwoPools(unusual, third, AMOUNT, 0n, bob, FAR_DEADLINE),
  },
  "two pools out": {
    run: ({ nextPool, unusual, third, bob }) =>
      nextPool
        .connect(bob)
        .swapExactInputAcrossTwoPools(third, unusual, AMOUNT, 0n, bob, FAR_DEADLINE),
  },
  "swapPrefunded in": {
    pay: payUnusual,
    run: ({ pool, unusual, bob }) => pool.connect(bob).swapPrefunded(unusual, 0n, bob),
  },
  "swapPrefunded out": {
    pay: payPlain,
    run: ({ pool, plain, bob }) => pool.connect(bob).swapPrefunded(plain, 0n, bob),
  },
  addLiquidity: {
    run: ({ pool, bob }) =>
      pool.connect(bob).addLiquidity(AMOUNT, AMOUNT, 0n, 0n, bob, FAR_DEADLINE),
  },
  removeLiquidity: {
    run: ({ pool, alice, bob }) =>
      pool.connect(alice).removeLiquidity(AMOUNT, 0n, 0n, bob, FAR_DEADLINE),
  },
  mint: {
    pay: async (setup) => {
      await payUnusual(setup);
      await payPlain(setup);
    },
    run: ({ pool, bob }) => pool.connect(bob).mint(bob),
  },
  burn: {
    pay: ({ pool, alice }) => pool.connect(alice).transfer(pool, AMOUNT),
    run: ({ pool, bob }) => pool.connect(bob).burn(bob),
  },
  "swap in": { pay: payUnusual, run: (setup) => swapLikeV2(setup, true) },
  "swap out": { pay: payPlain, run: (setup) => swapLikeV2(setup, false) },
  skim: { pay: payUnusual, run: ({ pool, bob }) => pool.connect(bob).skim(bob) },
  sync: { run: ({ pool }) => pool.sync() },
} as const satisfies Record<string, Step>;

export type Operation = keyof typeof OPERATIONS;

export const NAMES = Object.keys(OPERATIONS) as Operation[];

/** Sends what the operation is paid with in advance, if anything. */
export async function pay(setup: UnusualPool, operation: Operation): Promise<void> {
  const step: Step = OPERATIONS[operation];
  await step.pay?.(setup);
}

/** Name of the error an operation was refused with, or "done". */
export async function outcomeOf(setup: UnusualPool, operation: Operation): Promise<string> {
  try {
    await pay(setup, operation);
    await OPERATIONS[operation].run(setup);
    return "done";
  } catch (thrown) {
    const { data } = thrown as { data?: unknown };
    if (typeof data !== "string") throw thrown;
    const known = setup.pool.interface.parseError(data) ?? libraryErrors.interface.parseError(data);
    return known?.name.replace("ConstantProductPool_", "") ?? `unnamed error ${data}`;
  }
}

/** What can be seen of the pool: its books, and what it and bob really hold. */
export async function stateOf({ pool, unusual, plain, isToken0, bob }: UnusualPool) {
  const [reserve0, reserve1] = await reservesOf(pool);
  return {
    supply: await pool.totalSupply(),
    reserveUnusual: isToken0 ? reserve0 : reserve1,
    reservePlain: isToken0 ? reserve1 : reserve0,
    // A token that does not answer holds nobody's trust: what it has is unknown.
    heldUnusual: await unusual.balanceOf(pool).catch(() => undefined),
    heldPlain: await plain.balanceOf(pool),
    bobUnusual: await unusual.balanceOf(bob).catch(() => 0n),
    bobPlain: await plain.balanceOf(bob),
  };
}

export type PoolState = Awaited<ReturnType<typeof stateOf>>;
