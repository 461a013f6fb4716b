import { describe, expect, it } from "vitest";
import { deployment } from "../../../../evals/real-kubernetes/manifests.ts";
import { APPS, CORE, MERGE, type Setting, STRATEGIC } from "./setting.ts";

/** What a write changes and what it does not, and what is refused. */
export function writes({ call, made, must, patch }: Setting): void {
  describe("a write", () => {
    it.each([
      ["of the spec counts the generation up", { spec: { revisionHistoryLimit: 3 } }, 1],
      ["of an annotation of a Deployment does too", { metadata: { annotations: { a: "b" } } }, 1],
      ["of a label does not", { metadata: { labels: { a: "b" } } }, 0],
      ["of the status to the object itself is ignored", { status: { replicas: 99 } }, 0],
    ])("%s", async (_, body, more) => {
      const path = await made();
      const { metadata } = await must("GET", path);
      const { body: after } = await patch(path, MERGE, body);
      expect(after.metadata.generation - metadata.generation).toBe(more);
      expect(after.status.replicas).toBe(2);
    });

    it("that changes nothing keeps the resourceVersion", async () => {
      const path = await made();
      const before = await must("GET", path);
      const after = await must("PATCH", path, { type: MERGE, body: { spec: { replicas: 2 } } });
      expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    });

    it("of a dry run answers as if and changes nothing", async () => {
      const path = await made();
      const before = await must("GET", path);
      const body = { spec: { replicas: 5 } };
      const as = await must("PATCH", `${path}?dryRun=All`, { type: MERGE, body });
      expect(as.spec.replicas).toBe(5);
      expect(as.metadata.generation).toBe(before.metadata.generation + 1);
      expect((await must("GET", path)).metadata.generation).toBe(before.metadata.generation);
    });

    it("of an old object is a conflict, and of one without a version is not", async () => {
      const path = await made();
      const old = await must("GET", path);
      await must("PATCH", path, { type: MERGE, body: { metadata: { labels: { a: "b" } } } });
      expect(await call("PUT", path, { body: old })).toMatchObject({ status: 409, body: { reason: "Conflict" } });
      const { resourceVersion: _, ...metadata } = old.metadata;
      expect((await call("PUT", path, { body: { ...old, metadata } })).status).toBe(200);
    });

    it("is signed in managedFields, field by field", async () => {
      const path = await made();
      const name = path.split("/").at(-1) ?? "";
      const body = { spec: { template: { spec: { containers: [{ name, image: "shop/web:1.0.1" }] } } } };
      const { metadata } = await must("PATCH", `${path}?fieldManager=unship`, { type: STRATEGIC, body });
      const entry = metadata.managedFields.find(({ manager }: { manager: string }) => manager === "unship");
      expect(entry).toMatchObject({ operation: "Update", apiVersion: "apps/v1", fieldsType: "FieldsV1" });
      expect(entry.fieldsV1).toEqual({
        "f:spec": {
          "f:template": { "f:spec": { "f:containers": { [`k:{"name":"${name}"}`]: { "f:image": {} } } } },
        },
      });
      const others = metadata.managedFields.filter(({ manager }: { manager: string }) => manager !== "unship");
      expect(JSON.stringify(others)).not.toContain('"f:image"');
    });
  });

  describe("subresources", () => {
    it("status is written alone, and nothing else with it", async () => {
      const path = await made();
      const body = { metadata: { labels: { a: "b" } }, spec: { replicas: 9 }, status: { collisionCount: 4 } };
      const after = await must("PATCH", `${path}/status`, { type: MERGE, body });
      expect(after.spec.replicas).toBe(2);
      expect(after.status.collisionCount).toBe(4);
    });

    it("scale reads and writes replicas under a lock", async () => {
      const path = await made();
      const scale = await must("GET", `${path}/scale`);
      const name = path.split("/").at(-1);
      expect(scale).toMatchObject({
        kind: "Scale",
        apiVersion: "autoscaling/v1",
        spec: { replicas: 2 },
        status: { replicas: 2, selector: `app=${name}` },
      });
      expect((await must("PUT", `${path}/scale`, { body: { ...scale, spec: { replicas: 3 } } })).spec.replicas).toBe(3);
      expect((await call("PUT", `${path}/scale`, { body: { ...scale, spec: { replicas: 4 } } })).status).toBe(409);
      const patched = await must("PATCH", `${path}/scale`, { type: MERGE, body: { spec: { replicas: 1 } } });
      expect(patched.spec.replicas).toBe(1);
      expect((await must("GET", path)).spec.replicas).toBe(1);
    });
  });

  describe("what is not there or not allowed", () => {
    const map = (name: string, data: object = {}) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name },
      data,
    });
    it.each([
      ["an object", "GET", `${APPS}/deployments/none`, {}, 404, "NotFound"],
      ["a patch of one", "PATCH", `${APPS}/deployments/none`, { type: MERGE, body: {} }, 404, "NotFound"],
      ["a deletion of one", "DELETE", `${APPS}/deployments/none`, {}, 404, "NotFound"],
      [
        "a namespace that one is made in",
        "POST",
        "/api/v1/namespaces/none/configmaps",
        { body: map("a") },
        404,
        "NotFound",
      ],
      ["a group", "GET", "/apis/none.example/v1/things", {}, 404, undefined],
      ["a resource", "GET", `${APPS}/things`, {}, 404, undefined],
      ["another kind", "POST", `${CORE}/configmaps`, { body: deployment("x", "x:1") }, 400, "BadRequest"],
      [
        "a media type",
        "PATCH",
        `${CORE}/configmaps/kept`,
        { type: "text/plain", body: "x" },
        415,
        "UnsupportedMediaType",
      ],
      ["a second of its name", "POST", `${CORE}/configmaps`, { body: map("kept") }, 409, "AlreadyExists"],
    ] as const)("%s", async (_, method, path, options, status, reason) => {
      await call("POST", `${CORE}/configmaps`, { body: map("kept") });
      const answer = await call(method, path, options);
      expect(answer.status).toBe(status);
      if (reason !== undefined) expect(answer.body).toMatchObject({ kind: "Status", code: status, reason });
    });

    it("a deletion of another object of the name is a conflict", async () => {
      await must("POST", `${CORE}/configmaps`, { body: map("doomed") });
      const preconditions = { uid: "00000000-0000-0000-0000-000000000000" };
      const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions };
      expect((await call("DELETE", `${CORE}/configmaps/doomed`, { body })).status).toBe(409);
      expect((await call("DELETE", `${CORE}/configmaps/doomed`)).status).toBe(200);
    });
  });
}
