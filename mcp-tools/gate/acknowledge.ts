import type { z } from "zod";
import type { Approver } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import {
  ACKNOWLEDGEMENT_KINDS,
  type Acknowledged,
  acknowledgementOf,
  isQuiet,
  knownOf,
  whyNotSoLong,
} from "../../core/guardrails/acknowledged.ts";
import { type GateTransaction, LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { refused } from "../../core/guardrails/refusal.ts";
import type { Incident } from "../../core/model/incident.ts";
import { durationText } from "../../core/model/time.ts";
import { cleanText, name } from "../../core/model/untrusted-text.ts";
import type { Acknowledge, AcknowledgedUntil } from "../../core/ports.ts";
import type { GateParts } from "./parts.ts";

/** Longest note that an acknowledgement carries. */
const NOTE_CHARS = 1000;

/**
 * Writes down that an approver stops the pages of an incident, with what was known of it at that moment. The newest one
 * counts: a second one replaces the first, longer or shorter. Throws `incident.unknown`, `approval.refused` for a closed
 * incident or a person without the right to its service, `input.invalid` for a time that is too short or too long.
 */
export async function recordAcknowledgement(
  tx: Pick<GateTransaction, "now" | "append">,
  incidentId: string,
  incident: Incident | null,
  { as, forMs, note, by, via }: Acknowledge & { readonly by: Approver; readonly via: string },
): Promise<AcknowledgedUntil> {
  if (incident === null) throw new UnshipError("incident.unknown", { incident: name(incidentId) });
  if (incident.stage === "closed") {
    throw refused(`incident ${incident.id} is closed (${incident.outcome ?? "no outcome"})`);
  }
  if (by.services !== null && !by.services.includes(incident.service)) {
    throw refused(`${by.name} may not answer for ${incident.service}`);
  }
  const why = whyNotSoLong(forMs);
  if (why !== null) {
    throw new UnshipError("input.invalid", {
      what: `${as} for ${Number.isFinite(forMs) ? durationText(Math.max(0, forMs)) : "no time"}`,
      reason: why,
    });
  }
  const until = tx.now + Math.round(forMs);
  const body: z.infer<typeof Acknowledged> & { readonly via: string } = {
    as,
    until,
    note: cleanText(note, NOTE_CHARS),
    known: knownOf(incident),
    via,
  };
  await tx.append({
    kind: LEDGER_KINDS.incidentAcknowledged,
    incidentId: incident.id,
    planId: incident.plan?.id ?? null,
    actor: by.name,
    body,
  });
  return { by: by.name, at: tx.now, until };
}

/** Whether nobody is paged of an incident now; one that the ledger does not know, or a plan outside any, is never quiet. */
export async function isQuietNow({ store }: Pick<GateParts, "store">, incidentId: string): Promise<boolean> {
  const entries = await store.entries({ incidentId, kinds: ACKNOWLEDGEMENT_KINDS });
  const incident = entries.length === 0 ? null : await store.incident(incidentId);
  if (incident === null) return false;
  const now = await store.transact(async (tx) => tx.now);
  return isQuiet(acknowledgementOf(incident, entries, now));
}
