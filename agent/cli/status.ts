import { z } from "zod";
import { asAtWork, modeText, otherVersionLines } from "../../core/config/at-work-mode.ts";
import type { Config } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import { executedBy } from "../../core/guardrails/approved-by.ts";
import { closedText } from "../../core/guardrails/closed-text.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { type Graduation, graduationLines, graduationText, recordOf } from "../../core/guardrails/graduation.ts";
import { planWords } from "../../core/guardrails/incident-text.ts";
import { asCarriedOut } from "../../core/guardrails/ledger-answer.ts";
import type { OpenAct } from "../../core/guardrails/open-acts.ts";
import { type OpenIncident, openIncidentView } from "../../core/guardrails/open-incidents.ts";
import { conditionViews } from "../../core/guardrails/pending-conditions.ts";
import { planProgress, progressLines, type TargetProgress } from "../../core/guardrails/plan-progress.ts";
import { situationOf } from "../../core/guardrails/situation.ts";
import {
  type PlanCase,
  planCaseLines,
  planView,
  type Surroundings,
  stateOf,
} from "../../core/guardrails/waiting-plans.ts";
import { notComparedText } from "../../core/model/candidate.ts";
import { actionOf, deedTime } from "../../core/model/deed.ts";
import { fencedIncident } from "../../core/model/fenced-incident.ts";
import type { Incident } from "../../core/model/incident.ts";
import {
  lastEvaluationLines,
  lastEvaluationView,
  noMetricsLines,
  noneOpenText,
} from "../../core/model/last-evaluation.ts";
import { NO_INCIDENT } from "../../core/model/plan.ts";
import { asItStands, firstOnset, likeliestOf } from "../../core/model/recorded.ts";
import { clockText, rfc3339 } from "../../core/model/time.ts";
import { name } from "../../core/model/untrusted-text.ts";
import type { DamagedIncident, Ledger } from "../../core/ports.ts";
import { atWorkText, atWorkView, carriersOf, modesAtWork, noWatchText } from "./at-work-text.ts";
import { type Composition, EXIT, type ExitCode } from "./composition.ts";
import { type JsonOption, present } from "./output.ts";
import {
  ABANDONED,
  actLines,
  incidentStatusLines,
  isBegun,
  NO_PROGRESS,
  type Progress,
  standing,
} from "./status-incident.ts";

const CLOSED_SHOWN = 5;

/** `unship status`: the mode, pauses, all open incidents, worst first, with what they wait for, and the last closed ones. */
export async function status(
  to: Composition,
  options: { readonly config?: string; readonly json?: JsonOption },
): Promise<ExitCode> {
  const { config, file } = await to.config(options, "no-sources");
  try {
    return await reachable(to, options, config, file);
  } catch (error) {
    if (!(error instanceof UnshipError) || error.code !== "gate.unavailable") throw error;
    // The gate alone has the record: what of it can be said is that nobody can see it, and what does not happen meanwhile.
    const gate = { is_there: false, why: error.message, nothing_evaluated: true };
    await present(to, options.json, { mode_by_file: config.mode, gate }, gateAwayLines(error.message));
    return EXIT.unavailable;
  }
}

/** What it means that the gate is away. */
const gateAwayLines = (why: string): readonly string[] => [
  `THE GATE IS AWAY: ${why}`,
  "Until it is back no evaluation succeeds: nothing is detected, decided, rolled back or verified, and nobody is notified of a degradation.",
  "Open incidents, plans that wait, pauses and the last evaluation are in its ledger, which nobody else can read: none of that is known here.",
  "Start it: unship gate",
];

