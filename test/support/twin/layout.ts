import { AbiCoder, keccak256, toBeHex, zeroPadValue } from "ethers";
import type {
  Checkpoint,
  ColdRecord,
  HotRecord,
  OracleRecord,
  Order,
  ParametersRecord,
  ParameterValues,
  PoolRecord,
  Position,
  RebalancerRecord,
  RiskState,
  Round,
  Settlement,
  ShareLock,
} from "../../../src/model/state.ts";

/** Where a contract keeps its variables: the compiler's storage layout, which a test compares. */
export const SLOTS = {
  token: { balances: 0n, allowances: 1n, totalSupply: 2n },
  feed: { latestRoundId: 1n, rounds: 2n },
  factory: { feeTo: 0n, feeToSetter: 1n },
  pool: { reserves: 0n, history: 1n, kLast: 2n },
  volatilityOracle: { head: 0n, tail: 1n, average: 2n, newer: 3n },
  rebalancer: { target: 0n, variance: 1n, depth: 2n },
  marginPool: { state: 5n, owner: 31n, pendingOwner: 32n, guardian: 33n },
} as const;

/** Places within MarginStorage.Storage. */
export const STATE = {
  scalars: 20n,
  positions: 20n,
  claims: 21n,
  orders: 22n,
  credits: 23n,
  locks: 24n,
  checkpoints: 25n,
} as const;

/** solady's ERC20 keeps its numbers at hashes of these. */
const LIQUIDITY_SUPPLY = 0x05345cdf77eb68f44cn;
const BALANCE_SEED = "000000000000000087a211a2";
const ALLOWANCE_SEED = "00000000000000007f5e9f20";

const coder = AbiCoder.defaultAbiCoder();
const cache = new Map<string, bigint>();

/** Slot of a mapping's value. Keys are padded to words by the caller's type. */
export function mapped(type: "address" | "uint256" | "bool", key: unknown, slot: bigint): bigint {
  const id = `${String(key)}@${slot}`;
  let found = cache.get(id);
  if (found === undefined) {
    found = BigInt(keccak256(coder.encode([type, "uint256"], [key, slot])));
    cache.set(id, found);
  }
  return found;
}

/** Slots of the LP token, which no variable declares. */
export const liquidity = {
  totalSupply: LIQUIDITY_SUPPLY,
  balance: (owner: string) => packed(`${owner.slice(2)}${BALANCE_SEED}`),
  allowance: (owner: string, spender: string) =>
    packed(`${owner.slice(2)}${ALLOWANCE_SEED}${spender.slice(2)}`),
};

function packed(hex: string): bigint {
  let found = cache.get(hex);
  if (found === undefined) {
    found = BigInt(keccak256(`0x${hex}`));
    cache.set(hex, found);
  }
  return found;
}

// ------------------------------------------------------------------ decoding

const unsigned = (word: bigint, shift: bigint, bits: bigint): bigint =>
  (word >> shift) & ((1n << bits) - 1n);
const signed = (word: bigint, shift: bigint, bits: bigint): bigint =>
  BigInt.asIntN(Number(bits), word >> shift);
const at = (words: readonly bigint[], index: number): bigint => words[index] ?? 0n;

export const toAddress = (word: bigint): string => zeroPadValue(toBeHex(word), 20);

export function toPool([reserves = 0n, history = 0n, kLast = 0n]: readonly bigint[]): PoolRecord {
  return {
    reserve0: unsigned(reserves, 0n, 112n),
    reserve1: unsigned(reserves, 112n, 112n),
    touchedAt: reserves >> 225n,
    isKLastInUse: unsigned(reserves, 224n, 1n) === 1n,
    kLast,
    history: {
      cumulativeLogPrice: signed(history, 168n, 88n),
      logPrice: signed(history, 112n, 56n),
      returnWeight: unsigned(history, 80n, 32n),
      varianceRateWad: unsigned(history, 16n, 64n),
      swapFee: unsigned(history, 0n, 16n),
    },
  };
}

