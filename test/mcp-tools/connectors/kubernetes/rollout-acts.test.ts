import { describe, expect, it } from "vitest";
import type { Target } from "../../../../core/model/plan.ts";
import { kubernetesChanges } from "../../../../mcp-tools/connectors/kubernetes/changes.ts";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { rolloutActs } from "../../../../mcp-tools/connectors/kubernetes/rollout-acts.ts";
import { kubernetesRollouts } from "../../../../mcp-tools/connectors/kubernetes/rollouts.ts";
import { kubectlRolloutUndo } from "../../../../mcp-tools/connectors/kubernetes/undo.ts";
import { type FakeKubernetesApi, fakeKubernetesApi, type StoredObject } from "../../../fakes/fake-kubernetes-api.ts";
import { argoRollout, ms, rolloutSet } from "./objects.ts";

const never = new AbortController().signal;
const NOW = ms(30);
const SETS = [
  rolloutSet("shop/cart:1.3.0", "1", "older", 0),
  rolloutSet("shop/cart:1.4.0", "2", "old", 10),
  rolloutSet("shop/cart:1.5.0", "3", "new", 20),
];
/** The new version has all traffic: it is the stable one now. */
const WHOLE = {
  stableRS: "new",
  phase: "Healthy",
  updatedReplicas: 4,
  replicas: 4,
  availableReplicas: 4,
  pauseConditions: [],
};

type Action = "rollout_abort" | "rollout_pause" | "rollout_promote";
const RESTORE: Record<Action, Target["restore"]> = {
  rollout_abort: { version: "1.4.0", revision: "2" },
  rollout_pause: { version: "1.5.0", revision: "paused" },
  rollout_promote: { version: "1.5.0", revision: "promoted" },
};
const targetOf = (action: Action, more: Partial<Target> = {}): Target => ({
  action,
  service: "cart",
  changeId: "deploy-3",
  object: { kind: "Rollout", namespace: "shop", name: "cart" },
  expected: { version: "1.5.0", revision: "3" },
  restore: RESTORE[action],
  ...more,
});
const clientOf = (api: FakeKubernetesApi) =>
  kubeClient({ server: api.url, namespace: "default", http: {} }, { timeoutMs: 2000 });

function executorOf(api: FakeKubernetesApi, action: Action) {
  const executor = rolloutActs({ client: clientOf(api), now: () => NOW }).find((one) => one.action === action);
  if (executor === undefined) throw new Error(`no executor of ${action}`);
  return executor;
}

const opening = (rollout: StoredObject = argoRollout()) => fakeKubernetesApi([rollout, ...SETS]);
const partOf = (api: FakeKubernetesApi, part: "spec" | "status") =>
  api.get("rollouts", "shop", "cart")?.[part] as Record<string, unknown>;

describe("Argo Rollouts: the acts on a trial and their different meanings", () => {
  it("abort gives the traffic back to the stable version and leaves the spec as it is, and says so", async () => {
    await using api = await opening();
    const before = partOf(api, "spec");
    const result = await executorOf(api, "rollout_abort").execute(targetOf("rollout_abort"), "k", never);
    expect(result).toMatchObject({ result: "done", at: NOW });
    expect(result.detail).toBe("Rollout shop/cart: aborted: all traffic is back at 1.4.0");
    expect(result.warnings.join()).toContain("1.5.0 stays in its spec");
    expect(partOf(api, "spec")).toEqual(before);
    expect(partOf(api, "status").abort).toBe(true);
    const at = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/cart";
    const mark = JSON.stringify({ key: "k", at: NOW, action: "rollout_abort", generation: 7 });
    expect(api.writes).toEqual([
      {
        method: "PATCH",
        url: `${at}?fieldManager=unship`,
        contentType: "application/json-patch+json",
        body: [
          { op: "test", path: "/metadata/resourceVersion", value: "101" },
          { op: "add", path: "/metadata/annotations/unship.dev~1act", value: mark },
        ],
      },
      {
        method: "PATCH",
        url: `${at}/status?fieldManager=unship`,
        contentType: "application/json-patch+json",
        body: [
          { op: "test", path: "/metadata/resourceVersion", value: "105" },
          { op: "add", path: "/status/abort", value: true },
        ],
      },
    ]);
  });

  it("pause holds the trial: the spec says so, the status is its controller's", async () => {
    await using api = await opening(argoRollout({ status: { phase: "Progressing" } }));
    const before = partOf(api, "status");
    const result = await executorOf(api, "rollout_pause").execute(targetOf("rollout_pause"), "k", never);
    expect(result).toMatchObject({ result: "done" });
    expect(partOf(api, "spec").paused).toBe(true);
    expect(partOf(api, "status")).toEqual(before);
    expect(api.writes[0]?.url).toBe("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/cart?fieldManager=unship");
    expect(result.warnings.join()).toContain("a pause rolls nothing back");
  });

  it("promote gives the new version all traffic and skips what is left", async () => {
    await using api = await opening();
    const result = await executorOf(api, "rollout_promote").execute(targetOf("rollout_promote"), "k", never);
    expect(result).toMatchObject({ result: "done" });
    expect(partOf(api, "status").promoteFull).toBe(true);
    expect(api.writes.map(({ url }) => url.includes("/rollouts/cart/status?"))).toEqual([false, true]);
  });

  it("undo puts the template back, which finishes the job, also after the version was promoted", async () => {
    await using api = await opening(argoRollout({ status: WHOLE }));
    const target = { ...targetOf("rollout_abort"), action: "kubectl_rollout_undo" } as const;
    const undo = kubectlRolloutUndo({ client: clientOf(api), now: () => NOW });
    const result = await undo.execute(target, "plan-1:0", never);
    expect(result).toMatchObject({ result: "done" });
    const { template, futureSpec } = partOf(api, "spec") as { template: object; futureSpec: unknown };
    expect(JSON.stringify(template)).toContain("shop/cart:1.4.0");
    expect(JSON.stringify(template)).not.toContain("rollouts-pod-template-hash");
    expect(futureSpec).toEqual({ unknown: true });
    expect(result.warnings.join()).toContain("may take as long as a deploy");
    expect(await undo.reconcile(target, "plan-1:0", never)).toMatchObject({ result: "done" });
  });
});

