import { z } from "zod";

/**
 * The few fields of Kubernetes objects that unship reads. Everything else stays in the parsed object as it came:
 * a rollback must not lose a field that this version does not know.
 *
 * @see https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.32/
 */
const Strings = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});
const list = <T>(item: z.ZodType<T>) =>
  z
    .array(item)
    .nullish()
    .transform((value): readonly T[] => value ?? []);
/** RFC 3339 as the API writes it → Unix ms; absent stays undefined. */
const Time = z
  .string()
  .nullish()
  .transform((value) => (value === null || value === undefined ? undefined : Date.parse(value)));

export const ManagedField = z.looseObject({
  manager: z.string().default(""),
  operation: z.string().default(""),
  subresource: z.string().optional(),
  time: Time,
  fieldsV1: z.unknown().optional(),
});
export type ManagedField = z.infer<typeof ManagedField>;

export const Meta = z.looseObject({
  name: z.string(),
  namespace: z.string().default(""),
  uid: z.string().default(""),
  resourceVersion: z.string().default(""),
  generation: z.number().default(0),
  creationTimestamp: Time,
  deletionTimestamp: Time,
  labels: Strings,
  annotations: Strings,
  ownerReferences: list(
    z.looseObject({
      apiVersion: z.string().default(""),
      kind: z.string(),
      name: z.string(),
      uid: z.string(),
      controller: z.boolean().default(false),
    }),
  ),
  managedFields: list(ManagedField),
});
export type Meta = z.infer<typeof Meta>;

/** A pod template, untouched: `template.ts` reads it, the executor sends it back. */
export const PodTemplate = z.record(z.string(), z.unknown());
export type PodTemplate = Readonly<Record<string, unknown>>;

const Condition = z.looseObject({
  type: z.string(),
  status: z.string(),
  reason: z.string().default(""),
  message: z.string().default(""),
  lastUpdateTime: Time,
  lastTransitionTime: Time,
});
export type Condition = z.infer<typeof Condition>;

const Count = z.number().default(0);
const STATUS = {
  observedGeneration: Count,
  conditions: list(Condition),
  replicas: Count,
  readyReplicas: Count,
  availableReplicas: Count,
  updatedReplicas: Count,
  currentRevision: z.string().optional(),
  updateRevision: z.string().optional(),
  desiredNumberScheduled: Count,
  updatedNumberScheduled: Count,
  numberReady: Count,
  numberAvailable: Count,
};
const Status = z.looseObject(STATUS).prefault({});

/** A Deployment, StatefulSet or DaemonSet: their common fields, and those that only one of them has. */
export const WorkloadObject = z.looseObject({
  metadata: Meta,
  spec: z.looseObject({
    template: PodTemplate,
    selector: z.looseObject({ matchLabels: Strings }).prefault({}),
    replicas: z.number().default(1),
    paused: z.boolean().default(false),
    revisionHistoryLimit: z.number().optional(),
    progressDeadlineSeconds: z.number().optional(),
    podManagementPolicy: z.string().optional(),
    strategy: z.looseObject({ type: z.string().optional() }).optional(),
    updateStrategy: z
      .looseObject({
        type: z.string().optional(),
        rollingUpdate: z.looseObject({ partition: z.number().optional() }).nullish(),
      })
      .optional(),
  }),
  status: Status,
});
export type WorkloadObject = z.infer<typeof WorkloadObject>;

/**
 * Argo Rollouts' Rollout. What it shares with a Deployment is read as one; its controller writes `observedGeneration` as
 * text. One that refers to a Deployment for its template has none of its own.
 *
 * @see https://argo-rollouts.readthedocs.io/en/stable/features/specification/
 */
