import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { explainedElsewhere, withExplained } from "../../../agent/watch/explained.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Incident, Recovery } from "../../../core/model/incident.ts";
import { firing, NOW, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { openWatchWorld } from "./watch-world.ts";

/** `web` calls `cart` and `search`, `cart` calls `stock`, and `shop` calls `web`. */
const topology: CaseFile["topology"] = {
  edges: [
    ["shop", "web"],
    ["web", "cart"],
    ["web", "search"],
    ["cart", "stock"],
    ["mail", "stock"],
  ],
  external: [],
};
/** An incident whose act took back `cart`. */
const acted = {
  id: "inc-1",
  service: "cart",
  affectedServices: ["cart", "web", "shop"],
  gate: {
    executedAt: NOW,
    results: [{ target: targetOf({ name: "cart" }), result: "done", detail: "", at: NOW, warnings: [] }],
  },
} as unknown as Incident;
const other = (...trouble: readonly string[]) =>
  ({ id: "inc-2", service: trouble[0], affectedServices: ["web"], trouble }) as unknown as Incident;
const caseOf = (degraded: readonly string[], graph: CaseFile["topology"] = topology) =>
  ({
    findings: [],
    series: [],
    conditions: degraded.map((service) => firing({ service })),
    topology: graph,
  }) as unknown as CaseFile;

describe("what another open incident explains of the symptoms of an act", () => {
  it.each<[string, Incident, CaseFile, readonly string[]]>([
    [
      "whoever calls what is degraded there, directly or through others",
      other("search"),
      caseOf(["search"]),
      ["shop", "web"],
    ],
    ["nothing, where what is told there is well again", other("search"), caseOf(["web"]), []],
    [
      "nothing, where that calls what was rolled back: the act may not have helped it",
      other("web"),
      caseOf(["web"]),
      [],
    ],
    ["nothing of those who do not call it", other("mail"), caseOf(["mail"]), []],
    ["nothing, where nobody knows who calls whom", other("search"), caseOf(["search"], null), []],
    [
      "nothing of what was rolled back, though it calls what is degraded there",
      other("stock"),
      caseOf(["stock"]),
      ["shop", "web"],
    ],
    ["nothing by its own incident", { ...other("search"), id: "inc-1" }, caseOf(["search"]), []],
  ])("%s", (_, beside, file, expected) => {
    expect([...explainedElsewhere(acted, [acted, beside], file).keys()].sort()).toEqual(expected);
  });

  const verdict = fc.constantFrom<Recovery["verdict"]>("recovered", "not-recovered", "unknown", "pending");
  const check = fc.record({
    service: fc.constantFrom("cart", "web", "shop"),
    metric: fc.constantFrom("error_rate", "p99_latency", "rollout"),
    verdict,
    because: fc.constant("20 %, outside its baseline"),
  });

  it("decides nothing: neither a failure nor a recovery rests on it, and what is not explained is judged as before", () => {
    const explained = new Map([["web", { by: "search", incident: "inc-2" }]]);
    fc.assert(
      fc.property(fc.array(check, { minLength: 1, maxLength: 8 }), fc.boolean(), (checks, isOver) => {
        const worst = (["not-recovered", "unknown", "pending", "recovered"] as const).find((one) =>
          checks.some((check) => check.verdict === one),
        );
        const before: Recovery = { verdict: worst ?? "unknown", at: worst === "pending" ? null : NOW, checks };
        const after = withExplained(before, explained, NOW, isOver);
        const isExplained = (one: Recovery["checks"][number]) =>
          one.service === "web" && one.metric !== "rollout" && one.verdict !== "recovered";
        const rest = checks.filter((one) => !isExplained(one));
        if (rest.length === checks.length) {
          expect(after).toEqual(before);
          return;
        }
        expect(after.checks.filter((_, i) => !isExplained(checks[i] as (typeof checks)[number]))).toEqual(rest);
        expect(
          after.checks
            .filter((_, i) => isExplained(checks[i] as (typeof checks)[number]))
            .every((one) => one.verdict === "unknown"),
        ).toBe(true);
        if (after.verdict === "not-recovered") expect(rest.some((one) => one.verdict === "not-recovered")).toBe(true);
        if (after.verdict === "recovered")
          expect(rest.some((one) => one.metric !== "rollout" && one.verdict === "recovered")).toBe(true);
        if (after.verdict === "pending") expect(after.at).toBeNull();
      }),
    );
  });

  it("a right rollback is not called failed, and nobody hears that it made things worse, for what a sibling goes on breaking", async () => {
    await using world = await openWatchWorld();
    const graph = { edges: [["web", "checkout"] as const, ["web", "search"] as const], external: [] };
    const gather = world.gather;
    world.gather = async (now) => ({ ...(await gather(now)), topology: graph });
    const blameless = {
      action: "no_action",
      condition: "none",
      culprit: null,
      noChangeProbability: 0.95,
      targets: [],
    } as const;
    const broken = world.trouble({ services: ["checkout", "web"] });
    const sibling = world.trouble({ ...blameless, services: ["search"] });
    await world.restart({
      recovery: async (_, { at }) => ({
        verdict: "not-recovered",
        at,
        checks: [
          { service: "checkout", metric: "error_rate", verdict: "recovered", because: "back" },
          { service: "web", metric: "error_rate", verdict: "not-recovered", because: "19 %" },
        ],
      }),
    });
    world.troubles = [broken, sibling];
    await world.step();
    const web = world.trouble({ ...blameless, services: ["search", "web"] });
    world.troubles = [web];
    await world.step(3);
    const one = (await world.incidents()).find(({ service }) => service === "checkout");
    expect(one).toMatchObject({ service: "checkout", outcome: "recovered", stage: "closed" });
    expect(one?.recovery?.checks.at(-1)).toMatchObject({
      verdict: "unknown",
      because: expect.stringContaining("it calls search, which is degraded by itself"),
    });
    expect(world.notices).toEqual([]);
  });
});
