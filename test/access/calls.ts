import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { type BaseContract, Signature, ZeroHash } from "ethers";
import {
  baseUnits,
  currentPrice,
  depositMargin,
  FAR_DEADLINE,
  MAX_UINT256,
  now,
  passTime,
  publishPrice,
  quoteUnits,
  requestOrder,
  trade,
  WAD,
} from "../support/protocolFixture.ts";
import { giveLiquidity, type World } from "./world.ts";

/** Arguments with which a call succeeds for whoever may make it. */
export interface Call {
  readonly args: readonly unknown[];
  readonly value?: bigint;
  /** Another contract of the same kind than the world's, for a call that needs a fresh one. */
  readonly to?: BaseContract;
}

/** Brings the world into a state in which the caller's call succeeds. The caller has tokens and ether already. */
type Preparation = (world: World, caller: HardhatEthersSigner) => Promise<Call> | Call;

const AMOUNT = 10n ** 15n;
const LIQUIDITY = 10n ** 12n;
const MARGIN = 203_007n * WAD;
/** Base; takes the exposure out of its band. */
const SIZE = 4_001n * WAD;

/** A call that needs nothing but its arguments. */
const call =
  (...args: readonly unknown[]): Preparation =>
  () => ({ args });

/** An order of bob that may be executed now. */
async function queueOrder(world: World): Promise<void> {
  const { bob, connection } = world;
  await depositMargin(world, bob, 20_000n * WAD);
  await requestOrder(world, bob, 10n * WAD);
  await connection.networkHelpers.time.increase(5);
  await publishPrice(world, await currentPrice(world));
}

/** Shares of the caller that are not locked. */
async function ownShares(world: World, caller: HardhatEthersSigner): Promise<void> {
  await world.marginPool.connect(caller).deposit(quoteUnits(world, 1_000n * WAD), caller);
  await passTime(world, 660n);
}

const DAY = 86_400n;

/** A pool whose price has been bad for so long that it is settled. */
async function settlePool({ connection, marginPool, keeper }: World): Promise<void> {
  for (let call = 0; call < 2; call++) {
    await connection.networkHelpers.time.increase(2n * DAY);
    await marginPool.connect(keeper).settle();
  }
}

/** A settled pool whose payments are fixed. */
async function finalizePool(world: World): Promise<void> {
  await settlePool(world);
  await world.connection.networkHelpers.time.increase(8n * DAY);
  await world.marginPool.connect(world.keeper).finalizeSettlement();
}

/** Tokens sent to the pool ahead of the call that books them. */
async function sendAhead({ base, pool }: World, caller: HardhatEthersSigner): Promise<void> {
  await base.connect(caller).transfer(pool, AMOUNT);
}

