import { createCallGraph } from "../../core/correlation/call-graph.ts";
import { touches } from "../../core/guardrails/rules/stale.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Change } from "../../core/model/change.ts";
import { nameOfChange } from "../../core/model/change-name.ts";
import { deedTime, isActed } from "../../core/model/deed.ts";
import { type Incident, isResidual, type OutcomeKind, QUIET_SINCE, type WayBack } from "../../core/model/incident.ts";
import type { Target } from "../../core/model/plan.ts";
import { likeliestOf, wayBackText } from "../../core/model/recorded.ts";
import { durationText } from "../../core/model/time.ts";
import { unheardChanges } from "../../core/model/unheard.ts";
import { finishJudged } from "./aftermath.ts";
import { areJoined } from "./degraded.ts";
import { active, close, note, servicesOf } from "./incident-state.ts";
import { isSameAct } from "./moved-on.ts";
import { actOfWayBack, outsideActs } from "./outside-acts.ts";
import type { Standing } from "./own-signals.ts";
import { type Passed, passed } from "./passed.ts";
import { emit, escalate, type Pursuit } from "./pursuit.ts";

/**
 * How long trouble must be gone before an incident without an action is closed, in steps. Ten: two of the longest
 * rate windows that a scrape of five steps fills, so that a signal that flaps inside one window stays one incident.
 * As long as that, too, may a policy's condition fire before people hear that no change is sure enough.
 */
export const QUIET_STEPS = 10;

const QUIET = QUIET_SINCE;
const SILENT = "no data since";

/**
 * None of the incident's own signals is degraded. Once each was measured back for a while it is over, whatever became of
 * it until then, and what a policy's condition says against it is said with it; what cannot be measured closes it as unknown after the verification's time, and people are told.
 */
export async function awaitEnd(before: Incident, { signals, unseen }: Standing, pursuit: Pursuit): Promise<void> {
  const { parts, caseFile } = pursuit;
  const { at } = caseFile;
  const quiet = mark({ ...before, signals: [...signals] }, QUIET, "no signal is degraded", at);
  const since = markedAt(quiet, QUIET) ?? at;
  const isBack = signals.every(({ well }) => well > QUIET_STEPS);
  if (unseen.length > 0 && !isBack) return awaitSight(quiet, unseen, pursuit);
  const calm = without(quiet, SILENT);
  if (!isBack || at - since < QUIET_STEPS * parts.config.watch.stepMs) return pursuit.save(calm);
  const { outcome, because } = await endOf(before, pursuit);
  const after = durationText(Math.max(0, since - before.detectedAt));
  const backBy = await wayBack(before, since, pursuit);
  await finish(
    { ...calm, backSince: since, backBy, changes: withChange(calm.changes, backBy, caseFile) },
    outcome,
    `${because}The signals came back ${wayBackText(backBy, caseFile.changes)} ${after} after detection.${stillActive(signals, caseFile)}`,
    pursuit,
  );
}

/** The changes of the record, and among them the one that the signals came back after, however late it was seen. */
function withChange(changes: Incident["changes"], { change }: WayBack, caseFile: CaseFile): Incident["changes"] {
  const missing = caseFile.changes.filter(({ id }) => id === change?.id && !changes.some((one) => one.id === id));
  return [...changes, ...missing];
}

/** The conditions of the policies that hold or are pending on services of these signals still, as a sentence; empty: none. */
function stillActive(signals: Standing["signals"], { conditions }: CaseFile): string {
  const services = new Set(signals.map(({ service }) => service));
  const still = active(conditions).filter(({ service }) => services.has(service));
  const said = still.map(
    ({ text, service, state, because }) =>
      `${text} of ${service} ${state === "firing" ? "holds" : "is pending"} still (${because})`,
  );
  return said.length === 0 ? "" : ` ${[...new Set(said)].join("; ")}.`;
}

/**
 * How the signals came back, as far as it is known: what was done last since the onset, by others or by a plan of ours that is no
 * part of the incident, at its services or at what calls join to them, may have brought it. What began while the onset may
 * have lain, or what a source of changes did not say, may have as well: then it is not known (S9). What is suspected of the
 * degradation is not what ended it.
 */
