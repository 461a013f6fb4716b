import { ACKNOWLEDGEMENT_KINDS, acknowledgementOf, isQuiet } from "../../core/guardrails/acknowledged.ts";
import {
  type ActNotice,
  isPager,
  MAY_BE_SECOND,
  type NoticeRecord,
  noticeProgress,
  type OpenedAlert,
} from "../../core/guardrails/act-notice.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { incidentLines, incidentTitle } from "../../core/guardrails/incident-text.ts";
import { approvedIncidents, leftOut } from "../../core/guardrails/open-incidents.ts";
import { knownLevel } from "../../core/impact/worst-first.ts";
import type { KnownLevel } from "../../core/model/impact.ts";
import type { Incident } from "../../core/model/incident.ts";
import { clockText } from "../../core/model/time.ts";
import { name } from "../../core/model/untrusted-text.ts";
import type { Notice } from "../../core/ports.ts";
import type { WatchParts } from "./ports.ts";

/** A chat or pager that has not answered by then is taken for down: nothing waits longer for it. */
const NOTICE_TIMEOUT_MS = 5000;

/**
 * Notifies the targets of every policy that has a condition in force for this incident; of all policies if none has.
 * What could not be delivered stands in the ledger and is said on the terminal: nothing is told into the void. While
 * somebody has acknowledged the incident nobody is paged of it; that is recorded too, and the gate pages once more when the
 * acknowledgement is over.
 */
export async function tell(incident: Incident, parts: WatchParts, headline: string, at: number): Promise<void> {
  const recipients = recipientsOf(incident, parts);
  if (recipients.length === 0) return;
  const said = await saidOf(incident, parts, headline, at);
  const quiet = await whyQuiet(incident, parts, at);
  if (quiet !== null)
    return record(incident, parts, LEDGER_KINDS.noticeSuppressed, {
      to: recipients.join(", "),
      ...said,
      detail: quiet,
    });
  for (const to of recipients) await send(incident, parts, { ...said, to }, {});
}

const ENDED = "ended" as const satisfies ActNotice;

/** How an act ended, for people. `resolves`: the alerts that are over by it. */
export interface End {
  readonly planId: string;
  readonly headline: string;
  /** Whether pagers are alerted as well, as of an act that is not known to have helped; else chats alone hear of it. */
  readonly pages: boolean;
  readonly resolves: readonly OpenedAlert[];
}

/**
 * Notifies the same of how an act ended, each recipient once a plan, however often this is called and wherever the process is stopped
 * meanwhile: before each is sent the ledger says that it is about to be. A message that may have arrived already says so. Pagers that were
 * alerted of the incident are sent what is over. An acknowledgement keeps pagers quiet, and no chat. `records`: those of the incident's
 * notices.
 */
export async function tellOfEnd(
  incident: Incident,
  parts: WatchParts,
  { planId, headline, pages, resolves }: End,
  records: readonly NoticeRecord[],
): Promise<void> {
  const at = parts.clock.now();
  const pagers = [...new Set(resolves.map(({ to }) => to))];
  const named = recipientsOf(incident, parts).filter((to) => !pagers.includes(to) && (pages || !isPager(to)));
  if (named.length + pagers.length === 0) return;
  const said = await saidOf(incident, parts, headline, at);
  const quiet = await whyQuiet(incident, parts, at);
  for (const to of [...named, ...pagers]) {
    const about = { about: ENDED, plan: planId, to };
    const progress = noticeProgress(records, about);
    if (progress === "done" || records.some((one) => isSameNotice(one, planId, to, said.title))) continue;
    const over = resolves.filter((one) => one.to === to);
    if (quiet !== null && isPager(to) && over.length === 0) {
      await record(incident, parts, LEDGER_KINDS.noticeSuppressed, { ...about, ...said, detail: quiet });
      continue;
    }
    const body = { ...about, ...(over.length === 0 ? {} : { resolves: over.length }) };
    await append(incident, parts, LEDGER_KINDS.noticeBegun, { ...body, ...said });
    const lines = progress === "begun" ? [...said.lines, MAY_BE_SECOND] : said.lines;
    await send(incident, parts, { ...said, lines, to, ...(over.length === 0 ? {} : { resolves: over }) }, body);
  }
}

