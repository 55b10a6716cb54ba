import { FEE_DENOMINATOR } from "../math/constantProductMath.ts";
import { type BaseUnits, type QuoteUnits, squareRootDown, WAD, type Wad } from "../units.ts";
import type { ActionResult, PoolView, RiskState, SolvencyView } from "./backend.ts";

/** State at the end of one step. */
export interface StepRecord {
  /** Unix seconds of the step's price round. */
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

/** Figures of a whole run. */
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
  /** Constant-product LP against holding, without fees: V sqrt(k0/k) / (x0 P + y0) - 1; at most 0. */
  readonly divergenceLoss: Wad;
  /**
   * Constant-product LP against a portfolio that always holds the pool's base and rebalances at index for nothing,
   * without fees: the sum over swaps of (value out - value in (1 - fee)), valued at index.
   */
  readonly lossVersusRebalancing: QuoteUnits;
  /** The sum over swaps of value in x fee, valued at index. */
  readonly swapFees: QuoteUnits;
  /** Time in a risk state other than Normal, each observation holding until the next. */
  readonly secondsOutsideNormal: number;
}

/** Collects a run's figures as it goes. Amounts in token units. */
export class Metrics {
  readonly series: StepRecord[] = [];
  readonly #initialEquity: QuoteUnits;
  readonly #initialPool: PoolView;
  readonly #baseDecimals: number;
  readonly #quoteDecimals: number;
  readonly #weight: Wad;
  #pool: PoolView;
  #price: Wad;
  /** The benchmark with 18 further decimals. */
  #benchmarkWad: bigint;
  #highWad = 0n;
  #maxDrawdown = 0n;
  #minSolvencyRatio: Wad | undefined;
  #insolventSteps = 0;
  #rebalances = 0;
  #rebalanceCost = 0n;
  #liquidations = 0;
  #lossVersusRebalancing = 0n;
  #swapFees = 0n;
  #secondsOutsideNormal = 0;
  #lastObservation: { time: number; normal: boolean } | undefined;

  /**
   * @param start equity, pool and price before the first step
   * @param weight the LPs' target weight of base, a `Wad`
   */
  constructor(
    start: {
      readonly solvency: SolvencyView;
      readonly pool: PoolView;
      readonly price: Wad;
      readonly time: number;
    },
    weight: Wad,
    decimals: { readonly base: number; readonly quote: number },
  ) {
    this.#initialEquity = start.solvency.equity;
    this.#benchmarkWad = start.solvency.equity * WAD;
    this.#initialPool = start.pool;
    this.#pool = start.pool;
    this.#price = start.price;
    this.#weight = weight;
    this.#baseDecimals = decimals.base;
    this.#quoteDecimals = decimals.quote;
    this.observe(start.time, start.solvency);
  }

  /** The path moved: the benchmark earns w times the return. */
  price(price: Wad): void {
    this.#benchmarkWad =
      (this.#benchmarkWad * (this.#price * WAD + this.#weight * (price - this.#price))) /
      (this.#price * WAD);
    this.#price = price;
  }

  /** Actions ran; swaps are valued at the price last given. */
  results(results: readonly ActionResult[], swapFee: bigint): void {
    for (const event of results.flatMap((result) => result.events)) {
      if (event.kind === "Liquidated") this.#liquidations++;
      if (event.kind === "Rebalanced") {
        this.#rebalances++;
        this.#rebalanceCost += event.cost;
      }
      if (event.kind === "Swap") {
        const valueIn = this.#valueOf(event.baseIn, event.quoteIn);
        const fee = (valueIn * swapFee) / FEE_DENOMINATOR;
        this.#swapFees += fee;
        this.#lossVersusRebalancing +=
          this.#valueOf(event.baseOut, event.quoteOut) - (valueIn - fee);
      }
    }
  }

  /** The pool was looked at: solvency and risk state count from here to the next look. */
  observe(time: number, solvency: SolvencyView): void {
    const last = this.#lastObservation;
    if (last !== undefined && !last.normal) this.#secondsOutsideNormal += time - last.time;
    this.#lastObservation = { time, normal: solvency.riskState === "Normal" };
    if (this.#minSolvencyRatio === undefined || solvency.solvencyRatio < this.#minSolvencyRatio) {
      this.#minSolvencyRatio = solvency.solvencyRatio;
    }
  }

  /** A step is over. */
  endStep(time: number, solvency: SolvencyView, pool: PoolView, innerBand: BaseUnits): void {
    this.#pool = pool;
    if (solvency.solvencyRatio < WAD) this.#insolventSteps++;
    const activeWad = ((solvency.equity * WAD - this.#benchmarkWad) / this.#initialEquity) as Wad;
    if (activeWad > this.#highWad) this.#highWad = activeWad;
    if (this.#highWad - activeWad > this.#maxDrawdown)
      this.#maxDrawdown = this.#highWad - activeWad;
    this.series.push({
      time,
      price: this.#price,
      reserveBase: pool.reserveBase,
      reserveQuote: pool.reserveQuote,
      skew: solvency.skew,
      netExposureBase: solvency.netExposureBase,
      innerBand,
      outerBand: solvency.outerBand,
      solvencyRatio: solvency.solvencyRatio,
      volatility: solvency.volatility,
      equity: solvency.equity,
      benchmark: this.#benchmarkWad / WAD,
      riskState: solvency.riskState,
      rebalances: this.#rebalances,
      rebalanceCost: this.#rebalanceCost,
    });
  }

  /** @param time unix seconds at which the run ends */
  summary(time: number, final: SolvencyView, badDebt: QuoteUnits): RunSummary {
    this.observe(time, final);
    return {
      initialEquity: this.#initialEquity,
      finalEquity: final.equity,
      finalBenchmark: this.#benchmarkWad / WAD,
      minSolvencyRatio: this.#minSolvencyRatio ?? 0n,
      maxDrawdown: this.#maxDrawdown,
      badDebt,
      insolventSteps: this.#insolventSteps,
      rebalances: this.#rebalances,
      rebalanceCost: this.#rebalanceCost,
      liquidations: this.#liquidations,
      divergenceLoss: this.#divergenceLoss(),
      lossVersusRebalancing: this.#lossVersusRebalancing,
      swapFees: this.#swapFees,
      secondsOutsideNormal: this.#secondsOutsideNormal,
    };
  }

  #divergenceLoss(): Wad {
    const { reserveBase: x0, reserveQuote: y0 } = this.#initialPool;
    const { reserveBase: x, reserveQuote: y } = this.#pool;
    const value = this.#valueOf(x, y);
    const held = this.#valueOf(x0, y0);
    const shrink = squareRootDown((x0 * y0 * WAD * WAD) / (x * y));
    return (value * shrink) / held - WAD;
  }

  #valueOf(base: BaseUnits, quote: QuoteUnits): QuoteUnits {
    const scale = 10n ** BigInt(this.#quoteDecimals);
    return (base * this.#price * scale) / (WAD * 10n ** BigInt(this.#baseDecimals)) + quote;
  }
}
