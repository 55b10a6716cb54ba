import { DEPLOYMENT_SECONDS, deploymentSchedule } from "../deploymentSchedule.ts";
import { DEFAULT_SETTINGS, type DeploymentSettings } from "../deploymentSettings.ts";
import { Revert } from "../math/revert.ts";
import { getReserves, swapFee } from "../model/constantProductPool.ts";
import { genesis, SYMBOLIC_ADDRESSES } from "../model/genesis.ts";
import { balanceOf } from "../model/liquidityToken.ts";
import { equityOf, load, maintenanceMargin } from "../model/marginAccount.ts";
import { type Context, loadPosition } from "../model/marginContext.ts";
import { maxDeposit, maxRedeem } from "../model/marginShares.ts";
import { preview } from "../model/marginState.ts";
import { executionFee } from "../model/orderLogic.ts";
import { previewRebalance } from "../model/rebalancer.ts";
import { poolStateOf } from "../model/riskLogic.ts";
import { apply } from "../model/step.ts";
import { World } from "../model/world.ts";
import type { Action } from "./actions.ts";
import {
  type ActionResult,
  type BackendSetup,
  type PoolView,
  type ProtocolBackend,
  REBALANCE_REASONS,
  type RebalanceReason,
  RISK_STATES,
  type RiskState,
  type SolvencyView,
  ViewRefused,
} from "./backend.ts";
import type { ProtocolEvent } from "./events.ts";
import { callOf, walletCalls } from "./modelActions.ts";
import { ModelActors } from "./modelActors.ts";
import { eventOf } from "./modelEvents.ts";

/** Wallets of simulated actors never run dry: 10^12 whole tokens. */
const WALLET_TOKENS = 10n ** 12n;

/** A backend on the model, and the world behind it for whoever looks closer. */
export interface ModelBackend extends ProtocolBackend {
  readonly world: World;
  readonly actors: ModelActors;
}

/**
 * Lets agents act on the model of the protocol, in the very state that `createEvmBackend` makes for the same setup.
 *
 * @throws Error when the model refuses the deployment or a wallet
 */
export async function createModelBackend(setup: BackendSetup): Promise<ModelBackend> {
  const settings: DeploymentSettings = {
    ...DEFAULT_SETTINGS,
    ...setup.settings,
    initialPrice: setup.initialPrice,
  };
  const schedule = deploymentSchedule(BigInt(setup.startsAt - DEPLOYMENT_SECONDS), settings);
  const world = new World(genesis(settings, schedule));
  const { config } = world;
  const actors = new ModelActors(
    {
      keeper: 1,
      liquidator: 1,
      arbitrageur: 1,
      lp: 1,
      provider: 1,
      ...setup.actorCounts,
      trader: setup.traderCount,
    },
    SYMBOLIC_ADDRESSES.deployer,
  );
  for (const call of walletCalls(BigInt(setup.startsAt - 1), config, actors, WALLET_TOKENS)) {
    const outcome = apply(world, call);
    if (!outcome.ok) throw new Error(`the model refused a wallet: ${outcome.error.name}`);
  }
  const backend = new Model(world, actors, settings.feedDecimals);
  const opened = backend.mine(setup.startsAt, [
    { kind: "publishPrice", price: setup.initialPrice },
    { kind: "poke" },
  ]);
  if (opened.some(({ ok }) => !ok)) throw new Error("the model refused the first price round");
  return backend;
}

class Model implements ModelBackend {
  readonly world: World;
  readonly actors: ModelActors;
  readonly baseDecimals: number;
  readonly quoteDecimals: number;
  readonly executionFee: bigint;
  readonly #feedDecimals: number;
  /** What the views of one block have in common. */
  #context: Context | undefined;
  #solvency: SolvencyView | undefined;
  #pool: PoolView | undefined;

  constructor(world: World, actors: ModelActors, feedDecimals: number) {
    this.world = world;
    this.actors = actors;
    this.baseDecimals = world.config.baseDecimals;
    this.quoteDecimals = world.config.quoteDecimals;
    this.executionFee = executionFee(world.config);
    this.#feedDecimals = feedDecimals;
  }

