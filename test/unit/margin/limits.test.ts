import { expect } from "chai";
import { network } from "hardhat";
import * as reference from "../../support/marginReference.ts";
import {
  arbitrage,
  deployFixture,
  depositMargin,
  INDEX_PRICE,
  now,
  type ProtocolFixture,
  passTime,
  publishPrice,
  WAD,
} from "../../support/protocolFixture.ts";
import {
  build,
  execute,
  expectBase,
  expectQuote,
  expectWad,
  fromBase,
  fromWad,
  modelAt,
  nextRound,
  order,
  readBook,
  readMarket,
  request,
} from "../../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture, takeSnapshot, time } = connection.networkHelpers;

async function funded(overrides = {}): Promise<ProtocolFixture> {
  const f = await deployFixture(connection, overrides);
  for (const trader of [f.alice, f.bob]) await depositMargin(f, trader, 4_000_003n * WAD);
  await depositMargin(f, f.carol, 1_000_003n * WAD);
  return f;
}
const usual = () => funded();
/** A pool so deep that one chunk hedges any trade. */
const deep = () => funded({ poolQuoteDepth: 2_041_187_300n * WAD });

/** A part of the equity in base at the fixture's price, x 1e18: share(9n) is 9 %. */
const share = (percent: bigint) => (10_037_411n * WAD * WAD * percent) / (100n * INDEX_PRICE);
const stateOf = async (f: ProtocolFixture) => (await f.marginPool.poolState()).riskState;

describe("The skew reference", () => {
  for (const sign of [1n, -1n]) {
    it(`follows a skew of ${sign > 0n ? "longs" : "shorts"} by 10 % of equity in ten minutes, falls with it at once and restarts across zero`, async () => {
      const f = await loadFixture(usual);
      const referenceNow = () => f.marginPool.skewReference();
      await order(f, f.alice, sign * share(9n));
      expect(await referenceNow()).to.equal(0n);
      let last = 0n;
      for (const seconds of [61n, 200n, 900n]) {
        const at = (await now(f)) + seconds;
        const { skewReference } = await modelAt(f, at);
        await time.setNextBlockTimestamp(at);
        await f.marginPool.sync();
        expectBase(f, await referenceNow(), skewReference, "skew reference", 1_000n);
        expect(sign * (await referenceNow()) > last, "rises").to.equal(true);
        last = sign * (await referenceNow());
      }
      expect(last, "never beyond the skew").to.equal(share(9n));
      await order(f, f.alice, -sign * share(5n));
      expect(sign * (await referenceNow())).to.equal(share(9n) - share(5n));
      await order(f, f.bob, -sign * share(7n));
      expect(await referenceNow()).to.equal(0n);
    });
  }
});

