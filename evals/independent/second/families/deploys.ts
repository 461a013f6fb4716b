/*
 * Families of the independent incident generator in which a deploy is guilty: errors, slowness, leaks, crashes, stuck and staged
 * roll-outs, canaries, and the ways in which innocent changes stand near the guilty one.
 */

import { Skip } from "../random.ts";
import { type Handle, minute, type Scene } from "../scene.ts";
import type { Effect } from "../types.ts";
import { bug, decoys, type Family, slowness } from "./family.ts";

/** A deploy of `service` that breaks it in one of the common ways. */
export function breakWith(
  s: Scene,
  d: Handle,
  t: number,
  o: { lo?: number; hi?: number; only?: "errors" | "slow" } = {},
): void {
  const r = s.rng;
  const kind =
    o.only ??
    r.weighted([
      [60, "errors"],
      [40, "slow"],
    ] as const);
  if (kind === "errors") {
    s.hurt(d, { err: s.errorShare(d.service, t, o.lo, o.hi) });
    s.sign(d.service, bug(r), d.live, d.plainDeploy ? { version: d.key } : {});
    return;
  }
  const own = s.service(d.service).ownMs;
  const how: Partial<Effect> = r.weighted([
    [40, { latMul: r.log(2.2, 9) }],
    [40, { latAddMs: Math.max(own * 2, r.log(60, 1800)) }],
    [20, { cpuMul: r.log(2, 5) }],
  ]);
  s.hurt(d, how);
  s.sign(d.service, slowness(r), d.live, { level: "warn", ...(d.plainDeploy ? { version: d.key } : {}) });
}

function bad(s: Scene, only: "errors" | "slow"): ReturnType<Family["play"]> {
  const t = s.moment(16 * minute);
  const svc = s.any();
  const d = s.deploy(svc.name, t);
  s.lock(svc.name, t - 20 * minute);
  breakWith(s, d, t, { only });
  s.background();
  if (s.rng.chance(0.4)) decoys(s, t, s.rng.int(1, 2), 15 * minute);
  return s.guilty(d, {
    why: only === "errors" ? "the new version fails a share of its requests" : "the new version is slow",
  });
}

