import fc from "fast-check";
import { expect, it } from "vitest";
import { openIncident } from "../../../agent/watch/incident-state.ts";
import { headlineOf, isHeardAgain, untold, withTold } from "../../../agent/watch/nothing-undone.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { Told } from "../../../core/model/incident.ts";
import { assessmentOf } from "../../core/guardrails/rule-inputs.ts";

const TOLD = [undefined, ...Told.options];
const EVENTS = ["escalated", "detected anew", "decided: no_action", "plan proposed"];

/** What was told, line by line; the words of each are drawn apart from it, those of the product's own notices among them. */
const lines = fc.array(
  fc.record({
    event: fc.constantFrom(...EVENTS),
    told: fc.constantFrom(...TOLD),
    words: fc.tuple(words(), words()),
  }),
  { maxLength: 8 },
);

function words(): fc.Arbitrary<string> {
  const { headline } = headlineOf(openIncident("inc-1", assessmentOf()), assessmentOf());
  return fc.oneof(
    fc.string(),
    fc.constantFrom(headline, "No change is to blame; nothing will be undone.", "What was done may have made it worse"),
  );
}

it("S11, S15: what people were told is read from what is recorded of it, never from the words of a notice", () => {
  const opened = openIncident("inc-1", assessmentOf());
  const assessment = assessmentOf({
    decision: { ...assessmentOf().decision, action: "no_action", culprit: null, changeIds: [] },
  });
  fc.assert(
    fc.property(lines, (drawn) => {
      const [one, other] = [0, 1].map(
        (which): Incident => ({
          ...opened,
          timeline: drawn.map(({ event, told, words: both }, index) => ({
            at: opened.detectedAt + index,
            event,
            detail: both[which] ?? "",
            ...(event === "escalated" && told !== undefined ? { told } : {}),
          })),
        }),
      ) as [Incident, Incident];
      expect(isHeardAgain(one, assessment)).toBe(isHeardAgain(other, assessment));
      expect(untold(one, assessment)).toEqual(untold(other, assessment));
      expect(withTold(one, assessment).told).toEqual(withTold(other, assessment).told);
    }),
  );
});
