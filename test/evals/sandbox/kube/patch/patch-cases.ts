import type { Json } from "../../../../../evals/sandbox/kube/json.ts";

/** An object with a list of every sort that a patch treats in a way of its own. */
export const base = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: {
    name: "web",
    namespace: "default",
    labels: { app: "web", tier: "front" },
    annotations: { note: "one", "a/b": "slash" },
    finalizers: ["x.io/one", "x.io/two"],
  },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: "web" } },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: "25%" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        containers: [
          {
            name: "web",
            image: "web:1",
            env: [
              { name: "A", value: "1" },
              { name: "B", value: "2" },
              { name: "C", value: "3" },
            ],
            ports: [{ containerPort: 80, name: "http" }, { containerPort: 90 }],
            volumeMounts: [{ name: "data", mountPath: "/data" }],
            args: ["one", "two"],
          },
          { name: "side", image: "side:1" },
        ],
        volumes: [
          { name: "data", emptyDir: {} },
          { name: "conf", configMap: { name: "conf" } },
        ],
        imagePullSecrets: [{ name: "one" }],
        tolerations: [{ key: "a", operator: "Exists" }],
        nodeSelector: { disk: "ssd" },
      },
    },
  },
  status: { conditions: [{ type: "Available", status: "True", reason: "r" }] },
};

const podSpec = (spec: Json): Json => ({ spec: { template: { spec } } });
export const web = (container: Record<string, Json>): Json => podSpec({ containers: [{ name: "web", ...container }] });

export const STRATEGIC: readonly (readonly [string, Json])[] = [
  [
    "one container's image, as `set image` sends it",
    podSpec({
      "$setElementOrder/containers": [{ name: "web" }, { name: "side" }],
      containers: [{ name: "web", image: "web:2" }],
    }),
  ],
  ["a new environment variable is appended", web({ env: [{ name: "D", value: "4" }] })],
  ["a variable of the same name is changed in place", web({ env: [{ name: "B", value: "two" }] })],
  [
    "two variables in the other order take the patch's order",
    web({
      env: [
        { name: "C", value: "x" },
        { name: "A", value: "y" },
      ],
    }),
  ],
  ["a variable is deleted by its name", web({ env: [{ name: "A", $patch: "delete" }] })],
  ["deleting what is not there changes nothing", web({ env: [{ name: "Z", $patch: "delete" }] })],
  ["a list is replaced whole by its directive", web({ env: [{ name: "Q", value: "9" }, { $patch: "replace" }] })],
  [
    "an order moves items of the server",
    web({ "$setElementOrder/env": [{ name: "C" }, { name: "A" }, { name: "B" }] }),
  ],
  [
    "an order with a new item puts it where it says",
    web({ "$setElementOrder/env": [{ name: "A" }, { name: "D" }, { name: "B" }], env: [{ name: "D", value: "4" }] }),
  ],
  [
    "an order that does not name an item of the patch is refused",
    web({ "$setElementOrder/env": [{ name: "A" }], env: [{ name: "D", value: "4" }] }),
  ],
  [
    "an order with a deletion",
    web({ "$setElementOrder/env": [{ name: "C" }, { name: "B" }], env: [{ name: "A", $patch: "delete" }] }),
  ],
  ["ports are matched by containerPort", web({ ports: [{ containerPort: 90, name: "admin" }, { containerPort: 91 }] })],
  [
    "mounts are matched by path",
    web({
      volumeMounts: [
        { mountPath: "/data", name: "conf" },
        { mountPath: "/x", name: "data" },
      ],
    }),
  ],
  ["a container is added", podSpec({ containers: [{ name: "third", image: "t:1" }] })],
  ["a container is deleted", podSpec({ containers: [{ name: "side", $patch: "delete" }] })],
  ["containers are replaced", podSpec({ containers: [{ $patch: "replace" }, { name: "only", image: "o:1" }] })],
  ["a container without a name is refused", podSpec({ containers: [{ image: "o:1" }] })],
  ["arguments are replaced whole", web({ args: ["three"] })],
  ["tolerations are replaced whole", podSpec({ tolerations: [{ key: "b", operator: "Exists" }] })],
  ["a volume's source is merged", podSpec({ volumes: [{ name: "conf", configMap: { defaultMode: 420 } }] })],
  [
    "a volume's source is swapped with retained keys",
    podSpec({ volumes: [{ $retainKeys: ["name", "emptyDir"], name: "conf", emptyDir: {} }] }),
  ],
  ["pull secrets are added by name", podSpec({ imagePullSecrets: [{ name: "two" }] })],
  ["a null takes a field away", { spec: { replicas: null, template: { spec: { nodeSelector: null } } } }],
  ["a null in a map takes a key away", { metadata: { labels: { tier: null, zone: "a" } } }],
  ["a null for what is not there changes nothing", { metadata: { labels: { none: null } } }],
  ["the strategy is swapped with retained keys", { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } }],
  [
    "a key that is set but not retained is refused",
    { spec: { strategy: { $retainKeys: ["type"], type: "Recreate", rollingUpdate: {} } } },
  ],
  ["a map is replaced by its directive", { metadata: { labels: { $patch: "replace", only: "this" } } }],
  ["a map is emptied by its directive", { metadata: { annotations: { $patch: "delete" } } }],
  ["an unknown directive is refused", { metadata: { labels: { $patch: "eat" } } }],
  [
    "the template is replaced, as undo of a StatefulSet sends it",
    {
      spec: {
        template: {
          $patch: "replace",
          metadata: { labels: { app: "web" } },
          spec: { containers: [{ name: "w", image: "i" }] },
        },
      },
    },
  ],
  ["finalizers are added", { metadata: { finalizers: ["x.io/three", "x.io/one"] } }],
  ["a finalizer is taken from the list", { metadata: { "$deleteFromPrimitiveList/finalizers": ["x.io/one"] } }],
  [
    "finalizers in an order",
    { metadata: { "$setElementOrder/finalizers": ["x.io/two", "x.io/new", "x.io/one"], finalizers: ["x.io/new"] } },
  ],
  [
    "a condition is changed by its type",
    {
      status: {
        conditions: [
          { type: "Available", status: "False" },
          { type: "New", status: "True" },
        ],
      },
    },
  ],
  [
    "a new nested object drops its nulls",
    podSpec({ affinity: { nodeAffinity: null, podAffinity: {} }, hostNetwork: true }),
  ],
  ["an empty patch changes nothing", {}],
];

