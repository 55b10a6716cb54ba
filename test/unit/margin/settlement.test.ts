import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { network } from "hardhat";
import {
  crowdedLongs,
  DAY,
  DECIMALS,
  type Decimals,
  enter,
  expectUnits,
  priceAtRatio,
  round,
  type Scene,
  SETTLED,
  Tracked,
  toDeleveraging,
} from "../../support/lastStand.ts";
import * as reference from "../../support/marginReference.ts";
import { div, mul, type Real, real } from "../../support/marginReference.ts";
import {
  currentPrice,
  deployFixture,
  depositMargin,
  fundAndApprove,
  now,
  type ProtocolFixture,
  publishPrice,
  quoteUnits,
  WAD,
} from "../../support/protocolFixture.ts";
import {
  CAMPAIGN_SCALE,
  fromBase,
  fromQuote,
  fromWad,
  readBook,
  request,
  seededRandom,
} from "../../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture, time } = connection.networkHelpers;

/** Feed heartbeat and grace. */
const MAXIMUM_AGE = 3_900n;
const WEEK = 7n * DAY;

interface Crowd extends Scene {
  /** Short, with less margin than the scenes' prices cost. */
  readonly erin: HardhatEthersSigner;
  /** Margin and a queued order, no position. */
  readonly frank: HardhatEthersSigner;
  /** Margin alone. */
  readonly grace: HardhatEthersSigner;
  /** A second LP. */
  readonly heidi: HardhatEthersSigner;
  readonly traders: readonly HardhatEthersSigner[];
}

/** Everybody who can be owed something: winners, losers, bad debt, orders in the queue, credits, free margin, two LPs. */
const crowd = (decimals: Decimals) =>
  async function everybody(): Promise<Crowd> {
    const s = await crowdedLongs(connection, decimals)();
    const [erin, frank, grace, heidi] = (await connection.ethers.getSigners()).slice(8, 12);
    for (const signer of [erin!, frank!, grace!, heidi!]) await fundAndApprove(s, signer);
    await round(s, 660n);
    await enter(s, erin!, 16_003n * WAD, -50_021n * WAD);
    await depositMargin(s, frank!, 20_011n * WAD);
    await depositMargin(s, grace!, 7_013n * WAD);
    await s.marginPool.connect(heidi!).deposit(quoteUnits(s, 303_017n * WAD), heidi!);
    await round(s, 601n);
    return {
      ...s,
      erin: erin!,
      frank: frank!,
      grace: grace!,
      heidi: heidi!,
      shorts: [...s.shorts, erin!],
      traders: [...s.longs, ...s.shorts, erin!],
    };
  };

/** The feed dies at a price, with two orders in the queue; a day later the pool is settled. */
async function killFeed(s: Crowd, priceWad: bigint): Promise<void> {
  await round(s, 61n, priceWad);
  await request(s, s.frank, 3n * WAD);
  await request(s, s.bob, -5n * WAD);
  await time.increase(MAXIMUM_AGE + 1n);
  await s.marginPool.connect(s.keeper).settle();
  await time.increase(DAY);
  await s.marginPool.connect(s.keeper).settle();
}

/** Three rounds without equity. */
async function bankrupt(s: Crowd, priceWad: bigint): Promise<void> {
  for (const seconds of [61n, 601n, 601n]) {
    if (seconds === 61n) {
      await request(s, s.frank, 3n * WAD);
      await request(s, s.bob, -5n * WAD);
    }
    await round(s, seconds, priceWad);
  }
  expect((await s.marginPool.poolState()).riskState).to.equal(SETTLED);
}

interface Due {
  collateral: Real;
  claim: Real;
}

/** What everybody is due, from positions and ledgers as they were when the price was frozen. */
async function dues(s: Crowd) {
  const { priceWad } = await s.marginPool.settlement();
  const price = fromWad(priceWad);
  const [index] = await s.marginPool.funding();
  const [book, ledgers] = [await readBook(s), await s.marginPool.ledgers()];
  const fee = fromQuote(s, await s.marginPool.executionFee());
  let pot = book.quote + book.premium + book.income + fromQuote(s, ledgers.insuranceFund);
  let claims = 0n;
  let badDebt = 0n;
  const accounts = new Map<string, Due>();
  for (const trader of [...s.traders, s.frank, s.grace]) {
    const a = await s.marginPool.marginAccount(trader);
    const exact = await Tracked.read(s, trader);
    exact.accrue(index);
    const value = mul(exact.size, price);
    const profit = exact.size > 0n ? value - exact.entry : exact.entry + value;
    const gain = a.size === 0n ? 0n : profit - exact.owed;
    let collateral = fromQuote(s, a.collateral);
    const loss = reference.min(reference.max(-gain, 0n), collateral);
    badDebt += reference.max(-gain, 0n) - loss;
    collateral -= loss;
    pot += loss;
    if ((await s.marginPool.order(trader)).requestedAt !== 0n) collateral += fee;
    const claim = reference.max(gain, 0n) + fromQuote(s, a.unpaidClaim);
    claims += claim;
    accounts.set(trader.address, { collateral, claim });
  }
  const value = pot + mul(book.base, price);
  return { price, base: book.base, quote: pot, value, claims, badDebt, accounts };
}

