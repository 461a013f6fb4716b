/*
 * Logs, spans and alerts of a bundle of the independent incident generator, drawn from what the simulation did: new messages where
 * something broke, complaints of those who call it, sampled traces with their errors, and the alerts that ordinary rules raise.
 */
import type { Series } from "./observe.ts";
import type { Rng } from "./random.ts";
import type { Scene } from "./scene.ts";
import type { Path, Result } from "./simulate.ts";
import { shareAt } from "./simulate.ts";
import type { Service } from "./types.ts";
import { chatter, fill } from "./vocabulary.ts";

export interface LogLine {
  at: number;
  service: string;
  level: string;
  message: string;
  version?: string;
}

const complaints = [
  "upstream {} answered 503 after ~ms, request @",
  "call to {} failed: context deadline exceeded",
  "{}: HTTP 500 Internal Server Error (trace @)",
  "RemoteException from {}: status=UNAVAILABLE, attempt #",
];
const lateComplaints = ["call to {} timed out after ~ms", "slow dependency {}: ~ms"];

export function drawLogs(scene: Scene, rng: Rng, fine: Result, names: Map<string, string>): LogLine[] {
  const lines: LogLine[] = [];
  const { grid } = fine;
  const from = Math.max(grid.start, scene.w0 - 2 * 3600);
  const own = scene.own();
  const withVersion = rng.chance(0.4);
  const current = (service: string, t: number): string => {
    let version = "base";
    for (const r of scene.rollouts)
      if (r.service === service && rng.next() < shareAt(r, t)) version = r.restores ?? r.change;
    return names.get(`${service} ${version}`) ?? "";
  };
  const add = (t: number, service: string, level: string, text: string, version?: string): void => {
    lines.push({
      at: t,
      service,
      level,
      message: fill(rng, text),
      ...(version !== undefined && version !== "" ? { version } : withVersion ? { version: current(service, t) } : {}),
    });
  };

  // Each installation says its own few things, over and over.
  const usual = new Map(own.map((s) => [s.name, rng.shuffle(chatter).slice(0, rng.int(3, 7))]));
  const perMinute = rng.log(0.3, 2.5);
  for (const s of own) {
    const n = rng.poisson((perMinute * (scene.w1 - from)) / 60);
    for (let i = 0; i < n; i++) {
      const [level, text] = rng.pick(usual.get(s.name) as [string, string][]);
      add(rng.range(from, scene.w1), s.name, level, text);
    }
  }
  for (const sig of scene.signatures) {
    // No more complaints than there are requests to complain of.
    const most =
      sig.level === "info" || sig.perMinute < 5
        ? sig.perMinute
        : Math.min(sig.perMinute, 20 * scene.rateOf(sig.service, sig.from));
    const n = rng.poisson((most * Math.max(0, sig.until - sig.from)) / 60);
    const version = sig.version !== undefined && withVersion ? names.get(`${sig.service} ${sig.version}`) : undefined;
    for (let i = 0; i < Math.min(n, 500); i++)
      add(rng.range(sig.from, Math.min(sig.until, scene.w1)), sig.service, sig.level, sig.text, version);
  }
  if (rng.chance(0.4)) {
    for (const r of scene.rollouts) {
      const start = r.stages[0]?.at as number;
      const version = names.get(`${r.service} ${r.restores ?? r.change}`) as string;
      if (start > from && start < scene.w1)
        for (let i = 0; i < Math.min(4, scene.service(r.service).pods); i++)
          add(
            start + i * rng.range(3, 25) - 3,
            r.service,
            "info",
            `starting ${r.service} ${version}`,
            withVersion ? version : undefined,
          );
    }
  }
  // Those who call complain.
  const style = rng.pick(complaints);
  for (const s of own) {
    const path = fine.paths.get(s.name) as Path;
    s.edges.forEach((e, j) => {
      for (let k = 0; k < grid.n; k++) {
        const t = grid.start + k * grid.dt;
        if (t < from) continue;
        const f = (path.calls[j] as Float64Array)[k] as number;
        const failures = Math.min(0.8, f * (path.rate[k] as number) * e.calls * grid.dt * 0.02 + (f > 0.03 ? 0.25 : 0));
        if (f > 0.004 && rng.chance(failures))
          add(
            t + rng.range(0, grid.dt),
            s.name,
            rng.chance(0.8) ? "error" : "warn",
            (rng.chance(0.8) ? style : rng.pick(lateComplaints)).replace("{}", e.to),
          );
      }
    });
  }
  return lines.filter((l) => l.at <= scene.w1).sort((a, b) => a.at - b.at);
}

