import { toNumber, WAD_DECIMALS } from "../units.ts";
import { createRandom, type Random } from "./random.ts";
import type { Scenario } from "./scenario.ts";

/** The crowds that can be simulated. */
export const FLOW_NAMES = ["noise", "momentum", "crowded"] as const;
export type FlowName = (typeof FLOW_NAMES)[number];

/**
 * What a trader wants at one step. Intents depend on path, flow and seed alone, never on what a run did with
 * earlier ones: all runs of a comparison get the same list.
 */
export interface Intent {
  /** Bar, counted from 0. */
  readonly step: number;
  /** Index of the trader account. */
  readonly trader: number;
  /** Whole quote tokens, signed: buys positive. */
  readonly notionalQuote: number;
  /** What the trader would like, before the protocol's limit. */
  readonly leverage: number;
  /** Most the trader pays above index (below, for sells), all costs included, in basis points: -40 ln(uniform). */
  readonly reservationCostBps: number;
}

export interface FlowParameters {
  /** LP equity at the start, whole quote tokens: order flow scales with it. */
  readonly initialEquityQuote: number;
  /** Share of LP equity held in base; moves the equity the gross cap refers to. */
  readonly targetBaseWeight: number;
}

/** Trader accounts; one position and one pending order each. */
export const TRADER_COUNT = 40;
const SECONDS_PER_DAY = 86_400;

// The flow that the parameters of the protocol were chosen with.
const TURNOVER_PER_DAY = 1.5; // notional ordered per day, in units of initial LP equity
const GAP_INTENSITY = 6; // orders arrive (1 + 6 |gap to target|) times as often
const GROSS_CAP = 0.45; // open interest per side, in units of LP equity
const LEVERAGES = [2, 3, 5, 8, 12, 20] as const;
const ACCEPTANCE_SCALE_BPS = 40; // an order at cost c bp is accepted with probability exp(-c/40)

// Order size: lognormal with mean 50 k, between 5 k and 1 M, for 10 M of LP equity.
const SIZE_REFERENCE_EQUITY = 10_000_000;
const SIZE_MEAN = 50_000;
const SIZE_MINIMUM = 5_000;
const SIZE_MAXIMUM = 1_000_000;
const SIZE_LOG_DEVIATION = 1;

const NOISE_PER_SQRT_DAY = 0.12;
const NOISE_REVERSION_DAYS = 3;
const MOMENTUM_WINDOW_SECONDS = 4 * 3_600;
const MOMENTUM_SCALE = 0.04;
const MOMENTUM_SKEW = 0.45;
const MOMENTUM_NOISE = 0.25;
const CROWDED_SKEW = 0.45;
const CROWDED_NOISE = 0.2;
/** The crowd starts to leave at this drawdown from the high and is gone at twice it. */
const CROWDED_DRAWDOWN = 0.15;

/** Cost a shadow order is assumed to meet: fee, price band and a typical premium. */
const SHADOW_COST_BPS = 12;
/** A shadow position is wiped out when this share of its notional is left. */
const SHADOW_MAINTENANCE = 0.02;

/** One account of the generator's own book: what the crowd would hold if a typical protocol filled it. */
interface ShadowPosition {
  size: number;
  entryNotional: number;
  margin: number;
}

/**
 * Produces all intents of a path, ordered by step. The gap that drives direction and intensity is measured against a
 * shadow book, so that the list is independent of any run.
 *
 * @param seed non-negative safe integer
 * @returns at most one intent per trader and step
 */
export function generateIntents(
  scenario: Scenario,
  flow: FlowName,
  seed: number,
  parameters: FlowParameters,
): Intent[] {
  const prices = scenario.close.map((price) => toNumber(price, WAD_DECIMALS));
  const open = toNumber(scenario.open, WAD_DECIMALS);
  const targets = skewTargets(
    flow,
    [open, ...prices],
    scenario.stepSeconds,
    createRandom(seed, "skew noise"),
  );
  const random = createRandom(seed, "orders");
  const book = new ShadowBook();
  const sizeScale = parameters.initialEquityQuote / SIZE_REFERENCE_EQUITY;
  const ordersPerStep =
    (TURNOVER_PER_DAY * SIZE_REFERENCE_EQUITY * scenario.stepSeconds) /
    (SIZE_MEAN * SECONDS_PER_DAY);

  const intents: Intent[] = [];
  let equity = parameters.initialEquityQuote;
  let previous = open;
  prices.forEach((price, step) => {
    equity *= 1 + parameters.targetBaseWeight * (price / previous - 1);
    previous = price;
    book.liquidate(price);
    const gap = (targets[step + 1] as number) - (book.skew() * price) / equity;
    const intensity = 1 + GAP_INTENSITY * Math.abs(gap);
    const towardTarget = (0.5 + GAP_INTENSITY * Math.abs(gap)) / intensity;
    const idle = Array.from({ length: TRADER_COUNT }, (_, trader) => trader);
    const count = Math.min(random.poisson(ordersPerStep * intensity), TRADER_COUNT);
    for (let order = 0; order < count; order++) {
      const direction = random.uniform() < towardTarget === gap >= 0 ? 1 : -1;
      const notionalQuote = Math.round(drawSize(random) * sizeScale);
      const leverage = LEVERAGES[random.integer(LEVERAGES.length)] as number;
      const reservationCostBps = -ACCEPTANCE_SCALE_BPS * Math.log(1 - random.uniform());
      const trader = idle.splice(random.integer(idle.length), 1)[0] as number;
      if (
        notionalQuote === 0 ||
        !book.fits(trader, direction * notionalQuote, price, GROSS_CAP * equity)
      )
        continue;
      intents.push({
        step,
        trader,
        notionalQuote: direction * notionalQuote,
        leverage,
        reservationCostBps,
      });
      if (reservationCostBps >= SHADOW_COST_BPS)
        book.fill(trader, direction * notionalQuote, price, leverage);
    }
  });
  return intents;
}

