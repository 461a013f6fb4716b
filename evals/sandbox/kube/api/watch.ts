import type { ServerResponse } from "node:http";
import { ApiError } from "../api-error.ts";
import { encodeJson, type Json } from "../json.ts";
import type { KubeObject } from "../objects.ts";
import type { Registry } from "../registry.ts";
import { apiVersionOf } from "../resources.ts";
import type { StoreEvent } from "../store.ts";
import type { ApiRequest } from "./http-request.ts";
import { includeObject, matcherOf, wantsTable } from "./read.ts";
import type { Route } from "./route.ts";
import { tableOf } from "./table.ts";

/** How often a watch that asked for bookmarks gets one, in ms; the real server's is about a minute. */
const BOOKMARK_EVERY_MS = 60_000;
const DEFAULT_TIMEOUT_S = 1800;

/**
 * Streams changes as JSON lines until the client leaves, the timeout passes or the server stops.
 *
 * Without a resourceVersion, or with "0", what exists comes first as ADDED. An object that begins or ceases to match
 * the selectors comes as ADDED or DELETED. A version from before the history comes as one ERROR with a 410 Status.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export function streamWatch(registry: Registry, route: Route, request: ApiRequest, response: ServerResponse): void {
  const { plural } = route.resource;
  const { query } = request;
  const matches = matcherOf(route, request);
  const from = query.get("resourceVersion") ?? "";
  const initial = query.get("sendInitialEvents") === "true" || from === "" || from === "0";
  const bookmarks = query.get("allowWatchBookmarks") === "true";
  let headless = false;

  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
  response.flushHeaders();
  const send = (type: string, object: Json) => void response.write(`${encodeJson({ type, object })}\n`);
  const shown = (object: KubeObject): Json => {
    if (!wantsTable(request)) return object;
    const table = tableOf(plural, [object], { include: includeObject(request), now: registry.now(), headless });
    headless = true;
    return table;
  };
  const pass = ({ type, object, previous }: StoreEvent) => {
    const now = type !== "DELETED" && matches(object);
    const before = previous !== undefined && matches(previous);
    if (now) send(before ? "MODIFIED" : "ADDED", shown(object));
    else if (before) send("DELETED", shown(object));
  };
  const bookmark = (annotations?: Readonly<Record<string, string>>) =>
    send("BOOKMARK", {
      kind: route.resource.kind,
      apiVersion: apiVersionOf(route.resource),
      metadata: {
        resourceVersion: String(registry.store.version()),
        creationTimestamp: null,
        ...(annotations === undefined ? {} : { annotations }),
      },
    });

  try {
    if (initial) {
      for (const object of registry.list(plural) as readonly KubeObject[])
        if (matches(object)) send("ADDED", shown(object));
      if (query.get("sendInitialEvents") === "true") bookmark({ "k8s.io/initial-events-end": "true" });
    } else for (const event of registry.store.since(plural, Number(from))) pass(event);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    send("ERROR", error.status());
    response.end();
    return;
  }

  const unsubscribe = registry.store.subscribe((event) => {
    if (event.plural === plural) pass(event);
  });
  const seconds = Number(query.get("timeoutSeconds") ?? "") || DEFAULT_TIMEOUT_S;
  const timeout = setTimeout(() => response.end(), Math.min(seconds * 1000, 2 ** 31 - 1));
  const ticking = bookmarks ? setInterval(() => bookmark(), BOOKMARK_EVERY_MS) : undefined;
  response.once("close", () => {
    unsubscribe();
    clearTimeout(timeout);
    clearInterval(ticking);
  });
}
