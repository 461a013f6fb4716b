/*
 * Turns what the simulation did into what a monitoring system records, for the independent incident generator: finite counts,
 * histogram buckets, look-back windows, lost scrapes, counter resets, rounding. A sample stamped t covers the step before t.
 */
import { phi, type Rng } from "./random.ts";
import type { Scene } from "./scene.ts";
import type { Path, Result, Split } from "./simulate.ts";
import type { CustomMetric, Profile } from "./types.ts";

export interface Series {
  service: string;
  metric: string;
  unit: string;
  labels?: Record<string, string>;
  worse?: "up" | "down" | "either";
  start: number;
  step: number;
  values: (number | null)[];
}

const buckets = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000];

function rounded(x: number, digits: number): number {
  return x === 0 ? 0 : Number(x.toPrecision(digits));
}

/** What `histogram_quantile` says of a log-normal with this median and 99th percentile. */
function fromBuckets(p50: number, p99: number, q: number): number {
  const sigma = Math.max(0.03, Math.log(p99 / p50) / 2.326);
  let lower = 0;
  let below = 0;
  for (const b of buckets) {
    const f = phi(Math.log(b / p50) / sigma);
    if (f >= q) return lower + ((b - lower) * (q - below)) / Math.max(1e-9, f - below);
    lower = b;
    below = f;
  }
  return 30000;
}

/** A quantile as `n` requests show it. */
function quantile(rng: Rng, n: number, p50: number, p99: number, q: number, histogram: boolean): number | null {
  if (n < 1) return null;
  const sigma = Math.max(0.03, Math.log(p99 / p50) / 2.326);
  if (n < 50) {
    const draws = Array.from({ length: n }, () => p50 * Math.exp(sigma * rng.normal())).sort((a, b) => a - b);
    return draws[Math.min(n - 1, Math.ceil(q * n) - 1)] as number;
  }
  const density = q === 0.5 ? 0.3989 : 0.02665;
  const sd = Math.min(0.8, (sigma * Math.sqrt((q * (1 - q)) / n)) / density);
  const shaken = Math.exp(sd * rng.normal());
  return histogram ? fromBuckets(p50 * shaken, p99 * shaken, q) : (q === 0.5 ? p50 : p99) * shaken;
}

/** A count with the variance that real traffic has. */
function count(rng: Rng, mean: number, dispersion: number): number {
  if (mean <= 0) return 0;
  const extra = dispersion - 1;
  return rng.poisson(extra < 0.05 ? mean : rng.gamma(mean / extra) * extra);
}

interface Cell {
  n: number;
  errors: number;
  p50: number;
  p99: number;
}

interface Frame {
  start: number;
  step: number;
  /** The ticks that sample i covers. */
  ticks: (i: number) => [number, number];
  n: number;
}

function cellsOf(
  rng: Rng,
  profile: Profile,
  rate: (k: number) => number,
  err: (k: number) => number,
  p50: (k: number) => number,
  p99: (k: number) => number,
  frame: Frame,
  dt: number,
): Cell[] {
  const cells: Cell[] = [];
  const burst = profile.dispersion > 1.5 ? 0.25 : 0.08;
  for (let i = 0; i < frame.n; i++) {
    const [a, b] = frame.ticks(i);
    let n = 0;
    let errors = 0;
    let l50 = 0;
    let l99 = 0;
    let w = 0;
    for (let k = a; k < b; k++) {
      const c = count(rng, rate(k) * dt, profile.dispersion);
      const e = err(k);
      n += c;
      errors += rng.binomial(c, Math.min(1, e < 0.2 ? e * Math.exp(burst * rng.normal()) : e));
      const weight = rate(k) + 1e-9;
      l50 += weight * p50(k);
      l99 += weight * p99(k);
      w += weight;
    }
    cells.push({ n, errors, p50: l50 / w, p99: l99 / w });
  }
  return cells;
}

function windowed(cells: Cell[], i: number, window: number): Cell {
  if (window === 1) return cells[i] as Cell;
  const part = cells.slice(Math.max(0, i - window + 1), i + 1);
  const sum = part.reduce((a, c) => a + c.n, 0);
  const mean = (f: (c: Cell) => number): number =>
    part.reduce((a, c) => a + f(c) * (c.n + 1e-6), 0) / (sum + part.length * 1e-6);
  return {
    n: sum / part.length,
    errors: part.reduce((a, c) => a + c.errors, 0) / part.length,
    p50: mean((c) => c.p50),
    p99: mean((c) => c.p99),
  };
}

