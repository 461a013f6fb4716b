import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openIncident } from "../../../agent/watch/incident-state.ts";
import { standingOf } from "../../../agent/watch/own-signals.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { ConditionState, Finding } from "../../../core/model/finding.ts";
import { assessmentOf, firing, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { blameless, oddFinding } from "./trouble.ts";
import { openWatchWorld, type WatchWorld } from "./watch-world.ts";

const USUAL = 0.001;
const BAD = 0.3;
const LEVELS = { usual: USUAL, better: 0.1, "nearer to the degradation": 0.2, bad: BAD } as const;

/** How one signal of the incident stands in an evaluation. `test`: what its detector says, if anything. */
interface State {
  readonly test: "worse" | "no-worse" | "no-worse than the degradation" | "unsure" | "none";
  readonly level: keyof typeof LEVELS;
  readonly policy: "firing" | "pending" | "quiet";
}

const SERVICES = ["checkout", "cart"] as const;
type States = Readonly<Record<(typeof SERVICES)[number], State>>;

const stateOf = (tests: readonly State["test"][], policies: readonly State["policy"][]): fc.Arbitrary<State> =>
  fc.record({
    test: fc.constantFrom(...tests),
    level: fc.constantFrom(...(Object.keys(LEVELS) as State["level"][])),
    policy: fc.constantFrom(...policies),
  });

const any = stateOf(
  ["worse", "no-worse", "no-worse", "no-worse than the degradation", "unsure", "none"],
  ["quiet", "quiet", "pending", "firing"],
);

function findingsOf(service: string, { test }: State, at: number): readonly Finding[] {
  const base: Finding = { ...oddFinding(at - 60_000), service, metric: "error_rate", unit: "ratio" };
  switch (test) {
    case "none":
      return [];
    case "worse":
      return [{ ...base, baseline: USUAL, current: BAD }];
    case "unsure":
      return [{ ...base, verdict: "inconclusive", onset: null, baseline: USUAL, current: null }];
    case "no-worse":
      return [{ ...base, verdict: "no-worse", baseline: USUAL, current: USUAL }];
    case "no-worse than the degradation":
      return [{ ...base, verdict: "no-worse", baseline: BAD, current: BAD }];
  }
}

const conditionsOf = (service: string, { policy }: State, at: number): readonly ConditionState[] =>
  policy === "quiet"
    ? []
    : [firing({ service, state: policy, since: at, firesAt: policy === "pending" ? at + 9e9 : null })];

/** A world with one incident of two services, whose signals then stand as `now` says. */
async function opened(now: { states: States | null }): Promise<WatchWorld> {
  const world = await openWatchWorld({ parts: { episodes: () => [[...SERVICES]] } });
  const { gather } = world;
  world.gather = async (at): Promise<CaseFile> => {
    const file = await gather(at);
    const { states } = now;
    if (states === null) return file;
    return {
      ...file,
      series: file.series.map((one) =>
        one.service in states
          ? { ...one, values: one.values.map(() => LEVELS[states[one.service as keyof States].level]) }
          : one,
      ),
      findings: SERVICES.flatMap((name) => findingsOf(name, states[name], at)),
      conditions: SERVICES.flatMap((name) => conditionsOf(name, states[name], at)),
    };
  };
  world.troubles = SERVICES.map((name) => world.trouble({ ...blameless, services: [name] }, targetOf({ name })));
  await world.step(2);
  world.troubles = [];
  return world;
}

const speaksAgainst = ({ test, policy }: State): boolean => test === "worse" || policy === "firing";

describe("the end of an incident, by its own signals", () => {
  it("never comes while a test or a policy speaks against it, and within 20 evaluations once each test finds it over", async () => {
    const seen = { closedEarly: 0, closedAtOddLevel: 0 };
    const beat = fc.tuple(fc.record({ checkout: any, cart: any }), fc.constantFrom(1, 2, 8, 13));
    const over = stateOf(["no-worse"], ["quiet"]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(beat, { minLength: 1, maxLength: 5 }),
        fc.record({ checkout: over, cart: over }),
        async (beats, end) => {
          const now: { states: States | null } = { states: null };
          await using world = await opened(now);
          const first = (await world.incident()).id;
          const isClosed = async () => (await world.store.incident(first))?.stage === "closed";
          for (const [states, steps] of beats) {
            now.states = states;
            for (let step = 0; step < steps; step += 1) {
              const wasClosed = await isClosed();
              await world.step();
              if (wasClosed || !(await isClosed())) continue;
              seen.closedEarly += 1;
              expect(SERVICES.filter((name) => speaksAgainst(states[name]))).toEqual([]);
            }
          }
          if (await isClosed()) return;
          now.states = end;
          await world.step(20);
          expect(await isClosed()).toBe(true);
          if (SERVICES.some((name) => end[name].level === "bad")) seen.closedAtOddLevel += 1;
        },
      ),
      { numRuns: 60, seed: 13 },
    );
    expect(Math.min(seen.closedEarly, seen.closedAtOddLevel)).toBeGreaterThan(3);
  }, 180_000);

  it.each<readonly [string, Partial<State>, boolean]>([
    [
      "closes where its test finds it over, worse than before and better than it was",
      { test: "no-worse", level: "nearer to the degradation" },
      true,
    ],
    ["closes where no test speaks and it is nearer to its level before", { test: "none", level: "better" }, true],
    [
      "stays where no test speaks and it is nearer to the degradation",
      { test: "none", level: "nearer to the degradation" },
      false,
    ],
    [
      "stays where its test took the degradation for normal",
      { test: "no-worse than the degradation", level: "bad" },
      false,
    ],
    [
      "closes where a policy pends on what its test finds over",
      { test: "no-worse", level: "better", policy: "pending" },
      true,
    ],
    [
      "stays where its policy fires on what its test finds over",
      { test: "no-worse", level: "usual", policy: "firing" },
      false,
    ],
  ])("%s", async (_, change, closes) => {
    const state: State = { test: "none", level: "usual", policy: "quiet", ...change };
    const now: { states: States | null } = { states: null };
    await using world = await opened(now);
    now.states = { checkout: state, cart: state };
    await world.step(20);
    expect((await world.incident()).stage === "closed").toBe(closes);
  });

  it("remembers what a test found over, when the test has nothing more to say of it", async () => {
    const now: { states: States | null } = { states: null };
    await using world = await opened(now);
    const odd = { test: "none", level: "nearer to the degradation", policy: "quiet" } as const;
    now.states = { checkout: { ...odd, test: "no-worse" }, cart: { ...odd, test: "worse", level: "bad" } };
    await world.step(5);
    now.states = { checkout: odd, cart: { ...odd, test: "no-worse" } };
    await world.restart();
    await world.step(20);
    expect((await world.incident()).stage).toBe("closed");
  });
});

