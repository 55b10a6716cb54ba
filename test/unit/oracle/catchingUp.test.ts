import { expect } from "chai";
import type { ContractTransactionResponse } from "ethers";
import { network } from "hardhat";
import {
  ANSWER,
  deployFeed,
  deployOracles,
  deployPool,
  deployPriceOracle,
  deployVolatilityOracle,
  expectEstimate,
  FIRST_ROUND,
  type OracleFixture,
  sampled,
  startOf,
  stateOf,
  writeRound,
} from "../../support/oracleFixture.ts";

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const deployed = () => deployOracles(connection);

describe("VolatilityOracle that fell behind", () => {
  describe("catching up", () => {
    /** Rounds `from` to `to`, 61 s apart, each a little above the last. */
    async function writeMany(fixture: OracleFixture, from: bigint, to: bigint): Promise<void> {
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
      const [lower, upper] = [ANSWER / 1_000n, ANSWER * 1_000n];
      const absurd = upper + 1n;
      const state = await stateOf(oracle);
      await writeRound(fixture, 1n, 300n, absurd);
      for (const call of [() => oracle.sync(), () => oracle.poke(), () => oracle.preview()]) {
        await expect(call())
          .to.be.revertedWithCustomError(priceOracle, "PriceOracle_PriceOutOfBounds")
          .withArgs(FIRST_ROUND + 1n, absurd, lower, upper);
      }
      expect(await stateOf(oracle)).to.deep.equal(state);

      const answer = ANSWER + 1_234_567_891n;
      await writeRound(fixture, 2n, 613n, answer);
      expect((await oracle.sync.staticCall()).caughtUp).to.equal(true);
      await oracle.sync();
      await expectEstimate(oracle, sampled(startOf(startedAt), answer, startedAt + 613n));
      expect((await oracle.samples()).lastRoundId).to.equal(FIRST_ROUND + 2n);
    });

    it("takes the largest and the least price there can be as samples, and loses no digit of them", async () => {
      for (const [first, last] of [
        [10n ** 17n, 10n ** 20n],
        [1_000n, 1n],
      ] as const) {
        const feed = await deployFeed(connection, 8n, first);
        const startedAt = (await feed.latestRoundData())[3];
        const priceOracle = await deployPriceOracle(connection, feed);
        const pool = await deployPool(connection);
        const oracle = await deployVolatilityOracle(connection, priceOracle, pool);
        await networkHelpers.time.increase(700n);
        await writeRound({ feed, startedAt }, 1n, 613n, last);
        await oracle.sync();
        await expectEstimate(oracle, sampled(startOf(startedAt, first), last, startedAt + 613n));
        const price = last * 10n ** 10n;
        expect(await oracle.lastSample()).to.deep.equal([price, startedAt + 613n]);
      }
    });

    it("fetches each missed round once", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, twins, feed } = fixture;
      await writeMany(fixture, 1n, 7n);
      const feedAddress = (await feed.getAddress()).toLowerCase().slice(2);
      const fetches = async (transaction: ContractTransactionResponse) => {
        const { structLogs } = await ethers.provider.send("debug_traceTransaction", [
          transaction.hash,
          { disableStorage: true, disableMemory: true },
        ]);
        return (structLogs as { op: string; stack: string[] }[]).filter(
          ({ op, stack }) => op === "STATICCALL" && stack.at(-2)!.endsWith(feedAddress),
        ).length;
      };
      // The latest round and the six before it; with a sync, the latest, two, and the successor of the second.
      expect(await fetches(await oracle.poke())).to.equal(7);
      expect(await fetches(await twins[0]!.sync())).to.equal(4);
      expect(await fetches(await oracle.sync())).to.equal(1);
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
        before[6],
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
});