export interface Span {
  trace_id: string;
  span_id: string;
  parent_id?: string;
  service: string;
  name: string;
  start: number;
  duration: number;
  error: boolean;
  version?: string;
}

const verbs = ["GET /", "POST /", "grpc.", "rpc ", "handle "];

export function drawSpans(scene: Scene, rng: Rng, fine: Result, names: Map<string, string>): Span[] {
  const spans: Span[] = [];
  const { grid } = fine;
  const withVersion = rng.chance(0.5);
  const verb = rng.pick(verbs);
  const entries = scene.system.services.filter((s) => s.role === "entry");
  const from = Math.max(grid.start, scene.w0 - 30 * 60);
  const traces = rng.int(150, 420);
  const walk = (
    s: Service,
    k: number,
    start: number,
    trace: string,
    parent: string | undefined,
    depth: number,
  ): { end: number; error: boolean } => {
    const p = fine.paths.get(s.name) as Path;
    const id = rng.hex(16);
    const own = (p.own50[k] as number) * Math.exp(Math.min(1, s.sigma) * rng.normal()) * 1000;
    let error = rng.chance(p.ownErr[k] as number);
    let now = start + own * 0.4;
    const index = spans.length;
    spans.push({
      trace_id: trace,
      span_id: id,
      ...(parent !== undefined ? { parent_id: parent } : {}),
      service: s.name,
      name: `${verb}${s.name.toLowerCase().replace(/service$|^svc-|-svc$/, "")}`,
      start: 0,
      duration: 0,
      error: false,
    });
    if (!(error && rng.chance(0.6)) && depth < 6) {
      for (const e of s.edges) {
        const to = scene.service(e.to);
        if (e.async || to.role === "store" || !rng.chance(Math.min(1, e.calls))) continue;
        const child = walk(to, k, now, trace, id, depth + 1);
        now = Math.min(child.end, now + e.timeoutMs * 1000);
        if ((child.error || child.end - now > 1000) && rng.chance(e.hard)) error = true;
      }
    }
    now += own * 0.6;
    const span = spans[index] as Span;
    span.start = Math.round(start);
    span.duration = Math.max(1, Math.round(now - start));
    span.error = error;
    if (withVersion && to(s)) span.version = names.get(`${s.name} ${versionAt(scene, rng, s.name, start / 1e6)}`) ?? "";
    if (span.version === "") delete span.version;
    return { end: now, error };
  };
  const to = (s: Service): boolean => s.role !== "outside";
  for (let i = 0; i < traces; i++) {
    const t = rng.range(from, scene.w1 - grid.dt - 40);
    const k = Math.min(grid.n - 1, Math.floor((t - grid.start) / grid.dt));
    const length = spans.length;
    walk(rng.pick(entries), k, t * 1e6, rng.hex(32), undefined, 0);
    // A trace arrives when it is complete; one that ends after the recording is not in it.
    if (spans.slice(length).some((x) => x.start + x.duration > scene.w1 * 1e6)) spans.length = length;
  }
  return spans.sort((a, b) => a.start - b.start);
}

function versionAt(scene: Scene, rng: Rng, service: string, t: number): string {
  let version = "base";
  for (const r of [...scene.rollouts].sort((a, b) => (a.stages[0]?.at ?? 0) - (b.stages[0]?.at ?? 0)))
    if (r.service === service && rng.next() < shareAt(r, t)) version = r.restores ?? r.change;
  return version;
}

export interface Alert {
  fingerprint: string;
  status: "firing" | "resolved";
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: number;
  endsAt?: number;
}

interface Rule {
  metric: string;
  name: string;
  severity: string;
  hold: number;
  test: (v: number, usual: number) => boolean;
  say: (service: string) => string;
}

