import type { ConditionState } from "../model/finding.ts";
import type { Incident } from "../model/incident.ts";
import { durationText, rfc3339 } from "../model/time.ts";
import { name } from "../model/untrusted-text.ts";
import { clockText } from "./rule.ts";

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

/**
 * The same as people read them, a line each: "error_rate of payments: now 22 %, beyond 5 % for 1m40s of 3m; auto_rollback fires at
 * 20:14:05 UTC if it holds". As they were at the incident's last evaluation. Pure; `now`: Unix ms.
 */
export function conditionLines(incident: Pick<Incident, "stage" | "conditions">, now: number): readonly string[] {
  return activeConditions(incident).map(({ policy, service, metric, state, since, firesAt, because }) => {
    const what = `${name(metric)} of ${name(service)}: ${because}`;
    if (state === "firing") return `${what}; ${name(policy)} fires`;
    if (firesAt === null) return `${what}; ${name(policy)} is pending`;
    const of = since === null ? "" : ` of ${durationText(firesAt - since)}`;
    return `${what}${of}; ${name(policy)} fires at ${clockText(firesAt, now)} if it holds`;
  });
}

/** The same for machines. */
export const conditionViews = (incident: Pick<Incident, "stage" | "conditions">) =>
  activeConditions(incident).map(({ policy, condition, service, metric, state, value, since, firesAt, asOf }) => ({
    ...{ policy, condition, service, metric, state, value },
    since: rfc3339(since),
    fires_at: rfc3339(firesAt),
    as_of: rfc3339(asOf),
  }));
