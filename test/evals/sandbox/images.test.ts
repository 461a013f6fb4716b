import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openRegistry } from "../../../evals/sandbox/images.ts";
import { SCENARIO_NAMES } from "../../../evals/sandbox/scenarios.ts";
import { build, CALLS, GOOD_VERSIONS, SERVICES } from "../../../evals/sandbox/shop.ts";

const fresh = () => mkdtempSync(join(tmpdir(), "registry-"));

describe("the image registry", () => {
  it("gives back what was pushed, and nothing for what was not", () => {
    const registry = openRegistry(fresh());
    const manifest = build("cart", "1.2.0", [{ kind: "waits", share: 1, ms: 5 }]);
    expect(registry.push(manifest)).toBe("shop/cart:1.2.0");
    expect(registry.pull("shop/cart:1.2.0")).toEqual(manifest);
    for (const missing of ["shop/cart:1.3.0", "cart:1.2.0", "shop/cart", "shop/../cart:1.2.0", "other/cart:1.2.0"])
      expect(registry.pull(missing)).toBeUndefined();
    expect(registry.tags("cart")).toEqual(["1.2.0"]);
  });

  it("never overwrites a tag, and refuses a name that is none", () => {
    const registry = openRegistry(fresh());
    registry.push(build("cart", "1.0.0"));
    expect(() => registry.push(build("cart", "1.0.0"))).toThrow("EEXIST");
    expect(() => registry.push({ ...build("cart", "1.0.0"), version: "a/b" })).toThrow("no image reference");
  });

  it("gives a bad build the name that a good one would have", () => {
    const [good, bad] = [fresh(), fresh()];
    openRegistry(good).push(build("cart", "1.2.0"));
    openRegistry(bad).push(build("cart", "1.2.0", [{ kind: "throws", share: 1, message: "x" }]));
    expect(readdirSync(bad)).toEqual(readdirSync(good));
  });
});

describe("the shop", () => {
  it("has at least six services, two good versions of each, and calls only what there is", () => {
    expect(SERVICES.length).toBeGreaterThanOrEqual(6);
    expect(GOOD_VERSIONS.length).toBeGreaterThanOrEqual(2);
    for (const [caller, callee] of CALLS) {
      expect(SERVICES).toContain(caller);
      expect([...SERVICES, "bank"]).toContain(callee);
    }
    for (const { service, path, method } of SERVICES.flatMap((name) =>
      build(name, "1.1.0").routes.flatMap(({ calls }) => calls),
    ))
      if (service !== "bank")
        expect(build(service, "1.1.0").routes).toContainEqual(expect.objectContaining({ path, method }));
  });

  it("says no scenario's name in any good image", () => {
    const text = JSON.stringify(SERVICES.flatMap((name) => GOOD_VERSIONS.map((version) => build(name, version))));
    for (const name of SCENARIO_NAMES.filter((one) => one !== "flag")) expect(text).not.toContain(name);
  });
});
