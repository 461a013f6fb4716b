import type { Incident } from "../../core/model/incident.ts";
import { decidedAt } from "../../core/model/recorded.ts";
import type { Series } from "../../core/model/signal.ts";
import { chartWindow } from "./chart-window.ts";
import { clock, quantity } from "./figures.ts";
import { block, bullets, code, prose, section, table } from "./markdown.ts";
import { plainChart } from "./plain-chart.ts";

/** Signals shown; a fleet-wide incident has hundreds that say the same. */
const SIGNALS = 12;

/** What was measured: the chart, the signals that got worse, the policy conditions that held. */
export function evidenceSection(
  incident: Incident,
  series: readonly Series[],
  chartFile: string | null,
): string | null {
  const worse = incident.findings
    .filter(({ verdict }) => verdict === "worse")
    .toSorted((a, b) => b.strength - a.strength);
  const rows = worse
    .slice(0, SIGNALS)
    .map(({ service, metric, unit, baseline, current, onset, samples, detector, because }) => [
      code(service),
      code(metric),
      quantity(baseline, unit),
      quantity(current, unit),
      onset === null ? "unknown" : clock(onset.at),
      unit === "count"
        ? `${code(detector)}: ${prose(because, 200)}`
        : `${code(detector)}, ${samples} ${samples === 1 ? "sample" : "samples"}`,
    ]);
  const head = ["Service", "Signal", "Before", "During", "Since", "Said by"];
  const more = worse.length > SIGNALS ? `${worse.length - SIGNALS} more signals got worse.` : null;
  const held = incident.conditions.filter(({ state }) => state === "firing" || state === "pending");
  const conditions = held.map(
    ({ policy, text, service, state, since }) =>
      `${code(policy)}: ${code(text)} on ${code(service)}, ${state}${since === null ? "" : ` since ${clock(since)}`}`,
  );
  return section(
    "Evidence",
    chartText(incident, series, chartFile),
    rows.length === 0 ? "No signal was recorded as worse." : table(head, rows),
    more,
    conditions.length === 0 ? null : `Policy conditions ${conditionsWhen(incident)}:\n\n${bullets(conditions)}`,
    notMeasured(incident),
  );
}

/** Of when the conditions are that the record holds: they are read anew at each evaluation until the plan is carried out. */
function conditionsWhen({ seenAt, ...incident }: Incident): string {
  if (seenAt === undefined) return "when it was judged last";
  return seenAt === decidedAt(incident) ? "when it was decided" : `as of ${clock(seenAt)}`;
}

function chartText(incident: Incident, series: readonly Series[], chartFile: string | null): string {
  const window = chartWindow(incident, series);
  const plain = window === null ? "" : plainChart(window.series, window.from, window.to, window.marks);
  if (window === null || plain === "") return "No chart: the samples around the incident are not at hand.";
  const legend = window.marks.map(({ letter, name }) => `${letter} ${name}`).join(", ");
  const picture =
    chartFile === null
      ? []
      : [
          `![${window.series.metric.replaceAll(/[^\w-]/g, "")} around the incident](${encodeURI(chartFile).replaceAll(/[()]/g, encodeURIComponent)})`,
        ];
  return [...picture, block(`${plain}\n${legend}`)].join("\n\n");
}

function notMeasured({ findings }: Incident): string | null {
  const unknown = findings.filter(({ verdict }) => verdict === "unknown");
  if (unknown.length === 0) return null;
  const shown = unknown
    .slice(0, 5)
    .map(({ service, metric, because }) => `${code(service)} ${code(metric)}: ${prose(because)}`);
  return `Not measured:\n\n${bullets(shown)}`;
}
