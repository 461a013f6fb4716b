import { ApiError, badRequest } from "../api-error.ts";
import { isObject, type Json, type JsonObject, objectAt } from "../json.ts";
import { leavesOf } from "../managed-fields.ts";
import type { KubeObject, Metadata } from "../objects.ts";
import { applyPatch } from "../patch/apply-patch.ts";
import { applyConfiguration } from "../patch/server-side-apply.ts";
import type { Registry, RemoveOptions, WriteOptions } from "../registry.ts";
import { apiVersionOf, type Resource } from "../resources.ts";
import type { ApiRequest } from "./http-request.ts";
import { found, listOf, matcherOf } from "./read.ts";
import type { Route } from "./route.ts";
import { scaleOf, withScale } from "./scale.ts";

export interface Answer {
  readonly code: number;
  readonly body: Json;
}

export function isDryRun({ query, body }: ApiRequest): boolean {
  const inBody = isObject(body) && body.kind === "DeleteOptions" ? body.dryRun : undefined;
  return query.get("dryRun") === "All" || (Array.isArray(inBody) && inBody.includes("All"));
}

/** Who writes: `fieldManager`, or the first word of the user agent. */
function author(request: ApiRequest, { subresource }: Route): WriteOptions {
  const manager = request.query.get("fieldManager") ?? request.userAgent.split("/")[0]?.slice(0, 128) ?? "unknown";
  return {
    manager: manager === "" ? "unknown" : manager,
    dryRun: isDryRun(request),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

/** POST of a collection. */
export function createOne(registry: Registry, route: Route, request: ApiRequest): Answer {
  if (route.name !== undefined) throw methodNotAllowed();
  const object = fitting(route.resource, route.namespace ?? "", request.body);
  if (object.metadata.name === undefined && object.metadata.generateName === undefined)
    throw badRequest("name or generateName is required");
  return { code: 201, body: registry.create(route.resource.plural, object, author(request, route)) };
}

/** PUT of an object, its status or its scale. */
export function replaceOne(registry: Registry, route: Route, request: ApiRequest): Answer {
  const { resource, namespace = "", name = "", subresource } = route;
  if (subresource === "scale") {
    const updated = withScale(found(registry, route), objectAt(request.body ?? null));
    return { code: 200, body: scaleOf(registry.update(resource.plural, updated, author(request, route))) };
  }
  const object = fitting(resource, namespace, request.body);
  if (object.metadata.name !== name)
    throw badRequest(`the name of the object (${object.metadata.name}) does not match the name on the URL (${name})`);
  return { code: 200, body: registry.update(resource.plural, object, author(request, route)) };
}

/** PATCH of an object, its status or its scale. A resourceVersion in the patch must be the stored one (409). */
export function patchOne(registry: Registry, route: Route, request: ApiRequest): Answer {
  const { resource, subresource } = route;
  if (request.contentType === APPLY) return applyOne(registry, route, request);
  const stored = found(registry, route);
  const by = author(request, route);
  if (subresource === "scale") {
    const scale = applyPatch(request.contentType, scaleOf(stored), request.body ?? null);
    return { code: 200, body: scaleOf(registry.update(resource.plural, withScale(stored, scale), by)) };
  }
  const patched = applyPatch(request.contentType, stored, request.body ?? null);
  const { name, namespace } = stored.metadata;
  if (patched.metadata.name !== name || patched.metadata.namespace !== namespace)
    throw badRequest("the patch may not change the name or the namespace of the object");
  return { code: 200, body: registry.update(resource.plural, patched, by) };
}

const APPLY = "application/apply-patch+yaml";

/** A server-side apply: creates the object where there is none. Throws 400 without a manager, 409 for a conflict. */
function applyOne(registry: Registry, route: Route, request: ApiRequest): Answer {
  const { resource, namespace = "", name = "", subresource } = route;
  const manager = request.query.get("fieldManager") ?? "";
  if (manager === "") throw badRequest("fieldManager is required for apply patch");
  if (subresource !== undefined) throw methodNotAllowed();
  const configuration = fitting(resource, namespace, request.body);
  const { plural } = resource;
  const by = { manager, dryRun: isDryRun(request) };
  const stored = registry.get(plural, namespace, name);
  if (stored === undefined) {
    const applied = [...leavesOf(configuration).keys()];
    const object = { ...configuration, metadata: { ...configuration.metadata, name } };
    return { code: 201, body: registry.create(plural, object, { ...by, applied }) };
  }
  const force = request.query.get("force") === "true";
  const { object, fields } = applyConfiguration(resource, stored, configuration, { manager, force });
  return { code: 200, body: registry.update(plural, object, { ...by, applied: fields }) };
}

/** DELETE of an object: the object where it is still ending, a Status where it is gone. */
export function deleteOne(registry: Registry, route: Route, request: ApiRequest): Answer {
  const { resource, namespace = "", name = "" } = route;
  const { uid } = found(registry, route).metadata;
  const removed = registry.remove(resource.plural, namespace, name, removeOptions(request));
  const left = registry.get(resource.plural, namespace, name);
  if (left !== undefined && !isDryRun(request)) return { code: 200, body: removed };
  const details: JsonObject = {
    name,
    ...(resource.group === "" ? {} : { group: resource.group }),
    kind: resource.plural,
    uid,
  };
  return { code: 200, body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details } };
}

/** DELETE of a collection, by selectors. */
export function deleteMany(registry: Registry, route: Route, request: ApiRequest): Answer {
  const { plural } = route.resource;
  const matches = matcherOf(route, request);
  const doomed = (registry.list(plural) as readonly KubeObject[]).filter(matches);
  for (const { metadata } of doomed)
    registry.remove(plural, metadata.namespace ?? "", metadata.name, removeOptions(request));
  return { code: 200, body: listOf(route.resource, doomed, String(registry.store.version())) };
}

function removeOptions(request: ApiRequest): RemoveOptions {
  const body = objectAt(request.body ?? null);
  const grace = request.query.get("gracePeriodSeconds") ?? body.gracePeriodSeconds;
  const policy = request.query.get("propagationPolicy") ?? body.propagationPolicy;
  const { uid, resourceVersion } = objectAt(body.preconditions);
  return {
    dryRun: isDryRun(request),
    ...(grace === undefined || grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy === "Foreground" || policy === "Background" || policy === "Orphan" ? { propagationPolicy: policy } : {}),
    preconditions: {
      ...(typeof uid === "string" ? { uid } : {}),
      ...(typeof resourceVersion === "string" ? { resourceVersion } : {}),
    },
  };
}

/** The body as an object of this kind and namespace. Throws 400. */
function fitting(resource: Resource, namespace: string, body: Json | undefined): KubeObject {
  if (!isObject(body) || !isObject(body.metadata)) throw badRequest("the body is no Kubernetes object");
  const { apiVersion = apiVersionOf(resource), kind = resource.kind } = body;
  if (apiVersion !== apiVersionOf(resource) || kind !== resource.kind)
    throw badRequest(
      `${String(kind)} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${resource.kind}`,
    );
  const metadata = body.metadata as Metadata;
  const own = metadata.namespace ?? namespace;
  if (own !== namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  return {
    ...body,
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: resource.namespaced ? { ...metadata, namespace } : metadata,
  } as KubeObject;
}

export function methodNotAllowed(): ApiError {
  return new ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
}
