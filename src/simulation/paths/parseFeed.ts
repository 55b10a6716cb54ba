import { formatDecimal, parseDecimal, WAD_DECIMALS } from "../../units.ts";
import { quoted } from "../errors.ts";
import type { OracleSettings } from "./oracleFeed.ts";
import { SettingsReader } from "./settingsReader.ts";

const MAXIMUM_SECONDS = 31_536_000;
const HEARTBEAT = { from: 0, to: MAXIMUM_SECONDS };
const DEVIATION = { from: 0.00001, to: 1 };
/** The feed remembers every price that it has yet to see. */
const LAG = { from: 0, to: 86_400 };
const OUTAGE = { from: 0, to: Number.MAX_SAFE_INTEGER };
/** A feed that publishes on a deviation alone would be silent for days. */
const HEARTBEAT_BESIDE_DEVIATION = 3_600;

/**
 * Reads a price feed as users write it, in seconds and fractions:
 *
 *     heartbeat=3600,deviation=0.005,lag=24,outage=3600/7200
 *
 * Every setting may be left out. `outage` lists beginnings and ends, counted from the path's start. Without a heartbeat
 * each step has a round, or, with a deviation, at least each hour.
 *
 * @throws BadInputError with one line: what is wrong, where, and what is allowed
 */
export function parseFeed(text: string): OracleSettings {
  const reader = new SettingsReader(`feed ${quoted(text)}`, text);
  const heartbeat = reader.text("heartbeat");
  const deviation = reader.text("deviation");
  const lag = reader.text("lag");
  const settings: OracleSettings = {
    heartbeatSeconds:
      heartbeat !== undefined
        ? reader.integer("heartbeat", heartbeat, HEARTBEAT)
        : deviation === undefined
          ? 0
          : HEARTBEAT_BESIDE_DEVIATION,
    lagSeconds: lag === undefined ? 0 : reader.integer("lag", lag, LAG),
    outages: readOutages(reader),
    ...(deviation === undefined ? {} : { deviation: readDeviation(reader, deviation) }),
  };
  reader.finish();
  return settings;
}

/** The text that gives these settings. */
export function feedText(settings: OracleSettings): string {
  const { heartbeatSeconds, deviation, lagSeconds, outages } = settings;
  return [
    `heartbeat=${heartbeatSeconds}`,
    ...(deviation === undefined ? [] : [`deviation=${formatDecimal(deviation, WAD_DECIMALS)}`]),
    `lag=${lagSeconds}`,
    ...(outages.length === 0
      ? []
      : [`outage=${outages.map(({ from, to }) => `${from}/${to}`).join("/")}`]),
  ].join(",");
}

function readDeviation(reader: SettingsReader, text: string): bigint {
  reader.number("deviation", text, DEVIATION);
  return parseDecimal(text, WAD_DECIMALS);
}

function readOutages(reader: SettingsReader): OracleSettings["outages"] {
  const times = reader
    .text("outage")
    ?.split("/")
    .map((text) => reader.integer("outage", text, OUTAGE));
  if (times === undefined) return [];
  if (times.length % 2 !== 0)
    reader.refuse("outage", "has a beginning without an end; such as outage=3600/7200");
  const outages = [];
  for (let i = 0; i < times.length; i += 2) {
    const [from, to] = times.slice(i, i + 2) as [number, number];
    if (from >= to) reader.refuse("outage", `${from} is not before ${to}`);
    outages.push({ from, to });
  }
  return outages;
}
