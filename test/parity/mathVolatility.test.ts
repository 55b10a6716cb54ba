import fc from "fast-check";
import * as funding from "../../src/math/fundingMath.ts";
import * as margin from "../../src/math/marginMath.ts";
import * as signedWad from "../../src/math/signedWadMath.ts";
import * as volatility from "../../src/math/volatilityMath.ts";
import {
  describeParity,
  int,
  positive,
  seconds,
  share,
  sigma,
  uint,
  WAD,
  word,
} from "./mathParity.ts";

const signedAmount = int(2n ** 127n);
const factors = fc.tuple(signedAmount, int(2n ** 128n));
/** Also exact multiples of the divisor, and their neighbors. */
const quotients = fc.oneof(
  fc.tuple(int(2n ** 255n), positive(2n ** 127n)),
  fc
    .tuple(signedAmount, positive(2n ** 127n), fc.bigInt(-1n, 1n))
    .map(([x, d, nudge]) => [x * d + nudge, d] as const),
);
const pair = fc.tuple(fc.oneof(signedAmount, int(3n)), fc.oneof(signedAmount, int(3n)));

await describeParity("SignedWadMathHarness", signedWad, {
  mulWadFloor: { args: factors },
  mulWadCeil: { args: factors },
  divFloor: { args: quotients, times: 2 },
  divCeil: { args: quotients, times: 2 },
  min: { args: pair },
  max: { args: pair },
  magnitude: { args: fc.tuple(signedAmount) },
  oppositeSigns: { args: pair },
});

const variance = fc.oneof(fc.bigInt(0n, 10n * WAD), uint(2n ** 128n));
const timeConstant = fc.oneof(
  fc.constantFrom(10_800n, 21_600n, 86_400n, 1_399_680n),
  positive(2n ** 64n),
);
/** Two prices, mostly close to each other. */
const prices = fc.oneof(
  fc.tuple(positive(2n ** 128n), positive(2n ** 128n)),
  fc
    .tuple(positive(2n ** 120n), fc.bigInt(70n, 140n))
    .map(([x, percent]) => [(x * percent) / 100n || 1n, x] as const),
);

await describeParity("VolatilityMathHarness", volatility, {
  squaredReturnWad: { args: prices, times: 4 },
  decayWeightWad: {
    args: fc.tuple(fc.oneof(seconds, uint(2n ** 64n)), timeConstant),
    times: 8,
  },
  updatedVarianceWad: {
    args: fc.tuple(variance, variance, fc.oneof(seconds, word), timeConstant),
    times: 2,
  },
  volatilityWad: { args: fc.tuple(variance, fc.oneof(variance, word)) },
  maintenanceVolatilityWad: { args: fc.tuple(sigma, sigma, fc.oneof(seconds, word)) },
  dayDeviationWad: { args: fc.tuple(sigma) },
  halfHourDeviationWad: { args: fc.tuple(sigma) },
  deviationWad: {
    args: fc.tuple(fc.oneof(sigma, word), fc.oneof(seconds, word)),
    errors: ["MulWadFailed", "Panic"],
  },
});

await describeParity("FundingMathHarness", funding, {
  targetRateWad: {
    args: fc.oneof(
      fc.tuple(signedAmount, uint(2n ** 127n)),
      fc.tuple(int(2n * WAD), fc.bigInt(WAD / 2n, WAD)),
    ),
    errors: ["Panic"],
  },
  accrue: {
    args: fc.tuple(
      fc.oneof(int(WAD), int(2n ** 100n)),
      fc.oneof(int(WAD), int(2n ** 100n)),
      fc.oneof(seconds, uint(2n ** 64n)),
    ),
    times: 2,
  },
});

const scale = fc.oneof(positive(2n ** 127n), uint(2n ** 192n));
/** What `liquidation` is called with, and around it. */
const likelyLiquidations = fc
  .tuple(positive(2n ** 100n), share, share, fc.bigInt(0n, 101n), uint(2n ** 80n))
  .map(([notional, maintenance, more, percent, dust]) => {
    const equity = (((notional * maintenance) / WAD) * percent) / 100n;
    return [equity, notional, maintenance, maintenance + more, dust] as const;
  });
/** The same with as much dust as would remain, or a unit more or less. */
const dustyLiquidations = fc
  .tuple(likelyLiquidations, fc.bigInt(-1n, 1n))
  .filter(([[equity, notional, maintenance]]) => {
    return maintenance > WAD / 100n && equity * WAD < notional * maintenance;
  })
  .map(([[equity, notional, maintenance, restored], nudge]) => {
    const [closed] = margin.liquidation(equity, notional, maintenance, restored, 0n);
    const dust = notional - closed + nudge;
    return [equity, notional, maintenance, restored, dust < 0n ? 0n : dust] as const;
  });
/** Or anything; the constant restores exactly what the penalty rate takes. */
const liquidations = fc.oneof(
  { weight: 1, arbitrary: fc.tuple(word, word, word, word, word) },
  { weight: 1, arbitrary: fc.tuple(word, uint(2n ** 128n), share, word, word) },
  { weight: 1, arbitrary: fc.constant([1n, 1n, WAD, WAD / 500n, 0n] as const) },
  { weight: 4, arbitrary: likelyLiquidations },
  { weight: 3, arbitrary: dustyLiquidations },
);

await describeParity("MarginMathHarness", margin, {
  riskTermWad: { args: fc.tuple(sigma) },
  maintenanceRatioWad: {
    args: fc.tuple(uint(2n ** 128n), scale, sigma),
    errors: ["FullMulDivFailed"],
  },
  initialRatioWad: {
    args: fc.tuple(uint(2n ** 128n), scale, sigma, fc.oneof(share, word)),
    errors: ["FullMulDivFailed"],
  },
  withdrawalRatioWad: { args: fc.tuple(fc.oneof(share, word)), errors: ["Panic"] },
  restoredRatioWad: { args: fc.tuple(fc.oneof(share, word), sigma), errors: ["Panic"] },
  liquidation: {
    args: liquidations,
    errors: ["FullMulDivFailed", "MulWadFailed", "DivWadFailed", "Panic"],
    times: 6,
  },
});
