// Measuring the simulated world the way a metrics system would: requests are counted, failures are counted among them,
// quantiles are estimated from as many requests as there were (or read off histogram buckets), samples get lost. The
// truth of a moment and what a dashboard shows of it differ most where traffic is low.
import { gzipSync } from "node:zlib";
import { Drift, type Rng } from "./rng.ts";
import type { Scenario } from "./scenario.ts";
import { phi, type Run } from "./simulate.ts";
import type { Moment, Service } from "./types.ts";

export type Series = {
  service: string;
  metric: string;
  unit: string;
  labels?: Record<string, string>;
  worse?: string;
  start: number;
  step: number;
  values: (number | null)[];
};

const BOUNDS = [2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000];

export function round(x: number | null, digits = 4): number | null {
  return x === null || !Number.isFinite(x) ? null : Number(x.toPrecision(digits));
}

function estimate(
  rng: Rng,
  p50: number,
  p99: number,
  n: number,
  q: 0.5 | 0.99,
  buckets: boolean,
  wobble: number,
): number | null {
  if (n <= 0) return null;
  const sigma = Math.max(0.05, Math.log(p99 / p50) / 2.326);
  let v: number;
  if (n < 40) {
    const xs = Array.from({ length: n }, () => p50 * Math.exp(rng.normal(0, sigma))).sort((a, b) => a - b);
    v = xs[Math.min(n - 1, Math.floor(q * n))] as number;
  } else {
    const spread = q === 0.5 ? 1.57 : 13.9;
    const sd = Math.min(0.5, Math.sqrt(0.0006 + (spread * sigma * sigma) / n));
    v = (q === 0.5 ? p50 : p99) * Math.exp(rng.normal(0, sd) + wobble);
    if (q === 0.99 && rng.chance(0.006)) v *= rng.uniform(1.25, 2.2);
  }
  if (!buckets) return v;
  // Read the quantile off a histogram, as histogram_quantile does: linear within a bucket.
  const median = q === 0.5 ? v : v / Math.exp(2.326 * sigma);
  let lo = 0;
  let below = 0;
  for (const b of BOUNDS) {
    const f = phi(Math.log(b / median) / sigma);
    if (f >= q) return lo + ((b - lo) * (q - below)) / Math.max(1e-9, f - below);
    lo = b;
    below = f;
  }
  return lo;
}

type Counted = { n: number[]; bad: number[]; p50: (number | null)[]; p99: (number | null)[] };

function count(
  rng: Rng,
  ms: Moment[],
  dt: number,
  pick: (m: Moment) => { rate: number; err: number; p50: number; p99: number } | null,
  base: number,
  buckets: boolean,
): Counted {
  const out: Counted = { n: [], bad: [], p50: [], p99: [] };
  const slow = new Drift(rng, 0.035, 150);
  const mood = new Drift(rng, 0.22, 120);
  let bump = 0;
  let left = 0;
  for (const x of ms) {
    const w = slow.step(dt);
    const e = mood.step(dt);
    if (left > 0) left -= dt;
    else bump = 0;
    if (rng.chance((0.12 * dt) / 3600)) {
      bump = rng.uniform(0.5, 3) * base;
      left = rng.uniform(5, 45);
    }
    const m = pick(x);
    if (!m) {
      out.n.push(0);
      out.bad.push(0);
      out.p50.push(null);
      out.p99.push(null);
      continue;
    }
    const n = rng.poisson(m.rate * dt * Math.exp(rng.normal(0, 0.012)));
    const noisy = m.err < 0.05 ? m.err * Math.exp(e) : m.err * (1 + 0.1 * e);
    out.n.push(n);
    out.bad.push(rng.binomial(n, Math.min(1, noisy + bump)));
    out.p50.push(estimate(rng, m.p50, m.p99, n, 0.5, buckets, w));
    out.p99.push(estimate(rng, m.p50, m.p99, n, 0.99, buckets, w * 1.3));
  }
  return out;
}

