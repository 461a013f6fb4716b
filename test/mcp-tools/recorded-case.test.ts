import { describe, expect, it } from "vitest";
import type { Incident } from "../../core/model/incident.ts";
import { blameless } from "../agent/watch/trouble.ts";
import { openWatchWorld, type WatchWorld } from "../agent/watch/watch-world.ts";
import { callTool } from "./call-tool.ts";
import { caseFile, context } from "./scenario.ts";

const NOTHING_DEGRADED = { series: [], findings: [], conditions: [], logs: [], spans: [] };

/** Lets the incident of this trouble end, and asks about it when nothing is degraded any more. */
async function closed(world: WatchWorld): Promise<Incident> {
  await world.step(4);
  world.recovery = "recovered";
  world.troubles = [];
  for (let steps = 0; steps < 80 && (await world.incident()).stage !== "closed"; steps += 1) await world.step();
  const incident = await world.incident();
  expect(incident.stage).toBe("closed");
  return incident;
}

const asking = (world: WatchWorld) =>
  context({
    ledger: world.store,
    clock: { now: () => world.time.now },
    caseFile: async () => caseFile({ ...NOTHING_DEGRADED, at: world.time.now }),
  });

describe("S15: of an incident that is closed, or that a watch judges, the tools say what its record says", () => {
  it("what was decided, how likely it was the culprit, and how grave it was", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble()];
    const { id, decision, ranking, impact } = await closed(world);
    expect(decision?.action).toBe("rollback");
    const { structured: explained } = await callTool(asking(world), "explain_decision", { incident: id });
    expect(explained).toMatchObject({
      decision: { action: "rollback", culprit: { changeId: decision?.culprit?.changeId } },
      execution: { without_person: true, held_by: [] },
      coverage: {
        because: [
          expect.stringMatching(
            /^from the record, nothing was judged anew: incident .* is closed \(recovered\) at .*; its plan: executed/,
          ),
        ],
      },
    });
    const { structured: ranked } = await callTool(asking(world), "rank_candidates", { incident: id });
    expect(ranked).toMatchObject({
      candidates: [{ changeId: ranking?.candidates[0]?.changeId, probability: ranking?.candidates[0]?.probability }],
      no_change: { noChangeProbability: ranking?.noChangeProbability },
    });
    const { structured: weighed } = await callTool(asking(world), "assess_impact", { incident: id });
    expect(weighed?.impact).toMatchObject({ affectedServices: impact?.affectedServices ?? ["checkout"] });
    if (impact === null) expect(weighed?.level).toBe("unknown");
    else expect(weighed?.level).toBe(impact.level);
  });

  it("an incident of no action stays one, with the ranking that it was closed with", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble(blameless)];
    const { id, decision } = await closed(world);
    const { structured } = await callTool(asking(world), "explain_decision", { incident: id });
    expect(structured).toMatchObject({ decision: { action: decision?.action ?? "no_action" }, execution: null });
  });

  it.each<[string, Parameters<typeof context>[0], number, boolean]>([
    ["a watch judges it at every step", { watching: async () => ({ isWatched: true, since: 0 }) }, 1_000, true],
    ["its watch evaluates nothing", { watching: async () => ({ isWatched: true, since: 0 }) }, 3_600_000, false],
    ["no watch runs", { watching: async () => ({ isWatched: false, since: null }) }, 1_000, false],
    ["nobody can see whether one runs", {}, 1_000, false],
  ])("of an open one where %s", async (_, over, ago, isRecord) => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble()];
    await world.step();
    const { id, decision, ranking } = await world.incident();
    await world.store.saveEvaluation({ at: world.time.now - ago, stepMs: 15_000, down: [] });
    // Whoever is asked has no history, and sees nothing degraded.
    const asked = { ...asking(world), ...over };
    for (const tool of ["explain_decision", "rank_candidates", "assess_impact"]) {
      const { structured } = await callTool(asked, tool, { incident: id });
      expect(JSON.stringify(structured).includes("as the watch judged it at"), tool).toBe(isRecord);
    }
    if (!isRecord) return;
    const { structured } = await callTool(asked, "explain_decision", { incident: id });
    expect(structured).toMatchObject({ decision: { action: decision?.action, culprit: decision?.culprit } });
    const { structured: ranked } = await callTool(asked, "rank_candidates", { incident: id });
    expect(ranked).toMatchObject({ no_change: { noChangeProbability: ranking?.noChangeProbability } });
  });

  it("an open one is judged by the evidence, and so is what follows from given answers", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble()];
    await world.step();
    const { id } = await world.incident();
    const { structured } = await callTool(asking(world), "explain_decision", { incident: id });
    expect(JSON.stringify(structured)).not.toContain("from the record");
    world.troubles = [];
    await closed(world);
    const { structured: given } = await callTool(asking(world), "explain_decision", { incident: id, known: {} });
    expect(JSON.stringify(given)).not.toContain("from the record");
  });
});
