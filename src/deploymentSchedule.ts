import { DEFAULT_SETTINGS, type DeploymentSettings } from "./deploymentSettings.ts";

/**
 * One transaction of `deployProtocol`, named after what it creates or calls. `feed` publishes the first round, and
 * `marginPool` creates the rebalancer.
 */
export type DeploymentStep =
  | "base"
  | "quote"
  | "feed"
  | "factory"
  | "createPair"
  | "weth"
  | "router"
  | "priceOracle"
  | "volatilityOracle"
  | "timelock"
  | "firstLibrary"
  | "secondLibrary"
  | "thirdLibrary"
  | "fourthLibrary"
  | "marginPool"
  | "fundPoolBase"
  | "fundPoolQuote"
  | "firstLiquidity"
  | "fundLpBase"
  | "fundLpQuote"
  | "approveBase"
  | "approveQuote"
  | "bootstrap"
  | "fundInsurance"
  | "skim"
  | "poke";

/** The settings that decide which steps there are. */
export type SeedSettings = Pick<DeploymentSettings, "poolQuoteDepth" | "lpEquity" | "insurance">;

/** Block times of a deployment's transactions, unix seconds. */
export type DeploymentSchedule = Readonly<Partial<Record<DeploymentStep, bigint>>>;

/** A simulation's chain begins this long before its path: time for the deployment's own blocks. */
export const DEPLOYMENT_SECONDS = 600;

const CONTRACTS: readonly DeploymentStep[] = [
  "base",
  "quote",
  "feed",
  "factory",
  "createPair",
  "weth",
  "router",
  "priceOracle",
  "volatilityOracle",
  "timelock",
  "firstLibrary",
  "secondLibrary",
  "thirdLibrary",
  "fourthLibrary",
  "marginPool",
];

/**
 * The transactions of a deployment in the order in which they are sent. Where a simulation starts, transaction i of them
 * (from 0) is mined alone in a block at `startsAt - DEPLOYMENT_SECONDS + i`.
 */
export function deploymentSteps(
  settings: SeedSettings = DEFAULT_SETTINGS,
): readonly DeploymentStep[] {
  const pool = settings.poolQuoteDepth > 0n;
  const margin = settings.lpEquity > 0n;
  return [
    ...CONTRACTS,
    ...(pool ? (["fundPoolBase", "fundPoolQuote", "firstLiquidity"] as const) : []),
    ...(margin
      ? (["fundLpBase", "fundLpQuote", "approveBase", "approveQuote", "bootstrap"] as const)
      : []),
    ...(settings.insurance > 0n ? (["fundInsurance", "skim"] as const) : []),
    ...(pool && margin ? (["poke"] as const) : []),
  ];
}

/**
 * When a step of a simulation's deployment is mined.
 *
 * @param startsAt unix seconds of the path's first price
 * @returns unix seconds
 * @throws RangeError for a step that these settings leave out
 */
export function deploymentTime(
  startsAt: number,
  step: DeploymentStep,
  settings: SeedSettings = DEFAULT_SETTINGS,
): number {
  const index = deploymentSteps(settings).indexOf(step);
  if (index < 0) throw new RangeError(`the deployment has no step ${step} with these settings`);
  return startsAt - DEPLOYMENT_SECONDS + index;
}

/** A deployment whose transaction i (from 0) is mined at `firstAt + i`, unix seconds. */
export function deploymentSchedule(
  firstAt: bigint,
  settings: SeedSettings = DEFAULT_SETTINGS,
): DeploymentSchedule {
  const steps = deploymentSteps(settings);
  return Object.fromEntries(steps.map((step, i) => [step, firstAt + BigInt(i)]));
}
