import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerText } from "../../../agent/compose/step-words.ts";
import { note, openIncident } from "../../../agent/watch/incident-state.ts";
import { headlineOf, isHeardAgain, untold, withTold } from "../../../agent/watch/nothing-undone.ts";
import { suspects } from "../../../agent/watch/wording.ts";
import { incidentLines } from "../../../core/guardrails/incident-text.ts";
import { NOTHING_TO_COMPARE } from "../../../core/model/candidate.ts";
import type { Decision } from "../../../core/model/decision.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { Told } from "../../../core/model/incident.ts";
import { postmortem } from "../../../knowledge/postmortem.ts";
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
    fc.constantFrom(
      headline,
      "No change is the culprit; nothing will be undone.",
      "What was done may have made it worse",
    ),
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

const ranked = (names: readonly string[], noChangeProbability: number | null, reached: boolean) => ({
  ...assessmentOf().answers,
  correlate_timing: {
    ranking: {
      candidates: [],
      noChangeProbability,
      noChangeReasons: names.map((name) => ({
        name,
        logOdds: 0,
        sentence: "not sure yet: the samples do not show it",
      })),
      rootCauses: [],
    },
    threshold: 0.8,
    reached,
  },
});
const quiet: Decision = { ...assessmentOf().decision, action: "no_action", culprit: null, changeIds: [] };

describe("S9, S15: a certain headline stands over a settled verdict alone", () => {
  it.each([
    ["was weighed against none", ["prior"], /No change is the culprit/, /no change/i],
    [
      "could not be weighed against any",
      [NOTHING_TO_COMPARE],
      /no change is sure enough/,
      /not determined: no change could be compared, since not sure yet/,
    ],
  ])("what is degraded %s", (_, reasons, headline, words) => {
    const assessment = assessmentOf({
      decision: quiet,
      answers: ranked(reasons, reasons.includes(NOTHING_TO_COMPARE) ? null : 1, false),
    });
    const incident: Incident = openIncident("inc-1", assessment);
    expect(headlineOf(incident, assessment).headline).toMatch(headline);
    const lines = incidentLines(incident, { now: assessment.at, open: [], services: {} }).join("\n");
    const told = [
      lines,
      suspects(incident),
      answerText("correlate_timing", assessment.answers, { changes: [], unheard: [] }) ?? "",
    ];
    expect(lines).toMatch(words);
    if (reasons.includes(NOTHING_TO_COMPARE))
      for (const text of [...told, postmortem(incident).split("## Timeline")[0]])
        expect(text).not.toMatch(/> 99|No change is suspected|is the culprit:/);
  });

  it("people who are told that a change is left to them are told what is new since, once", () => {
    const culprit = { changeId: "cart-1", probability: 0.97 };
    const needsPerson = ["whether cart-1 is rolled back needs a person"];
    const assessment = assessmentOf({
      decision: { ...quiet, culprit, needsPerson },
      answers: ranked(["prior"], 0.03, true),
    });
    const { at } = assessment;
    const known = note(openIncident("inc-1", assessment), at, "escalated", "told before", "no-change");
    const anew = note(known, at, "detected anew", "");
    expect(untold(anew, assessment)).not.toEqual([]);
    const { headline, told } = headlineOf(anew, assessment);
    expect(headline).toMatch(/is rolled back needs a person\. New since then: /);
    expect(told).toBe("withheld");
    const heard = note(anew, at, "escalated", headline, told);
    expect(untold(heard, assessment)).toEqual([]);
    expect(untold(withTold(heard, assessment), assessment)).toEqual([]);
  });
});
