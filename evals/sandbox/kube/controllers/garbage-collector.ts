import { type KubeObject, namespaceOf, type Plural } from "../objects.ts";
import type { Registry } from "../registry.ts";
import { resourceOfKind } from "../resources.ts";
import type { Controller } from "./loop.ts";
import { CONTROLLER } from "./ownership.ts";

const DEPENDENTS = ["replicasets", "pods", "controllerrevisions"] as const satisfies readonly Plural[];

/**
 * Deletes what a deleted owner leaves, and in a foreground deletion lets the owner go once nothing is left. Deleting
 * a namespace deletes what is in it.
 *
 * @see https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
export function garbageCollector(registry: Registry): Controller {
  return {
    name: "garbage-collector",
    keysOf({ type, plural, object, previous }) {
      const waiting = object.metadata.deletionTimestamp !== undefined && plural !== "pods";
      const owners = (type === "DELETED" ? (previous?.metadata.ownerReferences ?? []) : []).flatMap((reference) => {
        const resource = resourceOfKind(reference.apiVersion, reference.kind);
        return resource === undefined
          ? []
          : [`${resource.plural}/${namespaceOf(object)}/${reference.name}/${reference.uid}`];
      });
      const own =
        type === "DELETED" || waiting
          ? [`${plural}/${namespaceOf(object)}/${object.metadata.name}/${object.metadata.uid}`]
          : [];
      return [...own, ...owners];
    },
    reconcile(key) {
      const [plural, namespace = "", name = "", uid = ""] = key.split("/");
      const stored: KubeObject | undefined = registry.get(plural as Plural, namespace, name);
      const owner = stored?.metadata.uid === uid ? stored : undefined;
      const foreground = owner?.metadata.finalizers?.includes("foregroundDeletion") === true;
      if (owner !== undefined && !foreground) return undefined;
      if (plural === "namespaces") return emptyNamespace(name);
      const left = dependentsOf(namespace, uid);
      for (const { plural: kind, object } of left) {
        if (object.metadata.deletionTimestamp !== undefined) continue;
        const propagationPolicy = foreground && kind === "replicasets" ? "Foreground" : "Background";
        registry.remove(kind, namespace, object.metadata.name, { propagationPolicy });
      }
      if (foreground && owner !== undefined && left.length === 0) {
        const finalizers = (owner.metadata.finalizers ?? []).filter((one) => one !== "foregroundDeletion");
        registry.update(plural as Plural, { ...owner, metadata: { ...owner.metadata, finalizers } }, CONTROLLER);
      }
      return undefined;
    },
  };

  function dependentsOf(namespace: string, uid: string) {
    return DEPENDENTS.flatMap((plural) =>
      (registry.list(plural, namespace) as readonly KubeObject[])
        .filter(({ metadata }) => metadata.ownerReferences?.some((reference) => reference.uid === uid) === true)
        .map((object) => ({ plural, object })),
    );
  }

  function emptyNamespace(name: string): undefined {
    for (const plural of [
      "deployments",
      "statefulsets",
      "daemonsets",
      ...DEPENDENTS,
      "configmaps",
      "services",
      "events",
    ] as const) {
      for (const object of registry.list(plural, name) as readonly KubeObject[])
        if (object.metadata.deletionTimestamp === undefined) registry.remove(plural, name, object.metadata.name);
    }
    return undefined;
  }
}
