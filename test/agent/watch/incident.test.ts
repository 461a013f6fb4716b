import { describe, expect, it } from "vitest";
import type { Rollout } from "../../../core/model/evidence.ts";
import { MINUTE, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { MESSAGE, openWatchWorld, STEP_MS } from "./watch-world.ts";

/** Long enough for a plan, an approval and a cooldown to be over; steps of the watch. */
const A_WHILE = 20;
const QUARTER_HOUR = (15 * MINUTE) / STEP_MS;

describe("an incident, from detection to its end", () => {
  it("a break that policy calls automatic is executed once, verified and closed as recovered", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble()];
    await world.step();
    expect(world.targets.writes()).toMatchObject([{ version: "v1" }]);
    expect((await world.incident()).stage).toBe("verifying");
    world.troubles = [];
    await world.step(3);
    world.recovery = "recovered";
    await world.step();
    const incident = await world.incident();
    expect(incident).toMatchObject({ stage: "closed", outcome: "recovered", service: "checkout" });
    expect(incident.closedAt).toBe(world.time.now);
    expect(world.remembered.map(({ id }) => id)).toEqual([incident.id]);
    expect(world.drafted).toEqual([incident.id]);
    await world.step(A_WHILE);
    expect(world.targets.calls()).toHaveLength(1);
    expect(await world.incidents()).toHaveLength(1);
    expect(await world.store.verify()).toMatchObject({ ok: true });
  });

  it("an evaluation that began before the act was done proves nothing of it, whatever it reads", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble()];
    await world.step();
    world.troubles = [];
    world.recovery = "recovered";
    const { gather } = world;
    const { gate } = await world.incident();
    world.gather = async (now) => ({ ...(await gather(now)), at: (gate?.executedAt ?? 0) - 1 });
    await world.step();
    expect(await world.incident()).toMatchObject({ stage: "verifying", outcome: null });
    world.gather = gather;
    await world.step();
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "recovered" });
  });

  it("a break is taken back however much there is to say about it", async () => {
    await using world = await openWatchWorld();
    await world.restart({
      assess: (caseFile, focus) => {
        const assessment = world.assess(caseFile, focus);
        return { ...assessment, decision: { ...assessment.decision, why: Array(60).fill("It went on. ".repeat(10)) } };
      },
    });
    world.troubles = [world.trouble()];
    await world.step();
    expect(world.texts("tick.failed")).toEqual([]);
    expect(world.targets.writes()).toMatchObject([{ version: "v1" }]);
  });

  it("a blip that passes before the policy's duration is withdrawn, and no plan was ever filed", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ condition: "pending", firesAt: world.time.now + 2 * MINUTE })];
    await world.step(2);
    expect((await world.incident()).stage).toBe("waiting-policy");
    world.troubles = [];
    await world.step(5);
    expect((await world.incident()).stage).toBe("waiting-policy");
    await world.step(A_WHILE);
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "withdrawn", plan: null });
    expect(world.targets.calls()).toEqual([]);
    expect(await world.kinds()).not.toContain("plan.proposed");
  });

  it("a decision waits until the policy's duration is over, and is executed then, once", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ condition: "pending", firesAt: world.time.now + 2 * MINUTE })];
    await world.step(7);
    expect(world.targets.calls()).toEqual([]);
    expect((await world.incident()).decision?.action).toBe("rollback");
    world.troubles = [world.trouble({ condition: "firing" })];
    await world.step(A_WHILE);
    expect(world.targets.writes()).toHaveLength(1);
    expect(await world.kinds().then((kinds) => kinds.filter((kind) => kind === "plan.proposed"))).toHaveLength(1);
  });

  it("a second tick repeats nothing that was done", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble()];
    await world.step(A_WHILE);
    const kinds = await world.kinds();
    for (const once of ["plan.proposed", "plan.reserved", "target.attempted", "chain.finished"]) {
      expect(kinds.filter((kind) => kind === once)).toEqual([once]);
    }
    expect(world.texts("incident.detected")).toHaveLength(1);
    expect(world.texts("plan.executed")).toHaveLength(1);
  });

  it("nothing is left to do where people were faster: nothing is verified as ours, and it is never called a success", async () => {
    await using world = await openWatchWorld();
    world.targets.place(targetOf(), targetOf().restore);
    world.troubles = [world.trouble()];
    await world.step();
    const incident = await world.incident();
    expect(world.targets.writes()).toEqual([]);
    expect(world.texts("plan.executed")).toEqual([]);
    expect(["investigated", "waiting-approval"]).toContain(incident.stage);
    world.troubles = [];
    await world.step(A_WHILE);
    expect((await world.incident()).outcome).toBe("withdrawn");
  });

  it.each([
    ["not-recovered", MESSAGE],
    ["unknown", "Whether it recovered is not known: nothing could be measured."],
  ] as const)(
    "a verification that ends as %s is told to people as such, the configured message for an act that did not help alone",
    async (verdict, said) => {
      await using world = await openWatchWorld();
      world.troubles = [world.trouble()];
      await world.step();
      world.recovery = verdict;
      await world.step();
      expect(await world.incident()).toMatchObject({ stage: "verifying", outcome: verdict });
      expect(world.texts("incident.escalated")).toEqual([said]);
      expect(world.notices.filter(({ title }) => title === `checkout: ${said}`).map(({ to }) => to)).toEqual([
        "slack:#incidents",
      ]);
    },
  );

  it("signals that are back wait for a GitOps controller, and one late sample meanwhile ends nothing as unknown", async () => {
    await using world = await openWatchWorld();
    const { object: workload, restore, service } = targetOf();
    const replicas = { desired: 2, updated: 2, ready: 2, available: 2 };
    const byFlux = async (now: number) => ({
      ...(await world.gather(now)),
      rollouts: [
        {
          ...{ service, workload, ...restore, status: "complete", replicas, restarts: 0, revisions: [] },
          ...{ observedAt: now, startedAt: now, managedBy: "Flux" },
        } satisfies Rollout,
      ],
    });
    await world.restart({ gather: byFlux });
    world.troubles = [world.trouble()];
    await world.step();
    world.troubles = [];
    const verdicts = ["recovered", "unknown", "not-recovered", "recovered"] as const;
    for (const verdict of verdicts) {
      world.recovery = verdict;
      await world.step();
      expect((await world.incident()).stage).toBe("verifying");
    }
    await world.step(A_WHILE);
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "recovered" });
    expect(world.texts("incident.escalated")).toEqual([]);
  });

  it("where the file asks for no verification the outcome is unknown, never recovered", async () => {
    await using world = await openWatchWorld({
      config: {
        feedback: {
          verifyRecovered: false,
          timeoutMs: 600_000,
          gitOpsWaitMs: 240_000,
          driftWatchMs: 3_600_000,
          ifNotRecovered: null,
          logOutcome: null,
          postmortemDraft: true,
        },
      },
    });
    world.troubles = [world.trouble()];
    await world.step(2);
    expect(await world.incident()).toMatchObject({ stage: "verifying", outcome: "unknown" });
    world.troubles = [];
    await world.step(12);
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "unknown" });
    expect(world.remembered).toEqual([]);
  });
});

