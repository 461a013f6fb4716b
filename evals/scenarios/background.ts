import type { Draw } from "./draw.ts";
import {
  type Clock,
  HOUR,
  type Kind,
  MINUTE,
  type PlannedChange,
  SECOND,
  type ServiceModel,
  type SystemModel,
} from "./world/model.ts";

/**
 * Changes as they happen on any day. Rates and sizes:
 * - 0.3 to 4 deploys a service and working day: elite teams deploy on demand, several times a day (DORA, "Accelerate State
 *   of DevOps" 2019: 1,460 a year; the next group once a day to once a week).
 * - Binary against configuration as triggers of outages 37 : 31 (Beyer et al., "The Site Reliability Workbook", table C-1);
 *   flags and migrations share in what is left. Changes are made in working hours far more than at night.
 * - A rolling update replaces a quarter of the pods at a time (`maxSurge` 25 %, Kubernetes API reference, Deployment v1).
 * - A diff's size is heavy-tailed: median a few dozen lines, now and then thousands (Rigby and Bird, FSE 2013).
 */
const AUTHORS = ["ana", "chen", "dev", "eli", "fatima", "goran", "hana", "ivo", "jun", "kofi", "lena", "marco"];
const MESSAGES = [
  "Bump dependencies",
  "Refactor handlers",
  "Add metrics",
  "Fix typo in response",
  "Speed up start",
  "Add endpoint for partners",
  "Tidy configuration",
  "Use the new client library",
  "Raise connection limits",
  "Improve logging",
];
const KINDS: readonly (readonly [Kind, number])[] = [
  ["deploy", 0.62],
  ["config", 0.2],
  ["flag", 0.14],
  ["migration", 0.04],
];
const FLAGS = [
  "new-ranking",
  "fast-path",
  "cache-v2",
  "beta-checkout",
  "lazy-images",
  "dark-mode",
  "bulk-api",
  "async-audit",
  "smart-retry",
];

/** What a family may fix of a change; all else is drawn. */
export interface ChangeWishes {
  readonly reversible?: boolean;
  readonly canary?: number;
  /** How long a rollout takes; drawn from pods and their start-up time otherwise. */
  readonly rolloutMs?: number;
  readonly provides?: Readonly<Record<string, string>>;
  /** Service → id of the deploy that brings the version it needs, or the name of a version that has long been there. */
  readonly requires?: Readonly<Record<string, string>>;
  /** A rollout that stops at this share: its pods do not become ready. */
  readonly stuckAt?: number;
  readonly message?: string;
  /** Of what many services are deployed from at once; drawn otherwise. */
  readonly commit?: string;
  /** When a canary is promoted or taken back; absent: not within sight. */
  readonly ends?: { readonly at: number; readonly share: 0 | 1 };
  /** Of a deploy: the id of the one whose predecessor it brings back. */
  readonly undoes?: string;
  /** Of a flag: the name of one that is on and goes off. */
  readonly off?: string;
}

/** Makes changes whose versions follow one another for each service, and whose ids say nothing. */
export interface ChangeMaker {
  make(kind: Kind, service: ServiceModel, at: number, wishes?: ChangeWishes): PlannedChange;
}

export function changeMaker(draw: Draw): ChangeMaker {
  const taken = new Set<string>();
  return {
    make: (kind, service, at, wishes = {}) => {
      let id = "";
      do id = `${kind}-${service.name}-${draw.hex(6)}`;
      while (taken.has(id));
      taken.add(id);
      const lines = Math.ceil(draw.logUniform(3, 1500));
      const base = {
        id,
        kind,
        service: service.name,
        startedAt: Math.round(at / SECOND) * SECOND,
        reversible: wishes.reversible ?? (kind === "migration" ? draw.chance(0.4) : true),
        author: draw.pick(AUTHORS),
        ...(draw.chance(0.6) ? { message: wishes.message ?? draw.pick(MESSAGES) } : {}),
        ...(kind === "flag"
          ? {}
          : {
              commit: wishes.commit ?? draw.hex(40),
              diff: {
                files: Math.ceil(lines / draw.uniform(8, 60)),
                insertions: Math.ceil(lines * draw.uniform(0.4, 1)),
                deletions: Math.floor(lines * draw.uniform(0, 0.6)),
              },
            }),
        ...(wishes.provides === undefined ? {} : { provides: wishes.provides }),
        ...(wishes.requires === undefined ? {} : { requires: wishes.requires }),
        ...(wishes.undoes === undefined ? {} : { undoes: wishes.undoes }),
      };
      const made = {
        ...base,
        ...(kind === "deploy" ? rollout(draw, service, base.startedAt, wishes) : moment(draw, kind, base.startedAt)),
      };
      return wishes.off === undefined ? made : { ...made, from: "on", to: "off", flag: wishes.off };
    },
  };
}

