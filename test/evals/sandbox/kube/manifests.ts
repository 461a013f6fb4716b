import type { JsonObject } from "../../../../evals/sandbox/kube/json.ts";

/** A Deployment of one container called "web", as a person would write it. */
export function deployment(image: string, spec: JsonObject = {}, metadata: JsonObject = {}) {
  return workload("Deployment", image, { replicas: 3, ...spec }, metadata);
}

export function statefulSet(image: string, spec: JsonObject = {}, metadata: JsonObject = {}) {
  return workload("StatefulSet", image, { replicas: 3, serviceName: "web", ...spec }, metadata);
}

export function daemonSet(image: string, spec: JsonObject = {}, metadata: JsonObject = {}) {
  return workload("DaemonSet", image, spec, metadata);
}

function workload(kind: string, image: string, spec: JsonObject, metadata: JsonObject) {
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name: "web", namespace: "default", labels: { app: "web" }, ...metadata },
    spec: {
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: {
          containers: [{ name: "web", image, ports: [{ containerPort: 80 }], env: [{ name: "MODE", value: "a" }] }],
        },
      },
      ...spec,
    },
  };
}
