import { expect } from "chai";
import { ZeroAddress } from "ethers";
import fc from "fast-check";
import { network } from "hardhat";
import {
  abs,
  div,
  exp,
  expectWithin,
  floorWad,
  fromWad,
  ln,
  max,
  ONE,
  real,
  sqrt,
  YEAR,
} from "../../support/highPrecision.ts";
import { decay, logPrice } from "../../support/poolOracleReference.ts";
import { createPool, deployFactory, FAR_DEADLINE, fund } from "../pool/poolFixture.ts";

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const { loadFixture } = networkHelpers;

const RUNS = process.env.BALLAST_DEEP === "1" ? 10_000 : 200;
const SEED = 0xba11a57;
const E18 = 10n ** 18n;
const START = 1_700_000_000n;
/** The largest that any log price is, 1e18. */
const LARGEST_LOG = 77_700_000_000_000_000_000n;
const MAX_VARIANCE = 2n ** 64n - 1n;

/** An empty pool and its consumer. */
async function deployed() {
  const [deployer] = await ethers.getSigners();
  const factory = await deployFactory(ethers, 3000n);
  const a = await ethers.deployContract("MockERC20", ["A", "A", 18n]);
  const b = await ethers.deployContract("MockERC20", ["B", "B", 18n]);
  const created = await createPool(ethers, factory, a, b);
  for (const token of [a, b]) await fund(ethers, token, created.poolAddress);
  const consumer = await consumerOf(18n, 18n, created.poolAddress);
  return { ...created, consumer, deployer: deployer! };
}

/** For snapshots given to it, a consumer needs no pool. */
function consumerOf(decimals0: bigint, decimals1: bigint, pool = ZeroAddress) {
  return ethers.deployContract("MockPriceConsumer", [pool, decimals0, decimals1]);
}
const raw = await consumerOf(0n, 0n);

const at = (timestamp: bigint, cumulativeLogPriceWad = 0n, varianceRateWad = 0n) => ({
  cumulativeLogPriceWad,
  varianceRateWad,
  timestamp,
});