async function reachable(
  to: Composition,
  options: { readonly json?: JsonOption },
  config: Config,
  file: string,
): Promise<ExitCode> {
  const ledger = await to.ledger(config, "empty");
  try {
    const now = to.now();
    const found = await situationOf(ledger, config.services, now);
    const { open, plans, beside, pauses, evaluation } = found;
    const damaged = new Map(found.damaged.map(({ id, reason }) => [id, reason]));
    const onDamaged = ({ id, reason }: DamagedIncident) => void damaged.set(id, reason);
    const recent = await ledger.incidents({ open: false, limit: CLOSED_SHOWN }, onDamaged);
    const who = await to.atWork(config);
    const executes = atWorkText(who, now);
    const acts = await Promise.all(
      found.acts.map(async (act) => ({ ...act, abandoned: act.owner !== null && (await to.hasEnded(act.owner)) })),
    );
    const around: Surroundings = {
      standing: { pauses, freezeWindows: config.freezeWindows, now },
      at: carriersOf(who),
    };
    const approved = beside.filter((one) => stateOf(one, now) === "approved");
    const others = beside.filter((one) => !approved.includes(one));
    const acting = asAtWork(config, modesAtWork(who));
    const differs = otherVersionLines(config, file, modesAtWork(who));
    const trust = await graduations(acting, ledger, onDamaged);
    const progress = new Map<string, Progress>();
    for (const { incident } of open) progress.set(incident.id, await progressOf(incident, ledger, to));
    const closed = await Promise.all(
      recent
        .filter(({ stage }) => stage === "closed")
        .slice(0, CLOSED_SHOWN)
        .map((one) => asCarriedOut(one, ledger)),
    );
    const approvers = await approversOf([...open.map(({ incident }) => incident), ...closed], ledger);
    const asked = { now, isWatched: around.at.isWatched };
    const words = [
      ...[noWatchText(who)].flatMap((text) => text ?? []),
      ...noMetricsLines(evaluation, asked),
      modeText(config, file, modesAtWork(who)),
      ...differs,
      !who.isThere
        ? `Ledger: none at ${who.ledger}: nothing was recorded there yet, or it was moved or deleted.`
        : executes === ""
          ? `Ledger: ${who.ledger}. No gate or MCP server that may act runs on it either.`
          : `Ledger: ${who.ledger}. At work: ${executes}.`,
      ...lastEvaluationLines(evaluation, asked),
      ...pauses.map(
        ({ scope, by, at }) =>
          `PAUSED: ${scope === "*" ? "everything" : name(scope)}, by ${name(by)} since ${clockText(at, now)}. An approver ends it: unship resume ${scope === "*" ? "all" : name(scope)}`,
      ),
      ...[...damaged].map(([id, reason]) => `DAMAGED: incident ${name(id)}: ${reason}. Run: unship audit verify`),
      open.length === 0
        ? noneOpenText(evaluation, asked, damaged.size > 0)
        : `Open incidents: ${open.length}${open.length > 1 ? ", worst first" : ""}`,
      ...open
        .map(fencedOne)
        .flatMap((one) => [
          ...incidentStatusLines(one, around, progress.get(one.incident.id)),
          ...actLines(one.incident, approvers.get(one.incident.id)?.map(name), now),
          ...standing(progress.get(one.incident.id) ?? NO_PROGRESS, one.incident),
        ]),
      ...(acts.length === 0 ? [] : [`Plans begun and not settled, beside those: ${acts.length}`]),
      ...acts.flatMap(actCaseLines),
      ...planSection("Approved, and not carried out yet, beside those", approved, around),
      ...planSection("Plans that wait for a person, beside those", others, around),
      ...(closed.length === 0 ? [] : ["Closed last:"]),
      ...closed
        .map((one) => fencedIncident(one).incident)
        .map((one) => `  ${one.id}  ${clockText(one.closedAt ?? now, now)}  ${closedText(one)}`),
      ...(open.length === 0 ? graduationLines(trust) : []),
    ];
    const value = {
      mode: acting.mode,
      mode_by_file: config.mode,
      ledger: who.ledger,
      ledger_is_there: who.isThere,
      at_work: atWorkView(who, config),
      last_evaluation: evaluation && lastEvaluationView(evaluation, now),
      pauses,
      damaged: [...damaged].map(([id, reason]) => ({ id, reason })),
      open: open.map((one) => ({
        ...brief(one.incident, approvers, progress.get(one.incident.id), one.approved),
        ...openIncidentView(one, around.standing),
      })),
      acts: acts.map(actView),
      plans: plans.map((one) => planView(one, config, around.standing)),
      closed: closed.map((one) => brief(asItStands(one), approvers)),
      graduation: trust,
    };
    await present(to, options.json, value, words);
    return EXIT.ok;
  } finally {
    await ledger.close();
  }
}

const planSection = (title: string, plans: readonly PlanCase[], around: Surroundings): readonly string[] =>
  plans.length === 0 ? [] : [`${title}: ${plans.length}`, ...plans.flatMap((one) => planCaseLines(one, around))];

/** By incident: whose approval its plan was executed by, none where nobody had to; absent: it was not executed. */
async function approversOf(incidents: readonly Incident[], ledger: Ledger) {
  const found = new Map<string, readonly string[]>();
  for (const { id, plan } of incidents) {
    const by = plan === null ? null : await executedBy(ledger, plan.id);
    if (by !== null) found.set(id, by);
  }
  return found;
}

/** Names and quotations in it fenced, so that none of them passes for words of the status (S11). */
const fencedOne = (one: OpenIncident): OpenIncident => ({ ...one, incident: fencedIncident(one.incident).incident });

/** Incidents read for it, the newest: a longer past says little about what runs today. */
const REMEMBERED = 500;

