import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Condition, Policy } from "../../../core/config/config.ts";
import { createConditionWatch } from "../../../core/detection/conditions.ts";
import { silentAfter } from "../../../core/detection/silence.ts";
import type { Rollout } from "../../../core/model/evidence.ts";
import type { Finding } from "../../../core/model/finding.ts";
import { testConfig } from "../assessment/config.ts";
import { seriesOf, T0 } from "./series.ts";

const MINUTE = 60_000;
const threshold = (replaced: Partial<Extract<Condition, { kind: "threshold" }>> = {}): Condition => ({
  kind: "threshold",
  metric: "error_rate",
  comparison: "greater_than",
  threshold: 0.05,
  upperBound: null,
  durationMs: 3 * MINUTE,
  text: "error_rate > 0.05 for 3m",
  ...replaced,
});
const watching = (...conditions: readonly Condition[]) => {
  const policy: Policy = { name: "p", conditions, action: "rollback_immediate", notification: [] };
  return createConditionWatch(testConfig({ policies: [policy] }));
};
const repeat = (value: number | null, times: number) => new Array<number | null>(times).fill(value);
/** Feeds one-minute samples and tells the state at the last of them. */
function stateAfter(condition: Condition, values: readonly (number | null)[], silentMs = 0) {
  const watch = watching(condition);
  watch.take(seriesOf("error_rate", values, { stepMs: MINUTE }));
  return watch.states(T0 + values.length * MINUTE + silentMs, [], [])[0];
}

describe("a threshold with a duration", () => {
  it.each([
    ["is inactive below the threshold", repeat(0.01, 5), "inactive"],
    ["is pending until it has held for the duration", repeat(0.09, 3), "pending"],
    ["fires once the span from the first sample beyond it reaches the duration", repeat(0.09, 4), "firing"],
    ["starts again after one sample that is not beyond it", [0.09, 0.09, 0.09, 0.01, 0.09], "pending"],
    ["does not count a sample exactly at the threshold", repeat(0.05, 6), "inactive"],
    ["is not moved by a missing sample, either way", [0.09, null, 0.09, 0.09], "firing"],
    ["keeps its clock over one missing sample below", [0.01, null, 0.01, 0.01], "inactive"],
    [
      "starts again after silence of more than two steps and a minute",
      [0.09, 0.09, null, null, null, 0.09, 0.09],
      "pending",
    ],
  ])("%s", (_name, values, state) => {
    expect(stateAfter(threshold(), values)?.state).toBe(state);
  });

  it("says when a pending one will fire", () => {
    const state = stateAfter(threshold(), [0.01, 0.09, 0.09]);
    expect(state?.since).toBe(T0 + 2 * MINUTE);
    expect(state?.firesAt).toBe(T0 + 5 * MINUTE);
  });

  it.each([
    [[0.01, 0.09], "now 9.00 %, beyond 5.00 % in its newest sample"],
    [[0.01, 0.09, 0.09], "now 9.00 %, beyond 5.00 % for 1m"],
  ])("says for how long it has been beyond the threshold: %s", (values, said) => {
    expect(stateAfter(threshold(), values)?.because).toBe(said);
  });

  it("reports that a silence restarted the clock", () => {
    expect(stateAfter(threshold(), [0.09, null, null, null, 0.09])?.because).toContain("no data for 4m");
  });

  it.each([
    ["at the first sample after it", 0, true],
    ["until the signal has spoken for the condition's duration", 3, true],
    ["and no longer, since by then it changes nothing", 4, false],
  ])("says so %s", (_name, minutesMore, said) => {
    const values = [0.01, null, null, null, ...repeat(0.01, 1 + minutesMore)];
    expect(stateAfter(threshold(), values)?.because.includes("had no data")).toBe(said);
  });

  it("is unknown, not inactive, when the signal is silent now", () => {
    expect(stateAfter(threshold(), repeat(0.01, 3), 4 * MINUTE)?.state).toBe("unknown");
    expect(stateAfter(threshold(), repeat(0.01, 3), 2 * MINUTE)?.state).toBe("inactive");
  });

  it("counts a sample above the upper bound toward the weaker condition", () => {
    const zone = threshold({ threshold: 0.02, upperBound: 0.05, durationMs: 5 * MINUTE });
    expect(stateAfter(zone, [0.03, 0.2, 0.03, 0.2, 0.03, 0.03])?.state).toBe("firing");
  });

  it("can ask for less", () => {
    const low = threshold({ comparison: "less_than", threshold: 0.5, durationMs: MINUTE });
    expect(stateAfter(low, [0.9, 0.4, 0.4])?.state).toBe("firing");
  });

  it("gives the same whether samples come at once, one by one, or twice", () => {
    const values = [0.01, 0.09, 0.09, 0.09, 0.09];
    const watch = watching(threshold());
    for (let i = 0; i < values.length; i++)
      for (let again = 0; again < 2; again++)
        watch.take(seriesOf("error_rate", values.slice(0, i + 1), { stepMs: MINUTE }));
    expect(watch.states(T0 + 5 * MINUTE, [], [])[0]).toEqual(stateAfter(threshold(), values));
  });

  it("goes on from a stored state", () => {
    const before = watching(threshold());
    before.take(seriesOf("error_rate", repeat(0.09, 3), { stepMs: MINUTE }));
    const after = watching(threshold());
    after.restore(JSON.parse(JSON.stringify(before.state())));
    after.take(seriesOf("error_rate", repeat(0.09, 4), { stepMs: MINUTE }));
    expect(after.states(T0 + 4 * MINUTE, [], [])[0]?.state).toBe("firing");
  });
});

