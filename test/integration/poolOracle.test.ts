import { expect } from "chai";
import { network } from "hardhat";
import { loadScenario } from "../../src/simulation/loadScenario.ts";
import { sliceScenario } from "../../src/simulation/scenario.ts";
import { expectNear } from "../support/expectNear.ts";
import { abs, div, exp, fromWad, max, mul, ONE, YEAR } from "../support/highPrecision.ts";
import { type BlockEnd, PoolOracleReference } from "../support/poolOracleReference.ts";
import { seededRandom } from "../support/traderFixture.ts";
import { BASE_RESERVE, FAR_DEADLINE, reservesOf } from "../unit/pool/poolFixture.ts";
import {
  deployVolatilePool,
  GAS,
  inBlock,
  moveTo,
  now,
  type Operation,
  PENDING,
  ratio,
  touch,
  type VolatilePool,
} from "../unit/pool/volatileFixture.ts";

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const { loadFixture, takeSnapshot, time } = networkHelpers;

const DEEP = process.env.BALLAST_DEEP === "1";
/** The fifteen hours around the crash, or both days. */
const BARS = DEEP ? { from: 0, to: 576 } : { from: 110, to: 290 };
const PATH = sliceScenario(loadScenario("black-thursday-2020-03"), BARS.from, BARS.to);
const WINDOWS = DEEP ? 20_000 : 1_000;
/** Absolute error of the mean logarithm on this path: liquidity changes that round the price of a 6-decimal reserve. */
const MEAN_ERROR = (2n * ONE) / 10n ** 11n;
/** The variance rate's relative error on this path: the decay's polynomial, touch by touch. */
const VARIANCE_ERROR = (13n * ONE) / 10n ** 7n;
/** The same of a window's variance rate, relative to it or to what was known before it, whichever is larger. */
const WINDOW_ERROR = (25n * ONE) / 10n ** 7n;

type BlockTag = number | "latest" | "pending";

async function snapshot({ pool }: VolatilePool, blockTag: BlockTag = "latest") {
  const [cumulativeLogPriceWad, , varianceRateWad, timestamp] = await pool.observe({ blockTag });
  return { cumulativeLogPriceWad, varianceRateWad, timestamp };
}
type Snapshot = Awaited<ReturnType<typeof snapshot>>;

/** Mean of the log price between two snapshots, 18 decimals. */
const meanBetween = (from: Snapshot, to: Snapshot): bigint =>
  (to.cumulativeLogPriceWad - from.cumulativeLogPriceWad) / (to.timestamp - from.timestamp);

async function withConsumer() {
  const quoteReserve = (BASE_RESERVE * PATH.open) / 10n ** 30n;
  const f = await deployVolatilePool(connection, { quoteReserve });
  const decimals = [await f.token0.decimals(), await f.token1.decimals()] as const;
  const consumer = await ethers.deployContract("MockPriceConsumer", [f.pool, ...decimals]);
  return { ...f, consumer, wholeTokens: 10n ** (18n + decimals[0] - decimals[1]) };
}

/**
 * Trades the pool along the closes of Black Thursday's bars: arbitrage, noise before and after it, liquidity that comes
 * and goes, bars in which nobody comes, and blocks right behind one another.
 *
 * @returns numbers of the blocks from the first one on, with and without operations
 */
