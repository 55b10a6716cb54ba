import { expect } from "chai";
import { network } from "hardhat";
import {
  crowdedLongs,
  crowdedShorts,
  DAY,
  DECIMALS,
  DELEVERAGING,
  deployAlone,
  enter,
  expectUnits,
  Follower,
  GUARDED,
  grow,
  judge,
  MINUTE,
  NORMAL,
  priceAtRatio,
  REDUCE_ONLY,
  round,
  SETTLED,
} from "../../support/lastStand.ts";
import * as reference from "../../support/marginReference.ts";
import { type Real, real } from "../../support/marginReference.ts";
import {
  currentPrice,
  depositMargin,
  fundAndApprove,
  type ProtocolFixture,
  publishPrice,
  quoteUnits,
  WAD,
} from "../../support/protocolFixture.ts";
import {
  CAMPAIGN_SCALE,
  fromWad,
  order,
  request,
  seededRandom,
} from "../../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture, time } = connection.networkHelpers;

const fixtures = DECIMALS.map((decimals) => {
  const setUp = crowdedLongs(connection, decimals);
  const bear = crowdedShorts(connection, decimals);
  return { name: `${decimals.baseDecimals}/${decimals.quoteDecimals}`, decimals, setUp, bear };
});

/** The price at which the crowded pool's SR would be so much now. */
async function at(f: ProtocolFixture, ratio: string): Promise<bigint> {
  return priceAtRatio(f, real(ratio), 150n * WAD, 700n * WAD);
}

/** A follower of a pool whose exposure is past its limit and whose ratio is fine. */
async function follow(f: ProtocolFixture): Promise<Follower> {
  const follower = new Follower(f, NORMAL, true);
  await follower.round(MINUTE);
  return follower;
}

async function near(f: ProtocolFixture, ratio: Real): Promise<void> {
  const seen = (await judge(f)).ratio;
  const off = seen > ratio ? seen - ratio : ratio - seen;
  expect(off < real("0.005"), `the scenario missed its ratio: ${seen}`).to.equal(true);
}

