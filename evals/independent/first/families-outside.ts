// Spans in which real trouble comes from outside, from load or from machines, or passes by itself, and nothing that anybody
// changed should be taken back. Most have an innocent change close by, because that is when a careless rule acts.
import { decoy, type Family } from "./families-deploy.ts";
import type { Rng } from "./rng.ts";
import type { Scenario } from "./scenario.ts";
import type { Service } from "./types.ts";
import { above } from "./world.ts";

export const TICKET = ["no_action", "hotfix_recommendation"];
const during = (from: number, to: number) => (t: number) => (t > from && t < to ? 1 : 0);
export const trapezoid = (from: number, to: number, ramp: number) => (t: number) =>
  Math.max(0, Math.min(1, (t - from) / ramp, (to - t) / ramp));

export function bystanders(sc: Scenario, t: number, n = 1): void {
  const names = sc.world.services.filter((s) => s.tier !== "store" && !sc.reserved.has(s.name)).map((s) => s.name);
  for (const name of sc.rng.shuffle(names).slice(0, n)) decoy(sc, name, t + sc.rng.int(-900, 400));
}

/** Nothing that could be suspected: no change of the service or what is below or above it for a while before. */
export function cleanBefore(sc: Scenario, s: Service, t: number, minutes = 50): void {
  for (const n of sc.relatives(s.name)) sc.reserved.add(n);
  sc.clear(t - minutes * 60, t + 60, sc.relatives(s.name));
}

