import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { targetText } from "../../core/guardrails/targets.ts";
import type { Change } from "../../core/model/change.ts";
import { undoneName } from "../../core/model/change-name.ts";
import type { Incident } from "../../core/model/incident.ts";
import { Target } from "../../core/model/plan.ts";
import { cleanText, closed, name } from "../../core/model/untrusted-text.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import { endingOf } from "./ending.ts";
import { clock, dateTime, offset } from "./figures.ts";
import { prose, section, table } from "./markdown.ts";
import { blamed } from "./marks.ts";
import { authorWords, changeWords, inWords } from "./names.ts";

interface Event {
  readonly at: number;
  readonly event: string;
  readonly detail: string;
}

/** What people did about it, from the ledger: it alone knows who. */
const PEOPLE: Readonly<Record<string, string>> = {
  "approval.given": "approved",
  "approval.rejected": "rejected",
  "approval.refused": "approval refused",
  "gate.paused": "paused",
  "gate.resumed": "resumed",
};

/**
 * Every event once, in the order of time, with its distance from the onset. All times UTC. `anew`: the onset that it is judged by,
 * where that is not its first one.
 */
export function timelineSection(
  incident: Incident,
  entries: readonly LedgerEntry[],
  anew: Incident["onset"] = null,
): string | null {
  const { onset, timeline } = incident;
  const { undoneBy, changedBy, replacedBy } = endingOf(incident);
  const changes = [
    ...blamed(incident).flatMap((change) => changeRows(change, "change began")),
    ...[undoneBy].flatMap((change) => othersRows(change, change?.kind === "flag" ? "switched" : "rolled back")),
    ...[changedBy, replacedBy === changedBy ? null : replacedBy].flatMap((change) => othersRows(change, "changed")),
  ];
  const began = [onsetRow("onset", onset), onsetRow("onset, dated anew", anew)].flatMap((row) => row ?? []);
  const people = entries.flatMap(({ at, kind, actor, planId }) => {
    const event = PEOPLE[kind];
    // What somebody answered of another plan is no word on the one that the incident tells of.
    const of = planId === null || planId === incident.plan?.id ? "" : `plan ${prose(name(planId), 100)}, `;
    return event === undefined ? [] : [{ at, event, detail: `${of}by ${prose(name(actor), 100)}` }];
  });
  const own = timeline.flatMap((line) => told(line, incident.changes));
  const all: readonly Event[] = [...changes, ...began, ...own, ...people, ...sentBefore(incident, entries)].sort(
    (a, b) => a.at - b.at,
  );
  const zero = onset?.at ?? incident.detectedAt;
  const rows = all.map(({ at, event, detail }) => [clock(at), offset(at, zero), event, detail]);
  const note = `All times UTC, ${dateTime(zero).slice(0, 10)}; offsets count from ${onset === null ? "detection, since the onset is not known" : "onset"}.`;
  const late =
    onset !== null && incident.detectedAt < onset.at
      ? "The onset was estimated anew after the first detection: the degradation came more than once."
      : null;
  return section("Timeline", note, late, table(["Time", "From onset", "What", "Detail"], rows));
}

function changeRows(change: Change, event: string): readonly Event[] {
  const { startedAt, finishedAt } = change;
  const detail = changeWords(change);
  return [
    { at: startedAt, event, detail },
    ...(finishedAt === null ? [] : [{ at: finishedAt, event: endWords(change), detail }]),
  ];
}

/** What somebody else did about it, by name: "rolled back by `carol`". */
const othersRows = (change: Change | null, done: string): readonly Event[] =>
  change === null ? [] : changeRows(change, `${done} by ${authorWords(change)}`);

const onsetRow = (event: string, onset: Incident["onset"]): Event | null =>
  onset === null
    ? null
    : {
        at: onset.at,
        event,
        detail: `estimated; credible from ${clock(onset.earliest)} to ${clock(onset.latest)}`,
      };

/** What was sent so long before its result was known is told with the moment of both. */
const LATE_MS = 2_000;

const Attempted = z.looseObject({ target: Target });

/** When an act was sent to its target, where the answer was lost and only asking the target told what had come of it. */
function sentBefore({ gate }: Incident, entries: readonly LedgerEntry[]): readonly Event[] {
  if (gate === null || gate.executedAt === null) return [];
  const results = gate.results;
  return entries.flatMap(({ at, kind, planId, body }) => {
    const sent = Attempted.safeParse(body).data;
    if (kind !== LEDGER_KINDS.targetAttempted || planId !== gate.planId || sent === undefined) return [];
    const known = results.find(({ target }) => isDeepStrictEqual(target, sent.target))?.at;
    if (known === undefined) return [];
    const detail = `${targetText(sent.target)}; its outcome was known at ${clock(known)}`;
    return known - at < LATE_MS ? [] : [{ at, event: "sent", detail: prose(detail, DETAIL) }];
  });
}

/** An end that nobody saw is told as the latest moment at which it can have been (S9). */
const endWords = ({ endUnseen }: Change): string =>
  endUnseen === true ? "change had finished (nobody saw when)" : "change finished";

/** How much of a detail a table cell can hold; the sections below, and the ledger, have the whole of it. */
const DETAIL = 200;

/** What the record notes for itself: that a plan goes to the gate is in the answer, and each step of the chain in the ledger. */
const NOT_SHOWN = /^(?:submitted|chain ran without a model)\b/;

/** An event of the record in two cells: `decided: rollback x` is the event "decided" with the rest as its detail. */
function told({ at, event, detail }: Incident["timeline"][number], changes: readonly Change[]): readonly Event[] {
  if (NOT_SHOWN.test(event)) return [];
  const [kind = "", ...rest] = event.split(": ");
  const more = kind === "decided" ? rest.map((what) => decidedWords(what, changes)) : rest;
  // What the chain did step by step is in the ledger; here it matters what it came to.
  const came = kind.startsWith("chain") ? closed(detail.split(": ")[0] ?? "") : detail;
  const whole = [...(more.length > 0 ? [more.join(": ")] : []), came].map(inWords).join("; ");
  return [{ at, event: prose(inWords(kind), 60), detail: prose(wholeParts(whole), 2 * DETAIL) }];
}

/** "rollback d7 while …" with the change by its name: "rollback: inventory v2.13.0 while …". No action is on none. */
function decidedWords(what: string, changes: readonly Change[]): string {
  const [, action = "", id = "", rest = ""] = /^(\w+) (\S+)(.*)$/s.exec(what) ?? [];
  if (!changes.some((change) => change.id === id)) return what;
  return action === "no_action" ? `${action}${rest}` : `${action}: ${undoneName(id, changes)}${rest}`;
}

/** As many of the parts as a cell can hold, each whole, and how many are left out. */
function wholeParts(text: string): string {
  const parts = cleanText(text, 2_000).split("; ");
  const lengths = parts.map((_, index) => parts.slice(0, index + 1).join("; ").length);
  const shown = Math.max(1, lengths.findLastIndex((length) => length <= DETAIL) + 1);
  const left = parts.length - shown;
  return closed([...parts.slice(0, shown), ...(left === 0 ? [] : [`${left} more in the ledger`])].join("; "));
}
