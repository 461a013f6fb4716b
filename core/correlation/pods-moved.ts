import type { CaseFile } from "../model/assessment.ts";
import type { Change } from "../model/change.ts";
import type { Series } from "../model/signal.ts";
import { APART_MS } from "./onset-gap.ts";
import { atLeast, LEAST_GROUPS } from "./wide-cause.ts";

/** It takes less to ask a person than to act: pods are taken to be moved where chance explains it one time in twenty. */
const BY_CHANCE = 1 / 20;
/** So many earlier stretches of ten minutes, the hour that evidence reaches back, tell how often that is so anyway. */
const EARLIER = 6;

/** What tells whether pods are being moved. */
export interface SeenOfPods extends Pick<CaseFile, "changes" | "at"> {
  /** Failed health checks of whole services; several series of one service say what any of them says. */
  readonly readiness: readonly Series[];
}

/**
 * Services whose pods failed their checks for longer than a sample within the last ten minutes though nobody changed them,
 * sorted, where they are more than in the hour before, by more than chance: nodes are drained or replaced one after the
 * other, a cluster is upgraded, an autoscaler shrinks it. None of these is a change of a service, and each looks like a new
 * version whose pods do not become ready at the service that happens to be deployed meanwhile. Empty where chance explains
 * them. Pure. Work: O(samples of readiness).
 */
export function podsMoved({ readiness, changes, at }: SeenOfPods): readonly string[] {
  const changesOf = Map.groupBy(changes, ({ service }) => service);
  const now: string[] = [];
  let measured = 0;
  let before = 0;
  let stretches = 0;
  for (const [service, series] of Map.groupBy(readiness, (one) => one.service)) {
    const own = changesOf.get(service) ?? [];
    for (let back = 0; back <= EARLIER; back++) {
      const to = at - back * APART_MS;
      const measuring = series.filter((one) => isMeasured(one, to - APART_MS, to));
      if (measuring.length === 0 || own.some(isWithin(to - 2 * APART_MS, to))) continue;
      const failed = measuring.some((one) => failedOn(one, to - APART_MS, to));
      if (back === 0) {
        measured += 1;
        if (failed) now.push(service);
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
