import { call } from "../bench/gasChain.ts";
import { WAD } from "../units.ts";
import type { Figures, Row } from "./figures.ts";
import { MARGIN_SETTINGS, MarginChain, PRICE } from "./marginChain.ts";

/** A band so narrow that one order of `SIZE` leaves it. */
const SETTINGS = { ...MARGIN_SETTINGS, initialTargetVolatility: WAD / 100n };
/**
 * Answers of the feed, 8 decimals, that leave the user less than the maintenance margin: more than half of it, and
 * later less.
 */
const FALLEN_PRICE = 18_465_000_000n;
const FALLEN_FURTHER_PRICE = 17_870_000_000n;
/** Base of the user's position, 18 decimals, and the margin for it, 6 decimals of quote: first, and to be liquidated. */
const SIZE = 4_001n * WAD;
const MARGIN = 203_007_000_000n;
const THIN_MARGIN = 55_011_000_000n;
const DEPOSIT = 103_411_234_567n;
/** Shares that cost about a unit of quote. */
const SHARES_PER_UNIT = 1_000_000n;
/** New shares are locked for ten minutes; the pool's average price is measured over thirty. */
const LOCK_SECONDS = 600;
const AVERAGE_SECONDS = 1_800;

/**
 * What LPs, traders and keepers do in a pool that is in use: the keeper has shares, a short and credits, income is on
 * its way, the pool's average price is known, and every fill and liquidation takes a sample of the volatility.
 */
export function measureMargin(): Promise<Figures> {
  return MarginChain.figures(SETTINGS, async (margin) => {
    await putToUse(margin);
    return [
      ...(await measureEntries(margin)),
      ...(await measureOrders(margin)),
      ...(await measureExits(margin)),
      ...(await measureLiquidations(margin)),
    ];
  });
}

async function putToUse(margin: MarginChain): Promise<void> {
  const { chain, keeper, pool } = margin;
  await margin.publish(PRICE);
  await chain.send(
    margin.keepers(pool, "deposit", DEPOSIT, keeper),
    margin.keepers(pool, "depositMargin", MARGIN),
  );
  await margin.fill(-SIZE / 10n, PRICE, keeper);
  for (let poked = 0; poked < 3; poked += 1) {
    chain.wait(AVERAGE_SECONDS);
    await margin.poke(PRICE);
  }
}

async function measureEntries(margin: MarginChain): Promise<Row[]> {
  const { chain, quote, pool, user } = margin;
  await chain.send(call(quote, "mint", [pool.address, DEPOSIT]));
  const rows: Row[] = [["skim", await margin.byUser("skim")]];
  await margin.publish(PRICE);
  rows.push(["deposit, first of the account", await margin.byUser("deposit", DEPOSIT, user)]);
  chain.wait(LOCK_SECONDS);
  await margin.publish(PRICE);
  rows.push(["deposit", await margin.byUser("deposit", DEPOSIT, user)]);
  chain.wait(LOCK_SECONDS);
  await margin.publish(PRICE);
  rows.push(
    ["mint", await margin.byUser("mint", DEPOSIT * SHARES_PER_UNIT, user)],
    ["depositMargin, first of the account", await margin.byUser("depositMargin", MARGIN)],
    ["depositMargin", await margin.byUser("depositMargin", MARGIN)],
    ["withdrawMargin", await margin.byUser("withdrawMargin", MARGIN)],
  );
  await margin.publish(PRICE);
  rows.push(["sync", await margin.byKeeper("sync")]);
  return rows;
}

async function measureOrders(margin: MarginChain): Promise<Row[]> {
  const { chain, rebalancer } = margin;
  const rows: Row[] = [];
  const [firstRequest, first] = await margin.fill(SIZE, PRICE);
  rows.push(
    ["requestOrder, first position", firstRequest],
    ["executeOrder, first position", first],
    ["poke", await margin.poke(PRICE)],
    ["poke, no new round", await chain.measure(margin.keepers(rebalancer, "poke"))],
    ["rebalance", await chain.measure(margin.keepers(rebalancer, "rebalance"))],
  );
  const [increaseRequest, increases] = await margin.fill(SIZE / 10n, PRICE);
  const [reduceRequest, reduces] = await margin.fill(-SIZE / 5n, PRICE);
  rows.push(
    ["requestOrder, increases", increaseRequest],
    ["executeOrder, increases", increases],
    ["requestOrder, reduces", reduceRequest],
    ["executeOrder, reduces", reduces],
    ["depositMargin, with a position", await margin.byUser("depositMargin", MARGIN)],
    ["withdrawMargin, with a position", await margin.byUser("withdrawMargin", MARGIN)],
  );
  await margin.request(-SIZE / 10n);
  chain.wait(LOCK_SECONDS);
  rows.push(["cancelOrder, expired", await margin.byUser("cancelOrder")]);
  const size = SIZE + SIZE / 10n - SIZE / 5n;
  await margin.publish(PRICE);
  const [, closes] = await margin.fill(-size, PRICE);
  rows.push(["executeOrder, closes", closes], ["claim", await margin.byKeeper("claim")]);
  return rows;
}

async function measureExits(margin: MarginChain): Promise<Row[]> {
  const { chain, pool, user, keeper } = margin;
  const shares = DEPOSIT * SHARES_PER_UNIT;
  await margin.publish(PRICE);
  const rows: Row[] = [["redeem", await margin.byUser("redeem", shares / 3n, user, user)]];
  await margin.publish(PRICE);
  rows.push(
    ["withdraw", await margin.byUser("withdraw", DEPOSIT / 3n, user, user)],
    ["transfer", await margin.byUser("transfer", keeper, shares / 100n)],
    ["approve", await margin.byUser("approve", keeper, shares)],
  );
  const moved = margin.keepers(pool, "transferFrom", user, keeper, shares / 100n);
  rows.push(["transferFrom", await chain.measure(moved)]);
  return rows;
}

async function measureLiquidations(margin: MarginChain): Promise<Row[]> {
  const { chain, pool, user } = margin;
  const [account] = await chain.read(pool, "marginAccount", [user]);
  await margin.byUser("withdrawMargin", account.collateral - THIN_MARGIN);
  await margin.fill(SIZE, PRICE);
  await margin.fill(-SIZE / 100n, PRICE, margin.keeper); // credits the keeper again
  const rows: Row[] = [];
  for (const [what, price] of [
    ["partial", FALLEN_PRICE],
    ["full", FALLEN_FURTHER_PRICE],
  ] as const) {
    await margin.publish(price);
    rows.push([`liquidate, ${what}`, await margin.byKeeper("liquidate", user)]);
    const [{ size }] = await chain.read(pool, "marginAccount", [user]);
    if ((size === 0n) !== (what === "full"))
      throw new Error(`the ${what} liquidation left a position of ${size}`);
  }
  return rows;
}
