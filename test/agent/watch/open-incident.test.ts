import { describe, expect, it } from "vitest";
import { openIncident, withAssessment } from "../../../agent/watch/incident-state.ts";
import { openWatchWorld } from "./watch-world.ts";

async function assessed() {
  await using world = await openWatchWorld();
  world.troubles = [world.trouble({ services: ["checkout", "web"] })];
  return world.assess(await world.gather(world.time.now), ["web"]);
}

describe("a new incident", () => {
  it.each([
    ["the origin, where it is one of the services that are hurt", "checkout", "checkout"],
    ["the first that is hurt, where the core blames what is no service", "shared infrastructure", "checkout"],
    ["the first that is hurt, where no origin is known", null, "checkout"],
  ] as const)("is named after %s", async (_, origin, service) => {
    const assessment = await assessed();
    const answers = { ...assessment.answers, check_affected_services: { services: ["checkout", "web"], origin } };
    expect(openIncident("i", { ...assessment, answers }).service).toBe(service);
  });

  it("keeps the baselines that it began with: later ones may hold samples of the break", async () => {
    const assessment = await assessed();
    const incident = openIncident("i", assessment);
    const spoiled = assessment.baselines.map((baseline) => ({ ...baseline, center: 0.3, upper: 0.4 }));
    expect(withAssessment(incident, { ...assessment, baselines: spoiled }).baselines).toEqual(assessment.baselines);
  });
});
