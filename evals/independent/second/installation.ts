/*
 * Draws an installation for the independent incident generator: how it measures itself, which services it has, who calls whom, how
 * large each is for its traffic, and how its traffic goes up and down by hour and day.
 */
import { type Rng, Skip } from "./random.ts";
import type { CustomMetric, Edge, Profile, Role, Service, System } from "./types.ts";
import { type NameStyle, small, styled, trades } from "./vocabulary.ts";

const minute = 60;
const hour = 3600;

export function drawProfile(rng: Rng): Profile {
  const step = rng.weighted([
    [6, 10],
    [30, 15],
    [6, 20],
    [28, 30],
    [28, 60],
    [3, 120],
  ] as const);
  const thin = rng.chance(0.12);
  const coarseDays = rng.weighted([
    [34, 0],
    [14, 1],
    [14, 3],
    [18, 7],
    [10, 14],
    [10, 21],
  ] as const);
  return {
    step,
    traffic: rng.weighted([
      [7, "trickle"],
      [26, "low"],
      [45, "middle"],
      [22, "high"],
    ] as const),
    fineHistory: rng.weighted([
      [14, 14 * minute],
      [22, 30 * minute],
      [26, hour],
      [22, 3 * hour],
      [16, 6 * hour],
    ] as const),
    coarseDays,
    coarseStep:
      coarseDays <= 3
        ? rng.pick([300, 600])
        : coarseDays <= 7
          ? rng.pick([300, 600, 900])
          : rng.pick([600, 900, 1800, 3600]),
    hasRate: !thin && rng.chance(0.9),
    hasP50: !thin && rng.chance(0.6),
    hasP99: rng.chance(0.98),
    hasCpu: !thin && rng.chance(0.75),
    hasMemory: !thin && rng.chance(0.7),
    hasHealth: !thin && rng.chance(0.55),
    hasVersions: !thin && rng.chance(0.5),
    hasLogs: rng.chance(0.66),
    hasSpans: rng.chance(0.33),
    hasAlerts: rng.chance(0.45),
    histogram: rng.chance(0.45),
    window: rng.weighted([
      [80, 1],
      [12, 2],
      [8, 3],
    ] as const),
    emptyIsZero: rng.chance(0.35),
    lossRate: rng.weighted([
      [55, 0],
      [30, 0.001],
      [15, 0.008],
    ] as const),
    dispersion: rng.weighted([
      [45, 1.1],
      [35, 2],
      [20, 4],
    ] as const),
    digits: rng.pick([3, 4, 5, 6]),
    finished: rng.weighted([
      [60, "exact"],
      [14, "late"],
      [12, "missing"],
      [14, "mixed"],
    ] as const),
    lead: rng.weighted([
      [55, 5],
      [30, 30],
      [15, 90],
    ] as const),
    restartHurts: rng.chance(0.4),
    gzip: rng.chance(0.7),
  };
}

export interface Wishes {
  minServices?: number;
  outside?: boolean;
  store?: boolean;
  worker?: boolean;
  /** Fraction of the critical load at the top of an ordinary day. */
  tight?: boolean;
}

