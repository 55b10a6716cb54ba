import type { TwinSettings } from "./deployment.ts";
import { WAD } from "./scene.ts";

const PRICE = 194_610000000000000000n;
const SEEDED = {
  initialPrice: PRICE,
  lpEquity: 10_037_411n * WAD,
  poolQuoteDepth: 20_411_873n * WAD,
  insurance: 101_303n * WAD,
};
/** Nothing hedges, no average stands against orders, and required capital follows price and book alone. */
const ALONE = {
  initialPrice: PRICE,
  lpEquity: 0n,
  poolQuoteDepth: 0n,
  insurance: 20_303n * WAD,
  initialVolatility: 3n * WAD,
  targetBaseWeight: WAD / 5n,
};

/** Deployments with liquidity in both pools. */
export const WORLDS: readonly TwinSettings[] = [
  {
    name: "18-6-8",
    overrides: { ...SEEDED, baseDecimals: 18, quoteDecimals: 6, feedDecimals: 8 },
    baseIsToken0: true,
    hasSequencer: false,
  },
  {
    name: "8-18-18, sequencer",
    overrides: {
      ...SEEDED,
      baseDecimals: 8,
      quoteDecimals: 18,
      feedDecimals: 18,
      targetBaseWeight: 0n,
    },
    baseIsToken0: false,
    hasSequencer: true,
    volatileFee: { maximumPpm: 10_000n, multiplierWad: (173n * WAD) / 10n },
  },
  {
    name: "18-18-8, volatile fee",
    overrides: {
      ...SEEDED,
      baseDecimals: 18,
      quoteDecimals: 18,
      feedDecimals: 8,
      swapFeePpm: 500n,
      lpEquity: 1_003_741n * WAD,
    },
    baseIsToken0: false,
    hasSequencer: false,
    volatileFee: { maximumPpm: 10_000n, multiplierWad: (173n * WAD) / 10n },
  },
  {
    name: "8-6-6",
    overrides: {
      ...SEEDED,
      baseDecimals: 8,
      quoteDecimals: 6,
      feedDecimals: 6,
      priceBand: 0n,
      deviationThreshold: 0n,
      targetBaseWeight: (9n * WAD) / 10n,
    },
    baseIsToken0: true,
    hasSequencer: true,
  },
  {
    name: "6-8-18, wide band",
    overrides: {
      ...SEEDED,
      baseDecimals: 6,
      quoteDecimals: 8,
      feedDecimals: 18,
      priceBand: WAD / 200n,
      heartbeatSeconds: 86_400n,
    },
    baseIsToken0: true,
    hasSequencer: false,
  },
];

/** Deployments whose pools are empty. */
export const EMPTY_WORLDS: readonly TwinSettings[] = [
  {
    name: "empty, 18-6-8",
    overrides: { ...ALONE, baseDecimals: 18, quoteDecimals: 6, feedDecimals: 8 },
    baseIsToken0: false,
    hasSequencer: false,
  },
  {
    name: "empty, 8-18-8",
    overrides: {
      ...ALONE,
      baseDecimals: 8,
      quoteDecimals: 18,
      feedDecimals: 8,
      targetBaseWeight: WAD / 2n,
    },
    baseIsToken0: true,
    hasSequencer: false,
  },
  {
    name: "empty, 6-6-18",
    overrides: { ...ALONE, baseDecimals: 6, quoteDecimals: 6, feedDecimals: 18, insurance: 0n },
    baseIsToken0: true,
    hasSequencer: true,
  },
];
