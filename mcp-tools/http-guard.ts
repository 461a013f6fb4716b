import { createHash, timingSafeEqual } from "node:crypto";
import { isLoopback } from "../core/config/address.ts";

/** Who may call over HTTP: a name for the record, and the SHA-256 (64 hexadecimal digits) of a bearer token. */
export interface HttpToken {
  readonly name: string;
  readonly tokenSha256: string;
  /** Sessions with this token are not even offered what acts. */
  readonly readOnly: boolean;
}

/** What is refused before anything of MCP is read. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 415 | 429 | 503;
  /** Ours, safe to show: never a part of what the caller sent. */
  readonly because: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Protection against DNS rebinding (MCP 2025-11-25, Transports, Security Warning): a web page whose name was pointed
 * at this server carries its own name in Host, and any web page carries its own in Origin. `hosts`: host names,
 * without port, that callers may use besides those of the loopback; `origins`: whole origins of web pages that may
 * call. A caller that is no browser sends no Origin.
 */
export function foreignCaller(
  { host, origin }: { readonly host?: string | undefined; readonly origin?: string | undefined },
  allowed: { readonly hosts: readonly string[]; readonly origins: readonly string[] },
): Refusal | null {
  const called = host === undefined ? null : hostName(host);
  if (called === null || !(isLoopback(called) || allowed.hosts.includes(called))) {
    return { status: 403, because: "This Host is not served; name it under server.hosts if it is yours." };
  }
  if (origin === undefined || allowed.origins.includes(origin)) return null;
  // A page that this very address served would be our own.
  if (origin.toLowerCase() === `http://${host?.toLowerCase()}`) return null;
  return { status: 403, because: "This Origin may not call; name it under server.origins if it is yours." };
}

/** Headers by which a caller is known or found: the two ends of a proxy could each read another one of several. */
const ONCE = ["authorization", "host", "origin", "mcp-session-id", "content-type", "content-length"];

/** The refusal of a request that says one of these more than once; null: it does not. `raw`: names and values in turn. */
export function saidTwice(raw: readonly string[]): Refusal | null {
  const names = raw.flatMap((one, at) => (at % 2 === 0 ? [one.toLowerCase()] : []));
  const twice = ONCE.find((name) => names.indexOf(name) !== names.lastIndexOf(name));
  return twice === undefined ? null : { status: 400, because: `The request has several ${twice} headers; send one.` };
}

function hostName(host: string): string | null {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase() ?? null;
}

/** The bearer token of an Authorization header (RFC 6750 §2.1); null: there is none. */
export const bearerOf = (header: string | undefined): string | null =>
  /^Bearer +([\w.~+/-]+=*)$/i.exec(header ?? "")?.[1] ?? null;

/**
 * Whose token an Authorization header carries (RFC 6750 §2.1); null: nobody's. Digests of equal length are compared
 * in constant time, and all of them, so that neither the answer's time nor its place in the list tells anything.
 */
export function tokenOf(header: string | undefined, tokens: readonly HttpToken[]): HttpToken | null {
  const given = bearerOf(header);
  const digest = createHash("sha256")
    .update(given ?? "")
    .digest();
  let found: HttpToken | null = null;
  for (const token of tokens) {
    if (timingSafeEqual(digest, Buffer.from(token.tokenSha256, "hex"))) found = token;
  }
  return given === null ? null : found;
}

/** What is said to whoever calls MCP with the token that approves (S3). */
export const notToPropose: Refusal = {
  status: 403,
  because:
    "This is an approver's personal token: an assistant that holds it could approve what it proposes. Ask for one of your own under server.tokens.",
};

/** RFC 6750 §3: which scheme is wanted, and whether something was wrong with what came. Tells nothing else. */
export const unauthorized = (given: boolean): Refusal => ({
  status: 401,
  because: given
    ? "This bearer token is nobody's here. Ask whoever runs unship for one of server.tokens."
    : "A bearer token is needed: send Authorization: Bearer TOKEN with one of server.tokens.",
  headers: { "www-authenticate": `Bearer realm="unship"${given ? ', error="invalid_token"' : ""}` },
});

/**
 * At most `perMinute` calls a minute of each caller, as a bucket that fills evenly (so a burst of a whole minute's
 * calls is allowed once). `take` says how many seconds to wait, 0: go on; several at once are taken together or not at all,
 * and more than a minute's never are. Forgets callers whose bucket is full.
 */
export function createRateLimit(perMinute: number, now: () => number) {
  const perMs = perMinute / 60_000;
  const buckets = new Map<string, { left: number; at: number }>();
  const refilled = ({ left, at }: { left: number; at: number }, time: number) =>
    Math.min(perMinute, left + Math.max(0, time - at) * perMs);
  return {
    /** How many seconds this caller would have to wait now, 0: not at all. Takes nothing. */
    wait(caller: string): number {
      const known = buckets.get(caller);
      const left = known === undefined ? perMinute : refilled(known, now());
      return left < 1 ? Math.ceil((1 - left) / perMs / 1000) : 0;
    },
    take(caller: string, calls = 1): number {
      const time = now();
      if (buckets.size >= MOST_CALLERS) {
        for (const [key, bucket] of buckets) if (refilled(bucket, time) >= perMinute) buckets.delete(key);
      }
      const known = buckets.get(caller);
      // More callers at once than any team has: whoever is new waits.
      if (known === undefined && buckets.size >= MOST_CALLERS) return 60;
      const left = known === undefined ? perMinute : refilled(known, time);
      if (left < calls) {
        buckets.set(caller, { left, at: time });
        return Math.ceil((calls - left) / perMs / 1000);
      }
      buckets.set(caller, { left: left - calls, at: time });
      return 0;
    },
  };
}

const MOST_CALLERS = 10_000;

/** Null where there is nothing to wait for. `limit`: requests a minute; `key`: where the file sets it, if it does. */
export function tooMany(seconds: number, limit: number, key?: string): Refusal | null {
  if (seconds === 0) return null;
  const set = key === undefined ? "" : `; ${key} sets the limit`;
  return {
    status: 429,
    because: `More than ${limit} requests came from you in a minute; wait ${seconds} s${set}.`,
    headers: { "retry-after": String(seconds) },
  };
}

/** The refusal of a batch of so many messages; `limit`: requests a minute, `seconds`: until there is room for it. */
export function tooManyInOne(messages: number, limit: number, seconds: number): Refusal {
  const because = `A batch counts as the ${messages} messages in it, and you may send ${limit} in a minute (server.requests_per_minute)`;
  return messages > limit
    ? { status: 429, because: `${because}; send fewer at once.` }
    : { status: 429, because: `${because}; wait ${seconds} s.`, headers: { "retry-after": String(seconds) } };
}
