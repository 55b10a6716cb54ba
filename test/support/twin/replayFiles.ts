import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Action } from "../../../src/model/calls.ts";
import type { Deployment } from "./deployment.ts";

/** The fewest actions that once told contracts and model apart, or the model and one with a planted fault. */
export interface ReplayFile {
  /** What was wrong, or was planted. */
  readonly symptom: string;
  /** Name of the deployment's settings. */
  readonly world: string;
  readonly actions: readonly Action[];
}

const DIRECTORY = new URL("../../parity/replays/", import.meta.url);
const NUMBER = /^-?\d+n$/;

/** Writes a replay as JSON: addresses by name, integers as digits followed by n. */
export function saveReplay(
  name: string,
  { symptom, world, actions }: ReplayFile,
  { names }: Deployment,
): URL {
  const nameOf = new Map([...names].map(([who, address]) => [address, who]));
  const text = JSON.stringify(
    { symptom, world, actions },
    (_, value: unknown) =>
      typeof value === "bigint"
        ? `${value}n`
        : typeof value === "string"
          ? (nameOf.get(value) ?? value)
          : value,
    2,
  );
  const file = new URL(`${name}.json`, DIRECTORY);
  writeFileSync(file, `${text}\n`);
  return file;
}

/** Names of all stored replays. */
export function replayNames(): string[] {
  return readdirSync(DIRECTORY)
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .toSorted();
}

/** Which deployment a replay wants. */
export function worldOfReplay(name: string): string {
  return (JSON.parse(readReplay(name)) as { readonly world: string }).world;
}

/** Reads a replay for a deployment. */
export function loadReplay(name: string, { names }: Deployment): ReplayFile {
  const value = (_: string, text: unknown): unknown => {
    if (typeof text !== "string") return text;
    return NUMBER.test(text) ? BigInt(text.slice(0, -1)) : text;
  };
  const file = JSON.parse(readReplay(name), value) as ReplayFile;
  const address = (who: unknown): unknown =>
    typeof who === "string" ? (names.get(who) ?? who) : who;
  const actions = file.actions.map(({ from, args, ...rest }) => ({
    ...rest,
    from: address(from),
    args: Object.fromEntries(Object.entries(args).map(([key, who]) => [key, address(who)])),
  }));
  return { ...file, actions: actions as unknown as Action[] };
}

function readReplay(name: string): string {
  return readFileSync(new URL(`${name}.json`, DIRECTORY), "utf8");
}
