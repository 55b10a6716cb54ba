import type { BaseUnits, Wad } from "../units.ts";
import { Accounts } from "./agents/accounts.ts";
import type { Agent, AgentView, Stage } from "./agents/agent.ts";
import { STAGES } from "./agents/agent.ts";
import { KEEPER_BLOCK_SPACING } from "./agents/keeper.ts";
import type { OrderCounts } from "./agents/orderCounts.ts";
import { OrderQueue } from "./agents/orderQueue.ts";
import type { Population } from "./agents/population.ts";
import { afterTrade } from "./arbitrage.ts";
import {
  type Action,
  type ActionResult,
  andThen,
  answered,
  type BackendFactory,
  type BackendSetup,
  type Eventual,
  type LedgersView,
  type PoolView,
  type ProtocolBackend,
  type SolvencyView,
} from "./backend.ts";
import { RunMetrics, type RunSummary, type StepRecord } from "./metrics/runMetrics.ts";
import { withForesight } from "./paths/foresight.ts";
import { gasPath, type PricedBar } from "./paths/gasPath.ts";
import { EVERY_STEP, OracleFeed, type OracleSettings } from "./paths/oracleFeed.ts";
import type { Bar, PricePath } from "./paths/pricePath.ts";
import { BLOCK_SECONDS } from "./paths/refine.ts";

/** What keepers do about exposure. */
export const POLICY_NAMES = ["rebalance", "none"] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];

/** One policy on one path. */
export interface RunResult {
  readonly policy: PolicyName;
  readonly summary: RunSummary;
  /** Order intents of the crowd, the same in every run of a comparison, and what became of them. */
  readonly intents: number;
  /** Everything that agents and the engine did, whether it went through or not. */
  readonly actions: number;
  readonly orders: OrderCounts;
  /** How often a keeper's `rebalance()` was refused, by error. */
  readonly keeperErrors: ReadonlyMap<string, number>;
  /** One record per step; empty unless asked for. */
  readonly series: readonly StepRecord[];
  readonly baseDecimals: number;
  readonly quoteDecimals: number;
}

export interface RunOptions {
  readonly path: PricePath;
  readonly policy: PolicyName;
  /** Fresh agents: they remember. */
  readonly population: Population;
  /** The LPs' target weight of base. */
  readonly targetBaseWeight: Wad;
  readonly createBackend: BackendFactory;
  /** Settings of the deployment other than the default. */
  readonly settings?: BackendSetup["settings"];
  /** Seed of gas prices where the path tells none. */
  readonly seed: number;
  /**
   * Which rounds are published. Unless given, each step's price is, and where steps are longer than a block it is
   * published once more for the step's orders: such a path has no finer price to fill them on.
   */
  readonly oracle?: OracleSettings;
  /** Keeps the series in memory. */
  readonly keepSeries?: boolean;
  /** Every how many steps there is a record; the last step always has one. 1 unless given. */
  readonly recordEvery?: number;
  /** Called with every record. */
  readonly onRecord?: (record: StepRecord) => void;
  /** Called after every step with the number of steps done. */
  readonly onStep?: (done: number) => void;
}

// Blocks of one step, in seconds after its price round.
const REQUEST_BLOCK = 1;
const FILL_BLOCK = 6;
const LIQUIDATION_BLOCK = 10;
const FIRST_KEEPER_BLOCK = 11;
const KEEPER_CALLS_PER_STEP = 25;

/** Keeper calls that fit into a bar before the next price round. */
export function keeperCallsPerStep(stepSeconds: number): number {
  const fitting = Math.floor((stepSeconds - 1 - FIRST_KEEPER_BLOCK) / KEEPER_BLOCK_SPACING) + 1;
  return Math.min(KEEPER_CALLS_PER_STEP, fitting);
}

