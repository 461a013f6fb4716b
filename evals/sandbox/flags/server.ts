import { createHash, randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type Answer, type Listener, listen, readBody, send } from "../listener.ts";
import {
  createdView,
  createFlagStore,
  type Feature,
  FlagError,
  type FlagStore,
  type FlagToken,
  type Strategy,
} from "./store.ts";
import { adminView, clientView, eventView, featureView, searchEvents } from "./views.ts";

/** A mutating request that came in over HTTP, whether or not it was granted. */
export interface FlagWrite {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  /** Name of the token; null where it came without a good one. */
  readonly by: string | null;
}

export interface FlagServer extends Listener {
  readonly store: FlagStore;
  readonly writes: readonly FlagWrite[];
  /** Makes one more token valid. */
  issue(token: FlagToken): void;
}

const MAX_BODY_BYTES = 100_000;

/**
 * An Unleash server in memory: the parts of its admin and client API that concern reading, switching and following
 * flags, with its wording. Where the documentation is silent it does what unleash-server 7.5.1 was seen to do: for
 * one, `GET /api/admin/events` ignores `limit` and answers newest first.
 *
 * @see https://docs.getunleash.io/api (admin: features, environments, events; client: features)
 */
export async function startFlagServer(options: {
  readonly tokens: readonly FlagToken[];
  readonly environments: readonly string[];
  /** Dates events and writes, Unix ms. Default: the machine's clock. */
  readonly now?: () => number;
}): Promise<FlagServer> {
  const { now = Date.now } = options;
  const store = createFlagStore(options.environments, now);
  const writes: FlagWrite[] = [];
  const tokens = new Map(options.tokens.map((token) => [token.secret, token]));

  const listener = await listen(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://flags");
    const method = request.method ?? "GET";
    const token = tokens.get(request.headers.authorization ?? "");
    const text = (await readBody(request, MAX_BODY_BYTES))?.toString("utf8") ?? "";
    const body = parse(text);
    if (method !== "GET" && pathname.startsWith("/api/admin/"))
      writes.push({ at: now(), method, path: request.url ?? "", body, by: token?.name ?? null });
    const answer = (): Answer => {
      if (pathname === "/health") return { status: 200, body: { health: "GOOD" } };
      if (pathname.startsWith("/api/client/")) return client(request, { pathname, token, store });
      const by = admitAdmin(request, token);
      return admin({ method, pathname, search: searchParams, body, by, store });
    };
    send(response, refusing(answer));
  });
  return { ...listener, store, writes, issue: (token) => tokens.set(token.secret, token) };
}

/** A refusal that Unleash answers with a bare message, without its usual error shape. */
class BareRefusal extends FlagError {}

function admitAdmin(request: IncomingMessage, token: FlagToken | undefined): FlagToken {
  if (token?.kind === "admin") return token;
  if (token !== undefined)
    throw new BareRefusal(403, "", "invalid token: expected a different token type for this endpoint");
  if (request.headers.authorization !== undefined)
    throw new FlagError(401, "UnauthorizedError", "You must log in to use Unleash.");
  const why = "Your request had no authorization header, so we could not authorize you.";
  const message = `You must log in to use Unleash. ${why} Try logging in at /auth/simple/login`;
  throw new FlagError(401, "AuthenticationRequired", message);
}

function client(
  request: IncomingMessage,
  { pathname, token, store }: { pathname: string; token: FlagToken | undefined; store: FlagStore },
): Answer {
  if (token === undefined) {
    const what = "This endpoint requires an API token.";
    throw new BareRefusal(401, "", `${what} Please add an authorization header to your request with a valid token`);
  }
  if (pathname === "/api/client/metrics" || pathname === "/api/client/register") return { status: 202 };
  if (pathname !== "/api/client/features") throw notAvailable(pathname);
  const environment = token.environment ?? store.environments[0] ?? "default";
  const queryHash = createHash("sha1").update(environment).digest("hex").slice(0, 8);
  const etag = `"${queryHash}:${store.revision()}:v1"`;
  if (request.headers["if-none-match"] === etag) return { status: 304, headers: { etag } };
  return { status: 200, body: clientView(store, { environment, etag, queryHash }), headers: { etag } };
}

interface AdminRequest {
  readonly method: string;
  readonly pathname: string;
  readonly search: URLSearchParams;
  readonly body: unknown;
  readonly by: FlagToken;
  readonly store: FlagStore;
}

function admin({ method, pathname, search, body, by, store }: AdminRequest): Answer {
  const path = pathname.split("/").slice(3).map(decodeURIComponent);
  const [area, project = "", features, name = "", environments, environment = "", verb] = path;
  const is = (wanted: string, length: number) => method === wanted && path.length === length;
  const ok = (found: unknown): Answer => ({ status: 200, body: found });

  if (area === "environments" && is("GET", 1))
    return ok({ version: 1, environments: store.environments.map((one) => ({ name: one, type: one, enabled: true })) });
  if (area === "events" && path.length <= 2 && method === "GET")
    return ok(eventView(store, { feature: path[1], project: search.get("project") }));
  if (area === "search" && path[1] === "events" && is("GET", 2)) return ok(searchEvents(store, search));

  if (area === "projects" && features === "features") {
    if (is("GET", 3)) return ok({ version: 2, features: store.list(project).map(adminView) });
    if (is("POST", 3)) return { status: 201, body: createdView(store.create(project, flagWanted(body), by)) };
    if (is("GET", 4)) return ok(featureView(store.get(project, name)));
    if (environments === "environments") {
      if (is("GET", 6)) return ok(environmentView(store, { project, name, environment }));
      if (is("POST", 7) && (verb === "on" || verb === "off")) {
        store.toggle(project, name, environment, verb === "on", by);
        return { status: 200 };
      }
      if (is("POST", 7) && verb === "strategies")
        return ok(store.addStrategy(project, name, environment, strategyWanted(body), by));
    }
  }
  throw notAvailable(pathname);
}

function environmentView(store: FlagStore, at: { project: string; name: string; environment: string }) {
  const { state } = store.at(at.project, at.name, at.environment);
  const strategies = state.strategies.map((strategy) => ({ ...strategy, featureName: at.name }));
  return { name: at.name, environment: at.environment, enabled: state.enabled, strategies };
}

function flagWanted(body: unknown): Pick<Feature, "name"> & { type?: string; description?: string } {
  const wanted: { name?: unknown; type?: unknown; description?: unknown } =
    typeof body === "object" && body ? body : {};
  const { name, type, description } = wanted;
  if (typeof name !== "string" || !/^[\w.~-]+$/.test(name)) {
    const message = "Request validation failed: your request body or params contain invalid data.";
    throw new FlagError(400, "BadDataError", `${message} Refer to the \`details\` list for more information.`);
  }
  return {
    name,
    ...(typeof type === "string" && { type }),
    ...(typeof description === "string" && { description }),
  };
}

function strategyWanted(body: unknown): Partial<Strategy> {
  return typeof body === "object" && body !== null ? body : {};
}

/** The answer, or what Unleash answers for the refusal that it throws. */
function refusing(answer: () => Answer): Answer {
  try {
    return answer();
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    const { status, name, message } = error;
    if (error instanceof BareRefusal) return { status, body: { message } };
    return { status, body: { id: randomUUID(), name, message, details: [{ message }] } };
  }
}

function notAvailable(path: string): FlagError {
  return new FlagError(404, "NotFoundError", `The path you were looking for (${path}) is not available.`);
}

function parse(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