describe("failed checks of a rollout that was stuck first", () => {
  const STEP = 15_000;
  const stuck: Finding = {
    ...oddFinding(0),
    detector: "rollout",
    service: "cart",
    metric: "health_check_failures",
    unit: "count",
    baseline: 3,
    current: 0,
  };
  const counted: Finding = { ...stuck, detector: "shift", baseline: 0.1, current: 1 };
  const fileOf = (at: number, findings: readonly Finding[], value: number): CaseFile =>
    ({
      at,
      findings,
      conditions: [],
      rollouts: [],
      changes: [],
      series: [
        {
          service: "cart",
          metric: "health_check_failures",
          unit: "count",
          worse: "up",
          labels: {},
          startAt: at,
          stepMs: STEP,
          values: [value],
        },
      ],
    }) as unknown as CaseFile;

  it.each([
    ["back once none fails, though fewer pods were ready than wanted", [stuck], 0, []],
    ["back once none fails, where they were counted too", [stuck, counted], 0, []],
    ["degraded while as many fail as were counted", [stuck, counted], 1, ["cart health_check_failures"]],
  ])("are %s", (_, found, value, degraded) => {
    let incident = {
      ...openIncident("inc", { ...assessmentOf({ targets: [] }), baselines: [] }),
      findings: [...found],
    };
    for (const [index, one] of [...found, ...found].entries()) {
      const { signals } = standingOf(incident, ["cart"], fileOf(index * STEP, [one], 1), STEP);
      incident = { ...incident, signals: [...signals] } as typeof incident;
    }
    expect(standingOf(incident, ["cart"], fileOf(10 * STEP, [], value), STEP).degraded).toEqual(degraded);
  });
});
