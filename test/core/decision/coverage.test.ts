import { describe, expect, it } from "vitest";
import { type Coverage, coverageOf } from "../../../core/decision/coverage.ts";
import type { CaseFile, Gap } from "../../../core/model/assessment.ts";
import { emptyCase, T0 } from "../correlation/fixtures.ts";

const series = (service: string, samples: number): CaseFile["series"][number] => ({
  ...{ service, metric: "error_rate", unit: "ratio", worse: "up", labels: {}, stepMs: 15_000 },
  startAt: T0 - samples * 15_000,
  values: new Array<number>(samples).fill(0.001),
});
const gap = (of: Gap["of"], how: Gap["how"], more: Partial<Gap> = {}): Gap => ({
  ...{ of, how, source: "it", what: "something", because: "it is away", since: T0 },
  ...more,
});
const SINCE = "(since 2026-03-02T12:00:00.000Z)";
const AWAY = `it did not say something: it is away ${SINCE}`;
const PART = `it does not show something: it is away ${SINCE}`;

describe("S15: what a judgement rests on", () => {
  it.each<[string, Partial<CaseFile>, readonly string[], Coverage]>([
    [
      "all is measured where each has samples and each source answered",
      { series: [series("cart", 40)] },
      ["cart"],
      { signals: "measured", changes: "measured", because: [] },
    ],
    [
      "nothing is measured yet before any sample",
      {},
      [],
      { signals: "not yet", changes: "measured", because: ["no samples are known"] },
    ],
    [
      "nor while samples are few",
      { series: [series("cart", 3)] },
      ["cart"],
      { signals: "not yet", changes: "measured", because: ["too few samples are known of cart"] },
    ],
    [
      "it is unknown where the source of metrics does not answer, since when it does not",
      { gaps: [gap("metrics", "unanswered")] },
      [],
      { signals: "unknown", changes: "measured", because: ["no samples are known", AWAY] },
    ],
    [
      "it is known in part where one of two was measured",
      { series: [series("cart", 40), series("pay", 2)] },
      [],
      { signals: "partly", changes: "measured", because: ["too few samples are known of pay"] },
    ],
    [
      "so it is where a sample of it can be no measurement",
      { series: [series("pay", 40)], gaps: [gap("metrics", "partial", { services: ["pay"] })] },
      ["pay"],
      { signals: "partly", changes: "measured", because: [PART] },
    ],
    [
      "but not of another service",
      { series: [series("cart", 40)], gaps: [gap("metrics", "partial", { services: ["pay"] })] },
      ["cart"],
      { signals: "measured", changes: "measured", because: [] },
    ],
    [
      "changes are unknown where their source does not answer",
      { series: [series("cart", 40)], gaps: [gap("changes", "unanswered")] },
      ["cart"],
      { signals: "measured", changes: "unknown", because: [AWAY] },
    ],
    [
      "known in part where it is uncertain when they began",
      { series: [series("cart", 40)], gaps: [gap("changes", "uncertain")] },
      ["cart"],
      { signals: "measured", changes: "partly", because: [expect.stringContaining(": ")] },
    ],
    [
      "known in part where it leaves some out",
      { series: [series("cart", 40)], gaps: [gap("changes", "partial")] },
      ["cart"],
      { signals: "measured", changes: "partly", because: [PART] },
    ],
  ])("%s", (_, known, services, coverage) => {
    expect(coverageOf(emptyCase(known), { services: {} }, services)).toEqual(coverage);
  });

  it("a described service that nobody measures is named where all are asked about", () => {
    const described = { pay: {} } as unknown as Parameters<typeof coverageOf>[1]["services"];
    const { signals, because } = coverageOf(emptyCase({ series: [series("cart", 40)] }), { services: described }, []);
    expect([signals, because]).toEqual(["partly", ["too few samples are known of pay"]]);
  });
});
