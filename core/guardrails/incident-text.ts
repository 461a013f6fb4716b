import type { Config } from "../config/config.ts";
import { hotfixLines, whyNotFromHere } from "../decision/hotfix-text.ts";
import { worstFirst } from "../impact/worst-first.ts";
import { isCompared, notComparedText } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import { isActed } from "../model/deed.ts";
import type { Finding } from "../model/finding.ts";
import { type Incident, isResidual } from "../model/incident.ts";
import { likelihood } from "../model/likelihood.ts";
import { type ActionType, type GateReview, type Plan, type Target, takesBack } from "../model/plan.ts";
import { likeliestOf } from "../model/recorded.ts";
import { clockText } from "../model/time.ts";
import { noChangeText } from "../model/unheard.ts";
import { name } from "../model/untrusted-text.ts";
import { outcomeWords } from "./approved-by.ts";
import { ruleLines } from "./as-of-now.ts";
import { waitsForLimit } from "./common-limits.ts";
import type { PlanApproved } from "./plan-approved.ts";
import { targetText } from "./targets.ts";

/**
 * One incident in words, the same on every surface (S15): a notice, `unship status`, MCP. All of it is made of what the
 * incident's record holds; what is not known is left out or called so, never guessed (S9). Pure.
 */
export interface Telling {
  readonly now: number;
  /** All incidents that are open, this one among them or not: the others are named in one line. */
  readonly open: readonly Incident[];
  readonly services: Config["services"];
  /** By incident: the approval of its plan, where that is not carried out yet; absent: of none. */
  readonly approved?: ReadonlyMap<string, PlanApproved>;
}

/** So much is named in a notice: it has to be read in one glance, within the 400 tokens that an assistant gets of it. */
const REASONS_SHOWN = 3;
const OTHERS_SHOWN = 5;

/** The service that is degraded most clearly, its own before any other: "payments degraded since 19:59:58 UTC: error rate 22 % (baseline 0.3 %); 10 % of requests fail at gateway". */
export function incidentTitle(incident: Incident, now = incident.detectedAt): string {
  const { onset, detectedAt, impact } = incident;
  const worst = worstFinding(incident);
  const condition = incident.conditions.find(({ state }) => state === "firing");
  const what = worst === undefined ? condition && `${condition.text} of ${condition.service}` : findingText(worst);
  const told = [what, impact?.sentences[0]?.replace(/\.$/, "")].filter((one) => one !== undefined);
  const since = `${worst?.service ?? incident.service} degraded since ${clockText(onset?.at ?? detectedAt, now)}`;
  return told.length === 0 ? since : `${since}: ${told.join("; ")}`;
}

/** What people need to act on it: who is affected, the culprit and why, the plan and how to answer it, what is not known, what else is open. */
export function incidentLines(incident: Incident, telling: Telling): readonly string[] {
  const { affectedServices, impact, decision, unverified } = incident;
  const titled = worstFinding(incident)?.service ?? incident.service;
  const also = affectedServices.filter((one) => one !== titled);
  const others = othersLine(incident, telling);
  return [
    ...(also.length === 0 ? [] : [`Also affected: ${also.join(", ")}.`]),
    ...(impact === null ? [] : [`Impact ${impactWords(impact)}`]),
    ...culpritLines(incident, telling.now),
    ...(decision?.action === "hotfix_recommendation" && decision.hotfix !== null ? hotfixLines(decision.hotfix) : []),
    ...obstacleLines(incident),
    ...needsLines(incident, telling),
    ...planLines(incident, telling),
    ...(unverified.length === 0 ? [] : [`Not known: ${unverified.join("; ")}`]),
    ...(others === null ? [] : [others]),
  ];
}

/** The level with what it rests on; without a figure, why there is none. */
function impactWords({ level, sentences, unknown }: NonNullable<Incident["impact"]>): string {
  if (sentences.length > 0) return `${level}: ${sentences.join("; ")}`;
  if (level !== "unknown") return `${level}: no failed or slow requests are measured`;
  return `${level}: ${unknown.join("; ") || "no figure is known"}`;
}

