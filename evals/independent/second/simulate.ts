// Long because it was written by somebody else, and stays as it was written but for the formatter.
/*
 * A small queueing simulation for the independent incident generator. Each tick, requests go down the call graph (with retries of
 * what failed), each service's pods serve them at the speed that CPU and workers allow, queues build where that does not suffice,
 * and latency and errors come back up. Roll-outs split a service into two versions; effects change what pods do.
 */
import { season } from "./installation.ts";
import { phi, type Rng, wander } from "./random.ts";
import type { Effect, Grid, Rollout, Service, System } from "./types.ts";

export interface Path {
  rate: Float64Array;
  err: Float64Array;
  ownErr: Float64Array;
  p50: Float64Array;
  p99: Float64Array;
  own50: Float64Array;
  cpu: Float64Array;
  mem: Float64Array;
  /** Pods that fail their readiness check. */
  unready: Float64Array;
  queue: Float64Array;
  /** Factors on figures of the installation's own. */
  custom: Record<"cache" | "goal" | "steal", Float64Array>;
  load: Float64Array;
  /** Failure of each outgoing call, retries included, by edge. */
  calls: Float64Array[];
}

/** A stretch during which two versions of a service answer. */
export interface Split {
  service: string;
  from: number;
  rows: {
    k: number;
    versions: string[];
    rate: number[];
    err: number[];
    p50: number[];
    p99: number[];
    unready: number[];
  }[];
}

export interface Result {
  grid: Grid;
  paths: Map<string, Path>;
  splits: Split[];
}

export interface Noise {
  demand: Map<string, Float64Array>;
  latency: Map<string, Float64Array>;
  error: Map<string, Float64Array>;
}

export function drawNoise(rng: Rng, system: System, grid: Grid): Noise {
  const rough = rng.range(0.015, 0.05);
  const slow = rng.range(0.01, 0.05);
  const mix = (name: string, fastTau: number, slowTau: number, a: number, b: number): Float64Array => {
    const fast = wander(rng.fork(`${name}/fast`), grid.n, grid.dt, fastTau);
    const drift = wander(rng.fork(`${name}/slow`), grid.n, grid.dt, slowTau);
    return fast.map((x, i) => Math.exp(a * x + b * (drift[i] as number)));
  };
  const noise: Noise = { demand: new Map(), latency: new Map(), error: new Map() };
  for (const s of system.services) {
    if (s.entryRate > 0) noise.demand.set(s.name, mix(`demand/${s.name}`, 50, 1500, rough, slow));
    const wobble = rng.fork(`wobble/${s.name}`).log(0.01, 0.06);
    noise.latency.set(s.name, mix(`latency/${s.name}`, 60, 900, wobble, wobble));
    noise.error.set(s.name, mix(`error/${s.name}`, 60, 1200, 0.25, 0.2));
  }
  return noise;
}

export function strength(e: Effect, t: number): number {
  if (e.shape !== undefined) return e.shape(t);
  if (t < e.from || (e.until !== undefined && t >= e.until)) return 0;
  let w = e.ramp !== undefined && e.ramp > 0 ? Math.min(1, (t - e.from + 1) / e.ramp) : 1;
  if (e.decay !== undefined) w *= Math.exp(-(t - e.from) / e.decay);
  return w;
}

export function shareAt(r: Rollout, t: number): number {
  let share = 0;
  for (const s of r.stages) if (t >= s.at) share = s.share;
  return share;
}

interface Variant {
  version: string;
  share: number;
  weighted: boolean;
}

function variantsAt(rollouts: Rollout[], t: number): Variant[] {
  let current = "base";
  for (const r of rollouts) {
    const share = shareAt(r, t);
    const incoming = r.restores ?? r.change;
    if (share >= 1) current = incoming;
    else if (share > 0)
      return [
        { version: current, share: 1 - share, weighted: r.weighted },
        { version: incoming, share, weighted: r.weighted },
      ];
  }
  return [{ version: current, share: 1, weighted: false }];
}

