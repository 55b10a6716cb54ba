import { expect } from "chai";
import { network } from "hardhat";
import type { VolatilityOracle } from "../../../typechain-types/index.ts";
import {
  ANSWER,
  deployOracles,
  type Estimate,
  expectEstimate,
  FIRST_ROUND,
  type OracleFixture,
  sampled,
  startOf,
  stateOf,
  writeRound,
} from "../../support/oracleFixture.ts";
import { seededRandom } from "../../support/traderFixture.ts";

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const deployed = () => deployOracles(connection);
/** Largest answer that counts. */
const UPPER = ANSWER * 1_000n;
const CAMPAIGNS = process.env.BALLAST_DEEP === "1" ? 200 : 8;

describe("VolatilityOracle's samples", () => {
  describe("whoever calls, and however often", () => {
    type Fault = "zero" | "negative" | "unfinished" | "carried" | "missing" | "absurd";
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
      [30n, ANSWER * 1_001n, "absurd"],
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
      expect(refused).to.equal(5n);
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

    it("leaves a round from the future out, once the rounds after it have come, also when its time has", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { feed, oracle, twins, startedAt } = fixture;
      const now = BigInt(await networkHelpers.time.latest());
      const write = (number: bigint, at: bigint, answer: bigint) =>
        writeRound(fixture, number, at - startedAt, answer);
      await write(1n, now, ANSWER + 1_234_567n);
      await oracle.sync();
      // Dated 500 s ahead, and superseded before that.
      await write(2n, now + 500n, ANSWER * 2n);
      await expect(oracle.sync()).to.be.revertedWithCustomError(
        fixture.priceOracle,
        "PriceOracle_RoundIncomplete",
      );
      await networkHelpers.time.increaseTo(now + 100n);
      await write(3n, now + 100n, ANSWER - 1_234_567n);
      await oracle.sync();
      expect((await oracle.samples()).lastSampledAt).to.equal(now + 100n);
      await networkHelpers.time.increaseTo(now + 1_000n);
      await write(4n, now + 1_000n, ANSWER + 777_777n);
      await oracle.sync();
      await twins[0].poke();
      expect(await stateOf(twins[0])).to.deep.equal(await stateOf(oracle));
      expect(await feed.latestRoundId()).to.equal(FIRST_ROUND + 4n);
      let estimate = sampled(startOf(startedAt), ANSWER + 1_234_567n, now);
      estimate = sampled(estimate, ANSWER - 1_234_567n, now + 100n);
      await expectEstimate(oracle, sampled(estimate, ANSWER + 777_777n, now + 1_000n));
    });

    it("takes a round from the future that was still the latest when its time came", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, twins, startedAt } = fixture;
      const now = BigInt(await networkHelpers.time.latest());
      await writeRound(fixture, 1n, now + 500n - startedAt, ANSWER + 1_234_567n);
      expect(await oracle.isGood()).to.equal(false);
      await networkHelpers.time.increaseTo(now + 500n);
      await oracle.sync();
      await writeRound(fixture, 2n, now + 510n - startedAt, ANSWER * 2n);
      await writeRound(fixture, 3n, now + 600n - startedAt, ANSWER - 1_234_567n);
      await networkHelpers.time.increaseTo(now + 600n);
      await oracle.sync();
      await twins[0].poke();
      expect(await stateOf(twins[0])).to.deep.equal(await stateOf(oracle));
      const estimate = sampled(startOf(startedAt), ANSWER + 1_234_567n, now + 500n);
      await expectEstimate(oracle, sampled(estimate, ANSWER - 1_234_567n, now + 600n));
    });

    it("judges a round by the latest one where the feed skipped its successor", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, twins, startedAt } = fixture;
      await writeRound(fixture, 1n, 900n, ANSWER + 1_234_567n);
      await writeRound(fixture, 3n, 700n, ANSWER - 1_234_567n);
      await oracle.poke();
      await expectEstimate(
        oracle,
        sampled(startOf(startedAt), ANSWER - 1_234_567n, startedAt + 700n),
      );
      await writeRound(fixture, 4n, 1_000n, ANSWER - 7_654_321n);
      await twins[0].poke();
      // Without the round that ran backwards, which comes less than 60 s after the first of them.
      const estimate = sampled(startOf(startedAt), ANSWER + 1_234_567n, startedAt + 900n);
      await expectEstimate(twins[0], sampled(estimate, ANSWER - 7_654_321n, startedAt + 1_000n));
    });

    it("keeps what it took when the feed dates a round before a good one; who comes later leaves that one out; no one takes more", async () => {
      const fixture = await networkHelpers.loadFixture(deployed);
      const { oracle, twins, startedAt } = fixture;
      await writeRound(fixture, 1n, 900n, ANSWER + 1_234_567n);
      await oracle.sync();
      await writeRound(fixture, 2n, 890n, ANSWER - 1_234_567n);
      await oracle.sync();
      await twins[0].sync();
      const early = sampled(startOf(startedAt), ANSWER + 1_234_567n, startedAt + 900n);
      const late = sampled(startOf(startedAt), ANSWER - 1_234_567n, startedAt + 890n);
      await expectEstimate(oracle, early);
      await expectEstimate(twins[0], late);
      await writeRound(fixture, 3n, 1_000n, ANSWER + 7_654_321n);
      await oracle.sync();
      await twins[0].sync();
      await expectEstimate(oracle, sampled(early, ANSWER + 7_654_321n, startedAt + 1_000n));
      await expectEstimate(twins[0], sampled(late, ANSWER + 7_654_321n, startedAt + 1_000n));
    });
  });

  describe("of a feed with random faults", () => {
    for (let seed = 1; seed <= CAMPAIGNS; seed += 1) {
      it(`follow from its rounds alone, whoever folds them when (seed ${seed})`, async () => {
        await new Campaign(await networkHelpers.loadFixture(deployed), seed).run();
      });
    }
  });
});

