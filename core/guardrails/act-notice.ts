import { z } from "zod";
import type { Decision } from "../model/decision.ts";
import type { Incident } from "../model/incident.ts";
import type { LedgerEntry } from "../ports.ts";
import { LEDGER_KINDS } from "./gate-store.ts";

/**
 * People hear of each act twice: that something was executed in production, which the gate sends, and how that ended, which the watch
 * sends once it has verified it. Each is sent once a plan and recipient. Both read from the record how far a notice is, by this key:
 * what it is about, its plan, and to whom it goes.
 */
export type ActNotice = "acted" | "ended";

/** The kinds of entries that tell how far a notice is. */
export const NOTICE_KINDS = [
  LEDGER_KINDS.noticeDue,
  LEDGER_KINDS.noticeBegun,
  LEDGER_KINDS.noticeSent,
  LEDGER_KINDS.noticeUndelivered,
  LEDGER_KINDS.noticeSuppressed,
] as const;

const Body = z.looseObject({
  about: z.string().optional(),
  plan: z.string().optional(),
  to: z.string().optional(),
  title: z.string().optional(),
  heldBack: z.boolean().optional(),
  owner: z.string().optional(),
  leaseUntil: z.number().optional(),
  resolves: z.number().optional(),
});

/** One record of a notice, as far as it can be read. */
export interface NoticeRecord extends z.infer<typeof Body> {
  readonly kind: string;
}

/** What an entry says of a notice. Its body may name the plan where the entry names none. */
export function noticeRecord(entry: Pick<LedgerEntry, "kind" | "planId" | "body">): NoticeRecord {
  const read = Body.safeParse(entry.body);
  const body = read.success ? read.data : {};
  return { ...(entry.planId === null ? {} : { plan: entry.planId }), ...body, kind: entry.kind };
}

/** How far the notice of an act to one recipient is. `begun`: it may have arrived, and the record does not say so. */
export type NoticeProgress = "none" | "begun" | "done";

const ENDS: readonly string[] = [
  LEDGER_KINDS.noticeSent,
  LEDGER_KINDS.noticeUndelivered,
  LEDGER_KINDS.noticeSuppressed,
];

/** How far it is, from the records of its incident or plan. What was held back is done with: people hear of it in a digest. */
export function noticeProgress(
  records: readonly NoticeRecord[],
  key: { readonly about: ActNotice; readonly plan: string; readonly to: string },
): NoticeProgress {
  const own = records.filter(({ about, plan }) => about === key.about && plan === key.plan);
  const toThis = own.filter(({ to }) => to === key.to);
  if (own.some(({ heldBack }) => heldBack === true) || toThis.some(({ kind }) => ENDS.includes(kind))) return "done";
  return toThis.some(({ kind }) => kind === LEDGER_KINDS.noticeBegun) ? "begun" : "none";
}

/** Whether the gate notifies people of this act: that it was done, or that it stopped half-way. Then they hear of its end as well. */
export const isActTold = (records: readonly NoticeRecord[], planId: string): boolean =>
  records.some(
    ({ about, plan, heldBack }) => plan === planId && (about === "acted" || about === "stopped") && heldBack !== true,
  ) && !records.some(({ about, plan, heldBack }) => plan === planId && about === "acted" && heldBack === true);

/** What a message says that may come a second time. */
export const MAY_BE_SECOND = "This may have been sent before: unship was stopped while it was sent.";

/** An alert that a notice opened at a pager: a pager tells alerts apart by the incident, the plan and the title. */
export interface OpenedAlert {
  /** As the configuration names it: "pagerduty:oncall". */
  readonly to: string;
  readonly title: string;
  /** Absent: it is about the incident as a whole. */
  readonly planId?: string;
}

/** Targets that wake people, by the configuration's names. A chat is read by whoever is awake. */
export const isPager = (to: string): boolean => to.startsWith("pagerduty:");

/**
 * The alerts that notices of an incident opened at pagers, each once: those that were sent. `entries`: those of `NOTICE_KINDS` of the
 * incident. The watch sends what is about the incident as a whole, though the record names its plan of the time.
 */
export function openedAlerts(
  entries: readonly Pick<LedgerEntry, "kind" | "actor" | "planId" | "body">[],
): readonly OpenedAlert[] {
  const alerts = entries.flatMap((entry): readonly OpenedAlert[] => {
    const { kind, to, title, resolves } = noticeRecord(entry);
    if (kind !== LEDGER_KINDS.noticeSent || to === undefined || title === undefined) return [];
    if (!isPager(to) || resolves !== undefined) return [];
    return [{ to, title, ...(entry.actor === "watch" || entry.planId === null ? {} : { planId: entry.planId }) }];
  });
  return [...new Map(alerts.map((one) => [JSON.stringify([one.to, one.title, one.planId ?? null]), one])).values()];
}

/** What people hear of a decision to act, or to have people act: equal for decisions between which they need not be told. */
export const saidOfAct = ({ action, culprit, service }: Pick<Decision, "action" | "culprit" | "service">): string =>
  `${action} ${culprit?.changeId ?? service}`;

/**
 * Whether people were told something else of an incident last, so that what is about to be said of its decision would contradict
 * it. `said`: as `saidOfAct` has it. While nothing was told, nothing is contradicted.
 */
export const isToldOtherwise = ({ word }: Pick<Incident, "word">, said: string): boolean =>
  word !== undefined && word.said !== said;
