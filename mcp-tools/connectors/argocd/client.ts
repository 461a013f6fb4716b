import { z } from "zod";
import { UnshipError } from "../../../core/errors.ts";
import { createHttp, type Path, path } from "../http.ts";
import { Application, ApplicationSet } from "./application.ts";

export interface ArgocdOptions {
  /** The server's base URL; one that ends in /api/v1/applications is cut there. */
  readonly endpoint: URL;
  /** Token of an Argo CD account; null: none is sent, which a server refuses unless anonymous access is on. */
  readonly token: string | null;
  /** The account that unship writes as, where another process does so; null: that of the token. */
  readonly account?: string | null;
  readonly timeoutMs?: number;
}

/** Which windows a project sets for syncs of an application, and whether a sync by hand may run now. */
const SyncWindows = z.looseObject({
  canSync: z.boolean().nullish(),
  activeWindows: windows(),
  assignedWindows: windows(),
});
export type SyncWindows = z.infer<typeof SyncWindows>;

function windows() {
  const Window = z.looseObject({
    kind: z.string().default(""),
    schedule: z.string().default(""),
    duration: z.string().default(""),
    manualSync: z.boolean().nullish(),
  });
  return z
    .array(Window)
    .nullish()
    .transform((all) => all ?? []);
}

const RevisionMetadata = z.looseObject({ author: z.string().nullish(), message: z.string().nullish() });
export type RevisionMetadata = z.infer<typeof RevisionMetadata>;

/** An RFC 6902 patch of an Application. */
export type JsonPatch = readonly (
  | { readonly op: "test" | "add"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string }
)[];

/** The parts of Argo CD's API that unship uses. Throws as `Http` does. */
export interface ArgocdClient {
  readonly source: string;
  readonly endpoint: string;
  version(abort: AbortSignal): Promise<string>;
  /** Every application that the token may see. */
  applications(abort: AbortSignal): Promise<readonly Application[]>;
  /** `namespace` "": that of Argo CD itself. */
  application(
    name: string,
    namespace: string,
    abort: AbortSignal,
    /** `refresh`: Argo CD compares with Git anew before it answers. */
    options?: { readonly refresh: boolean },
  ): Promise<Application>;
  applicationSet(name: string, namespace: string, abort: AbortSignal): Promise<ApplicationSet>;
  syncWindows(name: string, namespace: string, abort: AbortSignal): Promise<SyncWindows>;
  revisionMetadata(name: string, namespace: string, revision: string, abort: AbortSignal): Promise<RevisionMetadata>;
  /** Each object of the application as it stands in the cluster, as JSON. */
  liveObjects(name: string, namespace: string, abort: AbortSignal): Promise<readonly string[]>;
  /** Each object that a revision asks for, with the parameters that the application has now, as JSON. */
  manifests(name: string, namespace: string, revision: string, abort: AbortSignal): Promise<readonly string[]>;
  /** The account that unship writes as; null where the server does not tell. */
  username(abort: AbortSignal): Promise<string | null>;
  /** Whether the token may do this to the application; null where the server does not tell. */
  mayDo(
    action: "sync" | "rollback" | "update" | "delete",
    project: string,
    name: string,
    abort: AbortSignal,
  ): Promise<boolean | null>;
  /** The application as it stands after the patch. */
  patch(name: string, namespace: string, patch: JsonPatch, abort: AbortSignal): Promise<Application>;
  /** Starts a sync to a history entry, without pruning; the application as it stands then. */
  rollback(
    name: string,
    namespace: string,
    id: number,
    options: { readonly dryRun: boolean },
    abort: AbortSignal,
  ): Promise<Application>;
  close(): Promise<void>;
}

