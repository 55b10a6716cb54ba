/**
 * A pool's price history with 40 decimals, from the definition in `PoolOracleMath` and from the reserves the pool
 * emitted: plain sums over everything that happened, not the contract's recursion.
 */
import { exp, ln, max, min, mul, ONE, type Real, real } from "./highPrecision.ts";

/** The weight of a second halves in this many seconds. */
export const HALF_LIFE = 1_800n;

const LN_2 = ln(real(2n));
const powers = new Map<bigint, Real>();

/** 2^(-seconds / 30 minutes). */
export function decay(seconds: bigint): Real {
  const rest = seconds % HALF_LIFE;
  const power = powers.get(rest) ?? exp(-(LN_2 * rest) / HALF_LIFE);
  powers.set(rest, power);
  return power >> (seconds / HALF_LIFE);
}

/** ln(reserve1 / reserve0), from two logarithms, so that no digit of a small ratio is lost. */
export function logPrice(reserve0: bigint, reserve1: bigint): Real {
  return ln(real(reserve1)) - ln(real(reserve0));
}

/** The end of a block in which the pool's reserves were written. */
export interface BlockEnd {
  /** Unix seconds. */
  readonly time: bigint;
  readonly reserve0: bigint;
  readonly reserve1: bigint;
  /** False if there was nothing but liquidity changes in the ratio of the reserves. */
  readonly touched: boolean;
}

interface Price {
  readonly since: bigint;
  readonly log: Real;
}

/** What one block changed; as far as the pool knows it happened evenly since the touch before. */
interface Move {
  readonly from: bigint;
  readonly to: bigint;
  readonly squarePerSecond: Real;
}

/** What the definition says about a pool with these blocks, the first of which has the first deposit. */
export class PoolOracleReference {
  private readonly prices: readonly Price[];
  private readonly moves: readonly Move[];

  constructor(blocks: readonly BlockEnd[]) {
    this.prices = blocks.map(({ time, reserve0, reserve1 }) => ({
      since: time,
      log: logPrice(reserve0, reserve1),
    }));
    // The price that a block leaves is read at the next touch: later liquidity changes may have rounded it.
    const left: Price[] = [];
    blocks.forEach(({ touched }, i) => {
      const price = this.prices[i]!;
      if (touched) left.push(price);
      else left.push({ since: left.pop()!.since, log: price.log });
    });
    this.moves = left.slice(1).map(({ since: to, log }, i) => {
      const { since: from, log: before } = left[i]!;
      return { from, to, squarePerSecond: mul(log - before, log - before) / (to - from) };
    });
  }

  /** Mean of the log price from one second to a later one. */
  meanLogPrice(from: bigint, to: bigint): Real {
    let sum = 0n;
    this.prices.forEach(({ since, log }, i) => {
      const until = this.prices[i + 1]?.since ?? to;
      sum += log * max(0n, min(until, to) - max(since, from));
    });
    return sum / (to - from);
  }

  /** Mean squared log return per second over the past as known at a second, the weight halving every 30 minutes. */
  varianceRate(at: bigint): Real {
    return this.weightedSquares(0n, at);
  }

  /** The same over the moves that became known between two seconds, their weights divided by the window's. */
  windowVarianceRate(from: bigint, to: bigint): Real {
    return (this.weightedSquares(from, to) * ONE) / (ONE - decay(to - from));
  }

  private weightedSquares(from: bigint, to: bigint): Real {
    return this.moves
      .filter((move) => move.to >= from && move.to < to)
      .map((move) => mul(move.squarePerSecond, decay(to - move.to) - decay(to - move.from)))
      .reduce((sum, part) => sum + part, 0n);
  }
}
