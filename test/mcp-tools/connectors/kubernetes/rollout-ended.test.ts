import { describe, expect, it } from "vitest";
import type { Target } from "../../../../core/model/plan.ts";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { rolloutActs } from "../../../../mcp-tools/connectors/kubernetes/rollout-acts.ts";
import { type FakeKubernetesApi, fakeKubernetesApi, type StoredObject } from "../../../fakes/fake-kubernetes-api.ts";
import { argoRollout, rolloutSet } from "./objects.ts";

const never = new AbortController().signal;
const SETS = [rolloutSet("shop/cart:1.4.0", "2", "old", 10), rolloutSet("shop/cart:1.5.0", "3", "new", 20)];
type Action = "rollout_abort" | "rollout_pause" | "rollout_promote";
const RESTORE: Record<Action, Target["restore"]> = {
  rollout_abort: { version: "1.4.0", revision: "2" },
  rollout_pause: { version: "1.5.0", revision: "paused" },
  rollout_promote: { version: "1.5.0", revision: "promoted" },
};
const targetOf = (action: Action): Target => ({
  action,
  service: "cart",
  changeId: "deploy-3",
  object: { kind: "Rollout", namespace: "shop", name: "cart" },
  expected: { version: "1.5.0", revision: "3" },
  restore: RESTORE[action],
});
const opening = () => fakeKubernetesApi([argoRollout(), ...SETS]);
const partOf = (api: FakeKubernetesApi, part: "spec" | "status") =>
  api.get("rollouts", "shop", "cart")?.[part] as Record<string, unknown>;

function executorOf(api: FakeKubernetesApi, action: Action) {
  const client = kubeClient({ server: api.url, namespace: "default", http: {} }, { timeoutMs: 2000 });
  const executor = rolloutActs({ client, now: Date.now }).find((one) => one.action === action);
  if (executor === undefined) throw new Error(`no executor of ${action}`);
  return executor;
}

describe("Argo Rollouts: an act that somebody ended", () => {
  /** Somebody's write, as their tools send it: `kubectl argo rollouts retry` and `promote`, `kubectl edit`. */
  const somebody = async (api: FakeKubernetesApi, path: string, value: unknown, manager = "kubectl-argo-rollouts") => {
    const at = `/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/cart${path.startsWith("/status") ? "/status" : ""}`;
    const response = await fetch(new URL(`${at}?fieldManager=${manager}`, api.url), {
      method: "PATCH",
      headers: { "content-type": "application/json-patch+json" },
      body: JSON.stringify([{ op: "add", path, value }]),
    });
    expect(response.status).toBe(200);
    catchUp(api);
  };
  const catchUp = (api: FakeKubernetesApi) => {
    const object = api.get("rollouts", "shop", "cart") as StoredObject;
    api.put({
      ...object,
      status: { ...partOf(api, "status"), observedGeneration: String(object.metadata.generation) },
    });
  };
  /** The controller starts the trial anew after a change of the steps: the abort is gone, and the version is the same. */
  const newSteps = async (api: FakeKubernetesApi) => {
    await somebody(api, "/spec/strategy", { canary: { steps: [{ setWeight: 5 }] } }, "kubectl-edit");
    const { abort: _, ...status } = partOf(api, "status");
    api.put({ ...(api.get("rollouts", "shop", "cart") as StoredObject), status });
  };
  it.each<[string, Action, (api: FakeKubernetesApi) => Promise<void>, string, string]>([
    [
      "an abort that somebody retried",
      "rollout_abort",
      (api) => somebody(api, "/status/abort", false),
      "unknown",
      "kubectl-argo-rollouts wrote to it since",
    ],
    ["an abort after which the steps were changed", "rollout_abort", newSteps, "unknown", "it is not repeated"],
    [
      "an abort after which the new version was promoted",
      "rollout_abort",
      async (api) => {
        await somebody(api, "/status/promoteFull", true);
        await somebody(api, "/status/abort", false, "rollouts-controller");
      },
      "unknown",
      "it is not repeated",
    ],
    [
      "a pause that somebody lifted",
      "rollout_pause",
      (api) => somebody(api, "/spec/paused", false),
      "done",
      "ended by somebody since",
    ],
    [
      "a promotion that somebody took back",
      "rollout_promote",
      (api) => somebody(api, "/status/promoteFull", false, "kubectl-edit"),
      "unknown",
      "kubectl-edit wrote to it since",
    ],
  ])("%s is not done again by whoever comes back for a lost answer", async (_, action, ends, answered, because) => {
    await using api = await opening();
    const executor = executorOf(api, action);
    expect(await executor.execute(targetOf(action), "k", never)).toMatchObject({ result: "done" });
    const early = await executor.reconcile(targetOf(action), "k", never);
    expect(early).toMatchObject({ result: action === "rollout_pause" ? "unknown" : "done" });
    catchUp(api);
    expect(await executor.reconcile(targetOf(action), "k", never)).toMatchObject({ result: "done" });
    await ends(api);
    const writes = api.writes.length;
    for (const answer of [
      await executor.reconcile(targetOf(action), "k", never),
      await executor.execute(targetOf(action), "k", never),
    ]) {
      expect(answer).toMatchObject({ result: answered });
      expect(answer.detail).toContain(because);
    }
    expect(api.writes).toHaveLength(writes);
    // Another plan is another decision: it judges what stands now.
    expect(await executor.reconcile(targetOf(action), "other", never)).toMatchObject({ result: "failed" });
  });

  it.each<Action>(["rollout_abort", "rollout_promote"])(
    "%s that never arrived is tried again, whatever the controller wrote meanwhile",
    async (action) => {
      await using api = await opening();
      const executor = executorOf(api, action);
      api.onPatch((turn, response) => {
        if (turn === 1) return "go on";
        response.destroy();
        return "answered";
      });
      expect(await executor.execute(targetOf(action), "k", never)).toMatchObject({ result: "unknown" });
      api.onPatch(() => "go on");
      await somebody(api, "/status/canary/weights/canary/weight", 40, "rollouts-controller");
      expect(await executor.reconcile(targetOf(action), "k", never)).toMatchObject({ result: "failed" });
      expect(await executor.execute(targetOf(action), "k", never)).toMatchObject({ result: "done" });
    },
  );
});
