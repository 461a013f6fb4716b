import { describe, expect, it } from "vitest";
import { answerText } from "../../../agent/compose/step-words.ts";
import { openIncident } from "../../../agent/watch/incident-state.ts";
import { suspects } from "../../../agent/watch/wording.ts";
import { assess } from "../../../core/assessment/assessor.ts";
import { incidentLines } from "../../../core/guardrails/incident-text.ts";
import { asReadNow } from "../../../core/model/as-read-now.ts";
import { isCompared, NOTHING_TO_COMPARE, notComparedText } from "../../../core/model/candidate.ts";
import { likeliestOf } from "../../../core/model/recorded.ts";
import { postmortem } from "../../../knowledge/postmortem.ts";
import { caseAt } from "./case-at.ts";
import { testConfig } from "./config.ts";
import { base } from "./trap.ts";
import { deploy, type WorldOptions } from "./world.ts";

/** A cart that fails as much from its first sample on, `historyS` seconds before the watch starts. */
const failing = (errors: number, historyS: number, changes: WorldOptions["changes"]): WorldOptions => ({
  ...base,
  ...(changes === undefined ? {} : { changes }),
  historyS,
  services: { ...base.services, cart: { rate: 80, errors } },
});

const CHANGES: Readonly<Record<string, WorldOptions["changes"]>> = {
  "no change": [],
  "the deploy that brought it": [deploy("cart", 5)],
  "two deploys": [deploy("cart", 5), deploy("gateway", 10)],
};

const cases = Object.entries(CHANGES).flatMap(([words, changes]) =>
  [0.07, 0.3].flatMap((errors) => [240, 400].map((at) => [words, errors, at, changes] as const)),
);

describe("S9: what was judged against nothing has no probability", () => {
  it.each(cases)("%s, %d of requests fail from the first sample on, after %d s", async (_, errors, at, changes) => {
    const assessment = assess(await caseAt(failing(errors, 0, changes), at), testConfig());
    const ranking = assessment.answers.correlate_timing?.ranking;
    expect(assessment.decision).toMatchObject({ action: "no_action", culprit: null });
    expect(assessment.decision.why.join()).toContain("nothing was measured of it before");
    expect(ranking).toMatchObject({ candidates: [], noChangeProbability: null });
    const incident = openIncident("inc-1", assessment);
    expect(likeliestOf(incident)).toBeNull();
    const told = [
      suspects(incident),
      answerText("correlate_timing", assessment.answers, { changes: [], unheard: [] }) ?? "",
      incidentLines(incident, { now: assessment.at, open: [], services: {} })
        .filter((line) => line.startsWith("Culprit"))
        .join(),
      postmortem(incident),
    ];
    for (const text of told)
      expect(text).toContain("no change could be compared, since nothing was measured of it before");
    for (const text of told) expect(text).not.toMatch(/no (known )?change,? [<>\d]|caused it is|is the culprit/);
  });

  it("but what has a past is compared, be it as bad as its present", async () => {
    const assessment = assess(await caseAt(failing(0.07, 7200, CHANGES["two deploys"]), 400), testConfig());
    const ranking = assessment.answers.correlate_timing?.ranking ?? null;
    expect(ranking !== null && isCompared(ranking)).toBe(true);
    expect(notComparedText(ranking)).toBeNull();
  });

  it("also where a ledger of before holds it as certain", async () => {
    const assessment = assess(await caseAt(failing(0.07, 7200, []), 400), testConfig());
    const noChangeReasons = [{ name: NOTHING_TO_COMPARE, logOdds: 0, sentence: "there is no onset" }];
    const old = { candidates: [], noChangeProbability: 1, noChangeReasons, rootCauses: [] };
    const incident = { ...openIncident("inc-1", assessment), ranking: old, decidedRanking: old };
    const read = asReadNow(incident);
    expect([read.ranking?.noChangeProbability, read.decidedRanking?.noChangeProbability]).toEqual([null, null]);
    const kept = openIncident("inc-1", assessment);
    expect(asReadNow(kept)).toEqual(kept);
  });
});