class Mods {
  ok = 1;
  latMul = 1;
  latAddMs = 0;
  sigmaAdd = 0;
  cpuMul = 1;
  memAdd = 0;
  down = 0;
  surge = 0;
  lost = 0;
  podsMul = 1;
  workersMul = 1;
  loadMul = 1;
  extraRate = 0;
  custom: Record<string, number> = {};
  callMul: Record<string, number> = {};
  retries: Record<string, number> = {};
  timeoutMs: Record<string, number> = {};
  badCalls: Record<string, number> = {};
  leak: { rate: number; since: number; key: string } | null = null;
}

function crashDown(e: Effect, t: number, pods: number): number {
  const life = e.crashAfter as number;
  let down = 0;
  for (let p = 0; p < pods; p++) {
    let clock = t - e.from - (p * life) / pods;
    for (let n = 0; clock >= 0; n++) {
      clock -= life;
      if (clock < 0) break;
      const pause = Math.min(300, 10 * 2 ** n) + 8;
      if (clock < pause) {
        down++;
        break;
      }
      clock -= pause;
    }
  }
  return down / pods;
}

function combine(effects: Effect[], version: string, t: number, pods: number): Mods {
  const m = new Mods();
  for (const e of effects) {
    if (e.version !== undefined && e.version !== version) continue;
    const w = strength(e, t);
    if (w <= 0) continue;
    const mul = (x: number | undefined): number => (x === undefined ? 1 : Math.exp(w * Math.log(Math.max(1e-6, x))));
    m.ok *= 1 - w * (e.err ?? 0);
    m.latMul *= mul(e.latMul);
    m.latAddMs += w * (e.latAddMs ?? 0);
    m.sigmaAdd += w * (e.sigmaAdd ?? 0);
    m.cpuMul *= mul(e.cpuMul);
    m.memAdd += w * (e.memAdd ?? 0);
    m.podsMul *= mul(e.podsMul);
    m.workersMul *= mul(e.workersMul);
    m.loadMul *= mul(e.loadMul);
    m.extraRate += w * (e.extraRate ?? 0);
    m.down = Math.max(m.down, w * (e.unready ?? 0), e.crashAfter !== undefined ? crashDown(e, t, pods) : 0);
    m.surge += w * (e.surge ?? 0);
    m.lost = Math.max(m.lost, w * (e.lost ?? 0));
    if (e.leakPerHour !== undefined) m.leak = { rate: e.leakPerHour, since: e.from, key: e.version ?? "all" };
    for (const [k, v] of Object.entries(e.callMul ?? {})) m.callMul[k] = (m.callMul[k] ?? 1) * mul(v);
    for (const [k, v] of Object.entries(e.custom ?? {})) m.custom[k] = (m.custom[k] ?? 1) * mul(v);
    for (const [k, v] of Object.entries(e.badCalls ?? {})) m.badCalls[k] = (m.badCalls[k] ?? 0) + w * v;
    if (w > 0.5) {
      Object.assign(m.retries, e.retries);
      Object.assign(m.timeoutMs, e.timeoutMs);
    }
  }
  return m;
}

/** The quantile `q` of a mixture of log-normal distributions given by median and 99th percentile. */
export function mixture(parts: { share: number; p50: number; p99: number }[], q: number): number {
  const first = parts[0] as { share: number; p50: number; p99: number };
  if (parts.length === 1) return q === 0.5 ? first.p50 : first.p99;
  const spread = parts.map((p) => Math.max(0.02, Math.log(p.p99 / p.p50) / 2.326));
  let lo = Math.log(Math.min(...parts.map((p) => p.p50)) / 4);
  let hi = Math.log(Math.max(...parts.map((p) => p.p99)) * 4);
  const total = parts.reduce((sum, p) => sum + p.share, 0);
  for (let i = 0; i < 22; i++) {
    const mid = (lo + hi) / 2;
    let below = 0;
    for (let j = 0; j < parts.length; j++)
      below += ((parts[j]?.share ?? 0) / total) * phi((mid - Math.log(parts[j]?.p50 ?? 1)) / (spread[j] ?? 1));
    if (below < q) lo = mid;
    else hi = mid;
  }
  return Math.exp((lo + hi) / 2);
}

interface State {
  service: Service;
  effects: Effect[];
  rollouts: Rollout[];
  path: Path;
  failing: number[];
  retrying: number[];
  shed: number;
  hold: number;
  backlog: Map<string, number>;
  leakStart: Map<string, number[]>;
  split: Split | null;
  inbound: number;
  inboundBad: number;
  variants: { v: Variant; m: Mods; rate: number }[];
}

