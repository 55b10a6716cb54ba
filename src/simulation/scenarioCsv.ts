import { CsvError, parse } from "csv-parse/sync";
import { rescale, WAD_DECIMALS, type Wad } from "../units.ts";
import { BadInputError, causeInOneLine, quoted } from "./errors.ts";
import {
  checkScenario,
  MAXIMUM_STEP_SECONDS,
  MINIMUM_STEP_SECONDS,
  PRICE_DECIMALS,
  readPrice,
  type Scenario,
} from "./scenario.ts";

const PRICE_COLUMNS = ["close", "open", "high", "low"] as const;
const KNOWN_COLUMNS = ["time", ...PRICE_COLUMNS, "gas_gwei"];
const REQUIRED_COLUMNS = ["time", "close"];
/** Unix times from here on are milliseconds: as seconds they would lie beyond the year 5000. */
const FIRST_MILLISECONDS = 100_000_000_000;
const MAXIMUM_GAS_GWEI = 1_000_000;

/** One data row with the line of the file it stands on (the header is on row 1 unless blank lines precede it). */
interface Row {
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * Reads a scenario from CSV: a header with `time` (ISO 8601, or unix seconds or milliseconds: when the bar opens) and
 * `close`, optionally `open`, `high`, `low` (quote per base) and `gas_gwei`. Other columns are ignored. Rows must be
 * equally spaced. Without `open`, the path opens at the first close.
 *
 * @param text the file's content
 * @param label how messages call the file
 * @param name the scenario's name
 * @throws BadInputError with file, row and column
 */
export function parseCsvScenario(text: string, label: string, name: string): Scenario {
  const rows = splitRows(text, label);
  const header = rows[0];
  if (header === undefined)
    throw new BadInputError(`scenario ${label} is empty; expected a header with time and close`);
  const columns = readHeader(header, label);
  const data = rows.slice(1);
  if (data.length < 2) {
    throw new BadInputError(
      `scenario ${label}: ${data.length} data rows; at least 2 are needed to know the bar length`,
    );
  }

  const refuse = (line: number, column: string, reason: string): never => {
    throw new BadInputError(`scenario ${label}: row ${line}, column ${column}: ${reason}`);
  };
  for (const row of data) {
    if (row.fields.length !== header.fields.length) {
      const column = header.fields[Math.min(row.fields.length, header.fields.length - 1)] ?? "";
      refuse(
        row.line,
        column,
        `the row has ${row.fields.length} fields, the header ${header.fields.length}`,
      );
    }
  }
  const fieldOf = (row: Row, column: string): string => row.fields[columns.get(column) ?? -1] ?? "";

  const times = data.map((row) =>
    readTime(fieldOf(row, "time"), (reason) => refuse(row.line, "time", reason)),
  );
  const startsAt = times[0] as number;
  const stepSeconds = (times[1] as number) - startsAt;
  const lineOf = (bar: number): number => data[bar]?.line ?? header.line;
  if (
    !Number.isInteger(stepSeconds) ||
    stepSeconds < MINIMUM_STEP_SECONDS ||
    stepSeconds > MAXIMUM_STEP_SECONDS
  ) {
    const allowed = `must be ${MINIMUM_STEP_SECONDS} to ${MAXIMUM_STEP_SECONDS} s`;
    refuse(lineOf(1), "time", `${stepSeconds} s after the first row; the bar length ${allowed}`);
  }
  times.forEach((time, bar) => {
    const gap = bar === 0 ? stepSeconds : time - (times[bar - 1] as number);
    if (gap !== stepSeconds)
      refuse(
        lineOf(bar),
        "time",
        `${gap} s after the row before; every bar must take ${stepSeconds} s`,
      );
  });

  const prices = (column: string): Wad[] | undefined =>
    columns.has(column)
      ? data.map((row) => {
          const text = fieldOf(row, column);
          const value = readPrice(text, PRICE_DECIMALS, (reason) =>
            refuse(row.line, column, reason),
          );
          return rescale(value, PRICE_DECIMALS, WAD_DECIMALS);
        })
      : undefined;
  const close = prices("close") as Wad[];
  const open = prices("open");
  const high = prices("high");
  const low = prices("low");
  const gas = columns.has("gas_gwei")
    ? data.map((row) =>
        readGas(fieldOf(row, "gas_gwei"), (reason) => refuse(row.line, "gas_gwei", reason)),
      )
    : undefined;

  const scenario: Scenario = {
    name: name.replace(/[^A-Za-z0-9._-]+/g, "-"),
    title: name,
    source: `CSV file ${label}`,
    startsAt,
    stepSeconds,
    open: open?.[0] ?? (close[0] as Wad),
    close,
    ...(high === undefined ? {} : { high }),
    ...(low === undefined ? {} : { low }),
    ...(gas === undefined ? {} : { gasPriceGwei: { stepSeconds, values: gas } }),
  };
  // Without a column of its own, the opening price is the first close.
  const columnOf = (field: string): string =>
    field === "startsAt" ? "time" : columns.has(field) ? field : "close";
  checkScenario(scenario, (column, bar, reason) =>
    refuse(lineOf(bar ?? 0), columnOf(column), reason),
  );
  return scenario;
}

function splitRows(text: string, label: string): Row[] {
  try {
    const records: unknown = parse(text, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    });
    return (records as { record: string[]; info: { lines: number } }[]).map(({ record, info }) => ({
      line: info.lines,
      fields: record,
    }));
  } catch (thrown) {
    if (!(thrown instanceof CsvError)) throw thrown;
    const line = typeof thrown.lines === "number" ? thrown.lines : "?";
    const column = typeof thrown.column === "number" ? thrown.column + 1 : "?";
    throw new BadInputError(
      `scenario ${label}: row ${line}, column ${column}: ${causeInOneLine(thrown)}`,
    );
  }
}