describe("Argo Rollouts: what is refused, and what is nothing to do", () => {
  it.each<[string, Action, StoredObject, Partial<Target>, string, string]>([
    [
      "a version that has all traffic cannot be aborted",
      "rollout_abort",
      argoRollout({ status: WHOLE }),
      {},
      "refused",
      "only an undo rolls it back",
    ],
    ["nor paused", "rollout_pause", argoRollout({ status: WHOLE }), {}, "refused", "there is no trial any more"],
    [
      "a promotion of it is nothing to do",
      "rollout_promote",
      argoRollout({ status: WHOLE }),
      {},
      "nothing-to-do",
      "already",
    ],
    [
      "an abort that stands is nothing to do",
      "rollout_abort",
      argoRollout({ status: { abort: true, phase: "Degraded" } }),
      {},
      "nothing-to-do",
      "already",
    ],
    [
      "a pause that stands is nothing to do",
      "rollout_pause",
      argoRollout({ spec: { paused: true } }),
      {},
      "nothing-to-do",
      "already",
    ],
    [
      "what was aborted is not promoted",
      "rollout_promote",
      argoRollout({ status: { abort: true } }),
      {},
      "refused",
      "it was aborted",
    ],
    [
      "what somebody paused is not promoted",
      "rollout_promote",
      argoRollout({ spec: { paused: true } }),
      {},
      "refused",
      "somebody paused it",
    ],
    [
      "another new version is stale",
      "rollout_abort",
      argoRollout(),
      { expected: { version: "1.6.0", revision: "4" } },
      "stale",
      "it is at 1.5.0 (revision 3), beside 1.4.0",
    ],
    [
      "another stable version is stale",
      "rollout_abort",
      argoRollout({ status: { stableRS: "older" } }),
      {},
      "stale",
      "beside it serves 1.3.0 (revision 1), not 1.4.0",
    ],
    [
      "a write that its controller has not seen is stale",
      "rollout_abort",
      argoRollout({ status: { observedGeneration: "6" } }),
      {},
      "stale",
      "has not caught up",
    ],
    [
      "a Deployment is no Rollout",
      "rollout_abort",
      argoRollout(),
      { object: { kind: "Deployment", namespace: "shop", name: "cart" } },
      "refused",
      "not a Deployment",
    ],
    [
      "one that is gone is stale",
      "rollout_abort",
      argoRollout(),
      { object: { kind: "Rollout", namespace: "shop", name: "none" } },
      "stale",
      "does not exist",
    ],
  ])("%s", async (_, action, rollout, more, kind, because) => {
    await using api = await opening(rollout);
    const result = await executorOf(api, action).execute(targetOf(action, more), "k", never);
    expect(result).toMatchObject({ result: kind });
    expect(result.detail).toContain(because);
    expect(api.writes).toEqual([]);
  });

  it("a template that stands in a Deployment is named, and not undone here", async () => {
    await using api = await opening(
      argoRollout({
        status: WHOLE,
        spec: { template: undefined, workloadRef: { kind: "Deployment", name: "cart-web" } },
      }),
    );
    const target = { ...targetOf("rollout_abort"), action: "kubectl_rollout_undo" } as const;
    const result = await kubectlRolloutUndo({ client: clientOf(api), now: () => NOW }).execute(target, "k", never);
    expect(result).toMatchObject({ result: "refused" });
    expect(result.detail).toContain("its template is in Deployment cart-web");
  });
});

