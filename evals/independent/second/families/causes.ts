// Long because it was written by somebody else, and stays as it was written but for the formatter.
/*
 * Families of the independent incident generator in which something other than one plain deploy is guilty, or the guilty deploy
 * hurts elsewhere than in itself: flags, configuration, migrations, coordinated sets, shared stores, saturation, queues.
 */
import { Skip } from "../random.ts";
import { type Handle, minute, type Scene } from "../scene.ts";
import type { Effect } from "../types.ts";
import { breakWith } from "./deploys.ts";
import { bug, decoys, type Family, slowness } from "./family.ts";

function configFault(s: Scene, svc: string, t: number): { effect: Partial<Effect>; log: string; why: string } {
  const callees = s.service(svc).edges.filter((e) => !e.async && e.hard > 0.5 && e.calls > 0.2);
  const kinds = s.rng.shuffle(["timeout", "pool", "debug", "endpoint", "replicas"]);
  for (const kind of kinds) {
    if (kind === "timeout" && callees.length > 0) {
      const e = s.rng.pick(callees);
      return {
        effect: { timeoutMs: { [e.to]: s.tooShort(e.to, t, s.rng.range(0.08, 0.5)) }, retries: { [e.to]: 0 } },
        log: `call to ${e.to} cancelled: deadline of ~ms exceeded`,
        why: "a timeout was set below what the callee needs",
      };
    }
    if (kind === "pool" && s.service(svc).role !== "entry")
      return {
        effect: { latAddMs: s.rng.log(120, 1500), err: s.errorShare(svc, t, 0.02, 0.2) },
        log: "Timeout: pool error: no connection within ~ms, size #",
        why: "a connection pool was made too small",
      };
    if (kind === "debug")
      return {
        effect: { cpuMul: s.rng.range(2.5, 5), latMul: s.rng.range(1.5, 2.5) },
        log: "DEBUG dump of request @ (# bytes)",
        why: "verbose logging eats the CPU",
      };
    if (kind === "replicas" && s.rateOf(svc, t) > 5) {
      const x = s.service(svc);
      const busy = (s.rateOf(svc, t) * x.cpuMs) / 1000 / (x.pods * x.cores);
      return {
        effect: { podsMul: Math.max(0.04, busy * s.rng.range(0.75, 1)) },
        log: "queue full, rejecting request @ (limits: cpu #m)",
        why: "too few replicas, or too little CPU for each, for the traffic there is",
      };
    }
    if (kind === "endpoint")
      return {
        effect: { err: s.errorShare(svc, t, 0.08, 0.9) },
        log: "getaddrinfo ENOTFOUND vault-b.internal",
        why: "an address in the configuration is wrong",
      };
  }
  throw new Skip("no way to misconfigure");
}

/** Harm to another service that grows as the version (or the switch) of `d` takes over. */
function afar(s: Scene, d: Handle, service: string, e: Partial<Effect>): void {
  s.hurt(d, { service, ramp: Math.max(15, Math.min(d.done, d.live + 600) - d.live), ...e });
}

function coordinated(s: Scene, links: number): ReturnType<Family["play"]> {
  const t = s.moment(22 * minute, 16 * minute);
  const low = s.rng.pick(s.own().filter((x) => x.role !== "worker" && s.callers(x.name).length > 0));
  const provider = s.deploy(low.name, t - s.rng.range(9, 14) * minute, {
    shape: "rolling",
    duration: s.rng.range(30, 90),
    provides: s.rng.pick([{ api: "v2" }, { schema: "7" }, { proto: "2026-03" }]),
  });
  const set = [provider];
  let below = low.name;
  let at = provider.done;
  for (let i = 0; i < links; i++) {
    const next = s.callers(below).find((x) => !set.some((h) => h.service === x.name));
    if (next === undefined) throw new Skip("chain too short");
    const needs = set[set.length - 1] as Handle;
    const d = s.deploy(next.name, at + s.rng.range(20, 70), {
      shape: "rolling",
      duration: s.rng.range(25, 70),
      requires: { [below]: needs.key },
    });
    set.push(d);
    below = next.name;
    at = d.done;
  }
  const onset = at + s.rng.range(20, 150);
  if (onset > s.w1 - 18 * minute) throw new Skip("too late");
  for (const h of set) s.lock(h.service, t - 40 * minute);
  s.hurt(provider, {
    from: onset,
    ramp: s.rng.range(5, 120),
    ...(s.rng.chance(0.7) ? { err: s.errorShare(low.name, t, 0.05, 0.6) } : { latMul: s.rng.log(3, 9) }),
  });
  s.sign(low.name, bug(s.rng), onset, { version: provider.key });
  s.background(s.rng.int(0, 2));
  return s.guilty(provider, {
    targets: set,
    onset,
    why: `the provider is broken, and ${links === 1 ? "its caller" : "a chain of callers"} cannot run with the version before`,
  });
}

