import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import { gatherPointedAt, pointAt } from "../../../core/assessment/point-at.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Series } from "../../../core/model/signal.ts";
import { testConfig } from "./config.ts";
import { base, edges } from "./trap.ts";
import { createWorld, deploy, START, type WorldOptions } from "./world.ts";

const STEP = 300_000;
const AT = START + 99 * STEP;

const series = (values: readonly (number | null)[], replaced: Partial<Series> = {}): Series => ({
  service: "cart",
  metric: "p50_latency",
  unit: "ms",
  worse: "up",
  labels: {},
  startAt: AT - (values.length - 1) * STEP,
  stepMs: STEP,
  values,
  ...replaced,
});
const caseOf = (...all: readonly Series[]): CaseFile => ({
  at: AT,
  series: all,
  findings: [],
  conditions: [],
  changes: [],
  topology: null,
  logs: [],
  spans: [],
  flags: [],
  rollouts: [],
  alerts: [],
  gaps: [],
});
/** A hundred samples about 50 that hardly move, the newest of them replaced. */
const usual = (newest: readonly number[]) => [
  ...Array.from({ length: 100 - newest.length }, (_, i) => 50 + (i % 7) - 3),
  ...newest,
];
const pointed = (file: CaseFile, metric?: string) =>
  pointAt(file, { service: "cart", ...(metric === undefined ? {} : { metric }) }).findings.find(
    ({ detector }) => detector === "pointed-at",
  );

describe("pointAt: what somebody points at", () => {
  it.each<[string, Series, number, number]>([
    ["two samples of five minutes suffice", series(usual([90, 95])), 2, 92.5],
    ["one sample does", series(usual([200])), 1, 200],
    ["a fall of what may hurt both ways", series(usual([5, 5, 5]), { metric: "orders", worse: "either" }), 3, 5],
    ["traffic that fell to nothing", series(usual([0, 0]), { metric: "request_rate", worse: "either" }), 2, 0],
    [
      "errors of a service that has none",
      series([...Array(97).fill(0), 0.2, 0.3, 0.2], { metric: "error_rate" }),
      3,
      0.2,
    ],
  ])("%s", (_, one, back, current) => {
    const finding = pointed(caseOf(one), one.metric);
    expect(finding).toMatchObject({ verdict: "worse", metric: one.metric, current });
    expect(finding?.strength).toBeGreaterThan(Math.log(20));
    expect(finding?.onset?.at).toBe(AT - back * STEP);
  });

  it("without a metric it is what is furthest off", () => {
    const file = caseOf(series(usual([60, 60])), series(usual([250, 250]), { metric: "p99_latency" }));
    expect(pointed(file)?.metric).toBe("p99_latency");
  });

  it("what is as usual is said to be", () => {
    const finding = pointed(caseOf(series(usual([]))));
    expect(finding?.strength).toBeLessThanOrEqual(Math.log(20));
    expect(finding?.because).toMatch(/pointed at: .* ms, usually .* ms/);
  });

  it.each<[string, CaseFile]>([
    ["a service that nobody measures", caseOf(series(usual([90]), { service: "web" }))],
    ["three samples are no history", caseOf(series([50, 50, 90]))],
    ["silence", caseOf(series(Array(50).fill(null)))],
  ])("nothing is claimed of %s", (_, file) => {
    expect(pointAt(file, { service: "cart" })).toEqual(file);
  });

  it("a time shift shifts the onset and nothing else", () => {
    const shapes = fc.array(fc.double({ min: 1, max: 500, noNaN: true }), { minLength: 8, maxLength: 60 });
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 10_000 }), (values, steps) => {
        const shift = steps * STEP;
        const here = pointed(caseOf(series(values)));
        const file = caseOf(series(values, { startAt: AT + shift - (values.length - 1) * STEP }));
        const there = pointed({ ...file, at: AT + shift });
        const moved = (at: number) => at + shift;
        expect(there).toEqual(
          here && {
            ...here,
            detectedAt: moved(here.detectedAt),
            onset: here.onset && {
              at: moved(here.onset.at),
              earliest: moved(here.onset.earliest),
              latest: moved(here.onset.latest),
            },
          },
        );
      }),
    );
  });
});

describe("an investigation of what somebody points at", () => {
  const coarse = {
    ...base,
    stepS: 300,
    historyS: 2 * 86_400,
    minutes: 60,
    metrics: ["request_rate", "error_rate", "p50_latency"],
  } as const;

  async function investigate(options: WorldOptions, service: string) {
    const world = createWorld({ ...options, seed: 11 });
    world.now = START + 45 * 60_000;
    const config = testConfig({ watch: { stepMs: world.stepMs } });
    const parts = { sources: world.sources, config };
    const caseFile = await gatherPointedAt(parts, { service }, world.now, new AbortController().signal);
    return { caseFile, assessment: assess(caseFile, config, [service]) };
  }

  it("finds where it starts from samples of five minutes, without any change", async () => {
    const effects = [{ service: "stock", fromS: 1800, latency: 6 }];
    const { caseFile, assessment } = await investigate({ ...coarse, effects }, "web");
    const ranking = assessment.answers.correlate_timing?.ranking;
    const places = new Set([...caseFile.series.map(({ service }) => service), ...edges.flat()]);
    const named = ranking?.rootCauses.map(({ service }) => service) ?? [];
    expect(named[0]).toBe("stock");
    expect([...places].filter((place) => !named.includes(place))).toEqual([]);
    expect(ranking?.candidates).toEqual([]);
    expect(ranking?.noChangeProbability).toBe(1);
    expect(assessment.decision).toMatchObject({ action: "no_action", culprit: null });
  });

  it("takes nothing back because somebody points at a service that is well", async () => {
    const changes = [deploy("cart", 1500)];
    const { assessment } = await investigate({ ...coarse, changes }, "cart");
    expect(assessment.decision.action).toBe("no_action");
    expect(assessment.targets).toEqual([]);
  });
});
