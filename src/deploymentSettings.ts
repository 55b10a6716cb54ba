/** 1e18: one whole token, 100 %, or a price of one quote per base. */
const WAD = 10n ** 18n;

/**
 * What is deployed and how it is seeded. Amounts are whole tokens, prices quote per base, ratios fractions, all x 1e18
 * unless a name says otherwise; they are converted to token units once, here.
 */
export interface DeploymentSettings {
  /** First answer of the feed. */
  readonly initialPrice: bigint;
  /** LP equity of the margin pool, base and quote at the target weight. 0: the margin pool stays empty. */
  readonly lpEquity: bigint;
  /** Quote side of the constant-product pool; the base side follows from the price. 0: it stays empty. */
  readonly poolQuoteDepth: bigint;
  /** Insurance fund of the margin pool, quote. */
  readonly insurance: bigint;
  /** w, the share of equity that LPs want held in base, 0..0.9. */
  readonly targetBaseWeight: bigint;
  /** Fee of the constant-product pool in parts per million, 3000 = 0.3 %. */
  readonly swapFeePpm: bigint;
  /** Decimals of the base token, of the quote token (0..18) and of the feed (6..18). */
  readonly baseDecimals: number;
  readonly quoteDecimals: number;
  readonly feedDecimals: number;
  /** Longest time between two rounds that the feed promises, seconds. */
  readonly heartbeatSeconds: bigint;
  /** delta, half-width of the price band. */
  readonly priceBand: bigint;
  /** Price move at which the feed publishes before its heartbeat. */
  readonly deviationThreshold: bigint;
  /** L2 sequencer uptime feed, an address; none unless given. */
  readonly sequencerFeed?: string;
  /** How long the sequencer must have been up again before prices count, seconds. */
  readonly sequencerGraceSeconds: bigint;
  /** Least window of the constant-product pool's average that prices are compared with, seconds. */
  readonly twapWindowSeconds: bigint;
  /** sigma before the first sample, per square root of a year, 0.4..3. */
  readonly initialVolatility: bigint;
  /** How long a change of parameters waits in the timelock, seconds. */
  readonly timelockDelaySeconds: bigint;
  /** How much of equity the target is expected to move in a day before it has been measured. */
  readonly initialTargetVolatility: bigint;
}

/** The main job's settings: 10 M of LP equity beside a pool of 20 M a side at 30 bp. */
export const DEFAULT_SETTINGS: DeploymentSettings = {
  initialPrice: 2_000n * WAD,
  lpEquity: 10_000_000n * WAD,
  poolQuoteDepth: 20_000_000n * WAD,
  insurance: 100_000n * WAD,
  targetBaseWeight: WAD / 2n,
  swapFeePpm: 3_000n,
  baseDecimals: 18,
  quoteDecimals: 6,
  feedDecimals: 8,
  heartbeatSeconds: 3_600n,
  priceBand: (5n * WAD) / 10_000n,
  deviationThreshold: (50n * WAD) / 10_000n,
  sequencerGraceSeconds: 3_600n,
  twapWindowSeconds: 1_800n,
  initialVolatility: (6n * WAD) / 10n,
  timelockDelaySeconds: 172_800n,
  initialTargetVolatility: WAD / 20n,
};

/** Token units that the first liquidity and the insurance fund are made of; 0 where there is none. */
export interface SeedAmounts {
  readonly poolBase: bigint;
  readonly poolQuote: bigint;
  readonly lpBase: bigint;
  readonly lpQuote: bigint;
  readonly insurance: bigint;
}

/** What the settings' values are in token units, rounded down. */
export function seedAmounts(settings: DeploymentSettings): SeedAmounts {
  const { poolQuoteDepth, lpEquity, targetBaseWeight, initialPrice } = settings;
  const inBase = (quoteWad: bigint) =>
    fromWad((quoteWad * WAD) / initialPrice, settings.baseDecimals);
  const inQuote = (quoteWad: bigint) => fromWad(quoteWad, settings.quoteDecimals);
  const lpBaseValue = (lpEquity * targetBaseWeight) / WAD;
  return {
    poolBase: inBase(poolQuoteDepth),
    poolQuote: inQuote(poolQuoteDepth),
    lpBase: inBase(lpBaseValue),
    lpQuote: inQuote(lpEquity - lpBaseValue),
    insurance: inQuote(settings.insurance),
  };
}

/** First answer of the feed, in its decimals, rounded down. */
export function initialAnswer({ initialPrice, feedDecimals }: DeploymentSettings): bigint {
  return fromWad(initialPrice, feedDecimals);
}

/** @throws RangeError for a negative amount, a price that is not positive, and times or decimals out of bounds */
export function requireSane(settings: DeploymentSettings): void {
  for (const name of ["initialPrice", "initialVolatility"] as const) {
    if (settings[name] <= 0n)
      throw new RangeError(`${name} is ${settings[name]}; it must be positive`);
  }
  for (const [name, least, most] of [
    ["heartbeatSeconds", 60n, 90_000n],
    ["sequencerGraceSeconds", 60n, 90_000n],
    ["twapWindowSeconds", 600n, 86_400n],
  ] as const) {
    const seconds = settings[name];
    if (seconds < least || seconds > most)
      throw new RangeError(`${name} is ${seconds}; allowed: ${least} to ${most}`);
  }
  for (const name of ["lpEquity", "poolQuoteDepth", "insurance"] as const) {
    if (settings[name] < 0n)
      throw new RangeError(`${name} is ${settings[name]}; it must not be negative`);
  }
  for (const name of ["baseDecimals", "quoteDecimals", "feedDecimals"] as const) {
    const decimals = settings[name];
    if (!Number.isInteger(decimals) || decimals < 0 || decimals > 18) {
      throw new RangeError(`${name} is ${decimals}; allowed: 0 to 18`);
    }
  }
}

/** 18-decimal value to token units, rounded down. */
function fromWad(valueWad: bigint, decimals: number): bigint {
  return valueWad / 10n ** BigInt(18 - decimals);
}
