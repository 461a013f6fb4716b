import { describe, expect, it } from "vitest";
import type { Change } from "../../../core/model/change.ts";
import { changeOf, MINUTE, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { FEEDBACK, openWatchWorld, STEP_MS, type WatchWorld } from "./watch-world.ts";

const SECOND = 1000;
const A_WHILE = 20;
const web = targetOf({ name: "web" });
const payments = targetOf({ name: "payments" });
const edges = [
  ["web", "checkout"],
  ["web", "payments"],
] as const;

/** The world with these changes beside what its troubles name. */
function withChanges(world: WatchWorld, newer: readonly Change[]): void {
  const scripted = world.gather;
  world.gather = async (now) => {
    const known = await scripted(now);
    const ids = new Set(newer.map(({ id }) => id));
    const changes = [...known.changes.filter(({ id }) => !ids.has(id)), ...newer];
    return { ...known, topology: { edges, external: [] }, changes };
  };
}

/** Checkout was rolled back for what hurt it and web; the verification is under way, or ended so; then web is deployed. */
async function deployedBeside(ended?: "not-recovered", timeoutMs = FEEDBACK.timeoutMs): Promise<WatchWorld> {
  const world = await openWatchWorld({ config: { feedback: { ...FEEDBACK, timeoutMs } } });
  for (const target of [web, payments]) world.targets.place(target);
  world.troubles = [world.trouble({ services: ["checkout", "web"] })];
  await world.step();
  expect((await world.incident()).stage).toBe("verifying");
  if (ended !== undefined) {
    world.recovery = ended;
    await world.step();
    world.recovery = "pending";
    expect(await world.incident()).toMatchObject({ outcome: ended });
  }
  const startedAt = world.time.now + 5 * SECOND;
  withChanges(world, [changeOf(web, { startedAt, finishedAt: startedAt + 10 * SECOND, author: "ana" })]);
  return world;
}
const outcomes = async (world: WatchWorld) =>
  (await world.incidents()).map(({ service, outcome }) => [service, outcome]);

describe("a deploy of a service whose trouble is known already", () => {
  it("is found and taken back while the verification goes on, once", async () => {
    await using world = await deployedBeside();
    world.troubles = [world.trouble({ services: ["web"], since: world.time.now + 20 * SECOND }, web)];
    await world.step(A_WHILE);
    expect(await outcomes(world)).toEqual([
      ["checkout", null],
      ["web", null],
    ]);
    expect(world.targets.writes().map(({ object }) => object)).toEqual([
      "Deployment/production/checkout",
      "Deployment/production/web",
    ]);
    expect(world.texts("incident.detected")).toHaveLength(2);
  });

  it("leaves the verification of the first to the signals that it does not reach, and says so", async () => {
    await using world = await deployedBeside();
    world.troubles = [world.trouble({ services: ["web"], since: world.time.now + 20 * SECOND }, web)];
    await world.step();
    const [first, second] = await world.incidents();
    expect(first?.superseded).toEqual([
      { service: "web", what: `web v1 → v2 by ana changed web 5s after the act, and is investigated in ${second?.id}` },
    ]);
    world.recovery = "recovered";
    await world.step();
    expect(world.texts("incident.closed")[0]).toMatch(
      /^recovered .*; not judged: web, where another change is at work since$/,
    );
    expect((await world.incidents())[0]?.unverified.at(-1)).toContain(
      "whether the act helped web can no longer be determined",
    );
  });

  it("opens nothing where the evidence does not blame it, however long the trouble stays", async () => {
    await using world = await deployedBeside();
    world.troubles = [world.trouble({ services: ["web"], action: "no_action", targets: [], culprit: null })];
    await world.step(A_WHILE);
    expect(await outcomes(world)).toEqual([["checkout", null]]);
  });

  it("opens nothing where the evidence blames what was there before the act", async () => {
    await using world = await deployedBeside();
    world.troubles = [world.trouble({ services: ["web"] }, payments)];
    await world.step(A_WHILE);
    expect(await outcomes(world)).toEqual([["checkout", null]]);
    expect(world.targets.writes()).toHaveLength(1);
  });

  it("is not asked about for ever", async () => {
    await using world = await deployedBeside(undefined, 60 * MINUTE);
    let asked = 0;
    const { assess } = world;
    world.assess = (file, focus) => {
      asked += 1;
      return assess(file, focus);
    };
    world.troubles = [world.trouble({ services: ["web"], action: "no_action", targets: [], culprit: null })];
    await world.step((31 * MINUTE) / STEP_MS);
    const before = asked;
    await world.step(A_WHILE);
    expect(asked).toBe(before);
  });

  it("opens no second incident for what one has blamed already, also after a restart", async () => {
    await using world = await deployedBeside();
    world.troubles = [world.trouble({ services: ["web"], since: world.time.now + 20 * SECOND }, web)];
    await world.step(2);
    world.recovery = "not-recovered";
    await world.step(2);
    world.recovery = "pending";
    expect((await outcomes(world)).map(([, outcome]) => outcome)).toEqual(["not-recovered", "not-recovered"]);
    await world.step(A_WHILE);
    await world.restart();
    await world.step(A_WHILE);
    expect(await world.incidents()).toHaveLength(2);
    expect(world.targets.writes()).toHaveLength(2);
  });
});

describe("a deploy elsewhere after a rollback that did not help", () => {
  /** Web still suffers; payments, which it calls, is deployed. */
  async function deployedElsewhere(): Promise<WatchWorld> {
    const world = await deployedBeside("not-recovered");
    const startedAt = world.time.now + 5 * SECOND;
    withChanges(world, [
      changeOf(web, { startedAt: world.time.now - 60 * MINUTE, finishedAt: world.time.now - 59 * MINUTE }),
      changeOf(payments, { startedAt, finishedAt: startedAt + 10 * SECOND }),
    ]);
    return world;
  }

  it("is found where it is to blame for what the same services suffer since", async () => {
    await using world = await deployedElsewhere();
    world.troubles = [world.trouble({ services: ["checkout", "web"], since: world.time.now + 20 * SECOND }, payments)];
    await world.step(A_WHILE);
    expect((await world.incidents()).map(({ decision }) => decision?.changeIds)).toEqual([
      ["deploy-checkout"],
      ["deploy-payments"],
    ]);
    expect(world.texts("incident.detected")).toHaveLength(2);
  });

  it("opens nothing where it is not", async () => {
    await using world = await deployedElsewhere();
    world.troubles = [world.trouble({ services: ["checkout", "web"] })];
    await world.step(A_WHILE);
    expect(await world.incidents()).toHaveLength(1);
    expect(world.targets.writes()).toHaveLength(1);
  });
});

describe("a verification of several targets", () => {
  /** Checkout and payments were taken back together; then somebody deploys payments anew. */
  async function oneMovedOn(wrong: readonly string[]): Promise<WatchWorld> {
    const world = await openWatchWorld();
    world.targets.place(payments);
    world.troubles = [world.trouble({ services: wrong, targets: [targetOf(), payments] })];
    await world.step();
    expect((await world.incident()).gate?.results).toHaveLength(2);
    const startedAt = world.time.now + 5 * SECOND;
    withChanges(world, [
      changeOf(payments, { id: "newer", from: "v1", to: "v3", startedAt, finishedAt: null, author: "ana" }),
    ]);
    return world;
  }

  it("goes on for the others where one of them moves on, and says which did", async () => {
    await using world = await oneMovedOn(["checkout", "payments"]);
    world.troubles = [world.trouble({ services: ["checkout"] })];
    await world.step(2);
    expect(await world.incident()).toMatchObject({
      stage: "verifying",
      superseded: [{ service: "payments", what: expect.stringContaining("newer by ana put v3 in the place of v1") }],
    });
    world.recovery = "recovered";
    await world.step();
    expect(await world.incident()).toMatchObject({ outcome: "recovered" });
    expect(world.texts("incident.closed")[0]).toContain("not judged: payments, where another change is at work since");
    expect((await world.incident()).timeline.map(({ event }) => event)).toContain("superseded");
  });

  it("asks only the others' signals and rollouts", async () => {
    await using world = await oneMovedOn(["checkout", "payments"]);
    const asked: string[] = [];
    await world.restart({
      gather: (now) => world.gather(now),
      recovery: async ({ gate, conditions }) => {
        asked.push([...(gate?.results ?? []).map(({ target }) => target.service)].join());
        asked.push(conditions.map(({ service }) => service).join());
        return { verdict: "pending", at: null, checks: [] };
      },
    });
    await world.step();
    expect(asked).toEqual(["checkout", "checkout"]);
  });

  it("is superseded as a whole where nothing that was wrong is left to ask", async () => {
    await using world = await oneMovedOn(["payments"]);
    world.troubles = [];
    await world.step();
    expect(await world.incident()).toMatchObject({ outcome: "superseded" });
  });

  it("lets trouble of the one that moved on open an incident, and only that", async () => {
    await using world = await oneMovedOn(["checkout", "payments"]);
    world.troubles = [
      world.trouble({ services: ["checkout"] }),
      world.trouble({ services: ["payments"], action: "no_action", targets: [], culprit: null }),
    ];
    await world.step(A_WHILE);
    expect(await outcomes(world)).toEqual([
      ["checkout", null],
      ["payments", null],
    ]);
  });

  it("goes on over a restart", async () => {
    await using world = await oneMovedOn(["checkout", "payments"]);
    world.troubles = [world.trouble({ services: ["checkout"] })];
    await world.step();
    await world.restart({ gather: (now) => world.gather(now) });
    world.recovery = "recovered";
    await world.step();
    expect(await world.incident()).toMatchObject({ outcome: "recovered", superseded: [{ service: "payments" }] });
  });
});