export function drawSystem(rng: Rng, profile: Profile, wishes: Wishes): System {
  const size = Math.max(
    wishes.minServices ?? 3,
    rng.weighted([
      [20, rng.int(3, 5)],
      [50, rng.int(6, 10)],
      [30, rng.int(11, 17)],
    ] as const),
  );
  const trade = size <= 5 && rng.chance(0.5) ? small : rng.pick(trades);
  const style = rng.weighted<NameStyle>([
    [50, "plain"],
    [14, "api"],
    [14, "svc"],
    [12, "pascal"],
    [10, "snake"],
  ]);
  const entries = size >= 6 && rng.chance(0.4) ? 2 : 1;
  const withWorker = wishes.worker === true || rng.chance(0.3);
  const withStore = wishes.store === true || rng.chance(0.5);
  const withOutside = wishes.outside === true || rng.chance(0.5);
  const middle = Math.max(2, size - entries);
  const cores = Math.min(trade.core.length, Math.max(1, Math.round(middle * rng.range(0.4, 0.6))));
  const leaves = Math.min(trade.leaf.length, Math.max(1, middle - cores));
  if (cores + leaves + entries < (wishes.minServices ?? 3)) throw new Skip("too few names in this trade");

  const take = (names: string[], n: number): string[] =>
    rng
      .shuffle(names)
      .slice(0, n)
      .map((name) => styled(name, style));
  const names: Record<Role, string[]> = {
    entry: take(trade.entry, entries),
    core: take(trade.core, cores),
    leaf: take(trade.leaf, leaves),
    worker: withWorker ? take(trade.worker, 1) : [],
    store: withStore ? rng.shuffle(trade.store).slice(0, rng.int(1, 2)) : [],
    outside: withOutside ? rng.shuffle(trade.outside).slice(0, rng.int(1, 2)) : [],
  };

  const total = {
    trickle: rng.log(0.06, 0.5),
    low: rng.log(0.6, 15),
    middle: rng.log(15, 250),
    high: rng.log(250, 3500),
  }[profile.traffic];
  const services: Service[] = [];
  for (const role of ["entry", "core", "leaf", "worker", "store", "outside"] as Role[]) {
    for (const name of names[role]) {
      services.push({
        name,
        role,
        pods: 1,
        workers: role === "store" ? rng.pick([60, 100, 200]) : rng.pick([16, 32, 64, 200]),
        cores: rng.pick([1, 1, 2, 4]),
        cpuMs: role === "store" ? rng.log(0.3, 3) : rng.log(1.5, 25),
        ownMs: role === "store" ? rng.log(0.8, 6) : role === "outside" ? rng.log(60, 350) : rng.log(4, 90),
        sigma: rng.range(0.35, 0.85),
        baseErr:
          role === "store"
            ? 0.00005
            : rng.weighted([
                [60, rng.log(0.0001, 0.001)],
                [30, rng.log(0.001, 0.005)],
                [10, rng.log(0.005, 0.02)],
              ]),
        memBase: rng.range(0.3, 0.62),
        entryRate: role === "entry" ? total * (name === names.entry[0] ? 1 : rng.range(0.2, 0.8)) : 0,
        edges: [],
      });
    }
  }
  const byName = new Map(services.map((s) => [s.name, s]));
  wire(rng, services, names);
  const system: System = {
    services,
    byName,
    order: services,
    customs: [],
    goal: trade.goal,
    dayAmplitude: rng.range(0.15, 0.75),
    peakHour: rng.range(0, 24),
    weekend: rng.pick([0.45, 0.7, 0.9, 1.1]),
    startHourBias: 0,
  };
  provision(rng, system, wishes.tight === true);
  system.customs = customs(rng, system, names);
  return system;
}

function edge(rng: Rng, from: Service, to: Service): Edge {
  const async = to.role === "worker";
  return {
    to: to.name,
    calls:
      to.role === "store"
        ? rng.range(0.8, 3)
        : async
          ? rng.range(0.2, 0.8)
          : rng.weighted([
              [70, rng.range(0.25, 1)],
              [30, rng.range(1, 2)],
            ]),
    hard: async
      ? 0
      : rng.weighted([
          [75, rng.range(0.85, 1)],
          [25, rng.range(0.05, 0.4)],
        ]),
    timeoutMs:
      to.role === "outside"
        ? rng.pick([5000, 10000])
        : from.role === "entry"
          ? rng.pick([3000, 5000, 10000])
          : rng.pick([1000, 2000, 3000, 5000]),
    retries: rng.weighted([
      [60, 0],
      [30, 1],
      [10, 2],
    ]),
    async,
  };
}

function wire(rng: Rng, services: Service[], names: Record<Role, string[]>): void {
  const of = (role: Role): Service[] => services.filter((s) => names[role].includes(s.name));
  const join = (from: Service, to: Service): void => {
    if (from !== to && !from.edges.some((e) => e.to === to.name)) from.edges.push(edge(rng, from, to));
  };
  for (const core of of("core")) join(rng.pick(of("entry")), core);
  for (const entry of of("entry")) {
    if (entry.edges.length === 0) join(entry, rng.pick(of("core")));
    if (rng.chance(0.3)) join(entry, rng.pick(of("leaf")));
  }
  for (const leaf of of("leaf")) join(rng.pick(of("core")), leaf);
  for (const core of of("core")) for (let i = rng.int(0, 2); i > 0; i--) join(core, rng.pick(of("leaf")));
  const cores = of("core");
  for (let i = 0; i + 1 < cores.length; i++) if (rng.chance(0.25)) join(cores[i] as Service, cores[i + 1] as Service);
  for (const worker of of("worker")) join(rng.pick(cores), worker);
  for (const outside of of("outside")) {
    const users = rng.shuffle([...cores, ...of("leaf")]).slice(0, rng.int(1, 2));
    for (const user of users) join(user, outside);
  }
  for (const store of of("store")) {
    const users = rng.shuffle([...cores, ...of("leaf"), ...of("worker")]).slice(0, rng.int(2, 5));
    for (const user of users) join(user, store);
  }
}