async function wayBack(incident: Incident, until: number, { caseFile, parts }: Pursuit): Promise<WayBack> {
  const { changes, topology, gaps } = caseFile;
  const graph = createCallGraph(topology);
  const own = servicesOf(incident);
  const isNear = (service: string) => own.some((name) => areJoined(graph, name, service));
  const { earliest: since, latest } = incident.onset ?? { earliest: incident.detectedAt, latest: incident.detectedAt };
  const acts = (await outsideActs(incident, { since, until }, parts.ledger)).filter(({ targets }) =>
    targets.some(({ service }) => isNear(service)),
  );
  const suspects = suspectsOf(incident);
  const others = changes
    .filter(({ id, service, startedAt, ownRollback }) => {
      const isMeanwhile = startedAt > since && startedAt <= until;
      return isMeanwhile && ownRollback !== true && !suspects.has(id) && isNear(service);
    })
    .filter((change) => !acts.some(({ targets }) => targets.some((target) => isActItself(change, target))))
    .toSorted((a, b) => a.startedAt - b.startedAt);
  const last = others.findLast(({ startedAt }) => startedAt > latest);
  const act = acts.at(-1);
  // What the incident's own plan did is known, whatever its verification says of it.
  const deed = deedTime(incident);
  const ownAct = deed !== null && deed.at <= until ? { own: true as const } : {};
  const untold = deed === null && isActed(incident) ? [UNTOLD] : [];
  const unheard = [...untold, ...unheardChanges(gaps)];
  if (act !== undefined && (last === undefined || act.at >= last.startedAt))
    return { change: null, act: await actOfWayBack(act, parts.ledger), unheard: [...unheard] };
  if (last !== undefined) return { change: { id: last.id, service: last.service }, ...ownAct, unheard: [...unheard] };
  const unclear = others.map((one) => `${one.service} was changed while it began (${nameOfChange(one)})`);
  return { change: null, ...ownAct, unheard: [...unclear, ...unheard] };
}

const UNTOLD = "whether its plan was carried out is not known";

/** What the incident blames, and what it suspects more than that no change is to blame. */
function suspectsOf(incident: Incident): ReadonlySet<string> {
  const { decision } = incident;
  const hotfix = decision?.hotfix ?? null;
  const together = [...(decision?.changeIds ?? []), ...(hotfix === null ? [] : [hotfix.changeId])];
  const likeliest = likeliestOf(incident);
  return new Set([...together, ...(likeliest === null ? [] : [likeliest.changeId])]);
}

/** Whether a change is an act of ours as a history tells it that knows no mark of it. */
const isActItself = (change: Change, target: Target): boolean => touches(change, target) && isSameAct(change, target);

/** What was wrong cannot be seen: neither an end nor a reason to act. It does not stay open for ever (S9). */
async function awaitSight(before: Incident, unseen: readonly string[], pursuit: Pursuit): Promise<void> {
  const { at } = pursuit.caseFile;
  const marked = mark(before, SILENT, `nothing is known of ${unseen.join(", ")}`, at);
  const since = markedAt(marked, SILENT) ?? at;
  if (at - since < pursuit.parts.config.feedback.timeoutMs) return pursuit.save(marked);
  const headline = `The signals of this incident have no data (${unseen.join(", ")}): its state is unknown.`;
  await finish(await escalate(marked, pursuit, headline), before.outcome ?? "unknown", headline, pursuit);
}

/** What came of it: what the verification of its act said, or else what had become of its decision. */
async function endOf(
  before: Incident,
  { parts, caseFile }: Pursuit,
): Promise<Pick<Passed, "because"> & { outcome: OutcomeKind }> {
  const { outcome } = before;
  if (outcome === null || !isResidual(before)) return passed(before, caseFile.at, parts.ledger);
  return { outcome, because: outcome === "not-recovered" ? "The act did not bring recovery in time. " : "" };
}

/** Closes an incident whose signals came back, or that has nothing left to tell, then sees to memory and postmortem. */
export async function finish(
  incident: Incident,
  outcome: OutcomeKind,
  detail: string,
  pursuit: Pursuit,
): Promise<void> {
  const closed = close(unmark(incident), outcome, pursuit.caseFile.at, detail);
  await pursuit.save(closed);
  emit(pursuit, "incident.closed", `${outcome}: ${detail}`, closed);
  await finishJudged(closed, pursuit.parts);
}

/** When an incident got this mark in its timeline; undefined: it has none. */
export const markedAt = ({ timeline }: Incident, mark: string): number | undefined =>
  timeline.find(({ event }) => event === mark)?.at;

/** The incident with this mark in its timeline; one that is there already keeps its time. */
export function mark(incident: Incident, event: string, detail: string, at: number): Incident {
  return markedAt(incident, event) === undefined ? note(incident, at, event, detail) : incident;
}

export const without = (incident: Incident, mark: string): Incident => ({
  ...incident,
  timeline: incident.timeline.filter(({ event }) => event !== mark),
});

/** The incident whose signals are degraded, or of which a person has spoken: it is neither quiet nor silent. */
export const unmark = (incident: Incident): Incident => without(without(incident, QUIET), SILENT);
