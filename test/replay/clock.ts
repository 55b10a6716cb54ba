import {
  abs,
  clamp,
  DAY,
  fadedShare,
  floorDiv,
  HOUR,
  MINUTE,
  max,
  min,
  mulCeil,
  mulFloor,
  oppositeSigns,
  WAD,
  YEAR,
} from "./numbers.ts";
import {
  atLeastOne,
  equityAt,
  type Solvency,
  shock,
  skewCap,
  skewScale,
  solvencyOf,
  tenthOfEquity,
} from "./solvency.ts";
import {
  DELEVERAGING,
  GUARDED,
  type Market,
  NORMAL,
  REDUCE_ONLY,
  SETTLED,
  type State,
  skewOf,
} from "./state.ts";

/** Brings a state up to a block's time at a market, and its risk state with it. */
export function open(s: State, at: bigint, market: Market): Solvency {
  s.at = at;
  s.market = market;
  s.stateBefore = worseOf(s);
  [s.premiumEarned, s.incomeEarned] = [0n, 0n];
  advance(s);
  const solvency = solvencyOf(s);
  s.equityAtOpen = solvency.equity;
  follow(s, solvency);
  return solvency;
}

/** What an action leaves: risk state, then the band's episode. */
export function close(s: State): Solvency {
  const solvency = solvencyOf(s);
  follow(s, solvency);
  finish(s, solvency);
  return solvency;
}

/** What an action leaves that changed nothing since its state was last judged. */
export function finish(s: State, solvency: Solvency): void {
  trackBand(s, solvency);
  if (s.state !== s.stateBefore) {
    s.stateChanges.push(`${s.stateBefore} to ${s.state} at ${solvency.ratio}`);
    s.stateBefore = s.state;
  }
}

// ------------------------------------------------------------------------ time

function advance(s: State): void {
  if (s.market.roundId !== s.lastSyncRound) {
    s.lastSyncRound = s.market.roundId;
    s.rebateableSkew = skewOf(s);
  }
  const elapsed = s.at - s.lastSyncAt;
  if (elapsed === 0n) return;
  s.lastSyncAt = s.at;
  const equity = equityAt(s, s.market.price);
  accrueFunding(s, equity, elapsed);
  earnIncome(s, elapsed);
  followSkew(s, equity, elapsed);
  // skewScale_mm rises at once and falls by 10 % an hour, a gap counting for ten minutes
  const fall = ((WAD / 10n) * min(elapsed, 10n * MINUTE)) / HOUR;
  const lowest = mulFloor(s.maintenanceSkewScaleWad, WAD - fall);
  s.maintenanceSkewScaleWad = min(max(skewScale(s, equity), lowest), 2n ** 128n - 1n);
}

/**
 * The exact integral of a rate that relaxes to 90 % a year x clamp(K / K_cap, -1, 1) in three hours. Longs pay dF per
 * base and shorts receive it; each side's accrual is rounded down.
 */
function accrueFunding(s: State, equity: bigint, elapsed: bigint): void {
  const share = clamp((skewOf(s) * s.baseScale * WAD) / skewCap(s, equity), -WAD, WAD);
  const target = (((9n * WAD) / 10n) * share) / WAD;
  const covered = fadedShare(elapsed, 3n * HOUR);
  const gap = s.fundingRateWad - target;
  const accrued = (target * elapsed + (gap * covered * 3n * HOUR) / WAD) / YEAR;
  const perBase = (accrued * s.market.price) / WAD;
  s.fundingRateWad = target + (gap * (WAD - covered)) / WAD;
  s.fundingIndexWad += perBase;
  const l = s.ledgers;
  l.longAccrual += floorDiv(mulFloor(l.longOpenInterest * s.baseScale, perBase), s.quoteScale);
  l.shortAccrual += floorDiv(mulFloor(l.shortOpenInterest * s.baseScale, -perBase), s.quoteScale);
}

/** J and S flow into q with a time constant of a day. */
function earnIncome(s: State, elapsed: bigint): void {
  const l = s.ledgers;
  const weight = fadedShare(elapsed, DAY);
  s.premiumEarned = mulFloor(l.skewPremium, weight);
  s.incomeEarned = mulFloor(l.pendingIncome, weight);
  l.skewPremium -= s.premiumEarned;
  l.pendingIncome -= s.incomeEarned;
  l.inventoryQuote += s.premiumEarned + s.incomeEarned;
}

/** K_ref rises by 10 % of equity in ten minutes, at most to |K|. */
function followSkew(s: State, equity: bigint, elapsed: bigint): void {
  const skew = skewOf(s) * s.baseScale;
  const start = retained(s.skewReference * s.baseScale, skew);
  const rise = (tenthOfEquity(s, equity) * elapsed) / (10n * MINUTE);
  const reached = min(abs(start) + rise, abs(skew));
  s.skewReference = (skew < 0n ? -reached : reached) / s.baseScale;
}

