import type { Config } from "../config/config.ts";
import { compareImpact, knownLevel } from "../impact/worst-first.ts";
import type { Incident } from "../model/incident.ts";
import type { GateReview, Target } from "../model/plan.ts";
import { waitsForLimit } from "./common-limits.ts";

/** The plan of a worse incident, which waits for nothing but what all incidents share. */
export interface Rival {
  readonly planId: string;
  readonly incidentId: string;
  readonly service: string;
  readonly level: ReturnType<typeof knownLevel>;
  readonly targets: readonly Target[];
  /** When the plan expires, and with it its claim. */
  readonly expiresAt: number;
}

/**
 * The plans that go before a plan of `own` where something is scarce, worst first: those of open incidents that are worse
 * (`compareImpact`), are still degraded by a policy's condition, and whose live plan the gate would let run, or holds by
 * shared limits alone. A plan that waits for a person, or for a cooldown of its own service, keeps nobody back: nothing
 * says that it will run soon. `reviews`: what the gate last said of each plan, by the plan's id. The order is one for all
 * processes, so that no two plans ever wait for each other. Pure.
 */
export function rivalsOf(
  own: Incident,
  open: readonly Incident[],
  reviews: ReadonlyMap<string, GateReview>,
  { services, guardrails }: Pick<Config, "services" | "guardrails">,
  now: number,
): readonly Rival[] {
  return mayGoFirst(own, open, services, now).flatMap(({ id, service, plan, ...incident }) => {
    const review = plan === null ? undefined : reviews.get(plan.id);
    if (plan === null || review === undefined) return [];
    const rests = guardrails.cooldownScope === "service" && isAgainst(review, "cooldown");
    if (rests || !(review.verdict === "allow" || waitsForLimit(review))) return [];
    const { targets, expiresAt } = plan;
    return [{ planId: plan.id, incidentId: id, service, level: knownLevel(incident), targets, expiresAt }];
  });
}

/** The incidents whose plans may go before one of `own`, worst first, as far as their own records tell. */
export function mayGoFirst(
  own: Incident,
  open: readonly Incident[],
  services: Config["services"],
  now: number,
): readonly Incident[] {
  return open
    .filter(({ id, stage, plan, conditions }) => {
      if (id === own.id || stage === "verifying" || stage === "closed") return false;
      return plan !== null && plan.expiresAt > now && conditions.some(({ state }) => state === "firing");
    })
    .filter((one) => compareImpact(one, own, services) < 0)
    .toSorted((a, b) => compareImpact(a, b, services));
}

const isAgainst = ({ rules }: GateReview, name: string): boolean =>
  rules.some(({ rule, verdict }) => rule === name && verdict !== "allow");
