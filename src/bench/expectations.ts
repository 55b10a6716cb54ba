import {
  BALLAST,
  BALLAST_ROUTER,
  FLOOR,
  type GasRow,
  type Operation,
  UNISWAP_V2,
  UNISWAP_V2_ROUTER,
  UNISWAP_V3_ROUTER,
} from "./rows.ts";

/** How far an expected figure may be missed: addresses and the place of a price make some difference. */
export const TOLERANCE = 200;

/**
 * What the peers are known to cost under these conditions. A table that misses these figures measures something else,
 * and our own rows in it mean nothing.
 */
const EXPECTED: readonly GasRow[] = [
  { operation: "swap exact in, first in block", system: FLOOR, gas: 58_820 },
  { operation: "swap exact in, first in block", system: UNISWAP_V2_ROUTER, gas: 97_595 },
  { operation: "swap exact in, first in block", system: UNISWAP_V3_ROUTER, gas: 106_246 },
  { operation: "swap exact in, later in block", system: UNISWAP_V2_ROUTER, gas: 87_083 },
  { operation: "V2 swap by minimal caller, first in block", system: UNISWAP_V2, gas: 90_020 },
  { operation: "V2 swap by minimal caller, later in block", system: UNISWAP_V2, gas: 79_604 },
  { operation: "swap exact in, two hops", system: UNISWAP_V2_ROUTER, gas: 152_430 },
  { operation: "add liquidity", system: UNISWAP_V2_ROUTER, gas: 119_560 },
  { operation: "remove liquidity", system: UNISWAP_V2_ROUTER, gas: 119_745 },
  { operation: "create pool", system: UNISWAP_V2, gas: 2_507_004 },
];

type Targets = Readonly<Partial<Record<Operation, number>>>;

/** The most an operation of ours may cost, straight at a pool with a fixed fee, as the peers have it. */
const POOL_TARGETS: Targets = {
  "swap exact in, first in block": 72_300,
  "swap exact in, later in block": 68_300,
  "swap exact out, first in block": 72_900,
  "V2 swap by minimal caller, first in block": 77_000,
  "swap exact in, two hops": 108_200,
  "add liquidity": 86_000,
  "remove liquidity": 80_000,
  "create pool": 2_500_000,
};

const TARGETS: Readonly<Record<string, Targets>> = {
  [BALLAST]: POOL_TARGETS,
  [BALLAST_ROUTER]: { "swap exact in, two hops": 112_000 },
};

/** A measurement beside what it is judged by. */
export interface JudgedRow extends GasRow {
  /** What a peer is known to use; met within `TOLERANCE`. */
  readonly expected?: number;
  /** The most a row of ours may be. */
  readonly target?: number;
}

/** Puts each measurement beside the figure it has to meet. */
export function judge(rows: readonly GasRow[]): JudgedRow[] {
  return rows.map((row) => {
    const expected = EXPECTED.find(
      ({ operation, system }) => operation === row.operation && system === row.system,
    );
    const target = TARGETS[row.system]?.[row.operation];
    return {
      ...row,
      ...(expected === undefined ? {} : { expected: expected.gas }),
      ...(target === undefined ? {} : { target }),
    };
  });
}

/** One sentence for each row that misses its figure and each expected figure without a row. */
export function misses(rows: readonly JudgedRow[]): string[] {
  const missed = rows.flatMap(({ operation, system, gas, expected, target }) => {
    const row = `${operation}, ${system}: measured ${grouped(gas)} gas`;
    if (expected !== undefined && Math.abs(gas - expected) > TOLERANCE)
      return [`${row}, expected ${grouped(expected)} within ${TOLERANCE}`];
    if (target !== undefined && gas > target) return [`${row}, target ${grouped(target)}`];
    return [];
  });
  const absent = EXPECTED.filter(
    ({ operation, system }) =>
      !rows.some((row) => row.operation === operation && row.system === system),
  ).map(({ operation, system }) => `${operation}, ${system}: not measured`);
  return [...missed, ...absent];
}

/** 72300 -> "72,300". */
export function grouped(gas: number): string {
  return gas.toLocaleString("en-US");
}
