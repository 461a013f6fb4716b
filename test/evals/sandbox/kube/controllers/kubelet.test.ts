import { describe, expect, it } from "vitest";
import { type Cluster, type ClusterOptions, startCluster } from "../../../../../evals/sandbox/kube/cluster.ts";
import type { JsonObject } from "../../../../../evals/sandbox/kube/json.ts";
import type { ContainerStatus, Pod } from "../../../../../evals/sandbox/kube/objects.ts";
import { type FakePodRuntime, fakePodRuntime } from "../../../../fakes/fake-pod-runtime.ts";
import { call, type WatchEvent, watch } from "../api/client.ts";
import { deployment } from "../manifests.ts";
import { eventually } from "../setting.ts";

const PODS = "/api/v1/namespaces/default/pods";

async function withKubelet(
  test: (cluster: Cluster, runtime: FakePodRuntime) => Promise<void>,
  options: Omit<ClusterOptions, "runtime"> = {},
): Promise<void> {
  const runtime = fakePodRuntime();
  const timings = { probePeriodMs: 20, backOffMs: 40, backOffMaxMs: 80 };
  await using cluster = await startCluster({ runtime, timings, ...options });
  await test(cluster, runtime);
}

const onePod = (container: JsonObject = {}, spec: JsonObject = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "solo", labels: { app: "solo" } },
  spec: { containers: [{ name: "main", image: "solo:1", ...container }], ...spec },
});

async function solo(cluster: Cluster): Promise<Pod> {
  const { body } = await call(cluster, "GET", `${PODS}/solo`);
  return body;
}

const container = async (cluster: Cluster) => (await solo(cluster)).status?.containerStatuses?.[0];

/** Every state that the pod's container shows while something is done to it, until one of them is `enough`. */
async function statesDuring(
  cluster: Cluster,
  action: () => Promise<unknown>,
  enough: (status: ContainerStatus) => boolean,
): Promise<readonly ContainerStatus[]> {
  const statuses = (events: readonly WatchEvent[]) =>
    events.flatMap(({ object }) => (object as unknown as Pod).status?.containerStatuses ?? []);
  const isEnough = (events: readonly WatchEvent[]) => statuses(events.slice(-1)).some(enough);
  return statuses(await watch(cluster, `${PODS}?watch=true`, isEnough, action));
}

const waitingIn = (statuses: readonly ContainerStatus[]) =>
  statuses.flatMap(({ state }) => (state.waiting === undefined ? [] : [state.waiting]));

async function reasons(cluster: Cluster): Promise<readonly string[]> {
  const { body } = await call(
    cluster,
    "GET",
    "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dsolo",
  );
  return body.items.map(({ reason }: { reason: string }) => reason);
}

