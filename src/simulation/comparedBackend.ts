import type {
  Action,
  ActionResult,
  BackendFactory,
  BackendSetup,
  Eventual,
  ProtocolBackend,
} from "./backend.ts";
import { ViewRefused } from "./backend.ts";

/** Two backends that should be the same protocol gave different answers. */
export class BackendsDiffer extends Error {
  override readonly name = "BackendsDiffer";
}

/** A value that views and results are made of. */
type Answer = bigint | number | string | boolean | undefined | readonly Answer[] | AnswerObject;
interface AnswerObject {
  readonly [field: string]: Answer;
}

/** The first place where two answers differ. */
interface Difference {
  /** Such as `[2].events[0].cost`; empty where the answers themselves differ. */
  readonly path: string;
  readonly first: Answer;
  readonly second: Answer;
}

/**
 * Drives two backends with the same actions and hands on the first one's answers: every result, event and view is
 * compared to the last unit.
 *
 * @param names how messages call the two
 * @throws BackendsDiffer from any call, naming the block's time, the action or view, the field and both values
 * @example
 * const create = compareBackends(createEvmBackend, createModelBackend, ["evm", "model"]);
 */
export function compareBackends(
  createFirst: BackendFactory,
  createSecond: BackendFactory,
  names: readonly [first: string, second: string],
): BackendFactory {
  return async (setup: BackendSetup): Promise<ProtocolBackend> => {
    const opened: ProtocolBackend[] = [];
    try {
      const first = await createFirst(setup);
      opened.push(first);
      const second = await createSecond(setup);
      opened.push(second);
      return compared(first, second, names, setup.startsAt);
    } catch (thrown) {
      for (const backend of opened) await backend.close();
      throw thrown;
    }
  };
}

function compared(
  first: ProtocolBackend,
  second: ProtocolBackend,
  names: readonly [string, string],
  startsAt: number,
): ProtocolBackend {
  let time = startsAt;
  const fail = (what: string, { path, first: one, second: other }: Difference): never => {
    const field = path === "" ? "" : `, ${path.replace(/^\./, "")}`;
    throw new BackendsDiffer(
      `at ${new Date(time * 1000).toISOString()}, ${what}${field}: ${names[0]} ${show(one)}, ${names[1]} ${show(other)}`,
    );
  };
  const same = async <T>(
    view: string,
    ask: (backend: ProtocolBackend) => Eventual<T>,
  ): Promise<T> => {
    const [one, other] = [await outcome(() => ask(first)), await outcome(() => ask(second))];
    const refused =
      one.refused?.error === other.refused?.error
        ? undefined
        : { path: "refused", first: one.refused?.error, second: other.refused?.error };
    const difference = refused ?? differenceOf(one.answer as Answer, other.answer as Answer);
    if (difference !== undefined) fail(view, difference);
    if (one.refused !== undefined) throw one.refused;
    return one.answer as T;
  };

  for (const constant of ["baseDecimals", "quoteDecimals", "executionFee"] as const) {
    const difference = differenceOf(first[constant], second[constant]);
    if (difference !== undefined) fail(constant, difference);
  }
  return {
    baseDecimals: first.baseDecimals,
    quoteDecimals: first.quoteDecimals,
    executionFee: first.executionFee,
    mine: async (timestamp: number, actions: readonly Action[]): Promise<ActionResult[]> => {
      time = timestamp;
      const results = await first.mine(timestamp, actions);
      const others = await second.mine(timestamp, actions);
      for (const [index, action] of actions.entries()) {
        const difference = differenceOf(outcomeOf(results[index]), outcomeOf(others[index]));
        if (difference !== undefined) fail(`action ${index} ${describe(action)}`, difference);
      }
      return results;
    },
    pool: () => same("pool", (backend) => backend.pool()),
    solvency: () => same("solvency", (backend) => backend.solvency()),
    ledgers: () => same("ledgers", (backend) => backend.ledgers()),
    settlement: () => same("settlement", (backend) => backend.settlement()),
    badDebt: () => same("badDebt", (backend) => backend.badDebt()),
    account: (trader) => same(`account(${trader})`, (backend) => backend.account(trader)),
    position: (trader) => same(`position(${trader})`, (backend) => backend.position(trader)),
    shares: (lp) => same(`shares(${lp})`, (backend) => backend.shares(lp)),
    liquidity: (provider) =>
      same(`liquidity(${provider})`, (backend) => backend.liquidity(provider)),
    credit: (role, actor) =>
      same(`credit(${role} ${actor})`, (backend) => backend.credit(role, actor)),
    planRebalance: (timestamp) =>
      same(`planRebalance(${timestamp})`, (backend) => backend.planRebalance(timestamp)),
    close: async () => {
      await first.close();
      await second.close();
    },
  };
}

/** What a view answered: a refusal is an answer, any other failure is not. */
async function outcome<T>(ask: () => Eventual<T>): Promise<{ answer?: T; refused?: ViewRefused }> {
  try {
    return { answer: await ask() };
  } catch (thrown) {
    if (thrown instanceof ViewRefused) return { refused: thrown };
    throw thrown;
  }
}

/** The part of a result that both sides must agree on: the action is the caller's own. */
function outcomeOf(result: ActionResult | undefined): Answer {
  if (result === undefined) return undefined;
  const { ok, error, events } = result;
  return { ok, error, events: events as unknown as readonly Answer[] };
}

function differenceOf(first: Answer, second: Answer, path = ""): Difference | undefined {
  if (Array.isArray(first) && Array.isArray(second)) {
    for (let index = 0; index < Math.max(first.length, second.length); index++) {
      const found = differenceOf(first[index], second[index], `${path}[${index}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isObject(first) && isObject(second)) {
    for (const field of new Set([...Object.keys(first), ...Object.keys(second)])) {
      const found = differenceOf(first[field], second[field], `${path}.${field}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return first === second ? undefined : { path, first, second };
}

function isObject(answer: Answer): answer is AnswerObject {
  return typeof answer === "object" && !Array.isArray(answer);
}

function describe(action: Action): string {
  const { kind, ...fields } = action;
  const shown = Object.entries(fields).map(([name, value]) => `${name} ${value}`);
  return `${kind}(${shown.join(", ")})`;
}

function show(answer: Answer): string {
  if (typeof answer !== "object") return String(answer);
  const text = JSON.stringify(answer, (_, value) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  return text;
}
