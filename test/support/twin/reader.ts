import { getAddress } from "ethers";
import type { AbiValue } from "../../../src/math/revert.ts";
import type { Action, Address, ContractName } from "../../../src/model/calls.ts";
import type {
  FeedState,
  ProtocolConfig,
  ProtocolState,
  Round,
  TokenState,
} from "../../../src/model/state.ts";
import { allowanceKey } from "../../../src/model/token.ts";
import type { ChainEvent } from "./abi.ts";
import { type Deployment, FIRST_ROUND } from "./deployment.ts";
import {
  liquidity,
  mapped,
  SLOTS,
  STATE,
  toAddress,
  toCheckpoint,
  toCold,
  toHot,
  toOracle,
  toOrder,
  toPool,
  toPosition,
  toRebalancer,
  toRound,
  toShareLock,
} from "./layout.ts";

/**
 * Answers with the words at the slots in the calldata:
 *
 *     for (i = 0; i < calldatasize; i += 32) mstore(i, sload(calldataload(i)))
 *     return(0, calldatasize)
 */
const READ_SLOTS = "0x5f5b803611600b57365ff35b80355481526020016001" + "56";

/** A part of a contract's storage: which slots, and what their words say. */
interface Part<T> {
  readonly slots: readonly bigint[];
  readonly decode: (words: readonly bigint[]) => T;
}

type TokenName = "base" | "quote" | "pool" | "marginPool";
type FeedName = "feed" | "sequencerFeed";

/**
 * Reads the protocol's whole state from the raw storage of its contracts: one call per contract, whose code is for that call replaced
 * by a loop that reads slots. Keys of mappings are those that actions and events have named.
 */
