import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import type { Plan } from "../../core/model/plan.ts";
import type { Notice } from "../../core/ports.ts";
import { within } from "./gather.ts";
import type { GateLimits, GateParts } from "./parts.ts";
import { entry } from "./reserve.ts";

/** Sends one notice to each of `to`, and writes down which of them got it. */
export async function say(
  { store, notifier }: Pick<GateParts, "store" | "notifier">,
  limits: GateLimits,
  plan: Plan,
  recipients: readonly string[],
  said: Pick<Notice, "title" | "lines" | "severity" | "asks">,
  about: Readonly<Record<string, unknown>>,
): Promise<void> {
  for (const to of recipients) {
    const notice = { incidentId: plan.incidentId, planId: plan.id, ...said, to };
    const { delivered, detail } = await within(limits.noticeTimeoutMs, () => notifier.notify(notice)).catch(() => ({
      delivered: false,
      detail: "the notifier failed",
    }));
    const kind = delivered ? LEDGER_KINDS.noticeSent : LEDGER_KINDS.noticeUndelivered;
    await store.append(entry(plan, kind, { ...about, to, title: said.title, detail }));
  }
}
