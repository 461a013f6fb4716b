import { describe, expect, it } from "vitest";
import { isMostlyElse } from "../../../core/correlation/both-versions.ts";
import { gatherEvidence } from "../../../core/correlation/rank.ts";
import type { Finding } from "../../../core/model/finding.ts";
import type { Series } from "../../../core/model/signal.ts";
import { change, emptyCase, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const rollout = change({ finishedAt: null });
/** What both versions show, and the service as a whole where that is another thing than the new version. */
type Both = readonly [
  metric: string,
  usual: number,
  old: readonly (number | null)[],
  fresh: readonly number[],
  whole?: readonly number[],
];

function elsewhere(...signals: readonly Both[]): boolean | null {
  const row = (metric: string, version: string | null, values: Series["values"]): Series => ({
    service: "cart",
    metric,
    unit: "",
    worse: "up",
    labels: version === null ? {} : { version },
    startAt: T0 + STEP,
    stepMs: STEP,
    values,
  });
  const findings = signals.map(
    ([metric, usual, , fresh]): Finding => ({
      detector: "regression",
      service: "cart",
      metric,
      labels: {},
      unit: "",
      verdict: "worse",
      onset: onsetAt(T0),
      detectedAt: T0 + STEP,
      baseline: usual,
      current: fresh.at(-1) ?? usual,
      samples: fresh.length,
      strength: 40,
      because: `${metric} of cart is worse`,
    }),
  );
  const series = signals.flatMap(([metric, , old, fresh, whole = fresh]) => [
    row(metric, null, whole),
    row(metric, "v1.0.0", old),
    row(metric, "v1.1.0", fresh),
  ]);
  const at = T0 + 8 * STEP;
  const caseFile = emptyCase({ at, changes: [rollout], findings, series });
  const options = { versionLabel: "version", windowMs: 1_800_000 };
  return isMostlyElse(rollout, gatherEvidence(caseFile, onsetAt(T0), new Set(["cart"]), options));
}

const many = (value: number): readonly number[] => new Array<number>(8).fill(value);
const late = (old: number, fresh: number): Both => ["p99_latency", 100, many(old), many(fresh)];
const failing = (old: number, fresh: number): Both => ["error_rate", 0.001, many(old), many(fresh)];

describe("what two versions that serve side by side show", () => {
  const rows: readonly (readonly [string, readonly Both[], boolean | null])[] = [
    ["both five times as slow, the new one with cold pods on top: not the version's", [late(500, 750)], true],
    ["the old one as always: the version's", [late(102, 400)], false],
    ["the old one a little slower, as beside a version that takes its time: the version's", [late(130, 400)], false],
    ["both failing: not the version's", [failing(0.3, 0.35)], true],
    ["the new one failing alone: the version's", [failing(0.002, 0.4)], false],
    ["both late, the new one failing alone: the version's", [late(500, 750), failing(0.001, 0.2)], false],
    ["the old one no longer measured: unknown", [["p99_latency", 100, many(0).map(() => null), many(500)]], null],
    ["a metric that no user feels: unknown", [["queue_depth", 10, many(100), many(120)]], null],
  ];
  it.each([
    ...rows,
    [
      "what got far worse once the old one was gone: not the version's",
      [["p50_latency", 22, [22, 22, null, null, null, null, null, null], [36, 30, 33, 49, 48, 47, 48, 47]]],
      true,
    ],
    [
      "what stays as it was when both served: the version's",
      [["p50_latency", 22, [22, 22, null, null, null, null, null, null], many(36)]],
      false,
    ],
  ] satisfies typeof rows)("%s", (_, signals, expected) => {
    expect(elsewhere(...signals)).toBe(expected);
  });

  it("is told of the newest samples: what was over by now counts no more", () => {
    const since = [500, 500, 500, 500, 101, 101, 101, 101];
    expect(elsewhere(["p99_latency", 100, since, many(500)])).toBe(false);
  });
});
