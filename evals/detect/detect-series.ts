import { basename } from "node:path";
import type { Config } from "../../core/config/config.ts";
import { createAnomalyScorer, nextScore } from "../../core/detection/anomaly-score.ts";
import { createDetectionEngine } from "../../core/detection/engine.ts";
import type { Finding } from "../../core/model/finding.ts";
import { type Series, signalKey } from "../../core/model/signal.ts";
import type { FileSeries } from "./read-series.ts";

/** Something that began and was found. Unix ms. */
export interface Found {
  readonly onset: number;
  readonly detectedAt: number;
  readonly kind: string;
  readonly because: string;
}

/** How strange each sample is, 0–1, from it and earlier samples alone; null for a missing sample. */
export function scoreSeries({ times, values }: Pick<FileSeries, "times" | "values">): readonly (number | null)[] {
  const scorer = createAnomalyScorer();
  return values.map((value, index) => nextScore(scorer, times[index] ?? 0, value));
}

/**
 * What the streaming engine finds in one series, sample by sample, as a watch would have found it; without policies,
 * which say what people call bad, not what is. `beside`: the other series of the file; the traffic of the same service
 * and a coarser history of the same signal are read along, each up to the sample that is judged.
 */
export function findingsOf(series: FileSeries, beside: readonly FileSeries[], config: Config): readonly Found[] {
  const engine = createDetectionEngine({ ...config, policies: [] });
  const feeds = [series, ...beside.filter((other) => other !== series && belongs(other, series))].map(createFeed);
  const found: Found[] = [];
  let open = new Map<string, number>();
  for (const now of new Set(series.times)) {
    for (const feed of feeds) engine.ingest(feed(now), "statistics");
    const still = new Map<string, number>();
    for (const finding of engine.evaluate(now).findings) {
      if (!isOf(finding, series) || finding.verdict !== "worse" || finding.onset === null) continue;
      // An alarm keeps the moment it was raised; a drift is found anew as it goes on.
      const key = finding.detector === "drift" ? "drift" : `${finding.detector} ${finding.detectedAt}`;
      const known = open.get(key);
      const one = {
        onset: finding.onset.at,
        detectedAt: finding.detectedAt,
        kind: finding.detector,
        because: finding.because,
      };
      if (known === undefined) found.push(one);
      else found[known] = { ...one, detectedAt: found[known]?.detectedAt ?? one.detectedAt };
      still.set(key, known ?? found.length - 1);
    }
    open = still;
  }
  return found;
}

/** A CSV's series has no name of its own: its file's will do. */
const nameOf = ({ named, file }: FileSeries) => named ?? { service: basename(file), metric: "value", labels: {} };
const keyOf = (series: FileSeries): string => signalKey(nameOf(series));
const isOf = (finding: Finding, series: FileSeries): boolean => signalKey(finding) === keyOf(series);

function belongs(other: FileSeries, series: FileSeries): boolean {
  if (keyOf(other) === keyOf(series)) return other.stepMs > 1.5 * series.stepMs;
  const own = nameOf(series);
  return other.stepMs === series.stepMs && keyOf(other) === signalKey({ ...own, metric: "request_rate" });
}

/** Hands out the samples up to now that it has not handed out yet. */
function createFeed(series: FileSeries): (now: number) => readonly Series[] {
  let next = 0;
  return (now) => {
    const fresh: Series[] = [];
    for (; (series.times[next] ?? Number.POSITIVE_INFINITY) <= now; next += 1) {
      const { unit, worse, stepMs, times, values } = series;
      fresh.push({ ...nameOf(series), unit, worse, stepMs, startAt: times[next] ?? 0, values: [values[next] ?? null] });
    }
    return fresh;
  };
}
