import type { Action, Address, Calls, ContractName } from "../../../src/model/calls.ts";
import type { Position, ProtocolState } from "../../../src/model/state.ts";
import type { Random } from "../../../src/simulation/random.ts";
import type { Outcome } from "./chain.ts";
import { PEOPLE, START } from "./deployment.ts";

/** Actions one after the other; whoever asks for the next one has put what the last one did into the scene. */
export type Script = Generator<Action, void, void>;

export const WAD = 10n ** 18n;
export const MAX_UINT256 = 2n ** 256n - 1n;
export const FAR = 10n ** 12n;
const NOISE = 2n ** 16n;

/** Around the widths of ledgers, sizes and words. */
export const EDGES: readonly bigint[] = [
  ...[96n, 112n, 127n, 128n].flatMap((bits) => [2n ** bits - 1n, 2n ** bits]),
  2n ** 111n,
  2n ** 255n,
  MAX_UINT256,
];

type Person = (typeof PEOPLE)[keyof typeof PEOPLE][number];
export type Name = Person | "deployer" | "timelock" | ContractName | "zero";

/** Bits of the arguments that have less than a word; those of the signed ones include the sign. */
const WIDTHS: Readonly<Record<string, bigint>> = {
  roundId: 80n,
  answeredInRound: 80n,
  expiresAt: 40n,
};
const SIGNED: readonly string[] = ["answer", "sizeDelta"];

