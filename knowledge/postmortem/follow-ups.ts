import { waitingPlan } from "../../core/guardrails/incident-text.ts";
import { targetText } from "../../core/guardrails/targets.ts";
import type { Change } from "../../core/model/change.ts";
import { isActed, takenBackIds } from "../../core/model/deed.ts";
import { type Incident, isRecoveryConfirmed } from "../../core/model/incident.ts";
import { likelihood } from "../../core/model/likelihood.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import { causeOf, checkFirst } from "./cause.ts";
import { endingOf, suspectOf, undoingWords } from "./ending.ts";
import { clock, quantity } from "./figures.ts";
import { code, sentence } from "./markdown.ts";
import { blamed } from "./marks.ts";
import { authorWords, changeWords } from "./names.ts";
import { firstSignalAt, noticedAfter } from "./noticed.ts";
import { isOpen, recordedUntil, soFar } from "./open.ts";
import { planAnswer } from "./plan-answer.ts";

/** Noticing took longer than this: worth asking for a faster signal. The target for detection is a minute. */
const SLOW_DETECTION_MS = 60_000;

/**
 * Concrete things to do, each with who would do it; only those that this incident gives a reason for. `entries`: of the ledger, oldest
 * first, which knows who answered a plan.
 */
export function followUps(incident: Incident, entries: readonly LedgerEntry[] = []): readonly string[] {
  const { joined } = incident;
  if (joined !== undefined && !isActed(incident))
    return [`[ ] Go on in the draft of ${code(joined)}: what is to be done is there. Owner: on call.`];
  return [
    ...unanswered(incident, entries),
    ...unresolved(incident),
    ...wayBack(incident),
    ...mend(incident),
    ...coverage(incident),
    ...detection(incident),
    ...approval(incident, entries),
    ...policy(incident),
  ].map((item) => `[ ] ${item}`);
}

const owner = ({ author }: Change) => (author === undefined ? "Owner: not known." : `Owner: ${code(author, 60)}.`);

/** Words of a warning that the bad version can return by itself, rather than of what stays undone. */
const RETURNS =
  /\bbrings?\b.*\bback\b|\breturns?\b|\breturn by itself|last-applied|auto-?sync|self-?heal|next (?:kubectl )?(?:apply|sync|commit)/i;

/** What would bring the bad version back comes first: it can happen tonight. */
function wayBack(incident: Incident): readonly string[] {
  const warnings = (incident.gate?.results ?? []).flatMap(({ target, warnings: of }) =>
    of.map((warning) => ({
      warning,
      object: code(`${target.object.kind} ${target.object.name}`),
      change: incident.changes.find(({ id }) => id === target.changeId),
    })),
  );
  // What holds of several objects of one owner is one thing to do.
  const each = Map.groupBy(warnings, ({ warning, change }) => JSON.stringify([warning, change?.author]));
  return [...each.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const who = first.change === undefined ? "" : ` ${owner(first.change)}`;
    const several = (incident.gate?.results.length ?? 0) > 1;
    const where = several ? ` at ${same.map(({ object }) => object).join(", ")}` : "";
    const when = RETURNS.test(first.warning)
      ? `**Before the next deploy${where}:**`
      : `Check what the action left as it was${where}:`;
    return `${when} ${sentence(first.warning)}${who}`;
  });
}

function mend(incident: Incident): readonly string[] {
  const hotfix = incident.decision?.hotfix ?? null;
  if (hotfix !== null) {
    const suspects = hotfix.suspects.slice(0, 5).map((one) => code(one));
    const commits = hotfix.commitRange === null ? "" : ` (commits ${code(hotfix.commitRange)})`;
    const others = (hotfix.changeIds ?? []).filter((id) => id !== hotfix.changeId).map((id) => code(id));
    const together = others.length === 0 ? "" : `, and with it ${others.join(", ")},`;
    return [
      `Fix ${code(hotfix.changeId)}${commits}${together} by hand${suspects.length === 0 ? "" : `, starting at ${suspects.join(", ")}`}. ` +
        `No rollback because: ${sentence(hotfix.whyNoRollback)} Meanwhile: ${sentence(hotfix.mitigation)} ` +
        `It worked if: ${sentence(hotfix.check)} Owner: ${hotfix.owner === null ? "not known" : code(hotfix.owner, 60)}.`,
    ];
  }
  return faulty(incident).map((change) => mendOne(change, incident));
}

function mendOne(change: Change, incident: Incident): string {
  const { flag, service, from, to, kind } = change;
  const paths = (change.diff?.paths ?? []).slice(0, 3).map((path) => code(path));
  const where = paths.length === 0 ? "" : ` The change touched ${paths.join(", ")}.`;
  const commit = change.commit === undefined ? "" : ` (commit ${code(change.commit.slice(0, 12))})`;
  const what = kind === "flag" ? `flag ${code(flag ?? service)}` : `${code(service)} ${code(to)}`;
  const again = kind === "flag" ? `is switched ${code(to)} again` : "ships again";
  const end = `${where} ${owner(change)}`;
  const isSuspect = change === suspectOf(incident);
  const { isUndone, replacedBy } = endingOf(incident);
  if ((isSuspect && isUndone) || takenBackIds(incident).includes(change.id))
    return `Find and fix the fault in ${what}${commit} before it ${again}.${end}`;
  if (isSuspect && replacedBy !== null)
    return `Check that ${changeWords(replacedBy)}, by ${authorWords(replacedBy)}, fixes the fault in ${what}${commit}.${end}`;
  const undo =
    kind === "flag" ? `switch it ${code(from)}` : kind === "migration" ? "plan how to undo it" : "roll it back";
  const { decision } = incident;
  if (isSuspect && decision?.action === "no_action" && decision.culprit !== null)
    return `Find out whether ${what}${commit} is the cause (${likelihood(decision.culprit.probability)}); if so, fix it or ${undo}.${end}`;
  return `Find and fix the fault in ${what}${commit} or ${undo}.${end}`;
}

