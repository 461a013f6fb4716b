import { describe, expect, it } from "vitest";
import { stageWords } from "../../../core/guardrails/incident-text.ts";
import { deedOf, isPartDone, mayHaveWritten, writtenTargets } from "../../../core/model/deed.ts";
import { type GateAnswer, TargetResult } from "../../../core/model/plan.ts";
import { NOW, planOf, targetOf } from "../guardrails/rule-inputs.ts";

const plan = planOf();
type One = Pick<TargetResult, "result" | "untouched">;

/** What a result says of a write at its target. */
const WRITES: Readonly<Record<string, readonly [One, mayHave: boolean]>> = {
  "it was done": [{ result: "done" }, true],
  "no answer came": [{ result: "unknown" }, true],
  "it failed, and nobody could look what stands": [{ result: "failed" }, true],
  "it failed, and something else stands": [{ result: "failed", untouched: false }, true],
  "it failed, and the target stands as before": [{ result: "failed", untouched: true }, false],
  "there was nothing to do": [{ result: "nothing-to-do" }, false],
  "it was refused": [{ result: "refused" }, false],
  "something else stood there": [{ result: "stale" }, false],
  "nobody answered there": [{ result: "unreachable" }, false],
};

function answer(...results: readonly One[]): GateAnswer {
  const well = results.every(({ result }) => result === "done");
  return {
    planId: plan.id,
    outcome: well ? "executed" : "stopped",
    review: { verdict: "allow", rules: [] },
    results: results.map((one) => ({ target: targetOf(), detail: "", at: NOW, warnings: [], ...one })),
    executedAt: null,
  };
}

describe("S15: an act is one where something was written, or may have been", () => {
  it.each(Object.entries(WRITES))("%s", (_, [one, mayHave]) => {
    expect(mayHaveWritten(one)).toBe(mayHave);
    expect(writtenTargets({ gate: answer(one) })).toHaveLength(mayHave ? 1 : 0);
  });

  it("there is a row for each result", () => {
    const told = new Set(Object.values(WRITES).map(([{ result }]) => result));
    expect(told).toEqual(new Set(TargetResult.shape.result.options));
  });

  it.each(Object.entries(WRITES))("beside what was done: %s", (_, [one]) => {
    const gate = answer({ result: "done" }, one);
    expect(deedOf({ decision: null, gate })).toBe(one.result === "done" ? "executed" : "partly");
    expect(isPartDone({ gate })).toBe(true);
  });

  it.each(Object.entries(WRITES))(
    "is called executed while it is verified only where it was: %s",
    (_, [one, mayHave]) => {
      const alone = stageWords({ stage: "verifying", plan: null, gate: answer(one), outcome: null }, 0);
      const unless = mayHave ? "not known whether it was executed" : "stopped before anything was written";
      expect(alone).toBe(`${one.result === "done" ? "executed" : unless}, verifying recovery`);
      const half = stageWords(
        { stage: "verifying", plan: null, gate: answer({ result: "done" }, one), outcome: null },
        0,
      );
      expect(half).toBe(
        one.result === "done" ? "executed, verifying recovery" : "stopped half-way, verifying recovery",
      );
    },
  );
});
