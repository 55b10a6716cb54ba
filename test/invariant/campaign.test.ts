import { expect } from "chai";
import type { LogDescription } from "ethers";
import { network } from "hardhat";
import type { IMarginPool } from "../../typechain-types/contracts/interfaces/IMarginPool.ts";
import type { Book, Market, Real } from "../support/marginReference.ts";
import * as reference from "../support/marginReference.ts";
import {
  arbitrage,
  currentPrice,
  deployFixture,
  depositMargin,
  fundAndApprove,
  INDEX_PRICE,
  passTime,
  publishPrice,
  WAD,
} from "../support/protocolFixture.ts";
import {
  bookOf,
  CAMPAIGN_SCALE,
  fromBase,
  fromQuote,
  fromWad,
  seededRandom,
} from "../support/traderFixture.ts";
import { act, type Cast, endOf, eventsOf, handlersOf, type Random, Refused } from "./actors.ts";
import { bankRun, bury, recover } from "./endings.ts";
import {
  type Crowd,
  expectCovered,
  expectHealthyAreSafe,
  expectHysteresis,
  expectOrdered,
  expectSums,
  grain,
  holdingsOf,
  look,
  type Person,
  type Picture,
  STATES,
  stateOf,
  wealthOf,
  withLens,
} from "./picture.ts";

const connection = await network.create();
const { loadFixture, takeSnapshot } = connection.networkHelpers;

/** Successful calls of every action and pictures of every state, over all runs. */
const counts = new Map<string, number>();
const reached = new Map<string, number>();
const tally = (map: Map<string, number>, name: string) => map.set(name, (map.get(name) ?? 0) + 1);
const summary = (map: Map<string, number>) =>
  [...map].map(([name, count]) => `${name} ${count}`).join(", ");

/** What happens often, so that positions exist. */
const OFTEN = [
  ...["open", "open", "open", "open", "execute", "execute", "execute", "execute", "execute"],
  ...[
    "close",
    "close",
    "squeeze",
    "liquidate",
    "autoDeleverage",
    "withdraw",
    "tick",
    "wait",
    "rebalance",
  ],
];
/** What seldom happens, or nothing else would. */
const SELDOM = new Set(["silence", "badRound", "pause", "gap", "phase", "settle"]);

/** Sums over a run that the invariants speak of. */
interface Run {
  readonly f: Crowd;
  readonly cast: Cast;
  readonly executionFee: bigint;
  readonly startBlock: number;
  donatedQuote: bigint;
  donatedBase: bigint;
  premiums: bigint;
  rebates: bigint;
  deleveragings: bigint;
}

async function populate(settings: Parameters<typeof deployFixture>[1]): Promise<[Crowd, Cast]> {
  const f = await deployFixture(connection, { lpEquity: 1_003_741n * WAD, ...settings });
  const signers = await connection.ethers.getSigners();
  const traders = signers.slice(5, 11);
  const lps = [f.owner, ...signers.slice(11, 13)];
  for (const who of [...traders, ...lps]) await fundAndApprove(f, who);
  for (const [i, who] of traders.entries()) {
    await depositMargin(f, who, BigInt(30_011 + 17_003 * i) * WAD);
  }
  const people = [...traders, ...lps, f.keeper];
  return [await withLens(f, people), { traders, lps, keeper: f.keeper, guardian: f.owner }];
}

