import { type JsonObject, objectAt } from "../json.ts";
import type { KubeObject, LabelSelector } from "../objects.ts";
import { selectorText } from "./columns.ts";

/** A workload as its Scale. @see https://kubernetes.io/docs/reference/kubernetes-api/autoscaling-resources/scale-v1/ */
export function scaleOf(object: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const fields = { name, namespace, uid, resourceVersion, creationTimestamp };
  const metadata = Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as typeof fields;
  const spec = objectAt(object.spec);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: metadata as KubeObject["metadata"],
    spec: { replicas: spec.replicas ?? 0 },
    status: {
      replicas: objectAt(object.status).replicas ?? 0,
      selector: selectorText(spec.selector as LabelSelector | undefined),
    },
  };
}

/** The workload with the replicas, and the precondition, of a written Scale. */
export function withScale(object: KubeObject, scale: JsonObject): KubeObject {
  const { resourceVersion } = objectAt(scale.metadata);
  const { replicas } = objectAt(scale.spec);
  const wanted = typeof resourceVersion === "string" ? resourceVersion : object.metadata.resourceVersion;
  return {
    ...object,
    metadata: { ...object.metadata, ...(wanted === undefined ? {} : { resourceVersion: wanted }) },
    spec: { ...objectAt(object.spec), replicas: replicas ?? 0 },
  };
}
