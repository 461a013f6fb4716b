import { isObject, type Json, type JsonObject, sameJson } from "../json.ts";
import { type ItemKey, inOrderOf, itemKey, storageAfter } from "./element-order.ts";
import { MalformedPatch, PatchDoesNotApply } from "./json-patch.ts";
import type { PatchSchema } from "./patch-schema.ts";

const ORDER = "$setElementOrder/";
const DELETE_VALUES = "$deleteFromPrimitiveList/";

/**
 * Kubernetes' strategic merge: lists with a merge key are merged item by item, with the directives `$patch`,
 * `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…`. Throws where the API answers 400 or 422.
 *
 * @see https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function applyStrategicMerge(original: JsonObject, patch: JsonObject, schema: PatchSchema): JsonObject {
  const directive = patch.$patch;
  if (directive === "replace") return withoutDirectives(dropKey(patch, "$patch")) as JsonObject;
  if (directive === "delete") return {};
  if (directive !== undefined && directive !== "merge")
    throw new PatchDoesNotApply(`unknown patch directive ${JSON.stringify(directive)}`);

  const merged: Record<string, Json | undefined> = { ...retained(original, patch) };
  const ordered = new Set<string>();
  for (const [key, value] of Object.entries(patch)) {
    if (!key.startsWith(ORDER)) continue;
    const field = key.slice(ORDER.length);
    const list = orderedList(field, value, merged[field], patch[field], schema[field]);
    if (list !== undefined) merged[field] = list;
    if (list !== undefined) ordered.add(field);
  }
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined || key === "$retainKeys" || key === "$patch" || key.startsWith(ORDER) || ordered.has(key))
      continue;
    if (key.startsWith(DELETE_VALUES)) {
      const field = key.slice(DELETE_VALUES.length);
      const list = merged[field];
      if (!Array.isArray(value)) throw new MalformedPatch(`${key} must be a list`);
      if (Array.isArray(list)) merged[field] = list.filter((item) => !value.some((gone) => sameJson(gone, item)));
    } else if (value === null) delete merged[key];
    else merged[key] = mergedField(merged[key], value, schema[key]);
  }
  return merged;
}

function mergedField(original: Json | undefined, patch: Json, field: PatchSchema[string] | undefined): Json {
  if (isObject(original) && isObject(patch)) return applyStrategicMerge(original, patch, field?.inner ?? {});
  if (Array.isArray(original) && Array.isArray(patch) && field?.mergeKey !== undefined)
    return mergedList(original, patch, field.mergeKey, field.inner ?? {});
  return withoutDirectives(patch);
}

/** Takes away what `$retainKeys` does not name; a patch that sets another key is refused. */
function retained(original: JsonObject, patch: JsonObject): JsonObject {
  const keys = patch.$retainKeys;
  if (keys === undefined) return original;
  if (!Array.isArray(keys)) throw new PatchDoesNotApply("$retainKeys must be a list");
  const stray = Object.keys(patch).find((key) => !key.startsWith("$") && patch[key] !== null && !keys.includes(key));
  if (stray !== undefined) throw new PatchDoesNotApply(`${stray} is set but not retained`);
  return Object.fromEntries(Object.entries(original).filter(([key]) => keys.includes(key)));
}

function mergedList(
  original: readonly Json[],
  patch: readonly Json[],
  mergeKey: string,
  schema: PatchSchema,
): readonly Json[] {
  const key: ItemKey = itemKey(mergeKey);
  if (mergeKey === "") {
    const values = patch.filter((item, index) => patch.findIndex((other) => sameJson(other, item)) === index);
    const added = values.filter((item) => !original.some((own) => sameJson(own, item)));
    return inOrderOf([...original, ...added], patch, original, key);
  }
  const plain = patch.filter((item) => isObject(item) && item.$patch === undefined);
  const directives = patch.filter(isObject).filter(({ $patch }) => $patch !== undefined);
  if (directives.some(({ $patch }) => $patch === "replace")) return plain.map(withoutDirectives);
  const doomed = directives.filter(({ $patch }) => $patch === "delete").map(key);
  if (doomed.includes(undefined)) throw new PatchDoesNotApply(`delete patch type with no merge key ${mergeKey}`);
  let items = original.filter((item) => !doomed.includes(key(item)));
  for (const item of plain) {
    if (!isObject(item)) continue;
    const own = key(item);
    if (own === undefined) throw new PatchDoesNotApply(`an item does not contain declared merge key: ${mergeKey}`);
    const at = items.findIndex((other) => key(other) === own);
    const old = items[at];
    items = isObject(old)
      ? items.with(at, applyStrategicMerge(old, item, schema))
      : [...items, withoutDirectives(item)];
  }
  return inOrderOf(items, plain, original, key);
}

/** The list of one field once `$setElementOrder` has been followed; undefined where there is no such list. */
function orderedList(
  field: string,
  order: Json | undefined,
  original: Json | undefined,
  patch: Json | undefined,
  schema: PatchSchema[string] | undefined,
): readonly Json[] | undefined {
  if (!Array.isArray(order)) throw new MalformedPatch(`${ORDER}${field} must be a list`);
  const before = Array.isArray(original) ? original : undefined;
  const change = Array.isArray(patch) ? patch : undefined;
  if (before === undefined && change === undefined) return undefined;
  if ((before ?? []).length + (change ?? []).length === 0)
    throw new PatchDoesNotApply("no elements in any of the given slices");
  if (schema?.mergeKey === undefined) throw new PatchDoesNotApply(`${field} has no merge key`);
  const key = itemKey(schema.mergeKey);
  const set = (change ?? []).filter((item) => !(isObject(item) && item.$patch !== undefined));
  if (order.length > 0 && !isSubsequence(set.map(key), order.map(key)))
    throw new PatchDoesNotApply(`${field}: the order list doesn't match the patch`);
  const merged =
    before === undefined
      ? (withoutDirectives(change ?? []) as readonly Json[])
      : change === undefined
        ? before
        : mergedList(before, change, schema.mergeKey, schema.inner ?? {});
  const kept = change === undefined ? (before ?? []) : storageAfter(before ?? [], change, key);
  return inOrderOf(merged, order, kept, key);
}

/** Whether all of `part` stands in `whole`, in the same order; an item without a key stands nowhere. */
function isSubsequence(part: readonly (string | undefined)[], whole: readonly (string | undefined)[]): boolean {
  let at = 0;
  for (const item of whole) if (item !== undefined && item === part[at]) at += 1;
  return at === part.length;
}

function dropKey(object: JsonObject, key: string): JsonObject {
  const { [key]: _, ...rest } = object;
  return rest;
}

/** A value that is taken whole: its directives and its nulls mean nothing where there is nothing to merge with. */
function withoutDirectives(value: Json): Json {
  if (Array.isArray(value))
    return value.filter((item) => !(isObject(item) && item.$patch === "delete")).map(withoutDirectives);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(
    ([key, item]) =>
      item != null &&
      key !== "$patch" &&
      key !== "$retainKeys" &&
      !key.startsWith(ORDER) &&
      !key.startsWith(DELETE_VALUES) &&
      !(isObject(item) && item.$patch === "delete"),
  );
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutDirectives(item ?? null)]));
}
