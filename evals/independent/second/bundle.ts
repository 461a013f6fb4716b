/*
 * Plays one scene of the independent incident generator to the end: gives changes their names and versions, simulates, proves the
 * truth, draws the records, and returns the files of the bundle.
 */
import { gzipSync } from "node:zlib";
import { drawAlerts, drawLogs, drawSpans, namespaceOf } from "./evidence.ts";
import type { Family } from "./families/family.ts";
import { observe } from "./observe.ts";
import { Rng, Skip } from "./random.ts";
import { Scene } from "./scene.ts";
import { drawNoise, type Noise, type Result, simulate } from "./simulate.ts";
import type { Change, Grid, Truth } from "./types.ts";
import { clearest, proveCause } from "./verify.ts";
import { type VersionStyle, versions } from "./vocabulary.ts";

export type Files = Map<string, string | Uint8Array>;

const iso = (t: number): string => new Date(Math.round(t * 1000)).toISOString();

/** Finds for every "back to the version before" which version that is. */
function settle(scene: Scene): void {
  for (const s of scene.system.services) {
    let before = "base";
    let now = "base";
    for (const r of scene.rollouts
      .filter((x) => x.service === s.name)
      .sort((a, b) => (a.stages[0]?.at ?? 0) - (b.stages[0]?.at ?? 0))) {
      if (r.restores === "previous") {
        r.restores = before;
        const change = scene.changes.find((c) => c.key === r.change) as Change;
        change.restores = before;
      }
      before = now;
      now = r.restores ?? r.change;
    }
  }
}

/** Version strings by "service change", and the change's own `from` and `to`. */
function nameVersions(scene: Scene): Map<string, string> {
  const rng = scene.rng.fork("versions");
  const style = rng.pick<VersionStyle>(["semver", "semver", "vsemver", "calver", "sha", "build", "image"]);
  const names = new Map<string, string>();
  const day = (t: number): string => iso(t).slice(0, 10).replaceAll("-", ".");
  const next = new Map(scene.system.services.map((s) => [s.name, versions(rng.fork(s.name), style, day)]));
  const now = new Map<string, string>();
  for (const s of scene.system.services) {
    const first = next.get(s.name)?.(scene.c0 - 3 * 86400) as string;
    names.set(`${s.name} base`, first);
    now.set(s.name, first);
  }
  for (const c of [...scene.changes].sort((a, b) => a.startedAt - b.startedAt)) {
    if (c.kind !== "deploy") continue;
    const to =
      c.restores !== undefined
        ? (names.get(`${c.service} ${c.restores}`) as string)
        : (next.get(c.service)?.(c.startedAt) as string);
    names.set(`${c.service} ${c.key}`, to);
    c.from = now.get(c.service) as string;
    c.to = to;
    now.set(c.service, to);
  }
  return names;
}

function nameChanges(scene: Scene): Map<string, string> {
  const rng = scene.rng.fork("ids");
  const style = rng.pick(["ticket", "event", "at", "run", "kind", "uuid"]);
  let n = rng.int(1000, 90000);
  const ids = new Map<string, string>();
  for (const c of [...scene.changes].sort((a, b) => a.startedAt - b.startedAt)) {
    n += rng.int(1, 9);
    const id = {
      ticket: `CHG${String(n).padStart(7, "0")}`,
      event: `evt_${rng.hex(12)}`,
      at: `${c.service}@${c.kind === "deploy" ? c.to : `${c.kind}.${n}`}`,
      run: `run-${n}`,
      kind: `${c.kind}/${c.service}/${n}`,
      uuid: `${rng.hex(8)}-${rng.hex(4)}-4${rng.hex(3)}-a${rng.hex(3)}-${rng.hex(12)}`,
    }[style] as string;
    ids.set(c.key, [...ids.values()].includes(id) ? `${id}-${n}` : id);
  }
  return ids;
}

