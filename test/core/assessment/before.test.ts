import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BeforeOptions, baselines } from "../../../core/assessment/baselines.ts";
import { degradedSpans } from "../../../core/assessment/before.ts";
import type { Config } from "../../../core/config/config.ts";
import { MATERIAL_ERROR_RATIO } from "../../../core/detection/evidence.ts";
import { judgeRecovery } from "../../../core/guardrails/recovery.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { ConditionState, Finding } from "../../../core/model/finding.ts";
import type { Series } from "../../../core/model/signal.ts";
import { incident } from "../../knowledge/incidents.ts";
import { changeOf, firing, MINUTE, NOW, targetOf } from "../guardrails/rule-inputs.ts";

const STEP = 15_000;
const USUAL = 0.002;
const BAD = 0.25;
const ONSET = NOW;
const DETECTED = ONSET + 5 * MINUTE;
/** What of the usual level is still usual: 0.6 percentage points more is what people would be paged for. */
const MOST = USUAL + MATERIAL_ERROR_RATIO;

interface Episode {
  /** Minutes before the onset. */
  readonly from: number;
  readonly until: number;
  readonly level?: number;
}

/** `minutes` of samples before the onset with these episodes in them, and the degradation from the onset on. */
function errorsOf(minutes: number, episodes: readonly Episode[]): Series {
  const count = (minutes * MINUTE + (DETECTED - ONSET)) / STEP;
  const startAt = DETECTED - (count - 1) * STEP;
  const values = Array.from({ length: count }, (_, index) => {
    const at = startAt + index * STEP;
    const before = (ONSET - at) / MINUTE;
    const episode = episodes.find(({ from, until }) => before < from && before >= until);
    if (at - STEP >= ONSET) return BAD;
    return (episode?.level ?? (episode === undefined ? USUAL : BAD)) + 0.0002 * Math.sin(index);
  });
  return {
    service: "checkout",
    metric: "error_rate",
    unit: "ratio",
    worse: "up",
    labels: {},
    startAt,
    stepMs: STEP,
    values,
  };
}

const trafficFor = (errors: Series): Series => ({
  ...errors,
  metric: "request_rate",
  unit: "req/s",
  worse: "either",
  values: errors.values.map(() => 50),
});

const worse: Finding = {
  detector: "shift",
  service: "checkout",
  metric: "error_rate",
  labels: {},
  unit: "ratio",
  verdict: "worse",
  onset: { at: ONSET, earliest: ONSET, latest: ONSET },
  detectedAt: DETECTED,
  baseline: USUAL,
  current: BAD,
  samples: 20,
  strength: 50,
  because: "25 %",
};

const caseOf = (errors: Series, change: Partial<CaseFile> = {}): CaseFile => ({
  at: DETECTED,
  series: [errors, trafficFor(errors)],
  findings: [worse],
  conditions: [],
  changes: [],
  topology: null,
  logs: [],
  spans: [],
  flags: [],
  rollouts: [],
  alerts: [],
  gaps: [],
  ...change,
});

const NO_POLICY: Config["policies"] = [];
const baselineOf = (file: CaseFile, options: BeforeOptions = {}) =>
  baselines(file, ["checkout"], NO_POLICY, options).find(({ metric }) => metric === "error_rate");

const ago = (minutes: number): number => ONSET - minutes * MINUTE;
const spanOf = ({ from, until }: Episode, service = "checkout") => ({
  services: [service],
  from: ago(from),
  until: ago(until),
});
const deployOf = (from: number, until: number | null, name = "checkout") =>
  changeOf(targetOf({ name }), {
    id: `deploy-${name}`,
    startedAt: ago(from),
    finishedAt: until === null ? null : ago(until),
  });

