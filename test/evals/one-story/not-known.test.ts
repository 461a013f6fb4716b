import { beforeAll, describe, expect, it } from "vitest";
import { notCompared, type Ranking } from "../../../core/model/candidate.ts";
import type { Impact } from "../../../core/model/impact.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { shownOf } from "./shown.ts";

const WHY = "failed share of traffic: no error rate where users come in";
const withImpact = (incident: Incident, given: Partial<Impact>): Incident => {
  const impact: Impact = {
    ...{ affectedServices: incident.affectedServices, failedShare: null, failedUserShare: null, routes: [] },
    ...{ failedRequestsPerSecond: null, revenuePerMinute: null, unknown: [WHY], sentences: [] },
    level: "unknown",
    ...given,
  };
  const { extent } = incident;
  return { ...incident, impact, ...(extent === undefined ? {} : { extent: { ...extent, impact } }) };
};
const closed = (incident: Incident, now: number): Incident => ({
  ...incident,
  stage: "closed",
  outcome: "expired",
  closedAt: now,
});

const NOTHING = "nothing was measured of it before: whether it is worse is not known";

/** An incident in which no change was sure enough, by such a ranking. */
const withRanking = (incident: Incident, ranking: Ranking): Incident => {
  const { decision } = incident;
  if (decision === null) throw new Error("the incident is decided");
  return {
    ...{ ...incident, stage: "investigated", plan: null, gate: null, ranking, decidedRanking: ranking },
    decision: { ...decision, action: "no_action", culprit: null, changeIds: [], why: ["it waits for people"] },
  };
};
/** Two hypotheses: the likeliest change has 0.32, none 0.68. */
const compared = (incident: Incident): Incident => {
  const [first] = incident.ranking?.candidates ?? [];
  if (incident.ranking === null || first === undefined) throw new Error("the incident's changes were compared");
  const candidates = [{ ...first, probability: 0.32 }];
  return withRanking(incident, { ...incident.ranking, candidates, noChangeProbability: 0.68 });
};
const uncompared = (incident: Incident): Incident => withRanking(incident, notCompared(NOTHING));
/** As it was written before: the whole probability at "no change", for want of anything else. */
const asCertain = (incident: Incident): Incident =>
  withRanking(incident, { ...notCompared(NOTHING), noChangeProbability: 1 });

/** Which surfaces tell how probable it is that no change is the culprit. */
const figures = (shown: ReadonlyMap<string, string> | undefined, figure: string): readonly string[] =>
  [...(shown ?? [])]
    .filter(([, text]) => new RegExp(`no.?(known )?change.{0,80}?(${figure})`, "is").test(text))
    .map(([where]) => where);

/** Which surfaces say this of an impact's level. */
const saying = (shown: ReadonlyMap<string, string> | undefined, level: string): readonly string[] =>
  [...(shown ?? [])]
    .filter(([, text]) => new RegExp(`\\b(impact|level)\\b.{0,40}\\b(${level})\\b`, "is").test(text))
    .map(([where]) => where);

describe("S9, S15: what is not known is called so on every surface", () => {
  let shown: Awaited<ReturnType<typeof shownOf>>;
  beforeAll(async () => {
    const measured: Partial<Impact> = { level: "critical", failedShare: 0.6, unknown: [] };
    shown = await shownOf({
      "measured, open": (one) => withImpact(one, measured),
      "measured, closed": (one, now) => closed(withImpact(one, measured), now),
      "compared, open": compared,
      "compared, closed": (one, now) => closed(compared(one), now),
      "uncompared, open": uncompared,
      "uncompared, closed": (one, now) => closed(uncompared(one), now),
      "uncompared in a ledger of before, open": asCertain,
      "uncompared in a ledger of before, closed": (one, now) => closed(asCertain(one), now),
      "unmeasured, open": (one) => withImpact(one, {}),
      "unmeasured, closed": (one, now) => closed(withImpact(one, {}), now),
      "unmeasured in a ledger of before, open": (one) => withImpact(one, { level: "low" }),
      "unmeasured in a ledger of before, closed": (one, now) => closed(withImpact(one, { level: "low" }), now),
    });
  }, 120_000);

  it.each(["open", "closed"])("an impact of an incident that is %s: whoever names a level that is known", (stage) => {
    const known = saying(shown.get(`measured, ${stage}`), "critical");
    expect(known.length).toBeGreaterThan(5);
    for (const state of ["unmeasured", "unmeasured in a ledger of before"]) {
      const said = shown.get(`${state}, ${stage}`);
      expect([...(said?.keys() ?? [])]).toEqual([...(shown.get(`measured, ${stage}`)?.keys() ?? [])]);
      expect(saying(said, "low|medium|high|critical")).toEqual([]);
      expect(saying(said, "unknown|null")).toEqual(expect.arrayContaining([...known]));
    }
  });

  it.each(["open", "closed"])(
    "a probability of an incident that is %s: whoever tells one that was compared",
    (stage) => {
      const known = figures(shown.get(`compared, ${stage}`), "68 %|0\\.68");
      expect(known.length).toBeGreaterThan(3);
      for (const state of ["uncompared", "uncompared in a ledger of before"]) {
        const said = shown.get(`${state}, ${stage}`);
        for (const where of known) expect(`${where}: ${said?.get(where)}`).toContain(NOTHING);
        // The format of bundles has a number there, and says beside it that it measures nothing.
        expect(figures(said, '\\d %|robability": [01]\\b').filter((where) => where !== "episode")).toEqual([]);
        expect(said?.get("episode")).toContain(`"not_compared": "no change could be compared, since ${NOTHING}"`);
      }
    },
  );
});
