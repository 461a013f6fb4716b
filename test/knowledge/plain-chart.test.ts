import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantity } from "../../knowledge/postmortem/figures.ts";
import { plainChart } from "../../knowledge/postmortem/plain-chart.ts";

describe("the plain chart", () => {
  it("reaches the worst sample of any time, however many samples a bar stands for", () => {
    const sample = fc.oneof(fc.constant(null), fc.double({ min: 0, max: 5000, noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 2, maxLength: 400 }).filter((values) => values.some((value) => value !== null)),
        fc.integer({ min: 1, max: 60 }),
        (values, seconds) => {
          const stepMs = seconds * 1000;
          const series = { service: "checkout", metric: "p99_latency", unit: "ms", worse: "up" as const, labels: {} };
          const to = (values.length - 1) * stepMs;
          const drawn = plainChart({ ...series, startAt: 0, stepMs, values }, 0, to, []);
          const top = Math.max(...values.filter((value) => value !== null));
          expect(drawn.split("\n")[0]).toBe(`checkout p99_latency, top of the bars ${quantity(top, "ms")}`);
        },
      ),
    );
  });
});
