/** Accounts of a crowd; one position and one pending order each. */
export const TRADER_COUNT = 40;

/** A shadow position is wiped out when this share of its notional is left. */
const SHADOW_MAINTENANCE = 0.02;

interface ShadowPosition {
  size: number;
  entryNotional: number;
  margin: number;
}

/** A generator's own book: what its crowd would hold if a typical protocol filled it. */
export class ShadowBook {
  readonly #positions: ShadowPosition[] = Array.from({ length: TRADER_COUNT }, () => ({
    size: 0,
    entryNotional: 0,
    margin: 0,
  }));

  /** Longs minus shorts, base. */
  skew(): number {
    let skew = 0;
    for (const { size } of this.#positions) skew += size;
    return skew;
  }

  /** Whether the order's side stays within the cap (quote). */
  fits(trader: number, notional: number, price: number, cap: number): boolean {
    const side = Math.sign(notional);
    const own = (this.#positions[trader] as ShadowPosition).size;
    const others =
      this.#positions.reduce((sum, { size }) => sum + Math.max(0, side * size), 0) -
      Math.max(0, side * own);
    return (others + Math.max(0, side * (own + notional / price))) * price <= cap;
  }

  fill(trader: number, notional: number, price: number, leverage: number): void {
    const position = this.#positions[trader] as ShadowPosition;
    const size = position.size + notional / price;
    if (position.size * notional >= 0) {
      position.entryNotional += Math.abs(notional);
      position.margin += Math.abs(notional) / leverage;
    } else if (size * position.size > 0) {
      const left = size / position.size;
      position.entryNotional *= left;
      position.margin *= left;
    } else {
      position.entryNotional = Math.abs(size) * price;
      position.margin = position.entryNotional / leverage;
    }
    position.size = size;
  }

  liquidate(price: number): void {
    for (const position of this.#positions) {
      if (position.size === 0) continue;
      const value = Math.abs(position.size) * price;
      const profit = Math.sign(position.size) * (value - position.entryNotional);
      if (position.margin + profit < SHADOW_MAINTENANCE * value) {
        position.size = 0;
        position.entryNotional = 0;
        position.margin = 0;
      }
    }
  }
}
