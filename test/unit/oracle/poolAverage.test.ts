import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { network } from "hardhat";
import type { VolatilityOracle } from "../../../typechain-types/index.ts";
import {
  abs,
  expectWithin,
  fromWad,
  ln,
  max,
  mul,
  ONE,
  type Real,
  real,
  sqrt,
  WAD,
  YEAR,
} from "../../support/highPrecision.ts";
import {
  deployFeed,
  deployPool,
  deployPriceOracle,
  deployVolatilityOracle,
  type PoolOfTwo,
  TWAP_WINDOW,
} from "../../support/oracleFixture.ts";
import { type BlockEnd, PoolOracleReference } from "../../support/poolOracleReference.ts";
import { seededRandom } from "../../support/traderFixture.ts";
import { inBlock } from "../pool/volatileFixture.ts";

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const { loadFixture, time } = networkHelpers;

/** 1,946.12735491. */
const PRICE = 1_946_127_354_910_000_000_000n;
const SIGMA = 612_345_678_901_234_567n;
const LARGEST = 2n ** 256n - 1n;
const FAR_DEADLINE = 10n ** 12n;
/** Three per cent: what is always allowed. */
const LEAST = real(3n, 100n);
/** Error of the pool's logarithms, 2e-11 with the reserves of fewest digits, in units of 1e-18. */
const UNITS = 2n * 10n ** 7n;
/** Rounding the share of a year by 1e-18 moves its root, 0.01 or more, by up to 50 units, which count twelvefold at 300 %. */
const ALLOWANCE_UNITS = 600n;

interface Pair {
  readonly baseDecimals: bigint;
  readonly quoteDecimals: bigint;
  readonly baseIsToken0: boolean;
}
const USUAL: Pair = { baseDecimals: 18n, quoteDecimals: 6n, baseIsToken0: true };

interface Fixture extends PoolOfTwo, Pair {
  readonly connection: typeof connection;
  readonly oracle: VolatilityOracle;
  readonly owner: HardhatEthersSigner;
}

/** An oracle beside an empty pool, and somebody with plenty of both tokens. The feed is good for a day. */
async function deployPair(pair: Pair): Promise<Fixture> {
  const [owner] = await ethers.getSigners();
  const feed = await deployFeed(connection, 8n, PRICE / 10n ** 10n);
  const priceOracle = await deployPriceOracle(connection, feed);
  const poolOfTwo = await deployPool(connection, pair);
  const oracle = await deployVolatilityOracle(connection, priceOracle, poolOfTwo);
  const { base, quote, pool } = poolOfTwo;
  for (const [token, decimals] of [
    [base, pair.baseDecimals],
    [quote, pair.quoteDecimals],
  ] as const) {
    await token.mint(owner!, 10n ** (9n + decimals));
    await token.approve(pool, LARGEST);
  }
  return { connection, ...poolOfTwo, ...pair, oracle, owner: owner! };
}

const empty = () => deployPair(USUAL);

/** Puts 10,007.7 base and what a price is away from P by `offPerMille` into the pool. */
async function addLiquidity(f: Fixture, offPerMille = 0n): Promise<void> {
  const baseWad = 10_007_700_000_000_000_000_000n;
  const quoteWad = (baseWad * PRICE * (1_000n + offPerMille)) / WAD / 1_000n;
  const base = baseWad / 10n ** (18n - f.baseDecimals);
  const quote = quoteWad / 10n ** (18n - f.quoteDecimals);
  const amounts = f.baseIsToken0 ? ([base, quote] as const) : ([quote, base] as const);
  await f.pool.addLiquidity(...amounts, 0n, 0n, f.owner, FAR_DEADLINE);
}

/** A pool that stands away from P since a moment ago. */
const standing = async (offPerMille: bigint, pair = USUAL) => {
  const f = await deployPair(pair);
  await addLiquidity(f, offPerMille);
  return f;
};
const fair = () => standing(0n);
const tenPercentOff = () => standing(100n);

const latest = async () => BigInt(await time.latest());

/** Sells a part, in millionths, of what the pool holds of a token. */
async function sell(f: Fixture, base: boolean, millionths: bigint) {
  const token = base ? f.base : f.quote;
  const amount = ((await token.balanceOf(f.pool)) * millionths) / 1_000_000n;
  return f.pool.swapExactInput(token, amount, 0n, f.owner, FAR_DEADLINE, { gasLimit: 1_000_000n });
}

