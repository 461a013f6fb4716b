import { execFile } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Target } from "../../../core/model/plan.ts";
import type { Executor } from "../../../core/ports.ts";
import { auditedWrites } from "../../../evals/real-kubernetes/audit.ts";
import type { ControlPlane } from "../../../evals/real-kubernetes/control-plane.ts";
import { daemonSet, deployment, rollout, statefulSet, template } from "../../../evals/real-kubernetes/manifests.ts";
import { giveRoles, type Roles } from "../../../evals/real-kubernetes/roles.ts";
import { type KubeClient, kubeClient, type WorkloadKind } from "../../../mcp-tools/connectors/kubernetes/client.ts";
import { readHistory, type Workload } from "../../../mcp-tools/connectors/kubernetes/history.ts";
import { readKubeconfig } from "../../../mcp-tools/connectors/kubernetes/kubeconfig.ts";
import { RolloutObject, WorkloadObject } from "../../../mcp-tools/connectors/kubernetes/objects.ts";
import { rolloutActs } from "../../../mcp-tools/connectors/kubernetes/rollout-acts.ts";
import { kubectlRolloutUndo } from "../../../mcp-tools/connectors/kubernetes/undo.ts";
import { KUBECTL } from "../kubectl.ts";
import { hasControlPlane, hasRollouts, startTestPlane } from "./plane.ts";

/** Two namespaces with the same history: unship undoes in one with the gate's own token, the oracle in the other. */
const OURS = "shop";
const THEIRS = "twin";
const STRATEGIC = "application/strategic-merge-patch+json";
const MERGE = "application/merge-patch+json";
const PATIENCE_MS = 90_000;
const LONG_MS = 240_000;
const never = new AbortController().signal;

const PATHS: Readonly<Record<WorkloadKind, string>> = {
  Deployment: "apis/apps/v1/namespaces/{namespace}/deployments",
  StatefulSet: "apis/apps/v1/namespaces/{namespace}/statefulsets",
  DaemonSet: "apis/apps/v1/namespaces/{namespace}/daemonsets",
  Rollout: "apis/argoproj.io/v1alpha1/namespaces/{namespace}/rollouts",
};

const canary = (name: string, image: string) =>
  rollout(name, image, { strategy: { canary: { steps: [{ setWeight: 50 }, { pause: {} }] } } });
const MANIFESTS = { Deployment: deployment, StatefulSet: statefulSet, DaemonSet: daemonSet, Rollout: canary } as const;

/** A plane with both namespaces, and what the tests do to both of them. */
function world(rollouts: boolean) {
  let plane: ControlPlane;
  let roles: Roles;
  let client: KubeClient;
  const collection = (kind: WorkloadKind, namespace: string) => `/${PATHS[kind].replace("{namespace}", namespace)}`;
  const both = <T>(act: (namespace: string) => Promise<T>) => Promise.all([act(OURS), act(THEIRS)]);
  return {
    async open() {
      plane = await startTestPlane({ rollouts });
      roles = await giveRoles(plane, OURS);
      const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: THEIRS } };
      await plane.admin.must("POST", "/api/v1/namespaces", { body: namespace });
      client = kubeClient(readKubeconfig(roles.kubeconfig["unship-gate"], null));
    },
    async close() {
      await client?.close();
      await plane?.[Symbol.asyncDispose]();
    },
    plane: () => plane,
    client: () => client,
    both,
    get: (kind: WorkloadKind, namespace: string, name: string) =>
      plane.admin.must("GET", `${collection(kind, namespace)}/${name}`),
    create: (kind: WorkloadKind, name: string, image: string) =>
      both((namespace) =>
        plane.admin.must("POST", collection(kind, namespace), { body: MANIFESTS[kind](name, image) }),
      ),
    deploy: (kind: WorkloadKind, name: string, image: string) =>
      both((namespace) =>
        plane.admin.must("PATCH", `${collection(kind, namespace)}/${name}`, {
          type: kind === "Rollout" ? MERGE : STRATEGIC,
          body: {
            spec: {
              template: kind === "Rollout" ? template(name, image) : { spec: { containers: [{ name, image }] } },
            },
          },
        }),
      ),
    async workload(kind: WorkloadKind, name: string): Promise<Workload> {
      const schema = kind === "Rollout" ? RolloutObject : WorkloadObject;
      return readHistory(client, kind, await client.get<WorkloadObject>(kind, OURS, name, schema, never), never);
    },
    /** What an undo leaves, without ids and times. */
    async picture(kind: WorkloadKind, namespace: string, name: string) {
      const { admin } = plane;
      const object = await admin.must("GET", `${collection(kind, namespace)}/${name}`);
      const selector = `labelSelector=app%3D${name}`;
      const sets = kind === "Deployment" || kind === "Rollout";
      const history = `/apis/apps/v1/namespaces/${namespace}/${sets ? "replicasets" : "controllerrevisions"}?${selector}`;
      const { items } = await admin.must("GET", history);
      const pods = await admin.must("GET", `/api/v1/namespaces/${namespace}/pods?${selector}`);
      return {
        spec: object.spec,
        labels: object.metadata.labels,
        revision: revisionOf(object),
        abort: object.status?.abort,
        phase: object.status?.phase,
        history: (items as readonly Item[])
          .map((item) => ({
            name: item.metadata.name,
            revision: revisionOf(item),
            replicas: item.spec?.replicas,
            template: item.spec?.template ?? item.data,
          }))
          .sort((a, b) => a.name.localeCompare(b.name)),
        pods: (pods.items as readonly Item[])
          .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
          .map(({ spec }) => spec?.containers?.[0]?.image)
          .sort(),
      };
    },
  };
}

