// Long because it was written by somebody else, and stays as it was written but for the formatter.
/*
 * The stage on which a family of the independent incident generator plays: an installation, a span of time, and verbs for what
 * teams do (deploy, switch a flag, change configuration, migrate a schema) and for what happens to services. A family writes
 * down what happened and what is true; nothing here looks at how an observer might find it out.
 */
import { drawProfile, drawSystem, season, type Wishes } from "./installation.ts";
import { Rng, Skip } from "./random.ts";
import { drawNoise, type Path, simulate } from "./simulate.ts";
import type { Action, Change, Effect, LogSignature, Profile, Rollout, Service, Stage, System, Truth } from "./types.ts";
import {
  configSources,
  deploySources,
  flagNames,
  flagSources,
  migrationNames,
  migrationSources,
  people,
} from "./vocabulary.ts";

export interface Needs extends Wishes {
  profile?: Partial<Profile>;
  minFine?: number;
  minCoarseDays?: number;
  /** Demands something of the drawn profile; drawn again where it does not hold. */
  accept?: (p: Profile) => boolean;
}

export interface Handle {
  key: string;
  service: string;
  at: number;
  /** When it begins to act, and when it is complete. */
  live: number;
  done: number;
  plainDeploy: boolean;
}

export interface DeployOptions {
  shape?: "rolling" | "switch" | "staged" | "canary" | "stuck";
  stages?: Stage[];
  share?: number;
  duration?: number;
  reversible?: boolean;
  restores?: string;
  requires?: Record<string, string>;
  provides?: Record<string, string>;
  size?: Change["size"];
  calm?: boolean;
  finishes?: "exact" | "late" | "missing";
}

export const minute = 60;

export class Scene {
  readonly rng: Rng;
  readonly profile: Profile;
  readonly system: System;
  readonly w0: number;
  readonly w1: number;
  readonly h0: number;
  readonly c0: number;
  effects: Effect[] = [];
  rollouts: Rollout[] = [];
  changes: Change[] = [];
  signatures: LogSignature[] = [];
  gaps: { services: string[] | null; from: number; until: number }[] = [];
  resets: { service: string; at: number }[] = [];
  falseAlerts: { name: string; service: string; from: number; until?: number; summary: string }[] = [];
  human: { action: Action; change?: string; at?: number; note?: string } | null = null;
  /** Services that background changes leave alone from the given time on. */
  locked = new Map<string, number>();
  private readonly sources: Record<string, string>;
  private busy: { service: string; from: number; until: number }[] = [];
  private serial = 0;

  constructor(rng: Rng, needs: Needs, epoch: number) {
    this.rng = rng;
    let profile = drawProfile(rng);
    for (let i = 0; i < 60 && needs.accept?.({ ...profile, ...needs.profile }) === false; i++)
      profile = drawProfile(rng);
    profile = { ...profile, ...needs.profile };
    if (needs.accept?.(profile) === false) throw new Skip("profile");
    profile.fineHistory = Math.max(profile.fineHistory, needs.minFine ?? 0);
    if (profile.coarseDays < (needs.minCoarseDays ?? 0)) {
      profile.coarseDays = rng.pick([7, 14, 21].filter((d) => d >= (needs.minCoarseDays ?? 0)));
      profile.coarseStep = rng.pick([300, 600, 900]);
    }
    this.profile = profile;
    this.system = drawSystem(rng, profile, needs);
    const dt = profile.step;
    const span = Math.round(rng.range(45, 90)) * minute;
    this.w0 = Math.floor(epoch) + rng.int(0, 59);
    this.w1 = this.w0 + Math.ceil(span / dt) * dt;
    this.h0 = this.w0 - Math.ceil(profile.fineHistory / dt) * dt;
    this.c0 = profile.coarseDays > 0 ? this.w0 - profile.coarseDays * 86400 : this.h0;
    // Where load matters, the watch falls into the busy part of the day.
    if (needs.tight === true) this.system.peakHour = (this.w0 / 3600 + rng.range(-2.5, 2.5) + 24) % 24;
    this.sources = {
      deploy: rng.pick(deploySources),
      flag: rng.pick(flagSources),
      config: rng.pick(configSources),
      migration: rng.pick(migrationSources),
    };
  }

