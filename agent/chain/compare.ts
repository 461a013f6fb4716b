import { knownLevel } from "../../core/impact/worst-first.ts";
import { SEED_STEPS, type StepAnswers } from "../../core/model/assessment.ts";
import { isCompared } from "../../core/model/candidate.ts";
import type { Comparison } from "./result.ts";

/** The model's answers beside the deterministic ones, for the steps that both answered: on what matters, not on wording. */
export function compareAnswers(core: StepAnswers, model: StepAnswers): readonly Comparison[] {
  return SEED_STEPS.filter((step) => core[step] !== undefined && model[step] !== undefined).map((step) => {
    const [ours, theirs] = [keyFacts(core)[step], keyFacts(model)[step]];
    const differences = Object.keys(ours)
      .filter((fact) => ours[fact] !== theirs[fact])
      .map((fact) => `${fact}: core ${ours[fact]}, model ${theirs[fact]}`);
    return { step, agree: differences.length === 0, differences };
  });
}

type KeyFacts = Readonly<Record<string, string>>;

function keyFacts(answers: StepAnswers): Readonly<Record<(typeof SEED_STEPS)[number], KeyFacts>> {
  const {
    identify_recent_deployments: recent,
    correlate_timing: timing,
    check_affected_services: affected,
    check_dependency_graph: graph,
    evaluate_business_impact: impact,
    recommend_action: recommended,
  } = answers;
  return {
    identify_recent_deployments: { suspects: asSet(recent?.changeIds) },
    correlate_timing: { "most likely": leading(answers), "threshold reached": String(timing?.reached) },
    check_affected_services: { services: asSet(affected?.services), origin: affected?.origin ?? "unknown" },
    check_dependency_graph: { order: graph?.order.join(" then ") || "none" },
    evaluate_business_impact: { level: knownLevel({ impact: impact?.impact ?? null }) },
    recommend_action: {
      action: recommended?.decision.action ?? "none",
      culprit: recommended?.decision.culprit?.changeId ?? "none",
      changes: recommended?.decision.changeIds.join(" then ") || "none",
    },
  };
}

const asSet = (names: readonly string[] = []) => [...new Set(names)].sort().join(", ") || "none";

/** The hypothesis that an answer believes most: a change's id, or "no change"; "unknown" where nothing was compared. */
export function leading({ correlate_timing: timing }: StepAnswers): string {
  if (timing === undefined) return "unknown";
  const { ranking } = timing;
  if (!isCompared(ranking)) return "unknown";
  const { candidates, noChangeProbability } = ranking;
  const best = candidates.reduce<(typeof candidates)[number] | null>(
    (top, one) => (top === null || one.probability > top.probability ? one : top),
    null,
  );
  return best !== null && best.probability > noChangeProbability ? best.changeId : "no change";
}
