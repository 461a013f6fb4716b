import { describe, expect, it } from "vitest";
import { capacityOf } from "../../../../mcp-tools/connectors/kubernetes/capacity.ts";
import { WorkloadObject } from "../../../../mcp-tools/connectors/kubernetes/objects.ts";
import { quantity } from "../../../../mcp-tools/connectors/pod-capacity.ts";

type Resources = { readonly limits?: object; readonly requests?: object };
const template = (resources?: Resources, name = "app") => ({
  spec: { containers: [{ name, image: "shop/app:1", ...(resources === undefined ? {} : { resources }) }] },
});
const deployment = (resources?: Resources) =>
  WorkloadObject.parse({ metadata: { name: "app" }, spec: { replicas: 5, template: template(resources) } });

describe("what an old version would have less of", () => {
  it.each([
    ["nothing, where both are the same", { limits: { cpu: "1" } }, { limits: { cpu: "1000m" } }, []],
    ["nothing, where it had more", { limits: { cpu: "1" } }, { limits: { cpu: 2 } }, []],
    ["nothing, where it had no limit", { limits: { memory: "1Gi" } }, undefined, []],
    [
      "a lower CPU limit",
      { limits: { cpu: "1" } },
      { limits: { cpu: "500m" } },
      ["the CPU limit of app is 500m, not 1"],
    ],
    [
      "a memory limit in other units",
      { limits: { memory: "1Gi" } },
      { limits: { memory: "1G" } },
      ["the memory limit of app is 1G, not 1Gi"],
    ],
    [
      "a limit, where there is none now",
      undefined,
      { limits: { cpu: "2" } },
      ["the CPU limit of app is 2, not unlimited"],
    ],
    [
      "no request, where there is one now",
      { requests: { cpu: "100m" } },
      {},
      ["the CPU request of app is not set, not 100m"],
    ],
    [
      "an amount that nobody can read",
      { limits: { cpu: "1" } },
      { limits: { cpu: "one" } },
      ["the CPU limit of app is one, not 1"],
    ],
  ] as const)("%s", (_, now, then, less) => {
    expect(capacityOf("Deployment", deployment(now), template(then))).toEqual({ replicas: 5, less });
  });

  it("is not known where a template cannot be read", () => {
    expect(capacityOf("Deployment", deployment(), { spec: {} })).toBeUndefined();
  });

  it("counts the nodes of a DaemonSet", () => {
    const daemon = WorkloadObject.parse({ ...deployment(), status: { desiredNumberScheduled: 12 } });
    expect(capacityOf("DaemonSet", daemon, template())).toEqual({ replicas: 12, less: [] });
  });

  it.each([
    ["500m", 0.5],
    ["2", 2],
    [1.5, 1.5],
    ["1Ki", 1024],
    ["1k", 1000],
    ["1e3", 1000],
    ["1E", 1e18],
    ["x", Number.NaN],
    ["1i", Number.NaN],
    ["", Number.NaN],
  ])("reads the quantity %s", (amount, value) => {
    expect(quantity(amount)).toBe(value);
  });
});