describe("an incident that only people may end", () => {
  const held = { config: { guardrails: { ...neverAuto("checkout") } } };

  it("is held, and executed on the tick after an approval is recorded", async () => {
    await using world = await openWatchWorld(held);
    world.troubles = [world.trouble({ needsPerson: ["checkout is listed under never_auto_rollback"] })];
    await world.step(4);
    const { plan, stage } = await world.incident();
    expect(stage).toBe("waiting-approval");
    expect(world.targets.calls()).toEqual([]);
    await world.gate.approve(plan?.id ?? "", ALICE_TOKEN);
    expect(world.targets.calls()).toEqual([]);
    await world.step();
    expect(world.targets.writes()).toMatchObject([{ key: `${plan?.id}:0` }]);
    expect((await world.incident()).stage).toBe("verifying");
  });

  it("is never executed once a person said no, however often the watch looks and new plans are filed", async () => {
    await using world = await openWatchWorld(held);
    world.troubles = [world.trouble({ needsPerson: ["checkout is listed under never_auto_rollback"] })];
    await world.step();
    const { plan } = await world.incident();
    await world.gate.reject(plan?.id ?? "", ALICE_TOKEN, "the deploy is innocent");
    await world.step(3 * QUARTER_HOUR);
    expect(world.targets.calls()).toEqual([]);
    expect(world.texts("plan.not-executed").join()).toContain("the deploy is innocent");
  });

  it("stays undone after a person's no even when the rules would let the same plan run by itself later", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ policy: "human_review" })];
    await world.step();
    const { plan } = await world.incident();
    await world.gate.reject(plan?.id ?? "", ALICE_TOKEN, "the deploy is innocent");
    await world.step(2);
    world.troubles = [world.trouble()];
    await world.step(3 * QUARTER_HOUR);
    expect(world.targets.calls()).toEqual([]);
  });

  it("gets a new plan when the old one expires unanswered, and an approval of the old one is no use", async () => {
    await using world = await openWatchWorld(held);
    world.troubles = [world.trouble({ needsPerson: ["checkout is listed under never_auto_rollback"] })];
    await world.step();
    const first = (await world.incident()).plan?.id ?? "";
    await world.step(QUARTER_HOUR + 1);
    const second = (await world.incident()).plan?.id ?? "";
    expect(second).not.toBe(first);
    await expect(world.gate.approve(first, ALICE_TOKEN)).rejects.toMatchObject({ code: "plan.expired" });
    await world.gate.approve(second, ALICE_TOKEN);
    await world.step();
    expect(world.targets.writes()).toMatchObject([{ key: `${second}:0` }]);
  });

  it("is executed without a person when the facts that held it change", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ policy: "human_review", needsPerson: ["no automatic condition holds"] })];
    await world.step();
    expect((await world.incident()).stage).toBe("waiting-approval");
    world.troubles = [world.trouble()];
    await world.step(A_WHILE);
    expect(world.targets.writes()).toHaveLength(1);
  });

  it("an approved plan runs although the core has become unsure since: a person has decided", async () => {
    await using world = await openWatchWorld(held);
    const trouble = world.trouble({ needsPerson: ["checkout is listed under never_auto_rollback"] });
    world.troubles = [trouble];
    await world.step();
    const { plan } = await world.incident();
    world.troubles = [{ ...trouble, action: "no_action", culprit: { changeId: "deploy-checkout", probability: 0.7 } }];
    await world.step();
    await world.gate.approve(plan?.id ?? "", ALICE_TOKEN);
    await world.step();
    expect(world.targets.writes()).toHaveLength(1);
  });

  it("a plan still waits for its person when the decision goes and comes back", async () => {
    await using world = await openWatchWorld(held);
    const trouble = world.trouble({ needsPerson: ["checkout is listed under never_auto_rollback"] });
    world.troubles = [trouble];
    await world.step();
    const { plan } = await world.incident();
    world.troubles = [{ ...trouble, action: "no_action", culprit: null, noChangeProbability: 0.9 }];
    await world.step(2);
    expect((await world.incident()).stage).toBe("investigated");
    world.troubles = [trouble];
    await world.step();
    expect(await world.incident()).toMatchObject({ stage: "waiting-approval", plan: { id: plan?.id } });
    expect(world.texts("incident.held")).toHaveLength(1);
  });

  it("a plan whose targets change is another plan: the old approval does not carry over", async () => {
    await using world = await openWatchWorld(held);
    const needsPerson = ["checkout is listed under never_auto_rollback"];
    world.troubles = [world.trouble({ needsPerson })];
    await world.step();
    const { plan } = await world.incident();
    await world.gate.approve(plan?.id ?? "", ALICE_TOKEN);
    const other = targetOf({ expected: { version: "v3", revision: "8" } });
    world.targets.place(other);
    world.troubles = [world.trouble({ needsPerson }, other)];
    await world.step(A_WHILE);
    expect(world.targets.calls()).toEqual([]);
    expect((await world.incident()).plan?.id).not.toBe(plan?.id);
  });
});