/** Longs as large as the speed limit and the margin allow, nothing hedged, then gaps against the pool. */
async function crash(run: Run, gaps: readonly bigint[]): Promise<void> {
  const { f, cast } = run;
  for (let turn = 0; turn < 6; turn += 1) {
    const who = cast.traders[turn % cast.traders.length]!;
    await depositMargin(f, who, 150_007n * WAD);
    const size = (90_003n * WAD * 10n ** BigInt(f.settings.baseDecimals)) / INDEX_PRICE;
    const until = BigInt(await connection.networkHelpers.time.latest()) + 599n;
    await act(f, who, f.marginPool, "requestOrder", [size, 2n ** 127n, until]);
    await connection.networkHelpers.time.increase(5);
    await publishPrice(f, await currentPrice(f));
    await act(f, f.keeper, f.volatilityOracle, "poke");
    const hash = await act(f, f.keeper, f.marginPool, "executeOrder", [who.address]);
    for (const { name, args } of await eventsOf(f, hash)) {
      const filled =
        name === "OrderExecuted" ? (args[2] as IMarginPool.FillStructOutput) : undefined;
      if (filled !== undefined && filled.premium > 0n) run.premiums += filled.premium;
    }
    await passTime(f, 610n);
    // the first gap makes the pool Guarded, where openings go on
    if (turn !== 1) continue;
    await publishPrice(f, ((await currentPrice(f)) * 115n) / 100n);
    await arbitrage(f);
    await passTime(f, 3_700n);
  }
  for (const permille of gaps) {
    await connection.networkHelpers.time.increase(601);
    await publishPrice(f, ((await currentPrice(f)) * permille) / 1_000n);
    await act(f, f.keeper, f.marginPool, "sync");
    tally(reached, stateOf(await look(f)));
  }
}

const marketOf = (f: Crowd, p: Picture): Market => ({
  price: fromWad(p.snapshot.indexPriceWad),
  band: fromWad(f.settings.priceBand),
  volatility: fromWad(p.snapshot.volatilityWad),
  depth: fromWad(p.snapshot.depthBaseWad),
  unwindCost: p.snapshot.unwindCostPpm * 10n ** 30n,
  outerBand: fromWad(p.snapshot.outerBandWad),
  hedgeRate: p.snapshot.hedgeRatePpm * 10n ** 30n,
  weight: fromWad(f.settings.targetBaseWeight),
});

/** The book after a fraction of one side was closed at the price. */
function deleveraged(book: Book, price: Real, long: boolean, fraction: Real): Book {
  const part = (value: Real) => reference.mul(value, fraction);
  if (long) {
    const profit = part(reference.mul(book.longSize, price) - book.longEntry);
    return {
      ...book,
      longSize: book.longSize - part(book.longSize),
      longEntry: book.longEntry - part(book.longEntry),
      longCollateral: book.longCollateral - part(book.longCollateral),
      longAccrual: book.longAccrual - profit,
    };
  }
  const profit = part(book.shortEntry - reference.mul(book.shortSize, price));
  return {
    ...book,
    shortSize: book.shortSize - part(book.shortSize),
    shortEntry: book.shortEntry - part(book.shortEntry),
    shortCollateral: book.shortCollateral - part(book.shortCollateral),
    shortAccrual: book.shortAccrual - profit,
  };
}

