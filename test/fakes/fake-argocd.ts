import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { breachesOf } from "./argocd-contract.ts";

type Json = Record<string, unknown>;
interface FakeHistory extends Json {
  id: number;
  revision?: string;
  source?: Json;
  deployedAt: string;
  deployStartedAt?: string;
  initiatedBy?: Json;
}
/** An Application as Argo CD serves it; tests change it at will. */
export interface FakeApplication {
  metadata: Json & { name: string; namespace: string; resourceVersion: string; annotations?: Record<string, string> };
  spec: Json & { project: string; source?: Json; destination: Json; syncPolicy?: { automated?: Json } & Json };
  operation?: Json & { sync: Json & { revision: string; source?: Json | undefined } };
  status: Json & { history: FakeHistory[]; operationState?: Json; resources: Json[] };
}
export interface FakeWrite {
  readonly call: string;
  readonly body: Json;
}

export const ARGOCD_TOKEN = "argocd-secret-token-0123456789";
/** The first sync of every fake application. */
export const FIRST_SYNC = Date.UTC(2026, 0, 1, 12);
const HOUR = 3_600_000;

/** `commit("a")` is a commit of forty times that digit. */
export const commit = (digit: string): string => digit.repeat(40);

/** An application `name` with one sync an hour to each of these revisions, the last of them live. */
export function fakeApplication(
  name: string,
  revisions: readonly string[],
  more: { readonly automated?: Json; readonly resources?: readonly Json[]; readonly metadata?: Json } = {},
): FakeApplication {
  const source = { repoURL: "https://git.example/shop/deploy.git", path: name, targetRevision: "main" };
  return {
    metadata: { name, namespace: "argocd", resourceVersion: "1", ...more.metadata },
    spec: {
      project: "default",
      source,
      destination: { server: "https://kubernetes.default.svc", namespace: "shop" },
      ...(more.automated === undefined ? {} : { syncPolicy: { automated: more.automated } }),
    },
    status: {
      history: revisions.map((revision, id) => ({
        id,
        revision,
        source,
        deployStartedAt: new Date(FIRST_SYNC + id * HOUR).toISOString(),
        deployedAt: new Date(FIRST_SYNC + id * HOUR + 5000).toISOString(),
        initiatedBy: { username: "ada" },
      })),
      health: { status: "Healthy" },
      sync: { status: "Synced", revision: revisions.at(-1) ?? "" },
      resources: [
        ...(more.resources ?? [
          { group: "apps", version: "v1", kind: "Deployment", namespace: "shop", name, health: { status: "Healthy" } },
        ]),
      ],
    },
  };
}

/**
 * The part of Argo CD's API that a rollback needs, with the server's rules as its source has them: a rollback is refused
 * while auto-sync is on or another operation runs, so is a sync to a revision that auto-sync does not follow; a patch is tested against the application as it is read and then
 * written over whatever came since, nobody learns of applications that they may not see. Both sides of each call are held
 * to the published description; what is not as described stands in `breaches`, and closing throws then. The controller
 * takes a step at each read: asked for, running, ended as `ends` says.
 *
 * @see https://github.com/argoproj/argo-cd/blob/37ee009/server/application/application.go
 * @see https://github.com/argoproj/argo-cd/blob/37ee009/util/argo/argo.go (SetAppOperation)
 */
