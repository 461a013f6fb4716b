// Guilty deploys: the commonest trouble. Each family sets up one kind of bad release (errors, slowness, leak, CPU, crash
// loop, stuck rollout, stages, canary), with decoys where a careless eye would blame a neighbour.
import { bug } from "./phrases.ts";
import type { Rng } from "./rng.ts";
import type { Scenario } from "./scenario.ts";
import type { Change, Effect } from "./types.ts";
import { above, below } from "./world.ts";

export type Family = {
  name: string;
  weight: number;
  about: string;
  world?: (r: Rng) => { rate?: number; small?: boolean; minutes?: number };
  build: (sc: Scenario) => void;
};

/** Log lines of a fault in a changed service, on the changed version alone. */
export function complain(
  sc: Scenario,
  c: Change,
  o: { from?: number; perMinute?: number; text?: (r: Rng) => string; level?: string; until?: number } = {},
): void {
  const s = sc.service(c.service);
  const from = o.from ?? c.started + 12;
  const per = o.perMinute ?? sc.rng.logUniform(0.8, 6);
  sc.logs.push({
    service: s.name,
    level: o.level ?? "error",
    text: o.text ?? bug(sc.rng, s.lang),
    perMinute: (t) =>
      t >= from && t < (o.until ?? Number.POSITIVE_INFINITY)
        ? Math.min(per, sc.rateOf(s.name, t) * 40) *
          (c.kind === "deploy" && c.rollout ? Math.min(1, c.rollout(t) * 1.5) : 1)
        : 0,
    ...(c.kind === "deploy" ? { version: () => c.to } : {}),
  });
}

export function blameDeploy(sc: Scenario, family: string, c: Change, why: string, onset = c.started + 8): void {
  if (sc.rng.chance(0.7)) for (const n of sc.relatives(c.service)) sc.reserved.add(n);
  sc.reserved.add(c.service);
  sc.sensitive.add(c.service);
  sc.guilty({ family, action: "rollback", acceptable: ["rollback"], culprit: c.id, targets: [c.id], onset, why });
}

/** A slowdown that shows at this service: of all requests, or of some that take a slow path. */
export function slowness(sc: Scenario, name: string, t: number, strength = 1): Effect {
  const u = sc.usual(name, t);
  if (sc.rng.chance(0.6)) return { latAdd: u.p50 * sc.rng.uniform(0.7, 4) * strength + u.p99 * 0.4 };
  return { latAdd: u.p99 * sc.rng.uniform(1, 4) * strength + 60, slowShare: sc.rng.uniform(0.06, 0.35) };
}

function harm(sc: Scenario, name: string, t: number): { effect: Effect; errors: boolean } {
  return sc.rng.chance(0.7)
    ? { effect: { err: sc.errorSize(name, t), fast: sc.rng.chance(0.5) }, errors: true }
    : { effect: slowness(sc, name, t), errors: false };
}

const busy = (lo: number, hi: number) => (r: Rng) => ({ rate: r.logUniform(lo, hi) });

/** A decoy deploy that changes nothing but for the small churn that any rollout has. */
export function decoy(sc: Scenario, name: string, at: number): Change {
  const c = sc.deploy(name, at);
  if (sc.rng.chance(0.4)) sc.churn(c, sc.rng.logUniform(0.001, 0.008));
  sc.reserved.add(name);
  return c;
}

