import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { network } from "hardhat";
import type { IMarginPool } from "../../../typechain-types/contracts/interfaces/IMarginPool.ts";
import * as reference from "../../support/marginReference.ts";
import { ONE } from "../../support/marginReference.ts";
import {
  deployFixture,
  depositMargin,
  FAR_DEADLINE,
  INDEX_PRICE,
  now,
  type ProtocolFixture,
  passTime,
  publishPrice,
  WAD,
} from "../../support/protocolFixture.ts";
import {
  build,
  expectBase,
  expectBooksBalance,
  expectQuote,
  fromBase,
  fromQuote,
  fromWad,
  hedge,
  modelAt,
  nextRound,
  order,
  readBook,
  readMarket,
  request,
} from "../../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture, takeSnapshot, time } = connection.networkHelpers;

const SIZE = 3_141_592653589793238462n;
/** Smallest step of the feed, as a price x 1e18. */
const TICK = 10n ** 10n;

async function deploy(sign: bigint, overrides = {}): Promise<ProtocolFixture> {
  const f = await deployFixture(connection, overrides);
  await depositMargin(f, f.alice, 40_003n * WAD);
  await depositMargin(f, f.bob, 1_000_003n * WAD);
  await build(f, f.alice, sign * SIZE, 1n);
  return f;
}
const longs = () => deploy(1n);
const shorts = () => deploy(-1n);

/** A new round, folded, five seconds later. */
async function moveTo(f: ProtocolFixture, price: bigint): Promise<void> {
  await nextRound(f, price);
  await f.volatilityOracle.poke();
}

/** What liquidating an account must do at an instant. The pool's depth has to bind skewScale, so that it stands still. */
async function expected(f: ProtocolFixture, trader: HardhatEthersSigner, at: bigint) {
  const { book, market, perBase } = await modelAt(f, at);
  const account = await f.marginPool.marginAccount(trader);
  const [indexWad] = await f.marginPool.funding();
  const size = fromBase(f, account.size);
  const owed = reference.mul(size, fromWad(indexWad - account.fundingIndexWad) + perBase);
  const value = reference.mul(size, market.price);
  const entry = fromQuote(f, account.entryNotional);
  const profit = size > 0n ? value - entry : entry + value;
  const equity = fromQuote(f, account.collateral) - owed + profit;
  const notional = reference.abs(value);
  const sigma = fromWad((await f.volatilityOracle.preview()).maintenanceVolatilityWad);
  const ratio = reference.maintenanceRatio(size, reference.skewScale(book, market), sigma);
  const maintenance = reference.mul(notional, ratio);
  const restored = reference.restoredRatio(ratio, sigma);
  const { closed, penalty } = reference.liquidation(equity, notional, ratio, restored);
  return { book, size, equity, notional, maintenance, restored, closed, penalty, profit, owed };
}

async function liquidate(
  f: ProtocolFixture,
  trader: HardhatEthersSigner,
  at: bigint,
): Promise<IMarginPool.LiquidationStructOutput> {
  await time.setNextBlockTimestamp(at);
  const receipt = (await (await f.marginPool.connect(f.carol).liquidate(trader)).wait())!;
  const parsed = receipt.logs.map((log) => f.marginPool.interface.parseLog(log));
  return parsed.find((log) => log?.name === "Liquidated")!.args.liquidation;
}

