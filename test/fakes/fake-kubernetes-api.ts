import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

type Json = Record<string, unknown>;
/** A Kubernetes object as a test writes it; what every stored object has is filled in. */
export interface StoredObject extends Json {
  readonly kind: string;
  metadata: Json & { name: string; namespace: string };
}
export interface RecordedWrite {
  readonly method: string;
  readonly url: string;
  readonly contentType: string;
  readonly body: unknown;
}

const PLURALS: Readonly<Record<string, string>> = {
  Deployment: "deployments",
  StatefulSet: "statefulsets",
  DaemonSet: "daemonsets",
  Rollout: "rollouts",
  ReplicaSet: "replicasets",
  ControllerRevision: "controllerrevisions",
  Pod: "pods",
  Event: "events",
  Service: "services",
  ConfigMap: "configmaps",
};

/**
 * The little of a Kubernetes API server that an undo needs, under the test's control: objects as given, no controller,
 * the three patch types as far as an undo sends them, and `intervene` to be quicker than a patch. What a real server
 * does beyond that is the sandbox's cluster's to show.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/
 */
export async function fakeKubernetesApi(objects: readonly StoredObject[]) {
  const stored = new Map<string, StoredObject>();
  const writes: RecordedWrite[] = [];
  const requests: string[] = [];
  let version = 100;
  let intervene: (turn: number, response: ServerResponse) => "go on" | "answered" = () => "go on";
  let admit: (object: StoredObject) => StoredObject = (object) => object;
  let patches = 0;
  const forbidden = new Set<string>();
  const key = (plural: string, namespace: string, name: string) => `${plural}/${namespace}/${name}`;
  const put = (object: StoredObject) => {
    const at = key(PLURALS[object.kind] ?? "", object.metadata.namespace, object.metadata.name);
    object.metadata = { uid: at, generation: 1, ...object.metadata, resourceVersion: String(++version) };
    stored.set(at, object);
  };
  for (const object of structuredClone(objects)) put(object as StoredObject);

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "", "http://fake");
    requests.push(`${request.method} ${request.url}`);
    const [, namespace, plural = "", name, status] =
      /^\/(?:api\/v1|apis\/apps\/v1|apis\/argoproj\.io\/v1alpha1)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+)(\/status)?)?$/.exec(
        url.pathname,
      ) ?? [];
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (forbidden.has(plural)) return send(403, { kind: "Status", status: "Failure", reason: "Forbidden", code: 403 });
    if (name === undefined) {
      const items = [...stored]
        .filter(([at]) => at.startsWith(`${plural}/${namespace ?? ""}`))
        .map(([, object]) => object);
      return send(200, { items: page(items, url), metadata: nextPage(items, url) });
    }
    if (request.method !== "GET") {
      const body: unknown = JSON.parse(await text(request));
      writes.push({
        method: request.method ?? "",
        url: request.url ?? "",
        contentType: request.headers["content-type"] ?? "",
        body,
      });
      if (intervene(++patches, response) === "answered") return undefined;
      const object = stored.get(key(plural, namespace ?? "", name));
      if (object === undefined) return send(404, failure(404));
      const asked = apply(structuredClone(object), body);
      if (typeof asked === "number") return send(asked, failure(asked));
      const patched = admit(asked);
      // A write of the status changes nothing else, and a write of the rest changes no status.
      const part: StoredObject =
        status === undefined ? { ...patched, status: object.status } : { ...object, status: patched.status };
      const manager = url.searchParams.get("fieldManager") ?? "unnamed";
      const managedFields = managed(object, part, { manager, subresource: status === undefined ? null : "status" });
      const same = JSON.stringify(part.spec) === JSON.stringify(object.spec);
      const generation = Number(object.metadata.generation) + (same ? 0 : 1);
      const after = { ...part, metadata: { ...part.metadata, generation, managedFields } };
      if (url.searchParams.get("dryRun") !== "All") put(after);
      return send(200, after);
    }
    const object = stored.get(key(plural, namespace ?? "", name));
    return object === undefined ? send(404, failure(404)) : send(200, object);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    writes,
    requests,
    put: (object: StoredObject) => put(structuredClone(object)),
    get: (plural: string, namespace: string, name: string) => structuredClone(stored.get(key(plural, namespace, name))),
    remove: (plural: string, namespace: string, name: string) => stored.delete(key(plural, namespace, name)),
    /** From now on nobody may read these: "events". */
    forbid: (plural: string) => forbidden.add(plural),
    /** Called before the n-th patch (from 1) is looked at. */
    onPatch(does: typeof intervene) {
      intervene = does;
    },
    /** A mutating webhook: what it makes of an object that is written. */
    onAdmission(does: typeof admit) {
      admit = does;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type FakeKubernetesApi = Awaited<ReturnType<typeof fakeKubernetesApi>>;

/** The patched object, or the status with which a server refuses the patch. */
function apply(object: StoredObject, patch: unknown): StoredObject | number {
  if (!Array.isArray(patch)) {
    const { metadata, spec } = patch as { metadata: Json; spec: Json };
    if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== object.metadata.resourceVersion)
      return 409;
    const { $patch: _, ...template } = spec.template as Json;
    const annotations = { ...(object.metadata.annotations as Json), ...(metadata.annotations as Json) };
    return { ...object, metadata: { ...object.metadata, annotations }, spec: { ...(object.spec as Json), template } };
  }
  for (const { op, path, value } of patch as { op: string; path: string; value: unknown }[]) {
    const keys = path
      .slice(1)
      .split("/")
      .map((one) => one.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = keys.pop() ?? "";
    const parent = keys.reduce<Json | undefined>((at, one) => at?.[one] as Json | undefined, object);
    // A replace of a member that is not there adds it, as in the real server.
    if (parent === undefined) return 422;
    if (op === "test" && parent[last] !== value) return 422;
    if (op !== "test") parent[last] = value;
  }
  return object;
}

interface Managed {
  readonly manager: string;
  readonly operation: "Update";
  readonly subresource?: string;
  readonly time: string;
  readonly fieldsV1: Json;
}

/**
 * Who wrote which field last, after one write: its fields are taken from all others, and whoever is left with none is left
 * out. Lists are fields as a whole here; a real server goes into those with keys.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
function managed(
  before: StoredObject,
  after: StoredObject,
  writer: { readonly manager: string; readonly subresource: string | null },
): readonly Managed[] {
  const { manager, subresource } = writer;
  const now = new Map(leavesOf(after).map(([path, value]) => [path, value]));
  const old = new Map(leavesOf(before));
  const changed = [...now].filter(([path, value]) => old.get(path) !== value).map(([path]) => path);
  const entries = ((before.metadata.managedFields ?? []) as Managed[]).map((entry) => ({
    entry,
    paths: pathsIn(entry.fieldsV1),
  }));
  const isWriter = ({ entry }: (typeof entries)[number]) =>
    entry.manager === manager && (entry.subresource ?? null) === subresource;
  const kept = entries.map((one) => ({
    ...one,
    paths: one.paths.filter((path) => now.has(path) && !changed.includes(path)),
  }));
  if (changed.length === 0) return kept.map(({ entry }) => entry);
  const own = kept.find(isWriter);
  const mine: Managed = {
    manager,
    operation: "Update",
    ...(subresource === null ? {} : { subresource }),
    time: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    fieldsV1: fieldsOf([...(own?.paths ?? []), ...changed]),
  };
  const others = kept.filter((one) => !isWriter(one) && one.paths.length > 0);
  return [...others.map(({ entry, paths }) => ({ ...entry, fieldsV1: fieldsOf(paths) })), mine];
}

const SEPARATOR = "\u0000";
const isMap = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** Every field of an object that a write can own, with its value as text. */
function leavesOf(object: StoredObject): readonly (readonly [string, string])[] {
  const { managedFields: _, resourceVersion: __, generation: ___, uid: ____, ...metadata } = object.metadata;
  const inside = (value: unknown, path: readonly string[]): readonly (readonly [string, string])[] =>
    isMap(value) && Object.keys(value).length > 0
      ? Object.entries(value).flatMap(([key, one]) => inside(one, [...path, `f:${key}`]))
      : [[path.join(SEPARATOR), JSON.stringify(value)]];
  return inside({ metadata, spec: object.spec, status: object.status }, []);
}

function pathsIn(fields: unknown, path: readonly string[] = []): readonly string[] {
  if (!isMap(fields) || Object.keys(fields).length === 0) return path.length === 0 ? [] : [path.join(SEPARATOR)];
  return Object.entries(fields).flatMap(([key, one]) => pathsIn(one, [...path, key]));
}

function fieldsOf(paths: readonly string[]): Json {
  const fields: Json = {};
  for (const path of paths) {
    let at = fields;
    for (const key of path.split(SEPARATOR)) {
      at[key] ??= {};
      at = at[key] as Json;
    }
  }
  return fields;
}

function page(items: readonly StoredObject[], url: URL): readonly StoredObject[] {
  const from = Number(url.searchParams.get("continue") ?? 0);
  return items.slice(from, from + PAGE);
}

/** Smaller than any client asks for: a server may always send fewer. */
const PAGE = 3;

function nextPage(items: readonly StoredObject[], url: URL): Json {
  const to = Number(url.searchParams.get("continue") ?? 0) + PAGE;
  return to < items.length ? { continue: String(to) } : {};
}

function failure(status: number): Json {
  return { kind: "Status", apiVersion: "v1", status: "Failure", code: status };
}

async function text(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += chunk;
  return body;
}
