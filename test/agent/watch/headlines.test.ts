import { describe, expect, it } from "vitest";
import { MINUTE } from "../../core/guardrails/rule-inputs.ts";
import { openWatchWorld, STEP_MS } from "./watch-world.ts";

const HALF_HOUR = (30 * MINUTE) / STEP_MS;
const blameless = { action: "no_action", culprit: null, noChangeProbability: 0.95 } as const;

const HOTFIX = {
  changeId: "deploy-checkout",
  changeIds: ["deploy-checkout"],
  commitRange: "v1..v2",
  suspects: ["src/total.ts"],
  owner: "ana",
  whyNoRollback: "it is irreversible",
  mitigation: "send traffic elsewhere",
  check: "error_rate of checkout is usual",
};

describe("what people read of an incident", () => {
  it.each(["a", "c", "person", "policy", "checkout", "check"])(
    "the headline names the service first, though it be called like a word of any: %s",
    async (service) => {
      await using world = await openWatchWorld();
      world.troubles = [world.trouble({ ...blameless, services: [service] })];
      await world.step(HALF_HOUR);
      expect(world.notices.map(({ title }) => title)).toEqual([expect.stringMatching(new RegExp(`^${service}: `))]);
    },
  );

  it("what is told while an act is verified has the figures of that moment, and speaks of what is degraded then", async () => {
    await using world = await openWatchWorld();
    const act = world.trouble({ services: ["checkout", "cart"] });
    world.troubles = [act];
    await world.step();
    expect(world.targets.writes()).toHaveLength(1);
    const { gather } = world;
    world.gather = async (now) => {
      const file = await gather(now);
      return { ...file, findings: file.findings.map((one) => ({ ...one, current: 0.146 })) };
    };
    world.troubles = [{ ...act, services: ["cart"] }];
    world.recovery = "not-recovered";
    await world.step();
    const [notice] = world.notices;
    expect(notice?.title).toContain("checkout: Rollback did not resolve");
    expect(notice?.lines[0]).toMatch(/^cart degraded since .*: error rate 15 %/);
    expect(notice?.lines.join("\n")).not.toContain("Also affected: checkout");
  });

  it("the notice of a hotfix recommendation says what to mend, where to start, and what shows that it worked", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ action: "hotfix_recommendation" })];
    const { assess } = world;
    world.assess = (...asked) => {
      const assessment = assess(...asked);
      return { ...assessment, decision: { ...assessment.decision, hotfix: HOTFIX } };
    };
    await world.step();
    expect(world.notices[0]?.lines).toEqual(
      expect.arrayContaining([
        "Commits: v1..v2",
        "Owner: ana",
        "Start at: src/total.ts",
        "Until then: send traffic elsewhere",
      ]),
    );
  });
});
