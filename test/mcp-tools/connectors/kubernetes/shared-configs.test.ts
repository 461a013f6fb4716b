import { describe, expect, it } from "vitest";
import { sharedChange } from "../../../../core/correlation/shared-change.ts";
import type { Change } from "../../../../core/model/change.ts";
import { unheardChanges } from "../../../../core/model/unheard.ts";
import { kubernetesChanges } from "../../../../mcp-tools/connectors/kubernetes/changes.ts";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { type FakeKubernetesApi, fakeKubernetesApi, type StoredObject } from "../../../fakes/fake-kubernetes-api.ts";
import { at, deployment, ms, replicaSet, template } from "./objects.ts";

type Json = Record<string, unknown>;
const never = new AbortController().signal;
const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER };

/** A workload `name` with the templates that it had, one a minute from noon on. */
function workload(name: string, templates: readonly Json[], minutes: readonly number[]): readonly StoredObject[] {
  const uid = `deployments/shop/${name}`;
  const last = templates.length - 1;
  const pods = templates.map((one) => ({ ...one, metadata: { ...(one.metadata as Json), labels: { app: name } } }));
  return [
    deployment("x", String(last + 1), {
      metadata: { name, uid, labels: { app: name } },
      spec: { template: pods[last], selector: { matchLabels: { app: name } } },
    }),
    ...pods.map((one, index) =>
      replicaSet("x", String(index + 1), minutes[index] ?? 0, { name: `${name}-${index + 1}`, uid, template: one }),
    ),
  ];
}
const reading = (map: string, more: Json = {}): Json =>
  template("shop/x:1.0.0", { spec: { volumes: [{ name: "conf", configMap: { name: map } }], ...mounting(), ...more } });
const mounting = (subPath?: string): Json => ({
  containers: [
    {
      name: "x",
      image: "shop/x:1.0.0",
      volumeMounts: [{ name: "conf", mountPath: "/etc/x", ...(subPath === undefined ? {} : { subPath }) }],
    },
  ],
});
const summed = (sum: string): Json => {
  const plain = template("shop/x:1.0.0");
  return { ...plain, metadata: { ...(plain.metadata as Json), annotations: { "checksum/config": sum } } };
};
const map = (name: string, writes: readonly number[], fields: Json = { "f:data": {} }): StoredObject => ({
  kind: "ConfigMap",
  metadata: {
    name,
    namespace: "shop",
    creationTimestamp: at(0),
    managedFields: writes.map((minute) => ({
      manager: `kubectl-edit-${minute}`,
      operation: "Update",
      time: at(minute),
      fieldsV1: fields,
    })),
  },
  data: { SECRET: "hunter2hunter2" },
});

async function seen(objects: readonly StoredObject[], now = 60) {
  const api = await fakeKubernetesApi(objects);
  const client = kubeClient({ server: api.url, namespace: "default", http: {} });
  const source = kubernetesChanges({ client, namespaces: ["shop"], services: [], now: () => ms(now) });
  return {
    api,
    source,
    changes: () => source.changes(ALL, never),
    async [Symbol.asyncDispose]() {
      await client.close();
      await api[Symbol.asyncDispose]();
    },
  };
}
const news = (changes: readonly Change[]) => changes.filter(({ startedAt }) => startedAt >= ms(20));
const releases = (changes: readonly Change[]) =>
  sharedChange(news(changes)).map(({ services, because }) => ({ services, because }));

