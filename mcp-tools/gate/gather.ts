import type { Rival } from "../../core/guardrails/rivals.ts";
import type { InspectedTarget } from "../../core/guardrails/rule.ts";
import type { Assessment } from "../../core/model/assessment.ts";
import type { Plan, Target } from "../../core/model/plan.ts";
import type { Executor } from "../../core/ports.ts";
import { type GateLimits, type GateParts, MAX_TARGETS } from "./parts.ts";
import { readRivals } from "./read-rivals.ts";

/** What the gate found out itself, outside the transaction, before it judges a plan. */
export interface Gathered {
  readonly assessment: Assessment | null;
  readonly targets: readonly InspectedTarget[];
  /** Requests a second by service; absent or null: not asked for, or not known. */
  readonly traffic?: ReadonlyMap<string, number> | null;
  /** Plans of worse incidents that wait for what all share; absent: none. */
  readonly rivals?: readonly Rival[];
  /** Why there is no assessment, and why the traffic is not known; absent: it is there, or was not asked for. */
  readonly problems?: Problems;
}

interface Problems {
  readonly assessment?: string;
  readonly traffic?: string;
}

/**
 * Asks the gate's own assessment and each target's own system. Never throws: what could not be read is null, and
 * the rules say what follows from that (S9). Without an incident, as for a plan that was reserved before, no other plan goes first. Every question has a time limit, so that silence ends in an answer.
 */
export async function gather(
  plan: Pick<Plan, "targets"> & Partial<Pick<Plan, "incidentId">>,
  parts: GateParts,
  limits: GateLimits,
): Promise<Gathered> {
  const services = [...new Set(plan.targets.map(({ service }) => service))];
  const { trafficShare } = parts.config.blastRadius;
  const look = (target: Target) => inspect(target, executorFor(target, parts.executors), limits);
  const [assessed, targets, measured, rivals] = await Promise.all([
    told(within(limits.assessTimeoutMs, (abort) => parts.assess(services, parts.clock.now(), abort))),
    Promise.all(plan.targets.map((target, place) => (place < MAX_TARGETS ? look(target) : unseen(target)))),
    trafficShare === null || parts.traffic === undefined
      ? { value: null, problem: null }
      : told(within(limits.inspectTimeoutMs, parts.traffic)),
    plan.incidentId === undefined ? [] : readRivals(plan.incidentId, parts),
  ]);
  const problems = {
    ...(assessed.problem === null ? {} : { assessment: assessed.problem }),
    ...(measured.problem === null ? {} : { traffic: measured.problem }),
  };
  return { assessment: assessed.value, targets, traffic: measured.value, rivals, problems };
}

/** A plan of so many targets is denied for their number: nobody's API is asked about the rest. */
const unseen = (target: Target): InspectedTarget => ({
  target,
  state: null,
  problem: "not read: the plan is too large",
  executable: true,
});

/** An answer, or why there is none. */
async function told<T>(asked: Promise<T>): Promise<{ readonly value: T | null; readonly problem: string | null }> {
  try {
    return { value: await asked, problem: null };
  } catch (error) {
    return { value: null, problem: problemText(error) };
  }
}

export function executorFor(target: Target, executors: readonly Executor[]): Executor | undefined {
  return executors.find(({ action }) => action === target.action);
}

async function inspect(target: Target, executor: Executor | undefined, limits: GateLimits): Promise<InspectedTarget> {
  if (executor === undefined) {
    return { target, state: null, problem: `nothing here carries out ${target.action}`, executable: false };
  }
  try {
    const state = await within(limits.inspectTimeoutMs, (abort) => executor.inspect(target, abort));
    return { target, state, problem: null, executable: true };
  } catch (error) {
    return { target, state: null, problem: problemText(error), executable: true };
  }
}

/** Runs a question with a time limit; throws when it is over, even if the question ignores its signal. */
export async function within<T>(ms: number, ask: (abort: AbortSignal) => Promise<T>): Promise<T> {
  const control = new AbortController();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const reason = new DOMException(`no answer within ${ms} ms`, "TimeoutError");
    control.abort(reason);
    reject(reason);
  }, ms);
  try {
    return await Promise.race([ask(control.signal), over]);
  } finally {
    clearTimeout(timer);
  }
}

/** What may be shown of an error: ours as it reads, a time-out, and of anything else only that it failed (S10). */
export function problemText(error: unknown): string {
  if (error instanceof Error && (error.name === "UnshipError" || error.name === "TimeoutError")) return error.message;
  return "it failed";
}
