import { NAMES, SERVER_ERROR, STATUS_LABELS } from "../metric-conventions.ts";
import { labelsOf, numberOf, readExposition } from "./exposition.ts";
import type { CustomMetric } from "./mapping.ts";
import type { Reading } from "./reading.ts";
import { type Counted, emptySums, merged, readingOf, type Sums, withValue } from "./sums.ts";

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
type Role = {
  readonly track: Track | null;
  previous: number | null;
  /** Its last sample measured nothing: what it grew by until the next one is of nobody knows how long. */
  skipped?: boolean;
  seenAt: number;
} & (
  | { readonly kind: "requests" | "durationCount"; readonly error: boolean; readonly byStatus: boolean }
  | { readonly kind: "bucket"; readonly bound: number }
  | { readonly kind: "cpu" | "cpuLimit" | "memory" | "memoryLimit" | "ignored" }
  | { readonly kind: "custom"; readonly metrics: readonly string[] }
);

/** Whose samples of one answer can be no measurement, and of what. */
export interface AbsurdSamples {
  readonly service: string;
  readonly version: string;
  readonly of: readonly (Counted | "memory")[];
  /** What it counted of requests is left out: what others count of them is not all. */
  readonly lacksRequests: boolean;
}

const REQUESTS: readonly Counted[] = ["requests", "durationCount"];

interface Track {
  readonly service: string;
  readonly version: string;
  /** Series kinds that this track has had in an earlier answer. */
  readonly known: Set<string>;
}

/**
 * Reads one target's answers, one after another, and says what each adds: cost in proportion to that answer alone.
 *
 * Counters. A value below the one before is a restart from 0, as for Prometheus' `rate`; so is every value once
 * `process_start_time_seconds` changes, which also catches a restart that overtook the old value. A series first seen
 * counts from 0 where that is certain: the process began after the last tick, or the same target already had series of
 * that kind for that service and version (so a first 5xx is seen, which `rate` loses). Otherwise it is a starting point.
 */
