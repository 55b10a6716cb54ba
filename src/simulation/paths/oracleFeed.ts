import { absolute, WAD, type Wad } from "../../units.ts";

/** When a price feed publishes, and what. */
export interface OracleSettings {
  /** A round is due when the last one is this old. 0: at every step. */
  readonly heartbeatSeconds: number;
  /** A round is due when the price is this far from the last published one, as a fraction of it; none when undefined. */
  readonly deviation?: Wad;
  /** The feed sees the market this late; a part of a step counts as a whole one. */
  readonly lagSeconds: number;
  /** Nothing is published from `from` (inclusive) to `to` (exclusive), in seconds since the path began. */
  readonly outages: readonly { readonly from: number; readonly to: number }[];
}

/** Every step's price, at once. */
export const EVERY_STEP: OracleSettings = { heartbeatSeconds: 0, lagSeconds: 0, outages: [] };

/**
 * A price feed beside a path. The first round, the path's opening price, is there when the path begins. The feed sees
 * the price of `lagSeconds` ago and publishes it when the heartbeat is over or the price is a deviation away from the
 * last round, unless it is out. Integers alone decide; memory is one price per step of lag.
 */
export class OracleFeed {
  readonly #settings: OracleSettings;
  readonly #stepSeconds: number;
  /** The prices of the last steps, the next to be seen at `#step` modulo the length. */
  readonly #seen: Wad[];
  #step = 0;
  #published: Wad;
  #publishedAt = 0;

  /** @param path where the feed starts and how fast it goes */
  constructor(
    settings: OracleSettings,
    path: { readonly open: Wad; readonly stepSeconds: number },
  ) {
    this.#settings = settings;
    this.#stepSeconds = path.stepSeconds;
    this.#seen = Array.from(
      { length: Math.ceil(settings.lagSeconds / path.stepSeconds) },
      () => path.open,
    );
    this.#published = path.open;
  }

  /**
   * Takes the next step's true price.
   *
   * @returns the price of the round published at this step; undefined when none is
   */
  next(truePrice: Wad): Wad | undefined {
    const price = this.#delayed(truePrice);
    this.#step++;
    const now = this.#step * this.#stepSeconds;
    if (!this.#isDue(price, now)) return undefined;
    this.#published = price;
    this.#publishedAt = now;
    return price;
  }

  #delayed(truePrice: Wad): Wad {
    if (this.#seen.length === 0) return truePrice;
    const place = this.#step % this.#seen.length;
    const price = this.#seen[place] as Wad;
    this.#seen[place] = truePrice;
    return price;
  }

  #isDue(price: Wad, now: number): boolean {
    const { heartbeatSeconds, deviation, outages } = this.#settings;
    if (outages.some(({ from, to }) => from <= now && now < to)) return false;
    if (now - this.#publishedAt >= heartbeatSeconds) return true;
    if (deviation === undefined) return false;
    return absolute(price - this.#published) * WAD >= deviation * this.#published;
  }
}
