// Long because it was written by somebody else, and stays as it was written but for the formatter.
// A scenario under construction: the span that is watched, the world, the changes made so far, the effects that are at
// work, what was written to the logs about it, and at the end the truth. Families (families-*.ts) call its helpers;
// everything that is bookkeeping (ids, versions, sources, rollouts, everyday changes of innocent services) is here.
import type { Rng } from "./rng.ts";
import { drawShape, type Shape } from "./shape.ts";
import { season, simulate } from "./simulate.ts";
import type { Change, Effect, Mod, Moment, Service, Truth, World } from "./types.ts";
import { above, below, buildWorld, meanLoad, nextVersion, type VersionStyle } from "./world.ts";

/** One kind of line that appears in the logs while a function of time says how often a minute. */
export type LogSource = {
  service: string;
  level: string;
  text: (r: Rng) => string;
  perMinute: (t: number) => number;
  version?: (t: number) => string | undefined;
};

export class Scenario {
  rng: Rng;
  start: number;
  end: number;
  shape: Shape;
  world: World;
  style: VersionStyle;
  changes: Change[] = [];
  mods: Mod[] = [];
  logs: LogSource[] = [];
  plannedAlerts: { at: number; end?: number; labels: Record<string, string>; text: string }[] = [];
  gaps: { from: number; to: number; service?: string }[] = [];
  resets: { service: string; at: number }[] = [];
  zone: { service: string; label: string; from: number; to: number; born?: boolean }[] = [];
  truth: Truth | null = null;
  /** Services whose recent past must stay free of everyday changes, so that the evidence is not spoiled. */
  reserved = new Set<string>();
  /** Services of which a change close to the onset would be a real suspect, too. */
  sensitive = new Set<string>();
  private sources: { deploy: string; flag: string; config: string; migration: string };
  private authors: string[];
  private ids: "serial" | "speaking" | "uuid";
  private serial: number;
  private revisions = new Map<string, number>();

  constructor(rng: Rng, o: { rate?: number; small?: boolean; minutes?: number } = {}) {
    this.rng = rng;
    this.style = rng.weighted<VersionStyle>([
      ["semver", 4],
      ["semver-bare", 2],
      ["date", 1.5],
      ["sha", 2],
      ["build", 1],
    ]);
    this.world = buildWorld(rng.fork("world"), {
      ...o,
      style: this.style,
      namespace: rng.pick(["prod", "production", "live", "core", "apps"]),
    });
    const day = Date.UTC(2025, 8, 1) / 1000 + rng.int(0, 420) * 86400;
    this.start = day + rng.int(0, 86399);
    this.end = this.start + (o.minutes ?? rng.int(45, 90)) * 60;
    this.shape = drawShape(rng);
    this.sources = {
      deploy: rng.pick(["argocd", "flux", "spinnaker", "github-actions", "gitlab-ci", "octopus"]),
      flag: rng.pick(["launchdarkly", "unleash", "flagsmith", "statsig"]),
      config: rng.pick(["consul", "configmap", "terraform", "appconfig", "puppet"]),
      migration: rng.pick(["flyway", "liquibase", "alembic", "gh-ost"]),
    };
    this.authors = rng
      .shuffle([
        "mkowalski",
        "j.ortega",
        "priya",
        "t-lindqvist",
        "okafor",
        "renovate[bot]",
        "hana",
        "bwright",
        "s.moreau",
        "ilyas",
      ])
      .slice(0, rng.int(4, 8));
    this.ids = rng.pick(["serial", "speaking", "uuid"] as const);
    this.serial = rng.int(100, 80000);
  }

  /** A moment for the harm to begin: anywhere with `before` minutes ahead of it and `after` behind it. */
  moment(before = 4, after = 14): number {
    return Math.floor(this.rng.uniform(this.start + before * 60, this.end - after * 60));
  }

  /** Requests a second of a service around a time, before anything happens. */
  rateOf(name: string, t: number): number {
    return (meanLoad(this.world)[name] ?? 0) * season(this.world, t);
  }

  service(name: string): Service {
    return this.world.services.find((s) => s.name === name) as Service;
  }

