import type { Wad } from "../../units.ts";
import { createRandom, type Random } from "../random.ts";
import { feedPrice, type PricePath, priceNumber, SECONDS_PER_YEAR } from "./pricePath.ts";

/** What every synthetic path has. */
export interface PathFrame {
  readonly name: string;
  readonly startsAt: number;
  readonly stepSeconds: number;
  readonly steps: number;
  readonly open: Wad;
  /** Non-negative safe integer. */
  readonly seed: number;
}

/** Geometric Brownian motion. */
export interface DiffusionSettings {
  /** Volatility of the logarithm, per square root of a year of 365 days. */
  readonly sigma: number;
  /** Growth of the expected price per year; 0 makes the price a martingale. */
  readonly drift: number;
}

/** Merton's jumps on top of a diffusion. */
export interface JumpSettings extends DiffusionSettings {
  /** Jumps per year. */
  readonly intensity: number;
  /** Mean and deviation of a jump of the logarithm. */
  readonly jumpMean: number;
  readonly jumpDeviation: number;
}

/** Heston's stochastic volatility; `sigma` squared is both the first variance and the one that it returns to. */
export interface StochasticVolatilitySettings extends DiffusionSettings {
  /** Speed of the return, per year; positive. */
  readonly reversion: number;
  /** Volatility of the variance, per square root of a year; positive. */
  readonly volOfVol: number;
  /** Between the shocks of price and variance, -1 to 1. */
  readonly correlation: number;
}

/** Moves that happen within a single step of a diffusion. */
export interface GapSettings extends DiffusionSettings {
  /** Each step's relative move, -0.35 for a fall of 35 %; it takes the place of the step's own move. */
  readonly gaps: ReadonlyMap<number, number>;
}

/**
 * S' = S exp((drift - sigma^2 / 2) dt + sigma sqrt(dt) Z): exact at any step length. The seed decides every number;
 * exponential, logarithm and cosine are those that come with the runtime, not the operating system's, so that one
 * runtime version gives one path on every machine. Beyond the limits of scenarios prices stop at the limit
 * (docs/mathematics.md, "Paths and closed forms").
 */
export function geometricBrownianMotion(frame: PathFrame, settings: DiffusionSettings): PricePath {
  return syntheticPath(frame, (random, years) => diffusion(random, years, settings));
}

/**
 * Merton's jump diffusion, exact at any step length: a Poisson number n of jumps adds n mean + deviation sqrt(n) Z,
 * and the drift makes up for the jumps' mean, so that the expected price grows by `drift` alone.
 */
export function mertonJumps(frame: PathFrame, settings: JumpSettings): PricePath {
  const { intensity, jumpMean, jumpDeviation, drift } = settings;
  const meanMove = Math.exp(jumpMean + jumpDeviation ** 2 / 2) - 1;
  const compensated = { ...settings, drift: drift - intensity * meanMove };
  return syntheticPath(frame, (random, years) => {
    const diffuse = diffusion(random, years, compensated);
    return () => {
      const move = diffuse();
      const jumps = random.poisson(intensity * years);
      if (jumps === 0) return move;
      return move + jumps * jumpMean + jumpDeviation * Math.sqrt(jumps) * random.normal();
    };
  });
}

/** Where the quadratic form of a variance step gives way to a mass at zero and an exponential tail. */
const QUADRATIC_LIMIT = 1.5;

/**
 * Heston's model by Andersen's quadratic-exponential scheme ("Efficient simulation of the Heston stochastic volatility
 * model", 2008): each variance step has the exact conditional mean and variance, and the logarithm moves by
 *
 *     drift dt + K0 + K1 v + K2 v' + sqrt((1 - correlation^2) dt (v + v') / 2) Z,
 *
 * the trapezoid of the integrated variance. No martingale correction: at steps up to an hour its effect is far below
 * what a million paths could see.
 */
export function heston(frame: PathFrame, settings: StochasticVolatilitySettings): PricePath {
  const { sigma, drift, reversion, volOfVol, correlation } = settings;
  const level = sigma ** 2;
  return syntheticPath(frame, (random, years) => {
    const decay = Math.exp(-reversion * years);
    const varianceOfOld = (volOfVol ** 2 * decay * (1 - decay)) / reversion;
    const varianceOfLevel = (level * volOfVol ** 2 * (1 - decay) ** 2) / (2 * reversion);
    const fromVariance = correlation / volOfVol;
    const trapezoid = (years / 2) * (reversion * fromVariance - 1 / 2);
    const constant = (drift - reversion * level * fromVariance) * years;
    const independent = ((1 - correlation ** 2) * years) / 2;

    const nextVariance = (old: number): number => {
      const mean = level + (old - level) * decay;
      const spread = (old * varianceOfOld + varianceOfLevel) / mean ** 2;
      if (spread <= QUADRATIC_LIMIT) {
        const inverse = 2 / spread;
        const square = inverse - 1 + Math.sqrt(inverse * (inverse - 1));
        return (mean / (1 + square)) * (Math.sqrt(square) + random.normal()) ** 2;
      }
      const atZero = (spread - 1) / (spread + 1);
      const draw = random.uniform();
      return draw <= atZero ? 0 : (mean / (1 - atZero)) * Math.log((1 - atZero) / (1 - draw));
    };

    let variance = level;
    return () => {
      const old = variance;
      variance = nextVariance(old);
      return (
        constant +
        (trapezoid - fromVariance) * old +
        (trapezoid + fromVariance) * variance +
        Math.sqrt(independent * (old + variance)) * random.normal()
      );
    };
  });
}

/** A geometric Brownian motion in which some steps move by a given amount instead. */
export function gaps(frame: PathFrame, settings: GapSettings): PricePath {
  return syntheticPath(frame, (random, years) => {
    const diffuse = diffusion(random, years, settings);
    let step = 0;
    return () => {
      const move = diffuse();
      const gap = settings.gaps.get(step++);
      return gap === undefined ? move : Math.log1p(gap);
    };
  });
}

/** Log returns of a geometric Brownian motion. */
function diffusion(random: Random, years: number, settings: DiffusionSettings): () => number {
  const { sigma, drift } = settings;
  const mean = (drift - sigma ** 2 / 2) * years;
  const deviation = sigma * Math.sqrt(years);
  return () => mean + deviation * random.normal();
}

/**
 * A path from its log returns.
 *
 * @param start gives a fresh sequence of log returns from a generator and the step's length in years
 */
function syntheticPath(
  frame: PathFrame,
  start: (random: Random, years: number) => () => number,
): PricePath {
  const { seed, ...shape } = frame;
  return {
    ...shape,
    *bars() {
      const next = start(createRandom(seed, "price path"), frame.stepSeconds / SECONDS_PER_YEAR);
      const open = priceNumber(frame.open);
      let logReturn = 0;
      for (let step = 0; step < frame.steps; step++) {
        logReturn += next();
        yield { close: feedPrice(open * Math.exp(logReturn)) };
      }
    },
  };
}
