import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ServiceConfig } from "../../../core/config/config.ts";
import { assessImpact } from "../../../core/impact/impact.ts";
import type { Finding } from "../../../core/model/finding.ts";
import { ImpactLevel } from "../../../core/model/impact.ts";
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

  it.each([1, 2, 3, 4])("is that of the samples since the onset: %d of the last four", (since) => {
    const file = caseWith(0);
    const failing = (name: string) =>
      [...new Array(10 - since).fill(0.001), ...new Array(since).fill(0.3)].map((v) => v * (name === "web" ? 1 : 2));
    const onset = { at: T0 + (10 - since) * 15_000, earliest: T0, latest: file.at };
    const worse: Finding = { ...slower("cart", "error_rate", 1), unit: "ratio", onset };
    const series = file.series.map((one) =>
      one.metric === "error_rate" ? seriesOf("error_rate", failing(one.service), { service: one.service }) : one,
    );
    const impact = assessImpact({ ...file, series, findings: [worse] }, testConfig(), ["cart", "web"]);
    expect(impact.failedShare).toBeCloseTo(0.3, 9);
  });

  it("is weighed by what the services are worth to people", () => {
    const critical = testConfig({ services: { cart: service({ criticality: "critical" }) } });
    const low = testConfig({ services: { cart: service({ criticality: "low" }) } });
    expect(assessImpact(caseWith(0.02), critical, ["cart"]).level).toBe("high");
    expect(assessImpact(caseWith(0.02), low, ["cart"]).level).toBe("low");
  });
});

/** A latency of a service that is worse: its present value in times of the usual one. */
const slower = (name: string, metric: string, times: number): Finding => ({
  ...{ detector: "regression", service: name, metric, labels: {}, unit: "ms", strength: 9, verdict: "worse" },
  ...{ onset: null, detectedAt: T0 + 150_000, baseline: 100, current: 100 * times, samples: 4, because: "" },
});

describe("impact with revenue", () => {
  const routes = [{ route: "/buy", revenuePerMinute: 800 }];
  const config = testConfig({ services: { cart: service({ routes }), web: service({ revenuePerMinute: 200 }) } });

  it.each([
    [0.002, "low"],
    [0.02, "medium"],
    [0.1, "high"],
    [0.5, "critical"],
  ])("of %d failures on the route that earns four fifths is %s", (share, level) => {
    const impact = assessImpact(caseWith(share), config, ["cart"]);
    expect(impact.level).toBe(level);
    expect(impact.revenuePerMinute).toBeCloseTo(800 * share, 6);
    expect(impact.routes).toEqual([{ service: "cart", route: "/buy", failedShare: share }]);
  });
});

