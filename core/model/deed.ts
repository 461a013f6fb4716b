import type { DecisionAction } from "./decision.ts";
import type { Incident } from "./incident.ts";
import { type Target, type TargetResult, takesBack } from "./plan.ts";

/**
 * What was done for an incident, whoever proposed it: what the gate carried out counts before what was decided, since a person
 * may have a plan of their own carried out where unship decided on nothing.
 * `executed`: all of a plan; `partly`: some of its targets were written, or may have been; `unwritten`: the gate answered and
 * nothing was written; `decided`: an act that the gate has not answered; `recommended`: a hotfix; `nothing`: no action.
 */
export type Deed = "undecided" | "nothing" | "recommended" | "decided" | "unwritten" | "partly" | "executed";

type Acted = Pick<Incident, "decision" | "gate">;

export function deedOf({ decision, gate }: Acted): Deed {
  if (gate?.outcome === "executed") return "executed";
  if (writtenTargets({ gate }).length > 0) return "partly";
  if (decision === null) return "undecided";
  if (decision.action === "no_action") return "nothing";
  if (decision.action === "hotfix_recommendation") return "recommended";
  return gate === null ? "decided" : "unwritten";
}

/** Whether something was written at a target for it, or may have been. */
export function isActed(incident: Acted): boolean {
  const deed = deedOf(incident);
  return deed === "executed" || deed === "partly";
}

/**
 * The action of an incident as every surface names it (S15): what was decided, or, where that is no act and one was carried
 * out all the same, what that was. null: nothing was decided and nothing done.
 */
export function actionOf(incident: Acted): DecisionAction | null {
  const decided = incident.decision?.action ?? null;
  if (decided === "rollback" || decided === "feature_flag_disable" || !isActed(incident)) return decided;
  const targets = writtenTargets(incident).filter((target) => takesBack({ targets: [target] }));
  if (targets.length === 0) return decided;
  return targets.every(({ action }) => action === "feature_flag_disable") ? "feature_flag_disable" : "rollback";
}

/** The changes that were taken back for it, or may have been, whoever asked for it; in the order of the act. */
export function takenBackIds(incident: Pick<Incident, "gate">): readonly string[] {
  const targets = writtenTargets(incident).filter((target) => takesBack({ targets: [target] }));
  return [...new Set(targets.map(({ changeId }) => changeId))];
}

/**
 * Whose what was carried out is: `decided`: it is part of what unship decides upon; `proposed`: unship proposed it on an earlier
 * decision, and decides otherwise since; `asked`: neither, somebody else asked for it. null: nothing was taken back.
 */
export type DeedOrigin = "decided" | "proposed" | "asked";

/** The watch proposes under this name alone, and nobody else does. */
const OWN = "watch";

export function originOf(incident: Acted & Pick<Incident, "plan">): DeedOrigin | null {
  const { culprit = null, changeIds = [] } = incident.decision ?? {};
  const decided = new Set([...changeIds, ...(culprit === null ? [] : [culprit.changeId])]);
  const back = takenBackIds(incident);
  if (back.length === 0) return null;
  if (back.some((id) => decided.has(id))) return "decided";
  const { plan, gate } = incident;
  return plan !== null && plan.id === gate?.planId && plan.proposedBy === OWN ? "proposed" : "asked";
}

/** What each result says of a write at its target. `failed` says nothing by itself: a refusal and a half of an act are both one. */
const WRITES: Readonly<Record<TargetResult["result"], "may-have" | "nothing" | "unless-untouched">> = {
  done: "may-have",
  unknown: "may-have",
  failed: "unless-untouched",
  "nothing-to-do": "nothing",
  refused: "nothing",
  stale: "nothing",
  unreachable: "nothing",
};

/** Whether a target was written, or may have been. What nobody looked at after it failed may have been (S9). */
export function mayHaveWritten({ result, untouched }: Pick<TargetResult, "result" | "untouched">): boolean {
  const writes = WRITES[result];
  return writes === "may-have" || (writes === "unless-untouched" && untouched !== true);
}

/** The results of an answer of the gate whose targets it wrote, or may have written. */
export const writtenResults = ({ gate }: Pick<Incident, "gate">): readonly TargetResult[] =>
  (gate?.results ?? []).filter(mayHaveWritten);

/** The same targets. */
export const writtenTargets = (incident: Pick<Incident, "gate">): readonly Target[] =>
  writtenResults(incident).map(({ target }) => target);

/**
 * When what was done was done, Unix ms: `at` its best estimate, `latest` the latest moment at which it can have been, where it was
 * found done only afterwards. What was measured until then may be of the time before it. null: nothing is known to be done.
 */
export function deedTime({ gate }: Pick<Incident, "gate">): { readonly at: number; readonly latest: number } | null {
  if (gate === null || gate.executedAt === null) return null;
  const ends = gate.results.flatMap(({ result, carriedOut }) => (result === "done" ? (carriedOut?.to ?? []) : []));
  return { at: gate.executedAt, latest: Math.max(gate.executedAt, ...ends) };
}

/** So far apart, the earliest and the latest moment are told both, ms: a target's record keeps whole seconds. */
const DOUBTFUL_MS = 2_000;
export const isDoubtful = ({ at, latest }: { readonly at: number; readonly latest: number }): boolean =>
  latest - at > DOUBTFUL_MS;

/** Whether something of it is known to have been done: what only may have been was not. */
export const isPartDone = ({ gate }: Pick<Incident, "gate">): boolean =>
  (gate?.results ?? []).some(({ result }) => result === "done");
