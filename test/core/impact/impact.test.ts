import { describe, expect, it } from "vitest";
import type { ServiceConfig } from "../../../core/config/config.ts";
import { assessImpact } from "../../../core/impact/impact.ts";
import { testConfig } from "../assessment/config.ts";
import { emptyCase, T0 } from "../correlation/fixtures.ts";
import { seriesOf } from "../detection/series.ts";

const service = (replaced: Partial<ServiceConfig> = {}): ServiceConfig => ({
  namespace: null,
  workload: null,
  argocdApplication: null,
  flags: [],
  criticality: "medium",
  revenuePerMinute: null,
  routes: [],
  mode: null,
  ...replaced,
});
/** The web is where users come in; both fail this share of 100 requests a second. */
const caseWith = (share: number) =>
  emptyCase({
    at: T0 + 10 * 15_000,
    topology: { edges: [["web", "cart"]], external: [] },
    series: ["web", "cart"].flatMap((name) => [
      seriesOf("error_rate", new Array(10).fill(share), { service: name }),
      seriesOf("request_rate", new Array(10).fill(100), { service: name }),
    ]),
  });

describe("impact without revenue", () => {
  it.each([
    [0.002, "low"],
    [0.02, "medium"],
    [0.1, "high"],
    [0.9, "high"], // capped: nobody said what it is worth
  ])("of %d failed requests where users come in is %s", (share, level) => {
    const impact = assessImpact(caseWith(share), testConfig(), ["cart", "web"]);
    expect(impact.level).toBe(level);
    expect(impact.failedShare).toBeCloseTo(share, 9);
    expect(impact.failedRequestsPerSecond).toBeCloseTo(100 * share, 6);
    expect(impact.unknown).toEqual([]);
  });

  it("is weighed by what the services are worth to people", () => {
    const critical = testConfig({ services: { cart: service({ criticality: "critical" }) } });
    const low = testConfig({ services: { cart: service({ criticality: "low" }) } });
    expect(assessImpact(caseWith(0.02), critical, ["cart"]).level).toBe("high");
    expect(assessImpact(caseWith(0.02), low, ["cart"]).level).toBe("low");
  });
});

describe("impact with revenue", () => {
  const routes = [{ route: "/buy", revenuePerMinute: 800 }];
  const config = testConfig({ services: { cart: service({ routes }), web: service({ revenuePerMinute: 200 }) } });

  it.each([
    [0.002, "low"],
    [0.05, "medium"],
    [0.1, "high"],
    [0.5, "critical"],
  ])("of %d failures on the route that earns four fifths is %s", (share, level) => {
    const impact = assessImpact(caseWith(share), config, ["cart"]);
    expect(impact.level).toBe(level);
    expect(impact.revenuePerMinute).toBeCloseTo(800 * share, 6);
    expect(impact.routes).toEqual([{ service: "cart", route: "/buy", failedShare: share }]);
  });
});

describe("impact that cannot be computed", () => {
  it("says that nobody looked for affected services", () => {
    expect(assessImpact(caseWith(0.1), testConfig(), null).unknown.join()).toContain("affected services");
  });

  it("says that no error rate is known where users come in, instead of calling it low", () => {
    const impact = assessImpact(emptyCase(), testConfig(), ["cart"]);
    expect(impact.failedShare).toBeNull();
    expect(impact.unknown.join()).toContain("failed share");
  });
});
