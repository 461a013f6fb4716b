import type { Change } from "../../../core/model/change.ts";
import type { LogLine, Rollout } from "../../../core/model/evidence.ts";
import { type Series, WELL_KNOWN_METRICS, type WellKnownMetric } from "../../../core/model/signal.ts";
import { recordingOf } from "./recording.ts";

/** What goes wrong: from so many seconds after the watch starts. Errors as an added ratio, latency as a factor. */
export interface Effect {
  readonly service: string;
  readonly fromS: number;
  readonly toS?: number;
  readonly errors?: number;
  readonly latency?: number;
  readonly traffic?: number;
  /** Memory that is added a minute, as a ratio of the limit. */
  readonly leak?: number;
  /** Seconds until it is in full. */
  readonly rampS?: number;
  /** Share that reaches each caller; 0: callers feel nothing. Default 0.6. */
  readonly spread?: number;
}

export interface WorldOptions {
  readonly services: Readonly<
    Record<string, { readonly rate?: number; readonly errors?: number; readonly p50?: number }>
  >;
  readonly edges?: readonly (readonly [string, string])[];
  readonly external?: readonly string[];
  readonly stepS?: number;
  readonly historyS?: number;
  readonly minutes?: number;
  readonly seed?: number;
  readonly effects?: readonly Effect[];
  readonly changes?: readonly Partial<Change>[];
  readonly logs?: readonly (Partial<LogLine> & { readonly atS: number })[];
  /** Series by version for a change's service: the new version's share of traffic and what each version fails. */
  readonly versions?: readonly {
    readonly service: string;
    readonly fromS: number;
    readonly toS: number;
    readonly old: string;
    readonly fresh: string;
    readonly share: (s: number) => number;
    readonly oldErrors: number;
    readonly freshErrors: number;
  }[];
  /** Seconds in which nothing is scraped. */
  readonly gap?: readonly [number, number];
  readonly metrics?: readonly WellKnownMetric[];
  readonly rollouts?: (now: number) => readonly Rollout[];
}

export const START = Date.parse("2026-03-02T12:00:00Z");
export const atS = (seconds: number): number => START + seconds * 1000;

/** A deploy with everything that a change needs; times in seconds after the watch starts. */
export function deploy(
  service: string,
  startS: number,
  replaced: Partial<Change> = {},
  rolloutS = 120,
): Partial<Change> {
  return {
    id: `deploy-${service}-${startS}`,
    kind: "deploy",
    service,
    from: "v1.0.0",
    to: "v1.1.0",
    startedAt: atS(startS),
    finishedAt: atS(startS + rolloutS),
    source: "test",
    reversible: true,
    ...replaced,
  };
}

/** Normal and uniform numbers from a seed (mulberry32). */
function random(seed: number) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

/**
 * A small production: autocorrelated traffic and latency, overdispersed errors, failures that reach callers. It shares
 * no code with what it tests.
 */
