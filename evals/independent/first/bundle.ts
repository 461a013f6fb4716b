// Makes one bundle: draws a scenario, simulates it, proves its truth by simulating the same span without the changes
// that the truth names (the same noise, so that any difference is their doing), measures it, and writes the files.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEPLOY_FAMILIES, type Family } from "./families-deploy.ts";
import { OUTSIDE_FAMILIES } from "./families-outside.ts";
import { QUIET_FAMILIES } from "./families-quiet.ts";
import { SHARED_FAMILIES } from "./families-shared.ts";
import { SWITCH_FAMILIES } from "./families-switch.ts";
import { jsonl, measure, packed } from "./observe.ts";
import { Rng } from "./rng.ts";
import { Scenario } from "./scenario.ts";
import { type Run, simulate } from "./simulate.ts";
import { alerts, iso, logLines, spans } from "./text.ts";
import type { Change, Moment, Truth } from "./types.ts";

export const FAMILIES: Family[] = [
  ...DEPLOY_FAMILIES,
  ...SWITCH_FAMILIES,
  ...SHARED_FAMILIES,
  ...OUTSIDE_FAMILIES,
  ...QUIET_FAMILIES,
];

export type Options = { family?: string; emptyHotfixTargets?: boolean };

function fineRun(sc: Scenario, rng: Rng, offset: number, without: ReadonlySet<string> = new Set()): Run {
  const step = sc.shape.step;
  const t0 = Math.floor((sc.start - sc.shape.fineHistory) / step) * step + offset;
  const n = Math.floor((sc.end - t0) / step) + 1;
  return simulate(
    rng,
    sc.world,
    sc.changes,
    sc.mods.filter((m) => m.cause === undefined || !without.has(m.cause)),
    t0,
    step,
    n,
  );
}

/** Whether something lasting is clearly worse with the changes than without. */
function matters(sc: Scenario, withIt: Run, without: Run, onset: number): boolean {
  const first = Math.ceil((onset - withIt.t0) / withIt.dt);
  const late = Math.floor(withIt.n - (withIt.n - first) * 0.4);
  const mean = (ms: Moment[], f: (m: Moment) => number) =>
    ms.slice(late).reduce((a, m) => a + f(m), 0) / (withIt.n - late);
  for (const s of sc.world.services) {
    const a = withIt.at[s.name] as Moment[];
    const b = without.at[s.name] as Moment[];
    const more = mean(a, (m) => m.err) - mean(b, (m) => m.err);
    const failures = more * mean(a, (m) => m.rate) * (withIt.n - first) * withIt.dt;
    if (more > Math.max(0.009, 3 * s.baseErr) && failures >= 15) return true;
    const enough = mean(a, (m) => m.rate) * withIt.dt >= 8;
    if (
      enough &&
      mean(a, (m) => m.p99) > 1.4 * mean(b, (m) => m.p99) &&
      mean(a, (m) => m.p99) > mean(b, (m) => m.p99) + 8
    )
      return true;
    if (mean(a, (m) => m.unready) > mean(b, (m) => m.unready) + 0.4) return true;
    if (sc.shape.split !== "none") {
      const gap = (m: Moment) =>
        m.cohorts.length < 2 ? 0 : Math.max(...m.cohorts.map((c) => c.err)) - Math.min(...m.cohorts.map((c) => c.err));
      const slower = (m: Moment) =>
        m.cohorts.length < 2 ? 1 : Math.max(...m.cohorts.map((c) => c.p99)) / Math.min(...m.cohorts.map((c) => c.p99));
      const least = (m: Moment) => Math.min(...m.cohorts.map((c) => c.share)) * m.rate;
      if (mean(a, gap) > 0.05 && mean(a, (m) => gap(m) * least(m)) * (withIt.n - first) * withIt.dt > 20) return true;
      if (mean(a, slower) > 1.5 && mean(a, least) * withIt.dt > 8) return true;
    }
  }
  return false;
}

/** The truth of a stuck rollout is not in an effect of the new version, which never serves. */
function proven(sc: Scenario, truth: Truth, run: Run, rng: () => Rng, offset: number): boolean {
  if (!truth.faulty || truth.family === "stuck-rollout") return true;
  const sets =
    truth.family === "two-guilty" ? truth.targets.map((x) => new Set([x])) : [new Set([truth.culprit as string])];
  return sets.every((set) => matters(sc, run, fineRun(sc, rng(), offset, set), truth.onset as number));
}

