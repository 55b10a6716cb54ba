import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { network } from "hardhat";
import {
  crowdedLongs,
  crowdedShorts,
  DAY,
  DECIMALS,
  DELEVERAGING,
  deleveraged,
  expectUnits,
  GUARDED,
  grow,
  leastFraction,
  MINUTE,
  priceAtRatio,
  REDUCE_ONLY,
  round,
  type Scene,
  Tracked,
  toDeleveraging,
} from "../../support/lastStand.ts";
import * as reference from "../../support/marginReference.ts";
import { mul, ONE, type Real, real } from "../../support/marginReference.ts";
import {
  baseUnits,
  currentPrice,
  depositMargin,
  fundAndApprove,
  now,
  type ProtocolFixture,
  quoteUnits,
  WAD,
} from "../../support/protocolFixture.ts";
import {
  execute,
  fromBase,
  fromQuote,
  fromWad,
  modelAt,
  nextRound,
  readBook,
  request,
} from "../../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture, time } = connection.networkHelpers;

const fixtures = DECIMALS.flatMap((decimals) =>
  [
    {
      long: true,
      setUp: crowdedLongs(connection, decimals),
      range: [150n * WAD, 700n * WAD] as const,
    },
    {
      long: false,
      setUp: crowdedShorts(connection, decimals),
      range: [200n * WAD, 20n * WAD] as const,
    },
  ].map((side) => ({
    ...side,
    name: `${side.long ? "longs" : "shorts"}, decimals ${decimals.baseDecimals}/${decimals.quoteDecimals}`,
  })),
);

/** Reads who is on the deleveraged side as exact numbers. */
async function track(
  s: Scene,
  long: boolean,
): Promise<{ trader: HardhatEthersSigner; exact: Tracked }[]> {
  return Promise.all(
    (long ? s.longs : s.shorts).map(async (trader) => ({
      trader,
      exact: await Tracked.read(s, trader),
    })),
  );
}

/** Deleverages, compares every ledger with the reference, and returns the fraction that was closed. */
async function checkedDeleveraging(s: Scene, goal = "1.05"): Promise<Real> {
  const at = (await now(s)) + 7n;
  const { book, market } = await modelAt(s, at);
  const exposure = book.base - reference.skew(book);
  const long = exposure < 0n;
  const open = long ? book.longSize : book.shortSize;
  const most = reference.min(reference.div(reference.abs(exposure), open), real("0.99"));
  const insurance = (await s.marginPool.ledgers()).insuranceFund;
  await time.setNextBlockTimestamp(at);
  const receipt = (await (await s.marginPool.connect(s.keeper).autoDeleverage()).wait())!;
  const event = receipt.logs
    .map((log) => s.marginPool.interface.parseLog(log))
    .find((parsed) => parsed?.name === "Deleveraged")!;
  const [caller, side, , fractionWad, price, , before, after] = event.args;
  expect([caller, side, fromWad(price)]).to.deep.equal([s.keeper.address, long, market.price]);
  const fraction = fromWad(fractionWad);

  // the least fraction, to a thousandth of the largest one
  const least = leastFraction(book, market, real(goal));
  const step = most / 1_024n + 10n ** 20n;
  expect(
    fraction >= least - 10n ** 22n && fraction <= least + step,
    `I19: closed ${fraction}, needed ${least}`,
  ).to.equal(true);
  expect(after > before, "I19: SR must rise").to.equal(true);
  const expected = deleveraged(book, market, long, fraction);
  if (fraction < most) expect(after >= fromWadOf(goal), "SR after").to.equal(true);

  // J falls with the square of the skew, what it loses is income
  const [k, next] = [reference.skew(book), reference.skew(expected)];
  const crosses = k > 0n !== next > 0n && next !== 0n;
  const share = reference.min(reference.div(mul(next, next), mul(k, k)), ONE);
  const kept = crosses ? 0n : mul(book.premium, share);
  expected.income += book.premium - kept;
  expected.premium = kept;
  const actual = await readBook(s);
  const { baseDecimals, quoteDecimals } = s.settings;
  const unit = fromBase(s, 1n);
  for (const [name, value] of Object.entries(expected) as [keyof typeof expected, Real][]) {
    const inBase = name === "base" || name.endsWith("Size");
    // a unit of base that stays open for rounding has a value
    const units = 4n + mul(unit, market.price) / fromQuote(s, 1n);
    expectUnits(
      inBase
        ? (actual[name] * 10n ** BigInt(baseDecimals)) / ONE
        : (actual[name] * 10n ** BigInt(quoteDecimals)) / ONE,
      value,
      inBase ? baseDecimals : quoteDecimals,
      inBase ? 1n : units,
      `ledger ${name}`,
    );
  }
  const kept_ = reference.abs(
    reference.equity(actual, market.price) - reference.equity(book, market.price),
  );
  expect(kept_ <= fromQuote(s, 4n) + 10n ** 26n, `E moved by ${kept_}`).to.equal(true);
  expect((await s.marginPool.ledgers()).insuranceFund).to.equal(insurance);
  return fraction;
}

