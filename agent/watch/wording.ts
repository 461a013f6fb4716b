import type { Incident } from "../../core/model/incident.ts";
import type { GateAnswer } from "../../core/model/plan.ts";

/** The three most probable suspects and "no change", with their probabilities. */
export function suspects({ ranking }: Incident): string {
  if (ranking === null) return "no suspects yet";
  const named = ranking.candidates
    .slice(0, 3)
    .map(({ changeId, probability }) => `${changeId} ${percent(probability)}`);
  return [...named, `no change ${percent(ranking.noChangeProbability)}`].join(", ");
}

function percent(probability: number): string {
  return `${Math.round(probability * 100)} %`;
}

/** The verdict and every rule that spoke. */
export function reviewText({ verdict, rules }: GateAnswer["review"]): string {
  return [verdict, ...rules.map(({ rule, reason }) => `${rule}: ${reason}`)].join("; ");
}

/** What came of each target. */
export function results(answer: GateAnswer): string {
  return answer.results
    .map(({ target, result, detail }) => `${target.object.kind}/${target.object.name} ${result}: ${detail}`)
    .join("; ");
}