describe("kubernetesChanges: what several workloads read", () => {
  it("a ConfigMap under a generated name that two workloads came to read is one release of both", async () => {
    const [before, after] = ["shared-env-7d4f", "shared-env-9k2c"].map((name) => reading(name));
    await using cluster = await seen([
      ...workload("cart", [before ?? {}, after ?? {}], [0, 20]),
      ...workload("stock", [before ?? {}, after ?? {}], [0, 20.1]),
      ...workload("mail", [reading("mail-env-1"), reading("mail-env-2")], [0, 20.2]),
    ]);
    expect(releases(await cluster.changes())).toEqual([
      { services: ["cart", "stock"], because: ["2 services read ConfigMap shop/shared-env-9k2c, which was changed"] },
    ]);
  });

  it("a new checksum that two workloads carry is one release of both, and a checksum of its own is none", async () => {
    const [old, fresh, own] = ["a", "b", "c"].map((digit) => digit.repeat(64));
    await using cluster = await seen([
      ...workload("cart", [summed(old ?? ""), summed(fresh ?? "")], [0, 20]),
      ...workload("stock", [summed(old ?? ""), summed(fresh ?? "")], [0, 20.1]),
      ...workload("mail", [summed(old ?? ""), summed(own ?? "")], [0, 20.1]),
    ]);
    expect(releases(await cluster.changes())).toEqual([
      { services: ["cart", "stock"], because: ["2 services were deployed with one new checksum/config=bbbbbbbbbbbb"] },
    ]);
  });

  it("one that is edited in place is a change of each service that mounts it, one release, and nothing undoes it", async () => {
    await using cluster = await seen([
      map("shared-env", [30]),
      ...workload("cart", [reading("shared-env")], [0]),
      ...workload("stock", [reading("shared-env")], [0]),
      ...workload("mail", [reading("shared-env", mounting("one.conf"))], [0]),
    ]);
    const changes = news(await cluster.changes());
    expect(changes).toMatchObject(
      ["cart", "stock"].map((service) => ({
        id: `config:shop/shared-env:${ms(30)}:${service}`,
        kind: "config",
        service,
        startedAt: ms(30),
        finishedAt: ms(32),
        reversible: false,
        author: "kubectl-edit-30",
        workload: { kind: "ConfigMap", namespace: "shop", name: "shared-env" },
      })),
    );
    expect(releases(changes).map(({ services }) => services)).toEqual([["cart", "stock"]]);
    expect(JSON.stringify(changes)).not.toContain("hunter2");
  });

  it("an edit that a deploy carries is no change beside it: the deploy is told to be brought by it", async () => {
    await using cluster = await seen([
      map("shared-env", [20]),
      ...workload("cart", [reading("shared-env"), reading("shared-env", { priority: 1 })], [0, 20.05]),
    ]);
    const [deploy, ...more] = news(await cluster.changes());
    expect(more).toEqual([]);
    expect(deploy).toMatchObject({
      kind: "deploy",
      releasedBy: [{ kind: "ConfigMap", namespace: "shop", name: "shared-env" }],
    });
  });

  it.each<[string, StoredObject, number]>([
    ["was only made", map("shared-env", [0]), 60],
    ["had its labels written", map("shared-env", [30], { "f:metadata": { "f:labels": {} } }), 60],
    ["is named by no template", map("other-env", [30]), 60],
    ["was edited a moment ago, and may be followed by the deploys that it is for", map("shared-env", [30]), 30.4],
  ])("one that %s is no change", async (_, object, now) => {
    await using cluster = await seen([object, ...workload("cart", [reading("shared-env")], [0])], now);
    expect(news(await cluster.changes())).toEqual([]);
  });

  it("an earlier edit stays known after the next one, as long as somebody looked in between", async () => {
    await using cluster = await seen([map("shared-env", [30]), ...workload("cart", [reading("shared-env")], [0])]);
    await cluster.changes();
    cluster.api.put(map("shared-env", [40]));
    expect(news(await cluster.changes()).map(({ startedAt }) => startedAt)).toEqual([ms(30), ms(40)]);
  });

  it("S9: who may not list ConfigMaps sees the deploys, and is told that edits are unknown; Secrets are never asked for", async () => {
    await using cluster = await seen([map("shared-env", [30]), ...workload("cart", [reading("shared-env")], [0])]);
    const asked = (api: FakeKubernetesApi, what: string) => api.requests.filter((one) => one.includes(what));
    cluster.api.forbid("configmaps");
    expect(await cluster.changes()).toHaveLength(1);
    expect(cluster.source.partial()).toMatchObject([
      { of: "changes", how: "partial", source: "kubernetes configmaps", what: "ConfigMaps edited in place" },
    ]);
    expect(unheardChanges(cluster.source.partial())).toEqual([
      expect.stringMatching(/^kubernetes configmaps does not show ConfigMaps edited in place: /),
    ]);
    expect(asked(cluster.api, "/secrets")).toEqual([]);
  });
});

describe("kubernetesChanges: pods that are taken from their node", () => {
  const taken = (name: string, node: string, minute: number, reason = "EvictionByEvictionAPI"): StoredObject => ({
    kind: "Pod",
    metadata: { name, namespace: "shop" },
    spec: { nodeName: node, containers: [] },
    status: {
      conditions: [{ type: "DisruptionTarget", status: "True", reason, lastTransitionTime: at(minute) }],
    },
  });

  it("are one change of infrastructure for each node and reason, and none of any service", async () => {
    await using cluster = await seen(
      [taken("a", "n1", 20), taken("b", "n1", 21), taken("c", "n2", 21, "DeletionByTaintManager")],
      22,
    );
    expect(await cluster.changes()).toEqual([]);
    const { infrastructure } = cluster.source.infrastructure;
    expect(await infrastructure(ALL, never)).toEqual([
      {
        id: `infrastructure:node/n1:EvictionByEvictionAPI:${ms(20)}`,
        kind: "infrastructure",
        place: "node n1",
        from: "",
        to: "pods evicted, as a drain or an autoscaler does (2 seen)",
        startedAt: ms(20),
        finishedAt: null,
        source: "kubernetes",
      },
      expect.objectContaining({ place: "node n2", startedAt: ms(21) }),
    ]);
    for (const name of ["a", "b"]) cluster.api.remove("pods", "shop", name);
    cluster.api.put(taken("d", "n1", 27));
    await cluster.changes();
    expect(await infrastructure(ALL, never)).toMatchObject([
      { id: `infrastructure:node/n1:EvictionByEvictionAPI:${ms(20)}`, to: expect.stringContaining("(3 seen)") },
      { place: "node n2" },
    ]);
    expect(await infrastructure({ from: 0, to: ms(19) }, never)).toEqual([]);
  });

  it("a pod that ends by itself or with its revision tells of no node", async () => {
    const gone = { ...taken("a", "n1", 20), status: { conditions: [{ type: "Ready", status: "False" }] } };
    await using cluster = await seen([gone], 22);
    await cluster.changes();
    expect(await cluster.source.infrastructure.infrastructure(ALL, never)).toEqual([]);
  });
});
