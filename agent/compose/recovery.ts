import type { Config } from "../../core/config/config.ts";
import { judgeRecovery } from "../../core/guardrails/recovery.ts";
import type { Incident, Recovery } from "../../core/model/incident.ts";
import type { Series } from "../../core/model/signal.ts";
import type { Sources } from "../../core/ports.ts";

/** Looks at what has come since the action and judges whether the signals that were wrong are back. */
export async function recoveryOf(
  incident: Incident,
  {
    config,
    sources,
    now,
    abort,
  }: { readonly config: Config; readonly sources: Sources; readonly now: number; readonly abort: AbortSignal },
): Promise<Recovery> {
  const executedAt =
    incident.gate?.executedAt ?? incident.timeline.findLast(({ event }) => event === "submitted")?.at ?? now;
  const wanted = new Set(["request_rate", ...incident.baselines.map(({ metric }) => metric)]);
  const series = await readSeries(sources, wanted, { from: executedAt, to: now }, config.watch.stepMs, abort);
  return judgeRecovery({
    baselines: incident.baselines,
    series,
    rolloutComplete: await rolloutsComplete(incident, sources, abort),
    brokenAt: brokenAt(config),
    executedAt,
    now,
    timeoutMs: config.feedback.timeoutMs,
  });
}

async function readSeries(
  sources: Sources,
  metrics: ReadonlySet<string>,
  window: { readonly from: number; readonly to: number },
  stepMs: number,
  abort: AbortSignal,
): Promise<readonly Series[]> {
  const asks = sources.metrics.flatMap((source) =>
    source
      .metrics()
      .flatMap((metric) =>
        metrics.has(metric) ? [source.range({ metric, window, stepMs, purpose: "statistics" }, abort)] : [],
      ),
  );
  // A source that does not answer leaves its signals unknown, and unknown is not recovered (S9).
  return (await Promise.allSettled(asks)).flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
}

/** Did every workload of the plan finish its rollout at the restored version? null: nobody could say. */
async function rolloutsComplete(incident: Incident, sources: Sources, abort: AbortSignal): Promise<boolean | null> {
  const workloads = (incident.plan?.targets ?? []).filter(({ action }) => action !== "feature_flag_disable");
  if (workloads.length === 0) return true;
  const answers = await Promise.allSettled(sources.rollouts.map((source) => source.rollouts(abort)));
  const rollouts = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  const states = workloads.map(({ object, restore }) => {
    const rollout = rollouts.find(
      ({ workload }) =>
        workload.kind === object.kind && workload.namespace === object.namespace && workload.name === object.name,
    );
    return rollout === undefined ? null : rollout.status === "complete" && rollout.version === restore.version;
  });
  if (states.includes(null)) return null;
  return states.every((complete) => complete === true);
}

/** The lowest rate at which a policy calls a metric broken. */
function brokenAt(config: Config): Readonly<Record<string, number>> {
  const lowest: Record<string, number> = {};
  for (const condition of config.policies.flatMap(({ conditions }) => conditions)) {
    if (condition.kind !== "threshold" || condition.comparison !== "greater_than") continue;
    lowest[condition.metric] = Math.min(lowest[condition.metric] ?? Number.POSITIVE_INFINITY, condition.threshold);
  }
  return lowest;
}