export async function fakeArgocd(applications: readonly FakeApplication[]) {
  const stored = new Map(applications.map((one) => [one.metadata.name, structuredClone(one)]));
  const sets = new Map<string, Json>();
  const windows = new Map<string, Json>();
  const metadata = new Map<string, Json>();
  const live = new Map<string, readonly Json[]>();
  const manifests = new Map<string, readonly Json[]>();
  const writes: FakeWrite[] = [];
  const breaches: string[] = [];
  const forbidden: RegExp[] = [];
  const accounts = new Map([[ARGOCD_TOKEN, "unship"]]);
  let version = 100;
  let rights: (action: string, name: string) => "yes" | "no" | "untold" = () => "yes";
  let ends: "Succeeded" | "Failed" | "never" = "Succeeded";
  let clock = FIRST_SYNC + 100 * HOUR;
  let onWrite: (turn: number, response: ServerResponse) => "go on" | "answered" = () => "go on";
  let afterPatch: (application: FakeApplication) => void = () => {};

  const touch = (application: FakeApplication) => {
    application.metadata.resourceVersion = String(++version);
  };
  const record = (application: FakeApplication, revision: string, source: Json | undefined, by: Json) => {
    clock += 10_000;
    const id = (application.status.history.at(-1)?.id ?? -1) + 1;
    application.status.history.push({
      id,
      revision,
      ...(source === undefined ? {} : { source }),
      deployStartedAt: new Date(clock - 5000).toISOString(),
      deployedAt: new Date(clock).toISOString(),
      initiatedBy: by,
    });
    touch(application);
  };
  const step = (application: FakeApplication) => {
    const { operation, status } = application;
    if (operation === undefined) return;
    if (status.operationState === undefined) {
      const startedAt = new Date(clock).toISOString();
      status.operationState = { operation, phase: "Running", startedAt };
      return touch(application);
    }
    if (ends === "never") return;
    const { revision, source } = operation.sync;
    delete application.operation;
    status.operationState = { ...status.operationState, phase: ends, finishedAt: new Date(clock).toISOString() };
    if (ends === "Succeeded" && operation.sync.dryRun !== true)
      record(application, revision, source, operation.initiatedBy as Json);
    touch(application);
  };

  function answerTo(method: string, url: URL, body: Json, username: string): readonly [number, unknown] {
    const denied = [403, error(7, "permission denied")] as const;
    if (forbidden.some((one) => one.test(`${method} ${url.pathname}`))) return denied;
    if (url.pathname === "/api/version") return [200, { Version: "v3.1.0" }];
    if (url.pathname === "/api/v1/session/userinfo") return [200, { loggedIn: true, username, iss: "argocd" }];
    const [, resource, action = "", of = ""] =
      /^\/api\/v1\/account\/can-i\/([^/]+)\/([^/]+)\/(.+)$/.exec(url.pathname) ?? [];
    if (resource !== undefined) {
      const value = rights(action, decodeURIComponent(of));
      return value === "untold" ? [400, error(3, `${action} is no action`)] : [200, { value }];
    }
    if (url.pathname === "/api/v1/applications") return [200, { metadata: {}, items: [...stored.values()] }];
    const [, set] = /^\/api\/v1\/applicationsets\/([^/]+)$/.exec(url.pathname) ?? [];
    if (set !== undefined) return sets.has(set) ? [200, sets.get(set)] : denied;
    const [, name = "", tail = ""] = /^\/api\/v1\/applications\/([^/]+)(\/.+)?$/.exec(url.pathname) ?? [];
    const application = stored.get(name);
    const namespace = url.searchParams.get("appNamespace") ?? body.appNamespace ?? "argocd";
    if (application === undefined || (namespace !== "" && namespace !== application.metadata.namespace)) return denied;
    if (tail === "/syncwindows") return [200, windows.get(name) ?? { canSync: true }];
    if (tail === "/managed-resources")
      return [
        200,
        { items: (live.get(name) ?? []).map((one) => ({ kind: one.kind, liveState: JSON.stringify(one) })) },
      ];
    if (tail === "/manifests") {
      const found = manifests.get(url.searchParams.get("revision") ?? "");
      if (found === undefined) return [500, error(2, "failed to render")];
      return [200, { manifests: found.map((one) => JSON.stringify(one)) }];
    }
    const [, revision] = /^\/revisions\/([^/]+)\/metadata$/.exec(tail) ?? [];
    if (revision !== undefined) return [200, metadata.get(revision) ?? { author: "", message: "" }];
    if (method === "GET") {
      step(application);
      return [200, application];
    }
    if (method === "PATCH") {
      const patched = patch(structuredClone(application), JSON.parse(String(body.patch)));
      if (patched === null) return [500, error(2, "error applying patch: testing value failed")];
      Object.assign(application, { spec: patched.spec });
      Object.assign(application.metadata, { annotations: patched.metadata.annotations });
      touch(application);
      afterPatch(application);
      return [200, application];
    }
    if (method === "PUT") return update(application, body as unknown as FakeApplication);
    return tail === "/sync"
      ? sync(application, body, username)
      : rollback(application, Number(body.id), body, username);
  }

  /** The whole spec, and whatever labels and annotations the caller sends: those that it leaves out are gone. */
  function update(application: FakeApplication, { spec, metadata: sent }: FakeApplication): readonly [number, unknown] {
    const { labels: _labels, annotations: _annotations, ...kept } = application.metadata;
    const { labels, annotations } = sent;
    application.metadata = {
      ...kept,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    };
    application.spec = spec;
    touch(application);
    return [200, application];
  }

  function sync(application: FakeApplication, body: Json, username: string): readonly [number, unknown] {
    const { name, deletionTimestamp } = application.metadata;
    if (windows.get(name)?.canSync === false) return [403, error(7, "cannot sync: blocked by sync window")];
    if (deletionTimestamp !== undefined) return refuse(9, "application is deleting");
    const { source } = application.spec;
    const target = String(source?.targetRevision ?? "HEAD");
    const wanted = String(body.revision ?? target);
    if (wanted !== target && isAutomated(application) && body.dryRun !== true)
      return refuse(9, `Cannot sync to ${wanted}: auto-sync currently set to ${target}`);
    const revision = wanted === target ? (application.status.history.at(-1)?.revision ?? "") : wanted;
    return operate(application, { ...(source === undefined ? {} : { source }), revision }, body, username);
  }

  /** Asks for an operation, as both a sync and a rollback do; the controller takes it up by itself. */
  function operate(
    application: FakeApplication,
    what: { readonly revision: string; readonly source?: Json },
    body: Json,
    username: string,
  ): readonly [number, unknown] {
    if (application.operation !== undefined) return refuse(9, "another operation is already in progress");
    const { revision, source } = what;
    const sync = { revision, source, prune: body.prune === true, dryRun: body.dryRun === true };
    application.operation = {
      sync: { ...sync, syncStrategy: { apply: {} } },
      initiatedBy: { username },
    };
    delete application.status.operationState;
    touch(application);
    return [200, application];
  }

  function rollback(
    application: FakeApplication,
    id: number,
    body: Json,
    username: string,
  ): readonly [number, unknown] {
    if (application.metadata.deletionTimestamp !== undefined) return refuse(9, "application is deleting");
    if (isAutomated(application)) return refuse(9, "rollback cannot be initiated when auto-sync is enabled");
    const entry = application.status.history.find((one) => one.id === id);
    if (entry === undefined) return refuse(3, "application does not have deployment with id");
    if (entry.source === undefined)
      return refuse(9, "cannot rollback to revision deployed with Argo CD v0.11 or lower");
    return operate(application, { revision: entry.revision ?? "", source: entry.source }, body, username);
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "", "http://fake");
    const method = request.method ?? "";
    const text = await bodyOf(request);
    const body = text === "" ? {} : (JSON.parse(text) as Json);
    if (method !== "GET") {
      writes.push({ call: `${method} ${url.pathname}`, body });
      if (onWrite(writes.length, response) === "answered") return;
    }
    const account = accounts.get(request.headers.authorization?.replace(/^Bearer /, "") ?? "");
    const [status, answer] =
      account === undefined ? [401, error(16, "no session information")] : answerTo(method, url, body, account);
    breaches.push(...breachesOf(method, url, body, status, answer));
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/applications`),
    token: ARGOCD_TOKEN,
    writes,
    breaches,
    /** The application itself: what a test changes in it, somebody else did. */
    application(name: string): FakeApplication {
      const application = stored.get(name);
      if (application === undefined) throw new Error(`the fake has no application ${name}`);
      return application;
    },
    put: (application: FakeApplication) => void stored.set(application.metadata.name, application),
    putSet: (name: string, spec: Json) =>
      void sets.set(name, { metadata: { name, namespace: "argocd" }, spec: { generators: [], template: {}, ...spec } }),
    setWindows: (name: string, answer: Json) => void windows.set(name, answer),
    /** What stands in the cluster of an application, and what a revision asks for. */
    setLive: (name: string, objects: readonly Json[]) => void live.set(name, objects),
    setManifests: (revision: string, objects: readonly Json[]) => void manifests.set(revision, objects),
    describe: (revision: string, author: string, message: string) => void metadata.set(revision, { author, message }),
    /** Somebody (or auto-sync) syncs an application, at once. */
    sync(name: string, revision: string, by: Json = { username: "ada" }) {
      const application = this.application(name);
      record(application, revision, application.spec.source, by);
    },
    touch: (name: string) => {
      const application = stored.get(name);
      if (application !== undefined) touch(application);
    },
    /** Calls that match "GET /api/…" are denied from now on. */
    forbid: (calls: RegExp) => void forbidden.push(calls),
    /** What the token is told that it may do: "sync" to "default/shop"; a server does not know every action. */
    grant: (does: typeof rights) => {
      rights = does;
    },
    /** The name behind unship's token from now on. */
    account: (name: string) => void accounts.set(ARGOCD_TOKEN, name),
    /** A token for somebody else. */
    login(name: string): string {
      const token = `argocd-token-of-${name}-0123456789`;
      accounts.set(token, name);
      return token;
    },
    ends: (phase: typeof ends) => {
      ends = phase;
    },
    /** Called before the n-th write (from 1) is looked at. */
    onWrite(does: typeof onWrite) {
      onWrite = does;
    },
    /** Called when a patch is written and before it is answered: a controller that puts something back. */
    afterPatch(does: typeof afterPatch) {
      afterPatch = does;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (breaches.length > 0)
        throw new Error(`not as Argo CD describes its API: ${[...new Set(breaches)].join("; ")}`);
    },
  };
}
export type FakeArgocd = Awaited<ReturnType<typeof fakeArgocd>>;

const error = (code: number, message: string): Json => ({ error: message, code, message });
const refuse = (code: number, message: string) => [400, error(code, message)] as const;

/** Present is on, unless it says otherwise. */
function isAutomated({ spec: { syncPolicy } }: FakeApplication): boolean {
  const { automated } = syncPolicy ?? {};
  return automated !== undefined && automated !== null && automated.enabled !== false;
}

/** RFC 6902 as far as a client sends it; null: a test failed, or a path does not exist. */
function patch(application: FakeApplication, operations: readonly { op: string; path: string; value: unknown }[]) {
  for (const { op, path, value } of operations) {
    const keys = path
      .slice(1)
      .split("/")
      .map((one) => one.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = keys.pop() ?? "";
    const parent = keys.reduce<Json | undefined>(
      (at, one) => at?.[one] as Json | undefined,
      application as unknown as Json,
    );
    if (parent === undefined || typeof parent !== "object") return null;
    if (op === "test" && JSON.stringify(parent[last]) !== JSON.stringify(value)) return null;
    if ((op === "remove" || op === "replace") && !(last in parent)) return null;
    if (op === "add" || op === "replace") parent[last] = value;
    if (op === "remove") delete parent[last];
  }
  return application;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += chunk;
  return body;
}