/** @see https://github.com/argoproj/argo-cd/blob/master/assets/swagger.json (read at 37ee009) */
export function argocdClient({ endpoint, token, account = null, timeoutMs }: ArgocdOptions): ArgocdClient {
  const source = "argocd";
  const base = new URL(endpoint);
  base.pathname = base.pathname.replace(/\/api\/v1(\/applications)?\/?$/, "") || "/";
  const http = createHttp({
    source,
    base,
    narrow: "let its account see fewer applications",
    ...(token === null ? {} : { headers: { authorization: `Bearer ${token}` } }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const below = (name: string, namespace: string, tail = ""): Path => {
    const query = namespace === "" ? "" : `?appNamespace=${encodeURIComponent(namespace)}`;
    return `${path`/api/v1/applications/${name}`}${tail}${query}` as Path;
  };
  return {
    source,
    endpoint: base.href,
    async version(abort) {
      const Version = z.looseObject({ Version: z.string() });
      return (await http.getJson(path`/api/version`, Version, abort)).Version;
    },
    async applications(abort) {
      const List = z.looseObject({
        items: z
          .array(Application)
          .nullish()
          .transform((items) => items ?? []),
      });
      return (await http.getJson(path`/api/v1/applications`, List, abort)).items;
    },
    application(name, namespace, abort, options) {
      const to = below(name, namespace);
      const refresh = options?.refresh ? `${to.includes("?") ? "&" : "?"}refresh=normal` : "";
      return http.getJson(`${to}${refresh}` as Path, Application, abort);
    },
    applicationSet(name, namespace, abort) {
      const to = path`/api/v1/applicationsets/${name}?appsetNamespace=${namespace}`;
      return http.getJson(to, ApplicationSet, abort);
    },
    syncWindows: (name, namespace, abort) => http.getJson(below(name, namespace, "/syncwindows"), SyncWindows, abort),
    revisionMetadata(name, namespace, revision, abort) {
      const tail = path`/revisions/${revision}/metadata`;
      return http.getJson(below(name, namespace, tail), RevisionMetadata, abort);
    },
    async liveObjects(name, namespace, abort) {
      const Items = z.looseObject({
        items: z
          .array(z.looseObject({ liveState: z.string().nullish() }))
          .nullish()
          .transform((items) => items ?? []),
      });
      const { items } = await http.getJson(below(name, namespace, "/managed-resources"), Items, abort);
      return items.flatMap(({ liveState }) => (liveState ? [liveState] : []));
    },
    async manifests(name, namespace, revision, abort) {
      const Answer = z.looseObject({
        manifests: z
          .array(z.string())
          .nullish()
          .transform((all) => all ?? []),
      });
      const to = below(name, namespace, "/manifests");
      const query = `${to.includes("?") ? "&" : "?"}revision=${encodeURIComponent(revision)}`;
      return (await http.getJson(`${to}${query}` as Path, Answer, abort)).manifests;
    },
    async username(abort) {
      if (account !== null) return account;
      const UserInfo = z.looseObject({ username: z.string().nullish() });
      const info = await http.getJson(path`/api/v1/session/userinfo`, UserInfo, abort).catch(unlessOurs);
      return info?.username || null;
    },
    async mayDo(action, project, name, abort) {
      const Answer = z.looseObject({ value: z.string().nullish() });
      const to = path`/api/v1/account/can-i/applications/${action}/${project}/${name}`;
      const answer = await http.getJson(to, Answer, abort).catch(unlessOurs);
      return answer?.value === "yes" ? true : answer?.value === "no" ? false : null;
    },
    async patch(name, namespace, patch, abort) {
      const body = { name, appNamespace: namespace, patch: JSON.stringify(patch), patchType: "json" };
      return (await http.send("PATCH", below(name, ""), body, JSON_TYPE, Application, abort)).body;
    },
    async rollback(name, namespace, id, { dryRun }, abort) {
      const body = { name, appNamespace: namespace, id, dryRun, prune: false };
      return (await http.send("POST", below(name, "", "/rollback"), body, JSON_TYPE, Application, abort)).body;
    },
    close: () => http.close(),
  };
}

const JSON_TYPE = "application/json";

/** A server that refuses or lacks this part of its API leaves the answer unknown. */
function unlessOurs(error: unknown): null {
  if (error instanceof UnshipError) return null;
  throw error;
}