export class TargetState {
  readonly #options: TargetOptions;
  readonly #roles = new Map<string, Role>();
  readonly #tracks = new Map<string, Track>();
  #answeredAt: number | null = null;
  #startedAt: number | null = null;

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
   * can be no measurement (an infinite one, a count below zero or that is no number), and of what: those figures of theirs are left out.
   */
  read(
    text: string,
    at: number,
    previousTickAt: number | null,
  ): { readings: readonly Reading[]; samples: number; invalid: number; absurd: readonly AbsurdSamples[] } {
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
    // All its counters began anew, also those that the new process does not show yet.
    if (restarted) for (const role of this.#roles.values()) if (role.previous !== null) role.previous = 0;
    const seen = new Map<Track | null, Sums>();
    const count = readExposition(text, this.#options.maxSamples, (series, nameEnd, value) => {
      const role = this.#roles.get(series) ?? this.#roleOf(series, series.slice(0, nameEnd));
      if (role === null) return false;
      role.seenAt = at;
      if (role.kind !== "ignored") this.#add(sumsOf(seen, role.track), role, value, born, elapsedMs);
      return true;
    });
    this.#answeredAt = at;
    this.#startedAt = startedAt;
    const readings = this.#readings(seen, elapsedMs);
    for (const role of this.#roles.values()) role.track?.known.add(role.kind);
    const absurd = [...seen].flatMap(([track, { absurd: of, unknown }]) =>
      unknown.size === 0 && of.size === 0
        ? []
        : this.#whose(track).map((own) => ({
            ...own,
            of: [...of],
            lacksRequests: REQUESTS.some((one) => unknown.has(one)),
          })),
    );
    return { readings, samples: count.samples, invalid: count.invalid, absurd };
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
    for (const [series, role] of this.#roles) if (role.seenAt < (this.#answeredAt ?? 0)) this.#roles.delete(series);
  }

  #newRole(name: string, labels: ReadonlyMap<string, string>): Role {
    const track = this.#trackOf(labels);
    const kind = kindOf(name);
    const status = STATUS_LABELS.flatMap((label) => labels.get(label) ?? []);
    const error = status.some((one) => SERVER_ERROR.test(one));
    if (kind === "requests" || kind === "durationCount")
      return { kind, track, error, byStatus: status.length > 0, previous: null, seenAt: 0 };
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
    const track = this.#tracks.get(key) ?? { service, version, known: new Set() };
    this.#tracks.set(key, track);
    return track;
  }

  #add(sums: Sums, role: Role, value: number, born: boolean, elapsedMs: number | null): void {
    switch (role.kind) {
      case "cpuLimit":
        if (Number.isFinite(value)) sums.cpuLimitCores = value;
        return;
      case "memory":
        if (!Number.isFinite(value) || value < 0) {
          if (!Number.isNaN(value)) sums.absurd.add("memory");
          return;
        }
        sums.memoryBytes = value;
        return;
      case "memoryLimit":
        if (Number.isFinite(value)) sums.memoryLimitBytes = value;
        return;
      case "custom": {
        // An infinite figure goes on as one, and whoever believes samples takes it as missing, and says so.
        const isUnknown = isAbsurdCount(value) || role.skipped === true;
        role.skipped = isAbsurdCount(value);
        const rate = perSecond(increase(role, value, born), elapsedMs);
        const counted = isUnknown ? Infinity : rate;
        for (const metric of role.metrics) {
          const measured = this.#options.custom[metric]?.kind === "counter" ? counted : value;
          if (measured !== null && !Number.isNaN(measured))
            sums.custom.set(metric, withValue(sums.custom.get(metric), measured));
        }
        return;
      }
      case "ignored":
        return;
    }
    if (isAbsurdCount(value)) {
      role.skipped = true;
      sums.absurd.add(role.kind);
      sums.unknown.add(role.kind);
      return;
    }
    if (role.skipped === true) sums.unknown.add(role.kind);
    role.skipped = false;
    const added = increase(role, value, born);
    if (role.kind === "requests") {
      sums.requests = (sums.requests ?? 0) + (added ?? 0);
      if (role.error) sums.errors += added ?? 0;
    } else if (role.kind === "durationCount") {
      sums.durations = (sums.durations ?? 0) + (added ?? 0);
      if (role.byStatus) sums.durationsByStatus = true;
      if (role.error) sums.durationErrors += added ?? 0;
    } else if (role.kind === "bucket") {
      sums.buckets.set(role.bound, (sums.buckets.get(role.bound) ?? 0) + (added ?? 0));
    } else sums.cpuSeconds = (sums.cpuSeconds ?? 0) + (added ?? 0);
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
      return [readingOf(only, sums === undefined ? unnamed : merged(sums, unnamed), elapsedMs)];
    }
    return [...seen].flatMap(([track, sums]) => (track === null ? [] : [readingOf(track, sums, elapsedMs)]));
  }
}

/** Client libraries may round `process_start_time_seconds` to whole seconds. */
const START_ROUNDING_MS = 1000;

const IGNORED: Role = { kind: "ignored", track: null, previous: null, seenAt: 0 };

function kindOf(name: string): Exclude<Role["kind"], "ignored" | "custom"> | null {
  return KINDS.get(name) ?? null;
}

const KINDS: ReadonlyMap<string, Exclude<Role["kind"], "ignored" | "custom">> = new Map([
  [NAMES.requests, "requests"],
  [`${NAMES.duration}_count`, "durationCount"],
  [`${NAMES.duration}_bucket`, "bucket"],
  [NAMES.cpu, "cpu"],
  [NAMES.memory, "memory"],
  ...NAMES.cpuLimit.map((name) => [name, "cpuLimit"] as const),
  ...NAMES.memoryLimit.map((name) => [name, "memoryLimit"] as const),
]);

/** A counter cannot stand there: it begins at zero, and counts. */
const isAbsurdCount = (value: number): boolean => !Number.isFinite(value) || value < 0;

/** What a counter grew by since its last value; null where that cannot be known. */
function increase(role: Role, value: number, born: boolean): number | null {
  if (!Number.isFinite(value) || value < 0) return null;
  const before = role.previous;
  role.previous = value;
  if (before === null) return born || role.track?.known.has(role.kind) === true ? value : null;
  return value < before ? value : value - before;
}

function perSecond(added: number | null, elapsedMs: number | null): number | null {
  return added === null || elapsedMs === null ? null : (added * 1000) / elapsedMs;
}

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
