import type { Incident } from "../core/model/incident.ts";
import type { Series } from "../core/model/signal.ts";
import { cleanText } from "../core/model/untrusted-text.ts";
import { chartWindow } from "./postmortem/chart-window.ts";
import { quantity } from "./postmortem/figures.ts";

const SIZE = { width: 860, height: 320 };
/** Ticks of a shorter span than this lie less than a minute apart. */
const SHORT_MS = 10 * 60_000;
/** Okabe and Ito's palette, told apart by people who see few colours; each mark is also named in words. */
const COLOURS: Readonly<Record<string, string>> = {
  change: "#D55E00",
  onset: "#CC79A7",
  detected: "#E69F00",
  action: "#0072B2",
  recovered: "#009E73",
};

/**
 * The signal that went wrong most clearly, as a stand-alone SVG with its change, onset, detection, action and recovery
 * marked. null where the samples around the incident are not at hand. The same input gives the same bytes. ECharts is
 * loaded only when a chart is really drawn; it escapes the text that it draws.
 */
export async function postmortemChart(incident: Incident, series: readonly Series[]): Promise<string | null> {
  const window = chartWindow(incident, series);
  if (window === null) return null;
  const { series: shown, from, to, marks } = window;
  const echarts = await import("echarts");
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, ...SIZE });
  try {
    const text = `${cleanText(`${shown.service} ${shown.metric}`, 80)} (times UTC)`;
    chart.setOption({
      animation: false,
      useUTC: true,
      backgroundColor: "#ffffff",
      title: { text, left: 16, top: 8, textStyle: { fontSize: 14 } },
      // A mark stands at the last sample, with its name over it by half to the right.
      grid: { left: 70, right: 44, top: 84, bottom: 36 },
      xAxis: {
        type: "time",
        min: from,
        max: to,
        axisLabel: { formatter: to - from < SHORT_MS ? "{HH}:{mm}:{ss}" : "{HH}:{mm}", hideOverlap: true },
      },
      yAxis: { type: "value", axisLabel: { formatter: (value: number) => quantity(value, shown.unit) } },
      series: [
        {
          type: "line",
          showSymbol: false,
          silent: true,
          connectNulls: false, // a missing sample is a gap in the line
          lineStyle: { width: 1.5, color: "#333333" },
          data: shown.values
            .map((value, index) => [shown.startAt + index * shown.stepMs, value])
            .filter(([at]) => typeof at === "number" && at >= from && at <= to),
          markLine: {
            silent: true,
            symbol: "none",
            data: marks.map(({ name, at }, index) => ({
              xAxis: at,
              lineStyle: { color: COLOURS[name] ?? "#666666", type: "dashed", width: 1.5 },
              // One above the other in turn, so that marks close in time stay readable.
              label: {
                formatter: name,
                color: COLOURS[name] ?? "#666666",
                position: "end",
                distance: 4 + (index % 3) * 14,
              },
            })),
          },
        },
      ],
    });
    return stableSvg(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

/**
 * ECharts numbers ids and hover classes by how much the process has drawn: the file must not tell. Hover styles go
 * (a draft is not touched), ids are numbered anew.
 */
export function stableSvg(svg: string): string {
  const ids = new Map<string, string>();
  const renamed = (id: string) => {
    if (!ids.has(id)) ids.set(id, `c${ids.size}`);
    return ids.get(id) ?? id;
  };
  return svg
    .replaceAll(/<style\s*>[\s\S]*?<\/style>\n?/g, "")
    .replaceAll(/ class="zr\d+-cls-\d+"/g, "")
    .replaceAll(/\bzr\d+-c\d+\b/g, renamed);
}