export function toOracle(words: readonly bigint[]): OracleRecord {
  const [head, tail, average, newer] = [0, 1, 2, 3].map((i) => at(words, i)) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  return {
    roundId: unsigned(head, 0n, 80n),
    sampledAt: unsigned(head, 80n, 40n),
    volatilityWad: unsigned(head, 120n, 64n),
    maintenanceVolatilityWad: head >> 184n,
    samplePriceWad: tail >> 152n,
    slowVarianceWad: unsigned(tail, 76n, 76n),
    fastVarianceWad: unsigned(tail, 0n, 76n),
    averageLogPriceWad: signed(average, 0n, 128n),
    averageFrom: unsigned(average, 128n, 64n),
    newerCumulativeLogPriceWad: signed(newer, 0n, 128n),
    newerVarianceRateWad: unsigned(newer, 128n, 64n),
    newerTimestamp: newer >> 192n,
  };
}

export function toRebalancer(words: readonly bigint[]): RebalancerRecord {
  const [target, variance, depth] = [at(words, 0), at(words, 1), at(words, 2)];
  return {
    lastTargetWad: unsigned(target, 0n, 128n),
    lastRoundId: unsigned(target, 128n, 80n),
    lastSampledAt: unsigned(target, 208n, 40n),
    targetVarianceWad: unsigned(variance, 0n, 128n),
    lastTradeAt: unsigned(variance, 128n, 40n),
    lastDepthWad: depth,
  };
}

/** Round of a mock feed from its four slots; undefined where it was never written. */
export function toRound(words: readonly bigint[]): Round | undefined {
  const last = at(words, 3);
  if (unsigned(last, 80n, 8n) === 0n) return undefined;
  return {
    answer: signed(at(words, 0), 0n, 256n),
    startedAt: at(words, 1),
    updatedAt: at(words, 2),
    answeredInRound: unsigned(last, 0n, 80n),
  };
}

/** Slots 0 to 9 and 11 of the margin pool. */
export function toHot(words: readonly bigint[]): HotRecord {
  const [clock, quote, accrual, income, longs, shorts, entries, collateral, insurance, band] =
    words as unknown as [
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
    ];
  const flag = (bit: bigint) => unsigned(entries, 240n + bit, 1n) === 1n;
  const claimed = flag(5n);
  return {
    ledgers: {
      inventoryBase: unsigned(longs, 112n, 112n),
      inventoryQuote: unsigned(quote, 0n, 96n),
      longOpenInterest: unsigned(longs, 0n, 112n),
      shortOpenInterest: unsigned(shorts, 0n, 112n),
      longEntryNotional: unsigned(entries, 0n, 96n),
      shortEntryNotional: unsigned(entries, 96n, 96n),
      longCollateral: unsigned(collateral, 0n, 96n),
      shortCollateral: unsigned(collateral, 96n, 96n),
      longAccrual: signed(accrual, 0n, 96n),
      shortAccrual: signed(accrual, 96n, 96n),
      skewPremium: unsigned(income, 0n, 96n),
      pendingIncome: unsigned(income, 96n, 96n),
      insuranceFund: unsigned(insurance, 0n, 96n),
      unpaidClaims: claimed ? at(words, 11) : 0n,
    },
    accountedQuote: unsigned(quote, 96n, 96n),
    fundingIndexWad: signed(clock, 0n, 112n),
    fundingRateWad: signed(clock, 112n, 64n),
    lastSyncAt: unsigned(clock, 176n, 32n),
    roundMark: unsigned(clock, 208n, 32n),
    maintenanceSkewScaleWad: ((accrual >> 192n) << 64n) | (quote >> 192n),
    pausedUntil: unsigned(income, 192n, 32n),
    outsideSince: longs >> 224n,
    skewReference: signed(shorts, 112n, 112n),
    stateSince: shorts >> 224n,
    recoverySince: unsigned(entries, 192n, 32n),
    ratioState: Number(unsigned(entries, 224n, 8n)) as RiskState,
    recoveryState: Number(unsigned(entries, 232n, 8n)) as RiskState,
    outsideLong: flag(0n),
    episodeOpen: flag(1n),
    exposureGuarded: flag(2n),
    distressed: flag(3n),
    overdue: flag(4n),
    claimed,
    longEpoch: unsigned(collateral, 192n, 16n),
    shortEpoch: unsigned(collateral, 208n, 16n),
    rebateableSkew: signed(insurance, 96n, 112n),
    outerBandWad: unsigned(band, 0n, 104n),
    depthBaseWad: unsigned(band, 104n, 104n),
    unwindCostPpm: unsigned(band, 208n, 24n),
    hedgeRatePpm: band >> 232n,
  };
}