describe("what stops an execution", () => {
  it("S7: observe executes nothing: the denial is recorded and told once", async () => {
    await using world = await openWatchWorld({ config: { mode: "observe" } });
    world.troubles = [world.trouble()];
    await world.step(3 * QUARTER_HOUR);
    expect(world.targets.calls()).toEqual([]);
    expect(await world.incident()).toMatchObject({ stage: "waiting-approval", gate: { outcome: "denied" } });
    expect(world.texts("incident.escalated")).toHaveLength(1);
    expect(world.notices).toHaveLength(1);
  });

  it("a pause denies; once an approver resumes, the watch goes on by itself", async () => {
    await using world = await openWatchWorld();
    await world.gate.pause("all", "bob");
    world.troubles = [world.trouble()];
    await world.step(10);
    expect(world.targets.calls()).toEqual([]);
    expect((await world.incident()).gate).toMatchObject({ outcome: "denied" });
    await world.gate.resume("all", ALICE_TOKEN);
    await world.step(2 * A_WHILE);
    expect(world.targets.writes()).toHaveLength(1);
  });

  it("a target that somebody changed since is left alone", async () => {
    await using world = await openWatchWorld();
    world.targets.place(targetOf(), { version: "v3", revision: "8" });
    world.troubles = [world.trouble()];
    await world.step(A_WHILE);
    expect(world.targets.writes()).toEqual([]);
    expect((await world.incident()).outcome).not.toBe("recovered");
  });
});

function neverAuto(service: string) {
  return {
    maxAutoRollbacksPerDay: 5,
    cooldownMs: 10 * MINUTE,
    cooldownScope: "service",
    escalateToHumanAfter: 2,
    neverAutoRollback: [service],
  } as const;
}
