import { describe, expect, it } from "vitest";
import type { Target } from "../../../../core/model/plan.ts";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { kubectlRolloutUndo } from "../../../../mcp-tools/connectors/kubernetes/undo.ts";
import { type FakeKubernetesApi, fakeKubernetesApi, type StoredObject } from "../../../fakes/fake-kubernetes-api.ts";
import { controlled, controllerRevision, deployment, replicaSet, template, undoTarget } from "./objects.ts";

const never = new AbortController().signal;
const NOW = 1_767_268_800_000;
const KEY = "plan-1/0";

const history: readonly [StoredObject, StoredObject, StoredObject] = [
  replicaSet("shop/cart:1.3.0", "1", 0),
  replicaSet("shop/cart:1.4.0", "2", 10),
  replicaSet("shop/cart:1.5.0", "3", 20),
];
const bad = () => deployment("shop/cart:1.5.0", "3");

function executorOf(api: FakeKubernetesApi, timeoutMs = 2000) {
  const client = kubeClient({ server: api.url, namespace: "default", http: {} }, { timeoutMs });
  return kubectlRolloutUndo({ client, now: () => NOW });
}

/** One execution against these objects: the result, and what the server holds and saw. */
async function undo(objects: readonly StoredObject[], target: Target = undoTarget()) {
  await using api = await fakeKubernetesApi(objects);
  const result = await executorOf(api).execute(target, KEY, never);
  const { kind, namespace, name } = target.object;
  const after = api.get(`${kind.toLowerCase()}s`, namespace, name);
  return { result, writes: api.writes, after: after as (StoredObject & { spec: { template: unknown } }) | undefined };
}

