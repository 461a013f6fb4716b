import { believableRollouts, silentAfter } from "../../core/detection/silence.ts";
import type { Assessment, CaseFile } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import { active, worse } from "./incident-state.ts";

/**
 * The signals that made this incident and of which nothing is known at the moment, as "service metric". Silence is
 * neither trouble nor its end (S9): only a signal that is read and found well says that trouble is over. `stepMs`: the
 * watch's step.
 */
export function unseen(
  incident: Incident,
  assessment: Assessment,
  caseFile: CaseFile,
  stepMs: number,
): readonly string[] {
  const believed = { ...caseFile, rollouts: believableRollouts(caseFile.rollouts, caseFile.at, stepMs) };
  const whole = worse(incident.findings).filter(({ labels }) => Object.keys(labels).length === 0);
  const wrong = new Map(
    [...whole, ...active(incident.conditions)].map((one) => [`${one.service} ${one.metric}`, one] as const),
  );
  return [...wrong]
    .filter(([, { service, metric }]) => !isSeen(service, metric, assessment, believed))
    .map(([key]) => key);
}

function isSeen(service: string, metric: string, assessment: Assessment, caseFile: CaseFile): boolean {
  const is = (one: { readonly service: string; readonly metric: string }) =>
    one.service === service && one.metric === metric;
  const findings = assessment.findings.filter((one) => is(one) && Object.keys(one.labels).length === 0);
  const conditions = assessment.conditions.filter(is);
  if (findings.some(({ verdict }) => verdict === "unknown") || conditions.some(({ state }) => state === "unknown"))
    return false;
  if (findings.length > 0 || conditions.length > 0) return true;
  const own = caseFile.rollouts.filter((rollout) => rollout.service === service);
  if (metric === "health_check_failures" && own.length > 0) return own.every(({ status }) => status !== "unknown");
  return caseFile.series.some((series) => {
    if (!is(series)) return false;
    const newest = series.values.findLastIndex((value) => value !== null);
    return newest >= 0 && caseFile.at - (series.startAt + newest * series.stepMs) <= silentAfter(series.stepMs);
  });
}