const MARGIN_POOL: Readonly<Record<string, Preparation>> = {
  "bootstrap(uint256,uint256)": ({ empty }) => ({
    args: [5n * WAD, 10n ** 10n],
    to: empty.marginPool,
  }),
  "deposit(uint256,address)": (_, caller) => ({ args: [10n ** 9n, caller] }),
  "mint(uint256,address)": (_, caller) => ({ args: [10n ** 15n, caller] }),
  "withdraw(uint256,address,address)": async (w, caller) => {
    await ownShares(w, caller);
    return { args: [10n ** 7n, caller, caller] };
  },
  "redeem(uint256,address,address)": async (w, caller) => {
    await ownShares(w, caller);
    return { args: [10n ** 13n, caller, caller] };
  },
  "approve(address,uint256)": ({ bob }) => ({ args: [bob, 1n] }),
  "transfer(address,uint256)": async (w, caller) => {
    await ownShares(w, caller);
    return { args: [w.bob, 1n] };
  },
  "transferFrom(address,address,uint256)": async ({ marginPool, owner, bob }, caller) => {
    await marginPool.connect(owner).approve(caller, 1n);
    return { args: [owner, bob, 1n] };
  },
  "depositMargin(uint256)": call(10n ** 9n),
  "withdrawMargin(uint256)": async (w, caller) => {
    await depositMargin(w, caller, 1_000n * WAD);
    return { args: [1n] };
  },
  "requestOrder(int256,uint256,uint40)": async (w, caller) => {
    await depositMargin(w, caller, 20_000n * WAD);
    return { args: [baseUnits(w, WAD), MAX_UINT256, (await now(w)) + 300n] };
  },
  "executeOrder(address)": async (w) => {
    await queueOrder(w);
    return { args: [w.bob] };
  },
  "cancelOrder()": async (w, caller) => {
    await depositMargin(w, caller, 20_000n * WAD);
    await requestOrder(w, caller, WAD);
    return { args: [] };
  },
  "liquidate(address)": async (w) => {
    await depositMargin(w, w.bob, MARGIN);
    await trade(w, w.bob, SIZE);
    await passTime(w, 60n);
    await publishPrice(w, ((await currentPrice(w)) * 72n) / 100n);
    await w.rebalancer.connect(w.keeper).poke();
    return { args: [w.bob] };
  },
  "claim()": async (w, caller) => {
    await queueOrder(w);
    await w.marginPool.connect(caller).executeOrder(w.bob);
    return { args: [] };
  },
  "skim()": call(),
  "sync()": call(),
  "autoDeleverage()": call(),
  "settle()": async ({ connection }) => {
    await connection.networkHelpers.time.increase(2n * DAY);
    return { args: [] };
  },
  "settleAccount(address)": async (w) => {
    await settlePool(w);
    return { args: [w.alice] };
  },
  "finalizeSettlement()": async (w) => {
    await settlePool(w);
    await w.connection.networkHelpers.time.increase(8n * DAY);
    return { args: [] };
  },
  "redeemInKind(uint256,address)": async (w, caller) => {
    await ownShares(w, caller);
    await finalizePool(w);
    return { args: [10n ** 13n, w.bob] };
  },
  "pauseNewRisk()": call(),
  "unpauseNewRisk()": async ({ marginPool, roles }) => {
    await marginPool.connect(roles.guardian).pauseNewRisk();
    return { args: [] };
  },
  "setGuardian(address)": ({ bob }) => ({ args: [bob] }),
  "setParameters((uint256,uint256,uint256,uint256))": async ({ marginPool, connection }) => {
    // A day after the last change at the earliest, and the same again is within every bound.
    await connection.networkHelpers.time.increase(2n * DAY);
    return { args: [[...(await marginPool.parameters()).current]] };
  },
  "transferOwnership(address)": ({ bob }) => ({ args: [bob] }),
  "acceptOwnership()": async ({ marginPool, roles }) => {
    await marginPool.connect(roles.owner).transferOwnership(roles.owner);
    return { args: [] };
  },
  "renounceOwnership()": call(),
  "tradeWithPool(bool,uint256,uint256)": call(true, AMOUNT, 1n),
  "cacheBand(uint256,uint256,uint256)": call(WAD, WAD, 3_000n),
};

const REBALANCER: Readonly<Record<string, Preparation>> = {
  "rebalance()": async (w) => {
    await depositMargin(w, w.bob, MARGIN);
    await trade(w, w.bob, SIZE);
    await w.rebalancer.connect(w.keeper).poke();
    return { args: [] };
  },
  "poke()": call(),
};

const FACTORY: Readonly<Record<string, Preparation>> = {
  "createPair(address,address)": ({ spare }) => ({ args: [...spare] }),
  "setFeeTo(address)": ({ bob }) => ({ args: [bob] }),
  "setFeeToSetter(address)": ({ bob }) => ({ args: [bob] }),
};

