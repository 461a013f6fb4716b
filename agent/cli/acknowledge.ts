import { parseDuration } from "../../core/config/durations.ts";
import { UnshipError } from "../../core/errors.ts";
import type { AcknowledgedAs } from "../../core/guardrails/acknowledged.ts";
import { durationText, rfc3339 } from "../../core/model/time.ts";
import { type Composition, EXIT, type ExitCode } from "./composition.ts";
import { type DeskOptions, personalToken } from "./desk.ts";
import { present } from "./output.ts";

export interface AcknowledgeOptions extends DeskOptions {
  /** A duration in Prometheus' spelling. */
  readonly for: string;
  readonly note?: string;
}

/**
 * `unship ack INCIDENT` and `unship snooze INCIDENT`: an approver stops the pages of one open incident for a time. It
 * changes no decision, plan or verification, and ends by itself.
 */
export async function acknowledge(
  to: Composition,
  incidentId: string,
  as: AcknowledgedAs,
  options: AcknowledgeOptions,
): Promise<ExitCode> {
  const { config } = await to.config(options, "no-sources");
  const { gate, ledger } = await to.desk(config);
  try {
    const incident = await ledger.incident(incidentId);
    if (incident === null) throw new UnshipError("incident.unknown", { incident: incidentId });
    const asked = { as, forMs: parseDuration(options.for) ?? Number.NaN, note: options.note ?? "" };
    const token = await personalToken(to, options, config);
    const { by, at, until } = await gate.acknowledge(incidentId, token, asked);
    const value = { incident: incidentId, as, by, at: rfc3339(at), until: rfc3339(until), note: asked.note };
    const done = as === "snooze" ? "Snoozed" : "Acknowledged";
    await present(to, options.json, value, [
      `${done} by ${by} for ${durationText(until - at)}, until ${rfc3339(until)}: nobody is paged of ${incidentId} (${incident.service}).`,
      "People are paged again when that is over and it is still degraded, or at once when something worse adds to it. Nothing else changes: what may be rolled back by itself still is.",
    ]);
    return EXIT.ok;
  } finally {
    await ledger.close();
  }
}
