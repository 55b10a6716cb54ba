// A pair of Uniswap V2 as published and a pool of the same two tokens, driven side by side.
import type { HardhatEthers } from "@nomicfoundation/hardhat-ethers/types";
import {
  Interface,
  id,
  type LogDescription,
  type TransactionReceipt,
  ZeroAddress,
  zeroPadValue,
} from "ethers";
import type { IPoolFactory } from "../../typechain-types/index.ts";
import { deployV2Factory, V2_FEE } from "../support/uniswapV2.ts";
import { createPool, deployFactory } from "../unit/pool/poolFixture.ts";
import { Action, type Party, type Step } from "./pairSteps.ts";

const FRIEND = "0x000000000000000000000000000000000000f121";
const FEE_TO = "0x000000000000000000000000000000000000fee0";
/** More than any sequence needs, and far below what could overflow. */
const WEALTH = 2n ** 200n;

/** Both pools of one pair of tokens, with the driver that owns everything. */
export async function deployTwins(ethers: HardhatEthers, decimalsA: bigint, decimalsB: bigint) {
  const tokenA = await ethers.deployContract("MockERC20", ["A", "A", decimalsA]);
  const tokenB = await ethers.deployContract("MockERC20", ["B", "B", decimalsB]);
  const factories: IPoolFactory[] = [
    await deployV2Factory(ethers),
    await deployFactory(ethers, V2_FEE),
  ];
  const [published, candidate] = await Promise.all(
    factories.map((factory) => createPool(ethers, factory, tokenA, tokenB)),
  );
  const pools = [published!.poolAddress, candidate!.poolAddress] as const;
  const driver = await ethers.deployContract("MockPairDriver", [...pools, FRIEND, FEE_TO]);
  for (const token of [tokenA, tokenB]) await token.mint(driver, WEALTH);
  for (const factory of factories) await factory.setFeeToSetter(driver);
  const parties: Record<Party, string> = {
    driver: await driver.getAddress(),
    friend: FRIEND,
    feeTo: FEE_TO,
    token0: await published!.token0.getAddress(),
    token1: await published!.token1.getAddress(),
    pool: pools[0],
    nobody: ZeroAddress,
  };
  return { driver, parties, pools };
}

export type Twins = Awaited<ReturnType<typeof deployTwins>>;

/** A step as the driver takes it. */
export function encode({ parties }: Twins, step: Step) {
  const none = { in0: 0n, in1: 0n, out0: 0n, out1: 0n };
  return {
    action: step.action,
    quote: step.quote ?? 0n,
    to: parties[step.to ?? "driver"],
    sharesWad: { ...none, ...step.shares },
    nudges: { ...none, ...step.nudges },
    reenter: step.reenter ?? "0x",
  };
}

/** How a step ended on one of the two. */
export interface Outcome {
  succeeded: boolean;
  /** The text or the name of the error it was refused with. */
  reason: string;
  amounts: Record<string, bigint>;
  state: Record<string, bigint>;
  /** Everything that a client can see; the two must agree. */
  facts: Record<string, unknown>;
}

/** Events of a pair; pools may have others besides. */
const EVENTS = [
  "Mint(address,uint256,uint256)",
  "Burn(address,uint256,uint256,address)",
  "Swap(address,uint256,uint256,uint256,uint256,address)",
  "Sync(uint112,uint112)",
  "Transfer(address,address,uint256)",
  "Approval(address,address,uint256)",
].map(id);

/** How each step of a block ended, on the published pair and on the pool. */
export function outcomes(
  { driver, pools }: Twins,
  errors: Interface[],
  { to, logs }: TransactionReceipt,
): [published: Outcome[], candidate: Outcome[]] {
  const found: [Outcome[], Outcome[]] = [[], []];
  const events: string[] = [];
  for (const { address, topics, data } of logs) {
    if (address === to) {
      const ended = driver.interface.parseLog({ topics, data })!;
      const outcomesOfPool = found[pools.indexOf(ended.args.pool) === 0 ? 0 : 1];
      outcomesOfPool.push(outcome(ended, events.splice(0), errors));
    } else if (pools.includes(address) && EVENTS.includes(topics[0]!)) {
      const own = zeroPadValue(address.toLowerCase(), 32);
      events.push(`${topics.map((topic) => (topic === own ? "pool" : topic))} ${data}`);
    }
  }
  return found;
}

