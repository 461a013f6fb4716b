import type { Incident } from "../../core/model/incident.ts";
import { rfc3339 } from "../../core/model/time.ts";
import type { TrafficReport } from "../sandbox/traffic/main.ts";
import type { SandboxWrite } from "../sandbox/writes.ts";

/** What the demo's last line says, and the moments it is made of (Unix ms). */
export interface DemoResult {
  readonly scenario: string;
  readonly onset: number;
  readonly incident: Incident | null;
  readonly postmortem: { readonly at: number; readonly path: string } | null;
}

export interface DemoMoments {
  readonly detectedAt: number | null;
  readonly decidedAt: number | null;
  readonly executedAt: number | null;
  readonly recoveredAt: number | null;
  readonly postmortemAt: number | null;
}

export function momentsOf({ incident, postmortem }: DemoResult): DemoMoments {
  const recovered = incident?.outcome === "recovered";
  return {
    detectedAt: incident?.detectedAt ?? null,
    decidedAt:
      incident?.timeline.find(({ event }) => event.startsWith(`decided: ${incident.decision?.action}`))?.at ?? null,
    executedAt: incident?.gate?.executedAt ?? null,
    recoveredAt: recovered ? (incident.recovery?.at ?? incident.closedAt) : null,
    postmortemAt: postmortem?.at ?? null,
  };
}

/** The demo's result for machines: absent fields are null. */
export function jsonResult(result: DemoResult) {
  const { incident, scenario, onset, postmortem } = result;
  const moments = momentsOf(result);
  const withdrawn = incident?.outcome === "withdrawn";
  const culprit = withdrawn ? null : (incident?.decision?.culprit ?? null);
  return {
    scenario,
    onset: rfc3339(onset),
    detected_at: rfc3339(moments.detectedAt),
    decided_at: rfc3339(moments.decidedAt),
    executed_at: rfc3339(moments.executedAt),
    recovered_at: rfc3339(moments.recoveredAt),
    culprit: culprit === null ? null : { change_id: culprit.changeId, probability: culprit.probability },
    action: incident === null || withdrawn || incident.decision === null ? "no_action" : incident.decision.action,
    guardrail: incident?.gate?.review.verdict ?? null,
    postmortem: postmortem?.path ?? null,
  };
}

export interface Judged {
  readonly ok: boolean;
  readonly reasons: readonly string[];
}

/** What was really done to the sandbox, and what its visitors really saw: the other side of the story. */
export interface Witness {
  readonly writes: readonly SandboxWrite[];
  readonly traffic: readonly TrafficReport[];
  /** The object that the scenario made bad: a Deployment's or a flag's name; null: none. */
  readonly culprit: string | null;
  readonly action: "rollback" | "feature_flag_disable" | "no_action";
}

/**
 * Whether the service recovered because of this rollback, by the sandbox's own record rather than by what unship says:
 * one write, on the guilty object, by nobody else; visitors served after it as before the break. For "no action": no
 * write at all.
 */
export function judge(result: DemoResult, { writes, traffic, culprit, action }: Witness): Judged {
  const foreign = writes.filter(({ own }) => !own);
  const said = jsonResult(result).action;
  const reasons: string[] = [];
  if (said !== action) reasons.push(`the decision was ${said}; right was ${action}`);
  if (action === "no_action") {
    if (foreign.length > 0) reasons.push(`the sandbox recorded ${foreign.length} writes; right was none`);
    return { ok: reasons.length === 0, reasons };
  }
  const { executedAt, recoveredAt } = momentsOf(result);
  if (executedAt === null || recoveredAt === null)
    reasons.push("there was no executed action that was followed by recovery");
  if (foreign.length !== 1) reasons.push(`the sandbox recorded ${foreign.length} writes; right was exactly one`);
  for (const write of foreign) {
    if (culprit === null || !write.path.split(/[/?]/).includes(culprit))
      reasons.push(`${write.method} ${write.path} is not on ${culprit}`);
  }
  if (executedAt !== null && recoveredAt !== null)
    reasons.push(...visitorReasons(traffic, result.onset, executedAt, recoveredAt));
  return { ok: reasons.length === 0, reasons };
}

/**
 * Visitors' failed share around recovery must not be worse than before the break. Ten seconds on each side: a few
 * hundred visits, enough that a share of five in a hundred would show.
 */
function visitorReasons(
  traffic: readonly TrafficReport[],
  onset: number,
  executedAt: number,
  recoveredAt: number,
): readonly string[] {
  const span = 10_000;
  const before = failedShare(traffic, onset - span, onset);
  const after = failedShare(traffic, recoveredAt - span / 2, recoveredAt + span / 2);
  if (before === null || after === null) return ["visitors' own record is too short to tell"];
  const reasons =
    after > before + 0.05
      ? [`visitors still see ${percent(after)} failures after recovery (before: ${percent(before)})`]
      : [];
  if (recoveredAt < executedAt) reasons.push("recovery stands before the action");
  return reasons;
}

function failedShare(traffic: readonly TrafficReport[], from: number, to: number): number | null {
  const part = traffic.filter(({ at }) => at > from && at <= to);
  const [failed, done] = part.reduce(
    ([bad, all], report) => [bad + report.failed, all + report.failed + report.answered],
    [0, 0],
  );
  return done === 0 ? null : failed / done;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