function readHeader(header: Row, label: string): Map<string, number> {
  const columns = new Map<string, number>();
  header.fields.forEach((field, index) => {
    const column = field.toLowerCase();
    if (!KNOWN_COLUMNS.includes(column)) return;
    if (columns.has(column))
      throw new BadInputError(
        `scenario ${label}: row ${header.line}, column ${column}: occurs twice`,
      );
    columns.set(column, index);
  });
  for (const column of REQUIRED_COLUMNS) {
    if (columns.has(column)) continue;
    throw new BadInputError(
      `scenario ${label}: row ${header.line}, column ${column}: missing from the header (found: ${quoted(header.fields.join(", "))})`,
    );
  }
  return columns;
}

function readTime(text: string, refuse: (reason: string) => never): number {
  if (/^\d+$/.test(text)) {
    const value = Number(text);
    return value >= FIRST_MILLISECONDS ? value / 1000 : value;
  }
  if (!/^\d{4}-\d{2}-\d{2}/.test(text))
    refuse(`${quoted(text)} is neither ISO 8601 nor unix seconds or milliseconds`);
  // A date without a zone is UTC, not the zone of whoever runs this.
  const zoned =
    /(Z|[+-]\d{2}:?\d{2})$/i.test(text) || /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : `${text}Z`;
  const milliseconds = Date.parse(zoned.replace(" ", "T"));
  if (Number.isNaN(milliseconds) || !isCalendarDate(text.slice(0, 10)))
    refuse(`${quoted(text)} is not a valid ISO 8601 time`);
  return milliseconds / 1000;
}

/** Date.parse alone reads 30 February as 1 March. */
function isCalendarDate(date: string): boolean {
  const midnight = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(date);
}

function readGas(text: string, refuse: (reason: string) => never): number {
  const value = Number(text);
  if (text === "" || !Number.isFinite(value) || value < 0 || value > MAXIMUM_GAS_GWEI) {
    refuse(`${quoted(text)} is not a gas price between 0 and ${MAXIMUM_GAS_GWEI} gwei`);
  }
  return value;
}
