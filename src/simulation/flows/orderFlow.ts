import { createRandom, type Random } from "../random.ts";
import { ShadowBook, TRADER_COUNT } from "./shadowBook.ts";
import { createSkewTarget, type FlowName, type SkewTarget } from "./skewTarget.ts";

/**
 * What a trader wants at one step. Intents depend on path, flow and seed alone, never on what a run did with
 * earlier ones: all runs of a comparison get the same.
 */
export interface Intent {
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
const SIZE_LOCATION = Math.log(SIZE_MEAN) - SIZE_LOG_DEVIATION ** 2 / 2;

/** Cost a shadow order is assumed to meet: fee, price band and a typical premium. */
const SHADOW_COST_BPS = 12;

const NO_INTENTS: readonly Intent[] = [];

/**
 * A crowd's intents, one step after the other. The gap that drives direction and intensity is measured against a
 * shadow book, so that intents are independent of any run.
 */
export class OrderFlow {
  readonly #parameters: FlowParameters;
  readonly #target: SkewTarget;
  readonly #random: Random;
  readonly #book = new ShadowBook();
  readonly #sizeScale: number;
  readonly #ordersPerStep: number;
  #equity: number;
  #price: number;

  /**
   * @param open first price of the path, quote per base
   * @param seed non-negative safe integer
   */
  constructor(
    flow: FlowName,
    seed: number,
    path: { readonly open: number; readonly stepSeconds: number },
    parameters: FlowParameters,
  ) {
    this.#parameters = parameters;
    this.#random = createRandom(seed, "orders");
    this.#target = createSkewTarget(flow, path.stepSeconds, createRandom(seed, "skew noise"));
    this.#target(path.open);
    this.#sizeScale = parameters.initialEquityQuote / SIZE_REFERENCE_EQUITY;
    this.#ordersPerStep =
      (TURNOVER_PER_DAY * SIZE_REFERENCE_EQUITY * path.stepSeconds) / (SIZE_MEAN * SECONDS_PER_DAY);
    this.#equity = parameters.initialEquityQuote;
    this.#price = path.open;
  }

  /**
   * The intents of the next step.
   *
   * @param price close of the step's bar
   * @returns at most one intent per trader
   */
  next(price: number): readonly Intent[] {
    const { targetBaseWeight } = this.#parameters;
    this.#equity *= 1 + targetBaseWeight * (price / this.#price - 1);
    this.#price = price;
    this.#book.liquidate(price);
    const gap = this.#target(price) - (this.#book.skew() * price) / this.#equity;
    const intensity = 1 + GAP_INTENSITY * Math.abs(gap);
    const arrivals = this.#random.poisson(this.#ordersPerStep * intensity);
    return arrivals === 0
      ? NO_INTENTS
      : this.#intents(Math.min(arrivals, TRADER_COUNT), gap, intensity);
  }

  #intents(count: number, gap: number, intensity: number): Intent[] {
    const random = this.#random;
    const price = this.#price;
    const towardTarget = (0.5 + GAP_INTENSITY * Math.abs(gap)) / intensity;
    const busy: number[] = [];
    const intents: Intent[] = [];
    for (let order = 0; order < count; order++) {
      const direction = random.uniform() < towardTarget === gap >= 0 ? 1 : -1;
      const notionalQuote = direction * Math.round(drawSize(random) * this.#sizeScale);
      const leverage = LEVERAGES[random.integer(LEVERAGES.length)] as number;
      const reservationCostBps = -ACCEPTANCE_SCALE_BPS * Math.log(1 - random.uniform());
      const trader = idleTrader(random.integer(TRADER_COUNT - busy.length), busy);
      const fits =
        notionalQuote !== 0 &&
        this.#book.fits(trader, notionalQuote, price, GROSS_CAP * this.#equity);
      if (!fits) continue;
      intents.push({ trader, notionalQuote, leverage, reservationCostBps });
      if (reservationCostBps >= SHADOW_COST_BPS)
        this.#book.fill(trader, notionalQuote, price, leverage);
    }
    return intents;
  }
}

/** The trader with this rank among those who are not busy; joins the busy ones, which are in order. */
function idleTrader(rank: number, busy: number[]): number {
  let trader = rank;
  let place = 0;
  while (place < busy.length && (busy[place] as number) <= trader) {
    trader++;
    place++;
  }
  busy.splice(place, 0, trader);
  return trader;
}

function drawSize(random: Random): number {
  const size = Math.exp(SIZE_LOCATION + SIZE_LOG_DEVIATION * random.normal());
  return Math.min(SIZE_MAXIMUM, Math.max(SIZE_MINIMUM, size));
}
