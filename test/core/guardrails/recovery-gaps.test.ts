import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeRecovery, type RecoveryInput } from "../../../core/guardrails/recovery.ts";
import { fill, inputOf, STEP, seriesOf } from "./recovery-inputs.ts";
import { MINUTE, NOW } from "./rule-inputs.ts";

const GOOD = 0.002;
const BAD = 0.3;

/** The watch was killed right after the act and started again `DOWN` later; what it measures itself is known since then alone. */
const DOWN = 3 * MINUTE;
function afterRestart(values: readonly (number | null)[], change: Partial<RecoveryInput> = {}): RecoveryInput {
  const since = NOW - values.length * STEP;
  return inputOf({
    series: [seriesOf("error_rate", values), seriesOf("request_rate", fill(20, values.length))],
    executedAt: since - DOWN,
    lookingSince: since,
    timeoutMs: 2 * MINUTE,
    ...change,
  });
}

describe("S9: a recovery of which a part was not measured", () => {
  it.each<[string, readonly (number | null)[], Partial<RecoveryInput>, string]>([
    ["is one where the signals are back since", fill(GOOD), {}, "recovered"],
    ["is unknown where they were back and one sample is outside", [...fill(GOOD, 8), BAD, GOOD], {}, "unknown"],
    ["is none where they were outside whenever they were measured", fill(BAD), {}, "not-recovered"],
    ["is waited for while the watch has not looked for as long as it may take", fill(BAD, 5), {}, "pending"],
    ["is waited for while nothing was measured yet", fill(null, 5), {}, "pending"],
    ["is unknown where nothing came in that time", fill(null), {}, "unknown"],
    [
      "is waited for while no rollout could be read since",
      fill(GOOD, 6),
      { acts: [{ service: "checkout", complete: null }] },
      "pending",
    ],
  ])("%s", (_, values, change, verdict) => {
    expect(judgeRecovery(afterRestart(values, change)).verdict).toBe(verdict);
  });

  it("is judged in time, restart or not, where the source kept what was measured meanwhile", () => {
    const values = fill(BAD, 5 + DOWN / STEP);
    expect(judgeRecovery(afterRestart(fill(BAD, 5), { series: [seriesOf("error_rate", values)] })).verdict).toBe(
      "not-recovered",
    );
  });

  it("says for how long it was not measured", () => {
    const { checks } = judgeRecovery(afterRestart([...fill(GOOD, 8), BAD, GOOD]));
    expect(checks.find(({ metric }) => metric === "error_rate")?.because).toMatch(
      /not measured for 3m15s since the act, and may have recovered meanwhile/,
    );
  });

  it("is never called none, whatever was measured, where a sample of the rest was back", () => {
    const sample = fc.constantFrom(GOOD, BAD, null);
    fc.assert(
      fc.property(fc.array(sample, { minLength: 10, maxLength: 30 }), (values) => {
        const { verdict } = judgeRecovery(afterRestart(values));
        if (values.includes(GOOD)) expect(verdict).not.toBe("not-recovered");
      }),
    );
  });
});

describe("S9: an act of which nobody saw when it was done", () => {
  it("counts no sample as one after it before it was certainly done", () => {
    const early = inputOf({ executedFrom: NOW - 3 * MINUTE, executedAt: NOW - 2 * STEP });
    expect(judgeRecovery(early).verdict).toBe("pending");
    expect(judgeRecovery({ ...early, executedAt: NOW - 3 * MINUTE }).verdict).toBe("recovered");
  });
});
