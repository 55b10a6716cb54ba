import { expect } from "chai";
import { amountOutDown } from "../../../src/math/constantProductMath.ts";
import { arbitrageTrade } from "../../../src/simulation/arbitrage.ts";
import type { Action, ActionResult, ProtocolEvent } from "../../../src/simulation/backend.ts";
import { EquityMetrics, hedgeEffectiveness } from "../../../src/simulation/metrics/equity.ts";
import { IncomeMetrics } from "../../../src/simulation/metrics/income.ts";
import { KeeperMetrics } from "../../../src/simulation/metrics/keepers.ts";
import { PoolMetrics, poolGreeks } from "../../../src/simulation/metrics/pool.ts";
import { RunMetrics } from "../../../src/simulation/metrics/runMetrics.ts";
import { TradingMetrics } from "../../../src/simulation/metrics/trading.ts";
import { parseDecimal, toNumber, type Wad } from "../../../src/units.ts";
import { LEDGERS, POOL, PRICE, SOLVENCY, stubBackend } from "../../support/agentView.ts";
import { expectNear } from "../../support/expectNear.ts";

const WAD = 10n ** 18n;
const QUOTE = 10n ** 6n;
const DECIMALS = { base: 18, quote: 6 };
const START = 1_767_225_600;
const wad = (text: string) => parseDecimal(text, 18) as Wad;
const times = (price: Wad, factor: string) => ((price * wad(factor)) / WAD) as Wad;

const FILL = {
  kind: "OrderExecuted",
  trader: 0,
  keeper: 0,
  sizeDelta: 100n * WAD,
  fillPrice: times(PRICE, "1.002"),
  realizedProfit: 0n,
  fundingPaid: 0n,
  premium: 11n * QUOTE,
  takerFee: 9_730_500n,
  hedgeCharge: 5n * QUOTE,
  remaining: 0n,
  size: 100n * WAD,
  entryNotional: 0n,
  collateral: 0n,
  indexPrice: PRICE,
} as const satisfies ProtocolEvent;

const LIQUIDATION = {
  kind: "Liquidated",
  trader: 0,
  liquidator: 0,
  closed: 1n,
  size: 0n,
  entryNotional: 0n,
  collateral: 0n,
  indexPrice: PRICE,
  equity: 0n,
  penalty: 120n * QUOTE,
  keeperReward: 50n * QUOTE,
  badDebt: 0n,
  paidByInsurance: 0n,
} as const satisfies ProtocolEvent;

describe("Equity beside its benchmark", () => {
  const HALF = WAD / 2n;
  const metrics = () => new EquityMetrics(SOLVENCY, PRICE, START, HALF);
  const withEquity = (tokens: number) => ({
    ...SOLVENCY,
    equity: BigInt(Math.round(tokens * 1e6)),
  });

  it("earns half of each return, step by step", () => {
    const equity = metrics();
    equity.price(times(PRICE, "1.1"));
    equity.price(times(PRICE, "0.55"));
    expect(equity.benchmark).to.equal((10_000_000n * QUOTE * 105n * 75n) / 10_000n);
  });

  it("draws down from the earlier high of active PnL, not from the start", () => {
    const equity = metrics();
    for (const tokens of [10_200_000, 10_150_000, 10_300_000, 10_050_000, 10_400_000])
      equity.endStep(withEquity(tokens));
    expect(equity.summary(300).maxDrawdown).to.equal(wad("0.025"));
  });

  it("counts what LPs bring and take in the benchmark as well", () => {
    const equity = metrics();
    equity.flow(1_000_000n * QUOTE);
    equity.endStep(withEquity(11_000_000));
    expect(equity.summary(300).maxDrawdown).to.equal(0n);
    equity.price(times(PRICE, "1.2"));
    equity.flow(-2_000_000n * QUOTE);
    expect(equity.benchmark).to.equal(10_100_000n * QUOTE);
    equity.endStep(withEquity(10_000_000));
    expect(equity.summary(300).maxDrawdown).to.equal(wad("0.01"));
  });

  it("measures time by the state last seen, and solvency at its lowest", () => {
    const equity = metrics();
    equity.observe(START + 100, { ...SOLVENCY, riskState: "Guarded", solvencyRatio: wad("0.9") });
    equity.observe(START + 250, SOLVENCY);
    equity.endStep({ ...SOLVENCY, solvencyRatio: wad("0.99") });
    equity.pass(START + 900);
    const summary = equity.summary(300);
    expect(summary.secondsOutsideNormal).to.equal(150);
    expect(summary.minSolvencyRatio).to.equal(wad("0.9"));
    expect(summary.insolventSteps).to.equal(1);
  });

  it("has the sample variance of step changes, and its root over a year as tracking error", () => {
    const equity = metrics();
    const levels = [10_100_000, 10_050_000, 10_250_000, 10_200_000];
    for (const tokens of levels) equity.endStep(withEquity(tokens));
    const changes = [0.01, -0.005, 0.02, -0.005];
    const mean = changes.reduce((sum, change) => sum + change, 0) / 4;
    const variance = changes.reduce((sum, change) => sum + (change - mean) ** 2, 0) / 3;
    const summary = equity.summary(300);
    expectNear(toNumber(summary.activeVariance, 18) / 1e18, variance, 1e-15);
    expectNear(toNumber(summary.trackingError, 18), Math.sqrt(variance * 105_120), 1e-9);
  });

  it("is hedged by 1 - variance with / variance without", () => {
    expect(hedgeEffectiveness(25n, 100n)).to.equal(wad("0.75"));
    expect(hedgeEffectiveness(150n, 100n)).to.equal(wad("-0.5"));
    expect(hedgeEffectiveness(1n, 0n)).to.equal(undefined);
  });
});

