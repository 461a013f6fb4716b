// The causal simulation. Moment by moment, load flows down the call graph (with retries on what failed a moment ago),
// and slowness and failure flow up: every service's own work depends on how busy its pods are and on which version,
// flag or setting serves the request; waiting for a called service, timing out on it, or queueing for a connection to
// it is added on top. Nothing here knows what the incident is; it only knows effects and where they live.
import { Drift, type Rng } from "./rng.ts";
import type { Call, Change, Cohort, Effect, Mod, Moment, Service, World } from "./types.ts";

export type Run = {
  t0: number;
  dt: number;
  n: number;
  at: Record<string, Moment[]>;
  external: Record<string, { err: number; p50: number; p99: number }[]>;
};

const Z99 = 2.326;
/** No request of these systems is worked on for longer, in milliseconds. */
const DEADLINE = 10_000;

export function season(world: World, t: number): number {
  const h = (t / 3600) % 24;
  const day = new Date(t * 1000).getUTCDay();
  const s = world.season;
  const daily =
    1 +
    s.amplitude * Math.cos(((h - s.peakHour) / 24) * 2 * Math.PI) +
    s.second * Math.cos(((h - s.peakHour) / 12) * 2 * Math.PI);
  return Math.max(0.08, daily) * (day === 0 || day === 6 ? s.weekend : 1);
}

type Eff = { e: Effect; share: number; gain: number; mod: Mod };
type PodState = { pods: Float64Array; last: number };

export function simulate(
  rng: Rng,
  world: World,
  changes: Change[],
  mods: Mod[],
  t0: number,
  dt: number,
  n: number,
): Run {
  const at: Record<string, Moment[]> = {};
  const external: Run["external"] = {};
  for (const s of world.services) at[s.name] = [];
  for (const x of world.externals) external[x.name] = [];
  const byName = new Map(world.services.map((s) => [s.name, s]));
  const callsFrom = new Map(world.order.map((o) => [o, world.calls.filter((c) => c.from === o)]));
  const deploys = new Map(
    world.order.map((o) => [
      o,
      changes.filter((c) => c.kind === "deploy" && c.service === o).sort((a, b) => a.started - b.started),
    ]),
  );
  const modsOn = new Map<string, Mod[]>();
  for (const m of mods) modsOn.set(m.on, [...(modsOn.get(m.on) ?? []), m]);
  const entryNoise = world.entries.map((e) => ({
    slow: new Drift(rng.fork(`slow${e.service}`), 0.035, 900),
    quick: new Drift(rng.fork(`quick${e.service}`), 0.02, 45),
  }));
  const common = new Drift(rng.fork("common"), 0.03, 1500);
  const memNoise = new Map(world.order.map((o) => [o, new Drift(rng.fork(`mem${o}`), 0.012, 1200)]));
  const work = new Map(world.order.map((o) => [o, new Drift(rng.fork(`work${o}`), 0.035, 300)]));
  const leaks = new Map<Mod, PodState>();
  let failed: Record<string, number> = {};
  let entryErr = 0;

  for (let k = 0; k < n; k++) {
    const t = t0 + k * dt - dt / 2; // a sample stamped t covers the step that ends at t
    const load: Record<string, number> = {};
    const shared = common.step(dt);
    world.entries.forEach((e, i) => {
      const noise = entryNoise[i] as { slow: Drift; quick: Drift };
      let r = e.rate * season(world, t) * Math.exp(shared + noise.slow.step(dt) + noise.quick.step(dt));
      for (const m of modsOn.get(e.service) ?? [])
        if (m.effect.trafficMul) r *= 1 + (m.effect.trafficMul - 1) * m.share(t) * m.gain(t);
      load[e.service] = r * (1 + world.userReaction * entryErr);
    });
    const plan = new Map<string, { cohorts: { version: string; share: number; effects: Eff[] }[]; all: Eff[] }>();
    for (const name of world.order) {
      const s = byName.get(name) as Service;
      const p = cohortsOf(s, deploys.get(name) ?? [], modsOn.get(name) ?? [], t);
      plan.set(name, p);
      for (const c of callsFrom.get(name) ?? []) {
        let mul = 0;
        for (const co of p.cohorts) mul += co.share * fanOf(c, co.effects) * tries(c, co.effects, failed[c.to] ?? 0);
        load[c.to] = (load[c.to] ?? 0) + (load[name] ?? 0) * mul;
      }
    }
    const now: Record<string, { err: number; p50: number; p99: number }> = {};
    for (const x of world.externals) {
      let err = x.err;
      let p50 = x.base50;
      let sigma = x.sigma;
      for (const m of modsOn.get(x.name) ?? []) {
        const g = m.share(t) * m.gain(t);
        err = 1 - (1 - err) * (1 - (m.effect.err ?? 0) * g);
        p50 *= 1 + ((m.effect.latMul ?? 1) - 1) * g;
        if (g > 0 && m.effect.latMul) sigma = Math.max(sigma, 0.7);
      }
      now[x.name] = { err, p50, p99: p50 * Math.exp(Z99 * sigma) };
      (external[x.name] as { err: number; p50: number; p99: number }[]).push(
        now[x.name] as { err: number; p50: number; p99: number },
      );
    }
    const nextFailed: Record<string, number> = {};
    for (let i = world.order.length - 1; i >= 0; i--) {
      const name = world.order[i] as string;
      const s = byName.get(name) as Service;
      const p = plan.get(name) as { cohorts: { version: string; share: number; effects: Eff[] }[]; all: Eff[] };
      const rate = load[name] ?? 0;
      const drift = (work.get(name) as Drift).step(dt);
      const m = moment(s, rate, p, callsFrom.get(name) ?? [], now, leaks, t, dt, drift);
      m.mem = Math.min(1, m.mem + (memNoise.get(name) as Drift).step(dt));
      (at[name] as Moment[]).push(m);
      now[name] = { err: m.err, p50: m.p50, p99: m.p99 };
    }
    for (const c of world.calls) {
      const d = now[c.to] as { err: number; p50: number; p99: number };
      nextFailed[c.to] = Math.max(nextFailed[c.to] ?? 0, 1 - (1 - d.err) * (1 - late(d, c.timeout)));
    }
    failed = nextFailed;
    entryErr = world.entries.reduce(
      (a, e) => a + ((now[e.service] as { err: number }).err * e.rate) / world.entries.reduce((x, y) => x + y.rate, 0),
      0,
    );
  }
  return { t0, dt, n, at, external };
}

