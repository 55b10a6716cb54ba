import { expect } from "chai";
import { network } from "hardhat";
import {
  arbitrage,
  currentPrice,
  deployFixture,
  depositMargin,
  FAR_DEADLINE,
  now,
  type ProtocolFixture,
  passTime,
  publishPrice,
  reserves,
  swap,
  trade,
  WAD,
} from "../../support/protocolFixture.ts";
import {
  bandOf,
  DUE,
  expectAsPreviewed,
  INSIDE_BAND,
  magnitude,
  NOT_YET_ELIGIBLE,
  near,
  remarked,
  SIZE,
  settings,
  statesOf,
} from "./rebalanceFixture.ts";

const connection = await network.create();
const { networkHelpers } = connection;
const { loadFixture, time } = networkHelpers;

const { quiet, mustSell } = statesOf(connection);

/** One more round at the same price, after some time, measured. */
async function sampleAfter(fixture: ProtocolFixture, seconds: bigint): Promise<void> {
  await time.increase(seconds);
  await publishPrice(fixture, await currentPrice(fixture));
  await fixture.rebalancer.poke();
}

async function removeThird({ pool, owner }: ProtocolFixture): Promise<void> {
  await pool.removeLiquidity((await pool.balanceOf(owner)) / 3n, 0n, 0n, owner, FAR_DEADLINE);
}

async function doubleDepth(fixture: ProtocolFixture): Promise<void> {
  const { pool, base, owner } = fixture;
  const [baseReserve, quoteReserve] = await reserves(fixture);
  const baseFirst = (await pool.token0()) === (await base.getAddress());
  const [amount0, amount1] = baseFirst ? [baseReserve, quoteReserve] : [quoteReserve, baseReserve];
  await pool.addLiquidity(amount0, amount1, 0n, 0n, owner, FAR_DEADLINE);
}

/** h_out as cached, whole base. */
async function outerBandNow({ marginPool }: ProtocolFixture): Promise<number> {
  return Number((await marginPool.snapshot({ blockTag: "latest" })).outerBandWad) / 1e18;
}

/**
 * h_out by the mechanism, whole base: min(cbrt(3 eps nu^2 / (2 rho_a sigma^2 P)), cap) with rho_a = 20 / E, nu^2 in
 * base^2 a year, and the cap where a shock costs 2.5 % of E.
 *
 * @param shareVariance nu^2, (share of equity)^2 per year
 */
async function outerBandBy(
  { marginPool }: ProtocolFixture,
  shareVariance: number,
): Promise<number> {
  const state = await marginPool.snapshot({ blockTag: "latest" });
  const [equity, price, sigma] = [state.equityWad, state.indexPriceWad, state.volatilityWad].map(
    (value) => Number(value) / 1e18,
  ) as [number, number, number];
  const epsilon = (2 * 3_000 + 1_500) / 1e6;
  const inBase = shareVariance * (equity / price) ** 2;
  const cube = (3 * epsilon * inBase) / (2 * (20 / equity) * sigma ** 2 * price);
  const shock = Math.max(0.2, (2.82 * sigma) / Math.sqrt(365));
  return Math.min(Math.cbrt(cube), (0.025 * equity) / shock / price);
}

