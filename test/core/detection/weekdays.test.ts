import { describe, expect, it } from "vitest";
import { createDetectionEngine, historyKept } from "../../../core/detection/engine.ts";
import type { Finding } from "../../../core/model/finding.ts";
import { testConfig } from "../assessment/config.ts";
import { normals, seriesOf } from "./series.ts";

const DAY = 86_400_000;
const COARSE = 300_000;
const STEP = 15_000;
/** Fourteen past nine on a Saturday, when weekends get slow. */
const SATURDAY = Date.UTC(2026, 10, 7, 9, 14);
const config = testConfig();

const isSlow = (at: number): boolean =>
  [0, 6].includes(new Date(at - 1).getUTCDay()) && (at - 1) % DAY >= SATURDAY % DAY;

/** Weekends are twice as slow from then until midnight; that Saturday forty minutes later, after so many weeks of five-minute samples. */
function onSaturday(weeks: number, times = 1): readonly Finding[] {
  const normal = normals(weeks);
  const usual = (at: number) => 200 * (isSlow(at) ? 2 : 1) * Math.exp(0.02 * normal());
  const engine = createDetectionEngine(config);
  const [from, now] = [SATURDAY - 2 * 3_600_000, SATURDAY + 40 * 60_000];
  const fine = Array.from({ length: (now - from) / STEP }, (_, i) => {
    const at = from + (i + 1) * STEP;
    return usual(at) * (at > SATURDAY ? times : 1);
  });
  const first = Math.ceil((SATURDAY - weeks * 7 * DAY) / COARSE) * COARSE;
  const past = Array.from({ length: (weeks * 7 * DAY) / COARSE }, (_, i) => usual(first + i * COARSE));
  const coarse = { stepMs: COARSE, startAt: first };
  engine.ingest([seriesOf("p99_latency", fine, { startAt: from + STEP })], "statistics");
  engine.ingest([seriesOf("p99_latency", past, coarse)], "statistics");
  return engine.evaluate(now).findings.filter(({ metric }) => metric === "p99_latency");
}

describe("a Saturday that is as slow as Saturdays are", () => {
  it.each([3, 4, 5])("is no trouble to who has %d weeks of history, and it is said why", (weeks) => {
    const [finding] = onSaturday(weeks);
    expect(finding?.verdict).not.toBe("worse");
    expect(finding?.because).toContain("baseline at this time of this weekday");
  });

  it("is told of by who has two, with the word that weekdays are not told apart", () => {
    const [finding] = onSaturday(2);
    expect(finding?.verdict).toBe("worse");
    expect(finding?.because).toContain("time of day (weekdays are not distinguished yet) over 14 days");
  });

  it("and one that is twice as slow as that is trouble to everybody", () => {
    for (const weeks of [2, 5]) expect(onSaturday(weeks, 2)[0]?.verdict).toBe("worse");
  });
});

describe("how much history is kept", () => {
  it.each([
    [1, 5],
    [20_000, 5],
    [25_000, 4],
    [33_333, 3],
    [33_334, 2],
    [50_000, 2],
    [1_000_000, 2],
  ])("of each of %d signals: %d weeks", (signals, weeks) => {
    expect(historyKept(signals)).toBe(weeks * 7 * DAY);
  });

  it("falls for the signals that there are as more of them come, and so does its memory", () => {
    const engine = createDetectionEngine(config);
    const now = SATURDAY;
    const past = Array.from({ length: (35 * DAY) / COARSE }, (_, i) => 100 + (i % 7));
    const coarse = { stepMs: COARSE, startAt: now - 35 * DAY + COARSE };
    engine.ingest([seriesOf("p99_latency", [100], { startAt: now })], "statistics");
    engine.ingest([seriesOf("p99_latency", past, coarse)], "statistics");
    const history = () => engine.signal("cart", "p99_latency")?.history;
    const days = () => (((history()?.next ?? 0) - (history()?.first ?? 0)) * (history()?.widthMs ?? 0)) / DAY;
    const before = history()?.codes.byteLength ?? 0;
    expect(days()).toBeGreaterThanOrEqual(35);
    expect(before).toBeLessThan(4500);
    const others = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) =>
        seriesOf("p99_latency", [1], { service: `s${from + i}`, startAt: now }),
      );
    engine.ingest(others(0, 20_000), "statistics");
    expect(days()).toBeLessThan(29);
    engine.ingest(others(20_000, 33_400), "statistics");
    expect(days()).toBeGreaterThanOrEqual(14);
    expect(days()).toBeLessThan(15);
    expect(history()?.codes.byteLength).toBeLessThan(before / 2);
  });
});