export function simulate(
  system: System,
  allEffects: Effect[],
  allRollouts: Rollout[],
  grid: Grid,
  noise: Noise,
  without?: Set<string>,
): Result {
  const effects = allEffects.filter((e) => e.change === undefined || without === undefined || !without.has(e.change));
  const zeros = (): Float64Array => new Float64Array(grid.n);
  const splits: Split[] = [];
  const states: State[] = system.order.map((service) => ({
    service,
    effects: effects.filter((e) => e.service === service.name),
    rollouts: allRollouts
      .filter((r) => r.service === service.name)
      .sort((a, b) => (a.stages[0]?.at ?? 0) - (b.stages[0]?.at ?? 0)),
    path: {
      rate: zeros(),
      err: zeros(),
      ownErr: zeros(),
      p50: zeros(),
      p99: zeros(),
      own50: zeros(),
      cpu: zeros(),
      mem: zeros(),
      unready: zeros(),
      queue: zeros(),
      custom: { cache: zeros().fill(1), goal: zeros().fill(1), steal: zeros().fill(1) },
      load: zeros(),
      calls: service.edges.map(zeros),
    },
    failing: service.edges.map(() => 0),
    retrying: service.edges.map(() => 0),
    shed: 0,
    hold: service.ownMs,
    backlog: new Map(),
    leakStart: new Map(),
    split: null,
    inbound: 0,
    inboundBad: 0,
    variants: [],
  }));
  const byName = new Map(states.map((s) => [s.service.name, s]));

  for (let k = 0; k < grid.n; k++) {
    const t = grid.start + k * grid.dt;
    for (const st of states) {
      st.inbound = 0;
      st.inboundBad = 0;
    }
    for (const st of states) arrive(st, system, byName, noise, k, t);
    for (let i = states.length - 1; i >= 0; i--) answer(states[i] as State, byName, noise, grid, k, t, splits);
  }
  return { grid, paths: new Map(states.map((s) => [s.service.name, s.path])), splits };
}

function arrive(st: State, system: System, byName: Map<string, State>, noise: Noise, k: number, t: number): void {
  const s = st.service;
  const variants = variantsAt(st.rollouts, t);
  st.variants = variants.map((v) => ({
    v,
    m: combine(st.effects, v.version, t, Math.max(1, Math.round(s.pods * v.share))),
    rate: 0,
  }));
  let weight = 0;
  for (const x of st.variants) {
    // Without a mesh, traffic goes to the pods that are ready, whichever version they run.
    x.rate = x.v.weighted ? x.v.share : x.v.share * Math.max(0.0001, 1 - x.m.down);
    weight += x.rate;
  }
  const shared = st.variants[0]?.m as Mods;
  const demand = s.entryRate > 0 ? s.entryRate * season(system, t) * (noise.demand.get(s.name)?.[k] as number) : 0;
  const rate = (demand + st.inbound) * shared.loadMul + shared.extraRate;
  st.path.rate[k] = rate;
  for (const x of st.variants) x.rate = (rate * x.rate) / weight;
  for (let j = 0; j < s.edges.length; j++) {
    const e = s.edges[j] as (typeof s.edges)[number];
    const to = byName.get(e.to) as State;
    for (const x of st.variants) {
      const retries = x.m.retries[e.to] ?? e.retries;
      const f = st.retrying[j] as number;
      let tries = 1;
      for (let r = 1, p = f; r <= retries; r++, p *= f) tries += p;
      const calls = x.rate * (1 - st.shed) * e.calls * (x.m.callMul[e.to] ?? 1) * tries;
      to.inbound += calls;
      to.inboundBad += calls * (x.m.badCalls[e.to] ?? 0);
    }
  }
}

