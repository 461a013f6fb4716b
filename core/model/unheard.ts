import type { Gap, GapKind } from "./assessment.ts";
import { rfc3339 } from "./time.ts";

/**
 * What sources of changes did not say, in words; empty where each of them said all of it. What one of them would have named
 * may explain what no known change does, so that "no change is to blame" is not known either (S9).
 */
export const unheardChanges = (gaps: readonly Gap[]): readonly string[] => gaps.filter(isOfChanges).map(unheardText);

export const isOfChanges = ({ of }: Gap): boolean => of === "changes";

/** Without these, somebody may be degraded whom nobody measures. */
const MEASURING: ReadonlySet<GapKind> = new Set(["metrics", "history", "targets", "pods"]);

/**
 * What is not known of the signals of these services; empty where all is. `services` empty: of any. "Nothing is worse" may be
 * said only of what is measured (S9).
 */
export const unheardMetrics = (gaps: readonly Gap[], services: readonly string[]): readonly Gap[] =>
  gaps.filter((gap) => MEASURING.has(gap.of) && speaksOf(gap, services));

const speaksOf = (gap: Gap, services: readonly string[]): boolean =>
  gap.services === undefined || services.length === 0 || gap.services.some((one) => services.includes(one));

/** A gap as a sentence without its end: whose, of what, and why. */
export function unheardText({ how, source, what, because }: Gap): string {
  if (how === "not-configured") return `${what} are unknown: ${because}`;
  if (how === "uncertain") return `${source}: ${because}`;
  return `${source} ${how === "partial" ? "does not show" : "did not say"} ${what}: ${because}`;
}

/** The same with since when, where that is known. */
export const gapText = (gap: Gap): string =>
  gap.since === undefined ? unheardText(gap) : `${unheardText(gap)} (since ${rfc3339(gap.since)})`;

/**
 * "no change", said of an incident; where sources of changes left something unsaid, or it is not known whether they did
 * (`unheard` undefined: an incident of before that was recorded), only of the changes that are known (S9, S15).
 */
export const noChangeText = (unheard: readonly string[] | undefined): string =>
  unheard?.length === 0 ? "no change" : "no known change";

/**
 * What speaks against the likeliest change as well as against "no change": what sources of changes did not say when the incident
 * was last judged, or that nobody wrote down whether they did; null: each said all. A sentence without its end.
 */
export function otherChangesText(unheard: readonly string[] | undefined): string | null {
  if (unheard === undefined) return "whether each source of changes answered was not recorded";
  return unheard.length === 0 ? null : `other changes may have been made: ${unheard.join("; ")}`;
}
