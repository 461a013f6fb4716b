import { describe, expect, it } from "vitest";
import type { TruthFile } from "../../../evals/replay/bundle-schema.ts";
import type { Episode } from "../../../evals/replay/episode.ts";
import { score } from "../../../evals/replay/score.ts";

const ONSET = Date.parse("2026-01-01T00:10:00Z");
const at = (seconds: number) => new Date(ONSET + seconds * 1000).toISOString();

const GUILTY: TruthFile = {
  faulty: true,
  action: "rollback",
  acceptable: ["rollback"],
  culprit: "a",
  targets: ["a"],
  onset: ONSET,
};
const INNOCENT: TruthFile = {
  faulty: false,
  action: "no_action",
  acceptable: ["no_action"],
  culprit: null,
  targets: [],
  onset: null,
};

/** Two incidents that are decided apart: `a`, and a minute later `b`. */
const APART: TruthFile = {
  ...GUILTY,
  targets: ["a", "b"],
  incidents: [
    { culprit: "a", targets: ["a"], onset: ONSET },
    { culprit: "b", targets: ["b"], onset: ONSET + 60_000 },
  ],
};

/** A rollback of `a` that is right in every way. */
const EPISODE: Episode = {
  detected_at: at(15),
  onset_estimate: at(0),
  decided_at: at(30),
  service: "cart",
  signals: ["error_rate"],
  affected_services: ["cart"],
  root_causes: [{ service: "cart", score: 1 }],
  business_impact: "high",
  action: "rollback",
  culprit: { change_id: "a", probability: 0.9 },
  candidates: [
    { change_id: "a", probability: 0.9 },
    { change_id: "b", probability: 0.06 },
  ],
  no_change_probability: 0.04,
  targets: ["a"],
  guardrail: null,
  executed_at: at(210),
  usage: { input_tokens: 0, output_tokens: 0, tool_calls: 0 },
};
const OF_B: Partial<Episode> = {
  detected_at: at(75),
  decided_at: at(160),
  executed_at: at(240),
  culprit: { change_id: "b", probability: 0.9 },
  candidates: [
    { change_id: "b", probability: 0.9 },
    { change_id: "a", probability: 0.06 },
  ],
  targets: ["b"],
};
const NOTHING_DONE = { action: "no_action", targets: [], executed_at: null } as const;
const HOTFIX = { action: "hotfix_recommendation", executed_at: null } as const;

const scored = (truth: TruthFile, ...episodes: readonly Partial<Episode>[]) =>
  score([{ id: "x", truth, episodes: episodes.map((one) => ({ ...EPISODE, ...one })) }]);