/**
 * What a person is asked for, and why: to approve only where a plan waits that they can approve. Of what is approved, done or
 * over nobody is asked anything.
 */
function needsLines(incident: Incident, { now, approved: all }: Telling): readonly string[] {
  const { id, stage, decision } = incident;
  const approved = all?.get(id) ?? null;
  if (approved !== null || stage === "closed" || isActed(incident)) return [];
  const asked = waitingPlan(incident, now, approved) === null ? "Needs a person" : "Needs approval";
  const ruled = isWithGate(stage) && incident.plan !== null ? incident.gate?.review : undefined;
  return (decision?.needsPerson ?? []).filter((why) => !isRuled(why, ruled)).map((why) => `${asked}: ${why}`);
}

/** Whether a rule says this already: in the same words, or by the same expression of the file with the figures of its own moment. */
function isRuled(why: string, review: GateReview | undefined): boolean {
  const said = /"[\s\S]*"|«[\s\S]*»/.exec(why)?.[0] ?? why;
  return (review?.rules ?? []).some(({ verdict, reason }) => verdict !== "allow" && reason.includes(said));
}

/** Why nothing here can do what was decided, a line; none: it can be done. A hotfix says it among its own lines. */
export function obstacleLines({ decision, obstacles }: Incident): readonly string[] {
  if (decision === null || decision.action === "hotfix_recommendation") return [];
  const why = whyNotFromHere(decision, obstacles);
  return why === null ? [] : [`Cannot be rolled back from here: ${why}`];
}

/** Which other incidents are open, worst first, in one line; null: none is. */
export function othersLine(
  { id }: Pick<Incident, "id">,
  { now, open, services, approved }: Pick<Telling, "now" | "open" | "services" | "approved">,
): string | null {
  const others = worstFirst(open, services).filter((one) => one.id !== id && one.stage !== "closed");
  if (others.length === 0) return null;
  const more = others.length - OTHERS_SHOWN;
  const named = others
    .slice(0, OTHERS_SHOWN)
    .map((one) => `${one.id} ${one.service} (${stageWords(one, now, approved?.get(one.id))})`);
  return `Also open: ${named.join("; ")}${more > 0 ? `; and ${more} more: unship status` : ""}`;
}

const STAGES: Readonly<Record<Incident["stage"], string>> = {
  detected: "looking for the cause",
  investigated: "decided",
  "waiting-policy": "waiting until the policy's duration is over",
  "waiting-approval": "needs a person",
  executing: "submitted to the gate",
  verifying: "executed, verifying recovery",
  closed: "closed",
};

/**
 * Where an incident stands, in words. `now`: Unix ms; a plan that has expired by then needs no approval. `approved`: the approval
 * of its plan, where that is not carried out yet.
 */
export function stageWords(
  incident: Pick<Incident, "stage" | "plan" | "gate" | "outcome">,
  now: number,
  approved: PlanApproved | null = null,
): string {
  const { stage, gate, outcome } = incident;
  if (isResidual({ stage, outcome }))
    return `${outcome === "not-recovered" ? "did not recover" : "recovery unknown"}, degraded still`;
  if (stage === "verifying" && gate !== null) return `${outcomeWords(gate)}, verifying recovery`;
  if (!isWithGate(stage) || gate === null) return STAGES[stage];
  // Until the gate has judged it again, its last answer is what is known.
  const again = stage === "executing" ? ", submitted to the gate again" : "";
  if (approved !== null && (gate.outcome === "held" || gate.outcome === "denied")) {
    const so = gate.outcome === "denied" ? "; the gate denied the plan" : ", not carried out yet";
    return `approved by ${approved.by.map(name).join(" and ")}${so}${again}`;
  }
  if (gate.outcome === "denied") return `the gate denied the plan${again}`;
  if (gate.outcome !== "held") return STAGES[stage];
  if (waitsForLimit(gate.review)) return `held by a limit that passes by itself${again}`;
  return `${waitingPlan(incident, now) === null ? "needs a person: its plan has expired" : "needs approval"}${again}`;
}

