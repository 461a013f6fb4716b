import { isObject, type Json, type JsonObject, sameJson } from "./json.ts";
import type { KubeObject, ManagedFields } from "./objects.ts";

export interface Author {
  readonly manager: string;
  readonly subresource?: "status" | "scale";
  /** Of a server-side apply: the fields that it names, all of which the manager owns from then on. */
  readonly applied?: readonly string[];
}

/** Fields that the server itself writes; nobody owns them. */
const SERVER_OWNED = new Set([
  "name",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "managedFields",
]);

type Leaves = ReadonlyMap<string, Json>;

/**
 * Who last wrote which field, and when: the object with `metadata.managedFields` brought up to date for this write.
 *
 * Lists whose items have a `name`, `type` or `uid` are followed item by item, others as one value; the real server
 * takes the keys from its schema.
 *
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export function withManagedFields(
  next: KubeObject,
  previous: KubeObject | undefined,
  author: Author,
  time: string,
): KubeObject {
  const before = previous === undefined ? new Map<string, Json>() : leavesOf(previous);
  const after = leavesOf(next);
  const written = new Set(
    [...after].filter(([path, value]) => !sameJson(before.get(path), value)).map(([path]) => path),
  );
  const removed = [...before.keys()].filter((path) => !after.has(path));
  const earlier = previous?.metadata.managedFields ?? [];
  if (written.size === 0 && removed.length === 0 && author.applied === undefined) return withEntries(next, earlier);

  const lost = new Set([...written, ...removed]);
  const mine = earlier.find((entry) => isBy(entry, author));
  const others = earlier
    .filter((entry) => entry !== mine)
    .map((entry) => ({ ...entry, fieldsV1: nest(pathsIn(entry.fieldsV1).filter((path) => !lost.has(path))) }))
    .filter(({ fieldsV1 }) => Object.keys(fieldsV1).length > 0);
  const kept = mine === undefined ? [] : pathsIn(mine.fieldsV1).filter((path) => !lost.has(path));
  const own: ManagedFields = {
    manager: author.manager,
    operation: operationOf(author),
    apiVersion: next.apiVersion,
    time,
    fieldsType: "FieldsV1",
    // What an apply changes besides what it names is the server's own (defaults): nobody owns that.
    fieldsV1: nest(author.applied ?? [...kept, ...written]),
    ...(author.subresource === undefined ? {} : { subresource: author.subresource }),
  };
  return withEntries(next, Object.keys(own.fieldsV1).length === 0 ? others : [...others, own]);
}

const operationOf = ({ applied }: Author) => (applied === undefined ? "Update" : "Apply");

const isBy = (entry: ManagedFields, author: Author) =>
  entry.manager === author.manager &&
  entry.operation === operationOf(author) &&
  entry.subresource === author.subresource;

function withEntries(object: KubeObject, entries: readonly ManagedFields[]): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata: entries.length === 0 ? metadata : { ...metadata, managedFields: entries } };
}

/** Separates the steps of a path; no key of an object contains it. */
export const STEP = "\u0000";

export function leavesOf(object: KubeObject): Leaves {
  const leaves = new Map<string, Json>();
  const { apiVersion: _, kind: __, metadata, ...rest } = object;
  const owned = Object.fromEntries(Object.entries(metadata).filter(([key]) => !SERVER_OWNED.has(key)));
  collect(Object.keys(owned).length === 0 ? rest : { ...rest, metadata: owned }, [], leaves);
  return leaves;
}

function collect(value: Json, path: readonly string[], leaves: Map<string, Json>): void {
  const keyed = Array.isArray(value) ? keyedItems(value) : undefined;
  if (keyed !== undefined) {
    for (const [key, item] of keyed) collect(item, [...path, key], leaves);
  } else if (isObject(value) && Object.keys(value).length > 0) {
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined) collect(item, [...path, `f:${key}`], leaves);
    }
  } else if (path.length > 0) leaves.set(path.join(STEP), value);
}

function keyedItems(list: readonly Json[]): readonly (readonly [string, Json])[] | undefined {
  for (const key of ["name", "type", "uid"]) {
    const values = list.map((item) => (isObject(item) ? item[key] : undefined));
    if (values.length > 0 && values.every((value) => typeof value === "string") && new Set(values).size === list.length)
      return list.map((item, index) => [`k:${JSON.stringify({ [key]: values[index] })}`, item]);
  }
  return undefined;
}

export function pathsIn(fields: JsonObject, prefix: readonly string[] = []): readonly string[] {
  return Object.entries(fields).flatMap(([key, inner]) => {
    const path = [...prefix, key];
    return isObject(inner) && Object.keys(inner).length > 0 ? pathsIn(inner, path) : [path.join(STEP)];
  });
}

function nest(paths: readonly string[]): JsonObject {
  const groups = new Map<string, string[]>();
  for (const path of [...paths].sort()) {
    const [head = "", ...tail] = path.split(STEP);
    const inner = groups.get(head) ?? [];
    if (tail.length > 0) inner.push(tail.join(STEP));
    groups.set(head, inner);
  }
  return Object.fromEntries([...groups].map(([key, inner]) => [key, nest(inner)]));
}