/** Sizes each service so that its busiest ordinary hour leaves the room that operators leave. */
function provision(rng: Rng, system: System, tight: boolean): void {
  const rate = new Map<string, number>(system.services.map((s) => [s.name, s.entryRate]));
  for (const s of system.order)
    for (const e of s.edges) rate.set(e.to, (rate.get(e.to) ?? 0) + (rate.get(s.name) ?? 0) * e.calls);
  for (const s of system.services) {
    const r = rate.get(s.name) ?? 0;
    const room = s.role === "outside" ? 0.05 : tight ? rng.range(0.5, 0.62) : rng.range(0.2, 0.5);
    // A request that takes long keeps a worker for long, however little CPU it needs.
    s.cpuMs = Math.min(s.cpuMs, s.ownMs * 0.9);
    const need = (r * s.cpuMs) / 1000 / room;
    if (s.role === "store") {
      s.pods = 1;
      s.cores = Math.max(4, need);
    } else {
      s.pods = Math.max(rng.pick([2, 2, 3, 4]), Math.ceil(need / s.cores));
      if (s.pods > 40) {
        s.cores *= s.pods / 40;
        s.pods = 40;
      }
    }
    // A small service on a large pod idles; a large one is sized by what it uses.
    const used = (r * s.cpuMs) / 1000 / (s.pods * s.cores);
    if (used < room && s.role !== "outside") s.cores = Math.max(0.05, s.cores * Math.max(used / room, 0.12));
  }
  const hold = new Map<string, number>();
  for (const s of [...system.order].reverse()) {
    const own = s.ownMs * 1.1 + s.edges.reduce((sum, e) => sum + (e.async ? 0 : e.calls * (hold.get(e.to) ?? 0)), 0);
    hold.set(s.name, own);
    s.workers = Math.max(
      s.workers,
      Math.ceil((((rate.get(s.name) ?? 0) / s.pods) * (s.role === "store" ? 25 : 4) * own) / 1000),
    );
  }
}

function customs(rng: Rng, system: System, names: Record<Role, string[]>): CustomMetric[] {
  const out: CustomMetric[] = [];
  const worse = (side: "up" | "down"): "up" | "down" | undefined => (rng.chance(0.85) ? side : undefined);
  for (const worker of names.worker)
    if (rng.chance(0.85))
      out.push({
        service: worker,
        metric: rng.pick(["queue_depth", "consumer_lag", "backlog_messages"]),
        unit: "messages",
        worse: worse("up"),
        kind: "queue",
        base: rng.log(5, 60),
      });
  const cached = system.services.find((s) => s.role !== "store" && s.edges.some((e) => names.store.includes(e.to)));
  if (cached !== undefined && rng.chance(0.35))
    out.push({
      service: cached.name,
      metric: rng.pick(["cache_hit_rate", "cache_hit_ratio"]),
      unit: "ratio",
      worse: worse("down"),
      kind: "cache",
      base: rng.range(0.82, 0.97),
    });
  if (rng.chance(0.3))
    out.push({
      service: names.entry[0] as string,
      metric: rng.chance(0.5) ? system.goal : "conversion_rate",
      unit: "",
      worse: worse("down"),
      kind: "goal",
      base: rng.range(0.02, 0.2),
    });
  for (const store of names.store)
    if (rng.chance(0.4))
      out.push({
        service: store,
        metric: rng.pick(["db_connections", "active_sessions"]),
        unit: "connections",
        worse: undefined,
        kind: "connections",
        base: rng.range(8, 40),
      });
  if (rng.chance(0.12))
    for (const s of rng.shuffle(system.services).slice(0, 4))
      if (s.role !== "outside")
        out.push({
          service: s.name,
          metric: "cpu_steal",
          unit: "ratio",
          worse: worse("up"),
          kind: "steal",
          base: 0.01,
        });
  for (const c of out) if (c.kind === "goal") c.unit = c.metric === "conversion_rate" ? "ratio" : "count";
  return out;
}

/** Traffic as a share of the busiest ordinary hour. */
export function season(system: System, t: number): number {
  const h = ((t / hour) % 24) - system.peakHour;
  const day = Math.floor(t / 86400 + 4) % 7;
  const wave = (Math.cos((h / 12) * Math.PI) + 0.25 * Math.cos((h / 6) * Math.PI)) / 1.25;
  const level = 1 - (system.dayAmplitude * (1 - wave)) / 2;
  return Math.max(0.04, level) * (day === 0 || day === 6 ? system.weekend : 1);
}
