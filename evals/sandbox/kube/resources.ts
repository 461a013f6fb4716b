import type { Plural } from "./objects.ts";

/** One kind of object as discovery describes it. */
export interface Resource {
  readonly group: "" | "apps";
  readonly version: "v1";
  readonly plural: Plural;
  readonly singular: string;
  readonly kind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Subresources that this server answers. */
  readonly subresources: readonly ("status" | "scale")[];
}

const named = (
  plural: Plural,
  kind: string,
  shortNames: readonly string[],
  rest: Partial<Resource> = {},
): Resource => ({
  group: "",
  version: "v1",
  plural,
  singular: kind.toLowerCase(),
  kind,
  shortNames,
  categories: [],
  namespaced: true,
  subresources: [],
  ...rest,
});

const workload = { group: "apps", categories: ["all"], subresources: ["status", "scale"] } as const;

/** Every kind that this server knows. @see https://kubernetes.io/docs/reference/kubectl/#resource-types */
export const RESOURCES: readonly Resource[] = [
  named("pods", "Pod", ["po"], { categories: ["all"], subresources: ["status"] }),
  named("services", "Service", ["svc"], { categories: ["all"], subresources: ["status"] }),
  named("configmaps", "ConfigMap", ["cm"]),
  named("events", "Event", ["ev"]),
  named("namespaces", "Namespace", ["ns"], { namespaced: false, subresources: ["status"] }),
  named("nodes", "Node", ["no"], { namespaced: false, subresources: ["status"] }),
  named("deployments", "Deployment", ["deploy"], workload),
  named("replicasets", "ReplicaSet", ["rs"], workload),
  named("statefulsets", "StatefulSet", ["sts"], workload),
  named("daemonsets", "DaemonSet", ["ds"], { ...workload, subresources: ["status"] }),
  named("controllerrevisions", "ControllerRevision", [], { group: "apps" }),
];

const BY_PLURAL = new Map(RESOURCES.map((resource) => [resource.plural, resource]));

/** The resource of this plural name. */
export function resourceOf(plural: Plural): Resource {
  const found = BY_PLURAL.get(plural);
  if (found === undefined) throw new Error(`no resource ${plural}`);
  return found;
}

export function findResource(group: string, plural: string): Resource | undefined {
  return RESOURCES.find((resource) => resource.group === group && resource.plural === plural);
}

export function resourceOfKind(apiVersion: string, kind: string): Resource | undefined {
  return RESOURCES.find((resource) => apiVersionOf(resource) === apiVersion && resource.kind === kind);
}

/** "v1" or "apps/v1". */
export function apiVersionOf({ group, version }: Resource): string {
  return group === "" ? version : `${group}/${version}`;
}

/** "deployments.apps", as error messages name a resource. */
export function qualified({ group, plural }: Resource): string {
  return group === "" ? plural : `${plural}.${group}`;
}
