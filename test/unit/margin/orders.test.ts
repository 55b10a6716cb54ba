import { expect } from "chai";
import { network } from "hardhat";
import * as reference from "../../support/marginReference.ts";
import {
  deployFixture,
  depositMargin,
  INDEX_PRICE,
  MAX_UINT256,
  now,
  type ProtocolFixture,
  passTime,
  publishPrice,
  WAD,
} from "../../support/protocolFixture.ts";
import {
  build,
  execute,
  expectBooksBalance,
  expectQuote,
  fromBase,
  modelAt,
  nextRound,
  order,
  outcomeOf,
  request,
} from "../../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture, time } = connection.networkHelpers;

const SIZE = 3_141_592653589793238462n;
const FEE = 500_000n;

async function funded(): Promise<ProtocolFixture> {
  const f = await deployFixture(connection);
  for (const trader of [f.alice, f.bob]) await depositMargin(f, trader, 500_003n * WAD);
  return f;
}
/** Alice has a long that may be closed or flipped. */
async function holding(): Promise<ProtocolFixture> {
  const f = await funded();
  await build(f, f.alice, SIZE, 1n);
  return f;
}

describe("Requesting an order", () => {
  it("escrows half a quote and reserves the initial margin of the position it leads to", async () => {
    const f = await loadFixture(funded);
    const at = (await now(f)) + 7n;
    const { book, market } = await modelAt(f, at);
    await time.setNextBlockTimestamp(at);
    await f.marginPool.connect(f.alice).requestOrder(-SIZE, 5n * WAD, at + 321n);
    const queued = await f.marginPool.order(f.alice);
    const size = fromBase(f, SIZE);
    const ratio = reference.initialRatio(
      size,
      reference.skewScale(book, market),
      market.volatility,
    );
    expectQuote(
      f,
      queued.reservedMargin,
      reference.mul(reference.mul(size, market.price), ratio),
      "reserved margin",
    );
    expect([
      queued.sizeDelta,
      queued.acceptablePriceWad,
      queued.requestedAt,
      queued.expiresAt,
    ]).to.deep.equal([-SIZE, 5n * WAD, at, at + 321n]);
    expect(queued.reduceOnly).to.equal(false);
    expect(queued.roundId).to.equal(await f.feed.latestRoundId());
    expect((await f.marginPool.marginAccount(f.alice)).collateral).to.equal(500_003_000000n - FEE);
    // the fee has left the account, not the pool's custody
    expect((await f.marginPool.ledgers()).custodyQuote).to.equal(2n * 500_003_000000n);
    await expectBooksBalance(f, [f.alice, f.bob]);
  });

  it("announces the order", async () => {
    const f = await loadFixture(funded);
    const until = (await now(f)) + 500n;
    const sent = f.marginPool.connect(f.alice).requestOrder(SIZE, MAX_UINT256, until);
    await expect(sent).to.emit(f.marginPool, "OrderRequested");
    // an unlimited price is stored as the largest the order's slot holds
    expect((await f.marginPool.order(f.alice)).acceptablePriceWad).to.equal(2n ** 128n - 1n);
  });

  it("refuses a size of zero", async () => {
    const f = await loadFixture(funded);
    const until = (await now(f)) + 500n;
    await expect(
      f.marginPool.connect(f.alice).requestOrder(0n, WAD, until),
    ).to.be.revertedWithCustomError(f.marginPool, "MarginPool_ZeroAmount");
  });

  it("accepts expiries from the delay to ten minutes ahead and none outside", async () => {
    const f = await loadFixture(funded);
    const at = (await now(f)) + 11n;
    for (const [lifetime, allowed] of [
      [3n, false],
      [4n, true],
      [600n, true],
      [601n, false],
    ] as const) {
      await time.setNextBlockTimestamp(at);
      const tried = f.marginPool
        .connect(f.alice)
        .requestOrder.staticCall(SIZE, WAD, at + lifetime, { blockTag: "pending" });
      if (allowed) await tried;
      else {
        await expect(tried)
          .to.be.revertedWithCustomError(f.marginPool, "MarginPool_ExpiryOutOfBounds")
          .withArgs(at + lifetime, at + 4n, at + 600n);
      }
    }
  });

  it("refuses a second order while one is pending", async () => {
    const f = await loadFixture(funded);
    await request(f, f.alice, SIZE);
    const { expiresAt } = await f.marginPool.order(f.alice);
    await expect(request(f, f.alice, SIZE))
      .to.be.revertedWithCustomError(f.marginPool, "MarginPool_OrderPending")
      .withArgs(f.alice.address, expiresAt);
  });

  it("refuses an account that cannot pay the execution fee or the initial margin", async () => {
    const f = await loadFixture(funded);
    await expect(request(f, f.carol, SIZE))
      .to.be.revertedWithCustomError(f.marginPool, "MarginPool_InsufficientFreeMargin")
      .withArgs(f.carol.address, FEE, 0n);
    await request(f, f.alice, SIZE);
    const { reservedMargin } = await f.marginPool.order(f.alice);
    const { marginPool } = f;
    await marginPool.connect(f.carol).depositMargin(reservedMargin + FEE - 1_000n);
    await expect(request(f, f.carol, SIZE)).to.be.revertedWithCustomError(
      marginPool,
      "MarginPool_InsufficientMargin",
    );
    await marginPool.connect(f.carol).depositMargin(2_000n);
    await request(f, f.carol, SIZE);
  });

  it("marks as reduce-only exactly the orders that are no larger than the opposite position", async () => {
    const f = await loadFixture(holding);
    const until = (await now(f)) + 300n;
    for (const [size, reduceOnly] of [
      [-SIZE, true],
      [-1n, true],
      [-SIZE - 1n, false],
      [1n, false],
    ] as const) {
      await f.marginPool.connect(f.alice).requestOrder(size, size > 0n ? MAX_UINT256 : 0n, until);
      const queued = await f.marginPool.order(f.alice);
      expect(queued.reduceOnly, `${size}`).to.equal(reduceOnly);
      expect(queued.reservedMargin === 0n, `${size} reserves`).to.equal(reduceOnly);
      await f.marginPool.connect(f.alice).cancelOrder();
    }
  });

  it("waits for a good price", async () => {
    const f = await loadFixture(funded);
    await publishPrice(f, 0n);
    await expect(request(f, f.alice, SIZE)).to.be.revertedWithCustomError(
      f.priceOracle,
      "PriceOracle_PriceNotPositive",
    );
  });
});

