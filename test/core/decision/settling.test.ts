import { describe, expect, it } from "vitest";
import { gatherEvidence } from "../../../core/correlation/rank.ts";
import { easedText, isEasing, seemsOver, stillSettling } from "../../../core/decision/settling.ts";
import type { Rollout } from "../../../core/model/evidence.ts";
import type { Finding } from "../../../core/model/finding.ts";
import { change, emptyCase, MINUTE, onsetAt, T0 } from "../correlation/fixtures.ts";
import { firing } from "../guardrails/rule-inputs.ts";

const STEP = 15_000;
const START = T0 - 120 * MINUTE;
const last = change({ id: "last", startedAt: T0 - 60 * MINUTE, finishedAt: T0 - 58 * MINUTE });
const now = change({ id: "now", from: "v1.1.0", to: "v1.2.0", finishedAt: null });

/** Latency of 100 ms; 180 ms for three minutes from the last rollout on, and 180 ms from this one on. */
const latency = (at: number): number => {
  const isSlow = at > T0 || (at > last.startedAt && at <= last.startedAt + 3 * MINUTE);
  return isSlow ? 180 : 100;
};

const findingOf = (metric: string, baseline: number, current: number): Finding => ({
  detector: "regression",
  service: "cart",
  metric,
  labels: {},
  unit: "",
  verdict: "worse",
  onset: onsetAt(T0),
  detectedAt: T0 + MINUTE,
  baseline,
  current,
  samples: 4,
  strength: 40,
  because: `${metric} of cart is worse`,
});

const rollout = (status: Rollout["status"], at: number): Rollout => ({
  service: "cart",
  workload: { kind: "Deployment", namespace: "shop", name: "cart" },
  version: "v1.2.0",
  revision: "3",
  status,
  replicas: { desired: 10, updated: 2, ready: 10, available: 10 },
  restarts: 0,
  revisions: [],
  observedAt: at,
  startedAt: T0,
});

function settling(
  minutes: number,
  status: Rollout["status"],
  more: readonly Finding[] = [],
  { first = [findingOf("p99_latency", 100, 180)], of = now }: { first?: readonly Finding[]; of?: typeof now } = {},
): string | null {
  const at = T0 + minutes * MINUTE;
  const values = Array.from({ length: (at - START) / STEP }, (_, i) => latency(START + (i + 1) * STEP));
  const p99 = { service: "cart", metric: "p99_latency", unit: "ms", worse: "up" as const, labels: {} };
  const caseFile = emptyCase({
    at,
    series: [{ ...p99, startAt: START + STEP, stepMs: STEP, values }],
    findings: [...first, ...more],
    changes: [last, of],
    rollouts: [rollout(status, at)],
  });
  const options = { versionLabel: "version", windowMs: 30 * MINUTE };
  const evidence = gatherEvidence(caseFile, onsetAt(T0), new Set(["cart"]), options);
  return stillSettling(of, { changeId: "now", service: "cart", probability: 0.95, reasons: [] }, evidence);
}

describe("what costs as much as the last rollout did, which passed", () => {
  it("is given time while the rollout replaces pods", () => {
    expect(settling(3, "progressing")).toContain("cost as much in p99_latency");
  });

  it("is given none where the rollout has stood still for long: no pod starts", () => {
    expect(settling(40, "paused")).toBeNull();
  });

  const unready = findingOf("health_check_failures", 0, 1);
  it("is no measure where pods are not ready: they are waited for while the rollout starts pods, as ever", () => {
    const text = settling(3, "progressing", [unready]);
    expect(text).not.toContain("cost as much");
    expect(text).toContain("is still replacing pods");
  });

  it.each<[string, Finding]>([
    ["the rollout is found stuck", { ...unready, detector: "rollout" }],
    ["requests fail", findingOf("error_rate", 0, 0.3)],
  ])("is given none where pods are not ready and %s", (_, more) => {
    expect(settling(3, "progressing", [unready, more])).toBeNull();
  });
});

describe("pods that are not ready, and nothing else", () => {
  const unready = findingOf("health_check_failures", 0, 1);
  const stuck: Finding = { ...unready, detector: "rollout" };
  const flag = change({ id: "now", kind: "flag", flag: "cart-v2", finishedAt: null });
  const done = { ...now, finishedAt: T0 + 2 * MINUTE };
  const rows: readonly (readonly [string, Parameters<typeof settling>, boolean])[] = [
    ["are waited for while the rollout starts pods", [1, "progressing", [], { first: [unready] }], true],
    ["are waited for no longer once the rollout is over", [4, "complete", [], { first: [unready], of: done }], false],
    [
      "are not waited for where requests fail too",
      [1, "progressing", [findingOf("error_rate", 0, 0.3)], { first: [unready] }],
      false,
    ],
    [
      "are not waited for where the new revision is found stuck",
      [1, "progressing", [stuck], { first: [unready] }],
      false,
    ],
    [
      "are not waited for beside a flag, which starts no pod",
      [1, "complete", [], { first: [unready], of: flag }],
      false,
    ],
  ];
  it.each(rows)("%s", (_, given, waits) => {
    const text = settling(...given);
    if (waits) expect(text).toContain("pods that start are not ready");
    else expect(text ?? "").not.toContain("pods that start");
  });
});