export const DEPLOY_FAMILIES: Family[] = [
  {
    name: "deploy-errors",
    weight: 6,
    about: "a release throws errors, from a percent and a half of requests to nearly all, sometimes on one route",
    build(sc) {
      const t = sc.moment();
      const s = sc.choose();
      const c = sc.deploy(s.name, t);
      const route = s.routes.length > 0 && sc.rng.chance(0.6) ? sc.rng.pick(s.routes) : null;
      const size = sc.errorSize(s.name, t);
      if (route) sc.shape.routes = sc.rng.chance(0.7);
      sc.effect(
        c,
        route
          ? { err: Math.min(size, route.share * 0.95), route: route.route }
          : { err: size, fast: sc.rng.chance(0.5) },
      );
      complain(sc, c);
      blameDeploy(
        sc,
        "deploy-errors",
        c,
        `${c.to} of ${s.name} fails requests that ${c.from} served${route ? ` on ${route.route}` : ""}`,
      );
    },
  },
  {
    name: "deploy-latency-step",
    weight: 4,
    about: "a release is slower at once, for all requests or for those on a slow path",
    build(sc) {
      const t = sc.moment();
      const s = sc.choose(undefined, { minRate: 2 });
      const c = sc.deploy(s.name, t);
      sc.effect(c, slowness(sc, s.name, t));
      if (sc.rng.chance(0.4))
        complain(sc, c, {
          level: "warn",
          text: (r) => `slow path taken: full scan of ${r.int(8000, 90000)} entries in ${r.int(300, 3000)} ms`,
          perMinute: 2,
        });
      blameDeploy(sc, "deploy-latency-step", c, `${c.to} of ${s.name} does more work for a request`);
    },
  },
  {
    name: "deploy-latency-ramp",
    weight: 3,
    about: "a release gets slower with time: a list that is never trimmed, an index that fragments",
    build(sc) {
      const t = sc.moment(4, 30);
      const s = sc.choose(undefined, { minRate: 2 });
      const c = sc.deploy(s.name, t);
      const span = sc.rng.uniform(600, 1500);
      sc.effect(c, slowness(sc, s.name, t, 2), { gain: (x) => Math.min(1.6, Math.max(0, (x - t) / span)) });
      blameDeploy(
        sc,
        "deploy-latency-ramp",
        c,
        `${c.to} of ${s.name} keeps what it should drop and slows down as that grows`,
      );
    },
  },
  {
    name: "deploy-memory-leak",
    weight: 3,
    about: "a release leaks memory: it climbs, collection slows requests, pods are killed one after another",
    world: (r) => ({ minutes: r.int(65, 90) }),
    build(sc) {
      const t = sc.moment(4, 38);
      const s = sc.choose(undefined, { minRate: 1 });
      sc.shape.resources = true;
      const c = sc.deploy(s.name, t);
      sc.effect(c, { leak: (0.985 - s.mem) / sc.rng.uniform(12, 28) });
      complain(sc, c, {
        from: t + 600,
        level: "warn",
        text: (r) => `memory pressure: heap ${r.int(86, 99)}% after full collection, pause ${r.int(200, 2400)} ms`,
        perMinute: 1.2,
      });
      blameDeploy(sc, "deploy-memory-leak", c, `${c.to} of ${s.name} leaks memory until its pods are killed`);
    },
  },
  {
    name: "deploy-cpu",
    weight: 3,
    about: "a release burns more CPU for a request and saturates at the load of the hour",
    build(sc) {
      const t = sc.moment();
      const s = sc.choose(undefined, { minRate: 3 });
      sc.shape.resources = true;
      const rho = sc.rateOf(s.name, t) / s.capacity;
      const c = sc.deploy(s.name, t);
      sc.effect(c, { cpuMul: Math.max(1.5, sc.rng.uniform(0.88, 1.15) / rho) });
      blameDeploy(sc, "deploy-cpu", c, `${c.to} of ${s.name} needs more CPU for each request than its pods have`);
    },
  },
  {
    name: "crash-loop",
    weight: 2.5,
    about: "pods of the new version start, take traffic, crash and start again",
    build(sc) {
      const t = sc.moment();
      const s = sc.choose();
      sc.shape.health = true;
      const c = sc.deploy(s.name, t);
      sc.effect(c, { unready: s.pods * sc.rng.uniform(0.45, 0.85), err: sc.rng.uniform(0.2, 0.7), fast: true });
      complain(sc, c, {
        level: sc.rng.pick(["fatal", "error"]),
        perMinute: 3,
        text: sc.rng.pick([
          () => "FATAL missing required environment variable SIGNING_KEY_ID, exiting",
          (r: Rng) => `panic: cannot load rules file: unexpected end of JSON input at offset ${r.int(100, 9000)}`,
          () => "exec /srv/app: required file not found",
        ]),
      });
      sc.plannedAlerts.push({
        at: t + sc.rng.int(100, 260),
        labels: { alertname: "KubePodCrashLooping", namespace: s.namespace, service: s.name, severity: "warning" },
        text: `a container of ${s.name} restarts again and again`,
      });
      blameDeploy(sc, "crash-loop", c, `pods of ${s.name} ${c.to} crash after they start`);
    },
  },
  {
    name: "stuck-rollout",
    weight: 2.5,
    about: "no pod of the new version ever becomes ready; the old ones go on serving",
    build(sc) {
      const t = sc.moment(4, 22);
      const s = sc.choose();
      sc.shape.health = true;
      const c = sc.deploy(s.name, t, { stuck: true });
      c.finished = sc.end + 60;
      const surge = Math.max(1, Math.round(s.pods * 0.25));
      sc.event(s.name, { unready: surge }, (x) => (x > t + 25 ? 1 : 0));
      for (let i = 0; i < surge; i++)
        sc.zone.push({
          service: s.name,
          label: `${s.name}-${sc.rng.hex(9)}-${sc.rng.hex(5)}`,
          from: t + 25,
          to: sc.end + 600,
          born: true,
        });
      sc.logs.push({
        service: s.name,
        level: "warn",
        perMinute: (x) => (x > t + 30 ? 1.5 : 0),
        version: () => c.to,
        text: sc.rng.pick([
          (r: Rng) => `readiness: migrations table not reachable after ${r.int(2, 30)} attempts, still waiting`,
          () => "Readiness probe failed: HTTP probe failed with statuscode: 503",
          (r: Rng) => `Back-off pulling image, attempt ${r.int(2, 14)}: manifest unknown`,
        ]),
      });
      sc.plannedAlerts.push({
        at: t + 660,
        labels: {
          alertname: "KubeDeploymentRolloutStuck",
          namespace: s.namespace,
          service: s.name,
          severity: "warning",
        },
        text: `rollout of ${s.name} is not progressing`,
      });
      blameDeploy(
        sc,
        "stuck-rollout",
        c,
        `no pod of ${s.name} ${c.to} becomes ready; traffic is unhurt, the rollout must be taken back`,
        t + 26,
      );
    },
  },
  {
    name: "staged-rollout",
    weight: 4,
    about: "a progressive rollout whose harm grows with each stage",
    world: busy(40, 2000),
    build(sc) {
      const t = sc.moment(4, 34);
      const s = sc.choose(undefined, { minRate: 8 });
      const shares = sc.rng.pick([
        [0.05, 0.25, 0.5, 1],
        [0.1, 0.3, 0.6, 1],
        [0.1, 0.5, 1],
        [0.05, 0.2, 0.4, 0.8, 1],
      ]);
      const every = sc.rng.int(300, 540);
      const c = sc.deploy(s.name, t, { stages: shares.map((share, i) => ({ at: t + 20 + i * every, share })) });
      if (sc.shape.split === "none" && sc.rng.chance(0.8)) sc.shape.split = "rollout";
      sc.effect(c, sc.rng.chance(0.7) ? { err: sc.rng.logUniform(0.08, 0.6) } : slowness(sc, s.name, t, 1.3));
      complain(sc, c);
      blameDeploy(sc, "staged-rollout", c, `${c.to} of ${s.name} is bad on whatever share of traffic it gets`, t + 20);
    },
  },
  {
    name: "canary-fails",
    weight: 3,
    about: "a small canary is clearly worse than the version beside it",
    world: busy(120, 2000),
    build(sc) {
      const t = sc.moment();
      const s = sc.choose(undefined, { minRate: 25 });
      sc.shape.split = sc.shape.split === "always" ? "always" : "rollout";
      const c = sc.deploy(s.name, t, { canary: sc.rng.pick([0.05, 0.1, 0.1, 0.2]) });
      sc.effect(c, sc.rng.chance(0.75) ? { err: sc.rng.logUniform(0.1, 0.9) } : slowness(sc, s.name, t, 1.5));
      complain(sc, c, { perMinute: 2 });
      blameDeploy(sc, "canary-fails", c, `the canary ${c.to} of ${s.name} is worse than ${c.from} beside it`, t + 20);
    },
  },
  {
    name: "decoy-above",
    weight: 3.5,
    about: "two deploys minutes apart: the called service is guilty, its caller only suffers",
    build(sc) {
      const s = sc.choose(
        (x) =>
          above(sc.world, x.name).size > 0 &&
          sc.world.calls.some((k) => k.to === x.name && k.weight > 0.5 && k.fan > 0.2),
      );
      const t = sc.moment(10);
      const caller = sc.rng.pick(sc.world.calls.filter((k) => k.to === s.name && k.weight > 0.5)).from;
      const gap = sc.rng.int(40, 480);
      decoy(sc, caller, sc.rng.chance(0.65) ? t - gap : t - 30);
      const c = sc.deploy(s.name, t);
      const h = harm(sc, s.name, t);
      sc.effect(c, h.effect);
      if (h.errors) complain(sc, c);
      blameDeploy(
        sc,
        "decoy-above",
        c,
        `${s.name} itself is worse; ${caller}, deployed close to it, only passes on what it gets from ${s.name}`,
      );
    },
  },
  {
    name: "decoy-below",
    weight: 3.5,
    about: "two deploys minutes apart: the caller is guilty, the called service is healthy",
    build(sc) {
      const s = sc.choose((x) =>
        sc.world.calls.some(
          (k) => k.from === x.name && sc.world.services.some((y) => y.name === k.to && y.tier !== "store"),
        ),
      );
      const t = sc.moment(10);
      const called = sc.rng.pick(
        [...below(sc.world, s.name)].filter((n) => sc.world.services.some((y) => y.name === n && y.tier !== "store")),
      );
      decoy(sc, called, t - sc.rng.int(30, 480));
      const c = sc.deploy(s.name, t);
      const h = harm(sc, s.name, t);
      sc.effect(c, h.effect);
      if (h.errors) complain(sc, c);
      blameDeploy(
        sc,
        "decoy-below",
        c,
        `${s.name} fails by itself; ${called} below it, deployed shortly before, answers as ever`,
      );
    },
  },
  {
    name: "release-train",
    weight: 3.5,
    about: "five to nine services are released within minutes; one release is bad",
    build(sc) {
      const t = sc.moment(12);
      const s = sc.choose(undefined, { minRate: 1 });
      const others = sc.rng
        .shuffle(sc.world.services.filter((x) => x.tier !== "store" && x !== s))
        .slice(0, sc.rng.int(4, 8));
      for (const o of others) decoy(sc, o.name, t + sc.rng.int(-420, 120));
      const c = sc.deploy(s.name, t);
      const h = harm(sc, s.name, t);
      sc.effect(c, h.effect);
      if (h.errors) complain(sc, c);
      blameDeploy(
        sc,
        "release-train",
        c,
        `of ${others.length + 1} releases in one train, ${s.name} ${c.to} is where it starts`,
      );
    },
  },
  {
    name: "guilty-then-bystanders",
    weight: 3,
    about: "a bad deploy, and then innocent deploys of the services that hurt while people look",
    build(sc) {
      const t = sc.moment(4, 25);
      const s = sc.choose((x) => above(sc.world, x.name).size > 0);
      const c = sc.deploy(s.name, t);
      const h = harm(sc, s.name, t);
      sc.effect(c, h.effect);
      if (h.errors) complain(sc, c);
      for (const n of sc.rng.shuffle([...above(sc.world, s.name)]).slice(0, 2)) decoy(sc, n, t + sc.rng.int(150, 900));
      blameDeploy(
        sc,
        "guilty-then-bystanders",
        c,
        `${s.name} ${c.to} broke it; what was deployed later came after the onset`,
      );
    },
  },
  {
    name: "low-traffic-guilty",
    weight: 2,
    about: "a handful of requests a minute, and a release that fails most of them",
    world: (r) => ({ rate: r.logUniform(0.12, 0.6), small: true }),
    build(sc) {
      sc.shape.step = sc.rng.pick([30, 60]);
      sc.shape.window = 0;
      const t = sc.moment(5, 25);
      const s = sc.choose(undefined, { minRate: 0.06 });
      const c = sc.deploy(s.name, t);
      sc.effect(c, { err: sc.rng.uniform(0.55, 0.97), fast: true });
      complain(sc, c, { perMinute: 3 });
      blameDeploy(
        sc,
        "low-traffic-guilty",
        c,
        `few requests, but most fail on ${c.to} of ${s.name} and none did on ${c.from}`,
      );
    },
  },
];
