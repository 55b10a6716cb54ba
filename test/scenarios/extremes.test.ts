import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { network } from "hardhat";
import {
  DAY,
  deployAlone,
  enter,
  NORMAL,
  REDUCE_ONLY,
  round,
  SETTLED,
} from "../support/lastStand.ts";
import {
  arbitrage,
  currentPrice,
  deployFixture,
  depositMargin,
  fundAndApprove,
  now,
  type ProtocolFixture,
  passTime,
  publishPrice,
  WAD,
} from "../support/protocolFixture.ts";
import {
  CAMPAIGN_SCALE,
  execute,
  hedge,
  nextRound,
  order,
  request,
  seededRandom,
} from "../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture, time } = connection.networkHelpers;

interface Crash extends ProtocolFixture {
  readonly traders: readonly HardhatEthersSigner[];
}

/** Margin of the traders as a share of notional, in percent: from the least that opens to one that survives all. */
const MARGINS = [6n, 9n, 17n, 70n];

async function empty(): Promise<Crash> {
  // a deep market beside the pool: what cannot be hedged here cannot be hedged at all
  const f = await deployFixture(connection, { poolQuoteDepth: 2_000_411_873n * WAD });
  const traders = (await connection.ethers.getSigners()).slice(5, 13);
  for (const trader of traders) await fundAndApprove(f, trader);
  await passTime(f, 660n);
  return { ...f, traders };
}

/** Opens for the margin given, in whole quote; false when the pool refuses for its own limits. */
async function open(s: Crash, index: number, notional: bigint): Promise<boolean> {
  const trader = s.traders[index]!;
  const value = notional < 0n ? -notional : notional;
  await depositMargin(s, trader, (value * WAD * MARGINS[index % 4]!) / 100n + 3_001n * WAD);
  const size = (notional * WAD * WAD) / (await currentPrice(s));
  const { event, reason } = await order(s, trader, size);
  if (event === "OrderExecuted") return true;
  expect(reason?.name).to.match(/OpenInterestLimit|SkewNotAffordable/);
  return false;
}

/** Both sides up to 60 % of equity, the skew never far from zero. */
async function twoSided(): Promise<Crash> {
  const s = await empty();
  for (let turn = 0, full = false; !full; turn += 1) {
    expect(turn < 14).to.equal(true);
    const longs = await open(s, turn % 4, 741_007n);
    const shorts = await open(s, 4 + (turn % 4), -741_007n);
    full = !longs && !shorts;
  }
  const { longOpenInterest, shortOpenInterest } = await s.marginPool.ledgers();
  const { equity } = await s.marginPool.poolState();
  for (const side of [longOpenInterest, shortOpenInterest]) {
    const notional = (side * (await currentPrice(s))) / 10n ** 30n;
    expect(notional * 100n > equity * 52n, "open interest").to.equal(true);
  }
  return s;
}

/** One side until the pool could not afford more, hedged as it grows. */
const oneSided = (long: boolean) => async () => {
  const s = await empty();
  for (let turn = 0; ; turn += 1) {
    expect(turn < 14).to.equal(true);
    if (!(await open(s, turn % 4, long ? 811_013n : -811_013n))) break;
    await hedge(s);
    await passTime(s, 660n);
  }
  return s;
};
async function longOnly(): Promise<Crash> {
  return oneSided(true)();
}
async function shortOnly(): Promise<Crash> {
  return oneSided(false)();
}

/** Longs of more than half of equity that were never hedged: only deleveraging and settlement are left. */
async function unhedged(): Promise<Crash> {
  const f = await deployAlone(
    connection,
    { baseValue: 101_303n * WAD, quoteValue: 9_936_108n * WAD },
    { targetBaseWeight: WAD / 5n },
  );
  const traders = (await connection.ethers.getSigners()).slice(5, 13);
  for (const trader of traders) await fundAndApprove(f, trader);
  const s = { ...f, traders };
  for (const [index, notional] of [0, 1, 2, 3, 0, 1, 2].map((i) => [i, 790_117n] as const)) {
    const trader = traders[index]!;
    await enter(s, trader, notional * WAD, notional * WAD);
    await round(s, 660n);
  }
  await enter(s, traders[4]!, 103_001n * WAD, -301_007n * WAD);
  return s;
}