export const OUTSIDE_FAMILIES: Family[] = [
  {
    name: "external-outage",
    weight: 4,
    about: "an outside dependency fails or crawls; a release of some service is near",
    build(sc) {
      const x = sc.rng.pick(sc.world.externals);
      const caller = sc.world.calls.find((c) => c.to === x.name) as { from: string };
      const t = sc.moment(6);
      const to = sc.rng.chance(0.5) ? sc.end + 60 : t + sc.rng.int(500, 1800);
      sc.event(
        x.name,
        sc.rng.chance(0.6)
          ? { err: sc.rng.uniform(0.35, 1) }
          : { latMul: sc.rng.uniform(12, 60), err: sc.rng.uniform(0, 0.3) },
        trapezoid(t, to, sc.rng.uniform(5, 90)),
      );
      sc.shape.logs = true;
      if (sc.rng.chance(0.5)) sc.shape.spans = true;
      const s = sc.service(caller.from);
      if (sc.rng.chance(0.5)) decoy(sc, s.name, t - sc.rng.int(1200, 2600));
      else {
        const up = sc.rng.shuffle([...above(sc.world, s.name)])[0];
        if (up) decoy(sc, up, t - sc.rng.int(60, 700));
      }
      for (const n of sc.relatives(s.name)) sc.reserved.add(n);
      sc.innocent(
        "external-outage",
        `${x.name} is down; ${s.name} says so in its logs, and no change made it so`,
        TICKET,
      );
    },
  },
  {
    name: "traffic-surge",
    weight: 3,
    about: "far more users than usual; services saturate, shortly after a release",
    build(sc) {
      const t = sc.moment(8, 16);
      sc.shape.resources = true;
      const hottest = Math.max(...sc.world.services.map((s) => sc.rateOf(s.name, t) / s.capacity));
      const mul = Math.max(1.7, sc.rng.uniform(0.95, 1.3) / hottest);
      const ramp = sc.rng.uniform(90, 420);
      for (const e of sc.world.entries)
        sc.event(
          e.service,
          { trafficMul: mul },
          trapezoid(t, sc.rng.chance(0.5) ? sc.end + 900 : t + sc.rng.int(900, 2400), ramp),
        );
      bystanders(sc, t - 300, 1);
      sc.innocent(
        "traffic-surge",
        "traffic at the edge rises first and everywhere; the system is short of capacity",
        TICKET,
      );
    },
  },
  {
    name: "dead-node",
    weight: 2.5,
    about: "a machine dies with a pod of each of several services; they come back on another one",
    build(sc) {
      const t = sc.moment(6);
      const hit = sc.rng
        .shuffle(sc.world.services.filter((s) => s.tier !== "store" && s.pods >= 2))
        .slice(0, sc.rng.int(2, 4));
      const back = sc.rng.int(150, 420);
      sc.shape.health = true;
      for (const s of hit) {
        const lost = 1 / s.pods;
        const drain = sc.rng.int(30, 70);
        sc.event(s.name, { err: lost * sc.rng.uniform(0.5, 0.9), fast: true }, during(t, t + drain));
        sc.event(s.name, { capMul: 1 - lost, unready: 1 }, during(t + 5, t + back));
        sc.zone.push({
          service: s.name,
          label: `${s.name}-${sc.rng.hex(9)}-${sc.rng.hex(5)}`,
          from: t + 5,
          to: t + back,
        });
        sc.reserved.add(s.name);
      }
      const node = `ip-10-4-${sc.rng.int(1, 250)}-${sc.rng.int(1, 250)}`;
      sc.plannedAlerts.push({
        at: t + 45,
        end: t + 1500,
        labels: { alertname: "KubeNodeNotReady", node, severity: "warning" },
        text: `node ${node} has been unready`,
      });
      const first = hit[0] as Service;
      sc.logs.push({
        service: first.name,
        level: "error",
        perMinute: (x) => (x > t && x < t + 60 ? 4 : 0),
        text: (r) => `dial tcp 10.4.${r.int(1, 250)}.${r.int(2, 250)}:8080: connect: no route to host`,
      });
      const quiet = sc.world.services.filter((s) => s.tier !== "store" && !sc.reserved.has(s.name));
      if (quiet.length > 0) decoy(sc, sc.rng.pick(quiet).name, t - sc.rng.int(30, 500));
      sc.innocent("dead-node", `node ${node} died; its pods came back elsewhere`, TICKET);
    },
  },
  {
    name: "blip",
    weight: 3,
    about: "one or two minutes of errors or slowness that pass by themselves, a release not far away",
    build(sc) {
      const t = sc.moment(14);
      const s = sc.choose(undefined, { minRate: 1 });
      const long = sc.rng.int(35, 130);
      sc.event(
        s.name,
        sc.rng.chance(0.6) ? { err: sc.rng.uniform(0.03, 0.35) } : { latMul: sc.rng.uniform(3, 12) },
        during(t, t + long),
      );
      if (sc.rng.chance(0.5)) decoy(sc, s.name, t - sc.rng.int(700, 1500));
      else {
        cleanBefore(sc, s, t, 30);
        const far = sc.world.services.filter((x) => x.tier !== "store" && !sc.relatives(s.name).has(x.name));
        if (far.length > 0) decoy(sc, sc.rng.pick(far).name, t - sc.rng.int(20, 300));
      }
      for (const n of sc.relatives(s.name)) sc.reserved.add(n);
      sc.innocent("blip", `${s.name} hiccups for ${long} s and is well again without anybody's doing`, TICKET);
    },
  },
  {
    name: "rollout-churn",
    weight: 2.5,
    about: "a release cuts connections of the pods that it replaces, as its earlier ones did; then all is well",
    build(sc) {
      const t = sc.moment(4);
      const s = sc.choose(undefined, { minRate: 2 });
      if (sc.shape.split === "none") sc.shape.split = "rollout";
      sc.shape.fineHistory = Math.max(7200, sc.shape.fineHistory);
      sc.clear(sc.start - 7200, t, new Set([s.name]));
      const err = sc.rng.uniform(0.015, 0.09);
      const before = sc.deploy(s.name, sc.start - sc.rng.int(2400, 6000));
      sc.churn(before, err * sc.rng.uniform(0.8, 1.2));
      const c = sc.deploy(s.name, t, { seconds: sc.rng.int(60, 150) });
      sc.churn(c, err);
      sc.reserved.add(s.name);
      sc.innocent(
        "rollout-churn",
        `only the old pods of ${s.name} fail, while they are replaced; the new version is healthy`,
        TICKET,
      );
    },
  },
  {
    name: "store-failover",
    weight: 1.5,
    about: "a shared store fails over: a minute of errors, a few of slowness",
    build(sc) {
      const t = sc.moment(8);
      const d = sc.rng.pick(sc.world.services.filter((s) => s.tier === "store"));
      const long = sc.rng.int(25, 80);
      const after = sc.rng.int(90, 240);
      sc.event(d.name, { err: sc.rng.uniform(0.4, 1), fast: true }, during(t, t + long));
      sc.event(d.name, { latMul: sc.rng.uniform(2, 5) }, (x) =>
        x > t + long ? Math.max(0, 1 - (x - t - long) / after) : 0,
      );
      sc.logs.push({
        service: d.name,
        level: "warn",
        perMinute: (x) => (x > t && x < t + long ? 6 : 0),
        text: (r) => `promoted replica ${r.int(1, 3)} to primary, timeline ${r.int(4, 40)}`,
      });
      cleanBefore(sc, d, t, 15);
      sc.innocent("store-failover", `${d.name} changed its primary; its users failed for a minute`, TICKET);
    },
  },
  {
    name: "no-change-outage",
    weight: 2.5,
    about:
      "a lasting outage with no change anywhere near it: a certificate, a full disk, a name that no longer resolves",
    build(sc) {
      const t = sc.moment(6);
      const s = sc.choose();
      cleanBefore(sc, s, t, 75);
      sc.event(s.name, { err: sc.errorSize(s.name, t, 0.2, 1), fast: true }, (x) => (x > t ? 1 : 0));
      const text = sc.rng.pick([
        () => "x509: certificate has expired or is not yet valid",
        (r: Rng) => `write /var/data/segment-${r.int(1, 900)}: no space left on device`,
        (r: Rng) => `lookup peers.internal on 10.0.0.2:53: server misbehaving (${r.int(1, 5)})`,
      ]);
      sc.logs.push({ service: s.name, level: "error", perMinute: (x) => (x > t ? 2 : 0), text });
      const far = sc.world.services.filter((x) => x.tier !== "store" && !sc.relatives(s.name).has(x.name));
      if (far.length > 0 && sc.rng.chance(0.6)) decoy(sc, sc.rng.pick(far).name, t - sc.rng.int(60, 900));
      sc.innocent(
        "no-change-outage",
        `${s.name} broke by itself; nothing that reaches it was changed for more than an hour`,
        TICKET,
      );
    },
  },
];