export const deployFamilies: Family[] = [
  { name: "deploy-errors", weight: 6, faulty: true, needs: {}, play: (s) => bad(s, "errors") },
  { name: "deploy-latency", weight: 6, faulty: true, needs: {}, play: (s) => bad(s, "slow") },
  {
    name: "deploy-delayed",
    weight: 2.5,
    faulty: true,
    needs: {},
    play(s) {
      const t = s.moment(26 * minute);
      const svc = s.any();
      const d = s.deploy(svc.name, t, { shape: "rolling" });
      s.lock(svc.name, t - 20 * minute);
      const from = d.done + s.rng.range(1, 7) * minute;
      s.hurt(d, { err: s.errorShare(svc.name, t, 0.04, 0.5), from, ramp: s.rng.range(60, 420) });
      s.sign(svc.name, bug(s.rng), from + 30, { version: d.key });
      s.background(s.rng.int(0, 1));
      return s.guilty(d, {
        onset: from,
        why: "the fault of the new version shows only when what it holds in memory expires",
      });
    },
  },
  {
    name: "leak",
    weight: 3,
    faulty: true,
    needs: { profile: { hasMemory: true } },
    play(s) {
      const t = s.moment(32 * minute);
      const svc = s.any();
      const d = s.deploy(svc.name, t, { duration: s.rng.range(40, 200) });
      s.lock(svc.name, t - 40 * minute);
      const full = s.rng.range(0.35, 0.75) * (s.w1 - d.live);
      s.hurt(d, { leakPerHour: ((1 - svc.memBase) * 3600) / full });
      s.sign(svc.name, "java.lang.OutOfMemoryError: Java heap space", d.live + full * 0.9, { perMinute: 3 });
      s.sign(svc.name, "container killed: OOMKilled, restart #", d.live + full, { perMinute: 1, level: "warn" });
      s.background();
      return s.guilty(d, { why: "the new version loses memory until its pods are killed" });
    },
  },
  {
    name: "crash-loop",
    weight: 3,
    faulty: true,
    needs: { profile: { hasHealth: true } },
    play(s) {
      const t = s.moment(18 * minute);
      const svc = s.any();
      const d = s.deploy(svc.name, t, { shape: s.rng.chance(0.7) ? "rolling" : "switch" });
      s.lock(svc.name, t - 20 * minute);
      s.hurt(d, { crashAfter: s.rng.range(25, 150) });
      s.sign(
        svc.name,
        s.rng.pick([
          "fatal: cannot load keystore /etc/tls/@: no such file",
          "exit status 137",
          "FATAL config: LEDGER_URL is not set",
          "segmentation fault (core dumped)",
        ]),
        d.live + 30,
        { perMinute: 4, version: d.key },
      );
      s.background();
      return s.guilty(d, { why: "pods of the new version start, die, and start again ever more slowly" });
    },
  },
  {
    name: "stuck-rollout",
    weight: 2.5,
    faulty: true,
    needs: { profile: { hasHealth: true } },
    play(s) {
      const t = s.moment(22 * minute);
      const svc = s.any();
      const d = s.deploy(svc.name, t, { shape: "stuck" });
      s.lock(svc.name, t - 20 * minute);
      const pods = Math.max(1, Math.round(svc.pods * 0.25));
      s.hurt(d, {
        version: undefined as unknown as string,
        surge: Math.min(svc.pods, Math.max(1, pods + s.rng.int(0, 1))),
      });
      if (s.rng.chance(0.35) && svc.pods >= 4) s.hurt(d, { version: undefined as unknown as string, podsMul: 0.75 });
      s.sign(
        svc.name,
        s.rng.pick([
          "readiness probe failed: HTTP probe failed with statuscode: 503",
          "waiting for migrations: schema version # is older than required #",
          "Back-off pulling image, ErrImagePull",
          "dial tcp: lookup config-store: no such host",
        ]),
        d.live,
        { perMinute: 4, version: d.key },
      );
      s.background();
      return s.guilty(d, { why: "no pod of the new version ever becomes ready; the old ones serve on" });
    },
  },
  {
    name: "staged-rollout",
    weight: 4,
    faulty: true,
    needs: {},
    play(s) {
      const t = s.moment(24 * minute);
      const svc = s.any();
      const d = s.deploy(svc.name, t, { shape: "staged" });
      s.lock(svc.name, t - 20 * minute);
      breakWith(s, d, t, { lo: 0.08, hi: 0.8 });
      s.background(s.rng.int(0, 3));
      decoys(s, t, s.rng.int(0, 2), 10 * minute);
      return s.guilty(d, { why: "harm grows with each stage of the roll-out" });
    },
  },
  {
    name: "failing-canary",
    weight: 2.5,
    faulty: true,
    needs: { profile: { hasVersions: true, hasRate: true } },
    play(s) {
      const t = s.moment(18 * minute);
      const svc = s.any();
      const share = s.rng.pick([0.05, 0.1, 0.1, 0.2]);
      const d = s.deploy(svc.name, t, { shape: "canary", share });
      s.lock(svc.name, t - 20 * minute);
      if (s.rng.chance(0.7)) s.hurt(d, { err: s.errorShare(svc.name, t, 0.08, 0.7, share) });
      else s.hurt(d, { latMul: s.rng.log(3, 8) });
      s.sign(svc.name, bug(s.rng), d.live, { version: d.key });
      s.background();
      return s.guilty(d, { why: "the canary is worse than the version beside it" });
    },
  },
  {
    name: "decoy-in-the-path",
    weight: 4,
    faulty: true,
    needs: { minServices: 5 },
    play(s) {
      const t = s.moment(18 * minute);
      const low = s.rng.pick(s.own().filter((x) => s.callers(x.name).length > 0));
      const high = s.rng.pick(s.callers(low.name));
      const below = s.rng.chance(0.7);
      const [svc, other] = below ? [low, high] : [high, low];
      const d = s.deploy(svc.name, t, { duration: s.rng.range(30, 240) });
      s.lock(svc.name, t - 20 * minute);
      breakWith(s, d, t);
      // The innocent one goes out a little before, or a little after harm has begun.
      const at = s.rng.chance(0.5) ? t - s.rng.range(60, 360) : d.live + s.rng.range(40, 240);
      if (s.innocent(at, other.name, "deploy") === null) throw new Skip("no decoy");
      s.lock(other.name, t - 20 * minute);
      s.background(s.rng.int(0, 1));
      return s.guilty(d, {
        why: below
          ? "the callee is broken; its caller, deployed at about the same time, suffers"
          : "the caller is broken; its callee, deployed at about the same time, is well",
      });
    },
  },
  {
    name: "bad-client",
    weight: 2,
    faulty: true,
    needs: { minServices: 4 },
    play(s) {
      const t = s.moment(18 * minute);
      const callee = s.rng.pick(s.own().filter((x) => s.callers(x.name).length > 0));
      const svc = s.rng.pick(s.callers(callee.name));
      s.innocent(t - s.rng.range(25, 60) * minute, callee.name, "deploy");
      const d = s.deploy(svc.name, t);
      s.lock(svc.name, t - 20 * minute);
      for (const x of [callee, ...s.callers(callee.name)]) s.lock(x.name, t - 20 * minute);
      s.hurt(d, { badCalls: { [callee.name]: s.errorShare(callee.name, t, 0.05, 0.6) } });
      s.sign(
        callee.name,
        s.rng.pick([
          `rejecting request from ${svc.name}: unknown field 'segment'`,
          `400 bad request: header X-Tenant missing (client ${svc.name})`,
          `protocol error from ${svc.name}: frame type #`,
        ]),
        d.live,
        { level: "error" },
      );
      s.background();
      return s.guilty(d, {
        why: "the caller's new version sends what the callee must refuse; the callee has not changed",
      });
    },
  },
  {
    name: "crowd",
    weight: 4.5,
    faulty: true,
    needs: { minServices: 7 },
    play(s) {
      const t = s.moment(18 * minute);
      const svc = s.any();
      const d = s.deploy(svc.name, t, { duration: s.rng.range(30, 240) });
      s.lock(svc.name, t - 20 * minute);
      breakWith(s, d, t);
      let n = 0;
      for (const x of s.rng.shuffle(s.own([svc.name])))
        if (n < 8 && s.innocent(t + s.rng.range(-9, 4) * minute, x.name) !== null) n++;
      if (n < 4) throw new Skip("no crowd");
      s.background(1);
      return s.guilty(d, { why: "one of many changes of the same quarter of an hour broke its own service" });
    },
  },
  {
    name: "deploys-after-onset",
    weight: 2,
    faulty: true,
    needs: { minServices: 5 },
    play(s) {
      const t = s.moment(22 * minute);
      const svc = s.any();
      const d = s.deploy(svc.name, t);
      s.lock(svc.name, t - 20 * minute);
      breakWith(s, d, t, { lo: 0.05 });
      for (let i = s.rng.int(2, 4); i > 0; i--) s.innocent(d.live + s.rng.range(20, 420));
      s.background(0);
      return s.guilty(d, { why: "others deployed after harm had begun" });
    },
  },
  {
    name: "small-but-lasting",
    weight: 1.5,
    faulty: true,
    needs: { profile: { traffic: "high" } },
    play(s) {
      const t = s.moment(24 * minute);
      const svc = s.any();
      const d = s.deploy(svc.name, t);
      s.lock(svc.name, t - 20 * minute);
      s.hurt(d, { err: Math.max(0.008 + 3 * svc.baseErr, s.rng.log(0.008, 0.03)) });
      s.sign(svc.name, bug(s.rng), d.live, { version: d.key });
      s.background();
      return s.guilty(d, { why: "one request in a hundred fails, on a busy service" });
    },
  },
  {
    name: "low-traffic-faulty",
    weight: 2,
    faulty: true,
    needs: { profile: { traffic: "trickle" } },
    play(s) {
      const t = s.moment(26 * minute);
      const svc = s.any();
      if (s.rateOf(svc.name, t) * 60 < 2) throw new Skip("silent service");
      const d = s.deploy(svc.name, t, { duration: s.rng.range(20, 90) });
      s.lock(svc.name, t - 20 * minute);
      s.hurt(d, { err: s.rng.range(0.55, 1) });
      s.sign(svc.name, bug(s.rng), d.live, { version: d.key, perMinute: 2 });
      s.background(s.rng.int(0, 1));
      return s.guilty(d, { why: "most of a few requests a minute fail" });
    },
  },
  {
    name: "gap-at-deploy",
    weight: 1.2,
    faulty: true,
    needs: {},
    play(s) {
      const t = s.moment(26 * minute);
      const svc = s.any();
      const d = s.deploy(svc.name, t);
      s.lock(svc.name, t - 20 * minute);
      breakWith(s, d, t, { lo: 0.05 });
      const from = t - s.rng.range(-60, 120);
      s.gaps.push({ services: s.rng.chance(0.5) ? null : [svc.name], from, until: from + s.rng.range(4, 9) * minute });
      s.background();
      return s.guilty(d, {
        why: "the collector was away when the bad version went out; harm is there when it comes back",
      });
    },
  },
  {
    name: "human-rollback",
    weight: 1.8,
    faulty: true,
    needs: {},
    play(s) {
      const t = s.moment(34 * minute);
      const svc = s.any();
      const d = s.deploy(svc.name, t, { duration: s.rng.range(25, 150) });
      s.lock(svc.name, t - 20 * minute);
      breakWith(s, d, t, { lo: 0.05 });
      const back = d.done + s.rng.range(12, 20) * minute;
      const undo = s.deploy(svc.name, back, {
        shape: "rolling",
        duration: s.rng.range(20, 90),
        restores: "previous",
        calm: true,
      });
      s.human = { action: "rollback", change: d.key, at: back, note: "rolled back by the team" };
      s.background(0);
      return s.guilty(d, {
        over: undo.at,
        why: "a person takes it back after a quarter of an hour; that deploy is no suspect",
      });
    },
  },
];