describe("The skew's speed limit", () => {
  for (const sign of [1n, -1n]) {
    const side = sign > 0n ? "long" : "short";
    it(`fills a ${side} to exactly 10 % of equity, and later as much as the time since allows`, async () => {
      const f = await loadFixture(usual);
      await request(f, f.alice, sign * share(25n));
      await nextRound(f);
      const at = (await now(f)) + 4n;
      const { book, market } = await modelAt(f, at);
      const first = await execute(f, f.alice, at);
      const limit = reference.speedLimit(book, market, 0n);
      expectBase(f, sign * first.filled!.sizeDelta, limit, "filled", 1_000n);
      // less than 1 % of equity is not worth a fill
      await nextRound(f);
      await expect(execute(f, f.alice)).to.be.revertedWithCustomError(
        f.marginPool,
        "MarginPool_SkewSpeedLimit",
      );
      await nextRound(f);
      const after = await modelAt(f, at + 150n);
      const second = await execute(f, f.alice, at + 150n);
      const room = reference.speedLimit(after.book, after.market, after.skewReference);
      const k = sign * (first.filled!.sizeDelta + second.filled!.sizeDelta);
      expectBase(f, k, room, "skew after 150 seconds", 1_000n);
      expect(sign * second.filled!.sizeDelta < share(3n)).to.equal(true);
    });
  }

  it("limits what a trade builds across zero, however small it leaves the skew", async () => {
    const f = await loadFixture(usual);
    await build(f, f.alice, share(18n), 2n);
    await request(f, f.bob, -share(33n)); // to -15 %, less than the 18 % before
    await nextRound(f);
    const at = (await now(f)) + 2n;
    const { book, market } = await modelAt(f, at);
    const outcome = await execute(f, f.bob, at);
    expect(outcome.remaining < 0n).to.equal(true);
    const { skew } = await f.marginPool.poolState();
    expectBase(f, skew, -reference.speedLimit(book, market, 0n), "skew across zero", 1_000n);
  });

  it("leaves the order queued when equity fell so far that nothing may be added", async () => {
    const f = await loadFixture(usual);
    await request(f, f.alice, share(25n));
    await nextRound(f);
    await execute(f, f.alice);
    await nextRound(f, 221_370000000000000000n);
    const queued = await f.marginPool.order(f.alice);
    await expect(execute(f, f.alice)).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_SkewSpeedLimit",
    );
    expect(await f.marginPool.order(f.alice)).to.deep.equal(queued);
  });

  it("never holds back a trade that lowers the skew, nor a liquidation", async () => {
    const f = await loadFixture(usual);
    await build(f, f.alice, share(18n), 2n);
    const snapshot = await takeSnapshot();
    const closed = await order(f, f.alice, -share(18n));
    expect([closed.event, closed.remaining]).to.deep.equal(["OrderExecuted", 0n]);
    await snapshot.restore();
    // a matched short: liquidating either leg moves the skew by twice the limit
    await depositMargin(f, f.carol, 1n * WAD);
    const opposite = await order(f, f.carol, -share(18n));
    expect(opposite.remaining).to.equal(0n);
    // less than half of her maintenance margin is left: all of it is closed
    await nextRound(f, 300_010000000000000000n);
    await f.marginPool.liquidate(f.carol);
    expect((await f.marginPool.poolState()).skew).to.equal(share(18n));
  });

  it("stops a matched long and short, opened at leisure, from becoming one-sided on news", async () => {
    const f = await loadFixture(usual);
    for (let slice = 0; slice < 4; slice += 1) {
      await build(f, f.alice, share(8n), 1n);
      await build(f, f.bob, -share(8n), 1n);
    }
    await passTime(f, 3_600n);
    expect((await f.marginPool.poolState()).skew).to.equal(0n);
    expect(await f.marginPool.skewReference()).to.equal(0n);
    const price = 200_030000000000000000n;
    await request(f, f.bob, share(32n));
    await nextRound(f, price);
    const at = (await now(f)) + 2n;
    const { book, market } = await modelAt(f, at);
    const outcome = await execute(f, f.bob, at);
    const limit = reference.speedLimit(book, market, 0n);
    expectBase(f, outcome.filled!.sizeDelta, limit, "the close filled", 1_000n);
    expect(outcome.filled!.sizeDelta < share(11n)).to.equal(true);
    expect(outcome.remaining).to.equal(share(32n) - outcome.filled!.sizeDelta);
    // neither does the other leg let the skew through, nor a flip
    await request(f, f.alice, -share(60n));
    await nextRound(f, price);
    const other = await execute(f, f.alice);
    const k = fromBase(f, (await f.marginPool.poolState()).skew);
    expect(reference.abs(k) <= limit + limit / 100n, `${other.event}`).to.equal(true);
  });
});

