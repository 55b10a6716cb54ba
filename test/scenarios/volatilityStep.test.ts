import { expect } from "chai";
import { network } from "hardhat";
import {
  arbitrage,
  currentPrice,
  deployFixture,
  depositMargin,
  type ProtocolFixture,
  passTime,
  publishPrice,
  trade,
  WAD,
} from "../support/protocolFixture.ts";

const connection = await network.create();
const { networkHelpers } = connection;
const { loadFixture, time } = networkHelpers;

/** Inside the band at 60 %, outside it at 200 %. Base, 1e18. */
const SKEW = 4_403n * WAD;
const DUE = 0n;
const INSIDE_BAND = 1n;

const magnitude = (value: bigint) => (value < 0n ? -value : value);
/** Whether two numbers agree to a relative error. */
const near = (actual: number, expected: number, error: number) =>
  Math.abs(actual / expected - 1) <= error;
const tokens = (wad: bigint) => (Number(wad / 10n ** 12n) / 1e6).toFixed(0);

/** The same pool and positions, whatever the volatility. */
async function positioned(initialVolatility: bigint, sign: bigint): Promise<ProtocolFixture> {
  const fixture = await deployFixture(connection, { initialVolatility });
  await depositMargin(fixture, fixture.alice, 2_203_007n * WAD);
  await depositMargin(fixture, fixture.bob, 1_100_013n * WAD);
  await trade(fixture, fixture.bob, -sign * 1_001n * WAD);
  await trade(fixture, fixture.alice, sign * (1_001n * WAD + SKEW));
  return fixture;
}

async function figures(name: string, fixture: ProtocolFixture) {
  const state = await fixture.marginPool.snapshot({ blockTag: "pending" });
  const plan = await fixture.rebalancer.previewRebalance({ blockTag: "pending" });
  console.log(
    `      ${name}: volatility ${Number(state.volatilityWad / 10n ** 14n) / 100} %, required ` +
      `${tokens(state.requiredCapitalWad)} quote, solvency ${Number(state.solvencyRatioWad / 10n ** 14n) / 1e4}, ` +
      `band ${tokens(plan.innerBand)}..${tokens(plan.outerBand)}, exposure ${tokens(state.netExposureWad)} base`,
  );
  return { state, plan };
}

/** Rebalances, an arbitrageur restoring the pool after each chunk, until nothing is due. */
async function rebalanceUntilInside(fixture: ProtocolFixture): Promise<number> {
  const { rebalancer } = fixture;
  // The arbitrageur restores the pool up to its fee; after ten minutes the tolerance covers that.
  await passTime(fixture, 600n);
  for (let chunks = 0; ; chunks += 1) {
    const plan = await rebalancer.previewRebalance({ blockTag: "pending" });
    if (plan.reason !== DUE) {
      expect(plan.reason).to.equal(INSIDE_BAND);
      return chunks;
    }
    await rebalancer.rebalance();
    const after = await rebalancer.previewRebalance({ blockTag: "latest" });
    expect(magnitude(after.netExposureBase)).to.be.lt(magnitude(plan.netExposureBase));
    await arbitrage(fixture);
  }
}

/**
 * Alternating returns of 0.7 % a minute for an hour, which the fast estimate reads as about 200 %. The price ends where
 * it began.
 */
async function shake(fixture: ProtocolFixture): Promise<void> {
  const price = await currentPrice(fixture);
  for (let minute = 1; minute <= 60; minute += 1) {
    await time.increase(60n);
    await publishPrice(fixture, minute % 2 === 1 ? (price * 10_070n) / 10_000n : price);
  }
  await fixture.rebalancer.poke();
}

/** m of required capital at a volatility: clamp(6 sigma sqrt(1 day), 20 %, 50 %). */
const gap = (sigma: number) => Math.min(0.5, Math.max(0.2, (6 * sigma) / Math.sqrt(365)));

/** Required capital in whole quote tokens, from the stored ledgers and the formula. */
async function requiredQuote(fixture: ProtocolFixture, sigma: number): Promise<number> {
  const book = await fixture.marginPool.ledgers();
  const price = Number(await currentPrice(fixture)) / 1e18;
  const base = (value: bigint) => Number(value) / 1e18;
  const quote = (value: bigint) => Number(value) / 1e6;
  const prudent = (p: number) =>
    quote(book.inventoryQuote) +
    base(book.inventoryBase) * p +
    Math.min(
      quote(book.longEntryNotional) - base(book.longOpenInterest) * p,
      0.9 * quote(book.longCollateral),
    ) +
    Math.min(
      base(book.shortOpenInterest) * p - quote(book.shortEntryNotional),
      0.9 * quote(book.shortCollateral),
    );
  const m = gap(sigma);
  const loss = Math.max(
    0,
    prudent(price) - prudent(price * (1 - m)),
    prudent(price) - prudent(price * (1 + m)),
  );
  const gross = base(book.longOpenInterest + book.shortOpenInterest) * price;
  const delta = Math.abs(base(book.inventoryBase - book.longOpenInterest + book.shortOpenInterest));
  return loss + 0.04 * gross + 0.0075 * delta * price;
}