describe("score: found and false", () => {
  it.each<[string, TruthFile, readonly Partial<Episode>[], number, number]>([
    ["the true culprit taken back after onset is found", GUILTY, [{}], 1, 0],
    ["silence over a faulty bundle finds nothing, and is no false action", GUILTY, [], 0, 0],
    ["a decision of no action finds nothing, and is no false action", GUILTY, [NOTHING_DONE], 0, 0],
    ["what is decided before onset is a false action", GUILTY, [{ detected_at: at(-9), decided_at: at(-1) }], 0, 1],
    ["what is decided after onset is found, whenever its incident was opened", GUILTY, [{ detected_at: at(-1) }], 1, 0],
    ["an action that is not acceptable is a false action", GUILTY, [{ action: "feature_flag_disable" }], 0, 1],
    [
      "every acceptable action is found",
      { ...GUILTY, acceptable: ["rollback", "feature_flag_disable"] },
      [{ action: "feature_flag_disable" }],
      1,
      0,
    ],
    [
      "another culprit is a false action",
      GUILTY,
      [{ culprit: { change_id: "b", probability: 0.9 }, targets: ["b"] }],
      0,
      1,
    ],
    ["no named culprit is a false action", GUILTY, [{ culprit: null }], 0, 1],
    ["a target too few is a false action", { ...GUILTY, targets: ["a", "b"] }, [{}], 0, 1],
    ["a target too many is a false action", GUILTY, [{ targets: ["a", "b"] }], 0, 1],
    ["a target in another's place is a false action", GUILTY, [{ targets: ["b"] }], 0, 1],
    ["targets are a set, in any order", { ...GUILTY, targets: ["a", "b"] }, [{ targets: ["b", "a"] }], 1, 0],
    ["a second acting episode is a false action", GUILTY, [{}, {}], 1, 1],
    ["only the first acting episode can find", GUILTY, [{ targets: ["b"] }, {}], 0, 2],
    ["an episode that does not act may come first", GUILTY, [NOTHING_DONE, {}], 1, 0],
    ["a recommendation acts only where truth accepts it", GUILTY, [HOTFIX, {}], 1, 0],
    [
      "an accepted recommendation is found where it speaks of the true set",
      { ...GUILTY, action: "hotfix_recommendation", acceptable: ["hotfix_recommendation"], targets: ["a", "b"] },
      [{ ...HOTFIX, targets: ["b", "a"] }],
      1,
      0,
    ],
    [
      "an accepted recommendation that leaves out a change of the true set is a false action",
      { ...GUILTY, acceptable: ["rollback", "hotfix_recommendation"], targets: ["a", "b"] },
      [HOTFIX],
      0,
      1,
    ],
    ["any rollback of a sound system is a false action", INNOCENT, [{}], 0, 1],
    ["silence over a sound system is right", INNOCENT, [], 0, 0],
    [
      "a recommendation that a sound system's truth accepts is no false action",
      { ...INNOCENT, acceptable: ["no_action", "hotfix_recommendation"] },
      [HOTFIX],
      0,
      0,
    ],
    ["a recommendation that it does not accept is no action either", INNOCENT, [HOTFIX], 0, 0],
    [
      "an action that a sound system's truth accepts is no false action",
      { ...INNOCENT, acceptable: ["no_action", "feature_flag_disable"] },
      [{ action: "feature_flag_disable" }],
      0,
      0,
    ],
    [
      "any other action of it is one",
      { ...INNOCENT, acceptable: ["no_action", "hotfix_recommendation"] },
      [HOTFIX, {}],
      0,
      1,
    ],
    [
      "of one release that is several changes each may be named",
      { ...GUILTY, targets: ["a", "b"], culprits: ["a", "b"] },
      [{ ...OF_B, targets: ["b", "a"] }],
      1,
      0,
    ],
    ["two incidents are found where each is rolled back by itself", APART, [{}, OF_B], 1, 0],
    ["in whatever order", APART, [OF_B, {}], 1, 0],
    ["or both by one act", APART, [{ targets: ["b", "a"] }], 1, 0],
    ["or both by one act that names the other first", APART, [{ ...OF_B, targets: ["b", "a"] }], 1, 0],
    ["of two incidents one that is missed is missed, and the other act was right", APART, [{}], 0, 0],
    ["of two incidents an act twice is a false action", APART, [{}, OF_B, {}], 1, 1],
    [
      "a second incident that is blamed on the first's change is a false action",
      APART,
      [{}, { ...OF_B, targets: ["a"] }],
      0,
      1,
    ],
    [
      "a second incident that was decided before it began is a false action",
      APART,
      [{}, { ...OF_B, detected_at: at(20), decided_at: at(30) }],
      0,
      1,
    ],
  ])("%s", (_, truth, episodes, found, wrong) => {
    expect(scored(truth, ...episodes)).toMatchObject({ truePositives: found, falsePositives: wrong });
  });

  it("precision is over acting episodes, recall over faulty bundles", () => {
    const scores = score([
      { id: "found", truth: GUILTY, episodes: [EPISODE] },
      { id: "missed", truth: GUILTY, episodes: [] },
      { id: "sound", truth: INNOCENT, episodes: [EPISODE] },
    ]);
    expect(scores).toMatchObject({ bundles: 3, faulty: 2, precision: 1 / 2, recall: 1 / 2, culpritTop1: 1 / 2 });
    expect(scores.wrong.map(({ id }) => id)).toEqual(["missed", "sound"]);
  });

  it("says null for a share of nothing", () => {
    expect(score([])).toMatchObject({ precision: null, recall: null, culpritTop1: null, brier: null });
  });
});

describe("score: the culprit named first", () => {
  it.each<[string, TruthFile, readonly Partial<Episode>[], number | null]>([
    ["the acting episode's culprit counts", GUILTY, [{}], 1],
    ["another's does not", GUILTY, [{ culprit: { change_id: "b", probability: 0.9 } }], 0],
    ["without an act the first candidate counts", GUILTY, [{ ...NOTHING_DONE, culprit: null }], 1],
    ["silence names nobody", GUILTY, [], 0],
    ["naming nobody is not naming the culprit that truth does not name either", { ...GUILTY, culprit: null }, [], 0],
    ["sound bundles are not counted", INNOCENT, [{}], null],
    ["of two incidents either's change may be the first that is named", APART, [OF_B, {}], 1],
  ])("%s", (_, truth, episodes, share) => {
    expect(scored(truth, ...episodes).culpritTop1).toBe(share);
  });
});