  /** What a service looks like around a time when nothing is wrong. */
  usual(name: string, t: number): Moment {
    const run = simulate(this.rng.fork("usual"), this.world, [], [], t - 60, 15, 5);
    return (run.at[name] as Moment[])[4] as Moment;
  }

  /** Takes changes out of the past, so that nothing near a time can be suspected; later versions follow on. */
  clear(from: number, to: number, names?: Set<string>): void {
    for (const c of [...this.changes]) {
      if (c.started < from || c.started > to || (names && !names.has(c.service))) continue;
      const next = this.deploysOf(c.service).find((d) => d.started > c.started);
      if (c.kind === "deploy" && next) next.from = c.from;
      this.changes = this.changes.filter((x) => x !== c);
      this.mods = this.mods.filter((m) => !m.deploy?.endsWith(c.id));
    }
  }

  /** A service that fits; prefers those with traffic enough to show anything. */
  choose(fits: (s: Service) => boolean = () => true, o: { minRate?: number } = {}): Service {
    const all = this.world.services.filter((s) => s.tier !== "store" && fits(s));
    const busy = all.filter((s) => this.rateOf(s.name, this.start) >= (o.minRate ?? 0.4));
    if (busy.length > 0) return this.rng.pick(busy);
    if (all.length > 0)
      return all.reduce((a, b) => (this.rateOf(a.name, this.start) > this.rateOf(b.name, this.start) ? a : b));
    throw new Error("no such service in this world");
  }

  /** A share of failures that is at least clearly visible at this service's traffic within a few minutes. */
  errorSize(name: string, t: number, lo = 0.015, hi = 0.95): number {
    const n = Math.max(1, this.rateOf(name, t) * 240);
    const p0 = this.service(name).baseErr;
    const least = Math.max(lo, 9 * Math.sqrt(p0 / n) + 14 / n, p0 * 5);
    return Math.min(0.97, this.rng.logUniform(Math.min(least, 0.6), hi));
  }

  private id(kind: string, service: string, extra = ""): string {
    this.serial += this.rng.int(1, 9);
    if (this.ids === "serial") return `CHG-${this.serial}`;
    if (this.ids === "uuid")
      return `${this.rng.hex(8)}-${this.rng.hex(4)}-4${this.rng.hex(3)}-a${this.rng.hex(3)}-${this.rng.hex(12)}`;
    return `${kind === "deploy" ? "rel" : kind}/${service}${extra}/${this.serial}`;
  }

  /** The version that a service runs at a time, from the deploys known so far. */
  versionAt(name: string, t: number): string {
    let v = this.service(name).version;
    for (const c of this.deploysOf(name)) if (c.started <= t && !c.canary) v = c.to;
    return v;
  }

  deploysOf(name: string): Change[] {
    return this.changes.filter((c) => c.kind === "deploy" && c.service === name).sort((a, b) => a.started - b.started);
  }

  deploy(
    name: string,
    at: number,
    o: {
      seconds?: number;
      stages?: { at: number; share: number }[];
      canary?: number;
      stuck?: boolean;
      to?: string;
      extra?: Partial<Change>;
    } = {},
  ): Change {
    const s = this.service(name);
    const secs = o.seconds ?? this.rng.int(50, 60 + 22 * s.pods);
    const from = this.versionAt(name, at);
    const stages = o.stages;
    const pods = Math.max(2, s.pods);
    const rollout = o.stuck
      ? () => 0
      : o.canary
        ? (t: number) => (t < at + 20 ? 0 : (o.canary as number))
        : stages
          ? (t: number) => stages.reduce((a, g) => (t >= g.at ? g.share : a), 0)
          : (t: number) => Math.max(0, Math.min(1, Math.ceil(((t - at - 8) / (secs - 8)) * pods) / pods));
    const last = stages?.[stages.length - 1];
    const c: Change = {
      id: this.id("deploy", name),
      kind: "deploy",
      service: name,
      from,
      to: o.to ?? nextVersion(this.rng, this.style, from, at),
      started: at,
      finished: last ? last.at + 30 : at + (o.canary ? 45 : secs),
      source: this.sources.deploy,
      reversible: true,
      author: this.rng.pick(this.authors),
      commit: this.rng.hex(this.rng.chance(0.5) ? 40 : 10),
      diff: {
        files: Math.ceil(this.rng.logUniform(1, 60)),
        insertions: Math.ceil(this.rng.logUniform(2, 1400)),
        deletions: Math.ceil(this.rng.logUniform(1, 700)),
      },
      ...(o.canary ? { canary: o.canary } : {}),
      ...o.extra,
      rollout,
    };
    this.changes.push(c);
    return c;
  }

