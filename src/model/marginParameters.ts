import { revert } from "../math/revert.ts";
import type { Parameters } from "./calls.ts";
import type { ParametersRecord, ParameterValues } from "./state.ts";
import type { World } from "./world.ts";

// The twin of MarginParameters.sol: what the owner may set, how far and how fast, and the guardian's pause.

const BPS_TO_WAD = 10n ** 14n;
/** A change takes effect little by little over a day. */
export const RAMP = 86_400n;
/** Length of the guardian's pause, seconds. */
export const PAUSE = 259_200n;
const PAUSE_INTERVAL = 864_000n;
/** Least and largest value of each parameter, in the order of `Parameters`. */
const BOUNDS: readonly (readonly [bigint, bigint])[] = [
  [0n, 5_000n],
  [1_000n, 6_000n],
  [400n, 2_000n],
  [1_000n, 5_000n],
];
const DEFAULTS: ParameterValues = [500n, 6_000n, 400n, 1_000n];

/** Parameters as actions use them. */
export interface Values {
  readonly takerFeePpm: bigint;
  readonly openInterestLimitWad: bigint;
  readonly initialMarginFloorWad: bigint;
  readonly insuranceShareBps: bigint;
}

/** Those of a new pool. */
export function initial(): ParametersRecord {
  return { next: DEFAULTS, before: DEFAULTS, changedAt: 0n, pausedAt: 0n };
}

/** Parameters now, on their way between the last two settings. */
export function load(world: World): Values {
  const [fee, openInterest, margin, insurance] = valuesAt(world.cold.parameters, world.now);
  return {
    takerFeePpm: fee,
    openInterestLimitWad: openInterest * BPS_TO_WAD,
    initialMarginFloorWad: margin * BPS_TO_WAD,
    insuranceShareBps: insurance,
  };
}

/** The same as a view shows them, and those they lead to. */
export function show(
  record: ParametersRecord,
  now: bigint,
): { readonly current: Parameters; readonly next: Parameters } {
  return { current: named(valuesAt(record, now)), next: named(record.next) };
}

/**
 * Starts the way to new parameters.
 *
 * @throws Revert MarginPool_ParametersTooSoon, MarginPool_ParameterOutOfBounds
 */
export function set(record: ParametersRecord, now: bigint, p: Parameters): ParametersRecord {
  const { changedAt, pausedAt } = record;
  if (changedAt !== 0n && now < changedAt + RAMP) {
    revert("MarginPool_ParametersTooSoon", now, changedAt + RAMP);
  }
  const before = valuesAt(record, now);
  const next: ParameterValues = [
    checked(0, before, p.takerFeePpm),
    checked(1, before, p.openInterestLimitBps),
    checked(2, before, p.initialMarginFloorBps),
    checked(3, before, p.insuranceShareBps),
  ];
  return { next, before, changedAt: now, pausedAt };
}

/** @throws Revert MarginPool_PauseTooSoon */
export function pause(record: ParametersRecord, now: bigint): ParametersRecord {
  const { pausedAt } = record;
  if (pausedAt !== 0n && now < pausedAt + PAUSE_INTERVAL) {
    revert("MarginPool_PauseTooSoon", now, pausedAt + PAUSE_INTERVAL);
  }
  return { next: record.next, before: record.before, changedAt: record.changedAt, pausedAt: now };
}

function valuesAt({ next, before, changedAt }: ParametersRecord, now: bigint): ParameterValues {
  const elapsed = now - changedAt;
  if (next === before || elapsed >= RAMP) return next;
  return [
    between(before[0], next[0], elapsed),
    between(before[1], next[1], elapsed),
    between(before[2], next[2], elapsed),
    between(before[3], next[3], elapsed),
  ];
}

function between(from: bigint, target: bigint, elapsed: bigint): bigint {
  return from < target
    ? from + ((target - from) * elapsed) / RAMP
    : from - ((from - target) * elapsed) / RAMP;
}

function checked(which: 0 | 1 | 2 | 3, values: ParameterValues, value: bigint): bigint {
  const before = values[which];
  const step = before >= 10n ? before / 10n : 1n;
  const [least, most] = BOUNDS[which] as readonly [bigint, bigint];
  const below = before > step ? before - step : 0n;
  const minimum = least > below ? least : below;
  const maximum = most < before + step ? most : before + step;
  if (value < minimum || value > maximum) {
    revert("MarginPool_ParameterOutOfBounds", which, value, minimum, maximum);
  }
  return value;
}

function named([fee, openInterest, margin, insurance]: ParameterValues): Parameters {
  return {
    takerFeePpm: fee,
    openInterestLimitBps: openInterest,
    initialMarginFloorBps: margin,
    insuranceShareBps: insurance,
  };
}