export const causeFamilies: Family[] = [
  {
    name: "flag",
    weight: 5,
    faulty: true,
    needs: {},
    play(s) {
      const t = s.moment(14 * minute);
      const svc = s.any();
      if (s.rng.chance(0.45)) s.innocent(t - s.rng.range(10, 35) * minute, svc.name, "deploy");
      const f = s.flag(svc.name, t);
      s.lock(svc.name, t - 40 * minute);
      breakWith(s, f, t, { lo: 0.03 });
      s.background(s.rng.int(0, 3));
      return s.guilty(f, { action: "feature_flag_disable", why: "what the flag switched on is broken" });
    },
  },
  {
    name: "flag-hurts-callee",
    weight: 1.5,
    faulty: true,
    needs: { tight: true, minServices: 4, profile: { hasRate: true } },
    play(s) {
      const t = s.moment(16 * minute);
      const callee = s.rng.pick(s.own().filter((x) => s.callers(x.name).length > 0 && x.role !== "worker"));
      const svc = s.rng.pick(s.callers(callee.name));
      const f = s.flag(svc.name, t);
      s.lock(svc.name, t - 20 * minute);
      for (const x of [callee, ...s.callers(callee.name)]) s.lock(x.name, t - 20 * minute);
      s.hurt(f, { callMul: { [callee.name]: s.rng.range(4, 14) } });
      s.sign(callee.name, "shedding load: # requests in flight", f.live + 60, { level: "warn" });
      s.background(1);
      return s.guilty(f, {
        action: "feature_flag_disable",
        why: "the flag makes its owner call another service many times a request",
      });
    },
  },
  {
    name: "config",
    weight: 4,
    faulty: true,
    needs: {},
    play(s) {
      const t = s.moment(15 * minute);
      const svc = s.any();
      const fault = configFault(s, svc.name, t);
      if (s.rng.chance(0.3)) s.innocent(t - s.rng.range(12, 40) * minute, svc.name, "deploy");
      const c = s.config(svc.name, t);
      s.lock(svc.name, t - 40 * minute);
      s.hurt(c, fault.effect);
      s.sign(svc.name, fault.log, c.live + 10);
      s.background();
      return s.guilty(c, { why: fault.why });
    },
  },
  {
    name: "retry-storm",
    weight: 1.6,
    faulty: true,
    needs: { tight: true, minServices: 4, profile: { hasRate: true }, accept: (p) => p.traffic !== "trickle" },
    play(s) {
      const t = s.moment(18 * minute);
      const callee = s.rng.pick(s.own().filter((x) => s.callers(x.name).length > 0 && x.role !== "worker"));
      const svc = s.rng.pick(s.callers(callee.name));
      const c = s.config(svc.name, t);
      s.lock(svc.name, t - 30 * minute);
      for (const x of [callee, ...s.callers(callee.name)]) s.lock(x.name, t - 30 * minute);
      s.hurt(c, {
        timeoutMs: { [callee.name]: s.tooShort(callee.name, t, s.rng.range(0.15, 0.4)) },
        retries: { [callee.name]: s.rng.int(3, 6) },
      });
      s.sign(svc.name, `retrying call to ${callee.name}, attempt #`, c.live + 20, { level: "warn" });
      s.sign(callee.name, "queue full, rejecting request @", c.live + 90);
      s.background(s.rng.int(0, 1));
      return s.guilty(c, { why: "a short timeout with many retries multiplies the calls until the callee is full" });
    },
  },
  {
    name: "migration",
    weight: 2.5,
    faulty: true,
    needs: { store: true },
    play(s) {
      const t = s.moment(17 * minute);
      const store = s.rng.pick(s.system.services.filter((x) => x.role === "store"));
      const owners = s.system.services.filter(
        (x) => x.role !== "worker" && x.edges.some((e) => e.to === store.name && e.calls > 0.3),
      );
      const svc = s.rng.pick(owners);
      const reversible = s.rng.chance(0.25);
      const m = s.migration(svc.name, t, { reversible, length: s.rng.log(3, 90) });
      s.lock(svc.name, t - 30 * minute);
      const lost = s.rng.chance(0.5);
      if (lost) {
        for (const x of owners) s.lock(x.name, t - 30 * minute);
        afar(s, m, store.name, { latMul: s.rng.log(10, 60) });
        s.hurt(m, { latAddMs: s.rng.log(100, 900), err: s.errorShare(svc.name, t, 0.01, 0.1) });
      } else s.hurt(m, { err: s.errorShare(svc.name, t, 0.08, 0.8) });
      s.sign(
        svc.name,
        lost
          ? "statement timeout: sequential scan of # rows took ~ms"
          : 'ERROR: column "legacy_state" does not exist at character #',
        m.live + 5,
      );
      s.background(s.rng.int(0, 2));
      return s.guilty(m, {
        action: "hotfix_recommendation",
        acceptable: reversible ? ["hotfix_recommendation", "rollback"] : ["hotfix_recommendation"],
        why: lost
          ? "the schema change cost an index that every query needs"
          : "the schema change took away what running code still reads",
      });
    },
  },
  {
    name: "irreversible-deploy",
    weight: 1.4,
    faulty: true,
    needs: {},
    play(s) {
      const t = s.moment(16 * minute);
      const svc = s.any();
      const d = s.deploy(svc.name, t, { reversible: false });
      s.lock(svc.name, t - 20 * minute);
      breakWith(s, d, t, { lo: 0.04 });
      s.background();
      return s.guilty(d, {
        action: "hotfix_recommendation",
        why: "the new version is broken, and it cannot be taken back",
      });
    },
  },
  { name: "coordinated-pair", weight: 3.2, faulty: true, needs: { minServices: 4 }, play: (s) => coordinated(s, 1) },
  { name: "coordinated-chain", weight: 1.2, faulty: true, needs: { minServices: 7 }, play: (s) => coordinated(s, 2) },
  {
    name: "requires-but-alone",
    weight: 2.2,
    faulty: true,
    needs: { minServices: 4 },
    play(s) {
      const t = s.moment(18 * minute, 12 * minute);
      const low = s.rng.pick(s.own().filter((x) => x.role !== "worker" && s.callers(x.name).length > 0));
      const high = s.rng.pick(s.callers(low.name));
      if (s.rng.chance(0.5)) {
        // The caller is broken; what it needs of its callee is no reason to touch the callee.
        const p = s.deploy(low.name, t - s.rng.range(6, 11) * minute, {
          shape: "rolling",
          duration: s.rng.range(30, 90),
          provides: { api: "v3" },
        });
        const d = s.deploy(high.name, Math.max(t, p.done + 20), { requires: { [low.name]: p.key } });
        s.lock(low.name, t - 40 * minute);
        s.lock(high.name, t - 40 * minute);
        breakWith(s, d, t, { lo: 0.04 });
        s.background(s.rng.int(0, 2));
        return s.guilty(d, {
          why: "the caller is broken and goes back alone; the callee that it required serves its old version too",
        });
      }
      // The caller needs a version that the callee still has after going back.
      const first = s.deploy(low.name, t - s.rng.range(3, 6) * 3600, {
        shape: "rolling",
        duration: 60,
        provides: { api: "v3" },
      });
      const c = s.deploy(high.name, first.done + s.rng.range(5, 60) * minute, {
        shape: "rolling",
        duration: 60,
        requires: { [low.name]: first.key },
      });
      s.lock(high.name, c.at);
      const d = s.deploy(low.name, t);
      s.lock(low.name, first.at);
      breakWith(s, d, t, { lo: 0.04 });
      s.background(s.rng.int(0, 2));
      return s.guilty(d, { why: "the callee goes back alone: its version before is the one that the caller requires" });
    },
  },
  {
    name: "two-guilty",
    weight: 1.4,
    faulty: true,
    needs: { minServices: 7 },
    play(s) {
      const t = s.moment(18 * minute);
      const a = s.any();
      const b = s.rng.pick(s.unrelated(a.name).filter((x) => x.role !== "worker"));
      const d = s.deploy(a.name, t, { shape: "switch" });
      const e = s.deploy(b.name, t + s.rng.range(0, 15), { shape: "switch" });
      for (const x of [a, b]) s.lock(x.name, t - 20 * minute);
      if (e.live < d.live || e.live - d.live > 40) throw new Skip("not together");
      const big = s.errorShare(a.name, t, 0.3, 0.7);
      s.hurt(d, { err: Math.min(0.9, big) });
      s.hurt(e, { err: Math.max(s.errorShare(b.name, t, 0.08, 0.15), big / 4) });
      const first = bug(s.rng);
      let second = first;
      while (second === first) second = bug(s.rng);
      s.sign(a.name, first, d.live, { version: d.key });
      s.sign(b.name, second, e.live, { version: e.key });
      s.background(s.rng.int(0, 1));
      return s.guilty(d, {
        targets: [d, e],
        why: "two deploys of one release break two services that do not call each other",
      });
    },
  },
  {
    name: "cpu-before-peak",
    weight: 2,
    faulty: true,
    needs: { tight: true, profile: { hasCpu: true, hasRate: true }, accept: (p) => p.traffic !== "trickle" },
    play(s) {
      const t = s.moment(38 * minute);
      const svc = s.any();
      const d = s.deploy(svc.name, t, { duration: s.rng.range(30, 150) });
      s.lock(svc.name, t - 20 * minute);
      s.hurt(d, { cpuMul: s.rng.range(1.9, 2.8) });
      const entries = s.system.services.filter((x) => x.role === "entry");
      const rise = d.done + s.rng.range(6, 14) * minute;
      for (const e of entries)
        s.happen({ service: e.name, from: rise, ramp: s.rng.range(60, 500), loadMul: s.rng.range(1.25, 1.5) });
      s.sign(svc.name, "request queue is full, rejecting @", rise + 240);
      s.background(s.rng.int(0, 1));
      return s.guilty(d, {
        why: "each request costs twice the CPU; ordinary growth of traffic then fills the service",
      });
    },
  },
  {
    name: "shared-store",
    weight: 2.5,
    faulty: true,
    needs: { store: true, minServices: 6, accept: (p) => p.traffic !== "trickle" },
    play(s) {
      const t = s.moment(17 * minute);
      const store = s.rng.pick(s.system.services.filter((x) => x.role === "store"));
      const users = s.own().filter((x) => x.role !== "worker" && x.edges.some((e) => e.to === store.name));
      if (users.length < 3) throw new Skip("store not shared");
      const svc = s.rng.pick(users);
      const other = s.rng.pick(users.filter((x) => x !== svc));
      const f = s.rng.chance(0.25) ? s.flag(svc.name, t) : s.deploy(svc.name, t, { duration: s.rng.range(25, 150) });
      s.innocent(t - s.rng.range(7, 25) * minute, other.name, "deploy");
      for (const u of users) s.lock(u.name, t - 30 * minute);
      s.hurt(f, { callMul: { [store.name]: s.rng.range(3, 8) }, latAddMs: s.rng.log(40, 400) });
      afar(s, f, store.name, { latMul: s.rng.log(8, 40) });
      s.sign(svc.name, "slow query (~ms): SELECT * FROM entries WHERE lower(ref) LIKE '%@%'", f.live + 5, {
        level: "warn",
      });
      s.background(s.rng.int(0, 1));
      const flag = !f.plainDeploy;
      return s.guilty(f, {
        ...(flag ? { action: "feature_flag_disable" as const } : {}),
        why: "its queries burden a store that others share, and the others suffer too",
      });
    },
  },
  {
    name: "cache-key",
    weight: 1.2,
    faulty: true,
    needs: { store: true, accept: (p) => p.traffic !== "trickle" },
    play(s) {
      const t = s.moment(16 * minute);
      const cache = s.system.customs.find((c) => c.kind === "cache");
      if (cache === undefined) throw new Skip("no cache measured");
      const store = s.rng.pick(s.service(cache.service).edges.filter((e) => s.service(e.to).role === "store"));
      const d = s.deploy(cache.service, t);
      s.lock(cache.service, t - 20 * minute);
      s.hurt(d, {
        custom: { cache: s.rng.range(0.15, 0.6) },
        callMul: { [store.to]: s.rng.range(3, 8) },
        latAddMs: s.rng.log(60, 500),
      });
      s.sign(cache.service, "cache miss for key v2:@", d.live, { level: "info", version: d.key });
      s.background(1);
      return s.guilty(d, { why: "the new version asks the cache for keys that nobody wrote" });
    },
  },
  {
    name: "queue-backlog",
    weight: 1.5,
    faulty: true,
    needs: { worker: true, accept: (p) => p.traffic !== "trickle" },
    play(s) {
      const t = s.moment(20 * minute);
      const q = s.system.customs.find((c) => c.kind === "queue");
      if (q === undefined) throw new Skip("no queue measured");
      const d = s.deploy(q.service, t, { duration: s.rng.range(25, 150) });
      s.lock(q.service, t - 20 * minute);
      const x = s.service(q.service);
      const busy = (s.rateOf(x.name, t) * x.cpuMs) / 1000 / (x.pods * x.cores);
      s.hurt(d, { cpuMul: s.rng.range(1.15, 2) / busy });
      s.sign(q.service, "batch of # messages took ~ms", d.live, { level: "warn", version: d.key });
      s.background(1);
      return s.guilty(d, {
        acceptable: ["rollback", "hotfix_recommendation"],
        why: "the consumer became slower than its queue grows",
      });
    },
  },
  {
    name: "goal-drops",
    weight: 1.2,
    faulty: true,
    needs: { accept: (p) => p.traffic === "middle" || p.traffic === "high" },
    play(s) {
      const t = s.moment(18 * minute);
      const goal = s.system.customs.find((c) => c.kind === "goal" && c.worse === "down");
      if (goal === undefined) throw new Skip("no goal measured");
      const flag = s.rng.chance(0.5);
      const d = flag ? s.flag(goal.service, t) : s.deploy(goal.service, t);
      s.lock(goal.service, t - 30 * minute);
      s.hurt(d, { custom: { goal: s.rng.range(0.2, 0.55) }, err: s.errorShare(goal.service, t, 0.01, 0.03) });
      s.sign(goal.service, "client error report: button#buy has no handler (session @)", d.live, { level: "warn" });
      s.background(s.rng.int(0, 1));
      return s.guilty(d, {
        ...(flag ? { action: "feature_flag_disable" as const } : {}),
        acceptable: [flag ? "feature_flag_disable" : "rollback", "hotfix_recommendation"],
        why: "few requests fail, but customers no longer get what they came for",
      });
    },
  },
  {
    name: "traffic-lost",
    weight: 1.2,
    faulty: true,
    needs: { minServices: 4, profile: { hasRate: true }, accept: (p) => p.traffic !== "trickle" },
    play(s) {
      const t = s.moment(16 * minute);
      const lonely = s
        .own()
        .filter(
          (x) =>
            s.system.services.filter((c) => c.edges.some((e) => e.to === x.name)).length === 1 &&
            s.callers(x.name).length === 1,
        );
      const lost = s.rng.pick(lonely);
      const svc = s.rng.pick(s.callers(lost.name));
      const c = s.rng.chance(0.6) ? s.config(svc.name, t) : s.deploy(svc.name, t);
      s.lock(svc.name, t - 30 * minute);
      s.lock(lost.name, t - 30 * minute);
      s.hurt(c, {
        callMul: { [lost.name]: s.rng.range(0.001, 0.1) },
        custom: { goal: s.rng.range(0.3, 0.8) },
        ...(s.rng.chance(0.7) ? { err: s.errorShare(svc.name, t, 0.03, 0.3) } : {}),
      });
      s.sign(svc.name, `no route matched for /${lost.name}/@, default backend answered`, c.live, { level: "warn" });
      s.background(s.rng.int(0, 1));
      return s.guilty(c, {
        acceptable: ["rollback", "hotfix_recommendation"],
        why: "requests for one service no longer reach it",
      });
    },
  },
  {
    name: "harm-under-growth",
    weight: 1.2,
    faulty: true,
    needs: { profile: { hasRate: true } },
    play(s) {
      const t = s.moment(17 * minute, 8 * minute);
      const svc = s.any();
      const d = s.deploy(svc.name, t);
      s.lock(svc.name, t - 20 * minute);
      breakWith(s, d, t, { lo: 0.06, only: "errors" });
      const rise = t - s.rng.range(1, 7) * minute;
      for (const e of s.system.services.filter((x) => x.role === "entry"))
        s.happen({ service: e.name, from: rise, ramp: 240, loadMul: s.rng.range(1.2, 1.45) });
      decoys(s, t, 1);
      s.background(0);
      return s.guilty(d, {
        why: "traffic grows within what the system bears; the deploy of the same minutes fails requests",
      });
    },
  },
  {
    name: "slow-callee-hidden",
    weight: 1,
    faulty: true,
    needs: { minServices: 6 },
    play(s) {
      const t = s.moment(17 * minute);
      const svc = s.rng.pick(s.own().filter((x) => x.role === "leaf" && s.callers(x.name).length > 0));
      const d = s.deploy(svc.name, t);
      s.lock(svc.name, t - 20 * minute);
      s.hurt(d, { latAddMs: s.rng.log(900, 4000), ...(s.rng.chance(0.4) ? { workersMul: 0.4 } : {}) });
      s.sign(svc.name, slowness(s.rng), d.live, { level: "warn" });
      for (const c of s.callers(svc.name).slice(0, 1)) s.innocent(t - s.rng.range(60, 420), c.name);
      s.background(s.rng.int(0, 1));
      return s.guilty(d, {
        why: "the leaf is slow without errors of its own; its callers time out and show the errors",
      });
    },
  },
];