  flag(
    name: string,
    at: number,
    o: { seconds?: number; flag?: string; from?: string; to?: string; extra?: Partial<Change> } = {},
  ): Change {
    const used = new Set(this.changes.map((c) => c.flag));
    const names = [
      "new-ranking",
      "async-writes",
      "bulk-read",
      "v2-parser",
      "smart-retry",
      "inline-preview",
      "eager-load",
      "unified-quote",
      "delta-sync",
    ].map((x) => `${name}.${x}`);
    const flag = o.flag ?? this.rng.shuffle(names).find((x) => !used.has(x)) ?? `${name}.exp-${this.rng.int(100, 999)}`;
    const c: Change = {
      id: this.id("flag", name, `:${flag.split(".")[1]}`),
      kind: "flag",
      service: name,
      from: o.from ?? "off",
      to: o.to ?? "on",
      started: at,
      finished: at + (o.seconds ?? this.rng.int(1, 4)),
      source: this.sources.flag,
      reversible: true,
      author: this.rng.pick(this.authors),
      flag,
      ...o.extra,
    };
    this.changes.push(c);
    return c;
  }

  config(
    name: string,
    at: number,
    o: { from?: string; to?: string; seconds?: number; extra?: Partial<Change> } = {},
  ): Change {
    const rev = this.revisions.get(name) ?? this.rng.int(20, 900);
    this.revisions.set(name, rev + 1);
    const c: Change = {
      id: this.id("config", name),
      kind: "config",
      service: name,
      from: o.from ?? `rev-${rev}`,
      to: o.to ?? `rev-${rev + 1}`,
      started: at,
      finished: at + (o.seconds ?? this.rng.int(5, 60)),
      source: this.sources.config,
      reversible: true,
      author: this.rng.pick(this.authors),
      diff: { files: this.rng.int(1, 3), insertions: this.rng.int(1, 14), deletions: this.rng.int(0, 9) },
      ...o.extra,
    };
    this.changes.push(c);
    return c;
  }

  migration(name: string, at: number, seconds: number, reversible: boolean, to: string): Change {
    const n = this.rng.int(40, 400);
    const c: Change = {
      id: this.id("migration", name),
      kind: "migration",
      service: name,
      from: `V${n}`,
      to: `V${n + 1}__${to}`,
      started: at,
      finished: at + seconds,
      source: this.sources.migration,
      reversible,
      author: this.rng.pick(this.authors),
      commit: this.rng.hex(10),
      diff: { files: 1, insertions: this.rng.int(2, 60), deletions: 0 },
    };
    this.changes.push(c);
    return c;
  }

  /** An effect that lives in the new version of a deploy, or is switched by a flag, config or migration. */
  effect(
    of: Change,
    effect: Effect,
    o: { share?: (t: number) => number; gain?: (t: number) => number; from?: number; on?: string } = {},
  ): void {
    const from = o.from ?? of.started + (of.kind === "config" ? 6 : 1);
    const ramp = of.kind === "deploy" ? 0 : Math.max(1, of.finished - from);
    const share = o.share ?? ((t: number) => (of.kind === "deploy" || ramp <= 5 ? 1 : Math.min(1, (t - from) / ramp)));
    this.mods.push({
      on: o.on ?? of.service,
      cause: of.id,
      ...(of.kind === "deploy" ? { deploy: of.id } : {}),
      effect,
      share: (t) => (t < from ? 0 : share(t)),
      gain: o.gain ?? (() => 1),
    });
  }

  /** Something that nobody changed: strength by time. */
  event(on: string, effect: Effect, strength: (t: number) => number): void {
    this.mods.push({ on, effect, share: (t) => (strength(t) > 0 ? 1 : 0), gain: strength });
  }

