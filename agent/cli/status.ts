import { z } from "zod";
import { asAtWork, modeText, otherVersionLines } from "../../core/config/at-work-mode.ts";
import type { Config } from "../../core/config/config.ts";
import { whyNotFromHere } from "../../core/decision/hotfix-text.ts";
import { UnshipError } from "../../core/errors.ts";
import { executedBy, gateText } from "../../core/guardrails/approved-by.ts";
import { againstLines, asOfNow } from "../../core/guardrails/as-of-now.ts";
import { closedText } from "../../core/guardrails/closed-text.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { graduationText, recordOf } from "../../core/guardrails/graduation.ts";
import { planWords, stageWords, waitingPlan } from "../../core/guardrails/incident-text.ts";
import { asCarriedOut } from "../../core/guardrails/ledger-answer.ts";
import type { OpenAct } from "../../core/guardrails/open-acts.ts";
import { acknowledgedWords, type OpenIncident, openIncidentView } from "../../core/guardrails/open-incidents.ts";
import { conditionLines, conditionViews } from "../../core/guardrails/pending-conditions.ts";
import { planProgress, progressLines, type TargetProgress, waysOn } from "../../core/guardrails/plan-progress.ts";
import { situationOf } from "../../core/guardrails/situation.ts";
import {
  approvedLines,
  type PlanCase,
  planCaseLines,
  planView,
  type Surroundings,
  stateOf,
} from "../../core/guardrails/waiting-plans.ts";
import { knownLevel } from "../../core/impact/worst-first.ts";
import { notComparedText } from "../../core/model/candidate.ts";
import { actionOf, deedTime, isDoubtful } from "../../core/model/deed.ts";
import { fencedIncident } from "../../core/model/fenced-incident.ts";
import { type Incident, isResidual } from "../../core/model/incident.ts";
import {
  lastEvaluationLines,
  lastEvaluationView,
  noMetricsLines,
  noneOpenText,
} from "../../core/model/last-evaluation.ts";
import { NO_INCIDENT } from "../../core/model/plan.ts";
import { asItStands, firstOnset, likeliestOf } from "../../core/model/recorded.ts";
import { clockText, durationText, rfc3339 } from "../../core/model/time.ts";
import { otherChangesText } from "../../core/model/unheard.ts";
import { name } from "../../core/model/untrusted-text.ts";
import type { DamagedIncident, Ledger } from "../../core/ports.ts";
import { atWorkText, atWorkView, carriersOf, modesAtWork, noWatchText } from "./at-work-text.ts";
import { type Composition, EXIT, type ExitCode } from "./composition.ts";
import { type JsonOption, present } from "./output.ts";
import { decisionWords, residualNext } from "./words.ts";

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
    const trust = await graduationLines(acting, ledger, onDamaged);
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
          ...describe(one, around, progress.get(one.incident.id)),
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
      ...(trust.length === 0
        ? []
        : [
            `How far each service has come (only you change a mode, in the file${differs.length === 0 ? "" : ", whose modes these are"}):`,
          ]),
      ...trustLines(trust),
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

/** What the gate did, by whose approval. */
function actLines({ gate, stage }: Incident, by: readonly string[] | undefined, now: number): readonly string[] {
  if (gate === null || stage !== "verifying") return [];
  const time = deedTime({ gate });
  const when =
    time === null
      ? ""
      : ` at ${clockText(time.at, now)}${isDoubtful(time) ? ` or later, until ${clockText(time.latest, now)}` : ""}`;
  return [`    ${gateText(gate, by ?? null)}${when}`];
}

/** Names and quotations in it fenced, so that none of them passes for words of the status (S11). */
const fencedOne = (one: OpenIncident): OpenIncident => ({ ...one, incident: fencedIncident(one.incident).incident });

/** Incidents read for it, the newest: a longer past says little about what runs today. */
const REMEMBERED = 500;

