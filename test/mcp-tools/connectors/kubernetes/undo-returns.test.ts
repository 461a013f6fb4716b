import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deployId, namedEntry } from "../../../../mcp-tools/connectors/kubernetes/change-id.ts";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { overwritten } from "../../../../mcp-tools/connectors/kubernetes/returns.ts";
import { kubectlRolloutUndo } from "../../../../mcp-tools/connectors/kubernetes/undo.ts";
import { fakeKubernetesApi, type StoredObject } from "../../../fakes/fake-kubernetes-api.ts";
import { at, deployment, ms, replicaSet, template, undoTarget } from "./objects.ts";

const never = new AbortController().signal;
type Json = Record<string, unknown>;
const history = () => [replicaSet("shop/cart:1.4.0", "2", 10), replicaSet("shop/cart:1.5.0", "3", 20)];

async function inspected(objects: readonly StoredObject[], target = undoTarget()) {
  await using api = await fakeKubernetesApi(objects);
  const client = kubeClient({ server: api.url, namespace: "default", http: {} });
  const executor = kubectlRolloutUndo({ client, now: () => ms(30) });
  const state = await executor.inspect(target, never);
  return { state, result: await executor.execute(target, "k", never), writes: api.writes.length };
}

describe("a controller that would put the bad version back", () => {
  const owner = (apiVersion: string, kind: string, controller: boolean) => ({
    ownerReferences: [{ apiVersion, kind, name: "main", uid: "u", controller }],
  });
  it.each<[string, Json, string]>([
    ["an operator's custom resource", owner("monitoring.coreos.com/v1", "Prometheus", true), "change Prometheus main"],
    ["a Knative revision", owner("serving.knative.dev/v1", "Revision", true), "The controller of Revision main"],
    [
      "Open Cluster Management",
      owner("work.open-cluster-management.io/v1", "AppliedManifestWork", false),
      "change the ManifestWork on the hub",
    ],
    [
      "Rancher Fleet",
      { annotations: { "objectset.rio.cattle.io/id": "default-shop" } },
      "Fleet bundle or addon default-shop",
    ],
    ["an addon that Rancher applies", { labels: { "objectset.rio.cattle.io/hash": "abc" } }, "Rancher manages it"],
    ["kapp-controller", { labels: { "kapp.k14s.io/app": "123" } }, "label kapp.k14s.io/app"],
  ])("%s is named, and nothing is written", async (_, metadata, says) => {
    const { state, result, writes } = await inspected([deployment("shop/cart:1.5.0", "3", { metadata }), ...history()]);
    expect(state.obstacles.join()).toContain(says);
    expect([result.result, writes]).toEqual(["refused", 0]);
    expect(result.detail).toContain(says);
  });

  it("an owner that controls nothing is none", async () => {
    const metadata = owner("example.com/v1", "Tenant", false);
    const { state, result } = await inspected([deployment("shop/cart:1.5.0", "3", { metadata }), ...history()]);
    expect([state.obstacles, result.result]).toEqual([[], "done"]);
  });
});

