import { expect } from "chai";
import { network } from "hardhat";
import {
  arbitrage,
  currentPrice,
  deployFixture,
  depositMargin,
  INDEX_PRICE,
  now,
  type ProtocolFixture,
  passTime,
  publishPrice,
  requestOrder,
  trade,
  WAD,
} from "../support/protocolFixture.ts";

const connection = await network.create();
const { loadFixture, time } = connection.networkHelpers;

/** Feed heartbeat and grace. */
const MAXIMUM_AGE = 3_900n;
/** A thousandth and a thousand times the feed's first answer, 8 decimals. */
const [LEAST, MOST] = [INDEX_PRICE / 10n ** 13n, INDEX_PRICE / 10n ** 7n];

/**
 * Alice is long and about to be liquidated, bob has an executable order, carol has an order that expired, the owner has
 * free shares, the keeper has margin and is credited an execution fee, and the pool is outside its band.
 */
async function busy(): Promise<ProtocolFixture> {
  const fixture = await deployFixture(connection, { initialTargetVolatility: WAD / 100n });
  const { alice, bob, carol, keeper, rebalancer } = fixture;
  await depositMargin(fixture, alice, 80_003n * WAD);
  await depositMargin(fixture, keeper, 10_009n * WAD);
  await depositMargin(fixture, bob, 300_007n * WAD);
  await depositMargin(fixture, carol, 50_011n * WAD);
  await passTime(fixture, 660n);
  await trade(fixture, alice, 5_001n * WAD);
  await requestOrder(fixture, carol, 3n * WAD);
  await time.increase(600n);
  await requestOrder(fixture, bob, -101n * WAD);
  await time.increase(10n);
  await publishPrice(fixture, ((await currentPrice(fixture)) * 94n) / 100n);
  await rebalancer.poke();
  await arbitrage(fixture);
  return fixture;
}

/** The one error that is the volatility oracle's: the price alone looks good. */
const REGRESSED = "VolatilityOracle_RoundRegressed";

type Expected = readonly [error: string, args: readonly unknown[]];

/** Every way the feed can fail, and the error that names it. */
const BAD: readonly (readonly [string, (fixture: ProtocolFixture) => Promise<Expected>])[] = [
  [
    "a stale round",
    async (fixture) => {
      const [roundId, , , updatedAt] = await fixture.feed.latestRoundData();
      await time.increaseTo(updatedAt + MAXIMUM_AGE + 1n);
      return ["PriceOracle_PriceStale", [roundId, updatedAt, MAXIMUM_AGE]];
    },
  ],
  [
    "a price of zero",
    async (fixture) => {
      await publishPrice(fixture, 0n);
      return ["PriceOracle_PriceNotPositive", [await fixture.feed.latestRoundId(), 0n]];
    },
  ],
  [
    "a negative price",
    async (fixture) => {
      await publishPrice(fixture, -194_610000000000000000n);
      return [
        "PriceOracle_PriceNotPositive",
        [await fixture.feed.latestRoundId(), -19_461_000_000n],
      ];
    },
  ],
  [
    "a round that was never finished",
    async ({ feed }) => {
      const roundId = (await feed.latestRoundId()) + 1n;
      await feed.setRound(roundId, 19_461_000_000n, 1n, 0n, roundId);
      return ["PriceOracle_RoundIncomplete", [roundId, roundId, 0n]];
    },
  ],
  [
    "an answer carried over from an older round",
    async (fixture) => {
      const roundId = (await fixture.feed.latestRoundId()) + 1n;
      const updatedAt = await now(fixture);
      await fixture.feed.setRound(roundId, 19_461_000_000n, updatedAt, updatedAt, roundId - 1n);
      return ["PriceOracle_RoundIncomplete", [roundId, roundId - 1n, updatedAt]];
    },
  ],
  [
    "a round from the future",
    async (fixture) => {
      const roundId = (await fixture.feed.latestRoundId()) + 1n;
      const updatedAt = (await now(fixture)) + 100_000n;
      await fixture.feed.setRound(roundId, 19_461_000_000n, updatedAt, updatedAt, roundId);
      return ["PriceOracle_RoundIncomplete", [roundId, roundId, updatedAt]];
    },
  ],
  [
    "a price beyond a thousand times the first",
    async (fixture) => {
      await fixture.feed.setPrice(MOST + 1n);
      const roundId = await fixture.feed.latestRoundId();
      return ["PriceOracle_PriceOutOfBounds", [roundId, MOST + 1n, LEAST, MOST]];
    },
  ],
  [
    "a price below a thousandth of the first",
    async (fixture) => {
      await fixture.feed.setPrice(LEAST - 1n);
      const roundId = await fixture.feed.latestRoundId();
      return ["PriceOracle_PriceOutOfBounds", [roundId, LEAST - 1n, LEAST, MOST]];
    },
  ],
  [
    "a feed that went back to an older round",
    async ({ feed }) => {
      const last = await feed.latestRoundId();
      const [, answer, startedAt, updatedAt] = await feed.getRoundData(last - 1n);
      await feed.setRound(last - 1n, answer, startedAt, updatedAt, last - 1n);
      return [REGRESSED, [last - 1n, last]];
    },
  ],
];

