import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import { rankCandidates } from "../../../core/correlation/rank.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Finding, Onset } from "../../../core/model/finding.ts";
import { caseAt } from "../assessment/case-at.ts";
import { testConfig } from "../assessment/config.ts";
import { base } from "../assessment/trap.ts";
import { deploy } from "../assessment/world.ts";
import { change, emptyCase, line, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const options = { versionLabel: "version", windowMs: 30 * MINUTE };
const names = ["web", "gateway", "cart", "checkout", "pay", "stock"];
const METRICS = ["error_rate", "request_rate", "p50_latency", "p99_latency", "cpu_usage", "queue_depth"] as const;
const STEP = 15_000;

/** Any case at all: odd samples, gaps, findings without samples, changes at any time. */
const anyCase = fc
  .record({
    series: fc.array(
      fc.record({
        service: fc.constantFrom(...names),
        metric: fc.constantFrom(...METRICS),
        version: fc.option(fc.constantFrom("v1.0.0", "v1.1.0"), { nil: undefined }),
        values: fc.array(fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })), { maxLength: 60 }),
      }),
      { maxLength: 12 },
    ),
    worse: fc.array(
      fc.record({
        service: fc.constantFrom(...names),
        metric: fc.constantFrom(...METRICS),
        lagS: fc.integer({ min: -900, max: 900 }),
      }),
      { maxLength: 5 },
    ),
    changes: fc.array(
      fc.record({
        service: fc.constantFrom(...names),
        lagS: fc.integer({ min: -600, max: 1800 }),
        lastS: fc.option(fc.integer({ min: 0, max: 900 })),
        kind: fc.constantFrom("deploy" as const, "config" as const, "flag" as const),
      }),
      { maxLength: 6 },
    ),
    graph: fc.boolean(),
    logs: fc.array(
      fc.record({
        service: fc.constantFrom(...names),
        atS: fc.integer({ min: -600, max: 300 }),
        text: fc.constantFrom("x failed 1", "call of pay gave 502", "no such key 7"),
      }),
      { maxLength: 8 },
    ),
  })
  .map(
    ({ series, worse, changes, graph, logs }): CaseFile => ({
      ...emptyCase({ at: T0 + 5 * MINUTE }),
      series: series.map(({ service, metric, version, values }) => ({
        service,
        metric,
        unit: "",
        worse: "up",
        labels: version === undefined ? {} : { version },
        startAt: T0 - 40 * STEP,
        stepMs: STEP,
        values: metric === "error_rate" ? values.map((value) => (value === null ? null : value / 1e6)) : values,
      })),
      findings: worse.map(({ service, metric, lagS }) => finding(service, metric, onsetAt(T0 + lagS * 1000))),
      changes: changes.map(({ service, lagS, lastS, kind }, i) =>
        change({
          id: `change-${i}`,
          service,
          kind,
          startedAt: T0 - lagS * 1000,
          finishedAt: lastS === null ? null : T0 - lagS * 1000 + lastS * 1000,
          ...(kind === "flag" ? { flag: `flag-${i}` } : {}),
        }),
      ),
      topology: graph ? { edges: base.edges, external: ["bank"] } : null,
      logs: logs.map(({ service, atS, text }) => line(T0 + atS * 1000, text, { service })),
    }),
  );

const finding = (service: string, metric: string, onset: Onset): Finding => ({
  detector: "change-point",
  service,
  metric,
  labels: {},
  unit: "",
  verdict: "worse",
  onset,
  detectedAt: T0 + MINUTE,
  baseline: 0.01,
  current: 0.2,
  samples: 4,
  strength: 20,
  because: "",
});

const rank = (file: CaseFile, changes: readonly Change[] = file.changes) =>
  rankCandidates(file, changes, onsetAt(T0, 15_000), new Set(names), options);
const told = ({ candidates, noChangeProbability, rootCauses }: ReturnType<typeof rank>) => ({
  candidates: new Map(candidates.map(({ changeId, probability }) => [changeId, expect.closeTo(probability, 9)])),
  noChangeProbability: expect.closeTo(noChangeProbability, 9),
  roots: new Map(rootCauses.map(({ service, score }) => [service, expect.closeTo(score, 9)])),
});
const plain = ({ candidates, noChangeProbability, rootCauses }: ReturnType<typeof rank>) => ({
  candidates: new Map(candidates.map(({ changeId, probability }) => [changeId, probability])),
  noChangeProbability,
  roots: new Map(rootCauses.map(({ service, score }) => [service, score])),
});

