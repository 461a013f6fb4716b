import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { isInitializeRequest } from "@modelcontextprotocol/sdk/types.js";
import { isLoopback } from "../core/config/address.ts";
import { UnshipError } from "../core/errors.ts";
import { JSON_DEPTH, jsonWithin } from "../core/model/json-meter.ts";
import {
  bearerOf,
  createRateLimit,
  foreignCaller,
  type HttpToken,
  notToPropose,
  type Refusal,
  saidTwice,
  tokenOf,
  tooMany,
  tooManyInOne,
  unauthorized,
} from "./http-guard.ts";
import { limitConnections, listenAt, readBody } from "./http-listen.ts";
import { roomFor, type Seat, type SeatLimits, seatLimits } from "./http-seats.ts";
import type { OAuthCaller, OAuthResource } from "./oauth.ts";
import type { UnshipServer } from "./server.ts";

export interface HttpOptions {
  /** Address to bind, as `parseAddress` gives it. Port 0: any free one. */
  readonly host: string;
  readonly port: number;
  /** Empty: whoever can reach the address may call, which only a loopback address allows. */
  readonly tokens: readonly HttpToken[];
  /** Host names besides the loopback's, and origins of web pages, that may call. */
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
  readonly requestsPerMinute: number;
  /** Whether a token is an approver's personal one, which calls nothing here (S3); absent: there are no approvers. */
  readonly isPersonal?: (token: string) => boolean;
  /** Access tokens of an authorization server, beside `tokens`; absent: none count. */
  readonly oauth?: OAuthResource;
  /** A session that nobody used for so long is closed, ms. Default 30 minutes. */
  readonly idleMs?: number;
  /** Sessions open at once. Default 64: an assistant holds one; each costs a server of its own. `seatLimits` shares them. */
  readonly sessions?: number;
}

export interface HttpServing {
  /** Where clients connect: ends in "/mcp". */
  readonly url: string;
  close(): Promise<void>;
}

const PATH = "/mcp";
/** As large as the largest arguments that the server takes, and the same again for what surrounds them. */
const BODY_BYTES = 1024 * 1024;
const IDLE_MS = 30 * 60_000;
const SESSIONS = 64;
/** Wrong tokens from one address in a minute; a person mistypes less, a guesser of 128 random bits gets nowhere. */
const WRONG_TOKENS_PER_MINUTE = 10;

/** How long the head of a request, and the whole of it, may take, and how often that is looked at, ms. */
const PATIENCE = { requestTimeout: 30_000, headersTimeout: 10_000, connectionsCheckingInterval: 2000 };

/** Requests and streams of one session at a time, taken over all of a caller: a stream, and calls made in one breath. */
const OPEN_A_SESSION = 4;

/** `by`: for the record. */
interface HttpCaller extends OAuthCaller {
  /** Whose requests a minute count; without tokens the address's. */
  readonly limitKey: string;
}

interface Session extends Seat {
  readonly transport: StreamableHTTPServerTransport;
  readonly server: UnshipServer;
  usedAt: number;
  open: number;
}

/**
 * Serves MCP over Streamable HTTP (protocol 2025-11-25, Transports) at `/mcp`: a session a client, each with a server
 * of its own from `open`, bound to the token that began it. Throws "input.invalid" for an address beyond the loopback
 * without a token, or one that cannot be bound. Nothing of a request is echoed in an error (S10).
 */
