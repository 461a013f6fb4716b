// Logs, traces and alerts of a simulated span. Each follows from the simulated moments: who failed, because of whom and
// how long it took; only the wording of a fault's own errors comes from the scenario. All are sampled, as in life.

import { EVERYDAY, OLD_ERRORS, started, upstream } from "./phrases.ts";
import type { Rng } from "./rng.ts";
import type { Scenario } from "./scenario.ts";
import type { Run } from "./simulate.ts";
import type { Moment, Service } from "./types.ts";

export type LogLine = { at: string; service: string; level: string; message: string; version?: string };
export type Span = {
  trace_id: string;
  span_id: string;
  parent_id?: string;
  service: string;
  name: string;
  start: number;
  duration: number;
  error: boolean;
  version?: string;
};
export type Alert = {
  fingerprint: string;
  status: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  endsAt?: string;
};

export function iso(t: number): string {
  return new Date(Math.round(t * 1000)).toISOString();
}

function versionOf(r: Rng, m: Moment): string {
  let x = r.next();
  for (const c of m.cohorts) {
    x -= c.share;
    if (x <= 0) return c.version;
  }
  return (m.cohorts[m.cohorts.length - 1] as { version: string }).version;
}

export function logLines(sc: Scenario, rng: Rng, run: Run): LogLine[] {
  const rows: { t: number; row: LogLine }[] = [];
  const tagged = rng.chance(0.6);
  const put = (t: number, service: string, level: string, message: string, version?: string) => {
    if (t < sc.end)
      rows.push({ t, row: { at: iso(t), service, level, message, ...(tagged && version ? { version } : {}) } });
  };
  const chatter = rng.uniform(0.15, 0.45);
  const from = Math.max(run.t0, sc.start - 7200);
  for (const s of sc.world.services) {
    const r = rng.fork(s.name);
    const old = r.pick(OLD_ERRORS[s.lang]);
    const sampling = r.uniform(0.05, 0.25) / Math.max(1e-6, sc.rateOf(s.name, sc.start) * s.baseErr * 60);
    const ms = run.at[s.name] as Moment[];
    for (let t = from; t < sc.end; t += 60) {
      const k = Math.min(run.n - 1, Math.floor((t + 30 - run.t0) / run.dt));
      const m = ms[k] as Moment;
      const lines = (perMinute: number, level: string, text: (r: Rng) => string, version?: string) => {
        for (let i = r.poisson(perMinute); i > 0; i--)
          put(t + r.uniform(0, 60), s.name, level, text(r), version ?? versionOf(r, m));
      };
      const [level, text] = r.pick(EVERYDAY[s.lang]);
      lines(Math.min(chatter, m.rate), level, text);
      const perMinute = (err: number) => Math.min(5, m.rate * err * 60 * sampling, m.rate * err * 60);
      lines(perMinute(s.baseErr), "error", old);
      if (m.cpu > 0.93)
        lines(Math.min(3, m.rate * 60), "warn", (q) => `request rejected: ${q.int(64, 512)} already in flight`);
      for (const [to, err] of Object.entries(m.blame)) {
        if (to === "own" || err < 0.004) continue;
        const d = (run.at[to] as Moment[] | undefined)?.[k];
        const seen = d?.err ?? (run.external[to]?.[k]?.err as number);
        lines(
          perMinute(err),
          "error",
          upstream(s.lang, to, seen < err * 0.6 ? "timeout" : r.chance(0.12) ? "refused" : "status"),
        );
      }
    }
  }
  for (const c of sc.changes) {
    if (c.kind !== "deploy" || c.started < from || c.started > sc.end) continue;
    const s = sc.service(c.service);
    for (let i = 0; i < Math.min(3, s.pods); i++)
      put(
        c.started + rng.uniform(10, Math.max(20, c.finished - c.started)),
        s.name,
        "info",
        started(s.lang, c.to)(rng),
        c.to,
      );
  }
  for (const src of sc.logs) {
    const r = rng.fork(`src${sc.logs.indexOf(src)}`);
    for (let t = from; t < sc.end; t += 20) {
      for (let i = r.poisson(src.perMinute(t + 10) / 3); i > 0; i--) {
        const x = t + r.uniform(0, 20);
        if (src.perMinute(x) > 0) put(x, src.service, src.level, src.text(r), src.version?.(x));
      }
    }
  }
  return rows.sort((a, b) => a.t - b.t).map((x) => x.row);
}

