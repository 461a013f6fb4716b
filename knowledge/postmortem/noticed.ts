import type { Incident } from "../../core/model/incident.ts";
import { clock, span } from "./figures.ts";

/**
 * When the first of its signals got worse, Unix ms: the onset, or the earliest signal that the draft lists, where that is earlier.
 * How long it took to notice counts from here. null: not known.
 */
export function firstSignalAt({ onset, findings, detectedAt }: Incident): number | null {
  const onsets = findings.flatMap((one) => (one.verdict === "worse" && one.onset !== null ? [one.onset.at] : []));
  const known = [...(onset === null ? [] : [onset.at]), ...onsets].filter((at) => at <= detectedAt);
  return onset === null || known.length === 0 ? null : Math.min(...known);
}

/** How long it took to notice, in words: null where it is not known. */
export const noticedAfter = (incident: Incident): string | null => span(firstSignalAt(incident), incident.detectedAt);

/** " unship noticed 30s later, at 13:22:17."; empty where the onset is not known. */
export function noticedWords(incident: Incident): string {
  const { onset, detectedAt } = incident;
  const first = firstSignalAt(incident);
  const delay = noticedAfter(incident);
  if (delay === null || first === null || onset === null) return "";
  const from = first < onset.at ? `after the first signal (${clock(first)})` : "later";
  return ` unship noticed ${delay} ${from}, at ${clock(detectedAt)}.`;
}
