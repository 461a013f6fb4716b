import { describe, expect, it } from "vitest";
import { movedOn } from "../../../agent/watch/moved-on.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Rollout } from "../../../core/model/evidence.ts";
import type { GateAnswer, Plan, Target } from "../../../core/model/plan.ts";
import { changeOf, flagOf, MINUTE, NOW, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { caseFileOf } from "./trouble.ts";
import { openWatchWorld, STEP_MS, type WatchWorld } from "./watch-world.ts";

const ACT = NOW;
const SECOND = 1000;

const acted = (target: Target, result: "done" | "refused" = "done") => ({
  plan: { targets: [target] } as unknown as Plan,
  gate: {
    planId: "plan-1",
    outcome: "executed",
    review: { verdict: "allow", rules: [] },
    results: [{ target, result, detail: "", at: ACT + 2 * SECOND, warnings: [] }],
    executedAt: ACT + 2 * SECOND,
  } satisfies GateAnswer,
});

const change = (replaced: Partial<Change> = {}, target = targetOf()): Change =>
  changeOf(target, {
    id: "newer",
    from: "v1",
    to: "v3",
    startedAt: ACT + 10 * SECOND,
    finishedAt: null,
    author: "ana",
    ...replaced,
  });
const own = (replaced: Partial<Change> = {}, target = targetOf()) =>
  change(
    { id: "own", from: "v2", to: "v1", startedAt: ACT, finishedAt: ACT + SECOND, ownRollback: true, ...replaced },
    target,
  );
const culprit = changeOf(targetOf());
const rollout = (version: string, name = "checkout"): Rollout => ({
  service: "checkout",
  workload: { kind: "Deployment", namespace: "production", name },
  version,
  revision: "9",
  status: "progressing",
  replicas: { desired: 2, updated: 1, ready: 2, available: 2 },
  restarts: 0,
  revisions: [],
  observedAt: ACT + 15 * SECOND,
});
const file = (changes: readonly Change[], rollouts: readonly Rollout[] = []): CaseFile => ({
  ...caseFileOf(ACT + 15 * SECOND, [], ["checkout"]),
  changes,
  rollouts,
});

describe("what was rolled back is changed again", () => {
  const flag = flagOf();
  const switched = { flag: flag.object.name, from: "off", to: "on" };
  const rows: readonly (readonly [string, Target, readonly Change[], readonly Rollout[], string | null])[] = [
    ["nobody did anything since", targetOf(), [culprit, own()], [rollout("v1")], null],
    ["the rollback is not visible yet", targetOf(), [culprit], [rollout("v2")], null],
    [
      "somebody deploys the next version",
      targetOf(),
      [culprit, own(), change()],
      [],
      "newer by ana put v3 in the place of v1 of checkout, 10s after the act",
    ],
    [
      "somebody deploys while the act's answer is on its way",
      targetOf(),
      [culprit, own(), change({ startedAt: ACT + SECOND })],
      [],
      "newer by ana put v3 in the place of v1 of checkout, 1s after the act",
    ],
    [
      "a controller brings the bad version back",
      targetOf(),
      [own(), change({ to: "v2" })],
      [],
      "that is what had been rolled back",
    ],
    [
      "a change that began before the act is none of it",
      targetOf(),
      [culprit, change({ startedAt: ACT - SECOND }), own()],
      [],
      null,
    ],
    ["another service is deployed", targetOf(), [own(), change({}, targetOf({ name: "cart" }))], [], null],
    ["another workload of the service is deployed", targetOf(), [own()], [rollout("v9", "checkout-worker")], null],
    [
      "we ourselves take something back again",
      targetOf(),
      [own(), own({ id: "own-2", startedAt: ACT + 9 * SECOND })],
      [],
      null,
    ],
    [
      "what is live is neither of the two versions",
      targetOf(),
      [own()],
      [rollout("v3")],
      "checkout is at v3 now, no longer at v1 that was restored",
    ],
    [
      "the flag is switched on again",
      flag,
      [own({ to: "off", flag: flag.object.name }, flag), change(switched, flag)],
      [],
      "newer by ana switched it to on, 10s after the act",
    ],
    ["another flag is switched", flag, [change({ ...switched, flag: "other" }, flag)], [], null],
  ];
  it.each(rows)("%s", (_, target, changes, rollouts, expected) => {
    const told = movedOn(acted(target), file(changes, rollouts));
    expect(told).toEqual(expected === null ? [] : [{ service: "checkout", what: expect.stringContaining(expected) }]);
  });

  it("says nothing of a target that the act left as it was", () => {
    expect(movedOn(acted(targetOf(), "refused"), file([change()]))).toEqual([]);
  });
});

describe("what is no move", () => {
  it.each([
    ["the act itself, told by a history that knows no mark of ours", targetOf(), { from: "v2", to: "v1" }],
    ["somebody who switches the flag off once more", flagOf(), { flag: "new-cart", from: "on", to: "off" }],
  ] as const)("%s", (_, target, replaced) => {
    expect(movedOn(acted(target), file([change(replaced, target)]))).toEqual([]);
  });
});

describe("a verification whose target moved on", () => {
  const second = targetOf({ changeId: "deploy-checkout-v3", expected: { version: "v3", revision: "9" } });

  /** A rollback that is being verified when somebody deploys v3. */
  async function deployedAgain(): Promise<WatchWorld> {
    const world = await openWatchWorld();
    world.troubles = [world.trouble()];
    await world.step();
    expect((await world.incident()).stage).toBe("verifying");
    const at = world.time.now + 5 * SECOND;
    const scripted = world.gather;
    world.gather = async (now) => {
      const known = await scripted(now);
      const others = known.changes.filter(({ id }) => id !== second.changeId);
      return { ...known, changes: [...others, change({ id: second.changeId, startedAt: at })] };
    };
    return world;
  }

  it("closes as superseded, in words, with a postmortem, and wakes nobody", async () => {
    await using world = await deployedAgain();
    world.troubles = [];
    await world.step();
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "superseded", recovery: null });
    expect(world.texts("incident.closed")).toEqual([expect.stringContaining("superseded")]);
    expect(world.texts("incident.closed")[0]).toContain("put v3 in the place of v1");
    expect(world.texts("incident.escalated")).toEqual([]);
    expect(world.drafted).toHaveLength(1);
    expect(world.remembered).toMatchObject([{ outcome: "superseded" }]);
  });

  it.each(["recovered", "not-recovered"] as const)("is superseded whatever the signals say: %s", async (verdict) => {
    await using world = await deployedAgain();
    world.recovery = verdict;
    world.troubles = [];
    await world.step();
    expect((await world.incident()).outcome).toBe("superseded");
  });

  it("lets the trouble of the newer change open an incident at once, with a plan of its own", async () => {
    await using world = await deployedAgain();
    world.targets.place(second);
    world.troubles = [world.trouble({}, second)];
    await world.step();
    expect((await world.incidents()).map(({ outcome }) => outcome)).toEqual(["superseded", null]);
    const [, next] = await world.incidents();
    expect(next?.decision?.changeIds).toEqual([second.changeId]);
    expect(next?.plan?.targets).toEqual([second]);
    expect(world.texts("incident.held")[0]).toContain("cooldown");
  });

  it("lets trouble of a caller alone open an incident as well", async () => {
    await using world = await deployedAgain();
    world.troubles = [world.trouble({ services: ["checkout", "web"] }, second)];
    await world.step();
    world.troubles = [world.trouble({ services: ["web"], action: "no_action", targets: [], culprit: null })];
    await world.restart({ gather: (now) => world.gather(now) });
    await world.step();
    expect((await world.incidents()).length).toBeGreaterThan(1);
  });

  it("stays superseded over a restart and covers nothing that comes after it", async () => {
    await using world = await deployedAgain();
    world.troubles = [];
    await world.step();
    await world.restart();
    world.troubles = [world.trouble({}, second)];
    await world.step();
    expect((await world.incidents()).map(({ outcome }) => outcome)).toEqual(["superseded", null]);
  });

  it("waits on while nobody changes anything", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble()];
    await world.step((5 * MINUTE) / STEP_MS);
    expect((await world.incident()).stage).toBe("verifying");
  });
});
