import { parseDecimal, WAD_DECIMALS } from "../../units.ts";
import { BadInputError, quoted } from "../errors.ts";
import { MAXIMUM_STEP_SECONDS } from "../scenario.ts";
import type { PricePath } from "./pricePath.ts";
import { gaps, geometricBrownianMotion, heston, mertonJumps, type PathFrame } from "./processes.ts";
import { BLOCK_SECONDS } from "./refine.ts";
import { type NumberSetting, SettingsReader } from "./settingsReader.ts";

/** Settings of every process. */
const COMMON = {
  sigma: { value: 0.8, from: 0, to: 5 },
  drift: { value: 0, from: -10, to: 10 },
  open: { value: 2_000, from: 0.01, to: 10_000_000 },
  days: { value: 2, from: 0.001, to: 36_500 },
  step: { value: 300, from: BLOCK_SECONDS, to: MAXIMUM_STEP_SECONDS },
} as const satisfies Record<string, NumberSetting>;

const JUMPS = {
  intensity: { value: 50, from: 0, to: 10_000 },
  jumpMean: { value: -0.02, from: -1, to: 1 },
  jumpDeviation: { value: 0.05, from: 0, to: 0.5 },
} as const satisfies Record<string, NumberSetting>;

const STOCHASTIC_VOLATILITY = {
  // At zero the price would have no variance to return to.
  sigma: { ...COMMON.sigma, from: 0.01 },
  reversion: { value: 10, from: 0.1, to: 1_000 },
  volOfVol: { value: 2, from: 0.01, to: 20 },
  correlation: { value: -0.5, from: -1, to: 1 },
} as const satisfies Record<string, NumberSetting>;

/** Relative moves of gaps: as a scenario, at most a factor of ten. */
const GAP = { from: -0.9, to: 9 };

type Build = (reader: SettingsReader, frame: PathFrame) => PricePath;

const PROCESSES: Readonly<Record<string, Build>> = {
  gbm: (reader, frame) => geometricBrownianMotion(frame, reader.numbers(COMMON)),
  merton: (reader, frame) => mertonJumps(frame, reader.numbers({ ...COMMON, ...JUMPS })),
  heston: (reader, frame) => heston(frame, reader.numbers({ ...COMMON, ...STOCHASTIC_VOLATILITY })),
  gap: (reader, frame) =>
    gaps(frame, { ...reader.numbers(COMMON), gaps: readGaps(reader, frame.steps) }),
};

/** The processes that a path can follow. */
export const PROCESS_NAMES: readonly string[] = Object.keys(PROCESSES);

/** Synthetic paths open on a day without a past. */
const STARTS_AT = Date.UTC(2025, 0, 1) / 1_000;
const SECONDS_PER_DAY = 86_400;

/** Whether a text names a synthetic path rather than a scenario or a file. */
export function isSyntheticPath(text: string): boolean {
  return PROCESS_NAMES.includes(text.split(":", 1)[0] ?? "");
}

/**
 * Reads a synthetic path as users write it: a process, then settings.
 *
 *     gbm:sigma=0.8,days=2,step=300
 *     merton:sigma=0.6,intensity=50,jumpMean=-0.02,jumpDeviation=0.05
 *     heston:sigma=0.8,reversion=10,volOfVol=2,correlation=-0.5
 *     gap:size=-0.35/0.1,at=144/300
 *
 * All take `sigma`, `drift` (per year), `open`, `days` and `step` (seconds). `size` lists relative moves, `at` the steps they
 * happen in, counted from 0; without `at` they divide the path evenly.
 *
 * @param seed non-negative safe integer
 * @throws BadInputError with one line: what is wrong, where, and what is allowed
 */
export function parsePath(text: string, seed: number): PricePath {
  const colon = text.indexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  const build = Object.hasOwn(PROCESSES, name) ? PROCESSES[name] : undefined;
  if (build === undefined) {
    throw new BadInputError(
      `path ${quoted(text)}: the process ${quoted(name)} is unknown; available: ${PROCESS_NAMES.join(", ")}`,
    );
  }
  const reader = new SettingsReader(`path ${quoted(text)}`, colon < 0 ? "" : text.slice(colon + 1));
  const { open, days, step } = reader.numbers(COMMON);
  if (!Number.isInteger(step)) reader.refuse("step", `${step} is not a whole number of seconds`);
  const steps = Math.round((days * SECONDS_PER_DAY) / step);
  if (Math.abs(steps * step - days * SECONDS_PER_DAY) > 1e-3 || steps === 0) {
    reader.refuse("days", `${days} days are not a whole number of steps of ${step} s`);
  }
  const path = build(reader, {
    name: text,
    startsAt: STARTS_AT,
    stepSeconds: step,
    steps,
    open: parseDecimal(reader.text("open") ?? String(open), WAD_DECIMALS),
    seed,
  });
  reader.finish();
  return path;
}

/** Relative moves by step. */
function readGaps(reader: SettingsReader, steps: number): Map<number, number> {
  const sizes = (reader.text("size") ?? reader.refuse("size", "is missing; such as size=-0.35"))
    .split("/")
    .map((text) => reader.number("size", text, GAP));
  const places = reader
    .text("at")
    ?.split("/")
    .map((text) => readStep(reader, text, steps));
  const at = places ?? sizes.map((_, i) => Math.floor((steps * (i + 1)) / (sizes.length + 1)));
  if (at.length !== sizes.length) {
    reader.refuse("at", `${at.length} steps for ${sizes.length} sizes`);
  }
  if (new Set(at).size !== at.length) reader.refuse("at", "two gaps in one step");
  return new Map(at.map((step, i) => [step, sizes[i] as number]));
}

function readStep(reader: SettingsReader, text: string, steps: number): number {
  const step = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(step < steps)) {
    reader.refuse("at", `${quoted(text)} is not a step from 0 to ${steps - 1}`);
  }
  return step;
}
