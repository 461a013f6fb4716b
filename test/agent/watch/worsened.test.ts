import { describe, expect, it } from "vitest";
import { withWorsened, worsened, worsenedText } from "../../../agent/watch/worsened.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Finding } from "../../../core/model/finding.ts";
import type { Incident } from "../../../core/model/incident.ts";
import type { Series } from "../../../core/model/signal.ts";
import { MINUTE, NOW, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { caseFileOf } from "./trouble.ts";
import { openWatchWorld, STEP_MS, type WatchWorld } from "./watch-world.ts";

const SECOND = 1000;
const ACT = NOW;
const AT = NOW + 3 * MINUTE;

const finding = (service: string, metric: string, at: number, change: Partial<Finding> = {}): Finding => ({
  detector: "regression",
  service,
  metric,
  labels: {},
  unit: "ratio",
  verdict: "worse",
  onset: { at, earliest: at - 15 * SECOND, latest: at + 15 * SECOND },
  detectedAt: at + 30 * SECOND,
  baseline: 0.01,
  current: 0.11,
  samples: 10,
  strength: 40,
  because: `${metric} of ${service} rose`,
  ...change,
});
/** One sample every 15 s, the last at `AT`. */
const samples = (metric: string, values: readonly (number | null)[], worse: Series["worse"] = "up"): Series => ({
  service: "checkout",
  metric,
  unit: "ratio",
  worse,
  labels: {},
  startAt: AT - (values.length - 1) * 15 * SECOND,
  stepMs: 15 * SECOND,
  values,
});
const before = [finding("checkout", "p99_latency", ACT - 2 * MINUTE)];
const incident = (change: Partial<Incident> = {}): Incident =>
  ({
    service: "checkout",
    affectedServices: ["checkout", "web"],
    findings: before,
    conditions: [],
    gate: {
      executedAt: ACT,
      results: [{ target: targetOf(), result: "done", detail: "", at: ACT, warnings: [] }],
    },
    ...change,
  }) as unknown as Incident;
const file = (findings: readonly Finding[], series: readonly Series[] = []): CaseFile => ({
  ...caseFileOf(AT, [], []),
  topology: {
    edges: [
      ["web", "checkout"],
      ["checkout", "stock"],
    ],
    external: [],
  },
  findings,
  series,
});
const since = ACT + MINUTE;
const errors = finding("checkout", "error_rate", since);

describe("what is worse since an act", () => {
  const rows: readonly (readonly [string, Incident, CaseFile, readonly string[]])[] = [
    ["a signal of what was rolled back that was well before", incident(), file([errors]), ["checkout error_rate"]],
    [
      "a signal of a caller that the incident speaks of",
      incident(),
      file([finding("web", "error_rate", since)]),
      ["web error_rate"],
    ],
    ["not what was wrong before the act", incident(), file([finding("checkout", "p99_latency", since)]), []],
    ["not what began before the act", incident(), file([finding("checkout", "error_rate", ACT - MINUTE)]), []],
    ["not what is inconclusive", incident(), file([{ ...errors, verdict: "inconclusive" }]), []],
    [
      "not what its test still finds wrong, but whose newest samples are back",
      incident(),
      file([errors], [samples("error_rate", [0.11, 0.02, 0.01, 0.02, 0.01, 0.03])]),
      [],
    ],
    [
      "what flaps",
      incident(),
      file([errors], [samples("error_rate", [0.11, 0.02, 0.01, 0.11, 0.01, 0.03])]),
      ["checkout error_rate"],
    ],
    ["not one version alone", incident(), file([{ ...errors, labels: { version: "v2" } }]), []],
    ["not a service that it cannot have hurt", incident(), file([finding("stock", "error_rate", since)]), []],
    [
      "not the use of a resource, which follows what runs",
      incident(),
      file([finding("checkout", "cpu_usage", since)], [samples("cpu_usage", [0.9])]),
      [],
    ],
    [
      "not what somebody has changed again",
      incident({ superseded: [{ service: "checkout", what: "newer" }] }),
      file([errors]),
      [],
    ],
    ["nothing where nothing was done", incident({ gate: null }), file([errors]), []],
    [
      "a signal that was wrong and is twice as far off in each of the newest samples",
      incident({ findings: [finding("checkout", "error_rate", ACT - MINUTE)] }),
      file([], [samples("error_rate", [0.1, 0.3, 0.3, 0.3, 0.25, 0.22])]),
      ["checkout error_rate"],
    ],
    [
      "not one that is for fewer samples than verification asks for",
      incident({ findings: [finding("checkout", "error_rate", ACT - MINUTE)] }),
      file([], [samples("error_rate", [0.1, 0.1, 0.3, 0.3, 0.3, 0.3])]),
      [],
    ],
    [
      "not one that is no better, and hardly worse",
      incident({ findings: [finding("checkout", "error_rate", ACT - MINUTE)] }),
      file([], [samples("error_rate", [0.2, 0.2, 0.2, 0.2, 0.2, 0.2])]),
      [],
    ],
    [
      "S9: not one of which nothing is heard",
      incident({ findings: [finding("checkout", "error_rate", ACT - MINUTE)] }),
      file([], [samples("error_rate", [null, null, null, null, null, null])]),
      [],
    ],
  ];
  it.each(rows)("%s", (_, acted, caseFile, expected) => {
    expect(worsened(acted, caseFile).map(({ service, metric }) => `${service} ${metric}`)).toEqual(expected);
  });
});

describe("a verdict while something is worse since the act", () => {
  const signals = [{ service: "checkout", metric: "error_rate", since, because: "wrong since the act" }];
  it.each([
    ["waits, however well the rest is", "recovered", false, "pending"],
    ["is no recovery in the end", "recovered", true, "not-recovered"],
    ["is what was seen, where the rest is unknown", "unknown", true, "not-recovered"],
  ] as const)("%s", (_, verdict, isOver, expected) => {
    const judged = withWorsened({ verdict, at: AT, checks: [] }, signals, isOver);
    expect(judged).toMatchObject({
      verdict: expected,
      checks: [{ metric: "error_rate", because: "wrong since the act" }],
    });
  });

  it("is what it was where nothing is", () => {
    const recovery = { verdict: "recovered" as const, at: AT, checks: [] };
    expect(withWorsened(recovery, [], true)).toBe(recovery);
  });

  it("is told once it has lasted", () => {
    expect(worsenedText(signals, since + MINUTE, 2 * MINUTE)).toBeNull();
    expect(worsenedText(signals, since + 2 * MINUTE, 2 * MINUTE)).toBe(
      `What was done may have made it worse: error_rate of checkout, for 2m now. Needs a person to investigate.`,
    );
  });
});

describe("a rollback that makes things worse", () => {
  /** Checkout was slow and is taken back; then it fails. */
  async function failing(): Promise<WatchWorld> {
    const world = await openWatchWorld();
    world.troubles = [world.trouble()];
    await world.step();
    expect((await world.incident()).stage).toBe("verifying");
    const executedAt = (await world.incident()).gate?.executedAt ?? 0;
    const scripted = world.gather;
    const worse = finding("checkout", "p99_latency", executedAt + 30 * SECOND);
    world.gather = async (now) => ({ ...(await scripted(now)), findings: [worse] });
    world.troubles = [];
    world.recovery = "recovered";
    return world;
  }

  it("is told before its time is over, once, and never called recovered", async () => {
    await using world = await failing();
    await world.step((8 * MINUTE) / STEP_MS);
    expect((await world.incident()).stage).toBe("verifying");
    expect(world.texts("incident.escalated")).toEqual([
      expect.stringContaining(`What was done may have made it worse: p99_latency of checkout`),
    ]);
    await world.step((3 * MINUTE) / STEP_MS);
    expect(await world.incident()).toMatchObject({ outcome: "not-recovered" });
  });

  it("stops automation for that service, though what it was done for is cured", async () => {
    await using world = await failing();
    await world.step((11 * MINUTE) / STEP_MS);
    const next = targetOf({ changeId: "deploy-checkout-v3", expected: { version: "v3", revision: "9" } });
    world.targets.place(next);
    await world.step((30 * MINUTE) / STEP_MS);
    const { plan, review } = await world.gate.propose({
      incidentId: (await world.incident()).id,
      targets: [next],
      reason: "it fails again",
      proposedBy: "watch",
    });
    expect(plan.targets).toEqual([next]);
    expect(review.rules.find(({ rule }) => rule === "escalation")).toMatchObject({
      verdict: "require_approval",
      reason: expect.stringContaining("did not bring recovery"),
    });
  });

  it("is well again where that passes before its time is over", async () => {
    await using world = await failing();
    await world.step(4);
    world.gather = async (now) => caseFileOf(now, [], ["checkout"]);
    await world.step();
    expect(await world.incident()).toMatchObject({ outcome: "recovered" });
    expect(world.texts("incident.escalated")).toEqual([]);
  });
});
