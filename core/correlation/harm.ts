import { MATERIAL_LEVEL } from "../detection/evidence.ts";
import { isHarm, isLatency } from "../detection/meaning.ts";
import { logSumExp, median, robustScale } from "../detection/robust.ts";
import type { Finding, Onset } from "../model/finding.ts";
import { countsBetween, type SampleIndex, samplesBetween } from "./samples.ts";

/** Evidence beyond this is not trusted from one service: something else may be wrong with it. */
export const HARM_CERTAIN = 6;
const LEAST_NATS = -3;
/** What "before" means: so long before the onset. */
const BEFORE_MS = 1_800_000;
/** Overdispersion taken for granted where it cannot be measured. */
const DISPERSION = 2;

/**
 * For each service, the log Bayes factor of "hurt since the onset" against "as before". 0 where the data cannot tell
 * (no samples, too little traffic): a quiet low-traffic service is no proof that it is well. Services with a finding
 * "worse" of about the same onset are taken as hurt.
 */
export function harmByService(
  index: SampleIndex,
  findings: readonly Finding[],
  onset: Onset,
  at: number,
): ReadonlyMap<string, number> {
  const harm = new Map<string, number>();
  const stepMs = Math.max(0, ...index.services.map((service) => index.metrics(service)[0]?.stepMs ?? 0));
  for (const service of index.services) harm.set(service, harmOf(index, service, onset, at));
  for (const finding of findings) {
    if (finding.verdict === "unknown" && finding.detector === "silence" && !harm.has(finding.service))
      harm.set(finding.service, 0);
    if (finding.verdict !== "worse" || finding.onset === null || finding.detector === "threshold") continue;
    if (Object.keys(finding.labels).length > 0 || !finding.metric || !hurts(index, finding)) continue;
    const apart = Math.max(finding.onset.earliest - onset.latest, onset.earliest - finding.onset.latest, 0);
    if (apart <= 600_000 + 2 * stepMs) harm.set(finding.service, HARM_CERTAIN);
  }
  return harm;
}

/** Whether a finding speaks of harm: a metric that hurts, or a drift that will. */
export function hurts(index: SampleIndex, finding: Finding): boolean {
  const worse = index.whole(finding.service, finding.metric)?.worse ?? "up";
  return finding.detector === "drift" || isHarm(finding.metric, worse);
}

/** The same evidence for one service from the samples since a later moment alone, against what was before the onset. */
export function isHurtSince(index: SampleIndex, service: string, onset: Onset, since: number, at: number): number {
  return harmOf(index, service, { ...onset, at: since }, at);
}

function harmOf(index: SampleIndex, service: string, onset: Onset, at: number): number {
  const all: number[] = [];
  for (const { metric, worse } of index.metrics(service)) {
    if (metric === "error_rate") all.push(errorHarm(index, service, onset, at));
    else if (isLatency(metric) && worse !== "down") all.push(latencyHarm(index, service, metric, onset, at));
  }
  const told = all.filter((nats) => nats !== 0);
  if (told.length === 0) return 0;
  return clamp(logSumExp(told) - Math.log(told.length));
}

const clamp = (nats: number): number => Math.max(LEAST_NATS, Math.min(HARM_CERTAIN, nats));

function errorHarm(index: SampleIndex, service: string, onset: Onset, at: number): number {
  const errors = index.whole(service, "error_rate");
  const rate = index.whole(service, "request_rate");
  const before = countsBetween(errors, rate, onset.earliest - BEFORE_MS, onset.earliest);
  const after = countsBetween(errors, rate, onset.at, at);
  if (after === null || before === null) return levelHarm(index, service, "error_rate", onset, at, 0.01, false);
  const usual = (before.k + 0.5) / (before.n + 1);
  // How far the usual rate itself may be off counts against "hurt".
  const high = usual + 2 * Math.sqrt((DISPERSION * (usual + 0.5 / (before.n + 1))) / (before.n + 1));
  const alternatives = [0.003, 0.01, 0.04, 0.15].map((excess) => {
    const rateWorse = Math.min(0.99, high + excess);
    const one = after.k * Math.log(rateWorse / high) + (after.n - after.k) * Math.log((1 - rateWorse) / (1 - high));
    return one / DISPERSION;
  });
  return logSumExp(alternatives) - Math.log(alternatives.length);
}

function latencyHarm(index: SampleIndex, service: string, metric: string, onset: Onset, at: number): number {
  return levelHarm(index, service, metric, onset, at, Math.log(1 + MATERIAL_LEVEL), true);
}

function levelHarm(
  index: SampleIndex,
  service: string,
  metric: string,
  onset: Onset,
  at: number,
  least: number,
  log: boolean,
): number {
  const series = index.whole(service, metric);
  const read = (from: number, to: number) =>
    samplesBetween(series, from, to)
      .filter(({ value }) => !log || value > 0)
      .map(({ value }) => (log ? Math.log(value) : value));
  const before = read(onset.earliest - BEFORE_MS, onset.earliest);
  const after = read(onset.at, at);
  if (before.length < 4 || after.length === 0) return 0;
  const center = median(before);
  const scale = Math.max(robustScale(before, center), least / 4);
  const shift = after.reduce((sum, value) => sum + value, 0) / after.length - center;
  // Samples of a level hang together: they count as the square root of their number does.
  const variance = scale ** 2 * (1 / Math.sqrt(after.length) + 1 / Math.sqrt(before.length));
  const alternatives = [1, 3, 8].map((multiple) => {
    const size = multiple * Math.max(least, 2 * scale);
    return (size / variance) * (shift - size / 2);
  });
  return logSumExp(alternatives) - Math.log(alternatives.length);
}
