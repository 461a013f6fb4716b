import type { Reason } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import { nameOfChange } from "../model/change-name.ts";
import type { Onset } from "../model/finding.ts";
import { ORDINARY_ROLLOUT_MS, UNTOLD_MS } from "./timing.ts";

/**
 * The change that had wholly replaced this one before the trouble began, or null where what it brought may still have
 * run then. What is gone cannot break anything that it had not broken before, and there is nothing left to take back.
 *
 * Replaced is a deploy by a later deploy of another version to the same workload that reached all traffic, a flag by
 * its next switch, a configuration by going back to what was before it (another edit keeps it in). A migration is
 * never replaced. The later change must have ended a step before the earliest credible onset: while versions overlap
 * both may be to blame. An own rollback needs no such step, since no onset is dated into it.
 * `stepMs`: time between two samples.
 */
export function replacedBefore(
  change: Change,
  changes: readonly Change[],
  { earliest }: Onset,
  stepMs: number,
): Change | null {
  const later = changes.filter((other) => replaces(other, change));
  return (
    later.find((other) => {
      const end = endOf(other);
      return end !== null && end <= earliest - (other.ownRollback === true ? 0 : stepMs);
    }) ?? null
  );
}

/** Whether nothing of `change` is left once `other` is complete. */
export function replaces(other: Change, change: Change): boolean {
  if (other.id === change.id || other.startedAt <= change.startedAt) return false;
  if (other.service !== change.service || other.kind !== change.kind || !isSamePlace(other, change)) return false;
  switch (change.kind) {
    case "deploy":
      return other.to !== change.to && (other.canary ?? 1) >= 1;
    case "flag":
      return other.flag === change.flag && other.to !== change.to;
    case "config":
      return other.to === change.from;
    case "migration":
      return false;
  }
}

/**
 * The change that took this one back, complete or on its way by `at`: a rollback of ours, or somebody's way back to what
 * stood before. Forward to another version is a fix, no way back: whether that helped is judged by itself. undefined: it
 * stands. Pure.
 */
export function takenBackBy(change: Change, changes: readonly Change[], at: number): Change | undefined {
  return changes.findLast(
    (other) =>
      other.startedAt <= at && replaces(other, change) && (other.ownRollback === true || other.to === change.from),
  );
}

/** A service may have several workloads, in several environments: one does not replace another. */
function isSamePlace(a: Change, b: Change): boolean {
  if (a.environment !== undefined && b.environment !== undefined && a.environment !== b.environment) return false;
  if (a.workload === undefined || b.workload === undefined) return true;
  const [one, two] = [a.workload, b.workload];
  return one.kind === two.kind && one.namespace === two.namespace && one.name === two.name;
}

function endOf({ kind, startedAt, finishedAt, ownRollback }: Change): number | null {
  if (finishedAt === null) return null;
  const untold = kind === "deploy" && ownRollback !== true && finishedAt - startedAt < UNTOLD_MS;
  return untold ? startedAt + ORDINARY_ROLLOUT_MS : finishedAt;
}

/** Changes apart by whether what they brought may have run when the trouble began, each gone one with what replaced it. */
export function splitReplaced(
  candidates: readonly Change[],
  changes: readonly Change[],
  onset: Onset,
  stepMs: number,
): { readonly judged: readonly Change[]; readonly gone: readonly Replaced[] } {
  const gone = candidates.flatMap((change) => {
    const by = replacedBefore(change, changes, onset, stepMs);
    return by === null ? [] : [{ change, by }];
  });
  return { judged: candidates.filter((change) => !gone.some((one) => one.change === change)), gone };
}

export interface Replaced {
  readonly change: Change;
  readonly by: Change;
}

/**
 * What is gone may have left something that breaks later: data, a queue, a cache. Nobody publishes how often; a guess
 * of one time in ten, which goes to "no change" and so makes no other change look guilty.
 */
const LEFT_BEHIND_NATS = -Math.log(10);
/** As good as impossible, and still a number: odds of one to e⁵⁰. */
const LEAST_NATS = -50;

/**
 * What replaced changes may have left behind cannot be taken back with them, so that their odds belong to "no change".
 * It breaks at any moment, so that timing speaks neither for nor against it; a drift is a thing of running pods, which
 * are gone. `reasonsFor`: what speaks for and against the change as if it still ran.
 */
export function leftBehind(
  gone: readonly Replaced[],
  course: "shift" | "drift",
  reasonsFor: (change: Change) => readonly Reason[],
): readonly Reason[] {
  return gone.map(({ change, by }) => {
    const nats = reasonsFor(change).reduce((sum, { name, logOdds }) => sum + (name === "timing" ? 0 : logOdds), 0);
    const who = by.ownRollback === true ? "unship's own rollback" : nameOfChange(by);
    return {
      name: "replaced",
      logOdds: course === "drift" ? LEAST_NATS : nats + LEFT_BEHIND_NATS,
      sentence: `${nameOfChange(change)} is no suspect: ${who} had taken its place before the onset`,
    };
  });
}
