import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import type { BaseContract, ContractTransactionReceipt, Result } from "ethers";
import type { IMarginPool } from "../../typechain-types/contracts/interfaces/IMarginPool.ts";
import * as reference from "./marginReference.ts";
import { type Book, type Market, ONE, type Real } from "./marginReference.ts";
import {
  arbitrage,
  baseUnits,
  currentPrice,
  MAX_UINT256,
  now,
  type ProtocolFixture,
  passTime,
  publishPrice,
} from "./protocolFixture.ts";

/** `npm run test:deep` multiplies every campaign by this. */
export const CAMPAIGN_SCALE = process.env.BALLAST_DEEP === "1" ? 10 : 1;

/** Small seeded generator (mulberry32): the same campaign in every run. */
export function seededRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

// ------------------------------------------------------------ reading state

/** 18-decimal value as a real. */
export const fromWad = (wad: bigint): Real => wad * 10n ** 18n;
/** Quote token units as a real. */
export const fromQuote = ({ settings }: ProtocolFixture, amount: bigint): Real =>
  amount * 10n ** BigInt(36 - settings.quoteDecimals);
/** Base token units as a real. */
export const fromBase = ({ settings }: ProtocolFixture, amount: bigint): Real =>
  amount * 10n ** BigInt(36 - settings.baseDecimals);

/** The ledgers as stored, as reals. */
export async function readBook(f: ProtocolFixture): Promise<Book> {
  return bookOf(f, await f.marginPool.ledgers());
}

/** Ledgers as reals. */
export function bookOf(f: ProtocolFixture, l: IMarginPool.LedgersStructOutput): Book {
  const b = (amount: bigint) => fromBase(f, amount);
  const q = (amount: bigint) => fromQuote(f, amount);
  return {
    base: b(l.inventoryBase),
    quote: q(l.inventoryQuote),
    longSize: b(l.longOpenInterest),
    shortSize: b(l.shortOpenInterest),
    longEntry: q(l.longEntryNotional),
    shortEntry: q(l.shortEntryNotional),
    longCollateral: q(l.longCollateral),
    shortCollateral: q(l.shortCollateral),
    longAccrual: q(l.longAccrual),
    shortAccrual: q(l.shortAccrual),
    premium: q(l.skewPremium),
    income: q(l.pendingIncome),
    claims: q(l.unpaidClaims),
  };
}

/** Price, volatility and band as the next action will see them. phi before the first rebalance: half a round trip. */
export async function readMarket(f: ProtocolFixture): Promise<Market> {
  const s = await f.marginPool.snapshot();
  return {
    price: fromWad(s.indexPriceWad),
    band: fromWad(f.settings.priceBand),
    volatility: fromWad(s.volatilityWad),
    depth: fromWad(s.depthBaseWad),
    unwindCost: s.unwindCostPpm * 10n ** 30n,
    outerBand: fromWad(s.outerBandWad),
    hedgeRate: reference.clamp(s.unwindCostPpm * 5n * 10n ** 29n, ONE / 1_000n, ONE / 200n),
    weight: fromWad(f.settings.targetBaseWeight),
  };
}

/** Book, market and rate brought to an instant, and the funding per base since the last sync. */
export async function modelAt(f: ProtocolFixture, at: bigint) {
  const [, rateWad, lastSyncAt] = await f.marginPool.funding();
  const [stored, market] = [await readBook(f), await readMarket(f)];
  const elapsed = at - lastSyncAt;
  const advanced = reference.advance(stored, market, fromWad(rateWad), elapsed);
  const start = fromBase(f, await f.marginPool.skewReference());
  const skewReference = reference.skewReference(stored, market, start, elapsed);
  return { stored, market, elapsed, skewReference, ...advanced };
}

// ---------------------------------------------------------------- comparing

/** Tolerance: token units for rounding, and 1e-12 of the value for the contracts' 18 decimals. */
function expectWithin(
  actual: bigint,
  expected: Real,
  decimals: number,
  units: bigint,
  what: string,
): void {
  const unit = 10n ** BigInt(36 - decimals);
  const tolerance = units * unit + reference.abs(expected) / 10n ** 12n + 10n ** 27n;
  const difference = reference.abs(actual * unit - expected);
  expect(
    difference <= tolerance,
    `${what}: ${actual} units, expected ${expected / unit} (differs by ${difference / unit})`,
  ).to.equal(true);
}