const seven = { from: 17, until: 7 };
const most = { from: 55, until: 5 };
type Row = readonly [says: string, series: Series, file: Partial<CaseFile>, options: BeforeOptions, known: boolean];
const rows: readonly Row[] = [
  ["an hour without an incident is before", errorsOf(60, []), {}, {}, true],
  ["an incident of seven minutes earlier is not part of before", errorsOf(60, [seven]), {}, {}, true],
  ["nor are two of them that nobody recorded", errorsOf(60, [seven, { from: 45, until: 42 }]), {}, {}, true],
  [
    "an incident that took most of the hour is not, where it is recorded",
    errorsOf(60, [most]),
    {},
    { earlier: [spanOf(most)] },
    true,
  ],
  [
    "where the whole hour was an incident, what was before it counts",
    errorsOf(120, [{ from: 90, until: 0 }]),
    {},
    { earlier: [spanOf({ from: 90, until: -5 })] },
    true,
  ],
  [
    "and where nothing else was measured, before is unknown",
    errorsOf(60, [{ from: 60, until: 0 }]),
    {},
    { earlier: [spanOf({ from: 61, until: -5 })] },
    false,
  ],
  [
    "a rollout of the service is not part of before, however long it took",
    errorsOf(60, [{ from: 50, until: 5 }]),
    { changes: [deployOf(50, 5)] },
    {},
    true,
  ],
  [
    "nor is one of what it calls",
    errorsOf(60, [{ from: 50, until: 5 }]),
    { changes: [deployOf(50, 5, "payments")], topology: { edges: [["checkout", "payments"]], external: [] } },
    {},
    true,
  ],
  [
    "a rollout without an end is one for ten minutes, and what serves afterwards counts",
    errorsOf(60, [{ from: 50, until: 40 }]),
    { changes: [deployOf(50, null)] },
    {},
    true,
  ],
  [
    "a deploy of which nobody tells how long it took is one for three minutes",
    errorsOf(12, [
      { from: 9, until: 6 },
      { from: 5, until: 2 },
    ]),
    { changes: [deployOf(9, 9), { ...deployOf(5, 5), id: "deploy-2" }] },
    {},
    true,
  ],
  [
    "what the suspected change did before a late onset is not part of before",
    errorsOf(60, [{ from: 40, until: 0 }]),
    { changes: [deployOf(40, 39)] },
    { suspect: "deploy-checkout" },
    true,
  ],
  [
    "and where nothing was measured before that change, before is unknown",
    errorsOf(30, [{ from: 30, until: 0 }]),
    { changes: [deployOf(40, 39)] },
    { suspect: "deploy-checkout" },
    false,
  ],
  [
    "a suspect that served for more than an hour before the onset leaves the hour before",
    errorsOf(60, []),
    { changes: [deployOf(90, 89)] },
    { suspect: "deploy-checkout" },
    true,
  ],
  [
    "the credible interval of the onset is not part of before",
    errorsOf(60, [{ from: 40, until: 0 }]),
    { findings: [{ ...worse, onset: { at: ago(10), earliest: ago(40), latest: ONSET } }] },
    {},
    true,
  ],
  [
    "nor is what a condition held for, where no test dates the onset",
    errorsOf(60, [{ from: 40, until: 0 }]),
    { findings: [], conditions: [firing({ since: ago(40) })] },
    {},
    true,
  ],
  [
    "of a short history the worst is not taken for usual",
    errorsOf(10, [{ from: 4, until: 2 }]),
    { findings: [worse] },
    {},
    true,
  ],
  ["of four samples nothing is usual", errorsOf(1, []), {}, {}, false],
];

describe("S9: what a recovery is compared with", () => {
  it.each(rows)("%s", (_, series, file, options, known) => {
    const found = baselineOf(caseOf(series, file), options);
    expect(found !== undefined).toBe(known);
    if (found === undefined) return;
    expect(found.upper).toBeGreaterThan(USUAL);
    expect(found.upper).toBeLessThan(MOST + 0.001);
  });

  it("an incident of another service leaves the whole hour", () => {
    const file = caseOf(errorsOf(60, []));
    expect(baselineOf(file, { earlier: [spanOf(most, "search")] })).toEqual(baselineOf(file));
  });

  it("earlier incidents are dated from the earliest that is credible until they closed; one that is open lasts", () => {
    const onset = { at: ago(30), earliest: ago(32), latest: ago(29) };
    const closed = { ...incident, onset, detectedAt: ago(28), closedAt: ago(7), findings: [], conditions: [] };
    const { extent: _, ...plain } = closed;
    const ofCondition = { ...plain, onset: null, conditions: [firing({ since: ago(35), earliest: ago(36) })] };
    expect(
      degradedSpans([plain, { ...plain, closedAt: null }, ofCondition]).map(({ from, until }) => [from, until]),
    ).toEqual([
      [ago(32), ago(7)],
      [ago(32), Number.POSITIVE_INFINITY],
      [ago(36), ago(7)],
    ]);
  });
});