describe("whatever the case", () => {
  it("probabilities are numbers and sum to 1, and so do scores of where it starts, at most", () => {
    fc.assert(
      fc.property(anyCase, (file) => {
        const { candidates, noChangeProbability, rootCauses } = rank(file);
        const sum = candidates.reduce((total, { probability }) => total + probability, noChangeProbability);
        expect(sum).toBeCloseTo(1, 9);
        for (const { score } of rootCauses) expect(score).toBeGreaterThanOrEqual(0);
        for (const { reasons } of candidates) for (const { logOdds } of reasons) expect(logOdds).not.toBeNaN();
      }),
      { numRuns: 300 },
    );
  });

  it("a change after the onset is never first", () => {
    fc.assert(
      fc.property(anyCase, (file) => {
        const { candidates, noChangeProbability } = rank(file);
        const first = candidates[0];
        const started = file.changes.find(({ id }) => id === first?.changeId)?.startedAt ?? 0;
        if (first !== undefined && started > T0 + 15_000 + STEP)
          expect(first.probability).toBeLessThan(noChangeProbability);
      }),
      { numRuns: 300 },
    );
  });

  it("the order in which things are handed in alters nothing", () => {
    fc.assert(
      fc.property(anyCase, (file) => {
        const backwards: CaseFile = {
          ...file,
          findings: file.findings.toReversed(),
          changes: file.changes.toReversed(),
          logs: file.logs.toReversed(),
          topology: file.topology === null ? null : { ...file.topology, edges: file.topology.edges.toReversed() },
          series: distinct(file).toReversed(),
        };
        expect(plain(rank(backwards))).toEqual(told(rank({ ...file, series: distinct(file) })));
      }),
    );
  });

  it("another time of day alters nothing", () => {
    fc.assert(
      fc.property(anyCase, fc.integer({ min: 1, max: 10_000 }), (file, hours) => {
        const by = hours * 60 * MINUTE;
        const moved: CaseFile = {
          ...file,
          at: file.at + by,
          series: file.series.map((one) => ({ ...one, startAt: one.startAt + by })),
          findings: file.findings.map((one) => ({ ...one, onset: one.onset === null ? null : shifted(one.onset, by) })),
          changes: file.changes.map((one) => ({
            ...one,
            startedAt: one.startedAt + by,
            finishedAt: one.finishedAt === null ? null : one.finishedAt + by,
          })),
          logs: file.logs.map((one) => ({ ...one, at: one.at + by })),
        };
        const later = rankCandidates(moved, moved.changes, shifted(onsetAt(T0, 15_000), by), new Set(names), options);
        expect(plain(later)).toEqual(told(rank(file)));
      }),
    );
  });

  it("an own rollback among the changes takes nothing from the others", () => {
    fc.assert(
      fc.property(anyCase, (file) => {
        const own = change({ id: "ours", service: "nobody", ownRollback: true });
        const more = { ...file, changes: [...file.changes, own] };
        expect(plain(rank(more)).candidates).toEqual(told(rank(file)).candidates);
      }),
    );
  });
});

/** One series an identity: which of two would count is nobody's promise. */
const distinct = ({ series }: CaseFile) => [
  ...new Map(series.map((one) => [`${one.service} ${one.metric} ${one.labels.version ?? ""}`, one])).values(),
];
const shifted = ({ at, earliest, latest }: Onset, by: number): Onset => ({
  at: at + by,
  earliest: earliest + by,
  latest: latest + by,
});

describe("what does not belong to the trouble", () => {
  const bad = {
    ...base,
    changes: [deploy("cart", 300), deploy("pay", 200)],
    effects: [{ service: "cart", fromS: 310, errors: 0.3, rampS: 110 }],
  };
  const decision = async (world: Parameters<typeof caseAt>[0]) =>
    assess(await caseAt(world, 460), testConfig()).decision;

  it("a change of a service that the trouble does not reach changes no decision", async () => {
    const services = { ...bad.services, billing: { rate: 50 } };
    const was = await decision({ ...bad, services });
    const is = await decision({ ...bad, services, changes: [...bad.changes, deploy("billing", 290)] });
    expect({ action: is.action, changeIds: is.changeIds }).toEqual({ action: was.action, changeIds: was.changeIds });
    expect(is.culprit?.probability).toBeCloseTo(was.culprit?.probability ?? 0, 2);
  });

  it("a gauge that is read by the hour, of any service and wherever it stands, changes no decision", async () => {
    const file = await caseAt(bad, 460);
    const hourly = (service: string) => ({
      ...{ service, metric: "licences", unit: "", worse: "either" as const, labels: {} },
      ...{ startAt: file.at - 3_600_000, stepMs: 3_600_000, values: [5, 5] },
    });
    const was = assess(file, testConfig()).decision;
    for (const service of ["cart", "pay", "somewhere-else"]) {
      const is = assess({ ...file, series: [hourly(service), ...file.series] }, testConfig()).decision;
      expect({ action: is.action, changeIds: is.changeIds }).toEqual({ action: was.action, changeIds: was.changeIds });
      expect(is.culprit?.probability).toBeCloseTo(was.culprit?.probability ?? 0, 2);
    }
  });
});