export function createWorld(options: WorldOptions) {
  const { stepS = 15, historyS = 7200, minutes = 20, seed = 1, effects = [], edges = [] } = options;
  const { normal } = random(seed);
  const steps = Math.round((historyS + minutes * 60) / stepS);
  const series: Series[] = [];
  const callersOf = (service: string) => edges.filter(([, callee]) => callee === service).map(([caller]) => caller);
  const felt = new Map<string, Effect[]>();
  const feel = (service: string, effect: Effect, share: number, seen: ReadonlySet<string>) => {
    if (share < 0.02 || seen.has(service)) return;
    const latency = effect.latency === undefined ? {} : { latency: 1 + (effect.latency - 1) * share };
    const errors = effect.errors === undefined ? {} : { errors: effect.errors * share };
    felt.set(service, [...(felt.get(service) ?? []), { ...effect, ...latency, ...errors }]);
    const next = share * (effect.spread ?? 0.6);
    for (const caller of callersOf(service))
      feel(caller, { ...effect, traffic: 1, leak: 0 }, next, new Set([...seen, service]));
  };
  for (const effect of effects) feel(effect.service, effect, 1, new Set());
  const amount = (effect: Effect, s: number): number => {
    if (s < effect.fromS || s >= (effect.toS ?? Number.POSITIVE_INFINITY)) return 0;
    return effect.rampS === undefined ? 1 : Math.min(1, (s - effect.fromS) / effect.rampS);
  };
  const keep =
    options.metrics ?? (["request_rate", "error_rate", "p50_latency", "p99_latency", "memory_usage"] as const);
  const push = (
    service: string,
    metric: WellKnownMetric,
    values: (number | null)[],
    labels: Record<string, string> = {},
    startS = -historyS + stepS,
  ) => {
    if (!keep.includes(metric)) return;
    const { unit, worse } = WELL_KNOWN_METRICS[metric];
    series.push({ service, metric, unit, worse, labels, startAt: atS(startS), stepMs: stepS * 1000, values });
  };
  for (const [service, { rate = 60, errors = 0.002, p50 = 30 }] of Object.entries(options.services)) {
    let traffic = 0;
    let slow = 0;
    let burst = 0;
    const columns = {
      rate: [] as (number | null)[],
      errors: [] as (number | null)[],
      p50: [] as (number | null)[],
      p99: [] as (number | null)[],
      memory: [] as (number | null)[],
    };
    for (let i = 0; i < steps; i++) {
      const s = -historyS + (i + 1) * stepS;
      // The middle of the step decides; each sample covers the step that ends at s.
      const now = (felt.get(service) ?? []).map((effect) => ({ effect, by: amount(effect, s - stepS / 2) }));
      traffic = 0.85 * traffic + 0.03 * normal();
      slow = 0.8 * slow + 0.04 * normal();
      burst = 0.7 * burst + 0.15 * normal();
      const more = now.reduce((product, { effect, by }) => product * (1 + ((effect.traffic ?? 1) - 1) * by), 1);
      const requests = rate * stepS * Math.exp(traffic) * more;
      const p = Math.min(
        0.98,
        errors * Math.exp(burst) + now.reduce((sum, { effect, by }) => sum + (effect.errors ?? 0) * by, 0),
      );
      const n = Math.max(0, Math.round(requests));
      const failed = Math.max(0, Math.min(n, Math.round(n * p + Math.sqrt(n * p * (1 - p)) * normal())));
      const slower = now.reduce((product, { effect, by }) => product * (1 + ((effect.latency ?? 1) - 1) * by), 1);
      const leaked = now.reduce(
        (sum, { effect }) => sum + Math.max(0, (s - effect.fromS) / 60) * (effect.leak ?? 0),
        0,
      );
      const missing = options.gap !== undefined && s >= options.gap[0] && s < options.gap[1];
      columns.rate.push(missing ? null : n / stepS);
      columns.errors.push(missing || n === 0 ? null : failed / n);
      columns.p50.push(missing ? null : p50 * Math.exp(slow) * slower);
      columns.p99.push(missing ? null : 5 * p50 * Math.exp(slow + 0.05 * normal()) * slower);
      columns.memory.push(missing ? null : Math.min(1, 0.4 + 0.01 * slow + leaked));
    }
    push(service, "request_rate", columns.rate);
    push(service, "error_rate", columns.errors);
    push(service, "p50_latency", columns.p50);
    push(service, "p99_latency", columns.p99);
    push(service, "memory_usage", columns.memory);
  }
  for (const { service, fromS, toS, old, fresh, share, oldErrors, freshErrors } of options.versions ?? []) {
    const rate = options.services[service]?.rate ?? 60;
    const times = Array.from({ length: Math.floor((toS - fromS) / stepS) }, (_, i) => fromS + (i + 1) * stepS);
    for (const [version, part, p] of [
      [old, (s: number) => 1 - share(s), oldErrors],
      [fresh, share, freshErrors],
    ] as const) {
      const counts = times.map((s) => Math.round(rate * stepS * part(s)));
      push(
        service,
        "request_rate",
        counts.map((n) => n / stepS),
        { version },
        times[0],
      );
      push(
        service,
        "error_rate",
        counts.map((n) => (n === 0 ? null : Math.max(0, Math.round(n * p + Math.sqrt(n * p) * normal())) / n)),
        { version },
        times[0],
      );
    }
  }
  const logs = (options.logs ?? []).map(({ atS: s, ...line }) => ({
    service: "web",
    level: "error" as const,
    message: "failed",
    ...line,
    at: atS(s),
  }));
  const topology = edges.length === 0 ? null : { edges, external: options.external ?? [] };
  const recording = recordingOf({
    startAt: START,
    endAt: START + minutes * 60_000,
    series,
    changes: (options.changes ?? []) as readonly Change[],
    logs,
    topology,
  });
  const rollouts = options.rollouts;
  const cluster = rollouts === undefined ? [] : [{ name: "cluster", rollouts: async () => rollouts(recording.now) }];
  return Object.assign(recording, {
    stepMs: stepS * 1000,
    sources: { ...recording.sources, rollouts: cluster },
  });
}