describe("Limits of what opens", () => {
  for (const sign of [1n, -1n]) {
    const side = sign > 0n ? "long" : "short";
    it(`refuses ${side} skew that the pool could not hedge, and lets everybody close`, async () => {
      const f = await loadFixture(deep);
      await build(f, f.alice, sign * share(36n), 4n, true);
      if (sign < 0n) await build(f, f.alice, -share(9n), 1n, true);
      await request(f, f.bob, sign * share(8n));
      await nextRound(f);
      const at = (await now(f)) + 2n;
      const { book, market } = await modelAt(f, at);
      const outcome = await execute(f, f.bob, at);
      expect(outcome.event).to.equal("OrderFailed");
      expect(outcome.reason?.name).to.equal("MarginPool_SkewNotAffordable");
      const [after, minimum, maximum] = outcome.reason!.args;
      expect(fromBase(f, after)).to.equal(reference.skew(book) + sign * fromBase(f, share(8n)));
      const own = reference.div(
        reference.mul(market.weight, reference.equityBid(book, market)),
        market.price,
      );
      const gains = reference.max(reference.traderProfit(book, market.price), 0n);
      const holdings = book.quote + reference.mul(book.base, market.price) - gains;
      const spendable = reference.div(reference.mul(reference.real("0.9"), holdings), market.price);
      expectBase(f, minimum, -own, "least skew", 10_000n);
      expectBase(f, maximum, spendable - own, "most skew", 10_000n);
      const closing = await order(f, f.alice, -sign * share(36n));
      expect([closing.event, closing.remaining]).to.deep.equal(["OrderExecuted", 0n]);
    });
  }

  it("refuses open interest beyond 60 % of equity a side, for the part that opens alone", async () => {
    const f = await loadFixture(usual);
    for (let slice = 0; slice < 6; slice += 1) {
      await build(f, f.alice, share(955n) / 100n, 1n);
      await build(f, f.bob, -share(955n) / 100n, 1n);
    }
    await request(f, f.carol, share(4n));
    await nextRound(f);
    const at = (await now(f)) + 2n;
    const { book, market } = await modelAt(f, at);
    const outcome = await execute(f, f.carol, at);
    expect(outcome.reason?.name).to.equal("MarginPool_OpenInterestLimit");
    const most = reference.div(
      reference.mul(reference.real("0.6"), reference.equity(book, market.price)),
      market.price,
    );
    expect(fromBase(f, outcome.reason!.args[0])).to.equal(book.longSize + fromBase(f, share(4n)));
    expectBase(f, outcome.reason!.args[1], most, "most open interest", 10_000n);
    // a close and a flip whose opening part still fits
    expect((await order(f, f.bob, share(1n))).event).to.equal("OrderExecuted");
    expect((await order(f, f.carol, share(1n))).event).to.equal("OrderExecuted");
    expect((await order(f, f.carol, -share(3n))).event).to.equal("OrderExecuted");
  });
});