function cohortsOf(s: Service, deploys: Change[], mods: Mod[], t: number) {
  let cohorts: { version: string; share: number; id: string | null }[] = [{ version: s.version, share: 1, id: null }];
  for (const d of deploys) {
    if (t < d.started) break;
    const f = d.rollout ? d.rollout(t) : 1;
    if (f >= 1) cohorts = [{ version: d.to, share: 1, id: d.id }];
    else if (f > 0)
      cohorts = [
        ...cohorts.map((c) => ({ ...c, share: c.share * (1 - f) })).filter((c) => c.share > 0.001),
        { version: d.to, share: f, id: d.id },
      ];
  }
  const active: Eff[] = [];
  for (const m of mods) {
    const share = m.share(t);
    const gain = share > 0 ? m.gain(t) : 0;
    if (share > 0 && gain > 0) active.push({ e: m.effect, share, gain, mod: m });
  }
  return {
    cohorts: cohorts.map((c) => ({
      version: c.version,
      share: c.share,
      effects: active.filter(
        (a) =>
          !a.mod.deploy || a.mod.deploy === c.id || (a.mod.deploy.startsWith("not ") && a.mod.deploy !== `not ${c.id}`),
      ),
    })),
    all: active,
  };
}

function fanOf(c: Call, effects: Eff[]): number {
  let fan = c.fan;
  let hit = c.cacheHit;
  for (const x of effects) {
    const mul = x.e.fan?.[c.to];
    if (mul !== undefined) fan *= 1 + (mul - 1) * x.share * x.gain;
    if (x.e.cacheHit !== undefined && hit !== undefined) hit += (x.e.cacheHit - hit) * x.share * x.gain;
  }
  return hit === undefined || c.cacheHit === undefined ? fan : (fan * (1 - hit)) / (1 - c.cacheHit);
}

function tries(c: Call, effects: Eff[], fail: number): number {
  const more = (n: number) => {
    let sum = 0;
    for (let i = 1, f = fail; i <= n; i++, f *= fail) sum += f;
    return sum;
  };
  // Ordinary retries back off and have a budget; a setting that a change brings has neither.
  let extra = 0.35 * more(c.retries);
  for (const x of effects) {
    const n = x.e.retries?.[c.to];
    if (n !== undefined) extra += (more(n) - extra) * x.share * x.gain;
  }
  return 1 + extra;
}

/** Share of answers later than the timeout, from median and p99. */
function late(d: { p50: number; p99: number }, timeout: number): number {
  const sigma = Math.max(0.05, Math.log(d.p99 / d.p50) / Z99);
  return 1 - phi(Math.log(timeout / d.p50) / sigma);
}

export function phi(z: number): number {
  const k = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    0.3989423 *
    Math.exp((-z * z) / 2) *
    k *
    (0.3193815 + k * (-0.3565638 + k * (1.781478 + k * (-1.821256 + k * 1.330274))));
  return z > 0 ? 1 - tail : tail;
}

