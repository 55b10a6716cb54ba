import { expect } from "chai";
import { network } from "hardhat";
import {
  arbitrage,
  buildPosition,
  currentPrice,
  deployFixture,
  depositMargin,
  FAR_DEADLINE,
  now,
  publishPrice,
  reserves,
  swap,
  trade,
  WAD,
} from "../../support/protocolFixture.ts";
import {
  ALREADY_THIS_BLOCK,
  bandOf,
  ceilDiv,
  DUE,
  expectAsPreviewed,
  expectNotDue,
  FEE,
  INSIDE_BAND,
  INSOLVENT,
  magnitude,
  moveSpot,
  NOT_YET_ELIGIBLE,
  POOL_TOO_SHALLOW,
  PPM,
  rebalanced,
  remarked,
  SIZE,
  settings,
  smaller,
  statesOf,
} from "./rebalanceFixture.ts";

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const { loadFixture, time } = networkHelpers;

const { quiet, mustSell, directions } = statesOf(connection);

/** What a chunk may yield least (sell) or cost most (buy) at a tolerance, by the constant-product formula. */
function limitOf(
  sellBase: boolean,
  amount: bigint,
  [base, quote]: [bigint, bigint],
  toleranceWad: bigint,
): bigint {
  if (sellBase) {
    const paid = amount * (PPM - FEE);
    return ceilDiv(((paid * quote) / (base * PPM + paid)) * (WAD - toleranceWad), WAD);
  }
  const cost = (quote * amount * PPM) / ((base - amount) * (PPM - FEE)) + 1n;
  return (cost * (WAD + toleranceWad)) / WAD;
}

/** 10 bp, growing to f + 10 bp over ten minutes. */
const toleranceAfter = (seconds: bigint) =>
  WAD / 1_000n + (FEE * (WAD / PPM) * smaller(seconds, 600n)) / 600n;

