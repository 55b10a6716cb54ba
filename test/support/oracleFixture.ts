import { expect } from "chai";
import type { NetworkConnection } from "hardhat/types/network";
import type {
  ConstantProductPool,
  MockERC20,
  MockPriceFeed,
  PriceOracle,
  VolatilityOracle,
} from "../../typechain-types/index.ts";
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
} from "./highPrecision.ts";

/** Id of the mock feed's first round: round 1 of phase 1. */
export const FIRST_ROUND = (1n << 64n) + 1n;
/** 1,946.12735491 with eight decimals. */
export const ANSWER = 194_612_735_491n;
export const INITIAL_VOLATILITY = 612_345_678_901_234_567n;
export const FLOOR = (4n * WAD) / 10n;
export const CEILING = 3n * WAD;
export const TWAP_WINDOW = 1_807n;
/** Relative error of the variances that is accepted over two hundred samples. */
export const PRECISION: Real = real(1n, 10n ** 12n);
const FAST = 21_600n;
const SLOW = 1_399_680n;

/** How a price oracle differs from the one most tests want: a day's patience and no band. */
export interface PriceSettings {
  readonly heartbeatSeconds?: bigint;
  readonly priceBandWad?: bigint;
  readonly deviationThresholdWad?: bigint;
  readonly sequencerFeed?: MockPriceFeed;
  readonly sequencerGraceSeconds?: bigint;
}

/** A feed with one round, of now. */
export function deployFeed(
  { ethers }: NetworkConnection,
  decimals = 8n,
  answer = ANSWER,
): Promise<MockPriceFeed> {
  return ethers.deployContract("MockPriceFeed", [decimals, "BASE / QUOTE", answer]);
}

/** A price oracle that patiently accepts rounds of a whole day, unless told otherwise. */
export function deployPriceOracle(
  { ethers }: NetworkConnection,
  feed: MockPriceFeed,
  settings: PriceSettings = {},
): Promise<PriceOracle> {
  return ethers.deployContract("PriceOracle", [
    {
      feed,
      heartbeatSeconds: settings.heartbeatSeconds ?? 90_000n,
      priceBandWad: settings.priceBandWad ?? 0n,
      deviationThresholdWad: settings.deviationThresholdWad ?? 0n,
      sequencerFeed: settings.sequencerFeed ?? ethers.ZeroAddress,
      sequencerGraceSeconds: settings.sequencerGraceSeconds ?? 3_600n,
    },
  ]);
}

/** An empty pool of two mock tokens. */
export interface PoolOfTwo {
  readonly base: MockERC20;
  readonly quote: MockERC20;
  readonly pool: ConstantProductPool;
}

/** An empty pool at 0.3 %, the base token of which has the lower address if wanted so. */
export async function deployPool(
  { ethers }: NetworkConnection,
  { baseDecimals = 18n, quoteDecimals = 6n, baseIsToken0 = true } = {},
): Promise<PoolOfTwo> {
  const [deployer] = await ethers.getSigners();
  const quote = await ethers.deployContract("MockERC20", ["Quote", "QUOTE", quoteDecimals]);
  const deployBase = () => ethers.deployContract("MockERC20", ["Base", "BASE", baseDecimals]);
  const isToken0 = async (base: MockERC20) =>
    BigInt(await base.getAddress()) < BigInt(await quote.getAddress());
  let base = await deployBase();
  while ((await isToken0(base)) !== baseIsToken0) base = await deployBase();
  const factory = await ethers.deployContract("PoolFactory", [deployer!, 3_000n, 3_000n, 0n]);
  await factory.createPair(base, quote);
  const pool = await ethers.getContractAt(
    "ConstantProductPool",
    await factory.getPair(base, quote),
  );
  return { base, quote, pool };
}

/** A volatility oracle beside a pool. */
export function deployVolatilityOracle(
  { ethers }: NetworkConnection,
  priceOracle: PriceOracle,
  { pool, base, quote }: PoolOfTwo,
  { initialVolatilityWad = INITIAL_VOLATILITY, twapWindowSeconds = TWAP_WINDOW } = {},
): Promise<VolatilityOracle> {
  return ethers.deployContract("VolatilityOracle", [
    { priceOracle, pool, base, quote, initialVolatilityWad, twapWindowSeconds },
  ]);
}

