import { describe, expect, it } from "vitest";
import { startCluster } from "../../../../../evals/sandbox/kube/cluster.ts";
import { fakePodRuntime } from "../../../../fakes/fake-pod-runtime.ts";
import { daemonSet, deployment, statefulSet } from "../manifests.ts";
import { call } from "./client.ts";
import { APPS, CORE, configMap, WEB, withApi, withWeb } from "./setting.ts";

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
      "a patch of an unknown type",
      "PATCH",
      WEB,
      { body: "{}", type: "application/other-patch+json" },
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

it("a port that is taken is an error, and leaves nothing running", () =>
  withApi(async (cluster) => {
    const starting = startCluster({ runtime: fakePodRuntime(), port: Number(cluster.url.port) });
    await expect(starting).rejects.toMatchObject({ code: "EADDRINUSE" });
  }));
