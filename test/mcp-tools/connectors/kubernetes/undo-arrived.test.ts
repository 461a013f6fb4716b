import { describe, expect, it } from "vitest";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { kubectlRolloutUndo } from "../../../../mcp-tools/connectors/kubernetes/undo.ts";
import { fakeKubernetesApi } from "../../../fakes/fake-kubernetes-api.ts";
import { deployment, replicaSet, undoTarget } from "./objects.ts";

const never = new AbortController().signal;
const history = [
  replicaSet("shop/cart:1.3.0", "1", 0),
  replicaSet("shop/cart:1.4.0", "2", 10),
  replicaSet("shop/cart:1.5.0", "3", 20),
];

describe("kubectlRolloutUndo, arrived", () => {
  const DONE = { observedGeneration: 7, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 };
  const progress = (status: string, reason: string) => [{ type: "Progressing", status, reason, message: "" }];
  it.each([
    ["every pod of the restored version serves", "shop/cart:1.4.0", {}, DONE, "arrived"],
    ["some pods do not serve yet", "shop/cart:1.4.0", {}, { ...DONE, availableReplicas: 1 }, "coming"],
    ["the controller has not seen the write yet", "shop/cart:1.4.0", {}, { ...DONE, observedGeneration: 6 }, "coming"],
    [
      "its rollout is stuck",
      "shop/cart:1.4.0",
      {},
      { ...DONE, availableReplicas: 1, conditions: progress("False", "ProgressDeadlineExceeded") },
      "not-coming",
    ],
    ["its rollout is paused", "shop/cart:1.4.0", { paused: true }, { ...DONE, availableReplicas: 1 }, "not-coming"],
    ["somebody brought another version", "shop/cart:1.5.0", {}, DONE, "not-coming"],
  ] as const)("where %s", async (_, image, spec, status, expected) => {
    const number = image.endsWith("1.5.0") ? "3" : "4";
    const shown = deployment(image, number, { spec, status });
    await using api = await fakeKubernetesApi([shown, ...history, replicaSet("shop/cart:1.4.0", "4", 30)]);
    const client = kubeClient({ server: api.url, namespace: "default", http: {} });
    const answer = await kubectlRolloutUndo({ client, now: () => 0 }).arrived?.(undoTarget(), never);
    expect(answer?.state).toBe(expected);
    expect(api.writes).toEqual([]);
  });
});
