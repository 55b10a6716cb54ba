import type { DeploymentSchedule, DeploymentStep } from "../deploymentSchedule.ts";
import {
  type DeploymentSettings,
  initialAnswer,
  requireSane,
  seedAmounts,
} from "../deploymentSettings.ts";
import { hedgeRatePpm, unwindCostPpm } from "../math/rebalanceMath.ts";
import { revert } from "../math/revert.ts";
import { type Address, ZERO_ADDRESS } from "./calls.ts";
import { mint as mintLiquidity, swapFee } from "./constantProductPool.ts";
import { createFeed } from "./feed.ts";
import { guardOf } from "./guardedFeed.ts";
import { NO_DISTRESS } from "./marginContext.ts";
import { initialRoles } from "./marginGovernance.ts";
import { initial as initialParameters } from "./marginParameters.ts";
import * as marginPool from "./marginPool.ts";
import { createFactory } from "./poolFactory.ts";
import { EMPTY_POOL } from "./poolState.ts";
import { deployRebalancer, EMPTY_REBALANCER, poke } from "./rebalancer.ts";
import { sync } from "./riskLogic.ts";
import {
  type ColdRecord,
  type FeedState,
  type HotRecord,
  type ProtocolConfig,
  type ProtocolState,
  RiskState,
  type TokenState,
} from "./state.ts";
import { approve, mint } from "./token.ts";
import { deployVolatilityOracle, EMPTY_ORACLE } from "./volatilityOracle.ts";
import { World } from "./world.ts";

const MAX_UINT256 = 2n ** 256n - 1n;
const MAXIMUM_WEIGHT_WAD = 900000000000000000n;
/** ln 10, 1e18. */
const LN_10_WAD = 2_302585092994045684n;

/** Who is who. The sequencer's feed is named by the settings. */
export type GenesisAddresses = Omit<ProtocolConfig["addresses"], "sequencerFeed"> & {
  /** Owns the first liquidity, is guardian, and may set the protocol's share of fees. */
  readonly deployer: Address;
  /** Owns the margin pool. */
  readonly timelock: Address;
};

/** Names instead of addresses. */
export const SYMBOLIC_ADDRESSES: GenesisAddresses = {
  base: "base",
  quote: "quote",
  feed: "feed",
  factory: "factory",
  pool: "pool",
  volatilityOracle: "volatilityOracle",
  marginPool: "marginPool",
  rebalancer: "rebalancer",
  deployer: "deployer",
  timelock: "timelock",
};

const NO_FEED: FeedState = { latestRoundId: 0n, rounds: new Map() };
const NO_TOKENS: TokenState = { totalSupply: 0n, balances: new Map(), allowances: new Map() };

/**
 * The state that a deployment leaves behind: `deployProtocol`, replayed with the model's own functions.
 *
 * @param schedule times of the transactions; those that do not look at the clock may be left out
 * @param sequencerFeed what the sequencer's feed holds, where the settings name one
 * @throws RangeError for settings that make no sense or a schedule that lacks a time; {Revert} what the constructors throw
 */
export function genesis(
  settings: DeploymentSettings,
  schedule: DeploymentSchedule,
  addresses: GenesisAddresses = SYMBOLIC_ADDRESSES,
  sequencerFeed: FeedState = NO_FEED,
): ProtocolState {
  requireSane(settings);
  const { deployer } = addresses;
  const world = new World(undeployed(settings, schedule, addresses, sequencerFeed));
  const at = (step: DeploymentStep, run: () => void): void =>
    world.transaction(timeOf(schedule, step), run);

  at("volatilityOracle", () => deployVolatilityOracle(world, settings.initialVolatility));
  at("marginPool", () => deployMarginPool(world, settings, addresses));
  const { poolBase, poolQuote, lpBase, lpQuote, insurance } = seedAmounts(settings);
  if (settings.poolQuoteDepth > 0n) {
    at("firstLiquidity", () => {
      mint(world, "base", addresses.pool, poolBase);
      mint(world, "quote", addresses.pool, poolQuote);
      mintLiquidity(world, deployer, { to: deployer });
    });
  }
  if (settings.lpEquity > 0n) {
    at("bootstrap", () => {
      mint(world, "base", deployer, lpBase);
      mint(world, "quote", deployer, lpQuote);
      approve(world, "base", deployer, addresses.marginPool, lpBase);
      approve(world, "quote", deployer, addresses.marginPool, lpQuote);
      marginPool.bootstrap(world, deployer, { baseAmount: lpBase, quoteAmount: lpQuote });
    });
  }
  if (settings.insurance > 0n) {
    at("skim", () => {
      mint(world, "quote", addresses.marginPool, insurance);
      marginPool.skim(world, deployer);
    });
  }
  if (settings.poolQuoteDepth > 0n && settings.lpEquity > 0n) {
    at("poke", () => poke(world));
  }
  return world.state();
}

