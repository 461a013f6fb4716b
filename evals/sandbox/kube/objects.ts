import type { Json, JsonObject } from "./json.ts";

/**
 * The parts of Kubernetes' objects that the controllers read, named as the API names them.
 * Everything else in an object is carried along untouched.
 *
 * @see https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.32/
 */
export type Labels = { readonly [key: string]: string };

export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
};

export type ManagedFields = {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly time: string;
  readonly fieldsType: "FieldsV1";
  readonly fieldsV1: JsonObject;
  readonly subresource?: string;
};

export type Metadata = {
  readonly name: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly ManagedFields[];
};

export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
  readonly [field: string]: Json | undefined;
};

export type LabelSelector = {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly SelectorExpression[];
};

export type SelectorExpression = {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values?: readonly string[];
};

export type EnvVar = {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly configMapKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
  };
};

export type Container = {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly {
    readonly prefix?: string;
    readonly configMapRef?: { readonly name: string; readonly optional?: boolean };
  }[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: string }[];
  readonly readinessProbe?: {
    readonly initialDelaySeconds?: number;
    readonly periodSeconds?: number;
    readonly successThreshold?: number;
    readonly failureThreshold?: number;
  };
};

export type PodSpec = {
  readonly containers: readonly Container[];
  readonly restartPolicy?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly nodeName?: string;
  readonly nodeSelector?: Labels;
};

export type PodTemplate = {
  readonly metadata?: { readonly labels?: Labels; readonly annotations?: Labels; readonly creationTimestamp?: null };
  readonly spec: PodSpec;
};

export type Condition = {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string | null;
  readonly lastUpdateTime?: string;
  readonly lastProbeTime?: string | null;
};

export type IntOrPercent = number | string;

type Workload = {
  readonly replicas?: number;
  readonly selector: LabelSelector;
  readonly template: PodTemplate;
  readonly minReadySeconds?: number;
  readonly revisionHistoryLimit?: number;
};

export type DeploymentSpec = Workload & {
  readonly paused?: boolean;
  readonly progressDeadlineSeconds?: number;
  readonly strategy?: {
    readonly type?: string;
    readonly rollingUpdate?: { readonly maxSurge?: IntOrPercent; readonly maxUnavailable?: IntOrPercent };
  };
};

export type DeploymentStatus = {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly unavailableReplicas?: number;
  readonly collisionCount?: number;
  readonly conditions?: readonly Condition[];
};

export type ReplicaSetStatus = {
  readonly observedGeneration?: number;
  readonly replicas: number;
  readonly fullyLabeledReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
};

export type StatefulSetSpec = Workload & {
  readonly serviceName?: string;
  readonly podManagementPolicy?: string;
  readonly updateStrategy?: { readonly type?: string; readonly rollingUpdate?: { readonly partition?: number } };
};

export type StatefulSetStatus = {
  readonly observedGeneration?: number;
  readonly replicas: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly currentReplicas?: number;
  readonly updatedReplicas?: number;
  readonly currentRevision?: string;
  readonly updateRevision?: string;
  readonly collisionCount?: number;
};

export type DaemonSetSpec = Workload & {
  readonly updateStrategy?: {
    readonly type?: string;
    readonly rollingUpdate?: { readonly maxSurge?: IntOrPercent; readonly maxUnavailable?: IntOrPercent };
  };
};

export type ContainerState = {
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly running?: { readonly startedAt: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason: string;
    readonly startedAt: string;
    readonly finishedAt: string;
    readonly containerID?: string;
  };
};

export type ContainerStatus = {
  readonly name: string;
  readonly image: string;
  readonly imageID: string;
  readonly containerID?: string;
  readonly ready: boolean;
  readonly started: boolean;
  readonly restartCount: number;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
};

export type PodStatus = {
  readonly phase: string;
  readonly conditions?: readonly Condition[];
  readonly containerStatuses?: readonly ContainerStatus[];
  readonly startTime?: string;
  readonly podIP?: string;
  readonly hostIP?: string;
  readonly qosClass?: string;
};

export type Deployment = KubeObject & { readonly spec: DeploymentSpec; readonly status?: DeploymentStatus };
export type ReplicaSet = KubeObject & { readonly spec: Workload; readonly status?: ReplicaSetStatus };
export type StatefulSet = KubeObject & { readonly spec: StatefulSetSpec; readonly status?: StatefulSetStatus };
export type DaemonSet = KubeObject & { readonly spec: DaemonSetSpec; readonly status?: JsonObject };
export type ControllerRevision = KubeObject & { readonly data: JsonObject; readonly revision: number };
export type Pod = KubeObject & { readonly spec: PodSpec; readonly status?: PodStatus };
export type ConfigMap = KubeObject & { readonly data?: Labels; readonly binaryData?: Labels };

/** Which type of object stands under each plural name of the API. */
export interface Kinds {
  readonly pods: Pod;
  readonly replicasets: ReplicaSet;
  readonly deployments: Deployment;
  readonly statefulsets: StatefulSet;
  readonly daemonsets: DaemonSet;
  readonly controllerrevisions: ControllerRevision;
  readonly configmaps: ConfigMap;
  readonly events: KubeObject;
  readonly services: KubeObject;
  readonly namespaces: KubeObject;
  readonly nodes: KubeObject;
}
export type Plural = keyof Kinds;

/** The object's namespace, "" for one that is of the whole cluster. */
export function namespaceOf(object: KubeObject): string {
  return object.metadata.namespace ?? "";
}

/** Whether `owner` is the object's controller. */
export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller === true);
}

/** The reference that a controller puts on what it makes. */
export function controllerReference(owner: KubeObject): OwnerReference {
  const { name, uid = "" } = owner.metadata;
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true, blockOwnerDeletion: true };
}
