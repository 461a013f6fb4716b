import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { ControlPlane } from "../../../evals/real-kubernetes/control-plane.ts";
import type { RealParts } from "../../../evals/real-kubernetes/parts.ts";
import { collectionOf, persist, type Workload } from "./workloads.ts";

/**
 * A second namespace to which people do the same as to the first. What unship undoes in the first, real `kubectl rollout
 * undo` undoes here: both must leave the same objects.
 */
export interface Twin {
  /** Runs `kubectl rollout undo` of the oracle's version; throws with what it said where it refuses. */
  undo(workload: Workload): Promise<string>;
  /** Differences of the workload, its history and its pods between the two namespaces once both have settled; empty: none. */
  differences(workload: Workload): Promise<readonly string[]>;
}

const POLL_MS = 500;
const PATIENCE_MS = 45_000;

export function openTwin(plane: ControlPlane, parts: RealParts, first: string, second: string): Twin {
  const { admin, kubeconfigPath } = plane;
  const list = async (path: string) => (await persist(() => admin.must("GET", path))).items as readonly Item[];

  const picture = async ({ kind, name }: Workload, namespace: string) => {
    const object: Item = await persist(() => admin.must("GET", `${collectionOf(kind, namespace)}/${name}`));
    const selector = `labelSelector=app%3D${name}`;
    const history =
      kind === "Deployment"
        ? await list(`/apis/apps/v1/namespaces/${namespace}/replicasets?${selector}`)
        : await list(`/apis/apps/v1/namespaces/${namespace}/controllerrevisions?${selector}`);
    const pods = await list(`/api/v1/namespaces/${namespace}/pods?${selector}`);
    return {
      "its spec": object.spec,
      "its labels": object.metadata.labels,
      "its revision": object.metadata.annotations?.[REVISION],
      "its history": history
        .map(({ metadata, spec, data, revision }) => ({
          name: metadata.name,
          revision: metadata.annotations?.[REVISION] ?? String(revision),
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
    async undo({ kind, name }) {
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

const REVISION = "deployment.kubernetes.io/revision";

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
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const isReady = (status: Item["status"]): string =>
  status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true ? "ready" : "not ready";
