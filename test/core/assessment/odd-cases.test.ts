import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import { LARGEST_VALUE } from "../../../core/model/believable.ts";
import type { Finding } from "../../../core/model/finding.ts";
import { change, emptyCase, line, MINUTE, T0 } from "../correlation/fixtures.ts";
import { testConfig } from "./config.ts";

const names = ["web", "web-2", "cart", "cart-db", "pay", "bank"] as const;
const METRICS = ["error_rate", "request_rate", "p99_latency", "cpu_usage", "memory_usage", "connections"] as const;
const AT = T0 + 5 * MINUTE;

const anyName = fc.constantFrom(...names);
/** Samples of any sign and size, missing ones, and stretches that are all alike. */
const anyValues = fc.oneof(
  fc.array(fc.option(fc.double({ min: -2, max: 1e6, noNaN: true })), { maxLength: 80 }),
  fc.array(fc.constantFrom(0, 1, 1e15, -1e15, LARGEST_VALUE, -LARGEST_VALUE, 1e8, 5e-324, 1e-300), { maxLength: 80 }),
  fc.array(fc.option(fc.double({ min: -0.1, max: 1.5, noNaN: true }), { freq: 4 }), { maxLength: 80 }),
  fc
    .tuple(fc.constantFrom(0, 1, 0.01, 100, -1), fc.constantFrom(0, 0.3, 1, 1.4, 400), fc.nat(80), fc.nat(20))
    .map(([before, after, long, since]) => [...new Array(long).fill(before), ...new Array(since).fill(after)]),
  fc
    .tuple(fc.nat(60), fc.nat(60))
    .map(([level, rise]) => [...new Array(level).fill(10), ...Array.from({ length: rise }, (_, i) => 10 + 3 * i)]),
);
const anyCase = fc
  .record({
    series: fc.array(
      fc.record({
        service: anyName,
        metric: fc.constantFrom(...METRICS),
        worse: fc.constantFrom("up" as const, "down" as const, "either" as const),
        version: fc.option(fc.constantFrom("v1.0.0", "v1.1.0"), { nil: undefined, freq: 2 }),
        stepMs: fc.constantFrom(1000, 15_000, 15_000, 300_000),
        lateMs: fc.constantFrom(0, 0, 7000, -3_600_000),
        values: anyValues,
      }),
      { maxLength: 14 },
    ),
    worse: fc.array(
      fc.record({
        service: anyName,
        metric: fc.constantFrom(...METRICS),
        detector: fc.constantFrom("change-point", "drift", "threshold", "pointed-at", "version", "grown", "rollout"),
        lagS: fc.integer({ min: -400, max: 300 }),
        wideS: fc.constantFrom(0, 1, 30, 900),
        baseline: fc.option(fc.constantFrom(0, 0.01, -1, 200)),
        current: fc.option(fc.constantFrom(0, 0.3, 1.5, 900)),
      }),
      { maxLength: 5 },
    ),
    changes: fc.array(
      fc.record({
        service: anyName,
        lagS: fc.integer({ min: -300, max: 9000 }),
        lastS: fc.option(fc.integer({ min: -5, max: 900 })),
        kind: fc.constantFrom(
          "deploy" as const,
          "deploy" as const,
          "config" as const,
          "flag" as const,
          "migration" as const,
        ),
      }),
      { maxLength: 6 },
    ),
    edges: fc.option(fc.array(fc.tuple(anyName, anyName), { maxLength: 10 })),
    external: fc.array(anyName, { maxLength: 3 }),
    logs: fc.array(fc.tuple(anyName, fc.integer({ min: -600, max: 300 }), fc.constantFrom("x 1", "pay gave 502"))),
  })
  .map(
    ({ series, worse, changes, edges, external, logs }): CaseFile => ({
      ...emptyCase({ at: AT }),
      series: series.map(({ version, lateMs, ...one }) => ({
        ...one,
        unit: "",
        labels: version === undefined ? {} : { version },
        startAt: AT - (one.values.length - 1) * one.stepMs - lateMs,
      })),
      findings: worse.map(
        ({ lagS, wideS, ...one }): Finding => ({
          ...one,
          labels: {},
          unit: "",
          verdict: "worse",
          onset: { at: T0 - lagS * 1000, earliest: T0 - (lagS + wideS) * 1000, latest: T0 - (lagS - wideS) * 1000 },
          detectedAt: AT,
          samples: 4,
          strength: 20,
          because: "it is worse",
        }),
      ),
      changes: changes.map(({ service, lagS, lastS, kind }, i) =>
        change({
          id: `change-${i}`,
          service,
          kind,
          startedAt: T0 - lagS * 1000,
          finishedAt: lastS === null ? null : T0 - (lagS - lastS) * 1000,
          ...(kind === "flag" ? { flag: `flag-${i}` } : {}),
        }),
      ),
      topology: edges === null ? null : { edges, external },
      logs: logs.map(([service, atS, text]) => line(T0 + atS * 1000, text, { service })),
    }),
  );