/** What each service has shown, of those that the file describes or that ever had a plan. */
async function graduations(
  config: Config,
  ledger: Ledger,
  onDamaged: (damaged: DamagedIncident) => void,
): Promise<readonly Graduation[]> {
  const incidents = [...(await ledger.incidents({ limit: REMEMBERED }, onDamaged))].reverse();
  const entries = await ledger.entries({ kinds: [LEDGER_KINDS.approvalGiven, LEDGER_KINDS.approvalRejected] });
  const answers = new Map(
    entries.flatMap(({ planId, kind }) =>
      planId === null ? [] : [[planId, kind === LEDGER_KINDS.approvalGiven ? "approve" : "reject"] as const],
    ),
  );
  const rejected = new Set(
    entries.flatMap(({ kind, incidentId }) => (kind === LEDGER_KINDS.approvalRejected ? (incidentId ?? []) : [])),
  );
  const planned = incidents.flatMap(({ plan }) => plan?.targets.map(({ service }) => service) ?? []);
  const services = [...new Set([...Object.keys(config.services), ...planned])].sort();
  return services.map((service) => {
    const described = Object.hasOwn(config.services, service) ? config.services[service] : undefined;
    const mode = described?.mode ?? config.mode;
    const record = recordOf(service, incidents, answers, rejected);
    return { service, mode, ...record, text: graduationText(mode, record, config) };
  });
}

/** How far the plan of an incident has come, while it matters: from its submission until the incident is closed. */
async function progressOf({ id, stage, plan }: Incident, ledger: Ledger, to: Composition): Promise<Progress> {
  if (plan === null || (stage !== "executing" && stage !== "verifying")) return NO_PROGRESS;
  const { targetAttempted, targetFinished, planReserved, planRecovering, planAnswered } = LEDGER_KINDS;
  const kinds = [targetAttempted, targetFinished, planReserved, planRecovering, planAnswered];
  const entries = (await ledger.entries({ incidentId: id, kinds })).filter(({ planId }) => planId === plan.id);
  const last = entries.findLast(({ kind }) => kind !== targetAttempted && kind !== targetFinished);
  const owner = Owned.safeParse(last?.body).data?.owner;
  const abandoned = owner !== undefined && last?.kind !== planAnswered && (await to.hasEnded(owner));
  const targets = planProgress(plan, entries);
  // A plan that the gate still judges has no progress: saying "not begun" of it would read as if it were allowed.
  return isBegun(targets) || abandoned || stage === "verifying" ? { targets, abandoned } : NO_PROGRESS;
}

/** An act that is not settled, of a plan that no open incident shows as its own. */
interface ActCase extends OpenAct, Progress {}

function actCaseLines({ plan, targets, abandoned }: ActCase): readonly string[] {
  const where = plan.incidentId === NO_INCIDENT ? "outside any incident" : `for incident ${plan.incidentId}`;
  return [
    `  ${plan.id}  proposed by ${name(plan.proposedBy)}, ${where}: ${planWords(plan)}`,
    ...[...progressLines(targets), ...(abandoned ? [ABANDONED] : [])].map((line) => `    ${line}`),
  ];
}

const actView = ({ plan, targets, abandoned, begunAt }: ActCase) => ({
  plan: plan.id,
  incident: plan.incidentId === NO_INCIDENT ? null : plan.incidentId,
  proposed_by: plan.proposedBy,
  begun_at: rfc3339(begunAt),
  targets: targets.map(targetView),
  abandoned,
});

const targetView = ({ target: { object }, state, detail }: TargetProgress) => ({ object, state, detail });

const Owned = z.looseObject({ owner: z.string() });

function brief(
  incident: Incident,
  approvers: ReadonlyMap<string, readonly string[]>,
  { targets, abandoned }: Progress = NO_PROGRESS,
  approved: OpenIncident["approved"] = null,
) {
  const { id, service, stage, outcome, decision, plan, ranking, gate, recovery } = incident;
  return {
    id,
    service,
    stage,
    outcome,
    detected_at: rfc3339(incident.detectedAt),
    onset: rfc3339(incident.onset?.at),
    first_onset: rfc3339(firstOnset(incident)?.at),
    closed_at: rfc3339(incident.closedAt),
    action: actionOf(incident),
    culprit: decision?.culprit ?? null,
    likeliest: likeliestOf(incident),
    no_change_probability: ranking?.noChangeProbability ?? null,
    not_compared: notComparedText(ranking),
    unheard: incident.unheard ?? null,
    conditions: conditionViews(incident),
    plan: plan?.id ?? null,
    gate: gate?.outcome ?? null,
    executed_at: rfc3339(gate?.executedAt),
    executed_at_latest: rfc3339(deedTime(incident)?.latest),
    approved_by: approvers.get(id) ?? approved?.by ?? null,
    recovery: recovery?.verdict ?? null,
    targets: targets.map(targetView),
    abandoned,
  };
}