/** Versions are named when all changes stand: see `number`. */
function rollout(draw: Draw, service: ServiceModel, at: number, wishes: ChangeWishes) {
  const source = draw.pick(["argocd", "argocd", "github-actions", "spinnaker"]);
  const startUp = draw.uniform(8, 30) * SECOND;
  if (wishes.canary !== undefined) {
    const { ends, canary } = wishes;
    const shares = [
      { at: at + startUp, share: canary },
      ...(ends === undefined ? [] : [{ at: ends.at, share: ends.share }]),
    ];
    return { source: "argo-rollouts", canary, finishedAt: ends?.at ?? null, shares, from: "", to: "" };
  }
  const batches = Math.max(1, Math.min(4, service.pods));
  const wanted = wishes.rolloutMs === undefined ? batches * (startUp + draw.uniform(2, 25) * SECOND) : wishes.rolloutMs;
  const every = (wanted - Math.min(startUp, wanted / 4)) / batches;
  const shares = Array.from({ length: batches }, (_, index) => ({
    at: Math.round(at + Math.min(startUp, wanted / 4) + index * every),
    share: (index + 1) / batches,
  })).filter(({ share }) => share <= (wishes.stuckAt ?? 1));
  const finishedAt = wishes.stuckAt === undefined ? Math.round((at + wanted) / SECOND) * SECOND : null;
  return { source, finishedAt, shares, from: "", to: "" };
}

function moment(draw: Draw, kind: Kind, at: number) {
  if (kind === "flag") {
    const source = draw.pick(["launchdarkly", "unleash"]);
    return {
      source,
      finishedAt: at + SECOND,
      shares: [],
      from: "off",
      to: "on",
      flag: draw.pick(FLAGS),
      environment: "production",
    };
  }
  if (kind === "config")
    return {
      source: draw.pick(["argocd", "consul"]),
      finishedAt: at + draw.integer(2, 40) * SECOND,
      shares: [],
      from: draw.hex(8),
      to: draw.hex(8),
    };
  const number = draw.integer(20, 400);
  return {
    source: draw.pick(["flyway", "liquibase"]),
    finishedAt: at + draw.integer(2, 240) * SECOND,
    shares: [],
    from: `V${number}`,
    to: `V${number + 1}`,
  };
}

/**
 * Innocent changes between two moments, at a rate a service and day, avoiding what is given. A service's deploys never
 * overlap: the next one waits until the last has finished and warmed up.
 */
export function innocentChanges(
  draw: Draw,
  maker: ChangeMaker,
  system: SystemModel,
  span: { readonly from: number; readonly to: number },
  perServiceAndDay: number,
  isFree: (service: string, kind: Kind, at: number) => boolean,
): readonly PlannedChange[] {
  const made: PlannedChange[] = [];
  const services = system.services.filter(({ tier }) => tier !== "external");
  const every = (10 * HOUR) / (perServiceAndDay * services.length);
  for (let at = span.from + draw.exponential(every); at < span.to; at += draw.exponential(every)) {
    if (!draw.chance(busyness(at))) continue;
    const service = draw.pick(services);
    const kind = pickKind(draw, service.tier === "store");
    if (!isFree(service.name, kind, at)) continue;
    const busy = made.some(
      (change) =>
        change.service === service.name && change.kind === "deploy" && Math.abs(change.startedAt - at) < 20 * MINUTE,
    );
    if (kind === "deploy" && busy) continue;
    made.push(maker.make(kind, service, at, kind === "deploy" ? contract(draw, system, service) : {}));
  }
  return made;
}

