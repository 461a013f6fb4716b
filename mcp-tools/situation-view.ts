import { z } from "zod";
import { Coverage } from "../core/decision/coverage.ts";
import type { StandingNow } from "../core/guardrails/as-of-now.ts";
import {
  culpritLines,
  incidentTitle,
  obstacleLines,
  stageWords,
  waitingPlan,
} from "../core/guardrails/incident-text.ts";
import { acknowledgedWords, type OpenIncident } from "../core/guardrails/open-incidents.ts";
import { type PlanCase, planCase } from "../core/guardrails/waiting-plans.ts";
import { knownLevel } from "../core/impact/worst-first.ts";
import { actionOf } from "../core/model/deed.ts";
import { type AllFenced, type Fenced, ours } from "../core/model/fenced.ts";
import { fencedIncident } from "../core/model/fenced-incident.ts";
import type { Incident } from "../core/model/incident.ts";
import { rfc3339 } from "../core/model/time.ts";
import { cleanText, name, quote } from "../core/model/untrusted-text.ts";
import { notice } from "./arguments.ts";
import type { ToolContext } from "./context.ts";
import { figure } from "./figures.ts";
import { NextCall, nextOf } from "./next-call.ts";
import { page } from "./page.ts";
import { WaitingPlan, waitingView } from "./waiting-view.ts";

const Worst = z.strictObject({
  incident: z.string(),
  service: z.string(),
  title: z.string(),
  stage: z.string(),
  state: z.string(),
  onset: z.string().nullable(),
  as_of: z.string().nullable(),
  affected_services: z.array(z.string()),
  impact: z.strictObject({ level: z.string(), failed_share: z.number().nullable(), sentences: z.array(z.string()) }),
  action: z.string().nullable(),
  culprit: z.strictObject({ change: z.string(), probability: z.number() }).nullable(),
  culprit_text: z.string(),
  why: z.array(z.string()),
  plan: WaitingPlan.nullable(),
  acknowledged: z.string().nullable(),
  not_known: z.array(z.string()),
});
export type Worst = AllFenced<z.infer<typeof Worst>>;

const Further = z.strictObject({
  incident: z.string(),
  service: z.string(),
  state: z.string(),
  impact: z.string(),
  plan: z.string().nullable(),
});

/** What is open, as `get_situation` answers it. Every field is there; null: not known, or there is none. */
export const SituationView = z.strictObject({
  notice,
  at: z.string(),
  open: z.number(),
  worst: Worst.nullable(),
  further: z.array(Further),
  plans_beside: z.array(WaitingPlan),
  plans_beside_total: z.number(),
  acts_beside: z.array(z.string()),
  damaged: z.array(z.string()),
  paused: z.array(z.string()),
  mode: z.string(),
  watched: z.boolean().nullable(),
  watched_since: z.string().nullable(),
  evaluated: z.string().nullable(),
  evaluations_late: z.boolean().nullable(),
  evaluation_text: z.array(z.string()),
  no_metrics: z.array(z.string()),
  none_open: z.string().nullable(),
  judged_on: Coverage.extend({ degraded: z.array(z.string()) }).nullable(),
  next: NextCall.nullable(),
});
export type SituationView = AllFenced<z.infer<typeof SituationView>>;

/** So many sentences of one kind are shown; `get_incident` has more of them. */
const SENTENCES = 3;
const sentences = (all: readonly string[]): Fenced[] =>
  all.slice(0, SENTENCES).map((one) => ours(cleanText(one.replace(/^[ +]+/, ""), 300)));

/** The worst open incident, and the call that goes on with it. `beside`: plans that others proposed. */
export async function worstView(
  { incident: stored, acknowledged, approved }: OpenIncident,
  beside: readonly PlanCase[],
  context: Pick<ToolContext, "config" | "ledger">,
  standing: StandingNow,
): Promise<{ readonly worst: Worst; readonly next: NextCall }> {
  const { incident, fence } = fencedIncident(stored);
  const { now } = standing;
  const told = (await ownPlan(stored, context)) ?? beside.find(({ plan }) => plan.incidentId === stored.id) ?? null;
  const plan = told === null ? null : waitingView(told, context, standing, fence.sentence);
  const { decision, impact } = incident;
  const [culprit = "", ...reasons] = culpritLines(incident, now);
  const action = actionOf(incident);
  const services = page(incident.affectedServices, { limit: 50, question: "", weight: 2_500 }).items;
  const worst: Worst = {
    incident: incident.id,
    service: incident.service,
    title: ours(cleanText(incidentTitle(incident, now), 400)),
    stage: name(incident.stage),
    state: ours(cleanText(stageWords(incident, now, approved), 300)),
    onset: rfc3339(incident.onset?.at),
    as_of: rfc3339(incident.seenAt),
    affected_services: [...services],
    impact: {
      level: name(knownLevel(incident)),
      failed_share: figure(impact?.failedShare ?? null),
      sentences: sentences(impact?.sentences ?? []),
    },
    action: action === null ? null : name(action),
    culprit: decision?.culprit
      ? { change: decision.culprit.changeId, probability: figure(decision.culprit.probability) }
      : null,
    culprit_text: ours(cleanText(culprit, 400)),
    why: sentences([...obstacleLines(incident), ...reasons]),
    plan,
    acknowledged: acknowledged === null ? null : quote(acknowledgedWords(acknowledged, now), 300),
    not_known: sentences([...incident.unverified, ...(incident.unheard ?? [])]),
  };
  return { worst, next: nextOf(incident, plan) };
}

/** The incident's own plan while it is with the gate; null: there is none, or it was answered. */
async function ownPlan({ stage, plan, gate }: Incident, { ledger }: Pick<ToolContext, "ledger">) {
  if (plan === null || (stage !== "waiting-approval" && stage !== "executing")) return null;
  const review = gate?.planId === plan.id ? gate.review : null;
  const known = await planCase(plan.id, ledger);
  if (known === null) return { plan, review, answers: [], submitted: false, isHeldAgain: false, useless: null };
  return { ...known, review: known.review ?? review };
}

/** One of the others, for a line. */
export function furtherView(
  { incident: stored, approved }: OpenIncident,
  now: number,
): AllFenced<z.infer<typeof Further>> {
  const { incident } = fencedIncident(stored);
  const plan = waitingPlan(incident, now, approved);
  return {
    incident: incident.id,
    service: incident.service,
    state: ours(cleanText(stageWords(incident, now, approved), 200)),
    impact: name(knownLevel(incident)),
    plan: plan === null ? null : name(plan.id),
  };
}