/** What people would read of a number that is none. */
const NO_NUMBER = /\b(?:NaN|Infinity|undefined|null)\b/;

describe("whatever the samples, the graph and the clocks", () => {
  it("an assessment comes to an end with finite probabilities that sum to 1, and with words", () => {
    fc.assert(
      fc.property(anyCase, (file) => {
        const { answers, decision } = assess(file, testConfig());
        const ranking = answers.correlate_timing?.ranking;
        if (ranking?.noChangeProbability === null) expect(ranking.candidates).toEqual([]);
        else if (ranking !== undefined) {
          const all = [ranking.noChangeProbability, ...ranking.candidates.map(({ probability }) => probability)];
          expect(all.every((one) => one >= 0 && one <= 1)).toBe(true);
          expect(all.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
        }
        const said = [
          ...decision.why,
          ...decision.needsPerson,
          ...(ranking?.noChangeReasons ?? []).map(({ sentence }) => sentence),
          ...(ranking?.candidates ?? []).flatMap(({ reasons }) => reasons.map(({ sentence }) => sentence)),
          ...(answers.evaluate_business_impact?.impact.sentences ?? []),
        ];
        expect(said.filter((sentence) => NO_NUMBER.test(sentence) || sentence.trim() === "")).toEqual([]);
      }),
      { numRuns: Number(process.env.RUNS ?? 300) },
    );
  });

  it("where a source of changes did not answer, nothing says how probable it is that no change is the culprit", () => {
    fc.assert(
      fc.property(anyCase, (file) => {
        const gaps = [
          {
            of: "changes",
            how: "unanswered",
            source: "kubernetes",
            what: "changes",
            because: "it does not answer",
          } as const,
        ];
        const { decision, unheard } = assess({ ...file, gaps }, testConfig());
        expect(unheard).toEqual(["kubernetes did not say changes: it does not answer"]);
        expect(decision.why.join("\n")).not.toMatch(/is the culprit, probability/);
      }),
      { numRuns: Number(process.env.RUNS ?? 300) },
    );
  });

  it("no change is acted on that began after the trouble did", () => {
    fc.assert(
      fc.property(anyCase, (file) => {
        const { answers, decision } = assess(file, testConfig());
        const onset = answers.identify_recent_deployments?.onset ?? null;
        const coarsest = Math.max(0, ...file.series.map(({ stepMs }) => stepMs));
        const culprit = file.changes.find(({ id }) => id === decision.culprit?.changeId);
        if (onset === null || culprit === undefined || decision.action === "no_action") return;
        expect(culprit.startedAt).toBeLessThanOrEqual(onset.latest + Math.max(1, coarsest));
      }),
      { numRuns: Number(process.env.RUNS ?? 300) },
    );
  });
});
