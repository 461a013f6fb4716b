import type { SeedStep } from "../../core/model/assessment.ts";
import type { StepSpec } from "./step.ts";
import { checkAffectedServices } from "./steps/check-affected-services.ts";
import { checkDependencyGraph } from "./steps/check-dependency-graph.ts";
import { correlateTiming } from "./steps/correlate-timing.ts";
import { evaluateBusinessImpact } from "./steps/evaluate-business-impact.ts";
import { identifyRecentDeployments } from "./steps/identify-recent-deployments.ts";
import { recommendAction } from "./steps/recommend-action.ts";

/** The steps that have a deterministic answer, by name. Any other step of a configuration is a custom one. */
export const STEPS: { readonly [S in SeedStep]: StepSpec<S> } = {
  identify_recent_deployments: identifyRecentDeployments,
  correlate_timing: correlateTiming,
  check_affected_services: checkAffectedServices,
  check_dependency_graph: checkDependencyGraph,
  evaluate_business_impact: evaluateBusinessImpact,
  recommend_action: recommendAction,
};