export async function openHttp(
  open: (caller: { readonly readOnly: boolean }) => UnshipServer,
  options: HttpOptions,
): Promise<HttpServing> {
  const { tokens, oauth, idleMs = IDLE_MS } = options;
  const anonymous = tokens.length === 0 && oauth === undefined;
  if (anonymous && !isLoopback(options.host)) {
    throw new UnshipError("input.invalid", {
      what: "--http",
      reason: "an address beyond this machine needs a token; add one under server.tokens, or use 127.0.0.1",
    });
  }
  const sessions = new Map<string, Session>();
  /** All of these, and those that are about to begin: a place is taken before anything is waited for. */
  const seats = new Set<Session>();
  const limits = seatLimits(options.sessions ?? SESSIONS, !anonymous);
  const rate = createRateLimit(options.requestsPerMinute, Date.now);
  const personal = new Map<HttpToken, boolean>();
  /** Requests under way, by caller, from when they are known to be theirs. */
  const underWay = new Map<string, number>();
  const wrong = createRateLimit(WRONG_TOKENS_PER_MINUTE, Date.now);

  async function callerOf(request: IncomingMessage): Promise<Refusal | HttpCaller> {
    const from = request.socket.remoteAddress ?? "unknown";
    const limited = (seconds: number) => tooMany(seconds, options.requestsPerMinute, "server.requests_per_minute");
    if (anonymous) return limited(rate.take(from)) ?? { by: "", key: "", limitKey: from, readOnly: false };
    const token = tokenOf(request.headers.authorization, tokens);
    if (token !== null) {
      if (isApprovers(token, request)) return notToPropose;
      const key = `token ${token.name}`;
      return limited(rate.take(key)) ?? { by: token.name, key, limitKey: key, readOnly: token.readOnly };
    }
    const given = bearerOf(request.headers.authorization);
    const caller =
      (await oauth?.caller(given, Date.now())) ?? unauthorized(request.headers.authorization !== undefined);
    if ("because" in caller) return tooMany(wrong.take(from), WRONG_TOKENS_PER_MINUTE) ?? caller;
    return limited(rate.take(caller.key)) ?? { ...caller, limitKey: caller.key };
  }

  /** Found out once for each token of the file: it takes a key to be derived. */
  function isApprovers(token: HttpToken, request: IncomingMessage): boolean {
    const known = personal.get(token);
    if (known !== undefined) return known;
    const found = options.isPersonal?.(bearerOf(request.headers.authorization) ?? "") ?? false;
    personal.set(token, found);
    return found;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const foreign = saidTwice(request.rawHeaders) ?? foreignCaller(request.headers, options);
    if (foreign !== null) return refuse(response, foreign);
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (request.method === "GET" && oauth?.metadataPaths.includes(pathname)) return tell(response, oauth.metadata);
    const caller = await callerOf(request);
    if ("because" in caller) return refuse(response, caller);
    if (pathname !== PATH) {
      return refuse(response, { status: 404, because: `MCP is at ${PATH}.` });
    }
    if (!["GET", "POST", "DELETE"].includes(request.method ?? "")) {
      const headers = { allow: "GET, POST, DELETE" };
      return refuse(response, { status: 405, because: "Use POST, GET or DELETE.", headers });
    }
    const most = limits.ofOne * OPEN_A_SESSION;
    const isOpen = underWay.get(caller.key) ?? 0;
    if (isOpen >= most && request.method !== "DELETE") {
      const because = `One caller may have ${most} requests and streams open at once, and you have; wait for one to end.`;
      return refuse(response, { status: 429, because });
    }
    if (response.destroyed) return;
    underWay.set(caller.key, isOpen + 1);
    response.once("close", () => {
      const left = (underWay.get(caller.key) ?? 1) - 1;
      if (left > 0) underWay.set(caller.key, left);
      else underWay.delete(caller.key);
    });
    const body = request.method === "POST" ? await bodyOf(request) : { value: undefined };
    if ("because" in body) return refuse(response, body);
    // A batch is as many requests as it holds; one was taken before it was read.
    const further = Array.isArray(body.value) ? body.value.length - 1 : 0;
    const wait = further > 0 ? rate.take(caller.limitKey, further) : 0;
    if (wait > 0) return refuse(response, tooManyInOne(further + 1, options.requestsPerMinute, wait));
    const id = request.headers["mcp-session-id"];
    if (id === undefined) return begin(request, response, body.value, caller);
    const session = sessions.get(String(id));
    // Whoever holds another's session id is told no more than that it is not theirs to use (Security, Session Hijacking).
    // Nor does a token that may only read go on in a session that another of the same caller began with more.
    if (session === undefined || session.by !== caller.key || (caller.readOnly && !session.readOnly)) {
      return refuse(response, { status: 404, because: "There is no such session; initialize a new one." });
    }
    await during(session, response, () =>
      session.transport.handleRequest(withConnection(request, response), response, body.value),
    );
  }

  async function begin(
    request: IncomingMessage,
    response: ServerResponse,
    body: unknown,
    { by, key, readOnly }: HttpCaller,
  ): Promise<void> {
    if (!isInitializeRequest(body)) {
      return refuse(response, { status: 400, because: "Send Mcp-Session-Id, or initialize a session first." });
    }
    const room = roomFor({ by: key, readOnly }, [...seats], limits);
    if ("full" in room) return refuse(response, fullText(room.full, limits, anonymous));
    const server = open({ readOnly });
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        sessions.set(id, session);
      },
    });
    const session: Session = { transport, server, by: key, readOnly, usedAt: Date.now(), open: 0 };
    seats.add(session);
    try {
      await Promise.all(room.end.map(end));
      await server.connect(transport, by === "" ? "http" : `http(${by})`, () => leave(session));
      await during(session, response, () => transport.handleRequest(withConnection(request, response), response, body));
    } finally {
      // Refused by the transport (a wrong Accept, say): nobody has its id.
      if (transport.sessionId === undefined) await end(session);
    }
  }

  const leave = (session: Session): void => {
    seats.delete(session);
    if (session.transport.sessionId !== undefined) sessions.delete(session.transport.sessionId);
  };
  const end = async (session: Session): Promise<void> => {
    leave(session);
    await session.server.close();
  };

  const http = createHttpServer(PATIENCE, (request, response) => {
    answer(request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else refuse(response, { status: 400, because: "The request could not be read." });
    });
  });
  // Each session's, and as many again that say nothing yet; behind a proxy all of the sessions' come from one address.
  const connections = limits.most * OPEN_A_SESSION;
  limitConnections(http, { most: 2 * connections, ofOne: connections });
  const base = await listenAt(http, options.host, options.port, "--http");
  const sweep = setInterval(
    () => {
      for (const one of sessions.values()) if (one.open === 0 && Date.now() - one.usedAt > idleMs) void end(one);
    },
    Math.min(idleMs, 60_000),
  );
  return {
    url: `${base}${PATH}`,
    async close() {
      clearInterval(sweep);
      const closed = once(http, "close");
      http.close();
      // Calls that are under way are told to stop; what the gate began it finishes or reconciles by itself (S5).
      await Promise.all([...sessions.values()].map(end));
      http.closeAllConnections();
      await closed;
    },
  };
}

