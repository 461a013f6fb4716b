import type { Draw } from "../scenarios/draw.ts";
import { linesOf } from "../scenarios/stories.ts";
import { type Fault, MINUTE, type PlannedChange, SECOND, type ServiceModel } from "../scenarios/world/model.ts";
import type { ApartPlot, ApartWorld } from "./apart-world.ts";
import { PODS_RECORDED } from "./pods.ts";

/** What tells a bad version from the one before it. */
export const TELLS = [
  "errors or latency by version",
  "log lines new in its version",
  "readiness",
  "growth with the rollout",
] as const;
export type Tell = (typeof TELLS)[number];

/** How strongly a service is degraded: from the ambiguous 5 % of requests to most of them, or 2 to 8 times as slow. */
function drawHarm(draw: Draw): Partial<Fault> {
  return draw.chance(0.6) ? { errors: draw.logUniform(0.05, 0.6) } : { latencyFactor: draw.logUniform(2, 8) };
}

/** A deploy of its own of a service, and the first moment at which its version serves. */
export function ownDeploy(
  world: ApartWorld,
  service: ServiceModel,
  at: number,
  rolloutMs: number,
): { readonly change: PlannedChange; readonly servesAt: number } {
  const change = world.changes.make("deploy", service, at, { rolloutMs });
  return { change, servesAt: change.shares.find(({ share }) => share > 0)?.at ?? change.startedAt };
}

/**
 * Its new version is bad: what `tell` says tells it from the old one, and nothing else does. A version that only logs tell
 * is brought within a minute or so; one that shows by its share of the traffic takes some minutes, and so does one whose
 * pods do not become ready, since a rollout waits for them before it replaces more (`maxUnavailable`:
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment).
 */
export function badVersion(world: ApartWorld, service: ServiceModel, at: number, tell: Tell): ApartPlot {
  const draw = world.draw.stream("bad");
  const slow = tell !== "log lines new in its version";
  const rolloutMs = slow ? draw.uniform(3, 8) * MINUTE : draw.uniform(0.5, 2) * MINUTE;
  const { change } = ownDeploy(world, service, at, rolloutMs);
  const shown =
    tell === "readiness" ? { unready: draw.uniform(0.4, 1), errors: draw.uniform(0.05, 0.4) } : drawHarm(draw);
  const fault: Fault = {
    because: change.id,
    service: service.name,
    from: change.startedAt,
    to: Number.POSITIVE_INFINITY,
    withVersion: true,
    ...shown,
    ...(tell === "log lines new in its version" ? { signature: "panic: runtime error in handler trace={hex}" } : {}),
  };
  return {
    name: `bad version, shown by ${tell}`,
    why: "the version that the service's own deploy brought is bad",
    changes: [change],
    faults: [fault],
    logs: tell === "log lines new in its version",
    versions: tell === "errors or latency by version" || tell === "log lines new in its version",
    ...(tell === "readiness" ? { pods: { of: [change], recorded: "pod by pod" } } : {}),
  };
}

/** Whose fault it is where the own deploy is innocent. */
export const CAUSES = ["an unmeasured callee", "an external", "nothing that is known"] as const;
export type Cause = (typeof CAUSES)[number];

/** One that the service is known to call, and how long after the start of its deploy it breaks. */
export interface KnownCallee {
  readonly what: string;
  readonly name: string;
  readonly afterMs: number;
}

/** What breaks at an instant is at full strength within this: a health check or two. */
const AT_ONCE_MS = 20 * SECOND;
/** And sooner than a rollout has made its first of at most four steps, with some room: else it would grow with the rollout. */
const STEPS_OF_ROLLOUT = 6;

/**
 * The service's own deploy is innocent: at the instant at which its version first serves (of a known callee, when that
 * says), something else breaks the service, both versions alike. Signals and lines say no version or the same of both, and
 * what is logged has been logged before, now and then. Its new pods start meanwhile, some slowly; in one case of three
 * probes ask what is broken, and take pods of either version.
 */
export function brokenMeanwhile(
  world: ApartWorld,
  service: ServiceModel,
  at: number,
  cause: Cause | KnownCallee,
): ApartPlot {
  const draw = world.draw.stream("meanwhile");
  const rolloutMs = draw.uniform(0.5, 8) * MINUTE;
  const { change, servesAt } = ownDeploy(world, service, at, rolloutMs);
  const instant = servesAt + draw.uniform(-5, 10) * SECOND;
  const from = typeof cause === "string" ? instant : change.startedAt + cause.afterMs;
  const lasts = draw.chance(0.5) ? Number.POSITIVE_INFINITY : draw.uniform(6, 15) * MINUTE;
  const known =
    cause === "nothing that is known"
      ? "request failed: unexpected response id={id}"
      : `${typeof cause === "string" ? calleeOf(cause) : cause.name}: connection timed out id={id}`;
  const logs = draw.chance(0.5);
  const ready = world.draw.stream("readiness");
  const fault: Fault = {
    because: null,
    service: service.name,
    from,
    to: from + lasts,
    rampMs: draw.chance(0.5) ? 0 : draw.uniform(0, Math.min(AT_ONCE_MS, rolloutMs / STEPS_OF_ROLLOUT)),
    ...drawHarm(draw),
    ...(ready.chance(1 / 3) ? { unready: ready.uniform(0.2, 1) } : {}),
    signature: known,
  };
  const before = { from: world.clock.historyStart, to: from };
  return {
    name: `own deploy unrelated, broken by ${typeof cause === "string" ? cause : cause.what}`,
    why: `${typeof cause === "string" ? cause : cause.what} broke the service while it was deployed`,
    changes: [change],
    faults: [fault],
    lines: logs ? linesOf(draw.stream("lines"), service.name, before, 0.4, { level: "error", messages: [known] }) : [],
    logs,
    versions: draw.chance(0.5),
    pods: { of: [change], recorded: ready.pick(PODS_RECORDED) },
    elsewhere:
      cause === "an unmeasured callee" && draw.chance(0.5)
        ? [{ service: calleeOf(cause), at: from - draw.uniform(5, 60) * SECOND }]
        : [],
  };
}

const calleeOf = (cause: Cause): string => (cause === "an external" ? "cards.example" : "ledger-core");