describe("score: Brier", () => {
  it.each<[string, TruthFile, readonly Partial<Episode>[], number]>([
    [
      "is the mean over all candidates and no change",
      GUILTY,
      [{}],
      ((0.9 - 1) ** 2 + (0.06 - 0) ** 2 + (0.04 - 0) ** 2) / 3,
    ],
    [
      "takes no change for true where no change is the culprit",
      INNOCENT,
      [{}],
      ((0.9 - 0) ** 2 + (0.06 - 0) ** 2 + (0.04 - 1) ** 2) / 3,
    ],
    [
      "is that of the first acting episode",
      GUILTY,
      [{ ...NOTHING_DONE, candidates: [] }, { candidates: [] }],
      0.04 ** 2,
    ],
    ["is about the incident that the episode names", APART, [OF_B], ((0.9 - 1) ** 2 + 0.06 ** 2 + 0.04 ** 2) / 3],
    ["is that of the first episode where none acts", GUILTY, [{ ...NOTHING_DONE, candidates: [] }], 0.04 ** 2],
    ["counts silence over a culprit as a certain error", GUILTY, [], 1],
    ["counts silence over a sound system as certain and right", INNOCENT, [], 0],
  ])("%s", (_, truth, episodes, brier) => {
    expect(scored(truth, ...episodes).brier).toBeCloseTo(brier, 10);
  });

  it("means over hypotheses of all bundles, the silent ones among them", () => {
    const silent = { id: "silent", truth: GUILTY, episodes: [] };
    const sure = { id: "sure", truth: GUILTY, episodes: [{ ...EPISODE, candidates: [], no_change_probability: 0 }] };
    expect(score([silent, sure]).brier).toBe(0.5);
  });
});

describe("score: delays", () => {
  it("of several incidents are the longest, each from its own onset", () => {
    expect(scored(APART, {}, OF_B)).toMatchObject({ decisionDelaySeconds: 100, executionDelaySeconds: 210 });
  });

  it("run from true onset to decision and execution, medians over found bundles", () => {
    const found = (seconds: number) => ({
      id: String(seconds),
      truth: GUILTY,
      episodes: [{ ...EPISODE, decided_at: at(seconds), executed_at: at(seconds + 180) }],
    });
    const missed = { id: "missed", truth: GUILTY, episodes: [{ ...EPISODE, targets: ["b"], decided_at: at(9000) }] };
    expect(score([found(30), found(40), found(80), missed])).toMatchObject({
      decisionDelaySeconds: 40,
      executionDelaySeconds: 220,
    });
  });

  it("are null where nothing was executed", () => {
    expect(scored(GUILTY, { executed_at: null })).toMatchObject({
      decisionDelaySeconds: 30,
      executionDelaySeconds: null,
    });
  });
});

describe("score: why a bundle counts against us", () => {
  const SHARED: TruthFile = { ...GUILTY, targets: ["a", "b"] };
  it.each<[string, TruthFile, readonly Partial<Episode>[], string]>([
    ["silence", GUILTY, [], "missed: raised no incident; right was rollback of a"],
    [
      "no action",
      GUILTY,
      [
        {
          ...NOTHING_DONE,
          candidates: [
            { change_id: "b", probability: 0.5 },
            { change_id: "a", probability: 0.3 },
          ],
          no_change_probability: 0.2,
        },
      ],
      "missed: ended in no_action (first b at 0.50, the culprit at 0.30, no change at 0.20); right was rollback of a",
    ],
    [
      "too early",
      GUILTY,
      [{ detected_at: at(-9), decided_at: at(-5) }],
      "wrong: rollback of a with 0.90: decided 5 s before anything was wrong; right was rollback of a",
    ],
    [
      "another action",
      GUILTY,
      [{ action: "feature_flag_disable" }],
      "wrong: feature_flag_disable of a with 0.90: feature_flag_disable is not acceptable here; right was rollback of a",
    ],
    [
      "another culprit",
      GUILTY,
      [{ culprit: { change_id: "b", probability: 0.6 } }],
      "wrong: rollback of b with 0.60: named b with 0.60; right was rollback of a",
    ],
    ["too few", SHARED, [{}], "wrong: rollback of a with 0.90: left out b; right was rollback of a (targets a, b)"],
    [
      "too many, again and again",
      GUILTY,
      [{ targets: ["a", "b"] }, {}, {}],
      "wrong: rollback of a with 0.90 (targets a, b): rolled back b as well, then 2 more acting episodes; right was rollback of a",
    ],
    ["twice", GUILTY, [{}, {}], "found, then 1 more acting episode"],
    ["an action where none was right", INNOCENT, [{}], "false action: rollback of a with 0.90; right was no_action"],
  ])("%s", (_, truth, episodes, because) => {
    expect(scored(truth, ...episodes).wrong).toEqual([{ id: "x", because }]);
  });

  it("tells the kinds of truth and the families apart", () => {
    const scores = score([
      { id: "1", truth: { ...GUILTY, family: "errors" }, episodes: [EPISODE] },
      { id: "2", truth: { ...INNOCENT, family: "quiet" }, episodes: [] },
      { id: "3", truth: GUILTY, episodes: [] },
    ]);
    expect(scores.byTruth).toMatchObject([
      { name: "no_action", bundles: 1, faulty: 0, precision: null },
      { name: "rollback", bundles: 2, truePositives: 1, recall: 1 / 2 },
    ]);
    expect(scores.byFamily.map(({ name, bundles }) => [name, bundles])).toEqual([
      ["errors", 1],
      ["quiet", 1],
    ]);
  });
});
