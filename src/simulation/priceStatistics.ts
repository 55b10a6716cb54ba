/**
 * Distributions of prices and estimators of their variance, as doubles (docs/mathematics.md, "Paths and closed forms").
 */

/** Mean and variance. */
export interface Moments {
  readonly mean: number;
  readonly variance: number;
}

/** Log return of a geometric Brownian motion: (drift - sigma^2 / 2) T and sigma^2 T. */
export function diffusionMoments(sigma: number, drift: number, years: number): Moments {
  return { mean: (drift - sigma ** 2 / 2) * years, variance: sigma ** 2 * years };
}

/**
 * Log return of Merton's jump diffusion with compensated drift: a jump's mean m and second moment m^2 + d^2 times the expected
 * number of jumps come on top of the diffusion.
 */
export function jumpMoments(
  sigma: number,
  drift: number,
  jumps: { readonly intensity: number; readonly mean: number; readonly deviation: number },
  years: number,
): Moments {
  const { intensity, mean, deviation } = jumps;
  const compensation = intensity * (Math.exp(mean + deviation ** 2 / 2) - 1);
  const diffusion = diffusionMoments(sigma, drift - compensation, years);
  return {
    mean: diffusion.mean + intensity * mean * years,
    variance: diffusion.variance + intensity * (mean ** 2 + deviation ** 2) * years,
  };
}

/** Integrated variance and log return of Heston's model. */
export interface StochasticVolatilityMoments {
  readonly integratedVariance: Moments;
  readonly logReturn: Moments;
}

/**
 * Moments of Heston's model whose variance starts at its long-run level l. With a = exp(-k T), xi the volatility of variance and
 * I the integrated variance: E I = l T, Var I = l xi^2 / k^2 (T - (1 - a)^2 / k - (1 - a^2) / (2 k)),
 * Cov(I, v_T) = l xi^2 (1 - a)^2 / (2 k^2), and since the integral M of sqrt(v) dW is (v_T - l - k l T + k I) / xi,
 * Var(log return) = E I + Var I / 4 - rho Cov(I, M).
 */
export function stochasticVolatilityMoments(
  settings: {
    readonly sigma: number;
    readonly drift: number;
    readonly reversion: number;
    readonly volOfVol: number;
    readonly correlation: number;
  },
  years: number,
): StochasticVolatilityMoments {
  const { sigma, drift, reversion, volOfVol, correlation } = settings;
  const level = sigma ** 2;
  const decay = Math.exp(-reversion * years);
  const scale = level * (volOfVol / reversion) ** 2;
  const mean = level * years;
  const variance =
    scale * (years - (1 - decay) ** 2 / reversion - (1 - decay ** 2) / (2 * reversion));
  const withLastVariance = (scale * (1 - decay) ** 2) / 2;
  const withShock = (withLastVariance + reversion * variance) / volOfVol;
  return {
    integratedVariance: { mean, variance },
    logReturn: {
      mean: drift * years - mean / 2,
      variance: mean + variance / 4 - correlation * withShock,
    },
  };
}

/** Weight that an exponentially weighted average leaves to the past after `elapsed`: exp(-elapsed / tau). */
export function ewmaDecay(elapsed: number, tau: number): number {
  return Math.exp(-elapsed / tau);
}

/**
 * One update of the volatility oracle's rule: v' = a v + (1 - a) r^2 / dt (RiskMetrics 1996). On returns of constant size v
 * approaches r^2 / dt as a^n.
 *
 * @param decay a, such as `ewmaDecay(elapsed, tau)`
 * @param elapsed dt; 1 where the variance is per period
 */
export function ewmaVariance(
  variance: number,
  logReturn: number,
  decay: number,
  elapsed = 1,
): number {
  return decay * variance + ((1 - decay) * logReturn ** 2) / elapsed;
}