describe("Margin ratios", () => {
  it("are those of the reference for small and large positions, calm and wild markets", async () => {
    for (const initialVolatility of [(6n * WAD) / 10n, (211n * WAD) / 100n]) {
      for (const poolQuoteDepth of [20_411_873n * WAD, 700_003n * WAD]) {
        const f = await deployFixture(connection, { initialVolatility, poolQuoteDepth });
        for (const [trader, size] of [
          [f.alice, 17n * WAD],
          [f.bob, -SIZE],
        ] as const) {
          await depositMargin(f, trader, 300_003n * WAD);
          await order(f, trader, size);
          const [view, market] = [await f.marginPool.position(trader), await readMarket(f)];
          const { book } = await modelAt(f, await now(f));
          const notional = reference.mul(fromBase(f, size), market.price);
          const scale = reference.skewScale(book, market);
          const initial = reference.initialRatio(notional, scale, market.volatility);
          expect(initial > 0n).to.equal(true);
          const exactInitial = reference.mul(
            reference.abs(notional),
            reference.initialRatio(fromBase(f, size), scale, market.volatility),
          );
          const sigma = fromWad(await f.volatilityOracle.maintenanceVolatilityWad());
          const exactMaintenance = reference.mul(
            reference.abs(notional),
            reference.maintenanceRatio(fromBase(f, size), scale, sigma),
          );
          expectQuote(f, view.initialMargin, exactInitial, "initial margin", 3n);
          // skewScale_mm may still be a few parts in a million above a skewScale that has just fallen
          const slack = reference.abs(fromQuote(f, view.maintenanceMargin) - exactMaintenance);
          expect(slack <= exactMaintenance / 100_000n + fromQuote(f, 2n)).to.equal(true);
          expect(view.maintenanceMargin < view.initialMargin).to.equal(true);
        }
      }
    }
  });

  it("rise at once for openings when the pool loses depth, and by a tenth an hour for maintenance", async () => {
    const f = await deploy(1n, { poolQuoteDepth: 10_203_977n * WAD });
    const calm = await f.marginPool.position(f.alice);
    const [scaleBefore, start] = [
      reference.skewScale(await readBook(f), await readMarket(f)),
      await now(f),
    ];
    const liquidity = await f.pool.balanceOf(f.owner);
    const { pool, owner } = f;
    await pool.connect(owner).removeLiquidity((liquidity * 3n) / 5n, 0n, 0n, owner, FAR_DEADLINE);
    await publishPrice(f, INDEX_PRICE);
    await f.rebalancer.poke();
    const shallow = await f.marginPool.position(f.alice);
    expect(shallow.initialMargin > calm.initialMargin).to.equal(true);
    expect(
      shallow.maintenanceMargin - calm.maintenanceMargin < calm.maintenanceMargin / 10_000n,
    ).to.equal(true);
    await time.setNextBlockTimestamp(start + 1_800n);
    await publishPrice(f, INDEX_PRICE);
    await f.marginPool.sync();
    const market = await readMarket(f);
    const scaleAfter = reference.skewScale(await readBook(f), market);
    expect(scaleAfter * 10n < scaleBefore * 5n).to.equal(true);
    const sigma = fromWad(await f.volatilityOracle.maintenanceVolatilityWad());
    const ramped = (scaleBefore * 59n) / 60n; // 10 % an hour, for at most ten minutes
    const notional = reference.mul(fromBase(f, SIZE), market.price);
    const expectedMargin = reference.mul(
      notional,
      reference.maintenanceRatio(fromBase(f, SIZE), ramped, sigma),
    );
    const view = await f.marginPool.position(f.alice);
    const difference = reference.abs(fromQuote(f, view.maintenanceMargin) - expectedMargin);
    expect(difference < expectedMargin / 20_000n).to.equal(true);
  });
});