export const expectQuote = (
  f: ProtocolFixture,
  actual: bigint,
  expected: Real,
  what: string,
  units = 2n,
): void => expectWithin(actual, expected, f.settings.quoteDecimals, units, what);
export const expectBase = (
  f: ProtocolFixture,
  actual: bigint,
  expected: Real,
  what: string,
  units = 2n,
): void => expectWithin(actual, expected, f.settings.baseDecimals, units, what);
export const expectWad = (actual: bigint, expected: Real, what: string): void =>
  expectWithin(actual, expected, 18, 1_000n, what);

// ----------------------------------------------------------------- ordering

/** What became of an order when it was executed. */
export interface Outcome {
  event: string;
  filled: IMarginPool.FillStructOutput | undefined;
  remaining: bigint;
  /** Name and arguments of the error for which the order was removed. */
  reason: { name: string; args: Result } | undefined;
}

/** Reads the outcome out of a receipt. */
export function outcomeOf(f: ProtocolFixture, receipt: ContractTransactionReceipt): Outcome {
  for (const log of receipt.logs) {
    const parsed = f.marginPool.interface.parseLog(log);
    if (parsed === null || !parsed.name.startsWith("Order")) continue;
    const failed = parsed.name === "OrderFailed";
    const error = failed ? f.marginPool.interface.parseError(parsed.args[3] as string) : null;
    const executed = parsed.name === "OrderExecuted";
    return {
      event: parsed.name,
      filled: executed ? (parsed.args[2] as IMarginPool.FillStructOutput) : undefined,
      remaining: executed ? (parsed.args[3] as bigint) : 0n,
      reason: error === null ? undefined : { name: error.name, args: error.args },
    };
  }
  throw new Error("the transaction emitted no order event");
}

export interface OrderOptions {
  /** The round the order fills at; the latest price again unless given. */
  price?: bigint;
  /** Worst fill price; any unless given. */
  limit?: bigint;
  /** When the execution's block is mined. */
  at?: bigint;
}

/** Queues an order for 590 seconds. Size in whole tokens x 1e18. */
export async function request(
  f: ProtocolFixture,
  trader: HardhatEthersSigner,
  sizeWad: bigint,
  limit = sizeWad > 0n ? MAX_UINT256 : 0n,
): Promise<void> {
  const expiresAt = (await now(f)) + 590n;
  await f.marginPool.connect(trader).requestOrder(baseUnits(f, sizeWad), limit, expiresAt);
}

/** A transaction without waiting for its receipt: several times faster, for campaigns. Throws when it reverts. */
export async function send(
  f: ProtocolFixture,
  from: HardhatEthersSigner,
  contract: BaseContract,
  method: string,
  args: readonly unknown[],
): Promise<void> {
  const data = contract.interface.encodeFunctionData(method, args);
  const call = { from: from.address, to: await contract.getAddress(), data, gas: "0x1e8480" };
  await f.connection.ethers.provider.send("eth_sendTransaction", [call]);
}

/** The next round, five seconds later. */
export async function nextRound(f: ProtocolFixture, price?: bigint): Promise<void> {
  const priceWad = price ?? (await currentPrice(f));
  await f.connection.networkHelpers.time.increase(5);
  await publishPrice(f, priceWad);
}

/** Executes a queued order. */
export async function execute(
  f: ProtocolFixture,
  trader: HardhatEthersSigner,
  at?: bigint,
): Promise<Outcome> {
  if (at !== undefined) await f.connection.networkHelpers.time.setNextBlockTimestamp(at);
  const sent = await f.marginPool.connect(f.keeper).executeOrder(trader);
  return outcomeOf(f, (await sent.wait())!);
}

/** Requests, publishes the next round and executes. */
export async function order(
  f: ProtocolFixture,
  trader: HardhatEthersSigner,
  sizeWad: bigint,
  { price, limit, at }: OrderOptions = {},
): Promise<Outcome> {
  await request(f, trader, sizeWad, limit);
  await nextRound(f, price);
  return execute(f, trader, at);
}

