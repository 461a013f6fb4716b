import { describe, expect, it } from "vitest";
import { mayPass, newVersionStaysBad, rampEvidence } from "../../../core/correlation/passing.ts";
import { gatherEvidence } from "../../../core/correlation/rank.ts";
import { change, emptyCase, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const BEFORE = 120;
const rollout = change({ finishedAt: T0 + MINUTE });

/** Nobody fails and nobody waits; a queue of about ten that does as told from the rollout's start on, `minutes` long. */
function queueMayPass(queue: (minutesIn: number) => number, minutes = 6): boolean {
  const row = (metric: string, value: (i: number) => number) => ({
    service: "cart",
    metric,
    unit: "",
    worse: "up" as const,
    labels: {},
    startAt: T0 - (BEFORE - 1) * STEP,
    stepMs: STEP,
    values: Array.from({ length: BEFORE + (minutes * MINUTE) / STEP }, (_, i) => value(i)),
  });
  const at = T0 + minutes * MINUTE;
  const since = (i: number) => ((i - BEFORE + 1) * STEP) / MINUTE;
  const finding = {
    detector: "regression",
    service: "cart",
    metric: "queue_depth",
    labels: {},
    unit: "",
    verdict: "worse" as const,
    onset: onsetAt(T0),
    detectedAt: T0 + MINUTE,
    baseline: 10,
    current: queue(minutes),
    samples: 4,
    strength: 40,
    because: "queue_depth of cart is worse",
  };
  const caseFile = emptyCase({
    at,
    changes: [rollout],
    findings: [finding],
    series: [
      row("error_rate", (i) => 0.002 + 0.001 * (i % 2)),
      row("p50_latency", (i) => 20 + (i % 3)),
      row("queue_depth", (i) => (i < BEFORE ? 10 + (i % 3) : queue(since(i)))),
    ],
  });
  const options = { versionLabel: "version", windowMs: 30 * MINUTE };
  return mayPass(rollout, gatherEvidence(caseFile, onsetAt(T0), new Set(["cart"]), options));
}

describe("what began during a rollout, and hurts nobody yet", () => {
  const rows: readonly (readonly [string, (minutes: number) => number, boolean, number?])[] = [
    ["a queue that goes on growing after it does not pass", (m) => 10 + 100 * m, false],
    ["a queue that is full and stays so does not pass", (m) => Math.min(200, 10 + 100 * m), false],
    ["a queue that is worked off after it may pass", (m) => (m <= 1 ? 10 + 100 * m : 110 - 18 * (m - 1)), true],
    ["a queue that is back at its usual length may pass", (m) => (m <= 1 ? 10 + 100 * m : 11), true],
    ["a queue that grows may pass while the rollout goes on", (m) => 10 + 100 * m, true, 1],
  ];
  it.each(rows.map(([name, queue, passes, minutes]) => ({ name, queue, passes, minutes })))(
    "$name",
    ({ queue, passes, minutes }) => {
      expect(queueMayPass(queue, minutes)).toBe(passes);
    },
  );
});

describe("a new version that is worse beside the old one", () => {
  /** What the new version shows from its first pod on, a value each step, and what the old one shows meanwhile. */
  const staysBad = (
    metric: string,
    usual: number,
    since: readonly number[],
    beside: readonly number[] = since.map(() => usual),
  ): boolean => {
    const labelled = (version: string, startAt: number, values: readonly number[]) => {
      const of = { service: "cart", metric, unit: "", worse: "up" as const, labels: { version } };
      return { ...of, startAt, stepMs: STEP, values };
    };
    const before = [...Array.from({ length: BEFORE }, () => usual), ...beside];
    const finding = {
      detector: "version",
      service: "cart",
      metric,
      labels: {},
      unit: "",
      verdict: "worse" as const,
      onset: onsetAt(T0),
      detectedAt: T0 + STEP,
      baseline: usual,
      current: since.at(-1) ?? usual,
      samples: since.length,
      strength: 40,
      because: `${metric} of cart is worse`,
    };
    const caseFile = emptyCase({
      at: T0 + since.length * STEP,
      changes: [rollout],
      findings: [finding],
      series: [labelled("v1.0.0", T0 - (BEFORE - 1) * STEP, before), labelled("v1.1.0", T0 + STEP, since)],
    });
    const options = { versionLabel: "version", windowMs: 30 * MINUTE };
    return newVersionStaysBad(rollout, gatherEvidence(caseFile, onsetAt(T0), new Set(["cart"]), options));
  };
  const rows: readonly (readonly [string, string, number, readonly number[], boolean, (readonly number[])?])[] = [
    ["is not yet known to stay slow while its pods may be warming up", "p99_latency", 100, [180, 180, 180], false],
    [
      "is not yet known to stay slow a minute after its first pod, while the others have only just started",
      "p99_latency",
      100,
      [180, 180, 180, 180, 180],
      false,
    ],
    [
      "stays slow where it is once most of its pods have served for the minute in which they warm up",
      "p99_latency",
      100,
      [180, 180, 180, 180, 180, 180, 180],
      true,
    ],
    ["does not stay slow where its pods have warmed up", "p99_latency", 100, [180, 170, 140, 120, 105, 105], false],
    [
      "does not stay slow where its pods have warmed up while something slows both",
      "p99_latency",
      100,
      [180, 180, 160, 580, 550, 540, 530],
      false,
      [100, 100, 100, 500, 500, 500, 500],
    ],
    ["is not waited for where its requests fail", "error_rate", 0.001, [0.3, 0.3], true],
    ["does not stay bad where its requests fail no longer", "error_rate", 0.001, [0.3, 0.3, 0.1, 0.002, 0.002], false],
  ];
  it.each(rows.map(([name, ...rest]) => ({ name, rest })))(
    "$name",
    ({ rest: [metric, usual, since, stays, beside] }) => {
      expect(staysBad(metric, usual, since, beside)).toBe(stays);
    },
  );
});

describe("late answers after a rollout, which nobody measures by version", () => {
  /** Whether 180 ms instead of 100 ms may still pass so many minutes after the rollout's start, which took one; `more`: what is worse beside it. */
  const late = (minutes: number, more: readonly string[] = []) => {
    const at = T0 + minutes * MINUTE;
    const length = BEFORE + (minutes * MINUTE) / STEP;
    const row = (metric: string, usual: number, since: number) => ({
      ...{ service: "cart", metric, unit: "", worse: "up" as const, labels: {} },
      ...{ startAt: T0 - (BEFORE - 1) * STEP, stepMs: STEP },
      values: Array.from({ length }, (_, i) => (i < BEFORE ? usual + (i % 3) * (usual / 100) : since)),
    });
    const finding = (metric: string, baseline: number, current: number) => ({
      ...{ detector: "regression", service: "cart", metric, labels: {}, unit: "", verdict: "worse" as const },
      ...{ onset: onsetAt(T0), detectedAt: T0 + STEP, baseline, current, samples: 4, strength: 40, because: metric },
    });
    const caseFile = emptyCase({
      at,
      changes: [rollout],
      findings: [finding("p99_latency", 100, 180), ...more.map((metric) => finding(metric, 0, 0.3))],
      series: [row("p99_latency", 100, 180), row("error_rate", 0.002, more.includes("error_rate") ? 0.3 : 0.002)],
    });
    const options = { versionLabel: "version", windowMs: 30 * MINUTE };
    const evidence = gatherEvidence(caseFile, onsetAt(T0), new Set(["cart"]), options);
    return { passes: mayPass(rollout, evidence, "warm"), stays: newVersionStaysBad(rollout, evidence) };
  };

  it.each<[string, number, readonly string[], boolean]>([
    ["may pass until its last pods have had a minute to get warm", 1.75, [], true],
    ["do not once they stay longer than that", 4, [], false],
    ["may pass as long while pods are not ready yet", 1.75, ["health_check_failures"], true],
    ["are no such cost where requests fail for longer than pods take to end", 3, ["error_rate"], false],
  ])("%s", (_, minutes, more, passes) => expect(late(minutes, more).passes).toBe(passes));

  it("are not known to stay with the new version: nothing tells how that goes on", () =>
    expect(late(3, ["health_check_failures"]).stays).toBe(false));
});

describe("errors during a rollout", () => {
  /** Log likelihood ratio of growth with a rollout of `errors.length + 1` steps, an error ratio each step from its start on. */
  const grows = (errors: readonly number[]): number => {
    const row = (metric: string, value: (i: number) => number) => ({
      service: "cart",
      metric,
      unit: "",
      worse: "up" as const,
      labels: {},
      startAt: T0 - (BEFORE - 1) * STEP,
      stepMs: STEP,
      values: Array.from({ length: BEFORE + errors.length }, (_, i) => value(i)),
    });
    const at = T0 + errors.length * STEP;
    const going = change({ finishedAt: null });
    const finding = {
      detector: "regression",
      service: "cart",
      metric: "error_rate",
      labels: {},
      unit: "",
      verdict: "worse" as const,
      onset: onsetAt(T0, 0, STEP),
      detectedAt: at,
      baseline: 0.002,
      current: errors.at(-1) ?? 0,
      samples: 4,
      strength: 40,
      because: "error_rate of cart is worse",
    };
    const caseFile = emptyCase({
      at,
      changes: [going],
      findings: [finding],
      series: [
        row("error_rate", (i) => (i < BEFORE ? 0.002 : (errors[i - BEFORE] ?? 0))),
        row("request_rate", () => 80),
      ],
    });
    const options = { versionLabel: "version", windowMs: 30 * MINUTE };
    const evidence = gatherEvidence(caseFile, onsetAt(T0, 0, STEP), new Set(["cart"]), options);
    return rampEvidence(going, evidence, ["cart"]) ?? Number.NaN;
  };
  const even = (share: number) => (_: unknown, i: number) => 0.002 + share * (i + 1);
  const rows: readonly (readonly [string, readonly number[], "grow" | "do not grow"])[] = [
    ["that rise evenly", Array.from({ length: 10 }, even(0.02)), "grow"],
    ["that rise evenly, followed for three samples", Array.from({ length: 5 }, even(0.05)), "grow"],
    ["that are as bad at once", new Array<number>(10).fill(0.17), "do not grow"],
    [
      "that a stray one precedes, and that are then as bad at once",
      [0.005, 0.002, 0.002, 0.007, 0.17, 0.18, 0.19, 0.17, 0.17, 0.18],
      "do not grow",
    ],
    [
      "that begin within a sample, and are then as bad at once",
      [0.003, 0.002, 0.002, 0.006, 0.06, 0.17, 0.18, 0.17, 0.17, 0.18],
      "do not grow",
    ],
  ];
  it.each(rows)("%s", (_, errors, expected) => {
    if (expected === "grow") expect(grows(errors)).toBeGreaterThan(Math.log(4));
    else expect(grows(errors)).toBeLessThan(-Math.log(4));
  });
});