/** Whether a version that kept no such key sent the same of the same plan. */
const isSameNotice = (one: NoticeRecord, planId: string, to: string, title: string): boolean =>
  one.plan === planId && one.to === to && one.title === title && one.about === undefined;

/** What people read of an incident, under a headline. */
async function saidOf(incident: Incident, parts: WatchParts, headline: string, at: number): Promise<Said> {
  const open = await parts.ledger.incidents({ open: true }, leftOut);
  const approved = await approvedIncidents([incident, ...open], parts.ledger, at);
  return {
    // A service may be called like a part of another one, or like a word of any headline.
    title: `${name(incident.service)}: ${headline}`,
    lines: [
      incidentTitle(incident, at),
      ...incidentLines(incident, { now: at, open, services: parts.config.services, approved }),
    ],
    severity: SEVERITIES[knownLevel(incident)],
  };
}

type Said = Pick<Notice, "title" | "lines" | "severity">;

/** Sends one notice to one recipient and records what came of it, with `more` of what it is about. */
async function send(
  incident: Incident,
  parts: WatchParts,
  { to, resolves, ...said }: Said & Pick<Notice, "to" | "resolves">,
  more: object,
): Promise<void> {
  const notice = { incidentId: incident.id, ...said, to, ...(resolves === undefined ? {} : { resolves }) };
  const { delivered, detail } = await deliver(notice, parts);
  const kind = delivered ? LEDGER_KINDS.noticeSent : LEDGER_KINDS.noticeUndelivered;
  await record(incident, parts, kind, { ...more, to, ...said, detail });
}

/** `plan`: where it is not the incident's present one. */
type Recorded = Said & { readonly to: string; readonly detail: string; readonly plan?: string };

/** Writes down what came of a notice, and says it on the terminal. */
async function record(incident: Incident, parts: WatchParts, kind: NoticeKind, body: Recorded): Promise<void> {
  await append(incident, parts, kind, body);
  const { to, title, detail } = body;
  parts.emit({ at: parts.clock.now(), event: kind, text: `${to}: ${title} (${detail})`, incident });
}

const append = (
  { id, plan }: Incident,
  { ledger }: WatchParts,
  kind: string,
  { severity: _, ...body }: Omit<Recorded, "detail">,
) => ledger.append({ kind, incidentId: id, planId: body.plan ?? plan?.id ?? null, actor: "watch", body });

/** How loudly people hear of it; what nobody could measure may be the worst (S9). */
const SEVERITIES: Readonly<Record<KnownLevel, Notice["severity"]>> = {
  low: "warning",
  medium: "warning",
  high: "critical",
  critical: "critical",
  unknown: "critical",
};

type NoticeKind =
  | typeof LEDGER_KINDS.noticeSent
  | typeof LEDGER_KINDS.noticeUndelivered
  | typeof LEDGER_KINDS.noticeSuppressed;

function recipientsOf({ conditions }: Incident, { config }: WatchParts): readonly string[] {
  const inForce = new Set(
    conditions.filter(({ state }) => state === "firing" || state === "pending").map(({ policy }) => policy),
  );
  const policies = config.policies.filter(({ name }) => inForce.size === 0 || inForce.has(name));
  return [...new Set(policies.flatMap(({ notification }) => notification))];
}

/** Who acknowledged the incident and until when; null: nobody has, or it is over, and people are told. */
async function whyQuiet(incident: Incident, { ledger }: WatchParts, at: number): Promise<string | null> {
  const entries = await ledger.entries({ incidentId: incident.id, kinds: ACKNOWLEDGEMENT_KINDS });
  const known = acknowledgementOf(incident, entries, at);
  return isQuiet(known) ? `not sent: ${known.by} acknowledged it until ${clockText(known.until, at)}` : null;
}

/** The notifier's answer; an error or silence of its is an answer too. */
async function deliver(notice: Notice, parts: WatchParts): ReturnType<WatchParts["notifier"]["notify"]> {
  const { promise: over, resolve } = Promise.withResolvers<{ delivered: boolean; detail: string }>();
  const limit = parts.noticeTimeoutMs ?? NOTICE_TIMEOUT_MS;
  const timer = setTimeout(() => resolve({ delivered: false, detail: `no answer within ${limit} ms` }), limit);
  try {
    return await Promise.race([parts.notifier.notify(notice), over]);
  } catch (error) {
    return { delivered: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
