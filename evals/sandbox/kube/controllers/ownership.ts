import {
  controllerOf,
  controllerReference,
  isControlledBy,
  type Kinds,
  type KubeObject,
  type LabelSelector,
  namespaceOf,
  type Plural,
} from "../objects.ts";
import type { Registry } from "../registry.ts";
import { selects } from "../selectors.ts";
import type { StoreEvent } from "../store.ts";

export const CONTROLLER = { manager: "kube-controller-manager" } as const;
export const CONTROLLER_STATUS = { manager: "kube-controller-manager", subresource: "status" } as const;

export function keyOf(object: KubeObject): string {
  return `${namespaceOf(object)}/${object.metadata.name}`;
}

/** The object under a key, undefined once it is gone. */
export function objectOf<P extends Plural>(registry: Registry, plural: P, key: string): Kinds[P] | undefined {
  const [namespace = "", name = ""] = key.split("/");
  return registry.get(plural, namespace, name);
}

/** Keys of a kind's own events and of those of the objects that it controls. */
export function ownOrControlled(plural: Plural, kind: string, dependents: readonly Plural[]) {
  return (event: StoreEvent): readonly string[] => {
    if (event.plural === plural) return [keyOf(event.object)];
    if (!dependents.includes(event.plural)) return [];
    const owners = [event.object, event.previous].map((object) =>
      object === undefined ? undefined : controllerOf(object),
    );
    const names = new Set(owners.flatMap((owner) => (owner?.kind === kind ? [owner.name] : [])));
    return [...names].map((name) => `${namespaceOf(event.object)}/${name}`);
  };
}

/**
 * The objects that `owner` controls. One that matches the selector and has no controller is adopted; one that it
 * controls and that no longer matches is released.
 */
export function claimed<P extends "pods" | "replicasets" | "controllerrevisions">(
  registry: Registry,
  plural: P,
  owner: KubeObject,
  selector: LabelSelector,
): readonly Kinds[P][] {
  const result: Kinds[P][] = [];
  for (const object of registry.list(plural, namespaceOf(owner))) {
    const matches = selects(selector, object.metadata.labels);
    const free = controllerOf(object) === undefined && object.metadata.deletionTimestamp === undefined;
    if (isControlledBy(object, owner)) {
      if (matches || plural === "controllerrevisions") result.push(object);
      else release(registry, plural, object, owner);
    } else if (matches && free && owner.metadata.deletionTimestamp === undefined) {
      const ownerReferences = [...(object.metadata.ownerReferences ?? []), controllerReference(owner)];
      const metadata = { ...object.metadata, ownerReferences };
      result.push(registry.update(plural, { ...object, metadata }, CONTROLLER) as Kinds[P]);
    }
  }
  return result;
}

function release(registry: Registry, plural: Plural, object: KubeObject, owner: KubeObject): void {
  const left = (object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid);
  const { ownerReferences: _, ...metadata } = object.metadata;
  const kept = left.length === 0 ? metadata : { ...metadata, ownerReferences: left };
  registry.update(plural, { ...object, metadata: kept }, CONTROLLER);
}