export const RolloutObject = WorkloadObject.extend({
  spec: WorkloadObject.shape.spec.extend({
    template: PodTemplate.default({}),
    workloadRef: z.looseObject({ kind: z.string().default(""), name: z.string().default("") }).nullish(),
    strategy: z
      .looseObject({
        type: z.string().optional(),
        canary: z.looseObject({ steps: list(z.looseObject({})), dynamicStableScale: z.boolean().nullish() }).nullish(),
        blueGreen: z.looseObject({}).nullish(),
      })
      .optional(),
    rollbackWindow: z.looseObject({}).nullish(),
  }),
  status: z
    .looseObject({
      ...STATUS,
      observedGeneration: z.coerce.number().default(0),
      abort: z.boolean().default(false),
      promoteFull: z.boolean().default(false),
      phase: z.string().default(""),
      /** Hashes of pod templates: of the spec's, and of what serves as the stable version. */
      currentPodHash: z.string().default(""),
      stableRS: z.string().default(""),
      pauseConditions: list(z.looseObject({ reason: z.string().default("") })),
      controllerPause: z.boolean().default(false),
      canary: z
        .looseObject({
          weights: z.looseObject({ canary: z.looseObject({ weight: Count }).prefault({}) }).nullish(),
        })
        .prefault({}),
    })
    .prefault({}),
});
export type RolloutObject = z.infer<typeof RolloutObject>;

export const ReplicaSet = z.looseObject({
  metadata: Meta,
  spec: z.looseObject({ template: PodTemplate.default({}) }),
});
export type ReplicaSet = z.infer<typeof ReplicaSet>;

/** `data` is the strategic merge patch that restores the revision. */
export const ControllerRevision = z.looseObject({
  metadata: Meta,
  revision: z.number(),
  data: z.looseObject({ spec: z.looseObject({ template: PodTemplate }) }).optional(),
});
export type ControllerRevision = z.infer<typeof ControllerRevision>;

const ContainerStatus = z.looseObject({
  name: z.string(),
  restartCount: Count,
  state: z
    .looseObject({
      waiting: z.looseObject({ reason: z.string().default("") }).nullish(),
      running: z.looseObject({ startedAt: Time }).nullish(),
      terminated: z.looseObject({ exitCode: Count }).nullish(),
    })
    .prefault({}),
});
const Probe = z.looseObject({
  initialDelaySeconds: Count,
  periodSeconds: z.number().default(10),
  failureThreshold: z.number().default(3),
});
export type Probe = z.infer<typeof Probe>;
export const Pod = z.looseObject({
  metadata: Meta,
  spec: z
    .looseObject({
      nodeName: z.string().nullish(),
      containers: list(
        z.looseObject({ name: z.string(), startupProbe: Probe.nullish(), readinessProbe: Probe.nullish() }),
      ),
    })
    .prefault({}),
  status: z
    .looseObject({
      phase: z.string().default(""),
      startTime: Time,
      conditions: list(Condition),
      containerStatuses: list(ContainerStatus),
      initContainerStatuses: list(ContainerStatus),
    })
    .prefault({}),
});
export type Pod = z.infer<typeof Pod>;

/** core/v1 Event, as the Deployment controller writes it. */
export const KubeEvent = z.looseObject({
  metadata: Meta,
  involvedObject: z.looseObject({ kind: z.string().default(""), name: z.string().default("") }),
  reason: z.string().default(""),
  message: z.string().default(""),
  firstTimestamp: Time,
  lastTimestamp: Time,
  eventTime: Time,
});
export type KubeEvent = z.infer<typeof KubeEvent>;

/** core/v1 Service: what its name in DNS leads to. */
export const ServiceObject = z.looseObject({
  metadata: Meta,
  spec: z
    .looseObject({
      type: z.string().default("ClusterIP"),
      clusterIP: z.string().nullish(),
      externalName: z.string().nullish(),
      selector: Strings,
      ports: list(z.looseObject({ port: z.number() })),
    })
    .prefault({}),
});
export type ServiceObject = z.infer<typeof ServiceObject>;

export const ConfigMapObject = z.looseObject({ metadata: Meta, data: Strings });
/** A ConfigMap without its content: what else a server sends is left out. */
export const ConfigMapMeta = z.object({ metadata: Meta });
