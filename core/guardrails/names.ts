import type { Config } from "../config/config.ts";
import type { Target } from "../model/plan.ts";
import { skeleton } from "../model/skeleton.ts";

/** Names of workloads, flags and services in use are plain ASCII; anything else cannot be compared with certainty. */
export const isPlainName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._:@/-]*$/.test(name);

/** The names that one target goes by, each with what it is: for lists that restrict. */
export interface TargetName {
  readonly name: string;
  readonly what: "service" | "workload" | "application" | "flag" | "flag owner" | "object";
}

/**
 * Every name of a target: the service that the plan claims, the object that would change, and each configured
 * service that this object belongs to, whatever the plan says.
 */
export function namesOf(target: Target, services: Config["services"]): readonly TargetName[] {
  const { namespace, name } = target.object;
  const own: TargetName[] = [
    { name: target.service, what: "service" },
    { name, what: "object" },
    { name: `${namespace}/${name}`, what: "object" },
  ];
  const related = servicesOf(target, services).flatMap((service): readonly TargetName[] => {
    const names = namesOfService(service, services);
    const isFlag = target.action === "feature_flag_disable";
    return isFlag ? names.map((one) => (one.what === "service" ? { ...one, what: "flag owner" } : one)) : names;
  });
  return [...own, ...related];
}

/** The names that a service of the file goes by. */
export function namesOfService(service: string, services: Config["services"]): readonly TargetName[] {
  const { workload = null, argocdApplication = null } = services[service] ?? {};
  return [
    { name: service, what: "service" },
    ...(workload === null ? [] : [{ name: workload.name, what: "workload" } as const]),
    ...(argocdApplication === null ? [] : [{ name: argocdApplication, what: "application" } as const]),
  ];
}

/** The configured services that a target belongs to: by the name it claims, by workload, application or flag. */
export function servicesOf(target: Target, services: Config["services"]): readonly string[] {
  const object = skeleton(target.object.name);
  const claimed = skeleton(target.service);
  return Object.entries(services)
    .filter(([service, config]) => {
      const belongs = [service, config.workload?.name, config.argocdApplication, ...config.flags].some(
        (name) => name !== null && name !== undefined && skeleton(name) === object,
      );
      return belongs || skeleton(service) === claimed;
    })
    .map(([service]) => service);
}

/** The first of a target's names that a restricting list holds or resembles. */
export function listedName(
  names: readonly TargetName[],
  list: readonly string[],
): { readonly name: TargetName; readonly entry: string; readonly exact: boolean } | undefined {
  for (const exact of [true, false]) {
    for (const name of names) {
      const entry = list.find((one) => (exact ? one === name.name : skeleton(one) === skeleton(name.name)));
      if (entry !== undefined) return { name, entry, exact };
    }
  }
  return undefined;
}
