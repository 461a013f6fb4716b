import { otherActs, withLedgerAnswer } from "../core/guardrails/ledger-answer.ts";
import { targetText } from "../core/guardrails/targets.ts";
import type { Incident } from "../core/model/incident.ts";
import { asRecorded, datedAnew } from "../core/model/recorded.ts";
import type { Series } from "../core/model/signal.ts";
import { quote } from "../core/model/untrusted-text.ts";
import type { LedgerEntry, RecalledIncident } from "../core/ports.ts";
import { actionsSection } from "./postmortem/actions.ts";
import { causeOf, checkFirst } from "./postmortem/cause.ts";
import { evidenceSection } from "./postmortem/evidence.ts";
import { dateTime } from "./postmortem/figures.ts";
import { followUps } from "./postmortem/follow-ups.ts";
import { impactSection } from "./postmortem/impact.ts";
import { bullets, code, prose, section } from "./postmortem/markdown.ts";
import { isOpen, openLine, soFar } from "./postmortem/open.ts";
import { summary } from "./postmortem/summary.ts";
import { suspectsSection } from "./postmortem/suspects.ts";
import { timelineSection } from "./postmortem/timeline.ts";
import { title } from "./postmortem/title.ts";

export interface PostmortemOptions {
  /** The signals around the incident, for the chart; without them the draft says that there is none. */
  readonly series?: readonly Series[];
  /** The chart's file as the draft links it, relative to the draft; see `postmortemChart`. */
  readonly chartFile?: string;
}

/**
 * The draft of one incident's postmortem, in Markdown. Pure: the same incident, entries and memories give the same
 * text. It claims nothing that was not verified, and text from outside cannot leave its place in it (S11). Of an open incident it
 * says so, and as of when. What was done is told as the ledger has it, also where a crash left the incident's own record behind.
 *
 * `entries`: the ledger's entries of this incident, oldest first. `recalled`: similar past incidents, as advice.
 */
export function postmortem(
  stored: Incident,
  entries: readonly LedgerEntry[] = [],
  recalled: readonly RecalledIncident[] = [],
  options: PostmortemOptions = {},
): string {
  const incident = withLedgerAnswer(asRecorded(stored), entries);
  const others = otherActs(entries, incident.gate?.planId ?? incident.plan?.id ?? null);
  // It is told from its first onset on, and judged by the newest.
  const anew = datedAnew(stored);
  const todo = followUps(incident, entries);
  const parts: readonly (string | null)[] = [
    title(incident, entries),
    `Draft by unship from its own record of incident ${code(incident.id)}. People have not reviewed it yet.`,
    openLine(incident, entries),
    section("Summary", summary(incident, anew, others, entries)),
    impactSection(incident, entries),
    timelineSection(incident, entries, anew),
    evidenceSection(incident, options.series ?? [], options.chartFile ?? null),
    suspectsSection(incident, anew),
    actionsSection(incident, entries, others),
    section("What was not verified", unverified(incident)),
    section("Follow-ups", todo.length === 0 ? "None that this record gives a reason for." : bullets(todo)),
    remembered(incident, recalled),
  ];
  return `${parts.filter((part) => part !== null).join("\n\n")}\n`;
}

function unverified(incident: Incident): string {
  const { unverified: what, recovery, gate, decision } = incident;
  const blames = decision !== null && decision.culprit !== null;
  const open = [
    ...what.map((sentence) => prose(sentence)),
    ...(isOpen(incident) ? ["Whether and when it recovers: the incident is open."] : []),
    ...(gate?.outcome === "executed" && recovery === null
      ? [soFar(incident, "Recovery was not judged.", "Recovery has not been judged yet.")]
      : []),
    ...(gate?.results ?? [])
      .filter(({ result }) => result === "unknown")
      .map(({ target }) => `Whether ${prose(targetText(target))} was written.`),
    ...(recovery?.checks ?? [])
      .filter(({ verdict }) => verdict === "unknown" || verdict === "pending")
      .map(({ service, metric }) => `Whether ${code(metric)} of ${code(service)} recovered.`),
    ...(blames
      ? ["That the suspected change is the root cause: the probability is evidence; only a reproduction is proof."]
      : []),
    ...(incident.joined === undefined ? notFound(incident) : []),
  ];
  return open.length === 0 ? "Nothing that this record knows of." : bullets([...new Set(open)]);
}

function notFound(incident: Incident): readonly string[] {
  const { kind } = causeOf(incident);
  if (kind === "not-compared")
    return [
      soFar(incident, "What caused it: no change was compared.", "What causes it: no change has been compared so far."),
    ];
  const found = soFar(incident, "was not found", "has not been found so far");
  return kind === "not-found" ? [`What caused it: the cause ${found}.${checkFirst(incident)}`] : [];
}

function remembered(incident: Incident, recalled: readonly RecalledIncident[]): string | null {
  const others = recalled.filter(({ incidentId }) => incidentId !== incident.id).slice(0, 5);
  if (others.length === 0) return null;
  const lines = others.map(
    ({ incidentId, at, summary: text, outcome }) =>
      `${code(incidentId)}, ${dateTime(at).slice(0, 10)}, ${outcome}: ${prose(quote(text, 300), 320)}`,
  );
  const note = "Found by likeness. They may help to think; none of them was used as evidence here.";
  return section("Similar incidents", note, bullets(lines));
}
