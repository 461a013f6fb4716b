import type { EChartsType } from "echarts";
import { cleanText } from "../../../core/model/untrusted-text.ts";
import { stableSvg } from "../../../knowledge/chart.ts";
import { quantity } from "../../../knowledge/postmortem/figures.ts";
import type { TruthFile } from "../bundle-schema.ts";
import type { Episode } from "../episode.ts";
import type { Reliability } from "../reliability.ts";
import type { Scores } from "../score.ts";
import type { Sketch } from "../sketch.ts";

/** Okabe and Ito's palette, told apart by people who see few colours; each mark is also named in words. */
const BLUE = "#0072B2";
const ORANGE = "#E69F00";
const RED = "#D55E00";
const GREEN = "#009E73";
const PINK = "#CC79A7";
const GREY = "#8a8f98";
const INK = "#22262b";

type Option = Parameters<EChartsType["setOption"]>[0];

async function draw(option: Option, width: number, height: number): Promise<string> {
  const echarts = await import("echarts");
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ animation: false, useUTC: true, textStyle: { fontFamily: "system-ui, sans-serif" }, ...option });
    return stableSvg(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

const percent = (value: number): string => `${Math.round(value * 100)} %`;
const AXIS = {
  nameTextStyle: { color: INK },
  axisLabel: { color: INK },
  splitLine: { lineStyle: { color: "#eceef1" } },
};

/** What was claimed against what is so: on the dashed line the two agree. Whiskers: 95 % intervals; areas: how many claims. */
export function reliabilityChart(bins: readonly Reliability[]): Promise<string> {
  const most = Math.max(1, ...bins.map(({ claims }) => claims));
  return draw(
    {
      grid: { left: 56, right: 24, top: 20, bottom: 48 },
      xAxis: {
        type: "value",
        min: 0,
        max: 1,
        name: "claimed probability",
        nameLocation: "middle",
        nameGap: 30,
        ...AXIS,
        axisLabel: { color: INK, formatter: percent },
      },
      yAxis: {
        type: "value",
        min: 0,
        max: 1,
        name: "share that is so",
        nameLocation: "middle",
        nameGap: 42,
        ...AXIS,
        axisLabel: { color: INK, formatter: percent },
      },
      series: [
        {
          type: "line",
          silent: true,
          symbol: "none",
          lineStyle: { color: GREY, type: "dashed", width: 1 },
          data: [
            [0, 0],
            [1, 1],
          ],
        },
        ...bins.map(({ claimed, low, high }) => ({
          type: "line" as const,
          silent: true,
          symbol: "none",
          lineStyle: { color: BLUE, width: 1.5, opacity: 0.5 },
          data: [
            [claimed, low],
            [claimed, high],
          ],
        })),
        {
          type: "scatter",
          silent: true,
          itemStyle: { color: BLUE, opacity: 0.9 },
          data: bins.map(({ claimed, actual, claims }) => ({
            value: [claimed, actual],
            symbolSize: 7 + 19 * Math.sqrt(claims / most),
            label: {
              show: true,
              formatter: String(claims),
              position: claimed < 0.5 ? ("right" as const) : ("left" as const),
              color: INK,
              fontSize: 11,
            },
          })),
        },
      ],
    },
    440,
    340,
  );
}

/** Of the bundles that were found, the share decided (and executed) within so many seconds of the true onset. */
export function delayChart({ decisionDelays, executionDelays, truePositives }: Scores): Promise<string> {
  const curve = (delays: readonly number[], name: string, color: string) => ({
    type: "line" as const,
    name,
    step: "end" as const,
    silent: true,
    symbol: "none",
    lineStyle: { color, width: 2 },
    itemStyle: { color },
    data: [[0, 0], ...delays.map((seconds, index) => [seconds, (index + 1) / Math.max(1, truePositives)])],
  });
  return draw(
    {
      legend: { top: 0, right: 16, textStyle: { color: INK } },
      grid: { left: 56, right: 24, top: 36, bottom: 48 },
      xAxis: { type: "value", min: 0, name: "seconds since onset", nameLocation: "middle", nameGap: 30, ...AXIS },
      yAxis: {
        type: "value",
        min: 0,
        max: 1,
        name: "share of what was found",
        nameLocation: "middle",
        nameGap: 42,
        ...AXIS,
        axisLabel: { color: INK, formatter: percent },
      },
      series: [curve(decisionDelays, "decided", BLUE), curve(executionDelays, "executed", GREEN)],
    },
    440,
    340,
  );
}

/** No chart has room for more rows. */
const CHANGES_SHOWN = 8;
const ROW = 20;

/** One bundle: the signal that decided, true onset, detection, decision, execution, and below it every change. */
export function timelineChart(whole: Sketch, episode: Episode | undefined, truth: TruthFile | null): Promise<string> {
  const marks = [
    { name: "onset", at: truth?.onset ?? null, color: PINK },
    { name: "detected", at: parsed(episode?.detected_at), color: ORANGE },
    { name: "decided", at: parsed(episode?.decided_at), color: BLUE },
    { name: "executed", at: parsed(episode?.executed_at), color: GREEN },
  ].flatMap(({ name, at, color }) => (at === null ? [] : [{ name, at, color }]));
  const named = [truth?.culprit, ...(truth?.targets ?? []), ...(episode?.targets ?? []), episode?.culprit?.change_id];
  const begun = whole.changes.filter(({ id }) => named.includes(id)).map(({ startedAt }) => startedAt);
  const sketch = near(whole, [...marks.map(({ at }) => at), ...begun]);
  const changes = shownChanges(sketch, named);
  const taken = new Set(episode?.targets ?? []);
  const colourOf = (id: string) => (id === truth?.culprit ? RED : taken.has(id) ? GREEN : GREY);
  const upper = 190;
  const height = upper + 46 + Math.max(1, changes.length) * ROW + 8;
  const time = { type: "time" as const, min: sketch.from, max: sketch.to };
  const { signal } = sketch;
  return draw(
    {
      grid: [
        { left: 64, right: 20, top: 62, height: upper - 62 },
        { left: 64, right: 20, top: upper + 30, height: Math.max(1, changes.length) * ROW },
      ],
      title:
        signal === null
          ? { text: "nothing is measured", textStyle: { fontSize: 13, color: INK } }
          : {
              text: cleanText(`${signal.metric} of ${signal.service}`, 80),
              left: 8,
              top: 0,
              textStyle: { fontSize: 13, color: INK },
            },
      xAxis: [
        { ...time, gridIndex: 0, ...AXIS, axisLabel: { color: INK, formatter: "{HH}:{mm}", hideOverlap: true } },
        {
          ...time,
          gridIndex: 1,
          axisLabel: { show: false },
          axisTick: { show: false },
          axisLine: { show: false },
          splitLine: { show: false },
        },
      ],
      yAxis: [
        {
          type: "value",
          gridIndex: 0,
          scale: signal?.metric !== "error_rate",
          splitNumber: 3,
          ...AXIS,
          axisLabel: { color: INK, formatter: (value: number) => quantity(value, signal?.unit ?? "") },
        },
        { type: "value", gridIndex: 1, min: 0, max: Math.max(1, changes.length), show: false },
      ],
      series: [
        {
          type: "line",
          xAxisIndex: 0,
          yAxisIndex: 0,
          showSymbol: false,
          silent: true,
          connectNulls: false, // a missing sample is a gap in the line
          lineStyle: { width: 1.3, color: INK },
          data: (signal?.points ?? []).map(([at, value]) => [at, value]),
          markArea: {
            silent: true,
            itemStyle: { color: "#f4f5f7" },
            data: sketch.watchStart <= sketch.from ? [] : [[{ xAxis: sketch.from }, { xAxis: sketch.watchStart }]],
          },
          markLine: {
            silent: true,
            symbol: "none",
            data: marks.map(({ name, at, color }, index) => ({
              xAxis: at,
              lineStyle: { color, type: name === "onset" ? ("solid" as const) : ("dashed" as const), width: 1.5 },
              // One above the other in turn, so that marks close in time stay readable.
              label: { formatter: name, color, position: "end" as const, distance: 3 + (index % 4) * 11, fontSize: 11 },
            })),
          },
        },
        ...changes.map(({ id, startedAt, finishedAt }, index) => ({
          type: "line" as const,
          xAxisIndex: 1,
          yAxisIndex: 1,
          silent: true,
          symbol: "circle",
          symbolSize: 8,
          itemStyle: { color: colourOf(id) },
          lineStyle: { color: colourOf(id), width: 6, cap: "round" as const },
          data: changePoints(sketch, startedAt, finishedAt, changes.length - index - 0.5).map((value, end) => ({
            value,
            label: {
              show: end === 0,
              formatter: cleanText(id, 40),
              position: startedAt < (sketch.from + sketch.to) / 2 ? ("right" as const) : ("left" as const),
              distance: startedAt < (sketch.from + sketch.to) / 2 ? labelGap(sketch, startedAt, finishedAt) : 8,
              color: colourOf(id) === GREY ? INK : colourOf(id),
              fontSize: 11,
            },
          })),
        })),
      ],
    },
    WIDTH,
    height,
  );
}

const WIDTH = 900;
const parsed = (at: string | null | undefined): number | null =>
  at === null || at === undefined ? null : Date.parse(at);

function changePoints({ from, to }: Sketch, startedAt: number, finishedAt: number, row: number): [number, number][] {
  return [
    [Math.max(from, startedAt), row],
    [Math.min(to, Math.max(startedAt, finishedAt)), row],
  ];
}

/** A name stands to the right of its bar. */
function labelGap({ from, to }: Sketch, startedAt: number, finishedAt: number): number {
  const shown = Math.min(to, finishedAt) - Math.max(from, startedAt);
  return 8 + Math.max(0, shown / (to - from)) * (WIDTH - 84);
}

/** So much before and after what is marked is shown: minutes must be told apart in a watch of hours. */
const AROUND_MS = 20 * 60_000;

/** The part of a bundle around these moments; all of it where there are none. */
function near(sketch: Sketch, moments: readonly number[]): Sketch {
  if (moments.length === 0) return sketch;
  const from = Math.max(sketch.from, Math.min(...moments) - AROUND_MS);
  const to = Math.max(from, Math.min(sketch.to, Math.max(...moments) + AROUND_MS));
  const changes = sketch.changes.filter(({ startedAt, finishedAt }) => startedAt <= to && finishedAt >= from);
  const points = sketch.signal?.points.filter(([at]) => at >= from && at <= to) ?? [];
  return { ...sketch, from, to, changes, signal: sketch.signal && { ...sketch.signal, points } };
}

/** Those that are named, then the newest: as many as there is room for, in the order of time. */
function shownChanges({ changes }: Sketch, named: readonly unknown[]): Sketch["changes"] {
  const first = changes.filter(({ id }) => named.includes(id));
  const rest = changes.filter(({ id }) => !named.includes(id)).toSorted((a, b) => b.startedAt - a.startedAt);
  return [...first, ...rest].slice(0, CHANGES_SHOWN).toSorted((a, b) => a.startedAt - b.startedAt);
}
