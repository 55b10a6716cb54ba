import type { BaseContract } from "ethers";
import { deployProtocol } from "../../deploy/deployProtocol.ts";
import { MAX_UINT256, SECONDS_PER_BLOCK } from "../bench/conditions.ts";
import { type Call, call, createNetwork, type Deployed, GasChain } from "../bench/gasChain.ts";
import { WAD } from "../units.ts";
import { type Figures, figuresOf, type Row } from "./figures.ts";
import { atFixedTimes } from "./fixedTimes.ts";

/** Un-round, so that no two units coincide, and a band so narrow that one order of `SIZE` leaves it. */
const SETTINGS = {
  initialPrice: (194_610n * WAD) / 1_000n,
  lpEquity: 10_037_411n * WAD,
  poolQuoteDepth: 20_411_873n * WAD,
  insurance: 101_303n * WAD,
  initialTargetVolatility: WAD / 100n,
};
/** Answers of the feed, 8 decimals: first, and after a fall of 28 %: less than maintenance margin is left, but something. */
const PRICE = 19_461_000_000n;
const FALLEN_PRICE = 13_995_750_000n;
/** Base bought by the order, 18 decimals, and the margin for it, 6 decimals of quote. */
const SIZE = 4_001n * WAD;
const MARGIN = 203_007_000_000n;
const DEPOSIT = 103_411_234_567n;
const WALLET = 1_000_000_000_000_000n;
/** New shares are locked for ten minutes. */
const LOCK_SECONDS = 600;

/**
 * The main operations of the margin pool and its rebalancer, one state each: a trader goes long, the pool hedges, the
 * price falls, the trader is liquidated. Contracts must be built.
 */
export async function measureMargin(): Promise<Figures> {
  const connection = await createNetwork();
  try {
    const { result: protocol, timestamp } = await atFixedTimes(connection, () =>
      deployProtocol(connection, SETTINGS),
    );
    // The first account has deployed everything.
    const chain = await GasChain.takeOver(connection, 1, timestamp);
    const feed = await deployed(protocol.feed);
    const quote = await deployed(protocol.quote);
    const pool = await deployed(protocol.marginPool);
    const rebalancer = await deployed(protocol.rebalancer);
    return figuresOf(await measureOperations(chain, { feed, quote, pool, rebalancer }));
  } finally {
    await connection.close();
  }
}

interface MarginProtocol {
  readonly feed: Deployed;
  readonly quote: Deployed;
  readonly pool: Deployed;
  readonly rebalancer: Deployed;
}

async function measureOperations(
  chain: GasChain,
  { feed, quote, pool, rebalancer }: MarginProtocol,
): Promise<Row[]> {
  const { user, other } = chain;
  const byUser = (method: string, ...args: readonly unknown[]) =>
    chain.measure(call(pool, method, args));
  const byKeeper = (to: Deployed, method: string, ...args: readonly unknown[]) =>
    chain.measure({ ...call(to, method, args), from: other });
  const publish = (price: bigint): Promise<number[]> => chain.send(call(feed, "setPrice", [price]));
  const poke: Call = { ...call(rebalancer, "poke", []), from: other };
  const order = (size: bigint) => {
    const expiresAt = chain.timestamp + 40 * SECONDS_PER_BLOCK;
    return byUser("requestOrder", size, size > 0n ? MAX_UINT256 : 0n, expiresAt);
  };

  await chain.send(
    call(quote, "mint", [user, WALLET]),
    call(quote, "approve", [pool.address, MAX_UINT256]),
    call(quote, "mint", [pool.address, DEPOSIT]),
  );
  await publish(PRICE);
  const rows: Row[] = [
    ["skim", await byUser("skim")],
    ["deposit, first of the account", await byUser("deposit", DEPOSIT, user)],
    ["mint", await byUser("mint", DEPOSIT, user)],
    ["depositMargin, first of the account", await byUser("depositMargin", MARGIN)],
    ["depositMargin", await byUser("depositMargin", MARGIN)],
    ["withdrawMargin", await byUser("withdrawMargin", MARGIN)],
    ["requestOrder", await order(SIZE)],
  ];
  await publish(PRICE);
  rows.push(
    ["executeOrder, opens", await byKeeper(pool, "executeOrder", user)],
    ["claim", await byKeeper(pool, "claim")],
    ["poke", await chain.measure(poke)],
    ["rebalance", await byKeeper(rebalancer, "rebalance")],
    ["sync", await byKeeper(pool, "sync")],
  );
  await order(-SIZE / 10n);
  await publish(PRICE);
  rows.push(["executeOrder, reduces", await byKeeper(pool, "executeOrder", user)]);
  await order(-SIZE / 10n);
  chain.wait(LOCK_SECONDS);
  await publish(PRICE);
  rows.push(
    ["cancelOrder, expired", await byUser("cancelOrder")],
    ["redeem", await byUser("redeem", DEPOSIT, user, user)],
    ["withdraw", await byUser("withdraw", MARGIN / 100n, user, user)],
  );
  await publish(FALLEN_PRICE);
  await chain.send(poke);
  rows.push(["liquidate", await byKeeper(pool, "liquidate", user)]);
  return rows;
}

async function deployed(contract: BaseContract): Promise<Deployed> {
  return { address: await contract.getAddress(), interface: contract.interface };
}