/** Slots 10 and 12 to 19 of the margin pool. */
export function toCold(words: readonly bigint[]): ColdRecord {
  const [debt, hedge, distress] = [at(words, 12), at(words, 13), at(words, 14)];
  return {
    badDebt: unsigned(debt, 0n, 128n),
    insuranceUsed: unsigned(debt, 128n, 96n),
    insuranceUsedAt: debt >> 224n,
    hedgeCost: unsigned(hedge, 0n, 112n),
    hedgeNotional: unsigned(hedge, 112n, 112n),
    hedgeUpdatedAt: hedge >> 224n,
    distress: {
      lowSince: unsigned(distress, 0n, 40n),
      bankruptAt: unsigned(distress, 40n, 40n),
      bankruptRounds: unsigned(distress, 80n, 8n),
    },
    settlement: toSettlement(words.slice(15, 20)),
    parameters: toParameters(at(words, 10)),
  };
}

function toSettlement(words: readonly bigint[]): Settlement {
  const [price, claims, pots, late, supply] = [0, 1, 2, 3, 4].map((i) => at(words, i)) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  return {
    priceWad: unsigned(price, 0n, 128n),
    settledAt: unsigned(price, 128n, 40n),
    finalizedAt: unsigned(price, 168n, 40n),
    deadSince: unsigned(price, 208n, 40n),
    claimsTotal: unsigned(claims, 0n, 128n),
    valueTotal: claims >> 128n,
    basePot: unsigned(pots, 0n, 128n),
    quotePot: pots >> 128n,
    lateReserve: unsigned(late, 0n, 128n),
    lateCash: late >> 128n,
    shareSupply: supply,
  };
}

function toParameters(word: bigint): ParametersRecord {
  const values = (shift: bigint): ParameterValues => [
    unsigned(word, shift, 16n),
    unsigned(word, shift + 16n, 16n),
    unsigned(word, shift + 32n, 16n),
    unsigned(word, shift + 48n, 16n),
  ];
  return {
    next: values(0n),
    before: values(64n),
    changedAt: unsigned(word, 128n, 32n),
    pausedAt: unsigned(word, 160n, 32n),
  };
}

export function toPosition([size = 0n, margin = 0n]: readonly bigint[]): Position {
  return {
    size: signed(size, 0n, 128n),
    entryNotional: size >> 128n,
    collateral: unsigned(margin, 0n, 96n),
    fundingIndexWad: signed(margin, 96n, 112n),
    openedAt: unsigned(margin, 208n, 32n),
    epoch: margin >> 240n,
  };
}

export function toOrder([first = 0n, second = 0n]: readonly bigint[]): Order {
  return {
    sizeDelta: signed(first, 0n, 128n),
    acceptablePriceWad: first >> 128n,
    requestedAt: unsigned(second, 0n, 40n),
    expiresAt: unsigned(second, 40n, 40n),
    roundId: unsigned(second, 80n, 80n),
    reservedMargin: unsigned(second, 160n, 88n),
    reduceOnly: unsigned(second, 248n, 8n) === 1n,
  };
}

export function toShareLock([word = 0n]: readonly bigint[]): ShareLock {
  return { lockedShares: unsigned(word, 0n, 128n), unlockAt: unsigned(word, 128n, 40n) };
}

export function toCheckpoint([first = 0n, cash = 0n]: readonly bigint[]): Checkpoint {
  return {
    scale: unsigned(first, 0n, 128n),
    fundingIndexWad: signed(first, 128n, 112n),
    cash: signed(cash, 0n, 256n),
  };
}
