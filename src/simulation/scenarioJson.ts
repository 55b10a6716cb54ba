import { z } from "zod";
import { parseDecimal, WAD_DECIMALS, type Wad } from "../units.ts";
import { BadInputError, causeInOneLine } from "./errors.ts";
import {
  checkScenario,
  MAXIMUM_BARS,
  MAXIMUM_STEP_SECONDS,
  MINIMUM_STEP_SECONDS,
  PRICE_DECIMALS,
  type Scenario,
} from "./scenario.ts";

/** What one unit of a file's prices is worth in quote tokens, as decimals. */
const PRICE_UNITS = new Map([
  ["USD cents per ETH", 2],
  ["USD per ETH", 0],
]);

const price = z.number().positive();
const scenarioSchema = z.object({
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
      "letters, digits, dots, dashes and underscores only",
    ),
  title: z.string().min(1).max(200),
  source: z.string().min(1).max(500),
  startsAt: z.iso.datetime({ offset: true }),
  stepSeconds: z.int().min(MINIMUM_STEP_SECONDS).max(MAXIMUM_STEP_SECONDS),
  priceUnit: z
    .string()
    .refine((unit) => PRICE_UNITS.has(unit), `allowed: ${[...PRICE_UNITS.keys()].join(", ")}`),
  open: price,
  close: z.array(price).min(1).max(MAXIMUM_BARS),
  high: z.array(price).optional(),
  low: z.array(price).optional(),
  gasPriceGwei: z
    .object({
      stepSeconds: z.int().positive(),
      values: z.array(z.number().nonnegative().max(1_000_000)).min(1),
    })
    .optional(),
});

/**
 * Reads a scenario in the JSON form of `scenarios/*.json`.
 *
 * @param label how messages call the file
 * @throws BadInputError naming the field
 */
export function parseJsonScenario(text: string, label: string): Scenario {
  const refuse = (field: string, reason: string): never => {
    throw new BadInputError(`scenario ${label}: ${field}: ${reason}`);
  };
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (thrown) {
    throw new BadInputError(`scenario ${label} is not JSON: ${causeInOneLine(thrown)}`);
  }
  const parsed = scenarioSchema.safeParse(data);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return refuse(fieldName(issue?.path ?? []), issue?.message ?? "invalid");
  }
  const raw = parsed.data;
  const unitDecimals = PRICE_UNITS.get(raw.priceUnit) ?? 0;
  const convert = (value: number, field: string): Wad => {
    try {
      const wad = parseDecimal(String(value), PRICE_DECIMALS - unitDecimals);
      return wad * 10n ** BigInt(WAD_DECIMALS - PRICE_DECIMALS);
    } catch (thrown) {
      return refuse(field, causeInOneLine(thrown));
    }
  };
  const convertAll = (values: number[], field: string) =>
    values.map((value, i) => convert(value, `${field}[${i}]`));

  const scenario: Scenario = {
    name: raw.name,
    title: raw.title,
    source: raw.source,
    startsAt: Date.parse(raw.startsAt) / 1000,
    stepSeconds: raw.stepSeconds,
    open: convert(raw.open, "open"),
    close: convertAll(raw.close, "close"),
    ...(raw.high === undefined ? {} : { high: convertAll(raw.high, "high") }),
    ...(raw.low === undefined ? {} : { low: convertAll(raw.low, "low") }),
    ...(raw.gasPriceGwei === undefined ? {} : { gasPriceGwei: raw.gasPriceGwei }),
  };
  checkScenario(scenario, (column, bar, reason) =>
    refuse(bar === undefined ? column : `${column}[${bar}]`, reason),
  );
  return scenario;
}

function fieldName(path: readonly PropertyKey[]): string {
  const name = path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("");
  return name === "" ? "the file" : name.replace(/^\./, "");
}
