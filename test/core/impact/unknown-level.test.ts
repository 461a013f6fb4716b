import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { approvalFacts } from "../../../core/decision/approval-facts.ts";
import { assessImpact } from "../../../core/impact/impact.ts";
import { asReadNow } from "../../../core/model/as-read-now.ts";
import type { Finding } from "../../../core/model/finding.ts";
import { Impact, ImpactLevel } from "../../../core/model/impact.ts";
import { incident } from "../../knowledge/incidents.ts";
import { testConfig } from "../assessment/config.ts";
import { emptyCase, T0 } from "../correlation/fixtures.ts";
import { seriesOf } from "../detection/series.ts";
import { serviceOf } from "../guardrails/rule-inputs.ts";

const NAMES = ["web", "api", "cart"] as const;

/** What is measured of a service: a failed share, a counter that cannot be read, or none at all. */
const counted = fc.oneof(fc.constantFrom("unreadable", "none"), fc.constantFrom(0, 0.002, 0.03, 0.1, 0.6));
type Counted = number | string;

const slower = (service: string): Finding => ({
  ...{ detector: "regression", service, metric: "p50_latency", labels: {}, unit: "ms", strength: 9, verdict: "worse" },
  ...{ onset: null, detectedAt: T0 + 150_000, baseline: 100, current: 300, samples: 4, because: "" },
});

const caseOf = (shares: readonly Counted[], edges: [string, string][], findings: Finding[]) =>
  emptyCase({
    at: T0 + 10 * 15_000,
    topology: { edges, external: [] },
    findings,
    series: NAMES.flatMap((service, index) => {
      const share = shares[index] ?? "none";
      if (share === "none") return [];
      return [seriesOf("error_rate", new Array(10).fill(share === "unreadable" ? null : share), { service })];
    }),
  });

const situation = fc.record({
  shares: fc.tuple(counted, counted, counted),
  edges: fc.constantFrom<[string, string][]>(
    [],
    [["web", "cart"]],
    [
      ["web", "cart"],
      ["api", "cart"],
    ],
  ),
  slow: fc.subarray([...NAMES]),
  affected: fc.option(fc.subarray([...NAMES]), { nil: null }),
  unseen: fc.constantFrom<string[]>([], ["prometheus did not say metrics: connection refused"]),
  criticality: fc.constantFrom(...ImpactLevel.options),
});

const impactOf = ({
  shares,
  edges,
  slow,
  affected,
  unseen,
  criticality,
}: typeof situation extends fc.Arbitrary<infer T> ? T : never) => {
  const services = Object.fromEntries(NAMES.map((one) => [one, serviceOf({ criticality })]));
  return assessImpact(caseOf(shares, edges, slow.map(slower)), testConfig({ services }), affected, unseen);
};

describe("S9: an impact level that no figure carries is unknown", () => {
  it("where no counter can be read and nobody is slow, whatever the services are worth", () => {
    fc.assert(
      fc.property(situation, fc.subarray([...NAMES], { minLength: 1 }), (one, affected) => {
        const shares = one.shares.map((share) => (share === "none" ? share : "unreadable")) as typeof one.shares;
        expect(impactOf({ ...one, shares, affected, slow: [] }).level).toBe("unknown");
      }),
    );
  });

  it("and a known one has a figure above none, or rests on all that is affected being measured", () => {
    fc.assert(
      fc.property(situation, (one) => {
        const impact = impactOf(one);
        if (impact.level === "unknown") {
          expect([...impact.unknown, impact.notYet]).not.toEqual([undefined]);
          return;
        }
        const figure = Math.max(impact.failedShare ?? 0, impact.slowShare ?? 0);
        if (figure > 0 && impact.level !== "low") return;
        expect(impact.unknown).toEqual([]);
        expect(impact.notYet).toBeUndefined();
      }),
    );
  });

  it("which no approval expression takes for a low one", () => {
    fc.assert(
      fc.property(situation, (one) => {
        const impact = impactOf(one);
        const answers = { evaluate_business_impact: { impact } };
        const { business_impact } = approvalFacts({
          answers,
          findings: [],
          conditions: [],
          probability: 1,
          targets: 1,
        });
        if (impact.level === "unknown" || impact.unknown.length > 0) expect(business_impact).toBeNull();
        else expect(business_impact).toBe(impact.level);
      }),
    );
  });

  it("where an affected service's counter cannot be read beside one where nothing fails", () => {
    const edges: [string, string][] = [
      ["web", "cart"],
      ["api", "cart"],
    ];
    const file = caseOf([0, "unreadable", "none"], edges, []);
    const impact = assessImpact(file, testConfig(), ["api"]);
    expect(impact).toMatchObject({
      level: "unknown",
      failedShare: 0,
      unknown: ["failed share of traffic at api: no sample of the last minute"],
    });
    expect(assessImpact(file, testConfig(), []).level).toBe("low");
  });
});

describe("S9: a record of before", () => {
  const { impact } = incident;
  if (impact === null) throw new Error("the incident has an impact");
  const low: Impact = { ...impact, level: "low", failedShare: 0.001 };
  const levels = (one: Impact) => {
    const extent = { detectedAt: 0, onset: null, services: [], findings: [], impact: one };
    const present = { at: 0, findings: [], conditions: [], affectedServices: [], impact: one };
    const read = asReadNow({ ...incident, impact: one, extent, present });
    return [read.impact?.level, read.extent?.impact?.level, read.present?.impact?.level];
  };

  it.each<[string, Impact, string]>([
    ["nothing was measured for is unknown", { ...low, failedShare: null, unknown: ["no error rate"] }, "unknown"],
    ["nothing was measured for yet is unknown", { ...low, failedShare: null, notYet: true }, "unknown"],
    ["a figure was measured for stays", low, "low"],
    ["was more than low stays", { ...low, level: "high", failedShare: null, unknown: ["revenue"] }, "high"],
  ])("a level that %s", (_, one, level) => {
    expect(levels(Impact.parse(one))).toEqual([level, level, level]);
  });
});
