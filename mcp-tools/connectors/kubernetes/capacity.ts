import type { TargetState } from "../../../core/ports.ts";
import { lessOf } from "../pod-capacity.ts";
import type { WorkloadKind } from "./client.ts";
import type { PodTemplate, WorkloadObject } from "./objects.ts";

/**
 * What the pods of `restore` would have less of than those of `present`, as `lessOf` compares them. The number of pods
 * is the present one: an undo changes the template and leaves `spec.replicas` and its autoscaler alone. Undefined where
 * either cannot be read.
 */
export function capacityOf(kind: WorkloadKind, object: WorkloadObject, restore: PodTemplate): TargetState["capacity"] {
  const less = lessOf({ present: object.spec.template, restored: restore });
  const replicas = kind === "DaemonSet" ? object.status.desiredNumberScheduled : object.spec.replicas;
  return less === null || replicas === undefined ? undefined : { replicas, less };
}
