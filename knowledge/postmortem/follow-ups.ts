import { targetText } from "../../core/guardrails/targets.ts";
import type { Change } from "../../core/model/change.ts";
import { deedOf, isActed, takenBackIds } from "../../core/model/deed.ts";
import { type Incident, isRecoveryConfirmed } from "../../core/model/incident.ts";
import { quantity, span } from "./figures.ts";
import { code, sentence } from "./markdown.ts";
import { blamed } from "./marks.ts";
import { isOpen } from "./open.ts";

/** Noticing took longer than this: worth asking for a faster signal. The target for detection is a minute. */
const SLOW_DETECTION_MS = 60_000;

/** Concrete things to do, each with who would do it; only those that this incident gives a reason for. */
export function followUps(incident: Incident): readonly string[] {
  const { joined } = incident;
  if (joined !== undefined && !isActed(incident))
    return [`[ ] Go on in the draft of ${code(joined)}: what is to be done is there. Owner: on call.`];
  return [
    ...unresolved(incident),
    ...wayBack(incident),
    ...mend(incident),
    ...coverage(incident),
    ...detection(incident),
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
  const executed = incident.gate?.outcome === "executed";
  return faulty(incident).map((change) => {
    const paths = (change.diff?.paths ?? []).slice(0, 3).map((path) => code(path));
    const where = paths.length === 0 ? "" : ` The change touched ${paths.join(", ")}.`;
    const commit = change.commit === undefined ? "" : ` (commit ${code(change.commit.slice(0, 12))})`;
    const what =
      change.kind === "flag"
        ? `flag ${code(change.flag ?? change.service)}`
        : `${code(change.service)} ${code(change.to)}`;
    const again = change.kind === "flag" ? "is switched on again" : "ships again";
    const goal = executed ? `before it ${again}` : "or roll it back";
    return `Find and fix the fault in ${what}${commit} ${goal}.${where} ${owner(change)}`;
  });
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
  const { onset, detectedAt, conditions, gate, recovery } = incident;
  const items: string[] = [];
  if (onset !== null && detectedAt - onset.at > SLOW_DETECTION_MS) {
    items.push(
      `It took ${span(onset.at, detectedAt)} to notice. Ask whether a faster signal (shorter scrape interval, raw ` +
        `counters instead of a smoothed query) is worth its cost. Owner: whoever owns the configuration.`,
    );
  }
  const held = gate?.review.rules.filter(({ verdict }) => verdict === "require_approval") ?? [];
  if (held.length > 0 && gate?.outcome === "held" && !isOpen(incident)) {
    items.push(
      `The gate waited for a person (${held.map(({ rule }) => code(rule)).join(", ")}) and nobody agreed in time. Decide ` +
        `whether that rule should hold for this service. Owner: its approvers.`,
    );
  }
  if (conditions.length === 0 && recovery === null) {
    items.push(
      "No policy condition covers the signals that got worse. Decide whether one should. Owner: whoever owns the configuration.",
    );
  }
  return items;
}

function unresolved(incident: Incident): readonly string[] {
  const { recovery, gate, outcome, ranking } = incident;
  const unsettled = (gate?.results ?? []).filter(({ result }) => result === "unknown");
  if (unsettled.length > 0 && isOpen(incident))
    return unsettled.map(
      ({ target }) =>
        `**Now:** whether ${code(targetText(target))} was written is not known. Check it yourself. Owner: on call.`,
    );
  if (deedOf(incident) === "nothing" && outcome !== "withdrawn") {
    const origin = ranking?.rootCauses[0];
    const start = origin === undefined ? "" : ` Start at ${code(origin.service)}, where it most likely begins.`;
    return [`Find the cause: no change is suspected, and nothing was rolled back.${start} Owner: on call.`];
  }
  if (outcome === "superseded")
    return ["Check what the other change of the same target did: this incident says nothing of it. Owner: on call."];
  if (gate?.outcome !== "executed" || isRecoveryConfirmed({ recovery, outcome })) return [];
  return recovery?.verdict === "not-recovered"
    ? ["**Now:** the degradation goes on after the rollback. Search for a cause that is no deployment. Owner: on call."]
    : ["**Now:** it is unknown whether it recovered. Check the signals above yourself. Owner: on call."];
}
