import { readFileSync } from "node:fs";
import { expect } from "chai";
import { network } from "hardhat";
import type { MockPriceFeed, VolatilityOracle } from "../../../typechain-types/index.ts";
import {
  exp,
  expectWithin,
  fromWad,
  ln,
  max,
  min,
  mul,
  ONE,
  type Real,
  real,
  sqrt,
  WAD,
  YEAR,
} from "../../support/highPrecision.ts";

const { ethers, networkHelpers } = await network.create();

const FIRST_ROUND = (1n << 64n) + 1n;
/** 1,946.12735491 with eight decimals. */
const ANSWER = 194_612_735_491n;
const INITIAL = 612_345_678_901_234_567n;
/** Rounds of a whole day may be written at once without going stale. */
const HEARTBEAT = 90_000n;
const FAST = 21_600n;
const SLOW = 1_399_680n;
/** Relative error of the variances that is accepted over two hundred samples. */
const PRECISION = real(1n, 10n ** 12n);
const ROUNDS_PER_POKE = 128n;
const FLOOR = (4n * WAD) / 10n;
const CEILING = 3n * WAD;

async function deployOracle(feed: MockPriceFeed, initial = INITIAL): Promise<VolatilityOracle> {
  const priceOracle = await ethers.deployContract("PriceOracle", [feed, HEARTBEAT, 0n, 0n]);
  return ethers.deployContract("VolatilityOracle", [priceOracle, initial]);
}

/** A feed with one round and an oracle that starts from it; the clock is then a day ahead, for rounds to be written. */
async function deployed() {
  const feed = await ethers.deployContract("MockPriceFeed", [8n, "BASE / QUOTE", ANSWER]);
  const startedAt = (await feed.latestRoundData())[3];
  const oracle = await deployOracle(feed);
  const twins = [await deployOracle(feed), await deployOracle(feed), await deployOracle(feed)];
  await networkHelpers.time.increase(80_000n);
  return { feed, oracle, twins, startedAt };
}

/** Writes a round of the given number, `after` seconds from the feed's first. */
async function writeRound(
  { feed, startedAt }: { feed: MockPriceFeed; startedAt: bigint },
  number: bigint,
  after: bigint,
  answer: bigint,
  { answeredIn = FIRST_ROUND + number }: { answeredIn?: bigint } = {},
): Promise<void> {
  const updatedAt = startedAt + after;
  await feed.setRound(FIRST_ROUND + number, answer, updatedAt, updatedAt, answeredIn);
}

/** Everything that the oracle remembers. */
async function stateOf(oracle: VolatilityOracle): Promise<bigint[]> {
  return [...(await oracle.samples()), await oracle.maintenanceVolatilityWad()];
}

/** The specification's estimate on reals. */
interface Estimate {
  fast: Real;
  slow: Real;
  maintenance: Real;
  price: bigint;
  at: bigint;
}

function startOf(at: bigint, price = ANSWER, initial = INITIAL): Estimate {
  const variance = mul(fromWad(initial), fromWad(initial));
  return { fast: variance, slow: variance, maintenance: fromWad(initial), price, at };
}

const volatility = (estimate: Estimate): Real =>
  min(max(sqrt(max(estimate.fast, estimate.slow)), fromWad(FLOOR)), fromWad(CEILING));

/** One round of the feed: taken where it is at least 60 s after the last sample. */
function sampled(estimate: Estimate, price: bigint, at: bigint): Estimate {
  const elapsed = at - estimate.at;
  if (elapsed < 60n) return estimate;
  const logReturn = ln(real(price, estimate.price));
  const square = min(mul(logReturn, logReturn), real(1n, 16n));
  const average = (variance: Real, tau: bigint) => {
    const kept = exp(-real(elapsed, tau));
    return mul(kept, variance) + mul(ONE - kept, (square * YEAR) / elapsed);
  };
  const next = { ...estimate, price, at };
  next.fast = average(estimate.fast, FAST);
  next.slow = average(estimate.slow, SLOW);
  const rise = real(min(elapsed, 600n), 36_000n);
  next.maintenance = min(volatility(next), mul(estimate.maintenance, ONE + rise));
  return next;
}