const fromWadOf = (text: string): bigint => real(text) / 10n ** 18n;

/** Positions and sums against exact numbers, as of the last sync. */
async function expectPositions(
  s: Scene,
  long: boolean,
  tracked: { trader: HardhatEthersSigner; exact: Tracked }[],
): Promise<void> {
  const { baseDecimals, quoteDecimals } = s.settings;
  const l = await s.marginPool.ledgers();
  const price = fromWad((await s.marginPool.snapshot()).indexPriceWad);
  const sum = { size: 0n, entry: 0n, owed: 0n, backing: 0n };
  const count = BigInt(tracked.length);
  for (const { trader, exact } of tracked) {
    const seen = await s.marginPool.position(trader);
    const name = trader.address.slice(0, 6);
    // X has 18 decimals per base
    const grain = 4n + exactUnits(exact.size, 18) / 10n ** BigInt(18 - quoteDecimals) / 10n ** 17n;
    expectUnits(seen.size, exact.size, baseDecimals, 2n, `size of ${name}`);
    expectUnits(seen.entryNotional, exact.entry, quoteDecimals, 2n, `entry of ${name}`);
    expectUnits(seen.fundingOwed, exact.owed, quoteDecimals, grain, `owed by ${name}`);
    // X truncates at 1e-18 quote per base: no more than that may favor an account
    const favored = exact.owed - fromQuote(s, seen.fundingOwed);
    const grainOfX = reference.abs(exact.size) / 10n ** 17n + 10n ** 22n;
    expect(favored <= fromQuote(s, 1n) + grainOfX, `rounding favored ${name}`).to.equal(true);
    sum.size += reference.abs(seen.size);
    sum.entry += seen.entryNotional;
    sum.owed += exact.owed;
    sum.backing += exact.backing;
  }
  const size = long ? l.longOpenInterest : l.shortOpenInterest;
  const entry = long ? l.longEntryNotional : l.shortEntryNotional;
  const collateral = long ? l.longCollateral : l.shortCollateral;
  const accrual = long ? l.longAccrual : l.shortAccrual;
  for (const [what, all, aggregate] of [
    ["sizes", sum.size, size],
    ["entries", sum.entry, entry],
  ] as const) {
    expect(
      aggregate >= all && aggregate <= all + 6n * count,
      `I2: ${what} ${all} of ${aggregate}`,
    ).to.equal(true);
  }
  const backing = fromQuote(s, collateral);
  expect(
    backing >= sum.backing - fromQuote(s, count) &&
      backing <= sum.backing + fromQuote(s, 6n * count),
    `I2: collateral ${sum.backing} of ${backing}`,
  ).to.equal(true);
  // what rounding leaves open in base carries its value into the accrual
  const grains = 10n * count + (6n * count * mul(fromBase(s, 1n), price)) / fromQuote(s, 1n);
  expectUnits(accrual, sum.owed, quoteDecimals, grains, "accrual");
}