const POOL: Readonly<Record<string, Preparation>> = {
  "swapExactInput(address,uint256,uint256,address,uint256)": ({ base, bob }) => ({
    args: [base, AMOUNT, 1n, bob, FAR_DEADLINE],
  }),
  "swapExactOutput(address,uint256,uint256,address,uint256)": ({ base, bob }) => ({
    args: [base, 1_000n, MAX_UINT256, bob, FAR_DEADLINE],
  }),
  "swapExactInputAcrossTwoPools(address,address,uint256,uint256,address,uint256)": (w) => ({
    args: [w.quote, w.other, 10n ** 7n, 1n, w.bob, FAR_DEADLINE],
  }),
  "swapPrefunded(address,uint256,address)": async (w, caller) => {
    await sendAhead(w, caller);
    return { args: [w.base, 1n, w.bob] };
  },
  "addLiquidity(uint256,uint256,uint256,uint256,address,uint256)": ({ bob }) => ({
    args: [10n ** 16n, 10n ** 16n, 0n, 0n, bob, FAR_DEADLINE],
  }),
  "removeLiquidity(uint256,uint256,uint256,address,uint256)": async (w, caller) => {
    await giveLiquidity(w, w.pool, caller, LIQUIDITY);
    return { args: [LIQUIDITY, 0n, 0n, w.bob, FAR_DEADLINE] };
  },
  "mint(address)": async (w, caller) => {
    await sendAhead(w, caller);
    await w.quote.connect(caller).transfer(w.pool, 10n ** 7n);
    return { args: [w.bob] };
  },
  "burn(address)": async (w, caller) => {
    await giveLiquidity(w, w.pool, caller, LIQUIDITY);
    await w.pool.connect(caller).transfer(w.pool, LIQUIDITY);
    return { args: [w.bob] };
  },
  "swap(uint256,uint256,address,bytes)": async (w, caller) => {
    await sendAhead(w, caller);
    const sellsFirst = (await w.pool.token0()) === (await w.base.getAddress());
    return { args: [sellsFirst ? 0n : 1n, sellsFirst ? 1n : 0n, w.bob, "0x"] };
  },
  "skim(address)": ({ bob }) => ({ args: [bob] }),
  "sync()": call(),
  "approve(address,uint256)": ({ bob }) => ({ args: [bob, 1n] }),
  "transfer(address,uint256)": async (w, caller) => {
    await giveLiquidity(w, w.pool, caller, 1n);
    return { args: [w.bob, 1n] };
  },
  "transferFrom(address,address,uint256)": async ({ pool, owner, bob }, caller) => {
    await pool.connect(owner).approve(caller, 1n);
    return { args: [owner, bob, 1n] };
  },
  "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)": async ({ pool, bob, carol }) => {
    const { r, s, v } = Signature.from(
      await bob.signTypedData(
        {
          name: await pool.name(),
          version: "1",
          chainId: 31_337n,
          verifyingContract: await pool.getAddress(),
        },
        {
          Permit: [
            { name: "owner", type: "address" },
            { name: "spender", type: "address" },
            { name: "value", type: "uint256" },
            { name: "nonce", type: "uint256" },
            { name: "deadline", type: "uint256" },
          ],
        },
        {
          owner: bob.address,
          spender: carol.address,
          value: 1n,
          nonce: await pool.nonces(bob),
          deadline: FAR_DEADLINE,
        },
      ),
    );
    return { args: [bob, carol, 1n, FAR_DEADLINE, v, r, s] };
  },
};

/** What the router does with ether is done with exact amounts: a contract without `receive` could take no rest. */
const NO_PERMIT = [false, 27, ZeroHash, ZeroHash] as const;

const withTokens =
  (arrange: (path: readonly unknown[], to: unknown) => readonly unknown[]): Preparation =>
  ({ other, base, bob }) => ({ args: arrange([other, base], bob) });
const withEther =
  (arrange: (path: readonly unknown[], to: unknown) => readonly unknown[]): Preparation =>
  ({ other, weth, bob }) => ({ args: arrange([other, weth], bob) });
const sellingEther =
  (arrange: (path: readonly unknown[], to: unknown) => readonly unknown[]): Preparation =>
  ({ other, weth, bob }) => ({ args: arrange([weth, other], bob), value: AMOUNT });
const removing =
  (...permit: readonly unknown[]): Preparation =>
  async (w, caller) => {
    await giveLiquidity(w, w.otherPair, caller, LIQUIDITY);
    return { args: [w.other, w.base, LIQUIDITY, 0n, 0n, w.bob, FAR_DEADLINE, ...permit] };
  };
const removingEther =
  (...permit: readonly unknown[]): Preparation =>
  async (w, caller) => {
    await giveLiquidity(w, w.wethPair, caller, LIQUIDITY);
    return { args: [w.other, LIQUIDITY, 0n, 0n, w.bob, FAR_DEADLINE, ...permit] };
  };