/** Grows a position by trades the speed limit lets through; the pool hedges in between when `hedged`. */
export async function build(
  f: ProtocolFixture,
  trader: HardhatEthersSigner,
  sizeWad: bigint,
  parts: bigint,
  hedged = false,
): Promise<void> {
  for (let part = 0n; part < parts; part += 1n) {
    const slice = (sizeWad * (part + 1n)) / parts - (sizeWad * part) / parts;
    const outcome = await order(f, trader, slice);
    expect(outcome.event, outcome.reason?.name).to.equal("OrderExecuted");
    expect(outcome.remaining).to.equal(0n);
    if (hedged) await hedge(f);
    await passTime(f, 660n);
  }
}

/** Rebalances chunk by chunk, arbitrage and time in between, until nothing is due. */
export async function hedge(f: ProtocolFixture): Promise<void> {
  for (let tries = 0; tries < 40; tries += 1) {
    await arbitrage(f);
    await f.marginPool.sync();
    const plan = await f.rebalancer.previewRebalance();
    if (plan.outsideSince === 0n) return;
    try {
      await f.rebalancer.connect(f.keeper).rebalance();
    } catch {
      await passTime(f, 200n); // not due yet, or the pool still short of the minimum output
    }
  }
  throw new Error("the pool could not be hedged");
}

/**
 * Requests an order, publishes the next round, executes it and compares every number of the fill, the account and the
 * ledgers with the reference.
 *
 * @param options `olderThanRound`: the part of the skew a rebate is paid for, base as a real; all of it unless given.
 * `sameRound`: executes an order that is already queued, without another round.
 */