function changeLine(
  c: Change,
  ids: Map<string, string>,
  names: Map<string, string>,
  rng: Rng,
  withCommit: boolean,
): Record<string, unknown> {
  const span = { small: [1, 8, 120], medium: [5, 25, 700], large: [18, 120, 6000] }[c.size] as [number, number, number];
  const code = c.kind === "deploy" || rng.chance(0.25);
  const requires =
    c.requires === undefined
      ? undefined
      : Object.fromEntries(Object.entries(c.requires).map(([s, key]) => [s, names.get(`${s} ${key}`)]));
  return {
    id: ids.get(c.key),
    kind: c.kind,
    service: c.service,
    from: c.from,
    to: c.to,
    started_at: iso(c.startedAt),
    finished_at: c.finishedAt === null ? null : iso(c.finishedAt),
    source: c.source,
    reversible: c.reversible,
    ...(rng.chance(0.9) ? { author: c.author } : {}),
    ...(withCommit && code ? { commit: rng.hex(40) } : {}),
    ...(code && rng.chance(0.8)
      ? {
          diff: {
            files: rng.int(span[0], span[1]),
            insertions: Math.round(rng.log(2, span[2])),
            deletions: Math.round(rng.log(1, span[2] / 2)),
          },
        }
      : {}),
    ...(c.flag !== undefined ? { flag: c.flag } : {}),
    ...(c.canary !== undefined ? { canary: c.canary } : {}),
    ...(c.provides !== undefined ? { provides: c.provides } : {}),
    ...(requires !== undefined ? { requires } : {}),
  };
}

const lines = (rows: unknown[]): string => rows.map((r) => `${JSON.stringify(r)}\n`).join("");

function slice(noise: Noise, from: number): Noise {
  const cut = (m: Map<string, Float64Array>): Map<string, Float64Array> =>
    new Map([...m].map(([k, v]) => [k, v.subarray(from)]));
  return { demand: cut(noise.demand), latency: cut(noise.latency), error: cut(noise.error) };
}

/** Whether the front door fails nearly everything though the cause is behind it: real, but seldom. */
function collapsed(scene: Scene, fine: Result, truth: Truth): boolean {
  const culprit = scene.changes.find((c) => c.key === truth.culprit)?.service;
  const k = Math.max(0, Math.floor(((truth.over ?? scene.w1) - 120 - scene.h0) / fine.grid.dt));
  return scene.system.services.some(
    (s) => s.role === "entry" && s.name !== culprit && (fine.paths.get(s.name)?.err[k] ?? 0) > 0.85,
  );
}

