import type { Address } from "./calls.ts";
import type { Events, ModelEvent } from "./events.ts";
import { Journal, JournaledMap } from "./journal.ts";
import type { Context } from "./marginContext.ts";
import type {
  Checkpoint,
  ColdRecord,
  FactoryRecord,
  FeedState,
  HotRecord,
  OracleRecord,
  Order,
  PoolRecord,
  Position,
  ProtocolConfig,
  ProtocolState,
  RebalancerRecord,
  RolesRecord,
  Round,
  ShareLock,
  TokenState,
} from "./state.ts";
import { allowanceKey } from "./token.ts";
import type { Market } from "./volatilityOracle.ts";

/** A round's id is its phase, shifted by this, and its number within the phase. */
const PHASE_SHIFT = 64n;

/** Balances and allowances of one token while actions run. */
export class TokenBook {
  totalSupply: bigint;
  readonly balances: JournaledMap<Address, bigint>;
  readonly allowances: JournaledMap<string, bigint>;
  /** Keys of `allowances` by spender and owner. */
  readonly #keys = new Map<Address, Map<Address, string>>();

  constructor(journal: Journal, state: TokenState) {
    this.totalSupply = state.totalSupply;
    this.balances = new JournaledMap(journal, state.balances);
    this.allowances = new JournaledMap(journal, state.allowances);
  }

  /** `allowanceKey`, made once: a new string is hashed before a map finds it, which takes longer than the rest of a transfer. */
  allowanceKey(owner: Address, spender: Address): string {
    let keys = this.#keys.get(spender);
    if (keys === undefined) {
      keys = new Map();
      this.#keys.set(spender, keys);
    }
    let key = keys.get(owner);
    if (key === undefined) {
      key = allowanceKey(owner, spender);
      keys.set(owner, key);
    }
    return key;
  }

  freeze(): TokenState {
    return {
      totalSupply: this.totalSupply,
      balances: this.balances.freeze(),
      allowances: this.allowances.freeze(),
    };
  }
}

/** Rounds of one feed while actions run. */
export class FeedBook {
  latestRoundId: bigint;
  /** The round with that id; undefined for a feed that was never written. */
  latestRound: Round | undefined;
  readonly rounds: JournaledMap<bigint, Round>;

  constructor(journal: Journal, state: FeedState) {
    this.latestRoundId = state.latestRoundId;
    this.latestRound = state.rounds.get(state.latestRoundId);
    this.rounds = new JournaledMap(journal, state.rounds);
  }

  /** Deletes the rounds from `from` to the one before `to`. */
  forget(from: bigint, to: bigint): void {
    for (let id = from; id < to; id += 1n) this.rounds.delete(id);
  }

  freeze(): FeedState {
    return { latestRoundId: this.latestRoundId, rounds: this.rounds.freeze() };
  }
}

/** What a transaction found, maps aside. */
interface Before {
  factory: FactoryRecord;
  pool: PoolRecord;
  oracle: OracleRecord;
  hot: HotRecord;
  cold: ColdRecord;
  roles: RolesRecord;
  rebalancer: RebalancerRecord;
  base: bigint;
  quote: bigint;
  liquidityToken: bigint;
  shares: bigint;
  roundId: bigint;
  round: Round | undefined;
  sequencerRoundId: bigint;
  sequencerRound: Round | undefined;
}

/**
 * The protocol while actions run on it. Records are replaced as a whole, maps are journaled: an action that fails leaves everything as
 * it was. `step` hides it behind a pure function; a long simulation keeps one and applies action after action without copying.
 */
export class World {
  readonly config: ProtocolConfig;
  /** `block.timestamp` of the action that runs. */
  now: bigint;
  events: ModelEvent[] = [];
  readonly feed: FeedBook;
  readonly sequencerFeed: FeedBook;
  readonly base: TokenBook;
  readonly quote: TokenBook;
  readonly liquidityToken: TokenBook;
  readonly shares: TokenBook;
  factory: FactoryRecord;
  pool: PoolRecord;
  oracle: OracleRecord;
  hot: HotRecord;
  cold: ColdRecord;
  roles: RolesRecord;
  rebalancer: RebalancerRecord;
  /** The working copy that the margin pool was last stored from: an action in the same block need not derive it again. */
  lastContext: Context | undefined;
  /** The market that was last read, and the records it was read from. */
  lastMarket:
    | { readonly round: Round; readonly oracle: OracleRecord; readonly market: Market }
    | undefined;
  readonly positions: JournaledMap<Address, Position>;
  readonly claims: JournaledMap<Address, bigint>;
  readonly orders: JournaledMap<Address, Order>;
  readonly credits: JournaledMap<Address, bigint>;
  readonly locks: JournaledMap<Address, ShareLock>;
  readonly longCheckpoints: JournaledMap<bigint, Checkpoint>;
  readonly shortCheckpoints: JournaledMap<bigint, Checkpoint>;
  readonly #journal = new Journal();
  /** The first round that `forgetOldRounds` has left. */
  #forgottenTo: bigint;
  readonly #before: Before;