export async function checkedFill(
  f: ProtocolFixture,
  trader: HardhatEthersSigner,
  sizeWad: bigint,
  options: OrderOptions & { olderThanRound?: Real; sameRound?: boolean } = {},
): Promise<reference.Costs & { realized: Real; owed: Real; stateBefore: bigint }> {
  if (options.sameRound !== true) {
    await request(f, trader, sizeWad, options.limit);
    await nextRound(f, options.price);
  }
  const { marginPool } = f;
  const size = fromBase(f, baseUnits(f, sizeWad));
  const at = options.at ?? (await now(f)) + 3n;
  const account = await marginPool.marginAccount(trader);
  const { book, market, perBase, skewReference } = await modelAt(f, at);
  const [indexWad] = await marginPool.funding();
  const insurance = fromQuote(f, (await marginPool.ledgers()).insuranceFund);
  const old = options.olderThanRound ?? reference.skew(book);
  // the exposure's latch opens later than it closes
  const latched = (await marginPool.snapshot()).riskState === 1n;
  const stateBefore = reference.riskState(book, market, latched);
  const costs = reference.fillCosts(book, market, size, old, stateBefore);

  // the position
  const held = fromBase(f, account.size);
  const entry = fromQuote(f, account.entryNotional);
  const owed = reference.mul(held, fromWad(indexWad - account.fundingIndexWad) + perBase);
  const reduces = (held > 0n && size < 0n) || (held < 0n && size > 0n);
  const closed = reduces ? reference.min(reference.abs(size), reference.abs(held)) : 0n;
  const released =
    held === 0n ? 0n : reference.div(reference.mul(entry, closed), reference.abs(held));
  const closedValue = reference.mul(closed, costs.side);
  const realized = held > 0n ? closedValue - released : released - closedValue;
  const opened = reference.mul(reference.abs(size) - closed, costs.side);
  const entryAfter = entry - released + opened;
  const cash = realized - owed - costs.paid + costs.rebate - costs.fee - costs.hedge;
  const collateralAfter = fromQuote(f, account.collateral) + cash;

  const outcome = await execute(f, trader, at);
  expect(outcome.event, outcome.reason?.name).to.equal("OrderExecuted");
  expect(outcome.remaining).to.equal(0n);
  const filled = outcome.filled!;
  expect(filled.sizeDelta).to.equal(baseUnits(f, sizeWad));
  expectQuote(f, filled.realizedProfit, realized, "realized profit", 3n);
  expectQuote(f, filled.fundingPaid, owed, "funding paid", 3n);
  expectQuote(f, filled.premium, costs.paid - costs.rebate, "premium");
  expectQuote(f, filled.takerFee, costs.fee, "taker fee");
  expectQuote(f, filled.hedgeCharge, costs.hedge, "hedge charge");
  // a quote unit of rounding, spread over the size
  const perUnit =
    reference.div(3n * fromQuote(f, 1n), reference.abs(size)) / 10n ** 18n + 10n ** 6n;
  expect(
    reference.abs(filled.fillPriceWad - costs.fillPrice / 10n ** 18n) <= perUnit,
    `fill price ${filled.fillPriceWad}, expected ${costs.fillPrice / 10n ** 18n}`,
  ).to.equal(true);

  const after = await marginPool.marginAccount(trader);
  expect(after.size).to.equal(account.size + baseUnits(f, sizeWad));
  expectQuote(f, after.entryNotional, entryAfter, "entry notional", 3n);
  expectQuote(f, after.collateral, collateralAfter, "collateral", 6n);
  expect(
    fromQuote(f, after.collateral) <= collateralAfter + reference.abs(collateralAfter) / 10n ** 12n,
    "rounding favored the trader",
  ).to.equal(true);

  // the ledgers
  const [next, ledgers] = [await readBook(f), await marginPool.ledgers()];
  const sides = (amount: Real, of: Real, long: boolean) =>
    of > 0n === long && of !== 0n ? amount : 0n;
  const heldAfter = held + size;
  const units = fromQuote(f, 6n) + book.quote / 10n ** 12n;
  const expected: Partial<Book> = {
    base: book.base,
    quote: book.quote - (realized - owed),
    longSize: book.longSize - sides(held, held, true) + sides(heldAfter, heldAfter, true),
    shortSize: book.shortSize + sides(held, held, false) - sides(heldAfter, heldAfter, false),
    longEntry: book.longEntry - sides(entry, held, true) + sides(entryAfter, heldAfter, true),
    shortEntry: book.shortEntry - sides(entry, held, false) + sides(entryAfter, heldAfter, false),
    premium: costs.kept + costs.paid,
    income:
      book.income +
      (book.premium - costs.kept - costs.rebate) +
      reference.mul(reference.real("0.9"), costs.fee) +
      costs.hedge,
  };
  // what rounding left in an emptied side is dropped
  expected.longAccrual = expected.longSize === 0n ? 0n : book.longAccrual - sides(owed, held, true);
  expected.shortAccrual =
    expected.shortSize === 0n ? 0n : book.shortAccrual - sides(owed, held, false);
  for (const [name, value] of Object.entries(expected)) {
    const actual = next[name as keyof Book];
    expect(
      reference.abs(actual - value) <= units,
      `ledger ${name}: ${actual}, expected ${value}`,
    ).to.equal(true);
  }
  expectQuote(f, ledgers.insuranceFund, insurance + costs.fee / 10n, "insurance");
  const skewAfter = reference.skew(book) + size;
  const sameSign = skewAfter > 0n === skewReference > 0n;
  const kept = sameSign
    ? reference.min(reference.abs(skewReference), reference.abs(skewAfter))
    : 0n;
  expectBase(
    f,
    await marginPool.skewReference(),
    skewReference < 0n ? -kept : kept,
    "skew reference",
  );
  return { ...costs, realized, owed, stateBefore };
}

// ------------------------------------------------------------------- wealth

/** Everybody whose accounts the helpers below look at: the given traders and the fixture's own accounts. */
function everybody(
  f: ProtocolFixture,
  traders: readonly HardhatEthersSigner[],
): readonly HardhatEthersSigner[] {
  const known = [...traders, f.owner, f.alice, f.bob, f.carol, f.keeper];
  return [...new Map(known.map((signer) => [signer.address, signer])).values()];
}

/** Escrowed execution fees and credits of all known accounts, quote token units. */
async function escrowAndCredits(
  f: ProtocolFixture,
  traders: readonly HardhatEthersSigner[],
): Promise<bigint> {
  const fee = await f.marginPool.executionFee();
  const parts = await Promise.all(
    everybody(f, traders).map(async (who) => {
      const { requestedAt } = await f.marginPool.order(who);
      return (requestedAt === 0n ? 0n : fee) + (await f.marginPool.creditedOf(who));
    }),
  );
  return parts.reduce((sum, part) => sum + part, 0n);
}

