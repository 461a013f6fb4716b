import { describe, expect, it } from "vitest";
import { episodeOnset } from "../../../core/assessment/episodes.ts";
import { indexSeries, type SampleIndex } from "../../../core/correlation/samples.ts";
import { cameToItsLimit, isCreeping } from "../../../core/correlation/trouble.ts";
import type { Finding } from "../../../core/model/finding.ts";
import { MINUTE, onsetAt, T0 } from "./fixtures.ts";

const finding = (replaced: Partial<Finding>): Finding => ({
  detector: "regression",
  service: "stock",
  metric: "error_rate",
  labels: {},
  unit: "ratio",
  verdict: "worse",
  onset: onsetAt(T0 + 30 * MINUTE),
  detectedAt: T0 + 31 * MINUTE,
  baseline: 0.001,
  current: 0.3,
  samples: 4,
  strength: 20,
  because: "",
  ...replaced,
});
const leak = finding({ detector: "drift", metric: "memory_usage", onset: onsetAt(T0), baseline: 0.4, current: 0.95 });

/** Use of memory each minute, from the leak's begin on or from earlier. */
const used = (level: (minute: number) => number, from = 1) =>
  indexSeries(
    [
      {
        service: "stock",
        metric: "memory_usage",
        unit: "ratio",
        worse: "up",
        labels: {},
        startAt: T0 + from * MINUTE,
        stepMs: MINUTE,
        values: Array.from({ length: 50 }, (_, i) => level(i + from)),
      },
    ],
    "version",
  );
const grows = used((minute) => Math.min(0.95, 0.4 + (0.52 * minute) / 30));
/** Known from before the leak on. */
const known = used((minute) => Math.min(0.99, 0.4 + (0.52 * Math.max(0, minute)) / 30), -9);
const jumps = used((minute) => (minute <= 30 ? 0.4 + minute / 600 : 0.95));

describe("a drift that comes to its limit", () => {
  const rows: readonly (readonly [string, readonly Finding[], boolean, SampleIndex | null])[] = [
    ["explains failures of its service since", [finding({}), leak], true, null],
    ["explains slow answers of its service since", [finding({ metric: "p99_latency" }), leak], true, null],
    ["explains no failures while it is far from its limit", [finding({}), { ...leak, current: 0.7 }], false, null],
    ["explains no failures that are older", [finding({ onset: onsetAt(T0 - MINUTE) }), leak], false, null],
    ["explains no failures of another service", [finding({ service: "web" }), leak], false, null],
    [
      "explains failures for as long as they go on, though it is known by its newest part alone",
      [finding({}), { ...leak, baseline: 0.85, current: 0.99 }],
      true,
      known,
    ],
    ["explains no failures with which it jumped to its limit", [finding({}), leak], false, jumps],
    [
      "explains no failures where answers were as gravely slow from its jump on, and requests failed minutes later",
      [
        finding({ metric: "p99_latency", baseline: 100, current: 700 }),
        finding({ onset: onsetAt(T0 + 36 * MINUTE) }),
        leak,
      ],
      false,
      jumps,
    ],
    ["explains nothing where nothing drifts", [finding({}), { ...leak, detector: "regression" }], false, null],
  ];
  it.each(rows)("%s", (_, findings, explains, other) => {
    const index = other ?? grows;
    expect(cameToItsLimit(findings, index) !== null).toBe(explains);
    expect(isCreeping(findings, index)).toBe(explains);
    expect(episodeOnset(findings, index)?.at === T0).toBe(explains);
  });
});
