import { expect } from "chai";
import { network } from "hardhat";
import {
  currentPrice,
  deployFixture,
  now,
  type ProtocolFixture,
  publishPrice,
  requestOrder,
  reserves,
  WAD,
} from "../../support/protocolFixture.ts";
import { magnitude, moveSpot, rebalanced, statesOf } from "./rebalanceFixture.ts";

const connection = await network.create();
const { networkHelpers } = connection;
const { loadFixture, time } = networkHelpers;

const { mustSell, directions } = statesOf(connection);

/** Quote units that enter or leave to read phi from the fee. */
const ASSETS = 10n ** 12n;

/** Whole parts per million, which phi is stored in; what is read from amounts is not quite whole. */
function whole(ppm: number): number {
  expect(Math.abs(ppm - Math.round(ppm)) < 0.01, `${ppm} ppm`).to.equal(true);
  return Math.round(ppm);
}

/** phi in parts per million, from the fee of an entry or an exit: w phi of what it moves, w being one half. */
async function hedgeRate(fixture: ProtocolFixture, way: "entry" | "exit"): Promise<number> {
  const { marginPool, owner } = fixture;
  const undo = await networkHelpers.takeSnapshot();
  await marginPool.sync();
  const [before, at] = [await marginPool.ledgers(), await now(fixture)];
  if (way === "entry") await marginPool.connect(owner).deposit(ASSETS, owner);
  else await marginPool.connect(owner).withdraw(ASSETS, owner, owner);
  const after = await marginPool.ledgers();
  const stays = Math.exp(-Number((await now(fixture)) - at) / 86_400);
  await undo.restore();
  const fee = Number(after.pendingIncome) - Number(before.pendingIncome) * stays;
  const gross = way === "entry" ? Number(ASSETS) : Number(ASSETS) + fee;
  return whole((2e6 * fee) / gross);
}

/** What rebalancing gave up and moved, chunk by chunk, and phi from it. */
class Hedges {
  private readonly chunks: { at: number; cost: number; notional: number }[] = [];
  /** 1 % of equity counts as hedged at half a round trip, 37.5 bp, whole quote. */
  private prior = 0;

  async chunk(fixture: ProtocolFixture): Promise<void> {
    this.prior = Number((await fixture.marginPool.poolState()).equity) / 1e8;
    const event = await rebalanced(fixture, fixture.rebalancer.rebalance());
    const price = Number(await currentPrice(fixture)) / 1e18;
    const value = (Number(event.baseDelta) / 1e18) * price;
    this.chunks.push({
      at: Number(await now(fixture)),
      // what a chunk gains does not pay for another
      cost: Math.max(0, -value - Number(event.quoteDelta) / 1e6),
      notional: Math.abs(value),
    });
  }

  /** Averages weigh e^-1 a day of age, and are taken at the last chunk: time alone changes nothing. */
  get rate(): number {
    const last = this.chunks.at(-1)!.at;
    let [cost, notional] = [this.prior * 0.00375, this.prior];
    for (const chunk of this.chunks) {
      const weight = Math.exp((chunk.at - last) / 86_400);
      cost += chunk.cost * weight;
      notional += chunk.notional * weight;
    }
    return (1e6 * cost) / notional;
  }

  /** Rounded down to whole parts per million: one number, unless the rate is next to a whole one. */
  get stored(): [number, number] {
    return [Math.floor(this.rate - 0.01), Math.floor(this.rate + 0.01)];
  }
}

/** A new round, at the same price unless told otherwise. */
async function nextRound(fixture: ProtocolFixture, seconds: bigint, move = WAD): Promise<void> {
  await time.increase(seconds);
  await publishPrice(fixture, ((await currentPrice(fixture)) * move) / WAD);
  await fixture.rebalancer.poke();
}

