import { describe, expect, it } from "vitest";
import { hashOf, sameTemplate } from "../../../../../evals/sandbox/kube/controllers/template-hash.ts";
import { withDefaults } from "../../../../../evals/sandbox/kube/defaults.ts";
import type { JsonObject } from "../../../../../evals/sandbox/kube/json.ts";
import type { KubeObject, PodTemplate } from "../../../../../evals/sandbox/kube/objects.ts";
import { deployment } from "../manifests.ts";

/** The template of a Deployment as the server stores it. */
const stored = (container: JsonObject, spec: JsonObject = {}): PodTemplate => {
  const manifest = deployment("shop/web:1");
  const template = {
    metadata: { labels: { app: "web" } },
    spec: { containers: [{ name: "web", image: "shop/web:1", ...container }], ...spec },
  };
  return withDefaults({ ...manifest, spec: { ...manifest.spec, template } } as KubeObject).spec
    ?.template as unknown as PodTemplate;
};

describe("equality of templates", () => {
  const plain = stored({});
  it.each([
    [
      "a default that was written out",
      stored({ terminationMessagePath: "/dev/termination-log" }, { dnsPolicy: "ClusterFirst" }),
      true,
    ],
    ["an empty list", stored({ env: [] }), true],
    ["empty resources", stored({ resources: {} }), true],
    ["the label of the hash", { ...plain, metadata: { labels: { app: "web", "pod-template-hash": "x" } } }, true],
    ["another image", stored({ image: "shop/web:2" }), false],
    ["a variable", stored({ env: [{ name: "A", value: "1" }] }), false],
    ["an annotation", { ...plain, metadata: { ...plain.metadata, annotations: { a: "b" } } }, false],
    ["a field that no version knows", stored({ futureField: true }), false],
  ] as const)("%s", (_, other, same) => {
    expect(sameTemplate(plain, other)).toBe(same);
    if (same) expect(hashOf({ ...other, metadata: plain.metadata ?? {} })).toBe(hashOf(plain));
    else expect(hashOf(other)).not.toBe(hashOf(plain));
  });

  it("the order of keys does not count, and a collision gives another name", () => {
    expect(hashOf({ a: 1, b: 2 })).toBe(hashOf({ b: 2, a: 1 }));
    expect(hashOf({ a: 1 }, 1)).not.toBe(hashOf({ a: 1 }));
    expect(hashOf({ a: 1 })).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  });
});

describe("defaults", () => {
  it.each([
    ["a tag is pulled if it is not there", "shop/web:1", "IfNotPresent"],
    ["latest is pulled always", "shop/web:latest", "Always"],
    ["no tag is latest", "shop/web", "Always"],
    ["a registry's port is no tag", "registry:5000/shop/web", "Always"],
    ["a digest is pulled if it is not there", "shop/web@sha256:abc", "IfNotPresent"],
  ])("%s", (_, image, imagePullPolicy) => {
    expect(stored({ image }).spec.containers[0]).toMatchObject({ imagePullPolicy });
  });

  it("limits are requests where none are asked for", () => {
    const resources = { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m" } };
    expect(stored({ resources }).spec.containers[0]).toMatchObject({
      resources: { limits: resources.limits, requests: { cpu: "500m", memory: "1Gi" } },
    });
  });
});
