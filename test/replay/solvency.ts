import {
  abs,
  ceilDiv,
  clamp,
  DAY,
  floorDiv,
  max,
  min,
  mulCeil,
  mulFloor,
  PPM,
  rootFloor,
  WAD,
  YEAR,
} from "./numbers.ts";
import { type State, skewOf } from "./state.ts";

/** Equity, exposure and required capital of a state at its market, 18 decimals. */
export interface Solvency {
  equity: bigint;
  equityBid: bigint;
  targetInventory: bigint;
  netExposure: bigint;
  required: bigint;
  ratio: bigint;
}

/** What the solvency ratio of a pool is that nothing is required of. */
export const BOUNDLESS = 2n ** 256n - 1n;
const KAPPA = (9n * WAD) / 10n;
const MINUTE_DEVIATIONS = 4n;

/** max(E, 1 quote). */
export const atLeastOne = (equity: bigint): bigint => max(equity, WAD);

/** K, 18 decimals. */
const skewWad = (s: State): bigint => skewOf(s) * s.baseScale;
const inBase = (s: State, amount: bigint): bigint => amount * s.baseScale;
const inQuote = (s: State, amount: bigint): bigint => amount * s.quoteScale;

/** E(p) = q + b p - U(p) + A_L + A_S - Z, rounded down. */
export function equityAt(s: State, p: bigint): bigint {
  const l = s.ledgers;
  const still = inQuote(
    s,
    l.inventoryQuote +
      l.longEntryNotional -
      l.shortEntryNotional +
      l.longAccrual +
      l.shortAccrual -
      l.unpaidClaims,
  );
  return still + mulFloor(inBase(s, l.inventoryBase) - skewWad(s), p);
}

/** h(p): a side's loss counts up to 90 % of its collateral, its accrual only where the pool owes it. Rounded down. */
export function prudentEquityAt(s: State, p: bigint): bigint {
  const l = s.ledgers;
  const longLoss = inQuote(s, l.longEntryNotional) * WAD - inBase(s, l.longOpenInterest) * p;
  const shortLoss = inBase(s, l.shortOpenInterest) * p - inQuote(s, l.shortEntryNotional) * WAD;
  const moving =
    inBase(s, l.inventoryBase) * p +
    min(longLoss, inQuote(s, l.longCollateral) * KAPPA) +
    min(shortLoss, inQuote(s, l.shortCollateral) * KAPPA);
  const still =
    l.inventoryQuote + min(l.longAccrual, 0n) + min(l.shortAccrual, 0n) - l.unpaidClaims;
  return inQuote(s, still) + floorDiv(moving, WAD);
}

/** P- and P+: the same whole number away from P, at least delta. A frozen price has no band. */
export function priceBand(s: State): [lower: bigint, upper: bigint] {
  if (s.settlement.settledAt !== 0n) return [s.market.price, s.market.price];
  const width = mulCeil(s.market.price, s.settings.priceBandWad);
  return [s.market.price - width, s.market.price + width];
}

/** The LPs' wider band. */
export function lpBand(s: State): [lower: bigint, upper: bigint] {
  const { lpPriceBandWad } = s.settings;
  return [
    mulFloor(s.market.price, WAD - lpPriceBandWad),
    mulCeil(s.market.price, WAD + lpPriceBandWad),
  ];
}

/** E_bid = min(h(P-), h(P+)). */
export const equityBidIn = (s: State, [lower, upper]: [bigint, bigint]): bigint =>
  min(prudentEquityAt(s, lower), prudentEquityAt(s, upper));

/** E_ask: the best case in the band with all income on its way, rounded up. */
export function equityAskIn(s: State, [lower, upper]: [bigint, bigint]): bigint {
  const l = s.ledgers;
  const exposure = inBase(s, l.inventoryBase) - skewWad(s);
  const still =
    l.inventoryQuote +
    l.longEntryNotional -
    l.shortEntryNotional +
    max(l.longAccrual, 0n) +
    max(l.shortAccrual, 0n) +
    l.skewPremium +
    l.pendingIncome -
    l.unpaidClaims;
  return inQuote(s, still) + mulCeil(exposure, exposure > 0n ? upper : lower);
}

/** U(p), rounded up. */
export const traderProfitAt = (s: State, p: bigint): bigint =>
  mulCeil(skewWad(s), p) - inQuote(s, s.ledgers.longEntryNotional - s.ledgers.shortEntryNotional);

/** q + b P, not below zero. */
const holdings = (s: State, p: bigint): bigint =>
  max(inQuote(s, s.ledgers.inventoryQuote) + (inBase(s, s.ledgers.inventoryBase) * p) / WAD, 0n);

