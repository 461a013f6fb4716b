import { describe, expect, it } from "vitest";
import type { Ranking } from "../../../core/model/candidate.ts";
import type { Decision } from "../../../core/model/decision.ts";
import { Incident } from "../../../core/model/incident.ts";
import { toEpisode } from "../../../evals/replay/episode.ts";

const DETECTED = Date.parse("2026-01-01T00:10:00Z");
const DECIDED = DETECTED + 30_000;
const CLOSED = DETECTED + 3_600_000;

function ranking(probabilities: Readonly<Record<string, number>>): Ranking {
  const candidates = Object.entries(probabilities).map(([changeId, probability]) => ({
    changeId,
    service: "cart",
    probability,
    reasons: [],
  }));
  const rest = candidates.reduce((sum, { probability }) => sum - probability, 1);
  const rootCauses = [{ service: "cart", score: candidates[0]?.probability ?? 0 }];
  return { candidates, noChangeProbability: rest, noChangeReasons: [], rootCauses };
}

function decision(action: Decision["action"], culprit: string | null, probability = 1): Decision {
  return {
    action,
    service: "cart",
    culprit: culprit === null ? null : { changeId: culprit, probability },
    changeIds: culprit !== null && (action === "rollback" || action === "feature_flag_disable") ? [culprit] : [],
    automatic: true,
    needsPerson: [],
    why: ["because"],
    hotfix: null,
    decidedAt: DECIDED,
  };
}

const HOTFIX = {
  changeId: "a",
  commitRange: null,
  suspects: [],
  owner: null,
  whyNoRollback: "it is irreversible",
  mitigation: "fix forward",
  check: "error_rate of cart is usual",
};

/** As the ledger stores it: parsed, so that the rows prove what is read back. */
function incident(fields: Partial<Incident>): Incident {
  return Incident.parse({
    id: "i",
    stage: "closed",
    service: "cart",
    detectedAt: DETECTED,
    onset: null,
    findings: [],
    conditions: [],
    affectedServices: ["cart"],
    changes: [],
    ranking: ranking({ a: 0.5, b: 0.25 }),
    decidedRanking: ranking({ a: 0.75, b: 0.125 }),
    impact: null,
    decision: decision("rollback", "a"),
    plan: null,
    gate: null,
    baselines: [],
    recovery: null,
    outcome: "recovered",
    closedAt: CLOSED,
    timeline: [
      { at: DETECTED, event: "detected", detail: "" },
      { at: DECIDED, event: "decided: rollback a", detail: "" },
    ],
    unverified: [],
    usage: { inputTokens: 1, outputTokens: 2, toolCalls: 3 },
    ...fields,
  });
}

