import type { Config } from "../../core/config/config.ts";
import { whyNotFromHere } from "../../core/decision/hotfix-text.ts";
import type { Assessment } from "../../core/model/assessment.ts";
import { isCompared, notComparedText } from "../../core/model/candidate.ts";
import { changeName, undoneName } from "../../core/model/change-name.ts";
import type { Incident, Recovery } from "../../core/model/incident.ts";
import { likelihood } from "../../core/model/likelihood.ts";
import type { GateAnswer } from "../../core/model/plan.ts";
import { noChangeText } from "../../core/model/unheard.ts";
import { active, worse } from "./incident-state.ts";

/** What was noticed first: a policy's condition, or else what a detector says. */
export function noticed({ conditions, findings, services }: Assessment): string {
  const condition = active(conditions).find(({ state }) => state === "firing") ?? active(conditions)[0];
  if (condition === undefined)
    return worse(findings)[0]?.because ?? `something is wrong with ${services.join(", ") || "a service"}`;
  const { because, metric, service } = condition;
  return because.startsWith("now ") ? `${metric} of ${service} is ${because}` : because;
}

/** The three most probable suspects and "no change", with their probabilities. */
export function suspects({ ranking, unheard, changes }: Incident): string {
  if (ranking === null) return "no suspects yet";
  if (!isCompared(ranking)) return notComparedText(ranking) ?? "no suspects yet";
  const named = ranking.candidates
    .slice(0, 3)
    .map(({ changeId, probability }) => `${changeName(changeId, changes)} ${percent(probability)}`);
  return [...named, `${noChangeText(unheard)} ${percent(ranking.noChangeProbability)}`].join(", ");
}

/** What of the suspects is news to a person: who is the most probable, and by tenths how probable that and "no change" are. */
export function suspectsRoughly({ ranking }: Incident): string {
  if (ranking === null) return "";
  if (!isCompared(ranking)) return notComparedText(ranking) ?? "";
  const [first] = ranking.candidates;
  const tenths = (probability: number) => Math.round(10 * probability);
  return [first?.changeId, tenths(first?.probability ?? 0), tenths(ranking.noChangeProbability)].join(" ");
}

/** See `likelihood`: the watch says a probability as every other surface does. */
export const percent = likelihood;

const REASONS_SHOWN = 2;

/** The decision in one clause, with the strongest reasons for its culprit. All of them stand in the incident. */
export function decisionText(incident: Incident): string {
  const { decision, ranking, changes } = incident;
  if (decision === null) return "no decision yet";
  const { action, culprit, changeIds, why } = decision;
  const sure = culprit === null ? "" : ` (${percent(culprit.probability)})`;
  const named = (id: string): string => undoneName(id, changes);
  const order = changeIds.length > 1 ? `, in the order ${changeIds.map(named).join(", ")}` : "";
  const id = culprit?.changeId ?? changeIds[0];
  const what = id === undefined ? decision.service : named(id);
  const obstacle = whyNotFromHere(decision, incident.obstacles);
  const not = obstacle === null ? "" : `; it cannot be rolled back from here: ${obstacle}`;
  if (action === "no_action") return `no action: ${why[0] ?? "nothing calls for one"}`;
  const reasons = ranking?.candidates
    .find(({ changeId }) => changeId === culprit?.changeId)
    ?.reasons.filter(({ name, logOdds }) => name !== "prior" && logOdds > 0)
    .sort((a, b) => b.logOdds - a.logOdds)
    .slice(0, REASONS_SHOWN)
    .map(({ sentence }) => sentence);
  const because = reasons === undefined || reasons.length === 0 ? why.slice(0, 1) : reasons;
  return `${CLAUSES[action]} ${what}${sure}${order}: ${because.join("; ")}${not}`;
}

const CLAUSES = {
  rollback: "roll back",
  feature_flag_disable: "switch off",
  hotfix_recommendation: "a person must fix",
} as const;

/** The verdict and every rule that spoke: for the record. */
export function reviewText({ verdict, rules }: GateAnswer["review"]): string {
  return [verdict, ...rules.map(({ rule, reason }) => `${rule}: ${reason}`)].join("; ");
}

const VERDICTS = { allow: "allowed", require_approval: "needs a person", deny: "denied" } as const;

/** The verdict, and the names of the rules that hold or deny. */
export function ruleNames({ verdict, rules }: GateAnswer["review"]): string {
  const against = rules.filter((one) => one.verdict !== "allow");
  if (against.length === 0) return `${VERDICTS[verdict]}: no rule is against it`;
  return `${VERDICTS[verdict]}, by ${[...new Set(against.map(({ rule }) => rule))].join(", ")}`;
}

/** The verdict, and the reasons of the rules that hold or deny. */
export function verdictText({ verdict, rules }: GateAnswer["review"]): string {
  const against = rules.filter((one) => one.verdict !== "allow");
  if (against.length === 0) return `${VERDICTS[verdict]}: no rule is against it`;
  const strictest = against.filter((one) => one.verdict === verdict);
  return `${VERDICTS[verdict]}: ${[...new Set(strictest.map(({ reason }) => reason))].join("; ")}`;
}

/** What came of each target. */
export function results(answer: GateAnswer): string {
  return answer.results
    .map(({ target, result, detail }) => `${target.object.kind}/${target.object.name} ${result}: ${detail}`)
    .join("; ");
}

/** How a verification ended, in one clause: the worst check, and how many there were. */
export function recoveryText({ verdict, checks }: Recovery): string {
  if (verdict === "recovered") {
    // A rollout that finished is no signal.
    const back = checks.filter((check) => check.verdict === "recovered" && check.metric !== "rollout").length;
    const others = checks.flatMap((check) =>
      check.verdict === "recovered" ? [] : [`${check.service} ${check.metric}: ${check.because}`],
    );
    const rest = others.length === 0 ? "" : `; not judged by: ${others.join("; ")}`;
    return `${back === 1 ? "its signal is" : `all ${back} signals are`} back within baseline${rest}`;
  }
  const open = checks.filter((check) => check.verdict !== "recovered");
  const first = open.find((check) => check.verdict === "not-recovered") ?? open[0];
  if (first === undefined) return "nothing could be measured";
  const more = open.length > 1 ? ` (and ${open.length - 1} more of ${checks.length} signals)` : "";
  return `${first.service} ${first.metric}: ${first.because}${more}`;
}

/**
 * What people hear of an act that is not seen to have helped. The file's message speaks of one that did not help: where
 * that is not known, this is said, with `why` (S9).
 */
export function notRecoveredText(
  verdict: "not-recovered" | "unknown",
  why: string,
  { ifNotRecovered }: Pick<Config["feedback"], "ifNotRecovered">,
): string {
  if (verdict === "unknown") return `Whether it recovered is not known: ${why.replace(/\.$/, "")}.`;
  return ifNotRecovered?.message ?? "The action did not bring the signals back.";
}