/** Whether the gate judges the plan, or judged it and waits for an answer or for time to pass. */
const isWithGate = (stage: Incident["stage"]): boolean => stage === "waiting-approval" || stage === "executing";

/** The plan of an incident that waits for an answer now; null: none does. `approved`: as for `stageWords`. */
export function waitingPlan(
  { stage, plan, gate }: Pick<Incident, "stage" | "plan" | "gate">,
  now: number,
  approved: PlanApproved | null = null,
): Plan | null {
  if (approved !== null) return null;
  if (!isWithGate(stage) || plan === null || gate?.outcome !== "held" || gate.planId !== plan.id) return null;
  return plan.expiresAt > now ? plan : null;
}

/** The plan in one sentence, and, where it waits, what holds it and the command that answers it. */
function planLines(incident: Incident, { now, approved: all }: Telling): readonly string[] {
  const { plan, gate, stage, id } = incident;
  const approved = all?.get(id) ?? null;
  if (plan === null) return [];
  return [
    `Plan ${plan.id}: ${planWords(plan)}`,
    ...(isWithGate(stage) && gate !== null ? ruleLines(gate.review) : []),
    ...(approved === null ? [] : [`Approved by ${approved.by.map(name).join(" and ")}: not carried out yet.`]),
    ...(waitingPlan(incident, now, approved) === null ? [] : answerLines(plan, now)),
  ];
}

/** How a person answers a plan that waits. */
const answerLines = (plan: Plan, now: number): readonly string[] => [
  `unship approve ${plan.id}`,
  `Expires ${clockText(plan.expiresAt, now)}: ${unansweredText(plan)}.`,
];

/** What becomes of a plan that nobody answers, a clause: of its own rollbacks the watch files another one, of nothing else. Pure. */
export const unansweredText = (plan: Pick<Plan, "proposedBy" | "targets">): string =>
  plan.proposedBy === "watch" && takesBack(plan)
    ? "unanswered, nothing is executed; the watch files a new plan while it is needed"
    : "unanswered, nothing is executed";

const VERBS: Readonly<Record<ActionType, (object: string, to: string) => string>> = {
  kubectl_rollout_undo: (object, to) => `roll back ${object} to ${to}`,
  argocd_sync_to_previous: (object, to) => `sync ${object} back to ${to}`,
  feature_flag_disable: (object) => `switch ${object} off`,
  database_migration_rollback: (object, to) => `roll back ${object} to ${to}`,
  argocd_resume_auto_sync: (object) => `switch the auto-sync of ${object} on again`,
  rollout_abort: (object, to) => `abort the rollout of ${object}, so that ${to} serves alone`,
  rollout_pause: (object) => `pause the rollout of ${object}`,
  rollout_promote: (object) => `promote the rollout of ${object}`,
};

/** What a plan would do: "roll back Deployment production/payments to 1.1.0; switch Flag default/new-cart off". */
export const planWords = ({ targets }: { readonly targets: readonly Target[] }): string =>
  targets.map((one) => VERBS[one.action](targetText(one), one.restore.version)).join("; ");

/**
 * Who is the culprit, how surely and why, and what would be next; or that no change is. The first line says it, those after it
 * are indented.
 */
