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

/** Picks the strongest worse finding whose series is at hand; null where there is none to show. */
export function chartWindow(incident: Incident, all: readonly Series[]): ChartWindow | null {
  const worse = incident.findings.filter(({ verdict }) => verdict === "worse");
  const own = worse.filter(({ service }) => service === (incident.decision?.service ?? incident.service));
  const ranked = [...byStrength(own), ...byStrength(worse)];
  const found = ranked
    .map(({ service, metric }) => wholeService(all, service, metric))
    .find((series) => series !== undefined);
  if (found === undefined) return null;
  const moments = marks(incident);
  const first = moments[0]?.at ?? incident.detectedAt;
  const last = moments.at(-1)?.at ?? incident.detectedAt;
  const end = found.startAt + (found.values.length - 1) * found.stepMs;
  const measuredFrom =
    found.startAt +
    Math.max(
      0,
      found.values.findIndex((value) => value !== null),
    ) *
      found.stepMs;
  const from = Math.min(first, Math.max(measuredFrom, first - MARGIN_MS));
  const judgedAt = incident.recovery?.at ?? last;
  const to = Math.max(last, Math.min(end, Math.max(last, judgedAt) + MARGIN_MS));
  return to > from ? { series: found, from, to, marks: moments } : null;
}

const byStrength = (findings: Incident["findings"]) => findings.toSorted((a, b) => b.strength - a.strength);

/** Among several grids of one signal the finest: the coarser one is history. */
function wholeService(all: readonly Series[], service: string, metric: string): Series | undefined {
  return all
    .filter((one) => one.service === service && one.metric === metric && Object.keys(one.labels).length === 0)
    .toSorted((a, b) => a.stepMs - b.stepMs)[0];
}