type Wallets = Map<string, { quote: bigint; base: bigint }>;

async function wallets(s: Crowd): Promise<Wallets> {
  const all: Wallets = new Map();
  for (const signer of [...s.traders, s.frank, s.grace, s.owner, s.heidi, s.keeper]) {
    all.set(signer.address, {
      quote: await s.quote.balanceOf(signer),
      base: await s.base.balanceOf(signer),
    });
  }
  return all;
}

/** Calls in a random order, each as soon as it can succeed. */
async function run(
  calls: (() => Promise<unknown>)[],
  random: (below: number) => number,
): Promise<void> {
  const left = [...calls];
  while (left.length > 0) {
    const [call] = left.splice(random(left.length), 1);
    await call!();
  }
}

const SCENES = [
  { what: "a pool that can pay", end: (s: Crowd) => killFeed(s, 259_430_000_000_000_000_000n) },
  { what: "a bankrupt pool", end: (s: Crowd) => bankrupt(s, 633_170_000_000_000_000_000n) },
];

for (const decimals of DECIMALS) {
  const setUp = crowd(decimals);
  const name = `${decimals.baseDecimals}/${decimals.quoteDecimals}`;

  describe(`Settlement, decimals ${name}`, () => {
    for (const { what, end } of SCENES) {
      it(`of ${what} pays the same in every order of calls, and leaves dust`, async () => {
        for (let seed = 1; seed <= 3 * CAMPAIGN_SCALE; seed += 1) {
          const s = await loadFixture(setUp);
          await end(s);
          const due = await dues(s);
          const supply = await s.marginPool.totalSupply();
          const shares = new Map<string, bigint>();
          for (const lp of [s.owner, s.heidi]) {
            shares.set(lp.address, await s.marginPool.balanceOf(lp));
          }
          const credit = await s.marginPool.creditedOf(s.keeper);
          const before = await wallets(s);
          const pool = s.marginPool;
          const random = seededRandom(seed * 7_919);
          const takeMargin = async (trader: HardhatEthersSigner) => {
            const { collateral } = await pool.marginAccount(trader);
            if (collateral > 0n) await pool.connect(trader).withdrawMargin(collateral);
          };
          await run(
            [
              ...s.traders.map((trader) => () => pool.connect(s.keeper).settleAccount(trader)),
              () => pool.connect(s.keeper).claim(),
              () => pool.connect(s.frank).cancelOrder(),
              () => takeMargin(s.grace),
            ],
            random,
          );
          await pool.connect(s.grace).finalizeSettlement();
          await run(
            [
              ...[...s.traders, s.frank].map((trader) => () => takeMargin(trader)),
              ...s.traders
                .filter((trader) => due.accounts.get(trader.address)!.claim > 0n)
                .map((trader) => () => pool.connect(trader).claim()),
              ...[s.owner, s.heidi].flatMap((lp) =>
                [0, 1].map(() => async () => {
                  const part = (await pool.balanceOf(lp)) / 3n + supply / 10n ** 9n;
                  await pool.connect(lp).redeemInKind(part, lp);
                }),
              ),
            ],
            random,
          );
          for (const lp of [s.owner, s.heidi]) {
            await pool.connect(lp).redeemInKind(await pool.balanceOf(lp), lp);
          }
          await expectPaid(s, due, before, shares, credit);
        }
      });
    }

    it("counts what was deleveraged, and pays it", async () => {
      const s = await loadFixture(setUp);
      await toDeleveraging(s, await priceAtRatio(s, real("0.93"), 150n * WAD, 700n * WAD));
      const fraction = await s.marginPool.autoDeleverage.staticCall();
      const price = fromWad(await currentPrice(s));
      await s.marginPool.autoDeleverage();
      const [index] = await s.marginPool.funding();
      const exact = await Tracked.read(s, s.alice);
      exact.accrue(index);
      exact.close(fromWad(fraction), price);
      const { collateral } = await s.marginPool.marginAccount(s.alice);
      await killFeed(s, ((await currentPrice(s)) * 93n) / 100n);
      const [last] = await s.marginPool.funding();
      exact.accrue(last);
      const frozen = fromWad((await s.marginPool.settlement()).priceWad);
      const gain = mul(exact.size, frozen) - exact.entry - exact.owed;
      const seen = await s.marginPool.position(s.alice);
      await s.marginPool.settleAccount(s.alice);
      const after = await s.marginPool.marginAccount(s.alice);
      // sizes are rounded to a unit of base
      const grain = 10n + mul(fromBase(s, 1n), frozen) / fromQuote(s, 1n);
      expectUnits(after.unpaidClaim, gain, s.settings.quoteDecimals, grain, "claim");
      expect(after.unpaidClaim).to.equal(seen.equity - seen.collateral);
      expect([after.size, after.collateral]).to.deep.equal([0n, collateral]);
    });

    it("pays late accounts in proportion to what was kept for them, and their losers pay first", async () => {
      const s = await loadFixture(setUp);
      await killFeed(s, 259_430_000_000_000_000_000n);
      const due = await dues(s);
      for (const trader of [s.alice, s.dave]) await s.marginPool.settleAccount(trader);
      const { settledAt } = await s.marginPool.settlement();
      await time.increaseTo(settledAt + WEEK - 2n);
      await expect(s.marginPool.finalizeSettlement())
        .to.be.revertedWithCustomError(s.marginPool, "MarginPool_SettlementRunning")
        .withArgs(settledAt + WEEK);
      await time.increaseTo(settledAt + WEEK);
      await s.marginPool.finalizeSettlement();
      const end = await s.marginPool.settlement();
      // bob's gain was kept, the shorts' losses were not counted on
      const claim = (trader: HardhatEthersSigner) => due.accounts.get(trader.address)!.claim;
      expectUnits(end.lateReserve, claim(s.bob), s.settings.quoteDecimals, 60n, "reserve");
      expectUnits(end.claimsTotal, due.claims, s.settings.quoteDecimals, 60n, "claims");
      const losses = [s.carol, s.erin];
      const held = await Promise.all(losses.map((l) => s.marginPool.marginAccount(l)));
      await s.marginPool.settleAccount(s.carol);
      const { lateCash } = await s.marginPool.settlement();
      const paid = held[0]!.collateral - (await s.marginPool.marginAccount(s.carol)).collateral;
      expect([lateCash, paid > 0n]).to.deep.equal([paid, true]);
      const before = await s.marginPool.marginAccount(s.bob);
      const fee = await s.marginPool.executionFee();
      await s.marginPool.settleAccount(s.bob);
      const bob = await s.marginPool.marginAccount(s.bob);
      const cash = bob.collateral - before.collateral - fee;
      expect(cash).to.equal(lateCash);
      expectUnits(bob.unpaidClaim + cash, claim(s.bob), s.settings.quoteDecimals, 10n, "bob");
      // the rest of the claim is paid like everybody's
      const whole = reference.max(fromQuote(s, end.valueTotal), fromQuote(s, end.claimsTotal));
      const balance = await s.quote.balanceOf(s.bob);
      await s.marginPool.connect(s.bob).claim();
      expectUnits(
        (await s.quote.balanceOf(s.bob)) - balance,
        div(mul(fromQuote(s, end.quotePot), fromQuote(s, bob.unpaidClaim)), whole),
        s.settings.quoteDecimals,
        2n,
        "bob's claim",
      );
    });

    it("runs nothing else", async () => {
      const s = await loadFixture(setUp);
      await bankrupt(s, 633_170_000_000_000_000_000n);
      await round0(s);
      const pool = s.marginPool;
      const [alice, owner] = [pool.connect(s.alice), pool.connect(s.owner)];
      const expiresAt = (await now(s)) + 300n;
      const calls: Record<string, () => Promise<unknown>> = {
        sync: () => pool.sync(),
        requestOrder: () => alice.requestOrder(-(10n ** 8n), 0n, expiresAt),
        executeOrder: () => pool.executeOrder(s.bob),
        liquidate: () => pool.liquidate(s.carol),
        autoDeleverage: () => pool.autoDeleverage(),
        settle: () => pool.settle(),
        deposit: () => owner.deposit(10n ** 9n, s.owner),
        mint: () => owner.mint(10n ** 9n, s.owner),
        withdraw: () => owner.withdraw(1n, s.owner, s.owner),
        redeem: () => owner.redeem(10n ** 15n, s.owner, s.owner),
        "withdrawMargin with a position": () => alice.withdrawMargin(1n),
      };
      for (const [what, call] of Object.entries(calls)) {
        await expect(call(), what).to.be.revertedWithCustomError(pool, "MarginPool_IsSettled");
      }
      expect([await pool.maxDeposit(s.owner), await pool.maxWithdraw(s.owner)]).to.deep.equal([
        0n,
        0n,
      ]);
      const { priceWad } = await pool.settlement();
      expect((await pool.snapshot()).indexPriceWad).to.equal(priceWad);
      expect((await pool.poolState()).riskState).to.equal(SETTLED);
      await pool.totalAssets();
      await pool.position(s.alice);
      // money that is somebody's still moves
      await depositMargin(s, s.grace, 3n * WAD);
      await pool.connect(s.grace).withdrawMargin(quoteUnits(s, 5n * WAD));
      await pool.connect(s.frank).cancelOrder();
      await pool.connect(s.keeper).claim();
    });

    it("takes its steps in turn", async () => {
      const s = await loadFixture(setUp);
      const pool = s.marginPool;
      const shares = await pool.balanceOf(s.heidi);
      for (const call of [() => pool.settleAccount(s.alice), () => pool.finalizeSettlement()]) {
        await expect(call()).to.be.revertedWithCustomError(pool, "MarginPool_NotSettled");
      }
      await killFeed(s, 259_430_000_000_000_000_000n);
      const redeem = () => pool.connect(s.heidi).redeemInKind(shares, s.heidi);
      await expect(redeem()).to.be.revertedWithCustomError(pool, "MarginPool_NotFinalized");
      await pool.settleAccount(s.alice);
      for (const call of [() => pool.settleAccount(s.alice), () => pool.settleAccount(s.grace)]) {
        await expect(call()).to.be.revertedWithCustomError(pool, "MarginPool_NoPosition");
      }
      await expect(pool.connect(s.alice).claim()).to.be.revertedWithCustomError(
        pool,
        "MarginPool_NothingToClaim",
      );
      for (const trader of [s.bob, s.dave, ...s.shorts]) await pool.settleAccount(trader);
      await pool.finalizeSettlement();
      await expect(pool.finalizeSettlement()).to.be.revertedWithCustomError(
        pool,
        "MarginPool_AlreadyFinalized",
      );
      await redeem();
      await expect(redeem()).to.revert(connection.ethers);
    });
  });
}

