import { describe, expect, it } from "vitest";
import type { WhoIsAtWork } from "../../../agent/cli/composition.ts";
import { status } from "../../../agent/cli/status.ts";
import { whoIsAtWork } from "../../../agent/compose/record.ts";
import { carriedOutBy } from "../../../core/guardrails/carried-out-by.ts";
import { incidentLines, othersLine } from "../../../core/guardrails/incident-text.ts";
import { approvedIncidents } from "../../../core/guardrails/open-incidents.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { pastComposition } from "../../evals/lab/past-composition.ts";
import { callTool } from "../../mcp-tools/call-tool.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { context } from "../../mcp-tools/scenario.ts";
import { openWatchWorld, type WatchWorld } from "../watch/watch-world.ts";
import { heldPlanOf } from "./held-plan.ts";

const WATCH: WhoIsAtWork = {
  ...{ ledger: "the ledger", isThere: true, gate: null },
  processes: [{ work: "watch", pid: 1, host: "host", since: 1, mode: "approve", modeIsAsked: false, version: null }],
};
const apart = (watched: boolean | null): WhoIsAtWork => ({
  ...{ ledger: "the ledger", isThere: true, processes: [] },
  gate: { at: "gate.sock", mode: "approve", modeIsAsked: false, version: null, watched },
});

async function told(world: WatchWorld, who = WATCH, json = false): Promise<string> {
  const { composition, printed } = pastComposition(testConfig(), { metrics: [] } as never, world.time.now);
  const ledger = async () => ({ ...world.store, close: async () => undefined });
  await status({ ...composition, ledger, atWork: async () => who, hasEnded: async () => false }, { json });
  return printed.out;
}

/** What happens to a plan that waits for a person, before anybody evaluates anything again. */
const STORIES: Readonly<Record<string, (world: WatchWorld, plan: string) => Promise<unknown>>> = {
  "approved, and not evaluated since": ({ gate }, plan) => gate.approve(plan, ALICE_TOKEN),
  "approved in a pause that has not denied it yet": async ({ gate }, plan) => {
    await gate.pause("all", "bob");
    await gate.approve(plan, ALICE_TOKEN);
  },
  "approved, and denied by a pause since": async ({ gate, step }, plan) => {
    await gate.pause("all", "bob");
    await gate.approve(plan, ALICE_TOKEN);
    await step();
  },
};

describe.each(Object.entries(STORIES))("S15: a plan of the watch that was %s", (what, happens) => {
  const open = async () => {
    const world = await openWatchWorld();
    const plan = await heldPlanOf(world);
    await happens(world, plan);
    return Object.assign(world, { plan });
  };

  it("is told as approved by status, in words and as data, with who carries it out and how to stop it", async () => {
    await using world = await open();
    const words = await told(world);
    expect(words).toMatch(/inc-\S+ +checkout, for .*: approved by alice/);
    expect(words).toContain("approved by alice: it runs ");
    expect(words).toContain("the watch carries it out at its next evaluation");
    expect(words).toContain(`unship reject ${world.plan}`);
    expect(words).not.toMatch(/NEEDS APPROVAL|needs approval|unship approve/);
    const { open: incidents, plans } = JSON.parse(await told(world, WATCH, true));
    expect(incidents).toMatchObject([
      {
        approved_by: ["alice"],
        waiting: null,
        approved: { plan: world.plan, by: ["alice"], denied: what.includes("denied by") },
      },
    ]);
    expect(plans).toMatchObject([{ id: world.plan, state: "approved" }]);
  });

  it("is told so by MCP, and in notices", async () => {
    await using world = await open();
    const ask = context({ ledger: world.store, clock: { now: () => world.time.now } });
    const incident = await world.incident();
    const { structured: one } = await callTool(ask, "get_incident", { incident: incident.id });
    expect(one).toMatchObject({ approved_by: ["alice"], next: expect.stringContaining("approved by alice") });
    expect(one?.next).not.toContain("needs a person");
    const { structured: all } = await callTool(ask, "search_incidents", { open_only: true });
    expect(JSON.stringify(all)).toMatch(/approved by alice/);
    expect(JSON.stringify(all)).not.toMatch(/needs approval|needs a person/);
    const telling = {
      ...{ now: world.time.now, open: [incident], services: {} },
      approved: await approvedIncidents([incident], world.store, world.time.now),
    };
    expect(incidentLines(incident, telling).join("\n")).toContain("Approved by alice: not carried out yet.");
    expect(incidentLines(incident, telling).join("\n")).not.toContain("unship approve");
    expect(othersLine({ id: "another" }, telling)).toContain("approved by alice");
  });

  it("waits no more for anybody where it was rejected after all", async () => {
    await using world = await open();
    await world.gate.reject(world.plan, ALICE_TOKEN, "on second thoughts");
    expect(await told(world)).not.toContain("it runs ");
  });
});

