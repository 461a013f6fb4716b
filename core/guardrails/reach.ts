import type { Config } from "../config/config.ts";
import type { Target } from "../model/plan.ts";
import { servicesOf, skeleton } from "./names.ts";
import type { InspectedTarget } from "./rule.ts";

/** The services that a target would change. `unmapped`: names that it reaches and that no service of the file has. */
export interface Reach {
  readonly services: readonly string[];
  readonly unmapped: readonly string[];
}

/**
 * Follows a target to every service: the one that the plan names, those of the file that its object belongs to, and
 * those that its own system says would change with it. What the system does not tell is not in it.
 */
export function reachOf({ target, state }: InspectedTarget, services: Config["services"]): Reach {
  const reached = (state?.reaches ?? []).map((name) => ({ name, owners: ownersOf(name, services) }));
  const own = servicesOf(target, services);
  return {
    services: [...new Set([target.service, ...own, ...reached.flatMap(({ owners }) => owners)])],
    unmapped: reached.filter(({ owners }) => owners.length === 0).map(({ name }) => name),
  };
}

/**
 * Each target once more for every service of the file that changes with it: whoever answers for an application or a
 * flag answers for all of these. Services that nobody has described are the rule reach's.
 */
export function reachedTargets(inspected: readonly InspectedTarget[], services: Config["services"]): readonly Target[] {
  return inspected.flatMap((one) =>
    reachOf(one, services)
      .services.filter((service) => service !== one.target.service)
      .map((service) => ({ ...one.target, service })),
  );
}

/** The services of the file that a name means: by their own name, or by workload, application or flag. */
function ownersOf(name: string, services: Config["services"]): readonly string[] {
  const looks = skeleton(name);
  return Object.entries(services)
    .filter(([service, { workload, argocdApplication, flags }]) =>
      [service, workload?.name, argocdApplication, ...flags].some((one) => one != null && skeleton(one) === looks),
    )
    .map(([service]) => service);
}
