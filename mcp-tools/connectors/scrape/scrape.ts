import { UnshipError } from "../../../core/errors.ts";
import { type AskContext, type Asking, oneAtATime, UNTIL_ANSWERED } from "../../../core/model/asking.ts";
import type { Gap } from "../../../core/model/assessment.ts";
import { type Series, SLOW_SHARE } from "../../../core/model/signal.ts";
import type { MetricQuery, MetricSource, Patience } from "../../../core/ports.ts";
import { countText } from "../bounds.ts";
import { meaningOf } from "../metric-conventions.ts";
import { gridOf } from "../time-grid.ts";
import { createPools, discover, pathOf, type Target } from "./discovery.ts";
import type { CustomMetric } from "./mapping.ts";
import { customMeasure, DERIVED, SLOW_BOUND, slowShare } from "./measure.ts";
import { type Reading, Tick } from "./reading.ts";
import { createSilentTargets, type FailedTarget, type Failures } from "./silent.ts";
import { openSpool, type SpoolRecord } from "./spool.ts";
import { type Measure, valuesOf } from "./steps.ts";
import { TargetState } from "./target-state.ts";
import type { Track } from "./track.ts";
import { SlidingWindow } from "./window.ts";

export interface ScrapeOptions {
  readonly targets: readonly Target[];
  /** A URL in Prometheus' HTTP service discovery format, asked on each scrape. */
  readonly discovery: string | null;
  /** How often `scrapeOnce` is called. Best at whole multiples of it since the epoch. */
  readonly intervalMs: number;
  readonly windowMs: number;
  /** A folder that the window is written to; null keeps it in memory alone. */
  readonly spool: string | null;
  /** Unix ms at which it is opened: older records in the spool than the window are left out. */
  readonly now: number;
  readonly serviceLabel?: string;
  readonly versionLabel?: string;
  readonly custom?: Readonly<Record<string, CustomMetric>>;
  /** For a whole `scrapeOnce`. Default: the interval, at most 10 s (Prometheus' own default). */
  readonly timeoutMs?: number;
  /** What a policy's threshold is held against covers so long, as a query's `[1m]` does. Default 1 min. */
  readonly policyWindowMs?: number;
  /** Pages read at the same time. Default 32. */
  readonly concurrency?: number;
  /** Of one page. Defaults: 16 MiB, 100,000 samples. */
  readonly maxBytes?: number;
  readonly maxSamples?: number;
  /** Services × versions kept. Default 10,000. */
  readonly maxTracks?: number;
  /** How long a target may give no answer before that is a gap. Default: as long as its numbers can bridge. */
  readonly silentAfterMs?: number;
  /** The CPU limit where a target exports none. Default 1 core. */
  readonly defaultCores?: number;
}

export interface ScrapeSummary extends Failures {
  readonly targets: number;
  readonly samples: number;
  /** Lines that could not be read. */
  readonly invalidLines: number;
  /** Targets that gave no usable answer: what they would say is unknown. */
  readonly failed: readonly FailedTarget[];
  /** Readings not kept so far, since there were more services and versions than `maxTracks`. */
  readonly dropped: number;
  /** Why the list of targets could not be read, and the last one was used; null: it could, or there is none. */
  readonly discoveryFailed: string | null;
  /** Why this tick is in memory alone; null: it is in the spool, or there is none. */
  readonly spoolFailed: string | null;
  /** What is not seen, from the tick on at which it counts as silent: see `createSilentTargets`. */
  readonly gaps: readonly Gap[];
}

/**
 * Metrics without a Prometheus: reads `/metrics` pages itself and keeps a bounded past. `range` throws
 * `source.unavailable` where for three ticks no target has answered and the window begins after the last answer.
 */
export interface ScrapeSource extends MetricSource {
  /**
   * Reads every target once. `now`: the moment of this tick, Unix ms; after a clock that was set back, counting begins
   * anew. Resolves within `timeoutMs` whatever the targets do, and does not throw for what a target or the disk does. A page
   * for which `patience` does not wait (default: it waits for all) goes on beside the tick and counts for nothing, since
   * nobody knows of which moment its numbers are; its target is asked again when it has ended.
   */
  scrapeOnce(now: number, abort: AbortSignal, patience?: Patience): Promise<ScrapeSummary>;
  /** What was found in the spool when it was opened. */
  readonly recovered: { readonly ticks: number; readonly torn: number };
  close(): Promise<void>;
}

const SOURCE = "scrape";
const DEFAULT_TIMEOUT_MS = 10_000;
/** More than two missed answers and increments cannot be told apart by step any more. */
const MAX_ELAPSED_INTERVALS = 2.5;

