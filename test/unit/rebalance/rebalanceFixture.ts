import { expect } from "chai";
import type { ContractTransactionResponse } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import {
  deployFixture,
  depositMargin,
  now,
  type ProtocolFixture,
  reserves,
  sqrtDown,
  swap,
  trade,
  WAD,
} from "../../support/protocolFixture.ts";

export const PPM = 1_000_000n;
/** Fee of the constant-product pool. */
export const FEE = 3_000n;
/** IRebalancer.Reason */
export const DUE = 0n;
export const INSIDE_BAND = 1n;
export const NOT_YET_ELIGIBLE = 2n;
export const ALREADY_THIS_BLOCK = 3n;
export const POOL_TOO_SHALLOW = 4n;
export const INSOLVENT = 6n;

/** A narrow band: one trade of 4,001 base, 7.8 % of equity, leaves it. */
export const settings = { initialTargetVolatility: WAD / 100n };
export const SIZE = 4_001n * WAD;

const anything = () => true;
export const magnitude = (value: bigint) => (value < 0n ? -value : value);
export const smaller = (a: bigint, b: bigint) => (a < b ? a : b);
/** Whether two numbers agree to a relative error. */
export const near = (actual: number, expected: number, error = 1e-9) =>
  Math.abs(actual / expected - 1) <= error;
export const ceilDiv = (a: bigint, b: bigint) => (a + b - 1n) / b;

/** States to start from, each made once per connection. */
export function statesOf(connection: NetworkConnection) {
  /** Nothing traded yet, alice and bob have margin. */
  async function quiet(): Promise<ProtocolFixture> {
    const fixture = await deployFixture(connection, settings);
    await depositMargin(fixture, fixture.alice, 1_203_007n * WAD);
    await depositMargin(fixture, fixture.bob, 1_100_013n * WAD);
    return fixture;
  }

  /** The pool holds too little base: alice is long. */
  async function mustBuy(): Promise<ProtocolFixture> {
    const fixture = await quiet();
    await trade(fixture, fixture.alice, SIZE);
    await fixture.rebalancer.poke();
    return fixture;
  }

  /** The pool holds too much base: alice is short. */
  async function mustSell(): Promise<ProtocolFixture> {
    const fixture = await quiet();
    await trade(fixture, fixture.alice, -SIZE);
    await fixture.rebalancer.poke();
    return fixture;
  }

  const directions = [
    { verb: "sells", sellBase: true, outside: mustSell },
    { verb: "buys", sellBase: false, outside: mustBuy },
  ] as const;
  return { quiet, mustBuy, mustSell, directions };
}

/** sqrt(k / P) and sqrt(k P) of the 18-decimal base and the 6-decimal quote, in token units. */
export function remarked([base, quote]: [bigint, bigint], priceWad: bigint): [bigint, bigint] {
  const k = base * quote * 10n ** 12n;
  return [sqrtDown((k * WAD) / priceWad), sqrtDown((k * priceWad) / WAD) / 10n ** 12n];
}

/** The measurement's state by name. */
export async function bandOf({ rebalancer }: ProtocolFixture) {
  const [targetVarianceWad, lastTargetBase, lastSampledAt, lastRoundId] =
    await rebalancer.bandState();
  return { targetVarianceWad, lastTargetBase, lastSampledAt, lastRoundId };
}

/** The one `Rebalanced` event of a transaction. */
export async function rebalanced(
  fixture: ProtocolFixture,
  sent: Promise<ContractTransactionResponse>,
) {
  const receipt = (await (await sent).wait())!;
  const filter = fixture.rebalancer.filters.Rebalanced();
  const [event] = await fixture.rebalancer.queryFilter(
    filter,
    receipt.blockNumber,
    receipt.blockNumber,
  );
  return event!.args;
}

/** The preview of the next block gives the reason, and the action of that block reverts with it. */
export async function expectNotDue(fixture: ProtocolFixture, reason: bigint): Promise<void> {
  expect((await fixture.rebalancer.previewRebalance({ blockTag: "pending" })).reason).to.equal(
    reason,
  );
  await expect(fixture.rebalancer.rebalance({ gasLimit: 3_000_000n }))
    .to.be.revertedWithCustomError(fixture.rebalancer, "Rebalancer_NotDue")
    .withArgs(reason, anything, anything, anything);
}

/** Rebalances a few seconds from now and expects just what the preview of that moment said. */
export async function expectAsPreviewed(fixture: ProtocolFixture, seconds = 12n) {
  const { rebalancer, connection } = fixture;
  await connection.networkHelpers.time.setNextBlockTimestamp((await now(fixture)) + seconds);
  const plan = await rebalancer.previewRebalance({ blockTag: "pending" });
  expect(plan.reason).to.equal(DUE);
  expect(await rebalancer.rebalance.staticCall({ blockTag: "pending" })).to.deep.equal(plan);
  const event = await rebalanced(fixture, rebalancer.rebalance());
  expect(event.baseDelta).to.equal(plan.sellBase ? -plan.amountBase : plan.amountBase);
  expect(event.exposureBefore).to.equal(plan.netExposureBase);
  expect(magnitude(event.exposureAfter)).to.be.lt(magnitude(event.exposureBefore));
  expect(event.exposureAfter > 0n).to.equal(event.exposureBefore > 0n);
  return { plan, event };
}

/** Moves the pool's spot price by a part in 1e18, as somebody who wants to be paid for it would. */
export async function moveSpot(fixture: ProtocolFixture, partWad: bigint): Promise<void> {
  const [base, quote] = await reserves(fixture);
  const root = sqrtDown((WAD + partWad) * WAD);
  if (partWad > 0n) await swap(fixture, fixture.bob, false, (quote * root) / WAD - quote);
  else await swap(fixture, fixture.bob, true, (base * WAD) / root - base);
}