describe("the level where people said what services earn", () => {
  const earning = (worth: Readonly<Record<string, number>>) =>
    testConfig({
      services: Object.fromEntries(
        Object.entries(worth).map(([name, revenuePerMinute]) => [name, service({ revenuePerMinute })]),
      ),
    });

  it.each([
    [
      "only a service that is not hurt earns anything, and 6.6 % fail where users come in",
      0.066,
      { search: 900 },
      "high",
    ],
    [
      "what fails earns a hundredth of everything, and 6.6 % fail where users come in",
      0.066,
      { cart: 9, search: 900 },
      "high",
    ],
    ["what fails earns everything, and 30 % of it fails", 0.3, { cart: 900 }, "critical"],
    ["what fails earns half of everything, and 2 % fail", 0.02, { cart: 900, search: 900 }, "medium"],
    ["what fails earns nothing, and hardly anything fails", 0.002, { search: 900 }, "low"],
  ] as const)("where %s: %d failed of %j is %s", (_words, share, worth, level) => {
    expect(assessImpact(caseWith(share), earning(worth), ["cart", "web"]).level).toBe(level);
  });

  it.each([
    ["a median 14.3 times the baseline loses half of what the service earns", "p50_latency", 14.3, 500, "critical"],
    [
      "a median three times the baseline loses a quarter: half of the requests are put up with",
      "p50_latency",
      3,
      250,
      "critical",
    ],
    ["a p95 five times the baseline loses one request in twenty", "p95_latency", 5, 50, "high"],
    ["a p99 twice the usual loses half of one request in a hundred", "p99_latency", 2, 5, "medium"],
    ["a median a tenth longer loses nothing", "p50_latency", 1.1, 0, "low"],
  ] as const)("counts slow requests: %s", (_words, metric, times, atRisk, level) => {
    const findings = [slower("cart", metric, times)];
    const impact = assessImpact({ ...caseWith(0), findings }, earning({ cart: 1000 }), ["cart"]);
    expect(impact.revenuePerMinute).toBeCloseTo(atRisk, 6);
    expect(impact.level).toBe(level);
  });

  it("counts a request that is slow and fails once", () => {
    const file = { ...caseWith(0.5), findings: [slower("cart", "p50_latency", 5)] };
    expect(assessImpact(file, earning({ cart: 1000 }), ["cart"]).revenuePerMinute).toBeCloseTo(750, 6);
  });

  it("is unknown where nobody measures what an affected service loses", () => {
    const impact = assessImpact(caseWith(0.1), earning({ mailer: 900 }), ["mailer", "web"]);
    expect(impact.unknown).toEqual(["revenue at risk: nobody measures errors or latency of mailer"]);
    expect(assessImpact(caseWith(0.1), earning({ mailer: 900 }), ["web"]).unknown).toEqual([]);
  });

  it("is never lower than without it, whatever they earn and whatever is wrong", () => {
    const share = fc.constantFrom(0, 0.001, 0.009, 0.02, 0.066, 0.3, 1);
    const criticality = fc.constantFrom("low", "medium", "high", "critical" as const);
    const worth = fc.option(fc.integer({ min: 0, max: 5000 }), { nil: null });
    const route = fc.record({ route: fc.constantFrom("/buy", "/browse"), revenuePerMinute: fc.nat(5000) });
    const latency = fc.tuple(
      fc.constantFrom("web", "cart", "search"),
      fc.constantFrom("p50_latency", "p95_latency", "p99_latency"),
      fc.double({ min: 0.5, max: 20, noNaN: true }),
    );
    const earns = fc.record({ worth, routes: fc.array(route, { maxLength: 2 }) });
    fc.assert(
      fc.property(
        share,
        fc.array(latency, { maxLength: 3 }),
        fc.subarray(["web", "cart", "search"]),
        fc.tuple(criticality, criticality, criticality),
        fc.tuple(earns, earns, earns),
        (failed, slow, affected, weights, earnings) => {
          const findings = slow.map(([name, metric, times]) => slower(name, metric, times));
          const levelWith = (priced: boolean) => {
            const services = Object.fromEntries(
              ["web", "cart", "search"].map((name, i) => {
                const { worth: revenuePerMinute = null, routes = [] } = (priced ? earnings[i] : undefined) ?? {};
                return [name, service({ criticality: weights[i] ?? "medium", revenuePerMinute, routes })];
              }),
            );
            const impact = assessImpact({ ...caseWith(failed), findings }, testConfig({ services }), affected);
            return ImpactLevel.options.indexOf(ImpactLevel.parse(impact.level));
          };
          expect(levelWith(true)).toBeGreaterThanOrEqual(levelWith(false));
        },
      ),
    );
  });
});

