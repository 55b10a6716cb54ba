import type { BaseUnits, QuoteUnits, Wad } from "../../units.ts";
import type {
  ActionResult,
  LedgersView,
  PoolView,
  ProtocolBackend,
  RiskState,
  SolvencyView,
} from "../backend.ts";
import { EquityMetrics } from "./equity.ts";
import { IncomeMetrics } from "./income.ts";
import { KeeperMetrics } from "./keepers.ts";
import { PoolMetrics } from "./pool.ts";
import { TradingMetrics } from "./trading.ts";

/** State at the end of one step. */
export interface StepRecord {
  /** Unix seconds of the step's price. */
  readonly time: number;
  readonly price: Wad;
  readonly reserveBase: BaseUnits;
  readonly reserveQuote: QuoteUnits;
  readonly skew: BaseUnits;
  readonly netExposureBase: BaseUnits;
  readonly innerBand: BaseUnits;
  readonly outerBand: BaseUnits;
  readonly solvencyRatio: Wad;
  readonly volatility: Wad;
  readonly equity: QuoteUnits;
  readonly benchmark: QuoteUnits;
  readonly riskState: RiskState;
  /** Chunks traded and oracle value given up since the start. */
  readonly rebalances: number;
  readonly rebalanceCost: QuoteUnits;
}

/** Figures of a whole run; the formulas are in docs/mathematics.md, "Metrics of a run". */
export interface RunSummary {
  readonly initialEquity: QuoteUnits;
  readonly finalEquity: QuoteUnits;
  /** The frictionless constant mix at the end. */
  readonly finalBenchmark: QuoteUnits;
  readonly minSolvencyRatio: Wad;
  /** Largest fall of (equity - benchmark) / initial equity from an earlier high. */
  readonly maxDrawdown: Wad;
  readonly badDebt: QuoteUnits;
  /** Steps that ended with a solvency ratio below 1. */
  readonly insolventSteps: number;
  readonly rebalances: number;
  /** Oracle value given up by rebalancing. */
  readonly rebalanceCost: QuoteUnits;
  readonly liquidations: number;
  readonly deleverages: number;
  /** Credited to keepers and liquidators: execution fees and their part of penalties. */
  readonly keeperRewards: QuoteUnits;
  readonly keeperGasCost: QuoteUnits;
  readonly keeperProfit: QuoteUnits;
  /** Constant-product LP against holding, without fees: V sqrt(k0/k) / (x0 P + y0) - 1; at most 0. */
  readonly divergenceLoss: Wad;
  /**
   * Constant-product LP against a portfolio that always holds the pool's base and rebalances at index for nothing,
   * without fees: the sum over swaps of (value out - value in (1 - fee)), valued at the price outside.
   */
  readonly lossVersusRebalancing: QuoteUnits;
  /** The sum over swaps of value in x fee, valued at the price outside. */
  readonly swapFees: QuoteUnits;
  /** Greeks of all liquidity of the constant-product pool, and dE/dP of the margin pool, at the end. */
  readonly poolLpValue: QuoteUnits;
  readonly poolLpDelta: BaseUnits;
  readonly poolLpGamma: Wad;
  readonly marginLpDelta: BaseUnits;
  /** Time in a risk state other than Normal, each observation holding until the next. */
  readonly secondsOutsideNormal: number;
  /** Of the steps' changes of active PnL, scaled by 1e36; and its root per square root of a year. */
  readonly activeVariance: bigint;
  readonly trackingError: Wad;
  /** Income of the margin pool by source; premiums are net of rebates, penalties of the liquidators' part. */
  readonly takerFees: QuoteUnits;
  readonly premiums: QuoteUnits;
  readonly hedgeCharges: QuoteUnits;
  readonly penalties: QuoteUnits;
  readonly lpFees: QuoteUnits;
  readonly funding: QuoteUnits;
  /** Notional filled, its mean cost beside index, and what equity carried of it. */
  readonly volume: QuoteUnits;
  readonly priceImpact: Wad;
  readonly turnover: Wad;
  readonly openInterestToEquity: Wad;
}

