import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { foreignCaller, saidTwice } from "../http-guard.ts";
import { limitConnections, listenAt, readBody } from "../http-listen.ts";

/** What a handler is given of one request. */
export interface Call {
  /** The groups of the route's `path`, decoded. */
  readonly words: Readonly<Record<string, string>>;
  readonly authorization: string | undefined;
  readonly headers: IncomingMessage["headers"];
  /** As it came, byte by byte; empty where the method carries none. */
  readonly body: Buffer;
  /** The address at the other end of the connection: a proxy's, where one stands between. */
  readonly from: string;
}

/** What is answered: JSON where there is a body. Nothing in it was made from what the caller sent. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One thing that the listener does. Handlers answer; what they throw is a failure of ours and is told to nobody. */
export interface Route {
  readonly method: "GET" | "POST";
  /** Matched against the whole path; named groups become `words`. */
  readonly path: RegExp;
  /** Media type of a POST's body. */
  readonly type?: string;
  readonly handle: (call: Call) => Promise<Reply>;
}

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Host names beside the loopback's, and origins of web pages, that may call. */
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
  readonly routes: readonly Route[];
  /** Hears of failures that are ours, for the log. */
  readonly onError?: (error: unknown) => void;
}

export interface Listener {
  /** Where it answers, without a path. */
  readonly url: string;
  close(): Promise<void>;
}

/** An answer to a plan is a few hundred bytes; a Slack interaction repeats the message that it stands under. */
const BODY_BYTES = 256 * 1024;
/** Connections at once: people answering one incident are few, and a slow one must not keep the others out. */
const CONNECTIONS = 256;
/** Of one address: enough for a proxy that carries everybody's, and too few for one that opens and says nothing. */
const CONNECTIONS_OF_ONE = 64;
/** How often connections whose time is over are looked for; Node's own 30 s would let them stay for so long. */
const SWEEP_MS = 2000;

/**
 * The listener beside the watch: finds the route, and guards what every route needs. Foreign Host and Origin are
 * refused (`foreignCaller`), bodies are limited, nothing is cached, and an error says nothing of its cause (S10).
 * Throws "input.invalid" where the address cannot be bound.
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const foreign = saidTwice(request.rawHeaders) ?? foreignCaller(request.headers, options);
    if (foreign !== null) return reply(response, problem(foreign.status, "foreign", foreign.because));
    const path = pathOf(request.url);
    const found = options.routes.flatMap((route) => {
      const match = path === null ? null : route.path.exec(path);
      return match === null || match[0] !== path ? [] : [{ route, words: wordsOf(match) }];
    });
    if (found.length === 0) return reply(response, problem(404, "unknown", "There is nothing here."));
    const one = found.find(({ route }) => route.method === request.method);
    if (one === undefined) {
      const allow = found.map(({ route }) => route.method).join(", ");
      return reply(response, problem(405, "method", `Use ${allow}.`, { allow }));
    }
    const { route, words } = one;
    const read =
      route.method === "POST"
        ? await readBody(request, route.type ?? "application/json", BODY_BYTES)
        : { bytes: Buffer.alloc(0) };
    if ("because" in read) return reply(response, problem(read.status, "body", read.because));
    const { headers } = request;
    const from = request.socket.remoteAddress ?? "unknown";
    reply(
      response,
      await route.handle({ words, headers, authorization: headers.authorization, body: read.bytes, from }),
    );
  }

  const http = createServer({ ...PATIENCE, connectionsCheckingInterval: SWEEP_MS }, (request, response) => {
    answer(request, response).catch((error) => {
      if (!request.destroyed) options.onError?.(error);
      if (response.headersSent) response.destroy();
      else reply(response, problem(500, "failed", "unship itself failed; its log says how."));
    });
  });
  limitConnections(http, { most: CONNECTIONS, ofOne: CONNECTIONS_OF_ONE });
  const url = await listenAt(http, options.host, options.port, "server.listen");
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeIdleConnections();
        setTimeout(() => http.closeAllConnections(), CLOSE_MS).unref();
      }),
  };
}

/** How long the head of a request, and the whole of it, may take, ms. */
const PATIENCE = { headersTimeout: 5000, requestTimeout: 10_000 };

/** Answers under way end within this, ms. */
const CLOSE_MS = 1000;

/** An error as every route tells it: a code to branch on, and a sentence. */
export const problem = (
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply => ({ status, body: { error: { code, message } }, headers });

/** The path without its query; null for one that is no path, or not well encoded. */
function pathOf(url = "/"): string | null {
  const path = url.split("?")[0] ?? "";
  try {
    decodeURIComponent(path);
    return path.startsWith("/") ? path : null;
  } catch {
    return null;
  }
}

const wordsOf = ({ groups = {} }: RegExpExecArray): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value ?? "")]));

function reply(response: ServerResponse, { status, body, headers = {} }: Reply): void {
  // What is left of a body that was not read must not be taken for the next request.
  const close = status === 413 || status === 415 ? { connection: "close" } : {};
  response.writeHead(status, {
    ...(body === undefined ? {} : { "content-type": "application/json; charset=utf-8" }),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
    ...close,
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
