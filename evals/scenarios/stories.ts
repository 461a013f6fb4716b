import type { Draw } from "./draw.ts";
import type { Stage } from "./family.ts";
import { type Fault, type FixedLine, MINUTE, type PlannedChange, type ServiceModel } from "./world/model.ts";
import { season } from "./world/wander.ts";

/**
 * What several families tell with. Strengths: an error share from 2 % (the seed policy's ambiguous zone) to 60 %, a
 * slowdown from 1.6 to 8 times. RCAEval (Pham et al., WWW 2025) and PetShop (Hardt et al., CLeaR 2024) inject delays and losses of
 * these sizes; weaker ones are raised until they can be seen (visibility.ts), and nothing weaker is called faulty.
 */
export const ERRORS: readonly [number, number] = [0.02, 0.6];
export const SLOWER: readonly [number, number] = [1.6, 8];

const SIGNATURES = [
  "NullPointerException at Handler.apply(Handler.java:{n}) request={id}",
  "TypeError: cannot read properties of undefined (reading 'items') req={id}",
  "panic: runtime error: index out of range [{n}] with length 0 trace={hex}",
  "ValidationError: unknown enum value in response body id={id}",
  "SQLSTATE 42703: column does not exist in statement {id}",
  "KeyError: 'tenant' while handling request {id}",
  "could not deserialize payload: missing field id={id}",
];
const SLOW_SIGNATURES = [
  "handler took {ms}ms, budget exceeded request={id}",
  "lock wait of {ms}ms on pool 'default' id={id}",
  "N+1 query detected: {n} statements in request {id}",
];

export const signature = (draw: Draw): string => draw.pick(SIGNATURES);
export const slowSignature = (draw: Draw): string => draw.pick(SLOW_SIGNATURES);

/** The version that a deploy brings fails a share of its requests. */
export function failing(draw: Draw, change: PlannedChange, more: Partial<Fault> = {}): Fault {
  return {
    because: change.id,
    service: change.service,
    from: change.startedAt,
    to: Number.POSITIVE_INFINITY,
    withVersion: change.kind === "deploy",
    errors: draw.logUniform(...ERRORS),
    signature: signature(draw),
    main: true,
    ...more,
  };
}

/** The version that a deploy brings is slower. */
export function slow(draw: Draw, change: PlannedChange, more: Partial<Fault> = {}): Fault {
  return {
    because: change.id,
    service: change.service,
    from: change.startedAt,
    to: Number.POSITIVE_INFINITY,
    withVersion: change.kind === "deploy",
    latencyFactor: draw.logUniform(...SLOWER),
    signature: slowSignature(draw),
    main: true,
    ...more,
  };
}

/** Something outside of every change that makes a service fail for a while. */
export function outside(service: ServiceModel | string, from: number, to: number, more: Partial<Fault>): Fault {
  return { because: null, service: typeof service === "string" ? service : service.name, from, to, ...more };
}

/** A busy service with a busy caller of it. */
export function callerAndCallee(stage: Stage): { readonly caller: ServiceModel; readonly callee: ServiceModel } {
  const busy = new Set(stage.busy().map(({ name }) => name));
  const pairs = stage.system.calls.filter(
    ({ caller, callee, queue }) => !queue && busy.has(caller) && busy.has(callee),
  );
  const { caller, callee } = stage.draw.pick(pairs);
  return { caller: stage.service(caller), callee: stage.service(callee) };
}

/** A database with at least so many requests a second that several services share. */
export function sharedDatabase(stage: Stage, perSecond = 5): ServiceModel {
  return stage.draw.pick(
    stage.system.services.filter(
      ({ tier, name, expectedRate }) =>
        tier === "store" && name.endsWith("-db") && expectedRate >= perSecond && stage.callersOf(name).length > 1,
    ),
  );
}

/** Requests a second of a service at a moment, as the time of day has it. */
export const rateAt = (stage: Stage, { expectedRate }: ServiceModel, at: number): number =>
  expectedRate * season(stage.system.traffic, at);

/** Some minutes after a change has finished. */
export const afterwards = (change: PlannedChange, minutes: number): number =>
  (change.finishedAt ?? change.startedAt) + minutes * MINUTE;

/** Lines of one service, so many a minute on average, between two moments. */
export function linesOf(
  draw: Draw,
  service: string,
  span: { readonly from: number; readonly to: number },
  perMinute: number,
  { level, messages }: { readonly level: FixedLine["level"]; readonly messages: readonly string[] },
): readonly FixedLine[] {
  const lines: FixedLine[] = [];
  const next = () => draw.exponential(MINUTE / perMinute);
  for (let at = span.from + next(); at < span.to; at += next())
    lines.push({ at, service, level, message: draw.pick(messages) });
  return lines;
}

/** A change of `service` that is innocent, shortly before the moment when another one begins to hurt. */
export function decoy(
  stage: Stage,
  service: ServiceModel,
  minutesBefore: readonly [number, number] = [0.3, 4],
): PlannedChange {
  return stage.change("deploy", service, stage.moment - stage.draw.uniform(...minutesBefore) * MINUTE);
}
