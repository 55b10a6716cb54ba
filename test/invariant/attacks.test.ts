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
  WAD,
} from "../support/protocolFixture.ts";
import { execute, nextRound, order, request } from "../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture, takeSnapshot, time } = connection.networkHelpers;

async function usual(): Promise<ProtocolFixture> {
  const f = await deployFixture(connection);
  for (const trader of [f.alice, f.bob, f.carol]) await depositMargin(f, trader, 3_000_007n * WAD);
  await passTime(f, 1_900n);
  await passTime(f, 1_900n);
  return f;
}

const abs = (a: bigint) => (a < 0n ? -a : a);

/** Shares of equity that tests print, in hundredths of a percent. */
const bps = (part: bigint, whole: bigint) => (Number((part * 1_000_000n) / whole) / 100).toFixed(2);

/** The same in percent. */
const percent = (part: bigint, whole: bigint) =>
  (Number((part * 1_000_000n) / whole) / 1e4).toFixed(1);

describe("A straddle closed on news", () => {
  it("fills the closed leg no faster than the speed limit, whoever built the pair at leisure", async () => {
    const f = await loadFixture(usual);
    const { marginPool } = f;
    // alice and bob are one: matched legs of 30 % of equity each, which never move the skew by more than a tenth
    const leg = 15_003n * WAD;
    for (let part = 0n; part < 5n; part += 1n) {
      await order(f, f.alice, leg / 5n);
      await order(f, f.bob, -leg / 5n);
    }
    await passTime(f, 1_900n);
    const { equity, skew } = await marginPool.poolState();
    const tenth = ((equity * 10n ** 12n * WAD) / (await currentPrice(f)) / 10n) as bigint;
    expect(skew).to.equal(0n);

    // news that the next rounds will show: bob closes his short, which leaves the pair long
    await request(f, f.bob, (leg / 5n) * 5n);
    await nextRound(f);
    const before = (await marginPool.poolState()).skew;
    const first = await execute(f, f.bob);
    expect(first.event).to.equal("OrderExecuted");
    const opened = (await marginPool.poolState()).skew - before;
    expect(
      opened <= tenth + tenth / 1_000n,
      `filled ${opened}, a tenth of equity is ${tenth}`,
    ).to.equal(true);
    expect(first.remaining > 0n, "the rest waits").to.equal(true);
    // within the same minutes no further round lets more through than the limit frees
    const start = await time.latest();
    for (let n = 0; n < 4; n += 1) {
      await nextRound(f);
      await execute(f, f.bob).catch(() => undefined);
      const passed = BigInt((await time.latest()) - start);
      const most = tenth + (tenth * (passed + 10n)) / 600n;
      const built = (await marginPool.poolState()).skew;
      expect(built <= most + most / 1_000n, `${built} after ${passed} s, at most ${most}`).to.equal(
        true,
      );
    }
    // what the news is worth to the pair is bounded by what filled, not by the leg
    const jump = 50n; // permille
    await time.increase(5);
    await publishPrice(f, ((await currentPrice(f)) * (1_000n + jump)) / 1_000n);
    await arbitrage(f);
    const exposed = (await marginPool.poolState()).skew;
    const lost = (((exposed * (await currentPrice(f))) / WAD / 10n ** 12n) * jump) / 1_050n;
    const whole = (((leg * (await currentPrice(f))) / WAD / 10n ** 12n) * jump) / 1_050n;
    console.log(
      `      of a leg of ${percent(whole * 21n, equity)} % of E, ${percent(exposed, leg)} % closed in time: a jump of 5 % costs LPs ${bps(lost, equity)} bp of E instead of ${bps(whole, equity)}`,
    );
    expect(lost * 2n < whole).to.equal(true);
  });
});

