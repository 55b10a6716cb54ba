/** Answers that hold until the next block: each is asked for once. */
export class BlockCache {
  readonly #answers = new Map<string, Promise<unknown>>();

  /** The answer under a key, computed when it is asked for the first time. A failure is kept as well. */
  get<T>(key: string, compute: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(key);
    if (known !== undefined) return known as Promise<T>;
    const answer = compute();
    this.#answers.set(key, answer);
    return answer;
  }

  /** A block was mined. */
  clear(): void {
    this.#answers.clear();
  }
}
