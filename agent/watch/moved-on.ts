import { touches } from "../../core/guardrails/rules/stale.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Change } from "../../core/model/change.ts";
import { deedTime, writtenResults } from "../../core/model/deed.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { Target, TargetResult } from "../../core/model/plan.ts";
import { durationText } from "../../core/model/time.ts";

/** A target that somebody changed once more after the act, and what they did, in words. */
export interface Moved {
  readonly service: string;
  readonly what: string;
}

/**
 * The targets that somebody changed once more after they were taken back, so that their signals no longer speak of the
 * act; none where nobody did. Seen by a change of the target that began after ours, or by a live version which is neither
 * the one that was restored nor the one that was taken away. Of the targets that the act left as they were nothing is
 * said. Pure.
 */
export function movedOn({ gate, plan }: Pick<Incident, "gate" | "plan">, caseFile: CaseFile): readonly Moved[] {
  const planned = new Set(plan?.targets.map(({ changeId }) => changeId));
  return writtenResults({ gate }).flatMap((result) => {
    const { target } = result;
    const since = actedAt(result, deedTime({ gate }) ?? { at: result.at, latest: result.at }, caseFile);
    const newer = caseFile.changes.find(
      (change) =>
        change.ownRollback !== true &&
        !planned.has(change.id) &&
        touches(change, target) &&
        !isSameAct(change, target) &&
        change.startedAt >= since &&
        change.startedAt <= caseFile.at,
    );
    if (newer !== undefined) return [{ service: target.service, what: newerText(newer, target, since) }];
    // What was seen before the act, and is kept since its source is silent, says nothing of what came after it.
    const live = caseFile.rollouts.find(
      ({ workload, observedAt }) => isObject(workload, target) && observedAt >= since,
    )?.version;
    if (live === undefined || live === target.restore.version || live === target.expected.version) return [];
    const what = `${target.service} is at ${live} now, no longer at ${target.restore.version} that was restored`;
    return [{ service: target.service, what }];
  });
}

/** The act itself, as a history tells it that knows no mark of ours; or somebody who did the very same. */
export function isSameAct({ kind, from, to }: Change, { expected, restore }: Target): boolean {
  return kind === "flag" ? to === restore.revision : from === expected.version && to === restore.version;
}

/**
 * When the act began: our own change as the target's history tells it, since a change that came while the answer was
 * on its way came after the act as well; else when the act was done, as far as is known.
 */
function actedAt(
  { target }: TargetResult,
  { at, latest }: NonNullable<ReturnType<typeof deedTime>>,
  { changes }: CaseFile,
): number {
  const own = changes.findLast(
    (change) => change.ownRollback === true && touches(change, target) && change.startedAt <= latest + WHOLE_SECOND_MS,
  );
  return own?.startedAt ?? at;
}

/** Where a history keeps whole seconds, its times are off by up to one. */
const WHOLE_SECOND_MS = 1000;

function newerText(newer: Change, { restore, expected, service }: Target, since: number): string {
  const by = newer.author === undefined ? "" : ` by ${newer.author}`;
  const after = durationText(Math.max(0, newer.startedAt - since));
  const what =
    newer.kind === "flag"
      ? `${newer.id}${by} switched it to ${newer.to}`
      : `${newer.id}${by} put ${newer.to} in the place of ${restore.version} of ${service}`;
  const again = newer.to === expected.version ? "; that is what had been rolled back" : "";
  return `${what}, ${after} after the act${again}`;
}

function isObject(workload: Change["workload"] & object, { object }: Target): boolean {
  return workload.kind === object.kind && workload.namespace === object.namespace && workload.name === object.name;
}
