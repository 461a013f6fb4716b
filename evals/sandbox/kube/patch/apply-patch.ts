import { ApiError, badRequest, unprocessable } from "../api-error.ts";
import { isObject, type Json } from "../json.ts";
import type { KubeObject } from "../objects.ts";
import { applyJsonPatch, MalformedPatch, PatchDoesNotApply } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { patchSchemaOf } from "./patch-schema.ts";
import { applyStrategicMerge } from "./strategic-merge.ts";

export const PATCH_TYPES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
] as const;

/**
 * The object after a patch of this media type. Throws 415 for another type (server-side apply is not one of these), 400
 * for a patch that is none, 422 for one that does not apply.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply
 */
export function applyPatch(contentType: string, target: KubeObject, body: Json): KubeObject {
  const patched = translated(() => {
    switch (contentType) {
      case "application/json-patch+json":
        return applyJsonPatch(target, body);
      case "application/merge-patch+json":
        return applyMergePatch(target, objectOr400(body));
      case "application/strategic-merge-patch+json":
        return applyStrategicMerge(target, objectOr400(body), patchSchemaOf(target.kind));
      default:
        throw unsupportedMediaType(PATCH_TYPES);
    }
  });
  if (!isObject(patched) || !isObject(patched.metadata)) throw unprocessable();
  return patched as KubeObject;
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`;
  return new ApiError(415, "UnsupportedMediaType", message);
}

function objectOr400(body: Json) {
  if (!isObject(body)) throw badRequest("the patch must be an object");
  return body;
}

function translated(apply: () => Json): Json {
  try {
    return apply();
  } catch (error) {
    if (error instanceof MalformedPatch) throw badRequest(error.message);
    if (error instanceof PatchDoesNotApply) throw unprocessable();
    throw error;
  }
}
