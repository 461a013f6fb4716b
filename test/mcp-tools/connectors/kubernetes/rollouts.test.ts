import { describe, expect, it } from "vitest";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { kubernetesHealth } from "../../../../mcp-tools/connectors/kubernetes/health.ts";
import { kubernetesRollouts } from "../../../../mcp-tools/connectors/kubernetes/rollouts.ts";
import { fakeKubernetesApi, type StoredObject } from "../../../fakes/fake-kubernetes-api.ts";
import { startSetting } from "./cluster-setting.ts";
import { at, controlled, controllerRevision, deployment, ms, replicaSet } from "./objects.ts";

const never = new AbortController().signal;
const MINUTE = 60_000;

interface PodParts {
  readonly ready?: boolean;
  readonly waiting?: string;
  readonly state?: object;
  /** Minutes from its start until it was Ready. */
  readonly readyAfter?: number;
  readonly restarts?: number;
  readonly metadata?: object;
  readonly spec?: object;
  readonly phase?: string;
}

/** A pod of the ReplicaSet (or other owner) with this uid, started at a minute. */
function pod(name: string, owner: string, startedAt: number, more: PodParts = {}): StoredObject {
  const running = { running: { startedAt: at(startedAt) } };
  const state = more.state ?? (more.waiting === undefined ? running : { waiting: { reason: more.waiting } });
  const readyAt = at(startedAt + (more.readyAfter ?? 0));
  return {
    kind: "Pod",
    metadata: {
      name,
      namespace: "shop",
      creationTimestamp: at(startedAt),
      ownerReferences: [{ kind: "ReplicaSet", name: "r", uid: owner, controller: true }],
      ...more.metadata,
    },
    spec: { containers: [{ name: "cart", image: "cart" }], ...more.spec },
    status: {
      phase: more.phase ?? "Running",
      startTime: at(startedAt),
      conditions: [{ type: "Ready", status: more.ready === false ? "False" : "True", lastTransitionTime: readyAt }],
      containerStatuses: [{ name: "cart", restartCount: more.restarts ?? 0, state }],
    },
  };
}

const OLD = "replicasets/shop/cart-140";
const NEW = "replicasets/shop/cart-150";
const sets = [replicaSet("shop/cart:1.4.0", "1", 0), replicaSet("shop/cart:1.5.0", "2", 20)];

async function rolloutOf(objects: readonly StoredObject[], now = ms(30)) {
  await using api = await fakeKubernetesApi(objects);
  const client = kubeClient({ server: api.url, namespace: "default", http: {} });
  const [rollout] = await kubernetesRollouts({ client, namespaces: ["shop"], services: [], now: () => now }).rollouts(
    never,
  );
  return rollout;
}