/** A feed, what reads it, and an empty pool. */
export interface OracleFixture extends PoolOfTwo {
  readonly connection: NetworkConnection;
  readonly feed: MockPriceFeed;
  readonly priceOracle: PriceOracle;
  readonly oracle: VolatilityOracle;
  /** Three more oracles that began as `oracle` did. */
  readonly twins: readonly [VolatilityOracle, VolatilityOracle, VolatilityOracle];
  /** Time of the feed's first round. */
  readonly startedAt: bigint;
}

/** A feed with one round and oracles that start from it; the clock is then a day ahead, for rounds to be written. */
export async function deployOracles(connection: NetworkConnection): Promise<OracleFixture> {
  const feed = await deployFeed(connection);
  const startedAt = (await feed.latestRoundData())[3];
  const priceOracle = await deployPriceOracle(connection, feed);
  const pool = await deployPool(connection);
  const oracleOf = () => deployVolatilityOracle(connection, priceOracle, pool);
  const oracle = await oracleOf();
  const twins = [await oracleOf(), await oracleOf(), await oracleOf()] as const;
  await connection.networkHelpers.time.increase(80_000n);
  return { connection, ...pool, feed, priceOracle, oracle, twins, startedAt };
}

/** Writes a round of the given number, `after` seconds from the feed's first. */
export async function writeRound(
  { feed, startedAt }: { feed: MockPriceFeed; startedAt: bigint },
  number: bigint,
  after: bigint,
  answer: bigint,
  { answeredIn = FIRST_ROUND + number }: { answeredIn?: bigint } = {},
): Promise<void> {
  const updatedAt = startedAt + after;
  await feed.setRound(FIRST_ROUND + number, answer, updatedAt, updatedAt, answeredIn);
}

/** Everything that the estimate remembers: variances, price, time and id of the last sample, both volatilities. */
export async function stateOf(oracle: VolatilityOracle): Promise<bigint[]> {
  return [
    ...(await oracle.samples()),
    await oracle.maintenanceVolatilityWad(),
    await oracle.realizedVolatilityWad(),
  ];
}

/** The specification's estimate on reals. */
export interface Estimate {
  readonly fast: Real;
  readonly slow: Real;
  readonly maintenance: Real;
  /** Answer of the last sample. */
  readonly price: bigint;
  readonly at: bigint;
}

/** The estimate before the first sample. */
export function startOf(at: bigint, price = ANSWER, initial = INITIAL_VOLATILITY): Estimate {
  const variance = mul(fromWad(initial), fromWad(initial));
  return { fast: variance, slow: variance, maintenance: fromWad(initial), price, at };
}

/** sigma. */
export const volatilityOf = (estimate: Estimate): Real =>
  min(max(sqrt(max(estimate.fast, estimate.slow)), fromWad(FLOOR)), fromWad(CEILING));

/** One round of the feed: taken where it is at least 60 s after the last sample. */
export function sampled(estimate: Estimate, price: bigint, at: bigint): Estimate {
  const elapsed = at - estimate.at;
  if (elapsed < 60n) return estimate;
  const logReturn = ln(real(price, estimate.price));
  const square = min(mul(logReturn, logReturn), real(1n, 16n));
  const average = (variance: Real, tau: bigint) => {
    const kept = exp(-real(elapsed, tau));
    return mul(kept, variance) + mul(ONE - kept, (square * YEAR) / elapsed);
  };
  const next = {
    ...estimate,
    price,
    at,
    fast: average(estimate.fast, FAST),
    slow: average(estimate.slow, SLOW),
  };
  const rise = real(min(elapsed, 600n), 36_000n);
  return { ...next, maintenance: min(volatilityOf(next), mul(estimate.maintenance, ONE + rise)) };
}

/** Asserts that an oracle of an 8-decimal feed remembers the estimate, to 1e-12 of each number. */
export async function expectEstimate(oracle: VolatilityOracle, estimate: Estimate): Promise<void> {
  const samples = await oracle.samples();
  expectWithin(samples.fastVarianceWad, estimate.fast, 5n, PRECISION);
  expectWithin(samples.slowVarianceWad, estimate.slow, 5n, PRECISION);
  expectWithin(await oracle.realizedVolatilityWad(), volatilityOf(estimate), 5n, PRECISION);
  expectWithin(await oracle.maintenanceVolatilityWad(), estimate.maintenance, 5n, PRECISION);
  expect(samples.lastPriceWad).to.equal(estimate.price * 10n ** 10n);
  expect(samples.lastSampledAt).to.equal(estimate.at);
}