export function spans(sc: Scenario, rng: Rng, run: Run): Span[] {
  const out: Span[] = [];
  const from = Math.max(run.t0, sc.start - 1200);
  const gap = rng.uniform(12, 40);
  const tagged = rng.chance(0.5);
  const entries = sc.world.entries.map((e) => [e.service, e.rate] as const);
  for (let t = from + rng.uniform(0, gap); t < sc.end - 5; t += rng.exponential(gap)) {
    const k = Math.min(run.n - 1, Math.max(0, Math.floor((t - run.t0) / run.dt)));
    const trace = rng.hex(32);
    walk(rng.weighted(entries), undefined, Math.round(t * 1e6), 0);

    function walk(
      name: string,
      parent: string | undefined,
      start: number,
      depth: number,
    ): { end: number; failed: boolean } {
      const s = sc.service(name);
      const m = (run.at[name] as Moment[])[k] as Moment;
      const id = rng.hex(16);
      const span: Span = {
        trace_id: trace,
        span_id: id,
        ...(parent ? { parent_id: parent } : {}),
        service: name,
        name: label(s, rng),
        start,
        duration: 0,
        error: false,
        ...(tagged && s.tier !== "store" ? { version: versionOf(rng, m) } : {}),
      };
      out.push(span);
      let at = start + Math.round(s.base50 * 400 * Math.exp(rng.normal(0, 0.3)));
      let failed = rng.chance(m.blame.own ?? 0);
      let waited = 0;
      if (!failed)
        for (const c of sc.world.calls) {
          if (c.from !== name || depth > 5 || out.length > 9000) continue;
          if (c.fan < 1 && !rng.chance(c.fan)) continue;
          for (let i = 0; i < Math.min(3, Math.max(1, Math.round(c.fan))); i++) {
            if (run.at[c.to]) {
              const r = walk(c.to, id, at, depth + 1);
              waited += r.end - at;
              at = r.end + rng.int(20, 300);
              if (r.failed && rng.chance(c.weight)) failed = true;
            } else {
              const x = run.external[c.to]?.[k] as { err: number; p50: number; p99: number };
              const took = Math.min(c.timeout, x.p50 * Math.exp(rng.normal(0, Math.log(x.p99 / x.p50) / 2.326)));
              const bad = took >= c.timeout || rng.chance(x.err);
              out.push({
                trace_id: trace,
                span_id: rng.hex(16),
                parent_id: id,
                service: name,
                name: `POST https://${c.to}/`,
                start: at,
                duration: Math.round(took * 1000),
                error: bad,
              });
              at += Math.round(took * 1000);
              waited += took * 1000;
              if (bad && rng.chance(c.weight)) failed = true;
            }
          }
        }
      const whole = m.p50 * Math.exp(rng.normal(0, Math.log(m.p99 / m.p50) / 2.326)) * 1000;
      const end = Math.max(
        at,
        start + Math.round(failed && waited === 0 ? whole * 0.4 : Math.max(whole * 0.6, s.base50 * 800)),
      );
      span.duration = end - start;
      span.error = failed;
      return { end, failed };
    }
  }
  return out.sort((a, b) => a.start - b.start);
}

function label(s: Service, r: Rng): string {
  if (s.tier === "store") return r.pick(["SELECT", "SELECT", "UPDATE", "GET"]);
  if (s.routes.length > 0) return (s.routes[Math.floor(r.next() * s.routes.length)] as { route: string }).route;
  return `${s.name}/${r.pick(["Get", "List", "Apply"])}`;
}

export function alerts(sc: Scenario, rng: Rng, run: Run): Alert[] {
  const out: { t: number; a: Alert }[] = [];
  const fire = (t: number, end: number | undefined, labels: Record<string, string>, text: string) => {
    const done = end !== undefined && end < sc.end;
    out.push({
      t,
      a: {
        fingerprint: rng.hex(16),
        status: done ? "resolved" : "firing",
        labels,
        annotations: { summary: text },
        startsAt: iso(t),
        ...(done ? { endsAt: iso(end) } : {}),
      },
    });
  };
  const hold = rng.pick([60, 120, 300]);
  for (const s of sc.world.services) {
    const ms = run.at[s.name] as Moment[];
    const usual = ms
      .slice(0, Math.max(5, Math.floor((sc.start - run.t0) / run.dt)))
      .map((m) => m.p99)
      .sort((a, b) => a - b);
    const normal = usual[Math.floor(usual.length / 2)] as number;
    const rules: [string, (m: Moment) => boolean, string][] = [
      ["HighErrorRate", (m) => m.err > 0.05, `${s.name} fails more than 5% of requests`],
      ["LatencyP99High", (m) => m.p99 > Math.max(normal * 2.2, 80), `${s.name} p99 is far above normal`],
      ["PodNotReady", (m) => m.unready > 0.4, `pods of ${s.name} are not ready`],
    ];
    for (const [name, test, text] of rules) {
      let since: number | null = null;
      let fired = false;
      for (let k = 0; k <= ms.length; k++) {
        const t = run.t0 + k * run.dt;
        const on = k < ms.length && test(ms[k] as Moment);
        if (on && since === null) since = t;
        if (on && since !== null && !fired && t - since >= hold) fired = true;
        if (!on && since !== null) {
          if (fired && t > sc.start - 1800)
            fire(
              since + hold,
              k < ms.length ? t : undefined,
              {
                alertname: name,
                service: s.name,
                severity: s.criticality === "critical" ? "page" : "warning",
                namespace: s.namespace,
              },
              text,
            );
          since = null;
          fired = false;
        }
      }
    }
  }
  if (rng.chance(0.5))
    fire(
      sc.start - rng.uniform(4000, 80000),
      undefined,
      { alertname: "CertificateExpiresSoon", severity: "info" },
      "certificate of an internal ingress expires in 19 days",
    );
  if (rng.chance(0.4)) {
    const t = rng.uniform(sc.start, sc.end - 900);
    fire(
      t,
      t + 600,
      { alertname: "NodeDiskPressure", severity: "warning", node: `ip-10-2-${rng.int(1, 250)}-${rng.int(1, 250)}` },
      "node disk above 85%",
    );
  }
  for (const p of sc.plannedAlerts) fire(p.at, p.end, p.labels, p.text);
  return out.sort((a, b) => a.t - b.t).map((x) => x.a);
}