export function culpritLines({ decision, gate, ranking, changes, unheard }: Incident, now: number): readonly string[] {
  const [first] = ranking?.candidates ?? [];
  if (decision === null || ranking === null) return undecidedLines(ranking, changes, unheard, now);
  if (!isCompared(ranking)) {
    const why = notComparedText(ranking);
    return [
      `Culprit: not determined${why === null ? "" : `: ${why}`}.`,
      ...decision.why.slice(0, 1).map((one) => `  ${one}`),
    ];
  }
  const suspect = likeliestOf({ decision, ranking });
  const about = ranking.candidates.find(({ changeId }) => changeId === suspect?.changeId) ?? first;
  const none = `${noChangeText(unheard)}, ${likelihood(ranking.noChangeProbability)}`;
  if (about === undefined || ranking.noChangeProbability > about.probability) {
    const suspected =
      about === undefined
        ? ""
        : `; suspected: ${changeWords(about.changeId, changes, now)}, ${likelihood(about.probability)}`;
    return [`Culprit: ${none}${suspected}`, ...decision.why.slice(0, 1).map((why) => `  ${why}`)];
  }
  const acts = decision.action !== "no_action";
  const reasons = about.reasons
    .filter((one) => one.name !== "prior" && one.logOdds > 0)
    .toSorted((a, b) => b.logOdds - a.logOdds)
    .slice(0, REASONS_SHOWN);
  const next = ranking.candidates.find(({ changeId }) => changeId !== about.changeId);
  const nextWords =
    next === undefined ? [] : [`${changeWords(next.changeId, changes, now)}, ${likelihood(next.probability)}`];
  return [
    `${acts ? "Culprit" : "Suspected"}: ${changeWords(about.changeId, changes, now)}, ${likelihood(about.probability)}`,
    ...reasons.map(({ sentence }) => `  + ${sentence}`),
    `  Next: ${[...nextWords, none].join("; ")}`,
    ...(acts || isActed({ decision, gate })
      ? []
      : decision.why.slice(0, 1).map((why) => `  Nothing is undone: ${why}`)),
  ];
}

/** What speaks for what before anything is decided: a list, so that its first does not read as the finding. */
function undecidedLines(
  ranking: Incident["ranking"],
  changes: readonly Change[],
  unheard: Incident["unheard"],
  now: number,
): readonly string[] {
  const undecided = "Culprit: not determined yet";
  if (ranking === null || !isCompared(ranking)) return [`${undecided}.`];
  const [first] = ranking.candidates;
  const named =
    first === undefined ? [] : [`${changeWords(first.changeId, changes, now)}, ${likelihood(first.probability)}`];
  const all = [...named, `${noChangeText(unheard)}, ${likelihood(ranking.noChangeProbability)}`];
  return [`${undecided}. So far: ${all.join("; ")}`];
}

/** "deploy payments 1.1.0 → 1.2.0, 19:59:56 UTC by alice (deploy:production/payments:8)". */
function changeWords(id: string, changes: readonly Change[], now: number): string {
  const change = changes.find((one) => one.id === id);
  if (change === undefined) return id;
  const { kind, service, flag, from, to, startedAt, author } = change;
  const versions = from === "" ? to : `${from} → ${to}`;
  const by = author === undefined ? "" : ` by ${author}`;
  return `${kind} ${flag ?? service} ${versions}, ${clockText(startedAt, now)}${by} (${id})`;
}

/** The clearest finding of the incident's own service, else of any. */
function worstFinding({ findings, service }: Incident): Finding | undefined {
  const worse = findings.filter(({ verdict }) => verdict === "worse").toSorted((a, b) => b.strength - a.strength);
  return worse.find((one) => one.service === service) ?? worse[0];
}

function findingText({ metric, unit, current, baseline, because }: Finding): string {
  if (current === null) return because;
  const before = baseline === null ? "" : ` (baseline ${figureText(baseline, unit)})`;
  return `${metric.replaceAll("_", " ")} ${figureText(current, unit)}${before}`;
}

/** Two digits that say something: 0.2234 ratio → "22 %", 0.0031 → "0.31 %", 1234.5 ms → "1235 ms". */
function figureText(value: number, unit: string): string {
  const shown = unit === "ratio" ? value * 100 : value;
  const digits = Math.abs(shown) >= 10 || shown === 0 ? shown.toFixed(0) : String(Number(shown.toPrecision(2)));
  return `${digits} ${unit === "ratio" ? "%" : unit}`;
}
