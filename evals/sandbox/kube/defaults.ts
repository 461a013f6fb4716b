import { isObject, type Json, type JsonObject, listAt, objectAt } from "./json.ts";
import type { KubeObject } from "./objects.ts";

/**
 * Fills in what an API server fills in, so that a template that was stored equals one that is applied again.
 *
 * Defaulted: of a pod template `restartPolicy`, `terminationGracePeriodSeconds`, `dnsPolicy`, `securityContext`,
 * `schedulerName`; of its containers `imagePullPolicy`, `terminationMessagePath`, `terminationMessagePolicy`,
 * `resources` (with requests taken from limits), the protocol of ports, the figures of probes, `fieldRef.apiVersion`;
 * of volumes `emptyDir` and `defaultMode`; of workloads replicas, strategy, history limit, progress deadline.
 * Not defaulted: ephemeral containers, persistent volume claims, pod-level resources, gRPC probes.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
 * @see https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/
 */
export function withDefaults(object: KubeObject): KubeObject {
  const spec = objectAt(object.spec);
  switch (object.kind) {
    case "Deployment":
      return { ...object, spec: deploymentSpec(spec) };
    case "StatefulSet":
      return { ...object, spec: statefulSetSpec(spec) };
    case "DaemonSet":
      return { ...object, spec: daemonSetSpec(spec) };
    case "ReplicaSet":
      return { ...object, spec: { replicas: 1, ...spec, template: template(spec.template) } };
    case "Pod":
      return { ...object, spec: { enableServiceLinks: true, ...podSpec(spec), nodeName: spec.nodeName ?? NODE } };
    case "Service":
      return { ...object, spec: serviceSpec(spec) };
    case "Namespace":
      return { ...object, spec: { finalizers: ["kubernetes"], ...spec }, status: { phase: "Active" } };
    default:
      return object;
  }
}

/** The one node of the sandbox. */
export const NODE = "sandbox";

function deploymentSpec(spec: JsonObject): JsonObject {
  const strategy = objectAt(spec.strategy);
  const type = strategy.type ?? "RollingUpdate";
  const rolling = { maxUnavailable: "25%", maxSurge: "25%", ...objectAt(strategy.rollingUpdate) };
  return {
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    ...spec,
    strategy: type === "RollingUpdate" ? { ...strategy, type, rollingUpdate: rolling } : { ...strategy, type },
    template: template(spec.template),
  };
}

function statefulSetSpec(spec: JsonObject): JsonObject {
  const strategy = objectAt(spec.updateStrategy);
  const type = strategy.type ?? "RollingUpdate";
  const rolling = { partition: 0, ...objectAt(strategy.rollingUpdate) };
  return {
    replicas: 1,
    revisionHistoryLimit: 10,
    podManagementPolicy: "OrderedReady",
    serviceName: "",
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
    ...spec,
    updateStrategy: type === "RollingUpdate" ? { ...strategy, type, rollingUpdate: rolling } : { ...strategy, type },
    template: template(spec.template),
  };
}

function daemonSetSpec(spec: JsonObject): JsonObject {
  const strategy = objectAt(spec.updateStrategy);
  const type = strategy.type ?? "RollingUpdate";
  const rolling = { maxUnavailable: 1, maxSurge: 0, ...objectAt(strategy.rollingUpdate) };
  return {
    revisionHistoryLimit: 10,
    ...spec,
    updateStrategy: type === "RollingUpdate" ? { ...strategy, type, rollingUpdate: rolling } : { ...strategy, type },
    template: template(spec.template),
  };
}

function serviceSpec(spec: JsonObject): JsonObject {
  const ports = listAt(spec.ports).map((port) => {
    const one = objectAt(port);
    return { protocol: "TCP", targetPort: one.port ?? null, ...one };
  });
  return {
    type: "ClusterIP",
    sessionAffinity: "None",
    internalTrafficPolicy: "Cluster",
    clusterIP: "127.0.0.1",
    clusterIPs: ["127.0.0.1"],
    ipFamilies: ["IPv4"],
    ipFamilyPolicy: "SingleStack",
    ...spec,
    ...(ports.length === 0 ? {} : { ports }),
  };
}

function template(value: Json | undefined): JsonObject {
  const given = objectAt(value);
  return { ...given, metadata: objectAt(given.metadata), spec: podSpec(given.spec) };
}

function podSpec(value: Json | undefined): JsonObject {
  const spec = objectAt(value);
  return {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler",
    ...spec,
    ...mapped(spec, "containers", container),
    ...mapped(spec, "initContainers", container),
    ...mapped(spec, "volumes", volume),
  };
}

function mapped(owner: JsonObject, field: string, each: (item: JsonObject) => JsonObject): JsonObject {
  return owner[field] === undefined
    ? {}
    : { [field]: listAt(owner[field]).map((item) => (isObject(item) ? each(item) : item)) };
}

function container(given: JsonObject): JsonObject {
  const image = typeof given.image === "string" ? given.image : "";
  const resources = objectAt(given.resources);
  const requests = { ...objectAt(resources.limits), ...objectAt(resources.requests) };
  return {
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: pullsAlways(image) ? "Always" : "IfNotPresent",
    ...given,
    resources: Object.keys(requests).length === 0 ? resources : { ...resources, requests },
    ...mapped(given, "ports", (port) => ({ protocol: "TCP", ...port })),
    ...mapped(given, "env", environmentVariable),
    ...Object.fromEntries(
      ["readinessProbe", "livenessProbe", "startupProbe"].flatMap((name) =>
        given[name] === undefined ? [] : [[name, probe(objectAt(given[name]))]],
      ),
    ),
  };
}

/** An image without a tag, or with `latest`, is pulled anew each time. */
function pullsAlways(image: string): boolean {
  const last = image.split("/").at(-1) ?? "";
  return !last.includes("@") && (!last.includes(":") || last.endsWith(":latest"));
}

function environmentVariable(variable: JsonObject): JsonObject {
  const from = objectAt(variable.valueFrom);
  if (from.fieldRef === undefined) return variable;
  return { ...variable, valueFrom: { ...from, fieldRef: { apiVersion: "v1", ...objectAt(from.fieldRef) } } };
}

function probe(given: JsonObject): JsonObject {
  const http =
    given.httpGet === undefined ? {} : { httpGet: { path: "/", scheme: "HTTP", ...objectAt(given.httpGet) } };
  return { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3, ...given, ...http };
}

function volume(given: JsonObject): JsonObject {
  if (Object.keys(given).every((key) => key === "name")) return { ...given, emptyDir: {} };
  const modes = ["configMap", "secret", "projected", "downwardAPI"].filter((source) => given[source] !== undefined);
  return { ...given, ...Object.fromEntries(modes.map((key) => [key, { defaultMode: 420, ...objectAt(given[key]) }])) };
}
