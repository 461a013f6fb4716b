import { MATERIAL_LEVEL } from "../detection/evidence.ts";
import { median } from "../detection/robust.ts";
import type { Span } from "../model/evidence.ts";
import type { Onset } from "../model/finding.ts";

/** Where traces say that the trouble starts: shares of what is new since the onset, by service, 0 to 1, in all 1. */
export interface SpanEvidence {
  readonly kind: "failing" | "slow";
  readonly shares: ReadonlyMap<string, number>;
  /** Services that report spans at all; trouble of others shows at their callers. */
  readonly traced: ReadonlySet<string>;
  /** Failed calls since the onset by service: all, and those none of whose own calls failed. */
  readonly failed: ReadonlyMap<string, { readonly own: number; readonly all: number }>;
}

/** Fewer spans than this tell nothing of how long a service takes. */
const LEAST_SPANS = 10;
/** Failures are new where they exceed what was usual by two deviations and by two. */
const DEVIATIONS = 2;
const LEAST_FAILED = 2;

/**
 * Failed calls whose own calls did not fail, by service, beyond what was usual before the onset; where nothing fails
 * anew, time that services take themselves (their calls' time taken out) beyond what was usual. A caller that fails or
 * waits because of what it calls has no part in it. Null where traces show neither.
 */
export function spanEvidence(spans: readonly Span[], onset: Onset): SpanEvidence | null {
  const since = onset.earliest * 1000;
  const traced = new Set(spans.map(({ service }) => service));
  const failed = failedSince(spans, since);
  const failing = newFailures(spans, since);
  if (failing.size > 0) return { kind: "failing", shares: sharesOf(failing), traced, failed };
  const slow = newOwnTime(spans, since);
  return slow.size === 0 ? null : { kind: "slow", shares: sharesOf(slow), traced, failed };
}

function sharesOf(amounts: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const total = [...amounts.values()].reduce((sum, amount) => sum + amount, 0);
  return new Map([...amounts].map(([service, amount]) => [service, amount / total]));
}

const keyOf = (span: Span): string => `${span.traceId}/${span.spanId}`;
const parentOf = (span: Span): string | null =>
  span.parentId === undefined ? null : `${span.traceId}/${span.parentId}`;

function failedSince(spans: readonly Span[], sinceUs: number): SpanEvidence["failed"] {
  const suffering = new Set(spans.filter(({ error }) => error).map(parentOf));
  const failed = spans.filter(({ error, startUs }) => error && startUs >= sinceUs);
  return new Map(
    [...Map.groupBy(failed, ({ service }) => service)].map(([service, all]) => [
      service,
      { own: all.filter((span) => !suffering.has(keyOf(span))).length, all: all.length },
    ]),
  );
}

function newFailures(spans: readonly Span[], sinceUs: number): ReadonlyMap<string, number> {
  const suffering = new Set(spans.filter(({ error }) => error).map(parentOf));
  const found = new Map<string, number>();
  for (const [service, own] of Map.groupBy(spans, ({ service }) => service)) {
    const starts = (span: Span) => span.error && !suffering.has(keyOf(span));
    const [before, after] = [
      own.filter(({ startUs }) => startUs < sinceUs),
      own.filter(({ startUs }) => startUs >= sinceUs),
    ];
    const usual = before.length === 0 ? 0 : before.filter(starts).length / before.length;
    const failed = after.filter(starts).length;
    const expected = usual * after.length;
    if (failed < expected + Math.max(LEAST_FAILED, DEVIATIONS * Math.sqrt(expected))) continue;
    found.set(service, failed - expected);
  }
  return found;
}

function newOwnTime(spans: readonly Span[], sinceUs: number): ReadonlyMap<string, number> {
  const children = Map.groupBy(spans, parentOf);
  const found = new Map<string, number>();
  for (const [service, own] of Map.groupBy(spans, ({ service }) => service)) {
    const times = (part: readonly Span[]) => part.map((span) => ownTimeUs(span, children.get(keyOf(span)) ?? []));
    const before = times(own.filter(({ startUs }) => startUs < sinceUs));
    const after = times(own.filter(({ startUs }) => startUs >= sinceUs));
    if (before.length < LEAST_SPANS || after.length < LEAST_SPANS) continue;
    const [was, is] = [median(before), median(after)];
    if (is > (1 + MATERIAL_LEVEL) * was) found.set(service, (is - was) * after.length);
  }
  return found;
}

/** Duration less the time in which any of its calls ran (they may overlap each other). */
function ownTimeUs({ startUs, durationUs }: Span, calls: readonly Span[]): number {
  const end = startUs + durationUs;
  let own = 0;
  let reached = startUs;
  for (const call of calls.toSorted((a, b) => a.startUs - b.startUs)) {
    own += Math.max(0, Math.min(call.startUs, end) - reached);
    reached = Math.max(reached, Math.min(end, call.startUs + call.durationUs));
  }
  return own + Math.max(0, end - reached);
}