describe("A dead feed", () => {
  const lonely = async function lonelyPool(): Promise<ProtocolFixture> {
    const f = await crowdedLongs(connection, DECIMALS[0])();
    await round(f, 61n, 201_170_000_000_000_000_000n);
    return f;
  };

  const fails: readonly (readonly [string, (f: ProtocolFixture) => Promise<unknown>])[] = [
    ["stops", () => time.increase(MAXIMUM_AGE + 1n)],
    ["answers zero", (f) => publishPrice(f, 0n)],
    ["answers beyond its bounds", (f) => publishPrice(f, 200_000n * WAD)],
  ];
  for (const [how, fail] of fails) {
    it(`that ${how} settles the pool a day after it was reported, at the last good price`, async () => {
      const f = await loadFixture(lonely);
      const pool = f.marginPool.connect(f.keeper);
      await expect(pool.settle()).to.be.revertedWithCustomError(pool, "MarginPool_FeedAlive");
      await fail(f);
      const reportedAt = (await now(f)) + 5n;
      expect(await pool.settle.staticCall()).to.equal(false);
      await time.setNextBlockTimestamp(reportedAt);
      await expect(pool.settle())
        .to.emit(pool, "DeadFeedReported")
        .withArgs(f.keeper.address, reportedAt + DAY);
      await time.setNextBlockTimestamp(reportedAt + DAY - 1n);
      await expect(pool.settle())
        .to.be.revertedWithCustomError(pool, "MarginPool_FeedNotDead")
        .withArgs(true, reportedAt + DAY);
      await time.setNextBlockTimestamp(reportedAt + DAY);
      await expect(pool.settle())
        .to.emit(pool, "SettlementStarted")
        .withArgs(f.keeper.address, 201_170_000_000_000_000_000n);
      const { priceWad, settledAt } = await pool.settlement();
      expect([priceWad, settledAt]).to.deep.equal([201_170_000_000_000_000_000n, reportedAt + DAY]);
      expect((await pool.riskClock()).state).to.equal(SETTLED);
    });
  }

  for (const synced of [true, false]) {
    it(`that lived in between is reported anew, ${synced ? "synced or" : "or"} not`, async () => {
      const f = await loadFixture(lonely);
      const pool = f.marginPool;
      await time.increase(MAXIMUM_AGE + 1n);
      await pool.settle();
      await time.increase(DAY - 600n);
      await publishPrice(f, 190n * WAD);
      if (synced) await pool.sync();
      await time.increase(MAXIMUM_AGE + 1n);
      expect(await pool.settle.staticCall()).to.equal(false);
      await expect(pool.settle()).to.emit(pool, "DeadFeedReported");
      await time.increase(DAY - 60n);
      await expect(pool.settle()).to.be.revertedWithCustomError(pool, "MarginPool_FeedNotDead");
      await time.increase(60n);
      await expect(pool.settle()).to.emit(pool, "SettlementStarted");
    });
  }

  it("does not count the time its sequencer was down", async () => {
    const sequencer = await connection.ethers.deployContract("MockPriceFeed", [8, "up", 0n]);
    await time.increase(4_000n);
    const f = await deployFixture(connection, { sequencerFeed: await sequencer.getAddress() });
    const pool = f.marginPool;
    const turn = async (down: boolean) => {
      const id = (await sequencer.latestRoundId()) + 1n;
      const at = (await now(f)) + 1n;
      await time.setNextBlockTimestamp(at);
      await sequencer.setRound(id, down ? 1n : 0n, at, at, id);
      return at;
    };
    await turn(true);
    await pool.settle();
    await time.increase(2n * DAY);
    await expect(pool.settle())
      .to.be.revertedWithCustomError(pool, "MarginPool_FeedNotDead")
      .withArgs(false, (deadAt: bigint) => deadAt > 0n);
    const upAt = await turn(false);
    const deadAt = upAt + 3_600n + DAY; // grace
    await time.setNextBlockTimestamp(deadAt - 1n);
    await expect(pool.settle())
      .to.be.revertedWithCustomError(pool, "MarginPool_FeedNotDead")
      .withArgs(true, deadAt);
    await time.setNextBlockTimestamp(deadAt);
    await expect(pool.settle()).to.emit(pool, "SettlementStarted");
  });
});

