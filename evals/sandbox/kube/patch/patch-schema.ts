/**
 * How strategic merge treats a field: a list that is merged has the key by which its items are matched, or "" for a
 * list of plain values. A field that is not named here is merged when it is an object and replaced otherwise.
 */
export interface PatchSchema {
  readonly [field: string]: { readonly mergeKey?: string; readonly inner?: PatchSchema };
}

const container: PatchSchema = {
  ports: { mergeKey: "containerPort" },
  env: { mergeKey: "name" },
  volumeMounts: { mergeKey: "mountPath" },
  volumeDevices: { mergeKey: "devicePath" },
};

const podSpec: PatchSchema = {
  containers: { mergeKey: "name", inner: container },
  initContainers: { mergeKey: "name", inner: container },
  ephemeralContainers: { mergeKey: "name", inner: container },
  volumes: { mergeKey: "name" },
  imagePullSecrets: { mergeKey: "name" },
  hostAliases: { mergeKey: "ip" },
  topologySpreadConstraints: { mergeKey: "topologyKey" },
  schedulingGates: { mergeKey: "name" },
  resourceClaims: { mergeKey: "name" },
};

const metadata: PatchSchema = { ownerReferences: { mergeKey: "uid" }, finalizers: { mergeKey: "" } };
const template = { inner: { metadata: { inner: metadata }, spec: { inner: podSpec } } };
const conditions: PatchSchema = { conditions: { mergeKey: "type" } };
const workload: PatchSchema = {
  metadata: { inner: metadata },
  spec: { inner: { template } },
  status: { inner: conditions },
};

const SCHEMAS: Readonly<Record<string, PatchSchema>> = {
  Deployment: workload,
  ReplicaSet: workload,
  StatefulSet: workload,
  DaemonSet: workload,
  Pod: {
    metadata: { inner: metadata },
    spec: { inner: podSpec },
    status: { inner: { ...conditions, podIPs: { mergeKey: "ip" }, hostIPs: { mergeKey: "ip" } } },
  },
  Service: {
    metadata: { inner: metadata },
    spec: { inner: { ports: { mergeKey: "port" } } },
    status: { inner: conditions },
  },
  Node: {
    metadata: { inner: metadata },
    spec: { inner: { podCIDRs: { mergeKey: "" } } },
    status: { inner: { ...conditions, addresses: { mergeKey: "type" } } },
  },
  Namespace: { metadata: { inner: metadata }, status: { inner: conditions } },
};

/**
 * The merge keys of one kind, as `x-kubernetes-patch-strategy` and `x-kubernetes-patch-merge-key` give them.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.32.0/api/openapi-spec/v3/apis__apps__v1_openapi.json
 */
export function patchSchemaOf(kind: string): PatchSchema {
  return SCHEMAS[kind] ?? { metadata: { inner: metadata } };
}
