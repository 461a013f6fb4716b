import type { Incident } from "../../core/model/incident.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import { dateTime } from "./figures.ts";

/** Whether it is not over: a draft of it is of a moment, and ends nothing. */
export const isOpen = ({ stage, closedAt }: Pick<Incident, "stage" | "closedAt">): boolean =>
  stage !== "closed" && closedAt === null;

/** Words for what has an end, or for what has none yet. */
export const soFar = (incident: Pick<Incident, "stage" | "closedAt">, past: string, open: string): string =>
  isOpen(incident) ? open : past;

/** Of when the newest is that the record holds of an incident, Unix ms. */
export function recordedUntil(
  { detectedAt, seenAt = 0, present, timeline, gate }: Incident,
  entries: readonly LedgerEntry[],
): number {
  const results = gate?.results.map(({ at }) => at) ?? [];
  return Math.max(
    ...[detectedAt, seenAt, present?.at ?? 0, gate?.executedAt ?? 0, ...results],
    timeline.at(-1)?.at ?? 0,
    entries.at(-1)?.at ?? 0,
  );
}

/** The line above a draft of an incident that is not over; null: it is. */
export function openLine(incident: Incident, entries: readonly LedgerEntry[]): string | null {
  if (!isOpen(incident)) return null;
  return `**The incident is open.** This is what the record holds as of ${dateTime(recordedUntil(incident, entries))} UTC.`;
}
