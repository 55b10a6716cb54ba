import { z } from "zod";
import { rescale, WAD_DECIMALS, type Wad } from "../units.ts";
import { BadInputError, causeInOneLine } from "./errors.ts";
import {
  checkScenario,
  MAXIMUM_BARS,
  MAXIMUM_STEP_SECONDS,
  MINIMUM_STEP_SECONDS,
  PRICE_DECIMALS,
  readPrice,
  type Scenario,
} from "./scenario.ts";

/** What one unit of a file's prices is worth in quote tokens, as decimals. */
const PRICE_UNITS = new Map([
  ["USD cents per ETH", 2],
  ["USD per ETH", 0],
]);

/** Messages say what is allowed: zod's own would only tell what it found. */
const text = (maximum: number) => {
  const allowed = `must be text of 1 to ${maximum} characters`;
  return z.string(allowed).min(1, allowed).max(maximum, allowed);
};
const integer = (minimum: number, maximum: number) => {
  const allowed = `must be a whole number from ${minimum} to ${maximum}`;
  return z.int(allowed).min(minimum, allowed).max(maximum, allowed);
};
const PRICE = "must be a positive decimal number such as 194.61";
const price = z.number(PRICE).positive(PRICE);
const PATH = `must be a list of 1 to ${MAXIMUM_BARS} prices`;
const path = z.array(price, PATH).min(1, PATH).max(MAXIMUM_BARS, PATH);
const NAME = "must be up to 100 letters, digits, dots, dashes and underscores";
const TIME = "must be an ISO 8601 time such as 2020-03-12T00:00:00Z";
const UNIT = `must be one of: ${[...PRICE_UNITS.keys()].join(", ")}`;
const GAS = "must be a number from 0 to 1000000";
const GAS_PATH = "must be a list of gas prices";
const scenarioSchema = z.object(
  {
    name: z.string(NAME).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, NAME),
    title: text(200),
    source: text(500),
    startsAt: z.iso.datetime({ offset: true, error: TIME }),
    stepSeconds: integer(MINIMUM_STEP_SECONDS, MAXIMUM_STEP_SECONDS),
    priceUnit: z.string(UNIT).refine((unit) => PRICE_UNITS.has(unit), UNIT),
    open: price,
    close: path,
    high: path.optional(),
    low: path.optional(),
    gasPriceGwei: z
      .object(
        {
          stepSeconds: integer(1, Number.MAX_SAFE_INTEGER),
          values: z.array(z.number(GAS).min(0, GAS).max(1_000_000, GAS), GAS_PATH).min(1, GAS_PATH),
        },
        "must be an object with stepSeconds and values",
      )
      .optional(),
  },
  "must be an object with the fields of a scenario",
);

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
    const refusePrice = (reason: string) => refuse(field, reason);
    const price = readPrice(String(value), PRICE_DECIMALS - unitDecimals, refusePrice);
    return rescale(price, PRICE_DECIMALS, WAD_DECIMALS);
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