async function drive(f: VolatilePool): Promise<number[]> {
  const { pool, token0, token1, base, alice, bob } = f;
  const random = seededRandom(20_200_312);
  const chance = (percent: number) => random(100) < percent;
  const arbitrage = moveTo(f, alice);
  const noise: Operation = async () => {
    const tokenIn = chance(50) ? token0 : token1;
    const amount =
      ((await tokenIn.balanceOf(pool, PENDING)) * BigInt(1 + random(5_000))) / 10n ** 6n;
    return pool.connect(bob).swapExactInput(tokenIn, amount, 0n, bob, FAR_DEADLINE, GAS);
  };
  const liquidity: Operation = async () => {
    const part = BigInt(1 + random(200_000));
    const share = (amount: bigint) => (amount * part) / 10n ** 6n;
    if (chance(50)) {
      const held = await pool.balanceOf(f.deployer, PENDING);
      return pool.removeLiquidity(share(held), 0n, 0n, f.deployer, FAR_DEADLINE, GAS);
    }
    const [reserve0, reserve1] = await pool.getReserves(PENDING);
    return pool.addLiquidity(
      share(reserve0),
      share(reserve1),
      0n,
      0n,
      f.deployer,
      FAR_DEADLINE,
      GAS,
    );
  };

  const start = (await now(f)) + 300n;
  const first = await ethers.provider.getBlockNumber();
  for (const [bar, close] of PATH.close.entries()) {
    const price = Number(close) / 1e30;
    const target = token0 === base ? price : 1 / price;
    const at = start + BigInt(bar * PATH.stepSeconds + random(200));
    if (chance(12)) await inBlock(f, at);
    else if (chance(10)) await inBlock(f, at, liquidity);
    else {
      const extra = [noise, liquidity, touch(f)].filter(() => chance(30));
      await inBlock(f, at, ...extra, arbitrage(target), ...(chance(30) ? [noise] : []));
    }
    if (chance(25)) await inBlock(f, at + BigInt(1 + random(30)), noise);
    if (chance(25)) await inBlock(f, at + BigInt(32 + random(60)), liquidity);
  }
  const last = await ethers.provider.getBlockNumber();
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** The ends of the pool's blocks by its events alone: what mints or burns LP tokens and keeps the price is no touch. */
async function blockEnds({ pool }: VolatilePool): Promise<BlockEnd[]> {
  const { filters } = pool;
  const changes = [await pool.queryFilter(filters.Mint), await pool.queryFilter(filters.Burn)];
  const ofLiquidity = new Set(changes.flat().map(({ transactionHash }) => transactionHash));
  const ends = new Map<number, BlockEnd>();
  for (const { blockNumber, transactionHash, args } of await pool.queryFilter(filters.Sync)) {
    const block = await ethers.provider.getBlock(blockNumber);
    const touched = ends.size === 0 || !ofLiquidity.has(transactionHash);
    ends.set(blockNumber, {
      time: BigInt(block!.timestamp),
      reserve0: args.reserve0,
      reserve1: args.reserve1,
      touched: touched || (ends.get(blockNumber)?.touched ?? false),
    });
  }
  return [...ends.values()];
}

describe("A pool's history", () => {
  describe("over Black Thursday's bars, some skipped, with noise and liquidity that comes and goes", () => {
    let f: Awaited<ReturnType<typeof withConsumer>>;
    let snapshots: Snapshot[];
    let reference: PoolOracleReference;
    let pairs: [Snapshot, Snapshot][];

    before(async () => {
      f = await withConsumer();
      const blocks = await drive(f);
      snapshots = [];
      for (const block of blocks) snapshots.push(await snapshot(f, block));
      const ends = await blockEnds(f);
      expect(ends.some(({ touched }) => !touched)).to.equal(true);
      reference = new PoolOracleReference(ends);
      const random = seededRandom(1_800);
      pairs = Array.from({ length: WINDOWS }, () => {
        const from = random(snapshots.length - 1);
        const to = from + 1 + random(snapshots.length - 1 - from);
        return [snapshots[from]!, snapshots[to]!];
      });
    });

    it("gives the geometric mean price of any window within 2e-11", () => {
      let worst = 0n;
      for (const [from, to] of pairs) {
        const mean = reference.meanLogPrice(from.timestamp, to.timestamp);
        worst = max(worst, abs(fromWad(meanBetween(from, to)) - mean));
      }
      expect(worst <= MEAN_ERROR, `${worst} x 1e-40`).to.equal(true);
    });

    it("gives the variance rate at the end of any block within 1.3e-6 of itself", () => {
      let worst = 0n;
      for (const { timestamp, varianceRateWad } of snapshots) {
        const exact = reference.varianceRate(timestamp);
        if (exact === 0n) expect(varianceRateWad).to.equal(0n);
        else worst = max(worst, div(abs(fromWad(varianceRateWad) - exact), exact));
      }
      expect(worst <= VARIANCE_ERROR, `${worst} x 1e-40`).to.equal(true);
    });

    it("consulted between two snapshots gives price and volatility of that window, within 2e-11 and 2.5e-6 of the variance", async () => {
      let [worstPrice, worstVariance] = [0n, 0n];
      for (const [from, to] of pairs.slice(0, WINDOWS / 4)) {
        const [meanLog, price, volatility] = await f.consumer.consultBetween(from, to);
        expect(meanLog).to.equal(meanBetween(from, to));
        const mean = reference.meanLogPrice(from.timestamp, to.timestamp);
        const exactPrice = exp(mean) * f.wholeTokens;
        worstPrice = max(worstPrice, div(abs(price * ONE - exactPrice), exactPrice));

        const rate = mul(fromWad(volatility), fromWad(volatility)) / YEAR;
        const exact = reference.windowVarianceRate(from.timestamp, to.timestamp);
        const scale = max(exact, reference.varianceRate(from.timestamp), ONE / 10n ** 12n);
        worstVariance = max(worstVariance, div(abs(rate - exact), scale));
      }
      expect(worstPrice <= MEAN_ERROR + ONE / 10n ** 12n, `${worstPrice} x 1e-40`).to.equal(true);
      expect(worstVariance <= WINDOW_ERROR, `${worstVariance} x 1e-40`).to.equal(true);
    });
  });

  describe("and who would bend it", () => {
    /** A pool with some past, at rest for ten minutes. */
    async function lively() {
      const f = await withConsumer();
      const price = await ratio(f);
      const start = (await now(f)) + 60n;
      for (const [i, factor] of [1.01, 0.985, 1.003, 1].entries()) {
        await inBlock(f, start + BigInt(i) * 96n, moveTo(f, f.bob)(price * factor));
      }
      return { ...f, price, calmAt: start + 888n };
    }
    const sellAThird =
      ({ pool, token0, alice }: VolatilePool): Operation =>
      async () => {
        const amount = (await token0.balanceOf(pool, PENDING)) / 3n;
        return pool.connect(alice).swapExactInput(token0, amount, 0n, alice, FAR_DEADLINE, GAS);
      };

    it("sees nothing of a price that existed only within a block", async () => {
      const f = await loadFixture(lively);
      const outcome = async (...operations: Operation[]) => {
        const before = await takeSnapshot();
        await inBlock(f, f.calmAt, ...operations);
        const seen: Snapshot[] = [];
        for (const seconds of [12n, 600n, 7_200n]) {
          await inBlock(f, f.calmAt + seconds, touch(f));
          seen.push(await snapshot(f));
        }
        await before.restore();
        return seen;
      };
      const calm = await outcome(touch(f));
      const flashed = await outcome(
        touch(f),
        sellAThird(f),
        sellAThird(f),
        moveTo(f, f.bob)(f.price),
      );
      for (const [i, { cumulativeLogPriceWad, varianceRateWad, timestamp }] of flashed.entries()) {
        const expected = calm[i]!;
        // The price came back to a few units of the 6-decimal reserve, 1e-11.
        const moved = abs(cumulativeLogPriceWad - expected.cumulativeLogPriceWad);
        expect(moved).to.be.at.most((timestamp - f.calmAt) * 10n ** 7n);
        expect(abs(varianceRateWad - expected.varianceRateWad)).to.be.at.most(1n);
      }
    });

    it("sees nothing of a move made in the block that reads it, before or between readings", async () => {
      const f = await loadFixture(lively);
      const take: Operation = () => f.consumer.take(GAS);
      const before = await takeSnapshot();
      await inBlock(f, f.calmAt, take);
      const expected = await f.consumer.to();
      await before.restore();
      await inBlock(f, f.calmAt, sellAThird(f), take, sellAThird(f), take);
      expect(await f.consumer.from()).to.deep.equal(expected);
      expect(await f.consumer.to()).to.deep.equal(expected);
      expect(await f.consumer.current()).to.deep.equal(expected, "so it stays in that block");
    });

    for (const percent of [1, 5, 20]) {
      it(`moves by u x 12 s / window for ${percent} % held over one block, which costs the fee, and y u^2 / 4 if others trade against it`, async () => {
        const f = await loadFixture(lively);
        const { pool, token0, token1, alice, bob, price, calmAt } = f;
        const u = Math.log(1 + percent / 100);
        const [, y] = (await reservesOf(pool)).map(Number);
        const from = await snapshot(f);
        const balances = async () =>
          [await token0.balanceOf(alice), await token1.balanceOf(alice)] as const;
        const fee = async () => Number(await pool.swapFee()) / 1e6;

        /** Mean, cost in token1 and both fees, if these come in two blocks in a row. */
        const outcome = async (there: Operation[], back: Operation[]) => {
          const before = await takeSnapshot();
          const [had0, had1] = await balances();
          await inBlock(f, calmAt, touch(f), ...there);
          const fees = [await fee()];
          await inBlock(f, calmAt + 12n, touch(f), ...back);
          fees.push(await fee());
          await inBlock(f, calmAt + 1_200n, touch(f));
          const mean = Number(meanBetween(from, await snapshot(f))) / 1e18;
          const [has0, has1] = await balances();
          await before.restore();
          return { mean, cost: Number(had1 - has1) + Number(had0 - has0) * price, fees };
        };
        const there = [moveTo(f, alice)(price * Math.exp(u))];
        const calm = await outcome([], []);
        const alone = await outcome(there, [moveTo(f, alice)(price)]);
        const arbitraged = await outcome(there, [moveTo(f, bob)(price)]);

        const window = Number(calmAt + 1_200n - from.timestamp);
        for (const { mean } of [alone, arbitraged]) {
          expectNear(mean - calm.mean, (u * 12) / window, 1e-11, "shift of the mean");
        }
        // What goes in on the way up, and on the way back, valued at the price there.
        const inputs = [y! * (Math.exp(u / 2) - 1), y! * (Math.exp(u / 2) - 1) * Math.exp(-u / 2)];
        const feesPaid = alone.fees.map((rate, i) => rate * inputs[i]!);
        expectNear(alone.cost / (feesPaid[0]! + feesPaid[1]!), 1, 0.05, "fees");
        const lost = y! * (Math.exp(u / 4) - Math.exp(-u / 4)) ** 2;
        expectNear(arbitraged.cost / (lost + feesPaid[0]!), 1, 0.01, "loss to arbitrage");
      });
    }
  });

  describe("between touches", () => {
    it("shows at any later second what the next touch stores", async () => {
      const f = await loadFixture(withConsumer);
      const random = seededRandom(7);
      const price = await ratio(f);
      for (let i = 0; i < (DEEP ? 500 : 25); i += 1) {
        const at = (await now(f)) + BigInt(1 + random(10 ** (1 + random(6))));
        await time.setNextBlockTimestamp(at);
        const [shown, fee] = [await snapshot(f, "pending"), await f.pool.swapFee(PENDING)];
        await inBlock(f, at, moveTo(f, f.alice)(price * (0.9 + random(200) / 1_000)));
        expect(await snapshot(f)).to.deep.equal(shown);
        expect(await f.pool.swapFee()).to.equal(fee);
        expect(shown.timestamp).to.equal(at);
      }
    });

    it("cannot be read while the pool is locked, nor can the fee", async () => {
      const f = await loadFixture(withConsumer);
      const borrower = await ethers.deployContract("MockFlashSwapCallee");
      const [reserve0] = await reservesOf(f.pool);
      await f.token0.transfer(borrower, reserve0);
      const { interface: abi } = f.pool;
      for (const data of [abi.encodeFunctionData("observe"), abi.encodeFunctionData("swapFee")]) {
        await borrower.arm(reserve0 / 9n, 0n, f.poolAddress, data);
        await borrower.borrow(f.pool, reserve0 / 10n, 0n);
        expect(await borrower.succeeded()).to.equal(false);
        expect(await borrower.result()).to.equal(
          ethers.id("ReentrancyGuardReentrantCall()").slice(0, 10),
        );
      }
    });
  });
});