function draw(seed: string, family: Family): { sc: Scenario; run: Run; rng: Rng } {
  for (let attempt = 0; attempt < 60; attempt++) {
    const rng = new Rng(`${seed}/${attempt}`);
    const sc = new Scenario(rng.fork("scenario"), family.world?.(rng.fork("size")));
    const offset = rng.chance(0.6) ? 0 : rng.int(0, sc.shape.step - 1);
    try {
      sc.past();
      family.build(sc);
    } catch (e) {
      if (e instanceof Error && /^(no |too |pick )/.test(e.message)) continue; // this world has no place for it
      throw e;
    }
    if (family.name !== "quiet-busy-day") sc.everyday();
    if (sc.truth?.faulty && sc.truth.onset) sc.companions(sc.truth.onset);
    const again = () => new Rng(`${seed}/${attempt}/run`);
    const run = fineRun(sc, again(), offset);
    if (proven(sc, sc.truth as Truth, run, again, offset)) return { sc, run, rng };
  }
  throw new Error(`no bundle for family ${family.name} from seed ${seed}`);
}

function changeRow(c: Change): unknown {
  const { rollout: _rollout, started, finished, id, kind, service, from, to, ...rest } = c;
  return { id, kind, service, from, to, started_at: iso(started), finished_at: iso(finished), ...rest };
}

export function makeBundle(seed: string, index: number, dir: string, o: Options = {}): Truth & { id: string } {
  const pick = new Rng(`${seed}/${index}/family`);
  const family = o.family
    ? FAMILIES.find((f) => f.name === o.family)
    : pick.weighted(FAMILIES.map((f) => [f, f.weight] as const));
  if (!family) throw new Error(`there is no family ${o.family}`);
  const { sc, run, rng } = draw(`${seed}/${index}`, family);
  const id = `span-${new Rng(`${seed}/${index}/id`).hex(10)}`;
  const out = join(dir, id);
  mkdirSync(out, { recursive: true });
  const text = (name: string, body: string, zip: boolean) =>
    writeFileSync(join(out, zip ? `${name}.gz` : name), zip ? packed(body) : body);

  const series = measure(sc, rng.fork("measure"), run, false);
  if (sc.shape.coarseDays > 0) {
    const dt = sc.shape.coarseStep;
    const n = Math.floor((sc.shape.coarseDays * 86400) / dt);
    series.push(
      ...measure(
        sc,
        rng.fork("measure"),
        simulate(rng.fork("coarse"), sc.world, sc.changes, sc.mods, run.t0 - n * dt, dt, n),
        true,
      ),
    );
  }
  text("series.jsonl", jsonl(rng.fork("order").shuffle(series)), true);

  const truth = sc.truth as Truth;
  if (o.emptyHotfixTargets && truth.action === "hotfix_recommendation") truth.targets = [];
  const h = rng.fork("human");
  const at = truth.onset === null ? null : iso(Math.min(sc.end + 3600, truth.onset + h.int(600, 3600)));
  const incident = {
    schema: 1,
    id,
    title: id,
    watch: { start: iso(sc.start), end: iso(sc.end) },
    services: sc.world.services.map((s) => ({
      name: s.name,
      namespace: s.namespace,
      criticality: s.criticality,
      ...(s.revenue ? { revenue_per_minute: s.revenue } : {}),
    })),
    ...(h.chance(0.7)
      ? { human: truth.faulty ? { action: truth.action, change_id: truth.culprit, at } : { action: "no_action" } }
      : {}),
  };
  text("incident.json", `${JSON.stringify(incident, null, 1)}\n`, false);
  const changes = [...sc.changes].sort((a, b) => a.started - b.started || (a.id < b.id ? -1 : 1));
  if (changes.length > 0) text("changes.jsonl", jsonl(changes.map(changeRow)), false);
  const edges = [...new Set(sc.world.calls.map((c) => JSON.stringify([c.from, c.to])))].map(
    (e) => JSON.parse(e) as [string, string],
  );
  text("topology.json", `${JSON.stringify({ edges, external: sc.world.externals.map((x) => x.name) })}\n`, false);
  if (sc.shape.logs) text("logs.jsonl", jsonl(logLines(sc, rng.fork("logs"), run)), rng.fork("zip").chance(0.7));
  if (sc.shape.spans) text("spans.jsonl", jsonl(spans(sc, rng.fork("spans"), run)), true);
  if (sc.shape.alerts) {
    const rows = alerts(sc, rng.fork("alerts"), run);
    if (rows.length > 0) text("alerts.jsonl", jsonl(rows), false);
  }
  text(
    "truth.json",
    `${JSON.stringify({ ...truth, onset: truth.onset === null ? null : iso(truth.onset) }, null, 1)}\n`,
    false,
  );
  return { ...truth, id };
}
