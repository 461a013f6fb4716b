import { isObject, type Json, sameJson } from "../json.ts";

/** The patch is no list of operations: the API answers 400. */
export class MalformedPatch extends Error {}
/** The patch is well formed and does not fit this object, or one of its tests failed: the API answers 422. */
export class PatchDoesNotApply extends Error {}

/**
 * RFC 6902. A failed `test`, a missing parent, and a remove of what is not there throw. As in the API server's library,
 * and unlike the RFC, an index below zero counts from the end of a list, and a replace of a member that an object lacks
 * adds it (one of an item that a list lacks throws).
 *
 * @see https://www.rfc-editor.org/rfc/rfc6902
 * @see https://github.com/evanphx/json-patch/tree/v4.13.0 (the version that Kubernetes 1.36 is built with)
 */
export function applyJsonPatch(target: Json, patch: Json): Json {
  if (!Array.isArray(patch)) throw new MalformedPatch("a JSON patch is a list of operations");
  return patch.reduce<Json>(applyOperation, target);
}

function applyOperation(target: Json, operation: Json): Json {
  if (!isObject(operation)) throw new MalformedPatch("an operation is an object");
  const { op, from } = operation;
  const path = pointer(operation.path);
  const value = operation.value ?? null;
  switch (op) {
    case "add":
      return add(target, path, value);
    case "remove":
      return remove(target, path);
    case "replace":
      return replace(target, path, value);
    case "move": {
      const moved = read(target, pointer(from));
      return add(remove(target, pointer(from)), path, moved);
    }
    case "copy":
      return add(target, path, read(target, pointer(from)));
    case "test":
      if (!sameJson(find(target, path) ?? null, value)) throw new PatchDoesNotApply("testing value failed");
      return target;
    default:
      throw new PatchDoesNotApply(`unexpected kind: ${String(op)}`);
  }
}

function pointer(path: Json | undefined): readonly string[] {
  if (typeof path !== "string" || (path !== "" && !path.startsWith("/")))
    throw new PatchDoesNotApply("a path begins with a slash");
  return path
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function find(target: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((value, key) => {
    if (Array.isArray(value)) return value[indexIn(value.length, key)];
    return isObject(value) ? value[key] : undefined;
  }, target);
}

function read(target: Json, path: readonly string[]): Json {
  const found = find(target, path);
  if (found === undefined) throw new PatchDoesNotApply(`/${path.join("/")} does not exist`);
  return found;
}

function indexIn(length: number, key: string): number {
  const index = /^-?\d+$/.test(key) ? Number(key) : Number.NaN;
  return index < 0 ? length + index : index;
}

function add(target: Json, path: readonly string[], value: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(target)) {
    if (rest.length > 0)
      return target.with(existing(target, key), add(target[existing(target, key)] ?? null, rest, value));
    // Here -1 means "after the last", since the list is one longer once the value is in it.
    const at = key === "-" ? target.length : indexIn(target.length + 1, key);
    if (!Number.isInteger(at) || at < 0 || at > target.length) throw new PatchDoesNotApply(`no index ${key}`);
    return target.toSpliced(at, 0, value);
  }
  if (!isObject(target)) throw new PatchDoesNotApply(`no parent for ${key}`);
  if (rest.length === 0) return { ...target, [key]: value };
  const inner = target[key];
  if (inner === undefined) throw new PatchDoesNotApply(`no ${key}`);
  return { ...target, [key]: add(inner, rest, value) };
}

function replace(target: Json, path: readonly string[], value: Json): Json {
  if (path.length === 0) return value;
  const parent = read(target, path.slice(0, -1));
  return Array.isArray(parent) ? add(remove(target, path), path, value) : add(target, path, value);
}

function existing(list: readonly Json[], key: string): number {
  const at = indexIn(list.length, key);
  if (!Number.isInteger(at) || at < 0 || at >= list.length) throw new PatchDoesNotApply(`no index ${key}`);
  return at;
}

function remove(target: Json, path: readonly string[]): Json {
  const [key, ...rest] = path;
  if (key === undefined) throw new PatchDoesNotApply("the whole document cannot be removed");
  if (Array.isArray(target)) {
    const at = existing(target, key);
    return rest.length === 0 ? target.toSpliced(at, 1) : target.with(at, remove(target[at] ?? null, rest));
  }
  if (!isObject(target) || target[key] === undefined) throw new PatchDoesNotApply(`no ${key}`);
  if (rest.length > 0) return { ...target, [key]: remove(target[key], rest) };
  const { [key]: _, ...kept } = target;
  return kept;
}