describe("Argo Rollouts: races and lost answers", () => {
  it("reads and judges again where its controller was quicker", async () => {
    await using api = await opening();
    api.onPatch((turn) => {
      if (turn === 1) api.put(argoRollout({ status: { canary: { weights: { canary: { weight: 40 } } } } }));
      return "go on";
    });
    const result = await executorOf(api, "rollout_abort").execute(targetOf("rollout_abort"), "k", never);
    expect(result).toMatchObject({ result: "done" });
    expect(api.writes).toHaveLength(3);
  });

  it("does not abort what was promoted meanwhile", async () => {
    await using api = await opening();
    api.onPatch((turn) => {
      if (turn === 1) api.put(argoRollout({ status: WHOLE }));
      return "go on";
    });
    const result = await executorOf(api, "rollout_abort").execute(targetOf("rollout_abort"), "k", never);
    expect(result).toMatchObject({ result: "refused" });
    expect(partOf(api, "status").abort).toBeUndefined();
  });

  it("an answer that was cut off is unknown; what came of it is told by the field and by whose it is", async () => {
    await using api = await opening();
    api.onPatch((_, response) => {
      response.destroy();
      return "answered";
    });
    const executor = executorOf(api, "rollout_abort");
    const target = targetOf("rollout_abort");
    expect(await executor.execute(target, "k", never)).toMatchObject({ result: "unknown" });
    expect(await executor.reconcile(target, "k", never)).toMatchObject({ result: "failed" });
    api.put(argoRollout({ status: { abort: true } }));
    expect(await executor.reconcile(target, "k", never)).toMatchObject({ result: "nothing-to-do" });
    const managedFields = [{ manager: "unship", subresource: "status", fieldsV1: { "f:status": { "f:abort": {} } } }];
    api.put(argoRollout({ status: { abort: true }, metadata: { managedFields } }));
    expect(await executor.reconcile(target, "k", never)).toMatchObject({ result: "done" });
  });

  it("nobody at home is unreachable; a dry run writes nothing", async () => {
    const api = await opening();
    const executor = executorOf(api, "rollout_abort");
    expect(await executor.dryRun(targetOf("rollout_abort"), never)).toMatchObject({ result: "done" });
    expect(partOf(api, "status").abort).toBeUndefined();
    await api[Symbol.asyncDispose]();
    expect(await executor.execute(targetOf("rollout_abort"), "k", never)).toMatchObject({ result: "unreachable" });
  });
});

describe("Argo Rollouts: whether an act has come into effect", () => {
  const ABORTED = { abort: true, phase: "Degraded" };
  it.each<[string, Action, Record<string, unknown>, string]>([
    ["an abort, once the stable version has its pods", "rollout_abort", ABORTED, "arrived"],
    ["not while they come", "rollout_abort", { ...ABORTED, availableReplicas: 2 }, "coming"],
    ["not where somebody retried", "rollout_abort", {}, "not-coming"],
    ["a promotion, once the new version is the stable one", "rollout_promote", WHOLE, "arrived"],
    ["not while it takes over", "rollout_promote", { promoteFull: true }, "coming"],
  ])("%s", async (_, action, status, state) => {
    await using api = await opening(argoRollout({ status }));
    expect((await executorOf(api, action).arrived?.(targetOf(action), never))?.state).toBe(state);
  });
});

describe("Argo Rollouts: read as what runs", () => {
  const options = (api: FakeKubernetesApi) => ({
    client: clientOf(api),
    namespaces: ["shop"],
    services: [],
    now: () => NOW,
  });

  it("a trial names both versions, and the share of the new one", async () => {
    await using api = await opening();
    const [rollout] = await kubernetesRollouts(options(api)).rollouts(never);
    expect(rollout).toMatchObject({
      service: "cart",
      workload: { kind: "Rollout", namespace: "shop", name: "cart" },
      version: "1.5.0",
      revision: "3",
      status: "paused",
      stable: { version: "1.4.0", revision: "2" },
    });
    const changes = await kubernetesChanges(options(api)).changes({ from: 0, to: NOW }, never);
    expect(changes.at(-1)).toMatchObject({
      from: "1.4.0",
      to: "1.5.0",
      canary: 0.2,
      toRevision: "3",
      finishedAt: null,
    });
  });

  it("an aborted one is at its stable version, complete once that has its pods", async () => {
    await using api = await opening(argoRollout({ status: { abort: true, phase: "Degraded" } }));
    const [rollout] = await kubernetesRollouts(options(api)).rollouts(never);
    expect(rollout).toMatchObject({ version: "1.4.0", revision: "2", status: "complete" });
    expect(rollout?.stable).toBeUndefined();
  });

  it("one that is wholly promoted has no trial", async () => {
    await using api = await opening(argoRollout({ status: WHOLE }));
    const [rollout] = await kubernetesRollouts(options(api)).rollouts(never);
    expect(rollout).toMatchObject({ version: "1.5.0", status: "complete" });
    expect(rollout?.stable).toBeUndefined();
  });

  it("credentials that may not see them see everything else", async () => {
    await using api = await opening();
    api.forbid("rollouts");
    expect(await kubernetesRollouts(options(api)).rollouts(never)).toEqual([]);
  });
});
