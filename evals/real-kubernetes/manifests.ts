/** A Deployment as a chart would render it, for a real or an imitated cluster. `fields` are those of its spec. */
export function deployment(name: string, image: string, fields: object = {}, metadata: object = {}) {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, labels: { app: name }, ...metadata },
    spec: { replicas: 2, selector: { matchLabels: { app: name } }, template: template(name, image), ...fields },
  };
}

export function statefulSet(name: string, image: string, fields: object = {}) {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name, labels: { app: name } },
    spec: {
      replicas: 2,
      serviceName: name,
      selector: { matchLabels: { app: name } },
      template: template(name, image),
      ...fields,
    },
  };
}

export function daemonSet(name: string, image: string, fields: object = {}) {
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name, labels: { app: name } },
    spec: { selector: { matchLabels: { app: name } }, template: template(name, image), ...fields },
  };
}

/** An Argo Rollout; `fields` name its strategy. */
export function rollout(name: string, image: string, fields: object) {
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Rollout",
    metadata: { name, labels: { app: name } },
    spec: { replicas: 2, selector: { matchLabels: { app: name } }, template: template(name, image), ...fields },
  };
}

/** A pod template of one container, named as its app. */
export function template(name: string, image: string, pod: object = {}) {
  return {
    metadata: { labels: { app: name } },
    spec: { ...pod, containers: [{ name, image, ports: [{ name: "http", containerPort: 8080 }] }] },
  };
}
