import { expect } from "chai";
import { network } from "hardhat";
import * as reference from "../../support/marginReference.ts";
import {
  deployFixture,
  depositMargin,
  INDEX_PRICE,
  type ProtocolFixture,
  passTime,
  publishPrice,
  WAD,
} from "../../support/protocolFixture.ts";
import {
  build,
  checkedFill,
  expectBooksBalance,
  fromBase,
  fromQuote,
  nextRound,
  order,
  readBook,
  readMarket,
  request,
} from "../../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture } = connection.networkHelpers;

async function funded(overrides = {}): Promise<ProtocolFixture> {
  const f = await deployFixture(connection, overrides);
  for (const trader of [f.alice, f.bob, f.carol]) await depositMargin(f, trader, 2_000_003n * WAD);
  return f;
}
const usual = () => funded();
const swapped = () => funded({ baseDecimals: 8, quoteDecimals: 18 });

/** Un-round sizes; one base is about 195 quote, the speed limit lets about 5,150 base through at first. */
const SIZE = 3_141_592653589793238462n;

describe("Fills", () => {
  for (const [decimals, deploy] of [
    ["base 18 and quote 6 decimals", usual],
    ["base 8 and quote 18 decimals", swapped],
  ] as const) {
    for (const direction of [1n, -1n]) {
      const side = direction > 0n ? "long" : "short";
      describe(`a ${side} with ${decimals}`, () => {
        it("opens at the price band's edge and pays premium, fee and hedge charge in cash", async () => {
          const f = await loadFixture(deploy);
          const costs = await checkedFill(f, f.alice, direction * SIZE);
          expect(costs.paid > 0n && costs.fee > 0n && costs.hedge > 0n).to.equal(true);
          expect(costs.rebate).to.equal(0n);
          await expectBooksBalance(f, [f.alice, f.bob, f.carol]);
        });

        it("increases after the price moved, booking the new part at the new price", async () => {
          const f = await loadFixture(deploy);
          await checkedFill(f, f.alice, direction * SIZE);
          await passTime(f, 1_234n);
          await checkedFill(f, f.alice, (direction * SIZE) / 3n, {
            price: 198_730000000000000000n,
          });
          await expectBooksBalance(f, [f.alice, f.bob, f.carol]);
        });

        it("reduces in part, realizing that part of the profit or loss and receiving a rebate", async () => {
          const f = await loadFixture(deploy);
          await checkedFill(f, f.alice, direction * SIZE);
          for (const price of [198_730000000000000000n, 189_170000000000000000n]) {
            await passTime(f, 777n);
            const costs = await checkedFill(f, f.alice, (-direction * SIZE) / 4n, { price });
            expect(costs.rebate > 0n).to.equal(true);
            expect(costs.realized > 0n).to.equal(direction > 0n === price > INDEX_PRICE);
          }
          await expectBooksBalance(f, [f.alice, f.bob, f.carol]);
        });

        it("closes at the other edge of the band and leaves no position behind", async () => {
          const f = await loadFixture(deploy);
          await checkedFill(f, f.alice, direction * SIZE);
          await passTime(f, 40_000n);
          const costs = await checkedFill(f, f.alice, -direction * SIZE);
          expect(costs.owed > 0n, "the heavier side pays funding").to.equal(true);
          expect(costs.realized < 0n, "a round trip loses the band twice").to.equal(true);
          const account = await f.marginPool.marginAccount(f.alice);
          expect([account.size, account.entryNotional]).to.deep.equal([0n, 0n]);
          const book = await readBook(f);
          expect([book.premium, book.longAccrual, book.shortAccrual]).to.deep.equal([0n, 0n, 0n]);
          await expectBooksBalance(f, [f.alice, f.bob, f.carol]);
        });

        it("flips to the other side across zero skew in one order", async () => {
          const f = await loadFixture(deploy);
          await checkedFill(f, f.alice, direction * SIZE);
          await passTime(f, 1_234n);
          const costs = await checkedFill(f, f.alice, (-direction * SIZE * 7n) / 4n, {
            price: 191_030000000000000000n,
          });
          expect(costs.kept, "nothing of the old side's premium stays").to.equal(0n);
          expect(costs.rebate > 0n && costs.paid > 0n).to.equal(true);
          await expectBooksBalance(f, [f.alice, f.bob, f.carol]);
        });
      });
    }
  }

  describe("the premium ledger", () => {
    it("pays no rebate for skew that was added in the same round, and gives that premium to LPs", async () => {
      const f = await loadFixture(usual);
      await request(f, f.alice, SIZE);
      await request(f, f.bob, (-SIZE * 3n) / 5n);
      await nextRound(f);
      const opened = await checkedFill(f, f.alice, SIZE, { sameRound: true });
      const costs = await checkedFill(f, f.bob, (-SIZE * 3n) / 5n, {
        sameRound: true,
        olderThanRound: 0n,
      });
      expect(costs.rebate).to.equal(0n);
      // J falls with the square of the skew; what it loses is income, not a rebate
      const left = reference.mul(opened.paid, reference.real("0.16"));
      expect(reference.abs(costs.kept - left) < opened.paid / 10_000n).to.equal(true);
    });

    it("pays a rebate only down from the skew that was there before the round", async () => {
      const f = await loadFixture(usual);
      await build(f, f.carol, SIZE / 2n, 1n);
      await request(f, f.alice, SIZE);
      await request(f, f.bob, (-SIZE * 5n) / 4n);
      await nextRound(f);
      const old = fromBase(f, SIZE / 2n);
      await checkedFill(f, f.alice, SIZE, { sameRound: true });
      const costs = await checkedFill(f, f.bob, (-SIZE * 5n) / 4n, {
        sameRound: true,
        olderThanRound: old,
      });
      expect(costs.rebate > 0n).to.equal(true);
      const whole = await readBook(f);
      expect(reference.skew(whole) < old && reference.skew(whole) > 0n).to.equal(true);
    });

    it("pays the same skew a rebate again once a new round has come", async () => {
      const f = await loadFixture(usual);
      await checkedFill(f, f.alice, SIZE);
      const costs = await checkedFill(f, f.bob, -SIZE / 2n);
      expect(costs.rebate > 0n).to.equal(true);
      expect(costs.rebate + costs.kept <= fromQuote(f, 2_000_000_000n)).to.equal(true);
    });

    it("never pays back more than is left once most of the premium has been earned", async () => {
      const f = await loadFixture(usual);
      const opened = await checkedFill(f, f.alice, SIZE);
      await passTime(f, 86_400n * 2n);
      const closed = await checkedFill(f, f.alice, -SIZE);
      // two time constants later exp(-2) = 13.5 % is left
      const share = reference.div(closed.rebate, opened.paid);
      expect(share < reference.real("0.1354") && share > reference.real("0.1350")).to.equal(true);
      expect((await f.marginPool.ledgers()).skewPremium).to.equal(0n);
    });

    it("charges skew on top of a premium that decayed at the full price", async () => {
      const f = await loadFixture(usual);
      await checkedFill(f, f.alice, SIZE / 2n);
      await passTime(f, 86_400n);
      await checkedFill(f, f.bob, SIZE / 2n);
    });
  });

  describe("the taker fee", () => {
    /** At the volatility ceiling a short of 9 % of equity and a rise of a fifth leave too much exposure. */
    async function guarded(): Promise<ProtocolFixture> {
      const f = await funded({ initialVolatility: 3n * WAD });
      await build(f, f.alice, -4_641n * WAD, 1n);
      await publishPrice(f, 233_570000000000000000n);
      expect((await f.marginPool.poolState()).riskState, "Guarded").to.equal(1n);
      return f;
    }

    it("is 5 bp, a tenth of it for insurance and the rest for LPs", async () => {
      const f = await loadFixture(usual);
      const before = await f.marginPool.ledgers();
      const outcome = await order(f, f.alice, SIZE);
      const after = await f.marginPool.ledgers();
      const { entryNotional } = await f.marginPool.marginAccount(f.alice);
      const { takerFee, hedgeCharge } = outcome.filled!;
      expect(takerFee).to.equal((entryNotional * 5n + 9_999n) / 10_000n);
      expect(after.insuranceFund - before.insuranceFund).to.equal(takerFee / 10n);
      const income = after.pendingIncome - before.pendingIncome;
      const rest = takerFee - takerFee / 10n + hedgeCharge;
      // besides, what rounding the premium up leaves over
      expect(income - rest === 0n || income - rest === 1n, `${income}`).to.equal(true);
    });

    it("doubles while the pool is Guarded, for raising and for lowering the skew", async () => {
      const f = await loadFixture(guarded);
      for (const size of [-771n * WAD, 1_377n * WAD]) {
        const costs = await checkedFill(f, f.bob, size);
        expect(costs.stateBefore).to.equal(1n);
        expect(costs.fee).to.equal(reference.mul(costs.notional, reference.real("0.001")));
      }
    });
  });

  describe("the hedge charge", () => {
    it("is due in full when the exposure changes sign", async () => {
      const f = await loadFixture(usual);
      await checkedFill(f, f.alice, (SIZE * 3n) / 2n);
      await passTime(f, 660n);
      const [book, market] = [await readBook(f), await readMarket(f)];
      const before = reference.exposure(book, market);
      const costs = await checkedFill(f, f.bob, (-SIZE * 11n) / 4n);
      const after = reference.exposure(await readBook(f), market);
      expect(before < 0n && after > 0n).to.equal(true);
      const outside = reference.abs(after) - market.outerBand / 2n;
      const full = reference.mul(reference.mul(market.hedgeRate, market.price), outside);
      expect(reference.abs(costs.hedge - full) < full / 100n && full > 0n).to.equal(true);
    });

    it("is nothing for a trade that brings the exposure nearer to the target", async () => {
      const f = await loadFixture(usual);
      await checkedFill(f, f.alice, SIZE);
      const costs = await checkedFill(f, f.bob, -SIZE / 3n);
      expect(costs.hedge).to.equal(0n);
    });
  });
});