export class StateReader {
  readonly #deployment: Deployment;
  readonly #config: ProtocolConfig;
  readonly #accounts: Address[] = [];
  readonly #allowances: Record<TokenName, [Address, Address][]> = {
    base: [],
    quote: [],
    pool: [],
    marginPool: [],
  };
  readonly #seenAllowances = new Set<string>();
  readonly #checkpoints: Record<"long" | "short", Set<bigint>> = {
    long: new Set(),
    short: new Set(),
  };
  readonly #rounds: Record<FeedName, ReadonlyMap<bigint, Round>> = {
    feed: new Map(),
    sequencerFeed: new Map(),
  };
  readonly #newRounds: Record<FeedName, Set<bigint>> = {
    feed: new Set(),
    sequencerFeed: new Set(),
  };
  /** Slots read so far, by contract in lower case. */
  readonly #slots = new Map<string, Set<bigint>>();
  /** What a part was read as, by contract, while its words stay the same. */
  readonly #last = new Map<string, { slots: number; hex: string; value: unknown }>();

  private constructor(deployment: Deployment, config: ProtocolConfig) {
    this.#deployment = deployment;
    this.#config = config;
    for (const address of deployment.names.values()) this.#know(address);
    for (const token of ["base", "quote"] as const) {
      for (const owner of [...deployment.senders, config.addresses.marginPool]) {
        for (const spender of ["pool", "marginPool"] as const) {
          this.#knowAllowance(token, owner, config.addresses[spender]);
        }
      }
    }
    for (const feed of ["feed", "sequencerFeed"] as const) this.#newRounds[feed].add(FIRST_ROUND);
  }

  static async create(deployment: Deployment): Promise<StateReader> {
    return new StateReader(deployment, await readConfig(deployment));
  }

  /** A reader of the same deployment that remembers nothing. */
  fresh(): StateReader {
    return new StateReader(this.#deployment, this.#config);
  }

  /** Remembers accounts that an action names, and the allowance that it may use. */
  learn({ from, to, args }: Action): void {
    this.#learnAddresses(args as AbiValue);
    const owner = "owner" in args ? args.owner : "from" in args ? args.from : undefined;
    if (owner !== undefined) this.#knowAllowance(to as TokenName, owner, from);
  }

  /** Remembers accounts, allowances, rounds and checkpoints that events name. */
  learnEvents(events: readonly ChainEvent[]): void {
    for (const { from, name, args } of events) {
      this.#learnAddresses(args);
      if (name === "Approval") {
        this.#knowAllowance(from as TokenName, args.owner as Address, args.spender as Address);
      } else if (name === "RoundSet") {
        this.#newRounds[from as FeedName].add(args.roundId as bigint);
      } else if (name === "Deleveraged") {
        this.#checkpoints[args.long === true ? "long" : "short"].add(args.epoch as bigint);
      }
    }
  }

  /** Reads everything, past rounds too. */
  async sweep(): Promise<ProtocolState> {
    this.#last.clear();
    for (const feed of ["feed", "sequencerFeed"] as const) {
      for (const id of this.#rounds[feed].keys()) this.#newRounds[feed].add(id);
      this.#rounds[feed] = new Map();
    }
    return this.read();
  }

  /** Reads everything but rounds of the feeds that were read before and not written since. */
  async read(): Promise<ProtocolState> {
    const block = (await this.#deployment.connection.provider.request({
      method: "eth_getBlockByNumber",
      params: ["latest", false],
    })) as { readonly timestamp: string };
    const pool = await this.#read("pool", join(this.#pool(), this.#liquidity()));
    const margin = await this.#read("marginPool", join(this.#margin(), this.#token("marginPool")));
    return {
      config: this.#config,
      now: BigInt(block.timestamp),
      feed: await this.#feed("feed"),
      sequencerFeed: await this.#feed("sequencerFeed"),
      base: await this.#read("base", this.#token("base")),
      quote: await this.#read("quote", this.#token("quote")),
      factory: await this.#read("factory", this.#factory()),
      pool: pool[0],
      liquidityToken: pool[1],
      oracle: await this.#read("volatilityOracle", {
        slots: Object.values(SLOTS.volatilityOracle),
        decode: toOracle,
      }),
      ...margin[0],
      shares: margin[1],
      rebalancer: await this.#read("rebalancer", {
        slots: Object.values(SLOTS.rebalancer),
        decode: toRebalancer,
      }),
    };
  }

  hasRead(address: string, slot: bigint): boolean {
    return this.#slots.get(address.toLowerCase())?.has(slot) ?? false;
  }

  // ---------------------------------------------------------------- what is known

  #learnAddresses(value: AbiValue): void {
    if (typeof value === "string") {
      if (value.startsWith("0x") && value.length === 42) this.#know(value);
    } else if (typeof value === "object") {
      for (const part of Object.values(value)) this.#learnAddresses(part as AbiValue);
    }
  }

  #know(address: Address): void {
    if (!this.#accounts.includes(address)) this.#accounts.push(address);
  }

  #knowAllowance(token: TokenName, owner: Address, spender: Address): void {
    const id = `${token} ${owner} ${spender}`;
    if (this.#seenAllowances.has(id)) return;
    this.#seenAllowances.add(id);
    this.#allowances[token].push([owner, spender]);
  }

  // ---------------------------------------------------------------- parts of storage

  #token(name: "base" | "quote" | "marginPool"): Part<TokenState> {
    const { balances, allowances, totalSupply } = SLOTS.token;
    return this.#erc20(
      name,
      totalSupply,
      (owner) => mapped("address", owner, balances),
      (owner, spender) => mapped("address", spender, mapped("address", owner, allowances)),
    );
  }

  #liquidity(): Part<TokenState> {
    return this.#erc20("pool", liquidity.totalSupply, liquidity.balance, liquidity.allowance);
  }

  #erc20(
    name: TokenName,
    totalSupply: bigint,
    balanceSlot: (owner: Address) => bigint,
    allowanceSlot: (owner: Address, spender: Address) => bigint,
  ): Part<TokenState> {
    const accounts = [...this.#accounts];
    const pairs = [...this.#allowances[name]];
    return {
      slots: [
        totalSupply,
        ...accounts.map(balanceSlot),
        ...pairs.map(([owner, spender]) => allowanceSlot(owner, spender)),
      ],
      decode: (words) => ({
        totalSupply: words[0]!,
        balances: nonzero(accounts, words.slice(1)),
        allowances: nonzero(
          pairs.map(([owner, spender]) => allowanceKey(owner, spender)),
          words.slice(1 + accounts.length),
        ),
      }),
    };
  }

  #pool() {
    return { slots: Object.values(SLOTS.pool), decode: toPool };
  }

  #factory() {
    return {
      slots: Object.values(SLOTS.factory),
      decode: ([feeTo, feeToSetter]: readonly bigint[]) => ({
        feeTo: account(feeTo!),
        feeToSetter: account(feeToSetter!),
      }),
    };
  }

  #margin() {
    const accounts = [...this.#accounts];
    const longs = [...this.#checkpoints.long];
    const shorts = [...this.#checkpoints.short];
    const { state, owner, pendingOwner, guardian } = SLOTS.marginPool;
    const of = (who: Address, place: bigint, count: number): bigint[] => {
      const first = mapped("address", who, state + place);
      return Array.from({ length: count }, (_, i) => first + BigInt(i));
    };
    const checkpoint = (long: boolean) => {
      const side = mapped("bool", long, state + STATE.checkpoints);
      return (epoch: bigint): bigint[] => {
        const first = mapped("uint256", epoch, side);
        return [first, first + 1n];
      };
    };
    const slots = [
      ...Array.from({ length: Number(STATE.scalars) }, (_, i) => state + BigInt(i)),
      ...[owner, pendingOwner, guardian],
      ...accounts.flatMap((who) => of(who, STATE.positions, 2)),
      ...accounts.flatMap((who) => of(who, STATE.claims, 1)),
      ...accounts.flatMap((who) => of(who, STATE.orders, 2)),
      ...accounts.flatMap((who) => of(who, STATE.credits, 1)),
      ...accounts.flatMap((who) => of(who, STATE.locks, 1)),
      ...longs.flatMap(checkpoint(true)),
      ...shorts.flatMap(checkpoint(false)),
    ];
    const decode = (words: readonly bigint[]) => {
      let place = 0;
      const take = (count: number): readonly bigint[] => {
        place += count;
        return words.slice(place - count, place);
      };
      const table = <K, T>(
        keys: readonly K[],
        size: number,
        read: (words: readonly bigint[]) => T,
      ) => {
        const found = new Map<K, T>();
        for (const key of keys) {
          const part = take(size);
          if (part.some((word) => word !== 0n)) found.set(key, read(part));
        }
        return found;
      };
      const one = ([word]: readonly bigint[]) => word!;
      const scalars = take(Number(STATE.scalars));
      const [first, second, third] = take(3) as [bigint, bigint, bigint];
      return {
        hot: toHot(scalars),
        cold: toCold(scalars),
        roles: {
          owner: account(first),
          pendingOwner: account(second),
          guardian: account(third),
        },
        positions: table(accounts, 2, toPosition),
        claims: table(accounts, 1, one),
        orders: table(accounts, 2, toOrder),
        credits: table(accounts, 1, one),
        locks: table(accounts, 1, toShareLock),
        longCheckpoints: table(longs, 2, toCheckpoint),
        shortCheckpoints: table(shorts, 2, toCheckpoint),
      };
    };
    return { slots, decode };
  }

  async #feed(name: FeedName): Promise<FeedState> {
    const rounds = this.#rounds[name];
    if (this.#config.addresses[name] === ZERO) return { latestRoundId: 0n, rounds };
    const fresh = [...this.#newRounds[name]];
    this.#newRounds[name].clear();
    const first = fresh.map((id) => mapped("uint256", id, SLOTS.feed.rounds));
    const [latestRoundId, found] = await this.#read(
      name,
      {
        slots: [
          SLOTS.feed.latestRoundId,
          ...first.flatMap((slot) => [0n, 1n, 2n, 3n].map((i) => slot + i)),
        ],
        decode: (words) => {
          const read = fresh.map((id, i) => [id, toRound(words.slice(1 + 4 * i, 5 + 4 * i))]);
          return [words[0]!, read as [bigint, Round | undefined][]] as const;
        },
      },
      false,
    );
    if (found.length === 0) return { latestRoundId, rounds };
    const next = new Map(rounds);
    for (const [id, round] of found) if (round !== undefined) next.set(id, round);
    this.#rounds[name] = next;
    return { latestRoundId, rounds: next };
  }

  // ---------------------------------------------------------------- reading

  async #read<T>(name: ContractName, part: Part<T>, keep = true): Promise<T> {
    const { address } = this.#deployment.contracts[name];
    const data = `0x${part.slots.map((slot) => slot.toString(16).padStart(64, "0")).join("")}`;
    const answer: unknown = await this.#deployment.connection.provider.request({
      method: "eth_call",
      params: [{ to: address, data }, "latest", { [address]: { code: READ_SLOTS } }],
    });
    const hex = String(answer);
    const last = this.#last.get(name);
    if (keep && last?.hex === hex && last.slots === part.slots.length) return last.value as T;
    const read = this.#slots.get(address.toLowerCase()) ?? new Set();
    for (const slot of part.slots) read.add(slot);
    this.#slots.set(address.toLowerCase(), read);
    const words = part.slots.map((_, i) => BigInt(`0x${hex.slice(2 + 64 * i, 66 + 64 * i)}`));
    const value = part.decode(words);
    if (keep) this.#last.set(name, { slots: part.slots.length, hex, value });
    return value;
  }
}

