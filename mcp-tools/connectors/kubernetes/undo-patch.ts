import type { Patch } from "./client.ts";
import type { HistoryEntry, Workload } from "./history.ts";
import type { Meta } from "./objects.ts";
import { withoutHash } from "./template.ts";

/**
 * The write that restores one entry of a workload's history, and nothing but if the object is still the one that was
 * read: that of a Deployment or Rollout carries a `test` of resourceVersion (RFC 6902 §4.6), the others' the resourceVersion
 * itself.
 *
 * The template's part is what `kubectl rollout undo` sends. Annotations are added one by one; kubectl replaces the
 * whole map of a Deployment with the ReplicaSet's, and so drops those that others put there since.
 */
export function undoPatch(
  { kind, object }: Workload,
  entry: HistoryEntry,
  annotations: Readonly<Record<string, string>>,
): Patch {
  const { resourceVersion } = object.metadata;
  if (kind === "StatefulSet" || kind === "DaemonSet")
    return {
      contentType: "application/strategic-merge-patch+json",
      body: { ...entry.data, metadata: { resourceVersion, annotations } },
    };
  return {
    contentType: "application/json-patch+json",
    body: [
      { op: "test", path: "/metadata/resourceVersion", value: resourceVersion },
      { op: "replace", path: "/spec/template", value: withoutHash(entry.template) },
      ...addAnnotations(object.metadata, annotations),
    ],
  };
}

/** The operations of a JSON patch that set these annotations and leave all others. */
export function addAnnotations(
  { annotations: present }: Pick<Meta, "annotations">,
  annotations: Readonly<Record<string, string>>,
): readonly { readonly op: "add"; readonly path: string; readonly value: unknown }[] {
  const none = Object.keys(present).length === 0;
  return [
    ...(none ? [{ op: "add" as const, path: "/metadata/annotations", value: {} }] : []),
    ...Object.entries(annotations).map(([key, value]) => ({
      op: "add" as const,
      path: `/metadata/annotations/${pointer(key)}`,
      value,
    })),
  ];
}

/** RFC 6901 §3. */
function pointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