function leakOf(st: State, m: Mods, t: number, version: string): { mem: number; restarting: number } {
  const leak = m.leak;
  if (leak === null) return { mem: 0, restarting: 0 };
  const s = st.service;
  const starts = st.leakStart.get(version) ?? Array.from({ length: s.pods }, () => leak.since);
  st.leakStart.set(version, starts);
  let worst = 0;
  let sum = 0;
  let restarting = 0;
  for (let p = 0; p < s.pods; p++) {
    const speed = leak.rate * (0.85 + (0.3 * ((p * 7) % s.pods)) / s.pods);
    let used = (speed * Math.max(0, t - (starts[p] as number))) / 3600;
    if (s.memBase + used >= 1) {
      starts[p] = t + 45;
      used = 0;
    }
    if (t < (starts[p] as number) && (starts[p] as number) > leak.since) restarting++;
    worst = Math.max(worst, used);
    sum += used;
  }
  return { mem: 0.5 * worst + (0.5 * sum) / s.pods, restarting: restarting / s.pods };
}

function answer(
  st: State,
  byName: Map<string, State>,
  noise: Noise,
  grid: Grid,
  k: number,
  t: number,
  splits: Split[],
): void {
  const s = st.service;
  const p = st.path;
  const rows: {
    share: number;
    p50: number;
    p99: number;
    own50: number;
    err: number;
    ownErr: number;
    rate: number;
    version: string;
    unready: number;
  }[] = [];
  let cpu = 0;
  let mem = 0;
  let shedAll = 0;
  let queue = 0;
  const failing = s.edges.map(() => 0);
  const retrying = s.edges.map(() => 0);
  const total = p.rate[k] as number;
  const noiseLat = noise.latency.get(s.name)?.[k] as number;
  const noiseErr = noise.error.get(s.name)?.[k] as number;

  for (const { v, m, rate } of st.variants) {
    const leak = leakOf(st, m, t, v.version);
    const down = Math.max(m.down, leak.restarting);
    const pods = Math.max(0.05, s.pods * v.share * (1 - down) * (1 - m.lost) * m.podsMul);
    const used = s.memBase + m.memAdd + leak.mem;
    const gc = used > 0.86 ? 1 + 3 * ((used - 0.86) / 0.14) ** 2 : 1;
    const cpuMs = s.cpuMs * m.cpuMul * gc;
    const own = s.ownMs * m.latMul * (m.cpuMul > 1 ? 1 + (m.cpuMul - 1) * 0.6 : 1) * gc * noiseLat + m.latAddMs;
    const byCpu = (pods * s.cores * 1000) / cpuMs;
    const byWorkers = (pods * s.workers * m.workersMul * 1000) / st.hold;
    const cap = Math.min(byCpu, byWorkers);
    const busy = rate / cap;
    const servers = Math.max(1, byCpu <= byWorkers ? pods * s.cores : pods * s.workers * m.workersMul);
    let backlog = st.backlog.get(v.version) ?? 0;
    backlog = Math.max(0, backlog + (rate - cap) * Math.min(grid.dt, 60));
    const limit = s.role === "worker" ? Number.POSITIVE_INFINITY : cap * 6;
    const over = Math.max(0, backlog - limit);
    backlog = Math.min(backlog, limit);
    st.backlog.set(v.version, backlog);
    const shed = rate > 0 ? Math.min(1, over / (rate * Math.min(grid.dt, 60))) : 0;
    const near = Math.min(busy, 0.97);
    const wait =
      (own * near ** Math.sqrt(2 * (servers + 1))) / (servers * (1 - near)) +
      (s.role === "worker" ? 0 : (backlog / cap) * 1000);
    queue += backlog;

    let p50 = own + wait;
    const own99 = own * Math.exp(2.326 * (s.sigma + m.sigmaAdd)) + wait * 2.2;
    let tail = (own99 - p50) ** 2;
    let ok = 1;
    s.edges.forEach((e, j) => {
      if (e.async) return;
      const to = byName.get(e.to) as State;
      const calls = e.calls * (m.callMul[e.to] ?? 1);
      if (calls < 0.005) return;
      const timeout = m.timeoutMs[e.to] ?? e.timeoutMs;
      const retries = m.retries[e.to] ?? e.retries;
      const c50 = to.path.p50[k] as number;
      const c99 = to.path.p99[k] as number;
      const spread = Math.max(0.05, Math.log(Math.max(1.02, c99 / c50)) / 2.326);
      const late = 1 - phi(Math.log(timeout / c50) / spread);
      const bad = m.badCalls[e.to] ?? 0;
      const others = Math.max(0, ((to.path.err[k] as number) - (to.inbound > 0 ? to.inboundBad / to.inbound : 0)) / 1);
      const one = 1 - (1 - others) * (1 - (late > 0.0004 ? late : 0)) * (1 - bad);
      const f = one ** (retries + 1);
      failing[j] = (failing[j] as number) + f * v.share;
      retrying[j] = (retrying[j] as number) + one * v.share;
      ok *= 1 - e.hard * Math.min(1, calls) * f;
      const tries = 1 + one * Math.min(retries, 2);
      p50 += Math.min(c50, timeout) * tries * (calls >= 0.5 ? Math.min(calls, 3) : 0.25 * calls);
      tail +=
        ((Math.min(c99, timeout) * tries - Math.min(c50, timeout)) * Math.min(1, Math.max(0.15, calls)) ** 0.5) ** 2 *
        Math.max(1, calls ** 0.5);
    });
    // A pod that has just died is still in the load balancer for a moment.
    const dying = m.down > 0 && m.down < 1 ? 0.12 * m.down : 0;
    const fromBad = st.inbound > 0 ? st.inboundBad / Math.max(total, 1e-9) : 0;
    const ownErr =
      1 -
      (1 - Math.min(0.5, s.baseErr * noiseErr)) *
        m.ok *
        (1 - shed) *
        (1 - dying) *
        (1 - Math.min(1, fromBad)) *
        (m.down >= 1 && st.variants.length === 1 ? 0.02 : 1) *
        (1 - 0.4 * leak.restarting);
    const err = 1 - (1 - ownErr) * ok;
    const p99 = Math.min(30000, Math.max(p50 * 1.15, p50 + Math.sqrt(tail)));
    p50 = Math.min(p50, 30000);
    rows.push({
      share: v.share,
      p50,
      p99,
      own50: own + wait,
      err,
      ownErr,
      rate,
      version: v.version,
      unready: Math.max(down, m.lost * 0.5) * s.pods * v.share + m.surge,
    });
    cpu += v.share * Math.min(1, (rate * (1 - shed) * cpuMs) / (pods * s.cores * 1000)) * (1 - down * 0.8);
    mem += v.share * used;
    shedAll += v.share * shed;
    for (const [kind, factor] of Object.entries(m.custom) as ["cache", number][])
      p.custom[kind][k] = (p.custom[kind][k] as number) * Math.exp(v.share * Math.log(factor));
  }

  const served = rows.map((r) => ({ share: Math.max(1e-9, r.rate), p50: r.p50, p99: r.p99 }));
  const sum = rows.reduce((a, r) => a + Math.max(1e-9, r.rate), 0);
  const mean = (f: (r: (typeof rows)[number]) => number): number =>
    rows.reduce((a, r) => a + f(r) * Math.max(1e-9, r.rate), 0) / sum;
  p.p50[k] = mixture(served, 0.5);
  p.p99[k] = Math.max(mixture(served, 0.99), (p.p50[k] as number) * 1.02);
  p.own50[k] = mean((r) => r.own50);
  p.err[k] = mean((r) => r.err);
  p.ownErr[k] = mean((r) => r.ownErr);
  p.cpu[k] = Math.min(1, 0.03 + cpu);
  p.mem[k] = Math.min(0.995, mem);
  p.unready[k] = rows.reduce((a, r) => a + r.unready, 0);
  p.queue[k] = queue;
  p.load[k] = (total * s.ownMs) / 1000;
  s.edges.forEach((_, j) => {
    (p.calls[j] as Float64Array)[k] = failing[j] as number;
  });
  st.failing = failing;
  st.retrying = retrying;
  st.shed = shedAll;
  st.hold = 0.5 * st.hold + 0.5 * mean((r) => r.p50);

  if (rows.length === 2) {
    if (st.split === null) {
      st.split = { service: s.name, from: t, rows: [] };
      splits.push(st.split);
    }
    st.split.rows.push({
      k,
      versions: rows.map((r) => r.version),
      rate: rows.map((r) => r.rate),
      err: rows.map((r) => r.err),
      p50: rows.map((r) => r.p50),
      p99: rows.map((r) => r.p99),
      unready: rows.map((r) => r.unready),
    });
  } else st.split = null;
}