  mine(timestamp: number, actions: readonly Action[]): ActionResult[] {
    const { world, actors } = this;
    const { config } = world;
    const at = BigInt(timestamp);
    if (at <= world.now) {
      throw new RangeError(`a block at ${timestamp} cannot follow the one at ${world.now}`);
    }
    this.#context = undefined;
    world.now = at;
    this.#solvency = undefined;
    this.#pool = undefined;
    const results: ActionResult[] = [];
    for (const action of actions) {
      const outcome = apply(world, callOf(action, at, config, this.#feedDecimals, actors));
      if (!outcome.ok) {
        results.push({ action, ok: false, error: outcome.error.name, events: [] });
        continue;
      }
      const events: ProtocolEvent[] = [];
      for (const event of outcome.events) {
        const told = eventOf(event, config.baseIsToken0, actors);
        if (told !== undefined) events.push(told);
      }
      results.push({ action, ok: true, events });
    }
    world.forgetOldRounds();
    return results;
  }

  pool(): PoolView {
    this.#pool ??= this.#poolNow();
    return this.#pool;
  }

  #poolNow(): PoolView {
    const { world } = this;
    const { reserve0, reserve1 } = getReserves(world);
    const fee = swapFee(world);
    return world.config.baseIsToken0
      ? { reserveBase: reserve0, reserveQuote: reserve1, swapFee: fee }
      : { reserveBase: reserve1, reserveQuote: reserve0, swapFee: fee };
  }

  solvency(): SolvencyView {
    this.#solvency ??= this.#solvencyOf(this.#preview("poolState"));
    return this.#solvency;
  }

  #solvencyOf(ctx: Context): SolvencyView {
    const state = poolStateOf(ctx);
    const { baseScale } = ctx.config;
    return {
      equity: state.equity,
      equityBid: state.equityBid,
      equityAsk: state.equityAsk,
      requiredEquity: state.requiredEquity,
      inventoryBase: ctx.ledgers.inventoryBase,
      skew: state.skew,
      targetInventoryBase: state.targetInventoryBase,
      netExposureBase: state.netExposureBase,
      outerBand: ctx.outerBandWad / baseScale,
      outside: ctx.outsideSince !== 0n,
      solvencyRatio: state.solvencyRatioWad,
      volatility: ctx.market.volatilityWad,
      indexPrice: ctx.market.priceWad,
      hedgeRatePpm: ctx.hedgeRatePpm,
      riskState: RISK_STATES[state.riskState] as RiskState,
    };
  }

  ledgers() {
    const { ledgers, fundingIndexWad } = this.world.hot;
    return {
      inventoryBase: ledgers.inventoryBase,
      inventoryQuote: ledgers.inventoryQuote,
      longOpenInterest: ledgers.longOpenInterest,
      shortOpenInterest: ledgers.shortOpenInterest,
      skewPremium: ledgers.skewPremium,
      pendingIncome: ledgers.pendingIncome,
      insuranceFund: ledgers.insuranceFund,
      unpaidClaims: ledgers.unpaidClaims,
      fundingIndex: fundingIndexWad,
    };
  }

  settlement() {
    const { priceWad, settledAt, finalizedAt } = this.world.cold.settlement;
    return { price: priceWad, settledAt: Number(settledAt), finalizedAt: Number(finalizedAt) };
  }

  badDebt() {
    return this.world.cold.badDebt;
  }

  account(trader: number) {
    const stored = loadPosition(this.world, this.actors.address("trader", trader));
    const { size, entryNotional, collateral } = stored;
    return { size, entryNotional, collateral };
  }

  position(trader: number) {
    const ctx = this.#preview("position");
    const a = load(this.world, ctx, this.actors.address("trader", trader));
    const { size, entryNotional, collateral } = a;
    const equity = equityOf(ctx, a);
    const liquidatable = size !== 0n && equity < maintenanceMargin(ctx, size);
    return { size, entryNotional, collateral, equity, liquidatable };
  }

  shares(lp: number) {
    const { world } = this;
    const owner = this.actors.address("lp", lp);
    return {
      shares: world.shares.balances.get(owner) ?? 0n,
      totalShares: world.shares.totalSupply,
      maxRedeem: maxRedeem(world, owner),
      maxDeposit: maxDeposit(world),
    };
  }

  liquidity(provider: number) {
    const owner = this.actors.address("provider", provider);
    return {
      liquidity: balanceOf(this.world, owner),
      totalLiquidity: this.world.liquidityToken.totalSupply,
    };
  }

  credit(role: Parameters<ProtocolBackend["credit"]>[0], actor: number) {
    return this.world.credits.get(this.actors.address(role, actor)) ?? 0n;
  }

  planRebalance(timestamp: number) {
    const { world } = this;
    const { now } = world;
    world.now = BigInt(timestamp);
    try {
      const plan = previewRebalance(world);
      return {
        reason: REBALANCE_REASONS[plan.reason] as RebalanceReason,
        sellBase: plan.sellBase,
        amountBase: plan.amountBase,
        quoteLimit: plan.quoteLimit,
        innerBand: plan.innerBand,
        outerBand: plan.outerBand,
      };
    } catch (thrown) {
      throw refusal("previewRebalance", thrown);
    } finally {
      world.now = now;
    }
  }

  async close() {}

  #preview(view: string): Context {
    if (this.#context !== undefined) return this.#context;
    try {
      this.#context = preview(this.world);
      return this.#context;
    } catch (thrown) {
      throw refusal(view, thrown);
    }
  }
}

/** A view's revert as `ViewRefused`; whatever else went wrong stays what it is. */
function refusal(view: string, thrown: unknown): unknown {
  return thrown instanceof Revert ? new ViewRefused(view, thrown.error.name) : thrown;
}
