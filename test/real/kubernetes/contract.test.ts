import { describe } from "vitest";
import { kubeApi } from "../../../evals/real-kubernetes/api.ts";
import { startCluster } from "../../../evals/sandbox/kube/cluster.ts";
import { parseKubeconfig } from "../../../mcp-tools/connectors/kubernetes/kubeconfig.ts";
import { fakePodRuntime } from "../../fakes/fake-pod-runtime.ts";
import { guestOf, turnAwayGuest } from "./contract/guest.ts";
import { kubernetesContract } from "./contract.ts";
import { hasControlPlane, startTestPlane } from "./plane.ts";

/** The oracle first: where the two differ, the imitation is wrong. */
describe.runIf(hasControlPlane("what an API server does, by the real one"))("the contract", () => {
  kubernetesContract("Kubernetes 1.36", async () => {
    // The API server lets etcd forget what is older than its interval, and forgets it itself; by default five minutes.
    const plane = await startTestPlane({ apiServerArgs: ["--etcd-compaction-interval=15s"] });
    const access = parseKubeconfig(plane.kubeconfig({ token: await guestOf(plane) }), "the guest's kubeconfig", null);
    return {
      api: plane.admin,
      access,
      forget: async () => undefined,
      turnAway: (is) => turnAwayGuest(plane, is),
      [Symbol.asyncDispose]: plane[Symbol.asyncDispose],
    };
  });
});

kubernetesContract("the imitated cluster", async () => {
  const historyLimit = 400;
  const cluster = await startCluster({ runtime: fakePodRuntime(), timings: { probePeriodMs: 20 }, historyLimit });
  const api = kubeApi({ url: cluster.url });
  return {
    api,
    access: parseKubeconfig(cluster.kubeconfig(), "the cluster's kubeconfig", null),
    turnAway: async (is) => cluster.turnAway(is),
    async forget() {
      const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "counter" } };
      for (let write = 0; write <= historyLimit; write += 1)
        await cluster.apply({ ...map, data: { write: String(write) } });
    },
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
});