/** What is blamed, and what was taken back, whoever asked for it: it ships again unless somebody mends it. */
function faulty(incident: Incident): readonly Change[] {
  const known = blamed(incident);
  const back = takenBackIds(incident).flatMap((id) => incident.changes.find((change) => change.id === id) ?? []);
  return [...known, ...back.filter((change) => !known.includes(change))];
}

/** A test that would have caught it names the signal and the figure that it must look at. */
function coverage(incident: Incident): readonly string[] {
  const change = faulty(incident)[0];
  const worst = incident.findings
    .filter(({ verdict, service }) => verdict === "worse" && service === change?.service)
    .toSorted((a, b) => b.strength - a.strength)[0];
  if (change === undefined || worst === undefined) return [];
  const route = incident.impact?.routes.find(({ service }) => service === change.service);
  const where = route === undefined ? "" : ` on ${code(route.route)}`;
  return [
    `Add a test or a canary check${where} that fails when ${code(worst.metric)} of ${code(worst.service)} goes from ` +
      `${quantity(worst.baseline, worst.unit)} to ${quantity(worst.current, worst.unit)}: this change passed whatever ` +
      `runs today. ${owner(change)}`,
  ];
}

function detection(incident: Incident): readonly string[] {
  const first = firstSignalAt(incident);
  if (first === null || incident.detectedAt - first <= SLOW_DETECTION_MS) return [];
  return [
    `It took ${noticedAfter(incident)} to notice. Ask whether a faster signal (shorter scrape interval, raw ` +
      `counters instead of a smoothed query) is worth its cost. Owner: whoever owns the configuration.`,
  ];
}

/** What the wait for a person cost, by what really became of the plan: its answer, its end, or that others were first. */
function approval(incident: Incident, entries: readonly LedgerEntry[]): readonly string[] {
  const answer = isOpen(incident) ? null : planAnswer(incident, entries);
  if (answer === null) return [];
  const plan = `plan ${code(answer.planId)}`;
  const rules = incident.gate?.review.rules.filter(({ verdict }) => verdict === "require_approval") ?? [];
  const held = rules.length === 0 ? "" : ` (held by ${rules.map(({ rule }) => code(rule)).join(", ")})`;
  if (answer.kind === "rejected" || answer.kind === "approved") {
    const who = answer.by === null ? "A person" : code(answer.by, 60);
    return answer.kind === "rejected"
      ? [`${who} rejected ${plan}${held}. Record why, and whether that was right in the end. Owner: its approvers.`]
      : [`${who} approved ${plan}${held}, and it was not carried out. Find out why. Owner: on call.`];
  }
  const { undoneBy } = endingOf(incident);
  const others = undoneBy === null ? "The degradation was over" : undoingWords(undoneBy);
  if (answer.kind === "unanswered")
    return [
      `${others} before ${plan}${held} was answered. Would an earlier approval have helped? Owner: its approvers.`,
    ];
  return [
    `Nobody answered ${plan}${held} before it expired. Decide whether that rule should hold for this service. Owner: its approvers.`,
  ];
}

/** A signal that no policy speaks of; where one held when it was decided, a policy does. */
function policy({ conditions, recovery, decision }: Incident): readonly string[] {
  if (conditions.length > 0 || recovery !== null || decision?.automatic === true) return [];
  return [
    "No policy condition covers the signals that got worse. Decide whether one should. Owner: whoever owns the configuration.",
  ];
}

/** The plan that waits for an answer at the moment of the draft. */
function unanswered(incident: Incident, entries: readonly LedgerEntry[]): readonly string[] {
  const plan = isOpen(incident) ? waitingPlan(incident, recordedUntil(incident, entries)) : null;
  if (plan === null) return [];
  const until = clock(plan.expiresAt);
  return [`**Now:** ${code(`unship approve ${plan.id}`)}, or reject it; it expires at ${until}. Owner: its approvers.`];
}

function unresolved(incident: Incident): readonly string[] {
  const { recovery, gate, outcome, ranking, joined } = incident;
  const { backAt } = endingOf(incident);
  const unsettled = (gate?.results ?? []).filter(({ result }) => result === "unknown");
  if (unsettled.length > 0 && isOpen(incident))
    return unsettled.map(
      ({ target }) =>
        `**Now:** whether ${code(targetText(target))} was written is not known. Check it yourself. Owner: on call.`,
    );
  const { kind } = causeOf(incident);
  if (!isActed(incident) && joined === undefined && (kind === "not-found" || kind === "not-compared")) {
    const origin = ranking?.rootCauses[0];
    const start = origin === undefined ? "" : ` It most likely starts at ${code(origin.service)}.`;
    return [
      `Find the cause: it ${soFar(incident, "was not found", "has not been found so far")}.${start}${checkFirst(incident)} Owner: on call.`,
    ];
  }
  if (outcome === "superseded")
    return ["Check what the other change of the same target did: this incident says nothing of it. Owner: on call."];
  if (gate?.outcome !== "executed" || isRecoveryConfirmed({ recovery, outcome })) return [];
  if (backAt !== null)
    return ["Find out what brought the signals back: whether the rollback did is not shown. Owner: on call."];
  return recovery?.verdict === "not-recovered"
    ? ["**Now:** the degradation goes on after the rollback. Search for a cause that is no deployment. Owner: on call."]
    : ["**Now:** it is unknown whether it recovered. Check the signals above yourself. Owner: on call."];
}
