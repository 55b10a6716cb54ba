import { expect } from "chai";
import { network } from "hardhat";
import type { MockPriceFeed } from "../../../typechain-types/index.ts";
import {
  ANSWER,
  deployFeed,
  deployPriceOracle,
  FIRST_ROUND,
  type PriceSettings,
} from "../../support/oracleFixture.ts";

const connection = await network.create();
const { ethers, networkHelpers } = connection;

const WAD = 10n ** 18n;
const HEARTBEAT = 3_607n;
const MAXIMUM_AGE = HEARTBEAT + 300n;
const BAND = 523_456_789_012_345n;
const DEVIATION = 5_012_345_678_901_234n;
const PRICE = ANSWER * 10n ** 10n;
const LARGEST_ANSWER = 2n ** 255n - 1n;
/** A thousandth of the first answer and a thousand times it, in the feed's units. */
const [LOWER, UPPER] = [ANSWER / 1_000n, ANSWER * 1_000n];

const SETTINGS = {
  heartbeatSeconds: HEARTBEAT,
  priceBandWad: BAND,
  deviationThresholdWad: DEVIATION,
};

/** An oracle with un-round settings on a feed. */
const deployOn = (feed: MockPriceFeed, settings: PriceSettings = {}) =>
  deployPriceOracle(connection, feed, { ...SETTINGS, ...settings });

async function deployed() {
  const feed = await deployFeed(connection);
  return { feed, oracle: await deployOn(feed) };
}

/**
 * Writes a round in a block of known time and returns that time: the latest block's, at which calls are made.
 *
 * @param round `age` is how long before that block the round claims to have been published, seconds; `at` overrides it
 */
async function writeRound(
  feed: MockPriceFeed,
  round: { id?: bigint; answer?: bigint; age?: bigint; answeredIn?: bigint; at?: bigint } = {},
): Promise<bigint> {
  const now = BigInt(await networkHelpers.time.latest()) + 1_000_000n;
  await networkHelpers.time.setNextBlockTimestamp(now);
  const { id = FIRST_ROUND + 1n, answer = ANSWER, age = 0n, answeredIn = id } = round;
  const updatedAt = round.at ?? now - age;
  await feed.setRound(id, answer, updatedAt, updatedAt, answeredIn);
  return now;
}

