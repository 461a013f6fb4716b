import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import { outsideCause } from "../../../core/decision/outside.ts";
import type { Span } from "../../../core/model/evidence.ts";
import { caseAt } from "../assessment/case-at.ts";
import { testConfig } from "../assessment/config.ts";
import { base } from "../assessment/trap.ts";
import { emptyCase, onsetAt, T0 } from "../correlation/fixtures.ts";

const topology = {
  edges: [
    ["pay", "bank"],
    ["pay", "mail"],
    ["cart", "stock"],
  ] as const,
  external: ["bank", "mail"],
};

/** A failed request of pay; with `callee`, it failed in a call to that. */
const failed = (n: number, callee?: string): Span[] => {
  const span = {
    traceId: `t${n}`,
    name: "pay",
    startUs: (T0 + n) * 1000,
    durationUs: 1000,
    error: true,
    service: "pay",
  };
  const request = { ...span, spanId: "1" };
  return callee === undefined ? [request] : [request, { ...span, spanId: "2", parentId: "1", callee }];
};
const evidence = (spans: readonly Span[], worse: readonly string[] = ["pay"], names: readonly string[] = []) => ({
  caseFile: emptyCase({ topology, spans }),
  worse: new Map(worse.map((service) => [service, new Set(["error_rate"])])),
  signatures: names.map((name) => ({
    service: "pay",
    template: `${name} answered #`,
    count: 3,
    firstAt: T0,
    versions: new Map<string, number>(),
    names: [name],
    complains: false,
    written: [],
  })),
  onset: onsetAt(T0),
});

describe("the cause outside", () => {
  it.each([
    ["most failed requests failed in a call to it", evidence([1, 2, 3].flatMap((n) => failed(n, "bank"))), "bank"],
    ["a new error of its caller names it", evidence([], ["pay"], ["mail"]), "mail"],
    ["one failed call is an accident", evidence(failed(1, "bank")), null],
    [
      "most requests failed by themselves",
      evidence([...failed(1, "bank"), ...failed(2, "bank"), ...[3, 4, 5].flatMap((n) => failed(n))]),
      null,
    ],
    [
      "its caller is well",
      evidence(
        [1, 2, 3].flatMap((n) => failed(n, "bank")),
        ["cart"],
      ),
      null,
    ],
    ["the calls failed before the onset", evidence([-9, -8, -7].flatMap((n) => failed(n, "bank"))), null],
    ["two are named alike", evidence([], ["pay"], ["bank", "mail"]), null],
    ["nothing points anywhere", evidence([]), null],
  ] as const)("where %s", (_, given, node) => {
    expect(outsideCause(given)?.node ?? null).toBe(node);
  });

  it("is named by the decision that blames no change, with what to do, and no other place is", async () => {
    const logs = [1, 2, 3].map((i) => ({ atS: 320 + i, service: "pay", message: `bank answered 503 to ${i}` }));
    const world = { ...base, logs, effects: [{ service: "pay", fromS: 300, errors: 0.4 }] };
    const { action, why } = assess(await caseAt(world, 600), testConfig()).decision;
    expect(action).toBe("no_action");
    expect(why.join("\n")).toContain('a new error of pay names bank: "bank answered # to #"');
    expect(why.join("\n")).toContain("bank is not ours to roll back");
    expect(why.join("\n")).not.toContain("would most likely start at");
  });
});