describe("S15: what denied a plan is told as past once it has ended", () => {
  it("after a resume, until the gate has judged it again, on every surface that names it", async () => {
    await using world = await openWatchWorld();
    const plan = await heldPlanOf(world);
    await world.gate.pause("checkout", "bob");
    await world.gate.approve(plan, ALICE_TOKEN);
    await world.step();
    expect(await told(world)).toContain("denied by paused: checkout is paused by «person bob»");
    await world.gate.resume("checkout", ALICE_TOKEN);
    const words = await told(world);
    expect(words).not.toContain("checkout is paused");
    expect(words).toContain("was denied by paused, which has ended since: it is judged again at the next evaluation");
    const json = await told(world, WATCH, true);
    expect(json).not.toContain("checkout is paused");
  });

  it("not where another pause that it named stands still", async () => {
    await using world = await openWatchWorld();
    const plan = await heldPlanOf(world);
    for (const scope of ["checkout", "all"]) await world.gate.pause(scope, "bob");
    await world.gate.approve(plan, ALICE_TOKEN);
    await world.step();
    await world.gate.resume("all", ALICE_TOKEN);
    expect(await told(world)).toContain("denied by paused: ");
  });
});

describe("S15: who carries out what is approved", () => {
  const own = { proposedBy: "watch" };
  const others = { proposedBy: "mcp:stdio:an-assistant" };
  it.each([
    [
      "the watch's own, by the watch",
      own,
      { isGateApart: false, isWatched: true },
      "the watch carries it out at its next evaluation",
    ],
    [
      "also beside a gate of its own",
      own,
      { isGateApart: true, isWatched: true },
      "the watch carries it out at its next evaluation",
    ],
    [
      "nobody, where no watch runs",
      own,
      { isGateApart: true, isWatched: false },
      "no watch runs: nobody carries it out until one is started (unship watch)",
    ],
    [
      "what others proposed, by the gate where it is apart",
      others,
      { isGateApart: true, isWatched: false },
      "the gate carries it out at its next evaluation",
    ],
    [
      "else by the watch",
      others,
      { isGateApart: false, isWatched: true },
      "the watch carries it out at its next evaluation",
    ],
    [
      "or by nobody",
      others,
      { isGateApart: false, isWatched: false },
      "no watch runs: nobody carries it out until one is started (unship watch)",
    ],
    [
      "where that cannot be seen, it says so",
      own,
      { isGateApart: true, isWatched: null },
      "the watch carries it out at its next evaluation; whether one runs cannot be seen from here: unship status",
    ],
  ] as const)("%s", (_, plan, at, words) => expect(carriedOutBy(plan, at)).toBe(words));

  it("status says that no watch is connected to the gate, and of an approved plan that nobody carries it out", async () => {
    await using world = await openWatchWorld();
    await world.gate.approve(await heldPlanOf(world), ALICE_TOKEN);
    expect(await told(world, apart(true))).not.toMatch(/no watch/i);
    const words = await told(world, apart(false));
    expect(words).toContain("At work: the gate at gate.sock");
    expect(words).toContain(
      "NOT WATCHING: no watch is connected to the gate, so nothing is detected, decided or verified. Start it: unship watch",
    );
    expect(words).toContain("no watch runs: nobody carries it out until one is started (unship watch)");
    expect(await told(world, apart(null))).toContain(
      "Whether a watch is connected to the gate cannot be seen from here.",
    );
    expect(JSON.parse(await told(world, apart(false), true)).at_work).toMatchObject([{ work: "gate", watched: false }]);
  });

  it.each([
    ["with a watch", { version: "1", actions: [], mode: "auto", watched: true }, true],
    ["without one", { version: "1", actions: [], mode: "auto", watched: false }, false],
    ["which does not say", null, null],
  ])("the gate as a process of its own, %s", async (_, hello, watched) => {
    const gate = { at: { socket: "/run/unship/gate.sock" }, token: { env: "X" } };
    const config = testConfig({ gate } as never);
    expect(await whoIsAtWork(config, {} as never, async () => hello)).toMatchObject({ gate: { watched } });
  });
});