const sell = (path: readonly unknown[], to: unknown) => [AMOUNT, 1n, path, to, FAR_DEADLINE];
const buy = (path: readonly unknown[], to: unknown) => [AMOUNT, WAD, path, to, FAR_DEADLINE];
const sellAllEther = (path: readonly unknown[], to: unknown) => [1n, path, to, FAR_DEADLINE];

const ROUTER: Readonly<Record<string, Preparation>> = {
  "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)": (w) => ({
    args: [w.other, w.base, AMOUNT, AMOUNT, 0n, 0n, w.bob, FAR_DEADLINE],
  }),
  "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)": ({ other, bob }) => ({
    args: [other, AMOUNT, 0n, 0n, bob, FAR_DEADLINE],
    value: AMOUNT,
  }),
  "removeLiquidity(address,address,uint256,uint256,uint256,address,uint256)": removing(),
  "removeLiquidityETH(address,uint256,uint256,uint256,address,uint256)": removingEther(),
  "removeLiquidityETHSupportingFeeOnTransferTokens(address,uint256,uint256,uint256,address,uint256)":
    removingEther(),
  "removeLiquidityWithPermit(address,address,uint256,uint256,uint256,address,uint256,bool,uint8,bytes32,bytes32)":
    removing(...NO_PERMIT),
  "removeLiquidityETHWithPermit(address,uint256,uint256,uint256,address,uint256,bool,uint8,bytes32,bytes32)":
    removingEther(...NO_PERMIT),
  "removeLiquidityETHWithPermitSupportingFeeOnTransferTokens(address,uint256,uint256,uint256,address,uint256,bool,uint8,bytes32,bytes32)":
    removingEther(...NO_PERMIT),
  "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)": withTokens(sell),
  "swapTokensForExactTokens(uint256,uint256,address[],address,uint256)": withTokens(buy),
  "swapExactETHForTokens(uint256,address[],address,uint256)": sellingEther(sellAllEther),
  "swapTokensForExactETH(uint256,uint256,address[],address,uint256)": withEther(buy),
  "swapExactTokensForETH(uint256,uint256,address[],address,uint256)": withEther(sell),
  "swapETHForExactTokens(uint256,address[],address,uint256)": async (w) => {
    const path = [w.weth, w.other];
    const [value] = await w.router.getAmountsIn(AMOUNT, path);
    return { args: [AMOUNT, path, w.bob, FAR_DEADLINE], value: value! };
  },
  "swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)":
    withTokens(sell),
  "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)":
    sellingEther(sellAllEther),
  "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)":
    withEther(sell),
  "receive()": () => ({ args: [], value: 1n }),
};

/** How to call every function of the matrix, by contract and signature. */
export const CALLS: Readonly<Record<string, Readonly<Record<string, Preparation>>>> = {
  MarginPool: MARGIN_POOL,
  Rebalancer: REBALANCER,
  PriceOracle: {},
  VolatilityOracle: { "sync()": call(), "poke()": call() },
  PoolFactory: FACTORY,
  ConstantProductPool: POOL,
  Router: ROUTER,
};

/** A transaction without its sender. */
export interface Transaction {
  readonly to: string;
  readonly data: string;
  readonly value: bigint;
}

/** The transaction in which a role calls a function. */
export async function prepareCall(
  world: World,
  contract: string,
  signature: string,
  caller: HardhatEthersSigner,
): Promise<Transaction> {
  const prepare = CALLS[contract]?.[signature];
  if (prepare === undefined) throw new Error(`calls.ts does not say how to call ${signature}`);
  const { args, value = 0n, to = world.contracts[contract]! } = await prepare(world, caller);
  const data =
    signature === "receive()"
      ? "0x"
      : to.interface.encodeFunctionData(signature, await Promise.all(args.map(resolved)));
  return { to: await to.getAddress(), data, value };
}

/** Contracts and accounts by their address, also in lists. */
async function resolved(value: unknown): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map(resolved));
  if (typeof value !== "object" || value === null || !("getAddress" in value)) return value;
  return (value as { getAddress(): Promise<string> }).getAddress();
}
