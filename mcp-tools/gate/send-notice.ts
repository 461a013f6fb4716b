import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import type { Notice } from "../../core/ports.ts";
import { within } from "./gather.ts";
import type { GateLimits, GateParts } from "./parts.ts";

/** What a notice is about: an incident, and its plan where it is about one. */
export interface Subject {
  readonly incidentId: string;
  /** The plan's id; null: about the incident as a whole. */
  readonly id: string | null;
}

/** Sends one notice to each of `to`, and writes down which of them got it. */
export async function say(
  parts: Pick<GateParts, "store" | "notifier">,
  limits: GateLimits,
  subject: Subject,
  recipients: readonly string[],
  said: Said,
  about: Readonly<Record<string, unknown>>,
): Promise<void> {
  for (const to of recipients) await send(parts, limits, subject, to, said, about);
}

type Said = Pick<Notice, "title" | "symptom" | "lines" | "severity" | "asks">;

/** The same to one of them. A notifier that fails or hangs is an answer too: undelivered. */
export async function send(
  { store, notifier }: Pick<GateParts, "store" | "notifier">,
  limits: GateLimits,
  { incidentId, id: planId }: Subject,
  to: string,
  said: Said,
  about: Readonly<Record<string, unknown>>,
): Promise<void> {
  const notice = { incidentId, ...(planId === null ? {} : { planId }), ...said, to };
  const { delivered, detail } = await within(limits.noticeTimeoutMs, () => notifier.notify(notice)).catch(() => ({
    delivered: false,
    detail: "the notifier failed",
  }));
  const kind = delivered ? LEDGER_KINDS.noticeSent : LEDGER_KINDS.noticeUndelivered;
  await store.append({ kind, incidentId, planId, actor: "gate", body: { ...about, to, title: said.title, detail } });
}
