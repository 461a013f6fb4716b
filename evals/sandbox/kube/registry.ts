import { randomUUID } from "node:crypto";
import { alreadyExists, conflict, notFound } from "./api-error.ts";
import { withDefaults } from "./defaults.ts";
import { type Json, objectAt, sameJson, withoutEmpties, withoutNulls } from "./json.ts";
import { type Author, withManagedFields } from "./managed-fields.ts";
import { type Kinds, type KubeObject, type Metadata, namespaceOf, type Plural } from "./objects.ts";
import { resourceOf } from "./resources.ts";
import type { Store } from "./store.ts";
import { validate } from "./validation.ts";

export interface RemoveOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
}

export interface WriteOptions extends Author {
  readonly dryRun?: boolean;
}

/** Objects with the rules of the API around every write; requests and controllers both go through here. */
export interface Registry {
  readonly store: Store;
  get<P extends Plural>(plural: P, namespace: string, name: string): Kinds[P] | undefined;
  list<P extends Plural>(plural: P, namespace?: string): readonly Kinds[P][];
  /** Creates the object with defaults, uid and generation. Throws 409 AlreadyExists, 422, 404 for the namespace. */
  create(plural: Plural, object: KubeObject, by: WriteOptions): KubeObject;
  /** Replaces the object. Throws 409 Conflict where its resourceVersion or uid is not the stored one, 404, 422. */
  update(plural: Plural, object: KubeObject, by: WriteOptions): KubeObject;
  /** Deletes, or marks as being deleted where a pod's grace period or a finalizer asks for it. Throws 404, 409. */
  remove(plural: Plural, namespace: string, name: string, options?: RemoveOptions): KubeObject;
  now(): number;
}

/** Kinds that count the changes of their spec. */
const WITH_GENERATION = new Set<Plural>(["deployments", "replicasets", "statefulsets", "daemonsets"]);
const WITHOUT_NULLS_EXCEPT = new Set<Plural>(["controllerrevisions"]);

export function createRegistry(store: Store, now: () => number): Registry {
  const timestamp = () => toTimestamp(now());

  const prepared = (plural: Plural, object: KubeObject): KubeObject => {
    if (WITHOUT_NULLS_EXCEPT.has(plural)) return object;
    return withDefaults(withoutNulls(object) as KubeObject);
  };

  const finish = (plural: Plural, object: KubeObject, dryRun: boolean | undefined): KubeObject =>
    dryRun === true ? object : store.put(plural, object);

  return {
    store,
    now,
    get: store.get,
    list: store.list,
    create(plural, object, by) {
      const resource = resourceOf(plural);
      const given = object.metadata;
      const name = given.name ?? generated(given.generateName);
      const namespace = namespaceOf(object);
      if (resource.namespaced && store.get("namespaces", "", namespace) === undefined)
        throw notFound(resourceOf("namespaces"), namespace);
      if (store.get(plural, namespace, name) !== undefined) throw alreadyExists(resource, name);
      const { resourceVersion: _, managedFields: __, deletionTimestamp: ___, ...rest } = given;
      const metadata: Metadata = {
        ...rest,
        name,
        uid: randomUUID(),
        ...(WITH_GENERATION.has(plural) ? { generation: 1 } : {}),
        creationTimestamp: timestamp(),
      };
      const ready = prepared(plural, { ...withoutStatus(plural, object), metadata });
      validate(resource, ready);
      return finish(plural, withManagedFields(ready, undefined, by, timestamp()), by.dryRun);
    },
    update(plural, object, by) {
      const resource = resourceOf(plural);
      const { name, resourceVersion, uid } = object.metadata;
      const previous = store.get(plural, namespaceOf(object), name);
      if (previous === undefined) throw notFound(resource, name);
      if (
        resourceVersion !== undefined &&
        resourceVersion !== "" &&
        resourceVersion !== previous.metadata.resourceVersion
      )
        throw conflict(resource, name);
      if (uid !== undefined && uid !== previous.metadata.uid)
        throw conflict(
          resource,
          name,
          `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${previous.metadata.uid}`,
        );
      const merged = prepared(plural, withServerFields(plural, object, previous, by.subresource));
      validate(resource, merged, previous);
      const generation = nextGeneration(plural, merged, previous, by.subresource);
      const counted = generation === undefined ? merged : { ...merged, metadata: { ...merged.metadata, generation } };
      const unchanged = sameApartFromManagers(counted, previous);
      if (unchanged && by.applied === undefined) return previous;
      const managed = withManagedFields(counted, previous, by, timestamp());
      if (unchanged && sameManagers(managed, previous)) return previous;
      if (by.dryRun !== true && managed.metadata.deletionTimestamp !== undefined && isReleased(plural, managed))
        return store.drop(plural, managed);
      return finish(plural, managed, by.dryRun);
    },
    remove(plural, namespace, name, options = {}) {
      const resource = resourceOf(plural);
      const found: KubeObject | undefined = store.get(plural, namespace, name);
      if (found === undefined) throw notFound(resource, name);
      const { uid, resourceVersion } = options.preconditions ?? {};
      if (uid !== undefined && uid !== found.metadata.uid)
        throw conflict(
          resource,
          name,
          `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${found.metadata.uid}`,
        );
      if (resourceVersion !== undefined && resourceVersion !== found.metadata.resourceVersion)
        throw conflict(
          resource,
          name,
          `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${found.metadata.resourceVersion}`,
        );
      if (options.dryRun === true) return found;
      const graceSeconds = graceOf(plural, found, options);
      const foreground = options.propagationPolicy === "Foreground";
      const finalizers = [...(found.metadata.finalizers ?? []), ...(foreground ? ["foregroundDeletion"] : [])];
      if (options.propagationPolicy === "Orphan") orphanDependents(found);
      if (graceSeconds === 0 && finalizers.length === 0) return store.drop(plural, found);
      const already = found.metadata.deletionTimestamp !== undefined;
      if (already && graceSeconds >= (found.metadata.deletionGracePeriodSeconds ?? 0) && !foreground) return found;
      const metadata: Metadata = {
        ...found.metadata,
        deletionTimestamp: toTimestamp(now() + graceSeconds * 1000),
        deletionGracePeriodSeconds: graceSeconds,
        ...(finalizers.length === 0 ? {} : { finalizers: [...new Set(finalizers)] }),
      };
      return store.put(plural, { ...found, metadata });
    },
  };

  function orphanDependents(owner: KubeObject): void {
    for (const plural of ["pods", "replicasets", "controllerrevisions"] as const) {
      for (const one of store.list(plural, namespaceOf(owner)) as readonly KubeObject[]) {
        const left = (one.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid);
        if (left.length === (one.metadata.ownerReferences ?? []).length) continue;
        const { ownerReferences: _, ...metadata } = one.metadata;
        store.put(plural, { ...one, metadata: left.length === 0 ? metadata : { ...metadata, ownerReferences: left } });
      }
    }
  }
}