/** The ends of the pool's blocks, from its events. */
async function blockEnds({ pool }: Fixture): Promise<BlockEnd[]> {
  const ends = new Map<number, BlockEnd>();
  for (const { blockNumber, args } of await pool.queryFilter(pool.filters.Sync)) {
    const block = await ethers.provider.getBlock(blockNumber);
    const { reserve0, reserve1 } = args;
    ends.set(blockNumber, { time: BigInt(block!.timestamp), reserve0, reserve1, touched: true });
  }
  return [...ends.values()];
}

/** ln(TWAP / P) between the two snapshots, in quote per base, from the reserves at the end of each block. */
async function exactDistance(f: Fixture, priceWad: bigint): Promise<Real> {
  const { olderAt, newerAt } = await f.oracle.snapshotTimes();
  const reference = new PoolOracleReference(await blockEnds(f));
  const units = reference.meanLogPrice(olderAt, newerAt);
  const decimals = real(10n ** f.baseDecimals, 10n ** f.quoteDecimals);
  return (f.baseIsToken0 ? units : -units) + ln(decimals) - ln(fromWad(priceWad));
}

/** max(3 %, 4 sigma sqrt(time since the older snapshot)); 3 % where a distance needs no more. */
async function exactAllowance(
  { oracle }: Fixture,
  sigmaWad: bigint,
  distance: Real,
): Promise<Real> {
  if (distance <= LEAST) return LEAST;
  const { olderAt } = await oracle.snapshotTimes();
  return max(LEAST, 4n * mul(fromWad(sigmaWad), sqrt(real((await latest()) - olderAt, YEAR))));
}

/** Pokes now and a window later, so that there are two snapshots. */
async function takeTwo({ oracle }: Fixture): Promise<void> {
  await oracle.poke();
  await time.increase(TWAP_WINDOW);
  await oracle.poke();
}

