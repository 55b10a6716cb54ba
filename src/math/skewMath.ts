/**
 * Skew: its price, its speed limit and what it adds to the cost of rebalancing. The exact twin of `contracts/libraries/SkewMath.sol`.
 *
 * 18-decimal values; K and sizes in base, money in quote, times in seconds. Formulas: docs/mathematics.md, "Orders". The domain is
 * Solidity's: amounts below 2^127, prices above 0 and below 2^120, equity above 0. Beyond it Solidity may wrap around at 256 bits where
 * a bigint does not.
 */
import { checkedDiv, fullMulDiv, fullMulDivUp, max, min, mulWad, WAD } from "./fixedPoint.ts";
import { rememberLast, rememberLastPair } from "./memo.ts";
import { magnitude, mulWadCeil, oppositeSigns } from "./signedWadMath.ts";
import { MAINTENANCE_MAXIMUM_ELAPSED, YEAR } from "./volatilityMath.ts";

export { WAD, WAD as UNIT } from "./fixedPoint.ts";

/** p_max: at the cap of the skew one more base costs at most 5 % of the price. */
export const MAXIMUM_PREMIUM_WAD = 50_000_000_000_000_000n;

/** rho_s: price of variance, per equity. */
export const RISK_AVERSION = 5n;

/** m_x: skew scale per base of pool depth. */
export const DEPTH_MULTIPLE = 50n;

/** T_k: premiums and income reach LPs with a time constant of one day. */
export const INCOME_TIME_CONSTANT = 86_400n;

/** K_cap = 0.5 E / P. */
export const SKEW_CAP_WAD = 500_000_000_000_000_000n;

/** Room for new skew: 10 % of equity, and as much again every period. */
export const SPEED_LIMIT_WAD = 100_000_000_000_000_000n;

/** 10 minutes. */
export const SPEED_PERIOD = 600n;

/** skewScale_mm falls by at most 10 % per hour. */
export const MAINTENANCE_FALL_PER_HOUR_WAD = 100_000_000_000_000_000n;

const HOUR = 3_600n;
const PPM = 1_000_000n;

/** 1 / T_k, per year, 1e18. */
const INCOME_RATE_WAD = (YEAR / INCOME_TIME_CONSTANT) * WAD;

/** 1 / p_max is a whole number, so that multiplying by it rounds as dividing does. */
const LEAST_SCALE_PER_CAP = WAD / MAXIMUM_PREMIUM_WAD;

/** What a change of the skew does to the premium ledger J, quote. */
export interface Premium {
  /** By a trade that raises |K|, rounded up. */
  paid: bigint;
  /** Into J of what was paid, rounded down; the difference is income. */
  booked: bigint;
  /** Of J after the skew fell, rounded down. */
  kept: bigint;
  /** Of what J lost, to a trade that lowers |K|, rounded down; the rest of it is income. */
  rebate: bigint;
}

/**
 * K_cap = 0.5 E / P, base, rounded down, at least 1.
 *
 * @throws {Revert} Panic 0x12 when `price` is 0
 * @example
 * skewCap(10_000n * WAD, 2_000n * WAD); // 2500000000000000000n
 */
export function skewCap(equity: bigint, price: bigint): bigint {
  return rememberedCap(equity, price);
}

const rememberedCap = rememberLastPair((equity, price) =>
  max(checkedDiv(SKEW_CAP_WAD * equity, price), 1n),
);

/**
 * skewScale = max(K_cap / p_max, min(1 / ((rho_s / E) sigma^2 P T_k), m_x x_ema)), base, rounded down.
 *
 * @throws {Revert} Panic 0x12 when `price` or sigma^2 is 0
 * @example
 * skewScale(10_000_000n * WAD, 200n * WAD, (8n * WAD) / 10n, 100_000n * WAD); // 5000000000000000000000000n
 */
export function skewScale(
  equity: bigint,
  price: bigint,
  sigmaWad: bigint,
  depthBase: bigint,
): bigint {
  const perPrice = checkedDiv(equity * INCOME_RATE_WAD, rememberedRisk(sigmaWad)) * WAD;
  const byRisk = checkedDiv(perPrice, price);
  return max(min(byRisk, DEPTH_MULTIPLE * depthBase), leastSkewScale(equity, price));
}