/** What insurance may pay, followed claim by claim: at most half of it a day, what was paid fading over a day. */
class InsuranceModel {
  private used = 0n;
  private usedAt = 0n;

  pay(fund: bigint, shortfall: bigint, at: bigint): bigint {
    const elapsed = at - this.usedAt > DAY ? DAY : at - this.usedAt;
    this.used -= (this.used * elapsed) / DAY;
    const half = (fund + this.used) / 2n;
    const allowance = half > this.used ? half - this.used : 0n;
    const covered = shortfall < allowance ? shortfall : allowance;
    this.used += covered;
    this.usedAt = at;
    return covered;
  }
}

interface Tally {
  badDebt: bigint;
  paid: bigint;
  liquidations: number;
}

/** Liquidates, and checks who pays what in which order. False when there was nothing to do. */
async function liquidate(
  s: Crash,
  trader: HardhatEthersSigner,
  insurance: InsuranceModel,
  tally: Tally,
): Promise<boolean> {
  const pool = s.marginPool;
  if ((await pool.marginAccount(trader)).size === 0n) return false;
  if (!(await pool.position(trader)).liquidatable) return false;
  const before = await pool.ledgers();
  const receipt = (await (await pool.connect(s.keeper).liquidate(trader)).wait())!;
  const event = receipt.logs
    .map((log) => pool.interface.parseLog(log))
    .find((parsed) => parsed?.name === "Liquidated")!;
  const { badDebt, paidByInsurance, collateral, equity, size } = event.args[2] as unknown as {
    badDebt: bigint;
    paidByInsurance: bigint;
    collateral: bigint;
    equity: bigint;
    size: bigint;
  };
  tally.liquidations += 1;
  tally.badDebt += badDebt;
  tally.paid += paidByInsurance;
  if (badDebt > 0n) {
    expect([collateral, size], "the trader's margin goes first").to.deep.equal([0n, 0n]);
    expect(badDebt).to.equal(-equity);
    const allowed = insurance.pay(before.insuranceFund, badDebt, await now(s));
    expect(paidByInsurance, "then insurance, up to half of it a day").to.equal(allowed);
    const after = await pool.ledgers();
    expect(after.insuranceFund).to.equal(before.insuranceFund - allowed);
  }
  expect(await pool.badDebt(), "I17: bad debt is recorded").to.equal(tally.badDebt);
  return true;
}

/** A call that may find nothing to do; whatever else it fails with is an error. */
async function attempt(call: () => Promise<unknown>, expected: RegExp): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    expect(expected.test(String(error)), String(error)).to.equal(true);
    return false;
  }
}

const NOT_DUE =
  /Rebalancer_|MarginPool_(NotDeleveraging|NothingToDeleverage|IsSettled|NothingToClaim|InventoryShort)|ConstantProductPool_(OutputBelowMinimum|InputAboveMaximum)/;

/** All that keepers do, once each, in random order. */
async function everybody(
  s: Crash,
  random: (below: number) => number,
  insurance: InsuranceModel,
  tally: Tally,
): Promise<void> {
  const pool = s.marginPool;
  const settled = async () => (await pool.riskClock()).state === SETTLED;
  const calls: (() => Promise<unknown>)[] = [
    ...s.traders.map((trader) => () => liquidate(s, trader, insurance, tally)),
    () => attempt(() => s.rebalancer.connect(s.keeper).rebalance(), NOT_DUE),
    () => attempt(() => pool.connect(s.keeper).autoDeleverage(), NOT_DUE),
    () => pool.sync(),
    ...s.traders.map((trader) => () => attempt(() => pool.connect(trader).claim(), NOT_DUE)),
  ];
  while (calls.length > 0) {
    const [call] = calls.splice(random(calls.length), 1);
    if (await settled()) return;
    await call!();
  }
}

/** I1: what the ledgers say is there. */
async function expectCovered(s: Crash): Promise<void> {
  const l = await s.marginPool.ledgers();
  const owed =
    l.inventoryQuote +
    l.longCollateral +
    l.shortCollateral +
    l.skewPremium +
    l.pendingIncome +
    l.insuranceFund +
    l.custodyQuote;
  expect((await s.quote.balanceOf(s.marginPool)) >= owed, "I1: quote").to.equal(true);
  expect((await s.base.balanceOf(s.marginPool)) >= l.inventoryBase, "I1: base").to.equal(true);
}