describe("Rebalancer", () => {
  it("belongs to one margin pool and refuses a constant-product pool of other tokens", async () => {
    const {
      base,
      factory,
      marginPool,
      pool: own,
      volatilityOracle,
      rebalancer,
    } = await loadFixture(quiet);
    expect(await rebalancer.marginPool()).to.equal(await marginPool.getAddress());
    expect(await rebalancer.pool()).to.equal(await own.getAddress());
    const other = await ethers.deployContract("MockERC20", ["Other", "OTHER", 6n]);
    await factory.createPair(base, other);
    const pool = await factory.getPair(base, other);
    const unrelated = await ethers.deployContract("MockERC20", ["Third", "THIRD", 6n]);
    await expect(
      ethers.deployContract("Rebalancer", [base, unrelated, pool, volatilityOracle, WAD / 20n]),
    ).to.be.revertedWithCustomError(rebalancer, "Rebalancer_PoolTokensMismatch");
  });

  it("refuses a first guess of the target's daily move outside 0.5 % to 100 % of equity", async () => {
    const { base, quote, pool, volatilityOracle, rebalancer } = await loadFixture(quiet);
    const deploy = (guess: bigint) =>
      ethers.deployContract("Rebalancer", [base, quote, pool, volatilityOracle, guess]);
    for (const guess of [0n, WAD / 200n - 1n, WAD + 1n, 2n ** 256n - 1n]) {
      await expect(deploy(guess))
        .to.be.revertedWithCustomError(rebalancer, "Rebalancer_InitialTargetVolatilityOutOfBounds")
        .withArgs(guess, WAD / 200n, WAD);
    }
    for (const guess of [WAD / 200n, WAD]) {
      const [nu2] = await (await deploy(guess)).bandState();
      expect(nu2).to.equal((365n * guess * guess) / WAD);
    }
  });

  it("is the only one that may trade inventory or store the band", async () => {
    const { marginPool, rebalancer, owner } = await loadFixture(quiet);
    for (const call of [
      marginPool.connect(owner).tradeWithPool(true, WAD, 0n),
      marginPool.connect(owner).cacheBand(WAD, WAD, 7_500n),
    ]) {
      await expect(call)
        .to.be.revertedWithCustomError(marginPool, "MarginPool_OnlyRebalancer")
        .withArgs(owner.address, await rebalancer.getAddress());
    }
  });

  describe("eligibility", () => {
    it("has nothing to do inside the band", async () => {
      await expectNotDue(await loadFixture(quiet), INSIDE_BAND);
    });

    it("has nothing to do when the pool holds no depth", async () => {
      const fixture = await deployFixture(connection, { ...settings, poolQuoteDepth: 0n });
      await depositMargin(fixture, fixture.alice, 1_203_007n * WAD);
      await trade(fixture, fixture.alice, -SIZE);
      await fixture.rebalancer.poke();
      await expectNotDue(fixture, POOL_TOO_SHALLOW);
    });

    it("stops while LPs have no equity left, and starts again when they have", async () => {
      const fixture = await deployFixture(connection, { ...settings, targetBaseWeight: 0n });
      const { rebalancer, marginPool, alice } = fixture;
      await depositMargin(fixture, alice, 20_000_003n * WAD);
      await buildPosition(fixture, alice, 10_007n * WAD, 3n);
      const price = await currentPrice(fixture);
      const { equityWad, skewWad } = await marginPool.snapshot();
      // without base of its own the pool loses the whole skew's gain
      const wiped = (equityWad * WAD) / skewWad;
      for (const [percent, reason] of [
        [90n, DUE],
        [101n, INSOLVENT],
      ] as const) {
        await time.increase(61n);
        await publishPrice(fixture, price + (wiped * percent) / 100n);
        await rebalancer.poke();
        const { equityBidWad } = await marginPool.snapshot({ blockTag: "pending" });
        expect(equityBidWad > 0n).to.equal(reason === DUE);
        const plan = await rebalancer.previewRebalance({ blockTag: "pending" });
        expect(plan.reason).to.equal(reason);
        expect(plan.outsideSince).to.be.gt(0n);
      }
      await expectNotDue(fixture, INSOLVENT);
      await time.increase(61n);
      await publishPrice(fixture, price);
      await rebalancer.poke();
      await time.increase(600n);
      await arbitrage(fixture);
      await expectAsPreviewed(fixture);
    });

    for (const { verb, sellBase, outside } of directions) {
      it(`waits for a later block than the one that left the band, when it ${verb}`, async () => {
        const fixture = await loadFixture(quiet);
        const { rebalancer } = fixture;
        await trade(fixture, fixture.alice, sellBase ? -SIZE : SIZE);
        const seenAt = await now(fixture);
        const same = await rebalancer.previewRebalance({ blockTag: "latest" });
        expect(same.reason).to.equal(NOT_YET_ELIGIBLE);
        expect(same.outsideSince).to.equal(seenAt);
        expect(same.episodeOpen).to.equal(false);
        const later = await rebalancer.previewRebalance({ blockTag: "pending" });
        expect(later.reason).to.equal(DUE);
        expect(later.outsideSince).to.equal(seenAt);
        expect(later.episodeOpen).to.equal(true);
        expect(later.sellBase).to.equal(sellBase);
      });

      it(`trades once per block, when it ${verb}`, async () => {
        const fixture = await loadFixture(outside);
        const { rebalancer, alice, bob } = fixture;
        const provider = ethers.provider;
        await provider.send("evm_setAutomine", [false]);
        try {
          const first = await rebalancer.connect(alice).rebalance({ gasLimit: 3_000_000n });
          const second = await rebalancer.connect(bob).rebalance({ gasLimit: 3_000_000n });
          await networkHelpers.mine();
          expect((await provider.getTransactionReceipt(first.hash))!.status).to.equal(1);
          expect((await provider.getTransactionReceipt(second.hash))!.status).to.equal(0);
        } finally {
          await provider.send("evm_setAutomine", [true]);
        }
        const plan = await rebalancer.previewRebalance({ blockTag: "latest" });
        expect(plan.reason).to.equal(ALREADY_THIS_BLOCK);
        expect((await rebalancer.previewRebalance({ blockTag: "pending" })).reason).to.equal(DUE);
      });

      it(`is closed by a change of the exposure's sign, when it ${verb}`, async () => {
        const fixture = await loadFixture(outside);
        const { rebalancer } = fixture;
        await rebalancer.rebalance();
        expect((await rebalancer.previewRebalance()).episodeOpen).to.equal(true);
        const turn = sellBase ? 2n * SIZE : -2n * SIZE;
        await trade(fixture, fixture.alice, turn);
        const flipped = await rebalancer.previewRebalance({ blockTag: "latest" });
        expect(flipped.sellBase).to.equal(!sellBase);
        expect(flipped.episodeOpen).to.equal(false);
        expect(flipped.reason).to.equal(NOT_YET_ELIGIBLE);
        expect(flipped.outsideSince).to.equal(await now(fixture));
      });
    }

    it("forgets an exposure that came back inside before the episode opened", async () => {
      const fixture = await loadFixture(quiet);
      await trade(fixture, fixture.alice, SIZE);
      await trade(fixture, fixture.bob, -SIZE + 400n * WAD);
      const plan = await fixture.rebalancer.previewRebalance({ blockTag: "latest" });
      // Between the blocks the episode opened; it closes because 400 base lie within the inner band.
      expect(plan.outsideSince).to.equal(0n);
      expect(plan.episodeOpen).to.equal(false);
      await expectNotDue(fixture, INSIDE_BAND);
    });

    it("keeps an open episode between the two bands and opens none there", async () => {
      const fixture = await loadFixture(mustSell);
      const { rebalancer } = fixture;
      const { innerBand, outerBand } = await rebalancer.previewRebalance();
      const between = (innerBand + outerBand) / 2n;
      await trade(fixture, fixture.bob, SIZE - between);
      const open = await rebalancer.previewRebalance({ blockTag: "pending" });
      expect(open.netExposureBase).to.be.within(innerBand, outerBand);
      expect(open.reason).to.equal(DUE);

      const fresh = await loadFixture(quiet);
      await trade(fresh, fresh.alice, -between);
      const none = await fresh.rebalancer.previewRebalance({ blockTag: "pending" });
      expect(none.netExposureBase).to.be.within(innerBand, outerBand);
      expect(none.reason).to.equal(INSIDE_BAND);
    });
  });

  for (const { verb, sellBase, outside } of directions) {
    describe(`a chunk that ${verb} base`, () => {
      it("is what the preview of the same block said, whoever calls", async () => {
        for (const caller of ["keeper", "bob", "owner"] as const) {
          const fixture = await loadFixture(outside);
          const { rebalancer, marginPool, base, quote } = fixture;
          await time.setNextBlockTimestamp((await now(fixture)) + 47n);
          const plan = await rebalancer.previewRebalance({ blockTag: "pending" });
          const held = [await base.balanceOf(marginPool), await quote.balanceOf(marginPool)];
          const returned = await rebalancer
            .connect(fixture[caller])
            .rebalance.staticCall({ blockTag: "pending" });
          expect(returned).to.deep.equal(plan);
          const event = await rebalanced(fixture, rebalancer.connect(fixture[caller]).rebalance());
          const moved = [await base.balanceOf(marginPool), await quote.balanceOf(marginPool)];
          expect(event.keeper).to.equal(fixture[caller].address);
          expect(event.baseDelta).to.equal(sellBase ? -plan.amountBase : plan.amountBase);
          expect(event.exposureBefore).to.equal(plan.netExposureBase);
          expect(moved[0]! - held[0]!).to.equal(event.baseDelta);
          expect(moved[1]! - held[1]!).to.equal(event.quoteDelta);
          if (sellBase) expect(event.quoteDelta).to.be.gte(plan.quoteLimit);
          else expect(-event.quoteDelta).to.be.within(1n, plan.quoteLimit);
        }
      });

      it("is what the preview said in a round nobody has measured, by the band of before", async () => {
        const fixture = await loadFixture(outside);
        const { rebalancer } = fixture;
        const price = await currentPrice(fixture);
        await time.increase(3_000n); // long enough for the band to move with the sample
        await publishPrice(fixture, (price * 1_013n) / 1_000n);
        await arbitrage(fixture);
        const before = await bandOf(fixture);
        const { plan, event } = await expectAsPreviewed(fixture);
        expect(plan.sellBase).to.equal(sellBase);
        expect(event.indexPriceWad).to.equal((price * 1_013n) / 1_000n);
        const after = await bandOf(fixture);
        expect(after.lastRoundId).to.equal(before.lastRoundId + 1n);
        expect(after.lastSampledAt).to.equal(await now(fixture));
        const next = await rebalancer.previewRebalance({ blockTag: "pending" });
        expect(next.outerBand).not.to.equal(plan.outerBand);
        expect(next.reason).to.equal(DUE);
      });

      it("is bounded by half a fee of the depth and marked to the oracle at constant k", async () => {
        const fixture = await loadFixture(outside);
        const { rebalancer, marginPool } = fixture;
        for (const waited of [31n, 299n, 600n, 1_700n]) {
          const { outsideSince } = await rebalancer.previewRebalance();
          await time.setNextBlockTimestamp(outsideSince + waited);
          const plan = await rebalancer.previewRebalance({ blockTag: "pending" });
          const state = await marginPool.snapshot({ blockTag: "pending" });
          const live = await reserves(fixture);
          const marked = remarked(live, await currentPrice(fixture));
          const depth = smaller(smaller(live[0], marked[0]), state.depthBaseWad);
          const bound = (depth * FEE) / 2n / PPM;
          const excess = magnitude(plan.netExposureBase) - plan.innerBand;
          expect(plan.amountBase).to.be.closeTo(smaller(bound, excess), 2n);
          expect(plan.amountBase).to.be.lte(excess);
          expect(plan.toleranceWad).to.equal(toleranceAfter(waited));
          expect(plan.quoteLimit).to.be.closeTo(
            limitOf(sellBase, plan.amountBase, marked, plan.toleranceWad),
            2n,
          );
          await networkHelpers.mine();
        }
      });

      it("is not enlarged by liquidity that came a moment before", async () => {
        const fixture = await loadFixture(outside);
        const { rebalancer, pool, bob, base } = fixture;
        const { outsideSince } = await rebalancer.previewRebalance();
        await time.setNextBlockTimestamp(outsideSince + 700n);
        await networkHelpers.mine();
        const before = await rebalancer.previewRebalance();
        const [reserveBase, reserveQuote] = await reserves(fixture);
        const baseFirst = (await pool.token0()) === (await base.getAddress());
        const [amount0, amount1] = baseFirst
          ? [3n * reserveBase, 3n * reserveQuote]
          : [3n * reserveQuote, 3n * reserveBase];
        await pool.connect(bob).addLiquidity(amount0, amount1, 0n, 0n, bob, FAR_DEADLINE);
        const after = await rebalancer.previewRebalance();
        expect(before.amountBase).to.be.greaterThan(0n);
        expect(after.amountBase).to.be.lte((before.amountBase * 1_010n) / 1_000n);
      });

      it("reports the oracle value it gave up", async () => {
        const fixture = await loadFixture(outside);
        const priceWad = await currentPrice(fixture);
        const [x, y] = await reserves(fixture);
        const event = await rebalanced(fixture, fixture.rebalancer.rebalance());
        const amount = magnitude(event.baseDelta);
        const value = (amount * priceWad) / 10n ** 30n;
        // straight from x y = k with the fee on the input
        const net = amount * (PPM - FEE);
        const expected = sellBase
          ? value - (net * y) / (x * PPM + net)
          : (y * amount * PPM) / ((x - amount) * (PPM - FEE)) + 1n - value;
        expect(event.cost).to.be.closeTo(expected, 1n);
        // the fee and half a fee's impact: 45 bp and a little
        expect(event.cost * 10_000n).to.be.within(value * 44n, value * 46n);
        expect(event.indexPriceWad).to.equal(priceWad);
      });

      it("costs LPs no more than it reports", async () => {
        const fixture = await loadFixture(outside);
        const { rebalancer, marginPool } = fixture;
        await time.setNextBlockTimestamp((await now(fixture)) + 12n);
        const before = await marginPool.snapshot({ blockTag: "pending" });
        const event = await rebalanced(fixture, rebalancer.rebalance());
        const after = await marginPool.snapshot({ blockTag: "latest" });
        const lost = before.equityWad - after.equityWad;
        expect(lost).to.be.closeTo(event.cost * 10n ** 12n, 10n ** 12n);
      });

      it("strictly shrinks the exposure through the whole episode and never crosses the target", async () => {
        const fixture = await loadFixture(outside);
        const { rebalancer } = fixture;
        await time.increase(600n); // the arbitrageur restores the pool up to its fee; the tolerance must cover that
        let chunks = 0n;
        for (;;) {
          const plan = await rebalancer.previewRebalance({ blockTag: "pending" });
          if (plan.reason !== DUE) {
            expect(plan.reason).to.equal(INSIDE_BAND);
            expect(magnitude(plan.netExposureBase)).to.be.lte(plan.innerBand);
            // it stops at the edge, not beyond it
            expect(magnitude(plan.netExposureBase) * 100n).to.be.gt(plan.innerBand * 99n);
            break;
          }
          const event = await rebalanced(fixture, rebalancer.rebalance());
          expect(magnitude(event.exposureAfter)).to.be.lt(magnitude(event.exposureBefore));
          expect(event.exposureAfter > 0n).to.equal(sellBase);
          expect(magnitude(event.baseDelta)).to.be.lte(
            magnitude(event.exposureBefore) - plan.innerBand + 10n ** 15n,
          );
          await arbitrage(fixture);
          chunks += 1n;
        }
        // 4,001 less the inner band of about 993, in chunks of at most 0.15 % of 104,886
        expect(chunks).to.be.within(19n, 23n);
      });

      for (const percent of [1n, 3n, 10n]) {
        it(`reverts when the pool was moved ${percent} % against it`, async () => {
          const fixture = await loadFixture(outside);
          const { pool, rebalancer } = fixture;
          for (const waited of [60n, 700n]) {
            await time.increase(waited);
            const restore = await networkHelpers.takeSnapshot();
            await moveSpot(fixture, ((sellBase ? -percent : percent) * WAD) / 100n);
            expect((await rebalancer.previewRebalance()).reason).to.equal(DUE);
            await expect(
              rebalancer.rebalance({ gasLimit: 3_000_000n }),
            ).to.be.revertedWithCustomError(
              pool,
              sellBase
                ? "ConstantProductPool_OutputBelowMinimum"
                : "ConstantProductPool_InputAboveMaximum",
            );
            await restore.restore();
          }
        });

        it(`loses nothing when the pool was moved ${percent} % in its favor`, async () => {
          const fixture = await loadFixture(outside);
          await moveSpot(fixture, ((sellBase ? percent : -percent) * WAD) / 100n);
          const event = await rebalanced(fixture, fixture.rebalancer.rebalance());
          const value = (magnitude(event.baseDelta) * (await currentPrice(fixture))) / 10n ** 30n;
          // 45 bp of natural cost less what the move gave
          expect(event.cost * 10_000n).to.be.lt(value * (46n - percent * 90n));
        });
      }

      it("loses at most its tolerance beyond the natural cost, however the pool was moved", async () => {
        const fixture = await loadFixture(outside);
        const { rebalancer } = fixture;
        let [filled, refused] = [0, 0];
        for (const basisPoints of [2n, 5n, 8n, 12n, 25n, 50n]) {
          const restore = await networkHelpers.takeSnapshot();
          await moveSpot(fixture, ((sellBase ? -basisPoints : basisPoints) * WAD) / 10_000n);
          await time.setNextBlockTimestamp((await now(fixture)) + 5n);
          const plan = await rebalancer.previewRebalance({ blockTag: "pending" });
          const marked = remarked(await reserves(fixture), await currentPrice(fixture));
          const natural = limitOf(sellBase, plan.amountBase, marked, 0n);
          try {
            await rebalancer.rebalance.staticCall({ blockTag: "pending" });
            const event = await rebalanced(fixture, rebalancer.rebalance());
            const got = magnitude(event.quoteDelta);
            const beyond = sellBase ? natural - got : got - natural;
            expect(beyond * WAD).to.be.lte(natural * plan.toleranceWad + WAD);
            filled += 1;
          } catch (error) {
            if (!String(error).includes("ConstantProductPool_")) throw error;
            refused += 1;
          }
          await restore.restore();
        }
        expect(filled, "some small moves pass").to.be.gte(2);
        expect(refused, "larger moves do not").to.be.gte(2);
      });

      it("makes a sandwich around it lose money, at every size that passes", async () => {
        const fixture = await loadFixture(outside);
        const { rebalancer, pool, base, quote, bob } = fixture;
        await time.increase(900n); // the widest tolerance: f + 10 bp
        let sandwiched = 0;
        for (const partPpm of [10n, 100n, 300n, 600n, 1_000n, 1_500n, 1_900n]) {
          const restore = await networkHelpers.takeSnapshot();
          const before = [await base.balanceOf(bob), await quote.balanceOf(bob)] as const;
          const amount = ((await reserves(fixture))[0] * partPpm) / PPM;
          const args = [amount, 2n ** 255n, bob, FAR_DEADLINE] as const;
          if (sellBase) await swap(fixture, bob, true, amount);
          else await pool.connect(bob).swapExactOutput(quote, ...args);
          const passes = await rebalancer.rebalance.staticCall().then(
            () => true,
            () => false,
          );
          if (passes) {
            await rebalancer.rebalance();
            if (sellBase) await pool.connect(bob).swapExactOutput(quote, ...args);
            else await swap(fixture, bob, true, amount);
            expect(await base.balanceOf(bob)).to.equal(before[0]);
            expect(await quote.balanceOf(bob)).to.be.lt(before[1]);
            sandwiched += 1;
          }
          await restore.restore();
        }
        expect(sandwiched).to.be.gte(5);
      });
    });
  }

  describe("a bad price", () => {
    it("stops preview, rebalance and poke with the oracle's error", async () => {
      const fixture = await loadFixture(mustSell);
      const { rebalancer, priceOracle } = fixture;
      await time.increase(3_901n);
      for (const call of [
        rebalancer.previewRebalance(),
        rebalancer.rebalance(),
        rebalancer.poke(),
      ]) {
        await expect(call).to.be.revertedWithCustomError(priceOracle, "PriceOracle_PriceStale");
      }
      await publishPrice(fixture, (await currentPrice(fixture)) + WAD / 50n);
      await rebalancer.poke();
      await rebalancer.rebalance();
    });
  });

  it("keeps the margin of traders out of what it spends", async () => {
    const fixture = await loadFixture(mustSell);
    const { rebalancer, marginPool, alice } = fixture;
    const before = await marginPool.ledgers();
    const account = await marginPool.marginAccount(alice);
    const event = await rebalanced(fixture, rebalancer.rebalance());
    const after = await marginPool.ledgers();
    expect(after.inventoryBase - before.inventoryBase).to.equal(event.baseDelta);
    expect(after.shortCollateral).to.equal(before.shortCollateral);
    expect(after.custodyQuote).to.equal(before.custodyQuote);
    expect(after.insuranceFund).to.equal(before.insuranceFund);
    expect(await marginPool.marginAccount(alice)).to.deep.equal(account);
  });
});
