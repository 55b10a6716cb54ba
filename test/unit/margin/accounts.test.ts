import { expect } from "chai";
import { network } from "hardhat";
import * as reference from "../../support/marginReference.ts";
import {
  deployFixture,
  depositMargin,
  INDEX_PRICE,
  now,
  type ProtocolFixture,
  publishPrice,
  WAD,
} from "../../support/protocolFixture.ts";
import {
  build,
  expectBooksBalance,
  expectQuote,
  fromBase,
  modelAt,
  nextRound,
  order,
  request,
} from "../../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture, takeSnapshot, time } = connection.networkHelpers;

const SIZE = 3_141_592653589793238462n;

const empty = () => deployFixture(connection);
async function holding(): Promise<ProtocolFixture> {
  const f = await empty();
  await depositMargin(f, f.alice, 300_003n * WAD);
  await depositMargin(f, f.bob, 300_003n * WAD);
  await build(f, f.alice, SIZE, 1n);
  return f;
}

/** Largest amount an account may withdraw at an instant, by bisection. */
async function mostWithdrawable(f: ProtocolFixture, at: bigint): Promise<bigint> {
  let [allowed, refused] = [0n, (await f.marginPool.marginAccount(f.alice)).collateral + 1n];
  while (refused - allowed > 1n) {
    const middle = (allowed + refused) / 2n;
    await time.setNextBlockTimestamp(at);
    const tried = f.marginPool.connect(f.alice).withdrawMargin;
    const fine = await tried.staticCall(middle, { blockTag: "pending" }).then(
      () => true,
      () => false,
    );
    if (fine) allowed = middle;
    else refused = middle;
  }
  return allowed;
}

describe("Margin accounts", () => {
  it("take deposits and give them back, with no price while there is no position", async () => {
    const f = await loadFixture(empty);
    await publishPrice(f, 0n);
    const { marginPool } = f;
    await expect(marginPool.connect(f.alice).depositMargin(123_456_789n))
      .to.emit(marginPool, "MarginDeposited")
      .withArgs(f.alice.address, 123_456_789n, 123_456_789n);
    expect((await marginPool.ledgers()).custodyQuote).to.equal(123_456_789n);
    const taken = marginPool.connect(f.alice).withdrawMargin(100_000_001n);
    await expect(taken).to.changeTokenBalance(connection.ethers, f.quote, f.alice, 100_000_001n);
    await expect(taken)
      .to.emit(marginPool, "MarginWithdrawn")
      .withArgs(f.alice.address, 100_000_001n, 23_456_788n);
    await expectBooksBalance(f, [f.alice]);
  });

  it("refuse nothing and more than is there", async () => {
    const f = await loadFixture(empty);
    const pool = f.marginPool.connect(f.alice);
    await expect(pool.depositMargin(0n)).to.be.revertedWithCustomError(
      pool,
      "MarginPool_ZeroAmount",
    );
    await expect(pool.withdrawMargin(0n)).to.be.revertedWithCustomError(
      pool,
      "MarginPool_ZeroAmount",
    );
    await pool.depositMargin(77n);
    await expect(pool.withdrawMargin(78n))
      .to.be.revertedWithCustomError(pool, "MarginPool_InsufficientFreeMargin")
      .withArgs(f.alice.address, 78n, 77n);
  });

  it("accept margin for a position at any price, and count it for the position's side", async () => {
    const f = await loadFixture(holding);
    const before = await f.marginPool.ledgers();
    await publishPrice(f, 0n);
    await f.marginPool.connect(f.alice).depositMargin(1_234_567n);
    const after = await f.marginPool.ledgers();
    expect(after.longCollateral - before.longCollateral).to.equal(1_234_567n);
    expect(after.custodyQuote).to.equal(before.custodyQuote);
    await expect(f.marginPool.connect(f.alice).withdrawMargin(1n)).to.be.revertedWithCustomError(
      f.priceOracle,
      "PriceOracle_PriceNotPositive",
    );
  });

  for (const [sigma, initialVolatility] of [
    ["60 %", (6n * WAD) / 10n],
    ["200 %", 2n * WAD],
  ] as const) {
    it(`keep max(2 x initial margin, 10 % of notional) behind a position at a volatility of ${sigma}`, async () => {
      const f = await deployFixture(connection, { initialVolatility });
      await depositMargin(f, f.alice, 400_003n * WAD);
      await build(f, f.alice, SIZE, 1n);
      await publishPrice(f, 189_870000000000000000n); // a loss, so that equity binds, not cash
      await f.marginPool.sync();
      const at = (await now(f)) + 5n;
      const most = await mostWithdrawable(f, at);
      const { book, market } = await modelAt(f, at);
      const size = fromBase(f, SIZE);
      const ratio = reference.initialRatio(
        size,
        reference.skewScale(book, market),
        market.volatility,
      );
      const kept = reference.mul(
        reference.mul(size, market.price),
        reference.max(2n * ratio, reference.real("0.1")),
      );
      expect(2n * ratio > reference.real("0.1")).to.equal(initialVolatility === 2n * WAD);
      await time.setNextBlockTimestamp(at);
      await f.marginPool.connect(f.alice).withdrawMargin(most);
      const { equity } = await f.marginPool.position(f.alice);
      expectQuote(f, equity, kept, "equity left", 3n);
      await expectBooksBalance(f, [f.alice, f.bob]);
    });
  }

  it("never pay out profit that is not realized, as in a pump between two accounts", async () => {
    const f = await loadFixture(holding);
    await build(f, f.bob, -SIZE, 1n);
    await publishPrice(f, 212_340000000000000000n);
    await f.marginPool.sync();
    const { collateral } = await f.marginPool.marginAccount(f.alice);
    const { unrealizedProfit } = await f.marginPool.position(f.alice);
    expect(unrealizedProfit > 50_000_000000n).to.equal(true);
    const at = (await now(f)) + 5n;
    const most = await mostWithdrawable(f, at);
    const notional = reference.mul(fromBase(f, SIZE), reference.real("212.34"));
    await time.setNextBlockTimestamp(at);
    const { fundingOwed } = await f.marginPool.position(f.alice, { blockTag: "pending" });
    expect(fundingOwed > 0n, "the longs were there first").to.equal(true);
    // what she owes is as good as gone
    const left = collateral - most - fundingOwed;
    expectQuote(f, left, notional / 10n, "cash left", 3n);
    expect(most < collateral).to.equal(true);
  });

  it("leave so much that a move of one percent after the largest withdrawal costs the pool nothing", async () => {
    const f = await loadFixture(holding);
    const most = await mostWithdrawable(f, (await now(f)) + 5n);
    await time.setNextBlockTimestamp((await now(f)) + 5n);
    await f.marginPool.connect(f.alice).withdrawMargin(most);
    const snapshot = await takeSnapshot();
    for (const change of [99n, 101n]) {
      await nextRound(f, (INDEX_PRICE * change) / 100n);
      expect((await f.marginPool.position(f.alice)).liquidatable).to.equal(false);
      await snapshot.restore();
    }
    // the first price at which anybody may liquidate still leaves equity
    await nextRound(f, (INDEX_PRICE * 92n) / 100n);
    await f.marginPool.liquidate(f.alice);
    expect(await f.marginPool.badDebt()).to.equal(0n);
  });

  it("hold back what a queued order reserves, with and without a position", async () => {
    const f = await loadFixture(holding);
    await request(f, f.bob, -SIZE);
    const { reservedMargin } = await f.marginPool.order(f.bob);
    const { collateral } = await f.marginPool.marginAccount(f.bob);
    const free = collateral - reservedMargin;
    const pool = f.marginPool.connect(f.bob);
    await expect(pool.withdrawMargin(free + 1n))
      .to.be.revertedWithCustomError(pool, "MarginPool_InsufficientFreeMargin")
      .withArgs(f.bob.address, free + 1n, free);
    await pool.withdrawMargin(free);
    await request(f, f.alice, SIZE * 4n);
    const reserved = (await f.marginPool.order(f.alice)).reservedMargin;
    const mine = (await f.marginPool.marginAccount(f.alice)).collateral;
    await expect(f.marginPool.connect(f.alice).withdrawMargin(mine - reserved + 1n))
      .to.be.revertedWithCustomError(pool, "MarginPool_InsufficientFreeMargin")
      .withArgs(f.alice.address, mine - reserved + 1n, mine - reserved);
    // the reserve ends with the order
    await nextRound(f);
    await f.marginPool.connect(f.keeper).executeOrder(f.bob);
    expect((await f.marginPool.order(f.bob)).reservedMargin).to.equal(0n);
  });
});