/** rho_s sigma^2, 1e18. */
const rememberedRisk = rememberLast((sigmaWad) => RISK_AVERSION * ((sigmaWad * sigmaWad) / WAD));

/**
 * skewScale_mm rises at once and falls by at most 10 % per hour, elapsed time counting at most ten minutes per update.
 *
 * @throws {Revert} MulWadFailed when a product has more than 256 bits
 * @example
 * maintenanceSkewScale(WAD, 1n, 360n); // 990000000000000000n
 */
export function maintenanceSkewScale(
  maintenance: bigint,
  current: bigint,
  elapsed: bigint,
): bigint {
  return max(current, mulWad(maintenance, rememberedRest(elapsed)));
}

/** What is left of a scale that fell for so many seconds, 1e18. */
const rememberedRest = rememberLast((elapsed) => {
  const counted = min(elapsed, MAINTENANCE_MAXIMUM_ELAPSED);
  return WAD - (MAINTENANCE_FALL_PER_HOUR_WAD * counted) / HOUR;
});

/**
 * The scale at which one more base costs p_max at the cap of the skew: skewScale is never below it.
 *
 * @throws {Revert} Panic 0x12 when `price` is 0
 * @example
 * leastSkewScale(10_000n * WAD, 2_000n * WAD); // 50000000000000000000n
 */
export function leastSkewScale(equity: bigint, price: bigint): bigint {
  return skewCap(equity, price) * LEAST_SCALE_PER_CAP;
}

/**
 * With j = J / K^2 and c = P / (2 skewScale): raising |K| to |K'| costs max(c, min(j, c_max)) per K'^2 - K^2; lowering it pays back
 * min(c, j) (K^2 - K'^2) for skew that is older than this round, and J falls to J (K'/K)^2; across zero the two in turn.
 *
 * @param ledger J
 * @param rebateable part of K that is older than this round
 * @param scale skewScale
 * @param leastScale skewScale at c_max
 * @throws {Revert} FullMulDivFailed when a scale that is needed is 0 or a result has more than 256 bits
 * @example
 * premium(0n, 0n, 10_000n * WAD, 0n, 200n * WAD, 5_000_000n * WAD, WAD).booked; // 2000000000000000000000n
 */
export function premium(
  ledger: bigint,
  skewBefore: bigint,
  skewAfter: bigint,
  rebateable: bigint,
  price: bigint,
  scale: bigint,
  leastScale: bigint,
): Premium {
  const before = magnitude(skewBefore);
  const next = magnitude(skewAfter);
  const crosses = oppositeSigns(skewBefore, skewAfter);
  const low = crosses ? 0n : next;
  const from = crosses ? 0n : before;
  const result: Premium = {
    paid: 0n,
    booked: 0n,
    kept: premiumKeptDown(ledger, skewBefore, skewAfter),
    rebate: 0n,
  };
  if (low < before) {
    const old = magnitude(retained(rebateable, skewBefore));
    if (old > low) {
      const squares = old * old - low * low;
      const byLedger = fullMulDiv(ledger, squares, before * before);
      result.rebate = min(byLedger, atPrice(squares, price, scale));
    }
  }
  if (next > from) {
    const squares = next * next - from * from;
    result.booked = atPrice(squares, price, scale);
    if (from !== 0n) {
      const byLedger = fullMulDiv(ledger, squares, from * from);
      result.booked = max(result.booked, min(byLedger, atPrice(squares, price, leastScale)));
    }
    result.paid = result.booked + 1n;
  }
  return result;
}

/** c x `squares`, quote, rounded down. */
function atPrice(squares: bigint, price: bigint, scale: bigint): bigint {
  return fullMulDiv(squares, price, 2n * scale) / WAD;
}

/**
 * J (K'/K)^2 when |K| falls, 0 across zero, J otherwise. Rounded down.
 *
 * @throws {Revert} FullMulDivFailed when the result has more than 256 bits
 * @example
 * premiumKeptDown(100n, 10n, 5n); // 25n
 */
