import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import type { NetworkConnection } from "hardhat/types/network";
import type { DeploymentSettings } from "../../deploy/deployProtocol.ts";
import * as reference from "./marginReference.ts";
import { type Book, type Market, mul, ONE, type Real, real } from "./marginReference.ts";
import {
  baseUnits,
  currentPrice,
  deployFixture,
  depositMargin,
  fundAndApprove,
  now,
  type ProtocolFixture,
  publishPrice,
  quoteUnits,
  WAD,
} from "./protocolFixture.ts";
import {
  fromBase,
  fromQuote,
  fromWad,
  nextRound,
  order,
  readBook,
  readMarket,
} from "./traderFixture.ts";

/** Token decimals every test of the last lines of defense runs with. */
export const DECIMALS = [
  { baseDecimals: 18, quoteDecimals: 6 },
  { baseDecimals: 8, quoteDecimals: 18 },
] as const;

export const NORMAL = 0n;
export const GUARDED = 1n;
export const REDUCE_ONLY = 2n;
export const DELEVERAGING = 3n;
export const SETTLED = 4n;

export const MINUTE = 60n;
export const DAY = 86_400n;

/** An inventory given by hand; amounts in whole quote x 1e18. */
export interface Inventory {
  readonly baseValue: bigint;
  readonly quoteValue: bigint;
}

/**
 * A protocol whose margin pool holds what it is told to, beside an empty constant-product pool: nothing hedges it and
 * no average price stands against orders. Volatility starts at its ceiling, so that the gap of required capital is 50 %
 * for weeks and the solvency ratio a function of price and book alone.
 */
export async function deployAlone(
  connection: NetworkConnection,
  inventory: Inventory,
  overrides: Partial<DeploymentSettings> = {},
): Promise<ProtocolFixture> {
  const f = await deployFixture(connection, {
    lpEquity: 0n,
    poolQuoteDepth: 0n,
    initialVolatility: 3n * WAD,
    ...overrides,
  });
  const price = await currentPrice(f);
  await f.marginPool
    .connect(f.owner)
    .bootstrap(
      baseUnits(f, (inventory.baseValue * WAD) / price),
      quoteUnits(f, inventory.quoteValue),
    );
  return f;
}

/** Lets `seconds` pass, publishes a round and syncs on it. */
export async function round(f: ProtocolFixture, seconds: bigint, priceWad?: bigint): Promise<void> {
  const price = priceWad ?? (await currentPrice(f));
  await f.connection.networkHelpers.time.increase(seconds);
  await publishPrice(f, price);
  await f.marginPool.connect(f.keeper).sync();
}

/** Opens or changes a position in trades the speed limit lets through, 11 minutes apart. Size in whole base x 1e18. */
export async function grow(
  f: ProtocolFixture,
  trader: HardhatEthersSigner,
  sizeWad: bigint,
  parts = 1n,
): Promise<void> {
  for (let part = 0n; part < parts; part += 1n) {
    const slice = (sizeWad * (part + 1n)) / parts - (sizeWad * part) / parts;
    const outcome = await order(f, trader, slice);
    expect(outcome.event, outcome.reason?.name).to.equal("OrderExecuted");
    expect(outcome.remaining).to.equal(0n);
    if (part + 1n < parts) await round(f, 660n);
  }
}

/** Whole quote at the index price in whole base, both x 1e18. */
export async function sizeOf(f: ProtocolFixture, notionalWad: bigint): Promise<bigint> {
  return (notionalWad * WAD) / (await currentPrice(f));
}

/** Margin in, then a position of so much notional (signed), in parts. */
export async function enter(
  f: ProtocolFixture,
  trader: HardhatEthersSigner,
  marginWad: bigint,
  notionalWad: bigint,
  parts = 1n,
): Promise<void> {
  await depositMargin(f, trader, marginWad);
  await grow(f, trader, await sizeOf(f, notionalWad), parts);
}

// ------------------------------------------------------------------- scenes

/** A pool alone with four traders; `longs` and `shorts` are all who have a position. */
export interface Scene extends ProtocolFixture {
  readonly dave: HardhatEthersSigner;
  readonly longs: readonly HardhatEthersSigner[];
  readonly shorts: readonly HardhatEthersSigner[];
}

export type Decimals = (typeof DECIMALS)[number];

