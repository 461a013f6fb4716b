import { whyNotFromHere } from "../../core/decision/hotfix-text.ts";
import { gateText } from "../../core/guardrails/approved-by.ts";
import { againstLines, asOfNow } from "../../core/guardrails/as-of-now.ts";
import { planWords, stageWords, waitingPlan } from "../../core/guardrails/incident-text.ts";
import { acknowledgedWords, type OpenIncident } from "../../core/guardrails/open-incidents.ts";
import { conditionLines } from "../../core/guardrails/pending-conditions.ts";
import { progressLines, type TargetProgress, waysOn } from "../../core/guardrails/plan-progress.ts";
import { approvedLines, type Surroundings } from "../../core/guardrails/waiting-plans.ts";
import { knownLevel } from "../../core/impact/worst-first.ts";
import { notComparedText } from "../../core/model/candidate.ts";
import { deedTime, isDoubtful } from "../../core/model/deed.ts";
import { type Incident, isResidual } from "../../core/model/incident.ts";
import { clockText, durationText } from "../../core/model/time.ts";
import { otherChangesText } from "../../core/model/unheard.ts";
import { decisionWords, residualNext, undecidedNext } from "./words.ts";

/** How far a plan has come, and whether the process that was at it has ended before its end. */
export interface Progress {
  readonly targets: readonly TargetProgress[];
  readonly abandoned: boolean;
}
export const NO_PROGRESS: Progress = { targets: [], abandoned: false };

/** An open incident in words: its state, how to answer its plan and what holds that, the culprit, who is affected, and its signals. */
export function incidentStatusLines(
  { incident, acknowledged, approved }: OpenIncident,
  around: Surroundings,
  { targets }: Progress = NO_PROGRESS,
): readonly string[] {
  const { now } = around.standing;
  const { decision, affectedServices, impact, ranking } = incident;
  const since = durationText(Math.max(0, now - (incident.onset?.at ?? incident.detectedAt)));
  const obstacle = decision === null ? null : whyNotFromHere(decision, incident.obstacles);
  const others = ranking === null ? null : otherChangesText(incident.unheard);
  // What no source says of changes is told once.
  const isNew = (why: string) => others === null || !others.includes(why);
  const asOf = incident.seenAt === undefined ? "" : `, as of ${clockText(incident.seenAt, now)}`;
  return [
    `  ${incident.id}  ${incident.service}, for ${since}: ${stateText(incident, now, targets, approved)}`,
    ...(isBegun(targets) ? [] : waitsFor(incident, approved, around)),
    ...(isResidual(incident) ? residualNext(incident) : undecidedNext(incident)).map((line) => `    ${line}`),
    ...(decision === null
      ? []
      : [
          `    ${decisionWords(incident)}`,
          ...decision.why
            .filter(isNew)
            .slice(0, 2)
            .map((why) => `      ${why}`),
        ]),
    ...[notComparedText(ranking), others].flatMap((why) => (why === null ? [] : [`      ${why}`])),
    ...(obstacle === null ? [] : [`    cannot be rolled back from here: ${obstacle}`]),
    `    impact ${knownLevel(incident)}${asOf}${impact === null || impact.sentences.length === 0 ? "" : `: ${impact.sentences.slice(0, 2).join("; ")}`}`,
    ...(affectedServices.length > 1 ? [`    affected: ${affectedServices.join(", ")}`] : []),
    ...conditionLines(incident, now).map((line) => `    ${line}`),
    ...(acknowledged === null ? [] : [`    ${acknowledgedWords(acknowledged, now)}; nobody is paged meanwhile`]),
  ];
}

const NEEDS_APPROVAL = "needs approval";

/** What waits for a person stands out. */
function stateText(
  incident: Incident,
  now: number,
  targets: readonly TargetProgress[],
  approved: OpenIncident["approved"],
): string {
  if (incident.stage === "executing" && isBegun(targets)) return "executing";
  return stageWords(incident, now, approved).replace(NEEDS_APPROVAL, NEEDS_APPROVAL.toUpperCase());
}

function waitsFor(incident: Incident, approved: OpenIncident["approved"], around: Surroundings): readonly string[] {
  const { stage, plan, gate } = incident;
  const { now } = around.standing;
  if ((stage !== "waiting-approval" && stage !== "executing") || plan === null) return [];
  const against = gate === null ? [] : againstLines(asOfNow(gate.review, around.standing));
  const does = `plan ${plan.id}: ${planWords(plan)}`;
  if (approved !== null)
    return [does, ...approvedLines(plan, approved, around), ...against].map((line) => `    ${line}`);
  const answer =
    waitingPlan(incident, now) === null
      ? ["expired; the watch files a new plan at its next evaluation"]
      : [
          does,
          `unship approve ${plan.id}`,
          `unship reject ${plan.id} --reason "…"`,
          `to be answered within ${durationText(plan.expiresAt - now)}`,
        ];
  return [...(gate?.outcome === "held" ? answer : []), ...against].map((line) => `    ${line}`);
}

/** What the gate did, by whose approval. */
export function actLines({ gate, stage }: Incident, by: readonly string[] | undefined, now: number): readonly string[] {
  if (gate === null || stage !== "verifying") return [];
  const time = deedTime({ gate });
  const when =
    time === null
      ? ""
      : ` at ${clockText(time.at, now)}${isDoubtful(time) ? ` or later, until ${clockText(time.latest, now)}` : ""}`;
  return [`    ${gateText(gate, by ?? null)}${when}`];
}

/** Whether any target of a plan was tried. */
export const isBegun = (targets: readonly TargetProgress[]): boolean =>
  targets.some(({ state }) => state !== "not-begun");

/** Said of a plan whose process ended in its middle. */
export const ABANDONED =
  "the process that was at it has ended: whatever runs on this ledger next asks each target first, and goes on from there";

/** What stands where; where the plan stopped in its middle, how to go on; and where nobody is at it any more, that. */
export function standing({ targets, abandoned }: Progress, { gate }: Incident): readonly string[] {
  const ways = gate?.outcome === "stopped" ? waysOn(targets) : [];
  return [...progressLines(targets), ...(abandoned ? [ABANDONED] : []), ...ways].map((line) => `    ${line}`);
}
