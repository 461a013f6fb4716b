import { MATERIAL_LEVEL } from "../detection/evidence.ts";
import { isLatency } from "../detection/meaning.ts";
import { median, robustScale } from "../detection/robust.ts";
import type { Finding } from "../model/finding.ts";
import type { CallGraph } from "./call-graph.ts";
import { type SampleIndex, samplesBetween, valuesBetween } from "./samples.ts";
import { LEAST_RATIO } from "./surge.ts";

/** Findings that say no more than that fewer requests are seen, of nearly everybody. */
export interface FewerSeen {
  readonly findings: ReadonlySet<Finding>;
  /** Requests seen over the usual ones, at the middle one of those services that cannot have been made to see fewer. */
  readonly share: number;
  readonly sentence: string;
}

/** What is usual is read from an hour that ended well before: whoever sees a fall late sees it as much as half an hour late. */
const USUAL_FROM_MS = 90 * 60_000;
const USUAL_TO_MS = 30 * 60_000;
const LEAST_USUAL = 16;
/** A level now is read from four samples at least. */
const LEAST_NOW = 4;
/** Fewer other services say nothing of everybody. */
const LEAST_SERVICES = 3;

/**
 * What users do is counted where they are served (orders, logins: a metric that is declared worse when it is lower), and falls
 * with the requests that are seen. That is news of the service only where requests have not fallen likewise; and where
 * they have, it may be the service's doing only if nobody else sees fewer, but for those whom it calls. So findings are
 * set apart whose metric is what it was a request, while the requests seen fell by a quarter and more (the counterpart of a
 * surge) at its service and at the middle one of the services that it does not call. Then fewer users came, or fewer pods are
 * read: no service is worse for it. Null where there are none, or requests are not measured.
 * @see Beyer et al. (2016), Site Reliability Engineering, ch. 6 "Monitoring Distributed Systems" (traffic as a signal of its own)
 */
export function fewerSeen(
  index: SampleIndex,
  graph: CallGraph,
  findings: readonly Finding[],
  at: number,
): FewerSeen | null {
  const told = findings.filter((one) => one.verdict === "worse" && one.onset !== null && isCount(index, one));
  const found = told.flatMap((finding) => {
    const own = fallOf(index, finding.service, finding, at);
    if (own === null || own > 1 / LEAST_RATIO || !keepsPerRequest(index, finding, at)) return [];
    const falls = others(index, graph, finding.service).flatMap((service) => fallOf(index, service, finding, at) ?? []);
    const share = falls.length < LEAST_SERVICES ? 1 : median(falls);
    return share > 1 / LEAST_RATIO || share <= 0 ? [] : [{ finding, own, share }];
  });
  const [first] = found;
  if (first === undefined) return null;
  const { service, metric } = first.finding;
  const sentence = `${service} sees ${percentLess(first.own)} fewer requests, and ${metric} fell with them; services that it does not call see ${percentLess(first.share)} fewer: fewer users come, or fewer pods are read`;
  return { findings: new Set(found.map(({ finding }) => finding)), share: first.share, sentence };
}

function isCount(index: SampleIndex, { service, metric, labels }: Finding): boolean {
  if (Object.keys(labels).length > 0 || isLatency(metric)) return false;
  return index.whole(service, metric)?.worse === "down";
}

/** Services that neither are it nor are called by it, through whomever: what it lost of its requests they do not lose. */
function others(index: SampleIndex, graph: CallGraph, service: string): readonly string[] {
  return index.services.filter((other) => other !== service && graph.known && !graph.ancestors(other).has(service));
}

/** The newest samples and the usual ones of a metric, about a finding. */
function spans({ onset }: Finding, stepMs: number, at: number) {
  const since = onset ?? { at, earliest: at };
  return {
    usual: [since.earliest - USUAL_FROM_MS, since.earliest - USUAL_TO_MS] as const,
    now: [Math.min(since.at, at - LEAST_NOW * stepMs), at] as const,
  };
}

/** Requests now over the usual ones; null where either is not known. */
function fallOf(index: SampleIndex, service: string, finding: Finding, at: number): number | null {
  const series = index.whole(service, "request_rate");
  const { usual, now } = spans(finding, series?.stepMs ?? 0, at);
  const [was, is] = [valuesBetween(series, ...usual), valuesBetween(series, ...now)];
  if (was.length < LEAST_USUAL || is.length === 0 || median(was) <= 0) return null;
  return median(is) / median(was);
}

/** Whether it is what it was a request, within a quarter and what so few samples blur. */
function keepsPerRequest(index: SampleIndex, finding: Finding, at: number): boolean {
  const series = index.whole(finding.service, finding.metric);
  const rate = index.whole(finding.service, "request_rate");
  const { usual, now } = spans(finding, series?.stepMs ?? 0, at);
  const each = ([from, to]: readonly [number, number]) => {
    const rates = new Map(samplesBetween(rate, from, to).map((one) => [one.at, one.value]));
    return samplesBetween(series, from, to).flatMap(({ at: time, value }) => {
      const requests = rates.get(time) ?? 0;
      return requests > 0 ? [value / requests] : [];
    });
  };
  const [was, is] = [each(usual), each(now)];
  if (was.length < LEAST_USUAL || is.length === 0) return false;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const blur = (2 * robustScale(was)) / Math.sqrt(is.length);
  return mean(is) >= mean(was) / (1 + MATERIAL_LEVEL) - blur;
}

const percentLess = (ratio: number): string => `${Math.round(100 * (1 - ratio))} %`;