export function makeBundle(
  seed: string,
  family: Family,
): { id: string; files: Files; truth: Truth; scene: Scene; sign: string } {
  const rng = new Rng(seed);
  const days = rng.int(0, 500);
  const hourOfDay = rng.chance(0.75) ? rng.range(6, 19) : rng.range(0, 24);
  const scene = new Scene(rng, family.needs, Date.UTC(2025, 5, 1) / 1000 + days * 86400 + hourOfDay * 3600);
  const truth = family.play(scene);
  const p = scene.profile;
  if (truth.onset !== null && rng.fork("bustle?").chance(0.55)) scene.bustle(truth.onset);
  settle(scene);
  const names = nameVersions(scene);
  const ids = nameChanges(scene);

  const dt = p.step <= 20 ? p.step : 15;
  const fineGrid: Grid = { start: scene.h0, dt, n: Math.round((scene.w1 - scene.h0) / dt) };
  const noise = drawNoise(rng.fork("noise"), scene.system, fineGrid);
  const skip = Math.max(0, Math.floor((scene.w0 - 20 * 60 - scene.h0) / dt));
  proveCause(scene, truth, { start: scene.h0 + skip * dt, dt, n: fineGrid.n - skip }, slice(noise, skip));
  const fine = simulate(scene.system, scene.effects, scene.rollouts, fineGrid, noise);
  if (collapsed(scene, fine, truth) && !rng.fork("collapse").chance(0.25)) throw new Skip("everything fails at once");
  const coarseGrid: Grid = { start: scene.c0, dt: p.coarseStep, n: Math.floor((scene.h0 - scene.c0) / p.coarseStep) };
  const coarse =
    coarseGrid.n > 0
      ? simulate(
          scene.system,
          scene.effects,
          scene.rollouts,
          coarseGrid,
          drawNoise(rng.fork("noise-old"), scene.system, coarseGrid),
        )
      : null;
  const series = observe(scene, rng.fork("observe"), fine, coarse, names);
  let sign = "";
  if (truth.faulty && truth.onset !== null) {
    const c = clearest(scene, series, truth.onset, Math.min(scene.w1, truth.over ?? scene.w1));
    if (c.z < 8) throw new Skip(`nobody could see it (${c.z.toFixed(1)})`);
    for (const x of scene.changes)
      if (truth.targets.includes(x.key) && scene.rateOf(x.service, truth.onset) * 60 < 3)
        throw new Skip("hardly a request a sample");
    // A schema change shows in the store; everything else shows, if less, in the service that was changed.
    const own = new Set(scene.changes.filter((x) => truth.targets.includes(x.key)).map((x) => x.service));
    const near = clearest(scene, series, truth.onset, Math.min(scene.w1, truth.over ?? scene.w1), own);
    if (near.z < 6 && scene.changes.find((x) => x.key === truth.culprit)?.kind !== "migration")
      throw new Skip("nothing to see in the changed service");
    sign = `${c.what} z=${c.z.toFixed(0)}`;
  }

  const id = `rec-${rng.fork("id").hex(10)}`;
  const ns = namespaceOf(scene);
  if (scene.human === null && rng.fork("human").chance(0.35)) {
    // What the team did after the recording ends.
    const h = rng.fork("human-later");
    if (truth.faulty)
      scene.human = { action: truth.action, change: truth.culprit as string, at: scene.w1 + h.range(60, 2400) };
    else if (h.chance(0.5)) scene.human = { action: "no_action" };
  }
  const money = rng.chance(0.25);
  const files: Files = new Map();
  const put = (name: string, text: string): void => {
    if (text === "") return;
    if (p.gzip && name.endsWith(".jsonl") && text.length > 20000) files.set(`${name}.gz`, gzipSync(text, { level: 6 }));
    else files.set(name, text);
  };
  const when = iso(scene.w0).slice(0, 10);
  const facts = rng.fork("incident");
  put(
    "incident.json",
    `${JSON.stringify(
      {
        schema: 1,
        id,
        title: `Recording of ${when}, ${scene.system.services.length} components`,
        watch: { start: iso(scene.w0), end: iso(scene.w1) },
        services: scene.system.services
          .filter((s) => s.role !== "outside")
          .map((s) => ({
            name: s.name,
            namespace: ns(s.name),
            criticality:
              s.role === "entry" ? facts.pick(["high", "critical"]) : facts.pick(["low", "medium", "medium", "high"]),
            ...(money && s.role === "entry" ? { revenue_per_minute: Math.round(facts.log(5, 4000)) } : {}),
          })),
        ...(scene.human !== null
          ? {
              human: {
                action: scene.human.action,
                ...(scene.human.change !== undefined ? { change_id: ids.get(scene.human.change) } : {}),
                ...(scene.human.at !== undefined ? { at: iso(scene.human.at) } : {}),
                ...(scene.human.note !== undefined ? { note: scene.human.note } : {}),
              },
            }
          : {}),
      },
      null,
      1,
    )}\n`,
  );
  put("series.jsonl", lines(facts.chance(0.5) ? facts.shuffle(series) : series));
  const changeRng = rng.fork("lines");
  const withCommit = changeRng.chance(0.6);
  put(
    "changes.jsonl",
    lines(
      [...scene.changes]
        .filter((c) => c.startedAt < scene.w1)
        .sort((a, b) => a.startedAt - b.startedAt)
        .map((c) => changeLine(c, ids, names, changeRng, withCommit)),
    ),
  );
  const edges = scene.system.services.flatMap((s) => s.edges.map((e) => [s.name, e.to]));
  put(
    "topology.json",
    `${JSON.stringify({ edges, external: scene.system.services.filter((s) => s.role === "outside").map((s) => s.name) })}\n`,
  );
  if (p.hasLogs)
    put("logs.jsonl", lines(drawLogs(scene, rng.fork("logs"), fine, names).map((l) => ({ ...l, at: iso(l.at) }))));
  if (p.hasSpans) put("spans.jsonl", lines(drawSpans(scene, rng.fork("spans"), fine, names)));
  if (p.hasAlerts)
    put(
      "alerts.jsonl",
      lines(
        drawAlerts(scene, rng.fork("alerts"), series).map((a) => ({
          ...a,
          startsAt: iso(a.startsAt),
          ...(a.endsAt !== undefined ? { endsAt: iso(a.endsAt) } : {}),
        })),
      ),
    );
  put(
    "truth.json",
    `${JSON.stringify(
      {
        faulty: truth.faulty,
        action: truth.action,
        acceptable: truth.acceptable,
        culprit: truth.culprit === null ? null : ids.get(truth.culprit),
        targets: truth.targets.map((k) => ids.get(k)),
        onset: truth.onset === null ? null : iso(truth.onset),
        family: family.name,
        why: truth.why,
      },
      null,
      1,
    )}\n`,
  );
  return { id, files, truth, scene, sign };
}
