import { describe, expect, it } from "vitest";
import { investigateOnce } from "../../../agent/compose/investigate.ts";
import { NO_PAST, pastOf } from "../../../agent/compose/past.ts";
import { createAssessor, stepsWith } from "../../../core/assessment/assessor.ts";
import type { Ranking } from "../../../core/model/candidate.ts";
import { openAnsweringSystem } from "./answering-system.ts";

const bad = { service: "stock", fromS: 20, errors: 0.4 };
const never = new AbortController().signal;

const priorOf = (ranking: Ranking | null | undefined, changeId: string): number => {
  const candidate = ranking?.candidates.find((one) => one.changeId === changeId);
  return candidate?.reasons.find(({ name }) => name === "prior")?.logOdds ?? Number.NaN;
};
const reasonsOf = (ranking: Ranking | null, changeId: string): readonly string[] =>
  (ranking?.candidates.find((one) => one.changeId === changeId)?.reasons ?? []).map(({ name }) => name);
/** What one bad change of one is worth: two in eleven instead of one in ten. */
const ONE_BAD = Math.log(2 / 1.1);

describe("what came of earlier changes of a service", () => {
  it("weighs in the watch's ranking and in the chain's, and the gate, which reads the same, lets the act through", async () => {
    await using system = await openAnsweringSystem({
      deploys: [bad],
      afterAct: [{ service: "stock", gapS: 70, errors: 0.4 }],
    });
    await system.until(200);
    const [first, second] = await system.incidents();
    expect(first?.outcome, system.told()).toBe("recovered");
    expect(
      system.undone.map(({ changeId }) => changeId),
      system.told(),
    ).toEqual(["stock-1", "stock-3"]);
    const known = priorOf(second?.decidedRanking ?? second?.ranking, "stock-3");
    expect(known - priorOf(first?.decidedRanking ?? first?.ranking, "stock-1")).toBeCloseTo(ONE_BAD, 9);
    const chains = await system.ledger.entries({ kinds: ["chain.finished"], incidentId: second?.id ?? "" });
    const answered = chains.at(-1)?.body as { answers: { correlate_timing: { ranking: Ranking } } };
    expect(priorOf(answered.answers.correlate_timing.ranking, "stock-3")).toBeCloseTo(known, 9);
    const past = await pastOf(system.ledger);
    expect(past.past.get("stock/deploy")?.bad).toBeGreaterThanOrEqual(1);
    expect([...(past.pastBad.get("stock") ?? [])]).toContain("v2.0.0");
  }, 60_000);

  it("weighs in an investigation likewise, and nowhere where no ledger tells of it", async () => {
    await using system = await openAnsweringSystem({ deploys: [bad], config: { mode: "observe" } });
    await system.until(50);
    const { config, clock, sources } = system;
    const asked = { version: "test", config, clock, sources, observe: async () => undefined, ask: {} };
    const ranked = async (parts: Parameters<typeof investigateOnce>[0]) =>
      priorOf((await investigateOnce(parts, never)).incident.ranking, "stock-1");
    const without = await ranked(asked);
    const past = new Map([["stock/deploy", { changes: 1, bad: 1 }]]);
    expect((await ranked({ ...asked, past: { ...NO_PAST, past } })) - without).toBeCloseTo(ONE_BAD, 9);
  }, 60_000);

  it("weighs with what degraded without a change, in an investigation and in every step that is asked by itself", async () => {
    await using system = await openAnsweringSystem({ deploys: [bad], config: { mode: "observe" } });
    await system.until(50);
    const { config, clock, sources } = system;
    const began = clock.now() - 1_200_000;
    const signals = new Map([["stock error_rate", 2]]);
    const past = { ...NO_PAST, alone: [{ at: began, until: began + 300_000, signals }] };
    const asked = { version: "test", config, clock, sources, observe: async () => undefined, ask: {}, past };
    const { ranking } = (await investigateOnce(asked, never)).incident;
    expect(reasonsOf(ranking, "stock-1")).toContain("recurrence");
    const file = await createAssessor({ sources, config }).gather(clock.now(), never);
    const steps = stepsWith(() => past);
    const identify_recent_deployments = steps.identify_recent_deployments(file, config, {});
    const answer = steps.correlate_timing(file, config, { identify_recent_deployments });
    expect(reasonsOf(answer.ranking, "stock-1")).toContain("recurrence");
  }, 60_000);
});
