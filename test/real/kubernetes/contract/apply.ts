import { describe, expect, it } from "vitest";
import type { Answer } from "../../../../evals/real-kubernetes/api.ts";
import { deployment } from "../../../../evals/real-kubernetes/manifests.ts";
import { CORE, MERGE, REVISION, type Setting } from "./setting.ts";

/** Apply on the server's side, as GitOps controllers write. */
export function serverSideApply({ call, made, must, next, settled }: Setting): void {
  describe("server-side apply", () => {
    const APPLY = "application/apply-patch+yaml";
    const applied = (name: string, manager: string, more: object, force = false) =>
      call("PATCH", `${CORE}/configmaps/${name}?fieldManager=${manager}&force=${force}`, {
        type: APPLY,
        body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, ...more },
      });
    const ownersOf = (body: Answer["body"]) =>
      body.metadata.managedFields.map(({ manager, operation }: Record<string, string>) => `${operation} ${manager}`);

    it("makes what is not there, and says that it was applied", async () => {
      const name = `applied-${next()}`;
      const { status, body } = await applied(name, "robot", { data: { a: "1" } });
      expect(status).toBe(201);
      expect(ownersOf(body)).toEqual(["Apply robot"]);
      expect(body.metadata.managedFields[0].fieldsV1).toEqual({ "f:data": { "f:a": {} } });
    });

    it("sets what it names, takes away what it named before, and keeps what others wrote", async () => {
      const name = `applied-${next()}`;
      await applied(name, "robot", { data: { a: "1", b: "2" } });
      await must("PATCH", `${CORE}/configmaps/${name}?fieldManager=person`, {
        type: MERGE,
        body: { data: { c: "3" } },
      });
      const { status, body } = await applied(name, "robot", { data: { a: "9" } });
      expect(status).toBe(200);
      expect(body.data).toEqual({ a: "9", c: "3" });
      expect(ownersOf(body).sort()).toEqual(["Apply robot", "Update person"]);
    });

    it("of a field that another manager owns is a conflict, and forced takes it over", async () => {
      const name = `applied-${next()}`;
      await applied(name, "robot", { data: { a: "1" } });
      const { status, body } = await applied(name, "other", { data: { a: "2" } });
      expect(status).toBe(409);
      expect(body).toMatchObject({
        reason: "Conflict",
        details: { causes: [{ reason: "FieldManagerConflict", field: ".data.a" }] },
      });
      const forced = await applied(name, "other", { data: { a: "2" } }, true);
      expect(forced).toMatchObject({ status: 200, body: { data: { a: "2" } } });
      expect(ownersOf(forced.body)).toEqual(["Apply other"]);
      expect((await applied(name, "robot", { data: { a: "2" } })).status).toBe(200);
    });

    it("that changes nothing keeps the resourceVersion", async () => {
      const name = `applied-${next()}`;
      const first = await applied(name, "robot", { data: { a: "1" } });
      const again = await applied(name, "robot", { data: { a: "1" } });
      expect(again.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
    });

    it("of a Deployment's image makes a revision as any other write", async () => {
      const path = await made();
      const name = path.split("/").at(-1) ?? "";
      const body = deployment(name, "shop/web:1.0.3");
      await must("PATCH", `${path}?fieldManager=robot&force=true`, { type: APPLY, body });
      await settled(path);
      expect((await must("GET", path)).metadata.annotations[REVISION]).toBe("2");
    });

    it("needs a manager", async () => {
      const { status } = await call("PATCH", `${CORE}/configmaps/unmanaged`, { type: APPLY, body: "{}" });
      expect([400, 422]).toContain(status);
    });
  });
}
