import type { Wad } from "../units.ts";
import type { Action, BackendFactory, PoolView, ProtocolBackend, SolvencyView } from "./backend.ts";
import { arbitrage, chunkFills, liquidations } from "./bots.ts";
import { type Intent, TRADER_COUNT } from "./flows.ts";
import { Metrics, type RunSummary, type StepRecord } from "./metrics.ts";
import type { Scenario } from "./scenario.ts";
import { type OrderCounts, Traders } from "./traders.ts";

/** What keepers do about exposure. */
export const POLICY_NAMES = ["rebalance", "none"] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];

/** One policy on one path. */
export interface RunResult {
  readonly policy: PolicyName;
  readonly summary: RunSummary;
  readonly orders: OrderCounts;
  /** How often a keeper's `rebalance()` was refused, by error. */
  readonly keeperErrors: ReadonlyMap<string, number>;
  readonly series: readonly StepRecord[];
  readonly baseDecimals: number;
  readonly quoteDecimals: number;
}

export interface RunOptions {
  readonly scenario: Scenario;
  readonly intents: readonly Intent[];
  readonly policy: PolicyName;
  /** The LPs' target weight of base. */
  readonly targetBaseWeight: Wad;
  readonly createBackend: BackendFactory;
  /** Called after every step with the number of steps done. */
  readonly onStep?: (done: number) => void;
}

// Blocks of one step, in seconds after its price round. Orders are filled on a second round at the same price: the
// protocol fills no order on a round that was known at its request, and the path has no finer price to offer.
const ORDER_BLOCK = 1;
const FILL_BLOCK = 6;
const LIQUIDATION_BLOCK = 10;
const FIRST_KEEPER_BLOCK = 11;
const KEEPER_BLOCK_SPACING = 12;
const KEEPER_CALLS_PER_STEP = 25;

/** Keeper calls that fit into a bar before the next price round. */
export function keeperCallsPerStep(stepSeconds: number): number {
  const fitting = Math.floor((stepSeconds - 1 - FIRST_KEEPER_BLOCK) / KEEPER_BLOCK_SPACING) + 1;
  return Math.min(KEEPER_CALLS_PER_STEP, fitting);
}

/**
 * Replays a path under one policy. One step is one bar, at its close: price round, arbitrage to the fee band, orders,
 * liquidations, then keeper calls in blocks 12 s apart.
 *
 * @throws Error when the protocol refuses what must never fail (a price round, an arbitrage swap)
 */
export async function run(options: RunOptions): Promise<RunResult> {
  const { scenario, policy } = options;
  const backend = await options.createBackend({
    startsAt: scenario.startsAt,
    initialPrice: scenario.open,
    traderCount: TRADER_COUNT,
  });
  try {
    const simulation = await Simulation.start(backend, options);
    for (let step = 0; step < scenario.close.length; step++) {
      await simulation.step(step);
      options.onStep?.(step + 1);
    }
    return await simulation.finish(policy);
  } finally {
    await backend.close();
  }
}

class Simulation {
  readonly #backend: ProtocolBackend;
  readonly #options: RunOptions;
  readonly #traders: Traders;
  readonly #metrics: Metrics;
  readonly #intentsOf = new Map<number, Intent[]>();
  readonly #keeperErrors = new Map<string, number>();
  #pool: PoolView;
  #solvency: SolvencyView;
  #lastBlockAt: number;

  private constructor(
    backend: ProtocolBackend,
    options: RunOptions,
    pool: PoolView,
    solvency: SolvencyView,
  ) {
    const { scenario, targetBaseWeight } = options;
    this.#backend = backend;
    this.#options = options;
    this.#pool = pool;
    this.#solvency = solvency;
    this.#lastBlockAt = scenario.startsAt;
    this.#traders = new Traders(backend);
    const start = { solvency, pool, price: scenario.open, time: scenario.startsAt };
    const decimals = { base: backend.baseDecimals, quote: backend.quoteDecimals };
    this.#metrics = new Metrics(start, targetBaseWeight, decimals);
    for (const intent of options.intents) {
      const sameStep = this.#intentsOf.get(intent.step);
      if (sameStep === undefined) this.#intentsOf.set(intent.step, [intent]);
      else sameStep.push(intent);
    }
  }