describe("kubectlRolloutUndo, execute", () => {
  it("restores the named revision and keeps every annotation and field that it does not know", async () => {
    const { result, writes, after } = await undo([bad(), ...history]);
    expect(result).toMatchObject({ result: "done", at: NOW });
    expect(result.detail).toBe("Deployment shop/cart: restored revision 2 (1.4.0), from now on revision 4");
    expect(after?.spec).toMatchObject({
      template: template("shop/cart:1.4.0"),
      futureSpec: { unknown: true },
      replicas: 3,
    });
    expect(JSON.stringify(after?.spec.template)).not.toContain("pod-template-hash");
    expect(after?.metadata.annotations).toMatchObject({
      "team.example/owner": "checkout",
      "deployment.kubernetes.io/revision": "3",
      "unship.dev/plan": KEY,
      "kubernetes.io/change-cause": "unship rolled back 1.5.0 to revision 2 (1.4.0), plan plan-1/0",
    });
    expect(writes).toHaveLength(1);
    expect(writes[0]).toMatchObject({
      method: "PATCH",
      url: "/apis/apps/v1/namespaces/shop/deployments/cart?fieldManager=unship",
      contentType: "application/json-patch+json",
    });
  });

  it("goes further back than the previous revision when the plan says so", async () => {
    const { after } = await undo([bad(), ...history], undoTarget({ restore: { version: "1.3.0", revision: "1" } }));
    expect(after?.spec.template).toEqual(template("shop/cart:1.3.0"));
  });

  it("adds the annotations' map where the object has none", async () => {
    const { annotations: _, ...metadata } = bad().metadata;
    const { result, after } = await undo([{ ...bad(), metadata }, ...history]);
    expect(result.result).toBe("done");
    expect(after?.metadata.annotations).toMatchObject({ "unship.dev/plan": KEY });
  });

  it.each(["StatefulSet", "DaemonSet"] as const)(
    "restores a %s by its ControllerRevision, under its resourceVersion",
    async (kind) => {
      const objects = [
        controlled(kind, "pg:2"),
        controllerRevision(kind, "pg:1", 1),
        controllerRevision(kind, "pg:2", 2),
      ];
      const target = undoTarget({
        object: { kind, namespace: "shop", name: "db" },
        expected: { version: "2", revision: "2" },
        restore: { version: "1", revision: "1" },
      });
      const { result, writes, after } = await undo(objects, target);
      expect(result.result).toBe("done");
      expect(after?.spec.template).toEqual(template("pg:1"));
      expect(after?.metadata.annotations).toMatchObject({ "team.example/owner": "data", "unship.dev/plan": KEY });
      expect(writes[0]).toMatchObject({
        contentType: "application/strategic-merge-patch+json",
        body: { metadata: { resourceVersion: "101" }, spec: { template: { $patch: "replace" } } },
      });
    },
  );

  const gitops = (metadata: Record<string, unknown>) => ({ ...bad(), metadata: { ...bad().metadata, ...metadata } });
  const tracked = (annotations: Record<string, string>) =>
    deployment("shop/cart:1.5.0", "3", { metadata: { annotations } });

  it.each([
    [
      "a paused rollout",
      "refused",
      "its rollout is paused",
      [deployment("shop/cart:1.5.0", "3", { spec: { paused: true } }), ...history],
    ],
    [
      "an object that is being deleted",
      "refused",
      "it is being deleted",
      [gitops({ deletionTimestamp: "2026-01-01T00:00:00Z" }), ...history],
    ],
    [
      "a revision that history no longer keeps",
      "refused",
      "revision 2 is gone; there are: 1, 3; revisionHistoryLimit keeps 1",
      [deployment("shop/cart:1.5.0", "3", { spec: { revisionHistoryLimit: 1 } }), history[0], history[2]],
    ],
    [
      "an object that Argo CD tracks",
      "refused",
      "Argo CD application shop-prod manages it (annotation argocd.argoproj.io/tracking-id) and would undo a live change: use argocd_sync_to_previous",
      [tracked({ "argocd.argoproj.io/tracking-id": "shop-prod:apps/Deployment:shop/cart" }), ...history],
    ],
    [
      "an object with Argo CD's label",
      "refused",
      "Argo CD application shop-prod",
      [gitops({ labels: { "argocd.argoproj.io/instance": "shop-prod" } }), ...history],
    ],
    [
      "an object that an Application owns",
      "refused",
      "Argo CD application prod",
      [
        gitops({
          ownerReferences: [{ apiVersion: "argoproj.io/v1alpha1", kind: "Application", name: "prod", uid: "u" }],
        }),
        ...history,
      ],
    ],
    [
      "an object of a Flux Kustomization",
      "refused",
      "Flux Kustomization flux-system/shop",
      [
        gitops({
          labels: {
            "kustomize.toolkit.fluxcd.io/name": "shop",
            "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
          },
        }),
        ...history,
      ],
    ],
    [
      "an object of a Flux HelmRelease",
      "refused",
      "Flux HelmRelease shop/cart",
      [
        gitops({ labels: { "helm.toolkit.fluxcd.io/name": "cart", "helm.toolkit.fluxcd.io/namespace": "shop" } }),
        ...history,
      ],
    ],
    [
      "a target at a later revision",
      "stale",
      "it is at revision 4 (1.6.0); the plan expects revision 3 (1.5.0)",
      [deployment("shop/cart:1.6.0", "4"), ...history, replicaSet("shop/cart:1.6.0", "4", 30)],
    ],
    [
      "a template that no controller has numbered yet",
      "stale",
      "its template was just changed to 1.6.0",
      [deployment("shop/cart:1.6.0", "3"), ...history],
    ],
    [
      "the same image tag with another environment",
      "stale",
      "has no revision yet",
      [
        deployment("shop/cart:1.5.0", "3", {
          spec: { template: template("shop/cart:1.5.0", { spec: { hostNetwork: true } }) },
        }),
        ...history,
      ],
    ],
    [
      "a revision number that now holds another version",
      "stale",
      "revision 2 is 1.4.9; the plan would restore 1.4.0",
      [bad(), history[0], replicaSet("shop/cart:1.4.9", "2", 10), history[2]],
    ],
    ["a workload that is gone", "stale", "it does not exist any more", []],
    [
      "ReplicaSets of someone else with the same labels",
      "refused",
      "revision 2 is gone",
      [bad(), replicaSet("shop/cart:1.4.0", "2", 10, { uid: "another" }), history[2]],
    ],
    [
      "a target that somebody brought back already",
      "nothing-to-do",
      "its template is that of revision 4 (1.4.0) already",
      [
        deployment("shop/cart:1.4.0", "4"),
        history[0],
        replicaSet("shop/cart:1.4.0", "4", 10, { annotations: { "deployment.kubernetes.io/revision-history": "2" } }),
        history[2],
      ],
    ],
  ] as const)("answers %s with %s, and writes nothing", async (_, result, detail, objects) => {
    const answer = await undo(objects);
    expect(answer.result.result).toBe(result);
    expect(answer.result.detail).toContain(detail);
    expect(answer.writes).toEqual([]);
  });

  it("does not take Helm's labels or a suspended Flux object for GitOps", async () => {
    const labels = {
      "app.kubernetes.io/managed-by": "Helm",
      "app.kubernetes.io/instance": "shop",
      "kustomize.toolkit.fluxcd.io/name": "shop",
    };
    const annotations = {
      ...bad().metadata.annotations,
      "kustomize.toolkit.fluxcd.io/reconcile": "disabled",
      "meta.helm.sh/release-name": "shop",
    };
    const { result } = await undo([gitops({ labels, annotations }), ...history]);
    expect(result.result).toBe("done");
  });

  it("refuses a kind that has no rollout history", async () => {
    const { result } = await undo([], undoTarget({ object: { kind: "CronJob", namespace: "shop", name: "cart" } }));
    expect(result).toMatchObject({
      result: "refused",
      detail: expect.stringContaining("knows Deployment, StatefulSet, DaemonSet"),
    });
  });

  it("refuses a name that would lead elsewhere", async () => {
    const { result, writes } = await undo(
      [],
      undoTarget({ object: { kind: "Deployment", namespace: "..", name: "cart" } }),
    );
    expect(result).toMatchObject({ result: "refused", detail: expect.stringContaining("made of dots") });
    expect(writes).toEqual([]);
  });

  it("warns of what stays undone and of what brings the bad version back", async () => {
    const applied = { spec: { template: template("shop/cart:1.5.0") } };
    const withConfig = template("shop/cart:1.4.0", {
      spec: { volumes: [{ name: "c", configMap: { name: "cart-config" } }] },
    });
    const object = deployment("shop/cart:1.5.0", "3", {
      metadata: { annotations: { "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(applied) } },
    });
    const { result } = await undo([
      object,
      replicaSet("shop/cart:1.4.0", "2", 10, { template: withConfig }),
      history[2] ?? object,
    ]);
    expect(result.warnings).toEqual([
      "kubectl.kubernetes.io/last-applied-configuration still names 1.5.0: the next kubectl apply of that manifest brings it back",
      "Only the pod template is restored, not replicas or an autoscaler's settings, nor the contents of ConfigMap cart-config.",
    ]);
  });

  it.each([
    ["OrderedReady pods that are broken", { podManagementPolicy: "OrderedReady" }, "it waits for broken pods"],
    [
      "a partition",
      { podManagementPolicy: "Parallel", updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } },
      "below ordinal 2",
    ],
    ["OnDelete", { podManagementPolicy: "Parallel", updateStrategy: { type: "OnDelete" } }, "OnDelete"],
  ])("warns of %s in a StatefulSet", async (_, spec, warning) => {
    const objects = [
      controlled("StatefulSet", "pg:2", { spec }),
      controllerRevision("StatefulSet", "pg:1", 1),
      controllerRevision("StatefulSet", "pg:2", 2),
    ];
    const object = { kind: "StatefulSet", namespace: "shop", name: "db" };
    const target = undoTarget({
      object,
      expected: { version: "2", revision: "2" },
      restore: { version: "1", revision: "1" },
    });
    expect((await undo(objects, target)).result.warnings.join("\n")).toContain(warning);
  });
});

describe("kubectlRolloutUndo, reconcile", () => {
  const numbered = (api: FakeKubernetesApi) => {
    const object = api.get("deployments", "shop", "cart");
    const marks = object?.metadata.annotations as Record<string, string>;
    api.put(
      replicaSet("shop/cart:1.4.0", "4", 10, {
        annotations: {
          ...marks,
          "deployment.kubernetes.io/revision": "4",
          "deployment.kubernetes.io/revision-history": "2",
        },
      }),
    );
  };

  it.each([
    ["before its controller acted", () => {}, "done", "done: "],
    ["after its controller renumbered the revision", numbered, "done", "done: it is at revision 4 (1.4.0)"],
    [
      "after somebody deployed over it",
      (api: FakeKubernetesApi) => {
        numbered(api);
        const annotations = api.get("deployments", "shop", "cart")?.metadata.annotations as Record<string, string>;
        api.put(deployment("shop/cart:1.6.0", "5", { metadata: { annotations } }));
        api.put(replicaSet("shop/cart:1.6.0", "5", 30));
      },
      "done",
      "done, and replaced since: it is at revision 5 (1.6.0)",
    ],
  ] as const)("an undo whose answer was lost is found done %s", async (_, then, result, detail) => {
    await using api = await fakeKubernetesApi([bad(), ...history]);
    const executor = executorOf(api);
    await executor.execute(undoTarget(), KEY, never);
    then(api);
    const found = await executor.reconcile(undoTarget(), KEY, never);
    expect(found).toMatchObject({ result, detail: expect.stringContaining(detail) });
    expect(api.writes).toHaveLength(1);
  });

  it.each([
    ["nothing happened", [bad(), ...history], "failed", "not done: it is at revision 3 (1.5.0)"],
    [
      "somebody else went back",
      [
        deployment("shop/cart:1.4.0", "4"),
        replicaSet("shop/cart:1.4.0", "4", 10, { annotations: { "deployment.kubernetes.io/revision-history": "2" } }),
        replicaSet("shop/cart:1.5.0", "3", 20),
      ],
      "nothing-to-do",
      "not done by this plan",
    ],
    [
      "somebody went forward",
      [deployment("shop/cart:1.6.0", "4"), ...history, replicaSet("shop/cart:1.6.0", "4", 30)],
      "stale",
      "not done by this plan",
    ],
    ["the object is gone", [], "stale", "does not exist any more"],
  ] as const)("where %s it says so", async (_, objects, result, detail) => {
    await using api = await fakeKubernetesApi(objects);
    const found = await executorOf(api).reconcile(undoTarget(), KEY, never);
    expect(found).toMatchObject({ result, detail: expect.stringContaining(detail) });
    expect(api.writes).toEqual([]);
  });

  it("stays unknown while the server cannot be reached", async () => {
    const api = await fakeKubernetesApi([]);
    await api[Symbol.asyncDispose]();
    expect((await executorOf(api).reconcile(undoTarget(), KEY, never)).result).toBe("unknown");
  });
});

describe("kubectlRolloutUndo, inspect", () => {
  it("tells version and revision, and finds no obstacle where there is none", async () => {
    await using api = await fakeKubernetesApi([bad(), ...history]);
    const state = await executorOf(api).inspect(undoTarget(), never);
    expect(state).toMatchObject({ version: "1.5.0", revision: "3", obstacles: [] });
    expect(state.changedBy).toBeUndefined();
  });

  it("names what moved the target away from the plan", async () => {
    const object = deployment("shop/cart:1.6.0", "4", {
      metadata: { annotations: { "kubernetes.io/change-cause": "release 1.6.0" } },
    });
    await using api = await fakeKubernetesApi([object, ...history, replicaSet("shop/cart:1.6.0", "4", 30)]);
    const state = await executorOf(api).inspect(undoTarget(), never);
    expect(state).toMatchObject({
      version: "1.6.0",
      revision: "4",
      changedBy: 'it is at revision 4 (1.6.0), "release 1.6.0"',
    });
  });

  it("lists every obstacle at once", async () => {
    const object = deployment("shop/cart:1.5.0", "3", {
      metadata: { labels: { "argocd.argoproj.io/instance": "shop" } },
      spec: { paused: true },
    });
    await using api = await fakeKubernetesApi([object, ...history]);
    expect((await executorOf(api).inspect(undoTarget(), never)).obstacles).toHaveLength(2);
  });
});