export const MERGE: readonly (readonly [string, Json])[] = [
  ["a field is set", { spec: { replicas: 5 } }],
  ["a null takes a field away", { spec: { replicas: null } }],
  ["a list is replaced whole", podSpec({ containers: [{ name: "only", image: "o:1" }] })],
  ["an annotation is added and one removed", { metadata: { annotations: { note: null, more: "x" } } }],
  ["nulls of a new object vanish", { metadata: { labels: { x: null, y: "1" } }, spec: { paused: null } }],
];

export const JSON_PATCHES: readonly (readonly [string, Json])[] = [
  ["replace", [{ op: "replace", path: "/spec/replicas", value: 7 }]],
  ["replace of a member that is not there adds it", [{ op: "replace", path: "/spec/paused", value: true }]],
  ["replace under a missing parent is refused", [{ op: "replace", path: "/metadata/nope/new", value: "x" }]],
  [
    "replace beyond the end of a list is refused",
    [{ op: "replace", path: "/spec/template/spec/containers/9", value: {} }],
  ],
  ["add of a member", [{ op: "add", path: "/metadata/labels/new", value: "x" }]],
  ["add under a missing parent is refused", [{ op: "add", path: "/metadata/nope/new", value: "x" }]],
  ["add at the end", [{ op: "add", path: "/spec/template/spec/containers/0/args/-", value: "three" }]],
  ["add at an index", [{ op: "add", path: "/spec/template/spec/containers/0/args/1", value: "mid" }]],
  ["add just after the last", [{ op: "add", path: "/spec/template/spec/containers/0/args/2", value: "end" }]],
  ["add beyond the end is refused", [{ op: "add", path: "/spec/template/spec/containers/0/args/9", value: "x" }]],
  ["an index from the end", [{ op: "replace", path: "/spec/template/spec/containers/0/args/-1", value: "last" }]],
  ["add at an index from the end", [{ op: "add", path: "/spec/template/spec/containers/0/args/-1", value: "last" }]],
  ["remove", [{ op: "remove", path: "/metadata/labels/tier" }]],
  ["remove of an item", [{ op: "remove", path: "/spec/template/spec/containers/0/args/0" }]],
  ["remove of what is not there is refused", [{ op: "remove", path: "/metadata/labels/none" }]],
  ["escaped slash", [{ op: "replace", path: "/metadata/annotations/a~1b", value: "y" }]],
  ["move", [{ op: "move", from: "/metadata/labels/tier", path: "/metadata/annotations/tier" }]],
  ["copy", [{ op: "copy", from: "/metadata/labels/tier", path: "/metadata/annotations/tier" }]],
  [
    "a test that holds",
    [
      { op: "test", path: "/spec/replicas", value: 3 },
      { op: "replace", path: "/spec/replicas", value: 1 },
    ],
  ],
  [
    "a test that fails refuses all",
    [
      { op: "replace", path: "/spec/replicas", value: 1 },
      { op: "test", path: "/spec/replicas", value: 3 },
    ],
  ],
  [
    "a test of an object is blind to the order of keys",
    [{ op: "test", path: "/metadata/labels", value: { tier: "front", app: "web" } }],
  ],
  ["a test of what is not there fails", [{ op: "test", path: "/spec/paused", value: true }]],
  ["a test for null of what is not there holds", [{ op: "test", path: "/spec/paused", value: null }]],
  ["an unknown operation is refused", [{ op: "eat", path: "/spec" }]],
  ["no operations change nothing", []],
];

