import type { NetworkConnection } from "hardhat/types/network";
import type {
  ConstantProductPool,
  MarginPool,
  MockERC20,
  MockPriceFeed,
  PoolFactory,
  PriceOracle,
  Rebalancer,
  Router,
  TimelockController,
  VolatilityOracle,
} from "../typechain-types/index.ts";

/** 1e18: one whole token, 100 %, or a price of one quote per base. */
const WAD = 10n ** 18n;

/**
 * What is deployed and how it is seeded. Amounts are whole tokens, prices quote per base, ratios fractions, all x 1e18
 * unless a name says otherwise; they are converted to token units once, here.
 */
export interface DeploymentSettings {
  /** First answer of the feed. */
  readonly initialPrice: bigint;
  /** LP equity of the margin pool, base and quote at the target weight. 0: the margin pool stays empty. */
  readonly lpEquity: bigint;
  /** Quote side of the constant-product pool; the base side follows from the price. 0: it stays empty. */
  readonly poolQuoteDepth: bigint;
  /** Insurance fund of the margin pool, quote. */
  readonly insurance: bigint;
  /** w, the share of equity that LPs want held in base, 0..0.9. */
  readonly targetBaseWeight: bigint;
  /** Fee of the constant-product pool in parts per million, 3000 = 0.3 %. */
  readonly swapFeePpm: bigint;
  /** Decimals of the base token, of the quote token (0..18) and of the feed (6..18). */
  readonly baseDecimals: number;
  readonly quoteDecimals: number;
  readonly feedDecimals: number;
  /** Longest time between two rounds that the feed promises, seconds. */
  readonly heartbeatSeconds: bigint;
  /** delta, half-width of the price band. */
  readonly priceBand: bigint;
  /** Price move at which the feed publishes before its heartbeat. */
  readonly deviationThreshold: bigint;
  /** L2 sequencer uptime feed, an address; none unless given. */
  readonly sequencerFeed?: string;
  /** How long the sequencer must have been up again before prices count, seconds. */
  readonly sequencerGraceSeconds: bigint;
  /** Least window of the constant-product pool's average that prices are compared with, seconds. */
  readonly twapWindowSeconds: bigint;
  /** sigma before the first sample, per square root of a year, 0.4..3. */
  readonly initialVolatility: bigint;
  /** How long a change of parameters waits in the timelock, seconds. */
  readonly timelockDelaySeconds: bigint;
  /** How much of equity the target is expected to move in a day before it has been measured. */
  readonly initialTargetVolatility: bigint;
}

/** The main job's settings: 10 M of LP equity beside a pool of 20 M a side at 30 bp. */
export const DEFAULT_SETTINGS: DeploymentSettings = {
  initialPrice: 2_000n * WAD,
  lpEquity: 10_000_000n * WAD,
  poolQuoteDepth: 20_000_000n * WAD,
  insurance: 100_000n * WAD,
  targetBaseWeight: WAD / 2n,
  swapFeePpm: 3_000n,
  baseDecimals: 18,
  quoteDecimals: 6,
  feedDecimals: 8,
  heartbeatSeconds: 3_600n,
  priceBand: (5n * WAD) / 10_000n,
  deviationThreshold: (50n * WAD) / 10_000n,
  sequencerGraceSeconds: 3_600n,
  twapWindowSeconds: 1_800n,
  initialVolatility: (6n * WAD) / 10n,
  timelockDelaySeconds: 172_800n,
  initialTargetVolatility: WAD / 20n,
};

/** The deployed contracts, typed. */
export interface Protocol {
  readonly base: MockERC20;
  readonly quote: MockERC20;
  readonly feed: MockPriceFeed;
  readonly factory: PoolFactory;
  readonly pool: ConstantProductPool;
  readonly priceOracle: PriceOracle;
  readonly volatilityOracle: VolatilityOracle;
  readonly marginPool: MarginPool;
  readonly rebalancer: Rebalancer;
  readonly router: Router;
  /** Owner of the margin pool; the deployer proposes and executes. */
  readonly timelock: TimelockController;
}

/**
 * Deploys the protocol with mock tokens and a mock feed, wires it, and seeds it as the settings say. The first signer
 * of the connection deploys everything and owns the first liquidity.
 *
 * @param connection a network whose first account can sign
 * @param overrides settings that differ from `DEFAULT_SETTINGS`
 * @returns the contracts, typed
 * @throws RangeError for a negative amount or a price that is not positive; the contracts' own errors for the rest
 * @example
 * const connection = await network.create();
 * const { marginPool } = await deployProtocol(connection, { initialPrice: 194_610000000000000000n });
 */