/** I19. */
function expectLeastDeleveraging(run: Run, before: Picture, event: LogDescription): void {
  const { f } = run;
  const [, long, , fraction, , , ratioBefore, ratioAfter] = event.args.toArray() as [
    string,
    boolean,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const [book, market] = [bookOf(f, before.ledgers), marketOf(f, before)];
  const exposure = book.base - reference.skew(book);
  expect(long, "I19: deleveraging closes the side whose closing shrinks |b - K|").to.equal(
    exposure < 0n,
  );
  const after = deleveraged(book, market.price, long, fromWad(fraction));
  const left = after.base - reference.skew(after);
  expect(
    reference.abs(left) <= reference.abs(exposure) &&
      (left === 0n || left > 0n === exposure > 0n || reference.abs(left) < 10n ** 24n),
    `I19: it does not cross b = K: ${exposure} became ${left}`,
  ).to.equal(true);
  expect(ratioAfter > ratioBefore, `I19: it raises SR: ${ratioBefore} to ${ratioAfter}`).to.equal(
    true,
  );
  // a hundredth less would have missed the goal
  const less = (fromWad(fraction) * 99n) / 100n;
  const missed = reference.solvencyRatio(deleveraged(book, market.price, long, less), market);
  const goal = reference.real("1.2501");
  expect(
    missed < goal,
    `I19: no more than needed: SR ${missed} with less than ${fraction}`,
  ).to.equal(true);
}

/** I17. */
function expectLiquidation(
  before: Picture,
  after: Picture,
  who: number,
  event: LogDescription,
): void {
  const l = event.args[2] as IMarginPool.LiquidationStructOutput;
  const { position } = after.people[who]!;
  const debt = after.badDebt - before.badDebt;
  expect(debt, "I17: bad debt is recorded").to.equal(l.badDebt);
  tally(counts, l.size === 0n ? "liquidated in full" : "liquidated in part");
  if (l.size === 0n) return;
  // equity / size, at one price: cross-multiplied
  const whole = reference.abs(l.size + l.closed);
  expect(
    position.equity * whole > l.equity * reference.abs(l.size),
    `I17: a liquidation raises the margin ratio or closes: ${l.equity} for ${whole}, ${position.equity} for ${l.size}`,
  ).to.equal(true);
  expect(l.badDebt, "I17: a partial liquidation leaves no bad debt").to.equal(0n);
}

/** I16 and I26. */
function expectFill(
  run: Run,
  before: Picture,
  after: Picture,
  who: number,
  event: LogDescription,
): void {
  const fill = event.args[2] as IMarginPool.FillStructOutput;
  if (fill.premium > 0n) run.premiums += fill.premium;
  else run.rebates -= fill.premium;
  expect(
    run.rebates <= run.premiums,
    `I26: rebates never exceed premiums: ${run.rebates} of ${run.premiums}`,
  ).to.equal(true);
  const [was, is] = [before.people[who]!.position.size, after.people[who]!.position];
  const opened =
    reference.abs(is.size) > reference.abs(was) ||
    (is.size !== 0n && is.size > 0n !== was > 0n && was !== 0n);
  if (!opened) return;
  // what waits for another round has paid for it already
  const paid = after.people[who]!.order.requestedAt === 0n ? 0n : run.executionFee;
  expect(
    is.equity + paid + 2n >= is.initialMargin,
    `I16: no position opens below IMR: ${is.equity} of ${is.initialMargin}`,
  ).to.equal(true);
}

/** All that must hold after any action. */
async function check(
  run: Run,
  name: string,
  before: Picture,
  after: Picture,
  hash: unknown,
  blocks: number,
): Promise<void> {
  const { f } = run;
  const events = typeof hash === "string" ? await eventsOf(f, hash) : [];
  for (const event of events) if (event.name === "Deleveraged") run.deleveragings += 1n;
  expectCovered(after);
  expectSums(after, run.executionFee, run.deleveragings);
  if (after.good) {
    tally(reached, stateOf(after));
    expectOrdered(f, after);
    expectHealthyAreSafe(f, after);
    if (before.settledAt === 0n) expectHysteresis(before, after);
  }
  if (["withdraw", "redeem"].includes(name)) {
    expect(
      after.state.solvencyRatioWad >= 15n * 10n ** 17n,
      `I14: withdrawals leave SR >= 1.5: ${after.state.solvencyRatioWad}`,
    ).to.equal(true);
  }
  for (const event of events) {
    const who = f.people.findIndex(({ address }) => address === event.args[0]);
    if (event.name === "OrderExecuted") expectFill(run, before, after, who, event);
    if (event.name === "Liquidated") expectLiquidation(before, after, who, event);
    if (event.name === "Deleveraged") expectLeastDeleveraging(run, before, event);
    if (event.name.startsWith("Order") && name === "execute") tally(counts, event.name);
  }
  if (!before.good || !after.good) return;
  if (before.snapshot.indexPriceWad !== after.snapshot.indexPriceWad) return;
  const change = wealthOf(f, after, run.executionFee) - wealthOf(f, before, run.executionFee);
  const flow =
    holdingsOf(f, after) -
    holdingsOf(f, before) -
    fromQuote(f, run.donatedQuote) -
    reference.mul(fromBase(f, run.donatedBase), fromWad(after.snapshot.indexPriceWad));
  // Each sync rounds both sides' accruals, each account what it owes; a side that empties returns what syncs so far kept.
  const emptied =
    (before.ledgers.longOpenInterest > 0n && after.ledgers.longOpenInterest === 0n) ||
    (before.ledgers.shortOpenInterest > 0n && after.ledgers.shortOpenInterest === 0n);
  const now = await f.connection.ethers.provider.getBlockNumber();
  const syncs = 2 * (blocks + (emptied ? now - run.startBlock : 0));
  const accounts = BigInt(f.people.length) * (1n + 4n * run.deleveragings);
  // a deleveraging rounds each size down by up to one unit of base
  const shaved = reference.mul(
    fromBase(f, accounts * run.deleveragings),
    fromWad(after.snapshot.indexPriceWad),
  );
  const bound = fromQuote(f, (BigInt(syncs) + 3n * accounts) * grain(f)) + shaved;
  expect(
    reference.abs(change - flow) <= bound,
    `I3: at a fixed price wealth changes by what flows in and out: ${name} is off by ${(change - flow) / fromQuote(f, 1n)} units, allowed ${bound / fromQuote(f, 1n)}`,
  ).to.equal(true);
}

/** What comes next: mostly chance, but orders are executed and sick accounts liquidated before others interfere. */
function choose(p: Picture, last: string, names: readonly string[], random: Random): string {
  // whatever has not succeeded yet gets a better chance
  const never = names.filter((name) => !counts.has(name));
  if (never.length > 0 && random(6) === 0) return never[random(never.length)]!;
  if (p.settledAt !== 0n) return names[random(names.length)]!;
  const young = ({ order }: Person) => order.requestedAt !== 0n && p.timestamp < order.expiresAt;
  if (p.good && p.people.some(young) && random(5) > 1) return "execute";
  if (last === "squeeze" && random(5) > 0) return "liquidate";
  if (!p.good && random(2) === 0) return "tick";
  if (stateOf(p) === "Deleveraging" && random(3) === 0) return "autoDeleverage";
  const name = random(2) === 0 ? names[random(names.length)]! : OFTEN[random(OFTEN.length)]!;
  return SELDOM.has(name) && random(2) > 0 ? "open" : name;
}

/** One action and what must hold after it. */
async function step(
  run: Run,
  p: Picture,
  last: string,
  random: Random,
): Promise<[Picture, string]> {
  const { f, cast } = run;
  const handlers = p.settledAt === 0n ? handlersOf(f, cast, random) : endOf(f, cast, random);
  const name = choose(p, last, Object.keys(handlers), random);
  const block = await f.connection.ethers.provider.getBlockNumber();
  let hash: unknown;
  try {
    hash = await handlers[name]!(p);
  } catch (error) {
    if (!(error instanceof Refused) && !/revert/i.test(String(error))) throw error;
    tally(counts, `${name} refused`);
    return [await look(f), ""];
  }
  tally(counts, name);
  let next = await look(f);
  if (p.settledAt === 0n && next.settledAt !== 0n && name !== "settle") {
    // the picture's own sync saw the third bankrupt round: let it count
    await act(f, f.keeper, f.marginPool, "sync");
    next = await look(f);
  }
  run.donatedQuote = name === "donateQuote" ? next.quoteBalance - p.quoteBalance : 0n;
  if (name === "skim") run.donatedQuote = 0n;
  run.donatedBase = name === "donateBase" ? next.baseBalance - p.baseBalance : 0n;
  const blocks = (await f.connection.ethers.provider.getBlockNumber()) - block;
  // skimming books what was given before
  if (name === "skim") {
    expect(next.ledgers.insuranceFund >= p.ledgers.insuranceFund).to.equal(true);
    await check(
      { ...run, donatedQuote: p.ledgers.insuranceFund - next.ledgers.insuranceFund },
      name,
      p,
      next,
      hash,
      blocks,
    );
    return [next, name];
  }
  await check(run, name, p, next, hash, blocks);
  return [next, name];
}

async function play(
  f: Crowd,
  cast: Cast,
  seed: number,
  steps: number,
  gaps: readonly bigint[],
): Promise<void> {
  const random = seededRandom(seed);
  const run: Run = {
    f,
    cast,
    executionFee: await f.marginPool.executionFee(),
    startBlock: await connection.ethers.provider.getBlockNumber(),
    donatedQuote: 0n,
    donatedBase: 0n,
    premiums: 0n,
    rebates: 0n,
    deleveragings: 0n,
  };
  if (gaps.length > 0) await crash(run, gaps);
  let [p, last] = [await look(f), ""];
  for (let n = 0; n < steps; n += 1) {
    if (p.settledAt !== 0n && n % 50 === 49) break;
    try {
      [p, last] = await step(run, p, last, random);
    } catch (error) {
      throw new Error(`seed ${seed}, step ${n}: ${(error as Error).stack}`);
    }
  }
  try {
    await finish(run, p, random);
  } catch (error) {
    throw new Error(`seed ${seed}, at the end: ${(error as Error).stack}`);
  }
}

/** The ends of a run: it recovers and everybody runs for the exit; or it settles and everybody is paid. */
async function finish(run: Run, p: Picture, random: Random): Promise<void> {
  const { f, cast } = run;
  const middle = await takeSnapshot();
  if (p.settledAt === 0n) {
    await recover(f, cast, random);
    tally(counts, "I25 recovered");
    tally(reached, stateOf(await look(f)));
    await bankRun(f, random);
    tally(counts, "I20 bank run");
    await middle.restore();
  }
  await bury(f, cast, random, run.deleveragings > 0n);
  tally(counts, "I20 settled and paid out");
  tally(reached, "Settled");
}

const RISING = [1_200n, 1_250n, 1_300n, 1_300n, 1_250n];

describe("A random campaign of independent actors", () => {
  const runs = CAMPAIGN_SCALE === 1 ? 1 : 4;
  const steps = 260 * CAMPAIGN_SCALE;
  for (const [baseDecimals, quoteDecimals, weight, gaps] of [
    [18, 6, 5n, []],
    [8, 18, 0n, RISING],
    [18, 18, 2n, []],
    [6, 6, 0n, RISING.slice(0, 3)],
  ] as const) {
    const settings = { baseDecimals, quoteDecimals, targetBaseWeight: (weight * WAD) / 10n };
    const usual = async () => populate(settings);
    for (let n = 0; n < runs; n += 1) {
      const start = gaps.length === 0 ? "" : `, after ${gaps.length} gaps against the pool`;
      it(`keeps all invariants with ${baseDecimals} and ${quoteDecimals} decimals and ${weight}0 % base${start} (${n + 1})`, async () => {
        const [f, cast] = await loadFixture(usual);
        await play(f, cast, 20_261_123 + 1_009 * n + baseDecimals + quoteDecimals, steps, gaps);
      });
    }
  }

  after(() => {
    console.log(`      ${summary(counts)}`);
    console.log(`      states: ${summary(reached)}`);
  });

  it("made every action succeed and reached every state", async () => {
    const [f, cast] = await populate({});
    const random = seededRandom(1);
    const names = [
      ...Object.keys(handlersOf(f, cast, random)),
      ...Object.keys(endOf(f, cast, random)),
    ];
    for (const name of names) {
      expect(
        counts.get(name) ?? 0,
        `${name} never succeeded: ${summary(counts)}`,
      ).to.be.greaterThan(0);
    }
    for (const state of STATES) {
      expect(reached.get(state) ?? 0, `${state} was never reached`).to.be.greaterThan(0);
    }
  });
});
