import { toNumber, WAD_DECIMALS, type Wad } from "../../units.ts";
import type { BackendSetup } from "../backend.ts";
import { OrderFlow } from "../flows/orderFlow.ts";
import { TRADER_COUNT } from "../flows/shadowBook.ts";
import type { FlowName } from "../flows/skewTarget.ts";
import type { PricePath } from "../paths/pricePath.ts";
import { createRandom } from "../random.ts";
import { ADVERSARY_ACCOUNTS, Adversary, foresightBars } from "./adversary.ts";
import type { Agent, Keeper } from "./agent.ts";
import { Arbitrageur } from "./arbitrageur.ts";
import { Crowd } from "./crowd.ts";
import { Deleverager } from "./deleverager.ts";
import { DepthShock, type DepthShockHabits } from "./depthShock.ts";
import { Executors } from "./executor.ts";
import { actAlways, type GasPolicy } from "./gasPolicy.ts";
import { type KeeperOptions, RebalanceKeeper } from "./keeper.ts";
import { Liquidators } from "./liquidator.ts";
import { LiquidityProviders, type ProviderHabits } from "./liquidityProviders.ts";
import { Settler } from "./settler.ts";

/** Everybody who acts in a run. */
export interface Population {
  /** In the order in which they act within a block. */
  readonly agents: readonly Agent[];
  readonly keepers: readonly Keeper[];
  /** One of `agents`. */
  readonly crowd: Crowd;
  /** Bars ahead that some agent knows. */
  readonly foresight: number;
  /** What the backend must provide for them. */
  readonly actors: Pick<BackendSetup, "traderCount" | "actorCounts">;
}

export interface PopulationOptions {
  readonly flow: FlowName;
  /** Non-negative safe integer. */
  readonly seed: number;
  /** Equity of the margin pool at the start, whole quote tokens x 1e18. */
  readonly initialEquity: Wad;
  readonly targetBaseWeight: Wad;
  /** Keepers who rebalance, by number; one that always acts at once unless given. */
  readonly keepers?: readonly KeeperOptions[];
  /** Liquidators by number; one that always acts unless given. */
  readonly liquidators?: readonly GasPolicy[];
  /** Providers of the margin pool who come and go; none unless given. */
  readonly liquidityProviders?: { readonly count: number } & ProviderHabits;
  /** Liquidity of the constant-product pool that leaves in a crash; none unless given. */
  readonly depthShock?: DepthShockHabits;
}

/** Makes the agents of one run; a run needs fresh ones. */
export function createPopulation(path: PricePath, options: PopulationOptions): Population {
  const { flow, seed, liquidityProviders, depthShock } = options;
  const targetBaseWeight = toNumber(options.targetBaseWeight, WAD_DECIMALS);
  const initialEquityQuote = toNumber(options.initialEquity, WAD_DECIMALS);
  const keepers = options.keepers ?? [{}];
  const liquidators = options.liquidators ?? [actAlways];
  const adversary = flow === "adversary";

  const open = toNumber(path.open, WAD_DECIMALS);
  const crowd = new Crowd(
    new OrderFlow(
      flow,
      seed,
      { open, stepSeconds: path.stepSeconds },
      { initialEquityQuote, targetBaseWeight },
    ),
  );
  const executors = new Executors(
    createRandom(seed, "executors"),
    keepers.map(({ gasPolicy }) => gasPolicy ?? actAlways),
  );
  const agents: Agent[] = [
    new Arbitrageur(),
    crowd,
    ...(adversary ? [new Adversary(TRADER_COUNT, targetBaseWeight)] : []),
    ...(depthShock === undefined ? [] : [new DepthShock(depthShock)]),
    ...(liquidityProviders === undefined
      ? []
      : [
          // Provider 0 is the deployer.
          new LiquidityProviders(
            1,
            liquidityProviders.count,
            liquidityProviders,
            createRandom(seed, "liquidity providers"),
          ),
        ]),
    executors,
    new Liquidators(createRandom(seed, "liquidators"), liquidators),
    new Deleverager(),
    new Settler(),
  ];
  return {
    agents,
    keepers: keepers.map((keeper, number) => new RebalanceKeeper(number, keeper)),
    crowd,
    foresight: adversary ? foresightBars(path.stepSeconds) : 0,
    actors: {
      traderCount: TRADER_COUNT + (adversary ? ADVERSARY_ACCOUNTS : 0),
      actorCounts: {
        keeper: Math.max(1, keepers.length),
        liquidator: Math.max(1, liquidators.length),
        lp: 1 + (liquidityProviders?.count ?? 0),
      },
    },
  };
}
