import type { Workload } from "./history.ts";
import { templateMarks } from "./template.ts";

/** Which workload serves which service, as the configuration says. */
export interface ServiceWorkload {
  readonly service: string;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}

/**
 * The service that a workload belongs to: as configured, else its label app.kubernetes.io/name or app (its own, then
 * its pods'), else its name.
 */
export function serviceOf(
  { kind, object }: Pick<Workload, "kind" | "object">,
  services: readonly ServiceWorkload[],
): string {
  const { namespace, name, labels } = object.metadata;
  const known = services.find((one) => one.kind === kind && one.namespace === namespace && one.name === name);
  const pods = templateMarks(object.spec.template).labels;
  const label = (key: string) => labels[key] ?? pods[key];
  return known?.service ?? label("app.kubernetes.io/name") ?? label("app") ?? name;
}
