import { type QuoteUnits, squareRootDown, WAD, type Wad } from "../../units.ts";
import type { SolvencyView } from "../backend.ts";

const SECONDS_PER_YEAR = 31_536_000n;

/**
 * Equity of the margin pool's LPs beside their benchmark, a frictionless constant mix that receives and pays the same
 * deposits and withdrawals.
 */
export class EquityMetrics {
  readonly initialEquity: QuoteUnits;
  readonly #weight: Wad;
  #price: Wad;
  /** The benchmark with 18 further decimals. */
  #benchmarkWad: bigint;
  #active = 0n;
  #high = 0n;
  #maxDrawdown = 0n;
  #minSolvencyRatio: Wad;
  #insolventSteps = 0;
  #secondsOutsideNormal = 0;
  #lastTime: number;
  #normal: boolean;
  #steps = 0n;
  #sumOfChanges = 0n;
  #sumOfSquares = 0n;

  /** @param weight w, the LPs' target weight of base */
  constructor(solvency: SolvencyView, price: Wad, time: number, weight: Wad) {
    this.initialEquity = solvency.equity;
    this.#benchmarkWad = solvency.equity * WAD;
    this.#price = price;
    this.#weight = weight;
    this.#minSolvencyRatio = solvency.solvencyRatio;
    this.#lastTime = time;
    this.#normal = solvency.riskState === "Normal";
  }

  /** The benchmark now, quote token units, rounded down. */
  get benchmark(): QuoteUnits {
    return this.#benchmarkWad / WAD;
  }

  /** The path moved: the benchmark earns w times the return. */
  price(price: Wad): void {
    this.#benchmarkWad =
      (this.#benchmarkWad * (this.#price * WAD + this.#weight * (price - this.#price))) /
      (this.#price * WAD);
    this.#price = price;
  }

  /** LPs brought quote in (negative: took out). */
  flow(amount: QuoteUnits): void {
    this.#benchmarkWad += amount * WAD;
  }

  /** The pool was looked at: solvency and risk state count from here to the next look. */
  observe(time: number, solvency: SolvencyView): void {
    this.pass(time);
    this.#normal = solvency.riskState === "Normal";
    if (solvency.solvencyRatio < this.#minSolvencyRatio)
      this.#minSolvencyRatio = solvency.solvencyRatio;
  }

  /** Time passes in the risk state last seen. */
  pass(time: number): void {
    if (!this.#normal) this.#secondsOutsideNormal += time - this.#lastTime;
    this.#lastTime = time;
  }

  /** A step is over. */
  endStep(solvency: SolvencyView): void {
    if (solvency.solvencyRatio < WAD) this.#insolventSteps++;
    const active = (solvency.equity * WAD - this.#benchmarkWad) / this.initialEquity;
    const change = active - this.#active;
    this.#active = active;
    this.#steps++;
    this.#sumOfChanges += change;
    this.#sumOfSquares += change * change;
    if (active > this.#high) this.#high = active;
    else if (this.#high - active > this.#maxDrawdown) this.#maxDrawdown = this.#high - active;
  }

  /** @param stepSeconds length of a step */
  summary(stepSeconds: number) {
    const variance = this.#variance();
    return {
      initialEquity: this.initialEquity,
      finalBenchmark: this.benchmark,
      minSolvencyRatio: this.#minSolvencyRatio,
      maxDrawdown: this.#maxDrawdown as Wad,
      insolventSteps: this.#insolventSteps,
      secondsOutsideNormal: this.#secondsOutsideNormal,
      activeVariance: variance,
      trackingError: squareRootDown((variance * SECONDS_PER_YEAR) / BigInt(stepSeconds)) as Wad,
    };
  }

  /** Sample variance of the steps' changes of active PnL, scaled by 1e36; 0 below two steps. */
  #variance(): bigint {
    const n = this.#steps;
    return n < 2n
      ? 0n
      : (this.#sumOfSquares * n - this.#sumOfChanges * this.#sumOfChanges) / (n * (n - 1n));
  }
}

/**
 * Ederington's hedge effectiveness of step changes of active PnL: 1 - variance hedged / variance unhedged.
 *
 * @returns undefined where the unhedged run has no variance
 */
export function hedgeEffectiveness(hedged: bigint, unhedged: bigint): Wad | undefined {
  return unhedged === 0n ? undefined : WAD - (hedged * WAD) / unhedged;
}