for (const { name, decimals, setUp, bear } of fixtures) {
  describe(`Risk states, decimals ${name}`, () => {
    async function start(): Promise<{ f: ProtocolFixture; pool: Follower }> {
      const f = await loadFixture(setUp);
      return { f, pool: await follow(f) };
    }

    describe("down", () => {
      for (const [ratio, state] of [
        ["1.503", NORMAL],
        ["1.497", GUARDED],
        ["1.253", GUARDED],
        ["1.247", REDUCE_ONLY],
        ["1.003", REDUCE_ONLY],
        ["0.997", REDUCE_ONLY],
      ] as const) {
        it(`goes to ${state} in one sync at a solvency ratio of ${ratio}`, async () => {
          const { f, pool } = await start();
          await pool.round(MINUTE, await at(f, ratio));
          await near(f, real(ratio));
          expect((await f.marginPool.riskClock()).state).to.equal(state);
        });
      }

      it("shows in views what the next sync will store, and says so in an event", async () => {
        const { f } = await start();
        const price = await at(f, "1.2");
        await time.increase(60);
        await publishPrice(f, price);
        expect((await f.marginPool.riskClock()).state).to.equal(NORMAL);
        const seen = await f.marginPool.poolState();
        expect(seen.riskState).to.equal(REDUCE_ONLY);
        expect((await f.marginPool.snapshot()).riskState).to.equal(REDUCE_ONLY);
        await expect(f.marginPool.sync())
          .to.emit(f.marginPool, "RiskStateChanged")
          .withArgs(GUARDED, REDUCE_ONLY, (ratio: bigint) => {
            expect(ratio).to.be.closeTo(seen.solvencyRatioWad, WAD / 10n ** 6n);
            return true;
          });
      });
    });

    describe("up", () => {
      for (const [from, below, to, state] of [
        ["1.2", "1.347", "1.353", GUARDED],
        ["1.4", "1.597", "1.603", NORMAL],
        ["1.2", "1.597", "1.603", NORMAL],
      ] as const) {
        it(`from ${from} wants ${to}, not ${below}, in two syncs half an hour apart`, async () => {
          const { f, pool } = await start();
          await pool.round(MINUTE, await at(f, from));
          const before = (await f.marginPool.riskClock()).state;
          const short = await at(f, below);
          await pool.round(MINUTE, short);
          await pool.round(31n * MINUTE, short);
          // from ReduceOnly 1.597 is enough for Guarded, not for Normal
          expect((await f.marginPool.riskClock()).state).to.equal(
            below === "1.597" ? GUARDED : before,
          );
          const high = await at(f, to);
          await pool.round(MINUTE, high);
          await pool.round(29n * MINUTE, high);
          expect((await f.marginPool.riskClock()).state).to.not.equal(state);
          await pool.round(MINUTE + 3n, high);
          expect((await f.marginPool.riskClock()).state).to.equal(state);
        });
      }

      it("does not go up on one sync, however long the last one was ago", async () => {
        const { f, pool } = await start();
        await pool.round(MINUTE, await at(f, "1.4"));
        const high = await at(f, "2");
        expect(await pool.round(5n * 60n * MINUTE, high)).to.equal(GUARDED);
        expect((await f.marginPool.riskClock()).state).to.equal(GUARDED);
        await pool.round(31n * MINUTE);
        expect((await f.marginPool.riskClock()).state).to.equal(NORMAL);
      });

      it("starts again after one sync below, and reaches no more than the worst of them allowed", async () => {
        const { f, pool } = await start();
        await pool.round(MINUTE, await at(f, "1.2"));
        const [high, middle, low] = [await at(f, "1.7"), await at(f, "1.45"), await at(f, "1.3")];
        await pool.round(MINUTE, high);
        await pool.round(20n * MINUTE, low);
        expect((await f.marginPool.riskClock()).recoverySince).to.equal(0n);
        await pool.round(11n * MINUTE, high);
        expect((await f.marginPool.riskClock()).state).to.equal(REDUCE_ONLY);
        await pool.round(15n * MINUTE, middle);
        await pool.round(16n * MINUTE, high);
        expect((await f.marginPool.riskClock()).state).to.equal(GUARDED);
        await pool.round(MINUTE, high);
        await pool.round(31n * MINUTE, high);
        expect((await f.marginPool.riskClock()).state).to.equal(NORMAL);
      });
    });

    describe("deleveraging", () => {
      it("does not begin on one round, however often and late it is synced", async () => {
        const { f, pool } = await start();
        await pool.round(MINUTE, await at(f, "0.9"));
        for (const seconds of [5n, 700n, 1_900n]) {
          await time.increase(seconds);
          await f.marginPool.sync();
          expect(await pool.check()).to.equal(REDUCE_ONLY);
        }
      });

      it("begins on a second round ten minutes after the first, not before", async () => {
        const { f, pool } = await start();
        const low = await at(f, "0.9");
        await pool.round(MINUTE, low);
        expect(await pool.round(300n)).to.equal(REDUCE_ONLY);
        expect(await pool.round(290n)).to.equal(REDUCE_ONLY);
        expect(await pool.round(10n)).to.equal(DELEVERAGING);
      });

      it("does not begin when the ratio recovered in between", async () => {
        const { f, pool } = await start();
        const [low, high] = [await at(f, "0.9"), await at(f, "1.01")];
        await pool.round(MINUTE, low);
        await pool.round(400n, high);
        expect(await pool.round(400n, low)).to.equal(REDUCE_ONLY);
        expect(await pool.round(550n, low)).to.equal(REDUCE_ONLY);
        expect(await pool.round(60n, low)).to.equal(DELEVERAGING);
      });

      it("ends at 1.05, not at 1.04, at once and in ReduceOnly", async () => {
        const { f, pool } = await start();
        await pool.round(MINUTE, await at(f, "0.9"));
        expect(await pool.round(11n * MINUTE)).to.equal(DELEVERAGING);
        expect(await pool.round(MINUTE, await at(f, "1.047"))).to.equal(DELEVERAGING);
        expect(await pool.round(40n * MINUTE, await at(f, "1.047"))).to.equal(DELEVERAGING);
        expect(await pool.round(MINUTE, await at(f, "1.053"))).to.equal(REDUCE_ONLY);
      });

      it("begins after a day in ReduceOnly, and then ends at 1.25 and in Guarded", async () => {
        const { f, pool } = await start();
        await pool.round(MINUTE, await at(f, "1.15"));
        expect(await pool.round(DAY - 10n, await at(f, "1.15"))).to.equal(REDUCE_ONLY);
        expect(await pool.round(10n)).to.equal(DELEVERAGING);
        expect(await pool.round(MINUTE, await at(f, "1.24"))).to.equal(DELEVERAGING);
        expect(await pool.round(MINUTE, await at(f, "1.255"))).to.equal(GUARDED);
      });

      it("counts the day anew after an improvement", async () => {
        const { f, pool } = await start();
        await pool.round(MINUTE, await at(f, "1.15"));
        await pool.round(12n * 60n * MINUTE, await at(f, "1.4"));
        expect(await pool.round(31n * MINUTE, await at(f, "1.4"))).to.equal(GUARDED);
        expect(await pool.round(MINUTE, await at(f, "1.15"))).to.equal(REDUCE_ONLY);
        expect(await pool.round(DAY - 100n, await at(f, "1.15"))).to.equal(REDUCE_ONLY);
        expect(await pool.round(100n, await at(f, "1.15"))).to.equal(DELEVERAGING);
      });
    });

    describe("bankruptcy", () => {
      it("settles on the third round without equity, ten minutes apart each, and only through sync", async () => {
        const { f, pool } = await start();
        const price = 620n * WAD;
        await pool.round(MINUTE, price);
        expect((await judge(f)).equityBid <= 0n).to.equal(true);
        expect(await pool.round(500n, price)).to.equal(REDUCE_ONLY);
        expect(await pool.round(110n, price)).to.equal(DELEVERAGING);
        expect(await pool.round(590n, price)).to.equal(DELEVERAGING);
        await time.increase(20);
        await publishPrice(f, price);
        await expect(f.marginPool.liquidate(f.carol)).to.be.revertedWithCustomError(
          f.marginPool,
          "MarginPool_IsSettled",
        );
        await expect(f.marginPool.connect(f.carol).sync())
          .to.emit(f.marginPool, "SettlementStarted")
          .withArgs(f.carol.address, price);
        expect(await pool.check()).to.equal(SETTLED);
      });

      it("does not settle when one round between them had equity", async () => {
        const { f, pool } = await start();
        const [out, back] = [620n * WAD, await at(f, "0.5")];
        for (const price of [out, out, back, out, out])
          expect(await pool.round(601n, price)).to.be.lessThan(SETTLED);
        expect(await pool.round(601n, out)).to.equal(SETTLED);
      });
    });

    it("follows the table through a random walk of prices and times", async () => {
      const { f, pool } = await start();
      const random = seededRandom(0x5a17 + Number(f.settings.baseDecimals));
      const ratios = "0.8 0.95 1.02 1.06 1.2 1.24 1.26 1.3 1.36 1.45 1.52 1.58 1.61 1.8 2.4".split(
        " ",
      );
      const prices: bigint[] = [];
      for (const ratio of ratios) prices.push(await at(f, ratio));
      const seen = new Set<bigint>();
      let place = 7;
      for (let step = 0; step < 60 * CAMPAIGN_SCALE; step += 1) {
        place = Math.max(0, Math.min(prices.length - 1, place + random(7) - 3));
        const seconds = [61, 300, 601, 1_000, 1_801, 4_000, 90_000][random(7)]!;
        seen.add(await pool.round(BigInt(seconds), prices[place]!));
      }
      expect([...seen].sort()).to.deep.equal([GUARDED, REDUCE_ONLY, DELEVERAGING]);
    });
  });

  describe(`What a risk state allows, decimals ${name}`, () => {
    async function newcomer(f: ProtocolFixture) {
      const trader = (await connection.ethers.getSigners())[7]!;
      await fundAndApprove(f, trader);
      return trader;
    }

    /** Margin that is so many times the initial margin of a position, and what it costs to open it besides. */
    async function marginFor(f: ProtocolFixture, notional: Real, times: Real): Promise<bigint> {
      const { book, market } = await judge(f);
      const size = reference.div(notional, market.price);
      const scale = reference.skewScale(book, market);
      const ratio = reference.initialRatio(size, scale, market.volatility);
      return reference.mul(reference.mul(ratio, times), notional) / 10n ** 18n;
    }

    it("takes the fee once when Normal and twice from Guarded on", async () => {
      const f = await loadFixture(nearTarget);
      await depositMargin(f, f.alice, 500_003n * WAD);
      const fee = async (size: bigint, rate: string) => {
        const { takerFee } = (await order(f, f.alice, size)).filled!;
        const { market } = await judge(f);
        const side = size > 0n ? reference.upper(market) : reference.lower(market);
        const notional = reference.mul(fromWad(size < 0n ? -size : size), side);
        const expected = reference.mul(notional, real(rate));
        expectUnits(takerFee, expected, f.settings.quoteDecimals, 1n, "taker fee");
      };
      await fee(-103n * WAD, "0.0005");
      expect((await f.marginPool.poolState()).riskState).to.equal(NORMAL);
      await round(f, MINUTE, ((await currentPrice(f)) * 91n) / 100n);
      expect((await f.marginPool.poolState()).riskState).to.equal(GUARDED);
      await fee(-107n * WAD, "0.001");
    });

    it("asks for 1.25 x initial margin when Guarded, of what raises the skew only", async () => {
      const f = await loadFixture(setUp);
      const trader = await newcomer(f);
      const notional = real("100000");
      const size = reference.div(notional, fromWad(await currentPrice(f))) / 10n ** 18n;
      // costs of opening: premium, fee, spread, execution fee
      await depositMargin(f, trader, await marginFor(f, notional, real("1.24")));
      const raised = await order(f, trader, size);
      expect(raised.reason?.name).to.equal("MarginPool_InsufficientMargin");
      const lowered = await order(f, trader, -size);
      expect(lowered.event, lowered.reason?.name).to.equal("OrderExecuted");
      expect((await order(f, trader, size)).event).to.equal("OrderExecuted");
      await depositMargin(f, trader, (await marginFor(f, notional, real("0.01"))) + 9_000n * WAD);
      expect((await order(f, trader, size)).event).to.equal("OrderExecuted");
    });

    it("in ReduceOnly refuses only what raises the skew and the own size", async () => {
      const f = await loadFixture(setUp);
      const trader = await newcomer(f);
      await depositMargin(f, trader, 900_003n * WAD);
      await round(f, MINUTE, await at(f, "1.12"));
      await expect(request(f, trader, 101n * WAD)).to.not.revert(connection.ethers);
      await time.increase(5);
      await publishPrice(f, await currentPrice(f));
      const [filled, failure] = await f.marginPool.previewOrder(trader);
      expect(filled.sizeDelta).to.equal(0n);
      expect(f.marginPool.interface.parseError(failure)?.name).to.equal("MarginPool_ReduceOnly");
      await expect(f.marginPool.executeOrder(trader)).to.emit(f.marginPool, "OrderFailed");
      // larger in size, but against the skew
      expect((await order(f, trader, -101n * WAD)).event).to.equal("OrderExecuted");
      // a short that closes raises the skew, and its own size falls
      expect((await order(f, f.carol, 31n * WAD)).event).to.equal("OrderExecuted");
      expect((await order(f, f.carol, -11n * WAD)).event).to.equal("OrderExecuted");
      // a long that grows raises both
      const grown = await order(f, f.alice, 11n * WAD);
      expect(grown.reason?.name).to.equal("MarginPool_ReduceOnly");
      expect((await order(f, f.alice, -11n * WAD)).event).to.equal("OrderExecuted");
      expect((await f.marginPool.poolState()).riskState).to.equal(REDUCE_ONLY);
    });

    it("lets no opening order leave a worse state than it found", async () => {
      const f = await loadFixture(nearTarget);
      await depositMargin(f, f.alice, 900_003n * WAD);
      const size = (200_003n * WAD * WAD) / (await currentPrice(f));
      const { reason } = await order(f, f.alice, size);
      expect(reason?.name).to.equal("MarginPool_StateWorse");
      expect([reason?.args[0], reason?.args[1]]).to.deep.equal([NORMAL, GUARDED]);
      expect((await order(f, f.alice, size / 3n)).event).to.equal("OrderExecuted");
      expect((await f.marginPool.poolState()).riskState).to.equal(NORMAL);
    });

    it("lets no deposit leave a worse state, and views say how much may enter", async () => {
      const f = await loadFixture(nearTarget);
      const most = await f.marginPool.maxDeposit(f.alice);
      expect(most > 0n).to.equal(true);
      const lp = f.marginPool.connect(f.alice);
      await expect(lp.deposit((most * 101n) / 100n, f.alice)).to.be.revertedWithCustomError(
        f.marginPool,
        "MarginPool_StateWorse",
      );
      await lp.deposit((most * 999_999n) / 1_000_000n, f.alice);
      expect((await f.marginPool.poolState()).riskState).to.equal(NORMAL);
    });

    it("lets no LP out below 1.6 R, whatever the state", async () => {
      const f = await loadFixture(setUp);
      await time.increase(700);
      for (const ratio of ["1.7", "1.4", "1.1"]) {
        await round(f, MINUTE, await at(f, ratio));
        const most = await f.marginPool.maxWithdraw(f.owner);
        if (ratio !== "1.7") expect(most).to.equal(0n);
        const lp = f.marginPool.connect(f.owner);
        await expect(
          lp.withdraw(most + quoteUnits(f, 100n * WAD), f.owner, f.owner),
        ).to.be.revertedWithCustomError(f.marginPool, "ERC4626ExceededMaxWithdraw");
        if (most === 0n) continue;
        await lp.withdraw((most * 999_999n) / 1_000_000n, f.owner, f.owner);
        const { ratio: left } = await judge(f);
        expect(left >= real("1.6"), "I14").to.equal(true);
      }
    });

    it("lets no margin out that leaves a worse state", async () => {
      const f = await loadFixture(bear);
      const worse = (ratio: string) => priceAtRatio(f, real(ratio), 200n * WAD, 20n * WAD);
      await round(f, MINUTE, await worse("1.2503"));
      expect((await f.marginPool.riskClock()).state).to.equal(GUARDED);
      // what stands behind carol's long counts against a fall
      const { collateral, entryNotional } = await f.marginPool.marginAccount(f.carol);
      const out = collateral - (entryNotional * 53n) / 100n;
      await expect(f.marginPool.connect(f.carol).withdrawMargin(out))
        .to.be.revertedWithCustomError(f.marginPool, "MarginPool_StateWorse")
        .withArgs(GUARDED, REDUCE_ONLY, (ratio: bigint) => ratio < (125n * WAD) / 100n);
      await round(f, MINUTE, await worse("1.27"));
      // the state would stay, but below Normal no margin that counts leaves
      await expect(f.marginPool.connect(f.carol).withdrawMargin(out)).to.be.revertedWithCustomError(
        f.marginPool,
        "MarginPool_SolvencyLowered",
      );
      // what is beyond the entry notional counts for nothing
      if (collateral > entryNotional) {
        await f.marginPool.connect(f.carol).withdrawMargin(collateral - entryNotional);
      }
      await round(f, MINUTE, await worse("1.53"));
      expect((await f.marginPool.riskClock()).state).to.equal(GUARDED);
      await f.marginPool.connect(f.carol).withdrawMargin(1n);
      expect((await f.marginPool.riskClock()).state).to.equal(GUARDED);
    });

    it("in Deleveraging lets positions close and margin in and out", async () => {
      const f = await loadFixture(setUp);
      await round(f, MINUTE, await at(f, "0.9"));
      await round(f, 601n);
      expect((await f.marginPool.riskClock()).state).to.equal(DELEVERAGING);
      await depositMargin(f, f.alice, 1_300_003n * WAD);
      await f.marginPool.connect(f.alice).withdrawMargin(quoteUnits(f, WAD));
      await grow(f, f.alice, -7n * WAD);
      await depositMargin(f, f.keeper, 100_003n * WAD);
      const { reason } = await order(f, f.keeper, 7n * WAD);
      expect(reason?.name).to.equal("MarginPool_ReduceOnly");
      await enter(f, f.keeper, 100_003n * WAD, -1_001n * WAD);
    });

    /** As below: 4.4 % of equity at stake, Normal. */
    async function nearTarget(): Promise<ProtocolFixture> {
      return deployAlone(
        connection,
        { baseValue: 4_003_711n * WAD, quoteValue: 6_033_700n * WAD },
        decimals,
      );
    }
  });

  describe(`The exposure's latch, decimals ${name}`, () => {
    /** b P = 4 M of 10 M at a weight of one half: a shock costs 4.4 % of equity. */
    const offTarget = (): Promise<ProtocolFixture> =>
      deployAlone(
        connection,
        { baseValue: 4_003_711n * WAD, quoteValue: 6_033_700n * WAD },
        decimals,
      );

    it("closes above 5 % of equity, at once, and opens again at 4 %, at once", async () => {
      const f = await offTarget();
      const pool = new Follower(f);
      const start = await currentPrice(f);
      expect(await pool.round(MINUTE)).to.equal(NORMAL);
      const share = async () => Number((await judge(f)).shockShare / 10n ** 30n) / 10_000;
      const scale = (percent: bigint) => (start * percent) / 100n;
      expect(await pool.round(MINUTE, scale(96n))).to.equal(NORMAL);
      expect(await share()).to.be.within(4.5, 5);
      expect(await pool.round(MINUTE, scale(92n))).to.equal(GUARDED);
      expect(await share()).to.be.within(5, 5.5);
      expect(await pool.round(45n * MINUTE, scale(97n))).to.equal(GUARDED);
      expect(await share()).to.be.within(4.5, 5);
      expect(await pool.round(45n * MINUTE, scale(101n))).to.equal(GUARDED);
      expect(await share()).to.be.within(4, 4.5);
      expect(await pool.round(MINUTE, scale(106n))).to.equal(NORMAL);
      expect(await share()).to.be.within(3.5, 4);
      // the ratio's own latch never moved
      expect((await f.marginPool.riskClock()).state).to.equal(NORMAL);
    });
  });
}
