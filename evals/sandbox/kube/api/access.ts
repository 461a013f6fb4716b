import { ApiError } from "../api-error.ts";
import { isObject, type JsonObject } from "../json.ts";
import { qualified } from "../resources.ts";
import type { ApiRequest } from "./http-request.ts";
import type { Route } from "./route.ts";

export interface TokenGrant {
  readonly token: string;
  readonly readOnly: boolean;
}

const VERBS: Readonly<Record<string, string>> = { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };

/** Throws 401 for a request without a known token and 403 for a write with one that may only read. No tokens: no check. */
export function checkAccess(
  tokens: readonly TokenGrant[] | undefined,
  request: ApiRequest,
  route: Route | undefined,
): void {
  if (tokens === undefined || tokens.length === 0) return;
  const grant = tokens.find(({ token }) => token === request.token);
  if (grant === undefined) throw new ApiError(401, "Unauthorized", "Unauthorized");
  const verb = VERBS[request.method];
  if (!grant.readOnly || verb === undefined || route === undefined) return;
  const { resource, namespace, name = "" } = route;
  const where =
    namespace === undefined || namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const named = name === "" ? "" : ` "${name}"`;
  throw new ApiError(
    403,
    "Forbidden",
    `${qualified(resource)}${named} is forbidden: User "system:serviceaccount:default:reader" cannot ${verb} resource "${resource.plural}" in API group "${resource.group}" ${where}`,
    { name, ...(resource.group === "" ? {} : { group: resource.group }), kind: resource.plural },
  );
}

const REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const READS = ["get", "list", "watch"];

/**
 * The answer to a caller who asks what they may do; undefined where the request is no such question. Nobody is refused
 * it, and nothing is written by it.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/
 */
export function selfReview(tokens: readonly TokenGrant[] | undefined, request: ApiRequest): JsonObject | undefined {
  if (request.path !== REVIEWS || request.method !== "POST") return undefined;
  const body = isObject(request.body) ? request.body : {};
  const spec = isObject(body.spec) ? body.spec : {};
  const attributes = spec.resourceAttributes ?? spec.nonResourceAttributes;
  if (!isObject(attributes)) {
    throw new ApiError(422, "Invalid", "spec.resourceAttributes: Invalid value: exactly one of them must be specified");
  }
  const grant = tokens?.find(({ token }) => token === request.token);
  const allowed = grant?.readOnly !== true || READS.includes(String(attributes.verb));
  const status = allowed ? { allowed, reason: "" } : { allowed, reason: "reader may only read" };
  const { apiVersion = "authorization.k8s.io/v1", kind = "SelfSubjectAccessReview" } = body;
  return { kind, apiVersion, metadata: { creationTimestamp: null }, spec, status };
}