/** What each service has shown, of those that the file describes or that ever had a plan. */
async function graduationLines(config: Config, ledger: Ledger, onDamaged: (damaged: DamagedIncident) => void) {
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

/** Services of which the same is so are one line. */
const trustLines = (trust: Awaited<ReturnType<typeof graduationLines>>): readonly string[] =>
  [...Map.groupBy(trust, ({ mode, text }) => `${mode}: ${text}`)].map(
    ([text, of]) => `  ${of.map(({ service }) => name(service)).join(", ")}, ${text}`,
  );

/** How far a plan has come, and whether the process that was at it has ended before its end. */
interface Progress {
  readonly targets: readonly TargetProgress[];
  readonly abandoned: boolean;
}
const NO_PROGRESS: Progress = { targets: [], abandoned: false };

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

const isBegun = (targets: readonly TargetProgress[]): boolean => targets.some(({ state }) => state !== "not-begun");

const Owned = z.looseObject({ owner: z.string() });

const ABANDONED =
  "the process that was at it has ended: whatever runs on this ledger next asks each target first, and goes on from there";

/** What stands where; where the plan stopped in its middle, how to go on; and where nobody is at it any more, that. */
function standing({ targets, abandoned }: Progress, { gate }: Incident): readonly string[] {
  const ways = gate?.outcome === "stopped" ? waysOn(targets) : [];
  return [...progressLines(targets), ...(abandoned ? [ABANDONED] : []), ...ways].map((line) => `    ${line}`);
}

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

function describe(
  { incident, acknowledged, approved }: OpenIncident,
  around: Surroundings,
  { targets }: Progress = NO_PROGRESS,
): readonly string[] {
  const { now } = around.standing;
  const { decision, affectedServices, impact, ranking } = incident;
  const since = durationText(Math.max(0, now - (incident.onset?.at ?? incident.detectedAt)));
  const obstacle = decision === null ? null : whyNotFromHere(decision, incident.obstacles);
  const others = ranking === null ? null : otherChangesText(incident.unheard);
  // What no source says of changes is told once.
  const isNew = (why: string) => others === null || !others.includes(why);
  const asOf = incident.seenAt === undefined ? "" : `, as of ${clockText(incident.seenAt, now)}`;
  return [
    `  ${incident.id}  ${incident.service}, for ${since}: ${stateText(incident, now, targets, approved)}`,
    `    impact ${knownLevel(incident)}${asOf}${impact === null || impact.sentences.length === 0 ? "" : `: ${impact.sentences.slice(0, 2).join("; ")}`}`,
    ...(affectedServices.length > 1 ? [`    affected: ${affectedServices.join(", ")}`] : []),
    ...conditionLines(incident, now).map((line) => `    ${line}`),
    ...(acknowledged === null ? [] : [`    ${acknowledgedWords(acknowledged, now)}; nobody is paged meanwhile`]),
    ...(decision === null
      ? []
      : [
          `    ${decisionWords(incident)}`,
          ...decision.why
            .filter(isNew)
            .slice(0, 2)
            .map((why) => `      ${why}`),
        ]),
    ...[notComparedText(ranking), others].flatMap((why) => (why === null ? [] : [`      ${why}`])),
    ...(obstacle === null ? [] : [`    cannot be rolled back from here: ${obstacle}`]),
    ...(isBegun(targets) ? [] : waitsFor(incident, approved, around)),
    ...(isResidual(incident) ? residualNext(incident).map((line) => `    ${line}`) : []),
  ];
}

const NEEDS_APPROVAL = "needs approval";

/** What waits for a person stands out. */
function stateText(
  incident: Incident,
  now: number,
  targets: readonly TargetProgress[],
  approved: OpenIncident["approved"],
): string {
  if (incident.stage === "executing" && isBegun(targets)) return "executing";
  return stageWords(incident, now, approved).replace(NEEDS_APPROVAL, NEEDS_APPROVAL.toUpperCase());
}

function waitsFor(incident: Incident, approved: OpenIncident["approved"], around: Surroundings): readonly string[] {
  const { stage, plan, gate } = incident;
  const { now } = around.standing;
  if ((stage !== "waiting-approval" && stage !== "executing") || plan === null) return [];
  const against = gate === null ? [] : againstLines(asOfNow(gate.review, around.standing));
  if (approved !== null)
    return [...against, `plan ${plan.id}: ${planWords(plan)}`, ...approvedLines(plan, approved, around)].map(
      (line) => `    ${line}`,
    );
  const answer =
    waitingPlan(incident, now) === null
      ? ["    expired; the watch files a new plan at its next evaluation"]
      : [
          `    plan ${plan.id}: ${planWords(plan)}`,
          `    to be answered within ${durationText(plan.expiresAt - now)}`,
          `    unship approve ${plan.id}`,
          `    unship reject ${plan.id} --reason "…"`,
        ];
  return [...against.map((line) => `    ${line}`), ...(gate?.outcome === "held" ? answer : [])];
}