  constructor(state: ProtocolState) {
    const journal = this.#journal;
    this.config = state.config;
    this.now = state.now;
    this.feed = new FeedBook(journal, state.feed);
    this.sequencerFeed = new FeedBook(journal, state.sequencerFeed);
    this.base = new TokenBook(journal, state.base);
    this.quote = new TokenBook(journal, state.quote);
    this.liquidityToken = new TokenBook(journal, state.liquidityToken);
    this.shares = new TokenBook(journal, state.shares);
    this.factory = state.factory;
    this.pool = state.pool;
    this.oracle = state.oracle;
    this.#forgottenTo = state.oracle.roundId;
    this.hot = state.hot;
    this.cold = state.cold;
    this.roles = state.roles;
    this.rebalancer = state.rebalancer;
    this.positions = new JournaledMap(journal, state.positions);
    this.claims = new JournaledMap(journal, state.claims);
    this.orders = new JournaledMap(journal, state.orders);
    this.credits = new JournaledMap(journal, state.credits);
    this.locks = new JournaledMap(journal, state.locks);
    this.longCheckpoints = new JournaledMap(journal, state.longCheckpoints);
    this.shortCheckpoints = new JournaledMap(journal, state.shortCheckpoints);
    this.#before = {
      factory: state.factory,
      pool: state.pool,
      oracle: state.oracle,
      hot: state.hot,
      cold: state.cold,
      roles: state.roles,
      rebalancer: state.rebalancer,
      base: 0n,
      quote: 0n,
      liquidityToken: 0n,
      shares: 0n,
      roundId: 0n,
      round: undefined,
      sequencerRoundId: 0n,
      sequencerRound: undefined,
    };
  }

  /** Logs an event of `from`. */
  emit<C extends keyof Events, N extends keyof Events[C]>(
    from: C,
    name: N,
    args: Events[C][N],
  ): void {
    this.events.push({ from, name, args } as unknown as ModelEvent);
  }

  /** A transaction begins in a block at `at`, unix seconds. It must end with `commit` or `rollBack`. */
  begin(at: bigint): void {
    const before = this.#before;
    before.factory = this.factory;
    before.pool = this.pool;
    before.oracle = this.oracle;
    before.hot = this.hot;
    before.cold = this.cold;
    before.roles = this.roles;
    before.rebalancer = this.rebalancer;
    before.base = this.base.totalSupply;
    before.quote = this.quote.totalSupply;
    before.liquidityToken = this.liquidityToken.totalSupply;
    before.shares = this.shares.totalSupply;
    before.roundId = this.feed.latestRoundId;
    before.round = this.feed.latestRound;
    before.sequencerRoundId = this.sequencerFeed.latestRoundId;
    before.sequencerRound = this.sequencerFeed.latestRound;
    this.now = at;
    this.events = [];
  }

  /** What the transaction did stays. */
  commit(): void {
    this.#journal.commit();
  }

  /** Everything but the time is as it was before the transaction. */
  rollBack(): void {
    this.#journal.rollBack();
    const before = this.#before;
    this.factory = before.factory;
    this.pool = before.pool;
    this.oracle = before.oracle;
    this.hot = before.hot;
    this.cold = before.cold;
    this.roles = before.roles;
    this.rebalancer = before.rebalancer;
    this.base.totalSupply = before.base;
    this.quote.totalSupply = before.quote;
    this.liquidityToken.totalSupply = before.liquidityToken;
    this.shares.totalSupply = before.shares;
    this.feed.latestRoundId = before.roundId;
    this.feed.latestRound = before.round;
    this.sequencerFeed.latestRoundId = before.sequencerRoundId;
    this.sequencerFeed.latestRound = before.sequencerRound;
    this.events = [];
  }

  /**
   * Runs `body` as a transaction in a block at `at`, unix seconds.
   *
   * @throws whatever `body` throws, once everything is as it was before
   */
  transaction<T>(at: bigint, body: () => T): T {
    this.begin(at);
    try {
      const result = body();
      this.commit();
      return result;
    } catch (thrown) {
      this.rollBack();
      throw thrown;
    }
  }

  /**
   * Forgets the price rounds before the last one that the volatility oracle looked at, so that a long run takes no more
   * memory than a short one. While the feed counts up within its phase, as `setPrice` does, no contract reads one of
   * them again; only the mock feed itself would still show them. Between two transactions.
   */
  forgetOldRounds(): void {
    const seen = this.oracle.roundId;
    // The first round of another phase comes 2^64 ids later.
    const samePhase = seen >> PHASE_SHIFT === this.#forgottenTo >> PHASE_SHIFT;
    if (samePhase) this.feed.forget(this.#forgottenTo, seen);
    this.#forgottenTo = seen;
    this.#journal.commit();
  }

  /** The state as it is now, as a value. */
  state(): ProtocolState {
    return {
      config: this.config,
      now: this.now,
      feed: this.feed.freeze(),
      sequencerFeed: this.sequencerFeed.freeze(),
      base: this.base.freeze(),
      quote: this.quote.freeze(),
      factory: this.factory,
      pool: this.pool,
      liquidityToken: this.liquidityToken.freeze(),
      oracle: this.oracle,
      hot: this.hot,
      cold: this.cold,
      roles: this.roles,
      shares: this.shares.freeze(),
      positions: this.positions.freeze(),
      claims: this.claims.freeze(),
      orders: this.orders.freeze(),
      credits: this.credits.freeze(),
      locks: this.locks.freeze(),
      longCheckpoints: this.longCheckpoints.freeze(),
      shortCheckpoints: this.shortCheckpoints.freeze(),
      rebalancer: this.rebalancer,
    };
  }
}
