import { isDeclaredOnly } from "../correlation/harm.ts";
import { SURE_NATS } from "../correlation/passing.ts";
import type { CaseEvidence } from "../correlation/rank.ts";
import type { CaseFile } from "../model/assessment.ts";

/** What is said of what has no past: a sentence without its end. */
export const NOTHING_BEFORE = "nothing was measured of it before: whether it is worse is not known";

/** As few samples as no baseline is read from (see `baselines`). */
const LEAST_BEFORE = 5;

/** What is measured for as long as harm is held against (see `harm.ts`) has a past, be it as bad as its present. */
const PAST_MS = 1_800_000;

/** Beyond a policy's threshold, while no service is hurt more than before: what says so, or null. */
export function asBadAsBefore(caseFile: CaseFile, { worse, harm }: CaseEvidence): string | null {
  const told = caseFile.findings.filter(
    (one) => one.verdict === "worse" && worse.get(one.service)?.has(one.metric) === true,
  );
  if (!told.every(isDeclaredOnly)) return null;
  const surest = Math.max(...told.map(({ service }) => harm.get(service) ?? Number.NEGATIVE_INFINITY));
  return surest >= SURE_NATS ? null : (told[0]?.because ?? null);
}

/** Whether nothing was measured of what is degraded before its onset: a service that is new, or new to its monitoring. */
export function isNew({ series, at }: CaseFile, { worse, onset }: CaseEvidence): boolean {
  const signals = series.filter(
    ({ service, metric, labels }) => Object.keys(labels).length === 0 && worse.get(service)?.has(metric) === true,
  );
  return signals.every(({ startAt, stepMs, values }) => {
    const first = values.findIndex((value) => value !== null);
    if (first < 0 || at - (startAt + first * stepMs) >= PAST_MS) return false;
    const until = Math.floor((onset.earliest - startAt) / stepMs);
    return values.slice(0, Math.max(0, until)).filter((value) => value !== null).length < LEAST_BEFORE;
  });
}
