import type { Incident } from "../../core/model/incident.ts";
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

/** Every event once, in the order of time, with its distance from the onset. All times UTC. */
export function timelineSection(incident: Incident, entries: readonly LedgerEntry[]): string | null {
  const { onset, timeline } = incident;
  const changes = blamed(incident).flatMap((change) => [
    { at: change.startedAt, event: "change began", detail: changeWords(change) },
    ...(change.finishedAt === null
      ? []
      : [{ at: change.finishedAt, event: "change finished", detail: changeWords(change) }]),
  ]);
  const began =
    onset === null
      ? []
      : [
          {
            at: onset.at,
            event: "onset",
            detail: `estimated; credible from ${clock(onset.earliest)} to ${clock(onset.latest)}`,
          },
        ];
  const people = entries.flatMap(({ at, kind, actor }) => {
    const event = PEOPLE[kind];
    return event === undefined ? [] : [{ at, event, detail: `by ${prose(actor, 100)}` }];
  });
  const own = timeline.map(({ at, event, detail }) => ({ at, event: prose(event, 60), detail: prose(detail, 300) }));
  const all: readonly Event[] = [...changes, ...began, ...own, ...people].sort((a, b) => a.at - b.at);
  const zero = onset?.at ?? incident.detectedAt;
  const rows = all.map(({ at, event, detail }) => [clock(at), offset(at, zero), event, detail]);
  const note = `All times UTC, ${dateTime(zero).slice(0, 10)}; offsets count from ${onset === null ? "detection, since the onset is not known" : "onset"}.`;
  return section("Timeline", note, table(["Time", "From onset", "What", "Detail"], rows));
}
