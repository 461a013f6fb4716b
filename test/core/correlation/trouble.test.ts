import { describe, expect, it } from "vitest";
import { episodeOnset } from "../../../core/assessment/episodes.ts";
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

describe("a drift that comes to its limit", () => {
  const rows: readonly (readonly [string, readonly Finding[], boolean])[] = [
    ["explains failures of its service since", [finding({}), leak], true],
    ["explains slow answers of its service since", [finding({ metric: "p99_latency" }), leak], true],
    ["explains no failures while it is far from its limit", [finding({}), { ...leak, current: 0.7 }], false],
    ["explains no failures that are older", [finding({ onset: onsetAt(T0 - MINUTE) }), leak], false],
    ["explains no failures of another service", [finding({ service: "web" }), leak], false],
    ["explains nothing where nothing drifts", [finding({}), { ...leak, detector: "regression" }], false],
  ];
  it.each(rows)("%s", (_, findings, explains) => {
    expect(cameToItsLimit(findings) !== null).toBe(explains);
    expect(isCreeping(findings)).toBe(explains);
    expect(episodeOnset(findings)?.at === T0).toBe(explains);
  });
});