describe("Liquidation", () => {
  for (const [side, fixture, worse] of [
    ["long", longs, -1n],
    ["short", shorts, 1n],
  ] as const) {
    it(`of a ${side} is refused at the last healthy price and allowed one tick further`, async () => {
      const f = await loadFixture(fixture);
      // sooner than the next volatility sample, so that the margin ratio stands still
      const snapshot = await takeSnapshot();
      const at = (await now(f)) + 40n;
      const healthyAt = async (ticks: bigint): Promise<boolean> => {
        await time.setNextBlockTimestamp(at);
        await publishPrice(f, INDEX_PRICE + worse * ticks * TICK);
        const { liquidatable, equity, maintenanceMargin } = await f.marginPool.position(f.alice);
        expect(liquidatable).to.equal(equity < maintenanceMargin);
        await snapshot.restore();
        return !liquidatable;
      };
      let [healthy, sick] = [0n, 2_500_000_000n]; // up to 25 quote away
      while (sick - healthy > 1n) {
        const middle = (healthy + sick) / 2n;
        if (await healthyAt(middle)) healthy = middle;
        else sick = middle;
      }
      for (const ticks of [healthy, sick]) {
        await time.setNextBlockTimestamp(at);
        await publishPrice(f, INDEX_PRICE + worse * ticks * TICK);
        const tried = f.marginPool.liquidate.staticCall(f.alice);
        if (ticks === healthy) {
          await expect(tried).to.be.revertedWithCustomError(
            f.marginPool,
            "MarginPool_NotLiquidatable",
          );
          const { equity, maintenance } = await expected(f, f.alice, await now(f));
          expect(equity >= maintenance, `${equity - maintenance}`).to.equal(true);
          // one tick of the price is 31 millionths of a quote a base
          expect(equity - maintenance < fromQuote(f, 100n), `${equity - maintenance}`).to.equal(
            true,
          );
        } else await tried;
        await snapshot.restore();
      }
    });

    it(`of a ${side} closes what restores the margin, at the penalty of the schedule: keeper first, 70 % of the rest to insurance, the rest to LPs`, async () => {
      const f = await loadFixture(fixture);
      const snapshot = await takeSnapshot();
      // equity from just below the maintenance margin to nearly nothing
      for (const [move, whole] of [
        [8_310n, false],
        [9_100n, false],
        [10_900n, true],
        [12_340n, true],
      ] as const) {
        await moveTo(f, INDEX_PRICE + worse * move * 10n ** 15n);
        const at = (await now(f)) + 2n;
        const before = await f.marginPool.marginAccount(f.alice);
        const e = await expected(f, f.alice, at);
        expect(e.equity > 0n && e.equity < e.maintenance, `equity at ${move}`).to.equal(true);
        expect(e.closed === e.notional, `all of it at ${move}`).to.equal(whole);
        const { insuranceFund } = await f.marginPool.ledgers();
        const event = await liquidate(f, f.alice, at);
        expectQuote(f, event.equity, e.equity, "equity", 4n);
        expectQuote(f, event.penalty, e.penalty, "penalty", 4n);
        expect(event.keeperReward, "capped at 50 quote").to.equal(50_000_000n);
        expect(event.badDebt).to.equal(0n);
        expect(await f.marginPool.creditedOf(f.carol)).to.equal(event.keeperReward);
        // a unit of equity is 30 of what is closed, for IMR_liq less the rate is 3 %; and a unit of quote 5e-9 base
        const closed = reference.div(reference.mul(e.size, e.closed), e.notional);
        expectBase(f, event.closed, closed, "closed", 4n * 30n * 6n * 10n ** 9n);
        expect(event.size).to.equal(before.size - event.closed);

        const share = reference.div(fromBase(f, event.closed), e.size);
        const rest = event.penalty - event.keeperReward;
        const after = await f.marginPool.ledgers();
        expect(after.insuranceFund - insuranceFund).to.equal((rest * 7n) / 10n);
        const left = reference.mul(ONE - share, ONE - share);
        const premium = reference.mul(e.book.premium, left);
        expectQuote(f, after.skewPremium, premium, "J keeps what the skew left supports", 4n);
        const lost = e.book.premium - premium;
        const income = e.book.income + lost + (fromQuote(f, rest) * 3n) / 10n;
        expectQuote(f, after.pendingIncome, income, "S takes its part and the rest of J", 6n);
        const realized = reference.mul(e.profit, share) - e.owed;
        expectQuote(f, after.inventoryQuote, e.book.quote - realized, "q", 8n);

        const account = await f.marginPool.marginAccount(f.alice);
        expect(account.size).to.equal(event.size);
        expect([account.entryNotional, account.collateral]).to.deep.equal([
          event.entryNotional,
          event.collateral,
        ]);
        const entry = reference.mul(fromQuote(f, before.entryNotional), ONE - share);
        expectQuote(f, account.entryNotional, entry, "entry notional left", 4n);
        const unrealized = reference.mul(e.profit, ONE - share);
        const kept = e.equity - e.penalty - unrealized;
        expectQuote(f, account.collateral, kept, "what the trader keeps", 8n);
        if (whole) {
          expect([account.size, account.entryNotional, account.openedAt]).to.deep.equal([
            0n,
            0n,
            0n,
          ]);
        } else {
          expect(account.openedAt).to.equal(before.openedAt);
          const equity = fromQuote(f, account.collateral) + unrealized;
          const needed = reference.mul(e.restored, reference.mul(e.notional, ONE - share));
          const off = equity - needed;
          expect(reference.abs(off) <= fromQuote(f, 12n), `IMR_liq missed by ${off}`).to.equal(
            true,
          );
          expect((await f.marginPool.position(f.alice)).liquidatable, "I17").to.equal(false);
          await expect(f.marginPool.liquidate(f.alice)).to.be.revertedWithCustomError(
            f.marginPool,
            "MarginPool_NotLiquidatable",
          );
        }
        await expectBooksBalance(f, [f.alice, f.bob]);
        await snapshot.restore();
      }
    });
  }

  it("comes again for what is left when the price goes on, and leaves no dust open", async () => {
    const f = await loadFixture(longs);
    let price = INDEX_PRICE - 8_310n * 10n ** 15n;
    let size = SIZE;
    const parts: bigint[] = [];
    for (; size !== 0n; price -= WAD / 2n) {
      await moveTo(f, price);
      if (!(await f.marginPool.position(f.alice)).liquidatable) continue;
      const before = await f.marginPool.position(f.alice);
      const event = await liquidate(f, f.alice, (await now(f)) + 2n);
      expect(event.closed > 0n && event.closed <= size).to.equal(true);
      expect(event.badDebt).to.equal(0n);
      size -= event.closed;
      expect(event.size).to.equal(size);
      parts.push(event.closed);
      const notional = (size * price) / WAD / 10n ** 12n;
      if (size === 0n) break;
      expect(notional >= 500n * 10n ** 6n, "dust").to.equal(true);
      const after = await f.marginPool.position(f.alice);
      expect(
        after.equity * before.size > before.equity * after.size,
        "I17: the margin ratio rises",
      ).to.equal(true);
      await expectBooksBalance(f, [f.alice]);
    }
    expect(parts.length, `${parts}`).to.be.greaterThan(3);
    expect(parts.reduce((sum, part) => sum + part, 0n)).to.equal(SIZE);
    await expectBooksBalance(f, [f.alice]);
  });

  it("gives the keeper all of a penalty below 50 quote", async () => {
    const f = await loadFixture(longs);
    await depositMargin(f, f.carol, 112n * WAD);
    await order(f, f.carol, 11n * WAD);
    await moveTo(f, 189_010000000000000000n);
    const event = await liquidate(f, f.carol, (await now(f)) + 2n);
    expect(event.penalty > 0n && event.penalty < 50_000_000n).to.equal(true);
    expect(event.keeperReward).to.equal(event.penalty);
  });

  it("lets the premium ledger fall with the square of the skew that is left", async () => {
    const f = await loadFixture(longs);
    await build(f, f.bob, SIZE, 1n);
    await moveTo(f, 183_010000000000000000n);
    const at = (await now(f)) + 2n;
    const { book } = await expected(f, f.alice, at);
    await liquidate(f, f.alice, at);
    expectQuote(f, (await f.marginPool.ledgers()).skewPremium, book.premium / 4n, "J", 3n);
  });

  it("never reaches a healthy position because volatility jumped in the same block", async () => {
    const f = await loadFixture(longs);
    const calm = await f.volatilityOracle.realizedVolatilityWad();
    for (const price of [240_010000000000000000n, INDEX_PRICE]) {
      await time.increase(60);
      await publishPrice(f, price);
    }
    const snapshot = await takeSnapshot();
    await f.volatilityOracle.poke();
    const view = await f.marginPool.position(f.alice);
    const market = await readMarket(f);
    expect(market.volatility, "the ceiling").to.equal(reference.real("3"));
    const scale = reference.skewScale(await readBook(f), market);
    const jumped = reference.mul(
      reference.mul(fromBase(f, SIZE), market.price),
      reference.maintenanceRatio(fromBase(f, SIZE), scale, market.volatility),
    );
    expect(jumped > fromQuote(f, view.equity), "it would be if maintenance jumped").to.equal(true);
    expect(view.liquidatable).to.equal(false);
    await snapshot.restore();
    await expect(f.marginPool.liquidate(f.alice)).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_NotLiquidatable",
    );
    expect(
      await f.volatilityOracle.realizedVolatilityWad(),
      "the jump came with the call",
    ).to.equal(calm);
  });

  it("waits for the block after the opening", async () => {
    const f = await loadFixture(longs);
    await request(f, f.bob, -SIZE);
    await nextRound(f);
    await connection.ethers.provider.send("evm_setAutomine", [false]);
    try {
      await f.marginPool.connect(f.keeper).executeOrder(f.bob, { gasLimit: 2_000_000n });
      await expect(
        f.marginPool.liquidate.staticCall(f.bob, { blockTag: "pending" }),
      ).to.be.revertedWithCustomError(f.marginPool, "MarginPool_OpenedThisBlock");
      await connection.networkHelpers.mine();
    } finally {
      await connection.ethers.provider.send("evm_setAutomine", [true]);
    }
    expect((await f.marginPool.marginAccount(f.bob)).openedAt).to.equal(await now(f));
    await expect(f.marginPool.liquidate(f.bob)).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_NotLiquidatable",
    );
  });

  it("needs a position and a good price", async () => {
    const f = await loadFixture(longs);
    await expect(f.marginPool.liquidate(f.carol)).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_NoPosition",
    );
    await moveTo(f, 150_010000000000000000n);
    await time.increase(4_000);
    await expect(f.marginPool.liquidate(f.alice)).to.be.revertedWithCustomError(
      f.priceOracle,
      "PriceOracle_PriceStale",
    );
  });
});