/** RFC 3339 in whole seconds, as the API writes times. */
export function toTimestamp(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}

/** Letters and digits that the API uses in generated names, so that no word appears by chance. */
export const NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

function generated(prefix = ""): string {
  const letters = [...randomUUID().replaceAll("-", "")].slice(0, 10);
  const pairs = [0, 2, 4, 6, 8].map((at) => Number.parseInt(`${letters[at]}${letters[at + 1]}`, 16));
  return `${prefix}${pairs.map((value) => NAME_ALPHABET[value % NAME_ALPHABET.length]).join("")}`;
}

const hasStatus = (plural: Plural) => resourceOf(plural).subresources.includes("status");

/** What a request may not set at creation. A pod starts as Pending. */
function withoutStatus(plural: Plural, object: KubeObject): KubeObject {
  if (!hasStatus(plural)) return object;
  const { status: _, ...rest } = object;
  return plural === "pods" ? { ...rest, status: { phase: "Pending", qosClass: "BestEffort" } } : rest;
}

/** The written object with what only the server sets, and with the half that this endpoint does not write. */
function withServerFields(
  plural: Plural,
  object: KubeObject,
  previous: KubeObject,
  subresource: "status" | "scale" | undefined,
): KubeObject {
  const { uid, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds, resourceVersion } =
    previous.metadata;
  const metadata: Metadata = {
    ...object.metadata,
    ...defined({ uid, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds, resourceVersion }),
  };
  if (!hasStatus(plural)) return { ...object, metadata };
  if (subresource === "status") {
    const { spec: _, ...rest } = object;
    const labels = defined({ labels: previous.metadata.labels });
    return { ...rest, metadata: { ...metadata, ...labels }, ...defined({ spec: previous.spec }) };
  }
  const { status: _, ...rest } = object;
  return { ...rest, metadata, ...defined({ status: previous.status }) };
}

function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

const semantic = (value: Json | undefined): Json | undefined =>
  value === undefined ? undefined : withoutEmpties(value);

/** A Deployment's annotations count too, since they are copied to its ReplicaSets; a write of the status never counts. */
function nextGeneration(
  plural: Plural,
  next: KubeObject,
  previous: KubeObject,
  subresource: "status" | "scale" | undefined,
): number | undefined {
  if (!WITH_GENERATION.has(plural)) return undefined;
  const { generation = 1 } = previous.metadata;
  if (subresource === "status") return generation;
  const specChanged = !sameJson(semantic(next.spec), semantic(previous.spec));
  const noted = !sameJson(semantic(next.metadata.annotations), semantic(previous.metadata.annotations));
  return specChanged || (noted && plural === "deployments") ? generation + 1 : generation;
}

function sameApartFromManagers(next: KubeObject, previous: KubeObject): boolean {
  const plain = ({ metadata: { managedFields: _, ...metadata }, ...rest }: KubeObject): KubeObject => ({
    ...rest,
    metadata,
  });
  return sameJson(plain(next), plain(previous));
}

function isReleased(plural: Plural, object: KubeObject): boolean {
  return (object.metadata.finalizers ?? []).length === 0 && plural !== "pods";
}

/** Seconds that a deletion waits: only a pod has any. */
function graceOf(plural: Plural, object: KubeObject, { gracePeriodSeconds }: RemoveOptions): number {
  if (plural !== "pods") return 0;
  const own = objectAt(object.spec).terminationGracePeriodSeconds;
  return gracePeriodSeconds ?? (typeof own === "number" ? own : 30);
}

/** Whether the same managers own the same fields, whenever they last wrote. */
function sameManagers(one: KubeObject, other: KubeObject): boolean {
  const entries = ({ metadata }: KubeObject) => (metadata.managedFields ?? []).map(({ time: _, ...rest }) => rest);
  return sameJson(entries(one) as unknown as Json, entries(other) as unknown as Json);
}