  /** A moment of the watch that leaves `after` seconds of it, and `before` seconds since its start. */
  moment(after: number, before = 90): number {
    const end = this.w1 - after;
    if (end <= this.w0 + before) throw new Skip("watch too short");
    return Math.round(this.rng.range(this.w0 + before, end));
  }

  service(name: string): Service {
    return this.system.byName.get(name) as Service;
  }

  /** Services that run our code, apart from `except`. */
  own(except: string[] = []): Service[] {
    return this.system.services.filter((s) => s.role !== "store" && s.role !== "outside" && !except.includes(s.name));
  }

  any(except: string[] = []): Service {
    return this.rng.pick(this.own(except).filter((s) => s.role !== "worker"));
  }

  callers(name: string): Service[] {
    return this.system.services.filter((s) =>
      s.edges.some((e) => e.to === name && !e.async && e.calls >= 0.25 && e.hard > 0.5),
    );
  }

  upstream(name: string): Set<string> {
    const found = new Set<string>();
    const walk = (n: string): void => {
      for (const s of this.system.services)
        if (s.edges.some((e) => e.to === n) && !found.has(s.name)) {
          found.add(s.name);
          walk(s.name);
        }
    };
    walk(name);
    return found;
  }

  downstream(name: string): Set<string> {
    const found = new Set<string>();
    const walk = (n: string): void => {
      for (const e of this.service(n).edges)
        if (!found.has(e.to)) {
          found.add(e.to);
          walk(e.to);
        }
    };
    walk(name);
    return found;
  }

  /** Services that `name` can neither hurt through calls nor be hurt by. */
  unrelated(name: string): Service[] {
    const up = this.upstream(name);
    const down = this.downstream(name);
    return this.own([name]).filter((s) => !up.has(s.name) && !down.has(s.name));
  }

  rateOf(name: string, t: number): number {
    const rate = new Map<string, number>(
      this.system.services.map((s) => [s.name, s.entryRate * season(this.system, t)]),
    );
    for (const s of this.system.order)
      for (const e of s.edges) rate.set(e.to, (rate.get(e.to) ?? 0) + (rate.get(s.name) ?? 0) * e.calls);
    return rate.get(name) as number;
  }

  /** What a service shows at about `t` when nothing is wrong. */
  usual(name: string, t: number): { p50: number; p99: number; err: number } {
    const grid = { start: t, dt: 15, n: 12 };
    const path = simulate(this.system, [], [], grid, drawNoise(new Rng("usual"), this.system, grid)).paths.get(
      name,
    ) as Path;
    return { p50: path.p50[11] as number, p99: path.p99[11] as number, err: path.err[11] as number };
  }

  /** A time that this share of the service's answers takes longer than. */
  tooShort(name: string, t: number, share: number): number {
    const u = this.usual(name, t);
    const z = Math.sqrt(-2 * Math.log(share)) - 0.9;
    return u.p50 * (u.p99 / u.p50) ** (z / 2.326);
  }

  /** An error share that ten minutes of this service's traffic show beyond doubt. */
  errorShare(name: string, t: number, lo = 0.02, hi = 0.6, share = 1): number {
    const n = this.rateOf(name, t) * 600 * share;
    // What its callees fail it with is part of what it always shows.
    const base = Math.max(this.service(name).baseErr, this.usual(name, t).err);
    const clear = base * 2 + 9 * Math.sqrt(base / n) + 14 / n;
    if (clear > 0.7) throw new Skip("too little traffic to show");
    return Math.min(0.95, Math.max(clear * this.rng.range(1, 1.6), this.rng.log(lo, hi)));
  }