/** b* = clamp(K + w E / P, 0, 0.98 (q + b P) / P) for a skew that need not be the book's. */
export function targetInventory(s: State, skew: bigint, equity: bigint): bigint {
  const { price } = s.market;
  const wanted = skew + (s.settings.targetBaseWeightWad * atLeastOne(equity)) / price;
  const possible = (((98n * WAD) / 100n) * holdings(s, price)) / price;
  return min(max(wanted, 0n), possible);
}

/** sigma sqrt(seconds), with the root at 18 decimals. */
function deviation(sigma: bigint, seconds: bigint): bigint {
  return (sigma * rootFloor((seconds * WAD * WAD) / YEAR, 2n)) / WAD;
}

/** max(2.82 sigma sqrt(1 day), 20 %). */
export const shock = (sigma: bigint): bigint =>
  max(mulFloor((282n * WAD) / 100n, deviation(sigma, DAY)), WAD / 5n);

/** R: the worse gap of m = clamp(6 sigma sqrt(1 day), 20 %, 50 %), 4 % of gross open interest, the cost of getting flat. */
export function requiredCapital(s: State): bigint {
  const { price, sigma } = s.market;
  const l = s.ledgers;
  const gap = clamp(mulFloor(6n * WAD, deviation(sigma, DAY)), WAD / 5n, WAD / 2n);
  const worst = min(
    prudentEquityAt(s, mulFloor(price, WAD - gap)),
    prudentEquityAt(s, mulCeil(price, WAD + gap)),
  );
  const loss = max(prudentEquityAt(s, price) - worst, 0n);
  const gross = mulCeil(inBase(s, l.longOpenInterest + l.shortOpenInterest), price);
  const delta = mulCeil(abs(inBase(s, l.inventoryBase) - skewWad(s)), price);
  return loss + ceilDiv(gross * 4n, 100n) + ceilDiv(delta * s.unwindCostPpm, PPM);
}

/** Everything at the market of the state. */
export function solvencyOf(s: State): Solvency {
  const equity = equityAt(s, s.market.price);
  const equityBid = equityBidIn(s, priceBand(s));
  const target = targetInventory(s, skewWad(s), equity);
  const required = requiredCapital(s);
  let ratio = 0n;
  if (required === 0n && equityBid >= 0n) ratio = BOUNDLESS;
  else if (equityBid > 0n) ratio = (equityBid * WAD) / required;
  const netExposure = inBase(s, s.ledgers.inventoryBase) - target;
  return { equity, equityBid, targetInventory: target, netExposure, required, ratio };
}

/** K_cap = 0.5 E / P. */
export const skewCap = (s: State, equity: bigint): bigint =>
  max(((WAD / 2n) * atLeastOne(equity)) / s.market.price, 1n);

/** Largest skew that 10 % of equity buys, base. */
export const tenthOfEquity = (s: State, equity: bigint): bigint =>
  ((WAD / 10n) * atLeastOne(equity)) / s.market.price;

/** The scale at which one more base costs 5 % at the cap. */
export const leastSkewScale = (s: State, equity: bigint): bigint =>
  (skewCap(s, equity) * WAD) / (WAD / 20n);

/** skewScale = max(K_cap / 5 %, min(E / (5 sigma^2 P T_k), 50 x_ema)), T_k = 1 / 365 year. */
export function skewScale(s: State, equity: bigint): bigint {
  const { price, sigma } = s.market;
  const variance = (sigma * sigma) / WAD;
  const byRisk = (((atLeastOne(equity) * 365n * WAD) / (5n * variance)) * WAD) / price;
  return max(min(byRisk, 50n * s.depthBaseWad), leastSkewScale(s, equity));
}

/** 4 sigma sqrt(half an hour). */
export const riskTerm = (sigma: bigint): bigint => MINUTE_DEVIATIONS * deviation(sigma, 1_800n);

/** 0.5 % + size / (2 scale) + 4 sigma sqrt(half an hour), at least 1 %. */
export function maintenanceRatio(s: State, size: bigint, scale: bigint, sigma: bigint): bigint {
  const byScale = ceilDiv(abs(size) * s.baseScale * WAD, 2n * scale);
  return max((5n * WAD) / 1_000n + byScale + riskTerm(sigma), WAD / 100n);
}

/** MMR at sigma_mm and skewScale_mm. */
export const maintenanceRatioNow = (s: State, size: bigint): bigint =>
  maintenanceRatio(s, size, s.maintenanceSkewScaleWad, s.market.sigmaMm);

/** IMR at sigma and skewScale. */
export function initialRatio(s: State, size: bigint, equity: bigint, floorBps: bigint): bigint {
  const { sigma } = s.market;
  const maintenance = maintenanceRatio(s, size, skewScale(s, equity), sigma);
  return max(maintenance + riskTerm(sigma), floorBps * 10n ** 14n);
}
