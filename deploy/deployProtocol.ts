import type { NetworkConnection } from "hardhat/types/network";
import {
  DEFAULT_SETTINGS,
  type DeploymentSettings,
  initialAnswer,
  requireSane,
  seedAmounts,
} from "../src/deploymentSettings.ts";
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

export { DEFAULT_SETTINGS, type DeploymentSettings } from "../src/deploymentSettings.ts";

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
    initialAnswer(settings),
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
  const { poolBase, poolQuote, lpBase, lpQuote, insurance } = seedAmounts(settings);
  if (settings.poolQuoteDepth > 0n) {
    await base.mint(pool, poolBase);
    await quote.mint(pool, poolQuote);
    await pool.mint(owner);
  }
  if (settings.lpEquity > 0n) {
    await base.mint(owner, lpBase);
    await quote.mint(owner, lpQuote);
    await base.approve(marginPool, lpBase);
    await quote.approve(marginPool, lpQuote);
    await marginPool.bootstrap(lpBase, lpQuote);
  }
  if (settings.insurance > 0n) {
    await quote.mint(marginPool, insurance);
    await marginPool.skim();
  }
  if (settings.poolQuoteDepth > 0n && settings.lpEquity > 0n) await rebalancer.poke();
}