describe("Credits", () => {
  it("are claimed once, by whom they belong to", async () => {
    const f = await loadFixture(holding);
    expect(await f.marginPool.creditedOf(f.keeper)).to.equal(500_000n);
    await expect(f.marginPool.connect(f.alice).claim())
      .to.be.revertedWithCustomError(f.marginPool, "MarginPool_NothingToClaim")
      .withArgs(f.alice.address);
    await publishPrice(f, 0n); // no price needed
    const claimed = f.marginPool.connect(f.keeper).claim();
    await expect(claimed).to.changeTokenBalance(connection.ethers, f.quote, f.keeper, 500_000n);
    await expect(claimed).to.emit(f.marginPool, "CreditPaid").withArgs(f.keeper.address, 500_000n);
    await expect(f.marginPool.connect(f.keeper).claim()).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_NothingToClaim",
    );
  });
});

describe("Skimming", () => {
  it("moves quote that was sent without a call to insurance and touches nothing else", async () => {
    const f = await loadFixture(holding);
    await order(f, f.bob, -SIZE / 3n);
    const before = await f.marginPool.ledgers();
    const [equity, price] = [
      (await f.marginPool.poolState()).equity,
      await f.marginPool.totalAssets(),
    ];
    await f.quote.connect(f.carol).transfer(f.marginPool, 987_654_321n);
    await f.base.connect(f.carol).transfer(f.marginPool, 5n * WAD);
    const drift = (await f.marginPool.poolState()).equity - equity;
    expect(reference.abs(drift) < 100_000n, "a donation is nobody's equity").to.equal(true);
    expect((await f.marginPool.totalAssets()) - price < 100_000n).to.equal(true);
    await expect(f.marginPool.connect(f.carol).skim())
      .to.emit(f.marginPool, "InsuranceSkimmed")
      .withArgs(f.carol.address, 987_654_321n, before.insuranceFund + 987_654_321n);
    const after = await f.marginPool.ledgers();
    for (const [i, value] of [...after].entries()) {
      if (value === after.insuranceFund) continue;
      expect(value, `ledger ${i}`).to.equal([...before][i]);
    }
    await f.marginPool.skim();
    expect((await f.marginPool.ledgers()).insuranceFund).to.equal(after.insuranceFund);
  });
});