/** Tokens, feed, factory and pool are there, the contracts with a clock are not. */
function undeployed(
  settings: DeploymentSettings,
  schedule: DeploymentSchedule,
  addresses: GenesisAddresses,
  sequencerFeed: FeedState,
): ProtocolState {
  const config = configOf(settings, addresses);
  const now = timeOf(schedule, "feed");
  return {
    config,
    now,
    feed: createFeed(initialAnswer(settings), now),
    sequencerFeed,
    base: NO_TOKENS,
    quote: NO_TOKENS,
    factory: createFactory(addresses.deployer, config),
    pool: EMPTY_POOL,
    liquidityToken: NO_TOKENS,
    oracle: EMPTY_ORACLE,
    hot: EMPTY_HOT,
    cold: EMPTY_COLD,
    roles: { owner: ZERO_ADDRESS, pendingOwner: ZERO_ADDRESS, guardian: ZERO_ADDRESS },
    shares: NO_TOKENS,
    positions: new Map(),
    claims: new Map(),
    orders: new Map(),
    credits: new Map(),
    locks: new Map(),
    longCheckpoints: new Map(),
    shortCheckpoints: new Map(),
    rebalancer: EMPTY_REBALANCER,
  };
}

function timeOf(schedule: DeploymentSchedule, step: DeploymentStep): bigint {
  const time = schedule[step];
  if (time === undefined) throw new RangeError(`the schedule has no time for ${step}`);
  return time;
}

function configOf(
  settings: DeploymentSettings,
  { deployer: _, timelock: __, ...contracts }: GenesisAddresses,
): ProtocolConfig {
  const { baseDecimals, quoteDecimals, feedDecimals, swapFeePpm } = settings;
  const sequencerFeed = settings.sequencerFeed ?? ZERO_ADDRESS;
  const guard = guardOf(
    {
      heartbeatSeconds: settings.heartbeatSeconds,
      priceBandWad: settings.priceBand,
      deviationThresholdWad: settings.deviationThreshold,
      sequencerFeed,
      sequencerGraceSeconds: settings.sequencerGraceSeconds,
    },
    BigInt(feedDecimals),
    initialAnswer(settings),
  );
  return {
    addresses: { ...contracts, sequencerFeed },
    baseDecimals,
    quoteDecimals,
    baseScale: 10n ** BigInt(18 - baseDecimals),
    quoteScale: 10n ** BigInt(18 - quoteDecimals),
    // Addresses are compared as numbers, whatever the case of their letters says about their checksum.
    baseIsToken0: contracts.base.toLowerCase() < contracts.quote.toLowerCase(),
    minSwapFee: swapFeePpm,
    maxSwapFee: swapFeePpm,
    volatilityFeeMultiplierWad: 0n,
    ...guard,
    twapWindowSeconds: settings.twapWindowSeconds,
    logScaleWad: BigInt(baseDecimals - quoteDecimals) * LN_10_WAD,
    weightWad: settings.targetBaseWeight,
  };
}

/** The constructor of MarginPool, which creates the rebalancer too. */
function deployMarginPool(
  world: World,
  { targetBaseWeight, initialTargetVolatility }: DeploymentSettings,
  { deployer, timelock, pool, marginPool: self }: GenesisAddresses,
): void {
  if (targetBaseWeight > MAXIMUM_WEIGHT_WAD) {
    revert("MarginPool_WeightOutOfBounds", targetBaseWeight, MAXIMUM_WEIGHT_WAD);
  }
  deployRebalancer(world, initialTargetVolatility);
  approve(world, "base", self, pool, MAX_UINT256);
  approve(world, "quote", self, pool, MAX_UINT256);
  const unwindCost = unwindCostPpm(swapFee(world));
  marginPool.storeAndLogBand(world, 0n, 0n, unwindCost, hedgeRatePpm(0n, 0n, unwindCost, 1n));
  world.hot = { ...world.hot, lastSyncAt: world.now };
  world.roles = initialRoles(world, timelock, deployer);
  sync(world, deployer);
}

const EMPTY_HOT: HotRecord = {
  ledgers: {
    inventoryBase: 0n,
    inventoryQuote: 0n,
    longOpenInterest: 0n,
    shortOpenInterest: 0n,
    longEntryNotional: 0n,
    shortEntryNotional: 0n,
    longCollateral: 0n,
    shortCollateral: 0n,
    longAccrual: 0n,
    shortAccrual: 0n,
    skewPremium: 0n,
    pendingIncome: 0n,
    insuranceFund: 0n,
    unpaidClaims: 0n,
  },
  accountedQuote: 0n,
  fundingIndexWad: 0n,
  fundingRateWad: 0n,
  lastSyncAt: 0n,
  roundMark: 0n,
  maintenanceSkewScaleWad: 0n,
  pausedUntil: 0n,
  outsideSince: 0n,
  skewReference: 0n,
  stateSince: 0n,
  recoverySince: 0n,
  ratioState: RiskState.Normal,
  recoveryState: RiskState.Normal,
  outsideLong: false,
  episodeOpen: false,
  exposureGuarded: false,
  distressed: false,
  overdue: false,
  claimed: false,
  longEpoch: 0n,
  shortEpoch: 0n,
  rebateableSkew: 0n,
  outerBandWad: 0n,
  depthBaseWad: 0n,
  unwindCostPpm: 0n,
  hedgeRatePpm: 0n,
};

const EMPTY_COLD: ColdRecord = {
  badDebt: 0n,
  insuranceUsed: 0n,
  insuranceUsedAt: 0n,
  hedgeCost: 0n,
  hedgeNotional: 0n,
  hedgeUpdatedAt: 0n,
  distress: NO_DISTRESS,
  settlement: {
    priceWad: 0n,
    settledAt: 0n,
    finalizedAt: 0n,
    deadSince: 0n,
    claimsTotal: 0n,
    valueTotal: 0n,
    basePot: 0n,
    quotePot: 0n,
    lateReserve: 0n,
    lateCash: 0n,
    shareSupply: 0n,
  },
  parameters: initialParameters(),
};