function red(
  scene: Scene,
  rng: Rng,
  service: string,
  labels: Record<string, string> | undefined,
  cells: Cell[],
  frame: Frame,
  which: { rate: boolean; p50: boolean; p99: boolean },
): Series[] {
  const p = scene.profile;
  const window = frame.step === p.step ? p.window : 1;
  const make = (metric: string, unit: string, f: (c: Cell) => number | null): Series => ({
    service,
    metric,
    unit,
    ...(labels !== undefined ? { labels } : {}),
    start: frame.start,
    step: frame.step,
    values: cells.map((_, i) => {
      const v = f(windowed(cells, i, window));
      return v === null ? null : rounded(v, p.digits);
    }),
  });
  const out: Series[] = [];
  if (which.rate) out.push(make("request_rate", "req/s", (c) => c.n / frame.step));
  out.push(make("error_rate", "ratio", (c) => (c.n > 0 ? c.errors / c.n : p.emptyIsZero ? 0 : null)));
  const q = (of: 0.5 | 0.99) => (c: Cell) =>
    quantile(rng, Math.round(c.n * (window > 1 ? window : 1)), c.p50, c.p99, of, p.histogram);
  if (which.p50) out.push(make("p50_latency", "ms", q(0.5)));
  if (which.p99) out.push(make("p99_latency", "ms", q(0.99)));
  return out;
}

function gauge(
  scene: Scene,
  service: string,
  metric: string,
  unit: string,
  frame: Frame,
  f: (k: number, i: number) => number,
): Series {
  const values: number[] = [];
  for (let i = 0; i < frame.n; i++) {
    const [a, b] = frame.ticks(i);
    let sum = 0;
    for (let k = a; k < b; k++) sum += f(k, i);
    values.push(rounded(sum / (b - a), scene.profile.digits));
  }
  return { service, metric, unit, start: frame.start, step: frame.step, values };
}

function customSeries(scene: Scene, rng: Rng, c: CustomMetric, path: Path, frame: Frame): Series {
  const at = (a: Float64Array, k: number): number => a[k] as number;
  const noise = (sd: number): number => Math.exp(sd * rng.normal());
  const value = (k: number): number => {
    const harm = c.kind === "cache" || c.kind === "goal" || c.kind === "steal" ? at(path.custom[c.kind], k) : 1;
    if (c.kind === "queue") return Math.max(0, Math.round(at(path.queue, k) + c.base * noise(0.35)));
    if (c.kind === "cache") return Math.min(1, c.base * harm * (1 - 0.01 * Math.abs(rng.normal())));
    if (c.kind === "steal") return Math.max(0, c.base * harm * noise(0.3));
    if (c.kind === "connections")
      return Math.max(
        1,
        Math.round(
          c.base * noise(0.08) +
            at(path.load, k) * 1.3 * Math.min(20, at(path.own50, k) / scene.service(c.service).ownMs),
        ),
      );
    const good = 1 - at(path.err, k);
    const n = at(path.rate, k) * frame.step;
    const tries = rng.poisson(Math.max(0, n * c.base * harm * good));
    return c.metric === "conversion_rate"
      ? n < 1
        ? c.base
        : Math.min(1, tries / n)
      : c.metric.endsWith("_per_minute")
        ? (tries * 60) / frame.step
        : tries;
  };
  // A business figure is a count over its step, not an average of ticks.
  const s =
    c.kind === "goal"
      ? gauge(
          scene,
          c.service,
          c.metric,
          c.unit,
          {
            ...frame,
            ticks: (i) => {
              const [, b] = frame.ticks(i);
              return [b - 1, b];
            },
          },
          value,
        )
      : gauge(scene, c.service, c.metric, c.unit, frame, value);
  return { ...s, ...(c.worse !== undefined ? { worse: c.worse } : {}) };
}

function versionSeries(
  scene: Scene,
  rng: Rng,
  split: Split,
  fine: Result,
  frame: Frame,
  names: Map<string, string>,
): Series[] {
  const p = scene.profile;
  const dt = fine.grid.dt;
  const byTick = new Map(split.rows.map((r) => [r.k, r]));
  const first = split.rows[0]?.k as number;
  const last = split.rows[split.rows.length - 1]?.k as number;
  const lo = Math.floor(first / (frame.step / dt)) + 1;
  const hi = Math.min(frame.n, Math.floor((last + 1) / (frame.step / dt)));
  if (hi - lo < 1) return [];
  const out: Series[] = [];
  const versions = split.rows[0]?.versions as string[];
  for (let v = 0; v < versions.length; v++) {
    const row = (k: number): Split["rows"][number] =>
      byTick.get(Math.min(last, Math.max(first, k))) as Split["rows"][number];
    const sub: Frame = {
      start: frame.start + lo * frame.step,
      step: frame.step,
      n: hi - lo,
      ticks: (i) => frame.ticks(i + lo),
    };
    const pick = (f: "rate" | "err" | "p50" | "p99") => (k: number) => row(k)[f][v] as number;
    const labels = { version: names.get(`${split.service} ${versions[v]}`) as string };
    const cells = cellsOf(rng, p, pick("rate"), pick("err"), pick("p50"), pick("p99"), sub, dt);
    out.push(...red(scene, rng, split.service, labels, cells, sub, { rate: p.hasRate, p50: false, p99: p.hasP99 }));
    if (p.hasHealth && split.rows.some((r) => (r.unready[v] as number) > 0.3))
      out.push({
        ...gauge(
          scene,
          split.service,
          "health_check_failures",
          "count",
          sub,
          (k) => (row(k).unready[v] as number) * (frame.step / 10),
        ),
        labels,
      });
  }
  for (const s of out) if (s.metric === "health_check_failures") s.values = s.values.map((x) => Math.round(x ?? 0));
  return out;
}

