import { describe, expect, it } from "vitest";
import { judgeRecovery, type RecoveryInput } from "../../../core/guardrails/recovery.ts";
import { asTheyTurnedOut, refutedBy, refutedWith } from "../../../core/guardrails/refuted.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { incident } from "../../knowledge/incidents.ts";
import { fill, inputOf, latency, STEP, seriesOf } from "./recovery-inputs.ts";
import { firing, MINUTE, NOW } from "./rule-inputs.ts";

const back = [seriesOf("error_rate", fill(0.002)), seriesOf("request_rate", fill(20))];
const bad = [seriesOf("error_rate", fill(0.19)), seriesOf("request_rate", fill(20))];
const p99 = { metric: "p99_latency", text: "p99_latency > 2000 for 2m", because: "now 2400 ms" };

type Row = readonly [says: string, change: Partial<RecoveryInput>, verdict: string, because: string];
const rows: readonly Row[] = [
  [
    "no condition holds: recovered",
    { conditions: [firing({ state: "inactive" })] },
    "recovered",
    "samples in a row within it",
  ],
  [
    "a condition holds on what is outside its baseline: not recovered",
    { series: bad, conditions: [firing()] },
    "not-recovered",
    "the condition error_rate > 0.05 for 3m holds: 0.31 for 4m",
  ],
  [
    "a condition holds on what is inside its baseline: nobody knows",
    { series: back, conditions: [firing()] },
    "unknown",
    "inside its baseline, but the condition error_rate > 0.05 for 3m still holds",
  ],
  [
    "a baseline as wide as the degradation vouches for nothing while the condition holds",
    {
      baselines: [{ ...latency, metric: "error_rate", unit: "ratio", center: 0.002, upper: 0.25, lower: 0 }],
      series: bad,
      conditions: [firing()],
    },
    "unknown",
    "still holds",
  ],
  [
    "another signal of an affected service is what a condition holds on: not recovered",
    { conditions: [firing({ service: "web", ...p99 })] },
    "not-recovered",
    "the condition p99_latency > 2000 for 2m holds: now 2400 ms",
  ],
  [
    "a condition is pending: nobody knows yet",
    { conditions: [firing({ state: "pending" })] },
    "unknown",
    "the condition error_rate > 0.05 for 3m is pending",
  ],
  [
    "nobody can read a condition on what was measured before: nobody knows",
    { conditions: [firing({ state: "unknown", because: "silent for 2m" })] },
    "unknown",
    "it is unknown whether the condition error_rate > 0.05 for 3m holds: silent for 2m",
  ],
  [
    "a condition held before the act and nothing was measured since: nobody knows",
    {
      series: [seriesOf("error_rate", fill(null)), seriesOf("request_rate", fill(20))],
      conditions: [firing({ asOf: NOW - 3 * MINUTE })],
    },
    "unknown",
    "it is unknown whether the condition error_rate > 0.05 for 3m still holds",
  ],
  [
    "its newest sample began before the act: nobody knows",
    { series: bad, baselines: [], unmeasured: [], conditions: [firing({ asOf: NOW - 3 * MINUTE + STEP - 1 })] },
    "unknown",
    "no sample has come since it did",
  ],
  [
    "its newest sample is older than three steps: nobody knows",
    { series: bad, baselines: [], conditions: [firing({ asOf: NOW - 3 * STEP - 1 })] },
    "unknown",
    "no sample has come since it did",
  ],
  [
    "it holds in a sample that came since the act, and lately: not recovered",
    { series: bad, conditions: [firing({ asOf: NOW - 3 * STEP })] },
    "not-recovered",
    "the condition error_rate > 0.05 for 3m holds: 0.31 for 4m",
  ],
  [
    "a condition on what never was measured says nothing",
    { conditions: [firing({ state: "unknown", ...p99 })] },
    "recovered",
    "samples in a row within it",
  ],
];

describe("S9: a policy's condition and a recovery", () => {
  it.each(rows)("at the time-out, %s", (_, change, verdict, because) => {
    const recovery = judgeRecovery(inputOf({ ...change, timeoutMs: MINUTE }));
    expect(recovery).toMatchObject({ verdict, at: NOW });
    expect(recovery.checks.map((check) => check.because).join("\n")).toContain(because);
    expect(recovery.checks.flatMap(Object.keys)).not.toContain("momentary");
  });

  it.each(rows)("before the time-out it is waited for: %s", (_, change, verdict) => {
    const recovery = judgeRecovery(inputOf(change));
    expect(recovery.verdict).toBe(verdict === "recovered" ? "recovered" : "pending");
  });

  it("what may pass within moments is waited for as long as a signal may pause, and no longer", () => {
    const pending = { conditions: [firing({ state: "pending" })], timeoutMs: 2.5 * MINUTE };
    expect(judgeRecovery(inputOf({ ...pending, now: NOW + 10_000 })).verdict).toBe("pending");
    expect(judgeRecovery(inputOf({ ...pending, timeoutMs: MINUTE })).verdict).toBe("unknown");
  });
});

describe("a confirmed recovery that another incident contradicts", () => {
  const toldAt = incident.recovery?.at ?? 0;
  const later = (change: Partial<Incident>): Incident => ({
    ...incident,
    id: "later",
    detectedAt: toldAt + MINUTE,
    onset: { at: toldAt - 2 * MINUTE, earliest: toldAt - 3 * MINUTE, latest: toldAt - MINUTE },
    closedAt: null,
    recovery: null,
    outcome: null,
    ...change,
  });
  it.each<readonly [string, Incident, boolean]>([
    ["it began surely before that was said, at the same service: it was none", later({}), true],
    [
      "it may have begun after that: the recovery stands",
      later({ onset: { at: toldAt - MINUTE, earliest: toldAt - 3 * MINUTE, latest: toldAt + 1 } }),
      false,
    ],
    ["nobody knows when it began: the recovery stands", later({ onset: null }), false],
    ["it was over by then: the recovery stands", later({ closedAt: toldAt - 1 }), false],
    ["it goes on in another one: the recovery stands", later({ joined: "first" }), false],
    [
      "it is about another service: the recovery stands",
      later({ service: "search", affectedServices: ["search"], trouble: ["search"] }),
      false,
    ],
    ["it is the incident itself: the recovery stands", later({ id: incident.id }), false],
  ])("%s", (_, other, refuted) => {
    const all = [incident, other];
    expect(refutedBy(incident, incident.service, all)?.id ?? null).toBe(refuted ? "later" : null);
    const turnedOut = refuted ? "unknown" : "recovered";
    expect(asTheyTurnedOut(all).map(({ id, outcome }) => [id, outcome])).toEqual([
      [incident.id, turnedOut],
      [other.id, other.outcome],
    ]);
    expect(refutedWith(other, all).map(({ id, outcome }) => [id, outcome])).toEqual(
      refuted ? [[incident.id, "unknown"]] : [],
    );
  });
});
