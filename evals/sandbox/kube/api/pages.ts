import { badRequest, expired } from "../api-error.ts";
import type { KubeObject, Plural } from "../objects.ts";
import { namespaceOf } from "../objects.ts";
import type { Store } from "../store.ts";

/** A part of a list, as it stood at one version. */
export interface Page {
  readonly objects: readonly KubeObject[];
  readonly version: string;
  /** Where the next part begins; undefined for the last. */
  readonly next: string | undefined;
  readonly remaining: number | undefined;
}

/** What a continuation says: the version that the list is of, and the last object that was given out. */
interface Continuation {
  readonly rv: number;
  readonly start: string;
}

/** The version in a continuation that goes on with whatever there is by then, as the real server gives it out. */
const NOW = -1;

/**
 * The part of a collection that a request asks for. All parts of a list are of the version of its first. Throws 400 for a
 * continuation that is none of this server's, 410 where the history does not reach back to its version.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
export function pageOf(
  store: Store,
  plural: Plural,
  matches: (object: KubeObject) => boolean,
  query: URLSearchParams,
): Page {
  const limit = Number(query.get("limit") ?? "") || 0;
  const token = query.get("continue") ?? "";
  const from = token === "" ? undefined : continuationOf(token);
  const now = from === undefined || from.rv === NOW;
  const version = now ? store.version() : from.rv;
  const all = now ? (store.list(plural) as readonly KubeObject[]) : objectsAt(store, plural, from);
  const left = all.filter((object) => matches(object) && (from === undefined || keyOf(object) > from.start));
  const objects = limit > 0 ? left.slice(0, limit) : left;
  const last = objects.at(-1);
  const remaining = left.length - objects.length;
  return {
    objects,
    version: String(version),
    next: remaining === 0 || last === undefined ? undefined : encode({ rv: version, start: keyOf(last) }),
    // As in the real API, which does not count what a selector would leave out.
    remaining: remaining === 0 || query.has("labelSelector") || query.has("fieldSelector") ? undefined : remaining,
  };
}

const keyOf = (object: KubeObject): string => `${namespaceOf(object)}/${object.metadata.name}`;

const encode = (continuation: Continuation): string =>
  Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", ...continuation })).toString("base64url");

function continuationOf(token: string): Continuation {
  try {
    const { rv, start } = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (typeof rv === "number" && typeof start === "string") return { rv, start };
  } catch {
    // Said below.
  }
  throw badRequest("continue key is not valid");
}

/** The collection as it was: the events since are taken back, newest first. */
function objectsAt(store: Store, plural: Plural, { rv, start }: Continuation): readonly KubeObject[] {
  const objects = new Map((store.list(plural) as readonly KubeObject[]).map((object) => [keyOf(object), object]));
  let since: ReturnType<Store["since"]>;
  try {
    since = store.since(plural, rv);
  } catch {
    throw expired(encode({ rv: NOW, start }));
  }
  for (const { type, object, previous } of since.toReversed()) {
    if (type === "ADDED") objects.delete(keyOf(object));
    else if (previous !== undefined) objects.set(keyOf(object), previous);
  }
  return [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
}