/** A round as the feed has it. */
interface FeedRound {
  readonly id: bigint;
  readonly answer: bigint;
  readonly updatedAt: bigint;
  readonly usable: boolean;
}

/** The estimate from the list of rounds of one phase, the first of which is where sampling began. */
function estimateOf(start: Estimate, rounds: readonly FeedRound[]): Estimate {
  const byId = new Map(rounds.map((round) => [round.id, round]));
  const latest = rounds.at(-1)!;
  return rounds.slice(1).reduce((estimate, { id, answer, updatedAt, usable }) => {
    const successor = byId.get(id + 1n);
    const known = successor !== undefined && successor.updatedAt !== 0n ? successor : latest;
    return usable && updatedAt <= known.updatedAt ? sampled(estimate, answer, updatedAt) : estimate;
  }, start);
}

/**
 * A feed publishes round after round while five oracles are called at random, each in its way: always, by sync alone, now and
 * then, hardly ever, not before the end. Rounds come irregularly; some are missing, some wrong, some dated ahead, so that those
 * after them run backwards. What the mechanism does not promise does not happen: no round is dated before one that was good as the
 * latest, a round from the future is followed by one with a time that is not ahead, and everybody is up to date when the phase changes.
 */
class Campaign {
  private readonly f: OracleFixture;
  private readonly below: (limit: number) => number;
  private readonly readers: readonly VolatilityOracle[];
  private rounds: FeedRound[];
  private estimate: Estimate;
  private answer = ANSWER;
  private clock: bigint;
  private id = FIRST_ROUND;
  private aheadUntil = 0n;
  private calls = { refused: 0, answered: 0 };

  constructor(f: OracleFixture, seed: number) {
    this.f = f;
    this.below = seededRandom(seed);
    this.readers = [f.oracle, ...f.twins];
    this.estimate = startOf(f.startedAt);
    this.rounds = [{ id: FIRST_ROUND, answer: ANSWER, updatedAt: f.startedAt, usable: true }];
    this.clock = f.startedAt + 80_100n;
  }

  async run(): Promise<void> {
    const phases = 1 + this.below(3);
    for (let phase = 1; phase <= phases; phase += 1) {
      if (phase > 1) await this.changePhase();
      const steps = 25 + this.below(30);
      for (let step = 0; step < steps; step += 1) {
        await this.publish();
        for (const [index, reader] of this.readers.entries()) await this.visit(index, reader);
      }
      await this.settle();
      await this.compare();
    }
    expect(this.calls.answered).to.be.greaterThan(20);
    expect(this.calls.refused).to.be.greaterThan(0);
  }