describe("Executing an order", () => {
  it("needs an order", async () => {
    const f = await loadFixture(funded);
    await expect(f.marginPool.executeOrder(f.alice))
      .to.be.revertedWithCustomError(f.marginPool, "MarginPool_NoOrder")
      .withArgs(f.alice.address);
  });

  it("needs a round later than the request's that was published after the delay", async () => {
    const f = await loadFixture(funded);
    const start = (await now(f)) + 50n;
    await time.setNextBlockTimestamp(start);
    await f.marginPool.connect(f.alice).requestOrder(SIZE, MAX_UINT256, start + 600n);
    const tooEarly = async (requestRound: bigint) =>
      expect(f.marginPool.executeOrder.staticCall(f.alice))
        .to.be.revertedWithCustomError(f.marginPool, "MarginPool_OrderTooEarly")
        .withArgs(f.alice.address, await f.feed.latestRoundId(), requestRound, start + 4n);
    const requestRound = await f.feed.latestRoundId();
    await time.increase(60);
    await tooEarly(requestRound); // the delay alone is not enough
    const [, , , updatedAt] = await f.feed.latestRoundData();
    expect(updatedAt).to.be.lessThan(start);

    await f.feed.setRound(requestRound + 1n, 199_99000000n, start, start + 3n, requestRound + 1n);
    await tooEarly(requestRound); // a new round of before the delay neither
    const rewound = requestRound + 2n;
    await f.feed.setRound(rewound, 199_99000000n, start, start + 4n, rewound);
    expect((await execute(f, f.alice)).event).to.equal("OrderExecuted");
  });

  it("is open to everyone and credits the executor the fee, which a claim pays out", async () => {
    const f = await loadFixture(funded);
    await request(f, f.alice, SIZE);
    await nextRound(f);
    await f.marginPool.connect(f.carol).executeOrder(f.alice);
    expect(await f.marginPool.creditedOf(f.carol)).to.equal(FEE);
    expect((await f.marginPool.order(f.alice)).requestedAt).to.equal(0n);
    await expect(f.marginPool.connect(f.carol).claim()).to.changeTokenBalance(
      connection.ethers,
      f.quote,
      f.carol,
      FEE,
    );
    expect(await f.marginPool.creditedOf(f.carol)).to.equal(0n);
    await expectBooksBalance(f, [f.alice, f.bob]);
  });

  it("fills up to the second of expiry and removes the order for the fee after it", async () => {
    const f = await loadFixture(funded);
    await request(f, f.alice, SIZE);
    await nextRound(f);
    const { expiresAt } = await f.marginPool.order(f.alice);
    const snapshot = await connection.networkHelpers.takeSnapshot();
    expect((await execute(f, f.alice, expiresAt)).event).to.equal("OrderExecuted");
    await snapshot.restore();
    await time.setNextBlockTimestamp(expiresAt + 1n);
    const before = await f.marginPool.marginAccount(f.alice);
    await expect(f.marginPool.connect(f.carol).executeOrder(f.alice))
      .to.emit(f.marginPool, "OrderExpired")
      .withArgs(f.alice.address, f.carol.address, SIZE, expiresAt);
    expect(await f.marginPool.marginAccount(f.alice)).to.deep.equal(before);
    expect(await f.marginPool.creditedOf(f.carol)).to.equal(FEE);
    await expectBooksBalance(f, [f.alice, f.bob]);
  });

  for (const sign of [1n, -1n]) {
    const what = sign > 0n ? "buy" : "sell";
    it(`fills a ${what} at exactly the acceptable price and removes it one wei short of that`, async () => {
      const f = await loadFixture(holding);
      const start = (await now(f)) + 60n;
      const snapshot = await connection.networkHelpers.takeSnapshot();
      const attempt = async (limit: bigint) => {
        await time.setNextBlockTimestamp(start);
        await f.marginPool.connect(f.bob).requestOrder((sign * SIZE) / 3n, limit, start + 599n);
        await time.setNextBlockTimestamp(start + 6n);
        await publishPrice(f, 193_870000000000000000n);
        const outcome = await execute(f, f.bob, start + 9n);
        const account = await f.marginPool.marginAccount(f.bob);
        const [credit, queued] = [
          await f.marginPool.creditedOf(f.keeper),
          await f.marginPool.order(f.bob),
        ];
        await snapshot.restore();
        return { outcome, account, credit, queued };
      };
      const any = await attempt(sign > 0n ? MAX_UINT256 : 0n);
      const price = any.outcome.filled!.fillPriceWad;
      // all costs are in it: further from the index than the band alone
      const band = (193_870000000000000000n * (10_000n + sign * 5n)) / 10_000n;
      expect(sign > 0n ? price > band : price < 193_870000000000000000n).to.equal(true);
      expect((await attempt(price)).outcome.event).to.equal("OrderExecuted");
      const short = await attempt(price - sign);
      expect(short.outcome.event).to.equal("OrderFailed");
      expect(short.outcome.reason?.name).to.equal("MarginPool_PriceNotAcceptable");
      expect([...short.outcome.reason!.args]).to.deep.equal([price, price - sign]);
      // nothing but the escrow left the account
      expect(short.account.size).to.equal(0n);
      expect(short.account.collateral).to.equal(500_003_000000n - FEE);
      expect(short.queued.requestedAt).to.equal(0n);
      expect(short.credit).to.equal(any.credit);
    });
  }

  it("fills what the speed limit lets through; the rest waits for another round and pays another fee", async () => {
    const f = await loadFixture(funded);
    const whole = 6_000n * WAD;
    await request(f, f.alice, whole);
    await nextRound(f);
    const first = await execute(f, f.alice);
    const filled = first.filled!.sizeDelta;
    expect(filled > 0n && filled < whole).to.equal(true);
    expect(first.remaining).to.equal(whole - filled);
    const queued = await f.marginPool.order(f.alice);
    expect(queued.sizeDelta).to.equal(whole - filled);
    expect([queued.requestedAt, queued.roundId]).to.deep.equal([
      await now(f),
      await f.feed.latestRoundId(),
    ]);
    expect(await f.marginPool.creditedOf(f.keeper)).to.equal(FEE);
    await expectBooksBalance(f, [f.alice, f.bob]); // with the next fee in escrow
    await time.increase(300);
    await expect(execute(f, f.alice)).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_OrderTooEarly",
    );
    await publishPrice(f, INDEX_PRICE);
    const second = await execute(f, f.alice);
    expect(second.remaining).to.equal(0n);
    expect((await f.marginPool.marginAccount(f.alice)).size).to.equal(whole);
    expect(await f.marginPool.creditedOf(f.keeper)).to.equal(2n * FEE);
    await expectBooksBalance(f, [f.alice, f.bob]);
  });

  it("leaves an order queued when waiting cures what is wrong", async () => {
    const f = await loadFixture(funded);
    await build(f, f.bob, -SIZE / 4n, 1n);
    await request(f, f.alice, -SIZE);
    await request(f, f.bob, SIZE / 8n);
    for (let round = 0n; round < 4n; round += 1n) {
      await time.increase(61);
      await publishPrice(f, INDEX_PRICE + round * 10n ** 16n);
    }
    await expect(execute(f, f.alice)).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_VolatilityBehind",
    );
    // what lowers the skew does not wait for the volatility
    const snapshot = await connection.networkHelpers.takeSnapshot();
    expect((await execute(f, f.bob)).event).to.equal("OrderExecuted");
    await snapshot.restore();
    await publishPrice(f, 0n);
    await expect(execute(f, f.alice)).to.be.revertedWithCustomError(
      f.priceOracle,
      "PriceOracle_PriceNotPositive",
    );
    await publishPrice(f, INDEX_PRICE);
    await f.volatilityOracle.poke();
    expect((await execute(f, f.alice)).event).to.equal("OrderExecuted");
  });

  it("removes a reducing order of an account that was liquidated meanwhile", async () => {
    const f = await loadFixture(funded);
    await f.marginPool.connect(f.carol).depositMargin(40_000_000000n);
    await build(f, f.carol, SIZE, 1n);
    await request(f, f.carol, -SIZE);
    await nextRound(f, 181_010000000000000000n);
    await f.marginPool.connect(f.bob).liquidate(f.carol);
    const outcome = await execute(f, f.carol);
    expect(outcome.event).to.equal("OrderFailed");
    expect(outcome.reason?.name).to.equal("MarginPool_NothingToReduce");
    expect([...outcome.reason!.args]).to.deep.equal([-SIZE, 0n]);
    expect((await f.marginPool.marginAccount(f.carol)).size).to.equal(0n);
  });

  it("removes an order whose account lost its margin while it waited", async () => {
    const f = await loadFixture(holding);
    await f.marginPool.connect(f.carol).depositMargin(60_000_000000n);
    await order(f, f.carol, SIZE / 3n);
    await request(f, f.carol, SIZE / 9n);
    await nextRound(f, 141_010000000000000000n);
    const outcome = await execute(f, f.carol);
    expect(outcome.event).to.equal("OrderFailed");
    expect(outcome.reason?.name).to.equal("MarginPool_InsufficientMargin");
    await expectBooksBalance(f, [f.alice, f.bob, f.carol]);
  });

  it("flips a position with one order that is larger than it", async () => {
    const f = await loadFixture(holding);
    const outcome = await order(f, f.alice, -SIZE - SIZE / 2n);
    expect(outcome.event).to.equal("OrderExecuted");
    expect((await f.marginPool.marginAccount(f.alice)).size).to.equal(-SIZE / 2n);
  });
});