describe("Risk states", () => {
  /** At the volatility ceiling a shock is 44 %: 11 % of equity as exposure is what Normal allows. */
  const volatile = () => funded({ initialVolatility: 3n * WAD });

  async function guarded(): Promise<ProtocolFixture> {
    const f = await volatile();
    await build(f, f.alice, -share(9n), 1n);
    await publishPrice(f, 233_570000000000000000n);
    expect(await stateOf(f), "Guarded").to.equal(1n);
    return f;
  }

  /** LPs who want 90 % base, shorts of 24 %, a jump of volatility, shorts up to 58 %, and a fall. */
  async function reduceOnly(): Promise<ProtocolFixture> {
    const f = await funded({ targetBaseWeight: (9n * WAD) / 10n });
    await build(f, f.alice, -share(24n), 3n);
    for (const price of [152_010000000000000000n, INDEX_PRICE]) {
      await time.increase(60);
      await publishPrice(f, price);
      await f.volatilityOracle.poke();
    }
    expect(await stateOf(f), "Guarded").to.equal(1n);
    await build(f, f.alice, -share(34n), 4n);
    await publishPrice(f, 172_330000000000000000n);
    expect(await stateOf(f), "ReduceOnly").to.equal(2n);
    return f;
  }

  it("are those of the reference, with every figure beside them", async () => {
    for (const deploy of [usual, volatile, guarded, reduceOnly]) {
      const f = await loadFixture(deploy);
      const s = await f.marginPool.poolState();
      const { book, market } = await modelAt(f, await now(f));
      expect(s.riskState).to.equal(reference.riskState(book, market));
      expectQuote(f, s.equity, reference.equity(book, market.price), "E", 50n);
      expectQuote(f, s.equityBid, reference.equityBid(book, market), "E_bid", 50n);
      expectQuote(f, s.equityAsk, reference.equityAsk(book, market), "E_ask", 50n);
      expect(s.equityBid <= s.equity && s.equity <= s.equityAsk, "I10").to.equal(true);
      expectQuote(f, s.requiredEquity, reference.requiredCapital(book, market), "R", 50n);
      const ratio = reference.solvencyRatio(book, market) / 10n ** 18n;
      expect(reference.abs(s.solvencyRatioWad - ratio) < 10n ** 9n, "SR").to.equal(true);
      const target = fromBase(f, s.targetInventoryBase);
      const difference = reference.abs(target - reference.targetInventory(book, market));
      expect(difference < 10n ** 30n, "b*").to.equal(true);
    }
  });

  it("refuse an order that would leave a worse one than it found", async () => {
    const f = await loadFixture(volatile);
    await build(f, f.alice, -share(9n), 1n);
    const outcome = await order(f, f.bob, -share(4n));
    expect(outcome.event).to.equal("OrderFailed");
    expect(outcome.reason?.name).to.equal("MarginPool_StateWorse");
    expect(outcome.reason!.args.slice(0, 2)).to.deep.equal([0n, 1n]);
    expect(await stateOf(f)).to.equal(0n);
    expect((await order(f, f.bob, -share(1n))).event).to.equal("OrderExecuted");
  });

  it("Guarded asks 1.25 x the initial margin for what raises the skew, and no more for what lowers it", async () => {
    const f = await loadFixture(guarded);
    const dan = (await connection.ethers.getSigners())[6]!;
    await f.quote.mint(dan, 10n ** 13n);
    await f.quote.connect(dan).approve(f.marginPool, 10n ** 13n);
    const size = share(2n);
    const [book, market] = [await readBook(f), await readMarket(f)];
    const ratio = reference.initialRatio(
      fromBase(f, size),
      reference.skewScale(book, market),
      market.volatility,
    );
    const initial = reference.mul(reference.mul(fromBase(f, size), market.price), ratio);
    // between 1 and 1.25 initial margins
    await f.marginPool.connect(dan).depositMargin((initial * 118n) / 100n / 10n ** 30n);
    const snapshot = await takeSnapshot();
    const raising = await order(f, dan, -size);
    expect(raising.reason?.name).to.equal("MarginPool_InsufficientMargin");
    const needed = fromWad(raising.reason!.args[2]) * 10n ** 12n;
    const expected = (initial * 5n) / 4n;
    expect(reference.abs(needed - expected) < expected / 1_000n).to.equal(true);
    await snapshot.restore();
    expect((await order(f, dan, size)).event).to.equal("OrderExecuted");
  });

  it("ReduceOnly lets through only what lowers the skew or the account's own size", async () => {
    const f = await loadFixture(reduceOnly);
    const price = 172_330000000000000000n;
    // until the pool's average price is near the index again
    await arbitrage(f);
    await passTime(f, 3_600n);
    expect(await stateOf(f)).to.equal(2n);
    const raising = await order(f, f.bob, -share(1n), { price });
    expect(raising.reason?.name).to.equal("MarginPool_ReduceOnly");
    expectWad(
      raising.reason!.args[0],
      reference.solvencyRatio(await readBook(f), await readMarket(f)) / 1n,
      "SR",
    );
    const lowering = await order(f, f.bob, share(2n), { price });
    expect(lowering.event, lowering.reason?.name).to.equal("OrderExecuted");
    expect(await stateOf(f)).to.equal(2n);
    // bob's own close raises the skew again
    const close = await order(f, f.bob, -share(1n), { price });
    expect(close.event, close.reason?.name).to.equal("OrderExecuted");
    expect((await order(f, f.alice, share(5n), { price })).event).to.equal("OrderExecuted");
  });
});
