/**
 * Closed forms of a full-range constant-product position and of its hedge: what simulations must reproduce. Doubles
 * throughout; nothing here reaches the protocol. Liquidity is L = sqrt(x y), a price P is quote per base, sigma is per
 * square root of the time that goes with it (docs/mathematics.md, "Paths and closed forms").
 */

/**
 * Impermanent loss as a fraction of holding, at most 0: 2 sqrt(r) / (1 + r) - 1, written so that nothing cancels near
 * r = 1 (Pintail 2019).
 *
 * @param ratio price over the price at deposit
 */
export function impermanentLoss(ratio: number): number {
  return -((Math.sqrt(ratio) - 1) ** 2) / (1 + ratio);
}

/** A position beside the holdings that it was made from, in quote. */
export interface Divergence {
  readonly value: number;
  readonly held: number;
  /** held - value = L (sqrt(P) - sqrt(P0))^2 / sqrt(P0). */
  readonly loss: number;
}

/** Divergence of a position from holding, in quote. */
export function divergence(liquidity: number, openPrice: number, price: number): Divergence {
  const [rootOpen, root] = [Math.sqrt(openPrice), Math.sqrt(price)];
  return {
    value: 2 * liquidity * root,
    held: liquidity * (price / rootOpen + rootOpen),
    loss: (liquidity * (root - rootOpen) ** 2) / rootOpen,
  };
}

/** Value in quote, its first three derivatives with respect to price, and the loss rate they imply. */
export interface LpGreeks {
  readonly value: number;
  readonly delta: number;
  readonly gamma: number;
  readonly speed: number;
}

/** Greeks of a position: V = 2 L sqrt(P), delta L / sqrt(P) = x, gamma -x / (2 P), speed 3 x / (4 P^2). */
export function lpGreeks(liquidity: number, price: number): LpGreeks {
  const delta = liquidity / Math.sqrt(price);
  return {
    value: 2 * delta * price,
    delta,
    gamma: -delta / (2 * price),
    speed: (3 * delta) / (4 * price ** 2),
  };
}

/**
 * Loss-versus-rebalancing per unit of time, as a fraction of the position: sigma^2 / 8, without fees and with continuous
 * arbitrage (Milionis, Moallemi, Roughgarden, Zhang 2022).
 */
export function lossVersusRebalancingRate(sigma: number): number {
  return sigma ** 2 / 8;
}

/**
 * Expected loss-versus-rebalancing of a position without fees up to `time`, as a fraction of its first value:
 * 1 - exp(-sigma^2 T / 8) for a lognormal martingale, at any number of arbitrages in between. An arbitrage pays the
 * position's holdings times the price change less its change in value, and the first is fair: only E[V_T] / V_0 =
 * E[sqrt(P_T / P_0)] counts.
 */
export function expectedLossVersusRebalancing(sigma: number, time: number): number {
  return -Math.expm1((-(sigma ** 2) * time) / 8);
}

/**
 * Share of blocks with an arbitrage, for Poisson blocks: 1 / (1 + sqrt(2 lambda) gamma / sigma) (Milionis, Moallemi,
 * Roughgarden 2023). The logarithm of the price has no drift.
 *
 * @param blockRate lambda, blocks per unit of time
 * @param gamma one-sided logarithmic fee, -ln(1 - f)
 */
export function poissonTradeProbability(sigma: number, blockRate: number, gamma: number): number {
  return 1 / (1 + (Math.sqrt(2 * blockRate) * gamma) / sigma);
}

/**
 * Arbitrage profit per unit of time as a fraction of the position, for Poisson blocks:
 * sigma^2 / 8 P_trade cosh(gamma / 2) / (1 - sigma^2 / (8 lambda)). The fee is paid in quote on both sides; where it is paid in what is
 * sold to the pool, cosh(gamma / 2) is exp(gamma / 2).
 *
 * @throws RangeError unless sigma^2 / 8 < lambda, without which the expectation is infinite
 */
export function poissonArbitrageRate(sigma: number, blockRate: number, gamma: number): number {
  const rate = lossVersusRebalancingRate(sigma);
  if (rate >= blockRate) throw new RangeError(`sigma^2 / 8 = ${rate} is not below ${blockRate}`);
  const probability = poissonTradeProbability(sigma, blockRate, gamma);
  return (rate * probability * Math.cosh(gamma / 2)) / (1 - rate / blockRate);
}

/** sqrt(2 pi) / |zeta(1/2)|. */
const ZETA_FACTOR = 1.7164519022674074;