describe("The constant-product pool's LPs", () => {
  it("have value 2 sqrt(k P), delta sqrt(k / P) and gamma -delta / (2 P)", () => {
    const { poolLpValue, poolLpDelta, poolLpGamma } = poolGreeks(POOL, PRICE, DECIMALS);
    const delta = 20_000_000 / 194.61;
    expectNear(toNumber(poolLpValue, 6), 40_000_000, 1e-3);
    expectNear(toNumber(poolLpDelta, 18), delta, 1e-6);
    expectNear(toNumber(poolLpGamma, 18), -delta / (2 * 194.61), 1e-6);
  });

  it("have Greeks that are the derivatives of their value", () => {
    const at = (factor: string) => poolGreeks(POOL, times(PRICE, factor), DECIMALS);
    const step = 0.0001 * 194.61;
    const [down, here, up] = [at("0.9999"), at("1"), at("1.0001")];
    const slope = toNumber(up.poolLpValue - down.poolLpValue, 6) / (2 * step);
    expectNear(slope, toNumber(here.poolLpDelta, 18), 0.01);
    const curve = toNumber(up.poolLpDelta - down.poolLpDelta, 18) / (2 * step);
    expectNear(curve, toNumber(here.poolLpGamma, 18), 0.01);
  });

  it("lose 2 sqrt(r) / (1 + r) - 1 to holding, and arbitrage's gain to rebalancing", () => {
    const metrics = new PoolMetrics(POOL, DECIMALS);
    const free = { ...POOL, swapFee: 0n };
    const price = times(PRICE, "1.21");
    const { amountIn } = arbitrageTrade(free, price, 18, 6)!;
    const baseOut = amountOutDown(amountIn, free.reserveQuote, free.reserveBase, 0n);
    const swap = { kind: "Swap", baseIn: 0n, quoteIn: amountIn, baseOut, quoteOut: 0n } as const;
    metrics.event(swap, price, 0n);
    const after = {
      reserveBase: free.reserveBase - baseOut,
      reserveQuote: free.reserveQuote + amountIn,
      swapFee: 0n,
    };
    const summary = metrics.summary(after, price);
    expectNear(toNumber(summary.divergenceLoss, 18), 2.2 / 2.21 - 1, 1e-9);
    // From 20 M a side: base worth x P leaves for quote y (sqrt(r) - 1).
    const gain = 20e6 * (1 - 1 / 1.1) * 1.21 - 20e6 * 0.1;
    expectNear(toNumber(summary.lossVersusRebalancing, 6), gain, 1);
    expect(summary.swapFees).to.equal(0n);
  });

  it("earn the fee on what comes in, which is no loss", () => {
    const metrics = new PoolMetrics(POOL, DECIMALS);
    const swap = { kind: "Swap", baseIn: WAD, quoteIn: 0n, baseOut: 0n, quoteOut: 194n * QUOTE };
    metrics.event(swap as ProtocolEvent, PRICE, 3_000n);
    const { swapFees, lossVersusRebalancing } = metrics.summary(POOL, PRICE);
    expect(swapFees).to.equal(583_830n);
    expect(lossVersusRebalancing).to.equal(194n * QUOTE - 194_610_000n + 583_830n);
  });

  it("are not said to lose by liquidity that comes or goes", () => {
    const metrics = new PoolMetrics(POOL, DECIMALS);
    const half = {
      reserveBase: POOL.reserveBase / 2n,
      reserveQuote: POOL.reserveQuote / 2n,
      swapFee: 3_000n,
    };
    expectNear(toNumber(metrics.summary(half, PRICE).divergenceLoss, 18), 0, 1e-12);
  });
});