  private chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** One second or more passes; the next transaction is then. */
  private async pass(seconds: number): Promise<void> {
    this.clock += BigInt(Math.max(1, seconds));
    await networkHelpers.time.setNextBlockTimestamp(this.clock);
  }

  private async publish(): Promise<void> {
    const afterAhead = this.rounds.at(-1)!.updatedAt === this.aheadUntil;
    await this.pass(1 + this.below(this.chance(10) ? 3_000 : 120));
    this.answer += (this.answer * BigInt(this.below(40_001) - 20_000)) / 1_000_000n;
    this.id += this.chance(8) && !afterAhead ? 1n + BigInt(this.below(4)) : 1n;
    const kind = this.below(100);
    if (kind < 5 && !afterAhead) await this.write(this.answer, 0n);
    else if (kind < 8) await this.write(0n, this.clock);
    else if (kind < 11) await this.write(-this.answer, this.clock);
    else if (kind < 14) await this.write(UPPER + 1n, this.clock);
    else if (kind < 17) await this.write(this.answer, this.clock, this.id - 1n);
    else if (kind < 27 && !afterAhead) {
      this.aheadUntil = this.clock + 1n + BigInt(this.below(300));
      // Twice the price: a mistake would show.
      await this.write(this.answer * 2n, this.aheadUntil);
    } else await this.write(this.answer, this.clock);
  }

  private async write(answer: bigint, updatedAt: bigint, answeredIn = this.id): Promise<void> {
    const { id } = this;
    await this.f.feed.setRound(id, answer, updatedAt, updatedAt, answeredIn);
    const usable = answer > 0n && answer <= UPPER && updatedAt !== 0n && answeredIn === id;
    this.rounds.push({ id, answer, updatedAt, usable });
  }

  private async visit(index: number, reader: VolatilityOracle): Promise<void> {
    if (!this.chance([100, 60, 15, 0][index]!)) return;
    await this.pass(1 + this.below(12));
    const poke = index === 0 ? this.chance(50) : index === 2 && this.chance(30);
    const good = this.isGoodNow();
    const call = () => (poke ? reader.poke() : reader.sync());
    if (good) await call();
    else await expect(call()).to.be.revert(ethers);
    this.calls[good ? "answered" : "refused"] += 1;
    expect(await reader.isGood()).to.equal(good);
  }

  private isGoodNow(): boolean {
    const { usable, updatedAt } = this.rounds.at(-1)!;
    return usable && updatedAt <= this.clock;
  }

  /** Publishes a good round and folds everything. */
  private async settle(): Promise<void> {
    if (this.rounds.at(-1)!.updatedAt >= this.clock) this.clock = this.aheadUntil;
    await this.pass(1 + this.below(100));
    this.id += 1n;
    await this.write(this.answer, this.clock);
    for (const reader of this.readers) {
      do await reader.poke();
      while (!(await reader.preview()).caughtUp);
    }
    this.clock = BigInt(await networkHelpers.time.latest());
  }

  private async changePhase(): Promise<void> {
    const { fast, slow, maintenance } = this.estimate;
    await this.pass(1 + this.below(200));
    this.id = ((this.id >> 64n) + 1n) * 2n ** 64n + 1n + BigInt(this.below(50));
    this.answer += (this.answer * BigInt(this.below(400_001) - 200_000)) / 1_000_000n;
    this.rounds = [];
    await this.write(this.answer, this.clock);
    this.estimate = { fast, slow, maintenance, price: this.answer, at: this.clock };
    for (const reader of this.readers) await reader.sync();
    this.clock = BigInt(await networkHelpers.time.latest());
  }

  private async compare(): Promise<void> {
    this.estimate = estimateOf(this.estimate, this.rounds);
    const state = await stateOf(this.readers[0]!);
    for (const reader of this.readers) expect(await stateOf(reader)).to.deep.equal(state);
    await expectEstimate(this.readers[0]!, this.estimate);
    expect(state[4]).to.equal(this.id);
  }
}
