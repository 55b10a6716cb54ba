import { readFileSync } from "node:fs";
import { expect } from "chai";
import { network } from "hardhat";
import type { MockPriceFeed, VolatilityOracle } from "../../../typechain-types/index.ts";
import {
  exp,
  expectWithin,
  fromWad,
  mul,
  ONE,
  real,
  WAD,
  YEAR,
} from "../../support/highPrecision.ts";
import {
  ANSWER,
  CEILING,
  deployOracles,
  deployPool,
  deployPriceOracle,
  deployVolatilityOracle,
  expectEstimate,
  FIRST_ROUND,
  FLOOR,
  INITIAL_VOLATILITY,
  PRECISION,
  sampled,
  startOf,
  stateOf,
  TWAP_WINDOW,
  volatilityOf,
  writeRound,
} from "../../support/oracleFixture.ts";

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const deployed = () => deployOracles(connection);
const FAST = 21_600n;
const ROUNDS_PER_POKE = 128n;

/** An oracle beside a pool of its own, on a feed. */
async function deployOracle(
  feed: MockPriceFeed,
  initialVolatilityWad = INITIAL_VOLATILITY,
): Promise<VolatilityOracle> {
  const priceOracle = await deployPriceOracle(connection, feed);
  const pool = await deployPool(connection);
  return deployVolatilityOracle(connection, priceOracle, pool, { initialVolatilityWad });
}