interface Item {
  readonly metadata: {
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly revision?: number;
  readonly data?: unknown;
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: unknown;
    readonly containers?: readonly { readonly image: string }[];
  };
}

interface PodTemplate {
  readonly metadata: { readonly labels: Record<string, string> };
}

const revisionOf = ({ metadata, revision }: Item): string | undefined =>
  metadata.annotations?.["deployment.kubernetes.io/revision"] ??
  metadata.annotations?.["rollout.argoproj.io/revision"] ??
  (revision === undefined ? undefined : String(revision));

/** Whether every pod that is wanted runs the newest template and is ready. */
const isWhole = (
  kind: WorkloadKind,
  { status = {}, spec, metadata }: { status?: Status; spec: Spec; metadata: Meta },
) => {
  if (kind === "Rollout")
    return status.phase === "Healthy" && String(status.observedGeneration) === String(metadata.generation);
  if (status.observedGeneration !== metadata.generation) return false;
  if (kind === "DaemonSet")
    return (
      status.updatedNumberScheduled === status.desiredNumberScheduled &&
      status.numberReady === status.desiredNumberScheduled
    );
  return (
    status.updatedReplicas === spec.replicas &&
    status.readyReplicas === spec.replicas &&
    status.replicas === spec.replicas
  );
};
type Status = Readonly<Record<string, unknown>>;
type Spec = { readonly replicas?: number };
type Meta = { readonly generation: number };

function targetOf(
  action: Target["action"],
  kind: WorkloadKind,
  name: string,
  workload: Workload,
  restore: string,
): Target {
  const entry = workload.history.find(({ revision }) => revision === restore);
  return {
    action,
    service: name,
    changeId: `deploy:${OURS}/${name}`,
    object: { kind, namespace: OURS, name },
    expected: { version: workload.current?.version ?? "", revision: workload.current?.revision ?? "" },
    restore: { version: entry?.version ?? "", revision: restore },
  };
}

