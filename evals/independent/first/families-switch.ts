// Guilty changes that are not plain bad releases: flags, configuration, migrations, and releases that cannot be taken
// back.
import { complain, decoy, type Family, slowness } from "./families-deploy.ts";
import type { Rng } from "./rng.ts";
import type { Scenario } from "./scenario.ts";
import type { Call, Change } from "./types.ts";
import { above } from "./world.ts";

export const busy = (lo: number, hi: number) => (r: Rng) => ({ rate: r.logUniform(lo, hi) });

export function blame(
  sc: Scenario,
  family: string,
  c: Change,
  why: string,
  o: { onset?: number; action?: string; acceptable?: string[]; targets?: string[]; approval?: string } = {},
): void {
  const action = o.action ?? (c.kind === "flag" ? "feature_flag_disable" : "rollback");
  sc.reserved.add(c.service);
  sc.sensitive.add(c.service);
  if (sc.rng.chance(0.7)) for (const n of sc.relatives(c.service)) sc.reserved.add(n);
  sc.guilty({
    family,
    action,
    acceptable: o.acceptable ?? [action],
    culprit: c.id,
    targets: o.targets ?? [c.id],
    onset: o.onset ?? c.started + 1,
    why,
    ...(o.approval ? { approval: o.approval } : {}),
  });
}

const flagError = (flag: string) => (r: Rng) =>
  r.pick([
    `unhandled error in experiment branch "${flag}": undefined is not iterable, unit=${r.hex(8)}`,
    `variant path ${flag} raised IllegalStateException for unit=${r.hex(8)}`,
  ]);

/** A call whose target depends so much on this caller that more calls saturate it; its room is made to fit. */
export function heavyCall(sc: Scenario, fits: (c: Call) => boolean, t: number): { call: Call; share: number } {
  const all = sc.world.calls
    .filter((c) => sc.world.services.some((s) => s.name === c.to) && fits(c))
    .map((call) => ({ call, share: (sc.rateOf(call.from, t) * call.fan) / sc.rateOf(call.to, t) }))
    .filter((x) => x.share > 0.15 && sc.rateOf(x.call.from, t) > 0.5);
  const shared = all.filter((x) => sc.world.calls.filter((c) => c.to === x.call.to).length > 1);
  if (shared.length === 0) throw new Error("no such call");
  return sc.rng.pick(shared);
}

