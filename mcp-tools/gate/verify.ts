import { brokenLevels } from "../../core/config/broken-levels.ts";
import type { Config } from "../../core/config/config.ts";
import { mergedTopology } from "../../core/correlation/call-graph.ts";
import { isLatency, isResource } from "../../core/detection/meaning.ts";
import { judgeRecovery, type RecoveryInput, type Unmeasured } from "../../core/guardrails/recovery.ts";
import { UNTIL_ANSWERED } from "../../core/model/asking.ts";
import { deedTime } from "../../core/model/deed.ts";
import type { FlagState, Rollout } from "../../core/model/evidence.ts";
import type { ConditionState } from "../../core/model/finding.ts";
import { type Baseline, type Incident, type Recovery, takenUpAt } from "../../core/model/incident.ts";
import type { Target, TargetResult } from "../../core/model/plan.ts";
import type { Patience, Sources } from "../../core/ports.ts";
import { type Concerned, createBystanders } from "./bystanders.ts";
import { createVerifyingReaders } from "./verify-reading.ts";

export interface VerifierParts {
  readonly config: Pick<Config, "policies" | "feedback" | "watch">;
  readonly sources: Pick<Sources, "metrics" | "rollouts" | "flags" | "topology">;
  /** How long a look waits for sources that are late; what they say is taken in by a later look. Default: until they answer. */
  readonly patience?: Patience;
}

/** A moment, and what the policies' conditions said then. */
export interface Seen {
  readonly at: number;
  readonly conditions: readonly ConditionState[];
}

/** The part of an incident that verification needs; all of it stands in the ledger (S5). */
export type Acted = Concerned & Pick<Incident, "baselines" | "timeline" | "trouble">;

/**
 * Looks once whether the system recovered after an act; ask again while the verdict is `pending`. Reads the signals
 * that were wrong, their services' traffic, and each target's rollout; a source that does not answer, or not yet, leaves its
 * part unknown. An answer that came late was asked for by an earlier look at the same act, so nothing that was seen before
 * the act ever proves its success. Never throws for a source. See `judgeRecovery` for what recovered means. `seen`: the
 * moment (Unix ms), and what the policies' conditions say then; those of the affected services and of the targets speak against
 * a recovery, those of other services do not.
 */
export function createVerifier({
  config,
  sources,
  patience = UNTIL_ANSWERED,
}: VerifierParts): (incident: Acted, seen: Seen, abort: AbortSignal) => Promise<Recovery> {
  const readers = createVerifyingReaders(sources, config.watch.stepMs);
  const bystandersOf = createBystanders();
  return async (incident, { at: now, conditions }, abort) => {
    const { baselines, unmeasured } = wrongSignals(incident);
    const { at: executedFrom, latest: executedAt } = actedAt(incident) ?? { at: now, latest: now };
    const lookingSince = takenUpAt(incident);
    const names = [...new Set([...baselines.map(({ metric }) => metric), "request_rate"])];
    const window = { from: executedFrom, to: now };
    const context = { now, abort, gaps: [], waiting: patience.begin() };
    const act = readers.about(JSON.stringify([incident.service, executedAt]), context);
    const [answers, rollouts, flags, graphs] = await Promise.all([
      Promise.all(names.map((metric) => act.metric(metric, window))),
      act.rollouts(),
      act.flags(),
      baselines.some(({ metric }) => isLatency(metric)) ? act.topology() : undefined,
    ]);
    const series = answers.flat();
    const beside = await bystandersOf(incident, baselines, series, mergedTopology(graphs ?? []), act.metric);
    return judgeRecovery({
      baselines,
      unmeasured: unmeasured.map((one) =>
        one.metric === HEALTH ? { ...one, ready: podsReady(one.service, rollouts) } : one,
      ),
      conditions: conditions.filter(({ service }) => isAffected(incident, service)),
      series,
      ...beside,
      acts: actsDone(incident.gate?.results ?? [], rollouts, sources.flags.length > 0, flags),
      brokenAt: brokenLevels(config.policies),
      executedAt,
      executedFrom,
      ...(lookingSince === null ? {} : { lookingSince }),
      now,
      timeoutMs: config.feedback.timeoutMs,
    });
  };
}

/** Whether a service is one that the incident is about, or that its act changed. */
function isAffected({ service, affectedServices, trouble = [], gate }: Acted, name: string): boolean {
  const targets = (gate?.results ?? []).map(({ target }) => target.service);
  return [service, ...affectedServices, ...trouble, ...targets].includes(name);
}

