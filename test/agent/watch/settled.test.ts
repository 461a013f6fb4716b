import { expect, it } from "vitest";
import { openIncident } from "../../../agent/watch/incident-state.ts";
import type { Pursuit } from "../../../agent/watch/pursuit.ts";
import { basisOf, isSettled } from "../../../agent/watch/settled.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { emptyCase } from "../../core/correlation/fixtures.ts";
import { assessmentOf, changeOf, targetOf } from "../../core/guardrails/rule-inputs.ts";

const MINUTE = 60_000;
const DAY_MINUTES = 24 * 60;

/** In which of the minutes of some days an incident is judged, for which nothing can be done; `changes`: seen at a minute. */
function judgedAt(
  days: number,
  changes: readonly (Change & { readonly seenAt: number })[],
  edges: readonly (readonly [string, string])[] = [],
) {
  let incident: Incident = openIncident("inc", { ...assessmentOf({ targets: [] }), baselines: [] });
  incident = { ...incident, decision: { ...assessmentOf({ targets: [] }).decision, action: "no_action" } };
  const judged: number[] = [];
  for (let minute = 0; minute < days * DAY_MINUTES; minute += 1) {
    const seen = changes.filter(({ seenAt }) => seenAt <= minute);
    const topology = edges.length === 0 ? null : { edges, external: [] };
    const caseFile: CaseFile = { ...emptyCase({ changes: seen, topology }), at: minute * MINUTE };
    const basis = basisOf(incident, ["checkout"], caseFile);
    if (isSettled(incident, basis, { caseFile, parts: { config: testConfig() } } as unknown as Pursuit)) continue;
    judged.push(minute);
    incident = { ...incident, judged: basis };
  }
  return judged;
}
const seen = (service: string, minute: number) => ({
  ...changeOf(targetOf()),
  id: `deploy-${service}`,
  service,
  seenAt: minute,
});
const minutes = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

it.each([
  ["is judged for an hour, and then once a day", [], [], []],
  ["is judged again where it is changed itself", [seen("checkout", 300)], [], minutes(300, 60)],
  ["is judged again where what it calls is changed", [seen("cart", 300)], [["checkout", "cart"]], minutes(300, 60)],
  ["stays quiet where others are changed, whose calls are not known", [seen("cart", 300)], [], []],
  ["stays quiet where what nothing joins to it is changed", [seen("cart", 300)], [["web", "cart"]], []],
] as const)("an incident for which nothing can be done %s", (_, changes, edges, more) => {
  const judged = judgedAt(3, changes, edges);
  const begun = more[0] ?? 0;
  const daily = minutes(1, 2).map((days) => begun + days * DAY_MINUTES);
  expect(judged).toEqual([...minutes(0, 60), ...more, ...daily]);
});

it("an incident for which nothing can be done is judged again once a source of changes answers that did not", () => {
  const incident: Incident = openIncident("inc", { ...assessmentOf({ targets: [] }), baselines: [] });
  const silent = { of: "changes", how: "unanswered", source: "kubernetes", what: "changes" } as const;
  const basis = (at: number, silentFor: readonly string[]) =>
    basisOf(incident, ["checkout"], {
      ...emptyCase({}),
      at,
      gaps: silentFor.map((because) => ({ ...silent, because })),
    }).basis;
  expect(basis(1, [])).toBe(basis(0, []));
  expect(basis(1, ["it does not answer: 2 s"])).toBe(basis(0, ["it does not answer: 1 s"]));
  expect(basis(1, [])).not.toBe(basis(0, ["it does not answer"]));
});
