import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mappingOf } from "../../../../mcp-tools/connectors/scrape/mapping.ts";
import { TargetState } from "../../../../mcp-tools/connectors/scrape/target-state.ts";
import { pageOf } from "../../../fakes/fake-exporter.ts";

const STEP = 1000;
const options = {
  labels: {},
  serviceLabel: "service",
  versionLabel: "version",
  custom: {},
  maxSamples: 1000,
  maxElapsedMs: 2.5 * STEP,
};

/** What happens to a pod between two ticks: requests and failures, and then perhaps a restart or an unanswered scrape. */
const happening = fc.record({
  good: fc.nat(20),
  bad: fc.nat(5),
  next: fc.constantFrom("answers", "answers", "answers", "misses", "restarts"),
});

describe("TargetState", () => {
  it("counts every request once, over restarts and missed answers, with or without a start time", () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), fc.boolean(), (story, saysStart) => {
        const state = new TargetState(options);
        let [good, bad, startedAt, missed] = [0, 0, -60_000, 0];
        const truth = { requests: 0, errors: 0 };
        const found = { requests: 0, errors: 0 };
        let pending = { requests: 0, errors: 0 };
        const read = (at: number) => {
          const page = pageOf({
            service: "shop",
            version: "1",
            // The 5xx series appears with the first failure, as in most client libraries.
            requests: { 200: good, ...(bad > 0 ? { 500: bad } : {}) },
            ...(saysStart ? { startedAt } : {}),
          });
          for (const { requests = 0, errors = 0 } of state.read(page, at, at - STEP).readings) {
            found.requests += requests;
            found.errors += errors;
          }
        };
        read(1_000_000);
        story.forEach((event, i) => {
          const at = 1_000_000 + (i + 1) * STEP;
          good += event.good;
          bad += event.bad;
          pending = { requests: pending.requests + event.good + event.bad, errors: pending.errors + event.bad };
          // Two answers missed in a row leave a gap, in which nothing can be counted: not what this is about.
          if (event.next === "misses" && missed === 0) {
            missed = 1;
            return;
          }
          missed = 0;
          read(at);
          truth.requests += pending.requests;
          truth.errors += pending.errors;
          pending = { requests: 0, errors: 0 };
          if (event.next === "restarts") [good, bad, startedAt] = [0, 0, at + 1];
        });
        // Without a start time a restart shows only where a counter fell: one that has overtaken its old value hides.
        const hidden = !saysStart && story.some(({ next }) => next === "restarts");
        if (hidden) expect(found.requests).toBeLessThanOrEqual(truth.requests);
        else expect(found).toEqual(truth);
      }),
      { numRuns: 300 },
    );
  });

  it("counts from 0 once only where a start time is rounded up past a tick that already saw it", () => {
    const state = new TargetState(options);
    const page = (count: number) =>
      pageOf({ service: "shop", version: "1", requests: { 200: count }, startedAt: 10_000 });
    const counted = [9_400, 10_400, 11_400, 12_400].map((at, i) => state.read(page(5 * (i + 1)), at, at - STEP));
    expect(counted.map(({ readings }) => readings[0]?.requests)).toEqual([5, 5, 5, 5]);
  });

  it("never counts below zero, whatever the numbers do", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.double(), fc.constantFrom(Number.NaN, -1, 0, Number.POSITIVE_INFINITY))),
        (values) => {
          const state = new TargetState(options);
          values.forEach((value, i) => {
            const text = value === Number.POSITIVE_INFINITY ? "+Inf" : String(value);
            const page = `http_requests_total{service="shop",status="500"} ${text}\n`;
            for (const { requests = 0, errors = 0 } of state.read(page, (i + 1) * STEP, i * STEP).readings) {
              expect(requests).toBeGreaterThanOrEqual(0);
              expect(Number.isFinite(errors)).toBe(true);
            }
          });
        },
      ),
    );
  });

  it.each([
    ["a counter of failures", 'http_requests_total{service="shop",status="500"}', ""],
    ["a counter of successes", 'http_requests_total{service="shop",status="200"}', ""],
    ["the histogram's failures", 'http_request_duration_seconds_count{service="shop",status="500"}', ',status="200"'],
  ])("S9: an unknown count of failures is never zero failures: %s that is no number", (_, broken, status) => {
    fc.assert(
      fc.property(fc.constantFrom("NaN", "+Inf", "-Inf", "-1"), fc.integer({ min: 1, max: 5 }), (value, ticks) => {
        const state = new TargetState(options);
        const page = (tick: number, failures: string) =>
          [
            `http_requests_total{service="shop",status="200"} ${100 * tick}`,
            `http_requests_total{service="shop",status="500"} ${40 * tick}`,
            `http_request_duration_seconds_count{service="shop"${status}} ${140 * tick}`,
          ]
            .filter((line) => !line.startsWith(`${broken} `) && !(broken.includes("count{") && line.includes("_total")))
            .concat(`${broken} ${failures}`)
            .join("\n");
        const read = (tick: number, failures: string) =>
          state.read(`${page(tick, failures)}\n`, tick * STEP, (tick - 1) * STEP).readings[0] ?? {};
        read(1, "40");
        const later = Array.from({ length: ticks }, (_, index) => read(index + 2, value));
        expect(later.map((reading) => ("errors" in reading ? reading.errors : undefined))).toEqual(
          later.map(() => undefined),
        );
        // What grew meanwhile is of nobody knows which step.
        expect(read(ticks + 2, "9000")).not.toHaveProperty("errors");
        const whole = read(ticks + 3, "9040");
        expect(whole).toHaveProperty("errors", 40);
      }),
    );
  });

  it("keeps within its number of series while labels come and go, and goes on counting those that stay", () => {
    const state = new TargetState({ ...options, maxSamples: 50 });
    let requests = 0;
    for (let tick = 0; tick < 200; tick += 1) {
      const fleeting = Array.from(
        { length: 20 },
        (_, i) => `http_requests_total{service="shop",user="${tick}-${i}",status="200"} 0\n`,
      );
      const page = `http_requests_total{service="shop",status="200"} ${tick * 3}\n${fleeting.join("")}`;
      requests = state.read(page, (tick + 1) * STEP, tick * STEP).readings[0]?.requests ?? 0;
    }
    expect(requests).toBe(3);
  });
});

describe("mappingOf", () => {
  const gauge = { kind: "gauge", matchers: [] } as const;
  it.each([
    ["queue_depth", { ...gauge, series: "queue_depth", aggregate: "sum" }],
    ["max(queue_depth)", { ...gauge, series: "queue_depth", aggregate: "max" }],
    ['avg(queue_depth{queue="a"})', { ...gauge, series: "queue_depth", matchers: [["queue", "a"]], aggregate: "avg" }],
    ["sum(rate(jobs_total[5m]))", { series: "jobs_total", matchers: [], kind: "counter", aggregate: "sum" }],
  ])("%s can be read without Prometheus", (query, mapping) => {
    expect(mappingOf(query)).toEqual({ ok: true, mapping });
  });

  it.each([
    ["a / b"],
    ["sum by (route) (a)"],
    ['a{b=~"c"}'],
    ["quantile(0.9, a)"],
    ["histogram_quantile(0.9, rate(a_bucket[5m]))"],
    ["increase(a[5m])"],
    ["5"],
    [""],
    ["sum("],
    ["a offset 5m"],
  ])("%s cannot, and it says so", (query) => {
    expect(mappingOf(query)).toMatchObject({ ok: false, because: expect.stringContaining("without Prometheus") });
  });
});