export function measure(sc: Scenario, rng: Rng, run: Run, coarse: boolean): Series[] {
  const out: Series[] = [];
  const sh = sc.shape;
  const win = coarse || sh.window === 0 ? 1 : Math.round(sh.window / run.dt);
  for (const s of sc.world.services) {
    const r = rng.fork(`${s.name}${coarse}`);
    const ms = run.at[s.name] as Moment[];
    const hidden = hiddenAt(sc, r, run, s.name, coarse);
    const add = (
      metric: string,
      unit: string,
      values: (number | null)[],
      o: { labels?: Record<string, string>; worse?: string; from?: number } = {},
    ) => {
      const from = o.from ?? 0;
      out.push({
        service: s.name,
        metric,
        unit,
        ...(o.labels ? { labels: o.labels } : {}),
        ...(o.worse ? { worse: o.worse } : {}),
        start: run.t0 + from * run.dt,
        step: run.dt,
        values: values.map((v, i) => (hidden[i + from] ? null : v)),
      });
    };
    const emit = (c: Counted, o: { labels?: Record<string, string>; from?: number; to?: number; latency: boolean }) => {
      const from = o.from ?? 0;
      const to = o.to ?? run.n;
      const rate: (number | null)[] = [];
      const err: (number | null)[] = [];
      for (let k = from; k < to; k++) {
        let n = 0;
        let b = 0;
        const first = Math.max(from, k - win + 1);
        for (let j = first; j <= k; j++) {
          n += c.n[j] as number;
          b += c.bad[j] as number;
        }
        rate.push(round(n / (run.dt * (k - first + 1))));
        err.push(n === 0 ? null : round(b / n));
      }
      for (const x of sc.resets) {
        const k = Math.floor((x.at - run.t0) / run.dt) - from;
        if (x.service !== s.name || o.labels || k < 0 || k + 1 >= rate.length) continue;
        rate[k] = 0;
        err[k] = null;
      }
      const at = { ...(o.labels ? { labels: o.labels } : {}), from };
      add("request_rate", "req/s", rate, at);
      add("error_rate", "ratio", err, at);
      if (!o.latency) return;
      if (sh.p50 && !coarse)
        add(
          "p50_latency",
          "ms",
          c.p50.slice(from, to).map((v) => round(v)),
          at,
        );
      add(
        "p99_latency",
        "ms",
        c.p99.slice(from, to).map((v) => round(v)),
        at,
      );
    };
    emit(
      count(r.fork("all"), ms, run.dt, (m) => m, s.baseErr, sh.buckets),
      { latency: true },
    );
    if (coarse) continue;
    if (sh.split !== "none")
      for (const v of versions(sc, run, s))
        emit(
          count(r.fork(v.version), ms, run.dt, (m) => part(m, v.version), s.baseErr, sh.buckets),
          { labels: { version: v.version }, from: v.from, to: v.to, latency: true },
        );
    if (sh.routes && s.routes.length > 0)
      for (const q of s.routes) {
        const bad = (m: Moment) =>
          m.badRoute === null
            ? m.err
            : m.badRoute === q.route
              ? Math.min(1, m.err - m.routeErr + m.routeErr / q.share)
              : Math.max(0, m.err - m.routeErr);
        emit(
          count(
            r.fork(q.route),
            ms,
            run.dt,
            (m) => ({ rate: m.rate * q.share, err: bad(m), p50: m.p50, p99: m.p99 }),
            s.baseErr,
            sh.buckets,
          ),
          { labels: { route: q.route }, latency: false },
        );
      }
    if (sh.resources) {
      const noise = new Drift(r.fork("cpu"), 0.04, 60);
      add(
        "cpu_usage",
        "ratio",
        ms.map((m) => round(Math.max(0.005, Math.min(1, m.cpu * Math.exp(noise.step(run.dt)))), 3)),
      );
      const fast = r.fork("memory");
      add(
        "memory_usage",
        "ratio",
        ms.map((m) => round(Math.max(0.02, Math.min(1, m.mem + fast.normal(0, 0.004))), 4)),
      );
    }
    if (sh.health) {
      const h = r.fork("health");
      add(
        "health_check_failures",
        "count",
        ms.map((m) =>
          m.unready > 0.05
            ? Math.max(1, Math.round((m.unready * Math.max(run.dt, 10)) / 10))
            : h.chance((0.03 * run.dt) / 60)
              ? 1
              : 0,
        ),
      );
      for (const z of sc.zone)
        if (z.service === s.name)
          add(
            "health_check_failures",
            "count",
            ms.map((_, k) => {
              const t = run.t0 + k * run.dt;
              return t >= z.from && t < z.to ? Math.ceil(run.dt / 10) : z.born && t < z.from ? null : 0;
            }),
            { labels: { pod: z.label } },
          );
    }
    if (sh.custom) custom(sc, s, r.fork("custom"), run, ms, add);
  }
  return out;
}

