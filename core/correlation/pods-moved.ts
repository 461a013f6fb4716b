import type { CaseFile } from "../model/assessment.ts";
import type { Change } from "../model/change.ts";
import type { Series } from "../model/signal.ts";
import { APART_MS } from "./onset-gap.ts";
import { atLeast, LEAST_GROUPS } from "./wide-cause.ts";

/** It takes less to ask a person than to act: pods are taken to be moved where chance explains it one time in twenty. */
const BY_CHANCE = 1 / 20;
/** So many earlier stretches of ten minutes, the hour that evidence reaches back, tell how often that is so anyway. */
const EARLIER = 6;

/**
 * Services whose pods failed their checks for longer than a sample within the last ten minutes though nobody changed them,
 * sorted, where they are more than in the hour before, by more than chance: nodes are drained or replaced one after the
 * other, a cluster is upgraded, an autoscaler shrinks it. None of these is a change of a service, and each looks like a new
 * version whose pods do not become ready at the service that happens to be deployed meanwhile. Empty where chance explains
 * them. Pure. Work: O(samples of readiness).
 */
export function podsMoved({ series, changes, at }: CaseFile): readonly string[] {
  const changesOf = Map.groupBy(changes, ({ service }) => service);
  const readiness = series.filter(
    ({ metric, labels }) => metric === "health_check_failures" && Object.keys(labels).length === 0,
  );
  const now: string[] = [];
  let measured = 0;
  let before = 0;
  let stretches = 0;
  for (const one of readiness) {
    const own = changesOf.get(one.service) ?? [];
    for (let back = 0; back <= EARLIER; back++) {
      const to = at - back * APART_MS;
      if (!isMeasured(one, to - APART_MS, to) || own.some(isWithin(to - 2 * APART_MS, to))) continue;
      const failed = failedOn(one, to - APART_MS, to);
      if (back === 0) {
        measured += 1;
        if (failed) now.push(one.service);
      } else {
        stretches += 1;
        if (failed) before += 1;
      }
    }
  }
  // Half a stretch is added, so that the usual share is never zero (Jeffreys).
  const usual = (before + 0.5) / (stretches + 1);
  const isMany = now.length >= LEAST_GROUPS && atLeast(now.length, measured, usual) <= BY_CHANCE;
  return isMany ? now.toSorted() : [];
}

const isMeasured = ({ startAt, stepMs, values }: Series, from: number, to: number): boolean =>
  startAt <= from && startAt + values.length * stepMs > to - stepMs;

/** Whether two samples in a row within (from, to] have failed checks. */
function failedOn({ startAt, stepMs, values }: Series, from: number, to: number): boolean {
  const first = Math.max(0, Math.ceil((from - startAt) / stepMs));
  const last = Math.min(values.length - 1, Math.floor((to - startAt) / stepMs));
  for (let i = first + 1; i <= last; i++) if ((values[i - 1] ?? 0) > 0 && (values[i] ?? 0) > 0) return true;
  return false;
}

/** Whether a change went on between the two moments. */
const isWithin =
  (from: number, to: number) =>
  ({ startedAt, finishedAt, ownRollback }: Change): boolean =>
    ownRollback !== true && startedAt <= to && (finishedAt ?? to) >= from;
