import { expect } from "chai";
import { network } from "hardhat";
import * as reference from "../../support/marginReference.ts";
import {
  currentPrice,
  deployFixture,
  depositMargin,
  now,
  type ProtocolFixture,
  passTime,
  publishPrice,
  WAD,
} from "../../support/protocolFixture.ts";
import {
  build,
  checkedFill,
  expectQuote,
  expectWad,
  fromBase,
  fromQuote,
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

const SIZE = 3_141_592653589793238462n;

async function deploy(sign: bigint): Promise<ProtocolFixture> {
  const f = await deployFixture(connection);
  for (const trader of [f.alice, f.bob]) await depositMargin(f, trader, 1_000_003n * WAD);
  await build(f, f.alice, sign * SIZE, 1n);
  return f;
}
const longs = () => deploy(1n);
const shorts = () => deploy(-1n);
const paired = async () => {
  const f = await deploy(1n);
  await order(f, f.bob, (-SIZE * 2n) / 7n);
  return f;
};

describe("Funding", () => {
  for (const [side, fixture] of [
    ["longs", longs],
    ["shorts", shorts],
  ] as const) {
    it(`accrues the exact integral of a rate that approaches its target, paid by ${side} when they are more`, async () => {
      const f = await loadFixture(fixture);
      const sign = fixture === longs ? 1n : -1n;
      for (const seconds of [2n, 599n, 3_661n, 10_800n, 90_001n]) {
        const at = (await now(f)) + seconds;
        await time.setNextBlockTimestamp(at - 1n);
        await publishPrice(f, await currentPrice(f));
        const model = await modelAt(f, at);
        const [before] = await f.marginPool.funding();
        await time.setNextBlockTimestamp(at);
        await f.marginPool.sync();
        const [index, rate, lastSyncAt] = await f.marginPool.funding();
        expect(lastSyncAt).to.equal(at);
        expectWad(index - before, model.perBase, `index after ${seconds} s`);
        expectWad(rate, model.rate, `rate after ${seconds} s`);
        expect(sign * rate > 0n && sign * (index - before) > 0n).to.equal(true);
      }
      // 90,001 s are more than eight time constants
      const target = reference.fundingTarget(await readBook(f), await readMarket(f));
      const [, rate] = await f.marginPool.funding();
      expect(reference.abs(fromWad(rate) - target) < reference.abs(target) / 1_000n).to.equal(true);
    });
  }

  it("moves what one side owes to the other side and to LPs, and nothing is left over", async () => {
    const f = await loadFixture(paired);
    const before = await f.marginPool.funding();
    const skew = fromBase(f, (await f.marginPool.poolState()).skew);
    await passTime(f, 86_400n);
    await f.marginPool.sync();
    const [index] = await f.marginPool.funding();
    const ledgers = await f.marginPool.ledgers();
    const [alice, bob] = [await f.marginPool.position(f.alice), await f.marginPool.position(f.bob)];
    expect(alice.fundingOwed > 0n && bob.fundingOwed < 0n).to.equal(true);
    expectQuote(f, alice.fundingOwed, fromQuote(f, ledgers.longAccrual), "longs", 120n);
    expectQuote(f, bob.fundingOwed, fromQuote(f, ledgers.shortAccrual), "shorts", 120n);
    const bobs = reference.mul(-fromBase(f, (SIZE * 2n) / 7n), fromWad(index - before[0]));
    expectQuote(f, bob.fundingOwed, bobs, "bob", 200n);
    // the pool receives what is left between the sides; rounding of each sync goes against LPs' equity
    const all = fromQuote(f, ledgers.longAccrual + ledgers.shortAccrual);
    const since = reference.mul(skew, fromWad(index - before[0]));
    const early = reference.mul(fromBase(f, SIZE), fromWad(before[0]));
    expect(all <= since + early).to.equal(true);
    expect(all >= since + early - fromQuote(f, 250n)).to.equal(true);
  });

  it("is paid in cash at the next touch and leaves the side's accrual", async () => {
    const f = await loadFixture(paired);
    await passTime(f, 43_210n);
    const paid = await checkedFill(f, f.alice, -SIZE / 3n);
    expect(paid.owed > 0n).to.equal(true);
    const received = await checkedFill(f, f.bob, SIZE / 7n);
    expect(received.owed < 0n).to.equal(true);
    const book = await readBook(f);
    expect(reference.abs(book.longAccrual) < fromQuote(f, 100_000n)).to.equal(true);
  });

  it("is the same whether somebody syncs once or every ten minutes", async () => {
    const f = await loadFixture(paired);
    await f.marginPool.sync();
    const start = await now(f);
    const snapshot = await takeSnapshot();
    const results: { index: bigint; rate: bigint }[] = [];
    const book = await readBook(f);
    const market = await readMarket(f);
    for (const often of [false, true]) {
      for (let passed = 600n; passed <= 21_600n; passed += 600n) {
        if (passed % 1_800n === 0n || often) {
          await time.setNextBlockTimestamp(start + passed - 1n);
          await publishPrice(f, await currentPrice(f));
        }
        if (!often) continue;
        await time.setNextBlockTimestamp(start + passed);
        await f.marginPool.sync();
      }
      if (!often) {
        await time.setNextBlockTimestamp(start + 21_600n);
        await f.marginPool.sync();
      }
      const [index, rate] = await f.marginPool.funding();
      results.push({ index, rate });
      await snapshot.restore();
    }
    const [before] = await f.marginPool.funding();
    const once = results[0]!.index - before;
    const often = results[1]!.index - before;
    expect(once > 0n).to.equal(true);
    // The target is a share of K_cap = E / 2P. What differs is when income reaches E: no more of it than J, S and the
    // funding itself, all of which E had not counted at the first sync.
    const income = book.premium + book.income + reference.mul(reference.skew(book), fromWad(once));
    const share = reference.div(income, reference.equity(book, market.price));
    const difference = fromWad(reference.abs(once - often));
    expect(difference <= reference.mul(fromWad(once), share) + 10n ** 20n).to.equal(true);
    expect(share < reference.real("0.001"), "a tight tolerance").to.equal(true);
  });

  it("cannot be turned by flipping the skew in the block that accrues it", async () => {
    const f = await loadFixture(longs);
    await passTime(f, 20_000n);
    await request(f, f.bob, -SIZE * 2n);
    await nextRound(f);
    const at = (await now(f)) + 100n;
    const snapshot = await takeSnapshot();
    await time.setNextBlockTimestamp(at);
    await f.marginPool.sync();
    const [honest, rate] = await f.marginPool.funding();
    await snapshot.restore();
    await time.setNextBlockTimestamp(at);
    await f.marginPool.executeOrder(f.bob);
    expect((await f.marginPool.funding()).slice(0, 2)).to.deep.equal([honest, rate]);
    expect((await f.marginPool.poolState()).skew < 0n).to.equal(true);
    // and the rate follows the new skew slowly
    await passTime(f, 60n);
    const [, later] = await f.marginPool.funding();
    expect(later > 0n && later < rate).to.equal(true);
  });

  it("stays within 90 % a year however long the skew stands", async () => {
    const f = await loadFixture(longs);
    await f.connection.networkHelpers.time.increase(30 * 86_400);
    await publishPrice(f, 77_010000000000000000n);
    await f.marginPool.sync();
    const [, rate] = await f.marginPool.funding();
    expect(rate > 0n && rate <= (9n * WAD) / 10n).to.equal(true);
  });
});