  change(
    c: Partial<Change> & { kind: Change["kind"]; service: string; startedAt: number; finishedAt: number | null },
  ): string {
    const key = `c${this.serial++}`;
    c.startedAt = Math.round(c.startedAt);
    if (c.finishedAt !== null) c.finishedAt = Math.max(c.startedAt, Math.round(c.finishedAt));
    this.changes.push({
      key,
      reversible: true,
      size: this.rng.weighted([
        [55, "small"],
        [32, "medium"],
        [13, "large"],
      ] as const),
      source: this.sources[c.kind] as string,
      author: this.rng.pick(people),
      plainDeploy: c.kind === "deploy",
      ...c,
    });
    this.busy.push({ service: c.service, from: c.startedAt - 60, until: (c.finishedAt ?? c.startedAt + 900) + 120 });
    return key;
  }

  deploy(service: string, at: number, o: DeployOptions = {}): Handle {
    const r = this.rng;
    const s = this.service(service);
    const start = at + r.range(0.6, 1.4) * this.profile.lead + r.range(4, 25);
    const shape = o.shape ?? (r.chance(0.15) ? "switch" : "rolling");
    const perPod = r.log(12, 60);
    const length = o.duration ?? Math.min(720, Math.max(25, Math.min(s.pods, 10) * perPod));
    const stages: Stage[] = [];
    if (o.stages !== undefined) stages.push(...o.stages);
    else if (shape === "rolling") {
      const n = Math.min(s.pods, 10);
      for (let i = 1; i <= n; i++) stages.push({ at: start + (length * (i - 1)) / n, share: i / n });
    } else if (shape === "switch") stages.push({ at: start, share: 1 });
    else if (shape === "canary") stages.push({ at: start, share: o.share ?? 0.1 });
    else if (shape === "stuck") stages.push({ at: start, share: 0 });
    else {
      let t = start;
      for (const share of r.pick([
        [0.05, 0.25, 0.5, 1],
        [0.1, 0.5, 1],
        [0.01, 0.1, 0.5, 1],
        [0.2, 0.4, 0.6, 0.8, 1],
        [0.25, 1],
      ])) {
        stages.push({ at: t, share });
        t += r.range(3, 9) * minute;
      }
    }
    const last = stages[stages.length - 1] as Stage;
    const done = shape === "canary" || shape === "stuck" ? Number.POSITIVE_INFINITY : last.at + r.range(2, 12);
    const ends =
      o.finishes ??
      (this.profile.finished === "mixed"
        ? r.pick(["exact", "exact", "late", "missing"] as const)
        : this.profile.finished);
    const finishedAt =
      !Number.isFinite(done) || ends === "missing" ? null : done + (ends === "late" ? r.range(120, 900) : 0);
    const seen = finishedAt !== null && finishedAt > this.w1 ? null : finishedAt;
    const firstShare = stages[0]?.share ?? 0;
    const key = this.change({
      kind: "deploy",
      service,
      startedAt: at,
      finishedAt: seen,
      reversible: o.reversible ?? true,
      ...(shape === "staged" || shape === "canary" ? { canary: firstShare } : {}),
      ...(o.restores !== undefined ? { restores: o.restores } : {}),
      ...(o.requires !== undefined ? { requires: o.requires } : {}),
      ...(o.provides !== undefined ? { provides: o.provides } : {}),
      ...(o.size !== undefined ? { size: o.size } : {}),
    });
    this.rollouts.push({
      service,
      change: key,
      stages,
      weighted: shape === "staged" || shape === "canary",
      ...(o.restores !== undefined ? { restores: o.restores } : {}),
    });
    if (this.profile.restartHurts && o.calm !== true && shape !== "stuck" && at > this.h0 - 600) {
      // Cold caches and connections; a request or two is lost with each pod that stops.
      this.effects.push({
        service,
        from: start,
        until: Math.min(done, start + 900) + 90,
        latMul: r.range(1.05, 1.35),
        change: key,
        version: o.restores ?? key,
        decay: 120,
      });
      this.effects.push({
        service,
        from: start,
        until: Math.min(done, start + 900),
        err: r.log(0.0003, 0.003),
        change: key,
      });
      if (r.chance(0.3))
        this.effects.push({ service, from: start, until: Math.min(done, start + 90), surge: 1, change: key });
    }
    return { key, service, at, live: start, done: Math.min(done, this.w1 + 3600), plainDeploy: true };
  }