export async function deployProtocol(
  connection: NetworkConnection,
  overrides: Partial<DeploymentSettings> = {},
): Promise<Protocol> {
  const settings: DeploymentSettings = { ...DEFAULT_SETTINGS, ...overrides };
  requireSane(settings);
  const { ethers } = connection;

  const base = await ethers.deployContract("MockERC20", [
    "Ballast Test Base",
    "BASE",
    settings.baseDecimals,
  ]);
  const quote = await ethers.deployContract("MockERC20", [
    "Ballast Test Quote",
    "QUOTE",
    settings.quoteDecimals,
  ]);
  const feed = await ethers.deployContract("MockPriceFeed", [
    settings.feedDecimals,
    "BASE / QUOTE",
    fromWad(settings.initialPrice, settings.feedDecimals),
  ]);
  const [deployer] = await ethers.getSigners();
  if (deployer === undefined) throw new RangeError("the network has no account that can sign");
  const factory = await ethers.deployContract("PoolFactory", [
    deployer.address,
    settings.swapFeePpm,
    settings.swapFeePpm,
    0n,
  ]);
  await factory.createPair(base, quote);
  const pool = await ethers.getContractAt(
    "ConstantProductPool",
    await factory.getPair(base, quote),
  );
  const weth = await ethers.deployContract("MockWETH");
  const router = await ethers.deployContract("Router", [factory, weth]);
  const priceOracle = await ethers.deployContract("PriceOracle", [
    {
      feed,
      heartbeatSeconds: settings.heartbeatSeconds,
      priceBandWad: settings.priceBand,
      deviationThresholdWad: settings.deviationThreshold,
      sequencerFeed: settings.sequencerFeed ?? ethers.ZeroAddress,
      sequencerGraceSeconds: settings.sequencerGraceSeconds,
    },
  ]);
  const volatilityOracle = await ethers.deployContract("VolatilityOracle", [
    {
      priceOracle,
      pool,
      base,
      quote,
      initialVolatilityWad: settings.initialVolatility,
      twapWindowSeconds: settings.twapWindowSeconds,
    },
  ]);
  const timelock = await ethers.deployContract("TimelockController", [
    settings.timelockDelaySeconds,
    [deployer.address],
    [deployer.address],
    "0x0000000000000000000000000000000000000000",
  ]);
  const [OrderLogic, RiskLogic, SettlementLogic, ShareLogic] = await Promise.all([
    ethers.deployContract("OrderLogic"),
    ethers.deployContract("RiskLogic"),
    ethers.deployContract("SettlementLogic"),
    ethers.deployContract("ShareLogic"),
  ]);
  const marginPool = await ethers.deployContract(
    "MarginPool",
    [
      {
        base,
        quote,
        pool,
        volatilityOracle,
        targetBaseWeightWad: settings.targetBaseWeight,
        initialTargetVolatilityWad: settings.initialTargetVolatility,
        owner: timelock,
        guardian: deployer.address,
      },
    ],
    {
      libraries: {
        OrderLogic: await OrderLogic.getAddress(),
        RiskLogic: await RiskLogic.getAddress(),
        SettlementLogic: await SettlementLogic.getAddress(),
        ShareLogic: await ShareLogic.getAddress(),
      },
    },
  );
  const rebalancer = await ethers.getContractAt("Rebalancer", await marginPool.rebalancer());

  const protocol: Protocol = {
    base,
    quote,
    feed,
    factory,
    pool,
    priceOracle,
    volatilityOracle,
    marginPool,
    rebalancer,
    router,
    timelock,
  };
  await seed(protocol, settings, deployer.address);
  return protocol;
}

/** First liquidity of both pools and the insurance fund, then the first measurement of the band. */
async function seed(
  { base, quote, pool, marginPool, rebalancer }: Protocol,
  settings: DeploymentSettings,
  owner: string,
): Promise<void> {
  const inBase = (quoteWad: bigint) =>
    fromWad((quoteWad * WAD) / settings.initialPrice, settings.baseDecimals);
  const inQuote = (quoteWad: bigint) => fromWad(quoteWad, settings.quoteDecimals);

  if (settings.poolQuoteDepth > 0n) {
    await base.mint(pool, inBase(settings.poolQuoteDepth));
    await quote.mint(pool, inQuote(settings.poolQuoteDepth));
    await pool.mint(owner);
  }
  if (settings.lpEquity > 0n) {
    const baseValue = (settings.lpEquity * settings.targetBaseWeight) / WAD;
    const [baseAmount, quoteAmount] = [inBase(baseValue), inQuote(settings.lpEquity - baseValue)];
    await base.mint(owner, baseAmount);
    await quote.mint(owner, quoteAmount);
    await base.approve(marginPool, baseAmount);
    await quote.approve(marginPool, quoteAmount);
    await marginPool.bootstrap(baseAmount, quoteAmount);
  }
  if (settings.insurance > 0n) {
    await quote.mint(marginPool, inQuote(settings.insurance));
    await marginPool.skim();
  }
  if (settings.poolQuoteDepth > 0n && settings.lpEquity > 0n) await rebalancer.poke();
}

/** 18-decimal value to token units, rounded down. */
function fromWad(valueWad: bigint, decimals: number): bigint {
  return valueWad / 10n ** BigInt(18 - decimals);
}

function requireSane(settings: DeploymentSettings): void {
  for (const name of ["initialPrice", "initialVolatility"] as const) {
    if (settings[name] <= 0n)
      throw new RangeError(`${name} is ${settings[name]}; it must be positive`);
  }
  for (const [name, least, most] of [
    ["heartbeatSeconds", 60n, 90_000n],
    ["sequencerGraceSeconds", 60n, 90_000n],
    ["twapWindowSeconds", 600n, 86_400n],
  ] as const) {
    const seconds = settings[name];
    if (seconds < least || seconds > most)
      throw new RangeError(`${name} is ${seconds}; allowed: ${least} to ${most}`);
  }
  for (const name of ["lpEquity", "poolQuoteDepth", "insurance"] as const) {
    if (settings[name] < 0n)
      throw new RangeError(`${name} is ${settings[name]}; it must not be negative`);
  }
  for (const name of ["baseDecimals", "quoteDecimals", "feedDecimals"] as const) {
    const decimals = settings[name];
    if (!Number.isInteger(decimals) || decimals < 0 || decimals > 18) {
      throw new RangeError(`${name} is ${decimals}; allowed: 0 to 18`);
    }
  }
}
