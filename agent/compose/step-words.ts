import { knownLevel } from "../../core/impact/worst-first.ts";
import type { SeedStep, StepAnswers } from "../../core/model/assessment.ts";
import { isCompared, notComparedText } from "../../core/model/candidate.ts";
import type { Change } from "../../core/model/change.ts";
import { changeName, undoneName } from "../../core/model/change-name.ts";
import { likelihood, likelihoodBelow } from "../../core/model/likelihood.ts";
import { durationText } from "../../core/model/time.ts";
import { noChangeText } from "../../core/model/unheard.ts";

/** How many names of a kind a line holds. */
const SHOWN = 5;

/** What is known of the changes: those of the case, and what sources of changes did not say. */
export interface Known {
  readonly changes: readonly Change[];
  readonly unheard: readonly string[];
}

/** What a step answered, in one line for a person; null where it gave no answer. */
export function answerText(step: string, answers: StepAnswers, known: Known): string | null {
  const tell = Object.entries(WORDS).find(([name]) => name === step)?.[1];
  return tell?.(answers, known) ?? null;
}

const WORDS: Readonly<Record<SeedStep, (answers: StepAnswers, known: Known) => string | null>> = {
  identify_recent_deployments: ({ identify_recent_deployments: answer }, { unheard, changes }) =>
    answer === undefined
      ? null
      : `${answer.changeIds.length === 0 ? noChangeText(unheard) : names(answer.changeIds.map((id) => changeName(id, changes)))} in the ${durationText(answer.windowMs)} before onset${answer.widened === null ? "" : `; ${answer.widened}`}`,
  correlate_timing: ({ correlate_timing: answer }, { unheard, changes }) => {
    if (answer === undefined) return null;
    if (!isCompared(answer.ranking)) return notComparedText(answer.ranking);
    const [first] = answer.ranking.candidates;
    if (first === undefined)
      return `no candidate; ${noChangeText(unheard)} is the culprit: ${likelihood(answer.ranking.noChangeProbability)}`;
    if (!answer.reached && first.probability < answer.threshold)
      return `${changeName(first.changeId, changes)} ${likelihoodBelow(first.probability, answer.threshold)}`;
    return `${changeName(first.changeId, changes)} ${likelihood(first.probability)}, ${answer.reached ? "enough" : "too little"} for the threshold of ${answer.threshold}`;
  },
  check_affected_services: ({ check_affected_services: answer }) =>
    answer === undefined
      ? null
      : `${answer.services.length === 0 ? "none" : names(answer.services)}${answer.origin === null ? "" : `; it starts at ${answer.origin}`}`,
  check_dependency_graph: ({ check_dependency_graph: answer }, { changes }) => {
    if (answer === undefined) return null;
    return answer.order.length > 1
      ? `to roll back together, in this order: ${answer.order.map((id) => undoneName(id, changes)).join(", ")}`
      : "nothing else has to be rolled back with it";
  },
  evaluate_business_impact: ({ evaluate_business_impact: answer }) =>
    answer === undefined ? null : [knownLevel(answer), ...answer.impact.sentences].join("; "),
  recommend_action: ({ recommend_action: answer }) => (answer === undefined ? null : answer.decision.action),
};

function names(all: readonly string[]): string {
  const more = all.length > SHOWN ? ` and ${all.length - SHOWN} more` : "";
  return `${all.slice(0, SHOWN).join(", ")}${more}`;
}