  flag(service: string, at: number, o: { from?: string; to?: string; reversible?: boolean } = {}): Handle {
    const r = this.rng;
    const [from, to] =
      o.to !== undefined
        ? [o.from ?? "off", o.to]
        : r.pick([
            ["off", "on"],
            ["off", "on"],
            ["false", "true"],
            ["0%", "25%"],
            ["10%", "50%"],
            ["control", "treatment"],
            ["0%", "100%"],
          ]);
    const live = at + r.range(1, 25);
    const key = this.change({
      kind: "flag",
      service,
      startedAt: at,
      finishedAt: at + r.int(0, 2),
      from: from as string,
      to: to as string,
      flag: `${r.chance(0.5) ? `${service}.` : ""}${r.pick(flagNames)}`,
      size: "small",
      reversible: o.reversible ?? true,
    });
    return { key, service, at, live, done: live + 30, plainDeploy: false };
  }

  config(service: string, at: number): Handle {
    const r = this.rng;
    const live = at + r.range(5, 60);
    const done = live + r.range(10, 120);
    const rev = r.int(20, 900);
    const [from, to] = r.pick([
      [`rev-${rev}`, `rev-${rev + 1}`],
      [r.hex(8), r.hex(8)],
      [`cm-${rev}`, `cm-${rev + r.int(1, 3)}`],
    ]);
    const key = this.change({
      kind: "config",
      service,
      startedAt: at,
      finishedAt: this.profile.finished === "missing" ? null : done,
      from: from as string,
      to: to as string,
      size: "small",
    });
    return { key, service, at, live, done, plainDeploy: false };
  }

  migration(service: string, at: number, o: { reversible?: boolean; length?: number } = {}): Handle {
    const r = this.rng;
    const length = o.length ?? r.log(4, 420);
    const n = r.int(40, 900);
    const key = this.change({
      kind: "migration",
      service,
      startedAt: at,
      finishedAt: at + length,
      from: `${n}`,
      to: `${n + 1}_${r.pick(migrationNames)}`,
      reversible: o.reversible ?? r.chance(0.3),
      size: "small",
    });
    return { key, service, at, live: at + r.range(1, 10), done: at + length, plainDeploy: false };
  }

  /** What `cause` does, from the moment it begins to act. */
  hurt(cause: Handle, e: Partial<Effect>): void {
    const service = e.service ?? cause.service;
    this.effects.push({
      from: cause.live,
      change: cause.key,
      ...(cause.plainDeploy && service === cause.service ? { version: cause.key } : {}),
      ...(cause.plainDeploy ? {} : { ramp: this.rng.range(10, 60) }),
      ...e,
      service,
    });
  }

  /** Something that no change caused. */
  happen(e: Effect): void {
    this.effects.push(e);
  }

  sign(service: string, text: string, from: number, o: Partial<LogSignature> = {}): void {
    this.signatures.push({ service, text, from, until: this.w1, level: "error", perMinute: this.rng.log(3, 20), ...o });
  }

  lock(service: string, from: number): void {
    this.locked.set(service, Math.min(from, this.locked.get(service) ?? Number.POSITIVE_INFINITY));
  }

  free(service: string, from: number, until: number): boolean {
    if ((this.locked.get(service) ?? Number.POSITIVE_INFINITY) < until) return false;
    return !this.busy.some((b) => b.service === service && b.from < until && b.until > from);
  }

