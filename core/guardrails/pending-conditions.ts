import type { ConditionState } from "../model/finding.ts";
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
 * The same as people read them, a line each: "error_rate of payments: now 22 %, beyond 5 % for 1m40s of 3m; auto_rollback fires at
 * 20:14:05 UTC if it holds". What holds for several policies is one line that names them; of more lines than people read the rest is
 * a number. As they were at the incident's last evaluation. Pure; `now`: Unix ms.
 */
export function conditionLines(incident: Pick<Incident, "stage" | "conditions">, now: number): readonly string[] {
  const same = Map.groupBy(activeConditions(incident), (one) => JSON.stringify([subjectOf(one), endOf(one, [], now)]));
  const lines = [...same.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [`${subjectOf(first)}${endOf(first, [first, ...others], now)}`],
  );
  const left = lines.length - LINES_SHOWN;
  return left <= 1 ? lines : [...lines.slice(0, LINES_SHOWN), `and ${left} more conditions: unship status --json`];
}

/** What is measured, named once also where the reason begins with it. */
function subjectOf({ metric, service, because }: ConditionState): string {
  const what = `${name(metric)} of ${name(service)}`;
  return because.startsWith(`${what} `) ? because : `${what}: ${because}`;
}

/** What follows from it for these policies. */
function endOf({ state, since, firesAt }: ConditionState, of: readonly ConditionState[], now: number): string {
  const policies = [...new Set(of.map(({ policy }) => name(policy)))].join(" and ");
  const one = policies.includes(" and ") ? "" : "s";
  if (state === "firing") return `; ${policies} fire${one}`;
  if (firesAt === null) return `; ${policies} ${one === "" ? "are" : "is"} pending`;
  const whole = since === null ? "" : ` of ${durationText(firesAt - since)}`;
  return `${whole}; ${policies} fire${one} at ${clockText(firesAt, now)} if it holds`;
}

/** The same for machines. */
export const conditionViews = (incident: Pick<Incident, "stage" | "conditions">) =>
  activeConditions(incident).map(({ policy, condition, service, metric, state, value, since, firesAt, asOf }) => ({
    ...{ policy, condition, service, metric, state, value },
    since: rfc3339(since),
    fires_at: rfc3339(firesAt),
    as_of: rfc3339(asOf),
  }));
