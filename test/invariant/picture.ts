import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import type { MarginPoolLens as Types } from "../../typechain-types/contracts/mocks/MarginPoolLens.ts";
import type { MarginPoolLens } from "../../typechain-types/index.ts";
import type { Real } from "../support/marginReference.ts";
import * as reference from "../support/marginReference.ts";
import type { ProtocolFixture } from "../support/protocolFixture.ts";
import { bookOf, fromBase, fromQuote, fromWad } from "../support/traderFixture.ts";

/** The pool and everybody in it at one instant. */
export type Picture = Types.PictureStructOutput;
export type Person = Types.PersonStructOutput;

/** Risk states by number. */
export const STATES = ["Normal", "Guarded", "ReduceOnly", "Deleveraging", "Settled"] as const;
export type State = (typeof STATES)[number];

/** A pool with everybody who has ever touched it. */
export interface Crowd extends ProtocolFixture {
  readonly lens: MarginPoolLens;
  readonly people: readonly HardhatEthersSigner[];
}

export async function withLens(
  f: ProtocolFixture,
  people: readonly HardhatEthersSigner[],
): Promise<Crowd> {
  const lens = await f.connection.ethers.deployContract("MarginPoolLens", [f.marginPool]);
  return { ...f, lens, people };
}

/** What an action of now would find. */
export const look = (f: Crowd): Promise<Picture> =>
  f.lens.look.staticCall(f.people.map((who) => who.address));

export const stateOf = (p: Picture): State => STATES[Number(p.state.riskState)]!;

/**
 * What rounding may move in one step of the arithmetic, quote token units: one, or 1e-12 quote where the token is finer,
 * because prices and indices have 18 decimals and multiply sizes.
 */
export const grain = ({ settings }: ProtocolFixture): bigint =>
  10n ** BigInt(Math.max(0, settings.quoteDecimals - 12));

const sum = <T>(list: readonly T[], of: (item: T) => bigint): bigint =>
  list.reduce((total, item) => total + of(item), 0n);

/** I1: what the pool owes in either token is in its balance. */
export function expectCovered(p: Picture): void {
  const l = p.ledgers;
  const quote =
    l.inventoryQuote +
    l.longCollateral +
    l.shortCollateral +
    l.skewPremium +
    l.pendingIncome +
    l.insuranceFund +
    l.custodyQuote;
  expect(
    quote <= p.quoteBalance,
    `I1: quote ledgers ${quote} <= balance ${p.quoteBalance}`,
  ).to.equal(true);
  expect(
    l.inventoryBase <= p.baseBalance,
    `I1: base ledger ${l.inventoryBase} <= balance ${p.baseBalance}`,
  ).to.equal(true);
}

/**
 * I2: every aggregate is the sum over positions. Deleveraging rounds aggregates up and positions down: each may leave a
 * few units per account.
 */
export function expectSums(p: Picture, executionFee: bigint, deleveragings: bigint): void {
  const l = p.ledgers;
  const open = p.people.filter(({ account }) => account.size !== 0n);
  if (deleveragings > 0n && !p.good) return; // positions need a price to be seen as deleveraged
  const size = ({ account, position }: Person) =>
    deleveragings > 0n ? position.size : account.size;
  const entry = ({ account, position }: Person) =>
    deleveragings > 0n ? position.entryNotional : account.entryNotional;
  const backing = (person: Person) => {
    const { collateral, entryNotional } = person.account;
    const whole = collateral < entryNotional ? collateral : entryNotional;
    return entryNotional === 0n ? 0n : (whole * entry(person)) / entryNotional;
  };
  const side = (long: boolean) => open.filter(({ account }) => account.size > 0n === long);
  const slack = 4n * deleveragings * BigInt(p.people.length);
  const near = (name: string, aggregate: bigint, total: bigint, below = 0n) =>
    expect(
      aggregate - total <= slack && aggregate - total >= -below,
      `I2: sum of positions = aggregates: ${name} is ${aggregate}, positions have ${total}`,
    ).to.equal(true);
  for (const [long, oi, notional, collateral] of [
    [true, l.longOpenInterest, l.longEntryNotional, l.longCollateral],
    [false, l.shortOpenInterest, l.shortEntryNotional, l.shortCollateral],
  ] as const) {
    const name = long ? "long" : "short";
    near(
      `${name} open interest`,
      oi,
      sum(side(long), (person) => reference.abs(size(person))),
    );
    near(`${name} entry notional`, notional, sum(side(long), entry));
    // backing is rebuilt here from rounded entry notionals, so it may miss on either side
    near(`${name} collateral`, collateral, sum(side(long), backing), slack);
  }
  const free =
    sum(p.people, ({ account, credited, order }) => {
      const escrow = order.requestedAt === 0n ? 0n : executionFee;
      return account.collateral + credited + escrow;
    }) -
    l.longCollateral -
    l.shortCollateral;
  expect(l.custodyQuote, "I2: custody = free margin + escrow + credits").to.equal(free);
  const claims = sum(p.people, ({ account }) => account.unpaidClaim);
  // a finalized settlement may keep claims for late accounts apart
  expect(l.unpaidClaims, "I2: Z = sum of unpaid claims").to.equal(claims);
}

