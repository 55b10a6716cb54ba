import type { ProtocolState } from "../../../src/model/state.ts";
import type { Outcome } from "./chain.ts";

/** The first place where the contracts and the model disagree. */
export interface Difference {
  /** For example `state.hot.ledgers.longAccrual` or `events[1].args.filled.premium`. */
  readonly path: string;
  readonly chain: string;
  readonly model: string;
}

/**
 * Compares what an action did and what it left behind. Numbers are equal by value, whether `bigint` or not; what a map lacks is zero.
 *
 * @param names of addresses, for the path
 */
export function compareOutcomes(
  chain: Outcome,
  model: Outcome,
  names: ReadonlyMap<string, string>,
): Difference | undefined {
  if (chain.ok !== model.ok) {
    return { path: "outcome", chain: told(chain, names), model: told(model, names) };
  }
  return differenceOf(chain, model, "", names);
}

/** Compares states. The time of the last block counts only after actions that succeeded: a failed one leaves none in the model. */
export function compareStates(
  chain: ProtocolState,
  model: ProtocolState,
  names: ReadonlyMap<string, string>,
): Difference | undefined {
  return differenceOf({ ...chain, now: 0n }, { ...model, now: 0n }, "state", names);
}

/** The first difference of two values, depth first. */
export function differenceOf(
  chain: unknown,
  model: unknown,
  path: string,
  names: ReadonlyMap<string, string>,
): Difference | undefined {
  if (chain === model) return undefined;
  if (chain instanceof Map || model instanceof Map) {
    const [left, right] = [chain ?? EMPTY, model ?? EMPTY] as [Table, Table];
    if (!(left instanceof Map && right instanceof Map)) return report(path, chain, model, names);
    return ofEntries(
      new Set([...left.keys(), ...right.keys()]),
      (key) => left.get(key),
      (key) => right.get(key),
      (key) => `${path}[${named(String(key), names)}]`,
      names,
    );
  }
  if (isRecord(chain) || isRecord(model)) {
    if (Array.isArray(chain) && Array.isArray(model) && chain.length !== model.length) {
      return report(`${path}.length`, chain.length, model.length, names);
    }
    if (!comparable(chain) || !comparable(model)) return report(path, chain, model, names);
    const [left, right] = [(chain ?? {}) as Struct, (model ?? {}) as Struct];
    return ofEntries(
      new Set([...Object.keys(left), ...Object.keys(right)]),
      (key) => left[key],
      (key) => right[key],
      (key) => (Array.isArray(chain) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`),
      names,
    );
  }
  return isSame(chain, model) ? undefined : report(path, chain, model, names);
}

type Table = ReadonlyMap<unknown, unknown>;
type Struct = Readonly<Record<string, unknown>>;

const EMPTY: Table = new Map();

const isRecord = (value: unknown): value is Struct => typeof value === "object" && value !== null;
const comparable = (value: unknown): boolean => value === undefined || isRecord(value);

/** What is absent is zero or false. */
function isSame(chain: unknown, model: unknown): boolean {
  const [a, b] = [chain, model].map((value) => (typeof value === "number" ? BigInt(value) : value));
  if (a === undefined || b === undefined) return [0n, false, undefined].includes((a ?? b) as never);
  return a === b;
}

function ofEntries<K>(
  keys: Iterable<K>,
  left: (key: K) => unknown,
  right: (key: K) => unknown,
  path: (key: K) => string,
  names: ReadonlyMap<string, string>,
): Difference | undefined {
  for (const key of keys) {
    const [a, b] = [left(key), right(key)];
    if (a === b) continue;
    const found = differenceOf(a, b, path(key), names);
    if (found !== undefined) return found;
  }
  return undefined;
}

function report(
  path: string,
  chain: unknown,
  model: unknown,
  names: ReadonlyMap<string, string>,
): Difference {
  return { path, chain: told(chain, names), model: told(model, names) };
}

const named = (text: string, names: ReadonlyMap<string, string>): string =>
  text.replace(/0x[0-9a-fA-F]{40}/g, (address) => names.get(address) ?? address);

/** A value as text: big integers as digits, addresses by name, long lists shortened. */
export function told(value: unknown, names: ReadonlyMap<string, string>): string {
  const text = JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v));
  return named(text ?? "nothing", names).slice(0, 2_000);
}