/** Another good round, which nobody may use any more. */
async function round0(s: ProtocolFixture): Promise<void> {
  await time.increase(61n);
  await publishPrice(s, 200n * WAD);
}

/** Every wallet got what the reference says, and nothing but dust is left. */
async function expectPaid(
  s: Crowd,
  due: Awaited<ReturnType<typeof dues>>,
  before: Wallets,
  shares: ReadonlyMap<string, bigint>,
  credit: bigint,
): Promise<void> {
  const supply = [...shares.values()].reduce((a, b) => a + b, 0n);
  const after = await wallets(s);
  const { baseDecimals, quoteDecimals } = s.settings;
  const whole = reference.max(due.value, due.claims);
  const left = reference.max(due.value - due.claims, 0n);
  for (const [address, { quote, base }] of after) {
    const account = due.accounts.get(address) ?? { collateral: 0n, claim: 0n };
    const lp = div(shares.get(address) ?? 0n, supply);
    const share = div(account.claim, whole) + mul(div(left, due.value), lp);
    const credits = address === s.keeper.address ? fromQuote(s, credit) : 0n;
    const who = address.slice(0, 6);
    expectUnits(
      quote - before.get(address)!.quote,
      account.collateral + credits + mul(due.quote, share),
      quoteDecimals,
      20n,
      `quote of ${who}`,
    );
    expectUnits(
      base - before.get(address)!.base,
      mul(due.base, share),
      baseDecimals,
      4n + div(fromQuote(s, 20n), due.price) / fromBase(s, 1n),
      `base of ${who}`,
    );
  }
  expectUnits(await s.marginPool.badDebt(), due.badDebt, quoteDecimals, 10n, "bad debt");
  const rest = await s.quote.balanceOf(s.marginPool);
  expect(rest < 200n + 10n ** BigInt(quoteDecimals) / 10n ** 6n, `quote left: ${rest}`).to.equal(
    true,
  );
  expect((await s.base.balanceOf(s.marginPool)) < 1_000n, "base left").to.equal(true);
}