describe("VolatilityOracle", () => {
  describe("construction", () => {
    it("starts from the price of now and the given volatility", async () => {
      const { feed, oracle, startedAt } = await networkHelpers.loadFixture(deployed);
      const variance = (INITIAL_VOLATILITY * INITIAL_VOLATILITY) / WAD;
      expect(await stateOf(oracle)).to.deep.equal([
        variance,
        variance,
        ANSWER * 10n ** 10n,
        startedAt,
        FIRST_ROUND,
        INITIAL_VOLATILITY,
        INITIAL_VOLATILITY,
      ]);
      expect(await oracle.lastSample()).to.deep.equal([ANSWER * 10n ** 10n, startedAt]);
      const priceOracle = await ethers.getContractAt("PriceOracle", await oracle.priceOracle());
      expect(await priceOracle.feed()).to.equal(await feed.getAddress());
      expect(await oracle.MAXIMUM_ROUNDS_PER_POKE()).to.equal(ROUNDS_PER_POKE);
    });

    it("keeps its pool and window", async () => {
      const { oracle, pool } = await networkHelpers.loadFixture(deployed);
      expect(await oracle.pool()).to.equal(await pool.getAddress());
      expect(await oracle.twapWindowSeconds()).to.equal(TWAP_WINDOW);
      expect(await oracle.snapshotTimes()).to.deep.equal([0n, 0n]);
    });

    it("accepts windows of 10 minutes and a day, and none beyond", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, priceOracle } = fixture;
      const deploy = (twapWindowSeconds: bigint) =>
        deployVolatilityOracle(connection, priceOracle, fixture, { twapWindowSeconds });
      for (const window of [600n, 86_400n]) {
        expect(await (await deploy(window)).twapWindowSeconds()).to.equal(window);
      }
      for (const window of [0n, 599n, 86_401n, 2n ** 256n - 1n]) {
        await expect(deploy(window))
          .to.be.revertedWithCustomError(oracle, "VolatilityOracle_TwapWindowOutOfBounds")
          .withArgs(window, 600n, 86_400n);
      }
    });

    it("reverts for a pool of other tokens", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, priceOracle, pool, base, quote } = fixture;
      const [poolAddress, baseAddress, quoteAddress] = await Promise.all(
        [pool, base, quote].map((contract) => contract.getAddress()),
      );
      const { base: other } = await deployPool(connection);
      const otherAddress = await other.getAddress();
      for (const [pair, args] of [
        [{ base: other, quote }, [otherAddress, quoteAddress]],
        [{ base, quote: other }, [baseAddress, otherAddress]],
        [{ base, quote: base }, [baseAddress, baseAddress]],
        [{ base: quote, quote }, [quoteAddress, quoteAddress]],
      ] as const) {
        await expect(deployVolatilityOracle(connection, priceOracle, { pool, ...pair }))
          .to.be.revertedWithCustomError(oracle, "VolatilityOracle_PoolMismatch")
          .withArgs(poolAddress, ...args);
      }
    });

    it("accepts the floor and the ceiling", async () => {
      const { feed } = await networkHelpers.loadFixture(deployed);
      for (const initial of [FLOOR, CEILING]) {
        const oracle = await deployOracle(feed, initial);
        expect(await oracle.realizedVolatilityWad()).to.equal(initial);
        expect(await oracle.maintenanceVolatilityWad()).to.equal(initial);
      }
    });

    for (const initial of [0n, FLOOR - 1n, CEILING + 1n, 2n ** 256n - 1n]) {
      it(`reverts for an initial volatility of ${initial}`, async () => {
        const { feed, oracle } = await networkHelpers.loadFixture(deployed);
        await expect(deployOracle(feed, initial))
          .to.be.revertedWithCustomError(oracle, "VolatilityOracle_InitialVolatilityOutOfBounds")
          .withArgs(initial, FLOOR, CEILING);
      });
    }

    it("reverts while the price is bad", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { feed, priceOracle } = fixture;
      await feed.setPrice(0n);
      await expect(deployVolatilityOracle(connection, priceOracle, fixture))
        .to.be.revertedWithCustomError(priceOracle, "PriceOracle_PriceNotPositive")
        .withArgs(FIRST_ROUND + 1n, 0n);
    });
  });

  describe("samples", () => {
    it("takes a round 60 s after the last sample, and not one of 59 s", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, startedAt } = fixture;
      const before = await stateOf(oracle);
      await writeRound(fixture, 1n, 59n, ANSWER + 777_777_777n);
      await oracle.sync();
      const skipped = [...before];
      skipped[4] = FIRST_ROUND + 1n;
      expect(await stateOf(oracle)).to.deep.equal(skipped);
      await writeRound(fixture, 2n, 60n, ANSWER + 999_999_999n);
      await oracle.sync();
      await expectEstimate(
        oracle,
        sampled(startOf(startedAt), ANSWER + 999_999_999n, startedAt + 60n),
      );
    });

    it("measures 60 s from the last sample, not from the last round", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, startedAt } = fixture;
      const rounds: [bigint, bigint][] = [
        [30n, ANSWER + 111_111_111n],
        [59n, ANSWER + 222_222_222n],
        [61n, ANSWER + 333_333_333n],
        [120n, ANSWER + 444_444_444n],
        [121n, ANSWER + 555_555_555n],
      ];
      let estimate = startOf(startedAt);
      for (const [index, [after, answer]] of rounds.entries()) {
        await writeRound(fixture, BigInt(index) + 1n, after, answer);
        await oracle.sync();
        estimate = sampled(estimate, answer, startedAt + after);
      }
      expect(estimate.at).to.equal(startedAt + 121n);
      await expectEstimate(oracle, estimate);
    });

    it("counts a move beyond 25 % as one of 25 %, in either direction", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, twins, startedAt } = fixture;
      for (const [answer, reader] of [
        [ANSWER * 3n, oracle],
        [ANSWER / 5n, twins[0]!],
      ] as const) {
        await writeRound(fixture, 1n, 600n, answer);
        await reader.sync();
        const kept = exp(-real(600n, FAST));
        const sample = (real(1n, 16n) * YEAR) / 600n;
        const variance =
          mul(kept, fromWad(INITIAL_VOLATILITY), fromWad(INITIAL_VOLATILITY)) +
          mul(ONE - kept, sample);
        expectWithin((await reader.samples()).fastVarianceWad, variance, 5n, PRECISION);
        await expectEstimate(reader, sampled(startOf(startedAt), answer, startedAt + 600n));
      }
    });

    it("keeps volatility at 300 % however often the price jumps, and at 40 % when it never moves", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle } = fixture;
      for (let n = 1n; n <= 3n; n += 1n) {
        await writeRound(fixture, n, 60n * n, n % 2n === 1n ? ANSWER * 2n : ANSWER);
        await oracle.sync();
      }
      expect((await oracle.samples()).fastVarianceWad).to.be.greaterThan(9n * WAD);
      expect(await oracle.realizedVolatilityWad()).to.equal(CEILING);

      const still = await deployOracle(fixture.feed);
      await networkHelpers.time.increase(60n * 86_400n);
      await fixture.feed.setPrice(ANSWER * 2n);
      await still.sync();
      const { lastPriceWad } = await still.samples();
      expect(lastPriceWad).to.equal(ANSWER * 2n * 10n ** 10n);
      for (let n = 0; n < 2; n += 1) {
        await networkHelpers.time.increase(60n * 86_400n);
        await fixture.feed.setPrice(ANSWER * 2n);
        await still.sync();
      }
      expect((await still.samples()).slowVarianceWad).to.be.lessThan((16n * WAD) / 100n);
      expect(await still.realizedVolatilityWad()).to.equal(FLOOR);
      expect(await still.maintenanceVolatilityWad()).to.equal(FLOOR);
    });
  });

  describe("precision", () => {
    it("follows the first 200 bars of Black Thursday within 1e-12 of the exact estimate, at every bar", async () => {
      const { open, close, stepSeconds } = JSON.parse(
        readFileSync(
          new URL("../../../scenarios/black-thursday-2020-03.json", import.meta.url),
          "utf8",
        ),
      ) as { open: number; close: number[]; stepSeconds: number };
      expect(stepSeconds).to.equal(300);
      // Cents to eight decimals.
      const answerOf = (cents: number) => BigInt(cents) * 10n ** 6n;
      const feed = await ethers.deployContract("MockPriceFeed", [
        8n,
        "BASE / QUOTE",
        answerOf(open),
      ]);
      const startedAt = (await feed.latestRoundData())[3];
      const oracle = await deployOracle(feed);
      await networkHelpers.time.increase(200n * 300n);

      let estimate = startOf(startedAt, answerOf(open));
      for (const [index, cents] of close.slice(0, 200).entries()) {
        const after = BigInt(index + 1) * 300n;
        await writeRound({ feed, startedAt }, BigInt(index) + 1n, after, answerOf(cents));
        await oracle.sync();
        estimate = sampled(estimate, answerOf(cents), startedAt + after);
        await expectEstimate(oracle, estimate);
      }
      // The day is worth its name: both averages moved, the fast one above 200 % on the way.
      expect(estimate.fast > estimate.slow).to.equal(true);
      expect(volatilityOf(estimate) > real(2n)).to.equal(true);
    });
  });

  describe("maintenance volatility", () => {
    it("rises by at most 10 % an hour, at most 10 minutes of it at once, while volatility jumps", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle } = fixture;
      const rise = async (number: bigint, after: bigint) => {
        const before = await oracle.maintenanceVolatilityWad();
        await writeRound(fixture, number, after, number % 2n === 1n ? ANSWER * 2n : ANSWER);
        await oracle.sync();
        return { before, now: await oracle.maintenanceVolatilityWad() };
      };
      let after = 0n;
      for (const [number, gap, counted] of [
        [1n, 60n, 60n],
        [2n, 599n, 599n],
        [3n, 600n, 600n],
        [4n, 601n, 600n],
        [5n, 40_000n, 600n],
      ] as const) {
        after += gap;
        const { before, now } = await rise(number, after);
        expectWithin(now, mul(fromWad(before), ONE + real(counted, 36_000n)), 2n);
        expect(now).to.be.lessThan(await oracle.realizedVolatilityWad());
      }
      expect(await oracle.realizedVolatilityWad()).to.equal(CEILING);
    });

    it("does not rise in a round too early to be sampled", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle } = fixture;
      await writeRound(fixture, 1n, 60n, ANSWER * 2n);
      await oracle.sync();
      const before = await oracle.maintenanceVolatilityWad();
      await writeRound(fixture, 2n, 119n, ANSWER);
      await oracle.sync();
      expect(await oracle.maintenanceVolatilityWad()).to.equal(before);
    });

    it("falls with volatility at once", async () => {
      const { feed } = await networkHelpers.loadFixture(deployed);
      const oracle = await deployOracle(feed, CEILING);
      await networkHelpers.time.increase(80_000n);
      await feed.setPrice(ANSWER);
      await oracle.sync();
      const volatilityNow = await oracle.realizedVolatilityWad();
      expect(volatilityNow).to.be.lessThan(CEILING);
      expect(await oracle.maintenanceVolatilityWad()).to.equal(volatilityNow);
    });
  });

  describe("market", () => {
    it("is previewed without being stored", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle } = fixture;
      await writeRound(fixture, 1n, 613n, ANSWER * 2n);
      const state = await stateOf(oracle);
      const preview = await oracle.preview();
      expect(await oracle.sync.staticCall()).to.deep.equal(preview);
      expect(await stateOf(oracle)).to.deep.equal(state);
      await oracle.sync();
      expect(await oracle.preview()).to.deep.equal(preview);
      expect(await oracle.realizedVolatilityWad()).to.equal(preview.volatilityWad);
      expect(await oracle.maintenanceVolatilityWad()).to.equal(preview.maintenanceVolatilityWad);
      expect(preview.volatilityWad).to.be.greaterThan(INITIAL_VOLATILITY);
      expect(preview.maintenanceVolatilityWad).to.be.within(
        INITIAL_VOLATILITY + 1n,
        preview.volatilityWad - 1n,
      );
    });

    it("carries the price oracle's band", async () => {
      const { feed } = await networkHelpers.loadFixture(deployed);
      const priceOracle = await deployPriceOracle(connection, feed, {
        priceBandWad: 523_456_789_012_345n,
      });
      const pool = await deployPool(connection);
      const oracle = await deployVolatilityOracle(connection, priceOracle, pool);
      const { lowerWad, upperWad } = await priceOracle.latestPrice();
      const market = await oracle.preview();
      expect([market.lowerPriceWad, market.upperPriceWad]).to.deep.equal([lowerWad, upperWad]);
      expect(upperWad).to.be.greaterThan(lowerWad);
    });

    it("reverts with the price oracle's error while the price is bad, and remembers what it knew", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle } = fixture;
      const priceOracle = await ethers.getContractAt("PriceOracle", await oracle.priceOracle());
      const state = await stateOf(oracle);
      await writeRound(fixture, 1n, 613n, -5n);
      for (const call of [() => oracle.sync(), () => oracle.poke(), () => oracle.preview()]) {
        await expect(call())
          .to.be.revertedWithCustomError(priceOracle, "PriceOracle_PriceNotPositive")
          .withArgs(FIRST_ROUND + 1n, -5n);
      }
      expect(await stateOf(oracle)).to.deep.equal(state);
    });
  });

  describe("goodness", () => {
    const isRefused = (oracle: VolatilityOracle) =>
      oracle.preview().then(
        () => false,
        () => true,
      );

    it("is that of the price, and no regress of its rounds", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, priceOracle } = fixture;
      const expectGood = async (good: boolean, priceGood = good) => {
        expect(await oracle.isGood()).to.equal(good);
        expect(await isRefused(oracle)).to.equal(!good);
        expect(await priceOracle.isGood()).to.equal(priceGood);
      };
      for (let n = 1n; n <= 3n; n += 1n) await writeRound(fixture, n, 61n * n, ANSWER);
      await oracle.poke();
      await expectGood(true);
      await writeRound(fixture, 2n, 300n, ANSWER);
      await expectGood(false, true);
      await writeRound(fixture, 4n, 300n, 0n);
      await expectGood(false);
      await writeRound(fixture, 5n, 300n, ANSWER);
      await expectGood(true);
      await networkHelpers.time.increase(90_301n);
      await expectGood(false);
    });

    it("survives a phase that begins with lower rounds", async () => {
      const { feed, oracle, startedAt } = await networkHelpers.loadFixture(deployed);
      await feed.setRound(FIRST_ROUND + 900n, ANSWER, startedAt, startedAt, FIRST_ROUND + 900n);
      await oracle.poke();
      const id = (2n << 64n) + 1n;
      await feed.setRound(id, ANSWER, startedAt, startedAt, id);
      expect(await oracle.isGood()).to.equal(true);
    });

    it("and the last sample are told also where the feed is gone", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { feed, oracle, startedAt } = fixture;
      await writeRound(fixture, 1n, 613n, ANSWER + 1_234_567n);
      await oracle.sync();
      for (const code of ["0xfe", "0x", "0x609f5ff3"]) {
        await networkHelpers.setCode(await feed.getAddress(), code);
        expect(await oracle.isGood()).to.equal(false);
        expect(await oracle.lastSample()).to.deep.equal([
          (ANSWER + 1_234_567n) * 10n ** 10n,
          startedAt + 613n,
        ]);
      }
    });
  });

  describe("events", () => {
    it("tell each sample with the estimate after it", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, startedAt } = fixture;
      await writeRound(fixture, 1n, 613n, ANSWER + 1_234_567_891n);
      const transaction = await oracle.sync();
      const [, , price, at, round, maintenance] = await stateOf(oracle);
      expect([round, at]).to.deep.equal([FIRST_ROUND + 1n, startedAt + 613n]);
      await expect(transaction)
        .to.emit(oracle, "VolatilitySampled")
        .withArgs(round, price, at, await oracle.realizedVolatilityWad(), maintenance);
    });

    it("tell the last of several samples folded at once", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle } = fixture;
      for (let n = 1n; n <= 4n; n += 1n) {
        await writeRound(fixture, n, 77n * n, ANSWER + n * 1_234_567_891n);
      }
      const transaction = await oracle.poke();
      const [, , price, at, round, maintenance] = await stateOf(oracle);
      await expect(transaction)
        .to.emit(oracle, "VolatilitySampled")
        .withArgs(round, price, at, await oracle.realizedVolatilityWad(), maintenance);
      const logs = (await transaction.wait())!.logs;
      expect(logs.length).to.equal(1);
    });

    it("are silent for a round too early, an invalid one and none at all", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle } = fixture;
      const logsOf = async () => (await (await oracle.sync()).wait())!.logs.length;
      expect(await logsOf()).to.equal(0);
      await writeRound(fixture, 1n, 59n, ANSWER * 2n);
      expect(await logsOf()).to.equal(0);
      await writeRound(fixture, 2n, 300n, 0n);
      await writeRound(fixture, 3n, 59n, ANSWER * 2n);
      expect(await logsOf()).to.equal(0);
      expect((await oracle.samples()).lastRoundId).to.equal(FIRST_ROUND + 3n);
      await writeRound(fixture, 4n, 60n, ANSWER * 2n);
      expect(await logsOf()).to.equal(1);
    });
  });
});
