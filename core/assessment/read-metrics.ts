import type { Config } from "../config/config.ts";
import { type DetectionEngine, historyKept } from "../detection/engine.ts";
import { type AskContext, gapOf, pendingGap } from "../model/asking.ts";
import type { Gap } from "../model/assessment.ts";
import type { Lack, MetricQuery, MetricSource } from "../ports.ts";
import { type Next, openReading, type Piece, type Reading } from "./read-range.ts";

const HISTORY_STEP_MS = 300_000;
/** Samples may come late by this much and are read again; what was seen is ignored. */
const LATE_MS = 60_000;

export interface MetricsParts {
  readonly metrics: readonly MetricSource[];
  readonly config: Pick<Config, "policies" | "watch">;
  readonly engine: Pick<DetectionEngine, "ingest">;
  /** Samples kept a signal: how far back the first reading goes, in steps. */
  readonly capacity: number;
  /** Up to when each question has been read, Unix ms; kept up to date. */
  readonly readUpTo: Map<string, number>;
}

/** One metric as one source answers it, for one purpose. */
interface Asked {
  readonly source: MetricSource;
  readonly metric: string;
  readonly purpose: MetricQuery["purpose"];
  readonly key: string;
}

/**
 * Reads what is new of every metric and hands it to the engine, round by round. All are asked side by side and taken in
 * one order, whatever answered first, so that the same samples give the same result. What is late when the round has
 * waited long enough is a gap and goes on beside it; the next round takes it up where it was, so that no sample is lost
 * and none is asked for twice at the same time.
 */
export function createMetricsReader({ metrics, config, engine, capacity, readUpTo }: MetricsParts) {
  const { stepMs } = config.watch;
  const judged = new Set(
    config.policies.flatMap(({ conditions }) =>
      conditions.map((one) => (one.kind === "health" ? "health_check_failures" : one.metric)),
    ),
  );
  const underWay = new Map<string, Reading>();
  const histories = new Map<string, Reading>();
  /** Histories that could not be read, with the gap that they leave and when they were asked for. */
  const withoutHistory = new Map<string, { readonly at: number; readonly gap: Gap }>();

  function questions(): readonly Asked[] {
    return metrics.flatMap((source) =>
      source.metrics().flatMap((metric) => {
        const purposes = judged.has(metric) ? (["statistics", "policy"] as const) : (["statistics"] as const);
        return purposes.map((purpose) => ({ source, metric, purpose, key: `${source.name}/${metric}/${purpose}` }));
      }),
    );
  }

  function open({ source, metric, purpose, key }: Asked, { now, abort }: AskContext): Reading {
    const known = readUpTo.get(key);
    // No more than is kept, however long the source was silent.
    const from = Math.max(now - capacity * stepMs, known === undefined ? 0 : known - 2 * stepMs - LATE_MS);
    const query = { metric, window: { from: Math.max(0, from), to: now }, stepMs, purpose };
    const reading = openReading(source, query, "metrics", abort);
    underWay.set(key, reading);
    return reading;
  }

  /** Takes one piece after the other, each as soon as it is there and then let go: for thousands of services all are hundreds of megabytes. */
  async function drain(reading: Reading, first: Next, context: AskContext, take: (piece: Piece) => void) {
    let next = first;
    for (; next.kind === "piece"; next = await reading.next(context)) take(next.piece);
    return next;
  }

  /** What was missing a while ago is a missing sample and no gap: nothing is said of the present by it. */
  function notePresent(lacks: readonly Lack[], { now, gaps }: AskContext): void {
    const since = now - Math.max(2 * stepMs, LATE_MS);
    for (const { gap, at } of lacks) {
      const isKnown = gaps.some(({ source, what }) => source === gap.source && what === gap.what);
      if (at >= since && !isKnown) gaps.push(gap);
    }
  }

  async function takeRecent(asked: Asked, reading: Reading, first: Next, context: AskContext): Promise<void> {
    const { key, purpose } = asked;
    const take = ({ series, to, lacks }: Piece) => {
      engine.ingest(series, purpose);
      readUpTo.set(key, to);
      notePresent(lacks, context);
    };
    let current = reading;
    let end = await drain(reading, first, context, take);
    const wasLate = reading.window.to < context.now;
    if (end.kind === "end" && wasLate) {
      // Asked for in an earlier round: what came since is read as well, and may itself be taken by the next one.
      current = open(asked, context);
      end = await drain(current, await current.next(context), context, take);
      if (end.kind === "late") return;
    }
    if (end.kind === "late") {
      context.gaps.push(pendingGap(current.question, end.since));
      return;
    }
    underWay.delete(key);
    if (end.kind === "failed") context.gaps.push(gapOf(current.question, end.error));
  }

  /** A history begins once; one that its source could not tell is asked for again, but not at each round for weeks of samples. */
  function history(asked: Asked, first: Next, signals: number, { now, abort }: AskContext): Reading | Gap | null {
    const { source, metric, purpose, key } = asked;
    const begun = histories.get(key);
    if (begun !== undefined) return begun;
    const failed = withoutHistory.get(key);
    const isNew = !readUpTo.has(key) && first.kind !== "late";
    if (purpose !== "statistics" || (!isNew && failed === undefined)) return null;
    if (failed !== undefined && now - failed.at < HISTORY_STEP_MS) return failed.gap;
    const window = { from: Math.max(0, now - historyKept(signals)), to: now };
    const query = { metric, window, stepMs: HISTORY_STEP_MS, purpose } as const;
    const reading = openReading(source, query, "history", abort);
    histories.set(key, reading);
    return reading;
  }

  async function takeHistory(asked: Asked, reading: Reading, first: Next, context: AskContext): Promise<void> {
    const { key, purpose } = asked;
    const end = await drain(reading, first, context, ({ series }) => {
      withoutHistory.delete(key);
      engine.ingest(
        series.filter((one) => one.stepMs > 1.5 * stepMs),
        purpose,
      );
    });
    if (end.kind === "late") {
      context.gaps.push(pendingGap(reading.question, end.since));
      return;
    }
    histories.delete(key);
    if (end.kind !== "failed") return;
    const gap = gapOf(reading.question, end.error);
    withoutHistory.set(key, { at: context.now, gap });
    context.gaps.push(gap);
  }

  return async (context: AskContext): Promise<void> => {
    const all = questions();
    const perMetric = all.filter(({ purpose }) => purpose === "statistics").length;
    const answers = all.map(async (asked) => {
      const reading = underWay.get(asked.key) ?? open(asked, context);
      const first = await reading.next(context);
      // How many signals there are says how far back it is worth asking; each metric has about as many.
      const signals = first.kind === "piece" ? first.piece.series.length * perMetric : 0;
      const past = history(asked, first, signals, context);
      if (past === null || !("next" in past)) return { asked, reading, first, past: null, gap: past };
      return { asked, reading, first, past: { reading: past, first: await past.next(context) }, gap: null };
    });
    for (let next = answers.shift(); next !== undefined; next = answers.shift()) {
      const { asked, reading, first, past, gap } = await next;
      await takeRecent(asked, reading, first, context);
      if (gap !== null) context.gaps.push(gap);
      if (past !== null) await takeHistory(asked, past.reading, past.first, context);
    }
  };
}
