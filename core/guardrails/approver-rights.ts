import type { Approver, Config } from "../config/config.ts";
import { ImpactLevel } from "../model/impact.ts";
import type { Target } from "../model/plan.ts";
import { skeleton } from "../model/skeleton.ts";
import { cleanText, name } from "../model/untrusted-text.ts";
import type { Approval } from "./gate-store.ts";
import { listedName, namesOf, servicesOf } from "./names.ts";

type Services = Config["services"];

const rank = (level: ImpactLevel): number => ImpactLevel.options.indexOf(level);

/** How much the most important service of a target matters; one that the file does not describe may be critical. */
export function criticalityOf(target: Target, services: Services): ImpactLevel {
  const described = Object.hasOwn(services, target.service);
  const levels = servicesOf(target, services).map((service) => services[service]?.criticality ?? "critical");
  return (described ? levels : [...levels, "critical" as const]).reduce<ImpactLevel>(
    (so, one) => (rank(one) > rank(so) ? one : so),
    "low",
  );
}

/**
 * Why a person may not answer for a target; null: they may. Their list of services counts by exact name, and must hold
 * every service that the object belongs to, whatever the plan calls it.
 */
export function whyNotFor(approver: Approver, target: Target, services: Services): string | null {
  const foreign = [target.service, ...servicesOf(target, services)].find(
    (service) => approver.services !== null && !approver.services.includes(service),
  );
  if (foreign !== undefined) return `${approver.name} may not answer for ${foreign}`;
  if (approver.actions !== null && !approver.actions.includes(target.action)) {
    return `${approver.name} may not answer for ${target.action}`;
  }
  const level = criticalityOf(target, services);
  if (rank(level) <= rank(approver.upTo)) return null;
  const what = Object.hasOwn(services, target.service) ? level : `${level} (the file does not describe it)`;
  return `${approver.name} may approve up to ${approver.upTo}, and ${target.service} is ${what}`;
}

/** Why a plan needs two people, one sentence a target; empty: one is enough. */
export function twoPersonReasons(
  targets: readonly Target[],
  { approval, services }: Pick<Config, "approval" | "services">,
): readonly string[] {
  return targets.flatMap((target) => {
    const level = criticalityOf(target, services);
    const fits = approval.twoPersons.some(
      (one) =>
        (one.services === null || listedName(namesOf(target, services), one.services) !== undefined) &&
        (one.actions === null || one.actions.includes(target.action)) &&
        (one.criticality === null || rank(level) >= rank(one.criticality)),
    );
    return fits ? [`${target.action} of ${target.service} (${level} importance) needs two people`] : [];
  });
}

/** The different people among these approvals, in the order in which they first said yes. */
export function peopleOf(approvals: readonly Approval[]): readonly string[] {
  const seen = new Map<string, string>();
  for (const { by } of approvals) if (!seen.has(skeleton(by))) seen.set(skeleton(by), by);
  return [...seen.values()];
}

/** How the record names whoever calls with an access token: its subject is outside text, told apart from our own names. */
export const oauthCaller = (subject: string): string => `oauth ${name(cleanText(subject, 80))}`;

/** Whether a plan was proposed by somebody whom only the subject of an access token names; errs towards yes. */
export const isByAccessToken = (proposedBy: string): boolean => skeleton(proposedBy).includes(skeleton("(oauth"));