/** Everything LPs, traders, insurance, J, S, the escrow and the credited own at the index price, quote units (I3). */
export async function totalWealth(
  f: ProtocolFixture,
  traders: readonly HardhatEthersSigner[],
): Promise<bigint> {
  // ledgers are as of the last sync, views as of now: the same instant for both
  await f.marginPool.sync();
  const ledgers = await f.marginPool.ledgers();
  const state = await f.marginPool.poolState();
  let total = state.equity + ledgers.skewPremium + ledgers.pendingIncome + ledgers.insuranceFund;
  total += await escrowAndCredits(f, traders);
  for (const trader of traders) total += await traderWealth(f, trader);
  return total;
}

/** An account's equity and what it is still owed, quote token units. */
export async function traderWealth(
  f: ProtocolFixture,
  trader: HardhatEthersSigner,
): Promise<bigint> {
  const { equity } = await f.marginPool.position(trader);
  return equity + (await f.marginPool.marginAccount(trader)).unpaidClaim;
}

/**
 * I1 and I2: ledgers are covered by balances, aggregates are the sums of positions, and the quote in custody is the
 * free margin of all accounts with escrowed fees and credits. All of it is added up from accounts, orders and
 * `creditedOf`.
 *
 * @param traders whoever else has an account, an order or a credit besides the fixture's own accounts
 * @param deleveraged after deleveragings: positions are those of the `position` view (it needs a good price), and the
 * aggregates may be above their sums by what rounding leaves, a few units an account and deleveraging
 */
export async function expectBooksBalance(
  f: ProtocolFixture,
  traders: readonly HardhatEthersSigner[],
  deleveraged = 0n,
): Promise<void> {
  const accounts = everybody(f, traders);
  const l = await f.marginPool.ledgers();
  const sums = { size: [0n, 0n], entry: [0n, 0n], collateral: [0n, 0n], claims: 0n };
  let free = await escrowAndCredits(f, traders);
  const stored = await Promise.all(accounts.map((who) => f.marginPool.marginAccount(who)));
  for (const [i, a] of stored.entries()) {
    sums.claims += a.unpaidClaim;
    free += a.collateral;
    if (a.size === 0n) continue;
    const { size, entryNotional } =
      deleveraged === 0n ? a : await f.marginPool.position(accounts[i]!);
    const side = a.size > 0n ? 0 : 1;
    sums.size[side]! += reference.abs(size);
    sums.entry[side]! += entryNotional;
    // what a position could lose backs it, the rest is free; a deleveraging frees the same fraction of both
    const whole = a.collateral < a.entryNotional ? a.collateral : a.entryNotional;
    const backing =
      entryNotional === a.entryNotional ? whole : (whole * entryNotional) / a.entryNotional;
    sums.collateral[side]! += backing;
  }
  const aggregates = {
    size: [l.longOpenInterest, l.shortOpenInterest],
    entry: [l.longEntryNotional, l.shortEntryNotional],
    collateral: [l.longCollateral, l.shortCollateral],
    claims: l.unpaidClaims,
  };
  if (deleveraged === 0n) {
    expect(sums, "I2: sum of positions = aggregates").to.deep.equal(aggregates);
  } else {
    const slack = 3n * deleveraged * BigInt(accounts.length);
    expect(sums.claims, "I2: claims").to.equal(aggregates.claims);
    for (const name of ["size", "entry", "collateral"] as const) {
      for (const side of [0, 1] as const) {
        const excess = aggregates[name][side]! - sums[name][side]!;
        // backing is rebuilt here from rounded entry notionals, so it may miss on either side
        const least = name === "collateral" ? -slack : 0n;
        expect(
          excess >= least && excess <= slack,
          `I2: ${name} of side ${side} is off by ${excess}`,
        ).to.equal(true);
      }
    }
  }
  // What stands behind positions is part of the collaterals that were added up.
  expect(l.custodyQuote, "I2: custody = free margin + escrow + credits").to.equal(
    free - l.longCollateral - l.shortCollateral,
  );
  const owed =
    l.inventoryQuote +
    l.longCollateral +
    l.shortCollateral +
    l.skewPremium +
    l.pendingIncome +
    l.insuranceFund +
    l.custodyQuote;
  expect(await f.quote.balanceOf(f.marginPool), "I1: quote ledgers <= balance").to.be.gte(owed);
  expect(await f.base.balanceOf(f.marginPool), "I1: base ledger <= balance").to.be.gte(
    l.inventoryBase,
  );
}

/** One whole base as a real; sizes in tests read `3n * BASE`. */
export const BASE = ONE;
