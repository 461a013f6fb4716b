import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import { gatherEvidence, rankCandidates } from "../../../core/correlation/rank.ts";
import { showsAt } from "../../../core/correlation/shows-at.ts";
import { stillSettling } from "../../../core/decision/settling.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { KnownEdge } from "../../../core/model/evidence.ts";
import type { Finding } from "../../../core/model/finding.ts";
import type { Series } from "../../../core/model/signal.ts";
import { testConfig } from "../assessment/config.ts";
import { change, emptyCase, line, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const BEFORE = 160;
const AFTER = 24;
/** web and admin ask shop and prices; shop asks prices and tax. Prices was just deployed. */
const edges = [
  ["web", "shop"],
  ["web", "prices"],
  ["admin", "prices"],
  ["shop", "prices"],
  ["shop", "tax"],
] as const;
const services = ["web", "admin", "shop", "prices", "tax"] as const;
type Service = (typeof services)[number];
const deploy = change({ id: "deploy-prices", service: "prices", startedAt: T0 - 30_000, finishedAt: T0 + MINUTE });

const series = (service: Service, metric: string, before: number, after: number): Series => ({
  service,
  metric,
  unit: metric === "error_rate" ? "ratio" : "req/s",
  worse: metric === "error_rate" ? "up" : "either",
  labels: {},
  startAt: T0 - (BEFORE - 1) * STEP,
  stepMs: STEP,
  values: Array.from(
    { length: BEFORE + AFTER },
    (_, i) => (i < BEFORE ? before : after) * (1 + 0.02 * Math.sin(i * 7)),
  ),
});
const finding = (service: Service, current: number): Finding => ({
  detector: "regression",
  service,
  metric: "error_rate",
  labels: {},
  unit: "ratio",
  verdict: "worse",
  onset: onsetAt(T0),
  detectedAt: T0 + MINUTE,
  baseline: 0.001,
  current,
  samples: 4,
  strength: 20,
  because: "",
});

interface Told {
  /** Share of requests that fails since. */
  readonly fails: Partial<Record<Service, number>>;
  /** Traffic since, as a part of what it was. */
  readonly traffic?: Partial<Record<Service, number>>;
  readonly more?: Partial<CaseFile>;
}
function caseOf({ fails, traffic = {}, more = {} }: Told): CaseFile {
  return emptyCase({
    at: T0 + AFTER * STEP,
    changes: [deploy],
    topology: { edges, external: [] },
    series: services.flatMap((service) => [
      series(service, "request_rate", 100, 100 * (traffic[service] ?? 1)),
      series(service, "error_rate", 0.001, fails[service] ?? 0.001),
    ]),
    findings: services.flatMap((service) => (fails[service] === undefined ? [] : [finding(service, fails[service])])),
    ...more,
  });
}
const options = { versionLabel: "version", windowMs: 30 * MINUTE };
const rank = (file: CaseFile) =>
  rankCandidates(file, [...file.changes], onsetAt(T0), new Set(file.findings.map((one) => one.service)), options);
const probability = (told: Told) =>
  rank(caseOf(told)).candidates.find(({ changeId }) => changeId === deploy.id)?.probability ?? 0;

describe("a change that hurts only those that deal with its service", () => {
  it("is suspected where its callers begin to fail as it rolls out, although its own requests succeed", () => {
    expect(probability({ fails: { web: 0.3, admin: 0.3, shop: 0.3 } })).toBeGreaterThan(0.9);
  });

  it("is suspected the more where new errors of its callers name its service", () => {
    const logs = [1, 2, 3].flatMap((i) =>
      (["shop"] as const).map((service) =>
        line(T0 + i * 5000, `cannot parse answer of prices: expected number at $.amount id=${i}`, { service }),
      ),
    );
    const without = probability({ fails: { shop: 0.3, web: 0.2 } });
    expect(probability({ fails: { shop: 0.3, web: 0.2 }, more: { logs } })).toBeGreaterThan(without);
  });

  it("is suspected the more where its callers no longer get through to it, but to others", () => {
    const fails = { shop: 0.5, web: 0.4, admin: 0.5 };
    expect(probability({ fails, traffic: { prices: 0.5 } })).toBeGreaterThan(probability({ fails }));
  });

  it("gains nothing where a caller that fails asks all of its callees less", () => {
    const fails = { shop: 0.5, web: 0.4 };
    const all = { prices: 0.5, tax: 0.5, shop: 0.5 };
    expect(probability({ fails, traffic: all })).toBeLessThan(probability({ fails, traffic: { prices: 0.5 } }));
  });

  it("is not suspected where services fail that have no call to or from it", () => {
    expect(probability({ fails: { tax: 0.4 } })).toBeLessThan(0.5);
  });

  it("is not suspected where nobody knows who calls whom, since anybody may then deal with it", () => {
    const blind = caseOf({ fails: { shop: 0.4 }, more: { topology: null } });
    const [first] = rank(blind).candidates;
    expect(first?.reasons.some(({ sentence }) => sentence.includes("deal with"))).toBe(false);
  });

  it("is judged by its callers' signals while its pods are replaced", () => {
    const file = caseOf({ fails: { web: 0.3, admin: 0.3, shop: 0.3 } });
    const evidence = gatherEvidence(file, onsetAt(T0), new Set(["web", "admin", "shop"]), options);
    expect(showsAt(deploy, evidence)).toEqual(["admin", "shop", "web"]);
    const candidate = rank(file).candidates[0];
    if (candidate === undefined) throw new Error("nothing was ranked");
    expect(stillSettling(deploy, candidate, evidence)).toBeNull(); // it is over, and they still fail
    const early = { ...file, at: T0 + 45_000 };
    const now = gatherEvidence(early, onsetAt(T0), new Set(["web", "admin", "shop"]), options);
    expect(stillSettling(deploy, candidate, now)).toContain("prices v1.0.0 → v1.1.0");
  });

  it("is left to people where one consumer alone is hurt and nothing but its time speaks against it", () => {
    const push = { ...deploy, kind: "config" as const, startedAt: T0 - 5000, finishedAt: T0 };
    const file = caseOf({ fails: { shop: 0.3 }, more: { changes: [push] } });
    const config = testConfig();
    // Half is enough for whoever wrote this file, and yet it is not enough here.
    const lax = { ...config, chain: config.chain.map((one) => ({ ...one, confidenceThreshold: 0.5 })) };
    const { decision } = assess(file, lax);
    expect(decision.action).toBe("no_action");
    expect(decision.culprit?.changeId).toBe(deploy.id);
    expect(decision.needsPerson.join()).toContain("nobody saw prices itself do worse");
  });

  it.each<readonly [string, Partial<KnownEdge>, boolean]>([
    ["is left to people where the calls to it were learned and carry no measured traffic", { source: "spans" }, true],
    [
      "is left to people where that traffic is of yesterday",
      { traffic: { perSecond: 5, at: T0 - 24 * 60 * MINUTE } },
      true,
    ],
    ["is rolled back where a mesh measures traffic over them", { traffic: { perSecond: 5, at: T0 } }, false],
    ["is rolled back where people configured them", { source: "configured", confidence: 1 }, false],
  ])("%s", (_, known, isAsked) => {
    const details = edges.map(
      ([caller, callee]): KnownEdge => ({ caller, callee, source: "mesh", confidence: 0.99, ...known }),
    );
    const topology = { edges, external: [], details, reporting: [...services] };
    const { decision } = assess(
      caseOf({ fails: { web: 0.3, admin: 0.3, shop: 0.3 }, more: { topology } }),
      testConfig(),
    );
    expect(decision).toMatchObject({ action: "rollback", changeIds: [deploy.id] });
    const asked = decision.needsPerson.filter((reason) => reason.includes("prices is not itself degraded"));
    expect(asked).toHaveLength(isAsked ? 1 : 0);
    for (const reason of asked) expect(reason).toMatch(/calls prices is known from (traces|mesh metrics) alone/);
  });

  it("adds up: the reasons of every candidate sum to its odds against no change", () => {
    const ranking = rank(caseOf({ fails: { web: 0.3, admin: 0.3, shop: 0.3 } }));
    const [first] = ranking.candidates;
    const odds = (first?.reasons ?? []).reduce((sum, { logOdds }) => sum + logOdds, 0);
    const none = ranking.noChangeReasons.reduce(
      (sum, { name, logOdds }) => sum + (name === "passing" ? 0 : logOdds),
      0,
    );
    expect(odds - none).toBeCloseTo(Math.log((first?.probability ?? 0) / ranking.noChangeProbability), 6);
  });
});
