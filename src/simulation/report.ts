import { toNumber, WAD_DECIMALS } from "../units.ts";
import { type ChartDefinition, type ChartLine, renderChart } from "./charts.ts";
import type { RunResult } from "./engine.ts";
import type { StepRecord } from "./metrics/runMetrics.ts";
import {
  comparisonRows,
  comparisonSentence,
  describeFeed,
  POLICY_TITLES,
  type SimulationResult,
} from "./results.ts";

/** Solvency ratios above this are drawn at it: without required capital the ratio has no bound. */
const HIGHEST_RATIO_DRAWN = 10;

/**
 * The report as one HTML document that needs nothing else: no network, no scripts, light and dark by the reader's
 * setting.
 *
 * @param command the command that gives the same report
 */
export function reportHtml(result: SimulationResult, command: string): string {
  const { market, runs } = result;
  const sentence = comparisonSentence(runs);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Ballast: ${escapeHtml(market.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<p class="eyebrow">Ballast simulation</p>
<h1>${escapeHtml(market.title)}</h1>
<p class="lead">${escapeHtml(sentence ?? `One run, ${runs.map(({ policy }) => POLICY_TITLES[policy]).join(", ")}.`)}</p>
</header>
<section>
<h2>Summary</h2>
${summaryHtml(runs)}
</section>
${charts(result).map(chartHtml).join("\n")}
<section>
<h2>How this was made</h2>
${parametersHtml(result)}
<p>The same figures come out of:</p>
<pre><code>${escapeHtml(command)}</code></pre>
</section>
</main>
</body>
</html>
`;
}

function charts(result: SimulationResult): ChartDefinition[] {
  const { runs } = result;
  const perRun = (value: (record: StepRecord, run: RunResult) => number): ChartLine[] =>
    // The unhedged run first, so that the other one is drawn over it.
    runs
      .toReversed()
      .map((run) =>
        line(run, run.policy, POLICY_TITLES[run.policy], (record) => value(record, run)),
      );
  const first = runs[0] as RunResult;
  const hedged = runs.find(({ policy }) => policy === "rebalance") ?? first;
  const quote = (value: bigint): number => toNumber(value, first.quoteDecimals);
  const base = (value: bigint): number => toNumber(value, first.baseDecimals);
  const wad = (value: bigint): number => toNumber(value, WAD_DECIMALS);
  const active = (record: StepRecord, run: RunResult): number =>
    (quote(record.equity - record.benchmark) / quote(run.summary.initialEquity)) * 100;
  const bandName = `outer band, ${POLICY_TITLES[hedged.policy]}`;
  const band = (sign: 1 | -1): ChartLine =>
    line(hedged, "band", bandName, (record) => sign * base(record.outerBand), true);
  return [
    {
      title: "Price",
      note: "Index price at the close of each bar.",
      unit: "quote per base",
      lines: [line(first, "price", "index price", (record) => wad(record.price))],
    },
    {
      title: "Equity",
      note: "What the margin pool's LPs own, beside a frictionless constant mix at the target weight.",
      unit: "quote",
      lines: [
        line(first, "benchmark", "LP benchmark", (record) => quote(record.benchmark), true),
        ...perRun((record) => quote(record.equity)),
      ],
    },
    {
      title: "Equity against the benchmark",
      note: "Difference to the constant mix. Drawdown is the largest fall of this line from an earlier high.",
      unit: "% of initial equity",
      lines: perRun(active),
      levels: [{ value: 0, label: "", labelSide: "above" }],
    },
    {
      title: "Exposure and band",
      note: "Net exposure that trading can remove, and the outer band beyond which a rebalance is due.",
      unit: "base",
      lines: [band(1), band(-1), ...perRun((record) => base(record.netExposureBase))],
    },
    {
      title: "Solvency ratio",
      note: `Worst-case equity over required capital; values above ${HIGHEST_RATIO_DRAWN} are drawn at ${HIGHEST_RATIO_DRAWN}.`,
      unit: "ratio",
      lines: perRun((record) => Math.min(HIGHEST_RATIO_DRAWN, wad(record.solvencyRatio))),
      levels: [
        { value: 1.5, label: "below 1.5: restricted", labelSide: "above" },
        { value: 1, label: "below 1: less than required capital", labelSide: "below" },
      ],
      fromZero: true,
    },
    {
      title: "Base reserve of the constant-product pool",
      note: "The pool's base at the end of each bar; arbitrage moves it with the price.",
      unit: "base",
      lines: perRun((record) => base(record.reserveBase)),
    },
    {
      title: "Quote reserve of the constant-product pool",
      note: "The pool's quote at the end of each bar.",
      unit: "quote",
      lines: perRun((record) => quote(record.reserveQuote)),
    },
  ];
}

function line(
  run: RunResult,
  role: ChartLine["role"],
  name: string,
  value: (record: StepRecord) => number,
  dashed = false,
): ChartLine {
  return {
    role,
    name,
    dashed,
    points: run.series.map((record) => [record.time * 1000, value(record)] as const),
  };
}

function chartHtml(chart: ChartDefinition): string {
  const { wide, narrow } = renderChart(chart);
  const names = new Map(chart.lines.map(({ name, role, dashed }) => [name, { role, dashed }]));
  const legend = [...names]
    .map(
      ([name, { role, dashed }]) =>
        `<li><i class="${role}${dashed === true ? " dashed" : ""}"></i>${escapeHtml(name)}</li>`,
    )
    .join("");
  return `<section class="chart">
<h2>${escapeHtml(chart.title)} <small>${escapeHtml(chart.unit)}</small></h2>
<p>${escapeHtml(chart.note)}</p>
<ul class="legend">${legend}</ul>
<div class="wide" role="img" aria-label="${escapeHtml(chart.title)}">${wide}</div>
<div class="narrow" role="img" aria-label="${escapeHtml(chart.title)}">${narrow}</div>
</section>`;
}

function summaryHtml(runs: readonly RunResult[]): string {
  const head = runs
    .map(({ policy }) => `<th scope="col">${escapeHtml(POLICY_TITLES[policy])}</th>`)
    .join("");
  const body = comparisonRows(runs)
    .map(({ label, values }) => {
      const cells = values.map((value) => `<td>${escapeHtml(value)}</td>`).join("");
      const indent = label.startsWith(" ") ? ' class="sub"' : "";
      return `<tr><th scope="row"${indent}>${escapeHtml(label.trim())}</th>${cells}</tr>`;
    })
    .join("\n");
  return `<table><thead><tr><td></td>${head}</tr></thead><tbody>\n${body}\n</tbody></table>
<p class="fine">Amounts in whole quote tokens. Pool LP: the liquidity of the constant-product pool.</p>`;
}

function parametersHtml(result: SimulationResult): string {
  const { market, flow, seed, backend, intents } = result;
  const { name, startsAt, stepSeconds, steps } = market.path;
  const from = new Date(startsAt * 1000).toISOString().replace(".000Z", "Z");
  const rows: [string, string][] = [
    ["Scenario", name],
    ["Prices", market.source],
    ["Period", `${steps} bars of ${stepSeconds} s from ${from}`],
    ["Price feed", describeFeed(result)],
    ["Flow", `${flow}, seed ${seed}, ${intents} order intents, the same for every run`],
    ["Backend", backend],
    ...result.runs.flatMap((run): [string, string][] => {
      const reasons = [...run.orders.reasons]
        .map(([reason, count]) => `${reason} ${count}`)
        .join(", ");
      return reasons === "" ? [] : [[`Orders refused ${POLICY_TITLES[run.policy]}`, reasons]];
    }),
  ];
  const items = rows
    .map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`)
    .join("\n");
  return `<dl>\n${items}\n</dl>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

const STYLE = `
:root { --page: #fbfbfa; --card: #ffffff; --ink: #1b1f24; --text: #59616b; --grid: #e3e5e8;
  --rebalance: #0b63ce; --none: #d0521b; --benchmark: #7a828c; --price: #1b1f24; --band: #9aa1aa; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171a; --card: #1b1f24; --ink: #e9ecef; --text: #a3abb4; --grid: #30363d;
    --rebalance: #6cb0ff; --none: #ff9a62; --benchmark: #98a1ab; --price: #e9ecef; --band: #6d7680; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
.eyebrow { margin: 0; color: var(--text); font-size: .875rem; }
h1 { margin: .25rem 0 .5rem; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 0 0 .25rem; font-size: 1.125rem; }
h2 small { font-weight: 400; font-size: .875rem; color: var(--text); }
.lead { margin: 0 0 1.5rem; font-size: 1.0625rem; max-width: 45rem; }
section { background: var(--card); border: 1px solid var(--grid); border-radius: 8px; padding: 1rem; margin: 0 0 1rem; }
section p { margin: 0 0 .5rem; color: var(--text); font-size: .9375rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9375rem; }
th, td { padding: .3rem .5rem .3rem 0; text-align: right; border-bottom: 1px solid var(--grid); vertical-align: bottom; }
td:last-child, th:last-child { padding-right: 0; }
tbody th { text-align: left; font-weight: 400; }
tbody th.sub { padding-left: 1rem; }
thead th { font-weight: 600; }
.fine { margin: .5rem 0 0; font-size: .8125rem; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; margin: .25rem 0; padding: 0; font-size: .875rem; }
.legend i { display: inline-block; width: 1.25rem; margin-right: .4rem; border-top: 2.5px solid; vertical-align: middle; }
.legend i.dashed { border-top: 2px dashed; }
.legend i.rebalance { color: var(--rebalance); } .legend i.none { color: var(--none); }
.legend i.benchmark { color: var(--benchmark); } .legend i.price { color: var(--price); } .legend i.band { color: var(--band); }
.chart svg { display: block; width: 100%; height: auto; font-family: inherit; }
.narrow { display: none; }
@media (max-width: 40rem) {
  .wide { display: none; } .narrow { display: block; }
  main { padding: 1rem .5rem 2rem; } section { padding: .75rem; } h1 { font-size: 1.375rem; }
  table { font-size: .8125rem; }
}
dl { display: grid; grid-template-columns: minmax(7rem, 13rem) 1fr; gap: .25rem 1rem; margin: 0 0 .75rem; font-size: .9375rem; }
dt { color: var(--text); } dd { margin: 0; overflow-wrap: anywhere; }
pre { margin: 0; padding: .75rem; background: var(--page); border-radius: 6px; overflow-x: auto; font-size: .875rem; white-space: pre-wrap; }
`;
