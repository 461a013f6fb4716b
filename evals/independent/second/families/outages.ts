/*
 * Families of the independent incident generator in which there is harm that no change did: outages of providers and databases,
 * surges, dead and crowded machines, and the short troubles of a restart or a lock.
 */
import { season } from "../installation.ts";
import { Skip } from "../random.ts";
import { minute, type Scene } from "../scene.ts";
import type { Action } from "../types.ts";
import type { Family } from "./family.ts";

const orAdvice: Action[] = ["no_action", "hotfix_recommendation"];

/** A harmless deploy of a service shortly before `t`, complete (and seen to be well) before it. */
function bystander(s: Scene, t: number, service?: string): void {
  const at = t - s.rng.range(10, 22) * minute;
  s.innocent(at, service, "deploy");
}

/** Harmless changes of services that are not hit, close to the moment at which harm begins. */
function nearby(s: Scene, t: number): void {
  if (s.rng.chance(0.6)) for (let n = s.rng.int(1, 3); n > 0; n--) s.innocent(t + s.rng.range(-8, 4) * minute);
}

function entryLoad(
  s: Scene,
  from: number,
  loadMul: number,
  o: { until?: number; ramp?: number; decay?: number } = {},
): void {
  for (const e of s.system.services.filter((x) => x.role === "entry"))
    s.happen({ service: e.name, from, loadMul, ...o });
}