const exactUnits = (value: Real, decimals: number): bigint =>
  reference.abs(value) / 10n ** BigInt(36 - decimals);

for (const { name, long, setUp, range } of fixtures) {
  describe(`Deleveraging of ${name}`, () => {
    const at = (s: Scene, ratio: string) => priceAtRatio(s, real(ratio), range[0], range[1]);

    async function ready(ratio = "0.93"): Promise<Scene> {
      const s = await loadFixture(setUp);
      await toDeleveraging(s, await at(s, ratio));
      return s;
    }

    it("waits for its state", async () => {
      const s = await loadFixture(setUp);
      for (const [ratio, state] of [
        ["1.27", GUARDED],
        ["1.1", REDUCE_ONLY],
        ["0.9", REDUCE_ONLY],
      ] as const) {
        await round(s, 61n, await at(s, ratio));
        const { solvencyRatioWad } = await s.marginPool.poolState();
        await expect(s.marginPool.autoDeleverage())
          .to.be.revertedWithCustomError(s.marginPool, "MarginPool_NotDeleveraging")
          .withArgs(state, (seen: bigint) => {
            expect(seen).to.be.closeTo(solvencyRatioWad, WAD / 10n ** 5n);
            return true;
          });
      }
    });

    it("closes the least fraction of the right side that ends the state", async () => {
      const s = await ready();
      await checkedDeleveraging(s);
      expect((await s.marginPool.riskClock()).state).to.equal(REDUCE_ONLY);
      await expect(s.marginPool.autoDeleverage()).to.be.revertedWithCustomError(
        s.marginPool,
        "MarginPool_NotDeleveraging",
      );
    });

    it("goes on to 1.25 after a day in ReduceOnly, and to Guarded", async () => {
      const s = await loadFixture(setUp);
      await round(s, MINUTE, await at(s, "1.13"));
      await round(s, DAY);
      expect((await s.marginPool.riskClock()).state).to.equal(DELEVERAGING);
      await checkedDeleveraging(s, "1.25");
      expect((await s.marginPool.riskClock()).state).to.equal(GUARDED);
    });

    it("closes the same fraction of every position and none of the other side", async () => {
      const s = await ready();
      const others = long ? s.shorts : s.longs;
      const before = await Promise.all(others.map((trader) => s.marginPool.marginAccount(trader)));
      const tracked = await track(s, long);
      const fraction = await checkedDeleveraging(s);
      const [index] = await s.marginPool.funding();
      for (const { exact } of tracked) {
        exact.accrue(index);
        exact.close(fraction, fromWad(await currentPrice(s)));
      }
      await expectPositions(s, long, tracked);
      for (const [i, trader] of others.entries()) {
        expect((await s.marginPool.position(trader)).size).to.equal(before[i]!.size);
      }
    });

    it("adds up over three deleveragings with funding before, between and after", async () => {
      const s = await loadFixture(setUp);
      const tracked = await track(s, long);
      const pass = async (fraction: Real) => {
        const [index] = await s.marginPool.funding();
        for (const { exact } of tracked) {
          exact.accrue(index);
          exact.close(fraction, fromWad(await currentPrice(s)));
        }
      };
      await round(s, 7_213n);
      for (const ratio of ["0.93", "0.81", "0.97"]) {
        await toDeleveraging(s, await at(s, ratio));
        await pass(await checkedDeleveraging(s));
        await expectPositions(s, long, tracked);
        await round(s, 5_417n, ((await currentPrice(s)) * (long ? 99n : 101n)) / 100n);
        const [index] = await s.marginPool.funding();
        for (const { exact } of tracked) exact.accrue(index);
        await expectPositions(s, long, tracked);
      }
    });

    it("realizes what is due when an account is touched, by whatever", async () => {
      const s = await ready();
      const tracked = await track(s, long);
      const fraction = await checkedDeleveraging(s);
      const [index] = await s.marginPool.funding();
      for (const { exact } of tracked) {
        exact.accrue(index);
        exact.close(fraction, fromWad(await currentPrice(s)));
      }
      // an order: alice closes a part
      const [alice, bob, dave] = tracked;
      const part = (await s.marginPool.position(alice!.trader)).size / 3n;
      const scale = 10n ** BigInt(18 - s.settings.baseDecimals);
      await request(s, alice!.trader, -part * scale);
      await nextRound(s);
      const claims = (await s.marginPool.ledgers()).unpaidClaims;
      const filled = (await execute(s, alice!.trader)).filled!;
      const [later] = await s.marginPool.funding();
      alice!.exact.accrue(later);
      const grain =
        10n + exactUnits(alice!.exact.size, 18) / 10n ** BigInt(35 - s.settings.quoteDecimals);
      expectUnits(filled.fundingPaid, alice!.exact.owed, s.settings.quoteDecimals, grain, "owed");
      const stored = await s.marginPool.marginAccount(alice!.trader);
      expect(stored.epoch).to.equal(1n);
      expect((await s.marginPool.position(alice!.trader)).fundingOwed).to.equal(0n);
      // the gain is in her margin, or a claim where there was no quote for it
      const recorded = (await s.marginPool.ledgers()).unpaidClaims - claims;
      expect(stored.unpaidClaim).to.equal(recorded);

      // a margin withdrawal looks at what is left, and leaves it to be realized
      const held = await s.marginPool.marginAccount(bob!.trader);
      const position = await s.marginPool.position(bob!.trader);
      const needed = withdrawalFloor(
        position.initialMargin,
        exactNotional(s, position.size, await currentPrice(s)),
      );
      const free =
        held.collateral - (position.fundingOwed > 0n ? position.fundingOwed : 0n) - needed;
      expect(free > 0n, "bob must have margin to withdraw").to.equal(true);
      const slack = free / 50n;
      await expect(
        s.marginPool.connect(bob!.trader).withdrawMargin(free + slack),
      ).to.be.revertedWithCustomError(s.marginPool, "MarginPool_InsufficientMargin");
      await s.marginPool.connect(bob!.trader).withdrawMargin(free - slack);
      expect((await s.marginPool.marginAccount(bob!.trader)).epoch).to.equal(0n);
      const [latest] = await s.marginPool.funding();
      bob!.exact.accrue(latest);
      const collateral = fromQuote(s, held.collateral - free + slack);
      const whole = reference.min(collateral, fromQuote(s, held.entryNotional));
      bob!.exact.backing = mul(whole, ONE - fraction);
      dave!.exact.accrue(latest);
      alice!.exact.accrue(latest);
      const now_ = await Tracked.read(s, alice!.trader);
      now_.accrue(latest);
      await expectPositions(s, long, [{ trader: alice!.trader, exact: now_ }, bob!, dave!]);
    });

    it("liquidates a deleveraged account on what it is worth", async () => {
      const s = await ready();
      const tracked = await track(s, long);
      const fraction = await checkedDeleveraging(s);
      const paid = fromWad(await currentPrice(s));
      const [index] = await s.marginPool.funding();
      const { trader, exact } = tracked[2]!;
      exact.accrue(index);
      exact.close(fraction, paid);
      const { collateral } = await s.marginPool.marginAccount(trader);
      // back through where dave opened, until his margin is gone
      const price = ((long ? 62n : 301n) * WAD * 101n) / 100n;
      await round(s, 61n, price);
      const next = (await now(s)) + 3n;
      const { perBase } = await modelAt(s, next);
      await time.setNextBlockTimestamp(next);
      const receipt = (await (await s.marginPool.connect(s.keeper).liquidate(trader)).wait())!;
      const event = receipt.logs
        .map((log) => s.marginPool.interface.parseLog(log))
        .find((parsed) => parsed?.name === "Liquidated")!;
      const { equity } = event.args[2] as { equity: bigint };
      const [indexNow] = await s.marginPool.funding();
      exact.accrue(indexNow);
      expect(reference.abs(perBase) > 0n).to.equal(true);
      const value = mul(exact.size, fromWad(price));
      const profit = long ? value - exact.entry : exact.entry + value;
      const expected = fromQuote(s, collateral) - exact.owed + profit;
      expectUnits(
        equity,
        expected,
        s.settings.quoteDecimals,
        10n ** BigInt(s.settings.quoteDecimals - 5),
        "equity",
      );
    });

    it("lets nobody open who was not there be touched by it", async () => {
      const s = await ready();
      await checkedDeleveraging(s);
      const late = (await connection.ethers.getSigners())[6]!;
      await fundAndApprove(s, late);
      await depositMargin(s, late, 400_003n * WAD);
      // on the other side: in ReduceOnly only what lowers the skew opens
      const against = long ? -WAD : WAD;
      await grow(s, late, against * 101n);
      await toDeleveraging(s, await at(s, "0.9"));
      await checkedDeleveraging(s);
      expect((await s.marginPool.position(late)).size).to.equal(baseUnits(s, against * 101n));
    });

    it("keeps aggregates right when an account deposits, requests and cancels before it is touched", async () => {
      const s = await ready();
      const tracked = await track(s, long);
      const fraction = await checkedDeleveraging(s);
      const [index] = await s.marginPool.funding();
      for (const { exact } of tracked) {
        exact.accrue(index);
        exact.close(fraction, fromWad(await currentPrice(s)));
      }
      const { trader, exact } = tracked[2]!;
      const account = s.marginPool.connect(trader);
      const rebase = async () => {
        const a = await s.marginPool.marginAccount(trader);
        const whole = a.collateral < a.entryNotional ? a.collateral : a.entryNotional;
        exact.backing = mul(fromQuote(s, whole), ONE - fraction);
        await s.marginPool.sync();
        const [later] = await s.marginPool.funding();
        for (const { exact: each } of tracked) each.accrue(later);
        await expectPositions(s, long, tracked);
      };
      await account.depositMargin(quoteUnits(s, 1_234_567_890_123_456_789n));
      await rebase();
      await request(s, trader, long ? -WAD : WAD);
      await rebase();
      await account.cancelOrder();
      await rebase();
      // beyond the entry notional margin backs nothing
      await account.depositMargin(quoteUnits(s, 900_007n * WAD));
      await rebase();
      expect((await s.marginPool.marginAccount(trader)).epoch).to.equal(0n);
    });
  });
}