/** What a bad price must stop. Each succeeds at a good one. */
function blocked(
  { marginPool, rebalancer, owner, alice, bob, keeper }: ProtocolFixture,
  expiresAt: bigint,
) {
  return {
    requestOrder: () =>
      marginPool.connect(keeper).requestOrder.staticCall(-(10n ** 18n), 0n, expiresAt),
    executeOrder: () => marginPool.executeOrder.staticCall(bob),
    liquidate: () => marginPool.liquidate.staticCall(alice),
    rebalance: () => rebalancer.rebalance.staticCall(),
    poke: () => rebalancer.poke.staticCall(),
    deposit: () => marginPool.deposit.staticCall(10n ** 10n, owner),
    mint: () => marginPool.mint.staticCall(10n ** 16n, owner),
    withdraw: () => marginPool.withdraw.staticCall(10n ** 10n, owner, owner),
    redeem: () => marginPool.redeem.staticCall(10n ** 16n, owner, owner),
    sync: () => marginPool.sync.staticCall(),
    "withdrawMargin with a position": () => marginPool.connect(alice).withdrawMargin.staticCall(1n),
  };
}

describe("a bad price", () => {
  it("finds a pool where everything it blocks would succeed", async () => {
    const fixture = await loadFixture(busy);
    const calls = blocked(fixture, (await now(fixture)) + 300n);
    for (const [name, call] of Object.entries(calls)) {
      if (name.startsWith("withdrawMargin")) continue; // alice is under water
      await call();
    }
    expect((await fixture.marginPool.position(fixture.alice)).liquidatable).to.equal(true);
  });

  for (const [kind, spoil] of BAD) {
    it(`blocks everything that needs a price: ${kind}`, async () => {
      const fixture = await loadFixture(busy);
      const [error, args] = await spoil(fixture);
      const calls = blocked(fixture, (await now(fixture)) + 300n);
      expect(await fixture.priceOracle.isGood()).to.equal(error === REGRESSED);
      const oracle = error === REGRESSED ? fixture.volatilityOracle : fixture.priceOracle;
      for (const [name, call] of Object.entries(calls)) {
        await expect(call(), name)
          .to.be.revertedWithCustomError(oracle, error)
          .withArgs(...args);
      }
      for (const view of [
        () => fixture.marginPool.poolState(),
        () => fixture.marginPool.snapshot(),
        () => fixture.marginPool.position(fixture.alice),
        () => fixture.rebalancer.previewRebalance(),
        () => fixture.marginPool.previewRedeem(10n ** 16n),
      ]) {
        await expect(view()).to.be.revertedWithCustomError(oracle, error);
      }
    });

    it(`never blocks adding margin, canceling, or taking out money that is free: ${kind}`, async () => {
      const fixture = await loadFixture(busy);
      const { marginPool, quote, alice, carol, keeper } = fixture;
      await spoil(fixture);

      const margin = (await marginPool.marginAccount(alice)).collateral;
      await marginPool.connect(alice).depositMargin(7_654_321n);
      expect((await marginPool.marginAccount(alice)).collateral).to.equal(margin + 7_654_321n);

      const fee = await marginPool.executionFee();
      const free = (await marginPool.marginAccount(carol)).collateral;
      await expect(marginPool.connect(carol).cancelOrder()).to.emit(marginPool, "OrderCanceled");
      expect((await marginPool.marginAccount(carol)).collateral).to.equal(free + fee);
      expect((await marginPool.order(carol)).requestedAt).to.equal(0n);

      const purse = await quote.balanceOf(carol);
      await marginPool.connect(carol).withdrawMargin(free + fee);
      expect(await quote.balanceOf(carol)).to.equal(purse + free + fee);

      const credit = await marginPool.creditedOf(keeper);
      expect(credit).to.equal(fee);
      const held = await quote.balanceOf(keeper);
      await marginPool.connect(keeper).claim();
      expect(await quote.balanceOf(keeper)).to.equal(held + fee);
      await marginPool.skim();
    });

    it(`never blocks canceling in the first seconds: ${kind}`, async () => {
      if (kind === "a stale round") {
        // Four seconds are too short for a price to become stale unless it nearly was.
        const fixture = await loadFixture(busy);
        const { marginPool, feed, carol } = fixture;
        await marginPool.connect(carol).cancelOrder();
        const [, , , updatedAt] = await feed.latestRoundData();
        await time.setNextBlockTimestamp(updatedAt + MAXIMUM_AGE);
        await marginPool
          .connect(carol)
          .requestOrder(10n ** 18n, 2n ** 200n, updatedAt + MAXIMUM_AGE + 300n);
        await time.setNextBlockTimestamp(updatedAt + MAXIMUM_AGE + 3n);
        await marginPool.connect(carol).cancelOrder();
        expect(await fixture.priceOracle.isGood()).to.equal(false);
        return;
      }
      const fixture = await loadFixture(busy);
      const { marginPool, carol, priceOracle } = fixture;
      await marginPool.connect(carol).cancelOrder();
      await requestOrder(fixture, carol, WAD);
      const { requestedAt } = await marginPool.order(carol);
      const [error] = await spoil(fixture);
      expect(await priceOracle.isGood()).to.equal(error === REGRESSED);
      await time.setNextBlockTimestamp(requestedAt + 3n);
      await marginPool.connect(carol).cancelOrder();
      expect((await marginPool.order(carol)).requestedAt).to.equal(0n);
    });

    it(`ends with the next good round: ${kind}`, async () => {
      const fixture = await loadFixture(busy);
      const price = await currentPrice(fixture);
      await spoil(fixture);
      await publishPrice(fixture, price);
      await fixture.rebalancer.poke();
      const { size } = await fixture.marginPool.marginAccount(fixture.alice);
      await fixture.marginPool.liquidate(fixture.alice);
      expect((await fixture.marginPool.marginAccount(fixture.alice)).size).to.be.lt(size);
      const { owner } = fixture;
      await fixture.marginPool.withdraw(10n ** 10n, owner, owner);
    });
  }
});
