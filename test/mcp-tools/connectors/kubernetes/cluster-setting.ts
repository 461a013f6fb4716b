import { type Cluster, startCluster } from "../../../../evals/sandbox/kube/cluster.ts";
import type { WorkloadKind as AnyKind } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { type KubeClient, kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { readHistory, type Workload } from "../../../../mcp-tools/connectors/kubernetes/history.ts";
import { parseKubeconfig } from "../../../../mcp-tools/connectors/kubernetes/kubeconfig.ts";
import { WorkloadObject } from "../../../../mcp-tools/connectors/kubernetes/objects.ts";
import { isComplete } from "../../../../mcp-tools/connectors/kubernetes/rollout-status.ts";
import { daemonSet, deployment, statefulSet } from "../../../evals/sandbox/kube/manifests.ts";
import { type FakePodRuntime, fakePodRuntime } from "../../../fakes/fake-pod-runtime.ts";

/** What the sandbox's cluster has a controller for. */
export type WorkloadKind = Exclude<AnyKind, "Rollout">;

type Json = Parameters<typeof deployment>[1];
const MANIFESTS = { Deployment: deployment, StatefulSet: statefulSet, DaemonSet: daemonSet } as const;
const never = new AbortController().signal;

/** An imitated cluster with one workload, `web` in `default`, and our client for it. Images with "bad" are never ready. */
export interface Setting extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly runtime: FakePodRuntime;
  readonly client: KubeClient;
  /** Applies the manifest with this image, and waits until the controller has given it a revision. */
  deploy(kind: WorkloadKind, image: string, spec?: Json, metadata?: Json): Promise<Workload>;
  workload(kind: WorkloadKind): Promise<Workload>;
  /** Waits until the workload satisfies this. */
  until(kind: WorkloadKind, holds: (workload: Workload) => boolean): Promise<Workload>;
}

export async function startSetting(options: { readonly now?: () => number } = {}): Promise<Setting> {
  const runtime = fakePodRuntime();
  runtime.readyWhen(({ image }) => !image.includes("bad"));
  const cluster = await startCluster({ runtime, timings: { probePeriodMs: 20 }, ...options });
  const client = kubeClient(parseKubeconfig(cluster.kubeconfig(), "the cluster's kubeconfig", null));
  const workload = async (kind: WorkloadKind) =>
    readHistory(client, kind, await client.get(kind, "default", "web", WorkloadObject, never), never);
  const until = async (kind: WorkloadKind, holds: (workload: Workload) => boolean) => {
    for (let turn = 0; turn < TURNS; turn++) {
      const found = await workload(kind);
      if (holds(found)) return found;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    const { object, history } = await workload(kind);
    const numbers = history.map(({ revision }) => revision).join(",");
    throw new Error(`${kind} never got there: revisions ${numbers}, ${JSON.stringify(object.status)}`);
  };
  return {
    cluster,
    runtime,
    client,
    workload,
    until,
    async deploy(kind, image, spec, metadata) {
      const before = await workload(kind).then(
        ({ object }) => object.metadata.generation,
        () => 0,
      );
      await cluster.apply(MANIFESTS[kind](image, spec, metadata));
      const complete = (found: Workload) => image.includes("bad") || isComplete(found);
      return until(
        kind,
        (found) => found.current !== null && found.object.metadata.generation >= before && complete(found),
      );
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

/** 20 s at most, polled. */
const TURNS = 1000;
const PAUSE_MS = 20;