/** Serves until told to stop; resolves when all is closed. `ready` is given the address. */
export async function serveHttp(
  open: (caller: { readonly readOnly: boolean }) => UnshipServer,
  options: HttpOptions,
  ready: (url: string) => void,
  abort: AbortSignal,
): Promise<void> {
  const serving = await openHttp(open, options);
  try {
    ready(serving.url);
    if (!abort.aborted) await once(abort, "abort");
  } finally {
    await serving.close();
  }
}

/** Which limit on sessions was met, and what to do about it. */
function fullText(full: "own" | "all", { most, ofOne, reserved }: SeatLimits, anonymous: boolean): Refusal {
  const end = "end one (DELETE with its Mcp-Session-Id)";
  if (full === "own" && !anonymous) {
    const because = `You hold all ${ofOne} sessions that one token may, and use each of them; ${end} or stop its stream.`;
    return { status: 429, because };
  }
  const kept = reserved === 0 ? "" : `, ${reserved} of them kept for callers that may propose`;
  const because = `All sessions are in use (${most}${kept}), none by a caller who could spare one; ${end} or try later.`;
  return { status: 503, because };
}

async function during(session: Session, response: ServerResponse, handle: () => Promise<void>): Promise<void> {
  session.open += 1;
  session.usedAt = Date.now();
  response.once("close", () => {
    session.open -= 1;
    session.usedAt = Date.now();
  });
  await handle();
}

/**
 * The request with a signal that fires when its connection is gone before it is answered. It comes to the server's handlers as the
 * SDK hands on whatever a listener found out of the caller; nothing else is in it.
 */
function withConnection(request: IncomingMessage, response: ServerResponse) {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableEnded) gone.abort();
  });
  return Object.assign(request, { auth: { token: "", clientId: "", scopes: [], extra: { gone: gone.signal } } });
}

async function bodyOf(request: IncomingMessage): Promise<Refusal | { readonly value: unknown }> {
  const read = await readBody(request, "application/json", BODY_BYTES);
  if ("because" in read) return read;
  const value = jsonWithin(read.bytes.toString("utf8"), { depth: JSON_DEPTH, values: read.bytes.length });
  if (value !== undefined) return { value };
  return { status: 400, because: `The body is no JSON, or nested more than ${JSON_DEPTH} deep.` };
}

/** What anybody may know: where tokens for this server are issued. */
function tell(response: ServerResponse, value: Readonly<Record<string, unknown>>): void {
  response.writeHead(200, { "content-type": "application/json", "cache-control": "max-age=3600" });
  response.end(JSON.stringify(value));
}

/** A JSON-RPC error without an id, as the protocol asks of refusals that answer no message. */
function refuse(response: ServerResponse, { status, because, headers = {} }: Refusal): void {
  const close = status === 413 ? { connection: "close" } : {};
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...headers, ...close });
  response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32_000, message: because } }));
}
