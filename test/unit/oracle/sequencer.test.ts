import { expect } from "chai";
import { network } from "hardhat";
import type { MockPriceFeed, PriceOracle } from "../../../typechain-types/index.ts";
import { ANSWER, deployFeed, deployPriceOracle, FIRST_ROUND } from "../../support/oracleFixture.ts";

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const { loadFixture, setCode, time } = networkHelpers;

const HEARTBEAT = 3_607n;
const MAXIMUM_AGE = HEARTBEAT + 300n;
const GRACE = 3_671n;
const [UP, DOWN] = [0n, 1n];
/** The sequencer feed's statuses are whole numbers, which the mock feed's answers are too. */
const SEQUENCER_ROUND = FIRST_ROUND + 1n;

/** A feed, a sequencer feed that has been up for a long time, and oracles with and without it. */
async function deployed() {
  const feed = await deployFeed(connection);
  const sequencer = await deployFeed(connection, 0n, UP);
  await time.increase(1_000_000n);
  await feed.setPrice(ANSWER);
  const settings = { heartbeatSeconds: HEARTBEAT, priceBandWad: 523_456_789_012_345n };
  const oracle = await deployPriceOracle(connection, feed, {
    ...settings,
    sequencerFeed: sequencer,
    sequencerGraceSeconds: GRACE,
  });
  const plain = await deployPriceOracle(connection, feed, settings);
  return { feed, sequencer, oracle, plain };
}

const latest = async () => BigInt(await time.latest());

/**
 * Writes the sequencer feed's status in a block of known time and returns that time: the latest block's, at which calls
 * are made. The price feed's round is as old as that block.
 */
async function writeStatus(
  { feed, sequencer }: { feed: MockPriceFeed; sequencer: MockPriceFeed },
  status: bigint,
  since: (now: bigint) => bigint,
): Promise<bigint> {
  const now = (await latest()) + 1_000_000n;
  const id = (await feed.latestRoundId()) + 1n;
  await feed.setRound(id, ANSWER, now, now, id);
  await time.setNextBlockTimestamp(now);
  await sequencer.setRound(SEQUENCER_ROUND, status, since(now), now, SEQUENCER_ROUND);
  return now;
}

async function expectBad(
  { oracle, plain }: { oracle: PriceOracle; plain: PriceOracle },
  error: string,
  args: unknown[],
): Promise<void> {
  await expect(oracle.latestPrice())
    .to.be.revertedWithCustomError(oracle, error)
    .withArgs(...args);
  expect(await oracle.isGood()).to.equal(false);
  // The price itself is good.
  expect(await plain.isGood()).to.equal(true);
}

