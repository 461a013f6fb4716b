/** A JSON value. Objects of the API are kept as parsed, so a field that we do not know survives every write. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as an object, or an empty one. */
export function objectAt(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** The value as a list, or an empty one. */
export function listAt(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** Deep equality of JSON, blind to the order of keys; an undefined field equals an absent one. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => sameJson(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => sameJson(a[key], b[key]));
}

/** The value with the keys of every object in alphabetical order, as Go's encoder writes a map. */
export function sortKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sortKeys(item)]));
}

/** The value without null fields: a typed API server reads a null field as an absent one. Items of lists stay. */
export function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter((entry): entry is [string, Json] => entry[1] != null);
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutNulls(item)]));
}

/** The value without nulls, empty lists and empty objects: what Kubernetes' "semantic" equality cannot tell apart. */
export function withoutEmpties(value: Json): Json | undefined {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => withoutEmpties(item) ?? null);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).flatMap(([key, item]) => {
    const inner = item === undefined ? undefined : withoutEmpties(item);
    return inner === undefined ? [] : [[key, inner] as const];
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** JSON text as Go's encoder writes it: `<`, `>`, `&` and the two line separators escaped. */
export function encodeJson(value: Json): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