/** A quantile of a mixture of log-normals, by bisection. */
function quantile(parts: { w: number; m: number; s: number }[], q: number): number {
  const one = parts[0] as { w: number; m: number; s: number };
  if (parts.length === 1) return one.m * Math.exp((q === 0.5 ? 0 : Z99) * one.s);
  let lo = Math.log(Math.min(...parts.map((p) => p.m))) - 3;
  let hi = Math.log(Math.max(...parts.map((p) => p.m))) + 4;
  for (let i = 0; i < 26; i++) {
    const mid = (lo + hi) / 2;
    let f = 0;
    for (const p of parts) f += p.w * phi((mid - Math.log(p.m)) / p.s);
    if (f < q) lo = mid;
    else hi = mid;
  }
  return Math.exp((lo + hi) / 2);
}

function tailQuantile(d: { p50: number; p99: number }, called: number): number {
  if (called <= 0.012) return 0;
  const level = 1 - 0.01 / Math.min(1, called);
  const z = level >= 0.99 ? Z99 : 4.91 * (level ** 0.14 - (1 - level) ** 0.14); // Joiner and Rosenblatt's approximation
  return d.p50 * Math.exp(z * (Math.log(d.p99 / d.p50) / Z99));
}

function moment(
  s: Service,
  rate: number,
  p: { cohorts: { version: string; share: number; effects: Eff[] }[]; all: Eff[] },
  calls: Call[],
  now: Record<string, { err: number; p50: number; p99: number }>,
  leaks: Map<Mod, PodState>,
  t: number,
  dt: number,
  drift: number,
): Moment {
  const out: Moment = {
    rate,
    err: 0,
    p50: 0,
    p99: 0,
    cpu: 0,
    mem: 0,
    unready: 0,
    restarts: 0,
    pool: 0,
    hit: Number.NaN,
    blame: {},
    cohorts: [],
    badRoute: null,
    routeErr: 0,
  };
  const blame = (k: string, x: number) => {
    if (x > 0) out.blame[k] = (out.blame[k] ?? 0) + x;
  };
  let tail50 = 0;
  let tail99 = 0;
  for (const c of p.cohorts) {
    let own = s.baseErr * Math.exp(drift * 2);
    let cpuMul = 1;
    let capMul = 1;
    let mem = s.mem;
    let fast = 0;
    let parts = [{ w: 1, m: s.base50 * Math.exp(drift), s: s.sigma }];
    for (const x of c.effects) {
      const e = x.e;
      const err = (e.err ?? 0) * x.share * x.gain;
      if (err > 0) own = 1 - (1 - own) * (1 - err);
      if (e.fast) fast = Math.max(fast, err);
      if (e.route && err > 0) {
        out.badRoute = e.route;
        out.routeErr += err * c.share;
      }
      if (e.cpuMul) cpuMul *= 1 + (e.cpuMul - 1) * x.share * x.gain;
      if (e.capMul) capMul *= 1 + (e.capMul - 1) * x.share * x.gain;
      if (e.memAdd) mem += e.memAdd * x.share * x.gain;
      if (e.unready) out.unready += e.unready * x.share * x.gain * (x.mod.deploy ? Math.max(c.share, 0.15) : 1);
      let mul = 1 + ((e.latMul ?? 1) - 1) * x.gain;
      const add = (e.latAdd ?? 0) * x.gain;
      if (e.leak) {
        const l = leakState(x, leaks, s, t, dt);
        mem += l.mem;
        mul *= l.slow;
        cpuMul *= 1 + (l.slow - 1) * 0.3;
        own = 1 - (1 - own) * (1 - l.err);
        out.restarts += l.restarts;
        out.unready += l.restarts;
      }
      if (mul !== 1 || add > 0) {
        const w = Math.min(1, x.share * (e.slowShare ?? 1));
        const slow = parts.map((q) => ({ w: q.w * w, m: q.m * mul + add, s: add > q.m ? Math.min(q.s, 0.5) : q.s }));
        parts = w >= 0.999 ? slow : [...parts.map((q) => ({ ...q, w: q.w * (1 - w) })), ...slow];
      }
    }
    const rho = (rate * cpuMul) / (s.capacity * capMul);
    const u = Math.min(rho, 0.94);
    const g = 1 + (0.6 * u ** 3) / (1 - u);
    if (rho > 0.97) own = 1 - (1 - own) * (0.97 / rho);
    const wait = rho > 0.97 ? Math.min(1500, 80 * (rho - 0.97) * Math.sqrt(s.base50)) : 0;
    for (const q of parts) {
      q.m = q.m * g + wait;
      q.s *= 1 + 0.12 * (g - 1) ** 0.5;
    }
    let p50 = quantile(parts, 0.5) * (1 - 0.35 * fast);
    let spread = (quantile(parts, 0.99) - p50) ** 2;
    let ok = 1 - own;
    blame("own", own * c.share);
    for (const call of calls) {
      const d = now[call.to] as { err: number; p50: number; p99: number };
      const fan = fanOf(call, c.effects);
      let timeout = call.timeout;
      let poolMul = 1;
      let retries = call.retries;
      for (const x of c.effects) {
        const to = x.e.timeout?.[call.to];
        if (to !== undefined) timeout = timeout * (to / timeout) ** (x.share * x.gain);
        if (x.e.poolMul && call.pool) poolMul *= 1 + (x.e.poolMul - 1) * x.share * x.gain;
        const r = x.e.retries?.[call.to];
        if (r !== undefined) retries = r;
      }
      let wait50 = 0;
      let dry = 0;
      if (call.pool) {
        const use = (rate * fan * Math.min(d.p50 * 1.6, timeout)) / 1000 / (call.pool * Math.max(poolMul, 0.01));
        out.pool = Math.max(out.pool, Math.min(1, use));
        if (use > 0.8) wait50 = Math.min(1200, d.p50 * (use - 0.8) * 9);
        if (use > 1) dry = Math.min(0.95, 0.6 * (1 - 1 / use));
        if (call.cacheHit !== undefined) out.hit = 1 - (fan / call.fan) * (1 - call.cacheHit);
      }
      const called = Math.min(1, fan);
      const f = 1 - (1 - d.err) * (1 - late(d, timeout)) * (1 - dry);
      const eff = f * (0.75 + 0.25 * f ** retries) * call.weight;
      const fails = fan >= 1 ? 1 - (1 - eff) ** fan : fan * eff;
      blame(call.to, ok * fails * c.share);
      ok *= 1 - fails;
      const d50 = Math.min(d.p50, timeout);
      p50 += (fan * d50 + called * wait50) * Math.max(0, Math.min(1, (fan - 0.25) / 0.5));
      const dq =
        Math.min(tailQuantile({ p50: d.p50 + wait50, p99: d.p99 + wait50 * 3 }, called), timeout) *
        Math.max(1, Math.sqrt(fan));
      spread += Math.max(0, dq - d50) ** 2;
    }
    let p99 = p50 + Math.sqrt(spread);
    if (p99 > DEADLINE) {
      // Whoever asked has gone away by then.
      const gone = late({ p50, p99 }, DEADLINE);
      blame("own", ok * gone * c.share);
      ok *= 1 - gone;
      p50 = Math.min(p50, DEADLINE);
      p99 = DEADLINE;
    }
    out.cohorts.push({ version: c.version, share: c.share, err: 1 - ok, p50, p99 } satisfies Cohort);
    out.err += (1 - ok) * c.share;
    out.cpu += Math.min(1, 0.03 + 0.93 * rho) * c.share;
    out.mem += Math.min(0.995, mem) * c.share;
    tail50 += p50 * c.share;
    tail99 += p99 * c.share;
  }
  if (p.cohorts.length === 1) {
    out.p50 = tail50;
    out.p99 = tail99;
  } else {
    const parts = out.cohorts.map((c) => ({ w: c.share, m: c.p50, s: Math.max(0.05, Math.log(c.p99 / c.p50) / Z99) }));
    out.p50 = quantile(parts, 0.5);
    out.p99 = quantile(parts, 0.99);
  }
  return out;
}

/** Each pod fills at its own time, slows down in its last fifth, is killed when full and starts again. */
function leakState(x: Eff, leaks: Map<Mod, PodState>, s: Service, t: number, dt: number) {
  let st = leaks.get(x.mod);
  if (!st) {
    st = { pods: Float64Array.from({ length: s.pods }, (_, i) => (i / s.pods) * 0.12), last: t };
    leaks.set(x.mod, st);
  }
  let restarts = 0;
  let mem = 0;
  let slow = 0;
  for (let i = 0; i < st.pods.length; i++) {
    let m = (st.pods[i] as number) + ((x.e.leak as number) * dt) / 60;
    if (s.mem + m > 0.985) {
      m = 0;
      restarts++;
    }
    st.pods[i] = m;
    mem += m / s.pods;
    const full = Math.max(0, s.mem + m - 0.78) / 0.2;
    slow += (1 + 3.5 * full ** 2) / s.pods;
  }
  st.last = t;
  const down = restarts > 0 ? Math.min(0.6, (restarts / s.pods) * Math.min(1, 40 / dt)) : 0;
  return { mem, slow, restarts, err: down * 0.7 };
}
