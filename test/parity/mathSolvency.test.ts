import { expect } from "chai";
import fc from "fast-check";
import * as shares from "../../src/math/sharesMath.ts";
import * as solvency from "../../src/math/solvencyMath.ts";
import {
  amount,
  describeParity,
  int,
  positive,
  share,
  sigma,
  uint,
  WAD,
  word,
} from "./mathParity.ts";

const signedAmount = int(2n ** 127n);
const price = positive(2n ** 120n);

/** Any book. */
const book: fc.Arbitrary<solvency.Book> = fc.record({
  inventoryBase: amount,
  inventoryQuote: amount,
  longOpenInterest: amount,
  shortOpenInterest: amount,
  longEntryNotional: amount,
  shortEntryNotional: amount,
  longCollateral: amount,
  shortCollateral: amount,
  longAccrual: signedAmount,
  shortAccrual: signedAmount,
  skewPremium: amount,
  pendingIncome: amount,
  unpaidClaims: amount,
});

/** Functions that have a namesake in the library. */
const { solvencyOf: _, ...contractFunctions } = solvency;

/** A book with entry prices near the price and collateral near the losses, so that either decides what a loss counts. */
const likelyBook = fc
  .tuple(
    book,
    fc.bigInt(WAD / 10n ** 6n, 10n ** 6n * WAD),
    fc.array(uint(10n ** 27n), { minLength: 3, maxLength: 3 }),
    fc.array(fc.bigInt(0n, 2_000n), { minLength: 4, maxLength: 4 }),
  )
  .map(([any, price, [base, long, short], [longEntry, shortEntry, longMargin, shortMargin]]) => {
    const notional = (size: bigint, permille: bigint) => (size * price * permille) / (WAD * 1_000n);
    return [
      {
        ...any,
        inventoryBase: base!,
        longOpenInterest: long!,
        shortOpenInterest: short!,
        longEntryNotional: notional(long!, longEntry!),
        shortEntryNotional: notional(short!, shortEntry!),
        longCollateral: notional(long!, longMargin! / 4n),
        shortCollateral: notional(short!, shortMargin! / 4n),
      },
      price,
    ] as const;
  });

const bookAndPrice = fc.oneof(fc.tuple(book, price), likelyBook);
const band = fc.oneof(
  fc.tuple(book, price, price),
  likelyBook.map(([any, p]) => [any, (p * 9_995n) / 10_000n, (p * 10_005n) / 10_000n] as const),
);
const orZero = fc.oneof({ weight: 9, arbitrary: price }, { weight: 1, arbitrary: fc.constant(0n) });

await describeParity("SolvencyMathHarness", contractFunctions, {
  skew: { args: fc.tuple(book) },
  traderProfitUp: { args: bookAndPrice },
  equity: { args: bookAndPrice, times: 2 },
  prudentEquity: { args: bookAndPrice, times: 3 },
  equityBid: { args: band, times: 2 },
  equityAsk: { args: band, times: 2 },
  scalingEquity: { args: fc.tuple(fc.oneof(signedAmount, int(2n * WAD))) },
  wantedInventory: { args: fc.tuple(signedAmount, orZero, signedAmount, share), errors: ["Panic"] },
  holdingsDown: { args: bookAndPrice },
  possibleInventory: {
    args: fc.oneof(bookAndPrice, fc.tuple(book, orZero)),
    errors: ["Panic"],
  },
  targetInventory: {
    args: fc
      .tuple(fc.oneof(bookAndPrice, fc.tuple(book, orZero)), signedAmount, signedAmount, share)
      .map(([[any, p], skew, equity, weight]) => [any, skew, p, equity, weight]),
    errors: ["Panic"],
  },
  gapWad: { args: fc.tuple(sigma) },
  shockWad: { args: fc.tuple(sigma) },
  requiredCapital: {
    args: fc
      .tuple(bookAndPrice, sigma, uint(2n ** 20n))
      .map(([[any, p], s, cost]) => [any, p, s, cost]),
    times: 3,
  },
  solvencyRatioWad: {
    args: fc.tuple(fc.oneof(signedAmount, int(3n)), fc.oneof(amount, uint(3n))),
  },
});

describe("E, E_bid and R together", () => {
  it("are what each is alone", () => {
    const width = fc.oneof(fc.constant(5n), uint(10_000n));
    const inputs = fc.tuple(bookAndPrice, width, width, sigma, uint(2n ** 20n));
    fc.assert(
      fc.property(inputs, ([[any, p], below, above, s, cost]) => {
        const lower = p - (p * below) / 10_000n;
        const upper = p + (p * above) / 10_000n;
        expect(solvency.solvencyOf(any, p, lower, upper, s, cost)).to.deep.equal({
          equity: solvency.equity(any, p),
          equityBid: solvency.equityBid(any, lower, upper),
          required: solvency.requiredCapital(any, p, s, cost),
        });
      }),
      { seed: 7, numRuns: 2_000 },
    );
  });
});

const anyWords = fc.tuple(word, word, word);
const conversion = {
  args: fc.oneof(anyWords, fc.tuple(uint(2n ** 96n), uint(2n ** 120n), uint(2n ** 96n))),
  errors: ["FullMulDivFailed", "Panic"],
};
const fee = fc.oneof(share, word);
/** The weight that LPs want, and a shock from 20 %. */
const weightAndShock = fc.oneof(
  fc.tuple(share, share),
  fc.tuple(share, fc.bigInt(WAD / 5n, WAD / 2n)),
);
/** What the limits are called with: inventories of the same order, in an equity that holds them. */
const exits = fc.oneof(
  fc.tuple(amount, signedAmount, amount, signedAmount, price),
  fc
    .tuple(uint(10n ** 27n), int(1_500n), uint(1_500n), fc.bigInt(WAD, 10n ** 22n), uint(30n))
    .map(([base, wanted, possible, p, times]) => {
      const equity = (base * p * times) / (10n * WAD);
      return [base, (base * wanted) / 1_000n, (base * possible) / 1_000n, equity, p] as const;
    }),
);

await describeParity("SharesMathHarness", shares, {
  toSharesDown: conversion,
  toSharesUp: conversion,
  toAssetsDown: conversion,
  toAssetsUp: conversion,
  netDown: { args: fc.tuple(word, fee), errors: ["MulWadFailed", "Panic"] },
  grossUp: { args: fc.tuple(word, fee), errors: ["FullMulDivFailed", "Panic"] },
  maximumExit: {
    args: fc.tuple(exits, weightAndShock).map(([limits, [w, s]]) => [...limits, w, s]),
    times: 4,
  },
  maximumEntry: {
    args: fc
      .tuple(exits, weightAndShock)
      .map(([[inventory, wanted, , equity, p], [w, s]]) => [inventory, wanted, equity, p, w, s]),
    times: 2,
  },
});
