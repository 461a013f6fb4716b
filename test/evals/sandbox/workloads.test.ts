import { describe, expect, it } from "vitest";
import { CURRENT_VERSION, GOOD_VERSIONS, SERVICES } from "../../../evals/sandbox/shop.ts";
import { deploymentHistory } from "../../../evals/sandbox/workloads.ts";

describe("what was deployed before anybody looked", () => {
  const history = deploymentHistory(SERVICES, (service, version) => `${service}${version}`.padEnd(40, "0"), [
    "catalog",
  ]);
  const of = (name: string) =>
    history.filter(({ object }) => object.metadata.name === name).map(({ object }) => object);

  it("is every good version of every service and of the canary, oldest first", () => {
    expect(history).toHaveLength(GOOD_VERSIONS.length * (SERVICES.length + 1));
    expect(history.map(({ agoMs }) => agoMs)).toEqual(history.map(({ agoMs }) => agoMs).toSorted((a, b) => b - a));
    expect(of("catalog-canary").map(({ spec }) => spec.replicas)).toEqual([0, 1]);
  });

  it("lets the service's selector pick the canary's pods, and the canary's none but its own", () => {
    const [stable, canary] = [of("catalog").at(-1), of("catalog-canary").at(-1)];
    expect(canary?.spec.template.metadata.labels).toMatchObject(stable?.spec.selector.matchLabels ?? { none: "" });
    expect(stable?.spec.template.metadata.labels).not.toMatchObject(canary?.spec.selector.matchLabels ?? {});
    expect(canary?.spec.template.spec.containers[0]?.image).toContain(`catalog:${CURRENT_VERSION}`);
  });

  it("has no canary where none is asked for", () => {
    expect(deploymentHistory(["cart"], () => "0".repeat(40)).map(({ object }) => object.metadata.name)).toEqual([
      "cart",
      "cart",
    ]);
  });
});
