/** What maps held before an action touched them, so that a failing one leaves no trace. */
export class Journal {
  readonly #maps: JournaledMap<never, unknown>[] = [];
  readonly #keys: unknown[] = [];
  readonly #values: unknown[] = [];
  #length = 0;

  /** @internal */
  remember<K, V>(map: JournaledMap<K, V>, key: K, value: V | undefined): void {
    const place = this.#length++;
    this.#maps[place] = map as unknown as JournaledMap<never, unknown>;
    this.#keys[place] = key;
    this.#values[place] = value;
  }

  /** The action went through. */
  commit(): void {
    this.#length = 0;
  }

  /** The action failed: everything as it was before. */
  rollBack(): void {
    for (let i = this.#length - 1; i >= 0; i--) {
      (this.#maps[i] as JournaledMap<never, unknown>).restore(
        this.#keys[i] as never,
        this.#values[i],
      );
    }
    this.commit();
  }
}

/** A map that copies itself before the first change, and whose changes can be undone. */
export class JournaledMap<K, V> {
  readonly #journal: Journal;
  #entries: Map<K, V>;
  #owned = false;

  constructor(journal: Journal, entries: ReadonlyMap<K, V>) {
    this.#journal = journal;
    this.#entries = entries as Map<K, V>;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  set(key: K, value: V): void {
    this.#own();
    this.#journal.remember(this, key, this.#entries.get(key));
    this.#entries.set(key, value);
  }

  delete(key: K): void {
    if (!this.#entries.has(key)) return;
    this.#own();
    this.#journal.remember(this, key, this.#entries.get(key));
    this.#entries.delete(key);
  }

  /** The entries as they are now. They will not change: the next change copies them first. */
  freeze(): ReadonlyMap<K, V> {
    this.#owned = false;
    return this.#entries;
  }

  /** @internal */
  restore(key: K, value: V | undefined): void {
    if (value === undefined) this.#entries.delete(key);
    else this.#entries.set(key, value);
  }

  #own(): void {
    if (this.#owned) return;
    this.#entries = new Map(this.#entries);
    this.#owned = true;
  }
}
