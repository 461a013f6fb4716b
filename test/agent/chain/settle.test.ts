import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { settle } from "../../../agent/chain/settle.ts";
import type { StepAnswers } from "../../../core/model/assessment.ts";
import type { Decision, DecisionAction } from "../../../core/model/decision.ts";

const decision = (
  action: DecisionAction,
  changeIds: readonly string[],
  automatic: boolean,
  probability: number,
): Decision => ({
  action,
  service: "checkout",
  culprit: changeIds[0] === undefined ? null : { changeId: changeIds[0], probability },
  changeIds: [...changeIds],
  automatic,
  needsPerson: [],
  why: ["why"],
  hotfix: null,
  decidedAt: 1,
});

const anyDecision = fc
  .record({
    action: fc.constantFrom<DecisionAction>("rollback", "feature_flag_disable", "hotfix_recommendation", "no_action"),
    ids: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 3 }),
    automatic: fc.boolean(),
    probability: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ action, ids, automatic, probability }) =>
    decision(action, action === "no_action" ? [] : ids, automatic, probability),
  );

const answers = (of: Decision): StepAnswers => ({ recommend_action: { decision: of } });
const options = fc.record({ threshold: fc.double({ min: 0, max: 1, noNaN: true }), mayHold: fc.boolean() });

describe("settling core and model", () => {
  it("never does more, other or sooner than the core decided, whatever the model says", () => {
    fc.assert(
      fc.property(anyDecision, anyDecision, options, (core, model, how) => {
        const settled = settle(answers(core), answers(model), how);
        const { needsPerson, ...rest } = settled?.decision ?? core;
        const { needsPerson: before, ...same } = core;
        expect(rest).toEqual(same);
        expect(needsPerson.slice(0, before.length)).toEqual(before);
      }),
    );
  });

  it("never holds an automatic action that the core is sure of, unless the model may hold", () => {
    fc.assert(
      fc.property(anyDecision, anyDecision, fc.double({ min: 0, max: 1, noNaN: true }), (core, model, threshold) => {
        fc.pre(core.automatic && (core.culprit?.probability ?? 0) >= threshold);
        expect(settle(answers(core), answers(model), { threshold, mayHold: false })?.decision).toEqual(core);
      }),
    );
  });

  it("changes nothing for a model that is absent or has no answer", () => {
    fc.assert(
      fc.property(anyDecision, options, (core, how) => {
        for (const model of [null, {}])
          expect(settle(answers(core), model, how)).toEqual({ decision: core, opinions: [], questions: [], holds: [] });
      }),
    );
  });

  it("asks a person where the core is not sure and the model doubts", () => {
    const core = decision("rollback", ["a"], false, 0.9);
    const settled = settle(answers(core), answers(decision("no_action", [], false, 0)), {
      threshold: 0.8,
      mayHold: false,
    });
    expect(settled?.decision.needsPerson).toEqual(["the model would choose no_action instead of rollback"]);
  });
});
