import { describe, expect, it } from "vitest";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import type { ServiceWorkload } from "../../../../mcp-tools/connectors/kubernetes/services.ts";
import { kubernetesTopology, TEMPLATE_CONFIDENCE } from "../../../../mcp-tools/connectors/kubernetes/topology.ts";
import { fakeKubernetesApi, type StoredObject } from "../../../fakes/fake-kubernetes-api.ts";
import { ms } from "./objects.ts";

type Json = Record<string, unknown>;
const never = new AbortController().signal;

const workload = (
  name: string,
  container: Json,
  more: { readonly kind?: string; readonly namespace?: string; readonly spec?: Json } = {},
) =>
  ({
    kind: more.kind ?? "Deployment",
    metadata: { name, namespace: more.namespace ?? "shop", labels: { app: name } },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name, image: "x:1", ...container }], ...more.spec },
      },
    },
  }) as StoredObject;
const service = (name: string, spec: Json = {}, namespace = "shop") =>
  ({
    kind: "Service",
    metadata: { name, namespace },
    spec: { clusterIP: "10.0.0.1", selector: { app: name }, ports: [{ port: 8080 }], ...spec },
  }) as StoredObject;
const env = (variables: Readonly<Record<string, string>>) => ({
  env: Object.entries(variables).map(([name, value]) => ({ name, value })),
});

async function opened(objects: readonly StoredObject[], services: readonly ServiceWorkload[] = []) {
  const api = await fakeKubernetesApi(objects);
  const client = kubeClient({ server: api.url, namespace: "default", http: {} });
  let now = ms(0);
  const source = kubernetesTopology({ client, namespaces: ["shop"], services, now: () => now });
  return {
    api,
    source,
    later: (minutes: number) => {
      now = ms(minutes);
    },
    read: async () => {
      const { details = [], external } = await source.topology(never);
      return { calls: details.map(({ caller, callee }) => `${caller} > ${callee}`), external };
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await api[Symbol.asyncDispose]();
    },
  };
}

const SHOP = [workload("catalog", {}), service("catalog"), workload("db", {}, { kind: "StatefulSet" }), service("db")];