/** Throws `store.unavailable` where the spool cannot be used. */
export async function createScrape(options: ScrapeOptions): Promise<ScrapeSource> {
  const { intervalMs, windowMs, custom = {}, maxSamples = 100_000 } = options;
  const timeoutMs = options.timeoutMs ?? Math.min(intervalMs, DEFAULT_TIMEOUT_MS);
  const policySteps = (stepMs: number) => Math.max(1, Math.round((options.policyWindowMs ?? 60_000) / stepMs));
  const measures = new Map<string, Measure>(Object.entries(DERIVED));
  for (const [metric, mapping] of Object.entries(custom)) measures.set(metric, customMeasure(metric, mapping));
  const { maxTracks = 10_000, defaultCores = 1 } = options;
  const past = new SlidingWindow({ intervalMs, windowMs, maxTracks, defaultCores });
  const tooMany = { limit: `${countText(maxSamples)} samples in its page`, narrow: "let it show fewer series" };
  const pools = createPools(SOURCE, timeoutMs, options.maxBytes ?? 16 * 1024 * 1024);
  const states = new Map<string, Known>();
  const gapsOf = createSilentTargets(SOURCE, options.silentAfterMs ?? MAX_ELAPSED_INTERVALS * intervalMs);
  const slowBounds = new Map<string, number>();
  const listing = oneAtATime<readonly Target[]>({ of: "targets", source: SOURCE, what: "discovery" });
  let discovered: readonly Target[] = [];
  let lastTickAt: number | null = null;
  let lastAnswerAt: number | null = null;

  let [recoveredTicks, unreadable] = [0, 0];
  const recover = (record: SpoolRecord) => {
    const tick = Tick.safeParse(record);
    if (!tick.success) {
      unreadable += 1;
      return;
    }
    past.add(tick.data);
    recoveredTicks += 1;
    if (tick.data.readings.length > 0) lastAnswerAt = tick.data.at;
  };
  const spool =
    options.spool === null
      ? null
      : await openSpool({ folder: options.spool, windowMs }, options.now - windowMs, recover);

  /** Keeps the last list where there is none in time; the answer is why, or null. */
  async function list(context: AskContext): Promise<string | null> {
    const { discovery } = options;
    if (discovery === null) return null;
    const early = AbortSignal.any([context.abort, AbortSignal.timeout(timeoutMs / 2)]);
    let because: string = TOO_LATE.because;
    const failed = (error: unknown) => {
      because = reason(error);
    };
    const read = await listing({ ...context, failed }, async () =>
      discover(pools.for(new URL(discovery)), discovery, early),
    );
    if (read === null) return because;
    discovered = read.answer;
    return null;
  }

  /** The targets of this tick, with what is known of each; one that is listed no longer is forgotten. */
  function current() {
    const wanted = new Map([...options.targets, ...discovered].map((target) => [keyOf(target), target]));
    for (const key of states.keys()) if (!wanted.has(key)) states.delete(key);
    const { serviceLabel = "service", versionLabel = "version" } = options;
    for (const [key, target] of wanted) {
      if (states.has(key)) continue;
      const maxElapsedMs = MAX_ELAPSED_INTERVALS * intervalMs;
      const { labels } = target;
      const state = new TargetState({ labels, serviceLabel, versionLabel, custom, maxSamples, maxElapsedMs });
      const page = oneAtATime<string>({ of: "metrics", source: SOURCE, what: "page", detail: key });
      states.set(key, { target, state, page });
    }
    return [...states.values()];
  }

  async function scrapeOnce(
    now: number,
    abort: AbortSignal,
    patience: Patience = UNTIL_ANSWERED,
  ): Promise<ScrapeSummary> {
    const previousTickAt = lastTickAt;
    lastTickAt = now;
    const deadline = AbortSignal.any([abort, AbortSignal.timeout(timeoutMs)]);
    const waiting = patience.begin();
    const context: AskContext = { now, abort: deadline, gaps: [], waiting };
    const discoveryFailed = await list(context);
    const all = current();
    const readings: Reading[] = [];
    const failed: FailedTarget[] = [];
    const missing = new Map<string, Tick["missing"][number]>();
    const count = (service: string, version: string, of: { readonly requests?: true } = {}): void => {
      const key = JSON.stringify([service, version, of]);
      missing.set(key, { service, version, targets: (missing.get(key)?.targets ?? 0) + 1, ...of });
    };
    let samples = 0;
    let invalidLines = 0;
    await eachOf(all, options.concurrency ?? 32, async ({ target, state, page }) => {
      try {
        const url = new URL(target.url);
        let failure: unknown = new UnshipError("source.unavailable", TOO_LATE);
        const told = (error: unknown) => {
          failure = error;
        };
        const read = await page({ ...context, failed: told }, () => pools.for(url).getText(pathOf(url), deadline));
        if (read === null || read.askedAt !== now) throw failure;
        const answer = state.read(read.answer, now, previousTickAt);
        samples += answer.samples;
        invalidLines += answer.invalid;
        // What was not read of it may be any of its samples.
        if (answer.truncated) throw new UnshipError("source.too_large", { source: SOURCE, ...tooMany });
        readings.push(...answer.readings);
        for (const { service, version } of answer.requestless) count(service, version, { requests: true });
      } catch (error) {
        const named = target.labels[options.serviceLabel ?? "service"];
        const services = [
          ...new Set([...(named ? [named] : []), ...state.tracks.map(({ service }) => service)]),
        ].sort();
        failed.push({ url: shown(target.url), because: reason(error), services });
        for (const { service, version } of state.tracks) count(service, version);
      }
    });
    const tick: Tick = { at: now, readings, missing: [...missing.values()] };
    past.add(tick);
    if (failed.length < all.length) lastAnswerAt = now;
    const spoolFailed = spool === null ? null : await spool.append(tick).then(() => null, reason);
    const sources = options.discovery === null ? [] : [new URL(options.discovery)];
    await pools.keep([...sources, ...all.map(({ target }) => new URL(target.url))]);
    const failures = {
      targets: all.length,
      invalidLines,
      failed,
      dropped: past.dropped,
      discoveryFailed,
      spoolFailed,
      absurd: all.flatMap(({ state }) => state.absurd),
      answered: new Set(readings.map(({ service }) => service)),
    };
    return { ...failures, samples, gaps: gapsOf(failures, now) };
  }

  function silent(from: number, lastTick: number): boolean {
    if (lastAnswerAt === null) return true;
    return from > lastAnswerAt && lastTick - lastAnswerAt > MAX_ELAPSED_INTERVALS * intervalMs;
  }

  /** The bound that few requests of a service pass, by all that is kept of it; once told it stays, or shares could not be compared. */
  function slowBoundOf(service: string, tracks: readonly Track[]): number | null {
    const known = slowBounds.get(service);
    if (known !== undefined) return known;
    const all = { startAt: past.completeUntil, stepMs: windowMs, count: 1 };
    const [bound] = valuesOf(tracks, intervalMs, all, 1, SLOW_BOUND);
    if (bound === null || bound === undefined) return null;
    slowBounds.set(service, bound);
    return bound;
  }

  function measureOf(metric: string, service: string, tracks: readonly Track[]): Measure | null {
    if (metric !== SLOW_SHARE) return measures.get(metric) ?? null;
    const bound = slowBoundOf(service, tracks);
    return bound === null ? null : slowShare(bound);
  }

  function range(query: MetricQuery): readonly Series[] {
    const known = [...measures.keys(), SLOW_SHARE];
    if (!known.includes(query.metric)) {
      throw new UnshipError("metric.unknown", { metric: query.metric, known: known.join(", ") });
    }
    if (lastTickAt !== null && silent(query.window.from, lastTickAt)) {
      throw new UnshipError("source.unavailable", {
        source: SOURCE,
        because: "no target answered",
        reason: "no target answered",
      });
    }
    const grid = gridOf(query.window, query.stepMs, past.completeUntil);
    const span = query.purpose === "policy" ? policySteps(query.stepMs) : 1;
    const own = query.metric === SLOW_SHARE ? ({ unit: "ratio", worse: "up" } as const) : custom[query.metric];
    const { unit, worse } = meaningOf(query.metric, own ?? { unit: "", worse: "either" });
    const series = (
      service: string,
      labels: Readonly<Record<string, string>>,
      tracks: readonly Track[],
      measure: Measure,
    ): Series => {
      const values = valuesOf(tracks, intervalMs, grid, span, measure);
      return { service, metric: query.metric, unit, worse, labels, startAt: grid.startAt, stepMs: grid.stepMs, values };
    };
    return [...byService(past.tracks)].flatMap(([service, tracks]) => {
      const measure = measureOf(query.metric, service, tracks);
      if (measure === null) return [];
      const whole = series(service, {}, tracks, measure);
      if (!whole.values.some((value) => value !== null)) return [];
      const versioned = tracks.filter(({ version }) => version !== "");
      if (versioned.length < 2) return [whole];
      const versions = versioned
        .map((track) => series(service, { version: track.version }, [track], measure))
        .filter(({ values }) => values.some((value) => value !== null));
      return versions.length < 2 ? [whole] : [whole, ...versions];
    });
  }

  return {
    name: SOURCE,
    recovered: { ticks: recoveredTicks, torn: (spool?.torn ?? 0) + unreadable },
    metrics: () => [...measures.keys(), SLOW_SHARE],
    async range(query) {
      return range(query);
    },
    scrapeOnce,
    async close() {
      await spool?.close();
      await pools.keep([]);
    },
  };
}

function byService(tracks: Iterable<Track>): ReadonlyMap<string, readonly Track[]> {
  return Map.groupBy(tracks, ({ service }) => service);
}

/** A target, what is known of it, and its page as it is asked for, once at a time. */
interface Known {
  readonly target: Target;
  readonly state: TargetState;
  readonly page: Asking<string>;
}

const TOO_LATE = { source: SOURCE, because: "timeout" } as const;

/** Runs `work` on every item, at most `width` at a time. `work` must not throw. */
async function eachOf<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}

function keyOf({ url, labels }: Target): string {
  return JSON.stringify([url, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** Without user and password. */
function shown(url: string): string {
  if (!URL.canParse(url)) return "a target whose address is no URL";
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

function reason(error: unknown): string {
  if (!(error instanceof UnshipError)) return "unexpected answer";
  const { because, reason: why, limit, narrow } = error.facts;
  if (error.code === "source.too_large") return `it sent more than ${limit}; ${narrow}`;
  return String(because ?? why ?? error.code);
}
