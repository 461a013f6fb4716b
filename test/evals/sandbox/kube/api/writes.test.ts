import { describe, expect, it } from "vitest";
import { deployment } from "../manifests.ts";
import { call } from "./client.ts";
import { APPS, CORE, configMap, WEB, withApi, withWeb } from "./setting.ts";

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
