import { describe, expect, it } from "vitest";
import { environmentOf } from "../../../../../evals/sandbox/kube/controllers/pod-environment.ts";
import type { ConfigMap, EnvVar, Pod } from "../../../../../evals/sandbox/kube/objects.ts";

const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-1", namespace: "shop", labels: { "app.kubernetes.io/name": "web" } },
  spec: { containers: [], nodeName: "sandbox" },
};
const conf: ConfigMap = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "conf" },
  data: { mode: "calm", level: "3" },
};
const find = (name: string) => (name === "conf" ? conf : undefined);
const of = (env: readonly EnvVar[], envFrom: readonly object[] = []) =>
  environmentOf(pod, { name: "web", image: "web:1", env, envFrom }, find);
const fromKey = (name: string, key: string, optional = false): EnvVar => ({
  name: "X",
  valueFrom: { configMapKeyRef: { name, key, optional } },
});

describe("a container's environment", () => {
  it.each([
    ["a value", [{ name: "A", value: "1" }], { A: "1" }],
    ["no value is empty", [{ name: "A" }], { A: "" }],
    [
      "a reference to one before",
      [
        { name: "A", value: "1" },
        { name: "B", value: "$(A)2" },
      ],
      { A: "1", B: "12" },
    ],
    ["a reference to none stays", [{ name: "B", value: "$(A)" }], { B: "$(A)" }],
    [
      "an escaped reference",
      [
        { name: "A", value: "1" },
        { name: "B", value: "$$(A)" },
      ],
      { A: "1", B: "$(A)" },
    ],
    ["a ConfigMap's key", [fromKey("conf", "mode")], { X: "calm" }],
    ["an optional key that is not there", [fromKey("conf", "none", true), fromKey("none", "a", true)], {}],
    ["the pod's name", [{ name: "X", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }], { X: "web-1" }],
    [
      "the pod's namespace",
      [{ name: "X", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } }],
      { X: "shop" },
    ],
    [
      "a label",
      [{ name: "X", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app.kubernetes.io/name']" } } }],
      { X: "web" },
    ],
  ] as const)("%s", (_, env, expected) => {
    expect(of(env)).toEqual(expected);
  });

  it("a whole ConfigMap with a prefix, overridden by the container's own", () => {
    const envFrom = [{ prefix: "P_", configMapRef: { name: "conf" } }];
    expect(of([{ name: "P_level", value: "9" }], envFrom)).toEqual({ P_mode: "calm", P_level: "9" });
  });

  it.each([
    ["a missing ConfigMap", [fromKey("none", "a")], [], 'configmap "none" not found'],
    ["a missing key", [fromKey("conf", "none")], [], "couldn't find key none in ConfigMap shop/conf"],
    ["a missing ConfigMap of envFrom", [], [{ configMapRef: { name: "none" } }], 'configmap "none" not found'],
  ])("refuses %s", (_, env, envFrom, message) => {
    expect(() => of(env, envFrom)).toThrow(message);
  });
});
