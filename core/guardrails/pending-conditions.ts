import { unitOfMetric } from "../config/units.ts";
import { withUnit } from "../detection/meaning.ts";
import type { ConditionState, Finding } from "../model/finding.ts";
import type { Incident } from "../model/incident.ts";
import { clockText, durationText, rfc3339 } from "../model/time.ts";
import { name } from "../model/untrusted-text.ts";

/** The stages before anything of a plan is carried out, in which it matters what the policies of the file wait for. */
const BEFORE_AN_ACT: readonly Incident["stage"][] = ["detected", "investigated", "waiting-policy", "waiting-approval"];

/** The conditions of the file's policies that hold or are pending in an open incident, those that hold first, then by when they fire. */
export function activeConditions({
  stage,
  conditions,
}: Pick<Incident, "stage" | "conditions">): readonly ConditionState[] {
  if (!BEFORE_AN_ACT.includes(stage)) return [];
  return conditions
    .filter(({ state }) => state === "firing" || state === "pending")
    .toSorted((a, b) => (a.firesAt ?? 0) - (b.firesAt ?? 0));
}

/** So many are read in one glance; `--json` holds all. */
const LINES_SHOWN = 6;

/**
 * The same as people read them, a line a signal: "payments error_rate 22.0 % (before 0.300 %, this time of day 0.310 %); auto_rollback
 * fires at 20:14:05 UTC if it holds (1m40s of 3m)". Of a policy that fires by one of its conditions the pending ones are left out: any of
 * them is enough. Of more lines than people read the rest is a number. As they were at the incident's last evaluation. Pure; `now`: Unix ms.
 */
export function conditionLines(
  incident: Pick<Incident, "stage" | "conditions" | "findings">,
  now: number,
): readonly string[] {
  const signals = Map.groupBy(activeConditions(incident), ({ service, metric }) => JSON.stringify([service, metric]));
  const lines = [...signals.values()].flatMap((of) => signalLine(of, incident.findings, now));
  const left = lines.length - LINES_SHOWN;
  return left <= 1 ? lines : [...lines.slice(0, LINES_SHOWN), `and ${left} more signals: unship status --json`];
}

function signalLine(of: readonly ConditionState[], findings: readonly Finding[], now: number): readonly string[] {
  const [first] = of;
  if (first === undefined) return [];
  const { service, metric } = first;
  const found = findings.find(
    (one) =>
      one.service === service &&
      one.metric === metric &&
      one.verdict === "worse" &&
      Object.keys(one.labels).length === 0,
  );
  const newest = of.find(({ asOf, value }) => asOf !== undefined && value !== null) ?? first;
  const unit = found?.unit ?? unitOfMetric(metric) ?? "";
  const shown = (value: number) => withUnit(value, unit);
  const said =
    newest.value === null || metric === HEALTH
      ? `${name(service)} ${name(metric)}: ${first.because}`
      : `${name(service)} ${name(metric)} ${shown(newest.value)}${wasText(found, shown)}`;
  return [[said, ...policyTexts(of, now)].join("; ")];
}

const HEALTH = "health_check_failures";

function wasText(found: Finding | undefined, shown: (value: number) => string): string {
  const { baseline = null, season } = found ?? {};
  const was = [
    ...(baseline === null ? [] : [`before ${shown(baseline)}`]),
    ...(season === undefined ? [] : [`this time of day ${shown(season)}`]),
  ];
  return was.length === 0 ? "" : ` (${was.join(", ")})`;
}

/** What follows for each policy: those that fire together, then the others by when they do. */
function policyTexts(of: readonly ConditionState[], now: number): readonly string[] {
  const firing = new Set(of.filter(({ state }) => state === "firing").map(({ policy }) => name(policy)));
  const all = [...firing].join(" and ");
  const pending = of
    .filter(({ state, policy }) => state === "pending" && !firing.has(name(policy)))
    .map(({ policy, since, firesAt, asOf }) => {
      if (firesAt === null) return `${name(policy)} is pending`;
      const held =
        since === null ? "" : ` (${durationText((asOf ?? now) - since)} of ${durationText(firesAt - since)})`;
      return `${name(policy)} fires at ${clockText(firesAt, now)} if it holds${held}`;
    });
  return [...(firing.size === 0 ? [] : [`${all} fire${firing.size === 1 ? "s" : ""}`]), ...new Set(pending)];
}

/** The same for machines. */
export const conditionViews = (incident: Pick<Incident, "stage" | "conditions">) =>
  activeConditions(incident).map(
    ({ policy, condition, service, metric, state, value, since, firesAt, asOf, because }) => ({
      ...{ policy, condition, service, metric, state, value, because },
      since: rfc3339(since),
      fires_at: rfc3339(firesAt),
      as_of: rfc3339(asOf),
    }),
  );
