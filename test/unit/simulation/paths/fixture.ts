import type { PricePath } from "../../../../src/simulation/paths/pricePath.ts";
import { priceNumber, SECONDS_PER_YEAR } from "../../../../src/simulation/paths/pricePath.ts";
import type { PathFrame } from "../../../../src/simulation/paths/processes.ts";
import { parseDecimal } from "../../../../src/units.ts";

/** 18-decimal number from text. */
export const wad = (text: string) => parseDecimal(text, 18);

/** A path's shape: a price of 2,000 from the start of 2025. */
export function frame(changes: Partial<PathFrame>): PathFrame {
  return {
    name: "test",
    startsAt: Date.UTC(2025, 0, 1) / 1_000,
    stepSeconds: 3_600,
    steps: 24,
    open: wad("2000"),
    seed: 1,
    ...changes,
  };
}

/** Length of a frame in years. */
export const years = ({ steps, stepSeconds }: PathFrame) =>
  (steps * stepSeconds) / SECONDS_PER_YEAR;

/** All prices of a path, the opening price first. */
export function prices(path: PricePath): number[] {
  const result = [priceNumber(path.open)];
  for (const { close } of path.bars()) result.push(priceNumber(close));
  return result;
}

/** Log returns of a path, step by step. */
export function logReturns(path: PricePath): number[] {
  const all = prices(path);
  return all.slice(1).map((price, i) => Math.log(price / (all[i] as number)));
}

/** The last price of a path over the first. */
export function totalRatio(path: PricePath): number {
  const all = prices(path);
  return (all.at(-1) as number) / (all[0] as number);
}
