import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Mode } from "../../../core/config/config.ts";
import { graduationLines, graduationText, mostWrong, recordOf } from "../../../core/guardrails/graduation.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { incident } from "../../knowledge/incidents.ts";
import { planOf, targetOf } from "./rule-inputs.ts";

type Told = readonly [outcome: Incident["outcome"], answer: "approve" | "reject" | null, service?: string];

/** Incidents as they followed each other: what came of each, and what a person said of its plan. */
function record(told: readonly Told[], service = "checkout") {
  const incidents = told.map(
    ([outcome, , name = "checkout"], index): Incident => ({
      ...incident,
      id: `inc-${index}`,
      plan: planOf({ id: `plan-${index}`, targets: [targetOf({ name })] }),
      outcome,
      stage: outcome === null ? "executing" : "closed",
      closedAt: outcome === null ? null : 1,
    }),
  );
  const answers = new Map(
    told.flatMap(([, answer], index) => (answer === null ? [] : [[`plan-${index}`, answer] as const])),
  );
  return recordOf(service, incidents, answers, new Set());
}

const good: Told = ["recovered", "approve"];

describe("what a service has shown", () => {
  it.each([
    ["nothing yet", [], 0, 0],
    ["approved recoveries count", [good, good], 2, 2],
    ["a recovery that nobody approved is a proposal alone", [["recovered", null]], 1, 0],
    ["one that did not help starts the row anew", [good, ["not-recovered", "approve"], good], 3, 1],
    ["S9: so does one that could not be verified", [good, ["unknown", "approve"]], 2, 0],
    ["so does one that a person rejected", [good, ["denied", "reject"]], 2, 0],
    ["one that was withdrawn does not", [good, ["withdrawn", null]], 2, 1],
    ["an open incident is a proposal alone", [good, [null, "approve"]], 2, 1],
    ["those of another service do not count", [good, ["recovered", "approve", "cart"]], 1, 1],
  ] satisfies readonly (readonly [string, readonly Told[], number, number])[])("%s", (_, told, proposals, row) => {
    expect(record(told)).toMatchObject({ proposals, recoveredInARow: row });
  });

  it("counts nothing for a service that somebody changed again before its recovery was judged", () => {
    const one: Incident = {
      ...incident,
      id: "i",
      plan: planOf({ targets: [targetOf(), targetOf({ name: "cart" })] }),
      outcome: "recovered",
      closedAt: 1,
      superseded: [{ service: "cart", what: "newer put v3 in the place of v1 of cart" }],
    };
    const answers = new Map([["plan-1", "approve" as const]]);
    expect(recordOf("checkout", [one], answers, new Set())).toMatchObject({ proposals: 1, recoveredInARow: 1 });
    expect(recordOf("cart", [one], answers, new Set())).toMatchObject({ proposals: 1, recoveredInARow: 0 });
    expect(recordOf("cart", [one], answers, new Set(["i"])).broken).toContain("was rejected");
  });

  it.each<readonly [string, Partial<Incident>, readonly Incident[]]>([
    ["whose verification was not confirmed", { recovery: null }, []],
    ["whose verification found something else", { recovery: { verdict: "unknown", at: 2, checks: [] } }, []],
    [
      "during which the service was degraded",
      { recovery: { verdict: "recovered", at: 10, checks: [] }, detectedAt: 1 },
      [
        {
          ...incident,
          id: "later",
          plan: null,
          detectedAt: 12,
          onset: { at: 5, earliest: 4, latest: 6 },
          closedAt: null,
        },
      ],
    ],
  ])("S9: a recovery %s does not count toward mode auto", (_, change, others) => {
    const answers = new Map([["plan-1", "approve" as const]]);
    const one: Incident = { ...incident, id: "i", plan: planOf(), outcome: "recovered", closedAt: 1, ...change };
    const record = recordOf("checkout", [one, ...others], answers, new Set());
    expect(record).toMatchObject({ recoveredInARow: 0, broken: expect.stringContaining("incident i") });
  });

  it("counts an incident as rejected if an earlier plan of it was", () => {
    const one: Incident = { ...incident, id: "i", plan: planOf(), outcome: "recovered", closedAt: 1 };
    const answers = new Map([["plan-1", "approve" as const]]);
    expect(recordOf("checkout", [one], answers, new Set(["i"])).recoveredInARow).toBe(0);
    expect(recordOf("checkout", [one], answers, new Set()).recoveredInARow).toBe(1);
  });
});

