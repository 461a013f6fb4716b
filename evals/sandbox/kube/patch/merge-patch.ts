import { isObject, type Json, type JsonObject } from "../json.ts";

/** RFC 7396: null takes a field away, lists are replaced whole. @see https://www.rfc-editor.org/rfc/rfc7396 */
export function applyMergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged: Record<string, Json | undefined> = { ...((isObject(target) ? target : {}) as JsonObject) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else if (value !== undefined) merged[key] = applyMergePatch(merged[key], value);
  }
  return merged;
}