/** Collects a run's figures as it goes, in memory that does not grow with the number of steps. */
export class RunMetrics {
  readonly #equity: EquityMetrics;
  readonly #pool: PoolMetrics;
  readonly #income: IncomeMetrics;
  readonly #trading: TradingMetrics;
  readonly #keepers: KeeperMetrics;
  #frozen = false;

  /**
   * @param start what the backend shows before the first step
   * @param weight the LPs' target weight of base
   */
  constructor(
    backend: ProtocolBackend,
    start: {
      readonly solvency: SolvencyView;
      readonly ledgers: LedgersView;
      readonly pool: PoolView;
      readonly price: Wad;
      readonly time: number;
    },
    weight: Wad,
  ) {
    const decimals = { base: backend.baseDecimals, quote: backend.quoteDecimals };
    this.#equity = new EquityMetrics(start.solvency, start.price, start.time, weight);
    this.#pool = new PoolMetrics(start.pool, decimals);
    this.#income = new IncomeMetrics(start.solvency, start.ledgers, weight, decimals);
    this.#trading = new TradingMetrics(decimals);
    this.#keepers = new KeeperMetrics(backend.executionFee, backend.quoteDecimals);
  }

  /** The path moved. */
  price(price: Wad): void {
    if (!this.#frozen) this.#equity.price(price);
  }

  /** A block was mined; swaps are valued at `price`. */
  results(
    results: readonly ActionResult[],
    price: Wad,
    swapFee: bigint,
    gasPriceGwei: number,
  ): void {
    for (const result of results) {
      this.#keepers.result(result, gasPriceGwei, price);
      for (const event of result.events) {
        this.#pool.event(event, price, swapFee);
        if (this.#frozen) continue;
        this.#trading.event(event);
        this.#income.event(event);
        if (event.kind === "SharesDeposited") this.#equity.flow(event.assets);
        if (event.kind === "SharesRedeemed") this.#equity.flow(-event.assets);
      }
    }
  }

  /** The margin pool was looked at; not called any more once it is frozen. */
  observe(time: number, solvency: SolvencyView, ledgers: LedgersView): void {
    this.#equity.observe(time, solvency);
    this.#income.observe(solvency, ledgers);
  }

  /** Nobody could look: the last state is taken to hold. */
  pass(time: number): void {
    this.#equity.pass(time);
  }

  /** A step is over. */
  endStep(solvency: SolvencyView, ledgers: LedgersView): void {
    if (this.#frozen) return;
    this.#equity.endStep(solvency);
    this.#trading.endStep(solvency, ledgers);
  }

  /** The margin pool is settled: its figures stay what they are. */
  freeze(): void {
    this.#frozen = true;
  }

  /** The step that just ended as a line of the series. */
  record(
    time: number,
    price: Wad,
    solvency: SolvencyView,
    pool: PoolView,
    innerBand: BaseUnits,
  ): StepRecord {
    return {
      time,
      price,
      reserveBase: pool.reserveBase,
      reserveQuote: pool.reserveQuote,
      skew: solvency.skew,
      netExposureBase: solvency.netExposureBase,
      innerBand,
      outerBand: solvency.outerBand,
      solvencyRatio: solvency.solvencyRatio,
      volatility: solvency.volatility,
      equity: solvency.equity,
      benchmark: this.#equity.benchmark,
      riskState: solvency.riskState,
      rebalances: this.#trading.rebalances,
      rebalanceCost: this.#trading.rebalanceCost,
    };
  }

  /** @param end what the backend shows at the end; `time` in unix seconds */
  summary(end: {
    readonly time: number;
    readonly stepSeconds: number;
    readonly price: Wad;
    readonly solvency: SolvencyView;
    readonly pool: PoolView;
    readonly badDebt: QuoteUnits;
  }): RunSummary {
    const { solvency, pool, price } = end;
    this.#equity.pass(end.time);
    return {
      finalEquity: solvency.equity,
      badDebt: end.badDebt,
      marginLpDelta: solvency.inventoryBase - solvency.skew,
      ...this.#equity.summary(end.stepSeconds),
      ...this.#pool.summary(pool, price),
      ...this.#income.summary(),
      ...this.#trading.summary(),
      ...this.#keepers.summary(),
    };
  }
}