describe("Income by source", () => {
  const metrics = () => new IncomeMetrics(SOLVENCY, LEDGERS, WAD / 2n, DECIMALS);

  it("adds up fills and the part of penalties that liquidators leave", () => {
    const income = metrics();
    income.event(FILL);
    income.event({ ...FILL, premium: -3n * QUOTE });
    income.event(LIQUIDATION);
    expect(income.summary()).to.include({
      takerFees: 19_461_000n,
      premiums: 8n * QUOTE,
      hedgeCharges: 10n * QUOTE,
      penalties: 70n * QUOTE,
    });
  });

  it("takes w phi of what LPs bring, and of what they leave with", () => {
    const income = metrics();
    // 0.5 x 31 bp
    income.event({ kind: "SharesDeposited", lp: 0, assets: 1_000_000n * QUOTE, shares: 1n });
    expect(income.summary().lpFees).to.equal(1_550n * QUOTE);
    income.event({ kind: "SharesRedeemed", lp: 0, assets: 998_450n * QUOTE, shares: 1n });
    expect(income.summary().lpFees).to.equal(3_100n * QUOTE);
  });

  it("receives funding by the skew that stood between two looks", () => {
    const income = metrics();
    const skewed = { ...SOLVENCY, skew: 1_000n * WAD };
    income.observe(skewed, { ...LEDGERS, fundingIndex: wad("7") });
    expect(income.summary().funding, "there was no skew before").to.equal(0n);
    income.observe(SOLVENCY, { ...LEDGERS, fundingIndex: wad("7.25") });
    expect(income.summary().funding).to.equal(250n * QUOTE);
    income.observe(SOLVENCY, { ...LEDGERS, fundingIndex: wad("9") });
    expect(income.summary().funding).to.equal(250n * QUOTE);
  });
});

describe("Trading", () => {
  it("has volume at index and the mean cost of fills beside it, for both sides", () => {
    const trading = new TradingMetrics(DECIMALS);
    trading.event(FILL);
    trading.event({ ...FILL, sizeDelta: -300n * WAD, fillPrice: times(PRICE, "0.999") });
    const { volume, priceImpact } = trading.summary();
    expect(volume).to.equal(400n * 194_610_000n);
    // (100 x 20 bp + 300 x 10 bp) / 400
    expect(priceImpact).to.equal(wad("0.00125"));
  });

  it("relates volume and open interest to equity", () => {
    const trading = new TradingMetrics(DECIMALS);
    trading.event(FILL);
    const open = (base: bigint) => ({
      ...LEDGERS,
      longOpenInterest: base * WAD,
      shortOpenInterest: 100n * WAD,
    });
    trading.endStep(SOLVENCY, open(300n));
    trading.endStep({ ...SOLVENCY, equity: 30_000_000n * QUOTE }, open(500n));
    const { turnover, openInterestToEquity } = trading.summary();
    expectNear(toNumber(openInterestToEquity, 18), (1_000 * 194.61) / 40e6, 1e-12);
    expectNear(toNumber(turnover, 18), (100 * 194.61) / 20e6, 1e-12);
  });

  it("counts liquidations, deleveragings and rebalances with their cost", () => {
    const trading = new TradingMetrics(DECIMALS);
    trading.event(LIQUIDATION);
    trading.event({ kind: "Rebalanced", keeper: 0, baseDelta: 1n, quoteDelta: 1n, cost: 7n });
    trading.event({ kind: "Rebalanced", keeper: 0, baseDelta: 1n, quoteDelta: 1n, cost: -2n });
    const summary = trading.summary();
    expect(summary).to.include({ liquidations: 1, deleverages: 0, rebalances: 2 });
    expect(summary.rebalanceCost).to.equal(5n);
  });
});

