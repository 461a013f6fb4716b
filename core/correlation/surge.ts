import { median, robustScale } from "../detection/robust.ts";
import type { Onset } from "../model/finding.ts";
import type { CallGraph } from "./call-graph.ts";
import { type SampleIndex, samplesBetween } from "./samples.ts";

/** More traffic than usual where users come in: a third more, and far outside what the last half hour did. */
const LEAST_RATIO = 1.3;
const LEAST_DEVIATIONS = 5;

/**
 * The factor by which traffic at the entries rose about the onset, or null where it did not (or nobody measures it).
 * Retries raise traffic inside the graph, not where users come in: those services alone are read.
 */
export function surgeAtEntries(index: SampleIndex, graph: CallGraph, onset: Onset, at: number): number | null {
  const entries = graph.known ? [...graph.entries] : [...index.services];
  const ratios: number[] = [];
  for (const service of entries) {
    const series = index.whole(service, "request_rate");
    const before = samplesBetween(series, onset.earliest - 2_100_000, onset.earliest - 300_000).map(
      ({ value }) => value,
    );
    const after = samplesBetween(series, onset.at, at).map(({ value }) => value);
    if (before.length < 4 || after.length === 0) continue;
    const usual = median(before);
    const now = median(after.slice(-8));
    const far = now - usual > LEAST_DEVIATIONS * robustScale(before, usual);
    ratios.push(usual > 0 && far ? now / usual : 1);
  }
  if (ratios.length === 0) return null;
  const typical = median(ratios);
  return typical >= LEAST_RATIO ? typical : null;
}
