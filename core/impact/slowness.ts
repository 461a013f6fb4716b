import { isLatency } from "../detection/meaning.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Finding } from "../model/finding.ts";

/** Less than a quarter longer is as long as ever: what a latency must move by before a finding matters. */
const LEAST_RATIO = 1.25;
/** Beyond so many times what satisfies them, people give up; up to that they put up with it, and count half. */
const FRUSTRATED = 4;
const TOLERATING = 0.5;

interface Slowness {
  readonly finding: Finding;
  /** Present value in times of the usual one. */
  readonly ratio: number;
  /** The requests that take longer than nearly all of them used to: half by a median, one in a hundred by a p99; 0 to 1. */
  readonly slower: number;
}

function slownessOf({ findings }: CaseFile, services: readonly string[]): readonly Slowness[] {
  return findings
    .filter((one) => one.verdict === "worse" && isLatency(one.metric) && services.includes(one.service))
    .map((finding) => ({ finding, ratio: ratioOf(finding), slower: slowerThan(finding.metric) }))
    .filter(({ ratio }) => ratio >= LEAST_RATIO);
}

const ratioOf = ({ baseline, current }: Finding): number =>
  baseline === null || current === null || baseline <= 0 ? 1 : current / baseline;

/** `p95_latency` tells of one request in twenty; what names no percentile is taken for a mean or median. */
function slowerThan(metric: string): number {
  const quantile = /p(\d+)/.exec(metric)?.[1];
  return quantile === undefined ? 0.5 : 1 - Number(quantile) / 10 ** quantile.length;
}

/**
 * The share of requests that became slow at the worst of these services, 0 to 1, and a sentence on it; null where none
 * did. A median twice as long means that half of the requests are slower than nearly all were; a p99 says it of one in a
 * hundred; a shorter rise counts half of them.
 */
export function slowShare(
  caseFile: CaseFile,
  services: readonly string[],
): { readonly share: number; readonly sentence: string } | null {
  const slow = slownessOf(caseFile, services)
    .map((one) => ({ ...one, share: one.ratio >= 2 ? one.slower : one.slower / 2 }))
    .sort((a, b) => b.share - a.share || b.ratio - a.ratio)[0];
  if (slow === undefined) return null;
  const { service, metric } = slow.finding;
  return { share: slow.share, sentence: `${metric} of ${service} is ${slow.ratio.toFixed(1)} times the baseline` };
}

/**
 * The share of one service's requests that is as good as lost because it takes too long, 0 to 1: of those that are slower
 * than before, half where they take up to four times as long, all beyond that. The worst of its latencies counts.
 * @see Apdex Alliance, Application Performance Index, Technical Specification 1.1: tolerating (T to 4T) counts half,
 * frustrated (beyond 4T) as a failure. T here is what the service usually takes, which its users are taken to accept.
 */
export function lostToSlowness(caseFile: CaseFile, service: string): number {
  const lost = slownessOf(caseFile, [service]).map(
    ({ ratio, slower }) => slower * (ratio > FRUSTRATED ? 1 : TOLERATING),
  );
  return Math.max(0, ...lost);
}
