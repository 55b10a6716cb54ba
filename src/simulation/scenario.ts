import { formatDecimal, parseDecimal, WAD_DECIMALS, type Wad } from "../units.ts";
import { quoted, shorten } from "./errors.ts";

/** A market path: bars of equal length, prices in whole quote tokens per whole base token. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  /** Unix seconds at which the first bar opens. */
  readonly startsAt: number;
  /** Length of a bar in seconds. */
  readonly stepSeconds: number;
  /** Price at `startsAt`. */
  readonly open: Wad;
  /** Closing price of each bar. */
  readonly close: readonly Wad[];
  /** Highest and lowest price of each bar, where known. */
  readonly high?: readonly Wad[];
  readonly low?: readonly Wad[];
  /** Gas price over time, where known: one value per `stepSeconds` from `startsAt` on, perhaps not to the end. */
  readonly gasPriceGwei?: { readonly stepSeconds: number; readonly values: readonly number[] };
}

/** Bars shorter than a block leave no room for a price round, orders and a keeper's call. */
export const MINIMUM_STEP_SECONDS = 12;
/** Bars longer than this outlast the price feed's heartbeat. */
export const MAXIMUM_STEP_SECONDS = 3_600;
/** The feed's decimals: prices cannot be finer. */
export const PRICE_DECIMALS = 8;
/** Prices outside these are taken for a mistake. */
export const MINIMUM_PRICE: Wad = parseDecimal("0.01", WAD_DECIMALS);
export const MAXIMUM_PRICE: Wad = parseDecimal("10000000", WAD_DECIMALS);
/** A bar that moves the price by more than this factor is taken for a slip of the pen. */
const MAXIMUM_MOVE_FACTOR = 10n;
/** Longest path that is read. */
export const MAXIMUM_BARS = 100_000;
const EARLIEST_START = Date.UTC(2009, 0, 3) / 1000;
const LATEST_START = Date.UTC(2100, 0, 1) / 1000;

/** The same path cut to the bars `from` (inclusive) to `to` (exclusive); it opens at the close before `from`. */
export function sliceScenario(scenario: Scenario, from: number, to: number): Scenario {
  if (!(from >= 0 && from < to && to <= scenario.close.length)) {
    throw new RangeError(`bars ${from}..${to} are not within 0..${scenario.close.length}`);
  }
  return {
    name: `${scenario.name}[${from}..${to}]`,
    title: scenario.title,
    source: scenario.source,
    startsAt: scenario.startsAt + from * scenario.stepSeconds,
    stepSeconds: scenario.stepSeconds,
    open: from === 0 ? scenario.open : (scenario.close[from - 1] as Wad),
    close: scenario.close.slice(from, to),
    ...(scenario.high === undefined ? {} : { high: scenario.high.slice(from, to) }),
    ...(scenario.low === undefined ? {} : { low: scenario.low.slice(from, to) }),
    ...gasOfBars(scenario, from, to),
  };
}

/** Gas price in gwei when a bar opens; undefined where the scenario has none. */
export function gasPriceAt(scenario: Scenario, bar: number): number | undefined {
  const gas = scenario.gasPriceGwei;
  return gas?.values[Math.floor((bar * scenario.stepSeconds) / gas.stepSeconds)];
}

/** Gas prices of the bars `from` to `to`, one per bar, until the first bar without. */
function gasOfBars(scenario: Scenario, from: number, to: number): Pick<Scenario, "gasPriceGwei"> {
  const values: number[] = [];
  for (let bar = from; bar < to; bar++) {
    const value = gasPriceAt(scenario, bar);
    if (value === undefined) break;
    values.push(value);
  }
  return values.length === 0 ? {} : { gasPriceGwei: { stepSeconds: scenario.stepSeconds, values } };
}

/**
 * Reads a price as a file gives it.
 *
 * @param decimals digits after the point that the file's unit may have
 * @param refuse what is wrong with the text, and what is allowed
 */
export function readPrice(
  text: string,
  decimals: number,
  refuse: (reason: string) => never,
): bigint {
  try {
    return parseDecimal(text, decimals);
  } catch {
    return refuse(
      `${quoted(text)} is not a positive decimal number such as 194.61 with at most ${decimals} decimals`,
    );
  }
}

/** Reports a fault: which column, which bar (undefined where the fault is the whole column's), and why. */
export type RefuseBar = (column: string, bar: number | undefined, reason: string) => never;

/**
 * The checks that every scenario passes, whatever file it came from: sane dates, prices and moves, high and low
 * around the close.
 */
export function checkScenario(scenario: Scenario, refuse: RefuseBar): void {
  const { startsAt, open, close, high, low } = scenario;
  if (!Number.isInteger(startsAt) || startsAt < EARLIEST_START || startsAt > LATEST_START) {
    refuse("startsAt", undefined, "must be a whole second between 2009-01-03 and 2100-01-01");
  }
  if (close.length > MAXIMUM_BARS) refuse("close", undefined, `at most ${MAXIMUM_BARS} bars`);
  if (high !== undefined && high.length !== close.length) {
    refuse("high", undefined, `has ${high.length} bars, close has ${close.length}`);
  }
  if (low !== undefined && low.length !== close.length) {
    refuse("low", undefined, `has ${low.length} bars, close has ${close.length}`);
  }
  checkPrice(open, (reason) => refuse("open", undefined, reason));
  let previous = open;
  close.forEach((value, bar) => {
    checkPrice(value, (reason) => refuse("close", bar, reason));
    if (value > previous * MAXIMUM_MOVE_FACTOR || previous > value * MAXIMUM_MOVE_FACTOR) {
      refuse(
        "close",
        bar,
        `${show(previous)} to ${show(value)}; at most a factor of ${MAXIMUM_MOVE_FACTOR} from one bar to the next`,
      );
    }
    const top = high?.[bar];
    const bottom = low?.[bar];
    if (top !== undefined) checkPrice(top, (reason) => refuse("high", bar, reason));
    if (bottom !== undefined) checkPrice(bottom, (reason) => refuse("low", bar, reason));
    if (top !== undefined && top < value)
      refuse("high", bar, `${show(top)} is below the close ${show(value)}`);
    if (bottom !== undefined && bottom > value)
      refuse("low", bar, `${show(bottom)} is above the close ${show(value)}`);
    previous = value;
  });
}

function checkPrice(value: Wad, refuse: (reason: string) => never): void {
  if (value < MINIMUM_PRICE || value > MAXIMUM_PRICE) {
    refuse(
      `${show(value)} is not a price between ${show(MINIMUM_PRICE)} and ${show(MAXIMUM_PRICE)}`,
    );
  }
}

function show(value: Wad): string {
  return shorten(formatDecimal(value, WAD_DECIMALS));
}
