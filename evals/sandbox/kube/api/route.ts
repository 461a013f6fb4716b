import { findResource, type Resource } from "../resources.ts";

/** Where in the API a path points. */
export interface Route {
  readonly resource: Resource;
  /** "" for objects of the whole cluster, undefined for a list over all namespaces. */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: "status" | "scale" | undefined;
}

const PREFIX = /^\/(?:api\/v1|apis\/(?<group>[^/]+)\/v1)\/(?<rest>.+)$/;

/** Reads a path of resources; undefined where this server has nothing there. */
export function routeOf(path: string): Route | undefined {
  const found = PREFIX.exec(path)?.groups;
  if (found === undefined) return undefined;
  const group = found.group ?? "";
  const parts = (found.rest ?? "").split("/").filter((part) => part !== "");
  const decoded = parts.map(decodedPart);
  const [head, scope, plural] = decoded;
  const inNamespace = head === "namespaces" && scope !== undefined && plural !== undefined && !isSubresource(plural);
  if (inNamespace) return route(findResource(group, plural), scope, decoded.slice(3));
  if (head === undefined) return undefined;
  const resource = findResource(group, head);
  const namespaced = resource?.namespaced === true;
  if (namespaced && decoded.length > 1) return undefined;
  return route(resource, namespaced ? undefined : "", decoded.slice(1));
}

/** A part of a path; one that is not well encoded stands for itself and so names nothing. */
function decodedPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const isSubresource = (part: string): boolean => part === "status" || part === "finalize";

function route(
  resource: Resource | undefined,
  namespace: string | undefined,
  [name, subresource, ...rest]: readonly string[],
): Route | undefined {
  if (resource === undefined || rest.length > 0) return undefined;
  if (subresource === undefined) return { resource, namespace, name, subresource };
  const known = resource.subresources.find((one) => one === subresource);
  return known === undefined ? undefined : { resource, namespace, name, subresource: known };
}