function outcome({ args }: LogDescription, events: string[], errors: Interface[]): Outcome {
  const { succeeded, reentered } = args as unknown as { succeeded: boolean; reentered: boolean };
  const state = args.state.toObject() as Record<string, bigint>;
  const { blockTimestampLast: _, ...balances } = state;
  return {
    succeeded,
    reason: reasonOf(String(args.reason), errors),
    amounts: args.amounts.toObject() as Record<string, bigint>,
    state,
    facts: { succeeded, reentered, ...balances, events },
  };
}

/** Texts, and errors raised in assembly, which no ABI lists. */
const unlisted = new Interface([
  "error Error(string reason)",
  "error InsufficientBalance()",
  "error MulDivFailed()",
  "error FullMulDivFailed()",
  "error TransferFailed()",
]);

function reasonOf(data: string, errors: Interface[]): string {
  if (data === "0x") return "no reason";
  const found = [unlisted, ...errors].map((list) => list.parseError(data)).find(Boolean);
  return found?.name === "Error" ? String(found.args[0]) : (found?.name ?? `unknown error ${data}`);
}

export const shown = (values: unknown): string =>
  JSON.stringify(values, (_, value) => (typeof value === "bigint" ? String(value) : value));

/** One line for every fact in which the two differ after a step. `before` is how the last step had left them. */
export function differences(step: Step, now: [Outcome, Outcome], before?: [Outcome, Outcome]) {
  const [theirs, ours] = now;
  const found = Object.entries(theirs.facts)
    .map(([fact, value]) => [fact, shown(value), shown(ours.facts[fact])])
    .filter(([, expected, actual]) => expected !== actual)
    .map(([fact, expected, actual]) => `${fact}: Uniswap V2 ${expected}, pool ${actual}`);
  const time = ours.state.blockTimestampLast!;
  const times = before === undefined ? [time] : timesOf(step, theirs, before);
  if (theirs.state.blockTimestampLast !== 0n && !times.includes(time))
    found.push(`blockTimestampLast: pool ${time}, not ${times.join(" or ")}`);
  // a pool may refuse for its own reasons, but must give one where Uniswap V2 does
  if (/^(no reason|Panic)/.test(ours.reason) && theirs.reason !== "no reason")
    found.push("the pool gives no reason");
  return found.length === 0
    ? found
    : [...found, `reasons: Uniswap V2 "${theirs.reason}", pool "${ours.reason}"`];
}

/**
 * The time of the last change that the pool may report: Uniswap V2's, but for one difference. A deposit or withdrawal in the ratio
 * of the reserves leaves the pool's time as it was; here that is any that moves the price by less than a millionth.
 */
function timesOf({ action }: Step, now: Outcome, [theirs, ours]: [Outcome, Outcome]): bigint[] {
  const [time, kept] = [now.state.blockTimestampLast!, ours.state.blockTimestampLast!];
  const changing: bigint[] = [Action.Mint, Action.Burn, Action.Swap, Action.FlashSwap, Action.Sync];
  if (!now.succeeded || !changing.includes(action)) return [kept];
  const x = theirs.state.reserve0! * now.state.reserve1!;
  const y = theirs.state.reserve1! * now.state.reserve0!;
  const keepsPrice = (x > y ? x - y : y - x) * 1_000_000n < x;
  const isOfLiquidity = action === Action.Mint || action === Action.Burn;
  return isOfLiquidity && keepsPrice ? [time, kept] : [time];
}