describe("the hedge rate phi", () => {
  for (const [swapFeePpm, rate] of [
    [500n, 1_000],
    [1_000n, 1_250],
    [3_000n, 3_750],
    [4_000n, 5_000],
    [10_000n, 5_000],
  ] as const) {
    it(`starts at half a round trip through the pool within 10 to 50 bp: ${rate / 100} bp at a fee of ${swapFeePpm} ppm`, async () => {
      const fixture = await deployFixture(connection, { swapFeePpm });
      await nextRound(fixture, 601n);
      // 2 f and half a fee's impact, but at most 0.5 %, there and back
      const impact = Math.min(Number(swapFeePpm) / 2, 5_000);
      const half = (2 * Number(swapFeePpm) + impact) / 2;
      expect(Math.min(5_000, Math.max(1_000, half))).to.equal(rate);
      expect(await hedgeRate(fixture, "entry")).to.equal(rate);
      expect(await hedgeRate(fixture, "exit")).to.equal(rate);
    });
  }

  for (const { verb, sellBase, outside } of directions) {
    /** Moves the pool's price to where the next chunk costs about 45 bp less so many. */
    const favor = async (fixture: ProtocolFixture, basisPoints: bigint) => {
      const [base, quote] = await reserves(fixture);
      const spot = (quote * 10n ** 30n) / base;
      const factor = 10_000n + (sellBase ? basisPoints : -basisPoints);
      const wanted = ((await currentPrice(fixture)) * factor) / 10_000n;
      await moveSpot(fixture, (wanted * WAD) / spot - WAD);
    };

    it(`is a day's average of what chunks gave up, when the pool ${verb}`, async () => {
      const fixture = await loadFixture(outside);
      const hedges = new Hedges();
      const expectRate = async (low: number, high: number) => {
        expect(hedges.rate).to.be.within(low, high);
        expect(await hedgeRate(fixture, "entry")).to.be.within(...hedges.stored);
        expect(await hedgeRate(fixture, "exit")).to.be.within(...hedges.stored);
      };
      await nextRound(fixture, 600n);
      expect(await hedgeRate(fixture, "entry")).to.equal(3_750);

      await hedges.chunk(fixture);
      await expectRate(3_850, 4_050);
      await favor(fixture, 25n);
      await hedges.chunk(fixture);
      await expectRate(3_450, 3_650);
      await nextRound(fixture, 3_000n, (WAD * 1_002n) / 1_000n);
      await favor(fixture, -30n);
      await hedges.chunk(fixture);
      await expectRate(4_000, 4_400);
      const before = hedges.rate;
      await nextRound(fixture, 86_400n);
      await expectRate(before, before);

      // a day later those three weigh e^-1, and a chunk at next to no cost weighs 1
      await favor(fixture, 40n);
      await hedges.chunk(fixture);
      await expectRate(3_200, 3_450);
    });

    it(`is not decided by one chunk, and what one chunk gains pays for no other, when the pool ${verb}`, async () => {
      const fixture = await loadFixture(outside);
      const hedges = new Hedges();
      await nextRound(fixture, 600n);
      await favor(fixture, 200n);
      await hedges.chunk(fixture);
      expect(hedges.rate).to.be.within(2_700, 3_000);
      expect(await hedgeRate(fixture, "entry")).to.be.within(...hedges.stored);
      expect(await hedgeRate(fixture, "exit")).to.be.within(...hedges.stored);
      // 75 bp: averaged with nothing, not with the gain of about 155 bp
      await favor(fixture, -30n);
      await hedges.chunk(fixture);
      expect(hedges.rate).to.be.within(3_700, 3_850);
      expect(await hedgeRate(fixture, "entry")).to.be.within(...hedges.stored);

      await nextRound(fixture, 5n * 86_400n);
      await favor(fixture, -30n);
      await hedges.chunk(fixture);
      expect(hedges.rate).to.be.within(4_400, 4_700);
      expect(await hedgeRate(fixture, "entry")).to.be.within(...hedges.stored);
      expect(await hedgeRate(fixture, "exit")).to.be.within(...hedges.stored);
    });
  }

  it("is what a trade pays per quote of exposure it adds beyond the inner band", async () => {
    const fixture = await loadFixture(mustSell);
    const { marginPool, alice } = fixture;
    const hedges = new Hedges();
    await nextRound(fixture, 600n);
    const charges: number[] = [];
    for (let i = 0; i < 2; i += 1) {
      await requestOrder(fixture, alice, -11n * WAD);
      await time.increase(5n);
      await publishPrice(fixture, await currentPrice(fixture));
      const [fill] = await marginPool.previewOrder(alice, { blockTag: "pending" });
      const added = (11 * Number(await currentPrice(fixture))) / 1e18;
      charges.push((1e6 * (Number(fill.hedgeCharge) / 1e6)) / added);
      await marginPool.executeOrder(alice);
      if (i === 0) await hedges.chunk(fixture);
    }
    expect(whole(charges[0]!)).to.equal(3_750);
    expect(whole(charges[1]!)).to.be.within(...hedges.stored);
    expect(hedges.rate).to.be.gt(3_800);
    expect(magnitude((await marginPool.poolState()).netExposureBase)).to.be.gt(0n);
  });
});