describe("Bad debt", () => {
  it("is recorded, taken from at most half of the insurance a day, then from LPs", async () => {
    const f = await loadFixture(longs);
    await depositMargin(f, f.carol, 40_003n * WAD);
    await build(f, f.carol, SIZE, 1n);
    const [dan] = (await connection.ethers.getSigners()).slice(6);
    await f.quote.mint(dan!, 10n ** 12n);
    await f.quote.connect(dan!).approve(f.marginPool, 10n ** 12n);
    await depositMargin(f, dan!, 22_003n * WAD);
    await order(f, dan!, SIZE / 2n);
    await moveTo(f, 168_010000000000000000n);

    const fund = (await f.marginPool.ledgers()).insuranceFund;
    let at = (await now(f)) + 2n;
    let e = await expected(f, f.alice, at);
    const first = await liquidate(f, f.alice, at);
    expectQuote(f, first.badDebt, -e.equity, "first shortfall", 4n);
    expect([first.penalty, first.keeperReward]).to.deep.equal([0n, 0n]);
    expect(first.paidByInsurance).to.equal(first.badDebt);
    expect(first.badDebt < fund / 2n).to.equal(true);
    expect((await f.marginPool.marginAccount(f.alice)).collateral).to.equal(0n);

    at = (await now(f)) + 2n;
    e = await expected(f, f.carol, at);
    const equity = (await f.marginPool.poolState()).equity;
    const second = await liquidate(f, f.carol, at);
    expectQuote(f, second.badDebt, -e.equity, "second shortfall", 4n);
    // Two seconds have given a 43,200th of the first payment back, half of it as allowance.
    expect(second.paidByInsurance, "what is left of half the fund").to.be.closeTo(
      fund / 2n - first.paidByInsurance,
      first.paidByInsurance / 80_000n,
    );
    expect(second.badDebt > second.paidByInsurance).to.equal(true);
    const lost = equity - (await f.marginPool.poolState()).equity;
    const uncovered = second.badDebt - second.paidByInsurance;
    // E has income of a few seconds besides
    expect(reference.abs(lost - uncovered) < 2_000_000n, `LPs lost ${lost}`).to.equal(true);
    expect(await f.marginPool.badDebt()).to.equal(first.badDebt + second.badDebt);
    const rest = (await f.marginPool.ledgers()).insuranceFund;
    const paid = first.paidByInsurance + second.paidByInsurance;
    expect(rest).to.equal(fund - paid);

    // Half a day later half of what was paid still counts against half of what the fund would hold.
    at += 43_200n;
    await time.setNextBlockTimestamp(at - 5n);
    await f.feed.setPrice((await f.feed.latestRoundData())[1]);
    const third = await liquidate(f, dan!, at);
    const allowance = (rest + paid / 2n) / 2n - paid / 2n;
    expect(third.badDebt > allowance, `${third.badDebt} of ${allowance}`).to.equal(true);
    expect(third.paidByInsurance).to.be.closeTo(allowance, allowance / 1_000n);
    await expectBooksBalance(f, [f.alice, f.bob, f.carol, dan!]);
  });
});

