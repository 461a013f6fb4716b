import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  configsOf,
  fingerprint,
  imageTag,
  sameTemplate,
  versionOf,
  withoutHash,
} from "../../../../mcp-tools/connectors/kubernetes/template.ts";

const pods = (images: Readonly<Record<string, string>>, labels = {}) => ({
  metadata: { labels },
  spec: { containers: Object.entries(images).map(([name, image]) => ({ name, image })) },
});
const DIGEST = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

describe("versionOf", () => {
  it.each([
    ["the tag", pods({ cart: "shop/cart:1.4.0" }), "1.4.0"],
    ["the tag, beside a registry's port", pods({ cart: "registry:5000/shop/cart:1.4.0" }), "1.4.0"],
    ["the tag, before a digest", pods({ cart: `shop/cart:1.4.0${DIGEST}` }), "1.4.0"],
    [
      "the tag rather than a label, which charts forget to raise",
      pods({ cart: "cart:1.4.0" }, { "app.kubernetes.io/version": "1.0.0" }),
      "1.4.0",
    ],
    [
      "the label, where there is no tag",
      pods({ cart: `shop/cart${DIGEST}` }, { "app.kubernetes.io/version": "1.4.0" }),
      "1.4.0",
    ],
    [
      "the label, where the tag is latest",
      pods({ cart: "shop/cart:latest" }, { "app.kubernetes.io/version": "1.4.0" }),
      "1.4.0",
    ],
    ["the digest's beginning, where there is neither", pods({ cart: `shop/cart${DIGEST}` }), "0123456789ab"],
    ["the name with latest, where there is nothing", pods({ cart: "registry:5000/shop/cart" }), "cart:latest"],
    ["every container, the first one bare", pods({ cart: "cart:1.4.0", proxy: "envoy:1.30" }), "1.4.0,proxy:1.30"],
    ["nothing of a template without containers", { spec: {} }, ""],
    ["nothing of something else", { spec: { containers: "?" } }, ""],
  ])("is %s", (_, template, version) => {
    expect(versionOf(template)).toBe(version);
  });

  it("reads no tag from an image without one", () => {
    expect(["cart", "registry:5000/cart", `cart${DIGEST}`].map(imageTag)).toEqual([null, null, null]);
  });
});

describe("configsOf", () => {
  it("names every ConfigMap and Secret that pods read, once", () => {
    const template = {
      spec: {
        initContainers: [{ name: "i", image: "i", envFrom: [{ secretRef: { name: "db" } }] }],
        containers: [
          {
            name: "c",
            image: "c",
            env: [
              { name: "A", valueFrom: { configMapKeyRef: { name: "app", key: "a" } } },
              { name: "B", value: "b" },
            ],
            envFrom: [{ configMapRef: { name: "app" } }],
          },
        ],
        volumes: [
          { name: "v", secret: { secretName: "tls" } },
          { name: "w", projected: { sources: [{ configMap: { name: "extra" } }, { secret: { name: "db" } }] } },
          { name: "x", emptyDir: {} },
        ],
      },
    };
    expect(configsOf(template)).toEqual(["ConfigMap app", "ConfigMap extra", "Secret db", "Secret tls"]);
  });
});

describe("sameTemplate", () => {
  const template = { metadata: { labels: { app: "cart" } }, spec: { containers: [{ name: "c", image: "cart:1" }] } };
  it.each([
    ["another key order", { spec: template.spec, metadata: template.metadata }, true],
    ["a null creationTimestamp", { ...template, metadata: { ...template.metadata, creationTimestamp: null } }, true],
    ["the controller's hash", { ...template, metadata: { labels: { app: "cart", "pod-template-hash": "abc" } } }, true],
    ["an empty list", { ...template, spec: { ...template.spec, volumes: [] } }, true],
    ["another image", { ...template, spec: { containers: [{ name: "c", image: "cart:2" }] } }, false],
    ["another label", { ...template, metadata: { labels: { app: "cart", tier: "web" } } }, false],
    [
      "another order of containers",
      { ...template, spec: { containers: [{ name: "s", image: "s" }, ...template.spec.containers] } },
      false,
    ],
    [
      "a field that this version does not know",
      { ...template, spec: { ...template.spec, futureField: { on: true } } },
      false,
    ],
  ])("with %s: %3$s", (_, other, same) => {
    expect(sameTemplate(template, other)).toBe(same);
    expect(fingerprint(template) === fingerprint(other)).toBe(same);
  });

  it("calls any template the same as its shuffled self with a hash, and its fingerprint equal", () => {
    const shuffled = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(shuffled)
        : typeof value === "object" && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([key, one]) => [key, shuffled(one)]),
            )
          : value;
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (spec, hash) => {
        const one = { metadata: { labels: { app: "a" } }, spec: spec as Record<string, unknown> };
        const other = shuffled({ ...one, metadata: { labels: { app: "a", "pod-template-hash": hash } } }) as typeof one;
        expect(sameTemplate(one, other)).toBe(true);
        expect(fingerprint(one)).toBe(fingerprint(other));
        expect(withoutHash(other)).toEqual(one);
      }),
    );
  });
});