const ZERO = "0x0000000000000000000000000000000000000000";

const account = (word: bigint): Address => getAddress(toAddress(word));

function nonzero<K>(keys: readonly K[], words: readonly bigint[]): Map<K, bigint> {
  const found = new Map<K, bigint>();
  for (const [i, key] of keys.entries()) if (words[i] !== 0n) found.set(key, words[i]!);
  return found;
}

/** Two parts of one contract. */
function join<A, B>(first: Part<A>, second: Part<B>): Part<readonly [A, B]> {
  const split = first.slots.length;
  return {
    slots: [...first.slots, ...second.slots],
    decode: (words) => [first.decode(words.slice(0, split)), second.decode(words.slice(split))],
  };
}

async function readConfig({ protocol, contracts }: Deployment): Promise<ProtocolConfig> {
  const { factory, pool, volatilityOracle, marginPool, priceOracle, base, quote } = protocol;
  const [guard, baseDecimals, quoteDecimals] = [
    await priceOracle.guard(),
    await base.decimals(),
    await quote.decimals(),
  ];
  const addresses = Object.fromEntries(
    Object.entries(contracts).map(([name, { address }]) => [name, address]),
  ) as unknown as ProtocolConfig["addresses"];
  return {
    addresses,
    baseDecimals: Number(baseDecimals),
    quoteDecimals: Number(quoteDecimals),
    baseScale: 10n ** (18n - baseDecimals),
    quoteScale: 10n ** (18n - quoteDecimals),
    baseIsToken0: (await pool.token0()) === addresses.base,
    minSwapFee: await factory.minSwapFee(),
    maxSwapFee: await factory.maxSwapFee(),
    volatilityFeeMultiplierWad: await factory.volatilityFeeMultiplierWad(),
    feedScale: guard.feedScale,
    lowerAnswer: guard.lowerAnswer,
    upperAnswer: guard.upperAnswer,
    priceBandWad: guard.priceBandWad,
    lpPriceBandWad: await priceOracle.lpPriceBandWad(),
    maximumAgeSeconds: guard.maximumAgeSeconds,
    hasSequencer: guard.sequencerFeed !== ZERO,
    sequencerGraceSeconds: guard.sequencerGraceSeconds,
    twapWindowSeconds: await volatilityOracle.twapWindowSeconds(),
    logScaleWad: (baseDecimals - quoteDecimals) * LN_10_WAD,
    weightWad: await marginPool.targetBaseWeightWad(),
  };
}

/** ln 10, 1e18, as VolatilityOracle has it. */
const LN_10_WAD = 2_302585092994045684n;