async function withDave(f: ProtocolFixture): Promise<HardhatEthersSigner> {
  const dave = (await f.connection.ethers.getSigners())[5]!;
  await fundAndApprove(f, dave);
  return dave;
}

/**
 * Three longs of 57 % of equity together, one short, almost no base: SR is about 3 at 194.61 and falls as the price
 * rises.
 */
export const crowdedLongs = (connection: NetworkConnection, decimals: Decimals) =>
  async function longScene(): Promise<Scene> {
    const f = await deployAlone(
      connection,
      { baseValue: 101_303n * WAD, quoteValue: 9_936_108n * WAD },
      { ...decimals, targetBaseWeight: WAD / 5n },
    );
    const dave = await withDave(f);
    await enter(f, f.alice, 1_600_003n * WAD, 2_900_017n * WAD, 3n);
    await round(f, 660n);
    await enter(f, f.bob, 2_600_007n * WAD, 2_200_011n * WAD, 3n);
    await round(f, 660n);
    await enter(f, dave, 190_013n * WAD, 600_071n * WAD);
    await enter(f, f.carol, 1_500_011n * WAD, -400_013n * WAD);
    return { ...f, dave, longs: [f.alice, f.bob, dave], shorts: [f.carol] };
  };

/**
 * All inventory in base and three shorts: SR is about 1.3 at 194.61 and falls with the price; there is little quote to
 * pay the shorts with.
 */
export const crowdedShorts = (connection: NetworkConnection, decimals: Decimals) =>
  async function shortScene(): Promise<Scene> {
    const f = await deployAlone(
      connection,
      { baseValue: 9_703_303n * WAD, quoteValue: 304_108n * WAD },
      decimals,
    );
    const dave = await withDave(f);
    await enter(f, f.alice, 1_300_003n * WAD, -2_100_017n * WAD, 3n);
    await round(f, 660n);
    await enter(f, f.bob, 900_007n * WAD, -1_400_011n * WAD, 2n);
    await round(f, 660n);
    await enter(f, dave, 170_013n * WAD, -600_071n * WAD);
    await enter(f, f.carol, 300_011n * WAD, 200_013n * WAD);
    return { ...f, dave, longs: [f.carol], shorts: [f.alice, f.bob, dave] };
  };

// ------------------------------------------------------------------ judging

/** What the risk states look at, computed a second time from what the pool stored at its last sync. */
export interface Judgement {
  readonly book: Book;
  readonly market: Market;
  /** E_bid / R. */
  readonly ratio: Real;
  readonly equityBid: Real;
  /** |D| P shock / E. */
  readonly shockShare: Real;
  readonly at: bigint;
  readonly publishedAt: bigint;
}

export async function judge(f: ProtocolFixture): Promise<Judgement> {
  const [book, market] = [await readBook(f), await readMarket(f)];
  const [, , , publishedAt] = await f.feed.latestRoundData();
  const loss = mul(
    mul(reference.abs(reference.exposure(book, market)), market.price),
    reference.shock(market.volatility),
  );
  const equityBid = reference.equityBid(book, market);
  return {
    book,
    market,
    ratio: equityBid > 0n ? reference.solvencyRatio(book, market) : 0n,
    equityBid,
    shockShare: reference.div(loss, reference.scalingEquity(book, market)),
    at: await now(f),
    publishedAt,
  };
}

/** Price at which a book that stands still would have the ratio; SR must be monotonic between the two prices. */
export async function priceAtRatio(
  f: ProtocolFixture,
  ratio: Real,
  betterWad: bigint,
  worseWad: bigint,
): Promise<bigint> {
  const [book, market] = [await readBook(f), await readMarket(f)];
  let [good, bad] = [betterWad, worseWad];
  for (let step = 0; step < 60; step += 1) {
    const middle = (good + bad) / 2n;
    const at = { ...market, price: fromWad(middle) };
    const enough = reference.equityBid(book, at) > 0n && reference.solvencyRatio(book, at) >= ratio;
    if (enough) good = middle;
    else bad = middle;
  }
  return (good / 10n ** 10n) * 10n ** 10n; // the feed has eight decimals
}

// -------------------------------------------------------------- risk states

