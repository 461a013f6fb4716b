import { describe, expect, it } from "vitest";
import type { Series } from "../../../core/model/signal.ts";
import type { MetricSource } from "../../../core/ports.ts";
import { createTraffic } from "../../../mcp-tools/gate/traffic.ts";
import { NOW, policyOf } from "../../core/guardrails/rule-inputs.ts";
import { openWorld } from "./gate-world.ts";

const rate = (service: string, values: Series["values"], labels: Series["labels"] = {}): Series => ({
  service,
  metric: "request_rate",
  unit: "requests/s",
  worse: "either",
  labels,
  startAt: NOW - 30_000,
  stepMs: 15_000,
  values,
});
const source = (series: readonly Series[] | null, metrics = ["request_rate"]): MetricSource => ({
  name: "prometheus",
  metrics: () => metrics,
  range: async () => {
    if (series === null) throw new Error("down");
    return series;
  },
});
const read = (...sources: readonly MetricSource[]) =>
  createTraffic(sources, { now: () => NOW }, 15_000)(AbortSignal.timeout(1000));

describe("the traffic that a plan is compared with", () => {
  it.each([
    ["the newest sample of each service", [source([rate("a", [1, 2]), rate("b", [3, null])])], { a: 2, b: 3 }],
    ["whole services, not their versions", [source([rate("a", [5]), rate("a", [9], { version: "v2" })])], { a: 5 }],
    ["nothing of a service without a sample", [source([rate("a", [5]), rate("b", [null])])], { a: 5 }],
    ["the next source, where one is down", [source(null), source([rate("a", [1])])], { a: 1 }],
  ])("is %s", async (_, sources, rates) => {
    expect(Object.fromEntries(await read(...sources))).toEqual(rates);
  });

  it.each([
    ["no source knows it", [source([rate("a", [1])], ["error_rate"])]],
    ["the source is down", [source(null)]],
    ["there is no sample", [source([])]],
  ])("is not known where %s", async (_, sources) => {
    await expect(read(...sources)).rejects.toThrow(/^request_rate gave no usable answer/);
  });
});

describe("a limit by traffic, at the gate", () => {
  const config = policyOf({ blastRadius: { services: null, trafficShare: 0.5, replicas: null } });

  it.each([
    [
      "is kept by a small service",
      async () =>
        new Map([
          ["checkout", 1],
          ["web", 9],
        ]),
      "executed",
    ],
    [
      "holds a large one",
      async () =>
        new Map([
          ["checkout", 9],
          ["web", 1],
        ]),
      "held",
    ],
    ["holds where nobody can measure it", async () => Promise.reject(new Error("down")), "held"],
    ["holds where nothing measures it", undefined, "held"],
  ])("%s", async (_, traffic, outcome) => {
    await using world = await openWorld({ config, parts: traffic === undefined ? {} : { traffic } });
    const { plan } = await world.gate.propose(world.draft());
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome });
  });

  it("says why it is not known", async () => {
    const traffic = () => read(source(null));
    await using world = await openWorld({ config, parts: { traffic } });
    const { review } = await world.gate.propose(world.draft());
    expect(review.rules.find(({ rule }) => rule === "blast-radius")?.reason).toMatch(
      /checkout is not known \(request_rate gave no usable answer/,
    );
  });

  it("is not measured where the file sets none", async () => {
    let asked = 0;
    const traffic = async () => {
      asked += 1;
      return new Map<string, number>();
    };
    await using world = await openWorld({ parts: { traffic } });
    const { plan } = await world.gate.propose(world.draft());
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
    expect(asked).toBe(0);
  });
});
