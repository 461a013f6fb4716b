import { describe, expect, it } from "vitest";
import { type Cluster, startCluster } from "../../../../../evals/sandbox/kube/cluster.ts";
import { fakePodRuntime } from "../../../../fakes/fake-pod-runtime.ts";
import { call, watch } from "./client.ts";
import { CORE, configMap, withApi } from "./setting.ts";

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
