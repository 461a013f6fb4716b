import { failingAt, inThePast, isOfRevenue, revenueFigure } from "../../core/impact/impact-text.ts";
import { knownLevel } from "../../core/impact/worst-first.ts";
import { type Incident, isRecoveryConfirmed } from "../../core/model/incident.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import { percent, short, span } from "./figures.ts";
import { bullets, code, prose, section, sentence, table } from "./markdown.ts";
import { isOpen, recordedUntil, soFar } from "./open.ts";

/** Who was hurt, for how long and how much: figures where there are any, and what could not be computed. */
export function impactSection(incident: Incident, entries: readonly LedgerEntry[] = []): string | null {
  const { impact, onset, recovery, backSince } = incident;
  const isConfirmed = isRecoveryConfirmed(incident);
  const until = isConfirmed ? (recovery?.at ?? null) : (backSince ?? null);
  const hurt = span(onset?.at, until);
  const yet = span(onset?.at, recordedUntil(incident, entries));
  const duration =
    incident.joined !== undefined
      ? `How long it lasted is in ${code(incident.joined)}, where it went on.`
      : isOpen(incident) && hurt === null && yet !== null
        ? `It has lasted ${yet} so far, from onset to the newest entry of its record.`
        : hurt === null
          ? "How long it lasted is not known: " +
            (onset === null ? "its onset was not found." : "recovery was not confirmed.")
          : isConfirmed
            ? `It lasted ${hurt}, from onset to confirmed recovery; the signals may have been back before the confirmation.`
            : `It lasted ${hurt}, from onset until none of its signals was degraded any more.`;
  if (impact === null)
    return section(
      "Impact",
      soFar(incident, "The impact was not assessed.", "The impact has not been assessed so far."),
      duration,
    );
  const figures: readonly (readonly [string, string])[] = [
    ["Level", `**${knownLevel(incident)}**`],
    ["Affected services", impact.affectedServices.map((one) => code(one)).join(", ") || "none named"],
    [failedLabel(impact), orUnknown(impact.failedShare, percent)],
    ...(impact.slowShare == null
      ? []
      : [["Share of requests that became slow, at the worst service", percent(impact.slowShare)] as const]),
    ["Failed requests a second", orUnknown(impact.failedRequestsPerSecond, short)],
    ...revenueRow(impact),
    ...total(incident, until),
  ];
  const routes = impact.routes
    .slice(0, 5)
    .map((one) => `${code(one.service)} ${code(one.route)}: ${percent(one.failedShare)} failed`);
  return section(
    "Impact",
    table(["What", "How much"], figures),
    duration,
    impact.sentences
      .filter((one) => !isOfRevenue(one))
      .map((one) => sentence(soFar(incident, inThePast(one), one)))
      .join(" "),
    routes.length === 0 ? null : `Worst routes:\n\n${bullets(routes)}`,
    impact.unknown.length === 0 ? null : `Not computed: ${impact.unknown.map((what) => prose(what)).join("; ")}.`,
  );
}

/** Where users come in and most requests failed, by name where it is known. */
function failedLabel(impact: NonNullable<Incident["impact"]>): string {
  const where = failingAt(impact);
  return `Failed share of requests at its worst${where === null ? "" : `, at ${code(where)}`}`;
}

/** As every surface tells it; a record that has the figure alone is told by it; no row where nothing is at risk. */
function revenueRow(impact: NonNullable<Incident["impact"]>): readonly (readonly [string, string])[] {
  const { revenuePerMinute } = impact;
  if (revenuePerMinute !== null && Math.round(revenuePerMinute) === 0) return [];
  return [
    ["Revenue at risk", prose(revenueFigure(impact) ?? orUnknown(revenuePerMinute, (at) => `${short(at)} a minute`))],
  ];
}

const orUnknown = (value: number | null, words: (value: number) => string) =>
  value === null ? "unknown" : words(value);

/** An estimate whose row says what it assumes; no row where the rate or the end is not known. */
function total({ impact, onset }: Incident, until: number | null): readonly (readonly [string, string])[] {
  const rate = impact?.failedRequestsPerSecond ?? null;
  if (rate === null || onset === null || until === null) return [];
  const failed = (rate * Math.max(0, until - onset.at)) / 1000;
  return failed < 1
    ? []
    : [["Failed requests in all", `about ${short(Math.round(failed))} (estimate: worst rate × duration)`]];
}