/**
 * Replays a path under one policy. One step is one bar, at its close: price round, arbitrage to the fee band, orders,
 * liquidations, then keeper calls in blocks 12 s apart. Memory does not grow with the number of steps unless the series
 * is kept. Once the margin pool is settled its accounts are closed and its figures stay; the path goes on to its end.
 *
 * @throws Error when the protocol refuses what must never fail (a price round, a swap, a poke at a good price)
 */
export async function run(options: RunOptions): Promise<RunResult> {
  const { path, population, seed } = options;
  const bars = gasPath(path, seed).bars();
  const backend = await options.createBackend({
    startsAt: path.startsAt,
    initialPrice: path.open,
    ...population.actors,
    ...(options.settings === undefined ? {} : { settings: options.settings }),
  });
  try {
    const simulation = await Simulation.start(backend, options);
    let done = 0;
    for (const { bar, next } of withForesight(bars, population.foresight)) {
      await simulation.step(done, bar, next);
      done++;
      options.onStep?.(done);
    }
    return await simulation.finish(done);
  } finally {
    await backend.close();
  }
}

/** The view that all agents share, as the engine writes it. */
type View = { -readonly [Key in keyof AgentView]: AgentView[Key] };

class Simulation {
  readonly #backend: ProtocolBackend;
  readonly #options: RunOptions;
  readonly #feed: OracleFeed;
  /** Whether a step publishes its price again for its orders. */
  readonly #secondRound: boolean;
  readonly #metrics: RunMetrics;
  readonly #series: StepRecord[] = [];
  readonly #keeperErrors = new Map<string, number>();
  readonly #actingIn: Readonly<Record<Stage, readonly Agent[]>>;
  readonly #observers: readonly Agent[];
  readonly #accounts: Accounts;
  readonly #orders = new OrderQueue();
  readonly #view: View;
  #ledgers: LedgersView;
  #actions = 0;
  #lastBlockAt: number;
  #frozen = false;