/** Every series of a bundle. `names` maps "service change" to the version string that the change brought. */
export function observe(
  scene: Scene,
  rng: Rng,
  fine: Result,
  coarse: Result | null,
  names: Map<string, string>,
): Series[] {
  const p = scene.profile;
  const out: Series[] = [];
  const per = p.step / fine.grid.dt;
  const frame: Frame = {
    start: fine.grid.start + p.step,
    step: p.step,
    n: Math.floor(fine.grid.n / per),
    ticks: (i) => [i * per, (i + 1) * per],
  };
  for (const s of scene.system.services) {
    if (s.role === "outside") continue;
    const r = rng.fork(`observe/${s.name}`);
    const frames: [Frame, Result][] = [[frame, fine]];
    if (coarse !== null)
      frames.push([
        { start: coarse.grid.start + p.coarseStep, step: p.coarseStep, n: coarse.grid.n, ticks: (i) => [i, i + 1] },
        coarse,
      ]);
    for (const [f, result] of frames) {
      const path = result.paths.get(s.name) as Path;
      const at =
        (a: Float64Array) =>
        (k: number): number =>
          a[k] as number;
      const cells = cellsOf(r, p, at(path.rate), at(path.err), at(path.p50), at(path.p99), f, result.grid.dt);
      const isFine = f === frame;
      out.push(
        ...red(scene, r, s.name, undefined, cells, f, { rate: p.hasRate, p50: p.hasP50 && isFine, p99: p.hasP99 }),
      );
      if (p.hasCpu)
        out.push(
          gauge(scene, s.name, "cpu_usage", "ratio", f, (k) =>
            Math.min(1, (path.cpu[k] as number) * Math.exp(0.04 * r.normal())),
          ),
        );
      if (p.hasMemory && (isFine || r.chance(0.5))) {
        const phase = r.next();
        out.push(
          gauge(scene, s.name, "memory_usage", "ratio", f, (k, i) =>
            Math.min(1, (path.mem[k] as number) + 0.004 * r.normal() + 0.012 * ((i / 23 + phase) % 1)),
          ),
        );
      }
      if (p.hasHealth && isFine && s.role !== "store") {
        const checks = p.step / 10;
        const h = gauge(
          scene,
          s.name,
          "health_check_failures",
          "count",
          f,
          (k) => (path.unready[k] as number) * checks,
        );
        // Now and then a check times out for no reason that anybody finds.
        h.values = h.values.map((x) => Math.round(x ?? 0) + (r.chance(0.002) ? 1 : 0));
        out.push(h);
      }
    }
  }
  for (const c of scene.system.customs) {
    out.push(
      customSeries(scene, rng.fork(`custom/${c.service}/${c.metric}`), c, fine.paths.get(c.service) as Path, frame),
    );
    if (coarse !== null && rng.chance(0.5))
      out.push(
        customSeries(scene, rng.fork(`custom-old/${c.service}`), c, coarse.paths.get(c.service) as Path, {
          start: coarse.grid.start + p.coarseStep,
          step: p.coarseStep,
          n: coarse.grid.n,
          ticks: (i) => [i, i + 1],
        }),
      );
  }
  if (p.hasVersions)
    for (const split of fine.splits)
      if (scene.service(split.service).role !== "store")
        out.push(...versionSeries(scene, rng.fork(`split/${split.service}/${split.from}`), split, fine, frame, names));
  lose(scene, rng.fork("loss"), out);
  return out;
}

/** Scrapes that failed, pauses of the collector, and what a counter that starts again does to a rate. */
function lose(scene: Scene, rng: Rng, series: Series[]): void {
  const p = scene.profile;
  for (const s of series) {
    const at = (i: number): number => s.start + i * s.step;
    if (p.lossRate > 0) s.values = s.values.map((v) => (rng.chance(p.lossRate) ? null : v));
    for (const g of scene.gaps)
      if ((g.services === null || g.services.includes(s.service)) && s.step === p.step)
        s.values = s.values.map((v, i) => (at(i) > g.from && at(i) <= g.until ? null : v));
    for (const reset of scene.resets) {
      if (reset.service !== s.service || s.step !== p.step || s.labels !== undefined) continue;
      const i = Math.ceil((reset.at - s.start) / s.step);
      if (i < 0 || i >= s.values.length) continue;
      if (s.metric === "request_rate")
        s.values[i] = rng.chance(0.5) ? 0 : rounded((s.values[i] ?? 1) * rng.log(8, 300), p.digits);
      if (s.metric === "error_rate") s.values[i] = rng.chance(0.5) ? null : rounded(rng.range(0.3, 1), p.digits);
      if (s.metric === "cpu_usage") s.values[i] = 0;
    }
  }
}
