import { describe, expect, it } from "vitest";
import { kubernetesChanges } from "../../../../mcp-tools/connectors/kubernetes/changes.ts";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { kubernetesRollouts } from "../../../../mcp-tools/connectors/kubernetes/rollouts.ts";
import { kubectlRolloutUndo } from "../../../../mcp-tools/connectors/kubernetes/undo.ts";
import { realKubectl } from "../../../evals/sandbox/kube/real-kubectl.ts";
import { fakeKubernetesApi, type StoredObject } from "../../../fakes/fake-kubernetes-api.ts";
import { hasKubectl } from "../../../real/kubectl.ts";
import { startSetting } from "./cluster-setting.ts";
import { at, controlled, controllerRevision, deployment, ms, replicaSet, undoTarget } from "./objects.ts";

const never = new AbortController().signal;
const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER };
const NOW = ms(60);

async function changesOf(objects: readonly StoredObject[], window = ALL) {
  await using api = await fakeKubernetesApi(objects);
  const client = kubeClient({ server: api.url, namespace: "default", http: {} });
  const source = kubernetesChanges({ client, namespaces: ["shop"], services: [], now: () => NOW });
  return await source.changes(window, never);
}

const progressing = (name: string, minute: number, reason = "NewReplicaSetAvailable") => ({
  conditions: [
    {
      type: "Progressing",
      status: "True",
      reason,
      message: `ReplicaSet "${name}" has successfully progressed.`,
      lastUpdateTime: at(minute),
    },
  ],
});
const wrote = (manager: string, minute: number, field = "f:template") => ({
  manager,
  operation: "Update",
  time: at(minute),
  fieldsV1: { "f:spec": { [field]: { "f:spec": {} } } },
});