describe("Filling the speed limit to lock others out", () => {
  it("costs the attacker fees, premium and hedge charges every ten minutes", async () => {
    const f = await loadFixture(usual);
    const { marginPool } = f;
    const crew = [f.alice, f.bob];
    const wealth = async () => {
      let total = 0n;
      for (const who of crew) {
        const { equity } = await marginPool.position(who);
        total += equity + (await marginPool.marginAccount(who)).unpaidClaim;
      }
      // they execute for themselves: the execution fee is no cost
      return total + (await marginPool.creditedOf(f.keeper));
    };
    const { equity } = await marginPool.poolState();
    const tenth = (equity * 10n ** 12n * WAD) / (await currentPrice(f)) / 10n;
    const start = await wealth();
    const startedAt = await time.latest();
    let locked = 0;
    const rounds = 3;
    for (let n = 0; n < rounds; n += 1) {
      // up to the limit, so that nobody else's long fits
      const skew = (await marginPool.poolState()).skew;
      const room = abs(await marginPool.skewReference()) + (tenth * 999n) / 1_000n - skew;
      await order(f, f.alice, room > 0n ? room : WAD);
      await request(f, f.carol, 2_000n * WAD);
      await nextRound(f);
      const refused = await execute(f, f.carol).then(
        ({ filled }) => (filled?.sizeDelta ?? 0n) < 500n * WAD,
        () => true,
      );
      if (refused) locked += 1;
      await time.increase(601);
      await publishPrice(f, await currentPrice(f));
      await f.rebalancer.poke();
      if ((await marginPool.order(f.carol)).requestedAt !== 0n) {
        await marginPool.connect(f.carol).cancelOrder();
      }
      // and back to zero, which frees the limit again: the next round needs the whole walk
      const { size } = await marginPool.marginAccount(f.alice);
      await order(f, f.alice, -size);
      await time.increase(1);
    }
    const paid = start - (await wealth());
    const minutes = BigInt((await time.latest()) - startedAt);
    const perTen = (paid * 600n) / minutes;
    console.log(
      `      others were locked out of longs in ${locked} of ${rounds} periods for ${bps(perTen, equity)} bp of E per 10 minutes (${percent(perTen * 144n, equity)} % a day)`,
    );
    expect(locked).to.equal(rounds);
    expect(perTen * 10_000n > equity, "at least 1 bp of equity per ten minutes").to.equal(true);
  });
});

describe("A jump of volatility", () => {
  it("I18: liquidates nobody whose price has not moved, in the same block or the minutes after", async () => {
    const f = await loadFixture(usual);
    const { marginPool } = f;
    const poor = (await connection.ethers.getSigners()).slice(6, 8);
    for (const [i, who] of poor.entries()) {
      await f.quote.mint(who, 10n ** 13n);
      await f.quote.connect(who).approve(marginPool, 10n ** 13n);
      await depositMargin(f, who, 20_003n * WAD);
      // as large as initial margin allows, long and short
      for (let size = 2_900n; ; size -= 50n) {
        const { event } = await order(f, who, size * WAD * (i === 0 ? 1n : -1n)).catch(() => ({
          event: "refused",
        }));
        if (event === "OrderExecuted") break;
        expect(size > 100n).to.equal(true);
      }
    }
    const price = await currentPrice(f);
    const before = await Promise.all(poor.map((who) => marginPool.position(who)));
    for (const { equity, initialMargin, liquidatable } of before) {
      expect(liquidatable).to.equal(false);
      expect(equity * 10n < initialMargin * 13n, "close to initial margin").to.equal(true);
    }
    const sigma = await f.volatilityOracle.realizedVolatilityWad();
    // up a quarter and back, one sample each, while nobody liquidates; then everything is folded in one block
    for (const permille of [1_250n, 1_000n]) {
      await time.increase(61);
      await publishPrice(f, (price * permille) / 1_000n);
    }
    const clean = await takeSnapshot();
    for (const wait of [0, 30, 600]) {
      await clean.restore();
      if (wait > 0) {
        await time.increase(wait);
        await publishPrice(f, price);
      }
      await f.volatilityOracle.poke();
      await marginPool.sync();
      expect(await f.volatilityOracle.realizedVolatilityWad()).to.equal(3n * WAD);
      for (const [i, who] of poor.entries()) {
        const is = await marginPool.position(who);
        expect(
          is.liquidatable,
          `I18: a healthy position is never liquidatable: after ${wait} s`,
        ).to.equal(false);
        await expect(marginPool.liquidate(who)).to.be.revertedWithCustomError(
          marginPool,
          "MarginPool_NotLiquidatable",
        );
        // 10 % per hour, ten minutes counting at most per sample
        const most = (before[i]!.maintenanceMargin * 106n) / 100n;
        expect(is.maintenanceMargin <= most, `${is.maintenanceMargin} of ${most}`).to.equal(true);
        expect(
          is.initialMargin > (before[i]!.initialMargin * 3n) / 2n,
          "for new risk it counts at once",
        ).to.equal(true);
      }
    }
    expect(sigma < WAD).to.equal(true);
  });
});
