import { MATERIAL_LEVEL } from "../detection/evidence.ts";
import type { Span } from "../model/evidence.ts";
import type { Onset } from "../model/finding.ts";
import { levelNats } from "./harm.ts";
import { POSITIVE_NATS } from "./version-signs.ts";

/**
 * Of failures that a callee brings about, three of four show in the trace as a failed call of it (the rest time out, or are
 * counted elsewhere): see `fromSpans`. A failed request in which it did answer is four to one against it.
 */
const ANSWERED_NATS = Math.log(4);

/**
 * Whether traces show that a callee answered as usual while its caller was in trouble: in failed requests of the caller
 * since the onset it answered, more than it failed in; where no request failed, its calls took as long as before. The call
 * is a span of the callee itself, or a span of the caller that names it.
 *
 * A failed request in which it was not called speaks for it as well, where the caller writes a span for each of its calls
 * itself: one that fails, or reaches nobody, leaves one too. A caller that calls no more, since a breaker is open, has no answers
 * since: so four in five calls since the onset must have been answered. Where only the callee's own spans tell of calls, such a
 * request says nothing: who cannot be reached leaves none. Pure.
 * @see https://opentelemetry.io/docs/specs/otel/trace/api/#spankind (CLIENT: the span of an outgoing call, which ends with its response or failure)
 * @see https://martinfowler.com/bliki/CircuitBreaker.html
 */
export function answeredInTraces(spans: readonly Span[], caller: string, callee: string, onset: Onset): boolean {
  const calls = spans.filter((one) => one.service === callee || (one.service === caller && one.callee === callee));
  if (calls.length === 0) return false;
  const sinceUs = onset.earliest * 1000;
  const failed = spans.filter((one) => one.service === caller && one.error && one.startUs >= sinceUs);
  const failedTraces = new Set(failed.map(({ traceId }) => traceId));
  if (failedTraces.size === 0) return tookAsLong(calls, onset);
  const ofFailed = Map.groupBy(
    calls.filter(({ traceId }) => failedTraces.has(traceId)),
    ({ traceId }) => traceId,
  );
  const broken = [...ofFailed.values()].filter((ones) => ones.some(({ error }) => error)).length;
  const without = isAnswered(calls, caller, sinceUs) ? failedTraces.size - ofFailed.size : 0;
  return (ofFailed.size + without - 2 * broken) * ANSWERED_NATS >= POSITIVE_NATS;
}

/** Whether the caller writes a span for each call itself, and four in five of them since a moment were answered. */
function isAnswered(calls: readonly Span[], caller: string, sinceUs: number): boolean {
  const own = calls.filter((one) => one.service === caller && one.startUs >= sinceUs);
  return own.length > 0 && own.filter(({ error }) => error).length * 5 <= own.length;
}

/** Durations of its calls before the onset and since. */
function tookAsLong(calls: readonly Span[], onset: Onset): boolean {
  const logs = (part: readonly Span[]) => part.map(({ durationUs }) => Math.log(Math.max(1, durationUs)));
  const before = logs(calls.filter(({ startUs }) => startUs < onset.earliest * 1000));
  const after = logs(calls.filter(({ startUs, error }) => startUs > onset.latest * 1000 && !error));
  const broken = calls.some(({ startUs, error }) => error && startUs >= onset.earliest * 1000);
  return !broken && levelNats(before, after, Math.log(1 + MATERIAL_LEVEL)) <= -POSITIVE_NATS;
}
