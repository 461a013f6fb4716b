import { type Cluster, type ClusterOptions, startCluster } from "../../../../../evals/sandbox/kube/cluster.ts";
import { fakePodRuntime } from "../../../../fakes/fake-pod-runtime.ts";
import { deployment } from "../manifests.ts";

export const APPS = "/apis/apps/v1/namespaces/default";
export const WEB = `${APPS}/deployments/web`;
export const CORE = "/api/v1/namespaces/default";

/** Runs a test against an empty cluster of its own. */
export async function withApi(
  test: (cluster: Cluster) => Promise<void>,
  options: Omit<ClusterOptions, "runtime"> = {},
): Promise<void> {
  await using cluster = await startCluster({ runtime: fakePodRuntime(), timings: { probePeriodMs: 50 }, ...options });
  await test(cluster);
}

/** Runs a test against a cluster in which the Deployment "web" has been rolled out. */
export const withWeb = (test: (cluster: Cluster) => Promise<void>): Promise<void> =>
  withApi(async (cluster) => {
    await cluster.apply(deployment("shop/web:1"));
    await cluster.idle();
    await test(cluster);
  });

export const configMap = (name: string, data = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});
