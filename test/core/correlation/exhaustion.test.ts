import { describe, expect, it } from "vitest";
import { episodeOnset } from "../../../core/assessment/episodes.ts";
import { exhaustion } from "../../../core/correlation/exhaustion.ts";
import { rankCandidates } from "../../../core/correlation/rank.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import type { Finding } from "../../../core/model/finding.ts";
import type { Series } from "../../../core/model/signal.ts";
import { change, emptyCase, MINUTE, onsetAt, T0 } from "./fixtures.ts";

/** The store fails from T0 + 20 min on; its connections are read each minute from an hour before T0 on. */
const FAILS = T0 + 20 * MINUTE;
const finding = (replaced: Partial<Finding> = {}): Finding => ({
  detector: "regression",
  service: "store",
  metric: "error_rate",
  labels: {},
  unit: "ratio",
  verdict: "worse",
  onset: onsetAt(FAILS),
  detectedAt: FAILS + MINUTE,
  baseline: 0.001,
  current: 0.4,
  samples: 4,
  strength: 30,
  because: "",
  ...replaced,
});
const series = (metric: string, level: (minute: number) => number, worse: Series["worse"] = "either"): Series => ({
  service: "store",
  metric,
  unit: "count",
  worse,
  labels: {},
  startAt: T0 - 59 * MINUTE,
  stepMs: MINUTE,
  values: Array.from({ length: 85 }, (_, i) => level(i - 59) + Math.sin(i * 5)),
});
const leaking = (minute: number) => 20 + 9 * Math.max(0, Math.min(20, minute));
const found = (level: (minute: number) => number, told = [finding()], metric = "open_connections") =>
  exhaustion(told, indexSeries([series(metric, level)], "version"));

describe("what was used up before a service failed", () => {
  it("is what rose steadily until then, and is dated by where the rise began", () => {
    const used = found(leaking);
    expect(used).toMatchObject({ service: "store", metric: "open_connections" });
    expect(Math.abs((used?.onset.at ?? 0) - T0)).toBeLessThanOrEqual(2 * MINUTE);
    const { earliest, latest } = used?.onset ?? { earliest: Infinity, latest: 0 };
    expect(earliest).toBeLessThanOrEqual(T0 + MINUTE);
    expect(latest).toBeGreaterThanOrEqual(T0 - MINUTE);
    expect(episodeOnset([finding()], indexSeries([series("open_connections", leaking)], "version"))).toEqual(
      used?.onset,
    );
  });

  const nothing: readonly (readonly [string, ReturnType<typeof found>])[] = [
    ["where it was level", found(() => 20)],
    ["where it jumped with the failing", found((minute) => (minute > 20 ? 200 : 20))],
    ["where it jumped long before", found((minute) => (minute > 0 ? 200 : 20))],
    ["where it rose by less than as much again", found((minute) => 200 + 5 * Math.max(0, minute))],
    [
      "where the rise had ended and turned before",
      found((minute) => (minute < 10 ? 20 + 9 * Math.max(0, minute) : 110 - 6 * (minute - 10))),
    ],
    ["where it always rose", found((minute) => 700 + 9 * minute)],
    ["where it fails no request", found(leaking, [finding({ metric: "queue_depth" })])],
    ["where it is well", found(leaking, [finding({ verdict: "no-worse" })])],
    ["where another service fails", found(leaking, [finding({ service: "web" })])],
    ["by its traffic", found(leaking, [finding()], "request_rate")],
    ["by its latency", found(leaking, [finding()], "p99_latency")],
  ];
  it.each(nothing)("is nothing %s", (_, used) => {
    expect(used).toBeNull();
  });

  it("is nothing where it rose with the traffic of a morning, and is something where the traffic stayed", () => {
    const told = (traffic: (minute: number) => number) => {
      const rate = { ...series("request_rate", traffic), unit: "req/s" };
      return exhaustion([finding()], indexSeries([series("open_connections", leaking), rate], "version"));
    };
    expect(told((minute) => 100 + 45 * Math.max(0, Math.min(20, minute)))).toBeNull();
    expect(told(() => 100)).not.toBeNull();
  });

  it("is nothing where the service itself was being changed as it began to fail, and something where another was", () => {
    const index = indexSeries([series("open_connections", leaking)], "version");
    const during = { startedAt: FAILS - 30_000, finishedAt: FAILS + MINUTE };
    const leak = { startedAt: T0 - 30_000, finishedAt: T0 + MINUTE };
    expect(exhaustion([finding()], index, [change({ service: "store", ...during })])).toBeNull();
    expect(exhaustion([finding()], index, [change({ service: "orders", ...during })])).not.toBeNull();
    expect(exhaustion([finding()], index, [change({ service: "store", ...leak })])).not.toBeNull();
  });

  it("lays it at a caller whose change came as the rise began, not at one whose change came as the store failed", () => {
    const deploys = [
      change({ id: "leaks", service: "orders", startedAt: T0 - 30_000, finishedAt: T0 + MINUTE }),
      change({ id: "late", service: "search", startedAt: FAILS - MINUTE, finishedAt: FAILS }),
      change({ id: "apart", service: "mail", startedAt: T0 - 30_000, finishedAt: T0 + MINUTE }),
    ];
    const rates = { request_rate: () => 100, error_rate: (minute: number) => (minute > 20 ? 0.4 : 0.001) };
    const file = emptyCase({
      at: FAILS + 4 * MINUTE,
      changes: deploys,
      topology: {
        edges: [
          ["orders", "store"],
          ["search", "store"],
          ["web", "orders"],
          ["web", "mail"],
        ],
        external: [],
      },
      series: [
        series("open_connections", leaking),
        { ...series("request_rate", rates.request_rate), values: Array.from({ length: 85 }, () => 100) },
        {
          ...series("error_rate", rates.error_rate, "up"),
          values: Array.from({ length: 85 }, (_, i) => rates.error_rate(i - 59)),
        },
      ],
      findings: [finding()],
    });
    const onset = episodeOnset(file.findings, indexSeries(file.series, "version"));
    if (onset === null) throw new Error("no onset");
    const ranking = rankCandidates(file, deploys, onset, new Set(["store"]), {
      versionLabel: "version",
      windowMs: 360 * MINUTE,
    });
    expect(ranking.candidates[0]).toMatchObject({ changeId: "leaks" });
    expect(ranking.candidates[0]?.probability).toBeGreaterThan(0.8);
    expect(ranking.candidates[0]?.reasons.map(({ sentence }) => sentence)).toContain(
      "orders asks store and may have used up its open_connections",
    );
  });
});