const policy = { graduation: { approveAfterProposals: 3, autoAfterRecovered: 5 } };
const text = (mode: Mode, told: readonly Told[]) => graduationText(mode, record(told), policy);

describe("the suggestion", () => {
  it.each([
    ["observe", [good], "1 of 3 proposals"],
    ["observe", [good, good, good], "3 of 3 proposals: review them, and consider mode approve"],
    ["approve", [good], "1 of 5 approved recoveries in a row"],
    [
      "approve",
      [["not-recovered", "approve"]],
      "0 of 5 approved recoveries in a row, since the plan of incident inc-0 did not bring recovery",
    ],
    [
      "approve",
      [good, good, good, good, good],
      "5 of 5 approved recoveries in a row: consider mode auto (so few can hide up to 46 % that go wrong, at 95 % confidence)",
    ],
    ["auto", [good], "there is no wider mode"],
    [
      "auto",
      [good, ["unknown", null]],
      "the plan of incident inc-1 could not be verified: consider mode approve until it is understood",
    ],
  ] satisfies readonly (readonly [Mode, readonly Told[], string])[])("in mode %s after %j: %s", (mode, told, says) => {
    expect(text(mode, told)).toBe(says);
  });

  it("never names more freedom after a failure than before it", () => {
    const anyTold = fc.array(
      fc.constantFrom<Told>(good, ["not-recovered", "approve"], ["denied", "reject"], ["recovered", null]),
    );
    fc.assert(
      fc.property(anyTold, (told) => {
        expect(text("approve", [...told, ["not-recovered", "approve"]])).not.toContain("consider mode auto");
      }),
    );
  });

  it("says how many failures so few successes can hide", () => {
    expect(mostWrong(0)).toBe(1);
    expect(mostWrong(5)).toBeCloseTo(0.451, 3);
    // The chance of seeing no failure at that share is just 5 %.
    for (const count of [1, 5, 59]) expect((1 - mostWrong(count)) ** count).toBeCloseTo(0.05, 10);
  });
});

describe("what status lists of it", () => {
  const modes = ["observe", "approve", "auto"] as const;
  const all = modes.flatMap((mode) =>
    [0, 1].flatMap((proposals) =>
      [0, 1].flatMap((recoveredInARow) =>
        [null, "the plan of incident i-1 was rejected"].map((broken) => ({
          ...{ mode, proposals, recoveredInARow, broken },
          service: `${mode}-${proposals}-${recoveredInARow}-${broken === null ? "whole" : "broken"}`,
          text: "so far",
        })),
      ),
    ),
  );
  it.each(all)("$service: only where there is news", (one) => {
    const { mode, proposals, recoveredInARow, broken } = one;
    const isNews = { observe: proposals > 0, approve: recoveredInARow > 0 || broken !== null, auto: broken !== null };
    expect(graduationLines([one])).toHaveLength(isNews[mode] ? 1 : 0);
  });
  it("names the mode that it leads to once", () => {
    const cart = { service: "cart", mode: "approve", proposals: 1, recoveredInARow: 1, broken: null } as const;
    const lines = graduationLines([
      { ...cart, text: "1 of 5 approved recoveries in a row" },
      { ...cart, service: "web", text: "2 of 5 approved recoveries in a row" },
      { ...cart, service: "auth", recoveredInARow: 0, text: "0 of 5 approved recoveries in a row" },
    ]);
    expect(lines).toEqual([
      "Towards mode auto: cart 1 of 5 approved recoveries in a row; web 2 of 5 approved recoveries in a row",
    ]);
  });
});