describe("Canceling an order", () => {
  it("returns the escrow before the delay has passed", async () => {
    const f = await loadFixture(holding);
    const start = (await now(f)) + 10n;
    const before = await f.marginPool.marginAccount(f.alice);
    await time.setNextBlockTimestamp(start);
    await f.marginPool.connect(f.alice).requestOrder(SIZE / 5n, MAX_UINT256, start + 100n);
    await time.setNextBlockTimestamp(start + 3n);
    await expect(f.marginPool.connect(f.alice).cancelOrder())
      .to.emit(f.marginPool, "OrderCanceled")
      .withArgs(f.alice.address, SIZE / 5n);
    expect(await f.marginPool.marginAccount(f.alice)).to.deep.equal(before);
    await expectBooksBalance(f, [f.alice, f.bob]);
  });

  it("is impossible from the delay to the expiry, so that nobody looks at the price first", async () => {
    const f = await loadFixture(funded);
    const start = (await now(f)) + 10n;
    await time.setNextBlockTimestamp(start);
    await f.marginPool.connect(f.alice).requestOrder(SIZE, MAX_UINT256, start + 100n);
    for (const at of [start + 4n, start + 100n]) {
      await time.setNextBlockTimestamp(at);
      await expect(f.marginPool.connect(f.alice).cancelOrder.staticCall({ blockTag: "pending" }))
        .to.be.revertedWithCustomError(f.marginPool, "MarginPool_OrderNotCancelable")
        .withArgs(f.alice.address, start + 4n, start + 100n);
    }
    await time.setNextBlockTimestamp(start + 101n);
    await f.marginPool.connect(f.alice).cancelOrder();
    expect((await f.marginPool.marginAccount(f.alice)).collateral).to.equal(500_003_000000n);
  });

  it("needs an order but no price", async () => {
    const f = await loadFixture(funded);
    await expect(f.marginPool.connect(f.alice).cancelOrder()).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_NoOrder",
    );
    await request(f, f.alice, SIZE);
    await time.increase(100_000);
    await publishPrice(f, 0n);
    await f.marginPool.connect(f.alice).cancelOrder();
    expect((await f.marginPool.marginAccount(f.alice)).collateral).to.equal(500_003_000000n);
  });
});