/** Now and then a deploy says what it offers, or needs a version of a callee that has been there for long. */
function contract(draw: Draw, system: SystemModel, { name }: ServiceModel): ChangeWishes {
  const callees = system.calls.filter(({ caller }) => caller === name).map(({ callee }) => callee);
  const needed = system.services.find(
    (one) => callees.includes(one.name) && one.tier !== "external" && one.tier !== "store",
  );
  if (draw.chance(0.06)) return { provides: { api: `v${draw.integer(2, 5)}` } };
  if (needed === undefined || !draw.chance(0.08)) return {};
  return { requires: { [needed.name]: `v${needed.version.major}.${needed.version.minor}.0` } };
}

function pickKind(draw: Draw, store: boolean): Kind {
  if (store) return draw.chance(0.5) ? "config" : "migration";
  let point = draw.uniform(0, 1);
  for (const [kind, share] of KINDS) {
    point -= share;
    if (point < 0) return kind;
  }
  return "deploy";
}

/** Share of the working-hours rate at a time. */
function busyness(at: number): number {
  const date = new Date(at);
  const weekend = date.getUTCDay() === 0 || date.getUTCDay() === 6;
  const hour = date.getUTCHours();
  return (hour >= 8 && hour < 18 ? 1 : 0.12) * (weekend ? 0.1 : 1);
}

/** Names the versions of each service's deploys in their order, and those that others require. `requires` holds ids until then. */
export function number(changes: readonly PlannedChange[], system: SystemModel): readonly PlannedChange[] {
  const names = new Map<string, { readonly from: string; readonly to: string }>();
  for (const { name, version } of system.services) {
    const own = changes
      .filter((change) => change.service === name && change.kind === "deploy")
      .sort((a, b) => a.startedAt - b.startedAt);
    let [minor, from] = [version.minor, `v${version.major}.${version.minor}.0`];
    for (const { id, undoes } of own) {
      const back = undoes === undefined ? undefined : names.get(undoes)?.from;
      if (back === undefined) minor++;
      const to = back ?? `v${version.major}.${minor}.0`;
      names.set(id, { from, to });
      from = to;
    }
  }
  return changes
    .map((change) => ({
      ...change,
      ...names.get(change.id),
      ...(change.requires === undefined
        ? {}
        : {
            requires: Object.fromEntries(
              Object.entries(change.requires).map(([service, id]) => [service, names.get(id)?.to ?? id]),
            ),
          }),
    }))
    .sort((a, b) => a.startedAt - b.startedAt);
}

/** The clock of a bundle: some hours that are looked up, then the watch. */
export function drawClock(
  draw: Draw,
  wishes: {
    readonly watchMinutes?: readonly [number, number];
    readonly historyMinutes?: readonly [number, number];
    readonly watchFrom?: readonly [number, number];
  } = {},
): Clock {
  const day = Date.UTC(2026, 0, 5) + draw.integer(0, 340) * 24 * HOUR;
  const weekday = new Date(day).getUTCDay();
  const working = weekday === 6 ? day - 24 * HOUR : weekday === 0 ? day + 24 * HOUR : day;
  const watchStart = Math.round((working + draw.uniform(...(wishes.watchFrom ?? [8.5, 17])) * HOUR) / SECOND) * SECOND;
  const stepMs = 15 * SECOND;
  const history = draw.uniform(...(wishes.historyMinutes ?? [60, 180])) * MINUTE;
  const watch = draw.uniform(...(wishes.watchMinutes ?? [35, 60])) * MINUTE;
  const steps = (ms: number) => Math.round(ms / stepMs) * stepMs;
  return { historyStart: watchStart - steps(history), watchStart, watchEnd: watchStart + steps(watch), stepMs };
}
