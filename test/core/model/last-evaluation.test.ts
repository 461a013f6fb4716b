import { describe, expect, it } from "vitest";
import {
  type LastEvaluation,
  lastEvaluationLines,
  lastEvaluationView,
  noMetricsLines,
  noneOpenText,
} from "../../../core/model/last-evaluation.ts";

const NOW = Date.parse("2026-03-02T14:10:00Z");
const STEP = 15_000;
const fresh: LastEvaluation = { at: NOW - 8_000, stepMs: STEP, down: [] };
const old: LastEvaluation = { ...fresh, at: NOW - 46_000 };
const source = { source: "prometheus", parts: ["metrics: error_rate", "metrics: p99", "targets"], since: NOW - 60_000 };

describe("the last evaluation, as status tells it", () => {
  it.each<[string, LastEvaluation | null, boolean | null, readonly string[]]>([
    ["a watch that evaluates", fresh, true, ["Last evaluation: 14:09:52 UTC, 8s ago", "  every source answered"]],
    [
      "a watch one of whose sources is down",
      { ...fresh, down: [source] },
      true,
      [
        "Last evaluation: 14:09:52 UTC, 8s ago",
        "  prometheus did not answer then (targets), since 14:09:00 UTC",
        "  every other source answered",
      ],
    ],
    [
      "a watch that hangs",
      old,
      true,
      [
        "Last evaluation: 14:09:14 UTC, 46s ago, and one is due every 15s: THE WATCH EVALUATES NOTHING",
        "  every source answered",
      ],
    ],
    [
      "a watch that ended, and one of whose sources was down",
      { ...old, down: [source] },
      false,
      [
        "Last evaluation: 14:09:14 UTC, 46s ago",
        "  prometheus did not answer then (metrics: error_rate, p99; targets), since 14:09:00 UTC",
        "  every other source answered",
      ],
    ],
    ["a watch that has just begun", null, true, ["Last evaluation: none is recorded"]],
    ["no watch ever", null, false, []],
  ])("%s", (_, last, isWatched, lines) => {
    expect(lastEvaluationLines(last, { now: NOW, isWatched })).toEqual(lines);
  });

  it("says what cannot be detected without metrics, to people and to machines", () => {
    const last = { ...fresh, down: [source, { source: "loki", parts: ["logs"], since: NOW }] };
    expect(noMetricsLines(last, { now: NOW, isWatched: true })).toEqual([
      "NO METRICS from prometheus since 14:09:00 UTC (1m): no degradation of error_rate, p99 can be detected. Check prometheus.",
    ]);
    expect(lastEvaluationView(last, NOW).no_metrics).toEqual([
      { source: "prometheus", metrics: ["error_rate", "p99"], since: "2026-03-02T14:09:00.000Z" },
    ]);
  });

  it("is late as JSON after three steps", () => {
    expect(lastEvaluationView(fresh, NOW)).toMatchObject({ late: false, step_seconds: 15 });
    expect(lastEvaluationView(fresh, fresh.at + 3 * STEP + 1)).toMatchObject({ late: true });
  });
});

describe("S9: that no incident is open", () => {
  const lasts: readonly (readonly [string, LastEvaluation | null])[] = [
    ["nothing was evaluated", null],
    ["evaluated just now", fresh],
    ["evaluated long ago", old],
    ["without metrics", { ...fresh, down: [source] }],
    ["without all metrics of a source", { ...fresh, down: [{ ...source, parts: ["metrics"] }] }],
    ["long ago, without metrics", { ...old, down: [source] }],
    ["without changes", { ...fresh, down: [{ ...source, parts: ["changes"] }] }],
  ];
  const all = lasts.flatMap(([called, last]) =>
    [true, false, null].flatMap((isWatched) => [true, false].map((other) => [called, last, isWatched, other] as const)),
  );
  it.each(all)(
    "%s, %j, watched %s, others damaged %s: is said of the present only where that is measured",
    (...given) => {
      const [called, last, isWatched, other] = given;
      const text = noneOpenText(last, { now: NOW, isWatched }, other);
      const isBlind = called === "without metrics" || called === "without all metrics of a source";
      const isOld = last !== null && (isWatched === false || last.at === old.at);
      const isMeasured = last === null ? isWatched === true : !isOld && !isBlind;
      expect(/^No (?:other )?incident is open\.$/.test(text), text).toBe(isMeasured);
      expect(text.startsWith(other ? "No other incident" : "No incident")).toBe(true);
      if (last !== null && (isWatched === false || last.at === old.at))
        expect(text).toContain(" was open at the last evaluation (14:09:");
    },
  );
});