describe("Rebalancer: measuring the band", () => {
  it("samples once per round, however often it is poked", async () => {
    const fixture = await loadFixture(mustSell);
    const { rebalancer, marginPool } = fixture;
    const before = await bandOf(fixture);
    const band = await marginPool.snapshot();
    for (let i = 0; i < 3; i += 1) {
      await time.increase(97n);
      await swap(fixture, fixture.bob, true, 1_000n * WAD);
      await expect(rebalancer.poke()).not.to.emit(rebalancer, "BandUpdated");
    }
    expect(await bandOf(fixture)).to.deep.equal(before);
    const after = await marginPool.snapshot();
    expect(after.outerBandWad).to.equal(band.outerBandWad);
    expect(after.depthBaseWad).to.equal(band.depthBaseWad);
    await publishPrice(fixture, await currentPrice(fixture));
    await expect(rebalancer.poke()).to.emit(rebalancer, "BandUpdated");
    expect((await bandOf(fixture)).lastRoundId).to.equal(before.lastRoundId + 1n);
  });

  it("follows the depth down at once, and up by a day's average once it has stood in two samples", async () => {
    const fixture = await loadFixture(quiet);
    const { marginPool } = fixture;
    const priceWad = await currentPrice(fixture);
    await removeThird(fixture);
    await sampleAfter(fixture, 61n);
    const [lower] = remarked(await reserves(fixture), priceWad);
    const fallen = (await marginPool.snapshot()).depthBaseWad;
    expect(fallen).to.be.closeTo(lower, 10n ** 6n);

    await doubleDepth(fixture);
    await sampleAfter(fixture, 3_000n);
    expect((await marginPool.snapshot()).depthBaseWad).to.equal(fallen);
    const { lastSampledAt: sampledAt } = await bandOf(fixture);
    await sampleAfter(fixture, 3_100n);
    const elapsed = Number((await now(fixture)) - sampledAt);
    const [doubled] = remarked(await reserves(fixture), priceWad);
    const risen = (await marginPool.snapshot()).depthBaseWad;
    const share = Number(risen - fallen) / Number(doubled - fallen);
    expect(near(share, 1 - Math.exp(-elapsed / 86_400)), `${share}`).to.equal(true);
  });

  it("keeps no trace of liquidity that is only there at a poke", async () => {
    const fixture = await loadFixture(quiet);
    const { marginPool, pool, owner } = fixture;
    const { depthBaseWad } = await marginPool.snapshot();
    // but for the rounding of whole units of liquidity
    const expectUnchanged = async () =>
      expect((await marginPool.snapshot()).depthBaseWad).to.be.within(
        depthBaseWad - 10n ** 6n,
        depthBaseWad + 10n ** 6n,
      );
    for (let i = 0; i < 3; i += 1) {
      const held = await pool.balanceOf(owner);
      await doubleDepth(fixture);
      await sampleAfter(fixture, 3_000n);
      await pool.removeLiquidity((await pool.balanceOf(owner)) - held, 0n, 0n, owner, FAR_DEADLINE);
      await expectUnchanged();
      await sampleAfter(fixture, 3_000n);
      await expectUnchanged();
    }
  });

  it("takes the depth in full at the first sample of a pool that holds anything", async () => {
    const fixture = await deployFixture(connection, { poolQuoteDepth: 0n });
    const { marginPool, pool, base, quote, owner } = fixture;
    await sampleAfter(fixture, 61n);
    expect((await marginPool.snapshot()).depthBaseWad).to.equal(0n);
    await base.mint(pool, 103n * 10n ** 21n);
    await quote.mint(pool, 20_043_000n * 10n ** 6n);
    await pool.mint(owner);
    await sampleAfter(fixture, 61n);
    const [depth] = remarked(await reserves(fixture), await currentPrice(fixture));
    expect((await marginPool.snapshot()).depthBaseWad).to.be.closeTo(depth, 10n ** 6n);
  });

  it("starts the target's variance at the square of the first guess, 365 days a year", async () => {
    const { targetVarianceWad } = await bandOf(await loadFixture(quiet));
    expect(targetVarianceWad).to.equal((365n * WAD) / 10_000n);
  });

  it("lets the target's variance at most double in a day and follow its average otherwise", async () => {
    const fixture = await loadFixture(quiet);
    const { rebalancer, alice, marginPool } = fixture;
    const start = await bandOf(fixture);
    await trade(fixture, alice, SIZE);
    await rebalancer.poke();
    const jumped = await bandOf(fixture);
    const seconds = Number(jumped.lastSampledAt - start.lastSampledAt);
    const growth = Number(jumped.targetVarianceWad) / Number(start.targetVarianceWad);
    // 4,001 base in seconds would multiply nu^2 by far more
    expect(near(growth, 2 ** (seconds / 86_400)), `${growth}`).to.equal(true);
    expect(growth > 1).to.equal(true);

    // a move of 0.15 % of equity in 50 minutes, less than the average so far
    await trade(fixture, fixture.bob, 77n * WAD);
    await sampleAfter(fixture, 3_000n);
    const calm = await bandOf(fixture);
    const { equityWad, indexPriceWad } = await marginPool.snapshot({ blockTag: "latest" });
    const elapsed = Number(calm.lastSampledAt - jumped.lastSampledAt);
    const decay = Math.exp(-elapsed / 86_400);
    const move = Number(calm.lastTargetBase - jumped.lastTargetBase) / 1e18;
    const share = (move * Number(indexPriceWad)) / Number(equityWad);
    expect(share).to.be.within(0.001, 0.0018);
    const expected =
      (Number(jumped.targetVarianceWad) / 1e18) * decay +
      (1 - decay) * ((share * share * 31_536_000) / elapsed);
    expect(near(Number(calm.targetVarianceWad) / 1e18, expected), `${expected}`).to.equal(true);
  });

  it("never takes the target to move less than 0.5 % of equity a day, so that the band stays open", async () => {
    const fixture = await loadFixture(quiet);
    const floor = (365n * 25n * WAD) / 1_000_000n;
    const variances: bigint[] = [];
    for (let day = 0; day < 4; day += 1) {
      await sampleAfter(fixture, 86_400n);
      variances.push((await bandOf(fixture)).targetVarianceWad);
    }
    // from four times the floor down by e a day, and no further
    expect(variances[0]!).to.be.gt(floor);
    expect(variances.slice(1)).to.deep.equal([floor, floor, floor]);
    expect(
      near(await outerBandNow(fixture), await outerBandBy(fixture, Number(floor) / 1e18)),
    ).to.equal(true);

    const { lastSampledAt: from } = await bandOf(fixture);
    await trade(fixture, fixture.alice, SIZE);
    await sampleAfter(fixture, 86_400n);
    // from there a real move still doubles it in a day
    const { targetVarianceWad, lastSampledAt: to } = await bandOf(fixture);
    const growth = Number(targetVarianceWad) / Number(floor);
    expect(near(growth, 2 ** (Number(to - from) / 86_400)), `${growth}`).to.equal(true);
  });

  it("sets the outer band by the cube root of the mechanism and caps it at 2.5 % of equity", async () => {
    for (const [daily, capped] of [
      [WAD / 100n, false],
      [WAD / 20n, false],
      [WAD / 2n, true],
    ] as const) {
      const fixture = await deployFixture(connection, { initialTargetVolatility: daily });
      const { marginPool, rebalancer } = fixture;
      const state = await marginPool.snapshot({ blockTag: "latest" });
      const share = Number(daily) / 1e18;
      const band = await outerBandBy(fixture, share * share * 365);
      const cap = (0.025 / 0.2 / Number(state.indexPriceWad)) * Number(state.equityWad);
      expect(near(band, cap)).to.equal(capped);
      expect(near(await outerBandNow(fixture), band), `${band}`).to.equal(true);
      expect(state.unwindCostPpm).to.equal(7_500n);
      const inner = (await rebalancer.previewRebalance()).innerBand;
      expect(inner).to.equal(state.outerBandWad / 2n);
    }
  });

  it("judges the exposure by the new band in the same poke", async () => {
    const fixture = await deployFixture(connection); // a band wide enough for the trade
    const { rebalancer, marginPool, alice } = fixture;
    await depositMargin(fixture, alice, 1_203_007n * WAD);
    await trade(fixture, alice, -SIZE);
    await rebalancer.poke();
    const wide = await rebalancer.previewRebalance({ blockTag: "latest" });
    expect(magnitude(wide.netExposureBase)).to.be.lt(wide.outerBand);
    expect(wide.outsideSince).to.equal(0n);

    // half an hour of 0.9 % a minute: the next sample sees far more volatility
    const price = await currentPrice(fixture);
    for (let minute = 1n; minute <= 30n; minute += 1n) {
      await time.increase(60n);
      await publishPrice(fixture, minute % 2n === 1n ? (price * 1_009n) / 1_000n : price);
    }
    await rebalancer.poke();
    const narrow = await rebalancer.previewRebalance({ blockTag: "latest" });
    expect(magnitude(narrow.netExposureBase)).to.be.gt(narrow.outerBand);
    expect(narrow.reason).to.equal(NOT_YET_ELIGIBLE);
    expect(narrow.outsideSince).to.equal(await now(fixture));
    // stored and not only previewed
    await networkHelpers.mine();
    const stored = await rebalancer.previewRebalance({ blockTag: "latest" });
    expect(stored.outsideSince).to.equal(narrow.outsideSince);
    expect(stored.reason).to.equal(DUE);
    expect((await marginPool.snapshot({ blockTag: "latest" })).episodeOpen).to.equal(true);
  });

  it("is sane one round after the first liquidity, however it was poked before", async () => {
    const reference = await loadFixture(quiet);
    await sampleAfter(reference, 3_000n);
    const usual = await outerBandNow(reference);
    const usualDepth = (await reference.marginPool.snapshot()).depthBaseWad;

    const fixture = await deployFixture(connection, { ...settings, lpEquity: 0n, insurance: 0n });
    const { marginPool, rebalancer, owner, alice } = fixture;
    for (let i = 0; i < 3; i += 1) await sampleAfter(fixture, 60n);
    expect((await bandOf(fixture)).lastRoundId).to.equal(0n);
    const { equityWad } = await reference.marginPool.snapshot();
    const half = equityWad / 2n;
    const price = await currentPrice(fixture);
    await marginPool.connect(owner).bootstrap((half * WAD) / price, half / 10n ** 12n);
    await sampleAfter(fixture, 3_000n);

    expect(near(await outerBandNow(fixture), usual, 0.05)).to.equal(true);
    const { targetVarianceWad } = await bandOf(fixture);
    expect(targetVarianceWad).to.be.closeTo((365n * WAD) / 10_000n, WAD / 1_000n);
    expect((await marginPool.snapshot()).depthBaseWad).to.be.closeTo(usualDepth, 10n ** 9n);
    expect((await rebalancer.previewRebalance()).reason).to.equal(INSIDE_BAND);
    await depositMargin(fixture, alice, 1_203_007n * WAD);
    await trade(fixture, alice, SIZE);
    await time.increase(600n);
    await expectAsPreviewed(fixture);
  });

  it("keeps the whole band and depth of a token so cheap that its amounts pass 2^96", async () => {
    const price = 10n ** 13n; // 0.00001 quote
    const fixture = await deployFixture(connection, { ...settings, initialPrice: price });
    const { marginPool, rebalancer, base, alice, keeper, settings: chosen } = fixture;
    const [reserveBase] = await reserves(fixture);
    expect(reserveBase).to.be.gt(2n ** 96n);
    expect((await marginPool.snapshot()).depthBaseWad).to.be.closeTo(
      reserveBase,
      reserveBase / 10n ** 6n,
    );
    expect(near(await outerBandNow(fixture), await outerBandBy(fixture, 0.0365))).to.equal(true);

    await depositMargin(fixture, alice, 1_203_007n * WAD);
    await base.mint(keeper, 10n ** 31n);
    const size = (chosen.lpEquity * 7n * WAD) / 100n / price;
    for (const side of [size, -2n * size, size]) {
      await trade(fixture, alice, side);
      await passTime(fixture, 660n);
      await arbitrage(fixture);
      if ((await marginPool.marginAccount(alice)).size === 0n) break;
      const { plan } = await expectAsPreviewed(fixture);
      expect(plan.sellBase).to.equal(side < 0n);
      expect(plan.amountBase).to.be.gt(0n);
    }
    expect((await marginPool.marginAccount(alice)).size).to.equal(0n);
    await marginPool.connect(keeper).deposit(10n ** 10n, keeper);
    await passTime(fixture, 601n);
    await marginPool.connect(keeper).redeem(await marginPool.balanceOf(keeper), keeper, keeper);
    expect((await rebalancer.previewRebalance()).outerBand).to.be.gt(0n);
  });
});
