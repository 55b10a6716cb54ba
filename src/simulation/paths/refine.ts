import type { Wad } from "../../units.ts";
import { BadInputError } from "../errors.ts";
import { parkinsonVariance } from "../priceStatistics.ts";
import { createRandom } from "../random.ts";
import { type Bar, feedPrice, type PricePath, priceNumber } from "./pricePath.ts";

/** A block of the main network. */
export const BLOCK_SECONDS = 12;

/**
 * Fills the bars of a path with finer steps: a Brownian bridge of the logarithm from close to close. The last step
 * within a bar is the bar's close, to the unit; the others are moved to the nearer of high and low where they would
 * leave the bar's range, and the bridge goes on from there. The variance of a bar is its range's by Parkinson's formula
 * where high and low are known, else its squared return, which is right on average. A bar's steps depend on its own figures, its
 * number and the seed alone. The gas price is the bar's.
 *
 * Gaps and jumps inside a bar are spread over it: synthetic paths should have the fine step to begin with.
 *
 * @param stepSeconds new length of a step; divides the path's
 * @throws BadInputError when it does not
 */
export function refine(path: PricePath, seed: number, stepSeconds = BLOCK_SECONDS): PricePath {
  const parts = path.stepSeconds / stepSeconds;
  if (!Number.isInteger(parts) || stepSeconds <= 0) {
    throw new BadInputError(
      `path ${path.name}: bars of ${path.stepSeconds} s cannot be divided into steps of ${stepSeconds} s`,
    );
  }
  return {
    name: path.name,
    startsAt: path.startsAt,
    stepSeconds,
    open: path.open,
    steps: path.steps * parts,
    *bars() {
      let previous = path.open;
      let index = 0;
      for (const bar of path.bars()) {
        const gas = bar.gasPriceGwei === undefined ? {} : { gasPriceGwei: bar.gasPriceGwei };
        for (const close of bridge(previous, bar, parts, seed, index)) yield { close, ...gas };
        previous = bar.close;
        index++;
      }
    },
  };
}

/** Prices at the ends of a bar's parts. */
function* bridge(
  open: Wad,
  bar: Bar,
  parts: number,
  seed: number,
  index: number,
): Generator<Wad, void, undefined> {
  const random = createRandom(seed, `bridge ${index}`);
  const start = priceNumber(open);
  const end = Math.log(priceNumber(bar.close) / start);
  const deviation = Math.sqrt(barVariance(end, bar) / parts);
  let logReturn = 0;
  for (let left = parts; left > 1; left--) {
    const mean = logReturn + (end - logReturn) / left;
    const drawn = mean + deviation * Math.sqrt((left - 1) / left) * random.normal();
    const price = within(bar, feedPrice(start * Math.exp(drawn)));
    logReturn = Math.log(priceNumber(price) / start);
    yield price;
  }
  yield bar.close;
}

function barVariance(logReturn: number, { high, low }: Bar): number {
  return high === undefined || low === undefined
    ? logReturn ** 2
    : parkinsonVariance({ high: priceNumber(high), low: priceNumber(low) });
}

function within({ high, low }: Bar, price: Wad): Wad {
  if (high !== undefined && price > high) return high;
  if (low !== undefined && price < low) return low;
  return price;
}