export const outageFamilies: Family[] = [
  {
    name: "rollout-blip",
    weight: 6,
    faulty: false,
    needs: {},
    play(s) {
      const t = s.moment(12 * minute);
      const svc = s.any();
      const d = s.deploy(svc.name, t, { shape: "rolling", duration: s.rng.range(25, 90), calm: true });
      s.lock(svc.name, t - 20 * minute);
      const until = Math.min(d.done, d.live + 90);
      s.happen({ service: svc.name, from: d.live, until, err: s.rng.log(0.02, 0.25) });
      s.happen({ service: svc.name, from: d.live, until: until + 20, latMul: s.rng.range(1.1, 2.5) });
      s.sign(svc.name, "connection refused while draining, request @", d.live, { until, level: "warn", perMinute: 6 });
      s.background();
      return s.innocence("requests are lost while pods restart, and then all is well", orAdvice);
    },
  },
  {
    name: "blip",
    weight: 2,
    faulty: false,
    needs: {},
    play(s) {
      const t = s.moment(10 * minute);
      const svc = s.any();
      bystander(s, t, svc.name);
      s.happen({
        service: svc.name,
        from: t,
        until: t + s.rng.range(20, 70),
        err: s.rng.log(0.03, 0.4),
        latMul: s.rng.range(1, 3),
      });
      s.background(s.rng.int(0, 1));
      return s.innocence("a minute of errors that passes by itself", orAdvice);
    },
  },
  {
    name: "external-outage",
    weight: 5,
    faulty: false,
    needs: { outside: true, minServices: 5, accept: (p) => p.hasLogs },
    play(s) {
      const t = s.moment(12 * minute);
      const out = s.rng.pick(s.system.services.filter((x) => x.role === "outside"));
      const users = s.system.services.filter((x) => x.edges.some((e) => e.to === out.name));
      if (s.rng.chance(0.8)) bystander(s, t, s.rng.pick(users).name);
      const slow = s.rng.chance(0.35);
      const until = s.rng.chance(0.4) ? t + s.rng.range(6, 25) * minute : undefined;
      s.happen({
        service: out.name,
        from: t,
        ramp: s.rng.range(5, 180),
        ...(slow ? { latMul: s.rng.log(5, 40), err: 0.03 } : { err: s.rng.range(0.15, 0.95) }),
        ...(until !== undefined ? { until } : {}),
      });
      for (const u of users)
        s.sign(
          u.name,
          slow
            ? `${out.name}: read timeout after ~ms`
            : s.rng.pick([
                `${out.name} responded 503 Service Unavailable`,
                `${out.name} api error: internal_error, see status page`,
              ]),
          t,
          { until: until ?? s.w1, perMinute: 12 },
        );
      if (s.rng.chance(0.4)) {
        // Complete, and seen to be well, a few minutes before the provider fails.
        const user = s.rng.pick(users).name;
        const at = Math.round(t - s.rng.range(4.5, 8) * minute);
        if (s.free(user, at - 300, t)) s.deploy(user, at, { shape: "rolling", duration: s.rng.range(25, 60) });
      }
      for (const u of users) s.lock(u.name, t - 9 * minute);
      nearby(s, t);
      s.background(s.rng.int(0, 1));
      return s.innocence("a provider outside is down", orAdvice);
    },
  },
  {
    name: "deploys-during-outage",
    weight: 2.5,
    faulty: false,
    needs: { outside: true, minServices: 6, accept: (p) => p.hasLogs },
    play(s) {
      const t = s.moment(20 * minute);
      const out = s.rng.pick(s.system.services.filter((x) => x.role === "outside"));
      const users = s.system.services.filter((x) => x.edges.some((e) => e.to === out.name));
      s.happen({ service: out.name, from: t, ramp: 30, err: s.rng.range(0.2, 0.9) });
      for (const u of users) s.sign(u.name, `${out.name} answered 502 Bad Gateway`, t, { perMinute: 10 });
      for (let i = s.rng.int(2, 5); i > 0; i--) s.innocent(t + s.rng.range(1, 14) * minute);
      s.innocent(t + s.rng.range(3, 12) * minute, s.rng.pick(users).name, "deploy");
      s.background(0);
      return s.innocence("deploys begin after a provider outside has failed", orAdvice);
    },
  },
  {
    name: "surge",
    weight: 4,
    faulty: false,
    needs: { tight: true, profile: { hasRate: true }, accept: (p) => p.traffic !== "trickle" },
    play(s) {
      const t = s.moment(12 * minute);
      const factor = s.rng.range(1.7, 3.2) / Math.max(0.5, season(s.system, t));
      if (s.rng.chance(0.7)) bystander(s, t);
      const until = s.rng.chance(0.4) ? t + s.rng.range(8, 30) * minute : undefined;
      entryLoad(s, t, factor, { ramp: s.rng.range(60, 420), ...(until !== undefined ? { until } : {}) });
      if (s.rng.chance(0.5)) {
        const scaled = t + s.rng.range(5, 12) * minute;
        for (const x of s.own()) s.happen({ service: x.name, from: scaled, podsMul: factor, ramp: 120 });
      }
      s.sign(s.any().name, "rejecting request @: too many in flight (#)", t + 200, { level: "warn" });
      nearby(s, t);
      s.background(s.rng.int(0, 1));
      return s.innocence("more requests come than the system was built for", orAdvice);
    },
  },
  {
    name: "dead-node",
    weight: 3,
    faulty: false,
    needs: { minServices: 6, profile: { hasHealth: true }, accept: (p) => p.traffic !== "trickle" },
    play(s) {
      const t = s.moment(10 * minute);
      const hit = s.rng.shuffle(s.own()).slice(0, s.rng.int(3, 5));
      if (s.rng.chance(0.7)) bystander(s, t, s.rng.pick(hit).name);
      const until = t + s.rng.range(4, 14) * minute;
      for (const x of hit) {
        const lost = 1 / Math.max(2, Math.min(x.pods, 6));
        s.happen({ service: x.name, from: t, until, lost });
        s.happen({ service: x.name, from: t, until: t + s.rng.range(30, 70), err: lost * 0.6 });
        s.happen({ service: x.name, from: t, until, surge: Math.max(1, Math.round(x.pods * lost * 0.6)) });
        s.sign(x.name, "node ip-10-2-#-# is not ready, pod evicted", t + 40, {
          until: t + 180,
          level: "warn",
          perMinute: 2,
        });
        s.lock(x.name, t - 9 * minute);
      }
      nearby(s, t);
      s.background(s.rng.int(0, 1));
      return s.innocence("a machine died, and pods of several services with it", orAdvice);
    },
  },
  {
    name: "noisy-neighbour",
    weight: 2,
    faulty: false,
    needs: { minServices: 7, profile: { hasCpu: true, hasP99: true }, accept: (p) => p.traffic !== "trickle" },
    play(s) {
      const t = s.moment(12 * minute);
      const first = s.any();
      const others = s.unrelated(first.name).filter((x) => x.role !== "worker");
      if (others.length < 2) throw new Skip("all related");
      const hit = [first, ...s.rng.shuffle(others).slice(0, 3)];
      bystander(s, t, s.rng.pick(hit).name);
      const until = s.rng.chance(0.5) ? t + s.rng.range(6, 25) * minute : undefined;
      for (const x of hit) {
        s.happen({
          service: x.name,
          from: t,
          latMul: s.rng.range(1.5, 3),
          ramp: 60,
          ...(until !== undefined ? { until } : {}),
        });
        if (!s.system.customs.some((c) => c.service === x.name && c.kind === "steal"))
          s.system.customs.push({
            service: x.name,
            metric: "cpu_steal",
            unit: "ratio",
            worse: "up",
            kind: "steal",
            base: 0.01,
          });
        s.happen({
          service: x.name,
          from: t,
          custom: { steal: 18 },
          ramp: 60,
          ...(until !== undefined ? { until } : {}),
        });
        s.lock(x.name, t - 9 * minute);
      }
      nearby(s, t);
      s.background(s.rng.int(0, 1));
      return s.innocence(
        "services that share a machine, and nothing else, become slow together; the machine's CPU is stolen",
        orAdvice,
      );
    },
  },
  {
    name: "store-failover",
    weight: 1.5,
    faulty: false,
    needs: { store: true, minServices: 6, accept: (p) => p.hasLogs },
    play(s) {
      const t = s.moment(10 * minute);
      const store = s.rng.pick(s.system.services.filter((x) => x.role === "store"));
      const users = s.own().filter((x) => x.edges.some((e) => e.to === store.name));
      if (users.length < 2) throw new Skip("store not shared");
      bystander(s, t, s.rng.pick(users).name);
      const until = t + s.rng.range(1, 8) * minute;
      s.happen({ service: store.name, from: t, until, err: s.rng.range(0.3, 0.9) });
      for (const u of users)
        s.sign(u.name, `${store.name}: cannot execute INSERT in a read-only transaction, primary is failing over`, t, {
          until,
          perMinute: 12,
        });
      for (const u of users) s.lock(u.name, t - 9 * minute);
      nearby(s, t);
      s.background(s.rng.int(0, 1));
      return s.innocence("a database fails over by itself", orAdvice);
    },
  },
  {
    name: "partner-flood",
    weight: 1,
    faulty: false,
    needs: {
      outside: true,
      tight: true,
      minServices: 5,
      profile: { hasRate: true, hasLogs: true },
      accept: (p) => p.traffic !== "trickle",
    },
    play(s) {
      const t = s.moment(14 * minute);
      const svc = s.rng.pick(s.own().filter((x) => x.role !== "entry" && s.callers(x.name).length > 0));
      bystander(s, t, svc.name);
      const until = t + s.rng.range(10, 25) * minute;
      s.happen({ service: svc.name, from: t, until, extraRate: s.rateOf(svc.name, t) * s.rng.range(3, 6) });
      s.sign(svc.name, "rejecting request @: queue full; client address 203.0.113.# is a partner's job", t + 20, {
        until,
        level: "warn",
        perMinute: 14,
      });
      s.lock(svc.name, t - 9 * minute);
      s.background(s.rng.int(0, 1));
      return s.innocence("a partner's job floods one service until it is stopped", orAdvice);
    },
  },
  {
    name: "migration-lock",
    weight: 1,
    faulty: false,
    needs: { store: true },
    play(s) {
      const t = s.moment(12 * minute);
      const store = s.rng.pick(s.system.services.filter((x) => x.role === "store"));
      const svc = s.rng.pick(s.own().filter((x) => x.edges.some((e) => e.to === store.name)));
      const length = s.rng.range(25, 80);
      s.migration(svc.name, t, { length });
      s.happen({ service: store.name, from: t, until: t + length, latMul: s.rng.log(10, 60) });
      s.sign(svc.name, "waited ~ms for a lock on relation #", t, { until: t + length, level: "warn" });
      s.lock(svc.name, t - 20 * minute);
      s.background(s.rng.int(0, 2));
      return s.innocence("queries wait for a lock while a schema change runs, and no longer", orAdvice);
    },
  },
];