/**
 * The skew (longs minus shorts, in units of LP equity) that the crowd would like, per point of `prices`.
 *
 * @param prices opening price first, then one per bar
 */
export function skewTargets(
  flow: FlowName,
  prices: readonly number[],
  stepSeconds: number,
  random: Random,
): number[] {
  const days = stepSeconds / SECONDS_PER_DAY;
  const decay = Math.exp(-days / NOISE_REVERSION_DAYS);
  const deviation =
    NOISE_PER_SQRT_DAY * Math.sqrt((NOISE_REVERSION_DAYS / 2) * (1 - decay * decay));
  const window = Math.max(1, Math.round(MOMENTUM_WINDOW_SECONDS / stepSeconds));
  let noise = 0;
  let high = 0;
  return prices.map((price, i) => {
    noise = noise * decay + deviation * random.normal();
    high = Math.max(high, price);
    if (flow === "noise") return noise;
    if (flow === "momentum") {
      const change = price / (prices[Math.max(0, i - window)] as number) - 1;
      return MOMENTUM_SKEW * Math.tanh(change / MOMENTUM_SCALE) + MOMENTUM_NOISE * noise;
    }
    const excess = Math.max(0, 1 - price / high - CROWDED_DRAWDOWN) / CROWDED_DRAWDOWN;
    return CROWDED_SKEW * Math.max(0, 1 - excess) + CROWDED_NOISE * noise;
  });
}

function drawSize(random: Random): number {
  const location = Math.log(SIZE_MEAN) - SIZE_LOG_DEVIATION ** 2 / 2;
  const size = Math.exp(location + SIZE_LOG_DEVIATION * random.normal());
  return Math.min(SIZE_MAXIMUM, Math.max(SIZE_MINIMUM, size));
}

class ShadowBook {
  readonly #positions: ShadowPosition[] = Array.from({ length: TRADER_COUNT }, () => ({
    size: 0,
    entryNotional: 0,
    margin: 0,
  }));

  /** Longs minus shorts, base. */
  skew(): number {
    return this.#positions.reduce((sum, position) => sum + position.size, 0);
  }

  /** Whether the order's side stays within the cap (quote). */
  fits(trader: number, notional: number, price: number, cap: number): boolean {
    const side = Math.sign(notional);
    const own = (this.#positions[trader] as ShadowPosition).size;
    const others =
      this.#positions.reduce((sum, { size }) => sum + Math.max(0, side * size), 0) -
      Math.max(0, side * own);
    return (others + Math.max(0, side * (own + notional / price))) * price <= cap;
  }

  fill(trader: number, notional: number, price: number, leverage: number): void {
    const position = this.#positions[trader] as ShadowPosition;
    const size = position.size + notional / price;
    if (position.size * notional >= 0) {
      position.entryNotional += Math.abs(notional);
      position.margin += Math.abs(notional) / leverage;
    } else if (size * position.size > 0) {
      const left = size / position.size;
      position.entryNotional *= left;
      position.margin *= left;
    } else {
      position.entryNotional = Math.abs(size) * price;
      position.margin = position.entryNotional / leverage;
    }
    position.size = size;
  }

  liquidate(price: number): void {
    for (const position of this.#positions) {
      const value = Math.abs(position.size) * price;
      const profit = Math.sign(position.size) * (value - position.entryNotional);
      if (value > 0 && position.margin + profit < SHADOW_MAINTENANCE * value) {
        position.size = 0;
        position.entryNotional = 0;
        position.margin = 0;
      }
    }
  }
}