/** The part of a reference that a skew still supports: the smaller magnitude, 0 on the other side of zero. */
export function retained(reference: bigint, skew: bigint): bigint {
  if (oppositeSigns(reference, skew)) return 0n;
  return abs(reference) < abs(skew) ? reference : skew;
}

// ----------------------------------------------------------------------- state

const THRESHOLDS = [
  [NORMAL, (15n * WAD) / 10n],
  [GUARDED, (125n * WAD) / 100n],
] as const;

function stateAt(ratio: bigint, above: bigint): number {
  return THRESHOLDS.find(([, least]) => ratio >= least + above)?.[0] ?? REDUCE_ONLY;
}

/** Solvency ratio at which deleveraging stops: 1.05, or 1.25 where it began because ReduceOnly lasted for a day. */
export const deleveragingGoal = (s: State): bigint => ((s.overdue ? 125n : 105n) * WAD) / 100n;

const worseOf = (s: State): number =>
  s.exposureGuarded && s.ratioState === NORMAL ? GUARDED : s.ratioState;

/** Moves the risk state to what solvency ratio, exposure and time say. */
export function follow(s: State, solvency: Solvency): void {
  followRatio(s, solvency.ratio);
  followRounds(s, solvency);
  const loss = mulCeil(mulCeil(abs(solvency.netExposure), s.market.price), shock(s.market.sigma));
  const limit = s.exposureGuarded ? WAD / 25n : WAD / 20n;
  s.exposureGuarded = loss > mulFloor(limit, atLeastOne(solvency.equity));
  s.state = worseOf(s);
}

function followRatio(s: State, ratio: bigint): void {
  const worst = stateAt(ratio, 0n);
  if (worst > s.ratioState) {
    enter(s, worst);
    return;
  }
  if (s.ratioState === REDUCE_ONLY && s.at >= s.stateSince + DAY) {
    enter(s, DELEVERAGING);
    s.overdue = true;
  }
  if (s.ratioState === DELEVERAGING) {
    if (ratio >= deleveragingGoal(s)) enter(s, s.overdue ? GUARDED : REDUCE_ONLY);
    return;
  }
  const reached = stateAt(ratio, WAD / 10n);
  if (reached >= s.ratioState) {
    s.recoverySince = 0n;
  } else if (s.recoverySince === 0n) {
    [s.recoverySince, s.recoveryState] = [s.at, reached];
  } else {
    s.recoveryState = Math.max(s.recoveryState, reached);
    if (s.at >= s.recoverySince + 30n * MINUTE) enter(s, s.recoveryState);
  }
}

function enter(s: State, state: number): void {
  s.ratioState = state;
  s.stateSince = s.at;
  s.recoverySince = 0n;
  s.overdue = false;
}

/** SR < 1 on two rounds ten minutes apart: Deleveraging. E_bid <= 0 on three: Settled. */
function followRounds(s: State, { ratio, equityBid }: Solvency): void {
  if (ratio >= WAD) {
    [s.lowSince, s.bankruptAt, s.bankruptRounds] = [0n, 0n, 0n];
    return;
  }
  const { updatedAt } = s.market;
  if (s.lowSince === 0n) s.lowSince = updatedAt;
  if (updatedAt >= s.lowSince + 10n * MINUTE && s.ratioState < DELEVERAGING) enter(s, DELEVERAGING);
  if (equityBid > 0n) {
    s.bankruptRounds = 0n;
  } else if (s.bankruptRounds === 0n || updatedAt >= s.bankruptAt + 10n * MINUTE) {
    s.bankruptAt = updatedAt;
    s.bankruptRounds += 1n;
    if (s.bankruptRounds >= 3n) enter(s, SETTLED);
  }
}

/** An episode opens a block after |D| > h_out was first seen; it closes at |D| <= h_in or when D changes sign. */
function trackBand(s: State, { netExposure }: Solvency): void {
  const size = abs(netExposure);
  const long = netExposure > 0n;
  const sameSide = s.outsideSince !== 0n && s.outsideLong === long;
  if (s.episodeOpen && sameSide && size > s.outerBandWad / 2n) return;
  if (size <= s.outerBandWad) {
    [s.outsideSince, s.episodeOpen] = [0n, false];
  } else if (!sameSide || s.episodeOpen) {
    [s.outsideSince, s.outsideLong, s.episodeOpen] = [s.at, long, false];
  } else {
    s.episodeOpen = s.at > s.outsideSince;
  }
}
