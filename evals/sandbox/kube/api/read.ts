import { notFound } from "../api-error.ts";
import { type Json, type JsonObject, objectAt } from "../json.ts";
import type { KubeObject } from "../objects.ts";
import type { Registry } from "../registry.ts";
import { apiVersionOf, type Resource } from "../resources.ts";
import { type Matcher, parseFieldSelector, parseLabelSelector } from "../selectors.ts";
import type { ApiRequest } from "./http-request.ts";
import { pageOf } from "./pages.ts";
import type { Route } from "./route.ts";
import { scaleOf } from "./scale.ts";
import { type IncludeObject, tableOf } from "./table.ts";

/** Whether the client would rather have a table, as `kubectl get` would. */
export function wantsTable({ accept }: ApiRequest): boolean {
  return accept.split(",")[0]?.includes("as=Table") === true;
}

/** Whether the client would rather have metadata alone. */
function wantsMetadata({ accept }: ApiRequest): boolean {
  return accept.split(",")[0]?.includes("as=PartialObjectMetadata") === true;
}

/** An object without anything but its metadata. @see https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-metadata */
const metadataOf = ({ metadata }: KubeObject) => ({
  kind: "PartialObjectMetadata",
  apiVersion: "meta.k8s.io/v1",
  metadata,
});

export function includeObject({ query }: ApiRequest): IncludeObject {
  const asked = query.get("includeObject");
  return asked === "None" || asked === "Object" ? asked : "Metadata";
}

/** The object itself, or undefined where none has been created under this name. Throws 404. */
export function found(registry: Registry, { resource, namespace, name = "" }: Route): KubeObject {
  const object = registry.get(resource.plural, namespace ?? "", name);
  if (object === undefined) throw notFound(resource, name);
  return object;
}

/** GET of one object, its scale or its status. */
export function readOne(registry: Registry, route: Route, request: ApiRequest): Json {
  const object = found(registry, route);
  if (route.subresource === "scale") return scaleOf(object);
  if (wantsMetadata(request)) return metadataOf(object);
  if (!wantsTable(request)) return object;
  return tableOf(route.resource.plural, [object], { include: includeObject(request), now: registry.now() });
}

/** Which objects a list or watch is about. Throws 400 for a selector that cannot be read. */
export function matcherOf({ namespace, name }: Route, { query }: ApiRequest): Matcher {
  const tests = [
    parseLabelSelector(query.get("labelSelector") ?? ""),
    parseFieldSelector(query.get("fieldSelector") ?? ""),
    ...(namespace === undefined || namespace === ""
      ? []
      : [({ metadata }: KubeObject) => metadata.namespace === namespace]),
    ...(name === undefined ? [] : [({ metadata }: KubeObject) => metadata.name === name]),
  ];
  return (object) => tests.every((test) => test(object));
}

/** GET of a collection, or of the part of it that `limit` and `continue` ask for. Throws as `pageOf`. */
export function readList(registry: Registry, route: Route, request: ApiRequest): Json {
  const { resource } = route;
  const page = pageOf(registry.store, resource.plural, matcherOf(route, request), request.query);
  const { objects, version, next, remaining } = page;
  const more = {
    ...(next === undefined ? {} : { continue: next }),
    ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
  };
  if (wantsTable(request)) {
    const table = tableOf(resource.plural, objects, { include: includeObject(request), now: registry.now(), version });
    return { ...table, metadata: { ...objectAt(table.metadata), ...more } };
  }
  if (wantsMetadata(request)) {
    const list = { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1" };
    return { ...list, metadata: { resourceVersion: version, ...more }, items: objects.map(metadataOf) };
  }
  return listOf(resource, objects, version, more);
}

/** Items of a list carry no kind of their own, as in the real API. `more`: what its metadata says of further parts. */
export function listOf(
  resource: Resource,
  objects: readonly KubeObject[],
  version: string,
  more: JsonObject = {},
): Json {
  return {
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata: { resourceVersion: version, ...more },
    items: objects.map(({ kind: _, apiVersion: __, ...rest }) => rest),
  };
}
