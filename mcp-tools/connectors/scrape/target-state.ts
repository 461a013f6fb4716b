import { NAMES, SERVER_ERROR, STATUS_LABELS } from "../metric-conventions.ts";
import { beginAnew, type Counter, type Growth, growthOf, isAbsurdCount } from "./counter.ts";
import { labelsOf, numberOf, readExposition } from "./exposition.ts";
import type { CustomMetric } from "./mapping.ts";
import type { Reading } from "./reading.ts";
import { type Counted, emptySums, type Kind, lacksRequests, merged, readingOf, type Sums, withValue } from "./sums.ts";

export interface TargetOptions {
  /** Labels of the target itself: they win over what its series say, as Prometheus' own do. */
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceLabel: string;
  readonly versionLabel: string;
  readonly custom: Readonly<Record<string, CustomMetric>>;
  readonly maxSamples: number;
  /** An answer later than this after the one before leaves a gap: its increments cannot be told apart by step. */
  readonly maxElapsedMs: number;
}

/** What a series is to us, worked out once, when it is first seen. */
type Role = Counter & {
  readonly track: Track | null;
} & (
    | { readonly kind: "requests" | "durationCount"; readonly error: boolean; readonly hasStatus: boolean }
    | { readonly kind: "bucket"; readonly bound: number }
    | { readonly kind: "cpu" }
    | { readonly kind: "cpuLimit" | "memory" | "memoryLimit" | "ignored" }
    | { readonly kind: "custom"; readonly metrics: readonly string[] }
  );

/** Whose samples of one answer can be no measurement, and of what. */
export interface AbsurdSamples {
  readonly service: string;
  readonly version: string;
  readonly of: readonly (Counted | "memory")[];
}

/** What one answer says; `truncated`: it had more samples than are read of one. */
interface Read {
  readonly readings: readonly Reading[];
  readonly samples: number;
  readonly invalid: number;
  readonly truncated: boolean;
  readonly absurd: readonly AbsurdSamples[];
  /** Of whom it is not known how many requests it counted: what others count of them is not all. */
  readonly requestless: readonly { readonly service: string; readonly version: string }[];
}

interface Track extends Kinds {
  readonly service: string;
  readonly version: string;
}

/** Kinds of series that have been seen: ever, and since the process was last known to begin. */
interface Kinds {
  readonly known: Set<string>;
  readonly shown: Set<string>;
}

const noKinds = (): Kinds => ({ known: new Set(), shown: new Set() });

/**
 * Reads one target's answers, one after another, and says what each adds: cost in proportion to that answer alone.
 *
 * Counters. A value below the one before is a restart from 0, as for Prometheus' `rate`; so is every value once
 * `process_start_time_seconds` changes, which also catches a restart that overtook the old value. A series first seen
 * counts from 0 where that is certain: the process began after the last tick, or the same target already had series of
 * that kind for that service and version (so a first 5xx is seen, which `rate` loses). Otherwise it is a starting point, and
 * what it grew by is unknown. Over gaps of a series see `growthOf`.
 *
 * A line that cannot be read leaves its sample unknown; where not even its labels can be, that kind of sample of all whom the
 * target speaks of.
 */
export class TargetState {
  readonly #options: TargetOptions;
  readonly #roles = new Map<string, Role>();
  readonly #tracks = new Map<string, Track>();
  /** Of series that name no service. */
  readonly #unnamed = noKinds();
  /** Series have been forgotten for want of room: one that is new to us may have been there before. */
  #forgot = false;
  #answeredAt: number | null = null;
  #startedAt: number | null = null;
  #absurd: readonly AbsurdSamples[] = [];

  constructor(options: TargetOptions) {
    this.#options = options;
  }

