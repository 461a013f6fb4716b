import { beforeAll, describe, expect, it } from "vitest";
import type { Impact } from "../../../core/model/impact.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { shownOf } from "./not-known.ts";

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
});