describe("VolatilityOracle's look at the pool", () => {
  describe("distance from the average", () => {
    for (const [baseDecimals, quoteDecimals] of [
      [18n, 6n],
      [6n, 18n],
      [8n, 18n],
    ] as const) {
      for (const baseIsToken0 of [true, false]) {
        it(`is |ln(TWAP / P)| with ${baseDecimals} and ${quoteDecimals} decimals, base as token${baseIsToken0 ? 0 : 1}`, async () => {
          const f = await deployPair({ baseDecimals, quoteDecimals, baseIsToken0 });
          await addLiquidity(f, 7n);
          const random = seededRandom(Number(baseDecimals * 100n + quoteDecimals));
          await f.oracle.poke();
          for (let step = 0; step < 25; step += 1) {
            await time.increase(1 + random(400));
            await sell(f, random(2) === 0, BigInt(1 + random(20_000)));
            if (step % 5 === 4) await f.oracle.poke();
          }
          const { olderAt, newerAt } = await f.oracle.snapshotTimes();
          expect(olderAt > 0n && newerAt > olderAt).to.equal(true);
          for (const priceWad of [PRICE, (PRICE * 91n) / 100n, PRICE * 3n, 1n, 10n ** 30n]) {
            const [distanceWad, allowedWad] = await f.oracle.distanceFromAverage(priceWad, SIGMA);
            const distance = abs(await exactDistance(f, priceWad));
            expectWithin(distanceWad, distance, UNITS);
            expectWithin(allowedWad, await exactAllowance(f, SIGMA, distance), ALLOWANCE_UNITS);
          }
        });
      }
    }

    it("may be 3 % in calm times and four standard deviations of the time since the older snapshot in others", async () => {
      const f = await loadFixture(fair);
      await takeTwo(f);
      const allowed = async (sigmaWad: bigint) =>
        (await f.oracle.distanceFromAverage(2n * PRICE, sigmaWad)).allowedWad;
      expect((await f.oracle.distanceFromAverage(PRICE, 3n * WAD)).allowedWad).to.equal(
        (3n * WAD) / 100n,
      );
      expect(await allowed(0n)).to.equal((3n * WAD) / 100n);
      expect(await allowed((4n * WAD) / 10n)).to.equal((3n * WAD) / 100n);
      // 4 x 300 % x sqrt(1,808 s / 1 year) = 9.09 %
      expect(await allowed(3n * WAD)).to.be.within((90n * WAD) / 1_000n, (92n * WAD) / 1_000n);
      await time.increase(6n * TWAP_WINDOW);
      for (const sigmaWad of [SIGMA, (4n * WAD) / 10n, 3n * WAD]) {
        const exact = await exactAllowance(f, sigmaWad, ONE);
        expectWithin(await allowed(sigmaWad), exact, ALLOWANCE_UNITS);
      }
      expect(await allowed(SIGMA)).to.be.greaterThan((3n * WAD) / 100n);
    });

    it("finds a pool that stays off by 10 %, and is content with one that is off by 2 %", async () => {
      for (const [offPerMille, found] of [
        [100n, true],
        [-100n, true],
        [20n, false],
        [-20n, false],
      ] as const) {
        const f = await standing(offPerMille);
        await takeTwo(f);
        const [distanceWad, allowedWad] = await f.oracle.distanceFromAverage(PRICE, SIGMA);
        expectWithin(distanceWad, abs(ln(real(1_000n + offPerMille, 1_000n))), UNITS);
        expect(distanceWad > allowedWad).to.equal(found);
      }
    });

    it("sees a move from the end of its block on, however large: a second of it hardly counts", async () => {
      const f = await loadFixture(fair);
      await takeTwo(f);
      await time.increase(TWAP_WINDOW);
      await inBlock(f, (await latest()) + 12n, () => sell(f, true, 500_000n));
      // The price fell by more than half, a moment ago.
      const [reserve0, reserve1] = await f.pool.getReserves();
      expect((reserve1 * 10n ** 30n) / reserve0).to.be.lessThan(PRICE / 2n);
      const { newerAt } = await f.oracle.snapshotTimes();
      await f.oracle.poke();
      expect((await f.oracle.snapshotTimes()).olderAt).to.equal(newerAt);
      const [distanceWad] = await f.oracle.distanceFromAverage(PRICE, SIGMA);
      // a second in half an hour of a move by a factor of 2.25
      expect(distanceWad).to.be.lessThan(WAD / 2_000n);
    });

    it("sees a move by the share of the time that it stood", async () => {
      const f = await loadFixture(fair);
      await takeTwo(f);
      const { newerAt } = await f.oracle.snapshotTimes();
      await time.increase(TWAP_WINDOW / 3n);
      await sell(f, true, 100_000n);
      const movedAt = await latest();
      const moved = ln(real(1_000_000n * 1_000_000n, 1_099_700n * 1_100_000n));
      expect((await f.oracle.distanceFromAverage(PRICE, SIGMA)).distanceWad).to.be.lessThan(
        WAD / 10n ** 6n,
      );
      await time.increase(TWAP_WINDOW);
      await f.oracle.poke();
      const window = (await latest()) - newerAt;
      const share = (abs(moved) * ((await latest()) - movedAt)) / window;
      const [distanceWad] = await f.oracle.distanceFromAverage(PRICE, SIGMA);
      expectWithin(distanceWad, share, UNITS, ONE / 1_000n);
    });

    it("is not measured before there are two snapshots", async () => {
      const f = await loadFixture(tenPercentOff);
      const unmeasured = [0n, LARGEST];
      expect(await f.oracle.distanceFromAverage(PRICE, SIGMA)).to.deep.equal(unmeasured);
      await f.oracle.poke();
      expect(await f.oracle.distanceFromAverage(PRICE, SIGMA)).to.deep.equal(unmeasured);
      await time.increase(10n * TWAP_WINDOW);
      expect(await f.oracle.distanceFromAverage(PRICE, SIGMA)).to.deep.equal(unmeasured);
      await f.oracle.poke();
      expect((await f.oracle.distanceFromAverage(PRICE, SIGMA)).allowedWad).to.be.lessThan(WAD);
    });

    it("is what the last poke stored, also while the pool is locked", async () => {
      const f = await loadFixture(fair);
      await takeTwo(f);
      const [succeeded, result] = await callWhileLocked(
        f,
        f.oracle.interface.encodeFunctionData("distanceFromAverage", [PRICE, SIGMA]),
      );
      expect(succeeded).to.equal(true);
      // the first word of the answer; the price did not move by more than swaps' rounding
      const [distanceWad] = await f.oracle.distanceFromAverage(PRICE, SIGMA);
      expect(BigInt(result.slice(0, 66))).to.equal(distanceWad);
    });
  });

  describe("snapshots", () => {
    it("begin at deployment where the pool has liquidity by then", async () => {
      const f = await loadFixture(fair);
      const priceOracle = await ethers.getContractAt("PriceOracle", await f.oracle.priceOracle());
      const oracle = await deployVolatilityOracle(connection, priceOracle, f);
      expect(await oracle.snapshotTimes()).to.deep.equal([0n, await latest()]);
      expect(await f.oracle.snapshotTimes()).to.deep.equal([0n, 0n]);
    });

    it("are told by an event with what the pool said", async () => {
      const f = await loadFixture(fair);
      const transaction = await f.oracle.poke();
      const at = await latest();
      const [cumulative] = await f.pool.observe();
      await expect(transaction).to.emit(f.oracle, "PoolSnapshotTaken").withArgs(cumulative, at);
      await expect(f.oracle.poke()).not.to.emit(f.oracle, "PoolSnapshotTaken");
    });

    it("are taken when the newer one is exactly a window old, which then is the older one", async () => {
      const f = await loadFixture(fair);
      await f.oracle.poke();
      const first = await latest();
      await time.setNextBlockTimestamp(first + TWAP_WINDOW - 1n);
      await f.oracle.poke();
      expect(await f.oracle.snapshotTimes()).to.deep.equal([0n, first]);
      await f.oracle.poke();
      expect(await f.oracle.snapshotTimes()).to.deep.equal([first, first + TWAP_WINDOW]);
    });

    it("are at least a window apart however often the oracle is poked, and the older one at least a window old", async () => {
      const f = await loadFixture(fair);
      const random = seededRandom(1_807);
      for (let n = 0; n < 80; n += 1) {
        await time.increase(1 + random(random(5) === 0 ? 3_000 : 300));
        await f.oracle.poke();
        const { olderAt } = await f.oracle.snapshotTimes();
        if (olderAt !== 0n) expect((await latest()) - olderAt).to.be.at.least(TWAP_WINDOW);
      }
      const events = await f.oracle.queryFilter(f.oracle.filters.PoolSnapshotTaken);
      const times = events.map(({ args }) => args.takenAt);
      expect(times.length).to.be.greaterThan(8);
      times.slice(1).forEach((at, i) => {
        expect(at - times[i]!).to.be.at.least(TWAP_WINDOW);
      });
      expect(await f.oracle.snapshotTimes()).to.deep.equal(times.slice(-2));
    });

    it("are none of an empty pool, whatever strangers put into it, and begin with its first liquidity", async () => {
      const f = await loadFixture(empty);
      const { base, quote, pool, oracle } = f;
      await oracle.poke();
      await base.mint(pool, 12_345n);
      await quote.mint(pool, 54_321n);
      await pool.sync();
      await oracle.poke();
      expect(await oracle.snapshotTimes()).to.deep.equal([0n, 0n]);
      await addLiquidity(f);
      await oracle.poke();
      expect(await oracle.snapshotTimes()).to.deep.equal([0n, await latest()]);
    });

    it("are left for later while the pool is locked, and the poke folds all the same", async () => {
      const f = await loadFixture(fair);
      await f.oracle.poke();
      const first = await latest();
      await time.increase(TWAP_WINDOW);
      const priceOracle = await ethers.getContractAt("PriceOracle", await f.oracle.priceOracle());
      const feed = await ethers.getContractAt("MockPriceFeed", await priceOracle.feed());
      await feed.setPrice(PRICE / 10n ** 10n);
      const [succeeded, result] = await callWhileLocked(
        f,
        f.oracle.interface.encodeFunctionData("poke"),
      );
      expect([succeeded, BigInt(result)]).to.deep.equal([true, 1n]);
      expect((await f.oracle.samples()).lastRoundId).to.equal(await feed.latestRoundId());
      expect(await f.oracle.snapshotTimes()).to.deep.equal([0n, first]);
      await f.oracle.poke();
      expect(await f.oracle.snapshotTimes()).to.deep.equal([first, await latest()]);
    });
  });
});

/** Calls the oracle within a flash swap of the pool. */
async function callWhileLocked(f: Fixture, data: string): Promise<[boolean, string]> {
  const borrower = await ethers.deployContract("MockFlashSwapCallee");
  const amount = 10n ** f.baseDecimals;
  await f.base.mint(borrower, amount);
  const [lent, repaid] = [amount, (amount * 101n) / 100n];
  const pair = (value: bigint) =>
    f.baseIsToken0 ? ([value, 0n] as const) : ([0n, value] as const);
  await borrower.arm(...pair(repaid), f.oracle, data);
  await borrower.borrow(f.pool, ...pair(lent));
  return [await borrower.succeeded(), await borrower.result()];
}