  static async start(backend: ProtocolBackend, options: RunOptions): Promise<Simulation> {
    return new Simulation(backend, options, await backend.pool(), await backend.solvency());
  }

  async step(step: number): Promise<void> {
    const { scenario, policy } = this.#options;
    const price = scenario.close[step] as Wad;
    const time = scenario.startsAt + (step + 1) * scenario.stepSeconds;
    this.#metrics.price(price);

    const { actions } = arbitrage(this.#backend, this.#pool, price);
    await this.#mine(time, [{ kind: "publishPrice", price }, { kind: "poke" }, ...actions]);
    await this.#look(time);
    await this.#trade(step, price, time);
    const due = await liquidations(this.#backend, this.#traders, price, this.#solvency);
    if (due.length > 0) await this.#mine(time + LIQUIDATION_BLOCK, due);
    if (policy === "rebalance") await this.#keep(price, time);

    await this.#look(this.#lastBlockAt);
    const plan = await this.#backend.planRebalance(this.#lastBlockAt + 1);
    this.#metrics.endStep(time, this.#solvency, this.#pool, plan.innerBand);
  }

  async finish(policy: PolicyName): Promise<RunResult> {
    const { scenario } = this.#options;
    this.#traders.finish();
    const badDebt = await this.#backend.badDebt();
    const end = scenario.startsAt + (scenario.close.length + 1) * scenario.stepSeconds;
    return {
      policy,
      summary: this.#metrics.summary(end, this.#solvency, badDebt),
      orders: this.#traders.counts,
      keeperErrors: this.#keeperErrors,
      series: this.#metrics.series,
      baseDecimals: this.#backend.baseDecimals,
      quoteDecimals: this.#backend.quoteDecimals,
    };
  }

  async #trade(step: number, price: Wad, time: number): Promise<void> {
    const intents = this.#intentsOf.get(step) ?? [];
    const requests = await this.#traders.requests(
      intents,
      price,
      time + ORDER_BLOCK,
      this.#solvency,
    );
    if (requests.length > 0) await this.#mine(time + ORDER_BLOCK, requests);
    const waiting = this.#traders.waiting();
    if (waiting.length === 0) return;
    const fills = waiting.map((trader): Action => ({ kind: "executeOrder", trader }));
    await this.#mine(time + FILL_BLOCK, [{ kind: "publishPrice", price }, ...fills]);
  }

  /** Keepers call while anything is or may become due; the arbitrageur trades first in each of their blocks. */
  async #keep(price: Wad, time: number): Promise<void> {
    const calls = keeperCallsPerStep(this.#options.scenario.stepSeconds);
    for (let call = 0; call < calls; call++) {
      const at = time + FIRST_KEEPER_BLOCK + call * KEEPER_BLOCK_SPACING;
      const plan = await this.#backend.planRebalance(at);
      if (plan.reason !== "Due" && plan.reason !== "NotYetEligible") return;
      const { actions, after } = arbitrage(this.#backend, await this.#backend.pool(), price);
      if (plan.reason === "Due" && chunkFills(plan, after)) actions.push({ kind: "rebalance" });
      // A keeper that was refused does not pay for the same refusal again before the next price.
      if (actions.length > 0 && !(await this.#mine(at, actions))) return;
    }
  }

  /** @returns whether all actions went through */
  async #mine(time: number, actions: readonly Action[]): Promise<boolean> {
    const results = await this.#backend.mine(time, actions);
    this.#lastBlockAt = time;
    for (const { action, ok, error } of results) {
      if (ok) continue;
      if (action.kind === "publishPrice" || action.kind === "swap" || action.kind === "poke") {
        throw new Error(
          `the protocol refused "${action.kind}" at ${new Date(time * 1000).toISOString()}: ${error}`,
        );
      }
      if (action.kind === "rebalance") {
        const cause = error ?? "unknown";
        this.#keeperErrors.set(cause, (this.#keeperErrors.get(cause) ?? 0) + 1);
      }
    }
    this.#metrics.results(results, this.#pool.swapFee);
    await this.#traders.observe(results);
    return results.every(({ ok }) => ok);
  }

  async #look(time: number): Promise<void> {
    this.#pool = await this.#backend.pool();
    this.#solvency = await this.#backend.solvency();
    this.#metrics.observe(time, this.#solvency);
  }
}
