import { describe, expect, it } from "vitest";
import { conditionFindings } from "../../../core/detection/findings.ts";
import { WELL_KNOWN_METRICS } from "../../../core/model/signal.ts";
import { firing } from "../guardrails/rule-inputs.ts";

describe("the finding of a condition that fires before anything else speaks of its signal", () => {
  it.each(Object.entries(WELL_KNOWN_METRICS))("of %s has the unit in which people read it", (metric, { unit }) => {
    expect(conditionFindings([firing({ metric })], [])).toMatchObject([{ metric, unit }]);
  });

  it("has none where nobody knows the unit of a metric of the file's own", () => {
    expect(conditionFindings([firing({ metric: "orders" })], [])).toMatchObject([{ metric: "orders", unit: "" }]);
  });
});