async function expectEstimate(oracle: VolatilityOracle, estimate: Estimate): Promise<void> {
  const samples = await oracle.samples();
  expectWithin(samples.fastVarianceWad, estimate.fast, 5n, PRECISION);
  expectWithin(samples.slowVarianceWad, estimate.slow, 5n, PRECISION);
  expectWithin(await oracle.realizedVolatilityWad(), volatility(estimate), 5n, PRECISION);
  expectWithin(await oracle.maintenanceVolatilityWad(), estimate.maintenance, 5n, PRECISION);
  expect(samples.lastPriceWad).to.equal(estimate.price * 10n ** 10n);
  expect(samples.lastSampledAt).to.equal(estimate.at);
}

describe("VolatilityOracle", () => {
  describe("construction", () => {
    it("starts from the price of now and the given volatility", async () => {
      const { feed, oracle, startedAt } = await networkHelpers.loadFixture(deployed);
      const variance = (INITIAL * INITIAL) / WAD;
      expect(await stateOf(oracle)).to.deep.equal([
        variance,
        variance,
        ANSWER * 10n ** 10n,
        startedAt,
        FIRST_ROUND,
        INITIAL,
      ]);
      const priceOracle = await ethers.getContractAt("PriceOracle", await oracle.priceOracle());
      expect(await priceOracle.feed()).to.equal(await feed.getAddress());
      expect(await oracle.MAXIMUM_ROUNDS_PER_POKE()).to.equal(ROUNDS_PER_POKE);
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
      const { feed, oracle } = await networkHelpers.loadFixture(deployed);
      const priceOracle = await ethers.getContractAt("PriceOracle", await oracle.priceOracle());
      await feed.setPrice(0n);
      await expect(deployOracle(feed))
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
        const variance = mul(kept, fromWad(INITIAL), fromWad(INITIAL)) + mul(ONE - kept, sample);
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
      expect(volatility(estimate) > real(2n)).to.equal(true);
    });
  });

  describe("whoever calls, and however often", () => {
    type Fault = "zero" | "negative" | "unfinished" | "carried" | "missing" | "backward";
    /** Seconds after the round before, answer, and what is wrong with the round. */
    const rounds: [bigint, bigint, Fault?][] = [
      [61n, ANSWER + 1_234_567_891n],
      [7n, ANSWER + 2_345_678_912n],
      [12n, ANSWER - 987_654_321n],
      [45n, ANSWER - 1_987_654_321n],
      [300n, 0n, "zero"],
      [60n, ANSWER - 3_456_789_123n],
      [59n, ANSWER * 4n],
      [1n, ANSWER + 456_789_123n],
      [3_601n, -ANSWER, "negative"],
      [13n, ANSWER + 567_891_234n, "missing"],
      [13n, ANSWER + 567_891_235n, "missing"],
      [13n, ANSWER + 567_891_236n, "missing"],
      [77n, ANSWER + 678_912_345n],
      [0n, ANSWER + 789_123_456n],
      [613n, ANSWER + 891_234_567n, "unfinished"],
      [1_801n, ANSWER * 2n],
      [120n, ANSWER, "carried"],
      [120n, ANSWER + 912_345_678n],
      [30n, ANSWER + 1_357_924_680n, "backward"],
      [31n, ANSWER + 2_468_013_579n],
      [7_211n, ANSWER - 1_357_924_680n],
      [59n, ANSWER - 2_357_924_680n],
    ];

    it("remembers the same after the same rounds, invalid and missing ones among them", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { feed, oracle, twins, startedAt } = fixture;
      const priceOracle = await ethers.getContractAt("PriceOracle", await oracle.priceOracle());
      const [eager, syncing, lazy, mixed] = [oracle, ...twins] as [
        VolatilityOracle,
        VolatilityOracle,
        VolatilityOracle,
        VolatilityOracle,
      ];
      const [, other] = await ethers.getSigners();
      let estimate = startOf(startedAt);
      let [after, number, refused, writes] = [0n, 0n, 0n, 0];
      for (const [gap, answer, fault] of rounds) {
        number += 1n;
        after += gap;
        if (fault === "missing") continue;
        const id = FIRST_ROUND + number;
        const updatedAt = startedAt + after;
        if (fault === "unfinished") {
          await feed.setRound(id, answer, updatedAt, 0n, id);
        } else if (fault === "carried") {
          await writeRound(fixture, number, after, answer, { answeredIn: id - 1n });
        } else if (fault === "backward") {
          await writeRound(fixture, number, after - 5_000n, answer);
          after -= gap;
        } else {
          await writeRound(fixture, number, after, answer);
        }
        writes += 1;
        if (fault === undefined) {
          estimate = sampled(estimate, answer, updatedAt);
        }
        // Once and again after every round, by two callers, wherever the price lets them.
        if (await priceOracle.isGood()) {
          await eager.poke();
          await eager.connect(other!).sync();
          await eager.poke();
          await syncing.sync();
          if (writes % 3 === 0) await mixed.connect(other!).sync();
          if (writes % 7 === 0) await mixed.poke();
        } else {
          await expect(eager.poke()).to.be.revert(ethers);
          await expect(syncing.sync()).to.be.revert(ethers);
          refused += 1n;
        }
      }
      expect(refused).to.equal(4n);
      await syncing.poke();
      for (let n = 0; n < rounds.length; n += 1) await mixed.sync();
      await lazy.poke();

      const state = await stateOf(lazy);
      expect(state[4]).to.equal(FIRST_ROUND + BigInt(rounds.length));
      for (const reader of [eager, syncing, mixed]) {
        expect(await stateOf(reader)).to.deep.equal(state);
      }
      await expectEstimate(lazy, estimate);
    });

    it("remembers the same when every round is folded alone, two by two, or 128 at once", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, twins } = fixture;
      let [after, answer] = [0n, ANSWER];
      // Spacings between 11 and 210 s, moves of up to 2 %, from a small generator.
      let random = 12_345n;
      const next = (below: bigint) => {
        random = (random * 1_103_515_245n + 12_345n) % 2n ** 31n;
        return (random >> 8n) % below;
      };
      for (let n = 1n; n <= 60n; n += 1n) {
        after += 11n + next(200n);
        answer += (answer * (next(40_001n) - 20_000n)) / 1_000_000n;
        await writeRound(fixture, n, after, answer);
        await oracle.sync();
        if (n % 2n === 0n) await twins[0]!.sync();
      }
      await twins[1]!.poke();
      const state = await stateOf(oracle);
      expect(state[4]).to.equal(FIRST_ROUND + 60n);
      expect(await stateOf(twins[0]!)).to.deep.equal(state);
      expect(await stateOf(twins[1]!)).to.deep.equal(state);
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

  describe("catching up", () => {
    /** Rounds `from` to `to`, 61 s apart, each a little above the last. */
    async function writeMany(
      fixture: { feed: MockPriceFeed; startedAt: bigint },
      from: bigint,
      to: bigint,
    ): Promise<void> {
      for (let n = from; n <= to; n += 1n) {
        await writeRound(fixture, n, 61n * n, ANSWER + n * 12_345_679n);
      }
    }

    it("folds two rounds in a sync and says when it has not caught up", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle } = fixture;
      await writeMany(fixture, 1n, 5n);
      for (const [folded, caughtUp] of [
        [2n, false],
        [4n, false],
        [5n, true],
        [5n, true],
      ] as const) {
        expect((await oracle.preview()).caughtUp).to.equal(caughtUp);
        expect((await oracle.sync.staticCall()).caughtUp).to.equal(caughtUp);
        await oracle.sync();
        expect((await oracle.samples()).lastRoundId).to.equal(FIRST_ROUND + folded);
      }
    });

    it("gives the price of the latest round also while behind", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, startedAt } = fixture;
      await writeMany(fixture, 1n, 5n);
      const market = await oracle.sync.staticCall();
      expect(market.priceWad).to.equal((ANSWER + 5n * 12_345_679n) * 10n ** 10n);
      expect(market.roundId).to.equal(FIRST_ROUND + 5n);
      expect(market.updatedAt).to.equal(startedAt + 305n);
    });

    it("folds everything with a poke and counts the rounds", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle } = fixture;
      expect(await oracle.poke.staticCall()).to.equal(0n);
      await writeMany(fixture, 1n, 5n);
      expect(await oracle.poke.staticCall()).to.equal(5n);
      await oracle.poke();
      expect(await oracle.poke.staticCall()).to.equal(0n);
      expect((await oracle.preview()).caughtUp).to.equal(true);
    });

    it("folds at most 128 rounds with a poke, in less than a tenth of a block, and the rest with the next", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle } = fixture;
      await writeMany(fixture, 1n, 131n);
      expect(await oracle.poke.staticCall()).to.equal(128n);
      const receipt = await (await oracle.poke()).wait();
      expect(receipt!.gasUsed).to.be.lessThan(3_000_000n);
      expect((await oracle.samples()).lastRoundId).to.equal(FIRST_ROUND + 128n);
      expect((await oracle.preview()).caughtUp).to.equal(false);
      expect(await oracle.poke.staticCall()).to.equal(3n);
      await oracle.poke();
      expect((await oracle.samples()).lastRoundId).to.equal(FIRST_ROUND + 131n);
    });

    it("counts missing rounds as looked at", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, startedAt } = fixture;
      await writeRound(fixture, 9n, 613n, ANSWER + 1_234_567n);
      expect(await oracle.poke.staticCall()).to.equal(9n);
      await oracle.poke();
      await expectEstimate(
        oracle,
        sampled(startOf(startedAt), ANSWER + 1_234_567n, startedAt + 613n),
      );
    });

    it("reverts while the feed is back at an earlier round, and goes on where it was once the feed does", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, twins, feed, startedAt } = fixture;
      await writeMany(fixture, 1n, 3n);
      await oracle.poke();
      await twins[0]!.poke();
      const state = await stateOf(oracle);
      await writeRound(fixture, 2n, 5_000n, ANSWER * 2n);
      for (const call of [() => oracle.sync(), () => oracle.poke(), () => oracle.preview()]) {
        await expect(call())
          .to.be.revertedWithCustomError(oracle, "VolatilityOracle_RoundRegressed")
          .withArgs(FIRST_ROUND + 2n, FIRST_ROUND + 3n);
      }
      expect(await stateOf(oracle)).to.deep.equal(state);

      // The last round itself is no regress, and nothing to fold.
      await writeRound(fixture, 3n, 183n, ANSWER + 37_037_037n);
      expect((await oracle.sync.staticCall()).caughtUp).to.equal(true);
      expect(await oracle.poke.staticCall()).to.equal(0n);
      const { lastPriceWad } = await oracle.samples();
      await writeRound(fixture, 4n, 613n, ANSWER - 7_654_321n);
      await oracle.sync();
      expect((await oracle.samples()).lastRoundId).to.equal(FIRST_ROUND + 4n);
      expect((await oracle.samples()).lastSampledAt).to.equal(startedAt + 613n);
      expect(lastPriceWad).to.equal((ANSWER + 37_037_037n) * 10n ** 10n);
      // As if the feed had never gone back.
      await twins[0]!.sync();
      expect(await stateOf(oracle)).to.deep.equal(await stateOf(twins[0]!));
      expect(await feed.latestRoundId()).to.equal(FIRST_ROUND + 4n);
    });

    it("does not stop at one absurd round of the feed once the feed has recovered", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, startedAt } = fixture;
      const priceOracle = await ethers.getContractAt("PriceOracle", await oracle.priceOracle());
      // The least answer that has no room in the estimate's 128 bits once it is scaled to eighteen decimals.
      const absurd = 2n ** 128n / 10n ** 10n + 1n;
      expect(absurd * 10n ** 10n >= 2n ** 128n).to.equal(true);
      const state = await stateOf(oracle);
      await writeRound(fixture, 1n, 300n, absurd);
      for (const call of [() => oracle.sync(), () => oracle.poke(), () => oracle.preview()]) {
        await expect(call())
          .to.be.revertedWithCustomError(priceOracle, "PriceOracle_PriceTooLarge")
          .withArgs(FIRST_ROUND + 1n, absurd, 10n ** 26n);
      }
      expect(await stateOf(oracle)).to.deep.equal(state);

      const answer = ANSWER + 1_234_567_891n;
      await writeRound(fixture, 2n, 613n, answer);
      expect((await oracle.sync.staticCall()).caughtUp).to.equal(true);
      await oracle.sync();
      await expectEstimate(oracle, sampled(startOf(startedAt), answer, startedAt + 613n));
      expect((await oracle.samples()).lastRoundId).to.equal(FIRST_ROUND + 2n);
    });

    it("takes the largest price as a sample", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, startedAt } = fixture;
      await writeRound(fixture, 1n, 613n, 10n ** 26n);
      await oracle.sync();
      await expectEstimate(oracle, sampled(startOf(startedAt), 10n ** 26n, startedAt + 613n));
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
      expect(preview.volatilityWad).to.be.greaterThan(INITIAL);
      expect(preview.maintenanceVolatilityWad).to.be.within(
        INITIAL + 1n,
        preview.volatilityWad - 1n,
      );
    });

    it("carries the price oracle's band", async () => {
      const { feed } = await networkHelpers.loadFixture(deployed);
      const priceOracle = await ethers.deployContract("PriceOracle", [
        feed,
        HEARTBEAT,
        523_456_789_012_345n,
        0n,
      ]);
      const oracle = await ethers.deployContract("VolatilityOracle", [priceOracle, INITIAL]);
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

  describe("a phase change of the feed", () => {
    const SECOND_PHASE = 2n << 64n;

    it("restarts at the latest round, without a sample across the change", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { feed, oracle, startedAt } = fixture;
      await writeRound(fixture, 1n, 613n, ANSWER + 1_234_567_891n);
      await oracle.sync();
      const before = await stateOf(oracle);
      const at = startedAt + 1_300n;
      await feed.setRound(SECOND_PHASE + 41n, ANSWER * 3n, at, at, SECOND_PHASE + 41n);
      expect(await oracle.poke.staticCall()).to.equal(1n);
      await expect(oracle.sync())
        .to.emit(oracle, "SamplingRestarted")
        .withArgs(SECOND_PHASE + 41n, ANSWER * 3n * 10n ** 10n, at);
      expect(await stateOf(oracle)).to.deep.equal([
        before[0],
        before[1],
        ANSWER * 3n * 10n ** 10n,
        at,
        SECOND_PHASE + 41n,
        before[5],
      ]);
      expect((await oracle.preview()).caughtUp).to.equal(true);
    });

    it("goes on from there", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { feed, oracle, startedAt } = fixture;
      const at = startedAt + 1_300n;
      await feed.setRound(SECOND_PHASE + 41n, ANSWER * 3n, at, at, SECOND_PHASE + 41n);
      await oracle.sync();
      const answer = ANSWER * 3n - 777_777_777n;
      await feed.setRound(SECOND_PHASE + 42n, answer, at + 77n, at + 77n, SECOND_PHASE + 42n);
      await oracle.sync();
      const start = { ...startOf(startedAt), price: ANSWER * 3n, at };
      await expectEstimate(oracle, sampled(start, answer, at + 77n));
    });

    it("leaves rounds of the old phase behind that nobody folded", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { feed, oracle, startedAt } = fixture;
      for (let n = 1n; n <= 9n; n += 1n) await writeRound(fixture, n, 61n * n, ANSWER * (n + 1n));
      const at = startedAt + 1_300n;
      await feed.setRound(SECOND_PHASE + 1n, ANSWER, at, at, SECOND_PHASE + 1n);
      const [variance] = await stateOf(oracle);
      expect((await oracle.sync.staticCall()).caughtUp).to.equal(true);
      await oracle.sync();
      expect((await stateOf(oracle))[0]).to.equal(variance);
    });
  });

  describe("events", () => {
    it("tell each sample with the estimate after it", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, startedAt } = fixture;
      await writeRound(fixture, 1n, 613n, ANSWER + 1_234_567_891n);
      const transaction = await oracle.sync();
      const [fast, slow, price, at, round, maintenance] = await stateOf(oracle);
      expect([round, at]).to.deep.equal([FIRST_ROUND + 1n, startedAt + 613n]);
      await expect(transaction)
        .to.emit(oracle, "VolatilitySampled")
        .withArgs(round, price, at, fast, slow, maintenance);
    });

    it("tell the last of several samples folded at once", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle } = fixture;
      for (let n = 1n; n <= 4n; n += 1n) {
        await writeRound(fixture, n, 77n * n, ANSWER + n * 1_234_567_891n);
      }
      const transaction = await oracle.poke();
      const [fast, slow, price, at, round, maintenance] = await stateOf(oracle);
      await expect(transaction)
        .to.emit(oracle, "VolatilitySampled")
        .withArgs(round, price, at, fast, slow, maintenance);
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
