import { describe, expect, it } from "vitest";
import { type DrawnCase, drawnCase, QUESTIONS } from "../../../evals/fleet/drawn-case.ts";
import { type DrawnOutcome, outcomeOf } from "../../../evals/fleet/drawn-outcome.ts";
import { answersOf } from "../../../evals/fleet/worker-pool.ts";
import type { Episode } from "../../../evals/replay/episode.ts";

/** Drawn by their own seed; `unship bench fleet-unrelated` replays five hundred of each. */
const SEED = 3;
/** Of this one, these cases have sums by version in which new pods that start look like failing ones for a while. */
const SLOW_STARTS = 8;

describe("drawn cases of what must not be undone", () => {
  it.each(QUESTIONS)(
    "are the same for the same seed, and have a culprit where they are to have one: %s",
    (question) => {
      for (const guilty of [false, true]) {
        const task: DrawnCase = { question, guilty, seed: SEED, index: 0 };
        const drawn = drawnCase(task);
        expect(drawn.files).toEqual(drawnCase(task).files);
        expect(drawn.truth.faulty).toBe(guilty);
        expect(drawn.files["topology.json"] !== undefined).toBe(question === "one service with known callees");
      }
    },
  );

  it("end in no act where the own deploy is unrelated, and in answers in order", { timeout: 600_000 }, async () => {
    const tasks = [0, 1, 2, 3, 4, 5].map(
      (index): DrawnCase => ({ question: "one service", guilty: false, seed: SEED, index }),
    );
    const outcomes = await answersOf<DrawnCase, DrawnOutcome>("drawn-worker", tasks, undefined, 1);
    expect(outcomes.map(({ task }) => task)).toEqual(tasks);
    expect(outcomes.filter(({ did }) => did.endsWith("act"))).toEqual([]);
  });

  it("end in no act where new pods start, slowly too, while something else breaks", { timeout: 600_000 }, async () => {
    const tasks = [23, 48, 111].map(
      (index): DrawnCase => ({ question: "one service", guilty: false, seed: SLOW_STARTS, index }),
    );
    const outcomes = await answersOf<DrawnCase, DrawnOutcome>("drawn-worker", tasks, undefined, 1);
    expect(outcomes.filter(({ did }) => did.endsWith("act"))).toEqual([]);
  });

  it("end in no act where an external that the service calls breaks, or a callee falls silent, while it is deployed", {
    timeout: 900_000,
  }, async () => {
    const tasks = Array.from(
      { length: 24 },
      (_, index): DrawnCase => ({ question: "one service with known callees", guilty: false, seed: SEED, index }),
    );
    const outcomes = await answersOf<DrawnCase, DrawnOutcome>("drawn-worker", tasks, undefined, 1);
    expect(outcomes.filter(({ did }) => did.endsWith("act"))).toEqual([]);
  });

  it("end in the right act where the version is bad and its own signals tell", { timeout: 600_000 }, async () => {
    const tasks = (["one service", "one service with known callees"] as const).flatMap((question) =>
      [0, 4].map((index): DrawnCase => ({ question, guilty: true, seed: SEED, index })),
    );
    const outcomes = await answersOf<DrawnCase, DrawnOutcome>("drawn-worker", tasks, undefined, 1);
    expect(outcomes.map(({ did }) => did)).toEqual(tasks.map(() => "right act"));
  });

  it("a worker that fails says so", async () => {
    const task = { question: "one service", guilty: false, seed: SEED, index: Number.NaN };
    const broken = { ...task, question: "no such question" };
    await expect(answersOf("composition-worker", [broken], undefined, 1)).rejects.toThrow();
  });
});

describe("the outcome of a drawn case", () => {
  const task: DrawnCase = { question: "one service", guilty: true, seed: SEED, index: 0 };
  const innocent = {
    faulty: false,
    action: "no_action",
    acceptable: ["no_action"],
    culprit: null,
    targets: [],
    onset: null,
    guilty: [],
    approval: null,
    disturbed: true,
  } as const;
  const guilty = { ...innocent, faulty: true, action: "rollback", culprit: "bad", targets: ["bad"], onset: 0 } as const;
  const act: Episode = {
    detected_at: "2026-06-03T12:00:15.000Z",
    onset_estimate: null,
    decided_at: "2026-06-03T12:00:30.000Z",
    service: "cart",
    signals: [],
    affected_services: ["cart"],
    root_causes: [],
    business_impact: null,
    action: "rollback",
    culprit: { change_id: "bad", probability: 0.9 },
    candidates: [],
    no_change_probability: 0.1,
    targets: ["bad"],
    guardrail: { verdict: "allow", reasons: [] },
    executed_at: "2026-06-03T12:01:00.000Z",
    usage: { input_tokens: 0, output_tokens: 0, tool_calls: 0 },
  };
  it.each<[string, typeof innocent | typeof guilty, readonly Episode[], DrawnOutcome["did"]]>([
    ["an executed rollback of the culprit is right", guilty, [act], "right act"],
    ["an executed rollback of anything where nothing is to be undone is false", innocent, [act], "false act"],
    ["one that undoes more than the culprit is false", guilty, [{ ...act, targets: ["bad", "other"] }], "false act"],
    ["one that waits for a person is a question", innocent, [{ ...act, executed_at: null }], "question"],
    [
      "a recommendation is a question",
      innocent,
      [{ ...act, action: "hotfix_recommendation", executed_at: null }],
      "question",
    ],
    [
      "an incident that calls for nothing is nothing",
      innocent,
      [{ ...act, action: "no_action", executed_at: null }],
      "nothing",
    ],
    ["silence is nothing", guilty, [], "nothing"],
  ])("%s", (_, truth, episodes, did) => {
    expect(outcomeOf(task, { name: "case", truth, moment: 100 }, episodes, [100]).did).toBe(did);
  });

  it("counts the pages since the case began apart from earlier ones", () => {
    const outcome = outcomeOf(task, { name: "case", truth: innocent, moment: 100 }, [], [99, 100, 250]);
    expect(outcome).toMatchObject({ pages: 2, earlierPages: 1 });
  });
});