/** A number as close to the wanted one as the argument's type allows. */
function within(key: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  const bits = WIDTHS[key] ?? 256n;
  const [least, most] = SIGNED.includes(key)
    ? [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
    : [0n, 2n ** bits - 1n];
  return value < least ? least : value > most ? most : value;
}

/** Who and what is there, by name, and who of them can send. */
export interface Cast {
  readonly names: ReadonlyMap<string, Address>;
  readonly senders: readonly Address[];
}

/** What a script sees: the protocol as it is, what its last action did, the clock and the dice. */
export class Scene {
  readonly random: Random;
  readonly names: ReadonlyMap<string, Address>;
  state: ProtocolState;
  /** The action before and what it did. */
  last: { readonly action: Action; readonly outcome: Outcome } | undefined;
  /** When the next action happens, unix seconds. */
  at: bigint = START;
  /** The latest price that was one, 1e18. */
  price: bigint;

  readonly #senders: ReadonlySet<Address>;

  constructor(random: Random, { names, senders }: Cast, state: ProtocolState) {
    this.random = random;
    this.names = names;
    this.#senders = new Set(senders);
    this.state = state;
    this.price = 0n;
    this.see(state, undefined);
  }

  /** Takes note of what the last action led to. */
  see(state: ProtocolState, last: Scene["last"]): void {
    this.state = state;
    this.last = last;
    if (state.now > this.at) this.at = state.now;
    const { latestRoundId, rounds } = state.feed;
    const answer = rounds.get(latestRoundId)?.answer ?? 0n;
    const { lowerAnswer, upperAnswer, feedScale } = state.config;
    if (answer >= lowerAnswer && answer <= upperAnswer) this.price = answer * feedScale;
  }

  // --------------------------------------------------------------------- dice

  integer(bound: number): number {
    return this.random.integer(bound);
  }

  chance(probability: number): boolean {
    return this.random.uniform() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.integer(list.length)];
    if (found === undefined) throw new RangeError("nothing to pick from");
    return found;
  }

  /** Uniform in 0..most. */
  part(most: bigint): bigint {
    return (
      (most * BigInt(this.integer(1_000_001))) / 1_000_000n +
      BigInt(this.integer(3)) * (most >> 40n)
    );
  }

  /** Mostly a part of `most`, often an end of it or one beyond, now and then far out. */
  amount(most: bigint): bigint {
    const kind = this.integer(40);
    if (kind === 0) return 0n;
    if (kind === 1) return 1n;
    if (kind === 2) return most + 1n;
    if (kind === 3) return this.pick(EDGES);
    if (kind === 4) return BigInt(this.integer(1_000));
    if (kind < 8) return most;
    if (kind < 12) return this.part(most / 1_000n);
    return this.part(most);
  }

  // --------------------------------------------------------------------- time

  wait(seconds: number | bigint): void {
    this.at += BigInt(seconds);
  }

  /** Often none, mostly seconds. */
  pause(): void {
    const kind = this.integer(20);
    if (kind < 9) return;
    if (kind < 16) this.wait(1 + this.integer(12));
    else if (kind < 19) this.wait(13 + this.integer(110));
    else this.wait(120 + this.integer(1_700));
  }

  // ------------------------------------------------------------------- people

  who(name: Name): Address {
    const found = this.names.get(name);
    if (found === undefined) throw new RangeError(`${name} is nobody`);
    return found;
  }

  someone(...kinds: readonly (keyof typeof PEOPLE)[]): Address {
    return this.who(this.pick(kinds.flatMap((kind): readonly Person[] => PEOPLE[kind])));
  }

  /** Anybody or anything that can hold tokens. */
  anywhere(): Address {
    return this.pick([...this.names.values()]);
  }

  trader(): Address {
    return this.someone("traders");
  }

  keeper(): Address {
    return this.someone("keepers");
  }

  /** Anybody who can send. */
  anyone(): Address {
    return this.chance(0.1)
      ? this.who("deployer")
      : this.someone("traders", "lps", "poolLps", "keepers", "strangers");
  }

  /** The account itself if it can send, anybody otherwise. */
  able(who: Address): Address {
    return this.#senders.has(who) ? who : this.anyone();
  }

  owner(): Address {
    return this.able(this.state.roles.owner);
  }

  // ------------------------------------------------------------------- values

  position(who: Address): Position | undefined {
    return this.state.positions.get(who);
  }

  /** Accounts with a position, as stored. */
  open(): Address[] {
    return [...this.state.positions].filter(([, { size }]) => size !== 0n).map(([who]) => who);
  }

  /** Accounts with a queued order. */
  waiting(): Address[] {
    return [...this.state.orders].filter(([, o]) => o.requestedAt !== 0n).map(([who]) => who);
  }

  /** Token units of so many whole quote. */
  quote(whole: number | bigint): bigint {
    return (BigInt(whole) * WAD) / this.state.config.quoteScale;
  }

  /** Base units worth so many quote units at the latest good price. */
  baseFor(quoteUnits: bigint): bigint {
    const { quoteScale, baseScale } = this.state.config;
    return (quoteUnits * quoteScale * WAD) / (this.price * baseScale);
  }

  /** Quote units that base units are worth at the latest good price. */
  worth(baseUnits: bigint): bigint {
    const { quoteScale, baseScale } = this.state.config;
    return (baseUnits * baseScale * this.price) / (WAD * quoteScale);
  }

  /** LP equity of the margin pool, trader profits aside, quote units. */
  equity(): bigint {
    const { ledgers } = this.state.hot;
    return ledgers.inventoryQuote + this.worth(ledgers.inventoryBase);
  }

  get isSettled(): boolean {
    return this.state.cold.settlement.settledAt !== 0n;
  }

  /** Reserves of the constant-product pool, base first. */
  reserves(): readonly [bigint, bigint] {
    const { pool, config } = this.state;
    return config.baseIsToken0 ? [pool.reserve0, pool.reserve1] : [pool.reserve1, pool.reserve0];
  }

  tokenAddress(token: "base" | "quote"): Address {
    return this.state.config.addresses[token];
  }

  // ------------------------------------------------------------------ actions

  /** An action at the scene's time. */
  call<C extends ContractName, M extends keyof Calls[C]>(
    from: Address,
    to: C,
    method: M,
    args: Calls[C][M],
  ): Action {
    return this.again({ at: this.at, from, to, method, args } as unknown as Action, {});
  }

  /** An action once more, now, with some arguments changed. */
  again(action: Action, changes: Readonly<Record<string, unknown>>): Action {
    const args = Object.entries<unknown>({ ...action.args, ...changes });
    const fitted = Object.fromEntries(args.map(([key, value]) => [key, within(key, value)]));
    return { ...action, at: this.at, args: fitted } as unknown as Action;
  }

  margin<M extends keyof Calls["marginPool"]>(
    from: Address,
    method: M,
    args: Calls["marginPool"][M],
  ): Action {
    return this.call(from, "marginPool", method, args);
  }

  /** A completed round of now. */
  publish(priceWad: bigint): Action {
    const answer = priceWad / this.state.config.feedScale;
    return this.call(this.keeper(), "feed", "setPrice", { answer });
  }

  /** A price moved by so many millionths, give or take a little. */
  moved(ppm: number): bigint {
    const noise = BigInt(this.integer(Number(NOISE))) * 10n ** 10n;
    return (this.price * BigInt(1_000_000 + ppm)) / 1_000_000n + noise;
  }
}