for (const { verb, sign } of [
  { verb: "buy", sign: 1n },
  { verb: "sell", sign: -1n },
]) {
  const calm = () => positioned((6n * WAD) / 10n, sign);
  const wild = () => positioned(2n * WAD, sign);

  describe(`a step of volatility from 60 % to 200 %, with exposure the pool must ${verb} away`, () => {
    it("raises required capital and narrows the band for the same pool and positions", async () => {
      const before = await figures("at 60 %", await loadFixture(calm));
      const after = await figures("at 200 %", await loadFixture(wild));

      expect(after.state.inventoryBaseWad).to.equal(before.state.inventoryBaseWad);
      expect(after.state.skewWad).to.equal(before.state.skewWad);
      expect(after.state.requiredCapitalWad).to.be.gt(before.state.requiredCapitalWad);
      expect(after.state.solvencyRatioWad).to.be.lt(before.state.solvencyRatioWad);
      expect(after.state.outerBandWad).to.be.lt(before.state.outerBandWad);
      // the cube root of (60 / 200)^2
      const narrowing = Number(after.state.outerBandWad) / Number(before.state.outerBandWad);
      expect(near(narrowing, (0.6 / 2) ** (2 / 3), 0.01), `${narrowing}`).to.equal(true);

      // inside at 60 %, outside at 200 %
      const exposure = magnitude(before.state.netExposureWad);
      expect(exposure).to.be.lt(before.state.outerBandWad);
      expect(magnitude(after.state.netExposureWad)).to.be.gt(after.state.outerBandWad);
      expect(before.plan.reason).to.equal(INSIDE_BAND);
      expect(after.plan.reason).to.equal(DUE);
      expect(after.plan.sellBase).to.equal(verb === "sell");
    });

    it("requires what the formula says at both volatilities", async () => {
      for (const [state, sigma] of [
        [calm, 0.6],
        [wild, 2],
      ] as const) {
        const fixture = await loadFixture(state);
        const snapshot = await fixture.marginPool.snapshot({ blockTag: "latest" });
        const measured = Number(snapshot.volatilityWad) / 1e18;
        expect(near(measured, sigma, 0.01), `${measured}`).to.equal(true);
        const required = await requiredQuote(fixture, measured);
        expect(near(Number(snapshot.requiredCapitalWad) / 1e18, required, 1e-6)).to.equal(true);
      }
    });

    it("is rebalanced back inside the narrower band", async () => {
      const fixture = await loadFixture(wild);
      const { state: before } = await figures("before rebalancing", fixture);
      const chunks = await rebalanceUntilInside(fixture);
      const { state, plan } = await figures(`after ${chunks} chunks`, fixture);
      expect(chunks).to.be.gt(5);
      expect(magnitude(state.netExposureWad)).to.be.lte(plan.innerBand);
      expect(state.inventoryBaseWad > before.inventoryBaseWad).to.equal(verb === "buy");
      // natural cost of 45 bp and the tolerance of 40 bp that covers a pool restored up to its fee
      const traded = magnitude(state.inventoryBaseWad - before.inventoryBaseWad);
      const value = (traded * state.indexPriceWad) / WAD;
      expect(before.equityWad - state.equityWad).to.be.within(0n, (value * 85n) / 10_000n);
    });

    it("is seen on chain when prices shake, and answered the same way", async () => {
      const fixture = await loadFixture(calm);
      const { state: before } = await figures("calm", fixture);
      await shake(fixture);
      const { state: shaken, plan } = await figures("shaken", fixture);
      expect(shaken.indexPriceWad).to.equal(before.indexPriceWad);
      expect(shaken.volatilityWad).to.be.within((19n * WAD) / 10n, (22n * WAD) / 10n);
      expect(shaken.requiredCapitalWad).to.be.gt(before.requiredCapitalWad);
      expect(shaken.outerBandWad).to.be.lt(before.outerBandWad);
      expect(magnitude(before.netExposureWad)).to.be.lt(before.outerBandWad);
      expect(magnitude(shaken.netExposureWad)).to.be.gt(shaken.outerBandWad);
      expect(plan.reason).to.equal(DUE);
      expect(plan.sellBase).to.equal(verb === "sell");

      await rebalanceUntilInside(fixture);
      const { state: after, plan: last } = await figures("rebalanced", fixture);
      expect(magnitude(after.netExposureWad)).to.be.lte(last.innerBand);
    });

    it("calls for nothing where the volatility stays", async () => {
      const fixture = await loadFixture(calm);
      await passTime(fixture, 3_600n);
      const { plan, state } = await figures("an hour later", fixture);
      expect(plan.reason).to.equal(INSIDE_BAND);
      expect(state.volatilityWad).to.be.lte((6n * WAD) / 10n);
    });
  });
}
