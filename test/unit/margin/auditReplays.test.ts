import { expect } from "chai";
import { network } from "hardhat";
import {
  crowdedLongs,
  crowdedShorts,
  DAY,
  DECIMALS,
  DELEVERAGING,
  deployAlone,
  enter,
  GUARDED,
  priceAtRatio,
  REDUCE_ONLY,
  round,
  toDeleveraging,
} from "../../support/lastStand.ts";
import { real } from "../../support/marginReference.ts";
import {
  baseUnits,
  currentPrice,
  deployFixture,
  depositMargin,
  fundAndApprove,
  now,
  type ProtocolFixture,
  passTime,
  publishPrice,
  quoteUnits,
  WAD,
} from "../../support/protocolFixture.ts";
import { build, execute, nextRound, order, request } from "../../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture, time } = connection.networkHelpers;

async function stranger(f: ProtocolFixture, index = 7) {
  const signer = (await connection.ethers.getSigners())[index]!;
  await fundAndApprove(f, signer);
  return signer;
}

/** Attacks that were tried on the margin pool, each under the symptom it would have; every test states what must hold. */
describe("Replays of attacks", () => {
  // ------------------------------------------------------- margin that stays for a moment

  const longs = crowdedLongs(connection, DECIMALS[0]);

  it("margin that comes and goes in one block does not end a deleveraging", async () => {
    const f = await loadFixture(longs);
    const attacker = await stranger(f);
    await round(f, 60n, await priceAtRatio(f, real("1.1"), 150n * WAD, 700n * WAD));
    await enter(f, attacker, 840_007n * WAD, -1_600_003n * WAD, 3n);
    await toDeleveraging(f, await priceAtRatio(f, real("0.97"), 150n * WAD, 700n * WAD));
    const amount = quoteUnits(f, 1_100_001n * WAD);
    await f.marginPool.connect(attacker).depositMargin(amount);
    await f.marginPool.sync();
    await f.marginPool
      .connect(attacker)
      .withdrawMargin(amount)
      .catch(() => undefined);
    const after = await f.marginPool.poolState();
    expect(
      after.riskState === DELEVERAGING || after.solvencyRatioWad >= (WAD * 105n) / 100n,
      `state ${after.riskState} at SR ${after.solvencyRatioWad}`,
    ).to.equal(true);
  });

  /** A trader that makes several calls in one transaction, with a short position and more quote than its margin. */
  async function batchTrader() {
    const f = await deployAlone(connection, {
      baseValue: 5_003_303n * WAD,
      quoteValue: 5_004_108n * WAD,
    });
    const trader = await connection.ethers.deployContract("MockBatchTrader");
    await f.quote.mint(trader, quoteUnits(f, 9_000_011n * WAD));
    const { marginPool, quote } = f;
    const call = marginPool.interface;
    const run = async (...data: string[]) => {
      const target = await marginPool.getAddress();
      return trader.run(data.map((bytes) => ({ target, data: bytes })));
    };
    await trader.run([
      {
        target: await quote.getAddress(),
        data: quote.interface.encodeFunctionData("approve", [
          await marginPool.getAddress(),
          2n ** 256n - 1n,
        ]),
      },
    ]);
    const deposit = (wad: bigint) => call.encodeFunctionData("depositMargin", [quoteUnits(f, wad)]);
    const withdraw = (wad: bigint) =>
      call.encodeFunctionData("withdrawMargin", [quoteUnits(f, wad)]);
    const sell = async () =>
      call.encodeFunctionData("requestOrder", [
        -baseUnits(f, 3_007n * WAD),
        0n,
        (await now(f)) + 590n,
      ]);
    const fill = async () => call.encodeFunctionData("executeOrder", [await trader.getAddress()]);
    return { f, trader, run, deposit, withdraw, sell, fill, sync: call.encodeFunctionData("sync") };
  }

  it("margin lent to a position does not come back in the transaction", async () => {
    const { f, run, deposit, withdraw, sell, fill, sync } = await batchTrader();
    await run(deposit(400_003n * WAD), await sell());
    await nextRound(f);
    await run(await fill());
    await expect(run(deposit(WAD), sync, withdraw(WAD))).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_MarginAddedInTransaction",
    );
    await run(deposit(WAD));
    await run(withdraw(WAD));
  });

  it("margin lent just before the position opens does not come back in the transaction", async () => {
    const { f, run, deposit, withdraw, sell, fill } = await batchTrader();
    await run(deposit(400_003n * WAD), await sell());
    await nextRound(f);
    await expect(
      run(deposit(170_001n * WAD), await fill(), withdraw(170_001n * WAD)),
    ).to.be.revertedWithCustomError(f.marginPool, "MarginPool_MarginAddedInTransaction");
  });

  async function shortOfCapital() {
    const f = await deployAlone(
      connection,
      { baseValue: 9_103_303n * WAD, quoteValue: 904_108n * WAD },
      { initialVolatility: (165n * WAD) / 100n },
    );
    const attacker = await stranger(f);
    await enter(f, f.alice, 1_300_003n * WAD, -2_100_017n * WAD, 3n);
    await round(f, 660n);
    await enter(f, f.bob, 1_300_007n * WAD, -1_900_011n * WAD, 3n);
    await round(f, 660n);
    return { ...f, attacker };
  }

  it("margin that comes and goes in one block lets no LP out of a pool that is short of capital", async () => {
    const f = await loadFixture(shortOfCapital);
    const { attacker } = f;
    await enter(f, attacker, 570_007n * WAD, 2_200_003n * WAD, 3n);
    await round(f, 660n);
    const before = await f.marginPool.poolState();
    expect(before.riskState).to.equal(GUARDED);
    const lp = f.marginPool.connect(f.owner);
    expect(await lp.maxWithdraw(f.owner)).to.equal(0n);

    const amount = quoteUnits(f, 1_700_001n * WAD);
    await f.marginPool.connect(attacker).depositMargin(amount);
    const out = await lp.maxWithdraw(f.owner);
    if (out > 0n) await lp.withdraw((out * 99n) / 100n, f.owner, f.owner);
    await f.marginPool
      .connect(attacker)
      .withdrawMargin(amount)
      .catch(() => undefined);
    const after = await f.marginPool.poolState();
    expect(
      out === 0n || after.solvencyRatioWad >= (WAD * 3n) / 2n,
      `I14: ${out} left, and SR is ${after.solvencyRatioWad}`,
    ).to.equal(true);
  });

  async function beforeTheFall() {
    const f = await deployFixture(connection);
    const attacker = await stranger(f);
    await passTime(f, 5_400n); // two snapshots of the pool
    await f.marginPool.connect(f.carol).deposit(quoteUnits(f, 1_000_017n * WAD), f.carol);
    await passTime(f, 660n);
    await depositMargin(f, f.alice, 190_003n * WAD);
    await build(f, f.alice, 4_347n * 3n * WAD, 3n, true);
    await depositMargin(f, attacker, 500_007n * WAD);
    await build(f, attacker, 5_138n * WAD, 1n, true);
    return { ...f, attacker };
  }

  // A side's losses count up to 0.9 of the margin of all its accounts, also where one account's loss will never be paid.
  // What keeps LPs from leaving on that is the pool's average: it lags, and they wait for it.
  /** What half of carol's shares are worth `fall` percent down, before and after the liquidation. */
  async function leaving(fall: bigint, lent: bigint) {
    const f = await loadFixture(beforeTheFall);
    await time.increase(600);
    await nextRound(f, ((await currentPrice(f)) * (100n - fall)) / 100n);
    await f.marginPool.sync();
    const shares = (await f.marginPool.balanceOf(f.carol)) / 2n;
    if (lent > 0n) await depositMargin(f, f.attacker, lent * WAD);
    const leave = () => f.marginPool.connect(f.carol).redeem.staticCall(shares, f.carol, f.carol);
    const liquidate = () => f.marginPool.liquidate(f.alice);
    return { f, leave, liquidate };
  }

  for (const lent of [0n, 500_001n]) {
    it(`who leaves before the liquidations takes less than one percent of losses that nobody will pay along, with ${lent} of margin lent`, async () => {
      for (const fall of [7n, 12n]) {
        const { f, leave, liquidate } = await leaving(fall, lent);
        const paid = await leave();
        await liquidate();
        expect((await f.marginPool.badDebt()) > 0n).to.equal(true);
        const worth = await leave();
        expect(paid <= (worth * 101n) / 100n, `paid ${paid}, worth ${worth}`).to.equal(true);
      }
    });
  }

  it("nobody leaves before the liquidations of a fall by a fifth", async () => {
    const { f, leave } = await leaving(21n, 0n);
    await expect(leave()).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_PriceFarFromAverage",
    );
  });

  // ------------------------------------------------------------------- exhaustion

  const shorts = crowdedShorts(connection, DECIMALS[0]);

  it("nobody can deleverage a side so often at once that it can never be deleveraged again", async () => {
    const f = await loadFixture(shorts);
    const price = await currentPrice(f);
    await toDeleveraging(f, (price * 37n) / 100n);
    const deleverage = async () => {
      for (;;) {
        try {
          await f.marginPool.connect(f.keeper).autoDeleverage.staticCall();
          await f.marginPool.connect(f.keeper).autoDeleverage();
        } catch (error) {
          return String(error);
        }
      }
    };
    const attacker = await stranger(f);
    let last = await deleverage();
    for (let turn = 0; turn < 3; turn += 1) {
      await enter(f, attacker, 30_003n * WAD, -30_001n * WAD);
      last = await deleverage();
    }
    expect(last).to.not.match(/DeleveragingExhausted/);
  });

  it("a pool that is nearly at its goal can still be deleveraged there", async () => {
    const f = await loadFixture(longs);
    const at = (ratio: string) => priceAtRatio(f, real(ratio), 150n * WAD, 700n * WAD);
    await toDeleveraging(f, await at("0.97"));
    await round(f, 60n, await at("1.0494"));
    expect((await f.marginPool.poolState()).riskState).to.equal(DELEVERAGING);
    await f.marginPool.autoDeleverage();
    expect((await f.marginPool.poolState()).riskState).to.equal(REDUCE_ONLY);
  });

  // ---------------------------------------------------------------------- a dead feed

  it("a feed that counts its rounds anew is bad, and dead after a day", async () => {
    const f = await loadFixture(longs);
    const answer = (await f.feed.latestRoundData())[1];
    const publish = async (id: bigint) => {
      const at = await now(f);
      await f.feed.setRound((1n << 64n) | id, answer, at, at, (1n << 64n) | id);
    };
    await publish(1n);
    await expect(f.marginPool.sync()).to.be.revert(connection.ethers);
    await f.marginPool.settle();
    for (let hour = 0n; hour < 26n; hour += 1n) {
      await time.increase(3_600n);
      await publish(2n + (hour % 2n));
    }
    await f.marginPool.settle();
    await time.increase(DAY);
    expect((await f.marginPool.settlement()).settledAt > 0n).to.equal(true);
  });

  it("a sequencer feed without an answer for a day settles the pool, though prices go on", async () => {
    const sequencer = await connection.ethers.deployContract("MockPriceFeed", [0, "up", 0n]);
    await time.increase(7_200n);
    const f = await deployFixture(connection, {
      sequencerFeed: await sequencer.getAddress(),
      poolQuoteDepth: 0n,
    });
    await sequencer.setRound((1n << 64n) | 2n, 0n, 0n, 0n, 0n);
    await expect(f.marginPool.sync()).to.be.revert(connection.ethers);
    await f.marginPool.settle();
    for (let hour = 0n; hour < 25n; hour += 1n) {
      await time.increase(3_600n);
      await publishPrice(f, await currentPrice(f));
    }
    await f.marginPool.settle();
    expect((await f.marginPool.settlement()).settledAt > 0n).to.equal(true);
  });

  // ------------------------------------------------------------------------- escrow

  it("the fee in escrow for an order that waits is paid once", async () => {
    const f = await deployAlone(connection, {
      baseValue: 5_003_303n * WAD,
      quoteValue: 5_004_108n * WAD,
    });
    const attacker = await stranger(f);
    await enter(f, f.alice, 300_003n * WAD, 400_011n * WAD);
    const fee = await f.marginPool.executionFee();
    const margins = 3_000_007n * WAD;
    await depositMargin(f, attacker, margins);
    const { remaining } = await order(f, attacker, -12_007n * WAD);
    expect(remaining).to.not.equal(0n);
    const { collateral } = await f.marginPool.marginAccount(attacker);
    const waiting = await f.marginPool.ledgers();
    await time.increase(3_901n);
    await f.marginPool.settle();
    await time.increase(DAY);
    await f.marginPool.settle();
    await f.marginPool.connect(attacker).cancelOrder();
    await expect(f.marginPool.connect(attacker).cancelOrder()).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_NoOrder",
    );
    expect((await f.marginPool.marginAccount(attacker)).collateral).to.equal(collateral + fee);
    await f.marginPool.settleAccount(attacker);
    expect((await f.marginPool.order(attacker)).requestedAt).to.equal(0n);
    await f.marginPool.settleAccount(f.alice);
    await f.marginPool.finalizeSettlement();
    for (const trader of [attacker, f.alice]) {
      const { collateral: left, unpaidClaim } = await f.marginPool.marginAccount(trader);
      if (left > 0n) await f.marginPool.connect(trader).withdrawMargin(left);
      if (unpaidClaim > 0n) await f.marginPool.connect(trader).claim();
    }
    const credits = await f.marginPool.creditedOf(f.keeper);
    const end = await f.marginPool.ledgers();
    expect(end.custodyQuote).to.equal(credits);
    expect(waiting.custodyQuote > credits).to.equal(true);
    await f.marginPool.connect(f.keeper).claim();
    expect(await f.quote.balanceOf(f.marginPool)).to.be.gte(end.inventoryQuote);
  });

  // ------------------------------------------------------------------------- widths

  it("a skew as large as the ledgers let it be does not stop the pool", async () => {
    const f = await deployFixture(connection, {
      lpEquity: 0n,
      poolQuoteDepth: 0n,
      initialPrice: 10n ** 9n,
      feedDecimals: 18,
      targetBaseWeight: WAD / 5n,
    });
    const base = 2_550_017n * 10n ** 27n; // 2.55 M quote
    await f.base.mint(f.owner, base);
    await f.marginPool.connect(f.owner).bootstrap(base, quoteUnits(f, 7_450_017n * WAD));
    await round(f, 660n);
    await depositMargin(f, f.alice, 3_000_007n * WAD);
    let refused = 0;
    for (let turn = 0; turn < 4; turn += 1) {
      await request(f, f.alice, 910_003n * 10n ** 27n);
      await nextRound(f);
      await execute(f, f.alice).catch((error) => {
        expect(String(error)).to.match(/LedgerOutOfBounds/);
        refused += 1;
      });
      await round(f, 660n);
      if (refused > 0) await execute(f, f.alice); // past its expiry: removed
    }
    expect(refused).to.equal(2);
    const { size } = await f.marginPool.marginAccount(f.alice);
    expect((await order(f, f.alice, -size)).event).to.equal("OrderExecuted");
    await f.marginPool.sync();
  });
});
