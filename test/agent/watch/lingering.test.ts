import { describe, expect, it } from "vitest";
import { belongs } from "../../../agent/watch/lingering.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { changeOf, NOW, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { caseFileOf, troubleOf } from "./trouble.ts";

const SECOND = 1000;
/** Payments was rolled back at `NOW`; its rollout took twenty seconds. */
const payments = targetOf({ name: "payments" });
const DONE = NOW + 20 * SECOND;
const own = changeOf(payments, {
  id: "own",
  from: "v2",
  to: "v1",
  startedAt: NOW - SECOND,
  finishedAt: DONE,
  ownRollback: true,
});
const topology = {
  edges: [
    ["gateway", "checkout"],
    ["checkout", "payments"],
    ["gateway", "search"],
  ] as const,
  external: [],
};

const incident = (executedAt: number | null = NOW) =>
  ({
    service: "payments",
    affectedServices: ["payments"],
    plan: null,
    gate: {
      executedAt,
      results: [{ target: payments, result: "done", detail: "", at: NOW, warnings: [] }],
    },
  }) as unknown as Incident;

const file = (since: Readonly<Record<string, number>>, changes: readonly Change[] = [own]): CaseFile => ({
  ...caseFileOf(
    NOW + 60 * SECOND,
    // The script's onsets are credible from 15 s before.
    Object.entries(since).map(([name, at]) => troubleOf(targetOf({ name }), at + 15 * SECOND)),
    [],
  ),
  topology,
  changes,
});
const deployed = changeOf(targetOf({ name: "checkout" }), { id: "new", startedAt: NOW + 5 * SECOND });

describe("trouble beside a rollback that is being verified", () => {
  const rows: readonly (readonly [string, CaseFile, readonly string[], boolean])[] = [
    ["the service itself belongs to it", file({ payments: NOW + 60 * SECOND }), ["payments"], true],
    ["a caller hurt before the act", file({ checkout: NOW - SECOND }), ["checkout"], true],
    ["a caller of a caller as well", file({ gateway: NOW - SECOND }), ["gateway"], true],
    ["a caller hurt while the rollback still replaced pods", file({ checkout: NOW + 10 * SECOND }), ["checkout"], true],
    [
      "a caller whose trouble goes on through an act that did not help",
      file({ checkout: DONE + 999 }),
      ["checkout"],
      true,
    ],
    [
      "a caller hurt after the act was in effect stands apart",
      file({ checkout: DONE + 10 * SECOND }),
      ["checkout"],
      false,
    ],
    [
      "a caller that it spreads to while the service itself is still hurt",
      file({ payments: DONE, checkout: DONE + 40 * SECOND }),
      ["checkout", "payments"],
      true,
    ],
    [
      "a caller that was itself changed since, also while the service itself is still hurt",
      file({ payments: DONE, checkout: DONE + 40 * SECOND }, [own, deployed]),
      ["checkout", "payments"],
      false,
    ],
    [
      "a caller that was itself changed since stands apart",
      file({ checkout: NOW + 10 * SECOND }, [own, deployed]),
      ["checkout"],
      false,
    ],
    ["who calls neither stands apart, whenever it began", file({ search: NOW - SECOND }), ["search"], false],
    ["a caller beside one that stands apart", file({ checkout: NOW, search: NOW }), ["checkout", "search"], false],
    [
      "the service with a caller of the same rollout",
      file({ payments: NOW, checkout: NOW + 10 * SECOND }),
      ["checkout", "payments"],
      true,
    ],
    [
      "the service with trouble of its own beside it",
      file({ payments: NOW, search: NOW + 10 * SECOND }),
      ["payments", "search"],
      false,
    ],
    [
      "without a call graph nobody is known to suffer",
      { ...file({ checkout: NOW - SECOND }), topology: null },
      ["checkout"],
      false,
    ],
    [
      "a rollback that still rolls out is not yet in effect",
      file({ checkout: NOW + 40 * SECOND }, [{ ...own, finishedAt: null }]),
      ["checkout"],
      true,
    ],
  ];
  it.each(rows)("%s", (_, caseFile, services, expected) => {
    expect(belongs(incident(), services, caseFile)).toBe(expected);
  });

  it("before anything was done, only what shares a service belongs to it", () => {
    expect(belongs(incident(null), ["checkout"], file({ checkout: NOW - SECOND }))).toBe(false);
    expect(belongs(incident(null), ["checkout", "payments"], file({ checkout: NOW }))).toBe(true);
  });
});