/** Everybody without a position takes everything out; nobody's payout reverts. */
async function leave(s: Crash): Promise<void> {
  const pool = s.marginPool;
  for (const trader of s.traders) {
    const { size, collateral } = await pool.marginAccount(trader);
    if (size !== 0n || collateral === 0n) continue;
    const before = await s.quote.balanceOf(trader);
    await pool.connect(trader).withdrawMargin(collateral);
    expect((await s.quote.balanceOf(trader)) - before).to.equal(collateral);
  }
  if ((await pool.creditedOf(s.keeper)) > 0n) await pool.connect(s.keeper).claim();
}

/** Settled for good: everybody is paid. */
async function windUp(s: Crash): Promise<void> {
  const pool = s.marginPool;
  for (const trader of s.traders) {
    if ((await pool.marginAccount(trader)).size !== 0n) await pool.settleAccount(trader);
  }
  await pool.finalizeSettlement();
  for (const trader of s.traders) {
    await attempt(() => pool.connect(trader).claim(), /NothingToClaim/);
  }
  await pool.connect(s.owner).redeemInKind(await pool.balanceOf(s.owner), s.owner);
}

/** Whoever still has a position closes it, in parts where the speed limit binds, and takes all of it out. */
async function closeAll(s: Crash): Promise<void> {
  const pool = s.marginPool;
  const isOpen = async (trader: HardhatEthersSigner) =>
    (await pool.marginAccount(trader)).size !== 0n;
  const unit = 10n ** BigInt(18 - s.settings.baseDecimals);
  for (let turn = 0; turn < 20; turn += 1) {
    let left = false;
    for (const trader of s.traders) {
      if (!(await isOpen(trader))) continue;
      if ((await pool.order(trader)).requestedAt === 0n) {
        const { size } = await pool.position(trader);
        await request(s, trader, -size * unit);
      }
      await nextRound(s);
      await attempt(() => execute(s, trader), /SkewSpeedLimit|PriceFarFromAverage|OrderTooEarly/);
      left ||= await isOpen(trader);
    }
    if (!left) break;
    await passTime(s, 605n);
  }
  for (const trader of s.traders) expect(await isOpen(trader), "I24").to.equal(false);
  // what was gained beyond the quote at hand is paid as rebalancing brings quote in
  for (let turn = 0; turn < 30 && (await pool.ledgers()).unpaidClaims > 0n; turn += 1) {
    await hedge(s);
    for (const trader of s.traders) {
      const { unpaidClaim } = await pool.marginAccount(trader);
      if (unpaidClaim > 0n) await attempt(() => pool.connect(trader).claim(), /NothingToClaim/);
    }
    await passTime(s, 605n);
  }
  expect((await pool.ledgers()).unpaidClaims, "I20: every claim is paid").to.equal(0n);
  await leave(s);
}

/** Book, how it is built, and the gaps (percent of the price before) that cost traders more than their margin. */
const BOOKS = [
  ["60 % of equity on each side", twoSided, [50n, 150n]],
  ["longs as far as the pool can afford", longOnly, [50n]],
  ["shorts as far as the pool can afford", shortOnly, [150n]],
] as const;

/** Nobody calls anything for six hours; the feed goes on. */
async function sleep(s: Crash, price: bigint): Promise<void> {
  for (let half = 0; half < 12; half += 1) {
    await time.increase(1_800n);
    await publishPrice(s, price);
  }
}

/** Everybody at once, again and again, until the pool is Normal or Settled. */
async function recover(
  s: Crash,
  random: (below: number) => number,
  insurance: InsuranceModel,
  tally: Tally,
): Promise<bigint> {
  const hasMarket = s.settings.poolQuoteDepth > 0n;
  for (let pass = 0; pass < 60; pass += 1) {
    if (hasMarket) await arbitrage(s);
    await everybody(s, random, insurance, tally);
    await expectCovered(s);
    let { state } = await s.marginPool.riskClock();
    if (state === SETTLED) return state;
    await attempt(() => passTime(s, 605n), /IsSettled/);
    await attempt(() => s.marginPool.sync(), /IsSettled/); // where the poke has settled it
    state = (await s.marginPool.poolState()).riskState;
    if (state === NORMAL || state === SETTLED) return state;
  }
  return (await s.marginPool.poolState()).riskState;
}