describe("Previewing an order", () => {
  it("answers what the execution in the same block then does, whole, in part, or not at all", async () => {
    const f = await loadFixture(holding);
    for (const [size, limit, event] of [
      [SIZE / 7n, MAX_UINT256, "OrderExecuted"],
      [7_000n * WAD, MAX_UINT256, "OrderExecuted"],
      [SIZE / 7n, INDEX_PRICE, "OrderFailed"],
      [-SIZE / 2n, 0n, "OrderExecuted"],
      [-SIZE * 2n, 0n, "OrderExecuted"],
    ] as const) {
      const snapshot = await connection.networkHelpers.takeSnapshot();
      await request(f, f.alice, size, limit);
      await nextRound(f, 195_550000000000000000n);
      const at = (await now(f)) + 31n;
      await time.setNextBlockTimestamp(at);
      const [foreseen, failure] = await f.marginPool.previewOrder(f.alice, { blockTag: "pending" });
      const sent = await f.marginPool.connect(f.keeper).executeOrder(f.alice);
      const outcome = outcomeOf(f, (await sent.wait())!);
      expect(outcome.event, `${size}`).to.equal(event);
      if (event === "OrderExecuted") {
        expect([...foreseen]).to.deep.equal([...outcome.filled!]);
        expect(failure).to.equal("0x");
      } else {
        expect([...foreseen].every((value) => value === 0n)).to.equal(true);
        expect(f.marginPool.interface.parseError(failure)?.name).to.equal(outcome.reason?.name);
      }
      await snapshot.restore();
    }
    await expect(f.marginPool.previewOrder(f.bob)).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_NoOrder",
    );
    await request(f, f.bob, SIZE);
    await expect(f.marginPool.previewOrder(f.bob)).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_OrderTooEarly",
    );
    await passTime(f, 5n);
    await f.marginPool.previewOrder(f.bob);
  });

  it("answers that an order is past its expiry", async () => {
    const f = await loadFixture(holding);
    await request(f, f.alice, SIZE / 7n);
    await passTime(f, 601n);
    const { expiresAt } = await f.marginPool.order(f.alice);
    const [foreseen, failure] = await f.marginPool.previewOrder(f.alice);
    expect([...foreseen].every((value) => value === 0n)).to.equal(true);
    const error = f.marginPool.interface.parseError(failure);
    expect(error?.name).to.equal("MarginPool_OrderPastExpiry");
    expect(error?.args.expiresAt).to.equal(expiresAt);
  });
});