  /** The services and versions that it has had series of, for saying whose data are missing when it is down. */
  get tracks(): readonly { readonly service: string; readonly version: string }[] {
    return [...this.#tracks.values()];
  }

  /**
   * One answer at `at`. `previousTickAt`: when this scraper last looked at its targets (null: never), the moment from
   * which a process that began later is known to be new. Lines that could not be read are counted. `absurd`: whose samples
   * can be no measurement (an infinite one, a count below zero or that is no number, a line that could not be read), and of
   * what: those figures of theirs are left out.
   */
  read(text: string, at: number, previousTickAt: number | null): Read {
    const startedAt = startOf(text);
    const restarted = this.#startedAt !== null && startedAt !== null && startedAt !== this.#startedAt;
    const born =
      this.#answeredAt === null &&
      previousTickAt !== null &&
      startedAt !== null &&
      startedAt >= previousTickAt &&
      startedAt <= at + START_ROUNDING_MS;
    const since = this.#answeredAt ?? (born ? previousTickAt : null);
    const elapsedMs = since === null || at <= since || at - since > this.#options.maxElapsedMs ? null : at - since;
    const hasGap = since !== null && elapsedMs === null;
    // All its counters began anew, also those that the new process does not show yet.
    if (restarted) this.#beginAnew();
    const seen = new Map<Track | null, Sums>();
    const garbled = new Set<string>();
    const moment = { at, elapsedMs, born };
    const visit = (series: string, nameEnd: number, value: number): boolean => {
      const role = this.#roles.get(series) ?? this.#roleOf(series, series.slice(0, nameEnd));
      if (role === null) return false;
      if (role.kind === "ignored") role.seenAt = at;
      else this.#add(sumsOf(seen, role.track), role, value, moment);
      return true;
    };
    const unreadable = (name: string, series: string | null): void => {
      const isWanted = kindOf(name) !== null || this.#customOf(name).length > 0;
      if (isWanted && (series === null || !visit(series, name.length, Number.NaN))) garbled.add(name);
    };
    const { samples, invalid, truncated } = readExposition(text, this.#options.maxSamples, visit, unreadable);
    this.#answeredAt = at;
    this.#startedAt = startedAt ?? this.#startedAt;
    for (const { track, kind, seenAt } of this.#roles.values()) {
      const kinds = this.#kindsOf(track);
      kinds.known.add(kind);
      if (seenAt === at) kinds.shown.add(kind);
    }
    if (garbled.size > 0) for (const track of this.#tracks.values()) sumsOf(seen, track);
    for (const [track, sums] of seen)
      for (const name of garbled) this.#addGarbled(sums, name, this.#kindsOf(track).shown);
    const readings = this.#readings(seen, elapsedMs);
    const whose = [...seen].flatMap(([track, sums]) => this.#whose(track).map((own) => ({ own, track, sums })));
    this.#absurd = whose.flatMap(({ own: { service, version }, sums: { absurd } }) =>
      absurd.size === 0 ? [] : [{ service, version, of: [...absurd] }],
    );
    const requestless = whose.flatMap(({ own: { service, version }, track, sums }) =>
      lacksRequests(sums, this.#kindsOf(track).shown, hasGap) ? [{ service, version }] : [],
    );
    return { readings, samples, invalid, truncated, absurd: this.#absurd, requestless };
  }

  /** Whose samples of its last answer could be no measurement: so it is until an answer shows otherwise. */
  get absurd(): readonly AbsurdSamples[] {
    return this.#absurd;
  }

  #roleOf(series: string, name: string): Role | null {
    const wanted = kindOf(name) ?? (this.#customOf(name).length > 0 ? "custom" : null);
    if (wanted === null && name !== "") return IGNORED;
    const parsed = labelsOf(series);
    if (parsed === null) return null;
    const role = this.#newRole(parsed.name, parsed.labels);
    if (this.#roles.size >= this.#options.maxSamples) this.#forgetGone();
    if (this.#roles.size < this.#options.maxSamples) this.#roles.set(series, role);
    return role;
  }

  /** Series may come and go (a label with many values); their last values are kept while there is room. */
  #forgetGone(): void {
    this.#forgot = true;
    for (const [series, role] of this.#roles) if (role.seenAt < (this.#answeredAt ?? 0)) this.#roles.delete(series);
  }

  #newRole(name: string, labels: ReadonlyMap<string, string>): Role {
    const track = this.#trackOf(labels);
    const kind = kindOf(name);
    const statuses = STATUS_LABELS.flatMap((label) => labels.get(label) ?? []);
    const [error, hasStatus] = [statuses.some((status) => SERVER_ERROR.test(status)), statuses.length > 0];
    if (kind === "requests" || kind === "durationCount")
      return { kind, track, error, hasStatus, previous: null, seenAt: 0 };
    if (kind === "bucket") {
      const bound = Number((labels.get("le") ?? "").replace(/^\+?Inf$/, "Infinity"));
      return Number.isNaN(bound) || !labels.has("le")
        ? { ...IGNORED }
        : { kind, track, bound, previous: null, seenAt: 0 };
    }
    if (kind !== null) return { kind, track, previous: null, seenAt: 0 };
    const metrics = this.#customOf(name).filter((metric) =>
      this.#options.custom[metric]?.matchers.every(([label, value]) => labels.get(label) === value),
    );
    if (metrics.length === 0) return { ...IGNORED };
    return { kind: "custom", track, metrics, previous: null, seenAt: 0 };
  }

  #customOf(name: string): readonly string[] {
    return Object.keys(this.#options.custom).filter((metric) => this.#options.custom[metric]?.series === name);
  }

  /** Null where nothing names the service: such a series counts for the one track of its target, if there is but one. */
  #trackOf(labels: ReadonlyMap<string, string>): Track | null {
    const { labels: own, serviceLabel, versionLabel } = this.#options;
    const service = own[serviceLabel] ?? labels.get(serviceLabel);
    if (service === undefined || service === "") return null;
    const version = own[versionLabel] ?? labels.get(versionLabel) ?? "";
    const key = JSON.stringify([service, version]);
    const track = this.#tracks.get(key) ?? { service, version, ...noKinds() };
    this.#tracks.set(key, track);
    return track;
  }

  #kindsOf(track: Track | null): Kinds {
    return track ?? this.#unnamed;
  }

  #beginAnew(): void {
    for (const role of this.#roles.values()) beginAnew(role);
    for (const { shown } of [this.#unnamed, ...this.#tracks.values()]) shown.clear();
  }

  #add(sums: Sums, role: Role, value: number, { at, elapsedMs, born }: Moment): void {
    const growth = () =>
      growthOf(role, value, {
        at,
        answeredAt: this.#answeredAt,
        fromZero: born || (!this.#forgot && this.#kindsOf(role.track).known.has(role.kind)),
      });
    switch (role.kind) {
      case "cpuLimit":
        if (Number.isFinite(value)) sums.cpuLimitCores = value;
        else sums.absurd.add("cpu");
        break;
      case "memory":
        if (Number.isFinite(value) && value >= 0) sums.memoryBytes = value;
        else if (!Number.isNaN(value)) sums.absurd.add("memory");
        break;
      case "memoryLimit":
        if (Number.isFinite(value)) sums.memoryLimitBytes = value;
        break;
      case "custom":
        addCustom(sums, role.metrics, this.#options.custom, value, growth(), elapsedMs);
        break;
      case "ignored":
        break;
      default:
        addCount(sums, role, value, growth());
        return;
    }
    role.seenAt = at;
  }

  /** A line of this name could not be read: which series of a track it was of is not known. */
  #addGarbled(sums: Sums, name: string, shown: ReadonlySet<string>): void {
    for (const metric of this.#customOf(name)) sums.custom.set(metric, withValue(sums.custom.get(metric), null));
    const kind = kindOf(name);
    if (kind === null || !shown.has(kind)) return;
    const counted = isCounted(kind) ? kind : kind === "cpuLimit" ? "cpu" : null;
    if (kind === "memory" || kind === "memoryLimit") sums.memoryBytes = null;
    else if (counted !== null) sums.unknown.add(counted);
    sums.absurd.add(counted ?? "memory");
  }

  /** The services and versions that a track's samples are of: what names no service is of whichever its target has. */
  #whose(track: Track | null): readonly Track[] {
    return track === null ? [...this.#tracks.values()] : [track];
  }

  #readings(seen: ReadonlyMap<Track | null, Sums>, elapsedMs: number | null): readonly Reading[] {
    const unnamed = seen.get(null);
    const [only, second] = this.#tracks.values();
    if (unnamed !== undefined && only !== undefined && second === undefined) {
      const sums = seen.get(only);
      const shown = new Set([...only.shown, ...this.#unnamed.shown]);
      return [readingOf(only, sums === undefined ? unnamed : merged(sums, unnamed), elapsedMs, shown)];
    }
    return [...seen].flatMap(([track, sums]) =>
      track === null ? [] : [readingOf(track, sums, elapsedMs, track.shown)],
    );
  }
}

/** Client libraries may round `process_start_time_seconds` to whole seconds. */
const START_ROUNDING_MS = 1000;

const IGNORED: Role = { kind: "ignored", track: null, previous: null, seenAt: 0 };

function kindOf(name: string): Kind | null {
  return KINDS.get(name) ?? null;
}

const KINDS: ReadonlyMap<string, Kind> = new Map([
  [NAMES.requests, "requests"],
  [`${NAMES.duration}_count`, "durationCount"],
  [`${NAMES.duration}_bucket`, "bucket"],
  [NAMES.cpu, "cpu"],
  [NAMES.memory, "memory"],
  ...NAMES.cpuLimit.map((name) => [name, "cpuLimit"] as const),
  ...NAMES.memoryLimit.map((name) => [name, "memoryLimit"] as const),
]);

const isCounted = (kind: Kind): kind is Counted => kind in { requests: 0, durationCount: 0, bucket: 0, cpu: 0 };

/** When an answer came, what span its increments cover, and whether its process began within that. */
interface Moment {
  readonly at: number;
  readonly elapsedMs: number | null;
  readonly born: boolean;
}

type CountRole = Extract<Role, { readonly kind: Counted }>;

/** Adds what a counter grew by to the sums of its kind; what is not known of it makes them unknown. */
function addCount(sums: Sums, role: CountRole, value: number, growth: Growth): void {
  if (isAbsurdCount(value)) sums.absurd.add(role.kind);
  if (growth === "unknown") sums.unknown.add(role.kind);
  if (growth === "begins") sums.begins.add(role.kind);
  const added = typeof growth === "number" ? growth : 0;
  if (role.kind === "requests") {
    sums.requests = (sums.requests ?? 0) + added;
    if (role.error) sums.errors += added;
  } else if (role.kind === "durationCount") {
    sums.durations = (sums.durations ?? 0) + added;
    if (role.hasStatus) sums.durationErrors = (sums.durationErrors ?? 0) + (role.error ? added : 0);
  } else if (role.kind === "bucket") {
    sums.buckets.set(role.bound, (sums.buckets.get(role.bound) ?? 0) + added);
  } else sums.cpuSeconds = (sums.cpuSeconds ?? 0) + added;
}

function addCustom(
  sums: Sums,
  metrics: readonly string[],
  custom: TargetOptions["custom"],
  value: number,
  growth: Growth,
  elapsedMs: number | null,
): void {
  // An infinite figure goes on as one, and whoever believes samples takes it as missing, and says so.
  const rate = isAbsurdCount(value) ? Infinity : growth === "unknown" ? null : perSecond(growth, elapsedMs);
  for (const metric of metrics) {
    const measured = custom[metric]?.kind === "counter" ? rate : Number.isNaN(value) ? null : value;
    if (measured !== undefined) sums.custom.set(metric, withValue(sums.custom.get(metric), measured));
  }
}

/** Undefined where there is nothing to tell yet. */
const perSecond = (growth: number | "begins", elapsedMs: number | null): number | undefined =>
  growth === "begins" || elapsedMs === null ? undefined : (growth * 1000) / elapsedMs;

/** When the process says it began, Unix ms; null where it does not say. */
function startOf(text: string): number | null {
  const found = new RegExp(`^${NAMES.started}(?:\\{[^}\\n]*\\})?[ \\t]+(\\S+)`, "m").exec(text)?.[1];
  const seconds = found === undefined ? null : numberOf(found);
  return seconds === null || !Number.isFinite(seconds) ? null : Math.round(seconds * 1000);
}

function sumsOf(seen: Map<Track | null, Sums>, track: Track | null): Sums {
  const sums = seen.get(track) ?? emptySums();
  seen.set(track, sums);
  return sums;
}