describe("the newest samples", () => {
  /** Latency of 100 ms, then these values since the onset, with what the finding says of the present. */
  const over = (since: readonly number[], current: number): boolean => {
    const p99 = { service: "cart", metric: "p99_latency", unit: "ms", worse: "up" as const, labels: {} };
    const values = [...Array.from({ length: 100 }, () => 100), ...since];
    const caseFile = emptyCase({
      at: T0 + since.length * STEP,
      series: [{ ...p99, startAt: T0 - 99 * STEP, stepMs: STEP, values }],
      findings: [findingOf("p99_latency", 100, current)],
    });
    return seemsOver(
      gatherEvidence(caseFile, onsetAt(T0), new Set(["cart"]), { versionLabel: "version", windowMs: 30 * MINUTE }),
    );
  };
  const many = (value: number, count = 20) => Array.from({ length: count }, () => value);

  const rows: readonly (readonly [string, readonly number[], number, boolean])[] = [
    ["that are back at what is usual say that it is over", [...many(200), 110], 190, true],
    ["say so also when the present level has long followed them", [...many(200), ...many(104, 8)], 106, true],
    ["that are as bad as ever say that it goes on", many(200), 200, false],
    ["that are half as bad say that it goes on", [...many(200), 150], 195, false],
  ];
  it.each(rows)("%s", (_, since, current, is) => {
    expect(over(since, current)).toBe(is);
  });
});

describe("S15: what is said of samples that are nearly back", () => {
  const samples = "the newest samples are far nearer to the baseline than to the degradation";
  it.each([
    ["no condition holds", [firing({ state: "inactive" })], `${samples}: looking again`],
    [
      "a condition holds still",
      [firing(), firing()],
      `${samples}, but error_rate > 0.05 for 3m of checkout still holds: looking again`,
    ],
    [
      "a condition is pending",
      [firing({ state: "pending" })],
      `${samples}, but error_rate > 0.05 for 3m of checkout is pending: looking again`,
    ],
    ["a condition holds on another service", [firing({ service: "search" })], `${samples}: looking again`],
  ])("%s", (_, conditions, text) => {
    expect(easedText({ conditions }, ["checkout"])).toBe(text);
  });
});

describe("what a deploy made slower", () => {
  /** By metric what is usual, then the values since the onset. */
  type Course = readonly [metric: string, usual: number, since: readonly number[], service?: string];
  const eases = (courses: readonly Course[]): string | null => {
    const length = Math.max(...courses.map(([, , since]) => since.length));
    const series = courses.map(([metric, usual, since, service = "cart"]) => ({
      service,
      metric,
      unit: "",
      worse: metric === "cache_hit_ratio" ? ("down" as const) : ("up" as const),
      labels: {},
      startAt: T0 - 99 * STEP,
      stepMs: STEP,
      values: [...Array.from({ length: 100 }, () => usual), ...since],
    }));
    const findings = courses.map(([metric, usual, since, service = "cart"]) => ({
      ...findingOf(metric, usual, since[4] ?? usual),
      service,
    }));
    const caseFile = emptyCase({ at: T0 + length * STEP, series, findings, changes: [now] });
    const options = { versionLabel: "version", windowMs: 30 * MINUTE };
    return isEasing(gatherEvidence(caseFile, onsetAt(T0), new Set(["cart", "web"]), options));
  };
  const warming = Array.from({ length: 14 }, (_, i) => 100 + 90 * Math.exp(-i / 6) + (i % 2));
  const level = (value: number) => Array.from({ length: 14 }, (_, i) => value + (i % 2));
  const stepped = [...level(190).slice(0, 4), ...level(140).slice(0, 10)];
  const failing = level(0).map((_, i) => 0.08 + 0.001 * (i % 2));
  const cache = Array.from({ length: 14 }, (_, i) => 0.92 - 0.3 * Math.exp(-i / 20));

  const rows: readonly (readonly [string, readonly Course[], boolean])[] = [
    ["and falls from minute to minute is easing", [["p99_latency", 100, warming]], true],
    ["and stays so is not", [["p99_latency", 100, level(190)]], false],
    ["and fell once, to stay at half of it, is not", [["p99_latency", 100, stepped]], false],
    [
      "and falls, while requests go on failing, is not",
      [
        ["p99_latency", 100, warming],
        ["error_rate", 0.001, failing],
      ],
      false,
    ],
    [
      "and falls, while its cache still fills, is",
      [
        ["p99_latency", 100, warming],
        ["cache_hit_ratio", 0.92, cache],
      ],
      true,
    ],
    [
      "and falls, while answers of a caller stay slow, is not",
      [
        ["p99_latency", 100, warming],
        ["p99_latency", 100, level(190), "web"],
      ],
      false,
    ],
    ["and that for a minute only cannot be determined", [["p99_latency", 100, warming.slice(0, 4)]], false],
  ];
  it.each(rows.map(([name, courses, is]) => ({ name, courses, is })))("$name", ({ courses, is }) => {
    expect(eases(courses) !== null).toBe(is);
    if (is) expect(eases(courses)).toMatch(/p99_latency of cart has come down to \d+ % of its worst by itself/);
  });
});
