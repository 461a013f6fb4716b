import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { ApiError, unknownPath } from "../api-error.ts";
import type { Json } from "../json.ts";
import type { Registry } from "../registry.ts";
import { checkAccess, selfReview, type TokenGrant } from "./access.ts";
import { discoveryAt } from "./discovery.ts";
import { type ApiRequest, readRequest, sendJson } from "./http-request.ts";
import { readList, readOne } from "./read.ts";
import { type Route, routeOf } from "./route.ts";
import { streamWatch } from "./watch.ts";
import {
  type Answer,
  createOne,
  deleteMany,
  deleteOne,
  isDryRun,
  methodNotAllowed,
  patchOne,
  replaceOne,
} from "./write.ts";

/** One mutating request that came over HTTP, whatever was answered. */
export interface RecordedWrite {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  readonly userAgent: string;
  readonly body: unknown;
  readonly dryRun: boolean;
  readonly status: number;
}

export interface ApiServer {
  readonly url: URL;
  readonly writes: readonly RecordedWrite[];
  /** Whether flow control has no seat for anybody: one request at a time is answered, and every other turned away. */
  turnAway(is: boolean): void;
  close(): Promise<void>;
}

/** How long a request keeps the only seat: about as long as the real server needs for a small list. */
const SEAT_MS = 5;

/** Serves the API on loopback. `port` 0 takes a free one. */
export async function startApiServer(
  registry: Registry,
  options: { readonly port: number; readonly tokens?: readonly TokenGrant[] },
): Promise<ApiServer> {
  const writes: RecordedWrite[] = [];
  const flow = { closed: false, underWay: 0 };

  const server = createServer(async (incoming, response) => {
    // A watch takes a seat only until it has begun.
    const takesSeat = !/[?&]watch=(1|true)/.test(incoming.url ?? "");
    if (takesSeat) {
      flow.underWay += 1;
      response.once("close", () => {
        flow.underWay -= 1;
      });
    }
    if (flow.closed && takesSeat && flow.underWay > 1) return tooMany(response);
    // Our answers take no time, so that none would ever find another one under way.
    if (flow.closed && takesSeat) await wait(SEAT_MS);
    let request: ApiRequest | undefined;
    try {
      request = await readRequest(incoming);
      answer(request, response);
    } catch (error) {
      const refusal = error instanceof ApiError ? error : internal(error);
      if (request !== undefined) record(request, refusal.code);
      sendJson(response, refusal.code, refusal.status());
    }
  });

  function answer(request: ApiRequest, response: ServerResponse): void {
    const route = routeOf(request.path);
    checkAccess(options.tokens, request, route);
    const review = selfReview(options.tokens, request);
    if (review !== undefined) sendJson(response, 201, review);
    else if (request.method === "GET" || request.method === "HEAD") read(request, route, response);
    else {
      if (route === undefined) throw unknownPath();
      const { code, body } = write(request, route);
      record(request, code);
      sendJson(response, code, body);
    }
  }

  function read(request: ApiRequest, route: Route | undefined, response: ServerResponse): void {
    if (/^\/(healthz|livez|readyz)(\/|$)/.test(request.path)) {
      response.writeHead(200, { "content-type": "text/plain" }).end("ok");
      return;
    }
    const document = discoveryAt(request.path);
    if (document !== undefined) sendJson(response, 200, document);
    else if (route === undefined) throw unknownPath();
    else if (["true", "1"].includes(request.query.get("watch") ?? "")) streamWatch(registry, route, request, response);
    else sendJson(response, 200, readFrom(route, request));
  }

  function readFrom(route: Route, request: ApiRequest): Json {
    return route.name === undefined ? readList(registry, route, request) : readOne(registry, route, request);
  }

  function write(request: ApiRequest, route: Route): Answer {
    switch (request.method) {
      case "POST":
        return createOne(registry, route, request);
      case "PUT":
        return replaceOne(registry, route, request);
      case "PATCH":
        return patchOne(registry, route, request);
      case "DELETE":
        return route.name === undefined ? deleteMany(registry, route, request) : deleteOne(registry, route, request);
      default:
        throw methodNotAllowed();
    }
  }

  function record(request: ApiRequest, status: number): void {
    const { method, path, contentType, userAgent, body } = request;
    if (method === "GET" || method === "HEAD") return;
    writes.push({ at: registry.now(), method, path, contentType, userAgent, body, dryRun: isDryRun(request), status });
  }

  // Node's 5 s would close connections that clients believe to be open; the real server keeps idle ones for minutes.
  server.keepAliveTimeout = 90_000;
  server.listen(options.port, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    writes,
    turnAway(is) {
      flow.closed = is;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/**
 * What priority and fairness answers where a level has no seat and no queue: no `Status`, as the real one.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
 */
function tooMany(response: ServerResponse): void {
  response.writeHead(429, { "content-type": "text/plain; charset=utf-8", "retry-after": "1" });
  response.end("Too many requests, please try again later.\n");
}

function internal(error: unknown): ApiError {
  const message = `Internal error occurred: ${error instanceof Error ? error.message : String(error)}`;
  return new ApiError(500, "InternalError", message);
}
