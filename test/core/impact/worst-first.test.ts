import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareImpact, knownLevel, type Weighed, worstFirst } from "../../../core/impact/worst-first.ts";
import type { Impact } from "../../../core/model/impact.ts";
import { serviceOf } from "../guardrails/rule-inputs.ts";

const impactOf = (
  level: Impact["level"],
  failedShare: number | null = 0.1,
  unknown: readonly string[] = [],
): Impact => ({
  level,
  affectedServices: [],
  failedShare,
  failedUserShare: null,
  failedRequestsPerSecond: null,
  revenuePerMinute: null,
  routes: [],
  unknown: [...unknown],
  sentences: [],
});
const one = (id: string, change: Partial<Weighed> = {}): Weighed => ({
  id,
  service: id,
  affectedServices: [],
  impact: impactOf("medium"),
  onset: null,
  detectedAt: 1000,
  ...change,
});
const unmeasured = impactOf("unknown", null, ["failed share of traffic: no error rate where users come in"]);
const services = { shop: serviceOf({ criticality: "critical" }), blog: serviceOf({ criticality: "low" }) };

describe("incidents, worst first", () => {
  it.each([
    [
      "a higher impact level goes first",
      one("a", { impact: impactOf("critical", 0.2) }),
      one("b", { impact: impactOf("high", 0.9) }),
    ],
    [
      "of one level the greater failed share",
      one("a", { impact: impactOf("high", 0.9) }),
      one("b", { impact: impactOf("high", 0.2) }),
    ],
    [
      "of one level a failed share that is known before one that is not",
      one("a", { impact: impactOf("high", 0.01) }),
      one("b", { impact: impactOf("high", null) }),
    ],
    ["of one share the more important service", one("shop"), one("blog", { detectedAt: 1 })],
    [
      "an affected service counts for its importance",
      one("blog", { affectedServices: ["shop"] }),
      one("news", { service: "blog", detectedAt: 1 }),
    ],
    ["of one importance the older one", one("b", { detectedAt: 500 }), one("a", { detectedAt: 900 })],
    [
      "its age is that of the onset, where that is known",
      one("b", { onset: { at: 10, earliest: 10, latest: 10 }, detectedAt: 900 }),
      one("a", { detectedAt: 500 }),
    ],
    ["of one age the id, so that all find the same order", one("a"), one("b")],
    [
      "S9: what is measured to be medium goes before what is not known",
      one("a", { impact: impactOf("medium", 0.01) }),
      one("b", { impact: null }),
    ],
    [
      "S9: what is not known goes before what is measured to be low",
      one("a", { impact: null }),
      one("b", { impact: impactOf("low", 0.001) }),
    ],
    [
      "S9: a level that nothing was measured for is not known",
      one("a", { impact: unmeasured }),
      one("b", { impact: impactOf("low", 0.001) }),
    ],
  ] as const)("%s", (_, first, second) => {
    expect(worstFirst([second, first], services)).toEqual([first, second]);
    expect(worstFirst([first, second], services)).toEqual([first, second]);
  });

  it("a high level stays high though parts of it are not known", () => {
    expect(knownLevel({ impact: impactOf("high", null, ["revenue"]) })).toBe("high");
  });

  const drawn = fc
    .record({
      level: fc.option(fc.constantFrom("low", "medium", "high", "critical"), { nil: null }),
      share: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null }),
      service: fc.constantFrom("shop", "blog", "other"),
      detectedAt: fc.integer({ min: 0, max: 3 }),
    })
    .map(({ level, share, ...rest }) => ({ ...rest, impact: level === null ? null : impactOf(level, share) }));

  it("is one order, whatever order they come in: nobody waits for somebody who waits for them", () => {
    fc.assert(
      fc.property(fc.array(drawn, { maxLength: 12 }), fc.integer(), (many, seed) => {
        const all = many.map((change, index) => one(`inc-${index}`, change));
        const mixed = all.toSorted((a, b) => ((a.id.length * 31 + seed) % 7) - ((b.id.length * 31 + seed) % 5));
        const order = worstFirst(all, services);
        expect(worstFirst(mixed, services)).toEqual(order);
        for (const [index, a] of order.entries())
          for (const b of order.slice(index + 1)) {
            expect(compareImpact(a, b, services)).toBeLessThan(0);
            expect(compareImpact(b, a, services)).toBeGreaterThan(0);
          }
      }),
    );
  });
});