describe("kubernetesChanges, from objects", () => {
  it("makes one change of each revision, with versions, times, author, message and commit", async () => {
    const changes = await changesOf([
      deployment("shop/cart:1.5.0", "2", {
        metadata: { managedFields: [wrote("kubectl-set", 20), wrote("kube-controller-manager", 21, "f:replicas")] },
        status: progressing("cart-150", 23),
      }),
      replicaSet("shop/cart:1.4.0", "1", 0),
      replicaSet("shop/cart:1.5.0", "2", 20, {
        annotations: { "kubernetes.io/change-cause": "release 1.5.0", "org.opencontainers.image.revision": "abc123" },
      }),
    ]);
    expect(changes).toEqual([
      {
        id: "deploy:shop/cart:cart-140:1",
        kind: "deploy",
        service: "cart",
        from: "",
        to: "1.4.0",
        startedAt: ms(0),
        finishedAt: ms(10),
        endUnseen: true,
        source: "kubernetes",
        reversible: false,
        workload: { kind: "Deployment", namespace: "shop", name: "cart" },
        toRevision: "1",
      },
      {
        id: "deploy:shop/cart:cart-150:2",
        kind: "deploy",
        service: "cart",
        from: "1.4.0",
        to: "1.5.0",
        startedAt: ms(20),
        finishedAt: ms(23),
        source: "kubernetes",
        reversible: true,
        author: "kubectl-set",
        commit: "abc123",
        message: "release 1.5.0",
        workload: { kind: "Deployment", namespace: "shop", name: "cart" },
        fromRevision: "1",
        toRevision: "2",
      },
    ]);
  });

  it("S10: what people wrote beside a deploy carries no secret on, in changes and in rollouts", async () => {
    const objects = [
      deployment("shop/cart:1.5.0", "2", { status: progressing("cart-150", 23) }),
      replicaSet("shop/cart:1.5.0", "2", 20, {
        annotations: {
          "kubernetes.io/change-cause": "kubectl set env deploy/cart --record DB_PASSWORD=hunter2hunter2\u001b[2J",
          "unship.dev/author": "https://ci:hunter2hunter2@git.example/cart",
        },
      }),
    ];
    await using api = await fakeKubernetesApi(objects);
    const client = kubeClient({ server: api.url, namespace: "default", http: {} });
    const options = { client, namespaces: ["shop"], services: [], now: () => NOW };
    const [change] = await kubernetesChanges(options).changes(ALL, never);
    const [rollout] = await kubernetesRollouts(options).rollouts(never);
    expect(change?.message).toMatch(/^kubectl set env deploy\/cart --record DB_PASSWORD=\[redacted\]/);
    expect(change?.author).toBe("https://ci:[redacted]@git.example/cart");
    expect(rollout?.revisions[0]?.reason).toBe(change?.message);
    for (const text of [JSON.stringify(change), JSON.stringify(rollout)]) {
      expect(text).not.toContain("hunter2");
      expect(text).not.toContain("\\u001b");
    }
    await client.close();
  });

  it("S9: credentials that may not read events see the deploys, and say what they do not know exactly", async () => {
    await using api = await fakeKubernetesApi([
      deployment("shop/cart:1.5.0", "2", { status: progressing("cart-150", 23) }),
      replicaSet("shop/cart:1.5.0", "2", 20),
    ]);
    const client = kubeClient({ server: api.url, namespace: "default", http: {} });
    const source = kubernetesChanges({ client, namespaces: ["shop"], services: [], now: () => NOW });
    expect(await source.changes(ALL, never)).toHaveLength(1);
    expect(source.partial()).toEqual([]);
    api.forbid("events");
    expect(await source.changes(ALL, never)).toHaveLength(1);
    expect(source.partial()).toMatchObject([{ source: "kubernetes events", what: "when a deploy began" }]);
    await client.close();
  });

  it.each([
    ["still rolls out", {}, { updatedReplicas: 1, ...progressing("cart-150", 21, "ReplicaSetUpdated") }],
    ["is not yet seen by its controller", {}, { observedGeneration: 6, ...progressing("cart-150", 21) }],
    ["has the last rollout's condition still", {}, { updatedReplicas: 0, ...progressing("cart-140", 5) }],
  ])("is not finished while it %s", async (_, metadata, status) => {
    const changes = await changesOf([
      deployment("shop/cart:1.5.0", "2", { metadata, status }),
      replicaSet("shop/cart:1.4.0", "1", 0),
      replicaSet("shop/cart:1.5.0", "2", 20),
    ]);
    expect(changes.at(-1)).toMatchObject({ to: "1.5.0", finishedAt: null });
  });

  const reused = { annotations: { "deployment.kubernetes.io/revision-history": "1" } };
  const rolledBack = (more: { metadata?: Record<string, unknown> } = {}, events: readonly StoredObject[] = []) => [
    deployment("shop/cart:1.4.0", "3", { ...more, status: progressing("cart-140", 35) }),
    replicaSet("shop/cart:1.4.0", "3", 0, reused),
    replicaSet("shop/cart:1.5.0", "2", 20),
    ...events,
  ];
  const scaled = (first: number, last: number): StoredObject => ({
    kind: "Event",
    metadata: { name: "cart.1", namespace: "shop" },
    involvedObject: { kind: "Deployment", name: "cart" },
    reason: "ScalingReplicaSet",
    message: "Scaled up replica set cart-140 from 0 to 1",
    firstTimestamp: at(first),
    lastTimestamp: at(last),
  });

  it.each([
    ["the controller's event of scaling it up again, which recurred", rolledBack({}, [scaled(0, 31)]), ms(31)],
    [
      "that event before the object's last write",
      rolledBack({ metadata: { managedFields: [wrote("helm", 33)] } }, [scaled(31, 31)]),
      ms(31),
    ],
    [
      "the object's last write to its template",
      rolledBack({ metadata: { managedFields: [wrote("kubectl", 32), wrote("hpa", 50, "f:replicas")] } }),
      ms(32),
    ],
    ["when it was first seen, where nothing tells", rolledBack(), NOW],
    [
      "when it was first seen, where what tells is from before",
      rolledBack({ metadata: { managedFields: [wrote("kubectl", 10)] } }, [scaled(0, 0)]),
      NOW,
    ],
  ])("a rollback that reuses a ReplicaSet started at %s, not at its creation", async (_, objects, startedAt) => {
    const changes = await changesOf(objects);
    expect(changes.map(({ from, to, toRevision }) => [from, to, toRevision])).toEqual([
      ["", "1.4.0", "1"],
      ["1.4.0", "1.5.0", "2"],
      ["1.5.0", "1.4.0", "3"],
    ]);
    expect(changes.at(-1)?.startedAt).toBe(startedAt);
    expect(new Set(changes.map(({ id }) => id)).size).toBe(3);
  });

  it("a revision that was first seen keeps that time when it is read again", async () => {
    await using api = await fakeKubernetesApi(rolledBack());
    const client = kubeClient({ server: api.url, namespace: "default", http: {} });
    let now = NOW;
    const source = kubernetesChanges({ client, namespaces: ["shop"], services: [], now: () => now });
    const first = await source.changes(ALL, never);
    now += 60_000;
    expect(await source.changes(ALL, never)).toEqual(first);
  });

  it.each(["StatefulSet", "DaemonSet"] as const)(
    "reads a %s's ControllerRevisions, renumbered ones too",
    async (kind) => {
      const renumbered = { ...controllerRevision(kind, "pg:1", 3, 0) };
      const changes = await changesOf([
        controlled(kind, "pg:1"),
        {
          ...renumbered,
          metadata: { ...renumbered.metadata, managedFields: [{ manager: "kube-controller-manager", time: at(40) }] },
        },
        controllerRevision(kind, "pg:2", 2, 20),
      ]);
      expect(changes.map(({ id, from, to, startedAt }) => [id, from, to, startedAt])).toEqual([
        ["deploy:shop/db:db-2:2", "", "2", ms(20)],
        ["deploy:shop/db:db-3:3", "2", "1", ms(40)],
      ]);
    },
  );

  it("maps workloads to services as configured, else by label, else by name", async () => {
    const labelled = (name: string, labels: object) => ({
      ...deployment("a:1", "1", { metadata: { name, uid: `d/${name}`, labels } }),
    });
    await using api = await fakeKubernetesApi([
      labelled("cart-v2", { app: "ignored" }),
      replicaSet("a:1", "1", 0, { name: "r1", uid: "d/cart-v2" }),
      labelled("pay", { "app.kubernetes.io/name": "payments", app: "x" }),
      replicaSet("a:1", "1", 0, { name: "r2", uid: "d/pay" }),
      { ...labelled("web", {}), spec: { selector: {}, template: { spec: { containers: [{ image: "a:1" }] } } } },
      replicaSet("a:1", "1", 0, { name: "r3", uid: "d/web" }),
    ]);
    const client = kubeClient({ server: api.url, namespace: "default", http: {} });
    const services = [{ service: "cart", namespace: "shop", kind: "Deployment", name: "cart-v2" }];
    const source = kubernetesChanges({ client, namespaces: ["shop"], services, now: () => NOW });
    expect((await source.changes(ALL, never)).map(({ service }) => service).sort()).toEqual([
      "cart",
      "payments",
      "web",
    ]);
  });

  it("gives the changes that started in the window or were still going on in it", async () => {
    const objects = [
      deployment("shop/cart:1.5.0", "2", { status: { updatedReplicas: 1 } }),
      replicaSet("shop/cart:1.4.0", "1", 0),
      replicaSet("shop/cart:1.5.0", "2", 20),
    ];
    const versions = async (from: number, to: number) =>
      (await changesOf(objects, { from: ms(from), to: ms(to) })).map(({ to: version }) => version);
    expect(await versions(0, 5)).toEqual(["1.4.0"]);
    expect(await versions(11, 19)).toEqual([]);
    expect(await versions(15, 25)).toEqual(["1.5.0"]);
    expect(await versions(40, 60)).toEqual(["1.5.0"]);
  });

  it("says that the source is down rather than that nothing changed", async () => {
    const api = await fakeKubernetesApi([]);
    await api[Symbol.asyncDispose]();
    const client = kubeClient({ server: api.url, namespace: "default", http: {} });
    const source = kubernetesChanges({ client, namespaces: ["shop"], services: [], now: () => NOW });
    await expect(source.changes(ALL, never)).rejects.toMatchObject({ code: "source.unavailable" });
  });
});

