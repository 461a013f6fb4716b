import type { Incident } from "../../core/model/incident.ts";
import type { Series } from "../../core/model/signal.ts";
import { type Mark, marks } from "./marks.ts";

/** What a chart shows: the signal that went wrong most clearly, around the incident. */
export interface ChartWindow {
  readonly series: Series;
  readonly from: number;
  readonly to: number;
  readonly marks: readonly Mark[];
}

/** Enough before to see what normal was, enough after to see that it is so again. */
const MARGIN_MS = 5 * 60_000;

/**
 * Picks the strongest worse finding whose series is at hand; null where there is none to show. It is shown as it was
 * measured, with the samples that judgement sets aside.
 */
export function chartWindow(incident: Incident, all: readonly Series[]): ChartWindow | null {
  const worse = incident.findings.filter(({ verdict }) => verdict === "worse");
  const own = worse.filter(({ service }) => service === (incident.decision?.service ?? incident.service));
  const ranked = [...byStrength(own), ...byStrength(worse)];
  const found = ranked
    .map(({ service, metric }) => wholeService(all, service, metric))
    .find((series) => series !== undefined);
  if (found === undefined) return null;
  const measured = found.asMeasured ?? found.values;
  const moments = marks(incident);
  const first = moments[0]?.at ?? incident.detectedAt;
  const last = moments.at(-1)?.at ?? incident.detectedAt;
  const end = found.startAt + (measured.length - 1) * found.stepMs;
  const measuredFrom =
    found.startAt +
    Math.max(
      0,
      measured.findIndex((value) => value !== null),
    ) *
      found.stepMs;
  const from = Math.min(first, Math.max(measuredFrom, first - MARGIN_MS));
  const judgedAt = incident.recovery?.at ?? last;
  const to = Math.max(last, Math.min(end, Math.max(last, judgedAt) + MARGIN_MS));
  return to > from ? { series: plainSeries(found, from, to), from, to, marks: moments } : null;
}

/**
 * The samples of a chart alone: the one series that `chartWindow` picks, from its first to its last moment. The same chart is
 * drawn from them as from all, also when the source keeps those of that time no longer. Empty where there is none to show.
 */
export function chartSamples(incident: Incident, all: readonly Series[]): readonly Series[] {
  const window = chartWindow(incident, all);
  return window === null ? [] : [window.series];
}

/** Its samples within a time, as they were measured. */
function plainSeries(series: Series, from: number, to: number): Series {
  const { service, metric, unit, worse, labels, startAt, stepMs, asMeasured, values } = series;
  const first = Math.max(0, Math.ceil((from - startAt) / stepMs));
  const shown = (asMeasured ?? values).slice(first, Math.floor((to - startAt) / stepMs) + 1);
  return { service, metric, unit, worse, labels, startAt: startAt + first * stepMs, stepMs, values: shown };
}

const byStrength = (findings: Incident["findings"]) => findings.toSorted((a, b) => b.strength - a.strength);

/** Among several grids of one signal the finest: the coarser one is history. */
function wholeService(all: readonly Series[], service: string, metric: string): Series | undefined {
  return all
    .filter((one) => one.service === service && one.metric === metric && Object.keys(one.labels).length === 0)
    .toSorted((a, b) => a.stepMs - b.stepMs)[0];
}