export function premiumKeptDown(ledger: bigint, skewBefore: bigint, skewAfter: bigint): bigint {
  if (oppositeSigns(skewBefore, skewAfter)) return 0n;
  const before = magnitude(skewBefore);
  const next = magnitude(skewAfter);
  return next >= before ? ledger : fullMulDiv(ledger, next * next, before * before);
}

/**
 * K_ref after `elapsed` seconds: falls with |K| at once, to 0 on a change of sign, rises by 10 % of equity per 10 minutes. Rises are
 * rounded down.
 *
 * @throws {Revert} Panic 0x12 when `price` is 0
 * @example
 * referenceAfter(0n, -WAD, 10n * WAD, 2n * WAD, 300n); // -250000000000000000n
 */
export function referenceAfter(
  reference_: bigint,
  skew: bigint,
  equity: bigint,
  price: bigint,
  elapsed: bigint,
): bigint {
  const kept = retained(reference_, skew);
  if (kept === skew && price !== 0n) return skew;
  const start = magnitude(kept);
  const rise = (checkedDiv(SPEED_LIMIT_WAD * equity, price) * elapsed) / SPEED_PERIOD;
  const reached = min(start + rise, magnitude(skew));
  return skew < 0n ? -reached : reached;
}

/**
 * The part of a reference that a skew still supports: the smaller magnitude, 0 on a change of sign.
 *
 * @example
 * retained(-3n, -2n); // -2n
 * retained(-3n, 2n); // 0n
 */
export function retained(reference_: bigint, skew: bigint): bigint {
  if (oppositeSigns(reference_, skew)) return 0n;
  return magnitude(reference_) < magnitude(skew) ? reference_ : skew;
}

/**
 * The part of a trade that the speed limit lets through: all of one that lowers |K| on the same side; otherwise up to
 * |K'| = |K_ref| + 10 % of equity, where K_ref counts as 0 on the other side of zero.
 *
 * @returns the allowed part, of the same sign as `sizeDelta` and possibly 0, and the largest |K'| now
 * @throws {Revert} Panic 0x12 when `price` is 0
 * @example
 * speedLimited(0n, -WAD, 0n, 10n * WAD, 2n * WAD); // [-500000000000000000n, 500000000000000000n]
 */
export function speedLimited(
  skew: bigint,
  sizeDelta: bigint,
  reference_: bigint,
  equity: bigint,
  price: bigint,
): [allowed: bigint, limit: bigint] {
  const after = skew + sizeDelta;
  const kept = oppositeSigns(after, reference_) ? 0n : magnitude(reference_);
  const limit = kept + checkedDiv(SPEED_LIMIT_WAD * equity, price);
  if (!builds(skew, after) || magnitude(after) <= limit) return [sizeDelta, limit];
  const allowed = (after < 0n ? -limit : limit) - skew;
  return [oppositeSigns(allowed, sizeDelta) ? 0n : allowed, limit];
}

/**
 * Whether moving the skew from K to K' builds skew: |K| grows, or K changes sign.
 *
 * @example
 * builds(2n, -1n); // true
 */
export function builds(skewBefore: bigint, skewAfter: bigint): boolean {
  return oppositeSigns(skewBefore, skewAfter) || magnitude(skewAfter) > magnitude(skewBefore);
}

/**
 * phi P (max(0, |D'| - h_in) - max(0, |D| - h_in)), not below 0; the full phi P max(0, |D'| - h_in) when the exposure changes sign.
 * Quote, rounded up.
 *
 * @param exposure D in base
 * @param exposureAfter D' in base
 * @param innerBand h_in in base
 * @param ratePpm phi, 1e6 = 100 %
 * @throws {Revert} FullMulDivFailed when the result has more than 256 bits
 * @example
 * hedgeChargeUp(0n, -3n * WAD, WAD, 200n * WAD, 5_000n); // 2000000000000000000n
 */
export function hedgeChargeUp(
  exposure: bigint,
  exposureAfter: bigint,
  innerBand: bigint,
  price: bigint,
  ratePpm: bigint,
): bigint {
  let excess = max(magnitude(exposureAfter) - innerBand, 0n);
  if (!oppositeSigns(exposure, exposureAfter)) {
    excess = max(excess - max(magnitude(exposure) - innerBand, 0n), 0n);
  }
  return fullMulDivUp(mulWadCeil(excess, price), ratePpm, PPM);
}