/** The table of risk states with its hysteresis, written down a second time as one step per sync. */
export class RiskModel {
  ratioState = NORMAL;
  exposed = false;
  since = 0n;
  /** Syncs in a row that would allow a better state: when, and which. */
  private better: { at: bigint; state: bigint }[] = [];
  private overdue = false;
  private low: bigint[] = [];
  private bankrupt: bigint[] = [];

  private enter(state: bigint, at: bigint): void {
    this.ratioState = state;
    this.since = at;
    this.better = [];
    this.overdue = false;
  }

  private static allowed(ratio: Real, margin: Real): bigint {
    if (ratio >= real("1.5") + margin) return NORMAL;
    return ratio >= real("1.25") + margin ? GUARDED : REDUCE_ONLY;
  }

  /** Rounds at least ten minutes apart, counted greedily from the first. */
  private static spaced(rounds: bigint[], next: bigint): bigint[] {
    const last = rounds.at(-1);
    return last === undefined || next >= last + 600n ? [...rounds, next] : rounds;
  }

  step({ ratio, equityBid, shockShare, at, publishedAt }: Judgement): bigint {
    const worst = RiskModel.allowed(ratio, 0n);
    if (worst > this.ratioState) this.enter(worst, at);
    else {
      if (this.ratioState === REDUCE_ONLY && at >= this.since + DAY) {
        this.enter(DELEVERAGING, at);
        this.overdue = true;
      }
      if (this.ratioState === DELEVERAGING) {
        if (ratio >= real(this.overdue ? "1.25" : "1.05"))
          this.enter(this.overdue ? GUARDED : REDUCE_ONLY, at);
      } else this.recover(RiskModel.allowed(ratio, real("0.1")), at);
    }
    this.low = ratio < ONE ? RiskModel.spaced(this.low, publishedAt) : [];
    if (this.low.length >= 2 && this.ratioState < DELEVERAGING) this.enter(DELEVERAGING, at);
    this.bankrupt = equityBid <= 0n ? RiskModel.spaced(this.bankrupt, publishedAt) : [];
    if (this.bankrupt.length >= 3) this.enter(SETTLED, at);
    this.exposed = shockShare > real(this.exposed ? "0.04" : "0.05");
    return this.state;
  }

  private recover(reached: bigint, at: bigint): void {
    if (reached >= this.ratioState) {
      this.better = [];
      return;
    }
    this.better.push({ at, state: reached });
    const first = this.better[0]!.at;
    if (this.better.length < 2 || at < first + 30n * MINUTE) return;
    const states = this.better.map(({ state }) => state);
    this.enter(
      states.reduce((a, b) => (a > b ? a : b)),
      at,
    );
  }

  get recoverySince(): bigint {
    return this.better[0]?.at ?? 0n;
  }

  get state(): bigint {
    return this.exposed && this.ratioState === NORMAL ? GUARDED : this.ratioState;
  }
}

/** Follows the pool with the model from here on: every sync is compared, state and clock. */
export class Follower {
  readonly model = new RiskModel();
  private readonly f: ProtocolFixture;

  constructor(f: ProtocolFixture, state = NORMAL, exposed = false) {
    this.f = f;
    this.model.ratioState = state;
    this.model.exposed = exposed;
  }

  /** A round `seconds` from now at a price, a sync on it, and the state it must have led to. */
  async round(seconds: bigint, priceWad?: bigint): Promise<bigint> {
    await round(this.f, seconds, priceWad);
    return this.check();
  }

  async check(): Promise<bigint> {
    const { f, model } = this;
    const seen = await judge(f);
    const expected = model.step(seen);
    const [state, since, recoverySince] = await f.marginPool.riskClock();
    const told = `SR ${seen.ratio / 10n ** 30n} ppm, D ${seen.shockShare / 10n ** 30n} ppm, bid ${seen.equityBid / ONE}`;
    expect(state, `I15: state by ratio at ${told}`).to.equal(model.ratioState);
    if (model.since !== 0n) expect(since, `since at ${told}`).to.equal(model.since);
    if (model.ratioState < DELEVERAGING) expect(recoverySince, told).to.equal(model.recoverySince);
    expect((await f.marginPool.poolState()).riskState, `state at ${told}`).to.equal(expected);
    return expected;
  }
}

// ------------------------------------------------------------- deleveraging