/**
 * Arbitrage profit per block of constant length, in quarters of the position's value: s^2 / (2 + 1.7164 G / s), s being the
 * volatility of a block and G = 2 gamma the whole width of the band (Nezlobin, Tassy 2025). Asymptotic: within 1.1 % up to
 * gamma = 8 s.
 */
export function deterministicArbitrage(sigmaPerBlock: number, gamma: number): number {
  return sigmaPerBlock ** 2 / (2 + (ZETA_FACTOR * 2 * gamma) / sigmaPerBlock);
}

/** Reserves after two opposite streams, and what each received. */
export interface StreamResult {
  readonly endBase: number;
  readonly endQuote: number;
  readonly outBase: number;
  readonly outQuote: number;
}

/**
 * Two opposite streams sold evenly into a pool without fees: dx/dt = a - b x^2 / k in closed form (White, Robinson, Adams 2021,
 * "TWAMM").
 *
 * @param inBase base sold over the whole time
 * @param inQuote quote sold over the whole time
 */
export function oppositeStreams(
  reserveBase: number,
  reserveQuote: number,
  inBase: number,
  inQuote: number,
): StreamResult {
  const k = reserveBase * reserveQuote;
  const growth = Math.exp(2 * Math.sqrt((inBase * inQuote) / k));
  const [first, second] = [Math.sqrt(reserveBase * inQuote), Math.sqrt(reserveQuote * inBase)];
  const c = (first - second) / (first + second);
  const endBase = (Math.sqrt((k * inBase) / inQuote) * (growth + c)) / (growth - c);
  const endQuote = k / endBase;
  return {
    endBase,
    endQuote,
    outBase: reserveBase + inBase - endBase,
    outQuote: reserveQuote + inQuote - endQuote,
  };
}

/**
 * Value of a portfolio that holds b times itself in the asset at every instant, over its first value:
 * (S_T / S_0)^b exp(-(b^2 - b) / 2 times the integrated variance) (Avellaneda, Zhang 2010; no interest).
 */
export function constantLeverageRatio(
  leverage: number,
  priceRatio: number,
  integratedVariance: number,
): number {
  return priceRatio ** leverage * constantLeverageDecay(leverage, integratedVariance);
}

/** What constant leverage loses to variance alone: exp(-(b^2 - b) / 2 times the integrated variance). */
export function constantLeverageDecay(leverage: number, integratedVariance: number): number {
  return Math.exp((-(leverage ** 2 - leverage) / 2) * integratedVariance);
}

/**
 * Leland's number A: what proportional costs add to the variance of a hedge, sqrt(8 / pi) cost / (sigma sqrt(dt)) (Leland 1985).
 * Whoever is short gamma, as an LP is, hedges at sigma sqrt(1 + A); whoever is long at sigma sqrt(1 - A).
 *
 * @param cost of trading one way, as a fraction of the value traded
 * @param interval between rehedges
 */
export function lelandNumber(sigma: number, cost: number, interval: number): number {
  return (Math.sqrt(8 / Math.PI) * cost) / (sigma * Math.sqrt(interval));
}

/**
 * Half of the no-trade band around a delta hedge: cbrt(3 cost P Gamma^2 / (2 risk aversion)), in base (Whalley, Wilmott
 * 1997). The rebalancing band is this with nu^2 = Gamma^2 sigma^2 P^2.
 *
 * @param riskAversion absolute, per quote
 */
export function noTradeHalfBand(
  price: number,
  gamma: number,
  cost: number,
  riskAversion: number,
): number {
  return Math.cbrt((3 * cost * price * gamma ** 2) / (2 * riskAversion));
}

/** Growth-optimal share of wealth in an asset, (mu - r) / sigma^2 (Kelly 1956, Merton 1969). */
export function kellyFraction(mu: number, interest: number, sigma: number): number {
  return (mu - interest) / sigma ** 2;
}

/** Expected logarithmic growth at a constant share of wealth: r + f (mu - r) - f^2 sigma^2 / 2. */
export function kellyGrowth(fraction: number, mu: number, interest: number, sigma: number): number {
  return interest + fraction * (mu - interest) - (fraction * sigma) ** 2 / 2;
}

/** Growth-optimal share of wealth on a bet that wins `odds` per unit with probability p: p - (1 - p) / odds. */
export function kellyBet(probability: number, odds: number): number {
  return probability - (1 - probability) / odds;
}
