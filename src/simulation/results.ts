import { formatDecimal, formatHuman, formatPercent, WAD_DECIMALS, type Wad } from "../units.ts";
import type { BackendName } from "./backends.ts";
import type { PolicyName, RunResult } from "./engine.ts";
import type { FlowName } from "./flows/skewTarget.ts";
import type { Market } from "./loadScenario.ts";
import { hedgeEffectiveness } from "./metrics/equity.ts";
import type { OracleSettings } from "./paths/oracleFeed.ts";
import { feedText } from "./paths/parseFeed.ts";

/** Everything one invocation found out, ready for table, JSON and report. */
export interface SimulationResult {
  readonly market: Market;
  readonly flow: FlowName;
  readonly seed: number;
  readonly backend: BackendName;
  /** What decides on price rounds; a round at every step when undefined. */
  readonly oracle: OracleSettings | undefined;
  readonly intents: number;
  readonly runs: readonly RunResult[];
}

/** What people call a policy. */
export const POLICY_TITLES: Record<PolicyName, string> = {
  rebalance: "with rebalancing",
  none: "without rebalancing",
};

/** One line of the comparison: a label and one value per run. */
export interface ComparisonRow {
  readonly label: string;
  readonly values: readonly string[];
}

/** The rows of the summary table, for any number of runs. */
export function comparisonRows(runs: readonly RunResult[]): ComparisonRow[] {
  const row = (label: string, value: (run: RunResult) => string): ComparisonRow => ({
    label,
    values: runs.map(value),
  });
  const amount = (value: bigint, run: RunResult, digits = 0): string =>
    formatHuman(value, run.quoteDecimals, digits);
  return [
    row("Equity at the start", (run) => amount(run.summary.initialEquity, run)),
    row("Equity at the end", (run) => amount(run.summary.finalEquity, run)),
    row("LP benchmark at the end", (run) => amount(run.summary.finalBenchmark, run)),
    row("Drawdown against the benchmark", (run) => formatPercent(run.summary.maxDrawdown, 2)),
    row("Minimum solvency ratio", (run) => formatRatio(run.summary.minSolvencyRatio)),
    row("Steps with solvency below 1", (run) => String(run.summary.insolventSteps)),
    row("Bad debt", (run) => amount(run.summary.badDebt, run, 2)),
    row("Time outside Normal", (run) => formatDuration(run.summary.secondsOutsideNormal)),
    row("Rebalances", (run) => String(run.summary.rebalances)),
    row("Rebalancing cost", (run) => amount(run.summary.rebalanceCost, run, 2)),
    row("Liquidations", (run) => String(run.summary.liquidations)),
    row("Pool LP: impermanent loss", (run) => formatPercent(run.summary.divergenceLoss, 2)),
    row("Pool LP: loss versus rebalancing", (run) =>
      amount(run.summary.lossVersusRebalancing, run),
    ),
    row("Pool LP: swap fees earned", (run) => amount(run.summary.swapFees, run)),
    row("Orders accepted", (run) => String(run.orders.accepted)),
    row("  of these filled in part only", (run) => String(run.orders.partlyFilled)),
    row("Orders declined for their cost", (run) => String(run.orders.declined)),
    row("Orders refused by the protocol", (run) => String(run.orders.failed)),
    row("Orders expired", (run) => String(run.orders.expired)),
    row("Intents of accounts still waiting", (run) => String(run.orders.busy)),
  ];
}

/**
 * One sentence on which run drew down further, from the figures.
 *
 * @returns undefined unless both policies ran
 */
export function comparisonSentence(runs: readonly RunResult[]): string | undefined {
  const withIt = runs.find(({ policy }) => policy === "rebalance")?.summary.maxDrawdown;
  const without = runs.find(({ policy }) => policy === "none")?.summary.maxDrawdown;
  if (withIt === undefined || without === undefined) return undefined;
  const figures = `${formatPercent(without, 2)} of equity without rebalancing, ${formatPercent(withIt, 2)} with it`;
  const equal = formatPercent(withIt, 2) === formatPercent(without, 2);
  if (equal) return `Against the LP benchmark both runs drew down alike: ${figures}.`;
  const [further, gap] =
    without > withIt ? ["without", without - withIt] : ["with", withIt - without];
  const points = formatPercent(gap, 2).replace(" %", "");
  return `Against the LP benchmark the run ${further} rebalancing drew down further, by ${points} percentage points: ${figures}.`;
}

