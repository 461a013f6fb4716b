import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { versionSplit } from "../../../core/correlation/version-split.ts";
import { change, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const BEFORE = 120;
const SINCE = 16;

/** A canary of a tenth from T0 on; each version fails its share of requests, so many a second in all. */
function sideBySide({ fresh, old, rate = 100 }: { fresh: number; old: number; rate?: number }) {
  const row = (metric: string, labels: Record<string, string>, before: number | null, since: number) => ({
    service: "cart",
    metric,
    unit: "",
    worse: "up" as const,
    labels,
    startAt: T0 - (BEFORE - 1) * STEP,
    stepMs: STEP,
    values: [...Array.from({ length: BEFORE }, () => before), ...Array.from({ length: SINCE }, () => since)],
  });
  const both = 0.1 * fresh + 0.9 * old;
  const all = [
    row("error_rate", {}, 0.002, both),
    row("request_rate", {}, rate, rate),
    row("error_rate", { version: "v1.0.0" }, 0.002, old),
    row("request_rate", { version: "v1.0.0" }, rate, 0.9 * rate),
    row("error_rate", { version: "v1.1.0" }, null, fresh),
    row("request_rate", { version: "v1.1.0" }, null, 0.1 * rate),
  ];
  const canary = change({ canary: 0.1, finishedAt: null });
  return versionSplit(indexSeries(all, "version"), canary, onsetAt(T0), T0 + 4 * MINUTE, new Set(["error_rate"]));
}

describe("two versions side by side", () => {
  const rows: readonly (readonly [string, Parameters<typeof sideBySide>[0], "for" | "against" | "neither"])[] = [
    ["the new one failing alone speaks for its change", { fresh: 0.2, old: 0.002 }, "for"],
    ["both failing alike speak against it", { fresh: 0.1, old: 0.1 }, "against"],
    ["the old one failing alone beside it speaks for it, if weakly", { fresh: 0.002, old: 0.1 }, "for"],
    ["the old one failing somewhat more is not failing alone", { fresh: 0.08, old: 0.1 }, "against"],
    ["nothing is told by a handful of requests", { fresh: 0.002, old: 0.1, rate: 0.5 }, "neither"],
  ];
  it.each(rows.map(([name, world, says]) => ({ name, world, says })))("$name", ({ world, says }) => {
    const nats = sideBySide(world)?.nats ?? 0;
    expect(nats > 0.5 ? "for" : nats < -0.5 ? "against" : "neither").toBe(says);
  });

  it("say less for a change where the old one fails alone than where the new one does", () => {
    const [fresh, old] = [sideBySide({ fresh: 0.2, old: 0.002 }), sideBySide({ fresh: 0.002, old: 0.2 })];
    expect(old?.oldAlone).toBe(true);
    // Pods that end drop what they serve: that says more for the passing cost of replacing them than for the new version.
    expect(old?.ending ?? 0).toBeGreaterThan((old?.nats ?? 0) + 1);
    expect(fresh?.ending).toBe(0);
    expect(fresh?.oldAlone).toBe(false);
    expect(old?.nats).toBeLessThan((fresh?.nats ?? 0) / 2);
    expect(old?.sentence).toContain("cannot read");
  });
});

describe("two versions that served side by side for a while", () => {
  const BOTH = 12;
  /** v1.1.0 takes over within three minutes, somewhat slow; what comes after is drawn. */
  function then(metrics: readonly string[], cold: number, later: readonly number[]) {
    const row = (metric: string, labels: Record<string, string>, values: readonly (number | null)[]) => ({
      service: "cart",
      metric,
      unit: "",
      worse: "up" as const,
      labels,
      startAt: T0 - (BEFORE - 1) * STEP,
      stepMs: STEP,
      values,
    });
    const flat = (length: number, value: number | null): readonly (number | null)[] =>
      Array.from({ length }, (_, i) => (value === null ? null : value * Math.exp(0.3 * Math.sin(7 * i))));
    const all = metrics.flatMap((metric) => {
      const usual = metric === "error_rate" ? 0.002 : 20;
      const one = (before: number | null, both: number | null, since: readonly (number | null)[]) => [
        ...flat(BEFORE, before),
        ...flat(BOTH, both),
        ...since,
      ];
      const since = later.map((factor) => usual * factor);
      return [
        row(metric, {}, one(usual, usual * (1 + (cold - 1) / 2), since)),
        row(metric, { version: "v1.0.0" }, one(usual, usual, flat(later.length, null))),
        row(metric, { version: "v1.1.0" }, one(null, usual * cold, since)),
      ];
    });
    const done = change({ finishedAt: T0 + BOTH * STEP });
    const at = T0 + (BOTH + later.length) * STEP;
    return versionSplit(indexSeries(all, "version"), done, onsetAt(T0), at, new Set(metrics));
  }

  it("are not told apart by what comes once one of them serves alone", () => {
    fc.assert(
      fc.property(
        fc.subarray(["error_rate", "p50_latency", "p99_latency"], { minLength: 1 }),
        fc.double({ min: 1, max: 3, noNaN: true }),
        fc.array(fc.double({ min: 0.5, max: 20, noNaN: true }), { minLength: 1, maxLength: 40 }),
        (metrics, cold, later) => {
          expect(then(metrics, cold, later)).toEqual(then(metrics, cold, [1]));
        },
      ),
      { seed: 20_261_203, numRuns: 200 },
    );
  });
});

describe("how long two versions side by side take", () => {
  const slower = (by: number) => {
    const row = (labels: Record<string, string>, before: number | null, since: number) => ({
      service: "cart",
      metric: "p50_latency",
      unit: "ms",
      worse: "up" as const,
      labels,
      startAt: T0 - (BEFORE - 1) * STEP,
      stepMs: STEP,
      // Times that hardly scatter, so that the least difference would stand out.
      values: Array.from({ length: BEFORE + SINCE }, (_, i) => {
        const level = i < BEFORE ? before : since;
        return level === null ? null : level * (1 + 0.01 * (i % 3));
      }),
    });
    const all = [
      row({}, 100, 100 * (1 + 0.5 * (by - 1))),
      row({ version: "v1.0.0" }, 100, 100),
      row({ version: "v1.1.0" }, null, 100 * by),
    ];
    const index = indexSeries(all, "version");
    return versionSplit(index, change(), onsetAt(T0), T0 + 4 * MINUTE, new Set(["p50_latency"]))?.nats ?? Number.NaN;
  };

  it("say little where they differ by a tenth, as any two versions may, and much where one takes half as long again", () => {
    expect(Math.abs(slower(1.12))).toBeLessThan(1);
    expect(slower(1.5)).toBeGreaterThan(3);
  });
});