/** A bar's prices. */
export interface PriceRange {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

/** Variance of the logarithm over a bar from its range: ln(H/L)^2 / (4 ln 2) (Parkinson 1980). */
export function parkinsonVariance({ high, low }: Pick<PriceRange, "high" | "low">): number {
  return Math.log(high / low) ** 2 / (4 * Math.LN2);
}

/** The same with the close: ln(H/L)^2 / 2 - (2 ln 2 - 1) ln(C/O)^2 (Garman, Klass 1980). */
export function garmanKlassVariance({ open, high, low, close }: PriceRange): number {
  return Math.log(high / low) ** 2 / 2 - (2 * Math.LN2 - 1) * Math.log(close / open) ** 2;
}

/** The same whatever the drift: ln(H/C) ln(H/O) + ln(L/C) ln(L/O) (Rogers, Satchell 1991). */
export function rogersSatchellVariance({ open, high, low, close }: PriceRange): number {
  return (
    Math.log(high / close) * Math.log(high / open) + Math.log(low / close) * Math.log(low / open)
  );
}

/** Density of the standard normal distribution. */
export function normalDensity(x: number): number {
  return Math.exp(-(x ** 2) / 2) / Math.sqrt(2 * Math.PI);
}

/** Beyond this the tail's continued fraction converges, within it the series about zero does without cancellation. */
const TAIL = 3;
const FRACTION_TERMS = 100;

/** Standard normal distribution function, to about 13 digits also in the tails. */
export function normalDistribution(x: number): number {
  if (x > TAIL) return 1 - normalDistribution(-x);
  if (x < -TAIL) {
    let fraction = -x;
    for (let term = FRACTION_TERMS; term > 0; term--) fraction = -x + term / fraction;
    return normalDensity(x) / fraction;
  }
  let term = x;
  let sum = 0;
  for (let n = 3; sum + term !== sum; n += 2) {
    sum += term;
    term *= x ** 2 / n;
  }
  return 1 / 2 + normalDensity(x) * sum;
}

/** The x below which a standard normal lies with the given probability, by bisection. */
export function normalQuantile(probability: number): number {
  let [low, high] = [-40, 40];
  for (;;) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) return middle;
    if (normalDistribution(middle) < probability) low = middle;
    else high = middle;
  }
}

/** A loss exceeded with probability 1 - confidence, and the mean of those beyond it. */
export interface TailLoss {
  readonly valueAtRisk: number;
  readonly expectedShortfall: number;
}

/** Tail of a standard normal loss: z and phi(z) / (1 - confidence). */
export function normalTail(confidence: number): TailLoss {
  const quantile = normalQuantile(confidence);
  return {
    valueAtRisk: quantile,
    expectedShortfall: normalDensity(quantile) / (1 - confidence),
  };
}

/** Tail of the loss on one unit of a lognormal martingale, as a fraction of its price. */
export function lognormalTail(confidence: number, deviation: number): TailLoss {
  const quantile = normalQuantile(1 - confidence);
  return {
    valueAtRisk: -Math.expm1(quantile * deviation - deviation ** 2 / 2),
    expectedShortfall: 1 - normalDistribution(quantile - deviation) / (1 - confidence),
  };
}

/** -zeta(1/2) / sqrt(2 pi): how far beyond a barrier a random walk lands, in deviations of a step. */
const OVERSHOOT = 0.5825971579390107;

/**
 * Probability that a geometric Brownian motion touches a lower barrier before T, by reflection:
 * Phi((h - n T) / s) + exp(2 n h / sigma^2) Phi((h + n T) / s) with h = ln(barrier / price), n = drift - sigma^2 / 2, s = sigma sqrt(T).
 *
 * @param interval where only every `interval` years is looked: the barrier then lies 0.5826 sigma sqrt(interval) lower
 *   (Broadie, Glasserman, Kou 1997)
 */
export function touchProbability(
  settings: {
    readonly price: number;
    readonly barrier: number;
    readonly sigma: number;
    readonly drift: number;
    readonly years: number;
  },
  interval = 0,
): number {
  const { price, barrier, sigma, drift, years } = settings;
  const distance = Math.log(barrier / price) - OVERSHOOT * sigma * Math.sqrt(interval);
  const trend = drift - sigma ** 2 / 2;
  const deviation = sigma * Math.sqrt(years);
  return (
    normalDistribution((distance - trend * years) / deviation) +
    Math.exp((2 * trend * distance) / sigma ** 2) *
      normalDistribution((distance + trend * years) / deviation)
  );
}
