import { expect } from "chai";
import fc from "fast-check";
import { network } from "hardhat";
import {
  abs,
  ceilWad,
  div,
  expectAbove,
  expectBelow,
  expectWithin,
  floorWad,
  fromWad,
  max,
  min,
  mul,
  ONE,
  type Real,
  real,
  sqrt,
  WAD,
} from "../../support/highPrecision.ts";

const { ethers } = await network.create();
const math = await ethers.deployContract("SolvencyMathHarness");

const PROPERTY_RUNS = process.env.BALLAST_DEEP === "1" ? 2_000 : 40;
const SEED = 0xba11a57;

interface Book {
  inventoryBase: bigint;
  inventoryQuote: bigint;
  longOpenInterest: bigint;
  shortOpenInterest: bigint;
  longEntryNotional: bigint;
  shortEntryNotional: bigint;
  longCollateral: bigint;
  shortCollateral: bigint;
  longAccrual: bigint;
  shortAccrual: bigint;
  skewPremium: bigint;
  pendingIncome: bigint;
  unpaidClaims: bigint;
}

const EMPTY: Book = {
  inventoryBase: 0n,
  inventoryQuote: 0n,
  longOpenInterest: 0n,
  shortOpenInterest: 0n,
  longEntryNotional: 0n,
  shortEntryNotional: 0n,
  longCollateral: 0n,
  shortCollateral: 0n,
  longAccrual: 0n,
  shortAccrual: 0n,
  skewPremium: 0n,
  pendingIncome: 0n,
  unpaidClaims: 0n,
};

const PRICE = 1_946_127_354_901_283_774_013n;

/** About 10 M of equity, more longs than shorts, every ledger used. */
const BOOK: Book = {
  inventoryBase: 3_456_789_012_345_678_901_237n,
  inventoryQuote: 4_987_654_321_098_765_432_109_871n,
  longOpenInterest: 2_345_678_901_234_567_890_123n,
  shortOpenInterest: 1_357_924_680_135_792_468_013n,
  longEntryNotional: 4_321_098_765_432_109_876_543_217n,
  shortEntryNotional: 2_765_432_109_876_543_210_987_653n,
  longCollateral: 654_321_098_765_432_109_876_547n,
  shortCollateral: 432_109_876_543_210_987_654_323n,
  longAccrual: 12_345_678_901_234_567_890_127n,
  shortAccrual: -9_876_543_210_987_654_321_013n,
  skewPremium: 23_456_789_012_345_678_901_231n,
  pendingIncome: 7_654_321_098_765_432_109_879n,
  unpaidClaims: 5_432_109_876_543_210_987_651n,
};

/** The specification's formulas on reals: one product each, so forty decimals hold them exactly. */
function inReals(book: Book) {
  const r = Object.fromEntries(
    Object.entries(book).map(([name, wad]) => [name, fromWad(wad)]),
  ) as unknown as Book;
  const skew = r.longOpenInterest - r.shortOpenInterest;
  const traderProfit = (p: Real) => mul(skew, p) - r.longEntryNotional + r.shortEntryNotional;
  const prudentEquity = (p: Real) =>
    r.inventoryQuote +
    mul(r.inventoryBase, p) +
    min(r.longEntryNotional - mul(r.longOpenInterest, p), mul(real(9n, 10n), r.longCollateral)) +
    min(mul(r.shortOpenInterest, p) - r.shortEntryNotional, mul(real(9n, 10n), r.shortCollateral)) +
    min(r.longAccrual, 0n) +
    min(r.shortAccrual, 0n) -
    r.unpaidClaims;
  const bestCase = (p: Real) =>
    r.inventoryQuote +
    mul(r.inventoryBase, p) -
    traderProfit(p) +
    max(r.longAccrual, 0n) +
    max(r.shortAccrual, 0n) +
    r.skewPremium +
    r.pendingIncome -
    r.unpaidClaims;
  return {
    skew,
    traderProfit,
    prudentEquity,
    equity: (p: Real) =>
      r.inventoryQuote +
      mul(r.inventoryBase, p) -
      traderProfit(p) +
      r.longAccrual +
      r.shortAccrual -
      r.unpaidClaims,
    equityBid: (lower: Real, upper: Real) => min(prudentEquity(lower), prudentEquity(upper)),
    equityAsk: (lower: Real, upper: Real) => max(bestCase(lower), bestCase(upper)),
    possible: (p: Real) =>
      mul(real(98n, 100n), div(max(r.inventoryQuote + mul(r.inventoryBase, p), 0n), p)),
    required: (p: Real, gap: Real, unwindCostPpm: bigint) => {
      const now = prudentEquity(p);
      return (
        max(0n, now - prudentEquity(mul(p, ONE - gap)), now - prudentEquity(mul(p, ONE + gap))) +
        mul(real(4n, 100n), r.longOpenInterest + r.shortOpenInterest, p) +
        mul(real(unwindCostPpm, 1_000_000n), abs(r.inventoryBase - skew), p)
      );
    },
  };
}

