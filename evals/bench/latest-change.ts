import type { Bundle } from "../replay/bundle.ts";
import type { Episode } from "../replay/episode.ts";

/** What a common alert rule says is bad: a twentieth of requests failing, or two seconds at the 99th percentile. */
const LIMITS: Readonly<Record<string, number>> = { error_rate: 0.05, p99_latency: 2000 };
const FOR_MS = 3 * 60_000;
const WINDOW_MS = 30 * 60_000;

/**
 * What is often done today, for comparison: a threshold that holds for three minutes, and then the latest deploy or flag
 * of the last half hour is taken back, whatever it was. At most once a bundle.
 */
export function blameTheLatestChange(bundle: Bundle): readonly Episode[] {
  const firing = bundle.series
    .filter(({ metric, labels }) => metric in LIMITS && Object.keys(labels).length === 0)
    .flatMap((series) => {
      const at = holdsAt(series, bundle.incident.watch.start, LIMITS[series.metric] ?? Number.POSITIVE_INFINITY);
      return at === null ? [] : [{ at, service: series.service, metric: series.metric }];
    })
    .sort((a, b) => a.at - b.at);
  const first = firing[0];
  if (first === undefined) return [];
  const latest = bundle.changes.findLast(
    ({ startedAt, kind }) => startedAt <= first.at && first.at - startedAt <= WINDOW_MS && kind !== "migration",
  );
  const at = new Date(first.at).toISOString();
  const culprit = latest === undefined ? null : { change_id: latest.id, probability: 1 };
  return [
    {
      detected_at: at,
      onset_estimate: at,
      decided_at: at,
      service: first.service,
      signals: [first.metric],
      affected_services: [first.service],
      root_causes: [{ service: first.service, score: 1 }],
      business_impact: null,
      action: latest === undefined ? "no_action" : latest.kind === "flag" ? "feature_flag_disable" : "rollback",
      culprit,
      candidates: culprit === null ? [] : [culprit],
      no_change_probability: culprit === null ? 1 : 0,
      targets: latest === undefined ? [] : [latest.id],
      guardrail: null,
      executed_at: latest === undefined ? null : at,
      usage: { input_tokens: 0, output_tokens: 0, tool_calls: 0 },
    },
  ];
}

/** When the limit has been exceeded without a break for long enough; null: never in the watch. */
function holdsAt(
  { startAt, stepMs, values }: { startAt: number; stepMs: number; values: readonly (number | null)[] },
  from: number,
  limit: number,
): number | null {
  let since: number | null = null;
  for (const [i, value] of values.entries()) {
    const at = startAt + i * stepMs;
    if (at < from || value === null) continue;
    if (value <= limit) since = null;
    else {
      since ??= at;
      if (at - since >= FOR_MS) return at;
    }
  }
  return null;
}