/** The JSON document of `--json`: amounts in whole tokens and ratios as decimal strings. */
export function toJson(result: SimulationResult): string {
  const { market, flow, seed, backend, intents, runs } = result;
  const { name, steps, stepSeconds } = market.path;
  const document = {
    scenario: name,
    flow,
    seed,
    backend,
    steps,
    stepSeconds,
    feed: describeFeed(result),
    intents,
    ...comparisonJson(runs),
    runs: Object.fromEntries(runs.map((run) => [run.policy, runJson(run)])),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** What the price feed does, as `--feed` takes it. */
export function describeFeed({ oracle }: SimulationResult): string {
  return oracle === undefined ? "a round at every step" : feedText(oracle);
}

function comparisonJson(runs: readonly RunResult[]): object {
  const variance = (name: PolicyName) =>
    runs.find(({ policy }) => policy === name)?.summary.activeVariance;
  const [hedged, unhedged] = [variance("rebalance"), variance("none")];
  if (hedged === undefined || unhedged === undefined) return {};
  const effectiveness = hedgeEffectiveness(hedged, unhedged);
  return effectiveness === undefined
    ? {}
    : { comparison: { hedgeEffectiveness: formatDecimal(effectiveness, WAD_DECIMALS) } };
}

function runJson(run: RunResult): object {
  const { summary, orders } = run;
  const quote = (value: bigint): string => formatDecimal(value, run.quoteDecimals);
  const base = (value: bigint): string => formatDecimal(value, run.baseDecimals);
  const ratio = (value: Wad): string => formatDecimal(value, WAD_DECIMALS);
  return {
    summary: {
      initialEquity: quote(summary.initialEquity),
      finalEquity: quote(summary.finalEquity),
      finalBenchmark: quote(summary.finalBenchmark),
      minSolvencyRatio: ratio(summary.minSolvencyRatio),
      maxDrawdown: ratio(summary.maxDrawdown),
      badDebt: quote(summary.badDebt),
      insolventSteps: summary.insolventSteps,
      rebalances: summary.rebalances,
      // Auctions are not part of this version of the protocol.
      auctions: 0,
      rebalanceCost: quote(summary.rebalanceCost),
      liquidations: summary.liquidations,
      deleverages: summary.deleverages,
      keeperRewards: quote(summary.keeperRewards),
      keeperGasCost: quote(summary.keeperGasCost),
      keeperProfit: quote(summary.keeperProfit),
      divergenceLoss: ratio(summary.divergenceLoss),
      lossVersusRebalancing: quote(summary.lossVersusRebalancing),
      swapFees: quote(summary.swapFees),
      poolLpValue: quote(summary.poolLpValue),
      poolLpDelta: base(summary.poolLpDelta),
      poolLpGamma: ratio(summary.poolLpGamma),
      marginLpDelta: base(summary.marginLpDelta),
      secondsOutsideNormal: summary.secondsOutsideNormal,
      trackingError: ratio(summary.trackingError),
      takerFees: quote(summary.takerFees),
      premiums: quote(summary.premiums),
      hedgeCharges: quote(summary.hedgeCharges),
      penalties: quote(summary.penalties),
      lpFees: quote(summary.lpFees),
      funding: quote(summary.funding),
      volume: quote(summary.volume),
      priceImpact: ratio(summary.priceImpact),
      turnover: ratio(summary.turnover),
      openInterestToEquity: ratio(summary.openInterestToEquity),
    },
    orders: { ...orders, reasons: Object.fromEntries(orders.reasons) },
    keeperErrors: Object.fromEntries(run.keeperErrors),
    series: run.series.map((record) => ({
      time: new Date(record.time * 1000).toISOString(),
      price: ratio(record.price),
      reserveBase: base(record.reserveBase),
      reserveQuote: quote(record.reserveQuote),
      skew: base(record.skew),
      netExposureBase: base(record.netExposureBase),
      innerBand: base(record.innerBand),
      outerBand: base(record.outerBand),
      solvencyRatio: ratio(record.solvencyRatio),
      volatility: ratio(record.volatility),
      equity: quote(record.equity),
      benchmark: quote(record.benchmark),
      riskState: record.riskState,
      rebalances: record.rebalances,
      rebalanceCost: quote(record.rebalanceCost),
    })),
  };
}

/** A solvency ratio for people; without required capital it has no bound. */
export function formatRatio(ratio: Wad): string {
  const largest = 10n ** 21n;
  return ratio > largest ? "> 1,000" : formatHuman(ratio, WAD_DECIMALS, 2);
}

/** Seconds as hours and minutes. */
export function formatDuration(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}