  /** Connections that die with an old pod while a rollout replaces it. */
  churn(of: Change, err: number): void {
    this.mods.push({
      on: of.service,
      deploy: `not ${of.id}`,
      effect: { err, fast: true },
      share: (t) => (t > of.started + 5 && t < of.finished ? 1 : 0),
      gain: () => 1,
    });
  }

  guilty(t: Omit<Truth, "faulty" | "family"> & { family: string }): void {
    this.truth = { ...t, faulty: true };
  }

  innocent(family: string, why: string, acceptable: string[] = ["no_action"]): void {
    this.truth = {
      faulty: false,
      action: "no_action",
      acceptable,
      culprit: null,
      targets: [],
      onset: null,
      family,
      why,
    };
  }

  /** Services with which a change of this one could be confused. */
  relatives(name: string): Set<string> {
    return new Set([name, ...above(this.world, name), ...below(this.world, name)]);
  }

  /** What was changed in the day before: made first, so that a guilty service has a past like any other. */
  past(): void {
    const r = this.rng.fork("past");
    const names = this.world.services.filter((s) => s.tier !== "store").map((s) => s.name);
    const times = Array.from({ length: r.int(3, 10) }, () => Math.floor(this.start - r.logUniform(2400, 80000))).sort(
      (a, b) => a - b,
    );
    for (const at of times) this.ordinary(r, r.pick(names), at);
    if (r.chance(0.2))
      this.migration(
        r.pick(names),
        Math.floor(this.start - r.uniform(9000, 70000)),
        r.int(5, 300),
        r.chance(0.7),
        r.pick(["add_index", "add_nullable_column", "backfill_region"]),
      );
    if (this.shape.coarseDays > 1 && r.chance(0.3)) {
      const from = this.start - this.shape.fineHistory - r.uniform(8000, this.shape.coarseDays * 80000);
      const to = from + r.uniform(1200, 5400);
      const err = r.uniform(0.05, 0.4);
      this.event(r.pick(names), { err }, (t) => (t > from && t < to ? 1 : 0));
    }
  }

  /** Innocent changes during the watch, on services where they spoil no evidence. */
  everyday(count?: number): void {
    const r = this.rng.fork("everyday");
    const free = this.world.services.filter((s) => s.tier !== "store" && !this.reserved.has(s.name)).map((s) => s.name);
    const within =
      count ??
      r.weighted([
        [0, 2],
        [1, 3],
        [2, 2],
        [3, 1],
      ]);
    for (let i = 0; i < within && free.length > 0; i++)
      this.ordinary(r, r.pick(free), r.int(this.start + 30, this.end - 300));
  }

  /** Innocent changes close to the onset, where the latest change is easily blamed, on services that the evidence clears. */
  companions(onset: number): void {
    const r = this.rng.fork("companions");
    if (!r.chance(0.6)) return;
    const free = this.world.services
      .filter((s) => s.tier !== "store" && !this.sensitive.has(s.name))
      .map((s) => s.name);
    for (let i = r.int(1, 2); i > 0 && free.length > 0; i--)
      this.ordinary(r, r.pick(free), Math.floor(onset + r.uniform(-260, 200)));
  }

  private ordinary(r: Rng, name: string, at: number): void {
    // A version cannot be replaced while its own rollout runs, and not before the one it replaces existed.
    if (
      this.deploysOf(name).some(
        (c) => Math.abs(c.started - at) < 1500 || (c.started < at && c.finished > at) || c.started > at,
      )
    )
      return;
    const kind = r.weighted([
      ["deploy", 7],
      ["flag", 2],
      ["config", 1.5],
    ]);
    if (kind === "flag") this.flag(name, at);
    else if (kind === "config") this.config(name, at);
    else {
      const c = this.deploy(name, at);
      if (r.chance(0.4)) this.churn(c, r.logUniform(0.001, 0.012));
      if (r.chance(0.35)) this.warmUp(c, r.uniform(1.15, 1.6), r.uniform(25, 80));
    }
  }

  /** Slow first requests of a fresh pod. */
  warmUp(c: Change, mul: number, seconds: number): void {
    this.effect(
      c,
      { latMul: mul, slowShare: 0.6 },
      { gain: (t) => Math.exp(-Math.max(0, t - c.finished) / seconds) * (t < c.finished + 6 * seconds ? 1 : 0) },
    );
  }
}
