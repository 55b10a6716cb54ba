import { createRandom } from "../random.ts";
import type { Bar, PricePath } from "./pricePath.ts";

/** A bar whose gas price is known. */
export interface PricedBar extends Bar {
  readonly gasPriceGwei: number;
}

/** A path that tells the price of gas at every bar. */
export interface GasPath extends PricePath {
  bars(): Iterable<PricedBar>;
}

/** A mean-reverting gas price. */
export interface GasSettings {
  /** Gas price in gwei that it returns to, and starts at without a figure of the path's own. */
  readonly medianGwei: number;
  /** Long-run deviation of its logarithm. */
  readonly logDeviation: number;
  /** Seconds after which half of a distance from the median is left. */
  readonly halfLifeSeconds: number;
}

/** One wei: a price of zero has no logarithm. */
const LEAST_GWEI = 1e-9;

/**
 * Measured on the gas prices of 12 March 2020: the median of the eight hours before the crash, the deviation of the
 * logarithm over the day, and its autocorrelation of a half after four hours.
 */
export const GAS_OF_MARCH_2020: GasSettings = {
  medianGwei: 35,
  logDeviation: 0.75,
  halfLifeSeconds: 4 * 3_600,
};

/**
 * The path with a gas price in gwei at every bar: the path's own where it has one, else the logarithm of the last one moves as
 * an Ornstein-Uhlenbeck process around the median, exact at any step length:
 * g' = m + (g - m) a + d sqrt(1 - a^2) Z with a = 2^(-dt / half-life).
 */
export function gasPath(
  path: PricePath,
  seed: number,
  settings: GasSettings = GAS_OF_MARCH_2020,
): GasPath {
  const median = Math.log(settings.medianGwei);
  const decay = Math.exp((-Math.LN2 * path.stepSeconds) / settings.halfLifeSeconds);
  const deviation = settings.logDeviation * Math.sqrt(1 - decay ** 2);
  return {
    name: path.name,
    startsAt: path.startsAt,
    stepSeconds: path.stepSeconds,
    open: path.open,
    steps: path.steps,
    *bars() {
      const random = createRandom(seed, "gas price");
      let logarithm = median;
      for (const bar of path.bars()) {
        const drawn = median + (logarithm - median) * decay + deviation * random.normal();
        const gasPriceGwei = bar.gasPriceGwei ?? Math.exp(drawn);
        logarithm = Math.log(Math.max(gasPriceGwei, LEAST_GWEI));
        yield { ...bar, gasPriceGwei };
      }
    },
  };
}
