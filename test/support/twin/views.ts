import type { Interface } from "ethers";
import { type ContractError, Revert } from "../../../src/math/revert.ts";
import type { Address } from "../../../src/model/calls.ts";
import * as model from "../../../src/model/views.ts";
import type { World } from "../../../src/model/world.ts";
import { revertDataOf } from "../../../src/simulation/evmChain.ts";
import { decodeError, plain } from "./abi.ts";
import { type Difference, differenceOf } from "./compare.ts";
import type { Deployment } from "./deployment.ts";

/** Whom and how much the views are asked about. */
export interface Question {
  readonly account: Address;
  readonly amount: bigint;
}

type Contract = "marginPool" | "rebalancer" | "pool" | "volatilityOracle" | "priceOracle";

/** One view on both sides. Several results are a list, in the order of the interface. */
interface View {
  readonly contract: Contract;
  readonly method: string;
  readonly args: (question: Question, deployment: Deployment) => readonly unknown[];
  readonly ofModel: (world: World, question: Question) => unknown;
}

const nothing = (): readonly unknown[] => [];
const account = (question: Question): readonly unknown[] => [question.account];
const amount = (question: Question): readonly unknown[] => [question.amount];
const values = (record: object): readonly unknown[] => Object.values(record);

/** A view of a contract under the same name in the model. */
function view(
  contract: Contract,
  method: string,
  args: View["args"],
  ofModel: View["ofModel"],
): View {
  return { contract, method, args, ofModel };
}

const pool = (method: string, args: View["args"], ofModel: View["ofModel"]): View =>
  view("marginPool", method, args, ofModel);

export const VIEWS: readonly View[] = [
  pool("poolState", nothing, model.poolState),
  pool("snapshot", nothing, model.snapshot),
  pool("ledgers", nothing, model.ledgers),
  pool("funding", nothing, (world) => values(model.funding(world))),
  pool("skewReference", nothing, model.skewReference),
  pool("badDebt", nothing, model.badDebt),
  pool("riskClock", nothing, (world) => values(model.riskClock(world))),
  pool("settlement", nothing, model.settlement),
  pool("parameters", nothing, (world) => values(model.parameters(world))),
  pool("executionFee", nothing, model.executionFee),
  pool("position", account, (world, q) => model.position(world, q.account)),
  pool("marginAccount", account, (world, q) => model.marginAccount(world, q.account)),
  pool("order", account, (world, q) => model.order(world, q.account)),
  pool("creditedOf", account, (world, q) => model.creditedOf(world, q.account)),
  pool("shareLock", account, (world, q) => values(model.shareLock(world, q.account))),
  pool("previewOrder", account, (world, q) => {
    const { filled, failure } = model.previewOrder(world, q.account);
    return [filled, failure];
  }),
  pool("totalAssets", nothing, model.totalAssets),
  pool("convertToShares", amount, (world, q) => model.convertToShares(world, q.amount)),
  pool("convertToAssets", amount, (world, q) => model.convertToAssets(world, q.amount)),
  pool("previewDeposit", amount, (world, q) => model.previewDeposit(world, q.amount)),
  pool("previewMint", amount, (world, q) => model.previewMint(world, q.amount)),
  pool("previewWithdraw", amount, (world, q) => model.previewWithdraw(world, q.amount)),
  pool("previewRedeem", amount, (world, q) => model.previewRedeem(world, q.amount)),
  pool("maxDeposit", account, model.maxDeposit),
  pool("maxMint", account, model.maxMint),
  pool("maxWithdraw", account, (world, q) => model.maxWithdraw(world, q.account)),
  pool("maxRedeem", account, (world, q) => model.maxRedeem(world, q.account)),
  pool("balanceOf", account, (world, q) => model.balanceOf(world, "marginPool", q.account)),
  view("rebalancer", "previewRebalance", nothing, model.previewRebalance),
  view("rebalancer", "bandState", nothing, (world) => values(model.bandState(world))),
  view("pool", "swapFee", nothing, model.swapFee),
  view("pool", "getReserves", nothing, (world) => values(model.getReserves(world))),
  view("pool", "observe", nothing, (world) => values(model.observe(world))),
  view(
    "pool",
    "getAmountOut",
    (q, { contracts }) => [contracts.base.address, q.amount],
    (world, q) => model.getAmountOut(world, world.config.addresses.base, q.amount),
  ),
  view(
    "pool",
    "getAmountIn",
    (q, { contracts }) => [contracts.base.address, q.amount],
    (world, q) => model.getAmountIn(world, world.config.addresses.base, q.amount),
  ),
  view("pool", "balanceOf", account, (world, q) => model.liquidityOf(world, q.account)),
  view("volatilityOracle", "preview", nothing, model.market),
  view("priceOracle", "latestPrice", nothing, (world) => values(model.latestPrice(world))),
  view("priceOracle", "isGood", nothing, model.isPriceGood),
];

/** What a view came to: its result, or the error it reverted with. */
type Answer = { readonly value: unknown } | { readonly error: ContractError };

/**
 * Asks the contracts and the model the same at a time after the last block.
 *
 * @param at unix seconds
 * @param names of addresses, for the path
 * @returns the first view that differs, and how many of them answered and reverted
 */
export async function compareViews(
  deployment: Deployment,
  world: World,
  at: bigint,
  question: Question,
  names: ReadonlyMap<string, string>,
): Promise<{
  readonly difference: Difference | undefined;
  readonly answered: ReadonlySet<string>;
}> {
  const { provider } = deployment.connection;
  const answered = new Set<string>();
  for (const one of VIEWS) {
    await provider.request({ method: "evm_setNextBlockTimestamp", params: [Number(at)] });
    const chain = await onChain(deployment, one, question);
    const own = inModel(world, at, one, question);
    const path = `${one.contract}.${one.method}`;
    const difference = differenceOf(chain, own, path, names);
    if (difference !== undefined) return { difference, answered };
    if ("value" in chain) answered.add(path);
  }
  return { difference: undefined, answered };
}

async function onChain(
  deployment: Deployment,
  { contract, method, args }: View,
  question: Question,
): Promise<Answer> {
  const { connection, contracts, protocol } = deployment;
  const { priceOracle } = protocol;
  const { address, interface: abi } =
    contract === "priceOracle"
      ? { address: await priceOracle.getAddress(), interface: priceOracle.interface }
      : contracts[contract];
  const data = abi.encodeFunctionData(method, args(question, deployment));
  try {
    const result: unknown = await connection.provider.request({
      method: "eth_call",
      params: [{ to: address, data }, "pending"],
    });
    return { value: decoded(deployment, abi, method, String(result)) };
  } catch (thrown) {
    const reverted = revertDataOf(thrown);
    if (reverted === "0x") throw thrown;
    return { error: decodeError(contracts, reverted) };
  }
}

/** One result as it is, several as a list. Bytes are an error's. */
function decoded({ contracts }: Deployment, abi: Interface, method: string, data: string): unknown {
  const results = abi.decodeFunctionResult(method, data);
  const all = abi.getFunction(method)!.outputs.map((type, i) => {
    if (type.type !== "bytes") return plain(type, results[i]);
    return results[i] === "0x" ? undefined : decodeError(contracts, results[i]);
  });
  return all.length === 1 ? all[0] : all;
}

function inModel(world: World, at: bigint, { ofModel }: View, question: Question): Answer {
  try {
    return { value: model.viewAt(world, at, (then) => ofModel(then, question)) };
  } catch (thrown) {
    if (!(thrown instanceof Revert)) throw thrown;
    return { error: thrown.error };
  }
}
