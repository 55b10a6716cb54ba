import type { Result } from "ethers";
import { cacheBand, type Measured, type Measurements, measure } from "./band.ts";
import { abs } from "./numbers.ts";
import type { Journal, PoolEvents } from "./poolEvents.ts";
import { solvencyOf } from "./solvency.ts";
import { valueFloor } from "./state.ts";

/** What the rebalancer's events, and the margin pool's that it causes, stand for. */
export function bandEvents(j: Journal & { readonly measurements: Measurements }): {
  readonly rebalancer: PoolEvents;
  readonly marginPool: PoolEvents;
} {
  let started = false;
  let measured: Measured | undefined;

  /** Target, depth and band after the sync or the trade before it. */
  const updated = (args: Result): void => {
    j.flush();
    const { baseScale } = j.state;
    measured = measure(j.measurements, j.state, solvencyOf(j.state), args.unwindCostPpm);
    const { outerBandWad, depthBaseWad, varianceWad } = measured;
    j.same("BandUpdated.outerBand", outerBandWad / baseScale, args.outerBand);
    j.same("BandUpdated.depthBase", depthBaseWad / baseScale, args.depthBase);
    // the exponentials of its averages may differ in their last place
    const { targetVarianceWad } = args;
    if (abs(varianceWad - targetVarianceWad) * 10n ** 12n > varianceWad)
      j.same("BandUpdated.targetVarianceWad", varianceWad, targetVarianceWad);
  };

  const cached = (args: Result): void => {
    const { state } = j;
    if (!started) {
      // the constructor: nothing is measured, phi is one way of the round trip
      started = true;
      state.lastSyncAt = j.at;
      cacheBand(state, { outerBandWad: 0n, depthBaseWad: 0n }, args.unwindCostPpm);
      state.hedgeRatePpm = args.hedgeRatePpm;
      return;
    }
    if (measured === undefined) {
      j.differences.push("BandCached without BandUpdated");
      return;
    }
    cacheBand(state, measured, args.unwindCostPpm);
    measured = undefined;
    j.same("BandCached.hedgeRatePpm", state.hedgeRatePpm, args.hedgeRatePpm);
    j.sync(); // the rebalancer lets the pool judge by the new band
  };

  /** Repeats what the two calls inside a rebalance left. */
  const rebalanced = (args: Result): void => {
    const { baseScale } = j.state;
    const [before = 0n, after = 0n] = j.exposures;
    j.same("Rebalanced.exposureBefore", before / baseScale, args.exposureBefore);
    j.same("Rebalanced.exposureAfter", after / baseScale, args.exposureAfter);
    const [base, quote]: [bigint, bigint] = [args.baseDelta, args.quoteDelta];
    const value = valueFloor(j.state, abs(base), args.indexPriceWad);
    const cost = base < 0n ? value - quote : -quote - value;
    j.same("Rebalanced.cost", cost, args.cost);
  };

  return {
    rebalancer: { BandUpdated: updated, Rebalanced: rebalanced },
    marginPool: { BandCached: cached },
  };
}