/** `seen` tells what stands instead, for who reads the failure. */
async function until(
  holds: () => Promise<boolean>,
  what: string,
  seen = async (): Promise<unknown> => "",
): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what} never came to be ${JSON.stringify(await seen())}`);
    await wait(200);
  }
}

describe.runIf(hasControlPlane("undo beside kubectl rollout undo of 1.36"))("undo on a real control plane", () => {
  const shop = world(false);
  beforeAll(shop.open, LONG_MS);
  afterAll(shop.close, LONG_MS);

  it.each([
    ["Deployment", "shop/web:1.0.2"],
    ["Deployment", "shop/web:1.0.7"],
    ["StatefulSet", "shop/web:1.0.2"],
    ["DaemonSet", "shop/web:1.0.2"],
  ] as const)("of a %s at %s leaves what kubectl rollout undo leaves", { timeout: LONG_MS }, async (kind, bad) => {
    const name = `${kind.toLowerCase()}-${bad.at(-1)}`;
    const whole = (namespace: string) => async () => isWhole(kind, await shop.get(kind, namespace, name));
    const settled = () => shop.both((namespace) => until(whole(namespace), `${kind} ${namespace}/${name}`));
    await shop.create(kind, name, "shop/web:1.0.0");
    await settled();
    await shop.deploy(kind, name, "shop/web:1.0.1");
    await settled();
    await shop.deploy(kind, name, bad);
    if (bad.endsWith("7")) await wait(3000);
    else await settled();
    expect(await shop.picture(kind, OURS, name)).toEqual(await shop.picture(kind, THEIRS, name));

    const executor = kubectlRolloutUndo({ client: shop.client(), now: Date.now });
    const target = targetOf("kubectl_rollout_undo", kind, name, await shop.workload(kind, name), "2");
    const before = auditedWrites(shop.plane().directory, /:unship-gate$/).length;
    expect(await executor.execute(target, "plan-1/0", never)).toMatchObject({ result: "done" });
    const args = [
      "--kubeconfig",
      shop.plane().kubeconfigPath,
      "-n",
      THEIRS,
      "rollout",
      "undo",
      `${kind.toLowerCase()}/${name}`,
    ];
    const { stdout } = await promisify(execFile)(KUBECTL?.path ?? "kubectl", args);
    expect(stdout).toContain("rolled back");
    await settled();
    expect(await shop.picture(kind, OURS, name)).toEqual(await shop.picture(kind, THEIRS, name));
    const written = auditedWrites(shop.plane().directory, /:unship-gate$/).slice(before);
    // Its own controller may write the status between the read and the patch: the lock then refuses that, and it is read anew.
    const taken = written.filter(({ status }) => status !== 422 && status !== 409);
    expect(taken.map(({ verb, resource, status }) => [verb, resource, status])).toEqual([
      ["patch", `${kind.toLowerCase()}s`, 200],
    ]);
    // A StatefulSet's and a DaemonSet's revision is renumbered by the undo, so that the plan's is no more.
    const again = await executor.execute(target, "plan-2/0", never);
    expect(again.result).toBe(kind === "Deployment" ? "nothing-to-do" : "stale");
  });
});

describe.runIf(hasRollouts("the acts on a Rollout beside Argo Rollouts' own client"))("acts on a real Rollout", () => {
  const shop = world(true);
  beforeAll(shop.open, LONG_MS);
  afterAll(shop.close, LONG_MS);
  const path = (name: string) => `/apis/argoproj.io/v1alpha1/namespaces/${THEIRS}/rollouts/${name}`;

  const started = async (name: string) => {
    const healthy = () =>
      shop.both((namespace) =>
        until(async () => isWhole("Rollout", await shop.get("Rollout", namespace, name)), namespace),
      );
    await shop.create("Rollout", name, "shop/cart:1.0.0");
    await healthy();
    await shop.deploy("Rollout", name, "shop/cart:1.0.1");
    const paused = async (namespace: string) => (await shop.get("Rollout", namespace, name)).status?.phase === "Paused";
    await shop.both((namespace) => until(() => paused(namespace), `the pause of ${namespace}`));
    return healthy;
  };
  const actOf = (action: string): Executor => {
    const executor = rolloutActs({ client: shop.client(), now: Date.now }).find((one) => one.action === action);
    if (executor === undefined) throw new Error(`no executor of ${action}`);
    return executor;
  };
  /** Both namespaces show the same once their controllers have caught up. */
  const same = async (name: string) => {
    const pictures = () => shop.both((namespace) => shop.picture("Rollout", namespace, name));
    await until(async () => {
      const [ours, theirs] = await pictures();
      return JSON.stringify(ours) === JSON.stringify(theirs);
    }, "the same picture").catch(() => undefined);
    const [ours, theirs] = await pictures();
    expect(ours).toEqual(theirs);
    return ours;
  };

  it("abort gives all traffic back as kubectl argo rollouts abort does", { timeout: LONG_MS }, async () => {
    await started("aborted");
    const target = targetOf("rollout_abort", "Rollout", "aborted", await shop.workload("Rollout", "aborted"), "1");
    const act = async () =>
      expect(await actOf("rollout_abort").execute(target, "plan-1/0", never)).toMatchObject({ result: "done" });
    await act();
    // What its client sends. @see argo-rollouts v1.9.2, pkg/kubectl-argo-rollouts/cmd/abort
    const abort = { type: MERGE, body: { status: { abort: true } } };
    const degraded = async (namespace: string) => {
      // The controller may not see it while it still writes the pause down: it is said again, which takes a change.
      const { phase, abort: isAborting } = (await shop.get("Rollout", namespace, "aborted")).status;
      const isLost = phase === "Paused" && isAborting !== true;
      if (isLost && namespace === THEIRS) await shop.plane().admin.must("PATCH", `${path("aborted")}/status`, abort);
      // The gate asks whether an act arrives, and is told that this one does not.
      if (isLost && namespace === OURS) await act();
      return phase === "Degraded";
    };
    await shop.both((namespace) => until(() => degraded(namespace), `the end of the trial in ${namespace}`));
    await until(
      async () => (await shop.picture("Rollout", OURS, "aborted")).pods.every((image) => image === "shop/cart:1.0.0"),
      "the old pods alone",
    );
    expect(await same("aborted")).toMatchObject({ abort: true, pods: ["shop/cart:1.0.0", "shop/cart:1.0.0"] });
  });

  it("undo of a promoted version leaves what kubectl argo rollouts undo leaves", { timeout: LONG_MS }, async () => {
    const healthy = await started("undone");
    const promoted = targetOf(
      "rollout_promote",
      "Rollout",
      "undone",
      await shop.workload("Rollout", "undone"),
      "promoted",
    );
    const restore = { version: promoted.expected.version, revision: "promoted" };
    expect(await actOf("rollout_promote").execute({ ...promoted, restore }, "plan-2/0", never)).toMatchObject({
      result: "done",
    });
    // @see argo-rollouts v1.9.2, pkg/kubectl-argo-rollouts/cmd/promote
    const promote = (promoteFull: true | null) => ({ type: MERGE, body: { status: { promoteFull } } });
    const promoting = async () => {
      // The controller may not see it while it still writes the pause down: it is said again, which takes a change.
      const { phase, promoteFull } = (await shop.get("Rollout", THEIRS, "undone")).status;
      if (phase === "Paused")
        await shop.plane().admin.must("PATCH", `${path("undone")}/status`, promote(promoteFull === true ? null : true));
      return phase === "Healthy";
    };
    const status = async () => (await shop.get("Rollout", THEIRS, "undone")).status;
    await until(promoting, "the twin's promotion", status);
    await healthy();
    const target = targetOf("kubectl_rollout_undo", "Rollout", "undone", await shop.workload("Rollout", "undone"), "1");
    const executor = kubectlRolloutUndo({ client: shop.client(), now: Date.now });
    expect(await executor.execute(target, "plan-3/0", never)).toMatchObject({ result: "done" });
    const { history } = await shop.picture("Rollout", THEIRS, "undone");
    const old = structuredClone(history.find(({ revision }) => revision === "1")?.template) as PodTemplate;
    delete old.metadata.labels["rollouts-pod-template-hash"];
    // @see argo-rollouts v1.9.2, pkg/kubectl-argo-rollouts/cmd/undo
    const body = [{ op: "replace", path: "/spec/template", value: old }];
    await shop.plane().admin.must("PATCH", path("undone"), { type: "application/json-patch+json", body });
    await wait(3000);
    const picture = await same("undone");
    expect(picture.history.map(({ revision }) => revision).sort()).toEqual(["2", "3"]);
  });
});
