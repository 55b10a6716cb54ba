import type { Random } from "../random.ts";

/** The crowds that can be simulated. */
export const FLOW_NAMES = ["noise", "momentum", "crowded", "contrarian", "adversary"] as const;
export type FlowName = (typeof FLOW_NAMES)[number];

/** The skew (longs minus shorts, in units of LP equity) that a crowd would like; asked once per price, in order. */
export type SkewTarget = (price: number) => number;

const SECONDS_PER_DAY = 86_400;
const NOISE_PER_SQRT_DAY = 0.12;
const NOISE_REVERSION_DAYS = 3;
/** Window of the recent move that momentum follows and contrarians trade against. */
const MOVE_WINDOW_SECONDS = 4 * 3_600;
const MOVE_SCALE = 0.04;
const MOVE_SKEW = 0.45;
const MOVE_NOISE = 0.25;
const CROWDED_SKEW = 0.45;
const CROWDED_NOISE = 0.2;
/** The crowd starts to leave at this drawdown from the high and is gone at twice it. */
const CROWDED_DRAWDOWN = 0.15;
/** The crowd beside an adversary: half the noise. */
const ADVERSARY_NOISE = 0.5;

/**
 * Makes a crowd's wish.
 *
 * - noise: mean-reverting, 12 % per square root of a day, 3 days
 * - momentum: 0.45 tanh(4 h return / 4 %) + 0.25 noise; contrarian: the same against the move
 * - crowded: 0.45 long, shrinking after a drawdown of 15 %, + 0.2 noise
 * - adversary: 0.5 noise; what the informed account adds is not part of the crowd
 *
 * @param stepSeconds time between two prices
 * @param random one normal number is drawn per price
 */
export function createSkewTarget(flow: FlowName, stepSeconds: number, random: Random): SkewTarget {
  const noise = meanReverting(stepSeconds, random);
  switch (flow) {
    case "noise":
      return noise;
    case "adversary":
      return () => ADVERSARY_NOISE * noise(0);
    case "crowded": {
      let high = 0;
      return (price) => {
        high = Math.max(high, price);
        const excess = Math.max(0, 1 - price / high - CROWDED_DRAWDOWN) / CROWDED_DRAWDOWN;
        return CROWDED_SKEW * Math.max(0, 1 - excess) + CROWDED_NOISE * noise(price);
      };
    }
    case "momentum":
    case "contrarian": {
      const move = recentMove(stepSeconds);
      const skew = flow === "momentum" ? MOVE_SKEW : -MOVE_SKEW;
      return (price) => skew * Math.tanh(move(price) / MOVE_SCALE) + MOVE_NOISE * noise(price);
    }
  }
}

function meanReverting(stepSeconds: number, random: Random): SkewTarget {
  const decay = Math.exp(-stepSeconds / SECONDS_PER_DAY / NOISE_REVERSION_DAYS);
  const deviation =
    NOISE_PER_SQRT_DAY * Math.sqrt((NOISE_REVERSION_DAYS / 2) * (1 - decay * decay));
  let noise = 0;
  return () => {
    noise = noise * decay + deviation * random.normal();
    return noise;
  };
}

/** Return over the last four hours, or since the first price. */
function recentMove(stepSeconds: number): (price: number) => number {
  const length = Math.max(1, Math.round(MOVE_WINDOW_SECONDS / stepSeconds)) + 1;
  const ring: number[] = [];
  let oldest = 0;
  return (price) => {
    if (ring.length < length) ring.push(price);
    else {
      ring[oldest] = price;
      oldest = (oldest + 1) % length;
    }
    return price / (ring[oldest] as number) - 1;
  };
}
