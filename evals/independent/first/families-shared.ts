// Guilty changes whose harm shows elsewhere or binds several releases: contracts between releases, and the slow mechanics
// of shared resources (caches, connection pools, retries, queries in a loop), where the service that hurts most is often
// not the one that was changed.
import { blameDeploy, complain, decoy, type Family } from "./families-deploy.ts";
import { blame, busy, heavyCall } from "./families-switch.ts";
import { above, below } from "./world.ts";

export const SHARED_FAMILIES: Family[] = [
  {
    name: "contract-set",
    weight: 3.5,
    about: "a guilty release that one or two releases of its callers already require: all go back together",
    build(sc) {
      const s = sc.choose(
        (x) => [...new Set(sc.world.calls.filter((c) => c.to === x.name).map((c) => c.from))].length >= 1,
      );
      const callers = sc.rng.shuffle([...new Set(sc.world.calls.filter((c) => c.to === s.name).map((c) => c.from))]);
      const t = sc.moment(15);
      const b = sc.deploy(s.name, t - sc.rng.int(420, 780), { extra: { provides: { api: `v${sc.rng.int(2, 9)}` } } });
      const set = [b.id];
      const a = sc.deploy(callers[0] as string, b.finished + sc.rng.int(10, 90), {
        extra: { requires: { [s.name]: b.to } },
      });
      set.push(a.id);
      const top = sc.rng.shuffle([...new Set(sc.world.calls.filter((c) => c.to === a.service).map((c) => c.from))])[0];
      if (callers[1] && sc.rng.chance(0.35))
        set.push(
          sc.deploy(callers[1], b.finished + sc.rng.int(10, 90), { extra: { requires: { [s.name]: b.to } } }).id,
        );
      else if (top && sc.rng.chance(0.3))
        set.push(
          sc.deploy(top, Math.min(t - 60, a.finished + 15), { seconds: 50, extra: { requires: { [a.service]: a.to } } })
            .id,
        );
      const free = sc.world.services.filter(
        (x) => x.tier !== "store" && !sc.changes.some((c) => c.started > sc.start - 2400 && c.service === x.name),
      );
      if (free.length > 0 && sc.rng.chance(0.5)) decoy(sc, sc.rng.pick(free).name, t - sc.rng.int(30, 240));
      sc.effect(b, { err: sc.errorSize(s.name, t, 0.04, 0.8) }, { from: t, share: () => 1 });
      complain(sc, b, { from: t + 4 });
      for (const n of sc.relatives(s.name)) {
        sc.reserved.add(n);
        sc.sensitive.add(n);
      }
      blame(
        sc,
        "contract-set",
        b,
        `${s.name} ${b.to} fails once its first tokens and snapshots expire; what requires it cannot stay when it goes`,
        {
          targets: set,
          onset: t,
        },
      );
    },
  },
  {
    name: "dependent-guilty",
    weight: 2,
    about: "of two releases tied by a contract only the one that requires is bad; the other may stay",
    build(sc) {
      const call = sc.rng.pick(
        sc.world.calls.filter(
          (c) =>
            sc.world.services.some((s) => s.name === c.to && s.tier !== "store") && sc.rateOf(c.from, sc.start) > 0.4,
        ),
      );
      const t = sc.moment(14);
      const b = sc.deploy(call.to, t - sc.rng.int(360, 700), {
        extra: { provides: { schema: `${sc.rng.int(2, 30)}` } },
      });
      const a = sc.deploy(call.from, t, { extra: { requires: { [call.to]: b.to } } });
      sc.effect(a, { err: sc.errorSize(call.from, t, 0.03, 0.9), fast: sc.rng.chance(0.5) });
      complain(sc, a);
      for (const n of [call.to, ...above(sc.world, call.to)]) {
        sc.reserved.add(n);
        sc.sensitive.add(n);
      }
      blameDeploy(
        sc,
        "dependent-guilty",
        a,
        `${call.from} fails by itself; ${call.to} ${b.to} serves old and new callers alike and is not hurt`,
      );
    },
  },
  {
    name: "two-guilty",
    weight: 1,
    about: "two unrelated bad releases of one train, at the same moment",
    world: busy(20, 2000),
    build(sc) {
      const t = sc.moment();
      const a = sc.choose(undefined, { minRate: 4 });
      const far = sc.world.services.filter(
        (x) => x.tier !== "store" && x !== a && !sc.relatives(a.name).has(x.name) && sc.rateOf(x.name, t) > 2,
      );
      if (far.length === 0) throw new Error("no unrelated service");
      const b = sc.rng.pick(far);
      const first = sc.deploy(a.name, t, { seconds: 60 });
      const second = sc.deploy(b.name, t + sc.rng.int(0, 5), { seconds: 60 });
      sc.effect(first, { err: sc.rng.uniform(0.35, 0.7) });
      sc.effect(second, { err: sc.rng.uniform(0.12, 0.22) });
      complain(sc, first);
      complain(sc, second);
      sc.reserved.add(b.name);
      blame(
        sc,
        "two-guilty",
        first,
        `${a.name} and ${b.name} are not related and both fail by themselves; ${a.name} the more`,
        {
          targets: [first.id, second.id],
          onset: t + 8,
        },
      );
    },
  },
  {
    name: "cache-cold",
    weight: 2,
    about: "a change of the cache key empties a cache for good; the store behind it takes the load",
    world: busy(10, 2000),
    build(sc) {
      const t = sc.moment();
      const { call, share } = heavyCall(sc, (c) => !!c.pool, t);
      call.cacheHit = call.cacheHit ?? sc.rng.uniform(0.8, 0.95);
      const left = sc.rng.uniform(0.02, 0.25);
      const mul = (1 - left) / (1 - call.cacheHit);
      const d = sc.service(call.to);
      d.capacity = Math.max(
        sc.rateOf(d.name, t) * 1.2,
        (sc.rateOf(d.name, t) * (1 + share * (mul - 1))) / sc.rng.uniform(0.98, 1.3),
      );
      if (sc.rng.chance(0.7)) sc.shape.custom = true;
      const c = sc.rng.chance(0.5) ? sc.config(call.from, t) : sc.deploy(call.from, t);
      sc.effect(c, { cacheHit: left });
      for (const n of [call.to, ...above(sc.world, call.to)]) {
        sc.reserved.add(n);
        sc.sensitive.add(n);
      }
      blame(
        sc,
        "cache-cold",
        c,
        `${call.from} misses its cache since the change and sends ${mul.toFixed(1)} times the reads to ${call.to}`,
        {
          onset: c.started + (c.kind === "deploy" ? 8 : 6),
        },
      );
    },
  },
  {
    name: "pool-exhaustion",
    weight: 2.5,
    about: "a release does not give connections back; the pool runs dry within minutes",
    build(sc) {
      const t = sc.moment(4, 30);
      const call = sc.rng.pick(sc.world.calls.filter((c) => c.pool && sc.rateOf(c.from, t) > 1));
      const c = sc.deploy(call.from, t);
      const span = sc.rng.uniform(300, 840);
      if (sc.rng.chance(0.6)) sc.shape.custom = true;
      sc.effect(c, { poolMul: 0.03 }, { gain: (x) => Math.min(1, Math.max(0, (x - t) / span)) });
      complain(sc, c, {
        from: t + span * 0.75,
        text: (r) => `timed out waiting for a connection: ${r.int(18, 64)} in use, 0 idle, ${r.int(5, 200)} waiting`,
        perMinute: 3,
      });
      blameDeploy(sc, "pool-exhaustion", c, `${call.from} ${c.to} leaks connections to ${call.to}`);
    },
  },
  {
    name: "retry-storm",
    weight: 2,
    about: "shorter timeouts and more retries turn a hiccup of a called service into a storm that feeds itself",
    world: busy(20, 2000),
    build(sc) {
      const t = sc.moment(4, 22);
      const { call, share } = heavyCall(
        sc,
        (c) => sc.service(c.to).tier !== "store" && c.weight > 0.5 && c.fan > 0.25,
        t,
      );
      const d = sc.service(call.to);
      if (share < 0.35) throw new Error("too small a caller");
      d.capacity = sc.rateOf(d.name, t) / sc.rng.uniform(0.68, 0.77);
      const u = sc.usual(call.to, t);
      const ms = Math.max(2, Math.round(u.p50 * sc.rng.uniform(1.15, 1.7)));
      const asDeploy = sc.rng.chance(0.4);
      const c = asDeploy
        ? sc.deploy(call.from, t)
        : sc.config(
            call.from,
            t,
            sc.rng.chance(0.5)
              ? { from: `${call.to}.retry=${call.retries}/${call.timeout}ms`, to: `${call.to}.retry=9/${ms}ms` }
              : {},
          );
      sc.effect(c, { timeout: { [call.to]: ms }, retries: { [call.to]: 9 } });
      const hiccup = t + sc.rng.int(90, 240);
      sc.event(call.to, { capMul: 0.5 }, (x) => (x > hiccup && x < hiccup + 60 ? 1 : 0));
      for (const n of [call.to, ...above(sc.world, call.to)]) {
        sc.reserved.add(n);
        sc.sensitive.add(n);
      }
      blame(
        sc,
        "retry-storm",
        c,
        `${call.from} gives ${call.to} ${ms} ms and nine more tries since the change; the load of the retries keeps ${call.to} overloaded`,
        { onset: t + 8 },
      );
    },
  },
  {
    name: "n-plus-one",
    weight: 3,
    about: "a release asks a shared store in a loop; the store saturates and hurts services that were not touched",
    world: busy(8, 2000),
    build(sc) {
      const t = sc.moment();
      const { call, share } = heavyCall(sc, (c) => !!c.pool, t);
      const d = sc.service(call.to);
      const mul = sc.rng.uniform(5, 25);
      d.capacity = Math.max(
        sc.rateOf(d.name, t) * 1.2,
        (sc.rateOf(d.name, t) * (1 + share * (mul - 1))) / sc.rng.uniform(0.9, 1.25),
      );
      call.pool = Math.ceil((call.pool as number) * 3);
      const other = sc.rng.shuffle(
        [...above(sc.world, call.to)].filter(
          (n) => n !== call.from && !above(sc.world, call.from).has(n) && !below(sc.world, call.from).has(n),
        ),
      )[0];
      if (other && sc.rng.chance(0.6)) decoy(sc, other, t - sc.rng.int(120, 900));
      const c = sc.deploy(call.from, t);
      sc.effect(c, { fan: { [call.to]: mul } });
      for (const n of [call.to, ...above(sc.world, call.to)]) {
        sc.reserved.add(n);
        sc.sensitive.add(n);
      }
      blameDeploy(
        sc,
        "n-plus-one",
        c,
        `${call.from} ${c.to} sends ${mul.toFixed(0)} queries where it sent one; ${call.to} and all who use it slow down`,
      );
    },
  },
];
