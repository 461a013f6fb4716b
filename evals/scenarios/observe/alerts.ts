import type { Draw } from "../draw.ts";
import { HOUR, MINUTE, type Scenario } from "../world/model.ts";
import type { SeriesLine } from "./series.ts";

/** One line of `alerts.jsonl`; times are Unix ms until they are written. */
export interface AlertLine {
  readonly fingerprint: string;
  readonly status: "firing" | "resolved";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: number;
  readonly endsAt?: number;
}

interface Rule {
  readonly name: string;
  readonly metric: string;
  readonly above: (usual: number) => number;
  readonly forMs: number;
  readonly severity: string;
}

/** Rules as teams write them: fixed limits with a `for`, as in the Prometheus documentation's examples. */
const RULES: readonly Rule[] = [
  { name: "HighErrorRate", metric: "error_rate", above: () => 0.05, forMs: 3 * MINUTE, severity: "critical" },
  {
    name: "HighLatencyP99",
    metric: "p99_latency",
    above: (usual) => 2.5 * usual,
    forMs: 5 * MINUTE,
    severity: "warning",
  },
  { name: "PodsNotReady", metric: "health_check_failures", above: () => 2, forMs: 2 * MINUTE, severity: "warning" },
  { name: "MemoryNearLimit", metric: "memory_usage", above: () => 0.9, forMs: 5 * MINUTE, severity: "warning" },
  { name: "CPUThrottlingHigh", metric: "cpu_usage", above: () => 0.85, forMs: 10 * MINUTE, severity: "info" },
];
/** Alerts that fire on any day and mean nothing for users. */
const USUAL = [
  "CertificateExpiresSoon",
  "DiskWillFillIn4Days",
  "NodeClockNotSynchronising",
  "KubeJobFailed",
  "BackupTooOld",
];

/** What an Alertmanager would have sent: rules over what was recorded, and the alerts of any day. */
export function writeAlerts(scenario: Scenario, series: readonly SeriesLine[], draw: Draw): readonly AlertLine[] {
  const { watchStart, watchEnd, historyStart } = scenario.clock;
  const namespaces = new Map(scenario.system.services.map(({ name, namespace }) => [name, namespace]));
  const alerts: AlertLine[] = [];
  for (const line of series) {
    const rule = RULES.find(({ metric }) => metric === line.metric);
    if (rule === undefined || line.labels !== undefined || line.step > 60) continue;
    const limit = rule.above(median(line.values));
    for (const { from, to } of spells(line, limit, rule.forMs))
      alerts.push(
        alert(
          draw,
          rule.name,
          line.service,
          namespaces.get(line.service) ?? "production",
          rule.severity,
          `${rule.metric} above ${limit.toPrecision(3)}`,
          from,
          to,
        ),
      );
  }
  for (let at = historyStart; at < watchEnd; at += draw.exponential(1.2 * HOUR)) {
    const service = draw.pick(scenario.system.services.filter(({ tier }) => tier !== "external")).name;
    const to = draw.chance(0.6) ? at + draw.uniform(3, 50) * MINUTE : null;
    alerts.push(
      alert(
        draw,
        draw.pick(USUAL),
        service,
        namespaces.get(service) ?? "production",
        "info",
        "fires on any day",
        at,
        to !== null && to < watchEnd ? to : null,
      ),
    );
  }
  return alerts
    .filter(({ startsAt, endsAt }) => (endsAt ?? watchEnd) >= watchStart - HOUR && startsAt <= watchEnd)
    .sort((a, b) => a.startsAt - b.startsAt);
}

function alert(
  draw: Draw,
  name: string,
  service: string,
  namespace: string,
  severity: string,
  summary: string,
  from: number,
  to: number | null,
): AlertLine {
  return {
    fingerprint: draw.hex(16),
    status: to === null ? "firing" : "resolved",
    labels: { alertname: name, service, namespace, severity },
    annotations: { summary: `${service}: ${summary}` },
    startsAt: Math.round(from),
    ...(to === null ? {} : { endsAt: Math.round(to) }),
  };
}

/** Spells above the limit for at least as long as the rule wants; `from` is when the alert fires. */
function spells(
  { start, step, values }: SeriesLine,
  limit: number,
  forMs: number,
): readonly { readonly from: number; readonly to: number | null }[] {
  const found: { from: number; to: number | null }[] = [];
  let since: number | null = null;
  let firing: { from: number; to: number | null } | null = null;
  for (const [index, value] of values.entries()) {
    const at = (start + index * step) * 1000;
    if (value === null) continue;
    if (value > limit) {
      since ??= at;
      if (firing === null && at - since >= forMs) {
        firing = { from: at, to: null };
        found.push(firing);
      }
    } else {
      if (firing !== null) firing.to = at;
      since = null;
      firing = null;
    }
  }
  return found;
}

function median(values: readonly (number | null)[]): number {
  const sorted = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