const container = (name: string, image: string) => ({ name, image, env: [{ name: "A", value: "1" }] });
export const OTHERS: readonly (readonly [string, object, Json])[] = [
  [
    "a Pod's containers",
    { apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, spec: { containers: [container("x", "x:1")] } },
    { spec: { containers: [{ name: "x", image: "x:2" }], hostAliases: [{ ip: "127.0.0.1", hostnames: ["a"] }] } },
  ],
  [
    "a Service's ports",
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "a" },
      spec: { ports: [{ name: "http", port: 80, targetPort: 80 }], selector: { app: "a" } },
    },
    {
      spec: {
        ports: [
          { port: 80, targetPort: 81 },
          { port: 90, targetPort: 90, name: "b" },
        ],
        selector: { app: null, x: "y" },
      },
    },
  ],
  [
    "a ConfigMap's data",
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { x: "1", y: "2" } },
    { data: { x: null, z: "3" } },
  ],
  [
    "a StatefulSet's template and update strategy",
    {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "a" },
      spec: {
        serviceName: "a",
        selector: { matchLabels: { app: "a" } },
        template: { metadata: { labels: { app: "a" } }, spec: { containers: [container("x", "x:1")] } },
        updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } },
      },
    },
    {
      spec: {
        template: { spec: { containers: [{ name: "x", env: [{ name: "B", value: "2" }] }] } },
        updateStrategy: { rollingUpdate: null },
      },
    },
  ],
  [
    "a DaemonSet's init containers",
    {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: "a" },
      spec: {
        selector: { matchLabels: { app: "a" } },
        template: { spec: { initContainers: [container("i", "i:1")], containers: [container("x", "x:1")] } },
      },
    },
    {
      spec: {
        template: {
          spec: {
            initContainers: [
              { name: "i", image: "i:2" },
              { name: "j", image: "j:1" },
            ],
          },
        },
      },
    },
  ],
  [
    "owner references by uid",
    {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: { name: "a", ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", name: "o", uid: "1" }] },
      spec: { selector: { matchLabels: { app: "a" } }, template: { spec: { containers: [container("x", "x:1")] } } },
    },
    {
      metadata: {
        ownerReferences: [
          { uid: "1", controller: true },
          { uid: "2", apiVersion: "v1", kind: "Pod", name: "p" },
        ],
      },
    },
  ],
];