const dayDeviation = (sigma: bigint): Real => mul(fromWad(sigma), sqrt(real(1n, 365n)));
const exactGap = (sigma: bigint): Real =>
  min(max(6n * dayDeviation(sigma), real(2n, 10n)), real(5n, 10n));

/** The book seen from the other side: longs and shorts exchanged. */
const mirrored: Book = {
  ...BOOK,
  longOpenInterest: BOOK.shortOpenInterest,
  shortOpenInterest: BOOK.longOpenInterest,
  longEntryNotional: BOOK.shortEntryNotional,
  shortEntryNotional: BOOK.longEntryNotional,
  longCollateral: BOOK.shortCollateral,
  shortCollateral: BOOK.longCollateral,
};
/** Traders' collateral is nearly gone, so both caps on their losses bind. */
const thin: Book = { ...BOOK, longCollateral: 1_234_567n, shortCollateral: 7_654_321n };
/** Inventory equals skew: price moves leave equity where it is. */
const hedged: Book = {
  ...BOOK,
  inventoryBase: BOOK.longOpenInterest - BOOK.shortOpenInterest,
};
const large: Book = {
  ...BOOK,
  inventoryBase: 2n ** 112n - 1n,
  inventoryQuote: 2n ** 120n - 3n,
  longOpenInterest: 2n ** 110n + 5n,
  longEntryNotional: 2n ** 121n - 7n,
};
const BOOKS: [string, Book][] = [
  ["with more longs", BOOK],
  ["with more shorts", mirrored],
  ["with thin collateral", thin],
  ["with nothing but quote", { ...EMPTY, inventoryQuote: 10n ** 24n + 7n }],
  ["with inventory equal to skew", hedged],
  ["with the largest amounts", large],
];