describe("Keepers", () => {
  const result = (action: Action, events: ProtocolEvent[] = [], ok = true): ActionResult => ({
    action,
    ok,
    events,
  });

  it("are credited fees and rewards, and pay for gas also when they are refused", () => {
    const keepers = new KeeperMetrics(QUOTE / 2n, 6);
    const pay = (one: ActionResult) => keepers.result(one, 50, PRICE);
    pay(result({ kind: "executeOrder", trader: 0 }, [FILL]));
    pay(
      result({ kind: "executeOrder", trader: 1 }, [{ kind: "OrderExpired", trader: 1, keeper: 0 }]),
    );
    pay(result({ kind: "liquidate", trader: 0 }, [LIQUIDATION]));
    pay(result({ kind: "rebalance" }, [], false));
    pay(result({ kind: "depositMargin", trader: 0, amount: 1n }));
    const { keeperRewards, keeperGasCost, keeperProfit } = keepers.summary();
    expect(keeperRewards).to.equal(51n * QUOTE);
    const gas = 2 * 191_487 + 160_586 + 248_128;
    expectNear(toNumber(keeperGasCost, 6), gas * 50e-9 * 194.61, 1e-6);
    expect(keeperProfit).to.equal(keeperRewards - keeperGasCost);
  });
});

describe("A run's metrics", () => {
  const start = { solvency: SOLVENCY, ledgers: LEDGERS, pool: POOL, price: PRICE, time: START };
  const end = { time: START + 600, stepSeconds: 300, price: PRICE, pool: POOL, badDebt: 3n };

  it("put LPs' deposits into the benchmark and say the margin pool's delta b - K", () => {
    const metrics = new RunMetrics(stubBackend(), start, WAD / 2n);
    const deposit = { kind: "SharesDeposited", lp: 1, assets: 50n * QUOTE, shares: 1n } as const;
    const action = { kind: "depositShares", lp: 1, assets: 50n * QUOTE } as const;
    metrics.results([{ action, ok: true, events: [deposit] }], PRICE, 3_000n, 20);
    const solvency = { ...SOLVENCY, skew: 7n * WAD, inventoryBase: 30n * WAD };
    const summary = metrics.summary({ ...end, solvency });
    expect(summary.finalBenchmark - summary.initialEquity).to.equal(50n * QUOTE);
    expect(summary.marginLpDelta).to.equal(23n * WAD);
    expect(summary.badDebt).to.equal(3n);
  });

  it("stay what they are once frozen, but for the pool that trades on", () => {
    const metrics = new RunMetrics(stubBackend(), start, WAD / 2n);
    metrics.freeze();
    metrics.price(times(PRICE, "2"));
    metrics.endStep({ ...SOLVENCY, equity: 0n }, LEDGERS);
    const swap = { kind: "Swap", baseIn: WAD, quoteIn: 0n, baseOut: 0n, quoteOut: 1n } as const;
    const events = [swap, FILL];
    metrics.results([{ action: { kind: "poke" }, ok: true, events }], PRICE, 3_000n, 20);
    const summary = metrics.summary({ ...end, solvency: SOLVENCY });
    expect(summary.finalBenchmark).to.equal(summary.initialEquity);
    expect([summary.maxDrawdown, summary.volume, summary.takerFees]).to.deep.equal([0n, 0n, 0n]);
    expect(summary.swapFees).to.equal(583_830n);
  });
});
