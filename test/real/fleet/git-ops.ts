import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { kubeApi } from "../../../evals/real-kubernetes/api.ts";
import { APPLICATIONS, type ArgoCd } from "../../../evals/real-kubernetes/argocd.ts";
import type { ControlPlane } from "../../../evals/real-kubernetes/control-plane.ts";
import { manifestOf, persist, type Workload } from "./workloads.ts";

/** The account of the people of the shop, who may do everything. */
export const PEOPLE = "release-desk";
/** The two accounts of unship, as its documentation names them. */
export const ACCOUNTS = { read: "unship-read", gate: "unship-gate" } as const;

/** What an application says of its last operation and of its auto-sync. */
export interface SyncState {
  readonly isAutomated: boolean;
  readonly phase: string;
  readonly by: string;
  /** Unix ms. */
  readonly startedAt: number;
}

/** Releases by Git: a commit that Argo CD syncs to both namespaces, with auto-sync and self-heal. */
export interface GitOps {
  /** Commits the workload at this image, and lets Argo CD look at Git now. Makes the two applications where there are none. */
  release(workload: Workload, image: string): Promise<void>;
  /** Of the application in the first namespace. */
  state(workload: Workload): Promise<SyncState>;
  /** What `argocd app set --sync-policy none` and `argocd app rollback` do, to the application of the twin. */
  rollBackTwin(workload: Workload): Promise<void>;
  /** Switches auto-sync on again, of both. */
  resume(workload: Workload): Promise<void>;
}

interface Application {
  readonly spec: { readonly syncPolicy?: { readonly automated?: { readonly enabled?: boolean } } };
  readonly status?: {
    readonly history?: readonly { readonly id: number }[];
    readonly operationState?: {
      readonly phase?: string;
      readonly startedAt?: string;
      readonly operation?: { readonly initiatedBy?: { readonly username?: string; readonly automated?: boolean } };
    };
  };
}

const MERGE = "application/merge-patch+json";

export async function openGitOps(
  { admin }: Pick<ControlPlane, "admin">,
  argocd: ArgoCd,
  { directory, first, second }: { readonly directory: string; readonly first: string; readonly second: string },
): Promise<GitOps> {
  const repository = join(directory, "shop.git");
  mkdirSync(repository);
  const git = (...args: readonly string[]) =>
    promisify(execFile)("git", ["-C", repository, "-c", "user.name=Ana", "-c", "user.email=ana@shop.example", ...args]);
  await git("init", "-q", "-b", "main");
  const people = kubeApi({ url: argocd.url, token: argocd.token(PEOPLE) });
  const nameOf = ({ name }: Workload, namespace: string) => (namespace === first ? name : `${name}-${namespace}`);
  const application = (workload: Workload, namespace: string) => ({
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: { name: nameOf(workload, namespace) },
    spec: {
      project: "default",
      source: { repoURL: `file://${repository}`, path: workload.name, targetRevision: "main" },
      destination: { server: "https://kubernetes.default.svc", namespace },
      syncPolicy: { automated: { prune: true, selfHeal: true, enabled: true } },
    },
  });
  const patch = (workload: Workload, namespace: string, body: object) =>
    persist(() => admin.must("PATCH", `${APPLICATIONS}/${nameOf(workload, namespace)}`, { body, type: MERGE }));
  const get = (workload: Workload, namespace: string): Promise<Application> =>
    persist(() => admin.must("GET", `${APPLICATIONS}/${nameOf(workload, namespace)}`));
  const automated = (enabled: boolean) => ({ spec: { syncPolicy: { automated: { enabled } } } });
  return {
    async release(workload, image) {
      const folder = join(repository, workload.name);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "workload.yaml"), stringify(manifestOf(workload, image)));
      await git("add", "-A");
      await git("commit", "-q", "-m", `Release ${image}`);
      for (const namespace of [first, second]) {
        const known = await persist(() => admin.call("GET", `${APPLICATIONS}/${nameOf(workload, namespace)}`));
        if (known.status === 404)
          await persist(() => admin.must("POST", APPLICATIONS, { body: application(workload, namespace) }));
        else
          await patch(workload, namespace, { metadata: { annotations: { "argocd.argoproj.io/refresh": "normal" } } });
      }
    },
    async state(workload) {
      const { spec, status } = await get(workload, first);
      const { phase = "", startedAt = "", operation } = status?.operationState ?? {};
      return {
        isAutomated: spec.syncPolicy?.automated?.enabled !== false,
        phase,
        by: operation?.initiatedBy?.username ?? "",
        startedAt: Date.parse(startedAt),
      };
    },
    async rollBackTwin(workload) {
      await patch(workload, second, automated(false));
      const { status } = await get(workload, second);
      const id = status?.history?.at(-2)?.id;
      if (id === undefined) throw new Error(`the twin of ${workload.name} has no history`);
      const path = `/api/v1/applications/${nameOf(workload, second)}/rollback`;
      await persist(() => people.must("POST", path, { body: { id, prune: false } }));
    },
    async resume(workload) {
      for (const namespace of [first, second]) await patch(workload, namespace, automated(true));
    },
  };
}