describe("toEpisode", () => {
  it("tells ranking and culprit as they stood at decided_at, not as they were seen hours later", () => {
    expect(toEpisode(incident({}))).toMatchObject({
      decided_at: new Date(DECIDED).toISOString(),
      action: "rollback",
      culprit: { change_id: "a", probability: 0.75 },
      candidates: [
        { change_id: "a", probability: 0.75 },
        { change_id: "b", probability: 0.125 },
      ],
      no_change_probability: 0.125,
      root_causes: [{ service: "cart", score: 0.75 }],
      targets: ["a"],
    });
  });

  it("reads an incident that was stored before the ranking at decided_at was kept", () => {
    const { decidedRanking: _, ...old } = incident({});
    expect(toEpisode(Incident.parse(JSON.parse(JSON.stringify(old))))).toMatchObject({
      culprit: { change_id: "a", probability: 0.5 },
      no_change_probability: 0.25,
    });
  });

  it.each<[string, Partial<Incident>, ReturnType<typeof toEpisode>["action"], string | null, readonly string[]]>([
    ["a decision withdrawn before execution is no action", { outcome: "withdrawn" }, "no_action", "a", []],
    [
      "no action blames nobody where no change is more probable than any",
      { decision: decision("no_action", null), decidedRanking: ranking({ a: 0.25, b: 0.125 }) },
      "no_action",
      null,
      [],
    ],
    [
      "no action names the most probable change where that is more probable than none",
      { decision: decision("no_action", null), decidedRanking: ranking({ b: 0.5, a: 0.25 }) },
      "no_action",
      "b",
      [],
    ],
    [
      "a recommendation's targets are what it speaks of",
      { decision: { ...decision("hotfix_recommendation", "a"), hotfix: { ...HOTFIX, changeIds: ["b", "a"] } } },
      "hotfix_recommendation",
      "a",
      ["b", "a"],
    ],
    [
      "a recommendation that was stored before it named them speaks of its culprit",
      { decision: { ...decision("hotfix_recommendation", "a"), hotfix: HOTFIX } },
      "hotfix_recommendation",
      "a",
      ["a"],
    ],
    [
      "a recommendation that was withdrawn speaks of nothing",
      { outcome: "withdrawn", decision: { ...decision("hotfix_recommendation", "a"), hotfix: HOTFIX } },
      "no_action",
      "a",
      [],
    ],
    ["a flag is a target", { decision: decision("feature_flag_disable", "b") }, "feature_flag_disable", "b", ["b"]],
    [
      "targets stand in the order of execution",
      { decision: { ...decision("rollback", "a"), changeIds: ["b", "a"] } },
      "rollback",
      "a",
      ["b", "a"],
    ],
  ])("%s", (_, fields, action, culprit, targets) => {
    const episode = toEpisode(incident(fields));
    expect([episode.action, episode.culprit?.change_id ?? null, episode.targets]).toEqual([action, culprit, targets]);
  });

  it("probabilities of all candidates and no change sum to 1 where nothing was ranked", () => {
    const { decidedRanking: _, ...unranked } = incident({ ranking: null, decision: null });
    expect(toEpisode(Incident.parse(unranked))).toMatchObject({
      candidates: [],
      no_change_probability: 1,
      culprit: null,
    });
  });

  it("decided_at is null while nothing is decided, executed_at while nothing is done", () => {
    const open = incident({ stage: "detected", timeline: [], closedAt: null, outcome: null });
    expect(toEpisode(open)).toMatchObject({ decided_at: null, executed_at: null });
  });

  it.each<[string, Partial<Incident>, ReturnType<typeof toEpisode>["guardrail"]]>([
    ["nothing to do is allowed", { decision: decision("no_action", null) }, { verdict: "allow", reasons: [] }],
    ["what was withdrawn before it was asked as well", { outcome: "withdrawn" }, { verdict: "allow", reasons: [] }],
    [
      "a hotfix is for people, and why",
      { decision: { ...decision("hotfix_recommendation", "a"), hotfix: HOTFIX, needsPerson: ["it is irreversible"] } },
      { verdict: "require_approval", reasons: ["it is irreversible"] },
    ],
    ["an action that it has not seen has no verdict yet", {}, null],
  ])("where the gate was not asked: %s", (_, fields, guardrail) => {
    expect(toEpisode(incident(fields)).guardrail).toEqual(guardrail);
  });

  it("tells the gate's verdict with every rule that spoke, and when it was done", () => {
    const rules = [{ rule: "cooldown", verdict: "allow" as const, reason: "none runs" }];
    const gate = {
      planId: "p",
      outcome: "executed" as const,
      review: { verdict: "allow" as const, rules },
      results: [],
    };
    expect(toEpisode(incident({ gate: { ...gate, executedAt: CLOSED } }))).toMatchObject({
      guardrail: { verdict: "allow", reasons: ["cooldown: none runs"] },
      executed_at: new Date(CLOSED).toISOString(),
      usage: { input_tokens: 1, output_tokens: 2, tool_calls: 3 },
    });
  });

  it.each(["withdrawn", "denied", "expired"] as const)(
    "S15: of a decision that came to nothing (%s) it tells what was decided, then what became of it",
    (outcome) => {
      expect(toEpisode(incident({ outcome }))).toMatchObject({
        action: "no_action",
        decided_at: new Date(DECIDED).toISOString(),
        decided: { action: "rollback", culprit: { change_id: "a", probability: 0.75 } },
        came_to: { outcome, at: new Date(CLOSED).toISOString() },
      });
    },
  );

  it("S9: an impact of which nothing was measured is unknown, not low", () => {
    const none = {
      failedShare: null,
      failedRequestsPerSecond: null,
      revenuePerMinute: null,
      routes: [],
      sentences: [],
    };
    const impact = {
      level: "unknown" as const,
      affectedServices: [],
      failedUserShare: null,
      unknown: ["no error rate"],
      ...none,
    };
    expect(toEpisode(incident({ impact })).business_impact).toBeNull();
  });
});