/** When the last target was taken back; where nothing is known to be written, when the plan was last submitted. */
function actedAt({ gate, timeline }: Acted): ReturnType<typeof deedTime> {
  const submitted = timeline.findLast(({ event }) => event === "submitted")?.at;
  return deedTime({ gate }) ?? (submitted === undefined ? null : { at: submitted, latest: submitted });
}

/** What rollouts and health checks find: readiness of the pods is its proof, with or without a history. */
const HEALTH = "health_check_failures";

interface WrongSignals {
  readonly baselines: readonly Baseline[];
  readonly unmeasured: readonly Unmeasured[];
}

/**
 * The baselines of the signals that were wrong, and of their services' traffic: the noise of a signal that never was
 * wrong must not look like a failed act. What was wrong and has none is `unmeasured`. Only where nothing was wrong by
 * itself, all baselines that there are have to do.
 */
function wrongSignals({ baselines, findings, conditions }: Acted): WrongSignals {
  const worse = findings.filter(({ verdict }) => verdict === "worse");
  const firing = conditions.filter(({ state }) => state === "firing");
  const signals = new Map(
    [...worse, ...firing].map(({ service, metric }) => [keyOf({ service, metric }), { service, metric }]),
  );
  const kept = baselines.filter((one) => signals.has(keyOf(one)));
  const measured = new Set(kept.map(keyOf));
  // The use of a resource that went up with the trouble hurts nobody by itself, unless it is what people declared bad.
  const declared = new Set(firing.map(keyOf));
  const unmeasured = [...signals]
    .filter(([key, { metric }]) => !measured.has(key) && (declared.has(key) || !isResource(metric)))
    .map(([, signal]) => signal);
  if (kept.length === 0 && unmeasured.length === 0) return { baselines, unmeasured };
  const services = new Set(kept.map(({ service }) => service));
  // Of traffic that was not wrong itself, only its return is asked: a surge is no failed act.
  const traffic = baselines
    .filter((one) => one.metric === "request_rate" && services.has(one.service) && !kept.includes(one))
    .map((one): Baseline => ({ ...one, worse: "down" }));
  return { baselines: [...kept, ...traffic], unmeasured };
}

const keyOf = ({ service, metric }: { readonly service: string; readonly metric: string }): string =>
  JSON.stringify([service, metric]);

/** Whether each target that was written, or may have been, stands at its restored version, completely. null: nobody answered. */
function actsDone(
  results: readonly TargetResult[],
  rollouts: readonly Rollout[] | undefined,
  flagsCanBeAsked: boolean,
  flags: readonly FlagState[] | undefined,
): RecoveryInput["acts"] {
  return results
    .filter(({ result }) => result === "done" || result === "nothing-to-do" || result === "unknown")
    .map(({ target, result }) => ({
      service: target.service,
      complete: result === "unknown" ? ("untold" as const) : stateOf(target),
      ...(target.action === "feature_flag_disable" ? { isFlag: true } : {}),
    }));

  function stateOf(target: Target): boolean | null {
    const { kind, namespace, name } = target.object;
    if (target.action === "feature_flag_disable") {
      // A switch has no rollout: where nobody else can be asked, the executor's answer stands.
      if (!flagsCanBeAsked) return true;
      const flag = flags?.find(
        (one) => one.key === name && (target.environment === undefined || one.environment === target.environment),
      );
      return flag === undefined ? null : !flag.enabled;
    }
    const rollout = rollouts?.find(
      ({ workload }) => workload.kind === kind && workload.namespace === namespace && workload.name === name,
    );
    return rollout === undefined ? null : isComplete(rollout, target.restore.version);
  }
}

/** Every rollout of a service is complete and all its pods are ready. null: none is known, or one of them is not. */
function podsReady(service: string, rollouts: readonly Rollout[] | undefined): boolean | null {
  const own = rollouts?.filter((one) => one.service === service) ?? [];
  return allOf(
    own.map(({ status, replicas }) =>
      status === "unknown" ? null : status === "complete" && replicas.ready >= replicas.desired,
    ),
  );
}

function allOf(states: readonly (boolean | null)[]): boolean | null {
  if (states.includes(false)) return false;
  return states.length === 0 || states.includes(null) ? null : true;
}

function isComplete({ status, version }: Rollout, wanted: string): boolean | null {
  if (status === "unknown") return null;
  return status === "complete" && version === wanted;
}