describe("Extremes", () => {
  for (const [book, setUp, ruinous] of BOOKS) {
    const ruins = (percent: bigint) => (ruinous as readonly bigint[]).includes(percent);
    for (const percent of [50n, 150n]) {
      it(`${book}, a gap to ${percent} % in one step, and dead keepers for six hours`, async () => {
        for (let seed = 1; seed <= CAMPAIGN_SCALE; seed += 1) {
          const s = await loadFixture(setUp);
          const random = seededRandom(seed * 104_729 + Number(percent));
          const [insurance, tally] = [
            new InsuranceModel(),
            { badDebt: 0n, paid: 0n, liquidations: 0 },
          ];
          const open = await s.marginPool.ledgers();
          const { equity } = await s.marginPool.poolState();
          const price = ((await currentPrice(s)) * percent) / 100n;
          const fund = open.insuranceFund;
          await sleep(s, price);
          const state = await recover(s, random, insurance, tally);
          expect([NORMAL, SETTLED], "I25").to.include(state);
          expect(tally.liquidations > 0, "liquidations").to.equal(ruins(percent));
          expect(tally.badDebt > 0n, "bad debt").to.equal(ruins(percent));
          expect(tally.paid <= (fund * 3n) / 4n, "insurance outlives the first day").to.equal(true);
          expect(await s.marginPool.badDebt()).to.equal(tally.badDebt);
          await leave(s);
          if (state === SETTLED) await windUp(s);
          else await closeAll(s);
          await expectCovered(s);
          if (process.env.BALLAST_FIGURES === "1") {
            const after = (await s.marginPool.poolState()).equity;
            const millions = (amount: bigint) => Number(amount / 10n ** 6n) / 1e6;
            console.log(
              `${book}, ${percent} %: equity ${millions(equity)} -> ${millions(after)} M, bad debt ${millions(tally.badDebt)} M, insurance ${millions(tally.paid)} M, ${tally.liquidations} liquidations, state ${state}`,
            );
          }
        }
      });
    }
  }

  it("a pool that nobody hedged is deleveraged on a rise to 210 %, by no more than it takes", async () => {
    const s = await loadFixture(unhedged);
    const [insurance, tally] = [new InsuranceModel(), { badDebt: 0n, paid: 0n, liquidations: 0 }];
    await sleep(s, ((await currentPrice(s)) * 210n) / 100n);
    const random = seededRandom(17);
    const before = (await s.marginPool.ledgers()).longOpenInterest;
    for (let pass = 0; pass < 3; pass += 1) {
      await everybody(s, random, insurance, tally);
      await expectCovered(s);
      await round(s, 605n);
    }
    const after = (await s.marginPool.ledgers()).longOpenInterest;
    expect(after < before, "deleveraged").to.equal(true);
    expect(after * 10n > before, "not more than it takes").to.equal(true);
    const { riskState, solvencyRatioWad } = await s.marginPool.poolState();
    expect([riskState, solvencyRatioWad >= WAD]).to.deep.equal([REDUCE_ONLY, true]);
    expect(tally.badDebt > 0n, "the short could not pay").to.equal(true);
    await closeAll(s);
  });

  it("a pool that nobody hedged is settled on a rise to 330 %, and pays all it has", async () => {
    const s = await loadFixture(unhedged);
    const [insurance, tally] = [new InsuranceModel(), { badDebt: 0n, paid: 0n, liquidations: 0 }];
    await sleep(s, ((await currentPrice(s)) * 330n) / 100n);
    const state = await recover(s, seededRandom(23), insurance, tally);
    expect(state, "I25").to.equal(SETTLED);
    await leave(s);
    await windUp(s);
    await leave(s);
    expect(await s.quote.balanceOf(s.marginPool), "dust").to.be.lessThan(100n);
    expect(await s.base.balanceOf(s.marginPool), "dust").to.be.lessThan(10_000n);
  });
});