describe("impact by route", () => {
  const routes = [
    { route: "POST /buy", revenuePerMinute: 800 },
    { route: "/browse", revenuePerMinute: 200 },
  ];
  const config = testConfig({ services: { cart: service({ routes }) } });
  const labelled = (route: string, share: number) =>
    seriesOf("error_rate", new Array(10).fill(share), { service: "cart", labels: { route } });

  it("counts what fails of each route where a series tells it", () => {
    const file = caseWith(0.1);
    const told = { ...file, series: [...file.series, labelled("/buy", 0.4), labelled("/browse", 0.01)] };
    const impact = assessImpact(told, config, ["cart"]);
    expect(impact.revenuePerMinute).toBeCloseTo(800 * 0.4 + 200 * 0.01, 6);
    expect(impact.routes.map(({ route }) => route)).toEqual(["POST /buy", "/browse"]);
    expect(impact.level).toBe("critical");
  });

  it("counts it from spans where no series tells it, and the whole service where neither does", () => {
    const spans = Array.from({ length: 40 }, (_, i) => ({
      traceId: `t${i}`,
      spanId: "a",
      service: "cart",
      name: "POST /buy",
      startUs: (T0 + 9 * 15_000 + i) * 1000,
      durationUs: 9,
      error: i % 2 === 0,
    }));
    const impact = assessImpact({ ...caseWith(0.1), spans }, config, ["cart"]);
    expect(impact.routes).toEqual([
      { service: "cart", route: "POST /buy", failedShare: 0.5 },
      { service: "cart", route: "/browse", failedShare: 0.1 },
    ]);
    expect(impact.sentences.join()).toContain("50 % of traced user requests fail");
  });

  it("lists routes that nobody priced, without making up what they are worth", () => {
    const file = caseWith(0.1);
    const impact = assessImpact({ ...file, series: [...file.series, labelled("/odd", 0.9)] }, testConfig(), ["cart"]);
    expect(impact.routes).toEqual([{ service: "cart", route: "/odd", failedShare: expect.closeTo(0.9, 9) }]);
    expect(impact.revenuePerMinute).toBeNull();
  });

  it("says how soon it uses an error budget up, in the same words whenever one looks", () => {
    const file = caseWith(0.1);
    const onset = { at: file.at - 60_000, earliest: file.at - 60_000, latest: file.at };
    const finding = {
      ...{ detector: "regression", service: "cart", metric: "error_rate", labels: {}, unit: "ratio", strength: 9 },
      ...{ onset, detectedAt: file.at, baseline: 0, current: 0.1, samples: 4, because: "" },
      verdict: "worse" as const,
    };
    for (const began of [onset, { ...onset, at: file.at - 600_000, earliest: file.at - 600_000 }]) {
      const found = { ...file, findings: [{ ...finding, onset: began }] };
      const impact = assessImpact(found, testConfig(), ["cart", "web"]);
      // 100 times the pace: 30 days last 7.2 h.
      expect(impact.sentences).toContain(
        "burn rate 100× (SLO 99.9 % over 30 d): at that rate the error budget is exhausted in 7.2 h",
      );
    }
  });
});

describe("impact on users", () => {
  /** Requests of so many users, each asking three times; who fails is told by the index of the request. */
  const asked = (users: number, fails: (request: number) => boolean) =>
    Array.from({ length: 3 * users }, (_, i) => ({
      traceId: `t${i}`,
      spanId: "a",
      service: "cart",
      name: "GET /",
      startUs: (T0 + 9 * 15_000 + i) * 1000,
      durationUs: 9,
      error: fails(i),
      user: `u${i % users}`,
    }));

  it("counts a user once, however often their requests failed", () => {
    const spans = asked(40, (request) => request % 40 < 10); // the first ten users, all three times
    const impact = assessImpact({ ...caseWith(0.1), spans }, testConfig(), ["cart"]);
    expect(impact.failedUserShare).toBe(0.25);
    expect(impact.sentences.join()).toContain("10 of 40 users in the traces met a failure (25 %)");
  });

  it("counts a user whose other requests succeeded", () => {
    const spans = asked(40, (request) => request < 20); // one of three requests of twenty users
    expect(assessImpact({ ...caseWith(0.1), spans }, testConfig(), ["cart"]).failedUserShare).toBe(0.5);
  });

  it("knows the user of a request from any of its spans", () => {
    const spans = asked(40, (request) => request < 20).flatMap(({ user, ...root }) => [
      root,
      { ...root, spanId: "b", parentId: "a", error: false, user },
    ]);
    expect(assessImpact({ ...caseWith(0.1), spans }, testConfig(), ["cart"]).failedUserShare).toBe(0.5);
  });

  it("is no figure where the traces name hardly anybody, and leaves the level alone", () => {
    const impact = assessImpact({ ...caseWith(0.1), spans: asked(5, () => true) }, testConfig(), ["cart"]);
    expect(impact.failedUserShare).toBeNull();
    expect(impact.unknown).toEqual([]);
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