describe("kubernetesRollouts", () => {
  it("tells what runs, what could be restored, and how often containers restarted", async () => {
    const objects = [
      deployment("shop/cart:1.5.0", "2"),
      ...sets,
      pod("a", NEW, 21, { restarts: 2 }),
      pod("b", OLD, 1, { restarts: 1 }),
    ];
    expect(await rolloutOf(objects)).toEqual({
      service: "cart",
      workload: { kind: "Deployment", namespace: "shop", name: "cart" },
      version: "1.5.0",
      revision: "2",
      status: "complete",
      replicas: { desired: 3, updated: 3, ready: 3, available: 3 },
      restarts: 3,
      revisions: [
        { revision: "1", version: "1.4.0", createdAt: ms(0), current: false, servedMs: 20 * MINUTE },
        { revision: "2", version: "1.5.0", createdAt: ms(20), current: true, becameReady: true },
      ],
      observedAt: ms(30),
      startedAt: ms(20),
    });
  });

  it("remembers of a revision that was replaced how long it served, and that it never became ready", async () => {
    const started = { replicas: 4, updatedReplicas: 1, availableReplicas: 3 };
    await using api = await fakeKubernetesApi([
      deployment("shop/cart:1.5.0", "2", { status: started }),
      ...sets,
      pod("b", NEW, 21, { ready: false }),
    ]);
    const client = kubeClient({ server: api.url, namespace: "default", http: {} });
    let now = ms(30);
    const source = kubernetesRollouts({ client, namespaces: ["shop"], services: [], now: () => now });
    await source.rollouts(never);
    now = ms(60);
    api.put(replicaSet("shop/cart:1.6.0", "3", 50));
    api.put(deployment("shop/cart:1.6.0", "3", { status: started }));
    expect((await source.rollouts(never))[0]?.revisions).toMatchObject([
      { version: "1.4.0", servedMs: 20 * MINUTE },
      { version: "1.5.0", servedMs: 30 * MINUTE, becameReady: false },
      { version: "1.6.0", current: true },
    ]);
  });

  const condition = (reason: string, status = "True") => ({
    conditions: [{ type: "Progressing", status, reason, message: 'ReplicaSet "cart-150" x' }],
  });
  const halfway = { replicas: 4, updatedReplicas: 1, availableReplicas: 3 };
  it.each([
    ["complete", "with every replica updated and available", {}, {}, []],
    [
      "complete",
      "that was complete while a pod is replaced",
      {},
      { availableReplicas: 2, ...condition("NewReplicaSetAvailable") },
      [],
    ],
    ["progressing", "with old replicas left", {}, halfway, []],
    ["progressing", "that its controller has not seen", {}, { observedGeneration: 6 }, []],
    ["progressing", "whose new pod is in its start-up grace", {}, halfway, [pod("a", NEW, 29.8, { ready: false })]],
    [
      "progressing",
      "of which one new pod is ready",
      {},
      halfway,
      [pod("a", NEW, 20, { ready: false }), pod("b", NEW, 20)],
    ],
    ["progressing", "whose old pods alone fail", {}, halfway, [pod("a", OLD, 0, { ready: false })]],
    ["stuck", "past its progress deadline", {}, { ...halfway, ...condition("ProgressDeadlineExceeded", "False") }, []],
    [
      "stuck",
      "whose every new pod is unready past its grace",
      {},
      halfway,
      [pod("a", NEW, 20, { ready: false }), pod("b", OLD, 0)],
    ],
    [
      "stuck",
      "whose new pod cannot pull its image",
      {},
      halfway,
      [pod("a", NEW, 29.9, { ready: false, waiting: "ImagePullBackOff" })],
    ],
    ["paused", "that is paused", { paused: true }, halfway, []],
  ] as const)("is %s: a rollout %s", async (status, _, spec, counts, pods) => {
    expect(
      await rolloutOf([deployment("shop/cart:1.5.0", "2", { spec, status: counts }), ...sets, ...pods]),
    ).toMatchObject({ status });
  });

  it.each([
    ["StatefulSet", { replicas: 2 }, { replicas: 2, updatedReplicas: 2, readyReplicas: 2 }, "complete"],
    ["StatefulSet", { replicas: 2 }, { replicas: 2, updatedReplicas: 1, readyReplicas: 2 }, "progressing"],
    [
      "StatefulSet",
      { replicas: 3, updateStrategy: { rollingUpdate: { partition: 2 } } },
      { replicas: 3, updatedReplicas: 1, readyReplicas: 3 },
      "complete",
    ],
    [
      "DaemonSet",
      {},
      { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberReady: 2, numberAvailable: 2 },
      "complete",
    ],
    [
      "DaemonSet",
      {},
      { desiredNumberScheduled: 2, updatedNumberScheduled: 1, numberReady: 2, numberAvailable: 2 },
      "progressing",
    ],
  ] as const)("a %s %j with %j is %s", async (kind, spec, counts, status) => {
    const objects = [
      controlled(kind, "pg:2", { spec, status: counts }),
      controllerRevision(kind, "pg:1", 1),
      controllerRevision(kind, "pg:2", 2),
    ];
    expect(await rolloutOf(objects)).toMatchObject({ status, version: "2", revision: "2" });
  });

  it("names the controller that would undo a live change", async () => {
    const annotations = { "argocd.argoproj.io/tracking-id": "shop-prod:apps/Deployment:shop/cart" };
    const managed = await rolloutOf([deployment("shop/cart:1.5.0", "2", { metadata: { annotations } }), ...sets]);
    expect(managed?.managedBy).toBe("Argo CD application shop-prod");
    expect((await rolloutOf([deployment("shop/cart:1.5.0", "2"), ...sets]))?.managedBy).toBeUndefined();
  });

  it("names no revision for a template that has none yet", async () => {
    expect(await rolloutOf([deployment("shop/cart:1.6.0", "2"), ...sets])).toMatchObject({
      version: "1.6.0",
      revision: "",
      status: "progressing",
    });
  });

  it("sees a bad rollout get stuck in a cluster, and its good pods stay", async () => {
    await using setting = await startSetting();
    await setting.deploy("Deployment", "web:1");
    await setting.deploy("Deployment", "web:bad");
    await setting.until("Deployment", () =>
      [...setting.runtime.running.values()].some(({ image }) => image === "web:bad"),
    );
    const later = Date.now() + 10 * MINUTE;
    const source = kubernetesRollouts({
      client: setting.client,
      namespaces: ["default"],
      services: [],
      now: () => later,
    });
    expect(await source.rollouts(never)).toMatchObject([{ status: "stuck", version: "bad", revision: "2" }]);
  });
});