describe("what would bring the bad version back by itself is said before and after the undo", () => {
  const pods = (image: string, pool: string, cpu = "1") =>
    template(image, {
      spec: {
        containers: [
          {
            name: "cart",
            image,
            env: [{ name: "POOL", value: pool }],
            resources: { limits: { cpu } },
            ports: [{ containerPort: 80, protocol: "TCP" }],
          },
        ],
      },
    });
  const stands = pods("shop/cart:1.5.0", "1");
  const before = pods("shop/cart:1.5.0", "100");
  const objects = (metadata: Json) => [
    deployment("shop/cart:1.5.0", "3", { metadata, spec: { template: stands } }),
    replicaSet("shop/cart:1.5.0", "2", 10, { name: "cart-a", template: before }),
    replicaSet("shop/cart:1.5.0", "3", 20, { name: "cart-150", template: stands }),
  ];
  const target = undoTarget({ restore: { version: "1.5.0", revision: "2" } });
  const applied = (one: Json) => ({
    annotations: { "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify({ spec: { template: one } }) },
  });
  const manifest = (image: string, pool: string, cpu = "1") => ({
    spec: {
      containers: [
        {
          name: "cart",
          image,
          env: [{ name: "POOL", value: pool }],
          resources: { limits: { cpu } },
          ports: [{ containerPort: 80 }],
        },
      ],
    },
  });
  const manager = (operation: string, fieldsV1: Json, name = "deployer") => ({
    managedFields: [{ manager: name, operation, apiVersion: "apps/v1", time: at(20), fieldsV1 }],
  });
  const ofTemplate = { "f:spec": { "f:template": { "f:spec": {} } } };
  it.each<[string, Json, string | null]>([
    ["a manifest with the bad variable", applied(manifest("shop/cart:1.5.0", "1")), "env[POOL].value"],
    ["a manifest with another image", applied(manifest("shop/cart:1.6.0", "100")), "still names 1.6.0"],
    ["a manifest with another limit", applied(manifest("shop/cart:1.5.0", "100", "2")), "resources.limits.cpu"],
    ["a manifest that holds what is restored", applied(manifest("shop/cart:1.5.0", "100")), null],
    ["a manifest that writes the same limit otherwise", applied(manifest("shop/cart:1.5.0", "100", "1000m")), null],
    ["a server-side apply of the template", manager("Apply", ofTemplate), "deployer applies its template server-side"],
    ["a server-side apply of something else", manager("Apply", { "f:spec": { "f:replicas": {} } }), null],
    ["an update of the template", manager("Update", ofTemplate), null],
    [
      "a Helm release",
      { annotations: { "meta.helm.sh/release-name": "shop" } },
      "the next helm upgrade brings that back",
    ],
    [
      "Flux, switched off for this object",
      {
        labels: { "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux" },
        annotations: { "kustomize.toolkit.fluxcd.io/reconcile": "disabled" },
      },
      "Flux Kustomization flux/apps leaves it alone for now",
    ],
    ["nothing else", {}, null],
  ])("%s", async (_, metadata, says) => {
    const { state, result } = await inspected(objects(metadata), target);
    expect(result.result).toBe("done");
    for (const warnings of [state.warnings, result.warnings])
      expect(warnings.filter((one) => /brings|leaves/.test(one))).toEqual(
        says === null ? [] : [expect.stringContaining(says)],
      );
  });
});

describe("what an apply would change of a template", () => {
  const value = fc.oneof(fc.string({ minLength: 1, maxLength: 3 }), fc.integer(), fc.boolean());
  const tree = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      value,
      fc.dictionary(fc.constantFrom("a", "b", "c"), tie("node"), { minKeys: 1 }),
      fc.uniqueArray(fc.record({ name: fc.constantFrom("x", "y"), of: tie("node") }), {
        selector: ({ name }) => name,
        minLength: 1,
      }),
    ),
  }));
  const templates = fc.dictionary(fc.constantFrom("a", "b", "c"), tree.node, { minKeys: 1 });

  it("is nothing where the template holds all that it sets, whatever stands beside that", () => {
    fc.assert(
      fc.property(templates, templates, (applied, others) => {
        expect(overwritten(applied, { ...applied })).toEqual([]);
        expect(overwritten({ spec: applied }, { spec: applied, metadata: others })).toEqual([]);
      }),
    );
  });

  it("is every value that the template lacks", () => {
    fc.assert(
      fc.property(templates, (applied) => {
        expect(overwritten(applied, {}).length).toBeGreaterThan(0);
        expect(overwritten({ spec: applied, added: "1" }, { spec: applied })).toEqual(["added"]);
      }),
    );
  });
});

describe("the object that a plan was made for", () => {
  it.each<[string, string, string]>([
    ["the ReplicaSet that the change names", "deploy:shop/cart:cart-150:3", "done"],
    ["another ReplicaSet under the same number and tag", "deploy:shop/cart:cart-66b:3", "stale"],
    ["a change of another source, which names none", "sync:argocd/shop:3", "done"],
    ["a change of another object", "deploy:shop/other:other-1:3", "done"],
  ])("%s", async (_, changeId, answered) => {
    const { result, writes } = await inspected(
      [deployment("shop/cart:1.5.0", "3"), ...history()],
      undoTarget({ changeId }),
    );
    expect([result.result, writes]).toEqual([answered, answered === "done" ? 1 : 0]);
  });

  it("is named by the id of its deploy, and by no other id", () => {
    const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
    fc.assert(
      fc.property(
        name,
        name,
        name,
        fc.nat(99).map(String),
        fc.nat(99).map(String),
        (namespace, of, entry, number, other) => {
          const changeId = deployId({ namespace, name: of }, entry, number);
          const object = { kind: "Deployment", namespace, name: of };
          const target = undoTarget({ changeId, object, expected: { version: "1", revision: other } });
          expect(namedEntry(target)).toBe(other === number ? entry : null);
          expect(namedEntry({ ...target, object: { ...object, name: `${of}x` } })).toBeNull();
        },
      ),
    );
  });
});
