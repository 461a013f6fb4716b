// Spans in which nothing should be done for other reasons: samples that are missing or reset, harm that is older than every
// change or already being undone, peaks and jobs that come every day, tests, warm-ups, and days on which all is well.
import { decoy, type Family } from "./families-deploy.ts";
import { bystanders, cleanBefore, TICKET, trapezoid } from "./families-outside.ts";
import { above } from "./world.ts";

export const QUIET_FAMILIES: Family[] = [
  {
    name: "scrape-gap",
    weight: 2,
    about: "no samples for some minutes, around a release; before and after all is well",
    build(sc) {
      const t = sc.moment(6);
      const one = sc.rng.chance(0.4);
      const s = sc.choose();
      sc.gaps.push({ from: t, to: t + sc.rng.int(150, 800), ...(one ? { service: s.name } : {}) });
      decoy(sc, s.name, t - sc.rng.int(-40, 200));
      sc.innocent("scrape-gap", "the metrics are missing for a while; what is there is normal");
    },
  },
  {
    name: "metric-reset",
    weight: 1.5,
    about: "counters start again at zero with a release: one odd sample and nothing else",
    build(sc) {
      const t = sc.moment(6);
      const s = sc.choose(undefined, { minRate: 1 });
      sc.shape.custom = true;
      const c = decoy(sc, s.name, t);
      sc.resets.push({ service: s.name, at: c.finished });
      sc.innocent("metric-reset", `counters of ${s.name} were reset when its pods were replaced`);
    },
  },
  {
    name: "older-anomaly",
    weight: 3,
    about: "harm that began long before the watch and before every change in it",
    build(sc) {
      const s = sc.choose();
      const t = sc.start - sc.rng.int(1500, 2700);
      sc.shape.fineHistory = Math.max(sc.shape.fineHistory, sc.rng.chance(0.3) ? 1800 : 5400);
      cleanBefore(sc, s, t, 80);
      for (const c of [...sc.changes]) if (c.started > t - 4000) sc.clear(c.started, c.started);
      sc.event(
        s.name,
        sc.rng.chance(0.7) ? { err: sc.errorSize(s.name, t, 0.03, 0.5) } : { latMul: sc.rng.uniform(3, 8) },
        (x) => (x > t ? 1 : 0),
      );
      decoy(sc, s.name, sc.moment(4));
      bystanders(sc, sc.moment(16), 1);
      sc.innocent(
        "older-anomaly",
        `${s.name} has been bad since before the watch; the releases within it made it no worse`,
        TICKET,
      );
    },
  },
  {
    name: "seasonal-peak",
    weight: 3,
    about: "the peak of every day, as the history shows; a release just before it",
    world: (r) => ({ rate: r.logUniform(20, 2000) }),
    build(sc) {
      const t = sc.moment(12, 16);
      const hour = (t % 86400) + 600;
      const width = sc.rng.uniform(700, 1500);
      const mul = sc.rng.uniform(1.5, 2.1);
      sc.shape.coarseDays = sc.rng.pick([8, 15, 22]);
      for (const e of sc.world.entries)
        sc.event(e.service, { trafficMul: mul }, (x) =>
          Math.exp((-0.5 * (((x - hour + 43200 + 86400) % 86400) - 43200) ** 2) / width ** 2),
        );
      const s = sc.choose(undefined, { minRate: 2 });
      for (const x of sc.world.services) x.capacity *= mul; // a system that lives through this every day
      s.capacity = (sc.rateOf(s.name, t) * mul) / sc.rng.uniform(0.78, 0.88);
      sc.shape.resources = true;
      decoy(sc, sc.rng.chance(0.5) ? s.name : sc.choose().name, t - sc.rng.int(200, 1000));
      sc.innocent("seasonal-peak", "load and latency rise as they do at this hour of every day");
    },
  },
  {
    name: "batch-job",
    weight: 2.5,
    about: "a job that runs every hour or every day loads a store; a release is close to its start",
    build(sc) {
      const t = sc.moment(8, 18);
      const d = sc.rng.pick(sc.world.services.filter((s) => s.tier === "store"));
      const hourly = sc.rng.chance(0.5);
      const period = hourly ? 3600 : 86400;
      const long = sc.rng.int(360, 900);
      if (hourly) sc.shape.fineHistory = 14400;
      else sc.shape.coarseDays = sc.rng.pick([5, 8, 15]);
      const rho = sc.rateOf(d.name, t) / d.capacity;
      const size = Math.min(0.8, rho / sc.rng.uniform(0.7, 0.85));
      sc.event(d.name, { capMul: size, latMul: sc.rng.uniform(1.4, 2.2) }, (x) => {
        const phase = (((x - t) % period) + period) % period;
        return phase < long ? Math.min(1, phase / 40, (long - phase) / 40) : 0;
      });
      const user = sc.rng.pick([...new Set(sc.world.calls.filter((c) => c.to === d.name).map((c) => c.from))]);
      decoy(sc, user, t - sc.rng.int(60, 600));
      sc.innocent(
        "batch-job",
        `a job on ${d.name} runs ${hourly ? "every hour" : "every day"} at this time, with the same effect each time`,
      );
    },
  },
  {
    name: "deploys-during-incident",
    weight: 2.5,
    about: "somebody else's trouble, and releases of the services that it hurts after it began",
    build(sc) {
      const t = sc.moment(6, 25);
      const d = sc.rng.chance(0.6)
        ? sc.rng.pick(sc.world.services.filter((s) => s.tier === "store"))
        : sc.choose((x) => x.tier === "leaf");
      cleanBefore(sc, d, t, 60);
      sc.event(
        d.name,
        sc.rng.chance(0.5) ? { err: sc.rng.uniform(0.1, 0.6) } : { latMul: sc.rng.uniform(6, 30) },
        trapezoid(t, sc.end + 600, sc.rng.uniform(5, 200)),
      );
      if (sc.rng.chance(0.6))
        sc.logs.push({
          service: d.name,
          level: "error",
          perMinute: (x) => (x > t ? 2 : 0),
          text: (r) => `I/O error on volume vol-${r.int(10, 99)}: retrying sector ${r.int(100000, 9999999)}`,
        });
      for (const n of sc.rng.shuffle([...above(sc.world, d.name)]).slice(0, sc.rng.int(2, 3)))
        decoy(sc, n, t + sc.rng.int(150, 1000));
      sc.innocent(
        "deploys-during-incident",
        `${d.name} is ill from its own hardware; every release came after that began`,
        TICKET,
      );
    },
  },
  {
    name: "deploy-that-fixes",
    weight: 2,
    about: "an old fault, and the release that removes it",
    build(sc) {
      const s = sc.choose();
      const t = sc.moment(12);
      const since = sc.start - sc.rng.int(1500, 2600);
      cleanBefore(sc, s, since, 80);
      for (const c of [...sc.changes]) if (c.started > since - 4000) sc.clear(c.started, c.started);
      const c = sc.deploy(s.name, t);
      const size = sc.errorSize(s.name, t, 0.05, 0.6);
      sc.mods.push({
        on: s.name,
        deploy: `not ${c.id}`,
        effect: { err: size },
        share: (x) => (x > since ? 1 : 0),
        gain: () => 1,
      });
      sc.reserved.add(s.name);
      sc.innocent("deploy-that-fixes", `${c.to} of ${s.name} ends an older fault`);
    },
  },
  {
    name: "people-roll-back-already",
    weight: 2,
    about: "a bad release from before the watch that people are just taking back",
    build(sc) {
      const s = sc.choose();
      sc.clear(sc.start - 6000, sc.start, new Set([s.name]));
      const t = sc.start - sc.rng.int(600, 1400);
      const c = sc.deploy(s.name, t, { seconds: 60 });
      sc.effect(c, { err: sc.errorSize(s.name, t, 0.05, 0.9) });
      sc.deploy(s.name, sc.start - sc.rng.int(15, 60), { to: c.from, seconds: sc.rng.int(90, 200) });
      sc.reserved.add(s.name);
      sc.innocent(
        "people-roll-back-already",
        `${c.to} of ${s.name} was bad, and ${c.from} is on its way back when the watch begins`,
      );
    },
  },
  {
    name: "quiet-busy-day",
    weight: 4,
    about: "eight to sixteen changes of all kinds, and nothing wrong",
    build(sc) {
      sc.everyday(sc.rng.int(8, 16));
      sc.innocent("quiet-busy-day", "many changes, no harm");
    },
  },
  {
    name: "load-test",
    weight: 1.5,
    about: "a planned load test in clean steps at one edge",
    build(sc) {
      const t = sc.moment(6, 22);
      const e = sc.rng.pick(sc.world.entries);
      const hottest = Math.max(
        ...[...sc.relatives(e.service)]
          .filter((n) => sc.world.order.includes(n))
          .map((n) => sc.rateOf(n, t) / sc.service(n).capacity),
      );
      const mul = Math.max(1.35, Math.min(sc.rng.uniform(1.6, 2.4), 0.88 / hottest));
      const stage = sc.rng.int(180, 300);
      sc.event(e.service, { trafficMul: mul }, (x) =>
        x < t || x > t + 4 * stage ? 0 : (Math.floor((x - t) / stage) + 1) / 4,
      );
      sc.shape.logs = true;
      sc.logs.push({
        service: e.service,
        level: "info",
        perMinute: (x) => (x > t && x < t + 4 * stage ? 3 : 0),
        text: (r) => `200 GET /bench/${r.int(1, 40)} ua="k6/0.49 (planned load test LT-${r.int(100, 140)})"`,
      });
      sc.plannedAlerts.push({
        at: t - 60,
        end: t + 4 * stage,
        labels: { alertname: "PlannedLoadTest", service: e.service, severity: "info" },
        text: `load test announced for ${e.service}`,
      });
      bystanders(sc, t, 1);
      sc.innocent("load-test", `a planned test sends stepped load through ${e.service}`);
    },
  },
  {
    name: "warm-up",
    weight: 3,
    about: "a release is slow while its pods warm up, as its earlier ones were, and then as fast as before",
    build(sc) {
      const t = sc.moment(6);
      const s = sc.choose(undefined, { minRate: 3 });
      sc.shape.fineHistory = Math.max(7200, sc.shape.fineHistory);
      sc.clear(sc.start - 7200, t, new Set([s.name]));
      const mul = sc.rng.uniform(1.8, 4);
      const tau = sc.rng.uniform(25, 60);
      const add = sc.usual(s.name, t).p50 * (mul - 1);
      for (const at of [sc.start - sc.rng.int(2700, 6000), t]) {
        const c = sc.deploy(s.name, at, { seconds: sc.rng.int(60, 120) });
        sc.effect(
          c,
          { latAdd: add * sc.rng.uniform(0.85, 1.15), slowShare: 0.7 },
          { gain: (x) => (x < c.finished ? 1 : x < c.finished + 6 * tau ? Math.exp((c.finished - x) / tau) : 0) },
        );
      }
      sc.reserved.add(s.name);
      sc.innocent(
        "warm-up",
        `fresh pods of ${s.name} are slow for a minute or two after each release, and then are not`,
        TICKET,
      );
    },
  },
  {
    name: "low-traffic-noise",
    weight: 3,
    about: "three requests a minute, of which one fails now and then; a release among them",
    world: (r) => ({ rate: r.logUniform(0.05, 0.25), small: true }),
    build(sc) {
      sc.shape.step = sc.rng.pick([30, 60]);
      sc.shape.window = 0;
      for (const s of sc.world.services) s.baseErr = Math.max(s.baseErr, sc.rng.uniform(0.003, 0.03));
      bystanders(sc, sc.moment(18), 2);
      sc.innocent("low-traffic-noise", "single failures among a few requests, before the release as after it");
    },
  },
  {
    name: "canary-healthy",
    weight: 1.5,
    about: "a small canary that is as good as the version beside it",
    build(sc) {
      const s = sc.choose(undefined, { minRate: 3 });
      if (sc.shape.split === "none") sc.shape.split = "rollout";
      sc.deploy(s.name, sc.moment(), { canary: sc.rng.pick([0.05, 0.1, 0.2]) });
      sc.reserved.add(s.name);
      sc.innocent("canary-healthy", "the canary does not differ from its baseline");
    },
  },
  {
    name: "bot-traffic",
    weight: 1,
    about: "a scraper at one edge: more requests, many of them refused; nothing was changed",
    build(sc) {
      const t = sc.moment(8);
      const e = sc.rng.pick(sc.world.entries);
      const s = sc.service(e.service);
      cleanBefore(sc, s, t, 45);
      const f = trapezoid(t, sc.rng.chance(0.5) ? sc.end + 900 : t + sc.rng.int(600, 1500), 40);
      const more = sc.rng.uniform(1.25, 1.7);
      const refused = (1 - 1 / more) * 0.95;
      const fan = Object.fromEntries(sc.world.calls.filter((c) => c.from === s.name).map((c) => [c.to, 1 - refused]));
      sc.event(s.name, { trafficMul: more, fan, cpuMul: 1 / more }, f);
      sc.event(s.name, { err: refused, fast: true }, f);
      sc.shape.logs = true;
      sc.logs.push({
        service: s.name,
        level: "warn",
        perMinute: (x) => f(x) * 4,
        text: (r) =>
          `refused: client 185.${r.int(1, 250)}.${r.int(1, 250)}.${r.int(1, 250)} over quota, ua="python-requests/2.${r.int(20, 32)}"`,
      });
      sc.innocent("bot-traffic", `a scraper floods ${s.name} and is refused`, TICKET);
    },
  },
  {
    name: "traffic-drop",
    weight: 1,
    about: "traffic moves to another region; fewer requests, all of them well",
    build(sc) {
      const t = sc.moment(6);
      const left = sc.rng.uniform(0.35, 0.65);
      for (const e of sc.world.entries)
        sc.event(e.service, { trafficMul: left }, trapezoid(t, sc.end + 900, sc.rng.uniform(60, 500)));
      const edges = new Set(sc.world.entries.map((e) => e.service));
      for (const n of edges) sc.reserved.add(n);
      sc.clear(t - 2400, t + 60, edges);
      sc.innocent(
        "traffic-drop",
        "all edges lose the same share of traffic, with no more errors and no slower answers",
        TICKET,
      );
    },
  },
];