  private constructor(
    backend: ProtocolBackend,
    options: RunOptions,
    start: { pool: PoolView; solvency: SolvencyView; ledgers: LedgersView },
  ) {
    const { path, population, policy } = options;
    const agents = [...population.agents, ...(policy === "rebalance" ? population.keepers : [])];
    this.#backend = backend;
    this.#options = options;
    this.#feed = new OracleFeed(options.oracle ?? EVERY_STEP, path);
    this.#secondRound = options.oracle === undefined && path.stepSeconds > BLOCK_SECONDS;
    this.#ledgers = start.ledgers;
    this.#lastBlockAt = path.startsAt;
    this.#accounts = new Accounts(backend);
    this.#observers = agents.filter(({ observe }) => observe !== undefined);
    this.#actingIn = Object.fromEntries(
      STAGES.map((stage) => [stage, agents.filter(({ stages }) => stages.includes(stage))]),
    ) as Record<Stage, Agent[]>;
    this.#metrics = new RunMetrics(
      backend,
      { ...start, price: path.open, time: path.startsAt },
      options.targetBaseWeight,
    );
    this.#view = {
      backend,
      step: 0,
      bar: { close: path.open },
      next: [],
      stepSeconds: path.stepSeconds,
      time: path.startsAt,
      at: path.startsAt,
      price: path.open,
      rounds: 0,
      gasPriceGwei: 0,
      priceGood: true,
      solvency: start.solvency,
      pool: start.pool,
      accounts: this.#accounts,
      orders: this.#orders,
      plan: undefined,
    };
  }

  static async start(backend: ProtocolBackend, options: RunOptions): Promise<Simulation> {
    const pool = await backend.pool();
    const solvency = await backend.solvency();
    const ledgers = await backend.ledgers();
    return new Simulation(backend, options, { pool, solvency, ledgers });
  }

  async step(step: number, bar: PricedBar, next: readonly Bar[]): Promise<void> {
    const { path } = this.#options;
    const view = this.#view;
    const time = path.startsAt + (step + 1) * path.stepSeconds;
    view.step = step;
    view.bar = bar;
    view.next = next;
    view.time = time;
    view.price = bar.close;
    view.gasPriceGwei = bar.gasPriceGwei;
    this.#metrics.price(bar.close);

    const settledBefore = this.#settled;
    // Nobody needs a price any more once the pool is settled and closed.
    const published = this.#frozen ? undefined : this.#feed.next(bar.close);
    const parts: readonly (() => Eventual<void>)[] = [
      () =>
        this.#block("round", time, [
          ...round(published),
          ...(settledBefore ? [] : [{ kind: "poke" } as const]),
        ]),
      () => this.#look(time),
      () => this.#block("request", time + REQUEST_BLOCK),
      () => this.#fill(published, time + FILL_BLOCK),
      () => this.#block("liquidation", time + LIQUIDATION_BLOCK),
      () => this.#keep(time),
      () => this.#look(this.#lastBlockAt),
    ];
    for (const part of parts) {
      const done = part();
      if (done instanceof Promise) await done;
    }
    this.#metrics.endStep(view.solvency, this.#ledgers);
    this.#record(step, time);
    // The step in which its accounts were closed is the last one that counts.
    if (settledBefore && !this.#frozen) this.#freeze();
  }

  async finish(steps: number): Promise<RunResult> {
    const { path, policy, population } = this.#options;
    const { price, solvency, pool } = this.#view;
    return {
      policy,
      summary: this.#metrics.summary({
        time: path.startsAt + (steps + 1) * path.stepSeconds,
        stepSeconds: path.stepSeconds,
        price,
        solvency,
        pool,
        badDebt: await this.#backend.badDebt(),
      }),
      intents: population.crowd.intents,
      actions: this.#actions,
      orders: population.crowd.counts(),
      keeperErrors: this.#keeperErrors,
      series: this.#series,
      baseDecimals: this.#backend.baseDecimals,
      quoteDecimals: this.#backend.quoteDecimals,
    };
  }

  get #settled(): boolean {
    return this.#view.solvency.riskState === "Settled";
  }

  #freeze(): void {
    this.#frozen = true;
    this.#metrics.freeze();
  }

  /** Fills orders, after publishing the step's price once more where the step published one. */
  #fill(published: Wad | undefined, at: number): Eventual<void> {
    if (this.#orders.length === 0 || this.#settled) return;
    return this.#block("fill", at, round(this.#secondRound ? published : undefined));
  }

  /** Keepers call while anything is or may become due. */
  #keep(time: number): Eventual<void> {
    const { policy, population } = this.#options;
    if (policy !== "rebalance" || this.#settled) return;
    if (population.keepers.some(({ calling }) => calling)) return this.#keeperBlocks(time);
    // Whether the last block left an exposure that keepers may have to do with.
    return andThen(
      answered(() => this.#backend.solvency()),
      (solvency) => (solvency?.outside === true ? this.#keeperBlocks(time) : undefined),
    );
  }

  /** The arbitrageur trades first in each of the keepers' blocks. */
  async #keeperBlocks(time: number): Promise<void> {
    const { keepers } = this.#options.population;
    const calls = keeperCallsPerStep(this.#options.path.stepSeconds);
    for (let call = 0; call < calls; call++) {
      const at = time + FIRST_KEEPER_BLOCK + call * KEEPER_BLOCK_SPACING;
      const plan = await answered(() => this.#backend.planRebalance(at));
      const due = plan?.reason === "Due" || plan?.reason === "NotYetEligible";
      if (!due && !keepers.some(({ calling }) => calling)) return;
      this.#view.plan = plan;
      this.#view.pool = await this.#backend.pool();
      await this.#block("keeper", at);
      if (keepers.every(({ resting }) => resting)) return;
    }
  }

  /** Mines a block of `first` and of what the stage's agents do, unless there is nothing to do. */
  #block(stage: Stage, at: number, first: readonly Action[] = []): Eventual<void> {
    const view = this.#view;
    view.at = at;
    for (const { kind } of first) if (kind === "publishPrice") view.rounds++;
    return andThen(this.#actionsOf(this.#actingIn[stage], first), (actions) =>
      actions.length === 0 ? undefined : this.#mine(at, actions),
    );
  }

  /** `before` and what agents add to it, each of whom sees what those ahead of it have swapped. */
  #actionsOf(agents: readonly Agent[], before: readonly Action[]): Eventual<readonly Action[]> {
    const view = this.#view;
    let actions: Eventual<readonly Action[]> = before;
    for (const agent of agents) {
      if (this.#settled && agent.actsAfterSettlement !== true) continue;
      actions = andThen(actions, (sofar) =>
        andThen(
          answered(() => agent.act(view)),
          (added) => this.#joined(sofar, added),
        ),
      );
    }
    return actions;
  }

  #joined(actions: readonly Action[], added: readonly Action[] | undefined): readonly Action[] {
    if (added === undefined || added.length === 0) return actions;
    const view = this.#view;
    for (const action of added)
      if (action.kind === "swap") view.pool = afterTrade(view.pool, action);
    return actions.length === 0 ? added : [...actions, ...added];
  }

  #mine(time: number, actions: readonly Action[]): Eventual<void> {
    return andThen(this.#backend.mine(time, actions), (results) => {
      const view = this.#view;
      this.#actions += actions.length;
      this.#lastBlockAt = time;
      for (const result of results) if (!result.ok) this.#refused(result, time);
      this.#metrics.results(results, view.price, view.pool.swapFee, view.gasPriceGwei);
      this.#orders.observe(results, view.rounds);
      return andThen(this.#accounts.observe(results, time), () => {
        for (const agent of this.#observers) agent.observe?.(results, view);
      });
    });
  }

  /** A pool without a good price cannot be poked; the rest of what the engine does itself must never fail. */
  #refused({ action, error }: ActionResult, time: number): void {
    const cause = error ?? "unknown";
    const { kind } = action;
    const expected = kind === "poke" && cause.startsWith("PriceOracle_");
    if ((kind === "publishPrice" || kind === "swap" || kind === "poke") && !expected) {
      throw new Error(
        `the protocol refused "${kind}" at ${new Date(time * 1000).toISOString()}: ${cause}`,
      );
    }
    if (kind === "rebalance")
      this.#keeperErrors.set(cause, (this.#keeperErrors.get(cause) ?? 0) + 1);
  }

  /** Looks at both pools. While the price is bad the margin pool keeps the face it had. */
  #look(time: number): Eventual<void> {
    const view = this.#view;
    return andThen(this.#backend.pool(), (pool) => {
      view.pool = pool;
      if (this.#frozen) return this.#metrics.pass(time);
      const solvency = answered(() => this.#backend.solvency());
      return andThen(solvency, (seen) => {
        view.priceGood = seen !== undefined;
        if (seen === undefined) return this.#metrics.pass(time);
        view.solvency = seen;
        return andThen(this.#backend.ledgers(), (ledgers) => {
          this.#ledgers = ledgers;
          this.#metrics.observe(time, seen, ledgers);
        });
      });
    });
  }

  #record(step: number, time: number): void {
    const { path, keepSeries, onRecord, recordEvery = 1 } = this.#options;
    if (keepSeries !== true && onRecord === undefined) return;
    if ((step + 1) % recordEvery !== 0 && step + 1 !== path.steps) return;
    const { price, solvency, pool } = this.#view;
    const inner = innerBand(solvency.outerBand);
    const record = this.#metrics.record(time, price, solvency, pool, inner);
    if (keepSeries === true) this.#series.push(record);
    onRecord?.(record);
  }
}

/** h_in = h_out / 2. */
function innerBand(outerBand: BaseUnits): BaseUnits {
  return outerBand / 2n;
}

function round(price: Wad | undefined): readonly Action[] {
  return price === undefined ? [] : [{ kind: "publishPrice", price }];
}
