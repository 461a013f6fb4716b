import { NO_INCIDENT } from "../../../core/model/plan.ts";
import { assessmentOf, firing, inputOf, MINUTE, NOW, planOf, policyOf, targetOf } from "./rule-inputs.ts";
import { emptyRanking, forTargets, type Row, step } from "./rule-situations.ts";

/** Situations in which the gate's own evidence does not carry the plan, so that a person has to agree. */
export const ASK_FOR_EVIDENCE: readonly Row[] = [
  [
    "S9: no assessment",
    inputOf({ assessment: null }),
    "evidence",
    "require_approval",
    "could not make its own assessment",
  ],
  [
    "S9: a target that does not answer",
    inputOf({ targets: [{ target: targetOf(), state: null, problem: "no answer within 10000 ms", executable: true }] }),
    "evidence",
    "require_approval",
    "could not be read (no answer within 10000 ms)",
  ],
  [
    "S9: an old assessment",
    inputOf({ assessment: assessmentOf({ at: NOW - 10 * MINUTE }) }),
    "evidence",
    "require_approval",
    "not a fresh one",
  ],
  [
    "S1: a healthy service",
    inputOf({
      assessment: assessmentOf({
        targets: [],
        decision: { ...assessmentOf().decision, action: "no_action", culprit: null, why: ["nothing is wrong"] },
      }),
    }),
    "fresh-decision",
    "require_approval",
    "no_action: nothing is wrong",
  ],
  [
    "S1: another version to restore than the fresh decision's",
    inputOf({ assessment: assessmentOf({ targets: [targetOf({ restore: { version: "v0", revision: "5" } })] }) }),
    "fresh-decision",
    "require_approval",
    "not the one",
  ],
  [
    "S1: one target more than the fresh decision's",
    forTargets([targetOf(), targetOf({ name: "cart" })], { assessment: assessmentOf() }),
    "fresh-decision",
    "require_approval",
    "deploy-checkout of checkout",
  ],
  [
    "S1: one target less than the fresh decision's",
    inputOf({ assessment: assessmentOf({ targets: [targetOf(), targetOf({ name: "cart" })] }) }),
    "fresh-decision",
    "require_approval",
    "not the one",
  ],
  [
    "S1: the same targets in another order",
    forTargets([targetOf(), targetOf({ name: "cart" })], {
      assessment: assessmentOf({ targets: [targetOf({ name: "cart" }), targetOf()] }),
    }),
    "fresh-decision",
    "require_approval",
    "not the one",
  ],
  [
    "S1: a decision without an executable plan",
    inputOf({
      assessment: assessmentOf({ targets: [], decision: assessmentOf().decision, obstacles: ["no workload"] }),
    }),
    "fresh-decision",
    "require_approval",
    "no executable plan (no workload)",
  ],
  [
    "S1: no condition fires",
    inputOf({ assessment: assessmentOf({ conditions: [firing({ state: "pending" })] }) }),
    "automatic-condition",
    "require_approval",
    "no automatic policy condition holds now",
  ],
  [
    "S1: only human_review fires",
    inputOf({
      assessment: assessmentOf({ conditions: [firing({ policy: "human_review", text: "error_rate > 0.02" })] }),
    }),
    "automatic-condition",
    "require_approval",
    "only human_review: error_rate > 0.02 (checkout)",
  ],
  [
    "S1: an automatic condition of a service that the assessment does not cover",
    inputOf({ assessment: assessmentOf({ conditions: [firing({ service: "mail" })] }) }),
    "automatic-condition",
    "require_approval",
    "no automatic policy condition",
  ],
  [
    "S1: a decision that calls itself automatic while no condition fires",
    inputOf({ assessment: assessmentOf({ conditions: [] }) }),
    "automatic-condition",
    "require_approval",
    "no automatic policy condition",
  ],
  [
    "S9: an automatic condition that is unknown",
    inputOf({ assessment: assessmentOf({ conditions: [firing({ state: "unknown" })] }) }),
    "automatic-condition",
    "require_approval",
    "no automatic policy condition",
  ],
  [
    "S12: a probability below the configured threshold",
    inputOf({ policy: policyOf({ chain: [step({ confidenceThreshold: 0.98 })] }) }),
    "confidence",
    "require_approval",
    "97 %, below the confidence threshold of 98 %",
  ],
  [
    "S12: a correlation that did not reach its threshold",
    inputOf({
      assessment: assessmentOf({
        answers: { correlate_timing: { ranking: emptyRanking(), threshold: 0.8, reached: false } },
      }),
    }),
    "confidence",
    "require_approval",
    "below",
  ],
  [
    "S9: no culprit",
    inputOf({ assessment: assessmentOf({ decision: { ...assessmentOf().decision, culprit: null } }) }),
    "confidence",
    "require_approval",
    "names no culprit",
  ],
  [
    "what the decision itself needs approval for",
    inputOf({
      assessment: assessmentOf({ decision: { ...assessmentOf().decision, needsPerson: ["impact is critical"] } }),
    }),
    "human-approval",
    "require_approval",
    "impact is critical",
  ],
  [
    "S9: an expression over a fact that cannot be computed",
    inputOf({
      policy: policyOf({
        chain: [
          step({
            requireHumanApprovalIf: {
              text: "business_impact > high",
              holds: ({ business_impact }) => ({ holds: business_impact === null, because: "it is unknown" }),
            },
          }),
        ],
      }),
    }),
    "human-approval",
    "require_approval",
    "it is unknown",
  ],
  [
    "S1: a plan outside any incident, even the one that the fresh decision names",
    inputOf({ plan: planOf({ incidentId: NO_INCIDENT }), store: { incident: "none" } }),
    "outside-incident",
    "require_approval",
    "belongs to no incident",
  ],
  [
    "S9: an impact that was computed with parts unknown",
    inputOf({
      policy: policyOf({
        chain: [
          step({
            requireHumanApprovalIf: {
              text: "business_impact > high",
              holds: ({ business_impact }) => ({ holds: business_impact === null, because: "it is unknown" }),
            },
          }),
        ],
      }),
      assessment: assessmentOf({
        answers: {
          evaluate_business_impact: {
            impact: {
              level: "low",
              affectedServices: ["checkout"],
              failedShare: null,
              failedUserShare: null,
              failedRequestsPerSecond: null,
              revenuePerMinute: null,
              routes: [],
              unknown: ["failed share of traffic"],
              sentences: [],
            },
          },
        },
      }),
    }),
    "human-approval",
    "require_approval",
    "it is unknown",
  ],
];