describe("PriceOracle", () => {
  describe("construction", () => {
    const deploy = async (settings: PriceSettings, decimals = 8n, answer = ANSWER) =>
      deployOn(await deployFeed(connection, decimals, answer), settings);

    it("keeps its feed, bands and largest age", async () => {
      const { feed, oracle } = await networkHelpers.loadFixture(deployed);
      expect(await oracle.feed()).to.equal(await feed.getAddress());
      expect(await oracle.priceBandWad()).to.equal(BAND);
      expect(await oracle.lpPriceBandWad()).to.equal(DEVIATION);
      expect(await oracle.maximumAgeSeconds()).to.equal(MAXIMUM_AGE);
      expect(await oracle.sequencerFeed()).to.equal(ethers.ZeroAddress);
    });

    it("tells all its checks in numbers", async () => {
      const { feed, oracle } = await networkHelpers.loadFixture(deployed);
      expect(await oracle.guard()).to.deep.equal([
        await feed.getAddress(),
        10n ** 10n,
        LOWER,
        UPPER,
        BAND,
        MAXIMUM_AGE,
        ethers.ZeroAddress,
        0n,
      ]);
    });

    it("prices LP shares with the wider of the price band and the feed's deviation threshold", async () => {
      const wide = await deploy({ priceBandWad: DEVIATION, deviationThresholdWad: BAND });
      expect(await wide.priceBandWad()).to.equal(DEVIATION);
      expect(await wide.lpPriceBandWad()).to.equal(DEVIATION);
    });

    it("accepts the limits themselves: bands of 0, 1 % and 5 %, heartbeats of 1 minute and 25 hours", async () => {
      const narrow = await deploy({
        heartbeatSeconds: 60n,
        priceBandWad: 0n,
        deviationThresholdWad: 0n,
      });
      expect(await narrow.lpPriceBandWad()).to.equal(0n);
      expect(await narrow.maximumAgeSeconds()).to.equal(360n);
      const wide = await deploy({
        heartbeatSeconds: 90_000n,
        priceBandWad: WAD / 100n,
        deviationThresholdWad: WAD / 20n,
      });
      expect(await wide.lpPriceBandWad()).to.equal(WAD / 20n);
      expect(await wide.maximumAgeSeconds()).to.equal(90_300n);
    });

    it("reverts for a price band above 1 %", async () => {
      const { oracle } = await networkHelpers.loadFixture(deployed);
      await expect(deploy({ priceBandWad: WAD / 100n + 1n }))
        .to.be.revertedWithCustomError(oracle, "PriceOracle_PriceBandOutOfBounds")
        .withArgs(WAD / 100n + 1n, WAD / 100n);
    });

    it("reverts for a deviation threshold above 5 %", async () => {
      const { oracle } = await networkHelpers.loadFixture(deployed);
      await expect(deploy({ deviationThresholdWad: WAD / 20n + 1n }))
        .to.be.revertedWithCustomError(oracle, "PriceOracle_LpPriceBandOutOfBounds")
        .withArgs(WAD / 20n + 1n, BAND, WAD / 20n);
    });

    for (const heartbeat of [0n, 59n, 90_001n, 2n ** 255n]) {
      it(`reverts for a heartbeat of ${heartbeat} s`, async () => {
        const { oracle } = await networkHelpers.loadFixture(deployed);
        await expect(deploy({ heartbeatSeconds: heartbeat }))
          .to.be.revertedWithCustomError(oracle, "PriceOracle_HeartbeatOutOfBounds")
          .withArgs(heartbeat, 60n, 90_000n);
      });
    }

    for (const decimals of [0n, 5n, 19n, 255n]) {
      it(`reverts for a feed of ${decimals} decimals`, async () => {
        const { oracle } = await networkHelpers.loadFixture(deployed);
        await expect(deploy({}, decimals))
          .to.be.revertedWithCustomError(oracle, "PriceOracle_FeedDecimalsOutOfBounds")
          .withArgs(decimals, 6n, 18n);
      });
    }

    for (const decimals of [6n, 8n, 18n]) {
      const most = 10n ** (9n + decimals);

      it(`accepts first answers from 1,000 units to 1e9 quote per base of a feed with ${decimals} decimals`, async () => {
        for (const answer of [1_000n, most]) {
          const oracle = await deploy({}, decimals, answer);
          const scale = 10n ** (18n - decimals);
          expect(await oracle.answerBounds()).to.deep.equal([
            (answer / 1_000n) * scale,
            answer * 1_000n * scale,
          ]);
          expect(await oracle.isGood()).to.equal(true);
        }
      });

      for (const answer of [-(2n ** 255n), -1n, 0n, 999n, most + 1n, LARGEST_ANSWER]) {
        it(`reverts for a first answer of ${answer} of a feed with ${decimals} decimals`, async () => {
          const { oracle } = await networkHelpers.loadFixture(deployed);
          await expect(deploy({}, decimals, answer))
            .to.be.revertedWithCustomError(oracle, "PriceOracle_InitialAnswerOutOfBounds")
            .withArgs(answer, 1_000n, most);
        });
      }
    }

    it("reverts when the feed's latest round is bad, for its bounds come from there", async () => {
      const { feed, oracle } = await networkHelpers.loadFixture(deployed);
      const id = FIRST_ROUND + 1n;
      const now = await writeRound(feed, { id, age: MAXIMUM_AGE + 100n });
      await expect(deployOn(feed))
        .to.be.revertedWithCustomError(oracle, "PriceOracle_PriceStale")
        .withArgs(id, now - MAXIMUM_AGE - 100n, MAXIMUM_AGE);
      await writeRound(feed, { id, at: 0n });
      await expect(deployOn(feed))
        .to.be.revertedWithCustomError(oracle, "PriceOracle_RoundIncomplete")
        .withArgs(id, id, 0n);
    });
  });

  describe("price", () => {
    for (const [decimals, answer] of [
      [6n, 1_946_127_354n],
      [8n, ANSWER],
      [18n, 1_946_127_354_901_283_774_013n],
      [18n, 1_000n],
      [6n, 1_000n],
    ] as const) {
      it(`scales ${answer} of a feed with ${decimals} decimals to eighteen`, async () => {
        const feed = await deployFeed(connection, decimals, answer);
        const oracle = await deployOn(feed);
        const price = answer * 10n ** (18n - decimals);
        expect((await oracle.latestPrice()).priceWad).to.equal(price);
        const [valid, round] = await oracle.roundAt(FIRST_ROUND);
        expect(valid).to.equal(true);
        expect(round.priceWad).to.equal(price);
      });
    }

    it("comes with the band around it: lower rounded down, upper rounded up", async () => {
      for (const answer of [1_946_127_354_901_283_774_013n, 1_000n, 1_999n, 10n ** 27n - 1n]) {
        const feed = await deployFeed(connection, 18n, answer);
        const oracle = await deployOn(feed);
        const { lowerWad, upperWad } = await oracle.latestPrice();
        expect(lowerWad).to.equal((answer * (WAD - BAND)) / WAD);
        expect(upperWad).to.equal((answer * (WAD + BAND) + WAD - 1n) / WAD);
        expect(lowerWad < answer && answer < upperWad).to.equal(true);
      }
    });

    it("has no width with a band of zero", async () => {
      const feed = await deployFeed(connection);
      const oracle = await deployOn(feed, { priceBandWad: 0n });
      const { priceWad, lowerWad, upperWad } = await oracle.latestPrice();
      expect([lowerWad, upperWad]).to.deep.equal([priceWad, priceWad]);
    });

    it("comes with the round's id and time", async () => {
      const { feed, oracle } = await networkHelpers.loadFixture(deployed);
      const id = FIRST_ROUND + 77n;
      const now = await writeRound(feed, { id, answer: ANSWER + 13n, age: 613n });
      const { priceWad, updatedAt, roundId } = await oracle.latestPrice();
      expect([priceWad, updatedAt, roundId]).to.deep.equal([
        PRICE + 13n * 10n ** 10n,
        now - 613n,
        id,
      ]);
      expect(await oracle.isGood()).to.equal(true);
    });

    it("accepts an answer that a later round gave", async () => {
      const { feed, oracle } = await networkHelpers.loadFixture(deployed);
      const id = FIRST_ROUND + 5n;
      await writeRound(feed, { id, answeredIn: id + 1n });
      expect((await oracle.latestPrice()).priceWad).to.equal(PRICE);
    });
  });

  describe("age", () => {
    it("is good at exactly heartbeat and grace", async () => {
      const { feed, oracle } = await networkHelpers.loadFixture(deployed);
      await writeRound(feed, { age: MAXIMUM_AGE });
      expect((await oracle.latestPrice()).priceWad).to.equal(PRICE);
      expect(await oracle.isGood()).to.equal(true);
    });

    it("reverts when the round is one second older than heartbeat and grace", async () => {
      const { feed, oracle } = await networkHelpers.loadFixture(deployed);
      const now = await writeRound(feed, { age: MAXIMUM_AGE + 1n });
      await expect(oracle.latestPrice())
        .to.be.revertedWithCustomError(oracle, "PriceOracle_PriceStale")
        .withArgs(FIRST_ROUND + 1n, now - MAXIMUM_AGE - 1n, MAXIMUM_AGE);
      expect(await oracle.isGood()).to.equal(false);
    });

    it("goes stale as time passes and is good again with the next round", async () => {
      const { feed, oracle } = await networkHelpers.loadFixture(deployed);
      const now = await writeRound(feed);
      await networkHelpers.time.increaseTo(now + MAXIMUM_AGE);
      expect(await oracle.isGood()).to.equal(true);
      await networkHelpers.time.increaseTo(now + MAXIMUM_AGE + 1n);
      expect(await oracle.isGood()).to.equal(false);
      await feed.setPrice(ANSWER);
      expect(await oracle.isGood()).to.equal(true);
    });
  });

  describe("bad rounds", () => {
    for (const answer of [0n, -1n, -ANSWER, -(2n ** 255n)]) {
      it(`reverts when the answer is ${answer}`, async () => {
        const { feed, oracle } = await networkHelpers.loadFixture(deployed);
        await writeRound(feed, { answer });
        await expect(oracle.latestPrice())
          .to.be.revertedWithCustomError(oracle, "PriceOracle_PriceNotPositive")
          .withArgs(FIRST_ROUND + 1n, answer);
        expect(await oracle.isGood()).to.equal(false);
      });
    }

    it("reverts when the round was never finished", async () => {
      const { feed, oracle } = await networkHelpers.loadFixture(deployed);
      const id = FIRST_ROUND + 1n;
      await writeRound(feed, { id, at: 0n });
      await expect(oracle.latestPrice())
        .to.be.revertedWithCustomError(oracle, "PriceOracle_RoundIncomplete")
        .withArgs(id, id, 0n);
      expect(await oracle.isGood()).to.equal(false);
    });

    it("reverts when the round claims to come from the future, and not when it comes from this second", async () => {
      const { feed, oracle } = await networkHelpers.loadFixture(deployed);
      const id = FIRST_ROUND + 1n;
      const now = await writeRound(feed, { id, age: -1n });
      await expect(oracle.latestPrice())
        .to.be.revertedWithCustomError(oracle, "PriceOracle_RoundIncomplete")
        .withArgs(id, id, now + 1n);
      expect(await oracle.isGood()).to.equal(false);
      await writeRound(feed, { id, age: 0n });
      expect(await oracle.isGood()).to.equal(true);
    });

    it("reverts when the round carries an older round's answer", async () => {
      const { feed, oracle } = await networkHelpers.loadFixture(deployed);
      const id = FIRST_ROUND + 3n;
      const now = await writeRound(feed, { id, answeredIn: id - 1n });
      await expect(oracle.latestPrice())
        .to.be.revertedWithCustomError(oracle, "PriceOracle_RoundIncomplete")
        .withArgs(id, id - 1n, now);
      expect(await oracle.isGood()).to.equal(false);
    });

    for (const decimals of [6n, 8n, 18n]) {
      it(`reverts beyond a thousandth and a thousand times the first answer, and not at them, for a feed of ${decimals} decimals`, async () => {
        const first = 1_946n * 10n ** decimals + 999n;
        const [lower, upper] = [first / 1_000n, first * 1_000n];
        const feed = await deployFeed(connection, decimals, first);
        const oracle = await deployOn(feed);
        const scale = 10n ** (18n - decimals);
        expect(await oracle.answerBounds()).to.deep.equal([lower * scale, upper * scale]);
        const id = FIRST_ROUND + 1n;
        for (const answer of [lower, upper]) {
          await writeRound(feed, { id, answer });
          expect((await oracle.latestPrice()).priceWad).to.equal(answer * scale);
          expect(await oracle.isGood()).to.equal(true);
          expect((await oracle.roundAt(id))[0]).to.equal(true);
        }
        for (const answer of [1n, lower - 1n, upper + 1n, LARGEST_ANSWER]) {
          await writeRound(feed, { id, answer });
          await expect(oracle.latestPrice())
            .to.be.revertedWithCustomError(oracle, "PriceOracle_PriceOutOfBounds")
            .withArgs(id, answer, lower, upper);
          expect(await oracle.isGood()).to.equal(false);
          expect((await oracle.roundAt(id))[0]).to.equal(false);
        }
      });
    }

    it("keeps its bounds however far the price has moved since", async () => {
      const { feed, oracle } = await networkHelpers.loadFixture(deployed);
      const bounds = await oracle.answerBounds();
      await writeRound(feed, { answer: ANSWER * 999n });
      expect(await oracle.answerBounds()).to.deep.equal(bounds);
      expect(bounds).to.deep.equal([LOWER * 10n ** 10n, UPPER * 10n ** 10n]);
    });

    // What stands in the feed's place: code that always fails, none at all, 159 bytes of zeros, five words the first two of which are all ones.
    for (const [name, code] of [
      ["reverts", "0xfe"],
      ["is gone", "0x"],
      ["answers a byte too little", "0x609f5ff3"],
      ["answers with ids that are none", "0x5f195f525f1960205260a05ff3"],
    ] as const) {
      it(`reverts when the feed ${name}`, async () => {
        const { feed, oracle } = await networkHelpers.loadFixture(deployed);
        expect(await oracle.isGood()).to.equal(true);
        const address = await feed.getAddress();
        await networkHelpers.setCode(address, code);
        expect(await oracle.isGood()).to.equal(false);
        await expect(oracle.latestPrice())
          .to.be.revertedWithCustomError(oracle, "PriceOracle_FeedUnavailable")
          .withArgs(address);
      });
    }
  });

  describe("past rounds", () => {
    const id = FIRST_ROUND + 7n;
    const nothing = [0n, 0n, 0n];

    it("are given with price, time and id, however old and however many came after", async () => {
      const { feed, oracle } = await networkHelpers.loadFixture(deployed);
      const now = await writeRound(feed, { id, answer: ANSWER - 17n, age: 10n * MAXIMUM_AGE });
      await writeRound(feed, { id: id + 1n });
      const [valid, round] = await oracle.roundAt(id);
      expect(valid).to.equal(true);
      expect(round).to.deep.equal([PRICE - 17n * 10n ** 10n, now - 10n * MAXIMUM_AGE, id]);
    });

    it("are not valid where the feed knows none", async () => {
      const { oracle } = await networkHelpers.loadFixture(deployed);
      for (const unknown of [0n, FIRST_ROUND - 1n, FIRST_ROUND + 1n, 2n ** 80n - 1n]) {
        expect(await oracle.roundAt(unknown)).to.deep.equal([false, nothing]);
      }
      expect((await oracle.roundAt(FIRST_ROUND))[0]).to.equal(true);
    });

    for (const [name, faults] of [
      ["the answer is zero", { answer: 0n }],
      ["the answer is negative", { answer: -ANSWER }],
      ["the answer is below a thousandth of the first one", { answer: LOWER - 1n }],
      ["the answer is above a thousand times the first one", { answer: UPPER + 1n }],
      ["the answer does not fit eighteen decimals", { answer: LARGEST_ANSWER }],
      ["they were never finished", { at: 0n }],
      ["they claim to come from the future", { age: -100n }],
      ["they carry an older round's answer", { answeredIn: id - 1n }],
    ] as const) {
      it(`are not valid where ${name}`, async () => {
        const { feed, oracle } = await networkHelpers.loadFixture(deployed);
        await writeRound(feed, { id, ...faults });
        expect(await oracle.roundAt(id)).to.deep.equal([false, nothing]);
        await writeRound(feed, { id });
        expect((await oracle.roundAt(id))[0]).to.equal(true);
      });
    }

    it("are not valid where the feed fails", async () => {
      const { feed, oracle } = await networkHelpers.loadFixture(deployed);
      await networkHelpers.setCode(await feed.getAddress(), "0xfe");
      expect(await oracle.roundAt(FIRST_ROUND)).to.deep.equal([false, nothing]);
    });
  });
});