describe("SolvencyMath", () => {
  for (const [name, book] of BOOKS) {
    describe(`a book ${name}`, () => {
      const exact = inReals(book);
      const prices = [PRICE, 1n, 10n ** 12n + 1n, 123_456n * WAD + 789n, 987n * WAD + 1n];

      it("has the skew and the traders' profit of the specification, the profit rounded up", async () => {
        expect(await math.skew(book)).to.equal(book.longOpenInterest - book.shortOpenInterest);
        for (const price of prices) {
          const profit = exact.traderProfit(fromWad(price));
          expect(await math.traderProfitUp(book, price)).to.equal(ceilWad(profit));
        }
      });

      it("has the equity of the specification, rounded down by at most two units", async () => {
        for (const price of prices) {
          expectBelow(await math.equity(book, price), exact.equity(fromWad(price)), 2n);
        }
      });

      it("has the prudent equity of the specification, rounded down by at most five units", async () => {
        for (const price of prices) {
          const prudent = exact.prudentEquity(fromWad(price));
          expectBelow(await math.prudentEquity(book, price), prudent, 5n);
        }
      });

      it("has the bid and ask of the specification, against whoever trades shares", async () => {
        for (const price of prices) {
          const [lower, upper] = [(price * 9_995n) / 10_000n, (price * 10_005n) / 10_000n + 1n];
          const [p, q] = [fromWad(lower), fromWad(upper)];
          expectBelow(await math.equityBid(book, lower, upper), exact.equityBid(p, q), 5n);
          expectAbove(await math.equityAsk(book, lower, upper), exact.equityAsk(p, q), 1n);
        }
      });

      it("can hold 98 % of what it owns as base", async () => {
        for (const price of prices) {
          const possible = exact.possible(fromWad(price));
          // Two roundings of quote, divided by the price, and one of base.
          const units = 1n + (2n * WAD) / price + 1n;
          expectBelow(await math.possibleInventory(book, price), possible, units);
        }
      });

      for (const sigma of [400_000_000_000_000_000n, 987_654_321_098_765_432n, 3n * WAD]) {
        it(`requires the capital of the specification at sigma ${sigma}`, async () => {
          for (const [price, cost] of [
            [PRICE, 7_501n],
            [123_456n * WAD + 789n, 0n],
            [987n * WAD + 1n, 130_000n],
          ] as const) {
            const p = fromWad(price);
            const required = exact.required(p, exactGap(sigma), cost);
            // The gap: 6 sigma times 10 units, what rounding a day in years to 18 decimals does to its root, and the
            // roundings; it scales what the book holds. Ten units for the roundings of the three terms.
            const gapUnits = 10n + (60n * sigma) / WAD;
            const moved = book.inventoryBase + book.longOpenInterest + book.shortOpenInterest;
            const units = 20n + (gapUnits * floorWad(mul(p, fromWad(moved)))) / WAD;
            expectWithin(await math.requiredCapital(book, price, sigma, cost), required, units);
          }
        });
      }
    });
  }

  describe("properties", () => {
    const amount = (most: bigint) => fc.bigInt(0n, most);
    const signed = (most: bigint) => fc.bigInt(-most, most);
    const [base, quote] = [10n ** 22n, 10n ** 25n];
    const books = fc.record<Book>({
      inventoryBase: amount(base),
      inventoryQuote: amount(quote),
      longOpenInterest: amount(base),
      shortOpenInterest: amount(base),
      longEntryNotional: amount(quote),
      shortEntryNotional: amount(quote),
      longCollateral: amount(quote / 5n),
      shortCollateral: amount(quote / 5n),
      longAccrual: signed(quote / 100n),
      shortAccrual: signed(quote / 100n),
      skewPremium: amount(quote / 50n),
      pendingIncome: amount(quote / 50n),
      unpaidClaims: amount(quote / 50n),
    });
    const bands = fc.record({ price: fc.bigInt(10n ** 20n, 10n ** 22n), width: amount(50n) });

    it("keeps bid, equity and ask in this order, within two units of rounding", async () => {
      await fc.assert(
        fc.asyncProperty(books, bands, async (book, { price, width }) => {
          const [lower, upper] = [
            price - (price * width) / 1_000n,
            price + (price * width) / 1_000n,
          ];
          const equity = await math.equity(book, price);
          expect((await math.equityBid(book, lower, upper)) <= equity + 2n).to.equal(true);
          expect((await math.equityAsk(book, lower, upper)) >= equity).to.equal(true);
        }),
        { numRuns: PROPERTY_RUNS, seed: SEED },
      );
    });

    it("finds nothing worse inside the price band than the bid at its ends", async () => {
      await fc.assert(
        fc.asyncProperty(
          books,
          bands,
          fc.integer({ min: 1, max: 99 }),
          async (book, band, share) => {
            const width = (band.price * band.width) / 1_000n;
            const inside = band.price - width + (2n * width * BigInt(share)) / 100n;
            const bid = await math.equityBid(book, band.price - width, band.price + width);
            expect((await math.prudentEquity(book, inside)) + 5n >= bid).to.equal(true);
          },
        ),
        { numRuns: PROPERTY_RUNS, seed: SEED },
      );
    });

    it("covers with the required capital what a move within the gap costs", async () => {
      await fc.assert(
        fc.asyncProperty(
          books,
          bands,
          fc.integer({ min: -200, max: 200 }),
          async (book, { price }, move) => {
            const required = await math.requiredCapital(book, price, (4n * WAD) / 10n, 0n);
            const moved = (price * (1_000n + BigInt(move))) / 1_000n;
            const loss =
              (await math.prudentEquity(book, price)) - (await math.prudentEquity(book, moved));
            expect(loss <= required + 10n).to.equal(true);
          },
        ),
        { numRuns: PROPERTY_RUNS, seed: SEED },
      );
    });
  });

  describe("a trader's loss", () => {
    // 100 base bought at 2,000 on 5,000 of collateral: 90 % of it is 4,500, which a fall of 45 uses up.
    const book: Book = {
      ...EMPTY,
      inventoryQuote: 1_000_000n * WAD,
      longOpenInterest: 100n * WAD,
      longEntryNotional: 200_000n * WAD,
      longCollateral: 5_000n * WAD,
    };

    it("counts in full for equity and up to 90 % of the collateral for prudent equity", async () => {
      const price = 1_900n * WAD;
      expect(await math.equity(book, price)).to.equal(1_010_000n * WAD);
      expect(await math.prudentEquity(book, price)).to.equal(1_004_500n * WAD);
      expect(await math.prudentEquity(book, 1_955n * WAD)).to.equal(1_004_500n * WAD);
      expect(await math.prudentEquity(book, 1_956n * WAD)).to.equal(1_004_400n * WAD);
    });

    it("counts a short's in the same way as the price rises", async () => {
      const short: Book = {
        ...book,
        longOpenInterest: 0n,
        longEntryNotional: 0n,
        longCollateral: 0n,
        shortOpenInterest: 100n * WAD,
        shortEntryNotional: 200_000n * WAD,
        shortCollateral: 5_000n * WAD,
      };
      expect(await math.equity(short, 2_100n * WAD)).to.equal(1_010_000n * WAD);
      expect(await math.prudentEquity(short, 2_100n * WAD)).to.equal(1_004_500n * WAD);
      expect(await math.prudentEquity(short, 2_044n * WAD)).to.equal(1_004_400n * WAD);
    });

    it("counts accruals for the bid only where the pool owes them, for the ask only where it is owed", async () => {
      const [owed, owing] = [7n * WAD + 1n, -(11n * WAD + 3n)];
      const at = { ...book, longAccrual: owed, shortAccrual: owing };
      const price = 1_980n * WAD;
      const [bid, ask] = [
        await math.equityBid(book, price, price),
        await math.equityAsk(book, price, price),
      ];
      expect(await math.equityBid(at, price, price)).to.equal(bid + owing);
      expect(await math.equityAsk(at, price, price)).to.equal(ask + owed);
      expect(await math.equity(at, price)).to.equal(
        (await math.equity(book, price)) + owed + owing,
      );
    });

    it("counts premiums and income on their way for the ask alone, and claims against all three", async () => {
      const price = 1_980n * WAD;
      const at = { ...book, skewPremium: 13n, pendingIncome: 17n, unpaidClaims: 29n };
      const [bid, mid, ask] = [
        await math.equityBid(book, price, price),
        await math.equity(book, price),
        await math.equityAsk(book, price, price),
      ];
      expect(await math.equityBid(at, price, price)).to.equal(bid - 29n);
      expect(await math.equity(at, price)).to.equal(mid - 29n);
      expect(await math.equityAsk(at, price, price)).to.equal(ask + 30n - 29n);
    });
  });

  describe("target inventory", () => {
    const weight = 512_345_678_901_234_567n;
    const equity = 9_876_543_210_987_654_321_098_769n;

    it("wants the skew and the weight's share of equity", async () => {
      for (const skew of [0n, 777_777_777_777_777_777_777n, -3_456_789_012_345_678_901_234n]) {
        const exact = fromWad(skew) + div(mul(fromWad(weight), fromWad(equity)), fromWad(PRICE));
        expectBelow(await math.wantedInventory(skew, PRICE, equity, weight), exact, 2n);
      }
    });

    it("counts equity below one quote token as one", async () => {
      expect(await math.scalingEquity(WAD + 1n)).to.equal(WAD + 1n);
      for (const little of [WAD, WAD - 1n, 0n, -(10n ** 30n)]) {
        expect(await math.scalingEquity(little)).to.equal(WAD);
        expect(await math.wantedInventory(5n, 2n * WAD, little, WAD / 2n)).to.equal(WAD / 4n + 5n);
      }
    });

    it("is what is wanted, but not below zero and not above what can be held", async () => {
      const possible = await math.possibleInventory(BOOK, PRICE);
      const share = await math.wantedInventory(0n, PRICE, equity, weight);
      const target = (skew: bigint) => math.targetInventory(BOOK, skew, PRICE, equity, weight);
      expect(await target(-share)).to.equal(0n);
      expect(await target(-share - 1n)).to.equal(0n);
      expect(await target(-share + 1n)).to.equal(1n);
      expect(await target(-(10n ** 27n))).to.equal(0n);
      expect(await target(possible - share)).to.equal(possible);
      expect(await target(possible - share - 1n)).to.equal(possible - 1n);
      expect(await target(10n ** 27n)).to.equal(possible);
    });

    it("is zero for a pool that owes more than it holds", async () => {
      const owing = { ...BOOK, inventoryBase: 0n, inventoryQuote: -1n };
      expect(await math.possibleInventory(owing, PRICE)).to.equal(0n);
      expect(await math.targetInventory(owing, WAD, PRICE, equity, weight)).to.equal(0n);
    });
  });

  describe("gap and shock", () => {
    /** sigma in percent as wad. */
    const percent = (value: bigint) => (value * WAD) / 100n;

    for (const sigma of [637_123_456_789_012_345n, 912_345_678_901_234_567n, percent(159n)]) {
      it(`looks six standard deviations of a day ahead at sigma ${sigma}`, async () => {
        expectWithin(await math.gapWad(sigma), 6n * dayDeviation(sigma), 10n + (60n * sigma) / WAD);
      });
    }

    it("answers to sigma between 64 % and 159 %, with 20 % and 50 % outside", async () => {
      for (const below of [0n, 40n, 63n]) {
        expect(await math.gapWad(percent(below))).to.equal(percent(20n));
      }
      expect(await math.gapWad(percent(64n))).to.be.greaterThan(percent(20n));
      expect(await math.gapWad(percent(159n))).to.be.lessThan(percent(50n));
      for (const above of [160n, 300n, 100_000n]) {
        expect(await math.gapWad(percent(above))).to.equal(percent(50n));
      }
    });

    it("shocks with 2.82 standard deviations of a day, at least 20 %, without ceiling", async () => {
      for (const sigma of [
        percent(136n),
        1_777_777_777_777_777_777n,
        percent(300n),
        percent(10_000n),
      ]) {
        const exact = mul(real(282n, 100n), dayDeviation(sigma));
        expectWithin(await math.shockWad(sigma), exact, 10n + (30n * sigma) / WAD);
        expect(await math.shockWad(sigma)).to.be.greaterThan(percent(20n));
      }
      for (const sigma of [0n, percent(40n), percent(135n)]) {
        expect(await math.shockWad(sigma)).to.equal(percent(20n));
      }
    });
  });

  describe("required capital", () => {
    it("is 10 M x 10.375 % for 5 M of base beside 5 M of quote at sigma 60 % and a fee of 30 bp", async () => {
      const book = { ...EMPTY, inventoryBase: 2_500n * WAD, inventoryQuote: 5_000_000n * WAD };
      const required = await math.requiredCapital(book, 2_000n * WAD, (6n * WAD) / 10n, 7_500n);
      expect(required).to.equal(1_037_500n * WAD);
      expect(await math.solvencyRatioWad(10_000_000n * WAD, required)).to.equal(
        9_638_554_216_867_469_879n,
      );
    });

    it("is 4 % of gross open interest for a matched, unmoved book", async () => {
      const book = {
        ...EMPTY,
        inventoryQuote: 5_000_000n * WAD,
        longOpenInterest: 300n * WAD,
        shortOpenInterest: 300n * WAD,
        longEntryNotional: 600_000n * WAD,
        shortEntryNotional: 600_000n * WAD,
        longCollateral: 300_000n * WAD,
        shortCollateral: 300_000n * WAD,
      };
      expect(await math.requiredCapital(book, 2_000n * WAD, WAD / 2n, 7_500n)).to.equal(
        48_000n * WAD,
      );
    });

    it("adds what traders cannot pay when the price gaps beyond their collateral", async () => {
      const book = {
        ...EMPTY,
        inventoryQuote: 5_000_000n * WAD,
        longOpenInterest: 300n * WAD,
        shortOpenInterest: 300n * WAD,
        longEntryNotional: 600_000n * WAD,
        shortEntryNotional: 600_000n * WAD,
        longCollateral: 100_000n * WAD,
        shortCollateral: 50_000n * WAD,
      };
      // A rise of 20 % costs shorts 120,000, of which 90 % of 50,000 is behind them: 75,000 is missing.
      const required = await math.requiredCapital(book, 2_000n * WAD, WAD / 2n, 7_500n);
      expect(required).to.equal((48_000n + 75_000n) * WAD);
    });

    it("is nothing for a pool that holds quote alone", async () => {
      const book = { ...EMPTY, inventoryQuote: 5_000_000n * WAD };
      expect(await math.requiredCapital(book, PRICE, 3n * WAD, 130_000n)).to.equal(0n);
    });
  });

  describe("solvency ratio", () => {
    it("is the bid over the required capital, rounded down", async () => {
      expect(await math.solvencyRatioWad(2n, 3n)).to.equal(666_666_666_666_666_666n);
      const [bid, required] = [
        9_876_543_210_987_654_321_098_769n,
        1_234_567_890_123_456_789_012_347n,
      ];
      const ratio = div(fromWad(bid), fromWad(required));
      expect(await math.solvencyRatioWad(bid, required)).to.equal(floorWad(ratio));
    });

    it("is the largest number where nothing is required of a pool that owes nothing", async () => {
      for (const bid of [0n, 1n, 10n ** 30n]) {
        expect(await math.solvencyRatioWad(bid, 0n)).to.equal(2n ** 256n - 1n);
      }
    });

    it("is zero where nothing is left and something required, or less than nothing left", async () => {
      expect(await math.solvencyRatioWad(0n, 7n)).to.equal(0n);
      for (const bid of [-1n, -(10n ** 30n)]) {
        for (const required of [0n, 7n])
          expect(await math.solvencyRatioWad(bid, required)).to.equal(0n);
      }
    });
  });
});