describe.runIf(hasKubectl())("kubernetesChanges, from a cluster", () => {
  it("knows its own rollback, and not the deploys after it that inherit the annotation", async () => {
    await using setting = await startSetting();
    using kubectl = realKubectl(setting.cluster);
    await setting.deploy("Deployment", "web:1");
    await setting.deploy("Deployment", "web:2");
    const { client } = setting;
    const executor = kubectlRolloutUndo({ client, now: Date.now });
    const object = { kind: "Deployment", namespace: "default", name: "web" };
    const before = Date.now();
    await executor.execute(
      undoTarget({ object, expected: { version: "2", revision: "2" }, restore: { version: "1", revision: "1" } }),
      "plan-7/0",
      never,
    );
    await setting.until("Deployment", ({ current }) => current?.revision === "3");
    await kubectl(["set", "image", "deployment/web", "web=web:2"]);
    await setting.until("Deployment", ({ current }) => current?.revision === "4");
    await kubectl(["rollout", "undo", "deployment/web"]);
    await setting.until("Deployment", ({ current }) => current?.revision === "5");

    const source = kubernetesChanges({ client, namespaces: ["*"], services: [], now: Date.now });
    const changes = await source.changes(ALL, never);
    expect(changes.map(({ from, to, toRevision, ownRollback }) => [from, to, toRevision, ownRollback])).toEqual([
      ["", "1", "1", undefined],
      ["1", "2", "2", undefined],
      ["2", "1", "3", true],
      ["1", "2", "4", undefined],
      ["2", "1", "5", undefined],
    ]);
    expect(changes.at(-1)?.author).toMatch(/^kubectl/);
    expect(changes.at(-1)?.startedAt).toBeGreaterThanOrEqual(Math.floor(before / 1000) * 1000);
  });

  it("marks its own rollback while it is the current revision, from the moment of the write", async () => {
    await using setting = await startSetting();
    await setting.deploy("Deployment", "web:1");
    await setting.deploy("Deployment", "web:2");
    const object = { kind: "Deployment", namespace: "default", name: "web" };
    const target = undoTarget({
      object,
      expected: { version: "2", revision: "2" },
      restore: { version: "1", revision: "1" },
    });
    const source = kubernetesChanges({ client: setting.client, namespaces: ["default"], services: [], now: Date.now });
    const before = await source.changes(ALL, never);
    const at = Date.now();
    await kubectlRolloutUndo({ client: setting.client, now: () => at }).execute(target, "plan-7/0", never);
    await setting.until("Deployment", ({ current }) => current?.revision === "3");
    const after = await source.changes(ALL, never);
    expect(after.find(({ to }) => to === "2")).toMatchObject({ author: before.at(-1)?.author });
    expect(after.at(-1)).toMatchObject({
      from: "2",
      to: "1",
      startedAt: at,
      author: "unship",
      ownRollback: true,
      message: "unship rolled back 2 to revision 1 (1), plan plan-7/0",
    });
    // Whoever deploys next gives the object a cause of theirs, which is no cause of ours.
    const annotations = { "kubernetes.io/change-cause": "release 3" };
    await setting.deploy("Deployment", "web:3", undefined, { annotations });
    const later = await source.changes(ALL, never);
    expect(later.find(({ ownRollback }) => ownRollback)?.message ?? "unship rolled back").toContain(
      "unship rolled back",
    );
    expect(later.find(({ to }) => to === "3")).toMatchObject({ message: "release 3" });
  });
});
