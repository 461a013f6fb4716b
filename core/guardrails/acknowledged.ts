import { z } from "zod";
import { knownLevel } from "../impact/worst-first.ts";
import { KnownLevel } from "../model/impact.ts";
import type { Incident } from "../model/incident.ts";
import { durationText } from "../model/time.ts";
import type { LedgerEntry } from "../ports.ts";
import { LEDGER_KINDS } from "./gate-store.ts";

/** `acknowledge`: somebody works on it. `snooze`: nobody needs to before it ends. Both stop the pages of one incident. */
export const AcknowledgedAs = z.enum(["acknowledge", "snooze"]);
export type AcknowledgedAs = z.infer<typeof AcknowledgedAs>;

/**
 * How long each lasts where nobody says, ms: on-call services page again half an hour after an acknowledgement by
 * default, and an hour is the shortest snooze that they offer.
 * @see https://support.pagerduty.com/main/docs/configurable-service-settings (acknowledgement timeout)
 * @see https://support.pagerduty.com/main/docs/incidents (snooze)
 */
export const USUAL_MS: Readonly<Record<AcknowledgedAs, number>> = { acknowledge: 30 * 60_000, snooze: 60 * 60_000 };
/** Shorter than this nobody works on anything; longer than a week nobody remembers. */
const SHORTEST_MS = 60_000;
const LONGEST_MS = 7 * 86_400_000;

/** Why pages cannot be stopped for so long (ms): a sentence that names both bounds; null: they can. */
export function whyNotSoLong(forMs: number): string | null {
  if (forMs >= SHORTEST_MS && forMs <= LONGEST_MS) return null;
  return `name a time from ${durationText(SHORTEST_MS)} to ${durationText(LONGEST_MS)}`;
}

/** What was known of an incident when it was acknowledged: what is worse than this is news. */
const Known = z.object({
  services: z.array(z.string()),
  /** Conditions in force, as `conditionName` names them. */
  conditions: z.array(z.string()),
  level: KnownLevel,
  /** How an act of ours had failed already; null: none had. */
  failed: z.string().nullable(),
});
export type Known = Readonly<z.infer<typeof Known>>;

/** The body of an entry `incident.acknowledged`; its actor is the approver, its `at` the ledger's time. */
export const Acknowledged = z.object({ as: AcknowledgedAs, until: z.number(), note: z.string(), known: Known });
/** The body of an entry `acknowledgement.ended`. `of`: the number of the acknowledgement's entry. */
const Ended = z.object({ of: z.number(), because: z.string() });

/** The kinds of entries that `acknowledgementOf` reads. */
export const ACKNOWLEDGEMENT_KINDS = [LEDGER_KINDS.incidentAcknowledged, LEDGER_KINDS.acknowledgementEnded] as const;

export interface Acknowledgement {
  /** The number of its entry. */
  readonly seq: number;
  readonly as: AcknowledgedAs;
  readonly by: string;
  readonly at: number;
  readonly until: number;
  readonly note: string;
  /** Why it holds no more, a sentence for each reason; empty: it holds, and nobody is paged. */
  readonly over: readonly string[];
  /** Its end was written down, and people were paged if there was a reason to. */
  readonly settled: boolean;
}

/** What is known of an incident now. */
export function knownOf(incident: Incident): Known {
  return {
    services: [...new Set([incident.service, ...incident.affectedServices])],
    conditions: [...new Set(firingOf(incident).map(conditionName))],
    level: knownLevel(incident),
    failed: failureOf(incident),
  };
}

/**
 * The newest acknowledgement of an incident, and whether it still holds at `now` (the ledger's time): not past its end, and
 * not overtaken by something worse than what was known when it was given. One that was overtaken stays so, whatever
 * comes and goes since. null: nobody acknowledged it, or it is closed. It stops pages and nothing else: no judgement, plan,
 * rule or verification reads it.
 * `entries`: those of `ACKNOWLEDGEMENT_KINDS` of this incident, oldest first. Pure.
 */
export function acknowledgementOf(
  incident: Incident,
  entries: readonly Pick<LedgerEntry, "seq" | "kind" | "actor" | "at" | "body">[],
  now: number,
): Acknowledgement | null {
  if (incident.stage === "closed") return null;
  const given = entries.findLast(({ kind }) => kind === LEDGER_KINDS.incidentAcknowledged);
  const read = Acknowledged.safeParse(given?.body);
  if (given === undefined || !read.success) return null;
  const { as, until, note, known } = read.data;
  const ended = entries.flatMap(({ kind, body }) => {
    const end = kind === LEDGER_KINDS.acknowledgementEnded ? Ended.safeParse(body).data : undefined;
    return end?.of === given.seq ? [end.because] : [];
  });
  const over = ended.length > 0 ? ended : now >= until ? ["its time is over"] : newsSince(known, incident);
  return { seq: given.seq, as, by: given.actor, at: given.at, until, note, over, settled: ended.length > 0 };
}

/** Whether nobody is paged of an incident, since somebody acknowledged it. */
export const isQuiet = (acknowledgement: Acknowledgement | null): acknowledgement is Acknowledgement =>
  acknowledgement !== null && acknowledgement.over.length === 0;

const LEVELS: readonly Known["level"][] = ["low", "unknown", "medium", "high", "critical"];
/** A level that nobody knew is news only where it turns out to be one that wakes people. */
const rank = (level: Known["level"]): number => LEVELS.indexOf(level === "unknown" ? "medium" : level);

/** What is worse now than what was known, a sentence each. */
function newsSince(known: Known, incident: Incident): readonly string[] {
  const now = knownOf(incident);
  const services = now.services.filter((one) => !known.services.includes(one));
  const conditions = firingOf(incident).filter((one) => !known.conditions.includes(conditionName(one)));
  return [
    ...(services.length === 0 ? [] : [`${services.join(", ")} became affected`]),
    ...(conditions.length === 0 ? [] : [`a condition began to hold: ${conditionsText(conditions)}`]),
    ...(rank(now.level) > rank(known.level) ? [`the impact rose from ${known.level} to ${now.level}`] : []),
    ...(now.failed === null || now.failed === known.failed ? [] : [now.failed]),
  ];
}

/** "error_rate > 5 % of cart, web (auto_rollback, human_review)": one text, with all of whom and for whom it holds. */
function conditionsText(conditions: Incident["conditions"]): string {
  const listed = (of: (one: Incident["conditions"][number]) => string, among: Incident["conditions"]) =>
    [...new Set(among.map(of))].join(", ");
  return [...Map.groupBy(conditions, ({ text }) => text)]
    .map(
      ([text, same]) =>
        `${text} of ${listed(({ service }) => service, same)} (${listed(({ policy }) => policy, same)})`,
    )
    .join("; ");
}

const firingOf = ({ conditions }: Incident) => conditions.filter(({ state }) => state === "firing");
const conditionName = ({ policy, text, service }: Incident["conditions"][number]): string =>
  `${text} of ${service} (${policy})`;

/** An act of ours that did not do what it should: no acknowledgement covers that beforehand. */
function failureOf({ gate, recovery }: Incident): string | null {
  if (recovery?.verdict === "not-recovered") return "the act did not bring recovery";
  return gate?.outcome === "stopped" ? `plan ${gate.planId} stopped half-way` : null;
}
