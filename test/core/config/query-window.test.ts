import { describe, expect, it } from "vitest";
import { windowOf, windowsBeyondVerification } from "../../../core/config/query-window.ts";
import { changed, loaded, SEED, UNSHIP } from "./fixtures.ts";

const TIMEOUT = "feedback_loop.post_rollback.0.timeout";

describe("how far back a query looks", () => {
  it.each([
    ["sum(rate(a[5m]))", 300_000],
    ["sum(rate(a[5m])) / sum(rate(b[1h30m]))", 5_400_000],
    ["max_over_time(rate(a[1m])[30m:1m])", 1_800_000],
    ["rate(a[ 10s ])", 10_000],
    ['rate(a{path="[9h]"}[10s]) # [9d]', 10_000],
    ["a / b", 0],
    ["", 0],
  ])("%s: %i ms", (query, ms) => {
    expect(windowOf(query)).toBe(ms);
  });
});

describe("metrics that look back for as long as a verification may take", () => {
  it("are none where it takes longer", () => {
    expect(windowsBeyondVerification(loaded(SEED))).toEqual([]);
    expect(windowsBeyondVerification(loaded(changed(UNSHIP, [TIMEOUT, "5m1s"])))).toEqual([]);
  });

  it("are those that policies judge, by the window of their own query or of the usual one", () => {
    const usual = loaded(changed(SEED, [TIMEOUT, "5m"], ["data_sources.metrics.queries", {}]));
    expect(windowsBeyondVerification(usual)).toEqual([
      { metric: "error_rate", windowMs: 300_000 },
      { metric: "p99_latency", windowMs: 300_000 },
    ]);
    const own = { error_rate: "sum(rate(e[2m])) / sum(rate(a[2m]))", p99_latency: "max_over_time(p99_seconds[10m])" };
    expect(
      windowsBeyondVerification(loaded(changed(SEED, [TIMEOUT, "5m"], ["data_sources.metrics.queries", own]))),
    ).toEqual([{ metric: "p99_latency", windowMs: 600_000 }]);
  });

  it("are none that no policy judges by a threshold", () => {
    const text = changed(SEED, [TIMEOUT, "1m"], ["data_sources.metrics.queries", { p50_latency: "p50_seconds[1d]" }]);
    expect(windowsBeyondVerification(loaded(text)).map(({ metric }) => metric)).not.toContain("p50_latency");
  });
});