/** max(2 IMR, 10 %) of notional. */
function withdrawalFloor(initialMargin: bigint, notional: bigint): bigint {
  return 2n * initialMargin > notional / 10n ? 2n * initialMargin : notional / 10n;
}

function exactNotional(f: ProtocolFixture, size: bigint, price: bigint): bigint {
  return exactUnits(mul(fromBase(f, size), fromWad(price)), f.settings.quoteDecimals);
}

describe("Deleveraging where it cannot help", () => {
  it("refuses when the inventory alone is the excess: that is rebalancing's", async () => {
    const s = await loadFixture(fixtures[1]!.setUp);
    await toDeleveraging(s, 78n * WAD);
    for (const trader of s.shorts)
      await grow(s, trader, -(await s.marginPool.position(trader)).size);
    await s.marginPool.sync();
    const { riskState, solvencyRatioWad } = await s.marginPool.poolState();
    expect([riskState, solvencyRatioWad < WAD]).to.deep.equal([DELEVERAGING, true]);
    await expect(s.marginPool.autoDeleverage())
      .to.be.revertedWithCustomError(s.marginPool, "MarginPool_NothingToDeleverage")
      .withArgs(
        (exposure: bigint) => exposure > 0n,
        0n,
        (ratio: bigint) => ratio - solvencyRatioWad < WAD / 10n ** 5n,
      );
  });
});