const EXECUTED = DETECTED + MINUTE;
const VERIFIED = EXECUTED + 20 * MINUTE;

/** What verification says at its end where requests fail at this level since the act, and the policy says so of it. */
function verdictOf(file: CaseFile, options: BeforeOptions, level: number, states: readonly ConditionState["state"][]) {
  const found = baselineOf(file, options);
  const count = (VERIFIED - EXECUTED) / STEP;
  const base = { ...errorsOf(1, []), startAt: EXECUTED + STEP, values: Array.from({ length: count }, () => level) };
  return judgeRecovery({
    baselines: found === undefined ? [] : [found],
    unmeasured: found === undefined ? [{ service: "checkout", metric: "error_rate" }] : [],
    conditions: states.map((state) => firing({ state })),
    series: [base, trafficFor(base)],
    acts: [{ service: "checkout", complete: true }],
    brokenAt: {},
    executedAt: EXECUTED,
    now: VERIFIED,
    timeoutMs: 10 * MINUTE,
  }).verdict;
}

describe("S9: recovered", () => {
  const level = fc.double({ min: 0.02, max: 0.6, noNaN: true });
  const episode = (longest: number) =>
    fc
      .record({ until: fc.integer({ min: 0, max: 55 }), minutes: fc.integer({ min: 1, max: longest }), level })
      .map(({ until, minutes, level }) => ({ from: Math.min(60, until + minutes), until, level }));
  /** Recorded ones may be anywhere and last as long as they like; of what nobody recorded a third of the hour at most. */
  const history = fc.oneof(
    fc.record({ episodes: fc.array(episode(60), { minLength: 1, maxLength: 3 }), recorded: fc.constant(true) }),
    fc.record({ episodes: fc.array(episode(18), { minLength: 1, maxLength: 1 }), recorded: fc.constant(false) }),
  );
  const states = fc.array(
    fc.constantFrom<ConditionState["state"]>("inactive", "inactive", "pending", "firing", "unknown"),
    {
      maxLength: 3,
    },
  );
  const now = fc.oneof(fc.constant(USUAL), fc.double({ min: 0, max: 0.6, noNaN: true }), level);

  it("is never said while a condition holds or is pending, or more fails than before the first incident by what matters", () => {
    const seen = { recovered: 0, unknown: 0, "not-recovered": 0, pending: 0 };
    fc.assert(
      fc.property(history, now, states, ({ episodes, recorded }, level, states) => {
        const file = caseOf(errorsOf(60, episodes));
        const earlier = recorded ? episodes.map((one) => spanOf(one)) : [];
        const verdict = verdictOf(file, { earlier }, level, states);
        seen[verdict] += 1;
        if (verdict !== "recovered") return;
        expect(states.filter((state) => state !== "inactive")).toEqual([]);
        expect(level).toBeLessThanOrEqual(MOST + 0.001);
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(seen.recovered, seen.unknown, seen["not-recovered"])).toBeGreaterThan(50);
  });

  it("is said of what is back where it was before the first incident, whatever happened since", () => {
    fc.assert(
      fc.property(episode(18), fc.boolean(), (one, recorded) => {
        const file = caseOf(errorsOf(60, [one]));
        expect(verdictOf(file, { earlier: recorded ? [spanOf(one)] : [] }, USUAL, ["inactive"])).toBe("recovered");
      }),
      { numRuns: 200 },
    );
  });

  it("is not said with 19 % of requests failing after an incident of seven minutes earlier", () => {
    expect(verdictOf(caseOf(errorsOf(60, [seven])), {}, 0.19, ["firing"])).toBe("not-recovered");
    expect(verdictOf(caseOf(errorsOf(60, [seven])), {}, 0.19, [])).toBe("not-recovered");
  });
});
