import {
  abs,
  clamp,
  DAY,
  fadedShare,
  max,
  min,
  mulFloor,
  PPM,
  rootFloor,
  WAD,
  YEAR,
} from "./numbers.ts";
import { atLeastOne, type Solvency, shock } from "./solvency.ts";
import type { State } from "./state.ts";

/** What the rebalancer remembers between two measurements. */
export interface Measurements {
  /** nu^2, (share of equity)^2 per year. */
  varianceWad: bigint;
  lastTargetWad: bigint;
  lastRoundId: bigint;
  lastSampledAt: bigint;
  lastDepthWad: bigint;
  /** Reserves of the constant-product pool, base first. */
  reserves: [base: bigint, quote: bigint];
}

/** What `BandUpdated` says, at 18 decimals. */
export interface Measured {
  outerBandWad: bigint;
  varianceWad: bigint;
  depthBaseWad: bigint;
}

const LN_2 = 693_147_180_559_945_309n;
const yearly = (daily: bigint): bigint => mulFloor(daily, daily) * 365n;

/** Before the first measurement. */
export const unmeasured = (initialTargetVolatilityWad: bigint): Measurements => ({
  varianceWad: yearly(initialTargetVolatilityWad),
  lastTargetWad: 0n,
  lastRoundId: 0n,
  lastSampledAt: 0n,
  lastDepthWad: 0n,
  reserves: [0n, 0n],
});

/** Measures target, depth and band anew at a state that is up to date. */
export function measure(
  m: Measurements,
  s: State,
  solvency: Solvency,
  unwindCostPpm: bigint,
): Measured {
  const { price, sigma, roundId } = s.market;
  const equity = atLeastOne(solvency.equity);
  const elapsed = s.at - m.lastSampledAt;
  if (m.lastRoundId !== 0n) {
    const moved = (abs(solvency.targetInventory - m.lastTargetWad) * price) / equity;
    m.varianceWad = nextVariance(m.varianceWad, min(moved, 10n * WAD), elapsed);
  }
  [m.lastTargetWad, m.lastRoundId, m.lastSampledAt] = [solvency.targetInventory, roundId, s.at];
  const depthBaseWad = nextDepth(m, s, elapsed);

  // h_out = E / P min(cbrt(3 eps nu^2 / (2 rho sigma^2)), 2.5 % / shock), rho = 20
  const cube = (3n * unwindCostPpm * m.varianceWad * WAD) / (40n * PPM * mulFloor(sigma, sigma));
  const share = min(rootFloor(cube * WAD * WAD, 3n), ((WAD / 40n) * WAD) / shock(sigma));
  return { outerBandWad: (equity * share) / price, varianceWad: m.varianceWad, depthBaseWad };
}

/** One day's EWMA of the target's moves, at most doubling a day and never below (0.5 %)^2 a day. */
function nextVariance(variance: bigint, move: bigint, elapsed: bigint): bigint {
  const weight = fadedShare(elapsed, DAY);
  const sample = (mulFloor(move, move) * YEAR) / elapsed;
  const updated = mulFloor(variance, WAD - weight) + mulFloor(sample, weight);
  const doubled = mulFloor(variance, twoToThe(min(elapsed, 64n * DAY)));
  return max(min(updated, doubled), yearly((5n * WAD) / 1_000n));
}

/** 2^(seconds / day), 1e18: whole days doubled, the rest by its series. */
function twoToThe(seconds: bigint): bigint {
  const fine = 10n ** 40n;
  const x = ((LN_2 * seconds) / DAY) * (fine / WAD);
  let [term, sum] = [fine, fine];
  for (let n = 1n; term !== 0n; n += 1n) {
    term = (term * x) / (fine * n);
    sum += term;
  }
  return sum / (fine / WAD);
}

/** x_ema: depth counts once it stood in two samples in a row, falls at once and rises by a day's average. */
function nextDepth(m: Measurements, s: State, elapsed: bigint): bigint {
  const [base, quote] = m.reserves;
  const rootK = rootFloor(base * s.baseScale * quote * s.quoteScale, 2n);
  const depth = (rootK * WAD) / rootFloor(s.market.price * WAD, 2n);
  const last = m.lastDepthWad;
  m.lastDepthWad = depth;
  if (last === 0n) return depth;
  const counted = min(depth, last);
  if (counted <= s.depthBaseWad) return counted;
  return s.depthBaseWad + mulFloor(counted - s.depthBaseWad, fadedShare(elapsed, DAY));
}

/** Stores a band, as wide as there is room for. */
export function cacheBand(
  s: State,
  measured: Omit<Measured, "varianceWad">,
  unwindCostPpm: bigint,
): void {
  const room = 2n ** 104n - 1n;
  s.outerBandWad = min(measured.outerBandWad, room);
  s.depthBaseWad = min(measured.depthBaseWad, room);
  s.unwindCostPpm = clamp(unwindCostPpm, 0n, 2n ** 24n - 1n);
}