describe("a pod's life", () => {
  it("begins as scheduled, started and probed, with times and conditions", () =>
    withKubelet(
      async (cluster) => {
        await cluster.apply(onePod());
        await cluster.idle();
        const { status, metadata } = await solo(cluster);
        const at = "2026-01-02T03:04:05Z";
        expect(status).toMatchObject({ phase: "Running", podIP: "127.0.0.1", startTime: at });
        expect(status?.conditions?.map(({ type, status: holds }) => `${type} ${holds}`)).toEqual([
          "PodReadyToStartContainers True",
          "Initialized True",
          "Ready True",
          "ContainersReady True",
          "PodScheduled True",
        ]);
        expect(status?.containerStatuses?.[0]).toMatchObject({
          name: "main",
          ready: true,
          restartCount: 0,
          state: { running: { startedAt: at } },
        });
        const [endpoint] = cluster.readyEndpoints("default", { app: "solo" });
        expect(metadata.annotations?.["sandbox.unship.dev/port"]).toBe(String(endpoint?.port));
        expect(await reasons(cluster)).toEqual(["Scheduled", "Pulled", "Created", "Started"]);
      },
      { now: () => Date.parse("2026-01-02T03:04:05Z") },
    ));

  it("is no endpoint while it is not ready, and the change is told", () =>
    withKubelet(async (cluster, runtime) => {
      let changes = 0;
      const stop = cluster.onEndpointsChange(() => {
        changes += 1;
      });
      runtime.readyWhen(() => false);
      await cluster.apply(onePod());
      await eventually(async () => expect(await reasons(cluster)).toContain("Unhealthy"));
      expect(cluster.readyEndpoints("default", { app: "solo" })).toEqual([]);
      expect(changes).toBe(0);
      runtime.readyWhen(() => true);
      await eventually(() => expect(cluster.readyEndpoints("default", { app: "solo" })).toHaveLength(1));
      expect(cluster.readyEndpoints("default", { app: "other" })).toEqual([]);
      expect(cluster.readyEndpoints("other", { app: "solo" })).toEqual([]);
      expect(changes).toBe(1);
      stop();
      runtime.readyWhen(() => false);
      await eventually(() => expect(cluster.readyEndpoints("default", { app: "solo" })).toEqual([]));
      expect(changes).toBe(1);
    }));

  it("a process that ends is started again at once, then after longer and longer waits", () =>
    withKubelet(async (cluster, runtime) => {
      await cluster.apply(onePod());
      await eventually(() => expect(runtime.running.size).toBe(1));
      runtime.crash("solo", 3);
      await eventually(async () => expect((await container(cluster))?.restartCount).toBe(1));
      expect((await container(cluster))?.lastState.terminated).toMatchObject({ exitCode: 3, reason: "Error" });
      await eventually(() => expect(runtime.running.size).toBe(1));
      expect(await reasons(cluster)).not.toContain("BackOff");

      const waits: (string | undefined)[] = [];
      for (const restarts of [2, 3, 4]) {
        const crash = async () => runtime.crash("solo", 1);
        const seen = await statesDuring(cluster, crash, (one) => one.restartCount === restarts && one.ready);
        const [waiting] = waitingIn(seen);
        expect(waiting?.reason).toBe("CrashLoopBackOff");
        waits.push(/back-off (\S+)s/.exec(waiting?.message ?? "")?.[1]);
      }
      expect(waits).toEqual(["0.04", "0.08", "0.08"]);
      expect((await solo(cluster)).status?.phase).toBe("Running");
      expect(await reasons(cluster)).toContain("BackOff");
    }));

  it("a long run wipes the slate clean", () => {
    let now = Date.parse("2026-01-02T03:04:05Z");
    return withKubelet(
      async (cluster, runtime) => {
        await cluster.apply(onePod());
        for (const _ of [1, 2]) {
          await eventually(() => expect(runtime.running.size).toBe(1));
          runtime.crash("solo", 1);
        }
        await eventually(() => expect(runtime.running.size).toBe(1));
        await eventually(async () => expect((await container(cluster))?.ready).toBe(true));
        now += 60_000;
        const crash = async () => runtime.crash("solo", 1);
        const seen = await statesDuring(cluster, crash, (one) => one.restartCount === 3 && one.ready);
        expect(waitingIn(seen)).toEqual([]);
      },
      { now: () => now },
    );
  });

  it.each([
    ["Never", 0, "Succeeded", "Completed"],
    ["Never", 2, "Failed", "Error"],
    ["OnFailure", 0, "Succeeded", "Completed"],
  ])("with restartPolicy %s an exit with %d is the end: %s", (restartPolicy, code, phase, reason) =>
    withKubelet(async (cluster, runtime) => {
      await cluster.apply(onePod({}, { restartPolicy }));
      await eventually(() => expect(runtime.running.size).toBe(1));
      runtime.crash("solo", code);
      expect((await solo(cluster)).status?.phase).toBe(phase);
      expect((await container(cluster))?.state.terminated).toMatchObject({ exitCode: code, reason });
      await cluster.idle();
      expect(runtime.started).toHaveLength(1);
    }),
  );

  it("an unknown image is an ErrImagePull, then an ImagePullBackOff, until it can be had", () =>
    withKubelet(async (cluster, runtime) => {
      runtime.refuse(() => true);
      const apply = () => cluster.apply(onePod());
      const seen = await statesDuring(cluster, apply, ({ state }) => state.waiting?.reason === "ImagePullBackOff");
      expect(waitingIn(seen).map(({ reason }) => reason)).toEqual([
        "ContainerCreating",
        "ErrImagePull",
        "ImagePullBackOff",
      ]);
      expect((await solo(cluster)).status?.phase).toBe("Pending");
      expect(await reasons(cluster)).toEqual(expect.arrayContaining(["Failed", "BackOff"]));
      runtime.refuse(() => false);
      await eventually(async () => expect((await container(cluster))?.ready).toBe(true));
    }));

  it("a missing ConfigMap is a CreateContainerConfigError until there is one", () =>
    withKubelet(async (cluster, runtime) => {
      await cluster.apply(onePod({ envFrom: [{ configMapRef: { name: "conf" } }] }));
      await cluster.idle();
      expect((await container(cluster))?.state.waiting).toEqual({
        reason: "CreateContainerConfigError",
        message: 'configmap "conf" not found',
      });
      await cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "conf" }, data: { A: "1" } });
      await eventually(() => expect(runtime.started.map(({ env }) => env)).toEqual([{ A: "1" }]));
    }));

  it("ends with its process, within its grace period", () =>
    withKubelet(async (cluster, runtime) => {
      await cluster.apply(onePod());
      await cluster.idle();
      const { body } = await call(cluster, "DELETE", `${PODS}/solo`);
      expect(body.metadata).toMatchObject({ deletionGracePeriodSeconds: 30, deletionTimestamp: expect.any(String) });
      expect(cluster.readyEndpoints("default", { app: "solo" })).toEqual([]);
      await cluster.idle();
      expect((await call(cluster, "GET", `${PODS}/solo`)).status).toBe(404);
      expect(runtime.running.size).toBe(0);
    }));

  it("deleted by force it is gone at once", () =>
    withKubelet(async (cluster, runtime) => {
      await cluster.apply(onePod());
      await cluster.idle();
      await call(cluster, "DELETE", `${PODS}/solo?gracePeriodSeconds=0`);
      expect((await call(cluster, "GET", `${PODS}/solo`)).status).toBe(404);
      await cluster.idle();
      expect(runtime.running.size).toBe(0);
    }));

  it("stopping the cluster ends every process", async () => {
    const runtime = fakePodRuntime();
    const cluster = await startCluster({ runtime });
    await cluster.apply(deployment("shop/web:1"));
    await cluster.idle();
    expect(runtime.running.size).toBe(3);
    await cluster[Symbol.asyncDispose]();
    expect(runtime.running.size).toBe(0);
  });
});
