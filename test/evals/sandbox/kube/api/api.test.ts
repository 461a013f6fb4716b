import { describe, expect, it } from "vitest";
import { type Cluster, type ClusterOptions, startCluster } from "../../../../../evals/sandbox/kube/cluster.ts";
import { fakePodRuntime } from "../../../../fakes/fake-pod-runtime.ts";
import { daemonSet, deployment, statefulSet } from "../manifests.ts";
import { call, watch } from "./client.ts";

const APPS = "/apis/apps/v1/namespaces/default";
const WEB = `${APPS}/deployments/web`;
const CORE = "/api/v1/namespaces/default";

async function withApi(
  test: (cluster: Cluster) => Promise<void>,
  options: Omit<ClusterOptions, "runtime"> = {},
): Promise<void> {
  await using cluster = await startCluster({ runtime: fakePodRuntime(), timings: { probePeriodMs: 50 }, ...options });
  await test(cluster);
}

const withWeb = (test: (cluster: Cluster) => Promise<void>) =>
  withApi(async (cluster) => {
    await cluster.apply(deployment("shop/web:1"));
    await cluster.idle();
    await test(cluster);
  });

const configMap = (name: string, data = {}) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });

describe("refusals are Status objects as the API words them", () => {
  it.each([
    ["an unknown object", "GET", `${APPS}/deployments/none`, {}, 404, "NotFound", 'deployments.apps "none" not found'],
    [
      "an unknown path",
      "GET",
      "/apis/batch/v1/jobs",
      {},
      404,
      "NotFound",
      "the server could not find the requested resource",
    ],
    [
      "an unknown subresource",
      "GET",
      `${WEB}/exec`,
      {},
      404,
      "NotFound",
      "the server could not find the requested resource",
    ],
    [
      "a name that is taken",
      "POST",
      `${APPS}/deployments`,
      { body: deployment("shop/web:1") },
      409,
      "AlreadyExists",
      'deployments.apps "web" already exists',
    ],
    [
      "a missing namespace",
      "POST",
      "/api/v1/namespaces/none/configmaps",
      { body: configMap("a") },
      404,
      "NotFound",
      'namespaces "none" not found',
    ],
    [
      "another kind",
      "POST",
      `${CORE}/configmaps`,
      { body: deployment("x") },
      400,
      "BadRequest",
      'Deployment in version "apps/v1" cannot be handled as a ConfigMap',
    ],
    [
      "another namespace",
      "POST",
      `${CORE}/configmaps`,
      { body: { ...configMap("a"), metadata: { name: "a", namespace: "b" } } },
      400,
      "BadRequest",
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
    [
      "no name",
      "POST",
      `${CORE}/configmaps`,
      { body: { ...configMap("a"), metadata: {} } },
      400,
      "BadRequest",
      "name or generateName is required",
    ],
    [
      "a body that is no JSON",
      "POST",
      `${CORE}/configmaps`,
      { body: "{" },
      400,
      "BadRequest",
      expect.stringContaining("the body cannot be read"),
    ],
    [
      "protobuf",
      "POST",
      `${CORE}/configmaps`,
      { body: "k8s", type: "application/vnd.kubernetes.protobuf" },
      415,
      "UnsupportedMediaType",
      expect.stringContaining("application/json, application/yaml"),
    ],
    [
      "server-side apply",
      "PATCH",
      WEB,
      { body: "a: b", type: "application/apply-patch+yaml" },
      415,
      "UnsupportedMediaType",
      expect.stringContaining("application/strategic-merge-patch+json"),
    ],
    [
      "a patch that does not apply",
      "PATCH",
      WEB,
      { body: [{ op: "remove", path: "/none" }], type: "application/json-patch+json" },
      422,
      "Invalid",
      "the server rejected our request due to an error in our request",
    ],
    [
      "a patch that is no list",
      "PATCH",
      WEB,
      { body: {}, type: "application/json-patch+json" },
      400,
      "BadRequest",
      expect.any(String),
    ],
    [
      "a patch that renames",
      "PATCH",
      WEB,
      { body: { metadata: { name: "b" } }, type: "application/merge-patch+json" },
      400,
      "BadRequest",
      expect.any(String),
    ],
    [
      "a PUT under another name",
      "PUT",
      WEB,
      { body: deployment("x", {}, { name: "b" }) },
      400,
      "BadRequest",
      "the name of the object (b) does not match the name on the URL (web)",
    ],
    ["a method that is none", "POST", WEB, { body: deployment("x") }, 405, "MethodNotAllowed", expect.any(String)],
    [
      "replicas below zero",
      "PATCH",
      WEB,
      { body: { spec: { replicas: -1 } }, type: "application/merge-patch+json" },
      422,
      "Invalid",
      'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      "a uid of another object",
      "DELETE",
      WEB,
      { body: { preconditions: { uid: "x" } } },
      409,
      "Conflict",
      expect.stringContaining("Precondition failed: UID in precondition: x"),
    ],
    [
      "a selector that cannot be read",
      "GET",
      `${CORE}/pods?labelSelector=a%3D%3D%3Db`,
      {},
      400,
      "BadRequest",
      expect.stringContaining("unable to parse requirement"),
    ],
  ])("%s", (_, method, path, options, code, reason, message) =>
    withWeb(async (cluster) => {
      const { status, body } = await call(cluster, method, path, options);
      expect(status).toBe(code);
      expect(body).toMatchObject({ kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message });
    }),
  );

  it("names every mistake of a manifest at once", () =>
    withApi(async (cluster) => {
      const manifest = deployment("", { replicas: 1.5 });
      const { body } = await call(cluster, "POST", `${APPS}/deployments`, { body: manifest });
      const fields = body.details.causes.map(({ field }: { field: string }) => field);
      expect(fields).toEqual(["spec.replicas", "spec.template.spec.containers[0].image"]);
    }));

  it("a StatefulSet takes changes of a few fields alone", () =>
    withApi(async (cluster) => {
      await cluster.apply(statefulSet("pg:1"));
      const { status, body } = await call(cluster, "PATCH", `${APPS}/statefulsets/web`, {
        body: { spec: { serviceName: "other" } },
        type: "application/merge-patch+json",
      });
      expect(status).toBe(422);
      expect(body.message).toContain("updates to statefulset spec for fields other than 'replicas', 'ordinals'");
    }));
});

describe("optimistic concurrency", () => {
  it("a PUT or patch with an old resourceVersion is a conflict, and one without is not", () =>
    withWeb(async (cluster) => {
      const { body: old } = await call(cluster, "GET", WEB);
      const type = "application/merge-patch+json";
      expect((await call(cluster, "PATCH", WEB, { body: { metadata: { labels: { a: "b" } } }, type })).status).toBe(
        200,
      );
      const put = await call(cluster, "PUT", WEB, { body: old });
      expect(put.body).toMatchObject({
        code: 409,
        reason: "Conflict",
        details: { name: "web", group: "apps", kind: "deployments" },
        message: `Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again`,
      });
      const { resourceVersion } = old.metadata;
      const patch = await call(cluster, "PATCH", WEB, { body: { metadata: { resourceVersion } }, type });
      expect(patch.status).toBe(409);
      const test = [{ op: "test", path: "/metadata/resourceVersion", value: resourceVersion }];
      expect((await call(cluster, "PATCH", WEB, { body: test, type: "application/json-patch+json" })).status).toBe(422);
      const { resourceVersion: _, ...unversioned } = old.metadata;
      expect((await call(cluster, "PUT", WEB, { body: { ...old, metadata: unversioned } })).status).toBe(200);
    }));

  it("a write that changes nothing keeps the resourceVersion", () =>
    withWeb(async (cluster) => {
      const { body: before } = await call(cluster, "GET", WEB);
      const { body: after } = await call(cluster, "PUT", WEB, { body: before });
      expect(after).toEqual(before);
    }));

  it("versions of all objects come from one counter that only rises", () =>
    withApi(async (cluster) => {
      const versions: number[] = [];
      for (const name of ["a", "b", "c"]) {
        const { body } = await call(cluster, "POST", `${CORE}/configmaps`, { body: configMap(name) });
        versions.push(Number(body.metadata.resourceVersion));
      }
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
      const { body } = await call(cluster, "GET", `${CORE}/pods`);
      expect(Number(body.metadata.resourceVersion)).toBe(versions.at(-1));
    }));
});

describe("writes", () => {
  it.each([
    ["the spec counts a generation up", { spec: { replicas: 1 } }, 2],
    ["an annotation of a Deployment does too", { metadata: { annotations: { a: "b" } } }, 2],
    ["a label does not", { metadata: { labels: { a: "b" } } }, 1],
    ["a status written to the object itself is ignored", { status: { replicas: 99 } }, 1],
  ])("%s", (_, body, generation) =>
    withWeb(async (cluster) => {
      const patched = await call(cluster, "PATCH", WEB, { body, type: "application/merge-patch+json" });
      expect(patched.body.metadata.generation).toBe(generation);
      expect(patched.body.status.replicas).toBe(3);
    }),
  );

  it("the status subresource writes the status alone", () =>
    withWeb(async (cluster) => {
      const { body } = await call(cluster, "PATCH", `${WEB}/status`, {
        body: { spec: { replicas: 9 }, status: { collisionCount: 4 } },
        type: "application/merge-patch+json",
      });
      expect(body.spec.replicas).toBe(3);
      expect(body.status.collisionCount).toBe(4);
      expect(body.metadata.generation).toBe(1);
    }));

  it("the scale subresource reads and writes replicas", () =>
    withWeb(async (cluster) => {
      const { body } = await call(cluster, "GET", `${WEB}/scale`);
      expect(body).toMatchObject({
        kind: "Scale",
        apiVersion: "autoscaling/v1",
        spec: { replicas: 3 },
        status: { replicas: 3, selector: "app=web" },
      });
      const put = await call(cluster, "PUT", `${WEB}/scale`, { body: { ...body, spec: { replicas: 4 } } });
      expect(put.body.spec.replicas).toBe(4);
      const stale = await call(cluster, "PUT", `${WEB}/scale`, { body: { ...body, spec: { replicas: 5 } } });
      expect(stale.status).toBe(409);
    }));

  it("nulls are as absent fields, unknown fields are kept, and the server's own cannot be written", () =>
    withApi(async (cluster) => {
      const metadata = { name: "a", uid: "mine", creationTimestamp: null, resourceVersion: "", generation: 7 };
      const { status, body } = await call(cluster, "POST", `${CORE}/configmaps`, {
        body: { ...configMap("a", { x: "1" }), metadata, immutable: null, future: { deep: [{ a: 1 }] } },
      });
      expect(status).toBe(201);
      expect(body).not.toHaveProperty("immutable");
      expect(body.future).toEqual({ deep: [{ a: 1 }] });
      expect(body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
      expect(body.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    }));

  it("dryRun=All answers as if and changes nothing", () =>
    withWeb(async (cluster) => {
      const created = await call(cluster, "POST", `${CORE}/configmaps?dryRun=All`, { body: configMap("a") });
      expect(created.status).toBe(201);
      expect((await call(cluster, "GET", `${CORE}/configmaps/a`)).status).toBe(404);
      const deleted = await call(cluster, "DELETE", `${WEB}?dryRun=All`);
      expect(deleted).toMatchObject({ status: 200, body: { kind: "Status", status: "Success" } });
      expect((await call(cluster, "GET", WEB)).status).toBe(200);
      expect(cluster.writes.map(({ dryRun }) => dryRun)).toEqual([true, true]);
    }));

  it("are recorded with what was asked and answered, seeds and reads apart", () =>
    withWeb(async (cluster) => {
      await call(cluster, "GET", WEB);
      expect(cluster.writes).toEqual([]);
      const body = { spec: { replicas: 2 } };
      await call(cluster, "PATCH", `${WEB}?fieldManager=me`, { body, type: "application/merge-patch+json" });
      await call(cluster, "DELETE", `${APPS}/deployments/none`);
      expect(cluster.writes).toEqual([
        {
          at: expect.any(Number),
          method: "PATCH",
          path: WEB,
          contentType: "application/merge-patch+json",
          userAgent: "tester/1.0 (linux)",
          body,
          dryRun: false,
          status: 200,
        },
        {
          at: expect.any(Number),
          method: "DELETE",
          path: `${APPS}/deployments/none`,
          contentType: "",
          userAgent: "tester/1.0 (linux)",
          body: undefined,
          dryRun: false,
          status: 404,
        },
      ]);
    }));

  it("managed fields say who changed what and when", () =>
    withApi(
      async (cluster) => {
        await cluster.apply(deployment("shop/web:1"));
        const body = { spec: { template: { spec: { containers: [{ name: "web", image: "shop/web:2" }] } } } };
        const type = "application/strategic-merge-patch+json";
        await call(cluster, "PATCH", `${WEB}?fieldManager=deployer`, { body, type });
        await call(cluster, "PATCH", WEB, { body: { spec: { replicas: 1 } }, type });
        const { managedFields } = (await call(cluster, "GET", WEB)).body.metadata;
        const byName = (name: string) => managedFields.find(({ manager }: { manager: string }) => manager === name);
        expect(byName("deployer")).toEqual({
          manager: "deployer",
          operation: "Update",
          apiVersion: "apps/v1",
          time: "2026-01-02T03:04:05Z",
          fieldsType: "FieldsV1",
          fieldsV1: {
            "f:spec": { "f:template": { "f:spec": { "f:containers": { 'k:{"name":"web"}': { "f:image": {} } } } } },
          },
        });
        expect(byName("tester").fieldsV1).toEqual({ "f:spec": { "f:replicas": {} } });
        expect(JSON.stringify(byName("sandbox"))).not.toMatch(/f:image"|f:replicas/);
      },
      { now: () => Date.parse("2026-01-02T03:04:05.678Z") },
    ));

  it("DELETE of a collection follows its selectors", () =>
    withApi(async (cluster) => {
      for (const name of ["a", "b"]) await cluster.apply({ ...configMap(name), metadata: { name, labels: { name } } });
      await call(cluster, "DELETE", `${CORE}/configmaps?labelSelector=name%3Da`);
      const { body } = await call(cluster, "GET", `${CORE}/configmaps`);
      expect(body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(["b"]);
    }));

  it("YAML bodies are read", () =>
    withApi(async (cluster) => {
      const body = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: y}\n";
      const created = await call(cluster, "POST", `${CORE}/configmaps`, { body, type: "application/yaml" });
      expect(created).toMatchObject({ status: 201, body: { data: { x: "y" } } });
    }));

  it("a finalizer keeps a deleted object until it is taken away", () =>
    withApi(async (cluster) => {
      await cluster.apply({ ...configMap("a"), metadata: { name: "a", finalizers: ["x.io/hold"] } });
      const path = `${CORE}/configmaps/a`;
      const { body } = await call(cluster, "DELETE", path);
      expect(body.metadata.deletionTimestamp).toBeDefined();
      expect((await call(cluster, "GET", path)).status).toBe(200);
      await call(cluster, "PATCH", path, {
        body: { metadata: { finalizers: null } },
        type: "application/merge-patch+json",
      });
      expect((await call(cluster, "GET", path)).status).toBe(404);
    }));

  it("a deleted namespace takes what is in it", () =>
    withApi(async (cluster) => {
      await cluster.apply({ ...deployment("shop/web:1"), metadata: { name: "web", namespace: "shop" } });
      await cluster.idle();
      await call(cluster, "DELETE", "/api/v1/namespaces/shop");
      await cluster.idle();
      expect((await call(cluster, "GET", "/api/v1/pods")).body.items).toEqual([]);
      expect((await call(cluster, "GET", "/apis/apps/v1/deployments")).body.items).toEqual([]);
    }));
});

describe("watches", () => {
  const CONFIGS = `${CORE}/configmaps?watch=true`;
  const told = (
    events: readonly { readonly type: string; readonly object: { readonly metadata: { readonly name: string } } }[],
  ) => events.map(({ type, object }) => `${type} ${object.metadata.name}`);
  const patch = (cluster: Cluster, name: string, body: unknown) =>
    call(cluster, "PATCH", `${CORE}/configmaps/${name}`, { body, type: "application/merge-patch+json" });

  it("without a version what exists comes first, then every change", () =>
    withApi(async (cluster) => {
      await cluster.apply(configMap("a"));
      const events = await watch(
        cluster,
        CONFIGS,
        ({ length }) => length === 4,
        async () => {
          await patch(cluster, "a", { data: { x: "1" } });
          await cluster.apply(configMap("b"));
          await call(cluster, "DELETE", `${CORE}/configmaps/a`);
        },
      );
      expect(told(events)).toEqual(["ADDED a", "MODIFIED a", "ADDED b", "DELETED a"]);
    }));

  it("from a version on nothing is missed and nothing comes twice", () =>
    withApi(async (cluster) => {
      await cluster.apply(configMap("a"));
      const { body } = await call(cluster, "GET", `${CORE}/configmaps`);
      await patch(cluster, "a", { data: { x: "1" } });
      await cluster.apply(configMap("b"));
      const events = await watch(
        cluster,
        `${CONFIGS}&resourceVersion=${body.metadata.resourceVersion}`,
        ({ length }) => length === 2,
      );
      expect(told(events)).toEqual(["MODIFIED a", "ADDED b"]);
    }));

  it("an object that begins or ceases to match is added or deleted", () =>
    withApi(async (cluster) => {
      await cluster.apply(configMap("a"));
      const events = await watch(
        cluster,
        `${CONFIGS}&labelSelector=on`,
        ({ length }) => length === 3,
        async () => {
          await patch(cluster, "a", { metadata: { labels: { on: "1" } } });
          await patch(cluster, "a", { data: { x: "1" } });
          await patch(cluster, "a", { metadata: { labels: null } });
        },
      );
      expect(told(events)).toEqual(["ADDED a", "MODIFIED a", "DELETED a"]);
    }));

  it("from before the history there is one error, 410", () =>
    withApi(
      async (cluster) => {
        for (const name of ["a", "b", "c", "d", "e"]) await cluster.apply(configMap(name));
        const events = await watch(cluster, `${CONFIGS}&resourceVersion=101`, () => false);
        expect(events).toMatchObject([{ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } }]);
      },
      { historyLimit: 3 },
    ));

  it("sendInitialEvents ends with a bookmark of the present version", () =>
    withApi(async (cluster) => {
      await cluster.apply(configMap("a"));
      const path = `${CONFIGS}&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan`;
      const events = await watch(cluster, path, ({ length }) => length === 2);
      expect(events[0]).toMatchObject({ type: "ADDED" });
      const { body } = await call(cluster, "GET", `${CORE}/configmaps`);
      expect(events[1]).toMatchObject({
        type: "BOOKMARK",
        object: {
          metadata: {
            resourceVersion: body.metadata.resourceVersion,
            annotations: { "k8s.io/initial-events-end": "true" },
          },
        },
      });
    }));

  it("end after timeoutSeconds", () =>
    withApi(async (cluster) => {
      expect(await watch(cluster, `${CONFIGS}&timeoutSeconds=1`, () => false)).toEqual([]);
    }));

  it("end when the cluster stops", async () => {
    const cluster = await startCluster({ runtime: fakePodRuntime() });
    const watching = watch(cluster, CONFIGS, () => false).catch(() => "closed");
    await call(cluster, "GET", "/version");
    await cluster[Symbol.asyncDispose]();
    expect(await watching).toBeDefined();
  });
});

describe("access", () => {
  const tokens = [
    { token: "reader", readOnly: true },
    { token: "writer", readOnly: false },
  ];
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const type = "application/merge-patch+json";

  it("a request without a known token is unauthorized", () =>
    withApi(
      async (cluster) => {
        for (const headers of [{}, bearer("none")]) {
          const { status, body } = await call(cluster, "GET", "/api/v1/pods", { headers });
          expect({ status, reason: body.reason }).toEqual({ status: 401, reason: "Unauthorized" });
        }
      },
      { tokens },
    ));

  it("a token that may only read is refused every write, by name of what it asked", () =>
    withApi(
      async (cluster) => {
        await cluster.apply(daemonSet("agent:1"));
        const path = `${APPS}/daemonsets/web`;
        expect((await call(cluster, "GET", path, { headers: bearer("reader") })).status).toBe(200);
        const refused = await call(cluster, "PATCH", path, { headers: bearer("reader"), body: {}, type });
        expect(refused.status).toBe(403);
        expect(refused.body.message).toBe(
          'daemonsets.apps "web" is forbidden: User "system:serviceaccount:default:reader" cannot patch resource "daemonsets" in API group "apps" in the namespace "default"',
        );
        expect((await call(cluster, "PATCH", path, { headers: bearer("writer"), body: {}, type })).status).toBe(200);
      },
      { tokens },
    ));
});