describe("the call graph in pod templates", () => {
  it.each<readonly [string, readonly StoredObject[], readonly string[], readonly string[]]>([
    ["a variable with a URL", [workload("web", env({ A: "http://catalog:8080" }))], ["web > catalog"], []],
    ["a host with its namespace", [workload("web", env({ A: "http://catalog.shop:8080" }))], ["web > catalog"], []],
    ["an argument", [workload("web", { args: ["--catalog=catalog:8080"] })], ["web > catalog"], []],
    [
      "an argument that follows its name",
      [workload("web", { args: ["--catalog-addr", "catalog"] })],
      ["web > catalog"],
      [],
    ],
    [
      "a variable that refers to others",
      [workload("web", env({ H: "catalog", P: "8080", A: "$(H):$(P)" }))],
      ["web > catalog"],
      [],
    ],
    [
      "the variable that Kubernetes sets for a Service",
      [workload("web", { args: ["http://$(CATALOG_SERVICE_HOST)"] })],
      ["web > catalog"],
      [],
    ],
    [
      "a ConfigMap that variables come from",
      [
        workload("web", { envFrom: [{ prefix: "X_", configMapRef: { name: "web-env" } }] }),
        workload("cart", {
          env: [{ name: "DB_HOST", valueFrom: { configMapKeyRef: { name: "web-env", key: "DB_HOST" } } }],
        }),
        {
          kind: "ConfigMap",
          metadata: { name: "web-env", namespace: "shop" },
          data: { DB_HOST: "db" },
        } as StoredObject,
      ],
      ["cart > db", "web > db"],
      [],
    ],
    [
      "a StatefulSet calls too",
      [workload("web", env({ A: "catalog:8080" }), { kind: "StatefulSet" })],
      ["web > catalog"],
      [],
    ],
    ["a name that is no Service of the cluster", [workload("web", env({ A: "http://stock:8080" }))], [], []],
    ["a port that the Service does not have", [workload("web", env({ IMAGE: "catalog:7" }))], [], []],
    [
      "a Service of another namespace that is not known",
      [workload("web", env({ A: "http://catalog.other.svc" }))],
      [],
      [],
    ],
    ["a service's own address", [workload("catalog2", env({ A: "catalog2:8080" })), service("catalog2")], [], []],
    [
      "what only prepares a pod's start",
      [workload("web", {}, { spec: { initContainers: [{ name: "wait", ...env({ A: "http://catalog:8080" }) }] } })],
      [],
      [],
    ],
    [
      "a host outside",
      [workload("pay", env({ BANK_URL: "https://api.bank.example/v2" }))],
      ["pay > api.bank.example"],
      ["api.bank.example"],
    ],
    [
      "a Service that only stands for a host outside",
      [
        workload("pay", env({ A: "http://bank:8080" })),
        service("bank", { type: "ExternalName", externalName: "api.bank.example" }),
      ],
      ["pay > api.bank.example"],
      ["api.bank.example"],
    ],
    [
      "a Service that selects no pods",
      [workload("pay", env({ A: "http://legacy:8080" })), service("legacy", { selector: null })],
      ["pay > legacy"],
      ["legacy"],
    ],
    [
      "a headless Service has its pods' ports",
      [workload("web", env({ A: "ring:9999" })), workload("ring", {}), service("ring", { clusterIP: "None" })],
      ["web > ring"],
      [],
    ],
    [
      "an address in a Secret is not read",
      [
        workload("web", {
          env: [{ name: "DB_URL", valueFrom: { secretKeyRef: { name: "db", key: "url" } } }],
          envFrom: [{ secretRef: { name: "db" } }],
        }),
      ],
      [],
      [],
    ],
  ])("%s", async (_, objects, calls, external) => {
    await using cluster = await opened([...SHOP, ...objects]);
    expect(await cluster.read()).toEqual({ calls, external });
    expect(cluster.api.requests.filter((request) => /secrets/i.test(request))).toEqual([]);
  });

  it("an edge is a hint: its source is the template, no traffic is known, and nobody reports", async () => {
    await using cluster = await opened([...SHOP, workload("web", env({ A: "http://catalog:8080" }))]);
    expect(await cluster.source.topology(never)).toEqual({
      edges: [["web", "catalog"]],
      external: [],
      details: [{ caller: "web", callee: "catalog", source: "template", confidence: TEMPLATE_CONFIDENCE }],
      reporting: [],
    });
  });

  it("both ends go by the names of the services that their workloads are", async () => {
    const configured = [{ service: "storefront", namespace: "shop", kind: "Deployment", name: "web" }];
    await using cluster = await opened([...SHOP, workload("web", env({ A: "http://db:8080" }))], configured);
    expect((await cluster.read()).calls).toEqual(["storefront > db"]);
  });

  it("an address that a new template leaves out is forgotten", async () => {
    await using cluster = await opened([...SHOP, workload("web", env({ A: "http://catalog:8080" }))]);
    expect((await cluster.read()).calls).toEqual(["web > catalog"]);
    cluster.api.put(workload("web", env({ A: "http://db:8080" })));
    cluster.later(6);
    expect((await cluster.read()).calls).toEqual(["web > db"]);
  });

  it("who may not list Services learns nothing, and is told why; who may not read ConfigMaps learns the rest", async () => {
    const objects = [
      ...SHOP,
      workload("web", { ...env({ A: "http://catalog:8080" }), envFrom: [{ configMapRef: { name: "web-env" } }] }),
    ];
    await using cluster = await opened(objects);
    cluster.api.forbid("configmaps");
    expect((await cluster.read()).calls).toEqual(["web > catalog"]);
    expect(cluster.source.unread()).toBeNull();
    await using other = await opened(objects);
    other.api.forbid("services");
    expect((await other.read()).calls).toEqual([]);
    expect(other.source.unread()).toBe("the credentials may not list Services");
  });
});
