/*
 * Families of the independent incident generator in which nothing lasting goes wrong during the watch: busy days, quirks of
 * measuring, old trouble and its repair, ordinary rhythm.
 */
import { season } from "../installation.ts";
import { minute } from "../scene.ts";
import type { Action } from "../types.ts";
import type { Family } from "./family.ts";

const orAdvice: Action[] = ["no_action", "hotfix_recommendation"];

export const calmFamilies: Family[] = [
  {
    name: "quiet-busy",
    weight: 10,
    faulty: false,
    needs: { minServices: 5 },
    play(s) {
      s.background(s.rng.int(6, 18));
      return s.innocence("many changes, all harmless");
    },
  },
  {
    name: "quiet",
    weight: 4,
    faulty: false,
    needs: {},
    play(s) {
      s.background();
      return s.innocence("nothing happens");
    },
  },
  {
    name: "healthy-canary",
    weight: 2,
    faulty: false,
    needs: { profile: { hasVersions: true } },
    play(s) {
      const svc = s.any();
      s.deploy(svc.name, s.moment(12 * minute), {
        shape: s.rng.chance(0.5) ? "canary" : "staged",
        share: s.rng.pick([0.05, 0.1, 0.2]),
      });
      s.lock(svc.name, s.w0 - 1800);
      s.background();
      return s.innocence("a canary that is as good as the version beside it");
    },
  },
  {
    name: "scrape-gap",
    weight: 2.5,
    faulty: false,
    needs: {},
    play(s) {
      const t = s.moment(12 * minute);
      const svc = s.any();
      s.deploy(svc.name, t + s.rng.range(-120, 120));
      s.lock(svc.name, t - 20 * minute);
      const whole = s.rng.chance(0.5);
      s.gaps.push({ services: whole ? null : [svc.name], from: t, until: t + s.rng.range(2, 12) * minute });
      s.background(s.rng.int(0, 2));
      return s.innocence(
        whole ? "the collector was away for some minutes" : "one service could not be scraped for some minutes",
      );
    },
  },
  {
    name: "counter-reset",
    weight: 2,
    faulty: false,
    needs: {},
    play(s) {
      const svc = s.any();
      const t = s.moment(8 * minute);
      const d = s.deploy(svc.name, t);
      s.lock(svc.name, t - 20 * minute);
      s.resets.push({ service: svc.name, at: d.live + s.rng.range(0, 60) });
      if (s.rng.chance(0.4)) s.resets.push({ service: s.any().name, at: s.moment(4 * minute) });
      s.background(s.rng.int(0, 2));
      return s.innocence("counters start again at zero, and one sample of each rate is absurd");
    },
  },
  {
    name: "low-traffic-noise",
    weight: 4,
    faulty: false,
    needs: { profile: { traffic: "trickle" } },
    play(s) {
      for (const x of s.own()) if (s.rng.chance(0.5)) x.baseErr = s.rng.log(0.005, 0.06);
      s.background(s.rng.int(2, 6));
      return s.innocence("a few requests a minute, of which now and then one fails");
    },
  },
  {
    name: "old-anomaly",
    weight: 3,
    faulty: false,
    needs: { minFine: 3600 },
    play(s) {
      const svc = s.any();
      const from = s.rng.chance(0.5) ? s.h0 - 86400 : s.w0 - s.rng.range(30, 50) * minute;
      s.happen({
        service: svc.name,
        from,
        err: s.errorShare(svc.name, s.w0, 0.03, 0.25),
        ...(s.rng.chance(0.4) ? { latMul: s.rng.range(1.5, 3) } : {}),
      });
      s.sign(svc.name, "partner feed item @ has no price, skipping", Math.max(from, s.w0 - 7200));
      s.deploy(svc.name, s.moment(12 * minute));
      s.lock(svc.name, s.c0 - 1);
      for (const x of s.upstream(svc.name)) s.lock(x, Math.min(from, s.w0) - 90 * minute);
      s.background(s.rng.int(0, 2));
      return s.innocence("errors are older than every change of the day, and no change made them worse", orAdvice);
    },
  },
  {
    name: "season",
    weight: 3,
    faulty: false,
    needs: {
      minCoarseDays: 7,
      tight: true,
      profile: { hasRate: true },
      accept: (p) => p.traffic === "middle" || p.traffic === "high",
    },
    play(s) {
      const slow = s.any();
      if (s.rng.chance(0.4)) {
        // The steep morning rise falls into the watch.
        s.system.dayAmplitude = s.rng.range(0.65, 0.9);
        s.system.peakHour = (((s.w0 / 3600 + s.rng.range(3, 6)) % 24) + 24) % 24;
        s.system.weekend = 0.9;
        const clock = (t: number): number => Math.max(0, (season(s.system, t) - 0.4) / 0.6);
        s.happen({ service: slow.name, from: 0, latMul: s.rng.range(2, 3), shape: clock });
      } else {
        // Everybody comes at the same minute of each day: shops open, a market opens, a shift begins.
        const open = s.moment(25 * minute);
        const length = s.rng.range(30, 110) * minute;
        const rush = (t: number): number => {
          const since = (((t - open) % 86400) + 86400) % 86400;
          return since < 360 ? since / 360 : since < length ? 1 : Math.max(0, 1 - (since - length) / 1800);
        };
        const more = s.rng.range(1.35, 1.8);
        for (const e of s.system.services.filter((x) => x.role === "entry"))
          s.happen({ service: e.name, from: 0, loadMul: more, shape: rush });
        s.happen({ service: slow.name, from: 0, latMul: s.rng.range(1.4, 2.2), shape: rush });
      }
      s.background(s.rng.int(1, 3));
      s.innocent(s.moment(20 * minute), slow.name, "deploy");
      return s.innocence("every day at this hour traffic and latency rise like this");
    },
  },
  {
    name: "batch-job",
    weight: 2.5,
    faulty: false,
    needs: { minFine: 6 * 3600 },
    play(s) {
      const svc = s.any();
      const every = s.rng.pick([1800, 3600]);
      const offset = s.rng.range(0, every);
      const length = s.rng.range(150, 420);
      const on = (t: number): number => ((t - offset) % every < length ? 1 : 0);
      s.happen({
        service: svc.name,
        from: 0,
        latMul: s.rng.range(1.8, 4),
        cpuMul: s.rng.range(1.1, 1.8),
        shape: on,
        ...(s.rng.chance(0.4) ? { err: 0.01 + svc.baseErr } : {}),
      });
      s.sign(svc.name, "nightly export: # rows written", s.w0, { level: "info", perMinute: 0.5 });
      const next = Math.ceil((s.w0 + 300 - offset) / every) * every + offset;
      s.innocent(next - s.rng.range(60, 420), svc.name, "deploy");
      s.background(s.rng.int(0, 2));
      return s.innocence("a job that runs every half hour or hour, as it did all day");
    },
  },
  {
    name: "recovered-before",
    weight: 1.5,
    faulty: false,
    needs: { minFine: 3 * 3600 },
    play(s) {
      const svc = s.any();
      const t = s.w0 - s.rng.range(50, 100) * minute;
      s.happen({
        service: svc.name,
        from: t,
        until: t + s.rng.range(10, 30) * minute,
        err: s.errorShare(svc.name, t, 0.1, 0.7),
      });
      s.background(s.rng.int(1, 4));
      return s.innocence("an incident that was over before the watch began");
    },
  },
  {
    name: "human-rollback-before",
    weight: 1.5,
    faulty: false,
    needs: { minFine: 3 * 3600 },
    play(s) {
      const svc = s.any();
      const t = s.w0 - s.rng.range(45, 80) * minute;
      const d = s.deploy(svc.name, t, { shape: "rolling", duration: 60, calm: true });
      s.hurt(d, { err: s.errorShare(svc.name, t, 0.1, 0.7) });
      const back = t + s.rng.range(10, 25) * minute;
      s.deploy(svc.name, back, { shape: "rolling", duration: 60, restores: "previous", calm: true });
      s.human = { action: "rollback", change: d.key, at: back };
      s.lock(svc.name, t - 20 * minute);
      s.background(s.rng.int(0, 3));
      return s.innocence("a bad deploy that people had taken back before the watch began");
    },
  },
  {
    name: "fix",
    weight: 2,
    faulty: false,
    needs: { minFine: 3600 },
    play(s) {
      const svc = s.any();
      const t = s.moment(12 * minute);
      const from = s.h0 - 3600;
      const d = s.deploy(svc.name, t, { shape: "rolling", calm: true });
      s.happen({
        service: svc.name,
        from,
        until: d.live + 45,
        err: s.errorShare(svc.name, t, 0.03, 0.3),
        latMul: s.rng.range(1, 2),
      });
      s.sign(svc.name, "TypeError: offer is undefined in renderOffer", s.h0, { until: d.live + 45 });
      s.lock(svc.name, s.h0 - 7200);
      for (const x of s.upstream(svc.name)) s.lock(x, s.h0 - 7200);
      s.background(s.rng.int(0, 2));
      return s.innocence("the deploy ends an old trouble");
    },
  },
  {
    name: "noise-storm",
    weight: 1.5,
    faulty: false,
    needs: { profile: { hasAlerts: true, hasLogs: true } },
    play(s) {
      const t = s.moment(10 * minute);
      for (let i = s.rng.int(4, 12); i > 0; i--) {
        const from = t + s.rng.range(0, 8) * minute;
        s.falseAlerts.push({
          name: s.rng.pick([
            "KubePodCrashLooping",
            "TargetDown",
            "BlackboxProbeFailed",
            "CertExpiresSoon",
            "HighErrorRate",
          ]),
          service: s.any().name,
          from,
          until: from + s.rng.range(1, 5) * minute,
          summary: "raised while the alerting cluster was restarted",
        });
      }
      s.sign(s.any().name, "could not export telemetry batch: connection reset", t, {
        until: t + 8 * minute,
        perMinute: 30,
      });
      s.background(s.rng.int(1, 4));
      return s.innocence("alerts and log noise without any harm in the figures");
    },
  },
  {
    name: "memory-warm-up",
    weight: 1.5,
    faulty: false,
    needs: { profile: { hasMemory: true } },
    play(s) {
      const t = s.moment(25 * minute);
      const svc = s.any();
      const d = s.deploy(svc.name, t, { calm: true });
      const tau = s.rng.range(4, 10) * minute;
      const up = s.rng.range(0.1, 0.2);
      s.happen({
        service: svc.name,
        from: d.live,
        memAdd: -up,
        shape: (x) => (x < d.live ? 0 : Math.exp(-(x - d.live) / tau)),
      });
      s.lock(svc.name, t - 20 * minute);
      s.background(s.rng.int(0, 2));
      return s.innocence("memory falls with the restart and returns to its usual level as caches fill");
    },
  },
  {
    name: "warm-up-as-always",
    weight: 1.5,
    faulty: false,
    needs: { minFine: 6 * 3600, profile: { hasP99: true }, accept: (p) => p.traffic !== "trickle" },
    play(s) {
      const svc = s.any();
      const t = s.moment(14 * minute);
      const slow = s.rng.range(1.7, 3);
      const tau = s.rng.range(45, 80);
      s.lock(svc.name, s.h0 - 86400);
      for (const at of [
        t - s.rng.range(4.2, 5.5) * 3600,
        t - s.rng.range(2.6, 3.6) * 3600,
        t - s.rng.range(1.2, 2.1) * 3600,
        t,
      ]) {
        const d = s.deploy(svc.name, at, { shape: "switch", calm: true });
        s.happen({ service: svc.name, from: d.live, latMul: slow * s.rng.range(0.9, 1.1), decay: tau });
      }
      s.background(s.rng.int(0, 2));
      return s.innocence(
        "after each deploy of the day this service was slow for two minutes while it warmed up, and so it is now",
        orAdvice,
      );
    },
  },
];
