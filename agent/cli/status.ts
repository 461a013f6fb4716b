import type { Incident } from "../../core/model/incident.ts";
import { durationText, rfc3339 } from "../../core/model/time.ts";
import { type Composition, EXIT, type ExitCode } from "./composition.ts";
import { type JsonOption, present } from "./output.ts";

const CLOSED_SHOWN = 5;

/** `unship status`: the mode, pauses, open incidents with what they wait for, and the last closed ones. */
export async function status(
  to: Composition,
  options: { readonly config?: string; readonly json?: JsonOption },
): Promise<ExitCode> {
  const { config, file } = await to.config(options);
  const ledger = await to.ledger(config);
  try {
    const [open, recent, pauses] = await Promise.all([
      ledger.incidents({ open: true }),
      ledger.incidents({ open: false, limit: CLOSED_SHOWN }),
      ledger.pauses(),
    ]);
    const closed = recent.filter(({ stage }) => stage === "closed").slice(0, CLOSED_SHOWN);
    const words = [
      `mode ${config.mode}${config.modeIsDefault ? " (the default: the file says none)" : ""}, configured in ${file}`,
      ...pauses.map(
        ({ scope, by, at }) =>
          `PAUSED: ${scope}, by ${by} at ${rfc3339(at)}; an approver resumes: unship resume ${scope}`,
      ),
      open.length === 0 ? "No incident is open." : `${open.length} open:`,
      ...open.flatMap((incident) => describe(incident, to.now())),
      ...(closed.length === 0 ? [] : ["Last closed:"]),
      ...closed.map(
        (incident) => `  ${incident.id}  ${incident.service}  ${incident.outcome}  ${rfc3339(incident.closedAt)}`,
      ),
    ];
    const value = { mode: config.mode, pauses, open: open.map(brief), closed: closed.map(brief) };
    await present(to, options.json, value, words);
    return EXIT.ok;
  } finally {
    await ledger.close();
  }
}

function brief(incident: Incident) {
  const { id, service, stage, outcome, decision, plan, ranking } = incident;
  return {
    id,
    service,
    stage,
    outcome,
    detected_at: rfc3339(incident.detectedAt),
    onset: rfc3339(incident.onset?.at),
    closed_at: rfc3339(incident.closedAt),
    action: decision?.action ?? null,
    culprit: decision?.culprit ?? null,
    no_change_probability: ranking?.noChangeProbability ?? null,
    plan: plan?.id ?? null,
  };
}

function describe(incident: Incident, now: number): readonly string[] {
  const { decision, plan, stage } = incident;
  const since = durationText(Math.max(0, now - (incident.onset?.at ?? incident.detectedAt)));
  return [
    `  ${incident.id}  ${incident.service}  ${stage}, for ${since}`,
    ...(decision === null ? [] : [`    ${decision.action}: ${decision.why.join(" ")}`]),
    ...(stage === "waiting-approval" && plan !== null
      ? [
          ...(incident.gate?.review.rules.map(({ rule, reason }) => `    held by ${rule}: ${reason}`) ?? []),
          `    approve with: unship approve ${plan.id}   refuse with: unship reject ${plan.id}`,
        ]
      : []),
  ];
}
