import { describe, expect, it } from "vitest";
import { JSON_PATCH, MERGE, type Setting, STRATEGIC } from "./setting.ts";

/** The three kinds of patch that unship and kubectl send. */
export function patches({ made, must, patch }: Setting): void {
  describe("a JSON patch", () => {
    it.each([
      ["replaces a member that is not there", [{ op: "replace", path: "/metadata/labels/new", value: "x" }], 200],
      [
        "does not replace under a missing parent",
        [{ op: "replace", path: "/metadata/annotations/none/x", value: "x" }],
        422,
      ],
      ["does not add under a missing parent", [{ op: "add", path: "/spec/template/spec/affinity/x", value: {} }], 422],
      ["does not remove what is not there", [{ op: "remove", path: "/metadata/labels/none" }], 422],
      ["whose test holds is done", [{ op: "test", path: "/spec/replicas", value: 2 }], 200],
      ["whose test fails is refused", [{ op: "test", path: "/spec/replicas", value: 7 }], 422],
      ["whose test is of what is not there is refused", [{ op: "test", path: "/spec/none", value: 7 }], 422],
      ["with an unknown operation is refused", [{ op: "eat", path: "/spec" }], 422],
      ["that is no list is refused", { op: "add" }, 400],
      ["of another type of value is refused", [{ op: "replace", path: "/spec/replicas", value: "many" }], 422],
      ["that leaves an invalid object is refused", [{ op: "replace", path: "/spec/replicas", value: -1 }], 422],
      ["may not change the name", [{ op: "replace", path: "/metadata/name", value: "other" }], 400],
    ] as const)("%s", async (_, body, status) => {
      const path = await made();
      const answer = await patch(path, JSON_PATCH, body);
      expect({ status: answer.status, body: answer.body.message }).toMatchObject({ status });
      if (status !== 200) expect(answer.body).toMatchObject({ kind: "Status", status: "Failure", code: status });
    });

    it("that tests the resourceVersion is a lock", async () => {
      const path = await made();
      const { metadata } = await must("GET", path);
      const locked = (value: string) => [
        { op: "test", path: "/metadata/resourceVersion", value },
        { op: "add", path: "/metadata/annotations/note", value: "x" },
      ];
      expect((await patch(path, JSON_PATCH, locked(metadata.resourceVersion))).status).toBe(200);
      const late = await patch(path, JSON_PATCH, locked(metadata.resourceVersion));
      expect(late).toMatchObject({ status: 422, body: { reason: "Invalid" } });
      expect(late.body.message).toBe("the server rejected our request due to an error in our request");
    });
  });

  describe("a merge patch", () => {
    it("sets, and takes away what is null", async () => {
      const path = await made({}, { annotations: { one: "1", two: "2" } });
      const { body } = await patch(path, MERGE, { metadata: { annotations: { one: null, three: "3" } } });
      expect(body.metadata.annotations).toMatchObject({ two: "2", three: "3" });
      expect(body.metadata.annotations).not.toHaveProperty("one");
    });

    it("of an old resourceVersion is a conflict", async () => {
      const path = await made();
      const body = { metadata: { resourceVersion: "1", labels: { a: "b" } } };
      const answer = await patch(path, MERGE, body);
      expect(answer).toMatchObject({ status: 409, body: { reason: "Conflict", code: 409 } });
      expect(answer.body.message).toContain("the object has been modified");
    });
  });

  describe("a strategic merge patch", () => {
    it("changes a container by its name, and replaces a template by its directive", async () => {
      const path = await made();
      const name = path.split("/").at(-1) ?? "";
      const env = [{ name: "A", value: "1" }];
      const merged = await patch(path, STRATEGIC, { spec: { template: { spec: { containers: [{ name, env }] } } } });
      expect(merged.body.spec.template.spec.containers).toMatchObject([{ name, image: "shop/web:1.0.0", env }]);
      const template = {
        $patch: "replace",
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: "only", image: "shop/web:2.0.0" }] },
      };
      const replaced = await patch(path, STRATEGIC, { spec: { template } });
      expect(replaced.body.spec.template.spec.containers).toMatchObject([{ name: "only", image: "shop/web:2.0.0" }]);
      expect(replaced.body.spec.template.spec.containers).toHaveLength(1);
    });

    it.each([
      ["an unknown directive", { metadata: { labels: { $patch: "eat" } } }],
      ["a container without a name", { spec: { template: { spec: { containers: [{ image: "o:1" }] } } } }],
    ])("with %s is refused", async (_, body) => {
      const { status } = await patch(await made(), STRATEGIC, body);
      expect([400, 422, 500]).toContain(status);
    });
  });
}