function custom(
  sc: Scenario,
  s: Service,
  r: Rng,
  run: Run,
  ms: Moment[],
  add: (m: string, u: string, v: (number | null)[], o?: { worse?: string; labels?: Record<string, string> }) => void,
): void {
  const pool = sc.world.calls.find((c) => c.from === s.name && c.pool);
  if (pool)
    add(
      "db_pool_in_use",
      "ratio",
      ms.map((m) => round(Math.max(0, Math.min(1, m.pool * Math.exp(r.normal(0, 0.06)))), 3)),
      { worse: "up" },
    );
  if (pool?.cacheHit)
    add(
      "cache_hit_ratio",
      "ratio",
      ms.map((m) =>
        round(
          Math.max(0, Math.min(1, (Number.isNaN(m.hit) ? (pool.cacheHit as number) : m.hit) + r.normal(0, 0.006))),
          4,
        ),
      ),
      { worse: "down" },
    );
  if (sc.world.entries.some((e) => e.service === s.name)) {
    const conv = r.uniform(0.02, 0.2);
    add(
      r.pick(["orders_per_minute", "sessions_completed", "goal_completions"]),
      "1/min",
      ms.map((m) => r.poisson(m.rate * 60 * conv * (1 - m.err) * (run.dt / 60)) / (run.dt / 60)).map((v) => round(v)),
      { worse: "down" },
    );
  } else if (r.chance(0.3)) {
    const d = new Drift(r, 0.15, 400);
    add(
      r.pick(["thread_pool_active", "open_file_handles", "goroutines"]),
      "count",
      ms.map((m) => Math.round((20 + m.rate * 0.8) * Math.exp(d.step(run.dt)))),
    );
  }
  const reset = sc.resets.find((x) => x.service === s.name);
  if (reset) {
    let total = r.int(40_000, 9_000_000);
    add(
      "events_processed_total",
      "count",
      ms.map((m, k) => {
        if (Math.floor((reset.at - run.t0) / run.dt) === k) total = 0;
        total += r.poisson(m.rate * run.dt);
        return total;
      }),
      { worse: "either" },
    );
  }
}

function part(m: Moment, version: string): { rate: number; err: number; p50: number; p99: number } | null {
  const c = m.cohorts.find((x) => x.version === version);
  return c ? { rate: m.rate * c.share, err: c.err, p50: c.p50, p99: c.p99 } : null;
}

/** Which versions get a series of their own, and from when to when. */
function versions(sc: Scenario, run: Run, s: Service): { version: string; from: number; to: number }[] {
  const ms = run.at[s.name] as Moment[];
  const span = new Map<string, { from: number; to: number }>();
  const always = sc.shape.split === "always";
  const out: { version: string; from: number; to: number }[] = [];
  const close = () => {
    for (const [version, x] of span) out.push({ version, ...x });
    span.clear();
  };
  for (let k = 0; k < ms.length; k++) {
    const cohorts = (ms[k] as Moment).cohorts;
    if (!always && cohorts.length < 2) {
      close();
      continue;
    }
    for (const c of cohorts) {
      const x = span.get(c.version);
      if (x) x.to = k + 1;
      else span.set(c.version, { from: k, to: k + 1 });
    }
  }
  close();
  return out;
}

function hiddenAt(sc: Scenario, rng: Rng, run: Run, service: string, coarse: boolean): boolean[] {
  const out = new Array<boolean>(run.n).fill(false);
  const r = rng.fork("lost");
  if (!coarse && sc.shape.lost > 0) {
    for (let k = 0; k < run.n; k++) if (r.chance(sc.shape.lost)) out[k] = true;
    if (r.chance(0.15)) {
      const k = r.int(0, run.n - 6);
      for (let j = k; j < k + r.int(2, 4); j++) out[j] = true;
    }
  }
  for (const g of sc.gaps) {
    if (g.service !== undefined && g.service !== service) continue;
    for (let k = 0; k < run.n; k++) {
      const t = run.t0 + k * run.dt;
      if (t >= g.from && t < g.to) out[k] = true;
    }
  }
  return out;
}

export function jsonl(rows: readonly unknown[]): string {
  return rows.map((x) => `${JSON.stringify(x)}\n`).join("");
}

export function packed(text: string): Buffer {
  return gzipSync(text, { level: 6 });
}