/** A position as exact numbers, moved by one event after the other. */
export class Tracked {
  size: Real;
  entry: Real;
  /** C of the position: min(collateral, entry notional), shrinking with it. */
  backing: Real;
  /** Funding and what deleveraging realized, to LPs. */
  owed = 0n;
  private index: bigint;

  constructor(size: Real, entry: Real, backing: Real, index: bigint) {
    this.size = size;
    this.entry = entry;
    this.backing = backing;
    this.index = index;
  }

  static async read(f: ProtocolFixture, trader: HardhatEthersSigner): Promise<Tracked> {
    const a = await f.marginPool.marginAccount(trader);
    const backing = a.collateral < a.entryNotional ? a.collateral : a.entryNotional;
    return new Tracked(
      fromBase(f, a.size),
      fromQuote(f, a.entryNotional),
      fromQuote(f, backing),
      a.fundingIndexWad,
    );
  }

  /** Longs pay, shorts receive what the index moved. */
  accrue(indexWad: bigint): void {
    this.owed += mul(this.size, fromWad(indexWad - this.index));
    this.index = indexWad;
  }

  /** A fraction is closed at a price: its profit is due from LPs, its loss to them. */
  close(fraction: Real, price: Real): void {
    const value = mul(this.size, price);
    const profit = this.size > 0n ? value - this.entry : this.entry + value;
    this.owed -= mul(profit, fraction);
    this.size = mul(this.size, ONE - fraction);
    this.entry = mul(this.entry, ONE - fraction);
    this.backing = mul(this.backing, ONE - fraction);
  }
}

/** The book after one fraction of a side was closed at the index price; what that realizes waits in its accrual. */
export function deleveraged(book: Book, market: Market, long: boolean, fraction: Real): Book {
  const left = ONE - fraction;
  const closed = mul(long ? book.longSize : book.shortSize, fraction);
  const entry = mul(long ? book.longEntry : book.shortEntry, fraction);
  const value = mul(closed, market.price);
  return long
    ? {
        ...book,
        longSize: mul(book.longSize, left),
        longEntry: mul(book.longEntry, left),
        longCollateral: mul(book.longCollateral, left),
        longAccrual: book.longAccrual - (value - entry),
      }
    : {
        ...book,
        shortSize: mul(book.shortSize, left),
        shortEntry: mul(book.shortEntry, left),
        shortCollateral: mul(book.shortCollateral, left),
        shortAccrual: book.shortAccrual - (entry - value),
      };
}

/** Least fraction that reaches the goal by 200 bisections, or the largest that still shrinks |b - K|. */
export function leastFraction(book: Book, market: Market, goal: Real): Real {
  const exposure = book.base - reference.skew(book);
  const long = exposure < 0n;
  const open = long ? book.longSize : book.shortSize;
  const most = reference.min(reference.div(reference.abs(exposure), open), real("0.99"));
  const ratio = (fraction: Real) =>
    reference.solvencyRatio(deleveraged(book, market, long, fraction), market);
  if (ratio(most) < goal) return most;
  let [low, high] = [0n, most];
  for (let step = 0; step < 200; step += 1) {
    const middle = (low + high) / 2n;
    if (ratio(middle) < goal) low = middle;
    else high = middle;
  }
  return high;
}

/** |actual - expected| in token units, at most `units` and 1e-14 of the value. */
export function expectUnits(
  actual: bigint,
  expected: Real,
  decimals: number,
  units: bigint,
  what: string,
): void {
  const unit = 10n ** BigInt(36 - decimals);
  const off = reference.abs(actual * unit - expected);
  const allowed = units * unit + reference.abs(expected) / 10n ** 14n;
  expect(
    off <= allowed,
    `${what}: ${actual} units, expected ${expected / unit}, off by ${off / unit}`,
  ).to.equal(true);
}

/** Two rounds with SR < 1 ten minutes apart. */
export async function toDeleveraging(f: ProtocolFixture, priceWad: bigint): Promise<void> {
  await round(f, 60n, priceWad);
  await round(f, 601n, priceWad);
  expect((await f.marginPool.riskClock()).state).to.equal(DELEVERAGING);
}

/** Everything the pool holds, quote and base token units. */
export async function holdings(f: ProtocolFixture): Promise<{ quote: bigint; base: bigint }> {
  return {
    quote: await f.quote.balanceOf(f.marginPool),
    base: await f.base.balanceOf(f.marginPool),
  };
}

export { nextRound };
