import { createCallGraph } from "../correlation/call-graph.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Decision } from "../model/decision.ts";
import type { Onset } from "../model/finding.ts";
import { rfc3339 } from "../model/time.ts";
import { ownActs } from "./own-acts.ts";

/** A calm is seen in two samples at least: one covers the step before it, and may hold some of what was before the act. */
const CALM_STEPS = 2;

/**
 * The decision, unless it would undo a second change for trouble that a rollback of ours did not end: the first suspect
 * was the wrong one, or undoing it was not enough, and with the likeliest one gone the next looks far surer than it is.
 * Then nothing is undone, people decide, and the next suspect is named. A change that began after our act is judged as
 * any other, and so is trouble that came after a calm, and a change whose own version is seen to fail beside the one before
 * it (`seen`): that is no guess, whatever was undone before. Pure.
 *
 * `onset`: where the samples since the act have shown the trouble from the first one on, it reaches back to the act.
 */
export function withoutSecondGuess(
  decision: Decision,
  onset: Onset | null,
  caseFile: CaseFile,
  seen: ReadonlySet<string> = new Set(),
): Decision {
  if (onset === null || (decision.action !== "rollback" && decision.action !== "feature_flag_disable")) return decision;
  if (decision.changeIds.every((id) => seen.has(id))) return decision;
  const { changes, topology } = caseFile;
  const graph = createCallGraph(topology);
  const stepMs = finestStep(caseFile);
  const meant = changes.filter(({ id }) => decision.changeIds.includes(id));
  const isJoined = (a: string, b: string): boolean =>
    a === b || !graph.known || graph.ancestors(a).has(b) || graph.ancestors(b).has(a);
  const act = ownActs(changes).findLast(
    ({ service, actedAt, doneAt }) =>
      onset.earliest <= doneAt + CALM_STEPS * stepMs &&
      meant.some((change) => change.startedAt < actedAt && isJoined(change.service, service)),
  );
  if (act === undefined) return decision;
  const since = `our own rollback of ${act.service} was in effect at ${rfc3339(act.doneAt)} and did not end this degradation`;
  return {
    ...decision,
    action: "no_action",
    changeIds: [],
    needsPerson: [`${since}: whether ${decision.culprit?.changeId ?? "another change"} is rolled back needs a person`],
    why: [since, ...decision.why],
  };
}

/** The step of the finest series of the case; 0 without any. */
const finestStep = ({ series }: CaseFile): number =>
  series.reduce((least, { stepMs }) => Math.min(least, stepMs), series[0]?.stepMs ?? 0);