describe("health checks", () => {
  const health: Condition = { kind: "health", failures: 3, consecutive: true, text: "3 consecutive failures" };
  const pod = (name: string, values: readonly (number | null)[]) =>
    seriesOf("health_check_failures", values, { labels: { pod: name }, stepMs: 10_000 });

  it.each([
    ["fires on three failed samples in a row of a pod that was ready before", [[0, 1, 1, 1]], "firing"],
    ["is pending on two", [[0, 1, 1]], "pending"],
    [
      "does not add up failures of different pods",
      [
        [0, 0, 1, 1],
        [0, 1, 1, 0],
        [1, 0, 0, 1],
      ],
      "pending",
    ],
    ["counts in a row only", [[0, 1, 1, 0, 1, 1]], "pending"],
    ["grants a pod that was never ready its start-up", [[1, 1, 1, 1]], "inactive"],
    ["but not for longer than a minute", [[1, 1, 1, 1, 1, 1, 1, 1, 1]], "firing"],
  ])("%s", (_name, pods, state) => {
    const watch = watching(health);
    for (const [i, values] of pods.entries()) watch.take(pod(`pod-${i}`, values));
    const states = watch.states(T0 + 90_000, [], []);
    expect(states.map((one) => one.state)).toEqual([state]);
  });

  const rollout = (replaced: Partial<Rollout> = {}): Rollout => ({
    service: "cart",
    workload: { kind: "Deployment", namespace: "production", name: "cart" },
    version: "v2",
    revision: "2",
    status: "complete",
    replicas: { desired: 3, updated: 1, ready: 2, available: 2 },
    restarts: 0,
    revisions: [],
    observedAt: T0,
    startedAt: T0 - 600_000,
    ...replaced,
  });
  const none = { desired: 0, updated: 0, ready: 0, available: 0 };

  it("fires on a rollout whose new pods are stuck", () => {
    const states = watching(health).states(T0, [], [rollout({ status: "stuck" })]);
    expect(states).toMatchObject([{ state: "firing", service: "cart" }]);
  });

  const LATE = 10 * MINUTE;
  it.each<[string, readonly (readonly (number | null)[])[], readonly Partial<Rollout>[], string[]]>([
    [
      "a pod that is gone counts no more while others of its service report",
      [[0, 1, 1, 1], repeat(0, 60)],
      [],
      ["inactive"],
    ],
    ["failing pods of which nothing is heard any more are unknown", [[0, 1, 1, 1]], [], ["unknown"]],
    ["ready pods of which nothing is heard any more are unknown", [[0, 0, 0]], [], ["unknown"]],
    ["and stay so although the rollout is told", [[0, 0, 0]], [{ observedAt: T0 + LATE }], ["unknown"]],
    ["but not where its system says that none is wanted", [[0, 0, 0]], [{ observedAt: T0 + LATE, replicas: none }], []],
    ["an old word that none is wanted is none", [[0, 0, 0]], [{ replicas: none }], ["unknown"]],
    ["a stuck rollout of which nothing is heard any more is unknown", [], [{ status: "stuck" }], ["unknown"]],
    ["so is a complete one", [], [{ status: "complete" }], ["unknown"]],
    ["a stuck one that is told anew fires on", [], [{ status: "stuck", observedAt: T0 + LATE }], ["firing"]],
    [
      "one stuck rollout that is told outweighs one that is not",
      [],
      [{}, { status: "stuck", observedAt: T0 + LATE }],
      ["firing"],
    ],
  ])("%s", (_name, pods, rollouts, expected) => {
    const watch = watching(health);
    for (const [i, values] of pods.entries()) watch.take(pod(`pod-${i}`, values));
    const states = watch.states(T0 + LATE, [], rollouts.map(rollout));
    expect(states.map(({ state }) => state)).toEqual(expected);
  });

  it("a silence that ends moves nothing: the rollout is stuck since when it was", () => {
    const watch = watching(health);
    const since = T0 - 600_000;
    const told = (observedAt: number, now: number) => watch.states(now, [], [rollout({ status: "stuck", observedAt })]);
    expect(told(T0, T0)).toMatchObject([{ state: "firing", since }]);
    expect(told(T0, T0 + LATE)).toMatchObject([{ state: "unknown", since: null, value: null }]);
    expect(told(T0 + LATE, T0 + LATE)).toMatchObject([{ state: "firing", since }]);
  });

  const looks = fc.array(
    fc
      .tuple(fc.array(fc.constantFrom(0, 1, null), { minLength: 5, maxLength: 5 }), fc.constantFrom(0, 1))
      .map(([values, last]) => [...values, last]),
    { maxLength: 4 },
  );
  const statuses = fc.array(fc.constantFrom("complete", "progressing", "stuck", "paused"), { maxLength: 3 });
  it("may have begun with the first of the failures that came again and again, before three came in a row", () => {
    const watch = watching(health);
    const values = [0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 1];
    watch.take(seriesOf("health_check_failures", values, { stepMs: 60_000, startAt: T0 }));
    const [state] = watch.states(T0 + 15 * 60_000, [], []);
    expect(state).toMatchObject({ state: "firing", since: T0 + 13 * 60_000, earliest: T0 + 4 * 60_000 });
  });

  it("S9: whatever was seen before, silence is neither health nor failure: first nothing moves, then all is unknown", () => {
    fc.assert(
      fc.property(looks, statuses, fc.nat(), fc.nat(), (pods, seen, early, late) => {
        const watch = watching(health, { ...health, consecutive: false }, threshold());
        for (const [i, values] of pods.entries()) watch.take(pod(`pod-${i}`, values));
        watch.take(seriesOf("error_rate", [0.01, 0.01, 0.01, 0.09, 0.09, 0.09], { stepMs: 10_000 }));
        const last = T0 + MINUTE;
        const rollouts = seen.map((status) => rollout({ status, observedAt: last }));
        const heard = watch.states(last, [], rollouts);
        const briefly = silentAfter(10_000);
        expect(watch.states(last + (early % briefly), [], rollouts)).toEqual(heard);
        const states = watch.states(last + silentAfter(15_000) + 1 + (late % (24 * 3_600_000)), [], rollouts);
        for (const one of states) expect(one).toMatchObject({ state: "unknown", value: null, since: null });
        const name = ({ condition, service }: { condition: number; service: string }) => `${condition} ${service}`;
        expect(states.map(name)).toEqual(expect.arrayContaining(heard.map(name)));
      }),
    );
  });
});

describe("a statistical condition", () => {
  const regression: Condition = { kind: "regression", metric: "error_rate", confidence: 0.999, text: "regression" };
  const finding = (replaced: Partial<Finding>): Finding => ({
    detector: "regression",
    service: "cart",
    metric: "error_rate",
    labels: {},
    unit: "ratio",
    verdict: "worse",
    onset: null,
    detectedAt: T0,
    baseline: 0.01,
    current: 0.2,
    samples: 3,
    strength: 20,
    because: "it got worse",
    ...replaced,
  });

  it.each([
    ["fires on a finding whose evidence reaches its confidence", finding({}), "firing"],
    ["does not fire on weaker evidence", finding({ strength: 5 }), "inactive"],
    ["does not fire while a finding is inconclusive", finding({ verdict: "inconclusive" }), "inactive"],
    ["is unknown while the signal is silent", finding({ verdict: "unknown" }), "unknown"],
  ])("%s", (_name, one, state) => {
    expect(watching(regression).states(T0, [one], [])[0]?.state).toBe(state);
  });

  it("does not speak of other metrics", () => {
    expect(watching(regression).states(T0, [finding({ metric: "p99_latency" })], [])).toEqual([]);
  });
});
