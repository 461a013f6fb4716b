import { parseDuration } from "../../core/config/durations.ts";
import { UnshipError } from "../../core/errors.ts";
import { type AcknowledgedAs, whyNotSoLong } from "../../core/guardrails/acknowledged.ts";
import { clockText, rfc3339 } from "../../core/model/time.ts";
import { escapeControls } from "../../core/model/untrusted-text.ts";
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
  const forMs = timeOf(options.for);
  const { config, file } = await to.config(options, "no-sources");
  const { gate, ledger } = await to.desk(config);
  try {
    const incident = await ledger.incident(incidentId);
    if (incident === null) throw new UnshipError("incident.unknown", { incident: incidentId });
    const asked = { as, forMs, note: options.note ?? "" };
    const token = await personalToken(to, options, {
      config,
      file,
      what: as === "snooze" ? "snooze" : "acknowledgement",
    });
    const { by, at, until } = await gate.acknowledge(incidentId, token, asked);
    const value = {
      incident: incidentId,
      as,
      by,
      at: rfc3339(at),
      until: rfc3339(until),
      note: escapeControls(asked.note),
    };
    const done = as === "snooze" ? "Snoozed" : "Acknowledged";
    await present(to, options.json, value, [
      `${done} by ${by}: no pages for ${incidentId} (${incident.service}) until ${clockText(until, at)} unless it gets worse. Automatic rollback is unaffected.`,
    ]);
    return EXIT.ok;
  } finally {
    await ledger.close();
  }
}

/** What `--for` says, ms. Throws `input.invalid` that names the bounds: before anything is read or asked for. */
function timeOf(text: string): number {
  const forMs = parseDuration(text);
  const why = whyNotSoLong(forMs ?? Number.NaN);
  if (forMs !== null && why === null) return forMs;
  const reason = forMs === null ? `Write a duration, such as 45m or 2h; ${why}` : `${why}`;
  throw new UnshipError("input.invalid", { what: `--for ${text}`, reason });
}
