import type { Config } from "../config/config.ts";
import { gatherEvidence } from "../correlation/rank.ts";
import { hotfixFor } from "../decision/hotfix.ts";
import type { CaseFile, StepAnswers } from "../model/assessment.ts";
import type { Decision } from "../model/decision.ts";
import type { PlannedTargets } from "../planning/plan-targets.ts";

/**
 * A decision to go back where there is no known-good version to go back to: people get a hotfix recommendation
 * instead, or, where `recommend_action` may not choose one, no action and the reason. Every other decision as it is,
 * with what its plan passed over among its reasons and what stands in the plan's way as a reason for a person.
 */
export function withPlanned(
  decision: Decision,
  { obstacles, notes, noWayBack }: PlannedTargets,
  about: {
    readonly caseFile: CaseFile;
    readonly config: Config;
    readonly services: readonly string[];
    readonly answers: StepAnswers;
  },
): Decision {
  const why = [...decision.why, ...notes.map((note) => `${note}: an older version is restored`)];
  const needsPerson = [...decision.needsPerson, ...obstacles];
  const change = about.caseFile.changes.find(({ id }) => id === noWayBack);
  const window = about.answers.identify_recent_deployments;
  if (change === undefined || window === undefined || window.onset === null) return { ...decision, why, needsPerson };
  const choices = about.config.chain.find(({ step }) => step === "recommend_action")?.choices ?? null;
  const told = { ...decision, changeIds: [], needsPerson, why: [...why, ...obstacles] };
  if (choices !== null && !choices.includes("hotfix_recommendation")) return { ...told, action: "no_action" };
  const options = { versionLabel: about.config.versionLabel, windowMs: window.windowMs };
  const evidence = gatherEvidence(about.caseFile, window.onset, new Set(about.services), options);
  return {
    ...told,
    action: "hotfix_recommendation",
    hotfix: hotfixFor(change, decision.changeIds, obstacles.join("; "), evidence),
  };
}
