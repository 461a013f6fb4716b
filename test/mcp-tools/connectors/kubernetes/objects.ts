import type { Target } from "../../../../core/model/plan.ts";
import type { StoredObject } from "../../../fakes/fake-kubernetes-api.ts";

/** Builders of Kubernetes objects as an API server returns them; `more` overrides what a row is about. */
type Json = Record<string, unknown>;
const NAMESPACE = "shop";

/** Minutes after a fixed noon, as Unix ms and as the API writes it (whole seconds). */
export const ms = (minutes: number) => Date.UTC(2026, 0, 1, 12) + Math.round(minutes * 60) * 1000;
export const at = (minutes: number) => new Date(ms(minutes)).toISOString().replace(".000Z", "Z");

export function template(image: string, more: { readonly labels?: Json; readonly spec?: Json } = {}): Json {
  return {
    metadata: { creationTimestamp: null, labels: { app: "cart", ...more.labels } },
    spec: {
      containers: [{ name: "cart", image, resources: {}, futureField: { keep: ["me"] } }],
      restartPolicy: "Always",
      ...more.spec,
    },
  };
}

export function deployment(
  image: string,
  revision: string,
  more: { metadata?: Json; spec?: Json; status?: Json } = {},
) {
  const { annotations, ...metadata } = more.metadata ?? {};
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: "cart",
      namespace: NAMESPACE,
      uid: "deployments/shop/cart",
      generation: 7,
      creationTimestamp: at(0),
      labels: { app: "cart" },
      annotations: {
        "deployment.kubernetes.io/revision": revision,
        "team.example/owner": "checkout",
        ...(annotations as Json),
      },
      ...metadata,
    },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "cart" } },
      template: template(image),
      futureSpec: { unknown: true },
      ...more.spec,
    },
    status: {
      observedGeneration: 7,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      ...more.status,
    },
  } satisfies StoredObject;
}

export function replicaSet(
  image: string,
  revision: string,
  createdAt: number,
  more: { annotations?: Json; template?: Json; name?: string; uid?: string; managedFields?: unknown[] } = {},
) {
  const name = more.name ?? `cart-${image.split(":").at(-1)?.replaceAll(".", "")}`;
  const pods = more.template ?? template(image);
  return {
    kind: "ReplicaSet",
    metadata: {
      name,
      namespace: NAMESPACE,
      creationTimestamp: at(createdAt),
      labels: { app: "cart" },
      annotations: { "deployment.kubernetes.io/revision": revision, ...more.annotations },
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: "Deployment",
          name: "cart",
          uid: more.uid ?? "deployments/shop/cart",
          controller: true,
        },
      ],
      ...(more.managedFields === undefined ? {} : { managedFields: more.managedFields }),
    },
    spec: {
      template: {
        ...pods,
        metadata: {
          ...(pods.metadata as Json),
          labels: { ...((pods.metadata as Json).labels as Json), "pod-template-hash": name },
        },
      },
    },
  } satisfies StoredObject;
}

export function controlled(
  kind: "StatefulSet" | "DaemonSet",
  image: string,
  more: { spec?: Json; status?: Json } = {},
) {
  const plural = kind === "StatefulSet" ? "statefulsets" : "daemonsets";
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: {
      name: "db",
      namespace: NAMESPACE,
      uid: `${plural}/shop/db`,
      generation: 4,
      annotations: { "team.example/owner": "data" },
    },
    spec: { selector: { matchLabels: { app: "cart" } }, template: template(image), ...more.spec },
    status: { observedGeneration: 4, ...more.status },
  } satisfies StoredObject;
}

export function controllerRevision(kind: "StatefulSet" | "DaemonSet", image: string, revision: number, createdAt = 0) {
  const plural = kind === "StatefulSet" ? "statefulsets" : "daemonsets";
  return {
    kind: "ControllerRevision",
    metadata: {
      name: `db-${revision}`,
      namespace: NAMESPACE,
      creationTimestamp: at(createdAt),
      labels: { app: "cart" },
      ownerReferences: [{ apiVersion: "apps/v1", kind, name: "db", uid: `${plural}/shop/db`, controller: true }],
    },
    revision,
    data: { spec: { template: { ...template(image), $patch: "replace" } } },
  } satisfies StoredObject;
}

/** Take `cart` from revision 3 (1.5.0) back to 2 (1.4.0), unless a row says otherwise. */
export function undoTarget(more: Partial<Target> = {}): Target {
  return {
    action: "kubectl_rollout_undo",
    service: "cart",
    changeId: "deploy:shop/cart:cart-150:3",
    object: { kind: "Deployment", namespace: NAMESPACE, name: "cart" },
    expected: { version: "1.5.0", revision: "3" },
    restore: { version: "1.4.0", revision: "2" },
    ...more,
  };
}

/**
 * An Argo Rollout `cart` on trial: 1.5.0 (revision 3, hash "new") beside the stable 1.4.0 (revision 2, hash "old"), as
 * its controller writes it; the template lacks the defaults that its ReplicaSets have.
 */
export function argoRollout(more: { metadata?: Json; spec?: Json; status?: Json } = {}) {
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Rollout",
    metadata: {
      name: "cart",
      namespace: NAMESPACE,
      uid: "rollouts/shop/cart",
      generation: 7,
      creationTimestamp: at(0),
      annotations: { "rollout.argoproj.io/revision": "3", "team.example/owner": "checkout" },
      ...more.metadata,
    },
    spec: {
      replicas: 4,
      selector: { matchLabels: { app: "cart" } },
      strategy: { canary: { steps: [{ setWeight: 20 }, { pause: {} }] } },
      template: {
        metadata: { labels: { app: "cart" } },
        spec: { containers: [{ name: "cart", image: "shop/cart:1.5.0" }] },
      },
      futureSpec: { unknown: true },
      ...more.spec,
    },
    status: {
      observedGeneration: "7",
      replicas: 5,
      updatedReplicas: 1,
      readyReplicas: 5,
      availableReplicas: 5,
      currentPodHash: "new",
      stableRS: "old",
      phase: "Paused",
      controllerPause: true,
      pauseConditions: [{ reason: "CanaryPauseStep", startTime: at(21) }],
      canary: { weights: { canary: { weight: 20 }, stable: { weight: 80 } } },
      ...more.status,
    },
  } satisfies StoredObject;
}

/** A ReplicaSet of that Rollout. */
export function rolloutSet(image: string, revision: string, hash: string, createdAt: number) {
  const set = replicaSet(image, revision, createdAt, { name: `cart-${hash}`, uid: "rollouts/shop/cart" });
  const { template: pods } = set.spec;
  return {
    ...set,
    metadata: {
      ...set.metadata,
      labels: { app: "cart", "rollouts-pod-template-hash": hash },
      annotations: { "rollout.argoproj.io/revision": revision },
    },
    spec: {
      template: { ...pods, metadata: { labels: { app: "cart", "rollouts-pod-template-hash": hash } } },
    },
  } satisfies StoredObject;
}
