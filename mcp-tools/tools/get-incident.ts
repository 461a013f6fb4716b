import { z } from "zod";
import type { Config } from "../../core/config/config.ts";
import { hotfixLines, whyNotFromHere } from "../../core/decision/hotfix-text.ts";
import { UnshipError } from "../../core/errors.ts";
import { executedBy, gateText } from "../../core/guardrails/approved-by.ts";
import { othersLine, stageWords, waitingPlan } from "../../core/guardrails/incident-text.ts";
import { asCarriedOut, otherActTexts } from "../../core/guardrails/ledger-answer.ts";
import {
  acknowledgedWords,
  approvedBy,
  approvedIncidents,
  openIncidents,
} from "../../core/guardrails/open-incidents.ts";
import type { PlanApproved } from "../../core/guardrails/plan-approved.ts";
import { knownLevel } from "../../core/impact/worst-first.ts";
import { notComparedText } from "../../core/model/candidate.ts";
import { actionOf } from "../../core/model/deed.ts";
import { type AllFenced, type Fenced, joined, ours, own, wholeFence } from "../../core/model/fenced.ts";
import { fencedIncident } from "../../core/model/fenced-incident.ts";
import type { Incident } from "../../core/model/incident.ts";
import { likelihood } from "../../core/model/likelihood.ts";
import { asItStands, datedAnew, firstOnset, likeliestOf } from "../../core/model/recorded.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { cleanText, name, quote, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import { cursor, limit, more, notice } from "../arguments.ts";
import type { ToolContext } from "../context.ts";
import { defineTool } from "../define-tool.ts";
import { figure } from "../figures.ts";
import { callText, nextOf } from "../next-call.ts";
import { page } from "../page.ts";
import { needsPerson, runsWhenItMay, targetText } from "../plan-view.ts";
import { incidentState, until, waitSeconds } from "../waiting.ts";

const Culprit = z.strictObject({ change: z.string(), probability: z.number() });
const Event = z.strictObject({ at: z.string(), event: z.string(), detail: z.string() });

export const getIncident = defineTool({
  name: "get_incident",
  title: "Get an incident",
  effect: "read",
  reach: "held",
  description:
    "One incident as the ledger holds it: stage, decision and why, plan and the gate's answer, whether it recovered, " +
    "timeline, and what nobody verified. `recovered` only where verification said so. With `wait_seconds` it answers as soon as " +
    "stage, plan, approval or recovery changes; for all that is open use get_situation.",
  input: z.strictObject({
    incident: z.string().min(1).max(200),
    limit: limit(100, 30).describe("Events of the timeline"),
    cursor,
    wait_seconds: waitSeconds,
  }),
  output: z.strictObject({
    notice,
    incident: z.string(),
    stage: z.string(),
    state: z.string(),
    service: z.string(),
    detected_at: z.string(),
    onset: z.string().nullable(),
    first_onset: z.string().nullable().optional(),
    affected_services: z.array(z.string()),
    as_of: z.string().optional(),
    action: z.string().nullable(),
    culprit: Culprit.nullable(),
    not_compared: z.string().optional(),
    likeliest: z.string().optional(),
    why: z.array(z.string()),
    needs_person: z.array(z.string()),
    impact: z.string().nullable(),
    plan_id: z.string().nullable(),
    targets: z.array(z.string()),
    gate: z.string().nullable(),
    approved_by: z.array(z.string()),
    also_done: z.array(z.string()).optional(),
    recovery: z.string().nullable(),
    outcome: z.string().nullable(),
    unverified: z.array(z.string()),
    unheard: z.array(z.string()).nullable().describe("What sources of changes did not say; null: not recorded"),
    next: z.string().optional(),
    acknowledged: z.string().optional(),
    also_open: z.string().optional(),
    timeline: z.array(Event),
    total: z.number(),
    more,
  }),
  async run({ incident: id, limit: most, cursor: at, wait_seconds: seconds }, context, abort) {
    const { ledger, config, clock } = context;
    if (seconds > 0) await untilItChanges(id, seconds, context, abort);
    const stored = await ledger.incident(id);
    if (stored === null) throw new UnshipError("incident.unknown", { incident: name(id) });
    const incident = await asCarriedOut(stored, ledger);
    const besides = (await otherActTexts(incident, ledger)).map((one) => quote(one, 300));
    const { incident: shown } = fencedIncident(asItStands(incident));
    const events = shown.timeline.map(({ at, event, detail }) => ({
      at: rfc3339(at),
      event,
      detail: quote(detail, 300),
    }));
    const { items, ...rest } = page(events, { cursor: at, limit: most, question: id, weight: 8_000 });
    return {
      ...facts(
        shown,
        incident.plan === null ? null : await executedBy(ledger, incident.plan.id),
        (await approvedIncidents([incident], ledger, clock.now())).get(id) ?? null,
      ),
      ...(besides.length === 0 ? {} : { also_done: besides }),
      ...(await around(shown, ledger, config, clock.now())),
      timeline: [...items],
      ...rest,
    };
  },
});