/** Everything LPs, traders, insurance, J, S, escrow and the credited own at the index price, as a real (I3). */
export function wealthOf(f: ProtocolFixture, p: Picture, executionFee: bigint): Real {
  const l = p.ledgers;
  const book = bookOf(f, p.ledgers);
  const equity = reference.equity(book, fromWad(p.snapshot.indexPriceWad));
  const quote =
    l.skewPremium +
    l.pendingIncome +
    l.insuranceFund +
    sum(p.people, ({ account, position, credited, order }) => {
      const escrow = order.requestedAt === 0n ? 0n : executionFee;
      return position.equity + account.unpaidClaim + credited + escrow;
    });
  return equity + fromQuote(f, quote);
}

/** What the pool holds of both tokens at the index price, as a real. */
export const holdingsOf = (f: ProtocolFixture, p: Picture): Real =>
  fromQuote(f, p.quoteBalance) +
  reference.mul(fromBase(f, p.baseBalance), fromWad(p.snapshot.indexPriceWad));

/** I10, and equity as recomputed from the ledgers. */
export function expectOrdered(f: ProtocolFixture, p: Picture): void {
  const { equity, equityBid, equityAsk } = p.state;
  expect(
    equityBid <= equity && equity <= equityAsk,
    `I10: E_bid <= E <= E_ask: ${equityBid}, ${equity}, ${equityAsk}`,
  ).to.equal(true);
  const book = bookOf(f, p.ledgers);
  const price = fromWad(p.snapshot.indexPriceWad);
  const band = p.settledAt === 0n ? fromWad(f.settings.priceBand) : 0n;
  const market = { price, band } as reference.Market;
  const slack = fromQuote(f, 2n) + 10n ** 22n;
  for (const [name, actual, expected] of [
    ["E", equity, reference.equity(book, price)],
    ["E_bid", equityBid, reference.equityBid(book, market)],
    ["E_ask", equityAsk, reference.equityAsk(book, market)],
  ] as const) {
    const off = reference.abs(fromQuote(f, actual) - expected);
    const tolerance = slack + reference.abs(expected) / 10n ** 14n;
    expect(off <= tolerance, `I10: ${name} ${actual}, recomputed ${expected}`).to.equal(true);
  }
}

/** I18: whoever the views call healthy cannot be liquidated, and the other way round. */
export function expectHealthyAreSafe(f: Crowd, p: Picture): void {
  if (!p.good || p.settledAt !== 0n) return;
  for (const [i, { account, position, liquidates, refusal }] of p.people.entries()) {
    if (account.size === 0n) continue;
    const healthy = position.size === 0n || position.equity >= position.maintenanceMargin;
    const why =
      refusal === "0x" ? "" : (f.marginPool.interface.parseError(refusal)?.name ?? refusal);
    expect(
      !(healthy && liquidates),
      `I18: a healthy position is never liquidatable: ${f.people[i]!.address}`,
    ).to.equal(true);
    expect(
      healthy ||
        liquidates ||
        why === "MarginPool_OpenedThisBlock" ||
        why === "MarginPool_IsSettled",
      `an account below maintenance can be liquidated: ${f.people[i]!.address} ${why}`,
    ).to.equal(true);
  }
}

/**
 * I15, as far as two pictures show it: the ratio's state improves only after half an hour, or out of Deleveraging at its
 * goal; and the state is no better than what ratio and exposure allow.
 */
export function expectHysteresis(before: Picture, after: Picture): void {
  if (!after.good || !before.good) return;
  const [from, to] = [Number(before.ratioState), Number(after.ratioState)];
  if (to < from && from !== 3) {
    expect(
      after.timestamp - before.stateSince >= 1_800n,
      `I15: states move with hysteresis: ${STATES[from]} to ${STATES[to]} after ${after.timestamp - before.stateSince} s`,
    ).to.equal(true);
  }
  const ratio = after.state.solvencyRatioWad;
  const worst = ratio >= 15n * 10n ** 17n ? 0 : ratio >= 125n * 10n ** 16n ? 1 : 2;
  expect(
    Number(after.state.riskState) >= worst,
    `I15: a state is never better than the solvency ratio: ${stateOf(after)} at ${ratio}`,
  ).to.equal(true);
}
