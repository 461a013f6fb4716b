import type { Gap } from "../../core/model/assessment.ts";
import type { Change } from "../../core/model/change.ts";
import { durationText } from "../../core/model/time.ts";
import type { ChangeSource } from "../../core/ports.ts";

export interface ClocksAhead {
  readonly changes: readonly ChangeSource[];
  /** Which source's clock was seen to be ahead of this machine's: a gap of its changes as long as this process lives. */
  readonly lacks: () => readonly Gap[];
}

/** Kubernetes and Argo CD tell times in whole seconds: less than one is no clock that is ahead. */
const RESOLUTION_MS = 1000;

/**
 * How long a source may keep a change to itself after it happened: an edit of a ConfigMap waits half a minute for the deploys
 * that come with it (`WAITS_MS` in `kubernetes/config-maps.ts`). None that is read here waits longer by itself.
 */
const TOLD_LATE_MS = 30_000;

/** As many as stages of one cluster are remembered; far more than a fleet changes in the days that a change is a suspect. */
const REMEMBERED = 100_000;

/** When a change can have begun, by this machine's clock, Unix ms: not before `low`, not after `seen`. */
interface Seen {
  readonly low: number;
  readonly seen: number;
}

/**
 * The same sources, none of whose changes is lost because its source's clock is ahead. What is dated later than the moment of
 * its answer had begun by then all the same: the source's clock is ahead by at least the difference, and the largest one that
 * was seen holds for all its changes. They are moved back by it and by one step, which is as far as the next change may show
 * it to be ahead still (a suspect that is too early by a step stays one, and one that is too late may not); never later than
 * when first seen, and never to before an answer that did not hold them. The order that a source gives its changes stays.
 *
 * What nobody asked for is left out as before: what begins after the window's end is for whoever asks next. `now`: Unix ms,
 * this machine's clock, by which samples are dated. `stepMs`: how far apart a watch asks.
 */
export function onThisClock(
  sources: readonly ChangeSource[],
  { now, stepMs }: { readonly now: () => number; readonly stepMs: number },
): ClocksAhead {
  const all = sources.map((source) => ({ source, clock: createClock(stepMs) }));
  return {
    changes: all.map(({ source, clock }) => ({
      name: source.name,
      async changes(window, abort) {
        const askedAt = now();
        // Without an end: whatever a clock that is ahead has dated after it is in the answer.
        const answer = await source.changes({ from: window.from, to: Number.POSITIVE_INFINITY }, abort);
        return clock
          .place(answer, { from: window.from, askedAt, at: now() })
          .filter(({ startedAt }) => startedAt <= window.to);
      },
    })),
    lacks: () => all.flatMap(({ source, clock }) => gapOf(source.name, clock.aheadMs())),
  };
}

interface Answered {
  /** The start of the window that was asked for. */
  readonly from: number;
  /** When it was asked, and when it was answered. */
  readonly askedAt: number;
  readonly at: number;
}

function createClock(stepMs: number) {
  const known = new Map<string, Seen>();
  let last: Answered | null = null;
  let ahead = 0;
  const aheadMs = (): number => (ahead >= RESOLUTION_MS ? ahead : 0);

  function seenOf({ id, startedAt }: Change, { from, at }: Answered): Seen {
    const before = known.get(id);
    if (before !== undefined) return before;
    // An answer to a question that did not reach back to it says nothing of it.
    const isNew = last !== null && startedAt >= last.from;
    const low = isNew && last !== null ? last.askedAt - TOLD_LATE_MS : from;
    const seen = { low: Math.min(low, startedAt), seen: at };
    known.set(id, seen);
    return seen;
  }

  return {
    aheadMs,
    place(changes: readonly Change[], answered: Answered): readonly Change[] {
      const { at } = answered;
      const dated = changes.map((change) => ({ change, seen: seenOf(change, answered) }));
      for (const change of changes) ahead = Math.max(ahead, latestOf(change) - at);
      if (last === null || answered.askedAt >= last.askedAt) last = answered;
      for (const id of known.keys()) {
        if (known.size <= REMEMBERED) break;
        known.delete(id);
      }
      const back = aheadMs() === 0 ? 0 : ahead + stepMs;
      return dated.map(({ change, seen }) => moved(change, seen, back, at));
    },
  };
}

/** The latest moment that a source says has passed. An end that nobody saw is a bound, and may be to come. */
const latestOf = ({ startedAt, finishedAt, endUnseen }: Change): number =>
  endUnseen === true ? startedAt : Math.max(startedAt, finishedAt ?? startedAt);

function moved(change: Change, { low, seen }: Seen, back: number, at: number): Change {
  const startedAt = Math.min(seen, Math.max(low, change.startedAt - back));
  const end = change.finishedAt;
  const finishedAt =
    end === null ? null : Math.max(startedAt, change.endUnseen === true ? end - back : Math.min(at, end - back));
  if (startedAt === change.startedAt && finishedAt === end) return change;
  return { ...change, startedAt, finishedAt };
}

function gapOf(source: string, aheadMs: number): readonly Gap[] {
  if (aheadMs === 0) return [];
  const because = `its clock is at least ${durationText(aheadMs)} ahead of this machine's: the times of its changes are uncertain by that`;
  return [{ of: "changes", how: "uncertain", source, what: "when its changes began", because }];
}