describe("PriceOracle on a chain with a sequencer", () => {
  describe("construction", () => {
    it("keeps the sequencer's feed and grace", async () => {
      const { sequencer, oracle } = await loadFixture(deployed);
      expect(await oracle.sequencerFeed()).to.equal(await sequencer.getAddress());
      const guard = await oracle.guard();
      expect([guard.sequencerFeed, guard.sequencerGraceSeconds]).to.deep.equal([
        await sequencer.getAddress(),
        GRACE,
      ]);
    });

    it("accepts a grace of 1 minute and of 25 hours", async () => {
      const { feed, sequencer } = await loadFixture(deployed);
      for (const sequencerGraceSeconds of [60n, 90_000n]) {
        const oracle = await deployPriceOracle(connection, feed, {
          sequencerFeed: sequencer,
          sequencerGraceSeconds,
        });
        expect(await oracle.isGood()).to.equal(true);
      }
    });

    for (const grace of [0n, 59n, 90_001n, 2n ** 256n - 1n]) {
      it(`reverts for a grace of ${grace} s, unless there is no sequencer feed`, async () => {
        const { feed, sequencer, oracle } = await loadFixture(deployed);
        await expect(
          deployPriceOracle(connection, feed, {
            sequencerFeed: sequencer,
            sequencerGraceSeconds: grace,
          }),
        )
          .to.be.revertedWithCustomError(oracle, "PriceOracle_SequencerGraceOutOfBounds")
          .withArgs(grace, 60n, 90_000n);
        const plain = await deployPriceOracle(connection, feed, { sequencerGraceSeconds: grace });
        expect((await plain.guard()).sequencerGraceSeconds).to.equal(0n);
      });
    }

    it("reverts while the sequencer is down", async () => {
      const fixture = await loadFixture(deployed);
      const now = await writeStatus(fixture, DOWN, (at) => at);
      await expect(
        deployPriceOracle(connection, fixture.feed, { sequencerFeed: fixture.sequencer }),
      )
        .to.be.revertedWithCustomError(fixture.oracle, "PriceOracle_SequencerDown")
        .withArgs(DOWN, now);
    });
  });

  describe("price", () => {
    it("is the same as without a sequencer feed while it has long been up", async () => {
      const { oracle, plain } = await loadFixture(deployed);
      expect(await oracle.latestPrice()).to.deep.equal(await plain.latestPrice());
      expect(await oracle.isGood()).to.equal(true);
    });

    for (const status of [1n, 2n, -1n]) {
      it(`is bad while the sequencer's status is ${status}, however long it has been`, async () => {
        const fixture = await loadFixture(deployed);
        for (const age of [0n, 100n * GRACE]) {
          const now = await writeStatus(fixture, status, (at) => at - age);
          await expectBad(fixture, "PriceOracle_SequencerDown", [status, now - age]);
        }
      });
    }

    it("is bad until the sequencer has been up for the whole grace", async () => {
      const fixture = await loadFixture(deployed);
      const since = await writeStatus(fixture, UP, (at) => at);
      for (const passed of [0n, 1n, GRACE - 1n]) {
        if (passed > 0n) await time.increaseTo(since + passed);
        await expectBad(fixture, "PriceOracle_SequencerInGrace", [since, GRACE]);
      }
      await time.increaseTo(since + GRACE);
      expect(await fixture.oracle.isGood()).to.equal(true);
      expect(await fixture.oracle.latestPrice()).to.deep.equal(await fixture.plain.latestPrice());
    });

    it("is bad while the sequencer feed has no status yet, or one from the future", async () => {
      const fixture = await loadFixture(deployed);
      await writeStatus(fixture, UP, () => 0n);
      await expectBad(fixture, "PriceOracle_SequencerRoundInvalid", [SEQUENCER_ROUND, 0n]);
      const now = await writeStatus(fixture, UP, (at) => at + 1n);
      await expectBad(fixture, "PriceOracle_SequencerRoundInvalid", [SEQUENCER_ROUND, now + 1n]);
    });

    for (const [name, code] of [
      ["reverts", "0xfe"],
      ["is gone", "0x"],
      ["answers too little", "0x609f5ff3"],
    ] as const) {
      it(`is bad while the sequencer feed ${name}`, async () => {
        const fixture = await loadFixture(deployed);
        const address = await fixture.sequencer.getAddress();
        await setCode(address, code);
        await expectBad(fixture, "PriceOracle_FeedUnavailable", [address]);
      });
    }

    it("is bad for what is wrong with the feed, too, and names the sequencer first", async () => {
      const fixture = await loadFixture(deployed);
      const { feed, oracle } = fixture;
      await feed.setPrice(0n);
      const roundId = await feed.latestRoundId();
      await expect(oracle.latestPrice())
        .to.be.revertedWithCustomError(oracle, "PriceOracle_PriceNotPositive")
        .withArgs(roundId, 0n);
      const now = await writeStatus(fixture, DOWN, (at) => at);
      await feed.setPrice(0n);
      await expect(oracle.latestPrice())
        .to.be.revertedWithCustomError(oracle, "PriceOracle_SequencerDown")
        .withArgs(DOWN, now);
    });
  });

  describe("signs of life", () => {
    const published = async (feed: MockPriceFeed) => (await feed.latestRoundData())[3];

    it("are the latest round's time and the end of the sequencer's grace, past or to come", async () => {
      const fixture = await loadFixture(deployed);
      const { feed, oracle } = fixture;
      for (const age of [0n, 13n, GRACE - 1n, GRACE, 10n * GRACE]) {
        const now = await writeStatus(fixture, UP, (at) => at - age);
        expect(await oracle.liveness()).to.deep.equal([
          true,
          now - age + GRACE,
          await published(feed),
        ]);
      }
    });

    it("count from no time without a sequencer feed", async () => {
      const { feed, plain } = await loadFixture(deployed);
      expect(await plain.liveness()).to.deep.equal([true, 0n, await published(feed)]);
    });

    it("say that the sequencer is down, with the feed's last round", async () => {
      const fixture = await loadFixture(deployed);
      await writeStatus(fixture, DOWN, (at) => at - 77n);
      expect(await fixture.oracle.liveness()).to.deep.equal([
        false,
        0n,
        await published(fixture.feed),
      ]);
    });

    it("are the last round's time however old it is", async () => {
      const { feed, oracle, plain } = await loadFixture(deployed);
      const at = await published(feed);
      await time.increase(100n * MAXIMUM_AGE);
      for (const reader of [oracle, plain]) {
        expect(await reader.isGood()).to.equal(false);
        expect((await reader.liveness()).lastRoundAt).to.equal(at);
      }
    });

    for (const [name, faults] of [
      ["not positive", { answer: 0n }],
      ["negative", { answer: -ANSWER }],
      ["out of bounds", { answer: ANSWER * 1_000n + 1n }],
      ["unfinished", { at: 0n }],
      ["from the future", { late: 1n }],
      ["an older round's", { carried: 1n }],
    ] as const) {
      it(`know of no usable round where the answer is ${name}`, async () => {
        const { feed, oracle, plain } = await loadFixture(deployed);
        const wrong = { answer: ANSWER, late: 0n, carried: 0n, ...faults };
        const now = (await latest()) + 1_000n;
        const id = (await feed.latestRoundId()) + 1n;
        const updatedAt = "at" in faults ? faults.at : now + wrong.late;
        await time.setNextBlockTimestamp(now);
        await feed.setRound(id, wrong.answer, updatedAt, updatedAt, id - wrong.carried);
        for (const reader of [oracle, plain]) {
          const { sequencerUp, lastRoundAt } = await reader.liveness();
          expect([sequencerUp, lastRoundAt]).to.deep.equal([true, 0n]);
        }
      });
    }

    for (const [name, code] of [
      ["reverts", "0xfe"],
      ["is gone", "0x"],
      ["answers too little", "0x609f5ff3"],
      ["answers with ids that are none", "0x5f195f525f1960205260a05ff3"],
    ] as const) {
      it(`know of no usable round where the feed ${name}, and do not revert`, async () => {
        const { feed, sequencer, oracle, plain } = await loadFixture(deployed);
        const upSince = (await sequencer.latestRoundData())[2];
        await setCode(await feed.getAddress(), code);
        expect(await oracle.liveness()).to.deep.equal([true, upSince + GRACE, 0n]);
        expect(await plain.liveness()).to.deep.equal([true, 0n, 0n]);
      });
    }

    for (const [name, code] of [
      ["reverts", "0xfe"],
      ["is gone", "0x"],
      ["has no status yet", "0x60a05ff3"],
    ] as const) {
      it(`know of no usable round where the sequencer feed ${name}: every price is bad then`, async () => {
        const { sequencer, oracle } = await loadFixture(deployed);
        await setCode(await sequencer.getAddress(), code);
        expect(await oracle.liveness()).to.deep.equal([true, 0n, 0n]);
        expect(await oracle.isGood()).to.equal(false);
      });
    }

    it("cannot be hidden from a caller by a lack of gas, for nothing is left to act with", async () => {
      const { feed, oracle } = await loadFixture(deployed);
      const at = await published(feed);
      const { provider } = connection;
      const [from] = await ethers.getSigners();
      const call = async (gas: bigint) =>
        provider.request({
          method: "eth_call",
          params: [
            {
              from: from!.address,
              to: await oracle.getAddress(),
              data: oracle.interface.encodeFunctionData("liveness"),
              gas: ethers.toQuantity(gas),
            },
            "latest",
          ],
        });
      const readings = new Set<string>();
      for (let gas = 22_000n; gas < 60_000n; gas += 500n) {
        try {
          const [, , lastRoundAt] = oracle.interface.decodeFunctionResult(
            "liveness",
            (await call(gas)) as string,
          );
          readings.add(lastRoundAt.toString());
        } catch {
          readings.add("out of gas");
        }
      }
      expect([...readings]).to.deep.equal(["out of gas", at.toString()]);
    });
  });
});