export const SWITCH_FAMILIES: Family[] = [
  {
    name: "flag-guilty-deploy-near",
    weight: 4,
    about: "a flag goes on some minutes after a release of the same service that was well until then",
    build(sc) {
      const t = sc.moment(6);
      const s = sc.choose();
      decoy(sc, s.name, t - sc.rng.int(420, 1500));
      const f = sc.flag(s.name, t);
      const errors = sc.rng.chance(0.65);
      sc.effect(f, errors ? { err: sc.errorSize(s.name, t, 0.02, 0.8) } : slowness(sc, s.name, t));
      if (errors) complain(sc, f, { from: t + 2, text: flagError(f.flag as string) });
      blame(sc, "flag-guilty-deploy-near", f, `harm begins with flag ${f.flag}, not with the release before it`);
    },
  },
  {
    name: "flag-percent-rollout",
    weight: 2.5,
    about: "a flag is raised in percentages, and the harm with it",
    world: busy(10, 2000),
    build(sc) {
      const t = sc.moment(4, 30);
      const s = sc.choose(undefined, { minRate: 6 });
      const every = sc.rng.int(180, 420);
      const steps = sc.rng.pick([
        [0.05, 0.2, 0.5, 1],
        [0.1, 0.25, 0.5],
        [0.1, 0.5, 1],
      ]);
      const f = sc.flag(s.name, t, {
        from: "0%",
        to: `${(steps[steps.length - 1] as number) * 100}%`,
        seconds: every * (steps.length - 1) + 5,
      });
      const errors = sc.rng.chance(0.7);
      sc.effect(f, errors ? { err: sc.rng.logUniform(0.15, 0.9) } : slowness(sc, s.name, t, 1.5), {
        share: (x) => steps[Math.max(0, Math.min(steps.length - 1, Math.floor((x - t) / every)))] as number,
      });
      if (errors) complain(sc, f, { from: t + 2, text: flagError(f.flag as string) });
      blame(sc, "flag-percent-rollout", f, `each step of ${f.flag} hurts as many more requests`);
    },
  },
  {
    name: "flag-loads-downstream",
    weight: 3,
    about: "a feature calls a shared service many times; that service saturates and hurts its other callers, too",
    world: busy(8, 2000),
    build(sc) {
      const t = sc.moment();
      const { call, share } = heavyCall(sc, (c) => sc.service(c.to).tier !== "store", t);
      const mul = sc.rng.uniform(4, 9);
      const d = sc.service(call.to);
      d.capacity = Math.max(
        sc.rateOf(d.name, t) * 1.25,
        (sc.rateOf(d.name, t) * (1 + share * (mul - 1))) / sc.rng.uniform(0.97, 1.25),
      );
      if (sc.rng.chance(0.5)) decoy(sc, call.to, t - sc.rng.int(500, 1500));
      const f = sc.flag(call.from, t, {
        flag: `${call.from}.${sc.rng.pick(["prefetch", "live-suggestions", "rich-cards", "eager-load"])}`,
      });
      sc.effect(f, { fan: { [call.to]: mul } });
      for (const n of [call.to, ...above(sc.world, call.to)]) {
        sc.reserved.add(n);
        sc.sensitive.add(n);
      }
      blame(
        sc,
        "flag-loads-downstream",
        f,
        `${f.flag} makes ${call.from} call ${call.to} about ${mul.toFixed(1)} times as often, which it cannot carry`,
      );
    },
  },
  {
    name: "bad-config",
    weight: 4.5,
    about: "a configuration push: a timeout too short, a pool too small, a wrong address, a CPU limit too low",
    build(sc) {
      const t = sc.moment();
      const kinds: [string, number][] = [
        ["address", 2],
        ["timeout", 2],
        ["pool", 2],
        ["limit", 1.5],
      ];
      const kind = sc.rng.weighted(kinds);
      const near = (name: string) => {
        const up = sc.rng.shuffle([...above(sc.world, name)])[0];
        if (up && sc.rng.chance(0.4)) decoy(sc, up, t - sc.rng.int(45, 600));
      };
      if (kind === "timeout") {
        const call = sc.rng.pick(
          sc.world.calls.filter(
            (c) =>
              c.weight > 0.5 &&
              c.fan > 0.25 &&
              sc.rateOf(c.from, t) > 0.5 &&
              sc.world.services.some((s) => s.name === c.to && s.tier !== "store"),
          ),
        );
        near(call.from);
        const ms = Math.max(2, Math.round(sc.usual(call.to, t).p50 * sc.rng.uniform(0.7, 1.5)));
        const c = sc.config(
          call.from,
          t,
          sc.rng.chance(0.5) ? { from: `${call.to}.timeout=${call.timeout}ms`, to: `${call.to}.timeout=${ms}ms` } : {},
        );
        sc.effect(c, { timeout: { [call.to]: ms } });
        return blame(
          sc,
          "bad-config",
          c,
          `${call.from} now waits only ${ms} ms for ${call.to}, which is well but slower than that`,
          {
            onset: t + 6,
          },
        );
      }
      if (kind === "pool") {
        const call = sc.rng.pick(sc.world.calls.filter((c) => c.pool && sc.rateOf(c.from, t) > 0.5));
        near(call.from);
        const u = sc.usual(call.from, t);
        const c = sc.config(
          call.from,
          t,
          sc.rng.chance(0.5) ? { from: `pool.max=${(call.pool as number) * 2}`, to: "pool.max=2" } : {},
        );
        sc.effect(c, { poolMul: (u.pool || 0.1) / sc.rng.uniform(1.3, 3) });
        complain(sc, c, {
          from: t + 30,
          text: (r) =>
            `could not obtain a connection to ${call.to} within ${r.int(1000, 3000)} ms (active=2, waiting=${r.int(8, 90)})`,
          perMinute: 2,
        });
        return blame(sc, "bad-config", c, `${call.from} has too few connections to ${call.to}, which itself is well`, {
          onset: t + 6,
        });
      }
      const s = sc.choose(undefined, { minRate: kind === "limit" ? 3 : 0.5 });
      near(s.name);
      const c = sc.config(s.name, t);
      if (kind === "limit") {
        sc.shape.resources = true;
        sc.effect(c, { capMul: sc.rateOf(s.name, t) / s.capacity / sc.rng.uniform(1, 1.6) });
        return blame(sc, "bad-config", c, `the CPU limit of ${s.name} was lowered below what its load needs`, {
          onset: t + 6,
        });
      }
      sc.effect(c, { err: sc.errorSize(s.name, t, 0.1, 0.99), fast: true });
      complain(sc, c, {
        from: t + 8,
        text: sc.rng.pick([
          (r: Rng) => `getaddrinfo ENOTFOUND rules.internal.example (attempt ${r.int(1, 4)})`,
          (r: Rng) => `401 from policy endpoint, key id ${r.hex(6)} unknown`,
          (r: Rng) => `cannot parse rule ${r.int(1, 80)}: unknown operator "matches_any"`,
        ]),
        perMinute: 3,
      });
      blame(sc, "bad-config", c, `${s.name} cannot work with the pushed configuration`, { onset: t + 6 });
    },
  },
  {
    name: "migration-irreversible",
    weight: 2.5,
    about: "a migration drops an index or a column that is still read; it cannot be taken back by machine",
    build(sc) {
      const t = sc.moment(6);
      const s = sc.choose((x) => sc.world.calls.some((c) => c.from === x.name && c.pool));
      const column = sc.rng.chance(0.5);
      const reversible = !column && sc.rng.chance(0.3);
      if (sc.rng.chance(0.5)) decoy(sc, s.name, t - sc.rng.int(400, 1400));
      const m = sc.migration(
        s.name,
        t,
        sc.rng.int(4, 90),
        reversible,
        column ? "drop_legacy_column" : "drop_unused_index",
      );
      if (column) {
        sc.effect(m, { err: sc.errorSize(s.name, t, 0.1, 0.9), fast: true }, { from: t + 2 });
        complain(sc, m, {
          from: t + 3,
          text: (r) => `SQLSTATE 42703: column "legacy_ref" does not exist at character ${r.int(20, 400)}`,
        });
      } else {
        sc.effect(
          m,
          { latAdd: sc.usual(s.name, t).p99 * sc.rng.uniform(1, 5) + 80, slowShare: sc.rng.uniform(0.25, 0.9) },
          { from: t + 2 },
        );
        complain(sc, m, {
          from: t + 3,
          level: "warn",
          text: (r) => `slow query (${r.int(900, 8000)} ms): seq scan, ${r.int(100000, 9000000)} rows examined`,
        });
      }
      blame(
        sc,
        "migration-irreversible",
        m,
        `${m.to} removed what ${s.name} still reads; no rollback of code brings it back`,
        {
          action: "hotfix_recommendation",
          acceptable: reversible ? ["hotfix_recommendation", "rollback"] : ["hotfix_recommendation"],
          approval: "required",
          onset: t + 2,
        },
      );
    },
  },
  {
    name: "migration-locks",
    weight: 1.5,
    about: "a running migration holds a lock, and everything that writes waits for it to the end of the span",
    build(sc) {
      const t = sc.moment(6);
      const s = sc.choose((x) => sc.world.calls.some((c) => c.from === x.name && c.pool));
      const m = sc.migration(s.name, t, sc.end - t + sc.rng.int(600, 3600), false, "rewrite_table_with_default");
      const slowShare = sc.rng.uniform(0.2, 0.6);
      sc.effect(
        m,
        { latAdd: sc.rng.uniform(1800, 6000), slowShare, err: slowShare * sc.rng.uniform(0.3, 0.8) },
        { from: t + 2, share: () => 1 },
      );
      complain(sc, m, {
        from: t + 5,
        text: (r) => `canceling statement due to lock timeout, relation ${r.int(16000, 90000)}`,
      });
      blame(sc, "migration-locks", m, `${m.to} holds an exclusive lock while it runs; a person must stop it`, {
        action: "hotfix_recommendation",
        acceptable: ["hotfix_recommendation"],
        approval: "required",
        onset: t + 2,
      });
    },
  },
  {
    name: "deploy-irreversible",
    weight: 1.5,
    about: "a bad release that is marked as not reversible",
    build(sc) {
      const t = sc.moment();
      const s = sc.choose();
      const c = sc.deploy(s.name, t, { extra: { reversible: false } });
      sc.effect(c, { err: sc.errorSize(s.name, t, 0.04, 0.8) });
      complain(sc, c);
      blame(
        sc,
        "deploy-irreversible",
        c,
        `${s.name} ${c.to} is bad, but writes data that ${c.from} cannot read: it must be fixed forward`,
        {
          action: "hotfix_recommendation",
          acceptable: ["hotfix_recommendation"],
          approval: "required",
          onset: t + 8,
        },
      );
    },
  },
];
