import { createRequire } from "node:module";
import type { LineSeriesOption } from "echarts";

// In one file: its several hundred modules take a second to load one by one.
const { init }: typeof import("echarts") = createRequire(import.meta.url)("echarts");

/** Roles of lines; the page's style sheet gives each its color in light and dark. */
export type LineRole = "rebalance" | "none" | "benchmark" | "price" | "band";

/** One line over time. */
export interface ChartLine {
  readonly role: LineRole;
  readonly name: string;
  /** [milliseconds, value] */
  readonly points: readonly (readonly [number, number])[];
  readonly dashed?: boolean;
}

/** A horizontal line with a label on one side of it. */
export interface ChartLevel {
  readonly value: number;
  readonly label: string;
  readonly labelSide: "above" | "below";
}

export interface ChartDefinition {
  readonly title: string;
  /** One sentence on what is shown. */
  readonly note: string;
  readonly unit: string;
  readonly lines: readonly ChartLine[];
  readonly levels?: readonly ChartLevel[];
  readonly fromZero?: boolean;
}

/** Stand-ins that the renderer keeps as they are; replaced by the style sheet's variables afterwards. */
const STAND_INS = {
  rebalance: "#010101",
  none: "#020202",
  benchmark: "#030303",
  price: "#040404",
  band: "#050505",
  text: "#060606",
  grid: "#070707",
} as const;

const FONT_SIZE = 12;
const FONT_FAMILY = "sans-serif";
const WIDE = { width: 860, height: 280, ticks: 8 };
const NARROW = { width: 380, height: 250, ticks: 3 };

/** The chart as two SVGs, one for wide and one for narrow screens, with colors as CSS variables. */
export function renderChart(chart: ChartDefinition): { wide: string; narrow: string } {
  return { wide: renderSvg(chart, WIDE), narrow: renderSvg(chart, NARROW) };
}

function renderSvg(
  chart: ChartDefinition,
  size: { width: number; height: number; ticks: number },
): string {
  const instance = init(null, null, {
    renderer: "svg",
    ssr: true,
    width: size.width,
    height: size.height,
  });
  try {
    const label = { color: STAND_INS.text, fontSize: FONT_SIZE, fontFamily: FONT_FAMILY };
    instance.setOption({
      animation: false,
      useUTC: true,
      grid: { left: 8, right: 16, top: 12, bottom: 4, outerBoundsMode: "same" },
      xAxis: {
        type: "time",
        splitNumber: size.ticks,
        axisLabel: {
          ...label,
          hideOverlap: true,
          formatter: { day: "{d} {MMM}", hour: "{HH}:{mm}", month: "{MMM}" },
        },
        axisLine: { lineStyle: { color: STAND_INS.grid } },
        axisTick: { lineStyle: { color: STAND_INS.grid } },
      },
      yAxis: {
        type: "value",
        scale: chart.fromZero !== true,
        axisLabel: { ...label, formatter: formatTick },
        splitLine: { lineStyle: { color: STAND_INS.grid } },
      },
      series: [...chart.lines.map(lineSeries), ...levelSeries(chart)],
    });
    return withVariables(instance.renderToSVGString({ useViewBox: true }));
  } finally {
    // Without this the process never ends.
    instance.dispose();
  }
}

function lineSeries(line: ChartLine): LineSeriesOption {
  return {
    type: "line",
    name: line.name,
    data: line.points.map(([time, value]) => [time, value]),
    showSymbol: false,
    sampling: "lttb",
    lineStyle: {
      color: STAND_INS[line.role],
      width: line.dashed === true ? 1 : 1.75,
      type: line.dashed === true ? [5, 4] : "solid",
    },
    itemStyle: { color: STAND_INS[line.role] },
  };
}

function levelSeries(chart: ChartDefinition): LineSeriesOption[] {
  if (chart.levels === undefined) return [];
  return [
    {
      type: "line",
      data: [],
      markLine: {
        silent: true,
        symbol: "none",
        lineStyle: { color: STAND_INS.band, width: 1, type: [5, 4] },
        label: {
          color: STAND_INS.text,
          fontSize: FONT_SIZE,
          fontFamily: FONT_FAMILY,
        },
        data: chart.levels.map(({ value, label, labelSide }) => ({
          yAxis: value,
          label: {
            formatter: label,
            position: labelSide === "above" ? "insideStartTop" : "insideStartBottom",
          },
        })),
      },
    },
  ];
}

/** Axis labels: 12,500,000 as 12.5 M, so that narrow screens keep room for the lines. */
function formatTick(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude >= 1e6) return `${Number((value / 1e6).toFixed(2))} M`;
  if (magnitude >= 1e5) return `${Number((value / 1e3).toFixed(1))} k`;
  return Number(value.toFixed(4)).toLocaleString("en-US");
}

function withVariables(svg: string): string {
  let text = svg;
  for (const [role, color] of Object.entries(STAND_INS))
    text = text.replaceAll(color, `var(--${role})`);
  return text;
}