describe("Payouts", () => {
  /** Longs of 36 % of equity, hedged, so that LPs hold little quote. */
  async function richLongs(): Promise<ProtocolFixture> {
    const f = await deployFixture(connection, { poolQuoteDepth: 2_041_187_300n * WAD });
    for (const trader of [f.alice, f.bob]) await depositMargin(f, trader, 4_000_003n * WAD);
    await build(f, f.alice, 17_000n * WAD, 4n, true);
    await build(f, f.bob, 500n * WAD, 1n, true);
    return f;
  }

  it("never revert for lack of quote: what is missing becomes a claim that is paid before newer profit", async () => {
    const f = await loadFixture(richLongs);
    await publishPrice(f, 333_330000000000000000n);
    await f.volatilityOracle.poke();
    const before = await f.marginPool.marginAccount(f.alice);
    const closed = await order(f, f.alice, -17_000n * WAD);
    expect([closed.event, closed.remaining]).to.deep.equal(["OrderExecuted", 0n]);
    const account = await f.marginPool.marginAccount(f.alice);
    const owed = account.unpaidClaim;
    expect(owed > 0n, "the gain exceeds the quote held").to.equal(true);
    const gain = closed.filled!.realizedProfit - closed.filled!.fundingPaid;
    const { premium, takerFee, hedgeCharge } = closed.filled!;
    expect(account.collateral + owed + 500_000n).to.equal(
      before.collateral + gain - premium - takerFee - hedgeCharge,
    );
    expect((await f.marginPool.ledgers()).unpaidClaims).to.equal(owed);
    await expectBooksBalance(f, [f.alice, f.bob]);
    // margin is hers to take, whatever the pool lacks
    await f.marginPool.connect(f.alice).withdrawMargin(account.collateral);

    // a later winner waits behind the older claim
    const later = await order(f, f.bob, -500n * WAD);
    expect(later.event).to.equal("OrderExecuted");
    const bobs = (await f.marginPool.marginAccount(f.bob)).unpaidClaim;
    expect(bobs > 0n).to.equal(true);

    await hedge(f);
    const { inventoryQuote } = await f.marginPool.ledgers();
    expect(inventoryQuote >= owed + bobs, "base was sold").to.equal(true);
    await expect(f.marginPool.connect(f.alice).claim()).to.changeTokenBalance(
      connection.ethers,
      f.quote,
      f.alice,
      owed,
    );
    await f.marginPool.connect(f.bob).claim();
    expect((await f.marginPool.ledgers()).unpaidClaims).to.equal(0n);
    expect((await f.marginPool.marginAccount(f.alice)).unpaidClaim).to.equal(0n);
    await expectBooksBalance(f, [f.alice, f.bob]);
  });

  it("pay of a claim what quote there is and keep the rest", async () => {
    const f = await loadFixture(richLongs);
    await publishPrice(f, 333_330000000000000000n);
    await f.volatilityOracle.poke();
    await order(f, f.alice, -17_000n * WAD);
    const { unpaidClaim } = await f.marginPool.marginAccount(f.alice);
    await passTime(f, 3_600n); // some income reaches q
    const { inventoryQuote } = await f.marginPool.ledgers();
    expect(inventoryQuote > 0n && inventoryQuote < unpaidClaim).to.equal(true);
    await f.marginPool.connect(f.alice).claim();
    expect((await f.marginPool.marginAccount(f.alice)).unpaidClaim).to.equal(
      unpaidClaim - inventoryQuote,
    );
    await expect(f.marginPool.connect(f.alice).claim()).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_NothingToClaim",
    );
    expect((await f.marginPool.poolState()).equity > 0n, "LPs still own base").to.equal(true);
  });
});