/**
 * Waits while the incident stays as it is, and on through what unship alone does next: until somebody has something to do, it was
 * executed, or it is over. What is closed changes no more.
 */
async function untilItChanges(id: string, seconds: number, context: ToolContext, abort: AbortSignal): Promise<void> {
  const incident = await context.ledger.incident(id);
  if (incident === null || incident.stage === "closed") return;
  const first = await incidentState(id, context);
  await until(
    () => incidentState(id, context),
    ({ text, isPassing }) => text !== first.text && !isPassing,
    seconds,
    context,
    abort,
  );
}

/** What a person can do about it now, and what else is open. */
async function around(incident: AllFenced<Incident>, ledger: ToolContext["ledger"], { services }: Config, now: number) {
  const open = await openIncidents(ledger, services, now);
  const { acknowledged: own = null, approved = null } = open.find((one) => one.incident.id === incident.id) ?? {};
  const plan = waitingPlan(incident, now, approved);
  const others = othersLine(incident, {
    now,
    open: open.map((one) => fencedIncident(one.incident).incident),
    services,
    approved: approvedBy(open),
  });
  return {
    state: ours(cleanText(stageWords(incident, now, approved), 300)),
    ...(incident.stage === "closed" ? {} : { next: callText(nextOf(incident, null)) }),
    ...(plan === null ? {} : { next: needsPerson(plan.id) }),
    ...(approved === null ? {} : { next: runsWhenItMay(approved.by) }),
    ...(own === null ? {} : { acknowledged: quote(acknowledgedWords(own, now), 300) }),
    ...(others === null ? {} : { also_open: ours(cleanText(others, 600)) }),
  };
}

function facts(
  { decision, plan, gate, recovery, ...incident }: AllFenced<Incident>,
  by: readonly string[] | null,
  approved: PlanApproved | null,
) {
  const action = actionOf({ decision, gate });
  const culprit = decision?.culprit ?? null;
  const hotfix = decision?.hotfix ?? null;
  const likeliest = likeliestOf({ decision, ranking: incident.ranking });
  const uncompared = notComparedText(incident.ranking);
  const obstacle = decision === null ? null : whyNotFromHere(decision, incident.obstacles);
  return {
    notice: UNTRUSTED_NOTICE,
    incident: incident.id,
    stage: name(incident.stage),
    service: incident.service,
    detected_at: rfc3339(incident.detectedAt),
    onset: rfc3339(incident.onset?.at),
    ...(datedAnew(incident) === null ? {} : { first_onset: rfc3339(firstOnset(incident)?.at) }),
    affected_services: [...few(incident.affectedServices)],
    ...(incident.seenAt === undefined ? {} : { as_of: own`${rfc3339(incident.seenAt)}` }),
    action: action === null ? null : name(action),
    ...(likeliest === null
      ? {}
      : { likeliest: own`${ours(likeliest.changeId)}, ${ours(likelihood(likeliest.probability))}` }),
    ...(uncompared === null ? {} : { not_compared: wholeFence(uncompared) }),
    culprit: culprit && { change: culprit.changeId, probability: figure(culprit.probability) },
    why: [...sentences(decision?.why ?? []), ...(hotfix === null ? [] : hotfixLines(hotfix).map(ours))],
    needs_person: [
      ...(obstacle === null ? [] : [own`cannot be done from here: ${wholeFence(obstacle)}`]),
      ...sentences([
        ...new Set([...(decision?.needsPerson ?? []), ...(approved === null ? heldBy(gate, incident.stage) : [])]),
      ]),
    ],
    impact: incident.impact && own`${knownLevel(incident)}: ${joined(sentences(incident.impact.sentences), "; ")}`,
    plan_id: plan?.id ?? null,
    targets: [...few((plan?.targets ?? []).map(targetText))],
    gate: gate && ours(gateText(gate, by?.map(name) ?? null)),
    approved_by: (by ?? approved?.by ?? []).map((one) => name(one)),
    recovery:
      recovery && own`${recovery.verdict}: ${joined(sentences(recovery.checks.map(({ because }) => because)), "; ")}`,
    outcome: incident.outcome === null ? null : name(incident.outcome),
    unverified: sentences(incident.unverified),
    unheard: incident.unheard === undefined ? null : sentences(incident.unheard),
  };
}

/** What the gate holds the plan by, while it waits for a person. */
const heldBy = (gate: AllFenced<Incident["gate"]>, stage: Incident["stage"]): readonly Fenced[] =>
  gate?.outcome !== "held" || (stage !== "waiting-approval" && stage !== "executing")
    ? []
    : gate.review.rules.filter(({ verdict }) => verdict === "require_approval").map(({ reason }) => reason);

/** Lists beside the timeline: a handful is read, and together they must leave it room. */
const few = (items: readonly Fenced[]) => page(items, { limit: 50, question: "", weight: 2_500 }).items;

/** So many sentences of one kind are shown; whoever needs all reads the postmortem. */
const SENTENCES = 12;

const sentences = (all: readonly Fenced[]) => [...few(all.slice(0, SENTENCES).map((one) => ours(cleanText(one, 300))))];
