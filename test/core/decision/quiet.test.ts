import { describe, expect, it } from "vitest";
import { quietWords } from "../../../core/decision/quiet.ts";
import type { CaseFile, Gap } from "../../../core/model/assessment.ts";
import { emptyCase, T0 } from "../correlation/fixtures.ts";

const series = (service: string, samples: number, metric = "error_rate"): CaseFile["series"][number] => ({
  service,
  metric,
  unit: "ratio",
  worse: "up",
  labels: {},
  startAt: T0 - samples * 15_000,
  stepMs: 15_000,
  values: new Array<number>(samples).fill(0.001),
});
const down: Gap = {
  of: "metrics",
  how: "unanswered",
  metric: "error_rate",
  source: "prometheus",
  what: "metrics: error_rate",
  because: "nothing listens at prometheus:9090",
};

describe("where nothing is found worse", () => {
  const rows: readonly (readonly [string, Partial<CaseFile>, readonly string[], readonly string[]])[] = [
    [
      "all is as usual where all was judged",
      { series: [series("cart", 40)] },
      [],
      ["nothing is worse than its baseline"],
    ],
    [
      "only those that were asked about, since others may be worse",
      { series: [series("cart", 40), series("pay", 40)] },
      ["cart"],
      ["no test finds cart worse than their baseline"],
    ],
    ["nothing is judged before any sample", {}, [], ["nothing is judged yet: no samples are known"]],
    [
      "nothing is judged of a service that nobody measures",
      { series: [series("cart", 40)] },
      ["pay"],
      ["nothing is judged yet: too few samples are known of pay"],
    ],
    [
      "nothing is judged while samples are few",
      { series: [series("cart", 3), series("pay", 2)] },
      [],
      ["nothing is judged yet: too few samples are known of cart, pay"],
    ],
    [
      "nothing is judged by how many ask",
      { series: [series("cart", 40, "request_rate")] },
      ["cart"],
      ["nothing is judged yet: too few samples are known of cart"],
    ],
    [
      "who was not judged is named beside those who were",
      { series: [series("cart", 40), series("pay", 2)] },
      ["cart", "pay"],
      ["no test finds cart worse than their baseline", "too few samples are known of pay"],
    ],
    [
      "a source that does not answer is named, whatever was judged before",
      { series: [series("cart", 40)], gaps: [down] },
      ["cart"],
      [
        "no test finds cart worse than their baseline",
        "prometheus did not say metrics: error_rate: nothing listens at prometheus:9090",
      ],
    ],
    [
      "so it is where nothing was judged at all",
      { gaps: [down] },
      [],
      [
        "nothing is judged yet: no samples are known",
        "prometheus did not say metrics: error_rate: nothing listens at prometheus:9090",
      ],
    ],
  ];
  it.each(rows)("%s", (_, known, services, words) => {
    expect(quietWords(emptyCase(known), services)).toEqual(words);
  });
});
