import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { targetText } from "../../core/guardrails/targets.ts";
import type { Change } from "../../core/model/change.ts";
import type { Incident } from "../../core/model/incident.ts";
import { Target } from "../../core/model/plan.ts";
import { cleanText, closed, name } from "../../core/model/untrusted-text.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import { clock, dateTime, offset } from "./figures.ts";
import { prose, section, table } from "./markdown.ts";
import { blamed } from "./marks.ts";
import { changeWords } from "./summary.ts";

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
  const changes = blamed(incident).flatMap((change) => [
    { at: change.startedAt, event: "change began", detail: changeWords(change) },
    ...(change.finishedAt === null
      ? []
      : [{ at: change.finishedAt, event: endWords(change), detail: changeWords(change) }]),
  ]);
  const began = [onsetRow("onset", onset), onsetRow("onset, dated anew", anew)].flatMap((row) => row ?? []);
  const people = entries.flatMap(({ at, kind, actor, planId }) => {
    const event = PEOPLE[kind];
    // What somebody answered of another plan is no word on the one that the incident tells of.
    const of = planId === null || planId === incident.plan?.id ? "" : `plan ${prose(name(planId), 100)}, `;
    return event === undefined ? [] : [{ at, event, detail: `${of}by ${prose(name(actor), 100)}` }];
  });
  const own = timeline.map(told);
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
const DETAIL = 160;

/** An event of the record in two cells: `decided: rollback x` is the event "decided" with the rest as its detail. */
function told({ at, event, detail }: Incident["timeline"][number]): Event {
  const [kind = "", ...more] = event.split(": ");
  // What the chain did step by step stands in the ledger; here it matters what it came to.
  const came = kind.startsWith("chain") ? closed(detail.split(": ")[0] ?? "") : detail;
  const whole = [...(more.length > 0 ? [more.join(": ")] : []), came].join("; ");
  return { at, event: prose(shorten(kind, 60)), detail: prose(shorten(whole, DETAIL)) };
}

/** Cut between words. */
function shorten(text: string, most: number): string {
  const line = cleanText(text, 2_000);
  return line.length <= most ? line : `${closed(line.slice(0, most).replace(/\s+\S*$/, ""))} ...`;
}
