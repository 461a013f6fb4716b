// Long because it is one list: everything that is relied on of an API server, in one place to read and to add to.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer, CallOptions, KubeApi } from "../../../evals/real-kubernetes/api.ts";
import { deployment, statefulSet } from "../../../evals/real-kubernetes/manifests.ts";

/** An API server with its controllers, in whose namespace `default` nothing is yet. */
export interface ServerUnderTest extends AsyncDisposable {
  readonly api: KubeApi;
  /** Sees to it that it soon forgets how things stood at every earlier version, as it would by itself after minutes. */
  forget(): Promise<void>;
}

const APPS = "/apis/apps/v1/namespaces/default";
const CORE = "/api/v1/namespaces/default";
const JSON_PATCH = "application/json-patch+json";
const MERGE = "application/merge-patch+json";
const STRATEGIC = "application/strategic-merge-patch+json";
const POLL_MS = 100;
const PATIENCE_MS = 90_000;
const LONG_MS = 120_000;

/** What unship, its tests and kubectl rely on of an API server, the same for the real one and for an imitation of it. */
export function kubernetesContract(name: string, start: () => Promise<ServerUnderTest>): void {
  describe(name, { timeout: LONG_MS }, () => {
    let server: ServerUnderTest;
    let count = 0;
    beforeAll(async () => {
      server = await start();
    }, LONG_MS);
    afterAll(() => server?.[Symbol.asyncDispose](), LONG_MS);

    const call = (method: string, path: string, options?: CallOptions): Promise<Answer> =>
      server.api.call(method, path, options);
    const must = (method: string, path: string, options?: CallOptions) => server.api.must(method, path, options);
    const patch = (path: string, type: string, body: unknown) => call("PATCH", path, { type, body });

    /** A Deployment of a name of its own whose controller has caught up; returns its path. */
    const made = async (fields: object = {}, metadata: object = {}): Promise<string> => {
      const app = `app-${++count}`;
      await must("POST", `${APPS}/deployments`, { body: deployment(app, "shop/web:1.0.0", fields, metadata) });
      const path = `${APPS}/deployments/${app}`;
      await settled(path);
      return path;
    };
    const settled = (path: string) =>
      eventually(async () => {
        const { status, metadata, spec } = await must("GET", path);
        return (
          status?.observedGeneration === metadata.generation &&
          status.availableReplicas === spec.replicas &&
          status.updatedReplicas === spec.replicas &&
          status.replicas === spec.replicas
        );
      });
    const deploy = async (path: string, image: string) => {
      const container = path.split("/").at(-1);
      await must("PATCH", path, {
        type: STRATEGIC,
        body: { spec: { template: { spec: { containers: [{ name: container, image }] } } } },
      });
      await settled(path);
    };

    describe("a JSON patch", () => {
      it.each([
        ["replaces a member that is not there", [{ op: "replace", path: "/metadata/labels/new", value: "x" }], 200],
        [
          "does not replace under a missing parent",
          [{ op: "replace", path: "/metadata/annotations/none/x", value: "x" }],
          422,
        ],
        [
          "does not add under a missing parent",
          [{ op: "add", path: "/spec/template/spec/affinity/x", value: {} }],
          422,
        ],
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
        const name = `applied-${++count}`;
        const { status, body } = await applied(name, "robot", { data: { a: "1" } });
        expect(status).toBe(201);
        expect(ownersOf(body)).toEqual(["Apply robot"]);
        expect(body.metadata.managedFields[0].fieldsV1).toEqual({ "f:data": { "f:a": {} } });
      });

      it("sets what it names, takes away what it named before, and keeps what others wrote", async () => {
        const name = `applied-${++count}`;
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
        const name = `applied-${++count}`;
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
        const name = `applied-${++count}`;
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
        expect((await must("PUT", `${path}/scale`, { body: { ...scale, spec: { replicas: 3 } } })).spec.replicas).toBe(
          3,
        );
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

    describe("lists", () => {
      const paged = `${CORE}/configmaps?labelSelector=paged%3Dyes`;
      const fill = async () => {
        for (const name of ["a", "b", "c", "d", "e"])
          await call("POST", `${CORE}/configmaps`, {
            body: {
              apiVersion: "v1",
              kind: "ConfigMap",
              metadata: { name: `paged-${name}`, labels: { paged: "yes" } },
            },
          });
      };
      const names = (items: readonly { readonly metadata: { readonly name: string } }[]) =>
        items.map(({ metadata }) => metadata.name.slice("paged-".length));

      it("come in pages of the size asked for, in the order of their names, each once", async () => {
        await fill();
        const seen: string[][] = [];
        for (let next: string | undefined = ""; next !== undefined; ) {
          const page: Answer["body"] = await must("GET", `${paged}&limit=2&continue=${encodeURIComponent(next)}`);
          seen.push(names(page.items));
          next = page.metadata.continue;
        }
        expect(seen).toEqual([["a", "b"], ["c", "d"], ["e"]]);
      });

      it("say the version that they are of, the same on each page", async () => {
        await fill();
        const first = await must("GET", `${paged}&limit=2`);
        await call("POST", `${CORE}/configmaps`, {
          body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `later-${++count}` } },
        });
        const second = await must("GET", `${paged}&limit=2&continue=${encodeURIComponent(first.metadata.continue)}`);
        expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      });

      it("whose continuation is of a version that is forgotten are expired", async () => {
        await fill();
        const first = await must("GET", `${paged}&limit=2`);
        await call("PATCH", `${CORE}/configmaps/paged-d`, { type: MERGE, body: { data: { mark: String(++count) } } });
        await server.forget();
        const next = `${paged}&limit=2&continue=${encodeURIComponent(first.metadata.continue)}`;
        await eventually(async () => (await call("GET", next)).status === 410);
        expect((await call("GET", next)).body).toMatchObject({ kind: "Status", code: 410, reason: "Expired" });
        expect((await call("GET", `${paged}&limit=2`)).status).toBe(200);
      });

      it("whose continuation is nonsense are refused", async () => {
        expect(await call("GET", `${paged}&limit=2&continue=nonsense`)).toMatchObject({
          status: 400,
          body: { code: 400 },
        });
      });

      it("carry no kind in their items", async () => {
        await fill();
        const { kind, items } = await must("GET", paged);
        expect(kind).toBe("ConfigMapList");
        expect(items[0]).not.toHaveProperty("kind");
      });
    });

    describe("a watch", () => {
      it("tells what comes after the version, and of one that is too new waits", async () => {
        const path = await made();
        const name = path.split("/").at(-1);
        const { metadata } = await must("GET", path);
        const abort = new AbortController();
        const seen: string[] = [];
        await must("PATCH", path, { type: MERGE, body: { metadata: { labels: { mark: "1" } } } });
        await must("PATCH", path, { type: MERGE, body: { metadata: { labels: { mark: "2" } } } });
        const query = `watch=1&fieldSelector=metadata.name%3D${name}&resourceVersion=${metadata.resourceVersion}&timeoutSeconds=20`;
        for await (const { type, object } of server.api.watch(`${APPS}/deployments?${query}`, abort.signal)) {
          seen.push(`${type} ${object.metadata.labels.mark}`);
          if (object.metadata.labels.mark === "2") break;
        }
        abort.abort();
        expect(seen).toEqual(["MODIFIED 1", "MODIFIED 2"]);
      });
    });

    describe("history", () => {
      it("of a Deployment is its ReplicaSets by revision, and an old template gets the newest number", async () => {
        const path = await made();
        const app = path.split("/").at(-1);
        for (const version of ["1.0.1", "1.0.2", "1.0.0"]) await deploy(path, `shop/web:${version}`);
        const { metadata, spec } = await must("GET", path);
        expect(metadata.annotations[REVISION]).toBe("4");
        expect(spec.template.metadata).not.toHaveProperty("creationTimestamp");
        const { items } = await must("GET", `${APPS}/replicasets?labelSelector=app%3D${app}`);
        const history = (items as readonly ReplicaSet[]).map(({ metadata, spec }) => ({
          revision: metadata.annotations[REVISION],
          formerly: metadata.annotations["deployment.kubernetes.io/revision-history"],
          image: spec.template.spec.containers[0]?.image,
          replicas: spec.replicas,
          hashed: metadata.name === `${app}-${metadata.labels["pod-template-hash"]}`,
        }));
        expect(history.sort((a, b) => Number(a.revision) - Number(b.revision))).toEqual([
          { revision: "2", formerly: undefined, image: "shop/web:1.0.1", replicas: 0, hashed: true },
          { revision: "3", formerly: undefined, image: "shop/web:1.0.2", replicas: 0, hashed: true },
          { revision: "4", formerly: "1", image: "shop/web:1.0.0", replicas: 2, hashed: true },
        ]);
      });

      it("of a StatefulSet is its ControllerRevisions, which hold the patch back to each template", async () => {
        const app = `set-${++count}`;
        const path = `${APPS}/statefulsets/${app}`;
        await must("POST", `${APPS}/statefulsets`, { body: statefulSet(app, "shop/web:1.0.0") });
        const done = () =>
          eventually(async () => {
            const { status, metadata, spec } = await must("GET", path);
            return (
              status?.observedGeneration === metadata.generation &&
              status.readyReplicas === spec.replicas &&
              status.currentRevision === status.updateRevision
            );
          });
        await done();
        for (const image of ["shop/web:1.0.1", "shop/web:1.0.0"]) {
          const body = { spec: { template: { spec: { containers: [{ name: app, image }] } } } };
          await must("PATCH", path, { type: STRATEGIC, body });
          await done();
        }
        const { items } = await must("GET", `${APPS}/controllerrevisions?labelSelector=app%3D${app}`);
        const revisions = (items as readonly ControllerRevision[]).toSorted((a, b) => a.revision - b.revision);
        expect(revisions.map(({ revision, data }) => [revision, data.spec.template.spec.containers[0]?.image])).toEqual(
          [
            [2, "shop/web:1.0.1"],
            [3, "shop/web:1.0.0"],
          ],
        );
        const { spec } = await must("GET", path);
        expect(revisions[1]?.data.spec.template).toEqual({ $patch: "replace", ...spec.template });
      });
    });
  });
}

const REVISION = "deployment.kubernetes.io/revision";

interface Template {
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
}
interface ReplicaSet {
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly replicas: number; readonly template: Template };
}
interface ControllerRevision {
  readonly revision: number;
  readonly data: { readonly spec: { readonly template: Template } };
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error("it never came to be");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