  /** One innocent change, of any kind, that begins at about `at`; null where the service has other business then. */
  innocent(at: number, service?: string, kind?: Change["kind"]): Handle | null {
    const r = this.rng;
    const name = service ?? r.pick(this.own()).name;
    if (!this.free(name, at - 240, at + 1500)) return null;
    const what =
      kind ??
      r.weighted([
        [68, "deploy"],
        [15, "flag"],
        [13, "config"],
        [4, "migration"],
      ] as const);
    if (what === "deploy")
      return this.deploy(name, Math.round(at), {
        ...(r.chance(0.12) ? { shape: "staged" as const } : {}),
        ...(r.chance(0.03) ? { reversible: false } : {}),
      });
    if (what === "flag") return this.flag(name, Math.round(at), r.chance(0.25) ? { from: "on", to: "off" } : {});
    if (what === "config") return this.config(name, Math.round(at));
    return this.migration(name, Math.round(at));
  }

  /** A callee and a caller that needs its new version, one after the other, both well. */
  innocentPair(at: number): void {
    const low = this.rng.pick(this.own());
    const high = this.callers(low.name)[0];
    if (high === undefined || !this.free(low.name, at - 240, at + 2400) || !this.free(high.name, at - 240, at + 2400))
      return;
    const first = this.deploy(low.name, at, {
      shape: "rolling",
      duration: this.rng.range(30, 120),
      provides: { api: `v${this.rng.int(2, 9)}` },
    });
    this.deploy(high.name, first.done + this.rng.range(30, 600), {
      shape: "rolling",
      duration: this.rng.range(30, 120),
      requires: { [low.name]: first.key },
    });
  }

  /** Ordinary life: changes of the days before, and about `inWatch` during the watch. */
  background(
    inWatch: number = this.rng.weighted([
      [30, 0],
      [30, 1],
      [25, 2],
      [15, 4],
    ] as const),
  ): void {
    const r = this.rng;
    const back = Math.max(this.w0 - this.c0, r.pick([2, 6, 12, 24]) * 3600);
    for (let n = r.int(1, 9); n > 0; n--) this.innocent(this.w0 - back * r.next() ** 2);
    if (r.chance(0.2)) this.innocentPair(this.w0 - r.range(1, 8) * 3600);
    if (inWatch > 3 && r.chance(0.3)) this.innocentPair(r.range(this.w0, this.w1 - 900));
    for (let n = inWatch; n > 0; n--) this.innocent(r.range(this.w0, this.w1 - 120));
    if (this.profile.coarseDays >= 3 && r.chance(0.35)) {
      // An incident of days ago that has nothing to do with today.
      const at = r.range(this.c0 + 7200, this.h0 - 12 * 3600);
      this.happen({
        service: this.any().name,
        from: at,
        until: at + r.log(20, 150) * minute,
        err: r.log(0.05, 0.5),
        latMul: r.log(1.2, 4),
      });
    }
  }

  /** Colleagues at work: harmless changes of other services around the moment at which harm begins. */
  bustle(onset: number): void {
    for (let n = this.rng.int(1, 4); n > 0; n--) {
      const at = onset + this.rng.range(-10, 5) * minute;
      if (at < this.w1 - 120) this.innocent(at);
    }
  }

  guilty(
    culprit: Handle,
    o: { targets?: Handle[]; action?: Action; acceptable?: Action[]; onset?: number; over?: number; why: string },
  ): Truth {
    const action = o.action ?? "rollback";
    return {
      faulty: true,
      action,
      acceptable: o.acceptable ?? [action],
      culprit: culprit.key,
      targets: (o.targets ?? [culprit]).map((h) => h.key),
      onset: o.onset ?? culprit.live,
      why: o.why,
      ...(o.over !== undefined ? { over: o.over } : {}),
    };
  }

  innocence(why: string, acceptable: Action[] = ["no_action"]): Truth {
    return { faulty: false, action: "no_action", acceptable, culprit: null, targets: [], onset: null, why };
  }
}