const rules: Rule[] = [
  {
    metric: "error_rate",
    name: "HighErrorRate",
    severity: "critical",
    hold: 120,
    test: (v, u) => v > Math.max(0.05, 3 * u),
    say: (s) => `${s}: more than 5% of requests fail`,
  },
  {
    metric: "p99_latency",
    name: "LatencyP99High",
    severity: "warning",
    hold: 300,
    test: (v, u) => v > 2.2 * u && v > 300,
    say: (s) => `99th percentile of ${s} is more than twice its usual value`,
  },
  {
    metric: "health_check_failures",
    name: "PodsNotReady",
    severity: "warning",
    hold: 300,
    test: (v) => v >= 3,
    say: (s) => `Pods of ${s} fail their readiness probe`,
  },
  {
    metric: "memory_usage",
    name: "MemoryNearLimit",
    severity: "warning",
    hold: 120,
    test: (v) => v > 0.9,
    say: (s) => `${s} uses more than 90% of its memory limit`,
  },
  {
    metric: "cpu_usage",
    name: "CPUThrottlingHigh",
    severity: "info",
    hold: 300,
    test: (v) => v > 0.88,
    say: (s) => `${s} is throttled`,
  },
  {
    metric: "queue_depth",
    name: "QueueGrowing",
    severity: "warning",
    hold: 300,
    test: (v, u) => v > 5 * u + 100,
    say: (s) => `The queue of ${s} grows`,
  },
];

export function drawAlerts(scene: Scene, rng: Rng, series: Series[]): Alert[] {
  const out: Alert[] = [];
  const known = rules.filter(() => rng.chance(0.85));
  const ns = namespaceOf(scene);
  const add = (
    name: string,
    severity: string,
    service: string,
    summary: string,
    from: number,
    until: number | undefined,
  ): void => {
    out.push({
      fingerprint: rng.hex(16),
      status: until === undefined ? "firing" : "resolved",
      labels: { alertname: name, severity, service, namespace: ns(service) },
      annotations: {
        summary,
        ...(rng.chance(0.4) ? { runbook_url: `https://wiki.example.com/runbooks/${name}` } : {}),
      },
      startsAt: from,
      ...(until !== undefined ? { endsAt: until } : {}),
    });
  };
  for (const s of series) {
    if (s.labels !== undefined || s.step !== scene.profile.step) continue;
    const rule = known.find((r) => r.metric === s.metric);
    if (rule === undefined) continue;
    const before = s.values
      .filter((v, i): v is number => v !== null && s.start + i * s.step < scene.w0)
      .sort((a, b) => a - b);
    const usual = before[Math.floor(before.length / 2)] ?? 0;
    let since: number | null = null;
    let firing: number | null = null;
    s.values.forEach((v, i) => {
      const t = s.start + i * s.step;
      if (t < scene.w0 - 3600 || v === null) return;
      if (rule.test(v, usual)) {
        since ??= t;
        if (firing === null && t - since >= rule.hold) firing = t;
      } else {
        if (firing !== null) add(rule.name, rule.severity, s.service, rule.say(s.service), firing, t);
        since = null;
        firing = null;
      }
    });
    if (firing !== null) add(rule.name, rule.severity, s.service, rule.say(s.service), firing, undefined);
  }
  for (const f of scene.falseAlerts) add(f.name, "warning", f.service, f.summary, f.from, f.until);
  if (rng.chance(0.5))
    add(
      "Watchdog",
      "none",
      "prometheus",
      "An alert that should always be firing",
      scene.h0 - 86400 * rng.int(1, 30),
      undefined,
    );
  if (rng.chance(0.3))
    add(
      "DiskWillFillIn4Days",
      "info",
      scene.any().name,
      "A volume fills slowly",
      scene.w0 - rng.int(600, 40000),
      undefined,
    );
  return out.sort((a, b) => a.startsAt - b.startsAt);
}

export function namespaceOf(scene: Scene): (service: string) => string {
  const r = scene.rng.fork("namespaces");
  const one = r.pick(["production", "prod", "default", "live", "prod-eu1"]);
  const many = r.chance(0.3);
  const by = new Map(
    scene.system.services.map((s) => [
      s.name,
      many
        ? `${s.role === "entry" ? "edge" : s.role === "store" ? "data" : r.pick(["team-red", "team-blue", "platform"])}`
        : one,
    ]),
  );
  return (service) => by.get(service) ?? "monitoring";
}