describe("PoolConsult", () => {
  describe("a snapshot", () => {
    it("is what the pool observes, in one slot", async () => {
      const { pool, consumer, deployer } = await loadFixture(deployed);
      await pool.addLiquidity(777_777n, 55_555_555n, 0n, 0n, deployer, FAR_DEADLINE);
      await networkHelpers.time.increase(1_000n);
      await consumer.take();
      const [cumulative, , rate, timestamp] = await pool.observe();
      expect(cumulative).to.be.greaterThan(4_000n * E18);
      expect(await consumer.to()).to.deep.equal([cumulative, rate, timestamp]);
      const slot = BigInt(await ethers.provider.getStorage(consumer, 1n));
      expect(slot).to.equal((timestamp << 192n) | (rate << 128n) | cumulative);
    });

    it("does not exist before the first deposit, whatever strangers make of the reserves", async () => {
      const { pool, poolAddress, token0, token1, consumer } = await loadFixture(deployed);
      const refused = () =>
        expect(consumer.take())
          .to.be.revertedWithCustomError(consumer, "PoolConsult_NoLiquidity")
          .withArgs(poolAddress);
      await refused();
      await token0.mint(poolAddress, 777n);
      await token1.mint(poolAddress, 555_555n);
      await pool.sync();
      expect(await pool.getReserves()).to.deep.include(777n);
      await refused();
    });
  });

  describe("a window", () => {
    for (const [what, from, to] of [
      ["was never opened", 0n, START],
      ["has no second snapshot", START, 0n],
      ["lasts no time", START, START],
      ["ends before it begins", START + 1n, START],
    ] as const) {
      it(`is refused if it ${what}`, async () => {
        await expect(raw.consultBetween(at(from), at(to)))
          .to.be.revertedWithCustomError(raw, "PoolConsult_InvalidWindow")
          .withArgs(from, to);
      });
    }

    it("is refused while the consumer has taken but one snapshot", async () => {
      const { pool, consumer, deployer } = await loadFixture(deployed);
      await pool.addLiquidity(777_777n, 55_555_555n, 0n, 0n, deployer, FAR_DEADLINE);
      await consumer.take();
      await expect(consumer.consult()).to.be.revertedWithCustomError(
        consumer,
        "PoolConsult_InvalidWindow",
      );
      await consumer.take();
      const [mean, , volatility] = await consumer.consult();
      expect(abs(fromWad(mean) - logPrice(777_777n, 55_555_555n)) <= real(2n, 10n ** 12n)).to.equal(
        true,
      );
      expect(volatility).to.equal(0n);
    });
  });

  describe("the mean log price", () => {
    it("is what the sum grew by per second, rounded toward zero on either side of it", async () => {
      for (const [from, to, seconds, mean] of [
        [-5n, 6n, 4n, 2n],
        [5n, -6n, 4n, -2n],
        [0n, -LARGEST_LOG * 2n ** 32n, 2n ** 32n, -LARGEST_LOG],
      ] as const) {
        const [actual] = await raw.consultBetween(at(START, from), at(START + seconds, to));
        expect(actual).to.equal(mean);
      }
    });
  });

  describe("the geometric mean price", () => {
    const log = fc.bigInt(-LARGEST_LOG, LARGEST_LOG);
    const decimals = fc.constantFrom(0n, 6n, 8n, 18n);
    const seconds = fc.bigInt(1n, 10n ** 7n);

    it("is e to the mean in whole tokens, within 1e-18 and 1e-18 of itself, whatever the decimals", async () => {
      const consumers = new Map<string, typeof raw>();
      let worst = 0n;
      await fc.assert(
        fc.asyncProperty(log, decimals, decimals, seconds, async (mean, d0, d1, window) => {
          const consumer = consumers.get(`${d0} ${d1}`) ?? (await consumerOf(d0, d1));
          consumers.set(`${d0} ${d1}`, consumer);
          const [from, to] = [at(START, 7n), at(START + window, 7n + mean * window)];
          const [meanLog, price] = await consumer.consultBetween(from, to);
          expect(meanLog).to.equal(mean);
          const exact = exp(fromWad(mean) + ln(real(10n)) * (d0 - d1));
          const beyond = abs(fromWad(price) - exact) - fromWad(1n);
          if (beyond > 0n) worst = max(worst, div(beyond, exact));
        }),
        { numRuns: RUNS, seed: SEED },
      );
      expect(worst <= fromWad(1n), `${worst} x 1e-40`).to.equal(true);
    });

    it("keeps eighteen digits where the ratio of token units has nine", async () => {
      // 2000.123456789012345678 of a 6-decimal token1 per 18-decimal token0.
      const consumer = await consumerOf(18n, 6n);
      const price = 2_000_123_456_789_012_345_678n;
      const log = (ln(fromWad(price)) - 12n * ln(real(10n))) / 10n ** 22n;
      const [, mean] = await consumer.consultBetween(at(START), at(START + 1_800n, log * 1_800n));
      expect(abs(mean - price)).to.be.at.most(2_100n);
    });
  });

  describe("the realized volatility", () => {
    const rate = fc
      .tuple(fc.integer({ min: 0, max: 64 }), fc.bigInt(0n, MAX_VARIANCE))
      .map(([bits, noise]) => noise >> BigInt(64 - bits));
    const window = fc
      .tuple(fc.integer({ min: 1, max: 31 }), fc.bigInt(1n, 2n ** 31n))
      .map(([bits, noise]) => max(1n, noise >> BigInt(31 - bits)));

    it("is the root of (V - d V') / (1 - d) a year, within the decay's error", async () => {
      await fc.assert(
        fc.asyncProperty(rate, rate, window, async (before, after, seconds) => {
          const [, , volatility] = await raw.consultBetween(
            at(START, 0n, before),
            at(START + seconds, 0n, after),
          );
          const d = decay(seconds);
          const carried = (fromWad(before) * d) / ONE;
          const came = max(0n, fromWad(after) - carried);
          const square = div(came, ONE - d) * YEAR;
          // Of the decay, 3.1e-7 times what it carries and 1.3e-6 of its complement; of the rate, one unit.
          const error =
            (div((carried * 31n) / 10n ** 8n + (came * 13n) / 10n ** 7n, ONE - d) + fromWad(1n)) *
            YEAR;
          const [low, high] = [sqrt(max(0n, square - error)), sqrt(square + error)];
          expect(fromWad(volatility) >= low - fromWad(1n) && fromWad(volatility) <= high).to.equal(
            true,
          );
        }),
        { numRuns: RUNS, seed: SEED },
      );
    });

    it("is what a steady 80 % a year leaves in any window", async () => {
      const steady = (64n * 10n ** 16n) / YEAR;
      for (const seconds of [12n, 600n, 1_800n, 100_000n]) {
        const [, , volatility] = await raw.consultBetween(
          at(START, 0n, steady),
          at(START + seconds, 0n, steady),
        );
        expectWithin(volatility, real(8n, 10n), 0n, ONE / 10n ** 9n);
      }
    });

    it("is 0 when the rate has fallen by the decay, or by rounding a little more", async () => {
      const volatility = async (after: bigint) =>
        (await raw.consultBetween(at(START, 0n, 10n ** 12n), at(START + 1_800n, 0n, after)))[2];
      for (const after of [0n, 5n * 10n ** 11n - 1n, 5n * 10n ** 11n]) {
        expect(await volatility(after)).to.equal(0n);
      }
      // Two units of 1e-18 a second: sqrt(2e-18 x 31,536,000).
      expect(await volatility(5n * 10n ** 11n + 1n)).to.equal(floorWad(sqrt(fromWad(2n) * YEAR)));
    });
  });
});
