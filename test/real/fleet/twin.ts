import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { ControlPlane } from "../../../evals/real-kubernetes/control-plane.ts";
import type { RealParts } from "../../../evals/real-kubernetes/parts.ts";
import { collectionOf, persist, type Workload, type WorkloadKind } from "./workloads.ts";

/**
 * A second namespace to which people do the same as to the first. What unship undoes in the first, real `kubectl rollout
 * undo` undoes here, or what the client of Argo Rollouts sends: both must leave the same objects.
 */
export interface Twin {
  /** Runs `kubectl rollout undo` of the oracle's version; throws with what it said where it refuses. */
  undo(workload: Workload): Promise<string>;
  /** What `kubectl argo rollouts abort` sends. @see argo-rollouts v1.9.2, pkg/kubectl-argo-rollouts/cmd/abort */
  abort(workload: Workload): Promise<void>;
  /** Differences of the workload, its history and its pods between the two namespaces once both have settled; empty: none. */
  differences(workload: Workload): Promise<readonly string[]>;
}

const POLL_MS = 500;
/** A blue-green Rollout keeps the version that it left for half a minute. */
const PATIENCE_MS = 75_000;

export function openTwin(plane: ControlPlane, parts: RealParts, first: string, second: string): Twin {
  const { admin, kubeconfigPath } = plane;
  const list = async (path: string) => (await persist(() => admin.must("GET", path))).items as readonly Item[];

  const historyOf = (kind: WorkloadKind, name: string, namespace: string) => {
    const sets = kind === "Deployment" || kind === "Rollout" ? "replicasets" : "controllerrevisions";
    return list(`/apis/apps/v1/namespaces/${namespace}/${sets}?labelSelector=app%3D${name}`);
  };
  /** What `kubectl argo rollouts undo` sends. @see argo-rollouts v1.9.2, pkg/kubectl-argo-rollouts/cmd/undo */
  const undoRollout = async ({ kind, name }: Workload): Promise<string> => {
    const revision = (item: Item) => Number(revisionOf(item) ?? 0);
    const [, before] = (await historyOf(kind, name, second)).toSorted((a, b) => revision(b) - revision(a));
    const value = structuredClone(before?.spec.template);
    if (value === undefined) throw new Error(`the twin of ${name} has no revision before`);
    delete value.metadata.labels["rollouts-pod-template-hash"];
    const path = `${collectionOf(kind, second)}/${name}`;
    const body = [{ op: "replace", path: "/spec/template", value }];
    await persist(() => admin.must("PATCH", path, { body, type: "application/json-patch+json" }));
    return `rollout '${name}' rolled back`;
  };

  const picture = async ({ kind, name }: Workload, namespace: string) => {
    const object: Item = await persist(() => admin.must("GET", `${collectionOf(kind, namespace)}/${name}`));
    const selector = `labelSelector=app%3D${name}`;
    const history = await historyOf(kind, name, namespace);
    const pods = await list(`/api/v1/namespaces/${namespace}/pods?${selector}`);
    return {
      "its spec": object.spec,
      "its labels": object.metadata.labels,
      "its revision": revisionOf(object),
      "its trial": kind === "Rollout" ? { abort: object.status?.abort, phase: object.status?.phase } : null,
      "its history": history
        .map(({ metadata, spec, data, revision }) => ({
          name: metadata.name,
          revision: revisionOf({ metadata }) ?? String(revision),
          replicas: spec?.replicas,
          template: spec?.template ?? data,
        }))
        .sort((a, b) => Number(a.revision) - Number(b.revision)),
      "its pods": pods
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
        .map(({ spec, status }) => `${spec.containers[0].image} ${isReady(status)}`)
        .sort(),
    };
  };
  const compare = async (workload: Workload) => {
    const [ours, theirs] = await Promise.all([picture(workload, first), picture(workload, second)]);
    return (Object.keys(ours) as (keyof typeof ours)[])
      .filter((part) => JSON.stringify(ours[part]) !== JSON.stringify(theirs[part]))
      .map((part) => `${part}: ${JSON.stringify(ours[part])} is not kubectl's ${JSON.stringify(theirs[part])}`);
  };
  return {
    async abort({ kind, name }) {
      const path = `${collectionOf(kind, second)}/${name}/status`;
      const body = { status: { abort: true } };
      await persist(() => admin.must("PATCH", path, { body, type: "application/merge-patch+json" }));
    },
    async undo(workload) {
      const { kind, name } = workload;
      if (kind === "Rollout") return undoRollout(workload);
      const args = ["--kubeconfig", kubeconfigPath, "-n", second, "rollout", "undo", `${kind.toLowerCase()}/${name}`];
      const { stdout } = await persist(() => promisify(execFile)(parts.program("kubectl"), args));
      return stdout.trim();
    },
    async differences(workload) {
      const end = Date.now() + PATIENCE_MS;
      for (;;) {
        const found = await compare(workload);
        if (found.length === 0 || Date.now() > end) return found;
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
  };
}

const REVISIONS = ["deployment.kubernetes.io/revision", "rollout.argoproj.io/revision"];
const revisionOf = ({ metadata }: Pick<Item, "metadata">): string | undefined =>
  REVISIONS.map((name) => metadata.annotations?.[name]).find((one) => one !== undefined);

interface Item {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  // biome-ignore lint/suspicious/noExplicitAny: specs of several kinds are compared whole
  readonly spec: any;
  readonly data?: unknown;
  readonly revision?: number;
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly abort?: boolean;
    readonly phase?: string;
  };
}

const isReady = (status: Item["status"]): string =>
  status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true ? "ready" : "not ready";