describe("kubernetesHealth", () => {
  const STEP = 10_000;
  const labels = (name: string, version: string) => ({ pod: `shop/${name}`, version });

  /** Observes these pods one after the other, a step apart from minute 30 on, and gives the failures seen. */
  async function observed(
    rounds: readonly (readonly StoredObject[])[],
    metric = "health_check_failures",
    options: { keepMs?: number; graceMs?: number } = {},
  ) {
    await using api = await fakeKubernetesApi([deployment("shop/cart:1.5.0", "2"), ...sets]);
    const client = kubeClient({ server: api.url, namespace: "default", http: {} });
    const health = kubernetesHealth({ client, namespaces: ["shop"], services: [], ...options });
    for (const [turn, pods] of rounds.entries()) {
      for (const name of ["a", "b"]) api.remove("pods", "shop", name);
      for (const one of pods) api.put(one);
      await health.observe(ms(30) + turn * STEP, never);
    }
    const window = { from: ms(30), to: ms(30) + (rounds.length - 1) * STEP };
    return await health.range({ metric, window, stepMs: STEP, purpose: "policy" }, never);
  }

  it("is 1 for a pod that is not Ready past its grace, 0 for one that is, by pod and version", async () => {
    const series = await observed([
      [pod("a", NEW, 0, { ready: false }), pod("b", OLD, 0)],
      [pod("a", NEW, 0, { ready: false }), pod("b", OLD, 0)],
      [pod("a", NEW, 0), pod("b", OLD, 0)],
    ]);
    const common = {
      service: "cart",
      metric: "health_check_failures",
      unit: "count",
      worse: "up",
      startAt: ms(30),
      stepMs: STEP,
    };
    expect(series).toEqual([
      { ...common, labels: labels("a", "1.5.0"), values: [1, 1, 0] },
      { ...common, labels: labels("b", "1.4.0"), values: [0, 0, 0] },
    ]);
  });

  const probe = (initialDelaySeconds: number, failureThreshold: number) => ({
    initialDelaySeconds,
    periodSeconds: 10,
    failureThreshold,
  });
  const probed = (probes: object) => ({ containers: [{ name: "c", ...probes }] });
  const unready = { ready: false };
  const pulling = { ready: false, waiting: "ContainerCreating" };
  const startup = { ready: false, spec: probed({ startupProbe: probe(0, 30) }) };
  it.each([
    ["in the grace of a pod without probes", unready, 29.9, null],
    ["past it", unready, 29, 1],
    ["whose start-up probe may still take", startup, 26, null],
    ["whose start-up probe has had its time", startup, 24, 1],
    ["whose readiness probe begins late", { ready: false, spec: probed({ readinessProbe: probe(120, 3) }) }, 28, null],
    [
      "whose quick readiness probe has had its time",
      { ready: false, spec: probed({ readinessProbe: probe(0, 1) }) },
      29.8,
      1,
    ],
    [
      "whose container was started again a moment ago",
      { ...startup, state: { running: { startedAt: at(29) } } },
      0,
      null,
    ],
    ["that waits for its image", pulling, 25, null],
    ["that waits for its image longer than any rollout may take", pulling, 15, 1],
    ["that crashes in its grace", { ready: false, waiting: "CrashLoopBackOff" }, 29.9, 1],
    ["whose container ended with an error", { ready: false, state: { terminated: { exitCode: 1 } } }, 29.9, 1],
    ["that is going", { ready: false, metadata: { deletionTimestamp: at(29) } }, 0, null],
    ["that ran to its end", { ready: false, phase: "Succeeded" }, 0, null],
  ] as const)("a pod %s counts as %s, %s, %s", async (_, more, startedAt, value) => {
    const series = await observed([[pod("b", OLD, 0)], [pod("a", NEW, startedAt, more), pod("b", OLD, 0)]]);
    expect(series.find(({ labels: { pod: name } }) => name === "shop/a")?.values[1] ?? null).toBe(value);
  });

  it.each([
    ["within twice what its workload's pods usually take", 26, null],
    ["beyond it", 23, 1],
  ] as const)("a slow starter %s counts as %s, %s", async (_, startedAt, value) => {
    const spec = probed({ readinessProbe: probe(0, 3) });
    const series = await observed([
      [],
      [pod("a", NEW, startedAt, { ready: false, spec }), pod("b", OLD, 0, { spec, readyAfter: 3 })],
    ]);
    expect(series.find(({ labels: { pod: name } }) => name === "shop/a")?.values[1] ?? null).toBe(value);
  });

  it("takes no pod that was unready for a moment days later for a slow starter", async () => {
    const slow = pod("b", OLD, -2000, { readyAfter: 1500 });
    const series = await observed([[], [pod("a", NEW, 29, unready), slow]]);
    expect(series.find(({ labels: { pod: name } }) => name === "shop/a")?.values[1]).toBe(1);
  });

  it("waits for no pod of a rollout whose own deadline has passed", async () => {
    const conditions = [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }];
    await using api = await fakeKubernetesApi([
      deployment("shop/cart:1.5.0", "2", { status: { conditions } }),
      ...sets,
    ]);
    api.put(pod("a", NEW, 29.9, unready));
    const client = kubeClient({ server: api.url, namespace: "default", http: {} });
    const health = kubernetesHealth({ client, namespaces: ["shop"], services: [] });
    await health.observe(ms(30), never);
    const query = {
      metric: "health_check_failures",
      window: { from: ms(30), to: ms(30) },
      stepMs: STEP,
      purpose: "policy",
    } as const;
    expect(await health.range(query, never)).toMatchObject([{ values: [1] }]);
  });

  it("is null where nobody looked, and where the pod had gone, but for once where it failed before", async () => {
    const series = await observed([
      [pod("a", NEW, 0)],
      [pod("b", NEW, 0, { ready: false })],
      [pod("a", NEW, 0, { metadata: { uid: "another" } })],
      [],
    ]);
    expect(series.map(({ values }) => values)).toEqual([
      [0, null, null, null],
      [null, 1, 0, null],
      [null, null, 0, null],
    ]);
    const going = { metadata: { deletionTimestamp: at(30) }, ready: false };
    const deleted = [[pod("b", NEW, 0, { ready: false })], [pod("b", NEW, 0, going)], [], []];
    expect((await observed(deleted)).map(({ values }) => values)).toEqual([[1, null, 0, null]]);
  });

  it("counts restarts between looks, never below zero", async () => {
    const series = await observed(
      [2, 5, 5, 1].map((restarts) => [pod("a", NEW, 0, { restarts })]),
      "container_restarts",
    );
    expect(series).toMatchObject([{ values: [null, 3, 0, 0], metric: "container_restarts" }]);
  });

  it("forgets what is older than it keeps", async () => {
    const rounds = Array.from({ length: 6 }, (_, turn) => [pod(turn < 3 ? "a" : "b", NEW, 0)]);
    expect((await observed(rounds, "health_check_failures", { keepMs: STEP })).map(({ values }) => values)).toEqual([
      [null, null, null, null, 0, 0],
    ]);
  });

  it("records nothing, and says so, while the cluster does not answer", async () => {
    const api = await fakeKubernetesApi([]);
    await api[Symbol.asyncDispose]();
    const client = kubeClient({ server: api.url, namespace: "default", http: {} });
    const health = kubernetesHealth({ client, namespaces: ["shop"], services: [] });
    await expect(health.observe(ms(30), never)).rejects.toMatchObject({ code: "source.unavailable" });
    const query = {
      metric: "health_check_failures",
      window: { from: ms(29), to: ms(31) },
      stepMs: STEP,
      purpose: "policy",
    } as const;
    expect(await health.range(query, never)).toEqual([]);
    expect(await health.range({ ...query, metric: "error_rate" }, never)).toEqual([]);
  });
});
